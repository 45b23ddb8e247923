"""Offspring as recipes: one mean, and for each solution the place that its mutation comes from.

The mutation of a weight matrix is a product of two thin ones,

    W_i = W + sigma * s * A_i^T B_i / sqrt(rank),

so that the product of the samples with `W` serves the whole population, and what is a solution's
own costs ``rank * (n_in + n_out)`` a sample instead of ``n_in * n_out`` [Sarkar et al., Evolution
Strategies at the Hyperscale, arXiv:2511.16652]. The factors are slices of a table of normal
numbers; a chromosome is made when somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike, NDArray

from ga_ann.arrays import namespace_of
from ga_ann.chromosome import count_genes, reshape

__all__ = [
    "Factors",
    "LowRankNoise",
    "LowRankPopulation",
    "check_rank",
    "count_factors",
    "count_places",
]

FEWEST_PLACES = 2**16
"""Places of the table where a solution's slice may begin, at least."""

PLACES_A_SOLUTION = 256
"""Places of the table for each solution, at least: two of them rarely share one."""

MOST_FACTORS = 2**20
"""Numbers that are taken from the table at a time to make the next mean."""


class Factors(NamedTuple):
    """A layer of a block of solutions: what they share, and what is each one's own.

    Attributes
    ----------
    shared : ndarray of shape (n_in, n_out)
        The mean's matrix.
    left : ndarray of shape (n_solutions, rank, n_in)
        Factors on the side of the inputs.
    right : ndarray of shape (n_solutions, rank + 1, n_out)
        Factors on the side of the outputs, with the scale of the mutation; and in the last row the
        biases, which an input of 1 belongs to. They are 0 in a network without.
    """

    shared: NDArray[Any]
    left: NDArray[Any]
    right: NDArray[Any]


def check_rank(rank: int, shapes: Sequence[tuple[int, ...]]) -> None:
    """Refuse a rank that a matrix of the network cannot have.

    Raises
    ------
    ValueError
        The message names the matrix, and the ranks that would do.
    """
    for k, shape in enumerate(shape for shape in shapes if len(shape) == 2):
        if not 1 <= rank <= min(shape):
            most = min(min(shape) for shape in shapes if len(shape) == 2)
            raise ValueError(
                f"rank must be 1 to {min(shape)} for the {shape[0]} x {shape[1]} matrix of layer "
                f"{k + 1}, got {rank}; a rank of up to {most} does for all layers, and "
                "mutation='gaussian' mutates every gene on its own."
            )


