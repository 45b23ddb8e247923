"""Plots of training and comparison; each draws into one Axes, returns it, and shows nothing.

Colours are those of Okabe and Ito (2008), which colour-blind readers can tell apart; line styles
and markers differ too, so that the plots read in grey.
"""

from __future__ import annotations

import io
import os
import textwrap
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PredictionErrorDisplay,
    confusion_matrix,
    root_mean_squared_error,
)
from sklearn.utils.multiclass import unique_labels

from ga_ann.history import History, HistoryOrOwner, find_history
from ga_ann.network import lookup
from ga_ann.storage import check_writable, replacing
from ga_ann.validation import check_number, check_real

__all__ = [
    "X_LABELS",
    "check_axes",
    "escape_text",
    "new_axes",
    "plot_comparison",
    "plot_confusion",
    "plot_fitness",
    "plot_predictions",
    "render_figure",
    "save_figure",
    "write_caption",
]

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
Runs = HistoryOrOwner | Sequence[HistoryOrOwner]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINES = ("-", (0, (6, 1.5)), "-.", (0, (4, 1, 1, 1, 1, 1)), (0, (1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
X_LABELS = {
    "generation": "Generation",
    "evaluations": "Evaluations (networks on the whole training set)",
    "seconds": "Time (s)",
}
_VALUE_LABELS = {
    "held_out_accuracy": "Held-out accuracy",
    "train_accuracy": "Training accuracy",
    "held_out_score": "Held-out {score}",
    "train_score": "Training {score}",
    "seconds": "Time (s)",
    "evaluations": "Evaluations (networks on the whole training set)",
}
_ROW_KEYS = ("method", "split", "seed", "seconds", "evaluations")
_NETWORK = ("hidden_layer_sizes", "activation", "output_activation", "bias", "weight_set")
"""Settings that make another network of one method."""

_STAND_INS = {"held_out_accuracy": "train_accuracy", "held_out_score": "train_score"}
"""What is plotted where nothing was held out."""


LEAST_SPAN = 0.1
"""What an axis spans at least: of scores between 0 and 1, and of other values as a share of them.
A constant that fills the axis would look like a curve."""


def plot_fitness(
    history: Runs | Mapping[str, Runs],
    ax: Axes | None = None,
    *,
    x: str = "generation",
    band: bool = False,
    caption: bool = True,
) -> Axes:
    """Plot how the best fitness grew.

    Parameters
    ----------
    history : History, TrainingResult or fitted estimator, sequence of them, or mapping of str to \
            either
        One run; several runs, such as those of one method from several seeds; or several methods by
        their names. Runs of a sequence are of one method if their Histories have the same label and
        the same network. Of several runs of a method each is a thin line and their median is drawn
        out: a step function that begins where all runs have a value and carries the last value of
        each forward. With a single run, the mean fitness of its generations is drawn faintly: a
        line or, where each was measured on another batch of samples and cannot be compared with the
        next one, dots. With a single method, its score on the validation data is dashed beside that
        on the training data, in the same colour.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None, the default, makes a new figure.
    x : {"generation", "evaluations", "seconds"}, default="generation"
        What runs along the horizontal axis: the generation (or, of other methods, the iteration),
        or a cost. Evaluations and seconds that span more than a factor of 100 are drawn on a
        logarithmic scale.
    band : bool, default=False
        Whether several runs of a method are a band from the lowest to the highest of them, instead
        of a thin line each; that of their scores on the validation data is hatched. It begins, as
        the median does, where all of them have a value.
    caption : bool, default=True
        Whether the settings that all the runs share stand below the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If `history` is none of the above, or `ax` is no Axes.
    ValueError
        If there is no History, one of them has no row with both `x` and a best fitness, or `x` is
        unknown.

    Examples
    --------
    >>> history = History(label="GA", settings={"n_solutions": 32})
    >>> for generation, accuracy in enumerate([0.25, 0.5, 1.0]):
    ...     history.append(generation=generation, best_fitness=accuracy)
    >>> ax = plot_fitness(history)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Generation', 'Training accuracy')
    >>> plt.close(ax.figure)
    """
    x_label = lookup(X_LABELS, x, "x")
    groups = _group(history)
    runs = [run for group in groups.values() for run in group]
    if x == "generation":
        x_label = " or ".join(sorted({run.unit for run in runs})).capitalize()
    curves = {label: [_curve(run, x) for run in group] for label, group in groups.items()}
    ax = new_axes() if ax is None else check_axes(ax)
    held_out = _held_out_curves(runs, x) if len(groups) == 1 else []
    for k, (label, group) in enumerate(curves.items()):
        _draw_method(ax, group, k, label + ", training" * bool(held_out), band=band)
        if held_out:
            _draw_held_out(ax, held_out, label, band=band)
    if len(runs) == 1 and _has_mean(runs[0]):
        _draw_mean(ax, runs[0], x)
    _widen(ax, "y")
    if x != "generation" and _spans_decades([X for group in curves.values() for X, _ in group]):
        ax.set_xscale("log")
    if x == "generation":
        if isinstance(locator := ax.xaxis.get_major_locator(), MaxNLocator):
            locator.set_params(integer=True)
        if all(X[-1] == 0 for group in curves.values() for X, _ in group):
            ax.set_xlim(-0.05, 1.05)  # around a single point Matplotlib would centre some 0.1
    ax.set(xlabel=x_label, ylabel=escape_text(_fitness_label(runs, with_held_out=bool(held_out))))
    ax.grid(alpha=0.3)
    _legend_above(ax)
    if caption:
        write_caption(ax, _describe(list(groups.values()), band=band, hatched=bool(held_out)))
    return ax


def _group(history: Runs | Mapping[str, Runs]) -> dict[str, list[History]]:
    """Return the runs of each method by its name."""
    groups: dict[str, list[History]] = {}
    if isinstance(history, Mapping):
        groups = {str(label): _as_runs(runs) for label, runs in history.items()}
    else:
        runs = _as_runs(history)
        for run in runs:
            label = run.label or "Best solution"
            namesakes = [other for other in runs if other.label == run.label]
            groups.setdefault(label + _tell_apart(run, namesakes), []).append(run)
    if not groups or not all(groups.values()):
        raise ValueError("history must hold at least one History for each method, got none.")
    return groups


def _tell_apart(run: History, namesakes: Sequence[History]) -> str:
    """Return what tells a run's network from those of others: nothing where they are all alike."""
    parts = [
        f"{name}={_format(run.settings[name])}"
        for name in _NETWORK
        if name in run.settings
        and len({_format(other.settings.get(name)) for other in namesakes}) > 1
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _as_runs(history: Runs) -> list[History]:
    is_several = isinstance(history, Sequence) and not isinstance(history, str)
    runs: Any = history if is_several else [history]
    return [find_history(run) for run in runs]


def _curve(run: History, x: str, y: str = "best_fitness") -> Curve:
    """Return the rows that have both values."""
    X, Y = run[x], run[y]
    known = np.isfinite(X) & np.isfinite(Y)
    if not known.any():
        raise ValueError(f"{run!r} has no row with both {x!r} and {y!r}: there is nothing to plot.")
    return X[known], Y[known]


def _draw_method(ax: Axes, curves: Sequence[Curve], k: int, label: str, *, band: bool) -> None:
    colour, marker = _COLOURS[k % len(_COLOURS)], _MARKERS[k % len(_MARKERS)]
    if band:
        _draw_band(ax, curves, colour)
    elif len(curves) > 1:
        for X, Y in curves:
            ax.plot(
                X,
                Y,
                color=colour,
                alpha=0.4,
                lw=0.8,
                drawstyle="steps-post",
                marker=marker if len(X) == 1 else "",
                ms=4,
                label="_seed",
            )
    X, Y = curves[0] if len(curves) == 1 else _median(curves)
    ax.plot(
        X,
        Y,
        color=colour,
        lw=2,
        ls=_LINES[k % len(_LINES)],
        drawstyle="steps-post",
        marker=marker,
        ms=6 if len(X) > 1 else 7,
        markevery=0.12 if len(X) > 1 else 1,
        label=escape_text(label),
        # A single point stays visible where a curve begins at the same place.
        zorder=3 if len(X) > 1 else 4,
        mec=colour if len(X) > 1 else "white",
        mew=1 if len(X) > 1 else 0.6,
    )


def _median(curves: Sequence[Curve]) -> Curve:
    """Return the median of step functions, from where all of them have begun."""
    grid, values = _on_one_grid(curves)
    return grid, np.median(values, axis=0)


def _on_one_grid(curves: Sequence[Curve]) -> Curve:
    """Return where step functions change, from where all have begun, and a row of values each."""
    begin = max(X[0] for X, _ in curves)
    grid = np.unique(np.concatenate([X for X, _ in curves]))
    grid = grid[grid >= begin]
    return grid, np.array([Y[np.searchsorted(X, grid, side="right") - 1] for X, Y in curves])


def _draw_band(ax: Axes, curves: Sequence[Curve], colour: str, *, hatch: str | None = None) -> None:
    """Fill, or hatch, what lies between the lowest and the highest of several step functions."""
    if len(curves) == 1:
        return
    grid, values = _on_one_grid(curves)
    low, high = values.min(axis=0), values.max(axis=0)
    # The edge shows the runs' range where they have but one point in common.
    band = ax.fill_between(
        grid, low, high, step="post", color=colour, alpha=0.2, lw=0.8, hatch=hatch, label="_band"
    )
    if hatch:
        band.set(facecolor="none", alpha=0.5)


def _held_out_curves(runs: Sequence[History], x: str) -> list[Curve]:
    validated = [run for run in runs if np.isfinite(run["validation_score"]).any()]
    return [_curve(run, x, "validation_score") for run in validated]


def _draw_held_out(ax: Axes, curves: Sequence[Curve], label: str, *, band: bool) -> None:
    """Add the validation score of a single method, in its colour."""
    if band:
        _draw_band(ax, curves, _COLOURS[0], hatch="////")
    X, Y = _median(curves)
    ax.plot(
        X,
        Y,
        color=_COLOURS[0],
        lw=1.5,
        ls="--",
        drawstyle="steps-post",
        marker=_single(X),
        label=escape_text(f"{label}, held out"),
        zorder=2,
    )


def _has_mean(run: History) -> bool:
    """Tell whether there is a mean beside the best: not where there is but one network.

    Early stopping looks for the best by held-out data, at checks only: the mean may be above it.
    """
    mean, best = run["mean_fitness"], run["best_fitness"]
    differs = bool((np.isfinite(mean) & (mean != best)).any())
    return differs and not run.settings.get("early_stopping")


def _draw_mean(ax: Axes, run: History, x: str) -> None:
    X, Y = _curve(run, x, "mean_fitness")
    label, line, marker = f"Mean of the {run.unit}", "-", _single(X)
    if isinstance(run.settings.get("batch_size"), int):
        _, sizes = _curve(run, "mean_fitness", "n_samples")
        ends = dict.fromkeys(f"{size:,.0f}" for size in (sizes.min(), sizes.max()))
        label += f" on its batch ({' to '.join(ends)} samples)"
        line, marker = "", "."
    ax.plot(X, Y, color=_COLOURS[0], alpha=0.45, lw=1, ls=line, marker=marker, label=label)


def _single(X: NDArray[np.float64]) -> str:
    """Return the marker of a thin line: a line of one point has no length to be seen."""
    return "." if len(X) == 1 else ""


def _widen(ax: Axes, axis: str) -> None:
    """Let an axis span at least what makes a difference, around what is drawn."""
    low, high = ax.dataLim.intervaly if axis == "y" else ax.dataLim.intervalx
    are_shares = low >= 0 and high <= 1
    span = LEAST_SPAN * (1 if are_shares else max(abs(low), abs(high)))
    if high - low >= span:
        return
    start = (low + high - span) / 2
    if are_shares:  # there is nothing below 0 and above 1
        start = min(max(start, 0), 1 - span)
    # As if it were drawn: what is drawn later may still make the axis longer.
    corners = [(start, start), (start + span, start + span)]
    ax.update_datalim(corners, updatex=axis == "x", updatey=axis == "y")
    ax.autoscale_view()


def escape_text(text: object) -> str:
    """Return text that Matplotlib shows as it is, without reading mathematics between dollars."""
    return str(text).replace("$", r"\$")


def _spans_decades(values: Sequence[NDArray[np.float64]]) -> bool:
    joined = np.concatenate(values)
    positive = joined[joined > 0]
    return bool(positive.size and positive.max() > 100 * positive.min())


def _fitness_label(runs: Sequence[History], *, with_held_out: bool) -> str:
    metrics = {run.metric.replace("_", " ") for run in runs}
    if len(metrics) > 1:
        return "Fitness"
    (metric,) = metrics
    return metric[:1].upper() + metric[1:] if with_held_out else f"Training {metric}"


def _describe(groups: Sequence[Sequence[History]], *, band: bool, hatched: bool) -> str:
    """Return the settings that all runs share, and what the thick lines are."""
    first, *others = [run.settings for group in groups for run in group]
    parts = [
        # Spaces that do not break keep a value on one line.
        f"{name}={_format(value)}".replace(" ", "\N{NO-BREAK SPACE}")
        for name, value in first.items()
        if value is not None
        and all(name in other and _format(other[name]) == _format(value) for other in others)
    ]
    n_runs = {len(group) for group in groups}
    if max(n_runs) > 1:
        over = f"{max(n_runs)} runs" if len(n_runs) == 1 else "the runs"
        parts.append(f"thick line: median over {over}")
        if band:
            parts.append("band: lowest to highest" + ", hatched: held out" * hatched)
    return ", ".join(parts)


def _format(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_format, value))})"
    return str(value)


def plot_confusion(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ax: Axes | None = None,
    *,
    labels: ArrayLike | None = None,
    title: str | None = None,
    caption: str | None = None,
) -> Axes:
    """Plot how many samples of each class were taken for which.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The true classes: integers or strings.
    y_pred : array-like of shape (n_samples,)
        The predicted classes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None, the default, makes a new figure.
    labels : array-like of shape (n_classes,), optional
        All the classes, in the order of the rows and columns. None, the default, takes those that
        occur, sorted.
    title : str, optional
        None, the default, gives the number of wrong predictions.
    caption : str, optional
        A small text below the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If `ax` is no Axes.
    ValueError
        If `y_true` and `y_pred` differ in length or are empty, or `labels` lacks a class.

    Examples
    --------
    >>> ax = plot_confusion(["apple", "mango", "mango"], ["apple", "apple", "mango"])
    >>> ax.get_title()
    '1 of 3 wrong'
    >>> plt.close(ax.figure)
    """
    true, predicted = _check_pairs(y_true, y_pred)
    occurring = unique_labels(true, predicted)
    shown = occurring if labels is None else np.asarray(labels)
    if missing := sorted(set(occurring.tolist()) - set(shown.tolist())):
        raise ValueError(f"labels must hold every class of y_true and y_pred, {missing} miss.")
    counts = confusion_matrix(true, predicted, labels=shown)
    n_classes = len(shown)
    if ax is None:
        side = max(5.0, 2 + 0.4 * n_classes)
        ax = new_axes((side, side))
    names = [escape_text(label) for label in shown]
    ConfusionMatrixDisplay(counts, display_labels=names).plot(
        ax=check_axes(ax),
        cmap="Blues",
        colorbar=False,
        include_values=n_classes <= 40,
        text_kw={"fontsize": 11 if n_classes <= 6 else 8},
    )
    if sum(len(str(label)) for label in shown) > 30:
        ax.set_xticks(ax.get_xticks(), names, rotation=45, ha="right", rotation_mode="anchor")
    wrong = int((true != predicted).sum())
    text = f"{wrong} of {true.size} wrong" if title is None else title
    ax.set_title(text, fontsize="medium", parse_math=False)
    ax.set(xlabel="Predicted class", ylabel="True class")
    if caption:
        write_caption(ax, caption)
    return ax


def _check_pairs(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    true, predicted = np.asarray(y_true), np.asarray(y_pred)
    if true.ndim != 1 or true.shape != predicted.shape or not true.size:
        raise ValueError(
            "y_true and y_pred must be 1-D, of one length and not empty, got shapes "
            f"{true.shape} and {predicted.shape}."
        )
    return true, predicted


def plot_predictions(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    caption: str | None = None,
) -> Axes:
    """Plot what a regression predicted against what is true: a dot for each sample.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The true targets: finite numbers.
    y_pred : array-like of shape (n_samples,)
        The predicted ones.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None, the default, makes a new figure.
    title : str, optional
        None, the default, gives the root of the mean squared error.
    caption : str, optional
        A small text below the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If `ax` is no Axes.
    ValueError
        If `y_true` and `y_pred` differ in length or are empty, or a number is not finite
        or not real.

    Examples
    --------
    >>> ax = plot_predictions([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    >>> ax.get_title()
    'RMSE 1.732'
    >>> plt.close(ax.figure)
    """
    check_real(y_true, "y_true")
    check_real(y_pred, "y_pred")
    true, predicted = (values.astype(np.float64) for values in _check_pairs(y_true, y_pred))
    if not (np.isfinite(true).all() and np.isfinite(predicted).all()):
        raise ValueError("y_true and y_pred must hold finite numbers, got NaN or infinity.")
    ax = new_axes((5.0, 5.0)) if ax is None else check_axes(ax)
    PredictionErrorDisplay(y_true=true, y_pred=predicted).plot(
        ax=ax,
        kind="actual_vs_predicted",
        scatter_kwargs={"color": _COLOURS[0], "s": 14, "alpha": 0.5, "linewidths": 0},
        line_kwargs={"color": "0.35", "lw": 1, "alpha": 1, "label": "as true"},
    )
    low, high = (float(f([true, predicted])) for f in (np.min, np.max))
    margin = 0.05 * ((high - low) or abs(high) or 1.0)
    limits = low - margin, high + margin
    # The same round numbers on both axes, where scikit-learn has five parts of the range.
    ticks = [tick for tick in MaxNLocator(6).tick_values(low, high) if limits[0] < tick < limits[1]]
    ax.set_aspect("equal", adjustable="box")
    ax.set(xlim=limits, ylim=limits, xticks=ticks, yticks=ticks)
    text = f"RMSE {root_mean_squared_error(true, predicted):.4g}" if title is None else title
    ax.set_title(text, fontsize="medium", parse_math=False)
    ax.set(xlabel="Predicted", ylabel="True")
    ax.grid(alpha=0.3)
    if caption:
        write_caption(ax, caption)
    return ax


def plot_comparison(
    rows: Sequence[Mapping[str, Any]],
    ax: Axes | None = None,
    *,
    value: str = "held_out_accuracy",
    score: str = "score",
    caption: str | None = None,
) -> Axes:
    """Plot what each method reached on each split: a dot for each seed, a bar at the median.

    Parameters
    ----------
    rows : sequence of mapping
        One for each run, with the keys ``"method"``, ``"split"``, ``"seed"``, ``"seconds"`` and
        ``"evaluations"``, and any others; for the accuracies also ``"train_accuracy"`` and
        ``"held_out_accuracy"`` (NaN where nothing was held out), for the scores
        ``"train_score"`` and ``"held_out_score"``. Methods and splits are drawn in the order of
        their first row.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None, the default, makes a new figure.
    value : {"held_out_accuracy", "train_accuracy", "held_out_score", "train_score", "seconds", \
            "evaluations"}, default="held_out_accuracy"
        What to plot. Where nothing was held out, what the training part gives stands in, and the
        label of the axis says so. Evaluations and seconds that span more than a factor of 100 are
        drawn on a logarithmic scale.
    score : str, default="score"
        What the scores are called on the axis: ``"f1_macro"``.
    caption : str, optional
        A small text below the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If `ax` is no Axes.
    ValueError
        If there are no rows, a row lacks a key, or `value` is unknown.

    Examples
    --------
    >>> row = {"split": "all", "seconds": 1.0, "evaluations": 10, "held_out_accuracy": 0.5}
    >>> ax = plot_comparison([
    ...     row | {"method": "naive", "seed": 0, "train_accuracy": 0.3},
    ...     row | {"method": "GA", "seed": 0, "train_accuracy": 1.0},
    ... ])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['naive', 'GA']
    >>> plt.close(ax.figure)
    """
    label = lookup(_VALUE_LABELS, value, "value").format(score=score.replace("_", " "))
    _check_rows(rows, value)
    scores = _collect_scores(rows, value)
    methods = list(dict.fromkeys(method for method, _ in scores))
    splits = list(dict.fromkeys(split for _, split in scores))
    if ax is None:
        ax = new_axes((7.2, 1.6 + 0.24 * max(2, len(splits)) * len(methods)))
    _draw_scores(check_axes(ax), scores, methods, splits, value)
    if value not in X_LABELS:
        _widen(ax, "x")
    elif _spans_decades(list(scores.values())):
        ax.set_xscale("log")
    if replaced := _splits_without(rows, value):
        stand_in = label.removeprefix("Held-out")
        label += f" (split {', '.join(replaced)}: training{stand_in})"
    ax.set_xlabel(escape_text(label))
    ax.grid(axis="x", alpha=0.3)
    _legend_above(ax)
    if caption:
        write_caption(ax, caption)
    return ax


def _check_rows(rows: Sequence[Mapping[str, Any]], value: str) -> None:
    if not len(rows):
        raise ValueError("rows must hold at least one run, got none.")
    keys = list(dict.fromkeys((*_ROW_KEYS, value, _STAND_INS.get(value, value))))
    for k, row in enumerate(rows):
        if missing := [key for key in keys if key not in row]:
            raise ValueError(f"rows[{k}] must have the keys {keys}, {missing} miss.")


def _collect_scores(
    rows: Sequence[Mapping[str, Any]], value: str
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Return the known values of each method and split, over the seeds."""
    scores: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        score = float(row[value])
        if value in _STAND_INS and isnan(score):
            score = float(row[_STAND_INS[value]])
        of_this = scores.setdefault((str(row["method"]), str(row["split"])), [])
        if not isnan(score):
            of_this.append(score)
    return {key: np.array(of_this) for key, of_this in scores.items()}


def _splits_without(rows: Sequence[Mapping[str, Any]], value: str) -> list[str]:
    """Return the splits in which nothing was held out, if that matters."""
    if value not in _STAND_INS:
        return []
    return list(dict.fromkeys(str(row["split"]) for row in rows if isnan(float(row[value]))))


def _draw_scores(
    ax: Axes,
    scores: Mapping[tuple[str, str], NDArray[np.float64]],
    methods: Sequence[str],
    splits: Sequence[str],
    value: str,
) -> None:
    """Draw a line of dots for each method and split, the median's value at the right margin."""
    step = 0.8 / len(splits)
    for j, split in enumerate(splits):
        colour, marker = _COLOURS[j % len(_COLOURS)], _MARKERS[j % len(_MARKERS)]
        rows = {
            methods.index(method) + step * (j - (len(splits) - 1) / 2): of_this
            for (method, of_split), of_this in scores.items()
            if of_split == split
        }
        X = np.concatenate(list(rows.values()))
        Y = np.repeat(list(rows), [len(of_this) for of_this in rows.values()])
        ax.plot(X, Y, marker, color=colour, ms=5, alpha=0.6, mew=0, label=escape_text(split))
        for y, of_this in rows.items():
            median = float(np.median(of_this)) if len(of_this) else float("nan")
            ax.plot([median] * 2, [y - 0.4 * step, y + 0.4 * step], color=colour, lw=2.5)
            _write_beside(ax, y, _format_score(median, value))
    ax.annotate("median", (1.01, 1.01), xycoords="axes fraction", va="bottom", fontsize="small")
    for i in range(0, len(methods), 2):
        ax.axhspan(i - 0.5, i + 0.5, color="0.95", zorder=0)
    ax.set_yticks(range(len(methods)), [escape_text(textwrap.fill(name, 28)) for name in methods])
    ax.set_ylim(len(methods) - 0.5, -0.5)


def _write_beside(ax: Axes, y: float, text: str) -> None:
    right = ax.get_yaxis_transform()  # x in fractions of the axes, y in data
    ax.annotate(text, (1.01, y), xycoords=right, va="center", fontsize="small")


def _format_score(score: float, value: str) -> str:
    if isnan(score):
        return "\N{EN DASH}"
    if value.endswith("accuracy"):
        return f"{100 * score:.2f} %"
    if value.endswith("score"):
        return f"{round(score, 4) + 0.0:.4f}"  # adding 0 turns a negative zero into zero
    return f"{score:.3g} s" if value == "seconds" else f"{score:,.0f}"


def save_figure(
    path: str | os.PathLike[str], ax_or_figure: Axes | Figure | SubFigure, *, dpi: float = 150
) -> None:
    """Save a figure; a file of that name is replaced in one step when the new one is complete.

    Parameters
    ----------
    path : path-like
        The file. Its ending sets the format: ``.png``, ``.pdf``, ``.svg`` and others; its folder
        must exist.
    ax_or_figure : matplotlib.axes.Axes or matplotlib.figure.Figure
        What to save: the whole figure in either case. It stays open: ``plt.close`` it.
    dpi : float, default=150
        Dots an inch, above 0, for formats made of dots.

    Raises
    ------
    TypeError
        If `ax_or_figure` is neither.
    ValueError
        If the ending is none that Matplotlib can write; the message lists those that are. If `dpi`
        is not positive.
    FileNotFoundError
        If the folder does not exist.
    """
    if not isinstance(ax_or_figure, Axes | Figure | SubFigure):
        raise TypeError(f"ax_or_figure must be an Axes or a Figure, got {ax_or_figure!r}.")
    check_number(dpi, "dpi", above=0)
    figure = _root(ax_or_figure)
    target = Path(path)
    formats = figure.canvas.get_supported_filetypes()
    suffix = target.suffix.lower().removeprefix(".")
    if suffix not in formats:
        raise ValueError(f"{target} must end in one of {['.' + name for name in sorted(formats)]}.")
    check_writable(target)
    picture = render_figure(figure, suffix, dpi=dpi)
    with replacing(target) as file:
        file.write(picture)


def render_figure(figure: Figure, form: str, *, dpi: float = 150) -> bytes:
    """Return a picture of a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    form : str
        A format that Matplotlib can write: ``"png"``, ``"pdf"``, ``"svg"`` and others.
    dpi : float, default=150
        Dots an inch, for formats made of dots.

    Returns
    -------
    bytes
    """
    picture = io.BytesIO()
    # "tight" takes in what hangs over the edge of a figure that the caller laid out.
    figure.savefig(picture, format=form, dpi=dpi, bbox_inches="tight")
    return picture.getvalue()


def _root(artist: Axes | Figure | SubFigure) -> Figure:
    """Return the outermost figure."""
    figure: Any = artist.figure
    root: Figure = figure.figure  # the figure of a figure is itself, that of a SubFigure its root
    return root


def check_axes(ax: Axes) -> Axes:
    """Return what can be drawn into.

    Raises
    ------
    TypeError
        If it is no Axes.
    """
    if not isinstance(ax, Axes):
        raise TypeError(f"ax must be an Axes of Matplotlib or None, got {ax!r}.")
    return ax


def new_axes(figsize: tuple[float, float] | None = None) -> Axes:
    """Return the only Axes of a new figure, whose layout makes room for labels."""
    return plt.subplots(figsize=figsize, layout="constrained")[1]


def _characters_across(ax: Axes, points: float) -> int:
    """Return about how many characters of that size fit across the axes."""
    figure = _root(ax)
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)  # long labels at the side make the axes narrow
    width = ax.get_window_extent().width * 72 / figure.dpi
    return max(20, int(width / (0.55 * points)))


def _legend_above(ax: Axes) -> None:
    """Put the legend where no curve can run into it."""
    handles, labels = ax.get_legend_handles_labels()
    across = _characters_across(ax, 8.5)
    beside = 6  # the line and the gap beside a label
    labels = [textwrap.fill(label, across - beside) for label in labels]
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0) + beside
    n_columns = max(1, min(len(labels), across // longest))
    ax.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=n_columns,
        fontsize=8.5,
        frameon=False,
        borderaxespad=0.2,
        handlelength=3,
    )


def write_caption(ax: Axes, text: str) -> None:
    """Write a small text below the label of the x axis."""
    if not text:
        return
    points = 7.5
    lines = textwrap.wrap(
        text, _characters_across(ax, points), break_on_hyphens=False, max_lines=6, placeholder=" …"
    )
    ax.annotate(
        "\n".join(lines),
        (0, 0),
        xycoords=("axes fraction", ax.xaxis.label),
        xytext=(0, -6),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=points,
        color="0.35",
        parse_math=False,
    )
