import csv
import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.utils import Bunch

from ga_ann import Recipe, comparison
from ga_ann.cli import compare
from ga_ann.comparison import report
from ga_ann.comparison.methods import METHODS, REGRESSION_METHODS
from ga_ann.datasets import shipped_table


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
    code, text, err = ga("compare", "--split", "rotation", "--split", "all", "-o", out)
    assert code == 0
    assert asked["seeds"] == 10
    assert asked["budgets"] is None
    assert asked["methods"] == list(METHODS)
    assert (asked["data"], asked["task"]) == ("fruits", "classification")
    assert asked["fitness"] is None
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


def test_quiet_leaves_the_files_alone_to_tell(ga, terminal, monkeypatch, tmp_path):
    tiny(monkeypatch, seeds=1)
    out = tmp_path / "results"
    assert ga("compare", "--methods", "naive,adam", "-o", out, "--quiet") == (0, "", "")
    assert {"comparison.csv", "fitness.png"} <= {path.name for path in out.iterdir()}


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
    assert (code, asked["seeds"], asked["budgets"]) == (0, 2, compare.QUICK_BUDGETS)
    ga("compare", "--quick", "--seeds", 1, "--methods", "random", "--out", tmp_path)
    assert asked["seeds"] == 1


@pytest.mark.parametrize(("finished", "n_files"), [(1, 7), (0, 0)])
def test_compare_interrupted(ga, monkeypatch, tmp_path, finished, n_files):
    tiny(monkeypatch)
    module = sys.modules["ga_ann.comparison.compare"]
    run, left = module.do_run, iter(range(finished))

    def stop_later(*args):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return run(*args)

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
        (
            ["--data", "iris"],
            "--data must be one of ['breast_cancer', 'diabetes', 'digits', 'fruits', ",
        ),
        (["--data", "iris.csv"], "there is no file iris.csv"),
        (["--data", ""], "DATA must name a file or a folder"),
        (["--data", "wine", "--target", "y.npy"], "--target goes with a .npy or .pkl file"),
        (["--data", "wine", "--split", "rotation"], "the split 'rotation' needs groups"),
    ],
)
def test_compare_refuses_unknown_names(fails, tmp_path, arguments, message):
    assert message in fails("compare", *arguments, "--out", tmp_path / "results")
    assert not list(tmp_path.iterdir())


def test_compare_refuses_a_file_as_folder(fails, monkeypatch, tmp_path, breaks):
    monkeypatch.setattr(comparison, "compare", breaks(AssertionError("work was done")))
    (tmp_path / "results").write_text("mine")
    assert "is a file" in fails("compare", "--out", tmp_path / "results")
    assert (tmp_path / "results").read_text() == "mine"


def test_compare_several_runs_at_a_time(ga, fails, monkeypatch, tmp_path):
    asked = tiny(monkeypatch, seeds=2)
    out = tmp_path / "results"
    arguments = ["--methods", "random,naive", "--out", out]
    tables = []
    for jobs in ([], ["--jobs", "2"]):
        code, _, _ = ga("compare", *arguments, *jobs)
        assert code == 0
        assert asked["n_jobs"] == (2 if jobs else None)
        with (out / "comparison.csv").open(newline="") as file:
            tables.append([row | {"seconds": None} for row in csv.DictReader(file)])
    assert len(tables[0]) == 2 * 2 * 2
    assert tables[0] == tables[1]
    assert "--jobs" in fails("compare", *arguments, "--jobs", "0")


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
    tutorial = [*arguments, "--features", "tutorial"]
    assert "no column has a standard deviation above 50" in fails("compare", *tutorial)
    for options, min_std in (([*tutorial, "--min-std", 2], 2), (arguments, None)):
        assert ga("compare", *options)[0] == 0
        settings = json.loads((tmp_path / "comparison.json").read_text())["settings"]
        assert (settings["min_std"], settings["standardise"]) == (min_std, False)
        assert settings["hidden_layer_sizes"] == [150, 60]


