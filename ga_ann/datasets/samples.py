"""Samples by name: a table, a folder of pictures, or the word for the shipped fruits."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.datasets.feature_table import FeatureTable, extract_features, is_table, load_table
from ga_ann.datasets.frames import FRAME_SUFFIXES, STDIN
from ga_ann.datasets.fruits import shipped_table
from ga_ann.datasets.picture_features import TUTORIAL, PictureFeatures
from ga_ann.datasets.pictures import list_flat, list_pictures
from ga_ann.datasets.tables import (
    ARRAY_SUFFIXES,
    SUFFIXES,
    is_stored,
    load_features,
    load_frame,
    load_stored,
    load_unlabelled,
    load_unlabelled_frame,
)
from ga_ann.preprocessing import Preprocessing

__all__ = ["FRUITS", "Samples", "holds_samples", "load_pictures", "load_samples", "locate"]

PathLike = str | os.PathLike[str]
Extraction = Mapping[str, Any]

FRUITS = "fruits360"
"""The word that stands for the shipped table, where there is no file or folder of that name."""

_TUTORIAL_MIN_STD = 50.0


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples to train on or to predict.

    Attributes
    ----------
    X : ndarray, DataFrame or StoredSamples of shape (n_samples, n_features)
        The features; of a table all its columns, with text and missing cells.
    names : list of str
        What the rows are called: pictures by their paths, rows of a table by their numbers from 0.
        Empty for samples to train on that may be on disk.
    y : ndarray of shape (n_samples,) or None
        The labels, or indices into `class_names` where these are given; None where none are known.
    class_names : ndarray of str, of shape (n_classes,), or None
        The classes of pictures.
    extraction : dict or None
        How features were computed from pictures, as a model's file keeps it:
        ``{"features": "hsv", "bins": 7, "hue_range": [0.0, 1.0]}``; the tutorial's without
        ``"features"``.
    groups : ndarray of shape (n_samples,) or None
        The axes that the fruits turn about, see `FeatureTable`.
    label : str, int or None
        The column of a table that held the labels.
    """

    X: Any
    names: list[str]
    y: Any = None
    class_names: NDArray[Any] | None = None
    extraction: dict[str, Any] | None = None
    groups: NDArray[Any] | None = None
    label: str | int | None = None

    @property
    def labels(self) -> NDArray[Any] | None:
        """The label of each sample, the class's name where there are names; None without any."""
        named: NDArray[Any] | None = (
            self.y if self.class_names is None else self.class_names[self.y]
        )
        return named

    @property
    def features(self) -> PictureFeatures | None:
        """How features were computed from pictures; None where there were none."""
        return None if self.extraction is None else PictureFeatures.of_dict(self.extraction)

    @property
    def min_std(self) -> float | None:
        """The filter of columns that goes with the features: 50 with the tutorial's, else None."""
        known = self.features
        return _TUTORIAL_MIN_STD if known is not None and known.kind == TUTORIAL else None


def locate(name: PathLike) -> Path:
    """Return the file or folder that a name stands for; it need not exist.

    Raises
    ------
    FileNotFoundError
        If the name is that of the shipped table, and the table is missing.
    """
    path = Path(name)
    return shipped_table() if os.fspath(name) == FRUITS and not path.exists() else path


def holds_samples(name: PathLike) -> bool:
    """Whether a name stands for what `load_samples` takes, rather than for a single picture."""
    path = locate(name)
    return path.is_dir() or path.suffix.lower() in SUFFIXES or os.fspath(name) == STDIN


