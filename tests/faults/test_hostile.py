"""Files from elsewhere run no code, take no memory but a multiple of theirs, and say what is wrong.

The multiples, of the file's size, that `test_memory_is_a_multiple_of_the_file` holds: 500 for a
CSV beside two kilobytes a column, 300 for a pickle, 25 for an array, and for an archive as much of
what it unpacks to, which is at most `MOST_UNPACKED` bytes or `MOST_RATIO` times its size.
"""

import copy
import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy
from PIL import Image

from ga_ann import Checkpoint, HueHistogram
from ga_ann.datasets import (
    FORMATS,
    LONGEST_LABEL,
    extract_features,
    list_pictures,
    load_features,
    load_table,
    load_unlabelled,
    save_table,
)
from ga_ann.history import COLUMNS, History
from ga_ann.storage import files
from ga_ann.storage.archive import (
    DEEPEST_HEADER,
    HEADER,
    LONGEST_HEADER,
    SEAL_LENGTH,
    read_archive,
    seal,
)
from ga_ann.storage.checkpoint import load_checkpoint
from ga_ann.storage.files import named_errors, read_npz
from ga_ann.storage.info import describe_file
from ga_ann.storage.model import Model, load_history, load_model, save_history, save_model
from tests.runs import evolve

MIB = 2**20
quick = settings(
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
slow = settings(quick, max_examples=15)
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def read_or_refuse(read, path, *arguments, **options):
    """Return what is read, or the ValueError; anything else fails the test."""
    try:
        return read(path, *arguments, **options)
    except Exception as error:
        if type(error) is not ValueError:
            raise
        return error


def assert_refused(read, path, match, *arguments, **options):
    with pytest.raises(ValueError, match=match) as caught:
        read(path, *arguments, **options)
    assert type(caught.value) is ValueError


def peak(read, path, *arguments, **options):
    """Return the bytes that reading takes at most."""
    read_or_refuse(read, path, *arguments, **options)  # what is kept for ever
    tracemalloc.start()
    try:
        read_or_refuse(read, path, *arguments, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# ---------------------------------------------------------------- valid files, and how to bend them


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 3)), np.arange(40) % 2


def options(kind="PCG64", **more):
    generator = np.random.Generator(getattr(np.random, kind)(0))
    common = {"hidden_layer_sizes": (3,), "population_size": 8, "n_parents": 2, "n_generations": 2}
    return common | {"random_state": generator, "batch_size": 16, "n_jobs": 1} | more


@pytest.fixture(scope="module")
def valid(tmp_path_factory, problem):
    """Write one valid archive of each kind."""
    folder = tmp_path_factory.mktemp("valid")
    history = History(label="GA", settings={"sigma": 0.3, "sizes": [3, 4]})
    history.append(generation=0, best_fitness=0.5, evaluations=8, seconds=0.1)
    weights = [np.eye(2), np.zeros(2)]
    columns = np.array([True, False, True])
    model = Model(weights, "relu", "softmax", np.array(["fig", "pear"]), columns, {"bins": 3})
    save_model(folder / "model", model, history)
    save_history(folder / "history", history)
    for kind in ("PCG64", "MT19937"):
        callbacks = [Checkpoint(folder / f"checkpoint {kind}")]
        evolve(*problem, callbacks=callbacks, **options(kind, selection="sus"))
    evolve(*problem, callbacks=[Checkpoint(folder / "checkpoint of recipes")], **LOW_RANK)
    (folder / "pictures" / "fig").mkdir(parents=True)
    Image.new("RGB", (5, 5), "red").save(folder / "pictures" / "fig" / "r_0.png")
    save_table(folder / "table", extract_features(folder / "pictures", bins=4))
    np.savez(folder / "arrays", X=problem[0], y=problem[1])
    return folder


KINDS = ["model", "history", "checkpoint PCG64", "checkpoint MT19937", "checkpoint of recipes"]
DENSE = {"mutation": "gaussian", "rank": 2}
LOW_RANK = options(mutation="low_rank", rank=2, bias=True)


def write_sealed(path, arrays, header=None, members=()):
    """Write an archive whose seal is right, whatever is in it."""
    if header is not None:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        arrays = arrays | {HEADER: np.frombuffer(text, np.uint8)}
    with path.open("w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w") as stream:
                    npy.write_array(stream, np.asanyarray(array), allow_pickle=True)
            for name, content in members:
                archive.writestr(name, content)
            archive.comment = bytes(SEAL_LENGTH)
        seal(file)
    return path


