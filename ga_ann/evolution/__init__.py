"""The genetic algorithm on weights."""

from ga_ann.evolution.evolve import EvolutionResult, NetworkGA, evolve

__all__ = ["EvolutionResult", "NetworkGA", "evolve"]
