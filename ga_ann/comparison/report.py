"""What a comparison leaves in a folder: tables, lists and pictures."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import root_mean_squared_error

from ga_ann.comparison.compare import Comparison
from ga_ann.comparison.presentation import (
    caption,
    legend_label,
    list_errors,
    list_misclassified,
)
from ga_ann.comparison.summary import summarise
from ga_ann.history import History
from ga_ann.plotting import (
    plot_comparison,
    plot_confusion,
    plot_fitness,
    plot_predictions,
    render_figure,
)
from ga_ann.storage import check_writable, package_versions, replacing

__all__ = ["check_folder", "write_report"]

DIFFERENCES = (
    "split",
    "reference",
    "method",
    "n_seeds",
    "median",
    "low",
    "high",
    "better",
    "equal",
    "worse",
)


def check_folder(folder: str | os.PathLike[str]) -> Path:
    """Return a folder to write to as a path; it need not exist yet.

    Raises
    ------
    NotADirectoryError
        If it, or a folder on the way to it, is a file.
    OSError
        If nothing can be written there.
    """
    path = Path(folder)
    nearest = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(f"{nearest} is a file; a folder is needed to write to.")
    try:
        check_writable(nearest / "comparison.csv")
    except OSError as error:
        # The file's name is ours: what the user gave, and can change, is the folder.
        raise OSError(
            error.errno, f"nothing can be written there: {error.strerror}", str(nearest)
        ) from error
    return path


def write_report(comparison: Comparison, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the tables and the pictures of a comparison.

    Parameters
    ----------
    comparison : Comparison
        At least one finished run.
    folder : path
        Where to; it is created if missing, and files of the same names are replaced.

    Returns
    -------
    list of pathlib.Path
        ``comparison.csv``, the rows; ``differences.csv``, what `paired_differences` finds in them;
        ``comparison.json``, both, the summary, the versions and the settings;
        ``misclassified.md``, the names of the samples that each method got wrong;
        ``comparison.png``; ``fitness.png``, the curves of all seeds with their median; and
        ``confusion_METHOD.png``, counts over all seeds. Of a regression ``errors.md``, the samples
        with the largest errors, and ``predictions_METHOD.png``, predicted against true, in the
        place of what was misclassified. The pictures are about the first kind of split.

    Raises
    ------
    TypeError
        If `comparison` is no `Comparison`.
    ValueError
        If there is no row.
    OSError
        If the folder cannot be written to.
    """
    if not isinstance(comparison, Comparison):
        raise TypeError(f"comparison must be a Comparison, got {comparison!r}.")
    target = check_folder(folder)
    if not comparison.rows:
        raise ValueError("the comparison has no finished run to report.")
    # All contents are complete before the first file is written.
    contents = {
        "comparison.csv": _to_csv(comparison.rows, list(comparison.rows[0])).encode(),
        "differences.csv": _to_csv(comparison.differences(), DIFFERENCES).encode(),
        "comparison.json": _to_json(comparison).encode(),
        "comparison.png": render_figure(_draw_comparison(comparison), "png"),
        "fitness.png": render_figure(_draw_fitness(comparison), "png"),
        **_tell_errors(comparison),
    }
    target.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        with replacing(target / name) as file:
            file.write(content)
    return [target / name for name in contents]


def _tell_errors(comparison: Comparison) -> dict[str, bytes]:
    """Return what is said and drawn of wrong predictions, by the files' names."""
    contents = {"misclassified.md": list_misclassified}
    kind, draw = "confusion", _draw_confusion
    if comparison.settings["task"] == "regression":
        contents = {"errors.md": list_errors}
        kind, draw = "predictions", _draw_predictions
    return {name: write(comparison).encode() for name, write in contents.items()} | {
        f"{kind}_{name}.png": render_figure(draw(comparison, method), "png")
        for method, name in _file_names(comparison.methods()).items()
    }


