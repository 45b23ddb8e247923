"""The generations: PyGAD runs them, with the operators and the evaluation of this package.

This is the only module that knows PyGAD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import pygad
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import ThreadpoolController

from ga_ann.callbacks import Callback, EarlyStopping, ProgressBar
from ga_ann.chromosome import flatten, reshape
from ga_ann.evaluation import Evaluator, Measurement
from ga_ann.fitness import finer_score, resolve_fitness
from ga_ann.history import History, TrainingResult
from ga_ann.operators import (
    CROSSOVERS,
    MUTATIONS,
    SELECTIONS,
    decay_weights,
    noise_table,
    rank_order,
    step_mutation,
    weighted_mean,
)
from ga_ann.problem import Problem, TrainingData
from ga_ann.schedule import Schedule
from ga_ann.scores import PopulationScore, scaled
from ga_ann.settings import Settings
from ga_ann.validation import check_held_out, check_hidden_layer_sizes
from ga_ann.weight_sets import check_weight_set

__all__ = ["EvolutionResult", "NetworkGA", "evolve"]

CHECK_EVERY = 10
"""Generations between two measurements of a candidate on all samples."""

BLAS = ThreadpoolController()
"""Finding the libraries takes as long as a small run, so it is done once."""


@dataclass(frozen=True)
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
        self._known = measure(population)
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
        self.last_generation_fitness = _without_nan(self._known.fitness)
        if isinstance(self.parent_selection_type, str):
            select: Callable[..., Any] = self.select_parents
            self.select_parents: Callable[..., Any] = lambda fitness, num_parents: select(
                _without_nan(self.ranking), num_parents
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
        return _without_nan(known.fitness)

    def best_solution(
        self, pop_fitness: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[Any], float, int]:
        """Return the population's best solution, its fitness and its index; see `pygad.GA`."""
        fitness = self.cal_pop_fitness() if pop_fitness is None else pop_fitness
        best = int(np.argmax(fitness))
        return self.population[best].copy(), fitness[best], best


