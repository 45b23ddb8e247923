"""Memory: peak above data and imports, in units of the population's own size.

Each case runs in a process of its own: ``python -m benchmarks.memory CASE`` prints its figures.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import random_problem
from ga_ann.chromosome import count_genes
from ga_ann.evolution import Recipe, evolve
from ga_ann.network import layer_shapes

CASES: dict[str, tuple[list[int], int, int]] = {  # layer sizes, samples, solutions
    "fruits, 1,024 solutions": ([109, 150, 60, 4], 1962, 1024),
    "10^6 genes, 64 solutions": ([1000, 990, 10], 1000, 64),
    "60,000 x 784 samples, 32 solutions": ([784, 256, 10], 60_000, 32),
}


def _status(field: str) -> float:
    """Return a figure of this process in MiB: VmRSS (now) or VmHWM (peak)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {field} in /proc/self/status")


def run_case(name: str) -> dict[str, Any]:
    """Evolve for a few generations; return MiB and the ratio."""
    sizes, n_samples, n_solutions = CASES[name]
    X, y = random_problem(sizes, n_samples)
    warm = Recipe(population_size=8, n_parents=2)  # imports and thread stacks
    evolve(X[:100], y[:100], hidden_layer_sizes=(4,), recipe=warm, n_generations=2, random_state=0)
    before = _status("VmRSS")
    evolve(
        X,
        y,
        hidden_layer_sizes=sizes[1:-1],
        recipe=Recipe(population_size=n_solutions, n_parents=n_solutions // 4),
        n_generations=12,
        random_state=0,
    )
    peak = _status("VmHWM") - before
    population = n_solutions * count_genes(layer_shapes(sizes)) * np.float32().nbytes / 2**20
    return {
        "case": name,
        "population, MiB": population,
        "peak above data, MiB": peak,
        "peak / population": peak / population,
        "whole process, MiB": _status("VmHWM"),
    }


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a case."""
    rows = []
    for name in list(CASES)[:1] if quick else CASES:
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
