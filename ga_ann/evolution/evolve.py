"""The generations: PyGAD runs them, with the operators and the evaluation of this package.

This is the only module that knows PyGAD.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from functools import cache, partial
from numbers import Integral
from typing import Any, NamedTuple

import joblib
import numpy as np
import pygad
from numpy.typing import ArrayLike, NDArray

from ga_ann.callbacks import Callback, EarlyStopping, ProgressBar
from ga_ann.chromosome import flatten, reshape
from ga_ann.evolution.blas import find_blas, one_blas_thread
from ga_ann.evolution.evaluation import Evaluator, Measurement
from ga_ann.evolution.interruption import Interruption
from ga_ann.evolution.memory import check_memory
from ga_ann.evolution.problem import Problem, TrainingData
from ga_ann.evolution.recipe import Settings
from ga_ann.evolution.run import Run, as_generator_state, without_nan
from ga_ann.fitness import PopulationScore, finer_score, resolve_fitness, scaled
from ga_ann.history import History, TrainingResult
from ga_ann.operators import (
    CROSSOVERS,
    MUTATIONS,
    SELECTIONS,
    decay_weights,
    noise_table,
    rank_order,
    step_mutation,
)
from ga_ann.schedule import Schedule
from ga_ann.storage.checkpoint import (
    Snapshot,
    describe_difference,
    fingerprint,
    fingerprint_function,
    load_checkpoint,
    using_state,
    versions,
)
from ga_ann.validation import (
    check_held_out,
    check_hidden_layer_sizes,
    check_number,
    check_sample_weight,
)
from ga_ann.weight_sets import check_weight_set

__all__ = ["EvolutionResult", "NetworkGA", "evolve"]

find_blas()  # now that NumPy's and SciPy's are loaded, and not in the first run

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


@dataclass(frozen=True, repr=False)
class EvolutionResult(TrainingResult):
    """What `evolve` returns: a `TrainingResult` and the engine that produced it.

    Attributes
    ----------
    ga : pygad.GA or None
        The engine; its plots and its summary work. None after a pickle, which it cannot pass.
    population : ndarray of shape (n_solutions, n_genes)
        The final population.
    schedule : Schedule
        Where the schedule of mutation and batches stood at the end.
    rng : numpy.random.Generator
        The run's source of randomness, as it was left.
    validation_score : float
        Fitness of `weights` on the validation data; NaN where there were none.
    """

    ga: pygad.GA | None
    population: NDArray[Any]
    schedule: Schedule
    rng: np.random.Generator
    validation_score: float

    def __getstate__(self) -> dict[str, Any]:
        """Leave the engine out, which holds functions that cannot be pickled."""
        return {**self.__dict__, "ga": None}


class NetworkGA(pygad.GA):
    """A `pygad.GA` whose population is measured as a whole and never passes through its checks.

    PyGAD's `best_solutions_fitness` and `last_generation_fitness` hold the fitness as it was
    measured, on the samples of the generation (minus infinity where it failed or was not measured);
    selection goes by `ranking`. PyGAD's copy of the initial population is not kept.

    Parameters
    ----------
    population : ndarray of shape (n_solutions, n_genes)
        The initial population; it is overwritten in the course of the run.
    measure : callable
        ``measure(population) -> Measurement``.
    known : Measurement, optional
        What the initial population is worth, if it was measured before.
    n_elites : int
        Number of best solutions that enter the next generation as they are.
    elites_keep_fitness : callable
        Tells whether the elites need not be measured again.
    in_place : bool
        Whether the offspring may overwrite the population at once, because they come from a copy
        of the parents alone; it halves the memory.
    **options
        Passed on to `pygad.GA`.

    Attributes
    ----------
    ranking : ndarray of shape (n_solutions,)
        What selection ranks the population by.
    """

    def __init__(
        self,
        population: NDArray[Any],
        measure: Callable[[NDArray[Any]], Measurement],
        *,
        known: Measurement | None = None,
        n_elites: int,
        elites_keep_fitness: Callable[[], bool],
        in_place: bool,
        **options: Any,
    ) -> None:
        self._given = population
        self._measure = measure
        self._elites_keep_fitness = elites_keep_fitness
        # Where the offspring grow: in a place of their own while their generation is needed.
        self._next = population if in_place else np.empty_like(population)
        self._known = measure(population) if known is None else known
        self.snapshot: Callable[[], Snapshot]
        self.ranking = self._known.ranking
        super().__init__(
            fitness_func=lambda ga, solutions, indices: list(ga._measure(solutions).fitness),
            fitness_batch_size=len(population),
            sol_per_pop=len(population),
            num_genes=population.shape[1],
            gene_type=population.dtype.type,
            keep_elitism=n_elites,
            keep_parents=0,
            suppress_warnings=True,
            **options,
        )
        self.last_generation_fitness = without_nan(self._known.fitness)
        if isinstance(self.parent_selection_type, str):
            select: Callable[..., Any] = self.select_parents
            self.select_parents: Callable[..., Any] = lambda fitness, num_parents: select(
                without_nan(self.ranking), num_parents
            )

    @property
    def offspring(self) -> NDArray[Any]:
        """The rows that the next generation's offspring are to fill."""
        return self._next[self.keep_elitism :]

    def initialize_population(self, *checks: Any) -> None:
        """Take the population as it is, past PyGAD's checks of every gene."""
        self.population = self._given
        self.pop_size = self.population.shape
        self.initial_population = None

    def change_population_dtype_and_round(self, population: Any) -> NDArray[Any]:
        """Return chromosomes of the right type as they are, without a copy."""
        return np.asarray(population, dtype=self.gene_type[0])

    def run_crossover(self) -> None:
        """Mate the parents; weights that overflow rank worst, and that is all."""
        with np.errstate(over="ignore", invalid="ignore"):
            super().run_crossover()

    def run_mutation(self) -> None:
        """Mutate the offspring; see `run_crossover`."""
        with np.errstate(over="ignore", invalid="ignore"):
            super().run_mutation()

    def run_update_population(self) -> None:
        """Let the elites and the offspring take the population's place."""
        elites = rank_order(self.ranking)[: self.keep_elitism]
        self._next[: len(elites)] = self.population[elites]
        if not np.may_share_memory(self.last_generation_offspring_mutation, self._next):
            self.offspring[:] = self.last_generation_offspring_mutation
        self.population, self._next = self._next, self.population
        self.last_generation_elitism = self.population[: len(elites)]
        self.last_generation_elitism_indices = elites
        if self._elites_keep_fitness():
            self._known = Measurement(self.last_generation_fitness[elites], self.ranking[elites])

    def cal_pop_fitness(self) -> NDArray[np.float64]:
        """Measure the population, save those in front whose fitness is known."""
        known, self._known = self._known, Measurement(np.empty(0), np.empty(0))
        unknown = self.population[len(known.fitness) :]
        self.num_fitness_evaluations = getattr(self, "num_fitness_evaluations", 0) + len(unknown)
        if len(unknown):
            new = self._measure(unknown)
            known = Measurement(*(np.concatenate(pair) for pair in zip(known, new, strict=True)))
        self.ranking = known.ranking
        return without_nan(known.fitness)

    def generators(self) -> dict[str, Any] | None:
        """Return the state of PyGAD's own generators, in JSON's types; None where none is used."""
        operators = (self.parent_selection_type, self.crossover_type, self.mutation_type)
        if all(map(callable, operators)):
            return None
        return {
            "numpy": self.numpy_random_generator.get_state(legacy=False),
            "python": self.python_random_generator.getstate(),
        }

    def restore_generators(self, state: dict[str, Any] | None) -> None:
        """Go on with the state that `generators` returned.

        Raises
        ------
        ValueError
            If it is none.
        """
        if state is None:
            return
        with using_state():
            self.numpy_random_generator.set_state(as_generator_state(state["numpy"]))
            version, numbers, gauss = state["python"]
            self.python_random_generator.setstate((version, tuple(numbers), gauss))

    def best_solution(
        self, pop_fitness: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[Any], float, int]:
        """Return the population's best solution, its fitness and its index; see `pygad.GA`."""
        fitness = self.cal_pop_fitness() if pop_fitness is None else pop_fitness
        best = int(np.argmax(fitness))
        return self.population[best].copy(), fitness[best], best


