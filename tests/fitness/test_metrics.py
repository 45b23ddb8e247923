"""Scorers and plain functions made scores of a population."""

import pickle
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    jaccard_score,
    log_loss,
    make_scorer,
    precision_score,
    recall_score,
    roc_auc_score,
)

from ga_ann.fitness import FITNESS, REGRESSION_FITNESS, per_solution
from ga_ann.storage.fingerprint import fingerprint_function

FRUITS = np.array(["apple", "lemon", "mango"])


def draw(n_classes=3, n_samples=40, seed=0):
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((4, n_classes, n_samples)).astype(np.float32)
    return outputs, np.arange(n_samples) % n_classes


def hits(y_true, y_pred):
    return np.sum(y_true == y_pred)


@pytest.mark.parametrize(
    ("scorer", "name"),
    [
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced_accuracy"),
        ("f1_macro", "f1_macro"),
        ("matthews_corrcoef", "matthews_corrcoef"),
        ("neg_log_loss", "neg_log_loss"),
        ("roc_auc_ovr", "roc_auc"),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_scorer_of_classifiers_gives_what_the_score_of_its_name_gives(scorer, name, weighted):
    outputs, y = draw()
    weights = np.arange(1.0, len(y) + 1) if weighted else None
    if weighted and name == "roc_auc":
        weights = None
    found = per_solution(scorer, FRUITS)(outputs, y, weights)
    assert found == pytest.approx(FITNESS[name](outputs, y, weights), rel=1e-5)


@pytest.mark.parametrize("scorer", ["roc_auc", "average_precision", "neg_brier_score", "f1"])
def test_scorers_of_two_classes_take_the_second_as_positive(scorer):
    outputs, y = draw(n_classes=2)
    found = per_solution(scorer, np.array([0, 1]))(outputs, y)
    assert np.isfinite(found).all()
    if scorer in FITNESS:
        assert found == pytest.approx(FITNESS[scorer](outputs, y), rel=1e-5)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("name", ["r2", "neg_mean_squared_error", "neg_median_absolute_error"])
def test_a_scorer_of_regressors_gives_what_the_score_of_its_name_gives(name, n_outputs):
    outputs, _ = draw(n_outputs)
    y = outputs.mean(axis=0).astype(float)
    found = per_solution(name, None)(outputs, y)
    assert found == pytest.approx(REGRESSION_FITNESS[name](outputs, y), rel=1e-5)


def test_a_plain_function_is_given_labels():
    outputs, y = draw()
    seen = []

    def metric(y_true, y_pred):
        seen.append((y_true.tolist(), y_pred.tolist()))
        return 0

    per_solution(metric, FRUITS)(outputs, y)
    assert seen == [
        (FRUITS[y].tolist(), [FRUITS[k] for k in one.argmax(axis=0)]) for one in outputs
    ]


def test_a_plain_function_is_given_targets():
    outputs, y = np.zeros((1, 1, 3)), np.array([[1.0, 2.0, 3.0]])
    found = per_solution(lambda y_true, y_pred: -abs(y_true - y_pred).max(), None)(outputs, y)
    assert found.tolist() == [-3]


def test_a_metric_of_scikit_learn_is_a_plain_function():
    outputs, y = draw(n_classes=2)
    found = per_solution(recall_score, [0, 1])(outputs, y)
    assert found.tolist() == [recall_score(y, one.argmax(axis=0)) for one in outputs]


def test_a_scorer_object_keeps_its_parameters_and_sign():
    outputs, y = draw()
    scorer = make_scorer(precision_score, greater_is_better=False, average="macro")
    expected = [-precision_score(y, one.argmax(axis=0), average="macro") for one in outputs]
    assert per_solution(scorer, FRUITS)(outputs, y).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("classes", [FRUITS, None])
def test_a_function_of_three_arguments_is_a_scorer_and_may_look_at_some_samples_only(classes):
    outputs, y = draw()
    if classes is None:
        y = np.zeros((3, len(y)))
    kinds = []

    def scorer(estimator, X, y):
        kinds.append((is_classifier(estimator), is_regressor(estimator)))
        return np.mean(estimator.predict(X[5:9]) == y[5:9])

    found = per_solution(scorer, classes)(outputs, y)
    part = FITNESS["accuracy"](outputs[:, :, 5:9], y[5:9]) if classes is not None else np.zeros(4)
    assert found.tolist() == part.tolist()
    assert set(kinds) == {(classes is not None, classes is None)}


def test_the_outputs_are_left_as_they_are():
    outputs, y = draw()
    before = outputs.copy()
    per_solution("neg_log_loss", FRUITS)(outputs, y)
    assert np.array_equal(outputs, before)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (ZeroDivisionError("nothing found"), "ZeroDivisionError: nothing found"),
        (float("nan"), "NaN"),
        (np.array([0.5, 0.5]), "must return a number, got array"),
        ("0.5", "must return a number, got '0.5'"),
        (None, "TypeError"),
    ],
)
def test_a_metric_that_fails_for_a_solution_gives_nan_and_warns_once(returned, said):
    def moody(y_true, y_pred):
        if y_pred[0] == "apple":
            if isinstance(returned, Exception):
                raise returned
            return returned
        return 1.0

    outputs = np.array([[[0.0], [1.0]], [[1.0], [0.0]], [[1.0], [0.0]]])
    score = per_solution(moody, FRUITS[:2])
    with pytest.warns(RuntimeWarning, match=f"moody is NaN.*{said}") as caught:
        assert np.array_equal(score(outputs, np.array([0])), [1, np.nan, np.nan], equal_nan=True)
    assert len(caught) == 1
    assert np.isnan(score(outputs[1:], np.array([0]))).all()  # and no second warning


