"""Names, scorers and plain functions made scores of a population."""

import pickle

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import (
    get_scorer,
    log_loss,
    make_scorer,
    mean_squared_error,
    precision_score,
    recall_score,
)

from ga_ann.evolution.problem import TrainingData
from ga_ann.fitness.names import (
    FITNESS,
    LEAST_IMPORTANCE,
    REGRESSION_FITNESS,
    fbeta,
    finer_score,
    neg_cost,
    neg_log_loss,
    neg_mean_pinball_loss,
    per_solution,
    population_score,
    resolve_fitness,
)

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


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FITNESS))
def test_names_of_classification_resolve_to_the_table(name):
    assert resolve_fitness(name, classes=FRUITS) is FITNESS[name]


@pytest.mark.parametrize("name", sorted(REGRESSION_FITNESS))
def test_names_of_regression_resolve_to_the_table(name):
    assert resolve_fitness(name, classes=None) is REGRESSION_FITNESS[name]


@pytest.mark.parametrize("fitness", ["precision_macro", get_scorer("recall_macro"), hits])
def test_everything_else_that_scores_resolves_to_a_score_of_a_population(fitness):
    outputs, y = draw()
    found = resolve_fitness(fitness, classes=FRUITS)(outputs, y)
    assert found.shape == (4,)
    assert np.isfinite(found).all()


def test_labels_that_are_numbers_may_be_scored_as_numbers():
    outputs, y = draw()
    score = resolve_fitness("neg_mean_squared_error", classes=[0, 1, 2])
    expected = [-mean_squared_error(y, one.argmax(axis=0)) for one in outputs]
    assert score(outputs, y).tolist() == pytest.approx(expected)


def test_scores_of_a_population_resolve_to_themselves():
    @population_score("classification")
    def mine(outputs, y, sample_weight=None):
        return np.zeros(len(outputs))

    made = per_solution(hits, FRUITS)
    for score in (mine, fbeta(2), neg_cost([[0, 1], [1, 0]]), FITNESS["accuracy"], made):
        assert resolve_fitness(score, classes=FRUITS) is score
    pinball = neg_mean_pinball_loss(0.9)
    assert resolve_fitness(pinball, classes=None) is pinball


@pytest.mark.parametrize(
    ("fitness", "classes", "error", "message"),
    [
        ("acuracy", FRUITS, ValueError, "one of .*'accuracy'.*scikit-learn.*got 'acuracy'"),
        ("accuracy", None, ValueError, "'r2'.*regression.*got 'accuracy'"),
        (fbeta, FRUITS, TypeError, r"give fbeta\(\.\.\.\)"),
        (FITNESS["accuracy"], None, ValueError, "score of regression.*one of classification"),
        (neg_mean_pinball_loss(), FRUITS, ValueError, "score of classification"),
        (3, FRUITS, TypeError, "a name or callable, got 3"),
        (log_loss, FRUITS, ValueError, "log_loss is smaller.*greater_is_better=False"),
    ],
)
def test_what_is_no_fitness_is_refused(fitness, classes, error, message):
    with pytest.raises(error, match=message):
        resolve_fitness(fitness, classes=classes)


def test_an_unknown_scorer_is_refused():
    with pytest.raises(ValueError, match=r"get_scorer_names.*got 'acuracy'"):
        per_solution("acuracy", FRUITS)


# ---- finer scores --------------------------------------------------------------------------------

SHARES = np.array([0.7, 0.2, 0.1])


def importance_of(score):
    return np.array(score.importance_of_classes)


@pytest.mark.parametrize("name", sorted(set(FITNESS) - {"balanced_accuracy", "g_mean"}))
def test_scores_without_importance_are_refined_by_the_log_loss(name):
    assert finer_score(FITNESS[name], SHARES) is neg_log_loss


@pytest.mark.parametrize("name", sorted(REGRESSION_FITNESS))
def test_regressions_are_refined_by_r2(name):
    assert finer_score(REGRESSION_FITNESS[name], None) is REGRESSION_FITNESS["r2"]


@pytest.mark.parametrize("name", ["balanced_accuracy", "g_mean"])
def test_scores_by_recall_are_refined_by_the_classes_rarity(name):
    found = importance_of(finer_score(FITNESS[name], SHARES))
    assert found == pytest.approx(1 / SHARES / 10)
    # A class that the training part lacks has a share all the same, see TrainingData.
    lacking = TrainingData.check(
        np.eye(4), [0, 0, 1, 0], task="classification", classes=range(4), sample_weight=None
    ).class_shares
    found = importance_of(finer_score(FITNESS[name], lacking))
    assert found == pytest.approx([1 / 3, 1, 1, 1])


def test_costs_are_refined_by_what_mistakes_cost():
    found = finer_score(neg_cost([[0, 2, 4], [1, 0, 1], [30, 50, 0]]), SHARES)
    assert importance_of(found) == pytest.approx(np.array([3, 1, 40]) / 40)
    # A class that costs nothing, or pays to be mistaken, is kept on the map.
    for price in (0, -3):
        found = finer_score(neg_cost([[0, price], [5, 0]]), np.array([0.5, 0.5]))
        assert importance_of(found) == pytest.approx([LEAST_IMPORTANCE, 1])
    assert finer_score(neg_cost([[0, 0], [0, 0]]), np.array([0.5, 0.5])) is neg_log_loss


def test_a_score_of_ones_own_may_tell_its_importance():
    @population_score("classification", importance=lambda shares: shares)
    def of_the_many(outputs, y, sample_weight=None):
        return np.zeros(len(outputs))

    assert importance_of(finer_score(of_the_many, SHARES)) == pytest.approx(SHARES / 0.7)
    assert finer_score(per_solution(hits, FRUITS), SHARES) is neg_log_loss


@pytest.mark.parametrize("costs", [[[0, 1], [25, 0]], [[0, 2, 9], [1, 0, 1], [5, 5, 0]]])
def test_the_finer_score_of_the_cheapest_network_is_the_best(costs):
    """Among all constant answers, the one ranked first costs least on average."""
    costs = np.array(costs, dtype=float)
    n_classes = len(costs)
    if n_classes == 3:  # of equal costs in each row, so that the mean is what a mistake costs
        costs = np.array([[0.0, 2, 2], [9, 0, 9], [4, 4, 0]])
    shares = np.array([0.8, 0.15, 0.05])[:n_classes] / np.sum([0.8, 0.15, 0.05][:n_classes])
    y = np.repeat(np.arange(n_classes), np.rint(shares * 2000).astype(int))
    finer = finer_score(neg_cost(costs), shares)
    logits = np.log(np.bincount(y) / len(y)) + np.log(importance_of(finer))
    rng = np.random.default_rng(0)
    candidates = np.concatenate([logits[None], logits + rng.standard_normal((50, n_classes))])
    outputs = np.repeat(candidates[:, :, None], len(y), axis=2)
    gains, ranking = neg_cost(costs)(outputs.copy(), y), finer(outputs.copy(), y)
    assert ranking.argmax() == 0
    if n_classes == 2:
        assert gains[0] == gains.max()
