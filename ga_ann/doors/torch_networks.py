"""PyTorch's networks: an `nn.Sequential` of linear layers in a `Model`, and back.

PyTorch is imported when a door is used. Modules go in and come out, never files of theirs, which
are pickles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.doors.refusals import named_activations, refuse_columns
from ga_ann.doors.sklearn_networks import as_model
from ga_ann.network import lookup, pair_layers
from ga_ann.storage import Model

if TYPE_CHECKING:
    from torch.nn import Sequential

__all__ = ["from_torch", "to_torch"]

MODULES = {
    "identity": "Identity",
    "logistic": "Sigmoid",
    "relu": "ReLU",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
    "tanh": "Tanh",
}
"""The activations that PyTorch has modules of, and what these are called."""

NAMES = {theirs: ours for ours, theirs in MODULES.items()}


def from_torch(network: Sequential, *, task: str = "classification") -> Model:
    """Return the network of PyTorch's `nn.Sequential`, with its weights.

    Parameters
    ----------
    network : torch.nn.Sequential
        `Linear` layers, with or without biases, each followed by at most one of `ReLU`, `Sigmoid`,
        `Tanh`, `Softmax` over the last axis, and `Identity`. It does not change, and shares nothing
        with what is returned.
    task : {"classification", "regression"}, default="classification"
        What the outputs are: scores of the classes 0, 1, ..., or targets. For other labels, give
        ``dataclasses.replace(model, classes=labels)``.

    Returns
    -------
    Model
        Its `predict_scores` are the outputs of `network`, its weights are of the same precision.

    Raises
    ------
    ImportError
        If PyTorch is not installed; ``pip install 'ga-ann[gpu]'`` brings it.
    TypeError
        If `network` is no `Sequential`.
    ValueError
        If it has another module, or one that does more than its own (a hook), if the weights are
        not finite or of another precision than float32 or float64, if there is one output for two
        classes, or `task` is unknown.

    Examples
    --------
    >>> from torch import nn  # doctest: +SKIP
    >>> from_torch(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)))  # doctest: +SKIP
    Model(4-5-3 with biases, 3 classes)
    """
    is_regression = lookup({"classification": False, "regression": True}, task, "task")
    nn = _import_nn("from_torch")
    if type(network) is not nn.Sequential:
        raise TypeError(f"network must be a torch.nn.Sequential, got {type(network).__name__}.")
    weights: list[NDArray[Any]] = []
    activations: list[str] = []
    may_activate = False
    _refuse_hooks("the network", network)
    for place, module in enumerate(network):
        what = f"network[{place}], {module}"
        _refuse_hooks(what, module)
        if type(module) is nn.Linear:
            weights += _parameters(what, module)
            activations.append("identity")
            may_activate = True
        elif may_activate:
            activations[-1] = _activation(nn, what, module)
            may_activate = False
        else:
            raise ValueError(_refusal(what) + "; an activation stands behind its Linear.")
    if not weights:
        raise ValueError("network must have a Linear, got none.")
    n_outputs = weights[-1].shape[-1]
    if n_outputs == 1 and not is_regression:
        raise ValueError(
            "a classification has an output for each class, and the network has one: make two of "
            "it, or give task='regression' for a target."
        )
    classes = None if is_regression else np.arange(n_outputs)
    *hidden, output = activations
    return Model(weights, tuple(hidden), output, classes)


def to_torch(network: Any) -> Sequential:
    """Return PyTorch's `nn.Sequential` with a network's weights.

    Parameters
    ----------
    network : Model, TrainingResult, estimator, MLPClassifier or MLPRegressor
        A model, what training returned, or a fitted estimator, of this package or scikit-learn's.

    Returns
    -------
    torch.nn.Sequential
        On the CPU, in float32, or in float64 where the weights are. Its outputs are the network's:
        of classes mostly scores, as `CrossEntropyLoss` takes them, with the largest for the class.
        It can be trained, and shares nothing with `network`.

    Raises
    ------
    ImportError
        If PyTorch is not installed; ``pip install 'ga-ann[gpu]'`` brings it.
    TypeError
        If `network` is none of the above.
    ValueError
        If PyTorch has no such network: an activation that it has no module of, or a table's columns
        or pictures that come before the network.

    Examples
    --------
    >>> to_torch(Model([np.eye(2)] * 2, "relu", "softmax", None))  # doctest: +SKIP
    Sequential(
      (0): Linear(in_features=2, out_features=2, bias=False)
      (1): ReLU()
      (2): Linear(in_features=2, out_features=2, bias=False)
      (3): Softmax(dim=-1)
    )
    """
    model = as_model(network)
    refuse_columns(model, "PyTorch's networks")
    activations = named_activations(model, MODULES, "PyTorch")
    nn = _import_nn("to_torch")
    is_single = all(W.dtype.itemsize <= 4 for W in model.weights)
    modules = []
    for (W, b), activation in zip(pair_layers(model.weights), activations, strict=True):
        # On the device "meta" no weights are drawn, which would take from PyTorch's generator.
        linear = nn.Linear(*W.shape, bias=b is not None, device="meta")
        for name, values in (("weight", W.T), ("bias", b)):
            if values is not None:
                held = np.array(values, np.float32 if is_single else np.float64, order="C")
                setattr(linear, name, nn.Parameter(_from_numpy(held)))
        modules.append(linear)
        if activation != "identity":
            options = {"dim": -1} if activation == "softmax" else {}
            modules.append(getattr(nn, MODULES[activation])(**options))
    made: Sequential = nn.Sequential(*modules)
    return made


def _import_nn(who: str) -> Any:
    try:
        from torch import nn
    except ImportError as error:
        raise ImportError(f"{who} needs PyTorch: pip install 'ga-ann[gpu]'.") from error
    return nn


def _from_numpy(values: NDArray[Any]) -> Any:
    import torch

    return torch.from_numpy(values)


def _refusal(what: str) -> str:
    return (
        f"{what} is none of what a network has here: Linear, each followed by at most one of "
        f"{', '.join(sorted(NAMES))}"
    )


def _refuse_hooks(what: str, module: Any) -> None:
    """Refuse what computes more than its kind: pruning and weight norms are hooks, too."""
    if module._forward_hooks or module._forward_pre_hooks:
        raise ValueError(f"{what} has hooks, which a network has not here; remove them.")


def _activation(nn: Any, what: str, module: Any) -> str:
    """Return the activation that a module computes."""
    name = type(module).__name__
    if name not in NAMES or type(module) is not getattr(nn, name):
        raise ValueError(_refusal(what) + "; leave out what only training takes, as Dropout.")
    if name == "Softmax" and module.dim not in (-1, 1):
        raise ValueError(f"{what} must be over the outputs, dim=-1.")
    return NAMES[name]


def _parameters(what: str, linear: Any) -> list[NDArray[Any]]:
    """Return copies of the matrix and, if there are any, the biases."""
    held = [linear.weight.T] if linear.bias is None else [linear.weight.T, linear.bias]
    if wrong := [
        str(p.dtype) for p in held if str(p.dtype) not in ("torch.float32", "torch.float64")
    ]:
        raise ValueError(f"{what} must be of float32 or float64, got {wrong[0]}; use .float().")
    return [np.array(parameter.numpy(force=True), order="C") for parameter in held]
