"""Weights to chromosomes and back: one network or a population of them, any depth."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_genes", "flatten", "reshape"]


def count_genes(shapes: Sequence[tuple[int, ...]]) -> int:
    """Return the number of genes in the chromosome of a network.

    Parameters
    ----------
    shapes : sequence of tuple of int
        Shapes of the network's parameters, as `layer_shapes` gives them.

    Examples
    --------
    >>> count_genes([(102, 150), (150, 60), (60, 4)])
    24540
    """
    return sum(prod(shape) for shape in shapes)


def flatten(weights: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Join the weight matrices into a chromosome, row after row, matrix after matrix.

    Parameters
    ----------
    weights : sequence of ndarray
        Parameters of one network (matrices are 2-D), or of a population (3-D).

    Returns
    -------
    ndarray of shape (n_genes,), or (n_solutions, n_genes) for a population
        A new array.

    Raises
    ------
    ValueError
        If `weights` is empty, the ranks are mixed, or the sizes of the population differ.

    Examples
    --------
    >>> flatten([np.array([[1, 2], [3, 4]]), np.array([[5], [6]])])
    array([1, 2, 3, 4, 5, 6])
    """
    if not len(weights) or np.ndim(weights[0]) not in (2, 3):
        raise ValueError(
            "weights must be a non-empty list whose first item is a 2-D matrix (one network) or a "
            f"3-D array (a population), got shapes {[np.shape(W) for W in weights]}."
        )
    front = np.shape(weights[0])[:-2]
    if any(
        np.shape(W)[: len(front)] != front or np.ndim(W) - len(front) not in (1, 2) for W in weights
    ):
        what = f"for {front[0]} solutions" if front else "of one network"
        raise ValueError(
            f"weights must be matrices and biases {what}, got shapes "
            f"{[np.shape(W) for W in weights]}."
        )
    return np.concatenate([np.reshape(W, (*front, -1)) for W in weights], axis=-1)


def reshape(chromosome: NDArray[Any], shapes: Sequence[tuple[int, ...]]) -> list[NDArray[Any]]:
    """Cut a chromosome into the weight matrices that it was joined from.

    Parameters
    ----------
    chromosome : ndarray of shape (n_genes,) or (n_solutions, n_genes)
        One chromosome, or a population of them.
    shapes : sequence of tuple of int
        Shapes of one network's parameters, as `layer_shapes` gives them.

    Returns
    -------
    list of ndarray
        Views into `chromosome` (where its memory layout allows), with the axis of the population
        in front where there is one.

    Raises
    ------
    ValueError
        If the number of genes is not what `shapes` ask for.

    Examples
    --------
    >>> W1, W2 = reshape(np.arange(6), [(2, 2), (2, 1)])
    >>> W2
    array([[4],
           [5]])
    """
    chromosome = np.asarray(chromosome)
    n_genes = count_genes(shapes)
    if chromosome.ndim not in (1, 2) or chromosome.shape[-1] != n_genes:
        raise ValueError(
            f"chromosome must have {n_genes} genes for the shapes {list(shapes)}, "
            f"got shape {chromosome.shape}."
        )
    front = chromosome.shape[:-1]
    weights, start = [], 0
    for shape in shapes:
        stop = start + prod(shape)
        weights.append(chromosome[..., start:stop].reshape(front + tuple(shape)))
        start = stop
    return weights
