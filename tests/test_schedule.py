"""The schedule moves when progress stops, and only then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.schedule import Schedule


def schedule(decay=0.5, n_samples=1000):
    return Schedule(sigma=1.0, batch_size=64, n_samples=n_samples, decay=decay, patience=3)


@given(st.lists(st.floats(-10, 10), max_size=60))
def test_steps_are_patience_measurements_without_progress(scores):
    s = schedule()
    best, waited, steps = float("-inf"), 0, 0
    for score in scores:
        s.update(score)
        best, waited = (score, 0) if score > best else (best, waited + 1)
        if waited == 3:
            waited, steps = 0, steps + 1
    assert s.sigma == 0.5**steps
    assert s.batch_size == min(1000, 64 * 2**steps)
    assert s.is_full == (steps >= 4)


def test_progress_changes_nothing():
    s = schedule()
    for score in range(50):
        s.update(score)
    assert (s.sigma, s.batch_size) == (1.0, 64)


@pytest.mark.parametrize("scores", [[0.5] * 20, [float("nan")] * 20])
def test_a_decay_of_one_is_no_schedule(scores):
    s = schedule(decay=1)
    for score in scores:
        s.update(score)
    assert (s.sigma, s.batch_size) == (1.0, 64)


def test_nan_is_no_progress():
    s = schedule()
    for _ in range(3):
        s.update(float("nan"))
    assert s.sigma == 0.5
