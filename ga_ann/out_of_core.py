"""Samples that stay on disk: rows of numbers in a file, read when somebody computes with them.

They are indexed like an array. What is small comes as one; what is large stays where it is, and is
read in chunks of rows. Nothing is mapped into memory: a file counts for what is being read of it.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.lib import format as npy
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.preprocessing import StandardScaler

__all__ = [
    "HELD_BYTES",
    "READ_ROWS",
    "SamplesLike",
    "StoredColumns",
    "StoredSamples",
    "hold",
    "is_zarr_folder",
    "mean_squares",
    "open_samples",
]

HELD_BYTES = 2**26
"""What samples may take to be held as an array: a whole set, or a batch."""

READ_BYTES = 2**25
"""What is read at once at most."""

COPIED_BYTES = 2**24
"""What is read at once, about, of what is written to a temporary file; decoders take as much."""

READ_ROWS = 2**13
"""Rows of a chunk at most: few features may have wide layers behind them."""

ZARR_FILES = ("zarr.json", ".zarray")
"""What tells a Zarr array's shape and type, in version 3 of the format and in version 2."""

CODECS = {
    *("blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd"),
    *("adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3"),
    *("astype", "bitround", "bytes", "delta", "fixedscaleoffset", "packbits", "quantize"),
    *("shuffle", "sharding_indexed", "transpose"),
}
"""How a Zarr array may be coded. Others are not known to be safe: one of them unpickles."""


class Summary(NamedTuple):
    """What one pass over samples tells: they are finite, and how large they are."""

    least: float
    largest: float
    mean_squares: NDArray[np.float64]


