import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from ga_ann.comparison import report
from ga_ann.comparison.compare import Comparison, compare
from ga_ann.comparison.methods import METHODS, REGRESSION_METHODS
from ga_ann.comparison.report import check_folder, write_report


def test_report_parses_back(full, tmp_path):
    folder = tmp_path / "new" / "results"
    written = write_report(full, folder)
    assert sorted(written) == sorted(folder.iterdir())
    assert {path.name for path in written} == {
        "comparison.csv",
        "comparison.json",
        "comparison.png",
        "differences.csv",
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
    differences = full.differences()
    assert len(differences) == (len(METHODS) - 1) * 3
    assert held["differences"] == [{**line, "low": None, "high": None} for line in differences]
    with (folder / "differences.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == strings(differences)


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
    with pytest.raises(PermissionError) as caught:
        check_folder(tmp_path / "results")
    assert caught.value.filename == str(tmp_path)  # the user named no comparison.csv


def test_a_failed_drawing_writes_nothing(full, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_draw_confusion", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(full, tmp_path / "results")
    assert not list(tmp_path.iterdir())


def test_only_a_comparison_is_reported(tmp_path):
    with pytest.raises(TypeError, match="must be a Comparison, got 5"):
        write_report(5, tmp_path)


def test_dollars_in_names_are_no_mathematics(tmp_path):
    X = np.arange(8.0)[:, None]
    held = compare(
        X,
        np.arange(8) % 2,
        data="$\\frac$",
        target_names=["$a_{$", "$\\b$"],
        splits=["all"],
        seeds=1,
        methods={"$x_$": "random"},
    )
    assert len(write_report(held, tmp_path)) == 7


def test_pictures_name_the_fitness(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(report, "render_figure", lambda figure, _: (figures.append(figure), b"")[1])
    X, y = load_iris(return_X_y=True)
    options = {"methods": ["random", "naive"], "splits": ["holdout", "all"], "seeds": 1}
    for fitness in ("accuracy", "f1_macro"):
        held = compare(X, y, fitness=fitness, hidden_layer_sizes=3, **options)
        write_report(held, tmp_path)
    labels = [axes.get_xlabel() for figure in figures for axes in figure.axes]
    assert "Held-out accuracy (split all: training accuracy)" in labels
    assert "Held-out f1 macro (split all: training f1 macro)" in labels
    labels = [axes.get_ylabel() for figure in figures for axes in figure.axes]
    assert "Training accuracy" in labels
    assert "Training f1 macro" in labels


def test_plotted_scores_are_those_of_the_rows(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(report, "plot_comparison", lambda rows, ax, **options: seen.update(options))
    X, y = load_iris(return_X_y=True)
    held = compare(X, y, methods=["random"], fitness="margin", seeds=1, hidden_layer_sizes=3)
    write_report(held, tmp_path)
    assert (seen["value"], seen["score"]) == ("held_out_score", "margin")


@given(st.lists(st.text(min_size=1) | st.text("aA/_", min_size=1, max_size=2), unique=True))
def test_labels_give_files_of_different_names(labels):
    names = report._file_names(labels)
    assert list(names) == labels
    assert len({name.lower() for name in names.values()}) == len(labels)
    assert not set("".join(names.values())) & set('/\\:*?"<>| \n\0')


def test_methods_of_ones_own_are_reported(constant, tmp_path):
    methods = {"a/b": constant, "a b": constant, "ga": "random"}
    held = compare(data="wine", methods=methods, seeds=1)
    names = {path.name for path in write_report(held, tmp_path)}
    assert {"confusion_a_b.png", "confusion_a_b_.png", "confusion_ga.png"} <= names
    assert {path.name for path in tmp_path.iterdir()} == names


def test_the_report_of_a_regression_shows_predictions_and_no_confusion(measured, tmp_path):
    written = write_report(measured, tmp_path)
    assert sorted(written) == sorted(tmp_path.iterdir())
    assert {path.name for path in written} == {
        "comparison.csv",
        "comparison.json",
        "comparison.png",
        "differences.csv",
        "errors.md",
        "fitness.png",
        *(f"predictions_{method}.png" for method in REGRESSION_METHODS),
    }
    assert all(path.stat().st_size for path in written)
    with (tmp_path / "comparison.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [{k: str(v) for k, v in row.items()} for row in measured.rows]
    held = json.loads((tmp_path / "comparison.json").read_text())
    assert held["settings"] == measured.settings
    assert {"train_rmse", "held_out_rmse"} <= held["summary"][0].keys()


def test_predictions_of_the_headline_splits_are_drawn(measured):
    (axes,) = report._draw_predictions(measured, "adam").axes
    drawn = axes.collections[0].get_offsets()
    runs = measured.tested("adam")
    assert {name for name, _ in measured.splits if name.startswith("rotation")} == set(
        measured.headline()
    )
    expected = np.concatenate([np.column_stack([p, measured.y[k]]) for k, p in runs])
    np.testing.assert_allclose(drawn, expected)
    error = math.sqrt(np.mean((expected[:, 0] - expected[:, 1]) ** 2))
    assert axes.get_title() == f"Adam: RMSE {error:.4g}"


def test_axes_take_scores_below_zero(measured):
    (axes,) = report._draw_comparison(measured).axes
    scores = [row["held_out_score"] for row in measured.rows if row["split"] != "all"]
    low, high = axes.get_xlim()
    assert min(scores) < 0
    assert low <= min(scores) <= max(scores) <= high
    assert axes.get_xlabel() == "Held-out r2 (split all: training r2)"
    panels = report._draw_fitness(measured).axes
    assert panels[0].get_ylabel() == "Training r2"
    of_headline = [
        row["train_score"] for row in measured.rows if row["split"].startswith("rotation")
    ]
    low, high = panels[0].get_ylim()
    assert low <= min(of_headline) <= max(of_headline) <= high
