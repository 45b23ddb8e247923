"""Signals end a run with its best; and nothing of the process is other after a run than before."""

import codecs
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import ClassVar

import joblib
import matplotlib
import numpy as np
import psutil
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from ga_ann import Callback, Checkpoint, GeneticMLPClassifier, GeneticMLPRegressor, compare
from ga_ann.storage.checkpoint import load_checkpoint
from ga_ann.storage.model import load_history
from tests.emulator import Terminal
from tests.faults.conftest import ROOT
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
    assert process.returncode == 0
    assert all(line.startswith("GA: generation ") for line in err.splitlines())
    assert "(interrupted)" in out
    n_held = len(load_checkpoint(path).history)
    assert len(load_history(tmp_path / "model.npz")) == n_held
    more = ["--generations", n_held, "--quiet"]
    process = start_python(COMMAND, "--resume", "run.npz", *more, cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert len(load_checkpoint(path).history) == n_held + 1


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_ctrl_c_leaves_the_terminal_with_its_cursor_and_the_last_panel(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", X=rng.normal(size=(60, 3)), y=rng.integers(2, size=60))
    ours, theirs = os.openpty()
    usual = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--generations", "1000000"],
        cwd=tmp_path,
        env=os.environ | usual,
        **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
    )
    os.close(theirs)
    terminal, decoder = Terminal(), codecs.getincrementaldecoder("utf-8")()
    try:
        with suppress(OSError):  # EIO is the end
            while read := os.read(ours, 4096):
                terminal.write(decoder.decode(read))
                if "╰─" in terminal.getvalue() and "^C" not in terminal.getvalue():
                    assert not terminal.has_cursor
                    process.send_signal(signal.SIGINT)
                    terminal.write("^C")
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        os.close(ours)
    assert terminal.has_cursor
    lines = terminal.lines
    assert sum("╭─ GA" in line for line in lines) == 1
    told = next(line for line in lines if "(interrupted)" in line)
    panel = next(line for line in lines if line.startswith("│ generation"))
    assert f"after {panel.split()[2]} generation" in told


# ---------------------------------------------------------------- one fit of many


class Striking(Callback):
    """Sends Ctrl-C in a generation of the first fit, or of a later one, and counts the fits."""

    fits: ClassVar[list] = []

    def __init__(self, in_fit=1, how="signal"):
        self.in_fit, self.how = in_fit, how

    def on_start(self, history):
        Striking.fits.append(0)

    def on_generation(self, ga, history):
        Striking.fits[-1] += 1
        if len(Striking.fits) == self.in_fit and len(history) == 4:
            if self.how == "exception":  # as in a notebook
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGINT)


def striking(kind=GeneticMLPClassifier, *strike):
    Striking.fits.clear()
    return kind((4,), n_generations=9, callbacks=[Striking(*strike)], random_state=0)


SIGMAS = {"sigma": [0.1, 0.2]}
MANY = {
    "grid search": lambda one, X, y: GridSearchCV(one, SIGMAS).fit(X, y),
    "random search": lambda one, X, y: RandomizedSearchCV(one, SIGMAS, n_iter=2).fit(X, y),
    "halving search": lambda one, X, y: HalvingGridSearchCV(one, SIGMAS, random_state=0).fit(X, y),
    "search of a pipeline": lambda one, X, y: GridSearchCV(
        make_pipeline(StandardScaler(), one), {"geneticmlpclassifier__sigma": [0.1, 0.2]}
    ).fit(X, y),
    "cross-validation": lambda one, X, y: cross_val_score(one, X, y),
    "predictions": lambda one, X, y: cross_val_predict(one, X, y),
    "learning curve": lambda one, X, y: learning_curve(one, X, y),
    "ensemble": lambda one, X, y: VotingClassifier([("a", one), ("b", one)]).fit(X, y),
    "wrapper": lambda one, X, y: MultiOutputClassifier(one).fit(X, np.column_stack([y, y])),
    "chain": lambda one, X, y: ClassifierChain(one).fit(X, np.column_stack([y > 0, y > 1])),
    "joblib": lambda one, X, y: joblib.Parallel(n_jobs=1)(
        joblib.delayed(one.fit)(X, y) for _ in range(2)
    ),
}
ONE = {
    "fit": lambda one, X, y: one.fit(X, y),
    "pipeline": lambda one, X, y: make_pipeline(StandardScaler(), one).fit(X, y)[-1],
    "pipelines": lambda one, X, y: make_pipeline(make_pipeline(one)).fit(X, y)[-1][-1],
    "several in a row": lambda one, X, y: min(
        [clone(one).fit(X, y) for _ in range(2)], key=lambda fitted: fitted.n_iter_
    ),
}


@pytest.mark.parametrize("how", ["signal", "exception"])
@pytest.mark.parametrize("company", MANY)
def test_ctrl_c_in_one_fit_of_many_ends_them_all(iris, company, how):
    before = process_state()
    with pytest.raises(KeyboardInterrupt):
        MANY[company](striking(GeneticMLPClassifier, 1, how), *iris)
    assert Striking.fits == [5 if how == "signal" else 4]  # the generation is finished
    assert process_state() == before


@pytest.mark.parametrize("search", ["grid search", "random search"])
def test_ctrl_c_in_the_last_fit_of_a_search_ends_it(iris, search):
    """The one on all samples, which the search itself calls."""
    with pytest.raises(KeyboardInterrupt):
        MANY[search](striking(GeneticMLPClassifier, 11), *iris)
    assert Striking.fits == [10] * 10 + [5]


