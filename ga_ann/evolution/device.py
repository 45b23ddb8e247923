"""Population to fitness on a device: the same steps as on the CPU, in few large products.

Everything is written against the array API standard; PyTorch's arrays are the ones that `evolve`
puts on a device. Samples, targets and the noise table are copied there once. A low-rank population
travels as its mean and its places: a mutation is gathered from the table on the device and not
drawn anew by a generator there, so that it is the one that NumPy's evaluator and the chromosomes
have. Sums are taken in another order than NumPy's, so that fitness agrees within a tolerance.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import ThreadpoolController

from ga_ann.arrays import as_type, in_place, matmul, namespace_of, softmax
from ga_ann.chromosome import count_genes
from ga_ann.evolution.evaluation import (
    Measurement,
    check_population,
    may_overwrite,
    rank_failed_last,
    read_only,
)
from ga_ann.evolution.machine import count_free_threads
from ga_ann.evolution.memory import available_memory
from ga_ann.fitness import PopulationScore, accuracy
from ga_ann.low_rank import LowRankNoise, LowRankPopulation
from ga_ann.network import ACTIVATIONS, Activations, AnyActivation, find_activations
from ga_ann.parts import Activation

__all__ = ["Device", "DeviceEvaluator", "find_device"]

Array = Any
"""An array on the device."""

CPU_CHUNK_BYTES = 2**23
"""What the widest layer of a chunk of solutions may take where caches are to hold it."""

CHUNK_BYTES = 2**30
"""The same on an accelerator, whose products gain nothing more from being larger. A number, not a
share of what is free: chunks of another size are summed in another order."""

FEWEST_BYTES = 2**20
"""The same, where hardly anything is free on it."""

LAYERS_HELD = 6
"""Arrays of the size of the widest layer that a chunk may take at a time, at most."""


# ---------------------------------------------------------------- devices


@dataclass(frozen=True)
class Device:
    """Where arrays live, and the library that they are of.

    Attributes
    ----------
    xp : module
        The library, as a namespace of the array API standard.
    name : str
        What the device is called.
    handle : object
        The device, as the library takes it.
    dtype : str, optional
        Precision of the networks on the device; None for the recipe's.
    versions : mapping of str to str
        What, besides NumPy, the bits of a run depend on: the device's make, and the library.
    """

    xp: Any
    name: str
    handle: Any
    dtype: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_cpu(self) -> bool:
        """Whether its memory is the machine's."""
        return not self.name.startswith("cuda")

    def free_memory(self) -> int:
        """Return the bytes that are free on it."""
        if self.is_cpu:
            return available_memory()
        free, _ = self.xp.cuda.mem_get_info(self.handle)
        # What PyTorch keeps for itself and does not use is as good as free.
        held = self.xp.cuda.memory_reserved(self.handle)
        return int(free + held - self.xp.cuda.memory_allocated(self.handle))

    def put(self, array: NDArray[Any], dtype: Any = None) -> Array:
        """Return an array on the device."""
        if not array.flags.writeable:
            array = array.copy()  # PyTorch would warn of sharing its memory
        placed = self.xp.asarray(array, device=self.handle)
        return placed if dtype is None else as_type(placed, dtype)

    def fetch(self, array: Array) -> NDArray[Any]:
        """Return an array of the device as NumPy's; it waits for the device."""
        return np.asarray(array.cpu() if hasattr(array, "cpu") else array)


