"""Memory: what a run will need, against what the machine has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from scipy.sparse import issparse

from ga_ann.chromosome import count_genes
from ga_ann.evolution.evaluation import BLOCK_BYTES, CHUNK_BYTES, LOW_RANK_BYTES, SHARED_BYTES
from ga_ann.evolution.problem import Problem
from ga_ann.low_rank import MOST_FACTORS, count_factors, count_places
from ga_ann.operators import TABLE_SIZE
from ga_ann.out_of_core import HELD_BYTES, READ_ROWS, StoredSamples

if TYPE_CHECKING:
    from ga_ann.evolution.device import Device

__all__ = ["available_memory", "check_device_memory", "check_memory", "estimate_memory"]

GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
GROUP_USE = Path("/sys/fs/cgroup/memory.current")
GROUP_SHARES = Path("/sys/fs/cgroup/memory.stat")
GIB = 2**30


def estimate_memory(problem: Problem, *, n_jobs: int, in_place: bool) -> dict[str, int]:
    """Return the bytes that a run will need on top of the data that it was given, part by part.

    Parameters
    ----------
    problem : Problem
        The data and the networks.
    n_jobs : int
        Number of threads.
    in_place : bool
        Whether the offspring overwrite the population.

    Returns
    -------
    dict of str to int
        Bytes of the ``"population"`` with its parents, of the ``"samples"`` in the precision of the
        computation, of the ``"layers"`` that the threads compute, and of the ``"noise"``.
    """
    recipe, n_samples = problem.recipe, problem.data.n_samples
    item = np.dtype(recipe.dtype).itemsize
    n_genes = count_genes(problem.shapes)
    low_rank = recipe.mutation == "low_rank"
    # Recipes take next to nothing, and their factors are made block by block.
    copies = (1 if in_place else 2) + (callable(recipe.crossover) or callable(recipe.mutation))
    n_solutions = 0 if low_rank else problem.population_size * copies
    n_parents: int = 0 if low_rank else recipe.n_parents or 0
    n_numbers = TABLE_SIZE + n_genes
    shared = n_combined = factors = 0
    if low_rank:
        n_factors = count_factors(problem.shapes, recipe.rank)
        n_numbers = count_places(problem.population_size) + n_factors
        n_combined = min(max(MOST_FACTORS, n_factors), problem.population_size * n_factors)
        shared = min(SHARED_BYTES, item * problem.shapes[0][-1] * n_samples)
    widest = item * max(shape[-1] for shape in problem.shapes)
    # A block of networks and all samples, or one network and a chunk of them; see `Evaluator`.
    one = min(widest * n_samples, CHUNK_BYTES)
    if low_rank:
        solution = max(widest * n_samples, item * n_factors)
        n_solutions_at_once = max(1, min(LOW_RANK_BYTES // solution, problem.population_size))
        block = max(one, widest * n_samples * n_solutions_at_once)
        factors = item * n_factors * n_solutions_at_once
    else:
        block = max(one, min(BLOCK_BYTES, widest * n_samples * -(-problem.population_size // 4)))
    outputs = (
        item * problem.data.n_outputs * n_samples * max(1, block // max(1, widest * n_samples))
    )
    n_layers = sum(len(shape) == 2 for shape in problem.shapes)
    return {
        # The scales of the genes, in double precision while they are made, count as well.
        "population": item * (n_genes * (n_solutions + 2 * n_parents + 8) + 3 * n_combined),
        "samples": _samples(problem, n_jobs, widest),
        "layers": n_jobs * ((1 + low_rank) * n_layers * block + 3 * outputs + factors) + shared,
        "noise": item * n_numbers,
    }


def _samples(problem: Problem, n_jobs: int, widest: int) -> int:
    """Return the bytes of the samples in the precision of the computation."""
    X: Any = problem.data.X
    recipe = problem.recipe
    item = np.dtype(recipe.dtype).itemsize
    if not isinstance(X, StoredSamples):
        # Twice, or as sparse ones: their numbers and where they stand, and once more in a batch.
        return int(2 * (item + 8 * issparse(X)) * X.size)
    n_samples, n_features = X.shape
    batch = min(HELD_BYTES, item * n_features * recipe.first_batch_size(n_samples))
    n_rows = min(n_samples, X.most_at_once, max(READ_ROWS, CHUNK_BYTES // widest))
    chunk = n_features * n_rows * (X.dtype.itemsize + 2 * item)
    # And the figure of each sample that the pass over them keeps.
    return int(2 * batch + n_jobs * chunk + 16 * n_samples)


def available_memory() -> int:
    """Return the bytes that this process may still take: the machine's, or its control group's."""
    free = int(psutil.virtual_memory().available)
    try:
        left = int(GROUP_LIMIT.read_text()) - int(GROUP_USE.read_text())
        shares = dict(line.split() for line in GROUP_SHARES.read_text().splitlines())
        # Files that were read count as used, but make way for what is needed.
        return min(free, left + int(shares.get("inactive_file", 0)))
    except (OSError, ValueError):  # no control group, or one without a limit ("max")
        return free


def check_memory(problem: Problem, *, n_jobs: int, in_place: bool) -> None:
    """Refuse a run that needs more memory than there is.

    Parameters
    ----------
    problem, n_jobs, in_place
        See `estimate_memory`.

    Raises
    ------
    MemoryError
        It says what takes how much, and what to reduce.
    """
    parts = estimate_memory(problem, n_jobs=n_jobs, in_place=in_place)
    available = available_memory()
    if sum(parts.values()) <= available:
        return
    largest = max(parts, key=lambda name: parts[name])
    advice = {
        "population": "a smaller population_size or hidden_layer_sizes",
        "samples": "fewer samples or features, or dtype='float32'",
        "layers": "a smaller n_jobs or hidden_layer_sizes",
        "noise": "a smaller population_size or hidden_layer_sizes",
    }[largest]
    shares = ", ".join(f"{name} {size / GIB:.2f} GiB" for name, size in parts.items())
    raise MemoryError(
        f"the run needs about {sum(parts.values()) / GIB:.2f} GiB ({shares}), and "
        f"{available / GIB:.2f} GiB are available; try {advice}."
    )


def check_device_memory(problem: Problem, device: Device) -> None:
    """Refuse a run of which not even one network fits into what is free on its device.

    The samples and the noise table stay there; solutions come in chunks that fit into what is
    left.

    Raises
    ------
    MemoryError
        It says what takes how much.
    """
    recipe, n_samples = problem.recipe, problem.data.n_samples
    item = 2 if device.dtype else np.dtype(recipe.dtype).itemsize
    n_factors = 0
    if recipe.mutation == "low_rank":
        n_factors = count_factors(problem.shapes, recipe.rank)
        n_factors += count_places(problem.population_size)
    widest = max(shape[-1] for shape in problem.shapes)
    parts = {
        "samples": item * problem.data.X.size + 8 * problem.data.targets.size,
        "noise": item * n_factors,
        # The outputs and what scores make of them, of all samples; a layer, of some of them.
        "a network": item * count_genes(problem.shapes)
        + n_samples * (item * min(widest, CHUNK_BYTES // item) + 24 * problem.data.n_outputs),
    }
    free = device.free_memory()
    if sum(parts.values()) > free:
        shares = ", ".join(f"{name} {size / GIB:.2f} GiB" for name, size in parts.items())
        raise MemoryError(
            f"the run needs about {sum(parts.values()) / GIB:.2f} GiB ({shares}) on "
            f"device={device.name!r}, and {free / GIB:.2f} GiB are free there; try fewer samples "
            "or features, or another device."
        )
