"""What the tests of faults share: runs with an interruption, and what "the same" means."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import scale

import ga_ann
from ga_ann import Checkpoint
from ga_ann.history import COLUMNS
from tests.runs import evolve

ROOT = Path(ga_ann.__file__).parents[1]
TINY = {
    "hidden_layer_sizes": (5,),
    "random_state": 3,
    "target_fitness": None,
    "n_jobs": 1,
    "population_size": 32,
}


@pytest.fixture(scope="session")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def digits():
    X, y = load_digits(return_X_y=True)
    return scale(X), y


@pytest.fixture(scope="session")
def tiny():
    """Options of a run that takes a fraction of a millisecond a generation."""
    return dict(TINY)


@pytest.fixture(scope="session")
def compare_runs():
    """Assert that two results are the same bit for bit, times aside; return the bits compared."""

    def compare(result, expected):
        assert type(result.population) is type(expected.population)
        pairs = [(np.asarray(result.population), np.asarray(expected.population))]
        pairs += zip(result.weights, expected.weights, strict=True)
        pairs += [
            (result.history[name], expected.history[name]) for name in COLUMNS if name != "seconds"
        ]
        for a, b in pairs:
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            assert a.tobytes() == b.tobytes()
        assert (np.diff(result.history["seconds"]) >= 0).all()
        for name in ("best_fitness", "validation_score"):
            np.testing.assert_equal(getattr(result, name), getattr(expected, name))
        assert result.stop_reason == expected.stop_reason
        assert result.state.schedule == expected.state.schedule
        return 8 * sum(a.nbytes for a, _ in pairs)

    return compare


@pytest.fixture(scope="session")
def stop_after():
    """Return a callback that ends a run after a generation."""

    def make(generation):
        return lambda ga, history: len(history) > generation

    return make


@pytest.fixture
def interrupted(tmp_path, stop_after):
    """Run `evolve`, interrupted after the generations `stops`, with its checkpoint in a file."""

    def run(X, y, stops, threads=(1,), **options):
        path = tmp_path / "run.npz"
        path.unlink(missing_ok=True)
        result = None
        for k, stop in enumerate([*stops, None]):
            callbacks = [Checkpoint(path)]
            if stop is not None:
                callbacks.append(stop_after(stop))
            options["n_jobs"] = threads[k % len(threads)]
            resume = path if k else None
            result = evolve(X, y, callbacks=callbacks, start=resume, **options)
        return result

    return run


@pytest.fixture
def start_python():
    """Start another Python on some code, with the package and one BLAS thread."""
    started = []

    def start(code, *arguments, **options):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