def test_a_metric_is_not_blamed_for_outputs_that_are_not_finite():
    outputs, y = draw()
    outputs[1, 0, 0], outputs[2, 1, 3] = np.nan, np.inf
    found = per_solution("neg_log_loss", FRUITS)(outputs, y)
    assert np.isnan(found).tolist() == [False, True, True, False]


def test_weights_reach_a_metric_that_takes_them_and_no_other():
    outputs, y = draw()
    weights = np.ones(len(y))

    def weighted_hits(y_true, y_pred, sample_weight=None):
        return (sample_weight * (y_true == y_pred)).sum()

    found = per_solution(weighted_hits, FRUITS)(outputs, y, weights)
    assert found.tolist() == per_solution(hits, FRUITS)(outputs, y).tolist()
    with pytest.raises(ValueError, match="hits takes no sample_weight"):
        per_solution(hits, FRUITS)(outputs, y, weights)


def test_a_function_that_does_not_tell_its_parameters_is_a_metric():
    class Silent:
        @property
        def __signature__(self):
            raise ValueError("no signature found")

        def __call__(self, y_true, y_pred):
            return 1.0

    outputs, y = draw()
    assert per_solution(Silent(), FRUITS)(outputs, y).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("metric", "shown"), [("f1_macro", "f1_macro"), (hits, "hits"), (make_scorer(hits), "make_sc")]
)
def test_a_score_shows_the_name_of_its_metric(metric, shown):
    assert repr(per_solution(metric, FRUITS)).startswith(shown)


def test_scores_of_metrics_can_be_pickled():
    outputs, y = draw()
    for metric in ("accuracy", make_scorer(hits), hits):
        score = per_solution(metric, FRUITS)
        copy = pickle.loads(pickle.dumps(score))  # one of our own
        assert copy(outputs, y).tolist() == score(outputs, y).tolist()


def test_an_unknown_scorer_is_refused():
    with pytest.raises(ValueError, match=r"get_scorer_names.*got 'acuracy'"):
        per_solution("acuracy", FRUITS)


# ---- the same for every version of scikit-learn --------------------------------------------------


def labels_of(one, labels):
    return labels[one.argmax(axis=0)]


def second_class(one):
    return softmax(one.astype(float), axis=0)[1]


@pytest.mark.parametrize("labels", [FRUITS, np.array([4, 5, 6])])
@pytest.mark.parametrize("metric", [f1_score, precision_score, recall_score, jaccard_score])
def test_a_scorer_of_predictions_takes_any_labels_of_several_classes(metric, labels):
    outputs, y = draw()
    found = per_solution(make_scorer(metric, average="macro"), labels)(outputs, y)
    expected = [metric(labels[y], labels_of(one, labels), average="macro") for one in outputs]
    assert found.tolist() == expected


def test_a_metric_of_ones_own_keeps_its_positive_label():
    def share_of(y_true, y_pred, pos_label="mango"):
        return np.mean(y_pred == pos_label)

    outputs, y = draw()
    found = per_solution(make_scorer(share_of), FRUITS)(outputs, y)
    assert found.tolist() == [np.mean(one.argmax(axis=0) == 2) for one in outputs]


