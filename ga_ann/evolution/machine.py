"""What a run asks of the machine while it lasts: threads, one of them for BLAS; signals wait.

Products are shared among threads by the evaluator, so that BLAS must not split them further.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType, TracebackType
from typing import Any, Self

import joblib
import numpy as np
from threadpoolctl import ThreadpoolController

from ga_ann.ctrl_c import is_one_of_many

__all__ = ["Interruption", "blas_kernels", "count_free_threads", "find_blas", "one_blas_thread"]

PRODUCTS = ((24, 12, 600), (10, 13, 600), (150, 109, 1962), (32, 784, 32))
"""Shapes of the products that tell whether two processes multiply alike: rows, terms, columns."""

_LOCK = threading.Lock()
_STATE: dict[str, Any] = {"runs": 0, "limiter": None}


@cache
def find_blas() -> ThreadpoolController:
    """Find the libraries: once, as it takes as long as a small run, and after they were loaded."""
    return ThreadpoolController()


def blas_kernels() -> str:
    """Return the kernels that BLAS multiplies with, and a digest of what comes of some products.

    Other kernels give other last bits; so do, in some versions, variables of the environment that
    set the number of threads, even where one thread multiplies.
    """
    libraries = (library.info() for library in find_blas().lib_controllers)
    names = {f"{it['internal_api']} {it.get('architecture')}" for it in libraries}
    rng, digest = np.random.default_rng(0), hashlib.blake2b(digest_size=4)
    with one_blas_thread():
        for m, k, n in PRODUCTS:
            for kind in (np.float32, np.float64):
                A, B = rng.standard_normal((k, m), kind), rng.standard_normal((k, n), kind)
                digest.update((A.T @ B).tobytes())
    return f"{', '.join(sorted(names))} (products {digest.hexdigest()})"


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


def count_free_threads() -> int:
    """Return the number of threads of a run that is not told one: its share of the machine.

    That is one a core, unless others run beside it. Pools of processes (joblib's, Dask's, Ray's)
    and schedulers of clusters tell each process its share in ``OMP_NUM_THREADS``, which everything
    that has threads obeys. Pools of threads, and `multiprocessing`, have no such place: there, what
    joblib has called takes one thread, as the pool itself has one a core.

    Examples
    --------
    >>> with joblib.parallel_config("threading"):
    ...     joblib.Parallel(n_jobs=2)(joblib.delayed(count_free_threads)() for _ in range(2))
    [1, 1]
    """
    n_cores = int(joblib.cpu_count())
    # A list, as OpenMP has it, begins with the outermost level.
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if told.isdecimal() and int(told) > 0:
        return min(int(told), n_cores)
    is_main = threading.current_thread() is threading.main_thread()
    is_alone = is_main and multiprocessing.parent_process() is None
    return n_cores if is_alone or not is_one_of_many() else 1


class Interruption:
    """Takes note of SIGINT and SIGTERM while it is entered, instead of dying of them.

    A second SIGINT raises `KeyboardInterrupt`, as the first one does elsewhere. Handlers are only
    set in the main thread, where Python delivers signals, and only where nobody else has set some;
    they are put back in the end.

    Parameters
    ----------
    passes_on : bool, default=False
        Whether the signal that has come does in the end what it would have done at once: SIGINT
        raises `KeyboardInterrupt`, SIGTERM ends the process.

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

    def __init__(self, *, passes_on: bool = False) -> None:
        self.requested = False
        self.passes_on = passes_on
        self._number: int = signal.SIGINT
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
        if self.passes_on and self.requested and not isinstance(error, KeyboardInterrupt):
            signal.raise_signal(self._number)

    def _take_note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested, self._number = True, number
