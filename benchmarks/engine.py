"""Engine: what share of a generation goes to anything but measuring the fitness."""

from time import perf_counter
from typing import Any

import numpy as np
import pygad

from benchmarks.timing import random_problem
from ga_ann.chromosome import count_genes
from ga_ann.evolution import Recipe, evolve
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.network import layer_shapes

CASES = [  # layer sizes, samples, solutions
    ([109, 150, 60, 4], 1962, 64),
    ([20, 40, 5], 1000, 64),
    ([20, 40, 5], 1000, 1024),
    ([100, 95, 5], 1000, 64),
    ([100, 95, 5], 1000, 1024),
    ([300, 325, 7], 1000, 64),
    ([1000, 990, 10], 1000, 64),
]


class _Clock:
    """Adds up the time that is spent in `Evaluator`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.original = Evaluator.__call__

    def __enter__(self) -> "_Clock":
        clock = self

        def timed(evaluator: Evaluator, *args: Any, **options: Any) -> Any:
            start = perf_counter()
            result = clock.original(evaluator, *args, **options)
            clock.seconds += perf_counter() - start
            return result

        Evaluator.__call__ = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        Evaluator.__call__ = self.original  # type: ignore[method-assign]


def ours(
    sizes: list[int], n_samples: int, n_solutions: int, n_generations: int
) -> tuple[float, float]:
    """Return the time of a generation on all samples, and the share outside evaluation."""
    X, y = random_problem(sizes, n_samples)
    with _Clock() as clock:
        result = evolve(
            X,
            y,
            hidden_layer_sizes=sizes[1:-1],
            recipe=Recipe(
                population_size=n_solutions, n_parents=n_solutions // 4, batch_size="full"
            ),
            n_generations=n_generations,
            target_fitness=None,
            callbacks=[
                lambda ga, history: setattr(clock, "seconds", 0.0) if len(history) == 1 else None
            ],
            random_state=0,
        )
    seconds = np.diff(result.history["seconds"][[0, -1]])[0]
    return seconds / n_generations, 1 - clock.seconds / seconds


def pygad_default(sizes: list[int], n_solutions: int) -> float:
    """Return the time of a generation of `pygad.GA` with default operators, fitness for free."""
    n_genes = count_genes(layer_shapes(sizes))
    ticks: list[float] = []
    pygad.GA(
        num_generations=2,
        num_parents_mating=n_solutions // 4,
        fitness_func=lambda ga, solutions, indices: [0.0] * len(solutions),
        fitness_batch_size=n_solutions,
        sol_per_pop=n_solutions,
        num_genes=n_genes,
        gene_type=np.float32,
        suppress_warnings=True,
        on_generation=lambda ga: ticks.append(perf_counter()),
    ).run()
    return ticks[1] - ticks[0]


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a case: milliseconds a generation, shares, medians of 5 runs."""
    rows = []
    for sizes, n_samples, n_solutions in CASES[:3] if quick else CASES:
        n_genes = count_genes(layer_shapes(sizes))
        runs = [ours(sizes, n_samples, n_solutions, 10) for _ in range(5)]
        generation, share = np.median(runs, axis=0)
        foreign = pygad_default(sizes, n_solutions) if n_genes * n_solutions < 3e7 else np.nan
        rows.append(
            {
                "genes": n_genes,
                "solutions": n_solutions,
                "ours, ms a generation": 1e3 * generation,
                "ours, outside evaluation %": 100 * share,
                "ours, outside, ms": 1e3 * generation * share,
                "pygad.GA defaults, outside, ms": 1e3 * foreign,
            }
        )
    return rows
