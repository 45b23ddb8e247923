"""Damaged and crafted files are refused with a clear error, and nothing in them runs.

``EVERY_BIT=1`` flips each bit of a whole checkpoint, which takes a while.
"""

import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ga_ann import Checkpoint, cli
from ga_ann.history import History
from ga_ann.low_rank import FEWEST_PLACES
from ga_ann.storage.archive import HEADER, read_archive, seal, write_archive
from ga_ann.storage.checkpoint import load_checkpoint
from ga_ann.storage.info import describe_file
from ga_ann.storage.model import Model, load_history, load_model, save_history, save_model
from tests.runs import evolve

LOADERS = {
    "checkpoint": [load_checkpoint, load_history, describe_file],
    "recipes": [load_checkpoint, load_history, describe_file],
    "model": [load_model, load_history, describe_file],
    "history": [load_history, describe_file],
}
EVERY_BIT = os.environ.get("EVERY_BIT") == "1"


@pytest.fixture(scope="module")
def originals(tmp_path_factory, iris, tiny):
    """Checkpoints of chromosomes and of recipes, a model with its history, a history, by kind."""
    folder = tmp_path_factory.mktemp("whole")
    paths = {kind: folder / f"{kind}.npz" for kind in LOADERS}
    for kind, mutation in (("checkpoint", "gaussian"), ("recipes", "low_rank")):
        result = evolve(
            *iris, n_generations=12, callbacks=[Checkpoint(paths[kind])], **tiny, mutation=mutation
        )
    model = Model(result.weights, "relu", "identity", np.array(["a", "b", "c"]))
    save_model(paths["model"], model, result.history)
    save_history(paths["history"], result.history)
    for kind, path in paths.items():
        for load in LOADERS[kind]:
            load(path)
    return {kind: path.read_bytes() for kind, path in paths.items()}


def assert_refused(kind, path):
    for load in LOADERS[kind]:
        with pytest.raises(ValueError, match=r"damaged\.npz cannot be read as") as caught:
            load(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", LOADERS)
def test_truncated_anywhere(originals, tmp_path, kind):
    content, path = originals[kind], tmp_path / "damaged.npz"
    hundredths = {round(k * len(content) / 100) for k in range(100)}
    stops = sorted(hundredths | set(range(100)) | set(range(len(content) - 100, len(content))))
    for stop in stops:
        path.write_bytes(content[:stop])
        assert_refused(kind, path)


@pytest.mark.parametrize("kind", LOADERS)
def test_a_flipped_bit_anywhere(originals, tmp_path, kind):
    content, path = bytearray(originals[kind]), tmp_path / "damaged.npz"
    bits = np.random.default_rng(0).integers(8, size=101)
    n_bits = 8 * len(content)
    places = range(n_bits) if EVERY_BIT else [n_bits * k // 101 + bits[k] for k in range(101)]
    for place in places:
        byte, bit = divmod(int(place), 8)
        content[byte] ^= 1 << bit
        path.write_bytes(content)
        if EVERY_BIT:
            with pytest.raises(ValueError, match="no file of ga_ann"):
                LOADERS[kind][0](path)
        else:
            assert_refused(kind, path)
        content[byte] ^= 1 << bit
    print(f"{kind}: {len(places)} of {n_bits} bits")


@pytest.mark.slow
def test_every_bit_of_a_small_file(tmp_path):
    path, history = tmp_path / "damaged.npz", History()
    history.append(generation=0)
    save_history(path, history)
    content = bytearray(path.read_bytes())
    for place in range(0, 8 * len(content), 1 if EVERY_BIT else 7):
        byte, bit = divmod(place, 8)
        content[byte] ^= 1 << bit
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match=r"damaged\.npz cannot be read as a history: it is no file"
        ):
            load_history(path)
        content[byte] ^= 1 << bit


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("more", [b"\0", b"PK\x05\x06" + bytes(18), bytes(1000)])
def test_something_behind_the_end(originals, tmp_path, kind, more):
    path = tmp_path / "damaged.npz"
    path.write_bytes(originals[kind] + more)
    assert_refused(kind, path)


def craft(content, path, header=None, arrays=()):
    """Write the file with a changed header and changed arrays, under a right seal."""
    path.write_bytes(content)
    with np.load(path) as archive:
        held = dict(archive)
    about = json.loads(held["header.json"].tobytes()) | (header or {})
    held["header.json"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(path, **held | dict(arrays))
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = bytes(64)
    with path.open("r+b") as file:
        seal(file)


@pytest.mark.parametrize("kind", LOADERS)
def test_crafting_is_what_it_says(originals, tmp_path, kind):
    """The oracle: with nothing changed, the crafted file is a good one."""
    craft(originals[kind], tmp_path / "damaged.npz")
    for load in LOADERS[kind]:
        load(tmp_path / "damaged.npz")


@pytest.mark.parametrize("kind", LOADERS)
def test_a_future_version(originals, tmp_path, kind):
    path = tmp_path / "damaged.npz"
    craft(originals[kind], path, {"version": 3})
    assert_refused(kind, path)
    with pytest.raises(ValueError, match=r"format version 3, and this version.*install a newer"):
        LOADERS[kind][0](path)


def test_an_unknown_kind(originals, tmp_path):
    path = tmp_path / "damaged.npz"
    craft(originals["history"], path, {"kind": "recipe"})
    with pytest.raises(ValueError, match="it holds a recipe"):
        describe_file(path)


class Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", LOADERS)
def test_a_pickle_is_never_loaded(originals, tmp_path, kind):
    path, trace = tmp_path / "damaged.npz", tmp_path / "ran"
    hostile = np.empty(3, dtype=object)
    hostile[:] = [Hostile(trace)] * 3
    name = {
        "checkpoint": "population",
        "recipes": "places",
        "model": "classes",
        "history": "history/sigma",
    }[kind]
    craft(originals[kind], path, arrays={name: hostile})
    assert_refused(kind, path)
    path.write_bytes(pickle.dumps(Hostile(trace)))
    assert_refused(kind, path)
    assert not trace.exists()
    pickle.loads(path.read_bytes())
    assert trace.exists()  # the bait was a live one


@pytest.mark.parametrize(
    "change",
    [
        {"shapes": []},
        {"shapes": [[4]]},
        {"shapes": [[]]},
        {"shapes": [[4, 5]]},
        {"shapes": [[4, 5, 3]]},
        {"shapes": [[4, -5], [5, 3]]},
        {"shapes": [[4, 5.0], [5, 3]]},
        {"shapes": 5},
        {"state": []},
        {"data": None},
        {"versions": "1"},
        {"history": {}},
        {"kind": "model"},
    ],
    ids=str,
)
def test_a_header_that_does_not_fit(originals, tmp_path, change):
    path = tmp_path / "damaged.npz"
    craft(originals["checkpoint"], path, change)
    for load in (load_checkpoint, describe_file):
        with pytest.raises(ValueError, match=r"damaged\.npz cannot be read as"):
            load(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"population": np.zeros((32, 34))},
        {"population": np.zeros(35)},
        {"population": np.array(5.0)},
        {"population": np.zeros((32, 35), dtype=int)},
        {"fitness": np.zeros(31)},
        {"ranking": np.zeros((32, 1))},
        {"best": np.array(["a"] * 35)},
    ],
    ids=lambda arrays: "{} {a.dtype} {a.shape}".format(*arrays, a=next(iter(arrays.values()))),
)
def test_arrays_that_do_not_fit(originals, tmp_path, arrays):
    path = tmp_path / "damaged.npz"
    craft(originals["checkpoint"], path, arrays=arrays)
    for load in (load_checkpoint, describe_file):
        with pytest.raises(ValueError, match=r"damaged\.npz cannot be read as"):
            load(path)


PLACES = np.arange(32)
SCALES = np.ones(5 + 3, np.float32)


