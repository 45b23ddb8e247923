"""Timing on noisy machines: medians, with the things to compare measured in turn."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray


def median_seconds(
    functions: Mapping[str, Callable[[], object]], *, repeats: int, min_seconds: float = 0.02
) -> dict[str, float]:
    """Return the median time of a call of each function.

    The functions take turns, so that a slow spell of the machine hits all of them; a function
    that takes less than `min_seconds` is called several times in its turn.
    """
    calls = {}
    for name, function in functions.items():
        function()
        start = perf_counter()
        function()
        calls[name] = max(1, round(min_seconds / max(perf_counter() - start, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = perf_counter()
            for _ in range(calls[name]):
                function()
            times[name].append((perf_counter() - start) / calls[name])
    return {name: median(values) for name, values in times.items()}


def exponent(sizes: list[float], seconds: list[float]) -> float:
    """Return k of the fit ``seconds = c * sizes**k``."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def random_problem(
    layer_sizes: list[int], n_samples: int
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return samples and labels of the right shapes; their values do not matter to the time."""
    rng = np.random.default_rng(0)
    X = rng.random((n_samples, layer_sizes[0]), dtype=np.float32)
    y = rng.integers(layer_sizes[-1], size=n_samples)
    y[: layer_sizes[-1]] = np.arange(layer_sizes[-1])
    return X, y
