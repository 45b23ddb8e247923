"""Data sets of different kinds, in parts to train on and to test on, ready for a network.

scikit-learn's sets and generators, the fruits as histograms and as small pictures. A seed gives
another split, and another draw of a generated set; the fruits have two splits, one an axis. The
defaults were tuned with smaller seeds, so that a report takes seeds from `FIRST_SEED` on: the
generated sets are then new, but the kept ones are the same samples in other parts, and the fruits
the very same parts.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from sklearn import datasets
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from ga_ann import load_fruits360, select_by_std

FIRST_SEED = 100
PICTURES = Path(
    os.environ.get("FRUITS360", Path(__file__).resolve().parents[2] / "shared/data/fruits360")
)
PIXELS = (32, 32)

Split = tuple[Any, Any, Any, Any]  # training samples, targets, test samples, targets


class DataSet(NamedTuple):
    """How a seed splits the set, and the hidden layers of a network for it."""

    split: Callable[[int], Split]
    hidden: tuple[int, ...] = (32,)
    is_regression: bool = False

    def score(self, y_true: Any, y_pred: Any) -> float:
        """Return the accuracy, or R2."""
        return float((r2_score if self.is_regression else accuracy_score)(y_true, y_pred))


def standardised(train: Any, *others: Any) -> list[Any]:
    """Return parts of the data in units of the first one's mean and standard deviation."""
    scaler = StandardScaler().fit(train)
    return [scaler.transform(part) for part in (train, *others)]


# ------------------------------------------------------------------------------------ splits


def kept(load: Callable[..., Any], **options: Any) -> DataSet:
    """Return one of scikit-learn's sets."""
    return DataSet(lambda seed: hold_out(load(return_X_y=True), seed), **options)


def drawn(make: Callable[..., Any], *sizes: int, **options: Any) -> DataSet:
    """Return a generated set."""
    return DataSet(lambda seed: hold_out(make(*sizes, random_state=seed, **options), seed))


def hold_out(data: tuple[Any, Any], seed: int) -> Split:
    """Hold out a stratified quarter."""
    X, y = data
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    X, X_test = standardised(X, X_test)
    return X, y, X_test, y_test


def of_numbers(load: Callable[[int], tuple[Any, Any]]) -> DataSet:
    """Return a regression, its targets standardised too: gradient descent needs it."""

    def split(seed: int) -> Split:
        X, X_test, y, y_test = train_test_split(*load(seed), test_size=0.25, random_state=seed)
        X, X_test = standardised(X, X_test)
        y, y_test = standardised(y[:, None], y_test[:, None])
        return X, y.ravel(), X_test, y_test.ravel()

    return DataSet(split, is_regression=True)


def rotation(axis: int) -> Split:
    """Train on the fruits that turn about one axis, test on those about the other."""
    fruits = load_fruits360()
    train = fruits.groups == axis
    columns = select_by_std(fruits.data[train], min_std=50)
    X, y = fruits.data[:, columns], fruits.target
    X = X / X[train].std()  # one number; Adam stumbles over raw counts
    return X[train], y[train], X[~train], y[~train]


def rotation_of_pictures(axis: int) -> Split:
    """Return the same split of the pixels."""
    fruits = load_fruits360()
    train = fruits.groups == axis
    X, X_test = standardised(pictures()[train], pictures()[~train])
    return X, fruits.target[train], X_test, fruits.target[~train]


@cache
def pictures() -> Any:
    """Return the red, green and blue of the fruits' pixels, a row a picture."""
    rows = []
    for name in load_fruits360().picture_names:
        with Image.open(PICTURES / name) as picture:
            rows.append(np.asarray(picture.convert("RGB").resize(PIXELS), dtype=np.float32).ravel())
    return np.array(rows) / np.float32(255)


# -------------------------------------------------------------------------------------- sets

_classes = datasets.make_classification
SETS = {
    "iris": kept(datasets.load_iris, hidden=(16,)),
    "wine": kept(datasets.load_wine, hidden=(16,)),
    "breast cancer": kept(datasets.load_breast_cancer),
    "digits": kept(datasets.load_digits),
    "fruits, histograms": DataSet(lambda seed: rotation(seed % 2), (150, 60)),
    "fruits, pictures": DataSet(lambda seed: rotation_of_pictures(seed % 2), (64,)),
    "two moons": drawn(datasets.make_moons, 1000, noise=0.3),
    "two classes, noisy": drawn(_classes, 1200, 20, n_informative=8, flip_y=0.1, class_sep=0.8),
    "three classes, imbalanced": drawn(
        _classes, 2500, 20, n_informative=8, n_classes=3, weights=[0.85, 0.1, 0.05], flip_y=0.02
    ),
    "five classes": drawn(_classes, 3000, 30, n_informative=12, n_classes=5, flip_y=0.03),
    "seven classes, 60,000 samples": drawn(
        _classes, 60_000, 40, n_informative=15, n_classes=7, n_clusters_per_class=2
    ),
    "ten classes, 500 features": drawn(
        _classes, 4000, 500, n_informative=40, n_classes=10, n_clusters_per_class=1, class_sep=1.5
    ),
    "eleven classes": drawn(
        _classes,
        1000,
        12,
        n_informative=10,
        n_redundant=0,
        n_classes=11,
        n_clusters_per_class=1,
        class_sep=1.5,
    ),
    "26 classes": drawn(
        _classes,
        12_000,
        16,
        n_informative=14,
        n_redundant=0,
        n_classes=26,
        n_clusters_per_class=1,
        class_sep=1.6,
    ),
    "diabetes": of_numbers(lambda seed: datasets.load_diabetes(return_X_y=True)),
    "friedman": of_numbers(
        lambda seed: datasets.make_friedman1(2000, noise=1.0, random_state=seed)
    ),
}
"""The sets by name: 150 to 60,000 samples, 2 to 3,072 features, 2 to 26 classes, regressions."""


def at_hand() -> dict[str, DataSet]:
    """Return the sets whose data are here, and say which are not."""
    if PICTURES.is_dir():
        return SETS
    print(f"Skipped: the fruits' pictures, which are not in {PICTURES} (set FRUITS360).")
    return {name: data for name, data in SETS.items() if name != "fruits, pictures"}
