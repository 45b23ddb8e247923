"""`ga-ann train`: from a table or pictures to a model in a file."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ga_ann.cli import options
from ga_ann.cli.shared import (
    check_class_sizes,
    check_output,
    describe_features,
    list_notes,
    parse_list,
    parse_sizes,
    picture_options,
    shows_bars,
    silence,
    table_options,
    tell_command,
    telling_warnings,
)
from ga_ann.ctrl_c import quitting_at_ctrl_c

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ga_ann.animation import Snapshots
    from ga_ann.callbacks import Callback
    from ga_ann.comparison import DataSet
    from ga_ann.datasets import Inputs, Samples
    from ga_ann.evolution import EvolutionResult, Recipe
    from ga_ann.history import History
    from ga_ann.state import State

__all__ = ["train"]

VALIDATION = 0.25

OPTION_OF = {
    "n_generations": "--generations",
    "max_time": "--max-time",
    "target_fitness": "--target-fitness",
}
"""What makes a run go on, by what ended it."""


def train(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A table (.csv, .tsv, .parquet, .xlsx, - for standard input, .npz; .npy, .pkl or "
            "a Zarr array with --target), a folder of pictures, or the word fruits360.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="OUT", help="File (.npz) for the model and its history."
        ),
    ],
    target: options.Target = None,
    label: options.Label = None,
    drop: options.Drop = None,
    raw: options.Raw = False,
    min_std: options.MinStd = None,
    n_features: options.NFeatures = None,
    features: options.Features = None,
    bins: options.Bins = None,
    hue_range: options.HueRange = None,
    validation: options.Validation = None,
    task: options.Task = "classification",
    hidden: options.Hidden = None,
    activation: options.Activation = None,
    bias: options.Bias = None,
    weight_set: options.WeightSet = None,
    fitness: options.TrainFitness = None,
    recipe: options.RecipeName = "default",
    population: options.Population = None,
    sigma: options.Sigma = None,
    generations: options.Generations = None,
    max_time: options.MaxTime = None,
    target_fitness: options.TargetFitness = None,
    early_stopping: options.EarlyStopping = False,
    seed: options.Seed = None,
    jobs: options.Jobs = None,
    cluster: options.Cluster = None,
    device: options.Device = None,
    checkpoint: options.CheckpointFile = None,
    resume: options.Resume = None,
    overwrite: options.Overwrite = False,
    track_weights: options.TrackWeights = False,
    animate: options.Animate = None,
    quiet: options.Quiet = False,
    json_lines: options.JsonLines = False,
) -> None:
    """Train a network; Ctrl-C keeps the best so far and saves it."""
    with quitting_at_ctrl_c():
        from ga_ann.callbacks import Checkpoint, WeightMovement
        from ga_ann.comparison import DataSet
        from ga_ann.datasets import load_samples
        from ga_ann.evolution import evolve
        from ga_ann.loggers import JsonLines
        from ga_ann.storage import load_checkpoint, save_model

    if quiet and json_lines:
        raise ValueError("--quiet prints nothing, and --json-lines a line for each; give one.")
    talks = not quiet and not json_lines
    tell = print if talks else silence
    _check_state_files(out, checkpoint, resume, overwrite=overwrite)
    check_output(out, ".npz", [data, target, resume, checkpoint])
    _check_animation(animate, data, checkpoint or resume)
    held = None if resume is None else load_checkpoint(resume)
    seed = _choose_seed(seed, held)
    # What can be refused without the data is refused before they are read.
    search = {
        "activation": activation if activation is None else _parse_activation(activation),
        "weight_set": weight_set if weight_set is None else _parse_weight_set(weight_set),
        "task": task,
        "fitness": fitness,
        "recipe": _choose_recipe(recipe, population, sigma),
        "n_generations": _choose_generations(generations, held),
        "max_time": max_time,
        "target_fitness": target_fitness,
        "early_stopping": early_stopping,
        "n_iter_no_change": _choose_patience(recipe, early_stopping),
        "n_jobs": jobs,
        "client": cluster,
        "device": device,
    }
    share = _choose_share(validation, early_stopping)
    sizes = None if hidden is None else parse_sizes(hidden)
    samples = telling_warnings(
        load_samples,
        data,
        target,
        extraction=picture_options(features, bins, hue_range) or None,
        **table_options(label, drop),
        verbose=talks and shows_bars(),
    )
    about = DataSet.of_samples(data, samples, raw=raw)  # as `compare` trains on them
    y = _find_targets(samples, task)
    rows, held_out = _hold_out(y, share, seed, task, samples.label)
    inputs = _fit_inputs(samples, rows, about, min_std, n_features)
    notes = list_notes(samples, task, fitness)
    callbacks: list[Callback] = []
    if talks:
        callbacks.append(_telling(samples, inputs, len(rows), len(held_out), notes))
    if json_lines:
        callbacks.append(lines := JsonLines(sys.stdout))
    if state := checkpoint or resume:
        callbacks.insert(0, Checkpoint(state, overwrite=overwrite))
    if track_weights:
        callbacks.insert(0, WeightMovement())
    if animate is not None:
        callbacks.append(snapshots := _new_snapshots())
    result = evolve(
        *_part(samples, y, rows, inputs),
        **search,
        hidden_layer_sizes=about.hidden_layer_sizes if sizes is None else sizes,
        bias=about.bias and recipe != "tutorial" if bias is None else bias,
        validation_data=_part(samples, y, held_out, inputs) if len(held_out) else None,
        callbacks=callbacks,
        start=held,
        random_state=seed,
        verbose=talks,
    )
    model = result.to_model(
        classes=_labels(result.classes, samples.class_names),
        columns=inputs.columns,
        preprocessing=inputs.preprocessing,
        extraction=samples.extraction,
        settings={
            **result.history.settings,
            "random_state": seed,
            "data": data,
            "command": tell_command(context, seed=seed),
        },
    )
    save_model(out, model, result.history)
    if held is not None and len(result.history) == len(held.history):
        tell(_report_nothing_done(result))
    tell(_report_training(result))
    if (advice := _advise(result, jobs)) is not None:
        tell(advice)
    tell(f"{out}: {_report_model(result, inputs.columns)}")
    if animate is not None:
        tell(f"{animate}: {_save_frames(animate, snapshots, result)}")
    if json_lines:
        told = _summarise(result, out, seed, inputs.columns, notes)
        if animate is not None:
            told["animation"] = str(animate) if len(snapshots) else None
        lines.add(told)


# ---------------------------------------------------------------- what is asked for


def _check_state_files(
    out: Path, checkpoint: Path | None, resume: Path | None, *, overwrite: bool
) -> None:
    """Refuse files of a run's state that contradict each other or would be lost."""
    if checkpoint is not None and resume is not None:
        raise ValueError("--resume writes on to its own file; give it or --checkpoint, not both.")
    if overwrite and checkpoint is None:
        raise ValueError("--overwrite goes with --checkpoint.")
    if checkpoint is None:
        return
    if checkpoint.resolve() == out.resolve():
        raise ValueError(
            f"--out and --checkpoint must be two files, or one would be overwritten, got {out}."
        )
    if checkpoint.is_file() and not overwrite:
        raise ValueError(
            f"{checkpoint} exists and would be overwritten: go on from it with --resume "
            f"{checkpoint}, or give --overwrite or another file."
        )


