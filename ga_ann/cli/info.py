"""`ga-ann info`: what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ga_ann.ctrl_c import quitting_at_ctrl_c

__all__ = ["info"]


def info(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A model, a history or a checkpoint.")
    ],
) -> None:
    """Tell what a file holds."""
    with quitting_at_ctrl_c():
        from ga_ann.storage import describe_file

    print(describe_file(file))
