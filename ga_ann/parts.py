"""Custom parts: functions of the user's in the place of a named activation or operator.

A `Recipe` takes them as its `activation`, `output_activation`, `selection`, `crossover` and
`mutation`, as do the estimators; `evolve`, `forward` and `Model` take activations. The four
protocols here say what each is given and what it returns. All of them keep two rules:

1. What they return depends on the arguments alone. Random numbers come from `rng`, the run's one
   generator, and nothing is kept from one call to the next: a run is then repeatable, and goes on
   from a checkpoint bit for bit.
2. They do not change their arguments, save that an activation may work in place. Arrays that must
   stay are read-only in the run.

Before a run, `check_activation` and `check_operator` call each part on a sample, and what it
returns is looked at in every call: what breaks a rule is refused by a ValueError that names the
part, and what a part raises becomes one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from inspect import signature
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MARK",
    "POINTS",
    "Activation",
    "CustomActivation",
    "CustomCrossover",
    "CustomMutation",
    "CustomSelection",
    "check_activation",
    "check_mark",
    "check_operator",
    "cross",
    "in_place",
    "marked",
    "mutate",
    "name_of",
    "select",
]

MARK = "custom:"
"""What the name of a function begins with where names are kept: in settings and in files."""

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Where an object stands in memory, as its repr tells it."""


POINTS = np.sort(np.outer([-1, 1], np.geomspace(1e-3, 1e3, 20) * np.pi / 3).ravel())
"""Sums that activations are tried on: of both signs and many sizes, none of them a round number."""


class Activation(Protocol):
    """A function of an array of floats, in place; `axis` is that of the neurons."""

    def __call__(self, Z: NDArray[Any], axis: int = -1, /) -> None:
        """Replace the weighted sums by their activations."""


class CustomActivation(Protocol):
    """A function from the weighted sums of a layer to its activations, such as `numpy.sin`."""

    def __call__(self, Z: NDArray[Any], /) -> NDArray[Any]:
        """Return the activations.

        An activation that is not element-wise has a parameter `axis` as well: it is called as
        ``f(Z, axis=...)``, with the number of the axis on which a layer's neurons stand, as
        `scipy.special.softmax` can be. It is called from several threads at once.

        Parameters
        ----------
        Z : ndarray of float32 or float64, of any number of dimensions
            The sums. **It may be overwritten**, and be returned.

        Returns
        -------
        ndarray of floats, of the shape of `Z`
            They are rounded to the precision of `Z`. The activations of a sample in a network must
            not depend on what other samples or networks `Z` holds, nor on the order of its axes.
        """


class CustomSelection(Protocol):
    """A function that chooses the parents."""

    def __call__(
        self, rng: np.random.Generator, fitness: NDArray[np.float64], n_parents: int, /
    ) -> NDArray[np.intp]:
        """Return the indices of the parents.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.
        fitness : ndarray of float64, of shape (n_solutions,)
            What selection ranks by (the recipe's `ranking`); greater is better, and NaN is worst.
            Some may be NaN at any time.
        n_parents : int
            Number of parents.

        Returns
        -------
        ndarray of int, of shape (n_parents,)
            From 0 to ``n_solutions - 1``; one may occur several times. The mean and the gene pool
            crossover give those in front the greater weight.
        """


class CustomCrossover(Protocol):
    """A function that makes offspring of parents."""

    def __call__(
        self,
        rng: np.random.Generator,
        parents: NDArray[Any],
        n_offspring: int,
        shapes: Sequence[tuple[int, ...]],
        /,
    ) -> NDArray[Any]:
        """Return the offspring, before their mutation.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.
        parents : ndarray of float32 or float64, of shape (n_parents, n_genes)
            Their chromosomes, in the order of the selection, after the weight decay.
        n_offspring : int
            Number of offspring.
        shapes : tuple of tuple of int
            Shapes of the network's parameters, for `ga_ann.reshape`.

        Returns
        -------
        ndarray of shape (n_offspring, n_genes)
            Of the dtype of `parents`; it is copied. Where weights are restricted to a set, values
            of the set.
        """


