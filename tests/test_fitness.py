"""Scores against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss

from ga_ann.fitness import FITNESS

cases = given(
    seed=st.integers(0, 999),
    n_solutions=st.integers(1, 5),
    n_samples=st.integers(1, 40),
    n_classes=st.integers(2, 6),
    ties=st.booleans(),
)


def draw(seed, n_solutions, n_samples, n_classes, ties):
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((n_solutions, n_classes, n_samples)) * 3
    outputs = outputs.round() if ties else outputs
    return outputs.astype(np.float32), rng.integers(0, n_classes, n_samples)


@cases
def test_accuracy_is_scikit_learns(**case):
    outputs, y = draw(**case)
    expected = [accuracy_score(y, one.argmax(axis=0)) for one in outputs]
    assert FITNESS["accuracy"](outputs, y).tolist() == expected


@cases
def test_neg_log_loss_is_scikit_learns(**case):
    outputs, y = draw(**case)
    labels = range(outputs.shape[1])
    expected = [
        -log_loss(y, softmax(one.astype(float), axis=0).T, labels=labels) for one in outputs
    ]
    assert FITNESS["neg_log_loss"](outputs, y) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_neg_log_loss_of_extreme_outputs_is_finite():
    outputs = np.array([[[1e4], [-1e4]], [[-1e4], [1e4]]], dtype=np.float32)
    assert FITNESS["neg_log_loss"](outputs, np.array([0])).tolist() == [0, -20000]
