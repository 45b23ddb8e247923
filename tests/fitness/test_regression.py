"""Scores of regressions against scikit-learn's, one solution at a time."""

from functools import partial

import numpy as np
import pytest
import sklearn.metrics as skm
from hypothesis import given, settings
from hypothesis import strategies as st

from ga_ann.fitness.regression import neg_mean_pinball_loss
from ga_ann.fitness.score import REGRESSION_FITNESS

regressions = given(
    seed=st.integers(0, 10**6),
    n_outputs=st.integers(1, 3),
    n_samples=st.integers(2, 30),
    weighted=st.booleans(),
    constant=st.booleans(),
)


def draw_regression(seed, n_outputs, n_samples, weighted, constant):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n_outputs, n_samples)) * 3
    if constant:
        y[0] = 1.0
    outputs = (y + rng.standard_normal((3, n_outputs, n_samples))).astype(np.float32)
    if constant:
        outputs[0, 0] = 1.0
    # No weight of 0 here: the numbers of samples that R2 takes are then the same.
    weights = rng.integers(1, 9, n_samples) / 4 if weighted else None
    return outputs, y, weights


def of_targets(metric, sign=-1, **parameters):
    return lambda y, one, weights: sign * metric(y.T, one.T, sample_weight=weights, **parameters)


@pytest.mark.parametrize(
    ("score", "metric"),
    [
        ("neg_mean_absolute_error", of_targets(skm.mean_absolute_error)),
        ("neg_mean_squared_error", of_targets(skm.mean_squared_error)),
        ("neg_root_mean_squared_error", of_targets(skm.root_mean_squared_error)),
        ("r2", of_targets(skm.r2_score, sign=1)),
        *(
            (neg_mean_pinball_loss(alpha), of_targets(skm.mean_pinball_loss, alpha=alpha))
            for alpha in (0, 0.2, 0.5, 1)
        ),
    ],
)
@settings(max_examples=25)
@regressions
def test_scores_of_regressions_are_scikit_learns(check, score, metric, **case):
    if isinstance(score, str):
        score = REGRESSION_FITNESS[score]
    check(score, metric, draw_regression(**case), tolerance=1e-5)


@settings(max_examples=25)
@regressions
def test_neg_median_absolute_error_is_scikit_learns(check, **case):
    outputs, y, weights = draw_regression(**case)

    def metric(y, one, weights):
        # Weights are multiples of a quarter: weighting is repeating.
        times = 1 if weights is None else (weights * 4).astype(int)
        return -skm.median_absolute_error(y.T.repeat(times, axis=0), one.T.repeat(times, axis=0))

    check(
        REGRESSION_FITNESS["neg_median_absolute_error"],
        metric,
        (outputs, y, weights),
        tolerance=1e-5,
    )


def test_parameters_are_shown():
    assert repr(neg_mean_pinball_loss(0.9)) == "neg_mean_pinball_loss(0.9)"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (partial(neg_mean_pinball_loss, 1.5), ValueError, "alpha must be <= 1"),
    ],
)
def test_bad_parameters_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
