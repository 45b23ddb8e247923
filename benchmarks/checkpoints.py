"""Checkpoints: what writing them costs a run, and what they take on the disk."""

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.timing import random_problem
from ga_ann.callbacks import Checkpoint
from ga_ann.evolution import evolve
from ga_ann.history import History

CASES = [  # layer sizes, samples, seconds of the run
    ([20, 40, 5], 1000, 5.0),
    ([109, 150, 60, 4], 1962, 10.0),
    ([1000, 990, 10], 1000, 30.0),
]


class _Timed(Checkpoint):
    """A checkpoint that adds up the time that it takes, and counts what it writes."""

    seconds = 0.0
    n_written = 0

    def on_generation(self, ga: Any, history: History) -> None:
        start = perf_counter()
        super().on_generation(ga, history)
        self.seconds += perf_counter() - start

    def _write(self, ga: Any, history: History) -> None:
        super()._write(ga, history)
        self.n_written += 1


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a case: share of the time at the default interval, medians of 3 runs."""
    rows = []
    for sizes, n_samples, seconds in CASES[:2] if quick else CASES:
        runs = [_run(sizes, n_samples, seconds / 5 if quick else seconds) for _ in range(3)]
        share, between, size = np.median(runs, axis=0)
        rows.append(
            {
                "network": "-".join(map(str, sizes)),
                "solutions": 32,
                "share of the run, %": 100 * share,
                "seconds between two": between,
                "MiB": size / 2**20,
            }
        )
    return rows


def _run(sizes: list[int], n_samples: int, seconds: float) -> tuple[float, float, float]:
    X, y = random_problem(sizes, n_samples)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.npz")
        checkpoint = _Timed(path)
        result = evolve(
            X,
            y,
            hidden_layer_sizes=sizes[1:-1],
            n_generations=10**9,
            max_time=seconds,
            target_fitness=None,
            callbacks=[checkpoint],
            random_state=0,
        )
        total = result.history.last["seconds"]
        return checkpoint.seconds / total, total / checkpoint.n_written, path.stat().st_size
