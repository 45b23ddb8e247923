import csv
import io
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from sklearn.datasets import load_iris
from sklearn.utils import Bunch

import ga_ann
from ga_ann import Recipe, cli, comparison
from ga_ann.comparison import report
from ga_ann.comparison.methods import METHODS
from ga_ann.datasets import hue_histogram, load_table, shipped_table
from ga_ann.history import History
from ga_ann.storage.checkpoint import load_checkpoint
from ga_ann.storage.model import Model, load_history, load_model, save_model

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
    monkeypatch.setattr(cli, "_shows_bars", lambda: True)


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


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / name).mkdir()
        for k in range(6):
            pixels = np.full((20, 20, 3), colour) + rng.integers(-20, 20, (20, 20, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{k}.png")
    return root


@pytest.fixture(scope="module")
def iris(tmp_path_factory):
    path = tmp_path_factory.mktemp("iris") / "iris.npz"
    X, y = load_iris(return_X_y=True)
    np.savez(path, X=X, y=y)
    return path


@pytest.fixture(scope="module")
def colour_model(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "colours.npz"
    table = path.with_name("table.npz")
    for arguments in (
        ["extract", pictures, table, "--bins", 12, "--range", "0,1"],
        ["train", table, "-o", path, "--hidden", 4, "--seed", 0, "--min-std", 0],
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        assert stop.value.code == 0
    return path


# ---------------------------------------------------------------- the program


def test_version(ga):
    assert ga("--version") == (0, f"ga-ann {ga_ann.__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help(ga, arguments):
    code, out, _ = ga(*arguments)
    assert code == 0
    for command in ("compare", "extract", "train", "predict", "plot", "info"):
        assert f"\n  {command} " in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cook"], "No such command 'cook'"),
        (["compare", "--seed", "x"], "--seed"),
        (["compare", "--seeds", "x"], "--seeds"),
        (["compare", "--seeds", "0"], "--seeds"),
        (["train"], "Missing"),
        (["train", "fruits360"], "--out"),
        (["predict"], "Missing"),
        (["plot"], "Missing"),
        (["extract", "a"], "Missing"),
    ],
)
def test_usage_errors_are_one_line(fails, arguments, message):
    assert message in fails(*arguments)


def test_messages_of_several_lines_become_one(fails, monkeypatch):
    monkeypatch.setattr("ga_ann.datasets.load_samples", _raise(ValueError("two\nlines")))
    monkeypatch.setattr(cli, "_check_output", lambda *args: None)
    assert fails("train", "x.csv", "-o", "m.npz") == "ga-ann: error: two lines"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(28, "No space left", "m.npz"), 2, "ga-ann: error: m.npz: No space left.\n"),
        (OSError("odd"), 2, "ga-ann: error: odd\n"),
        (TypeError(), 2, "ga-ann: error: TypeError\n"),
        (MemoryError(), 2, "ga-ann: error: not enough memory.\n"),
        (OverflowError("too large"), 2, "ga-ann: error: too large\n"),
        (KeyboardInterrupt(), 130, "ga-ann: interrupted\n"),
        (typer.Abort(), 130, "ga-ann: interrupted\n"),
    ],
)
def test_exit_codes(ga, monkeypatch, error, code, message):
    monkeypatch.setattr(cli, "_check_output", _raise(error))
    found, _, err = ga("train", "x.csv", "-o", "m.npz")
    assert (found, err.lstrip("\n")) == (code, message)


def _raise(error):
    def function(*args, **options):
        raise error

    return function


# ---------------------------------------------------------------- compare


def tiny(monkeypatch, **fixed):
    """Make the comparison small; return the options that the command asked for."""
    asked = {}
    full = comparison.compare
    X, y = load_iris(return_X_y=True)
    known = comparison.DATASETS["fruits"]._replace(
        load=lambda: Bunch(data=X, target=y, groups=np.arange(len(y)) % 2), min_std=None
    )

    def compare(**options):
        asked.update(options)
        small = {
            "budgets": {"tutorial-ga": 0.01, "classic": 0.01, "ga": 0.02},
            "hidden_layer_sizes": 3,
        }
        return full(**{**options, "data": known, **small, **fixed})

    monkeypatch.setattr(comparison, "compare", compare)
    return asked


