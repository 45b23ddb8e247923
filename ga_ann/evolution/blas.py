"""One BLAS thread while any run lasts, however many runs there are at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["find_blas", "one_blas_thread"]

_LOCK = threading.Lock()
_STATE: dict[str, Any] = {"runs": 0, "limiter": None}


@cache
def find_blas() -> ThreadpoolController:
    """Find the libraries: once, as it takes as long as a small run, and after they were loaded."""
    return ThreadpoolController()


def _let_go() -> None:
    """Let any thread set the number; recent versions of threadpoolctl keep it for the first.

    The thread that limits BLAS here need not be the one that puts it back.
    """
    for library in find_blas().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS multiply in the calling thread alone; what was before comes back in the end.

    The number of threads is the process's. Where several runs overlap, the first one limits it and
    the last one gives it back; each for itself, they would put back what another one had set.
    """
    with _LOCK:
        _STATE["runs"] += 1
        if _STATE["runs"] == 1:
            _let_go()
            _STATE["limiter"] = find_blas().limit(limits=1, user_api="blas")
            _let_go()
    try:
        yield
    finally:
        with _LOCK:
            _STATE["runs"] -= 1
            if _STATE["runs"] == 0:
                _let_go()
                _STATE["limiter"].restore_original_limits()
                _let_go()
