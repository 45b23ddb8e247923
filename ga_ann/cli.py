"""The command line: compare, extract, train, predict, plot, info.

Bad input ends with exit code 2 and one line on stderr. The heavy modules are imported by the
commands that need them, so that ``ga-ann --help`` is quick.
"""

from __future__ import annotations

import csv
import json
import secrets
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ga_ann import __version__
from ga_ann.ctrl_c import INTERRUPTED, MESSAGE, quitting_at_ctrl_c

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ga_ann.callbacks import Callback
    from ga_ann.comparison import DataSet
    from ga_ann.datasets import Inputs, Samples
    from ga_ann.evolution import EvolutionResult
    from ga_ann.history import History
    from ga_ann.state import State

__all__ = ["app", "main"]

T = TypeVar("T")

SEEDS = 10
QUICK_SEEDS = 2
QUICK_BUDGETS = {"tutorial-ga": 0.5, "classic": 0.5, "ga": 1.5}
"""Seconds a run with ``compare --quick``."""

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
        print(MESSAGE, file=sys.stderr)
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
    label: Annotated[
        str | None,
        typer.Option(metavar="NAME|NUMBER", help="Column of a table's labels [the last]."),
    ] = None,
    drop: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Columns of a table to leave out: id,name."),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Take a table's numbers as they are; no text, none missing."),
    ] = False,
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
        int | None, typer.Option(metavar="N", min=1, help="Number of seeds [10, quick: 2].")
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
            metavar="NAMES",
            help="random,naive,tutorial-ga,classic,ga,adam, or some of them [all].",
        ),
    ] = None,
    recipe: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Recipe (.toml) of one more GA; may be repeated."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for the tables and pictures.")
    ] = Path("results"),
    quick: Annotated[bool, typer.Option("--quick", help="2 seeds and small budgets.")] = False,
) -> None:
    """Compare random weights, naive training, GAs and gradient descent."""
    with quitting_at_ctrl_c():
        from ga_ann import comparison as comparing

    comparing.check_folder(out)
    comparison = comparing.compare(
        data=_choose_data(data, target, label, drop, raw),
        splits=split,
        min_std=min_std,
        methods=_choose_methods(methods, recipe or []),
        fitness=fitness,
        seeds=seeds or (QUICK_SEEDS if quick else SEEDS),
        budgets=QUICK_BUDGETS if quick else None,
        verbose=_shows_bars(),
    )
    if not comparison.rows:
        raise KeyboardInterrupt
    comparing.print_comparison(comparison)
    written = comparing.write_report(comparison, out)
    print(f"{len(written)} files in {out}: {', '.join(path.name for path in written)}")
    if comparison.interrupted:
        raise typer.Exit(INTERRUPTED)


def _choose_methods(names: str | None, files: Sequence[Path]) -> list[str] | dict[str, Any]:
    """Return the methods known by name and those of the recipes, named after their files."""
    from ga_ann.comparison import METHODS
    from ga_ann.evolution import Recipe

    chosen = list(METHODS) if names is None else _parse_list(names, str, "--methods")
    if not files:
        return chosen
    labels = [*chosen, *(path.stem for path in files)]
    if len(set(labels)) < len(labels):
        raise ValueError(
            "--recipe must name .toml files of other names than the methods "
            f"{chosen} and each other, got {[str(path) for path in files]}."
        )
    return dict(zip(labels, [*chosen, *map(Recipe.read, files)], strict=True))


