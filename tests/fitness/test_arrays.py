"""The scores on arrays of other libraries, against themselves on NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ga_ann.fitness import (
    FITNESS,
    REGRESSION_FITNESS,
    adjusted_log_loss,
    fbeta,
    neg_cost,
    neg_log_loss,
    neg_mean_pinball_loss,
    population_score,
    scaled,
)
from tests.devices import each_device


def scores_of(n_classes, rng):
    made = [fbeta(2), fbeta(0.5, "weighted"), adjusted_log_loss(rng.random(n_classes) + 0.1)]
    made += [neg_cost(rng.random((n_classes, n_classes))), scaled(neg_log_loss, 0.37)]
    return made + [score for name, score in FITNESS.items() if n_classes == 2 or name != "f1"]


def check(device, score, outputs, y, weights):
    given = [None if a is None else device.put(a.copy()) for a in (outputs, y, weights)]
    with np.errstate(divide="ignore", invalid="ignore"):  # as where it is called
        expected = score(outputs.copy(), y, weights)
        found = device.fetch(score(*given))
    assert found.dtype == np.float64
    tolerance = 1e-12 if outputs.dtype == np.float64 else 3e-5
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=str(score))


cases = {
    "seed": st.integers(0, 10**6),
    "n_outputs": st.sampled_from([2, 3, 7]),
    "n_samples": st.sampled_from([1, 2, 5, 40]),
    "kind": st.sampled_from(["plain", "ties", "lopsided"]),
    "weighted": st.booleans(),
    "dtype": st.sampled_from([np.float32, np.float64]),
}


@each_device
@settings(max_examples=40, deadline=None)
@given(**cases)
def test_each_score_of_a_classification_is_that_of_numpy(
    device, draw, seed, n_outputs, n_samples, kind, weighted, dtype
):
    case = draw(seed, n_outputs, n_samples, kind, weighted, dtype)
    for score in scores_of(n_outputs, np.random.default_rng(seed)):
        # Of three classes and more it ranks by rounded probabilities, and ties are not kept.
        if not (score is FITNESS["roc_auc"] and kind == "ties" and n_outputs > 2):
            check(device, score, *case)


@each_device
@settings(max_examples=40, deadline=None)
@given(**cases)
def test_each_score_of_a_regression_is_that_of_numpy(
    device, draw, seed, n_outputs, n_samples, kind, weighted, dtype
):
    outputs, _, weights = draw(seed, n_outputs, n_samples, kind, weighted, dtype)
    targets = np.random.default_rng(seed).standard_normal((n_outputs, n_samples))
    targets[0] = 2  # one that is always the same
    for score in (*REGRESSION_FITNESS.values(), neg_mean_pinball_loss(0.8)):
        check(device, score, outputs, targets, weights)


@pytest.mark.parametrize("name", [*FITNESS, *REGRESSION_FITNESS])
def test_all_scores_of_the_package_take_any_array(name):
    score = FITNESS.get(name) or REGRESSION_FITNESS[name]
    assert score.any_array


def test_a_score_of_a_users_does_not_unless_it_says_so():
    def own(outputs, y, sample_weight=None):
        return outputs

    assert not population_score("regression")(own).any_array
    assert not scaled(own, 2.0).any_array
    assert population_score("regression", any_array=True)(own).any_array
    assert scaled(own, 2.0).any_array
