"""Evaluation: a population's fitness against the bare matrix products that it cannot do without."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
import numpy as np
import pygad.nn
from threadpoolctl import threadpool_limits

from benchmarks.timing import median_seconds, random_problem
from ga_ann.chromosome import count_genes, flatten
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.network import init_weights, layer_shapes

NETWORKS = [
    ([4, 8, 3], 150),
    ([64, 32, 10], 1347),
    ([109, 150, 60, 4], 1962),
    ([784, 256, 10], 5000),
]
POPULATIONS = [8, 64, 256, 1024]
MAX_GFLOP = 150
PEAK_SIZE = 1536


def sgemm_peak() -> float:
    """Return the GFLOP/s of one large float32 product, with all the threads that BLAS has."""
    A = np.ones((PEAK_SIZE, PEAK_SIZE), dtype=np.float32)
    out = np.empty_like(A)
    seconds = median_seconds({"peak": lambda: np.matmul(A, A, out=out)}, repeats=9)["peak"]
    return 2e-9 * PEAK_SIZE**3 / seconds


def bare_products(
    weights: list[Any], X: Any, n_threads: int
) -> tuple[Callable[[], None], ThreadPoolExecutor]:
    """Return the products of all networks, shared among threads, and nothing else."""
    pool = ThreadPoolExecutor(n_threads)

    def multiply(first: int) -> None:
        outputs = buffers[first]
        for k in range(first, len(weights[0]), n_threads):
            A = X
            for W, out in zip(weights, outputs, strict=True):
                A = np.matmul(A, W[k], out=out)

    buffers = [
        [np.empty((len(X), W.shape[2]), dtype=np.float32) for W in weights]
        for _ in range(n_threads)
    ]
    return lambda: list(pool.map(multiply, range(n_threads))), pool


def plain_loop(weights: list[Any], X: Any, y: Any) -> list[float]:
    """Return the accuracies as a NumPy user would compute them."""
    fitness = []
    for k in range(len(weights[0])):
        A = X
        for W in weights[:-1]:
            A = np.maximum(A @ W[k], 0)
        fitness.append(float(((A @ weights[-1][k]).argmax(axis=1) == y).mean()))
    return fitness


def pygad_nn(layer_sizes: list[int], X: Any) -> Callable[[], object]:
    """Return one evaluation by `pygad.nn`."""
    layer: Any = pygad.nn.InputLayer(layer_sizes[0])
    for size in layer_sizes[1:-1]:
        layer = pygad.nn.DenseLayer(size, layer, "relu")
    layer = pygad.nn.DenseLayer(layer_sizes[-1], layer, "softmax")
    return lambda: pygad.nn.predict(last_layer=layer, data_inputs=X)


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a network and population size; microseconds an evaluation (one network)."""
    n_threads = joblib.cpu_count()
    peak = sgemm_peak()
    rows = []
    for sizes, n_samples in NETWORKS:
        X, y = random_problem(sizes, n_samples)
        shapes = layer_shapes(sizes)
        for population_size in POPULATIONS:
            gflop = 2e-9 * count_genes(shapes) * n_samples * population_size
            if gflop > (MAX_GFLOP if not quick else MAX_GFLOP / 10):
                continue
            weights = init_weights(np.random.default_rng(0), sizes, n_solutions=population_size)
            single, double = flatten(weights), flatten(weights).astype(np.float64)
            with (
                threadpool_limits(limits=1, user_api="blas"),
                Evaluator(X, y, shapes) as ours,
                Evaluator(X, y, shapes, dtype=np.float64) as ours64,
            ):
                bare, pool = bare_products(weights, X, n_threads)
                functions: dict[str, Callable[[], object]] = {
                    "bare products": bare,
                    "ours": lambda e=ours, p=single: e(p),
                    "ours, float64": lambda e=ours64, p=double: e(p),
                }
                seconds = median_seconds(functions, repeats=5 if gflop > 10 or quick else 9)
                pool.shutdown()
            loop = {"plain loop": lambda w=weights, X=X, y=y: plain_loop(w, X, y)}
            if population_size == POPULATIONS[0]:
                loop["pygad.nn"] = pygad_nn(sizes, X)
            seconds |= median_seconds(loop, repeats=5)
            seconds["pygad.nn"] = seconds.get("pygad.nn", np.nan) * population_size
            rows.append(
                {
                    "network": "-".join(map(str, sizes)),
                    "samples": n_samples,
                    "solutions": population_size,
                    **{name: 1e6 * t / population_size for name, t in seconds.items()},
                    "ours, GFLOP/s": gflop / seconds["ours"],
                    "sgemm peak, GFLOP/s": peak,
                    "ours / bare products": seconds["ours"] / seconds["bare products"],
                    "ours / plain loop": seconds["ours"] / seconds["plain loop"],
                }
            )
    return rows