def read_all(path, problem=None):
    """Read a file with every loader of archives."""
    for read in (load_model, load_history, load_checkpoint, load_table, describe_file):
        read_or_refuse(read, path)
    read_or_refuse(load_features, path)
    if problem is not None:
        for resume in (options(selection="sus"), LOW_RANK):
            resume = resume | {"n_generations": 3}
            read_or_refuse(lambda p, o=resume: evolve(*problem, start=p, **o), path)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400])
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["softmax", "MT19937", "Philox", "\x1b[2J"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value, path=()):
    """Yield the way to everything in a JSON value; of long lists, to the first items."""
    if path:
        yield path
    if isinstance(value, dict | list):
        keys = value if isinstance(value, dict) else range(min(len(value), 3))
        for key in keys:
            yield from places(value[key], (*path, key))


def bend(data, header):
    """Replace or remove something in a header."""
    header = copy.deepcopy(header)
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(sorted(places(header), key=repr)))
        inner = header
        for key in way:
            inner = inner[key]
        if data.draw(st.integers(0, 5)):
            inner[last] = data.draw(JSON)
        else:
            del inner[last]
    return header


DTYPES = ["f8", "f4", "f2", ">f8", "i1", "u8", "?", "U3", "S2", "c8", "M8[s]", "V8", "f8,i4", "O"]
ARRAYS = st.builds(
    lambda dtype, shape: np.zeros(shape, dtype),
    st.sampled_from(DTYPES),
    st.lists(st.integers(0, 4), max_size=4).map(tuple),
)


@quick
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_any_header_is_read_or_refused(valid, problem, tmp_path, kind, data):
    header, arrays = read_archive(valid / kind)
    path = write_sealed(tmp_path / "bent", arrays, bend(data, header))
    for read in (load_model, load_history, load_checkpoint, describe_file):
        read_or_refuse(read, path)


@slow
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS[2:])
def test_a_run_goes_on_from_any_header_or_refuses(valid, problem, tmp_path, kind, data):
    header, arrays = read_archive(valid / kind)
    path = write_sealed(tmp_path / "bent", arrays, bend(data, header))
    resume = options(n_generations=3, selection="sus")
    read_or_refuse(lambda p: evolve(*problem, start=p, **resume), path)


@slow
@given(data=st.data())
@pytest.mark.parametrize("kind", ["model", "history", "checkpoint PCG64", "checkpoint of recipes"])
def test_any_arrays_are_read_or_refused(valid, problem, tmp_path, kind, data):
    arrays = read_archive(valid / kind)[1]
    name = data.draw(st.sampled_from(sorted(arrays)))
    arrays[name] = data.draw(ARRAYS | st.just(arrays[name] * np.nan if name in COLUMNS else 0.0))
    read_all(write_sealed(tmp_path / "bent", arrays, None), problem)


@quick
@given(data=st.data(), sealed=st.booleans())
@pytest.mark.parametrize("kind", ["model", "checkpoint PCG64", "table", "arrays.npz"])
def test_any_bytes_are_read_or_refused(valid, tmp_path, kind, data, sealed):
    path = tmp_path / "bent.npz"
    path.write_bytes(bend_bytes(data, (valid / kind).read_bytes()))
    if sealed:
        with path.open("r+b") as file:
            file.truncate(max(path.stat().st_size, SEAL_LENGTH))
            seal(file)
    read_all(path)


def bend_bytes(data, content):
    """Change, remove or insert some bytes."""
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.sampled_from([0, 1, 1, 2, 4, 100]))
        piece = data.draw(st.binary(max_size=4) | st.just(b"\xff" * length))
        content = content[:start] + piece + content[start + length :]
    return content


@quick
@given(data=st.data())
@pytest.mark.parametrize("suffix", [".npy", ".csv", *(f"{k}.pkl" for k in range(6))])
def test_any_bytes_of_tables_are_read_or_refused(problem, tmp_path, suffix, data):
    path = tmp_path / f"bent{suffix}"
    if suffix == ".npy":
        np.save(path, problem[0][:2])
    elif suffix == ".csv":
        path.write_text('a,b,class\n1,2,"pe""ar"\n\n3,-4e1, fig \n')
    else:
        path.write_bytes(pickle.dumps(problem[0][:2], int(suffix[0])))
    path.write_bytes(bend_bytes(data, path.read_bytes()))
    read_or_refuse(load_features, path, None if suffix == ".csv" else path)
    read_or_refuse(load_unlabelled, path, n_features=2)


