"""From the columns of a table to the numbers that a network takes.

Fitted by scikit-learn's transformers and kept as plain arrays, so that a model's file needs no
pickle. Missing numbers become the median and numbers are standardised; text becomes a 0 or a 1 for
each of its categories, a missing one being a category of its own.
"""

from __future__ import annotations

import re
import reprlib
import warnings
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

__all__ = [
    "LONGEST_TEXT",
    "MISSING",
    "MOST_CATEGORIES",
    "Preprocessing",
    "as_frame",
    "is_named",
    "is_number",
    "list_doubts",
    "name_column",
    "to_text",
]

Array = NDArray[Any]

MOST_CATEGORIES = 255
"""Categories of a text column at most: more are names or free text, of which nothing is learned."""

LONGEST_TEXT = 255
"""Characters of a category, or of a label, at most."""

FEW_CATEGORIES = 20
"""So many may a text column have, however few rows there are."""

IDENTIFIERS = {"id", "nr", "no", "number", "index", "uuid", "guid"}
"""Words that the names of columns end in, which name the rows."""

QUANTITIES = {
    *("age", "count", "date", "day", "depth", "distance", "dose", "height", "hour", "length"),
    *("level", "minute", "month", "price", "rank", "second", "size", "step", "temperature"),
    *("time", "week", "weight", "width", "year"),
}
"""Words in the names of columns that measure something, even where it counts the rows."""

SHOWN = 5
"""Names that a message lists at most."""

LISTED = 100
"""Columns that a description lists at most."""

MISSING = ""
"""The category of cells without text."""