def _choose_data(
    name: str, target: Path | None, label: str | None, drop: str | None, raw: bool
) -> str | DataSet:
    """Return the data set that is known by this name, or the one in a file or a folder."""
    from ga_ann.comparison import DATASETS, DataSet
    from ga_ann.datasets import FRUITS, holds_samples, load_samples

    known = "fruits" if name == FRUITS else name
    if known in DATASETS:
        if target is not None:
            raise ValueError(f"--target goes with a .npy or .pkl file of features, got {name}.")
        if label is not None or drop is not None or raw:
            raise ValueError(f"--label, --drop and --raw go with a table, got {name}.")
        return known
    if not holds_samples(name) and not Path(name).exists():
        raise ValueError(
            f"--data must be one of {sorted(DATASETS)}, or a table or a folder, got {name!r}."
        )
    samples = load_samples(
        name, target, label=label, drop=_parse_names(drop), verbose=_shows_bars()
    )
    return DataSet.of_samples(Path(name).name, samples, raw=raw)


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
    with quitting_at_ctrl_c():
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
            help="A table (.csv, .tsv, .parquet, .xlsx, - for standard input, .npz; .npy or .pkl "
            "with --target), a folder of pictures, or the word fruits360.",
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
    label: Annotated[
        str | None,
        typer.Option(metavar="NAME|NUMBER", help="Column of a table's labels [the last]."),
    ] = None,
    drop: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Columns of a table to leave out: id,name."),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Take a table's numbers as they are; no text, none missing."),
    ] = False,
    hidden: Annotated[
        str | None,
        typer.Option(metavar="SIZES", help="Sizes of the hidden layers [32; pictures: 150,60]."),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(metavar="RECIPE", help="default, classic, tutorial, or a file (.toml)."),
    ] = "default",
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
        typer.Option(
            metavar="FILE",
            help="Go on from this checkpoint, and write on to it; with the same options as before.",
        ),
    ] = None,
) -> None:
    """Train a network; Ctrl-C keeps the best so far and saves it."""
    with quitting_at_ctrl_c():
        from ga_ann.callbacks import Checkpoint
        from ga_ann.comparison import GA_PATIENCE, DataSet
        from ga_ann.datasets import load_samples, take_rows
        from ga_ann.evolution import Recipe, evolve
        from ga_ann.storage import Model, load_checkpoint, save_model

    _check_output(out, ".npz", [data, target, checkpoint, resume])
    if checkpoint is not None and resume is not None:
        raise ValueError("--resume writes on to its own file; give it or --checkpoint, not both.")
    state = checkpoint or resume
    held = None if resume is None else load_checkpoint(resume)
    seed = _choose_seed(seed, held)
    sizes = _parse_list(hidden, int, "--hidden") if hidden else []
    samples = load_samples(
        data, target, label=label, drop=_parse_names(drop), verbose=_shows_bars()
    )
    # As `compare` trains on these samples.
    about = DataSet.of_samples(data, samples, raw=raw)
    rows, held_out = _hold_out(samples.y, validation, seed)
    if min_std is None and n_features is None:
        min_std = about.min_std
    inputs = _fit_inputs(samples, rows, min_std, n_features, standardise=about.standardise)
    result = evolve(
        inputs.transform(take_rows(samples.X, rows)),
        samples.y[rows],
        hidden_layer_sizes=about.hidden_layer_sizes if hidden is None else sizes,
        bias=about.bias,
        recipe=Recipe.read(recipe) if recipe.lower().endswith(".toml") else recipe,
        n_generations=generations,
        max_time=max_time,
        # A network without an error on the training data goes on improving on other data.
        target_fitness=None if about.bias else 1.0,
        n_iter_no_change=GA_PATIENCE if about.bias else None,
        validation_data=(
            inputs.transform(take_rows(samples.X, held_out)),
            samples.y[held_out],
        )
        if len(held_out)
        else None,
        callbacks=[
            *([] if state is None else [Checkpoint(state)]),
            _telling(inputs, rows, held_out),
        ],
        start=held,
        random_state=seed,
        verbose=_shows_bars(),
    )
    names = samples.class_names
    model = Model(
        result.weights,
        result.activation,
        result.output_activation,
        _labels(result.classes, names),
        columns=inputs.columns,
        preprocessing=inputs.preprocessing,
        extraction=samples.extraction,
        settings={**result.history.settings, "random_state": seed, "data": data},
    )
    save_model(out, model, result.history)
    print(_report_training(result))
    n_classes = model.weights[-1].shape[-1]
    print(f"{out}: {inputs.columns.sum()} of {inputs.columns.size} features, {n_classes} classes")


