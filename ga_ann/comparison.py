"""Baseline, genetic algorithm and gradient descent on the same splits, over several seeds."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral, Real
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ga_ann.baseline import train_naive
from ga_ann.datasets import load_fruits360, select_by_std
from ga_ann.evolution import evolve
from ga_ann.files import check_target, replacing
from ga_ann.history import History
from ga_ann.network import lookup
from ga_ann.plotting import plot_comparison, plot_confusion, plot_fitness, render_figure
from ga_ann.validation import check_hidden_layer_sizes, check_number, check_training

__all__ = [
    "MEASURES",
    "METHODS",
    "SPLITS",
    "Comparison",
    "Method",
    "Split",
    "Trained",
    "check_folder",
    "compare",
    "summarise",
    "write_report",
]

MEASURES = ("train_accuracy", "held_out_accuracy", "n_wrong", "evaluations", "seconds")
"""What a row of a `Comparison` measures; see there."""

COLUMNS = ("method", "split", "seed", *MEASURES, "stop_reason")

MISCLASSIFIED_SHOWN = 60
"""Names that the list of misclassified samples gives for a method at most."""

Array = NDArray[Any]
Indices = NDArray[np.intp]


# ---------------------------------------------------------------- methods


class Trained(NamedTuple):
    """What a method returns: a classifier, and what it took to get it.

    Attributes
    ----------
    predict : callable
        ``predict(X) -> labels``.
    history : History
        What was measured on the way; its last row tells the evaluations.
    stop_reason : str
        Why training ended; ``"interrupted"`` after Ctrl-C.
    """

    predict: Callable[[ArrayLike], Array]
    history: History
    stop_reason: str


class Method(NamedTuple):
    """One of the methods that are compared.

    Attributes
    ----------
    label : str
        Its name in tables and legends.
    train : callable
        ``train(X, y, hidden_layer_sizes, max_time, random_state) -> Trained``.
    max_time : float or None
        Its budget for one run in seconds; None where it ends by itself.
    """

    label: str
    train: Callable[[Array, Array, tuple[int, ...], float | None, int], Trained]
    max_time: float | None = None


def _train_random(
    X: Array, y: Array, hidden: tuple[int, ...], max_time: float | None, random_state: int
) -> Trained:
    # No iteration of the naive training: exactly the weights that it would start from.
    result = train_naive(X, y, hidden_layer_sizes=hidden, n_iterations=0, random_state=random_state)
    return Trained(result.predict, result.history, result.stop_reason)


def _train_naive(
    X: Array, y: Array, hidden: tuple[int, ...], max_time: float | None, random_state: int
) -> Trained:
    result = train_naive(X, y, hidden_layer_sizes=hidden, random_state=random_state)
    return Trained(result.predict, result.history, result.stop_reason)


def _train_tutorial_ga(
    X: Array, y: Array, hidden: tuple[int, ...], max_time: float | None, random_state: int
) -> Trained:
    result = evolve(
        X,
        y,
        hidden_layer_sizes=hidden,
        recipe="tutorial",
        max_time=max_time,
        random_state=random_state,
    )
    return Trained(result.predict, result.history, result.stop_reason)


def _train_ga(
    X: Array, y: Array, hidden: tuple[int, ...], max_time: float | None, random_state: int
) -> Trained:
    # A network without an error on the training data goes on improving on other data.
    result = evolve(
        X,
        y,
        hidden_layer_sizes=hidden,
        target_fitness=None,
        n_iter_no_change=50,
        max_time=max_time,
        random_state=random_state,
    )
    return Trained(result.predict, result.history, result.stop_reason)


def _train_adam(
    X: Array, y: Array, hidden: tuple[int, ...], max_time: float | None, random_state: int
) -> Trained:
    # Raw counts of pixels make Adam stumble; one common factor leaves their proportions alone.
    scale = X.std() or 1.0
    model = MLPClassifier(hidden, random_state=random_state)
    started = perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # scikit-learn turns Ctrl-C into a warning and returns the network as it is.
        warnings.filterwarnings("error", message="Training interrupted")
        try:
            model.fit(X / scale, y)
        except UserWarning as error:
            raise KeyboardInterrupt from error
    history = History(settings={"hidden_layer_sizes": list(hidden), "solver": "adam"})
    accuracy = float(model.score(X / scale, y))
    history.append(
        generation=model.n_iter_,
        evaluations=model.n_iter_,
        seconds=perf_counter() - started,
        best_fitness=accuracy,
        n_samples=len(X),
    )
    reason = "max_iter" if model.n_iter_ == model.max_iter else "converged"
    return Trained(lambda samples: model.predict(np.divide(samples, scale)), history, reason)


METHODS: dict[str, Method] = {
    "random": Method("random weights", _train_random),
    "naive": Method("naive training", _train_naive),
    "tutorial-ga": Method("tutorial's GA", _train_tutorial_ga, 2.0),
    "ga": Method("GA", _train_ga, 10.0),
    "adam": Method("Adam", _train_adam),
}
"""The methods by name:

``"random"``
    The weights that the naive training starts from.
``"naive"``
    `train_naive`, as in the tutorial.
``"tutorial-ga"``
    `evolve` with ``recipe="tutorial"``, for as long as the budget allows.
``"ga"``
    `evolve` with its defaults, until its log loss on the training data stops falling (50
    generations without an improvement) or as long as the budget allows.
``"adam"``
    scikit-learn's `MLPClassifier` with its defaults (gradient descent by Adam, biases), on samples
    divided by their standard deviation over the whole training part, one number. Its
    evaluations are its epochs, each of which costs a backward pass as well.
"""


# ---------------------------------------------------------------- splits


@dataclass(frozen=True, eq=False)
class Split:
    """Which samples train and which test; all methods get the same one.

    Attributes
    ----------
    kind : str
        A name in `SPLITS`.
    name : str
        The same, with the direction where there are several: ``"rotation 0->1"``.
    seed : int
        Number of the seed, from 0.
    train, test : ndarray of int
        Indices of the samples. With ``"all"`` they are the same.
    columns : ndarray of bool, of shape (n_features,)
        The features that the filter keeps; it sees the training part alone.
    """

    kind: str
    name: str
    seed: int
    train: Indices
    test: Indices
    columns: NDArray[np.bool_]


Parts = Iterator[tuple[str, Indices, Indices]]


def _split_all(y: Indices, groups: Array | None, random_state: int) -> Parts:
    yield "all", np.arange(len(y)), np.arange(len(y))


def _split_holdout(y: Indices, groups: Array | None, random_state: int) -> Parts:
    train, test = train_test_split(
        np.arange(len(y)), test_size=0.25, stratify=y, random_state=random_state
    )
    yield "holdout", np.sort(train), np.sort(test)


def _split_rotation(y: Indices, groups: Array | None, random_state: int) -> Parts:
    if groups is None:
        raise ValueError("the split 'rotation' needs groups, one value a sample; got None.")
    values = np.unique(groups)
    if len(values) != 2:
        raise ValueError(
            f"the split 'rotation' needs groups of exactly two values, got {values.tolist()}."
        )
    for a, b in (values, values[::-1]):
        yield f"rotation {a}->{b}", np.flatnonzero(groups == a), np.flatnonzero(groups == b)


SPLITS: dict[str, Callable[[Indices, Array | None, int], Parts]] = {
    "all": _split_all,
    "holdout": _split_holdout,
    "rotation": _split_rotation,
}
"""The splits by name:

``"all"``
    Trained and measured on all samples, as in the tutorial; there is no held-out accuracy.
``"holdout"``
    A quarter of each class is held out, another quarter for each seed.
``"rotation"``
    Trained on one group and tested on the other, in both directions.