def _without_nan(fitness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fitness as PyGAD can take it: NaN becomes minus infinity."""
    return np.where(np.isnan(fitness), -np.inf, fitness)


class _Run:
    """Measures the generations, keeps the best solution and the History, and tells when to stop."""

    def __init__(
        self,
        settings: Settings,
        evaluate: Evaluator,
        validate: Evaluator | None,
        history: History,
        callbacks: Iterable[Callback],
        schedule: Schedule,
        rng: np.random.Generator,
    ) -> None:
        self.settings = settings
        self.evaluate = evaluate
        self.validate = validate
        self.history = history
        self.callbacks = list(callbacks)
        self.rng = rng
        self.schedule = schedule
        self.best: NDArray[Any] = np.empty(0)
        self.best_fitness = self.validation_score = self.ranking = float("nan")
        self._best_key: list[float] = []
        self.measured_on_all = self.fitness_known = False
        self.stop_reason = "n_generations"
        self._last_generation = len(history) - bool(len(history)) + settings.n_generations
        self._before = (
            history.last if len(history) else dict.fromkeys(("seconds", "evaluations"), 0.0)
        )
        self._start = perf_counter()

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

    def record(self, ga: NetworkGA) -> str | None:
        """Note a generation; return "stop", PyGAD's word for it, if it is to be the last."""
        reason = self._limit_reached()
        self._find_best(ga, at_check=reason is not None or self._at_check())
        # PyGAD holds minus infinity for NaN.
        fitness = ga.last_generation_fitness if self.fitness_known else ga.ranking
        is_invalid = np.isnan(fitness) | np.isneginf(fitness)
        self.history.append(
            generation=len(self.history),
            evaluations=self._before["evaluations"] + self.evaluate.n_evaluated,
            seconds=self._before["seconds"] + perf_counter() - self._start,
            best_fitness=self.best_fitness,
            mean_fitness=self._mean_fitness(fitness[~is_invalid]),
            ranking=self.ranking,
            validation_score=self.validation_score,
            sigma=self.schedule.sigma,
            n_samples=self.schedule.batch_size,
            n_invalid=int(is_invalid.sum()),
        )
        target = self.settings.target_fitness
        if target is not None and self.best_fitness >= target:
            reason = "target_fitness"
        for callback in self.callbacks:
            answer = callback(ga, self.history)
            reason = reason or (answer if isinstance(answer, str) else "callback" * bool(answer))
        if reason:
            self.stop_reason = reason
        return "stop" if reason else None

    def _mean_fitness(self, valid: NDArray[Any]) -> float:
        return float(valid.mean()) if self.fitness_known and len(valid) else float("nan")

    def _find_best(self, ga: NetworkGA, *, at_check: bool) -> None:
        """Compare the generation's candidates, measured on all samples, with the best so far."""
        order = rank_order(ga.ranking)
        candidates: list[tuple[NDArray[Any], Measurement | None]] = []
        known_on_all = self.measured_on_all and self.fitness_known
        if known_on_all:
            fitness = ga.last_generation_fitness
            best = np.lexsort((_without_nan(ga.ranking), fitness))[-1]
            known = Measurement(fitness[[best]], ga.ranking[[best]])
            candidates.append((ga.population[best], known))
        if at_check and self.settings.crossover == "mean":
            mean = weighted_mean(ga.population[order[: self.settings.n_parents]])
            candidates.append((mean, None))
        elif at_check and not known_on_all:
            candidates.append((ga.population[order[0]], None))
        rankings = [ga.ranking[order[0]]] if self.measured_on_all else []
        for candidate, known_measurement in candidates:
            measured = known_measurement or self.evaluate(candidate[None])
            rankings.append(measured.ranking[0])
            if at_check or not self.settings.early_stopping:
                self.keep_better(candidate, measured)
        if at_check:
            ranking = float(np.fmax.reduce(rankings))
            self.ranking = float(np.fmax(self.ranking, ranking))
            self.schedule.update(ranking)

    def keep_better(self, solution: NDArray[Any], measured: Measurement) -> None:
        """Keep a solution if it is better than the best so far.

        With early stopping, better is of higher fitness on the validation data. Else it is of
        higher fitness. Solutions of equal fitness go by rank.
        """
        fitness, ranking = measured.fitness[0], measured.ranking[0]
        score = float("nan")
        key = [fitness, ranking]
        if self.settings.early_stopping and self.validate is not None:
            score = float(self.validate(solution[None]).fitness[0])
            key = [score, ranking]
        key = np.nan_to_num(key, nan=-np.inf, neginf=-np.inf).tolist()
        if self._best_key and key <= self._best_key:
            return
        self._best_key = key
        self.best = solution.copy()
        self.best_fitness = float(fitness) if np.isfinite(fitness) else float("nan")
        if self.validate is not None and not self.settings.early_stopping:
            score = float(self.validate(solution[None]).fitness[0])
        self.validation_score = score

    def _limit_reached(self) -> str | None:
        s = self.settings
        if len(self.history) >= self._last_generation:
            return "n_generations"
        if s.max_time is not None and perf_counter() - self._start >= s.max_time:
            return "max_time"
        cost = (s.population_size - s.n_elites) * self.schedule.batch_size / self.schedule.n_samples
        cost += 1  # a check's candidate
        if s.max_evaluations and self.evaluate.n_evaluated + cost > s.max_evaluations:
            return "max_evaluations"
        return None


def _operator_options(run: _Run, problem: Problem) -> dict[str, Any]:
    """Return PyGAD's options that select the operators: its own by name, ours as functions."""
    settings, rng, shapes, scale = run.settings, run.rng, problem.shapes, problem.scale
    options: dict[str, Any] = {
        "parent_selection_type": settings.selection,
        "crossover_type": settings.crossover,
        "mutation_type": settings.mutation,
    }
    table = noise_table(rng, len(scale), settings.dtype)
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
    validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    callbacks: Iterable[Callback] = (),
    random_state: int | np.random.Generator | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> EvolutionResult:
    """Train a network with a genetic algorithm.

    The weight matrices of each solution are flattened into a chromosome; the fitness is a score of
    the network's answers on the training data; the best chromosome is reshaped into matrices.
    Ctrl-C ends the run and keeps the best solution so far.

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
        of the current `sigma`; at least 0. ``"auto"`` is one over the square root of the number of
        samples. It makes for networks that do better on other data. PyGAD's own crossovers do not
        use it.
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
    validation_data : tuple (X, y), optional
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
    score = fitness or ("accuracy" if data.classes is not None else "r2")
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
    problem = Problem(data, settings)
    given = initial_population if start is None else start.population
    rng = np.random.default_rng(random_state) if start is None else start.rng
    population = problem.draw_population(rng) if given is None else problem.check_population(given)
    if start is None:
        history = History(label="GA", metric=settings.fitness, settings=asdict(settings))
        schedule = Schedule(
            sigma=settings.sigma,
            batch_size=settings.first_batch_size(len(data.X)),
            n_samples=len(data.X),
            decay=settings.sigma_decay,
        )
    else:
        history, schedule = start.history, start.schedule.for_samples(len(data.X))

    callbacks = list(callbacks)
    if settings.n_iter_no_change is not None:
        column = "validation_score" if early_stopping else "ranking"
        callbacks.append(EarlyStopping(settings.n_iter_no_change, tol=settings.tol, column=column))
    finer = ranking if callable(ranking) else settings.ranking
    scores = _resolve_scores(score, finer, problem)
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
        # Each thread of the evaluator multiplies on its own; BLAS must not split products further.
        stack.enter_context(BLAS.limit(limits=1, user_api="blas"))
        evaluate = stack.enter_context(
            make_evaluator(
                data.X, data.targets, ranking=scores[1], sample_weight=data.sample_weight
            )
        )
        validate = None
        if validation_data is not None:
            held_out = check_held_out(validation_data, data.X.shape[1], data.classes)
            validate = stack.enter_context(make_evaluator(*held_out))
        if verbose:
            callbacks.append(stack.enter_context(ProgressBar(settings.n_generations)))
        run = _Run(settings, evaluate, validate, history, callbacks, schedule, rng)
        if start is not None:
            best = flatten(start.weights).astype(settings.dtype)
            run.keep_better(best, evaluate(best[None]))
        ga = _run_generations(run, population, problem)
    return EvolutionResult(
        weights=reshape(run.best, problem.shapes),
        history=history,
        best_fitness=run.best_fitness,
        classes=data.classes,
        activation=settings.activation,
        output_activation=settings.output_activation,
        stop_reason=run.stop_reason,
        ga=ga,
        population=ga.population,
        schedule=run.schedule,
        rng=rng,
        validation_score=run.validation_score,
    )


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


def _run_generations(run: _Run, population: NDArray[Any], problem: Problem) -> NetworkGA:
    """Measure the initial population, then let PyGAD run until the limits say stop."""
    ga = NetworkGA(
        population,
        run.measure,
        n_elites=run.settings.n_elites,
        elites_keep_fitness=lambda: run.measured_on_all and run.fitness_known,
        in_place=run.settings.crossover in CROSSOVERS and run.settings.n_elites == 0,
        num_generations=run.settings.n_generations,
        num_parents_mating=run.settings.n_parents,
        on_generation=run.record,
        random_seed=int(run.rng.integers(2**32)),
        **_operator_options(run, problem),
    )
    try:
        if not len(run.history) and run.record(ga) == "stop":
            ga.num_generations = 0
        ga.run()
    except KeyboardInterrupt:
        run.stop_reason = "interrupted"
    return ga
