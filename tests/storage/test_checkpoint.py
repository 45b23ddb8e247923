"""States to files and back; that runs go on from them is tested in `faults/test_resume`."""

import json
from dataclasses import fields

import numpy as np
import pytest

from ga_ann.history import COLUMNS, History
from ga_ann.low_rank import LowRankNoise, LowRankPopulation
from ga_ann.schedule import Schedule
from ga_ann.state import Beginning, Best, State
from ga_ann.storage.archive import HEADER, read_archive, to_json, write_archive
from ga_ann.storage.checkpoint import (
    as_generator_state,
    describe_difference,
    load_checkpoint,
    numeric_versions,
    save_checkpoint,
)
from ga_ann.storage.model import save_history

SHAPES = [(3, 4), (4,), (4, 2), (2,)]
N_GENES = 26


def make_state(**changes):
    rng = np.random.default_rng(0)
    history = History(label="GA", settings={"sigma": 0.3, "hidden_layer_sizes": (4,)})
    history.append(generation=0, best_fitness=0.5)
    history.append(generation=1, best_fitness=0.75, seconds=0.1)
    parts = {
        "population": rng.normal(size=(5, N_GENES)).astype(np.float32),
        "fitness": np.array([0.5, -np.inf, 0.25, 0.75, 0.0]),
        "ranking": np.array([0.5, np.nan, 0.25, 0.75, 0.0]),
        "measured_on_all": True,
        "fitness_known": False,
        "best": Best(rng.normal(size=N_GENES).astype(np.float32), 0.75, -1 / 3, float("-inf")),
        "best_ranking": 0.1,
        "shapes": SHAPES,
        "history": history,
        "schedule": Schedule(0.5, 20, 100, 0.8),
        "rng": rng,
        "noise_seed": 2**32 - 1,
        "engine_seed": 7,
        "random_state": 3,
        "beginning": Beginning(1, 12.5, 0.1),
        "n_evaluated": 1 / 3,
        "fingerprints": {"X": "ab", "y": "cd"},
        "versions": numeric_versions(),
    }
    return State(**parts | changes)


def make_low_rank(rank=1, *, dtype=np.float32, n=5, seed=2**32 - 1):
    rng = np.random.default_rng(1)
    scales = [rng.uniform(size=shape[-1]) for shape in SHAPES]
    noise = LowRankNoise(seed, SHAPES, scales, rank=rank, n_places=1000, dtype=dtype)
    mean = rng.normal(size=N_GENES).astype(dtype)
    return LowRankPopulation(mean, noise.draw_places(rng, n), 1 / 3, noise)


def assert_equal(held, state):
    assert {field.name for field in fields(State)} >= vars(held).keys()
    assert type(held.population) is type(state.population)
    for name in ("population", "fitness", "ranking"):
        a, b = np.asarray(getattr(held, name)), np.asarray(getattr(state, name))
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    np.testing.assert_array_equal(held.best.solution, state.best.solution)
    assert held.best.solution.dtype == state.best.solution.dtype
    np.testing.assert_equal(held.best[1:], state.best[1:])
    for name in COLUMNS:
        np.testing.assert_array_equal(held.history[name], state.history[name])
    np.testing.assert_equal(held.rng.bit_generator.state, state.rng.bit_generator.state)
    others = vars(held).keys() - {"population", "fitness", "ranking", "best", "history", "rng"}
    for name in others:
        np.testing.assert_equal(getattr(held, name), getattr(state, name))


@pytest.mark.parametrize("nan", [None, "best_ranking"])
def test_everything_comes_back(tmp_path, nan):
    state = make_state(**{nan: float("nan")} if nan else {})
    state.schedule.best, state.schedule.waited = 0.625, 2
    save_checkpoint(tmp_path / "run.npz", state)
    held = load_checkpoint(tmp_path / "run.npz")
    assert_equal(held, state)
    assert held.history.settings == {"sigma": 0.3, "hidden_layer_sizes": [4]}
    assert held.generation == 1
    assert [W.shape for W in held.weights] == SHAPES
    flat = np.concatenate([W.ravel() for W in held.weights])
    np.testing.assert_array_equal(flat, held.best.solution)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rank", [1, 2])
def test_a_low_rank_population_comes_back_as_recipes(tmp_path, rank, dtype):
    state = make_state(population=make_low_rank(rank, dtype=dtype))
    save_checkpoint(tmp_path / "run.npz", state)
    held = load_checkpoint(tmp_path / "run.npz")
    assert_equal(held, state)
    for a, b in (
        (held.population.mean, state.population.mean),
        (held.population.places, state.population.places),
        (held.population.noise.table, state.population.noise.table),
        *zip(held.population.noise.scales, state.population.noise.scales, strict=True),
    ):
        assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())
    assert held.population.noise.rank == rank
    assert held.population.sigma == 1 / 3
    with np.load(tmp_path / "run.npz") as archive:
        assert {"mean", "places", "scales"} < set(archive)
        assert "population" not in archive


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_mean_of_dense_solutions_comes_back(tmp_path, dtype):
    mean = np.random.default_rng(2).normal(size=N_GENES).astype(dtype)
    save_checkpoint(tmp_path / "run.npz", make_state(mean=mean))
    held = load_checkpoint(tmp_path / "run.npz").mean
    assert (held.dtype, held.tobytes()) == (mean.dtype, mean.tobytes())
    for bad in (mean[1:], mean[None], mean.astype(int)):
        save_checkpoint(tmp_path / "run.npz", make_state(mean=bad))
        with pytest.raises(ValueError, match=r"run\.npz .*mean must hold floats of shape \(26,\)"):
            load_checkpoint(tmp_path / "run.npz")


