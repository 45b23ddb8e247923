"""Fitness: scores of a population's outputs against the labels; greater is better.

Outputs have the samples on the last axis, ``(n_solutions, n_classes, n_samples)``: reductions over
the classes then run along contiguous memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FITNESS", "accuracy", "neg_log_loss"]

Outputs = NDArray[Any]
Codes = NDArray[np.intp]
Scores = NDArray[np.float64]


def _of_own_class(outputs: Outputs, y: Codes) -> Outputs:
    """Return each sample's output for its own class, of shape (n_solutions, n_samples)."""
    n_samples = outputs.shape[-1]
    own: Outputs = outputs.reshape(len(outputs), -1).take(
        y * n_samples + np.arange(n_samples), axis=1
    )
    return own


def accuracy(outputs: Outputs, y: Codes) -> Scores:
    """Return the share of samples whose largest output stands for their class.

    Parameters
    ----------
    outputs : ndarray of shape (n_solutions, n_classes, n_samples)
        What the networks answer; the first index of the largest output is the prediction.
    y : ndarray of int, of shape (n_samples,)
        The classes, 0 to ``n_classes - 1``.

    Returns
    -------
    ndarray of float64, of shape (n_solutions,)

    Examples
    --------
    >>> outputs = np.array([[[0.9, 0.2], [0.1, 0.8]], [[0.9, 0.8], [0.1, 0.2]]])
    >>> accuracy(outputs, np.array([0, 1]))
    array([1. , 0.5])
    """
    largest = outputs.max(axis=1, keepdims=True)
    right = _of_own_class(outputs, y) == largest[:, 0]
    if np.count_nonzero(outputs == largest) != right.size:  # ties, of which the first index wins
        right = outputs.argmax(axis=1) == y
    shares: Scores = np.count_nonzero(right, axis=1) / len(y)
    return shares


def neg_log_loss(outputs: Outputs, y: Codes) -> Scores:
    """Return the mean logarithm of the probability that softmax gives to each sample's class.

    Parameters
    ----------
    outputs : ndarray of shape (n_solutions, n_classes, n_samples)
        Unnormalised logarithms of probabilities; they are overwritten.
    y : ndarray of int, of shape (n_samples,)
        The classes, 0 to ``n_classes - 1``.

    Returns
    -------
    ndarray of float64, of shape (n_solutions,)
        At most 0.

    Examples
    --------
    >>> np.exp(neg_log_loss(np.zeros((1, 4, 3)), np.array([0, 1, 3])))
    array([0.25])
    """
    largest = outputs.max(axis=1)
    own = _of_own_class(outputs, y) - largest
    outputs -= largest[:, None]  # the largest exponent is 0, so that nothing overflows
    np.exp(outputs, out=outputs)
    own -= np.log(outputs.sum(axis=1))
    losses: Scores = own.mean(axis=1, dtype=np.float64)
    return losses


FITNESS: dict[str, Callable[[Outputs, Codes], Scores]] = {
    "accuracy": accuracy,
    "neg_log_loss": neg_log_loss,
}
"""Scores by name: ``f(outputs, y) -> (n_solutions,)``; they may overwrite the outputs."""
