"""Whole or not at all; damaged archives are read in `test_model` and `test_datasets`."""

import io

import numpy as np
import pytest

from ga_ann.files import check_target, naming, parse_npy, read_npz, replacing


def test_a_block_that_ends_well_replaces_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_file_alone(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    kind = error if isinstance(error, type) else type(error)
    with pytest.raises(kind), replacing(path) as file:  # noqa: PT012
        file.write(b"ne")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_targets_that_cannot_be_written_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing does not exist"):
        check_target(tmp_path / "missing" / "file")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        check_target(tmp_path)
    assert check_target(str(tmp_path / "file")) == tmp_path / "file"


def test_errors_name_the_file_and_a_missing_file_is_what_it_is(tmp_path):
    with (
        pytest.raises(ValueError, match="my file cannot be read as a list: KeyError"),
        naming("my file", "a list"),
    ):
        raise KeyError
    with pytest.raises(FileNotFoundError), naming("my file", "a list"):
        (tmp_path / "missing").read_bytes()


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3)), np.array(["a", "bc"])]
)
def test_npy_round_trip(array, version):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    read = parse_npy(stream.getvalue())
    assert read.dtype == array.dtype
    assert (read == array).all()
    with pytest.raises(ValueError, match="but holds"):
        parse_npy(stream.getvalue() + b"\0")


def test_npz_round_trip(tmp_path):
    arrays = {"x": np.arange(5), "folder/y": np.eye(2)}
    np.savez_compressed(tmp_path / "file.npz", **arrays)
    read = read_npz(tmp_path / "file.npz")
    assert read.keys() == arrays.keys()
    assert all((read[name] == arrays[name]).all() for name in arrays)


def test_a_target_is_tried_and_left_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"old")
    check_target(tmp_path / "file")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
    with pytest.raises(OSError, match="x" * 300):
        check_target(tmp_path / ("x" * 300))

    def refuse(*args):
        raise PermissionError(13, "Permission denied", str(args[0]))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(PermissionError) as caught:
        check_target(tmp_path / "file")
    assert caught.value.filename == str(tmp_path / "file")


def test_a_full_disk_names_the_target(tmp_path):
    with pytest.raises(OSError, match="No space") as caught, replacing(tmp_path / "file") as file:  # noqa: PT012
        file.write(b"new")
        raise OSError(28, "No space left on device")
    assert caught.value.filename == str(tmp_path / "file")
    other = FileNotFoundError(2, "No such file", "other")
    with pytest.raises(FileNotFoundError, match="other"), replacing(tmp_path / "file"):
        raise other
    assert not list(tmp_path.iterdir())
