"""`ga-ann predict`: what a model says of new data, as text, CSV or JSON."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ga_ann.cli import options
from ga_ann.cli.shared import load_for_model, shows_bars, telling_warnings
from ga_ann.ctrl_c import quitting_at_ctrl_c

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ga_ann.datasets import Samples
    from ga_ann.storage import Model

__all__ = ["predict"]

Rows = Sequence[tuple[Any, ...]]


def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A file that `ga-ann train` wrote.")
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA",
            help="Pictures, or one table or folder as in train; it needs no labels.",
        ),
    ],
    target: options.Target = None,
    label: options.Label = None,
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help="text, csv or json.")
    ] = "text",
) -> None:
    """Print the class and the probability of each sample, or its value; on stderr the score."""
    with quitting_at_ctrl_c():
        from ga_ann.network import lookup
        from ga_ann.storage import load_model

    write = lookup(FORMATS, form, "--format")
    network = load_model(model)
    samples = telling_warnings(_load, network, inputs, target, label)
    labels, is_empty = samples.labels, _are_empty(samples.labels)
    if network.classes is None:
        values = telling_warnings(network.predict, samples.X)
        columns, rows = _list_values(samples.names, values)
        score = _score_values(labels, values)
    else:
        probabilities = telling_warnings(network.predict_proba, samples.X)
        predicted = network.classes[probabilities.argmax(axis=1)]
        columns = ("name", "class", "probability")
        rows = list(
            zip(samples.names, predicted.tolist(), probabilities.max(axis=1).tolist(), strict=True)
        )
        score = _score_classes(labels, predicted, network.classes)
    write(columns, rows)
    if is_empty:
        score = f"the column of the labels is empty in all of {len(rows):,} rows: no score to tell"
    if score:
        print(score, file=sys.stderr)


def _load(network: Model, inputs: Sequence[str], target: Path | None, label: str | None) -> Samples:
    """Return the samples that the inputs name: pictures, or one table or folder."""
    from ga_ann.datasets import holds_samples, load_pictures

    is_data = [holds_samples(name) for name in inputs]
    if any(is_data) and len(inputs) > 1:
        raise ValueError(f"give pictures, or one table or folder, got {inputs}.")
    if any(is_data):
        return load_for_model(network, inputs[0], target, label, verbose=shows_bars())
    if target is not None or label is not None:
        option = "--label" if target is None else "--target"
        raise ValueError(f"{option} goes with DATA; pictures have no labels.")
    return load_pictures(
        inputs, network.extraction, n_features=network.n_features, verbose=shows_bars()
    )


def _list_values(names: Sequence[str], values: NDArray[Any]) -> tuple[tuple[str, ...], Rows]:
    """Return the columns and the rows of a regression's predictions."""
    table = values.reshape(len(values), -1)
    if table.shape[1] == 1:
        columns: tuple[str, ...] = ("name", "value")
    else:
        columns = ("name", *(f"value {k + 1}" for k in range(table.shape[1])))
    return columns, [(name, *row) for name, row in zip(names, table.tolist(), strict=True)]


# ---------------------------------------------------------------- the score


def _are_empty(labels: NDArray[Any] | None) -> bool:
    """Whether there are labels, and not one of them is known."""
    return labels is not None and bool(_are_missing(labels).all())


def _are_missing(labels: NDArray[Any]) -> NDArray[Any]:
    """Return which labels are not known: texts without a letter, and NaN among numbers."""
    missing: NDArray[Any] = labels == "" if labels.dtype.kind == "U" else labels != labels
    return missing


def _score_classes(
    labels: NDArray[Any] | None, predicted: NDArray[Any], classes: NDArray[Any]
) -> str:
    """Return how many predictions are right, where the right answers are known."""
    import numpy as np

    if labels is None:
        return ""
    missing = _are_missing(labels)
    if classes.dtype.kind == "U":
        labels = labels.astype(str)  # codes such as 10 among 01, 02, ...
    known = np.isin(labels, classes)
    n_known, n_right = int(known.sum()), int((labels == predicted).sum())
    text = "no label is known to tell the accuracy"
    if n_known:
        text = f"{n_right:,} of {n_known:,} right ({100 * n_right / n_known:.2f} %)"
    if n_known == len(labels):
        return text
    told = np.where(missing, "none", labels.astype(str))[~known]
    unknown = list(dict.fromkeys(told.tolist()))
    shown = ", ".join(unknown[:5]) + ", ..." * (len(unknown) > 5)
    return f"{text}; {len(labels) - n_known:,} with labels that the model does not know: {shown}"


def _score_values(labels: NDArray[Any] | None, values: NDArray[Any]) -> str:
    """Return R2, where the right answers are known."""
    import numpy as np
    import pandas as pd
    from sklearn.metrics import r2_score

    if labels is None or values.ndim > 1:
        return ""
    right = pd.to_numeric(pd.Series(labels), errors="coerce").to_numpy(dtype=np.float64)
    known = np.isfinite(right)
    n_known = int(known.sum())
    text = "fewer than 2 labels are known to tell r2"
    if n_known > 1:
        text = f"r2 {r2_score(right[known], values[known]):.4f} of {n_known:,} samples"
    n_unknown = len(right) - n_known
    return f"{text}; {n_unknown:,} with labels that are no numbers" if n_unknown else text


# ---------------------------------------------------------------- the forms


def _print_text(columns: Sequence[str], rows: Rows) -> None:
    table = [[f"{v:.4f}" if isinstance(v, float) else str(v) for v in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  ".join(f"{v:<{width}}" for v, width in zip(row, widths, strict=True)).rstrip())


def _print_csv(columns: Sequence[str], rows: Rows) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _print_json(columns: Sequence[str], rows: Rows) -> None:
    print(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=1))


FORMATS: dict[str, Callable[[Sequence[str], Rows], None]] = {
    "csv": _print_csv,
    "json": _print_json,
    "text": _print_text,
}
