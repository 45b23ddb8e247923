"""Trains in child processes that are killed: started by `test_kill` in a process of its own.

The package is imported once; each child is a fork of this process, which has one thread. Arguments:
the folder, the number of kills, the seed, and where to kill ("anywhere" or "writing").
"""

import inspect
import json
import os
import pathlib
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from ga_ann import Checkpoint
from ga_ann.history import COLUMNS
from ga_ann.storage.checkpoint import load_checkpoint
from tests.runs import evolve

X, y = load_digits(return_X_y=True)
RUNS = (
    {"n_generations": 150, "batch_size": 16, "sigma_decay": 0.5, "mutation": "low_rank"},
    {"n_generations": 120, "batch_size": 16, "sigma_decay": 0.5, "mutation": "gaussian"},
    {"n_generations": 120, "n_elites": 3, "crossover": "uniform", "early_stopping": True},
    {"n_generations": 100, "weight_set": "ternary", "batch_size": 32},
)
COMMON = {"hidden_layer_sizes": (8,), "target_fitness": None, "random_state": 1, "n_jobs": 1}
INTERVALS = ({"every_generations": 1}, {}, {"every_seconds": 0.01})
LINES = 10_000
"""About as many lines are executed in the writes that `kill_writing` kills."""
PLACES = (
    str(Path(inspect.getfile(load_checkpoint)).parent),
    inspect.getfile(Checkpoint),
    pathlib.__file__.removesuffix("__init__.py"),  # a package from Python 3.13 on
)


def train(path, options, interval, *, callbacks=()):
    """Train on, from the file if there is one."""
    callbacks = [*callbacks, Checkpoint(path, **interval)] if path is not None else []
    resume = path if path is not None and path.exists() else None
    held_out = (X[1000:], y[1000:])
    return evolve(
        X[:1000],
        y[:1000],
        validation_data=held_out,
        callbacks=callbacks,
        start=resume,
        **COMMON,
        **options,
    )


def essence(result):
    """Return everything that must be the same, as bytes."""
    columns = [result.history[name] for name in COLUMNS if name != "seconds"]
    return b"".join(
        np.ascontiguousarray(array).tobytes()
        for array in (result.population, *result.weights, *columns, result.predict(X))
    )


def fork(work):
    """Run something in a child process; return its number."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    return child


class KillAtLine:
    """Kills its process at the n-th line that the code of a write executes."""

    def __init__(self, n):
        self.left = n

    def trace(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(PLACES):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


def generation_in(path):
    """Return the generation of a checkpoint, -1 if there is none; fail if it is no whole one."""
    return load_checkpoint(path).generation if path.exists() else -1


def kill_anywhere(folder, n_kills, rng):
    """Kill at random moments; each child goes on from the file of the one before."""
    report = {"kills": 0, "finished": 0, "lost": [], "bits": 0}
    run = 0
    while report["kills"] < n_kills:
        options, interval = RUNS[run % len(RUNS)], INTERVALS[run // 2 % len(INTERVALS)]
        whole = essence(train(None, options, {}))
        path = folder / f"run{run}.npz"
        run += 1
        report["kills"] += kill_until_it_ends(path, options, interval, n_kills, rng, report)
        # Whatever was killed, what is left is finished here.
        finished = essence(train(path, options, interval))
        assert finished == whole, f"run {run - 1} ended in other bits"
        report["finished"] += 1
        report["bits"] += 8 * len(whole)
        assert not list(folder.glob(".*")), "what killed writings left was not removed"
    return report


def kill_until_it_ends(path, options, interval, n_kills, rng, report):
    """Start a run again and again, killing it each time, until it has come to its end."""
    kills, before, reached = 0, -1, folder_counter(path)
    while report["kills"] + kills < n_kills:
        noted = reached.with_suffix(".txt")
        noted.write_text("-1")

        def note(ga, history, noted=noted):
            with noted.open("r+") as file:  # in place: a kill leaves the old or the new number
                file.write(f"{len(history) - 1:06d}")

        child = fork(lambda: train(path, options, interval, callbacks=[note]))
        time.sleep(rng.uniform(0.002, 0.12))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        after = generation_in(path)
        assert after >= before, f"generation {after} after {before}"
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0, "the child failed by itself"
            break
        kills += 1
        if interval.get("every_generations") == 1:
            report["lost"].append(max(0, int(noted.read_text()) - after))
        before = after
    return kills


def folder_counter(path):
    return path.with_name(path.stem + "-generation")


def kill_writing(folder, n_kills, rng):
    """Kill at every line of a write, or at some of them: of the first and of later ones."""
    report = {"kills": 0, "finished": 0, "lines": []}
    options, interval = RUNS[0] | {"n_generations": 6}, {"every_generations": 1}
    whole = essence(train(None, options, {}))
    for first in (-1, 3):
        path = folder / f"write{first}.npz"
        if first >= 0:
            train(path, options | {"n_generations": first}, interval)
        start = path.read_bytes() if first >= 0 else None
        line = 0
        while True:
            line += rng.randint(1, max(1, 2 * LINES // n_kills - 1))
            if start is not None:
                path.write_bytes(start)
            else:
                path.unlink(missing_ok=True)

            def work(path=path, line=line, first=first):
                sys.settrace(KillAtLine(line).trace)
                train(path, options | {"n_generations": first + 2}, interval)

            _, status = os.waitpid(fork(work), 0)
            if not os.WIFSIGNALED(status):
                assert os.WEXITSTATUS(status) == 0, "the child failed by itself"
                break
            report["kills"] += 1
            after = generation_in(path)
            assert first <= after <= first + 2, f"generation {after}"
            assert essence(train(path, options, interval)) == whole, f"killed at line {line}"
            report["finished"] += 1
        report["lines"].append(line)
    return report


def main(folder, n_kills, seed, where):
    random_moments = random.Random(int(seed))
    work = {"anywhere": kill_anywhere, "writing": kill_writing}[where]
    started = time.perf_counter()
    report = work(Path(folder), int(n_kills), random_moments)
    report["seconds"] = round(time.perf_counter() - started, 1)
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
