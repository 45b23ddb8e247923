"""How a run stands: what the panel and the lines tell, and that a run is the same with them."""

import io
import re
from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from ga_ann import Checkpoint, GeneticMLPClassifier, ProgressBar, evolve
from ga_ann.history import COLUMNS, History
from ga_ann.progress import ASCII_BLOCKS, BLOCKS, sparkline
from tests.emulator import Terminal

X, Y = load_iris(return_X_y=True)
OPTIONS = {"hidden_layer_sizes": (4,), "target_fitness": None, "random_state": 3}
NUMBERS = st.floats(width=64)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, NUMBERS)), min_size=1, max_size=6)


@pytest.fixture(autouse=True)
def _usual_terminal(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")


def steady(n_rows, *, start=0, pace=1.0, evaluations=8.0, **columns):
    """Return the rows of a run that takes the same time for each generation."""
    for k in range(start, start + n_rows):
        row = {"generation": k, "seconds": k * pace, "evaluations": k * evaluations}
        yield {"best_fitness": 0.5, "ranking": -1 / (k + 1), "n_samples": 32, **row, **columns}


def show(rows, file, n_behind=0, **limits):
    """Show a run of which some rows are behind it; return what was shown in the end."""
    ga = SimpleNamespace(state=SimpleNamespace(schedule=SimpleNamespace(n_samples=1471)))
    history = History()
    with closing(ProgressBar(file=file, **limits)) as bar:
        bar.on_start(history)
        for row in rows:
            history.append(**row)
            bar.on_generation(ga, history)
    return file.getvalue()


def table_of(terminal):
    """Return what a panel says, by name."""
    rows = [re.split("  +", line[2:-2].strip(), maxsplit=1) for line in terminal.lines[2:]]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def parts_of(line):
    description, _, rest = line.partition(": ")
    return description, {part.split()[0]: part.partition(" ")[2] for part in rest.split("; ")}


def test_a_panel_tells_the_numbers_that_matter():
    terminal = Terminal()
    rows = steady(101, pace=0.5, sigma=0.2, validation_score=0.75, evaluations=16.0)
    show(rows, terminal, n_generations=400)
    told = table_of(terminal)
    assert told["generation"] == "100 of 400"
    assert told["fitness"] == "0.5000 (accuracy)"
    assert told["held out"] == "0.7500"
    assert told["ranking"].split()[0] == "-0.0099"
    assert set(told["ranking"].split()[1]) <= set(BLOCKS)
    assert told["sigma"] == "0.2"
    assert told["batch"] == "32 of 1,471"
    assert told["speed"] == "32 evaluations/s"
    assert told["time"] == "50.0 s"
    assert terminal.has_cursor
    bar = terminal.lines[1]
    assert bar.count("━") + bar.count("╸") + bar.count("╺") == 60


def test_what_there_is_not_is_not_told():
    log = io.StringIO()
    show(steady(3), log)
    description, told = parts_of(log.getvalue().splitlines()[-1])
    assert description == "GA"
    assert list(told) == ["generation", "fitness", "ranking", "batch", "speed", "time"]
    assert told["generation"] == "2"


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"n_generations": 10}, "18.0 s"),  # 9 generations of 2 s
        ({"n_generations": 10, "max_time": 7.0}, "5.0 s"),
        ({"n_generations": 10, "max_time": 3600}, "18.0 s"),
        ({"max_evaluations": 48.0}, "10.0 s"),  # 40 evaluations, 4 a second
        ({"max_evaluations": 48.0, "max_time": 8.0}, "6.0 s"),
        ({}, None),
    ],
)
def test_the_time_left_is_that_to_the_nearest_limit(limits, left):
    history, log = History(), io.StringIO()
    bar = ProgressBar(file=log, **limits)
    bar.on_start(history)
    with closing(bar):
        for row in steady(2, pace=2.0):
            history.append(**row)
            bar._screen = None  # a screen that is new shows everything
            bar.on_generation(None, history)
        *_, line = log.getvalue().splitlines()
    told = parts_of(line)[1]
    assert told.get("left") == (None if left is None else f"about {left}")