class CustomMutation(Protocol):
    """A function that changes offspring."""

    def __call__(
        self,
        rng: np.random.Generator,
        offspring: NDArray[Any],
        scale: NDArray[Any],
        rate: float,
        /,
    ) -> NDArray[Any]:
        """Return the offspring, mutated.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.
        offspring : ndarray of float32 or float64, of shape (n_offspring, n_genes)
            Their chromosomes. They stay as they are.
        scale : ndarray of shape (n_genes,)
            The current `sigma`, which the schedule moves, times the standard deviation of each
            gene's initial value; where weights are restricted to a set, times that of the set.
        rate : float
            The recipe's `mutation_rate`: the share of the genes that are to change.

        Returns
        -------
        ndarray of the shape and the dtype of `offspring`
            It is copied. Where weights are restricted to a set, values of the set.
        """


def name_of(part: str | Callable[..., Any]) -> str:
    """Return the name of a score or a part, the same in every process."""
    name = part if isinstance(part, str) else getattr(part, "__name__", repr(part))
    return ADDRESS.sub("", name)


def marked(part: Any) -> Any:
    """Return what a part is called in settings and in files: a function, by its marked name.

    Examples
    --------
    >>> marked("tanh"), marked((np.sin, "relu"))
    ('tanh', ('custom:sin', 'relu'))
    """
    if isinstance(part, tuple | list):
        return tuple(map(marked, part))
    return MARK + name_of(part) if callable(part) else part


def check_mark(part: object, what: str) -> None:
    """Refuse the marked name of a function, which only tells what was there.

    Raises
    ------
    ValueError
        If it is one.
    """
    if isinstance(part, str) and part.startswith(MARK):
        raise ValueError(
            f"{what} was the function {part.removeprefix(MARK)!r}, and its name does not bring it "
            f"back: set {what} to the function itself, got {part!r}."
        )


# ---------------------------------------------------------------- calls


def in_place(function: CustomActivation, what: str = "activation") -> Activation:
    """Return an activation that works in place, as the built-in ones do.

    Parameters
    ----------
    function : callable
        See `CustomActivation`.
    what : str, default="activation"
        What it is, for messages.
    """
    takes_axis = _takes_axis(function)

    def activation(Z: NDArray[Any], axis: int = -1, /) -> None:
        A = _call(what, function, Z, **({"axis": axis} if takes_axis else {}))
        if not isinstance(A, np.ndarray) or A.dtype.kind != "f" or A.shape != Z.shape:
            wanted = f"return an array of floats of the shape of its argument, {Z.shape}"
            raise _refusal(what, function, wanted, A)
        if A is not Z:
            Z[...] = A

    return activation


def select(
    function: CustomSelection, rng: np.random.Generator, fitness: NDArray[Any], n_parents: int
) -> NDArray[np.intp]:
    """Return the parents that a custom selection chooses."""
    chosen = _call("selection", function, rng, fitness, n_parents)
    is_array = isinstance(chosen, np.ndarray) and chosen.dtype.kind in "iu"
    if not is_array or chosen.shape != (n_parents,):
        wanted = f"return an array of integers of shape ({n_parents},), the parents' indices"
        raise _refusal("selection", function, wanted, chosen)
    if chosen.min() < 0 or chosen.max() >= len(fitness):
        wanted = f"return indices from 0 to {len(fitness) - 1}"
        raise _refusal("selection", function, wanted, f"{chosen.min()} to {chosen.max()}")
    indices: NDArray[np.intp] = chosen.astype(np.intp)
    return indices


def cross(
    function: CustomCrossover,
    rng: np.random.Generator,
    parents: NDArray[Any],
    n_offspring: int,
    shapes: Sequence[tuple[int, ...]],
) -> NDArray[Any]:
    """Return the offspring that a custom crossover makes."""
    offspring = _call("crossover", function, rng, parents, n_offspring, shapes)
    shape = (n_offspring, parents.shape[1])
    return _check_rows("crossover", function, offspring, shape, parents.dtype)


def mutate(
    function: CustomMutation,
    rng: np.random.Generator,
    offspring: NDArray[Any],
    scale: NDArray[Any],
    rate: float,
) -> NDArray[Any]:
    """Return what a custom mutation makes of the offspring."""
    mutated = _call("mutation", function, rng, offspring, scale, rate)
    return _check_rows("mutation", function, mutated, offspring.shape, offspring.dtype)


