"""Ctrl-C on the command line: its exit code and message, and how it ends a long import."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

__all__ = ["INTERRUPTED", "MESSAGE", "quitting_at_ctrl_c"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

MESSAGE = "ga-ann: interrupted"


class quitting_at_ctrl_c:  # noqa: N801 - read as a statement, like contextlib's
    """End the process at once when Ctrl-C comes; for imports, where there is nothing to save.

    An exception would not do: modules in C turn `KeyboardInterrupt` into `ImportError`, and a bare
    ``except`` in some module swallows it, so that the program goes on. A handler that somebody set
    stays, and so does ``SIG_IGN``; other threads than the main one get no signals.

    Examples
    --------
    >>> with quitting_at_ctrl_c():
    ...     import sklearn
    """

    def __enter__(self) -> None:
        self._before: Any = None
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, _quit)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


def _quit(number: int, frame: FrameType | None) -> None:
    os.write(2, f"{MESSAGE}\n".encode())
    os._exit(INTERRUPTED)
