"""Other tools that train the same network: each from a call until a training accuracy is reached.

The network is the benchmark's: ReLU, no biases, layers ``(n_features, *hidden, n_classes)``, and
the fitness is the classification accuracy on the training samples. Every tool runs as its users
run it (its operators, its random numbers, its loop), with a fitness function that is vectorised
where the tool allows that. The settings were tuned by hand: the keyword defaults of each function
on the fruits (109-150-60-4), `Rival.settings` on other data, where a tool needs others to do well.

What all have in common:

- Inputs are divided by one number, the root mean square of the training samples.
- Genes are weights in units of the initial weights of their layer. Such a network predicts the
  same when one of its matrices is multiplied by a positive number, so the unit can be left out:
  the initial genes are standard normal and a step size is relative to them.
- A mini-batch, where a tool's setting has one, is drawn anew in each generation and shared by the
  whole population; what enters the trace is always measured on all training samples.
- The clock starts once the tool is imported and its code compiled. It includes the measurements
  that the trace needs.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

__all__ = ["RIVALS", "Rival", "Run"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """What one run of a tool measured.

    Attributes
    ----------
    seconds : list of float
        Wall time of each point of the trace, from the call, without imports and compilation.
    train_accuracy : list of float
        Best accuracy so far on all training samples, in [0, 1]; of the centre where the tool
        searches by a distribution.
    test_accuracy : float
        Accuracy of that best network on the test samples; NaN if there are none.
    compile_seconds : float
        Time spent compiling before the clock started; 0 for tools that compile nothing.
    """

    seconds: list[float]
    train_accuracy: list[float]
    test_accuracy: float
    compile_seconds: float


@dataclass(frozen=True)
class Rival:
    """A tool.

    Attributes
    ----------
    label : str
        What a table calls it.
    function : callable
        Runs it: ``function(X_train, y_train, X_test, y_test, hidden, *, seed, max_time, target,
        **settings)``, with `max_time` in seconds and `target` an accuracy in [0, 1].
    requires : str
        The module that it cannot do without.
    settings : dict of dict
        By the name of a data set, the settings that suit it better than the defaults.
    """

    label: str
    function: Callable[..., Run]
    requires: str
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)


class _Trace:
    """The best accuracy so far against the wall time since construction."""

    def __init__(self, max_time: float, target: float) -> None:
        self.start = perf_counter()
        self.max_time, self.target = max_time, target
        self.seconds: list[float] = []
        self.accuracy: list[float] = []
        self.best: Any = None

    def add(self, accuracy: float, solution: Any) -> bool:
        """Add a generation's best and return whether the run is over."""
        seconds = perf_counter() - self.start
        if not self.accuracy or accuracy > self.accuracy[-1]:
            self.best = np.array(solution)
        best_so_far = max(float(accuracy), *self.accuracy[-1:], 0.0)
        self.seconds.append(seconds)
        self.accuracy.append(best_so_far)
        return best_so_far >= self.target or seconds >= self.max_time

    def run(self, test_accuracy: float, compile_seconds: float = 0.0) -> Run:
        return Run(self.seconds, self.accuracy, float(test_accuracy), compile_seconds)


