"""CSV files of numbers with labels in the last column."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONGEST_LABEL", "read_csv"]

LONGEST_LABEL = 255
"""Characters of a label in a CSV file at most: in an array, each takes the longest one's room."""

Rows = list[tuple[int, list[str]]]
"""The lines of a CSV file: their numbers from 1 and their cells."""


def read_csv(path: Path, n_features: int | None = None) -> list[NDArray[Any]]:
    """Read features and labels; to be called in a `named_errors` block.

    Parameters
    ----------
    path : pathlib.Path
        The file: UTF-8, commas, an optional line of column names.
    n_features : int, optional
        Where the file has as many columns, they are features alone.

    Returns
    -------
    list of ndarray
        Features of float64 and, where the last column holds them, the labels: float64 if all are
        numbers, else text.

    Raises
    ------
    ValueError
        If there is no row, rows differ in length, a feature is no number, or a label is missing or
        longer than `LONGEST_LABEL` characters.
    """
    rows = _read_rows(path)
    width = len(rows[0][1])
    if width == n_features:
        return [_to_numbers(_without_names(rows, width))]
    rows = _without_names(rows, width - 1)
    for line, cells in rows:
        if width < 2 or not cells[-1]:
            raise ValueError(
                f"line {line} must hold {max(width - 1, 1)} numbers and a label, got {width} "
                f"cells, {cells[-1]!r} the last."
            )
        if len(cells[-1]) > LONGEST_LABEL:
            raise ValueError(
                f"line {line} must end in a label of at most {LONGEST_LABEL} characters, got "
                f"{len(cells[-1])}."
            )
    labels = [cells[-1] for _, cells in rows]
    features = _to_numbers([(line, cells[:-1]) for line, cells in rows])
    return [features, np.array([float(label) for label in labels] if _plain(labels) else labels)]


def _read_rows(path: Path) -> Rows:
    """Return the lines that are not blank, all of one width; there is at least one."""
    rows: Rows = []
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if rows and len(cells) != len(rows[0][1]):
                raise ValueError(
                    f"line {reader.line_num} must hold {len(rows[0][1])} cells as line "
                    f"{rows[0][0]} does, got {len(cells)}."
                )
            rows.append((reader.line_num, cells))
    if not rows:
        raise ValueError("there are no rows of numbers.")
    return rows


def _without_names(rows: Rows, n_features: int) -> Rows:
    """Leave out the first row if it holds the columns' names."""
    _, first = rows[0]
    named = not any(_is_number(cell) for cell in first[:n_features])
    if len(first) > n_features and len(rows) > 1 and not _is_number(first[-1]):
        named = named or all(_is_number(cells[-1]) for _, cells in rows[1:])
    if named and len(rows) == 1:
        raise ValueError("there are no rows of numbers.")
    return rows[named:]


def _to_numbers(rows: Rows) -> NDArray[np.float64]:
    features = []
    for line, cells in rows:
        try:
            features.append(np.array(cells, dtype=np.float64))
        except ValueError as error:
            raise ValueError(f"line {line}: {error}") from error
    return np.stack(features)


def _plain(labels: Sequence[str]) -> bool:
    """Whether all are numbers, and none a code such as 01 that would become the number 1."""
    return all(
        _is_number(label)
        and not re.match("[+-]?0[0-9]", label)
        and not 2.0**53 <= abs(float(label)) < float("inf")
        for label in labels
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
