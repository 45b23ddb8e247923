"""Samples as a network takes them: a table's columns made numbers, features chosen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_array

from ga_ann.datasets.selection import select_by_std
from ga_ann.preprocessing import Preprocessing

__all__ = ["Inputs", "fit_inputs", "take_rows"]


def take_rows(X: Any, rows: NDArray[np.intp]) -> Any:
    """Return some samples of an array or of a DataFrame."""
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

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the network's inputs for samples, an array or a DataFrame."""
        if self.preprocessing is not None:
            return self.preprocessing.transform(X)[:, self.columns]
        return check_array(X)[:, self.columns]  # type: ignore[no-any-return]


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
    X : ndarray or DataFrame of shape (n_samples, n_columns)
        The training part.
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
        As in `Preprocessing.fit` and `select_by_std`.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [1.0, 3.0], "b": ["x", "y"]})
    >>> fit_inputs(table, standardise=True).transform(table).tolist()
    [[-1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """
    if not standardise and not isinstance(X, pd.DataFrame):
        return Inputs(None, select_by_std(X, min_std=min_std, n_features=n_features))
    preprocessing = Preprocessing.fit(X, label=label, raw=not standardise)
    if min_std is None and n_features is None:
        return Inputs(preprocessing, np.ones(preprocessing.n_inputs, dtype=bool))
    unscaled = preprocessing.transform(X)
    n_numbers = len(preprocessing.scales)
    unscaled[:, :n_numbers] *= preprocessing.scales
    return Inputs(preprocessing, select_by_std(unscaled, min_std=min_std, n_features=n_features))
