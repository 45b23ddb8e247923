"""The comparison: several methods on the same splits of the same data, over several seeds."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.parallel import Parallel, delayed

from ga_ann.comparison.data_sets import DataSet, adjust, check_samples, choose_data_set
from ga_ann.comparison.methods import METHODS_OF, Method, resolve_methods
from ga_ann.comparison.run import Plan, Run, check_fitness, do_run
from ga_ann.comparison.splits import Split, make_splits
from ga_ann.comparison.summary import paired_differences
from ga_ann.counter import Counter
from ga_ann.evolution import Recipe
from ga_ann.history import History
from ga_ann.network import lookup
from ga_ann.validation import check_number

__all__ = ["Comparison", "compare"]

Array = NDArray[Any]
Indices = NDArray[np.intp]
Key = tuple[str, str, int]
Task = tuple[Plan, Split, str, Method, float | None, int]
"""What `do_run` takes."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` returns.

    Attributes
    ----------
    rows : list of dict
        One for each method, split and seed that was finished, with the keys

        ``method``, ``split``, ``seed``
            A name in `METHODS` or a label given, the `Split`'s name, the seed's number from 0.
        ``train_score``, ``held_out_score``
            The fitness, the score that `settings` name. NaN where it is not defined; the second
            one for the split ``"all"``, too.
        ``train_accuracy``, ``held_out_accuracy``
            Shares, 0 to 1, of right predictions, whatever the fitness; the second is NaN for the
            split ``"all"``.
        ``n_wrong``
            Number of wrong predictions on the held-out part (for ``"all"`` on all samples).
        ``train_rmse``, ``held_out_rmse``
            Of a regression, in the place of the last three: roots of the mean squared errors, in
            units of the targets; the second is NaN for the split ``"all"``.
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
        Indices into `target_names`, or numbers, predicted for the test part, by (method, split,
        seed).
    y : ndarray of shape (n_samples,)
        The right answers: indices into `target_names`, or the targets of a regression.
    target_names, sample_names : list of str
        What the classes and the samples are called; there are no classes in a regression.
    settings : dict
        What the comparison was started with.
    interrupted : bool
        Whether Ctrl-C ended it; the runs that it hit are left out.
    """

    rows: list[dict[str, Any]]
    splits: dict[tuple[str, int], Split]
    histories: dict[Key, History]
    predictions: dict[Key, Array]
    y: Array
    target_names: list[str]
    sample_names: list[str]
    settings: dict[str, Any]
    interrupted: bool = False

    def methods(self) -> list[str]:
        """Return the methods that have a row, in the order in which they were asked for."""
        done = {row["method"] for row in self.rows}
        return [name for name in self.settings["methods"] if name in done]

    def headline(self) -> list[str]:
        """Return the names of the splits of the first kind that has rows: the figures' subject."""
        done = {row["split"] for row in self.rows}
        kinds = {name: split.kind for (name, _), split in self.splits.items() if name in done}
        first = next(iter(kinds.values()), None)
        return [name for name, kind in kinds.items() if kind == first]

    def tested(self, method: str) -> list[tuple[Indices, Array]]:
        """Return the samples that a method was tested on and their predictions, run after run.

        Of the splits in `headline`.
        """
        names = self.headline()
        return [
            (self.splits[name, seed].test, predicted)
            for (done, name, seed), predicted in self.predictions.items()
            if done == method and name in names
        ]

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
    data: str | DataSet | None = None,
    target_names: Sequence[str] | None = None,
    sample_names: Sequence[str] | None = None,
    methods: Iterable[str] | Mapping[str, str | Recipe | Method] | None = None,
    splits: Iterable[str] | None = None,
    seeds: int = 10,
    task: str | None = None,
    fitness: str | Callable[..., Any] | None = None,
    hidden_layer_sizes: int | Iterable[int] | None = None,
    min_std: float | None = None,
    n_features: int | None = None,
    standardise: bool | None = None,
    budgets: Mapping[str, float] | None = None,
    n_jobs: int | None = None,
    track_weights: bool = False,
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
        Their classes, at least two different ones; or, for a regression, numbers.
    groups : array-like of shape (n_samples,), optional
        Two different values; the split ``"rotation"`` trains on one and tests on the other.
    data : str or DataSet, optional
        Without `X`, a name in `DATASETS` or a `DataSet`, with its groups and names and the settings
        that are said there; ``"fruits"`` by default. With `X`, what the data are called in
        captions; ``"own data"`` by default.
    target_names : sequence of str, optional
        Names of the classes, in the order of their sorted labels; the labels by default.
    sample_names : sequence of str, optional
        Names of the samples; their numbers from 0 by default.
    methods : iterable of str, or mapping of str to str, Recipe or Method, optional
        Names in `METHODS` (`REGRESSION_METHODS` for a regression); all of them by default. A
        mapping gives methods labels, and takes recipes, trained like ``"ga"``:
        ``{"ga": "ga", "careful": Recipe(sigma=0.1)}``.
    splits : iterable of {"rotation", "holdout", "all"}, optional
        See `SPLITS`. The reports' figures are about the first one. By default ``"rotation"`` where
        there are groups, else ``"holdout"``.
    seeds : int, default=10
        Number of seeds, at least 1. Intervals of the differences take at least 3, see
        `paired_differences`.
    task : {"classification", "regression"}, optional
        What `y` holds: labels, or numbers. By default the data set's, and a classification of `X`.
    fitness : str or callable, optional
        What all methods are measured by, and the GAs maximise: a name in `FITNESS`
        (`REGRESSION_FITNESS` for a regression), or anything else that `resolve_fitness` takes for
        the task; greater is better. None is ``"accuracy"``, or ``"r2"`` for a regression.
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
    n_jobs : int, optional
        Number of runs at a time, by joblib; -1 for one a core. None means 1 outside of a
        `joblib.parallel_config`, which also chooses who does them: processes (``"loky"``, the
        default), ``"threading"``, a cluster (``"dask"``; ``"ray"`` is not tested). The rows come in
        the same order, with the same bits where the method ends by itself; runs that are limited by
        seconds share the machine, and get less far in them, so that comparisons by time are for
        one at a time.
    track_weights : bool, default=False
        Whether the Histories of the GAs note how their weights move, see `WeightMovement`: for
        `save_report`.
    random_state : int, numpy.random.Generator or None, default=0
        What the seeds are drawn from. Runs that end by their time budget differ from machine to
        machine all the same.
    verbose : bool, default=False
        Whether to show how many runs are finished, with the method, the split and the seed
        of the one at hand (with several at a time, of the one that was finished last).

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If a name is unknown, a number is out of its range, or the data cannot be learned from or
        split, or are those of the other task; before any work.
    TypeError
        If a parameter is of the wrong type, or a method or the fitness cannot be sent to the
        processes that `n_jobs` asks for.

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

    A regression, against the mean of the targets:

    >>> regression = compare(data="diabetes", methods=["mean", "adam"], seeds=1)
    >>> mean, adam = (row["held_out_rmse"] for row in regression.rows)
    >>> adam < mean
    True
    """
    known = choose_data_set(X, y, groups, data, target_names, sample_names, task)
    known = adjust(known, task, splits, hidden_layer_sizes, min_std, n_features, standardise)
    chosen = resolve_methods(methods, known.task)
    limits = _check_budgets({} if budgets is None else budgets, chosen, known.task)
    check_number(seeds, "seeds", Integral, low=1)
    n_runs_at_a_time = _count_jobs(n_jobs)
    samples = check_samples(known.load(), known.task)
    score = check_fitness(fitness, samples.labels, samples.y)
    plan = Plan(samples, known, score, bool(track_weights))
    if n_runs_at_a_time > 1:
        _check_sendable(plan.fitness, chosen)
    entropy, seed_values = _draw_seeds(random_state, seeds)
    planned = make_splits(
        known.splits,
        *(samples.X, samples.y, samples.groups),
        seed_values,
        min_std=known.min_std,
        n_features=n_features,
        standardise=known.standardise,
    )
    tasks = [
        (plan, split, name, method, limits[name], seed_values[split.seed])
        for split in planned
        for name, method in chosen.items()
    ]
    runs = _do_runs(tasks, n_runs_at_a_time, verbose=verbose)
    keys = [(run.row["method"], run.row["split"], run.row["seed"]) for run in runs]
    return Comparison(
        rows=[run.row for run in runs],
        splits={(split.name, split.seed): split for split in planned},
        histories=dict(zip(keys, (run.history for run in runs), strict=True)),
        predictions=dict(zip(keys, (run.predicted for run in runs), strict=True)),
        y=samples.y,
        target_names=samples.target_names,
        sample_names=samples.names,
        settings={
            "data": known.label,
            "unit": known.unit,
            "groups": dict(known.groups),
            "methods": list(chosen),
            "labels": {name: method.label for name, method in chosen.items()},
            "splits": list(known.splits),
            "n_seeds": int(seeds),
            "random_state": entropy,
            "seeds": seed_values,
            "task": known.task,
            "fitness": plan.fitness_name,
            "hidden_layer_sizes": list(known.hidden_layer_sizes),
            "min_std": known.min_std,
            "n_features": n_features,
            "standardise": known.standardise,
            "bias": known.bias,
            "budgets": limits,
            "n_jobs": n_runs_at_a_time,
        },
        interrupted=len(runs) < len(tasks),
    )


def _check_budgets(
    budgets: Mapping[str, float], methods: Mapping[str, Method], task: str
) -> dict[str, float | None]:
    if not isinstance(budgets, Mapping):
        raise TypeError(f"budgets must map methods to seconds, got {budgets!r}.")
    known = {**METHODS_OF[task], **methods}
    limited = {name: None for name, method in known.items() if method.max_time is not None}
    for name, seconds in budgets.items():
        lookup(limited, name, "a budget's method")
        check_number(seconds, f"budgets[{name!r}]", Real, above=0)
    return {name: budgets.get(name, method.max_time) for name, method in methods.items()}


def _draw_seeds(
    random_state: int | np.random.Generator | None, n_seeds: int
) -> tuple[int, list[int]]:
    """Return what the seeds are drawn from, and the seeds; more of them begin with the fewer."""
    entropy = (
        int(random_state)
        if isinstance(random_state, Integral)
        else int(np.random.default_rng(random_state).integers(2**32))
    )
    children = np.random.SeedSequence(entropy).spawn(n_seeds)
    return entropy, [int(child.generate_state(1)[0]) for child in children]


def _count_jobs(n_jobs: int | None) -> int:
    if n_jobs is not None:
        check_number(n_jobs, "n_jobs", Integral)
        if n_jobs == 0:
            raise ValueError("n_jobs must be a number of runs, or -1 for one a core; got 0.")
    return int(joblib.effective_n_jobs(n_jobs))


def _check_sendable(fitness: object, methods: Mapping[str, Method]) -> None:
    """Refuse what cannot be pickled, unless threads do the runs."""
    if getattr(get_active_backend()[0], "supports_sharedmem", False):
        return
    named = {"fitness": fitness} | {f"the method {name!r}": m for name, m in methods.items()}
    for what, value in named.items():
        try:
            pickle.dumps(joblib.wrap_non_picklable_objects(value))  # as joblib's pools do
        except Exception as error:  # any that a __reduce__ raises
            raise TypeError(
                f"{what} must be something that can be pickled, to be sent to other processes; got "
                f"{type(error).__name__}: {error}. Make what it holds (a lock, an open file) where "
                "it is used, or take n_jobs=1."
            ) from error


def _do_runs(tasks: Sequence[Task], n_jobs: int, *, verbose: bool) -> list[Run]:
    """Do the runs, until Ctrl-C; those that it hits are left out."""
    runs: dict[int, Run] = {}
    with Counter(len(tasks), "comparing", "runs", verbose=verbose) as counter:
        done = (
            _one_by_one(tasks, counter)
            if n_jobs == 1
            else _several_at_a_time(tasks, n_jobs, counter)
        )
        try:
            for number, run in done:
                runs[number] = run
                counter.step()
        except KeyboardInterrupt:
            pass
    return [runs[number] for number in sorted(runs)]


def _one_by_one(tasks: Sequence[Task], counter: Counter) -> Iterator[tuple[int, Run]]:
    # Without joblib, which Ctrl-C and SIGTERM would be meant for, see `is_one_of_many`.
    for number, task in enumerate(tasks):
        _, split, name, *_ = task
        counter.tell(f"{name}, {split.name}, seed {split.seed}")
        yield number, do_run(*task)


def _several_at_a_time(
    tasks: Sequence[Task], n_jobs: int, counter: Counter
) -> Iterator[tuple[int, Run]]:
    """Yield the runs as they end: what is finished is kept, whichever run Ctrl-C hits."""
    pool = Parallel(n_jobs, return_as="generator_unordered", batch_size=1)
    for number, run in pool(delayed(_do_numbered)(*one) for one in enumerate(tasks)):
        counter.note = "{method}, {split}, seed {seed}".format_map(run.row)
        yield number, run
        counter.tell(counter.note)


def _do_numbered(number: int, task: Task) -> tuple[int, Run]:
    return number, do_run(*task)
