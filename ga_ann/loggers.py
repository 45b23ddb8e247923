"""Loggers: callbacks that write a run's History where others look at it, as it grows.

`LogFile` needs nothing else; MLflow and TensorBoard are optional and are imported when they are
asked for. A run that goes on from a checkpoint or a result goes on in the same log.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite, isnan
from pathlib import Path
from time import perf_counter, time, time_ns
from typing import IO, Any

from ga_ann.callbacks import Callback
from ga_ann.history import COLUMNS, COUNTS, History
from ga_ann.storage import clear_unfinished, replacing, save_model

__all__ = ["JsonLines", "LogFile", "MLflowLogger", "TensorBoardLogger", "as_json"]

Row = Mapping[str, float]

LONGEST_LINE = 4096
"""Bytes that are read of a line of a log; a row takes a tenth of it."""

MOST_METRICS = 1000
"""What MLflow takes at a time."""

SECONDS_BETWEEN = 1.0
"""How often trackers are written to: that takes longer than a generation of a small run."""


class _Logger(Callback):
    """Writes the rows of the History that are not written yet.

    Subclasses say where the log begins, in `_begin`, write, in `_write`, and end it, in `_end`.
    What fails with one of `_failures` while the run lasts is told in a warning, and tried again
    with the next row.
    """

    _failures: tuple[type[Exception], ...] = (OSError,)
    _pause = SECONDS_BETWEEN

    def __init__(self) -> None:
        self._continued = self._history = History()
        self._n_written = 0
        self._epoch, self._last = 0.0, float("-inf")
        self._is_open = self._has_warned = False

    @abstractmethod
    def _begin(self, behind: History) -> int:
        """Open the log; return how many of the rows that the run has behind it need no writing."""

    @abstractmethod
    def _write(self, rows: History) -> None:
        """Write rows."""

    @abstractmethod
    def _end(self) -> None:
        """Close the log."""

    def on_continue(self, history: History) -> None:
        """Take note of the generations that this run has behind it."""
        self._continued = history

    def on_start(self, history: History) -> None:
        """Open the log, before the run's first work."""
        self._history = behind = self._continued or history
        # The rows count seconds since the start of the run; trackers want the time of day.
        self._epoch = time() - (behind.last["seconds"] if len(behind) else 0.0)
        self._last, self._has_warned = float("-inf"), False
        self._n_written = self._begin(behind)
        self._is_open = True

    def on_generation(self, ga: Any, history: History) -> None:
        """Write what is not written yet, if it is time to."""
        self._history = history
        if perf_counter() - self._last >= self._pause:
            self._log()
            self._last = perf_counter()

    def close(self) -> None:
        """Write what is left, and close the log."""
        if self._is_open:
            self._is_open = False
            try:
                self._log()
            finally:
                with self._surviving():
                    self._end()
        self._continued = self._history = History()

    def _log(self) -> None:
        with self._surviving():
            self._write(self._history[self._n_written :])
            self._n_written = len(self._history)

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Turn failures into one warning: a run is worth more than its log."""
        try:
            yield
        except self._failures as error:
            if not self._has_warned:
                self._has_warned = True
                warnings.warn(
                    f"{type(self).__name__} could not write ({error}); the run goes on.",
                    RuntimeWarning,
                    stacklevel=2,
                )


# ---------------------------------------------------------------- files


class LogFile(_Logger):
    """Writes a line a generation to a file, for `pandas`, `tail -f` or a spreadsheet.

    Each line is written whole and at once. A run that goes on from a checkpoint or a result goes on
    in its log: lines of generations that the checkpoint does not know are replaced, lines that are
    missing are added, and half a line, after a power cut, is removed.

    Parameters
    ----------
    path : path-like
        The file. ``.jsonl`` is for lines of JSON, with null for NaN and infinities; ``.csv`` for a
        table with a header, with nothing for NaN.
    overwrite : bool, default=False
        Whether a file of that name that is not the log of this run may be replaced.

    Raises
    ------
    ValueError
        If the name ends in something else; when the run begins, if there is a file that is not the
        log of this run.
    OSError
        When the run begins, if nothing can be written there. Later failures, such as a full disk,
        are told in a `RuntimeWarning`; the lines follow when there is room again.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = LogFile(f"{folder}/run.csv")
    ...     result = evolve(X, y, n_generations=3, callbacks=[log], random_state=0)
    ...     pd.read_csv(log.path)["generation"].tolist()
    [0, 1, 2, 3]
    """

    _pause = 0.0

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        super().__init__()
        self.path = Path(path)
        if self.path.suffix not in (".jsonl", ".csv"):
            raise ValueError(f"a LogFile is named *.jsonl or *.csv, got {os.fspath(path)!r}.")
        self.overwrite = overwrite
        self._is_csv = self.path.suffix == ".csv"
        self._file: Any = None

    def _begin(self, behind: History) -> int:
        lines = [*self._header(), *map(self._line, behind)]
        if not self.overwrite and self.path.exists() and not self._is_own(lines):
            raise ValueError(
                f"{self.path} is not the log of this run and would be overwritten: go on from the "
                "run that it is of (start=), choose another file, or give overwrite=True."
            )
        clear_unfinished(self.path)
        with replacing(self.path) as file:
            file.writelines(lines)
        # Without a buffer each write is one step for the system, which a kill does not cut in two.
        self._file = self.path.open("ab", buffering=0)
        return len(behind)

    def _header(self) -> list[bytes]:
        return [",".join(COLUMNS).encode() + b"\n"] * self._is_csv

    def _line(self, row: Row) -> bytes:
        return (_as_csv(row) if self._is_csv else as_json(row)).encode() + b"\n"

    def _is_own(self, expected: list[bytes]) -> bool:
        """Tell whether the file's lines are those of the run as far as both go."""
        with self.path.open("rb") as file:
            found = [file.readline(LONGEST_LINE) for _ in range(max(1, len(expected)))]
            has_more = bool(file.read(1))
        if not found[0]:
            return True
        n_header = len(self._header())
        if len(expected) == n_header:  # nothing behind it: another run's rows are not its own
            return found == expected and not has_more
        for k, (line, own) in enumerate(zip(found, expected, strict=True)):
            if not line.endswith(b"\n"):  # the end of the file, perhaps after half a line
                return k > 0 and len(line) < LONGEST_LINE
            if _key(line) != _key(own):
                return False
        return True

    def _write(self, rows: History) -> None:
        size = os.fstat(self._file.fileno()).st_size
        data = b"".join(map(self._line, rows))
        try:
            if self._file.write(data) != len(data):
                raise OSError(f"no room for a line in {self.path}")
        except OSError:
            self._file.truncate(size)
            raise

    def _end(self) -> None:
        self._file.close()
        self._file = None