class StoredSamples:
    """Samples that are read by rows, as `open_samples` returns them.

    They are indexed by rows, as an array is: ``samples[rows]`` is an array where it takes up to
    64 MiB, and samples that stay on disk where it would take more. They are pickled as the name of
    their file, which whoever unpickles them opens for himself.

    Attributes
    ----------
    shape : tuple of int
        Numbers of samples and of features.
    dtype : dtype
        What their numbers come as.
    columns : tuple of str
        The names of the features; empty where the file has none.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/X.npy", np.arange(6.0).reshape(3, 2))
    ...     samples = open_samples(f"{folder}/X.npy")
    ...     samples.shape, samples[[2, 0]].tolist(), samples.standardised()[:].mean(axis=0).tolist()
    ((3, 2), [[4.0, 5.0], [0.0, 1.0]], [0.0, 0.0])
    """

    ndim = 2

    def __init__(
        self,
        file: _RowFile,
        rows: range | NDArray[np.intp],
        dtype: DTypeLike,
        scaling: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    ) -> None:
        self._file = file
        self._rows = rows
        self._scaling = scaling
        self.dtype = np.dtype(dtype)
        self.shape = (len(rows), file.shape[1])
        self.columns = file.names

    def __repr__(self) -> str:
        return f"StoredSamples({str(self._file.path)!r}, shape={self.shape}, dtype={self.dtype})"

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, *arguments: Any, **options: Any) -> NDArray[Any]:
        """Refuse to become an array without being asked for one."""
        raise TypeError(
            f"{self!r} stays on disk, and this needs samples in memory; read some of them with "
            "samples[:n], or load the file."
        )

    @property
    def size(self) -> int:
        """Number of numbers."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that they would take as an array."""
        return self.size * self.dtype.itemsize

    def __getitem__(self, rows: slice | ArrayLike) -> NDArray[Any] | StoredSamples:
        """Return some of the samples, as an array if that is small."""
        part = self.part(rows)
        return part.read(0, len(part)) if part.nbytes <= HELD_BYTES else part

    def part(self, rows: slice | ArrayLike) -> StoredSamples:
        """Return some of the samples, on disk however small.

        Raises
        ------
        IndexError
            If there are no such rows.
        """
        chosen: Any
        if isinstance(rows, slice):
            chosen = self._rows[rows]
        else:
            given = np.asarray(rows)
            if given.dtype == bool and given.shape == (len(self),):
                given = np.flatnonzero(given)
            if given.ndim != 1 or given.dtype.kind not in "iu":
                raise IndexError(f"samples are indexed by rows, a slice or integers, got {rows!r}.")
            if given.size and not 0 <= given.min() <= given.max() < len(self):
                raise IndexError(f"rows must be from 0 to {len(self) - 1}, got {rows!r}.")
            consecutive = given.size > 0 and (np.diff(given) == 1).all()
            if consecutive:
                chosen = self._rows[int(given[0]) : int(given[-1]) + 1]
            elif isinstance(self._rows, range):
                chosen = given.astype(np.intp) * self._rows.step + self._rows.start
            else:
                chosen = self._rows[given]
        return StoredSamples(self._file, chosen, self.dtype, self._scaling)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return samples that follow each other as an array, however large."""
        rows = self._rows[start:stop]
        numbers = self._file.read(rows)
        if self._scaling is not None:
            numbers = numbers.astype(np.result_type(self._file.dtype, np.float32), copy=False)
            numbers -= self._scaling[0]
            numbers /= self._scaling[1]
        return numbers.astype(self.dtype, copy=False)

    def chunks(self) -> Iterator[NDArray[Any]]:
        """Yield all samples in their order, some rows at a time."""
        n_rows = min(READ_ROWS, self.most_at_once)
        for start in range(0, len(self), n_rows):
            yield self.read(start, start + n_rows)

    def map(self, function: Callable[[Any], NDArray[Any]]) -> NDArray[Any]:
        """Return what a function makes of the chunks; a row of its results is a sample's.

        It is given a DataFrame where the features have names.
        """
        return np.concatenate([function(self._named(chunk)) for chunk in self.chunks()], axis=-2)

    def _named(self, chunk: NDArray[Any]) -> Any:
        return pd.DataFrame(chunk, columns=list(self.columns)) if self.columns else chunk

    @property
    def most_at_once(self) -> int:
        """Number of rows to be read at once at most."""
        widest = max(self.dtype.itemsize, self._file.dtype.itemsize)
        return max(1, READ_BYTES // (self.shape[1] * widest))

    @property
    def head(self) -> Any:
        """The first sample, as an array or as a DataFrame with the features' names."""
        return self._named(self.read(0, 1))

    def astype(self, dtype: DTypeLike) -> StoredSamples:
        """Return the samples as numbers of another type."""
        return StoredSamples(self._file, self._rows, dtype, self._scaling)

    def scaled(self, mean: ArrayLike, scale: ArrayLike) -> StoredSamples:
        """Return the samples less `mean` and divided by `scale`, whenever they are read.

        Parameters
        ----------
        mean, scale : array-like of shape (n_features,)
            As a `StandardScaler` has them: `mean_` and `scale_`.

        Raises
        ------
        ValueError
            If one of them has another shape.
        """
        means, scales = (np.asarray(given, dtype=np.float64) for given in (mean, scale))
        if not means.shape == scales.shape == self.shape[1:]:
            raise ValueError(
                f"mean and scale must have shape {self.shape[1:]}, got {means.shape} and "
                f"{scales.shape}."
            )
        if self._scaling is not None:
            before = self._scaling
            means, scales = before[0] + before[1] * means, before[1] * scales
        dtype = np.result_type(self._file.dtype, np.float32)
        return StoredSamples(self._file, self._rows, dtype, (means, scales))

    def standardised(self) -> StoredSamples:
        """Return the samples with mean 0 and standard deviation 1, which one pass over them tells.

        The same figures for other samples, such as those that are held out or predicted later:
        ``other.scaled(*samples.moments())``.
        """
        return self.scaled(*self.moments())

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the features' means and standard deviations, 1 for a constant; in one pass."""
        scaler = StandardScaler()
        for chunk in self.chunks():
            scaler.partial_fit(chunk)
        return scaler.mean_, scaler.scale_

    def as_columns(self, *, contiguous: bool) -> StoredColumns:
        """Return the samples as columns, see `StoredColumns`."""
        return StoredColumns(self, contiguous)

    @cached_property
    def summary(self) -> Summary:
        """How large the samples are; one pass over them.

        Raises
        ------
        ValueError
            If a number is not finite.
        """
        extremes, squares, row = [], [], 0
        for chunk in self.chunks():
            extremes.append((float(chunk.min()), float(chunk.max())))
            if not np.isfinite(extremes[-1]).all():
                k, column = divmod(int(np.isfinite(chunk).argmin()), chunk.shape[1])
                raise ValueError(
                    f"X must hold finite numbers, got {chunk[k, column]} in row {row + k}, column "
                    f"{column} (counted from 0) of {self._file.path}."
                )
            row += len(chunk)
            squares.append(mean_squares(chunk))
        least, largest = np.array(extremes).T
        return Summary(float(least.min()), float(largest.max()), np.concatenate(squares))


