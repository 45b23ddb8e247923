"""Which samples were predicted wrongly, over several runs that tested them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Mistake", "Tested", "rank_errors", "rank_wrong"]

Tested = Iterable[tuple[NDArray[np.intp], NDArray[Any]]]
"""For each run the samples that were tested, and what was predicted of them."""


class Mistake(NamedTuple):
    """A sample that was wrong at least once.

    Attributes
    ----------
    sample : int
        Its index.
    taken_for : set of int
        The classes that it was taken for.
    n_wrong, n_runs : int
        How often it was wrong, of how often it was tested.
    """

    sample: int
    taken_for: set[int]
    n_wrong: int
    n_runs: int


def rank_wrong(tested: Tested, y: NDArray[Any]) -> tuple[list[Mistake], int]:
    """Return the samples that were wrong at least once, most often first; and how many were tested.

    Examples
    --------
    >>> runs = [(np.array([0, 1]), np.array([0, 2])), (np.array([1]), np.array([1]))]
    >>> rank_wrong(runs, np.array([0, 1]))
    ([Mistake(sample=1, taken_for={2}, n_wrong=1, n_runs=2)], 2)
    """
    runs: Counter[int] = Counter()
    wrong: Counter[int] = Counter()
    taken_for: dict[int, set[int]] = {}
    for indices, predicted in tested:
        runs.update(indices.tolist())
        for k in np.flatnonzero(predicted != y[indices]):
            sample = int(indices[k])
            wrong[sample] += 1
            taken_for.setdefault(sample, set()).add(int(predicted[k]))
    ranked = sorted(wrong, key=lambda k: (-wrong[k], k))
    return [Mistake(k, taken_for[k], wrong[k], runs[k]) for k in ranked], len(runs)


def rank_errors(tested: Tested, y: NDArray[Any]) -> pd.DataFrame:
    """Return the samples of a regression, largest error first.

    Returns
    -------
    DataFrame
        With the columns ``sample``, ``predicted`` (the median over the runs), ``n_runs``, ``true``
        and ``error``.

    Examples
    --------
    >>> runs = [(np.array([0, 1]), np.array([1.0, 5.0]))]
    >>> rank_errors(runs, np.array([1.0, 2.0]))["error"].tolist()
    [3.0, 0.0]
    """
    runs = [pd.DataFrame({"sample": indices, "of": predicted}) for indices, predicted in tested]
    by_sample = pd.concat(runs).groupby("sample")["of"]
    found = by_sample.agg(predicted="median", n_runs="size").reset_index()
    found["true"] = y[found["sample"]]
    found["error"] = found["predicted"] - found["true"]
    return found.sort_values("error", key=abs, ascending=False, kind="stable")
