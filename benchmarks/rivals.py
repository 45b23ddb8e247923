"""Other tools that train the same network: each from a call until a training accuracy is reached.

The network is the benchmark's: ReLU, no biases, layers ``(n_features, *hidden, n_classes)``, and
the fitness is the classification accuracy on the training samples. Every tool runs as its users
run it (its operators, its random numbers, its loop), with a fitness function that is vectorised
where the tool allows that, and with settings that were tuned by hand on the fruits (109-150-60-4)
and checked on the digits (64-32-10): they are the keyword defaults of each function.

What all have in common:

- Inputs are divided by one number, the root mean square of the training samples.
- Genes are weights in units of the initial weights of their layer. Such a network predicts the
  same when one of its matrices is multiplied by a positive number, so the unit can be left out:
  the initial genes are standard normal and a step size is relative to them.
- A mini-batch, where a tool's setting has one, is drawn anew in each generation and shared by the
  whole population; what enters the trace is always measured on all training samples.
- The clock starts once the tool is imported and its code compiled. It includes the measurements
  that the trace needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RIVALS", "Rival", "Run"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """What one run of a tool measured.

    Attributes
    ----------
    seconds : list of float
        Wall time of each point of the trace, from the call, without imports and compilation.
    train_accuracy : list of float
        Best accuracy so far on all training samples, in [0, 1]; of the centre where the tool
        searches by a distribution.
    test_accuracy : float
        Accuracy of that best network on the test samples; NaN if there are none.
    compile_seconds : float
        Time spent compiling before the clock started; 0 for tools that compile nothing.
    """

    seconds: list[float]
    train_accuracy: list[float]
    test_accuracy: float
    compile_seconds: float


@dataclass(frozen=True)
class Rival:
    """A tool: how a table calls it, the function that runs it, the module it cannot do without."""

    label: str
    function: Callable[..., Run]
    requires: str


class _Trace:
    """The best accuracy so far against the wall time since construction."""

    def __init__(self, max_time: float, target: float) -> None:
        self.start = perf_counter()
        self.max_time, self.target = max_time, target
        self.seconds: list[float] = []
        self.accuracy: list[float] = []
        self.best: Any = None

    def add(self, accuracy: float, solution: Any) -> bool:
        """Add a generation's best and return whether the run is over."""
        seconds = perf_counter() - self.start
        if not self.accuracy or accuracy > self.accuracy[-1]:
            self.best = np.array(solution)
        best_so_far = max(float(accuracy), *self.accuracy[-1:], 0.0)
        self.seconds.append(seconds)
        self.accuracy.append(best_so_far)
        return best_so_far >= self.target or seconds >= self.max_time

    def run(self, test_accuracy: float, compile_seconds: float = 0.0) -> Run:
        return Run(self.seconds, self.accuracy, float(test_accuracy), compile_seconds)


@dataclass(frozen=True)
class _Task:
    """The scaled samples and the network's shapes."""

    X: Floats
    y: Labels
    X_test: Floats
    y_test: Labels
    shapes: list[tuple[int, int]]

    @classmethod
    def of(
        cls, X_train: Any, y_train: Any, X_test: Any, y_test: Any, hidden: Sequence[int]
    ) -> _Task:
        scale = np.sqrt(np.mean(np.square(X_train)))
        classes, y = np.unique(y_train, return_inverse=True)
        sizes = [np.shape(X_train)[1], *hidden, len(classes)]
        return cls(
            np.asarray(X_train / scale, dtype=np.float32, order="C"),
            y.astype(np.int64),
            np.asarray(X_test / scale, dtype=np.float32, order="C"),
            np.searchsorted(classes, y_test).astype(np.int64),
            list(pairwise(sizes)),
        )

    @property
    def n_genes(self) -> int:
        return sum(n_in * n_out for n_in, n_out in self.shapes)

    def batch(self, rng: np.random.Generator, batch_size: int | None) -> tuple[Floats, Labels]:
        """Draw a mini-batch, or return all samples."""
        if batch_size is None or batch_size >= len(self.y):
            return self.X, self.y
        chosen = rng.choice(len(self.y), batch_size, replace=False, shuffle=False)
        return self.X[chosen], self.y[chosen]

    def matrices(self, genes: Any) -> list[Any]:
        """Cut chromosomes (the last axis) into weight matrices; NumPy, torch and JAX alike."""
        weights, start = [], 0
        for n_in, n_out in self.shapes:
            stop = start + n_in * n_out
            weights.append(genes[..., start:stop].reshape(*genes.shape[:-1], n_in, n_out))
            start = stop
        return weights

    def accuracy(self, solution: NDArray[Any]) -> float:
        return _accuracy(self.matrices(solution), self.X, self.y)

    def test_accuracy(self, solution: NDArray[Any]) -> float:
        return _accuracy(self.matrices(solution), self.X_test, self.y_test)


def _accuracy(weights: Sequence[NDArray[Any]], X: NDArray[Any], y: Labels) -> float:
    """Return one network's accuracy, in plain NumPy with the activation in place."""
    if not len(y):
        return float("nan")
    A = X
    for W in weights[:-1]:
        A = A @ W
        np.maximum(A, 0, out=A)
    return float(np.mean((A @ weights[-1]).argmax(axis=1) == y))
