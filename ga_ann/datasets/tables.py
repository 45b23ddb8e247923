"""The user's own features and labels: tables, npz, npy, and the tutorial's pickles."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ga_ann.datasets.frames import (
    FRAME_SUFFIXES,
    STDIN,
    Expected,
    find_column,
    labels_of,
    read_frame,
)
from ga_ann.datasets.pickled import read_pickle
from ga_ann.out_of_core import HELD_BYTES, StoredSamples, hold, is_zarr_folder
from ga_ann.preprocessing import Preprocessing, is_named
from ga_ann.storage import named_errors, parse_npy, read_npz

__all__ = [
    "ARRAY_SUFFIXES",
    "SUFFIXES",
    "is_stored",
    "load_features",
    "load_frame",
    "load_stored",
    "load_unlabelled",
    "load_unlabelled_frame",
]

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
        ``.csv``, ``.tsv``, ``.txt``, ``.parquet``, ``.xlsx``
            A table of numbers, see `load_frame`; the last column is the label, text or number.
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
    if suffix in FRAME_SUFFIXES and target is None:
        frame, y, _ = load_frame(path)
        with named_errors(path, "features and labels"):
            return Preprocessing.fit(frame, raw=True).transform(frame), y
    if suffix in _ARRAY_READERS and target is None:
        raise ValueError(f"{path} holds the features alone; give the file of the labels as target.")
    if suffix not in _ARRAY_READERS and target is not None:
        raise ValueError(f"{path} holds its own labels, so target must be None, got {target}.")
    if target is None:
        with named_errors(path, "features and labels"):
            X, y = _read_npz(path)
            X, y = _check_data(X), _check_labels(y)
    else:
        with named_errors(path, "features"):
            X = _check_data(_ARRAY_READERS[suffix](path))
        with named_errors(target, "labels"):
            y = _check_labels(_read_array(Path(target)))
    _check_lengths(target or path, X, y)
    return X, y


def load_unlabelled(
    path: PathLike, *, n_features: int | None = None, label: str | int | None = None
) -> tuple[Array, Array | None]:
    """Load features to predict on, and their labels where the file has them.

    Of a table some labels may be missing: they are ``""``, or NaN among numbers.

    Parameters
    ----------
    path : path
        A file as for `load_features`, or one without labels: ``.npy`` or ``.pkl``, an ``.npz``
        with ``data`` or ``X`` alone, a table of `n_features` columns.
    n_features : int, optional
        Number of features that are expected. A table of another number of columns has a label.
    label : str or int, optional
        The column of a table that holds the labels, as for `load_frame`; the last one by default.

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
        if suffix in FRAME_SUFFIXES:
            asked = None if label is None else str(label)
            frame = read_frame(path, Expected(asked, keeps_empty=True))
            return _unlabelled(frame, n_features, label)
        arrays = _read_npz(path, *_UNLABELLED)
        X = _check_data(arrays[0])
        if len(arrays) == 1:
            return X, None
        y = _check_labels(arrays[1])
    _check_lengths(path, X, y)
    return X, y


def is_stored(path: Path) -> bool:
    """Tell whether `load_stored` is for a path: a large ``.npy`` file, or a Zarr array."""
    if path.suffix.lower() == ".npy":
        return path.is_file() and path.stat().st_size > HELD_BYTES
    return is_zarr_folder(path)


def load_stored(
    path: Path, target: PathLike | None = None, *, labelled: bool = True
) -> tuple[Array | StoredSamples, Array | None]:
    """Open features that may be larger than the memory, and load their labels.

    Parameters
    ----------
    path : path
        A ``.npy`` file, or a folder with a Zarr array. It stays on disk where it is large.
    target : path, optional
        The labels' ``.pkl`` or ``.npy`` file.
    labelled : bool, default=True
        Whether there must be labels.

    Raises
    ------
    OSError, ValueError
        As in `load_features` and `open_samples`.
    """
    if labelled and target is None:
        raise ValueError(f"{path} holds the features alone; give the file of the labels as target.")
    X = hold(path)
    if not isinstance(X, StoredSamples):
        with named_errors(path, "features"):
            X = _check_data(X)
    if target is None:
        return X, None
    with named_errors(target, "labels"):
        y = _check_labels(_read_array(Path(target)))
    _check_lengths(target, X, y)
    return X, y