@dataclass(frozen=True)
class _Task:
    """The scaled samples and the network's shapes."""

    X: Floats
    y: Labels
    X_test: Floats
    y_test: Labels
    shapes: list[tuple[int, int]]

    @classmethod
    def of(
        cls, X_train: Any, y_train: Any, X_test: Any, y_test: Any, hidden: Sequence[int]
    ) -> _Task:
        scale = np.sqrt(np.mean(np.square(X_train)))
        classes, y = np.unique(y_train, return_inverse=True)
        sizes = [np.shape(X_train)[1], *hidden, len(classes)]
        return cls(
            np.asarray(X_train / scale, dtype=np.float32, order="C"),
            y.astype(np.int64),
            np.asarray(X_test / scale, dtype=np.float32, order="C"),
            np.searchsorted(classes, y_test).astype(np.int64),
            list(pairwise(sizes)),
        )

    @property
    def n_genes(self) -> int:
        return sum(n_in * n_out for n_in, n_out in self.shapes)

    def batch(self, rng: np.random.Generator, batch_size: int | None) -> tuple[Floats, Labels]:
        """Draw a mini-batch, or return all samples."""
        if batch_size is None or batch_size >= len(self.y):
            return self.X, self.y
        chosen = rng.choice(len(self.y), batch_size, replace=False, shuffle=False)
        return self.X[chosen], self.y[chosen]

    def matrices(self, genes: Any) -> list[Any]:
        """Cut chromosomes (the last axis) into weight matrices; NumPy, torch and JAX alike."""
        weights, start = [], 0
        for n_in, n_out in self.shapes:
            stop = start + n_in * n_out
            weights.append(genes[..., start:stop].reshape(*genes.shape[:-1], n_in, n_out))
            start = stop
        return weights

    def accuracy(self, solution: NDArray[Any]) -> float:
        return _accuracy(self.matrices(solution), self.X, self.y)

    def test_accuracy(self, solution: NDArray[Any]) -> float:
        return _accuracy(self.matrices(solution), self.X_test, self.y_test)


def _accuracy(weights: Sequence[NDArray[Any]], X: NDArray[Any], y: Labels) -> float:
    """Return one network's accuracy, in plain NumPy with the activation in place."""
    if not len(y):
        return float("nan")
    A = X
    for W in weights[:-1]:
        A = A @ W
        np.maximum(A, 0, out=A)
    return float(np.mean((A @ weights[-1]).argmax(axis=1) == y))


# ----- PyGAD ------------------------------------------------------------------------------------


def pygad_gann(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
    num_solutions: int = 8,
    num_parents_mating: int = 4,
    mutation_percent_genes: int = 10,
) -> Run:
    """Run `pygad.gann` as its documentation trains a network on Fruits-360.

    One thing is done better: the documentation hands the new weights to the networks in
    `on_generation`, which PyGAD calls after the fitness, so that every fitness belongs to the
    generation before. Here a network gets its weights just before its fitness.
    """
    import pygad
    import pygad.gann
    import pygad.nn

    task = _Task.of(X_train, y_train, X_test, y_test, hidden)
    np.random.seed(seed)  # noqa: NPY002  (pygad.gann draws its weights from the global generator)
    trace = _Trace(max_time, target)
    gann = pygad.gann.GANN(
        num_solutions=num_solutions,
        num_neurons_input=task.X.shape[1],
        num_neurons_hidden_layers=list(hidden),
        num_neurons_output=task.shapes[-1][1],
        hidden_activations=["relu"] * len(hidden),
        output_activation="softmax",
    )

    def accuracy(solution: NDArray[Any], index: int, X: Floats, y: Labels) -> float:
        network = gann.population_networks[index]
        pygad.nn.update_layers_trained_weights(
            network, pygad.nn.layers_weights_as_matrix(network, solution)
        )
        return float(np.mean(np.array(pygad.nn.predict(network, X)) == y))

    def on_generation(ga: Any) -> str | None:
        fitness = ga.last_generation_fitness
        over = trace.add(fitness.max(), ga.population[fitness.argmax()])
        return "stop" if over else None

    ga = pygad.GA(
        num_generations=10**9,
        num_parents_mating=num_parents_mating,
        initial_population=pygad.gann.population_as_vectors(gann.population_networks),
        fitness_func=lambda ga, solution, index: accuracy(solution, index, task.X, task.y),
        mutation_percent_genes=mutation_percent_genes,
        parent_selection_type="sss",
        crossover_type="single_point",
        mutation_type="random",
        keep_parents=-1,
        on_generation=on_generation,
        random_seed=seed,
        suppress_warnings=True,
    )
    ga.run()
    test = accuracy(trace.best, 0, task.X_test, task.y_test) if len(task.y_test) else np.nan
    return trace.run(test)


