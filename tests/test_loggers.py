"""Loggers: what they write is the History, whatever happens on the way."""

import copy
import csv
import io
import json
import os
import sys
import warnings
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from ga_ann import Checkpoint, evolve, load_model
from ga_ann.history import COLUMNS, COUNTS, History
from ga_ann.loggers import JsonLines, LogFile, MLflowLogger, TensorBoardLogger

ROWS = st.lists(st.dictionaries(st.sampled_from(COLUMNS), st.floats(width=64)), max_size=6)
X, Y = load_iris(return_X_y=True)
OPTIONS = {"hidden_layer_sizes": (4,), "target_fitness": None, "random_state": 3}


class BrokenError(Exception):
    """What ends a run in the middle."""


def break_after(generation):
    """Return a callback that fails as a generation ends."""

    def fail(ga, history):
        if len(history) > generation:
            raise BrokenError

    return fail


def history_of(rows):
    history = History(label="GA")
    for row in rows:
        history.append(**row)
    return history


def usual_history(n_rows):
    return history_of(
        {"generation": k, "evaluations": 8.0 * k, "seconds": k / 3, "best_fitness": 1 - 1 / (k + 1)}
        for k in range(n_rows)
    )


def log(logger, history, n_behind=0):
    """Call a logger as a run does that has rows behind it."""
    with closing(logger):
        logger.on_start(history[:n_behind])
        for k in range(n_behind, len(history)):
            logger.on_generation(None, history[: k + 1])
        logger.on_stop(None, history)


