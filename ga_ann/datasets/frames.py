"""Tables read by pandas: text with any delimiter, Parquet, Excel, standard input."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ga_ann.preprocessing import LONGEST_TEXT as LONGEST_LABEL
from ga_ann.preprocessing import MISSING, is_number, name_column, to_text
from ga_ann.storage import check_zip_sizes

__all__ = [
    "FRAME_SUFFIXES",
    "LONGEST_LABEL",
    "STDIN",
    "Expected",
    "find_column",
    "labels_of",
    "read_frame",
]

STDIN = "-"
"""The name that stands for standard input."""

DELIMITERS = ",;\t|"

MOST_COLUMNS = 100_000
"""Columns of a table at most: pandas takes a kilobyte for each."""

MOST_RATIO = 100
"""Cells that a Parquet file may hold, in units of its bytes, and of a mebibyte if it is smaller."""

BATCH_ROWS = 65_536
"""Rows of a Parquet file that are read before its memory is looked at."""

COMMA_NUMBER = re.compile(
    r"[+-]?(([1-9][0-9]{0,2}(\.[0-9]{3})+|[0-9]+),[0-9]+([eE][+-]?[0-9]+)?"
    r"|[1-9][0-9]{0,2}(\.[0-9]{3}){2,})"
)
"""A number that only a table with decimal commas holds, such as 1,5 or 1.234,5 or 1.234.567."""

THOUSANDS = re.compile("[+-]?[1-9][0-9]{0,2},[0-9]{3}")
"""A number that may be 1234 as well, where commas separate the cells and it stands in quotes."""

PEEKED_ROWS = 1000
"""Rows that tell whether the first one holds the columns' names."""

NOT_THERE = ["", "?", "NA", "None", "nan", "null", "N/A", "n/a", "NaN", "NULL", "<NA>", "#N/A"]
"""What stands in a cell for a missing value."""


SIGNATURES = {".xlsx": b"PK\x03\x04", ".parquet": b"PAR1"}
"""What files of an ending begin with, and text never does."""


class Expected(NamedTuple):
    """What is known of a table before it is read.

    Attributes
    ----------
    label : str or None
        The column of the labels as in `find_column`, which is left as it is written.
    text : frozenset of str or int
        Other columns that hold text, by name or place: their numbers are left as they are written.
    names : frozenset of str
        Names of columns that the table should have.
    keeps_empty : bool
        Whether rows without a single cell are kept, unless they end the table.
    """

    label: str | None = None
    text: frozenset[str | int] = frozenset()
    names: frozenset[str] = frozenset()
    keeps_empty: bool = False


NOTHING_KNOWN = Expected()


def read_frame(path: Path, expected: Expected = NOTHING_KNOWN) -> pd.DataFrame:
    """Read a table; to be called in a `named_errors` block.

    Parameters
    ----------
    path : pathlib.Path
        The file, or `STDIN`.
    expected : Expected, optional
        What is known of it.

    Returns
    -------
    DataFrame
        Columns without names are called by their places from 0.

    Raises
    ------
    ValueError
        If it cannot be read, there is no row, or rows differ in length.
    ImportError
        If the package that reads such a file is not installed.
    """
    suffix = path.suffix.lower()
    _check_signature(path, SIGNATURES.get(suffix, b""))
    frame = FRAME_READERS[suffix](path, expected)
    if not expected.keeps_empty:  # spreadsheets are exported with lines of delimiters alone
        frame = frame.dropna(how="all")
    frame = frame.reset_index(drop=True)
    if 0 in frame.shape:
        raise ValueError("there are no rows of numbers.")
    return frame


def _check_signature(path: Path, signature: bytes) -> None:
    if not signature:
        return
    with path.open("rb") as file:
        first = file.read(len(signature))
    if first != signature:
        raise ValueError(
            f"it must begin with {signature!r} as {path.suffix} files do, got {first!r}; save it "
            "anew in that form, or give it the ending of what it holds, such as .csv for text."
        )


