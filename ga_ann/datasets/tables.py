"""Feature tables: the shipped one, hue histograms of pictures, and the user's own files.

Extraction holds one picture at a time, so its memory does not grow with their number: 1,962
pictures of 100 x 100 pixels take about three seconds.
"""

from __future__ import annotations

import csv
import io
import os
import pickle
import re
import reprlib
import struct
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Bunch, check_array
from tqdm import tqdm

from ga_ann.storage.files import array_from_bytes, named_errors, parse_npy, read_npz, replacing
from ga_ann.validation import check_number

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FeatureTable",
    "HueHistogram",
    "extract_features",
    "hue_histogram",
    "list_flat",
    "list_pictures",
    "load_features",
    "load_fruits360",
    "load_samples",
    "load_table",
    "save_table",
    "select_by_std",
    "shipped_table",
]

Array = NDArray[Any]
PathLike = str | os.PathLike[str]

_SHIPPED_TABLE = "fruits360_hue_histograms.npz"
_BLOCK = 2**16  # pixels whose intermediate colours stay in cache

FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "TGA", "TIFF", "WEBP")
"""Pillow's formats that are read. Some of its others run programs (EPS starts Ghostscript)."""

LONGEST_LABEL = 255
"""Characters of a label in a CSV file at most: in an array, each takes the longest one's room."""


# ---------------------------------------------------------------- pictures to histograms


def hue_histogram(
    image: Image.Image | Array,
    *,
    bins: int = 360,
    hue_range: tuple[float, float] | None = None,
) -> NDArray[np.int64]:
    """Count a picture's pixels by hue.

    Parameters
    ----------
    image : PIL.Image.Image, or ndarray of uint8 of shape (height, width, 3)
        The picture. One from Pillow is converted to RGB whatever its mode, without its
        transparency; an array is RGB.
    bins : int, default=360
        Number of bins, at least 1.
    hue_range : (float, float), optional
        Lowest and highest hue counted, within 0 to 1 (red is 0, green 1/3, blue 2/3, grey 0), for
        bins that are the same in every picture. None, as in the tutorial, cuts each picture's own
        range of hues into bins, so that one bin means different hues in different pictures.

    Returns
    -------
    ndarray of int64, of shape (bins,)

    Raises
    ------
    TypeError
        If a parameter is of the wrong type.
    ValueError
        If `image` has another shape or dtype or no pixel, or a parameter is out of its range.

    Examples
    --------
    >>> red_and_blue = np.array([[[255, 0, 0], [255, 0, 0], [0, 0, 255]]], dtype=np.uint8)
    >>> hue_histogram(red_and_blue, bins=3)
    array([2, 0, 1])
    >>> hue_histogram(red_and_blue, bins=6, hue_range=(0, 1))
    array([2, 0, 0, 0, 1, 0])
    """
    limits = _check_histogram(bins, hue_range)
    pixels = _to_rgb(image).reshape(-1, 3)
    hue = np.empty(len(pixels))
    for start in range(0, len(pixels), _BLOCK):
        hue[start : start + _BLOCK] = _hue(pixels[start : start + _BLOCK])
    return np.histogram(hue, bins=int(bins), range=limits)[0].astype(np.int64, copy=False)


def _check_histogram(bins: object, hue_range: object) -> tuple[float, float] | None:
    check_number(bins, "bins", Integral, low=1)
    if hue_range is None:
        return None
    if not isinstance(hue_range, Iterable):
        raise TypeError(f"hue_range must be None or (lowest, highest), got {hue_range!r}.")
    limits = tuple(hue_range)
    if (
        len(limits) != 2
        or not all(isinstance(limit, Real) for limit in limits)
        or not 0 <= limits[0] < limits[1] <= 1
    ):
        raise ValueError(
            "hue_range must be None or (lowest, highest) with 0 <= lowest < highest <= 1, "
            f"got {hue_range!r}."
        )
    return float(limits[0]), float(limits[1])