@dataclass(frozen=True)
class StoredColumns:
    """Samples as columns: ``columns[:, a:b]`` reads those from `a` to `b`, and nothing else."""

    samples: StoredSamples
    contiguous: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and of samples."""
        return self.samples.shape[1], self.samples.shape[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        """What their numbers come as."""
        return self.samples.dtype

    @property
    def most_at_once(self) -> int:
        """Number of columns to be read at once at most."""
        return self.samples.most_at_once

    def __getitem__(self, place: Any) -> Any:
        """Return some of the columns."""
        _, columns = place
        read = self.samples.read(columns.start, columns.stop).T
        return np.ascontiguousarray(read) if self.contiguous else read

    def parts(self) -> Iterator[NDArray[Any]]:
        """Yield all columns in their order, some at a time."""
        return (chunk.T for chunk in self.samples.chunks())


def mean_squares(X: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean square of each row, without an array of the size of X in between."""
    sums = np.einsum("ij,ij->i", X, X, dtype=np.float64, casting="same_kind")
    means: NDArray[np.float64] = sums / X.shape[1]
    return means


SamplesLike = ArrayLike | os.PathLike[str] | StoredSamples
"""What functions take samples as."""


def hold(X: Any) -> Any:
    """Return samples as they are computed with: on disk where they are large, else in memory.

    Whatever is no file is returned as it is.

    Parameters
    ----------
    X : object
        What `open_samples` takes, or what it returned, or anything else.
    """
    if isinstance(X, np.memmap):
        if X.nbytes <= HELD_BYTES or X.ndim != 2 or _in_file(X) is None:
            return X
    elif not isinstance(X, str | os.PathLike | StoredSamples) and not _is_zarr(X):
        return X
    samples = X if isinstance(X, StoredSamples) else open_samples(X)
    if samples.nbytes > HELD_BYTES:
        return samples
    return samples._named(samples.read(0, len(samples)))


def open_samples(source: Any) -> StoredSamples:
    """Open samples that are on disk; only what is computed with is read of them.

    Parameters
    ----------
    source : path, numpy.memmap or Zarr array
        A ``.npy`` file, a folder with a Zarr array, or a Parquet file; numbers in two dimensions.
        What does not hold its rows one after the other (Zarr, Parquet, an array in Fortran's order)
        is written once, uncompressed, to a temporary file, see `tempfile.gettempdir`, that is gone
        when nobody uses the samples any more; a folder in memory (tmpfs) is no place for it.
        Parquet takes the extra ``ga-ann[tables]``, and the memory of some groups of rows;
        Zarr takes ``ga-ann[big]``, and the memory of some of its chunks.

    Returns
    -------
    StoredSamples

    Raises
    ------
    FileNotFoundError
        If there is nothing of that name.
    ImportError
        If the package that reads it is not installed.
    OSError
        If it must not be read, or there is no room for the temporary file.
    ValueError
        If it is damaged, truncated, or holds anything else; nothing in it is ever run.

    Examples
    --------
    >>> open_samples("missing.npy")
    Traceback (most recent call last):
    ...
    FileNotFoundError: there is no file or folder missing.npy.
    """
    if isinstance(source, StoredSamples):
        return source
    file = _open(source)
    return StoredSamples(file, range(file.shape[0]), file.dtype)


