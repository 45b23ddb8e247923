"""Checkpoints: the state of a run in a file without pickle, from which it goes on bit for bit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.chromosome import count_genes, reshape
from ga_ann.history import History
from ga_ann.low_rank import LowRankNoise, LowRankPopulation, count_places
from ga_ann.network import pair_layers
from ga_ann.schedule import Schedule
from ga_ann.state import Beginning, Best, State
from ga_ann.storage.archive import entry, member, read_archive, to_json, write_archive
from ga_ann.storage.environment import package_versions
from ga_ann.storage.files import named_errors, read_npz
from ga_ann.storage.model import pack_history, unpack_history
from ga_ann.validation import check_number

__all__ = [
    "as_generator_state",
    "describe_difference",
    "has_behind_it",
    "load_checkpoint",
    "numeric_versions",
    "save_checkpoint",
    "using_state",
]

MAY_CHANGE = ("n_generations", "max_time", "max_evaluations", "target_fitness")
"""Settings that a run may go on with another value of: they only say when it ends."""

ACTIVATIONS = ("activation", "output_activation")
"""Settings that name activations."""

SYNONYMS = {"logistic": "sigmoid"}
"""Activations with two names."""

ARRAYS = ("fitness", "ranking", "best")

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")

FLAGS = ("measured_on_all", "fitness_known")
NUMBERS = ("best_ranking", "n_evaluated")
SEEDS = ("noise_seed", "engine_seed")

_NUMERIC = package_versions("numpy")


def numeric_versions() -> dict[str, str]:
    """Return the versions that the bits of a run depend on."""
    return dict(_NUMERIC)


def describe_difference(
    held: State, settings: Mapping[str, Any], fingerprints: Mapping[str, str]
) -> str:
    """Return in what a run differs from that of a checkpoint, and "" if it may go on from there.

    Parameters
    ----------
    held : State
        Where the run is to go on.
    settings : mapping
        Its settings. Those that only say when the run ends may differ.
    fingerprints : mapping
        Those of its data and functions.
    """
    given, before = _comparable(settings), _comparable(held.history.settings)
    parts = [
        f"{name}={given.get(name)!r} where it was {before.get(name)!r}"
        for name in sorted(given.keys() | before.keys())
        if name not in MAY_CHANGE and given.get(name) != before.get(name)
    ]
    parts += [
        f"another {name}"
        for name in sorted(fingerprints.keys() | held.fingerprints.keys())
        if fingerprints.get(name) != held.fingerprints.get(name)
    ]
    return ", ".join(parts)


def _comparable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with one name for each thing, and lists for tuples, as files have them."""
    same: dict[str, Any] = json.loads(json.dumps(dict(settings), default=to_json))
    return same | {name: _by_one_name(same.get(name)) for name in ACTIVATIONS}


def _by_one_name(activations: Any) -> Any:
    """Return activations without their other names; a file's may be anything."""
    if isinstance(activations, list):
        return [_by_one_name(one) for one in activations]
    return SYNONYMS.get(activations, activations) if isinstance(activations, str) else activations


@contextmanager
def using_state() -> Iterator[None]:
    """Turn what a part of the state that is missing or wrong provokes into a ValueError."""
    try:
        yield
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the checkpoint's state cannot be used: {error!r}.") from error


def save_checkpoint(path: str | os.PathLike[str], state: State) -> None:
    """Save a checkpoint; the one that it replaces stays under the name ``path + ".previous"``.

    Parameters
    ----------
    path : path-like
        The file, named exactly so. Its folder must exist.
    state : State
        The state, of a run that has measured a generation.

    Raises
    ------
    OSError
        If it cannot be written; the old file is then as it was.
    """
    about, columns = pack_history(state.history)
    names = (*FLAGS, *NUMBERS, *SEEDS, "engine", "random_state")
    best = state.best._asdict()
    population, about_population = _pack_population(state)
    arrays = population | {
        "fitness": state.fitness,
        "ranking": state.ranking,
        "best": best.pop("solution"),
    }
    header = {
        "history": about,
        "shapes": [list(shape) for shape in state.shapes],
        "state": {
            **{name: getattr(state, name) for name in names},
            "low_rank": about_population,
            "best": best,
            "beginning": state.beginning._asdict(),
            "schedule": asdict(state.schedule),
            "rng": state.rng.bit_generator.state,
        },
        "data": dict(state.fingerprints),
        "versions": dict(state.versions),
    }
    write_archive(path, "checkpoint", header, arrays | columns, compress=False, keep_previous=True)


