"""The command line: compare, extract, train, predict, plot.

Bad input ends with exit code 2 and one line on stderr. The heavy modules are imported by the
commands that need them, so that ``ga-ann --help`` is quick.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ga_ann import __version__

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.table import Table

    from ga_ann.checkpoint import Model
    from ga_ann.comparison import Comparison
    from ga_ann.datasets import FeatureTable
    from ga_ann.evolution import EvolutionResult

__all__ = ["app", "main"]

T = TypeVar("T")

FRUITS = "fruits360"
"""The word that stands for the shipped table."""

TABLE_SUFFIXES = (".csv", ".npy", ".npz", ".pkl")

PICTURES_MIN_STD = 50.0
"""The tutorial's filter of hue histograms."""

QUICK_SEEDS = 2
QUICK_BUDGETS = {"tutorial-ga": 0.5, "ga": 1.5}
"""Seconds a run with ``compare --quick``."""

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
    except (ValueError, TypeError, OSError) as error:
        code = _complain(_describe(error))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("ga-ann: interrupted", file=sys.stderr)
    sys.exit(code)


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}."
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
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


# ---------------------------------------------------------------- compare


@app.command()
def compare(
    seeds: Annotated[int | None, typer.Option(min=1, help="Number of seeds [5, quick: 2].")] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(help="rotation, holdout or all; may be repeated [rotation]."),
    ] = None,
    methods: Annotated[
        str | None, typer.Option(help="random,naive,tutorial-ga,ga,adam, or some of them [all].")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the tables and pictures.")] = Path(
        "results"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="2 seeds and small budgets.")] = False,
) -> None:
    """Compare random weights, naive training, two GAs and gradient descent on the fruits."""
    from rich.console import Console

    from ga_ann import comparison as comparing

    comparing.check_folder(out)
    names = list(comparing.METHODS) if methods is None else _parse_list(methods, str, "--methods")
    comparison = comparing.compare(
        methods=names,
        splits=split or ["rotation"],
        seeds=seeds or (QUICK_SEEDS if quick else 5),
        budgets=QUICK_BUDGETS if quick else None,
        verbose=True,
    )
    if not comparison.rows:
        raise KeyboardInterrupt
    console = Console()
    console.print(_tabulate(comparison))
    if "naive" in comparison.methods():
        console.print(WHY_NAIVE_FAILS)
    written = comparing.write_report(comparison, out)
    print(f"{len(written)} files in {out}: {', '.join(path.name for path in written)}")
    if comparison.interrupted:
        raise typer.Exit(INTERRUPTED)