def read_csv(path):
    """Return the columns, to the last bit, which not every version of pandas reads."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(COLUMNS)
    table = np.array([[float(cell or "nan") for cell in row] for row in rows])
    return dict(zip(header, table.reshape(-1, len(header)).T, strict=True))


# ---------------------------------------------------------------- files


@given(ROWS)
def test_a_csv_is_the_frame(tmp_path_factory, rows):
    history = history_of(rows)
    path = tmp_path_factory.mktemp("logs") / "run.csv"
    log(LogFile(path), history)
    np.testing.assert_equal(read_csv(path), history.to_arrays())


@given(ROWS)
def test_lines_of_json_are_the_rows(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("logs") / "run.jsonl"
    log(LogFile(path), history_of(rows))

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    lines = path.read_text().splitlines()
    found = [json.loads(line, parse_constant=refuse) for line in lines]
    expected = [{name: row.get(name, np.nan) for name in COLUMNS} for row in rows]
    assert found == [
        {name: value if np.isfinite(value) else None for name, value in row.items()}
        for row in expected
    ]
    for row in found:
        for name in COUNTS:
            assert not isinstance(row[name], float) or not row[name].is_integer()


@given(ROWS, st.integers(0, 6))
def test_lines_on_a_stream_are_those_of_the_file(tmp_path_factory, rows, n_behind):
    history, stream = history_of(rows), io.StringIO()
    path = tmp_path_factory.mktemp("logs") / "run.jsonl"
    log(LogFile(path), history)
    log(JsonLines(stream), history, min(n_behind, len(rows)))
    lines = path.read_text().splitlines(keepends=True)
    assert stream.getvalue() == "".join(lines[n_behind:])


def test_a_run_goes_on_though_nobody_reads_its_lines():
    class Gone(io.StringIO):
        def flush(self):
            raise BrokenPipeError("nobody reads")

    lines = JsonLines(Gone())
    with pytest.warns(RuntimeWarning, match="JsonLines could not write .nobody reads"):
        result = evolve(X, Y, n_generations=3, callbacks=[lines], **OPTIONS)
    lines.add({"stop_reason": result.stop_reason})  # told once
    assert len(result.history) == 4


@pytest.mark.parametrize("name", ["run.csv", "run.jsonl"])
def test_a_log_has_each_generation_when_it_ends(tmp_path, name):
    path, n_lines = tmp_path / name, []

    def look(ga, history):
        content = path.read_bytes()
        assert content.endswith(b"\n")
        n_lines.append(content.count(b"\n") - name.endswith("csv"))

    result = evolve(X, Y, n_generations=3, callbacks=[LogFile(path), look], **OPTIONS)
    assert n_lines == [1, 2, 3, 4]
    assert [file.name for file in tmp_path.iterdir()] == [name]
    if name.endswith("csv"):
        late = {"evaluations", "best_fitness"}  # of the end, a result says more
        for column in set(COLUMNS) - late:
            np.testing.assert_array_equal(read_csv(path)[column], result.history[column])
        pd.testing.assert_frame_equal(
            pd.read_csv(path).drop(columns=late), result.history.to_frame().drop(columns=late)
        )


@pytest.mark.parametrize("name", ["run.csv", "run.jsonl"])
def test_a_resumed_run_goes_on_in_its_log(tmp_path, name):
    path, state = tmp_path / name, tmp_path / "run.npz"
    checkpoint = Checkpoint(state, every_generations=3)
    with pytest.raises(BrokenError):
        evolve(
            X,
            Y,
            n_generations=9,
            callbacks=[LogFile(path), checkpoint, break_after(4)],
            **OPTIONS,
        )
    broken = path.read_bytes().splitlines()
    result = evolve(X, Y, n_generations=10, start=state, callbacks=[LogFile(path)], **OPTIONS)
    lines = path.read_bytes().splitlines()
    n_header = name.endswith("csv")
    assert len(lines) == 11 + n_header
    assert lines[: 3 + n_header] == broken[: 3 + n_header]
    fresh = LogFile(tmp_path / f"again-{name}")
    log(fresh, result.history)
    assert fresh.path.read_bytes().splitlines() == lines


@pytest.mark.parametrize("name", ["run.csv", "run.jsonl"])
def test_a_run_that_continues_a_result_goes_on_in_its_log(tmp_path, name):
    path = tmp_path / name
    first = evolve(X, Y, n_generations=4, callbacks=[LogFile(path)], **OPTIONS)
    second = evolve(X, Y, n_generations=6, start=first, callbacks=[LogFile(path)], **OPTIONS)
    fresh = LogFile(tmp_path / f"again-{name}")
    log(fresh, second.history)
    n_last = path.read_bytes().count(b"\n") - 1
    assert n_last == len(second.history) - (not name.endswith("csv"))
    assert fresh.path.read_bytes().splitlines()[:n_last] == path.read_bytes().splitlines()[:n_last]


@pytest.mark.parametrize("name", ["run.csv", "run.jsonl"])
@pytest.mark.parametrize("n_behind", [2, 3, 5])
def test_wherever_a_log_was_cut_it_is_whole_again(tmp_path, name, n_behind):
    history = usual_history(6)
    path = tmp_path / name
    log(LogFile(path), history[:4])
    content = path.read_bytes()
    log(LogFile(tmp_path / f"whole-{name}"), history)
    for end in range(content.index(b"\n") + 1, len(content) + 1):
        path.write_bytes(content[:end])
        log(LogFile(path), history, n_behind)
        assert path.read_bytes() == (tmp_path / f"whole-{name}").read_bytes()


@pytest.mark.parametrize("name", ["run.csv", "run.jsonl"])
def test_what_is_not_the_log_of_the_run_is_left_as_it_is(tmp_path, name):
    history = usual_history(4)
    path = tmp_path / name
    log(LogFile(path), history)
    own = path.read_bytes()
    later = own.replace(repr(1 / 3).encode(), repr(np.nextafter(1 / 3, 1).item()).encode())
    assert later != own
    precious = [own.replace(b"generation", b"generations"), b"a letter", b"a letter\n", later]
    precious += [b"x" * 10_000, b"\n"]
    for content in precious:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"not the log of this run.*overwrite=True"):
            log(LogFile(path), history, n_behind=3)
        assert path.read_bytes() == content
    for content in [*precious, own]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not the log of this run"):
            log(LogFile(path), history)
        assert path.read_bytes() == content
        log(LogFile(path, overwrite=True), history)
        assert path.read_bytes() == own


def test_a_log_without_rows_is_nobody_s(tmp_path):
    for name in ("run.csv", "run.jsonl"):
        log(LogFile(tmp_path / name), History())
        log(LogFile(tmp_path / name), usual_history(2))
    assert len(read_csv(tmp_path / "run.csv")["generation"]) == 2


@pytest.mark.parametrize("name", ["run", "run.json", "run.csv.gz", ".csv"])
def test_a_log_is_csv_or_jsonl(name):
    with pytest.raises(ValueError, match=r"\*\.jsonl or \*\.csv, got"):
        LogFile(name)


def test_a_missing_folder_is_told_before_any_work(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        evolve(X, Y, n_generations=1, callbacks=[LogFile(tmp_path / "no" / "a.csv")], **OPTIONS)


class FullDisk:
    """Stands in for a file: writes half of what it is given, then fails."""

    def __init__(self, file, *, raises):
        self._file = file
        self._raises = raises

    def write(self, content):
        n = self._file.write(content[: len(content) // 2])
        if self._raises:
            raise OSError(28, os.strerror(28))
        return n

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.mark.parametrize("raises", [True, False])
def test_lines_that_a_full_disk_refused_follow_when_there_is_room(tmp_path, raises):
    history = usual_history(6)
    logger = LogFile(tmp_path / "run.csv")
    with closing(logger):
        logger.on_start(History())
        logger.on_generation(None, history[:1])
        whole, real = logger.path.read_bytes(), logger._file
        logger._file = FullDisk(real, raises=raises)
        with pytest.warns(RuntimeWarning, match="LogFile could not write"):
            logger.on_generation(None, history[:2])
        logger.on_generation(None, history[:3])  # is silent: once is enough
        assert logger.path.read_bytes() == whole
        logger._file = real
        logger.on_generation(None, history[:4])
    np.testing.assert_equal(read_csv(logger.path), history[:4].to_arrays())


# ---------------------------------------------------------------- TensorBoard


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [
        (lambda: MLflowLogger(), "mlflow", "mlflow"),
        (lambda: TensorBoardLogger("runs"), "tensorboardX", "tensorboard"),
    ],
)
def test_a_tracker_that_is_not_installed_is_told_with_its_extra(monkeypatch, make, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"pip install 'ga-ann\[{extra}\]'"):
        make()


@pytest.fixture(scope="module")
def tensorboard():
    """Return what reads a folder as TensorBoard does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("tensorboardX")
        accumulator = pytest.importorskip(
            "tensorboard.backend.event_processing.event_accumulator"
        ).EventAccumulator

    def read(folder):
        events = accumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
        return events.Reload()

    return read


