"""Fitness: the scores by name, and any scikit-learn metric, scorer or function made one of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

from ga_ann.fitness.scores import (
    PopulationScore,
    Task,
    accuracy,
    adjusted_log_loss,
    balanced_accuracy,
    cohen_kappa,
    f1,
    f1_macro,
    f1_weighted,
    fbeta,
    g_mean,
    margin,
    matthews_corrcoef,
    neg_brier_score,
    neg_cost,
    neg_log_loss,
    neg_mean_absolute_error,
    neg_mean_pinball_loss,
    neg_mean_squared_error,
    neg_median_absolute_error,
    neg_root_mean_squared_error,
    population_score,
    r2,
    roc_auc,
)

__all__ = [
    "FITNESS",
    "REGRESSION_FITNESS",
    "PopulationScore",
    "accuracy",
    "adjusted_log_loss",
    "fbeta",
    "finer_score",
    "neg_cost",
    "neg_log_loss",
    "neg_mean_pinball_loss",
    "per_solution",
    "population_score",
    "resolve_fitness",
]

LEAST_IMPORTANCE = 1e-3
"""Importance of a class, relative to the most important one's, that ranking uses at least."""

FITNESS: dict[str, PopulationScore] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "cohen_kappa": cohen_kappa,
    "f1": f1,
    "f1_macro": f1_macro,
    "f1_weighted": f1_weighted,
    "g_mean": g_mean,
    "margin": margin,
    "matthews_corrcoef": matthews_corrcoef,
    "neg_brier_score": neg_brier_score,
    "neg_log_loss": neg_log_loss,
    "roc_auc": roc_auc,
}
"""Scores of classifications by name; they may overwrite the outputs, see `PopulationScore`."""

REGRESSION_FITNESS: dict[str, PopulationScore] = {
    "neg_mean_absolute_error": neg_mean_absolute_error,
    "neg_mean_squared_error": neg_mean_squared_error,
    "neg_median_absolute_error": neg_median_absolute_error,
    "neg_root_mean_squared_error": neg_root_mean_squared_error,
    "r2": r2,
}
"""Scores of regressions by name; they may overwrite the outputs, see `PopulationScore`."""


def resolve_fitness(
    fitness: str | Callable[..., Any], *, classes: ArrayLike | None
) -> PopulationScore:
    """Return the score function that a user means.

    Parameters
    ----------
    fitness : str or callable
        A name in `FITNESS` (`REGRESSION_FITNESS` without classes); a score made by `fbeta`,
        `neg_cost` or `neg_mean_pinball_loss` or marked by `population_score`; or what
        `per_solution` takes: the name of a scikit-learn scorer, a scorer, or a function
        ``f(y_true, y_pred)``, greater being better.
    classes : array-like of shape (n_classes,) or None
        The labels, in the order of the outputs; None for regression.

    Returns
    -------
    PopulationScore

    Raises
    ------
    ValueError
        If the name is unknown, or the score is one of the other task.
    TypeError
        If it is neither a name nor callable, or still lacks its parameter.

    Examples
    --------
    >>> resolve_fitness("f1_macro", classes=["apple", "mango"]) is FITNESS["f1_macro"]
    True
    >>> resolve_fitness(fbeta(2), classes=["apple", "mango"])
    fbeta(2, average='macro')
    """
    task: Task = "regression" if classes is None else "classification"
    table, other = FITNESS, REGRESSION_FITNESS
    if task == "regression":
        table, other = other, table
    if isinstance(fitness, str):
        if fitness in table:
            return table[fitness]
        # Labels that are numbers can be scored as numbers, but targets have no classes.
        if fitness not in get_scorer_names() or (task == "regression" and fitness in other):
            raise ValueError(
                f"fitness must be one of {sorted(table)} or the name of a {task} scorer of "
                f"scikit-learn (sklearn.metrics.get_scorer_names()), got {fitness!r}."
            )
    elif fitness in (fbeta, neg_cost, neg_mean_pinball_loss):
        name = fitness.__name__
        raise TypeError(f"{name} makes a fitness from a parameter: give {name}(...), not {name}.")
    elif (scored := getattr(fitness, "score_task", task)) != task:
        raise ValueError(f"fitness must be a score of {task}, got {fitness!r}, one of {scored}.")
    elif hasattr(fitness, "score_task"):
        return fitness
    return per_solution(fitness, classes)


