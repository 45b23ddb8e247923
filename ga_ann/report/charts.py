"""The interactive charts: specifications of Vega-Lite, in the colours of the page's CSS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
from numpy.typing import NDArray

from ga_ann.history import History

__all__ = ["AXES", "N_COLOURS", "Curve", "Line", "draw_curves", "draw_predictions", "find_lines"]

Array = NDArray[Any]
Spec = dict[str, Any]

AXES = {"evaluations": "evaluations", "seconds": "seconds", "generation": "generations"}
"""What curves may run over: the column of the History, and its name on the page."""

N_COLOURS = 8
"""Colours of the page's CSS, ``--m0`` and so on."""

LEAST = {"evaluations": 1.0, "seconds": 1e-3, "generation": 1.0}
"""Where a logarithmic axis begins."""

MANY_DECADES = 100
"""An axis whose ends are so many times apart begins as a logarithmic one."""

PLACES = 160
"""Where a curve is drawn at most: what a screen can show."""

MOST_ROWS = 20_000
"""Places of all curves of a chart together; a page is to stay small."""

MOST_DOTS = 1500
"""Samples that a chart of predictions shows at most."""

DIGITS = 5


class Line(NamedTuple):
    """A curve over one axis: the median of several runs, and how far they reach.

    Attributes
    ----------
    x, middle, low, high : ndarray of shape (n_places,)
        Steps: a value holds until the next place.
    """

    x: Array
    middle: Array
    low: Array
    high: Array


class Curve(NamedTuple):
    """A curve of a chart that can be switched on and off.

    Attributes
    ----------
    label : str
        Its name.
    lines : mapping of str to Line
        By axes of `AXES`.
    """

    label: str
    lines: Mapping[str, Line]


def find_lines(
    runs: Sequence[History], values: Sequence[Array], axes: Sequence[str] = tuple(AXES)
) -> dict[str, Line]:
    """Return the curves of a value over the axes; nothing where no run ever had it.

    Parameters
    ----------
    runs : sequence of History
        The runs of one method.
    values : sequence of ndarray of shape (n_rows,)
        The value in each row of each run; NaN where it is not known.
    axes : sequence of str, default=("evaluations", "seconds", "generation")
        Columns of the Histories.

    Examples
    --------
    >>> run = History()
    >>> run.append(evaluations=1, best_fitness=0.25)
    >>> run.append(evaluations=3, best_fitness=0.5)
    >>> find_lines([run], [run["best_fitness"]], ["evaluations"])["evaluations"].middle
    array([0.25, 0.5 ])
    """
    lines = {}
    for axis in axes:
        steps = []
        for run, value in zip(runs, values, strict=True):
            known = np.isfinite(run[axis]) & np.isfinite(value)
            if known.any():
                steps.append((run[axis][known], value[known]))
        if steps:
            lines[axis] = _summarise_steps(steps)
    return lines


def _summarise_steps(steps: Sequence[tuple[Array, Array]]) -> Line:
    """Return the median and the reach of step functions, from where all of them have begun."""
    begin = max(x[0] for x, _ in steps)
    places = np.unique(np.concatenate([x for x, _ in steps]))
    places = _thin(places[places >= begin])
    values = np.array([y[np.searchsorted(x, places, side="right") - 1] for x, y in steps])
    return Line(places, np.median(values, axis=0), values.min(axis=0), values.max(axis=0))


