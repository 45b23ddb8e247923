"""From the columns of a table to the numbers that a network takes.

Fitted by scikit-learn's transformers and kept as plain arrays, so that a model's file needs no
pickle. Missing numbers become the median and numbers are standardised; text becomes a 0 or a 1 for
each of its categories, a missing one being a category of its own.
"""

from __future__ import annotations

import reprlib
import warnings
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

__all__ = [
    "LONGEST_TEXT",
    "MISSING",
    "MOST_CATEGORIES",
    "Preprocessing",
    "as_frame",
    "is_named",
    "to_text",
]

Array = NDArray[Any]

MOST_CATEGORIES = 255
"""Categories of a text column at most: more are names or free text, of which nothing is learned."""

LONGEST_TEXT = 255
"""Characters of a category, or of a label, at most."""

FEW_CATEGORIES = 20
"""So many may a text column have, however few rows there are."""

SHOWN = 5
"""Names that a message lists at most."""

MISSING = ""
"""The category of cells without text."""


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """How the columns of a table become a network's inputs; made by `fit`.

    Inputs are the numbers, in the order of the columns, and then the text columns' categories.

    Attributes
    ----------
    columns : ndarray of str or int64, of shape (n_columns,)
        The columns' names, or their places from 0 in a table that has no names.
    is_text : ndarray of bool, of shape (n_columns,)
        Whether a column holds text. Booleans count as text.
    medians : ndarray of float64, of shape (n_numbers,)
        What missing numbers become; NaN where none may be missing.
    means, scales : ndarray of float64, of shape (n_numbers,)
        What is subtracted from the numbers, and what they are divided by.
    categories : ndarray of str
        The categories of each text column, sorted, one column after the other.
    n_categories : ndarray of int64, of shape (n_texts,)
        How many of them each column has.
    label : str, int or None
        The column of the table that held the labels; None where they came from elsewhere.

    Raises
    ------
    ValueError
        If the arrays do not fit each other.

    Examples
    --------
    >>> table = pd.DataFrame({"size": [1.0, None, 5.0], "colour": ["red", "green", "red"]})
    >>> preprocessing = Preprocessing.fit(table)
    >>> preprocessing.transform(table[["colour", "size"]]).round(2).tolist()
    [[-1.22, 0.0, 1.0], [0.0, 1.0, 0.0], [1.22, 0.0, 1.0]]
    """

    columns: Array
    is_text: Array
    medians: Array
    means: Array
    scales: Array
    categories: Array
    n_categories: Array
    label: str | int | None = None

    ARRAYS: ClassVar[tuple[str, ...]] = (
        "columns",
        "is_text",
        "medians",
        "means",
        "scales",
        "categories",
        "n_categories",
    )

    def __post_init__(self) -> None:
        n_text = int(self.is_text.sum()) if self.is_text.dtype == bool else -1
        n_numbers = len(self.columns) - n_text if self.columns.ndim else 0
        kinds = {"columns": "Ui", "is_text": "b", "categories": "U", "n_categories": "i"}
        n_all = int(self.n_categories.sum()) if self.n_categories.dtype.kind == "i" else -1
        sizes = {"columns": len(np.atleast_1d(self.columns)), "n_categories": n_text}
        sizes |= {"is_text": sizes["columns"], "categories": n_all}
        for name in self.ARRAYS:
            array = getattr(self, name)
            shape = (sizes.get(name, n_numbers),)
            if array.dtype.kind not in kinds.get(name, "f") or array.shape != shape:
                raise ValueError(
                    f"{name} must be of kind {kinds.get(name, 'f')!r} and shape {shape}, got "
                    f"{array.dtype} of shape {array.shape}."
                )
        if len(set(self.columns.tolist())) < len(self.columns) or not len(self.columns):
            raise ValueError("columns must be at least one, all different.")
        if self.columns.dtype.kind == "i" and self.columns.min() < 0:
            raise ValueError(f"columns must hold places from 0 up, got {self.columns.min()}.")
        if (self.n_categories < 1).any():
            raise ValueError("n_categories must be at least 1 for each text column.")
        if not (np.isfinite(self.means) & np.isfinite(self.scales) & (self.scales > 0)).all():
            raise ValueError("means and scales must be finite, and scales above 0.")
        if np.isinf(self.medians).any():
            raise ValueError("medians must not be infinite.")
        if isinstance(self.label, bool) or not isinstance(self.label, str | int | None):
            raise ValueError(f"label must be a name, a place or None, got {self.label!r}.")

    @classmethod
    def fit(
        cls,
        X: pd.DataFrame | ArrayLike,
        *,
        label: str | int | None = None,
        raw: bool = False,
    ) -> Preprocessing:
        """Fit it to the training part of a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
            The features of the training part. Columns without a single text are numbers.
        label : str or int, optional
            The column of the table that held the labels.
        raw : bool, default=False
            Whether to leave numbers as they are, and to refuse text and missing cells.

        Raises
        ------
        ValueError
            If a text column has more than `MOST_CATEGORIES`, or nearly as many as there are rows;
            a number is infinite or too large; or with `raw` there is text or a missing cell.
        """
        frame = as_frame(X)
        is_text = np.array([not _holds_numbers(frame.iloc[:, k]) for k in range(frame.shape[1])])
        if raw and is_text.any():
            name = frame.columns[is_text][0]
            raise ValueError(
                f"features that are taken as they are must be numbers, but {_name(name)} holds "
                f"{_first_text(frame[name])}; drop it, or leave out raw."
            )
        numbers, texts = _numbers(frame.loc[:, ~is_text]), _texts(frame.loc[:, is_text])
        for k, name in enumerate(frame.columns[is_text]):
            _check_categories(name, texts[:, k])
        encoder = OneHotEncoder().fit(texts) if is_text.any() else None
        categories = [] if encoder is None else encoder.categories_
        return cls(
            columns=_column_array(frame),
            is_text=is_text,
            **(_as_they_are(frame.columns[~is_text], numbers) if raw else _statistics(numbers)),
            categories=np.concatenate([np.array([], dtype=np.str_), *categories]).astype(np.str_),
            n_categories=np.array([len(known) for known in categories], dtype=np.int64),
            label=label,
        )

    def transform(self, X: pd.DataFrame | ArrayLike) -> NDArray[np.float64]:
        """Return the network's inputs.

        Parameters
        ----------
        X : DataFrame or array-like
            A table with the columns that it was fitted to, by their names in any order, among
            others. One without names must have these columns and no other, or all of the table that
            it was fitted to, where that had no names either.

        Returns
        -------
        ndarray of shape (n_samples, n_inputs)

        Raises
        ------
        ValueError
            If a column is missing, or a number is none or is infinite.

        Warns
        -----
        UserWarning
            If there are categories that it was not fitted to; they count as none of the known.
        """
        frame = self.select(as_frame(X))
        numbers = _numbers(frame.loc[:, ~self.is_text])
        missing = np.isnan(numbers)
        if self._is_raw and missing.any():
            _refuse_missing(frame.columns[~self.is_text], missing)
        numbers = np.where(missing, self.medians, numbers)
        numbers -= self.means
        numbers /= self.scales
        texts = _texts(frame.loc[:, self.is_text])
        parts = [numbers]
        for k, known in enumerate(self._known()):
            hits = texts[:, k, None] == known
            if (unseen := ~hits.any(axis=1)).any():
                warnings.warn(
                    f"{_name(frame.columns[self.is_text][k])} holds what the training never saw, "
                    f"in {unseen.sum()} of {len(hits)} rows: {_some(texts[unseen, k])}",
                    stacklevel=2,
                )
            parts.append(hits.astype(np.float64))
        return np.hstack(parts)

    def select(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of a table that the network takes, in its order.

        Raises
        ------
        ValueError
            If one is missing.
        """
        n_columns, width = len(self.columns), frame.shape[1]
        if self.is_named and is_named(frame):
            absent = [name for name in self.columns.tolist() if name not in frame.columns]
            if absent:
                raise ValueError(
                    f"the table must have the columns of the training, and lacks {_some(absent)}; "
                    f"it has {_some(frame.columns)}."
                )
            named: pd.DataFrame = frame[self.columns.tolist()]
            return named
        if width == n_columns:
            return frame
        if self.is_named or width <= self.columns.max():
            raise ValueError(
                f"the table must have {n_columns} columns, as the training data had"
                + (f" ({_some(self.columns)})" if self.is_named else "")
                + f", got {width}"
                + (" without names." if self.is_named else ".")
            )
        selected: pd.DataFrame = frame.iloc[:, self.columns]
        return selected

    def find_label(self, frame: pd.DataFrame) -> Hashable | None:
        """Return the column of a table that holds the labels, if there is one to be told."""
        places = frame.columns
        if self.is_named and is_named(frame):
            return self.label if self.label in places else None
        if frame.shape[1] == len(self.columns) or self.is_named:
            return None
        place = self.label if isinstance(self.label, int) else None
        if place is None and frame.shape[1] == len(self.columns) + 1:
            place = frame.shape[1] - 1
        return None if place is None or place >= len(places) else places[place]

    def to_arrays(self) -> dict[str, Array]:
        """Return the arrays by name; with `label` they are all that it is."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    @property
    def is_named(self) -> bool:
        """Whether the columns have names."""
        return bool(self.columns.dtype.kind == "U")

    @property
    def text_columns(self) -> list[str | int]:
        """The columns that hold text."""
        return self.columns[self.is_text].tolist()  # type: ignore[no-any-return]

    @property
    def n_inputs(self) -> int:
        """Number of the network's inputs."""
        return len(self.means) + len(self.categories)

    @property
    def _is_raw(self) -> bool:
        return bool(np.isnan(self.medians).any())

    def _known(self) -> Iterator[Array]:
        return iter(
            np.split(self.categories, np.cumsum(self.n_categories)[:-1])[: len(self.n_categories)]
        )

    def describe(self) -> str:
        """Return in words what is done to which columns."""
        names = self.columns if self.is_named else self.columns + 1
        numbers, texts = names[~self.is_text], names[self.is_text]
        if self._is_raw:
            return f"{_count(numbers, 'number')} as they are"
        parts = []
        if len(numbers):
            parts.append(f"{_count(numbers, 'number')} standardised, missing ones by the median")
        if len(texts):
            parts.append(
                f"{_count(texts, 'text column')} one-hot ({_some(texts)}: "
                f"{len(self.categories)} categories)"
            )
        return "; ".join(parts)


# ---------------------------------------------------------------- fitting


def _statistics(numbers: NDArray[np.float64]) -> dict[str, Array]:
    """Return medians, means and scales."""
    if not numbers.shape[1]:
        return dict.fromkeys(("medians", "means", "scales"), np.zeros(0))
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler().fit(imputer.fit_transform(numbers))
    if not (np.isfinite(scaler.mean_) & np.isfinite(scaler.var_)).all():
        raise ValueError(
            "numbers must have a standard deviation that fits into a float; scale them."
        )
    return {"medians": imputer.statistics_, "means": scaler.mean_, "scales": scaler.scale_}


def _as_they_are(names: pd.Index[Any], numbers: NDArray[np.float64]) -> dict[str, Array]:
    missing = np.isnan(numbers)
    if missing.any():
        _refuse_missing(names, missing)
    n = numbers.shape[1]
    return {"medians": np.full(n, np.nan), "means": np.zeros(n), "scales": np.ones(n)}


def _refuse_missing(names: pd.Index[Any], missing: NDArray[np.bool_]) -> None:
    row, column = divmod(int(missing.argmax()), missing.shape[1])
    raise ValueError(
        f"features that are taken as they are must all be there, but row {row} (counted from 0) of "
        f"{_name(names[column])} is empty, and {missing.sum() - 1} more such."
    )


def _check_categories(name: Hashable, texts: Array) -> None:
    known = np.unique(texts)
    n_categories = len(known)
    if (longest := max(map(len, known))) > LONGEST_TEXT:
        raise ValueError(
            f"{_name(name)} must hold texts of at most {LONGEST_TEXT} characters, got {longest}; "
            "drop it."
        )
    if n_categories > min(MOST_CATEGORIES, max(FEW_CATEGORIES, len(texts) // 2)):
        raise ValueError(
            f"{_name(name)} holds {n_categories} different texts in {len(texts)} rows, such as "
            f"{_some(texts)}: names, numbers or free text, of which nothing is learned; drop it."
        )


# ---------------------------------------------------------------- columns


def as_frame(X: pd.DataFrame | ArrayLike) -> pd.DataFrame:
    """Return a table as a DataFrame; columns of an array have no names, but places from 0.

    Raises
    ------
    ValueError
        If it has no rows or columns, or two columns of one name.
    """
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    if 0 in frame.shape:
        raise ValueError(f"X must have rows and columns, got shape {frame.shape}.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()]
        raise ValueError(f"columns must have different names, got {_some(twice)} twice.")
    return frame


def is_named(frame: pd.DataFrame) -> bool:
    """Whether the columns of a table have names."""
    return not pd.api.types.is_integer_dtype(frame.columns)


def to_text(column: pd.Series[Any]) -> Array:
    """Return the cells of a column as text, stripped; missing ones as `MISSING`.

    As objects, since in an array of text each takes the longest one's room.
    """
    texts = [MISSING if _is_missing(cell) else str(cell).strip() for cell in column.tolist()]
    return np.array(texts, dtype=object)


def _is_missing(cell: object) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or cell != cell


def _column_array(frame: pd.DataFrame) -> Array:
    """Return the names of columns, or their places in the table that they are of."""
    names = frame.columns.tolist()
    if all(isinstance(name, int) for name in names):
        return np.array(names, dtype=np.int64)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"names of columns must all be text, got {_some(names)}.")
    return np.array(names, dtype=np.str_)


def _holds_numbers(column: pd.Series[Any]) -> bool:
    if _is_numeric(column):
        return True
    if isinstance(column.dtype, pd.BooleanDtype) or column.dtype == bool:
        return False
    cells = column.dropna()
    return not any(isinstance(c, bool | np.bool_) for c in cells) and bool(
        pd.to_numeric(cells, errors="coerce").notna().all()
    )


def _is_numeric(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _numbers(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return columns as numbers in C order, which decides how sums over a column are rounded."""
    try:
        if not all(map(_is_numeric, map(frame.iloc.__getitem__, _columns(frame)))):
            frame = frame.apply(pd.to_numeric)
        numbers = frame.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    except (ValueError, TypeError):
        _refuse_text(frame)
        raise
    numbers = np.ascontiguousarray(numbers)
    if (infinite := np.isinf(numbers)).any():
        row, column = divmod(int(infinite.argmax()), numbers.shape[1])
        raise ValueError(
            f"numbers must be finite, got {numbers[row, column]} in row {row} (counted from 0) of "
            f"{_name(frame.columns[column])}."
        )
    return numbers


def _columns(frame: pd.DataFrame) -> list[tuple[slice, int]]:
    return [(slice(None), k) for k in range(frame.shape[1])]


def _refuse_text(frame: pd.DataFrame) -> None:
    for name in frame.columns:
        if not _holds_numbers(frame[name]):
            raise ValueError(
                f"{_name(name)} must hold numbers, as in the training, got "
                f"{_first_text(frame[name])}."
            )


def _first_text(column: pd.Series[Any]) -> str:
    cells = column.dropna()
    texts = cells[pd.to_numeric(cells.astype(str), errors="coerce").isna()]
    return reprlib.repr((texts if len(texts) else cells).iloc[0])


def _texts(frame: pd.DataFrame) -> Array:
    if not frame.shape[1]:
        return np.empty((len(frame), 0), dtype=object)
    return np.stack([to_text(frame.iloc[:, k]) for k in range(frame.shape[1])], axis=1)


# ---------------------------------------------------------------- words


def _name(name: object) -> str:
    return (
        f"column {int(name) + 1}"
        if isinstance(name, Integral)
        else f"the column {reprlib.repr(str(name))}"
    )


def _some(names: Any) -> str:
    shown = [reprlib.repr(str(name))[1:-1] for name in dict.fromkeys(list(names))]
    more = f", and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more


def _count(names: Array, what: str) -> str:
    return f"{len(names)} {what}{'s' * (len(names) != 1)}"
