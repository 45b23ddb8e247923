"""The naive training of the Fruits-360 tutorial: the baseline that any optimiser has to beat."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ga_ann.counter import Counter
from ga_ann.ctrl_c import is_one_of_many
from ga_ann.history import History
from ga_ann.network import (
    Activations,
    AnyActivation,
    Layer,
    find_activations,
    init_weights,
    pair_layers,
    predict,
)
from ga_ann.parts import check_activation, marked
from ga_ann.result import TrainingResult
from ga_ann.validation import (
    check_feature_names,
    check_held_out,
    check_hidden_layer_sizes,
    check_in_memory,
    check_number,
    check_training,
    feature_names_of,
)

__all__ = ["train_naive"]

TUTORIAL_RATE = 0.001
"""The rate that the tutorial's update uses, whatever rate its caller asks for."""

BLOCK_SIZE = 256
"""Samples that are propagated together: enough for BLAS, few enough to stay in cache."""

SMALLEST_FACTOR = 1e-200
"""Scores scaled by less than this may underflow, which changes the predictions."""

Floats = NDArray[np.float64]


def train_naive(
    X: ArrayLike,
    y: ArrayLike,
    *,
    hidden_layer_sizes: int | Sequence[int] = (150, 60),
    activation: Activations = "relu",
    learning_rate: float | None = None,
    n_iterations: int = 10,
    initial_weights: Sequence[ArrayLike] | None = None,
    recipe: str | None = "tutorial",
    validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    random_state: int | np.random.Generator | None = None,
    verbose: bool = False,
) -> TrainingResult:
    """Train a classifier by shrinking all its weights at each wrong prediction.

    In each iteration the samples are predicted one after another, and each wrong prediction turns
    *every* weight ``w`` into ``w - learning_rate * w``. Neither the sample nor its label enters
    this update: it multiplies all weights by one positive number. See the notes for why that
    cannot work.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Training samples; finite numbers, used as float64.
    y : array-like of shape (n_samples,)
        Their labels: integers, strings or booleans of at least two classes.
    hidden_layer_sizes : int or sequence of int, default=(150, 60)
        Sizes of the hidden layers. Not used where `initial_weights` are given.
    activation : str or callable, or a tuple of them, default="relu"
        Activation of the hidden layers, see `forward`; one for each of them needs ``recipe=None``.
    learning_rate : float, optional
        Strength of the update, between 0 and 1 (both excluded); 0.001 unless given. The tutorial
        ignores the rate that it is called with, so any other rate needs ``recipe=None``.
    n_iterations : int, default=10
        Passes over the training samples, at least 0.
    initial_weights : sequence of array-like, optional
        Parameters of one network to start from: matrices of shape ``(n_in, n_out)``, each
        optionally followed by its bias; they are copied to float64. Unless given, matrices
        without biases are drawn from U(-0.1, 0.1).
    recipe : {"tutorial", None}, default="tutorial"
        ``"tutorial"`` predicts as the tutorial does: the output layer has no activation while
        training, and the hidden layers' activation afterwards. With ReLU, negative scores then
        tie at 0 and the first class wins. None leaves the output layer without activation
        throughout, and honours `learning_rate`.
    validation_data : tuple of (X_val, y_val), optional
        Samples and labels, shaped as `X` and `y`, to measure each iteration on. Every label must
        occur in `y`.
    random_state : int, numpy.random.Generator or None, default=None
        Seed, or source, of the initial weights; None draws other weights at each call.
    verbose : bool, default=False
        Whether to show the iterations that are done, and the accuracy.

    Returns
    -------
    TrainingResult
        The weights (float64) after the last iteration, and a `History` with a row for the initial
        weights and one an iteration. ``best_fitness`` is the accuracy of the iteration's weights
        on all training samples; an iteration counts as one evaluation. ``stop_reason`` is
        ``"n_iterations"``, or ``"interrupted"`` where Ctrl-C ended training early; the weights
        are then those of the last whole iteration.

    Raises
    ------
    ValueError
        If the data are empty, of different lengths, not finite or of one class only; if
        `validation_data` do not fit them; if
        `initial_weights` do not chain or do not fit the data; if `activation` or `recipe` is
        unknown, or a number is out of range.
    TypeError
        If a number is of the wrong type.

    Notes
    -----
    Because the update multiplies all weights by one number, the weights after ``k`` wrong
    predictions are ``(1 - learning_rate)**k`` times the initial ones. A ReLU network without
    biases is positively homogeneous: scaling its weights by a positive number scales its outputs
    by another, and leaves their order as it was. Its predictions therefore never change, and
    training returns the accuracy of the random initial weights. A sigmoid network drifts toward
    one whose outputs do not depend on its input.

    Examples
    --------
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["lemon", "apple", "mango"]
    >>> result = train_naive(X, y, hidden_layer_sizes=(5,), random_state=0)
    >>> [W.shape for W in result.weights]
    [(2, 5), (5, 3)]
    >>> bool(np.ptp(result.history["best_fitness"]) == 0)
    True
    """
    started = time.perf_counter()
    rate = _check_rate(recipe, learning_rate)
    check_number(n_iterations, "n_iterations", Integral, low=0)
    hidden = check_hidden_layer_sizes(hidden_layer_sizes)
    X_train, codes, classes = check_training(X, y)
    check_in_memory(X_train, "train_naive")
    X_train = X_train.astype(np.float64)
    validation = None
    if validation_data is not None:
        validation = check_held_out(validation_data, X_train.shape[1], classes)
        check_feature_names(validation_data[0], feature_names_of(X), "X of validation_data")
    if initial_weights is None:
        sizes = [X_train.shape[1], *hidden, len(classes)]
        rng = np.random.default_rng(random_state)
        initial = init_weights(rng, sizes, init="tutorial", dtype=np.float64)
    else:
        initial = _check_weights(initial_weights, X_train.shape[1], len(classes))
    output_activation = _check_activations(activation, recipe, len(pair_layers(initial)))
    history = History(
        label="naive training",
        metric="accuracy",
        settings={
            "hidden_layer_sizes": [W.shape[1] for W, _ in pair_layers(initial)[:-1]],
            "activation": marked(activation),
            "output_activation": marked(output_activation),
            "learning_rate": rate,
            "n_iterations": int(n_iterations),
            "recipe": recipe,
            "random_state": int(random_state) if isinstance(random_state, Integral) else None,
        },
    )

    def accuracy(weights: list[Floats], X: Floats, codes: NDArray[np.intp]) -> float:
        found = _predict(weights, X, activation, output_activation)
        return float((found == codes).mean())

    weights, stop_reason = initial, "n_iterations"
    iterates = _iterate(initial, X_train, codes, activation, 1 - rate, n_iterations)
    counter = Counter(n_iterations, "naive training", "iterations", verbose=verbose, stays=True)
    with counter:
        try:
            for iteration, shrunk in enumerate(iterates):
                fitness = accuracy(shrunk, X_train, codes)
                history.append(
                    generation=iteration,
                    evaluations=iteration + 1,
                    best_fitness=fitness,
                    mean_fitness=fitness,
                    validation_score=accuracy(shrunk, *validation) if validation else float("nan"),
                    n_samples=X_train.shape[0],
                    n_invalid=0,
                    seconds=time.perf_counter() - started,
                )
                weights = shrunk
                counter.move(iteration, f"accuracy {fitness:.4f}")
        except KeyboardInterrupt:
            if not len(history) or is_one_of_many():
                raise
            stop_reason = "interrupted"
    return TrainingResult(
        weights=weights,
        history=history,
        best_fitness=history.last["best_fitness"],
        classes=classes,
        activation=activation,
        output_activation=output_activation,
        stop_reason=stop_reason,
        feature_names=feature_names_of(X),
    )