def load_frame(
    path: PathLike, *, label: str | int | None = None, drop: Sequence[str | int] = ()
) -> tuple[pd.DataFrame, Array, Any]:
    """Load a table of any columns, and its labels.

    Parameters
    ----------
    path : path
        UTF-8 text (or UTF-16, with its byte order mark) with commas, semicolons, tabs or bars
        between the cells (``.csv``, ``.tsv``, ``.txt``, or ``"-"`` for standard input),
        ``.parquet`` or ``.xlsx``, whose first sheet is read. A first row that is of another kind
        than those below it holds the columns' names.
    label : str or int, optional
        The column of the labels, by name or by number from 1; the last one by default. Labels such
        as ``001`` are text; they have at most `LONGEST_LABEL` characters.
    drop : sequence of str or int, optional
        Columns that are left out, in the same way.

    Returns
    -------
    X : DataFrame
        The features. Columns without names are called by their places in the table, from 0.
    y : ndarray of shape (n_samples,)
        The labels, as in `load_features`.
    label : str or int
        The column that held them.

    Raises
    ------
    OSError
        If the file is not there, or must not be read.
    ValueError
        If it is damaged, rows differ in length, a label is missing, or there is no such column.

    Warns
    -----
    UserWarning
        If an ``.xlsx`` has several sheets.
    """
    path = Path(path)
    _check_suffix(path)
    with named_errors(path, "features and labels"):
        frame = read_frame(path, Expected(None if label is None else str(label)))
        place = find_column(frame.columns, label)
        dropped = [find_column(frame.columns, name) for name in drop]
        if place in dropped:
            raise ValueError(f"{place!r} is the label, so it cannot be dropped.")
        features = frame.drop(columns=[place, *dropped])
        if not features.shape[1]:
            raise ValueError(
                f"each row must hold features and a label, got the columns {list(frame.columns)} "
                f"less the label and {dropped}."
            )
        return features, _check_labels(labels_of(frame[place])), place


def load_unlabelled_frame(
    path: PathLike, preprocessing: Preprocessing, *, label: str | int | None = None
) -> tuple[pd.DataFrame, Array | None]:
    """Load a table to predict on, and its labels where it has them, some of them perhaps missing.

    Parameters
    ----------
    path : path
        A table as for `load_frame`.
    preprocessing : Preprocessing
        What it will go through: it tells which columns hold text, and which one the labels.
    label : str or int, optional
        The column of the labels, if it is another one.

    Raises
    ------
    OSError, ValueError
        As in `load_frame`.

    Warns
    -----
    UserWarning
        If the model's columns have names and the table's have none.
    """
    path = Path(path)
    _check_suffix(path)
    given = preprocessing.label if label is None else label
    names = preprocessing.columns.tolist() if preprocessing.is_named else []
    expected = Expected(
        label=given if isinstance(given, str) else None,
        text=frozenset(preprocessing.text_columns),
        names=frozenset(names),
        keeps_empty=True,
    )
    with named_errors(path, "features"):
        frame = read_frame(path, expected)
        if preprocessing.is_named and not is_named(frame):
            warnings.warn(
                f"{path} has no names of columns, so they are taken in the order of the training",
                stacklevel=2,
            )
        if label is not None:
            place = find_column(frame.columns, label)
        else:
            place = preprocessing.find_label(frame)
        features = preprocessing.select(frame)
        if place is None:
            return features, None
        return features, _check_labels(labels_of(frame[place], complete=False), unknown=True)


def _unlabelled(
    frame: pd.DataFrame, n_features: int | None, label: str | int | None
) -> tuple[Array, Array | None]:
    y = None
    if frame.shape[1] != n_features or label is not None:
        place = find_column(frame.columns, label)
        y = _check_labels(labels_of(frame[place], complete=False), unknown=True)
        frame = frame.drop(columns=[place])
    return Preprocessing.fit(frame, raw=True).transform(frame), y


def _check_suffix(path: Path) -> str:
    if str(path) == STDIN:
        return FRAME_SUFFIXES[0]
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}.")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"the features' file must end in one of {list(SUFFIXES)}, got {path}.")
    return suffix


def _check_lengths(path: PathLike, X: Array | StoredSamples, y: Array) -> None:
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


def _check_labels(y: Array, *, unknown: bool = False) -> Array:
    if y.ndim != 1 or y.size == 0:
        raise ValueError(f"labels must be a 1-D array, got shape {y.shape} of {y.dtype}.")
    if y.dtype.kind in "SU":
        return y.astype(np.str_, copy=False)
    if y.dtype.kind == "f":
        if np.isinf(y).any() or (np.isnan(y).any() and not unknown):
            raise ValueError(f"labels must be finite, got {y[~np.isfinite(y)][0]}.")
        if np.isnan(y).any():
            return y
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
ARRAY_SUFFIXES = tuple(_ARRAY_READERS)
"""Endings of the files that hold one array."""

SUFFIXES = (*ARRAY_SUFFIXES, ".npz", *FRAME_SUFFIXES)
"""Endings of all the files that are read."""
