"""`ga-ann extract`: a folder of pictures to a table of features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ga_ann.cli.options import Bins, Features, HueRange
from ga_ann.cli.shared import check_output, parse_list, picture_options, shows_bars
from ga_ann.ctrl_c import quitting_at_ctrl_c

__all__ = ["extract"]


def extract(
    pictures: Annotated[
        Path, typer.Argument(metavar="PICTURES", help="Folder with one sub-folder a class.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The table to write (.npz).")],
    classes: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Sub-folders to take, in order: apple,lemon [all]."),
    ] = None,
    features: Features = None,
    bins: Bins = None,
    hue_range: HueRange = None,
) -> None:
    """Turn pictures into a table of features."""
    with quitting_at_ctrl_c():
        from ga_ann.datasets import extract_features, save_table

    check_output(out, ".npz", [pictures])
    table = extract_features(
        pictures,
        classes=None if classes is None else parse_list(classes, str, "--classes"),
        **picture_options(features, bins, hue_range),
        verbose=shows_bars(),
    )
    save_table(out, table)
    names = ", ".join(table.target_names)
    print(f"{out}: {len(table.data)} pictures of {names}; {table.settings}")