def finer_score(
    fitness: PopulationScore, class_shares: NDArray[np.float64] | None
) -> PopulationScore:
    """Return a score that tells networks of equal fitness apart and leads to a better one.

    Parameters
    ----------
    fitness : PopulationScore
        What is to be maximised.
    class_shares : ndarray of shape (n_classes,) or None
        The classes' shares of the training samples, above 0; None for regression.

    Returns
    -------
    PopulationScore
        R2 for a regression. For a classification the log loss, which is the `adjusted_log_loss`
        if the fitness gives samples of one class more importance than those of another: balanced
        accuracy, the geometric mean of recalls, and costs.

    Examples
    --------
    >>> finer_score(FITNESS["accuracy"], np.array([0.9, 0.1])) is neg_log_loss
    True
    >>> finer_score(FITNESS["balanced_accuracy"], np.array([0.75, 0.25]))
    adjusted_log_loss([0.3333333333333333, 1.0])
    """
    if class_shares is None:
        return r2
    importance = getattr(fitness, "importance", None)
    if importance is None:
        return neg_log_loss
    weights = np.asarray(importance(class_shares), dtype=np.float64)
    if weights.max() <= 0:
        return neg_log_loss
    # A class that costs nothing to mistake would never be predicted again.
    return adjusted_log_loss(np.maximum(weights, LEAST_IMPORTANCE * weights.max()))


def per_solution(metric: str | Callable[..., Any], classes: ArrayLike | None) -> PopulationScore:
    """Make a score function of a metric that judges one solution at a time.

    Parameters
    ----------
    metric : str or callable
        The name of a scikit-learn scorer, a scorer (anything that must be called with
        ``(estimator, X, y)``, such as what `sklearn.metrics.make_scorer` returns), or a function
        ``f(y_true, y_pred)``; greater is better. A scorer meets a stand-in that has `predict` and,
        in classification, `predict_proba` (softmax), `decision_function` and `classes_`; its `X`
        holds the numbers of the samples in place of their features.
    classes : array-like of shape (n_classes,) or None
        The labels that the metric is given, in the order of the outputs; None for regression,
        where it is given targets of shape (n_samples,), or (n_samples, n_outputs) if several.

    Returns
    -------
    PopulationScore
        A solution whose outputs are not finite, or for which the metric raises an exception or
        returns NaN or no number, gets NaN; the first such failure of the metric is told in a
        `RuntimeWarning`. The outputs are left as they are. It can be pickled if `metric` can.

    Raises
    ------
    ValueError
        If the name is unknown, or the function is a loss of scikit-learn; by the score, if there
        are sample weights and the function takes none.
    TypeError
        If `metric` is neither a name nor callable.

    Examples
    --------
    >>> def hits(y_true, y_pred):
    ...     return (y_true == y_pred).sum()
    >>> outputs = np.array([[[0.9, 0.2], [0.1, 0.8]], [[0.9, 0.8], [0.1, 0.2]]])
    >>> per_solution(hits, ["apple", "mango"])(outputs, np.array([0, 1]))
    array([2., 1.])
    """
    labels = None if classes is None else np.asarray(classes)
    if isinstance(metric, str):
        if metric not in get_scorer_names():
            raise ValueError(
                "metric must be one of sklearn.metrics.get_scorer_names(), a scorer or a "
                f"function f(y_true, y_pred), got {metric!r}."
            )
        return _PerSolution(get_scorer(metric), labels, metric, is_scorer=True)
    if not callable(metric):
        raise TypeError(f"fitness must be a name or callable, got {metric!r}.")
    name = getattr(metric, "__name__", repr(metric))
    home = getattr(metric, "__module__", None) or ""
    if home.startswith("sklearn.metrics") and name.endswith(("_error", "_loss", "_deviance")):
        raise ValueError(
            f"{name} is smaller for better predictions; give the name of its scorer, or "
            f"sklearn.metrics.make_scorer({name}, greater_is_better=False)."
        )
    return _PerSolution(metric, labels, name, is_scorer=_n_required(metric) == 3)


def _parameters(metric: Callable[..., Any]) -> dict[str, Parameter]:
    try:
        return dict(signature(metric).parameters)
    except ValueError:  # some functions written in C do not say
        return {}