def load_samples(
    name: PathLike,
    target: PathLike | None = None,
    *,
    labelled: bool = True,
    extraction: Extraction | None = None,
    n_features: int | None = None,
    label: str | int | None = None,
    drop: Sequence[str | int] = (),
    preprocessing: Preprocessing | None = None,
    verbose: bool = False,
) -> Samples:
    """Load a table, or extract one from a folder of pictures: to train on, or to predict.

    Parameters
    ----------
    name : path
        A table that `save_table` wrote, a file as for `load_features` or `load_frame`, ``"-"`` for
        a table on standard input, a folder as for `list_pictures`, or the word ``"fruits360"``. A
        ``.npy`` file that is large, or a folder with a Zarr array, is read as `load_stored` says.
    target : path, optional
        The labels' file, as for `load_features`.
    labelled : bool, default=True
        Whether the samples must have labels, as training needs them. If not, a folder may hold the
        pictures itself, a file the features alone, and pictures are extracted as `extraction` says.
    extraction : mapping, optional
        How features are computed from pictures. To train on: `extract_features`' parameters
        ``features``, ``bins`` and ``hue_range``, or some of them, or None for the defaults. To
        predict: the ``extraction`` of the samples that the network was trained on; None where that
        was a table.
    n_features : int, optional
        Number of features that it takes, which those of pictures must be; see `load_unlabelled`.
    label, drop
        Columns of a table, as for `load_frame`.
    preprocessing : Preprocessing, optional
        How the features that a trained network takes were made of a table's columns.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    Samples

    Raises
    ------
    OSError
        If something is not there, or must not be read.
    ValueError
        If a file is damaged or holds something else; a folder to train on has fewer than two
        classes, or two that look alike to the features; `target` is missing or superfluous; the
        features were not computed as `extraction` says; or `label` or `drop` do not go with the
        samples.

    Examples
    --------
    >>> fruits = load_samples("fruits360")
    >>> fruits.X.shape, fruits.labels[0], fruits.extraction
    ((1962, 360), np.str_('apple'), {'bins': 360, 'hue_range': None})
    """
    if not os.fspath(name):
        raise ValueError("DATA must name a file or a folder, got ''.")
    path = locate(name)
    stored = is_stored(path)
    if target is not None and not stored and path.suffix.lower() not in ARRAY_SUFFIXES:
        raise ValueError(
            f"--target goes with a .npy or .pkl file of features, or a Zarr array, got {name}."
        )
    is_frame = path.suffix.lower() in FRAME_SUFFIXES or os.fspath(name) == STDIN
    if (label is not None or drop) and not is_frame:
        raise ValueError(f"--label and --drop go with a table, {FRAME_SUFFIXES}; got {name}.")
    if stored:
        if labelled and extraction:
            raise ValueError(f"{sorted(extraction)} go with a folder of pictures, got {name}.")
        X, known = load_stored(path, target, labelled=labelled)
        return Samples(X, [] if labelled else _number(X), known)
    expected = extraction
    if extraction is not None and not labelled:
        expected = _check_extraction(extraction, n_features).as_dict
    if path.is_dir():
        return _load_folder(path, labelled, expected, verbose)
    if path.suffix.lower() == ".npz" and is_table(path):
        table = load_table(path)
        if labelled:
            _check_told_apart(table, name)
        return _from_table(table, expected, labelled)
    if labelled and expected:
        raise ValueError(f"{sorted(expected)} go with a folder of pictures, got the table {name}.")
    if is_frame and labelled:
        frame, y, place = load_frame(path, label=label, drop=drop)
        return Samples(frame, _number(frame), y, label=place)
    if is_frame and preprocessing is not None:
        frame, known = load_unlabelled_frame(path, preprocessing, label=label)
        return Samples(frame, _number(frame), known)
    if labelled or target is not None:
        X, y = load_features(path, target)
        return Samples(X, _number(X), y)
    try:
        X, known = load_unlabelled(path, n_features=n_features, label=label)
        if expected is not None and n_features not in (None, X.shape[1]):
            raise ValueError(f"it has {X.shape[1]} columns of features.")
    except ValueError as error:
        if expected is None:
            raise
        # Without its reason, which would tell how to read another kind of table.
        raise ValueError(
            "the model was trained on pictures; give pictures, a folder of them, or a table of "
            "their features as `ga-ann extract` writes it, which must have "
            f"{PictureFeatures.of_dict(expected).n_columns} columns; got {name}."
        ) from error
    return Samples(X, _number(X), known)