@quick
@given(text=st.text(st.sampled_from('1.5eE+-,"\n\r\t\0 naninf_x\ufeff٣é'), max_size=60))
def test_any_csv_is_read_or_refused(tmp_path, text):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8", newline="")
    read_or_refuse(load_features, tmp_path / "x.csv")
    read_or_refuse(load_unlabelled, tmp_path / "x.csv", n_features=2)


@slow
@given(data=st.data())
@pytest.mark.parametrize("kind", FORMATS)
def test_any_bytes_of_pictures_are_read_or_refused(tmp_path, kind, data):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8))
    stream = io.BytesIO()
    picture.save(stream, format=kind)
    path = tmp_path / "x.png"
    path.write_bytes(bend_bytes(data, stream.getvalue()))
    read_or_refuse(HueHistogram(bins=3).transform, [path])


# ---------------------------------------------------------------- code


class Armed:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_nothing_in_a_file_is_run(valid, tmp_path):
    marker = tmp_path / "marker"
    armed = np.array([Armed(marker)], dtype=object)
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(Armed(marker)))
    np.save(tmp_path / "x.npy", armed, allow_pickle=True)
    np.savez(tmp_path / "x.npz", X=armed, y=armed, allow_pickle=True)
    for name in ("x.pkl", "x.npy"):
        assert_refused(load_features, tmp_path / name, "it holds", tmp_path / name)
    assert_refused(load_features, tmp_path / "x.npz", "never loaded")
    for kind in KINDS:
        arrays = read_archive(valid / kind)[1]
        for name in (sorted(arrays)[0], HEADER):
            read_all(write_sealed(tmp_path / "armed", arrays | {name: armed}))
            assert_refused(read_archive, tmp_path / "armed", "never loaded")
    assert not marker.exists()


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').mkdir('MARKER'),)}",
        "__import__('os').mkdir('MARKER')",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (10**100,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 0)}",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (99999999999,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True, 1)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 60 + ")}",
        "(" * 4000,
        "-" * 9000 + "1",
        "[" * 4000 + "]" * 4000,
        " " * 60_000,
    ],
    ids=lambda text: text[:70],
)
@pytest.mark.parametrize("version", [1, 2])
def test_hostile_descriptions_of_arrays_are_refused(tmp_path, monkeypatch, text, version):
    monkeypatch.chdir(tmp_path)
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    content = b"\x93NUMPY" + bytes([version, 0]) + length + text.encode() + bytes(8)
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    assert_refused(load_unlabelled, path, "cannot be read as features")
    assert peak(load_unlabelled, path) < 4 * MIB
    assert not Path("MARKER").exists()


def test_a_description_of_npy_that_claims_gigabytes_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{}")
    assert_refused(load_unlabelled, path, "EOF")
    assert peak(load_unlabelled, path) < MIB


@pytest.mark.parametrize(
    ("dtype", "content"),
    [("?", b"\x02\x00"), ("<U1", b"\xff" * 8), (">U1", b"\x00\x11\x00\x00" * 2)],
)
def test_what_is_no_boolean_and_no_character_is_refused(tmp_path, dtype, content):
    """NumPy and Python take them at their word, and read beyond their tables."""
    array = np.frombuffer(content, dtype)
    np.save(tmp_path / "x.npy", array)
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(array))
    for name in ("x.npy", "x.pkl"):
        assert_refused(load_unlabelled, tmp_path / name, "where .* has at most")


# ---------------------------------------------------------------- archives


