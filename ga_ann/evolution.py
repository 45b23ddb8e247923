"""The generations: PyGAD runs them, with the operators and the evaluation of this package.

This is the only module that knows PyGAD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from numbers import Integral, Real
from time import perf_counter
from typing import Any

import numpy as np
import pygad
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_scalar
from threadpoolctl import threadpool_limits

from ga_ann.callbacks import Callback, EarlyStopping, ProgressBar
from ga_ann.chromosome import count_genes, flatten, reshape
from ga_ann.evaluation import Evaluator
from ga_ann.fitness import FITNESS
from ga_ann.history import History, TrainingResult
from ga_ann.labels import check_held_out, check_training
from ga_ann.network import ACTIVATIONS, INITS, init_scale, init_weights, layer_shapes, lookup
from ga_ann.operators import CROSSOVERS, MUTATIONS, SELECTIONS, rank_order

__all__ = ["RECIPES", "EvolutionResult", "NetworkGA", "Settings", "evolve"]

PYGAD_SELECTIONS = ("random", "rws", "sss", "sus")
PYGAD_CROSSOVERS = ("sbx", "scattered", "two_points")
PYGAD_MUTATIONS = ("adaptive", "inversion", "polynomial", "random", "scramble", "swap")

RECIPES: dict[str, dict[str, Any]] = {
    "default": {
        "activation": "relu",
        "output_activation": "identity",
        "init": "he",
        "population_size": 64,
        "n_parents": 16,
        "n_elites": 1,
        "selection": "truncation",
        "crossover": "uniform",
        "mutation": "gaussian",
        "mutation_rate": 1.0,
        "sigma": 0.1,
        "dtype": "float32",
    },
    "tutorial": {
        "activation": "sigmoid",
        "output_activation": "sigmoid",
        "init": "tutorial",
        "population_size": 8,
        "n_parents": 4,
        "n_elites": 4,
        "selection": "truncation",
        "crossover": "middle",
        "mutation": "uniform",
        "mutation_rate": 0.1,
        "sigma": 10.0,  # times U(-0.1, 0.1): the tutorial adds U(-1, 1)
        "dtype": "float64",
    },
}
"""The settings that a recipe stands for; see `evolve`."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that shapes a run besides the data; the fields are the parameters of `evolve`."""

    hidden_layer_sizes: tuple[int, ...]
    activation: str
    output_activation: str
    bias: bool
    fitness: str
    init: str
    population_size: int
    n_parents: int
    n_elites: int
    selection: str
    crossover: str
    mutation: str
    mutation_rate: float | tuple[float, float]
    sigma: float
    dtype: str
    n_generations: int
    target_fitness: float | None
    n_iter_no_change: int | None
    tol: float
    max_time: float | None
    max_evaluations: float | None

    @classmethod
    def from_recipe(cls, recipe: str, **given: Any) -> Settings:
        """Return the settings given, with those that are None taken from the recipe if it has them.

        Raises
        ------
        ValueError, TypeError
            If the recipe is unknown, or a setting cannot run.
        """
        chosen = lookup(RECIPES, recipe, "recipe")
        resolved: dict[str, Any] = {
            name: chosen.get(name) if value is None else value for name, value in given.items()
        }
        return cls(**resolved)

    def __post_init__(self) -> None:
        """Refuse what cannot run."""
        self._check_names()
        check_scalar(self.population_size, "population_size", Integral, min_val=2)
        check_scalar(self.n_parents, "n_parents", Integral, min_val=1, max_val=self.population_size)
        check_scalar(
            self.n_elites, "n_elites", Integral, min_val=0, max_val=self.population_size - 1
        )
        check_scalar(self.n_generations, "n_generations", Integral, min_val=0)
        check_scalar(self.sigma, "sigma", Real, min_val=0)
        check_scalar(self.tol, "tol", Real, min_val=0)
        rates = self.mutation_rate
        for rate in rates if isinstance(rates, tuple) else (rates,):
            check_scalar(rate, "mutation_rate", Real, min_val=0, max_val=1)
        if isinstance(rates, tuple) != (self.mutation == "adaptive"):
            raise ValueError(
                "mutation_rate must be a pair (rate of weak solutions, rate of strong ones) with "
                f"mutation='adaptive', and a number otherwise; got {rates!r} with "
                f"mutation={self.mutation!r}."
            )
        if self.target_fitness is not None:
            check_scalar(self.target_fitness, "target_fitness", Real)
        if self.n_iter_no_change is not None:
            check_scalar(self.n_iter_no_change, "n_iter_no_change", Integral, min_val=1)
        if self.max_time is not None:
            check_scalar(self.max_time, "max_time", Real, min_val=0, include_boundaries="neither")
        if self.max_evaluations is not None:
            check_scalar(
                self.max_evaluations, "max_evaluations", Real, min_val=self.population_size
            )

    def _check_names(self) -> None:
        for table, pygad_names, what in (
            (ACTIVATIONS, (), "activation"),
            (ACTIVATIONS, (), "output_activation"),
            (FITNESS, (), "fitness"),
            (INITS, (), "init"),
            (SELECTIONS, PYGAD_SELECTIONS, "selection"),
            (CROSSOVERS, PYGAD_CROSSOVERS, "crossover"),
            (MUTATIONS, PYGAD_MUTATIONS, "mutation"),
        ):
            lookup(
                {**dict.fromkeys(table), **dict.fromkeys(pygad_names)}, getattr(self, what), what
            )
        lookup({"float32": None, "float64": None}, self.dtype, "dtype")