# ---------------------------------------------------------------- files of rows


class _RowFile:
    """An open file of rows of numbers, one after the other from `offset` on.

    `origin` is what it was opened from; `signature` tells whether it has changed since, and is None
    for a temporary file, which nobody else knows.
    """

    def __init__(
        self,
        origin: Any,
        file: IO[bytes],
        offset: int,
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        names: tuple[str, ...] = (),
        *,
        is_own: bool = False,
    ) -> None:
        self.origin, self.shape, self.dtype, self.names = origin, shape, dtype, names
        self._file, self._offset = file, offset
        weakref.finalize(self, file.close)
        self._row_bytes = shape[1] * dtype.itemsize
        self._lock = threading.Lock()
        self._signature = None if is_own else _signature(file)

    def __reduce__(self) -> Any:
        return _reopen, (self.origin, self.shape, self.dtype)

    @property
    def path(self) -> Any:
        """What messages call it."""
        return self.origin.path if isinstance(self.origin, _Raw) else self.origin

    def read(self, rows: range | NDArray[np.intp]) -> NDArray[Any]:
        """Return some rows: at once if they follow each other, else one by one."""
        numbers: NDArray[Any] = np.empty((len(rows), self.shape[1]), self.dtype)
        content = numbers.reshape(-1).view(np.uint8).data
        size = self._row_bytes
        if isinstance(rows, range) and rows.step == 1:
            if len(rows):
                self._fill(content, rows.start)
        else:
            for k, row in enumerate(rows if isinstance(rows, range) else rows.tolist()):
                self._fill(content[k * size : (k + 1) * size], row)
        if self._signature is not None and _signature(self._file) != self._signature:
            raise ValueError(f"{self.path} has changed after it was opened; start again.")
        return numbers

    def _fill(self, content: memoryview, row: int) -> None:
        place = self._offset + row * self._row_bytes
        if hasattr(os, "preadv"):  # has no position that threads and forks would share
            n_read = os.preadv(self._file.fileno(), (content,), place)
        else:
            with self._lock:
                self._file.seek(place)
                n_read = self._file.readinto(content)  # type: ignore[attr-defined]
        if n_read != content.nbytes:
            raise ValueError(f"{self.path} ends too early: it was truncated after it was opened.")


class _Raw(NamedTuple):
    """Rows of numbers in a file that says nothing about them: where a memmap has them."""

    path: str
    offset: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]


def _signature(file: IO[bytes]) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _reopen(origin: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> _RowFile:
    file = _open(origin)
    if (file.shape, file.dtype) != (shape, dtype):
        raise ValueError(
            f"{file.path} has changed: it holds {file.dtype} of shape {file.shape}, and held "
            f"{dtype} of shape {shape}."
        )
    return file


def _open(source: Any) -> _RowFile:
    if isinstance(source, _Raw):
        return _open_raw(source)
    if isinstance(source, np.memmap):
        place = _in_file(source)
        if place is not None:
            source.flush()  # of which the file's time tells
            return _open_raw(place)
        _check_table(source.shape, source.dtype, source.filename)
        return _spool(source.filename, source.shape, source.dtype, _slices(source))
    if _is_zarr(source):
        return _open_zarr(source, source)
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            "samples are opened from a path, a numpy.memmap or a Zarr array, got "
            f"{type(source).__name__}."
        )
    if not os.fspath(source) or not Path(source).exists():
        raise FileNotFoundError(f"there is no file or folder {os.fspath(source)}.")
    path = Path(source).absolute()
    if path.is_dir():
        return _open_zarr(str(path), _zarr_array(path))
    with path.open("rb") as file:
        start = file.read(6)
    if start == npy.MAGIC_PREFIX:
        return _open_npy(path)
    if start[:4] == b"PAR1":
        return _open_parquet(path)
    if start[:2] == b"PK":
        raise ValueError(
            f"{path} is an archive, of which no rows can be read alone; save its array with "
            "numpy.save, as a .npy file."
        )
    raise ValueError(
        f"{path} must be a .npy file, a Parquet file or a folder with a Zarr array; load any "
        "other, and give the array or the DataFrame."
    )


