"""The engine: PyGAD runs the generations, with the operators and the evaluation of this package.

This is the only module that knows PyGAD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import pygad
from numpy.typing import NDArray

from ga_ann.evolution.breeding import Breeder, Descent, Place
from ga_ann.evolution.cluster import Cluster
from ga_ann.evolution.custom import cross, mutate
from ga_ann.evolution.evaluation import Measurement, read_only
from ga_ann.evolution.problem import Problem
from ga_ann.evolution.recipe import PYGAD_CROSSOVERS, PYGAD_MUTATIONS, PYGAD_SELECTIONS
from ga_ann.evolution.run import Run, without_nan
from ga_ann.evolution.summary import summarise
from ga_ann.low_rank import LowRankPopulation
from ga_ann.operators import SELECTIONS, rank_order
from ga_ann.parts import select
from ga_ann.state import State
from ga_ann.storage import as_generator_state, using_state

__all__ = ["NetworkGA", "breeds_in_place", "make_engine"]


class NetworkGA(pygad.GA):
    """A `pygad.GA` whose population is measured as a whole and never passes through its checks.

    PyGAD's `last_generation_fitness` holds the fitness as it was measured, on the samples of the
    generation (minus infinity where it failed or was not measured), and `best_solutions_fitness`
    the highest of it, or that of the best solution so far where it was not measured; selection goes
    by `ranking`. PyGAD's copy of the initial population is not kept.

    Parameters
    ----------
    run : Run
        It measures the populations and notes the generations; its state is this engine's. A
        population that was not measured before is measured at once.

    Attributes
    ----------
    state : State
        Where the run stands; the attributes `population`, `last_generation_fitness` and `ranking`
        are parts of it.
    """

    def __init__(self, run: Run) -> None:
        self.state: State = run.state
        self._run = run
        self._in_loop = False  # of PyGAD, and not in a callback
        self._place = Place()
        self._next_place = Place()
        state, recipe = run.state, run.problem.recipe
        # Where the offspring grow: in a place of their own while their generation is needed.
        in_place = breeds_in_place(run.problem)
        self._next: Any = state.population if in_place else np.empty_like(state.population)
        if not len(state.ranking):
            measured = run.measure(state.population, place=self._place)
            state.fitness, state.ranking = without_nan(measured.fitness), measured.ranking
        self._known = Measurement(state.fitness, state.ranking)
        super().__init__(
            fitness_func=lambda ga, solutions, indices: list(run.measure(solutions).fitness),
            fitness_batch_size=len(state.population),
            sol_per_pop=len(state.population),
            num_genes=state.population.shape[1],
            gene_type=state.population.dtype.type,
            num_generations=max(0, run.last_generation - max(0, state.generation)),
            num_parents_mating=recipe.n_parents,
            keep_elitism=recipe.n_elites,
            keep_parents=0,
            on_generation=NetworkGA.note,
            random_seed=state.engine_seed,
            suppress_warnings=True,
            **_operators(run),
        )
        if isinstance(self.parent_selection_type, str):
            self._pygad_select: Callable[..., Any] = self.select_parents
            self.select_parents: Callable[..., Any] = self._select_by_pygad
        self._restore_generators()

    # ------------------------------------------------------------ parts of the state

    @property
    def population(self) -> Any:
        """The chromosomes, or the recipes for them."""
        return self.state.population

    @population.setter
    def population(self, population: Any) -> None:
        self.state.population = population

    @property
    def last_generation_fitness(self) -> NDArray[np.float64]:
        """What the population was measured at; minus infinity where that failed."""
        return self.state.fitness

    @last_generation_fitness.setter
    def last_generation_fitness(self, fitness: NDArray[np.float64] | None) -> None:
        if fitness is not None:  # PyGAD's constructor says that nothing was measured
            self.state.fitness = np.asarray(fitness, dtype=np.float64)

    @property
    def ranking(self) -> NDArray[np.float64]:
        """What selection ranks the population by."""
        return self.state.ranking

    @property
    def cluster(self) -> Cluster | None:
        """What measured the generations elsewhere, if it was not done here."""
        return self._run.cluster

    @property
    def breeding(self) -> NDArray[np.intp]:
        """Which solutions the next generation comes of, in the order in which they count."""
        if self._run.breeder.is_centred and not isinstance(self.population, LowRankPopulation):
            return rank_order(self.ranking)[: self._run.problem.recipe.n_parents]
        indices: NDArray[np.intp] = self.last_generation_parents_indices
        return indices

    @property
    def offspring(self) -> NDArray[Any]:
        """The rows that the next generation's offspring are to fill."""
        rows: NDArray[Any] = self._next[self.keep_elitism :]
        return rows

    # ------------------------------------------------------------ what PyGAD does otherwise

    def initialize_population(self, *checks: Any) -> None:
        """Take the population as it is, past PyGAD's checks of every gene."""
        self.pop_size = self.population.shape
        self.initial_population = None

    def change_population_dtype_and_round(self, population: Any) -> NDArray[Any]:
        """Return chromosomes of the right type as they are, without a copy."""
        return np.asarray(population, dtype=self.gene_type[0])

    def run_crossover(self) -> None:
        """Mate the parents; weights that overflow rank worst, and that is all."""
        self.note_descent()
        with np.errstate(over="ignore", invalid="ignore"):
            super().run_crossover()

    def run_mutation(self) -> None:
        """Mutate the offspring; see `run_crossover`."""
        with np.errstate(over="ignore", invalid="ignore"):
            super().run_mutation()

    def note_descent(self) -> None:
        """Take note of how the next generation comes of this one, before it does."""
        if self.cluster is None:
            return
        elites = rank_order(self.ranking)[: self.keep_elitism]
        number, rng = self._place.number + 1, deepcopy(self.state.rng)
        descent = Descent(self.breeding, elites, rng, self.state.schedule.sigma)
        self._next_place = Place(number, descent)

    def run_update_population(self) -> None:
        """Let the elites and the offspring take the population's place."""
        self._place = self._next_place
        elites = rank_order(self.ranking)[: self.keep_elitism]
        self._next[: len(elites)] = self.population[elites]
        if not np.may_share_memory(self.last_generation_offspring_mutation, self._next):
            self.offspring[:] = self.last_generation_offspring_mutation
        self.population, self._next = self._next, self.population
        self.last_generation_elitism = self.population[: len(elites)]
        self.last_generation_elitism_indices = elites
        if self.state.measured_on_all and self.state.fitness_known:
            self._known = Measurement(self.last_generation_fitness[elites], self.ranking[elites])

    def cal_pop_fitness(self) -> NDArray[np.float64]:
        """Measure the population, save those in front whose fitness is known."""
        known, self._known = self._known, Measurement(np.empty(0), np.empty(0))
        n_known = len(known.fitness)
        n_unknown = len(self.population) - n_known
        self.num_fitness_evaluations = getattr(self, "num_fitness_evaluations", 0) + n_unknown
        if n_unknown:
            new = self._run.measure(
                self.population[n_known:] if n_known else self.population,
                place=self._place._replace(first=n_known),
                fitness_wanted=not self._in_loop,
            )
            pairs = zip(known, new, strict=True)
            known = Measurement(*map(np.concatenate, pairs)) if n_known else new
        self.state.ranking = known.ranking
        return without_nan(known.fitness)

    def best_solution(
        self, pop_fitness: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[Any], float, int]:
        """Return the population's best solution, its fitness and its index; see `pygad.GA`.

        Where the fitness was not measured, it is that of the best solution so far.
        """
        best, value = self._best(pop_fitness)
        return self.population[best].copy(), value, best

    def _best(self, pop_fitness: NDArray[np.float64] | None) -> tuple[int, float]:
        fitness = self.cal_pop_fitness() if pop_fitness is None else pop_fitness
        if self.state.fitness_known:
            best = int(np.argmax(fitness))
            return best, float(fitness[best])
        return int(np.argmax(without_nan(self.ranking))), self.state.best.fitness

    def _select_by_pygad(self, fitness: NDArray[Any], num_parents: int) -> Any:
        """Let PyGAD select by the ranking."""
        try:
            return self._pygad_select(without_nan(self.ranking), num_parents)
        except ZeroDivisionError as error:
            raise ValueError(
                f"selection={self.parent_selection_type!r} of PyGAD cannot choose among solutions "
                "that are all worth 0; use 'roulette' or 'tournament'."
            ) from error

    def run(self) -> None:
        """Run the generations; who asks meanwhile is PyGAD, which needs less than a user."""
        with self._as_pygad(True):
            super().run()

    @contextmanager
    def _as_pygad(self, is_asking: bool) -> Iterator[None]:
        before, self._in_loop = self._in_loop, is_asking
        try:
            yield
        finally:
            self._in_loop = before

    def summary(self, line_length: int = 70, **layout: Any) -> str:
        """Return, and log, what ran: PyGAD's summary knows its own operators alone.

        Parameters
        ----------
        line_length : int, default=70
            Length of the rules above and below the table.
        **layout
            How PyGAD lays out its table; without effect here.
        """
        text = summarise(self._run, line_length)
        for line in text.splitlines():
            self.logger.info(line)
        return text

    def __reduce__(self) -> Any:
        """Refuse to be pickled, as `save` does for every `pygad.GA`."""
        raise TypeError(
            "the engine of a run holds threads and functions and cannot be saved: use "
            "result.save(path) for the network, the callback Checkpoint(path) for a run to go on "
            "with, or pickle the result, which leaves the engine out."
        )

    # ------------------------------------------------------------ between two generations

    def note(self) -> str | None:
        """Let the run note the generation; return "stop" if it is to be the last."""
        self.state.engine = self._generators()
        with self._as_pygad(False):  # callbacks look at the engine
            return self._run.record(self)

    def _generators(self) -> dict[str, Any] | None:
        """Return the state of PyGAD's own generators, in JSON's types; None where none is used."""
        operators = (self.parent_selection_type, self.crossover_type, self.mutation_type)
        if all(map(callable, operators)):
            return None
        return {
            "numpy": self.numpy_random_generator.get_state(legacy=False),
            "python": self.python_random_generator.getstate(),
        }

    def _restore_generators(self) -> None:
        if self.state.engine is None:
            return
        with using_state():
            self.numpy_random_generator.set_state(as_generator_state(self.state.engine["numpy"]))
            version, numbers, gauss = self.state.engine["python"]
            self.python_random_generator.setstate((version, tuple(numbers), gauss))


