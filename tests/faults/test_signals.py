"""Signals end a run with its best; and nothing of the process is other after a run than before."""

import json
import random
import signal
import threading
import time
import warnings

import matplotlib
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from ga_ann import Checkpoint, GeneticMLPClassifier, compare
from ga_ann.storage.checkpoint import load_checkpoint
from ga_ann.storage.model import load_history
from tests.runs import evolve

TRAIN = """
import json, sys, time
import numpy as np
from sklearn.datasets import load_iris
from ga_ann import Checkpoint, Recipe, evolve

path, n_signals = sys.argv[1], sys.argv[2]
X, y = load_iris(return_X_y=True)

def tell(ga, history):
    print(len(history) - 1, flush=True)

calls = 0

def slow(y_true, y_pred):
    global calls
    calls += 1
    if n_signals == "2" and calls == 3 * 8 + 4:  # in the middle of the third generation
        print("measuring", flush=True)
        time.sleep(60)
    else:
        time.sleep(0.002)
    return float(np.mean(y_true == y_pred))

result = evolve(
    X, y, hidden_layer_sizes=(5,), random_state=0, target_fitness=None, n_jobs=1, fitness=slow,
    recipe=Recipe(ranking="fitness", population_size=8, n_parents=4), n_generations=10_000,
    callbacks=[Checkpoint(path, every_generations=1), tell],
)
print(json.dumps({
    "reason": result.stop_reason,
    "generations": len(result.history),
    "best_fitness": result.best_fitness,
    "right": float(np.mean(result.predict(X) == y)),
}))
"""


def wait_for(process, text):
    """Read what the process prints until it has printed this line."""
    for line in process.stdout:
        if line.strip() == text:
            return
    pytest.fail(process.stderr.read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_generation(start_python, tmp_path, number):
    path = tmp_path / "run.npz"
    process = start_python(TRAIN, path, 1)
    wait_for(process, "4")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    told = json.loads(out.splitlines()[-1])
    assert told["reason"] == "interrupted"
    assert 5 <= told["generations"] < 10_000
    assert told["best_fitness"] == told["right"] > 0.3
    assert len(load_checkpoint(path).history) == told["generations"]


def test_a_second_ctrl_c_ends_at_once(start_python, tmp_path):
    path = tmp_path / "run.npz"
    process = start_python(TRAIN, path, 2)
    wait_for(process, "measuring")
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None  # the first one waits for the generation to end
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)  # the generation would have taken a minute
    assert (process.returncode, err) == (0, "")
    told = json.loads(out.splitlines()[-1])
    assert told["reason"] == "interrupted"
    held = load_checkpoint(path)
    assert len(held.history) == told["generations"] > 0
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("n_calls", [0, 5, 32])
def test_a_run_without_a_best_has_nothing_to_return(iris, tiny, n_calls):
    """Interrupted in the initial population, or at the first candidate on all samples."""
    calls = []

    def interrupt(y_true, y_pred):
        calls.append(1)
        if len(calls) > n_calls:
            raise KeyboardInterrupt
        return 0.5

    with pytest.raises(KeyboardInterrupt):
        evolve(*iris, fitness=interrupt, ranking="fitness", batch_size=16, **tiny)


@pytest.mark.parametrize("generation", [0, 1, 7, 20])
def test_keyboard_interrupt_in_a_notebook(iris, tiny, tmp_path, compare_runs, generation):
    """There, a signal may come as an exception from anywhere."""

    def interrupt(ga, history):
        if len(history) > generation:
            raise KeyboardInterrupt

    path = tmp_path / "run.npz"
    options = tiny | {"n_generations": 30}
    every = Checkpoint(path, every_generations=1)
    broken_off = evolve(*iris, callbacks=[every, interrupt], **options)
    assert broken_off.stop_reason == "interrupted"
    assert len(broken_off.history) == generation + 1
    accuracy = np.mean(broken_off.predict(iris[0]) == iris[1])
    assert accuracy == broken_off.best_fitness
    compare_runs(evolve(*iris, start=path, **options), evolve(*iris, **options))


COMMAND = """
import sys
from ga_ann.cli import main

main(["train", "data.npz", "-o", "model.npz", "--hidden", "8", "--seed", "0", *sys.argv[1:]])
"""


