"""What training leaves, and its files: the model, which is all that new data need; the history."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ga_ann.history import COLUMNS, History, find_history
from ga_ann.network import (
    Activations,
    AnyActivation,
    describe_shapes,
    find_activations,
    forward,
    pair_layers,
    to_predictions,
    to_probabilities,
)
from ga_ann.out_of_core import SamplesLike, StoredSamples, hold
from ga_ann.preprocessing import Preprocessing
from ga_ann.storage.activations import pack_activations, unpack_activations
from ga_ann.storage.archive import entry, member, read_archive, write_archive
from ga_ann.storage.files import named_errors
from ga_ann.validation import check_feature_names, check_samples

__all__ = [
    "Model",
    "load",
    "load_history",
    "load_model",
    "pack_history",
    "save_history",
    "save_model",
    "unpack_history",
]

ACTIVATIONS_OF_1 = ("identity", "relu", "sigmoid", "sign", "softmax", "step", "tanh")
"""The activations that version 1 of the format has, one for all hidden layers."""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained network with what it takes to use it on new data.

    Parameters
    ----------
    weights : list of ndarray
        The network's parameters, of a floating type: matrices ``(n_in, n_out)``, each optionally
        followed by its bias vector ``(n_out,)``.
    activation : str or callable, or a tuple of them
        Activation of the hidden layers, or of each of them, see `forward`.
    output_activation : str or callable
        Activation of the last layer.
    classes : ndarray of shape (n_outputs,) or None
        The label that stands for each output: integers, floats, booleans or strings; None for a
        regression.
    columns : ndarray, optional
        The input columns that the network takes: a boolean mask of shape (n_features,), or the
        indices of the columns in the network's order. None, the default, takes all of them.
    extraction : dict, optional
        How the features were computed from pictures, such as
        ``{"bins": 360, "hue_range": None}``; None, the default, where there were no pictures.
    settings : dict, default={}
        What the training was started with: names to strings, numbers, booleans, None, or lists of
        them.
    preprocessing : Preprocessing, optional
        How the columns of a table become features, of which `columns` are kept; None, the default,
        where the samples are the features.
    feature_names : ndarray of str, of shape (n_features,), optional
        The names of the samples' columns: a DataFrame with others, or in another order, is refused.
        None, the default, where they have none; a `preprocessing` has names of its own.

    Raises
    ------
    TypeError
        If a parameter is not of the type above.
    ValueError
        If the weights do not chain or are not finite, an activation is unknown, or `classes`,
        `columns` or `feature_names` do not fit the network.

    Examples
    --------
    >>> model = Model(
    ...     [np.eye(2)], "relu", "identity", np.array(["apple", "mango"]),
    ...     columns=np.array([True, False, True]),
    ... )
    >>> model.predict([[0.1, 9.0, 0.7], [0.5, 9.0, 0.2]])
    array(['mango', 'apple'], dtype='<U5')
    """

    weights: list[NDArray[Any]]
    activation: Activations
    output_activation: AnyActivation
    classes: NDArray[Any] | None
    columns: NDArray[Any] | None = None
    extraction: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    preprocessing: Preprocessing | None = None
    feature_names: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        n_inputs, n_outputs = _check_weights(self.weights)
        n_layers = len(pair_layers(self.weights))
        find_activations(self.activation, self.output_activation, n_layers)
        if self.classes is not None:
            _check_classes(self.classes, n_outputs)
        if self.columns is not None:
            _check_columns(self.columns, n_inputs)
        if self.preprocessing is not None:
            _check_preprocessing(self.preprocessing, self.columns, n_inputs)
        if self.feature_names is not None:
            _check_feature_names(self)
        if not isinstance(self.extraction, dict | None):
            raise TypeError(f"extraction must be a dict or None, got {self.extraction!r}.")
        if not isinstance(self.settings, dict):
            raise TypeError(f"settings must be a dict, got {self.settings!r}.")

    def __repr__(self) -> str:
        kind = "a regression" if self.classes is None else f"{len(self.classes)} classes"
        return f"Model({describe_shapes([W.shape for W in self.weights])}, {kind})"

    def predict_scores(self, X: SamplesLike) -> NDArray[Any]:
        """Return the network's outputs.

        Parameters
        ----------
        X : array-like, sparse matrix or path, of shape (n_samples, n_features)
            The samples, with all the original columns: `preprocessing` and `columns` are applied
            here. Finite numbers, or with a `preprocessing` what that takes: a DataFrame's columns
            are then matched by their names. Large samples on disk, see `open_samples`, are read in
            chunks.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)

        Raises
        ------
        ValueError
            If `X` is not a table of finite numbers, or its number of columns is not that of the
            training data. (Where `columns` are indices, it may have any columns behind them.) If
            its columns have other names than `feature_names`, or another order.
        """
        X = hold(X)
        if isinstance(X, StoredSamples):
            return X.map(self.predict_scores)
        return forward(
            self.weights,
            self._select_columns(X),
            activation=self.activation,
            output_activation=self.output_activation,
        )

    def predict(self, X: SamplesLike) -> NDArray[Any]:
        """Return the label of each sample, of shape (n_samples,); `X` as in `predict_scores`.

        For a regression, the targets, of shape (n_samples,) or (n_samples, n_outputs).
        """
        return to_predictions(self.predict_scores(X), self.classes)

    def predict_proba(self, X: SamplesLike) -> NDArray[Any]:
        """Return the softmax of the scores; `X` as in `predict_scores`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Rows that sum to 1. Where ``output_activation`` is ``"softmax"``, the scores are
            probabilities already and are returned as they are.

        Raises
        ------
        ValueError
            As in `predict_scores`, or if this is a regression.
        """
        return to_probabilities(self.predict_scores(X), self.classes, self.output_activation)

    @property
    def n_features(self) -> int | None:
        """Number of columns of the training data; None where `columns` are indices."""
        if self.preprocessing is not None:
            return len(self.preprocessing.columns)
        if self.columns is None:
            return int(self.weights[0].shape[0])
        return self.columns.size if self.columns.dtype.kind == "b" else None

    @property
    def table_columns(self) -> Preprocessing | None:
        """How the columns of a table are known; None where they are by their places."""
        if self.preprocessing is not None or self.feature_names is None:
            return self.preprocessing
        return Preprocessing.of_names(self.feature_names)

    def _select_columns(self, X: Any) -> NDArray[Any]:
        if self.preprocessing is not None:
            features = self.preprocessing.transform(X)
            return features if self.columns is None else features[:, self.columns]
        check_feature_names(X, self.feature_names)
        table = check_samples(X)
        width, expected = table.shape[1], self.n_features
        exact = expected is not None
        if expected is None:
            expected = int(np.max(self.columns)) + 1  # type: ignore[arg-type]
        if width < expected or (exact and width != expected):
            at_least = "" if exact else "at least "
            raise ValueError(
                f"X must have {at_least}{expected} columns, as the training data had, got {width}."
            )
        return table if self.columns is None else table[:, self.columns]


