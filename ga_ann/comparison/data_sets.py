"""Data sets: what `compare` knows by name, and how networks are trained on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.utils import Bunch

from ga_ann.comparison.splits import SPLITS
from ga_ann.datasets import Samples as LoadedSamples
from ga_ann.datasets import load_fruits360
from ga_ann.network import lookup
from ga_ann.out_of_core import hold
from ga_ann.validation import (
    check_hidden_layer_sizes,
    check_in_memory,
    check_regression,
    check_training,
)

__all__ = ["DATASETS", "TASKS", "DataSet", "Samples", "adjust", "check_samples", "choose_data_set"]

Array = NDArray[Any]
Indices = NDArray[np.intp]

TASKS = ("classification", "regression")

PICTURES_MIN_STD = 50.0
"""The tutorial's filter of hue histograms."""


class DataSet(NamedTuple):
    """Samples, and how networks are trained on them unless a parameter of `compare` says otherwise.

    Attributes
    ----------
    label : str
        What it is called in captions.
    load : callable
        ``load() -> Bunch`` of ``data``, ``target`` and, where there are such, ``target_names`` (of
        classes), ``groups`` and ``picture_names``.
    splits : tuple of str
        Names in `SPLITS`.
    hidden_layer_sizes : tuple of int
        Sizes of the hidden layers.
    min_std : float or None
        Features of a smaller standard deviation over the training part are left out.
    standardise : bool
        Whether the features are standardised by the training part, and the text columns of a table
        made numbers, see `Preprocessing`.
    bias : bool
        Whether the layers of the networks that are evolved have biases.
    unit : str
        What a sample is called, in the plural.
    groups : mapping of str to str
        What the groups are called; their values by default.
    task : {"classification", "regression"}
        Whether the targets are labels, or numbers to predict.
    """

    label: str
    load: Callable[[], Any]
    splits: tuple[str, ...] = ("holdout",)
    hidden_layer_sizes: tuple[int, ...] = (32,)
    min_std: float | None = None
    standardise: bool = True
    bias: bool = True
    unit: str = "samples"
    groups: Mapping[str, str] = {}
    task: str = "classification"

    @classmethod
    def of_arrays(
        cls,
        label: str,
        X: ArrayLike,
        y: ArrayLike | None,
        *,
        groups: ArrayLike | None = None,
        target_names: Sequence[str] | None = None,
        sample_names: ArrayLike | None = None,
        are_pictures: bool = False,
    ) -> DataSet:
        """Return one of samples and their labels: hue histograms of pictures, or any features.

        Examples
        --------
        >>> DataSet.of_arrays("mine", [[1.0], [2.0]], ["a", "b"]).load().target
        ['a', 'b']
        """
        known = Bunch(
            data=X, target=y, groups=groups, target_names=target_names, picture_names=sample_names
        )
        options = _AS_IN_THE_TUTORIAL if are_pictures else {}
        return cls(label, lambda: known, **options)

    @classmethod
    def of_samples(cls, label: str, samples: LoadedSamples, *, raw: bool = False) -> DataSet:
        """Return one of what `load_samples` gives; `raw` takes a table's columns as they are."""
        known = cls.of_arrays(
            label,
            samples.X,
            samples.labels,
            groups=samples.groups,
            sample_names=samples.names,
            are_pictures=samples.extraction is not None,
        )
        if samples.extraction is not None:
            known = known._replace(min_std=samples.min_std)
        return known._replace(standardise=False) if raw else known


_AS_IN_THE_TUTORIAL: dict[str, Any] = {
    "hidden_layer_sizes": (150, 60),
    "min_std": PICTURES_MIN_STD,
    "standardise": False,
    "bias": False,
}

DATASETS: dict[str, DataSet] = {
    "fruits": DataSet(
        "Fruits-360",
        load_fruits360,
        ("rotation",),
        **_AS_IN_THE_TUTORIAL,
        unit="pictures",
        groups={"0": "axis 0", "1": "axis 1 (r_)"},
    ),
    "digits": DataSet("Digits", load_digits),
    "wine": DataSet("Wine", load_wine),
    "breast_cancer": DataSet("Breast cancer", load_breast_cancer),
    "diabetes": DataSet("Diabetes", load_diabetes, unit="patients", task="regression"),
}
"""The data sets by name:

``"fruits"``
    `load_fruits360` as in the tutorial: features of a standard deviation above 50, hidden layers of
    150 and 60; trained on one axis of rotation and tested on the other.
``"digits"``, ``"wine"``, ``"breast_cancer"``
    Those of scikit-learn: all features, standardised by the training part; one hidden layer of 32,
    with biases; a quarter held out.
``"diabetes"``
    scikit-learn's as well, and trained like these: a regression, of how far the disease went on.
"""


