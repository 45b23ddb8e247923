"""What a score is: a function of a whole population's outputs and the truth; greater is better.

Outputs have the samples on the last axis, ``(n_solutions, n_outputs, n_samples)``: reductions over
the outputs then run along contiguous memory. What each score takes and returns is said once, at
`PopulationScore`; names and values are those of scikit-learn's scorers where it has them.

The built-in scores are written against the array API standard: they take NumPy's arrays or those
of another library, on any device, and nothing in them waits for the device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ga_ann.arrays import as_type, namespace_of

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
    any_array: bool = False,
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
    any_array : bool, default=False
        Whether it is written against the Python array API standard and takes, and returns, arrays
        of whatever library and device the outputs have. One that does not is given NumPy copies
        where networks are measured on a device, which is right, but slower.
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
        "any_array": any_array,
    }
    if importance is not None:
        marks["importance"] = importance

    def mark(score: _F) -> _F:
        for name, value in marks.items():
            setattr(score, name, value)
        return score

    return mark


def named_score(task: Task, **marks: Any) -> Callable[[_F], _F]:
    """Mark a built-in score as `population_score` does, and enter it in the table of its task."""
    table = FITNESS if task == "classification" else REGRESSION_FITNESS

    def register(score: _F) -> _F:
        table[score.__name__] = score
        return population_score(task, any_array=True, **marks)(score)

    return register


def mean_of_last(values: NDArray[Any]) -> Scores:
    """Return the mean over the last axis, in double precision."""
    xp = namespace_of(values)
    means: Scores = xp.sum(values, axis=-1, dtype=xp.float64) / values.shape[-1]
    return means


def mean_of_samples(values: NDArray[Any], sample_weight: Weights) -> Scores:
    """Return the (weighted) mean over the samples, the last axis."""
    if sample_weight is None:
        return mean_of_last(values)
    xp = namespace_of(values)
    weights = as_type(sample_weight, xp.float64)
    means: Scores = as_type(values, xp.float64) @ weights / xp.sum(weights)
    return means


def outputs_of_own_class(outputs: Outputs, y: Codes) -> Outputs:
    """Return each sample's output for its own class, of shape (n_solutions, n_samples)."""
    xp, (n_solutions, _, n_samples) = namespace_of(outputs), outputs.shape
    rows = xp.reshape(outputs, (n_solutions, -1))
    own: Outputs = xp.take(rows, y * n_samples + xp.arange(n_samples, device=y.device), axis=1)
    return own


def is_own_class(outputs: Outputs, y: Codes) -> NDArray[np.bool_]:
    """Return which output is that of each sample's own class, of shape (n_classes, n_samples)."""
    codes = namespace_of(outputs).arange(outputs.shape[1], device=outputs.device)
    own: NDArray[np.bool_] = codes[:, None] == y
    return own
