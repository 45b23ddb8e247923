"""The networks that a run looks for: their shapes, the scale of each gene, what they are worth."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from ga_ann.chromosome import count_genes, reshape
from ga_ann.evolution.data import TrainingData
from ga_ann.evolution.recipe import Recipe, name_of
from ga_ann.fitness import PopulationScore, resolve_fitness, scaled
from ga_ann.low_rank import LowRankNoise, check_rank, count_places
from ga_ann.network import INITS, find_activations, forward, init_scale, layer_shapes
from ga_ann.validation import check_range, check_targets
from ga_ann.weight_sets import check_weight_set, draw_from, is_inside

__all__ = ["Problem"]

OUTPUT_SCALE = 0.2
"""What the last matrix of the first mean is multiplied by."""


class Problem:
    """The networks that a run looks for: their shapes, and the scale of each gene.

    He's formula is meant for inputs and outputs of order 1. The first layer's weights are divided
    by what the inputs really are, and those of a regression's last layer are multiplied by what
    the targets are, so that neither they nor their mutation depend on the units of X and y.

    Parameters
    ----------
    data : TrainingData
        What is learned from.
    recipe : Recipe
        Of the search; it is resolved here.
    hidden_layer_sizes : tuple of int, default=()
        Sizes of the hidden layers.
    bias : bool, default=False
        Whether the layers have biases.
    weight_set : str or array-like of float, optional
        The values that weights and biases may have, see `check_weight_set`.
    fitness : str or callable, optional
        What is maximised, see `resolve_fitness`; None is the accuracy, or R2 for a regression.
    ends_at_target : bool, default=False
        Whether the run ends when it has learned the training data.

    Attributes
    ----------
    recipe : Recipe
        With what the problem asks for wherever a field was None.
    weight_values : tuple of float or None
        The values that weights may have, sorted; None for any.
    fitness : PopulationScore
        What is maximised.
    ranking : PopulationScore or None
        What selection ranks by; None where that is the fitness.
    shapes : list of tuple of int
        Shapes of the network's parameters.

    Raises
    ------
    ValueError, TypeError
        If a name is unknown, parts of the recipe do not go together, or the samples are too large
        for the precision.
    """

    def __init__(
        self,
        data: TrainingData,
        recipe: Recipe,
        *,
        hidden_layer_sizes: tuple[int, ...] = (),
        bias: bool = False,
        weight_set: str | ArrayLike | None = None,
        fitness: str | Callable[..., Any] | None = None,
        ends_at_target: bool = False,
    ) -> None:
        self.data = data
        self.hidden_layer_sizes = hidden_layer_sizes
        self.bias = bias
        self.weight_values = None if weight_set is None else check_weight_set(weight_set)
        self._weight_set = weight_set if isinstance(weight_set, str) else self.weight_values
        if fitness is None:
            fitness = "accuracy" if data.classes is not None else "r2"
        self.metric = name_of(fitness)
        self.fitness = resolve_fitness(fitness, classes=data.classes)
        self.recipe = recipe.resolve(
            data,
            fitness=self.fitness,
            weight_set=self.weight_values,
            ends_at_target=ends_at_target,
        )
        check_range(data.X, self.recipe.dtype)
        if data.classes is None:
            check_targets(data.targets, self.recipe.dtype)
        sizes = [data.X.shape[1], *hidden_layer_sizes, data.n_outputs]
        find_activations(self.recipe.activation, self.recipe.output_activation, len(sizes) - 1)
        self.shapes = layer_shapes(sizes, bias=bias)
        if self.recipe.mutation == "low_rank":
            check_rank(self.recipe.rank, self.shapes)
        self.ranking = self._find_ranking()

    def _find_ranking(self) -> PopulationScore | None:
        if self.recipe.ranking == "fitness":
            return None
        score: PopulationScore = self.recipe.ranking  # type: ignore[assignment]  # once resolved
        if score is self.fitness:
            return None
        if self.weight_values is not None and self.data.classes is not None:
            score = scaled(score, 1 / self._spread_of_outputs())
        return score

    @property
    def settings(self) -> dict[str, Any]:
        """The network's structure, the fitness and the recipe: names to plain values."""
        return {
            "hidden_layer_sizes": self.hidden_layer_sizes,
            "bias": self.bias,
            "weight_set": self._weight_set,
            "fitness": self.metric,
            **self.recipe.to_dict(),
        }

    @property
    def population_size(self) -> int:
        """Number of solutions."""
        size: Any = self.recipe.population_size  # once resolved
        return int(size)

    @property
    def n_genes(self) -> int:
        """Number of genes in a chromosome."""
        return count_genes(self.shapes)

    @cached_property
    def neuron_scales(self) -> list[NDArray[np.float64]]:
        """Standard deviation of the initial value of each neuron's genes, parameter by parameter.

        Arrays of shape (n_out,); a bias has that of its neuron's weights.
        """
        scales = [
            np.full(shape[-1], s) for shape, s in zip(self.shapes, self._init_scales(), strict=True)
        ]
        if self.recipe.init == "he":
            scales[0] /= self.data.magnitude or 1.0
            if self.data.classes is None:
                spread = self.data.spread
                for scale in scales[-1 - self.bias :]:
                    # The bias alone answers a constant target, and nothing is to disturb it.
                    scale *= np.where(spread > 0, spread, 0.0 if self.bias else 1.0)
        return scales

    @cached_property
    def scale(self) -> NDArray[Any]:
        """The same of each gene; an array of shape (n_genes,)."""
        parts = [
            np.broadcast_to(scale, shape).ravel()
            for shape, scale in zip(self.shapes, self.neuron_scales, strict=True)
        ]
        return np.concatenate(parts).astype(self.recipe.dtype)

    def _init_scales(self) -> list[float]:
        """Return the initial standard deviations as `init` has them."""
        return [init_scale(self.recipe.init, n_in) for n_in in self._fan_in()]

    def _fan_in(self) -> list[int]:
        """Return how many inputs the neurons of each parameter have; a bias has its matrix's."""
        repeats = 1 + self.bias
        return [shape[0] for shape in self.shapes if len(shape) == 2 for _ in range(repeats)]

    def low_rank_noise(self, seed: int) -> LowRankNoise:
        """Return how places become mutations, with the table of a seed."""
        return LowRankNoise(
            seed,
            self.shapes,
            self.neuron_scales,
            rank=self.recipe.rank,
            n_places=count_places(self.population_size),
            dtype=self.recipe.dtype,
        )

    def draw_population(
        self, rng: np.random.Generator, n_solutions: int | None = None
    ) -> NDArray[Any]:
        """Draw an initial population.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.
        n_solutions : int, optional
            Number of solutions; None for that of the recipe.

        Returns
        -------
        ndarray of shape (population_size, n_genes)
            Biases are 0, and those of a regression's outputs the means of the targets. Weights that
            are restricted to a set have equal chances, and biases the value nearest to 0.
        """
        recipe = self.recipe
        n_solutions = n_solutions or self.population_size
        population: NDArray[Any]
        if self.weight_values is not None:
            return self._draw_restricted(rng, n_solutions)
        # Drawn in place, and one matrix at a time: a large population should not exist twice.
        population = np.zeros((n_solutions, self.n_genes), dtype=recipe.dtype)
        for parameter in reshape(population, self.shapes):
            for matrix in parameter if parameter.ndim == 3 else ():
                INITS[recipe.init](rng, matrix)
        population *= self.scale / self._drawn_scale()
        if self.data.classes is None and self.bias:
            population[:, -self.data.n_outputs :] = self.data.centre
        return population

    def draw_mean(self, rng: np.random.Generator) -> NDArray[Any]:
        """Draw what the first generation's offspring are mutations of, of shape (n_genes,).

        It is a network of `draw_population` whose last matrix is weaker by `OUTPUT_SCALE`: of
        outputs that differ by chance, some classes would be given to no sample at first, and would
        have to be found again.
        """
        mean: NDArray[Any] = self.draw_population(rng, 1)[0]
        matrices = [part for part in reshape(mean, self.shapes) if part.ndim == 2]
        matrices[-1][...] *= OUTPUT_SCALE
        return mean

    def _drawn_scale(self) -> NDArray[Any]:
        """Return the standard deviations with which `init` draws the genes."""
        sizes = [prod(shape) for shape in self.shapes]
        return np.repeat(self._init_scales(), sizes).astype(self.recipe.dtype)

    def _draw_restricted(self, rng: np.random.Generator, n_solutions: int) -> NDArray[Any]:
        values = self.weight_values or ()
        population: NDArray[Any] = np.empty((n_solutions, self.n_genes), dtype=self.recipe.dtype)
        for parameter in reshape(population, self.shapes):
            if parameter.ndim == 3:
                draw_from(rng, values, parameter)
            else:
                parameter[:] = min(values, key=abs)
        return population

    def _spread_of_outputs(self) -> float:
        """Return the standard deviation of the outputs of networks drawn from the set of weights.

        The outputs are as large as the set makes them, and the log loss of large ones is as coarse
        as the number of errors.
        """
        # A generator of its own: the answer must not depend on where the run's stands.
        networks = self._draw_restricted(np.random.default_rng(0), 4)
        samples: Any = self.data.X[:1000].astype(self.recipe.dtype)
        activation = self.recipe.activation
        outputs = [
            forward(reshape(one, self.shapes), samples, activation=activation) for one in networks
        ]
        return float(np.std(outputs, dtype=np.float64)) or 1.0

    def check_population(self, given: ArrayLike) -> NDArray[Any]:
        """Return a population that somebody gave to start from, as a copy, if it fits.

        Raises
        ------
        ValueError
            If it is no table of finite numbers, its shape is another one, or a weight is not in
            the set.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # sums of large weights
            try:
                population: NDArray[Any] = check_array(
                    given, dtype=self.recipe.dtype, copy=True, input_name="start"
                )
            except (TypeError, ValueError) as error:
                raise ValueError(f"start cannot be used as chromosomes: {error}") from error
        shape = (self.population_size, self.n_genes)
        if self.recipe.mutation == "low_rank":  # of which only the mean is taken
            shape = (len(population), self.n_genes)
        if population.shape != shape:
            raise ValueError(
                f"start must have shape {shape} (solutions, genes) for parameters of "
                f"{self.shapes}, got {population.shape}."
            )
        values = self.weight_values
        if values is not None and not is_inside(population, values):
            raise ValueError(f"start must hold values of weight_set={self._weight_set!r} alone.")
        return population
