"""A run's books: how each generation is measured, the best solution, the History, when to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.callbacks import Callback
from ga_ann.evolution.evaluation import Evaluator, Measurement
from ga_ann.evolution.recipe import Settings
from ga_ann.history import History
from ga_ann.operators import rank_order, weighted_mean
from ga_ann.schedule import Schedule
from ga_ann.storage.checkpoint import Snapshot, using_state

__all__ = ["Run", "as_generator_state", "without_nan"]

CHECK_EVERY = 10
"""Generations between two measurements of a candidate on all samples."""


def without_nan(fitness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fitness as PyGAD can take it: NaN becomes minus infinity."""
    return np.where(np.isnan(fitness), -np.inf, fitness)


class Run:
    """Measures the generations, keeps the best solution and the History, and tells when to stop.

    Parameters
    ----------
    settings : Settings
        What the run was started with.
    evaluate, validate : Evaluator
        Measure on the training and, if there are any, on the validation data.
    history : History
        With the generations before, where the run goes on.
    callbacks : iterable of callable
        See `ga_ann.callbacks`.
    schedule : Schedule
        Moves sigma and the batches.
    rng : numpy.random.Generator
        The source of randomness.
    last_generation : int
        Number of the generation after which the run ends in any case.
    is_interrupted : callable
        Tells whether the run is to end with this generation.

    Attributes
    ----------
    best : ndarray of shape (n_genes,)
        The best solution so far.
    best_fitness, validation_score : float
        Its fitness on the training and on the validation data.
    ranking : float
        What selection ranks by, on all training samples, of the best ranked solution so far.
    measured_on_all, fitness_known : bool
        Whether the last generation was measured on all samples, and not by its ranking alone.
    stop_reason : str
        Why the run ended.
    verdict : str or None
        Why a callback would not let the run go on from its checkpoint.
    """

    def __init__(
        self,
        settings: Settings,
        evaluate: Evaluator,
        validate: Evaluator | None,
        *,
        history: History,
        callbacks: Iterable[Callback],
        schedule: Schedule,
        rng: np.random.Generator,
        last_generation: int,
        is_interrupted: Callable[[], bool],
    ) -> None:
        self.settings = settings
        self.evaluate = evaluate
        self.validate = validate
        self.history = history
        self.callbacks = list(callbacks)
        self.schedule = schedule
        self.rng = rng
        self.best: NDArray[Any] = np.empty(0)
        self.best_fitness = self.validation_score = self.ranking = float("nan")
        self.measured_on_all = self.fitness_known = False
        self.stop_reason = "n_generations"
        self.verdict: str | None = None
        self._best_key: list[float] = []
        self._last_generation = last_generation
        self._is_interrupted = is_interrupted
        last = history.last if len(history) else {"seconds": 0.0, "evaluations": 0.0}
        # What the rows of an earlier run count is added to what this one takes.
        self._evaluations_before = last["evaluations"]
        self._seconds_before = self._first_second = last["seconds"]
        self._start = perf_counter()

    # ------------------------------------------------------------ measuring

    def measure(self, population: NDArray[Any]) -> Measurement:
        """Measure solutions on all samples, or on a batch that is drawn anew each time."""
        samples = None
        # The schedule may move before the next generation; this measurement is what it was.
        self.measured_on_all = self.schedule.is_full
        if not self.measured_on_all:
            samples = self.rng.integers(len(self.evaluate.X), size=self.schedule.batch_size)
        # A metric that takes the solutions one at a time is too slow for every generation.
        self.fitness_known = self._at_check() or not self.evaluate.is_slow
        return self.evaluate(population, samples, ranking_only=not self.fitness_known)

    def _at_check(self) -> bool:
        return len(self.history) % CHECK_EVERY == 0

    # ----------------------------------------------------------- generations

    def record(self, ga: Any) -> str | None:
        """Note a generation; return "stop", PyGAD's word for it, if it is to be the last."""
        self._find_best(ga)
        # PyGAD holds minus infinity for NaN.
        fitness = ga.last_generation_fitness if self.fitness_known else ga.ranking
        is_invalid = np.isnan(fitness) | np.isneginf(fitness)
        if not len(self.history) and is_invalid.all() and np.isnan(self.best_fitness):
            cause = (self.evaluate.failure or "their outputs are NaN or infinite").rstrip(".")
            raise ValueError(
                f"the fitness {self.settings.fitness} is finite for no solution of the initial "
                f"population: {cause}."
            )
        self.history.append(
            generation=len(self.history),
            evaluations=self._evaluations_before + self.evaluate.n_evaluated,
            seconds=self._seconds(),
            best_fitness=self.best_fitness,
            mean_fitness=self._mean_fitness(fitness[~is_invalid]),
            ranking=self.ranking,
            validation_score=self.validation_score,
            sigma=self.schedule.sigma,
            n_samples=self.schedule.batch_size,
            n_invalid=int(is_invalid.sum()),
        )
        reason = self.limit_reached()
        for callback in self.callbacks:
            answer = callback(ga, self.history)
            reason = reason or (answer if isinstance(answer, str) else "callback" * bool(answer))
        if not reason:
            return None
        self.stop_reason = reason
        # Here and not after the run: PyGAD selects parents once more in the end.
        for callback in self.callbacks:
            if hasattr(callback, "finish"):
                callback.finish(ga, self.history)
        return "stop"

    def _seconds(self) -> float:
        return self._seconds_before + perf_counter() - self._start

    def limit_reached(self) -> str | None:
        """Return why the run must end with the last generation; None if it may go on."""
        s = self.settings
        if s.target_fitness is not None and self.best_fitness >= s.target_fitness:
            return "target_fitness"
        if len(self.history) > self._last_generation:
            return "n_generations"
        if s.max_time is not None and self._seconds() - self._first_second >= s.max_time:
            return "max_time"
        if s.max_evaluations and self.evaluate.n_evaluated + self._next_cost() > s.max_evaluations:
            return "max_evaluations"
        return "interrupted" if self._is_interrupted() else None

    def _next_cost(self) -> float:
        """Return the evaluations of another generation and of the candidate of a check."""
        s = self.settings
        share = self.schedule.batch_size / self.schedule.n_samples
        return (s.population_size - s.n_elites) * share + 1

    def _mean_fitness(self, valid: NDArray[Any]) -> float:
        return float(valid.mean()) if self.fitness_known and len(valid) else float("nan")

    # -------------------------------------------------------------- the best

    def _find_best(self, ga: Any) -> None:
        """Compare the generation's candidates, measured on all samples, with the best so far."""
        known = self._known_on_all(ga)
        if known is not None and (self._at_check() or not self.settings.early_stopping):
            self.keep_better(*known)
        if not self._at_check():
            return
        rankings = [self.keep_better(*candidate) for candidate in self._candidates(ga)]
        if self.measured_on_all:
            rankings.append(float(np.fmax.reduce(ga.ranking)))
        ranking = float(np.fmax.reduce(rankings))
        self.ranking = float(np.fmax(self.ranking, ranking))
        self.schedule.update(ranking)

    def _known_on_all(self, ga: Any) -> tuple[NDArray[Any], Measurement] | None:
        """Return the generation's best solution, if its fitness is that on all samples."""
        if not (self.measured_on_all and self.fitness_known):
            return None
        fitness = ga.last_generation_fitness
        best = np.lexsort((without_nan(ga.ranking), fitness))[-1]
        return ga.population[best], Measurement(fitness[[best]], ga.ranking[[best]])

    def _candidates(self, ga: Any) -> list[tuple[NDArray[Any], Measurement]]:
        """Return what else may be the best, measured on all samples."""
        order = rank_order(ga.ranking)
        if self.settings.crossover == "mean":
            with np.errstate(over="ignore", invalid="ignore"):
                candidate = weighted_mean(ga.population[order[: self.settings.n_parents]])
        elif not (self.measured_on_all and self.fitness_known):
            candidate = ga.population[order[0]]
        else:
            return []
        return [(candidate, self.evaluate(candidate[None]))]

    def keep_better(self, solution: NDArray[Any], measured: Measurement) -> float:
        """Keep a solution if it is better than the best so far, and return its ranking.

        With early stopping, better is of higher fitness on the validation data. Else it is of
        higher fitness. Solutions of equal fitness go by rank.
        """
        fitness, ranking = float(measured.fitness[0]), float(measured.ranking[0])
        score = float("nan")
        key = [fitness, ranking]
        if self.settings.early_stopping and self.validate is not None:
            score = float(self.validate(solution[None]).fitness[0])
            key = [score, ranking] if np.isfinite(fitness) else [np.nan, np.nan]
        key = np.nan_to_num(key, nan=-np.inf, neginf=-np.inf).tolist()
        if self._best_key and key <= self._best_key:
            return ranking
        if self.validate is not None and not self.settings.early_stopping:
            score = float(self.validate(solution[None]).fitness[0])
        # All at once, after the last thing that takes time: Ctrl-C leaves no half of it.
        self._best_key = key
        self.best = solution.copy()
        self.best_fitness = fitness if np.isfinite(fitness) else float("nan")
        self.validation_score = score
        return ranking

    def check_last(self, ga: Any) -> None:
        """Look for the best in the last generation, as a check would, and correct its row.

        Neither the schedule nor what a checkpoint holds takes note: a run that goes on from here
        must be the one that never ended.
        """
        if (len(self.history) - 1) % CHECK_EVERY == 0:
            return
        known = self._known_on_all(ga)
        for candidate in self._candidates(ga) + ([known] if known is not None else []):
            self.keep_better(*candidate)
        self.history.amend_last(
            best_fitness=self.best_fitness,
            validation_score=self.validation_score,
            evaluations=self._evaluations_before + self.evaluate.n_evaluated,
        )

    # ----------------------------------------------------------- checkpoints

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, in JSON's types."""
        return {
            "rng": self.rng.bit_generator.state,
            "schedule": asdict(self.schedule),
            "best_key": self._best_key,
            "best_fitness": self.best_fitness,
            "validation_score": self.validation_score,
            "ranking": self.ranking,
            "measured_on_all": self.measured_on_all,
            "fitness_known": self.fitness_known,
            "n_evaluated": self.evaluate.n_evaluated,
            "evaluations_before": self._evaluations_before,
            "first_second": self._first_second,
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot; its budgets of time and evaluations go on as well.

        Raises
        ------
        ValueError
            If the snapshot is not one of such a run.
        """
        state = snapshot.state
        with using_state():
            self.rng.bit_generator.state = as_generator_state(state["rng"])
            self._best_key = [float(value) for value in state["best_key"]]
            self.best_fitness = float(state["best_fitness"])
            self.validation_score = float(state["validation_score"])
            self.ranking = float(state["ranking"])
            self.measured_on_all = bool(state["measured_on_all"])
            self.fitness_known = bool(state["fitness_known"])
            self.evaluate.n_evaluated = float(state["n_evaluated"])
            self._evaluations_before = float(state["evaluations_before"])
            self._first_second = float(state["first_second"])
        if self.schedule.n_samples != len(self.evaluate.X):
            raise ValueError(
                f"the checkpoint's schedule is one for {self.schedule.n_samples} samples, not "
                f"{len(self.evaluate.X)}."
            )
        self.best = snapshot.best
        for callback in self.callbacks:
            if hasattr(callback, "catch_up"):
                self.verdict = callback.catch_up(self.history) or self.verdict


def as_generator_state(state: Any) -> Any:
    """Return a generator's state as NumPy takes it; files have lists for arrays."""
    if isinstance(state, dict):
        return {name: as_generator_state(value) for name, value in state.items()}
    return np.array(state, dtype=np.uint64) if isinstance(state, list) else state