def _operator_options(run: Run, problem: Problem, noise_seed: int) -> dict[str, Any]:
    """Return PyGAD's options that select the operators: its own by name, ours as functions."""
    settings, rng, shapes, scale = run.settings, run.rng, problem.shapes, problem.scale
    options: dict[str, Any] = {
        "parent_selection_type": settings.selection,
        "crossover_type": settings.crossover,
        "mutation_type": settings.mutation,
    }
    # A generator of its own: a run that goes on draws the same table again.
    table = noise_table(np.random.default_rng(noise_seed), len(scale), settings.dtype)
    if settings.selection in SELECTIONS:
        select = partial(SELECTIONS[settings.selection], rng)

        def select_parents(
            fitness: NDArray[Any], n_parents: int, ga: NetworkGA
        ) -> tuple[NDArray[Any], NDArray[np.intp]]:
            chosen = select(ga.ranking, n_parents)
            return ga.population[chosen], chosen

        options["parent_selection_type"] = select_parents
    if settings.crossover in CROSSOVERS:
        cross = partial(CROSSOVERS[settings.crossover], rng, shapes=shapes, table=table)

        def crossover(parents: NDArray[Any], size: tuple[int, int], ga: NetworkGA) -> NDArray[Any]:
            share = settings.decay_of_weights(run.schedule.n_samples, run.schedule.sigma)
            decay_weights(parents, shapes, share)
            cross(parents, ga.offspring)
            return ga.offspring

        options["crossover_type"] = crossover
    rate = settings.mutation_rate
    if isinstance(rate, tuple):
        options["mutation_percent_genes"] = [100 * share for share in rate]
    elif settings.mutation == "step":
        values = np.asarray(settings.weight_values, dtype=settings.dtype)

        def step(offspring: NDArray[Any], ga: NetworkGA) -> NDArray[Any]:
            sigma = run.schedule.sigma
            step_mutation(rng, offspring, values, sigma=sigma, rate=min(1.0, rate * sigma))
            return offspring

        options["mutation_type"] = step
    elif settings.mutation in MUTATIONS:
        mutate = partial(
            MUTATIONS[settings.mutation],
            rng,
            rate=rate,
            table=table if settings.noise == "table" else None,
        )

        def mutation(offspring: NDArray[Any], ga: NetworkGA) -> NDArray[Any]:
            mutate(offspring, scale * scale.dtype.type(run.schedule.sigma))
            return offspring

        options["mutation_type"] = mutation
    else:
        options["mutation_percent_genes"] = 100 * rate
    return options


