"""Fitness: scores of a population's outputs against the labels; greater is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FITNESS", "accuracy"]


def accuracy(outputs: NDArray[Any], y: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the share of samples whose largest output stands for their class.

    Parameters
    ----------
    outputs : ndarray of shape (n_solutions, n_samples, n_classes)
        What the networks answer; the first index of the largest output is the prediction.
    y : ndarray of int, of shape (n_samples,)
        The classes, 0 to ``n_classes - 1``.

    Returns
    -------
    ndarray of shape (n_solutions,)

    Examples
    --------
    >>> outputs = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.9, 0.1], [0.8, 0.2]]])
    >>> accuracy(outputs, np.array([0, 1]))
    array([1. , 0.5])
    """
    shares: NDArray[np.float64] = np.mean(outputs.argmax(axis=-1) == y, axis=-1)
    return shares


FITNESS: dict[str, Callable[[NDArray[Any], NDArray[np.intp]], NDArray[np.float64]]] = {
    "accuracy": accuracy,
}
"""Scores by name: ``f(outputs, y) -> (n_solutions,)``."""