def _check_activations(activation: Activations, recipe: str | None, n_layers: int) -> AnyActivation:
    """Return the activation of the outputs."""
    find_activations(activation, "identity", n_layers)
    for one in activation if isinstance(activation, tuple | list) else (activation,):
        if callable(one):
            check_activation(one)
    if recipe is None:
        return "identity"
    if isinstance(activation, str) or callable(activation):
        return activation
    raise ValueError(
        "recipe='tutorial' gives the outputs the activation of the hidden layers, and needs a "
        f"single one; pass recipe=None with one for each layer, got {activation!r}."
    )


def _check_rate(recipe: str | None, learning_rate: float | None) -> float:
    if recipe not in ("tutorial", None):
        raise ValueError(f"recipe must be 'tutorial' or None, got {recipe!r}.")
    if learning_rate is None:
        return TUTORIAL_RATE
    check_number(learning_rate, "learning_rate", Real)
    if not 0 < learning_rate < 1:
        raise ValueError(f"learning_rate must be between 0 and 1, got {learning_rate}.")
    if recipe == "tutorial" and learning_rate != TUTORIAL_RATE:
        raise ValueError(
            f"recipe='tutorial' always updates with a learning rate of {TUTORIAL_RATE}; "
            f"pass recipe=None to use learning_rate={learning_rate}."
        )
    return float(learning_rate)


