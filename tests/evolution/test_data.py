"""Training data, checked and in figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.evolution.data import TrainingData


def data(X=None, y=(0, 1, 2, 0, 1, 2), *, task="classification", classes=None, weight=None):
    X = np.random.default_rng(0).standard_normal((len(y), 4)) if X is None else X
    return TrainingData.check(X, y, task=task, classes=classes, sample_weight=weight)


def regression(targets, **options):
    return data(y=targets, task="regression", **options)


@given(
    y=st.lists(st.integers(0, 3), min_size=2, max_size=30).filter(lambda y: len(set(y)) > 1),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_class_shares_are_those_of_the_samples_and_above_0(y, weighted, seed):
    weight = np.random.default_rng(seed).integers(1, 5, len(y)) if weighted else None
    shares = data(y=y, classes=range(4), weight=weight).class_shares
    assert shares.shape == (4,)
    assert shares.sum() == pytest.approx(1)
    assert (shares > 0).all()
    weights = np.ones(len(y)) if weight is None else weight
    totals = [weights[np.array(y) == label].sum() or weights.mean() for label in range(4)]
    assert shares == pytest.approx(np.array(totals) / np.sum(totals))


def test_a_class_whose_samples_weigh_nothing_counts_as_one_sample():
    shares = data(weight=[0, 2, 4, 0, 2, 4]).class_shares
    assert shares == pytest.approx(np.array([2, 4, 8]) / 14)


def test_weights_count_as_repeated_samples():
    rng = np.random.default_rng(1)
    X, targets = rng.standard_normal((9, 4)), rng.standard_normal((9, 2)) * [1, 50]
    weight = rng.integers(0, 4, 9)
    weighted = regression(targets, X=X, weight=weight)
    repeated = regression(np.repeat(targets, weight, axis=0), X=np.repeat(X, weight, axis=0))
    for figure in ("centre", "spread", "magnitude"):
        assert getattr(weighted, figure) == pytest.approx(getattr(repeated, figure))
    plain = regression(targets, X=X)
    assert plain.centre == pytest.approx(targets.mean(axis=0))
    assert plain.spread == pytest.approx(targets.std(axis=0))
    assert plain.magnitude == pytest.approx(np.sqrt(np.mean(X**2)))


def test_a_regression_has_outputs_and_no_classes():
    targets = regression(np.zeros((5, 3)))
    assert (targets.n_outputs, targets.classes, targets.class_shares) == (3, None, None)
    assert data(classes=range(5)).n_outputs == 5


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="task must be one of"):
        data(task="clustering")


def test_held_out_data_are_checked_against_the_training():
    training, X = data(), np.random.default_rng(1).standard_normal((2, 4))
    held = training.check_held_out((X, [2, 0], [1.0, 3.0]))
    assert held.targets.tolist() == [2, 0]
    assert held.classes is training.classes
    assert held.sample_weight.tolist() == [1, 3]
    assert training.check_held_out((X, [2, 0])).sample_weight is None
    for wrong, message in (
        ((X[:, 1:], [2, 0]), "4 features"),
        ((X, [2, 5]), "no class of the training"),
        ((X, [2, 0], [1.0]), "sample_weight"),
    ):
        with pytest.raises(ValueError, match=message):
            training.check_held_out(wrong)
