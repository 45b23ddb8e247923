"""Signals are noted, and the handlers put back; `faults/test_signals` sends them to processes."""

import signal
import threading

import pytest

from ga_ann.evolution.interruption import Interruption

NUMBERS = (signal.SIGINT, signal.SIGTERM)


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
