"""What holds for every score, and how scores are marked and named."""

import pickle

import numpy as np
import pytest

from ga_ann.fitness import (
    FITNESS,
    REGRESSION_FITNESS,
    adjusted_log_loss,
    fbeta,
    neg_cost,
    neg_log_loss,
    neg_mean_pinball_loss,
    per_solution,
    population_score,
    scaled,
)

SCORES = [
    *FITNESS.values(),
    *REGRESSION_FITNESS.values(),
    fbeta(2),
    neg_cost([[0, 1], [9, 0]]),
    adjusted_log_loss([1, 3]),
    scaled(neg_log_loss, 0.5),
    neg_mean_pinball_loss(0.9),
    per_solution("roc_auc", [0, 1]),
    per_solution("neg_mean_absolute_error", None),
]


def draw(score):
    rng = np.random.default_rng(0)
    outputs = rng.standard_normal((3, 2, 20))
    y = np.arange(20) % 2 if score.score_task == "classification" else rng.normal(size=(2, 20))
    return outputs, y, rng.uniform(1, 2, 20)


def test_a_score_is_in_the_table_of_its_task():
    for table, task in ((FITNESS, "classification"), (REGRESSION_FITNESS, "regression")):
        for name, score in table.items():
            assert score.score_task == task
            assert getattr(score, "__name__", repr(score)) == name


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("score", SCORES)
def test_a_score_writes_to_nothing_but_outputs_that_it_said_so_of(score, weighted):
    outputs, y, weights = draw(score)
    weights = weights if weighted else None
    expected = score(outputs.copy(), y, weights)
    for given in (y, weights, None if getattr(score, "overwrites", True) else outputs):
        if given is not None:
            given.flags.writeable = False
    assert (score(outputs, y, weights) == expected).all()


@pytest.mark.parametrize("score", SCORES)
def test_a_result_shares_no_memory_with_what_the_score_was_given(score):
    outputs, y, weights = draw(score)
    results = [score(outputs, y, weights) for _ in range(2)]
    assert not any(np.shares_memory(results[0], a) for a in (outputs, y, weights, results[1]))


@pytest.mark.parametrize("score", [score for score in SCORES if not hasattr(score, "metric")])
def test_scores_can_be_pickled(score):
    assert pickle.loads(pickle.dumps(score)) == score  # one of our own


def test_a_score_of_ones_own_is_taken_to_overwrite_unless_it_says_otherwise():
    @population_score("regression")
    def mine(outputs, y, sample_weight=None):
        return np.zeros(len(outputs))

    assert mine.overwrites
    assert not population_score("regression", overwrites=False)(mine).overwrites
    assert mine not in REGRESSION_FITNESS.values()


@pytest.mark.parametrize("name", sorted(FITNESS))
def test_a_faultless_solution_beats_a_useless_one_with_one_class_only(name):
    outputs = np.array([[[-9, -9], [9, 9]], [[9, 9], [-9, -9]]], dtype=np.float32)
    good, bad = FITNESS[name](outputs, np.array([1, 1]))
    assert good >= bad  # and neither is NaN


def test_other_scores_give_all_samples_the_same_importance():
    named = {name for name, score in FITNESS.items() if hasattr(score, "importance")}
    assert named == {"balanced_accuracy", "g_mean"}


def test_scores_of_predicted_classes_leave_the_outputs_alone():
    from_outputs = {"margin", "neg_brier_score", "neg_log_loss", "roc_auc"}
    assert {name for name, score in FITNESS.items() if score.overwrites} == from_outputs
    assert not any(score.overwrites for score in (fbeta(2), neg_cost([[0, 1], [9, 0]])))
