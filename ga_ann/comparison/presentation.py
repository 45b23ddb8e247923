"""A comparison in words and tables, for the terminal and for the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ga_ann.comparison.compare import Comparison
from ga_ann.comparison.mistakes import rank_errors, rank_wrong
from ga_ann.comparison.summary import ENOUGH_SEEDS, MIN_SEEDS, summarise

__all__ = [
    "caption",
    "explain_differences",
    "explain_split",
    "legend_label",
    "list_errors",
    "list_misclassified",
    "print_comparison",
    "tabulate",
]

TABLE_WIDTH = 80
"""Columns that tables take at least: their numbers would be cut on a narrower terminal."""

COLUMN_WIDTHS = {"wrong": 9, "RMSE": 11, "evaluations": 13, "seconds": 8}
"""Widths that fit most numbers, so that the tables stand in line."""

MISCLASSIFIED_SHOWN = 60
"""Names that the list of misclassified samples gives for a method at most."""

ERRORS_SHOWN = 20
"""Samples that the list of a regression's largest errors gives for a method at most."""

WHY_NAIVE_FAILS = (
    "Naive training stands still: each wrong prediction multiplies all weights by the same "
    "positive number, which changes no prediction of a ReLU network without biases."
)


def print_comparison(comparison: Comparison, file: IO[str] | None = None) -> None:
    """Print the tables of a comparison and what they say.

    Parameters
    ----------
    comparison : Comparison
        At least one finished run.
    file : text stream, optional
        Where to; stdout by default.
    """
    console = Console(file=file)
    console.width = max(TABLE_WIDTH, console.width)
    # The tables are as wide as their numbers, which no terminal is to cut.
    wide = Console(file=file, width=2 * console.width)
    for table in tabulate(comparison):
        wide.print(table)
    explanation = f"Median over the seeds; below it minimum-maximum. {caption(comparison)}"
    console.print(explanation, markup=False)
    for line in explain_differences(comparison):
        console.print(line, highlight=False, markup=False)
    if "naive" in comparison.methods():
        console.print(WHY_NAIVE_FAILS)


# ---------------------------------------------------------------- what was compared


def caption(comparison: Comparison) -> str:
    """Return the settings in a sentence or two."""
    s = comparison.settings
    budgets = [f"{s['labels'][name]} {t:g} s" for name, t in s["budgets"].items() if t]
    shared = f" ({s['n_jobs']} runs at a time)" if s["n_jobs"] > 1 else ""
    scaled = "standardised by the training part" if s["standardise"] else ""
    kept = f"the {s['n_features']} features of largest std" if s["n_features"] else ""
    if s["min_std"] is not None and not kept:
        kept = f"features with std > {s['min_std']:g}"
    parts = [
        f"{s['data']}: {len(comparison.y)} samples",
        (f"{kept} in the training part" if kept else "all features")
        + (f", {scaled}" if scaled else ""),
        f"hidden layers {'-'.join(map(str, s['hidden_layer_sizes'])) or 'none'}",
        *([] if s["fitness"] == "accuracy" else [f"fitness {s['fitness']}"]),
        f"{s['n_seeds']} seed{'s' * (s['n_seeds'] != 1)}",
        f"time limits: {', '.join(budgets)}{shared}" if budgets else "no time limits",
    ]
    return "; ".join(parts) + ("; interrupted" if comparison.interrupted else "") + "."


def legend_label(comparison: Comparison, method: str) -> str:
    """Return a method's name for legends, with its budget."""
    budget = comparison.settings["budgets"].get(method)
    return _label(comparison, method) + (f", {budget:g} s" if budget else "")


def _label(comparison: Comparison, method: str) -> str:
    label: str = comparison.settings["labels"][method]
    return label


def explain_split(comparison: Comparison, name: str) -> str:
    """Return in words what a split trains on and what it tests on."""
    if name == "all":
        return f"trained and measured on all {comparison.settings['unit']}"
    if name == "holdout":
        of_each = " of each class" * (comparison.settings["task"] == "classification")
        return f"trained on 3/4{of_each}, tested on the rest"
    groups = comparison.settings["groups"]
    train, test = (
        groups.get(group, f"group {group}") for group in name.removeprefix("rotation ").split("->")
    )
    return f"trained on {train}, tested on {test}"


# ---------------------------------------------------------------- what was measured


def tabulate(comparison: Comparison) -> list[Table]:
    """Return a table of medians and ranges over the seeds for each split."""
    in_percent = comparison.settings["fitness"] == "accuracy"
    form = _format_share if in_percent else _format_score
    scores = ("training %", "held out %") if in_percent else ("training", "held out")
    is_regression = comparison.settings["task"] == "regression"
    errors, error_form = ("RMSE", "{:,.4g}") if is_regression else ("wrong", "{:,.0f}")
    tables: dict[str, Table] = {}
    for line in summarise(comparison.rows):
        rmse = "train_rmse" if line["split"] == "all" else "held_out_rmse"
        if line["split"] not in tables:
            tables[line["split"]] = _new_table(
                escape(explain_split(comparison, line["split"])), (*scores, errors)
            )
        tables[line["split"]].add_row(
            escape(_label(comparison, line["method"])),
            _format_spread(line["train_score"], form),
            _format_spread(line["held_out_score"], form),
            _format_spread(line[rmse if is_regression else "n_wrong"], error_form.format),
            _format_spread(line["evaluations"], "{:,.0f}".format),
            _format_spread(line["seconds"], "{:.1f}".format),
        )
    return list(tables.values())