def test_a_bomb_of_zeros_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_UNPACKED", 4 * MIB)
    path = tmp_path / "bomb.npz"
    X, y = np.zeros((4 * MIB, 1), np.int8), np.arange(4 * MIB)
    np.savez_compressed(path, X=X, y=y[:9])
    assert_refused(load_features, path, f"unpack to .* more than {files.MOST_RATIO} times")
    assert peak(load_features, path) < MIB
    np.savez(path, X=X, y=y[:9])  # what the message says
    assert read_npz(path)["X"].shape == X.shape
    np.savez_compressed(path, X=X, y=y)
    assert read_npz(path)["y"].shape == y.shape


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_compression_are_refused(tmp_path, method):
    """In these, zipfile unpacks without regard to the size that is claimed."""
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("X.npy", bytes(16 * MIB))
    claimed = path.read_bytes().replace(struct.pack("<I", 16 * MIB), struct.pack("<I", 100))
    path.write_bytes(claimed)
    assert_refused(load_unlabelled, path, "compressed in another way", n_features=1)
    with named_errors(path, "arrays"), pytest.raises(ValueError, match="another way"):
        read_npz(path)
    assert peak(read_npz, path) < MIB


def test_a_deflated_member_is_not_unpacked_beyond_what_it_claims(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", bytes(16 * MIB))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 16 * MIB), struct.pack("<I", 100)))
    assert_refused(load_unlabelled, path, "cannot be read")
    assert peak(load_unlabelled, path) < MIB


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["X.npy", "X"])
def test_two_arrays_of_one_name_are_refused(tmp_path, second):
    np.save(tmp_path / "x.npy", np.eye(2))
    content = (tmp_path / "x.npy").read_bytes()
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("X.npy", content)
        archive.writestr(second, content)
    assert_refused(load_unlabelled, tmp_path / "t.npz", "the same name")


@pytest.mark.parametrize("name", ["/etc/{}.npy", "../../{}.npy", "C:\\{}.npy", "\\\\host\\{}.npy"])
def test_names_of_members_are_no_paths(valid, tmp_path, name):
    name = name.format(tmp_path.name)
    (tmp_path / "inner").mkdir()
    arrays = read_archive(valid / "model")[1]
    content = (tmp_path / "x.npy").write_bytes(b"no array")
    before = sorted(tmp_path.rglob("*")), sorted(Path("/etc").iterdir())
    path = write_sealed(tmp_path / "inner" / "model", arrays, members=[(name, bytes(content))])
    read_all(path)
    path.unlink()
    assert (sorted(tmp_path.rglob("*")), sorted(Path("/etc").iterdir())) == before


def test_a_claimed_directory_of_gigabytes_is_refused(tmp_path, valid):
    content = bytearray((valid / "arrays.npz").read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = b"\xff\xff\xff\x7f"
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    assert_refused(load_features, path, "cannot be read")
    assert peak(load_features, path) < MIB


# ---------------------------------------------------------------- headers


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 10**5,
        b"[" * 10**5 + b"]" * 10**5,
        b'{"a":' * 10**5 + b"1" + b"}" * 10**5,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"[" + b"[]," * LONGEST_HEADER + b"[]]",
        b"1" * 10**5,
        b"\xff\xfe\x00",
        b'"\\ud800"',
        b"NaN",
        b"",
    ],
    ids=lambda text: str(text[:20]),
)
def test_hostile_json_is_refused(valid, tmp_path, text):
    _, arrays = read_archive(valid / "model")
    path = write_sealed(tmp_path / "bent", arrays, text)
    for read in (load_model, load_history, load_checkpoint, describe_file):
        assert_refused(read, path, "cannot be read as")
        assert peak(read, path) < 16 * MIB


@pytest.mark.parametrize("kind", KINDS)
def test_a_deep_header_is_refused_wherever_it_is_deep(valid, problem, tmp_path, kind):
    """Python's text of a value that json has just read may be too deep for Python."""
    deep = 0
    for _ in range(600):
        deep = [deep]
    header, arrays = read_archive(valid / kind)
    for place in [p for p in places(header) if len(p) < 3]:
        bent = copy.deepcopy(header)
        inner = bent
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = deep
        path = write_sealed(tmp_path / "bent", arrays, bent)
        assert_refused(describe_file, path, f"more than {DEEPEST_HEADER} lists and dicts")


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    history = History(settings={"note": "x" * LONGEST_HEADER})
    with pytest.raises(ValueError, match="at most"):
        save_history(tmp_path / "history", history)
    deep = {}
    for _ in range(DEEPEST_HEADER):
        deep = {"deeper": deep}
    with pytest.raises(ValueError, match="within each other"):
        save_history(tmp_path / "history", History(settings=deep))
    assert not list(tmp_path.iterdir())