def choose_data_set(
    X: ArrayLike | None,
    y: ArrayLike | None,
    groups: ArrayLike | None,
    data: str | DataSet | None,
    target_names: Sequence[str] | None,
    sample_names: ArrayLike | None,
    task: str | None = None,
) -> DataSet:
    """Return the data set that is known by name or by value, or one of the samples given.

    Raises
    ------
    ValueError
        If the name is unknown, or there are samples without labels or labels without samples.
    TypeError
        If there are both samples and a data set.
    """
    if X is None:
        if any(given is not None for given in (y, groups, target_names, sample_names)):
            raise ValueError("y, groups and names describe X; give X too, or none of them.")
        if isinstance(data, DataSet):
            return data
        return lookup(DATASETS, "fruits" if data is None else data, "data")
    if not isinstance(data, str | None):
        raise TypeError(f"data must be a name, as X gives the samples; got {data!r}.")
    if y is None:
        raise ValueError("y must be given with X, got None.")
    return DataSet.of_arrays(
        data or "own data",
        X,
        y,
        groups=groups,
        target_names=target_names,
        sample_names=sample_names,
    )._replace(
        splits=("holdout",) if groups is None else ("rotation",),
        hidden_layer_sizes=(150, 60),
        standardise=False,
        # The tutorial's networks have none, but the mean of measured numbers takes one.
        bias=task == "regression",
    )


def adjust(
    known: DataSet,
    task: str | None,
    splits: Iterable[str] | None,
    hidden_layer_sizes: int | Iterable[int] | None,
    min_std: float | None,
    n_features: int | None,
    standardise: bool | None,
) -> DataSet:
    """Return the data set with those parameters that are given in the place of its own.

    Raises
    ------
    ValueError, TypeError
        If one of them cannot be used.
    """
    sizes = known.hidden_layer_sizes if hidden_layer_sizes is None else hidden_layer_sizes
    task = known.task if task is None else task
    lookup(dict.fromkeys(TASKS), task, "task")
    known = known._replace(
        task=task,
        splits=_check_split_names(known.splits if splits is None else splits),
        hidden_layer_sizes=check_hidden_layer_sizes(sizes),
    )
    if min_std is not None or n_features is not None:
        known = known._replace(min_std=min_std)
    if standardise is not None:
        if not isinstance(standardise, bool | np.bool_):
            raise TypeError(f"standardise must be True, False or None, got {standardise!r}.")
        known = known._replace(standardise=bool(standardise))
    return known


def _check_split_names(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise TypeError(f"splits must be a list of names, got the string {given!r}.")
    names = tuple(given)
    for name in names:
        lookup(SPLITS, name, "each of splits")
    if not names or len(set(names)) != len(names):
        raise ValueError(
            f"splits must name at least one of {list(SPLITS)}, each once; got {list(names)}."
        )
    return names


class Samples(NamedTuple):
    """Checked samples, their classes counted from 0, and what all this is called.

    Of a regression `y` holds the targets, floats; `labels` is None, and `target_names` empty.
    """

    X: Any
    y: Array
    labels: Array | None
    target_names: list[str]
    groups: Array | None
    names: list[str]


def check_samples(known: Mapping[str, Any], task: str) -> Samples:
    """Return what a data set loads, checked for a task.

    Raises
    ------
    ValueError
        If it cannot be learned from, lengths differ, or the targets are those of the other task.
    TypeError
        If the samples are sparse.
    """
    X = hold(known["data"])
    check_in_memory(X, "compare")
    if issparse(X):
        raise TypeError(
            "compare needs dense samples, of which it may choose and standardise the features; "
            f"got {type(X).__name__}, use its toarray()."
        )
    is_frame = isinstance(X, pd.DataFrame)  # whose columns are checked where they are made numbers
    check = _check_targets if task == "regression" else _check_classes
    checked, y, labels, names = check(np.zeros((len(X), 1)) if is_frame else X, known)
    X = X if is_frame else checked
    groups, sample_names = known.get("groups"), known.get("picture_names")
    sample_names = np.arange(len(X)) if sample_names is None else sample_names
    return Samples(
        X,
        y.copy(),  # the caller may write into what was given
        labels,
        names,
        None if groups is None else _check_length(groups, len(X), "groups"),
        [str(name) for name in _check_length(sample_names, len(X), "sample_names")],
    )


def _check_classes(X: Any, known: Mapping[str, Any]) -> tuple[Array, Array, Array, list[str]]:
    """Return samples, the classes counted from 0, their labels and their names."""
    X, y, labels = check_training(X, known["target"])
    target_names = known.get("target_names")
    names = [str(name) for name in (labels if target_names is None else target_names)]
    if len(names) != len(labels):
        raise ValueError(
            f"target_names must hold {len(labels)} names, one a class, got {len(names)}: {names}."
        )
    return X, y, labels, names


def _check_targets(X: Any, known: Mapping[str, Any]) -> tuple[Array, Array, None, list[str]]:
    """Return samples and the numbers that are to be predicted."""
    names = known.get("target_names")
    if names is not None:
        raise ValueError(
            f"a regression predicts numbers, and these data have classes, {list(map(str, names))}: "
            "they take the task classification."
        )
    given = np.asarray(known["target"])
    if given.ndim == 2 and given.shape[1] > 1:
        raise ValueError(
            f"y must hold one target a sample, got {given.shape[1]} columns; compare them one by "
            "one."
        )
    if given.dtype.kind in "US" or any(isinstance(target, str) for target in given.flat):
        raise ValueError(
            f"a regression needs numbers as targets, got the text {str(given.flat[0])!r}; labels "
            "take the task classification."
        )
    X, targets = check_regression(X, given)
    return X, targets[0], None, []


def _check_length(values: ArrayLike, n_samples: int, what: str) -> Array:
    checked = np.asarray(values)
    if checked.shape != (n_samples,):
        raise ValueError(
            f"{what} must have shape ({n_samples},), one a sample, got {checked.shape}."
        )
    return checked
