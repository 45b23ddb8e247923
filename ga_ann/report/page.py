"""What a report shows, as values that a template lays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from ga_ann.comparison import Tested, rank_errors, rank_wrong
from ga_ann.report.charts import N_COLOURS, draw_predictions
from ga_ann.report.conclusion import Conclusion
from ga_ann.report.pictures import Album

__all__ = [
    "Answers",
    "Cell",
    "Chart",
    "Errors",
    "Matrix",
    "Mistakes",
    "Page",
    "Row",
    "Table",
    "Whisker",
    "judge",
    "shorten",
]

LONGEST_NAME = 80
"""Characters that a name of the user's takes on the page at most."""

MOST_CLASSES = 16
"""Classes that a confusion matrix can show; of more, the pairs that are confused most."""

MOST_PAIRS = 20

MOST_SHOWN = 24
"""Samples that were wrong, or have the largest errors, shown of each method."""


class Cell(NamedTuple):
    """A number of a table, and the range that it comes from."""

    text: str
    reach: str = ""


class Row(NamedTuple):
    """A row of a table: a method."""

    label: str
    colour: int
    cells: Sequence[Cell]


class Table(NamedTuple):
    """A table of methods."""

    title: str
    columns: Sequence[str]
    rows: list[Row]


class Whisker(NamedTuple):
    """A difference with its interval: in words, and as places from 0 to 100 on a line.

    Attributes
    ----------
    label : str
        What is compared.
    text, interval, counts : str
        The median; from where to where; how often better, equal, worse.
    middle, low, high, zero : float or None
        Places; None where there is no interval.
    """

    label: str
    text: str
    interval: str
    counts: str
    middle: float
    low: float | None
    high: float | None
    zero: float


class Chart(NamedTuple):
    """An interactive chart."""

    title: str
    note: str
    spec: dict[str, Any]


class Matrix(NamedTuple):
    """How many samples of each class were taken for which; or, of many classes, the worst pairs.

    Attributes
    ----------
    label : str
        The method.
    colour : int
        Its colour.
    summary : str
        How many were wrong.
    classes : list of str
        Names of the rows and columns.
    counts : list of list of (int, float)
        Numbers and their shares of the row; empty of too many classes.
    pairs : list of (str, str, int)
        True class, predicted class, how often; where there are no counts.
    """

    label: str
    colour: int
    summary: str
    classes: list[str]
    counts: list[list[tuple[int, float]]]
    pairs: list[tuple[str, str, int]]


class Mistakes(NamedTuple):
    """The samples that a method got wrong.

    Attributes
    ----------
    label : str
        The method.
    colour : int
        Its colour.
    summary : str
        How many there are.
    shown : list of (picture or None, name, true class, predicted classes, how often)
        Those that were wrong most often.
    left : int
        How many more there are.
    """

    label: str
    colour: int
    summary: str
    shown: list[tuple[str | None, str, str, str, str]]
    left: int


class Errors(NamedTuple):
    """The largest errors of a method in a regression: rows of texts."""

    label: str
    colour: int
    shown: list[tuple[str, str, str, str]]


@dataclass
class Page:
    """All that a report shows; see the template for the order."""

    kind: str
    title: str
    subtitle: str
    conclusion: Conclusion
    tables: list[Table] = field(default_factory=list)
    differences: list[tuple[str, list[Whisker]]] = field(default_factory=list)
    differences_note: str = ""
    curves: list[Chart] = field(default_factory=list)
    matrices: list[Matrix] = field(default_factory=list)
    matrices_note: str = ""
    predictions: list[Chart] = field(default_factory=list)
    mistakes: list[Mistakes] = field(default_factory=list)
    errors: list[Errors] = field(default_factory=list)
    movement: list[Chart] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    command: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """What predictions are judged by.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        Indices into `classes`, or the targets of a regression.
    classes : list of str
        Names of the classes; empty of a regression.
    names : list of str
        What the samples are called.
    album : Album or None
        The pictures, where they are at hand.
    """

    y: NDArray[Any]
    classes: list[str]
    names: list[str]
    album: Album | None = None


