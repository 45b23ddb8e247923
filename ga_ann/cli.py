"""The command line: compare, extract, train, predict, plot, info.

Bad input ends with exit code 2 and one line on stderr. The heavy modules are imported by the
commands that need them, so that ``ga-ann --help`` is quick.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ga_ann import __version__

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.table import Table

    from ga_ann.comparison.compare import Comparison
    from ga_ann.datasets import Samples
    from ga_ann.evolution.evolve import EvolutionResult
    from ga_ann.storage.model import Model

__all__ = ["app", "main"]

T = TypeVar("T")

PICTURES_MIN_STD = 50.0
"""The tutorial's filter of hue histograms."""

TABLE_WIDTH = 80
"""Columns that `compare` prints at least: its numbers would be cut on a narrower terminal."""

COMPARED = ("fruits", "fruits360")
"""The words that stand for the shipped table in `compare`."""

TABLE_HIDDEN = (32,)
"""Hidden layers that `compare` trains on a table of the user's."""

QUICK_SEEDS = 2
QUICK_BUDGETS = {"tutorial-ga": 0.5, "ga": 1.5}
"""Seconds a run with ``compare --quick``."""

SCORE_COLUMNS = {
    True: ("training %", "held out %"),  # accuracies
    False: ("training", "held out"),
}
COLUMN_WIDTHS = {
    "wrong": 9,
    "evaluations": 13,
    "seconds": 8,
}

WHY_NAIVE_FAILS = (
    "Naive training stands still: each wrong prediction multiplies all weights by the same "
    "positive number, which changes no prediction of a ReLU network without biases."
)

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

