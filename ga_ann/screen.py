"""Where progress is seen: in one place of a terminal, in one output of a notebook, line by line."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from time import perf_counter
from typing import IO, Any

from rich.console import Console, RenderableType
from rich.live import Live

from ga_ann.ctrl_c import is_one_of_many

__all__ = ["Screen", "open_screen"]

SECONDS_BETWEEN = 0.25
"""How often something is shown at most: what people can follow, and costs a run nothing."""

SECONDS_BETWEEN_LINES = 30.0
"""How often a log gets a line at least; it gets one for each tenth of the way as well."""

_terminal = threading.Lock()  # two that move the cursor up would write over each other


class Screen:
    """A log: it gets a line now and then, as text without control characters.

    Parameters
    ----------
    stream : text stream
        What is written to.
    console : rich.console.Console
        How that is written to.

    Attributes
    ----------
    is_live : bool
        Whether what is shown takes the place of what was; else each is a line of text.
    is_ascii : bool
        Whether nothing but ASCII is sure to be seen.
    """

    is_live = False

    def __init__(self, stream: IO[str], console: Console) -> None:
        # Not `console.file`, which goes around what a terminal's screen has put before stderr.
        self._stream, self._console = stream, console
        self._due = 0.0
        self._next_line, self._next_share = 0.0, 0.0
        self.is_ascii = console.options.ascii_only or console.legacy_windows

    @property
    def width(self) -> int:
        """Number of columns that there are; the rest is for the ^C that a terminal shows."""
        return self._console.width - len("^C^")

    def is_due(self) -> bool:
        """Tell whether it is time to show something."""
        return perf_counter() >= self._due

    def show(self, shown: RenderableType, share: float = 0.0) -> None:
        """Show how things stand; `share` is how far they have come, from 0 to 1."""
        now = perf_counter()
        self._due = now + SECONDS_BETWEEN
        # Whoever looks may be gone, as after `2>&1 | head`; the work goes on.
        with suppress(OSError):
            self._show(shown, share, now)

    def _show(self, shown: RenderableType, share: float, now: float) -> None:
        if now >= self._next_line or share >= self._next_share:
            self._next_line = now + SECONDS_BETWEEN_LINES
            self._next_share = (int(10 * share) + 1) / 10
            print(shown, file=self._stream, flush=True)

    def close(self) -> None:
        """Leave what was shown last."""


class _Terminal(Screen):
    """The lines above the cursor; what is printed or warned of meanwhile comes to stand above."""

    is_live = True

    def __init__(self, stream: IO[str], console: Console, *, stays: bool) -> None:
        super().__init__(stream, console)
        is_usual = console.file in (sys.stdout, sys.stderr)
        self._live = Live(
            console=console,
            # No thread: what is shown may change while it draws, and a run has threads enough.
            auto_refresh=False,
            transient=not stays,
            # What goes to a file or a pipe is not for the terminal.
            redirect_stdout=is_usual and _is_terminal(sys.stdout),
            redirect_stderr=is_usual and _is_terminal(sys.stderr),
        )
        with suppress(OSError):
            self._live.start()

    def _show(self, shown: RenderableType, share: float, now: float) -> None:
        self._live.update(shown, refresh=True)

    def close(self) -> None:
        """Give the cursor back."""
        with suppress(OSError):
            self._live.stop()
        _terminal.release()


class _Notebook(Screen):
    """One output of the cell, which is updated; it takes no widgets, and is saved as it ends."""

    is_live = True
    _handle: Any = None

    def _show(self, shown: RenderableType, share: float, now: float) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)


def open_screen(file: IO[str] | None = None, *, stays: bool = True) -> Screen:
    """Return where progress is to be shown.

    It is a log where there is neither a notebook nor a terminal that can move its cursor, where
    something else is on that terminal already, and in one fit of many, as in a grid search.

    Parameters
    ----------
    file : text stream, optional
        What to write to; by default the notebook, or stderr.
    stays : bool, default=True
        Whether a terminal keeps what was shown last.

    Examples
    --------
    >>> screen = open_screen(sys.stdout)
    >>> for tenth in range(3):
    ...     screen.show(f"{tenth} of 10", tenth / 10)
    0 of 10
    1 of 10
    2 of 10
    >>> screen.close()
    """
    stream = sys.stderr if file is None else file
    console = Console(file=stream)
    if is_one_of_many():
        return Screen(stream, console)
    if file is None and console.is_jupyter:
        return _Notebook(stream, console)
    can_move = _is_terminal(stream) and console.is_interactive
    if can_move and _terminal.acquire(blocking=False):
        return _Terminal(stream, console, stays=stays)
    return Screen(stream, console)


def _is_terminal(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())