def evolve(
    X: ArrayLike,
    y: ArrayLike,
    *,
    hidden_layer_sizes: int | Iterable[int] = (150, 60),
    activation: str | None = None,
    output_activation: str | None = None,
    bias: bool = False,
    weight_set: str | ArrayLike | None = None,
    task: str = "classification",
    fitness: str | Callable[..., Any] | None = None,
    ranking: str | Callable[..., Any] | None = None,
    recipe: str = "default",
    init: str | None = None,
    population_size: int | None = None,
    n_parents: int | None = None,
    n_elites: int | None = None,
    selection: str | None = None,
    crossover: str | None = None,
    mutation: str | None = None,
    mutation_rate: float | tuple[float, float] | None = None,
    sigma: float | None = None,
    sigma_decay: float | None = None,
    weight_decay: float | str | None = None,
    batch_size: int | str | None = None,
    noise: str | None = None,
    dtype: str | None = None,
    n_generations: int = 1000,
    target_fitness: float | None = 1.0,
    early_stopping: bool = False,
    n_iter_no_change: int | None = None,
    tol: float = 1e-4,
    max_time: float | None = None,
    max_evaluations: float | None = None,
    sample_weight: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    initial_population: ArrayLike | None = None,
    start: EvolutionResult | None = None,
    resume: str | os.PathLike[str] | None = None,
    validation_data: tuple[ArrayLike, ...] | None = None,
    callbacks: Iterable[Callback] = (),
    random_state: int | np.random.Generator | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> EvolutionResult:
    """Train a network with a genetic algorithm.

    The weight matrices of each solution are flattened into a chromosome; the fitness is a score of
    the network's answers on the training data; the best chromosome is reshaped into matrices.
    Ctrl-C and SIGTERM end the run after the generation that is running and keep the best solution
    so far; a second Ctrl-C ends it at once.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The samples; finite numbers.
    y : array-like of shape (n_samples,)
        Their classes: labels of any kind, at least two different ones.
    hidden_layer_sizes : int or iterable of int, default=(150, 60)
        Sizes of the hidden layers; empty for a linear classifier.
    activation, output_activation : str, optional
        See `forward`. None takes the recipe's.
    bias : bool, default=False
        Whether the layers have biases. The tutorial's have none.
    weight_set : str or array-like of float, optional
        The values that weights and biases may have: ``"binary"`` (-1, 1), ``"ternary"`` (-1, 0,
        1), ``"int8"`` (-127 to 127), or any numbers, at least two. Evolution stays inside the set:
        the defaults are then ``crossover="gene_pool"``, ``mutation="step"`` with
        ``mutation_rate=0.005`` and ``sigma=1.0``, and no weight decay. The outputs are as large as
        the set makes them; selection ranks by the outputs over their initial standard deviation.
    task : {"classification", "regression"}, default="classification"
        What `y` holds: labels, or numbers (one column or several).
    fitness : str or callable, optional
        The score to maximise: a name in `FITNESS` (in `REGRESSION_FITNESS` for a regression), a
        score made by `fbeta`, `neg_cost` or `neg_mean_pinball_loss`, the name of a scikit-learn
        scorer, a scorer, or a function ``f(y_true, y_pred)``. The latter three take one solution
        at a time; where selection ranks by another score, they are called in every tenth
        generation only. None is ``"accuracy"``, or ``"r2"``
        for a regression.
    ranking : str or callable, optional
        What selection ranks the solutions by: ``"fitness"``, or a score as for `fitness` that
        tells solutions of equal fitness apart; ``"auto"`` is the log loss, adjusted to the classes'
        importance where the fitness has such (see `finer_score`), and R2 for a regression. Which
        solution is the best is decided by the fitness, and between equals by the ranking.
    recipe : {"default", "tutorial"}, default="default"
        What the parameters that are None stand for:

        =================  ==============  ============
        parameter          "default"       "tutorial"
        =================  ==============  ============
        activation         "relu"          "sigmoid"
        output_activation  "identity"      "sigmoid"
        ranking            "auto"          "fitness"
        init               "he"            "tutorial"
        population_size    32              8
        n_parents          8               4
        n_elites           0               4
        selection          "truncation"    "truncation"
        crossover          "mean"          "middle"
        mutation           "gaussian"      "uniform"
        mutation_rate      1.0             0.1
        sigma              0.3             10.0
        sigma_decay        0.8             1.0
        weight_decay       "auto"          0.0
        batch_size         "auto"          "full"
        noise              "table"         "generator"
        dtype              "float32"       "float64"
        =================  ==============  ============

        The tutorial's sigma of 10 times its initial U(-0.1, 0.1) is its mutation by U(-1, 1).
    init : {"he", "tutorial"}, optional
        Distribution of the initial weights, see `init_weights`. With ``"he"``, the first layer's
        are divided by the root mean square of `X`, so that its units do not matter.
    population_size : int, optional
        Number of solutions, at least 2.
    n_parents : int, optional
        Number of solutions that mate, 1 to `population_size`.
    n_elites : int, optional
        Number of best solutions that enter the next generation unchanged, 0 to
        ``population_size - 1``. On batches they are measured again in every generation.
    selection : str, optional
        ``"truncation"``, ``"tournament"``, ``"rank"``, ``"roulette"``, or a name of PyGAD's:
        ``"sss"``, ``"rws"``, ``"sus"``, ``"random"``.
    crossover : str, optional
        ``"mean"`` (the parents' weighted mean, as in evolution strategies), ``"gene_pool"`` (each
        gene from any parent), ``"uniform"``, ``"neuron"``, ``"single_point"``, ``"two_point"``,
        ``"middle"``, or a name of PyGAD's: ``"two_points"``, ``"scattered"``, ``"sbx"``.
    mutation : str, optional
        ``"gaussian"``, ``"uniform"``, ``"step"`` (with a `weight_set`), or a name of PyGAD's, which
        change genes as PyGAD does by default and much more slowly: ``"random"``, ``"swap"``,
        ``"inversion"``, ``"scramble"``, ``"polynomial"``, ``"adaptive"``.
    mutation_rate : float, optional
        Share of the genes that change in an offspring, 0 to 1; a pair for ``"adaptive"``. With
        ``"step"``, in units of the current `sigma`.
    sigma : float, optional
        Standard deviation of the mutation, relative to that of the layer's initial weights; at
        least 0. PyGAD's own mutations do not use it.
    sigma_decay : float, optional
        What `sigma` is multiplied by, and the batch doubled, when three checks in a row (every
        tenth generation, on all samples) show no progress; above 0, and 1 for never.
    weight_decay : float or "auto", optional
        Share of the parents' weights, biases apart, that is taken away before they mate, in units
        of the current `sigma`; at least 0. It makes for networks that do better on other data.
        ``"auto"`` is one over the square root of the number of samples, and 0 where the run ends
        at a `target_fitness` on the training data. PyGAD's own crossovers do not use it.
    batch_size : int, "auto" or "full", optional
        Number of samples that the generations are measured on, to begin with: the same for the
        whole population, drawn anew for each generation. ``"auto"`` is 32 where there are at least
        256 samples. The fitness that the History reports as best, and the stop at a target, are
        measured on all samples.
    noise : {"table", "generator"}, optional
        Where Gaussian mutation takes its numbers from: slices of a table drawn once, see
        `noise_table`, or the generator, several times slower.
    dtype : {"float32", "float64"}, optional
        Precision of the weights and of the computation.
    n_generations : int, default=1000
        Number of generations at most.
    target_fitness : float or None, default=1.0
        The run ends when the best fitness reaches it.
    early_stopping : bool, default=False
        Whether the best solution is the one with the highest fitness on `validation_data`, instead
        of on the training data.
    n_iter_no_change : int, optional
        The run ends when what selection ranks by (with `early_stopping`: the fitness on the
        validation data) has not grown by more than `tol` for so many generations. Both are
        measured in every tenth generation.
    tol : float, default=1e-4
        See `n_iter_no_change`.
    max_time : float, optional
        The run ends with the generation in which so many seconds have passed.
    max_evaluations : float, optional
        The run ends before it would evaluate more networks than this, at least `population_size`.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the samples in the scores, at least 0 and not all 0.
    classes : array-like, optional
        All labels, where `y` may lack some; None for those in `y`.
    initial_population : array-like of shape (population_size, n_genes), optional
        Chromosomes to start from, instead of drawing them.
    start : EvolutionResult, optional
        A run of the same structure to continue: its population, schedule, generator and History.
    resume : path-like, optional
        A checkpoint, see `ga_ann.callbacks.Checkpoint`, to go on from: with the same data and
        settings the run becomes, bit for bit, the one that was never interrupted. `n_generations`,
        `max_time`, `max_evaluations` and `target_fitness` may be others, and count what was done
        before. `random_state` is the checkpoint's: give none, or the same.
    validation_data : tuple (X, y) or (X, y, sample_weight), optional
        Held-out data that the best solution is scored on. It influences the run with
        `early_stopping` alone.
    callbacks : iterable of callable, default=()
        Called after each generation, see `ga_ann.callbacks`.
    random_state : int, numpy.random.Generator or None, default=None
        The one source of randomness; the same seed gives the same result on the same machine.
    n_jobs : int, optional
        Number of threads; None for one a core. The result does not depend on it.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    EvolutionResult

    Raises
    ------
    ValueError
        If the data cannot be learned from (empty, one class, NaN, lengths that differ), a name is
        unknown, or a number is out of its range.
    TypeError
        If a parameter is of the wrong type.
    MemoryError
        If the run needs more memory than there is; before it begins.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> result = evolve(X, y, hidden_layer_sizes=(8,), target_fitness=0.95, random_state=0)
    >>> [W.shape for W in result.weights], result.stop_reason
    ([(4, 8), (8, 3)], 'target_fitness')
    >>> bool(np.mean(result.predict(X) == y) == result.best_fitness >= 0.95)
    True
    """
    data = TrainingData.check(X, y, task=task, classes=classes, sample_weight=sample_weight)
    score: str | Callable[..., Any] = "accuracy" if data.classes is not None else "r2"
    score = score if fitness is None else fitness
    callbacks = list(callbacks)
    if wrong := [callback for callback in callbacks if not callable(callback)]:
        raise TypeError(f"callbacks must be functions f(ga, history), got {wrong[0]!r}.")
    if n_jobs is not None:
        check_number(n_jobs, "n_jobs", Integral, low=1)
    if not isinstance(start, EvolutionResult | None):
        raise TypeError(f"start must be what evolve returned, got {type(start).__name__}.")
    settings = Settings.from_recipe(
        recipe,
        hidden_layer_sizes=check_hidden_layer_sizes(hidden_layer_sizes),
        activation=activation,
        output_activation=output_activation,
        bias=bias,
        weight_set=_plain(weight_set),
        fitness=_name(score),
        ranking=ranking if ranking is None or isinstance(ranking, str) else _name(ranking),
        init=init,
        population_size=population_size,
        n_parents=n_parents,
        n_elites=n_elites,
        selection=selection,
        crossover=crossover,
        mutation=mutation,
        mutation_rate=mutation_rate,
        sigma=sigma,
        sigma_decay=sigma_decay,
        weight_decay=weight_decay,
        batch_size=batch_size,
        noise=noise,
        dtype=dtype,
        n_generations=n_generations,
        target_fitness=target_fitness,
        early_stopping=early_stopping,
        n_iter_no_change=n_iter_no_change,
        tol=tol,
        max_time=max_time,
        max_evaluations=max_evaluations,
    )
    if early_stopping and validation_data is None:
        raise ValueError("early_stopping needs validation_data, got None.")
    held_out = None
    if validation_data is not None:
        held_out = _check_held_out(validation_data, data)
    problem = Problem(data, settings)
    check_memory(problem, n_jobs=n_jobs or joblib.cpu_count(), in_place=_breeds_in_place(settings))
    finer, given = ranking if callable(ranking) else settings.ranking, (score, ranking)
    scores = _resolve_scores(score, finer, problem)
    if resume is None:
        begin = _begin(problem, random_state, initial_population=initial_population, start=start)
    elif start is None and initial_population is None:
        begin = _resume(
            load_checkpoint(resume), problem, _fingerprints(problem, held_out, given), random_state
        )
    else:
        raise ValueError("resume takes the place of start and initial_population; give one.")

    if settings.n_iter_no_change is not None:
        column = "validation_score" if early_stopping else "ranking"
        callbacks.append(EarlyStopping(settings.n_iter_no_change, tol=settings.tol, column=column))
    if verbose:
        callbacks.append(ProgressBar(settings.n_generations))
    known = None if start is None else flatten(start.weights).astype(settings.dtype)
    run, ga = _execute(problem, held_out, scores, begin, callbacks, known, n_jobs, given)
    return EvolutionResult(
        weights=reshape(run.best, problem.shapes),
        history=run.history,
        best_fitness=run.best_fitness,
        classes=data.classes,
        activation=settings.activation,
        output_activation=settings.output_activation,
        stop_reason=run.stop_reason,
        ga=ga,
        population=ga.population,
        schedule=run.schedule,
        rng=run.rng,
        validation_score=run.validation_score,
    )


class _Begin(NamedTuple):
    """Where a run begins: at the start, with another run's result, or with a checkpoint."""

    population: NDArray[Any]
    history: History
    schedule: Schedule
    rng: np.random.Generator
    noise_seed: int
    engine_seed: int
    last_generation: int
    random_state: int | None
    snapshot: Snapshot | None = None


HeldOut = tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]