def _hue(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    # The factor 1/255, and nothing else, gives the tutorial's rounding (scikit-image's rgb2hsv):
    # in half of the pictures some colours lie on the edge of two bins.
    red, green, blue = pixels.T * (1 / 255)
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    grey = chroma == 0
    chroma[grey] = 1
    hue: NDArray[np.float64] = np.where(
        blue == value,
        4 + (red - green) / chroma,
        np.where(green == value, 2 + (blue - red) / chroma, (green - blue) / chroma),
    )
    hue /= 6
    hue[hue < 0] += 1
    hue[grey] = 0
    return hue


def _to_rgb(image: Image.Image | Array) -> NDArray[np.uint8]:
    if isinstance(image, Image.Image):
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")  # straight to RGB, Pillow warns
        pixels = np.asarray(image.convert("RGB"))
    else:
        pixels = np.asarray(image)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(
                "a picture must be an array of uint8 of shape (height, width, 3), "
                f"got shape {pixels.shape} of {pixels.dtype}."
            )
    if pixels.size == 0:
        raise ValueError(f"a picture must have pixels, got shape {pixels.shape}.")
    return pixels


def _read_picture(path: PathLike) -> NDArray[np.uint8]:
    with named_errors(path, "a picture"), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(Path(path), formats=FORMATS) as image:
            return _to_rgb(image)


class HueHistogram(TransformerMixin, BaseEstimator):
    """Turn pictures into hue histograms, as the first step of a scikit-learn pipeline.

    It learns nothing from the data, so `fit` only checks the parameters.

    Parameters
    ----------
    bins : int, default=360
        Number of bins, at least 1.
    hue_range : (float, float), optional
        As in `hue_histogram`: None for each picture's own bin edges, ``(0, 1)`` for fixed ones.

    Examples
    --------
    >>> pictures = np.zeros((2, 10, 10, 3), dtype=np.uint8)
    >>> HueHistogram(bins=4, hue_range=(0, 1)).fit_transform(pictures)
    array([[100,   0,   0,   0],
           [100,   0,   0,   0]])
    """

    def __init__(self, *, bins: int = 360, hue_range: tuple[float, float] | None = None) -> None:
        self.bins = bins
        self.hue_range = hue_range

    def fit(self, X: Iterable[Any], y: object = None) -> HueHistogram:
        """Check the parameters.

        Parameters
        ----------
        X : iterable
            Ignored, as is `y`.
        y : object, default=None
            Ignored.

        Returns
        -------
        HueHistogram
            The transformer itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not valid.
        """
        _check_histogram(self.bins, self.hue_range)
        return self

    def transform(self, X: Iterable[Any]) -> NDArray[np.int64]:
        """Compute the histograms.

        Parameters
        ----------
        X : ndarray of uint8 of shape (n_samples, height, width, 3), or iterable
            The pictures: paths, Pillow images or arrays of any sizes, mixed as you like.

        Returns
        -------
        ndarray of int64, of shape (n_samples, bins)
            Or a data frame, after ``set_output(transform="pandas")``.

        Raises
        ------
        FileNotFoundError
            If there is no file of that name.
        TypeError, ValueError
            If `X` is empty or a single path, or one of its items is no picture.
        """
        if isinstance(X, (str, os.PathLike, Image.Image)):
            raise TypeError(f"X must be a list of pictures, got {X!r}; put it in a list.")
        rows = [
            hue_histogram(
                _read_picture(picture) if isinstance(picture, (str, os.PathLike)) else picture,
                bins=self.bins,
                hue_range=self.hue_range,
            )
            for picture in X
        ]
        if not rows:
            raise ValueError("X must hold at least one picture, got none.")
        return np.stack(rows)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the columns' names: ``hue0``, ``hue1``, ...

        Parameters
        ----------
        input_features : object, default=None
            Ignored.

        Returns
        -------
        ndarray of str objects, of shape (bins,)
        """
        return np.array(_feature_names(self.bins), dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        return tags


def _feature_names(bins: int) -> list[str]:
    return [f"hue{k}" for k in range(bins)]


# ---------------------------------------------------------------- folders to tables


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
        _check_histogram(self.bins, self.hue_range)

    @property
    def bins(self) -> int:
        """Number of bins of each histogram."""
        return int(self.data.shape[1])

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns of `data`: ``hue0``, ``hue1``, ..."""
        return _feature_names(self.bins)


def list_pictures(
    folder: PathLike, *, classes: Sequence[str] | None = None
) -> tuple[list[Path], NDArray[np.int64], list[str]]:
    """Find the pictures in a folder that has one sub-folder a class.

    Parameters
    ----------
    folder : path
        The folder. Files are pictures if their extension is one of `FORMATS`, such as ``.jpg``,
        ``.png``, ``.tif`` or ``.webp``. Hidden files and links that lead out of the folder are left
        aside.
    classes : sequence of str, optional
        Names of the sub-folders to take, in the order of the labels; None for all of them in
        alphabetical order.

    Returns
    -------
    paths : list of pathlib.Path
        Class after class; within a class in the order of their names, numbers by their value.
    labels : ndarray of int64, of shape (n_pictures,)
        Index into `class_names`.
    class_names : list of str

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `folder` does not exist, or is not a folder.
    ValueError
        If there is no sub-folder, a sub-folder without a picture, or `classes` names one that is
        not there, or the same one twice.
    """
    root = Path(folder)
    if not root.exists():
        raise FileNotFoundError(f"{root} does not exist; expected a folder of pictures.")
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is not a folder; expected a folder of pictures.")
    paths: list[Path] = []
    labels: list[int] = []
    class_names = _class_folders(root, classes)
    for label, name in enumerate(class_names):
        pictures = _pictures_of(root, root / name)
        if not pictures:
            raise ValueError(
                f"{root / name} holds no picture; remove it, or name the classes to use. (Files "
                "without a picture's extension and links that lead out of the folder do not "
                "count.)"
            )
        paths += pictures
        labels += [label] * len(pictures)
    return paths, np.array(labels, dtype=np.int64), class_names


def list_flat(folder: PathLike) -> list[Path]:
    """Find the pictures that lie in a folder itself, whatever their class.

    Parameters
    ----------
    folder : path
        The folder; what counts as a picture is said in `list_pictures`.

    Returns
    -------
    list of pathlib.Path
        In the order of their names, numbers by their value.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it holds no picture.
    """
    root = Path(folder)
    pictures = _pictures_of(root, root)
    if not pictures:
        raise ValueError(f"{root} holds no picture.")
    return pictures


def _class_folders(root: Path, classes: Sequence[str] | None) -> list[str]:
    present = sorted(path.name for path in root.iterdir() if path.is_dir() and _is_own(path, root))
    if not present:
        raise ValueError(f"{root} has no sub-folders; expected one sub-folder of pictures a class.")
    if classes is None:
        return present
    if isinstance(classes, str) or not classes or len(set(classes)) != len(classes):
        raise ValueError(f"classes must be a list of different names, got {classes!r}.")
    if missing := [name for name in classes if name not in present]:
        raise ValueError(
            f"classes must be among the sub-folders of {root}, {present}; got {missing}."
        )
    return list(classes)


def _pictures_of(root: Path, folder: Path) -> list[Path]:
    Image.init()
    extensions = {e for e, kind in Image.registered_extensions().items() if kind in FORMATS}
    pictures = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in extensions and path.is_file() and _is_own(path, root)
    ]
    return sorted(pictures, key=lambda path: _natural(path.name))