"""


def _make_splits(
    kinds: Sequence[str],
    X: Array,
    y: Indices,
    groups: Array | None,
    seeds: Sequence[int],
    **filter_options: Any,
) -> list[Split]:
    """Draw the splits of all seeds, and refuse those that cannot be learned from."""
    splits = []
    for number, seed in enumerate(seeds):
        for kind in kinds:
            for name, train, test in SPLITS[kind](y, groups, seed):
                if len(np.unique(y[train])) < 2:
                    raise ValueError(
                        f"the training part of the split {name!r} must hold at least 2 classes, "
                        "got 1; use another split."
                    )
                columns = select_by_std(X[train], **filter_options)
                splits.append(Split(kind, name, number, train, test, columns))
    return splits


# ---------------------------------------------------------------- comparison

Key = tuple[str, str, int]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` returns.

    Attributes
    ----------
    rows : list of dict
        One for each method, split and seed that was finished, with the keys

        ``method``, ``split``, ``seed``
            A name in `METHODS`, the `Split`'s name, the seed's number from 0.
        ``train_accuracy``, ``held_out_accuracy``
            Shares, 0 to 1, of right predictions; the second is NaN for the split ``"all"``.
        ``n_wrong``
            Number of wrong predictions on the held-out part (for ``"all"`` on all samples).
        ``evaluations``
            Networks evaluated, in units of the whole training part; epochs for ``"adam"``.
        ``seconds``
            What training took.
        ``stop_reason``
            Why it ended.
    splits : dict
        The `Split` by (name, seed).
    histories : dict
        The `History` of each run by (method, split, seed).
    predictions : dict
        Indices into `target_names`, predicted for the test part, by (method, split, seed).
    y : ndarray of int, of shape (n_samples,)
        The right answers, indices into `target_names`.
    target_names, sample_names : list of str
        What the classes and the samples are called.
    settings : dict
        What the comparison was started with.
    interrupted : bool
        Whether Ctrl-C ended it; the run that it hit is left out.
    """

    rows: list[dict[str, Any]]
    splits: dict[tuple[str, int], Split]
    histories: dict[Key, History]
    predictions: dict[Key, Indices]
    y: Indices
    target_names: list[str]
    sample_names: list[str]
    settings: dict[str, Any]
    interrupted: bool = False

    @property
    def caption(self) -> str:
        """The settings in a sentence or two."""
        s = self.settings
        budgets = [f"{METHODS[m].label} {t:g} s" for m, t in s["budgets"].items() if t]
        kept = f"the {s['n_features']} features of largest std" if s["n_features"] else ""
        if s["min_std"] is not None and not kept:
            kept = f"features with std > {s['min_std']:g}"
        parts = [
            f"{s['data']}: {len(self.y)} samples",
            f"{kept} in the training part" if kept else "all features",
            f"hidden layers {'-'.join(map(str, s['hidden_layer_sizes'])) or 'none'}",
            f"{s['n_seeds']} seed{'s' * (s['n_seeds'] != 1)}",
            f"time limits: {', '.join(budgets)}" if budgets else "no time limits",
        ]
        return "; ".join(parts) + ("; interrupted" if self.interrupted else "") + "."

    def methods(self) -> list[str]:
        """Return the methods that have a row, in the order in which they were asked for."""
        done = {row["method"] for row in self.rows}
        return [name for name in self.settings["methods"] if name in done]

    def label(self, method: str) -> str:
        """Return a method's name for legends, with its budget."""
        budget = self.settings["budgets"].get(method)
        return METHODS[method].label + (f", {budget:g} s" if budget else "")


