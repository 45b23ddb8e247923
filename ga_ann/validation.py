"""Input checked before any work: numbers, layer sizes, samples and their labels."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from decimal import Decimal
from math import isfinite, prod
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.sparse import csr_array, issparse
from sklearn.utils import check_array, check_X_y
from sklearn.utils.multiclass import check_classification_targets

from ga_ann.out_of_core import SamplesLike, StoredSamples, hold

__all__ = [
    "check_feature_names",
    "check_held_out",
    "check_hidden_layer_sizes",
    "check_not_measured",
    "check_number",
    "check_real",
    "check_samples",
    "check_training",
    "feature_names_of",
]

DENSE_BYTES = 2**24
"""What sparse samples may take as a dense array, to be made one."""


def check_number(
    value: object,
    name: str,
    kind: type[Integral] | type[Real] = Real,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> None:
    """Check that a parameter is a finite number within its bounds, and no boolean.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        The parameter's name, for the message.
    kind : {numbers.Real, numbers.Integral}, default=numbers.Real
        What it must be.
    low, high : float, optional
        Bounds that it may reach.
    above, below : float, optional
        Bounds that it must not reach.

    Raises
    ------
    TypeError
        If it is not of that kind.
    ValueError
        If it is NaN, infinite, larger than any float, or out of bounds.

    Examples
    --------
    >>> check_number(0.5, "sigma", low=0)
    >>> check_number(-1, "sigma", low=0)
    Traceback (most recent call last):
    ...
    ValueError: sigma must be >= 0, got -1.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, kind):
        wanted = "an integer" if kind is Integral else "a number"
        raise TypeError(f"{name} must be {wanted}, got {value!r}.")
    number: Any = value
    try:
        is_finite = isfinite(number)
    except OverflowError as error:  # Python's integers have no end
        raise ValueError(f"{name} must fit into a float, got a larger number.") from error
    if not is_finite:
        raise ValueError(f"{name} must be finite, got {value!r}.")
    for bound, sign, held in (
        (low, ">=", low is None or number >= low),
        (high, "<=", high is None or number <= high),
        (above, ">", above is None or number > above),
        (below, "<", below is None or number < below),
    ):
        if not held:
            raise ValueError(f"{name} must be {sign} {bound}, got {value!r}.")


def check_hidden_layer_sizes(sizes: int | Iterable[int]) -> tuple[int, ...]:
    """Return the sizes of the hidden layers as a tuple; a single number stands for one layer.

    Raises
    ------
    TypeError, ValueError
        If one of them is not a positive integer.

    Examples
    --------
    >>> check_hidden_layer_sizes(10), check_hidden_layer_sizes([150, 60])
    ((10,), (150, 60))
    """
    chosen: tuple[Any, ...] = tuple(sizes) if isinstance(sizes, Iterable) else (sizes,)
    for size in chosen:
        check_number(size, "each of hidden_layer_sizes", Integral, low=1)
    return tuple(int(size) for size in chosen)


def check_samples(X: SamplesLike) -> NDArray[Any]:
    """Check samples whose labels nobody has given.

    Parameters
    ----------
    X : array-like, sparse matrix or path, of shape (n_samples, n_features)
        Finite numbers.

    Returns
    -------
    ndarray, scipy.sparse.csr_array or StoredSamples of shape (n_samples, n_features)
        See `as_samples`.

    Raises
    ------
    ValueError
        If it is not a table of finite numbers.

    Examples
    --------
    >>> check_samples([[0.5, 1.5]]).shape
    (1, 2)
    """
    held = hold(X)
    if isinstance(held, StoredSamples):
        return as_samples(held)
    return as_samples(check_array(held, accept_sparse="csr"))


def feature_names_of(X: Any) -> NDArray[np.str_] | None:
    """Return the names of a DataFrame's columns; None where there are none, or some are no text.

    Examples
    --------
    >>> import pandas as pd
    >>> feature_names_of(pd.DataFrame({"size": [1], "weight": [2]})).tolist()
    ['size', 'weight']
    """
    names = list(getattr(X, "columns", ()))
    if not names or not all(isinstance(name, str) for name in names):
        return None
    return np.array(names, dtype=np.str_)