def _check_animation(animate: Path | None, data: str, checkpoint: Path | None) -> None:
    if animate is None:
        return
    if checkpoint is not None and checkpoint.resolve() == animate.resolve():
        raise ValueError(
            f"--animate and the checkpoint must be two files, or one would be overwritten, got "
            f"{animate}."
        )
    check_output(animate, ".gif", [data])


def _choose_seed(seed: int | None, held: State | None) -> int:
    """Return the seed of a run: a checkpoint needs one, to hold the same samples out again."""
    before = None if held is None else held.random_state
    if None not in (seed, before) and seed != before:
        raise ValueError(
            f"--seed must be that of the checkpoint, {before}, or be left out, got {seed}."
        )
    if seed is None:
        seed = before
    return secrets.randbelow(2**32) if seed is None else seed


def _choose_generations(generations: int | None, held: State | None) -> Any:
    """Return the most generations: what a checkpoint's run was to have, unless told otherwise."""
    if generations is not None:
        return generations
    from ga_ann.comparison import GA_GENERATIONS

    before = {} if held is None else held.history.settings
    return before.get("n_generations", GA_GENERATIONS)


def _choose_recipe(name: str, population: int | None, sigma: float | None) -> Recipe:
    from ga_ann.evolution import Recipe, find_recipe

    recipe = Recipe.read(name) if name.lower().endswith(".toml") else find_recipe(name)
    given: dict[str, Any] = {"population_size": population, "sigma": sigma}
    return replace(recipe, **{field: n for field, n in given.items() if n is not None})