def shorten(text: object) -> str:
    """Return a name of the user's that does not fill the page.

    Examples
    --------
    >>> len(shorten("a" * 1000))
    80
    """
    words = str(text)
    return (
        words
        if len(words) <= LONGEST_NAME
        else words[: LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )


def judge(page: Page, answers: Answers, tested: Sequence[tuple[str, int, Sequence[Any]]]) -> None:
    """Add to a page what predictions are worth: confusions and mistakes, or errors.

    Parameters
    ----------
    page : Page
        What is added to.
    answers : Answers
        What is true.
    tested : sequence of (label, colour, runs)
        Of each method, the samples of each run and what was predicted of them.
    """
    for label, colour, runs in tested:
        if answers.classes:
            page.matrices.append(_find_matrix(answers, label, colour, runs))
            page.mistakes.append(_find_mistakes(answers, label, colour, runs))
        else:
            page.predictions.append(_draw_predictions(answers, label, colour, runs))
            page.errors.append(_find_errors(answers, label, colour, runs))


def _join(answers: Answers, runs: Tested) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return samples, what is true and what was predicted, over all runs."""
    pairs = list(runs)
    samples = np.concatenate([indices for indices, _ in pairs])
    return samples, answers.y[samples], np.concatenate([predicted for _, predicted in pairs])


def _find_matrix(answers: Answers, label: str, colour: int, runs: Sequence[Any]) -> Matrix:
    _, true, predicted = _join(answers, runs)
    n_wrong = int((true != predicted).sum())
    summary = f"{n_wrong:,} of {len(true):,} wrong"
    names = [shorten(name) for name in answers.classes]
    counts = confusion_matrix(true, predicted, labels=np.arange(len(names)))
    if len(names) <= MOST_CLASSES:
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        cells = [
            list(zip(row, share, strict=True))
            for row, share in zip(counts.tolist(), shares.round(3).tolist(), strict=True)
        ]
        return Matrix(label, colour, summary, names, cells, [])
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MOST_PAIRS]
    places = [divmod(place, len(names)) for place in order.tolist()]
    pairs = [(names[a], names[b], int(counts[a, b])) for a, b in places if counts[a, b]]
    return Matrix(label, colour, summary, names, [], pairs)


def _find_mistakes(answers: Answers, label: str, colour: int, runs: Sequence[Any]) -> Mistakes:
    wrong, n_tested = rank_wrong(runs, answers.y)
    shown = [
        (
            None if answers.album is None else answers.album.find(answers.names[one.sample]),
            shorten(answers.names[one.sample]),
            shorten(answers.classes[answers.y[one.sample]]),
            ", ".join(shorten(answers.classes[k]) for k in sorted(one.taken_for)),
            f"{one.n_wrong} of {one.n_runs} runs" if one.n_runs > 1 else "",
        )
        for one in wrong[:MOST_SHOWN]
    ]
    often = " at least once" if len(runs) > 1 else ""
    summary = f"{len(wrong):,} of {n_tested:,} samples wrong{often}"
    return Mistakes(label, colour, summary, shown, len(wrong) - len(shown))


def _draw_predictions(answers: Answers, label: str, colour: int, runs: Sequence[Any]) -> Chart:
    samples, true, predicted = _join(answers, runs)
    error = float(np.sqrt(np.mean((true - predicted) ** 2)))
    names = [shorten(answers.names[k]) for k in samples.tolist()]
    note = f"root mean squared error {error:.4g}"
    spec = draw_predictions(
        true,
        predicted,
        names,
        k=colour % N_COLOURS,
        description=f"{label}: predicted against true values, {note}",
    )
    return Chart(label, note, spec)


def _find_errors(answers: Answers, label: str, colour: int, runs: Sequence[Any]) -> Errors:
    largest = rank_errors(runs, answers.y)[:MOST_SHOWN]
    shown = [
        (shorten(answers.names[int(sample)]), f"{true:.4g}", f"{predicted:.4g}", f"{error:+.4g}")
        for sample, true, predicted, error in largest[["sample", "true", "predicted", "error"]]
        .to_numpy(dtype=object)
        .tolist()
    ]
    return Errors(label, colour, shown)
