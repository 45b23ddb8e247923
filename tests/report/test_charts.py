import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.history import History
from ga_ann.report.charts import (
    MOST_DOTS,
    MOST_ROWS,
    PLACES,
    Curve,
    draw_curves,
    draw_predictions,
    find_lines,
)


def run(xs, values):
    history = History()
    for x, value in zip(xs, values, strict=True):
        history.append(generation=x, evaluations=x, seconds=x, best_fitness=value)
    return history


def value_at(history, x):
    """Return the last value at or before x, row by row."""
    return [row["best_fitness"] for row in history if row["evaluations"] <= x][-1]


STEPS = st.lists(
    st.lists(st.integers(0, 10), min_size=1, max_size=8).map(np.cumsum), min_size=1, max_size=4
)


@given(STEPS, st.randoms(use_true_random=False))
def test_lines_are_the_median_and_reach_of_steps(steps, random):
    runs = [run(xs, [random.random() for _ in xs]) for xs in steps]
    line = find_lines(runs, [one["best_fitness"] for one in runs])["evaluations"]
    assert line.x[0] == max(xs[0] for xs in steps)
    assert line.x[-1] == max(xs[-1] for xs in steps)
    for k, x in enumerate(line.x):
        values = [value_at(one, x) for one in runs]
        assert line.middle[k] == np.median(values)
        assert (line.low[k], line.high[k]) == (min(values), max(values))


def test_long_curves_keep_their_ends_and_their_beginning():
    n = 5000
    line = find_lines([run(range(n), range(n))], [np.arange(n, dtype=float)])["generation"]
    assert PLACES / 2 <= len(line.x) <= PLACES
    assert (line.x[0], line.x[-1]) == (0, n - 1)
    assert (line.x < 50).sum() > 20
    np.testing.assert_array_equal(line.middle, line.x)


def test_what_is_never_known_has_no_line():
    nothing = run([0, 1], [np.nan, np.nan])
    assert find_lines([nothing], [nothing["best_fitness"]]) == {}


def rows_of(spec, k=0):
    held = list(spec["datasets"].values()) if "datasets" in spec else [spec["data"]["values"]]
    return held[k]


def test_a_chart_holds_the_curves_and_a_switch_for_each():
    runs = {"a": run([1], [0.25]), "b": run([1, 2, 300], [0.25, 0.5, 1.0])}
    curves = [Curve(name, find_lines([one], [one["best_fitness"]])) for name, one in runs.items()]
    spec = draw_curves(curves, "accuracy", description="what it is", in_percent=True)
    drawn = [row for row in rows_of(spec) if row["a"] == "evaluations" and row["s"] == 1]
    assert [(row["n"], row["x"], row["y"], row["e"]) for row in drawn] == [
        ("b", 1, 0.25, 0),
        ("b", 2, 0.5, 0),
        ("b", 300, 1, 1),
    ]
    switches = {one["name"]: one for one in spec["params"] if "bind" in one}
    assert switches["show_0"]["bind"] == {"input": "checkbox", "name": "a "}
    assert switches["axis"]["bind"]["options"] == ["evaluations", "seconds"]
    assert switches["logarithmic"]["value"] is True  # the ends are 1 and 300
    alone = draw_curves(curves[1:], "", description="")
    assert {one["name"]: one.get("value") for one in alone["params"]}["logarithmic"] is False
    assert spec["description"] == "what it is"


def test_many_curves_stay_small():
    history = run(range(500), range(500))
    lines = find_lines([history], [history["best_fitness"]])
    spec = draw_curves([Curve(str(k), lines) for k in range(400)], "", description="")
    assert len(rows_of(spec)) <= MOST_ROWS


def test_predictions_are_all_there_or_evenly_chosen():
    for n in (10, 10 * MOST_DOTS):
        true = np.arange(n, dtype=float)
        spec = draw_predictions(true, -true, list(map(str, range(n))), k=0, description="")
        (dots,) = [rows for rows in spec["datasets"].values() if "n" in rows[0]]
        assert len(dots) == min(n, MOST_DOTS)
        assert (dots[0]["n"], dots[-1]["n"]) == ("0", str(n - 1))
        assert all(row["y"] == -row["x"] for row in dots)


@pytest.mark.parametrize("n_known", [0, 1, 3])
def test_predictions_that_are_no_numbers_have_no_dot(n_known):
    true = np.arange(4.0)
    predicted = np.array([np.nan, np.inf, -np.inf, np.nan])
    predicted[:n_known] = 7.0
    spec = draw_predictions(true, predicted, list("abcd"), k=0, description="")
    json.dumps(spec, allow_nan=False)
    dots = [row for rows in spec["datasets"].values() for row in rows if "n" in row]
    assert [row["n"] for row in dots] == list("abcd")[:n_known]
