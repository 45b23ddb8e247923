"""Settings: everything that shapes a run besides the data, and the recipes that preset it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from ga_ann.network import ACTIVATIONS, INITS, lookup
from ga_ann.operators import CROSSOVERS, MUTATIONS, SELECTIONS
from ga_ann.validation import check_number
from ga_ann.weight_sets import check_weight_set

__all__ = ["RECIPES", "Settings"]

AUTO_BATCH_SIZE = 32
MOST_DECAY = 0.03

PYGAD_SELECTIONS = ("random", "rws", "sss", "sus")
PYGAD_CROSSOVERS = ("sbx", "scattered", "two_points")
PYGAD_MUTATIONS = ("adaptive", "inversion", "polynomial", "random", "scramble", "swap")

RECIPES: dict[str, dict[str, Any]] = {
    "default": {
        "activation": "relu",
        "output_activation": "identity",
        "ranking": "auto",
        "init": "he",
        "population_size": 32,
        "n_parents": 8,
        "n_elites": 0,
        "selection": "truncation",
        "crossover": "mean",
        "mutation": "gaussian",
        "mutation_rate": 1.0,
        "sigma": 0.3,
        "sigma_decay": 0.8,
        "weight_decay": "auto",
        "batch_size": "auto",
        "noise": "table",
        "dtype": "float32",
    },
    "tutorial": {
        "activation": "sigmoid",
        "output_activation": "sigmoid",
        "ranking": "fitness",
        "init": "tutorial",
        "population_size": 8,
        "n_parents": 4,
        "n_elites": 4,
        "selection": "truncation",
        "crossover": "middle",
        "mutation": "uniform",
        "mutation_rate": 0.1,
        "sigma": 10.0,  # times U(-0.1, 0.1): the tutorial adds U(-1, 1)
        "sigma_decay": 1.0,
        "weight_decay": 0.0,
        "batch_size": "full",
        "noise": "generator",
        "dtype": "float64",
    },
}
"""The settings that a recipe stands for; see `evolve`."""

RESTRICTED: dict[str, Any] = {
    "crossover": "gene_pool",
    "mutation": "step",
    "mutation_rate": 0.005,
    "sigma": 1.0,
    "weight_decay": 0.0,
}
"""What any recipe changes to where the weights are restricted to a set."""

ADAPTIVE_RATES = (0.2, 0.05)
"""Shares of the genes that PyGAD's adaptive mutation changes: in weak and in strong solutions."""

