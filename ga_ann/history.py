"""History: what each generation measured. Plots, progress, reports and files all read it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Protocol, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["COLUMNS", "COUNTS", "HasHistory", "History", "HistoryOrOwner", "find_history"]

COLUMNS = (
    "generation",
    "evaluations",
    "seconds",
    "best_fitness",
    "mean_fitness",
    "ranking",
    "validation_score",
    "sigma",
    "n_samples",
    "n_invalid",
)
"""What a row of a `History` holds; see there."""

COUNTS = ("generation", "n_samples", "n_invalid")
"""Those that are whole numbers."""


class History:
    """One row of float64 a generation (or an iteration), read by column; slices are of rows.

    Parameters
    ----------
    label : str, default=""
        Name of the method, for legends: ``"GA"``, ``"naive training"``.
    metric : str, default="accuracy"
        Name of the fitness.
    settings : mapping, optional
        What the run was started with: names to strings, numbers, booleans, None, or lists of them.

    Notes
    -----
    The columns are

    ``generation``
        0 for the initial population, then 1, 2, ...
    ``evaluations``
        Networks evaluated since the start, in units of the whole training set: a network that saw
        a tenth of the samples counts 0.1.
    ``seconds``
        Since the start.
    ``best_fitness``
        Fitness, on all training samples, of the solution that the run would return if it ended
        here.
    ``mean_fitness``
        Mean fitness of the generation, on the samples that it was measured on; NaN where selection
        needed the ranking alone.
    ``ranking``
        What selection ranks by, on all training samples, of the best ranked solution so far.
    ``validation_score``
        Fitness of the best solution on the validation data; NaN where there are none.
    ``sigma``
        Strength of the mutation; NaN where there is none.
    ``n_samples``
        Number of training samples that the generation was measured on.
    ``n_invalid``
        Number of solutions whose fitness, or the ranking that was measured alone, was NaN; they
        rank worst.

    Examples
    --------
    >>> history = History(label="GA")
    >>> history.append(generation=0, best_fitness=0.25)
    >>> history.append(generation=1, best_fitness=0.5)
    >>> history["best_fitness"]
    array([0.25, 0.5 ])
    >>> len(history), history.last["generation"]
    (2, 1.0)
    >>> history[1:]["best_fitness"]
    array([0.5])
    """

    def __init__(
        self,
        *,
        label: str = "",
        metric: str = "accuracy",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.label = label
        self.metric = metric
        self.settings = dict(settings or {})
        # Row after row in one array, so that Ctrl-C never leaves a part of a row behind.
        self._values = array("d")
        self._movement: dict[int, tuple[float, ...]] = {}

    def append(self, **row: float) -> None:
        """Add a generation; a column that is not given is NaN.

        Raises
        ------
        ValueError
            If a name is not one of the columns.
        """
        if unknown := row.keys() - set(COLUMNS):
            raise ValueError(f"columns must be among {list(COLUMNS)}, got {sorted(unknown)}.")
        self._values.extend([float(row.get(name, "nan")) for name in COLUMNS])

    def amend_last(self, **values: float) -> None:
        """Give columns of the newest row other values.

        Raises
        ------
        IndexError
            If there is no row.
        ValueError
            If a name is not one of the columns.
        """
        row = self.last | values
        if unknown := row.keys() - set(COLUMNS):
            raise ValueError(f"columns must be among {list(COLUMNS)}, got {sorted(unknown)}.")
        self._values[-len(COLUMNS) :] = array("d", [float(row[name]) for name in COLUMNS])

    def note_movement(self, distances: Iterable[float]) -> None:
        """Note of the newest row how far each layer is from where the run began.

        Parameters
        ----------
        distances : iterable of float
            A number a layer, the first layer first; `WeightMovement` says which.

        Raises
        ------
        IndexError
            If there is no row.
        ValueError
            If it is not as many as were noted before.
        """
        if not len(self):
            raise IndexError("the history has no rows yet.")
        moved = tuple(map(float, distances))
        known = next(iter(self._movement.values()), moved)
        if len(moved) != len(known):
            raise ValueError(f"distances must be {len(known)}, one a layer, got {len(moved)}.")
        self._movement[len(self) - 1] = moved

    @property
    def movement(self) -> NDArray[np.float64] | None:
        """How far each layer is from where the run began, of shape (n_rows, n_layers).

        After a row that a run was resumed from, the distances are from where it was resumed.
        NaN in the rows of which nothing was noted; None where nothing ever was. A `WeightMovement`
        notes it.
        """
        if not self._movement:
            return None
        n_layers = len(next(iter(self._movement.values())))
        nothing = (float("nan"),) * n_layers
        return np.array([self._movement.get(row, nothing) for row in range(len(self))])

    def __len__(self) -> int:
        return len(self._values) // len(COLUMNS)

    @overload
    def __getitem__(self, key: str) -> NDArray[np.float64]: ...
    @overload
    def __getitem__(self, key: slice) -> History: ...
    def __getitem__(self, key: str | slice) -> NDArray[np.float64] | History:
        if isinstance(key, slice):
            part = History(label=self.label, metric=self.metric, settings=self.settings)
            rows = np.reshape(self._values, (-1, len(COLUMNS)))[key]
            part._values = array("d", rows.tobytes())
            if self._movement:
                kept = enumerate(range(len(self))[key])
                part._movement = {
                    new: self._movement[old] for new, old in kept if old in self._movement
                }
            return part
        if key not in COLUMNS:
            raise KeyError(f"column must be one of {list(COLUMNS)}, got {key!r}.")
        return np.array(self._values[COLUMNS.index(key) :: len(COLUMNS)])

    def __iter__(self) -> Iterator[dict[str, float]]:
        for row in np.reshape(self._values, (-1, len(COLUMNS))).tolist():
            yield dict(zip(COLUMNS, row, strict=True))

    def __repr__(self) -> str:
        end = f", best_fitness={self.last['best_fitness']:.4g}" if len(self) else ""
        return f"History({self.label!r}, {len(self)} row{'s' * (len(self) != 1)}{end})"

    @property
    def unit(self) -> str:
        """What a row stands for: a ``"generation"``, or an ``"iteration"`` of another method."""
        return "iteration" if "n_iterations" in self.settings else "generation"

    @property
    def last(self) -> dict[str, float]:
        """The newest row.

        Raises
        ------
        IndexError
            If there is none.
        """
        if not len(self):
            raise IndexError("the history has no rows yet.")
        return dict(zip(COLUMNS, self._values[-len(COLUMNS) :], strict=True))

    def copy(self, settings: Mapping[str, Any] | None = None) -> History:
        """Return a History with the same rows, and with other settings if some are given."""
        twin = self[:]
        if settings is not None:
            twin.settings = dict(settings)
        return twin

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return the columns by name."""
        return {name: self[name] for name in COLUMNS}

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row a generation, which shares nothing with this.

        Returns
        -------
        DataFrame
            The columns are float64; generation, n_samples and n_invalid are int64 where they are
            known in every row. Its ``attrs`` hold `label`, `metric` and `settings`.

        Examples
        --------
        >>> history = History(label="GA", settings={"sigma": 0.4})
        >>> history.append(generation=0, best_fitness=0.25, n_samples=150, n_invalid=0)
        >>> history.append(generation=1, best_fitness=0.5, n_samples=150, n_invalid=0)
        >>> frame = history.to_frame()
        >>> frame[["generation", "best_fitness"]]
           generation  best_fitness
        0           0          0.25
        1           1          0.50
        >>> frame.attrs
        {'label': 'GA', 'metric': 'accuracy', 'settings': {'sigma': 0.4}}
        """
        frame = pd.DataFrame(self.to_arrays())
        counts = frame[list(COUNTS)]
        # Above 2^53 float64 does not have every whole number.
        whole = ((counts.abs() < 2**53) & (counts == np.trunc(counts))).all()
        frame = frame.astype(dict.fromkeys(whole.index[whole], np.int64))
        frame.attrs = {
            "label": self.label,
            "metric": self.metric,
            "settings": deepcopy(self.settings),
        }
        return frame

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, ArrayLike], **about: Any) -> History:
        """Build a History from columns of equal length; `about` as for the constructor.

        An array ``"movement"`` may be among them, see the property.

        Raises
        ------
        ValueError
            If a column is missing, or the columns are not 1-D and of one length, or the movement
            has not a row for each of theirs.
        """
        history = cls(**about)
        if missing := [name for name in COLUMNS if name not in arrays]:
            raise ValueError(f"a History needs the columns {list(COLUMNS)}, {missing} are missing.")
        columns = {name: np.asarray(arrays[name], dtype=np.float64) for name in COLUMNS}
        shapes = {name: column.shape for name, column in columns.items()}
        if len(set(shapes.values())) != 1 or columns["generation"].ndim != 1:
            raise ValueError(f"the columns must be 1-D and of one length, got {shapes}.")
        history._values = array("d", np.column_stack(list(columns.values())).tobytes())
        if "movement" in arrays:
            movement = np.asarray(arrays["movement"], dtype=np.float64)
            if movement.ndim != 2 or len(movement) != len(history) or not movement.shape[1]:
                raise ValueError(
                    f"the movement must have a row of distances for each of {len(history)} rows, "
                    f"got shape {movement.shape}."
                )
            noted = np.flatnonzero(~np.isnan(movement).any(axis=1)).tolist()
            history._movement = {row: tuple(movement[row].tolist()) for row in noted}
        return history


class HasHistory(Protocol):
    """What training returned."""

    @property
    def history(self) -> History:
        """What was measured on the way."""


class HasFittedHistory(Protocol):
    """A fitted estimator."""

    @property
    def history_(self) -> History:
        """What was measured on the way."""


HistoryOrOwner = History | HasHistory | HasFittedHistory


def find_history(owner: HistoryOrOwner) -> History:
    """Return a History as it is, or that of what training returned, or of a fitted estimator.

    Raises
    ------
    TypeError
        If there is none.

    Examples
    --------
    >>> history = History(label="GA")
    >>> find_history(history) is history
    True
    """
    for found in (owner, getattr(owner, "history", None), getattr(owner, "history_", None)):
        if isinstance(found, History):
            return found
    raise TypeError(
        "history must be a History, or have one as what training returned and fitted estimators "
        f"do, got {owner!r}."
    )
