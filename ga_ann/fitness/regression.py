"""Scores of regressions; they overwrite the outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.arrays import as_type, cumulative_sum, in_place, namespace_of
from ga_ann.fitness.score import (
    Outputs,
    PopulationScore,
    Scores,
    Targets,
    Weights,
    mean_of_last,
    mean_of_samples,
    named_score,
    population_score,
)
from ga_ann.validation import check_number


def _errors(outputs: Outputs, y: Targets) -> Outputs:
    """Return by how much the outputs exceed the targets, which may be of another precision."""
    return in_place(namespace_of(outputs).subtract, outputs, y)  # type: ignore[no-any-return]


def _absolute(values: Outputs) -> Outputs:
    return in_place(namespace_of(values).abs, values)  # type: ignore[no-any-return]


def _squared_errors(outputs: Outputs, y: Targets, sample_weight: Weights) -> Scores:
    """Return the mean squared error of each output, (n_solutions, n_outputs)."""
    squares = in_place(namespace_of(outputs).square, _errors(outputs, y))
    return mean_of_samples(squares, sample_weight)


def _mean_of_outputs(values: Scores) -> Scores:
    means: Scores = namespace_of(values).mean(values, axis=1)
    return means


@named_score("regression")
def neg_mean_squared_error(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the mean squared error, negated.

    Examples
    --------
    >>> neg_mean_squared_error(np.array([[[1.0, 4.0]]]), np.array([[1.0, 2.0]]))
    array([-2.])
    """
    return -_mean_of_outputs(_squared_errors(outputs, y, sample_weight))


@named_score("regression")
def neg_root_mean_squared_error(
    outputs: Outputs, y: Targets, sample_weight: Weights = None
) -> Scores:
    """Return the mean over the outputs of the root of the mean squared error, negated.

    Examples
    --------
    >>> neg_root_mean_squared_error(np.array([[[1.0, 4.0]]]), np.array([[3.0, 2.0]]))
    array([-2.])
    """
    squares = _squared_errors(outputs, y, sample_weight)
    return -_mean_of_outputs(namespace_of(squares).sqrt(squares))


@named_score("regression")
def r2(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the coefficient of determination, the mean over the outputs.

    An output whose targets are all the same counts 1 where it is exact, and 0 otherwise.

    Examples
    --------
    >>> r2(np.array([[[1.0, 2.0, 6.0]]]), np.array([[1.0, 2.0, 3.0]]))
    array([-3.5])
    """
    xp, errors = namespace_of(outputs), _squared_errors(outputs, y, sample_weight)
    varies = xp.max(y, axis=1) > xp.min(y, axis=1)
    variances = mean_of_samples(
        (y - mean_of_samples(y, sample_weight)[:, None]) ** 2, sample_weight
    )
    shares = errors / xp.where(varies, variances, 1.0)
    return _mean_of_outputs(1 - xp.where(varies, shares, as_type(errors != 0, xp.float64)))


@named_score("regression")
def neg_mean_absolute_error(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the mean absolute error, negated.

    Examples
    --------
    >>> neg_mean_absolute_error(np.array([[[1.0, 4.0]]]), np.array([[1.0, 2.0]]))
    array([-1.])
    """
    return -_mean_of_outputs(mean_of_samples(_absolute(_errors(outputs, y)), sample_weight))


@named_score("regression")
def neg_median_absolute_error(
    outputs: Outputs, y: Targets, sample_weight: Weights = None
) -> Scores:
    """Return the median absolute error, the mean over the outputs, negated.

    Weights count like repeated samples: where half of the weight lies on either side of two
    errors, the median is halfway between them.

    Examples
    --------
    >>> neg_median_absolute_error(np.array([[[1.0, 4.0, 9.0]]]), np.array([[1.0, 2.0, 0.0]]))
    array([-2.])
    """
    xp, errors = namespace_of(outputs), _absolute(_errors(outputs, y))
    if sample_weight is not None:
        medians = _weighted_median(errors, as_type(sample_weight, xp.float64))
    elif xp is np:  # which finds the middle without sorting
        medians = np.median(errors, axis=2, overwrite_input=True)
    else:
        ordered, n = xp.sort(errors, axis=2), errors.shape[2]
        medians = (ordered[:, :, (n - 1) // 2] + ordered[:, :, n // 2]) / 2
    return -mean_of_last(medians)


def _weighted_median(values: NDArray[Any], weights: Scores) -> Scores:
    """Return the median over the last axis."""
    xp, order = namespace_of(values), namespace_of(values).argsort(values, axis=-1)
    ordered = xp.take_along_axis(xp.broadcast_to(weights, order.shape), order, axis=-1)
    shares = cumulative_sum(ordered, -1) / xp.sum(weights)
    # Sums of weights are not exact; what is as good as a half shall count as one.
    sides = [xp.count_nonzero(shares < half, axis=-1) for half in (0.5 - 1e-12, 0.5 + 1e-12)]
    middle = xp.take_along_axis(order, xp.stack(sides, axis=-1), axis=-1)
    pair = xp.take_along_axis(values, middle, axis=-1)
    return mean_of_last(pair)


@population_score("regression", any_array=True)
@dataclass(frozen=True, repr=False)
class _NegMeanPinballLoss:
    alpha: float

    def __repr__(self) -> str:
        return f"neg_mean_pinball_loss({self.alpha:g})"

    def __call__(self, outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
        # alpha * (y - o) above the output and (1 - alpha) * (o - y) below it are
        # |o - y| / 2 + (1 - 2 alpha) (o - y) / 2 throughout, which needs no second array.
        errors = _errors(outputs, y)
        signed = mean_of_samples(errors, sample_weight)
        absolute = mean_of_samples(_absolute(errors), sample_weight)
        return -_mean_of_outputs(absolute + (1 - 2 * self.alpha) * signed) / 2


def neg_mean_pinball_loss(alpha: float = 0.5) -> PopulationScore:
    """Make the score whose optimum is a quantile of the targets: the mean pinball loss, negated.

    Parameters
    ----------
    alpha : float, default=0.5
        Which quantile, 0 to 1. Half the mean absolute error with 0.5.

    Returns
    -------
    PopulationScore
        The mean over the outputs. It can be pickled.

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
