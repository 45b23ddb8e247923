"""Breeding: how a generation comes of the one before, from its parents' numbers and a generator.

It is done where the run is, by the engine; and again by every worker of a cluster, which then has
the same population without having been sent it.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ga_ann.evolution.problem import Problem
from ga_ann.evolution.recipe import Recipe
from ga_ann.low_rank import LowRankNoise, LowRankPopulation
from ga_ann.operators import (
    CROSSOVERS,
    MUTATIONS,
    RECOMBINATIONS,
    decay_weights,
    noise_table,
    step_mutation,
)
from ga_ann.state import State

__all__ = ["Breeder", "Descent", "Place", "next_mean"]

Population = NDArray[Any] | LowRankPopulation


class Descent(NamedTuple):
    """How a generation comes of the one before.

    Attributes
    ----------
    parents : ndarray of int
        Which solutions of the generation before are its parents, in their order.
    elites : ndarray of int
        Which of them go on as they are.
    rng : numpy.random.Generator
        As it stands when the parents are chosen.
    sigma : float
        Strength of the mutation.
    """

    parents: NDArray[np.intp]
    elites: NDArray[np.intp]
    rng: np.random.Generator
    sigma: float


class Place(NamedTuple):
    """Where solutions stand among those that a run has bred.

    Attributes
    ----------
    number : int
        Of their generation; 0 for the one that the run began with.
    descent : Descent or None
        How it came of the one before; None where that is not told.
    first : int
        Which of the generation's solutions is the first of them; the others follow.
    """

    number: int = 0
    descent: Descent | None = None
    first: int = 0


def next_mean(
    population: Population,
    mean: NDArray[Any] | None,
    recipe: Recipe,
    parents: NDArray[np.intp],
) -> NDArray[Any]:
    """Return the mean of the next generation's offspring, before weight decay.

    Parameters
    ----------
    population : ndarray or LowRankPopulation, of shape (n_solutions, n_genes)
        The generation before.
    mean : ndarray of shape (n_genes,) or None
        What its chromosomes are mutations of; None where they are not, or where they know.
    recipe : Recipe
        Of the search.
    parents : ndarray of int
        Which of the solutions count, in their order.
    """
    weights = RECOMBINATIONS[recipe.recombination](len(parents))  # type: ignore[index]
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(population, LowRankPopulation):
            return population.take(parents).recombine(weights)
        moved: NDArray[Any] = weights.astype(population.dtype) @ population[parents]
        if recipe.recombination == "centred":
            moved += population.mean(axis=0) if mean is None else mean
    return moved


@dataclass(frozen=True, eq=False)
class Breeder:
    """The operators of a run: those of this package, by the names that the recipe has for them.

    Attributes
    ----------
    recipe : Recipe
        Of the search, resolved.
    shapes : list of tuple of int
        Shapes of the network's parameters.
    scale : ndarray of shape (n_genes,)
        Standard deviation of each gene's mutation, in units of sigma; empty for low-rank mutation.
    values : ndarray
        The values that weights may have; empty for any.
    noise_seed : int
        Of the noise table.
    noise : LowRankNoise or None
        What low-rank mutations come from.
    """

    recipe: Recipe
    shapes: list[tuple[int, ...]]
    scale: NDArray[Any]
    values: NDArray[Any]
    noise_seed: int
    noise: LowRankNoise | None

    @classmethod
    def of(cls, problem: Problem, state: State) -> Self:
        """Return the operators for a run on a problem."""
        recipe = problem.recipe
        low_rank = isinstance(state.population, LowRankPopulation)
        return cls(
            recipe,
            problem.shapes,
            np.empty(0) if low_rank else problem.scale,
            np.asarray(problem.weight_values or (), dtype=recipe.dtype),
            state.noise_seed,
            state.population.noise if isinstance(state.population, LowRankPopulation) else None,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave the table out, which its seed stands for."""
        return {name: value for name, value in vars(self).items() if name != "_table"}

    @cached_property
    def _table(self) -> NDArray[Any]:
        # A generator of its own: a run that goes on draws the same table again.
        rng = np.random.default_rng(self.noise_seed)
        return noise_table(rng, len(self.scale), self.recipe.dtype)

    @property
    def is_centred(self) -> bool:
        """Whether all offspring are mutations of one mean that selection moves."""
        return self.recipe.crossover == "mean" and self.recipe.recombination == "centred"

    @property
    def is_ours(self) -> bool:
        """Whether crossover and mutation are this package's, which a generator says all of."""
        names = (self.recipe.crossover, self.recipe.mutation)
        return names[0] in CROSSOVERS and names[1] in (*MUTATIONS, "low_rank", "step")

    # ------------------------------------------------------------ one operator after the other

    def decay(self, chromosomes: NDArray[Any], sigma: float) -> None:
        """Take from the weights of parents, or of a mean, what a generation takes away."""
        weight_decay: Any = self.recipe.weight_decay  # once resolved
        decay_weights(chromosomes, self.shapes, weight_decay * sigma)

    def move_mean(
        self,
        population: Population,
        mean: NDArray[Any] | None,
        parents: NDArray[np.intp],
        sigma: float,
    ) -> NDArray[Any]:
        """Return the mean of the next generation's offspring; see `next_mean`."""
        moved = next_mean(population, mean, self.recipe, parents)
        self.decay(moved[None], sigma)
        return moved

    def cross(
        self, rng: np.random.Generator, parents: NDArray[Any], offspring: NDArray[Any]
    ) -> None:
        """Fill the offspring with what the parents' genes make."""
        name: Any = self.recipe.crossover
        CROSSOVERS[name](rng, parents, offspring, shapes=self.shapes, table=self._table)

    def mutate(self, rng: np.random.Generator, offspring: NDArray[Any], sigma: float) -> None:
        """Mutate the offspring, in place."""
        rate: Any = self.recipe.mutation_rate
        name: Any = self.recipe.mutation
        if name == "step":
            at_rate = min(1.0, rate * sigma)
            step_mutation(rng, offspring, self.values, sigma=sigma, rate=at_rate)
            return
        table = self._table if self.recipe.noise == "table" else None
        scale = self.scale * self.scale.dtype.type(sigma)
        MUTATIONS[name](rng, offspring, scale, rate=rate, table=table)

    # ------------------------------------------------------------ all of them

    @np.errstate(over="ignore", invalid="ignore")
    def breed(
        self, population: Population, mean: NDArray[Any] | None, descent: Descent
    ) -> tuple[Population, NDArray[Any] | None]:
        """Return the next generation and its mean, as the engine bred them.

        Parameters
        ----------
        population, mean
            The generation before, see `next_mean`; they are not modified.
        descent : Descent
            How the next one comes of it.
        """
        parents, elites, sigma = descent.parents, descent.elites, descent.sigma
        rng = deepcopy(descent.rng)
        if isinstance(population, LowRankPopulation):
            moved = self.move_mean(population, None, parents, sigma)
            return population.noise.draw_around(rng, moved, len(population), sigma), None
        bred = np.empty_like(population)
        bred[: len(elites)] = population[elites]
        offspring = bred[len(elites) :]
        if self.is_centred:
            mean = self.move_mean(population, mean, parents, sigma)
            offspring[:] = mean
        else:
            rows = population[parents]
            self.decay(rows, sigma)
            self.cross(rng, rows, offspring)
        self.mutate(rng, offspring, sigma)
        return bred, mean