def _check_table(shape: Any, dtype: Any, path: Any) -> None:
    kind = getattr(dtype, "kind", "O")  # zarr has types of its own
    if len(shape) != 2 or 0 in shape or kind not in "biuf":
        raise ValueError(
            f"{path} must hold a 2-D table of numbers, at least one sample and one feature; got "
            f"{dtype} of shape {shape}."
        )


def _open_raw(place: _Raw) -> _RowFile:
    if not Path(place.path).exists():
        raise FileNotFoundError(f"there is no file or folder {place.path}.")
    _check_table(place.shape, place.dtype, place.path)
    file = Path(place.path).open("rb", buffering=0)  # noqa: SIM115 - it stays open
    if _signature(file)[0] < place.offset + prod(place.shape) * place.dtype.itemsize:
        file.close()
        raise ValueError(f"{place.path} ends too early: it was truncated after it was opened.")
    return _RowFile(place, file, place.offset, place.shape, place.dtype)


def _in_file(X: np.memmap[Any, Any]) -> _Raw | None:
    """Return where a memmap's numbers are; None if its file does not have them in their order."""
    mapped, name = getattr(X, "_mmap", None), X.filename
    if mapped is None or name is None or X.mode == "c" or not X.flags.c_contiguous:
        return None
    if not isinstance(name, str | os.PathLike) or not Path(name).is_file():
        return None
    # A view has the offset of what it is a view of.
    first = np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
    start = X.offset - X.offset % mmap.ALLOCATIONGRANULARITY
    place = start + X.__array_interface__["data"][0] - first
    shape: Any = X.shape
    return _Raw(str(Path(name).absolute()), place, shape, X.dtype)


def _open_npy(path: Path) -> _RowFile:
    shape: Any
    file = path.open("rb", buffering=0)
    try:
        try:
            version = npy.read_magic(file)
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
            shape, fortran, dtype = read(file)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path} cannot be read as a .npy file: {error}") from error
        if dtype.hasobject:
            raise ValueError(f"{path} holds pickled Python objects, which are never loaded.")
        _check_table(shape, dtype, path)
        offset, n_bytes = file.tell(), prod(shape) * dtype.itemsize
        if offset + n_bytes != _signature(file)[0]:
            raise ValueError(
                f"{path} declares {n_bytes:,} bytes of numbers and holds "
                f"{_signature(file)[0] - offset:,}: it is truncated or damaged."
            )
        if fortran:
            file.close()
            array = np.memmap(path, dtype, "r", offset, shape, order="F")
            return _spool(str(path), shape, dtype, _slices(array))
    except BaseException:
        file.close()
        raise
    return _RowFile(str(path), file, offset, shape, dtype)


# ---------------------------------------------------------------- what is written to a file once


def _spool(
    origin: Any,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    parts: Iterator[NDArray[Any]],
    names: tuple[str, ...] = (),
) -> _RowFile:
    """Write rows to a temporary file, which goes when it is closed, or with the process."""
    n_bytes = prod(shape) * dtype.itemsize
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if n_bytes > free:
        raise OSError(
            f"{origin} takes {n_bytes / 2**30:.2f} GiB in a temporary file, and "
            f"{tempfile.gettempdir()} has {free / 2**30:.2f}; set TMPDIR to a folder with more."
        )
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it stays open
    try:
        for part in parts:
            content = np.ascontiguousarray(part, dtype=dtype).reshape(-1).view(np.uint8).data
            while content:
                content = content[file.write(content) :]
        if file.tell() != n_bytes:
            raise ValueError(f"{origin} does not hold the rows that it declares.")
    except BaseException:
        file.close()
        raise
    return _RowFile(origin, file, 0, shape, dtype, names, is_own=True)


