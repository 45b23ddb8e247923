"""Interruption: Ctrl-C and SIGTERM end a run after the generation that is running."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Interruption"]


class Interruption:
    """Takes note of SIGINT and SIGTERM while it is entered, instead of dying of them.

    A second SIGINT raises `KeyboardInterrupt`, as the first one does elsewhere. Handlers are only
    set in the main thread, where Python delivers signals, and only where nobody else has set some;
    they are put back in the end.

    Attributes
    ----------
    requested : bool
        Whether a signal has come.

    Examples
    --------
    >>> with Interruption() as interruption:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     print(interruption.requested)
    True
    """

    def __init__(self) -> None:
        self.requested = False
        self._replaced: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self.requested = False
        if threading.current_thread() is not threading.main_thread():
            return self
        defaults = {
            signal.SIGINT: signal.default_int_handler,
            signal.SIGTERM: signal.SIG_DFL,
        }
        for number, default in defaults.items():
            if signal.getsignal(number) is default:
                self._replaced[number] = default
                signal.signal(number, self._take_note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._replaced:
            signal.signal(*self._replaced.popitem())

    def _take_note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = True
