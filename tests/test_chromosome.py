"""Chromosomes: round trips, and the order of the genes against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.chromosome import count_genes, flatten, reshape
from ga_ann.network import forward, init_weights, layer_shapes

SIZES = st.lists(st.integers(1, 6), min_size=2, max_size=5)
SEEDS = st.integers(0, 2**32)
DTYPES = st.sampled_from([np.float32, np.float64, np.int64])


def random_weights(seed, sizes, bias, dtype, front=()):
    rng = np.random.default_rng(seed)
    shapes = layer_shapes(sizes, bias=bias)
    return [rng.normal(scale=100, size=front + shape).astype(dtype) for shape in shapes]


@given(seed=SEEDS, sizes=SIZES, bias=st.booleans(), dtype=DTYPES)
def test_one_network(seed, sizes, bias, dtype):
    weights = random_weights(seed, sizes, bias, dtype)
    shapes = [W.shape for W in weights]
    chromosome = flatten(weights)
    np.testing.assert_array_equal(chromosome, np.concatenate([W.ravel() for W in weights]))
    assert chromosome.shape == (count_genes(shapes),)
    assert chromosome.dtype == dtype
    assert not any(np.shares_memory(chromosome, W) for W in weights)
    for W, back in zip(weights, reshape(chromosome, shapes), strict=True):
        np.testing.assert_array_equal(back, W)
        assert np.shares_memory(back, chromosome)


@given(seed=SEEDS, sizes=SIZES, bias=st.booleans(), dtype=DTYPES, n_solutions=st.integers(1, 5))
def test_a_population_equals_a_loop_over_its_networks(seed, sizes, bias, dtype, n_solutions):
    population = random_weights(seed, sizes, bias, dtype, front=(n_solutions,))
    shapes = layer_shapes(sizes, bias=bias)
    chromosomes = flatten(population)
    assert chromosomes.shape == (n_solutions, count_genes(shapes))
    assert chromosomes.dtype == dtype
    back = reshape(chromosomes, shapes)
    for i in range(n_solutions):
        oracle = np.concatenate([W[i].ravel() for W in population])
        np.testing.assert_array_equal(chromosomes[i], oracle)
    for W, W_back in zip(population, back, strict=True):
        np.testing.assert_array_equal(W_back, W)
        assert np.shares_memory(W_back, chromosomes)


@given(seed=SEEDS, sizes=SIZES, bias=st.booleans(), n_solutions=st.integers(1, 4))
def test_any_chromosome_survives_the_other_round_trip(seed, sizes, bias, n_solutions):
    shapes = layer_shapes(sizes, bias=bias)
    chromosomes = np.random.default_rng(seed).normal(size=(n_solutions, count_genes(shapes)))
    np.testing.assert_array_equal(flatten(reshape(chromosomes, shapes)), chromosomes)
    np.testing.assert_array_equal(flatten(reshape(chromosomes[0], shapes)), chromosomes[0])


def test_matrices_are_views_that_write_through():
    chromosomes = np.zeros((3, 10))
    W1, W2 = reshape(chromosomes, [(2, 3), (4, 1)])
    W1[1, 1, 2] = 5
    W2[2, 0, 0] = 7
    assert chromosomes[1].tolist() == [0, 0, 0, 0, 0, 5, 0, 0, 0, 0]
    assert chromosomes[2].tolist() == [0, 0, 0, 0, 0, 0, 7, 0, 0, 0]


def test_memory_order_of_the_weights_does_not_matter():
    (W,) = random_weights(0, [4, 3], False, np.float64, front=(2,))
    np.testing.assert_array_equal(flatten([np.asfortranarray(W)]), flatten([W]))
    np.testing.assert_array_equal(flatten([W[0].T]), np.ravel(W[0].T))


def test_outputs_survive_the_round_trip():
    weights = init_weights(np.random.default_rng(0), [102, 150, 60, 4], n_solutions=2)
    chromosomes = flatten(weights)
    assert chromosomes.shape == (2, 24_540)
    X = np.random.default_rng(1).normal(size=(5, 102))
    shapes = [W.shape[1:] for W in weights]
    np.testing.assert_array_equal(forward(reshape(chromosomes, shapes), X), forward(weights, X))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([], "non-empty list"),
        ([(3,)], "non-empty list"),
        ([(2, 3, 4, 5)], "non-empty list"),
        ([(5, 2, 3), (6, 3, 2)], "matrices and biases for 5 solutions"),
        ([(5, 2, 3), (5,)], "matrices and biases for 5 solutions"),
        ([(2, 3), (5, 3, 2)], "matrices and biases of one network"),
        ([(2, 3), ()], "matrices and biases of one network"),
    ],
)
def test_weights_that_are_no_network_are_refused(shapes, message):
    with pytest.raises(ValueError, match=message):
        flatten([np.ones(shape) for shape in shapes])


@pytest.mark.parametrize("shape", [(9,), (11,), (2, 9), (10, 2), (1, 1, 10), ()])
def test_a_chromosome_of_the_wrong_length_is_refused(shape):
    with pytest.raises(ValueError, match=r"must have 10 genes for the shapes .* got shape \("):
        reshape(np.zeros(shape), [(2, 3), (4, 1)])
