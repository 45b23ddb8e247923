import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ga_ann.comparison.methods import METHODS, Job
from ga_ann.fitness import FITNESS


@pytest.fixture(scope="module")
def data():
    X, y = load_iris(return_X_y=True)
    return X, y, np.arange(len(y)) % 2


def test_adam_gives_the_logarithms_of_its_probabilities(data):
    X, y, _ = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = (
            METHODS["adam"]
            .train(Job(X, y, 3, (6,), None, 0, FITNESS["accuracy"]))
            .predict_scores(X * 1e6)
        )  # so far outside that probabilities are 0
    assert np.isfinite(outputs).all()
    np.testing.assert_allclose(np.exp(outputs).sum(axis=1), 1)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_and_answers_for_every_class(data, name):
    X, y, _ = data
    lacks_one = y < 2
    job = Job(X[lacks_one], y[lacks_one], 3, (6,), 0.05, 0, FITNESS["accuracy"])
    trained = METHODS[name].train(job)
    assert trained.predict_scores(X).shape == (len(X), 3)
    assert set(trained.predict(X)) <= {0, 1}
    assert len(trained.history)