def _check_held_out(given: Any, data: TrainingData) -> HeldOut:
    """Return samples, targets and, if there are any, weights of held-out data."""
    weighted = isinstance(given, tuple) and len(given) == 3
    X, y = check_held_out(given[:2] if weighted else given, data.X.shape[1], data.classes)
    return X, y, check_sample_weight(given[2], len(X)) if weighted else None


def _begin(
    problem: Problem,
    random_state: int | np.random.Generator | None,
    *,
    initial_population: ArrayLike | None,
    start: EvolutionResult | None,
) -> _Begin:
    """Return the beginning of a run that has none yet, or goes on where another one ended."""
    settings, n_samples = problem.settings, len(problem.data.X)
    if start is None:
        given, rng = initial_population, np.random.default_rng(random_state)
        history = History(label="GA", metric=settings.fitness, settings=asdict(settings))
        schedule = Schedule(
            sigma=settings.sigma,
            batch_size=settings.first_batch_size(n_samples),
            n_samples=n_samples,
            decay=settings.sigma_decay,
        )
    else:
        given, rng, history = start.population, start.rng, start.history
        history.settings = asdict(settings)
        schedule = start.schedule.for_samples(n_samples)
    population = problem.draw_population(rng) if given is None else problem.check_population(given)
    return _Begin(
        population,
        history,
        schedule,
        rng,
        noise_seed=int(rng.integers(2**32)),
        engine_seed=int(rng.integers(2**32)),
        last_generation=max(0, len(history) - 1) + settings.n_generations,
        random_state=int(random_state) if isinstance(random_state, Integral) else None,
    )


