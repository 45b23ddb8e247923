"""Splits: which samples train and which test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import LeaveOneGroupOut, train_test_split

from ga_ann.datasets import Inputs, fit_inputs, take_rows

__all__ = ["SPLITS", "Split", "make_splits"]

Array = NDArray[Any]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Split:
    """Which samples train and which test; all methods get the same one.

    Attributes
    ----------
    kind : str
        A name in `SPLITS`.
    name : str
        The same, with the direction where there are several: ``"rotation 0->1"``.
    seed : int
        Number of the seed, from 0.
    train, test : ndarray of int
        Indices of the samples. With ``"all"`` they are the same.
    inputs : Inputs
        How samples become a network's inputs; fitted to the training part alone.
    """

    kind: str
    name: str
    seed: int
    train: Indices
    test: Indices
    inputs: Inputs

    @property
    def columns(self) -> NDArray[np.bool_]:
        """The features that the filter keeps."""
        return self.inputs.columns


Parts = Iterator[tuple[str, Indices, Indices]]


def _are_classes(y: Array) -> bool:
    return y.dtype.kind != "f"


def _split_all(y: Array, groups: Array | None, random_state: int) -> Parts:
    yield "all", np.arange(len(y)), np.arange(len(y))


def _split_holdout(y: Array, groups: Array | None, random_state: int) -> Parts:
    if _are_classes(y) and (n_alone := int((np.bincount(y) == 1).sum())):
        raise ValueError(
            f"the least populated class has a single sample, which cannot be held out and trained "
            f"on ({n_alone} of {len(np.unique(y))} classes): add samples, or use the split 'all'; "
            "numbers that were measured take the task regression."
        )
    train, test = train_test_split(
        np.arange(len(y)),
        test_size=0.25,
        stratify=y if _are_classes(y) else None,
        random_state=random_state,
    )
    yield "holdout", np.sort(train), np.sort(test)


def _split_rotation(y: Array, groups: Array | None, random_state: int) -> Parts:
    if groups is None:
        raise ValueError(
            "the split 'rotation' needs groups, one value a sample, and these data have none; use "
            "'holdout'."
        )
    values = np.unique(groups).tolist()
    if len(values) != 2:
        raise ValueError(f"the split 'rotation' needs groups of exactly two values, got {values}.")
    for test, train in LeaveOneGroupOut().split(y, groups=groups):
        yield f"rotation {groups[train[0]]}->{groups[test[0]]}", train, test


SPLITS: dict[str, Callable[[Array, Array | None, int], Parts]] = {
    "all": _split_all,
    "holdout": _split_holdout,
    "rotation": _split_rotation,
}
"""The splits by name:

``"all"``
    Trained and measured on all samples, as in the tutorial; there is no held-out score.
``"holdout"``
    A quarter of each class, or of a regression's samples, is held out: another for each seed.
``"rotation"``
    Trained on one group and tested on the other, in both directions.
"""


def make_splits(
    kinds: Sequence[str],
    X: Any,
    y: Array,
    groups: Array | None,
    seeds: Sequence[int],
    *,
    min_std: float | None,
    n_features: int | None,
    standardise: bool = False,
) -> list[Split]:
    """Draw the splits of all seeds, and refuse those that cannot be learned from.

    Parameters
    ----------
    kinds : sequence of str
        Names in `SPLITS`.
    X, y, groups : ndarray
        The samples; their classes, integers, or the targets of a regression, floats; and a value a
        sample that ``"rotation"`` goes by.
    seeds : sequence of int
        What the held-out samples are drawn by.
    min_std, n_features : float, int or None
        The filter of features, see `select_by_std`.
    standardise : bool, default=False
        See `fit_inputs`.

    Returns
    -------
    list of Split
        Seed after seed.

    Raises
    ------
    ValueError
        If a split cannot be made, or its training part holds a single class or no feature; or if a
        part of a regression's holds a single target, of which no score can be told.

    Examples
    --------
    >>> X, y = np.eye(4), np.array([0, 1, 0, 1])
    >>> for split in make_splits(
    ...     ["rotation"], X, y, np.array([5, 5, 6, 6]), [0], min_std=None, n_features=None
    ... ):
    ...     print(split.name, split.train, split.test)
    rotation 5->6 [0 1] [2 3]
    rotation 6->5 [2 3] [0 1]
    """
    splits = []
    for number, seed in enumerate(seeds):
        for kind in kinds:
            for name, train, test in SPLITS[kind](y, groups, seed):
                _check_parts(name, y, train, test)
                inputs = fit_inputs(
                    take_rows(X, train),
                    standardise=standardise,
                    min_std=min_std,
                    n_features=n_features,
                )
                splits.append(Split(kind, name, number, train, test, inputs))
    return splits


def _check_parts(name: str, y: Array, train: Indices, test: Indices) -> None:
    parts, what = {"training": train}, "classes"
    if not _are_classes(y):
        parts, what = parts | {"test": test}, "different targets"
    for part, rows in parts.items():
        if len(np.unique(y[rows])) < 2:
            raise ValueError(
                f"the {part} part of the split {name!r} must hold at least 2 {what}, got 1; use "
                "another split."
            )
