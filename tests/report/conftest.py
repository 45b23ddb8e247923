"""What the tests of the reports share: small comparisons, and names that try to be HTML."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_iris

from ga_ann.callbacks import WeightMovement
from ga_ann.comparison import compare
from ga_ann.evolution import evolve

HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "a & \"b\" 'c' {{ 7 * 7 }} </style> <!--",
]
BUDGETS = {"tutorial-ga": 0.02, "classic": 0.02, "ga": 0.05}


@pytest.fixture(scope="session")
def hostile():
    return HOSTILE


@pytest.fixture(scope="session")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def full(iris):
    """A comparison of all methods, with movement, on two splits of three kinds."""
    X, y = iris
    return compare(
        X,
        y,
        groups=np.arange(len(y)) % 2,
        splits=["rotation", "all"],
        seeds=3,
        hidden_layer_sizes=(6,),
        budgets=BUDGETS,
        track_weights=True,
        random_state=3,
    )


@pytest.fixture(scope="session")
def measured(iris):
    """A comparison of a regression."""
    X, _ = iris
    return compare(
        X,
        100 * X[:, 0] + 30 * X[:, 1] ** 2,
        task="regression",
        seeds=2,
        hidden_layer_sizes=(6,),
        budgets={"classic": 0.02, "ga": 0.05},
        random_state=3,
    )


@pytest.fixture(scope="session")
def dangerous(iris):
    """A comparison all of whose names contain HTML."""
    X, y = iris
    return compare(
        X,
        y,
        data=HOSTILE[0],
        target_names=HOSTILE,
        sample_names=[f"{HOSTILE[k % 3]} {k}" for k in range(len(y))],
        methods={HOSTILE[0]: "random", HOSTILE[1]: "naive", HOSTILE[2]: "classic"},
        budgets={HOSTILE[2]: 0.02},
        seeds=3,
        hidden_layer_sizes=(6,),
        track_weights=True,
    )


@pytest.fixture(scope="session")
def result(iris):
    X, y = iris
    return evolve(
        X[::2],
        y[::2],
        hidden_layer_sizes=(8,),
        validation_data=(X[1::2], y[1::2]),
        n_generations=60,
        target_fitness=None,
        callbacks=[WeightMovement()],
        random_state=0,
    )


@pytest.fixture
def pictures(tmp_path):
    """A folder with a picture beside it that nobody may read."""
    folder = tmp_path / "pictures"
    (folder / "apple").mkdir(parents=True)
    for path in (folder / "apple" / "0.png", tmp_path / "secret.png"):
        Image.new("RGB", (300, 200), "red").save(path)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder
