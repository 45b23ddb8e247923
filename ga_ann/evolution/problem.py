"""What a run is about: the training data, and the networks whose weights are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from ga_ann.chromosome import flatten, reshape
from ga_ann.evolution.recipe import Settings
from ga_ann.network import INITS, forward, init_scale, layer_shapes, lookup
from ga_ann.validation import (
    check_range,
    check_regression,
    check_sample_weight,
    check_targets,
    check_training,
)
from ga_ann.weight_sets import draw_from, is_inside

__all__ = ["Problem", "TrainingData"]

TASKS = ("classification", "regression")


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Training data, checked.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The samples.
    targets : ndarray of shape (n_samples,) or (n_outputs, n_samples)
        The classes, integers from 0; or the targets of a regression, one row an output.
    classes : ndarray of shape (n_classes,) or None
        The labels; None for a regression.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples.
    """

    X: NDArray[Any]
    targets: NDArray[Any]
    classes: NDArray[Any] | None
    sample_weight: NDArray[Any] | None

    @classmethod
    def check(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        *,
        task: str,
        classes: ArrayLike | None,
        sample_weight: ArrayLike | None,
    ) -> Self:
        """Return what `evolve` was given, if it can be learned from.

        Raises
        ------
        ValueError, TypeError
            If it cannot.
        """
        lookup(dict.fromkeys(TASKS), task, "task")
        samples: NDArray[Any]
        targets: NDArray[Any]
        labels: NDArray[Any] | None = None
        if task == "regression":
            samples, targets = check_regression(X, y)
        else:
            samples, targets, labels = check_training(X, y, classes)
        weight = None if sample_weight is None else check_sample_weight(sample_weight, len(samples))
        return cls(samples, targets, labels, weight)

    @property
    def n_outputs(self) -> int:
        """Number of outputs that a network needs."""
        return len(self.targets if self.classes is None else self.classes)

    @property
    def class_shares(self) -> NDArray[np.float64] | None:
        """The classes' shares of the (weighted) samples; None for a regression.

        A class without a sample counts as if it had one.
        """
        if self.classes is None:
            return None
        weight = self.sample_weight
        totals = np.bincount(self.targets, weight, minlength=len(self.classes)).astype(np.float64)
        one = 1.0 if weight is None else float(weight.mean())
        totals[totals == 0] = one
        shares: NDArray[np.float64] = totals / totals.sum()
        return shares

    @property
    def centre(self) -> NDArray[np.float64]:
        """The (weighted) means of a regression's targets."""
        means: NDArray[np.float64] = np.average(self.targets, axis=1, weights=self.sample_weight)
        return means

    @property
    def spread(self) -> NDArray[np.float64]:
        """The (weighted) standard deviations of a regression's targets."""
        squares = (self.targets - self.centre[:, None]) ** 2
        spreads: NDArray[np.float64] = np.sqrt(
            np.average(squares, axis=1, weights=self.sample_weight)
        )
        spreads[np.ptp(self.targets, axis=1) == 0] = 0  # whatever rounding makes of it
        return spreads

    @property
    def magnitude(self) -> float:
        """The (weighted) root mean square of the samples' features."""
        squares = np.square(self.X, dtype=np.float64).mean(axis=1)
        return float(np.sqrt(np.average(squares, weights=self.sample_weight)))