# typer carries a copy of click from some version on; this way leads to the right one.
UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    help="Train plain NumPy neural networks with a genetic algorithm.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; `sys.argv` by default.

    Raises
    ------
    SystemExit
        Always: 0 if all went well, 2 after bad input, 130 after Ctrl-C.
    """
    try:
        # Versions of typer answer Ctrl-C with an exit code or with Abort.
        code = app(args=arguments, prog_name="ga-ann", standalone_mode=False) or 0
    except UsageError as error:
        code = _complain(error.format_message())
    except (ValueError, TypeError, OSError, MemoryError, OverflowError) as error:
        code = _complain(_describe(error))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("ga-ann: interrupted", file=sys.stderr)
    sys.exit(code)


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}."
    if isinstance(error, MemoryError):
        return f"not enough memory. {error}"
    return str(error) or type(error).__name__


def _complain(message: str) -> int:
    print("ga-ann: error:", " ".join(message.split()), file=sys.stderr)
    return 2


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"ga-ann {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


# ---------------------------------------------------------------- compare


@app.command()
def compare(
    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="fruits, digits, wine or breast_cancer; or a table or a folder of pictures as in "
            "train.",
        ),
    ] = "fruits",
    target: Annotated[
        Path | None, typer.Option(metavar="LABELS", help="Labels for DATA: .npy or .pkl.")
    ] = None,
    fitness: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Score that all are measured by and the GAs maximise: f1_macro, neg_log_loss, "
            "..., or a scorer of scikit-learn.",
        ),
    ] = "accuracy",
    min_std: Annotated[
        float | None,
        typer.Option(
            metavar="STD",
            help="Keep features of larger standard deviation [50 for hue histograms, else all].",
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Number of seeds [5, quick: 2].")
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="rotation, holdout or all; may be repeated [fruits: rotation, else holdout].",
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="random,naive,tutorial-ga,ga,adam, or some of them [all]."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for the tables and pictures.")
    ] = Path("results"),
    quick: Annotated[bool, typer.Option("--quick", help="2 seeds and small budgets.")] = False,
) -> None:
    """Compare random weights, naive training, two GAs and gradient descent."""
    from rich.console import Console

    from ga_ann import comparison as comparing
    from ga_ann.comparison import METHODS, report

    report.check_folder(out)
    names = list(METHODS) if methods is None else _parse_list(methods, str, "--methods")
    comparison = comparing.compare(
        **_choose_data(data, target, split, min_std),
        methods=names,
        fitness=fitness,
        seeds=seeds or (QUICK_SEEDS if quick else 5),
        budgets=QUICK_BUDGETS if quick else None,
        verbose=_shows_bars(),
    )
    if not comparison.rows:
        raise KeyboardInterrupt
    console = Console(width=max(TABLE_WIDTH, Console().width))
    # The tables are as wide as their numbers, which no terminal is to cut.
    wide = Console(width=2 * console.width)
    is_fruits = data in COMPARED
    for table in _tabulate(comparison, is_fruits):
        wide.print(table)
    console.print(f"Median over the seeds; below it minimum-maximum. {comparison.caption}")
    for line in _explain_differences(comparison, is_fruits):
        console.print(line, highlight=False, markup=False)
    if "naive" in comparison.methods():
        console.print(WHY_NAIVE_FAILS)
    written = report.write_report(comparison, out)
    print(f"{len(written)} files in {out}: {', '.join(path.name for path in written)}")
    if comparison.interrupted:
        raise typer.Exit(INTERRUPTED)


def _choose_data(
    name: str, target: Path | None, splits: list[str] | None, min_std: float | None
) -> dict[str, Any]:
    """Return the options of `compare` for a data set known by name, a table or pictures."""
    from ga_ann.comparison.compare import DATASETS
    from ga_ann.datasets import holds_samples, load_samples

    known = "fruits" if name in COMPARED else name
    if known in DATASETS:
        if target is not None:
            raise ValueError(f"--target goes with a .npy or .pkl file of features, got {name}.")
        return {"data": known, "splits": splits, "min_std": min_std}
    if not holds_samples(name) and not Path(name).exists():
        raise ValueError(
            f"--data must be one of {sorted(DATASETS)}, or a table or a folder, got {name!r}."
        )
    samples = load_samples(name, target, verbose=_shows_bars())
    options: dict[str, Any] = {
        "X": samples.X,
        "y": samples.labels if samples.class_names is not None else samples.y,
        "groups": samples.groups,
        "sample_names": samples.names,
        "data": Path(name).name,
        "splits": splits or ["holdout"],
        "min_std": min_std,
    }
    if samples.extraction is not None:  # hue histograms, like the fruits
        return options | {"min_std": PICTURES_MIN_STD if min_std is None else min_std}
    return options | {"hidden_layer_sizes": TABLE_HIDDEN, "standardise": True}


def _tabulate(comparison: Comparison, is_fruits: bool) -> list[Table]:
    """Return a table of medians and ranges for each split."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from ga_ann.comparison.methods import METHODS
    from ga_ann.comparison.summary import summarise

    in_percent = comparison.settings["fitness"] == "accuracy"
    form = _format_share if in_percent else _format_score
    tables: dict[str, Table] = {}
    for line in summarise(comparison.rows):
        if line["split"] not in tables:
            table = tables[line["split"]] = Table(
                title=_explain_split(line["split"], is_fruits),
                title_justify="left",
                title_style="bold",
                box=SIMPLE_HEAD,
                collapse_padding=True,
                pad_edge=False,
            )
            table.add_column("method", no_wrap=True, min_width=14)
            # Widths that fit most numbers, so that the tables stand in line.
            scores = dict.fromkeys(SCORE_COLUMNS[in_percent], 11)
            for name, width in (scores | COLUMN_WIDTHS).items():
                table.add_column(name, justify="right", no_wrap=True, min_width=width)
        tables[line["split"]].add_row(
            METHODS[line["method"]].label,
            _format_spread(line["train_score"], form),
            _format_spread(line["held_out_score"], form),
            _format_spread(line["n_wrong"], "{:,.0f}".format),
            _format_spread(line["evaluations"], "{:,.0f}".format),
            _format_spread(line["seconds"], "{:.1f}".format),
        )
    return list(tables.values())


def _explain_split(name: str, is_fruits: bool) -> str:
    """Return what a split trains on and what it tests on."""
    if name == "all":
        return f"trained and measured on all {'pictures' if is_fruits else 'samples'}"
    if name == "holdout":
        return "trained on 3/4 of each class, tested on the rest"
    train, test = name.removeprefix("rotation ").split("->")
    if is_fruits:
        axes = {"0": "axis 0", "1": "axis 1 (r_)"}
        return f"trained on {axes[train]}, tested on {axes[test]}"
    return f"trained on group {train}, tested on group {test}"


def _format_share(share: float) -> str:
    return f"{100 * share:.1f}"


def _format_score(score: float) -> str:
    return f"{round(score, 3) + 0.0:.3f}"  # adding 0 turns a negative zero into zero


