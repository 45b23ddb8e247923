"""Callbacks: what to do after each generation.

A callback is any ``f(ga, history)``, with the running `pygad.GA` and the `History` so far. It is
called after the initial population was measured and after every generation. A run ends when a
callback returns True, or a string that says why.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from numbers import Integral
from types import TracebackType
from typing import Any, Self

from tqdm.auto import tqdm

from ga_ann.history import COLUMNS, History
from ga_ann.validation import check_number

__all__ = ["Callback", "EarlyStopping", "ProgressBar"]

Callback = Callable[[Any, History], "str | bool | None"]


class EarlyStopping:
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
    ...     print(stop(None, history))
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

    def __call__(self, ga: Any, history: History) -> str | None:
        """Compare the newest generation with the best one so far."""
        value = history.last[self.column]
        self._since = 0 if value > self._best + self.tol else self._since + 1
        if self._since == 0:
            self._best = value
        if self._since < self.n_iter_no_change:
            return None
        return f"no {self.column} improvement in {self.n_iter_no_change} generations"


class ProgressBar:
    """Shows generation, best fitness, held-out score and the time left.

    Parameters
    ----------
    n_generations : int
        Number of generations at most.
    description : str, default="GA"
        What stands before the bar.
    **options
        Passed on to `tqdm.tqdm`.

    Examples
    --------
    >>> import sys
    >>> with ProgressBar(10, file=sys.stdout, disable=True) as bar:
    ...     bar(None, History())
    """

    def __init__(self, n_generations: int, description: str = "GA", **options: Any) -> None:
        self._bar = tqdm(total=n_generations, desc=description, unit="gen", **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def __call__(self, ga: Any, history: History) -> None:
        """Show the newest generation."""
        if not len(history):
            return
        row = history.last
        shown = {"best": f"{row['best_fitness']:.4f}"}
        if not isnan(row["validation_score"]):
            shown["held out"] = f"{row['validation_score']:.4f}"
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(int(row["generation"]) - self._bar.n)