def _is_own(path: Path, root: Path) -> bool:
    """Whether a path is neither hidden nor a link that leads out of the folder."""
    return not path.name.startswith(".") and path.resolve().is_relative_to(root.resolve())


def _natural(name: str) -> tuple[list[str | int], str]:
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if k % 2 else part for k, part in enumerate(parts)], name


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
    limits = _check_histogram(bins, hue_range)
    paths, target, class_names = list_pictures(folder, classes=classes)
    data = np.empty((len(paths), bins), dtype=np.uint32)
    for k, path in enumerate(
        tqdm(paths, "extracting", unit=" pictures", leave=False, disable=not verbose)
    ):
        data[k] = hue_histogram(_read_picture(path), bins=bins, hue_range=limits)
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


# ---------------------------------------------------------------- the shipped table


def load_fruits360(
    *,
    min_std: float | None = None,
    n_features: int | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """Load the hue histograms of 1,962 Fruits-360 pictures: apple, raspberry, mango, lemon.

    Parameters
    ----------
    min_std : float, optional
        Keep the columns whose standard deviation over all samples is greater: 50, the tutorial's
        rule, keeps 109 of the 360. To keep the test data out of the choice, use `select_by_std` on
        the training part instead.
    n_features : int, optional
        Keep this many columns, those of largest standard deviation, in their old order: 102 gives
        the tutorial's network. Not together with `min_std`.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` rather than everything.
    as_frame : bool, default=False
        Whether `data` is a pandas DataFrame and `target` a Series.

    Returns
    -------
    sklearn.utils.Bunch, or (data, target)
        With

        ``data``
            float64, of shape (1962, 360) or fewer columns.
        ``target``
            int64, of shape (1962,): index into ``target_names``.
        ``frame``
            DataFrame of both with `as_frame`, else None.
        ``target_names``, ``feature_names``, ``picture_names``
            What labels, columns and rows stand for.
        ``groups``
            1 where the fruit turns about the other axis, else 0: train on one, test on the other.
        ``DESCR``, ``filename``
            Source and licence (CC BY-SA 4.0); the file.

    Raises
    ------
    ImportError
        If `as_frame` is asked for without pandas.
    TypeError, ValueError
        If `min_std` or `n_features` is out of its range, or both are given.

    Examples
    --------
    >>> X, y = load_fruits360(return_X_y=True, n_features=102)
    >>> X.shape, y.shape
    ((1962, 102), (1962,))
    >>> fruits = load_fruits360(min_std=50)
    >>> fruits.data.shape, fruits.target_names.tolist()
    ((1962, 109), ['apple', 'raspberry', 'mango', 'lemon'])
    """
    filename = shipped_table()
    table = load_table(filename)
    keep = select_by_std(table.data, min_std=min_std, n_features=n_features)
    data: Any = table.data[:, keep].astype(np.float64)
    feature_names = [name for name, kept in zip(table.feature_names, keep, strict=True) if kept]
    target: Any = table.target
    frame = None
    if as_frame:
        frame = _as_frame(data, target, feature_names)
        data, target = frame[feature_names], frame["target"]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        target_names=table.target_names,
        feature_names=feature_names,
        groups=table.groups,
        picture_names=table.picture_names,
        DESCR=filename.with_name("README.md").read_text(encoding="utf-8"),
        filename=str(filename),
    )


