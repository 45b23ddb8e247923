"""Whole or not at all; damaged archives are read in `test_model` and in `datasets`."""

import io
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from ga_ann.storage.files import (
    check_writable,
    clear_unfinished,
    named_errors,
    parse_npy,
    read_npz,
    replacing,
)


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
        check_writable(tmp_path / "missing" / "file")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        check_writable(tmp_path)
    assert check_writable(str(tmp_path / "file")) == tmp_path / "file"


def test_errors_name_the_file_and_a_missing_file_is_what_it_is(tmp_path):
    with (
        pytest.raises(ValueError, match="my file cannot be read as a list: KeyError"),
        named_errors("my file", "a list"),
    ):
        raise KeyError
    with pytest.raises(FileNotFoundError), named_errors("my file", "a list"):
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
    check_writable(tmp_path / "file")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
    with pytest.raises(OSError, match="x" * 300):
        check_writable(tmp_path / ("x" * 300))

    def refuse(*args):
        raise PermissionError(13, "Permission denied", str(args[0]))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(PermissionError) as caught:
        check_writable(tmp_path / "file")
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


def test_the_previous_file_is_kept(tmp_path):
    path, previous = tmp_path / "file", tmp_path / "file.previous"
    for k in range(4):
        with replacing(path, keep_previous=True) as file:
            file.write(b"%d" % k)
            assert path.exists() == (k > 0)
        assert path.read_bytes() == b"%d" % k
        assert previous.exists() == (k > 0)
        assert not k or previous.read_bytes() == b"%d" % (k - 1)
    assert sorted(tmp_path.iterdir()) == [path, previous]


def test_there_is_a_whole_file_at_every_moment(tmp_path, monkeypatch):
    """Also between the two renames."""
    path, seen = tmp_path / "file", []
    path.write_bytes(b"old")
    (tmp_path / "file.previous").write_bytes(b"older")
    real = Path.replace

    def look(source, target):
        seen.append(path.read_bytes())
        real(source, target)
        seen.append(path.read_bytes())

    monkeypatch.setattr(Path, "replace", look)
    with replacing(path, keep_previous=True) as file:
        file.write(b"new")
    assert seen == [b"old", b"old", b"old", b"new"]
    assert (tmp_path / "file.previous").read_bytes() == b"old"


def test_contents_and_names_are_flushed_before_and_after_the_rename(tmp_path, monkeypatch):
    steps = []
    fsync, rename = os.fsync, Path.replace
    monkeypatch.setattr(
        os, "fsync", lambda n: (steps.append(stat.S_ISDIR(os.fstat(n).st_mode)), fsync(n))
    )
    monkeypatch.setattr(Path, "replace", lambda *names: (steps.append("rename"), rename(*names)))
    with replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert steps == [False, "rename", True]


@pytest.mark.parametrize("step", ["open", "fsync"])
def test_systems_that_flush_no_folders(tmp_path, monkeypatch, step):
    real = getattr(os, step)

    def refuse(what, *arguments):
        folder = what == tmp_path if step == "open" else stat.S_ISDIR(os.fstat(what).st_mode)
        if folder:
            raise OSError(13, "Permission denied")
        return real(what, *arguments)

    monkeypatch.setattr(os, step, refuse)
    with replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_unfinished_files_are_cleared_away(tmp_path, monkeypatch):
    names = []

    def remember(path, *arguments, **options):
        names.append(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", remember)  # as if it had been killed
        for name in ("file", "other", "x" * 255):
            check_writable(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == sorted(names)
    (tmp_path / "file").write_bytes(b"kept")
    clear_unfinished(tmp_path / "file")
    assert sorted(tmp_path.iterdir()) == sorted([*names[1:], tmp_path / "file"])
    clear_unfinished(tmp_path / ("x" * 255))
    assert sorted(tmp_path.iterdir()) == sorted([names[1], tmp_path / "file"])

    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    clear_unfinished(tmp_path / "other")
    assert names[1].exists()