def _format_spread(spread: dict[str, float], form: Callable[[float], str]) -> str:
    if spread["median"] != spread["median"]:  # NaN: nothing was held out
        return "-"
    median, low, high = (form(spread[name]) for name in ("median", "min", "max"))
    joint = " to " if "-" in low + high else "-"
    return f"{median}\n[dim]{low}{joint}{high}[/dim]"


def _explain_differences(comparison: Comparison, is_fruits: bool) -> list[str]:
    """Return in words by how much the GA, or the first method, is ahead of each other one."""
    from ga_ann.comparison.methods import METHODS
    from ga_ann.comparison.summary import ENOUGH_SEEDS, MIN_SEEDS

    found = comparison.differences()
    if not found:
        return []
    n_seeds = min(line["n_seeds"] for line in found)
    known = " [95 % interval]" if n_seeds >= MIN_SEEDS else ""
    ours = METHODS[found[0]["reference"]].label
    lines = ["", f"{ours} against the others, held out, seed by seed: median difference{known}"]
    split = None
    for line in found:
        if line["split"] != split:
            split = line["split"]
            lines.append(f"{_explain_split(split, is_fruits)}:")
        difference = _format_difference(line, comparison.settings["fitness"])
        lines.append(f"  {ours} - {METHODS[line['method']].label}: {difference}")
    if n_seeds < MIN_SEEDS:
        lines.append(f"No interval: it takes at least {MIN_SEEDS} seeds.")
    elif n_seeds < ENOUGH_SEEDS:
        lines.append(f"With fewer than {ENOUGH_SEEDS} seeds an interval covers less than 95 %.")
    return [*lines, ""]


def _format_difference(line: dict[str, Any], fitness: str) -> str:
    factor, digits, unit = (100, 1, " points") if fitness == "accuracy" else (1, 4, "")
    # Adding 0 turns a negative zero into zero.
    median, low, high = (
        f"{round(factor * line[name], digits) + 0.0:+.{digits}f}"
        for name in ("median", "low", "high")
    )
    interval = "" if line["low"] != line["low"] else f" [{low}, {high}]"  # NaN: no interval
    counts = ", ".join(f"{line[name]} {name}" for name in ("better", "equal", "worse"))
    return f"{median}{unit}{interval}; {counts}"


# ---------------------------------------------------------------- extract


@app.command()
def extract(
    pictures: Annotated[
        Path, typer.Argument(metavar="PICTURES", help="Folder with one sub-folder a class.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The table to write (.npz).")],
    classes: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Sub-folders to take, in order: apple,lemon [all]."),
    ] = None,
    bins: Annotated[int, typer.Option(metavar="N", min=1, help="Number of bins.")] = 360,
    hue_range: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="LO,HI",
            help="Hues that the bins span, such as 0,1 [each picture's own range].",
        ),
    ] = None,
) -> None:
    """Turn pictures into a table of hue histograms."""
    from ga_ann.datasets import extract_features, save_table

    _check_output(out, ".npz", [pictures])
    table = extract_features(
        pictures,
        classes=None if classes is None else _parse_list(classes, str, "--classes"),
        bins=bins,
        hue_range=None if hue_range is None else _parse_range(hue_range),
        verbose=_shows_bars(),
    )
    save_table(out, table)
    print(f"{out}: {len(table.data)} pictures of {', '.join(table.target_names)}; {bins} bins")


# ---------------------------------------------------------------- train


