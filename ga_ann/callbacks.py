"""Callbacks: what to do after each generation.

A callback is any function ``f(ga, history)`` of the running `pygad.GA` and the `History` so far, or
an object with the hooks of `Callback`. ``ga.state`` is the `State` of the run.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from numbers import Integral
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from ga_ann.chromosome import reshape
from ga_ann.history import COLUMNS, History
from ga_ann.low_rank import LowRankPopulation
from ga_ann.network import pair_layers
from ga_ann.state import State
from ga_ann.storage import (
    check_writable,
    clear_unfinished,
    has_behind_it,
    read_kind,
    save_checkpoint,
)
from ga_ann.validation import check_number

__all__ = [
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "WeightMovement",
    "as_callback",
    "as_callbacks",
]

SHARE_OF_TIME = 0.01
"""What writing checkpoints may take of a run by default."""

BYTES_PER_SECOND = 1e8
"""How quickly the first checkpoint is expected to be written; the others go by the one before."""

Verdict = str | bool | None


class Callback:
    """What may be done around a run; each hook does nothing unless a subclass says so.

    Examples
    --------
    >>> class Shout(Callback):
    ...     def on_stop(self, ga, history):
    ...         print(f"{len(history) - 1} generations!")
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> result = evolve(X, y, n_generations=3, callbacks=[Shout()], random_state=0)
    3 generations!
    """

    def on_continue(self, history: History) -> None:
        """Take note of the run that this one continues, if it continues one, before `on_start`.

        Parameters
        ----------
        history : History
            All that this run has behind it, from the first run's initial population on.
        """

    def on_start(self, history: History) -> str | None:
        """Prepare, before the run's first work.

        Parameters
        ----------
        history : History
            The generations that the run has behind it, if it goes on from a checkpoint; without
            those of a run that it continues.

        Returns
        -------
        str or None
            Why the run shall not go on from there.
        """

    def on_generation(self, ga: Any, history: History) -> Verdict:
        """Look at a generation, the initial population's included.

        Parameters
        ----------
        ga : pygad.GA
            The engine.
        history : History
            With a row for this generation.

        Returns
        -------
        str, bool or None
            True, or why, if the run is to end here.
        """

    def on_stop(self, ga: Any, history: History) -> None:
        """Look at the last generation, after `on_generation`; not if the run fails."""

    def close(self) -> None:
        """Clean up in the end, however the run ends, also if `on_start` failed.

        The last callback is closed first. Those behind one whose `on_start` failed were never
        started and are not closed.
        """


class _Function(Callback):
    """A function in a callback's clothes."""

    def __init__(self, function: Callable[[Any, History], Verdict]) -> None:
        self._function = function

    def on_generation(self, ga: Any, history: History) -> Verdict:
        """Call the function."""
        return self._function(ga, history)


def as_callback(given: Any) -> Callback:
    """Return what a user gave as a callback.

    Raises
    ------
    TypeError
        If it is neither a `Callback` nor a function.
    """
    if isinstance(given, Callback):
        return given
    if not callable(given) or isinstance(given, type):
        raise TypeError(f"callbacks must be Callbacks or functions f(ga, history), got {given!r}.")
    return _Function(given)


def as_callbacks(given: Any) -> list[Callback]:
    """Return what a user gave as several callbacks.

    Raises
    ------
    TypeError
        If it is no list or the like, or something in it is not a callback.
    """
    if not isinstance(given, Iterable):
        raise TypeError(f"callbacks must be a list of them, got {given!r}.")
    return [as_callback(callback) for callback in given]