def test_compare(ga, terminal, monkeypatch, tmp_path):
    asked = tiny(monkeypatch, seeds=2)
    out = tmp_path / "results"
    code, text, err = ga("compare", "--split", "rotation", "--split", "all", "--out", out)
    assert code == 0
    assert asked["seeds"] == 10
    assert asked["budgets"] is None
    assert asked["methods"] == list(METHODS)
    assert (asked["data"], asked["fitness"]) == ("fruits", "accuracy")
    assert text.count("  default GA - Adam: ") == 2
    assert text.count("tested on axis 0:\n") == 1
    assert "No interval: it takes at least 3 seeds." in text
    for word in (
        "tested on axis 1 (r_)",
        "tested on axis 0",
        "all pictures",
        "Naive training stands still",
    ):
        assert word in text
    for method in METHODS.values():
        assert text.count(f" {method.label} ") >= 3
    assert "…" not in text
    assert max(map(len, text.split("\n")[:-2])) <= 80
    assert "2 seeds" in text
    assert str(out) in text
    assert "adam, all, seed 1" in err
    assert len(list(out.iterdir())) == 12


def test_table_shows_median_and_range(ga, monkeypatch, tmp_path):
    tiny(monkeypatch, seeds=3)
    _, text, _ = ga("compare", "--split", "holdout", "--methods", "random", "--out", tmp_path)
    with (tmp_path / "comparison.csv").open() as stream:
        scores = sorted(100 * float(row["train_accuracy"]) for row in csv.DictReader(stream))
    assert f"{scores[1]:.1f}" in text
    assert f"{scores[0]:.1f}-{scores[2]:.1f}" in text
    assert "Naive training" not in text


def test_quick(ga, monkeypatch, tmp_path):
    asked = tiny(monkeypatch)
    monkeypatch.setattr(comparison, "write_report", lambda *args: [])
    code, *_ = ga("compare", "--quick", "--methods", "random,naive", "--out", tmp_path)
    assert (code, asked["seeds"], asked["budgets"]) == (0, 2, cli.QUICK_BUDGETS)
    ga("compare", "--quick", "--seeds", 1, "--methods", "random", "--out", tmp_path)
    assert asked["seeds"] == 1


@pytest.mark.parametrize(("finished", "n_files"), [(1, 7), (0, 0)])
def test_compare_interrupted(ga, monkeypatch, tmp_path, finished, n_files):
    tiny(monkeypatch)
    module = sys.modules["ga_ann.comparison.compare"]
    run, left = module.do_run, iter(range(finished))

    def stop_later(*args):
        return None if next(left, None) is None else run(*args)

    monkeypatch.setattr(module, "do_run", stop_later)
    out = tmp_path / "results"
    code, _, err = ga("compare", "--methods", "naive", "--out", out)
    assert code == 130
    assert "ga-ann: interrupted" in err
    assert (len(list(out.iterdir())) if out.exists() else 0) == n_files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--methods", "naive,sgd"],
            "must be one of ['adam', 'classic', 'ga', 'naive', 'random', 'tut",
        ),
        (["--methods", "naive,naive"], "each once"),
        (["--split", "time"], "must be one of ['all', 'holdout', 'rotation']"),
        (["--fitness", "speed"], "fitness must be one of ['accuracy', "),
        (["--data", "wine", "--fitness", "f1"], "takes 2 classes"),
        (["--data", "iris"], "--data must be one of ['breast_cancer', 'digits', 'fruits', 'wine']"),
        (["--data", "iris.csv"], "there is no file iris.csv"),
        (["--data", ""], "DATA must name a file or a folder"),
        (["--data", "wine", "--target", "y.npy"], "--target goes with a .npy or .pkl file"),
        (["--data", "wine", "--split", "rotation"], "the split 'rotation' needs groups"),
    ],
)
def test_compare_refuses_unknown_names(fails, tmp_path, arguments, message):
    assert message in fails("compare", *arguments, "--out", tmp_path / "results")
    assert not list(tmp_path.iterdir())


def test_compare_refuses_a_file_as_folder(fails, monkeypatch, tmp_path):
    monkeypatch.setattr(comparison, "compare", _raise(AssertionError("work was done")))
    (tmp_path / "results").write_text("mine")
    assert "is a file" in fails("compare", "--out", tmp_path / "results")
    assert (tmp_path / "results").read_text() == "mine"


def test_compare_a_recipe(ga, monkeypatch, tmp_path):
    asked = tiny(monkeypatch, seeds=1, budgets=None)
    recipe = Recipe(sigma=0.1, population_size=16)
    recipe.write(tmp_path / "mine.toml")
    out = tmp_path / "results"
    arguments = ["--methods", "random", "--recipe", tmp_path / "mine.toml", "--out", out]
    code, text, _ = ga("compare", *arguments)
    assert code == 0
    assert asked["methods"] == {"random": "random", "mine": recipe}
    assert text.count(" mine ") >= 2
    assert (out / "confusion_mine.png").exists()