def pygad_ga(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
    sol_per_pop: int = 16,
    num_parents_mating: int = 4,
    init_range: float = 1.7,
    keep_elitism: int = 1,
) -> Run:
    """Run `pygad.GA` with its default operators and one call of the fitness a generation."""
    import pygad

    task = _Task.of(X_train, y_train, X_test, y_test, hidden)

    def fitness(ga: Any, solutions: NDArray[Any], indices: Any) -> list[float]:
        return [task.accuracy(solution) for solution in np.asarray(solutions, dtype=np.float32)]

    def on_generation(ga: Any) -> str | None:
        best = np.argmax(ga.last_generation_fitness)
        over = trace.add(ga.last_generation_fitness[best], ga.population[best])
        return "stop" if over else None

    trace = _Trace(max_time, target)
    ga = pygad.GA(
        num_generations=10**9,
        sol_per_pop=sol_per_pop,
        num_parents_mating=num_parents_mating,
        num_genes=task.n_genes,
        init_range_low=-init_range,
        init_range_high=init_range,
        gene_type=np.float32,
        keep_elitism=keep_elitism,
        fitness_func=fitness,
        fitness_batch_size=sol_per_pop,
        on_generation=on_generation,
        random_seed=seed,
        suppress_warnings=True,
    )
    ga.run()
    return trace.run(task.test_accuracy(trace.best))


# ----- EvoTorch ---------------------------------------------------------------------------------


def _evotorch_problem(
    task: _Task, seed: int, batch_size: int | None
) -> tuple[Any, Callable[[Any], Any]]:
    """Return the vectorised problem, and the accuracy of one solution on all samples."""
    import torch
    from evotorch import Problem
    from evotorch.decorators import vectorized

    logging.getLogger("evotorch").setLevel(logging.WARNING)
    torch.set_num_threads(2)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)

    @torch.no_grad()
    def accuracies(population: Any, X: Any, y: Any) -> Any:
        A, weights = X, task.matrices(population)
        for W in weights[:-1]:
            A = torch.relu_(A @ W)
        return ((A @ weights[-1]).argmax(-1) == y).float().mean(-1)

    all_X, all_y = torch.from_numpy(task.X), torch.from_numpy(task.y)

    @vectorized
    def fitness(population: Any) -> Any:
        if batch_size is None:  # network after network stays in cache
            return torch.stack([accuracies(solution, all_X, all_y) for solution in population])
        X, y = task.batch(rng, batch_size)
        return accuracies(population, torch.from_numpy(X), torch.from_numpy(y))

    problem = Problem(
        "max",
        fitness,
        solution_length=task.n_genes,
        initial_bounds=(-(3**0.5), 3**0.5),  # a standard deviation of 1
        dtype=torch.float32,
        seed=seed,
    )
    return problem, lambda solution: float(accuracies(solution, all_X, all_y))


def evotorch_snes(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
    popsize: int = 34,
    stdev_init: float = 1.0,
    center_learning_rate: float = 1.0,
    stdev_learning_rate: float = 1.0,
    batch_size: int | None = 128,
) -> Run:
    """Run EvoTorch's SNES; the trace is the centre's."""
    import torch
    from evotorch.algorithms import SNES

    task = _Task.of(X_train, y_train, X_test, y_test, hidden)
    trace = _Trace(max_time, target)
    problem, accuracy = _evotorch_problem(task, seed, batch_size)
    searcher = SNES(
        problem,
        popsize=popsize,
        stdev_init=stdev_init,
        center_learning_rate=center_learning_rate,
        stdev_learning_rate=stdev_learning_rate,
        center_init=torch.randn(task.n_genes),
    )
    over = False
    while not over:
        searcher.step()
        center = searcher.status["center"]
        over = trace.add(accuracy(center), center)
    return trace.run(task.test_accuracy(trace.best))


