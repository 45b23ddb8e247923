"""Scores of predicted classes against scikit-learn's, one solution at a time."""

from functools import partial

import numpy as np
import pytest
import sklearn.metrics as skm
from hypothesis import given, settings
from hypothesis import strategies as st

from ga_ann.fitness.classification import confusion_counts, fbeta, neg_cost
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
def test_scores_of_predictions_are_scikit_learns(check, draw, name, metric, **case):
    check(FITNESS[name], metric, draw(**case))


@cases(max_classes=2)
def test_f1_is_scikit_learns(check, draw, **case):
    check(FITNESS["f1"], f("binary"), draw(**case))


@pytest.mark.parametrize("average", ["macro", "weighted", "binary"])
@pytest.mark.parametrize("beta", [0, 0.5, 2])
@cases(max_classes=4)
def test_fbeta_is_scikit_learns(check, draw, beta, average, **case):
    if average == "binary":
        case["n_classes"] = 2
    check(fbeta(beta, average), f(average, beta), draw(**case))


@cases()
def test_confusion_counts_are_scikit_learns(draw, **case):
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
def test_neg_cost_is_the_mean_cost_of_a_sample(check, draw, **case):
    outputs, y, weights = draw(**case)
    costs = np.random.default_rng(1).normal(size=(len(outputs[0]),) * 2)

    def mean_cost(y, one, weights):
        return -np.average(costs[y, one.argmax(axis=0)], weights=weights)

    check(neg_cost(costs), mean_cost, (outputs, y, weights))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (FITNESS["f1"], "2 classes.*got 3.*f1_macro"),
        (fbeta(2, "binary"), "2 classes.*got 3"),
        (neg_cost([[0, 1], [1, 0]]), r"3 classes, got shape \(2, 2\)"),
    ],
)
def test_scores_refuse_a_number_of_classes_that_they_do_not_fit(score, message):
    with pytest.raises(ValueError, match=message):
        score(np.zeros((1, 3, 2)), np.array([0, 1]))


@pytest.mark.parametrize("name", ["balanced_accuracy", "g_mean"])
def test_scores_by_recall_take_a_sample_for_as_important_as_its_class_is_rare(name):
    shares = np.array([0.5, 0.4, 0.1])
    assert FITNESS[name].importance(shares) == pytest.approx(1 / shares)


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


def test_parameters_are_shown():
    made = [fbeta(0.5, "binary"), neg_cost([[0, 1], [9, 0]])]
    assert [repr(score) for score in made] == [
        "fbeta(0.5, average='binary')",
        "neg_cost([[0.0, 1.0], [9.0, 0.0]])",
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
    ],
)
def test_bad_parameters_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