def test_compare_refuses_recipes(fails, tmp_path):
    (tmp_path / "ga.toml").write_text("sigma = 0.1")
    (tmp_path / "odd.toml").write_text("speed = 1")
    for name, message in (
        ("ga.toml", "files of other names than the methods"),
        ("odd.toml", "speed"),
        ("missing.toml", "No such file"),
    ):
        out = tmp_path / "results"
        assert message in fails("compare", "--recipe", tmp_path / name, "--out", out)
        assert not out.exists()


QUICKLY = ["--methods", "random,naive", "--seeds", 3]


@pytest.fixture
def no_pictures(monkeypatch):
    monkeypatch.setattr(report, "render_figure", lambda *args: b"")


@pytest.mark.parametrize("name", ["fruits", "fruits360"])
def test_compare_knows_the_fruits_by_two_names(ga, no_pictures, monkeypatch, tmp_path, name):
    asked = tiny(monkeypatch)
    ga("compare", "--data", name, *QUICKLY, "--out", tmp_path)
    assert asked["data"] == "fruits"


def test_compare_named_data_by_a_score(ga, no_pictures, tmp_path):
    arguments = ["--data", "wine", "--fitness", "f1_macro", *QUICKLY, "--split", "holdout"]
    code, text, _ = ga("compare", *arguments, "--split", "all", "--out", tmp_path)
    assert code == 0
    words = " ".join(text.split())
    for word in (
        "trained and measured on all samples",
        "Wine: 178 samples; all features, standardised by the training part",
        "fitness f1_macro",
        "median difference [95 % interval]",
        "random weights - naive training: +0.0000 [+0.0000, +0.0000]; 0 better, 3 equal, 0 worse",
        "With fewer than 6 seeds",
    ):
        assert word in words
    assert "training %" not in text
    held = json.loads((tmp_path / "comparison.json").read_text())
    assert held["settings"]["fitness"] == "f1_macro"


def test_compare_shows_the_differences_that_it_writes(ga, no_pictures, monkeypatch, tmp_path):
    tiny(monkeypatch, seeds=3)
    arguments = ["--split", "holdout", "--methods", "random,adam", "--out", tmp_path]
    _, text, _ = ga("compare", *arguments)
    with (tmp_path / "differences.csv").open() as stream:
        (line,) = csv.DictReader(stream)
    median, low, high = (f"{100 * float(line[name]):+.1f}" for name in ("median", "low", "high"))
    counts = ", ".join(f"{line[name]} {name}" for name in ("better", "equal", "worse"))
    assert f"random weights - Adam: {median} points [{low}, {high}]; {counts}\n" in text


