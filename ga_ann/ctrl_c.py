"""Ctrl-C on the command line: its exit code and message, and how it ends a long import."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["INTERRUPTED", "MESSAGE", "quitting_at_ctrl_c"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

MESSAGE = "ga-ann: interrupted"


@contextmanager
def quitting_at_ctrl_c() -> Iterator[None]:
    """End the process at once when Ctrl-C comes; for imports, where there is nothing to save.

    An exception would not do: modules in C turn `KeyboardInterrupt` into `ImportError`, and a bare
    ``except`` in some module swallows it, so that the program goes on. A handler that somebody set
    stays, and so does ``SIG_IGN``; other threads than the main one get no signals.

    Examples
    --------
    >>> with quitting_at_ctrl_c():
    ...     import sklearn
    """
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _quit)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _quit(number: int, frame: FrameType | None) -> None:
    os.write(2, f"{MESSAGE}\n".encode())
    os._exit(INTERRUPTED)
