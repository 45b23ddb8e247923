"""The network: a list of weight matrices, for one network or for a population of them.

A network is nothing but its parameters in the order in which they are used: a matrix of shape
``(n_in, n_out)`` a layer, each optionally followed by a bias vector of shape ``(n_out,)``. A
population of networks has one more axis in front: ``(n_solutions, n_in, n_out)`` and
``(n_solutions, n_out)``. The structure is whatever the list says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod, sqrt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.sparse import issparse
from scipy.special import expit, softmax

from ga_ann.out_of_core import SamplesLike, StoredSamples, hold
from ga_ann.parts import Activation, CustomActivation, check_mark, in_place

__all__ = [
    "ACTIVATIONS",
    "INITS",
    "Activations",
    "AnyActivation",
    "describe_shapes",
    "find_activations",
    "forward",
    "init_weights",
    "layer_shapes",
    "lookup",
    "pair_layers",
    "predict",
    "to_predictions",
    "to_probabilities",
]

FloatArray = NDArray[Any]
Layer = tuple[FloatArray, FloatArray | None]
_T = TypeVar("_T")


def lookup(table: Mapping[str, _T], name: object, what: str) -> _T:
    """Return ``table[name]``, or say which names there are.

    Raises
    ------
    ValueError
        If `name` is not in `table`; the message lists the valid names.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    raise ValueError(f"{what} must be one of {sorted(table)}, got {name!r}.")


KEPT_ZEROS = 2**20
"""Number of zeros that are kept for the next call: memory from the system is slow to come."""


@lru_cache(maxsize=4)
def _zeros(shape: tuple[int, ...], dtype: DTypeLike) -> FloatArray:
    zeros: FloatArray = np.zeros(shape, dtype)
    zeros.flags.writeable = False
    return zeros


def _identity(Z: FloatArray, axis: int = -1, /) -> None:
    pass


def _relu(Z: FloatArray, axis: int = -1, /) -> None:
    # Zeros for a whole network, because NumPy's maximum is several times slower with a single
    # number, and with short rows.
    shape = Z.shape[-2:]
    make = _zeros if prod(shape) <= KEPT_ZEROS else np.zeros
    np.maximum(Z, make(shape, dtype=Z.dtype), out=Z)


def _sign(Z: FloatArray, axis: int = -1, /) -> None:
    np.sign(Z, out=Z)


def _step(Z: FloatArray, axis: int = -1, /) -> None:
    np.greater(Z, 0, out=Z, casting="unsafe")


def _sigmoid(Z: FloatArray, axis: int = -1, /) -> None:
    expit(Z, out=Z)


def _tanh(Z: FloatArray, axis: int = -1, /) -> None:
    np.tanh(Z, out=Z)


def _softmax(Z: FloatArray, axis: int = -1, /) -> None:
    Z[...] = softmax(Z, axis=axis)


ACTIVATIONS: dict[str, Activation] = {
    "identity": _identity,
    "logistic": _sigmoid,  # scikit-learn's name for it
    "relu": _relu,
    "sigmoid": _sigmoid,
    "sign": _sign,
    "softmax": _softmax,
    "step": _step,
    "tanh": _tanh,
}
"""Activations by name; each works in place on an array of floats, see `Activation`."""

AnyActivation = str | CustomActivation
Activations = AnyActivation | Sequence[AnyActivation]
"""One activation for all hidden layers, or a tuple or a list with one for each of them."""


def find_activations(
    activation: Activations, output_activation: AnyActivation, n_layers: int
) -> list[Activation]:
    """Return the activation of each layer, as a function that works in place.

    Parameters
    ----------
    activation, output_activation
        See `forward`.
    n_layers : int
        Number of layers, that of the outputs included.

    Raises
    ------
    ValueError
        If a name is unknown, or there is not one activation for each hidden layer.

    Examples
    --------
    >>> find_activations("tanh", "identity", 3) == [_tanh, _tanh, _identity]
    True
    """
    n_hidden = n_layers - 1
    is_one = not isinstance(activation, tuple | list)
    given: Any = [activation] if is_one else activation
    hidden = [_find_activation(one, "activation") for one in given]
    if None in hidden or not (is_one or len(hidden) == n_hidden):
        raise ValueError(
            f"activation must be one of {sorted(ACTIVATIONS)}, a function, or a tuple with one of "
            f"these for each hidden layer ({n_hidden} here), got {activation!r}."
        )
    output = _find_activation(output_activation, "output_activation")
    if output is None:
        raise ValueError(
            f"output_activation must be one of {sorted(ACTIVATIONS)} or a function, got "
            f"{output_activation!r}."
        )
    found: list[Any] = hidden * n_hidden if is_one else hidden
    return [*found, output]


