"""The package's files: npz archives with a JSON header and a seal, and no pickle anywhere.

A file is a zip archive of plain ``.npy`` arrays. The array ``header.json`` holds UTF-8 text: a JSON
object with the ``format`` (``"ga_ann"``), the ``kind`` (``"model"``, ``"history"``,
``"checkpoint"``), the format's ``version``, the ``package_version`` and everything that is not an
array. The archive's comment, its last 64 bytes, is the SHA-256 of all bytes before it, so that no
changed bit goes unnoticed. ``numpy.load(path)["weights/0"]`` reads an array without this package.
The seal finds damage, not malice: anyone can compute it, so that nothing in the file is trusted.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ga_ann import __version__
from ga_ann.storage.files import named_errors, read_npz, replacing

__all__ = ["entry", "member", "read_archive", "read_kind", "seal", "to_json", "write_archive"]

FORMAT = "ga_ann"
VERSION = 2
"""The newest version of the format that is read; what version 1 can say is written in it."""

HEADER = "header.json"

TABLES = ({"data", "target"}, {"X", "y"})
"""Arrays of files that hold samples, and nothing that this package trained."""

SEAL_LENGTH = 64
CHUNK = 2**20

LONGEST_HEADER = 2**20
"""Bytes of JSON that a header may have; Python makes up to 30 times as much of them."""

DEEPEST_HEADER = 32
"""Lists and dicts within each other that a header may have."""

_T = TypeVar("_T")


def write_archive(
    path: str | os.PathLike[str],
    kind: str,
    header: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    *,
    compress: bool = True,
    keep_previous: bool = False,
    version: int = 1,
) -> None:
    """Write arrays and a header of JSON types to one file, all of it or nothing.

    Parameters
    ----------
    path : path-like
        The file; see `replacing`.
    kind : str
        What it holds.
    header : mapping
        Names to strings, numbers, booleans, None, arrays of them, lists and dicts.
    arrays : mapping of str to ndarray
        Numbers or text.
    compress : bool, default=True
        Whether to compress the arrays; weights do not become much smaller, and it takes long.
    keep_previous : bool, default=False
        Whether the file that is replaced stays under the name ``path + ".previous"``.
    version : int, default=1
        Version of the format: a later one where readers of the earlier must refuse the file.

    Raises
    ------
    TypeError
        If the header holds something that JSON cannot express.
    ValueError
        If the header is too long or too deep to be read again.
    OSError
        If the file cannot be written; what was there is untouched.
    """
    about = {
        "format": FORMAT,
        "kind": kind,
        "version": version,
        "package_version": __version__,
    }
    text = json.dumps(about | dict(header), default=to_json).encode()
    _parse_header(text)
    members = {HEADER: np.frombuffer(text, dtype=np.uint8), **arrays}
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with replacing(path, keep_previous=keep_previous) as file:
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, array in members.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                    npy.write_array(stream, np.asanyarray(array), allow_pickle=False)
            archive.comment = bytes(SEAL_LENGTH)
        seal(file)


def seal(file: IO[bytes]) -> None:
    """Put the checksum in the place of an archive's comment of 64 bytes.

    Parameters
    ----------
    file : binary file object
        The archive, open for reading and writing.
    """
    digest = _digest(file)
    file.seek(-SEAL_LENGTH, os.SEEK_END)
    file.write(digest)


def _digest(file: IO[bytes]) -> bytes:
    """Return the checksum of all bytes but the last 64, as 64 hexadecimal digits."""
    left = file.seek(0, os.SEEK_END) - SEAL_LENGTH
    file.seek(0)
    checksum = hashlib.sha256()
    while left > 0 and (chunk := file.read(min(CHUNK, left))):
        checksum.update(chunk)
        left -= len(chunk)
    return checksum.hexdigest().encode()


def read_archive(
    path: str | os.PathLike[str], kind: str | None = None
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what `write_archive` wrote; to be called in a `named_errors` block.

    Parameters
    ----------
    path : path-like
        The file.
    kind : str, optional
        What it must hold.

    Returns
    -------
    header : dict
        With a known ``format`` and ``version``, and a ``kind``.
    arrays : dict of str to ndarray

    Raises
    ------
    ValueError
        If a bit of the file was changed or is missing, it comes from a newer version, or it holds
        something else.
    """
    with Path(path).open("rb") as file:
        if file.read(2) != b"PK":
            raise ValueError(f"it is no file of {FORMAT}")
        digest = _digest(file)
        if file.read() != digest:
            raise ValueError(_describe_unsealed(path))
    arrays = read_npz(path)
    header = _read_header(arrays)
    held = entry(header, "kind", str)
    version = entry(header, "version", int)
    if version > VERSION:
        raise ValueError(
            f"it has format version {version}, and this version of ga_ann reads up to {VERSION}; "
            "install a newer one"
        )
    if kind is not None and held != kind:
        raise ValueError(f"it holds a {held}, not a {kind}")
    return header, arrays


def _describe_unsealed(path: str | os.PathLike[str]) -> str:
    """Return what is wrong with an archive without the right checksum."""
    with suppress(zipfile.BadZipFile, NotImplementedError), zipfile.ZipFile(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
        if any(names >= arrays for arrays in TABLES):
            return (
                "it is a table of features and labels, as `ga-ann extract` and NumPy write them; "
                "give it to `ga-ann train`"
            )
    return f"it is no file of {FORMAT}, or it is damaged: its checksum is wrong"


def read_kind(path: str | os.PathLike[str]) -> str:
    """Return what a file says that it holds; nothing but its header is read.

    Raises
    ------
    ValueError
        If it is no file of this package.
    """
    with named_errors(path, f"a file of {FORMAT}"):
        return entry(_read_header(read_npz(path, (HEADER,))), "kind", str)


def _read_header(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    header = _parse_header(member(arrays, HEADER).tobytes())
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"its header is not that of a {FORMAT} file")
    return header


def _parse_header(text: bytes) -> Any:
    """Return what the JSON says, if it is neither too long nor too deep.

    Raises
    ------
    ValueError
        If it is.
    """
    if len(text) > LONGEST_HEADER:
        raise ValueError(f"its header has {len(text):,} bytes; at most {LONGEST_HEADER:,} are read")
    header = json.loads(text.decode())
    _check_depth(header, DEEPEST_HEADER)
    return header


def _check_depth(value: object, left: int) -> None:
    if left < 0:
        raise ValueError(
            f"its header holds more than {DEEPEST_HEADER} lists and dicts within each other"
        )
    inner: Iterable[object] = value if isinstance(value, list) else ()
    for item in value.values() if isinstance(value, dict) else inner:
        _check_depth(item, left - 1)


def member(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """Return an array of the archive.

    Raises
    ------
    ValueError
        If it is missing.
    """
    if name not in arrays:
        raise ValueError(f"the array {name!r} is missing")
    return arrays[name]


def entry(header: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    """Return an entry of the header.

    Raises
    ------
    ValueError
        If it is missing or of another type.
    """
    value = header.get(name)
    if not isinstance(value, kind):
        raise ValueError(f"{name!r} in its header must be of type {kind.__name__}, got {value!r}")
    return value


def to_json(value: object) -> Any:
    """Return a NumPy number or array as JSON's types: the `default` of `json.dumps`.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufU":
        return value.tolist()
    raise TypeError(
        f"settings must hold strings, numbers, booleans, None, or lists and dicts of them, got "
        f"{type(value).__name__}: {value!r}."
    )