def test_messages_hold_no_codes_for_the_terminal(valid, tmp_path):
    header, arrays = read_archive(valid / "model")
    path = write_sealed(tmp_path / "bent", arrays, header | {"kind": "\x1b[2J\x07"})
    assert_refused(load_model, path, r"it holds a \?\[2J\?")


# ---------------------------------------------------------------- checkpoints


@pytest.mark.parametrize(
    "shapes", [[], [[4]], [[2, 2, 2]], [[10**9, 10**9]], [[2, 3], [4, 1]], [[0, 3]], [[True]], 5]
)
def test_shapes_of_no_network_are_refused(valid, tmp_path, shapes):
    header, arrays = read_archive(valid / "checkpoint PCG64")
    path = write_sealed(tmp_path / "bent", arrays, header | {"shapes": shapes})
    for read in (load_checkpoint, describe_file):
        assert_refused(read, path, "cannot be read as a")
    if isinstance(shapes, list) and all(isinstance(s, list) for s in shapes):
        n = sum(int(np.prod(s)) for s in shapes)
        if n < 100:
            bent = arrays | {"population": np.zeros((8, n)), "best": np.zeros(n)}
            path = write_sealed(tmp_path / "bent", bent, header | {"shapes": shapes})
            for read in (load_checkpoint, describe_file):
                assert_refused(read, path, "cannot be read as a")


@pytest.mark.parametrize(
    ("change", "shapes"),
    [
        ({"n_places": 2**26}, None),
        ({"n_places": 2**60}, None),
        ({"rank": 10**12}, None),
        ({"rank": 10**6}, [[10**6, 10**6]]),
        ({}, [[10**5, 10**4]]),
        ({}, [[3, 10**9], [10**9, 2]]),
        ({}, [[10**400, 3]]),
        ({}, [[3, 3], [10**9], [3, 2], [2]]),
    ],
    ids=str,
)
def test_recipes_that_ask_for_gigabytes_get_nothing(valid, tmp_path, change, shapes):
    header, arrays = read_archive(valid / "checkpoint of recipes")
    header["state"]["low_rank"] |= change
    header["shapes"] = shapes or header["shapes"]
    path = write_sealed(tmp_path / "bent", arrays, header)
    assert_refused(load_checkpoint, path, "bent cannot be read as a checkpoint")
    assert peak(load_checkpoint, path) < MIB


def test_many_places_lead_to_no_more_than_a_table_in_proportion(valid, tmp_path):
    header, arrays = read_archive(valid / "checkpoint of recipes")
    n_bytes = 8 * 10**5
    bent = arrays | {"places": np.zeros(n_bytes // 8, np.int64)}
    for n_places in (10**5 * 256, 10**5 * 256 + 1):
        header["state"]["low_rank"]["n_places"] = n_places
        path = write_sealed(tmp_path / "bent", bent, header)
        assert peak(load_checkpoint, path) < 150 * n_bytes


def test_a_population_of_another_kind_than_the_settings_is_refused(valid, problem, tmp_path):
    """The header is that of one run, and the population that of another."""
    evolve(*problem, callbacks=[Checkpoint(tmp_path / "dense")], **LOW_RANK | DENSE)
    kinds = (valid / "checkpoint of recipes", LOW_RANK), (tmp_path / "dense", LOW_RANK | DENSE)
    for (path, own), (_, other) in (kinds, kinds[::-1]):
        header, arrays = read_archive(path)
        settings = header["history"]["settings"]
        settings |= {k: v for k, v in other.items() if k in settings}
        bent = write_sealed(tmp_path / "bent", arrays, header)
        evolve(*problem, start=path, **own)
        message = "checkpoint's state cannot be used: it is not one of such a run"
        assert_refused(lambda p, o=other: evolve(*problem, start=p, **o), bent, message)


def test_a_position_outside_the_generators_numbers_is_refused(valid, tmp_path):
    """NumPy checks it nowhere, and would read memory that is not its own."""
    header, arrays = read_archive(valid / "checkpoint MT19937")
    for position in (-1, 625, 10**9, 2**62, 0.5, None):
        for way in (("rng",), ("engine", "numpy")):
            bent = copy.deepcopy(header)
            inner = bent["state"]
            for key in way:
                inner = inner[key]
            inner["state"]["pos"] = position
            path = write_sealed(tmp_path / "bent", arrays, bent)
            assert_refused(load_checkpoint, path, "generator MT19937 is none")


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 10**12, "n_samples": 10**13},
        {"n_samples": 41},
        {"batch_size": 0},
        {"batch_size": 41},
        {"sigma": float("nan")},
        {"sigma": -1},
        {"sigma": 10**400},
        {"decay": 0},
        {"patience": 0},
        {"waited": -1},
        {"best": None},
        {"best": 10**400},
        {"batch_size": True},
    ],
    ids=lambda change: str(change)[:50],
)
def test_a_schedule_that_no_run_comes_to_is_refused(valid, problem, tmp_path, change):
    header, arrays = read_archive(valid / "checkpoint PCG64")
    header["state"]["schedule"] |= change
    path = write_sealed(tmp_path / "bent", arrays, header)
    resume = options(n_generations=3, selection="sus")
    assert_refused(lambda p: evolve(*problem, start=p, **resume), path, "")