class LowRankGA(NetworkGA):
    """The engine of a population of low-rank mutations of one mean: nothing dense is made."""

    def run_select_parents(self, call_on_parents: bool = True) -> None:
        """Rank the solutions; `last_generation_parents` are recipes."""
        recipe = self._run.problem.recipe
        self.last_generation_parents_indices = _choose(
            self.state, recipe.selection, recipe.n_parents
        )
        self.last_generation_parents = self.population.take(self.last_generation_parents_indices)

    def run_crossover(self) -> None:
        """Move the mean."""
        self.note_descent()
        self.last_generation_offspring_crossover = self._run.breeder.move_mean(
            self.population, None, self.breeding, self.state.schedule.sigma
        )

    def run_mutation(self) -> None:
        """Draw the places that the offspring's mutations come from."""
        self.last_generation_offspring_mutation = self.population.noise.draw_around(
            self.state.rng,
            self.last_generation_offspring_crossover,
            len(self.population),
            self.state.schedule.sigma,
        )

    def run_update_population(self) -> None:
        """Let the offspring take the population's place."""
        self._place = self._next_place
        self.population = self.last_generation_offspring_mutation

    def best_solution(
        self, pop_fitness: NDArray[np.float64] | None = None
    ) -> tuple[Any, float, int]:
        """Return the population's best solution, its fitness and its index; see `pygad.GA`.

        PyGAD's loop gets a recipe, since it does not look at it.
        """
        best, value = self._best(pop_fitness)
        if self._in_loop:
            return self.population.take([best]), value, best
        return self.population[best], value, best


