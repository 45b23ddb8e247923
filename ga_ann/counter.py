"""Counter: how many of several things are done, and about how long the others take."""

from __future__ import annotations

from math import isnan
from time import perf_counter
from types import TracebackType
from typing import IO, Self

from rich.console import RenderableType
from rich.progress_bar import ProgressBar as Bar
from rich.table import Table
from rich.text import Text

from ga_ann.screen import Screen, open_screen

__all__ = ["Counter", "say_duration"]


BAR_WIDTH = 16


class Counter:
    """Shows how many are done: in its place on a terminal or in a notebook, or as lines in a log.

    Parameters
    ----------
    total : int
        How many there are.
    what : str
        What is done.
    unit : str
        What they are.
    verbose : bool, default=True
        Whether to show anything at all.
    stays : bool, default=False
        Whether a terminal keeps what was shown last.
    file : text stream, optional
        Where to; by default the notebook's cell, or stderr.

    Examples
    --------
    >>> import sys
    >>> with Counter(2, "washing", "pears", file=sys.stdout) as counter:
    ...     for pear in ("this one", "that one"):
    ...         counter.step()
    washing: 0 of 2 pears
    washing: 2 of 2 pears
    """

    def __init__(
        self,
        total: int,
        what: str,
        unit: str,
        *,
        verbose: bool = True,
        stays: bool = False,
        file: IO[str] | None = None,
    ) -> None:
        self.total, self.n_done, self.note = total, 0, ""
        self._what, self._unit = what, unit
        self._verbose, self._stays, self._file = verbose, stays, file
        self._screen: Screen | None = None

    def __enter__(self) -> Self:
        if self._verbose:
            self._screen = open_screen(self._file, stays=self._stays)
        self._start = perf_counter()
        self.tell("")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._screen is not None:
            try:
                if self._screen.is_live:
                    self.tell(self.note)
            finally:
                self._screen.close()

    def tell(self, note: str) -> None:
        """Show how things stand, with a note."""
        self.note = note
        if self._screen is not None:
            share = self.n_done / self.total if self.total else 1.0
            is_live, width = self._screen.is_live, self._screen.width
            self._screen.show(self._draw(share, width) if is_live else self._say(": "), share)

    def step(self) -> None:
        """Take note of one more that is done."""
        self.move(self.n_done + 1, self.note)

    def move(self, n_done: int, note: str) -> None:
        """Take note of how many are done, with a note."""
        self.n_done, self.note = n_done, note
        if self._screen is not None and (self._screen.is_due() or self.n_done == self.total):
            self.tell(self.note)

    def _say(self, after_what: str) -> str:
        parts = [f"{self.n_done:,} of {self.total:,} {self._unit}"]
        if self.note:
            parts.append(self.note)
        if 0 < self.n_done < self.total:
            each = (perf_counter() - self._start) / self.n_done
            parts.append(f"left about {say_duration(each * (self.total - self.n_done))}")
        return f"{self._what}{after_what}{'; '.join(parts)}"

    def _draw(self, share: float, width: int) -> RenderableType:
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Bar(1, share, BAR_WIDTH, complete_style="cyan", finished_style="cyan"),
            Text(self._say("  ")[: width - BAR_WIDTH - 1], no_wrap=True),
        )
        return line


def say_duration(seconds: float) -> str:
    """Return seconds as people say them.

    Examples
    --------
    >>> [say_duration(seconds) for seconds in (1.25, 100, 5000, 1e6)]
    ['1.2 s', '1:40', '1:23:20', '12 days']
    """
    if isnan(seconds):
        return "?"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds >= 100 * 3600:
        return f"{seconds / 86400:,.0f} days"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
