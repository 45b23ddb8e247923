"""The score that a user means, and the finer one."""

import numpy as np
import pytest
from sklearn.metrics import get_scorer, log_loss, mean_squared_error

from ga_ann.evolution.problem import TrainingData
from ga_ann.evolution.recipe import Recipe
from ga_ann.fitness import (
    FITNESS,
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
from ga_ann.fitness.resolve import LEAST_IMPORTANCE

FRUITS = np.array(["apple", "lemon", "mango"])


def draw(n_classes=3, n_samples=40, seed=0):
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((4, n_classes, n_samples)).astype(np.float32)
    return outputs, np.arange(n_samples) % n_classes


def hits(y_true, y_pred):
    return np.sum(y_true == y_pred)


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


@pytest.mark.parametrize("given", ["acuracy", fbeta, neg_mean_pinball_loss()])
def test_a_ranking_that_is_refused_is_called_a_ranking(given):
    with pytest.raises((ValueError, TypeError), match=r"^ranking must be|makes a ranking"):
        resolve_fitness(given, classes=FRUITS, what="ranking")
    with pytest.raises((ValueError, TypeError), match="ranking"):
        Recipe(ranking=given).resolve(
            TrainingData.check(
                [[0.0], [1.0]], [0, 1], task="classification", classes=None, sample_weight=None
            ),
            fitness=FITNESS["accuracy"],
        )


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


def test_scores_of_numbers_take_no_classes_of_text():
    for name in ("r2", "neg_mean_squared_error"):
        assert callable(resolve_fitness(name, classes=[0, 1]))
        with pytest.raises(ValueError, match=f"classification scorer .*got '{name}'"):
            resolve_fitness(name, classes=["0", "1"])
