"""What may not be learned from, and the way of labels to indices and back."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from ga_ann.validation import check_held_out, check_number, check_regression, check_training


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


@pytest.mark.parametrize("make", [list, np.array, pd.Series, lambda y: np.array(y, dtype=object)])
@pytest.mark.parametrize("y", [[0.5, 1.0, 1.5, 2.0], [1.0, 2.0, 1.0, -2.25]])
def test_measured_numbers_are_no_labels_however_they_are_held(make, y):
    measured = next(number for number in y if number % 1)
    with pytest.raises(ValueError, match=f"such as {measured}: they take the task regression"):
        check_training(X, make(y))
    assert check_training(X, make([4 * number for number in y]))[2].dtype == np.float64


DATES = pd.date_range("2020", periods=4)


@pytest.mark.parametrize(
    "y",
    [
        DATES.to_numpy(),
        pd.Series(DATES),
        pd.Series(DATES.tz_localize("UTC")),
        pd.Series(DATES).astype(object),
        [*DATES.to_pydatetime()],
        pd.Series(DATES - DATES[0]),
        np.array([1.0, 2.0, 3.0, 4j], dtype=object),
    ],
)
def test_dates_durations_and_complex_numbers_are_no_targets(y):
    with pytest.raises(ValueError, match=r"y must hold real numbers, got .* make such numbers"):
        check_regression(X, y)
    real = np.arange(4.0) if np.asarray(y).dtype != object else np.arange(4.0).astype(object)
    assert check_regression(X, real)[1].tolist() == [[0, 1, 2, 3]]


def test_complex_targets_are_refused_in_the_words_of_scikit_learn():
    with pytest.raises(ValueError, match="Complex data not supported"):
        check_regression(X, np.arange(4) + 0j)


@pytest.mark.parametrize("dtype", [bool, object, "boolean"])
def test_boolean_targets_are_0_and_1_as_in_scikit_learn(dtype):
    y = pd.Series([True, False, True, True], dtype=dtype)
    found = check_regression(X, y)[1][0]
    np.testing.assert_array_equal(found, y.astype(float))
    ours, theirs = (LinearRegression().fit(X, targets).predict(X) for targets in (found, y))
    np.testing.assert_allclose(ours, theirs)
