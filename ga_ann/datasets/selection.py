"""The choice of columns by their standard deviation."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from ga_ann.validation import check_number

__all__ = ["select_by_std"]


def select_by_std(
    X: ArrayLike, *, min_std: float | None = None, n_features: int | None = None
) -> NDArray[np.bool_]:
    """Choose columns by their standard deviation over the samples (divided by n, not n - 1).

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        The training part of the data.
    min_std : float, optional
        Keep the columns whose standard deviation is greater; at least 0. The tutorial's is 50.
    n_features : int, optional
        Keep this many columns, those of largest standard deviation (of equal ones the first); from
        1 to n_columns.

    Returns
    -------
    ndarray of bool, of shape (n_columns,)
        True for the columns to keep; all of them if neither parameter is given.

    Raises
    ------
    TypeError, ValueError
        If both parameters are given, one is out of its range, no column remains, or `X` is not a
        table of finite numbers.

    Examples
    --------
    >>> X = [[0, 0, 5], [0, 100, 7]]
    >>> select_by_std(X, min_std=50 - 1e-9)
    array([False,  True, False])
    >>> select_by_std(X, n_features=2)
    array([False,  True,  True])
    """
    if min_std is not None and n_features is not None:
        raise ValueError(
            "min_std and n_features are two ways to choose columns, give one of them; "
            f"got min_std={min_std!r} and n_features={n_features!r}."
        )
    data = check_array(X, dtype=np.float64)
    std = data.std(axis=0)
    if min_std is not None:
        check_number(min_std, "min_std", Real, low=0)
        # The deviation of equal numbers may come out as a little more than 0.
        mask: NDArray[np.bool_] = (std > min_std) & (np.ptp(data, axis=0) > 0)
        if not mask.any():
            raise ValueError(
                f"no column has a standard deviation above {min_std}; the largest is "
                f"{std.max():.3g}."
            )
        return mask
    if n_features is None:
        return np.ones(data.shape[1], dtype=bool)
    check_number(n_features, "n_features", Integral, low=1, high=data.shape[1])
    mask = np.zeros(data.shape[1], dtype=bool)
    mask[np.argsort(-std, kind="stable")[:n_features]] = True
    return mask
