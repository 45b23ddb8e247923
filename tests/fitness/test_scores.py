"""Scores against scikit-learn's, one solution at a time."""

import pickle
from functools import partial

import numpy as np
import pytest
import sklearn.metrics as skm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from ga_ann.fitness import scores
from ga_ann.fitness.names import FITNESS, REGRESSION_FITNESS
from ga_ann.fitness.scores import (
    adjusted_log_loss,
    confusion_counts,
    fbeta,
    neg_cost,
    neg_mean_pinball_loss,
    scaled,
)

# Warnings of scikit-learn about the very cases that are of interest here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
    pytest.mark.filterwarnings("ignore:A single label was found"),
    pytest.mark.filterwarnings("ignore:invalid value encountered"),
]

KINDS = ("plain", "ties", "lopsided")


def cases(max_classes=5):
    """Run a test on random populations; some lack classes, in the truth or in the predictions."""

    def decorate(test):
        drawn = given(
            seed=st.integers(0, 10**6),
            n_classes=st.integers(2, max_classes),
            n_samples=st.integers(1, 30),
            kind=st.sampled_from(KINDS),
            weighted=st.booleans(),
        )
        return settings(max_examples=25, deadline=None)(drawn(test))

    return decorate


def draw(seed, n_classes, n_samples, kind, weighted, dtype=np.float32):
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((3, n_classes, n_samples)) * 3
    if kind == "ties":
        outputs = outputs.round()
    y = rng.integers(0, n_classes, n_samples)
    if kind == "lopsided":  # one class is hardly predicted, and only two are there
        outputs[:, 0] -= 6
        y = np.minimum(y, 1)
    return outputs.astype(dtype), y, draw_weights(rng, n_samples) if weighted else None


def draw_weights(rng, n_samples):
    # Multiples of a quarter: their sums are exact, so that what is equal compares equal.
    weights = rng.integers(0, 9, n_samples) / 4
    weights[rng.integers(n_samples)] = 1
    return weights


def one_by_one(metric, outputs, y, weights):
    """Return a metric of every solution; samples of weight 0 are taken away before."""
    kept = slice(None) if weights is None else weights > 0
    if weights is not None:
        weights = weights[kept]
    return np.array([metric(y[..., kept], one[..., kept], weights) for one in outputs])


def of_predictions(metric, **parameters):
    return lambda y, one, weights: metric(
        y, one.argmax(axis=0), sample_weight=weights, **parameters
    )


def g_mean(y, one, weights):
    classes = np.unique(y)
    recalls = skm.recall_score(
        y, one.argmax(axis=0), labels=classes, average=None, sample_weight=weights
    )
    return np.prod(recalls) ** (1 / len(classes))


def kappa_or_0(y, one, weights):
    kappa = skm.cohen_kappa_score(y, one.argmax(axis=0), sample_weight=weights)
    return 0.0 if np.isnan(kappa) else kappa


def f(average, beta=1.0):
    return of_predictions(skm.fbeta_score, beta=beta, average=average, zero_division=0)


def check(score, metric, case, tolerance=1e-9):
    outputs, y, weights = case
    expected = one_by_one(metric, outputs, y, weights)  # before the outputs are overwritten
    found = score(outputs, y, weights)
    assert found.dtype == np.float64
    assert found == pytest.approx(expected, rel=tolerance, abs=tolerance)


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("accuracy", of_predictions(skm.accuracy_score)),
        ("balanced_accuracy", of_predictions(skm.balanced_accuracy_score)),
        ("cohen_kappa", kappa_or_0),
        ("f1_macro", f("macro")),
        ("f1_weighted", f("weighted")),
        ("g_mean", g_mean),
        ("matthews_corrcoef", of_predictions(skm.matthews_corrcoef)),
    ],
)
@cases()
def test_scores_of_predictions_are_scikit_learns(name, metric, **case):
    check(FITNESS[name], metric, draw(**case))


@cases(max_classes=2)
def test_f1_is_scikit_learns(**case):
    check(FITNESS["f1"], f("binary"), draw(**case))


@pytest.mark.parametrize("average", ["macro", "weighted", "binary"])
@pytest.mark.parametrize("beta", [0, 0.5, 2])
@cases(max_classes=4)
def test_fbeta_is_scikit_learns(beta, average, **case):
    if average == "binary":
        case["n_classes"] = 2
    check(fbeta(beta, average), f(average, beta), draw(**case))


@cases()
def test_confusion_counts_are_scikit_learns(**case):
    outputs, y, weights = draw(**case)
    labels = range(outputs.shape[1])
    expected = [
        skm.confusion_matrix(y, one.argmax(axis=0), labels=labels, sample_weight=weights)
        for one in outputs
    ]
    assert np.array_equal(confusion_counts(outputs, y, weights), expected)


def test_confusion_counts_of_many_classes():
    codes = np.arange(300)
    assert np.array_equal(confusion_counts(np.eye(300)[None], codes)[0], np.eye(300))


@cases()
def test_neg_cost_is_the_mean_cost_of_a_sample(**case):
    outputs, y, weights = draw(**case)
    costs = np.random.default_rng(1).normal(size=(len(outputs[0]),) * 2)

    def mean_cost(y, one, weights):
        return -np.average(costs[y, one.argmax(axis=0)], weights=weights)

    check(neg_cost(costs), mean_cost, (outputs, y, weights))


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
def test_scores_of_outputs_are_those_of_each_solution(name, metric, **case):
    check(FITNESS[name], metric, draw(**case), tolerance=2e-5)


