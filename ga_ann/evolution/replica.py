"""Replica: a worker's copy of a run, which breeds each generation itself and measures a part of it.

It knows no engine and no cluster: orders come in, answers go out.
"""

from __future__ import annotations

import threading
from copy import deepcopy
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ga_ann.evolution.breeding import Breeder, Place
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.evolution.machine import one_blas_thread
from ga_ann.low_rank import LowRankPopulation

__all__ = ["Answer", "Batch", "Order", "Replica", "Whole"]

Population = NDArray[Any] | LowRankPopulation


class Batch(NamedTuple):
    """The samples of a generation, as the numbers that they are drawn from.

    Attributes
    ----------
    rng : numpy.random.Generator
        As it stands before they are drawn.
    n_samples, size : int
        Number of all samples, and how many of them are drawn, with replacement.
    """

    rng: np.random.Generator
    n_samples: int
    size: int

    def draw(self) -> NDArray[np.intp]:
        """Return the samples' indices."""
        return deepcopy(self.rng).integers(self.n_samples, size=self.size)


@dataclass(frozen=True, eq=False)
class Whole:
    """A population, for a worker that lacks it.

    Attributes
    ----------
    chromosomes : ndarray of shape (n_solutions, n_genes) or None
        None for low-rank mutations of the mean.
    mean : ndarray of shape (n_genes,) or None
        The mean that all solutions are mutations of, if there is one.
    places : ndarray of shape (n_solutions,) or None
        Where low-rank mutations come from.
    sigma : float
        Their strength.
    """

    chromosomes: NDArray[Any] | None
    mean: NDArray[Any] | None = None
    places: NDArray[np.int64] | None = None
    sigma: float = 0.0

    @classmethod
    def of(cls, population: Population, mean: NDArray[Any] | None = None) -> Self:
        """Return what a population is."""
        if isinstance(population, LowRankPopulation):
            return cls(None, population.mean, population.places, population.sigma)
        return cls(population, mean)


class Order(NamedTuple):
    """What a worker is to measure.

    Attributes
    ----------
    place : Place
        Which generation, how it comes of the one before, and the first solution.
    n_solutions : int
        Number of them.
    block_size : int
        Number of networks that are measured at a time.
    batch : Batch or None
        On which samples; None for all.
    ranking_only : bool
        Whether to leave out the fitness, see `Evaluator`.
    """

    place: Place
    n_solutions: int
    block_size: int
    batch: Batch | None
    ranking_only: bool


class Answer(NamedTuple):
    """What a worker found.

    Attributes
    ----------
    ranking : ndarray of shape (n_solutions,) or None
        See `Measurement`; None where the worker lacks the generation.
    fitness : ndarray of shape (n_solutions,) or None
        See `Measurement`; None where it was left out.
    seconds, work : float
        What measuring took: on the clock, and of processors' time in all threads.
    failure : str or None
        See `Evaluator.failure`.
    """

    ranking: NDArray[np.float64] | None
    fitness: NDArray[np.float64] | None = None
    seconds: float = 0.0
    work: float = 0.0
    failure: str | None = None


class Replica:
    """A copy of a run. A pickle holds what the run began with, and arrives as a new copy.

    Parameters
    ----------
    evaluate : Evaluator
        With the samples.
    breeder : Breeder or None
        How a generation comes of the one before; None where every population is sent.

    Examples
    --------
    >>> evaluate = Evaluator([[1.0, 0.0], [0.0, 1.0]], [0, 1], [(2, 2)])
    >>> replica = Replica(evaluate, None)
    >>> order = Order(Place(), 2, block_size=1, batch=None, ranking_only=False)
    >>> sent = Whole(np.array([[1, 0, 0, 1], [0, 1, 1, 0]], dtype=np.float32))
    >>> replica.answer(order, sent).fitness
    array([1., 0.])
    """

    def __init__(self, evaluate: Evaluator, breeder: Breeder | None) -> None:
        self._evaluate = evaluate
        self._breeder = breeder
        self._own: Evaluator | None = None
        self._number = -1
        self._population: Any = None
        self._mean: Any = None
        self._lock = threading.Lock()

    def __reduce__(self) -> Any:
        return Replica, (self._evaluate, self._breeder)

    def answer(self, order: Order, whole: Whole | None = None, n_threads: int = 1) -> Answer:
        """Measure a part of a generation, if it is known, or can be bred of the one before.

        Parameters
        ----------
        order : Order
            What to measure.
        whole : Whole, optional
            The generation. Where there is no breeder, the solutions of the order alone.
        n_threads : int, default=1
            Number of threads to measure with.
        """
        with self._lock, one_blas_thread():
            if self._breeder is None:
                known: Any = whole
                return self._measure(order, known.chromosomes, n_threads)
            if not self._reach(self._breeder, order.place, whole):
                return Answer(None)
            part = slice(order.place.first, order.place.first + order.n_solutions)
            low_rank = isinstance(self._population, LowRankPopulation)
            own = self._population.take(part) if low_rank else self._population[part]
            return self._measure(order, own, n_threads)

    def _reach(self, breeder: Breeder, place: Place, whole: Whole | None) -> bool:
        """Have the generation, if that is possible; return whether it is."""
        if place.number == self._number:
            return True
        if self._number == place.number - 1 and place.descent is not None:
            self._population, self._mean = breeder.breed(
                self._population, self._mean, place.descent
            )
        elif whole is None:
            return False
        elif whole.mean is not None and whole.places is not None:
            noise: Any = breeder.noise
            self._population = LowRankPopulation(whole.mean, whole.places, whole.sigma, noise)
        else:
            # A copy: within one process, Dask hands over the engine's own array.
            self._population, self._mean = np.array(whole.chromosomes), whole.mean
        self._number = place.number
        return True

    def _measure(self, order: Order, solutions: Population, n_threads: int) -> Answer:
        began, used = perf_counter(), process_time()
        if self._own is None:  # once, since its buffers are as good as all of a small generation
            self._own = self._evaluate.with_threads(n_threads)
        evaluate = self._own
        fitness, ranking = evaluate(
            solutions,
            None if order.batch is None else order.batch.draw(),
            ranking_only=order.ranking_only,
            block_size=order.block_size,
        )
        known = None if order.ranking_only else fitness
        seconds, work = perf_counter() - began, process_time() - used
        return Answer(ranking, known, seconds, work, evaluate.failure)