@dataclass(frozen=True)
class EvolutionResult(TrainingResult):
    """What `evolve` returns: a `TrainingResult` and the engine that produced it.

    Attributes
    ----------
    ga : pygad.GA
        The engine, with the final population; its plots and its summary work.
    """

    ga: pygad.GA


class NetworkGA(pygad.GA):
    """A `pygad.GA` whose population is measured as a whole and never passes through its checks.

    Parameters
    ----------
    population : ndarray of shape (n_solutions, n_genes)
        The initial population.
    fitness : ndarray of shape (n_solutions,)
        Its fitness.
    evaluate : callable
        ``evaluate(population) -> fitness``, NaN for a solution that cannot be measured.
    n_elites : int
        Number of solutions that enter the next generation as they are, with their fitness.
    **options
        Passed on to `pygad.GA`.
    """

    def __init__(
        self,
        population: NDArray[Any],
        fitness: NDArray[np.float64],
        evaluate: Callable[[NDArray[Any]], NDArray[np.float64]],
        *,
        n_elites: int,
        **options: Any,
    ) -> None:
        self._given_population = population
        self._evaluate = evaluate
        self._known_fitness = fitness
        super().__init__(
            fitness_func=lambda ga, solutions, indices: list(ga.measure(solutions)),
            fitness_batch_size=len(population),
            sol_per_pop=len(population),
            num_genes=population.shape[1],
            gene_type=population.dtype.type,
            keep_elitism=n_elites,
            keep_parents=0,
            suppress_warnings=True,
            **options,
        )

    def measure(self, population: NDArray[Any]) -> NDArray[np.float64]:
        """Return the fitness of chromosomes, minus infinity where it is NaN."""
        fitness = self._evaluate(population)
        return np.where(np.isnan(fitness), -np.inf, fitness)

    def generate_initial_population(self, num_solutions: int) -> NDArray[Any]:
        """Hand PyGAD the population, past its checks of every gene."""
        return self._given_population

    def change_population_dtype_and_round(self, population: Any) -> NDArray[Any]:
        """Return chromosomes of the right type as they are, without a copy."""
        return np.asarray(population, dtype=self.gene_type[0])

    def run_update_population(self) -> None:
        """Replace the population; the elites in front bring their fitness with them."""
        super().run_update_population()
        if self.keep_elitism:
            self._known_fitness = self.last_generation_fitness[self.last_generation_elitism_indices]

    def cal_pop_fitness(self) -> NDArray[np.float64]:
        """Measure the population, save those in front whose fitness is known."""
        known = np.where(np.isnan(self._known_fitness), -np.inf, self._known_fitness)
        self._known_fitness = np.empty(0)
        unknown = self.population[len(known) :]
        fitness = np.concatenate([known, self.measure(unknown)]) if len(unknown) else known
        self.num_fitness_evaluations = getattr(self, "num_fitness_evaluations", 0) + len(unknown)
        return fitness


