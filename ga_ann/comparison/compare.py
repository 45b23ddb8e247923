"""Baseline, genetic algorithm and gradient descent on the same splits, over several seeds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ga_ann.comparison.methods import METHODS, Job
from ga_ann.comparison.summary import paired_differences
from ga_ann.datasets import load_fruits360, select_by_std
from ga_ann.fitness import PopulationScore, resolve_fitness
from ga_ann.history import History
from ga_ann.network import lookup
from ga_ann.validation import check_hidden_layer_sizes, check_number, check_training

__all__ = [
    "DATASETS",
    "SPLITS",
    "Comparison",
    "DataSet",
    "Split",
    "compare",
]

Array = NDArray[Any]
Indices = NDArray[np.intp]


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
        raise ValueError(
            "the split 'rotation' needs groups, one value a sample, and these data have none; use "
            "'holdout'."
        )
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


# ---------------------------------------------------------------- data sets


class DataSet(NamedTuple):
    """A data set that `compare` knows by name, and how networks are trained on it.

    Attributes
    ----------
    label : str
        What it is called in captions.
    load : callable
        ``load() -> Bunch`` of ``data``, ``target``, ``target_names`` and, where there are such,
        ``groups`` and ``picture_names``.
    splits : tuple of str
        Names in `SPLITS`.
    hidden_layer_sizes : tuple of int
        Sizes of the hidden layers.
    min_std : float or None
        Features of a smaller standard deviation over the training part are left out.
    standardise : bool
        Whether the features are standardised by the training part.
    """

    label: str
    load: Callable[[], Any]
    splits: tuple[str, ...] = ("holdout",)
    hidden_layer_sizes: tuple[int, ...] = (32,)
    min_std: float | None = None
    standardise: bool = True


DATASETS: dict[str, DataSet] = {
    "fruits": DataSet("Fruits-360", load_fruits360, ("rotation",), (150, 60), 50.0, False),
    "digits": DataSet("Digits", load_digits),
    "wine": DataSet("Wine", load_wine),
    "breast_cancer": DataSet("Breast cancer", load_breast_cancer),
}
"""The data sets by name:

``"fruits"``
    `load_fruits360` as in the tutorial: features of a standard deviation above 50, hidden layers of
    150 and 60; trained on one axis of rotation and tested on the other.
``"digits"``, ``"wine"``, ``"breast_cancer"``
    Those of scikit-learn: all features, standardised by the training part; one hidden layer of 32;
    a quarter held out.