def _slices(array: Any, multiple: int = 1) -> Iterator[NDArray[Any]]:
    """Yield an array some rows at a time, a multiple of a number where that is not too many."""
    n_rows = max(1, COPIED_BYTES // (array.shape[1] * array.dtype.itemsize))
    n_rows = n_rows // multiple * multiple or n_rows
    for start in range(0, array.shape[0], n_rows):
        yield np.asarray(array[start : start + n_rows])


def is_zarr_folder(path: Path) -> bool:
    """Tell whether a folder says that it holds a Zarr array."""
    return any((path / name).is_file() for name in ZARR_FILES)


def _is_zarr(source: Any) -> bool:
    return type(source).__module__.partition(".")[0] == "zarr" and hasattr(source, "shape")


def _zarr_array(path: Path) -> Any:
    """Open a Zarr array, if it is one and nothing in it would be run."""
    files = [path / name for name in ZARR_FILES if (path / name).is_file()]
    if not files:
        raise ValueError(
            f"{path} is a folder without a Zarr array (zarr.json or .zarray); give the array's own "
            "folder, or a .npy or a Parquet file."
        )
    try:
        about = json.loads(files[0].read_bytes())
        coded = [about.get(key) for key in ("codecs", "filters", "compressor")]
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{files[0]} cannot be read as a Zarr array: {error}") from error
    unknown = sorted(set(_codecs(coded)) - CODECS)
    if unknown:
        raise ValueError(f"{path} is coded by {unknown}, which is not known to be safe to read.")
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            f"reading {path} needs zarr, which is not installed; install ga-ann[big]."
        ) from error
    try:
        return zarr.open_array(str(path), mode="r")
    except Exception as error:  # of a dozen types
        raise ValueError(f"{path} cannot be read as a Zarr array: {error}") from error


def _codecs(part: Any) -> Iterator[str]:
    """Yield the names of codecs, and of those within them."""
    if isinstance(part, list):
        for one in part:
            yield from _codecs(one)
    elif isinstance(part, dict):
        name = part.get("id", part.get("name"))
        if name is not None:
            yield str(name).removeprefix("numcodecs.")
        inner = part.get("configuration")
        if isinstance(inner, dict):
            yield from _codecs([inner.get("codecs"), inner.get("index_codecs")])


def _open_zarr(origin: Any, array: Any) -> _RowFile:
    _check_table(array.shape, array.dtype, origin)
    return _spool(origin, array.shape, array.dtype, _slices(array, array.chunks[0]))


def _open_parquet(path: Path) -> _RowFile:
    try:
        from pyarrow import ArrowException, parquet, types
    except ImportError as error:
        raise ImportError(
            f"reading {path} needs pyarrow, which is not installed; install ga-ann[tables]."
        ) from error
    try:
        # With a buffer for each column, neither the file nor a group of rows is read at once.
        with parquet.ParquetFile(path, buffer_size=2**14, pre_buffer=False) as table:
            fields = list(table.schema_arrow)
            for field in fields:
                kinds = (types.is_integer, types.is_floating, types.is_boolean)
                if not any(is_kind(field.type) for is_kind in kinds):
                    raise ValueError(
                        f"column {field.name!r} holds {field.type}, and samples are numbers alone."
                    )
            dtype = np.result_type(*(field.type.to_pandas_dtype() for field in fields))
            shape = (table.metadata.num_rows, len(fields))
            _check_table(shape, dtype, path)
            names = tuple(field.name for field in fields)
            n_rows = max(1, COPIED_BYTES // 4 // (shape[1] * dtype.itemsize))
            batches = table.iter_batches(n_rows, use_threads=False)  # which take more memory
            parts = (_as_rows(batch, dtype) for batch in batches)
            return _spool(str(path), shape, dtype, parts, names)
    except MemoryError:  # some of which are Arrow's
        raise
    except (ArrowException, ValueError) as error:
        raise ValueError(f"{path} cannot be read as samples: {error}") from error


def _as_rows(batch: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    rows: NDArray[Any] = np.empty((batch.num_rows, batch.num_columns), dtype)
    for k, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        if column.null_count:
            raise ValueError(f"column {name!r} has missing cells; fill them.")
        rows[:, k] = column.to_numpy(zero_copy_only=False)
    return rows