def _check_weights(weights: list[NDArray[Any]]) -> tuple[int, int]:
    """Return the numbers of inputs and outputs."""
    if not isinstance(weights, list) or not all(
        isinstance(W, np.ndarray) and W.dtype.kind == "f" for W in weights
    ):
        raise TypeError("weights must be a list of arrays of floats.")
    layers = pair_layers(weights)
    if not all(np.isfinite(W).all() for W in weights):
        raise ValueError("weights must be finite, got NaN or infinity.")
    if weights[0].ndim != 2:
        raise ValueError(
            "weights must be those of one network (2-D matrices), got a population of shape "
            f"{weights[0].shape}; take one solution of it."
        )
    return layers[0][0].shape[0], layers[-1][0].shape[1]


def _check_classes(classes: NDArray[Any], n_outputs: int) -> None:
    if not isinstance(classes, np.ndarray) or classes.dtype.kind not in "biufU":
        raise TypeError(
            "classes must be an array of integers, floats, booleans or strings, got "
            f"{getattr(classes, 'dtype', type(classes).__name__)}; convert them, for instance with "
            "classes.astype(str)."
        )
    if classes.shape != (n_outputs,):
        raise ValueError(
            f"classes must have shape ({n_outputs},), a label for each output, got {classes.shape}."
        )


def _check_columns(columns: NDArray[Any], n_inputs: int) -> None:
    if not isinstance(columns, np.ndarray) or columns.dtype.kind not in "biu" or columns.ndim != 1:
        raise TypeError(
            "columns must be a 1-D array, a boolean mask or indices, got "
            f"{getattr(columns, 'dtype', type(columns).__name__)} of shape {np.shape(columns)}."
        )
    kept = int(columns.sum()) if columns.dtype.kind == "b" else columns.size
    if kept != n_inputs:
        raise ValueError(f"columns must keep {n_inputs}, the network's inputs, got {kept}.")
    if columns.dtype.kind == "i" and columns.min(initial=0) < 0:
        raise ValueError(f"columns must hold indices from 0 up, got {columns.min()}.")


