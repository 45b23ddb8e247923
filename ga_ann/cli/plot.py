"""`ga-ann plot`: curves of histories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ga_ann.cli.shared import check_output
from ga_ann.ctrl_c import quitting_at_ctrl_c

__all__ = ["plot"]


def plot(
    histories: Annotated[
        list[Path], typer.Argument(metavar="HISTORY", help="Files of histories or of models.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="OUT", help="The picture: .png, .svg, .pdf."),
    ],
    x: Annotated[
        str, typer.Option("--x", metavar="NAME", help="generation, evaluations or seconds.")
    ] = "generation",
    band: Annotated[
        bool,
        typer.Option(
            "--band",
            help="Take files of one label and network for seeds: their median, and a band from the "
            "lowest to the highest.",
        ),
    ] = False,
) -> None:
    """Plot how the best fitness grew."""
    with quitting_at_ctrl_c():
        from matplotlib.figure import Figure

        from ga_ann.plotting import plot_fitness, save_figure
        from ga_ann.storage import load_history

    check_output(out, inputs=histories)
    runs = [load_history(path) for path in histories]
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    together = band or len(runs) == 1
    curves = runs if together else dict(zip(_name_apart(histories), runs, strict=True))
    plot_fitness(curves, axes, x=x, band=band)
    save_figure(out, figure)
    print(out)


def _name_apart(paths: Sequence[Path]) -> list[str]:
    """Return the files' names without their endings, numbered where they are the same."""
    names: list[str] = []
    for path in paths:
        name = base = str(path.with_suffix(""))
        n = 1
        while name in names:
            n += 1
            name = f"{base} ({n})"
        names.append(name)
    return names