def shipped_table() -> Path:
    """Return the file that `load_fruits360` reads.

    Raises
    ------
    FileNotFoundError
        If it is missing.
    """
    package = Path(__file__).parents[1]
    for home in (package, package.parent):  # a wheel has it inside, a checkout beside
        if (path := home / "data" / _SHIPPED_TABLE).is_file():
            return path
    raise FileNotFoundError(f"{package / 'data' / _SHIPPED_TABLE} is missing; reinstall ga_ann.")


def _as_frame(data: Array, target: Array, feature_names: list[str]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("load_fruits360 with as_frame=True requires pandas.") from error
    return pd.DataFrame(data, columns=feature_names).assign(target=target)


def select_by_std(
    X: ArrayLike, *, min_std: float | None = None, n_features: int | None = None
) -> NDArray[np.bool_]:
    """Choose columns by their standard deviation over the samples (divided by n, not n - 1).

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        The training part of the data.
    min_std : float, optional
        Keep the columns whose standard deviation is greater; at least 0. The tutorial's is 50.
    n_features : int, optional
        Keep this many columns, those of largest standard deviation (of equal ones the first); from
        1 to n_columns.

    Returns
    -------
    ndarray of bool, of shape (n_columns,)
        True for the columns to keep; all of them if neither parameter is given.

    Raises
    ------
    TypeError, ValueError
        If both parameters are given, one is out of its range, no column remains, or `X` is not a
        table of finite numbers.

    Examples
    --------
    >>> X = [[0, 0, 5], [0, 100, 7]]
    >>> select_by_std(X, min_std=50 - 1e-9)
    array([False,  True, False])
    >>> select_by_std(X, n_features=2)
    array([False,  True,  True])
    """
    if min_std is not None and n_features is not None:
        raise ValueError(
            "min_std and n_features are two ways to choose columns, give one of them; "
            f"got min_std={min_std!r} and n_features={n_features!r}."
        )
    data = check_array(X, dtype=np.float64)
    std = data.std(axis=0)
    if min_std is not None:
        check_number(min_std, "min_std", Real, low=0)
        # The deviation of equal numbers may come out as a little more than 0.
        mask: NDArray[np.bool_] = (std > min_std) & (np.ptp(data, axis=0) > 0)
        if not mask.any():
            raise ValueError(
                f"no column has a standard deviation above {min_std}; the largest is "
                f"{std.max():.3g}."
            )
        return mask
    if n_features is None:
        return np.ones(data.shape[1], dtype=bool)
    check_number(n_features, "n_features", Integral, low=1, high=data.shape[1])
    mask = np.zeros(data.shape[1], dtype=bool)
    mask[np.argsort(-std, kind="stable")[:n_features]] = True
    return mask


# ---------------------------------------------------------------- the user's own tables


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
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}.")
    suffix = path.suffix.lower()
    if suffix not in (*_ARRAY_READERS, *_TABLE_READERS):
        known = [*_ARRAY_READERS, *_TABLE_READERS]
        raise ValueError(f"the features' file must end in one of {known}, got {path}.")
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
    if len(X) != len(y):
        raise ValueError(
            f"{target or path} must have as many labels as there are rows of features: {len(X)}, "
            f"got {len(y)}."
        )
    return X, y


