"""The state of a run: everything that it is between two generations, in one value.

The engine works on it, a checkpoint is it, resuming is reading it, and a result refers to it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ga_ann.chromosome import reshape
from ga_ann.history import History
from ga_ann.low_rank import LowRankPopulation
from ga_ann.schedule import Schedule

__all__ = ["Beginning", "Best", "State"]

NAN = float("nan")


class Best(NamedTuple):
    """The best solution so far.

    Attributes
    ----------
    solution : ndarray of shape (n_genes,)
        Its chromosome; empty before anything was measured.
    fitness : float
        Its fitness on all training samples; NaN where that failed.
    ranking : float
        What selection ranks by, on all training samples.
    validation_score : float
        Its fitness on the validation data; NaN where there are none.
    """

    solution: NDArray[Any] = np.empty(0)
    fitness: float = NAN
    ranking: float = NAN
    validation_score: float = NAN


class Beginning(NamedTuple):
    """What the run that this one continues had used up; zeros where there was none.

    Attributes
    ----------
    n_rows : int
        Rows of its History.
    evaluations, seconds : float
        What they say in the end.
    """

    n_rows: int = 0
    evaluations: float = 0.0
    seconds: float = 0.0


NO_BEST = Best()
AT_ZERO = Beginning()


@dataclass(eq=False, kw_only=True)
class State:
    """The state of a run after a generation.

    Attributes
    ----------
    population : ndarray of shape (n_solutions, n_genes), or LowRankPopulation
        The chromosomes, or the recipes for them.
    mean : ndarray of shape (n_genes,) or None
        The mean that all solutions are mutations of; None where there is none, or the population
        has it.
    fitness, ranking : ndarray of shape (n_solutions,)
        What they were measured at; minus infinity and NaN where that failed. Empty before.
    measured_on_all, fitness_known : bool
        Whether they were measured on all samples, and not by their ranking alone.
    best : Best
        The best solution so far.
    best_ranking : float
        What selection ranks by, on all training samples, of the best ranked solution so far.
    shapes : list of tuple of int
        Shapes of the network's parameters.
    history : History
        The generations so far, and the settings of the run.
    schedule : Schedule
        Moves sigma and the batches.
    rng : numpy.random.Generator
        The source of randomness.
    noise_seed, engine_seed : int
        Seeds of the noise table and of PyGAD's own generators.
    engine : dict or None
        The state of PyGAD's own generators; None where none is used.
    random_state : int or None
        The seed that the run was given.
    beginning : Beginning
        Where the run's own History and budgets begin.
    n_evaluated : float
        Networks measured since then, in units of the whole training set.
    fingerprints : mapping of str to str
        What tells the data and the user's functions from others, by name.
    versions : mapping of str to str
        Of Python and of the packages that the bits depend on.
    """

    population: NDArray[Any] | LowRankPopulation
    shapes: list[tuple[int, ...]]
    history: History
    schedule: Schedule
    rng: np.random.Generator
    noise_seed: int
    engine_seed: int
    fitness: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    ranking: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    measured_on_all: bool = False
    fitness_known: bool = False
    best: Best = NO_BEST
    best_ranking: float = NAN
    mean: NDArray[Any] | None = None
    engine: dict[str, Any] | None = None
    random_state: int | None = None
    beginning: Beginning = AT_ZERO
    n_evaluated: float = 0.0
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def generation(self) -> int:
        """Number of the last generation; 0 is the initial population."""
        return len(self.history) - 1

    @property
    def weights(self) -> list[NDArray[Any]]:
        """The best network's parameters so far."""
        return reshape(self.best.solution, self.shapes)

    @property
    def evaluations(self) -> float:
        """Networks measured since the start, those of the run that this one continued included."""
        return self.beginning.evaluations + self.n_evaluated

    @property
    def own_history(self) -> History:
        """The rows of this run, without those of the run that it continues."""
        return self.history[self.beginning.n_rows :]

    def copy(self) -> Self:
        """Return a state that shares nothing that a run changes."""
        return replace(
            self,
            population=self.population.copy(),
            history=self.history.copy(),
            schedule=copy.copy(self.schedule),
            rng=copy.deepcopy(self.rng),
            fingerprints=dict(self.fingerprints),  # of the data as they are now
        )

    def with_own_history(self) -> Self:
        """Return the same state with a copy of the History, for what only a result says."""
        return replace(self, history=self.history.copy())

    def continued(
        self,
        population: NDArray[Any] | LowRankPopulation,
        *,
        n_samples: int,
        settings: Mapping[str, Any],
    ) -> State:
        """Return the state in which another run goes on where this one ended; this one stays.

        Parameters
        ----------
        population : ndarray of shape (n_solutions, n_genes), or LowRankPopulation
            A copy of the population, in the precision of the new run.
        n_samples : int
            Number of its training samples.
        settings : mapping
            Its settings.
        """
        history, rng = self.history.copy(settings), copy.deepcopy(self.rng)
        history.metric = settings.get("fitness", history.metric)
        last = history.last
        return State(
            population=population,
            shapes=self.shapes,
            history=history,
            schedule=self.schedule.for_samples(n_samples),
            rng=rng,
            noise_seed=int(rng.integers(2**32)),
            engine_seed=int(rng.integers(2**32)),
            beginning=Beginning(len(history), last["evaluations"], last["seconds"]),
        )
