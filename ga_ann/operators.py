"""Selection, crossover and mutation: functions of a generator and arrays, without state.

Every operator works on one row (one chromosome) at a time, so that the row stays in cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CROSSOVERS",
    "MUTATIONS",
    "SELECTIONS",
    "gaussian_mutation",
    "middle_crossover",
    "neuron_crossover",
    "rank_order",
    "rank_selection",
    "roulette_selection",
    "single_point_crossover",
    "tournament_selection",
    "truncation_selection",
    "two_point_crossover",
    "uniform_crossover",
    "uniform_mutation",
]

Population = NDArray[Any]
Shapes = Sequence[tuple[int, ...]]


# --------------------------------------------------------------------------------- selection


def rank_order(fitness: NDArray[Any]) -> NDArray[np.intp]:
    """Return the indices of the solutions from best to worst; NaN is worst, ties keep their order.

    Examples
    --------
    >>> rank_order(np.array([0.2, np.nan, 0.9, 0.2]))
    array([2, 0, 3, 1])
    """
    order: NDArray[np.intp] = np.argsort(-fitness, kind="stable")
    return order


def truncation_selection(
    rng: np.random.Generator, fitness: NDArray[Any], n_parents: int
) -> NDArray[np.intp]:
    """Return the indices of the `n_parents` best solutions, best first.

    Examples
    --------
    >>> truncation_selection(np.random.default_rng(0), np.array([0.1, 0.9, 0.5]), 2)
    array([1, 2])
    """
    return rank_order(fitness)[:n_parents]


def tournament_selection(
    rng: np.random.Generator, fitness: NDArray[Any], n_parents: int, *, size: int = 3
) -> NDArray[np.intp]:
    """Return the winners of `n_parents` tournaments among `size` solutions drawn at random."""
    place = np.empty(len(fitness), dtype=np.intp)
    place[rank_order(fitness)] = np.arange(len(fitness))
    rivals = rng.integers(len(fitness), size=(n_parents, size))
    winners: NDArray[np.intp] = rivals[np.arange(n_parents), place[rivals].argmin(axis=1)]
    return winners


def rank_selection(
    rng: np.random.Generator, fitness: NDArray[Any], n_parents: int
) -> NDArray[np.intp]:
    """Draw parents with a probability that falls linearly with their rank, down to 1/n of it."""
    order = rank_order(fitness)
    shares = np.arange(len(fitness), 0, -1, dtype=np.float64)
    return rng.choice(order, size=n_parents, p=shares / shares.sum())


def roulette_selection(
    rng: np.random.Generator, fitness: NDArray[Any], n_parents: int
) -> NDArray[np.intp]:
    """Draw parents with a probability in proportion to their fitness.

    Where some fitness is negative, the lowest one is taken as zero. A solution whose fitness is
    not finite is never drawn, unless no fitness is finite.
    """
    finite = np.isfinite(fitness)
    shares = np.where(finite, fitness, 0.0).astype(np.float64)
    if (shares < 0).any():
        shares = np.where(finite, shares - shares[finite].min(), 0.0)
    if not shares.sum() > 0:
        shares = (finite if finite.any() else ~finite).astype(np.float64)
    return rng.choice(len(fitness), size=n_parents, p=shares / shares.sum())


# --------------------------------------------------------------------------------- crossover


def _families(
    rng: np.random.Generator, parents: Population, n_offspring: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Pair two different parents, drawn at random, for each offspring."""
    n = len(parents)
    mothers = rng.integers(n, size=n_offspring)
    fathers = (mothers + rng.integers(1, max(n, 2), size=n_offspring)) % n
    for mother, father in zip(mothers, fathers, strict=True):
        yield parents[mother], parents[father]


def single_point_crossover(
    rng: np.random.Generator, parents: Population, n_offspring: int, shapes: Shapes
) -> Population:
    """Take the genes before a random point from one parent, the others from another."""
    n_genes = parents.shape[1]
    offspring = np.empty((n_offspring, n_genes), dtype=parents.dtype)
    points = rng.integers(1, max(n_genes, 2), size=n_offspring)
    for child, point, (a, b) in zip(
        offspring, points, _families(rng, parents, n_offspring), strict=True
    ):
        child[:point] = a[:point]
        child[point:] = b[point:]
    return offspring


def two_point_crossover(
    rng: np.random.Generator, parents: Population, n_offspring: int, shapes: Shapes
) -> Population:
    """Take the genes between two random points from one parent, the others from another."""
    n_genes = parents.shape[1]
    offspring = np.empty((n_offspring, n_genes), dtype=parents.dtype)
    points = np.sort(rng.integers(n_genes + 1, size=(n_offspring, 2)), axis=1)
    for child, (start, stop), (a, b) in zip(
        offspring, points, _families(rng, parents, n_offspring), strict=True
    ):
        child[:] = a
        child[start:stop] = b[start:stop]
    return offspring


def uniform_crossover(
    rng: np.random.Generator, parents: Population, n_offspring: int, shapes: Shapes
) -> Population:
    """Take each gene from either of two parents, at random [Syswerda, 1989]."""
    n_genes = parents.shape[1]
    offspring = np.empty((n_offspring, n_genes), dtype=parents.dtype)
    for child, (a, b) in zip(offspring, _families(rng, parents, n_offspring), strict=True):
        np.copyto(child, a)
        np.copyto(child, b, where=_coins(rng, n_genes))
    return offspring


