"""The score that a user means, and the finer one that selection ranks by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import get_scorer_names

from ga_ann.fitness.classification import fbeta, neg_cost
from ga_ann.fitness.metrics import per_solution
from ga_ann.fitness.probabilities import adjusted_log_loss, neg_log_loss
from ga_ann.fitness.regression import neg_mean_pinball_loss, r2
from ga_ann.fitness.score import FITNESS, REGRESSION_FITNESS, PopulationScore, Task

LEAST_IMPORTANCE = 1e-3
"""Importance of a class, relative to the most important one's, that ranking uses at least."""


def resolve_fitness(
    fitness: str | Callable[..., Any], *, classes: ArrayLike | None, what: str = "fitness"
) -> PopulationScore:
    """Return the score function that a user means.

    Parameters
    ----------
    fitness : str or callable
        A name in `FITNESS` (`REGRESSION_FITNESS` without classes); a score made by `fbeta`,
        `neg_cost` or `neg_mean_pinball_loss` or marked by `population_score`; or what
        `per_solution` takes: the name of a scikit-learn scorer, a scorer, or a function
        ``f(y_true, y_pred)``, greater being better.
    classes : array-like of shape (n_classes,) or None
        The labels, in the order of the outputs; None for regression.
    what : str, default="fitness"
        What it is for, for messages.

    Returns
    -------
    PopulationScore

    Raises
    ------
    ValueError
        If the name is unknown, or the score is one of the other task.
    TypeError
        If it is neither a name nor callable, or still lacks its parameter.

    Examples
    --------
    >>> resolve_fitness("f1_macro", classes=["apple", "mango"]) is FITNESS["f1_macro"]
    True
    >>> resolve_fitness(fbeta(2), classes=["apple", "mango"])
    fbeta(2, average='macro')
    """
    task: Task = "regression" if classes is None else "classification"
    table, other = FITNESS, REGRESSION_FITNESS
    if task == "regression":
        table, other = other, table
    if isinstance(fitness, str):
        if fitness in table:
            return table[fitness]
        # Labels that are numbers can be scored as numbers, but targets have no classes.
        is_text = classes is not None and np.asarray(classes).dtype.kind not in "biuf"
        of_other = fitness in other and (task == "regression" or is_text)
        if fitness not in get_scorer_names() or of_other:
            raise ValueError(
                f"{what} must be one of {sorted(table)} or the name of a {task} scorer of "
                f"scikit-learn (sklearn.metrics.get_scorer_names()), got {fitness!r}."
            )
    elif any(fitness is maker for maker in (fbeta, neg_cost, neg_mean_pinball_loss)):
        name = fitness.__name__
        raise TypeError(f"{name} makes a {what} from a parameter: give {name}(...), not {name}.")
    elif (scored := getattr(fitness, "score_task", task)) != task:
        raise ValueError(f"{what} must be a score of {task}, got {fitness!r}, one of {scored}.")
    elif hasattr(fitness, "score_task"):
        return fitness
    return per_solution(fitness, classes)


def finer_score(
    fitness: PopulationScore, class_shares: NDArray[np.float64] | None
) -> PopulationScore:
    """Return a score that tells networks of equal fitness apart and leads to a better one.

    Parameters
    ----------
    fitness : PopulationScore
        What is to be maximised.
    class_shares : ndarray of shape (n_classes,) or None
        The classes' shares of the training samples, above 0; None for regression.

    Returns
    -------
    PopulationScore
        R2 for a regression. For a classification the log loss, which is the `adjusted_log_loss`
        if the fitness gives samples of one class more importance than those of another: balanced
        accuracy, the geometric mean of recalls, and costs.

    Examples
    --------
    >>> finer_score(FITNESS["accuracy"], np.array([0.9, 0.1])) is neg_log_loss
    True
    >>> finer_score(FITNESS["balanced_accuracy"], np.array([0.75, 0.25]))
    adjusted_log_loss([0.3333333333333333, 1.0])
    """
    if class_shares is None:
        return r2
    importance = getattr(fitness, "importance", None)
    if importance is None:
        return neg_log_loss
    weights = np.asarray(importance(class_shares), dtype=np.float64)
    if weights.max() <= 0:
        return neg_log_loss
    # A class that costs nothing to mistake would never be predicted again.
    return adjusted_log_loss(np.maximum(weights, LEAST_IMPORTANCE * weights.max()))