def _call(what: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        return function(*arguments, **options)
    except Exception as error:
        raise ValueError(f"{what}={name_of(function)} failed: {error!r}.") from error


def _check_rows(
    what: str,
    function: Callable[..., Any],
    rows: Any,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    if not isinstance(rows, np.ndarray) or rows.shape != shape or rows.dtype != dtype:
        wanted = f"return an array of {dtype} of shape {shape} (offspring, genes)"
        raise _refusal(what, function, wanted, rows)
    return rows


def _refusal(what: str, function: Callable[..., Any], wanted: str, got: Any) -> ValueError:
    if isinstance(got, np.ndarray):
        got = f"{got.dtype} of shape {got.shape}"
    elif not isinstance(got, str):
        got = "None" if got is None else type(got).__name__
    return ValueError(f"{what}={name_of(function)} must {wanted}, got {got}.")


def _takes_axis(function: Callable[..., Any]) -> bool:
    try:
        return "axis" in signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C
        return False


# ---------------------------------------------------------------- before the run


@np.errstate(all="ignore")
def check_activation(function: CustomActivation, what: str = "activation") -> None:
    """Call a custom activation on sums of many sizes, and refuse what breaks the rules.

    Parameters
    ----------
    function, what
        As in `in_place`.

    Raises
    ------
    ValueError
        If it fails, returns no floats of the right shape, or mixes samples, networks or, without
        a parameter `axis`, neurons.

    Examples
    --------
    >>> check_activation(np.sin)
    >>> check_activation(lambda Z: Z - Z.mean())
    Traceback (most recent call last):
    ...
    ValueError: activation=<lambda> must be element-wise and answer the same in every call: a part \
of its argument had other activations than in the whole. One that looks at all neurons of a layer \
has a parameter axis, on which they are.
    """
    activation = in_place(function, what)

    def activate(Z: NDArray[Any], axis: int) -> NDArray[Any]:
        A = Z.copy()
        activation(A, axis)
        return A

    for dtype in (np.float32, np.float64):
        Z = POINTS.astype(dtype).reshape(2, 4, 5)  # networks, neurons, samples
        whole = activate(Z, 1)
        parts = [(whole.swapaxes(1, 2), activate(np.ascontiguousarray(Z.swapaxes(1, 2)), 2))]
        for axis in (0, 2) if _takes_axis(function) else (0, 1, 2):
            parts.append((whole.take([1], axis), activate(Z.take([1], axis), 1)))
        if not all(np.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True) for a, b in parts):
            raise ValueError(
                f"{what}={name_of(function)} must be element-wise and answer the same in every "
                "call: a part of its argument had other activations than in the whole. One that "
                "looks at all neurons of a layer has a parameter axis, on which they are."
            )


@np.errstate(all="ignore")
def check_operator(
    what: str, call: Callable[..., NDArray[Any]], function: Any, arguments: Mapping[str, Any]
) -> None:
    """Call a custom operator on a sample, twice, and refuse what breaks the rules.

    Parameters
    ----------
    what : {"selection", "crossover", "mutation"}
        What it is, for messages.
    call : callable
        `select`, `cross` or `mutate`, as ``call(rng, *arguments)``.
    function : callable
        The operator, for messages.
    arguments : mapping of str to object
        The arguments behind the generator, by name.

    Raises
    ------
    ValueError
        If it fails, returns something else than it should, changes an argument, or answers
        differently with an equal generator.
    """
    answers: list[NDArray[Any]] = []
    for _ in range(2):
        given = deepcopy(dict(arguments))
        answers.append(call(np.random.default_rng(0), *given.values()).copy())
        for name, before in arguments.items():
            is_array, after = isinstance(before, np.ndarray), given[name]
            same = np.array_equal(before, after, equal_nan=True) if is_array else before == after
            if not same:
                raise ValueError(
                    f"{what}={name_of(function)} must not change its argument {name}; let it work "
                    f"on a copy, {name}.copy()."
                )
    first, second = answers
    if not np.array_equal(first, second, equal_nan=True):
        raise ValueError(
            f"{what}={name_of(function)} must answer the same when its generator is in the same "
            "state: draw random numbers from rng alone, and keep nothing between two calls."
        )
