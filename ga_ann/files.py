"""Files: written whole or not at all, and read with suspicion.

An npz archive is checked against its declared sizes before anything of these sizes is allocated,
and nothing in it is ever unpickled.
"""

from __future__ import annotations

import io
import math
import os
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

__all__ = [
    "array_from_bytes",
    "check_target",
    "naming",
    "parse_npy",
    "read_npz",
    "replacing",
]

PathLike = str | os.PathLike[str]


def check_target(path: PathLike) -> Path:
    """Return `path` if a file can be written there; a file is made in its folder to find out.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    IsADirectoryError
        If it is a folder itself.
    OSError
        If nothing can be written there: no permission, a full or read-only disk, too long a name.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"the folder {target.parent} does not exist; create it first.")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; give the name of a file.")
    with _beside(target) as (_, file):
        file.close()
    return target


@contextmanager
def _beside(target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a file in the target's folder and remove it in the end; errors name the target."""
    # A plain open, unlike tempfile, gives the file the permissions that the user's other files get.
    unfinished = target.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        target.exists()  # raises if the name is too long
        yield unfinished, unfinished.open("xb")
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(unfinished)):
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def replacing(path: PathLike) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` in one step when the block ends well.

    It is written beside its target, flushed to the disk and renamed; after an error in the block,
    whatever was at `path` is still there, untouched.

    Parameters
    ----------
    path : path-like
        The target.

    Yields
    ------
    binary file object

    Raises
    ------
    OSError
        See `check_target`; it names the target.
    """
    target = check_target(path)
    with _beside(target) as (unfinished, file):
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)


@contextmanager
def naming(path: PathLike, what: str) -> Iterator[None]:
    """Turn whatever a damaged or hostile file provokes into a ValueError that names the file.

    zipfile, zlib, Pillow, the npy reader and json raise some fifteen types between them, hence the
    net. Failures to reach the file at all pass through: they name it already.

    Parameters
    ----------
    path : path-like
        The file.
    what : str
        What it should be: ``"a picture"``, ``"a model"``.
    """
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{os.fspath(path)} cannot be read as {what}: {reason}") from error


def read_npz(path: PathLike, *choices: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Read arrays from an npz archive; to be called in a `naming` block.

    Parameters
    ----------
    path : path-like
        The archive.
    *choices : tuple of str
        Sets of names: the first one that is wholly there is read, and nothing else. Without any,
        all arrays are read.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ValueError
        If the file is no archive, is truncated, lacks the arrays, declares what it does not hold,
        or holds pickled objects.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError("it is no npz archive, or it is truncated.") from error
    with archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        wanted = next((c for c in choices if members.keys() >= set(c)), ())
        if choices and not wanted:
            names = " or ".join(", ".join(choice) for choice in choices)
            raise ValueError(f"expected the arrays {names}; there are {sorted(members)}.")
        _check_sizes(archive.infolist(), Path(path).stat().st_size)
        return {name: _read_member(archive, members[name]) for name in wanted or members}


def _check_sizes(members: list[zipfile.ZipInfo], n_bytes: int) -> None:
    """Refuse sizes that cannot be true, before anything of these sizes is allocated."""
    if sum(info.compress_size for info in members) > n_bytes:
        raise ValueError("its members claim more bytes than the file has.")
    for info in members:
        # deflate codes at best 258 bytes in 2 bits: what claims more than 1032 to 1 is no data.
        if info.file_size > 1032 * info.compress_size:
            raise ValueError(
                f"{info.filename} claims {info.file_size} bytes out of {info.compress_size}."
            )


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    try:
        with archive.open(info) as member:
            # With a number, zipfile decompresses no more than that, and then checks the CRC.
            content = member.read(info.file_size)
    except OSError as error:  # bz2's way to say that its data are damaged
        raise ValueError(f"{info.filename} is damaged.") from error
    try:
        return parse_npy(content)
    except ValueError as error:
        raise ValueError(f"{info.filename}: {error}") from error


def parse_npy(content: bytes) -> NDArray[Any]:
    """Return the array in the bytes of an npy file.

    Raises
    ------
    ValueError
        If they are damaged, declare a shape that does not fit them, or hold pickled objects.
    """
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version} of the npy format is neither (1, 0) nor (2, 0).")
    return array_from_bytes(memoryview(content)[stream.tell() :], dtype, shape, fortran)


def array_from_bytes(
    raw: bytes | bytearray | memoryview, dtype: np.dtype[Any], shape: object, fortran: object
) -> NDArray[Any]:
    """Build an array of numbers or text from a file's declaration of it, if the two agree.

    Parameters
    ----------
    raw : bytes-like
        The items.
    dtype, shape, fortran
        What the file declares: type, shape, and whether the first index varies fastest.

    Returns
    -------
    ndarray
        A copy in the machine's byte order.

    Raises
    ------
    ValueError
        If the items would have to be unpickled, or do not fill the shape.
    """
    if dtype.kind not in "biufSU":
        held = "pickled Python objects, which are never loaded" if dtype.hasobject else f"{dtype}"
        raise ValueError(f"it holds an array of {held}; expected numbers or text.")
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"it declares an array of shape {shape!r}.")
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise ValueError(
            f"it declares {math.prod(shape)} items of {dtype}, "
            f"{math.prod(shape) * dtype.itemsize} bytes, but holds {len(raw)} bytes."
        )
    array: NDArray[Any] = np.frombuffer(raw, dtype=dtype).reshape(
        shape, order="F" if fortran else "C"
    )
    return array.astype(dtype.newbyteorder("="))
