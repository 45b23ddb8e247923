"""Progress: how a run stands, as a panel that stays in its place or as lines in a log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from math import isfinite, isnan
from numbers import Integral
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar as Bar
from rich.table import Table
from rich.text import Text

from ga_ann.callbacks import Callback
from ga_ann.counter import say_duration
from ga_ann.history import History
from ga_ann.screen import Screen, open_screen
from ga_ann.validation import check_number

__all__ = ["ProgressBar", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = ".:-=+*#@"

SECONDS_OF_PACE = 5.0
"""The newest part of a run, by which its pace is told: batches grow, and machines get busy."""

WIDEST = 64
"""Columns that the panel takes at most."""

Row = Mapping[str, float]

AT_ZERO: Row = {"generation": 0.0, "evaluations": 0.0, "seconds": 0.0}


class ProgressBar(Callback):
    """Shows how a run stands: a panel in a terminal or a notebook, now and then a line in a log.

    It tells the generation, the best fitness, the held-out score, what selection ranks by (with its
    curve over the newer half of the generations), sigma, the batch, evaluations a second, and the
    time, with what is left of it by the limit that is reached first; a run may end earlier, by its
    target or as it stops improving. It is drawn four times a second at most, and only when a
    generation ends. ``NO_COLOR`` and ``TERM=dumb`` are respected.

    Parameters
    ----------
    n_generations : int, optional
        Number of generations at most.
    description : str, default="GA"
        What is running.
    max_time, max_evaluations : float, optional
        Further limits of the run.
    file : text stream, optional
        Where to; by default the notebook's cell, or stderr.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> import sys
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> progress = ProgressBar(0, "iris", file=sys.stdout)
    >>> result = evolve(X, y, n_generations=0, callbacks=[progress], random_state=0)
    ... # doctest: +ELLIPSIS
    iris: generation 0 of 0; fitness 0.6200 (accuracy); ranking ... s
    """

    def __init__(
        self,
        n_generations: int | None = None,
        description: str = "GA",
        *,
        max_time: float | None = None,
        max_evaluations: float | None = None,
        file: IO[str] | None = None,
    ) -> None:
        limits = {
            "generation": n_generations,
            "seconds": max_time,
            "evaluations": max_evaluations,
        }
        if n_generations is not None:
            check_number(n_generations, "n_generations", Integral, low=0)
        if max_time is not None:
            check_number(max_time, "max_time", above=0)
        if max_evaluations is not None:
            check_number(max_evaluations, "max_evaluations", above=0)
        self._limits = {name: most for name, most in limits.items() if most is not None}
        self._description = description
        self._file = file
        self._screen: Screen | None = None
        self._continued = History()
        self._forget()

    def _forget(self) -> None:
        self._history, self._ga = History(), None
        self._from = AT_ZERO
        self._pace: deque[Row] = deque()
        self._shown = -1

    def on_continue(self, history: History) -> None:
        """Take note of the generations that this run has behind it."""
        self._continued = history

    def on_start(self, history: History) -> None:
        """Take note of where the run begins, which its limits count from."""
        self._forget()
        n_behind = len(self._continued) - len(history)
        if n_behind > 0:
            self._from = self._continued[:n_behind].last
        self._pace.append(history.last if len(history) else self._from)

    def on_generation(self, ga: Any, history: History) -> None:
        """Show how the run stands, if it is time to."""
        self._ga, self._history = ga, history
        if self._screen is None:
            self._screen = open_screen(self._file)
        if self._screen.is_due():
            self._show(self._screen)

    def close(self) -> None:
        """Show the last generation, and leave it."""
        if self._screen is not None:
            try:
                if self._screen.is_live or self._shown != len(self._history):
                    self._show(self._screen, has_ended=True)
            finally:
                self._screen.close()
                self._screen = None
        self._continued = History()
        self._forget()

    def _show(self, screen: Screen, *, has_ended: bool = False) -> None:
        if not len(self._history):
            return
        row = self._history.last
        self._pace.append(row)
        while len(self._pace) > 2 and row["seconds"] - self._pace[0]["seconds"] > SECONDS_OF_PACE:
            self._pace.popleft()
        share = 1.0 if has_ended else self._share(row)
        told = dict(self._tell(row, has_ended))
        if screen.is_live:
            screen.show(self._draw(told, screen, self._share(row)))
        else:
            line = "; ".join(f"{name} {value}" for name, value in told.items())
            screen.show(f"{self._description}: {line}", share)
        self._shown = len(self._history)

    # ---------------------------------------------------------------- what there is to tell

    def _tell(self, row: Row, has_ended: bool) -> Iterator[tuple[str, str]]:
        most, n_behind = self._limits.get("generation"), self._from["generation"]
        total = "" if most is None else f" of {n_behind + most:,.0f}"
        yield "generation", f"{row['generation']:,.0f}{total}"
        yield "fitness", f"{_score(row['best_fitness'])} ({self._history.metric})"
        if not isnan(row["validation_score"]):
            yield "held out", _score(row["validation_score"])
        yield "ranking", _score(row["ranking"])
        if not isnan(row["sigma"]):
            yield "sigma", f"{row['sigma']:.3g}"
        schedule = getattr(getattr(self._ga, "state", None), "schedule", None)
        of_all = "" if schedule is None else f" of {schedule.n_samples:,}"
        yield "batch", f"{row['n_samples']:,.0f}{of_all}"
        yield "speed", f"{_amount(self._per_second('evaluations'))} evaluations/s"
        yield "time", say_duration(row["seconds"])
        if not has_ended and (left := self._left(row)) is not None:
            yield "left", f"about {say_duration(left)}"

    def _share(self, row: Row) -> float:
        """Return how far the run has come towards the limit that is nearest."""
        shares = [
            (row[name] - self._from[name]) / most if most else 1.0
            for name, most in self._limits.items()
        ]
        return float(np.clip(np.nan_to_num(max(shares, default=0.0)), 0, 1))

    def _left(self, row: Row) -> float | None:
        """Return the seconds to the limit that is reached first; None where none is known."""
        left = [
            (most - row[name] + self._from[name]) / pace
            for name, most in self._limits.items()
            if (pace := self._per_second(name)) > 0
        ]
        return max(0.0, min(left)) if left else None

    def _per_second(self, name: str) -> float:
        first, last = self._pace[0], self._pace[-1]
        seconds = last["seconds"] - first["seconds"]
        return (last[name] - first[name]) / seconds if seconds > 0 else float("nan")

    # ---------------------------------------------------------------- how it looks

    def _draw(self, told: Mapping[str, str], screen: Screen, share: float) -> RenderableType:
        width = min(screen.width, WIDEST)
        inside = width - len("│  │")
        table = Table.grid(padding=(0, 2), pad_edge=False)
        table.add_column(style="cyan", no_wrap=True, min_width=max(map(len, told)))
        table.add_column(no_wrap=True, overflow="crop")
        room = inside - max(map(len, told)) - len(told["ranking"]) - 3
        ranking = self._history["ranking"]
        curve = sparkline(
            ranking[len(ranking) // 2 :], room, ASCII_BLOCKS if screen.is_ascii else BLOCKS
        )
        for name, value in told.items():
            text = Text(value)
            if name == "ranking":
                text.append(f" {curve}", style="green")
            table.add_row(name, text)
        whole = Table.grid()
        if self._limits:
            whole.add_row(Bar(1, share, inside, complete_style="cyan", finished_style="cyan"))
        whole.add_row(table)
        title = Text(self._description, style="bold")
        return Panel(whole, title=title, title_align="left", width=width)


def sparkline(values: NDArray[np.float64], width: int, levels: str = BLOCKS) -> str:
    """Return a curve that is one character high.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        NaN and infinities are left out.
    width : int
        Number of characters at most; of more values, some are picked at equal distances.
    levels : str
        The characters, from that of the least value to that of the greatest.

    Examples
    --------
    >>> sparkline(np.array([0.0, 1.0, 4.0, 7.0]), 10)
    '▁▂▅█'
    """
    values = values[np.isfinite(values)]
    n_shown = min(width, len(values))
    if n_shown < 1:
        return ""
    picked = values[np.linspace(0, len(values) - 1, n_shown).round().astype(np.intp)]
    low, high = picked.min(), picked.max()
    if low == high:
        return levels[0] * n_shown
    heights = np.interp(picked, [low, high], [0, len(levels) - 1])
    return "".join(levels[k] for k in heights.round().astype(np.intp))


def _score(value: float) -> str:
    usual = value == 0 or 1e-3 <= abs(value) < 1e6
    return f"{value:.4f}" if usual else f"{value:.3e}"


def _amount(number: float) -> str:
    if not isfinite(number):
        return "?"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
