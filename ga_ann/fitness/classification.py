"""Scores of classifications from the predicted classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ga_ann.arrays import as_type, namespace_of
from ga_ann.fitness.score import (
    FITNESS,
    Codes,
    Outputs,
    PopulationScore,
    Scores,
    Weights,
    is_own_class,
    mean_of_samples,
    named_score,
    outputs_of_own_class,
    population_score,
)
from ga_ann.validation import check_number

Average = Literal["macro", "weighted", "binary"]


@named_score("classification", overwrites=False, counts_decisions=True)
def accuracy(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the share of samples whose largest output stands for their class.

    Examples
    --------
    >>> outputs = np.array([[[0.9, 0.2], [0.1, 0.8]], [[0.9, 0.8], [0.1, 0.2]]])
    >>> accuracy(outputs, np.array([0, 1]))
    array([1. , 0.5])
    """
    xp = namespace_of(outputs)
    largest = xp.max(outputs, axis=1, keepdims=True)
    right = outputs_of_own_class(outputs, y) == largest[:, 0, :]
    is_largest = outputs == largest
    if xp is not np:  # to ask whether there are ties would wait for the device
        right = right & ~xp.any(is_largest & _comes_before(outputs, y), axis=1)
    elif np.count_nonzero(is_largest) != right.size:  # ties, of which the first index wins
        right = outputs.argmax(axis=1) == y
    if sample_weight is not None:
        return mean_of_samples(right, sample_weight)
    shares: Scores = as_type(xp.count_nonzero(right, axis=1), xp.float64) / y.shape[0]
    return shares


def _comes_before(outputs: Outputs, y: Codes) -> NDArray[np.bool_]:
    """Return which outputs win ties against each sample's own, of shape (n_classes, n_samples)."""
    codes = namespace_of(outputs).arange(outputs.shape[1], device=outputs.device)
    before: NDArray[np.bool_] = codes[:, None] < y
    return before


