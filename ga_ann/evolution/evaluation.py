"""Population to fitness: decode the chromosomes, run the networks, score the outputs.

A few networks at a time (a block) go through buffers that stay in cache. Samples are columns, so
that activations and scores run along contiguous memory, and one call of `numpy.matmul` serves a
layer of the whole block. Blocks are shared among threads, one BLAS thread each; they are cut the
same way whatever the number of threads, so that the results are the same to the bit.

Sparse samples are multiplied as they are, in the first layer; nothing of them becomes dense. Stored
samples are read in the chunks that go through the networks.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from math import prod
from numbers import Integral
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse

from ga_ann.chromosome import count_genes, reshape
from ga_ann.evolution.machine import count_free_threads
from ga_ann.fitness import PopulationScore, accuracy
from ga_ann.low_rank import Factors, LowRankPopulation
from ga_ann.network import Activations, AnyActivation, Layer, find_activations, pair_layers
from ga_ann.out_of_core import HELD_BYTES, StoredColumns, StoredSamples
from ga_ann.validation import check_number

__all__ = [
    "Evaluator",
    "Measurement",
    "check_population",
    "may_overwrite",
    "rank_failed_last",
    "read_only",
]

BLOCK_BYTES = 2**20
"""What the widest layer of a block may take, where a block has several networks."""

LOW_RANK_BYTES = 2**22
"""The same for low-rank solutions, whose matrix stays in cache instead."""

CHUNK_BYTES = 2**22
"""What the widest layer of one network may take; more samples go through in chunks."""

STACKED_SAMPLES = 256
"""Number of samples from which the block's first layers are worth being put into one matrix."""

SHARED_BYTES = 2**28
"""What the product that a low-rank population shares may take; more is computed block by block."""

LOW_RANK_FLOPS = 20.0
"""Work of a low-rank solution for each neuron and sample, in units of a multiplication."""

THREADED_FLOPS = 5e6
"""Work of a block below which handing it to another thread costs more than it saves."""


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of an array that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def _as_floats(X: Any, dtype: Any) -> NDArray[Any]:
    is_dense = not (issparse(X) or isinstance(X, StoredSamples))
    floats: NDArray[Any] = np.ascontiguousarray(X, dtype=dtype) if is_dense else X.astype(dtype)
    return floats


def _as_columns(X: Any, *, contiguous: bool) -> Any:
    """Return samples as columns; BLAS multiplies contiguous ones a little faster."""
    if isinstance(X, StoredSamples):
        return X.as_columns(contiguous=contiguous)
    return np.ascontiguousarray(X.T) if contiguous and not issparse(X) else X.T


def _multiply(M: NDArray[Any], A: Any, out: NDArray[Any]) -> None:
    """Write a product to `out`; what a network takes in may be sparse."""
    if issparse(A):
        out[...] = M @ A
    else:
        np.matmul(M, A, out=out)


def may_overwrite(score: PopulationScore) -> bool:
    """Tell whether a score may write to the outputs that it is given."""
    return getattr(score, "overwrites", True)


def _score(
    scores: Sequence[PopulationScore | None],
    outputs: NDArray[Any],
    targets: tuple[NDArray[Any], NDArray[Any] | None],
) -> list[NDArray[np.float64] | float]:
    """Return what each score makes of the outputs, whatever the others do to them; NaN for None."""
    values: list[NDArray[np.float64] | float] = [np.nan] * len(scores)
    turns = [(k, score) for k, score in enumerate(scores) if score is not None]
    turns.sort(key=lambda turn: may_overwrite(turn[1]))
    for k, score in turns:
        if not may_overwrite(score):
            lent = read_only(outputs)
        else:
            lent = outputs if k == turns[-1][0] else outputs.copy()
        values[k] = np.array(score(lent, *targets))  # it may be a part of the outputs
    return values


class Measurement(NamedTuple):
    """What a population is worth.

    Attributes
    ----------
    fitness : ndarray of shape (n_solutions,)
        The score that the user asked for; NaN for a solution whose outputs are not finite or for
        which the score fails, and for all if only the ranking was asked for.
    ranking : ndarray of shape (n_solutions,)
        What selection ranks by: the fitness itself, or a finer score. NaN, which is worst, where
        the fitness is, unless that fails for all solutions alike.
    """

    fitness: NDArray[np.float64]
    ranking: NDArray[np.float64]