@cases()
def test_neg_brier_score_is_scikit_learns(**case):
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
def test_roc_auc_is_scikit_learns(**case):
    check(FITNESS["roc_auc"], roc_auc, draw(**case, dtype=np.float64))


@cases()
def test_roc_auc_of_all_classes_is_scikit_learns_one_versus_rest(**case):
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


@pytest.mark.parametrize("name", sorted(FITNESS))
def test_a_faultless_solution_beats_a_useless_one_with_one_class_only(name):
    outputs = np.array([[[-9, -9], [9, 9]], [[9, 9], [-9, -9]]], dtype=np.float32)
    good, bad = FITNESS[name](outputs, np.array([1, 1]))
    assert good >= bad  # and neither is NaN


# ---- regression ----------------------------------------------------------------------------------

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
@settings(max_examples=25, deadline=None)
@regressions
def test_scores_of_regressions_are_scikit_learns(score, metric, **case):
    if isinstance(score, str):
        score = REGRESSION_FITNESS[score]
    check(score, metric, draw_regression(**case), tolerance=1e-5)


@settings(max_examples=25, deadline=None)
@regressions
def test_neg_median_absolute_error_is_scikit_learns(**case):
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


# ---- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "score", [*FITNESS.values(), *REGRESSION_FITNESS.values(), fbeta(2), neg_cost([[0, 1], [9, 0]])]
)
def test_scores_can_be_pickled(score):
    assert pickle.loads(pickle.dumps(score)) == score  # one of our own


def test_parameters_are_shown():
    made = [fbeta(0.5, "binary"), neg_cost([[0, 1], [9, 0]]), neg_mean_pinball_loss(0.9)]
    assert [repr(score) for score in made] == [
        "fbeta(0.5, average='binary')",
        "neg_cost([[0.0, 1.0], [9.0, 0.0]])",
        "neg_mean_pinball_loss(0.9)",
    ]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (partial(neg_cost, [[0, 1]]), ValueError, r"square.*got shape \(1, 2\)"),
        (partial(neg_cost, [0, 1]), ValueError, r"square.*got shape \(2,\)"),
        (partial(neg_cost, np.empty((0, 0))), ValueError, "square"),
        (partial(neg_cost, [[0, np.inf], [1, 0]]), ValueError, "finite.*inf"),
        (partial(fbeta, -1), ValueError, "beta must be >= 0"),
        (partial(fbeta, "2"), TypeError, "beta must be a number"),
        (partial(fbeta, 1, "micro"), ValueError, "average must be .* got 'micro'"),
        (partial(neg_mean_pinball_loss, 1.5), ValueError, "alpha must be <= 1"),
    ],
)
def test_bad_parameters_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (scores.f1, "2 classes.*got 3.*f1_macro"),
        (fbeta(2, "binary"), "2 classes.*got 3"),
        (neg_cost([[0, 1], [1, 0]]), r"3 classes, got shape \(2, 2\)"),
    ],
)
def test_scores_refuse_a_number_of_classes_that_they_do_not_fit(score, message):
    with pytest.raises(ValueError, match=message):
        score(np.zeros((1, 3, 2)), np.array([0, 1]))


# ---- importance ----------------------------------------------------------------------------------


def draw_importance(seed, n_classes):
    return np.exp(np.random.default_rng(seed).uniform(-3, 3, n_classes))


@cases()
def test_adjusted_log_loss_is_the_log_loss_of_outputs_less_the_logarithms(**case):
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
def test_adjusted_log_loss_of_equal_importance_is_the_log_loss(**case):
    outputs, y, weights = draw(**case)
    score = adjusted_log_loss([4.0] * case["n_classes"])
    plain = scores.neg_log_loss(outputs.copy(), y, weights)
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


@pytest.mark.parametrize("name", ["balanced_accuracy", "g_mean"])
def test_scores_by_recall_take_a_sample_for_as_important_as_its_class_is_rare(name):
    shares = np.array([0.5, 0.4, 0.1])
    assert FITNESS[name].importance(shares) == pytest.approx(1 / shares)


def test_other_scores_give_all_samples_the_same_importance():
    named = {name for name, score in FITNESS.items() if hasattr(score, "importance")}
    assert named == {"balanced_accuracy", "g_mean"}


@pytest.mark.parametrize(
    ("costs", "importance"),
    [
        ([[0, 1], [10, 0]], [1, 10]),
        ([[-5, 1], [10, -2]], [6, 12]),  # right answers that gain something
        ([[0, 0], [3, 0]], [0, 3]),  # a class that costs nothing to mistake
        ([[2, 2], [2, 2]], [0, 0]),
        ([[0, 2, 4], [1, 0, 1], [30, 50, 0]], [3, 1, 40]),  # means of the two mistakes
        ([[1, 2, 4], [0, 0, 0], [1, 3, -1]], [2, 0, 3]),
        ([[7]], [0]),
    ],
)
def test_the_importance_of_a_class_is_what_its_mistakes_cost(costs, importance):
    found = neg_cost(costs).importance(np.full(len(costs), 0.5))
    assert found == pytest.approx(np.array(importance, dtype=float))


@cases()
def test_a_scaled_score_is_that_of_scaled_outputs(**case):
    outputs, y, weights = draw(**case)
    for factor in (1e-3, 2.5):
        expected = scores.neg_log_loss(outputs * np.float32(factor), y, weights)
        found = scaled(scores.neg_log_loss, factor)(outputs.copy(), y, weights)
        assert (found == expected).all()