def find_column(columns: Iterable[Any], wanted: str | int | None) -> Any:
    """Return the column that is meant by a name, or by a number from 1; the last by default.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    names = list(columns)
    if wanted is None:
        return names[-1]
    if str(wanted) in names:
        return str(wanted)
    if re.fullmatch("[0-9]{1,9}", str(wanted)) and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    shown = names[:20] if any(isinstance(name, str) for name in names) else []
    raise ValueError(
        f"there is no column {wanted!r}; give a number from 1 to {len(names)}"
        + (f" or one of the names {shown}." if shown else ".")
    )


def labels_of(column: pd.Series[Any], *, complete: bool = True) -> np.ndarray[Any, Any]:
    """Return labels: float64 if all are numbers, else text; unknown ones as NaN or ``""``.

    Raises
    ------
    ValueError
        If one is missing and they must be `complete`, or has more than `LONGEST_LABEL` characters.
    """
    labels = to_text(column)
    name = name_column(column.name)
    if any(isinstance(cell, list | dict | np.ndarray) for cell in column.tolist()):
        raise ValueError(f"the label {column.name!r} must hold numbers or text, not lists of them.")
    unknown = labels == MISSING
    if complete and unknown.any():
        raise ValueError(
            f"the label must be there in each row, got none in row {int(unknown.argmax())} "
            f"(counted from 0) of {name}, and {unknown.sum() - 1} more such in {len(labels)} rows; "
            "leave such rows out, or choose the column of the labels with --label (label=)."
        )
    longest = max(range(len(labels)), key=lambda k: len(labels[k]))
    if len(labels[longest]) > LONGEST_LABEL:
        raise ValueError(
            f"row {longest} (counted from 0) of {name} must have a label of at most "
            f"{LONGEST_LABEL} characters, got {len(labels[longest])}; choose the column of the "
            "labels with --label (label=)."
        )
    if not unknown.all() and _plain(labels[~unknown]):
        return np.where(unknown, "nan", labels).astype(np.float64)
    return labels.astype(np.str_)


def _plain(labels: Iterable[str]) -> bool:
    """Whether all are numbers, and none a code such as 01 that would become the number 1."""
    return all(
        is_number(label)
        and not re.match("[+-]?0[0-9]", label)
        and not 2.0**53 <= abs(float(label)) < float("inf")
        for label in set(labels)
    )


# ---------------------------------------------------------------- text


def _read_text(path: Path, expected: Expected) -> pd.DataFrame:
    content = sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
    content = _to_utf8(content)
    # As text at once: pandas' own decoder would read what is no UTF-8 in large files only late.
    lines = _split_lines(content)
    if any("\0" in line for line in lines[:1]) or b"\0" in content:
        raise ValueError("it holds NUL characters, so it is no text.")
    if not any(line.strip() for line in lines):
        raise ValueError("there are no rows of numbers.")
    delimiter = _sniff(path, lines)
    _refuse_spaces(lines, delimiter, expected)
    rows = [cells for _, cells in islice(_rows(lines, delimiter), PEEKED_ROWS)]
    names = _names(rows, expected.names)
    width = len(rows[0])
    if width > MOST_COLUMNS:
        raise ValueError(
            f"it has {width:,} columns, and at most {MOST_COLUMNS:,} are read; save it as .npz."
        )
    columns = list(range(width)) if names is None else names
    is_header = names is not None
    kept = set(expected.text)
    label = None
    with suppress(ValueError):  # a table to predict on needs no label; others are refused by it
        label = find_column(columns, expected.label)
        kept.add(label)
    del lines
    read = partial(
        _parse,
        content,
        delimiter,
        columns,
        skip=is_header,
        # A line without a cell is a row where there is one column alone.
        skip_blank_lines=width > 1 or not expected.keeps_empty,
    )
    try:
        frame = read(kept)
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        _check_widths(_rows(_split_lines(content), delimiter))
        raise
    # pandas fills short lines with missing cells.
    if frame.iloc[:, -1].isna().any():
        _check_widths(_rows(_split_lines(content), delimiter))
    _put_points(frame, expected.text, read, is_english=delimiter == ",")
    if label is not None and not expected.keeps_empty:
        _refuse_missing_words(frame, label, read)
    frame = frame.iloc[: _count_filled(frame)]
    if names is not None and _is_row_number(frame):
        frame = frame.iloc[:, 1:]
    return frame


def _to_utf8(content: bytes) -> bytes:
    """Return text in UTF-8; what says by its first bytes that it is UTF-16 is read as that."""
    for suffix, signature in SIGNATURES.items():
        if content.startswith(signature):
            raise ValueError(f"it is no text but a {suffix} file; give it that ending.")
    if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content
    try:
        return content.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it begins as UTF-16 and goes on with what is none, {error.reason}; save it as UTF-8."
        ) from error


def _split_lines(content: bytes) -> list[str]:
    """Return the lines of a text as pandas counts them; str.splitlines knows more ends of lines."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = content.removeprefix(codecs.BOM_UTF8)[error.start]
        line = len(re.findall(b"\r\n|\r|\n", content[: error.start])) + 1
        raise ValueError(
            f"it must be text in UTF-8, got the byte {wrong:#04x} in line {line}; save it as UTF-8 "
            '(a spreadsheet as "CSV UTF-8").'
        ) from error
    return re.split("\r\n|\r|\n", text)


