"""Options that several commands have, and those of `train`: their names, bounds and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Activation",
    "Animate",
    "Bias",
    "Bins",
    "CheckpointFile",
    "Cluster",
    "Device",
    "Drop",
    "EarlyStopping",
    "Features",
    "Generations",
    "Hidden",
    "HueRange",
    "Jobs",
    "JsonLines",
    "Label",
    "MaxTime",
    "MinStd",
    "NFeatures",
    "Overwrite",
    "Pictures",
    "Population",
    "Quiet",
    "Raw",
    "RecipeName",
    "Resume",
    "Seed",
    "Sigma",
    "Target",
    "TargetFitness",
    "Task",
    "TrackWeights",
    "TrainFitness",
    "Validation",
    "WeightSet",
]

# ---------------------------------------------------------------- the data

Target = Annotated[
    Path | None,
    typer.Option("--target", metavar="LABELS", help="Labels for DATA: .npy or .pkl."),
]
Label = Annotated[
    str | None,
    typer.Option("--label", metavar="NAME|NUMBER", help="Column of a table's labels [the last]."),
]
Drop = Annotated[
    str | None,
    typer.Option("--drop", metavar="NAMES", help="Columns of a table to leave out: id,name."),
]
Raw = Annotated[
    bool,
    typer.Option("--raw", help="Take a table's numbers as they are; no text, none missing."),
]
MinStd = Annotated[
    float | None,
    typer.Option(
        "--min-std",
        metavar="STD",
        help="Keep features of larger standard deviation [tutorial's pictures: 50, else all].",
    ),
]
NFeatures = Annotated[
    int | None,
    typer.Option(
        "--n-features",
        metavar="N",
        help="Keep so many features, those of largest deviation.",
    ),
]
Features = Annotated[
    str | None,
    typer.Option(
        "--features",
        metavar="NAME",
        help="Features of a folder of pictures: hsv (colours and brightness), hue, or tutorial "
        "[hsv].",
    ),
]
Bins = Annotated[
    int | None,
    typer.Option(
        "--bins",
        metavar="N",
        min=1,
        help="Bins of each histogram of a picture [by the number of pictures; tutorial: 360].",
    ),
]
HueRange = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="LO,HI",
        help="Hues that the bins span [0,1; tutorial: each picture's own range].",
    ),
]
Pictures = Annotated[
    Path | None,
    typer.Option(
        "--pictures",
        metavar="FOLDER",
        help="Where the samples' names are paths of pictures, for the report [DATA, if a folder].",
    ),
]
Validation = Annotated[
    float | None,
    typer.Option(
        "--validation",
        metavar="SHARE",
        help="Share of samples, of each class alike, to hold out and score; 0 trains on all "
        "[0.25].",
    ),
]

# ---------------------------------------------------------------- the network

Hidden = Annotated[
    str | None,
    typer.Option(
        "--hidden",
        metavar="SIZES",
        help="Sizes of the hidden layers, '' for none [32; pictures: 150,60].",
    ),
]
Activation = Annotated[
    str | None,
    typer.Option(
        "--activation",
        metavar="NAME",
        help="Activation of the hidden layers: relu, tanh, sigmoid, ..., or one for each, joined "
        "by commas [the recipe's].",
    ),
]
Bias = Annotated[
    bool | None,
    typer.Option(
        "--bias/--no-bias",
        help="Whether the layers have biases [yes; for pictures and the recipe tutorial: no].",
        show_default=False,
    ),
]
WeightSet = Annotated[
    str | None,
    typer.Option(
        "--weight-set",
        metavar="SET",
        help="Values that weights may have: binary, ternary, int8, or numbers such as 0,1,2 [all].",
    ),
]
Task = Annotated[
    str,
    typer.Option("--task", metavar="TASK", help="classification or regression."),
]

# ---------------------------------------------------------------- the search

TrainFitness = Annotated[
    str | None,
    typer.Option(
        "--fitness",
        metavar="NAME",
        help="Score to maximise: f1_macro, neg_log_loss, ..., or a scorer of scikit-learn "
        "[accuracy; r2 of a regression].",
    ),
]
RecipeName = Annotated[
    str,
    typer.Option(
        "--recipe", metavar="RECIPE", help="default, classic, tutorial, or a file (.toml)."
    ),
]
Population = Annotated[
    int | None,
    typer.Option("--population", metavar="N", help="Solutions a generation [the recipe's]."),
]
Sigma = Annotated[
    float | None,
    typer.Option("--sigma", metavar="SIGMA", help="Strength of the mutation [the recipe's]."),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", min=0, max=2**32 - 1, help="Seed [drawn anew each time]."),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", metavar="N", min=1, help="Number of threads [one a core]."),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Dask scheduler, tcp://HOST:PORT, whose workers measure the networks [none].",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Measure with PyTorch on cpu, cuda, cuda:1, ...; pip install 'ga-ann[gpu]' [NumPy].",
    ),
]

# ---------------------------------------------------------------- its end, and its state

Generations = Annotated[
    int | None,
    typer.Option(
        "--generations",
        metavar="N",
        min=0,
        help="Generations at most, those before --resume included [5000; the checkpoint's].",
    ),
]
MaxTime = Annotated[
    float | None,
    typer.Option("--max-time", metavar="SECONDS", help="Seconds at most [no limit]."),
]
TargetFitness = Annotated[
    float | None,
    typer.Option(
        "--target-fitness",
        metavar="SCORE",
        help="Fitness in training at which to end [none: networks go on improving on other data].",
    ),
]
EarlyStopping = Annotated[
    bool,
    typer.Option(
        "--early-stopping",
        help="Keep the network that is best on the held-out samples, and end when it stops "
        "improving.",
    ),
]
CheckpointFile = Annotated[
    Path | None,
    typer.Option("--checkpoint", metavar="FILE", help="Write the run's state there as it goes."),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="FILE",
        help="Go on from this checkpoint, and write on to it; with the same options as before.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Let --checkpoint replace the checkpoint of another run."),
]
TrackWeights = Annotated[
    bool,
    typer.Option(
        "--track-weights", help="Note in OUT how far each layer's weights move, for `report`."
    ),
]
Animate = Annotated[
    Path | None,
    typer.Option(
        "--animate",
        metavar="FILE",
        help="Show the run in a .gif: its population beside the fitness so far.",
    ),
]

# ---------------------------------------------------------------- what is told on the way

Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Tell nothing but warnings and errors; the files say it."),
]
JsonLines = Annotated[
    bool,
    typer.Option(
        "--json-lines",
        help="Print a line of JSON for each generation, and one for the result, instead of words.",
    ),
]