def confusion_counts(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the confusion matrix of every solution.

    Parameters
    ----------
    outputs, y, sample_weight
        See `PopulationScore`.

    Returns
    -------
    ndarray of float64, of shape (n_solutions, n_classes, n_classes)
        Number, or total weight, of the samples of each true class (rows) that were given each
        class (columns).

    Examples
    --------
    >>> outputs = np.array([[[0.9, 0.2, 0.7], [0.1, 0.8, 0.3]]])
    >>> confusion_counts(outputs, np.array([0, 1, 1]))[0]
    array([[1., 0.],
           [1., 1.]])
    """
    n_solutions, n_classes, _ = outputs.shape
    if namespace_of(outputs) is not np:
        return _multiply_counts(outputs, y, sample_weight)
    cells = _predict(outputs).astype(np.intp)
    cells += y * n_classes
    cells += np.arange(n_solutions)[:, None] * n_classes**2
    weights = None if sample_weight is None else np.broadcast_to(sample_weight, cells.shape).ravel()
    counts = np.bincount(cells.ravel(), weights, minlength=n_solutions * n_classes**2)
    return counts.astype(np.float64, copy=False).reshape(n_solutions, n_classes, n_classes)


def _multiply_counts(outputs: Outputs, y: Codes, sample_weight: Weights) -> Scores:
    """Return the same as a product: the standard counts nothing, and devices multiply well."""
    xp, n_classes = namespace_of(outputs), outputs.shape[1]
    codes = xp.arange(n_classes, device=outputs.device)[:, None]
    is_largest = outputs == xp.max(outputs, axis=1, keepdims=True)
    # Not argmax, which is very slow along this axis on PyTorch's CPUs.
    first = xp.min(xp.where(is_largest, codes, n_classes), axis=1, keepdims=True)
    true = as_type(is_own_class(outputs, y), xp.float64)
    if sample_weight is not None:
        true *= as_type(sample_weight, xp.float64)
    counts: Scores = true @ xp.matrix_transpose(as_type(first == codes, xp.float64))
    return counts


def _predict(outputs: Outputs) -> NDArray[Any]:
    """Return the first index of the largest output, of shape (n_solutions, n_samples)."""
    # argmax along an axis in the middle copies the whole array; this is faster, several times with
    # many samples.
    n_classes = outputs.shape[1]
    largest = outputs[:, 0].copy()
    predicted = np.zeros(largest.shape, np.uint8 if n_classes <= 256 else np.intp)
    for code in range(1, n_classes):
        larger = outputs[:, code] > largest
        np.maximum(largest, outputs[:, code], out=largest)
        np.maximum(predicted, larger * predicted.dtype.type(code), out=predicted)
    return predicted


class _Table:
    """The confusion matrices' margins, a row a solution."""

    def __init__(self, outputs: Outputs, y: Codes, sample_weight: Weights) -> None:
        self.xp = xp = namespace_of(outputs)
        counts = confusion_counts(outputs, y, sample_weight)
        self.hits = xp.linalg.diagonal(counts)
        self.true = xp.sum(counts, axis=2)
        self.predicted = xp.sum(counts, axis=1)
        self.total = xp.sum(self.true, axis=1)

    @property
    def recalls(self) -> Scores:
        return _ratio(self.hits, self.true)

    def mean_of_true(self, values: Scores) -> Scores:
        """Return the mean over the classes that the truth has, of values that are 0 elsewhere."""
        means: Scores = self.xp.sum(values, axis=1) / _count(self.true)
        return means


def _count(values: Scores) -> Scores:
    """Return how many values of each row are not 0."""
    xp = namespace_of(values)
    numbers: Scores = xp.sum(as_type(values != 0, xp.float64), axis=1)
    return numbers


def _ratio(part: Scores, whole: Scores) -> Scores:
    """Return ``part / whole``, and 0 where the whole is 0."""
    xp = namespace_of(part)
    ratios: Scores = xp.where(whole != 0, part / xp.where(whole != 0, whole, 1.0), 0.0)
    return ratios


@named_score("classification", overwrites=False, counts_decisions=True, importance=np.reciprocal)
def balanced_accuracy(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the mean recall of the classes; those that `y` lacks are left out.

    Examples
    --------
    >>> balanced_accuracy(np.array([[[1, 1, 1], [0, 0, 0]]]), np.array([0, 0, 1]))
    array([0.5])
    """
    table = _Table(outputs, y, sample_weight)
    return table.mean_of_true(table.recalls)


@named_score("classification", overwrites=False, counts_decisions=True, importance=np.reciprocal)
def g_mean(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return the geometric mean of the classes' recalls; classes that `y` lacks are left out.

    It is 0 as soon as one class is never recognised.

    Examples
    --------
    >>> g_mean(np.array([[[1, 0, 1, 0], [0, 1, 0, 1]]]), np.array([0, 0, 0, 1])).round(3)
    array([0.816])
    """
    table = _Table(outputs, y, sample_weight)
    xp = table.xp
    with np.errstate(divide="ignore"):  # a recall of 0 gives minus infinity, and then a mean of 0
        logs = xp.log(xp.where(table.true != 0, table.recalls, 1.0))
    means: Scores = xp.exp(table.mean_of_true(logs))
    return means


@named_score("classification", overwrites=False, counts_decisions=True)
def matthews_corrcoef(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return Matthews' correlation of predicted and true classes, -1 to 1.

    It is 0 where all samples are, or are predicted to be, of one class.

    Examples
    --------
    >>> matthews_corrcoef(np.array([[[1, 0, 1], [0, 1, 0]]]), np.array([0, 1, 1]))
    array([0.5])
    """
    table = _Table(outputs, y, sample_weight)
    xp, true, predicted = table.xp, table.true, table.predicted
    covariance = xp.sum(table.hits, axis=1) * table.total - xp.sum(true * predicted, axis=1)
    # Each variance from its own sum: it is then exactly 0 where there is one class.
    variances = [xp.sum(n, axis=1) ** 2 - xp.sum(n**2, axis=1) for n in (true, predicted)]
    return _ratio(covariance, xp.sqrt(variances[0] * variances[1]))


@named_score("classification", overwrites=False, counts_decisions=True)
def cohen_kappa(outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
    """Return Cohen's kappa: the agreement beyond that of chance, at most 1.

    It is 0 where it is not defined: all samples of one class and predicted so. (`cohen_kappa_score`
    gives NaN there by default, which would rank a faultless solution last.)

    Examples
    --------
    >>> cohen_kappa(np.array([[[1, 0, 1], [0, 1, 0]]]), np.array([0, 1, 1])).round(3)
    array([0.4])
    """
    table = _Table(outputs, y, sample_weight)
    xp = table.xp
    wrong = (table.total - xp.sum(table.hits, axis=1)) * table.total
    by_chance = table.total * xp.sum(table.predicted, axis=1)
    by_chance -= xp.sum(table.true * table.predicted, axis=1)
    kappas: Scores = xp.where(by_chance == 0, 0.0, 1 - _ratio(wrong, by_chance))
    return kappas


@population_score("classification", overwrites=False, counts_decisions=True, any_array=True)
@dataclass(frozen=True, repr=False)
class _FBeta:
    beta: float
    average: Average
    name: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return self.name or f"fbeta({self.beta:g}, average={self.average!r})"

    def __call__(self, outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
        if self.average == "binary" and outputs.shape[1] != 2:
            raise ValueError(
                "The F score with average='binary' takes 2 classes (the second is the positive "
                f"one), got {outputs.shape[1]}; use f1_macro or f1_weighted, or "
                "average='macro' or 'weighted'."
            )
        table = _Table(outputs, y, sample_weight)
        square = self.beta**2
        scores = _ratio((1 + square) * table.hits, square * table.true + table.predicted)
        if self.average == "binary":
            return scores[:, 1]
        xp = table.xp
        if self.average == "weighted":
            return _ratio(xp.sum(scores * table.true, axis=1), table.total)
        return _ratio(xp.sum(scores, axis=1), _count(table.true + table.predicted))


def fbeta(beta: float, average: Average = "macro") -> PopulationScore:
    """Make an F score that gives recall `beta` times the importance of precision.

    Parameters
    ----------
    beta : float
        At least 0; 1 for the harmonic mean of precision and recall, 0 for precision alone.
    average : {"macro", "weighted", "binary"}, default="macro"
        The mean over the classes that are there or predicted, the mean weighted by the true
        numbers of samples, or the score of the second of two classes.

    Returns
    -------
    PopulationScore
        Equal to `fbeta_score` with ``zero_division=0``. It can be pickled.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range; by the score, if ``average="binary"`` meets other than
        2 classes.

    Examples
    --------
    >>> outputs = np.array([[[1, 0, 1], [0, 1, 0]]])
    >>> fbeta(2, "binary")(outputs, np.array([0, 1, 1])).round(3)
    array([0.556])
    """
    check_number(beta, "beta", low=0)
    if average not in ("macro", "weighted", "binary"):
        raise ValueError(f"average must be 'macro', 'weighted' or 'binary', got {average!r}.")
    return _FBeta(float(beta), average)


FITNESS["f1"] = _FBeta(1.0, "binary", "f1")
FITNESS["f1_macro"] = _FBeta(1.0, "macro", "f1_macro")
FITNESS["f1_weighted"] = _FBeta(1.0, "weighted", "f1_weighted")


@population_score("classification", overwrites=False, counts_decisions=True, any_array=True)
@dataclass(frozen=True, repr=False)
class _NegCost:
    cost_matrix: tuple[tuple[float, ...], ...]

    def __repr__(self) -> str:
        return f"neg_cost({[list(row) for row in self.cost_matrix]})"

    def __call__(self, outputs: Outputs, y: Codes, sample_weight: Weights = None) -> Scores:
        n_costs, n_classes = len(self.cost_matrix), outputs.shape[1]
        if n_costs != n_classes:
            raise ValueError(
                f"cost_matrix must have a row and a column for each of the {n_classes} classes, "
                f"got shape ({n_costs}, {n_costs})."
            )
        xp, counts = namespace_of(outputs), confusion_counts(outputs, y, sample_weight)
        matrix = xp.asarray(self.cost_matrix, dtype=xp.float64, device=outputs.device)
        costs = xp.sum(counts * matrix, axis=(1, 2))
        gains: Scores = -costs / xp.sum(counts, axis=(1, 2))
        return gains

    def importance(self, shares: NDArray[Any]) -> NDArray[Any]:
        """Return what it costs, over the right answer, to mistake a class for another one."""
        costs = np.array(self.cost_matrix)
        excess = costs - costs.diagonal()[:, None]
        means: NDArray[Any] = excess.sum(axis=1) / max(1, len(costs) - 1)
        return means


def neg_cost(cost_matrix: ArrayLike) -> PopulationScore:
    """Make a score of the mean cost of a sample, negated.

    Parameters
    ----------
    cost_matrix : array-like of shape (n_classes, n_classes)
        What it costs to give a sample of the class of the row the class of the column; classes in
        sorted order. Finite; gains are negative costs.

    Returns
    -------
    PopulationScore
        It can be pickled.

    Raises
    ------
    ValueError
        If the matrix is not square or not finite; by the score, if it does not fit the number of
        classes.

    Examples
    --------
    A second class that costs 10 when it is missed, and 1 when it is a false alarm:

    >>> outputs = np.array([[[1, 0, 1], [0, 1, 0]]])
    >>> neg_cost([[0, 1], [10, 0]])(outputs, np.array([0, 1, 1])).round(3)
    array([-3.333])
    """
    costs = np.asarray(cost_matrix, dtype=np.float64)
    if costs.ndim != 2 or costs.shape[0] != costs.shape[1] or not costs.size:
        raise ValueError(
            "cost_matrix must be square, a row for each true class and a column for each "
            f"predicted one, got shape {costs.shape}."
        )
    if not np.isfinite(costs).all():
        raise ValueError(f"cost_matrix must be finite, got {costs.tolist()}.")
    return _NegCost(tuple(map(tuple, costs.tolist())))
