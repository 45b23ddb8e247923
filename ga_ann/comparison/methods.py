"""The methods that a comparison trains: random weights, simple baselines, GAs, Adam."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from ga_ann.baseline import train_naive
from ga_ann.callbacks import WeightMovement
from ga_ann.chromosome import reshape
from ga_ann.evolution import Recipe, evolve
from ga_ann.fitness import PopulationScore
from ga_ann.history import History
from ga_ann.network import lookup
from ga_ann.result import TrainingResult

__all__ = [
    "GA_GENERATIONS",
    "GA_PATIENCE",
    "METHODS",
    "METHODS_OF",
    "REGRESSION_METHODS",
    "Job",
    "Method",
    "Trained",
    "ga_method",
    "resolve_methods",
]

ZERO_PROBABILITY = float(np.finfo(np.float64).eps)
"""What stands for a probability of 0 in logarithms, as in scikit-learn's log loss."""

GA_SECONDS = 10.0
GA_GENERATIONS = 5000
"""Generations at most, as many as the estimators'."""

GA_PATIENCE = 300
"""Generations without a better ranking after which a run ends, the estimators' as well."""

Array = NDArray[Any]
Indices = NDArray[np.intp]


class Job(NamedTuple):
    """What a method is asked to do.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The training part.
    y : ndarray of shape (n_samples,)
        Its classes, integers from 0 to ``n_classes - 1``, of which one may be missing; or the
        targets of a regression, floats.
    n_classes : int or None
        Number of classes in the whole data; None for a regression.
    hidden_layer_sizes : tuple of int
        Sizes of the hidden layers.
    max_time : float or None
        Seconds that training may take; None where the method ends by itself.
    random_state : int
        Seed.
    fitness : PopulationScore
        What all methods are measured by; a method that can should maximise it.
    bias : bool
        Whether evolved networks have biases.
    track_weights : bool
        Whether a method that can should note how its weights move, see `WeightMovement`.
    """

    X: Array
    y: Array
    n_classes: int | None
    hidden_layer_sizes: tuple[int, ...]
    max_time: float | None
    random_state: int
    fitness: PopulationScore
    bias: bool = False
    track_weights: bool = False

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return "regression" if self.n_classes is None else "classification"


class Trained(NamedTuple):
    """What a method returns: what predicts, and what it took to get it.

    Attributes
    ----------
    predict : callable
        ``predict(X)`` -> classes, or numbers in a regression, of shape (n_samples,).
    predict_scores : callable
        ``predict_scores(X) -> outputs`` of shape (n_samples, n_classes): finite, and logarithms of
        probabilities but for a constant a sample, where the method has such. In a regression, the
        predictions, of shape (n_samples, 1).
    history : History
        What was measured on the way; its last row tells the evaluations.
    stop_reason : str
        Why training ended; ``"interrupted"`` after Ctrl-C.
    """

    predict: Callable[[ArrayLike], Array]
    predict_scores: Callable[[ArrayLike], Array]
    history: History
    stop_reason: str


class Method(NamedTuple):
    """One of the methods that are compared.

    Attributes
    ----------
    label : str
        Its name in tables and legends.
    train : callable
        ``train(job) -> Trained``.
    max_time : float or None
        Its budget for one run in seconds; None where it ends by itself.
    """

    label: str
    train: Callable[[Job], Trained]
    max_time: float | None = None


def _train_naive(job: Job, **options: Any) -> Trained:
    result = train_naive(
        job.X,
        job.y,
        hidden_layer_sizes=job.hidden_layer_sizes,
        random_state=job.random_state,
        **options,
    )
    return _as_trained(result, job)


def _draw_network(job: Job) -> Trained:
    """Return the network whose mutations are the first generation of a GA."""
    started = perf_counter()
    drawn = evolve(
        job.X,
        job.y,
        task=job.task,
        hidden_layer_sizes=job.hidden_layer_sizes,
        bias=job.bias,
        recipe=Recipe(mutation="low_rank"),
        n_generations=0,
        random_state=job.random_state,
    )
    shapes = [part.shape for part in drawn.weights]
    one = replace(drawn, weights=reshape(drawn.population.mean, shapes))  # type: ignore[arg-type]
    history = _one_row(
        job,
        n_evaluations=1,
        seconds=perf_counter() - started,
        score=r2_score(job.y, one.predict(job.X)),
        settings={"hidden_layer_sizes": list(job.hidden_layer_sizes)},
    )
    return _as_trained(replace(one, history=history), job)


def _predict_mean(job: Job) -> Trained:
    started = perf_counter()
    model = DummyRegressor().fit(job.X, job.y)
    history = _one_row(
        job,
        n_evaluations=1,
        seconds=perf_counter() - started,
        score=model.score(job.X, job.y),
        settings={"strategy": "mean"},
    )
    return _as_regression(model.predict, history, "fitted")


