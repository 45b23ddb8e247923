"""The code of the pages runs in the tests, from top to bottom of a page."""

import matplotlib
import pytest
from matplotlib import pyplot

matplotlib.use("Agg")

collect_ignore_glob = ["*.py", "_build", "auto_*", "generated", "_templates"]


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(tmp_path, monkeypatch):
    """Let a page write its files where nothing else is."""
    monkeypatch.chdir(tmp_path)
    yield
    pyplot.close("all")
