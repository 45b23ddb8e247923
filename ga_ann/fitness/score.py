"""What a score is: a function of a whole population's outputs and the truth; greater is better.

Outputs have the samples on the last axis, ``(n_solutions, n_outputs, n_samples)``: reductions over
the outputs then run along contiguous memory. What each score takes and returns is said once, at
`PopulationScore`; names and values are those of scikit-learn's scorers where it has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Outputs = NDArray[Any]
Codes = NDArray[np.intp]
Targets = NDArray[Any]
Scores = NDArray[np.float64]
Weights = NDArray[Any] | None
Task = Literal["classification", "regression"]
Importance = Callable[[NDArray[Any]], NDArray[Any]]


class PopulationScore(Protocol):
    """What every score is: a function of a whole population's outputs."""

    def __call__(self, outputs: Outputs, y: Targets, sample_weight: Weights = None) -> Scores:
        """Return the score of every solution.

        Parameters
        ----------
        outputs : ndarray of shape (n_solutions, n_outputs, n_samples)
            What the networks answer. In classification there is an output a class, and the first
            index of the largest one is the prediction. **They may be overwritten**, but by a score
            that is registered with ``overwrites=False``, see `population_score`.
        y : ndarray of shape (n_samples,) or (n_outputs, n_samples)
            Classification: the classes, integers from 0 to ``n_outputs - 1``. Regression: the
            targets, one row an output.
        sample_weight : ndarray of shape (n_samples,), optional
            Weights of the samples, at least 0 and not all 0; None for equal ones. A sample of
            weight 0 counts as absent.

        Returns
        -------
        ndarray of float64, of shape (n_solutions,)
            Greater is better.
        """


FITNESS: dict[str, PopulationScore] = {}
"""Scores of classifications by name."""

REGRESSION_FITNESS: dict[str, PopulationScore] = {}
"""Scores of regressions by name."""

_F = TypeVar("_F", bound=Callable[..., Any])


def population_score(
    task: Task,
    *,
    overwrites: bool = True,
    counts_decisions: bool = False,
    importance: Importance | None = None,
) -> Callable[[_F], _F]:
    """Mark a function as a `PopulationScore`, to tell it from a metric of one solution.

    Parameters
    ----------
    task : {"classification", "regression"}
        What it scores; kept as the function's attribute `score_task`.
    overwrites : bool, default=True
        Whether it may overwrite the outputs. One that does not is given them read-only, and
        saves a copy where another score is measured on the same outputs.
    counts_decisions : bool, default=False
        Whether the outputs count by the class that they decide for alone, so that small changes of
        the weights change nothing for most samples.
    importance : callable, optional
        ``importance(shares) -> weights``: what a sample of each class counts for in the score,
        given the classes' shares of the training samples. Unless a recipe names a ranking,
        selection then ranks by the `adjusted_log_loss` of these weights. None if all samples count
        the same.

    Examples
    --------
    >>> @population_score("regression", overwrites=False)
    ... def neg_max_error(outputs, y, sample_weight=None):
    ...     return -np.abs(outputs - y).max(axis=(1, 2))
    >>> neg_max_error.score_task
    'regression'
    """
    marks: dict[str, object] = {
        "score_task": task,
        "overwrites": overwrites,
        "counts_decisions": counts_decisions,
    }
    if importance is not None:
        marks["importance"] = importance

    def mark(score: _F) -> _F:
        for name, value in marks.items():
            setattr(score, name, value)
        return score

    return mark


def named_score(task: Task, **marks: Any) -> Callable[[_F], _F]:
    """Mark a function as `population_score` does, and enter it in the table of its task."""
    table = FITNESS if task == "classification" else REGRESSION_FITNESS

    def register(score: _F) -> _F:
        table[score.__name__] = score
        return population_score(task, **marks)(score)

    return register


def mean_of_samples(values: NDArray[Any], sample_weight: Weights) -> Scores:
    """Return the (weighted) mean over the samples, the last axis."""
    means: Scores
    if sample_weight is None:
        means = values.mean(axis=-1, dtype=np.float64)
    else:
        weights = np.asarray(sample_weight, dtype=np.float64)
        means = values @ weights / weights.sum()
    return means


def outputs_of_own_class(outputs: Outputs, y: Codes) -> Outputs:
    """Return each sample's output for its own class, of shape (n_solutions, n_samples)."""
    n_samples = outputs.shape[-1]
    own: Outputs = outputs.reshape(len(outputs), -1).take(
        y * n_samples + np.arange(n_samples), axis=1
    )
    return own
