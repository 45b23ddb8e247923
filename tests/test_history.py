"""History: rows in, columns out, and nothing lost on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.history import COLUMNS, COUNTS, History

ROWS = st.lists(st.dictionaries(st.sampled_from(COLUMNS), st.floats(width=64)), max_size=6)


def history_of(rows, **about):
    history = History(**about)
    for row in rows:
        history.append(**row)
    return history


@given(ROWS)
def test_rows_become_columns(rows):
    history = history_of(rows)
    nan = float("nan")
    assert len(history) == len(rows)
    for name in COLUMNS:
        assert history[name].dtype == np.float64
        np.testing.assert_array_equal(history[name], [row.get(name, nan) for row in rows])
    listed = list(history)
    assert [list(row) for row in listed] == [list(COLUMNS)] * len(rows)
    for row, expected in zip(listed, rows, strict=True):
        np.testing.assert_equal(row, {name: expected.get(name, nan) for name in COLUMNS})
    if rows:
        np.testing.assert_equal(history.last, listed[-1])


@given(ROWS)
def test_arrays_round_trip(rows):
    about = {"label": "GA", "metric": "f1_macro", "settings": {"sigma": 0.1, "sizes": [3, 4]}}
    history = history_of(rows, **about)
    arrays = history.to_arrays()
    assert list(arrays) == list(COLUMNS)
    back = History.from_arrays(arrays, **about)
    for name in COLUMNS:
        np.testing.assert_array_equal(back[name], history[name])
    assert (back.label, back.metric, back.settings) == tuple(about.values())
    back.append(generation=99)
    assert back.last["generation"] == 99
    assert len(back) == len(rows) + 1


def test_a_column_is_a_copy():
    history = history_of([{"generation": 0}])
    history["generation"][0] = 5
    assert history["generation"][0] == 0
    history.append(generation=1)
    assert history["generation"].tolist() == [0, 1]


def test_settings_are_a_copy():
    settings = {"sigma": 0.1}
    history = History(settings=settings)
    settings["sigma"] = 0.2
    assert history.settings == {"sigma": 0.1}
    assert History().settings == {}


def test_byte_order_and_layout_of_the_arrays_do_not_matter():
    table = np.arange(3.0 * len(COLUMNS)).reshape(3, -1)
    arrays = {name: table[:, k].astype(">f8") for k, name in enumerate(COLUMNS)}
    back = History.from_arrays(arrays)
    np.testing.assert_array_equal(np.column_stack([back[name] for name in COLUMNS]), table)


def test_unknown_columns_are_refused():
    history = History()
    with pytest.raises(ValueError, match=r"must be among \['generation', .* got \['loss'\]"):
        history.append(generation=0, loss=1)
    with pytest.raises(KeyError, match=r"must be one of \['generation', .* got 'loss'"):
        history["loss"]
    assert len(history) == 0


def test_a_row_that_is_refused_leaves_no_part_of_itself():
    history = history_of([{"generation": 0}])
    with pytest.raises(ValueError, match="could not convert"):
        history.append(generation=1, n_invalid="many")
    assert len(history) == 1
    assert history["generation"].tolist() == [0]


def test_an_empty_history_has_no_last_row():
    with pytest.raises(IndexError, match="no rows yet"):
        _ = History().last
    assert list(History()) == []


def test_arrays_that_do_not_fit_are_refused():
    arrays = history_of([{"generation": 0}, {"generation": 1}]).to_arrays()
    with pytest.raises(ValueError, match=r"\['sigma'\] are missing"):
        History.from_arrays({name: a for name, a in arrays.items() if name != "sigma"})
    with pytest.raises(ValueError, match=r"1-D and of one length, got .*'sigma': \(1,\)"):
        History.from_arrays(arrays | {"sigma": arrays["sigma"][:1]})
    with pytest.raises(ValueError, match="1-D and of one length"):
        History.from_arrays({name: a[:, None] for name, a in arrays.items()})


def test_repr_tells_the_newest_fitness():
    assert repr(History(label="GA")) == "History('GA', 0 rows)"
    history = history_of([{"generation": 0, "best_fitness": 0.25}], label="GA")
    assert repr(history) == "History('GA', 1 row, best_fitness=0.25)"


@given(ROWS)
def test_a_frame_is_the_columns_with_counts_as_whole_numbers(rows):
    about = {"label": "GA", "metric": "f1_macro", "settings": {"sizes": [3, 4]}}
    history = history_of(rows, **about)
    frame = history.to_frame()
    assert list(frame) == list(COLUMNS)
    assert frame.attrs == about
    for name in COLUMNS:
        np.testing.assert_array_equal(frame[name], history[name])
        values = history[name].tolist()
        is_whole = all(value.is_integer() and abs(value) < 2**53 for value in values)
        assert frame[name].dtype == (np.int64 if name in COUNTS and is_whole else np.float64)
    frame.attrs["settings"]["sizes"].append(5)
    frame["sigma"] = 99.0
    assert history.settings == {"sizes": [3, 4]}
    assert 99.0 not in history["sigma"]


@pytest.mark.parametrize("other", [float("nan"), float("inf"), 0.5, 2.0**53])
def test_a_count_that_is_not_known_in_a_row_stays_a_float(other):
    frame = history_of([{"n_samples": 3}, {"n_samples": other}]).to_frame()
    assert frame["n_samples"].dtype == np.float64
    np.testing.assert_array_equal(frame["n_samples"], [3, other])
    assert history_of([{"n_samples": 3}, {"n_samples": 2**53 - 1}]).to_frame().n_samples[1] % 2


def test_the_last_row_can_be_amended():
    history = history_of([{"generation": 0, "sigma": 1}, {"generation": 1, "sigma": 2}])
    history.amend_last(best_fitness=0.5, sigma=3)
    assert len(history) == 2
    assert history["sigma"].tolist() == [1, 3]
    np.testing.assert_array_equal(history["best_fitness"], [np.nan, 0.5])
    assert history["generation"].tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"got \['loss'\]"):
        history.amend_last(sigma=4, loss=1)
    with pytest.raises(ValueError, match="could not convert"):
        history.amend_last(sigma=5, best_fitness="high")
    assert history.last["sigma"] == 3
    with pytest.raises(IndexError, match="no rows yet"):
        History().amend_last(sigma=1)


MOVED = [[0.0, 0.0], [0.5, 0.25], [1.0, 0.75]]


def moved():
    """A history of five rows, of which the first, the third and the last were noted."""
    history = History()
    for k in range(5):
        history.append(generation=k)
        if k % 2 == 0:
            history.note_movement(MOVED[k // 2])
    return history


def test_movement_is_known_in_the_rows_that_it_was_noted_of():
    history = moved()
    assert history.movement[::2].tolist() == MOVED
    assert np.isnan(history.movement[1::2]).all()
    history.movement[:] = 9
    assert history.movement[::2].tolist() == MOVED
    history.note_movement([2, 2])
    assert history.movement[-1].tolist() == [2, 2]


@pytest.mark.parametrize("rows", [slice(None), slice(1, 4), slice(None, None, -1), slice(-2, None)])
def test_slices_have_their_part_of_the_movement(rows):
    history = moved()
    np.testing.assert_array_equal(history[rows].movement, history.movement[rows])
    assert history[1:2].movement is None
    copy = history.copy()
    copy.note_movement([7, 7])
    assert history.movement[-1].tolist() == MOVED[-1]


def test_movement_that_does_not_fit_is_refused():
    with pytest.raises(IndexError, match="no rows yet"):
        History().note_movement([1.0])
    history = moved()
    with pytest.raises(ValueError, match="must be 2, one a layer, got 3"):
        history.note_movement([1, 2, 3])
    arrays = history.to_arrays()
    np.testing.assert_array_equal(
        History.from_arrays(arrays | {"movement": history.movement}).movement, history.movement
    )
    assert History.from_arrays(arrays).movement is None
    for wrong in (history.movement[:-1], history.movement[:, 0], history.movement[:, :0]):
        with pytest.raises(ValueError, match="the movement must have a row"):
            History.from_arrays(arrays | {"movement": wrong})
