"""Arrays of any library: what the Python array API standard has, and NumPy before 2.1 has not.

Code that is written against the standard (https://data-apis.org/array-api) asks `namespace_of` for
the library of the array that it was given. NumPy's arrays need nothing else installed; those of
other libraries, PyTorch first of all, are brought into line by array-api-compat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["as_type", "cumulative_sum", "in_place", "matmul", "namespace_of", "softmax"]

Array = Any
"""An array of any library; the standard has no type for it."""

_NAMESPACES: dict[type, Any] = {}
"""By the class of the arrays: finding one takes as long as a small step of a score."""


def namespace_of(array: Array) -> Any:
    """Return the library that an array is one of, as a namespace of the array API standard.

    Raises
    ------
    TypeError
        If it is no array of a library that array-api-compat knows.

    Examples
    --------
    >>> namespace_of(np.zeros(3)) is np
    True
    """
    if isinstance(array, np.ndarray):
        return np
    found = _NAMESPACES.get(type(array))
    if found is None:
        from array_api_compat import array_namespace

        found = _NAMESPACES[type(array)] = array_namespace(array)
    return found


def as_type(values: Array, dtype: Any) -> Array:
    """Return an array in another precision; the array itself where it has that."""
    if isinstance(values, np.ndarray):
        return values.astype(dtype, copy=False)  # the function is missing in NumPy 2.0
    return namespace_of(values).astype(values, dtype, copy=False)


def cumulative_sum(values: Array, axis: int) -> Array:
    """Return the sums of an axis so far."""
    if isinstance(values, np.ndarray):
        return values.cumsum(axis=axis)  # the function is missing in NumPy 2.0
    return namespace_of(values).cumulative_sum(values, axis=axis)


def in_place(function: Callable[..., Array], values: Array, *others: Array) -> Array:
    """Return a function of an array in the array's own memory, where its library can do that.

    The standard knows no ``out``; without it, each step of a score would stream another array of
    the outputs' size through memory.

    Parameters
    ----------
    function : callable
        An element-wise function of the array's namespace.
    values : array
        Its first argument, which is overwritten or not: what is returned is what counts.
    *others : array
        Its other arguments.

    Examples
    --------
    >>> values = np.array([1.0, 4.0])
    >>> in_place(np.sqrt, values) is values
    True
    """
    if isinstance(values, np.ndarray) or _is_torch(values):
        return function(values, *others, out=values)
    return as_type(function(values, *others), values.dtype)


def matmul(first: Array, second: Array) -> Array:
    """Return the product of matrices, or of stacks of them.

    Those of PyTorch on the CPU are multiplied where they are by NumPy: PyTorch's own BLAS, MKL,
    takes twice the time of OpenBLAS on processors of another make than Intel's.

    Examples
    --------
    >>> matmul(np.eye(2), np.ones((2, 1))).shape
    (2, 1)
    """
    xp = namespace_of(first)
    if _is_torch(first) and first.device.type == "cpu" and first.dtype in (xp.float32, xp.float64):
        return xp.asarray(np.matmul(first.numpy(), second.numpy()))
    return xp.matmul(first, second)


def softmax(values: Array, axis: int) -> Array:
    """Return the softmax along an axis; `values` may be overwritten.

    Examples
    --------
    >>> softmax(np.zeros((1, 4)), 1)
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    xp = namespace_of(values)
    values -= xp.max(values, axis=axis, keepdims=True)  # so that nothing overflows
    values = in_place(xp.exp, values)
    values /= xp.sum(values, axis=axis, keepdims=True)
    return values


def _is_torch(values: Array) -> bool:
    return type(values).__module__.partition(".")[0] == "torch"
