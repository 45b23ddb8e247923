"""The methods that a comparison trains: random weights, naive training, GAs, Adam."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from ga_ann.baseline import train_naive
from ga_ann.evolution import Recipe, evolve
from ga_ann.fitness import PopulationScore
from ga_ann.history import History
from ga_ann.network import lookup
from ga_ann.result import TrainingResult

__all__ = [
    "GA_GENERATIONS",
    "GA_PATIENCE",
    "METHODS",
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
    y : ndarray of int, of shape (n_samples,)
        Its classes, 0 to ``n_classes - 1``; one may be missing.
    n_classes : int
        Number of classes in the whole data.
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
    """

    X: Array
    y: Indices
    n_classes: int
    hidden_layer_sizes: tuple[int, ...]
    max_time: float | None
    random_state: int
    fitness: PopulationScore
    bias: bool = False


class Trained(NamedTuple):
    """What a method returns: a classifier, and what it took to get it.

    Attributes
    ----------
    predict : callable
        ``predict(X) -> labels``.
    predict_scores : callable
        ``predict_scores(X) -> outputs`` of shape (n_samples, n_classes): finite, and logarithms of
        probabilities but for a constant a sample, where the method has such.
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
            classes=np.arange(job.n_classes),
            hidden_layer_sizes=job.hidden_layer_sizes,
            bias=job.bias,
            fitness=job.fitness,
            recipe=recipe,
            max_time=job.max_time,
            random_state=job.random_state,
            **end,
        )
        return _as_trained(result, job)

    return Method(label, train, max_time)


def _as_trained(result: TrainingResult, job: Job) -> Trained:
    classes = np.asarray(result.classes)
    return Trained(
        result.predict,
        lambda samples: _widen(result.predict_scores(samples), classes, job.n_classes),
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
    model = MLPClassifier(job.hidden_layer_sizes, random_state=job.random_state)
    started = perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # scikit-learn turns Ctrl-C into a warning and returns the network as it is.
        warnings.filterwarnings("error", message="Training interrupted")
        try:
            model.fit(job.X / scale, job.y)
        except UserWarning as error:
            raise KeyboardInterrupt from error
    settings = {"hidden_layer_sizes": list(job.hidden_layer_sizes), "solver": "adam"}
    history = History(settings=settings)
    history.append(
        generation=model.n_iter_,
        evaluations=model.n_iter_,
        seconds=perf_counter() - started,
        best_fitness=float(model.score(job.X / scale, job.y)),
        n_samples=len(job.X),
    )

    def predict_scores(samples: ArrayLike) -> Array:
        probabilities = model.predict_proba(np.divide(samples, scale))
        logs = np.log(np.maximum(probabilities, ZERO_PROBABILITY))
        return _widen(logs, model.classes_, job.n_classes)

    return Trained(
        lambda samples: model.predict(np.divide(samples, scale)),
        predict_scores,
        history,
        "max_iter" if model.n_iter_ == model.max_iter else "converged",
    )


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


def resolve_methods(
    methods: Iterable[str] | Mapping[str, str | Recipe | Method] | None,
) -> dict[str, Method]:
    """Return methods by what they are called in the rows of a comparison.

    Parameters
    ----------
    methods : iterable of str, or mapping of str to str, Recipe or Method, optional
        Names in `METHODS`, or a mapping from a label to such a name, to a `Recipe` for `ga_method`,
        or to a `Method`; by default all of `METHODS`.

    Returns
    -------
    dict of str to Method

    Raises
    ------
    ValueError
        If a name is unknown, comes twice, is not printable, or there is none.
    TypeError
        If `methods` is a string, or holds something else.

    Examples
    --------
    >>> list(resolve_methods(["ga", "adam"]))
    ['ga', 'adam']
    >>> resolve_methods({"ga": "ga", "careful": Recipe(sigma=0.1)})["careful"].max_time
    10.0
    """
    if methods is None:
        return dict(METHODS)
    if isinstance(methods, Mapping):
        given = list(methods.items())
    elif isinstance(methods, str):
        raise TypeError(f"methods must be a list of names, got the string {methods!r}.")
    else:
        given = [(name, name) for name in methods]
    resolved = [(label, _resolve(label, method)) for label, method in given]
    if not given or len({method.label for _, method in resolved}) < len(given):
        names = [label for label, _ in given]
        raise ValueError(
            f"methods must name at least one of {list(METHODS)}, each once; got {names}."
        )
    return dict(resolved)


def _resolve(label: object, method: object) -> Method:
    if not isinstance(label, str) or not label:
        raise TypeError(f"methods must be known by their labels, strings; got {label!r}.")
    if not label.isprintable():  # it ends up on terminals and in pictures
        raise ValueError(f"methods must be known by printable labels, got {label!r}.")
    if isinstance(method, Method):
        return method._replace(label=label)
    if isinstance(method, Recipe):
        return ga_method(method, label)
    known = lookup(METHODS, method, "each of methods")
    return known if method == label else known._replace(label=label)