def check_feature_names(X: Any, expected: NDArray[np.str_] | None, what: str = "X") -> None:
    """Refuse a DataFrame whose columns are not those of the training, in its order.

    Raises
    ------
    ValueError
        If both have names, and the names differ.
    """
    names = feature_names_of(X)
    if names is None or expected is None or names.tolist() == expected.tolist():
        return
    given, wanted = set(names.tolist()), set(expected.tolist())
    if len(names) == len(expected) and given == wanted:
        raise ValueError(
            f"{what} must have the columns in the order of the training data; give "
            f"{what}[{reprlib.repr(expected.tolist())}]."
        )
    lacks = reprlib.repr(sorted(wanted - given))
    raise ValueError(
        f"{what} must have the columns of the training data, got {reprlib.repr(names.tolist())}, "
        f"which lacks {lacks} and has {reprlib.repr(sorted(given - wanted))} besides."
    )


def as_samples(X: Any) -> NDArray[Any]:
    """Return checked samples as they are computed with.

    What is on disk and large stays there; one pass over it sees whether it is finite. Sparse
    samples become dense where they are small, and so do what dense ones do, to the bit. Larger ones
    stay sparse: products that skip the zeros are several times as fast, and nothing of the size of
    the dense samples is ever made. They become a `csr_array` of one form, without duplicates and
    stored zeros; what was given does not change.
    """
    if isinstance(X, StoredSamples):
        _ = X.summary  # which refuses what is not finite
    if not issparse(X):
        dense: NDArray[Any] = X
        return dense
    if prod(X.shape) * X.dtype.itemsize <= DENSE_BYTES:
        small: NDArray[Any] = X.toarray()
        return small
    samples = csr_array(X)
    if not samples.has_canonical_format or not samples.data.all():
        samples = samples.copy()
        samples.sum_duplicates()
        samples.eliminate_zeros()
    return samples  # type: ignore[no-any-return]


def check_training(
    X: SamplesLike, y: ArrayLike, known_classes: ArrayLike | None = None
) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[Any]]:
    """Check training data.

    Parameters
    ----------
    X : array-like, sparse matrix or path, of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,)
        Text, numbers or booleans, at least two different ones; also columns of pandas.
    known_classes : array-like, optional
        All labels, where `y` may lack some.

    Returns
    -------
    X : ndarray, csr_array or StoredSamples of shape (n_samples, n_features)
        See `as_samples`.
    codes : ndarray of int, of shape (n_samples,)
        The index of each sample's class.
    classes : ndarray of shape (n_classes,)
        The sorted labels: ``classes[codes]`` is `y`.

    Raises
    ------
    ValueError
        If the data are empty, of different lengths, not finite, or of one class only; or if a
        label is missing, labels are of mixed kinds, or a sample has several.

    Examples
    --------
    >>> check_training([[0.5], [1.5], [2.5]], ["mango", "apple", "mango"])[1:]
    (array([1, 0, 1]), array(['apple', 'mango'], dtype='<U5'))
    """
    samples, labels = _check(X, y)
    classes = np.unique(labels if known_classes is None else np.asarray(known_classes))
    if len(classes) < 2:
        raise ValueError(f"y must hold at least 2 classes, got 1 class: {classes.tolist()}.")
    return samples, _encode(labels, classes, "y"), classes


