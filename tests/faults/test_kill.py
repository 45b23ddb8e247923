"""kill -9 at any moment: the file is always a whole checkpoint, and leads to the same bits.

``KILLS=200 pytest tests/faults/test_kill.py -s`` for the record; the suite does with fewer.
"""

import json
import os
from pathlib import Path

import pytest

KILLS = int(os.environ.get("KILLS", "16"))
KILLING = Path(__file__).with_name("killing.py")

pytestmark = pytest.mark.slow


@pytest.fixture
def kill(start_python, tmp_path):
    def run(where, n_kills):
        code = f"import runpy; runpy.run_path({str(KILLING)!r}, run_name='__main__')"
        process = start_python(code, tmp_path, n_kills, 0, where)
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        print(where, out)
        return json.loads(out)

    return run


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the children are forks")
def test_at_random_moments(kill):
    report = kill("anywhere", KILLS)
    assert report["kills"] >= KILLS
    assert report["finished"] > 0
    # Written after every generation: a kill costs the one that was running.
    assert max(report["lost"]) <= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the children are forks")
def test_at_the_lines_of_a_write(kill):
    report = kill("writing", KILLS)
    assert report["kills"] == report["finished"] > 0
    assert all(line > 1000 for line in report["lines"])  # most of what a write executes
