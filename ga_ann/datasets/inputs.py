"""Samples as a network takes them: a table's columns made numbers, features chosen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_array

from ga_ann.datasets.selection import select_by_std
from ga_ann.out_of_core import StoredSamples
from ga_ann.preprocessing import Preprocessing

__all__ = ["Inputs", "fit_inputs", "take_rows"]


def take_rows(X: Any, rows: NDArray[np.intp]) -> Any:
    """Return some samples of an array or of a DataFrame, or on disk, where they stay."""
    if isinstance(X, StoredSamples):
        return X.part(rows)
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


class Inputs(NamedTuple):
    """How samples become a network's inputs.

    Attributes
    ----------
    preprocessing : Preprocessing or None
        What is done to the columns; None where they are taken as they are.
    columns : ndarray of bool
        Which of the features that come out of it are kept.
    """

    preprocessing: Preprocessing | None
    columns: NDArray[np.bool_]

    def transform(self, X: Any) -> Any:
        """Return the network's inputs for samples, an array or a DataFrame, or on disk."""
        if isinstance(X, StoredSamples):
            known = self.preprocessing
            return X if known is None else X.scaled(known.means, known.scales)
        if self.preprocessing is not None:
            return self.preprocessing.transform(X)[:, self.columns]
        return check_array(X)[:, self.columns]


def fit_inputs(
    X: Any,
    *,
    standardise: bool,
    min_std: float | None = None,
    n_features: int | None = None,
    label: str | int | None = None,
) -> Inputs:
    """Fit to the training part of some samples.

    Parameters
    ----------
    X : ndarray, DataFrame or StoredSamples of shape (n_samples, n_columns)
        The training part. That on disk is read once, if it is standardised, and keeps all features.
    standardise : bool
        Whether columns go through `Preprocessing`. If not, those of a DataFrame are still known by
        their names, and must hold numbers.
    min_std, n_features
        Which features are kept, see `select_by_std`: by their deviation before they are
        standardised.
    label
        See `Preprocessing`.

    Raises
    ------
    TypeError, ValueError
        As in `Preprocessing.fit` and `select_by_std`, or if features are to be chosen on disk.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [1.0, 3.0], "b": ["x", "y"]})
    >>> fit_inputs(table, standardise=True).transform(table).tolist()
    [[-1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """
    if isinstance(X, StoredSamples):
        if min_std is not None or n_features is not None:
            raise ValueError(f"features are chosen of samples in memory alone, got {X!r}.")
        everything = np.ones(X.shape[1], dtype=bool)
        known = Preprocessing.of_moments(*X.moments()) if standardise else None
        return Inputs(known, everything)
    if not standardise and not isinstance(X, pd.DataFrame):
        return Inputs(None, select_by_std(X, min_std=min_std, n_features=n_features))
    preprocessing = Preprocessing.fit(X, label=label, raw=not standardise)
    if min_std is None and n_features is None:
        return Inputs(preprocessing, np.ones(preprocessing.n_inputs, dtype=bool))
    unscaled = preprocessing.transform(X)
    n_numbers = len(preprocessing.scales)
    unscaled[:, :n_numbers] *= preprocessing.scales
    return Inputs(preprocessing, select_by_std(unscaled, min_std=min_std, n_features=n_features))