class Problem:
    """The networks that a run looks for: their shapes, and the scale of each gene.

    He's formula is meant for inputs and outputs of order 1. The first layer's weights are divided
    by what the inputs really are, and those of a regression's last layer are multiplied by what
    the targets are, so that neither they nor their mutation depend on the units of X and y.

    Parameters
    ----------
    data : TrainingData
        What is learned from.
    settings : Settings
        Of these, the network's structure, how it begins, and the precision.

    Attributes
    ----------
    shapes : list of tuple of int
        Shapes of the network's parameters.

    Raises
    ------
    ValueError
        If the samples are too large for the precision.
    """

    def __init__(self, data: TrainingData, settings: Settings) -> None:
        check_range(data.X, settings.dtype)
        if data.classes is None:
            check_targets(data.targets, settings.dtype)
        self.data = data
        self.settings = settings
        sizes = [data.X.shape[1], *settings.hidden_layer_sizes, data.n_outputs]
        self.shapes = layer_shapes(sizes, bias=settings.bias)

    @cached_property
    def scale(self) -> NDArray[Any]:
        """Standard deviation of each gene's initial value, or of its neuron's weights for a bias.

        An array of shape (n_genes,).
        """
        scales = self._init_scales()
        if self.settings.init == "he":
            scales[0] /= self.data.magnitude or 1.0
            if self.data.classes is None:
                spread = self.data.spread
                for scale in scales[-1 - self.settings.bias :]:
                    # The bias alone answers a constant target, and nothing is to disturb it.
                    scale *= np.where(spread > 0, spread, 0.0 if self.settings.bias else 1.0)
        genes: NDArray[Any] = flatten(scales).astype(self.settings.dtype)
        return genes

    def _init_scales(self) -> list[NDArray[Any]]:
        """Return the initial standard deviations as `init` has them."""
        return [
            np.full(shape, init_scale(self.settings.init, n_in))
            for shape, n_in in zip(self.shapes, self._fan_in(), strict=True)
        ]

    def _fan_in(self) -> list[int]:
        """Return how many inputs the neurons of each parameter have; a bias has its matrix's."""
        repeats = 1 + self.settings.bias
        return [shape[0] for shape in self.shapes if len(shape) == 2 for _ in range(repeats)]

    def draw_population(self, rng: np.random.Generator) -> NDArray[Any]:
        """Draw the initial population.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.

        Returns
        -------
        ndarray of shape (population_size, n_genes)
            Biases are 0, and those of a regression's outputs the means of the targets. Weights that
            are restricted to a set have equal chances, and biases the value nearest to 0.
        """
        settings = self.settings
        population: NDArray[Any]
        if settings.weight_values is not None:
            return self._draw_restricted(rng, settings.population_size)
        # Drawn in place, and one matrix at a time: a large population should not exist twice.
        population = np.zeros((settings.population_size, len(self.scale)), dtype=settings.dtype)
        for parameter in reshape(population, self.shapes):
            for matrix in parameter if parameter.ndim == 3 else ():
                INITS[settings.init](rng, matrix)
        population *= self.scale / flatten(self._init_scales()).astype(settings.dtype)
        if self.data.classes is None and settings.bias:
            population[:, -self.data.n_outputs :] = self.data.centre
        return population

    def _draw_restricted(self, rng: np.random.Generator, n_solutions: int) -> NDArray[Any]:
        values = self.settings.weight_values or ()
        population: NDArray[Any] = np.empty(
            (n_solutions, len(self.scale)), dtype=self.settings.dtype
        )
        for parameter in reshape(population, self.shapes):
            if parameter.ndim == 3:
                draw_from(rng, values, parameter)
            else:
                parameter[:] = min(values, key=abs)
        return population

    def spread_of_outputs(self) -> float:
        """Return the standard deviation of the outputs of networks drawn from the set of weights.

        The outputs are as large as the set makes them, and the log loss of large ones is as coarse
        as the number of errors.
        """
        # A generator of its own: the answer must not depend on where the run's stands.
        networks = self._draw_restricted(np.random.default_rng(0), 4)
        samples = self.data.X[:1000].astype(self.settings.dtype)
        activation = self.settings.activation
        outputs = [
            forward(reshape(one, self.shapes), samples, activation=activation) for one in networks
        ]
        return float(np.std(outputs, dtype=np.float64)) or 1.0

    def check_population(self, given: ArrayLike) -> NDArray[Any]:
        """Return a population that somebody gave, as a copy, if it fits.

        Raises
        ------
        ValueError
            If its shape is another one, it is not finite, or a weight is not in the set.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # sums of large weights
            population: NDArray[Any] = check_array(
                given, dtype=self.settings.dtype, copy=True, input_name="initial_population"
            )
        shape = (self.settings.population_size, len(self.scale))
        if population.shape != shape:
            raise ValueError(
                f"initial_population must have shape {shape} (solutions, genes) for parameters of "
                f"{self.shapes}, got {population.shape}."
            )
        values = self.settings.weight_values
        if values is not None and not is_inside(population, values):
            raise ValueError(
                f"initial_population must hold values of weight_set={self.settings.weight_set!r} "
                "alone."
            )
        return population
