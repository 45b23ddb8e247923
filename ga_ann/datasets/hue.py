"""Hue histograms of pictures, the tutorial's features."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin

from ga_ann.datasets.pictures import read_picture, to_rgb
from ga_ann.validation import check_number

__all__ = ["HueHistogram", "check_histogram", "hue_histogram", "to_hsv"]

_BLOCK = 2**16  # pixels whose intermediate colours stay in cache


def hue_histogram(
    image: Image.Image | NDArray[Any],
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
    limits = check_histogram(bins, hue_range)
    hue = _hues(to_rgb(image).reshape(-1, 3))
    return np.histogram(hue, bins=int(bins), range=limits)[0].astype(np.int64, copy=False)


def check_histogram(bins: object, hue_range: object) -> tuple[float, float] | None:
    """Return `hue_range` as two floats, or None; `bins` and it are those of `hue_histogram`.

    Raises
    ------
    TypeError, ValueError
        If one of them is not valid.
    """
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


def to_hsv(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], ...]:
    """Return hue, saturation and value, from 0 to 1, of pixels of shape (n_pixels, 3)."""
    highest = pixels.max(axis=1)
    chroma = highest - pixels.min(axis=1)
    return _hues(pixels), chroma / np.maximum(highest, 1), highest / 255


def _hues(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    hue = np.empty(len(pixels))
    for start in range(0, len(pixels), _BLOCK):
        hue[start : start + _BLOCK] = _hue(pixels[start : start + _BLOCK])
    return hue


def _hue(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    # What matplotlib.colors.rgb_to_hsv gives, to the last bit, in a tenth of its time.
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
        check_histogram(self.bins, self.hue_range)
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
                read_picture(picture) if isinstance(picture, (str, os.PathLike)) else picture,
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
        return np.array([f"hue{k}" for k in range(self.bins)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        return tags
