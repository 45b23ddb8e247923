"""`ga-ann compare`: several methods on the same splits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ga_ann.cli import options
from ga_ann.cli.shared import (
    check_class_sizes,
    check_report,
    describe_features,
    find_pictures,
    list_notes,
    parse_list,
    parse_sizes,
    picture_options,
    shows_bars,
    table_options,
    tell_command,
    telling_warnings,
)
from ga_ann.ctrl_c import INTERRUPTED, quitting_at_ctrl_c

if TYPE_CHECKING:
    from ga_ann.comparison import DataSet
    from ga_ann.datasets import Samples

__all__ = ["compare"]

SEEDS = 10
QUICK_SEEDS = 2
QUICK_BUDGETS = {"tutorial-ga": 0.5, "classic": 0.5, "ga": 1.5}
"""Seconds a run with ``compare --quick``."""


def compare(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="fruits, digits, wine, breast_cancer or diabetes; or a table or a folder of "
            "pictures as in train.",
        ),
    ] = "fruits",
    target: options.Target = None,
    label: options.Label = None,
    drop: options.Drop = None,
    raw: options.Raw = False,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="classification or regression [classification; diabetes: regression].",
        ),
    ] = None,
    fitness: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Score that all are measured by and the GAs maximise: f1_macro, neg_log_loss, "
            "..., or a scorer of scikit-learn [accuracy; r2 of a regression].",
        ),
    ] = None,
    min_std: options.MinStd = None,
    n_features: options.NFeatures = None,
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
            help="random,naive,tutorial-ga,classic,ga,adam, or some of them; of a regression "
            "random,mean,classic,ga,adam [all].",
        ),
    ] = None,
    recipe: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Recipe (.toml) of one more GA; may be repeated."),
    ] = None,
    features: options.Features = None,
    bins: options.Bins = None,
    hue_range: options.HueRange = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder for the tables and pictures."),
    ] = Path("results"),
    hidden: options.Hidden = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="What all seeds are drawn from.")
    ] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            help="Runs at a time, each in a process; they share the machine, so that what is "
            "limited by seconds gets less far [1].",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="2 seeds and small budgets.")] = False,
    quiet: options.Quiet = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write a report for the browser as well (.html); pip install 'ga-ann[report]'.",
        ),
    ] = None,
    pictures: options.Pictures = None,
) -> None:
    """Compare random weights, simple baselines, GAs and gradient descent."""
    with quitting_at_ctrl_c():
        import numpy as np

        from ga_ann import comparison as comparing
        from ga_ann.network import lookup

    if task is not None:  # refused before the data are read
        lookup(comparing.METHODS_OF, task, "--task")
    comparing.check_folder(out)
    if report is not None:
        check_report(report, data, pictures, out)
    known, samples = _choose_data(
        data,
        target,
        table_options(label, drop),
        picture_options(features, bins, hue_range),
        raw=raw,
        verbose=shows_bars() and not quiet,
    )
    about = comparing.DATASETS[known] if isinstance(known, str) else known
    task = task or about.task
    of_task = comparing.METHODS_OF[task]
    if task == "classification" and "holdout" in (split or about.splits):
        column = None if samples is None else samples.label
        check_class_sizes(np.asarray(about.load()["target"]), "give --split all", column)
    comparison = comparing.compare(
        data=known,
        splits=split,
        hidden_layer_sizes=None if hidden is None else parse_sizes(hidden),
        min_std=min_std,
        n_features=n_features,
        methods=_choose_methods(methods, recipe or [], of_task),
        task=task,
        fitness=fitness,
        seeds=seeds or (QUICK_SEEDS if quick else SEEDS),
        budgets={k: t for k, t in QUICK_BUDGETS.items() if k in of_task} if quick else None,
        n_jobs=jobs,
        track_weights=report is not None,
        random_state=seed,
        verbose=shows_bars() and not quiet,
    )
    if not comparison.rows:
        raise KeyboardInterrupt
    if not quiet:
        if samples is not None:
            for line in describe_features(samples) + list_notes(samples, task, fitness):
                print(line)
        comparing.print_comparison(comparison)
    written = comparing.write_report(comparison, out)
    if report is not None:
        from ga_ann.report import save_report

        folder = find_pictures(pictures, data)
        save_report(report, comparison, pictures=folder, command=tell_command(context))
    if not quiet:
        print(f"{len(written)} files in {out}: {', '.join(path.name for path in written)}")
        if report is not None:
            print(report)
    if comparison.interrupted:
        raise typer.Exit(INTERRUPTED)


def _choose_methods(
    names: str | None, files: Sequence[Path], of_task: Iterable[str]
) -> list[str] | dict[str, Any]:
    """Return the methods known by name and those of the recipes, named after their files."""
    from ga_ann.evolution import Recipe

    chosen = list(of_task) if names is None else parse_list(names, str, "--methods")
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
    name: str,
    target: Path | None,
    of_table: dict[str, Any],
    of_pictures: dict[str, Any],
    *,
    raw: bool,
    verbose: bool,
) -> tuple[str | DataSet, Samples | None]:
    """Return the data set that is known by this name, or the one in a file or a folder."""
    from ga_ann.comparison import DATASETS, DataSet
    from ga_ann.datasets import FRUITS, holds_samples, load_samples

    known = "fruits" if name == FRUITS else name
    if known in DATASETS:
        if target is not None:
            raise ValueError(f"--target goes with a .npy or .pkl file of features, got {name}.")
        if of_table or raw:
            raise ValueError(f"--label, --drop and --raw go with a table, got {name}.")
        if of_pictures:
            raise ValueError(f"{sorted(of_pictures)} go with a folder of pictures, got {name}.")
        return known, None
    if not holds_samples(name) and not Path(name).exists():
        raise ValueError(
            f"--data must be one of {sorted(DATASETS)}, or a table or a folder, got {name!r}."
        )
    samples = telling_warnings(
        load_samples, name, target, extraction=of_pictures or None, **of_table, verbose=verbose
    )
    return DataSet.of_samples(Path(name).name, samples, raw=raw), samples