def _file_names(labels: Iterable[str]) -> dict[str, str]:
    """Return the labels as parts of file names, all different."""
    names: dict[str, str] = {}
    for label in labels:
        name = re.sub(r"[^\w.-]", "_", label)
        while name.lower() in map(str.lower, names.values()):
            name += "_"
        names[label] = name
    return names


def _to_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _to_json(comparison: Comparison) -> str:
    held = {
        "caption": caption(comparison),
        "settings": comparison.settings,
        "interrupted": comparison.interrupted,
        "versions": package_versions("ga-ann", "numpy", "pygad", "scikit-learn"),
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "rows": comparison.rows,
        "summary": summarise(comparison.rows),
        "differences": comparison.differences(),
    }
    return json.dumps(_without_nan(held), indent=2, allow_nan=False) + "\n"


def _without_nan(value: Any) -> Any:
    """Return the value with null for NaN, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _unbroken_caption(comparison: Comparison) -> str:
    """Return the caption with spaces that do not break between a number and its unit."""
    return re.sub(r"(?<=[0-9]) (?=s\b)", "\N{NO-BREAK SPACE}", caption(comparison))


def _tested(comparison: Comparison, method: str) -> tuple[NDArray[Any], NDArray[Any], str]:
    """Return what was true and what was predicted, of all runs, and a caption that says so."""
    runs = comparison.tested(method)
    tested = np.concatenate([comparison.y[indices] for indices, _ in runs])
    predicted = np.concatenate([answers for _, answers in runs])
    where = f"{len(runs)} runs, split {', '.join(comparison.headline())}."
    return tested, predicted, f"{where} {_unbroken_caption(comparison)}"


def _draw_confusion(comparison: Comparison, method: str) -> Figure:
    tested, predicted, words = _tested(comparison, method)
    names = np.array(comparison.target_names)
    n_wrong = int((tested != predicted).sum())
    figure = Figure(figsize=(5, 5.2), layout="constrained")
    plot_confusion(
        names[tested],
        names[predicted],
        figure.subplots(),
        labels=names,
        title=f"{legend_label(comparison, method)}: {n_wrong:,} of {len(tested):,} wrong",
        caption=f"Sum over {words}",
    )
    return figure


def _draw_predictions(comparison: Comparison, method: str) -> Figure:
    tested, predicted, words = _tested(comparison, method)
    figure = Figure(figsize=(5, 5.2), layout="constrained")
    error = root_mean_squared_error(tested, predicted)
    plot_predictions(
        tested,
        predicted,
        figure.subplots(),
        title=f"{legend_label(comparison, method)}: RMSE {error:.4g}",
        caption=f"A dot for each tested sample of {words}",
    )
    return figure


def _draw_comparison(comparison: Comparison) -> Figure:
    rows = [{**row, "method": legend_label(comparison, row["method"])} for row in comparison.rows]
    n_splits = len({row["split"] for row in rows})
    height = 2 + 0.24 * max(2, n_splits) * len(comparison.methods())
    figure = Figure(figsize=(7.2, height), layout="constrained")
    fitness = comparison.settings["fitness"]
    plot_comparison(
        rows,
        figure.subplots(),
        value="held_out_accuracy" if fitness == "accuracy" else "held_out_score",
        score=fitness,
        caption=_unbroken_caption(comparison),
    )
    return figure


def _draw_fitness(comparison: Comparison) -> Figure:
    names = comparison.headline()
    figure = Figure(figsize=(4.6 * len(names) + 1, 4.8), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for ax, name in zip(panels, names, strict=True):
        curves: dict[str, list[History]] = {}
        for (method, split, _), history in comparison.histories.items():
            if split == name:
                curves.setdefault(legend_label(comparison, method), []).append(history)
        plot_fitness(curves, ax, x="evaluations", caption=False)
        ax.get_legend().remove()
        ax.set_title(name, fontsize="medium", parse_math=False)
        ax.label_outer()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    text = f"Thin: each seed; thick: their median. {_unbroken_caption(comparison)}"
    figure.supxlabel(
        textwrap.fill(text, 65 * len(names)), fontsize=7.5, color="0.35", parse_math=False
    )
    return figure
