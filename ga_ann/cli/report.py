"""`ga-ann report`: a run for the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ga_ann.cli import options
from ga_ann.cli.shared import (
    check_output,
    check_report,
    find_pictures,
    load_for_model,
    shows_bars,
    telling_warnings,
)
from ga_ann.ctrl_c import quitting_at_ctrl_c

if TYPE_CHECKING:
    from ga_ann.datasets import Samples

__all__ = ["report"]


def report(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A model, a checkpoint or a history.")
    ],
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]",
            help="A table or a folder of pictures with its labels, as in train, to test the model "
            "on.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="OUT", help="The report to write (.html) [FILE's name]."
        ),
    ] = None,
    target: options.Target = None,
    label: options.Label = None,
    pictures: options.Pictures = None,
) -> None:
    """Write a report of a run for the browser: one file, without a network."""
    with quitting_at_ctrl_c():
        from ga_ann.report import save_report

    path = file.with_suffix(".html") if out is None else out
    check_report(path, data, pictures)
    check_output(path, inputs=[file, target])
    if data is None and any(given is not None for given in (target, label, pictures)):
        raise ValueError("--target, --label and --pictures go with DATA.")
    about: dict[str, Any] = {}
    if data is not None:
        samples = telling_warnings(_load, file, data, target, label)
        about = {
            "data": (samples.X, samples.labels),
            "sample_names": samples.names,
            "pictures": find_pictures(pictures, data),
        }
    save_report(path, file, **about)
    print(path)


def _load(file: Path, data: str, target: Path | None, label: str | None) -> Samples:
    """Return labelled samples as the model takes them."""
    from ga_ann.storage import load_model

    samples = load_for_model(load_model(file), data, target, label, verbose=shows_bars())
    if samples.labels is None:
        raise ValueError(f"{data} must have labels, to compare the predictions with; it has none.")
    return samples