def _find_activation(given: object, what: str) -> Activation | None:
    if isinstance(given, str):
        check_mark(given, what)
        return ACTIVATIONS.get(given)
    if not callable(given):
        return None
    for known in ACTIVATIONS.values():
        if given is known:
            return known
    return in_place(given, what)


def _he(rng: np.random.Generator, W: FloatArray) -> None:
    W[...] = rng.standard_normal(W.shape, dtype=W.dtype)
    W *= init_scale("he", W.shape[-2])


def _tutorial(rng: np.random.Generator, W: FloatArray) -> None:
    W[...] = rng.random(W.shape, dtype=W.dtype)
    W *= 0.2
    W -= 0.1


INITS: dict[str, Callable[[np.random.Generator, FloatArray], None]] = {
    "he": _he,
    "tutorial": _tutorial,
}
"""Distributions of initial weight matrices by name: ``"he"``, normal with a standard deviation of
``sqrt(2 / n_in)`` [He et al., 2015, eq. 10], and ``"tutorial"``, U(-0.1, 0.1)."""


def init_scale(init: str, n_in: int) -> float:
    """Return the standard deviation of a layer's initial weights.

    Parameters
    ----------
    init : {"he", "tutorial"}
        The distribution of the initial weights.
    n_in : int
        Number of the layer's inputs.
    """
    lookup(INITS, init, "init")
    return sqrt(2.0 / n_in) if init == "he" else 0.1 / sqrt(3.0)


def layer_shapes(layer_sizes: Sequence[int], *, bias: bool = False) -> list[tuple[int, ...]]:
    """Return the shapes of a network's parameters.

    Parameters
    ----------
    layer_sizes : sequence of int
        Number of inputs, sizes of the hidden layers, number of outputs; each at least 1.
    bias : bool, default=False
        Whether each matrix is followed by a bias vector.

    Returns
    -------
    list of tuple of int

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one of them is not a positive integer.

    Examples
    --------
    >>> layer_shapes([102, 150, 60, 4])
    [(102, 150), (150, 60), (60, 4)]
    >>> layer_shapes([4, 3], bias=True)
    [(4, 3), (3,)]
    """
    sizes = list(layer_sizes)
    if len(sizes) < 2 or any(not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise ValueError(
            f"layer_sizes must hold at least two positive integers (inputs, outputs), got {sizes}."
        )
    shapes: list[tuple[int, ...]] = []
    for n_in, n_out in pairwise(sizes):
        shapes.append((int(n_in), int(n_out)))
        if bias:
            shapes.append((int(n_out),))
    return shapes


def describe_shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    """Return the sizes of a network's layers in words.

    Examples
    --------
    >>> describe_shapes([(102, 150), (150,), (150, 4), (4,)])
    '102-150-4 with biases'
    """
    matrices = [shape for shape in shapes if len(shape) == 2]
    sizes = [matrices[0][0], *(n_out for _, n_out in matrices)]
    return "-".join(map(str, sizes)) + (" with biases" if len(shapes) > len(matrices) else "")


def init_weights(
    rng: np.random.Generator,
    layer_sizes: Sequence[int],
    *,
    n_solutions: int | None = None,
    init: str = "he",
    bias: bool = False,
    dtype: DTypeLike = np.float32,
) -> list[FloatArray]:
    """Draw the initial weights of one network, or of a population of networks.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of randomness.
    layer_sizes : sequence of int
        Number of inputs, sizes of the hidden layers, number of outputs.
    n_solutions : int, optional
        Size of the population; None for a single network.
    init : {"he", "tutorial"}, default="he"
        He's normal distribution, or U(-0.1, 0.1) as in the tutorial.
    bias : bool, default=False
        Whether each matrix is followed by a bias vector; biases begin at zero.
    dtype : {numpy.float32, numpy.float64}, default=numpy.float32
        Precision of the weights.

    Returns
    -------
    list of ndarray
        Matrices ``(n_in, n_out)``, or ``(n_solutions, n_in, n_out)`` for a population.

    Raises
    ------
    ValueError
        If a size or `n_solutions` is not positive, or `init` or `dtype` is unknown.

    Examples
    --------
    >>> weights = init_weights(np.random.default_rng(0), [102, 150, 60, 4], init="tutorial")
    >>> [W.shape for W in weights]
    [(102, 150), (150, 60), (60, 4)]
    """
    draw = lookup(INITS, init, "init")
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype}.")
    if n_solutions is not None and n_solutions < 1:
        raise ValueError(f"n_solutions must be at least 1, got {n_solutions}.")
    front = () if n_solutions is None else (n_solutions,)
    weights = [np.zeros(front + s, dtype=dtype) for s in layer_shapes(layer_sizes, bias=bias)]
    for parameter in weights:
        if parameter.ndim == len(front) + 2:
            draw(rng, parameter)
    return weights