def evotorch_ga(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
    popsize: int = 64,
    tournament_size: int = 4,
    num_points: int | None = 2,
    eta: float = 10.0,
    stdev: float = 0.1,
    mutation_probability: float | None = None,
    batch_size: int | None = 128,
) -> Run:
    """Run EvoTorch's GeneticAlgorithm with its crossovers and its Gaussian mutation."""
    from evotorch.algorithms import GeneticAlgorithm
    from evotorch.operators import GaussianMutation, MultiPointCrossOver, SimulatedBinaryCrossOver

    task = _Task.of(X_train, y_train, X_test, y_test, hidden)
    trace = _Trace(max_time, target)
    problem, accuracy = _evotorch_problem(task, seed, batch_size)
    crossover = (
        MultiPointCrossOver(problem, tournament_size=tournament_size, num_points=num_points)
        if num_points
        else SimulatedBinaryCrossOver(problem, tournament_size=tournament_size, eta=eta)
    )
    searcher = GeneticAlgorithm(
        problem,
        popsize=popsize,
        operators=[
            crossover,
            GaussianMutation(problem, stdev=stdev, mutation_probability=mutation_probability),
        ],
        re_evaluate=batch_size is not None,
    )
    over = False
    while not over:
        searcher.step()
        best = searcher.population[int(searcher.population.argbest())].values
        over = trace.add(accuracy(best), best)
    return trace.run(task.test_accuracy(trace.best))


# ----- evosax -----------------------------------------------------------------------------------


def _evosax_run(
    task: _Task,
    algorithm: Any,
    params: Any,
    first_state: Callable[[Any], Any],
    measured: Callable[[Any], Any],
    batch_size: int | None,
    *,
    seed: int,
    max_time: float,
    target: float,
) -> Run:
    """Iterate one compiled ask-evaluate-tell step; `measured` picks a state's network."""
    import jax
    import jax.numpy as jnp

    all_X, all_y = jnp.asarray(task.X), jnp.asarray(task.y)

    def n_correct(solution: Any, X: Any, y: Any) -> Any:
        A, weights = X, task.matrices(solution)
        for W in weights[:-1]:
            A = jax.nn.relu(A @ W)
        return ((A @ weights[-1]).argmax(-1) == y).sum()

    @jax.jit
    def step(key: Any, state: Any) -> tuple[Any, Any, Any, Any]:
        key, ask_key, tell_key, batch_key = jax.random.split(key, 4)
        population, state = algorithm.ask(ask_key, state, params)
        X, y = all_X, all_y
        if batch_size is not None and batch_size < len(task.y):
            chosen = jax.random.randint(batch_key, (batch_size,), 0, len(task.y))
            X, y = X[chosen], y[chosen]
        # Network after network stays in cache; vmap takes two to three times as long.
        correct = jax.lax.map(lambda solution: n_correct(solution, X, y), population)
        state, _ = algorithm.tell(tell_key, population, -correct / len(y), state, params)
        solution = measured(state)
        return key, state, solution, n_correct(solution, all_X, all_y)

    start = perf_counter()
    key = jax.random.key(seed)
    _, state, *_ = step(key, first_state(key))
    jax.block_until_ready(step(key, state))  # compiled anew: a state's types settle in one step
    compile_seconds = perf_counter() - start

    trace = _Trace(max_time, target)
    state, over = first_state(key), False
    while not over:
        key, state, solution, correct = step(key, state)
        over = trace.add(int(correct) / len(task.y), solution)
    return trace.run(task.test_accuracy(trace.best), compile_seconds)


def evosax_openes(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
    population_size: int = 32,
    std: float = 0.3,
    learning_rate: float = 0.2,
    batch_size: int | None = 256,
) -> Run:
    """Run evosax's OpenAI-ES with Adam; the trace is the mean's."""
    import jax
    import jax.numpy as jnp
    import optax
    from evosax.algorithms import Open_ES

    task = _Task.of(X_train, y_train, X_test, y_test, hidden)
    algorithm = Open_ES(
        population_size,
        jnp.zeros(task.n_genes),
        optimizer=optax.adam(learning_rate),
        std_schedule=optax.constant_schedule(std),
    )
    params = algorithm.default_params

    def first_state(key: Any) -> Any:
        return algorithm.init(key, jax.random.normal(key, (task.n_genes,)), params)

    return _evosax_run(
        task,
        algorithm,
        params,
        first_state,
        algorithm.get_mean,
        batch_size,
        seed=seed,
        max_time=max_time,
        target=target,
    )


