"""Time to solution: seconds from the call until a training accuracy is reached.

Every run is a process of its own, which prints what it found:
``python -m benchmarks.time_to_solution METHOD DATA SEED SECONDS``.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks.rivals import RIVALS
from ga_ann import evolve, load_fruits360

LEVELS = (0.95, 0.99, 0.999, 1.0)
OURS = "ga_ann"
ADAM = "adam"
HIDDEN = {"fruits": (150, 60), "digits": (32,), "breast_cancer": (30,)}
MAX_SECONDS = {"pygad.gann": 120.0}
RIVAL_SEEDS = {"pygad.gann": 1}  # it takes its two minutes every time
ON_DIGITS = ("ga_ann", "evotorch-snes", "evosax-openes", "deap", ADAM)


def load(name: str, seed: int) -> tuple[Any, Any, Any, Any]:
    """Return training and test parts: all fruits for training, three quarters of the others."""
    if name == "fruits":
        X, y = load_fruits360(return_X_y=True, min_std=50)
        return X, y, X[:0], y[:0]
    X, y = {"digits": load_digits, "breast_cancer": load_breast_cancer}[name](return_X_y=True)
    parts = train_test_split(X, y, stratify=y, random_state=seed)
    if name == "breast_cancer":
        scaler = StandardScaler().fit(parts[0])
        parts[:2] = [scaler.transform(X) for X in parts[:2]]
    return parts[0], parts[2], parts[1], parts[3]


def run(method: str, data: str, seed: int, max_seconds: float) -> dict[str, Any]:
    """Return the seconds until each level (None if never), of one run in this process."""
    X, y, X_test, y_test = load(data, seed)
    hidden = HIDDEN[data]
    if method == OURS:
        start = perf_counter()
        result = evolve(
            X,
            y,
            hidden_layer_sizes=hidden,
            max_time=max_seconds,
            n_generations=10**6,
            target_fitness=1.0,
            random_state=seed,
        )
        # The History's clock starts after the checks of the input; the user's at the call.
        late = perf_counter() - start - result.history.last["seconds"]
        seconds, accuracy = result.history["seconds"] + late, result.history["best_fitness"]
        test = float(np.mean(result.predict(X_test) == y_test)) if len(X_test) else None
        compiling = 0.0
    else:
        rival = RIVALS[method]
        found = rival.function(
            X,
            y,
            X_test,
            y_test,
            hidden,
            seed=seed,
            max_time=max_seconds,
            target=1.0,
            **rival.settings.get(data, {}),
        )
        seconds, accuracy = np.array(found.seconds), np.array(found.train_accuracy)
        test, compiling = found.test_accuracy if len(X_test) else None, found.compile_seconds
    reached = {
        str(level): float(seconds[accuracy >= level][0]) if (accuracy >= level).any() else None
        for level in LEVELS
    }
    return {"method": method, "data": data, "seed": seed, "test": test, "compiling": compiling} | {
        "reached": reached
    }


def installed() -> list[str]:
    """Return the methods that can run here, ours first."""
    return [OURS, *(name for name, rival in RIVALS.items() if find_spec(rival.requires))]


def measure(
    *, quick: bool = False, data: Sequence[str] = ("fruits", "digits"), max_seconds: float = 10.0
) -> list[dict[str, Any]]:
    """Return a row a method and data set: medians over the seeds, None for never."""
    seeds = range(2 if quick else 10)
    rows = []
    for name in data:
        methods = [m for m in installed() if name != "digits" or m in ON_DIGITS]
        runs: dict[str, list[dict[str, Any]]] = {method: [] for method in methods}
        for seed in seeds:
            for method, found in runs.items():
                limit = MAX_SECONDS.get(method, max_seconds)
                if method != OURS and seed >= RIVAL_SEEDS.get(method, 1 if quick else 3):
                    continue
                found.append(_in_own_process(method, name, seed, limit / 4 if quick else limit))
        rows += _over_adam([_summarise(method, name, found) for method, found in runs.items()])
    return rows


def _over_adam(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a data set with the times as multiples of gradient descent's."""
    adam = next(row for row in rows if row["method"] == ADAM)
    for row in rows:
        for level in LEVELS:
            seconds = row[f"{100 * level:g} %, s"], adam[f"{100 * level:g} %, s"]
            row[f"{100 * level:g} %, over Adam's"] = (
                seconds[0] / seconds[1] if np.isfinite(seconds[1]) else np.nan
            )
    return rows


def _in_own_process(method: str, data: str, seed: int, max_seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.time_to_solution"]
    done = subprocess.run(
        [*command, method, data, str(seed), str(max_seconds)],
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _summarise(method: str, data: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {"data": data, "method": method, "seeds": len(runs)}
    for level in LEVELS:
        times = [run["reached"][str(level)] or np.inf for run in runs]
        row[f"{100 * level:g} %, s"] = float(np.median(times))
        row[f"reached {100 * level:g} %"] = int(np.isfinite(times).sum())
    row["compiling, s"] = float(np.median([run["compiling"] for run in runs]))
    return row


if __name__ == "__main__":
    method, data, seed, max_seconds = sys.argv[1:]
    print(json.dumps(run(method, data, int(seed), float(max_seconds))))
