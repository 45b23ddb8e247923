import signal

import matplotlib
import pytest
from hypothesis import settings

matplotlib.use("Agg")  # no test opens a window

# A stall of the machine is no failure: no test asserts how long it takes.
settings.register_profile("ga_ann", deadline=None)
settings.register_profile("fewer", deadline=None, max_examples=25)
settings.load_profile("ga_ann")


@pytest.fixture(scope="session", autouse=True)
def _usual_signal_handlers():
    """Handle Ctrl-C here and in child processes, however the suite was started.

    What runs in the background (under a job runner, under nohup) may be started with signals
    ignored, and hands that on to its children.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