def compare(
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    data: str | None = None,
    target_names: Sequence[str] | None = None,
    sample_names: Sequence[str] | None = None,
    methods: Iterable[str] | None = None,
    splits: Iterable[str] = ("rotation",),
    seeds: int = 5,
    hidden_layer_sizes: int | Iterable[int] = (150, 60),
    min_std: float | None = None,
    n_features: int | None = None,
    budgets: Mapping[str, float] | None = None,
    random_state: int | np.random.Generator | None = 0,
    verbose: bool = False,
) -> Comparison:
    """Train with several methods on the same splits, over several seeds.

    A seed stands for one split of the data and one source of randomness; within it all methods
    get the same training part. Ctrl-C ends the comparison and keeps the runs that are finished.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), optional
        The samples; finite numbers. None, the default, takes the fruits (`load_fruits360`), with
        their groups and names, and the tutorial's filter.
    y : array-like of shape (n_samples,), optional
        Their classes, at least two different ones.
    groups : array-like of shape (n_samples,), optional
        Two different values; the split ``"rotation"`` trains on one and tests on the other.
    data : str, optional
        What the data are called in captions; ``"own data"`` by default.
    target_names : sequence of str, optional
        Names of the classes, in the order of their sorted labels; the labels by default.
    sample_names : sequence of str, optional
        Names of the samples; their numbers from 0 by default.
    methods : iterable of str, optional
        Names in `METHODS`; all of them by default.
    splits : iterable of {"rotation", "holdout", "all"}, default=("rotation",)
        See `SPLITS`. The reports' figures are about the first one.
    seeds : int, default=5
        Number of seeds, at least 1.
    hidden_layer_sizes : int or iterable of int, default=(150, 60)
        Sizes of the hidden layers, for all methods; a single number is one layer.
    min_std : float, optional
        Keep the features whose standard deviation over the training part is greater; all of them
        by default, and 50 for the fruits.
    n_features : int, optional
        Keep this many features instead, those of largest standard deviation.
    budgets : mapping of str to float, optional
        Seconds that one run may take, by method, instead of those in `METHODS`; above 0.
    random_state : int, numpy.random.Generator or None, default=0
        What the seeds are drawn from. Runs that end by their time budget differ from machine to
        machine all the same.
    verbose : bool, default=False
        Whether to show a progress bar with the method, the split and the seed.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If a name is unknown, a number is out of its range, or the data cannot be learned from or
        split; before any work.
    TypeError
        If a parameter is of the wrong type.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> comparison = compare(
    ...     X, y, methods=["random", "naive"], splits=["holdout"], seeds=2, hidden_layer_sizes=(8,)
    ... )
    >>> [(row["method"], row["seed"]) for row in comparison.rows]
    [('random', 0), ('naive', 0), ('random', 1), ('naive', 1)]
    >>> random, naive = comparison.rows[:2]
    >>> random["train_accuracy"] == naive["train_accuracy"]
    True
    """
    methods = _check_names(METHODS if methods is None else methods, METHODS, "methods")
    kinds = _check_names(splits, SPLITS, "splits")
    limits = _check_budgets({} if budgets is None else budgets, methods)
    check_number(seeds, "seeds", Integral, low=1)
    hidden = check_hidden_layer_sizes(hidden_layer_sizes)
    if X is None:
        if any(given is not None for given in (y, groups, target_names, sample_names)):
            raise ValueError("y, groups and names describe X; give X too, or none of them.")
        fruits = load_fruits360()
        X, y, groups = fruits.data, fruits.target, fruits.groups
        target_names, sample_names = fruits.target_names, fruits.picture_names
        data = data or "Fruits-360"
        min_std = 50.0 if min_std is None and n_features is None else min_std
    X, y, names = _check_data(X, y, target_names)
    if groups is not None:
        groups = _check_length(groups, len(X), "groups")
    samples = _check_length(
        np.arange(len(X)) if sample_names is None else sample_names, len(X), "sample_names"
    )
    entropy = (
        int(random_state)
        if isinstance(random_state, Integral)
        else int(np.random.default_rng(random_state).integers(2**32))
    )
    children = np.random.SeedSequence(entropy).spawn(seeds)
    seed_values = [int(child.generate_state(1)[0]) for child in children]
    planned = _make_splits(kinds, X, y, groups, seed_values, min_std=min_std, n_features=n_features)
    comparison = Comparison(
        rows=[],
        splits={(split.name, split.seed): split for split in planned},
        histories={},
        predictions={},
        y=y,
        target_names=names,
        sample_names=[str(name) for name in samples],
        settings={
            "data": data or "own data",
            "methods": methods,
            "splits": kinds,
            "n_seeds": int(seeds),
            "random_state": entropy,
            "seeds": seed_values,
            "hidden_layer_sizes": list(hidden),
            "min_std": min_std,
            "n_features": n_features,
            "budgets": limits,
        },
    )
    finished = _run_all(comparison, X, hidden, verbose=verbose)
    return comparison if finished else _as_interrupted(comparison)


def _check_names(given: Iterable[str], table: Mapping[str, Any], what: str) -> list[str]:
    if isinstance(given, str):
        raise TypeError(f"{what} must be a list of names, got the string {given!r}.")
    names = list(given)
    for name in names:
        lookup(table, name, f"each of {what}")
    if not names or len(set(names)) != len(names):
        raise ValueError(f"{what} must name at least one of {list(table)}, each once; got {names}.")
    return names


