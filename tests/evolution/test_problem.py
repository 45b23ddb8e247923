"""The problem: the scales of its genes, and the populations that a run may begin with."""

import numpy as np
import pytest

from ga_ann.chromosome import reshape
from ga_ann.evolution.data import TrainingData
from ga_ann.evolution.problem import OUTPUT_SCALE, Problem
from ga_ann.evolution.recipe import Recipe
from ga_ann.low_rank import LowRankPopulation
from ga_ann.network import forward
from ga_ann.weight_sets import check_weight_set, is_inside


def make_problem(data, *, hidden_layer_sizes=(5,), bias=True, weight_set=None, fitness=None, **of):
    return Problem(
        data,
        Recipe(**of),
        hidden_layer_sizes=hidden_layer_sizes,
        bias=bias,
        weight_set=weight_set,
        fitness=fitness,
    )


def data(X=None, y=(0, 1, 2, 0, 1, 2), *, task="classification", classes=None, weight=None):
    X = np.random.default_rng(0).standard_normal((len(y), 4)) if X is None else X
    return TrainingData.check(X, y, task=task, classes=classes, sample_weight=weight)


def regression(targets, **options):
    return data(y=targets, task="regression", **options)


# --------------------------------------------------------------------------------- populations


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_the_population_is_drawn_with_the_scale_of_its_genes(unit, dtype):
    X = unit * np.random.default_rng(0).standard_normal((30, 4))
    problem = make_problem(
        data(X, y=[0, 1] * 15), population_size=2000, hidden_layer_sizes=(5,), dtype=dtype
    )
    population = problem.draw_population(np.random.default_rng(1))
    assert population.shape == (2000, len(problem.scale)) == (2000, 4 * 5 + 5 + 5 * 2 + 2)
    assert population.dtype == dtype
    for parameter, scale in zip(
        reshape(population, problem.shapes),
        reshape(problem.scale[None], problem.shapes),
        strict=True,
    ):
        if parameter.ndim == 3:
            assert parameter.std(axis=0) == pytest.approx(scale[0], rel=0.12)
        else:
            assert not parameter.any()
    # What the first layer answers does not depend on the unit.
    first = problem.scale[:20] * np.sqrt(np.mean(X**2))
    assert first == pytest.approx(np.full(20, np.sqrt(2 / 4)), rel=1e-5)


def test_a_regression_begins_at_the_means_with_the_targets_spread():
    targets = np.random.default_rng(0).standard_normal((40, 2)) * [1, 1000] + [5, 0]
    plain = regression(targets)
    problem = make_problem(plain, fitness="r2")
    population = problem.draw_population(np.random.default_rng(0))
    assert population[:, -2:] == pytest.approx(
        np.tile(plain.centre, (len(population), 1)), rel=1e-5
    )
    last = reshape(problem.scale[None], problem.shapes)[-2][0]
    assert last[:, 1] / last[:, 0] == pytest.approx(plain.spread[1] / plain.spread[0])


@pytest.mark.parametrize("X", [np.zeros((6, 4)), np.full((6, 4), 3.0)])
def test_constant_features_and_targets_have_a_finite_scale(X):
    for one in (data(X), regression(np.full(6, 2.0), X=X)):
        problem = make_problem(one)
        assert np.isfinite(problem.scale).all()
        assert all((scale > 0).all() for scale in reshape(problem.scale, problem.shapes)[:-2])
        assert np.isfinite(problem.draw_population(np.random.default_rng(0))).all()


def test_the_weights_to_a_constant_target_are_0_and_stay_so():
    problem = make_problem(regression(np.full(6, 2.0)), bias=True)
    *others, matrix, bias = reshape(problem.scale, problem.shapes)
    assert all((scale > 0).all() for scale in others)
    assert (matrix == 0).all()
    assert (bias == 0).all()
    assert (make_problem(regression(np.full(6, 2.0)), bias=False).scale > 0).all()


@pytest.mark.parametrize("weight_set", ["binary", "ternary", "int8", [0.25, 3.0, -7.5]])
@pytest.mark.parametrize("bias", [False, True])
def test_restricted_weights_are_drawn_from_the_set(weight_set, bias):
    problem = make_problem(data(), weight_set=weight_set, bias=bias, population_size=50)
    values = check_weight_set(weight_set)
    population = problem.draw_population(np.random.default_rng(0))
    assert population.shape == (50, len(problem.scale))
    assert is_inside(population, values)
    matrices = reshape(population, problem.shapes)
    for parameter in matrices:
        if parameter.ndim == 2:
            assert (np.abs(parameter) == min(np.abs(values))).all()
        elif len(values) < 10:
            assert set(parameter.ravel()) == set(np.float32(values))