def _thin(places: Array) -> Array:
    """Return no more places than a screen can show, closest where curves grow fastest: early."""
    n = len(places)
    if n <= PLACES:
        return places
    even = np.linspace(0, n - 1, PLACES // 2)
    early = np.geomspace(1, n, PLACES // 2) - 1
    kept: Array = places[np.unique(np.concatenate([even, early]).round().astype(int))]
    return kept


def draw_curves(
    curves: Sequence[Curve],
    title: str,
    *,
    description: str,
    axes: Sequence[str] = ("evaluations", "seconds"),
    in_percent: bool = False,
    interpolate: str = "step-after",
) -> Spec:
    """Return a chart of curves that can be switched off, looked into and hovered over.

    Parameters
    ----------
    curves : sequence of Curve
        What is drawn, in the order of the colours.
    title : str
        What the vertical axis measures.
    description : str
        The chart in a sentence, for who cannot see it.
    axes : sequence of str
        What the reader may choose the horizontal axis from, the first one to begin with.
    in_percent : bool, default=False
        Whether the values are shares.
    interpolate : {"step-after", "linear"}
        What a curve does between its places.

    Returns
    -------
    dict
        A specification of Vega-Lite.
    """
    value_format = ".1~%" if in_percent else ".4~g"
    zoom = alt.selection_interval(
        name="zoom",
        bind="scales",
        encodings=["x"],
        zoom="wheel![event.shiftKey]",  # who scrolls the page is not to be caught by the chart
    )
    hover = alt.selection_point(name="hover", on="pointerover", clear="pointerout", empty=False)
    least = " : ".join(f"axis == '{axis}' ? {LEAST[axis]}" for axis in axes) + " : 1"
    base = (
        alt.Chart(alt.InlineData(values=list(_list_rows(curves, axes))))
        .transform_filter("datum.a == axis")
        .transform_joinaggregate(most="max(x)")
        .transform_filter("datum.x <= datum.most * part / 100")
        .transform_filter(" || ".join(f"datum.s == {k} && show_{k}" for k in range(len(curves))))
        .transform_calculate(
            place=f"logarithmic ? log(max(datum.x, {least})) / LN10 : datum.x",
        )
        .encode(
            x=alt.X(
                "place:Q",
                title=None,
                scale=alt.Scale(nice=False, zero=False),
                axis=alt.Axis(
                    tickCount=5,
                    labelExpr="format(logarithmic ? pow(10, datum.value) : datum.value, ',.2~r')",
                ),
            ),
            color=_colour(len(curves)),
            detail="s:N",
        )
    )
    y = alt.Y(
        "y:Q",
        title=title,
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=value_format),
    )
    layers = [
        base.mark_area(interpolate=interpolate, opacity=0.16, tooltip=None).encode(
            y=alt.Y("l:Q"), y2="h:Q"
        ),
        base.mark_line(interpolate=interpolate, strokeWidth=2).encode(y=y).add_params(zoom),
        # Where a curve ends; some are a single point.
        base.transform_filter("datum.e == 1").mark_point(filled=True, size=45).encode(y=y),
        base.mark_point(filled=True, size=90)
        .encode(
            y=y,
            opacity=alt.when(hover).then(alt.value(1)).otherwise(alt.value(0)),
            tooltip=_tooltip(curves, value_format),
        )
        .add_params(hover),
    ]
    return _finish(alt.layer(*layers).add_params(*_switches(curves, axes)), description)


def _switches(curves: Sequence[Curve], axes: Sequence[str]) -> list[alt.Parameter]:
    """Return what the reader may set: which curves are shown, along what, and how much of it."""
    chosen = alt.param(
        name="axis",
        value=axes[0],
        bind=alt.binding_radio(
            options=list(axes), labels=[f"{AXES[axis]} " for axis in axes], name="along "
        ),
    )
    part = alt.param(
        name="part",
        value=100,
        bind=alt.binding_range(min=2, max=100, step=1, name="first % shown "),
    )
    logarithmic = alt.param(
        name="logarithmic",
        value=_spans_decades(curves, axes[0]),
        bind=alt.binding_checkbox(name="logarithmic "),
    )
    shown = [
        alt.param(name=f"show_{k}", value=True, bind=alt.binding_checkbox(name=f"{curve.label} "))
        for k, curve in enumerate(curves)
    ]
    return [*shown, chosen, logarithmic, part]


def _tooltip(curves: Sequence[Curve], value_format: str) -> list[alt.Tooltip]:
    tooltip = [
        alt.Tooltip("n:N", title="curve"),
        alt.Tooltip("x:Q", title="at", format=",.4~r"),
        alt.Tooltip(
            "y:Q", title="median" if _are_several(curves) else "value", format=value_format
        ),
    ]
    if _are_several(curves):
        tooltip += [
            alt.Tooltip("l:Q", title="lowest", format=value_format),
            alt.Tooltip("h:Q", title="highest", format=value_format),
        ]
    return tooltip


def _spans_decades(curves: Sequence[Curve], axis: str) -> bool:
    ends = [line.x[-1] for curve in curves if (line := curve.lines.get(axis)) is not None]
    return bool(ends) and float(max(ends)) > MANY_DECADES * max(LEAST[axis], float(min(ends)))


def _are_several(curves: Sequence[Curve]) -> bool:
    return any((line.low != line.high).any() for curve in curves for line in curve.lines.values())


def _list_rows(curves: Sequence[Curve], axes: Sequence[str]) -> Iterator[Spec]:
    most = max(2, MOST_ROWS // max(1, len(curves) * len(axes)))
    for k, curve in enumerate(curves):
        for axis in axes:
            if (line := curve.lines.get(axis)) is None:
                continue
            n = len(line.x)
            kept = np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))
            for place in kept.tolist():
                x, middle, low, high = (_round(column[place]) for column in line)
                row = {"s": k, "n": curve.label, "a": axis, "x": x, "y": middle}
                yield row | {"l": low, "h": high, "e": int(place == n - 1)}