"""


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
        ``train_score``, ``held_out_score``
            The fitness, the score that `settings` name. NaN where it is not defined; the second
            one for the split ``"all"``, too.
        ``train_accuracy``, ``held_out_accuracy``
            Shares, 0 to 1, of right predictions, whatever the fitness; the second is NaN for the
            split ``"all"``.
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
        scaled = "standardised by the training part" if s["standardise"] else ""
        kept = f"the {s['n_features']} features of largest std" if s["n_features"] else ""
        if s["min_std"] is not None and not kept:
            kept = f"features with std > {s['min_std']:g}"
        parts = [
            f"{s['data']}: {len(self.y)} samples",
            (f"{kept} in the training part" if kept else "all features")
            + (f", {scaled}" if scaled else ""),
            f"hidden layers {'-'.join(map(str, s['hidden_layer_sizes'])) or 'none'}",
            *([] if s["fitness"] == "accuracy" else [f"fitness {s['fitness']}"]),
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

    def differences(self) -> list[dict[str, Any]]:
        """Return `paired_differences` to the GA, or to the first method where it has no row."""
        methods = self.methods()
        if not methods:
            return []
        reference = "ga" if "ga" in methods else methods[0]
        return paired_differences(self.rows, reference, random_state=self.settings["random_state"])


def compare(
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    data: str | None = None,
    target_names: Sequence[str] | None = None,
    sample_names: Sequence[str] | None = None,
    methods: Iterable[str] | None = None,
    splits: Iterable[str] | None = None,
    seeds: int = 5,
    fitness: str | Callable[..., Any] = "accuracy",
    hidden_layer_sizes: int | Iterable[int] | None = None,
    min_std: float | None = None,
    n_features: int | None = None,
    standardise: bool | None = None,
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
        The samples; finite numbers. None, the default, takes those that `data` names.
    y : array-like of shape (n_samples,), optional
        Their classes, at least two different ones.
    groups : array-like of shape (n_samples,), optional
        Two different values; the split ``"rotation"`` trains on one and tests on the other.
    data : str, optional
        Without `X`, a name in `DATASETS`, with its groups and names and the settings that are said
        there; ``"fruits"`` by default. With `X`, what the data are called in captions;
        ``"own data"`` by default.
    target_names : sequence of str, optional
        Names of the classes, in the order of their sorted labels; the labels by default.
    sample_names : sequence of str, optional
        Names of the samples; their numbers from 0 by default.
    methods : iterable of str, optional
        Names in `METHODS`; all of them by default.
    splits : iterable of {"rotation", "holdout", "all"}, optional
        See `SPLITS`. The reports' figures are about the first one. By default ``"rotation"`` where
        there are groups, else ``"holdout"``.
    seeds : int, default=5
        Number of seeds, at least 1. Intervals of the differences take at least 3, see
        `paired_differences`.
    fitness : str or callable, default="accuracy"
        What all methods are measured by, and the GAs maximise: a name in `FITNESS`, or anything
        else that `resolve_fitness` takes for a classification; greater is better.
    hidden_layer_sizes : int or iterable of int, optional
        Sizes of the hidden layers, for all methods; a single number is one layer. (150, 60) by
        default, and (32,) for the data sets that are not the fruits.
    min_std : float, optional
        Keep the features whose standard deviation over the training part is greater; all of them
        by default, and 50 for the fruits.
    n_features : int, optional
        Keep this many features instead, those of largest standard deviation.
    standardise : bool, optional
        Whether to bring the features to mean 0 and standard deviation 1 over the training part.
        By default the data sets that are not the fruits are, and `X` is not.
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
    if splits is not None:
        splits = _check_names(splits, SPLITS, "splits")
    limits = _check_budgets({} if budgets is None else budgets, methods)
    check_number(seeds, "seeds", Integral, low=1)
    if standardise is not None and not isinstance(standardise, (bool, np.bool_)):
        raise TypeError(f"standardise must be True, False or None, got {standardise!r}.")
    preset = DataSet(
        data or "own data",
        dict,
        splits=("holdout",) if groups is None else ("rotation",),
        hidden_layer_sizes=(150, 60),
        standardise=False,
    )
    if X is None:
        if any(given is not None for given in (y, groups, target_names, sample_names)):
            raise ValueError("y, groups and names describe X; give X too, or none of them.")
        preset = lookup(DATASETS, "fruits" if data is None else data, "data")
        known = preset.load()
        X, y, groups = known.data, known.target, known.get("groups")
        target_names, sample_names = known.target_names, known.get("picture_names")
        min_std = preset.min_std if min_std is None and n_features is None else min_std
    hidden = check_hidden_layer_sizes(
        preset.hidden_layer_sizes if hidden_layer_sizes is None else hidden_layer_sizes
    )
    X, y, classes, names = _check_data(X, y, target_names)
    score = _check_fitness(fitness, classes, y)
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
    kinds = list(preset.splits if splits is None else splits)
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
            "data": preset.label,
            "methods": methods,
            "splits": kinds,
            "n_seeds": int(seeds),
            "random_state": entropy,
            "seeds": seed_values,
            "fitness": getattr(score, "__name__", repr(score)),
            "hidden_layer_sizes": list(hidden),
            "min_std": min_std,
            "n_features": n_features,
            "standardise": bool(preset.standardise if standardise is None else standardise),
            "budgets": limits,
        },
    )
    finished = _run_all(comparison, X, score, verbose=verbose)
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
) -> tuple[Array, Indices, Array, list[str]]:
    """Return the samples, their classes counted from 0, the labels, and what these are called."""
    if y is None:
        raise ValueError("y must be given with X, got None.")
    samples, codes, classes = check_training(X, y)
    names = [str(name) for name in (classes if target_names is None else target_names)]
    if len(names) != len(classes):
        raise ValueError(
            f"target_names must hold {len(classes)} names, one a class, got {len(names)}: {names}."
        )
    return samples, codes, classes, names


def _check_fitness(
    fitness: str | Callable[..., Any], classes: Array, y: Indices
) -> PopulationScore:
    """Return the score, and refuse one that does not even know faultless predictions."""
    faultless = np.eye(len(classes))[:, y]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        trial = resolve_fitness(fitness, classes=classes)
        score = _measure(trial, faultless.T, y)
    if np.isnan(score):
        reasons = " ".join(str(warning.message) for warning in told)
        raise ValueError(f"fitness must be a score of these data, got NaN from it. {reasons}")
    # Anew, since a score warns of its first failure only.
    return resolve_fitness(fitness, classes=classes)


def _measure(score: PopulationScore, outputs: Array, y: Indices) -> float:
    """Return the score of one network's outputs, of shape (n_samples, n_classes)."""
    # Scores may overwrite what they are given, so they get a copy.
    return float(score(np.array(outputs.T[None], dtype=np.float64, order="C"), y)[0])