def _one_row(
    job: Job, *, n_evaluations: int, seconds: float, score: float, settings: dict[str, Any]
) -> History:
    """Return the History of what is measured but at its end, by the accuracy or R2."""
    metric = "r2" if job.task == "regression" else "accuracy"
    history = History(metric=metric, settings=settings)
    history.append(
        generation=n_evaluations,
        evaluations=n_evaluations,
        seconds=seconds,
        best_fitness=float(score),
        n_samples=len(job.X),
    )
    return history


def _as_regression(
    predict: Callable[[ArrayLike], Array], history: History, stop_reason: str
) -> Trained:
    return Trained(
        predict, lambda samples: np.reshape(predict(samples), (-1, 1)), history, stop_reason
    )


def ga_method(
    recipe: str | Recipe,
    label: str,
    max_time: float = GA_SECONDS,
    *,
    patience: int | None = GA_PATIENCE,
) -> Method:
    """Return the method that evolves the weights with a recipe; it maximises the fitness.

    Parameters
    ----------
    recipe : str or Recipe
        A name in `RECIPES`, or what shapes the search.
    label : str
        The method's name in tables and legends.
    max_time : float, default=10.0
        Its budget for one run in seconds.
    patience : int or None, default=300
        The run ends when what selection ranks by has not grown for so many generations: a network
        without an error on the training data goes on improving on other data. With None it ends
        at a fitness of 1.

    Returns
    -------
    Method

    Examples
    --------
    >>> ga_method("tutorial", "as in the article", patience=None).max_time
    10.0
    """
    end: dict[str, Any] = {}
    if patience is not None:
        end = {
            "target_fitness": None,
            "n_iter_no_change": patience,
            "n_generations": GA_GENERATIONS,
        }

    def train(job: Job) -> Trained:
        result = evolve(
            job.X,
            job.y,
            task=job.task,
            classes=None if job.n_classes is None else np.arange(job.n_classes),
            hidden_layer_sizes=job.hidden_layer_sizes,
            bias=job.bias,
            fitness=job.fitness,
            recipe=recipe,
            max_time=job.max_time,
            callbacks=[WeightMovement()] if job.track_weights else [],
            random_state=job.random_state,
            **end,
        )
        return _as_trained(result, job)

    return Method(label, train, max_time)


def _as_trained(result: TrainingResult, job: Job) -> Trained:
    if job.n_classes is None:
        return _as_regression(result.predict, result.history, result.stop_reason)
    n_classes, classes = job.n_classes, np.asarray(result.classes)
    return Trained(
        result.predict,
        lambda samples: _widen(result.predict_scores(samples), classes, n_classes),
        result.history,
        result.stop_reason,
    )


def _widen(outputs: Array, classes: Indices, n_classes: int) -> Array:
    """Give a column to the classes that the training part lacked, which are never predicted."""
    least = outputs.min(axis=1, keepdims=True) + np.log(ZERO_PROBABILITY)
    wide = np.repeat(least, n_classes, axis=1)
    wide[:, classes] = outputs
    return wide


def _train_adam(job: Job) -> Trained:
    # Raw counts of pixels make Adam stumble; one common factor leaves their proportions alone.
    scale = job.X.std() or 1.0
    model = _make_adam(job)
    started = perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # scikit-learn turns Ctrl-C into a warning and returns the network as it is.
        warnings.filterwarnings("error", message="Training interrupted")
        try:
            model.fit(job.X / scale, job.y)
        except UserWarning as error:
            if not str(error).startswith("Training interrupted"):  # who makes errors of warnings
                raise
            raise KeyboardInterrupt from error
    network = getattr(model, "regressor_", model)
    history = _one_row(
        job,
        n_evaluations=network.n_iter_,
        seconds=perf_counter() - started,
        score=model.score(job.X / scale, job.y),
        settings={"hidden_layer_sizes": list(job.hidden_layer_sizes), "solver": "adam"},
    )
    stop_reason = "max_iter" if network.n_iter_ == network.max_iter else "converged"

    def predict(samples: ArrayLike) -> Array:
        predicted: Array = model.predict(np.divide(samples, scale))
        return predicted

    if job.n_classes is None:
        return _as_regression(predict, history, stop_reason)
    n_classes = job.n_classes

    def predict_scores(samples: ArrayLike) -> Array:
        probabilities = model.predict_proba(np.divide(samples, scale))
        logs = np.log(np.maximum(probabilities, ZERO_PROBABILITY))
        return _widen(logs, model.classes_, n_classes)

    return Trained(predict, predict_scores, history, stop_reason)


def _make_adam(job: Job) -> Any:
    if job.task == "classification":
        return MLPClassifier(job.hidden_layer_sizes, random_state=job.random_state)
    network = MLPRegressor(hidden_layer_sizes=job.hidden_layer_sizes, random_state=job.random_state)
    # The networks that are evolved know the targets' scale as well.
    return TransformedTargetRegressor(network, transformer=StandardScaler())