def _resume(
    snapshot: Snapshot,
    problem: Problem,
    fingerprints: dict[str, str],
    random_state: int | np.random.Generator | None,
) -> _Begin:
    """Return the beginning of a run that goes on from a checkpoint, if it is the same run."""
    settings, state, history = problem.settings, snapshot.state, snapshot.history
    difference = describe_difference(snapshot, asdict(settings), fingerprints)
    seed = state.get("random_state")
    if isinstance(random_state, Integral) and seed not in (None, int(random_state)):
        difference += f"{', ' * bool(difference)}random_state={random_state} where it was {seed}"
    if difference:
        raise ValueError(
            f"the checkpoint is one of another run: {difference}. Give each run a file of its own."
        )
    if snapshot.versions != versions():
        warnings.warn(
            f"The checkpoint was written with {snapshot.versions}, and this is {versions()}: the "
            "run goes on, but its bits may be others than those of one never interrupted.",
            RuntimeWarning,
            stacklevel=3,
        )
    with using_state():
        schedule = Schedule.from_dict(state["schedule"])
        name = state["rng"]["bit_generator"]
        seeds = {key: int(state[key]) for key in ("noise_seed", "engine_seed")}
        first_generation = int(state["first_generation"])
    # Not `check_population`: weights that have become infinite are those of this run.
    population = snapshot.population
    if not (
        name in BIT_GENERATORS
        and all(0 <= seed < 2**32 for seed in seeds.values())
        and population.shape == (settings.population_size, len(problem.scale))
        and population.dtype == settings.dtype
    ):
        raise ValueError("the checkpoint's state cannot be used: it is not one of such a run.")
    return _Begin(
        population,
        History.from_arrays(
            history.to_arrays(),
            label=history.label,
            metric=history.metric,
            settings=asdict(settings),
        ),
        schedule,
        np.random.Generator(getattr(np.random, name)()),
        **seeds,
        last_generation=first_generation + settings.n_generations,
        random_state=seed if isinstance(seed, int) else None,
        snapshot=snapshot,
    )


