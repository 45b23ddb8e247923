"""The workers of a cluster: who is there, who may take part, and the copy of the run that each has.

With `cluster`, this is where Dask is known; it is imported when a cluster is asked for.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import numpy as np

from ga_ann.evolution.breeding import Breeder
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.evolution.machine import blas_kernels
from ga_ann.evolution.replica import Replica
from ga_ann.out_of_core import StoredSamples
from ga_ann.storage import numeric_versions, package_versions

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["LOOK_EVERY", "Workers", "connect", "failures_of_clusters"]

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer, or to start a first worker."""

PATIENCE = 60.0
"""Seconds without a scheduler or a worker after which the run ends."""

LOOK_EVERY = 2.0
"""Seconds between two looks at the cluster, while answers are awaited."""


@contextmanager
def connect(client: Client | str | None) -> Iterator[Client | None]:
    """Yield the client that was given, or one of the scheduler at an address.

    Raises
    ------
    ImportError
        If Dask is not installed.
    TypeError
        If it is something else.
    ValueError
        If it is closed or asynchronous.
    ConnectionError
        If no scheduler answers at the address.
    """
    if client is None:
        yield None
        return
    try:
        import distributed
    except ImportError as error:
        raise ImportError(
            "client needs Dask's package distributed: pip install 'ga-ann[cluster]'."
        ) from error
    if isinstance(client, str):
        try:
            if not client.startswith("inproc://"):
                # First, since a client that cannot read its address takes long to give up.
                distributed.comm.get_address_host_port(client, strict=True)
            own = distributed.Client(client, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"no Dask scheduler answers at {client!r} ({error}); start one with "
                "'dask scheduler' and give the address that it tells, as tcp://HOST:PORT."
            ) from error
        with own:
            yield _check_client(own)
    elif isinstance(client, distributed.Client):
        yield _check_client(client)
    else:
        raise TypeError(
            f"client must be a distributed.Client or the address of a scheduler, got {client!r}."
        )


def _check_client(client: Client) -> Client:
    if client.asynchronous:
        raise ValueError("client must not be asynchronous; make one with asynchronous=False.")
    if client.status != "running":
        raise ValueError(f"client must be connected to a scheduler, but it is {client.status}.")
    return client