def test_compare_takes_the_networks_and_the_seeds_that_are_asked_for(ga, no_pictures, tmp_path):
    arguments = ["--data", "wine", "--methods", "random", "--seeds", 1, "--out", tmp_path]
    assert ga("compare", *arguments, "--hidden", "7,5", "--n-features", 4, "--seed", 3)[0] == 0
    settings = json.loads((tmp_path / "comparison.json").read_text())["settings"]
    names = ("hidden_layer_sizes", "n_features", "random_state")
    assert [settings[name] for name in names] == [[7, 5], 4, 3]


def test_compare_a_table_of_two_axes(ga, no_pictures, tmp_path):
    table = tmp_path / "fruits.npz"
    table.write_bytes(shipped_table().read_bytes())
    arguments = ["--data", table, "--split", "rotation", "--methods", "random", "--seeds", 1]
    _, text, _ = ga("compare", *arguments, "--out", tmp_path / "results")
    assert "trained on group 0, tested on group 1" in text
    assert "against the others" not in text


def test_a_narrow_terminal_cuts_no_number(ga, monkeypatch, tmp_path):
    tiny(monkeypatch, seeds=2)
    arguments = ["compare", "--split", "holdout", "--methods", "random", "--out", tmp_path]
    _, wide, _ = ga(*arguments)
    monkeypatch.setenv("COLUMNS", "30")
    _, narrow, _ = ga(*arguments)
    assert "…" not in narrow
    assert "evaluations" in narrow
    assert len(narrow.splitlines()) == len(wide.splitlines())


def test_compare_prepares_a_table_as_train_does(ga, fails, no_pictures, flowers, tmp_path):
    flowers.to_csv(tmp_path / "t.csv", index=False)
    flowers.drop(columns=["id", "colour", "sepal width"]).to_csv(tmp_path / "n.csv", index=False)
    out = tmp_path / "results"
    columns = ["--label", "kind", "--drop", "id"]
    arguments = ["compare", "--data", tmp_path / "t.csv", *QUICKLY, "--out", out]
    assert "drop it" in fails(*arguments, "--label", "kind")
    assert "the column 'colour' holds 'blue'" in fails(*arguments, *columns, "--raw")
    assert not out.exists()
    assert ga(*arguments, *columns)[0] == 0
    settings = json.loads((out / "comparison.json").read_text())["settings"]
    names = ("standardise", "hidden_layer_sizes", "splits")
    assert [settings[name] for name in names] == [True, [32], ["holdout"]]
    arguments[2] = tmp_path / "n.csv"
    assert ga(*arguments, "--label", "kind", "--raw")[0] == 0
    assert not json.loads((out / "comparison.json").read_text())["settings"]["standardise"]


def test_compare_scores_a_table_alike_however_it_is_written(
    ga, no_pictures, flowers, on_stdin, tmp_path
):
    turned = flowers[[*flowers.columns.drop("kind"), "kind"]]
    turned.to_csv(tmp_path / "last.csv", index=False)
    flowers.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    on_stdin(flowers.to_csv(index=False, sep=";"))
    scores = []
    for data, label in (
        (tmp_path / "last.csv", []),
        (tmp_path / "t.tsv", ["--label", "2"]),
        ("-", ["--label", "kind"]),
    ):
        out = tmp_path / "results"
        arguments = ["--data", data, *label, "--drop", "id", "--methods", "random,adam"]
        assert ga("compare", *arguments, "--seeds", 2, "--out", out)[0] == 0
        rows = json.loads((out / "comparison.json").read_text())["rows"]
        scores.append(
            [(row["method"], row["train_accuracy"], row["held_out_accuracy"]) for row in rows]
        )
    assert scores[0] == scores[1] == scores[2]


MEASURED = "y must hold labels of classes, got numbers that were measured, such as 0.00671140939597"