def _check_preprocessing(
    preprocessing: Preprocessing, columns: NDArray[Any] | None, n_inputs: int
) -> None:
    if not isinstance(preprocessing, Preprocessing):
        raise TypeError(f"preprocessing must be a Preprocessing, got {preprocessing!r}.")
    takes = n_inputs if columns is None else columns.size
    if columns is not None and columns.dtype.kind != "b":
        takes = max(int(columns.max(initial=-1)) + 1, preprocessing.n_inputs)
    if preprocessing.n_inputs != takes:
        raise ValueError(f"preprocessing must give {takes} features, got {preprocessing.n_inputs}.")


def _check_feature_names(model: Model) -> None:
    names = model.feature_names
    if not isinstance(names, np.ndarray) or names.dtype.kind != "U":
        raise TypeError(f"feature_names must be an array of strings, got {names!r}.")
    if model.preprocessing is not None:
        raise ValueError("feature_names must be None with a preprocessing, which has the names.")
    if names.shape != (model.n_features,):
        raise ValueError(
            f"feature_names must have shape ({model.n_features},), a name for each column of the "
            f"samples, got {names.shape}."
        )


class Trained(Protocol):
    """What training returned, or a fitted estimator."""

    def to_model(self) -> Model:
        """Return the network with what it takes to use it on new data."""


def save_model(
    path: str | os.PathLike[str], model: Model | Trained, history: History | None = None
) -> None:
    """Save a model, and the history of its training if you like.

    Parameters
    ----------
    path : path-like
        The file, named exactly so; it is replaced in one step when the new one is complete. Its
        folder must exist.
    model : Model, TrainingResult or estimator
        The model; or what training returned, or a fitted estimator, for its model and history.
    history : History, optional
        Saved in the same file; `load_history` reads it from there.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    TypeError
        If the settings hold something that JSON cannot express, or `model` is none of the above.
    NotFittedError
        If `model` is an estimator that was not fitted.
    ValueError
        If two custom activations have one name.

    Examples
    --------
    >>> import tempfile
    >>> model = Model([np.eye(2)], "relu", "identity", np.array(["apple", "mango"]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(f"{folder}/model.npz", model)
    ...     load_model(f"{folder}/model.npz").predict([[0.0, 1.0]])
    array(['mango'], dtype='<U5')
    """
    if not isinstance(model, Model):
        model, history = _unpack_trained(model, history)
    arrays = {f"weights/{k}": W for k, W in enumerate(model.weights)}
    if model.classes is not None:
        arrays["classes"] = model.classes
    if model.columns is not None:
        arrays["columns"] = model.columns
    names, answers = pack_activations(model.activation, model.output_activation)
    arrays |= answers
    header: dict[str, Any] = {
        **names,
        "n_weights": len(model.weights),
        "has_classes": model.classes is not None,
        "has_columns": model.columns is not None,
        "extraction": model.extraction,
        "settings": model.settings,
    }
    if model.feature_names is not None:
        header["has_feature_names"] = True
        arrays["feature_names"] = model.feature_names
    if model.preprocessing is not None:
        header["preprocessing"] = {"label": model.preprocessing.label}
        arrays |= {f"preprocessing/{k}": v for k, v in model.preprocessing.to_arrays().items()}
    if history is not None:
        header["history"], columns = pack_history(history)
        arrays |= columns
    write_archive(path, "model", header, arrays, version=_version_of(model))


def _version_of(model: Model) -> int:
    """Return the version of the format that a model takes: 2 if it has what 1 knows nothing of.

    Readers of version 1 would predict without it, or fail without the cause.
    """
    activations = (model.activation, model.output_activation)
    is_plain = all(isinstance(one, str) and one in ACTIVATIONS_OF_1 for one in activations)
    has_more = model.preprocessing is not None or model.feature_names is not None
    has_more = has_more or model.classes is None or "features" in (model.extraction or {})
    return 2 if has_more or not is_plain else 1


def _unpack_trained(trained: Trained, history: History | None) -> tuple[Model, History]:
    """Return the model and, unless one is given, the history of what was trained."""
    if isinstance(trained, type) or not hasattr(trained, "to_model"):
        raise TypeError(
            "model must be a Model, what training returned, or a fitted estimator of this package, "
            f"got {type(trained).__name__}."
        )
    model = trained.to_model()
    return model, find_history(trained) if history is None else history  # type: ignore[arg-type]


