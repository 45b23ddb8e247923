"""The report of a run: what training returned, or a file of it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ga_ann.evolution import Recipe, evolve
from ga_ann.history import History, find_history
from ga_ann.network import describe_shapes
from ga_ann.out_of_core import SamplesLike
from ga_ann.report.charts import Curve, draw_curves, find_lines
from ga_ann.report.conclusion import conclude_run, format_score
from ga_ann.report.of_comparison import VERSIONS, draw_movement
from ga_ann.report.page import Answers, Chart, Page, judge, shorten
from ga_ann.report.pictures import Album
from ga_ann.state import State
from ga_ann.storage import (
    Model,
    load_checkpoint,
    load_history,
    load_model,
    package_versions,
    read_kind,
)

__all__ = ["Source", "find_source", "page_of_run"]

CURVES = {
    "best_fitness": "best solution",
    "mean_fitness": "mean of the generation",
    "validation_score": "held out",
}
"""The columns of a History that are drawn together."""


@dataclass(frozen=True)
class Source:
    """What is known of a run.

    Attributes
    ----------
    title : str
        What it is called.
    history : History
        At least one row.
    model : Model or None
        What predicts, if there is one.
    shapes : sequence of shapes, or None
        Those of the network's parameters.
    random_state : int or None
        The seed, where it is known.
    versions : mapping
        Of the packages that the run was made with; of those that are here where it does not say.
    """

    title: str
    history: History
    model: Model | None = None
    shapes: Sequence[tuple[int, ...]] | None = None
    random_state: int | None = None
    versions: Mapping[str, str] | None = None


def find_source(given: Any) -> Source:
    """Return what is known of a run, from what training returned or from a file.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError, OSError
        If a file cannot be read, or has no history, or the history has no row.
    """
    if isinstance(given, str | os.PathLike):
        source = _read(given)
    elif isinstance(given, State):
        source = _of_state("run", given)
    else:
        source = _of_trained(given)
    if not len(source.history):
        raise ValueError(f"{source.title} has no generation yet: there is nothing to report.")
    return source


def _read(path: str | os.PathLike[str]) -> Source:
    name = os.path.basename(os.fspath(path))  # noqa: PTH119 - without a look at the disk
    kind = read_kind(path)
    if kind == "checkpoint":
        return _of_state(name, load_checkpoint(path))
    history = load_history(path)
    if kind != "model":
        return Source(name, history)
    return _of_model(name, load_model(path), history)


def _of_state(title: str, state: State) -> Source:
    seed, versions = state.random_state, state.versions or None
    return Source(title, state.history, None, state.shapes, seed, versions)


def _of_model(title: str, model: Model, history: History) -> Source:
    shapes = [W.shape for W in model.weights]
    return Source(title, history, model, shapes, model.settings.get("random_state"))


def _of_trained(given: Any) -> Source:
    try:
        history = find_history(given)
    except TypeError as error:
        raise TypeError(
            "a report is made of a Comparison, of what training returned, a fitted estimator, a "
            f"History or a State, or of the path of a file, got {given!r}."
        ) from error
    title = history.label or type(given).__name__
    if not hasattr(given, "to_model"):
        return Source(title, history)
    source = _of_model(title, given.to_model(), history)
    state = getattr(given, "state", None)
    seed = state.random_state if isinstance(state, State) else source.random_state
    return Source(title, history, source.model, source.shapes, seed)


def page_of_run(
    source: Source,
    data: tuple[SamplesLike, ArrayLike] | None,
    sample_names: Sequence[str] | None,
    album: Album | None,
    command: str | None,
) -> Page:
    """Return the page of a run, and of what its network predicts of some data.

    Raises
    ------
    ValueError
        If there is no network to predict with, or the labels are not its own.
    """
    history = source.history
    answers = tested = None
    if data is not None:
        answers, tested = _test(source, data, sample_names, album)
    last, metric = history.last, history.metric
    page = Page(
        kind="Training run",
        title=shorten(source.title),
        subtitle=f"{metric.replace('_', ' ')} {format_score(last['best_fitness'], metric)} after "
        f"{last['generation']:,.0f} {history.unit}{'s' * (last['generation'] != 1)}",
        conclusion=conclude_run(history),
        curves=_draw_run(history),
        movement=[] if history.movement is None else [draw_movement("Each layer", [history])],
        facts=_list_facts(source),
        command=command or _call_again(source),
        versions=dict(source.versions or package_versions(*VERSIONS)),
    )
    if answers is not None and tested is not None:
        page.matrices_note = (
            f"{len(answers.y):,} samples, all that were given; some of them may be those that the "
            "network was trained on."
        )
        judge(page, answers, [("this network", 0, [tested])])
    return page


def _draw_run(history: History) -> list[Chart]:
    metric = history.metric
    curves = [
        Curve(label, lines)
        for column, label in CURVES.items()
        if (lines := find_lines([history], [history[column]]))
    ]
    spec = draw_curves(
        curves,
        metric.replace("_", " "),
        axes=("generation", "evaluations", "seconds"),
        description=f"The {metric.replace('_', ' ')} over the run",
        in_percent=metric == "accuracy",
    )
    return [Chart("", "", spec)]


# ---------------------------------------------------------------- what the network predicts


def _test(
    source: Source,
    data: tuple[SamplesLike, ArrayLike],
    sample_names: Sequence[str] | None,
    album: Album | None,
) -> tuple[Answers, tuple[NDArray[np.intp], NDArray[Any]]]:
    """Return what is true of samples, and what the network says of them."""
    model = source.model
    if model is None:
        raise ValueError(
            f"{source.title} has no network to predict with: give a model, not a checkpoint or a "
            "history, or leave the data out."
        )
    X, labels = data
    given = np.asarray(labels)
    predicted = model.predict(X)
    if given.ndim != 1 or given.shape != predicted.shape:
        raise ValueError(
            f"the labels must have shape ({len(predicted)},), one a sample, got {given.shape}."
        )
    if sample_names is not None and len(sample_names) != len(given):
        raise ValueError(f"sample_names must hold {len(given)} names, got {len(sample_names)}.")
    names = list(map(str, range(len(given)) if sample_names is None else sample_names))
    everything = np.arange(len(given))
    if model.classes is None:
        return Answers(_as_numbers(given), [], names, album), (everything, predicted)
    if model.classes.dtype.kind == "U":
        given = given.astype(str)
    if unknown := sorted(set(given.tolist()) - set(model.classes.tolist()), key=str):
        raise ValueError(
            f"the labels must be those of the network, {model.classes.tolist()}, got {unknown[:5]}."
        )
    order = {label: k for k, label in enumerate(model.classes.tolist())}
    y, answered = (
        np.array([order[label] for label in labels.tolist()], dtype=np.intp)
        for labels in (given, predicted)
    )
    classes = [str(label) for label in model.classes.tolist()]
    return Answers(y, classes, names, album), (everything, answered)


def _as_numbers(given: NDArray[Any]) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = pd.to_numeric(pd.Series(given), errors="coerce").to_numpy(
        dtype=np.float64
    )
    if not np.isfinite(numbers).all():
        raise ValueError(
            "the labels must be finite numbers, as the network was trained to predict."
        )
    return numbers


# ---------------------------------------------------------------- what was run


def _list_facts(source: Source) -> list[tuple[str, str]]:
    model, settings = source.model, source.history.settings
    facts = []
    if model is not None and "data" in model.settings:
        facts.append(("Data", shorten(model.settings["data"])))
    if source.shapes is not None:
        facts.append(("Network", describe_shapes(source.shapes)))
    if model is not None:
        facts += _list_facts_of_model(model)
    facts.append(("Measured by", source.history.metric.replace("_", " ")))
    if source.random_state is not None:
        facts.append(("Seed", str(source.random_state)))
    facts += [
        (name.replace("_", " ").capitalize(), shorten(_show(value)))
        for name, value in settings.items()
        if value is not None and name != "fitness"
    ]
    return facts


def _list_facts_of_model(model: Model) -> list[tuple[str, str]]:
    facts = []
    if model.classes is None:
        facts.append(("Task", "a regression"))
    else:
        labels = [shorten(label) for label in model.classes.tolist()]
        facts.append(("Classes", ", ".join(labels[:20]) + ", ..." * (len(labels) > 20)))
    if model.preprocessing is not None:
        facts.append(("Preparation", model.preprocessing.describe()))
    if model.extraction is not None:
        facts.append(("Features of pictures", _show(model.extraction)))
    return facts


def _show(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_show(held)}" for name, held in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_show, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _call_again(source: Source) -> str:
    """Return the call that repeats a run, as far as its settings tell it."""
    settings = {name: _as_tuple(value) for name, value in source.history.settings.items()}
    if source.model is not None and isinstance(told := source.model.settings.get("command"), str):
        return told
    recipe = {field.name for field in fields(Recipe)}
    if not recipe <= settings.keys():  # no genetic algorithm's
        return ""
    shape = "".join(f"    {name}={settings[name]!r},\n" for name in settings if name in recipe)
    own = {
        name: parameter.default
        for name, parameter in inspect.signature(evolve).parameters.items()
        if name not in recipe
    }
    options = {
        name: value for name, value in settings.items() if name in own and value != own[name]
    }
    options |= {} if source.random_state is None else {"random_state": source.random_state}
    given = "".join(f"    {name}={value!r},\n" for name, value in options.items())
    return f"recipe = Recipe(\n{shape})\nevolve(\n    X, y, recipe=recipe,\n{given})"


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