class Workers:
    """Those workers that can take part, and a copy of the run on each.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    evaluate : Evaluator
        With the samples.
    breeder : Breeder or None
        How a generation comes of the one before, see `Replica`.
    is_interrupted : callable
        Tells whether nobody wants to wait any longer.

    Attributes
    ----------
    threads : dict of str to int
        Number of threads of each, by address.
    informed : set of str
        Those that have the generation before.

    Raises
    ------
    ConnectionError
        If there is no worker, or one of them cannot take part.
    """

    def __init__(
        self,
        client: Client,
        evaluate: Evaluator,
        breeder: Breeder | None,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.threads: dict[str, int] = {}
        self.informed: set[str] = set()
        self._client = client
        self._evaluate = evaluate
        self._breeder = breeder
        self._is_interrupted = is_interrupted
        self._replicas: dict[str, Future] = {}
        self._known: dict[str, str] = {}
        self._refused: set[str] = set()
        self._looked = -np.inf
        if not self.wait_for_one(CONNECT_SECONDS, at_start=True):
            raise ConnectionError(
                f"the cluster of {client.scheduler.address} has no worker; start some, for "
                "instance with 'dask worker ADDRESS'."
            )

    def release(self) -> None:
        """Let the workers forget the samples."""
        for replica in self._replicas.values():
            replica.release()

    def replica_on(self, worker: str) -> Future:
        """Return a worker's copy of the run; it is sent with the samples where there is none.

        Each worker has one of its own: of copies of the same data Dask keeps one.
        """
        held = self._replicas.get(worker)
        if held is None or held.status != "finished":
            replica = Replica(self._evaluate, self._breeder)
            held = self._client.scatter(replica, workers=[worker], hash=False)
            self._replicas[worker] = held
            self.informed.discard(worker)
        return held

    def look(self, *, at_start: bool = False) -> None:
        """Take note of the workers that there are; check those that are new, and give them a copy.

        One that cannot take part is refused at the start; later it is told of, and left out.

        Raises
        ------
        OSError
            If the scheduler does not answer.
        ConnectionError
            If a worker is refused.
        """
        if monotonic() - self._looked < LOOK_EVERY:
            return
        found = self._find()
        new = [worker for worker, (known, _) in found.items() if known != self._known.get(worker)]
        self._refused.difference_update(new)
        reasons, gone = _check(self._client, new, self._evaluate.X) if new else ({}, set())
        for worker in (one for one in new if one not in (*reasons, *gone)):
            try:
                self.replica_on(worker)
            except failures_of_clusters():
                gone.add(worker)
            except Exception as error:  # whatever a user's functions raise where they arrive
                reasons[worker] = (
                    f"the worker {worker} cannot be sent the run ({error}): what the fitness and "
                    "other functions consist of must be such as pickle takes, and installed there."
                )
        if reasons and at_start:
            raise ConnectionError(" ".join(reasons.values()))
        if reasons:
            warnings.warn(" ".join(reasons.values()), RuntimeWarning, stacklevel=2)
        self._refused.update(reasons)
        self._known = {worker: found[worker][0] for worker in found if worker not in gone}
        self.threads = {k: found[k][1] for k in self._known if k not in self._refused}
        self._looked = monotonic()

    def _find(self) -> dict[str, tuple[str, int]]:
        """Return what tells each working worker from others at its address, and its threads."""
        if self._client.status != "running":
            raise ConnectionError(f"the client is {self._client.status}")
        try:
            told = self._client.scheduler_info(n_workers=-1)
        except TypeError:  # before 2025.2, all of them were told
            told = self._client.scheduler_info()
        return {
            address: (worker["local_directory"], worker["nthreads"])
            for address, worker in told["workers"].items()
            if worker["status"] == "running"  # and not paused, for want of memory, or closing
        }

    def wait_for_one(self, seconds: float | None = None, *, at_start: bool = False) -> bool:
        """Wait until there are a scheduler and a worker; return whether there are."""
        until = monotonic() + (PATIENCE if seconds is None else seconds)
        demand = None
        while self._client.status != "closed":
            try:
                self._looked = -np.inf
                self.look(at_start=at_start)
                if self.threads:
                    return True
                # Of a cluster that adapts: work is what makes it start a worker.
                demand = demand or self._client.submit(int, pure=False)
            except OSError as error:
                if at_start and isinstance(error, ConnectionError):
                    raise
            if monotonic() > until or self._is_interrupted():
                break
            sleep(LOOK_EVERY / 10)
        return False


def failures_of_clusters() -> tuple[type[BaseException], ...]:
    """Return the exceptions that say nothing of the run, but that a worker or a message is lost."""
    from distributed import KilledWorker

    killed: type[Exception] = KilledWorker
    cancelled = (asyncio.CancelledError, concurrent.futures.CancelledError)
    # Dask's scheduler raises a KeyError for the address of a worker that has just gone; connections
    # that close and answers that do not come are among the OSErrors.
    return (*cancelled, killed, KeyError, OSError)


# ---------------------------------------------------------------- whether workers can take part


def _environment() -> dict[str, str]:
    """Return what has to be the same here and there: first the package, then what makes bits."""
    return package_versions("ga-ann") | numeric_versions() | {"BLAS": blas_kernels()}


def _check(client: Client, addresses: Sequence[str], X: Any) -> tuple[dict[str, str], set[str]]:
    """Return why workers cannot be used, by their addresses, and which of them are gone.

    Where bits may differ, that is told.
    """
    ours = _environment()
    reasons: dict[str, str] = {}
    gone: set[str] = set()
    differences: set[str] = set()
    install = f"Install ga-ann {ours['ga-ann']} there, or leave that worker out."
    answers = client.run(_environment, workers=list(addresses), on_error="return")
    for address, theirs in answers.items():
        if isinstance(theirs, OSError):
            gone.add(address)
        elif isinstance(theirs, BaseException):
            reasons[address] = f"the worker {address} cannot import ga_ann ({theirs!r}). {install}"
        elif theirs["ga-ann"] != ours["ga-ann"]:
            reasons[address] = f"the worker {address} has ga-ann {theirs['ga-ann']}. {install}"
        else:
            differences |= {f"{k} {theirs[k]}" for k in ours if theirs[k] != ours[k]}
    if isinstance(X, StoredSamples):
        reasons |= _find_blind(client, [one for one in answers if one not in (*reasons, *gone)], X)
    if differences:
        warnings.warn(
            f"Workers have {', '.join(sorted(differences))} where this process has other versions: "
            "the run's bits may be others than without them.",
            RuntimeWarning,
            stacklevel=2,
        )
    return reasons, gone


def _shape_of(samples: StoredSamples) -> tuple[int, ...]:
    """Return the shape of samples that this process has opened for itself."""
    return samples.shape


def _find_blind(client: Client, addresses: list[str], samples: StoredSamples) -> dict[str, str]:
    """Return why workers cannot open samples that are on disk, by their addresses."""
    found = client.run(_shape_of, samples, workers=addresses, on_error="return")
    return {
        address: f"the worker {address} cannot read {samples!r} ({shape!r}). Put the samples where "
        "all workers see them under the same path, or leave that worker out."
        for address, shape in found.items()
        if shape != samples.shape
    }
