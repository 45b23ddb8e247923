"""Generalisation: held-out scores of the estimator and of gradient descent on the same splits."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, make_scorer
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import compute_sample_weight
from threadpoolctl import threadpool_limits

from benchmarks.data_sets import FIRST_SEED, Split, rotation
from ga_ann import GeneticMLPClassifier
from ga_ann.fitness import neg_cost

COST = np.array([[0, 1], [10, 0]])  # a malignant tumour that is missed costs ten false alarms
Metric = Callable[[Any, Any], float]


def f1_macro(y_true: Any, y_pred: Any) -> float:
    """Return the mean of the classes' F1."""
    return float(f1_score(y_true, y_pred, average="macro"))


def mean_cost(y_true: Any, y_pred: Any) -> float:
    """Return minus the mean cost of a decision."""
    return -float(COST[y_true, y_pred].mean())


# --------------------------------------------------------------------------------- data sets


def hold_out(load: Callable[..., Any], seed: int, share: float = 0.25) -> Iterator[Split]:
    """Hold out a stratified share, another one for each seed."""
    X, y = load(return_X_y=True)
    parts = train_test_split(X, y, test_size=share, stratify=y, random_state=seed)
    yield parts[0], parts[2], parts[1], parts[3]


def five_folds(load: Callable[..., Any], seed: int) -> Iterator[Split]:
    """Five stratified folds, shuffled by the seed."""
    X, y = load(return_X_y=True)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y):
        yield X[train], y[train], X[test], y[test]


def imbalanced(seed: int, shares: list[float], n_classes: int) -> Iterator[Split]:
    """Synthetic classes of unequal sizes, with some labels wrong."""
    X, y = make_classification(
        4000,
        n_features=20,
        n_informative=8,
        n_classes=n_classes,
        n_clusters_per_class=2,
        weights=shares,
        flip_y=0.01,
        class_sep=1.2,
        random_state=seed,
    )
    parts = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    yield parts[0], parts[2], parts[1], parts[3]


# ----------------------------------------------------------------------------------- methods


def genetic(hidden: tuple[int, ...], **options: Any) -> Callable[[int], BaseEstimator]:
    """Return a maker of our estimator, scaled inputs included."""
    return lambda seed: make_pipeline(
        StandardScaler(), GeneticMLPClassifier(hidden, random_state=seed, n_jobs=-1, **options)
    )


def gradient(hidden: tuple[int, ...]) -> Callable[[int], BaseEstimator]:
    """Return a maker of scikit-learn's network, trained by Adam with its defaults."""
    return lambda seed: make_pipeline(
        StandardScaler(), MLPClassifier(hidden, max_iter=1000, random_state=seed)
    )


def balanced_gradient(hidden: tuple[int, ...]) -> Callable[[int], BaseEstimator]:
    """Return a maker of the same with balanced sample weights."""
    return lambda seed: _Balanced(gradient(hidden)(seed))


def tuned_gradient(hidden: tuple[int, ...]) -> Callable[[int], BaseEstimator]:
    """Return a maker of the same with its threshold tuned to the cost."""
    return lambda seed: TunedThresholdClassifierCV(
        gradient(hidden)(seed), scoring=make_scorer(mean_cost), random_state=seed
    )


class _Balanced:
    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def fit(self, X: Any, y: Any) -> "_Balanced":
        weight = compute_sample_weight("balanced", y)
        self.pipeline.fit(X, y, mlpclassifier__sample_weight=weight)
        return self

    def predict(self, X: Any) -> Any:
        return self.pipeline.predict(X)


def plain(make: Callable[[int], Any]) -> Callable[[int], Any]:
    """Return a maker of the last step of a pipeline alone: inputs as they are."""
    return lambda seed: make(seed).steps[-1][1]