def _put_points(
    frame: pd.DataFrame,
    text: frozenset[str | int],
    read: Callable[[set[Any]], pd.DataFrame],
    *,
    is_english: bool,
) -> None:
    """Put points for the decimal commas of a table, if a column of numbers has any.

    What could be another number is refused: a point then, which in a table without commas would be
    a decimal one; and 1,234 where commas separate the cells, if no other cell tells what it is.
    """
    commas, points = {}, {}  # of the columns of numbers
    for name in frame.columns.difference(list(text), sort=False):
        if not pd.api.types.is_numeric_dtype(frame[name]):
            cells = frame[name].dropna().astype(str).str.strip()
            has_comma = cells.str.fullmatch(COMMA_NUMBER.pattern).astype(bool)
            if all(map(is_number, cells[~has_comma])):
                points[name] = cells[~has_comma]
                if has_comma.any():
                    commas[name] = cells[has_comma]
    if not commas:
        return
    first, *_ = commas
    if is_english and all(map(THOUSANDS.fullmatch, chain.from_iterable(commas.values()))):
        raise ValueError(
            f"{name_column(first)} holds {commas[first].iloc[0]!r}, and nothing tells whether its "
            "comma is a decimal one; write decimals with points, and thousands without commas."
        )
    floats = set(frame.columns[[dtype.kind == "f" for dtype in frame.dtypes]])
    as_written = read(floats)
    for name, cells in (points | {name: as_written[name].dropna() for name in floats}).items():
        if cells.str.contains(".", regex=False).any():
            cell = next(cell for cell in cells if "." in cell)
            other = name if name in commas else first
            raise ValueError(
                f"{name_column(name)} holds {cell!r} with a point, and {name_column(other)} "
                f"{commas[other].iloc[0]!r} with a decimal comma; write all decimals alike, and "
                "thousands without points or commas."
            )
    for name, cells in commas.items():
        pointed = cells.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        frame[name] = pd.concat([points[name], pointed]).reindex(frame.index)


def _refuse_missing_words(
    frame: pd.DataFrame, label: Any, read: Callable[..., pd.DataFrame]
) -> None:
    """Refuse labels such as NA: they stand for a missing one, and may be the name of a class."""
    missing = frame.dropna(how="all")[label].isna()
    if not missing.any():
        return
    words = read({label}, missing=[""]).loc[missing.index, label][missing].dropna()
    if len(words):
        row = int(missing.index.get_loc(words.index[0]))
        raise ValueError(
            f"the label must be there in each row, got {words.iloc[0].strip()!r} in row {row} "
            f"(counted from 0) of {name_column(label)}, and {missing.sum() - 1} more such in "
            f"{len(missing)} rows: it counts as missing, as {', '.join(NOT_THERE[2:6])} and the "
            "like do; leave such rows out, or call the class by another word."
        )


def _with_point(cell: str) -> str:
    """Return a number with a decimal comma as Python spells it, and other cells as they are."""
    return cell.replace(".", "").replace(",", ".") if COMMA_NUMBER.fullmatch(cell) else cell


def _is_number(cell: str) -> bool:
    """Whether a cell is a number, with a decimal point or a decimal comma."""
    return is_number(_with_point(cell))


def _count_filled(frame: pd.DataFrame) -> int:
    """Return the number of rows up to the last one that has a cell."""
    filled = frame.notna().any(axis=1).to_numpy().nonzero()[0]
    return int(filled[-1]) + 1 if len(filled) else 0


def _sniff(path: Path, lines: Sequence[str]) -> str:
    """Return the delimiter that makes the most columns of equal number in the first lines.

    If there is none, the one that does in nearly all of them: the others are refused by their
    numbers.
    """
    if path.suffix.lower() == ".tsv":
        return "\t"
    first = []
    for line in [line for line in lines[:100] if line.strip()][:20]:
        # A decimal comma separates no cells where another delimiter does.
        parts = re.split("([;\t|])", line)
        first.append("".join(_with_point(p.strip(" ")) for p in parts) if len(parts) > 1 else line)

    def columns(delimiter: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(first, delimiter=delimiter))
        except csv.Error:  # a whole line is longer than a cell may be
            return 0, 0
        width, n_lines = widths.most_common(1)[0]
        return width if len(widths) == 1 else 1, width if n_lines >= 0.75 * len(first) else 1

    return max(DELIMITERS, key=columns)