@pytest.mark.parametrize("labels", [np.array(["no", "yes"]), np.array([0, 1])])
@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        ("roc_auc", lambda y, one: roc_auc_score(y, one[1] - one[0])),
        ("neg_log_loss", lambda y, one: -log_loss(y, second_class(one))),
        (
            make_scorer(average_precision_score, response_method="predict_proba", pos_label="yes"),
            lambda y, one: average_precision_score(y, second_class(one)),
        ),
        (
            make_scorer(f1_score, pos_label="yes"),
            lambda y, one: f1_score(y, one.argmax(axis=0)),
        ),
    ],
)
def test_a_scorer_of_two_classes_is_the_metric_of_what_it_asks_for(scorer, expected, labels):
    if callable(scorer) and labels[1] == 1:
        scorer = scorer._score_func.__name__.removesuffix("_score")  # 1 is its positive label
    outputs, y = draw(n_classes=2)
    found = per_solution(scorer, labels)(outputs, y)
    assert found == pytest.approx([expected(y, one) for one in outputs], rel=1e-5)


# ---- what a metric does to others ----------------------------------------------------------------


def test_a_metric_that_spoils_what_it_is_given_spoils_it_for_no_other_solution():
    def spoiler(y_true, y_pred, sample_weight=None):
        found = np.average(y_true == y_pred, weights=sample_weight)
        for array in (y_true, y_pred, sample_weight):
            array[:] = array[0]
        return found

    outputs, y = draw()
    weights = np.arange(1.0, len(y) + 1)
    before = [array.copy() for array in (outputs, y, weights)]
    found = per_solution(spoiler, FRUITS)(outputs, y, weights)
    assert found == pytest.approx(FITNESS["accuracy"](outputs, y, weights))
    targets, old = outputs[0].astype(float), outputs[0].astype(float)
    found = per_solution(spoiler, None)(outputs[:, :1], targets[:1], weights)
    assert found.tolist() == [1, 0, 0, 0]
    assert (targets == old).all()
    for array, old in zip((outputs, y, weights), before, strict=True):
        assert (array == old).all()


def warner(y_true, y_pred):
    warnings.warn("ill-defined", UndefinedMetricWarning, stacklevel=1)
    if y_pred[0] == "mango":
        warnings.warn("mangoes", UserWarning, stacklevel=1)
    return np.mean(y_true == y_pred)


def test_what_was_told_makes_no_other_score():
    """A run goes on with a score that has failed in the meantime."""

    def fails(y_true, y_pred):
        raise ValueError("no")

    score = per_solution(fails, ["apple", "mango"])
    before = fingerprint_function(score)
    with pytest.warns(RuntimeWarning, match="ValueError: no"):
        score(np.zeros((1, 2, 3)), np.array([0, 1, 0]))
    assert score.failure == "ValueError: no"
    assert fingerprint_function(score) == before != fingerprint_function(per_solution(max, None))


def test_each_warning_of_a_metric_is_told_once_and_again_by_a_new_score():
    outputs, y = draw(n_samples=3)
    outputs[:, :, 0] = np.eye(3)[[0, 1, 2, 2]]
    for _ in range(2):
        score = per_solution(warner, FRUITS)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            first = score(outputs[:2], y)
            rest = [score(outputs, y) for _ in range(3)]
        assert [str(w.message) for w in told] == ["ill-defined", "mangoes"]
        assert [w.category for w in told] == [UndefinedMetricWarning, UserWarning]
        assert {w.filename for w in told} == {__file__}
        assert (rest[0][:2] == first).all()


@pytest.mark.parametrize(
    ("action", "module", "n_told"),
    [("default", "", 2), ("ignore", "", 0), ("ignore", re.escape(__name__), 0)],
)
def test_the_filters_of_the_user_hold_for_the_warnings_of_a_metric(action, module, n_told):
    outputs, y = draw()
    for _ in range(2):
        score = per_solution(warner, FRUITS)
        with warnings.catch_warnings(record=True) as told:
            warnings.filterwarnings(action, module=module)
            assert np.isfinite([score(outputs, y), score(outputs, y)]).all()
        assert len(told) == n_told


def test_a_warning_that_is_an_error_to_the_user_is_a_failure_of_the_metric():
    outputs, y = draw()
    with pytest.raises(RuntimeWarning, match="UndefinedMetricWarning: ill-defined"):
        per_solution(warner, FRUITS)(outputs, y)


def test_a_metric_in_many_threads_leaves_the_warning_filters_as_they_are():
    outputs, y = draw()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        before = list(warnings.filters), warnings.showwarning
        score = per_solution(warner, FRUITS)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: score(outputs, y), range(200)))
        assert (list(warnings.filters), warnings.showwarning) == before
    assert sorted(str(w.message) for w in told) == ["ill-defined", "mangoes"]