def test_a_run_that_continues_another_counts_from_there():
    """Its own limits begin where the other one ended, and its pace is its own."""
    before, log = History(), io.StringIO()
    for row in steady(31, pace=100.0):
        before.append(**row)
    whole = before.copy()
    bar = ProgressBar(10, max_time=40.0, file=log)
    bar.on_continue(before)
    bar.on_start(History())
    with closing(bar):
        whole.append(generation=31, seconds=3010.0, evaluations=250.0, n_samples=32)
        bar.on_generation(None, whole)
    told = parts_of(log.getvalue().splitlines()[0])[1]
    assert told["generation"] == "31 of 40"
    assert told["speed"] == "1 evaluations/s"
    assert told["left"] == "about 30.0 s"


def test_a_real_run_that_goes_on_counts_all_its_generations(tmp_path, capsys):
    path = tmp_path / "run.npz"
    first = evolve(X, Y, n_generations=4, callbacks=[Checkpoint(path)], **OPTIONS)
    capsys.readouterr()
    for start, total in ((path, 9), (first, 13)):
        evolve(X, Y, n_generations=9, start=start, verbose=True, **OPTIONS)
        *_, line = capsys.readouterr().err.splitlines()
        assert parts_of(line)[1]["generation"] == f"{total} of {total}"


@pytest.mark.parametrize("file", [io.StringIO, Terminal])
def test_a_run_is_the_same_bit_for_bit_and_the_last_generation_is_shown(file):
    options = {**OPTIONS, "n_generations": 30, "validation_data": (X[::3], Y[::3])}
    plain, shown = evolve(X, Y, **options), file()
    watched = evolve(X, Y, callbacks=[ProgressBar(30, file=shown)], **options)
    for V, W in zip(plain.weights, watched.weights, strict=True):
        np.testing.assert_array_equal(V, W)
    for name in set(COLUMNS) - {"seconds"}:
        np.testing.assert_array_equal(plain.history[name], watched.history[name])
    told = table_of(shown) if shown.isatty() else parts_of(shown.getvalue().splitlines()[-1])[1]
    assert told["generation"] == "30 of 30"
    assert "left" not in told


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_the_cursor_is_back_however_a_run_ends(error):
    terminal = Terminal()

    def fail(ga, history):
        if len(history) > 3:
            raise error

    callbacks = [ProgressBar(9, file=terminal), fail]
    if error is RuntimeError:
        with pytest.raises(RuntimeError):
            evolve(X, Y, n_generations=9, callbacks=callbacks, **OPTIONS)
    else:
        assert evolve(X, Y, n_generations=9, callbacks=callbacks, **OPTIONS).stop_reason
    assert table_of(terminal)["generation"] == "3 of 9"
    assert terminal.has_cursor


def test_each_run_has_a_panel_of_its_own():
    terminal = Terminal()
    bar = ProgressBar(3, file=terminal)
    for n_generations in (3, 2):
        evolve(X, Y, n_generations=n_generations, callbacks=[bar], **OPTIONS)
    text = "\n".join(terminal.lines)
    assert text.count("╭─ GA ") == text.count("╰──") == 2
    assert text.index("3 of 3") < text.index("2 of 3")


def test_an_estimator_shows_its_progress(capsys):
    GeneticMLPClassifier((4,), n_generations=3, verbose=True, random_state=0).fit(X, Y)
    first, *_, last = capsys.readouterr().err.splitlines()
    assert parts_of(first)[1]["generation"] == "0 of 3"
    assert parts_of(last)[1]["generation"] == "3 of 3"


@given(ROWS, st.integers(1, 120), st.sampled_from(["utf-8", "ascii", "cp1252"]))
def test_whatever_a_row_holds_fits_the_terminal(rows, width, encoding):
    terminal = Terminal()
    terminal.encoding = encoding
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        patch.setattr("ga_ann.screen.SECONDS_BETWEEN", -1.0)
        for row in rows:
            row["generation"] = row["n_samples"] = 1e6
        text = show(rows, terminal, n_generations=10**6, max_time=1e9, max_evaluations=1e300)
    if encoding != "utf-8":
        text.encode("ascii")
    if width > 30:
        assert max(map(len, terminal.lines)) <= width - len("^C")  # which would begin a line