def neuron_crossover(
    rng: np.random.Generator, parents: Population, n_offspring: int, shapes: Shapes
) -> Population:
    """Take each neuron (its incoming weights and its bias) from either of two parents."""
    offspring = np.empty((n_offspring, parents.shape[1]), dtype=parents.dtype)
    neurons = _neuron_of_gene(shapes)
    n_neurons = int(neurons[-1]) + 1
    for child, (a, b) in zip(offspring, _families(rng, parents, n_offspring), strict=True):
        np.copyto(child, a)
        np.copyto(child, b, where=_coins(rng, n_neurons)[neurons])
    return offspring


def middle_crossover(
    rng: np.random.Generator, parents: Population, n_offspring: int, shapes: Shapes
) -> Population:
    """Take the first half of one parent and the second half of the next one, as the tutorial does.

    Offspring k descends from the parents k and k + 1, counted round and round.
    """
    middle = parents.shape[1] // 2
    k = np.arange(n_offspring)
    offspring = parents[k % len(parents)]
    offspring[:, middle:] = parents[(k + 1) % len(parents), middle:]
    return offspring


def _coins(rng: np.random.Generator, n: int) -> NDArray[np.bool_]:
    """Toss `n` fair coins, eight to a random byte."""
    return np.unpackbits(np.frombuffer(rng.bytes((n + 7) // 8), np.uint8), count=n).view(np.bool_)


def _neuron_of_gene(shapes: Shapes) -> NDArray[np.intp]:
    """Return the number of the neuron that each gene belongs to; a bias belongs to its matrix."""
    neurons, first = [], 0
    for k, shape in enumerate(shapes):
        own = np.broadcast_to(np.arange(shape[-1]), shape).ravel()
        if len(shape) == 2 and k:
            first += shapes[k - 1][-1]
        neurons.append(own + first)
    return np.concatenate(neurons)


# ---------------------------------------------------------------------------------- mutation


def gaussian_mutation(
    rng: np.random.Generator,
    offspring: Population,
    scale: NDArray[Any],
    *,
    rate: float = 1.0,
) -> Population:
    """Add normal noise to a share of the genes of every offspring, in place.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of randomness.
    offspring : ndarray of shape (n_offspring, n_genes)
        The chromosomes; they are changed.
    scale : ndarray of shape (n_genes,)
        Standard deviation of the noise, gene by gene; all zeros is the identity.
    rate : float in [0, 1], default=1.0
        Share of the genes that change, rounded; at least one gene unless it is zero.

    Returns
    -------
    ndarray
        `offspring` itself.
    """
    return _add_noise(offspring, scale, rate, rng, rng.standard_normal)


def uniform_mutation(
    rng: np.random.Generator,
    offspring: Population,
    scale: NDArray[Any],
    *,
    rate: float = 1.0,
) -> Population:
    """Add uniform noise to a share of the genes of every offspring, in place.

    Parameters
    ----------
    rng, offspring, rate
        As in `gaussian_mutation`.
    scale : ndarray of shape (n_genes,)
        Standard deviation of the noise, gene by gene: U(-h, h) has ``h = sqrt(3) * scale``.

    Returns
    -------
    ndarray
        `offspring` itself.
    """

    def centred(n: int, dtype: Any) -> NDArray[Any]:
        noise: NDArray[Any] = (rng.random(n, dtype=dtype) * 2 - 1) * dtype.type(3**0.5)
        return noise

    return _add_noise(offspring, scale, rate, rng, centred)


def _add_noise(
    offspring: Population,
    scale: NDArray[Any],
    rate: float,
    rng: np.random.Generator,
    draw: Callable[..., NDArray[Any]],
) -> Population:
    n_genes = offspring.shape[1]
    n_changed = min(n_genes, max(round(rate * n_genes), int(rate > 0)))
    for child in offspring:
        noise = draw(n_changed, dtype=offspring.dtype)
        if n_changed == n_genes:
            noise *= scale
            child += noise
        else:
            genes = rng.choice(n_genes, size=n_changed, replace=False, shuffle=False)
            child[genes] += noise * scale[genes]
    return offspring


SELECTIONS: dict[str, Callable[..., NDArray[np.intp]]] = {
    "rank": rank_selection,
    "roulette": roulette_selection,
    "tournament": tournament_selection,
    "truncation": truncation_selection,
}
"""Selections by name: ``f(rng, fitness, n_parents) -> indices``."""

CROSSOVERS: dict[str, Callable[..., Population]] = {
    "middle": middle_crossover,
    "neuron": neuron_crossover,
    "single_point": single_point_crossover,
    "two_point": two_point_crossover,
    "uniform": uniform_crossover,
}
"""Crossovers by name: ``f(rng, parents, n_offspring, shapes) -> offspring``."""

MUTATIONS: dict[str, Callable[..., Population]] = {
    "gaussian": gaussian_mutation,
    "uniform": uniform_mutation,
}
"""Mutations by name: ``f(rng, offspring, scale, rate=...) -> offspring``, in place."""
