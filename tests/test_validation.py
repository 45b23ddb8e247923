"""What may not be learned from, and the way of labels to indices and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.validation import check_held_out, check_training


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
        ((X, np.zeros(4)), "at least 2 classes, got only"),
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
        ((X, Y + 1), r"classes that y lacks: \[3\]"),
        ((X, Y[:-1]), "inconsistent"),
    ],
)
def test_bad_held_out_data_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        check_held_out(data, 4, np.unique(Y))