def _check_weights(
    initial_weights: Sequence[ArrayLike], n_features: int, n_classes: int
) -> list[Floats]:
    weights = [np.array(W, dtype=np.float64) for W in initial_weights]
    layers = pair_layers(weights)
    n_in, n_out = layers[0][0].shape[-2], layers[-1][0].shape[-1]
    if weights[0].ndim != 2 or (n_in, n_out) != (n_features, n_classes):
        raise ValueError(
            f"initial_weights must be one network from {n_features} features to {n_classes} "
            f"classes, got shapes {[W.shape for W in weights]}."
        )
    if not all(np.isfinite(W).all() for W in weights):
        raise ValueError("initial_weights must be finite, got NaN or infinity.")
    return weights


def _iterate(
    initial: list[Floats],
    X: Floats,
    codes: NDArray[np.intp],
    activation: Activations,
    shrinkage: float,
    n_iterations: int,
) -> Iterator[list[Floats]]:
    """Yield the initial weights, then those after each iteration."""
    layers = pair_layers(initial)
    smallest = shrinkage ** (n_iterations * X.shape[0] * len(layers))
    constant = (
        activation in ("relu", "identity")
        and all(b is None for _, b in layers)
        and smallest > SMALLEST_FACTOR
    )
    yield initial
    n_updates, wrong = 0, np.zeros(X.shape[0], dtype=bool)
    for iteration in range(n_iterations):
        if iteration == 0 or not constant:
            wrong = _find_wrong(layers, X, codes, wrong, activation, shrinkage, n_updates)
        n_updates += int(wrong.sum())
        yield [W * shrinkage**n_updates for W in initial]


def _blocks(n_samples: int) -> Iterator[slice]:
    return (slice(k, k + BLOCK_SIZE) for k in range(0, n_samples, BLOCK_SIZE))


def _predict(
    weights: list[Floats], X: Floats, hidden: Activations, output: AnyActivation
) -> NDArray[np.intp]:
    found = [
        predict(weights, X[block], activation=hidden, output_activation=output)
        for block in _blocks(X.shape[0])
    ]
    return np.concatenate(found)


def _find_wrong(
    layers: list[Layer],
    X: Floats,
    codes: NDArray[np.intp],
    guess: NDArray[np.bool_],
    activation: Activations,
    shrinkage: float,
    n_updates: int,
) -> NDArray[np.bool_]:
    """Pass over the samples one after another, and tell which are predicted wrongly.

    A sample meets weights that each wrong prediction before it has multiplied by `shrinkage`.
    To propagate many samples at once, guess which are wrong, predict each with the weights that
    it would then meet, and take the outcome as the next guess. A guess that holds up to some
    sample is right for the next one too, so this ends, and ends at what the loop over single
    samples finds. Few guesses are needed, since a little shrinkage changes few predictions.
    """
    wrong = guess.copy()
    for block in _blocks(X.shape[0]):
        settled = False
        while not settled:
            n_before = n_updates + wrong[block].cumsum() - wrong[block]
            scores = _shrunk_scores(layers, X[block], activation, shrinkage**n_before)
            found = scores.argmax(axis=1) != codes[block]
            settled = np.array_equal(found, wrong[block])
            wrong[block] = found
        n_updates += int(wrong[block].sum())
    return wrong


def _shrunk_scores(
    layers: list[Layer], X: Floats, activation: Activations, factors: Floats
) -> Floats:
    """Propagate each sample through the network with all parameters times its own factor."""
    activations, A = find_activations(activation, "identity", len(layers)), X
    for k, (W, b) in enumerate(layers):
        Z: Floats = A @ W
        if b is not None:
            Z += b
        Z *= factors[:, None]
        activations[k](Z)
        A = Z
    return A