@pytest.mark.parametrize(
    "arrays",
    [
        {"places": PLACES - 1},
        {"places": PLACES + FEWEST_PLACES - 31},
        {"places": np.full(32, 2**62)},
        {"places": np.full(32, -(2**62))},
        {"places": PLACES.astype(np.int32)},
        {"places": PLACES.astype(float)},
        {"places": PLACES > 3},
        {"places": PLACES[:31]},
        {"places": PLACES[:, None]},
        {"places": np.array(5)},
        {"places": PLACES[:0]},
        {"scales": SCALES[:-1]},
        {"scales": np.ones(9, np.float32)},
        {"scales": np.ones((8, 1), np.float32)},
        {"scales": np.ones(8, int)},
        {"scales": np.ones(8)},
        {"scales": SCALES * np.nan},
        {"scales": SCALES * np.inf},
        {"scales": -SCALES},
        {"mean": np.zeros(34, np.float32)},
        {"mean": np.zeros((35, 1), np.float32)},
        {"mean": np.zeros(35, np.float16)},
        {"mean": np.zeros(35)},
        {"mean": np.array(["a"] * 35)},
    ],
    ids=lambda arrays: "{} {a.dtype} {a.shape} {a.flat}".format(
        *arrays, a=next(iter(arrays.values()))
    ).partition("<")[0],
)
def test_recipes_that_do_not_fit(originals, tmp_path, arrays):
    path = tmp_path / "damaged.npz"
    good = {"places": PLACES, "scales": SCALES, "mean": np.zeros(35, np.float32)}
    craft(originals["recipes"], path, arrays=good)
    load_checkpoint(path)
    craft(originals["recipes"], path, arrays=good | arrays)
    for load in (load_checkpoint, describe_file):
        with pytest.raises(ValueError, match=r"damaged\.npz cannot be read as"):
            load(path)


@pytest.mark.parametrize("name", ["places", "scales", "mean"])
def test_recipes_that_lack_a_part(originals, tmp_path, name):
    path = tmp_path / "damaged.npz"
    path.write_bytes(originals["recipes"])
    header, arrays = read_archive(path, "checkpoint")
    del arrays[HEADER], arrays[name]
    write_archive(path, "checkpoint", header, arrays)
    with pytest.raises(ValueError, match=rf"damaged\.npz cannot be read as.*{name}"):
        load_checkpoint(path)


# ---------------------------------------------------------------- the command line


@pytest.fixture
def refuses(capsys):
    """Run the command line; expect exit code 2 and one line on stderr, which is returned."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert (stop.value.code, out) == (2, "")
        assert err.startswith("ga-ann: error: ")
        assert err.count("\n") == 1
        return err

    return run


def damaged_files(content, folder, kind):
    """Yield files that are no longer, not yet, or never were of a kind."""
    path = folder / "damaged.npz"
    path.write_bytes(content[: len(content) // 2])
    yield path
    flipped = bytearray(content)
    flipped[len(content) // 3] ^= 4
    path.write_bytes(flipped)
    yield path
    craft(content, path, {"version": 99})
    yield path
    craft(content, path, {"kind": "recipe", "history": 5})
    yield path
    path.write_bytes(b"")
    yield path
    path.write_bytes(pickle.dumps(Hostile(folder / "ran")))
    yield path


@pytest.mark.parametrize("kind", LOADERS)
def test_commands_refuse_damaged_files(originals, refuses, iris, tmp_path, kind):
    X, y = iris
    np.savez(tmp_path / "iris.npz", X=X, y=y)
    for path in damaged_files(originals[kind], tmp_path, kind):
        before = path.read_bytes()
        for arguments in (
            ["info", path],
            ["predict", path, tmp_path / "iris.npz"],
            ["plot", path, "-o", tmp_path / "out.png"],
            ["train", tmp_path / "iris.npz", "-o", tmp_path / "out.npz", "--resume", path],
        ):
            assert "damaged.npz" in refuses(*arguments)
            assert path.read_bytes() == before
            assert not list(tmp_path.glob("out.*"))
    assert not (tmp_path / "ran").exists()


def test_commands_refuse_missing_files(refuses, iris, tmp_path):
    np.savez(tmp_path / "iris.npz", X=iris[0], y=iris[1])
    missing = tmp_path / "missing.npz"
    out = ["-o", tmp_path / "out.npz"]
    assert "missing.npz: No such file" in refuses("info", missing)
    assert "missing.npz: No such file" in refuses(
        "train", tmp_path / "iris.npz", *out, "--resume", missing
    )
