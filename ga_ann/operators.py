"""Selection, crossover and mutation: functions of a generator and arrays, without state.

Every operator works on one row (one chromosome) at a time, so that the row stays in cache, and
writes to memory that it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ga_ann.chromosome import reshape

__all__ = [
    "CROSSOVERS",
    "MUTATIONS",
    "RECOMBINATIONS",
    "SELECTIONS",
    "centred_weights",
    "decay_weights",
    "gaussian_mutation",
    "gene_pool_crossover",
    "mean_crossover",
    "middle_crossover",
    "neuron_crossover",
    "noise_table",
    "rank_order",
    "rank_selection",
    "recombination_weights",
    "roulette_selection",
    "single_point_crossover",
    "step_mutation",
    "tournament_selection",
    "truncation_selection",
    "two_point_crossover",
    "uniform_crossover",
    "uniform_mutation",
    "weighted_mean",
]

TABLE_SIZE = 2**19
"""Number of places where a slice of the noise table may begin."""

Population = NDArray[Any]
Noise = NDArray[Any]
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


# ------------------------------------------------------------------------------------- noise


def noise_table(rng: np.random.Generator, n_genes: int, dtype: DTypeLike) -> Noise:
    """Draw the table of normal numbers that a run's operators take slices of.

    Drawing a normal number takes ten times as long as reading one. A slice that begins at a random
    place stands for `n_genes` independent draws: its magnitudes for mutation, its signs (fair
    coins) for crossover. Two slices share numbers only where they overlap, and then at other genes
    unless they begin at the very same place, which one pair of offspring in `TABLE_SIZE` does.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of randomness.
    n_genes : int
        Length of the slices.
    dtype : {numpy.float32, numpy.float64}
        Precision of the numbers.

    Returns
    -------
    ndarray of shape (TABLE_SIZE + n_genes - 1,)
    """
    kind: Any = np.dtype(dtype).type
    return rng.standard_normal(TABLE_SIZE + n_genes - 1, dtype=kind)


def _slices(rng: np.random.Generator, table: Noise, n_slices: int, n_genes: int) -> Iterator[Noise]:
    for start in rng.integers(len(table) - n_genes + 1, size=n_slices):
        yield table[start : start + n_genes]


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
    rng: np.random.Generator, parents: Population, out: Population, shapes: Shapes, table: Noise
) -> None:
    """Take the genes before a random point from one parent, the others from another."""
    points = rng.integers(1, max(out.shape[1], 2), size=len(out))
    for child, point, (a, b) in zip(out, points, _families(rng, parents, len(out)), strict=True):
        child[:point] = a[:point]
        child[point:] = b[point:]


def two_point_crossover(
    rng: np.random.Generator, parents: Population, out: Population, shapes: Shapes, table: Noise
) -> None:
    """Take the genes between two random points from one parent, the others from another."""
    points = np.sort(rng.integers(out.shape[1] + 1, size=(len(out), 2)), axis=1)
    families = _families(rng, parents, len(out))
    for child, (start, stop), (a, b) in zip(out, points, families, strict=True):
        child[:] = a
        child[start:stop] = b[start:stop]


def uniform_crossover(
    rng: np.random.Generator, parents: Population, out: Population, shapes: Shapes, table: Noise
) -> None:
    """Take each gene from either of two parents, at random [Syswerda, 1989].

    The coins are the signs of a slice of the table. Bits are selected with bits,
    ``a ^ ((a ^ b) & mask)``: a branch for each gene would be mispredicted every other time.
    """
    n_bits = 8 * out.dtype.itemsize
    bits = np.dtype(f"i{out.dtype.itemsize}")
    mask = np.empty(out.shape[1], dtype=bits)
    coins = _slices(rng, table.view(bits), len(out), out.shape[1])
    for child, (a, b), coin in zip(
        out.view(bits), _families(rng, parents.view(bits), len(out)), coins, strict=True
    ):
        np.right_shift(coin, n_bits - 1, out=mask)  # the sign, in every bit
        np.bitwise_xor(a, b, out=child)
        child &= mask
        child ^= a


def neuron_crossover(
    rng: np.random.Generator, parents: Population, out: Population, shapes: Shapes, table: Noise
) -> None:
    """Take each neuron (its incoming weights and its bias) from either of two parents."""
    neurons = _neuron_of_gene(shapes)
    coins = rng.random((len(out), int(neurons[-1]) + 1)) < 0.5
    for child, (a, b), coin in zip(out, _families(rng, parents, len(out)), coins, strict=True):
        np.copyto(child, a)
        np.copyto(child, b, where=coin[neurons])


def middle_crossover(
    rng: np.random.Generator, parents: Population, out: Population, shapes: Shapes, table: Noise
) -> None:
    """Take the first half of one parent and the second half of the next one, as the tutorial does.

    Offspring k descends from the parents k and k + 1, counted round and round.
    """
    middle = out.shape[1] // 2
    k = np.arange(len(out))
    out[:, :middle] = parents[k % len(parents), :middle]
    out[:, middle:] = parents[(k + 1) % len(parents), middle:]


def gene_pool_crossover(
    rng: np.random.Generator, parents: Population, out: Population, shapes: Shapes, table: Noise
) -> None:
    """Take each gene from any of the parents, with the chances of `recombination_weights`.

    On average the offspring are the parents' `weighted_mean`, but each gene is one that a parent
    has. Known as gene pool recombination [Muehlenbein and Voigt, 1996] and, with equal chances, as
    global discrete recombination.
    """
    # A random byte picks the parent: the chances are rounded to multiples of 1/256.
    bounds = np.round(256 * np.cumsum(recombination_weights(len(parents)))).astype(int)
    parent_of_byte = np.searchsorted(bounds, np.arange(256), side="right").astype(np.intp)
    places = np.arange(out.shape[1])
    flat = parents.ravel()
    for child in out:
        sources = parent_of_byte[np.frombuffer(rng.bytes(len(places)), dtype=np.uint8)]
        sources *= len(places)
        sources += places
        np.take(flat, sources, out=child, mode="clip")  # "raise" would copy


def mean_crossover(
    rng: np.random.Generator, parents: Population, out: Population, shapes: Shapes, table: Noise
) -> None:
    """Make every offspring the weighted mean of all parents, for mutation to tell them apart."""
    out[:] = weighted_mean(parents)


@lru_cache(maxsize=64)  # a run asks for the same ones every generation
def centred_weights(n: int) -> NDArray[np.float64]:
    """Return weights of sum 0 that fall with the rank of `n` solutions: the worse half is negative.

    They are ``max(0, log(n/2 + 1) - log(k))``, k = 1 ... n, divided by their sum, minus ``1/n``:
    the fitness shaping of natural evolution strategies [Wierstra et al., 2014, section 3.1]. What
    the worse solutions have in common is as well known as what the better ones have, and moving
    away from it is worth as much.

    Examples
    --------
    >>> centred_weights(4).round(3)
    array([ 0.48,  0.02, -0.25, -0.25])
    """
    weights = np.maximum(0, np.log(n / 2 + 1) - np.log(np.arange(1, n + 1)))
    centred: NDArray[np.float64] = weights / weights.sum() - 1 / n
    centred.flags.writeable = False
    return centred


def weighted_mean(parents: Population) -> NDArray[Any]:
    """Return the mean of the parents, best first, with weights that fall with their rank.

    Examples
    --------
    >>> weighted_mean(np.array([[1.0, 0.0], [0.0, 1.0]])).round(3)
    array([0.804, 0.196])
    """
    mean: NDArray[Any] = recombination_weights(len(parents)).astype(parents.dtype) @ parents
    return mean


@lru_cache(maxsize=64)
def recombination_weights(n: int) -> NDArray[np.float64]:
    """Return weights of sum 1 that fall with the rank of `n` parents.

    They are in proportion to ``log(n + 1/2) - log(k)``, k = 1 ... n, as in evolution strategies
    with global weighted recombination [Hansen and Ostermeier, 2001; Hansen, 2016, eq. 49].
    """
    weights = np.log(n + 0.5) - np.log(np.arange(1, n + 1))
    normalised: NDArray[np.float64] = weights / weights.sum()
    normalised.flags.writeable = False
    return normalised


def decay_weights(chromosomes: Population, shapes: Shapes, share: float) -> None:
    """Take a share of every weight away, in place; biases stay as they are.

    Applied to the parents in proportion to the mutation's `sigma`, as the decoupled weight decay
    of gradient descent is to the learning rate [Loshchilov and Hutter, 2019].

    Parameters
    ----------
    chromosomes : ndarray of shape (n_solutions, n_genes)
        They are changed.
    shapes : sequence of tuple of int
        Shapes of the network's parameters, see `layer_shapes`.
    share : float in [0, 1]
        What each weight loses; 0 is the identity.

    Examples
    --------
    >>> parents = np.array([[1.0, 2.0, 3.0]])
    >>> decay_weights(parents, [(1, 2), (1,)], 0.5)
    >>> parents
    array([[0.5, 1. , 3. ]])
    """
    if share == 0:
        return
    for parameter in reshape(chromosomes, shapes):
        if parameter.ndim == 3:
            parameter *= parameter.dtype.type(1 - share)


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
    table: Noise | None = None,
) -> None:
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
    table : ndarray, optional
        Where to take the noise from, see `noise_table`; None draws every number anew.
    """
    n_changed = _count_changed(offspring.shape[1], rate)
    kind: Any = offspring.dtype.type
    noise: Iterable[Noise]
    if table is None:
        noise = (rng.standard_normal(n_changed, dtype=kind) for _ in range(len(offspring)))
    else:
        noise = _slices(rng, table, len(offspring), n_changed)
    _add_noise(rng, offspring, scale, noise)


