"""Memory: peak above data and imports, in units of what the population's chromosomes take.

Each case runs in a process of its own: ``python -m benchmarks.memory CASE`` prints its figures.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.timing import random_problem
from ga_ann.chromosome import count_genes
from ga_ann.evolution import Recipe, evolve
from ga_ann.network import layer_shapes


class Case(NamedTuple):
    """A run that is measured."""

    sizes: list[int]
    n_samples: int
    n_solutions: int
    mutation: str = "gaussian"


LOW_RANK = "784-256-10, 4,096 low-rank solutions"
CASES = {
    "fruits, 1,024 solutions": Case([109, 150, 60, 4], 1962, 1024),
    "10^6 genes, 64 solutions": Case([1000, 990, 10], 1000, 64),
    "60,000 x 784 samples, 32 solutions": Case([784, 256, 10], 60_000, 32),
    LOW_RANK: Case([784, 256, 10], 1000, 4096, "low_rank"),
}
QUICK = ("fruits, 1,024 solutions", LOW_RANK)


def _status(field: str) -> float:
    """Return a figure of this process in MiB: VmRSS (now) or VmHWM (peak)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {field} in /proc/self/status")


def run_case(name: str) -> dict[str, Any]:
    """Evolve for a few generations; return MiB and the ratio to the chromosomes' own size."""
    sizes, n_samples, n_solutions, mutation = CASES[name]
    X, y = random_problem(sizes, n_samples)
    recipe = Recipe(mutation=mutation, population_size=8, batch_size=256)
    options: dict[str, Any] = {"bias": True, "n_generations": 12, "random_state": 0}
    # Imports and thread stacks.
    evolve(X[:500], y[:500], hidden_layer_sizes=(4,), recipe=recipe, **options)
    before = _status("VmRSS")
    recipe = replace(recipe, population_size=n_solutions)
    evolve(X, y, hidden_layer_sizes=sizes[1:-1], recipe=recipe, **options)
    peak = _status("VmHWM") - before
    n_genes = count_genes(layer_shapes(sizes, bias=True))
    population = n_solutions * n_genes * np.float32().nbytes / 2**20
    return {
        "case": name,
        "mutation": mutation,
        "genes": n_genes,
        "chromosomes, MiB": population,
        "peak above data, MiB": peak,
        "peak / chromosomes": peak / population,
        "whole process, MiB": _status("VmHWM"),
    }


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a case."""
    rows = []
    for name in QUICK if quick else CASES:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", name],
            check=True,
            capture_output=True,
            text=True,
        )
        rows.append(json.loads(done.stdout))
    return rows


if __name__ == "__main__":
    print(json.dumps(run_case(sys.argv[1])))
