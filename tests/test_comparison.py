import csv
import json
import math
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ga_ann import comparison as module
from ga_ann.comparison import (
    MEASURES,
    METHODS,
    SPLITS,
    Comparison,
    Method,
    Trained,
    check_folder,
    compare,
    summarise,
    write_report,
)
from ga_ann.history import History

BUDGETS = {"tutorial-ga": 0.02, "ga": 0.05}


@pytest.fixture(scope="module")
def data():
    X, y = load_iris(return_X_y=True)
    return X, y, np.arange(len(y)) % 2


@pytest.fixture(scope="module")
def full(data):
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


@pytest.fixture
def constant(monkeypatch):
    """Replace the methods by two that record what they were given and answer a constant."""
    seen = []

    def train(X, y, hidden, max_time, random_state):
        seen.append((X, y, hidden, max_time, random_state))
        history = History()
        history.append(generation=0, evaluations=1, seconds=0, best_fitness=0.5)
        return Trained(lambda X: np.zeros(len(X), dtype=int), history, "done")

    monkeypatch.setattr(
        module, "METHODS", {"a": Method("A", train), "b": Method("B", train, max_time=7.0)}
    )
    return seen


def small(data, **options):
    X, y, groups = data
    options = {"groups": groups, "methods": ["random", "naive"], "seeds": 1} | options
    return compare(X, y, **{"hidden_layer_sizes": 3, **options})


def test_a_row_for_each_method_split_and_seed(full):
    names = ["rotation 0->1", "rotation 1->0", "holdout", "all"]
    expected = [(m, name, seed) for seed in (0, 1) for name in names for m in METHODS]
    assert [(row["method"], row["split"], row["seed"]) for row in full.rows] == expected
    assert set(full.histories) == set(full.predictions) == set(expected)
    assert not full.interrupted


def test_rows_agree_with_the_predictions(full):
    for row in full.rows:
        split = full.splits[row["split"], row["seed"]]
        wrong = full.predictions[row["method"], row["split"], row["seed"]] != full.y[split.test]
        assert row["n_wrong"] == wrong.sum()
        if split.kind == "all":
            assert math.isnan(row["held_out_accuracy"])
            assert row["train_accuracy"] == pytest.approx(1 - wrong.mean())
        else:
            assert row["held_out_accuracy"] == pytest.approx(1 - wrong.mean())
        assert row["seconds"] > 0
        assert row["evaluations"] >= 1


def test_histories_agree_with_the_rows(full):
    for row in full.rows:
        history = full.histories[row["method"], row["split"], row["seed"]]
        assert history.last["best_fitness"] == pytest.approx(row["train_accuracy"])
        assert history.label == full.label(row["method"])


def test_naive_training_ends_where_random_weights_begin(full):
    keys = [key for key in full.predictions if key[0] == "naive"]
    assert keys
    for _, split, seed in keys:
        np.testing.assert_array_equal(
            full.predictions["naive", split, seed], full.predictions["random", split, seed]
        )


