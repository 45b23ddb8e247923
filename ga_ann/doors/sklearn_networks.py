"""scikit-learn's multi-layer perceptrons: their weights in a `Model`, and a `Model`'s in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted

from ga_ann.doors.refusals import layer_activations, refuse_columns
from ga_ann.network import Layer, pair_layers
from ga_ann.storage import Model

__all__ = ["as_model", "from_sklearn", "to_sklearn"]

HIDDEN = {
    "identity": "identity",
    "logistic": "logistic",
    "relu": "relu",
    "sigmoid": "logistic",
    "tanh": "tanh",
}
"""The activations of hidden layers that scikit-learn has too, and what they are called there."""


def from_sklearn(network: MLPClassifier | MLPRegressor) -> Model:
    """Return the network of a fitted `MLPClassifier` or `MLPRegressor`.

    Of two classes scikit-learn has one logistic output. Here they are two outputs of half its
    weights and opposite signs, whose softmax are the same probabilities.

    Parameters
    ----------
    network : MLPClassifier or MLPRegressor
        A fitted one. It does not change, and shares nothing with what is returned.

    Returns
    -------
    Model
        It predicts what `network` does, and the same probabilities.

    Raises
    ------
    TypeError
        If `network` is something else, or its labels are no text, numbers or booleans.
    NotFittedError
        If it has not been fitted.
    ValueError
        If it has several labels a sample, or an activation that there is none of here.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> trained = MLPClassifier((5,), solver="lbfgs", max_iter=1000, random_state=0).fit(X, y)
    >>> model = from_sklearn(trained)
    >>> model
    Model(4-5-3 with biases, 3 classes)
    >>> bool((model.predict(X) == trained.predict(X)).all())
    True
    """
    if not isinstance(network, MLPClassifier | MLPRegressor):
        raise TypeError(
            "network must be a fitted MLPClassifier or MLPRegressor, got "
            f"{type(network).__name__}; of a pipeline, give its last step."
        )
    check_is_fitted(network)
    layers: list[Any] = list(zip(network.coefs_, network.intercepts_, strict=True))
    output, classes = network.out_activation_, None
    if isinstance(network, MLPClassifier):
        classes = np.array(np.asarray(network.classes_).tolist())
        if output == "logistic" and network.n_outputs_ == 1:
            W, b = (np.stack([-part[..., 0], part[..., 0]], -1) / 2 for part in layers[-1])
            layers[-1] = W, b
            output = "softmax"
    if output != ("identity" if classes is None else "softmax"):
        raise ValueError(
            "network must have outputs that are targets, or probabilities of which one class is "
            f"the label; got out_activation_={output!r} for {network.n_outputs_} outputs."
        )
    names = getattr(network, "feature_names_in_", None)
    return Model(
        [np.array(parameter) for layer in layers for parameter in layer],
        network.activation,
        output,
        classes,
        feature_names=None if names is None else names.astype(np.str_),
    )


def to_sklearn(network: Any) -> MLPClassifier | MLPRegressor:
    """Return a fitted `MLPClassifier` or `MLPRegressor` with the network's weights.

    It can be trained further by gradients, with ``warm_start=True`` or `partial_fit`.

    Parameters
    ----------
    network : Model, TrainingResult or estimator
        A model, what training returned, or a fitted estimator of this package.

    Returns
    -------
    MLPClassifier or MLPRegressor
        It predicts what `network` does, and the same probabilities. Of two outputs it has the
        difference, and no biases are zeros.

    Raises
    ------
    TypeError
        If `network` is none of the above.
    ValueError
        If scikit-learn has no such network: activations that differ from layer to layer or that it
        does not have, or a table's columns or pictures that come before the network.

    Examples
    --------
    >>> model = Model([np.eye(2)], "relu", "identity", np.array(["apple", "mango"]))
    >>> to_sklearn(model).predict([[0.0, 1.0]])
    array(['mango'], dtype='<U5')
    """
    model = as_model(network)
    refuse_columns(model, "scikit-learn's networks")
    layers = pair_layers(model.weights)
    activation = _hidden_activation(model)
    kind: Any = MLPRegressor if model.classes is None else MLPClassifier
    if model.output_activation not in ("identity", "softmax")[: 1 + (kind is MLPClassifier)]:
        raise ValueError(
            f"{kind.__name__} has no output_activation={model.output_activation!r}: it must be "
            "'identity' or, of classes, 'softmax'."
        )
    if model.classes is not None:
        layers[-1] = _sorted_outputs(layers[-1], model.classes)
    hidden = tuple(W.shape[1] for W, _ in layers[:-1])
    # With a seed, so that the weights that are drawn first do not come from NumPy's own generator.
    made = kind(hidden_layer_sizes=hidden, activation=activation, random_state=0)
    fitted = _fit_to_nothing(made, model, layers).set_params(random_state=None)
    for (W, b), coef, intercept in zip(layers, fitted.coefs_, fitted.intercepts_, strict=True):
        coef[...] = W
        intercept[...] = 0.0 if b is None else b
    return fitted


def as_model(network: Any) -> Model:
    """Return the network of whatever holds one.

    Parameters
    ----------
    network : Model, TrainingResult, estimator, MLPClassifier or MLPRegressor
        A model, what training returned, or a fitted estimator, of this package or scikit-learn's.

    Raises
    ------
    TypeError
        If it is none of them.
    NotFittedError, ValueError
        As in `from_sklearn`.
    """
    if isinstance(network, Model):
        return network
    if isinstance(network, MLPClassifier | MLPRegressor):
        return from_sklearn(network)
    if isinstance(network, type) or not hasattr(network, "to_model"):
        raise TypeError(
            "the network must be a Model, what training returned, or a fitted estimator of this "
            f"package or scikit-learn's MLPClassifier or MLPRegressor, got {network!r}."
        )
    model: Model = network.to_model()
    return model


def _hidden_activation(model: Model) -> str:
    names = layer_activations(model)[:-1]
    known = {HIDDEN.get(name) if isinstance(name, str) else None for name in names}
    if not names:
        return "relu"
    if len(known) != 1 or None in known:
        raise ValueError(
            f"scikit-learn has one activation for all hidden layers, one of {sorted(HIDDEN)}, got "
            f"{model.activation!r}."
        )
    return str(known.pop())


def _sorted_outputs(layer: Layer, classes: NDArray[Any]) -> Layer:
    """Return the outputs in the order of their labels; of two, the one that stands for both."""
    known, order = np.unique(classes, return_index=True)
    if not 2 <= len(known) == len(classes):
        raise ValueError(
            "MLPClassifier has a network for two or more different classes, got "
            f"{classes.tolist()}."
        )
    W, b = (None if part is None else part[..., order] for part in layer)
    if len(known) == 2:  # its logistic is their softmax
        W, b = (
            None if part is None else np.subtract(part[..., 1:], part[..., :1], dtype=np.float64)
            for part in (W, b)
        )
    return W, b  # type: ignore[return-value]


def _fit_to_nothing(network: Any, model: Model, layers: list[Layer]) -> Any:
    """Return a fitted network of these sizes: scikit-learn makes all that belongs to one itself."""
    n_inputs, n_outputs = layers[0][0].shape[0], layers[-1][0].shape[1]
    n_samples = 1 if model.classes is None else len(model.classes)
    X: Any = np.zeros((n_samples, n_inputs))
    if model.feature_names is not None:
        X = pd.DataFrame(X, columns=model.feature_names)
    if model.classes is not None:
        return network.partial_fit(X, model.classes, classes=model.classes)
    targets: NDArray[Any] = np.zeros((1, n_outputs))
    return network.partial_fit(X, targets[:, 0] if n_outputs == 1 else targets)
