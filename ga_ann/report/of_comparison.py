"""The report of a comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from ga_ann.comparison import (
    DATASETS,
    ENOUGH_SEEDS,
    MIN_SEEDS,
    Comparison,
    caption,
    explain_split,
    summarise,
)
from ga_ann.history import History
from ga_ann.report.charts import Curve, draw_curves, find_lines
from ga_ann.report.conclusion import (
    Standing,
    conclude_comparison,
    find_standing,
    format_difference,
    format_score,
)
from ga_ann.report.page import Answers, Cell, Chart, Page, Row, Table, Whisker, judge, shorten
from ga_ann.report.pictures import Album
from ga_ann.storage import package_versions

__all__ = ["page_of_comparison"]

VERSIONS = ("ga-ann", "numpy", "scipy", "pygad", "scikit-learn")


def page_of_comparison(comparison: Comparison, album: Album | None, command: str | None) -> Page:
    """Return the page of a comparison that has finished runs."""
    settings = comparison.settings
    methods = comparison.methods()
    page = Page(
        kind="Comparison",
        title=shorten(settings["data"]),
        subtitle=caption(comparison).removeprefix(f"{settings['data']}: "),
        conclusion=conclude_comparison(comparison),
        tables=_tabulate(comparison),
        curves=_draw_fitness(comparison),
        movement=_draw_movement(comparison),
        facts=_list_facts(comparison),
        command=command or _call_again(comparison),
        versions=package_versions(*VERSIONS),
    )
    _add_differences(page, comparison)
    answers = Answers(comparison.y, comparison.target_names, comparison.sample_names, album)
    tested = [
        (_label(comparison, m), _colour(comparison, m), comparison.tested(m)) for m in methods
    ]
    judge(page, answers, [one for one in tested if one[2]])
    where = ", ".join(explain_split(comparison, name) for name in comparison.headline())
    page.matrices_note = f"Sums over {settings['n_seeds']} seeds; {where}."
    return page


def _label(comparison: Comparison, method: str) -> str:
    return shorten(comparison.settings["labels"][method])


def _colour(comparison: Comparison, method: str) -> int:
    return comparison.methods().index(method)


# ---------------------------------------------------------------- tables


def _tabulate(comparison: Comparison) -> list[Table]:
    fitness = comparison.settings["fitness"]
    is_regression = comparison.settings["task"] == "regression"
    tables: dict[str, Table] = {}
    for line in summarise(comparison.rows):
        split = line["split"]
        error = "n_wrong"
        if is_regression:
            error = "train_rmse" if split == "all" else "held_out_rmse"
        forms: dict[str, Callable[[float], str]] = {
            "train_score": lambda score: format_score(score, fitness),
            "held_out_score": lambda score: format_score(score, fitness),
            error: "{:,.4g}".format if is_regression else "{:,.0f}".format,
            "evaluations": "{:,.0f}".format,
            "seconds": "{:,.2f}".format,
        }
        if split not in tables:
            columns = (
                f"training {fitness.replace('_', ' ')}",
                "held out",
                "RMSE" if is_regression else "wrong",
                "evaluations",
                "seconds",
            )
            tables[split] = Table(_sentence(explain_split(comparison, split)), columns, [])
        cells = [_make_cell(line[measure], form) for measure, form in forms.items()]
        row = Row(_label(comparison, line["method"]), _colour(comparison, line["method"]), cells)
        tables[split].rows.append(row)
    return list(tables.values())


def _make_cell(spread: dict[str, float], form: Callable[[float], str]) -> Cell:
    if np.isnan(spread["median"]):
        return Cell("\N{EN DASH}")
    low, high = form(spread["min"]), form(spread["max"])
    return Cell(form(spread["median"]), "" if low == high else f"{low} to {high}")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _add_differences(page: Page, comparison: Comparison) -> None:
    """Add by how much the leader is ahead of each other method, a split."""
    standings = [
        standing
        for split in dict.fromkeys(row["split"] for row in comparison.rows)
        if (
            standing := find_standing(
                comparison.rows, split, random_state=comparison.settings["random_state"]
            )
        )
        and standing.differences
    ]
    page.differences = [
        (
            f"{_label(comparison, standing.leader)} minus each other method, "
            f"{explain_split(comparison, standing.split)}",
            _measure_whiskers(comparison, standing),
        )
        for standing in standings
    ]
    n_seeds = min((standing.n_seeds for standing in standings), default=0)
    page.differences_note = (
        "Median over the seeds of the difference of the held-out scores, within a seed; the line "
        "is its 95 % bootstrap interval. Where it crosses 0, these seeds do not tell the two apart."
    )
    if n_seeds < MIN_SEEDS:
        page.differences_note = f"There are no intervals: they take at least {MIN_SEEDS} seeds."
    elif n_seeds < ENOUGH_SEEDS:
        page.differences_note += f" With fewer than {ENOUGH_SEEDS} seeds it covers less than 95 %."


def _measure_whiskers(comparison: Comparison, standing: Standing) -> list[Whisker]:
    in_percent = comparison.settings["fitness"] == "accuracy"
    factor, digits = (100, 1) if in_percent else (1, 4)
    names = ("median", "low", "high")
    ends = [line[name] for line in standing.differences for name in names] + [0.0]
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    width = (high - low) or 1.0

    def place(value: float) -> float:
        return round(4 + 92 * (value - low) / width, 2)

    whiskers = []
    for line in standing.differences:
        middle, *reach = (format_difference(factor * line[name], digits) for name in names)
        is_known = not np.isnan(line["low"])
        whiskers.append(
            Whisker(
                _label(comparison, line["method"]),
                f"{middle}{' points' * in_percent}",
                f"{reach[0]} to {reach[1]}" if is_known else "",
                ", ".join(f"{line[name]} {name}" for name in ("better", "equal", "worse")),
                place(line["median"]),
                place(line["low"]) if is_known else None,
                place(line["high"]) if is_known else None,
                place(0),
            )
        )
    return whiskers


# ---------------------------------------------------------------- charts


def _draw_fitness(comparison: Comparison) -> list[Chart]:
    fitness = comparison.settings["fitness"]
    charts = []
    for split in comparison.headline():
        curves = [
            Curve(
                _label(comparison, method),
                find_lines(runs, [run["best_fitness"] for run in runs]),
            )
            for method in comparison.methods()
            if (runs := _find_histories(comparison, method, split))
        ]
        where = explain_split(comparison, split)
        spec = draw_curves(
            curves,
            f"training {fitness.replace('_', ' ')}",
            description=f"Training {fitness} of each method, {where}; the tables have the ends.",
            in_percent=fitness == "accuracy",
        )
        charts.append(Chart(_sentence(where), "", spec))
    return charts


def _draw_movement(comparison: Comparison) -> list[Chart]:
    """Return a chart for each method whose Histories say how the weights moved."""
    charts = []
    split = next(iter(comparison.headline()), "")
    for method in comparison.methods():
        runs = [
            run for run in _find_histories(comparison, method, split) if run.movement is not None
        ]
        if runs:
            charts.append(draw_movement(_label(comparison, method), runs))
    return charts


def draw_movement(title: str, runs: list[History]) -> Chart:
    """Return the chart of how far each layer moved in some runs of one network."""
    moved = [run.movement for run in runs if run.movement is not None]
    n_layers = min(distances.shape[1] for distances in moved)
    curves = [
        Curve(
            "output layer" if k == n_layers - 1 else f"hidden layer {k + 1}",
            find_lines(runs, [distances[:, k] for distances in moved]),
        )
        for k in range(n_layers)
    ]
    spec = draw_curves(
        curves,
        "distance from the beginning",
        axes=("generation", "evaluations", "seconds"),
        interpolate="linear",
        description=f"{title}: root mean square distance of each layer's weights from where the "
        "run began, over the generations",
    )
    return Chart(title, "", spec)


def _find_histories(comparison: Comparison, method: str, split: str) -> list[History]:
    return [
        history
        for (done, name, _), history in comparison.histories.items()
        if (done, name) == (method, split)
    ]


# ---------------------------------------------------------------- what was run


def _list_facts(comparison: Comparison) -> list[tuple[str, str]]:
    s = comparison.settings
    facts = [("Data", f"{shorten(s['data'])}, {len(comparison.y):,} {s['unit']}")]
    if comparison.target_names:
        counts = Counter(comparison.y.tolist())
        named = [f"{shorten(name)} {counts[k]:,}" for k, name in enumerate(comparison.target_names)]
        more = f" and {len(named) - 20} more" if len(named) > 20 else ""
        facts.append(("Classes", ", ".join(named[:20]) + more))
    else:
        facts.append(("Targets", f"{comparison.y.min():.4g} to {comparison.y.max():.4g}"))
    splits = dict.fromkeys(split.name for split in comparison.splits.values())
    kept = sorted({int(split.columns.sum()) for split in comparison.splits.values()})
    limits = [f"{shorten(s['labels'][m])} {t:g} s" for m, t in s["budgets"].items() if t]
    standardised = ", standardised by the training part" if s["standardise"] else ""
    facts += [
        ("Split", _sentence("; ".join(explain_split(comparison, name) for name in splits))),
        ("Measured by", s["fitness"].replace("_", " ")),
        ("Features", " to ".join(str(k) for k in sorted({kept[0], kept[-1]})) + standardised),
        ("Hidden layers", ", ".join(map(str, s["hidden_layer_sizes"])) or "none"),
        ("Time limits a run", ", ".join(limits) or "none"),
        ("Runs at a time", str(s["n_jobs"])),
        ("Seeds", f"{s['n_seeds']}, drawn from {s['random_state']}: {_list_some(s['seeds'])}"),
    ]
    return facts


def _list_some(seeds: list[int]) -> str:
    return ", ".join(map(str, seeds[:20])) + ", ..." * (len(seeds) > 20)


def _call_again(comparison: Comparison) -> str:
    """Return the call that repeats a comparison, as far as its settings tell it."""
    s = comparison.settings
    known = [name for name, data_set in DATASETS.items() if data_set.label == s["data"]]
    options: dict[str, Any] = {
        name: s[name]
        for name in ("methods", "splits", "task", "fitness", "hidden_layer_sizes", "min_std")
    }
    options |= {
        "n_features": s["n_features"],
        "standardise": s["standardise"],
        "budgets": {name: seconds for name, seconds in s["budgets"].items() if seconds},
        "seeds": s["n_seeds"],
        "random_state": s["random_state"],
    }
    groups = "groups=groups, " * ("rotation" in s["splits"])
    start = f"data={known[0]!r}" if known else f"X, y, {groups}data={s['data']!r}"
    given = "".join(
        f"    {name}={value!r},\n" for name, value in options.items() if value is not None
    )
    return f"compare(\n    {start},\n{given})"
