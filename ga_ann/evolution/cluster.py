"""Cluster: a generation measured by the workers of a Dask cluster, to the same bits.

The samples go to every worker once. A generation is then a few kilobytes: the parents' numbers and
a generator, from which each worker breeds the population that it has, and scores that come back
(`Replica`). Only a worker that lacks the generation before, because it is new or was restarted,
is sent the population.

This is the only module that knows Dask, and imports it when a cluster is asked for.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, pairwise
from time import monotonic, sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ga_ann.evolution.breeding import Breeder, Place
from ga_ann.evolution.evaluation import Evaluator, Measurement, rank_failed_last
from ga_ann.evolution.machine import blas_kernels
from ga_ann.evolution.replica import Answer, Batch, Order, Replica, Whole
from ga_ann.low_rank import LowRankPopulation
from ga_ann.out_of_core import StoredSamples
from ga_ann.state import State
from ga_ann.storage import numeric_versions, package_versions

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Cluster", "connect"]

CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer, where its address was given."""

PATIENCE = 60.0
"""Seconds without a scheduler or a worker after which the run ends."""

LOOK_EVERY = 2.0
"""Seconds between two looks at the cluster, while answers are awaited."""

SENT_APART = 2**16
"""Bytes from which a population is sent as data, and not within the order for it."""

MOST_FAILURES = 5
"""Times in a row that the cluster may fail, as when a worker is lost, before it counts as lost."""

Population = NDArray[Any] | LowRankPopulation


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
        If it is closed or asynchronous, or the scheduler has no worker.
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