class LowRankNoise:
    """How a place of the table becomes a solution's mutation.

    A pickle holds the seed instead of the table.

    Parameters
    ----------
    seed : int
        What the table is drawn from.
    shapes : sequence of tuple of int
        Shapes of the network's parameters, see `layer_shapes`.
    scales : sequence of ndarray of shape (n_out,)
        For each parameter, the standard deviation of the mutation of each neuron's genes, in units
        of sigma.
    rank : int, default=1
        Of the mutation of each matrix, from 1 to its smaller side.
    n_places : int, default=2**16
        Number of places where a solution's slice of the table may begin, see `count_places`.
    dtype : {numpy.float32, numpy.float64}, default=numpy.float32
        Precision of the numbers.
    """

    def __init__(
        self,
        seed: int,
        shapes: Sequence[tuple[int, ...]],
        scales: Sequence[NDArray[Any]],
        *,
        rank: int = 1,
        n_places: int = FEWEST_PLACES,
        dtype: DTypeLike = np.float32,
    ) -> None:
        check_rank(rank, shapes)
        self.seed = seed
        self.dtype = np.dtype(dtype)
        self.shapes = list(shapes)
        self.rank = rank
        self.n_genes = count_genes(shapes)
        self.scales = [np.asarray(scale, dtype=dtype) for scale in scales]
        after = [*self.shapes[1:], ()]
        pairs = zip(self.shapes, after, strict=True)
        self.have_biases = [len(next_one) == 1 for shape, next_one in pairs if len(shape) == 2]
        self.n_places = n_places
        self.n_factors = count_factors(shapes, rank)
        self._set_units()
        self._draw_table()

    def _draw_table(self) -> None:
        rng, kind = np.random.default_rng(self.seed), cast(Any, self.dtype.type)
        self.table = rng.standard_normal(self.n_places + self.n_factors - 1, dtype=kind)
        self._slices = sliding_window_view(self.table, self.n_factors)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k not in ("table", "_slices")}

    def __setstate__(self, held: dict[str, Any]) -> None:
        vars(self).update(held)
        self._draw_table()

    def draw_places(self, rng: np.random.Generator, n_solutions: int) -> NDArray[np.int64]:
        """Draw the places that the mutations of some solutions come from."""
        return rng.integers(self.n_places, size=n_solutions)

    def draw_around(
        self, rng: np.random.Generator, mean: NDArray[Any], n_solutions: int, sigma: float
    ) -> LowRankPopulation:
        """Draw a population of mutations of a mean."""
        return LowRankPopulation(mean, self.draw_places(rng, n_solutions), sigma, self)

    def _set_units(self) -> None:
        """Note what the numbers of a slice are multiplied by: `_plain` + sigma * `_scaled`."""
        plain: list[NDArray[Any]] = []
        scaled: list[NDArray[Any]] = []
        for shape, scale in zip(self.shapes, self.scales, strict=True):
            if len(shape) == 1:
                scaled[-1] = scale  # instead of the zeros of a layer without biases
                continue
            n_in, n_out = shape
            right = np.tile(scale * self.rank**-0.5, self.rank)
            plain += [np.ones(self.rank * n_in), np.zeros_like(right), np.zeros(n_out)]
            scaled += [np.zeros(self.rank * n_in), right, np.zeros(n_out)]
        self._plain = np.concatenate(plain).astype(self.dtype)
        self._scaled = np.concatenate(scaled).astype(self.dtype)

    def factors(
        self, places: NDArray[np.int64], sigma: float = 1.0
    ) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield ``(left, right)`` of a layer after the other, as `Factors` has them.

        The right factors are times sigma; in their last row are the steps of the biases.
        """
        numbers = self._slices[places]
        numbers *= self.units(sigma)
        yield from self.split(numbers)

    def units(self, sigma: float) -> NDArray[Any]:
        """Return what the numbers of a slice are multiplied by."""
        units: NDArray[Any] = self._plain + cast(Any, self.dtype.type)(sigma) * self._scaled
        return units

    def split(self, numbers: Any) -> Iterator[tuple[Any, Any]]:
        """Yield ``(left, right)`` of a layer after the other, of numbers in their units.

        Parameters
        ----------
        numbers : array of shape (n_solutions, n_factors)
            Slices of the table; an array of any library.
        """
        xp, n, start = namespace_of(numbers), numbers.shape[0], 0
        for n_in, n_out in (shape for shape in self.shapes if len(shape) == 2):
            middle = start + self.rank * n_in
            stop = middle + (self.rank + 1) * n_out
            left = xp.reshape(numbers[:, start:middle], (n, self.rank, n_in))
            yield left, xp.reshape(numbers[:, middle:stop], (n, self.rank + 1, n_out))
            start = stop

    def combine(self, places: NDArray[np.int64], weights: NDArray[Any]) -> NDArray[Any]:
        """Return the weighted sum of the solutions' mutations, for a sigma of 1.

        Parameters
        ----------
        places : ndarray of int, of shape (n_solutions,)
            Where they come from.
        weights : ndarray of shape (n_solutions,)
            Of any sum.

        Returns
        -------
        ndarray of shape (n_genes,)
        """
        weights, size = weights.astype(self.table.dtype), max(1, MOST_FACTORS // self.n_factors)
        blocks = [slice(k, k + size) for k in range(0, len(places), size)]
        return reduce(np.add, (self._combine(places[block], weights[block]) for block in blocks))

    def _combine(self, places: NDArray[np.int64], weights: NDArray[Any]) -> NDArray[Any]:
        sums = []
        for (left, right), has_biases in zip(self.factors(places), self.have_biases, strict=True):
            weighted = (left * weights[:, None, None]).reshape(-1, left.shape[2])
            sums.append((weighted.T @ right[:, :-1].reshape(-1, right.shape[2])).ravel())
            if has_biases:
                sums.append(weights @ right[:, -1])
        return np.concatenate(sums)


def count_places(n_solutions: int) -> int:
    """Return the number of places that a table for so many solutions has."""
    return max(FEWEST_PLACES, PLACES_A_SOLUTION * n_solutions)


def count_factors(shapes: Sequence[tuple[int, ...]], rank: int) -> int:
    """Return how many numbers make a solution's mutation, with biases or without."""
    return sum(rank * sum(shape) + shape[1] for shape in shapes if len(shape) == 2)


