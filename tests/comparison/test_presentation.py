import io
import math
from dataclasses import replace

import numpy as np
import pytest

from ga_ann.comparison.compare import compare
from ga_ann.comparison.presentation import (
    WHY_NAIVE_FAILS,
    caption,
    explain_differences,
    legend_label,
    list_errors,
    list_misclassified,
    print_comparison,
    tabulate,
)
from ga_ann.comparison.summary import paired_differences, summarise


@pytest.fixture
def wrong_twice(constant):
    """Make a comparison with one method that never gets class 1 right."""

    def make(n_samples):
        X = np.arange(n_samples, dtype=float)[:, None]
        names = [f"picture{k}" for k in range(n_samples)]
        y = np.arange(n_samples) % 2
        options = {"sample_names": names, "splits": ["all"], "seeds": 2}
        return compare(X, y, methods={"a": constant}, **options)

    return make


def listed(comparison):
    lines = list_misclassified(comparison).splitlines()
    return [line for line in lines if line.startswith("| picture")]


def printed(comparison):
    stream = io.StringIO()
    print_comparison(comparison, stream)
    return stream.getvalue()


# ---------------------------------------------------------------- what was wrong


def test_misclassified_names(wrong_twice):
    held = wrong_twice(6)
    assert listed(held) == [f"| picture{k} | 1 | 0 | 2 of 2 |" for k in (1, 3, 5)]
    assert "3 of 6 samples were wrong at least once." in list_misclassified(held)


def test_misclassified_names_are_bounded(wrong_twice):
    held = wrong_twice(200)
    assert len(listed(held)) == 60
    assert "... and 40 more." in list_misclassified(held)


def test_most_often_wrong_comes_first(wrong_twice):
    held = wrong_twice(6)
    held.predictions["a", "all", 0][:] = [0, 1, 0, 1, 1, 0]  # of these 4 and 5 are wrong
    assert listed(held) == [
        "| picture5 | 1 | 0 | 2 of 2 |",
        "| picture1 | 1 | 0 | 1 of 2 |",
        "| picture3 | 1 | 0 | 1 of 2 |",
        "| picture4 | 0 | 1 | 1 of 2 |",
    ]


def test_nothing_misclassified(wrong_twice):
    held = wrong_twice(6)
    for predicted in held.predictions.values():
        predicted[:] = held.y
    assert "None of 6." in list_misclassified(held)


# ---------------------------------------------------------------- tables and sentences


def test_a_table_a_split_and_a_row_a_method(full):
    tables = tabulate(full)
    assert [table.title for table in tables] == [
        "trained on group 0, tested on group 1",
        "trained on group 1, tested on group 0",
        "trained on 3/4 of each class, tested on the rest",
        "trained and measured on all samples",
    ]
    labels = [full.settings["labels"][method] for method in full.methods()]
    assert all(list(table.columns[0].cells) == labels for table in tables)


def test_cells_are_the_medians_and_ranges_of_the_rows(full):
    cells = [cell.split("\n") for table in tabulate(full) for cell in table.columns[1].cells]
    for (median, spread), line in zip(cells, summarise(full.rows), strict=True):
        expected = line["train_score"]
        assert float(median) == pytest.approx(100 * expected["median"], abs=0.051)
        low, high = spread.removeprefix("[dim]").removesuffix("[/dim]").split("-")
        assert float(low) == pytest.approx(100 * expected["min"], abs=0.051)
        assert float(high) == pytest.approx(100 * expected["max"], abs=0.051)


def test_nothing_held_out_is_a_dash(full):
    assert set(tabulate(full)[-1].columns[2].cells) == {"-"}


def test_groups_and_units_are_called_as_the_data_set_calls_them(full):
    words = {"unit": "pictures", "groups": {"0": "the left", "1": "the right"}}
    named = replace(full, settings=full.settings | words)
    titles = [table.title for table in tabulate(named)]
    assert titles[0] == "trained on the left, tested on the right"
    assert titles[-1] == "trained and measured on all pictures"


@pytest.mark.parametrize("n_seeds", [2, 3, 5, 6])
def test_differences_are_told_with_as_much_certainty_as_they_have(full, n_seeds):
    rows = [row | {"seed": seed} for row in full.rows[:5] for seed in range(n_seeds)]
    held = replace(full, rows=rows)
    lines = explain_differences(held)
    text = " ".join(lines)
    assert ("[95 % interval]" in text) == (n_seeds >= 3)
    assert ("No interval: it takes at least 3 seeds." in text) == (n_seeds < 3)
    assert ("an interval covers less than 95 %" in text) == (3 <= n_seeds < 6)
    for line, found in zip(lines[3:], paired_differences(rows), strict=False):
        assert f"{100 * found['median']:+.1f}".replace("-0.0", "+0.0") + " points" in line
        assert ("[" in line) == (not math.isnan(found["low"]))
        assert f"{found['better']} better, {found['equal']} equal, {found['worse']} worse" in line


