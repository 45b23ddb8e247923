"""A disk that is full, read-only, missing or somebody else's: nothing is lost, and it is told."""

import errno
import os
import subprocess
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from ga_ann import Checkpoint, GeneticMLPClassifier
from ga_ann.storage.checkpoint import load_checkpoint, save_checkpoint
from ga_ann.storage.files import check_writable
from ga_ann.storage.model import Model, load_model, save_model
from tests.runs import evolve


class Disk:
    """Stands in for `Path.open`: new files have room for so many bytes, all of them together."""

    def __init__(self, room):
        self.room = room

    def open(self, path, mode="r", *arguments, **options):
        file = Disk.real_open(path, mode, *arguments, **options)
        if "x" not in mode:
            return file
        return LimitedFile(file, self)

    real_open = Path.open


class LimitedFile:
    """A file that fails as one on a full disk does: a part of the bytes is written."""

    def __init__(self, file, disk):
        self._file = file
        self._disk = disk

    def write(self, content):
        content = bytes(content)
        fits = content[: self._disk.room]
        self._disk.room -= len(fits)
        self._file.write(fits)
        if len(fits) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(content)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.fixture
def disk(monkeypatch):
    """Limit the room on the disk by setting ``disk.room``."""
    disk = Disk(10**12)
    monkeypatch.setattr(Path, "open", lambda path, *args, **opts: disk.open(path, *args, **opts))
    return disk


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory, iris, tiny):
    """Two states of the same run."""
    folder = tmp_path_factory.mktemp("states")
    for n in (3, 4):
        evolve(*iris, n_generations=n, callbacks=[Checkpoint(folder / f"{n}.npz")], **tiny)
    return [load_checkpoint(folder / f"{n}.npz") for n in (3, 4)]


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


STEP = int(os.environ.get("OFFSETS_STEP", "61"))


def test_a_disk_that_is_full_at_any_byte(disk, snapshots, tmp_path):
    """Every so many bytes, and each of the last ones; ``OFFSETS_STEP=1`` for all of them."""
    path = tmp_path / "run.npz"
    save_checkpoint(path, snapshots[0])
    before = files_in(tmp_path)
    disk.room = 10**9
    save_checkpoint(tmp_path / "other.npz", snapshots[1])
    size = 10**9 - disk.room  # written, the seal's second writing included
    (tmp_path / "other.npz").unlink()
    n_failed = 0
    for room in sorted({*range(0, size, STEP), *range(size - 70, size)}):
        disk.room = room
        with pytest.raises(OSError, match="No space left") as caught:
            save_checkpoint(path, snapshots[1])
        assert caught.value.filename == str(path)
        assert files_in(tmp_path) == before, room
        n_failed += 1
    print(f"full at {n_failed} of {size} bytes")
    disk.room = size
    save_checkpoint(path, snapshots[1])
    assert load_checkpoint(path).generation == 4
    assert (tmp_path / "run.npz.previous").read_bytes() == before["run.npz"]
    assert set(files_in(tmp_path)) == {"run.npz", "run.npz.previous"}


STEPS = {
    "flush": (os, "fsync", OSError(errno.EIO, "Input/output error")),
    "rename": (Path, "replace", OSError(errno.ENOSPC, "No space left on device")),
}


@pytest.mark.parametrize("step", ["flush", "rename"])
@pytest.mark.parametrize("n_before", [0, 1])
def test_a_step_after_the_writing_fails(snapshots, tmp_path, monkeypatch, step, n_before):
    path = tmp_path / "run.npz"
    save_checkpoint(path, snapshots[0])
    before = path.read_bytes()
    owner, name, error = STEPS[step]
    real, calls = getattr(owner, name), []

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) > n_before:
            raise error
        return real(*arguments)

    monkeypatch.setattr(owner, name, fail)
    if step == "flush" and n_before == 1:  # that of the folder, which not all systems have
        save_checkpoint(path, snapshots[1])
        return
    with pytest.raises(OSError, match=error.strerror):
        save_checkpoint(path, snapshots[1])
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert load_checkpoint(path).generation == 3
    assert set(files_in(tmp_path)) <= {"run.npz", "run.npz.previous"}
    save_checkpoint(path, snapshots[1])
    assert load_checkpoint(path).generation == 4
    assert (tmp_path / "run.npz.previous").read_bytes() == before