def evosax_simplega(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
    population_size: int = 32,
    elite_ratio: float = 0.25,
    crossover_rate: float = 0.5,
    std: float = 0.2,
    batch_size: int | None = 128,
) -> Run:
    """Run evosax's SimpleGA; the trace is that of each generation's best."""
    import jax
    import jax.numpy as jnp
    import optax
    from evosax.algorithms import SimpleGA

    task = _Task.of(X_train, y_train, X_test, y_test, hidden)
    algorithm = SimpleGA(
        population_size, jnp.zeros(task.n_genes), std_schedule=optax.constant_schedule(std)
    )
    algorithm.elite_ratio = elite_ratio
    params = algorithm.default_params.replace(crossover_rate=crossover_rate)

    def first_state(key: Any) -> Any:
        population = jax.random.normal(key, (population_size, task.n_genes))
        return algorithm.init(key, population, jnp.zeros(population_size), params)

    return _evosax_run(
        task,
        algorithm,
        params,
        first_state,
        algorithm.get_best_solution,
        batch_size,
        seed=seed,
        max_time=max_time,
        target=target,
    )


# ----- DEAP, cmaes, scikit-learn ----------------------------------------------------------------


def _deap_toolbox(sigma: float, rng: np.random.Generator) -> Any:
    """Return DEAP's toolbox with individuals that are arrays and operators that are vectorised."""
    from deap import base, creator, tools

    if not hasattr(creator, "Individual"):
        creator.create("FitnessMax", base.Fitness, weights=(1.0,))
        creator.create("Individual", np.ndarray, fitness=creator.FitnessMax)

    def mate(a: Any, b: Any) -> tuple[Any, Any]:
        mask = rng.random(a.size, dtype=np.float32) < 0.5
        difference = (b - a) * mask
        a += difference
        b -= difference
        return a, b

    def mutate(individual: Any) -> tuple[Any]:
        individual += np.float32(sigma) * rng.standard_normal(individual.size, dtype=np.float32)
        return (individual,)

    def individual(genes: Floats) -> Any:
        made = genes.view(creator.Individual)
        made.fitness = creator.FitnessMax()
        return made

    toolbox = base.Toolbox()
    toolbox.register("individual", individual)
    toolbox.register("mate", mate)
    toolbox.register("mutate", mutate)
    toolbox.register("select", tools.selBest)
    toolbox.register("choose", tools.selRandom)
    return toolbox


def deap(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
    mu: int = 8,
    lambda_: int = 24,
    sigma: float = 0.2,
    batch_size: int | None = 64,
) -> Run:
    """Run a (mu + lambda) algorithm of DEAP's parts: every child is crossed over and mutated."""
    from deap import algorithms

    task = _Task.of(X_train, y_train, X_test, y_test, hidden)
    random.seed(seed)
    rng = np.random.default_rng(seed)
    toolbox = _deap_toolbox(sigma, rng)
    trace = _Trace(max_time, target)
    genes = rng.standard_normal((mu + lambda_, task.n_genes), dtype=np.float32)
    population, over = [toolbox.individual(row.copy()) for row in genes], False
    while not over:
        X, y = task.batch(rng, batch_size)
        for individual in population:
            if batch_size is not None or not individual.fitness.valid:
                weights = task.matrices(np.asarray(individual))
                individual.fitness.values = (_accuracy(weights, X, y),)
        parents = toolbox.select(population, mu)
        best = np.asarray(parents[0])
        value = parents[0].fitness.values[0] if batch_size is None else task.accuracy(best)
        over = trace.add(value, best)
        children = algorithms.varAnd(toolbox.choose(parents, lambda_), toolbox, cxpb=1, mutpb=1)
        population = parents + children
    return trace.run(task.test_accuracy(trace.best))