def find_device(name: object, dtype: object = None) -> Device:
    """Return the device that a user means.

    Parameters
    ----------
    name : str
        As PyTorch has it: ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
    dtype : {None, "bfloat16"}
        Precision of the networks on the device; None for the recipe's.

    Raises
    ------
    TypeError
        If `name` is no text.
    ValueError
        If there is no such device, which are listed, or PyTorch is not installed.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"device must be a name such as 'cpu', 'cuda' or 'cuda:1', or None, got {name!r}."
        )
    if dtype not in (None, "bfloat16"):
        raise ValueError(f"device_dtype must be None or 'bfloat16', got {dtype!r}.")
    try:
        import array_api_compat.torch as xp
        import torch
    except ImportError as error:
        raise ValueError(
            f"device={name!r} takes PyTorch and array-api-compat: pip install 'ga-ann[gpu]'; "
            f"without device, NumPy computes ({error})."
        ) from error
    gpus = range(torch.cuda.device_count())
    makes = {"cpu": "cpu"} | {f"cuda:{k}": torch.cuda.get_device_name(k) for k in gpus}
    found = "cuda:0" if name == "cuda" else name
    if found not in makes:
        known = ", ".join(n if n == make else f"{n} ({make})" for n, make in makes.items())
        raise ValueError(
            f"device must be one of those that PyTorch {torch.__version__} finds here, {known}, "
            f"or None for NumPy, got {name!r}."
        )
    precision = None if dtype is None else str(dtype)
    versions = {"device": " in ".join(filter(None, (makes[found], precision)))}
    return Device(
        xp, found, torch.device(found), precision, versions | {"torch": torch.__version__}
    )


# ---------------------------------------------------------------- activations


def _relu(Z: Array) -> Array:
    xp = namespace_of(Z)
    return in_place(xp.maximum, Z, xp.zeros((), dtype=Z.dtype, device=Z.device))


def _sigmoid(Z: Array) -> Array:
    Z = in_place(namespace_of(Z).exp, in_place(namespace_of(Z).negative, Z))
    Z += 1
    return 1 / Z


def _step(Z: Array) -> Array:
    return as_type(Z > 0, Z.dtype)


ON_DEVICE: dict[str, Callable[[Array], Array]] = {
    "identity": lambda Z: Z,
    "relu": _relu,
    "sigmoid": _sigmoid,
    "sign": lambda Z: namespace_of(Z).sign(Z),
    "softmax": lambda Z: softmax(Z, 1),
    "step": _step,
    "tanh": lambda Z: in_place(namespace_of(Z).tanh, Z),
}
"""The named activations on arrays of any library, whose neurons are the second axis; the array may
be overwritten."""


def _on_device(activation: Activation, device: Device) -> Callable[[Array], Array]:
    """Return a layer's activation; a function of the user's is given NumPy's arrays."""
    for name, known in ACTIVATIONS.items():
        if activation is known and name in ON_DEVICE:
            return ON_DEVICE[name]

    def through_numpy(Z: Array) -> Array:
        sums = device.fetch(Z).copy()
        activation(sums, 1)
        return device.put(sums)

    return through_numpy


# ---------------------------------------------------------------- the evaluator