def _refuse_spaces(lines: Sequence[str], delimiter: str, expected: Expected) -> None:
    """Refuse cells between spaces; a table to predict on may hold a single column of words."""
    first = [line.split() for line in lines[:100] if line.strip()]
    widths = {len(cells) for cells in first}
    if len(widths) > 1 or widths == {1}:
        return
    are_numbers = [[_is_number(cell) for cell in cells] for cells in first[1:] or first]
    commas = [cell for cells in first for cell in cells if delimiter in cell]
    are_decimals = (
        bool(commas)
        and all(map(COMMA_NUMBER.fullmatch, commas))
        and all(all(row[:-1]) for row in are_numbers)
    )
    if any(delimiter in line for line in lines[:100]) and not are_decimals:
        return
    if expected.keeps_empty and not all(map(all, are_numbers)):
        return
    raise ValueError(
        f"its cells must be separated by commas, semicolons, tabs or bars, got {widths.pop()} in a "
        "line with spaces between them; put one of those in the place of the spaces."
    )


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not blank: their numbers from 1 and their cells."""
    ended = (f"{line}\n" for line in lines)
    reader = csv.reader(ended, delimiter=delimiter, skipinitialspace=True)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield reader.line_num, cells


def _check_widths(rows: Iterator[tuple[int, list[str]]]) -> None:
    first, cells = next(rows)
    for k, (line, row) in enumerate(rows):
        if len(row) != len(cells):
            is_title = f" or, if line {first} is a comment or a title, leave that out" * (k == 0)
            raise ValueError(
                f"line {line} must hold {len(cells)} cell{'s' * (len(cells) != 1)} as line {first} "
                f"does, got {len(row)}; mend it{is_title}."
            )


def _parse(
    content: bytes,
    delimiter: str,
    columns: list[Any],
    text: set[Any],
    *,
    skip: bool,
    skip_blank_lines: bool,
    missing: Sequence[str] = NOT_THERE,
) -> pd.DataFrame:
    with warnings.catch_warnings():
        # Newer versions of pandas round correctly without being told.
        warnings.filterwarnings("ignore", message="The 'float_precision'")
        warnings.filterwarnings("error", category=pd.errors.ParserWarning)
        return pd.read_csv(
            io.BytesIO(content),
            sep=delimiter,
            header=0 if skip else None,
            names=columns,
            index_col=False,
            dtype={name: str for name in columns if name in text},
            keep_default_na=False,
            na_values=missing,
            skipinitialspace=True,
            skip_blank_lines=skip_blank_lines,
            encoding="utf-8-sig",
            low_memory=False,
            float_precision="round_trip",
        )


def _names(rows: list[list[str]], expected: frozenset[str]) -> list[str] | None:
    """Return the columns' names if the first row holds them; it does if all expected are there."""
    first, others = rows[0], rows[1:]
    names = [cell or f"column {k + 1}" for k, cell in enumerate(first)]
    has_expected = bool(expected) and expected.issubset(names)
    if not has_expected and not _is_header(first, others):
        return None
    if not others:
        raise ValueError("there are no rows of numbers.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"columns must have different names, got {twice!r} twice.")
    return names


def _is_header(first: list[str], others: list[list[str]]) -> bool:
    """Whether a row is no sample: its cells are of another kind than those below them.

    Where the names are numbers, as pandas writes them, they count the columns, or only the label
    has a name of text.
    """
    first, *others = ([c if c not in NOT_THERE else "" for c in row] for row in (first, *others))
    numeric = [_is_number(cell) for cell in first]
    below = [
        [row[k] for row in others if k < len(row) and row[k]] for k in range(min(len(first), 200))
    ]
    if not any(numeric):
        return (
            any(map(_is_number, chain.from_iterable(below))) or not others or _all_new(first, below)
        )
    if any(
        cell and not number and cells and all(map(_is_number, cells))
        for cell, number, cells in zip(first, numeric, below, strict=False)
    ):
        return True
    label = first[-1]
    labels = [row[-1] for row in others if row]
    if label in labels:
        return False
    if all(numeric):
        return len(first) > 2 and [float(_with_point(c)) for c in first] in (
            [*range(len(first))],
            [*range(1, len(first) + 1)],
        )
    # The name of the label, after names that are whole numbers, beside classes of several samples.
    return (
        all(numeric[:-1])
        and all(re.fullmatch("[0-9]+", cell) for cell in first[:-1])
        and bool(labels)
        and min(labels.count(found) for found in set(labels)) > 1
    )


def _all_new(first: list[str], below: list[list[str]]) -> bool:
    """Whether no cell of the first row comes again in its column, where others do."""
    return all(cell not in cells for cell, cells in zip(first, below, strict=False)) and any(
        len(set(cells)) < len(cells) for cells in below
    )


def _is_row_number(frame: pd.DataFrame) -> bool:
    """Whether the first column, without a name, counts the rows, as pandas writes it."""
    first = frame.iloc[:, 0]
    return (
        frame.shape[1] > 2
        and frame.columns[0] == "column 1"
        and pd.api.types.is_integer_dtype(first)
        and bool((first == np.arange(len(first))).all())
    )


# ---------------------------------------------------------------- Parquet and Excel


def _read_parquet(path: Path, expected: Expected) -> pd.DataFrame:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("it takes pyarrow: pip install 'ga-ann[tables]'.") from error

    with parquet.ParquetFile(path) as file:
        claims, schema = file.metadata, file.schema_arrow
        cells, n_bytes = claims.num_rows * claims.num_columns, path.stat().st_size
        most = MOST_RATIO * max(n_bytes, 2**20)
        if cells > most or claims.num_columns > MOST_COLUMNS:
            raise ValueError(f"its {n_bytes:,} bytes claim {cells:,} cells.")
        most += 8 * cells
        groups = [claims.row_group(k) for k in range(claims.num_row_groups)]
        if (claimed := sum(group.total_byte_size for group in groups)) > most:
            raise ValueError(f"its {n_bytes:,} bytes unpack to {claimed:,}.")
    texts = [
        f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
    ]
    before = pa.total_allocated_bytes()
    # As a dictionary a text that comes in each row is held once.
    with parquet.ParquetFile(path, read_dictionary=texts) as file:
        batches = []
        for batch in file.iter_batches(BATCH_ROWS):
            batches.append(batch)
            if pa.total_allocated_bytes() - before > most:
                raise ValueError(f"its {n_bytes:,} bytes unpack to more than {most:,}.")
        frame: pd.DataFrame = pa.Table.from_batches(batches, file.schema_arrow).to_pandas()
    frame.columns = pd.Index([str(name) for name in frame.columns])
    for name in texts:
        frame[name] = frame[name].astype(object)
    return frame.reset_index(drop=True)


def _read_excel(path: Path, expected: Expected) -> pd.DataFrame:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise ImportError("it takes openpyxl: pip install 'ga-ann[tables]'.") from error

    with zipfile.ZipFile(path) as archive:
        unpacked = check_zip_sizes(archive.infolist(), path.stat().st_size)
    with path.open("rb") as file:  # openpyxl leaves its own open where a sheet is not read whole
        book = load_workbook(file, read_only=True, data_only=True)
        sheet, *others = book.worksheets
        if others:
            warnings.warn(
                f"{path} has {len(others) + 1} sheets, of which the first, {sheet.title!r}, is "
                "read",
                stacklevel=2,
            )
        sheet.reset_dimensions()
        rows: list[tuple[Any, ...]] = []
        width = 0
        for row in sheet.iter_rows(values_only=True):
            rows.append(row)
            width = max(width, len(row))
            # A single cell far down and right would make a table of all that is before it.
            if len(rows) * width > unpacked or width > MOST_COLUMNS:
                raise ValueError("its cells lie too far apart.")
    return _from_cells(rows, width, expected.names)


def _from_cells(rows: list[tuple[Any, ...]], width: int, names: frozenset[str]) -> pd.DataFrame:
    frame = pd.DataFrame([(*row, *[None] * (width - len(row))) for row in rows], dtype=object)
    frame = frame.mask(frame.isin(NOT_THERE)).dropna(how="all", axis=1)
    if frame.empty:
        raise ValueError("there are no rows of numbers.")
    frame = frame.iloc[int(frame.notna().any(axis=1).argmax()) : _count_filled(frame)]
    frame.columns = pd.RangeIndex(frame.shape[1])
    peeked = [
        ["" if pd.isna(cell) else str(cell) for cell in row]
        for row in frame.dropna(how="all").head(PEEKED_ROWS).to_numpy().tolist()
    ]
    found = _names(peeked, names)
    if found is not None:
        frame = frame.iloc[1:]
        frame.columns = pd.Index(found)
    return frame.infer_objects()


FRAME_READERS: dict[str, Callable[[Path, Expected], pd.DataFrame]] = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".txt": _read_text,
    ".parquet": _read_parquet,
    ".xlsx": _read_excel,
    "": _read_text,  # standard input
}

FRAME_SUFFIXES: tuple[str, ...] = tuple(filter(None, FRAME_READERS))
"""Endings of the files that hold a table."""