# ---------------------------------------------------------------- pickles


GIB = (2**30).to_bytes(8, "little")
DOUBLED = b"\x80\x04)" + b"2\x86" * 60  # a tuple of two tuples of two tuples ...


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x05\x96" + GIB + b"x.",  # a bytearray of so many bytes
        b"\x80\x05\x8e" + GIB + b"x.",
        b"\x80\x05\x8d" + GIB + b"x.",
        b"\x80\x05\x95" + GIB + b"N.",
        b"\x80\x04Nr\xff\xff\xff\x7f.",
        DOUBLED + b".",
        b"\x80\x04}" + DOUBLED[2:] + b"Ns.",
        b"\x80\x04}(" + DOUBLED[2:] + b"Nu.",
        b"\x80\x04(" + DOUBLED[2:] + b"Nd.",
        b"\x80\x04\x8f(" + DOUBLED[2:] + b"\x90.",
        b"\x80\x04(" + DOUBLED[2:] + b"\x91.",
        b"\x80\x04cnumpy\ndtype\n" + DOUBLED[2:] + b"\x85R.",
        b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n)R(K\x01" + DOUBLED[2:] + b"cnumpy\n"
        b"dtype\nU\x02f8\x85RNU\x00tb.",
        b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n)R(K\x01(\x8b\x10'\x00\x00"
        + b"\x01" * 10**4 + b"q\x00" + b"h\x00" * 10**4 + b"tcnumpy\ndtype\nU\x02f8\x85RNU\x00tb.",
        b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n)R(K\x01(\x8a\x08\0\0\0\0\0\0\0\x40"
        + b"q\x00" + b"h\x00" * 3 * 10**5 + b"tcnumpy\ndtype\nU\x02f8\x85RNU\x00tb.",
        b"\x80\x02c_codecs\nencode\nq\x00(X" + struct.pack("<I", 2**16) + b"x" * 2**16
        + b"X\x06\x00\x00\x00latin1tq\x01R" + b"h\x00h\x01R" * 2**14 + b".",
        b"\x80\x04" + b"(" * 10**5 + b".",
        b"\x80\x04N" + b"\x85" * 10**5 + b".",
        b"I" + b"9" * 10**5 + b"\n.",
    ],
    ids=lambda content: str(content[:40]),
)  # fmt: skip
def test_pickles_that_ask_for_more_than_they_are_get_nothing(tmp_path, content):
    path = tmp_path / "x.pkl"
    path.write_bytes(content)
    assert_refused(load_unlabelled, path, "cannot be read as features")
    assert peak(load_unlabelled, path) < max(MIB, 300 * len(content))


# ---------------------------------------------------------------- pictures


def png(width, height, data=b""):
    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    about = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", about), chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_read(tmp_path, monkeypatch, kind):
    Image.new("RGB", (300, 300)).save(tmp_path / "x.png", format=kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300 * 300 - 1)
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("was read"))
    read = HueHistogram(bins=3).transform
    assert_refused(read, [tmp_path / "x.png"], "decompression bomb")


def test_a_picture_bomb_takes_no_memory(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(png(50_000, 50_000))
    read = HueHistogram(bins=3).transform
    assert_refused(read, [path], "decompression bomb")
    assert peak(read, [path]) < MIB


def test_pictures_that_run_programs_are_refused(tmp_path, monkeypatch):
    """Pillow hands EPS to Ghostscript, whatever the file's ending."""
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("was run"))
    (tmp_path / "fig").mkdir()
    path = tmp_path / "fig" / "x.png"
    Image.new("RGB", (5, 5)).save(path, format="EPS")
    with Image.open(path) as image:
        assert image.format == "EPS"
    assert_refused(HueHistogram(bins=3).transform, [path], "cannot be read as a picture")
    path.rename(path.with_suffix(".eps"))
    assert_refused(list_pictures, tmp_path, "holds no picture")