def test_adam_is_scikit_learns(full, data):
    from sklearn.neural_network import MLPClassifier

    X, y, _ = data
    split = full.splits["holdout", 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier((6,), random_state=full.settings["seeds"][1])
        scale = X[split.train].std()
        model.fit(X[split.train] / scale, y[split.train])
    np.testing.assert_array_equal(
        model.predict(X[split.test] / scale), full.predictions["adam", "holdout", 1]
    )


def test_splits_are_what_they_say(full, data):
    _, y, groups = data
    for (name, seed), split in full.splits.items():
        assert (split.name, split.seed) == (name, seed)
        if split.kind == "all":
            assert split.train.tolist() == split.test.tolist() == list(range(len(y)))
            continue
        assert sorted([*split.train, *split.test]) == list(range(len(y)))
        if split.kind == "rotation":
            a, b = name.removeprefix("rotation ").split("->")
            assert set(groups[split.train]) == {int(a)}
            assert set(groups[split.test]) == {int(b)}
        else:
            assert np.bincount(y[split.train]).tolist() in (
                [37, 37, 38],
                [37, 38, 37],
                [38, 37, 37],
            )
    first, second = (full.splits["holdout", seed].test for seed in (0, 1))
    assert first.tolist() != second.tolist()


def test_methods_are_paired(data, constant):
    X, y, groups = data
    comparison = compare(
        X * 100, y, groups=groups, splits=list(SPLITS), seeds=2, min_std=70, budgets={"b": 1.0}
    )
    assert len(constant) == 2 * 2 * 4
    for (X_a, y_a, *_, time_a, seed_a), (X_b, y_b, *_, time_b, seed_b) in zip(
        constant[::2], constant[1::2], strict=True
    ):
        np.testing.assert_array_equal(X_a, X_b)
        np.testing.assert_array_equal(y_a, y_b)
        assert (time_a, time_b) == (None, 1.0)
        assert seed_a == seed_b
        assert (X_a.std(axis=0) > 70).all()
    seeds = [seed for *_, seed in constant]
    assert len(set(seeds)) == 2
    assert set(seeds) == set(comparison.settings["seeds"])


def test_the_filter_sees_the_training_part_alone(constant):
    # The second column varies in group 1 only, and the first in group 0 only.
    X = np.zeros((40, 2))
    groups = np.repeat([0, 1], 20)
    X[:20, 0] = X[20:, 1] = np.arange(20)
    comparison = compare(X, np.arange(40) % 2, groups=groups, seeds=1, min_std=1)
    kept = {name: split.columns.tolist() for (name, _), split in comparison.splits.items()}
    assert kept == {"rotation 0->1": [True, False], "rotation 1->0": [False, True]}


def test_the_same_seed_gives_the_same_rows(data):
    def rows(random_state):
        found = small(data, seeds=2, random_state=random_state).rows
        return [{k: v for k, v in row.items() if k != "seconds"} for row in found]

    assert rows(5) == rows(5) == rows(np.int64(5))
    assert rows(5) != rows(6)
    assert rows(np.random.default_rng(1)) == rows(np.random.default_rng(1))


def test_more_seeds_begin_with_the_fewer(data):
    two, three = (small(data, seeds=n).settings["seeds"] for n in (2, 3))
    assert three[:2] == two


def test_fruits_by_default(constant):
    comparison = compare(methods=["a"], seeds=1)
    assert len(comparison.y) == 1962
    assert comparison.target_names == ["apple", "raspberry", "mango", "lemon"]
    assert [len(X) for X, *_ in constant] == [981, 981]
    assert all((X.std(axis=0) > 50).all() for X, *_ in constant)
    assert comparison.sample_names[0].startswith("apple/")
    assert "Fruits-360" in comparison.caption


def test_n_features_replaces_the_fruits_filter(constant):
    comparison = compare(methods=["a"], seeds=1, n_features=102)
    assert [X.shape[1] for X, *_ in constant] == [102, 102]
    assert "the 102 features" in comparison.caption


def test_string_labels_and_names(data):
    X, y, _ = data
    labels = np.array(["c", "a", "b"])[y]
    comparison = compare(X, labels, methods=["naive"], splits=["all"], seeds=1)
    assert comparison.target_names == ["a", "b", "c"]
    named = compare(
        X, labels, methods=["naive"], splits=["all"], seeds=1, target_names=["A", "B", "C"]
    )
    assert named.target_names == ["A", "B", "C"]
    assert [row["n_wrong"] for row in named.rows] == [row["n_wrong"] for row in comparison.rows]
    assert "no time limits" in comparison.caption


def test_summary_against_numpy(full):
    summary = summarise(full.rows)
    assert len(summary) == len(METHODS) * 4
    for line in summary:
        rows = [
            row
            for row in full.rows
            if (row["method"], row["split"]) == (line["method"], line["split"])
        ]
        assert line["n_seeds"] == len(rows) == 2
        for measure in MEASURES:
            values = [row[measure] for row in rows]
            found = [line[measure][name] for name in ("min", "median", "max")]
            np.testing.assert_allclose(found, np.quantile(values, [0, 0.5, 1]))


@pytest.mark.parametrize("where", ["raised", "stop_reason", "adam"])
def test_ctrl_c_keeps_the_finished_runs(data, constant, monkeypatch, where):
    def stop(X, y, hidden, max_time, random_state):
        if where == "raised":
            raise KeyboardInterrupt
        if where == "adam":
            monkeypatch.setattr("sklearn.neural_network.MLPClassifier._backprop", _interrupt)
            return METHODS["adam"].train(X, y, hidden, max_time, random_state)
        history = History()
        history.append(generation=0, evaluations=1, best_fitness=0.5)
        return Trained(lambda X: np.zeros(len(X)), history, "interrupted")

    module.METHODS["b"] = Method("B", stop)
    X, y, groups = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as a user's program may
        comparison = compare(X, y, groups=groups, seeds=3, hidden_layer_sizes=(3,))
    assert comparison.interrupted
    assert [row["method"] for row in comparison.rows] == ["a"]
    assert comparison.methods() == ["a"]
    assert comparison.caption.endswith("interrupted.")


def _interrupt(*args, **options):
    raise KeyboardInterrupt


def test_progress_names_method_split_and_seed(data, capsys):
    small(data, verbose=True)
    assert "naive, rotation 1->0, seed 0" in capsys.readouterr().err
    small(data)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ["naive", "sgd"]}, r"each of methods must be one of \['adam', .*'sgd'"),
        ({"methods": []}, "at least one"),
        ({"methods": ["naive", "naive"]}, "each once"),
        ({"splits": ["time"]}, r"each of splits must be one of \['all', .*'time'"),
        ({"seeds": 0}, "seeds"),
        ({"budgets": {"naive": 1.0}}, "must be one of .*'ga', 'tutorial-ga'.*'naive'"),
        ({"budgets": {"ga": 0}}, "budgets"),
        ({"budgets": {"ga": float("nan")}}, "budgets.* must be finite"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be >= 1"),
        ({"groups": None}, "needs groups"),
        ({"groups": np.arange(150)}, "exactly two values"),
        ({"groups": [0, 1]}, r"groups must have shape \(150,\)"),
        ({"sample_names": ["x"]}, "sample_names"),
        ({"target_names": ["x"]}, "target_names must hold 3 names"),
        ({"min_std": 1e9}, "no column has a standard deviation above"),
        ({"min_std": 1.0, "n_features": 2}, "give one of them"),
        ({"groups": np.repeat([0, 1], [50, 100])}, "at least 2 classes"),
    ],
)
def test_bad_options_before_any_work(data, constant, monkeypatch, options, message):
    monkeypatch.setattr(module, "METHODS", {**METHODS})
    monkeypatch.setattr(module, "_run_one", lambda *args: pytest.fail("work was done"))
    with pytest.raises(ValueError, match=message):
        small(data, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"methods": "naive"},
        {"splits": "all"},
        {"seeds": 1.5},
        {"seeds": True},
        {"budgets": [1]},
        {"budgets": {"ga": "1"}},
        {"hidden_layer_sizes": "150"},
        {"n_features": True},
    ],
)
def test_options_of_the_wrong_type(data, options):
    with pytest.raises(TypeError):
        small(data, **options)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], None, "y must be given"),
        (None, [1, 2], "describe X"),
        ([[1.0], [2.0]], [1, 1], "at least 2 classes"),
        ([[1.0], [2.0]], [1, 2, 3], "inconsistent numbers"),
        ([[np.nan], [2.0]], [1, 2], "NaN"),
        ([[np.inf], [2.0]], [1, 2], "infinity"),
        (np.empty((0, 3)), [], "0 sample"),
        ([[1.0], [2.0], [3.0]], [1, 1, 2], "least populated class|test_size"),
    ],
)
def test_bad_data(X, y, message):
    with pytest.raises(ValueError, match=message):
        compare(X, y, splits=["holdout"])