def _n_required(metric: Callable[..., Any]) -> int:
    """Return how many positional arguments a function cannot do without."""
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return sum(
        p.kind in positional and p.default is Parameter.empty for p in _parameters(metric).values()
    )


@dataclass(repr=False, eq=False)
class _PerSolution:
    one_at_a_time: ClassVar[bool] = True
    metric: Callable[..., Any]
    classes: NDArray[Any] | None
    name: str
    is_scorer: bool
    failure: str | None = field(default=None, init=False)

    def __repr__(self) -> str:
        return self.name

    @property
    def score_task(self) -> Task:
        return "regression" if self.classes is None else "classification"

    def __call__(
        self, outputs: NDArray[Any], y: NDArray[Any], sample_weight: NDArray[Any] | None = None
    ) -> NDArray[np.float64]:
        weights = self._weights(sample_weight)
        y_true = _as_targets(y) if self.classes is None else self.classes[y]
        scores = np.full(len(outputs), np.nan)
        failure: str | None = None
        for k, one in enumerate(outputs):
            if not np.isfinite(one).all():
                continue
            try:
                scores[k] = _as_number(self._judge(one, y_true, weights))
            except Exception as error:  # whatever a user's function raises
                failure = failure or f"{type(error).__name__}: {error}"
        if failure is not None and self.failure is None:
            self.failure = failure
            warnings.warn(
                f"The fitness {self.name} is NaN for solutions that it fails for: {failure}",
                RuntimeWarning,
                stacklevel=2,
            )
        return scores

    def _judge(
        self, outputs: NDArray[Any], y_true: NDArray[Any], weights: dict[str, NDArray[Any]]
    ) -> Any:
        rows = np.arange(len(y_true))[:, None]
        known = _Regressor(outputs) if self.classes is None else _Classifier(outputs, self.classes)
        if self.is_scorer:
            return self.metric(known, rows, y_true, **weights)
        return self.metric(y_true, known.predict(rows), **weights)

    def _weights(self, sample_weight: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
        if sample_weight is None:
            return {}
        parameters = _parameters(self.metric).values()
        if not any(p.name == "sample_weight" or p.kind == p.VAR_KEYWORD for p in parameters):
            raise ValueError(
                f"The fitness {self.name} takes no sample_weight; give it such a parameter, or "
                "train without weights."
            )
        return {"sample_weight": sample_weight}


def _as_number(value: Any) -> float:
    """Return what a metric returned, if it is a number."""
    if isinstance(value, (str, bytes)) or np.ndim(value) != 0:
        raise TypeError(f"it must return a number, got {value!r}.")
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"it returned {'NaN' if np.isnan(number) else number}.")
    return number


def _as_targets(rows: NDArray[Any]) -> NDArray[Any]:
    """Return targets or outputs of a regression as scikit-learn has them."""
    return rows[0] if len(rows) == 1 else rows.T


class _Regressor:
    """What a scorer takes for the estimator: one solution, whose outputs are known already."""

    def __init__(self, outputs: NDArray[Any]) -> None:
        self._outputs = outputs

    def __sklearn_tags__(self) -> Tags:
        return Tags("regressor", TargetTags(required=True), regressor_tags=RegressorTags())

    def _of(self, X: NDArray[np.intp]) -> NDArray[Any]:
        return self._outputs[:, X[:, 0]]

    def predict(self, X: NDArray[np.intp]) -> NDArray[Any]:
        return _as_targets(self._of(X))


class _Classifier(_Regressor):
    """The same, with the labels of the outputs."""

    def __init__(self, outputs: NDArray[Any], classes: NDArray[Any]) -> None:
        super().__init__(outputs)
        self.classes_ = classes

    def __sklearn_tags__(self) -> Tags:
        return Tags("classifier", TargetTags(required=True), classifier_tags=ClassifierTags())

    def predict(self, X: NDArray[np.intp]) -> NDArray[Any]:
        labels: NDArray[Any] = self.classes_[self._of(X).argmax(axis=0)]
        return labels

    def predict_proba(self, X: NDArray[np.intp]) -> NDArray[np.float64]:
        probabilities: NDArray[np.float64] = softmax(self._of(X).astype(np.float64), axis=0).T
        return probabilities

    def decision_function(self, X: NDArray[np.intp]) -> NDArray[Any]:
        outputs = self._of(X)
        return outputs[1] - outputs[0] if len(outputs) == 2 else outputs.T