def draw_predictions(
    true: Array, predicted: Array, names: Sequence[str], *, k: int, description: str
) -> Spec:
    """Return a chart of predictions over what is true, evenly chosen where there are many.

    Predictions that are no finite numbers have no dot.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Numbers.
    names : sequence of str
        What the samples are called.
    k : int
        The colour.
    description : str
        The chart in a sentence, for who cannot see it.

    Returns
    -------
    dict
        A specification of Vega-Lite.
    """
    known = np.flatnonzero(np.isfinite(predicted))  # JSON has no other numbers
    n = len(known)
    kept = known[np.unique(np.linspace(0, n - 1, min(n, MOST_DOTS)).round().astype(int))]
    rows = [
        {"n": names[row], "x": _round(true[row]), "y": _round(predicted[row])}
        for row in kept.tolist()
    ]
    ends = [_round(reach(np.concatenate([true, predicted[known]]))) for reach in (np.min, np.max)]
    scale = alt.Scale(zero=False, nice=False, domain=ends, padding=8)
    zoom = alt.selection_interval(name="zoom", bind="scales", zoom="wheel![event.shiftKey]")
    dots = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_point(filled=True, size=28, opacity=0.55, color=_css_colour(k))
        .encode(
            x=alt.X("x:Q", title="true", scale=scale),
            y=alt.Y("y:Q", title="predicted", scale=scale),
            tooltip=[
                alt.Tooltip("n:N", title="sample"),
                alt.Tooltip("x:Q", title="true", format=",.4~r"),
                alt.Tooltip("y:Q", title="predicted", format=",.4~r"),
            ],
        )
        .add_params(zoom)
    )
    right = (
        alt.Chart(alt.InlineData(values=[{"x": end, "y": end} for end in ends]))
        .mark_line(strokeDash=[4, 4], strokeWidth=1.5, color="var(--muted)")
        .encode(x="x:Q", y="y:Q")
    )
    return _finish(alt.layer(right, dots), description)


def _round(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _css_colour(k: int) -> str:
    return f"var(--m{k % N_COLOURS})"


def _colour(n: int) -> alt.Color:
    scale = alt.Scale(domain=list(range(n)), range=[_css_colour(k) for k in range(n)])
    return alt.Color("s:N", scale=scale, legend=None)


def _finish(chart: alt.LayerChart, description: str) -> Spec:
    text, line = "var(--muted)", "var(--line)"
    finished = chart.properties(
        width="container",
        height=320,
        description=description,
        background="transparent",
        padding={"left": 4, "top": 8, "right": 12, "bottom": 4},
    ).configure(
        font="system-ui, sans-serif",
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=text,
            titleColor=text,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            titlePadding=10,
            gridColor=line,
            domain=False,
            ticks=False,
            labelPadding=6,
        ),
    )
    spec: Spec = finished.to_dict()
    return spec