def _choose_patience(recipe: str, early_stopping: bool) -> int | None:
    """Return when a run ends that does not improve, as those of `compare` do.

    The named recipes that rank by the fitness itself stand on plateaus for long.
    """
    from ga_ann.comparison import GA_PATIENCE

    return None if recipe in ("classic", "tutorial") and not early_stopping else GA_PATIENCE


def _parse_activation(names: str) -> Any:
    """Return one name, or a tuple with a name for each hidden layer."""
    parts = tuple(parse_list(names, str, "--activation"))
    return parts if len(parts) > 1 else parts[0]


def _parse_weight_set(text: str) -> str | list[float]:
    is_name = text.replace("_", "").isalnum() and not text[:1].isdigit()
    return text if is_name else parse_list(text, float, "--weight-set")


def _choose_share(validation: float | None, early_stopping: bool) -> float:
    share = VALIDATION if validation is None else validation
    if not 0 <= share < 1:
        raise ValueError(f"--validation must be at least 0 and below 1, got {share}.")
    if share == 0 and early_stopping:
        raise ValueError("--early-stopping needs samples held out: --validation above 0.")
    return share


# ---------------------------------------------------------------- the data


def _find_targets(samples: Samples, task: str) -> NDArray[Any]:
    """Return what is learned: labels or, for a regression, numbers."""
    import numpy as np

    if task != "regression":
        return np.asarray(samples.y)
    if samples.class_names is not None:
        raise ValueError("--task regression needs numbers as labels, got classes of pictures.")
    y = np.asarray(samples.y)
    if y.dtype.kind in "US":
        shown = ", ".join(map(repr, list(dict.fromkeys(y.tolist()))[:5]))
        raise ValueError(
            f"--task regression needs numbers as labels, got {shown}; leave it out to tell classes "
            "apart, or choose a column of numbers with --label."
        )
    return y.astype(np.float64)