def uniform_mutation(
    rng: np.random.Generator,
    offspring: Population,
    scale: NDArray[Any],
    *,
    rate: float = 1.0,
    table: Noise | None = None,
) -> None:
    """Add uniform noise to a share of the genes of every offspring, in place.

    Parameters
    ----------
    rng, offspring, rate
        As in `gaussian_mutation`.
    scale : ndarray of shape (n_genes,)
        Standard deviation of the noise, gene by gene: U(-h, h) has ``h = sqrt(3) * scale``.
    table : ndarray, optional
        Not used; uniform numbers are always drawn anew.
    """
    n_changed = _count_changed(offspring.shape[1], rate)
    kind: Any = offspring.dtype.type
    width = kind(2 * 3**0.5)
    noise = ((rng.random(n_changed, dtype=kind) - kind(0.5)) * width for _ in range(len(offspring)))
    _add_noise(rng, offspring, scale, noise)


def step_mutation(
    rng: np.random.Generator,
    offspring: Population,
    values: NDArray[Any],
    *,
    sigma: float = 1.0,
    rate: float = 1.0,
) -> None:
    """Move a share of the genes of every offspring up or down a set of values, in place.

    The number of places that a gene moves is a rounded normal number, at least 1; what would leave
    the set comes back from its end.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of randomness.
    offspring : ndarray of shape (n_offspring, n_genes)
        The chromosomes, all of them values of the set; they are changed.
    values : ndarray of shape (n_values,)
        The set: at least two numbers, sorted.
    sigma : float, default=1.0
        Standard deviation of the moves, in units of that of the set's places.
    rate : float in [0, 1], default=1.0
        Share of the genes that move, rounded; at least one gene unless it is zero.

    Examples
    --------
    >>> offspring = np.array([[-1.0, 0.0, 1.0, 0.0]])
    >>> step_mutation(np.random.default_rng(0), offspring, np.array([-1.0, 0.0, 1.0]))
    >>> offspring
    array([[0., 1., 0., 1.]])
    """
    last = len(values) - 1
    spread = sigma * np.arange(len(values)).std()
    n_changed = _count_changed(offspring.shape[1], rate)
    for child in offspring:
        genes = rng.choice(len(child), size=n_changed, replace=False, shuffle=False)
        moves = spread * rng.standard_normal(n_changed)
        moves = np.copysign(np.clip(np.rint(np.abs(moves)), 1, 2**31), moves).astype(np.intp)
        places = np.searchsorted(values, child[genes]) + moves
        # Reflected at both ends, however far the move would go.
        places = np.abs((places + last) % (2 * last) - last)
        child[genes] = values[places]


