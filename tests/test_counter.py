"""Counts: how many are done, where people look."""

import io

import pytest

from ga_ann.counter import Counter, say_duration
from tests.emulator import Terminal


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    class Clock:
        now = 50.0

    for module in ("counter", "screen"):
        monkeypatch.setattr(f"ga_ann.{module}.perf_counter", lambda: Clock.now)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return Clock


def count(total, clock, seconds, **options):
    """Do as many things as there are; return what was shown after each."""
    file, shown = options["file"], []
    with Counter(total, "washing", "pears", **options) as counter:
        for k in range(total):
            counter.tell(f"pear {k}")
            clock.now += seconds
            counter.step()
            shown.append(file.lines if file.isatty() else file.getvalue().splitlines())
    return shown


@pytest.mark.parametrize("stays", [True, False])
def test_a_terminal_has_one_line_with_the_mean_time_of_the_others(clock, stays):
    terminal = Terminal()
    shown = count(4, clock, 30.0, file=terminal, stays=stays)
    told = [lines[0].split("washing  ")[1] for lines in shown]
    assert told == [
        "1 of 4 pears; pear 0; left about 1:30",
        "2 of 4 pears; pear 1; left about 1:00",
        "3 of 4 pears; pear 2; left about 30.0 s",
        "4 of 4 pears; pear 3",
    ]
    assert any(terminal.lines) == stays
    assert terminal.has_cursor


def test_a_narrow_terminal_has_one_line_too(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    shown = count(4, clock, 30.0, file=Terminal())
    assert {len(lines) for lines in shown} == {1}
    assert max(len(line) for lines in shown for line in lines) == 37


def test_a_log_has_a_line_each_tenth_of_the_way(clock):
    log = io.StringIO()
    count(1000, clock, 0.01, file=log)
    lines = log.getvalue().splitlines()
    assert lines[0] == "washing: 0 of 1,000 pears"
    assert lines[-1] == "washing: 1,000 of 1,000 pears; pear 999"
    assert len(lines) in (11, 12)


def test_nothing_is_shown_unless_asked_for(clock):
    terminal = Terminal()
    count(3, clock, 1.0, file=terminal, verbose=False)
    assert terminal.getvalue() == ""


def test_what_fails_gives_the_cursor_back():
    terminal = Terminal()
    with pytest.raises(KeyboardInterrupt), Counter(3, "washing", "pears", file=terminal):
        raise KeyboardInterrupt
    assert terminal.has_cursor


def test_none_of_none_is_all(clock):
    log = io.StringIO()
    with Counter(0, "washing", "pears", file=log) as counter:
        counter.move(0, "no pear")
    assert log.getvalue().splitlines()[0] == "washing: 0 of 0 pears"


@pytest.mark.parametrize("seconds", [0.0, 59.94, 59.96, 60.4, 3599.6, 3600.0, 359_999.0, 1e9])
def test_durations_are_those_of_the_clock(seconds):
    said = say_duration(seconds)
    if said.endswith("days"):
        assert seconds >= 100 * 3600
        assert float(said.split()[0].replace(",", "")) == pytest.approx(seconds / 86400, abs=0.5)
    elif said.endswith(" s"):
        assert float(said[:-2]) == pytest.approx(seconds, abs=0.05)
        assert said != "60.0 s"
    else:
        parts = [int(part) for part in said.split(":")]
        assert max(parts[1:]) < 60
        value = sum(part * 60**k for k, part in enumerate(reversed(parts)))
        assert value == pytest.approx(seconds, abs=0.5)
