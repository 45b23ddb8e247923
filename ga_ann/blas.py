"""One BLAS thread while any run lasts, however many runs there are at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]

# Finding the libraries takes as long as a small run, so it is done once.
_CONTROLLER = ThreadpoolController()
_LOCK = threading.Lock()
_STATE: dict[str, Any] = {"runs": 0, "limiter": None}


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS multiply in the calling thread alone; what was before comes back in the end.

    The number of threads is the process's. Where several runs overlap, the first one limits it and
    the last one gives it back; each for itself, they would put back what another one had set.
    """
    with _LOCK:
        _STATE["runs"] += 1
        if _STATE["runs"] == 1:
            _STATE["limiter"] = _CONTROLLER.limit(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _LOCK:
            _STATE["runs"] -= 1
            if _STATE["runs"] == 0:
                _STATE["limiter"].restore_original_limits()