def _check_length(values: ArrayLike, n_samples: int, what: str) -> Array:
    checked = np.asarray(values)
    if checked.shape != (n_samples,):
        raise ValueError(
            f"{what} must have shape ({n_samples},), one a sample, got {checked.shape}."
        )
    return checked


def _as_interrupted(comparison: Comparison) -> Comparison:
    return Comparison(**{**vars(comparison), "interrupted": True})


def _run_all(comparison: Comparison, X: Array, score: PopulationScore, *, verbose: bool) -> bool:
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
                if not _run_one(comparison, X, score, split, method):
                    return False
                bar.update()
        except KeyboardInterrupt:
            return False
    return True


def _run_one(
    comparison: Comparison, X: Array, score: PopulationScore, split: Split, method: str
) -> bool:
    """Train and measure one method on one split; return False if Ctrl-C ended the training."""
    s, y_train, y_test = comparison.settings, comparison.y[split.train], comparison.y[split.test]
    X_train, X_test = _parts(X, split, standardise=s["standardise"])
    job = Job(
        X_train,
        y_train,
        n_classes=len(comparison.target_names),
        hidden_layer_sizes=tuple(s["hidden_layer_sizes"]),
        max_time=s["budgets"][method],
        random_state=s["seeds"][split.seed],
        fitness=score,
    )
    started = perf_counter()
    trained = METHODS[method].train(job)
    seconds = perf_counter() - started
    if trained.stop_reason == "interrupted":
        return False
    train_score = _measure(score, trained.predict_scores(X_train), y_train)
    held_out_score = _measure(score, trained.predict_scores(X_test), y_test)
    predicted = trained.predict(X_test)
    right = predicted == y_test
    is_held_out = split.kind != "all"
    row = {
        "method": method,
        "split": split.name,
        "seed": split.seed,
        "train_score": train_score,
        "held_out_score": held_out_score if is_held_out else float("nan"),
        "train_accuracy": float((trained.predict(X_train) == y_train).mean()),
        "held_out_accuracy": float(right.mean()) if is_held_out else float("nan"),
        "n_wrong": int((~right).sum()),
        "evaluations": trained.history.last["evaluations"],
        "seconds": seconds,
        "stop_reason": trained.stop_reason,
    }
    key = (method, split.name, split.seed)
    comparison.histories[key] = _in_terms_of(trained.history, s["fitness"], train_score)
    comparison.histories[key].label = comparison.label(method)
    comparison.predictions[key] = predicted
    comparison.rows.append(row)
    return True


def _parts(X: Array, split: Split, *, standardise: bool) -> tuple[Array, Array]:
    """Return the training and the test part with the features that the split keeps."""
    X_train, X_test = X[split.train][:, split.columns], X[split.test][:, split.columns]
    if not standardise:
        return X_train, X_test
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test)


def _in_terms_of(history: History, fitness: str, score: float) -> History:
    """Return a History of this fitness; of one that measured another score only the end is left."""
    if history.metric == fitness:
        return history
    end = History(metric=fitness, settings=history.settings)
    end.append(**{**history.last, "best_fitness": score, "mean_fitness": float("nan")})
    return end