def _tabulate(comparison: Comparison) -> Table:
    """Return the table of medians and ranges, split after split."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from ga_ann.comparison import METHODS, summarise

    table = Table(
        box=SIMPLE_HEAD,
        caption="Median over the seeds; below it minimum-maximum. rotation 0->1: trained on one "
        f"axis of rotation, tested on the other. {comparison.caption}",
        caption_justify="left",
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("method", no_wrap=True)
    for name in ("training %", "held out %", "wrong", "evaluations", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    split = None
    for line in summarise(comparison.rows):
        if line["split"] != split:
            table.add_section()
            split = line["split"]
            table.add_row(f"[bold]{split}[/bold]")
        table.add_row(
            METHODS[line["method"]].label,
            _format_spread(line["train_accuracy"], lambda share: f"{100 * share:.1f}"),
            _format_spread(line["held_out_accuracy"], lambda share: f"{100 * share:.1f}"),
            _format_spread(line["n_wrong"], "{:,.0f}".format),
            _format_spread(line["evaluations"], "{:,.0f}".format),
            _format_spread(line["seconds"], "{:.1f}".format),
        )
    return table


def _format_spread(spread: dict[str, float], form: Callable[[float], str]) -> str:
    if spread["median"] != spread["median"]:  # NaN: nothing was held out
        return "-"
    median, low, high = (form(spread[name]) for name in ("median", "min", "max"))
    return f"{median}\n[dim]{low}-{high}[/dim]"


# ---------------------------------------------------------------- extract


@app.command()
def extract(
    pictures: Annotated[Path, typer.Argument(help="Folder with one sub-folder a class.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.npz", help="The table to write.")],
    classes: Annotated[
        str | None, typer.Option(help="Sub-folders to take, in order: apple,lemon [all].")
    ] = None,
    bins: Annotated[int, typer.Option(min=1, help="Number of bins.")] = 360,
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

    _check_output(out, ".npz")
    table = extract_features(
        pictures,
        classes=None if classes is None else _parse_list(classes, str, "--classes"),
        bins=bins,
        hue_range=None if hue_range is None else _parse_range(hue_range),
        verbose=True,
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
        Path, typer.Option("--out", "-o", help="File (.npz) for the model and its history.")
    ],
    target: Annotated[Path | None, typer.Option(help="Labels for DATA: .npy or .pkl.")] = None,
    hidden: Annotated[str, typer.Option(help="Sizes of the hidden layers.")] = "150,60",
    recipe: Annotated[str, typer.Option(help="default or tutorial.")] = "default",
    seed: Annotated[int | None, typer.Option(min=0, help="Seed [drawn anew each time].")] = None,
    min_std: Annotated[
        float | None,
        typer.Option(
            help="Keep features of larger standard deviation [50 for hue histograms, else all]."
        ),
    ] = None,
    n_features: Annotated[
        int | None, typer.Option(help="Keep so many features, those of largest deviation.")
    ] = None,
    generations: Annotated[int, typer.Option(min=0, help="Generations at most.")] = 1000,
    max_time: Annotated[float | None, typer.Option(help="Seconds at most.")] = None,
    validation: Annotated[float, typer.Option(help="Share of samples to hold out.")] = 0.0,
) -> None:
    """Train a network; Ctrl-C keeps the best so far and saves it."""
    import numpy as np

    from ga_ann.checkpoint import Model, save_model
    from ga_ann.evolution import evolve

    _check_output(out, ".npz")
    hidden_layer_sizes = _parse_list(hidden, int, "--hidden") if hidden else []
    samples = _load_data(data, target)
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
        random_state=np.random.default_rng(seed),
        verbose=True,
    )
    names = samples.class_names
    model = Model(
        result.weights,
        result.activation,
        result.output_activation,
        result.classes if names is None else names[result.classes],
        columns=columns,
        extraction=samples.extraction,
        settings={**result.history.settings, "random_state": seed, "data": data},
    )
    save_model(out, model, result.history)
    print(_report_training(result))
    print(f"{out}: {columns.sum()} of {columns.size} features, {len(model.classes)} classes")


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
    model: Annotated[Path, typer.Argument(help="A file that `ga-ann train` wrote.")],
    inputs: Annotated[
        list[str], typer.Argument(metavar="PICTURE...|DATA", help="Pictures, or DATA as in train.")
    ],
    target: Annotated[Path | None, typer.Option(help="Labels for DATA: .npy or .pkl.")] = None,
    form: Annotated[str, typer.Option("--format", help="text, csv or json.")] = "text",
) -> None:
    """Print the class and the probability of each sample."""
    from ga_ann.checkpoint import load_model
    from ga_ann.network import lookup

    write = lookup(FORMATS, form, "--format")
    network = load_model(model)
    is_data = [_is_data(name) for name in inputs]
    if any(is_data) and len(inputs) > 1:
        raise ValueError(f"give pictures, or one DATA, got {inputs}.")
    if any(is_data):
        expected = None if network.extraction is None else _extraction(network)
        samples = _load_data(inputs[0], target, expected)
    elif target is not None:
        raise ValueError("--target goes with DATA; pictures have no labels.")
    else:
        samples = _read_pictures(inputs, network)
    probabilities = network.predict_proba(samples.X)
    best = probabilities.argmax(axis=1)
    rows = [
        (name, network.classes[k].item(), float(row[k]))
        for name, k, row in zip(samples.names, best, probabilities, strict=True)
    ]
    write(rows)
    if form == "text" and (score := _score(samples, network.classes[best], network)):
        print(score)


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


def _read_pictures(paths: Sequence[str], model: Model) -> _Samples:
    from ga_ann.datasets import HueHistogram

    if model.extraction is None:
        raise ValueError(
            "the model was trained on a table, not on hue histograms; give a table, not pictures."
        )
    return _Samples(HueHistogram(**_extraction(model)).transform(paths), names=list(paths))


def _extraction(model: Model) -> dict[str, Any]:
    held = model.extraction or {}
    if held.keys() != {"bins", "hue_range"}:
        raise ValueError(f"the model's extraction must give bins and hue_range, got {held}.")
    return held


def _score(samples: _Samples, predicted: NDArray[Any], model: Model) -> str:
    """Return how many predictions are right, where the right answers are known."""
    labels = samples.labels
    if labels is None or not set(labels.tolist()) <= set(model.classes.tolist()):
        return ""
    right = int((labels == predicted).sum())
    return f"{right:,} of {len(labels):,} right ({100 * right / len(labels):.2f} %)"


# ---------------------------------------------------------------- plot


@app.command()
def plot(
    histories: Annotated[
        list[Path], typer.Argument(metavar="HISTORY...", help="Files of histories or of models.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture: .png, .svg, .pdf.")],
    x: Annotated[
        str, typer.Option("--x", help="generation, evaluations or seconds.")
    ] = "generation",
) -> None:
    """Plot how the best fitness grew."""
    from matplotlib.figure import Figure

    from ga_ann.checkpoint import load_history
    from ga_ann.plotting import plot_fitness, save_figure

    _check_output(out)
    curves = {str(path.with_suffix("")): load_history(path) for path in histories}
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    plot_fitness(next(iter(curves.values())) if len(curves) == 1 else curves, axes, x=x)
    save_figure(out, figure)
    print(out)


# ---------------------------------------------------------------- what the commands share


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


def _check_output(path: Path, suffix: str | None = None) -> None:
    """Refuse a file that cannot be written, before any work."""
    from ga_ann.files import check_target

    if suffix is not None and path.suffix.lower() != suffix:
        raise ValueError(f"the file to write must end in {suffix}, got {path}.")
    check_target(path)


@dataclass(frozen=True, eq=False)
class _Samples:
    """Samples to train on or to predict.

    `y` holds the labels, or indices into `class_names` where these are given. `extraction` tells
    how features were computed from pictures, if they were.
    """

    X: NDArray[Any]
    names: list[str]
    y: Any = None
    class_names: NDArray[Any] | None = None
    extraction: dict[str, Any] | None = None

    @property
    def labels(self) -> NDArray[Any] | None:
        labels: NDArray[Any] | None = (
            self.y if self.class_names is None else self.class_names[self.y]
        )
        return labels


def _is_data(name: str) -> bool:
    path = Path(name)
    return name == FRUITS or path.is_dir() or path.suffix.lower() in TABLE_SUFFIXES


def _load_data(
    name: str, target: Path | None, extraction: dict[str, Any] | None = None
) -> _Samples:
    """Load a table or extract it from pictures, in the way of `extraction` if that is given."""
    from ga_ann import datasets

    path = Path(name)
    if target is not None and (name == FRUITS or path.suffix.lower() not in (".npy", ".pkl")):
        raise ValueError(f"--target goes with a .npy or .pkl file of features, got {name}.")
    if name == FRUITS and not path.exists():
        fruits = datasets.load_fruits360()
        return _from_table(datasets.load_table(fruits.filename), extraction)
    if path.is_dir():
        options = extraction or {}
        return _from_table(datasets.extract_features(path, **options, verbose=True), extraction)
    if path.suffix.lower() == ".npz":
        try:
            table = datasets.load_table(path)
        except ValueError:
            pass  # not one that `ga-ann extract` wrote: perhaps a pair of arrays
        else:
            return _from_table(table, extraction)
    X, y = datasets.load_features(path, target)
    return _Samples(X, [str(k) for k in range(len(X))], y)


def _from_table(table: FeatureTable, expected: dict[str, Any] | None) -> _Samples:
    limits = table.hue_range
    extraction = {"bins": table.bins, "hue_range": None if limits is None else list(limits)}
    if expected is not None and expected != extraction:
        raise ValueError(
            f"the model was trained on features extracted with {expected}, the table with "
            f"{extraction}; extract it anew."
        )
    return _Samples(
        table.data.astype("float64"),
        table.picture_names.tolist(),
        table.target,
        table.target_names,
        extraction,
    )