def load_pictures(
    paths: Sequence[PathLike],
    extraction: Extraction | None,
    *,
    n_features: int | None = None,
    verbose: bool = False,
) -> Samples:
    """Extract pictures whose classes are not known.

    Parameters
    ----------
    paths : sequence of path
        The pictures.
    extraction, n_features, verbose
        As in `load_samples`.

    Raises
    ------
    OSError
        If a picture is not there, or must not be read.
    ValueError
        If one is no picture, there is none, `extraction` is None or not valid, or it gives
        other than `n_features`.
    """
    features = _check_extraction(extraction, n_features)
    if not paths:
        raise ValueError("there must be at least one picture, got none.")
    rows = np.stack(list(features.compute_files(paths, verbose=verbose)))
    return Samples(rows, [os.fspath(path) for path in paths])


def _load_folder(
    folder: Path, labelled: bool, extraction: Extraction | None, verbose: bool
) -> Samples:
    if labelled:
        *_, classes = list_pictures(folder)
        if len(classes) < 2:
            raise ValueError(f"{folder} must have at least 2 classes, got only {classes}.")
        table = extract_features(folder, **(extraction or {}), verbose=verbose)
        return _from_table(_check_told_apart(table, folder))
    known = _check_extraction(extraction)
    if any(p.is_dir() and not p.name.startswith(".") for p in folder.iterdir()):
        table = extract_features(
            folder,
            features=known.kind,
            bins=known.bins,
            hue_range=known.hue_range,
            verbose=verbose,
        )
        return _from_table(table)
    return load_pictures(list_flat(folder), extraction, verbose=verbose)


def _from_table(
    table: FeatureTable, expected: Extraction | None = None, labelled: bool = False
) -> Samples:
    extraction = table.settings.as_dict
    if labelled and expected is not None:  # some of the settings, as asked for
        found = {"features": table.features, **extraction}
        as_list = {k: list(v) if isinstance(v, tuple) else v for k, v in expected.items()}
        if any(value != found.get(key) for key, value in as_list.items()):
            raise ValueError(f"{as_list} was asked for, the table has {found}; extract it anew.")
    elif expected is not None and expected != extraction:
        raise ValueError(
            f"the model was trained on features extracted with {expected}, the table with "
            f"{extraction}; extract it anew."
        )
    return Samples(
        table.data.astype(np.float64),
        table.picture_names.tolist(),
        table.target,
        table.target_names,
        extraction,
        table.groups,
    )


def _check_told_apart(table: FeatureTable, name: PathLike) -> FeatureTable:
    """Refuse classes whose pictures are all the same to the features, whatever their sizes."""
    # The tutorial's counts grow with the picture.
    sums = table.data.sum(axis=1, keepdims=True) if table.features == TUTORIAL else 1
    shares = table.data / np.maximum(sums, 1)
    seen: dict[bytes, int] = {}
    for label in np.unique(table.target).tolist():
        rows = shares[table.target == label]
        if (rows == rows[0]).all():
            other = seen.setdefault(rows[0].tobytes(), label)
            if other != label:
                alike = table.target_names[[other, label]].tolist()
                raise ValueError(
                    f"all pictures of the classes {alike} in {name} look alike to the features "
                    f"{table.features!r}, which see {table.settings.sees}; choose other features, "
                    "or give a table of your own."
                )
    return table


def _check_extraction(
    extraction: Extraction | None, n_features: int | None = None
) -> PictureFeatures:
    if extraction is None:
        raise ValueError(
            "the model was trained on a table, not on features of pictures; give a table, not "
            "pictures."
        )
    features = PictureFeatures.of_dict(extraction)
    if n_features not in (None, features.n_columns):  # before so many bins are made
        raise ValueError(
            f"the model takes {n_features} features, and its extraction {dict(extraction)} gives "
            f"{features.n_columns}: the file is damaged, train again."
        )
    return features


def _number(X: Any) -> list[str]:
    return [str(k) for k in range(len(X))]