def _counted(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its counts as whole numbers."""
    return {
        name: int(value) if name in COUNTS and value.is_integer() else value
        for name, value in row.items()
    }


def _as_csv(row: Row) -> str:
    return ",".join("" if isnan(value) else repr(value) for value in _counted(row).values())


def as_json(row: Mapping[str, Any]) -> str:
    """Return a row of a History, and what is added to it, as JSON without the end of the line.

    Examples
    --------
    >>> as_json({"generation": 3.0, "best_fitness": 0.5, "sigma": float("nan"), "seed": 7})
    '{"generation": 3, "best_fitness": 0.5, "sigma": null, "seed": 7}'
    """
    known = {
        name: None if isinstance(value, float) and not isfinite(value) else value
        for name, value in _counted(row).items()
    }
    return json.dumps(known, allow_nan=False)


class JsonLines(_Logger):
    """Writes a line of JSON a generation to a stream, for programs that read along.

    The generations that a run has behind it are left out. If nobody reads any more, a warning says
    so, and the run goes on.

    Parameters
    ----------
    file : text stream
        What to write to.

    Examples
    --------
    >>> import sys
    >>> history = History()
    >>> history.append(generation=0, evaluations=64, best_fitness=0.25)
    >>> lines = JsonLines(sys.stdout)
    >>> lines.on_start(History())
    >>> lines.on_generation(None, history)  # doctest: +ELLIPSIS
    {"generation": 0, "evaluations": 64.0, "seconds": null, "best_fitness": 0.25, ...
    >>> lines.close()
    """

    _pause = 0.0

    def __init__(self, file: IO[str]) -> None:
        super().__init__()
        self._file = file

    def add(self, row: Mapping[str, Any]) -> None:
        """Write one more line."""
        with self._surviving():
            self._print([row])

    def _begin(self, behind: History) -> int:
        return len(behind)

    def _write(self, rows: History) -> None:
        self._print(rows)

    def _print(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._file.writelines(f"{as_json(row)}\n" for row in rows)
        self._file.flush()

    def _end(self) -> None:
        """Leave the stream to whoever opened it."""


def _key(line: bytes) -> tuple[bytes, ...]:
    """Return what tells a line from that of another run: the generation and the seconds.

    No two runs take the same time to the last bit. What else a result says of its last generation
    may be more than the log does.
    """
    fields = line.split(b",", 3)
    return fields[0], *fields[2:3]


# ---------------------------------------------------------------- TensorBoard


class TensorBoardLogger(_Logger):
    """Writes the History's columns as curves for TensorBoard (``tensorboard --logdir FOLDER``).

    A curve has the name of its column, ``best_fitness`` and so on, over the generations; the
    settings are under Text. NaN is left out. It is written about once a second.

    Parameters
    ----------
    log_dir : path-like
        The folder, one for each run; it is made if need be. A run that goes on from a checkpoint or
        a result goes on in it: TensorBoard then shows that run from its beginning to its end.

    Raises
    ------
    ImportError
        If tensorboardX is not installed; ``pip install 'ga-ann[tensorboard]'`` brings it.
    ValueError
        When the run begins, if it is a new run and the folder has the curves of another one.
    OSError
        When the run begins, if nothing can be written there.
    """

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        super().__init__()
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "TensorBoardLogger needs tensorboardX: pip install 'ga-ann[tensorboard]'."
            ) from error
        self.log_dir = Path(log_dir)
        self._open = SummaryWriter
        self._writer: Any = None

    def _begin(self, behind: History) -> int:
        has_events = any(self.log_dir.glob("events.out.tfevents.*"))
        if has_events and not len(behind):
            raise ValueError(
                f"{self.log_dir} has the curves of another run, which would mix with these: choose "
                "another folder, or go on from that run (start=)."
            )
        self._writer = self._open(
            str(self.log_dir),
            # Hides what is there: a kill may have cost some of it, and all of it is written anew.
            purge_step=0 if has_events else None,
            # Two runs in one second would otherwise write one file; they are read in this order.
            filename_suffix=f".{time_ns()}",
        )
        settings = {"label": behind.label, "metric": behind.metric, **behind.settings}
        lines = [f"    {name} = {value!r}" for name, value in settings.items()]
        self._writer.add_text("settings", "\n".join(lines), 0)
        return 0

    def _write(self, rows: History) -> None:
        for row in rows:
            for name, value in _measured(row):
                when = self._epoch + row["seconds"]
                self._writer.add_scalar(name, value, int(row["generation"]), walltime=when)
        self._writer.flush()

    def _end(self) -> None:
        self._writer.close()
        self._writer = None


def _measured(row: Row) -> Iterator[tuple[str, float]]:
    """Yield what a curve over the generations can be drawn of."""
    for name, value in row.items():
        if name != "generation" and not isnan(value):
            yield name, value


# ---------------------------------------------------------------- MLflow


class MLflowLogger(_Logger):
    """Makes a run of MLflow of each run: parameters, metrics a generation, tags and its end.

    The parameters are the History's settings and ``random_state``, the metrics its columns, without
    NaN; the tags say the label and the metric that is the fitness. It is written to about once a
    second. The state that the fluent functions of MLflow share (``mlflow.start_run``) is left
    alone.

    Parameters
    ----------
    experiment : str, default="ga-ann"
        Name of the experiment; it is made if need be.
    run_name : str, optional
        Name of the run; by default MLflow invents one.
    run_id : str, optional
        A run to go on with, for what goes on from a checkpoint or a result. Without it, such a run
        is a new one that begins with the generations behind it.
    tracking_uri : str, optional
        Where to, such as ``"sqlite:///mlflow.db"``; by default what MLflow is set to, which is a
        local store.
    tags : mapping of str to str, optional
        Further tags.

    Attributes
    ----------
    run_id : str or None
        The run that was written last.

    Raises
    ------
    ImportError
        If MLflow is not installed; ``pip install 'ga-ann[mlflow]'`` brings what this takes of it.
    mlflow.exceptions.MlflowException
        When the run begins, if the store cannot be reached, or has no such run. Later failures are
        told in a `RuntimeWarning`.
    """

    def __init__(
        self,
        experiment: str = "ga-ann",
        *,
        run_name: str | None = None,
        run_id: str | None = None,
        tracking_uri: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        mlflow = _import_mlflow()
        self._failures = (OSError, mlflow.exceptions.MlflowException)
        self.experiment = experiment
        self.run_name = run_name
        self.run_id = run_id
        self.tracking_uri = tracking_uri
        self.tags = dict(tags or {})
        self._goes_on = run_id is not None
        self._has_ended = False
        self._parameters: dict[str, Any] = {}
        self._client: Any = None

    def _begin(self, behind: History) -> int:
        self._client = _import_mlflow().MlflowClient(tracking_uri=self.tracking_uri)
        self._has_ended = bool(len(behind))
        if self._goes_on:
            self._client.update_run(self.run_id, status="RUNNING")
            self._goes_on = False
            known = self._client.get_metric_history(self.run_id, "seconds")
            return min(len(behind), 1 + max((metric.step for metric in known), default=-1))
        self.run_id = self._new_run(behind)
        self._parameters = dict(behind.settings)
        return 0

    def _new_run(self, behind: History) -> str:
        found = self._client.get_experiment_by_name(self.experiment)
        where = found.experiment_id if found else self._client.create_experiment(self.experiment)
        tags = {"label": behind.label, "metric": behind.metric, **self.tags}
        run_id: str = self._client.create_run(where, tags=tags, run_name=self.run_name).info.run_id
        return run_id

    def on_generation(self, ga: Any, history: History) -> None:
        """Write what is not written yet, once a second."""
        self._has_ended = False
        if self._parameters:
            self._parameters["random_state"] = ga.state.random_state
        super().on_generation(ga, history)

    def on_stop(self, ga: Any, history: History) -> None:
        """Take note that the run came to its end."""
        self._has_ended = True

    def _write(self, rows: History) -> None:
        from mlflow.entities import Metric, Param

        if self._parameters:
            parameters = [Param(name, str(value)) for name, value in self._parameters.items()]
            self._client.log_batch(self.run_id, params=parameters)
            self._parameters = {}
        metrics = [
            Metric(
                name,
                value,
                timestamp=int(1000 * (self._epoch + row["seconds"])),
                step=int(row["generation"]),
            )
            for row in rows
            for name, value in _measured(row)
        ]
        for first in range(0, len(metrics), MOST_METRICS):
            self._client.log_batch(self.run_id, metrics=metrics[first : first + MOST_METRICS])

    def _end(self) -> None:
        self._client.set_terminated(self.run_id, "FINISHED" if self._has_ended else "FAILED")
        self._client = None

    def log_model(self, model: Any) -> None:
        """Store a trained network with the run, as the artifact ``model.npz``.

        Parameters
        ----------
        model : Model, TrainingResult or estimator
            See `save_model`; `load_model` reads what
            ``mlflow.artifacts.download_artifacts(run_id=..., artifact_path="model.npz")`` returns.

        Raises
        ------
        RuntimeError
            If nothing ran yet.
        """
        if self.run_id is None:
            raise RuntimeError(
                "there is no run of MLflow yet; call evolve with this callback first."
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.npz")
            save_model(path, model)
            client = _import_mlflow().MlflowClient(tracking_uri=self.tracking_uri)
            client.log_artifact(self.run_id, str(path))


def _import_mlflow() -> Any:
    try:
        import mlflow
    except ImportError as error:
        raise ImportError("MLflowLogger needs MLflow: pip install 'ga-ann[mlflow]'.") from error
    return mlflow
