"""Files: written whole or not at all, and read with suspicion.

An npz archive is checked against its declared sizes before anything of these sizes is allocated,
and nothing in it is ever unpickled. It may unpack to `MOST_UNPACKED` bytes or, if it is large, to
`MOST_RATIO` times its own size; reading it takes at most three times as much memory.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import reprlib
import secrets
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeGuard

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

__all__ = [
    "array_from_bytes",
    "check_writable",
    "check_zip_sizes",
    "clear_unfinished",
    "named_errors",
    "parse_npy",
    "read_npz",
    "replacing",
]

PathLike = str | os.PathLike[str]

MOST_UNPACKED = 64 * 2**20
"""Bytes that any archive may unpack to."""

MOST_RATIO = 100
"""What a larger one may unpack to, in units of its own size."""

MOST_AXES = 32
"""Axes that an array in a file may have; older versions of NumPy know no more."""


def check_writable(path: PathLike) -> Path:
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
    unfinished = target.parent / f"{_mark(target)}{secrets.token_hex(8)}.tmp"
    try:
        target.exists()  # raises if the name is too long
        yield unfinished, unfinished.open("x+b")
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(unfinished)):
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _mark(target: Path) -> str:
    """Return what the names of a target's unfinished files begin with."""
    # The name itself would make too long a name of a long one.
    return f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"


def clear_unfinished(path: PathLike) -> None:
    """Remove what writings of a file that were killed left beside it.

    Nobody else may be writing the file. What cannot be removed stays, and does no harm.
    """
    target = Path(path)
    for unfinished in target.parent.glob(f"{_mark(target)}*.tmp"):
        with suppress(OSError):
            unfinished.unlink()


@contextmanager
def replacing(path: PathLike, *, keep_previous: bool = False) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` in one step when the block ends well.

    It is written beside its target, flushed to the disk and renamed; after an error in the block,
    whatever was at `path` is still there, untouched.

    Parameters
    ----------
    path : path-like
        The target.
    keep_previous : bool, default=False
        Whether the file that is replaced stays under the name ``path + ".previous"``.

    Yields
    ------
    binary file object, for writing and reading

    Raises
    ------
    OSError
        See `check_writable`; it names the target.
    """
    target = check_writable(path)
    with _beside(target) as (unfinished, file):
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep_previous and target.exists():
            _keep(target)
        unfinished.replace(target)
        _flush_folder(target.parent)


def _keep(target: Path) -> None:
    """Give a file a second name; it keeps its first one, which is never without a whole file."""
    previous = target.with_name(target.name + ".previous")
    with _beside(previous) as (second, file):
        file.close()
        second.unlink()
        try:
            second.hardlink_to(target)
        except OSError:  # file systems without links
            shutil.copyfile(target, second)
        second.replace(previous)


def _flush_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where the system has a way to."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    except OSError:  # nor do some network file systems flush them
        pass
    finally:
        os.close(descriptor)


@contextmanager
def named_errors(path: PathLike, what: str) -> Iterator[None]:
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
        # A file's own words may hold the codes that a terminal obeys.
        reason = "".join(letter if letter.isprintable() else "?" for letter in reason)
        raise ValueError(f"{os.fspath(path)} cannot be read as {what}: {reason}") from error


def read_npz(path: PathLike, *choices: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Read arrays from an npz archive; to be called in a `named_errors` block.

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
        unpacks to more than `MOST_UNPACKED` bytes and `MOST_RATIO` times its size, or holds pickled
        objects.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError("it is no npz archive, or it is truncated.") from error
    with archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if len(members) < len(archive.infolist()):
            raise ValueError("two of its arrays have the same name.")
        wanted = next((c for c in choices if members.keys() >= set(c)), ())
        if choices and not wanted:
            names = " or ".join(", ".join(choice) for choice in choices)
            raise ValueError(f"expected the arrays {names}; there are {sorted(members)}.")
        check_zip_sizes(archive.infolist(), Path(path).stat().st_size)
        return {name: _read_member(archive, members[name]) for name in wanted or members}


def check_zip_sizes(members: list[zipfile.ZipInfo], n_bytes: int) -> int:
    """Refuse sizes that cannot be true or are too large, before any of them is allocated.

    Parameters
    ----------
    members : list of zipfile.ZipInfo
        What an archive claims to hold.
    n_bytes : int
        The archive's size.

    Returns
    -------
    int
        The bytes that it unpacks to.

    Raises
    ------
    ValueError
        If they are refused.
    """
    if sum(info.compress_size for info in members) > n_bytes:
        raise ValueError("its members claim more bytes than the file has.")
    for info in members:
        # zipfile decompresses other kinds without regard to the size that they claim.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(
                f"{info.filename} is compressed in another way than numpy.savez_compressed does."
            )
        # deflate codes at best 258 bytes in 2 bits: what claims more than 1032 to 1 is no data.
        if info.file_size > 1032 * info.compress_size:
            raise ValueError(
                f"{info.filename} claims {info.file_size} bytes out of {info.compress_size}."
            )
    unpacked = sum(info.file_size for info in members)
    if unpacked > max(MOST_UNPACKED, MOST_RATIO * n_bytes):
        raise ValueError(
            f"its {n_bytes:,} bytes unpack to {unpacked:,}, more than {MOST_RATIO} times as many; "
            "if you trust it, save its arrays again with numpy.savez, uncompressed."
        )
    return unpacked


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as member:
        # With a number, zipfile decompresses no more than that, and then checks the CRC.
        content = member.read(info.file_size)
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
        If the items would have to be unpickled, do not fill the shape, or are bytes that no boolean
        or character has.
    """
    if dtype.kind not in "biufSU":
        held = "pickled Python objects, which are never loaded" if dtype.hasobject else f"{dtype}"
        raise ValueError(f"it holds an array of {held}; expected numbers or text.")
    if not _is_shape(shape):
        # In short, because nested tuples of a few bytes can have gigabytes of text.
        raise ValueError(f"it declares an array of shape {reprlib.repr(shape)}.")
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise ValueError(
            f"it declares {math.prod(shape)} items of {dtype}, "
            f"{math.prod(shape) * dtype.itemsize} bytes, but holds {len(raw)} bytes."
        )
    _check_items(raw, dtype)
    array: NDArray[Any] = np.frombuffer(raw, dtype=dtype).reshape(
        shape, order="F" if fortran else "C"
    )
    return array.astype(dtype.newbyteorder("="))


def _is_shape(shape: object) -> TypeGuard[tuple[int, ...]]:
    return (
        isinstance(shape, tuple)
        and len(shape) <= MOST_AXES
        and all(type(n) is int and 0 <= n < 2**63 for n in shape)
    )


def _check_items(raw: bytes | bytearray | memoryview, dtype: np.dtype[Any]) -> None:
    """Refuse booleans and characters that are none: NumPy and Python take them at their word."""
    if dtype.kind == "b":
        codes, highest = np.frombuffer(raw, dtype=np.uint8), 1
    elif dtype.kind == "U" and dtype.itemsize:
        code = np.dtype(np.uint32).newbyteorder(dtype.byteorder)
        codes, highest = np.frombuffer(raw, dtype=code), sys.maxunicode
    else:
        return
    if (largest := codes.max(initial=0)) > highest:
        raise ValueError(f"it holds {largest} where {dtype} has at most {highest}.")