def rank_failed_last(measured: Measurement) -> Measurement:
    """Let those solutions rank worst whose fitness failed, unless it did for all of them alike."""
    failed = np.isnan(measured.fitness)
    if not failed.all():
        measured.ranking[failed] = np.nan
    return measured


def check_population(
    population: NDArray[Any] | LowRankPopulation, shapes: Sequence[tuple[int, ...]]
) -> None:
    """Refuse chromosomes that do not have the network's number of genes."""
    n_genes = count_genes(shapes)
    if population.ndim != 2 or population.shape[1] != n_genes:
        raise ValueError(
            f"population must have shape (n_solutions, {n_genes}), got {population.shape}."
        )


class Evaluator:
    """Measures the fitness of whole populations on the same samples, or on some of them.

    Parameters
    ----------
    X : array-like, csr_array or StoredSamples of shape (n_samples, n_features)
        The samples.
    y : array-like of shape (n_samples,) or (n_outputs, n_samples)
        Their classes, integers from 0; or the targets of a regression, one row an output.
    shapes : sequence of tuple of int
        Shapes of the network's parameters, see `layer_shapes`.
    activation, output_activation : str, callable, tuple; default="relu" and "identity"
        See `forward`. Scores take what softmax is applied to, so softmax at the output is left out.
    fitness : callable, default=accuracy
        The score that the user asked for, a `PopulationScore`.
    ranking : callable, optional
        What selection ranks by instead, a `PopulationScore`.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the samples in both scores.
    dtype : {numpy.float32, numpy.float64}, default=numpy.float32
        Precision of the computation.
    n_jobs : int, optional
        Number of threads, at least 1; None for one a core, or for the share of them that
        `count_free_threads` tells. It does not change the results.

    Attributes
    ----------
    is_slow : bool
        Whether the fitness takes one solution at a time and selection ranks by another score.

    Examples
    --------
    >>> evaluate = Evaluator([[1.0, 0.0], [0.0, 1.0]], [0, 1], [(2, 2)])
    >>> evaluate(np.array([[1, 0, 0, 1], [0, 1, 1, 0]], dtype=np.float32)).fitness
    array([1., 0.])
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        shapes: Sequence[tuple[int, ...]],
        *,
        activation: Activations = "relu",
        output_activation: AnyActivation = "identity",
        fitness: PopulationScore = accuracy,
        ranking: PopulationScore | None = None,
        sample_weight: ArrayLike | None = None,
        dtype: Any = np.float32,
        n_jobs: int | None = None,
    ) -> None:
        self.X = _as_floats(X, dtype)
        self.y = read_only(np.asarray(y))
        weight = None if sample_weight is None else read_only(np.asarray(sample_weight))
        self.sample_weight = weight
        self.shapes = list(shapes)
        self._fitness = fitness
        self._ranking = None if ranking is fitness else ranking
        self.is_slow = self._ranking is not None and hasattr(fitness, "one_at_a_time")
        self._widths = [shape[1] for shape in self.shapes if len(shape) == 2]
        last = "identity" if output_activation == "softmax" else output_activation
        self._activations = find_activations(activation, last, len(self._widths))
        if n_jobs is not None:
            check_number(n_jobs, "n_jobs", Integral, low=1)
        self._n_jobs: int = n_jobs or count_free_threads()
        self._prepare()

    def _prepare(self) -> None:
        """Make what a pickle leaves out."""
        small = issparse(self.X) or self.X.nbytes <= 2**26  # large data are not doubled
        self._columns = _as_columns(self.X, contiguous=small)
        self._pool = ThreadPoolExecutor(self._n_jobs)
        self._buffers = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_columns", "_pool", "_buffers")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def __setstate__(self, held: dict[str, Any]) -> None:
        vars(self).update(held)
        self._prepare()

    def with_threads(self, n_jobs: int) -> Self:
        """Return what measures the same with so many threads."""
        other = copy(self)
        other._n_jobs, other._buffers = n_jobs, threading.local()
        other._pool = ThreadPoolExecutor(n_jobs)
        return other

    @property
    def failure(self) -> str | None:
        """The first failure of a fitness that is a user's function; None if there was none."""
        failure: str | None = getattr(self._fitness, "failure", None)
        return failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()
        self._n_jobs = 1  # who asks the engine later gets the same answer, from one thread

    def __call__(
        self,
        population: NDArray[Any] | LowRankPopulation,
        samples: NDArray[np.intp] | None = None,
        *,
        ranking_only: bool = False,
        block_size: int | None = None,
    ) -> Measurement:
        """Return the fitness of every solution, and what selection ranks by.

        Parameters
        ----------
        population : ndarray of shape (n_solutions, n_genes), or LowRankPopulation
            The chromosomes, or the recipes for them; they are not modified.
        samples : ndarray of int, optional
            Indices of the samples to measure on, repetitions included; None for all.
        ranking_only : bool, default=False
            Whether to leave out the fitness, where the ranking is another score.
        block_size : int, optional
            Number of networks at a time; None for `block_size`. The last bits depend on it: a part
            of a population is measured as the whole is where it is cut between blocks, of the size
            that the whole's have.

        Returns
        -------
        Measurement

        Raises
        ------
        ValueError
            If the chromosomes do not have the network's number of genes, or a score writes to the
            truth, the weights, or outputs that it does not say it overwrites.
        """
        check_population(population, self.shapes)
        n_solutions = len(population)
        columns, y, weight = self._columns, self.y, self.sample_weight
        if samples is not None:
            columns = _as_columns(self.X[samples], contiguous=True)
            y = read_only(self.y[..., samples])
            weight = None if weight is None else read_only(weight[samples])
        n_samples = columns.shape[1]
        measured = Measurement(np.empty(n_solutions), np.empty(n_solutions))
        fitness = None if ranking_only and self._ranking is not None else self._fitness

        shared = None
        if isinstance(population, LowRankPopulation):
            shared = self._multiply_first(population, columns)
        size, cost = block_size or self.block_size(population, n_samples), self._cost(population)
        cost *= n_samples
        blocks = [slice(k, k + size) for k in range(0, n_solutions, size)]
        n_shares = min(self._n_jobs, len(blocks)) if size * cost > THREADED_FLOPS else 1

        def measure(share: int) -> None:
            for block in blocks[share::n_shares]:
                out = Measurement(*(m[block] for m in measured))
                layers = self._layers(population, block)
                self._measure_block(layers, columns, shared, (y, weight), fitness, out)

        others = [self._pool.submit(measure, share) for share in range(1, n_shares)]
        measure(0)
        for other in others:
            other.result()
        return rank_failed_last(measured)

    def _cost(self, population: NDArray[Any] | LowRankPopulation) -> float:
        """Return the work of a solution for each sample, in multiplications and additions."""
        if isinstance(population, LowRankPopulation):
            return LOW_RANK_FLOPS * sum(self._widths)
        return 2.0 * count_genes(self.shapes)

    def block_size(self, population: NDArray[Any] | LowRankPopulation, n_samples: int) -> int:
        """Return how many networks of a population are measured at a time on so many samples."""
        item = self.X.dtype.itemsize
        row_bytes, most_bytes = max(self._widths) * n_samples * item, BLOCK_BYTES
        # At least four blocks, so that two or four threads end at the same time; but none that is
        # too little work for a thread, where what comes with a block would be most of it.
        most = -(-len(population) // 4)
        if isinstance(population, LowRankPopulation):
            most_bytes = LOW_RANK_BYTES
            row_bytes = max(row_bytes, population.noise.n_factors * item)
            enough = int(THREADED_FLOPS / (self._cost(population) * n_samples))
            most = max(most, min(len(population), enough))
        return max(1, min(most_bytes // row_bytes, most))

    def _multiply_first(
        self, population: LowRankPopulation, columns: NDArray[Any] | StoredColumns
    ) -> NDArray[Any] | None:
        """Return the product of the samples with the mean's first matrix, if it fits."""
        most_bytes = SHARED_BYTES
        if isinstance(columns, StoredColumns):
            most_bytes = min(most_bytes, HELD_BYTES)
        if self._widths[0] * columns.shape[1] * columns.dtype.itemsize > most_bytes:
            return None
        W = reshape(population.mean, self.shapes)[0]
        with np.errstate(over="ignore", invalid="ignore"):
            if isinstance(columns, StoredColumns):
                return np.concatenate([W.T @ part for part in columns.parts()], axis=1)
            product: NDArray[Any] = np.ascontiguousarray(W.T @ columns)
        return product

    def _layers(
        self, population: NDArray[Any] | LowRankPopulation, block: slice
    ) -> Sequence[Layer | Factors]:
        if isinstance(population, LowRankPopulation):
            return population.layers(block)
        return pair_layers(reshape(population[block], self.shapes))

    def _measure_block(
        self,
        layers: Sequence[Layer | Factors],
        columns: NDArray[Any] | StoredColumns,
        shared: NDArray[Any] | None,
        targets: tuple[NDArray[Any], NDArray[Any] | None],
        fitness: PopulationScore | None,
        out: Measurement,
    ) -> None:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            outputs = self._forward(layers, columns, shared, len(out.fitness))
            # An infinity or a NaN anywhere makes the sum one of them.
            invalid = ~np.isfinite(outputs.reshape(len(outputs), -1).sum(axis=1))
            out.fitness[:], ranking = _score([fitness, self._ranking], outputs, targets)
            out.ranking[:] = out.fitness if self._ranking is None else ranking
        out.fitness[invalid] = out.ranking[invalid] = np.nan

    def _forward(
        self,
        layers: Sequence[Layer | Factors],
        columns: NDArray[Any] | StoredColumns,
        shared: NDArray[Any] | None,
        n_solutions: int,
    ) -> NDArray[Any]:
        """Return the outputs of a block of networks, (n_solutions, n_outputs, n_samples)."""
        n_samples = columns.shape[1]
        n_rows = max(1, CHUNK_BYTES // (max(self._widths) * columns.dtype.itemsize))
        if isinstance(columns, StoredColumns):
            n_rows = min(n_rows, columns.most_at_once)
        outputs = self._buffer(len(layers) - 1, (n_solutions, self._widths[-1], n_samples))
        for start in range(0, n_samples, n_rows):
            A: NDArray[Any] = columns[:, start : start + n_rows]
            product = None if shared is None else shared[:, start : start + n_rows]
            for k, layer in enumerate(layers):
                if k == len(layers) - 1:
                    Z = outputs[:, :, start : start + n_rows]
                else:
                    Z = self._buffer(k, (n_solutions, self._widths[k], A.shape[-1]))
                if isinstance(layer, Factors):
                    self._propagate_factors(k, layer, A, product if k == 0 else None, Z)
                else:
                    self._propagate(layer, A, Z)
                self._activations[k](Z, 1)
                A = Z
        return outputs

    def _propagate_factors(
        self,
        k: int,
        layer: Factors,
        A: NDArray[Any],
        product: NDArray[Any] | None,
        out: NDArray[Any],
    ) -> None:
        """Add to the product with the shared matrix what is each solution's own."""
        n_solutions, rank, n_in = layer.left.shape
        own = self._buffer(("own", k), (n_solutions, rank + 1, A.shape[-1]))
        if A.ndim == 2:  # all solutions have the same input
            own[:, :rank] = (layer.left.reshape(-1, n_in) @ A).reshape(n_solutions, rank, -1)
        else:
            np.matmul(layer.left, A, out=own[:, :rank])
        own[:, rank] = 1  # what the biases are multiplied by
        np.matmul(layer.right.swapaxes(1, 2), own, out=out)
        if product is None:
            product = self._buffer(("shared", k), out.shape)
            _multiply(layer.shared.T, A, product)
        out += product

    def _propagate(self, layer: Layer, A: NDArray[Any], out: NDArray[Any]) -> None:
        W, b = layer
        enough = max(STACKED_SAMPLES, 2 * A.shape[-2])  # the weights are copied for it
        many = len(W) > 1 and A.ndim == 2 and A.shape[1] >= enough
        if issparse(A):  # one after the other: their matrices need no copies then
            for own, Z in zip(W, out, strict=True):
                _multiply(own.T, A, Z)
        elif many and out.flags.c_contiguous:
            # The networks share their input: one tall product instead of several flat ones.
            stacked = np.ascontiguousarray(W.swapaxes(1, 2)).reshape(-1, len(A))
            np.matmul(stacked, A, out=out.reshape(len(stacked), -1))
        else:
            np.matmul(W.swapaxes(1, 2), A, out=out)
        if b is not None:
            out += b[:, :, None]

    def _buffer(self, k: object, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return the calling thread's buffer for a layer, larger than before if need be."""
        buffers: dict[Any, NDArray[Any]] = self._buffers.__dict__
        if k not in buffers or buffers[k].size < prod(shape):
            buffers[k] = np.empty(prod(shape), dtype=self.X.dtype)
        return buffers[k][: prod(shape)].reshape(shape)