class Cluster:
    """Measures the generations of a run on the workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    evaluate : Evaluator
        Holds the samples, and measures here what a cluster that is lost has left undone.
    breeder : Breeder
        How a generation comes of the one before.

    Attributes
    ----------
    is_lost : bool
        Whether the scheduler, or every worker, has gone for good. What was under way was measured
        here, and the run is to end.
    failure : str or None
        The first failure of a fitness that is a user's function, on a worker.
    seconds : float
        What the slowest worker measured for in the last generation.
    work : float
        Seconds that all threads of all workers have measured for.
    n_generations : int
        Number of generations that they have measured.

    Raises
    ------
    RuntimeError
        If there is no worker, or one of them lacks the package, has another version of it, or does
        not see samples that are on disk.
    """

    def __init__(self, client: Client, evaluate: Evaluator, breeder: Breeder) -> None:
        self.is_lost = False
        self.failure: str | None = None
        self.seconds = self.work = 0.0
        self.n_generations = 0
        self._client = client
        self._evaluate = evaluate
        self._breeder = breeder if breeder.is_ours else None
        self._threads: dict[str, int] = {}
        self._refused: set[str] = set()
        self._informed: set[str] = set()
        self._looked = -np.inf
        self._look()
        if not self._threads:
            raise RuntimeError(
                f"the cluster of {client.scheduler.address} has no worker; start some, for "
                "instance with 'dask worker ADDRESS'."
            )
        self._replicas: dict[str, Future] = {}
        for worker in self._threads:
            self._replica_on(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_lost = True  # who asks the engine later is answered here
        for replica in self._replicas.values():
            replica.release()  # the workers forget the samples

    def advise(self, seconds: float, n_threads: int) -> str | None:
        """Return in words that the cluster does not pay, if it does not.

        Parameters
        ----------
        seconds : float
            What a generation took.
        n_threads : int
            Number of threads that could measure here instead.
        """
        alone = self.work / max(1, self.n_generations) / n_threads
        if seconds <= alone:
            return None
        return (
            f"the cluster did not pay: a generation took {1e3 * seconds:.3g} ms with it, and would "
            f"take about {1e3 * alone:.3g} ms with the {n_threads} thread{'s' * (n_threads != 1)} "
            "here"
        )

    # ------------------------------------------------------------ the workers

    def _replica_on(self, worker: str) -> Future:
        """Return a worker's copy of the run; it is sent with the samples where there is none.

        Each worker has one of its own: of copies of the same data Dask keeps one.
        """
        held = self._replicas.get(worker)
        if held is None or held.status != "finished":
            replica = Replica(self._evaluate, self._breeder)
            held = self._client.scatter(replica, workers=[worker], hash=False)
            self._replicas[worker] = held
            self._informed.discard(worker)
        return held

    def _look(self) -> None:
        """Take note of the workers that there are, and check those that are new."""
        if monotonic() - self._looked < LOOK_EVERY:
            return
        if self._client.status != "running":
            raise ConnectionError(f"the client is {self._client.status}")
        found = dict(self._client.nthreads())
        new = [address for address in found if address not in (*self._threads, *self._refused)]
        reasons, gone = _check_workers(self._client, new, self._evaluate.X) if new else ({}, set())
        if reasons and not self._threads:
            raise RuntimeError(" ".join(reasons.values()))
        if reasons:  # the run has begun, and goes on without those
            warnings.warn(" ".join(reasons.values()), RuntimeWarning, stacklevel=2)
        self._refused.update(reasons)
        self._threads = {k: n for k, n in found.items() if k not in (*self._refused, *gone)}
        self._looked = monotonic()

    def _recover(self) -> bool:
        """Wait until there are a scheduler and a worker; return whether there are."""
        until = monotonic() + PATIENCE
        while monotonic() < until and self._client.status != "closed":
            with suppress(OSError, TimeoutError):
                self._looked = -np.inf
                self._look()
                if self._threads:
                    return True
            sleep(LOOK_EVERY / 10)
        return False

    # ------------------------------------------------------------ a generation

    def measure(
        self,
        state: State,
        place: Place,
        rng: np.random.Generator,
        population: Population,
        samples: NDArray[np.intp] | None,
        *,
        ranking_only: bool,
    ) -> Measurement:
        """Return what `Evaluator` returns for solutions of a run's generation.

        Parameters
        ----------
        state : State
            Of the run, with the whole generation.
        place : Place
            Where the solutions stand.
        rng : numpy.random.Generator
            As it stood before the samples were drawn.
        population, samples, ranking_only
            See `Evaluator`.

        Raises
        ------
        RuntimeError
            If a worker answers what cannot be.
        """
        n_samples = state.schedule.n_samples
        n_seen = n_samples if samples is None else len(samples)
        batch = None if samples is None else Batch(rng, n_samples, n_seen)
        size = self._evaluate.block_size(population, n_seen)
        order = Order(_compact(place), len(population), size, batch, ranking_only)
        whole = None if self._breeder is None else Whole.of(state.population, state.mean)
        generation = _Generation(self._client, order, whole, population)
        if not self.is_lost:
            self.is_lost = not self._collect(generation)
        if self.is_lost:
            return self._evaluate(population, samples, ranking_only=ranking_only)
        self._check(generation, samples)
        return self._join(generation)

    def _collect(self, generation: _Generation) -> bool:
        """Have a generation measured, part by part; return whether that was possible."""
        with suppress(OSError, TimeoutError):
            self._look()
        to_do = [(part, worker) for part, worker in _cut(generation.order, self._threads)]
        n_failures = 0
        while to_do or generation.under_way:
            failed = [part for part, worker in to_do if not self._send(generation, part, worker)]
            done = self._wait(generation)
            to_do = []
            for future in done:
                part, worker = generation.under_way.pop(future)
                try:
                    answer: Answer = future.result()
                except _failures_of_clusters():
                    failed.append(part)
                    continue
                if answer.ranking is not None:
                    generation.answers[part.place.first] = part, worker, answer
                    continue
                self._informed.discard(worker)
                to_do.append((part, worker))
            n_failures = n_failures + 1 if failed else 0
            if n_failures > MOST_FAILURES or not (done or failed):
                return False
            if failed:
                if not self._recover():
                    return False
                to_do += zip(failed, cycle(self._threads))
        return True

    def _send(self, generation: _Generation, part: Order, worker: str) -> bool:
        """Have a worker measure a part; return whether it could be sent."""
        lost: tuple[type[BaseException], ...] = (*_failures_of_clusters(), OSError)
        if self._client.status != "running":
            return False
        try:
            replica = self._replica_on(worker)
            knows = worker in self._informed and self._breeder is not None
            future = self._client.submit(
                _measure,
                replica,
                part,
                None if knows else generation.whole_for(part),
                workers=[worker],
                pure=False,
            )
        except lost:
            return False
        self._informed.add(worker)
        generation.under_way[future] = part, worker
        return True

    def _wait(self, generation: _Generation) -> list[Future]:
        """Return parts that are done, at least one; none if the cluster is lost."""
        from distributed import wait

        while generation.under_way:
            with suppress(*_failures_of_clusters()), self._client.as_current():
                wait(list(generation.under_way), timeout=LOOK_EVERY, return_when="FIRST_COMPLETED")
            done: list[Future] = [future for future in generation.under_way if future.done()]
            if done:
                return done
            if not self._recover():
                break
            for future, (_, worker) in generation.under_way.items():
                if worker not in self._threads:
                    future.cancel()
        return []

    def _join(self, generation: _Generation) -> Measurement:
        """Return what the parts of a generation make together."""
        answers = [answer for *_, answer in generation.in_order()]
        self.seconds = max(answer.seconds for answer in answers)
        self.work += sum(
            answer.seconds * self._threads.get(worker, 1)
            for _, worker, answer in generation.in_order()
        )
        self.n_generations += 1
        failures = [answer.failure for answer in answers if answer.failure]
        if failures and self.failure is None:
            self.failure = failures[0]
            warnings.warn(
                f"The fitness is NaN for solutions that it fails for: {self.failure}",
                RuntimeWarning,
                stacklevel=2,
            )
        ranking = np.concatenate([answer.ranking for answer in answers])
        fitness = np.full(len(ranking), np.nan)
        if not generation.order.ranking_only:
            fitness = np.concatenate([answer.fitness for answer in answers])
        return rank_failed_last(Measurement(fitness, ranking))

    def _check(self, generation: _Generation, samples: NDArray[np.intp] | None) -> None:
        """Refuse answers that cannot be, and name the worker."""
        for part, worker, answer in generation.in_order():
            held = [values for values in (answer.ranking, answer.fitness) if values is not None]
            what = None
            if any(np.shape(values) != (part.n_solutions,) for values in held):
                what = f"scores of shape {np.shape(held[0])} for {part.n_solutions} solutions"
            elif np.isnan(held[0]).all():
                first = part.place.first - generation.order.place.first
                here = self._evaluate(generation.population[first : first + 1], samples)
                if not np.isnan(here.ranking[0]):
                    what = f"NaN for all of {part.n_solutions} solutions, which is not so here"
            if what is not None:
                raise RuntimeError(
                    f"the worker {worker} answered {what}; restart it, or leave it out."
                )


@dataclass
class _Generation:
    """A generation that is being measured: the parts that are under way, and the answers.

    Attributes
    ----------
    client : Client
        Of the cluster.
    order : Order
        For all solutions.
    whole : Whole or None
        The whole generation; None where each part is sent by itself.
    population : ndarray or LowRankPopulation
        The solutions.
    under_way : dict of Future to tuple
        A part, and the worker that has it.
    answers : dict of int to tuple
        A part, the worker and its answer, by the part's first solution.
    """

    client: Client
    order: Order
    whole: Whole | None
    population: Population
    under_way: dict[Future, tuple[Order, str]] = field(default_factory=dict)
    answers: dict[int, tuple[Order, str, Answer]] = field(default_factory=dict)
    _sent: Any = None

    def in_order(self) -> list[tuple[Order, str, Answer]]:
        """Return the answers, the first solutions' first."""
        return [self.answers[first] for first in sorted(self.answers)]

    def whole_for(self, part: Order) -> Whole | Future:
        """Return what a worker that lacks the generation needs for a part."""
        if self.whole is None:
            start = part.place.first - self.order.place.first
            return self._apart(Whole.of(self.population[start : start + part.n_solutions]))
        if getattr(self._sent, "status", "finished") != "finished" or self._sent is None:
            self._sent = self._apart(self.whole)
        sent: Whole | Future = self._sent
        return sent

    def _apart(self, whole: Whole) -> Whole | Future:
        size = sum(part.nbytes for part in vars(whole).values() if isinstance(part, np.ndarray))
        if size < SENT_APART:
            return whole
        return self.client.scatter(whole, hash=False)


def _cut(order: Order, threads: Mapping[str, int]) -> Iterator[tuple[Order, str]]:
    """Yield a part for each worker, by the number of its threads, cut between blocks."""
    n_blocks = -(-order.n_solutions // order.block_size)
    shares = np.cumsum([0, *threads.values()]) / sum(threads.values())
    edges = np.minimum(np.ceil(shares * n_blocks).astype(int) * order.block_size, order.n_solutions)
    for worker, (start, stop) in zip(threads, pairwise(edges.tolist()), strict=True):
        if stop > start:
            place = order.place._replace(first=order.place.first + start)
            yield order._replace(place=place, n_solutions=stop - start), worker


def _compact(place: Place) -> Place:
    """Return a place with the smallest integers that its descent can be told in."""
    descent = place.descent
    if descent is None:
        return place
    parents, elites = (
        indices.astype(np.min_scalar_type(indices.max(initial=0)))
        for indices in (descent.parents, descent.elites)
    )
    return place._replace(descent=descent._replace(parents=parents, elites=elites))


def _failures_of_clusters() -> tuple[type[BaseException], ...]:
    """Return the exceptions that say nothing of the run, but that a worker or a message is lost."""
    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    killed: type[Exception] = KilledWorker
    closed: type[Exception] = CommClosedError
    cancelled = (asyncio.CancelledError, concurrent.futures.CancelledError)
    return (*cancelled, closed, killed, TimeoutError)


# ---------------------------------------------------------------- what workers do


def _measure(replica: Replica, part: Order, whole: Whole | None) -> Answer:
    """Return what a worker finds, with the threads that it has."""
    from distributed import get_worker

    return replica.answer(part, whole, get_worker().state.nthreads)


def _environment() -> dict[str, str]:
    """Return what has to be the same here and there: first the package, then what makes bits."""
    return package_versions("ga-ann") | numeric_versions() | {"BLAS": blas_kernels()}


def _check_workers(
    client: Client, addresses: Sequence[str], X: Any
) -> tuple[dict[str, str], set[str]]:
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
        if isinstance(theirs, OSError | TimeoutError):
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
