"""Scores of regressions; they overwrite the outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.fitness.score import (
    Outputs,
    PopulationScore,
    Scores,
    Targets,
    Weights,
    mean_of_samples,
    named_score,
    population_score,
)
from ga_ann.validation import check_number


def _squared_errors(outputs: Outputs, y: Targets, sample_weight: Weights) -> Scores:
    """Return the mean squared error of each output, (n_solutions, n_outputs)."""
    outputs -= y
    np.square(outputs, out=outputs)
    return mean_of_samples(outputs, sample_weight)


@named_score("regression")
def neg_mean_squared_error(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the mean squared error, negated.

    Examples
    --------
    >>> neg_mean_squared_error(np.array([[[1.0, 4.0]]]), np.array([[1.0, 2.0]]))
    array([-2.])
    """
    means: Scores = _squared_errors(outputs, y, sample_weight).mean(axis=1)
    return -means


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
    means: Scores = np.sqrt(_squared_errors(outputs, y, sample_weight)).mean(axis=1)
    return -means


@named_score("regression")
def r2(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the coefficient of determination, the mean over the outputs.

    An output whose targets are all the same counts 1 where it is exact, and 0 otherwise.

    Examples
    --------
    >>> r2(np.array([[[1.0, 2.0, 6.0]]]), np.array([[1.0, 2.0, 3.0]]))
    array([-3.5])
    """
    errors = _squared_errors(outputs, y, sample_weight)
    varies = np.ptp(y, axis=1) > 0
    variances = mean_of_samples(
        (y - mean_of_samples(y, sample_weight)[:, None]) ** 2, sample_weight
    )
    shares = np.where(varies, errors / np.where(varies, variances, 1), errors != 0)
    means: Scores = (1 - shares).mean(axis=1)
    return means


@named_score("regression")
def neg_mean_absolute_error(outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
    """Return the mean absolute error, negated.

    Examples
    --------
    >>> neg_mean_absolute_error(np.array([[[1.0, 4.0]]]), np.array([[1.0, 2.0]]))
    array([-1.])
    """
    outputs -= y
    np.abs(outputs, out=outputs)
    means: Scores = mean_of_samples(outputs, sample_weight).mean(axis=1)
    return -means


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


@population_score("regression")
@dataclass(frozen=True, repr=False)
class _NegMeanPinballLoss:
    alpha: float

    def __repr__(self) -> str:
        return f"neg_mean_pinball_loss({self.alpha:g})"

    def __call__(self, outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
        # alpha * (y - o) above the output and (1 - alpha) * (o - y) below it are
        # |o - y| / 2 + (1 - 2 alpha) (o - y) / 2 throughout, which needs no second array.
        outputs -= y
        signed = mean_of_samples(outputs, sample_weight)
        np.abs(outputs, out=outputs)
        doubled = mean_of_samples(outputs, sample_weight) + (1 - 2 * self.alpha) * signed
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