def assert_curves(events, history):
    shown = {name for name in COLUMNS[1:] if not np.isnan(history[name]).all()}
    assert set(events.Tags()["scalars"]) == shown
    for name in shown:
        points = events.Scalars(name)
        assert [point.step for point in points] == history["generation"].tolist()
        np.testing.assert_array_equal(
            [point.value for point in points], history[name].astype(np.float32)
        )


def test_tensorboard_draws_the_history(tmp_path, tensorboard):
    kept = []
    callbacks = [TensorBoardLogger(tmp_path / "a"), lambda ga, history: kept.append(history[:])]
    evolve(X, Y, n_generations=4, callbacks=callbacks, **OPTIONS)
    assert_curves(tensorboard(tmp_path / "a"), kept[-1])
    assert b"hidden_layer_sizes = (4,)" in b"".join(
        file.read_bytes() for file in (tmp_path / "a").iterdir()
    )


def test_tensorboard_draws_a_resumed_run_once(tmp_path, tensorboard):
    folder, state = tmp_path / "a", tmp_path / "run.npz"
    callbacks = [TensorBoardLogger(folder), Checkpoint(state, every_generations=3), break_after(4)]
    with pytest.raises(BrokenError):
        evolve(X, Y, n_generations=9, callbacks=callbacks, **OPTIONS)
    callbacks = [TensorBoardLogger(folder)]
    result = evolve(X, Y, n_generations=10, start=state, callbacks=callbacks, **OPTIONS)
    assert_curves(tensorboard(folder), result.history)
    with pytest.raises(ValueError, match="curves of another run"):
        evolve(X, Y, n_generations=1, callbacks=[TensorBoardLogger(folder)], **OPTIONS)
    assert_curves(tensorboard(folder), result.history)


