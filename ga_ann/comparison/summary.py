"""What a comparison's rows say: spreads over the seeds, and paired differences with an interval."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

__all__ = [
    "ENOUGH_SEEDS",
    "MEASURES",
    "MIN_SEEDS",
    "REGRESSION_MEASURES",
    "paired_differences",
    "summarise",
]

MEASURES = (
    "train_score",
    "held_out_score",
    "train_accuracy",
    "held_out_accuracy",
    "n_wrong",
    "evaluations",
    "seconds",
)
"""What a row of a `Comparison` measures; see there."""

REGRESSION_MEASURES = (
    "train_score",
    "held_out_score",
    "train_rmse",
    "held_out_rmse",
    "evaluations",
    "seconds",
)
"""The same of a regression."""

MIN_SEEDS = 3
"""Fewest differences that `paired_differences` gives an interval for."""

ENOUGH_SEEDS = 6
"""Fewest differences whose range holds their median with a probability of 95 %."""


def summarise(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the median, minimum and maximum over the seeds, a method and split.

    Parameters
    ----------
    rows : iterable of mapping
        `Comparison.rows`.

    Returns
    -------
    list of dict
        With ``split``, ``method``, ``n_seeds``, and for each of `MEASURES` (`REGRESSION_MEASURES`
        of a regression) a dict of ``median``, ``min`` and ``max``; split after split, in the order
        of the rows.

    Examples
    --------
    >>> about = {"method": "ga", "split": "holdout", **dict.fromkeys(MEASURES, 0)}
    >>> rows = [about | {"seed": 0, "seconds": 1.0}, about | {"seed": 1, "seconds": 2.0}]
    >>> summarise(rows)[0]["seconds"]
    {'median': 1.5, 'min': 1.0, 'max': 2.0}
    """
    cells: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in rows:
        cells.setdefault(row["split"], {}).setdefault(row["method"], []).append(row)
    return [
        {"split": split, "method": method, "n_seeds": len(seeds)}
        | {measure: _spread([row[measure] for row in seeds]) for measure in _measures(seeds[0])}
        for split, by_method in cells.items()
        for method, seeds in by_method.items()
    ]


def _measures(row: Mapping[str, Any]) -> tuple[str, ...]:
    return REGRESSION_MEASURES if "train_rmse" in row else MEASURES


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        name: float(reduce(values))
        for name, reduce in (("median", np.median), ("min", np.min), ("max", np.max))
    }


def paired_differences(
    rows: Iterable[Mapping[str, Any]],
    reference: str = "ga",
    *,
    random_state: int | np.random.Generator | None = 0,
) -> list[dict[str, Any]]:
    """Compare the held-out scores of a method with those of each other one, seed by seed.

    Within a seed all methods have the same training part, so their difference is free of how
    lucky the split was. Seeds of which one of the two methods lacks a score are left out.

    Parameters
    ----------
    rows : iterable of mapping
        `Comparison.rows`; the keys ``method``, ``split``, ``seed`` and ``held_out_score`` are read.
    reference : str, default="ga"
        The method whose scores the others' are subtracted from.
    random_state : int, numpy.random.Generator or None, default=0
        What the bootstrap draws from.

    Returns
    -------
    list of dict
        One for each split and other method, in the order of the rows, with the keys

        ``split``, ``reference``, ``method``
            What is compared.
        ``n_seeds``
            Number of differences.
        ``median``
            Median of the reference's score minus the other's, in units of the score; above 0 where
            the reference is better.
        ``low``, ``high``
            95 % bootstrap interval of this median (BCa; percentiles where that is not defined); NaN
            with fewer than 3 seeds. As the median of 5 differences or fewer lies outside their
            whole range with a probability of 6 % or more, the interval then covers less than 95 %.
        ``better``, ``equal``, ``worse``
            Number of seeds in which the reference was.

    Raises
    ------
    ValueError
        If the reference has no row.

    Examples
    --------
    >>> scores = {"ga": [0.98, 0.99, 0.97], "adam": [0.97, 0.97, 0.97]}
    >>> rows = [
    ...     {"method": method, "split": "holdout", "seed": seed, "held_out_score": score}
    ...     for method, reached in scores.items()
    ...     for seed, score in enumerate(reached)
    ... ]
    >>> found = paired_differences(rows)[0]
    >>> round(found["median"], 3), found["better"], found["equal"], found["worse"]
    (0.01, 2, 1, 0)
    """
    scores: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        of_this = scores.setdefault((row["split"], row["method"]), {})
        if not np.isnan(row["held_out_score"]):
            of_this[row["seed"]] = row["held_out_score"]
    methods = list(dict.fromkeys(method for _, method in scores))
    if reference not in methods:
        raise ValueError(f"reference must be a method of the rows, {methods}, got {reference!r}.")
    rng = np.random.default_rng(random_state)
    found = []
    for (split, method), others in scores.items():
        ours = scores.get((split, reference), {})
        differences = np.array([ours[seed] - others[seed] for seed in ours if seed in others])
        if method == reference or not len(differences):
            continue
        low, high = _median_interval(differences, rng)
        found.append(
            {
                "split": split,
                "reference": reference,
                "method": method,
                "n_seeds": len(differences),
                "median": float(np.median(differences)),
                "low": low,
                "high": high,
                "better": int((differences > 0).sum()),
                "equal": int((differences == 0).sum()),
                "worse": int((differences < 0).sum()),
            }
        )
    return found


def _median_interval(
    differences: NDArray[np.float64], rng: np.random.Generator
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the median."""
    if len(differences) < MIN_SEEDS:
        return float("nan"), float("nan")
    if np.ptp(differences) == 0:
        return float(differences[0]), float(differences[0])
    resample = partial(bootstrap, (differences,), np.median, random_state=rng)
    with warnings.catch_warnings():
        # BCa divides 0 by 0 where no single difference matters to the median.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = resample(method="BCa").confidence_interval
    if not np.isfinite(interval).all():
        interval = resample(method="percentile").confidence_interval
    return float(interval.low), float(interval.high)