def test_the_previous_one_is_copied_where_there_are_no_links(snapshots, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = tmp_path / "run.npz"
    for snapshot in (*snapshots, snapshots[0]):
        save_checkpoint(path, snapshot)
    assert load_checkpoint(path).generation == 3
    assert load_checkpoint(tmp_path / "run.npz.previous").generation == 4
    assert len(list(tmp_path.iterdir())) == 2


def test_a_run_goes_on_and_tells_once(disk, tiny, iris, tmp_path, compare_runs):
    """The disk is full from the fifth generation to the ninth."""
    path = tmp_path / "run.npz"
    generations = []

    def fill(ga, history):
        if len(history) > 1:
            generations.append(load_checkpoint(path).generation)
        disk.room = 1000 if 5 <= len(history) - 1 < 9 else 10**9

    options = tiny | {"n_generations": 12}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        result = evolve(*iris, callbacks=[fill, Checkpoint(path, every_generations=1)], **options)
    assert [warning.category for warning in told] == [RuntimeWarning]
    message = str(told[0].message)
    assert "could not be written" in message
    assert "No space left" in message
    assert str(path) in message
    assert generations == [0, 1, 2, 3, 4, 4, 4, 4, 4, 9, 10, 11]
    assert load_checkpoint(path).generation == 12
    compare_runs(result, evolve(*iris, **options))
    assert set(files_in(tmp_path)) == {"run.npz"}


def test_a_disk_that_stays_full_keeps_the_last_one(disk, tiny, iris, tmp_path, compare_runs):
    path = tmp_path / "run.npz"

    def fill(ga, history):
        disk.room = 1000 if len(history) > 6 else 10**9

    options = tiny | {"n_generations": 12}
    checkpoint = Checkpoint(path, every_generations=1, overwrite=True)
    with pytest.warns(RuntimeWarning, match="could not be written"):
        evolve(*iris, callbacks=[fill, checkpoint], **options)
    assert load_checkpoint(path).generation == 5
    compare_runs(evolve(*iris, start=path, **options), evolve(*iris, **options))
    disk.room = 10**9
    with pytest.warns(RuntimeWarning, match="could not be written"):  # each run tells it
        evolve(*iris, callbacks=[fill, checkpoint], **options)


def test_a_model_that_does_not_fit_leaves_the_old_one(disk, tmp_path):
    model = Model([np.eye(2)], "relu", "identity", np.array(["a", "b"]))
    save_model(tmp_path / "m.npz", model)
    before = files_in(tmp_path)
    for room in (0, 1, 100, 900):
        disk.room = room
        with pytest.raises(OSError, match="No space left"):
            save_model(tmp_path / "m.npz", model)
        assert files_in(tmp_path) == before
    assert load_model(tmp_path / "m.npz").predict([[0, 1]]) == ["b"]


# ---------------------------------------------------------------- before the work


@pytest.fixture
def no_work(monkeypatch):
    """Fail at the first network that is measured."""
    monkeypatch.setattr(
        "ga_ann.evolution.evaluation.Evaluator.__call__",
        lambda *_, **__: pytest.fail("it has begun"),
    )


def places(folder):
    (folder / "file").write_bytes(b"")
    (folder / "folder.npz").mkdir()
    (folder / "kept.npz.previous").mkdir()
    yield folder / "missing" / "run.npz", FileNotFoundError, "does not exist"
    yield folder / "file" / "run.npz", FileNotFoundError, "does not exist"
    yield folder / "folder.npz", IsADirectoryError, "is a folder"
    yield folder / ("x" * 300), OSError, "too long"
    yield folder / ("x" * 252), OSError, "too long"  # the lock, and the previous one's name
    yield folder / "kept.npz", IsADirectoryError, "previous is a folder"


@pytest.mark.usefixtures("no_work")
def test_a_place_that_cannot_be_written_is_refused_before_the_work(iris, tiny, tmp_path):
    for path, error, message in places(tmp_path):
        with pytest.raises(error, match=message):
            evolve(*iris, callbacks=[Checkpoint(path)], **tiny)
        with pytest.raises(error):
            GeneticMLPClassifier((5,), checkpoint=path).fit(*iris)
    assert {path.name for path in tmp_path.iterdir()} == {
        "file",
        "folder.npz",
        "kept.npz.previous",
    }


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_refused_before_the_work(
    iris, tiny, tmp_path, monkeypatch, number
):
    """As whoever is not root sees it."""

    def refuse(path, mode="r", *arguments, **options):
        if "x" in mode or "w" in mode:
            raise OSError(number, os.strerror(number), str(path))
        return Disk.real_open(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    path = tmp_path / "run.npz"
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        evolve(*iris, callbacks=[Checkpoint(path)], **tiny)
    assert caught.value.filename == str(path)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- one run, one file

HOLD = """
import sys
from sklearn.datasets import load_iris
from ga_ann import Checkpoint
from tests.runs import evolve

def wait(ga, history):
    if len(history) == 2:
        print("running", flush=True)
        sys.stdin.readline()

X, y = load_iris(return_X_y=True)
result = evolve(X, y, hidden_layer_sizes=(5,), random_state=3, target_fitness=None, n_jobs=1,
    n_generations=6, callbacks=[Checkpoint(sys.argv[1], every_generations=1), wait])
print(len(result.history))
"""


@pytest.mark.usefixtures("no_work")
def test_another_process_has_the_file(start_python, iris, tiny, tmp_path):
    path = tmp_path / "run.npz"
    process = start_python(HOLD, path, stdin=subprocess.PIPE)
    assert process.stdout.readline() == "running\n"
    before = path.read_bytes()
    for options in ({}, {"start": path, "n_generations": 6}):
        with pytest.raises(OSError, match=r"another run writes its checkpoints to .*run\.npz"):
            evolve(*iris, callbacks=[Checkpoint(path)], **options, **tiny)
    assert path.read_bytes() == before
    out, err = process.communicate("go on\n", timeout=60)
    assert (process.returncode, out, err) == (0, "7\n", "")
    assert load_checkpoint(path).generation == 6


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_run_that_was_killed_holds_nothing(start_python, iris, tiny, tmp_path, compare_runs):
    path = tmp_path / "run.npz"
    process = start_python(HOLD, path, stdin=subprocess.PIPE)
    assert process.stdout.readline() == "running\n"
    process.kill()
    process.communicate()
    options = tiny | {"n_generations": 6}
    resumed = evolve(*iris, start=path, callbacks=[Checkpoint(path)], **options)
    compare_runs(resumed, evolve(*iris, **options))


def test_another_thread_has_the_file(iris, tiny, tmp_path):
    path, entered, leave = tmp_path / "run.npz", threading.Event(), threading.Event()
    results = []

    def wait(ga, history):
        entered.set()
        assert leave.wait(60)

    def work():
        options = tiny | {"n_generations": 3}
        results.append(evolve(*iris, callbacks=[Checkpoint(path), wait], **options))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert entered.wait(60)
        with pytest.raises(OSError, match="another run writes its checkpoints"):
            evolve(*iris, callbacks=[Checkpoint(path)], **tiny)
    finally:
        leave.set()
        thread.join(60)
    assert len(results[0].history) == 4


@pytest.mark.parametrize("error", [RuntimeError, OSError, SystemExit])
def test_the_file_is_free_after_an_error(iris, tiny, tmp_path, error):
    checkpoint = Checkpoint(tmp_path / "run.npz", overwrite=True)

    def fail(ga, history):
        raise error("inside")

    for _ in range(2):
        with pytest.raises(error, match="inside"):
            evolve(*iris, callbacks=[checkpoint, fail], **tiny)
    other = Checkpoint(tmp_path / "run.npz", overwrite=True)
    assert evolve(*iris, n_generations=1, callbacks=[other], **tiny).stop_reason == "n_generations"


def test_what_a_kill_left_is_cleared_away(iris, tiny, tmp_path, monkeypatch):
    """The unfinished files of this checkpoint, and nobody else's."""
    path, names = tmp_path / "run.npz", []
    (tmp_path / ".mine.tmp").write_bytes(b"")
    real = Path.unlink

    def remember(path, *arguments, **options):
        names.append(path.name)
        if not names[-1].endswith(".tmp"):
            real(path, *arguments, **options)

    monkeypatch.setattr(Path, "unlink", remember)  # as if it had never come to it
    for name in ("run.npz", "run.npz.previous", "other.npz"):
        check_writable(tmp_path / name)
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 4
    evolve(*iris, n_generations=0, callbacks=[Checkpoint(path)], **tiny)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".mine.tmp", "run.npz", names[-1]}