def _new_table(title: str, measures: tuple[str, ...]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("method", no_wrap=True, min_width=14)
    for name in (*measures, "evaluations", "seconds"):
        width = COLUMN_WIDTHS.get(name, 11)
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    return table


def _format_share(share: float) -> str:
    return f"{100 * share:.1f}"


def _format_score(score: float) -> str:
    return f"{round(score, 3) + 0.0:.3f}"  # adding 0 turns a negative zero into zero


def _format_spread(spread: dict[str, float], form: Callable[[float], str]) -> str:
    if np.isnan(spread["median"]):  # nothing was held out
        return "-"
    median, low, high = (form(spread[name]) for name in ("median", "min", "max"))
    joint = " to " if "-" in low + high else "-"
    return f"{median}\n[dim]{low}{joint}{high}[/dim]"


# ---------------------------------------------------------------- what differs


def explain_differences(comparison: Comparison) -> list[str]:
    """Return in words by how much the GA, or the first method, is ahead of each other one."""
    found = comparison.differences()
    if not found:
        return []
    n_seeds = min(line["n_seeds"] for line in found)
    known = " [95 % interval]" if n_seeds >= MIN_SEEDS else ""
    ours = _label(comparison, found[0]["reference"])
    lines = ["", f"{ours} against the others, held out, seed by seed: median difference{known}"]
    split = None
    for line in found:
        if line["split"] != split:
            split = line["split"]
            lines.append(f"{explain_split(comparison, split)}:")
        difference = _format_difference(line, comparison.settings["fitness"])
        lines.append(f"  {ours} - {_label(comparison, line['method'])}: {difference}")
    if n_seeds < MIN_SEEDS:
        lines.append(f"No interval: it takes at least {MIN_SEEDS} seeds.")
    elif n_seeds < ENOUGH_SEEDS:
        lines.append(f"With fewer than {ENOUGH_SEEDS} seeds an interval covers less than 95 %.")
    return [*lines, ""]


def _format_difference(line: dict[str, Any], fitness: str) -> str:
    factor, digits, unit = (100, 1, " points") if fitness == "accuracy" else (1, 4, "")
    # Adding 0 turns a negative zero into zero.
    median, low, high = (
        f"{round(factor * line[name], digits) + 0.0:+.{digits}f}"
        for name in ("median", "low", "high")
    )
    interval = "" if np.isnan(line["low"]) else f" [{low}, {high}]"
    counts = ", ".join(f"{line[name]} {name}" for name in ("better", "equal", "worse"))
    return f"{median}{unit}{interval}; {counts}"


# ---------------------------------------------------------------- what was wrong


def list_misclassified(comparison: Comparison) -> str:
    """Return a Markdown document: a table of names for each method, most often wrong first."""
    return _list_samples(comparison, "Misclassified samples", _tabulate_wrong)


def list_errors(comparison: Comparison) -> str:
    """Return a Markdown document: a table for each method of its largest errors in a regression."""
    return _list_samples(comparison, "Largest errors", _tabulate_errors)


def _list_samples(
    comparison: Comparison, title: str, tabulate: Callable[[Comparison, str], list[str]]
) -> str:
    lines = [f"# {title}", "", caption(comparison), ""]
    lines += [f"Split: {', '.join(comparison.headline())}.", ""]
    for method in comparison.methods():
        heading = f"## {legend_label(comparison, method)}"
        lines += [heading, "", *tabulate(comparison, method), ""]
    return "\n".join(lines)


def _tabulate_errors(comparison: Comparison, method: str) -> list[str]:
    found = rank_errors(comparison.tested(method), comparison.y)
    columns = ["sample", "predicted", "n_runs", "true", "error"]
    largest = found[columns][:ERRORS_SHOWN].to_numpy(dtype=object).tolist()
    return [
        f"Of {len(found)} samples; medians over the runs that tested a sample.",
        "",
        "| sample | true | predicted | error | runs |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {comparison.sample_names[sample]} | {true:.4g} | {median:.4g} | {error:+.4g} "
            f"| {n_runs} |"
            for sample, median, n_runs, true, error in largest
        ),
    ]


def _tabulate_wrong(comparison: Comparison, method: str) -> list[str]:
    wrong, n_tested = rank_wrong(comparison.tested(method), comparison.y)
    if not wrong:
        return [f"None of {n_tested}."]
    classes = comparison.target_names
    rows = [
        f"| {comparison.sample_names[one.sample]} | {classes[comparison.y[one.sample]]} "
        f"| {', '.join(sorted(classes[k] for k in one.taken_for))} "
        f"| {one.n_wrong} of {one.n_runs} |"
        for one in wrong[:MISCLASSIFIED_SHOWN]
    ]
    left = len(wrong) - len(rows)
    return [
        f"{len(wrong)} of {n_tested} samples were wrong at least once.",
        "",
        "| sample | class | taken for | wrong in |",
        "| --- | --- | --- | --- |",
        *rows,
        *(["", f"... and {left} more."] if left else []),
    ]
