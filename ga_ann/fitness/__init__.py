"""What a network is worth: scores of a whole population, and any metric made one of them."""

from ga_ann.fitness.names import (
    FITNESS,
    REGRESSION_FITNESS,
    PopulationScore,
    accuracy,
    adjusted_log_loss,
    fbeta,
    finer_score,
    neg_cost,
    neg_log_loss,
    neg_mean_pinball_loss,
    per_solution,
    population_score,
    resolve_fitness,
)
from ga_ann.fitness.scores import scaled

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
