"""Archives: what is written comes back; damaged and crafted ones are tested in `faults`."""

import hashlib
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ga_ann
from ga_ann.storage.archive import entry, member, read_archive, seal, to_json, write_archive

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text("abcxyz/_019", min_size=1, max_size=8).filter(lambda name: name != "header.json")
ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(
    kind=st.text(),
    header=st.dictionaries(st.sampled_from("abcd"), JSON_VALUES),
    arrays=st.dictionaries(NAMES, ARRAYS, max_size=3),
    compress=st.booleans(),
)
@settings(max_examples=40)
def test_whatever_is_written_comes_back(kind, header, arrays, compress, tmp_path_factory):
    path = tmp_path_factory.mktemp("archives") / "file"
    write_archive(path, kind, header, arrays, compress=compress)
    about, held = read_archive(path)
    assert about.pop("format") == "ga_ann"
    assert about.pop("kind") == kind
    assert about.pop("version") == 1
    assert about.pop("package_version") == ga_ann.__version__
    assert about == header
    del held["header.json"]
    assert held.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (held[name].dtype, held[name].shape) == (array.dtype, array.shape)
        assert held[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("compress", [True, False])
def test_the_seal_is_the_checksum_of_what_is_before_it(tmp_path, compress):
    path = tmp_path / "file.npz"
    write_archive(path, "test", {}, {"x": np.zeros(5000)}, compress=compress)
    content = path.read_bytes()
    assert content[-64:] == hashlib.sha256(content[:-64]).hexdigest().encode()
    assert (len(content) < 5000) == compress
    with zipfile.ZipFile(path) as archive:
        assert archive.comment == content[-64:]
        assert archive.testzip() is None
    np.testing.assert_array_equal(np.load(path, allow_pickle=False)["x"], np.zeros(5000))
    with path.open("r+b") as file:
        seal(file)
    assert path.read_bytes() == content


def test_a_long_file_is_read_in_chunks(tmp_path, monkeypatch):
    """Chunks that end before, at and behind the end of what is sealed."""
    path = tmp_path / "file.npz"
    write_archive(path, "test", {}, {"x": np.arange(300)}, compress=False)
    size = path.stat().st_size - 64
    for chunk in (1, 7, size - 1, size, size + 1, size + 64):
        monkeypatch.setattr("ga_ann.storage.archive.CHUNK", chunk)
        read_archive(path)
        with path.open("r+b") as file:
            seal(file)
        read_archive(path)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 200])
def test_files_too_short_to_be_one(tmp_path, length):
    path = tmp_path / "file"
    sealed = hashlib.sha256(b"").hexdigest().encode()
    for content in (bytes(length), (bytes(length) + sealed)[-length:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no file of ga_ann"):
            read_archive(path)


def test_the_previous_file_stays_if_it_is_to(tmp_path):
    for k in range(3):
        write_archive(tmp_path / "a", "test", {"k": k}, {}, keep_previous=True)
        write_archive(tmp_path / "b", "test", {"k": k}, {})
    held = {path.name: read_archive(path)[0]["k"] for path in tmp_path.iterdir()}
    assert held == {"a": 2, "a.previous": 1, "b": 2}


def test_pickles_are_not_written_either(tmp_path):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_archive(tmp_path / "a", "test", {}, {"x": np.array([{}])})
    with pytest.raises(TypeError, match="settings must hold strings, numbers"):
        write_archive(tmp_path / "a", "test", {"x": {1, 2}}, {})
    assert not list(tmp_path.iterdir())


def test_numpy_values_become_json():
    given = {"a": np.int64(3), "b": np.float32(0.5), "c": np.bool_(True), "d": np.arange(2)}
    given |= {"e": np.array(["x"])}
    text = json.dumps(given, default=to_json)
    assert json.loads(text) == {"a": 3, "b": 0.5, "c": True, "d": [0, 1], "e": ["x"]}
    for value in (np.array([None]), np.complex64(1), object()):
        with pytest.raises(TypeError, match="got"):
            to_json(value)


def test_parts_are_asked_for_by_name_and_type():
    assert member({"x": 1}, "x") == 1
    with pytest.raises(ValueError, match="the array 'y' is missing"):
        member({"x": 1}, "y")
    assert entry({"x": {}}, "x", dict) == {}
    with pytest.raises(ValueError, match="'x' in its header must be of type str, got 5"):
        entry({"x": 5}, "x", str)
    with pytest.raises(ValueError, match="'y' in its header must be of type int, got None"):
        entry({}, "y", int)
