"""Pools: a grid search with the cores for its fits, or for the threads inside of them."""

from functools import partial
from typing import Any

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from benchmarks.timing import median_seconds
from ga_ann import GeneticMLPClassifier

CASES = {"default": ({}, 100), "population of 1,024": ({"population_size": 1024}, 30)}
"""Parameters of the estimator, and the number of generations of a fit."""

PLACES = {
    "n_jobs=1, threads inside": (1, -1),
    "n_jobs=-1": (-1, None),
    "n_jobs=-1, threads inside asked for": (-1, -1),
}
"""The number of jobs of the search and of the estimator."""


def search(n_jobs: int, n_threads: int | None, n_generations: int, options: dict[str, Any]) -> None:
    """Search four values of sigma, three folds each, all for the same number of generations."""
    X, y = load_digits(return_X_y=True)
    model = GeneticMLPClassifier(
        (100,),
        n_generations=n_generations,
        n_iter_no_change=n_generations,
        max_time=None,
        n_jobs=n_threads,
        random_state=0,
        **options,
    )
    grid = {"sigma": [0.05, 0.1, 0.2, 0.4]}
    GridSearchCV(model, grid, cv=3, n_jobs=n_jobs, refit=False).fit(X / 16, y)


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a case and placement: seconds of a search, medians of alternating runs."""
    rows = []
    for case, (options, full) in CASES.items():
        n_generations = full // 10 if quick else full
        searches = {
            name: partial(search, *jobs, n_generations, options) for name, jobs in PLACES.items()
        }
        seconds = median_seconds(searches, repeats=1 if quick else 5)
        reference = seconds["n_jobs=1, threads inside"]
        rows += [
            {"case": case, "search": name, "seconds": t, "/ threads inside": t / reference}
            for name, t in seconds.items()
        ]
    return rows
