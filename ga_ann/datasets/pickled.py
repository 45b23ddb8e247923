"""Pickles of one NumPy array, read without calling anything that they name."""

from __future__ import annotations

import io
import pickle
import re
import reprlib
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ga_ann.storage import array_from_bytes

__all__ = ["read_pickle"]

Array = NDArray[Any]


def read_pickle(path: Path) -> Array:
    """Read an array from a pickle; to be called in a `named_errors` block.

    Raises
    ------
    ValueError, pickle.UnpicklingError
        If the file is damaged, or holds anything but one NumPy array of numbers or text.
    """
    unpickler = _ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="latin-1")
    try:
        held = unpickler.load()
        if isinstance(held, _PickledArray) and held.parts:
            return held.build()
    except (ValueError, pickle.UnpicklingError):
        raise
    except Exception as error:
        raise ValueError("it is no pickle, or a damaged one.") from error
    raise ValueError(f"it holds a {type(held).__name__}; expected one NumPy array.")


class _ArrayUnpickler(pickle._Unpickler):
    """Unpickler that calls none of the functions that a pickle names.

    Each name that NumPy's arrays need is answered with a stand-in; any other is refused. The
    stand-ins are made afresh each time: a pickle may set attributes of what it was given. The base
    is the one in Python, because that in C allocates tens of gigabytes for a memo of six bytes.

    Nothing is copied before the end, as a pickle of a few bytes can ask for it a thousand times,
    and dicts and sets stay empty, as the hash of nested tuples can take for ever.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    if TYPE_CHECKING:  # what the base has, and its types leave out
        append: Any
        pop_mark: Any
        read: Any
        stack: list[Any]

    def _load_bytearray(self) -> None:
        # The base allocates whatever size is named.
        (size,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(size)))

    def _load_item(self) -> None:
        del self.stack[-2:]

    def _load_dict(self) -> None:
        self.pop_mark()
        self.append({})

    def _load_frozenset(self) -> None:
        self.pop_mark()
        self.append(frozenset())

    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray
    dispatch[pickle.SETITEM[0]] = _load_item
    dispatch[pickle.SETITEMS[0]] = dispatch[pickle.ADDITEMS[0]] = lambda self: self.pop_mark()
    dispatch[pickle.DICT[0]] = _load_dict
    dispatch[pickle.FROZENSET[0]] = _load_frozenset

    def find_class(self, module: str, name: str) -> Any:
        stand_ins: dict[str, Any] = {
            "numpy.ndarray": "numpy.ndarray",
            "numpy.dtype": lambda code, *flags: _PickledDtype(code),
            "numpy.core.multiarray._reconstruct": lambda *args: _PickledArray(),
            "numpy.core.numeric._frombuffer": lambda raw, dtype, shape, order, *axes: _PickledArray(
                raw, dtype, shape, order == "F"
            ),
            "_codecs.encode": lambda text, encoding: _PickledBytes(text),
        }
        full_name = f"{module}.{name}"
        answer = stand_ins.get(full_name.replace("numpy._core.", "numpy.core."))
        if answer is None:
            raise pickle.UnpicklingError(
                f"it holds {full_name}; a pickle may hold nothing but a NumPy array of numbers or "
                "text. Nothing in it was run."
            )
        return answer


class _PickledDtype:
    """Stand-in for numpy.dtype in a pickle: plain numbers and text alone."""

    __slots__ = ("dtype",)

    def __init__(self, code: object) -> None:
        if not isinstance(code, str) or not re.fullmatch("[biufSU][0-9]{1,9}", code):
            # In short, because nested tuples of a few bytes can have gigabytes of text.
            got = reprlib.repr(code)
            raise ValueError(f"it holds an array of type {got}; expected numbers or text.")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _PickledBytes:
    """Stand-in for bytes that a pickle has as text; they are made once, in the end."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _PickledArray:
    """Stand-in for numpy.ndarray in a pickle; the array is made once, in the end."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        self.parts = raw, dtype, shape, fortran

    def build(self) -> Array:
        raw, dtype, shape, fortran = self.parts
        raw = raw.text if isinstance(raw, _PickledBytes) else raw
        # Python 2 wrote bytes as str, which is read as latin-1.
        raw = raw.encode("latin-1") if isinstance(raw, str) else raw
        return array_from_bytes(raw, dtype.dtype, shape, fortran)