def test_report_parses_back(full, tmp_path):
    folder = tmp_path / "new" / "results"
    written = write_report(full, folder)
    assert sorted(written) == sorted(folder.iterdir())
    assert {path.name for path in written} == {
        "comparison.csv",
        "comparison.json",
        "comparison.png",
        "fitness.png",
        "misclassified.md",
        *(f"confusion_{method}.png" for method in METHODS),
    }
    assert all(path.stat().st_size for path in written)

    def strings(rows):
        return [{key: str(value) for key, value in row.items()} for row in rows]

    with (folder / "comparison.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == strings(full.rows)
    held = json.loads((folder / "comparison.json").read_text())
    nan_as_none = [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in full.rows
    ]
    assert held["rows"] == nan_as_none
    assert held["settings"] == full.settings
    assert held["versions"]["numpy"] == np.__version__
    assert held["machine"]["cores"] >= 1
    assert len(held["summary"]) == len(METHODS) * 4


@pytest.fixture
def no_pictures(monkeypatch):
    for name in ("_draw_comparison", "_draw_fitness", "_draw_confusion"):
        monkeypatch.setattr(module, name, lambda *args: None)
    monkeypatch.setattr(module, "render_figure", lambda *args: b"")


def wrong_twice(n_samples):
    """Return a comparison with one method that never gets class 1 right."""
    X = np.arange(n_samples, dtype=float)[:, None]
    y = np.arange(n_samples) % 2
    names = [f"picture{k}" for k in range(n_samples)]
    return compare(X, y, sample_names=names, splits=["all"], seeds=2, methods=["a"])


def test_misclassified_names(constant, no_pictures, tmp_path):
    write_report(wrong_twice(6), tmp_path)
    lines = (tmp_path / "misclassified.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("| picture")] == [
        f"| picture{k} | 1 | 0 | 2 of 2 |" for k in (1, 3, 5)
    ]
    assert "3 of 6 samples were wrong at least once." in lines


def test_misclassified_names_are_bounded(constant, no_pictures, tmp_path):
    write_report(wrong_twice(200), tmp_path)
    text = (tmp_path / "misclassified.md").read_text()
    assert text.count("| picture") == 60
    assert "... and 40 more." in text


def test_most_often_wrong_comes_first(constant, no_pictures, tmp_path):
    comparison = wrong_twice(6)
    comparison.predictions["a", "all", 0][:] = [0, 1, 0, 1, 1, 0]  # of these 4 and 5 are wrong
    write_report(comparison, tmp_path)
    lines = (tmp_path / "misclassified.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| picture")]
    assert rows == [
        "| picture5 | 1 | 0 | 2 of 2 |",
        "| picture1 | 1 | 0 | 1 of 2 |",
        "| picture3 | 1 | 0 | 1 of 2 |",
        "| picture4 | 0 | 1 | 1 of 2 |",
    ]


