"""Scores against scikit-learn's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from ga_ann.fitness import FITNESS


@given(
    seed=st.integers(0, 999),
    n_solutions=st.integers(1, 5),
    n_samples=st.integers(1, 40),
    n_classes=st.integers(2, 6),
)
def test_accuracy_is_scikit_learns(seed, n_solutions, n_samples, n_classes):
    rng = np.random.default_rng(seed)
    outputs = rng.integers(0, 3, (n_solutions, n_samples, n_classes)).astype(np.float32)  # ties
    y = rng.integers(0, n_classes, n_samples)
    expected = [accuracy_score(y, one.argmax(axis=1)) for one in outputs]
    assert FITNESS["accuracy"](outputs, y).tolist() == expected
