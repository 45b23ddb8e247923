"""Device: PyTorch over NumPy, the same populations on the same threads in one run."""

from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.low_rank import SIZES, low_rank_population
from benchmarks.timing import median_seconds, random_problem
from ga_ann.chromosome import flatten
from ga_ann.evolution.device import DeviceEvaluator, find_device
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.fitness import neg_log_loss
from ga_ann.network import init_weights, layer_shapes

N_SAMPLES = 5000
BATCH_SIZES = [256, 2048]
POPULATIONS = {"low rank": 1024, "dense": 64}


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a population and batch: milliseconds a generation's evaluation, and the ratio.

    The fitness is the accuracy, the ranking the log loss; "ranking" leaves the fitness out, as a
    run on batches does. PyTorch computes on each device that it finds; there is nothing to
    measure without it.
    """
    rng, shapes = np.random.default_rng(0), layer_shapes(SIZES)
    X, y = random_problem(SIZES, N_SAMPLES)
    populations: dict[str, Any] = {
        "low rank": low_rank_population(rng, POPULATIONS["low rank"]),
        "dense": flatten(init_weights(rng, SIZES, n_solutions=POPULATIONS["dense"])),
    }
    rows = []
    for name in _devices():
        with (
            threadpool_limits(limits=1, user_api="blas"),
            Evaluator(X, y, shapes, ranking=neg_log_loss) as numpy,
        ):
            on_device = DeviceEvaluator(
                X, y, shapes, device=find_device(name), ranking=neg_log_loss
            )
            for kind, population in populations.items():
                for size in BATCH_SIZES:
                    samples = rng.integers(N_SAMPLES, size=size)
                    row = {"population": f"{kind}, {len(population):,}", "batch": size}
                    for only in (True, False):
                        row |= _compare(numpy, on_device, population, samples, only, quick)
                    rows.append({"device": name, **row})
    return rows


def _devices() -> list[str]:
    """Return the CPU and, where there is one, the GPU."""
    found = ["cpu"]
    try:
        find_device("cuda")
    except ValueError:
        return found
    return [*found, "cuda"]


def _compare(
    numpy: Evaluator,
    on_device: DeviceEvaluator,
    population: Any,
    samples: Any,
    ranking_only: bool,
    quick: bool,
) -> dict[str, float]:
    functions: dict[str, Callable[[], object]] = {
        "NumPy": lambda: numpy(population, samples, ranking_only=ranking_only),
        "PyTorch": lambda: on_device(population, samples, ranking_only=ranking_only),
    }
    seconds = median_seconds(functions, repeats=5 if quick else 15)
    what = "ranking" if ranking_only else "both"
    times = {f"{name}, {what}, ms": 1e3 * t for name, t in seconds.items()}
    return times | {f"ratio, {what}": seconds["PyTorch"] / seconds["NumPy"]}