def cmaes_sep(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
    population_size: int = 16,
    sigma: float = 0.5,
    batch_size: int | None = 256,
) -> Run:
    """Run cmaes's SepCMA; the trace is the mean's."""
    from cmaes import SepCMA

    task = _Task.of(X_train, y_train, X_test, y_test, hidden)
    rng = np.random.default_rng(seed)
    trace = _Trace(max_time, target)
    optimizer = SepCMA(
        mean=rng.standard_normal(task.n_genes),
        sigma=sigma,
        seed=seed,
        population_size=population_size,
    )
    over = False
    while not over:
        X, y = task.batch(rng, batch_size)
        asked = [optimizer.ask() for _ in range(optimizer.population_size)]
        optimizer.tell([(x, -_accuracy(task.matrices(x.astype(np.float32)), X, y)) for x in asked])
        mean = optimizer.mean.astype(np.float32)
        over = trace.add(task.accuracy(mean), mean)
    return trace.run(task.test_accuracy(trace.best))


def adam(
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    hidden: Sequence[int],
    *,
    seed: int,
    max_time: float,
    target: float,
) -> Run:
    """Run scikit-learn's `MLPClassifier` with its default Adam, epoch by epoch.

    Its network has biases. The inputs are divided by one number, their standard deviation. The
    test accuracy is the last epoch's, which is the best one where the target was reached. It has
    one BLAS thread: its batches of 200 are too small for two, which cost it up to tenfold where
    anything else runs.
    """
    from sklearn.neural_network import MLPClassifier

    scale = np.std(X_train)
    X = np.asarray(X_train / scale, dtype=np.float32)
    classes = np.unique(y_train)
    with threadpool_limits(limits=1, user_api="blas"):
        trace, over = _Trace(max_time, target), False
        network = MLPClassifier(tuple(hidden), random_state=seed)
        while not over:
            network.partial_fit(X, y_train, classes=classes)
            over = trace.add(np.mean(network.predict(X) == y_train), ())
    if not len(y_test):
        return trace.run(np.nan)
    X_test = np.asarray(X_test / scale, dtype=np.float32)
    return trace.run(np.mean(network.predict(X_test) == y_test))


RIVALS = {
    "pygad.gann": Rival("pygad.gann, documented recipe", pygad_gann, "pygad"),
    "pygad.GA": Rival("pygad.GA, default operators, vectorised fitness", pygad_ga, "pygad"),
    "evotorch-snes": Rival(
        "EvoTorch SNES",
        evotorch_snes,
        "evotorch",
        {"digits": {"popsize": 64, "stdev_init": 0.5, "batch_size": 512}},
    ),
    "evotorch-ga": Rival(
        "EvoTorch GeneticAlgorithm",
        evotorch_ga,
        "evotorch",
        {"digits": {"stdev": 0.2, "batch_size": 512}},
    ),
    "evosax-openes": Rival(
        "evosax Open_ES",
        evosax_openes,
        "evosax",
        {"digits": {"population_size": 64, "batch_size": 512}},
    ),
    "evosax-simplega": Rival(
        "evosax SimpleGA", evosax_simplega, "evosax", {"digits": {"std": 0.1, "batch_size": 512}}
    ),
    "deap": Rival(
        "DEAP, (mu + lambda), vectorised operators",
        deap,
        "deap",
        {"digits": {"mu": 16, "lambda_": 48, "batch_size": 256}},
    ),
    "cmaes-sep": Rival(
        "cmaes SepCMA",
        cmaes_sep,
        "cmaes",
        {"digits": {"population_size": 64, "batch_size": 512}},
    ),
    "adam": Rival("scikit-learn MLPClassifier (Adam)", adam, "sklearn"),
}
"""The tools by name."""
