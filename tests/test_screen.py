"""Screens: one place on a terminal, lines in a log, one output in a notebook."""

import errno
import io
import sys

import joblib
import pytest
from rich.text import Text

from ga_ann import screen as screens
from ga_ann.screen import open_screen
from tests.emulator import Terminal


@pytest.fixture(autouse=True)
def _usual_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(screens, "perf_counter", lambda: Clock.now)
    return Clock


def open_on(monkeypatch, stream, out=None):
    """Return the screen of a process whose stderr is this stream."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", stream if out is None else out)
    return open_screen()


def test_a_terminal_shows_the_last_in_its_place_and_has_its_cursor_back():
    terminal = Terminal()
    screen = open_screen(terminal)
    for text in ("one\nof two", "a longer line", "two"):
        screen.show(text)
        assert [line for line in terminal.lines if line] == text.split("\n")
        assert not terminal.has_cursor
    screen.close()
    assert terminal.lines == ["two", ""]
    assert terminal.has_cursor


def test_what_need_not_stay_is_removed():
    terminal = Terminal()
    screen = open_screen(terminal, stays=False)
    screen.show("12 of 60")
    screen.close()
    assert set(terminal.lines) == {""}
    assert terminal.has_cursor


def test_prints_and_warnings_come_to_stand_above(monkeypatch):
    terminal = Terminal()
    screen = open_on(monkeypatch, terminal)
    screen.show("panel\npanel")
    print("printed")
    print("told", file=sys.stderr)
    screen.show("panel\nend")
    screen.close()
    assert terminal.lines == ["printed", "told", "panel", "end", ""]
    assert (sys.stdout, sys.stderr) == (terminal, terminal)


def test_what_is_printed_to_a_file_is_not_for_the_terminal(monkeypatch):
    terminal, file = Terminal(), io.StringIO()
    screen = open_on(monkeypatch, terminal, file)
    screen.show("panel")
    print("printed")
    screen.close()
    assert file.getvalue() == "printed\n"
    assert terminal.lines == ["panel", ""]


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_a_log_is_text_whatever_the_environment_says(monkeypatch, clock, name):
    monkeypatch.setenv(name, "1")
    log = io.StringIO()
    screen = open_on(monkeypatch, log)
    screen.show("[bold]as it is[/bold]")
    screen.close()
    assert not screen.is_live
    assert log.getvalue() == "[bold]as it is[/bold]\n"


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch, term):
    monkeypatch.setenv("TERM", term)
    terminal = Terminal()
    screen = open_screen(terminal)
    screen.show("a line", 0.0)
    screen.show("another", 0.1)
    screen.close()
    assert terminal.getvalue() == "a line\nanother\n"


@pytest.mark.parametrize("has_color", [True, False])
def test_colours_are_left_out_where_nobody_wants_them(monkeypatch, has_color):
    if not has_color:
        monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    screen = open_screen(terminal)
    screen.show(Text("green", style="green"))
    screen.close()
    assert ("\x1b[32m" in terminal.getvalue()) == has_color


def test_a_log_gets_a_line_each_tenth_of_the_way_and_now_and_then(clock):
    log = io.StringIO()
    screen = open_screen(log)
    for k in range(1001):
        screen.show(f"{k}", k / 1000)
    assert log.getvalue().split() == [str(k) for k in range(0, 1001, 100)]
    log.truncate(0)
    log.seek(0)
    for k in range(100):
        clock.now += 1.0
        screen.show(f"{k}", 1.0)
    assert log.getvalue().split() == ["29", "59", "89"]


def test_it_is_due_four_times_a_second(clock):
    screen = open_screen(io.StringIO())
    n_shown = 0
    for _ in range(1000):
        if screen.is_due():
            screen.show("", 0)
            n_shown += 1
        clock.now += 0.01
    assert n_shown == 40


def test_a_second_one_on_a_terminal_gets_lines_above_the_first(monkeypatch):
    terminal = Terminal()
    first = open_on(monkeypatch, terminal)
    first.show("panel")
    second = open_screen()
    assert not second.is_live
    second.show("a line")
    second.close()
    first.show("the panel")
    first.close()
    assert terminal.lines == ["a line", "the panel", ""]
    third = open_screen()
    assert third.is_live
    third.close()


def test_one_fit_of_many_gets_lines():
    (is_live,) = joblib.Parallel(n_jobs=1)([joblib.delayed(is_live_on_a_terminal)()])
    assert not is_live
    assert is_live_on_a_terminal()


def is_live_on_a_terminal():
    screen = open_screen(Terminal())
    screen.close()
    return screen.is_live


@pytest.mark.parametrize(
    ("kind", "error"), [(io.StringIO, BrokenPipeError()), (Terminal, OSError(errno.EIO, "gone"))]
)
def test_the_work_goes_on_where_nobody_looks(monkeypatch, kind, error):
    def fail(self, text=None):
        raise error

    gone = type("Gone", (kind,), {"write": fail, "flush": fail})
    screen = open_screen(gone())
    screen.show("a line")
    screen.close()
    assert is_live_on_a_terminal()