CELLS = (str, bytes, bool, np.bool_, Real, Decimal)
"""What a cell may be, if it is not missing."""


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
            a column holds dates or anything else that is neither a number, a boolean nor text; a
            number is infinite or too large; or with `raw` there is text or a missing cell.
        """
        frame = as_frame(X)
        _refuse_strangers(frame)
        firsts = [_first_text(frame.iloc[:, k]) for k in range(frame.shape[1])]
        is_text = np.array([first is not None for first in firsts])
        if raw and is_text.any():
            k = int(is_text.argmax())
            raise ValueError(
                "features that are taken as they are must be numbers, but "
                f"{name_column(frame.columns[k])} holds {reprlib.repr(firsts[k])}; drop it, or "
                "leave out raw."
            )
        numbers, texts = _numbers(frame.loc[:, ~is_text]), _texts(frame.loc[:, is_text])
        if raw and (missing := np.isnan(numbers)).any():
            _refuse_missing(frame.columns[~is_text], missing)
        for k, name in enumerate(frame.columns[is_text]):
            _check_categories(name, texts[:, k])
        encoder = OneHotEncoder().fit(texts) if is_text.any() else None
        categories = [] if encoder is None else encoder.categories_
        return cls(
            columns=_column_array(frame),
            is_text=is_text,
            **(_as_they_are(numbers.shape[1]) if raw else _statistics(numbers)),
            categories=np.concatenate([np.array([], dtype=np.str_), *categories]).astype(np.str_),
            n_categories=np.array([len(known) for known in categories], dtype=np.int64),
            label=label,
        )

    @classmethod
    def of_names(cls, names: Array) -> Preprocessing:
        """Return that of numbers that are taken as they are, from columns of these names.

        Examples
        --------
        >>> table = pd.DataFrame({"weight": [2.0], "size": [1.0]})
        >>> Preprocessing.of_names(np.array(["size", "weight"])).transform(table).tolist()
        [[1.0, 2.0]]
        """
        n = len(names)
        return cls(
            columns=names,
            is_text=np.zeros(n, dtype=bool),
            **_as_they_are(n),
            categories=np.array([], dtype=np.str_),
            n_categories=np.array([], dtype=np.int64),
            label=None,
        )

    @classmethod
    def of_moments(cls, means: ArrayLike, scales: ArrayLike) -> Preprocessing:
        """Return that of numbers of which only means and scales are known; none may be missing.

        Examples
        --------
        >>> Preprocessing.of_moments([1.0, 0.0], [2.0, 1.0]).transform([[5.0, 3.0]]).tolist()
        [[2.0, 3.0]]
        """
        means, scales = np.array(means, np.float64), np.array(scales, np.float64)
        return replace(cls.of_names(np.arange(len(means))), means=means, scales=scales)

    def transform(self, X: pd.DataFrame | ArrayLike) -> NDArray[np.float64]:
        """Return the network's inputs.

        Parameters
        ----------
        X : DataFrame or array-like
            A table with the columns that it was fitted to, by their names in any order, among
            others; integers that call columns are names, too. One without names must have these
            columns and no other, or all of the table that it was fitted to, where that had no names
            either.

        Returns
        -------
        ndarray of shape (n_samples, n_inputs)

        Raises
        ------
        ValueError
            If a column is missing, a cell is of another kind than in the training, or a number is
            infinite.

        Warns
        -----
        UserWarning
            If there are categories that it was not fitted to; they count as none of the known.
        """
        frame = self.select(as_frame(X))
        _refuse_strangers(frame)
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
                    f"{name_column(frame.columns[self.is_text][k])} holds what the training never "
                    f"saw, in {unseen.sum()} of {len(hits)} rows: {_some(texts[unseen, k])}",
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
        n_columns, width, names = len(self.columns), frame.shape[1], self.columns.tolist()
        if self.is_named and not is_named(frame) and not _are_places(frame.columns):
            frame = frame.set_axis(frame.columns.map(str), axis=1)
        absent = [name for name in names if name not in frame.columns]
        if not absent:
            known: pd.DataFrame = frame[names]
            return known
        if self.is_named == is_named(frame) and not _are_places(frame.columns):
            raise ValueError(
                f"the table must have the columns of the training, and lacks {_some(absent)}; "
                f"it has {_some(frame.columns)}."
            )
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
        """Return the column of a table that holds the labels, if there is one to be told.

        Where nobody has said which, it is the last one, if that is all that is more.
        """
        places = frame.columns
        if self.is_named and is_named(frame):
            more = set(places) - set(self.columns.tolist())
            if self.label is None and more == {places[-1]}:
                return str(places[-1])
            return self.label if self.label in places else None
        if not is_named(frame) and not _are_places(places):  # integers that are names
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

    def list_columns(self) -> str:
        """Return in words which columns of a table are needed, and which one is the label."""
        names = self.columns.tolist() if self.is_named else (self.columns + 1).tolist()
        more = f", and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
        label = self.label if isinstance(self.label, str | None) else self.label + 1
        predicted = "" if label is None else f"; the label is {label}"
        kind = "" if self.is_named else "by their numbers from 1, "
        return kind + ", ".join(map(str, names[:LISTED])) + more + predicted

    def describe(self) -> str:
        """Return in words what is done to which columns."""
        names = self.columns if self.is_named else self.columns + 1
        numbers, texts = names[~self.is_text], names[self.is_text]
        if self._is_raw:
            is_scaled = self.means.any() or (self.scales != 1).any()
            way = "standardised, none may be missing" if is_scaled else "as they are"
            return f"{_count(numbers, 'number')} {way}"
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


def _as_they_are(n: int) -> dict[str, Array]:
    """Return the statistics that leave so many numbers alone."""
    return {"medians": np.full(n, np.nan), "means": np.zeros(n), "scales": np.ones(n)}


def _refuse_missing(names: pd.Index[Any], missing: NDArray[np.bool_]) -> None:
    row, column = divmod(int(missing.argmax()), missing.shape[1])
    raise ValueError(
        f"features that are taken as they are must all be there, but row {row} (counted from 0) of "
        f"{name_column(names[column])} is empty, and {missing.sum() - 1} more such."
    )


def _check_categories(name: Hashable, texts: Array) -> None:
    known = np.unique(texts)
    n_categories = len(known)
    if (longest := max(map(len, known))) > LONGEST_TEXT:
        raise ValueError(
            f"{name_column(name)} must hold texts of at most {LONGEST_TEXT} characters, got "
            f"{longest}; drop it."
        )
    if n_categories > min(MOST_CATEGORIES, max(FEW_CATEGORIES, len(texts) // 2)):
        raise ValueError(
            f"{name_column(name)} holds {n_categories} different texts in {len(texts)} rows, such "
            f"as {_some(texts)}: names, numbers or free text, of which nothing is learned; drop it."
        )


# ---------------------------------------------------------------- columns


def as_frame(X: pd.DataFrame | ArrayLike) -> pd.DataFrame:
    """Return a table as a DataFrame; columns of an array have no names, but places from 0.

    Raises
    ------
    ValueError
        If it is sparse or has no rows or columns, or two columns have one name.
    """
    if issparse(X):
        raise ValueError(
            f"X must be a DataFrame or a dense array, got a {type(X).__name__}; X.toarray() is one."
        )
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    if 0 in frame.shape:
        raise ValueError(f"X must have rows and columns, got shape {frame.shape}.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()]
        raise ValueError(f"columns must have different names, got {_some(twice)} twice.")
    return frame


def is_named(frame: pd.DataFrame) -> bool:
    """Whether the columns of a table have names."""
    return pd.api.types.infer_dtype(frame.columns) != "integer"


def _are_places(columns: pd.Index[Any]) -> bool:
    """Whether columns are called by their places, as those of an array are."""
    return columns.equals(pd.RangeIndex(len(columns)))


def to_text(column: pd.Series[Any]) -> Array:
    """Return the cells of a column as text, stripped; missing ones as `MISSING`.

    As objects, since in an array of text each takes the longest one's room.
    """
    texts = [MISSING if _is_missing(cell) else str(cell).strip() for cell in column.tolist()]
    return np.array(texts, dtype=object)


def _is_missing(cell: object) -> bool:
    if isinstance(cell, Real | Decimal):
        return cell != cell
    return cell is None or cell is pd.NA or cell is pd.NaT


def _column_array(frame: pd.DataFrame) -> Array:
    """Return the names of columns, or their places in the table that they are of."""
    names = frame.columns.tolist()
    if all(isinstance(name, int) for name in names):
        return np.array(names, dtype=np.int64)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"names of columns must all be text, got {_some(names)}.")
    return np.array(names, dtype=np.str_)


def _refuse_strangers(frame: pd.DataFrame) -> None:
    """Refuse columns of dates, complex numbers, lists and the like."""
    for k, (name, dtype) in enumerate(frame.dtypes.items()):
        if _is_numeric(dtype):
            continue
        cells = frame.iloc[:, k].tolist()
        strange = [c for c in cells if not isinstance(c, CELLS) and not _is_missing(c)]
        if strange or dtype.kind in "mMc":
            shown = reprlib.repr(strange[0]) if strange else str(dtype)
            raise ValueError(
                f"{name_column(name)} must hold numbers, booleans or text, got {shown}; drop it, "
                "or make numbers or text of it."
            )


def _is_numeric(dtype: Any) -> bool:
    types = pd.api.types
    return types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype) and dtype.kind != "c"


def _numbers(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return columns as numbers in C order, which decides how sums over a column are rounded."""
    if all(map(_is_numeric, frame.dtypes)):
        numbers = frame.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    else:
        numbers = np.empty(frame.shape)
        for k, name in enumerate(frame.columns):
            numbers[:, k] = _to_floats(name, frame.iloc[:, k])
    numbers = np.ascontiguousarray(numbers)
    if (infinite := np.isinf(numbers)).any():
        row, column = divmod(int(infinite.argmax()), numbers.shape[1])
        raise ValueError(
            f"numbers must be finite, got {numbers[row, column]} in row {row} (counted from 0) of "
            f"{name_column(frame.columns[column])}."
        )
    return numbers


