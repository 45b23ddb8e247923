"""Checkpoints: a run's whole state in a file without pickle, from which it goes on bit for bit."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.chromosome import count_genes, reshape
from ga_ann.history import History
from ga_ann.network import pair_layers
from ga_ann.storage.archive import entry, member, read_archive, to_json, write_archive
from ga_ann.storage.files import named_errors
from ga_ann.storage.model import pack_history, unpack_history

__all__ = [
    "Snapshot",
    "describe_difference",
    "fingerprint",
    "fingerprint_function",
    "load_checkpoint",
    "save_checkpoint",
    "using_state",
]

MAY_CHANGE = ("n_generations", "max_time", "max_evaluations", "target_fitness")
"""Settings that a run may go on with another value of: they only say when it ends."""

ARRAYS = ("population", "fitness", "ranking", "best")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a run after a generation.

    Attributes
    ----------
    population : ndarray of shape (n_solutions, n_genes)
        The chromosomes.
    fitness, ranking : ndarray of shape (n_solutions,)
        What they were measured at; minus infinity and NaN where that failed.
    best : ndarray of shape (n_genes,)
        The best solution so far.
    shapes : list of tuple of int
        Shapes of the network's parameters.
    history : History
        The generations so far, and the settings of the run.
    state : dict
        Where the generator, the schedule and the search for the best stood.
    data : dict of str to str
        Fingerprints of the data, by name.
    versions : dict of str to str
        Of Python and of the packages that the bits depend on.
    """

    population: NDArray[Any]
    fitness: NDArray[np.float64]
    ranking: NDArray[np.float64]
    best: NDArray[Any]
    shapes: list[tuple[int, ...]]
    history: History
    state: dict[str, Any]
    data: dict[str, str]
    versions: dict[str, str]

    def __post_init__(self) -> None:
        if [len(shape) for shape in self.shapes[:1]] != [2] or any(
            len(shape) not in (1, 2) for shape in self.shapes
        ):
            raise ValueError(f"shapes must be those of a network, got {self.shapes}")
        n_genes = count_genes(self.shapes)
        n_solutions = len(self.population)
        expected = {
            "population": (n_solutions, n_genes),
            "fitness": (n_solutions,),
            "ranking": (n_solutions,),
            "best": (n_genes,),
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype.kind != "f":
                raise ValueError(
                    f"{name} must hold floats of shape {shape}, got {array.dtype} of {array.shape}"
                )
        pair_layers(self.weights)
        if not len(self.history):
            raise ValueError("its history has no generation")

    @property
    def generation(self) -> int:
        """Number of the last generation; 0 is the initial population."""
        return len(self.history) - 1

    @property
    def weights(self) -> list[NDArray[Any]]:
        """The best network's parameters so far."""
        return reshape(self.best, self.shapes)


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
    """Return a checksum of what a function does, wherever it stands; of other things, their repr.

    Examples
    --------
    >>> one, same, other = lambda a: a + 1, lambda a: a + 1, lambda a: a - 1
    >>> fingerprint_function(one) == fingerprint_function(same) != fingerprint_function(other)
    True
    """
    code = getattr(function, "__code__", None)
    return repr(function) if code is None else sha256(_as_text(code).encode()).hexdigest()


def _as_text(code: CodeType) -> str:
    constants = [
        _as_text(value) if isinstance(value, CodeType) else repr(value) for value in code.co_consts
    ]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def versions() -> dict[str, str]:
    """Return the versions that the bits of a run depend on."""
    return {"python": platform.python_version(), "numpy": np.__version__}


def describe_difference(
    snapshot: Snapshot, settings: Mapping[str, Any], data: Mapping[str, str]
) -> str:
    """Return in what a run differs from that of a checkpoint, and "" if it may go on from there.

    Parameters
    ----------
    snapshot : Snapshot
        Where the run is to go on.
    settings : mapping
        Its settings. Those that only say when the run ends may differ.
    data : mapping
        Fingerprints of its data.
    """
    # What went through a file has lists for tuples.
    given = json.loads(json.dumps(dict(settings), default=to_json))
    held = json.loads(json.dumps(snapshot.history.settings, default=to_json))
    parts = [
        f"{name}={given.get(name)!r} where it was {held.get(name)!r}"
        for name in sorted(given.keys() | held.keys())
        if name not in MAY_CHANGE and given.get(name) != held.get(name)
    ]
    parts += [
        f"another {name}"
        for name in sorted(data.keys() | snapshot.data.keys())
        if data.get(name) != snapshot.data.get(name)
    ]
    return ", ".join(parts)


@contextmanager
def using_state() -> Iterator[None]:
    """Turn what a part of the state that is missing or wrong provokes into a ValueError."""
    try:
        yield
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the checkpoint's state cannot be used: {error!r}.") from error


def save_checkpoint(path: str | os.PathLike[str], snapshot: Snapshot) -> None:
    """Save a checkpoint; the one that it replaces stays under the name ``path + ".previous"``.

    Parameters
    ----------
    path : path-like
        The file, named exactly so. Its folder must exist.
    snapshot : Snapshot
        The state.

    Raises
    ------
    OSError
        If it cannot be written; the old file is then as it was.
    """
    about, columns = pack_history(snapshot.history)
    header = {
        "history": about,
        "shapes": [list(shape) for shape in snapshot.shapes],
        "state": snapshot.state,
        "data": snapshot.data,
        "versions": snapshot.versions,
    }
    arrays = {name: getattr(snapshot, name) for name in ARRAYS} | columns
    write_archive(path, "checkpoint", header, arrays, compress=False, keep_previous=True)


def load_checkpoint(path: str | os.PathLike[str]) -> Snapshot:
    """Load a checkpoint; no function of the user's is needed to look at it.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    Snapshot

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is no checkpoint, or comes from a newer version; the message names
        the file and the reason. Nothing in the file is ever unpickled.
    """
    with named_errors(path, "a checkpoint"):
        header, arrays = read_archive(path, "checkpoint")
        state = entry(header, "state", dict)
        _check_state(state)
        return Snapshot(
            **{name: member(arrays, name) for name in ARRAYS},
            shapes=[_as_shape(shape) for shape in entry(header, "shapes", list)],
            history=unpack_history(header, arrays),
            state=state,
            data=entry(header, "data", dict),
            versions=entry(header, "versions", dict),
        )


def _as_shape(sizes: object) -> tuple[int, ...]:
    if not isinstance(sizes, list) or not all(type(n) is int and n > 0 for n in sizes):
        raise ValueError(f"a shape must be a list of positive integers, got {sizes!r}")
    return tuple(sizes)


def _check_state(state: dict[str, Any]) -> None:
    """Check what NumPy does not, and what leads to anything but a ValueError later."""
    entry(state, "schedule", dict)
    _check_generator(entry(state, "rng", dict))
    if (engine := state.get("engine")) is not None:
        _check_generator(entry(entry(state, "engine", dict), "numpy", dict))
        if not isinstance(engine.get("python"), list):
            raise ValueError("the state of Python's generator is missing")


def _check_generator(state: dict[str, Any]) -> None:
    """Refuse a position outside the generator's numbers: NumPy would read whatever lies there."""
    name = entry(state, "bit_generator", str)
    if name == "MT19937":
        inner = entry(state, "state", dict)
        position, length, highest = inner.get("pos"), len(entry(inner, "key", list)), 624
    elif name == "Philox":
        position, length, highest = state.get("buffer_pos"), len(entry(state, "buffer", list)), 4
    else:
        return
    if type(position) is not int or not 0 <= position <= highest or length != highest:
        raise ValueError(f"the state of its generator {name} is none")