@given(ROWS)
def test_lines_hold_no_control_characters(rows):
    log = io.StringIO()
    text = show(rows, log, n_generations=5, max_evaluations=1e300)
    text.encode("ascii")
    assert all(line.isprintable() for line in text.splitlines())


def test_a_long_name_is_cut_in_ascii_too(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    terminal, history = Terminal(), History(metric="neg_mean_pinball_loss" * 2)
    terminal.encoding = "ascii"
    with closing(ProgressBar(3, file=terminal)) as bar:
        history.append(**next(steady(1)))
        bar.on_generation(None, history)
    assert terminal.getvalue().isascii()
    assert "neg_mean_" in table_of(terminal)["fitness"]


@pytest.mark.parametrize("file", [io.StringIO, Terminal])
def test_what_a_row_lacks_is_not_known(file):
    shown = file()
    show([{"best_fitness": 0.5}], shown, n_generations=3, max_time=1.0, max_evaluations=2.0)
    assert "0.5000 (accuracy)" in shown.getvalue()


def test_a_name_that_looks_like_markup_is_a_name():
    terminal, history = Terminal(), History(metric="[red]f[/red]")
    with closing(ProgressBar(3, "[bold]GA[/bold]", file=terminal)) as bar:
        history.append(**next(steady(1)))
        bar.on_generation(None, history)
    assert "[bold]GA[/bold]" in terminal.lines[0]
    assert table_of(terminal)["fitness"] == "0.5000 ([red]f[/red])"


def test_before_anything_is_measured_there_is_nothing_to_show():
    log = io.StringIO()
    with closing(ProgressBar(3, file=log)) as bar:
        bar.on_start(History())
        bar.on_generation(None, History())
    assert log.getvalue() == ""


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"n_generations": -1}, ValueError),
        ({"n_generations": 1.5}, TypeError),
        ({"max_time": 0}, ValueError),
        ({"max_evaluations": 0}, ValueError),
        ({"max_evaluations": "many"}, TypeError),
    ],
)
def test_limits_that_cannot_be_are_refused(limits, error):
    with pytest.raises(error, match=next(iter(limits))):
        ProgressBar(**limits)


# ---------------------------------------------------------------- the curve

VALUES = st.lists(st.floats(-1e300, 1e300), max_size=50)


@given(st.lists(NUMBERS, max_size=50), st.integers(-5, 60), st.sampled_from([BLOCKS, ASCII_BLOCKS]))
def test_a_curve_has_a_character_a_value_and_no_more_than_there_is_room(values, width, levels):
    curve = sparkline(np.array(values, dtype=np.float64), width, levels)
    n_finite = int(np.isfinite(values).sum())
    assert len(curve) == max(0, min(width, n_finite))
    assert set(curve) <= set(levels)


@given(VALUES)
def test_a_curve_keeps_the_order_of_the_values(values):
    heights = [BLOCKS.index(c) for c in sparkline(np.array(values, dtype=np.float64), 50)]
    for (a, h), (b, k) in zip(
        zip(values, heights, strict=True), zip(values[1:], heights[1:], strict=False), strict=False
    ):
        assert (a <= b and h <= k) or (a >= b and h >= k)
    if len(set(values)) > 1 and max(values) - min(values) < np.inf:
        assert heights[int(np.argmin(values))] == 0
        assert heights[int(np.argmax(values))] == len(BLOCKS) - 1


# ---------------------------------------------------------------- notebooks

CELL = """
import warnings
from sklearn.datasets import load_iris
from ga_ann import evolve
from ga_ann import screen

screen.SECONDS_BETWEEN = 0.0
X, y = load_iris(return_X_y=True)
result = evolve(
    X, y, hidden_layer_sizes=(4,), n_generations=50, target_fitness=None, verbose=True,
    random_state=0,
)
"""


def test_a_notebook_has_one_output_which_is_the_last():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbclient.NotebookClient(notebook, timeout=120).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert "50 of 50" in output.data["text/plain"]
    assert "50 of 50" in output.data["text/html"]
    assert "widget" not in " ".join(output.data)