def test_compare_negative_scores_are_not_cut(ga, no_pictures, tmp_path):
    arguments = ["--data", "wine", "--fitness", "neg_log_loss", *QUICKLY, "--out", tmp_path]
    _, text, _ = ga("compare", *arguments)
    assert "…" not in text
    with (tmp_path / "comparison.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["method"] == "random"]
    scores = sorted(float(row["train_score"]) for row in rows)
    assert f" {scores[0]:.3f} to {scores[-1]:.3f} " in text


def test_compare_a_table(ga, no_pictures, iris, tmp_path):
    code, text, _ = ga("compare", "--data", iris, *QUICKLY, "--out", tmp_path)
    assert code == 0
    held = json.loads((tmp_path / "comparison.json").read_text())
    settings = held["settings"]
    assert (settings["data"], settings["splits"]) == ("iris.npz", ["holdout"])
    assert (settings["hidden_layer_sizes"], settings["standardise"]) == ([32], True)
    assert "tested on the rest" in text


def test_compare_features_with_their_labels_beside_them(ga, no_pictures, tmp_path):
    X, y = load_iris(return_X_y=True)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    out = tmp_path / "results"
    arguments = ["--data", tmp_path / "X.npy", "--target", tmp_path / "y.npy", "--out", out]
    assert ga("compare", *arguments, *QUICKLY)[0] == 0
    assert json.loads((out / "comparison.json").read_text())["rows"]


def test_compare_pictures(ga, no_pictures, fails, pictures, tmp_path):
    arguments = ["--data", pictures, "--methods", "random", "--seeds", 1, "--out", tmp_path]
    assert "no column has a standard deviation above 50" in fails("compare", *arguments)
    assert ga("compare", *arguments, "--min-std", 2)[0] == 0
    settings = json.loads((tmp_path / "comparison.json").read_text())["settings"]
    assert (settings["min_std"], settings["standardise"]) == (2, False)
    assert settings["hidden_layer_sizes"] == [150, 60]


def test_compare_a_table_of_two_axes(ga, no_pictures, tmp_path):
    table = tmp_path / "fruits.npz"
    table.write_bytes(shipped_table().read_bytes())
    arguments = ["--data", table, "--split", "rotation", "--methods", "random", "--seeds", 1]
    _, text, _ = ga("compare", *arguments, "--out", tmp_path / "results")
    assert "trained on group 0, tested on group 1" in text
    assert "against the others" not in text


# ---------------------------------------------------------------- extract


def test_extract(ga, terminal, pictures, tmp_path):
    out = tmp_path / "table.npz"
    code, text, err = ga("extract", pictures, out, "--classes", "red,green", "--bins", 12)
    assert code == 0
    assert "12 pictures of red, green; 12 bins" in text
    assert "extracting" in err
    table = load_table(out)
    assert table.target_names.tolist() == ["red", "green"]
    expected = hue_histogram(Image.open(pictures / "red" / "0.png"), bins=12)
    np.testing.assert_array_equal(table.data[0], expected)


@pytest.mark.parametrize(
    ("folder", "options", "message"),
    [
        ("missing", [], "does not exist"),
        ("red/0.png", [], "is not a folder"),
        ("red", [], "no sub-folders"),
        (".", ["--classes", "red,blue"], "blue"),
        (".", ["--range", "0.5"], "--range must be two numbers"),
        (".", ["--range", "a,b"], "--range must be numbers"),
        (".", ["--range", "1,0"], "hue_range"),
        (".", ["--bins", "0"], "--bins"),
    ],
)
def test_extract_refuses(fails, pictures, tmp_path, folder, options, message):
    assert message in fails("extract", pictures / folder, tmp_path / "out.npz", *options)
    assert not list(tmp_path.iterdir())


def test_extract_names_a_truncated_picture(ga, tmp_path):
    (tmp_path / "in" / "red").mkdir(parents=True)
    (tmp_path / "in" / "red" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    code, _, err = ga("extract", tmp_path / "in", tmp_path / "out.npz")
    assert code == 2
    assert "cut.png" in err
    assert "Traceback" not in err
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("command", ["extract", "train"])
def test_outputs_are_checked_before_the_work(fails, pictures, tmp_path, command):
    def run(out):
        return fails(command, pictures, *([out] if command == "extract" else ["-o", out]))

    (tmp_path / "folder.npz").mkdir()
    assert "must end in .npz" in run(tmp_path / "out.txt")
    assert "does not exist" in run(tmp_path / "missing" / "out.npz")
    assert "is a folder" in run(tmp_path / "folder.npz")


# ---------------------------------------------------------------- train


def test_train_on_the_fruits(ga, terminal, tmp_path):
    out = tmp_path / "model.npz"
    code, text, err = ga(
        "train", "fruits360", "-o", out, "--generations", 1, "--hidden", "5", "--n-features", 102,
        "--validation", 0.25, "--seed", 1,
    )  # fmt: skip
    assert code == 0
    assert "102 of 360 features, 4 classes" in text
    assert "held out" in text
    assert "best=" in err
    model = load_model(out)
    assert [W.shape for W in model.weights] == [(102, 5), (5, 4)]
    assert model.classes.tolist() == ["apple", "raspberry", "mango", "lemon"]
    assert model.extraction == {"bins": 360, "hue_range": None}
    history = load_history(out)
    assert len(history) == 2
    assert np.isfinite(history["validation_score"]).all()
    parts = cli._hold_out(np.arange(1962) % 4, 0.25, 1)
    assert [len(part) for part in parts] == [1471, 491]


def test_the_tutorials_filter_is_the_default_for_pictures(ga, tmp_path):
    ga("train", "fruits360", "-o", tmp_path / "m.npz", "--generations", 0, "--hidden", "")
    assert [W.shape for W in load_model(tmp_path / "m.npz").weights] == [(109, 4)]


def test_the_same_seed_trains_the_same_network(ga, iris, tmp_path):
    models = []
    for name in ("a.npz", "b.npz"):
        code, text, _ = ga(
            "train", iris, "-o", tmp_path / name, "--seed", 4, "--generations", 3, "--hidden", "5",
            "--recipe", "tutorial", "--max-time", 60,
        )  # fmt: skip
        assert code == 0
        assert "held out" not in text
        models.append(load_model(tmp_path / name))
    for W, V in zip(models[0].weights, models[1].weights, strict=True):
        np.testing.assert_array_equal(W, V)
    assert models[0].activation == "sigmoid"
    assert models[0].extraction is None
    assert models[0].columns.all()


def test_train_by_a_recipe_of_ones_own(ga, fails, iris, tmp_path):
    Recipe(activation="tanh", population_size=16).write(tmp_path / "mine.toml")
    arguments = ["--hidden", "5", "--generations", 2, "--seed", 0]
    out = tmp_path / "m.npz"
    train = ["train", iris, "-o", out, *arguments, "--recipe", tmp_path / "mine.toml"]
    assert ga(*train)[0] == 0
    assert load_model(out).activation == "tanh"
    assert load_history(out).settings["population_size"] == 16
    (tmp_path / "mine.toml").write_text("population_size = 1")
    assert "mine.toml" in fails(*train)


def test_train_on_files_of_the_tutorial(ga, tmp_path):
    X, y = load_iris(return_X_y=True)
    for name, array in (("X.pkl", X), ("y.pkl", y)):
        (tmp_path / name).write_bytes(pickle.dumps(array))
    out = tmp_path / "m.npz"
    options = ["--target", tmp_path / "y.pkl", "--hidden", "5", "--generations", 1]
    assert ga("train", tmp_path / "X.pkl", "-o", out, *options)[0] == 0
    code, text, err = ga("predict", out, tmp_path / "X.pkl", "--target", tmp_path / "y.pkl")
    assert code == 0
    assert "of 150 right" in err
    assert ga("predict", out, tmp_path / "X.pkl") == (0, text, "")


def test_ctrl_c_saves_the_best_so_far(ga, terminal, iris, tmp_path, monkeypatch):
    def stop(self, ga, history):
        if len(history) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("ga_ann.callbacks.ProgressBar.on_generation", stop)
    out = tmp_path / "m.npz"
    code, text, _ = ga("train", iris, "-o", out, "--hidden", "5")
    assert code == 0
    assert "(interrupted)" in text
    assert len(load_history(out)) == 3
    assert load_model(out).classes.tolist() == [0, 1, 2]


def test_train_goes_on_from_a_checkpoint(ga, iris, tmp_path):
    """The model is, bit for bit, that of a run that was never interrupted."""
    options = ["--hidden", "5", "--seed", 4, "--validation", 0.25]
    run, models = tmp_path / "run.npz", []
    for name, n_generations, more in (
        ("whole.npz", 13, []),
        ("first.npz", 6, ["--checkpoint", run]),
        ("second.npz", 13, ["--resume", run]),
        ("third.npz", 13, ["--resume", run]),  # it has ended: nothing is left to do
    ):
        out = tmp_path / name
        assert ga("train", iris, "-o", out, "--generations", n_generations, *options, *more)[0] == 0
        models.append((load_model(out), load_history(out)))
    assert load_checkpoint(run).generation == 13
    (whole, expected), _, *others = models
    for model, history in others:
        for W, V in zip(model.weights, whole.weights, strict=True):
            np.testing.assert_array_equal(W, V)
        for name in ("best_fitness", "validation_score", "ranking", "evaluations", "generation"):
            np.testing.assert_array_equal(history[name], expected[name])


def test_train_refuses_to_go_on_with_something_else(fails, ga, iris, tmp_path):
    run, out = tmp_path / "run.npz", tmp_path / "m.npz"
    options = ["--hidden", "5", "--seed", 4]
    assert ga("train", iris, "-o", out, "--generations", 2, "--checkpoint", run, *options)[0] == 0
    out.unlink()
    before = run.read_bytes()
    train = ["train", iris, "-o", out, *options]
    for more, message in (
        (["--resume", run, "--recipe", "tutorial"], "one of another run: activation='sigmoid'"),
        (["--resume", run, "--validation", 0.5], "another X"),
        (["--resume", run, "--checkpoint", run], "give it or --checkpoint, not both"),
        (["--resume", tmp_path / "missing.npz"], "missing.npz: No such file"),
        (["--checkpoint", tmp_path / "missing" / "run.npz"], "missing does not exist"),
        (["--checkpoint", tmp_path], "is a folder"),
        (["--checkpoint", out], "would be overwritten"),
    ):
        if more[-1] == out:
            out.write_bytes(b"")
        assert message in fails(*train, *more)
    assert run.read_bytes() == before


class Hostile:
    def __reduce__(self):
        return print, ("a hostile pickle ran",)


def bad_file(kind, folder):
    path = folder / f"{kind}.npz"
    X, y = load_iris(return_X_y=True)
    if kind == "truncated":
        np.savez(path, X=X, y=y)
        path.write_bytes(path.read_bytes()[:500])
    elif kind == "objects":
        np.savez(path, X=X, y=np.array([Hostile()] * 150))
    elif kind == "one class":
        np.savez(path, X=X, y=np.zeros(150, dtype=int))
    elif kind == "NaN":
        np.savez(path, X=np.full((150, 4), np.nan), y=y)
    elif kind == "lengths":
        np.savez(path, X=X, y=y[:-1])
    elif kind == "empty":
        np.savez(path, X=X[:0], y=y[:0])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("truncated", "cannot be read"),
        ("objects", "objects"),
        ("one class", "at least 2 classes"),
        ("NaN", "must be finite"),
        ("lengths", "150, got 149"),
        ("empty", "features must be"),
        ("missing", "No such file"),
    ],
)
def test_train_refuses_bad_files(fails, tmp_path, kind, message):
    path = bad_file(kind, tmp_path)
    assert message in fails("train", path, "-o", tmp_path / "model.npz")
    assert not (tmp_path / "model.npz").exists()