@app.command()
def train(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A table (.npz, .csv; .npy or .pkl with --target), a folder of pictures, or the "
            "word fruits360.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="OUT", help="File (.npz) for the model and its history."
        ),
    ],
    target: Annotated[
        Path | None, typer.Option(metavar="LABELS", help="Labels for DATA: .npy or .pkl.")
    ] = None,
    hidden: Annotated[
        str, typer.Option(metavar="SIZES", help="Sizes of the hidden layers.")
    ] = "150,60",
    recipe: Annotated[str, typer.Option(metavar="NAME", help="default or tutorial.")] = "default",
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Seed [drawn anew each time].")
    ] = None,
    min_std: Annotated[
        float | None,
        typer.Option(
            metavar="STD",
            help="Keep features of larger standard deviation [50 for hue histograms, else all].",
        ),
    ] = None,
    n_features: Annotated[
        int | None,
        typer.Option(metavar="N", help="Keep so many features, those of largest deviation."),
    ] = None,
    generations: Annotated[
        int, typer.Option(metavar="N", min=0, help="Generations at most.")
    ] = 1000,
    max_time: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds at most.")
    ] = None,
    validation: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of samples to hold out.")
    ] = 0.0,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the run's state there as it goes.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Go on from this checkpoint, and write on to it."),
    ] = None,
) -> None:
    """Train a network; Ctrl-C keeps the best so far and saves it."""
    import numpy as np

    from ga_ann.callbacks import Checkpoint
    from ga_ann.datasets import load_samples
    from ga_ann.evolution.evolve import evolve
    from ga_ann.storage.model import Model, save_model

    _check_output(out, ".npz", [data, target, checkpoint, resume])
    if checkpoint is not None and resume is not None:
        raise ValueError("--resume writes on to its own file; give it or --checkpoint, not both.")
    state = checkpoint or resume
    hidden_layer_sizes = _parse_list(hidden, int, "--hidden") if hidden else []
    samples = load_samples(data, target, verbose=_shows_bars())
    rows, held_out = _hold_out(samples.y, validation, seed)
    if min_std is None and n_features is None and samples.extraction is not None:
        min_std = PICTURES_MIN_STD
    columns = _select_columns(samples.X[rows], min_std, n_features)
    result = evolve(
        samples.X[rows][:, columns],
        samples.y[rows],
        hidden_layer_sizes=hidden_layer_sizes,
        recipe=recipe,
        n_generations=generations,
        max_time=max_time,
        validation_data=(samples.X[held_out][:, columns], samples.y[held_out])
        if len(held_out)
        else None,
        callbacks=[] if state is None else [Checkpoint(state)],
        start=resume,
        random_state=np.random.default_rng(seed),
        verbose=_shows_bars(),
    )
    names = samples.class_names
    model = Model(
        result.weights,
        result.activation,
        result.output_activation,
        _labels(result.classes, names),
        columns=columns,
        extraction=samples.extraction,
        settings={**result.history.settings, "random_state": seed, "data": data},
    )
    save_model(out, model, result.history)
    print(_report_training(result))
    print(f"{out}: {columns.sum()} of {columns.size} features, {len(model.classes)} classes")


def _labels(classes: NDArray[Any] | None, names: NDArray[Any] | None) -> NDArray[Any]:
    """Return the label that stands for each output: the class's name where there are names."""
    import numpy as np

    found = np.asarray(classes)
    return found if names is None else names[found]


def _hold_out(y: NDArray[Any], share: float, seed: int | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the indices of the training and of the held-out samples."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    if not 0 <= share < 1:
        raise ValueError(f"--validation must be at least 0 and below 1, got {share}.")
    everything = np.arange(len(y))
    if share == 0:
        return everything, everything[:0]
    train, test = train_test_split(everything, test_size=share, stratify=y, random_state=seed)
    return train, test


def _select_columns(X: NDArray[Any], min_std: float | None, n_features: int | None) -> NDArray[Any]:
    from ga_ann.datasets import select_by_std

    try:
        return select_by_std(X, min_std=min_std, n_features=n_features)
    except ValueError as error:
        raise ValueError(f"{error} Choose other --min-std or --n-features.") from error


def _report_training(result: EvolutionResult) -> str:
    last = result.history.last
    text = (
        f"training accuracy {100 * result.best_fitness:.2f} % after {last['generation']:,.0f} "
        f"generations, {last['evaluations']:,.0f} evaluations, {last['seconds']:.2f} s "
        f"({result.stop_reason})"
    )
    held_out = last["validation_score"]
    return text if held_out != held_out else f"{text}; held out {100 * held_out:.2f} %"


# ---------------------------------------------------------------- predict


@app.command()
def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A file that `ga-ann train` wrote.")
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA",
            help="Pictures, or one table or folder as in train; it needs no labels.",
        ),
    ],
    target: Annotated[
        Path | None, typer.Option(metavar="LABELS", help="Labels for DATA: .npy or .pkl.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help="text, csv or json.")
    ] = "text",
) -> None:
    """Print the class and the probability of each sample; on stderr how many are right."""
    from ga_ann.datasets import holds_samples, load_pictures, load_samples
    from ga_ann.network import lookup
    from ga_ann.storage.model import load_model

    write = lookup(FORMATS, form, "--format")
    network = load_model(model)
    is_data = [holds_samples(name) for name in inputs]
    if any(is_data) and len(inputs) > 1:
        raise ValueError(f"give pictures, or one table or folder, got {inputs}.")
    if any(is_data):
        samples = load_samples(
            inputs[0],
            target,
            labelled=False,
            extraction=network.extraction,
            n_features=network.n_features,
            verbose=_shows_bars(),
        )
    elif target is not None:
        raise ValueError("--target goes with DATA; pictures have no labels.")
    else:
        samples = load_pictures(inputs, network.extraction, verbose=_shows_bars())
    probabilities = network.predict_proba(samples.X)
    best = probabilities.argmax(axis=1)
    rows = [
        (name, network.classes[k].item(), float(row[k]))
        for name, k, row in zip(samples.names, best, probabilities, strict=True)
    ]
    write(rows)
    if score := _score(samples, network.classes[best], network):
        print(score, file=sys.stderr)


