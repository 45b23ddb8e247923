"""What may not be learned from, and the way of labels to indices and back."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.validation import check_held_out, check_number, check_training


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@given(
    y=st.lists(st.integers(-5, 5), min_size=2, max_size=30).filter(lambda y: len(set(y)) > 1),
    as_text=st.booleans(),
)
def test_codes_stand_for_labels(y, as_text):
    y = [str(label) for label in y] if as_text else y
    X, codes, classes = check_training(np.arange(len(y))[:, None], y)
    assert X.ravel().tolist() == list(range(len(y)))
    assert classes[codes].tolist() == y
    assert sorted(set(y)) == classes.tolist()
    assert (check_held_out((X, y), 1, classes)[1] == codes).all()


X, Y = np.eye(4), np.array([0, 1, 2, 1])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.empty((0, 4)), np.empty(0)), "0 sample"),
        ((X, np.zeros(4)), "at least 2 classes, got 1 class"),
        ((X, Y[:-1]), "inconsistent numbers of samples"),
        ((np.where(X == 1, np.nan, X), Y), "NaN"),
        ((np.where(X == 1, np.inf, X), Y), "infinity"),
        ((X[0], Y), "2D array"),
        ((X, Y + 0.5), "continuous"),
    ],
)
def test_bad_training_data_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        check_training(*data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X, Y, Y), r"a pair \(X, y\), got 3 items"),
        ((X[:, :2], Y), "4 features as X has, got 2"),
        ((X, Y + 1), r"no class of the training: \[3\]"),
        ((X, Y[:-1]), "inconsistent"),
    ],
)
def test_bad_held_out_data_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        check_held_out(data, 4, np.unique(Y))


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.array(["b", "a", "b", "c"], dtype=object), "U"),
        (np.array([1, 2, 1, 3], dtype=object), "i"),
        (np.array([True, False, True, True], dtype=object), "b"),
        (pd.Series(["b", "a", "b", "c"], dtype="string"), "U"),
        (pd.Series(["b", "a", "b", "c"]), "U"),
        (pd.Series(["b", "a", "b", "c"], dtype="category"), "U"),
        (pd.Series([1, 2, 1, 3], dtype="Int64"), "i"),
        (pd.Series([True, False, True, True], dtype="boolean"), "b"),
    ],
)
def test_labels_that_are_objects_become_plain(y, kind):
    _, codes, classes = check_training(X, y)
    assert classes.dtype.kind == kind
    assert classes[codes].tolist() == list(y)
    assert (check_held_out((X, y), 4, classes)[1] == codes).all()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, "a", 1, "a"], "number and str"),
        (np.array([1, "a", 1, "a"], dtype=object), "number and str"),
        ([True, 2, 1, 0], "bool and number"),
        ([2**70, 1, 2, 3], "64 bits"),
        ([None, "a", "b", "a"], "got None at 0"),
        (["a", float("nan"), "b", "a"], "got nan at 1"),
        (pd.Series([1, 2, None, 1], dtype="Int64"), "NaN|got <NA> at 2"),
        (pd.Series(["a", "b", "b", None], dtype="string"), "got <NA> at 3"),
    ],
)
def test_labels_of_mixed_kinds_or_missing_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_training(X, y)


def test_missing_features_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        check_training(pd.DataFrame({"a": pd.array([1, 2, None, 4], dtype="Int64")}), Y)


@pytest.mark.parametrize("number", [10**400, -(10**400), Fraction(10**400)])
def test_numbers_beyond_all_floats_are_refused_like_infinity(number):
    with pytest.raises(ValueError, match="size must fit into a float"):
        check_number(number, "size")
