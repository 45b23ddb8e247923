"""Cluster: a generation on worker processes of one thread each, and the bytes that it takes."""

import socket
import struct
from time import perf_counter
from typing import Any

import numpy as np
import psutil

from ga_ann import Recipe, evolve
from ga_ann.callbacks import Callback

SIZES = (784, 256, 10)
POPULATION, BATCH = 1024, 2048


class Watch(Callback):
    """Takes note of each generation's time and evaluation, and of the bytes of all of them."""

    def __init__(self, client: Any = None) -> None:
        self.client = client
        self.rows: list[tuple[float, float]] = []
        self.sent: dict[int, float] = {}

    def on_generation(self, ga: Any, history: Any) -> None:
        """Take note."""
        cluster = ga.cluster
        number = len(self.rows)
        if self.client is not None and number % 10 == 0:
            self.sent[number] = float(np.mean(list(self.client.run(wire_bytes).values())))
        measured = cluster.seconds if cluster is not None else np.nan
        self.rows.append((perf_counter(), measured))

    def generations(self) -> np.ndarray:
        """Return seconds, and seconds of evaluation, of each generation without a check."""
        rows = np.array(self.rows)
        found = np.column_stack([np.diff(rows[:, 0]), rows[1:, 1]])
        between = np.arange(1, len(rows)) % 10 != 0  # the others measure a candidate on all samples
        return found[between][3:]  # the first ones make the workers' buffers

    def bytes_each(self) -> float:
        """Return the bytes that go to and from a worker in a generation."""
        numbers = sorted(self.sent)[1:]  # the first ten have the population sent
        return (self.sent[numbers[-1]] - self.sent[numbers[0]]) / (numbers[-1] - numbers[0])


def wire_bytes() -> float:
    """Return what this process has sent and received by TCP, as Linux counts it."""
    total = 0.0
    for connection in psutil.Process().net_connections("tcp"):
        if connection.status == psutil.CONN_ESTABLISHED:
            with socket.socket(fileno=socket.dup(connection.fd)) as one:
                told = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
            total += sum(struct.unpack("QQ", told[120:136]))  # tcpi_bytes_acked, _received
    return total


def samples(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures of noise: what they show makes no difference here."""
    rng = np.random.default_rng(0)
    return rng.random((n, SIZES[0]), dtype=np.float32), np.arange(n) % SIZES[-1]


def run(
    X: Any,
    y: Any,
    n_generations: int,
    *,
    population: int = POPULATION,
    batch: int = BATCH,
    counts: bool = True,
    **options: Any,
) -> Watch:
    """Return what is seen of a run."""
    watch = Watch(options.get("client") if counts else None)
    recipe = Recipe(population_size=population, batch_size=batch, sigma_decay=1.0)
    evolve(
        X,
        y,
        hidden_layer_sizes=SIZES[1:-1],
        recipe=recipe,
        n_generations=n_generations,
        target_fitness=None,
        random_state=0,
        callbacks=[watch],
        **options,
    )
    return watch


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a number of workers: medians of a generation between two checks."""
    from distributed import Client, LocalCluster

    X, y = samples(6000 if quick else 60_000)
    n_generations = 25 if quick else 60
    rows = []
    for n_workers in (0, 1, 2):
        if not n_workers:
            watch = run(X, y, n_generations, n_jobs=1)
        else:
            options = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None}
            with LocalCluster(**options) as cluster, Client(cluster) as client:
                watch = run(X, y, n_generations, client=client)
        found = watch.generations()
        seconds, evaluation = np.median(found, axis=0).tolist()
        rows.append(
            {
                "workers": n_workers or "none, 1 thread",
                "ms a generation": 1e3 * seconds,
                "ms of evaluation": 1e3 * evaluation,
                "engine's cost %": 100 * float(np.median(found[:, 0] / found[:, 1] - 1)),
                "KB a generation and worker": watch.bytes_each() / 1e3 if n_workers else 0.0,
                "over one worker": seconds / rows[1]["ms a generation"] * 1e3
                if n_workers > 1
                else float("nan"),
            }
        )
        print(rows[-1], flush=True)
    return rows