def _to_floats(name: Hashable, column: pd.Series[Any]) -> NDArray[np.float64]:
    """Return numbers, rounded correctly from text, which older versions of pandas do not do."""
    if (text := _first_text(column)) is not None:
        raise ValueError(
            f"{name_column(name)} must hold numbers, as in the training, got {reprlib.repr(text)}."
        )
    return np.array([np.nan if _is_missing(cell) else float(cell) for cell in column.tolist()])


def _first_text(column: pd.Series[Any]) -> object:
    """Return the first cell that is neither missing nor a number; None if there is none."""
    if _is_numeric(column.dtype):
        return None
    return next((c for c in column.tolist() if not (_is_missing(c) or is_number(c))), None)


def is_number(cell: Any) -> bool:
    """Whether a cell is a number, or spells one as tables do."""
    # Python would read 1_0 as 10.
    if isinstance(cell, bool | np.bool_ | bytes) or (isinstance(cell, str) and "_" in cell):
        return False
    try:
        number = float(cell)
    except (ValueError, TypeError, OverflowError):
        return False
    # Digits without end are an identifier, and not infinite.
    spells = isinstance(cell, str) and "inf" not in cell.lower()
    return number == number and not (spells and abs(number) == float("inf"))


def _texts(frame: pd.DataFrame) -> Array:
    if not frame.shape[1]:
        return np.empty((len(frame), 0), dtype=object)
    texts = np.stack([to_text(frame.iloc[:, k]) for k in range(frame.shape[1])], axis=1)
    # Whether pandas reads true and TRUE as booleans depends on what else is in the column.
    for spelt in {text for text in texts.flat if text.lower() in ("true", "false")}:
        texts[texts == spelt] = spelt.capitalize()
    return texts


