"""Data sets: what `compare` knows by name, and how networks are trained on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import ArrayLike
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.utils import Bunch

from ga_ann.datasets import load_fruits360

__all__ = ["DATASETS", "DataSet"]

PICTURES_MIN_STD = 50.0
"""The tutorial's filter of hue histograms."""


class DataSet(NamedTuple):
    """Samples, and how networks are trained on them unless a parameter of `compare` says otherwise.

    Attributes
    ----------
    label : str
        What it is called in captions.
    load : callable
        ``load() -> Bunch`` of ``data``, ``target`` and, where there are such, ``target_names``,
        ``groups`` and ``picture_names``.
    splits : tuple of str
        Names in `SPLITS`.
    hidden_layer_sizes : tuple of int
        Sizes of the hidden layers.
    min_std : float or None
        Features of a smaller standard deviation over the training part are left out.
    standardise : bool
        Whether the features are standardised by the training part.
    unit : str
        What a sample is called, in the plural.
    groups : mapping of str to str
        What the groups are called; their values by default.
    """

    label: str
    load: Callable[[], Any]
    splits: tuple[str, ...] = ("holdout",)
    hidden_layer_sizes: tuple[int, ...] = (32,)
    min_std: float | None = None
    standardise: bool = True
    unit: str = "samples"
    groups: Mapping[str, str] = {}

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


_AS_IN_THE_TUTORIAL: dict[str, Any] = {
    "hidden_layer_sizes": (150, 60),
    "min_std": PICTURES_MIN_STD,
    "standardise": False,
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
}
"""The data sets by name:

``"fruits"``
    `load_fruits360` as in the tutorial: features of a standard deviation above 50, hidden layers of
    150 and 60; trained on one axis of rotation and tested on the other.
``"digits"``, ``"wine"``, ``"breast_cancer"``
    Those of scikit-learn: all features, standardised by the training part; one hidden layer of 32;
    a quarter held out.
"""