def test_restricted_draws_are_seeded():
    problem = make_problem(data(), weight_set="ternary")
    first, second, other = (problem.draw_population(np.random.default_rng(k)) for k in (0, 0, 1))
    assert (first == second).all()
    assert (first != other).any()


def test_the_spread_of_outputs_grows_with_the_set_and_draws_nothing_from_the_run():
    spreads = [
        make_problem(data(), weight_set=[-k, k], bias=False)._spread_of_outputs()
        for k in (1.0, 10.0)
    ]
    assert spreads[1] == pytest.approx(100 * spreads[0], rel=1e-5)  # two layers of relu
    nothing = make_problem(data(np.zeros((6, 4))), weight_set="binary", bias=False)
    assert nothing._spread_of_outputs() == 1.0
    # As large as that of many networks drawn from the set.
    problem = make_problem(data(), weight_set="ternary", population_size=500)
    networks = reshape(problem.draw_population(np.random.default_rng(3)), problem.shapes)
    outputs = [forward([W[k] for W in networks], problem.data.X) for k in range(500)]
    assert problem._spread_of_outputs() == pytest.approx(np.std(outputs), rel=0.5)


# ------------------------------------------------------------------------------ given populations


def test_a_given_population_is_taken_as_a_copy():
    problem = make_problem(data())
    given = problem.draw_population(np.random.default_rng(0))
    taken = problem.check_population(given)
    assert (taken == given).all()
    assert not np.shares_memory(taken, given)
    assert problem.check_population(given.astype(np.float64)).dtype == np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:-1], r"must have shape \(32, 43\).*got \(31, 43\)"),
        (lambda p: p[:, 1:], r"got \(32, 42\)"),
        (lambda p: p * np.nan, "NaN"),
        (lambda p: p * 0.5, "values of weight_set='ternary'"),
    ],
)
def test_a_population_that_does_not_fit_is_refused(change, message):
    problem = make_problem(data(), weight_set="ternary", population_size=32)
    with pytest.raises(ValueError, match=message):
        problem.check_population(change(problem.draw_population(np.random.default_rng(0))))


def test_samples_too_large_for_the_precision_are_refused():
    X = np.full((6, 4), 1e39)
    with pytest.raises(ValueError, match=r"X must fit into float32.*scale it"):
        make_problem(data(X))
    make_problem(data(X), dtype="float64")


@pytest.mark.parametrize("n_rows", [1, 3, 32, 50])
def test_of_given_chromosomes_low_rank_takes_as_many_as_there_are(n_rows):
    """Their mean is where it begins."""
    problem = make_problem(data(), mutation="low_rank", population_size=32)
    given = np.random.default_rng(0).normal(size=(n_rows, problem.n_genes)).astype(np.float32)
    np.testing.assert_array_equal(problem.check_population(given), given)
    with pytest.raises(ValueError, match=rf"must have shape \({n_rows}, 43\)"):
        problem.check_population(given[:, 1:])


@pytest.mark.parametrize("rank", [1, 3])
def test_low_rank_noise_has_the_scale_of_the_genes(rank):
    problem = make_problem(data(), mutation="low_rank", rank=rank)
    noise = problem.low_rank_noise(5)
    assert noise.rank == rank
    assert noise.table.dtype == problem.recipe.dtype
    rng, mean = np.random.default_rng(1), np.zeros(problem.n_genes, np.float32)
    population = noise.draw_around(rng, mean, problem.population_size, 0.5)
    assert population.shape == (problem.recipe.population_size, problem.n_genes)
    many = LowRankPopulation(mean, noise.draw_places(rng, 20_000), 0.5, noise)
    np.testing.assert_allclose(np.asarray(many).std(axis=0), 0.5 * problem.scale, rtol=0.1)


def test_a_rank_that_the_network_cannot_have_is_refused():
    with pytest.raises(ValueError, match="1 to 3 for the 5 x 3 matrix of layer 2, got 4"):
        make_problem(data(), mutation="low_rank", rank=4)
    make_problem(data(), mutation="gaussian", rank=4)


@pytest.mark.parametrize("bias", [False, True])
def test_the_first_mean_is_a_drawn_network_with_weak_outputs(bias):
    problem = make_problem(data(), bias=bias, hidden_layer_sizes=(5,))
    drawn = problem.draw_population(np.random.default_rng(3), 1)[0]
    mean = problem.draw_mean(np.random.default_rng(3))
    weak = reshape(drawn, problem.shapes)
    weak[-1 - bias] *= OUTPUT_SCALE
    np.testing.assert_array_equal(mean, drawn)
    assert 0 < OUTPUT_SCALE < 1