class EarlyStopping(Callback):
    """Ends the run when a column of the History stops growing.

    Parameters
    ----------
    n_iter_no_change : int
        Number of generations to wait for an improvement, at least 1.
    tol : float, default=1e-4
        By how much the column must grow for it to be an improvement.
    column : str, default="validation_score"
        What to watch, see `History`.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> stop = EarlyStopping(2, column="best_fitness")
    >>> history = History()
    >>> for fitness in (0.5, 0.7, 0.7, 0.7):
    ...     history.append(best_fitness=fitness)
    ...     print(stop.on_generation(None, history))
    None
    None
    None
    no best_fitness improvement in 2 generations
    """

    def __init__(
        self, n_iter_no_change: int, *, tol: float = 1e-4, column: str = "validation_score"
    ) -> None:
        check_number(n_iter_no_change, "n_iter_no_change", Integral, low=1)
        check_number(tol, "tol", low=0)
        if column not in COLUMNS:
            raise ValueError(f"column must be one of {list(COLUMNS)}, got {column!r}.")
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.column = column
        self._best = float("-inf")
        self._since = 0

    def on_generation(self, ga: Any, history: History) -> str | None:
        """Compare the newest generation with the best one so far."""
        self._compare(history.last[self.column])
        return self._reason()

    def _reason(self) -> str | None:
        if self._since < self.n_iter_no_change:
            return None
        return f"no {self.column} improvement in {self.n_iter_no_change} generations"

    def _compare(self, value: float) -> None:
        self._since = 0 if value > self._best + self.tol else self._since + 1
        if self._since == 0:
            self._best = value

    def on_start(self, history: History) -> str | None:
        """Take note of the generations of a run that goes on, unless it had ended there."""
        self._best, self._since = float("-inf"), 0
        for value in history[self.column]:
            self._compare(float(value))
        return self._reason()