@pytest.mark.parametrize("name", ["engine", "random_state"])
def test_what_there_was_none_of_is_none_again(tmp_path, name):
    save_checkpoint(tmp_path / "run.npz", make_state(**{name: None}))
    assert getattr(load_checkpoint(tmp_path / "run.npz"), name) is None


def test_the_one_before_is_kept(tmp_path):
    path = tmp_path / "run.npz"
    first = make_state()
    save_checkpoint(path, first)
    later = make_state()
    later.history.append(generation=2)
    save_checkpoint(path, later)
    assert load_checkpoint(path).generation == 2
    assert load_checkpoint(tmp_path / "run.npz.previous").generation == 1
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("kind", ["MT19937", "Philox", "SFC64", "PCG64", "PCG64DXSM"])
def test_the_state_of_any_generator(tmp_path, kind):
    """As JSON: arrays become lists, and integers of 128 bits stay what they are."""
    rng = np.random.Generator(getattr(np.random, kind)(7))
    rng.normal(size=3)
    rng.integers(9, dtype=np.int32)  # half of a word is left
    save_checkpoint(tmp_path / "run.npz", make_state(rng=rng))
    held = load_checkpoint(tmp_path / "run.npz").rng
    np.testing.assert_equal(held.bit_generator.state, rng.bit_generator.state)
    assert held.integers(9, size=9, dtype=np.int32).tolist() == (
        rng.integers(9, size=9, dtype=np.int32).tolist()
    )


def test_lists_in_a_generators_state_become_arrays():
    state = np.random.Philox(3).state
    plain = json.loads(json.dumps(state, default=to_json))
    back = as_generator_state(plain)
    np.testing.assert_equal(back, state)
    assert back["state"]["counter"].dtype == np.uint64


@pytest.mark.parametrize("name", ["rng", "best", "best_ranking", "n_evaluated", "beginning"])
@pytest.mark.parametrize("value", ["high", [None], {}, "missing"])
def test_a_part_of_the_state_that_is_missing_or_wrong_is_told(tmp_path, name, value):
    path = tmp_path / "run.npz"
    save_checkpoint(path, make_state())
    header, arrays = read_archive(path, "checkpoint")
    del arrays[HEADER]
    if value == "missing":
        del header["state"][name]
    else:
        header["state"][name] = value
    write_archive(path, "checkpoint", header, arrays)
    with pytest.raises(ValueError, match=r"run\.npz .*the checkpoint's state cannot be used"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"population": np.zeros((5, N_GENES + 1))},
            r"population must hold floats of shape \(5, 2",
        ),
        ({"population": np.zeros((5, N_GENES), int)}, "got int64"),
        ({"fitness": np.zeros(4)}, r"fitness must .* got float64 of \(4,\)"),
        ({"ranking": np.zeros((5, 1))}, "ranking"),
        ({"best": Best(np.zeros(3))}, "best must hold"),
        ({"shapes": []}, "those of a network"),
        ({"shapes": [(26,)]}, "those of a network"),
        ({"shapes": [(2, 3, 4)]}, "those of a network"),
        ({"history": History()}, "no generation"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, changes, message):
    save_checkpoint(tmp_path / "run.npz", make_state(**changes))
    with pytest.raises(ValueError, match=message):
        load_checkpoint(tmp_path / "run.npz")


def test_another_kind_of_file_is_named(tmp_path):
    save_history(tmp_path / "h.npz", make_state().history)
    with pytest.raises(ValueError, match=r"h\.npz cannot be read as a checkpoint: it holds a hist"):
        load_checkpoint(tmp_path / "h.npz")
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
        load_checkpoint(tmp_path / "nothing.npz")


# ---------------------------------------------------------------- differences


def test_differences_are_named_one_by_one():
    state = make_state()
    settings, data = state.history.settings, state.fingerprints
    assert describe_difference(state, settings, data) == ""
    # As they come back from a file, or as NumPy has them.
    assert describe_difference(state, settings | {"hidden_layer_sizes": [4]}, data) == ""
    assert describe_difference(state, settings | {"sigma": np.float64(0.3)}, data) == ""
    assert describe_difference(state, settings | {"sigma": 0.4}, data) == (
        "sigma=0.4 where it was 0.3"
    )
    assert describe_difference(state, {"sigma": 0.3}, data) == (
        "hidden_layer_sizes=None where it was [4]"
    )
    assert describe_difference(state, settings | {"tol": 1}, {"X": "ab", "y": "ef", "z": ""}) == (
        "tol=1 where it was None, another y, another z"
    )


@pytest.mark.parametrize("name", ["n_generations", "max_time", "max_evaluations", "target_fitness"])
def test_what_only_says_when_to_end_may_differ(name):
    state = make_state()
    settings = state.history.settings | {name: 99}
    assert describe_difference(state, settings, state.fingerprints) == ""
    state.history.settings[name] = 98
    assert describe_difference(state, settings, state.fingerprints) == ""


def test_versions_say_what_the_bits_depend_on():
    assert numeric_versions()["numpy"] == np.__version__
    assert numeric_versions()["python"].startswith("3.")
