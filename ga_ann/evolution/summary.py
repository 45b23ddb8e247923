"""What a run does, told in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ga_ann.evolution.recipe import (
    PYGAD_CROSSOVERS,
    PYGAD_MUTATIONS,
    PYGAD_SELECTIONS,
    Recipe,
    name_of,
)
from ga_ann.history import History
from ga_ann.network import describe_shapes
from ga_ann.operators import CROSSOVERS

if TYPE_CHECKING:
    from ga_ann.evolution.run import Run

__all__ = ["summarise"]

WITHOUT_RATE = ("low_rank", "inversion", "scramble", "swap")
"""Mutations that take no share of the genes."""

BY_UNIT_RANGE = ("random", "adaptive")
"""PyGAD's mutations that add numbers of U(-1, 1)."""


def summarise(run: Run, line_length: int = 70) -> str:
    """Return a table of what a run has done so far, step by step.

    Parameters
    ----------
    run : Run
        The run, in progress or at its end.
    line_length : int, default=70
        Length of the rules between the rows.
    """
    rows = _rows(run)
    width = max(map(len, rows)) + 2
    lines = [f"{step:<{width}}{what}" for step, what in rows.items()]
    rule = "=" * line_length
    return "\n".join(["Genetic algorithm on the weights of a network", rule, *lines, rule, ""])


def _rows(run: Run) -> dict[str, str]:
    state, problem, recipe = run.state, run.problem, run.problem.recipe
    n_solutions, n_genes = state.population.shape
    own, settings = state.own_history, problem.settings
    n_done = state.generation - max(0, state.beginning.n_rows - 1)
    rows = {
        "Network": f"{describe_shapes(problem.shapes)}, {recipe.activation}, then "
        f"{recipe.output_activation}",
        "Population": f"{n_solutions} solutions of {n_genes:,} genes ({recipe.dtype})",
        "Fitness": problem.metric,
        "Ranking": "by the fitness" if problem.ranking is None else settings["ranking"],
        "Samples": _samples(own, state.schedule.n_samples),
        "Selection": f"{_name(recipe.selection, PYGAD_SELECTIONS)}, {recipe.n_parents} parents",
        "Crossover": _crossover(recipe),
        "Mutation": _mutation(recipe, own),
        "Elites": f"{recipe.n_elites} unchanged",
        "Generations": f"{n_done:,} of {run.limits.n_generations:,} at most",
    }
    if problem.weight_values is not None:
        rows["Weights"] = f"{len(problem.weight_values)} values: {settings['weight_set']}"
    if state.random_state is not None:
        rows["Random state"] = str(state.random_state)
    return rows


def _samples(history: History, n_samples: int) -> str:
    sizes = [int(size) for size in history["n_samples"]] or [n_samples]
    if min(sizes) >= n_samples:
        return f"all {n_samples:,} in every generation"
    change = _change(f"{sizes[0]:,}", f"{sizes[-1]:,}")
    return f"batches of {change} of {n_samples:,}, drawn for each generation"


def _name(operator: str, pygads: tuple[str, ...]) -> str:
    return f"{name_of(operator)} of PyGAD" if operator in pygads else name_of(operator)


def _crossover(recipe: Recipe) -> str:
    parts = [_name(recipe.crossover or "", PYGAD_CROSSOVERS)]
    if recipe.crossover == "mean":
        parts.append(f"{recipe.recombination} recombination")
    if recipe.crossover in CROSSOVERS:
        parts.append(f"weight decay {recipe.weight_decay:.3g}")
    return ", ".join(parts)


def _mutation(recipe: Recipe, history: History) -> str:
    parts = [_name(recipe.mutation or "", PYGAD_MUTATIONS)]
    if recipe.mutation == "low_rank":
        parts.append(f"rank {recipe.rank}")
    if recipe.mutation not in WITHOUT_RATE:
        parts.append(f"rate {recipe.mutation_rate}")
    if recipe.mutation in BY_UNIT_RANGE:
        parts.append("by U(-1, 1)")
    if recipe.mutation not in PYGAD_MUTATIONS:
        sigmas = history["sigma"] if len(history) else [recipe.sigma]
        parts.append(f"sigma {_change(f'{sigmas[0]:.3g}', f'{sigmas[-1]:.3g}')}")
    return ", ".join(parts)


def _change(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