def _fingerprints(
    problem: Problem, held_out: HeldOut | None, scores: tuple[object, object]
) -> dict[str, str]:
    """Return what tells the data, and the functions that judge by them, from others."""
    data, (X, y, weight) = problem.data, held_out or (None, None, None)
    named = {
        "X": data.X,
        "y": data.targets,
        "set of classes": data.classes,
        "sample_weight": data.sample_weight,
        "X of the validation data": X,
        "y of the validation data": y,
        "sample_weight of the validation data": weight,
    }
    functions = dict(zip(("fitness function", "ranking function"), scores, strict=True))
    return {name: fingerprint(array) for name, array in named.items()} | {
        name: fingerprint_function(score) for name, score in functions.items() if callable(score)
    }


def _plain(weight_set: str | ArrayLike | None) -> str | tuple[float, ...] | None:
    if weight_set is None or isinstance(weight_set, str):
        return weight_set
    return check_weight_set(weight_set)


def _name(score: str | Callable[..., Any]) -> str:
    return score if isinstance(score, str) else getattr(score, "__name__", repr(score))


def _resolve_scores(
    fitness: str | Callable[..., Any], ranking: str | Callable[..., Any], problem: Problem
) -> tuple[PopulationScore, PopulationScore | None]:
    """Return what the user wants and what selection ranks by; None where they are the same."""
    classes = problem.data.classes
    score = resolve_fitness(fitness, classes=classes)
    if ranking == "fitness":
        return score, None
    if ranking == "auto":
        finer = finer_score(score, problem.data.class_shares)
    else:
        finer = resolve_fitness(ranking, classes=classes)
    if problem.settings.weight_set is not None and classes is not None:
        finer = scaled(finer, 1 / problem.spread_of_outputs())
    return score, finer


