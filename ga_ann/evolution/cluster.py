"""Cluster: a generation measured by the workers of a Dask cluster, to the same bits.

The samples go to every worker once. A generation is then a few kilobytes: the parents' numbers and
a generator, from which each worker breeds the population that it has, and scores that come back
(`Replica`). Only a worker that lacks the generation before, because it is new or was restarted,
is sent the population.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ga_ann.evolution.breeding import Breeder, Place
from ga_ann.evolution.evaluation import Evaluator, Measurement, rank_failed_last
from ga_ann.evolution.replica import Answer, Batch, Order, Replica, Whole
from ga_ann.evolution.workers import LOOK_EVERY, Workers, failures_of_clusters
from ga_ann.low_rank import LowRankPopulation
from ga_ann.state import State

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Cluster"]

ANSWER_SECONDS = 10.0
"""How long an answer that is there may take to arrive."""

SENT_APART = 2**16
"""Bytes from which a population is sent as data, and not within the order for it."""

MOST_FAILURES = 5
"""Times in a row that the cluster may fail, as when a worker is lost, before it counts as lost."""

Population = NDArray[Any] | LowRankPopulation


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
    is_interrupted : callable
        Tells whether the run is to end with this generation: then a cluster that is lost is not
        waited for.

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
        Seconds of processors' time that all workers have measured for.
    n_generations : int
        Number of generations that they have measured.

    Raises
    ------
    ConnectionError
        If there is no worker, or one of them cannot take part: it lacks the package, a module or
        samples that are on disk, or has another version of the package.
    """

    def __init__(
        self,
        client: Client,
        evaluate: Evaluator,
        breeder: Breeder,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.is_lost = False
        self.failure: str | None = None
        self.seconds = self.work = 0.0
        self.n_generations = 0
        self._client = client
        self._evaluate = evaluate
        self._breeder = breeder if breeder.is_ours else None
        self._workers = Workers(client, evaluate, self._breeder, is_interrupted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.is_lost = True  # who asks the engine later is answered here
        self._workers.release()

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
        ConnectionError
            If a worker answers what cannot be.
        """
        n_samples = state.schedule.n_samples
        n_seen = n_samples if samples is None else len(samples)
        batch = None
        if samples is not None:
            batch = Batch(_Generator(rng.bit_generator), n_samples, n_seen)
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
        with suppress(OSError):
            self._workers.look()
        if not (self._workers.threads or self._workers.wait_for_one()):
            return False
        to_do = [(part, worker) for part, worker in _cut(generation.order, self._workers.threads)]
        n_failures = 0
        while to_do or generation.under_way:
            failed = [part for part, worker in to_do if not self._send(generation, part, worker)]
            done = self._wait(generation)
            to_do = []
            for future in done:
                part, worker = generation.under_way.pop(future)
                try:
                    answer: Answer = future.result(timeout=ANSWER_SECONDS)
                except failures_of_clusters():
                    failed.append(part)
                    continue
                if answer.ranking is not None:
                    generation.answers[part.place.first] = part, worker, answer
                    continue
                self._workers.informed.discard(worker)
                to_do.append((part, worker))
            n_failures = n_failures + 1 if failed else 0
            if n_failures > MOST_FAILURES or not (done or failed):
                return False
            if failed:
                if not self._workers.wait_for_one():
                    return False
                to_do += zip(failed, cycle(self._workers.threads))
        return True

    def _send(self, generation: _Generation, part: Order, worker: str) -> bool:
        """Have a worker measure a part; return whether it could be sent."""
        if self._client.status != "running":
            return False
        try:
            replica = self._workers.replica_on(worker)
            knows = worker in self._workers.informed and self._breeder is not None
            future = self._client.submit(
                _measure,
                replica,
                part,
                None if knows else generation.whole_for(part),
                workers=[worker],
                pure=False,
            )
        except failures_of_clusters():
            return False
        self._workers.informed.add(worker)
        generation.under_way[future] = part, worker
        return True

    def _wait(self, generation: _Generation) -> list[Future]:
        """Return parts that are done, at least one; none if the cluster is lost."""
        from distributed import wait

        while generation.under_way:
            with suppress(*failures_of_clusters()), self._client.as_current():
                wait(list(generation.under_way), timeout=LOOK_EVERY, return_when="FIRST_COMPLETED")
            done: list[Future] = [future for future in generation.under_way if future.done()]
            if done:
                return done
            if not self._workers.wait_for_one():
                break
            for future, (_, worker) in generation.under_way.items():
                if worker not in self._workers.threads:
                    future.cancel()
        return []

    def _join(self, generation: _Generation) -> Measurement:
        """Return what the parts of a generation make together."""
        answers = [answer for *_, answer in generation.in_order()]
        self.seconds = max(answer.seconds for answer in answers)
        self.work += sum(answer.work for answer in answers)
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
                raise ConnectionError(
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
    rng = _Generator(descent.rng.bit_generator)
    return place._replace(descent=descent._replace(parents=parents, elites=elites, rng=rng))


class _Generator(np.random.Generator):
    """A generator whose pickle is its state, without the seed that NumPy sends along."""

    def __reduce__(self) -> Any:
        return _with_state, (type(self.bit_generator), self.bit_generator.state)


def _with_state(kind: type[np.random.BitGenerator], state: Any) -> np.random.Generator:
    generator = _Generator(kind(0))
    generator.bit_generator.state = state
    return generator


# ---------------------------------------------------------------- what workers do


def _measure(replica: Replica, part: Order, whole: Whole | None) -> Answer:
    """Return what a worker finds, with the threads that it has."""
    from distributed import get_worker

    return replica.answer(part, whole, get_worker().state.nthreads)
