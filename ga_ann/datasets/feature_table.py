"""The table of a folder of pictures: computed, saved, loaded.

Extraction holds one picture at a time, so its memory does not grow with their number: 1,962
pictures of 100 x 100 pixels take about three seconds.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.datasets.picture_features import TUTORIAL, PictureFeatures, choose_features
from ga_ann.datasets.pictures import list_pictures
from ga_ann.storage import named_errors, read_npz, replacing

__all__ = ["FeatureTable", "extract_features", "is_table", "load_table", "save_table"]

Array = NDArray[Any]
PathLike = str | os.PathLike[str]

_ARRAYS = ("data", "target", "target_names", "picture_names", "groups", "hue_range")


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of labelled pictures.

    Attributes
    ----------
    data : ndarray of shape (n_samples, n_columns)
        One picture a row: the tutorial's counts as unsigned integers, other features as floats.
    target : ndarray of int64, of shape (n_samples,)
        Index into `target_names`.
    target_names : ndarray of str, of shape (n_classes,)
        The classes.
    picture_names : ndarray of str, of shape (n_samples,)
        Where each row came from: ``"apple/0_100.jpg"``.
    groups : ndarray of uint8, of shape (n_samples,)
        1 for a picture whose file name starts with ``r_`` (the fruit turns about another axis), 0
        for the rest.
    hue_range : (float, float) or None
        The bins' common range, or None if each picture has its own; see `hue_histogram`.
    features : {"tutorial", "hsv", "hue"}, default="tutorial"
        What the columns are, see `extract_features`.

    Raises
    ------
    ValueError
        If the arrays do not fit each other.
    """

    data: Array
    target: Array
    target_names: Array
    picture_names: Array
    groups: Array
    hue_range: tuple[float, float] | None = None
    features: str = TUTORIAL

    def __post_init__(self) -> None:
        n = len(self.data) if self.data.ndim else 0
        columns = (self.target, self.picture_names, self.groups)
        kind, what = ("u", "unsigned counts") if self.features == TUTORIAL else ("f", "shares")
        if self.data.ndim != 2 or 0 in self.data.shape or self.data.dtype.kind != kind:
            raise ValueError(
                f"data must be a table of {what}, got shape {self.data.shape} of {self.data.dtype}."
            )
        if any(column.shape != (n,) for column in columns) or self.target_names.ndim != 1:
            raise ValueError(
                f"target, picture_names and groups must have shape ({n},) and target_names be 1-D, "
                f"got {[column.shape for column in (*columns, self.target_names)]}."
            )
        kinds = "".join(column.dtype.kind for column in (*columns, self.target_names))
        if not re.fullmatch("[iu]U[iu]U", kinds):
            raise ValueError("target and groups must be integers, the names text.")
        if self.target.min() < 0 or self.target.max() >= len(self.target_names):
            raise ValueError(
                f"target must lie in 0 to {len(self.target_names) - 1}, "
                f"got {self.target.min()} to {self.target.max()}."
            )
        if self.settings.n_columns != self.data.shape[1]:
            raise ValueError(
                f"data must have as many columns for each channel of {self.features!r}, got "
                f"{self.data.shape[1]}."
            )
        if kind == "f" and not (self.data.min() >= 0 and self.data.max() <= 1):
            raise ValueError("data must hold shares from 0 to 1.")

    @property
    def bins(self) -> int:
        """Number of bins of each histogram."""
        return self.settings.bins

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns of `data`: ``hue0``, ``hue1``, ..."""
        return self.settings.names

    @property
    def settings(self) -> PictureFeatures:
        """How the features were computed."""
        return PictureFeatures.of_columns(self.features, self.data.shape[1], self.hue_range)


def extract_features(
    folder: PathLike,
    *,
    classes: Sequence[str] | None = None,
    features: str = "hsv",
    bins: int | None = None,
    hue_range: tuple[float, float] | None = None,
    verbose: bool = False,
) -> FeatureTable:
    """Compute the features of a folder of pictures, one sub-folder a class.

    Parameters
    ----------
    folder, classes
        As in `list_pictures`.
    features : {"hsv", "hue", "tutorial"}, default="hsv"
        ``"hsv"``
            Histograms of hue, saturation and value, as shares of the picture's pixels: what colours
            and what brightness there are, in pictures of any size, but no shapes. A pixel's hue
            counts by its saturation, as a grey one has none.
        ``"hue"``
            The first of them alone: colours without brightness; grey pictures are all the same.
        ``"tutorial"``
            The tutorial's numbers of pixels by hue, see `hue_histogram`.
    bins : int, optional
        Number of bins of each histogram; 360 by default in the tutorial's, and else the cube root
        of the number of pictures, 7 to 9.
    hue_range : (float, float), optional
        Lowest and highest hue counted, see `hue_histogram`; each picture's own by default in the
        tutorial's, and else 0 to 1.
    verbose : bool, default=False
        Whether to show how many pictures are done.

    Returns
    -------
    FeatureTable
        The tutorial's counts are uint16 if they fit, else uint32; other features are float64.

    Raises
    ------
    OSError
        If `folder` is not there, or a file must not be read.
    TypeError, ValueError
        If a parameter is not valid, there are no pictures, or one of them cannot be read or has
        more pixels than Pillow's limit (`PIL.Image.MAX_IMAGE_PIXELS`); the message names it.
    """
    paths, target, class_names = list_pictures(folder, classes=classes)
    chosen = choose_features(len(paths), features, bins, hue_range)
    counts = chosen.kind == TUTORIAL
    data = np.empty((len(paths), chosen.n_columns), np.uint32 if counts else np.float64)
    for k, row in enumerate(chosen.compute_files(paths, verbose=verbose)):
        data[k] = row
    fits = counts and data.max() <= np.iinfo(np.uint16).max
    return FeatureTable(
        data=data.astype(np.uint16) if fits else data,
        target=target,
        target_names=np.array(class_names),
        picture_names=np.array([f"{path.parent.name}/{path.name}" for path in paths]),
        groups=np.array([path.name.startswith("r_") for path in paths], dtype=np.uint8),
        hue_range=chosen.hue_range,
        features=chosen.kind,
    )


def is_table(path: PathLike) -> bool:
    """Whether an npz file has what `save_table` writes beside features and labels, as it may be."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"target_names.npy", "picture_names.npy"} <= set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return False  # whoever reads it says why


