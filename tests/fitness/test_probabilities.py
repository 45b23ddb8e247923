"""Scores of outputs and their softmax against scikit-learn's, one solution at a time."""

import pickle

import numpy as np
import pytest
import sklearn.metrics as skm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from ga_ann.fitness.probabilities import adjusted_log_loss, neg_log_loss, scaled
from ga_ann.fitness.score import FITNESS

# Warnings of scikit-learn about the very cases that are of interest here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
    pytest.mark.filterwarnings("ignore:A single label was found"),
    pytest.mark.filterwarnings("ignore:invalid value encountered"),
]


def cases(max_classes=5):
    """Run a test on random populations; some lack classes, in the truth or in the predictions."""

    def decorate(test):
        drawn = given(
            seed=st.integers(0, 10**6),
            n_classes=st.integers(2, max_classes),
            n_samples=st.integers(1, 30),
            kind=st.sampled_from(["plain", "ties", "lopsided"]),
            weighted=st.booleans(),
        )
        return settings(max_examples=25)(drawn(test))

    return decorate


def probabilities(one):
    return softmax(one.astype(float), axis=0).T


def log_loss(y, one, weights):
    return -skm.log_loss(y, probabilities(one), labels=range(len(one)), sample_weight=weights)


def brier(y, one, weights):
    squares = ((np.eye(len(one))[y] - probabilities(one)) ** 2).sum(axis=1)
    return -np.average(squares, weights=weights) / (2 if len(one) == 2 else 1)


def margin(y, one, weights):
    gaps = [sample[k] - np.delete(sample, k).max() for k, sample in zip(y, one.T, strict=True)]
    return np.average(np.minimum(gaps, 1), weights=weights)


@pytest.mark.parametrize(
    ("name", "metric"),
    [("neg_log_loss", log_loss), ("neg_brier_score", brier), ("margin", margin)],
)
@cases()
def test_scores_of_outputs_are_those_of_each_solution(check, draw, name, metric, **case):
    check(FITNESS[name], metric, draw(**case), tolerance=2e-5)


@cases()
def test_neg_brier_score_is_scikit_learns(check, draw, **case):
    pytest.importorskip("sklearn", minversion="1.7", reason="no multi-class Brier score before")

    def metric(y, one, weights):
        return -skm.brier_score_loss(
            y, probabilities(one), labels=range(len(one)), sample_weight=weights
        )

    check(FITNESS["neg_brier_score"], metric, draw(**case), tolerance=2e-5)


def roc_auc(y, one, weights):
    if len(np.unique(y)) == 1:
        return 0.5
    if len(one) == 2:
        return skm.roc_auc_score(y, one[1] - one[0], sample_weight=weights)
    # What scikit-learn calls one-versus-rest, but for classes that are missing, which it refuses.
    areas = [
        skm.roc_auc_score(y == k, probabilities(one)[:, k], sample_weight=weights)
        for k in np.unique(y)
    ]
    return np.mean(areas)


@cases()
def test_roc_auc_is_scikit_learns(check, draw, **case):
    check(FITNESS["roc_auc"], roc_auc, draw(**case, dtype=np.float64))


@cases()
def test_roc_auc_of_all_classes_is_scikit_learns_one_versus_rest(check, draw, **case):
    case["n_samples"] += 20
    outputs, y, _ = draw(**{**case, "kind": "plain", "weighted": False}, dtype=np.float64)
    y[: len(outputs[0])] = range(len(outputs[0]))

    def metric(y, one, _):
        given = probabilities(one) if len(one) > 2 else one[1] - one[0]
        return skm.roc_auc_score(y, given, multi_class="ovr", average="macro")

    check(FITNESS["roc_auc"], metric, (outputs, y, None))


@pytest.mark.parametrize("name", ["neg_log_loss", "neg_brier_score", "roc_auc"])
def test_scores_of_extreme_outputs_are_finite(name):
    outputs = np.array([[[1e4], [-1e4]], [[-1e4], [1e4]]], dtype=np.float32)
    assert np.isfinite(FITNESS[name](outputs, np.array([0]))).all()


