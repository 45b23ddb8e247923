"""Sets of weights: what is one, and what lies inside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.weight_sets import WEIGHT_SETS, check_weight_set, draw_from, is_inside

numbers = st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=2, unique=True).filter(
    lambda values: len(set(values)) > 1  # 0.0 and -0.0 are the same
)


@pytest.mark.parametrize(("name", "size"), [("binary", 2), ("ternary", 3), ("int8", 255)])
def test_the_sets_by_name_are_sorted_and_symmetric(name, size):
    values = check_weight_set(name)
    assert values == WEIGHT_SETS[name]
    assert len(values) == size
    assert list(values) == sorted(set(values))
    assert [-value for value in reversed(values)] == list(values)


def test_int8_fits_into_a_signed_byte():
    values = np.array(WEIGHT_SETS["int8"])
    assert (values.astype(np.int8) == values).all()


@given(values=numbers)
def test_numbers_are_returned_sorted_once_each(values):
    checked = check_weight_set(values)
    assert list(checked) == sorted(set(values))
    assert check_weight_set(checked) == checked
    assert check_weight_set(np.array(values + values)) == checked
    assert is_inside(np.array(values), checked)
    assert is_inside(np.array(values, dtype=np.float32), checked)


def test_numbers_that_single_precision_does_not_tell_apart_are_one():
    assert check_weight_set([1.0, 1.0 + 1e-12, 2.0]) == (1.0, 2.0)


@pytest.mark.parametrize(
    "given",
    [
        [],
        [1.0],
        1.0,
        [2, 2],
        [1.0, 1.0 + 1e-12],
        [1e-60, 0.0],
        [0.0, -0.0],
        [[1.0, 2.0]],
        [[1.0], [2.0, 3.0]],
        [1.0, np.nan],
        [1.0, np.inf],
        [0.0, 1e300],
        ["a", "b"],
        [1.0, None],
        {1.0, 2.0},
        object,
    ],
    ids=repr,
)
def test_what_is_no_set_is_refused(given):
    with pytest.raises(ValueError, match=r"^weight_set must be"):
        check_weight_set(given)


def test_an_unknown_name_lists_the_names():
    with pytest.raises(ValueError, match=r"weight_set must be one of.*ternary.*got 'trinary'"):
        check_weight_set("trinary")


@given(values=numbers, seed=st.integers(0, 99), dtype=st.sampled_from(["f4", "f8"]))
def test_what_is_drawn_is_inside(values, seed, dtype):
    checked = check_weight_set(values)
    out = np.full((3, 4), np.nan, dtype)
    draw_from(np.random.default_rng(seed), checked, out)
    again = np.empty_like(out)
    draw_from(np.random.default_rng(seed), checked, again)
    assert is_inside(out, checked)
    assert (out == again).all()


def test_values_have_equal_chances():
    out = np.empty(30_000)
    draw_from(np.random.default_rng(0), (-2.0, 1.0, 7.0), out)
    for value in (-2.0, 1.0, 7.0):
        assert np.mean(out == value) == pytest.approx(1 / 3, abs=5 * (2 / 9 / out.size) ** 0.5)


@pytest.mark.parametrize("stranger", [0.5, 2.0, -1.0000001, np.nan, np.inf])
def test_one_stranger_is_enough_to_be_outside(stranger):
    weights = np.zeros((5, 7))
    assert is_inside(weights, WEIGHT_SETS["ternary"])
    weights[3, 2] = stranger
    assert not is_inside(weights, WEIGHT_SETS["ternary"])