def _choose_seed(seed: int | None, held: State | None) -> int:
    """Return the seed of a run: a checkpoint needs one, to hold the same samples out again."""
    if seed is None and held is not None:
        seed = held.random_state
    return secrets.randbelow(2**32) if seed is None else seed


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


def _telling(inputs: Inputs, rows: NDArray[Any], held_out: NDArray[Any]) -> Callback:
    """Return what tells, before the training starts, what it is done on."""
    from ga_ann.callbacks import Callback

    class Telling(Callback):
        def on_start(self, history: History) -> None:
            if inputs.preprocessing is not None:
                share = f", {len(held_out)} held out" if len(held_out) else ""
                print(f"{len(rows)} samples to train on{share}")
                print(f"{inputs.preprocessing.describe()} (--raw takes numbers as they are)")

    return Telling()


def _fit_inputs(
    samples: Samples,
    rows: NDArray[Any],
    min_std: float | None,
    n_features: int | None,
    *,
    standardise: bool,
) -> Inputs:
    from ga_ann.datasets import fit_inputs, take_rows

    try:
        return fit_inputs(
            take_rows(samples.X, rows),
            standardise=standardise,
            min_std=min_std,
            n_features=n_features,
            label=samples.label,
        )
    except ValueError as error:
        if min_std is None and n_features is None:
            raise
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
    label: Annotated[
        str | None,
        typer.Option(metavar="NAME|NUMBER", help="Column of a table's labels [the last]."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help="text, csv or json.")
    ] = "text",
) -> None:
    """Print the class and the probability of each sample; on stderr how many are right."""
    with quitting_at_ctrl_c():
        from ga_ann.datasets import holds_samples, load_pictures, load_samples
        from ga_ann.network import lookup
        from ga_ann.storage import load_model

    write = lookup(FORMATS, form, "--format")
    network = load_model(model)
    classes = network.classes
    if classes is None:
        raise ValueError(f"{model} is a regression: ga_ann.load(path).predict(X) takes it.")
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
            label=label,
            preprocessing=network.preprocessing,
            verbose=_shows_bars(),
        )
    elif target is not None:
        raise ValueError("--target goes with DATA; pictures have no labels.")
    else:
        samples = load_pictures(inputs, network.extraction, verbose=_shows_bars())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        probabilities = network.predict_proba(samples.X)
    best = probabilities.argmax(axis=1)
    rows = [
        (name, classes[k].item(), float(row[k]))
        for name, k, row in zip(samples.names, best, probabilities, strict=True)
    ]
    write(rows)
    for warning in told:
        print(f"ga-ann: {warning.message}", file=sys.stderr)
    if score := _score(samples, classes[best], classes):
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


def _score(samples: Samples, predicted: NDArray[Any], classes: NDArray[Any]) -> str:
    """Return how many predictions are right, where the right answers are known."""
    import numpy as np

    labels = samples.labels
    if labels is None:
        return ""
    if classes.dtype.kind == "U":
        labels = labels.astype(str)  # codes such as 10 among 01, 02, ...
    known = np.isin(labels, classes)
    n_known, n_right = int(known.sum()), int((labels == predicted).sum())
    text = "no label is known to tell the accuracy"
    if n_known:
        text = f"{n_right:,} of {n_known:,} right ({100 * n_right / n_known:.2f} %)"
    if n_known == len(labels):
        return text
    unknown = [str(label) or "none" for label in dict.fromkeys(labels[~known].tolist())]
    shown = ", ".join(unknown[:5]) + ", ..." * (len(unknown) > 5)
    return f"{text}; {len(labels) - n_known:,} with labels that the model does not know: {shown}"


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
    with quitting_at_ctrl_c():
        from matplotlib.figure import Figure

        from ga_ann.plotting import plot_fitness, save_figure
        from ga_ann.storage import load_history

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
    with quitting_at_ctrl_c():
        from ga_ann.storage import describe_file

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


def _parse_names(text: str | None) -> list[str]:
    return [] if text is None else _parse_list(text, str, "--drop")


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