class LowRankPopulation(NDArrayOperatorsMixin):
    """Solutions around one mean; indexing makes chromosomes of them, as does arithmetic.

    Parameters
    ----------
    mean : ndarray of shape (n_genes,)
        The chromosome that all solutions are mutations of.
    places : ndarray of int, of shape (n_solutions,)
        Where in the table their mutations come from.
    sigma : float
        Strength of the mutations.
    noise : LowRankNoise
        How a place becomes a mutation.

    Examples
    --------
    >>> noise = LowRankNoise(0, [(3, 2)], [np.ones(2)])
    >>> population = LowRankPopulation(np.zeros(6, np.float32), np.array([5, 9]), 0.5, noise)
    >>> population.shape, int(np.linalg.matrix_rank(population[0].reshape(3, 2)))
    ((2, 6), 1)
    >>> bool((np.asarray(population)[1] == population[1]).all())
    True
    """

    ndim = 2

    def __init__(
        self, mean: NDArray[Any], places: NDArray[np.int64], sigma: float, noise: LowRankNoise
    ) -> None:
        self.mean = mean
        self.places = places
        self.sigma = sigma
        self.noise = noise

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of solutions and of genes."""
        return len(self.places), len(self.mean)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the genes."""
        return self.mean.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the mean and the places."""
        return self.mean.nbytes + self.places.nbytes

    def __repr__(self) -> str:
        return f"LowRankPopulation({len(self)} solutions, {len(self.mean):,} genes)"

    def __getitem__(self, key: Any) -> NDArray[Any]:
        rows, *columns = key if isinstance(key, tuple) and key else (key,)
        one = isinstance(rows, int | np.integer)
        if not (one or isinstance(rows, slice) or (not columns and np.ndim(rows) == 1)):
            # Such as pairs of lists, which pick genes here and there.
            made: NDArray[Any] = self._materialise(self.places)[key]
            return made
        chromosomes = self._materialise(self.places[[rows] if one else rows])
        return chromosomes[(0 if one else slice(None), *columns)]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError(
                "the chromosomes of a low-rank population are made, not kept: copy=False."
            )
        chromosomes: NDArray[Any] = self[:].astype(
            self.dtype if dtype is None else dtype, copy=False
        )
        return chromosomes

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "at" or any(isinstance(x, LowRankPopulation) for x in options.get("out", ())):
            return NotImplemented  # there are no chromosomes to write to
        return getattr(ufunc, method)(*map(_made, inputs), **options)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        # Without it, `numpy.mean` would call the attribute of that name.
        return function(*_made(inputs), **{name: _made(value) for name, value in options.items()})

    @np.errstate(over="ignore", invalid="ignore")  # what overflows is counted where it is measured
    def _materialise(self, places: NDArray[np.int64]) -> NDArray[Any]:
        mutations = np.empty((len(places), len(self.mean)), dtype=self.dtype)
        parameters, noise = iter(reshape(mutations, self.noise.shapes)), self.noise
        factors = noise.factors(places, self.sigma)
        for (left, right), has_biases in zip(factors, noise.have_biases, strict=True):
            np.matmul(left.swapaxes(1, 2), right[:, :-1], out=next(parameters))
            if has_biases:
                next(parameters)[...] = right[:, -1]
        mutations += self.mean
        return mutations

    def copy(self) -> LowRankPopulation:
        """Return a population with a mean and places of its own."""
        return LowRankPopulation(self.mean.copy(), self.places.copy(), self.sigma, self.noise)

    def take(self, indices: NDArray[np.intp]) -> LowRankPopulation:
        """Return some of the solutions, as recipes."""
        return LowRankPopulation(self.mean, self.places[indices], self.sigma, self.noise)

    def recombine(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Return the mean plus the weighted sum of the solutions' mutations.

        With weights of sum 1 it is the weighted mean of the solutions; with weights of sum 0, the
        mean moved toward the better and away from the worse.
        """
        combined = self.noise.combine(self.places, weights)
        combined *= self.dtype.type(self.sigma)
        combined += self.mean
        return combined

    @np.errstate(over="ignore", invalid="ignore")
    def layers(self, block: slice) -> list[Factors]:
        """Return the layers of a block of solutions."""
        found: list[Factors] = []
        factors = self.noise.factors(self.places[block], self.sigma)
        for mean in reshape(self.mean, self.noise.shapes):
            if mean.ndim == 1:
                found[-1].right[:, -1] += mean
            else:
                found.append(Factors(mean, *next(factors)))
        return found


def _made(value: Any) -> Any:
    """Return read-only chromosomes for a population, also within lists and tuples."""
    if isinstance(value, list | tuple):
        return type(value)(map(_made, value))
    if not isinstance(value, LowRankPopulation):
        return value
    chromosomes = np.asarray(value)
    chromosomes.flags.writeable = False  # what is written to them would be lost
    return chromosomes
