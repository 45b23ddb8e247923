"""Low rank: what a network costs within a population, over the products of a network alone."""

from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.evaluation import bare_products
from benchmarks.timing import median_seconds, random_problem
from ga_ann.chromosome import flatten
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.fitness import neg_log_loss
from ga_ann.low_rank import LowRankNoise, LowRankPopulation, count_places
from ga_ann.network import init_weights, layer_shapes

SIZES = [784, 256, 10]
N_SAMPLES = 5000
BATCH_SIZE = 256
POPULATIONS = [64, 256, 4096]
MOST_MADE = 256
"""Solutions whose chromosomes are made: those of 4,096 take 3.3 GB."""


def low_rank_population(rng: np.random.Generator, n_solutions: int) -> LowRankPopulation:
    """Return mutations of a network; what they are does not matter to the time."""
    shapes = layer_shapes(SIZES)
    noise = LowRankNoise(
        0,
        shapes,
        [np.full(n_out, n_in**-0.5) for n_in, n_out in shapes],
        n_places=count_places(n_solutions),
    )
    mean = flatten(init_weights(rng, SIZES))
    return LowRankPopulation(mean, noise.draw_places(rng, n_solutions), 0.3, noise)


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a population: microseconds a network on a batch, and ratios to the products.

    The bare products are float32 and of networks of their own, one at a time on each of the
    threads. The fitness is the accuracy; a run that ranks by the log loss leaves it out.
    """
    rng, n_threads = np.random.default_rng(0), joblib.cpu_count()
    X, y = random_problem(SIZES, N_SAMPLES)
    samples = rng.integers(N_SAMPLES, size=BATCH_SIZE)
    rows = []
    for n_solutions in POPULATIONS:
        n_made = min(n_solutions, MOST_MADE)
        weights = init_weights(rng, SIZES, n_solutions=n_made)
        dense, low_rank = flatten(weights), low_rank_population(rng, n_solutions)
        with (
            threadpool_limits(limits=1, user_api="blas"),
            Evaluator(X, y, layer_shapes(SIZES), ranking=neg_log_loss) as ranked,
            Evaluator(X, y, layer_shapes(SIZES)) as plain,
        ):
            bare, pool = bare_products(weights, X[samples], n_threads)
            functions: dict[str, Callable[[], object]] = {
                "bare products": bare,
                "dense": lambda e=plain, p=dense: e(p, samples),
                "low rank": lambda e=plain, p=low_rank: e(p, samples),
                "low rank, log loss": lambda e=ranked, p=low_rank: e(p, samples, ranking_only=True),
            }
            if n_made < n_solutions:
                del functions["dense"]
            seconds = median_seconds(functions, repeats=5 if quick else 25)
            pool.shutdown()
        made = {"bare products": n_made, "dense": n_made}
        cost = {name: 1e6 * t / made.get(name, n_solutions) for name, t in seconds.items()}
        cost.setdefault("dense", np.nan)
        names = ("dense", "low rank", "low rank, log loss")
        rows.append(
            {"network": "-".join(map(str, SIZES)), "batch": BATCH_SIZE, "solutions": n_solutions}
            | {f"{name}, us": cost[name] for name in ("bare products", *names)}
            | {f"{name} / bare products": cost[name] / cost["bare products"] for name in names}
        )
    return rows
