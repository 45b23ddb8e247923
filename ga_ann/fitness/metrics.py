"""Metrics that judge one solution at a time, scikit-learn's or a user's, as population scores."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from ga_ann.fitness.score import PopulationScore, Task
from ga_ann.network import ACTIVATIONS

# Recording warnings changes the filters of the whole process: one thread at a time.
_ALONE = threading.RLock()


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
        `RuntimeWarning`. Each warning of the metric's own is passed on once. One thread at a time
        calls the metric. The score can be pickled if `metric` can.

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
    several = labels is not None and len(labels) > 2
    judge = _without_positive_label(metric) if several else metric
    return _PerSolution(judge, labels, name, is_scorer=_n_required(metric) == 3)


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


def _without_positive_label(metric: Any) -> Any:
    """Return a scorer of several classes, none of which is the positive one.

    Before scikit-learn 1.9 it looks for the metric's default ``pos_label=1`` among any labels, and
    fails (its issue 29734).
    """
    function: Any = getattr(metric, "_score_func", None)
    if not getattr(function, "__module__", "").startswith("sklearn."):
        return metric
    if "pos_label" in _parameters(function) and "pos_label" not in metric._kwargs:
        metric = copy(metric)
        metric._kwargs = {**metric._kwargs, "pos_label": None}
    return metric


@dataclass(repr=False, eq=False)
class _PerSolution:
    one_at_a_time: ClassVar[bool] = True
    overwrites: ClassVar[bool] = False
    metric: Callable[..., Any]
    classes: NDArray[Any] | None
    name: str
    is_scorer: bool
    failure: str | None = field(default=None, init=False)
    told: set[tuple[type[Warning], str]] = field(default_factory=set, init=False)

    @property
    def counts_decisions(self) -> bool:
        """Whether the metric is given classes."""
        return self.classes is not None

    def __repr__(self) -> str:
        return self.name

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was told: it makes no other score."""
        return {**self.__dict__, "failure": None, "told": set()}

    @property
    def score_task(self) -> Task:
        return "regression" if self.classes is None else "classification"

    def __call__(
        self, outputs: NDArray[Any], y: NDArray[Any], sample_weight: NDArray[Any] | None = None
    ) -> NDArray[np.float64]:
        weights = self._weights(sample_weight)
        y_true = _as_targets(y) if self.classes is None else self.classes[y]
        with _ALONE, warnings.catch_warnings(record=True) as given:
            scores = np.array([self._judge(one, y_true, weights) for one in outputs], np.float64)
            new = {k: w for w in given if (k := (w.category, str(w.message))) not in self.told}
            self.told.update(new)
        for w in new.values():
            warnings.showwarning(w.message, w.category, w.filename, w.lineno)
        return scores

    def _judge(
        self, outputs: NDArray[Any], y_true: NDArray[Any], weights: dict[str, NDArray[Any]]
    ) -> float:
        """Return the metric of one solution, NaN if there is none."""
        if not np.isfinite(outputs).all():
            return np.nan
        try:
            return _as_number(self._call(outputs, y_true, weights))
        except Exception as error:  # whatever a user's function raises
            if self.failure is None:
                self.failure = f"{type(error).__name__}: {error}"
                warnings.warn(
                    f"The fitness {self.name} is NaN for solutions that it fails for: "
                    f"{self.failure}",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return np.nan

    def _call(
        self, outputs: NDArray[Any], y_true: NDArray[Any], weights: dict[str, NDArray[Any]]
    ) -> Any:
        rows = np.arange(len(y_true))[:, None]
        # Copies: what a function does to its arguments is no matter of the next solution.
        y_true, weights = y_true.copy("K"), {name: w.copy() for name, w in weights.items()}
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


class _Solution(BaseEstimator):
    """What a scorer takes for the estimator: one solution, whose outputs are known already."""

    def __init__(self, outputs: NDArray[Any]) -> None:
        self.outputs = outputs

    def _of(self, X: NDArray[np.intp]) -> NDArray[Any]:
        return self.outputs[:, X[:, 0]]


class _Regressor(RegressorMixin, _Solution):
    def predict(self, X: NDArray[np.intp]) -> NDArray[Any]:
        return _as_targets(self._of(X))


class _Classifier(ClassifierMixin, _Solution):
    def __init__(self, outputs: NDArray[Any], classes: NDArray[Any]) -> None:
        super().__init__(outputs)
        self.classes_ = classes

    def predict(self, X: NDArray[np.intp]) -> NDArray[Any]:
        labels: NDArray[Any] = self.classes_[self._of(X).argmax(axis=0)]
        return labels

    def predict_proba(self, X: NDArray[np.intp]) -> NDArray[np.float64]:
        probabilities = self._of(X).astype(np.float64)
        ACTIVATIONS["softmax"](probabilities, 0)
        return probabilities.T

    def decision_function(self, X: NDArray[np.intp]) -> NDArray[Any]:
        outputs = self._of(X)
        return outputs[1] - outputs[0] if len(outputs) == 2 else outputs.T