LEAVE_THE_SET = ("mean", "sbx")
STAY_IN_THE_SET = ("inversion", "scramble", "step", "swap")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that shapes a run besides the data; the fields are the parameters of `evolve`."""

    hidden_layer_sizes: tuple[int, ...]
    activation: str
    output_activation: str
    bias: bool
    weight_set: str | tuple[float, ...] | None
    fitness: str
    ranking: str
    init: str
    population_size: int
    n_parents: int
    n_elites: int
    selection: str
    crossover: str
    mutation: str
    mutation_rate: float | tuple[float, float]
    sigma: float
    sigma_decay: float
    weight_decay: float | str
    batch_size: int | str
    noise: str
    dtype: str
    n_generations: int
    target_fitness: float | None
    early_stopping: bool
    n_iter_no_change: int | None
    tol: float
    max_time: float | None
    max_evaluations: float | None

    @classmethod
    def from_recipe(cls, recipe: str, **given: Any) -> Settings:
        """Return the settings given, with those that are None taken from the recipe if it has them.

        Raises
        ------
        ValueError, TypeError
            If the recipe is unknown, or a setting cannot run.
        """
        chosen = lookup(RECIPES, recipe, "recipe")
        if given.get("weight_set") is not None:
            chosen = chosen | RESTRICTED
        if given.get("mutation") == "adaptive":
            chosen = chosen | {"mutation_rate": ADAPTIVE_RATES}
        resolved: dict[str, Any] = {
            name: chosen.get(name) if value is None else value for name, value in given.items()
        }
        if resolved["weight_decay"] == "auto" and resolved["target_fitness"] is not None:
            # A run that ends when it has learned the samples is not to be held back.
            resolved["weight_decay"] = 0.0
        return cls(**resolved)

    def __post_init__(self) -> None:
        """Refuse what cannot run."""
        self._check_names()
        size = self.population_size
        check_number(size, "population_size", Integral, low=2)
        check_number(self.n_parents, "n_parents", Integral, low=1, high=size)
        check_number(self.n_elites, "n_elites", Integral, low=0, high=size - 1)
        check_number(self.n_generations, "n_generations", Integral, low=0)
        check_number(self.sigma, "sigma", low=0)
        check_number(self.sigma_decay, "sigma_decay", above=0, high=1)
        self._check_weight_decay()
        self._check_weight_set()
        check_number(self.tol, "tol", low=0)
        rates = self.mutation_rate
        for rate in rates if isinstance(rates, tuple) else (rates,):
            check_number(rate, "mutation_rate", low=0, high=1)
        if self.mutation in PYGAD_MUTATIONS and not np.any(rates):
            raise ValueError(f"mutation={self.mutation!r} needs a mutation_rate above 0, got 0.")
        if isinstance(rates, tuple) != (self.mutation == "adaptive"):
            raise ValueError(
                "mutation_rate must be a pair (rate of weak solutions, rate of strong ones) with "
                f"mutation='adaptive', and a number otherwise; got {rates!r} with "
                f"mutation={self.mutation!r}."
            )
        if self.target_fitness is not None:
            check_number(self.target_fitness, "target_fitness")
        if self.n_iter_no_change is not None:
            check_number(self.n_iter_no_change, "n_iter_no_change", Integral, low=1)
        if self.max_time is not None:
            check_number(self.max_time, "max_time", above=0)
        if self.max_evaluations is not None:
            check_number(self.max_evaluations, "max_evaluations", low=size)

    def _check_names(self) -> None:
        for table, more, what in (
            (ACTIVATIONS, (), "activation"),
            (ACTIVATIONS, (), "output_activation"),
            (INITS, (), "init"),
            (SELECTIONS, PYGAD_SELECTIONS, "selection"),
            (CROSSOVERS, PYGAD_CROSSOVERS, "crossover"),
            (MUTATIONS, ("step", *PYGAD_MUTATIONS), "mutation"),
            ((), ("generator", "table"), "noise"),
            ((), ("float32", "float64"), "dtype"),
        ):
            lookup(dict.fromkeys((*table, *more)), getattr(self, what), what)
        if isinstance(self.batch_size, str):
            lookup(dict.fromkeys(("auto", "full")), self.batch_size, "batch_size")
        else:
            check_number(self.batch_size, "batch_size", Integral, low=1)

    def _check_weight_set(self) -> None:
        restricted = self.weight_values is not None
        if restricted != (self.mutation in STAY_IN_THE_SET) and (
            restricted or self.mutation == "step"
        ):
            raise ValueError(
                f"mutation must be one of {list(STAY_IN_THE_SET)} with a weight_set, and 'step' "
                f"needs one; got {self.mutation!r} with weight_set={self.weight_set!r}."
            )
        if restricted and self.crossover in LEAVE_THE_SET:
            raise ValueError(
                f"crossover={self.crossover!r} makes weights that are not in the weight_set; use "
                "'gene_pool', which has the same mean, or another one that takes whole genes."
            )
        if restricted and self.weight_decay != 0:
            raise ValueError(
                f"weight_decay must be 0 with a weight_set, got {self.weight_decay!r}."
            )

    @property
    def weight_values(self) -> tuple[float, ...] | None:
        """The values that weights may have, sorted; None for any."""
        return None if self.weight_set is None else check_weight_set(self.weight_set)

    def _check_weight_decay(self) -> None:
        if isinstance(self.weight_decay, str):
            lookup({"auto": None}, self.weight_decay, "weight_decay")
            return
        check_number(self.weight_decay, "weight_decay", low=0)
        if self.weight_decay * self.sigma > 1:
            raise ValueError(
                "weight_decay times sigma is the share of the weights that is lost in a "
                f"generation and must be at most 1, got {self.weight_decay} * {self.sigma}."
            )

    def decay_of_weights(self, n_samples: int, sigma: float) -> float:
        """Return the share of the weights that a generation takes away.

        ``"auto"`` is ``sigma / sqrt(n_samples)``, at most `MOST_DECAY`: as for any prior, the more
        samples there are, the less it counts.
        """
        if isinstance(self.weight_decay, str):
            return min(sigma / math.sqrt(n_samples), MOST_DECAY)
        return self.weight_decay * sigma

    def first_batch_size(self, n_samples: int) -> int:
        """Return the number of samples that the first generation sees, of `n_samples`.

        ``"auto"`` is `AUTO_BATCH_SIZE`, unless there are not even eight times as many.
        """
        if not isinstance(self.batch_size, str):
            return min(int(self.batch_size), n_samples)
        enough = self.batch_size == "auto" and n_samples >= 8 * AUTO_BATCH_SIZE
        return AUTO_BATCH_SIZE if enough else n_samples
