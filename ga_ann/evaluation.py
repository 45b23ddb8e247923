"""Population to fitness: decode each chromosome, run the network, score the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ga_ann.chromosome import count_genes, reshape
from ga_ann.fitness import FITNESS
from ga_ann.network import ACTIVATIONS, lookup, pair_layers

__all__ = ["Evaluator"]

CHUNK_BYTES = 2**22
"""What the buffers of one chunk may take: about the share of a core in the last cache."""


class Evaluator:
    """Measures the fitness of whole populations on the same samples.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The samples.
    y : array-like of int, of shape (n_samples,)
        Their classes, counted from 0.
    shapes : sequence of tuple of int
        Shapes of the network's parameters, see `layer_shapes`.
    activation, output_activation : str, default="relu" and "identity"
        See `forward`.
    fitness : str, default="accuracy"
        A name in `FITNESS`.
    dtype : {numpy.float32, numpy.float64}, default=numpy.float32
        Precision of the computation.

    Attributes
    ----------
    n_evaluated : int
        Networks measured so far.

    Notes
    -----
    One network at a time goes through buffers that are reused and stay in cache; with many
    samples it does so in chunks, so that memory stays bounded whatever the population's size.

    Examples
    --------
    >>> evaluate = Evaluator([[1.0, 0.0], [0.0, 1.0]], [0, 1], [(2, 2)])
    >>> evaluate(np.array([[1, 0, 0, 1], [0, 1, 1, 0]], dtype=np.float32))
    array([1., 0.])
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        shapes: Sequence[tuple[int, ...]],
        *,
        activation: str = "relu",
        output_activation: str = "identity",
        fitness: str = "accuracy",
        dtype: Any = np.float32,
    ) -> None:
        self.X = np.ascontiguousarray(X, dtype=dtype)
        self.y = np.asarray(y, dtype=np.intp)
        self.shapes = list(shapes)
        self.n_evaluated = 0
        self._fitness = lookup(FITNESS, fitness, "fitness")
        widths = [shape[1] for shape in self.shapes if len(shape) == 2]
        self._activations = [lookup(ACTIVATIONS, activation, "activation")] * (len(widths) - 1)
        self._activations.append(lookup(ACTIVATIONS, output_activation, "output_activation"))
        row_bytes = sum(widths) * self.X.itemsize
        self._n_rows = min(len(self.X), max(1, CHUNK_BYTES // row_bytes))
        self._hidden = [np.empty((self._n_rows, n), self.X.dtype) for n in widths[:-1]]
        self._outputs = np.empty((1, len(self.X), widths[-1]), self.X.dtype)

    def __call__(self, population: NDArray[Any]) -> NDArray[np.float64]:
        """Return the fitness of every solution; NaN for one whose outputs are not finite.

        Parameters
        ----------
        population : ndarray of shape (n_solutions, n_genes)
            The chromosomes; they are not modified.

        Returns
        -------
        ndarray of shape (n_solutions,)

        Raises
        ------
        ValueError
            If the chromosomes do not have the network's number of genes.
        """
        if population.ndim != 2 or population.shape[1] != count_genes(self.shapes):
            raise ValueError(
                f"population must have shape (n_solutions, {count_genes(self.shapes)}), "
                f"got {population.shape}."
            )
        fitness = np.empty(len(population))
        with np.errstate(over="ignore", invalid="ignore"):
            for k, chromosome in enumerate(population):
                outputs = self._forward(chromosome)
                # An infinity or a NaN anywhere makes the sum one of them.
                valid = np.isfinite(outputs.sum())
                fitness[k] = self._fitness(outputs, self.y)[0] if valid else np.nan
        self.n_evaluated += len(population)
        return fitness

    def _forward(self, chromosome: NDArray[Any]) -> NDArray[Any]:
        layers = pair_layers(reshape(chromosome, self.shapes))
        for start in range(0, len(self.X), self._n_rows):
            A = self.X[start : start + self._n_rows]
            buffers = [*self._hidden, self._outputs[0, start:]]
            for (W, b), buffer, activation in zip(layers, buffers, self._activations, strict=True):
                Z = np.matmul(A, W, out=buffer[: len(A)])
                if b is not None:
                    Z += b
                activation(Z)
                A = Z
        return self._outputs
