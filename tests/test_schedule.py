"""The schedule moves when progress stops, and only then."""

import json
import math
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.schedule import Schedule


def schedule(decay=0.5, n_samples=1000):
    return Schedule(sigma=1.0, batch_size=64, n_samples=n_samples, decay=decay, patience=3)


@given(st.lists(st.floats(-10, 10), max_size=60))
def test_steps_are_patience_measurements_without_progress(scores):
    s = schedule()
    best, waited, steps, size = float("-inf"), 0, 0, 64
    for score in scores:
        s.update(score)
        best, waited = (score, 0) if score > best else (best, waited + 1)
        if waited == 3:
            waited, steps, size = 0, steps + 1, min(1000, math.ceil(math.sqrt(2) * size))
    assert s.sigma == 0.5**steps
    assert s.batch_size == size
    assert s.is_full == (steps >= 8)


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


@given(st.lists(st.floats(-10, 10) | st.just(float("nan")), max_size=30), st.data())
def test_a_schedule_goes_on_from_its_values(scores, data):
    """As they come back from a file: through JSON."""
    stop = data.draw(st.integers(0, len(scores)))
    whole, first = schedule(), schedule()
    for score in scores:
        whole.update(score)
    for score in scores[:stop]:
        first.update(score)
    second = Schedule.from_dict(json.loads(json.dumps(asdict(first))))
    assert second == first
    for score in scores[stop:]:
        second.update(score)
    assert second == whole


@pytest.mark.parametrize(
    "change",
    [
        {"sigma": None},
        {"sigma": -1},
        {"sigma": float("inf")},
        {"batch_size": 0},
        {"batch_size": 1001},
        {"batch_size": 1.5},
        {"n_samples": "many"},
        {"decay": 0},
        {"decay": 2},
        {"patience": 0},
        {"waited": -1},
        {"best": "high"},
        {"best": None},
    ],
    ids=str,
)
def test_values_that_no_run_comes_to_are_refused(change):
    values = asdict(schedule())
    with pytest.raises(ValueError, match=r"schedule|must be|could not convert"):
        Schedule.from_dict(values | change)
    name = next(iter(change))
    with pytest.raises(ValueError, match=name):
        Schedule.from_dict({key: value for key, value in values.items() if key != name})


def test_other_numbers_of_samples():
    s = schedule()
    assert s.for_samples(50).batch_size == 50
    assert s.for_samples(2000).batch_size == 64
    s.batch_size = 1000
    assert s.for_samples(2000).is_full
    assert (s.batch_size, s.n_samples) == (1000, 1000)