# ---------------------------------------------------------------- doubts


def list_doubts(X: pd.DataFrame | ArrayLike) -> list[str]:
    """Return a line on the columns of a table that teach nothing, and one on its identifiers.

    An array has none: its columns were chosen by somebody.

    Examples
    --------
    >>> table = pd.DataFrame({"id": [1, 2, 3], "x": [0.5, 0.1, 0.2], "unit": ["cm"] * 3})
    >>> for line in list_doubts(table):
    ...     print(line)
    the same in all rows, so nothing is learned of it: the column 'unit'
    different whole numbers in all rows, so perhaps no measurement: the column 'id'; --drop leaves \
it out
    """
    if not isinstance(X, pd.DataFrame):
        return []
    names = [name_column(name) for name in X.columns]
    # Long names may look alike where they are cut.
    shown = [name if names.count(name) == 1 else name_column(k) for k, name in enumerate(names)]
    doubts = {
        "empty in all rows, so nothing is learned of it": _is_empty,
        "the same in all rows, so nothing is learned of it": _is_constant,
        "different whole numbers in all rows, so perhaps no measurement": _is_identifier,
    }
    lines = []
    for what, is_so in doubts.items():
        if found := [name for k, name in enumerate(shown) if is_so(X.iloc[:, k])]:
            lines.append(f"{what}: {', '.join(found[:SHOWN])}" + ", ..." * (len(found) > SHOWN))
            lines[-1] += "; --drop leaves it out" * (is_so is _is_identifier)
    return lines


def _is_empty(column: pd.Series[Any]) -> bool:
    return not column.notna().any()


def _is_constant(column: pd.Series[Any]) -> bool:
    if len(column) < 2 or _is_empty(column):
        return False
    if _is_numeric(column.dtype):  # missing numbers become the median of the others
        return bool(column.min() == column.max())
    return len(set(to_text(column))) == 1


def _is_identifier(column: pd.Series[Any]) -> bool:
    """Whether a column names its rows, as its name says, or counts them from 0 or 1 in order."""
    if not _is_numeric(column.dtype):
        return False
    numbers = column.dropna()  # whole ones are floats where some are missing
    if len(numbers) < 2 or not numbers.is_unique or (numbers % 1 != 0).any():
        return False
    # Words end before a capital letter, too: customerId, userID.
    words = [word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", str(column.name))]
    if words and (words[0] == "id" or words[-1] in IDENTIFIERS):
        return True
    first, is_quantity = numbers.iloc[0], any(w.removesuffix("s") in QUANTITIES for w in words)
    counts = np.arange(len(column)) + first
    return not is_quantity and first in (0, 1) and np.array_equal(numbers, counts)


# ---------------------------------------------------------------- words


def name_column(name: object) -> str:
    """Return what messages call a column: by its name, or by its number from 1."""
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
