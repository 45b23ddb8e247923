"""What a file of this package holds, in words: a model, a history or a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from ga_ann.history import History
from ga_ann.network import describe_shapes
from ga_ann.storage.archive import read_archive
from ga_ann.storage.checkpoint import load_checkpoint
from ga_ann.storage.files import named_errors
from ga_ann.storage.model import load_history, read_model

__all__ = ["describe_file"]


def describe_file(path: str | os.PathLike[str]) -> str:
    """Return a few lines about a file that this package wrote.

    Nothing but the file is needed: no function of the user's is called, and nothing is unpickled.

    Parameters
    ----------
    path : path-like
        A model, a history or a checkpoint.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, comes from a newer version, or is of another kind.

    Examples
    --------
    >>> import tempfile
    >>> from ga_ann.storage.model import save_history
    >>> history = History(label="GA", settings={"sigma": 0.3})
    >>> history.append(generation=0, best_fitness=0.5, evaluations=32, seconds=0.25)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_history(f"{folder}/history.npz", history)
    ...     print(describe_file(f"{folder}/history.npz"))  # doctest: +ELLIPSIS
    history, format 1, written by ga_ann ...
    GA: generation 0, best accuracy 0.5000, 32 evaluations, 0.2 s
    settings: sigma=0.3
    """
    with named_errors(path, "a model, a history or a checkpoint"):
        header, _ = read_archive(path)
        describe = {"checkpoint": _checkpoint, "history": _history, "model": _model}.get(
            header["kind"]
        )
        if describe is None:
            raise ValueError(f"it holds a {header['kind']}")
    first = f"{header['kind']}, format {header['version']}, written by ga_ann "
    lines = [first + str(header.get("package_version")), *describe(path, header)]
    return "\n".join(map(_visible, lines))


def _visible(line: str) -> str:
    """Return a line whose control characters, which might drive a terminal, are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _checkpoint(path: str | os.PathLike[str], header: dict[str, Any]) -> Iterator[str]:
    held = load_checkpoint(path)
    yield f"population: {len(held.population)} solutions of {held.population.shape[1]:,} genes"
    yield f"network: {describe_shapes(held.shapes)}"
    yield from _lines(held.history)
    yield f"versions: {_pairs(held.versions)}"


def _history(path: str | os.PathLike[str], header: dict[str, Any]) -> Iterator[str]:
    yield from _lines(load_history(path))


def _model(path: str | os.PathLike[str], header: dict[str, Any]) -> Iterator[str]:
    held = read_model(path, None)  # what functions do is not told
    hidden, last = header["activation"], header["output_activation"]
    shapes = [W.shape for W in held.weights]
    layers = [*hidden] if isinstance(hidden, list) else [hidden]
    yield f"network: {', '.join([describe_shapes(shapes), *layers, f'then {last}'])}"
    if held.classes is None:
        yield "a regression"
    else:
        yield f"classes: {', '.join(map(str, held.classes.tolist()))}"
    if held.preprocessing is not None:
        yield f"columns that it takes: {held.preprocessing.list_columns()}"
        yield held.preprocessing.describe()
    if held.extraction is not None:
        yield f"features of pictures: {_pairs(held.extraction)}"
    if "history" in header:
        yield from _lines(load_history(path))
    else:
        yield f"settings: {_pairs(held.settings)}"


def _lines(history: History) -> Iterator[str]:
    if len(history):
        last = history.last
        text = (
            f"{history.label or 'run'}: generation {last['generation']:,.0f}, best "
            f"{history.metric} {last['best_fitness']:.4f}, {last['evaluations']:,.0f} evaluations, "
            f"{last['seconds']:.1f} s"
        )
        held_out = last["validation_score"]
        yield text if held_out != held_out else f"{text}, held out {held_out:.4f}"
    yield f"settings: {_pairs(history.settings)}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items()) or "none"
