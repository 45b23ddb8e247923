"""What a picture is turned into: the kinds of features, and their settings as a value."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ga_ann.counter import Counter
from ga_ann.datasets.hue import check_histogram, hue_histogram, to_hsv
from ga_ann.datasets.pictures import read_picture, to_rgb
from ga_ann.network import lookup

__all__ = ["TUTORIAL", "PictureFeatures", "choose_bins", "choose_features"]

TUTORIAL = "tutorial"

_CHANNELS: dict[str, tuple[str, ...]] = {
    "hsv": ("hue", "saturation", "value"),
    "hue": ("hue",),
    TUTORIAL: ("hue",),
}

_FEWEST_BINS, _MOST_BINS = 7, 9


@dataclass(frozen=True)
class PictureFeatures:
    """How the features of a picture are computed.

    Attributes
    ----------
    kind : {"hsv", "hue", "tutorial"}
        ``"hsv"``
            Histograms of hue, saturation and value, as shares of the picture's pixels: what colours
            and what brightness there are. A pixel's hue counts by its saturation, as a grey one
            has none. Pictures of any size compare; where in the picture, and in what shape, is not
            seen.
        ``"hue"``
            The first of them alone, which sees nothing in a grey picture.
        ``"tutorial"``
            The tutorial's: numbers of pixels by hue, see `hue_histogram`. They grow with the
            picture.
    bins : int
        Number of bins of each histogram, at least 1.
    hue_range : (float, float) or None
        Lowest and highest hue counted, see `hue_histogram`; None, each picture's own range, is the
        tutorial's. Saturation and value always span 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If one of them is not valid.

    Examples
    --------
    >>> red_and_grey = np.array([[[255, 0, 0], [100, 100, 100]]], dtype=np.uint8)
    >>> PictureFeatures("hsv", 2, (0, 1)).compute(red_and_grey)
    array([0.5, 0. , 0.5, 0.5, 0.5, 0.5])
    """

    kind: str
    bins: int
    hue_range: tuple[float, float] | None

    def __post_init__(self) -> None:
        lookup(_CHANNELS, self.kind, "features")
        limits = check_histogram(self.bins, self.hue_range)
        if limits is None and self.kind != TUTORIAL:
            raise ValueError(
                f"hue_range must be (lowest, highest) with the features {self.kind!r}, got None; "
                f"each picture's own range goes with {TUTORIAL!r}."
            )
        object.__setattr__(self, "bins", int(self.bins))
        object.__setattr__(self, "hue_range", limits)

    def compute(self, image: Image.Image | NDArray[Any]) -> NDArray[Any]:
        """Return the features of a picture, as for `hue_histogram`, of shape (n_columns,).

        Raises
        ------
        ValueError
            If it is no picture.
        """
        if self.kind == TUTORIAL:
            return hue_histogram(image, bins=self.bins, hue_range=self.hue_range)
        hue, saturation, value = to_hsv(to_rgb(image).reshape(-1, 3))
        shares = [np.histogram(hue, self.bins, self.hue_range, weights=saturation)[0]]
        if self.kind == "hsv":
            shares += [np.histogram(x, self.bins, (0.0, 1.0))[0] for x in (saturation, value)]
        return np.concatenate(shares) / len(hue)

    def compute_files(
        self, paths: Sequence[str | os.PathLike[str]], *, verbose: bool = False
    ) -> Iterator[NDArray[Any]]:
        """Yield the features of pictures in files, of which one at a time is held.

        Raises
        ------
        OSError, ValueError
            As `read_picture` does, when it comes to that file.
        """
        with Counter(len(paths), "extracting", "pictures", verbose=verbose) as counter:
            for path in paths:
                yield self.compute(read_picture(path))
                counter.step()

    @property
    def names(self) -> list[str]:
        """Names of the features: ``hue0``, ``hue1``, ..., ``saturation0``, ..."""
        return [f"{channel}{k}" for channel in _CHANNELS[self.kind] for k in range(self.bins)]

    @property
    def n_columns(self) -> int:
        """Number of features."""
        return len(_CHANNELS[self.kind]) * self.bins

    @property
    def as_dict(self) -> dict[str, Any]:
        """The settings as plain values, as a model's file keeps them; see `of_dict`."""
        limits = None if self.hue_range is None else list(self.hue_range)
        # The tutorial's are without a name, as in the files written before there were others.
        named = {} if self.kind == TUTORIAL else {"features": self.kind}
        return {**named, "bins": self.bins, "hue_range": limits}

    @classmethod
    def of_dict(cls, settings: Mapping[str, Any]) -> PictureFeatures:
        """Return what `as_dict` made plain.

        Raises
        ------
        TypeError, ValueError
            If it holds anything else.
        """
        if settings.keys() - {"features"} != {"bins", "hue_range"}:
            raise ValueError(
                f"the model's extraction must give bins and hue_range, got {dict(settings)}."
            )
        return cls(
            settings.get("features", TUTORIAL),
            settings["bins"],
            settings["hue_range"],
        )

    @classmethod
    def of_columns(
        cls, kind: str, n_columns: int, hue_range: tuple[float, float] | None
    ) -> PictureFeatures:
        """Return the features that have so many columns in all, or fewer if these do not divide."""
        return cls(kind, n_columns // len(lookup(_CHANNELS, kind, "features")), hue_range)

    def __str__(self) -> str:
        channels = _CHANNELS[self.kind]
        limits = (
            "each picture's own"
            if self.hue_range is None
            else "{:g} to {:g}".format(*self.hue_range)
        )
        return f"{', '.join(channels)} in {self.bins} bins (range of hue: {limits})"

    @property
    def sees(self) -> str:
        """What pictures are told apart by."""
        return f"colours {'and' if self.kind == 'hsv' else 'without'} brightness, not shapes"


def choose_bins(n_pictures: int) -> int:
    """Return how many bins so many pictures bear: the cube root of their number, 7 to 9.

    Measured with 12 to 1,000 pictures of five kinds: with fewer bins (or 6, on whose edges green
    and blue lie) too little is seen, and with more of them the training pictures are learned
    sooner than what they have in common.

    Examples
    --------
    >>> [choose_bins(n) for n in (2, 36, 500, 2000)]
    [7, 7, 8, 9]
    """
    return int(np.clip(round(float(np.cbrt(n_pictures))), _FEWEST_BINS, _MOST_BINS))


def choose_features(
    n_pictures: int,
    features: str = "hsv",
    bins: int | None = None,
    hue_range: tuple[float, float] | None = None,
) -> PictureFeatures:
    """Return the features of so many pictures, with their defaults for what is None.

    Parameters
    ----------
    n_pictures : int
        Number of pictures of all classes, those that will be held out included: a number alone
        tells a network nothing of what is in them.
    features : {"hsv", "hue", "tutorial"}, default="hsv"
        The kind, see `PictureFeatures`.
    bins : int, optional
        Number of bins of each histogram; `choose_bins` by default, and 360 in the tutorial's.
    hue_range : (float, float), optional
        Lowest and highest hue; 0 to 1 by default, and each picture's own in the tutorial's.

    Raises
    ------
    TypeError, ValueError
        If one of them is not valid.

    Examples
    --------
    >>> choose_features(36)
    PictureFeatures(kind='hsv', bins=7, hue_range=(0.0, 1.0))
    >>> choose_features(36, "tutorial")
    PictureFeatures(kind='tutorial', bins=360, hue_range=None)
    """
    if features == TUTORIAL:
        defaults: tuple[int, Any] = 360, None
    else:
        defaults = choose_bins(n_pictures), (0.0, 1.0)
    return PictureFeatures(
        features,
        defaults[0] if bins is None else bins,
        defaults[1] if hue_range is None else hue_range,
    )
