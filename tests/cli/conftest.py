import io
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_iris

from ga_ann import cli

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40)}


@pytest.fixture
def ga(capsys):
    """Run the command line; return its exit code, stdout and stderr."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return run


@pytest.fixture
def terminal(monkeypatch):
    """Let stderr pass for a terminal, where progress bars are shown."""
    for command in ("compare", "extract", "predict", "train"):
        monkeypatch.setattr(sys.modules[f"ga_ann.cli.{command}"], "shows_bars", lambda: True)


@pytest.fixture
def fails(ga):
    """Run the command line; expect exit code 2 and return the one line on stderr."""

    def run(*arguments):
        code, out, err = ga(*arguments)
        assert code == 2
        assert out == ""
        line, end = err.split("\n", 1)
        assert (line.startswith("ga-ann: error: "), end) == (True, "")
        return line

    return run


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / name).mkdir()
        for k in range(6):
            pixels = np.full((20, 20, 3), colour) + rng.integers(-20, 20, (20, 20, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{k}.png")
    return root


@pytest.fixture(scope="session")
def iris(tmp_path_factory):
    path = tmp_path_factory.mktemp("iris") / "iris.npz"
    X, y = load_iris(return_X_y=True)
    np.savez(path, X=X, y=y)
    return path


@pytest.fixture(scope="session")
def flowers():
    """A table as people have them: a name, the label in front, text, missing cells."""
    frame = load_iris(as_frame=True).frame
    frame.columns = ["sepal length", "sepal width", "petal length", "petal width", "kind"]
    frame["kind"] = frame["kind"].map({0: "setosa", 1: "versicolor", 2: "virginica"})
    frame["colour"] = np.where(frame.index % 3 == 0, "blue", "violet")
    frame.loc[::7, "sepal width"] = np.nan
    frame.insert(0, "id", [f"flower {k}" for k in frame.index])
    return frame[["id", "kind", *frame.columns.drop(["id", "kind"])]]


@pytest.fixture
def on_stdin(monkeypatch):
    """Put text on the standard input."""

    def put(text):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return put


@pytest.fixture(scope="session")
def colour_model(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "colours.npz"
    table = path.with_name("table.npz")
    for arguments in (
        ["extract", pictures, table, "--features", "tutorial", "--bins", 12, "--range", "0,1"],
        ["train", table, "-o", path, "--hidden", 4, "--seed", 0, "--min-std", 0, "--validation", 0],
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        assert stop.value.code == 0
    return path


@pytest.fixture
def breaks():
    """Make a function that raises an error, whatever it is called with."""

    def make(error):
        def function(*args, **options):
            raise error

        return function

    return make
