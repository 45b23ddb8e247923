"""`evolve`: train a network with a genetic algorithm, step by step."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neural_network import MLPClassifier, MLPRegressor

from ga_ann.callbacks import Callback, EarlyStopping, as_callbacks
from ga_ann.chromosome import count_genes, flatten, reshape
from ga_ann.ctrl_c import is_one_of_many
from ga_ann.doors import as_model
from ga_ann.evolution.breeding import Breeder
from ga_ann.evolution.cluster import Cluster
from ga_ann.evolution.custom import check_parts
from ga_ann.evolution.data import TrainingData
from ga_ann.evolution.device import Device, DeviceEvaluator, find_device
from ga_ann.evolution.engine import NetworkGA, breeds_in_place, make_engine
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.evolution.machine import (
    Interruption,
    count_free_threads,
    find_blas,
    one_blas_thread,
)
from ga_ann.evolution.memory import check_device_memory, check_memory
from ga_ann.evolution.problem import Problem
from ga_ann.evolution.recipe import Recipe, find_recipe
from ga_ann.evolution.run import Limits, Run
from ga_ann.evolution.workers import connect
from ga_ann.history import History
from ga_ann.low_rank import LowRankPopulation
from ga_ann.network import Activations, describe_shapes, find_activations
from ga_ann.out_of_core import SamplesLike, hold
from ga_ann.progress import ProgressBar
from ga_ann.result import TrainingResult
from ga_ann.schedule import Schedule
from ga_ann.state import Beginning, State
from ga_ann.storage import (
    Fingerprints,
    Model,
    describe_difference,
    load_checkpoint,
    numeric_versions,
)
from ga_ann.validation import (
    check_feature_names,
    check_hidden_layer_sizes,
    check_number,
    feature_names_of,
)

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["EvolutionResult", "evolve"]

find_blas()  # now that NumPy's and SciPy's are loaded, and not in the first run


@dataclass(frozen=True, repr=False)
class EvolutionResult(TrainingResult):
    """What `evolve` returns: a `TrainingResult`, the state of the run, and its engine.

    Attributes
    ----------
    recipe : Recipe
        What shaped the search, with what the problem asked for wherever a field was None.
    state : State
        Where the run stood at the end.
    ga : pygad.GA or None
        The engine; its plots and its summary work. None after a pickle, which it cannot pass.
    """

    recipe: Recipe
    state: State
    ga: NetworkGA | None

    @property
    def population(self) -> NDArray[Any] | LowRankPopulation:
        """The final population, of shape (n_solutions, n_genes)."""
        return self.state.population

    @property
    def validation_score(self) -> float:
        """Fitness of `weights` on the validation data; NaN where there were none."""
        return self.state.best.validation_score

    def __getstate__(self) -> dict[str, Any]:
        """Leave the engine out, which holds functions that cannot be pickled."""
        return {**self.__dict__, "ga": None}


def evolve(
    X: SamplesLike,
    y: ArrayLike,
    *,
    hidden_layer_sizes: int | Iterable[int] = (150, 60),
    activation: Activations | None = None,
    bias: bool = False,
    weight_set: str | ArrayLike | None = None,
    task: str = "classification",
    classes: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    validation_data: tuple[Any, ...] | None = None,
    fitness: str | Callable[..., Any] | None = None,
    recipe: str | Recipe = "default",
    n_generations: int = 1000,
    target_fitness: float | None = 1.0,
    early_stopping: bool = False,
    n_iter_no_change: int | None = None,
    tol: float = 1e-4,
    max_time: float | None = None,
    max_evaluations: float | None = None,
    start: (
        ArrayLike
        | EvolutionResult
        | State
        | Model
        | MLPClassifier
        | MLPRegressor
        | str
        | os.PathLike[str]
        | None
    ) = None,
    callbacks: Iterable[Callback | Callable[..., Any]] = (),
    random_state: int | np.random.Generator | None = None,
    n_jobs: int | None = None,
    client: Client | str | None = None,
    device: str | None = None,
    device_dtype: str | None = None,
    verbose: bool = False,
) -> EvolutionResult:
    """Train a network with a genetic algorithm.

    The weight matrices of each solution are flattened into a chromosome; the fitness is a score of
    the network's answers on the training data; the best chromosome is reshaped into matrices.
    Ctrl-C and SIGTERM end the run after the generation that is running and keep the best solution
    so far; a second Ctrl-C ends it at once. In a search, a cross-validation, an ensemble or a pool
    of joblib, whatever its number of jobs, they are meant for all of that: `KeyboardInterrupt` is
    raised after the generation instead. That is so where a function of joblib, or of scikit-learn,
    has called `evolve`, directly or not; those of pipelines and `TransformedTargetRegressor`, which
    fit once, do not count.

    Parameters
    ----------
    X : array-like, sparse matrix or path, of shape (n_samples, n_features)
        The samples; finite numbers. A path, a `numpy.memmap` or a Zarr array is read as
        `open_samples` says, or what that returned. Up to 64 MiB of it are held; larger samples stay
        on disk: batches are read as they are drawn, and measurements on all samples in chunks.
        Labels and outputs of all samples are held. The run is that of the array in memory to the
        bit, as long as a batch takes up to 64 MiB, and the widest layer has at least an eighth as
        many neurons as there are features; else it may have other last bits. Sparse ones of up to
        16 MiB as a dense array become one, and the run is that of the dense samples to the bit.
        Larger ones stay sparse; sums leave out the zeros, so that the run has other last bits, and
        another checkpoint, than a dense one.
    y : array-like of shape (n_samples,)
        Their classes: labels of any kind, at least two different ones. Or, for a regression,
        numbers, in one column or several.
    hidden_layer_sizes : int or iterable of int, default=(150, 60)
        Sizes of the hidden layers; empty for a linear classifier.
    activation : str or callable, or a tuple of them, optional
        Activation of the hidden layers, or of each of them, see `forward`; None is the recipe's.
    bias : bool, default=False
        Whether the layers have biases. The tutorial's have none.
    weight_set : str or array-like of float, optional
        The values that weights and biases may have: ``"binary"`` (-1, 1), ``"ternary"`` (-1, 0,
        1), ``"int8"`` (-127 to 127), or any numbers, at least two. Evolution stays inside the set,
        with the operators that a `Recipe` has for that. The outputs are as large as the set makes
        them; selection ranks by the outputs over their initial standard deviation.
    task : {"classification", "regression"}, default="classification"
        What `y` holds: labels, or numbers.
    classes : array-like, optional
        All labels, where `y` may lack some; None for those in `y`.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the samples in the scores, at least 0 and not all 0.
    validation_data : tuple (X, y) or (X, y, sample_weight), optional
        Held-out data that the best solution is scored on. It influences the run with
        `early_stopping` alone.
    fitness : str or callable, optional
        The score to maximise: a name in `FITNESS` (in `REGRESSION_FITNESS` for a regression), a
        score made by `fbeta`, `neg_cost` or `neg_mean_pinball_loss`, the name of a scikit-learn
        scorer, a scorer, or a function ``f(y_true, y_pred)``. The latter three take one solution
        at a time; where selection ranks by another score, they are called in every tenth
        generation only. None is ``"accuracy"``, or ``"r2"`` for a regression.
    recipe : {"default", "classic", "tutorial"} or Recipe, default="default"
        What shapes the search: population, selection, crossover, mutation, batches, ranking, ...;
        see `Recipe` and `RECIPES`, and `ga_ann.parts` for parts of your own.
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
        The run ends before it would evaluate more networks than this, at least the recipe's
        `population_size`.
    start : array-like, Model, MLPClassifier, MLPRegressor, EvolutionResult, path-like or State, \
    optional
        Where to begin, instead of drawing a population:

        an array of shape (population_size, n_genes)
            These chromosomes; for low-rank mutation their mean, whatever their number.
        a `Model`, or a fitted `MLPClassifier` or `MLPRegressor` of scikit-learn
            This network, of the same structure, which the first generation is and the next ones
            are mutations of. Its activation is taken where `activation` is None.
        what `evolve` returned, for a network of the same structure
            Its population, schedule, generator and a copy of its History; nothing of it changes,
            and `random_state` does not count. A low-rank run begins around the mean of a low-rank
            population of another size, rank or precision, and around the best network of a dense
            one; its mutations have the scale of the data at hand.
        a checkpoint, by its path or as `load_checkpoint` returned it
            The run that wrote it, see `Checkpoint`: with the same data and settings, it becomes
            bit for bit the one that was never interrupted, and other data or settings are refused.
            `n_generations`, `max_time`, `max_evaluations` and `target_fitness` may be others, and
            count what was done before; with a target where there was none, or none where there was
            one, the weight decay by the problem is another setting. `random_state` is the
            checkpoint's: give none, or the same.
    callbacks : iterable of Callback or callable, default=()
        What to do after each generation, see `ga_ann.callbacks`.
    random_state : int, numpy.random.Generator or None, default=None
        The one source of randomness; the same seed gives the same result on the same machine.
    n_jobs : int, optional
        Number of threads; None for one a core, or for a share of them: ``OMP_NUM_THREADS`` where it
        is set, as it is in the processes of joblib's, Dask's and Ray's pools, and one in a pool of
        threads. The result does not depend on it.
    client : distributed.Client or str, optional
        A Dask cluster, or the address of its scheduler, whose workers measure the generations. The
        samples go to each of them once; then a generation is a few kilobytes. The result is the
        same to the bit for any number of workers, for none, and after losses, where all have the
        same versions of the packages and kind of processor. A worker that is lost has its part
        measured elsewhere, and workers may join; where the scheduler or every worker is gone for a
        minute, the run ends with the generation, its best solution and its checkpoint, and its
        `stop_reason` is ``"cluster"``. Callbacks must not write to the population: workers have
        copies of it. Workers run what clients send them: let nobody reach the
        scheduler who may not run programs on its machines. It takes ``ga-ann[cluster]``.
    device : str, optional
        Where generations are measured: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ... by PyTorch, which
        ``pip install 'ga-ann[gpu]'`` brings; None for NumPy. The samples, which must be dense, are
        copied there once; a low-rank generation travels as its mean and its places. The fitness
        of each solution is NumPy's up to rounding: that of an accuracy may differ by a sample whose
        two largest outputs are as good as equal, and from there the run may take another way. The
        same seed gives the same result on the same device. Each new best solution is measured again
        with NumPy, and it is that which the History and the result report. Scikit-learn's metrics,
        functions and custom activations run on NumPy copies: right, but slower. A checkpoint may
        go on on another device, with a warning.
    device_dtype : {None, "bfloat16"}, optional
        Precision of the networks on the device; None for the recipe's `dtype`. With
        ``"bfloat16"``, products and layers are rounded to 3 digits, and what selection ranks by is
        as coarse. Whether float32 is multiplied as TF32 is PyTorch's own setting, off by default,
        which is left as it is.
    verbose : bool, default=False
        Whether to show how the run stands, see `ProgressBar`.

    Returns
    -------
    EvolutionResult

    Raises
    ------
    ValueError
        If the data cannot be learned from (empty, one class, NaN, lengths that differ), a name is
        unknown, a number is out of its range, `start` does not fit, or a custom part breaks the
        rules of `ga_ann.parts`.
    TypeError
        If a parameter is of the wrong type.
    OSError
        If `X` is a path, and cannot be read; see `open_samples`.
    MemoryError
        If the run needs more memory than there is; before it begins.
    ConnectionError
        If no scheduler answers at the address, or the cluster has no worker, or one that cannot
        take part; before the run begins. Later, if a worker answers what cannot be.
    ImportError
        If what `client` or `device` needs is not installed.

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

    The best of several restarts, at a time, each with its share of the threads; a
    `joblib.parallel_config` around it says where they run:

    >>> from joblib import Parallel, delayed
    >>> restarts = (delayed(evolve)(X, y, n_generations=20, random_state=seed) for seed in range(4))
    >>> best = max(Parallel(n_jobs=-1)(restarts), key=lambda result: result.best_fitness)
    """
    X = hold(X)
    data = TrainingData.check(X, y, task=task, classes=classes, sample_weight=sample_weight)
    if isinstance(start, MLPClassifier | MLPRegressor):
        start = as_model(start)
    if isinstance(start, EvolutionResult | Model):
        check_feature_names(X, start.feature_names)
    if isinstance(start, Model) and activation is None:
        activation = start.activation
    held_out = None
    if validation_data is not None:
        if isinstance(validation_data, tuple | list) and validation_data:
            validation_data = (hold(validation_data[0]), *validation_data[1:])
        held_out = data.check_held_out(validation_data)
        check_feature_names(validation_data[0], feature_names_of(X), "X of validation_data")
    limits = Limits(
        n_generations=n_generations,
        target_fitness=target_fitness,
        early_stopping=early_stopping,
        n_iter_no_change=n_iter_no_change,
        tol=tol,
        max_time=max_time,
        max_evaluations=max_evaluations,
    )
    chosen = find_recipe(recipe)
    chosen = chosen if activation is None else replace(chosen, activation=activation)
    # Now, since a call of the user's functions may change what they hold.
    functions: dict[str, object] = {"fitness function": fitness, **chosen.functions()}
    fingerprints = _fingerprints(data, held_out, functions)
    problem = Problem(
        data,
        chosen,
        hidden_layer_sizes=check_hidden_layer_sizes(hidden_layer_sizes),
        bias=bias,
        weight_set=weight_set,
        fitness=fitness,
        ends_at_target=target_fitness is not None,
    )
    _check_limits(limits, problem, held_out)
    hooks = as_callbacks(callbacks)
    if client is not None and device is not None:
        raise ValueError(
            f"a cluster's workers measure with NumPy: give client or device={device!r}, not both."
        )
    place = _find_device(device, device_dtype, problem)
    n_threads = _count_threads(n_jobs)
    check_memory(problem, n_jobs=n_threads, in_place=breeds_in_place(problem))
    check_parts(problem)

    settings = problem.settings | asdict(limits)
    versions = numeric_versions() | ({} if place is None else dict(place.versions))
    state = _begin(start, problem, settings, fingerprints, random_state, versions)

    hooks += _own_callbacks(limits, verbose)
    with connect(client) as connected:
        state, ga, stop_reason = _run(
            state, problem, limits, held_out, hooks, start, n_threads, connected, place
        )
    return EvolutionResult(
        weights=reshape(state.best.solution, problem.shapes),
        history=state.history,
        best_fitness=state.best.fitness,
        classes=data.classes,
        activation=problem.recipe.activation,
        output_activation=problem.recipe.output_activation,
        stop_reason=stop_reason,
        recipe=problem.recipe,
        # Without what holds on to the data, and what the engine draws from when it is asked again.
        state=replace(state, fingerprints={}, rng=deepcopy(state.rng)),
        ga=ga,
        feature_names=feature_names_of(X),
    )


def _check_limits(limits: Limits, problem: Problem, held_out: TrainingData | None) -> None:
    if limits.early_stopping and held_out is None:
        raise ValueError("early_stopping needs validation_data, got None.")
    if limits.max_evaluations is not None:
        size = problem.population_size
        what = f"max_evaluations (with population_size={size})"
        check_number(limits.max_evaluations, what, low=size)


def _count_threads(n_jobs: int | None) -> int:
    if n_jobs is None:
        return count_free_threads()
    check_number(n_jobs, "n_jobs", Integral, low=1)
    return int(n_jobs)


def _find_device(name: object, dtype: object, problem: Problem) -> Device | None:
    """Return the device that is asked for, if there is one and the problem fits on it."""
    if name is None:
        if dtype is not None:
            raise ValueError(f"device_dtype={dtype!r} goes with a device; None is NumPy.")
        return None
    found = find_device(name, dtype)
    if not isinstance(problem.data.X, np.ndarray):
        raise ValueError(
            f"device={found.name!r} takes samples that are dense and in memory, got "
            f"{type(problem.data.X).__name__}; give a dense array, or leave device out."
        )
    check_device_memory(problem, found)
    return found


def _own_callbacks(limits: Limits, verbose: bool) -> list[Callback]:
    """Return the callbacks that the parameters ask for."""
    hooks: list[Callback] = []
    if limits.n_iter_no_change is not None:
        column = "validation_score" if limits.early_stopping else "ranking"
        hooks.append(EarlyStopping(limits.n_iter_no_change, tol=limits.tol, column=column))
    if verbose:
        hooks.append(
            ProgressBar(
                limits.n_generations,
                max_time=limits.max_time,
                max_evaluations=limits.max_evaluations,
            )
        )
    return hooks


def _fingerprints(
    data: TrainingData, held_out: TrainingData | None, functions: Mapping[str, object]
) -> Fingerprints:
    """Return what tells the data, and the functions that judge by them, from others."""
    named: dict[str, Any] = {
        "X": data.X,
        "y": data.targets,
        "set of classes": data.classes,
        "sample_weight": data.sample_weight,
        "X of the validation data": getattr(held_out, "X", None),
        "y of the validation data": getattr(held_out, "targets", None),
        "sample_weight of the validation data": getattr(held_out, "sample_weight", None),
    }
    return Fingerprints(named, {name: f for name, f in functions.items() if callable(f)})


# ---------------------------------------------------------------- where a run begins


def _begin(
    start: Any,
    problem: Problem,
    settings: Mapping[str, Any],
    fingerprints: Fingerprints,
    random_state: int | np.random.Generator | None,
    versions: dict[str, str],
) -> State:
    """Return the state that the run begins with."""
    if isinstance(start, State | str | os.PathLike):
        held = start.copy() if isinstance(start, State) else load_checkpoint(start)
        state = _resume(held, problem, settings, fingerprints, random_state, versions)
    elif isinstance(start, EvolutionResult):
        same_length = count_genes(start.state.shapes) == problem.n_genes
        if same_length and start.state.shapes != problem.shapes:
            raise ValueError(
                f"start must have parameters of {problem.shapes}, got {start.state.shapes}."
            )
        state = start.state.continued(
            start.population, n_samples=problem.data.n_samples, settings=settings
        )
        _check_decay(problem.recipe, state.schedule)
        _inherit(start, problem, state)
    elif isinstance(start, Model):
        state = _begin_at(start, problem, settings, random_state)
    elif start is None or isinstance(start, Sequence) or hasattr(start, "__array__"):
        state = _draw(start, problem, settings, random_state)
    else:
        raise TypeError(
            "start must be chromosomes, what evolve returned, or a Model, a fitted MLPClassifier "
            f"or MLPRegressor, a checkpoint or its path, got {start!r}."
        )
    state.fingerprints, state.versions = fingerprints, versions
    return state


def _check_decay(recipe: Recipe, schedule: Schedule) -> None:
    """Refuse a weight decay that would turn weights round at the sigma that a run goes on with."""
    decay: Any = recipe.weight_decay
    if decay * schedule.sigma > 1:
        raise ValueError(
            f"weight_decay must be at most 1/sigma, got {decay}: start goes on with sigma="
            f"{schedule.sigma}."
        )


def _inherit(start: EvolutionResult, problem: Problem, state: State) -> None:
    """Give a new run's state the population that another left, in the way of the new one."""
    before, recipe = start.population, problem.recipe
    if recipe.mutation != "low_rank":
        state.population = problem.check_population(before)
        if recipe.crossover == "mean" and recipe.recombination == "centred":
            mean = before.mean if isinstance(before, LowRankPopulation) else start.state.mean
            state.mean = None if mean is None else mean.astype(recipe.dtype)
        return
    old_mean = before.mean if isinstance(before, LowRankPopulation) else flatten(start.weights)
    mean = problem.check_population(old_mean[None])[0]
    if isinstance(before, LowRankPopulation) and _are_alike(before, recipe):
        state.noise_seed = start.state.noise_seed  # the places are those of its table
        noise = problem.low_rank_noise(state.noise_seed)
        state.population = LowRankPopulation(mean, before.places.copy(), before.sigma, noise)
    else:
        noise = problem.low_rank_noise(state.noise_seed)
        size, sigma = problem.population_size, state.schedule.sigma
        state.population = noise.draw_around(state.rng, mean, size, sigma)


def _are_alike(population: LowRankPopulation, recipe: Recipe) -> bool:
    """Tell whether the places of a population are what those of a recipe would be."""
    held = (len(population), population.noise.rank, population.dtype)
    return held == (recipe.population_size, recipe.rank, np.dtype(recipe.dtype))


def _begin_at(
    network: Model,
    problem: Problem,
    settings: Mapping[str, Any],
    random_state: int | np.random.Generator | None,
) -> State:
    """Return the beginning of a new run whose first generation is nothing but a network."""
    _check_network(network, problem)
    one = flatten(network.weights)[None]
    low_rank = problem.recipe.mutation == "low_rank"
    rows = one if low_rank else np.repeat(one, problem.population_size, axis=0)
    state = _draw(rows, problem, settings, random_state)
    held = state.population
    if isinstance(held, LowRankPopulation):  # so weak that none of them differs
        state.population = LowRankPopulation(held.mean, held.places, 0.0, held.noise)
    return state


def _check_network(network: Model, problem: Problem) -> None:
    """Refuse a network to start from that would predict otherwise in the run."""
    for name in ("extraction", "preprocessing", "columns"):
        if getattr(network, name) is not None:
            raise ValueError(f"start must be a network of the samples as they are, it has {name}.")
    shapes = [W.shape for W in network.weights]
    if shapes != problem.shapes:
        raise ValueError(
            f"start must be a network {describe_shapes(problem.shapes)}, as hidden_layer_sizes, "
            f"bias and the data say, got {describe_shapes(shapes)}."
        )
    ours, theirs = problem.data.classes, network.classes
    if _listed(ours) != _listed(theirs):
        raise ValueError(f"start must be a network for the classes {ours}, got {theirs}.")
    recipe, n_layers = problem.recipe, len(problem.hidden_layer_sizes) + 1
    wanted: Any = (recipe.activation, recipe.output_activation)
    given: Any = (network.activation, network.output_activation)
    *hidden, output = find_activations(wanted[0], wanted[1], n_layers)
    *hidden_given, output_given = find_activations(given[0], given[1], n_layers)
    # The largest score is that of the largest probability, and scores are made probabilities.
    alike = ours is not None and {wanted[1], given[1]} <= {"identity", "softmax"}
    if hidden != hidden_given or not (alike or output == output_given):
        raise ValueError(
            f"start must be a network with the activations {wanted}, of the hidden layers and of "
            f"the outputs, got {given}."
        )


