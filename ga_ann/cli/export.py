"""`ga-ann export`: a model as a C header or an ONNX graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ga_ann.cli.shared import check_output
from ga_ann.ctrl_c import quitting_at_ctrl_c

__all__ = ["export"]


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The model.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="OUT", help="The C header (.h) or ONNX graph (.onnx) to write."
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What all names in the header begin with [model]."),
    ] = None,
    from_features: Annotated[
        bool,
        typer.Option(
            "--from-features",
            help="Of a model of pictures, write the network, which takes their features.",
        ),
    ] = False,
) -> None:
    """Write a model as a C header, for small devices, or as an ONNX graph."""
    with quitting_at_ctrl_c():
        from ga_ann.doors import to_c_header, to_onnx
        from ga_ann.storage import load_model

    check_output(out, (".h", ".onnx"), [model])
    held = load_model(model)
    if from_features:
        held = replace(held, extraction=None)
    elif held.extraction is not None:
        raise ValueError(
            f"{model} computes its features from pictures, which no such file does; with "
            "--from-features it is the network, which takes the features."
        )
    if out.suffix.lower() == ".h":
        begin = "model" if name is None else name
        to_c_header(held, out, name=begin)
        use = f"include it, and call {begin}_predict"
    elif name is None:
        graph = to_onnx(held, out).graph
        given, answers = ([one.name for one in part] for part in (graph.input, graph.output))
        use = f"from {' and '.join(given)} it computes {' and '.join(answers)}"
    else:
        raise ValueError(f"--name is what a C header's names begin with; leave it out for {out}.")
    print(f"{out}: {out.stat().st_size:,} bytes; {use}")
