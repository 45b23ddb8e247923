"""Fingerprints: what tells the data and the functions of a run from those of another one."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fingerprints", "fingerprint", "fingerprint_function"]

DEEPEST = 50
"""Objects within each other that a fingerprint looks into."""

LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
"""Where installed code stands."""

PLAIN = (bool, int, float, complex, str, bytes, np.generic)


class Fingerprints(Mapping[str, str]):
    """Checksums by name, computed when somebody looks: the data may be large.

    Parameters
    ----------
    arrays : mapping of str to ndarray or None
        The data; they must not change in the meantime.
    functions : mapping of str to callable
        The user's functions. They are looked at now, since a call may change what they hold.
    """

    def __init__(
        self, arrays: Mapping[str, NDArray[Any] | None], functions: Mapping[str, object]
    ) -> None:
        self._arrays = dict(arrays)
        self._functions = {name: fingerprint_function(f) for name, f in functions.items()}

    @cached_property
    def _sums(self) -> dict[str, str]:
        of_arrays = {name: fingerprint(array) for name, array in self._arrays.items()}
        return of_arrays | self._functions

    def __getitem__(self, name: str) -> str:
        return self._sums[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sums)

    def __len__(self) -> int:
        return len(self._sums)


def fingerprint(array: NDArray[Any] | None) -> str:
    """Return a checksum of an array's type, shape and contents; of None, the word ``"none"``.

    Examples
    --------
    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros(3)) != fingerprint(np.zeros((3, 1)))
    True
    """
    if array is None:
        return "none"
    checksum = sha256(f"{array.dtype.str}{array.shape}".encode())
    content = array if array.dtype.kind != "O" else array.astype(str)
    checksum.update(np.ascontiguousarray(content).tobytes())
    return checksum.hexdigest()


def fingerprint_function(function: object) -> str:
    """Return a checksum of what a function does, the same in every process.

    It covers the function's code, its defaults, what it closes over, the arguments of a
    `functools.partial`, the attributes of an object that is called, and the global values that the
    code names. Functions and classes among these are looked into in the same way if they are the
    user's own; those of installed libraries are known by their names.

    Parameters
    ----------
    function : callable
        A function, a method, a partial, or an object with ``__call__``.

    Examples
    --------
    >>> def make(beta):
    ...     return lambda a: a + beta
    >>> fingerprint_function(make(1)) == fingerprint_function(make(1))
    True
    >>> fingerprint_function(make(1)) == fingerprint_function(make(2))
    False
    """
    return sha256(_Look()(function, 0).encode()).hexdigest()


class _Look:
    """Describes an object by what it holds, never by where it stands in memory."""

    def __init__(self) -> None:
        # The objects are kept, so that no address is used twice.
        self._seen: dict[int, tuple[int, object]] = {}

    def __call__(self, value: Any, depth: int) -> str:
        if value is None or isinstance(value, PLAIN):
            return f"{type(value).__name__}:{value!r}"
        if isinstance(value, np.ndarray):
            return f"array:{fingerprint(value)}"
        # Whether equal constants are one object is the compiler's business.
        if not isinstance(value, (tuple, frozenset, CodeType)):
            if id(value) in self._seen:
                return f"again:{self._seen[id(value)][0]}"
            self._seen[id(value)] = (len(self._seen), value)
        if depth > DEEPEST:
            return f"deep:{_name(type(value))}"
        return f"{type(value).__name__}({self._describe(value, depth + 1)})"

    def _describe(self, value: Any, depth: int) -> str:
        if isinstance(value, (list, tuple)):
            return self._join(value, depth)
        if isinstance(value, (set, frozenset)):
            return ",".join(sorted(_Look()(item, depth) for item in value))
        if isinstance(value, dict):
            return self._join(value.items(), depth)
        if isinstance(value, CodeType):
            return self._join((value.co_code, value.co_names, value.co_consts), depth)
        if isinstance(value, FunctionType):
            return self._function(value, depth)
        if isinstance(value, MethodType | staticmethod | classmethod):
            return self._join((value.__func__, getattr(value, "__self__", None)), depth)
        if isinstance(value, property):
            return self._join((value.fget, value.fset), depth)
        if isinstance(value, type):
            held = [(k, v) for k, v in vars(value).items() if callable(v) or k[:2] != "__"]
            return _name(value) + (self._join(held, depth) if _is_own(value) else "")
        if isinstance(value, (ModuleType, BuiltinFunctionType, np.ufunc)):
            return _name(value)
        return self._object(value, depth)

    def _join(self, values: Iterable[Any], depth: int) -> str:
        return ",".join(self(value, depth) for value in values)

    def _function(self, function: FunctionType, depth: int) -> str:
        if depth > 1 and not _is_own(function):
            return _name(function)
        known = function.__globals__
        held = [(name, known[name]) for name in _global_names(function.__code__) if name in known]
        cells = [_content(cell) for cell in function.__closure__ or ()]
        given = (function.__defaults__, function.__kwdefaults__)
        return self._join((function.__code__, *given, cells, held), depth)

    def _object(self, value: Any, depth: int) -> str:
        """Describe an object by its type and its state, as copying and pickling see it."""
        try:
            parts = value.__reduce_ex__(2)
        except Exception:  # what cannot be copied, such as an open file
            parts = getattr(value, "__dict__", None)
        if isinstance(parts, str):  # a name, as of what functools.cache makes
            parts = (parts, getattr(value, "__wrapped__", None))
        elif isinstance(parts, tuple):
            parts = parts[1:3]
        return self._join((type(value), parts), depth)


def _is_own(value: Any) -> bool:
    """Tell whether a function or a class is the user's, and not a library's."""
    module = getattr(value, "__module__", None) or ""
    if module.partition(".")[0] in ("builtins", "ga_ann"):
        return False
    home = getattr(sys.modules.get(module), "__file__", None) or ""
    return not home.startswith(LIBRARIES)


def _name(value: Any) -> str:
    name = getattr(value, "__qualname__", getattr(value, "__name__", type(value).__name__))
    return f"{getattr(value, '__module__', '')}.{name}"


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return None


def _global_names(code: CodeType) -> list[str]:
    """Return the names that a function, and those within it, may look up."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return sorted({*code.co_names, *(name for part in inner for name in _global_names(part))})