def pair_layers(weights: Sequence[FloatArray]) -> list[Layer]:
    """Group a network's parameters into layers, and check that they chain.

    Parameters
    ----------
    weights : sequence of ndarray
        Matrices, each optionally followed by its bias vector; with a leading axis for a
        population.

    Returns
    -------
    list of (matrix, bias or None)

    Raises
    ------
    ValueError
        If there is no matrix, the ranks are mixed, or the shapes do not chain.
    """
    weights = [np.asarray(W) for W in weights]
    if not weights or weights[0].ndim not in (2, 3):
        raise ValueError(
            "weights must be a non-empty list of 2-D matrices (one network) or of 3-D arrays "
            f"(a population), got {[np.shape(W) for W in weights]}."
        )
    rank = weights[0].ndim
    layers: list[Layer] = []
    for k, parameter in enumerate(weights):
        previous = layers[-1][0] if layers else parameter[..., :0]
        if parameter.ndim == rank:
            if layers and parameter.shape[-2] != previous.shape[-1]:
                raise _no_chain(weights, k, f"{previous.shape[-1]} rows")
            layers.append((parameter, None))
        elif layers and parameter.ndim == rank - 1 and layers[-1][1] is None:
            if parameter.shape[-1] != previous.shape[-1]:
                raise _no_chain(weights, k, f"a bias of {previous.shape[-1]}")
            layers[-1] = (previous, parameter)
        else:
            raise _no_chain(weights, k, f"a {rank}-D matrix or its bias")
        if rank == 3 and parameter.shape[0] != weights[0].shape[0]:
            raise _no_chain(weights, k, f"{weights[0].shape[0]} solutions")
    return layers


def _no_chain(weights: Sequence[FloatArray], k: int, expected: str) -> ValueError:
    shapes = [W.shape for W in weights]
    return ValueError(f"weights[{k}] must have {expected}, got shape {shapes[k]} in {shapes}.")


