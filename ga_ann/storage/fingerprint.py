"""Fingerprints: what tells the data and the functions of a run from those of another one."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from ga_ann.out_of_core import StoredSamples

__all__ = ["Fingerprints", "fingerprint", "fingerprint_function"]

DEEPEST = 50
"""Objects within each other that a fingerprint looks into."""

LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
"""Where installed code stands."""

PLAIN = (bool, int, float, complex, str, bytes)


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

    A `csr_array` without duplicates and stored zeros has that of its parts: another one than the
    dense array, with which a run may have other bits, but the same whatever its indices' type.
    Stored samples have that of the array that they would be; they are read in chunks.

    Examples
    --------
    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros(3)) != fingerprint(np.zeros((3, 1)))
    True
    """
    if array is None:
        return "none"
    if issparse(array):
        held: Any = array
        parts = (held.data, held.indices.astype(np.int64), held.indptr.astype(np.int64))
        sums = [fingerprint(part) for part in parts]
        return sha256(f"sparse{held.shape}{sums}".encode()).hexdigest()
    checksum = sha256(f"{array.dtype.str}{array.shape}".encode())
    if isinstance(array, StoredSamples):
        for chunk in array.chunks():
            checksum.update(np.ascontiguousarray(chunk).data)
        return checksum.hexdigest()
    content = array if array.dtype.kind != "O" else array.astype(str)
    checksum.update(np.ascontiguousarray(content).tobytes())
    return checksum.hexdigest()


def fingerprint_function(function: object) -> str:
    """Return a checksum of what a function does, the same in every process.

    It covers the function's code, its defaults, its attributes, what it closes over, the arguments
    of a `functools.partial`, the attributes of an object that is called, and the global values that
    the code names. Functions, classes with their bases, and modules among these are looked into in
    the same way if they are the user's own; those of installed libraries are known by their names.

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
        kind = type(value)  # a subclass has code of its own, and attributes
        if value is None or kind in PLAIN or isinstance(value, np.generic):
            return f"{kind.__name__}:{value!r}"
        if kind is np.ndarray and not value.dtype.hasobject:
            return f"array:{fingerprint(value)}"
        # Whether equal constants are one object is the compiler's business.
        if kind not in (tuple, frozenset, CodeType):
            if id(value) in self._seen:
                return f"again:{self._seen[id(value)][0]}"
            self._seen[id(value)] = (len(self._seen), value)
        if depth > DEEPEST:
            return f"deep:{_name(kind)}"
        return f"{kind.__name__}({self._describe(value, depth + 1)})"

    def _describe(self, value: Any, depth: int) -> str:
        kind = type(value)
        if kind in (list, tuple):
            return self._join(value, depth)
        if kind in (set, frozenset):
            return ",".join(sorted(_Look()(item, depth) for item in value))
        if kind in (dict, MappingProxyType):
            return self._join(value.items(), depth)
        if isinstance(value, CodeType):
            return self._code(value, depth)
        if isinstance(value, FunctionType):
            return self._function(value, depth)
        if isinstance(value, MethodType | staticmethod | classmethod):
            return self._join((value.__func__, getattr(value, "__self__", None)), depth)
        if isinstance(value, property):
            return self._join((value.fget, value.fset), depth)
        if isinstance(value, type):
            own = [(k, v) for k, v in vars(value).items() if callable(v) or k[:2] != "__"]
            held = (value.__bases__, own)
            return _name(value) + (self._join(held, depth) if _is_own(value) else "")
        if isinstance(value, BuiltinFunctionType):  # `costs.get` as well, which has a dictionary
            return _name(value) + self(value.__self__, depth)
        if isinstance(value, (ModuleType, np.ufunc)):
            return _name(value)
        return self._object(value, depth)

    def _join(self, values: Iterable[Any], depth: int) -> str:
        return ",".join(self(value, depth) for value in values)

    def _code(self, code: CodeType, depth: int) -> str:
        arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        does = (code.co_code, code.co_exceptiontable, code.co_names, code.co_consts)
        return self._join((*does, code.co_flags, arguments), depth)

    def _function(self, function: FunctionType, depth: int) -> str:
        if depth > 1 and not _is_own(function):
            return _name(function)
        cells = [_content(cell) for cell in function.__closure__ or ()]
        given = (function.__defaults__, function.__kwdefaults__, vars(function))
        return self._join((function.__code__, *given, cells, _globals_of(function)), depth)

    def _object(self, value: Any, depth: int) -> str:
        """Describe an object by its type and its state, as copying and pickling see it."""
        try:
            parts = value.__reduce_ex__(2)
        except Exception:  # what cannot be copied, such as an open file
            parts = getattr(value, "__dict__", None)
        if isinstance(parts, str):  # a name, as of what functools.cache makes
            parts = (parts, getattr(value, "__wrapped__", None))
        elif isinstance(parts, tuple):
            # Arguments and attributes, and what a list or a dictionary holds.
            parts = (*parts[1:3], *(list(items) for items in parts[3:5] if items is not None))
        return self._join((type(value), parts), depth)


def _is_own(value: Any) -> bool:
    """Tell whether a function, a class or a module is the user's, and not a library's."""
    where = "__name__" if isinstance(value, ModuleType) else "__module__"
    module = getattr(value, where, None) or ""
    if module.partition(".")[0] in ("builtins", "ga_ann"):
        return False
    home = getattr(sys.modules.get(module), "__file__", None)
    if home is None:  # a part of Python, or what was typed in
        return module.partition(".")[0] not in sys.stdlib_module_names
    return not home.startswith(LIBRARIES)


def _name(value: Any) -> str:
    name = getattr(value, "__qualname__", getattr(value, "__name__", type(value).__name__))
    return f"{getattr(value, '__module__', '')}.{name}"


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return None


def _globals_of(function: FunctionType) -> list[tuple[str, object]]:
    """Return the global values that a function may look up, also in modules of the user's."""
    names, spaces = _global_names(function.__code__), [function.__globals__]
    found: list[tuple[str, object]] = []
    for space in spaces:  # which grows
        held = [(name, space[name]) for name in names if name in space]
        found += held
        for _, value in held:
            if not isinstance(value, ModuleType) or not _is_own(value):
                continue
            if all(vars(value) is not known for known in spaces):
                spaces.append(vars(value))
    return found


def _global_names(code: CodeType) -> list[str]:
    """Return the names that a function, and those within it, may look up."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return sorted({*code.co_names, *(name for part in inner for name in _global_names(part))})