def load_samples(path: PathLike, *, n_features: int | None = None) -> tuple[Array, Array | None]:
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
    suffix = path.suffix.lower()
    with named_errors(path, "features"):
        if suffix in _ARRAY_READERS:
            return _check_data(_ARRAY_READERS[suffix](path)), None
        if suffix == ".npz":
            arrays = list(
                read_npz(path, ("data", "target"), ("X", "y"), ("data",), ("X",)).values()
            )
            if len(arrays) == 1:
                return _check_data(arrays[0]), None
        elif suffix == ".csv":
            rows = _read_rows(path)
            if len(rows[0][1]) == n_features:
                return _check_data(_to_numbers(_without_names(rows, n_features))), None
    return load_features(path)


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


def _read_npz_pair(path: Path) -> list[Array]:
    return list(read_npz(path, ("data", "target"), ("X", "y")).values())


Rows = list[tuple[int, list[str]]]
"""The lines of a CSV file: their numbers from 1 and their cells."""


def _read_csv(path: Path) -> list[Array]:
    rows = _read_rows(path)
    width = len(rows[0][1])
    rows = _without_names(rows, width - 1)
    for line, cells in rows:
        if width < 2 or not cells[-1]:
            raise ValueError(
                f"line {line} must hold {max(width - 1, 1)} numbers and a label, got {width} "
                f"cells, {cells[-1]!r} the last."
            )
        if len(cells[-1]) > LONGEST_LABEL:
            raise ValueError(
                f"line {line} must end in a label of at most {LONGEST_LABEL} characters, got "
                f"{len(cells[-1])}."
            )
    labels = [cells[-1] for _, cells in rows]
    features = _to_numbers([(line, cells[:-1]) for line, cells in rows])
    return [features, np.array([float(label) for label in labels] if _plain(labels) else labels)]


def _read_rows(path: Path) -> Rows:
    """Return the lines that are not blank, all of one width; there is at least one."""
    rows: Rows = []
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if rows and len(cells) != len(rows[0][1]):
                raise ValueError(
                    f"line {reader.line_num} must hold {len(rows[0][1])} cells as line "
                    f"{rows[0][0]} does, got {len(cells)}."
                )
            rows.append((reader.line_num, cells))
    if not rows:
        raise ValueError("there are no rows of numbers.")
    return rows


def _without_names(rows: Rows, n_features: int) -> Rows:
    """Leave out the first row if it holds the columns' names."""
    _, first = rows[0]
    named = not any(_is_number(cell) for cell in first[:n_features])
    if len(first) > n_features and len(rows) > 1 and not _is_number(first[-1]):
        named = named or all(_is_number(cells[-1]) for _, cells in rows[1:])
    if named and len(rows) == 1:
        raise ValueError("there are no rows of numbers.")
    return rows[named:]


def _to_numbers(rows: Rows) -> NDArray[np.float64]:
    features = []
    for line, cells in rows:
        try:
            features.append(np.array(cells, dtype=np.float64))
        except ValueError as error:
            raise ValueError(f"line {line}: {error}") from error
    return np.stack(features)


