import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array

from ga_ann.datasets.selection import select_by_std

tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 8), st.integers(1, 8)),
    elements=st.integers(-50, 50).map(float),
)


@settings(max_examples=50)
@given(tables, st.data())
def test_the_k_largest_standard_deviations(X, data):
    k = data.draw(st.integers(1, X.shape[1]))
    mask = select_by_std(X, n_features=k)
    assert mask.sum() == k
    deviations = X.std(axis=0)
    assert deviations[mask].min() >= deviations[~mask].max(initial=0)


@settings(max_examples=50)
@given(tables, st.floats(0.1, 20))
def test_columns_above_a_standard_deviation(X, min_std):
    expected = X.std(axis=0) > min_std
    if not expected.any():
        with pytest.raises(ValueError, match="no column has a standard deviation above"):
            select_by_std(X, min_std=min_std)
    elif np.abs(X.std(axis=0) - min_std).min() > 1e-9:
        np.testing.assert_array_equal(select_by_std(X, min_std=min_std), expected)


def test_the_first_of_equal_columns_is_kept():
    X = np.zeros((2, 100))
    X[1] = np.arange(100) % 3
    assert np.flatnonzero(select_by_std(X, n_features=3)).tolist() == [2, 5, 8]


def test_all_columns_unless_asked():
    assert select_by_std(np.eye(3)).tolist() == [True] * 3


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        ({"min_std": 1, "n_features": 1}, ValueError),
        ({"min_std": -1}, ValueError),
        ({"min_std": float("nan")}, ValueError),
        ({"min_std": True}, TypeError),
        ({"min_std": 1e200}, ValueError),
        ({"n_features": True}, TypeError),
        ({"min_std": "50"}, TypeError),
        ({"n_features": 0}, ValueError),
        ({"n_features": 4}, ValueError),
        ({"n_features": 1.5}, TypeError),
    ],
)
def test_bad_choices_of_columns(choice, error):
    with pytest.raises(error, match=r"min_std|n_features|standard deviation"):
        select_by_std(np.eye(3), **choice)


def test_columns_are_chosen_from_finite_data():
    with pytest.raises(ValueError, match="NaN"):
        select_by_std([[1.0, np.nan], [2.0, 3.0]], n_features=1)
    with pytest.raises(TypeError, match=r"dense data is required. Use '\.toarray\(\)'"):
        select_by_std(csr_array(np.eye(2)), n_features=1)


def test_equal_numbers_do_not_vary():
    X = np.column_stack([np.full(10, 0.1), np.arange(10)])
    assert select_by_std(X, min_std=0).tolist() == [False, True]
