"""Scores of classifications from the outputs themselves, or the probabilities that softmax gives.

The outputs are unnormalised logarithms of probabilities; these scores overwrite them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ga_ann.arrays import as_type, cumulative_sum, in_place, namespace_of, softmax
from ga_ann.fitness.score import (
    Codes,
    Outputs,
    PopulationScore,
    Scores,
    Targets,
    Task,
    Weights,
    is_own_class,
    mean_of_samples,
    named_score,
    outputs_of_own_class,
    population_score,
)


@named_score("classification")
def neg_log_loss(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the mean logarithm of the probability that softmax gives to each sample's class.

    It is at most 0.

    Examples
    --------
    >>> np.exp(neg_log_loss(np.zeros((1, 4, 3)), np.array([0, 1, 3])))
    array([0.25])
    """
    xp = namespace_of(outputs)
    outputs -= xp.max(outputs, axis=1, keepdims=True)  # so that nothing overflows
    own = outputs_of_own_class(outputs, y)
    outputs = in_place(xp.exp, outputs)
    own -= xp.log(xp.sum(outputs, axis=1))
    return mean_of_samples(own, sample_weight)


@population_score("classification", any_array=True)
@dataclass(frozen=True, repr=False)
class _AdjustedLogLoss:
    importance_of_classes: tuple[float, ...]

    def __repr__(self) -> str:
        return f"adjusted_log_loss({list(self.importance_of_classes)})"

    def __call__(self, outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
        if outputs.shape[1] != len(self.importance_of_classes):
            raise ValueError(
                f"importance must have a weight for each of the {outputs.shape[1]} classes, got "
                f"{len(self.importance_of_classes)}."
            )
        logs = [[float(log)] for log in np.log(self.importance_of_classes)]
        outputs -= namespace_of(outputs).asarray(logs, dtype=outputs.dtype, device=outputs.device)
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
        It can be pickled.

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

    @property
    def score_task(self) -> Task:
        task: Task = getattr(self.score, "score_task", "classification")
        return task

    @property
    def any_array(self) -> bool:
        return getattr(self.score, "any_array", False)

    def __repr__(self) -> str:
        return f"scaled({self.score!r}, {self.factor:g})"

    def __call__(self, outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
        outputs *= self.factor
        return self.score(outputs, y, sample_weight)


def scaled(score: PopulationScore, factor: float) -> PopulationScore:
    """Make a score of the outputs times a factor.

    Examples
    --------
    >>> outputs = np.array([[[2.0, 4.0], [0.0, 0.0]]])
    >>> scaled(margin, 0.25)(outputs, np.array([0, 0]))
    array([0.75])
    """
    return _Scaled(score, factor)


@named_score("classification")
def neg_brier_score(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the mean squared error of the probabilities that softmax gives, negated.

    Squares are summed over the classes, -2 to 0, and halved where there are two classes, -1 to 0:
    scikit-learn's ``brier_score_loss(scale_by_half="auto")``.

    Examples
    --------
    >>> neg_brier_score(np.zeros((1, 2, 3)), np.array([0, 1, 1]))
    array([-0.25])
    >>> neg_brier_score(np.zeros((1, 4, 3)), np.array([0, 1, 3]))
    array([-0.75])
    """
    xp, outputs = namespace_of(outputs), softmax(outputs, 1)
    outputs -= as_type(is_own_class(outputs, y), outputs.dtype)
    outputs = in_place(xp.square, outputs)
    scale = 0.5 if outputs.shape[1] == 2 else 1.0
    return -scale * mean_of_samples(xp.sum(outputs, axis=1), sample_weight)


@named_score("classification")
def margin(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return by how much each sample's own output exceeds the largest other one: the mean.

    A sample counts at most 1, so that none can make up for many.

    Examples
    --------
    >>> margin(np.array([[[0.75, 9.0], [0.25, 0.0]]]), np.array([0, 0]))
    array([0.75])
    """
    xp, own = namespace_of(outputs), outputs_of_own_class(outputs, y)
    infinity = xp.full((), np.inf, dtype=outputs.dtype, device=outputs.device)
    outputs -= xp.where(is_own_class(outputs, y), infinity, 0.0)
    own -= xp.max(outputs, axis=1)
    return mean_of_samples(xp.where(own > 1, 1.0, own), sample_weight)


@named_score("classification")
def roc_auc(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the area under the receiver operating characteristic.

    Two classes are told apart by the difference of their outputs; more of them by the
    probabilities that softmax gives, each class against the rest, and the areas are averaged over
    the classes that `y` has. With one class in `y` it is 0.5, that of chance (`roc_auc_score`
    gives NaN).

    Examples
    --------
    >>> outputs = np.array([[[0.0, 0.0, 0.0], [-1.0, 1.0, 0.5]]])
    >>> roc_auc(outputs, np.array([0, 0, 1]))
    array([0.5])
    """
    if namespace_of(outputs) is not np:
        return _mean_auc(outputs, y, sample_weight)
    weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    present = np.flatnonzero(np.bincount(y, weights, minlength=outputs.shape[1]))
    if len(present) < 2:
        return np.full(len(outputs), 0.5)
    if outputs.shape[1] == 2:
        return _auc(outputs[:, 1] - outputs[:, 0], y == 1, weights)
    outputs = softmax(outputs, 1)
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


def _mean_auc(outputs: Outputs, y: Codes, sample_weight: Weights) -> Scores:
    """Return the same by what every library has, and without a look at which classes there are."""
    xp, n_classes = namespace_of(outputs), outputs.shape[1]
    if n_classes == 2:
        classes, rankings = [1], [outputs[:, 1, :] - outputs[:, 0, :]]
    else:
        classes, outputs = list(range(n_classes)), softmax(outputs, 1)
        rankings = [outputs[:, k, :] for k in classes]
    weights = xp.ones(y.shape[0], dtype=xp.float64, device=y.device)
    weights = weights if sample_weight is None else as_type(sample_weight, xp.float64)
    total, count = 0.0, 0.0
    for k, ranking in zip(classes, rankings, strict=True):
        pair = xp.sum(xp.where(y == k, weights, 0.0)) * xp.sum(xp.where(y == k, 0.0, weights))
        total = total + _count_pairs(ranking, y == k, weights) / xp.where(pair > 0, pair, 1.0)
        count = count + as_type(pair > 0, xp.float64)
    areas: Scores = xp.where(count > 0, total / xp.where(count > 0, count, 1.0), 0.5)
    return areas


def _count_pairs(ranking: Any, positive: Any, weights: Any) -> Any:
    """Return the weight of the pairs whose positive ranks above the negative; a tie counts half.

    Half of it is counted with the positives in front of the negatives that they are equal to, and
    half of it with the positives behind them.
    """
    xp, halves = namespace_of(ranking), []
    for first in (positive, ~positive):
        before = xp.argsort(as_type(~first, xp.int8))  # stable, as is the next
        order = xp.argsort(xp.take(ranking, before, axis=1), axis=1)
        gains, losses = (
            xp.take_along_axis(
                xp.broadcast_to(xp.take(xp.where(side, weights, 0.0), before), ranking.shape),
                order,
                axis=1,
            )
            for side in (positive, ~positive)
        )
        halves.append(xp.sum(gains * cumulative_sum(losses, 1), axis=1) / 2)
    return halves[0] + halves[1]
