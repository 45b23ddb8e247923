"""PyGAD's networks: the weights of `pygad.nn` and `pygad.gann` in a `Model`, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pygad.nn
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ga_ann.doors.refusals import layer_activations, refuse_columns
from ga_ann.doors.sklearn_networks import as_model
from ga_ann.network import lookup, pair_layers
from ga_ann.storage import Model

__all__ = ["from_pygad", "pygad_softmax", "to_pygad"]

MOST_LAYERS = 1000
"""Layers of a network at most, lest one that leads back to itself is followed for ever."""


def pygad_softmax(Z: NDArray[Any], axis: int = -1) -> NDArray[Any]:
    """Divide by the sum, as PyGAD's softmax does; it takes no exponentials.

    Parameters
    ----------
    Z : ndarray
        The sums of a layer.
    axis : int, default=-1
        The axis of the neurons.

    Examples
    --------
    >>> pygad_softmax(np.array([1.0, 3.0])).round(3)
    array([0.25, 0.75])
    """
    shares: NDArray[Any] = Z / (Z.sum(axis=axis, keepdims=True) + Z.dtype.type(1e-6))
    return shares


FROM_PYGAD: dict[str, Any] = {
    "None": "identity",
    "relu": "relu",
    "sigmoid": "sigmoid",
    "softmax": pygad_softmax,
}
"""PyGAD's activations by the names that it has for them."""

TO_PYGAD: dict[Any, str] = {
    "identity": "None",
    "logistic": "sigmoid",
    **{ours: theirs for theirs, ours in FROM_PYGAD.items() if theirs != "None"},
}
"""What PyGAD calls activations that it has, too."""


def from_pygad(last_layer: Any, *, task: str = "classification") -> Model:
    """Return the network that ends in a layer of `pygad.nn`, with its trained weights.

    Of a population, ``gann.population_networks[k]`` is the last layer of a network.

    Parameters
    ----------
    last_layer : pygad.nn.DenseLayer
        The last layer. It does not change, and shares nothing with what is returned.
    task : {"classification", "regression"}, default="classification"
        What the outputs are: scores of the classes 0, 1, ..., or targets.

    Returns
    -------
    Model
        It predicts what `pygad.nn.predict` does. An activation that PyGAD calls softmax is
        `pygad_softmax`, and to load such a model takes ``activations={"pygad_softmax":
        pygad_softmax}``.

    Raises
    ------
    TypeError
        If `last_layer` is something else.
    ValueError
        If the weights do not chain or are not finite, or `task` is unknown.

    Examples
    --------
    >>> layer = pygad.nn.DenseLayer(3, pygad.nn.InputLayer(2), "softmax")
    >>> from_pygad(layer)
    Model(2-3, 3 classes)
    """
    is_regression = lookup({"classification": False, "regression": True}, task, "task")
    layers: list[Any] = []
    layer = last_layer
    while isinstance(layer, pygad.nn.DenseLayer) and len(layers) < MOST_LAYERS:
        layers.insert(0, layer)
        layer = layer.previous_layer
    if not layers or not isinstance(layer, pygad.nn.InputLayer):
        raise TypeError(
            "last_layer must be a pygad.nn.DenseLayer behind others and an InputLayer, such as "
            f"gann.population_networks[0], got {type(last_layer).__name__}."
        )
    weights = [np.array(one.trained_weights, dtype=np.float64) for one in layers]
    *hidden, output = [
        lookup(FROM_PYGAD, str(one.activation_function), "activation_function") for one in layers
    ]
    n_outputs = weights[-1].shape[-1]
    classes = None if is_regression else np.arange(n_outputs)
    return Model(weights, tuple(hidden), output, classes)


def to_pygad(network: Any) -> Any:
    """Return the last layer of a network of `pygad.nn` with the network's weights.

    Parameters
    ----------
    network : Model, TrainingResult, estimator, MLPClassifier or MLPRegressor
        A model, what training returned, or a fitted estimator, of this package or scikit-learn's.

    Returns
    -------
    pygad.nn.DenseLayer
        The last layer. `pygad.nn.predict` gives the places of the labels that `network` predicts,
        or its targets, and `pygad.nn.layers_weights` the matrices.

    Raises
    ------
    TypeError
        If `network` is none of the above.
    ValueError
        If PyGAD has no such network: biases that are not 0, an activation that it does not have, or
        a table's columns or pictures that come before the network.

    Examples
    --------
    >>> model = Model([np.eye(2)], "relu", "identity", np.array(["apple", "mango"]))
    >>> int(pygad.nn.predict(to_pygad(model), np.array([[0.0, 1.0]]))[0])
    1
    """
    model = as_model(network)
    refuse_columns(model, "PyGAD's networks")
    layers = pair_layers(model.weights)
    if any(bias is not None and bias.any() for _, bias in layers):
        raise ValueError(
            "PyGAD's networks have no biases, and this one has; train one with bias=False."
        )
    shared = check_random_state(None)  # PyGAD draws weights from there, of which none is kept
    before = shared.get_state()
    last: Any = pygad.nn.InputLayer(layers[0][0].shape[0])
    for (W, _), activation in zip(layers, _names(model), strict=True):
        last = pygad.nn.DenseLayer(W.shape[1], last, activation)
        last.initial_weights, last.trained_weights = W.astype(np.float64), W.astype(np.float64)
    shared.set_state(before)
    return last


def _names(model: Model) -> list[str]:
    """Return PyGAD's names of the activations."""
    *hidden, output = layer_activations(model)
    if output == "softmax" and model.classes is not None:
        output = "identity"  # PyGAD's is another one, and the largest output is the same
    if unknown := [one for one in [*hidden, output] if one not in TO_PYGAD]:
        raise ValueError(
            f"PyGAD has the activations {[one for one in TO_PYGAD if isinstance(one, str)]}, got "
            f"{unknown[0]!r}."
        )
    return [TO_PYGAD[one] for one in [*hidden, output]]
