"""The table of a folder of pictures: computed, saved, loaded.

Extraction holds one picture at a time, so its memory does not grow with their number: 1,962
pictures of 100 x 100 pixels take about three seconds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ga_ann.datasets.hue import check_histogram, feature_names, hue_histogram
from ga_ann.datasets.pictures import list_pictures, read_picture
from ga_ann.storage import named_errors, read_npz, replacing

__all__ = ["FeatureTable", "extract_features", "load_table", "save_table"]

Array = NDArray[Any]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Hue histograms of labelled pictures.

    Attributes
    ----------
    data : ndarray of unsigned integers, of shape (n_samples, bins)
        One histogram a row.
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

    def __post_init__(self) -> None:
        n = len(self.data) if self.data.ndim else 0
        columns = (self.target, self.picture_names, self.groups)
        if self.data.ndim != 2 or 0 in self.data.shape or self.data.dtype.kind != "u":
            raise ValueError(
                "data must be a table of unsigned counts, "
                f"got shape {self.data.shape} of {self.data.dtype}."
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
        check_histogram(self.bins, self.hue_range)

    @property
    def bins(self) -> int:
        """Number of bins of each histogram."""
        return int(self.data.shape[1])

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns of `data`: ``hue0``, ``hue1``, ..."""
        return feature_names(self.bins)


def extract_features(
    folder: PathLike,
    *,
    classes: Sequence[str] | None = None,
    bins: int = 360,
    hue_range: tuple[float, float] | None = None,
    verbose: bool = False,
) -> FeatureTable:
    """Compute the hue histograms of a folder of pictures, one sub-folder a class.

    Parameters
    ----------
    folder, classes
        As in `list_pictures`.
    bins, hue_range
        As in `hue_histogram`.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    FeatureTable
        Counts are uint16 if they fit, else uint32.

    Raises
    ------
    OSError
        If `folder` is not there, or a file must not be read.
    TypeError, ValueError
        If a parameter is not valid, there are no pictures, or one of them cannot be read or has
        more pixels than Pillow's limit (`PIL.Image.MAX_IMAGE_PIXELS`); the message names it.
    """
    limits = check_histogram(bins, hue_range)
    paths, target, class_names = list_pictures(folder, classes=classes)
    data = np.empty((len(paths), bins), dtype=np.uint32)
    for k, path in enumerate(
        tqdm(paths, "extracting", unit=" pictures", leave=False, disable=not verbose)
    ):
        data[k] = hue_histogram(read_picture(path), bins=bins, hue_range=limits)
    return FeatureTable(
        data=data.astype(np.uint16) if data.max() <= np.iinfo(np.uint16).max else data,
        target=target,
        target_names=np.array(class_names),
        picture_names=np.array([f"{path.parent.name}/{path.name}" for path in paths]),
        groups=np.array([path.name.startswith("r_") for path in paths], dtype=np.uint8),
        hue_range=limits,
    )


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
        arrays = read_npz(
            path, ("data", "target", "target_names", "picture_names", "groups", "hue_range")
        )
        limits = arrays.pop("hue_range")
        if limits.shape not in ((0,), (2,)) or limits.dtype.kind != "f":
            raise ValueError(f"hue_range must hold no or two numbers, got {limits!r}.")
        return FeatureTable(
            **arrays, hue_range=(float(limits[0]), float(limits[1])) if limits.size else None
        )