def check_regression(X: SamplesLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Check the training data of a regression.

    Parameters
    ----------
    X : array-like, sparse matrix or path, of shape (n_samples, n_features)
        Finite numbers.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Finite numbers.

    Returns
    -------
    X : ndarray, csr_array or StoredSamples of shape (n_samples, n_features)
        See `as_samples`.
    targets : ndarray of shape (n_outputs, n_samples)

    Raises
    ------
    ValueError
        If the data are empty, of different lengths, or not finite, or targets are no real numbers.
        Booleans are 0 and 1, as in scikit-learn.

    Examples
    --------
    >>> check_regression([[0.0], [1.0]], [2.0, 3.0])[1]
    array([[2., 3.]])
    """
    if not np.iscomplexobj(y):  # which scikit-learn refuses in words of its own
        check_real(y, "y")
    samples, targets = check_both(X, y, multi_output=True, y_numeric=True)
    rows = np.asarray(targets, dtype=np.float64).reshape(len(targets), -1).T
    return as_samples(samples), np.ascontiguousarray(rows)


def check_in_memory(X: Any, what: str) -> None:
    """Refuse samples that stay on disk.

    Raises
    ------
    TypeError
        If they do.
    """
    if isinstance(X, StoredSamples):
        raise TypeError(f"{what} needs samples in memory, got {X!r}; give it a part of them.")


def check_both(X: Any, y: Any, **options: Any) -> tuple[Any, NDArray[Any]]:
    """Check samples and what is learned of them as `check_X_y` does; what is stored is not read."""
    held = hold(X)
    if not isinstance(held, StoredSamples):
        return check_X_y(held, y, accept_sparse="csr", **options)  # type: ignore[no-any-return]
    stand_in = np.broadcast_to(np.float64(0), (len(held), 1))
    return held, check_X_y(stand_in, y, **options)[1]


def check_real(values: ArrayLike, name: str) -> None:
    """Refuse dates, durations and complex numbers, of which NumPy makes floats without a word.

    Raises
    ------
    ValueError
        If there are such.

    Examples
    --------
    >>> check_real([1.5, 2], "y")
    >>> check_real([1.5, 2j], "y")
    Traceback (most recent call last):
    ...
    ValueError: y must hold real numbers, got (1.5+0j) of complex128; make such numbers of it.
    """
    held = np.asarray(values)
    known = (Real, Decimal, str, bool, np.bool_, type(None))
    strange = held.dtype.kind in "mMc" and held.ravel()[:1].tolist()
    if held.dtype.kind == "O":
        strange = [value for value in held.flat if not isinstance(value, known)]
    if strange:
        raise ValueError(
            f"{name} must hold real numbers, got {strange[0]} of {held.dtype}; make such numbers "
            "of it."
        )


def check_not_measured(labels: NDArray[Any]) -> None:
    """Refuse labels that are no whole numbers: they were measured, and are no classes.

    Raises
    ------
    ValueError
        If there are such; NaN is left to others.

    Examples
    --------
    >>> check_not_measured(np.array([1.0, 2.0]))
    >>> check_not_measured(np.array([1.0, 2.5]))
    Traceback (most recent call last):
    ...
    ValueError: y must hold labels of classes, got numbers that were measured, such as 2.5: they \
take the task regression (--task regression, GeneticMLPRegressor). Unknown label type: continuous.
    """
    if labels.dtype.kind != "f":
        return
    broken = labels[np.isfinite(labels) & (labels != np.floor(labels))]
    if broken.size:  # ends in the words by which scikit-learn's checks know it
        raise ValueError(
            f"y must hold labels of classes, got numbers that were measured, such as {broken[0]}: "
            "they take the task regression (--task regression, GeneticMLPRegressor). Unknown "
            "label type: continuous."
        )


def check_range(X: NDArray[Any], dtype: DTypeLike) -> None:
    """Check that samples can be computed with in a precision.

    Raises
    ------
    ValueError
        If a number is too large for `dtype`, or all are too small.
    """
    kind = np.finfo(np.dtype(dtype))
    if isinstance(X, StoredSamples):
        largest = max(X.summary.largest, -X.summary.least)
    else:  # two passes without an array of the size of X in between
        largest = max(float(X.max()), -float(X.min()))
    least, limit = float(np.sqrt(kind.tiny)), float(kind.max)
    if 0 < largest < least:
        raise ValueError(
            f"X must be 0 or reach {least:.3g} to be computed with in {np.dtype(dtype)}, got up to "
            f"{largest:.3g}; scale it."
        )
    if largest > limit:
        raise ValueError(
            f"X must fit into {np.dtype(dtype)} (up to {limit:.3g}), got {largest:.3g}; scale it."
        )


def check_targets(targets: NDArray[np.float64], dtype: DTypeLike) -> None:
    """Check that a regression's targets can be computed with in a precision.

    Parameters
    ----------
    targets : ndarray of shape (n_outputs, n_samples)
        Finite numbers.
    dtype : dtype
        A floating type.

    Raises
    ------
    ValueError
        If squares of their deviations would overflow or underflow, or their deviations are lost
        beside their mean.
    """
    kind = np.finfo(np.dtype(dtype))
    with np.errstate(over="ignore", invalid="ignore"):
        spreads, means = targets.std(axis=1), np.abs(targets.mean(axis=1))
        # A constant comes back from its mean with a rounding error.
        varies = np.ptp(targets, axis=1) > 0
        low, high = kind.tiny**0.375, kind.max**0.375
        usable = (spreads >= low) & (spreads <= high) & (means * kind.eps * 1e3 <= spreads)
    if (varies & ~usable).any():
        raise ValueError(
            f"y must have a standard deviation between {low:.1g} and {high:.1g}, and not vanishing "
            f"beside its mean, to be computed with in {np.dtype(dtype)}; standardise it, for "
            "instance with sklearn.compose.TransformedTargetRegressor."
        )


def check_sample_weight(sample_weight: ArrayLike, n_samples: int) -> NDArray[np.float64]:
    """Return weights of samples as an array.

    Raises
    ------
    ValueError
        If there is not one finite weight a sample, one is negative, or all are zero.
    """
    weight: NDArray[np.float64] = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weight.shape != (n_samples,):
        raise ValueError(f"sample_weight must have shape ({n_samples},), got {weight.shape}.")
    if (weight < 0).any() or not weight.any():
        raise ValueError("sample_weight must hold no negative number, and not zeros alone.")
    return weight


def check_held_out(
    data: tuple[SamplesLike, ArrayLike], n_features: int, classes: NDArray[Any] | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Check held-out data against what was trained on.

    Parameters
    ----------
    data : tuple (X, y)
        Samples and labels as in `check_training`.
    n_features : int
        Number of features of the training data.
    classes : ndarray of shape (n_classes,) or None
        Sorted labels of the training data; None for a regression.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    targets : ndarray of shape (n_samples,) or (n_outputs, n_samples)
        The indices of the classes, or the targets of a regression.

    Raises
    ------
    ValueError
        If the data are not a pair, or do not fit.
    """
    if not isinstance(data, tuple | list) or len(data) != 2:
        got = f"{len(data)} items" if isinstance(data, tuple | list) else type(data).__name__
        raise ValueError(f"validation_data must be a pair (X, y), got {got}.")
    samples, labels = check_regression(*data) if classes is None else _check(*data)
    if samples.shape[1] != n_features:
        raise ValueError(
            f"validation_data must have {n_features} features as X has, got {samples.shape[1]}."
        )
    if classes is None:
        return samples, labels
    return samples, _encode(labels, classes, "validation_data")


def _encode(labels: NDArray[Any], classes: NDArray[Any], what: str) -> NDArray[np.intp]:
    if unknown := set(labels.tolist()) - set(classes.tolist()):
        raise ValueError(f"{what} has labels that are no class of the training: {sorted(unknown)}.")
    return np.searchsorted(classes, labels)


def _check(X: SamplesLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    labels: NDArray[Any]
    check_one_label(y)
    samples, labels = check_both(X, _as_plain(y))
    check_not_measured(labels)
    check_classification_targets(labels)
    return as_samples(samples), labels


def check_one_label(y: Any) -> None:
    """Refuse labels of which a sample has several.

    Raises
    ------
    ValueError
        The message names what of scikit-learn learns such labels.
    """
    labels = y if hasattr(y, "shape") else np.asarray(y, dtype=object)
    several = len(labels.shape) > 1 and labels.shape[1] > 1
    listed = getattr(labels, "dtype", None) == np.dtype(object) and any(
        isinstance(label, list | tuple | set | frozenset | np.ndarray) for label in np.ravel(labels)
    )
    if several or listed:
        got = f"an array of shape {labels.shape}" if several else "a list of labels for a sample"
        columns = "sklearn.preprocessing.MultiLabelBinarizer makes columns of them, and "
        raise ValueError(
            f"y must hold one label for each sample, got {got}; {'' if several else columns}"
            "sklearn.multioutput.MultiOutputClassifier(GeneticMLPClassifier(...)) trains a network "
            "for each column of y."
        )


def _as_plain(y: ArrayLike) -> ArrayLike:
    """Return labels that came as Python objects, such as a column of pandas, as a plain array."""
    # NumPy would turn a list of text and numbers into text without a word.
    held = np.asarray(y, dtype=None if hasattr(y, "dtype") else object)
    if held.dtype.kind not in "OT":
        return held
    kinds = sorted({_kind(label) for label in held.flat})
    if "a missing value" in kinds:
        row = next(k for k, label in enumerate(held.flat) if _kind(label) == "a missing value")
        raise ValueError(f"y must hold a label for each sample, got {held.flat[row]!r} at {row}.")
    plain = np.array(held.tolist()) if len(kinds) <= 1 else held
    if plain.dtype == object:
        raise ValueError(
            "y must hold labels of one kind, text or numbers (of 64 bits) or booleans, got "
            f"{' and '.join(kinds)}."
        )
    return plain


def _kind(label: object) -> str:
    if label is None or type(label).__name__ in ("NAType", "NaTType") or label != label:  # NaN
        return "a missing value"
    for kind, name in (((bool, np.bool_), "bool"), (str, "str"), (Real, "number")):
        if isinstance(label, kind):
            return name
    return type(label).__name__