def _count_changed(n_genes: int, rate: float) -> int:
    return min(n_genes, max(round(rate * n_genes), int(rate > 0)))


def _add_noise(
    rng: np.random.Generator,
    offspring: Population,
    scale: NDArray[Any],
    noise: Iterable[NDArray[Any]],
) -> None:
    n_genes = offspring.shape[1]
    scaled = np.empty(n_genes, dtype=offspring.dtype)
    for child, own in zip(offspring, noise, strict=True):
        if len(own) == n_genes:
            np.multiply(own, scale, out=scaled)
            child += scaled
        else:
            genes = rng.choice(n_genes, size=len(own), replace=False, shuffle=False)
            child[genes] += own * scale[genes]


SELECTIONS: dict[str, Callable[..., NDArray[np.intp]]] = {
    "rank": rank_selection,
    "roulette": roulette_selection,
    "tournament": tournament_selection,
    "truncation": truncation_selection,
}
"""Selections by name: ``f(rng, fitness, n_parents) -> indices``."""

CROSSOVERS: dict[str, Callable[..., None]] = {
    "gene_pool": gene_pool_crossover,
    "mean": mean_crossover,
    "middle": middle_crossover,
    "neuron": neuron_crossover,
    "single_point": single_point_crossover,
    "two_point": two_point_crossover,
    "uniform": uniform_crossover,
}
"""Crossovers by name: ``f(rng, parents, out, shapes, table)`` fills the rows of `out`."""

RECOMBINATIONS: dict[str, Callable[[int], NDArray[np.float64]]] = {
    "centred": centred_weights,
    "parents": recombination_weights,
}
"""Weights of the mean crossover by name, best first: ``"parents"``, the weighted mean of the
parents (`recombination_weights`), and ``"centred"``, the mean before, moved toward the better half
of all solutions and away from the worse one (`centred_weights`)."""

MUTATIONS: dict[str, Callable[..., None]] = {
    "gaussian": gaussian_mutation,
    "uniform": uniform_mutation,
}
"""Mutations by name: ``f(rng, offspring, scale, rate=..., table=...)`` changes `offspring`."""