def _execute(
    problem: Problem,
    held_out: HeldOut | None,
    scores: tuple[PopulationScore, PopulationScore | None],
    begin: _Begin,
    callbacks: list[Callback],
    known: NDArray[Any] | None,
    n_jobs: int | None,
    given: tuple[object, object],
) -> tuple[Run, NetworkGA]:
    """Do the run, with what it needs of the machine.

    `known` is a solution that is good already; `given` are the scores as the user gave them.
    """
    data, settings = problem.data, problem.settings
    make_evaluator = partial(
        Evaluator,
        shapes=problem.shapes,
        activation=settings.activation,
        output_activation=settings.output_activation,
        fitness=scores[0],
        dtype=settings.dtype,
        n_jobs=n_jobs,
    )
    with ExitStack() as stack:
        for callback in callbacks:
            if isinstance(callback, AbstractContextManager):
                stack.enter_context(callback)
        # Each thread of the evaluator multiplies on its own; BLAS must not split products further.
        stack.enter_context(one_blas_thread())
        evaluate = stack.enter_context(
            make_evaluator(
                data.X, data.targets, ranking=scores[1], sample_weight=data.sample_weight
            )
        )
        validate = None
        if held_out is not None:
            X, y, weight = held_out
            validate = stack.enter_context(make_evaluator(X, y, sample_weight=weight))
        interruption = stack.enter_context(Interruption())
        run = Run(
            settings,
            evaluate,
            validate,
            history=begin.history,
            callbacks=callbacks,
            schedule=begin.schedule,
            rng=begin.rng,
            last_generation=begin.last_generation,
            is_interrupted=lambda: interruption.requested,
        )
        if known is not None:
            run.keep_better(known, evaluate(known[None]))
        # The data do not change in the course of the run, and may be large.
        fingerprints = cache(partial(_fingerprints, problem, held_out, given))
        return run, _run_generations(run, problem, begin, fingerprints)


