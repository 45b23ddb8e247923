"""What a network is worth: scores of a whole population, and any metric made one of them."""

from ga_ann.fitness.classification import accuracy, fbeta, neg_cost
from ga_ann.fitness.metrics import per_solution
from ga_ann.fitness.probabilities import adjusted_log_loss, neg_log_loss, scaled
from ga_ann.fitness.regression import neg_mean_pinball_loss
from ga_ann.fitness.resolve import finer_score, resolve_fitness
from ga_ann.fitness.score import (
    FITNESS,
    REGRESSION_FITNESS,
    PopulationScore,
    population_score,
)

__all__ = [
    "FITNESS",
    "REGRESSION_FITNESS",
    "PopulationScore",
    "accuracy",
    "adjusted_log_loss",
    "fbeta",
    "finer_score",
    "neg_cost",
    "neg_log_loss",
    "neg_mean_pinball_loss",
    "per_solution",
    "population_score",
    "resolve_fitness",
    "scaled",
]
