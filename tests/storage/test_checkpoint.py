"""Snapshots to files and back; that runs go on from them is tested in `faults/test_resume`."""

import json

import numpy as np
import pytest

from ga_ann.history import COLUMNS, History
from ga_ann.storage.checkpoint import (
    Snapshot,
    describe_difference,
    fingerprint,
    load_checkpoint,
    save_checkpoint,
    versions,
)
from ga_ann.storage.model import save_history

SHAPES = [(3, 4), (4,), (4, 2), (2,)]
N_GENES = 26
STATE = {
    "rng": np.random.default_rng(0).bit_generator.state,
    "schedule": {"sigma": 0.5},
    "best_key": [float("-inf"), 0.25],
    "engine": None,
}


def make_snapshot(**changes):
    rng = np.random.default_rng(0)
    history = History(label="GA", settings={"sigma": 0.3, "hidden_layer_sizes": (4,)})
    history.append(generation=0, best_fitness=0.5)
    history.append(generation=1, best_fitness=0.75, seconds=0.1)
    parts = {
        "population": rng.normal(size=(5, N_GENES)).astype(np.float32),
        "fitness": np.array([0.5, -np.inf, 0.25, 0.75, 0.0]),
        "ranking": np.array([0.5, np.nan, 0.25, 0.75, 0.0]),
        "best": rng.normal(size=N_GENES).astype(np.float32),
        "shapes": SHAPES,
        "history": history,
        "state": STATE,
        "data": {"X": "ab", "y": "cd"},
        "versions": versions(),
    }
    return Snapshot(**parts | changes)


def test_everything_comes_back(tmp_path):
    snapshot = make_snapshot()
    save_checkpoint(tmp_path / "run.npz", snapshot)
    held = load_checkpoint(tmp_path / "run.npz")
    for name in ("population", "fitness", "ranking", "best"):
        a, b = getattr(held, name), getattr(snapshot, name)
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    for name in COLUMNS:
        np.testing.assert_array_equal(held.history[name], snapshot.history[name])
    assert held.history.settings == {"sigma": 0.3, "hidden_layer_sizes": [4]}
    for name in ("shapes", "state", "data", "versions"):
        assert getattr(held, name) == getattr(snapshot, name)
    assert held.generation == 1
    assert [W.shape for W in held.weights] == SHAPES
    np.testing.assert_array_equal(np.concatenate([W.ravel() for W in held.weights]), held.best)


def test_the_one_before_is_kept(tmp_path):
    path = tmp_path / "run.npz"
    first = make_snapshot()
    save_checkpoint(path, first)
    later = make_snapshot()
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
    save_checkpoint(
        tmp_path / "run.npz", make_snapshot(state=STATE | {"rng": rng.bit_generator.state})
    )
    state = load_checkpoint(tmp_path / "run.npz").state["rng"]
    np.testing.assert_equal(state, json.loads(json.dumps(state)))
    expected = rng.bit_generator.state

    def plain(value):
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items()}
        return value.tolist() if isinstance(value, np.ndarray) else value

    assert state == plain(expected)


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
        ({"best": np.zeros(3)}, "best"),
        ({"shapes": []}, "those of a network"),
        ({"shapes": [(26,)]}, "those of a network"),
        ({"shapes": [(2, 3, 4)]}, "those of a network"),
        ({"history": History()}, "no generation"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make_snapshot(**changes)


def test_another_kind_of_file_is_named(tmp_path):
    save_history(tmp_path / "h.npz", make_snapshot().history)
    with pytest.raises(ValueError, match=r"h\.npz cannot be read as a checkpoint: it holds a hist"):
        load_checkpoint(tmp_path / "h.npz")
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
        load_checkpoint(tmp_path / "nothing.npz")


# ---------------------------------------------------------------- fingerprints and differences


ARRAYS = [
    None,
    np.zeros(4),
    np.zeros(4, dtype=np.float32),
    np.zeros(8, dtype=np.float32),
    np.zeros((2, 2)),
    np.zeros((1, 4)),
    np.array([0.0, 0.0, 0.0, -0.0]),
    np.zeros(4, dtype=int),
    np.zeros(0),
    np.array(["a", "b"]),
    np.array(["a", "b"], dtype="<U2"),
    np.array(["a", "b"], dtype=object),
    np.array(["a", "c"], dtype=object),
]


def test_different_arrays_have_different_fingerprints():
    assert len({fingerprint(array) for array in ARRAYS}) == len(ARRAYS)
    assert fingerprint(None) == "none"


def test_equal_arrays_have_equal_fingerprints_whatever_their_layout():
    array = np.arange(12.0).reshape(3, 4)
    layouts = (array.copy(), np.asfortranarray(array), np.repeat(array, 2, axis=1)[:, ::2])
    assert {fingerprint(layout) for layout in layouts} == {fingerprint(array)}
    read_only = array.copy()
    read_only.setflags(write=False)
    assert fingerprint(read_only) == fingerprint(array)


def test_differences_are_named_one_by_one():
    snapshot = make_snapshot()
    settings, data = snapshot.history.settings, snapshot.data
    assert describe_difference(snapshot, settings, data) == ""
    # As they come back from a file, or as NumPy has them.
    assert describe_difference(snapshot, settings | {"hidden_layer_sizes": [4]}, data) == ""
    assert describe_difference(snapshot, settings | {"sigma": np.float64(0.3)}, data) == ""
    assert describe_difference(snapshot, settings | {"sigma": 0.4}, data) == (
        "sigma=0.4 where it was 0.3"
    )
    assert describe_difference(snapshot, {"sigma": 0.3}, data) == (
        "hidden_layer_sizes=None where it was [4]"
    )
    assert describe_difference(
        snapshot, settings | {"tol": 1}, {"X": "ab", "y": "ef", "z": ""}
    ) == ("tol=1 where it was None, another y, another z")


@pytest.mark.parametrize("name", ["n_generations", "max_time", "max_evaluations", "target_fitness"])
def test_what_only_says_when_to_end_may_differ(name):
    snapshot = make_snapshot()
    settings = snapshot.history.settings | {name: 99}
    assert describe_difference(snapshot, settings, snapshot.data) == ""
    snapshot.history.settings[name] = 98
    assert describe_difference(snapshot, settings, snapshot.data) == ""


def test_versions_say_what_the_bits_depend_on():
    assert versions()["numpy"] == np.__version__
    assert versions()["python"].startswith("3.")
