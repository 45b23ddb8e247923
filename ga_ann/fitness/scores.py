"""Scores of a population's outputs against the truth, all solutions at once; greater is better.

Outputs have the samples on the last axis, ``(n_solutions, n_outputs, n_samples)``: reductions over
the outputs then run along contiguous memory. What each score takes and returns is said once, at
`PopulationScore`; names and values are those of scikit-learn's scorers where it has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ga_ann.validation import check_number

__all__ = [
    "PopulationScore",
    "Task",
    "accuracy",
    "adjusted_log_loss",
    "balanced_accuracy",
    "cohen_kappa",
    "confusion_counts",
    "f1",
    "f1_macro",
    "f1_weighted",
    "fbeta",
    "g_mean",
    "margin",
    "matthews_corrcoef",
    "neg_brier_score",
    "neg_cost",
    "neg_log_loss",
    "neg_mean_absolute_error",
    "neg_mean_pinball_loss",
    "neg_mean_squared_error",
    "neg_median_absolute_error",
    "neg_root_mean_squared_error",
    "population_score",
    "r2",
    "roc_auc",
    "scaled",
]

Outputs = NDArray[Any]
Codes = NDArray[np.intp]
Targets = NDArray[Any]
Scores = NDArray[np.float64]
Weights = NDArray[Any] | None
Average = Literal["macro", "weighted", "binary"]
Task = Literal["classification", "regression"]


class PopulationScore(Protocol):
    """What every score of this module is: a function of a whole population's outputs."""

    def __call__(self, outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
        """Return the score of every solution.

        Parameters
        ----------
        outputs : ndarray of shape (n_solutions, n_outputs, n_samples)
            What the networks answer. In classification there is an output a class, and the first
            index of the largest one is the prediction. **They may be overwritten.**
        y : ndarray of shape (n_samples,) or (n_outputs, n_samples)
            Classification: the classes, integers from 0 to ``n_outputs - 1``. Regression: the
            targets, one row an output.
        sample_weight : ndarray of shape (n_samples,), optional
            Weights of the samples, at least 0 and not all 0; None for equal ones. A sample of
            weight 0 counts as absent.

        Returns
        -------
        ndarray of float64, of shape (n_solutions,)
            Greater is better.
        """


_F = TypeVar("_F", bound=Callable[..., Scores])


def population_score(
    task: Task, *, importance: Callable[[NDArray[Any]], NDArray[Any]] | None = None
) -> Callable[[_F], _F]:
    """Mark a function as a `PopulationScore`, to tell it from a metric of one solution.

    Parameters
    ----------
    task : {"classification", "regression"}
        What it scores; kept as the function's attribute `score_task`.
    importance : callable, optional
        ``importance(shares) -> weights``: what a sample of each class counts for in the score,
        given the classes' shares of the training samples. With ``ranking="auto"`` selection then
        ranks by the `adjusted_log_loss` of these weights. None if all samples count the same.

    Examples
    --------
    >>> @population_score("regression")
    ... def neg_max_error(outputs, y, sample_weight=None):
    ...     return -np.abs(outputs - y).max(axis=(1, 2))
    >>> neg_max_error.score_task
    'regression'
    """

    def mark(score: _F) -> _F:
        score.__dict__["score_task"] = task
        if importance is not None:
            score.__dict__["importance"] = importance
        return score

    return mark


def _mean(values: NDArray[Any], sample_weight: Weights) -> Scores:
    """Return the (weighted) mean over the samples, the last axis."""
    means: Scores
    if sample_weight is None:
        means = values.mean(axis=-1, dtype=np.float64)
    else:
        weights = np.asarray(sample_weight, dtype=np.float64)
        means = values @ weights / weights.sum()
    return means


def _of_own_class(outputs: Outputs, y: Codes) -> Outputs:
    """Return each sample's output for its own class, of shape (n_solutions, n_samples)."""
    n_samples = outputs.shape[-1]
    own: Outputs = outputs.reshape(len(outputs), -1).take(
        y * n_samples + np.arange(n_samples), axis=1
    )
    return own


# ---- classification, from the predicted classes --------------------------------------------------


@population_score("classification")
def accuracy(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the share of samples whose largest output stands for their class.

    Parameters and return value are those of `PopulationScore`; the outputs are left as they are.

    Examples
    --------
    >>> outputs = np.array([[[0.9, 0.2], [0.1, 0.8]], [[0.9, 0.8], [0.1, 0.2]]])
    >>> accuracy(outputs, np.array([0, 1]))
    array([1. , 0.5])
    """
    largest = outputs.max(axis=1, keepdims=True)
    right = _of_own_class(outputs, y) == largest[:, 0]
    if np.count_nonzero(outputs == largest) != right.size:  # ties, of which the first index wins
        right = outputs.argmax(axis=1) == y
    if sample_weight is not None:
        return _mean(right, sample_weight)
    shares: Scores = np.count_nonzero(right, axis=1) / len(y)
    return shares


def confusion_counts(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the confusion matrix of every solution.

    Parameters
    ----------
    outputs, y, sample_weight
        See `PopulationScore`; the outputs are left as they are.

    Returns
    -------
    ndarray of float64, of shape (n_solutions, n_classes, n_classes)
        Number, or total weight, of the samples of each true class (rows) that were given each
        class (columns).

    Examples
    --------
    >>> outputs = np.array([[[0.9, 0.2, 0.7], [0.1, 0.8, 0.3]]])
    >>> confusion_counts(outputs, np.array([0, 1, 1]))[0]
    array([[1., 0.],
           [1., 1.]])
    """
    n_solutions, n_classes, _ = outputs.shape
    cells = _predict(outputs).astype(np.intp)
    cells += y * n_classes
    cells += np.arange(n_solutions)[:, None] * n_classes**2
    weights = None if sample_weight is None else np.broadcast_to(sample_weight, cells.shape).ravel()
    counts = np.bincount(cells.ravel(), weights, minlength=n_solutions * n_classes**2)
    return counts.astype(np.float64, copy=False).reshape(n_solutions, n_classes, n_classes)


def _predict(outputs: Outputs) -> NDArray[Any]:
    """Return the first index of the largest output, of shape (n_solutions, n_samples)."""
    # argmax along an axis in the middle copies the whole array; this is faster, several times with
    # many samples.
    n_classes = outputs.shape[1]
    largest = outputs[:, 0].copy()
    predicted = np.zeros(largest.shape, np.uint8 if n_classes <= 256 else np.intp)
    for code in range(1, n_classes):
        larger = outputs[:, code] > largest
        np.maximum(largest, outputs[:, code], out=largest)
        np.maximum(predicted, larger * predicted.dtype.type(code), out=predicted)
    return predicted


class _Table:
    """The confusion matrices' margins, a row a solution."""

    def __init__(self, outputs: Outputs, y: Codes, sample_weight: Weights) -> None:
        counts = confusion_counts(outputs, y, sample_weight)
        self.hits = counts.diagonal(axis1=1, axis2=2)
        self.true = counts.sum(axis=2)
        self.predicted = counts.sum(axis=1)
        self.total = self.true.sum(axis=1)

    @property
    def recalls(self) -> Scores:
        return _ratio(self.hits, self.true)


def _ratio(part: Scores, whole: Scores) -> Scores:
    """Return ``part / whole``, and 0 where the whole is 0."""
    ratios: Scores = np.divide(part, whole, out=np.zeros(part.shape), where=whole != 0)
    return ratios


@population_score("classification", importance=np.reciprocal)
def balanced_accuracy(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the mean recall of the classes; those that `y` lacks are left out.

    Examples
    --------
    >>> balanced_accuracy(np.array([[[1, 1, 1], [0, 0, 0]]]), np.array([0, 0, 1]))
    array([0.5])
    """
    table = _Table(outputs, y, sample_weight)
    means: Scores = table.recalls.sum(axis=1) / np.count_nonzero(table.true, axis=1)
    return means


@population_score("classification", importance=np.reciprocal)
def g_mean(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the geometric mean of the classes' recalls; classes that `y` lacks are left out.

    It is 0 as soon as one class is never recognised.

    Examples
    --------
    >>> g_mean(np.array([[[1, 0, 1, 0], [0, 1, 0, 1]]]), np.array([0, 0, 0, 1])).round(3)
    array([0.816])
    """
    table = _Table(outputs, y, sample_weight)
    with np.errstate(divide="ignore"):  # a recall of 0 gives minus infinity, and then a mean of 0
        logs = np.log(np.where(table.true, table.recalls, 1))
    means: Scores = np.exp(logs.sum(axis=1) / np.count_nonzero(table.true, axis=1))
    return means


@population_score("classification")
def matthews_corrcoef(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return Matthews' correlation of predicted and true classes, -1 to 1.

    It is 0 where all samples are, or are predicted to be, of one class.

    Examples
    --------
    >>> matthews_corrcoef(np.array([[[1, 0, 1], [0, 1, 0]]]), np.array([0, 1, 1]))
    array([0.5])
    """
    table = _Table(outputs, y, sample_weight)
    covariance = table.hits.sum(axis=1) * table.total - (table.true * table.predicted).sum(axis=1)
    # Each variance from its own sum: it is then exactly 0 where there is one class.
    variances = [n.sum(axis=1) ** 2 - (n**2).sum(axis=1) for n in (table.true, table.predicted)]
    return _ratio(covariance, np.sqrt(variances[0] * variances[1]))


@population_score("classification")
def cohen_kappa(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return Cohen's kappa: the agreement beyond that of chance, at most 1.

    It is 0 where it is not defined: all samples of one class and predicted so. (`cohen_kappa_score`
    gives NaN there by default, which would rank a faultless solution last.)

    Examples
    --------
    >>> cohen_kappa(np.array([[[1, 0, 1], [0, 1, 0]]]), np.array([0, 1, 1])).round(3)
    array([0.4])
    """
    table = _Table(outputs, y, sample_weight)
    wrong = (table.total - table.hits.sum(axis=1)) * table.total
    by_chance = table.true.sum(axis=1) * table.predicted.sum(axis=1)
    by_chance -= (table.true * table.predicted).sum(axis=1)
    return np.where(by_chance == 0, 0.0, 1 - _ratio(wrong, by_chance))


@dataclass(frozen=True, repr=False)
class _FBeta:
    beta: float
    average: Average
    score_task: ClassVar[Task] = "classification"

    def __repr__(self) -> str:
        return f"fbeta({self.beta:g}, average={self.average!r})"

    def __call__(self, outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
        if self.average == "binary" and outputs.shape[1] != 2:
            raise ValueError(
                "The F score with average='binary' takes 2 classes (the second is the positive "
                f"one), got {outputs.shape[1]}; use f1_macro or f1_weighted, or "
                "average='macro' or 'weighted'."
            )
        table = _Table(outputs, y, sample_weight)
        square = self.beta**2
        scores = _ratio((1 + square) * table.hits, square * table.true + table.predicted)
        if self.average == "binary":
            return scores[:, 1].copy()
        if self.average == "weighted":
            return _ratio((scores * table.true).sum(axis=1), table.total)
        return _ratio(
            scores.sum(axis=1), np.count_nonzero(table.true + table.predicted, axis=1) * 1.0
        )


def fbeta(beta: float, average: Average = "macro") -> PopulationScore:
    """Make an F score that gives recall `beta` times the importance of precision.

    Parameters
    ----------
    beta : float
        At least 0; 1 for the harmonic mean of precision and recall, 0 for precision alone.
    average : {"macro", "weighted", "binary"}, default="macro"
        The mean over the classes that are there or predicted, the mean weighted by the true
        numbers of samples, or the score of the second of two classes.

    Returns
    -------
    PopulationScore
        Equal to `fbeta_score` with ``zero_division=0``. It can be pickled.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range; by the score, if ``average="binary"`` meets other than
        2 classes.

    Examples
    --------
    >>> outputs = np.array([[[1, 0, 1], [0, 1, 0]]])
    >>> fbeta(2, "binary")(outputs, np.array([0, 1, 1])).round(3)
    array([0.556])
    """
    check_number(beta, "beta", low=0)
    if average not in ("macro", "weighted", "binary"):
        raise ValueError(f"average must be 'macro', 'weighted' or 'binary', got {average!r}.")
    return _FBeta(float(beta), average)


@population_score("classification")
def f1(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the F1 score of the second of two classes.

    Raises
    ------
    ValueError
        If there are other than 2 classes.

    Examples
    --------
    >>> f1(np.array([[[1, 0, 1], [0, 1, 0]]]), np.array([0, 1, 1])).round(3)
    array([0.667])
    """
    return _FBeta(1.0, "binary")(outputs, y, sample_weight)


@population_score("classification")
def f1_macro(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the mean F1 score of the classes; those neither there nor predicted are left out.

    Examples
    --------
    >>> f1_macro(np.array([[[1, 0, 1], [0, 1, 0], [0, 0, 0]]]), np.array([0, 1, 1])).round(3)
    array([0.667])
    """
    return _FBeta(1.0, "macro")(outputs, y, sample_weight)


@population_score("classification")
def f1_weighted(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the mean F1 score of the classes, weighted by their true numbers of samples.

    Examples
    --------
    >>> f1_weighted(np.array([[[1, 0, 1], [0, 1, 0]]]), np.array([0, 0, 0])).round(3)
    array([0.8])
    """
    return _FBeta(1.0, "weighted")(outputs, y, sample_weight)


@dataclass(frozen=True, repr=False)
class _NegCost:
    cost_matrix: tuple[tuple[float, ...], ...]
    score_task: ClassVar[Task] = "classification"

    def __repr__(self) -> str:
        return f"neg_cost({[list(row) for row in self.cost_matrix]})"

    def __call__(self, outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
        n_costs, n_classes = len(self.cost_matrix), outputs.shape[1]
        if n_costs != n_classes:
            raise ValueError(
                f"cost_matrix must have a row and a column for each of the {n_classes} classes, "
                f"got shape ({n_costs}, {n_costs})."
            )
        counts = confusion_counts(outputs, y, sample_weight)
        costs = (counts * np.array(self.cost_matrix)).sum(axis=(1, 2))
        gains: Scores = -costs / counts.sum(axis=(1, 2))
        return gains

    def importance(self, shares: NDArray[Any]) -> NDArray[Any]:
        """Return what it costs, over the right answer, to mistake a class for another one."""
        costs = np.array(self.cost_matrix)
        excess = costs - costs.diagonal()[:, None]
        means: NDArray[Any] = excess.sum(axis=1) / max(1, len(costs) - 1)
        return means


def neg_cost(cost_matrix: ArrayLike) -> PopulationScore:
    """Make a score of the mean cost of a sample, negated.

    Parameters
    ----------
    cost_matrix : array-like of shape (n_classes, n_classes)
        What it costs to give a sample of the class of the row the class of the column; classes in
        sorted order. Finite; gains are negative costs.

    Returns
    -------
    PopulationScore
        It can be pickled.

    Raises
    ------
    ValueError
        If the matrix is not square or not finite; by the score, if it does not fit the number of
        classes.

    Examples
    --------
    A second class that costs 10 when it is missed, and 1 when it is a false alarm:

    >>> outputs = np.array([[[1, 0, 1], [0, 1, 0]]])
    >>> neg_cost([[0, 1], [10, 0]])(outputs, np.array([0, 1, 1])).round(3)
    array([-3.333])
    """
    costs = np.asarray(cost_matrix, dtype=np.float64)
    if costs.ndim != 2 or costs.shape[0] != costs.shape[1] or not costs.size:
        raise ValueError(
            "cost_matrix must be square, a row for each true class and a column for each "
            f"predicted one, got shape {costs.shape}."
        )
    if not np.isfinite(costs).all():
        raise ValueError(f"cost_matrix must be finite, got {costs.tolist()}.")
    return _NegCost(tuple(map(tuple, costs.tolist())))


# ---- classification, from the outputs themselves -------------------------------------------------


@population_score("classification")
def neg_log_loss(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the mean logarithm of the probability that softmax gives to each sample's class.

    Parameters and return value are those of `PopulationScore`; the outputs are unnormalised
    logarithms of probabilities, and they are overwritten. The score is at most 0.

    Examples
    --------
    >>> np.exp(neg_log_loss(np.zeros((1, 4, 3)), np.array([0, 1, 3])))
    array([0.25])
    """
    largest = outputs.max(axis=1)
    own = _of_own_class(outputs, y) - largest
    outputs -= largest[:, None]  # the largest exponent is 0, so that nothing overflows
    np.exp(outputs, out=outputs)
    own -= np.log(outputs.sum(axis=1))
    return _mean(own, sample_weight)


@dataclass(frozen=True, repr=False)
class _AdjustedLogLoss:
    importance_of_classes: tuple[float, ...]
    score_task: ClassVar[Task] = "classification"

    def __repr__(self) -> str:
        return f"adjusted_log_loss({list(self.importance_of_classes)})"

    def __call__(self, outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
        if outputs.shape[1] != len(self.importance_of_classes):
            raise ValueError(
                f"importance must have a weight for each of the {outputs.shape[1]} classes, got "
                f"{len(self.importance_of_classes)}."
            )
        outputs -= np.log(self.importance_of_classes)[:, None].astype(outputs.dtype)
        return neg_log_loss(outputs, y, sample_weight)


def adjusted_log_loss(importance: ArrayLike) -> PopulationScore:
    """Make a log loss whose networks decide in favour of the important classes.

    The probabilities are the softmax of the outputs minus the logarithms of the importance
    [Menon et al., Long-tail learning via logit adjustment, 2021, eq. 10]. A network that gives the
    right ones has the outputs ``log(probability * importance)``, the largest of which is the best
    decision where it is so much worse to mistake a sample of one class than of another.
    Weights of the samples do not do that for a network that fits all of them.

    Parameters
    ----------
    importance : array-like of shape (n_classes,)
        Above 0; only the ratios matter. All the same is `neg_log_loss`.

    Returns
    -------
    PopulationScore
        It can be pickled, and it overwrites the outputs.

    Raises
    ------
    ValueError
        If a weight is not finite and above 0; by the score, if there are not as many as classes.

    Examples
    --------
    >>> outputs = np.log([[[0.5, 0.1], [0.5, 0.9]]])
    >>> np.exp(adjusted_log_loss([1, 3])(outputs, np.array([0, 0]))).round(3)
    array([0.433])
    """
    weights = np.asarray(importance, dtype=np.float64)
    valid = np.isfinite(weights) & (weights > 0)
    if weights.ndim != 1 or not weights.size or not valid.all():
        raise ValueError(f"importance must be positive numbers, one a class, got {importance!r}.")
    return _AdjustedLogLoss(tuple((weights / weights.max()).tolist()))


@dataclass(frozen=True, repr=False)
class _Scaled:
    score: PopulationScore
    factor: float

    def __repr__(self) -> str:
        return f"scaled({self.score!r}, {self.factor:g})"

    def __call__(self, outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
        outputs *= outputs.dtype.type(self.factor)
        return self.score(outputs, y, sample_weight)


def scaled(score: PopulationScore, factor: float) -> PopulationScore:
    """Make a score of the outputs times a factor, which are overwritten.

    Examples
    --------
    >>> outputs = np.array([[[2.0, 4.0], [0.0, 0.0]]])
    >>> scaled(margin, 0.25)(outputs, np.array([0, 0]))
    array([0.75])
    """
    return _Scaled(score, factor)


def _softmax(outputs: Outputs) -> None:
    """Replace the outputs by the probabilities that softmax makes of them."""
    outputs -= outputs.max(axis=1, keepdims=True)
    np.exp(outputs, out=outputs)
    outputs /= outputs.sum(axis=1, keepdims=True)


@population_score("classification")
def neg_brier_score(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the mean squared error of the probabilities that softmax gives, negated.

    Squares are summed over the classes, -2 to 0, and halved where there are two classes, -1 to 0:
    scikit-learn's ``brier_score_loss(scale_by_half="auto")``. The outputs are overwritten.

    Examples
    --------
    >>> neg_brier_score(np.zeros((1, 2, 3)), np.array([0, 1, 1]))
    array([-0.25])
    >>> neg_brier_score(np.zeros((1, 4, 3)), np.array([0, 1, 3]))
    array([-0.75])
    """
    _softmax(outputs)
    outputs[:, y, np.arange(len(y))] -= 1
    np.square(outputs, out=outputs)
    scale = 0.5 if outputs.shape[1] == 2 else 1.0
    return -scale * _mean(outputs.sum(axis=1), sample_weight)


@population_score("classification")
def margin(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return by how much each sample's own output exceeds the largest other one: the mean.

    A sample counts at most 1, so that none can make up for many. The outputs are overwritten.

    Examples
    --------
    >>> margin(np.array([[[0.75, 9.0], [0.25, 0.0]]]), np.array([0, 0]))
    array([0.75])
    """
    own = _of_own_class(outputs, y)
    outputs[:, y, np.arange(len(y))] = -np.inf
    own -= outputs.max(axis=1)
    np.minimum(own, 1, out=own)
    return _mean(own, sample_weight)


@population_score("classification")
def roc_auc(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the area under the receiver operating characteristic.

    Two classes are told apart by the difference of their outputs; more of them by the
    probabilities that softmax gives, each class against the rest, and the areas are averaged over
    the classes that `y` has. With one class in `y` it is 0.5, that of chance (`roc_auc_score`
    gives NaN). The outputs are overwritten.

    Examples
    --------
    >>> outputs = np.array([[[0.0, 0.0, 0.0], [-1.0, 1.0, 0.5]]])
    >>> roc_auc(outputs, np.array([0, 0, 1]))
    array([0.5])
    """
    weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    present = np.flatnonzero(np.bincount(y, weights, minlength=outputs.shape[1]))
    if len(present) < 2:
        return np.full(len(outputs), 0.5)
    if outputs.shape[1] == 2:
        return _auc(outputs[:, 1] - outputs[:, 0], y == 1, weights)
    _softmax(outputs)
    areas: Scores = np.mean([_auc(outputs[:, k], y == k, weights) for k in present], axis=0)
    return areas


def _auc(ranking: Outputs, positive: NDArray[np.bool_], weights: Scores) -> Scores:
    """Return how often a positive sample ranks above a negative one; a tie counts half."""
    n_solutions, n_samples = ranking.shape
    order = ranking.argsort(axis=1)
    values = np.take_along_axis(ranking, order, axis=1)
    starts = np.ones(values.shape, dtype=bool)
    np.not_equal(values[:, 1:], values[:, :-1], out=starts[:, 1:])
    ties = np.flatnonzero(starts)  # where each run of equal values starts, all solutions in a row
    row = ties // n_samples
    gains, losses = (
        np.add.reduceat(np.where(side, weights, 0).take(order).ravel(), ties)
        for side in (positive, ~positive)
    )
    all_gains, all_losses = weights[positive].sum(), weights[~positive].sum()
    beaten = losses.cumsum() - losses / 2 - row * all_losses
    sums = np.bincount(row, gains * beaten, minlength=n_solutions)
    areas: Scores = sums / (all_gains * all_losses)
    return areas


# ---- regression ----------------------------------------------------------------------------------


def _squared_errors(outputs: Outputs, y: Targets, sample_weight: Weights) -> Scores:
    """Return the mean squared error of each output, (n_solutions, n_outputs)."""
    outputs -= y
    np.square(outputs, out=outputs)
    return _mean(outputs, sample_weight)


@population_score("regression")
def neg_mean_squared_error(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the mean squared error, negated; the outputs are overwritten.

    Examples
    --------
    >>> neg_mean_squared_error(np.array([[[1.0, 4.0]]]), np.array([[1.0, 2.0]]))
    array([-2.])
    """
    means: Scores = _squared_errors(outputs, y, sample_weight).mean(axis=1)
    return -means


@population_score("regression")
def neg_root_mean_squared_error(
    outputs: Outputs, y: Targets, sample_weight: Weights = None
) -> Scores:
    """Return the mean over the outputs of the root of the mean squared error, negated.

    The outputs are overwritten.

    Examples
    --------
    >>> neg_root_mean_squared_error(np.array([[[1.0, 4.0]]]), np.array([[3.0, 2.0]]))
    array([-2.])
    """
    means: Scores = np.sqrt(_squared_errors(outputs, y, sample_weight)).mean(axis=1)
    return -means


@population_score("regression")
def r2(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the coefficient of determination, the mean over the outputs.

    An output whose targets are all the same counts 1 where it is exact, and 0 otherwise. The
    outputs are overwritten.

    Examples
    --------
    >>> r2(np.array([[[1.0, 2.0, 6.0]]]), np.array([[1.0, 2.0, 3.0]]))
    array([-3.5])
    """
    errors = _squared_errors(outputs, y, sample_weight)
    varies = np.ptp(y, axis=1) > 0
    variances = _mean((y - _mean(y, sample_weight)[:, None]) ** 2, sample_weight)
    shares = np.where(varies, errors / np.where(varies, variances, 1), errors != 0)
    means: Scores = (1 - shares).mean(axis=1)
    return means


@population_score("regression")
def neg_mean_absolute_error(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the mean absolute error, negated; the outputs are overwritten.

    Examples
    --------
    >>> neg_mean_absolute_error(np.array([[[1.0, 4.0]]]), np.array([[1.0, 2.0]]))
    array([-1.])
    """
    outputs -= y
    np.abs(outputs, out=outputs)
    means: Scores = _mean(outputs, sample_weight).mean(axis=1)
    return -means


@population_score("regression")
def neg_median_absolute_error(
    outputs: Outputs, y: Targets, sample_weight: Weights = None
) -> Scores:
    """Return the median absolute error, the mean over the outputs, negated.

    Weights count like repeated samples: where half of the weight lies on either side of two
    errors, the median is halfway between them. The outputs are overwritten.

    Examples
    --------
    >>> neg_median_absolute_error(np.array([[[1.0, 4.0, 9.0]]]), np.array([[1.0, 2.0, 0.0]]))
    array([-2.])
    """
    outputs -= y
    np.abs(outputs, out=outputs)
    if sample_weight is None:
        medians = np.median(outputs, axis=2, overwrite_input=True)
    else:
        medians = _weighted_median(outputs, np.asarray(sample_weight, np.float64))
    means: Scores = medians.mean(axis=1, dtype=np.float64)
    return -means


def _weighted_median(values: NDArray[Any], weights: Scores) -> Scores:
    """Return the median over the last axis."""
    order = values.argsort(axis=-1)
    shares = weights[order].cumsum(axis=-1) / weights.sum()
    # Sums of weights are not exact; what is as good as a half shall count as one.
    sides = [np.count_nonzero(shares < half, axis=-1) for half in (0.5 - 1e-12, 0.5 + 1e-12)]
    middle = np.take_along_axis(order, np.stack(sides, axis=-1), axis=-1)
    medians: Scores = np.take_along_axis(values, middle, axis=-1).mean(axis=-1, dtype=np.float64)
    return medians


@dataclass(frozen=True, repr=False)
class _NegMeanPinballLoss:
    alpha: float
    score_task: ClassVar[Task] = "regression"

    def __repr__(self) -> str:
        return f"neg_mean_pinball_loss({self.alpha:g})"

    def __call__(self, outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
        # alpha * (y - o) above the output and (1 - alpha) * (o - y) below it are
        # |o - y| / 2 + (1 - 2 alpha) (o - y) / 2 throughout, which needs no second array.
        outputs -= y
        signed = _mean(outputs, sample_weight)
        np.abs(outputs, out=outputs)
        doubled = _mean(outputs, sample_weight) + (1 - 2 * self.alpha) * signed
        gains: Scores = -doubled.mean(axis=1) / 2
        return gains


def neg_mean_pinball_loss(alpha: float = 0.5) -> PopulationScore:
    """Make the score whose optimum is a quantile of the targets: the mean pinball loss, negated.

    Parameters
    ----------
    alpha : float, default=0.5
        Which quantile, 0 to 1. Half the mean absolute error with 0.5.

    Returns
    -------
    PopulationScore
        The mean over the outputs. It overwrites the outputs, and it can be pickled.

    Raises
    ------
    TypeError, ValueError
        If `alpha` is no number between 0 and 1.

    Examples
    --------
    >>> neg_mean_pinball_loss(0.75)(np.array([[[0.0, 0.0]]]), np.array([[4.0, -4.0]]))
    array([-2.])
    """
    check_number(alpha, "alpha", low=0, high=1)
    return _NegMeanPinballLoss(float(alpha))
