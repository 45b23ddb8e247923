import signal
import threading

import pytest

from ga_ann.ctrl_c import quitting_at_ctrl_c


@pytest.fixture
def handler():
    """Set a handler of Ctrl-C for the length of a test."""
    before = signal.getsignal(signal.SIGINT)
    yield lambda new: signal.signal(signal.SIGINT, new)
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_as_before_when_the_imports_are_done(handler):
    handler(signal.default_int_handler)
    with quitting_at_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(ImportError), quitting_at_ctrl_c():
        raise ImportError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("theirs", [signal.SIG_IGN, lambda *args: None])
def test_a_handler_that_somebody_set_stays(handler, theirs):
    handler(theirs)
    with quitting_at_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is theirs
    assert signal.getsignal(signal.SIGINT) is theirs


def test_other_threads_leave_the_handler_alone(handler):
    handler(signal.default_int_handler)
    seen = []

    def work():
        with quitting_at_ctrl_c():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