def test_nothing_misclassified(constant, no_pictures, tmp_path):
    comparison = wrong_twice(6)
    for predicted in comparison.predictions.values():
        predicted[:] = comparison.y
    write_report(comparison, tmp_path)
    assert "None of 6." in (tmp_path / "misclassified.md").read_text()


def test_report_of_nothing(full, tmp_path):
    empty = Comparison(**{**vars(full), "rows": []})
    with pytest.raises(ValueError, match="no finished run"):
        write_report(empty, tmp_path / "results")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(full, tmp_path, monkeypatch):
    (tmp_path / "comparison.csv").write_text("old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(full, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"comparison.csv": "old"}


def test_a_file_in_the_folders_place(full, tmp_path):
    (tmp_path / "results").write_text("mine")
    for folder in (tmp_path / "results", tmp_path / "results" / "deeper"):
        with pytest.raises(NotADirectoryError, match="results is a file"):
            check_folder(folder)
        with pytest.raises(NotADirectoryError):
            write_report(full, folder)
    assert (tmp_path / "results").read_text() == "mine"


def test_a_folder_that_is_closed(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(PermissionError, match="comparison"):
        check_folder(tmp_path / "results")


def test_a_failed_drawing_writes_nothing(full, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_draw_confusion", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(full, tmp_path / "results")
    assert not list(tmp_path.iterdir())


def test_only_a_comparison_is_reported(tmp_path):
    with pytest.raises(TypeError, match="must be a Comparison, got 5"):
        write_report(5, tmp_path)


def test_dollars_in_names_are_no_mathematics(tmp_path):
    X = np.arange(8.0)[:, None]
    comparison = compare(
        X,
        np.arange(8) % 2,
        data="$\\frac$",
        target_names=["$a_{$", "$\\b$"],
        splits=["all"],
        seeds=1,
        methods=["random"],
    )
    assert len(write_report(comparison, tmp_path)) == 6
