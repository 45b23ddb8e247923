"""What the tests of the comparison share: a small one of everything, and a method that counts."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ga_ann.comparison import Method, Trained, compare
from ga_ann.history import History

BUDGETS = {"tutorial-ga": 0.02, "classic": 0.02, "ga": 0.05}


@pytest.fixture(scope="session")
def budgets():
    return BUDGETS


@pytest.fixture(scope="session")
def data():
    X, y = load_iris(return_X_y=True)
    return X, y, np.arange(len(y)) % 2


@pytest.fixture(scope="session")
def full(data):
    """A comparison of all methods on all splits."""
    X, y, groups = data
    return compare(
        X,
        y,
        groups=groups,
        splits=["rotation", "holdout", "all"],
        seeds=2,
        hidden_layer_sizes=(6,),
        budgets=BUDGETS,
        random_state=3,
    )


@pytest.fixture(scope="session")
def measured(data):
    """A comparison of all methods of a regression on all splits."""
    X, _, groups = data
    return compare(
        X,
        100 * X[:, 0] + 30 * X[:, 1] ** 2,
        groups=groups,
        task="regression",
        splits=["rotation", "holdout", "all"],
        seeds=2,
        hidden_layer_sizes=(6,),
        budgets={"classic": 0.02, "ga": 0.05},
        random_state=3,
    )


@pytest.fixture
def seen():
    """The jobs that `constant` was given."""
    return []


@pytest.fixture
def constant(seen):
    """A method that always predicts the first class, or 7 in a regression."""

    def train(job):
        seen.append(job)
        history = History()
        history.append(generation=0, evaluations=1, seconds=0, best_fitness=0.5)
        outputs = [7.0] if job.n_classes is None else np.arange(job.n_classes, 0, -1.0)
        return Trained(
            lambda X: np.full(len(X), 7.0 if job.n_classes is None else 0),
            lambda X: np.tile(outputs, (len(X), 1)),
            history,
            "done",
        )

    return Method("constant", train)
