"""The evaluator against a plain forward pass and scikit-learn's accuracy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ga_ann import evaluation
from ga_ann.chromosome import flatten, reshape
from ga_ann.evaluation import Evaluator
from ga_ann.network import init_weights, layer_shapes, predict


def problem(sizes, n_samples, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n_samples, sizes[0])), rng.integers(0, sizes[-1], n_samples)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    n_solutions=st.integers(1, 6),
    n_samples=st.integers(1, 50),
    bias=st.booleans(),
    activation=st.sampled_from(["relu", "sigmoid", "tanh", "identity"]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_fitness_is_the_plain_accuracy(
    seed, sizes, n_solutions, n_samples, bias, activation, dtype
):
    X, y = problem(sizes, n_samples, seed)
    X = X.astype(dtype)
    weights = init_weights(
        np.random.default_rng(seed), sizes, n_solutions=n_solutions, bias=bias, dtype=dtype
    )
    evaluate = Evaluator(X, y, layer_shapes(sizes, bias=bias), activation=activation, dtype=dtype)
    population = flatten(weights)
    before = population.copy()
    expected = [
        np.mean(predict([W[k] for W in weights], X, activation=activation) == y)
        for k in range(n_solutions)
    ]
    assert evaluate(population).tolist() == expected
    assert evaluate.n_evaluated == n_solutions
    assert (population == before).all()


def test_chunked_is_whole(monkeypatch):
    sizes = [5, 7, 3]
    X, y = problem(sizes, 101)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=9))
    whole = Evaluator(X, y, layer_shapes(sizes))(population)
    for rows in (1, 7, 50, 100):
        monkeypatch.setattr(evaluation, "CHUNK_BYTES", rows * 10 * 4)
        assert (Evaluator(X, y, layer_shapes(sizes))(population) == whole).all()


def test_single_and_double_precision_agree():
    sizes = [20, 15, 4]
    X, y = problem(sizes, 500)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=20))
    single = Evaluator(X, y, layer_shapes(sizes), dtype="float32")(population)
    double = Evaluator(X, y, layer_shapes(sizes), dtype="float64")(population.astype(float))
    assert single == pytest.approx(double, abs=2 / 500)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 3e38])
def test_what_is_not_finite_has_no_fitness(poison):
    sizes = [4, 6, 3]
    X, y = problem(sizes, 30)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=3))
    plain = Evaluator(X, y, layer_shapes(sizes))(population)
    W1, W2 = reshape(population, layer_shapes(sizes))
    W1[1] = poison
    W2[1] = 1
    fitness = Evaluator(X, y, layer_shapes(sizes))(population)
    assert np.isnan(fitness[1])
    assert (fitness[[0, 2]] == plain[[0, 2]]).all()


@pytest.mark.parametrize("shape", [(3,), (2, 5), (1, 2, 6)])
def test_chromosomes_of_another_length_are_refused(shape):
    evaluate = Evaluator([[0.0, 1.0]], [0], [(2, 3)])
    with pytest.raises(ValueError, match=r"\(n_solutions, 6\), got"):
        evaluate(np.zeros(shape))


def test_unknown_names_list_the_valid_ones():
    with pytest.raises(ValueError, match="'accuracy'"):
        Evaluator([[0.0]], [0], [(1, 2)], fitness="wit")
    with pytest.raises(ValueError, match="'relu'"):
        Evaluator([[0.0]], [0], [(1, 2)], activation="wit")