def load_checkpoint(path: str | os.PathLike[str]) -> State:
    """Load a checkpoint; no function of the user's is needed to look at it.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    State

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
        shapes = [_as_shape(shape) for shape in entry(header, "shapes", list)]
        state = entry(header, "state", dict)
        held: dict[str, Any] = {name: member(arrays, name) for name in ARRAYS}
        with using_state():
            held |= _unpack_population(arrays, state, shapes)
        _check_arrays(held, shapes)
        history = unpack_history(header, arrays)
        if not len(history):
            raise ValueError("its history has no generation")
        with using_state():
            scalars = _read_state(state, held.pop("best"))
            if not 0 <= scalars["beginning"].n_rows <= len(history):
                raise ValueError(f"its history has {len(history)} rows, of {scalars['beginning']}")
        return State(
            **held,
            **scalars,
            shapes=shapes,
            history=history,
            fingerprints=entry(header, "data", dict),
            versions=entry(header, "versions", dict),
        )


def has_behind_it(history: History, path: str | os.PathLike[str]) -> bool:
    """Tell whether a run has behind it what a checkpoint holds; nothing else of the file is read.

    Parameters
    ----------
    history : History
        The generations of the run so far.
    path : path-like
        The checkpoint.

    Raises
    ------
    ValueError
        If the file cannot be read as a checkpoint.
    """
    # The seconds tell runs apart: no two take the same time to the last bit. What else a result
    # says of its last generation may be more than the checkpoint does.
    names = ("generation", "seconds")
    with named_errors(path, "a checkpoint"):
        held = read_npz(path, tuple(f"history/{name}" for name in names))
    last = [column.ravel()[-1:].tolist() for column in held.values()]
    rows = zip(*(history[name].tolist() for name in names), strict=True)
    return last in [[[value] for value in row] for row in rows]


def _pack_population(state: State) -> tuple[dict[str, NDArray[Any]], dict[str, Any] | None]:
    """Return the arrays of a population, and what else it takes if they are recipes."""
    population = state.population
    if not isinstance(population, LowRankPopulation):
        mean = {} if state.mean is None else {"mean": state.mean}
        return {"population": population} | mean, None
    noise = population.noise
    arrays = {
        "mean": population.mean,
        "places": population.places,
        "scales": np.concatenate(noise.scales),
    }
    about = {
        "sigma": population.sigma,
        "rank": noise.rank,
        "n_places": noise.n_places,
        "n_factors": noise.n_factors,
    }
    return arrays, about


def _unpack_population(
    arrays: Mapping[str, NDArray[Any]], state: dict[str, Any], shapes: list[tuple[int, ...]]
) -> dict[str, Any]:
    if (about := state.get("low_rank")) is None:
        return {"population": member(arrays, "population"), "mean": arrays.get("mean")}
    about = entry(state, "low_rank", dict)
    if "n_factors" not in about:
        raise ValueError("it was written by a version whose places stand for other mutations")
    mean, places, scales = (member(arrays, name) for name in ("mean", "places", "scales"))
    n_places, rank, sigma = about["n_places"], about["rank"], about["sigma"]
    check_number(rank, "rank", Integral, low=1)
    check_number(sigma, "sigma", low=0)
    if places.dtype != np.int64 or places.ndim != 1:
        raise ValueError(f"its places must be int64 in a row, got {places.dtype} {places.shape}")
    # The table is not in the file: it must not be larger than that of such a run.
    check_number(n_places, "n_places", Integral, low=1, high=count_places(len(places)))
    if places.min(initial=0) < 0 or places.max(initial=0) >= n_places:
        raise ValueError(f"its places must be at least 0 and below {n_places}")
    if mean.shape != (count_genes(shapes),) or mean.dtype not in (np.float32, np.float64):
        raise ValueError(f"its mean must be {count_genes(shapes)} floats, got {mean.shape}")
    widths = [shape[-1] for shape in shapes]
    if scales.shape != (sum(widths),) or scales.dtype != mean.dtype:
        raise ValueError(f"its scales must be {sum(widths)} {mean.dtype}, got {scales.shape}")
    if not (np.isfinite(scales) & (scales >= 0)).all():
        raise ValueError("its scales must be finite and at least 0")
    noise = LowRankNoise(
        int(state["noise_seed"]),
        shapes,
        np.split(scales, np.cumsum(widths)[:-1]),
        rank=rank,
        n_places=n_places,
        dtype=mean.dtype,
    )
    if about["n_factors"] != noise.n_factors:
        raise ValueError(f"its places must be of {noise.n_factors} numbers")
    return {"population": LowRankPopulation(mean, places, float(sigma), noise), "mean": None}


def _as_shape(sizes: object) -> tuple[int, ...]:
    if not isinstance(sizes, list) or not all(type(n) is int and n > 0 for n in sizes):
        raise ValueError(f"a shape must be a list of positive integers, got {sizes!r}")
    return tuple(sizes)


def _check_arrays(arrays: Mapping[str, NDArray[Any]], shapes: list[tuple[int, ...]]) -> None:
    """Refuse arrays that are not those of a population of such networks."""
    if [len(shape) for shape in shapes[:1]] != [2] or any(
        len(shape) not in (1, 2) for shape in shapes
    ):
        raise ValueError(f"shapes must be those of a network, got {shapes}")
    n_solutions, n_genes = len(arrays["population"]), count_genes(shapes)
    expected = {
        "population": (n_solutions, n_genes),
        "fitness": (n_solutions,),
        "ranking": (n_solutions,),
        "best": (n_genes,),
        "mean": (n_genes,),
    }
    for name, shape in expected.items():
        array = arrays[name]
        if array is None:
            continue
        if array.shape != shape or array.dtype.kind != "f":
            raise ValueError(
                f"{name} must hold floats of shape {shape}, got {array.dtype} of {array.shape}"
            )
    pair_layers(reshape(arrays["best"], shapes))


def _read_state(state: dict[str, Any], solution: NDArray[Any]) -> dict[str, Any]:
    """Return what is no array, checked: also what NumPy takes at its word."""
    seeds = {name: int(state[name]) for name in SEEDS}
    if not all(0 <= seed < 2**32 for seed in seeds.values()):
        raise ValueError(f"seeds must be at least 0 and below 2**32, got {seeds}")
    best, beginning = entry(state, "best", dict), entry(state, "beginning", dict)
    seed = state.get("random_state")
    return {
        **seeds,
        **{name: bool(state[name]) for name in FLAGS},
        **{name: float(state[name]) for name in NUMBERS},
        "best": Best(solution, **{name: float(best[name]) for name in Best._fields[1:]}),
        "beginning": Beginning(
            int(beginning["n_rows"]), float(beginning["evaluations"]), float(beginning["seconds"])
        ),
        "schedule": Schedule.from_dict(entry(state, "schedule", dict)),
        "rng": _read_generator(entry(state, "rng", dict)),
        "engine": _check_engine(state.get("engine")),
        "random_state": seed if isinstance(seed, int) else None,
    }


def _read_generator(state: dict[str, Any]) -> np.random.Generator:
    _check_generator(state)
    name = state["bit_generator"]
    if name not in BIT_GENERATORS:
        raise ValueError(f"its generator must be one of {list(BIT_GENERATORS)}, got {name!r}")
    rng = np.random.Generator(getattr(np.random, name)())
    rng.bit_generator.state = as_generator_state(state)
    return rng


def _check_engine(engine: Any) -> dict[str, Any] | None:
    """Return the state of PyGAD's generators, if it is one."""
    if engine is None:
        return None
    _check_generator(entry({"engine": engine}, "engine", dict).get("numpy"))
    if not isinstance(engine.get("python"), list):
        raise ValueError("the state of Python's generator is missing")
    return dict(engine)


def _check_generator(state: Any) -> None:
    """Refuse a position outside the generator's numbers: NumPy would read whatever lies there."""
    name = entry(entry({"rng": state}, "rng", dict), "bit_generator", str)
    if name == "MT19937":
        inner = entry(state, "state", dict)
        position, length, highest = inner.get("pos"), len(entry(inner, "key", list)), 624
    elif name == "Philox":
        position, length, highest = state.get("buffer_pos"), len(entry(state, "buffer", list)), 4
    else:
        return
    if type(position) is not int or not 0 <= position <= highest or length != highest:
        raise ValueError(f"the state of its generator {name} is none")


def as_generator_state(state: Any) -> Any:
    """Return a generator's state as NumPy takes it; files have lists for arrays."""
    if isinstance(state, dict):
        return {name: as_generator_state(value) for name, value in state.items()}
    return np.array(state, dtype=np.uint64) if isinstance(state, list) else state
