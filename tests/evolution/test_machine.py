"""One BLAS thread while any block lasts; signals are noted, and the handlers put back.

`faults/test_signals` sends them to processes.
"""

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np  # noqa: F401  # so that there is a BLAS
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from ga_ann.evolution.machine import Interruption, count_free_threads, one_blas_thread

NUMBERS = (signal.SIGINT, signal.SIGTERM)


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def _two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield
        assert set(blas_threads()) == {2}


def test_one_thread_inside_and_the_old_number_outside():
    with one_blas_thread():
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {2}


def test_blocks_within_each_other():
    with one_blas_thread():
        with one_blas_thread():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {2}


def test_the_order_of_imports_does_not_matter():
    """The libraries are looked for when all of them have been loaded."""
    code = """
from ga_ann.evolution.machine import one_blas_thread
import numpy, scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits
with threadpool_limits(2), one_blas_thread():
    print({lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"})
"""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout == "{1}\n"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error(error):
    with pytest.raises(error), one_blas_thread():
        raise error
    assert set(blas_threads()) == {2}


def test_a_thread_after_the_main_one():
    """Whoever was first has no lasting right to set the number."""
    seen = []

    def work():
        with one_blas_thread():
            seen.append(set(blas_threads()))
        seen.append(set(blas_threads()))

    work()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    work()
    assert seen == [{1}, {2}] * 3


def test_a_thread_that_outlives_the_main_ones_block():
    left, entered, seen = threading.Event(), threading.Event(), []

    def work():
        with one_blas_thread():
            entered.set()
            assert left.wait(30)
            seen.append(set(blas_threads()))

    thread = threading.Thread(target=work)
    with one_blas_thread():
        thread.start()
        assert entered.wait(30)
    left.set()
    thread.join(60)
    assert seen == [{1}]
    assert set(blas_threads()) == {2}


def test_the_last_of_two_threads_gives_them_back():
    """The first one ends first: neither it nor the second may put back what is not the old."""
    entered, first_left = threading.Event(), threading.Event()
    seen = []

    def first():
        with one_blas_thread():
            assert entered.wait(30)
        seen.append(set(blas_threads()))
        first_left.set()

    def second():
        with one_blas_thread():
            entered.set()
            assert first_left.wait(30)
            seen.append(set(blas_threads()))

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [{1}, {1}]
    assert set(blas_threads()) == {2}


# ---------------------------------------------------------------- signals


@pytest.fixture(autouse=True)
def _handlers():
    before = [signal.getsignal(number) for number in NUMBERS]
    yield
    after = [signal.getsignal(number) for number in NUMBERS]
    for number, handler in zip(NUMBERS, before, strict=True):
        signal.signal(number, handler)
    assert after == before


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_is_noted(number):
    with Interruption() as interruption:
        assert not interruption.requested
        signal.raise_signal(number)
        assert interruption.requested
    with interruption:
        assert not interruption.requested


def test_the_second_ctrl_c_is_the_usual_one():
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interruption.requested


def test_a_second_termination_is_none_too_many():
    with Interruption() as interruption:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
    assert interruption.requested


def passing_on(error=None, signals=(signal.SIGINT,)):
    with Interruption(passes_on=True) as interruption:
        for number in signals:
            signal.raise_signal(number)
        assert interruption.requested == bool(signals)
        if error is not None:
            raise error


def test_a_signal_that_is_passed_on_does_in_the_end_what_it_would_have_done():
    with pytest.raises(KeyboardInterrupt):
        passing_on()
    passing_on(signals=())
    ended = "import signal; from ga_ann.evolution.machine import Interruption\n"
    ended += "with Interruption(passes_on=True):\n"
    ended += "    signal.raise_signal(signal.SIGTERM); print('in', flush=True)\nprint('after')"
    process = subprocess.run(
        [sys.executable, "-c", ended], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout, process.stderr) == (-signal.SIGTERM, "in\n", "")


def test_an_error_does_not_swallow_the_signal_that_is_passed_on():
    with pytest.raises(KeyboardInterrupt) as caught:
        passing_on(RuntimeError())
    assert isinstance(caught.value.__context__, RuntimeError)
    with pytest.raises(RuntimeError):
        passing_on(RuntimeError(), signals=())


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_handlers_come_back_after_an_error(error):
    with pytest.raises(error), Interruption():
        raise error


@pytest.mark.parametrize("number", NUMBERS)
def test_handlers_of_others_stay(number):
    seen = []
    before = signal.signal(number, lambda *_: seen.append(number))
    try:
        with Interruption() as interruption:
            signal.raise_signal(number)
    finally:
        signal.signal(number, before)
    assert seen == [number]
    assert not interruption.requested


def test_one_within_the_other():
    """The outer one takes the signal; the inner one leaves the handlers alone."""
    with Interruption() as outer:
        with Interruption() as inner:
            signal.raise_signal(signal.SIGINT)
        assert (outer.requested, inner.requested) == (True, False)
        signal.raise_signal(signal.SIGTERM)


def test_other_threads_set_no_handlers():
    seen = []

    def work():
        with Interruption():
            seen.append([signal.getsignal(number) for number in NUMBERS])

    before = [signal.getsignal(number) for number in NUMBERS]
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


# ---------------------------------------------------------------- a run's share of the cores


@pytest.fixture
def six_cores(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.usefixtures("six_cores")
@pytest.mark.parametrize(
    ("told", "n_threads"),
    [
        *[("1", 1), ("4", 4), (" 2 ", 2), ("3,2", 3), ("6", 6), ("7", 6), ("1000", 6)],
        *[("", 6), ("0", 6), ("-1", 6), ("two", 6), ("1.5", 6), (",2", 6)],
    ],
)
def test_a_run_takes_the_threads_that_its_surroundings_tell_it(monkeypatch, told, n_threads):
    assert count_free_threads() == 6
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert count_free_threads() == n_threads


def count_in(pool, n_jobs):
    return set(joblib.Parallel(n_jobs, pool)(joblib.delayed(count_free_threads)() for _ in "abc"))


@pytest.mark.usefixtures("six_cores")
def test_a_run_in_a_pool_of_threads_takes_one_and_others_take_all():
    assert count_in("threading", 2) == {1}
    assert count_in("threading", 1) == {6}
    with ThreadPoolExecutor(1) as own:
        assert own.submit(count_free_threads).result() == 6


def test_the_runs_of_a_pool_of_processes_take_no_more_threads_than_there_are(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert count_in("loky", 2) == {max(1, joblib.cpu_count() // 2)}
    assert count_in("multiprocessing", 2) == {1}
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert count_free_threads() == 1