def make_engine(run: Run) -> NetworkGA:
    """Return the engine for a run's population."""
    is_low_rank = isinstance(run.state.population, LowRankPopulation)
    return (LowRankGA if is_low_rank else NetworkGA)(run)


def breeds_in_place(problem: Problem) -> bool:
    """Tell whether the offspring may overwrite the population, as they come from copies."""
    crossover = problem.recipe.crossover
    return crossover not in PYGAD_CROSSOVERS and problem.recipe.n_elites == 0


# ---------------------------------------------------------------- operators


def _operators(run: Run) -> dict[str, Any]:
    """Return PyGAD's options that select the operators: its own by name, ours as functions."""
    if run.problem.recipe.mutation == "low_rank":
        return dict.fromkeys(
            ("parent_selection_type", "crossover_type", "mutation_type"), _done_by_the_engine
        )
    return {
        "parent_selection_type": _selection(run.state, run.problem),
        "crossover_type": _crossover(run.state, run.problem, run.breeder),
        **_mutation(run.state, run.problem, run.breeder),
    }


def _done_by_the_engine(*arguments: Any) -> None:
    """Stand where PyGAD wants a function; `LowRankGA` does without."""


def _selection(state: State, problem: Problem) -> Any:
    selection = problem.recipe.selection
    if selection in PYGAD_SELECTIONS:
        return selection

    def select_parents(
        fitness: NDArray[Any], n_parents: int, ga: NetworkGA
    ) -> tuple[NDArray[Any], NDArray[np.intp]]:
        chosen = _choose(state, selection, n_parents)
        return state.population[chosen], chosen

    return select_parents


