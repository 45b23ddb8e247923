"""Held out: scores of the estimators' defaults over sets of different kinds, against Adam's."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.data_sets import FIRST_SEED, DataSet, at_hand
from benchmarks.generalisation import score_and_seconds
from ga_ann import GeneticMLPClassifier, GeneticMLPRegressor

ADAM = "Adam"
GA = "GA"
AHEAD = f"{GA} - {ADAM}"
SMALL = 5000
"""Samples of the sets that a quick run takes, at most."""


def methods(data: DataSet, seconds: float) -> dict[str, Callable[[int], Any]]:
    """Return makers of the estimators, ours as long as it improves within the time."""
    ours = GeneticMLPRegressor if data.is_regression else GeneticMLPClassifier
    adam = MLPRegressor if data.is_regression else MLPClassifier
    return {
        GA: lambda seed: ours(
            data.hidden, random_state=seed, n_generations=10**6, max_time=seconds, n_jobs=-1
        ),
        # Its default of 200 epochs is too few for most of the sets.
        ADAM: lambda seed: adam(hidden_layer_sizes=data.hidden, max_iter=1000, random_state=seed),
    }


def measure(*, quick: bool = False, seeds: int = 5, seconds: float = 10.0) -> list[dict[str, Any]]:
    """Return a row a set: medians over the seeds, of differences too; and a count.

    Scores are accuracies in %, and 100 R2 for the regressions; the GA has `seconds` at most.
    """
    numbers = range(FIRST_SEED, FIRST_SEED + (1 if quick else seeds))
    rows = []
    for name, data in at_hand().items():
        X, y, *_ = data.split(FIRST_SEED)
        if quick and len(X) > SMALL:
            continue
        makers = methods(data, seconds / 10 if quick else seconds)
        runs = [_run(data, makers, seed) for seed in numbers]
        kind = "regression" if data.is_regression else len(np.unique(y))
        rows.append({"set": name, "samples": len(X), "features": X.shape[1], "classes": kind})
        rows[-1] |= _summarise(runs)
        print(rows[-1], flush=True)
    return [*rows, _count(rows)]


def _run(
    data: DataSet, makers: dict[str, Callable[[int], Any]], seed: int
) -> dict[str, tuple[float, float]]:
    """Return score and seconds of each method on one split."""
    split = data.split(seed)
    return {
        name: score_and_seconds(make, lambda _: [split], data.score, seed)
        for name, make in makers.items()
    }


def _summarise(runs: list[dict[str, tuple[float, float]]]) -> dict[str, Any]:
    """Return the columns that come from scores and seconds, a dictionary of methods a seed."""
    scores = {method: np.array([100 * run[method][0] for run in runs]) for method in runs[0]}
    row: dict[str, Any] = {name: float(np.median(values)) for name, values in scores.items()}
    difference = scores[GA] - scores[ADAM]
    row |= {
        AHEAD: float(np.median(difference)),
        "lowest": float(difference.min()),
        "highest": float(difference.max()),
    }
    for method in runs[0]:
        row[f"{method}, s"] = float(np.median([run[method][1] for run in runs]))
    return row


def _count(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a last row that counts the sets where the GA is at or above Adam."""
    count = f"{sum(row[AHEAD] >= 0 for row in rows)} of {len(rows)}"
    return dict.fromkeys(rows[0], "") | {"set": f"at or above {ADAM}", AHEAD: count}
