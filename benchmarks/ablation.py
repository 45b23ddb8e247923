"""Ablation: what each part of the defaults is worth, one change at a time."""

from typing import Any

import numpy as np

from benchmarks.time_to_solution import HIDDEN, load
from ga_ann import evolve

TARGETS = {"fruits": 1.0, "digits": 0.98, "breast_cancer": 0.99}
VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "all samples in every generation": {"batch_size": "full"},
    "batches of 64": {"batch_size": 64},
    "batches of 256": {"batch_size": 256},
    "ranking by the fitness alone": {"ranking": "fitness"},
    "uniform crossover": {"crossover": "uniform"},
    "uniform crossover, an elite": {"crossover": "uniform", "n_elites": 1},
    "neuron crossover": {"crossover": "neuron"},
    "no schedule": {"sigma_decay": 1.0},
    "sigma 0.15": {"sigma": 0.15},
    "sigma 0.6": {"sigma": 0.6},
    "16 solutions, 4 parents": {"population_size": 16, "n_parents": 4},
    "64 solutions, 16 parents": {"population_size": 64, "n_parents": 16},
    "16 parents of 32": {"n_parents": 16},
    "noise drawn anew": {"noise": "generator"},
    "float64": {"dtype": "float64"},
    "biases": {"bias": True},
}


def measure(*, quick: bool = False, max_seconds: float = 3.0) -> list[dict[str, Any]]:
    """Return a row a variant: median seconds to the target of each data set, and how many runs."""
    seeds = range(2 if quick else 10)
    found: dict[tuple[str, str], list[float]] = {}
    for data, target in TARGETS.items():
        for seed in seeds:  # the variants take turns, so that noise hits all of them
            X, y, _, _ = load(data, seed)
            for name, changes in VARIANTS.items():
                result = evolve(
                    X,
                    y,
                    hidden_layer_sizes=HIDDEN[data],
                    target_fitness=target,
                    max_time=max_seconds,
                    n_generations=10**6,
                    random_state=seed,
                    **changes,
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