def _check_budgets(budgets: Mapping[str, float], methods: Sequence[str]) -> dict[str, float | None]:
    if not isinstance(budgets, Mapping):
        raise TypeError(f"budgets must map methods to seconds, got {budgets!r}.")
    limited = {name: None for name, method in METHODS.items() if method.max_time is not None}
    for name, seconds in budgets.items():
        lookup(limited, name, "a budget's method")
        check_number(seconds, f"budgets[{name!r}]", Real, above=0)
    return {name: budgets.get(name, METHODS[name].max_time) for name in methods}


def _check_data(
    X: ArrayLike, y: ArrayLike | None, target_names: Sequence[str] | None
) -> tuple[Array, Indices, list[str]]:
    """Return the samples, the classes counted from 0, and what these are called."""
    if y is None:
        raise ValueError("y must be given with X, got None.")
    samples, codes, classes = check_training(X, y)
    names = [str(name) for name in (classes if target_names is None else target_names)]
    if len(names) != len(classes):
        raise ValueError(
            f"target_names must hold {len(classes)} names, one a class, got {len(names)}: {names}."
        )
    return samples, codes, names


def _check_length(values: ArrayLike, n_samples: int, what: str) -> Array:
    checked = np.asarray(values)
    if checked.shape != (n_samples,):
        raise ValueError(
            f"{what} must have shape ({n_samples},), one a sample, got {checked.shape}."
        )
    return checked


def _as_interrupted(comparison: Comparison) -> Comparison:
    return Comparison(**{**vars(comparison), "interrupted": True})


def _run_all(comparison: Comparison, X: Array, hidden: tuple[int, ...], *, verbose: bool) -> bool:
    """Do the runs one after another; return False if Ctrl-C ended them early."""
    s = comparison.settings
    plan = [(split, method) for split in comparison.splits.values() for method in s["methods"]]
    # With smoothing=0 the time left follows from the mean of all runs, quick and slow ones.
    # One thread of BLAS: the matrices are small, threads that wait for each other are slow on a
    # busy machine, and the seconds of the methods compare.
    with (
        threadpool_limits(1, user_api="blas"),
        tqdm(total=len(plan), unit="run", smoothing=0, leave=False, disable=not verbose) as bar,
    ):
        try:
            for split, method in plan:
                bar.set_description(f"{method}, {split.name}, seed {split.seed}")
                if not _run_one(comparison, X, hidden, split, method):
                    return False
                bar.update()
        except KeyboardInterrupt:
            return False
    return True


def _run_one(
    comparison: Comparison, X: Array, hidden: tuple[int, ...], split: Split, method: str
) -> bool:
    """Train and measure one method on one split; return False if Ctrl-C ended the training."""
    y, s = comparison.y, comparison.settings
    X_train, X_test = X[split.train][:, split.columns], X[split.test][:, split.columns]
    started = perf_counter()
    trained = METHODS[method].train(
        X_train, y[split.train], hidden, s["budgets"][method], s["seeds"][split.seed]
    )
    seconds = perf_counter() - started
    if trained.stop_reason == "interrupted":
        return False
    predicted = trained.predict(X_test)
    right = predicted == y[split.test]
    trained.history.label = comparison.label(method)
    row = {
        "method": method,
        "split": split.name,
        "seed": split.seed,
        "train_accuracy": float((trained.predict(X_train) == y[split.train]).mean()),
        "held_out_accuracy": float("nan") if split.kind == "all" else float(right.mean()),
        "n_wrong": int((~right).sum()),
        "evaluations": trained.history.last["evaluations"],
        "seconds": seconds,
        "stop_reason": trained.stop_reason,
    }
    key = (method, split.name, split.seed)
    comparison.histories[key] = trained.history
    comparison.predictions[key] = predicted
    comparison.rows.append(row)
    return True