def _hold_out(
    y: NDArray[Any], share: float, seed: int, task: str, label: str | int | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the indices of the training and of the held-out samples."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    everything = np.arange(len(y))
    if share == 0:
        return everything, everything[:0]
    labels = None if task == "regression" else y
    _check_share(len(y), labels, share, label)
    train, test = train_test_split(everything, test_size=share, stratify=labels, random_state=seed)
    return train, test


def _check_share(
    n_samples: int, labels: NDArray[Any] | None, share: float, label: str | int | None
) -> None:
    """Refuse a share that leaves too few samples on one side, or classes that cannot be parted."""
    import numpy as np

    least, what = 2, "2"  # of which R2 can be told
    if labels is not None:
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(
                f"y must have at least 2 classes, got {classes.tolist()} in {n_samples} samples."
            )
        least, what = len(classes), f"the number of classes, {len(classes)}"
        check_class_sizes(labels, "give --validation 0 to train on all", label)
    n_held_out = ceil(share * n_samples)
    if min(n_held_out, n_samples - n_held_out) < least:
        raise ValueError(
            f"--validation {share:g} holds out {n_held_out} of {n_samples} samples; there must be "
            f"at least {what}, on either side. Give another share, or 0 to train on all."
        )


def _fit_inputs(
    samples: Samples,
    rows: NDArray[Any],
    about: DataSet,
    min_std: float | None,
    n_features: int | None,
) -> Inputs:
    """Return how samples become a network's inputs, by the training part alone."""
    from ga_ann.datasets import fit_inputs, take_rows

    wanted = {"min_std": min_std, "n_features": n_features}
    if min_std is None and n_features is None:
        wanted["min_std"] = about.min_std
    try:
        return fit_inputs(
            take_rows(samples.X, rows),
            standardise=about.standardise,
            label=samples.label,
            **wanted,  # type: ignore[arg-type]
        )
    except ValueError as error:
        if not any(wanted.values()):
            raise
        raise ValueError(f"{error} Choose other --min-std or --n-features.") from error


def _part(
    samples: Samples, y: NDArray[Any], rows: NDArray[Any], inputs: Inputs
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return some of the samples as a network's inputs, and what is learned of them."""
    from ga_ann.datasets import take_rows

    return inputs.transform(take_rows(samples.X, rows)), y[rows]


def _labels(classes: NDArray[Any] | None, names: NDArray[Any] | None) -> NDArray[Any] | None:
    """Return the label that stands for each output: the class's name where there are names."""
    return classes if classes is None or names is None else names[classes]


# ---------------------------------------------------------------- what is told


def _telling(
    samples: Samples, inputs: Inputs, n_training: int, n_held_out: int, notes: Sequence[str]
) -> Callback:
    """Return what tells, when all is checked and the run begins, what is done to the data."""
    from ga_ann.callbacks import Callback

    class Telling(Callback):
        def on_start(self, history: History) -> None:
            for line in describe_features(samples):
                print(line)
            if inputs.preprocessing is not None:
                held_out = f", {n_held_out:,} held out" * (n_held_out > 0)
                print(f"{_count(n_training, 'sample')} to train on{held_out}")
                print(f"{inputs.preprocessing.describe()} (--raw takes numbers as they are)")
            for note in notes:
                print(note)

    return Telling()


def _new_snapshots() -> Snapshots:
    with quitting_at_ctrl_c():
        from ga_ann.animation import Snapshots
    return Snapshots()


def _save_frames(path: Path, snapshots: Snapshots, result: EvolutionResult) -> str:
    """Save the animation, if there is one, and return what it holds."""
    from ga_ann.animation import save_animation

    if not len(snapshots):
        return "not written, for there is no generation to show"
    save_animation(path, snapshots, result)
    return _count(len(snapshots), "frame")


def _advise(result: EvolutionResult, jobs: int | None) -> str | None:
    """Return that a cluster does not pay for such a run, if there was one and that is so."""
    from ga_ann.evolution import count_free_threads

    cluster = None if result.ga is None else result.ga.cluster
    own = result.state.own_history["seconds"]
    if cluster is None or len(own) < 2:
        return None
    return cluster.advise((own[-1] - own[0]) / (len(own) - 1), jobs or count_free_threads())


def _summarise(
    result: EvolutionResult, out: Path, seed: int, columns: NDArray[Any], notes: Sequence[str]
) -> dict[str, Any]:
    """Return the last line of JSON: the last row of the History, and what came of the run."""
    return {
        **result.history.last,
        "model": str(out),
        "metric": result.history.metric,
        "stop_reason": result.stop_reason,
        "random_state": seed,
        "n_features": int(columns.sum()),
        "notes": list(notes),
    }


def _report_nothing_done(result: EvolutionResult) -> str:
    way = OPTION_OF.get(result.stop_reason)
    more = f"; a larger {way} makes it go on" if way else ""
    n_generations = _count(result.history.last["generation"], "generation")
    return f"nothing was left to do after {n_generations} ({result.stop_reason}){more}"


def _report_training(result: EvolutionResult) -> str:
    last, metric = result.history.last, result.history.metric
    text = (
        f"training {metric} {_format(result.best_fitness, metric)} after "
        f"{_count(last['generation'], 'generation')}, "
        f"{_count(last['evaluations'], 'evaluation')}, {last['seconds']:.2f} s "
        f"({result.stop_reason})"
    )
    held_out = result.validation_score
    if held_out != held_out:
        return text
    chosen = ", by which it was chosen" * result.history.settings["early_stopping"]
    return f"{text}; held out {_format(held_out, metric)}{chosen}"


def _report_model(result: EvolutionResult, columns: NDArray[Any]) -> str:
    n_outputs = result.weights[-1].shape[-1]
    kind = "classes" if result.classes is not None else "target" + "s" * (n_outputs > 1)
    return f"{columns.sum()} of {columns.size} features, {n_outputs} {kind}"


def _format(score: float, metric: str) -> str:
    return f"{100 * score:.2f} %" if metric == "accuracy" else f"{score:.4f}"


def _count(number: float, what: str) -> str:
    shown = f"{number:,.0f}"
    return f"{shown} {what}{'s' * (shown != '1')}"