def test_neg_log_loss_of_extreme_outputs_is_exact():
    outputs = np.array([[[1e4], [-1e4]], [[-1e4], [1e4]]], dtype=np.float32)
    assert FITNESS["neg_log_loss"](outputs, np.array([0])).tolist() == [0, -20000]


def draw_importance(seed, n_classes):
    return np.exp(np.random.default_rng(seed).uniform(-3, 3, n_classes))


@cases()
def test_adjusted_log_loss_is_the_log_loss_of_outputs_less_the_logarithms(draw, **case):
    outputs, y, weights = draw(**case, dtype=np.float64)
    importance = draw_importance(case["seed"], case["n_classes"])
    logs = log_softmax(outputs - np.log(importance)[:, None], axis=1)
    own = logs[:, y, np.arange(len(y))]
    expected = np.average(own, axis=1, weights=weights)
    found = adjusted_log_loss(importance)(outputs.copy(), y, weights)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    # Only the ratios of the importance matter.
    for unit in (1e-6, 7.0, 1e9):
        again = adjusted_log_loss(unit * importance)(outputs.copy(), y, weights)
        assert again == pytest.approx(found, rel=1e-9, abs=1e-12)


@cases()
def test_adjusted_log_loss_of_equal_importance_is_the_log_loss(draw, **case):
    outputs, y, weights = draw(**case)
    score = adjusted_log_loss([4.0] * case["n_classes"])
    plain = neg_log_loss(outputs.copy(), y, weights)
    assert (score(outputs.copy(), y, weights) == plain).all()


def test_the_best_outputs_of_the_adjusted_log_loss_decide_by_the_expected_cost():
    rng = np.random.default_rng(0)
    truth, importance = rng.dirichlet(np.ones(3), 200), np.array([1.0, 20.0, 3.0])
    # A sample of each class everywhere, in the shares that are true there.
    y, weights = np.tile(np.arange(3), 200), truth.ravel()
    best = np.repeat(np.log(truth * importance).T, 3, axis=1)[None]
    score = adjusted_log_loss(importance)
    expected = np.sum(truth * np.log(truth)) / 200  # the entropy: it cannot be beaten
    assert score(best.copy(), y, weights) == pytest.approx(expected)
    for _ in range(10):
        other = np.log(truth * importance) + 0.1 * rng.standard_normal(truth.shape)
        assert score(np.repeat(other.T, 3, axis=1)[None], y, weights) < expected


def test_adjusted_log_loss_shows_its_importance_and_fits_a_number_of_classes():
    score = adjusted_log_loss([1, 4])
    assert repr(score) == "adjusted_log_loss([0.25, 1.0])"
    assert repr(scaled(score, 0.5)) == "scaled(adjusted_log_loss([0.25, 1.0]), 0.5)"
    assert pickle.loads(pickle.dumps(scaled(score, 0.5))) == scaled(score, 0.5)
    with pytest.raises(ValueError, match="a weight for each of the 3 classes, got 2"):
        score(np.zeros((1, 3, 5)), np.zeros(5, dtype=int))


def test_adjusted_log_loss_of_extreme_outputs_is_finite():
    outputs = np.array([[[3e38, -3e38], [-3e38, 3e38]]], dtype=np.float32) / 4
    found = adjusted_log_loss([1e-9, 1])(outputs, np.array([0, 0]))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "importance", [[0, 1], [-1, 1], [1, np.nan], [1, np.inf], [[1, 2]], 1.0, []]
)
def test_importance_that_is_none_is_refused(importance):
    with pytest.raises(ValueError, match="importance must be positive numbers"):
        adjusted_log_loss(importance)


@cases()
def test_a_scaled_score_is_that_of_scaled_outputs(draw, **case):
    outputs, y, weights = draw(**case)
    for factor in (1e-3, 2.5):
        expected = neg_log_loss(outputs * np.float32(factor), y, weights)
        found = scaled(neg_log_loss, factor)(outputs.copy(), y, weights)
        assert (found == expected).all()
