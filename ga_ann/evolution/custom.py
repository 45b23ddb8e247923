"""A run's custom parts: called with what the problem knows, and tried before the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann import parts
from ga_ann.evolution.evaluation import read_only
from ga_ann.evolution.memory import available_memory
from ga_ann.evolution.problem import Problem
from ga_ann.weight_sets import is_inside

__all__ = ["check_parts", "cross", "mutate"]

COPIES = 12
"""Times that a check may hold the offspring in the memory that is left: twice what it does."""


def cross(
    problem: Problem, rng: np.random.Generator, parents: NDArray[Any], n_offspring: int
) -> NDArray[Any]:
    """Return the offspring that the recipe's custom crossover makes."""
    function: Any = problem.recipe.crossover
    offspring = parts.cross(function, rng, parents, n_offspring, tuple(problem.shapes))
    return _check_inside(problem, "crossover", function, offspring)


def mutate(
    problem: Problem, rng: np.random.Generator, offspring: NDArray[Any], sigma: float
) -> NDArray[Any]:
    """Return what the recipe's custom mutation makes of the offspring."""
    function: Any = problem.recipe.mutation
    rate: Any = problem.recipe.mutation_rate
    scale = problem.scale
    if problem.weight_values is not None:
        scale = np.full_like(scale, np.std(problem.weight_values))
    scale = read_only(scale * scale.dtype.type(sigma))
    mutated = parts.mutate(function, rng, offspring, scale, rate)
    return _check_inside(problem, "mutation", function, mutated)


def _check_inside(
    problem: Problem, what: str, function: Callable[..., Any], rows: NDArray[Any]
) -> NDArray[Any]:
    if problem.weight_values is not None and not is_inside(rows, problem.weight_values):
        raise ValueError(f"{what}={parts.name_of(function)} must return values of the weight_set.")
    return rows


def check_parts(problem: Problem) -> None:
    """Call each custom part of the recipe on a sample, and refuse what breaks the rules.

    The sample of an operator has the run's numbers of solutions, parents, genes and, where there is
    the memory, offspring; see `ga_ann.parts`.

    Raises
    ------
    ValueError
        The message names the part.
    """
    recipe, rng = problem.recipe, np.random.default_rng(0)
    given: Any = recipe.activation
    for activation in given if isinstance(given, tuple) else (given,):
        if callable(activation):
            parts.check_activation(activation)
    if callable(recipe.output_activation):
        parts.check_activation(recipe.output_activation, "output_activation")
    if callable(select := recipe.selection):
        fitness = rng.random(problem.population_size).round(1)  # some are equal
        fitness[-1] = np.nan
        sample = {"fitness": fitness, "n_parents": recipe.n_parents}
        parts.check_operator(
            "selection", lambda rng, *given: parts.select(select, rng, *given), select, sample
        )
    n_offspring = _count_offspring(problem)
    if callable(recipe.crossover):
        sample = {"parents": problem.draw_population(rng, recipe.n_parents)}
        sample["n_offspring"] = n_offspring
        parts.check_operator(
            "crossover", lambda rng, *given: cross(problem, rng, *given), recipe.crossover, sample
        )
    if callable(recipe.mutation):
        sample = {"offspring": problem.draw_population(rng, n_offspring)}
        sigma: Any = recipe.sigma
        parts.check_operator(
            "mutation",
            lambda rng, offspring: mutate(problem, rng, offspring, sigma),
            recipe.mutation,
            sample,
        )


def _count_offspring(problem: Problem) -> int:
    """Return as many offspring as a run has, or as many as leave room for the copies of a check."""
    row = problem.n_genes * np.dtype(problem.recipe.dtype).itemsize
    n_elites: Any = problem.recipe.n_elites  # once resolved
    return int(
        max(1, min(problem.population_size - n_elites, available_memory() // (COPIES * row)))
    )