def test_what_is_printed_holds_the_whole_comparison(full):
    text = printed(full)
    for table in tabulate(full):
        assert table.title in text
    words = " ".join(text.split())
    for sentence in (caption(full), WHY_NAIVE_FAILS, *explain_differences(full)):
        assert " ".join(sentence.split()) in words
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert WHY_NAIVE_FAILS not in " ".join(printed(without_naive(full)).split())


def without_naive(comparison):
    rows = [row for row in comparison.rows if row["method"] != "naive"]
    return replace(comparison, rows=rows)


# ---------------------------------------------------------------- the settings


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "own data: 150 samples; all features; hidden layers 6; 2 seeds; time limits: "),
        ({"n_seeds": 1, "budgets": {"naive": None}}, "; 1 seed; no time limits."),
        ({"n_jobs": 2, "budgets": {"naive": None}}, "; no time limits."),
        ({"n_jobs": 1, "budgets": {"ga": 2.5}}, "; time limits: default GA 2.5 s."),
        (
            {"n_jobs": 2, "budgets": {"ga": 2.5}},
            "; time limits: default GA 2.5 s (2 runs at a time).",
        ),
        ({"fitness": "f1_macro"}, "; fitness f1_macro; "),
        ({"hidden_layer_sizes": []}, "; hidden layers none; "),
        ({"min_std": 2.5}, "features with std > 2.5 in the training part; "),
        ({"n_features": 3, "min_std": None}, "the 3 features of largest std in the training part"),
        ({"standardise": True}, "; all features, standardised by the training part; "),
    ],
)
def test_the_caption_says_what_was_set(full, settings, words):
    assert words in caption(replace(full, settings=full.settings | settings))
    assert caption(replace(full, interrupted=True)).endswith("; interrupted.")


def test_legends_name_the_budget(full):
    assert legend_label(full, "naive") == "naive training"
    assert legend_label(full, "ga") == "default GA, 0.05 s"
    assert "default GA 0.05 s" in caption(full)


@pytest.mark.parametrize("name", ["[bold]", "[/bold]", "[/]"])
def test_names_are_printed_as_they_are_and_not_read_as_markup(constant, name):
    X, y = np.arange(8.0)[:, None], np.arange(8) % 2
    printed = io.StringIO()
    comparison = compare(X, y, methods={name: constant}, splits=["all"], seeds=2)
    settings = {**comparison.settings, "data": name}
    print_comparison(replace(comparison, settings=settings), printed)
    table, words = printed.getvalue().split("Median over the seeds")
    assert name in table
    assert name in words


# ---------------------------------------------------------------- of a regression


def test_the_tables_of_a_regression_show_errors_in_units_of_the_targets(measured):
    tables = tabulate(measured)
    headings = ["method", "training", "held out", "RMSE", "evaluations", "seconds"]
    assert all([column.header for column in table.columns] == headings for table in tables)
    assert tables[2].title == "trained on 3/4, tested on the rest"
    cells = [cell.split("\n") for table in tables for cell in table.columns[3].cells]
    for (median, spread), line in zip(cells, summarise(measured.rows), strict=True):
        # Where nothing is held out, the errors are those of all samples.
        expected = line["train_rmse" if line["split"] == "all" else "held_out_rmse"]
        assert float(median) == pytest.approx(expected["median"], rel=1e-3)
        low, high = spread.removeprefix("[dim]").removesuffix("[/dim]").split("-")
        assert float(low) == pytest.approx(expected["min"], rel=1e-3)
        assert float(high) == pytest.approx(expected["max"], rel=1e-3)


def test_what_is_printed_of_a_regression_speaks_of_no_classes(measured):
    text = printed(measured)
    assert "fitness r2" in " ".join(text.split())
    for word in ("class ", "classes", "wrong", " points", "Naive", "%  "):
        assert word not in text


def test_the_largest_errors_come_first(constant):
    y = np.array([7.0, 9.0, 4.0, 7.5, 17.0, -3.0])
    names = [f"patient{k}" for k in range(6)]
    held = compare(
        np.eye(6),
        y,
        task="regression",
        sample_names=names,
        splits=["all"],
        seeds=3,
        methods={"a": constant},
    )
    held.predictions["a", "all", 2][:] = 1e6  # the medians stay as they are
    lines = list_errors(held).splitlines()
    assert [line for line in lines if line.startswith("| patient")] == [
        "| patient4 | 17 | 7 | -10 | 3 |",
        "| patient5 | -3 | 7 | +10 | 3 |",
        "| patient2 | 4 | 7 | +3 | 3 |",
        "| patient1 | 9 | 7 | -2 | 3 |",
        "| patient3 | 7.5 | 7 | -0.5 | 3 |",
        "| patient0 | 7 | 7 | +0 | 3 |",
    ]
    assert "Of 6 samples; medians over the runs that tested a sample." in lines


def test_the_list_of_errors_is_bounded(measured):
    lines = list_errors(measured).splitlines()
    assert lines[:3] == ["# Largest errors", "", caption(measured)]
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == [f"## {legend_label(measured, method)}" for method in measured.methods()]
    assert sum(line.startswith("| ") for line in lines) == len(headings) * (2 + 20)