def _breeds_in_place(settings: Settings) -> bool:
    """Tell whether the offspring may overwrite the population, as they come from copies."""
    return settings.crossover in CROSSOVERS and settings.n_elites == 0


def _run_generations(
    run: Run, problem: Problem, begin: _Begin, fingerprints: Callable[[], dict[str, str]]
) -> NetworkGA:
    """Measure the initial population, then let PyGAD run until the limits say stop."""
    settings, snapshot = run.settings, begin.snapshot
    known = None if snapshot is None else Measurement(snapshot.fitness, snapshot.ranking)
    ga = NetworkGA(
        begin.population,
        run.measure,
        known=known,
        n_elites=settings.n_elites,
        elites_keep_fitness=lambda: run.measured_on_all and run.fitness_known,
        in_place=_breeds_in_place(settings),
        num_generations=max(0, begin.last_generation - max(0, len(run.history) - 1)),
        num_parents_mating=settings.n_parents,
        on_generation=run.record,
        random_seed=begin.engine_seed,
        **_operator_options(run, problem, begin.noise_seed),
    )
    ga.snapshot = partial(_take_snapshot, run, ga, problem, begin, fingerprints)
    if snapshot is not None:
        run.restore(snapshot)
        ga.restore_generators(snapshot.state.get("engine"))
    try:
        if _may_go_on(run, ga):
            ga.run()
        run.check_last(ga)
    except KeyboardInterrupt:
        # In the middle of a generation: there is no state that a checkpoint could hold.
        if not len(run.best):
            raise
        run.stop_reason = "interrupted"
    return ga


def _may_go_on(run: Run, ga: NetworkGA) -> bool:
    """Note the initial population, if it is new, and tell whether there is more to do."""
    if not len(run.history):
        return run.record(ga) is None
    if reason := run.limit_reached() or run.verdict:
        run.stop_reason = reason
    return not reason


def _take_snapshot(
    run: Run,
    ga: NetworkGA,
    problem: Problem,
    begin: _Begin,
    fingerprints: Callable[[], dict[str, str]],
) -> Snapshot:
    """Return the state after the last generation."""
    about = {
        "noise_seed": begin.noise_seed,
        "engine_seed": begin.engine_seed,
        "first_generation": begin.last_generation - problem.settings.n_generations,
        "random_state": begin.random_state,
        "engine": ga.generators(),
    }
    return Snapshot(
        population=ga.population,
        fitness=np.asarray(ga.last_generation_fitness, dtype=np.float64),
        ranking=ga.ranking,
        best=run.best,
        shapes=problem.shapes,
        history=run.history,
        state={**run.state(), **about},
        data=fingerprints(),
        versions=versions(),
    )
