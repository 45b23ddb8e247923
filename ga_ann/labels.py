"""Samples and labels: checked, and the labels turned into the indices of their classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_X_y
from sklearn.utils.multiclass import check_classification_targets

__all__ = ["check_held_out", "check_training"]


def check_training(
    X: ArrayLike, y: ArrayLike
) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[Any]]:
    """Check training data.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,)
        Labels of any kind, at least two different ones.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    codes : ndarray of int, of shape (n_samples,)
        The index of each sample's class.
    classes : ndarray of shape (n_classes,)
        The sorted labels: ``classes[codes]`` is `y`.

    Raises
    ------
    ValueError
        If the data are empty, of different lengths, not finite, or of one class only.

    Examples
    --------
    >>> check_training([[0.5], [1.5], [2.5]], ["mango", "apple", "mango"])[1:]
    (array([1, 0, 1]), array(['apple', 'mango'], dtype='<U5'))
    """
    samples, labels = _check(X, y)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y must hold at least 2 classes, got only {classes.tolist()}.")
    return samples, codes, classes


def check_held_out(
    data: tuple[ArrayLike, ArrayLike], n_features: int, classes: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Check held-out data against what was trained on.

    Parameters
    ----------
    data : tuple (X, y)
        Samples and labels as in `check_training`.
    n_features : int
        Number of features of the training data.
    classes : ndarray of shape (n_classes,)
        Sorted labels of the training data.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    codes : ndarray of int, of shape (n_samples,)

    Raises
    ------
    ValueError
        If the data are not a pair, or do not fit.
    """
    if len(data) != 2:
        raise ValueError(f"validation_data must be a pair (X, y), got {len(data)} items.")
    samples, labels = _check(*data)
    if samples.shape[1] != n_features:
        raise ValueError(
            f"validation_data must have {n_features} features as X has, got {samples.shape[1]}."
        )
    if unknown := set(labels.tolist()) - set(classes.tolist()):
        raise ValueError(f"validation_data has classes that y lacks: {sorted(unknown)}.")
    return samples, np.searchsorted(classes, labels)


def _check(X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    samples: NDArray[Any]
    labels: NDArray[Any]
    samples, labels = check_X_y(X, y)
    check_classification_targets(labels)
    return samples, labels