def _listed(classes: NDArray[Any] | None) -> list[Any] | None:
    return None if classes is None else classes.tolist()


def _draw(
    chromosomes: ArrayLike | None,
    problem: Problem,
    settings: Mapping[str, Any],
    random_state: int | np.random.Generator | None,
) -> State:
    """Return the beginning of a new run, from chromosomes that were given or are drawn."""
    recipe, n_samples = problem.recipe, problem.data.n_samples
    rng = np.random.default_rng(random_state)
    low_rank = recipe.mutation == "low_rank"
    population: Any
    if chromosomes is None:
        population = problem.draw_mean(rng)[None] if low_rank else problem.draw_population(rng)
    else:
        population = problem.check_population(chromosomes)
    noise_seed, engine_seed = (int(seed) for seed in rng.integers(2**32, size=2))
    sigma: Any = recipe.sigma
    if low_rank:
        noise = problem.low_rank_noise(noise_seed)
        with np.errstate(over="ignore", invalid="ignore"):  # weights that overflow rank worst
            mean = population.mean(axis=0)
        population = noise.draw_around(rng, mean, problem.population_size, sigma)
    return State(
        population=population,
        shapes=problem.shapes,
        history=History(label="GA", metric=problem.metric, settings=settings),
        schedule=Schedule(
            sigma=sigma,
            batch_size=recipe.first_batch_size(n_samples),
            n_samples=n_samples,
            decay=recipe.sigma_decay,
        ),
        rng=rng,
        noise_seed=noise_seed,
        engine_seed=engine_seed,
        random_state=int(random_state) if isinstance(random_state, Integral) else None,
        beginning=Beginning(),
    )


def _resume(
    held: State,
    problem: Problem,
    settings: Mapping[str, Any],
    fingerprints: Fingerprints,
    random_state: int | np.random.Generator | None,
    versions: dict[str, str],
) -> State:
    """Return the state of a checkpoint, if it is that of the same run."""
    recipe, n_samples = problem.recipe, problem.data.n_samples
    if not held.fingerprints:
        raise ValueError("start is the state of what evolve returned; give that itself.")
    difference = describe_difference(held, settings, fingerprints)
    seed = held.random_state
    if isinstance(random_state, Integral) and seed not in (None, int(random_state)):
        difference += f"{', ' * bool(difference)}random_state={random_state} where it was {seed}"
    if difference:
        raise ValueError(
            f"the checkpoint is one of another run: {difference}. Give each run a file of its own."
        )
    # Not `check_population`: weights that have become infinite are those of this run.
    shape = (problem.population_size, problem.n_genes)
    parts = (held.population, held.fitness, held.ranking, held.best.solution)
    fits = [part.shape for part in parts] == [shape, shape[:1], shape[:1], shape[1:]]
    fits = fits and held.shapes == problem.shapes and held.population.dtype == recipe.dtype
    is_low_rank = isinstance(held.population, LowRankPopulation)
    fits = fits and is_low_rank == (recipe.mutation == "low_rank")
    if not fits or not 0 <= held.beginning.n_rows <= len(held.history):
        raise ValueError("the checkpoint's state cannot be used: it is not one of such a run.")
    if held.schedule.n_samples != n_samples:
        raise ValueError(
            f"the checkpoint's schedule is one for {held.schedule.n_samples} samples, not "
            f"{n_samples}."
        )
    if held.versions != versions:
        warnings.warn(
            f"The checkpoint was written with {dict(held.versions)}, and this is "
            f"{versions}: the run goes on, but its bits may be others than those "
            "of one never interrupted.",
            RuntimeWarning,
            stacklevel=4,
        )
    held.history.settings = dict(settings)
    return held


