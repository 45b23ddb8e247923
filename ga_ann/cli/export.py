"""`ga-ann export`: a model as a C header."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ga_ann.cli.shared import check_output
from ga_ann.ctrl_c import quitting_at_ctrl_c

__all__ = ["export"]


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The model.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT", help="The C header to write (.h).")
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What all names in the header begin with.")
    ] = "model",
) -> None:
    """Write a model as a C header, for small devices."""
    with quitting_at_ctrl_c():
        from ga_ann.doors import to_c_header
        from ga_ann.storage import load_model

    check_output(out, ".h", [model])
    to_c_header(load_model(model), out, name=name)
    print(f"{out}: {out.stat().st_size:,} bytes; include it, and call {name}_predict")