def test_ctrl_c_on_the_command_line(start_python, tmp_path):
    """The first Ctrl-C saves model and checkpoint, from which the command goes on."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", X=rng.normal(size=(60, 3)), y=rng.integers(2, size=60))
    path = tmp_path / "run.npz"
    endless = ["--generations", 1_000_000]
    process = start_python(COMMAND, "--checkpoint", "run.npz", *endless, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "(interrupted)" in out
    n_held = len(load_checkpoint(path).history)
    assert len(load_history(tmp_path / "model.npz")) == n_held
    process = start_python(COMMAND, "--resume", "run.npz", "--generations", n_held, cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert len(load_checkpoint(path).history) == n_held + 1


# ---------------------------------------------------------------- nothing is left behind


def process_state():
    """Return what of the process a run might change."""
    return {
        "handlers": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)],
        "errors": np.geterr(),
        "threads": [(lib["filepath"], lib["num_threads"]) for lib in threadpool_info()],
        "filters": list(warnings.filters),
        "show": warnings.showwarning,
        "backend": matplotlib.get_backend(),
        "numpy": [str(part) for part in np.random.get_state()],  # noqa: NPY002
        "python": random.getstate(),
        # tqdm keeps a thread of its own from the first bar on.
        "workers": [t.name for t in threading.enumerate() if type(t) is threading.Thread],
    }


def fail(ga, history):
    raise RuntimeError("a callback's error")


def interrupt(ga, history):
    raise KeyboardInterrupt


@pytest.mark.parametrize("callback", [None, fail, interrupt])
def test_the_process_is_as_before_a_run(iris, tiny, tmp_path, callback):
    before = process_state()
    callbacks = [Checkpoint(tmp_path / "run.npz")] + ([callback] if callback else [])
    options = tiny | {"n_generations": 12, "n_jobs": 2, "selection": "rws"}
    options |= {"population_size": 8, "n_parents": 4}  # an operator of PyGAD's, too
    if callback is fail:
        with pytest.raises(RuntimeError, match="callback's error"):
            evolve(*iris, callbacks=callbacks, **options)
    else:
        evolve(*iris, callbacks=callbacks, **options)
    assert process_state() == before


def test_the_process_is_as_before_a_fit_or_a_comparison(iris):
    before = process_state()
    model = GeneticMLPClassifier((5,), n_generations=5, early_stopping=True, random_state=0)
    model.fit(*iris).predict_proba(iris[0])
    assert process_state() == before
    compare(*iris, methods=["ga", "adam"], seeds=1, budgets={"ga": 500}, splits=["holdout"])
    assert process_state() == before


def test_handlers_are_the_users_where_there_are_any(iris, tiny):
    seen = []
    old = signal.signal(signal.SIGTERM, lambda *_: seen.append("SIGTERM"))
    try:

        def strike(ga, history):
            signal.raise_signal(signal.SIGTERM)

        result = evolve(*iris, n_generations=2, callbacks=[strike], **tiny)
    finally:
        signal.signal(signal.SIGTERM, old)
    assert seen == ["SIGTERM"] * 3
    assert result.stop_reason == "n_generations"


def test_two_fits_in_two_threads(digits):
    """Each gives what it gives alone, and the last one gives BLAS its threads back."""
    X, y = digits

    def fit(seed):
        """With products that have other bits where BLAS shares them among threads."""
        model = GeneticMLPClassifier((150, 60), n_generations=10, random_state=seed, n_jobs=2)
        return model.set_params(target_fitness=None, batch_size="full").fit(X, y)

    alone = [fit(seed) for seed in range(2)]
    before, together = process_state(), [None, None]

    def work(seed):
        together[seed] = fit(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    for a, b in zip(alone, together, strict=True):
        for V, W in zip(a.weights_, b.weights_, strict=True):
            np.testing.assert_array_equal(V, W)
        np.testing.assert_array_equal(a.history_["ranking"], b.history_["ranking"])
    assert process_state() == before


def test_signals_reach_the_main_thread_alone(iris, tiny):
    """A run in another thread sets no handlers; it could not, and must not end for a signal."""
    before, results = process_state()["handlers"], []

    def work():
        results.append(evolve(*iris, n_generations=10, callbacks=[look], **tiny))

    def look(ga, history):
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=60)
    assert results[0].stop_reason == "n_generations"