def test_train_refuses_a_hostile_pickle(fails, tmp_path):
    (tmp_path / "X.pkl").write_bytes(pickle.dumps(Hostile()))
    np.save(tmp_path / "y.npy", np.arange(3))
    options = ["--target", tmp_path / "y.npy", "-o", tmp_path / "m.npz"]
    assert "print" in fails("train", tmp_path / "X.pkl", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--hidden", "5,x"], "--hidden must be numbers"),
        (["--hidden", "0"], "hidden_layer_sizes must be >= 1"),
        (["--recipe", "cake"], "recipe must be one of"),
        (["--min-std", "1e9"], "Choose other --min-std"),
        (["--n-features", "5"], "n_features"),
        (["--min-std", "0", "--n-features", "2"], "give one of them"),
        (["--max-time", "-1"], "max_time"),
        (["--validation", "1"], "--validation must be at least 0 and below 1"),
        (["--validation", "0.001"], "test_size"),
        (["--target", "y.npy"], "--target goes with"),
        (["--generations", "-1"], "--generations"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_train_refuses_bad_options(fails, iris, tmp_path, options, message):
    assert message in fails("train", iris, "-o", tmp_path / "m.npz", *options)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- predict


def test_predict_pictures(ga, colour_model, pictures):
    paths = [pictures / "green" / "0.png", pictures / "red" / "3.png"]
    code, text, _ = ga("predict", colour_model, *paths)
    assert code == 0
    lines = [line.split() for line in text.splitlines()]
    assert [(name, label) for name, label, _ in lines] == [
        (str(paths[0]), "green"),
        (str(paths[1]), "red"),
    ]
    counts = [hue_histogram(Image.open(path), bins=12, hue_range=(0, 1)) for path in paths]
    expected = load_model(colour_model).predict_proba(np.array(counts, dtype=float)).max(axis=1)
    assert [float(p) for *_, p in lines] == pytest.approx(expected, abs=1e-4)


def test_predict_a_folder_and_its_table_alike(ga, terminal, colour_model, pictures):
    code, of_folder, err = ga("predict", colour_model, pictures)
    assert code == 0
    assert "extracting" in err
    assert err.endswith("12 of 12 right (100.00 %)\n")
    _, of_table, _ = ga("predict", colour_model, colour_model.with_name("table.npz"))
    assert of_table == of_folder


def test_predict_csv_and_json_agree(ga, colour_model, pictures):
    _, as_csv, _ = ga("predict", colour_model, pictures, "--format", "csv")
    _, as_json, _ = ga("predict", colour_model, pictures, "--format", "json")
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    assert rows == [{k: str(v) for k, v in row.items()} for row in json.loads(as_json)]
    assert len(rows) == 12
    assert rows[0]["name"] == "green/0.png"


def test_predict_does_not_score_other_labels(ga, iris, tmp_path):
    weights = [np.ones((4, 3))]
    save_model(tmp_path / "m.npz", Model(weights, "relu", "identity", np.array(["a", "b", "c"])))
    code, text, err = ga("predict", tmp_path / "m.npz", iris)
    assert (code, err.split("; ")[0]) == (0, "no label is known to tell the accuracy")
    assert "150 with labels that the model does not know: 0, 1, 2" in err
    assert len(text.splitlines()) == 150


def test_predict_refuses(fails, colour_model, pictures, iris, tmp_path):
    picture = pictures / "red" / "0.png"
    assert "--format must be one of ['csv'" in fails(
        "predict", colour_model, picture, "--format", "xml"
    )
    assert "No such file" in fails("predict", tmp_path / "m.npz", picture)
    assert "cannot be read as" in fails("predict", iris, picture)
    assert "0.gif" in fails("predict", colour_model, tmp_path / "0.gif")
    assert "one table or folder" in fails("predict", colour_model, picture, iris)
    assert "--target goes with" in fails("predict", colour_model, picture, "--target", "y.npy")
    assert "extract it anew" in fails("predict", colour_model, "fruits360")
    assert "must have 12 columns" in fails("predict", colour_model, iris)
    model = Model([np.ones((4, 3))], "relu", "identity", np.arange(3))
    save_model(tmp_path / "m.npz", model)
    assert "trained on a table" in fails("predict", tmp_path / "m.npz", picture)
    odd = Model([np.ones((4, 3))], "relu", "identity", np.arange(3), extraction={"size": 1})
    save_model(tmp_path / "m.npz", odd)
    assert "bins and hue_range" in fails("predict", tmp_path / "m.npz", picture)


# ---------------------------------------------------------------- plot


def test_plot(ga, colour_model, tmp_path):
    code, text, _ = ga("plot", colour_model, "-o", tmp_path / "one.png")
    assert (code, text) == (0, f"{tmp_path / 'one.png'}\n")
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.size[0] > 300
    other = tmp_path / "other.npz"
    other.write_bytes(colour_model.read_bytes())
    assert ga("plot", colour_model, other, "-o", tmp_path / "two.svg", "--x", "seconds")[0] == 0
    assert (tmp_path / "two.svg").stat().st_size


def test_plot_refuses(fails, colour_model, iris, tmp_path):
    out = tmp_path / "out.png"
    assert "No such file" in fails("plot", tmp_path / "h.npz", "-o", out)
    assert "cannot be read as" in fails("plot", iris, "-o", out)
    assert "x must be one of" in fails("plot", colour_model, "-o", out, "--x", "hours")
    assert "must end in one of" in fails("plot", colour_model, "-o", tmp_path / "out.doc")
    assert "does not exist" in fails("plot", colour_model, "-o", tmp_path / "missing" / "out.png")
    model = Model([np.ones((4, 3))], "relu", "identity", np.arange(3))
    save_model(tmp_path / "m.npz", model)
    assert "without a history" in fails("plot", tmp_path / "m.npz", "-o", out)
    save_model(tmp_path / "m.npz", model, History())
    assert "nothing to plot" in fails("plot", tmp_path / "m.npz", "-o", out)
    assert {path.name for path in tmp_path.iterdir()} == {"m.npz"}


# ---------------------------------------------------------------- info


def test_info(ga, colour_model, iris, tmp_path):
    code, text, err = ga("info", colour_model)
    assert (code, err) == (0, "")
    lines = text.splitlines()
    assert lines[0] == f"model, format 1, written by ga_ann {ga_ann.__version__}"
    assert lines[1] == "network: 4-4-2, relu, then identity"
    assert lines[2] == "classes: green, red"
    assert "best accuracy 1.0000" in text
    run = tmp_path / "run.npz"
    ga("train", iris, "-o", tmp_path / "m.npz", "--generations", 2, "--checkpoint", run)
    code, text, err = ga("info", run)
    assert (code, err) == (0, "")
    assert text.startswith("checkpoint, format 1")
    assert "GA: generation 2, best accuracy" in text
    assert ga("plot", run, "-o", tmp_path / "run.png")[0] == 0


def test_info_refuses(fails, iris, tmp_path):
    assert "No such file" in fails("info", tmp_path / "missing.npz")
    assert "cannot be read as a model, a history or a checkpoint" in fails("info", iris)
    assert "Is a directory" in fails("info", tmp_path)


def test_histories_of_one_name_are_told_apart(ga, colour_model, tmp_path):
    names = cli._name_apart([Path("a/m.npz"), Path("a/m.npz"), Path("b/m.npz"), Path("a/m.h")])
    assert names == ["a/m", "a/m (2)", "b/m", "a/m (3)"]
    assert ga("plot", colour_model, colour_model, "-o", tmp_path / "two.svg")[0] == 0


# ---------------------------------------------------------------- what the user could lose


@pytest.mark.parametrize("link", [False, True])
def test_inputs_are_not_overwritten(fails, colour_model, tmp_path, link):
    table = tmp_path / "table.npz"
    table.write_bytes(colour_model.with_name("table.npz").read_bytes())
    out = table
    if link:
        out = tmp_path / "link.npz"
        out.symlink_to(table)
    before = table.read_bytes()
    assert "would be overwritten" in fails("train", table, "-o", out)
    history = tmp_path / "history.png"
    history.write_bytes(colour_model.read_bytes())
    assert "would be overwritten" in fails("plot", colour_model, history, "-o", history)
    assert "would be overwritten" in fails("extract", table, out)
    labels = tmp_path / "y.npz"
    labels.write_bytes(b"")
    assert "would be overwritten" in fails("train", "X.npy", "--target", labels, "-o", labels)
    assert table.read_bytes() == before
    assert history.read_bytes() == colour_model.read_bytes()


def test_the_shipped_table_is_not_overwritten(fails):
    shipped = shipped_table()
    assert "would be overwritten" in fails("train", "fruits360", "-o", shipped)


def test_outputs_that_cannot_be_written_are_found_before_the_work(
    fails, iris, monkeypatch, tmp_path
):
    monkeypatch.setattr("ga_ann.datasets.load_samples", _raise(AssertionError("work was done")))
    monkeypatch.setattr("pathlib.Path.open", _raise(PermissionError(13, "Permission denied")))
    line = fails("train", iris, "-o", tmp_path / "m.npz")
    assert line == f"ga-ann: error: {tmp_path / 'm.npz'}: Permission denied."


@pytest.mark.parametrize("command", ["train", "predict"])
def test_no_name_is_not_the_current_folder(fails, colour_model, tmp_path, command):
    arguments = ["", "-o", tmp_path / "m.npz"] if command == "train" else [colour_model, ""]
    assert "DATA must name a file or a folder, got ''" in fails(command, *arguments)


def test_one_class_is_refused_before_it_is_extracted(fails, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "ga_ann.datasets.samples.extract_features", _raise(AssertionError("extracted"))
    )
    (tmp_path / "in" / "red").mkdir(parents=True)
    Image.new("RGB", (2, 2)).save(tmp_path / "in" / "red" / "0.png")
    message = fails("train", tmp_path / "in", "-o", tmp_path / "m.npz")
    assert "at least 2 classes, got only ['red']" in message


def test_without_a_terminal_there_are_no_bars(ga, pictures, tmp_path):
    assert ga("extract", pictures, tmp_path / "t.npz", "--bins", 3)[2] == ""


# ---------------------------------------------------------------- samples without labels


def test_predict_without_labels(ga, iris, tmp_path):
    X, y = load_iris(return_X_y=True)
    out = tmp_path / "m.npz"
    assert ga("train", iris, "-o", out, "--hidden", "5", "--generations", 2, "--seed", 0)[0] == 0
    code, expected, err = ga("predict", out, iris)
    assert code == 0
    assert err.endswith(" %)\n")
    np.save(tmp_path / "X.npy", X)
    (tmp_path / "X.pkl").write_bytes(pickle.dumps(X))
    np.savez(tmp_path / "data.npz", data=X)
    np.savez(tmp_path / "X.npz", X=X)
    lines = [",".join(map(str, row)) for row in X.tolist()]
    (tmp_path / "X.csv").write_text("\n".join(lines))
    (tmp_path / "named.csv").write_text("\n".join(["a,b,c,d", *lines]))
    for name in ("X.npy", "X.pkl", "data.npz", "X.npz", "X.csv", "named.csv"):
        assert ga("predict", out, tmp_path / name) == (0, expected, "")
    with_labels = [f"{line},{label}" for line, label in zip(lines, y, strict=True)]
    (tmp_path / "Xy.csv").write_text("\n".join(with_labels))
    assert ga("predict", out, tmp_path / "Xy.csv") == (0, expected, err)


def test_predict_a_flat_folder(ga, fails, colour_model, pictures, tmp_path):
    code, text, err = ga("predict", colour_model, pictures / "red")
    assert (code, err) == (0, "")
    assert text == ga("predict", colour_model, *sorted((pictures / "red").iterdir()))[1]
    assert "holds no picture" in fails("predict", colour_model, tmp_path)


def test_labels_with_leading_zeros_stay_apart(ga, tmp_path):
    rows = [f"{x},{label}" for k in range(8) for x, label in ((k, "001"), (k + 50, "1"))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    ga("train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", "--generations", 1, "--hidden", "")
    assert load_model(tmp_path / "m.npz").classes.tolist() == ["001", "1"]
    (tmp_path / "ones.csv").write_text("\n".join(row for row in rows if row.endswith(",1")))
    assert " of 8 right" in ga("predict", tmp_path / "m.npz", tmp_path / "ones.csv")[2]


# ---------------------------------------------------------------- quick start


def test_a_narrow_terminal_cuts_no_number(ga, monkeypatch, tmp_path):
    tiny(monkeypatch, seeds=2)
    arguments = ["compare", "--split", "holdout", "--methods", "random", "--out", tmp_path]
    _, wide, _ = ga(*arguments)
    monkeypatch.setenv("COLUMNS", "30")
    _, narrow, _ = ga(*arguments)
    assert "…" not in narrow
    assert "evaluations" in narrow
    assert len(narrow.splitlines()) == len(wide.splitlines())


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom ga_ann.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n"
        "    print(sorted({'numpy', 'sklearn', 'pygad', 'matplotlib'} & sys.modules.keys()))"
    )
    root = Path(ga_ann.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"