METHODS: dict[str, Method] = {
    # No iteration of the naive training: exactly the weights that it would start from.
    "random": Method("random weights", partial(_train_naive, n_iterations=0)),
    "naive": Method("naive training", _train_naive),
    "tutorial-ga": ga_method("tutorial", "tutorial's GA", 0.6, patience=None),
    "classic": ga_method("classic", "classic GA", 0.6, patience=None),
    "ga": ga_method("default", "default GA"),
    "adam": Method("Adam", _train_adam),
}
"""The methods by name:

``"random"``
    The weights that the naive training starts from.
``"naive"``
    `train_naive`, as in the tutorial.
``"tutorial-ga"``
    `ga_method` with the recipe ``"tutorial"``, for as long as the budget allows.
``"classic"``
    `ga_method` with the recipe ``"classic"``, until its fitness is 1 or as long as the budget
    allows.
``"ga"``
    `ga_method` with the recipe ``"default"``, until its log loss on the training data stops falling
    or as long as the budget allows.
``"adam"``
    scikit-learn's `MLPClassifier` with its defaults (gradient descent by Adam, biases), on samples
    divided by their standard deviation over the whole training part, one number. Its
    evaluations are its epochs, each of which costs a backward pass as well.
"""

REGRESSION_METHODS: dict[str, Method] = {
    "random": Method("random weights", _draw_network),
    "mean": Method("mean target", _predict_mean),
    **{name: METHODS[name] for name in ("classic", "ga", "adam")},
}
"""Those of a regression:

``"random"``
    The network whose mutations are the default GA's first generation. It answers near the mean
    target if there are biases.
``"mean"``
    The mean target for every sample: what an R2 of 0 stands for.
``"classic"``, ``"ga"``
    As in `METHODS`; selection ranks by the fitness and by R2.
``"adam"``
    scikit-learn's `MLPRegressor` in the place of its `MLPClassifier`, on standardised targets.

The naive training tells right from wrong, and the tutorial's networks answer between 0 and 1.
"""

METHODS_OF = {"classification": METHODS, "regression": REGRESSION_METHODS}
"""The methods that are compared by default, by the task."""


def resolve_methods(
    methods: Iterable[str] | Mapping[str, str | Recipe | Method] | None,
    task: str = "classification",
) -> dict[str, Method]:
    """Return methods by what they are called in the rows of a comparison.

    Parameters
    ----------
    methods : iterable of str, or mapping of str to str, Recipe or Method, optional
        Names in `METHODS` (`REGRESSION_METHODS` for a regression), or a mapping from a label to
        such a name, to a `Recipe` for `ga_method`, or to a `Method`; by default all of them.
    task : {"classification", "regression"}, default="classification"
        What they are to learn.

    Returns
    -------
    dict of str to Method

    Raises
    ------
    ValueError
        If a name is unknown, is that of a method for the other task, comes twice, is not printable,
        or there is none.
    TypeError
        If `methods` is a string, or holds something else.

    Examples
    --------
    >>> list(resolve_methods(["ga", "adam"]))
    ['ga', 'adam']
    >>> resolve_methods({"ga": "ga", "careful": Recipe(sigma=0.1)})["careful"].max_time
    10.0
    """
    table = METHODS_OF[task]
    if methods is None:
        return dict(table)
    if isinstance(methods, Mapping):
        given = list(methods.items())
    elif isinstance(methods, str):
        raise TypeError(f"methods must be a list of names, got the string {methods!r}.")
    else:
        given = [(name, name) for name in methods]
    resolved = [(label, _resolve(label, method, task)) for label, method in given]
    if not given or len({method.label for _, method in resolved}) < len(given):
        names = [label for label, _ in given]
        raise ValueError(
            f"methods must name at least one of {list(table)}, each once; got {names}."
        )
    return dict(resolved)


def _resolve(label: object, method: object, task: str) -> Method:
    if not isinstance(label, str) or not label:
        raise TypeError(f"methods must be known by their labels, strings; got {label!r}.")
    if not label.isprintable():  # it ends up on terminals and in pictures
        raise ValueError(f"methods must be known by printable labels, got {label!r}.")
    if isinstance(method, Method):
        return method._replace(label=label)
    if isinstance(method, Recipe):
        return ga_method(method, label)
    table = METHODS_OF[task]
    if isinstance(method, str) and method not in table and method in METHODS | REGRESSION_METHODS:
        raise ValueError(
            f"each of methods must be one of {sorted(table)} in a {task}, for which {method!r} is "
            f"not made; {list(table)[1]!r} is its simplest training."
        )
    known = lookup(table, method, "each of methods")
    return known if method == label else known._replace(label=label)