class _Run:
    """Keeps the best solution so far and the History, and tells when to stop."""

    def __init__(
        self,
        settings: Settings,
        evaluate: Evaluator,
        validate: Evaluator | None,
        history: History,
        callbacks: Iterable[Callback],
    ) -> None:
        self.settings = settings
        self.evaluate = evaluate
        self.validate = validate
        self.history = history
        self.callbacks = list(callbacks)
        self.best: NDArray[Any] = np.empty(0)
        self.best_fitness = float("nan")
        self.validation_score = float("nan")
        self.stop_reason = "n_generations"
        self._start = perf_counter()

    def record(
        self, ga: pygad.GA, population: NDArray[Any], fitness: NDArray[np.float64]
    ) -> str | None:
        """Note a generation; return "stop", PyGAD's word for it, if it is to be the last."""
        self._keep_best(population, fitness)
        valid = fitness[~(np.isnan(fitness) | np.isneginf(fitness))]
        self.history.append(
            generation=len(self.history),
            evaluations=self.evaluate.n_evaluated,
            seconds=perf_counter() - self._start,
            best_fitness=self.best_fitness,
            mean_fitness=valid.mean() if len(valid) else float("nan"),
            validation_score=self.validation_score,
            sigma=self.settings.sigma,
            n_samples=len(self.evaluate.X),
            n_invalid=len(fitness) - len(valid),
        )
        reason = self._limit_reached()
        for callback in self.callbacks:
            answer = callback(ga, self.history)
            reason = reason or (answer if isinstance(answer, str) else "callback" * bool(answer))
        if not reason:
            return None
        self.stop_reason = reason
        return "stop"

    def _keep_best(self, population: NDArray[Any], fitness: NDArray[np.float64]) -> None:
        k = rank_order(fitness)[0]
        if self.best.size and not fitness[k] > self.best_fitness:
            return
        self.best = population[k].copy()
        self.best_fitness = float(fitness[k])
        if self.validate is not None:
            self.validation_score = float(self.validate(self.best[None])[0])

    def _limit_reached(self) -> str | None:
        s, row = self.settings, self.history.last
        if s.target_fitness is not None and row["best_fitness"] >= s.target_fitness:
            return "target_fitness"
        if s.max_time is not None and row["seconds"] >= s.max_time:
            return "max_time"
        next_generation = s.population_size - s.n_elites
        if s.max_evaluations and row["evaluations"] + next_generation > s.max_evaluations:
            return "max_evaluations"
        return None


def _operator_options(
    settings: Settings, shapes: list[tuple[int, ...]], rng: np.random.Generator
) -> dict[str, Any]:
    """Return PyGAD's options that select the operators: its own by name, ours as functions."""
    options: dict[str, Any] = {
        "parent_selection_type": settings.selection,
        "crossover_type": settings.crossover,
        "mutation_type": settings.mutation,
    }
    if settings.selection in SELECTIONS:
        select = partial(SELECTIONS[settings.selection], rng)

        def select_parents(
            fitness: NDArray[Any], n_parents: int, ga: pygad.GA
        ) -> tuple[NDArray[Any], NDArray[np.intp]]:
            chosen = select(fitness, n_parents)
            return ga.population[chosen], chosen

        options["parent_selection_type"] = select_parents
    if settings.crossover in CROSSOVERS:
        cross = partial(CROSSOVERS[settings.crossover], rng)
        options["crossover_type"] = lambda parents, size, ga: cross(parents, size[0], shapes)
    if settings.mutation in MUTATIONS:
        mutate = partial(MUTATIONS[settings.mutation], rng, rate=settings.mutation_rate)
        scale = _gene_scale(settings, shapes)
        options["mutation_type"] = lambda offspring, ga: mutate(offspring, scale)
    elif isinstance(settings.mutation_rate, tuple):
        options["mutation_percent_genes"] = [100 * rate for rate in settings.mutation_rate]
    else:
        options["mutation_percent_genes"] = 100 * settings.mutation_rate
    return options


def _gene_scale(settings: Settings, shapes: list[tuple[int, ...]]) -> NDArray[Any]:
    """Return the standard deviation of the mutation of each gene."""
    scales, n_in = [], 1
    for shape in shapes:
        n_in = shape[0] if len(shape) == 2 else n_in
        scales.append(np.full(shape, settings.sigma * init_scale(settings.init, n_in)))
    scale: NDArray[Any] = flatten(scales).astype(settings.dtype)
    return scale