def _plain(labels: Sequence[str]) -> bool:
    """Whether all are numbers, and none a code such as 01 that would become the number 1."""
    return all(
        _is_number(label)
        and not re.match("[+-]?0[0-9]", label)
        and not 2.0**53 <= abs(float(label)) < float("inf")
        for label in labels
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _PickledDtype:
    """Stand-in for numpy.dtype in a pickle: plain numbers and text alone."""

    __slots__ = ("dtype",)

    def __init__(self, code: object) -> None:
        if not isinstance(code, str) or not re.fullmatch("[biufSU][0-9]{1,9}", code):
            # In short, because nested tuples of a few bytes can have gigabytes of text.
            got = reprlib.repr(code)
            raise ValueError(f"it holds an array of type {got}; expected numbers or text.")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _PickledBytes:
    """Stand-in for bytes that a pickle has as text; they are made once, in the end."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _PickledArray:
    """Stand-in for numpy.ndarray in a pickle; the array is made once, in the end."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        self.parts = raw, dtype, shape, fortran

    def build(self) -> Array:
        raw, dtype, shape, fortran = self.parts
        raw = raw.text if isinstance(raw, _PickledBytes) else raw
        # Python 2 wrote bytes as str, which is read as latin-1.
        raw = raw.encode("latin-1") if isinstance(raw, str) else raw
        return array_from_bytes(raw, dtype.dtype, shape, fortran)


class _ArrayUnpickler(pickle._Unpickler):
    """Unpickler that calls none of the functions that a pickle names.

    Each name that NumPy's arrays need is answered with a stand-in; any other is refused. The
    stand-ins are made afresh each time: a pickle may set attributes of what it was given. The base
    is the one in Python, because that in C allocates tens of gigabytes for a memo of six bytes.

    Nothing is copied before the end, as a pickle of a few bytes can ask for it a thousand times,
    and dicts and sets stay empty, as the hash of nested tuples can take for ever.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    if TYPE_CHECKING:  # what the base has, and its types leave out
        append: Any
        pop_mark: Any
        read: Any
        stack: list[Any]

    def _load_bytearray(self) -> None:
        # The base allocates whatever size is named.
        (size,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(size)))

    def _load_item(self) -> None:
        del self.stack[-2:]

    def _load_dict(self) -> None:
        self.pop_mark()
        self.append({})

    def _load_frozenset(self) -> None:
        self.pop_mark()
        self.append(frozenset())

    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray
    dispatch[pickle.SETITEM[0]] = _load_item
    dispatch[pickle.SETITEMS[0]] = dispatch[pickle.ADDITEMS[0]] = lambda self: self.pop_mark()
    dispatch[pickle.DICT[0]] = _load_dict
    dispatch[pickle.FROZENSET[0]] = _load_frozenset

    def find_class(self, module: str, name: str) -> Any:
        stand_ins: dict[str, Any] = {
            "numpy.ndarray": "numpy.ndarray",
            "numpy.dtype": lambda code, *flags: _PickledDtype(code),
            "numpy.core.multiarray._reconstruct": lambda *args: _PickledArray(),
            "numpy.core.numeric._frombuffer": lambda raw, dtype, shape, order, *axes: _PickledArray(
                raw, dtype, shape, order == "F"
            ),
            "_codecs.encode": lambda text, encoding: _PickledBytes(text),
        }
        full_name = f"{module}.{name}"
        answer = stand_ins.get(full_name.replace("numpy._core.", "numpy.core."))
        if answer is None:
            raise pickle.UnpicklingError(
                f"it holds {full_name}; a pickle may hold nothing but a NumPy array of numbers or "
                "text. Nothing in it was run."
            )
        return answer


def _read_pickle(path: Path) -> Array:
    unpickler = _ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="latin-1")
    try:
        held = unpickler.load()
        if isinstance(held, _PickledArray) and held.parts:
            return held.build()
    except (ValueError, pickle.UnpicklingError):
        raise
    except Exception as error:
        raise ValueError("it is no pickle, or a damaged one.") from error
    raise ValueError(f"it holds a {type(held).__name__}; expected one NumPy array.")


_ARRAY_READERS: dict[str, Callable[[Path], Array]] = {".npy": _read_npy, ".pkl": _read_pickle}
_TABLE_READERS: dict[str, Callable[[Path], list[Array]]] = {
    ".csv": _read_csv,
    ".npz": _read_npz_pair,
}