def _tasks(seconds: float) -> Iterator[tuple[str, Callable[[int], Iterable[Split]], Metric, dict]]:
    """Yield name, splits, metric and methods of each task."""
    for axis in (0, 1):
        yield (
            f"fruits, trained on axis {axis}: accuracy",
            lambda seed, axis=axis: [rotation(axis)],
            accuracy_score,
            {
                "GA": plain(genetic((150, 60))),
                "GA, ternary weights": plain(genetic((150, 60), weight_set="ternary")),
                "Adam": plain(gradient((150, 60))),
            },
        )
    long = {"max_time": seconds, "n_generations": 10**6, "n_iter_no_change": 10**6}
    yield (
        f"digits, {seconds:g} s: accuracy",
        lambda seed: hold_out(load_digits, seed),
        accuracy_score,
        {
            "GA": genetic((32,), **long),
            "GA, log loss as the fitness": genetic((32,), fitness="neg_log_loss", **long),
            f"GA, accuracy alone, {seconds / 2:g} s": genetic(
                (32,), ranking="fitness", **long | {"max_time": seconds / 2}
            ),
            "GA, step activation": genetic((32,), activation="step", **long),
            "GA, ternary weights": genetic((32,), weight_set="ternary", **long),
            "GA, defaults": genetic((32,)),
            "Adam": gradient((32,)),
        },
    )
    for name, load, hidden in (
        ("breast cancer", load_breast_cancer, (30,)),
        ("wine", load_wine, (16,)),
    ):
        yield (
            f"{name}, 5 folds: accuracy",
            lambda seed, load=load: five_folds(load, seed),
            accuracy_score,
            {"GA": genetic(hidden), "Adam": gradient(hidden)},
        )
    for name, shares, n_classes, fitness, metric in (
        ("10:1", [10 / 11], 2, "f1_macro", f1_macro),
        ("50:5:1:1", [0.877, 0.088, 0.0175], 4, "balanced_accuracy", balanced_accuracy_score),
    ):
        yield (
            f"imbalanced {name}: {fitness}",
            lambda seed, shares=shares, k=n_classes: imbalanced(seed, shares, k),
            metric,
            {
                "GA": genetic((32,), fitness=fitness),
                "Adam": gradient((32,)),
                "Adam, balanced": balanced_gradient((32,)),
            },
        )
    yield (
        "breast cancer, a miss costs 10: minus mean cost",
        lambda seed: _with_malignant_as_one(seed),
        mean_cost,
        {
            "GA": genetic((30,), fitness=neg_cost(COST)),
            "Adam": gradient((30,)),
            "Adam, threshold tuned": tuned_gradient((30,)),
        },
    )


def _with_malignant_as_one(seed: int) -> Iterator[Split]:
    for X, y, X_test, y_test in five_folds(load_breast_cancer, seed):
        yield X, 1 - y, X_test, 1 - y_test


def measure(*, quick: bool = False, seeds: int = 10, seconds: float = 20.0) -> list[dict[str, Any]]:
    """Return a row a task and method: median, lowest and highest score, and seconds a fit."""
    numbers = range(FIRST_SEED, FIRST_SEED + (2 if quick else seeds))
    rows = []
    for task, splits, metric, methods in _tasks(seconds / 10 if quick else seconds):
        for name, make in methods.items():
            scores, times = zip(
                *(score_and_seconds(make, splits, metric, seed) for seed in numbers), strict=True
            )
            rows.append(
                {
                    "task": task,
                    "method": name,
                    "median": float(np.median(scores)),
                    "lowest": min(scores),
                    "highest": max(scores),
                    "seconds a fit": float(np.median(times)),
                }
            )
            print(rows[-1], flush=True)
    return rows


def score_and_seconds(
    make: Callable[[int], Any],
    splits: Callable[[int], Iterable[Split]],
    metric: Metric,
    seed: int,
) -> tuple[float, float]:
    """Return the mean score over the folds, and the mean seconds of a fit."""
    scores, times = [], []
    for X, y, X_test, y_test in splits(seed):
        model = make(seed)
        start = perf_counter()
        with warnings.catch_warnings(), threadpool_limits(limits=1, user_api="blas"):
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        times.append(perf_counter() - start)
        scores.append(metric(y_test, model.predict(X_test)))
    return float(np.mean(scores)), float(np.mean(times))
