"""Ablation: what each part of the defaults is worth, one change at a time."""

from typing import Any

import numpy as np

from benchmarks.data_sets import FIRST_SEED, DataSet, at_hand
from benchmarks.time_to_solution import HIDDEN, load
from ga_ann import Recipe, evolve

TARGETS = {"fruits": 1.0, "digits": 0.98}
DEFAULTS = "defaults"
BIASES = "biases"
VARIANTS = {
    DEFAULTS: Recipe(),
    "recombination of the parents": Recipe(recombination="parents"),
    "Gaussian mutation": Recipe(mutation="gaussian"),
    "Gaussian mutation, recombination of the parents": Recipe(
        mutation="gaussian", recombination="parents"
    ),
    "Gaussian mutation, noise drawn anew": Recipe(mutation="gaussian", noise="generator"),
    "rank 2": Recipe(rank=2),
    "rank 4": Recipe(rank=4),
    "32 solutions": Recipe(population_size=32),
    "64 solutions": Recipe(population_size=64),
    "128 solutions": Recipe(population_size=128),
    "all samples in every generation": Recipe(batch_size="full"),
    "batches of 32": Recipe(batch_size=32),
    "batches of 64": Recipe(batch_size=64),
    "batches of 256": Recipe(batch_size=256),
    "sigma 0.15": Recipe(sigma=0.15),
    "sigma 0.5": Recipe(sigma=0.5),
    "no schedule": Recipe(sigma_decay=1.0),
    "weight decay 0": Recipe(weight_decay=0.0),
    "weight decay 0.001": Recipe(weight_decay=0.001),
    "weight decay 0.003": Recipe(weight_decay=0.003),
    "weight decay 0.01": Recipe(weight_decay=0.01),
    "weight decay 0.03": Recipe(weight_decay=0.03),
    "ranking by the fitness alone": Recipe(ranking="fitness"),
    "uniform crossover": Recipe(crossover="uniform"),
    "uniform crossover, an elite": Recipe(crossover="uniform", n_elites=1),
    "neuron crossover": Recipe(crossover="neuron"),
    "float64": Recipe(dtype="float64"),
    BIASES: Recipe(),
}
QUICK_SETS = ("wine", "eleven classes", "diabetes")

Found = dict[tuple[str, str], list[float]]


def measure(
    *, quick: bool = False, max_seconds: float = 3.0, held_out_seconds: float = 1.0
) -> list[dict[str, Any]]:
    """Return a row a variant: training times on two sets, and held-out scores on all.

    Times are seconds to a training accuracy, medians of 10 seeds. Scores are medians of 3 seeds
    after `held_out_seconds`, accuracies in % and 100 R2; a rank that a set's network cannot have
    leaves a gap, and networks have biases there anyway. Runs end by the clock: a variant that is
    no change, such as the default population size, shows the noise.
    """
    times = training_times(range(2 if quick else 10), max_seconds / 3 if quick else max_seconds)
    sets = {name: data for name, data in at_hand().items() if not quick or name in QUICK_SETS}
    seeds = range(FIRST_SEED, FIRST_SEED + (1 if quick else 3))
    scores = held_out(sets, seeds, held_out_seconds / 4 if quick else held_out_seconds)
    return [
        {"variant": name} | _times(name, times) | _scores(name, list(sets), scores)
        for name in VARIANTS
    ]


def training_times(seeds: range, max_seconds: float) -> Found:
    """Return the seconds to the target, of each variant and data set, seed by seed."""
    found: Found = {}
    for data, target in TARGETS.items():
        for seed in seeds:  # the variants take turns, so that noise hits all of them
            X, y, _, _ = load(data, seed)
            for name, recipe in VARIANTS.items():
                result = evolve(
                    X,
                    y,
                    hidden_layer_sizes=HIDDEN[data],
                    target_fitness=target,
                    max_time=max_seconds,
                    n_generations=10**6,
                    random_state=seed,
                    bias=name == BIASES,
                    recipe=recipe,
                )
                reached = result.best_fitness >= target
                seconds = result.history.last["seconds"] if reached else np.inf
                found.setdefault((name, data), []).append(seconds)
    return found


def held_out(sets: dict[str, DataSet], seeds: range, seconds: float) -> Found:
    """Return the held-out scores, of each variant and data set, seed by seed."""
    found: Found = {}
    for data_name, data in sets.items():
        for seed in seeds:
            X, y, X_test, y_test = data.split(seed)
            n_outputs = 1 if data.is_regression else len(np.unique(y))
            highest_rank = min(X.shape[1], *data.hidden, n_outputs)
            for name, recipe in VARIANTS.items():
                if name == BIASES or recipe.rank > highest_rank:
                    found.setdefault((name, data_name), []).append(np.nan)
                    continue
                result = evolve(
                    X,
                    y,
                    hidden_layer_sizes=data.hidden,
                    bias=True,
                    task="regression" if data.is_regression else "classification",
                    target_fitness=None,  # a run that ends there has no weight decay
                    max_time=seconds,
                    n_generations=10**6,
                    random_state=seed,
                    recipe=recipe,
                )
                score = 100 * data.score(y_test, result.predict(X_test))
                found.setdefault((name, data_name), []).append(score)
    return found


def _times(name: str, found: Found) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for data, target in TARGETS.items():
        seconds = found[name, data]
        row[f"{data} {100 * target:g} %, s"] = float(np.median(seconds))
        row[f"reached {data}"] = f"{np.isfinite(seconds).sum()} of {len(seconds)}"
    return row


def _scores(name: str, sets: list[str], found: Found) -> dict[str, Any]:
    """Return the medians, and by how much they are over those of the defaults, seed by seed."""
    ahead = np.array(
        [np.median(np.subtract(found[name, data], found[DEFAULTS, data])) for data in sets]
    )
    known = ahead[~np.isnan(ahead)]
    return {
        "over the defaults, mean of the sets": float(known.mean()) if len(known) else np.nan,
        "better on": f"{(known > 0).sum()} of {len(known)}",
        "worse on": f"{(known < 0).sum()} of {len(known)}",
    } | {data: float(np.median(found[name, data])) for data in sets}
