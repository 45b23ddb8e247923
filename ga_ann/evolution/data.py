"""What is learned from: samples, targets and weights, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse

from ga_ann.network import lookup
from ga_ann.out_of_core import SamplesLike, StoredSamples, mean_squares
from ga_ann.validation import (
    check_held_out,
    check_regression,
    check_sample_weight,
    check_training,
)

__all__ = ["TrainingData"]

TASKS = ("classification", "regression")


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Training data, checked.

    Attributes
    ----------
    X : ndarray, csr_array or StoredSamples of shape (n_samples, n_features)
        The samples; large sparse ones stay sparse, and large ones on disk stay there.
    targets : ndarray of shape (n_samples,) or (n_outputs, n_samples)
        The classes, integers from 0; or the targets of a regression, one row an output.
    classes : ndarray of shape (n_classes,) or None
        The labels; None for a regression.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples.
    """

    X: NDArray[Any]
    targets: NDArray[Any]
    classes: NDArray[Any] | None
    sample_weight: NDArray[Any] | None

    @classmethod
    def check(
        cls,
        X: SamplesLike,
        y: ArrayLike,
        *,
        task: str,
        classes: ArrayLike | None,
        sample_weight: ArrayLike | None,
    ) -> Self:
        """Return what `evolve` was given, if it can be learned from.

        Raises
        ------
        ValueError, TypeError
            If it cannot.
        """
        lookup(dict.fromkeys(TASKS), task, "task")
        samples: NDArray[Any]
        targets: NDArray[Any]
        labels: NDArray[Any] | None = None
        if task == "regression":
            samples, targets = check_regression(X, y)
        else:
            samples, targets, labels = check_training(X, y, classes)
        n_samples = samples.shape[0]
        weight = None if sample_weight is None else check_sample_weight(sample_weight, n_samples)
        return cls(samples, targets, labels, weight)

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return int(self.X.shape[0])

    @property
    def n_outputs(self) -> int:
        """Number of outputs that a network needs."""
        return len(self.targets if self.classes is None else self.classes)

    @property
    def class_shares(self) -> NDArray[np.float64] | None:
        """The classes' shares of the (weighted) samples; None for a regression.

        A class without a sample counts as if it had one.
        """
        if self.classes is None:
            return None
        weight = self.sample_weight
        totals = np.bincount(self.targets, weight, minlength=len(self.classes)).astype(np.float64)
        one = 1.0 if weight is None else float(weight.mean())
        totals[totals == 0] = one
        shares: NDArray[np.float64] = totals / totals.sum()
        return shares

    @property
    def centre(self) -> NDArray[np.float64]:
        """The (weighted) means of a regression's targets."""
        means: NDArray[np.float64] = np.average(self.targets, axis=1, weights=self.sample_weight)
        return means

    @property
    def spread(self) -> NDArray[np.float64]:
        """The (weighted) standard deviations of a regression's targets."""
        squares = (self.targets - self.centre[:, None]) ** 2
        spreads: NDArray[np.float64] = np.sqrt(
            np.average(squares, axis=1, weights=self.sample_weight)
        )
        spreads[np.ptp(self.targets, axis=1) == 0] = 0  # whatever rounding makes of it
        return spreads

    @property
    def magnitude(self) -> float:
        """The (weighted) root mean square of the samples' features."""
        X: Any = self.X
        if issparse(X):
            squares = X.astype(np.float64).power(2).mean(axis=1)
        elif isinstance(X, StoredSamples):
            squares = X.summary.mean_squares
        else:
            squares = mean_squares(X)
        return float(np.sqrt(np.average(squares, weights=self.sample_weight)))

    def check_held_out(self, given: Any) -> TrainingData:
        """Return held-out data, ``(X, y)`` or ``(X, y, sample_weight)``, if they fit these.

        Raises
        ------
        ValueError
            If they do not.
        """
        weighted = isinstance(given, tuple) and len(given) == 3
        pair = given[:2] if weighted else given
        X, targets = check_held_out(pair, self.X.shape[1], self.classes)
        weight = check_sample_weight(given[2], X.shape[0]) if weighted else None
        return TrainingData(X, targets, self.classes, weight)