class Checkpoint(Callback):
    """Writes the run's state to a file, from which ``evolve(start=path)`` goes on bit for bit.

    It is written after the last generation in any case, also of a run that Ctrl-C or SIGTERM ends.
    A kill or a power cut costs what came after the last writing: no more than `every_generations`
    or `every_seconds`, and by default a hundred times what writing takes: seconds for a network of
    10^4 genes, a minute or two for one of 10^6.

    Parameters
    ----------
    path : path-like
        The file, written whole or not at all. While the run lasts, the one before stays as
        ``path + ".previous"``, and ``path + ".lock"`` keeps other runs from it.
    every_generations : int, optional
        Write after so many generations, at least 1.
    every_seconds : float, optional
        Write after the first generation that ends so many seconds after the last writing, above 0.
        Without either, writing takes 1 % of the time.
    overwrite : bool, default=False
        Whether the checkpoint of another run may be replaced. One that this run goes on from, or
        has behind it, is replaced in any case.

    Raises
    ------
    ValueError
        If a number is out of its range; when the run begins, if there is a file that is no
        checkpoint, or one of another run.
    OSError
        When the run begins, if nothing can be written there, or another run writes there. Later
        failures, such as a full disk, are told in a `RuntimeWarning`: the run goes on, with the
        last file as it was.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> options = {"hidden_layer_sizes": (8,), "random_state": 0, "target_fitness": None}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/run.npz"
    ...     first = evolve(X, y, n_generations=7, callbacks=[Checkpoint(path)], **options)
    ...     second = evolve(X, y, n_generations=20, start=path, **options)
    >>> whole = evolve(X, y, n_generations=20, **options)
    >>> bool((second.population == whole.population).all())
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every_generations: int | None = None,
        every_seconds: float | None = None,
        overwrite: bool = False,
    ) -> None:
        if every_generations is not None:
            check_number(every_generations, "every_generations", Integral, low=1)
        if every_seconds is not None:
            check_number(every_seconds, "every_seconds", above=0)
        self.path = Path(path)
        self.every_generations = every_generations
        self.every_seconds = every_seconds
        self.overwrite = overwrite
        self._previous = Path(f"{self.path}.previous")
        self._lock = FileLock(f"{self.path}.lock", timeout=0)
        self._saved = (-1, perf_counter())
        self._pause: float | None = None
        self._has_warned = False
        self._continued = History()

    def on_continue(self, history: History) -> None:
        """Take note of the checkpoints that this run has behind it."""
        self._continued = history

    def on_start(self, history: History) -> None:
        """Make sure that the file can be written, by nobody else."""
        names = (self.path, self._previous)
        for name in names:
            check_writable(name)
        if self.path.exists() and (kind := _kind(self.path)) != "checkpoint":
            raise ValueError(
                f"{self.path} is {kind} and would be overwritten: choose another file or remove it."
            )
        try:
            self._lock.acquire()
        except Timeout as error:
            raise OSError(
                f"another run writes its checkpoints to {self.path}; choose another file."
            ) from error
        self._check_own(history)
        for name in names:
            clear_unfinished(name)
        self._saved, self._pause, self._has_warned = (-1, perf_counter()), None, False

    def _check_own(self, history: History) -> None:
        """Refuse the checkpoint of another run; to be called while nobody else may write it."""
        behind = self._continued or history
        if self.overwrite or not self.path.exists() or has_behind_it(behind, self.path):
            return
        raise ValueError(
            f"{self.path} is the checkpoint of another run and would be overwritten: go on from it "
            "(start=), choose another file, or give overwrite=True."
        )

    def close(self) -> None:
        """Let others write the file."""
        self._continued = History()
        if self._lock.is_locked:
            # Before it is let go of: afterwards it may be another run's. Windows refuses, and
            # releasing removes it there.
            with suppress(OSError):
                Path(self._lock.lock_file).unlink()
        self._lock.release()

    def on_generation(self, ga: Any, history: History) -> None:
        """Write the state if it is time to."""
        if self._is_due(ga, history):
            self._write(ga, history)

    def _is_due(self, ga: Any, history: History) -> bool:
        generation, when = self._saved
        passed = perf_counter() - when
        if self.every_generations is None and self.every_seconds is None:
            if self._pause is None:
                self._pause = ga.population.nbytes / BYTES_PER_SECOND / SHARE_OF_TIME
            return passed >= self._pause
        n_since = len(history) - 1 - generation
        return (self.every_generations is not None and n_since >= self.every_generations) or (
            self.every_seconds is not None and passed >= self.every_seconds
        )

    def on_stop(self, ga: Any, history: History) -> None:
        """Write the state unless the file has it; then the file before is of no more use."""
        if self._saved[0] != len(history) - 1:
            self._write(ga, history)
        if self._saved[0] == len(history) - 1:
            with suppress(OSError):
                self._previous.unlink()

    def _write(self, ga: Any, history: History) -> None:
        started = perf_counter()
        try:
            save_checkpoint(self.path, ga.state)
        except OSError as error:
            if not self._has_warned:
                self._has_warned = True
                warnings.warn(
                    f"The checkpoint could not be written ({error}); the run goes on, and "
                    f"{self.path} is as it was.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self._saved = (self._saved[0], perf_counter())
        else:
            self._saved = (len(history) - 1, perf_counter())
        self._pause = (perf_counter() - started) / SHARE_OF_TIME


def _kind(path: Path) -> str:
    """Return what a file holds, by its header alone."""
    try:
        return read_kind(path)
    except ValueError:
        return "no file of this package"


class WeightMovement(Callback):
    """Notes in the History how far each layer's weights are from where the run began.

    The distance is the root mean square over a layer's weights and biases, from the first
    generation that the callback saw: the run's first, or the first after a checkpoint. It is that
    of the mean that all solutions are mutations of, or of the best solution so far where there is
    none.

    Parameters
    ----------
    every_generations : int, default=10
        Look at each of the first so many generations, at every so manieth one from there, and at
        the last one; at least 1.

    Raises
    ------
    ValueError
        If the number is out of its range.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> options = {"hidden_layer_sizes": (8,), "n_generations": 20, "random_state": 0}
    >>> result = evolve(X, y, callbacks=[WeightMovement()], **options)
    >>> result.history.movement.shape  # generations and layers
    (21, 2)
    >>> result.history.movement[0].tolist()
    [0.0, 0.0]
    """

    def __init__(self, every_generations: int = 10) -> None:
        check_number(every_generations, "every_generations", Integral, low=1)
        self.every_generations = every_generations
        self._origin: NDArray[Any] | None = None
        self._n_seen = 0

    def on_start(self, history: History) -> None:
        """Forget where the run before began."""
        self._origin, self._n_seen = None, 0

    def on_generation(self, ga: Any, history: History) -> None:
        """Measure the distances if it is time to."""
        generation = len(history) - 1
        if generation % self.every_generations == 0 or self._n_seen < self.every_generations:
            self._n_seen += 1
            self._note(ga.state, history)

    def on_stop(self, ga: Any, history: History) -> None:
        """Measure those of the last generation."""
        self._note(ga.state, history)

    def _note(self, state: State, history: History) -> None:
        centre = _centre(state)
        if self._origin is None:
            self._origin = centre.copy()
        moved = reshape(centre - self._origin, state.shapes)
        history.note_movement(
            np.sqrt(
                np.mean(np.concatenate([part.ravel() for part in layer if part is not None]) ** 2)
            )
            for layer in pair_layers(moved)
        )


def _centre(state: State) -> NDArray[Any]:
    if isinstance(state.population, LowRankPopulation):
        return state.population.mean
    return state.best.solution if state.mean is None else state.mean
