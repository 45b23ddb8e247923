"""The user's own features and labels: csv, npz, npy, and the tutorial's pickles."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.datasets.csv_table import read_csv
from ga_ann.datasets.pickled import read_pickle
from ga_ann.storage import named_errors, parse_npy, read_npz

__all__ = ["ARRAY_SUFFIXES", "SUFFIXES", "load_features", "load_unlabelled"]

Array = NDArray[Any]
PathLike = str | os.PathLike[str]


def load_features(path: PathLike, target: PathLike | None = None) -> tuple[Array, Array]:
    """Load features and labels from files.

    Parameters
    ----------
    path : path
        By its extension:

        ``.pkl``, ``.npy``
            The features alone, such as the tutorial's ``dataset_features.pkl``; the labels come
            from `target`. A pickle may hold nothing but one NumPy array of numbers or text.
        ``.npz``
            Arrays ``data`` and ``target``, or ``X`` and ``y``; what `save_table` writes, too.
        ``.csv``
            Commas, UTF-8, an optional line of column names; the last column is the label, text or
            number, the others are numbers. A first line without a number among the features, or
            whose label is the only one that is no number, holds the names. Labels such as ``001``
            are text; they have at most `LONGEST_LABEL` characters.
    target : path, optional
        The labels' ``.pkl`` or ``.npy`` file, such as the tutorial's ``outputs.pkl``.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        float64, or float32 if the file holds that.
    y : ndarray of shape (n_samples,)
        The labels: int64 where they are whole numbers, else text or float64.

    Raises
    ------
    OSError
        If a file is not there, or must not be read.
    ValueError
        If a file is damaged, or holds anything but finite numbers and labels to match; or `target`
        is missing or superfluous. Nothing in a file is ever run.
    """
    path = Path(path)
    suffix = _check_suffix(path)
    if suffix in _ARRAY_READERS and target is None:
        raise ValueError(f"{path} holds the features alone; give the file of the labels as target.")
    if suffix in _TABLE_READERS and target is not None:
        raise ValueError(f"{path} holds its own labels, so target must be None, got {target}.")
    if target is None:
        with named_errors(path, "features and labels"):
            X, y = _TABLE_READERS[suffix](path)
            X, y = _check_data(X), _check_labels(y)
    else:
        with named_errors(path, "features"):
            X = _check_data(_ARRAY_READERS[suffix](path))
        with named_errors(target, "labels"):
            y = _check_labels(_read_array(Path(target)))
    _check_lengths(target or path, X, y)
    return X, y


def load_unlabelled(path: PathLike, *, n_features: int | None = None) -> tuple[Array, Array | None]:
    """Load features to predict on, and their labels where the file has them.

    Parameters
    ----------
    path : path
        A file as for `load_features`, or one without labels: ``.npy`` or ``.pkl``, an ``.npz``
        with ``data`` or ``X`` alone, a ``.csv`` of `n_features` columns.
    n_features : int, optional
        Number of features that are expected. Where it is not given, the last column of a ``.csv``
        is the label.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,), or None

    Raises
    ------
    OSError, ValueError
        As in `load_features`.
    """
    path = Path(path)
    suffix = _check_suffix(path)
    with named_errors(path, "features"):
        if suffix in _ARRAY_READERS:
            return _check_data(_ARRAY_READERS[suffix](path)), None
        arrays = read_csv(path, n_features) if suffix == ".csv" else _read_npz(path, *_UNLABELLED)
        X = _check_data(arrays[0])
        if len(arrays) == 1:
            return X, None
        y = _check_labels(arrays[1])
    _check_lengths(path, X, y)
    return X, y


def _check_suffix(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}.")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"the features' file must end in one of {list(SUFFIXES)}, got {path}.")
    return suffix


def _check_lengths(path: PathLike, X: Array, y: Array) -> None:
    if len(X) != len(y):
        raise ValueError(
            f"{path} must have as many labels as there are rows of features: {len(X)}, got "
            f"{len(y)}."
        )


def _check_data(X: Array) -> Array:
    if X.ndim != 2 or 0 in X.shape or X.dtype.kind not in "biuf":
        raise ValueError(
            f"features must be a 2-D table of numbers, got shape {X.shape} of {X.dtype}."
        )
    X = X.astype(np.float32 if X.dtype == np.float32 else np.float64, copy=False)
    finite = np.isfinite(X)
    if not finite.all():
        row, column = divmod(int(finite.argmin()), X.shape[1])
        raise ValueError(
            f"features must be finite, got {X[row, column]} in row {row}, column {column} "
            f"(counted from 0), and {np.count_nonzero(~finite) - 1} more such."
        )
    return X


def _check_labels(y: Array) -> Array:
    if y.ndim != 1 or y.size == 0:
        raise ValueError(f"labels must be a 1-D array, got shape {y.shape} of {y.dtype}.")
    if y.dtype.kind in "SU":
        return y.astype(np.str_, copy=False)
    if y.dtype.kind == "f":
        if not np.isfinite(y).all():
            raise ValueError(f"labels must be finite, got {y[~np.isfinite(y)][0]}.")
        whole = (y == np.trunc(y)).all() and np.abs(y).max() < 2.0**53
        return y.astype(np.int64 if whole else np.float64)
    return y.astype(np.int64) if np.can_cast(y.dtype, np.int64) else y


def _read_array(path: Path) -> Array:
    if path.suffix.lower() not in _ARRAY_READERS:
        raise ValueError(f"the file must end in one of {list(_ARRAY_READERS)}.")
    return _ARRAY_READERS[path.suffix.lower()](path)


def _read_npy(path: Path) -> Array:
    return parse_npy(path.read_bytes())


def _read_npz(path: Path, *others: tuple[str, ...]) -> list[Array]:
    return list(read_npz(path, ("data", "target"), ("X", "y"), *others).values())


_UNLABELLED = (("data",), ("X",))

_ARRAY_READERS: dict[str, Callable[[Path], Array]] = {".npy": _read_npy, ".pkl": read_pickle}
_TABLE_READERS: dict[str, Callable[[Path], list[Array]]] = {".csv": read_csv, ".npz": _read_npz}

ARRAY_SUFFIXES = tuple(_ARRAY_READERS)
"""Endings of the files that hold one array."""

SUFFIXES = (*ARRAY_SUFFIXES, *_TABLE_READERS)
"""Endings of all the files that are read."""
