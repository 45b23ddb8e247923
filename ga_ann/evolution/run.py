"""A run's books: how each generation is measured, the best solution, the History, when to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.callbacks import Callback
from ga_ann.evolution.breeding import Breeder, Place, next_mean
from ga_ann.evolution.evaluation import Evaluator, Measurement
from ga_ann.evolution.problem import Problem
from ga_ann.low_rank import LowRankPopulation
from ga_ann.operators import rank_order
from ga_ann.state import Best, State
from ga_ann.validation import check_number

if TYPE_CHECKING:
    from ga_ann.evolution.cluster import Cluster
    from ga_ann.evolution.device import DeviceEvaluator
    from ga_ann.evolution.engine import NetworkGA

__all__ = ["Limits", "Run", "without_nan"]

CHECK_EVERY = 10
"""Generations between two measurements of a candidate on all samples."""


Candidate = tuple[NDArray[Any], Measurement]


def without_nan(fitness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fitness as PyGAD can take it: NaN becomes minus infinity."""
    return np.where(np.isnan(fitness), -np.inf, fitness)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a run ends, and by what its best solution is chosen; see `evolve`."""

    n_generations: int
    target_fitness: float | None = None
    early_stopping: bool = False
    n_iter_no_change: int | None = None
    tol: float = 1e-4
    max_time: float | None = None
    max_evaluations: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        check_number(self.n_generations, "n_generations", Integral, low=0)
        check_number(self.tol, "tol", low=0)
        if self.target_fitness is not None:
            check_number(self.target_fitness, "target_fitness")
        if self.n_iter_no_change is not None:
            check_number(self.n_iter_no_change, "n_iter_no_change", Integral, low=1)
        if self.max_time is not None:
            check_number(self.max_time, "max_time", above=0)
        if self.max_evaluations is not None:
            check_number(self.max_evaluations, "max_evaluations", above=0)


class Run:
    """Measures the generations, keeps the best solution and the History, and tells when to stop.

    Parameters
    ----------
    state : State
        Where the run stands; every generation moves it.
    problem : Problem
        What is looked for.
    limits : Limits
        When to stop.
    evaluate, validate : Evaluator
        Measure on the training and, if there are any, on the validation data.
    breeder : Breeder
        How a generation comes of the one before.
    cluster : Cluster, optional
        Measures the generations, instead of `evaluate`.
    callbacks : iterable of Callback
        What to do after each generation.
    on_device : DeviceEvaluator, optional
        Measures the generations and the candidates for the best instead of `evaluate`, which
        measures those again that it finds better: what the best is worth is NumPy's word.
    is_interrupted : callable
        Tells whether the run is to end with this generation.

    Attributes
    ----------
    stop_reason : str
        Why the run ended.
    """

    def __init__(
        self,
        state: State,
        problem: Problem,
        limits: Limits,
        evaluate: Evaluator,
        validate: Evaluator | None = None,
        *,
        breeder: Breeder,
        cluster: Cluster | None = None,
        callbacks: Iterable[Callback] = (),
        on_device: DeviceEvaluator | None = None,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.state = state
        self.problem = problem
        self.limits = limits
        self.evaluate = evaluate
        self.validate = validate
        self.breeder = breeder
        self.cluster = cluster
        self.on_device = on_device
        self.callbacks = list(callbacks)
        self.stop_reason = "n_generations"
        self._is_interrupted = is_interrupted
        self._seconds_before = state.history.last["seconds"] if len(state.history) else 0.0
        self._start = perf_counter()

    @property
    def last_generation(self) -> int:
        """Number of the generation after which the run ends in any case."""
        return max(0, self.state.beginning.n_rows - 1) + self.limits.n_generations

    # ------------------------------------------------------------ measuring

    def measure(
        self,
        population: NDArray[Any] | LowRankPopulation,
        *,
        place: Place | None = None,
        fitness_wanted: bool = False,
    ) -> Measurement:
        """Measure solutions on all samples, or on a batch that is drawn anew each time.

        The fitness is left out where nobody reads it, unless it is wanted. A cluster measures
        those of which is known where they stand, `place`.
        """
        state, samples = self.state, None
        rng = deepcopy(state.rng) if self.cluster is not None else state.rng
        # The schedule may move before the next generation; this measurement is what it was.
        state.measured_on_all = state.schedule.is_full
        if not state.measured_on_all:
            samples = state.rng.integers(state.schedule.n_samples, size=state.schedule.batch_size)
        # Where selection ranks by something else, nobody but the History reads the fitness on a
        # batch; and a metric that takes the solutions one at a time is too slow for it.
        cheap = state.measured_on_all and not self.evaluate.is_slow
        needed = fitness_wanted or self._at_check() or self.problem.ranking is None
        state.fitness_known = cheap or needed
        by: Callable[..., Measurement] | None = None
        if self.cluster is not None and place is not None:
            by = partial(self.cluster.measure, state, place, rng)
        return self._evaluate(population, samples, by, ranking_only=not state.fitness_known)

    def _evaluate(
        self,
        population: NDArray[Any] | LowRankPopulation,
        samples: NDArray[np.intp] | None = None,
        by: Callable[..., Measurement] | None = None,
        **options: Any,
    ) -> Measurement:
        n_samples = self.state.schedule.n_samples
        measured = (by or self.on_device or self.evaluate)(population, samples, **options)
        n_seen = n_samples if samples is None else len(samples)
        self.state.n_evaluated += len(population) * n_seen / n_samples
        return measured

    def _at_check(self) -> bool:
        return len(self.state.history) % CHECK_EVERY == 0

    # ----------------------------------------------------------- generations

    def record(self, ga: NetworkGA) -> str | None:
        """Note a generation; return "stop", PyGAD's word for it, if it is to be the last."""
        state = self.state
        self._find_best()
        # Minus infinity stands for NaN in the fitness.
        fitness = state.fitness if state.fitness_known else state.ranking
        is_invalid = np.isnan(fitness) | np.isneginf(fitness)
        if not len(state.history) and is_invalid.all() and np.isnan(state.best.fitness):
            failure = self.evaluate.failure or (self.cluster and self.cluster.failure)
            cause = (failure or "their outputs are NaN or infinite").rstrip(".")
            raise ValueError(
                f"the fitness {self.problem.metric} is finite for no solution of the initial "
                f"population: {cause}."
            )
        state.history.append(
            generation=len(state.history),
            evaluations=state.evaluations,
            seconds=self._seconds(),
            best_fitness=state.best.fitness,
            mean_fitness=self._mean_fitness(fitness[~is_invalid]),
            ranking=state.best_ranking,
            validation_score=state.best.validation_score,
            sigma=state.schedule.sigma,
            n_samples=state.schedule.batch_size,
            n_invalid=int(is_invalid.sum()),
        )
        reason = self.limit_reached()
        for callback in self.callbacks:
            answer = callback.on_generation(ga, state.history)
            reason = reason or (answer if isinstance(answer, str) else "callback" * bool(answer))
        if not reason:
            return None
        self.stop_reason = reason
        # Here and not after the run: PyGAD selects parents once more in the end.
        for callback in self.callbacks:
            callback.on_stop(ga, state.history)
        return "stop"

    def _seconds(self) -> float:
        return self._seconds_before + perf_counter() - self._start

    def limit_reached(self) -> str | None:
        """Return why the run must end with the last generation; None if it may go on."""
        limits, state = self.limits, self.state
        if limits.target_fitness is not None and state.best.fitness >= limits.target_fitness:
            return "target_fitness"
        if len(state.history) > self.last_generation:
            return "n_generations"
        spent = self._seconds() - state.beginning.seconds
        if limits.max_time is not None and spent >= limits.max_time:
            return "max_time"
        most = limits.max_evaluations
        if most is not None and state.n_evaluated + self._next_cost() > most:
            return "max_evaluations"
        if self._is_interrupted():
            return "interrupted"
        return "cluster" if self.cluster is not None and self.cluster.is_lost else None

    def _next_cost(self) -> float:
        """Return the evaluations of another generation and of the candidate of a check."""
        schedule = self.state.schedule
        n_measured = self.problem.population_size - self.problem.recipe.n_elites
        return n_measured * schedule.batch_size / schedule.n_samples + 1

    def _mean_fitness(self, valid: NDArray[Any]) -> float:
        known = self.state.fitness_known and len(valid) > 0
        return float(valid.mean()) if known else float("nan")

    # -------------------------------------------------------------- the best

    def _find_best(self) -> None:
        """Compare the generation's candidates, measured on all samples, with the best so far."""
        state = self.state
        known = self._known_on_all()
        if known is not None and (self._at_check() or not self.limits.early_stopping):
            self.keep_better(*known)
        if not self._at_check():
            return
        rankings = [self.keep_better(*candidate) for candidate in self._candidates()]
        if state.measured_on_all:
            rankings.append(float(np.fmax.reduce(state.ranking)))
        ranking = float(np.fmax.reduce(rankings))
        state.best_ranking = float(np.fmax(state.best_ranking, ranking))
        state.schedule.update(ranking)

    def _known_on_all(self) -> Candidate | None:
        """Return the generation's best solution, if its fitness is that on all samples."""
        state = self.state
        if not (state.measured_on_all and state.fitness_known):
            return None
        best = np.lexsort((without_nan(state.ranking), state.fitness))[-1]
        measured = Measurement(state.fitness[[best]], state.ranking[[best]])
        return state.population[best], measured

    def _candidates(self) -> list[Candidate]:
        """Return what else may be the best, measured on all samples."""
        state, recipe = self.state, self.problem.recipe
        order = rank_order(state.ranking)
        if recipe.crossover == "mean":
            parents = order[: recipe.n_parents]
            candidate = next_mean(state.population, state.mean, recipe, parents)
        elif not (state.measured_on_all and state.fitness_known):
            candidate = state.population[order[0]]
        else:
            return []
        return [(candidate, self._evaluate(candidate[None]))]

    def consider(self, solution: NDArray[Any]) -> None:
        """Measure a solution that is good already, and keep it if it is better than the best."""
        self.keep_better(solution, self._evaluate(solution[None]))

    def keep_better(self, solution: NDArray[Any], measured: Measurement) -> float:
        """Keep a solution if it is better than the best so far, and return its ranking.

        With early stopping, better is of higher fitness on the validation data. Else it is of
        higher fitness. Solutions of equal fitness go by rank.
        """
        fitness, ranking = float(measured.fitness[0]), float(measured.ranking[0])
        best = Best(solution, fitness if np.isfinite(fitness) else float("nan"), ranking)
        if self.limits.early_stopping:
            best = best._replace(validation_score=self._validate(solution))
        if self._is_no_better(best):
            return ranking
        if self.on_device is not None:
            again = self.evaluate(solution[None])
            best = best._replace(fitness=float(again.fitness[0]), ranking=float(again.ranking[0]))
            if self._is_no_better(best):
                return ranking
        if not self.limits.early_stopping:
            best = best._replace(validation_score=self._validate(solution))
        # At once, after the last thing that takes time: Ctrl-C leaves no half of it.
        self.state.best = best._replace(solution=solution.copy())
        return ranking

    def _is_no_better(self, best: Best) -> bool:
        so_far = self.state.best
        return len(so_far.solution) > 0 and self._key(best) <= self._key(so_far)

    def _validate(self, solution: NDArray[Any]) -> float:
        if self.validate is None:
            return float("nan")
        return float(self.validate(solution[None]).fitness[0])

    def _key(self, best: Best) -> list[float]:
        """Return what solutions are compared by; NaN is worst."""
        key = [best.fitness, best.ranking]
        if self.limits.early_stopping:
            valid = np.isfinite(best.fitness)
            key = [best.validation_score, best.ranking] if valid else [np.nan, np.nan]
        return [-np.inf if np.isnan(value) else value for value in key]

    def conclude(self) -> State:
        """Return the state with the best of the last generation, looked for as a check would.

        Neither the run's own state nor its checkpoint takes note: a run that goes on from there
        must be the one that never ended.
        """
        if (len(self.state.history) - 1) % CHECK_EVERY == 0:
            return self.state
        own, self.state = self.state, self.state.with_own_history()
        known = self._known_on_all()
        for candidate in self._candidates() + ([known] if known is not None else []):
            self.keep_better(*candidate)
        self.state.history.amend_last(
            best_fitness=self.state.best.fitness,
            validation_score=self.state.best.validation_score,
            evaluations=self.state.evaluations,
        )
        concluded, self.state = self.state, own
        return concluded
