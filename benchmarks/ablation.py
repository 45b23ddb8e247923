"""Ablation: what each part of the defaults is worth, one change at a time."""

from typing import Any

import numpy as np

from benchmarks.time_to_solution import HIDDEN, load
from ga_ann import Recipe, evolve

TARGETS = {"fruits": 1.0, "digits": 0.98, "breast_cancer": 0.99}
BIASES = "biases"
VARIANTS = {
    "defaults": Recipe(),
    "all samples in every generation": Recipe(batch_size="full"),
    "batches of 64": Recipe(batch_size=64),
    "batches of 256": Recipe(batch_size=256),
    "ranking by the fitness alone": Recipe(ranking="fitness"),
    "uniform crossover": Recipe(crossover="uniform"),
    "uniform crossover, an elite": Recipe(crossover="uniform", n_elites=1),
    "neuron crossover": Recipe(crossover="neuron"),
    "no schedule": Recipe(sigma_decay=1.0),
    "sigma 0.15": Recipe(sigma=0.15),
    "sigma 0.6": Recipe(sigma=0.6),
    "16 solutions, 4 parents": Recipe(population_size=16, n_parents=4),
    "64 solutions, 16 parents": Recipe(population_size=64, n_parents=16),
    "16 parents of 32": Recipe(n_parents=16),
    "noise drawn anew": Recipe(noise="generator"),
    "float64": Recipe(dtype="float64"),
    BIASES: Recipe(),
}


def measure(*, quick: bool = False, max_seconds: float = 3.0) -> list[dict[str, Any]]:
    """Return a row a variant: median seconds to the target of each data set, and how many runs."""
    seeds = range(2 if quick else 10)
    found: dict[tuple[str, str], list[float]] = {}
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
    return [
        {"variant": name}
        | {
            f"{data} {100 * target:g} %, s": float(np.median(found[name, data]))
            for data, target in TARGETS.items()
        }
        | {
            f"reached {data}": f"{np.isfinite(found[name, data]).sum()} of {len(seeds)}"
            for data in TARGETS
        }
        for name in VARIANTS
    ]