def _initial_population(
    given: ArrayLike | None,
    settings: Settings,
    layer_sizes: list[int],
    rng: np.random.Generator,
) -> NDArray[Any]:
    size = settings.population_size
    if given is None:
        return flatten(
            init_weights(
                rng,
                layer_sizes,
                n_solutions=size,
                init=settings.init,
                bias=settings.bias,
                dtype=settings.dtype,
            )
        )
    population: NDArray[Any] = check_array(
        given, dtype=settings.dtype, copy=True, input_name="initial_population"
    )
    expected = (size, count_genes(layer_shapes(layer_sizes, bias=settings.bias)))
    if population.shape != expected:
        raise ValueError(
            f"initial_population must have shape {expected} (solutions, genes) for layers of "
            f"{layer_sizes}, got {population.shape}."
        )
    return population


def evolve(
    X: ArrayLike,
    y: ArrayLike,
    *,
    hidden_layer_sizes: Iterable[int] = (150, 60),
    activation: str | None = None,
    output_activation: str | None = None,
    bias: bool = False,
    fitness: str = "accuracy",
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
    dtype: str | None = None,
    n_generations: int = 1000,
    target_fitness: float | None = 1.0,
    n_iter_no_change: int | None = None,
    tol: float = 1e-4,
    max_time: float | None = None,
    max_evaluations: float | None = None,
    initial_population: ArrayLike | None = None,
    validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    callbacks: Iterable[Callback] = (),
    random_state: int | np.random.Generator | None = None,
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
    hidden_layer_sizes : iterable of int, default=(150, 60)
        Sizes of the hidden layers; empty for a linear classifier.
    activation, output_activation : str, optional
        See `forward`. None takes the recipe's.
    bias : bool, default=False
        Whether the layers have biases. The tutorial's have none.
    fitness : {"accuracy"}, default="accuracy"
        The score to maximise.
    recipe : {"default", "tutorial"}, default="default"
        What the parameters that are None stand for:

        =================  ============  ============
        parameter          "default"     "tutorial"
        =================  ============  ============
        activation         "relu"        "sigmoid"
        output_activation  "identity"    "sigmoid"
        init               "he"          "tutorial"
        population_size    64            8
        n_parents          16            4
        n_elites           1             4
        selection          "truncation"  "truncation"
        crossover          "uniform"     "middle"
        mutation           "gaussian"    "uniform"
        mutation_rate      1.0           0.1
        sigma              0.1           10.0
        dtype              "float32"     "float64"
        =================  ============  ============

        The tutorial's sigma of 10 times its initial U(-0.1, 0.1) is its mutation by U(-1, 1).
    init : {"he", "tutorial"}, optional
        Distribution of the initial weights, see `init_weights`.
    population_size : int, optional
        Number of solutions, at least 2.
    n_parents : int, optional
        Number of solutions that mate, 1 to `population_size`.
    n_elites : int, optional
        Number of best solutions that enter the next generation unchanged, 0 to
        ``population_size - 1``.
    selection : str, optional
        ``"truncation"``, ``"tournament"``, ``"rank"``, ``"roulette"``, or a name of PyGAD's:
        ``"sss"``, ``"rws"``, ``"sus"``, ``"random"``.
    crossover : str, optional
        ``"uniform"``, ``"neuron"``, ``"single_point"``, ``"two_point"``, ``"middle"``, or a name
        of PyGAD's: ``"two_points"``, ``"scattered"``, ``"sbx"``.
    mutation : str, optional
        ``"gaussian"``, ``"uniform"``, or a name of PyGAD's, which change genes as PyGAD does by
        default and much more slowly: ``"random"``, ``"swap"``, ``"inversion"``, ``"scramble"``,
        ``"polynomial"``, ``"adaptive"``.
    mutation_rate : float, optional
        Share of the genes that change in an offspring, 0 to 1; a pair for ``"adaptive"``.
    sigma : float, optional
        Standard deviation of the mutation, relative to that of the layer's initial weights; at
        least 0. PyGAD's own mutations do not use it.
    dtype : {"float32", "float64"}, optional
        Precision of the weights and of the computation.
    n_generations : int, default=1000
        Number of generations at most.
    target_fitness : float or None, default=1.0
        The run ends when the best fitness reaches it.
    n_iter_no_change : int, optional
        The run ends when the best fitness has not grown by more than `tol` for so many
        generations.
    tol : float, default=1e-4
        See `n_iter_no_change`.
    max_time : float, optional
        The run ends with the generation in which so many seconds have passed.
    max_evaluations : float, optional
        The run ends before it would evaluate more networks than this, at least `population_size`.
    initial_population : array-like of shape (population_size, n_genes), optional
        Chromosomes to start from, instead of drawing them.
    validation_data : tuple (X, y), optional
        Held-out data that the best solution is scored on; it does not influence the run.
    callbacks : iterable of callable, default=()
        Called after each generation, see `ga_ann.callbacks`.
    random_state : int, numpy.random.Generator or None, default=None
        The one source of randomness; the same seed gives the same result on the same machine.
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
    settings = Settings.from_recipe(
        recipe,
        hidden_layer_sizes=tuple(hidden_layer_sizes),
        activation=activation,
        output_activation=output_activation,
        bias=bias,
        fitness=fitness,
        init=init,
        population_size=population_size,
        n_parents=n_parents,
        n_elites=n_elites,
        selection=selection,
        crossover=crossover,
        mutation=mutation,
        mutation_rate=mutation_rate,
        sigma=sigma,
        dtype=dtype,
        n_generations=n_generations,
        target_fitness=target_fitness,
        n_iter_no_change=n_iter_no_change,
        tol=tol,
        max_time=max_time,
        max_evaluations=max_evaluations,
    )
    samples, codes, classes = check_training(X, y)
    n_features = samples.shape[1]
    layer_sizes = [n_features, *settings.hidden_layer_sizes, len(classes)]
    shapes = layer_shapes(layer_sizes, bias=settings.bias)
    make_evaluator = partial(
        Evaluator,
        shapes=shapes,
        activation=settings.activation,
        output_activation=settings.output_activation,
        fitness=settings.fitness,
        dtype=settings.dtype,
    )
    evaluate = make_evaluator(samples, codes)
    validate = None
    if validation_data is not None:
        validate = make_evaluator(*check_held_out(validation_data, n_features, classes))
    rng = np.random.default_rng(random_state)
    population = _initial_population(initial_population, settings, layer_sizes, rng)

    callbacks = list(callbacks)
    if settings.n_iter_no_change is not None:
        callbacks.append(
            EarlyStopping(settings.n_iter_no_change, tol=settings.tol, column="best_fitness")
        )
    history = History(label="GA", metric=settings.fitness, settings=asdict(settings))
    with ExitStack() as stack:
        # Products this small run slower when BLAS splits each of them among threads.
        stack.enter_context(threadpool_limits(limits=1, user_api="blas"))
        if verbose:
            callbacks.append(stack.enter_context(ProgressBar(settings.n_generations)))
        run = _Run(settings, evaluate, validate, history, callbacks)
        ga = _run_generations(run, population, shapes, rng)
    return EvolutionResult(
        weights=reshape(run.best, shapes),
        history=history,
        best_fitness=run.best_fitness,
        classes=classes,
        activation=settings.activation,
        output_activation=settings.output_activation,
        stop_reason=run.stop_reason,
        ga=ga,
    )


def _run_generations(
    run: _Run,
    population: NDArray[Any],
    shapes: list[tuple[int, ...]],
    rng: np.random.Generator,
) -> NetworkGA:
    """Measure the initial population, then let PyGAD run until the limits say stop."""
    fitness = run.evaluate(population)
    ga = NetworkGA(
        population,
        fitness,
        run.evaluate,
        n_elites=run.settings.n_elites,
        num_generations=run.settings.n_generations,
        num_parents_mating=run.settings.n_parents,
        on_generation=lambda ga: run.record(ga, ga.population, ga.last_generation_fitness),
        random_seed=int(rng.integers(2**32)),
        **_operator_options(run.settings, shapes, rng),
    )
    try:
        if run.record(ga, population, fitness) == "stop":
            ga.num_generations = 0
        ga.run()
    except KeyboardInterrupt:
        run.stop_reason = "interrupted"
    return ga
