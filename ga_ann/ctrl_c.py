"""Ctrl-C: whom it is meant for, its exit code and message, and how it ends a long import."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["INTERRUPTED", "MESSAGE", "is_one_of_many", "quitting_at_ctrl_c"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

MESSAGE = "ga-ann: interrupted"

FIT_ONCE = ("sklearn.base", "sklearn.compose", "sklearn.pipeline", "sklearn.utils")
"""Modules of scikit-learn that hand one fit on, as a pipeline does; others fit several times."""


def is_one_of_many() -> bool:
    """Tell whether the calling code runs in a search, a cross-validation, an ensemble or a pool.

    There, Ctrl-C is meant for all of that: to end one fit of many and keep its best would be to go
    on. Neither library says so to whom it calls, in particular with ``n_jobs=1``, so that the calls
    that are running decide: a function of joblib, or one of scikit-learn other than those of
    pipelines and `TransformedTargetRegressor`, which fit once.

    Examples
    --------
    >>> import joblib
    >>> is_one_of_many(), joblib.Parallel(n_jobs=1)([joblib.delayed(is_one_of_many)()])
    (False, [True])
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        library, _, rest = module.partition(".")
        part = f"{library}.{rest.partition('.')[0]}"
        if library == "joblib" or (library == "sklearn" and part not in FIT_ONCE):
            return True
        frame = frame.f_back
    return False


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