@pytest.mark.parametrize("how", ["signal", "exception"])
@pytest.mark.parametrize("company", ONE)
def test_ctrl_c_in_a_fit_of_ones_own_keeps_its_best(iris, company, how):
    fitted = ONE[company](striking(GeneticMLPClassifier, 1, how), *iris)
    assert Striking.fits[0] == fitted.n_iter_ + 1 == (5 if how == "signal" else 4)
    assert fitted._result.stop_reason == "interrupted"
    assert 0 < fitted.best_fitness_ <= 1


def test_ctrl_c_in_a_transformed_regression_keeps_its_best(iris):
    network = striking(GeneticMLPRegressor)
    fitted = TransformedTargetRegressor(network, transformer=StandardScaler()).fit(*iris)
    assert fitted.regressor_.n_iter_ == 4


SEARCH = """
import sys, time
import joblib
import numpy as np
from sklearn.datasets import load_iris
from sklearn.experimental import enable_halving_search_cv
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_score
from ga_ann import GeneticMLPClassifier, evolve

company, n_jobs = sys.argv[1], int(sys.argv[2])
X, y = load_iris(return_X_y=True)

def tell(ga, history):
    time.sleep(0.005)
    if len(history) == 5:
        sys.stdout.write("in a fit\\n")  # at once, where print writes the end of the line apart
        sys.stdout.flush()

endless = {"n_generations": 10**6, "callbacks": [tell]}
one = GeneticMLPClassifier((4,), n_iter_no_change=10**6, random_state=0, **endless)
grid = {"sigma": [0.1, 0.2]}
many = {
    "fit": lambda: one.fit(X, y),
    "evolve": lambda: evolve(X, y, target_fitness=None, **endless),
    "grid search": lambda: GridSearchCV(one, grid, n_jobs=n_jobs).fit(X, y),
    "halving search": lambda: HalvingGridSearchCV(one, grid, n_jobs=n_jobs).fit(X, y),
    "cross-validation": lambda: cross_val_score(one, X, y, n_jobs=n_jobs),
    "joblib": lambda: joblib.Parallel(n_jobs=n_jobs)(
        joblib.delayed(evolve)(X, y, target_fitness=None, **endless) for _ in range(3)
    ),
}
try:
    many[company]()
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
else:
    print("the best so far", flush=True)
"""


@pytest.mark.parametrize(
    ("company", "n_jobs", "end"),
    [
        ("fit", 1, "the best so far"),
        ("evolve", 1, "the best so far"),
        ("grid search", 1, "KeyboardInterrupt"),
        ("halving search", 1, "KeyboardInterrupt"),
        ("cross-validation", 1, "KeyboardInterrupt"),
        ("joblib", 1, "KeyboardInterrupt"),
        ("grid search", 2, "KeyboardInterrupt"),
        pytest.param("halving search", 2, "KeyboardInterrupt", marks=pytest.mark.slow),
        pytest.param("cross-validation", 2, "KeyboardInterrupt", marks=pytest.mark.slow),
        ("joblib", 2, "KeyboardInterrupt"),
    ],
)
def test_ctrl_c_in_a_terminal(start_python, company, n_jobs, end):
    """There, it reaches the process and its workers alike; one Ctrl-C is enough."""
    process = start_python(SEARCH, company, n_jobs, start_new_session=True)
    wait_for(process, "in a fit")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.splitlines()[-1]) == (0, end), err


@pytest.mark.parametrize("receiver", ["parent", "worker"])
def test_ctrl_c_for_one_process_of_a_pool(start_python, receiver):
    """As `kill` sends it."""
    process = start_python(SEARCH, "grid search", 2, start_new_session=True)
    wait_for(process, "in a fit")
    wait_for(process, "in a fit")
    (workers_of(process)[0] if receiver == "worker" else process).send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.splitlines()[-1]) == (0, "KeyboardInterrupt"), err


COMPARISON = """
import sys
from sklearn.datasets import load_iris
from ga_ann import compare, evolve
from ga_ann.comparison import Method, Trained

def train(job):
    print("in a run", flush=True)
    found = evolve(job.X, job.y, hidden_layer_sizes=4, target_fitness=None, n_generations=10**9)
    return Trained(found.predict, found.predict_scores, found.history, found.stop_reason)

methods = {"naive": "naive", "endless": Method("endless", train)}
found = compare(
    *load_iris(return_X_y=True), methods=methods, seeds=4, hidden_layer_sizes=4,
    n_jobs=int(sys.argv[1]),
)
print(found.interrupted, [(row["method"], row["seed"]) for row in found.rows], flush=True)
"""


@pytest.mark.parametrize(
    ("n_jobs", "receiver"),
    [
        (1, "terminal"),
        (2, "terminal"),
        pytest.param(2, "parent", marks=pytest.mark.slow),
        pytest.param(2, "worker", marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_in_a_comparison_keeps_the_finished_runs(start_python, n_jobs, receiver):
    """With two processes, two endless runs are going on, and what came before them is finished."""
    process = start_python(COMPARISON, n_jobs, start_new_session=True)
    for _ in range(n_jobs):
        wait_for(process, "in a run")
    time.sleep(1)  # what has just been finished is on its way from its process
    if receiver == "terminal":
        os.killpg(process.pid, signal.SIGINT)
    else:
        (workers_of(process)[0] if receiver == "worker" else process).send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    finished = [("naive", seed) for seed in range(n_jobs)]
    assert (process.returncode, out.splitlines()[-1]) == (0, f"True {finished}"), err


def workers_of(process):
    return [
        child
        for child in psutil.Process(process.pid).children()
        if "popen_loky" in " ".join(child.cmdline())
    ]


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
        "workers": [t.name for t in threading.enumerate()],
        "streams": (sys.stdout, sys.stderr),
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
    compare(*iris, methods=["ga", "adam"], seeds=1, budgets={"ga": 0.2}, splits=["holdout"])
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