def test_nothing_outside_the_folder_is_read(tmp_path):
    outside = tmp_path / "outside"
    inside = tmp_path / "folder"
    for folder in (outside / "fig", inside / "fig"):
        folder.mkdir(parents=True)
        Image.new("RGB", (5, 5)).save(folder / "a.png")
    (inside / "fig" / "absolute.png").symlink_to(outside / "fig" / "a.png")
    (inside / "fig" / "relative.png").symlink_to("../../outside/fig/a.png")
    (inside / "fig" / "self.png").symlink_to("self.png")
    (inside / "pear").symlink_to(outside / "fig")
    (inside / "up").symlink_to("..")
    (inside / "round").symlink_to("round")
    paths, _, names = list_pictures(inside)
    assert paths == [inside / "fig" / "a.png"]
    assert names == ["fig"]
    for name in ("..", "../outside", str(outside), "fig/..", "pear", ".", ""):
        with pytest.raises(ValueError, match="must be among the sub-folders"):
            list_pictures(inside, classes=[name])


# ---------------------------------------------------------------- CSV


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"1," * 10**5 + b"a\nx\n", "at most 100,000 are read; save it as .npz"),
        (b"1," * 10**3 + b"a\nx\n", "must hold 1001 cells"),
        (b"1,\0,a\n", "NUL"),
        (b'1,"' + b"2," * 10**5, "field limit"),
        (b'1,2\n3,"4\n' + b"5,6\n" * 100, "label of at most|cells|EOF inside string"),
        ("1,2,é\n".encode("latin-1"), "UTF-8, got the byte 0xe9 in line 1"),
        ("1,2,a\n".encode("utf-16")[:-1], "goes on with what is none, truncated data"),
        (b"1,2,a\n" * 1000 + b"1,2,\xff\n", "UTF-8, got the byte 0xff in line 1001"),
        (b"1," + b"9" * 10**5 + b",a\n", r"column 2 holds '9+\.\.\.9+'; drop"),
        (b"a\n" * 10**4 + b"b", "must hold features and a label"),
        (
            b"1,2\n" * 9 + b"1," + b"x" * (LONGEST_LABEL + 1),
            r"row 9 \(counted from 0\) of column 2 must have a label of at",
        ),
        (b"\r" * 10**5 + b"\0", "no rows|cells|NUL"),
    ],
    ids=lambda value: str(value[:30]),
)
def test_hostile_csv_is_refused(tmp_path, content, match):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    assert_refused(load_features, path, match)
    # pandas takes a kilobyte or two for each column.
    assert peak(load_features, path) < max(4 * MIB, 50 * len(content))


def test_ten_thousand_columns_are_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"1," * 10**4 + b"a\n")
    assert load_features(path)[0].shape == (1, 10**4)


# ---------------------------------------------------------------- memory


def test_memory_is_a_multiple_of_the_file(tmp_path):
    csv, pkl, array, packed = (tmp_path / f"x.{end}" for end in ("csv", "pkl", "npy", "npz"))
    for content in (b"1,2\n" * 9999, b"1\n" * 9999, b"1,a\n" * 9999 + b"1," + b"x" * 255):
        csv.write_bytes(content)
        assert peak(load_unlabelled, csv, n_features=1) < 500 * len(content)
    for opcode in b")]}\x8f(N\x94":
        content = b"\x80\x04N" + bytes([opcode]) * 20_000 + b"."
        pkl.write_bytes(content)
        assert peak(load_unlabelled, pkl) < 300 * len(content)
    for dtype in ("i1", "?", "f2", "f8"):
        np.save(array, np.full((50_000, 1), np.nan if dtype == "f2" else 1, dtype))
        assert peak(load_unlabelled, array) < 25 * array.stat().st_size
        X, y = np.ones((100_000, 1), dtype), np.ones(100_000, "S1")
        np.savez_compressed(packed, X=X, y=y)
        assert peak(load_features, packed) < 25 * (X.nbytes + y.nbytes)