Prediction = tuple[str, Any, float]


def _print_text(rows: Sequence[Prediction]) -> None:
    name_width = max(len(name) for name, _, _ in rows)
    class_width = max(len(str(label)) for _, label, _ in rows)
    for name, label, probability in rows:
        print(f"{name:<{name_width}}  {label!s:<{class_width}}  {probability:.4f}")


def _print_csv(rows: Sequence[Prediction]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["name", "class", "probability"])
    writer.writerows(rows)


def _print_json(rows: Sequence[Prediction]) -> None:
    keys = ("name", "class", "probability")
    print(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=1))


FORMATS: dict[str, Callable[[Sequence[Prediction]], None]] = {
    "csv": _print_csv,
    "json": _print_json,
    "text": _print_text,
}


def _score(samples: Samples, predicted: NDArray[Any], model: Model) -> str:
    """Return how many predictions are right, where the right answers are known."""
    labels = samples.labels
    if labels is not None and model.classes.dtype.kind == "U":
        labels = labels.astype(str)  # codes such as 10 among 01, 02, ...
    if labels is None or not set(labels.tolist()) <= set(model.classes.tolist()):
        return ""
    right = int((labels == predicted).sum())
    return f"{right:,} of {len(labels):,} right ({100 * right / len(labels):.2f} %)"


# ---------------------------------------------------------------- plot


@app.command()
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
) -> None:
    """Plot how the best fitness grew."""
    from matplotlib.figure import Figure

    from ga_ann.plotting import plot_fitness, save_figure
    from ga_ann.storage.model import load_history

    _check_output(out, inputs=histories)
    curves = dict(zip(_name_apart(histories), map(load_history, histories), strict=True))
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    plot_fitness(next(iter(curves.values())) if len(curves) == 1 else curves, axes, x=x)
    save_figure(out, figure)
    print(out)


# ---------------------------------------------------------------- info


@app.command()
def info(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A model, a history or a checkpoint.")
    ],
) -> None:
    """Tell what a file holds."""
    from ga_ann.storage.info import describe_file

    print(describe_file(file))


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


# ---------------------------------------------------------------- what the commands share


def _shows_bars() -> bool:
    """Whether a progress bar would be seen, and not end up in a file beside the messages."""
    return sys.stderr.isatty()


def _parse_list(text: str, kind: Callable[[str], T], option: str) -> list[T]:
    try:
        return [kind(part.strip()) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"{option} must be numbers joined by commas, got {text!r}.") from error


def _parse_range(text: str) -> tuple[float, float]:
    limits = _parse_list(text, float, "--range")
    if len(limits) != 2:
        raise ValueError(f"--range must be two numbers such as 0,1, got {text!r}.")
    return limits[0], limits[1]


def _check_output(
    path: Path, suffix: str | None = None, inputs: Iterable[str | Path | None] = ()
) -> None:
    """Refuse a file that cannot be written or that is an input, before any work."""
    from ga_ann.datasets import locate
    from ga_ann.storage import check_writable

    if suffix is not None and path.suffix.lower() != suffix:
        raise ValueError(f"the file to write must end in {suffix}, got {path}.")
    for name in inputs:
        if name and path.exists() and locate(name).exists() and path.samefile(locate(name)):
            raise ValueError(f"{path} is an input and would be overwritten; give another name.")
    check_writable(path)
