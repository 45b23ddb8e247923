"""The genetic algorithm on weights: recipes, and `evolve`, which follows them."""

from ga_ann.evolution.engine import NetworkGA
from ga_ann.evolution.evolve import EvolutionResult, evolve
from ga_ann.evolution.machine import count_free_threads, one_blas_thread
from ga_ann.evolution.recipe import RECIPES, Recipe, find_recipe

__all__ = [
    "RECIPES",
    "EvolutionResult",
    "NetworkGA",
    "Recipe",
    "count_free_threads",
    "evolve",
    "find_recipe",
    "one_blas_thread",
]