def summarise(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the median, minimum and maximum over the seeds, a method and split.

    Parameters
    ----------
    rows : iterable of mapping
        `Comparison.rows`.

    Returns
    -------
    list of dict
        With ``split``, ``method``, ``n_seeds``, and for each of `MEASURES` a dict of ``median``,
        ``min`` and ``max``; split after split, in the order of the rows.

    Examples
    --------
    >>> about = {"method": "ga", "split": "all", "n_wrong": 0, "evaluations": 9, "seconds": 1.0}
    >>> rows = [
    ...     {**about, "train_accuracy": a, "held_out_accuracy": float("nan")} for a in (1.0, 0.5)
    ... ]
    >>> summarise(rows)[0]["train_accuracy"]
    {'median': 0.75, 'min': 0.5, 'max': 1.0}
    """
    cells: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in rows:
        cells.setdefault(row["split"], {}).setdefault(row["method"], []).append(row)
    return [
        {"split": split, "method": method, "n_seeds": len(seeds)}
        | {measure: _spread([row[measure] for row in seeds]) for measure in MEASURES}
        for split, by_method in cells.items()
        for method, seeds in by_method.items()
    ]


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        name: float(reduce(values))
        for name, reduce in (("median", np.median), ("min", np.min), ("max", np.max))
    }


# ---------------------------------------------------------------- report


def check_folder(folder: str | os.PathLike[str]) -> Path:
    """Return a folder to write to as a path; it need not exist yet.

    Raises
    ------
    NotADirectoryError
        If it, or a folder on the way to it, is a file.
    OSError
        If nothing can be written there.
    """
    path = Path(folder)
    nearest = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(f"{nearest} is a file; a folder is needed to write to.")
    check_target(nearest / "comparison.csv")
    return path


def write_report(comparison: Comparison, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the tables and the pictures of a comparison.

    Parameters
    ----------
    comparison : Comparison
        At least one finished run.
    folder : path
        Where to; it is created if missing, and files of the same names are replaced.

    Returns
    -------
    list of pathlib.Path
        ``comparison.csv``, the rows; ``comparison.json``, the rows, their summary, the versions
        and the settings; ``misclassified.md``, the names of the samples that each method got
        wrong; ``comparison.png``; ``fitness.png``, the curves of all seeds with their median; and
        ``confusion_METHOD.png``, counts over all seeds. The pictures are about the first kind of
        split.

    Raises
    ------
    TypeError
        If `comparison` is no `Comparison`.
    ValueError
        If there is no row.
    OSError
        If the folder cannot be written to.
    """
    if not isinstance(comparison, Comparison):
        raise TypeError(f"comparison must be a Comparison, got {comparison!r}.")
    target = check_folder(folder)
    if not comparison.rows:
        raise ValueError("the comparison has no finished run to report.")
    # All contents are complete before the first file is written.
    contents = {
        "comparison.csv": _to_csv(comparison.rows).encode(),
        "comparison.json": _to_json(comparison).encode(),
        "misclassified.md": _list_misclassified(comparison).encode(),
        "comparison.png": render_figure(_draw_comparison(comparison), "png"),
        "fitness.png": render_figure(_draw_fitness(comparison), "png"),
    }
    for method in comparison.methods():
        figure = _draw_confusion(comparison, method)
        contents[f"confusion_{method}.png"] = render_figure(figure, "png")
    target.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        with replacing(target / name) as file:
            file.write(content)
    return [target / name for name in contents]


def _to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _to_json(comparison: Comparison) -> str:
    held = {
        "caption": comparison.caption,
        "settings": comparison.settings,
        "interrupted": comparison.interrupted,
        "versions": _versions(),
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "rows": comparison.rows,
        "summary": summarise(comparison.rows),
    }
    return json.dumps(_without_nan(held), indent=2, allow_nan=False) + "\n"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("ga-ann", "numpy", "pygad", "scikit-learn"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # a checkout that is not installed
            versions[name] = "not installed"
    return versions


def _without_nan(value: Any) -> Any:
    """Return the value with null for NaN, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _headline(comparison: Comparison) -> list[str]:
    """Return the names of the splits of the first kind that has rows."""
    done = {row["split"] for row in comparison.rows}
    names = {name: split.kind for (name, _), split in comparison.splits.items() if name in done}
    first = next(iter(names.values()))
    return [name for name, kind in names.items() if kind == first]


def _list_misclassified(comparison: Comparison) -> str:
    """Return a Markdown document: a table of names for each method, most often wrong first."""
    lines = ["# Misclassified samples", "", comparison.caption, ""]
    lines += [f"Split: {', '.join(_headline(comparison))}.", ""]
    for method in comparison.methods():
        lines += [f"## {comparison.label(method)}", "", *_tabulate_wrong(comparison, method), ""]
    return "\n".join(lines)


def _tabulate_wrong(comparison: Comparison, method: str) -> list[str]:
    runs: Counter[int] = Counter()
    wrong: Counter[int] = Counter()
    taken_for: dict[int, set[str]] = {}
    for indices, predicted in _headline_predictions(comparison, method):
        runs.update(indices.tolist())
        for k in np.flatnonzero(predicted != comparison.y[indices]):
            sample = int(indices[k])
            wrong[sample] += 1
            taken_for.setdefault(sample, set()).add(comparison.target_names[predicted[k]])
    if not wrong:
        return [f"None of {len(runs)}."]
    ranked = sorted(wrong, key=lambda k: (-wrong[k], k))
    rows = [
        f"| {comparison.sample_names[k]} | {comparison.target_names[comparison.y[k]]} "
        f"| {', '.join(sorted(taken_for[k]))} | {wrong[k]} of {runs[k]} |"
        for k in ranked[:MISCLASSIFIED_SHOWN]
    ]
    left = len(ranked) - len(rows)
    return [
        f"{len(ranked)} of {len(runs)} samples were wrong at least once.",
        "",
        "| sample | class | taken for | wrong in |",
        "| --- | --- | --- | --- |",
        *rows,
        *(["", f"... and {left} more."] if left else []),
    ]


def _headline_predictions(comparison: Comparison, method: str) -> list[tuple[Indices, Indices]]:
    """Return the tested samples and what they were taken for, run after run."""
    names = _headline(comparison)
    return [
        (comparison.splits[name, seed].test, predicted)
        for (done, name, seed), predicted in comparison.predictions.items()
        if done == method and name in names
    ]


def _unbroken_caption(comparison: Comparison) -> str:
    """Return the caption with spaces that do not break between a number and its unit."""
    return re.sub(r"(?<=[0-9]) (?=s\b)", "\N{NO-BREAK SPACE}", comparison.caption)


def _draw_confusion(comparison: Comparison, method: str) -> Figure:
    runs = _headline_predictions(comparison, method)
    tested = np.concatenate([comparison.y[indices] for indices, _ in runs])
    predicted = np.concatenate([classes for _, classes in runs])
    names = np.array(comparison.target_names)
    n_wrong = int((tested != predicted).sum())
    figure = Figure(figsize=(5, 5.2), layout="constrained")
    plot_confusion(
        names[tested],
        names[predicted],
        figure.subplots(),
        labels=names,
        title=f"{comparison.label(method)}: {n_wrong:,} of {len(tested):,} wrong",
        caption=f"Sum over {len(runs)} runs, split {', '.join(_headline(comparison))}. "
        + _unbroken_caption(comparison),
    )
    return figure


def _draw_comparison(comparison: Comparison) -> Figure:
    rows = [{**row, "method": comparison.label(row["method"])} for row in comparison.rows]
    n_splits = len({row["split"] for row in rows})
    height = 2 + 0.24 * max(2, n_splits) * len(comparison.methods())
    figure = Figure(figsize=(7.2, height), layout="constrained")
    plot_comparison(rows, figure.subplots(), caption=_unbroken_caption(comparison))
    return figure


def _draw_fitness(comparison: Comparison) -> Figure:
    names = _headline(comparison)
    figure = Figure(figsize=(4.6 * len(names) + 1, 4.8), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for ax, name in zip(panels, names, strict=True):
        curves: dict[str, list[History]] = {}
        for (method, split, _), history in comparison.histories.items():
            if split == name:
                curves.setdefault(comparison.label(method), []).append(history)
        plot_fitness(curves, ax, x="evaluations", caption=False)
        ax.get_legend().remove()
        ax.set_title(name, fontsize="medium")
        ax.label_outer()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    text = f"Thin: each seed; thick: their median. {_unbroken_caption(comparison)}"
    figure.supxlabel(
        textwrap.fill(text, 65 * len(names)), fontsize=7.5, color="0.35", parse_math=False
    )
    return figure