def test_ratings_lead_to_a_regression_in_the_same_words_everywhere(fails, ga, tmp_path):
    X, _ = load_iris(return_X_y=True)
    ratings = np.arange(150) % 4 / 2 + 0.5
    np.savetxt(tmp_path / "t.csv", np.column_stack([X, ratings]), delimiter=",")
    commands = (
        ["train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", "--generations", 1],
        ["compare", "--data", tmp_path / "t.csv", "-o", tmp_path / "r", "--methods", "random"],
    )
    messages = {fails(*commands[0]), fails(*commands[0], "--validation", 0), fails(*commands[1])}
    assert len(messages) == 1
    assert "such as 0.5: they take the task regression (--task regression" in messages.pop()
    with pytest.raises(ValueError, match=r"such as 0\.5: they take the task regression"):
        comparison.compare(X, ratings.astype(object), methods=["random"], seeds=1)
    assert ga(*commands[0], "--task", "regression")[0] == 0
    np.savetxt(tmp_path / "t.csv", np.column_stack([X, 2 * ratings]), delimiter=",")
    assert ga(*commands[0])[0] == 0
    assert ga(*commands[1], "--seeds", 1)[0] == 0
    comparison.compare(X, 2 * ratings.astype(object), methods=["random"], seeds=1)


def test_numbers_that_were_measured_lead_to_a_regression(ga, fails, no_pictures, tmp_path):
    X, y = load_iris(return_X_y=True)
    np.savez(tmp_path / "t.npz", X=X, y=np.linspace(0, 1, 150))
    np.savez(tmp_path / "classes.npz", X=X, y=np.where(np.arange(150) == 149, 3, y))
    out = tmp_path / "results"
    arguments = ["--methods", "random", "--seeds", 1, "--out", out]
    measured = ["compare", "--data", tmp_path / "t.npz", *arguments]
    for options in ([], ["--split", "all"], ["--split", "all", "--split", "holdout"]):
        assert MEASURED in fails(*measured, *options)
    message = fails("compare", "--data", "diabetes", "--task", "classification", *arguments)
    assert (
        "only one of [25.0, 31.0, 37.0, 40.0, 43.0, ...]: add samples, or give --split all; for"
        in (message)
    )
    assert ga(*measured, "--task", "regression")[0] == 0
    assert ga("compare", "--data", "wine", *arguments, "--task", "classification")[0] == 0
    single = ["compare", "--data", tmp_path / "classes.npz", *arguments]
    assert "only one of [3]: add samples, or give --split all" in fails(*single)
    for options in (["--split", "all"], ["--task", "regression"]):
        assert ga(*single, *options)[0] == 0


REGRESSION = ["--methods", "random,mean", "--seeds", 3]


def test_compare_diabetes_is_a_regression_without_being_told(ga, no_pictures, tmp_path):
    for told in ([], ["--task", "regression"]):
        out = tmp_path / "results"
        code, text, _ = ga("compare", "--data", "diabetes", *REGRESSION, *told, "--out", out)
        assert code == 0
        words = " ".join(text.split())
        for word in (
            "trained on 3/4, tested on the rest",
            "Diabetes: 442 samples; all features, standardised by the training part; hidden "
            "layers 32; fitness r2; 3 seeds",
            "random weights - mean target: ",
            "predictions_mean.png",
        ):
            assert word in words
        assert "RMSE" in text
        assert not {"wrong", "class", "points"} & set(words.split())
        names = {path.name for path in out.iterdir()}
        assert {"errors.md", "predictions_random.png"} <= names
        assert not {"misclassified.md", "confusion_random.png"} & names


def test_compare_asks_for_the_methods_of_the_task(ga, monkeypatch, tmp_path):
    monkeypatch.setattr(comparison, "print_comparison", lambda *args: None)
    monkeypatch.setattr(comparison, "write_report", lambda *args: [])
    small = {"methods": ["random"], "task": "classification", "budgets": None}
    asked = tiny(monkeypatch, **small)
    for data, of_task in (("diabetes", REGRESSION_METHODS), ("wine", METHODS)):
        assert ga("compare", "--data", data, "--quick", "--out", tmp_path)[0] == 0
        assert asked["methods"] == list(of_task)
        assert asked["budgets"].keys() == compare.QUICK_BUDGETS.keys() & of_task.keys()