def _choose(state: State, selection: Any, n_parents: Any) -> NDArray[np.intp]:
    if callable(selection):
        return select(selection, state.rng, read_only(state.ranking), n_parents)
    return SELECTIONS[selection](state.rng, state.ranking, n_parents)


def _crossover(state: State, problem: Problem, breeder: Breeder) -> Any:
    name: Any = problem.recipe.crossover
    if name in PYGAD_CROSSOVERS:
        return name

    def crossover(parents: NDArray[Any], size: tuple[int, int], ga: NetworkGA) -> NDArray[Any]:
        sigma = state.schedule.sigma
        if breeder.is_centred:
            state.mean = breeder.move_mean(state.population, state.mean, ga.breeding, sigma)
            ga.offspring[:] = state.mean
            return ga.offspring
        breeder.decay(parents, sigma)
        if callable(name):
            ga.offspring[:] = cross(problem, state.rng, read_only(parents), len(ga.offspring))
        else:
            breeder.cross(state.rng, parents, ga.offspring)
        return ga.offspring

    return crossover


def _mutation(state: State, problem: Problem, breeder: Breeder) -> dict[str, Any]:
    recipe = problem.recipe
    rate: Any = recipe.mutation_rate
    if recipe.mutation in PYGAD_MUTATIONS:
        shares = [100 * share for share in rate] if isinstance(rate, tuple) else 100 * rate
        return {"mutation_type": recipe.mutation, "mutation_percent_genes": shares}

    def mutation(offspring: NDArray[Any], ga: NetworkGA) -> NDArray[Any]:
        sigma = state.schedule.sigma
        if callable(recipe.mutation):
            offspring[:] = mutate(problem, state.rng, read_only(offspring), sigma)
        else:
            breeder.mutate(state.rng, offspring, sigma)
        return offspring

    return {"mutation_type": mutation}