def load_model(
    path: str | os.PathLike[str],
    *,
    activations: Mapping[str, Callable[..., Any]] | None = None,
) -> Model:
    """Load a model that `save_model`, or the `save` of a result or an estimator, saved.

    `ga_ann.load` is this function.

    Parameters
    ----------
    path : path-like
        The file.
    activations : mapping of str to callable, optional
        The custom activations by their names (``__name__``): a file holds names, and not functions.

    Returns
    -------
    Model
        It predicts what was predicted before. Tuples in its settings have become lists.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is no model, or comes from a newer version, or a custom activation
        is missing or answers otherwise than the one that was saved; the message names the file and
        the reason. Nothing in the file is ever unpickled.
    """
    return read_model(path, {} if activations is None else activations)


def read_model(
    path: str | os.PathLike[str], activations: Mapping[str, Callable[..., Any]] | None
) -> Model:
    """Load a model as `load_model` does; without `activations`, to look at it alone."""
    with named_errors(path, "a model"):
        header, arrays = read_archive(path, "model")
        activation, output_activation = unpack_activations(header, arrays, activations)
        n_weights = entry(header, "n_weights", int)
        found = sum(name.startswith("weights/") for name in arrays)
        if n_weights != found:
            raise ValueError(f"it has {found} weight arrays, and its header tells of {n_weights}")
        # Files of before there were regressions do not say that they have classes.
        has_classes = entry({"has_classes": True} | header, "has_classes", bool)
        has_names = entry({"has_feature_names": False} | header, "has_feature_names", bool)
        return Model(
            weights=[member(arrays, f"weights/{k}") for k in range(n_weights)],
            activation=activation,
            output_activation=output_activation,
            classes=member(arrays, "classes") if has_classes else None,
            columns=member(arrays, "columns") if entry(header, "has_columns", bool) else None,
            extraction=header.get("extraction"),
            settings=entry(header, "settings", dict),
            preprocessing=_unpack_preprocessing(header, arrays),
            feature_names=member(arrays, "feature_names") if has_names else None,
        )


def _unpack_preprocessing(
    header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Preprocessing | None:
    if "preprocessing" not in header:
        return None
    about = entry(header, "preprocessing", dict)
    held = {name: member(arrays, f"preprocessing/{name}") for name in Preprocessing.ARRAYS}
    return Preprocessing(**held, label=about.get("label"))


load = load_model


def save_history(path: str | os.PathLike[str], history: History) -> None:
    """Save a history.

    Parameters
    ----------
    path : path-like
        The file, named exactly so; it is replaced in one step when the new one is complete. Its
        folder must exist.
    history : History
        The history.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    TypeError
        If the settings hold something that JSON cannot express, or `history` is not a `History`.
    """
    about, columns = pack_history(history)
    write_archive(path, "history", {"history": about}, columns)


def load_history(path: str | os.PathLike[str]) -> History:
    """Load a history, from a file of its own, or from a model's or a checkpoint's.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    History
        Tuples in its settings have become lists.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, has no history, or comes from a newer version; the message names
        the file and the reason. Nothing in the file is ever unpickled.
    """
    with named_errors(path, "a history"):
        header, arrays = read_archive(path)
        return unpack_history(header, arrays)


def pack_history(history: History) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return an archive's entry ``"history"`` and the arrays that go with it.

    Raises
    ------
    TypeError
        If `history` is no `History`.
    """
    if not isinstance(history, History):
        raise TypeError(f"history must be a History, got {type(history).__name__}.")
    about = {"label": history.label, "metric": history.metric, "settings": history.settings}
    arrays = {f"history/{name}": column for name, column in history.to_arrays().items()}
    if (movement := history.movement) is not None:
        arrays["history/movement"] = movement
    return about, arrays


def unpack_history(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> History:
    """Return the History in an archive.

    Raises
    ------
    ValueError
        If there is none, or a part of it is missing or wrong.
    """
    if "history" not in header:
        raise ValueError(f"it holds a {header['kind']} without a history")
    about = entry(header, "history", dict)
    names = (*COLUMNS, "movement") if "history/movement" in arrays else COLUMNS
    columns = {name: member(arrays, f"history/{name}") for name in names}
    if wrong := [name for name, column in columns.items() if column.dtype != np.float64]:
        raise ValueError(f"the columns {wrong} are not of float64")
    return History.from_arrays(
        columns,
        label=entry(about, "label", str),
        metric=entry(about, "metric", str),
        settings=entry(about, "settings", dict),
    )