def test_compare_a_regression_of_a_table_by_a_score_and_a_recipe(
    ga, fails, no_pictures, flowers, tmp_path
):
    flowers.to_csv(tmp_path / "t.csv", index=False)
    Recipe(population_size=16, sigma=0.1).write(tmp_path / "mine.toml")
    arguments = ["compare", "--data", tmp_path / "t.csv", "--drop", "id", "--task", "regression"]
    out = tmp_path / "results"
    options = ["--methods", "mean,adam", "--seeds", 1, "--out", out]
    text = "a regression needs numbers as targets, got the text 'setosa'"
    assert text in fails(*arguments, *options, "--label", "kind")
    options += ["--label", "petal width", "--recipe", tmp_path / "mine.toml"]
    options += ["--fitness", "neg_mean_absolute_error"]
    assert ga(*arguments, *options)[0] == 0
    held = json.loads((out / "comparison.json").read_text())
    assert held["settings"]["fitness"] == "neg_mean_absolute_error"
    scores = {row["method"]: row["held_out_score"] for row in held["rows"]}
    assert scores.keys() == {"mean", "adam", "mine"}
    assert scores["mean"] < scores["mine"] < 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "diabetes", "--methods", "naive"], "'naive' is not made; 'mean' is its"),
        (["--data", "diabetes", "--methods", "tutorial-ga"], "'tutorial-ga' is not made"),
        (["--data", "wine", "--methods", "mean"], "in a classification, for which 'mean'"),
        (["--data", "diabetes", "--fitness", "f1_macro"], "name of a regression scorer"),
        (["--data", "diabetes", "--task", "classification"], "measured, give --task regression."),
        (["--data", "wine", "--task", "regression"], "they take the task classification"),
        (["--task", "sorting"], "--task must be one of ['classification', 'regression'], got 's"),
    ],
)
def test_compare_refuses_what_is_of_the_other_task(fails, tmp_path, arguments, message):
    assert message in fails("compare", *arguments, "--out", tmp_path / "results")
    assert not list(tmp_path.iterdir())


def test_compare_pictures_are_no_regression(fails, pictures, tmp_path):
    arguments = ["--data", pictures, "--task", "regression", "--out", tmp_path / "results"]
    assert "needs numbers as targets, got the text" in fails("compare", *arguments)


def test_a_folder_that_cannot_be_written_is_what_is_named(fails, monkeypatch, tmp_path, breaks):
    monkeypatch.setattr(comparison, "compare", breaks(AssertionError("work was done")))
    monkeypatch.setattr("pathlib.Path.open", breaks(PermissionError(13, "Permission denied")))
    line = fails("compare", "--out", tmp_path / "new" / "results")
    assert line == f"ga-ann: error: {tmp_path}: nothing can be written there: Permission denied."


def test_compare_tells_the_notes_of_train(ga, tmp_path):
    X, y = load_iris(return_X_y=True)
    table = pd.DataFrame(X, columns=list("abcd")).assign(customerId=np.arange(150)[::-1], e=3.5)
    table.assign(y=y).to_csv(tmp_path / "t.csv", index=False)
    data, options = tmp_path / "t.csv", ["--fitness", "r2"]
    _, trained, _ = ga("train", data, "-o", tmp_path / "m.npz", "--generations", 1, *options)
    compare = ["compare", "--methods", "random", "--seeds", 1, "-o", tmp_path / "r", "--data", data]
    code, compared, _ = ga(*compare, *options)
    assert code == 0
    notes = [line for line in trained.splitlines() if line in compared]
    assert [line.split()[0] for line in notes] == ["the", "different", "r2"]
    assert compared.startswith("\n".join(notes))
    table[["a", "b"]].assign(y=y).to_csv(data, index=False)
    assert not any(
        line.startswith(("the same", "different", "r2")) for line in (ga(*compare)[1].splitlines())
    )
