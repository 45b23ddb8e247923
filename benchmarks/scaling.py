"""Scaling: a model of the time of a generation on a cluster, fitted to runs on worker processes.

    seconds = start + message * w + evaluation * P * S / min(w, cores) + breeding * P + hops * L

for ``w`` workers of one thread, ``P`` solutions, batches of ``S`` samples and messages that take
``L`` seconds longer. What every worker does for itself, and what is done where the run is, does not
get less with more workers, and each of them takes a message: that is where it stops.
"""

import asyncio
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import nnls

from benchmarks.cluster import run, samples

CASES = [(512, 256), (512, 1024), (2048, 256)]  # solutions, samples of a batch
QUICK_CASES = [(512, 256)]
WORKERS = (1, 2, 4)
LATENCIES = (0.0, 0.005, 0.02)
TERMS = ("start", "message", "evaluation", "breeding", "hops")
FAR = (1, 10, 100, 1000)
LARGE = (16_384, 2048)
NETWORKS = {"0.1 ms": 1e-4, "20 ms": 0.02}


def delay_messages(seconds: float) -> None:
    """Let every message that this process writes wait; 0 puts an end to it."""
    from distributed.comm.tcp import TCP

    plain = getattr(TCP, "plain_write", TCP.write)

    async def write(self: Any, *given: Any, **options: Any) -> Any:
        await asyncio.sleep(seconds)
        return await plain(self, *given, **options)

    TCP.plain_write = plain
    TCP.write = write if seconds else plain


def terms(n_workers: int, n_solutions: int, batch: int, latency: float, cores: int) -> list[float]:
    """Return what the model's coefficients are multiplied by."""
    evaluation = n_solutions * batch / min(n_workers, cores)
    return [1.0, n_workers, evaluation, n_solutions, latency]


def time_runs(*, quick: bool) -> list[tuple[int, int, int, float, float]]:
    """Return workers, solutions, batch, latency and median seconds of a generation, run by run."""
    from distributed import Client, LocalCluster

    X, y = samples(3000)
    rows = []
    for n_workers in WORKERS:
        options = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(**options) as cluster, Client(cluster) as client:
            for (size, batch), latency in product(QUICK_CASES if quick else CASES, LATENCIES):
                for do in (delay_messages, lambda s: client.run(delay_messages, s)):
                    do(latency)
                watch = run(X, y, 15, population=size, batch=batch, client=client, counts=False)
                seconds = float(np.median(watch.generations()[:, 0]))
                rows.append((n_workers, size, batch, latency, seconds))
                for do in (delay_messages, lambda s: client.run(delay_messages, s)):
                    do(0.0)
    return rows


def fit(rows: list[tuple[int, int, int, float, float]]) -> np.ndarray:
    """Return the coefficients, none of them below 0, of the least relative errors."""
    cores = joblib.cpu_count()
    A = np.array([terms(*row[:-1], cores) for row in rows])
    seconds = np.array([row[-1] for row in rows])
    scale = A.max(axis=0)
    found, _ = nnls(A / scale / seconds[:, None], np.ones(len(rows)))
    return found / scale


def draw(rows: list[tuple[int, int, int, float, float]], found: np.ndarray, path: Path) -> None:
    """Draw measured times as points, and the model's as lines, up to many workers."""
    figure = Figure((7, 4.5), layout="constrained")
    axes = figure.subplots()
    cores = joblib.cpu_count()
    for k, (size, batch) in enumerate(dict.fromkeys(row[1:3] for row in rows)):
        of_case = [row for row in rows if row[1:4] == (size, batch, 0.0)]
        label = f"{size} solutions, batches of {batch}"
        axes.plot([r[0] for r in of_case], [r[-1] for r in of_case], "o", color=f"C{k}")
        many = np.array(WORKERS)
        lines = [found @ terms(w, size, batch, 0.0, cores) for w in many]
        axes.plot(many, lines, color=f"C{k}", label=f"{label}: measured on {cores} cores, model")
    many = np.unique(np.geomspace(1, 1000, 40).astype(int))
    for style, (name, latency) in zip(("-", "--"), NETWORKS.items(), strict=True):
        lines = [found @ terms(w, *LARGE, latency, w) for w in many]
        label = f"{LARGE[0]:,} solutions, batches of {LARGE[1]}, {name}: predicted, a core each"
        axes.plot(many, lines, style, color="0.3", label=label)
    axes.set(
        xscale="log", yscale="log", xlabel="Workers of one thread", ylabel="Seconds a generation"
    )
    axes.legend(fontsize="x-small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return measured and modelled times, then what is predicted for more workers."""
    rows, cores = time_runs(quick=quick), joblib.cpu_count()
    found = fit(rows)
    print({name: f"{value:.3g}" for name, value in zip(TERMS, found, strict=True)})
    draw(rows, found, Path("results/scaling.png"))
    table = []
    for n_workers, size, batch, latency, seconds in rows:
        told = found @ terms(n_workers, size, batch, latency, cores)
        table.append(_row(n_workers, size, batch, latency, seconds, told))
    errors = [abs(row["model ms"] / row["measured ms"] - 1) for row in table]
    print(f"errors of the model: median {np.median(errors):.0%}, largest {max(errors):.0%}")
    for (_, latency), n_workers in product(NETWORKS.items(), FAR):
        told = found @ terms(n_workers, *LARGE, latency, n_workers)
        table.append(_row(n_workers, *LARGE, latency, float("nan"), told))
    return table


def _row(
    n_workers: int, size: int, batch: int, latency: float, seconds: float, told: float
) -> dict[str, Any]:
    return {
        "workers": n_workers,
        "solutions": size,
        "batch": batch,
        "latency ms": 1e3 * latency,
        "measured ms": 1e3 * seconds,
        "model ms": 1e3 * float(told),
    }
