"""Weights restricted to a few values: the sets by name, and whether weights keep to one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ga_ann.network import lookup

__all__ = ["WEIGHT_SETS", "check_weight_set", "draw_from", "is_inside"]

WEIGHT_SETS: dict[str, tuple[float, ...]] = {
    "binary": (-1.0, 1.0),
    "int8": tuple(float(k) for k in range(-127, 128)),
    "ternary": (-1.0, 0.0, 1.0),
}
"""Sets of weights by name; ``"int8"`` is symmetric and leaves -128 out."""


def check_weight_set(weight_set: str | ArrayLike) -> tuple[float, ...]:
    """Return the values of a set of weights, sorted.

    Parameters
    ----------
    weight_set : str or array-like of float
        A name in `WEIGHT_SETS`, or at least two different finite numbers.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> check_weight_set("ternary")
    (-1.0, 0.0, 1.0)
    >>> check_weight_set([1, 4, -2])
    (-2.0, 1.0, 4.0)
    """
    if isinstance(weight_set, str):
        return lookup(WEIGHT_SETS, weight_set, "weight_set")
    try:
        values = np.asarray(weight_set, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"weight_set must be numbers, got {weight_set!r}.") from error
    # Weights are stored in single precision, where different numbers must stay different.
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
        distinct, first = np.unique(values.astype(np.float32), return_index=True)
    if values.ndim != 1 or len(distinct) < 2 or not np.isfinite(distinct).all():
        raise ValueError(
            f"weight_set must be one of {sorted(WEIGHT_SETS)}, or at least two different finite "
            f"numbers, got {weight_set!r}."
        )
    return tuple(values[first].tolist())


def draw_from(rng: np.random.Generator, values: tuple[float, ...], out: NDArray[Any]) -> None:
    """Fill an array with values of the set, drawn with equal chances.

    Examples
    --------
    >>> out = np.empty((2, 3))
    >>> draw_from(np.random.default_rng(0), (-1.0, 1.0), out)
    >>> out
    array([[ 1.,  1.,  1.],
           [-1., -1., -1.]])
    """
    choices = np.asarray(values, dtype=out.dtype)
    out[...] = choices[rng.integers(len(choices), size=out.shape)]


def is_inside(weights: NDArray[Any], values: tuple[float, ...]) -> bool:
    """Tell whether all weights are values of the set.

    Examples
    --------
    >>> is_inside(np.array([1.0, -1.0]), (-1.0, 1.0)), is_inside(np.array([0.5]), (-1.0, 1.0))
    (True, False)
    """
    return bool(np.isin(weights, np.asarray(values, dtype=weights.dtype)).all())