# ---------------------------------------------------------------- MLflow


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return MLflow's client of a local store, and its address."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder}/mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client = pytest.importorskip("mlflow").MlflowClient(tracking_uri=uri)
            client.create_experiment("ga-ann", artifact_location=(folder / "files").as_uri())
        yield client, uri


of_mlflow = pytest.mark.filterwarnings("ignore:.*noload", "ignore::ResourceWarning")


def assert_metrics(client, run_id, history):
    for name in COLUMNS[1:]:
        found = client.get_metric_history(run_id, name)
        known = ~np.isnan(history[name])
        assert [metric.step for metric in found] == history["generation"][known].tolist()
        assert [metric.value for metric in found] == history[name][known].tolist()


@of_mlflow
def test_mlflow_has_the_settings_the_history_and_the_network(store, tmp_path):
    client, uri = store
    logger = MLflowLogger(run_name="first", tracking_uri=uri, tags={"by": "me"})
    kept = []
    callbacks = [logger, lambda ga, history: kept.append(history[:])]
    result = evolve(X, Y, n_generations=160, callbacks=callbacks, **OPTIONS)
    run = client.get_run(logger.run_id)
    assert run.info.run_name == "first"
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        **{name: str(value) for name, value in result.history.settings.items()},
        "random_state": "3",
    }
    assert run.data.tags.items() >= {"label": "GA", "metric": "accuracy", "by": "me"}.items()
    assert_metrics(client, logger.run_id, kept[-1])
    logger.log_model(result)
    model = load_model(client.download_artifacts(logger.run_id, "model.npz", str(tmp_path)))
    np.testing.assert_array_equal(model.predict(X), result.predict(X))


@of_mlflow
def test_mlflow_shows_a_run_that_failed_and_goes_on_with_it(store, tmp_path):
    client, uri = store
    state = tmp_path / "run.npz"
    logger = MLflowLogger(tracking_uri=uri)
    callbacks = [logger, Checkpoint(state, every_generations=3), break_after(3)]
    with pytest.raises(BrokenError):
        evolve(X, Y, n_generations=9, callbacks=callbacks, **OPTIONS)
    assert client.get_run(logger.run_id).info.status == "FAILED"
    again = MLflowLogger(tracking_uri=uri, run_id=logger.run_id)
    new = MLflowLogger(tracking_uri=uri)
    result = evolve(X, Y, n_generations=10, start=state, callbacks=[again, new], **OPTIONS)
    assert again.run_id == logger.run_id != new.run_id
    assert_metrics(client, new.run_id, result.history)
    assert client.get_run(again.run_id).info.status == "FINISHED"
    steps = {metric.step for metric in client.get_metric_history(again.run_id, "seconds")}
    assert steps == set(range(11))


@of_mlflow
def test_a_store_that_is_lost_costs_no_run(store, monkeypatch):
    _, uri = store
    logger = MLflowLogger(tracking_uri=uri)

    def lose(ga, history):
        def fail(*arguments, **options):
            raise ConnectionError("gone")

        monkeypatch.setattr(logger._client, "log_batch", fail)

    with pytest.warns(RuntimeWarning, match="MLflowLogger could not write.*gone") as told:
        result = evolve(X, Y, n_generations=3, callbacks=[logger, lose], **OPTIONS)
    assert len([one for one in told if one.category is RuntimeWarning]) == 1
    assert len(result.history) == 4


@of_mlflow
def test_an_unknown_run_of_mlflow_is_told_before_any_work(store):
    _, uri = store
    logger = MLflowLogger(tracking_uri=uri, run_id="0" * 32)
    seen = []
    with pytest.raises(Exception, match="0" * 32):
        evolve(X, Y, n_generations=1, callbacks=[logger, lambda *_: seen.append(1)], **OPTIONS)
    assert not seen
    with pytest.raises(RuntimeError, match="no run of MLflow yet"):
        MLflowLogger(tracking_uri=uri).log_model(None)


@of_mlflow
def test_loggers_can_be_copied_as_estimators_copy_them(store, tmp_path):
    pytest.importorskip("tensorboardX")
    for logger in (
        LogFile(tmp_path / "a.csv"),
        TensorBoardLogger(tmp_path),
        MLflowLogger(tracking_uri=store[1]),
    ):
        assert type(copy.deepcopy(logger)) is type(logger)