def save_table(path: PathLike, table: FeatureTable) -> None:
    """Write a table as a compressed npz file, whole or not at all.

    Parameters
    ----------
    path : path
        Where to; a file of that name is replaced.
    table : FeatureTable
        What to write.

    Raises
    ------
    OSError
        If the folder does not exist, or must not be written to.
    """
    arrays = {
        "data": table.data,
        "target": table.target,
        "target_names": table.target_names,
        "picture_names": table.picture_names,
        "groups": table.groups,
        "hue_range": np.array(table.hue_range or (), dtype=np.float64),
    }
    if table.features != TUTORIAL:  # whose files are as they were before there were others
        arrays["features"] = np.array(table.features)
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_table(path: PathLike) -> FeatureTable:
    """Read a table that `save_table` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    FeatureTable

    Raises
    ------
    OSError
        If the file is not there, or must not be read.
    ValueError
        If it is damaged, holds something else, or holds pickled objects; nothing is unpickled.
    """
    with named_errors(path, "a feature table"):
        arrays = read_npz(path, (*_ARRAYS, "features"), _ARRAYS)
        features = arrays.pop("features", np.array(TUTORIAL))
        if features.shape != () or features.dtype.kind != "U":
            raise ValueError(f"features must be a name, got {features!r}.")
        limits = arrays.pop("hue_range")
        if limits.shape not in ((0,), (2,)) or limits.dtype.kind != "f":
            raise ValueError(f"hue_range must hold no or two numbers, got {limits!r}.")
        return FeatureTable(
            **arrays,
            hue_range=(float(limits[0]), float(limits[1])) if limits.size else None,
            features=features.item(),
        )