# ---------------------------------------------------------------- the run


def _run(
    state: State,
    problem: Problem,
    limits: Limits,
    held_out: TrainingData | None,
    callbacks: list[Callback],
    start: Any,
    n_threads: int,
    client: Client | None,
    device: Device | None,
) -> tuple[State, NetworkGA, str]:
    """Do the run, with what it needs of the machine; return its end, its engine and the reason."""
    with ExitStack() as stack:
        verdicts = []
        for callback in callbacks:
            stack.callback(callback.close)
            if state.beginning.n_rows:
                callback.on_continue(state.history.copy())
            verdicts.append(callback.on_start(state.own_history))
        # Before the limit on BLAS: Ctrl-C in between would leave it for the whole process.
        interruption = stack.enter_context(Interruption(passes_on=is_one_of_many()))
        stack.enter_context(one_blas_thread())
        evaluators = [
            stack.enter_context(_evaluator(problem, part, n_threads))
            for part in (problem.data, held_out)
            if part is not None
        ]
        breeder = Breeder.of(problem, state)
        cluster = None
        if client is not None:
            cluster = stack.enter_context(
                Cluster(client, evaluators[0], breeder, lambda: interruption.requested)
            )
        on_device = None
        if device is not None:
            options = _options(problem, problem.data, n_threads)
            on_device = stack.enter_context(DeviceEvaluator(**options, device=device))
        run = Run(
            state,
            problem,
            limits,
            *evaluators,
            breeder=breeder,
            cluster=cluster,
            callbacks=callbacks,
            on_device=on_device,
            is_interrupted=lambda: interruption.requested,
        )
        if isinstance(start, EvolutionResult):
            run.consider(flatten(start.weights).astype(problem.recipe.dtype))
        ga = make_engine(run)
        try:
            if _may_go_on(run, ga, next(filter(None, verdicts), None)):
                ga.run()
            return run.conclude(), ga, run.stop_reason
        except KeyboardInterrupt:
            # In the middle of a generation: there is no state that a checkpoint could hold.
            if not len(run.state.history) or interruption.passes_on:
                raise
            return run.state, ga, "interrupted"


def _evaluator(problem: Problem, part: TrainingData, n_threads: int) -> Evaluator:
    """Return what measures networks on the training data, or on held-out data."""
    return Evaluator(**_options(problem, part, n_threads))


def _options(problem: Problem, part: TrainingData, n_threads: int) -> dict[str, Any]:
    return {
        "X": part.X,
        "y": part.targets,
        "shapes": problem.shapes,
        "activation": problem.recipe.activation,
        "output_activation": problem.recipe.output_activation,
        "fitness": problem.fitness,
        "ranking": problem.ranking if part is problem.data else None,
        "sample_weight": part.sample_weight,
        "dtype": problem.recipe.dtype,
        "n_jobs": n_threads,
    }


def _may_go_on(run: Run, ga: NetworkGA, verdict: str | None) -> bool:
    """Note the initial population, if it is new, and tell whether there is more to do.

    `verdict` is why a callback would not let the run go on.
    """
    if not len(run.state.history):
        return ga.note() is None
    if reason := run.limit_reached() or verdict:
        run.stop_reason = reason
    return not reason