class DeviceEvaluator:
    """Measures the fitness of whole populations as `Evaluator` does, on a device.

    The results are NumPy's up to rounding, and the same each time on the same device. Scores that
    are marked with ``any_array``, as all that the package has, are computed there; others, which
    are scikit-learn's metrics and a user's functions, are given NumPy copies of the outputs, and
    activations of a user's those of a layer: right, but slower. Nothing else waits for the device
    before the scores are fetched, once a call.

    Parameters
    ----------
    X, y, shapes, activation, output_activation, fitness, ranking, sample_weight, dtype, n_jobs
        As `Evaluator` takes them; `X` is dense, and the threads are those of the device "cpu".
    device : Device
        Where to compute, and in which precision if it is not `dtype`. Scores are computed in
        `dtype` whatever that of the networks.

    Examples
    --------
    >>> import numpy, types
    >>> evaluate = DeviceEvaluator(
    ...     np.eye(2), [0, 1], [(2, 2)], device=Device(numpy, "cpu", "cpu"), dtype=np.float64
    ... )
    >>> evaluate(np.array([[1.0, 0, 0, 1], [0, 1, 1, 0]])).fitness
    array([1., 0.])
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        shapes: Sequence[tuple[int, ...]],
        *,
        device: Device,
        activation: Activations = "relu",
        output_activation: AnyActivation = "identity",
        fitness: PopulationScore = accuracy,
        ranking: PopulationScore | None = None,
        sample_weight: ArrayLike | None = None,
        dtype: Any = np.float32,
        n_jobs: int | None = None,
    ) -> None:
        self.device = device
        self._n_jobs: int = n_jobs or count_free_threads()
        self._pool: ThreadPoolExecutor | None = None
        self.shapes = list(shapes)
        self._xp = xp = device.xp
        self._score_dtype = getattr(xp, np.dtype(dtype).name)
        self._dtype = getattr(xp, device.dtype or np.dtype(dtype).name)
        self._item = np.dtype(dtype).itemsize
        self._X = device.put(np.asarray(X, dtype=dtype), self._dtype)
        self._host = [read_only(np.asarray(y))]
        self._host += [] if sample_weight is None else [read_only(np.asarray(sample_weight))]
        kinds = (xp.int64 if self._host[0].ndim == 1 else xp.float64, xp.float64)
        self._targets = [
            device.put(part, kind) for part, kind in zip(self._host, kinds, strict=False)
        ]
        self._scores = [fitness, None if ranking is fitness else ranking]
        self._widths = [shape[1] for shape in self.shapes if len(shape) == 2]
        last = "identity" if output_activation == "softmax" else output_activation
        found = find_activations(activation, last, len(self._widths))
        self._activations = [_on_device(one, device) for one in found]
        self._noise: LowRankNoise | None = None
        self._table: Array = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def __call__(
        self,
        population: NDArray[Any] | LowRankPopulation,
        samples: NDArray[np.intp] | None = None,
        *,
        ranking_only: bool = False,
    ) -> Measurement:
        """Return the fitness of every solution, and what selection ranks by.

        Parameters
        ----------
        population, samples, ranking_only
            See `Evaluator`.

        Returns
        -------
        Measurement

        Raises
        ------
        ValueError
            If the chromosomes do not have the network's number of genes, or a score that is given
            NumPy's arrays writes to the truth, the weights, or outputs that it does not say it
            overwrites.
        """
        check_population(population, self.shapes)
        scores = list(self._scores)
        if ranking_only and scores[1] is not None:
            scores[0] = None
        measured = self.device.fetch(self._measure(population, samples, scores))
        values = dict(zip((k for k in (0, 1) if scores[k] is not None), measured[1:], strict=True))
        fitness = values.get(0, np.full(len(population), np.nan))
        ranking = values.get(1, fitness).copy()
        invalid = measured[0] == 0
        fitness[invalid] = ranking[invalid] = np.nan
        return rank_failed_last(Measurement(fitness, ranking))

    def _measure(
        self,
        population: NDArray[Any] | LowRankPopulation,
        samples: NDArray[np.intp] | None,
        scores: Sequence[PopulationScore | None],
    ) -> Array:
        """Return whether the outputs are finite, and the scores: a row each, on the device."""
        xp, host = self._xp, self._host
        if samples is not None and not all(map(_takes_any_array, scores)):
            host = [read_only(part[..., samples]) for part in host]
        X, targets = self._run(self._take, [samples])[0]
        size = self._chunk_size(population, X.shape[0])
        n = len(population)
        chunks = [slice(k, min(k + size, n)) for k in range(0, n, size)]
        find_layers = self._run(partial(self._prepare, population, X), [None])[0]

        def measure(chunk: slice) -> Array:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                outputs = self._forward(find_layers(chunk), X)
                return self._score(outputs, scores, targets, host)

        return xp.concat(self._run(measure, chunks), axis=1)

    def _take(self, samples: NDArray[np.intp] | None) -> tuple[Array, list[Array]]:
        """Return a batch's samples and targets."""
        if samples is None:
            return self._X, self._targets
        rows = self.device.put(samples)
        targets = [self._xp.take(part, rows, axis=-1) for part in self._targets]
        return self._xp.take(self._X, rows, axis=0), targets

    def _run(self, function: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
        """Return a function's values; of the CPU's cores each takes a call at a time."""
        if not self.device.is_cpu:
            return list(map(function, arguments))
        if self._pool is None:  # or again, where somebody asks the engine after the run
            self._pool = ThreadPoolExecutor(self._n_jobs, initializer=_compute_alone)
        return list(self._pool.map(function, arguments))

    def _chunk_size(self, population: NDArray[Any] | LowRankPopulation, n_samples: int) -> int:
        """Return how many solutions go through the network at a time."""
        own = count_genes(self.shapes)
        if isinstance(population, LowRankPopulation):
            own = 3 * population.noise.n_factors  # with their places in the table, of 8 bytes
        size = int(self._chunk_bytes() // (self._item * max(self._widest() * n_samples, own)))
        n = len(population)
        n_chunks = -(-n // max(1, size))
        if self.device.is_cpu:  # a multiple of four, so that two or four threads end together
            n_chunks = -(-n_chunks // 4) * 4
        return -(-n // n_chunks)

    def _widest(self) -> int:
        """Return the largest number of values that a sample has, in a layer or a score."""
        return max(*self._widths, 2 * self._widths[-1])

    def _chunk_bytes(self) -> int:
        if self.device.is_cpu:
            return CPU_CHUNK_BYTES
        size, free = CHUNK_BYTES, self.device.free_memory()
        while LAYERS_HELD * size > free and size > FEWEST_BYTES:
            size //= 2
        return size

    # ------------------------------------------------------------ layers

    def _prepare(
        self, population: NDArray[Any] | LowRankPopulation, X: Array, _: None
    ) -> Callable[[slice], list[Layer]]:
        """Return what makes the layers of a chunk of solutions, of what all of them need."""
        if isinstance(population, LowRankPopulation):
            return self._prepare_low_rank(population, X)

        def find_layers(chunk: slice) -> list[Layer]:
            rows = self.device.put(np.ascontiguousarray(population[chunk]), self._dtype)
            return [_DenseLayer(*layer) for layer in _cut(rows, self.shapes)]

        return find_layers

    def _prepare_low_rank(
        self, population: LowRankPopulation, X: Array
    ) -> Callable[[slice], list[Layer]]:
        xp, noise, put = self._xp, population.noise, self.device.put
        if self._noise is not noise:
            self._noise, self._table = noise, put(noise.table, self._dtype)
        mean = _cut(put(population.mean[None], self._dtype), self.shapes)
        units = put(noise.units(population.sigma), self._dtype)
        steps = xp.arange(noise.n_factors, device=self.device.handle)
        places = put(population.places)
        shared = [xp.matrix_transpose(W[0, ...]) for W, _ in mean]
        # The samples are the same for all solutions, and so is their product with the mean.
        first = matmul(shared[0], xp.matrix_transpose(X))

        def find_layers(chunk: slice) -> list[Layer]:
            indices = places[chunk][:, None] + steps
            numbers = xp.reshape(xp.take(self._table, xp.reshape(indices, (-1,))), indices.shape)
            numbers *= units
            return [
                _LowRankLayer(W, left, right, b, first if k == 0 else None)
                for k, (W, (_, b), (left, right)) in enumerate(
                    zip(shared, mean, noise.split(numbers), strict=True)
                )
            ]

        return find_layers

    def _forward(self, layers: Sequence[Layer], X: Array) -> Array:
        """Return the outputs of a chunk of networks, (n_solutions, n_outputs, n_samples)."""
        n_rows = max(1, self._chunk_bytes() // (self._item * self._widest()))
        parts = []
        for start in range(0, X.shape[0], n_rows):
            rows = slice(start, min(start + n_rows, X.shape[0]))
            A = self._xp.matrix_transpose(X[rows, :])
            for layer, activation in zip(layers, self._activations, strict=True):
                A = activation(layer.propagate(A, rows))
            parts.append(as_type(A, self._score_dtype))
        return parts[0] if len(parts) == 1 else self._xp.concat(parts, axis=2)

    # ------------------------------------------------------------ scores

    def _score(
        self,
        outputs: Array,
        scores: Sequence[PopulationScore | None],
        targets: Sequence[Array],
        host: Sequence[NDArray[Any]],
    ) -> Array:
        """Return the rows of `_measure` for a chunk of solutions."""
        xp = self._xp
        # An infinity or a NaN anywhere makes the sum one of them.
        finite = as_type(xp.isfinite(xp.sum(outputs, axis=(1, 2))), xp.float64)
        rows = {-1: finite}
        turns = [(k, score) for k, score in enumerate(scores) if score is not None]
        # Those that overwrite the outputs come last, and only the last of all gets the original.
        turns.sort(key=lambda turn: may_overwrite(turn[1]))
        for k, score in turns:
            overwrites = may_overwrite(score)
            if not _takes_any_array(score):
                lent = self.device.fetch(outputs)
                lent = lent.copy() if overwrites else read_only(lent)
                rows[k] = self.device.put(np.array(score(lent, *host), dtype=np.float64))
                continue
            lent = outputs
            if overwrites and k != turns[-1][0]:
                lent = xp.asarray(outputs, copy=True)
            rows[k] = score(lent, *targets)
        return xp.stack([rows[k] for k in sorted(rows)])


def _compute_alone() -> None:
    """Let a thread's products and functions run in it alone, with PyTorch as with NumPy.

    Threads of OpenMP wait for each other after every step, which any other process draws out. The
    limit is the thread's own: neither PyTorch's nor the process's settings change.
    """
    if (torch := sys.modules.get("torch")) is not None:
        torch.get_num_threads()  # the first call in a thread sets its number
    ThreadpoolController().limit(limits=1, user_api="openmp")


def _takes_any_array(score: PopulationScore | None) -> bool:
    return score is None or getattr(score, "any_array", False)


# ---------------------------------------------------------------- layers


class Layer(Protocol):
    """A layer of a chunk of solutions."""

    def propagate(self, A: Array, rows: slice) -> Array:
        """Return the weighted sums, of shape (n_solutions, n_out, n_samples), in new memory.

        `A` is of shape (n_in, n_samples) if all solutions have the same input, which is then that
        of these rows of the samples; else of shape (n_solutions, n_in, n_samples).
        """


@dataclass(frozen=True)
class _DenseLayer:
    """Matrices of shape (n_solutions, n_in, n_out), biases of shape (n_solutions, n_out)."""

    W: Array
    b: Array | None

    def propagate(self, A: Array, rows: slice) -> Array:
        xp = namespace_of(A)
        Z = matmul(xp.matrix_transpose(self.W), A)
        if self.b is not None:
            Z += self.b[:, :, None]
        return Z


@dataclass(frozen=True)
class _LowRankLayer:
    """The mean's matrix and bias, and each solution's factors of its own; see `Factors`."""

    shared: Array
    left: Array
    right: Array
    bias: Array | None
    product: Array | None

    def propagate(self, A: Array, rows: slice) -> Array:
        xp, (n, rank, n_in), n_samples = namespace_of(A), self.left.shape, A.shape[-1]
        if self.product is None:
            own, mean = matmul(self.left, A), matmul(self.shared, A)
        else:  # one tall product instead of several flat ones
            own = xp.reshape(matmul(xp.reshape(self.left, (-1, n_in)), A), (n, rank, n_samples))
            mean = self.product[:, rows]
        right = self.right[:, :rank, :]
        if self.bias is not None:
            right = self.right  # its last row is the mutation of the biases
            ones = xp.ones((n, 1, n_samples), dtype=own.dtype, device=own.device)
            own = xp.concat([own, ones], axis=1)
            mean = mean + self.bias[..., None]
        right = xp.matrix_transpose(right)
        # A product of a column and a row is faster as what it is, element by element.
        Z = right * own if own.shape[1] == 1 else matmul(right, own)
        Z += mean
        return Z


def _cut(chromosomes: Array, shapes: Sequence[tuple[int, ...]]) -> list[tuple[Array, Array | None]]:
    """Return the matrices of chromosomes, each with its biases, if it has some."""
    xp, layers, start = namespace_of(chromosomes), [], 0
    for shape in shapes:
        stop = start + prod(shape)
        parameter = xp.reshape(chromosomes[:, start:stop], (chromosomes.shape[0], *shape))
        if len(shape) == 2:
            layers.append((parameter, None))
        else:
            layers[-1] = (layers[-1][0], parameter)
        start = stop
    return layers