def forward(
    weights: Sequence[FloatArray],
    X: SamplesLike,
    *,
    activation: Activations = "relu",
    output_activation: AnyActivation = "identity",
) -> FloatArray:
    """Propagate samples through one network or through every network of a population.

    Parameters
    ----------
    weights : sequence of ndarray
        The parameters, see the module's description. Their number sets the depth.
    X : array-like, sparse matrix or path, of shape (n_samples, n_features)
        The samples; those on disk, see `open_samples`, are read in chunks where they are large.
    activation : str or callable, or a tuple of them, default="relu"
        Activation of the hidden layers: ``"relu"``, ``"sigmoid"``, ``"tanh"``, ``"identity"``,
        ``"softmax"``, ``"step"`` (0 or 1) or ``"sign"``, of which the last two have no useful
        gradient; or a function, see `ga_ann.parts.CustomActivation`. A tuple or a list has one
        for each hidden layer.
    output_activation : str or callable, default="identity"
        Activation of the last layer, as above; softmax turns the scores into probabilities.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs), or (n_solutions, n_samples, n_outputs)
        The outputs. Neither `weights` nor `X` is modified.

    Raises
    ------
    ValueError
        If the shapes do not chain, or an activation is unknown, fails, or is not one for each
        hidden layer.

    Examples
    --------
    >>> forward([np.array([[1.0], [-1.0]])], [[3.0, 1.0]])
    array([[2.]])
    >>> forward([np.eye(1), np.eye(1), np.eye(1)], [[4.0]], activation=(np.sqrt, "step"))
    array([[1.]])
    """
    layers = pair_layers(weights)
    activations = find_activations(activation, output_activation, len(layers))
    X = hold(X)
    if isinstance(X, StoredSamples):
        options: Any = {"activation": activation, "output_activation": output_activation}
        return X.map(lambda chunk: forward(weights, chunk, **options))
    A: Any = X if issparse(X) else np.asarray(X)
    if A.ndim != 2 or A.shape[1] != layers[0][0].shape[-2]:
        raise ValueError(f"X must have shape (n_samples, {layers[0][0].shape[-2]}), got {A.shape}.")
    for k, (W, b) in enumerate(layers):
        Z = _multiply_sparse(A, W) if issparse(A) else np.matmul(A, W)
        if not np.issubdtype(Z.dtype, np.floating):
            Z = Z.astype(np.float64)
        if b is not None:
            Z += b[..., None, :]
        activations[k](Z)
        A = Z
    outputs: FloatArray = A
    return outputs


def _multiply_sparse(A: Any, W: FloatArray) -> FloatArray:
    """Return the product with one matrix, or with each of a population's."""
    product: FloatArray = A @ W if W.ndim == 2 else np.stack([A @ one for one in W])
    return product


def predict(
    weights: Sequence[FloatArray],
    X: SamplesLike,
    *,
    activation: Activations = "relu",
    output_activation: AnyActivation = "identity",
) -> NDArray[np.intp]:
    """Return the class of each sample: the first index of the largest output.

    Parameters
    ----------
    weights, X, activation, output_activation
        As in `forward`.

    Returns
    -------
    ndarray of int, of shape (n_samples,) or (n_solutions, n_samples)

    Examples
    --------
    >>> predict([np.eye(3)], [[0.1, 0.7, 0.7]])
    array([1])
    """
    outputs = forward(weights, X, activation=activation, output_activation=output_activation)
    classes: NDArray[np.intp] = outputs.argmax(axis=-1)
    return classes


def to_predictions(outputs: FloatArray, classes: NDArray[Any] | None) -> NDArray[Any]:
    """Return what a network's outputs predict: labels or, in a regression, targets.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, n_outputs)
        What `forward` returned.
    classes : ndarray of shape (n_outputs,) or None
        The label that stands for each output; None for a regression.

    Returns
    -------
    ndarray of shape (n_samples,), or (n_samples, n_outputs)
        The label of the first of the largest outputs; or the outputs, 1-D where there is one.

    Examples
    --------
    >>> to_predictions(np.array([[0.1, 0.7, 0.7]]), np.array(["fig", "kiwi", "pear"]))
    array(['kiwi'], dtype='<U4')
    >>> to_predictions(np.array([[0.1], [0.7]]), None)
    array([0.1, 0.7])
    """
    if classes is None:
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs
    labels: NDArray[Any] = classes[outputs.argmax(axis=-1)]
    return labels


def to_probabilities(
    outputs: FloatArray, classes: NDArray[Any] | None, output_activation: AnyActivation
) -> FloatArray:
    """Return what a classifier's outputs say of the probability of each class.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, n_outputs)
        What `forward` returned.
    classes : ndarray of shape (n_outputs,) or None
        The label that stands for each output; None for a regression.
    output_activation : str or callable
        The activation that `outputs` have passed.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
        Their softmax; the outputs as they are, where that was their activation.

    Raises
    ------
    ValueError
        If there are no classes.

    Examples
    --------
    >>> to_probabilities(np.array([[0.0, 0.0]]), np.array(["fig", "kiwi"]), "identity")
    array([[0.5, 0.5]])
    """
    if classes is None:
        raise ValueError("a regression has no classes and no probabilities of them; use predict.")
    if output_activation == "softmax":
        return outputs
    probabilities: FloatArray = softmax(outputs, axis=-1)
    return probabilities
