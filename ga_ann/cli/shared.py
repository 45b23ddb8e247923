"""What the commands share: their options' values, and what they tell on the way."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ga_ann.datasets import Samples
    from ga_ann.storage import Model

__all__ = [
    "check_class_sizes",
    "check_output",
    "check_report",
    "check_suffix",
    "describe_features",
    "find_pictures",
    "list_notes",
    "load_for_model",
    "parse_list",
    "parse_range",
    "parse_sizes",
    "picture_options",
    "shows_bars",
    "silence",
    "table_options",
    "tell_command",
    "telling_warnings",
]

T = TypeVar("T")


def shows_bars() -> bool:
    """Whether a progress bar would be seen, and not end up in a file beside the messages."""
    return sys.stderr.isatty()


def tell_command(context: typer.Context, **instead: Any) -> str:
    """Return the command that was given; values for options that it left open may be added."""
    command: Any = context.command
    words, operands = [context.command_path], list[str]()
    for parameter in command.params:
        name, value = parameter.name, context.params.get(parameter.name)
        source: Any = context.get_parameter_source(name)
        if name in instead:
            value = instead[name]
        elif getattr(source, "name", "") != "COMMANDLINE":
            continue
        values = [str(one) for one in (value if isinstance(value, list | tuple) else [value])]
        if parameter.param_type_name == "argument":
            operands += map(shlex.quote, values)
        elif isinstance(value, bool):
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            words += [f"{parameter.opts[0]} {shlex.quote(one)}" for one in values]
    return " ".join([words[0], *operands, *words[1:]])


def parse_list(text: str, kind: Callable[[str], T], option: str) -> list[T]:
    """Return what an option lists, joined by commas; refuse what is not of that kind."""
    try:
        return [kind(part.strip()) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"{option} must be numbers joined by commas, got {text!r}.") from error


def parse_range(text: str) -> tuple[float, float]:
    """Return the two limits that ``--range`` gives."""
    limits = parse_list(text, float, "--range")
    if len(limits) != 2:
        raise ValueError(f"--range must be two numbers such as 0,1, got {text!r}.")
    return limits[0], limits[1]


def parse_sizes(text: str) -> list[int]:
    """Return the sizes of hidden layers."""
    return parse_list(text, int, "--hidden") if text else []


def table_options(label: str | None, drop: str | None) -> dict[str, Any]:
    """Return those of the options that are given, as `load_samples` takes them."""
    names = None if drop is None else parse_list(drop, str, "--drop")
    return {name: v for name, v in {"label": label, "drop": names}.items() if v is not None}


def picture_options(
    features: str | None, bins: int | None, hue_range: str | None
) -> dict[str, Any]:
    """Return those of the options that are given, as `extract_features` takes them."""
    limits = None if hue_range is None else parse_range(hue_range)
    options = {"features": features, "bins": bins, "hue_range": limits}
    return {name: value for name, value in options.items() if value is not None}


def silence(line: str) -> None:
    """Take the place of `print` where nothing is to be told."""


def describe_features(samples: Samples) -> list[str]:
    """Return how features were computed, in a line where samples are pictures."""
    known = samples.features
    return [] if known is None else [f"features of pictures: {known}; {known.sees}"]


def list_notes(samples: Samples, task: str, fitness: str | None) -> list[str]:
    """Return what is odd about the data, and is trained on all the same."""
    from ga_ann.fitness import REGRESSION_FITNESS
    from ga_ann.preprocessing import list_doubts

    notes = list_doubts(samples.X)
    if task == "classification" and fitness in REGRESSION_FITNESS:
        notes.append(
            f"{fitness} scores the classes as the numbers that they are called by; --task "
            "regression learns numbers"
        )
    return notes


def telling_warnings(step: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Return what a step gives; what it warns of, as unseen categories, is a line on stderr."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        given = step(*arguments, **options)
    for warning in told:
        print(f"ga-ann: {warning.message}", file=sys.stderr)
    return given


def check_class_sizes(labels: NDArray[Any], instead: str, column: str | int | None = None) -> None:
    """Refuse classes of a single sample, of which none can be held out and none be left.

    They are mostly numbers that were measured, for which the way to a regression is told, or names
    of the samples, in a `column` of a table that is not the label.
    """
    import numpy as np

    from ga_ann.validation import check_not_measured

    check_not_measured(labels)
    classes, counts = np.unique(labels, return_counts=True)
    from ga_ann.preprocessing import name_column

    alone = classes[counts == 1].tolist()
    if not alone:
        return
    shown = ", ".join(map(str, alone[:5])) + ", ..." * (len(alone) > 5)
    measured = "; for numbers that were measured, give --task regression"
    is_label = f"; if {name_column(column)} is not the label, choose it with --label"
    raise ValueError(
        f"samples are held out of each class alike, and there is only one of [{shown}]: "
        f"add samples, or {instead}{is_label * (column is not None)}"
        f"{measured * (labels.dtype.kind in 'iuf')}."
    )


def check_output(
    path: Path,
    suffix: str | tuple[str, ...] | None = None,
    inputs: Iterable[str | Path | None] = (),
) -> None:
    """Refuse a file that cannot be written or that is an input, before any work."""
    from ga_ann.datasets import locate
    from ga_ann.storage import check_writable

    if suffix is not None:
        check_suffix(path, suffix)
    for name in inputs:
        if name and path.exists() and locate(name).exists() and path.samefile(locate(name)):
            raise ValueError(f"{path} is an input and would be overwritten; give another name.")
    check_writable(path)


def check_suffix(path: Path, suffix: str | tuple[str, ...]) -> None:
    """Refuse a file to write that is called otherwise."""
    suffixes = (suffix,) if isinstance(suffix, str) else suffix
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"the file to write must end in {' or '.join(suffixes)}, got {path}.")


def find_pictures(pictures: Path | None, data: str) -> Path | None:
    """Return the folder of a report's pictures: the one that is given, or the data themselves."""
    return pictures or (Path(data) if Path(data).is_dir() else None)


def load_for_model(
    network: Model, data: str, target: Path | None, label: str | None, *, verbose: bool
) -> Samples:
    """Return the samples of a table or a folder as a model takes them, with labels or without."""
    from ga_ann.datasets import load_samples

    return load_samples(
        data,
        target,
        labelled=False,
        extraction=network.extraction,
        n_features=network.n_features,
        label=label,
        preprocessing=network.table_columns,
        verbose=verbose,
    )


def check_report(
    path: Path,
    data: str | Path | None = None,
    pictures: Path | None = None,
    folder: Path | None = None,
) -> None:
    """Refuse a report that cannot be written, before any work.

    A `folder` was checked, and will be there when the report is written.
    """
    from ga_ann.report import check_installed

    check_installed()
    check_suffix(path, ".html")
    if folder is None or folder.exists() or path.absolute().parent != folder.absolute():
        check_output(path, inputs=[data])
    if pictures is not None and not pictures.is_dir():
        raise ValueError(f"--pictures must be a folder, got {pictures}.")
