"""Low-rank populations: what their recipes stand for, against chromosomes made one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ga_ann.chromosome import count_genes, reshape
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.fitness import FITNESS
from ga_ann.low_rank import LowRankNoise, LowRankPopulation, check_rank, count_factors
from ga_ann.network import layer_shapes
from ga_ann.operators import centred_weights, recombination_weights


def make(sizes, *, bias=False, rank=1, n=7, sigma=0.5, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    shapes = layer_shapes(sizes, bias=bias)
    scales = [rng.uniform(0.5, 2, shape[-1]) for shape in shapes]
    noise = LowRankNoise(seed, shapes, scales, rank=rank, n_places=100, dtype=dtype)
    mean = rng.normal(size=count_genes(shapes)).astype(dtype)
    return LowRankPopulation(mean, noise.draw_places(rng, n), sigma, noise)


def made_by_hand(population, k):
    """Return solution k as its definition says, number by number from the table."""
    noise, start = population.noise, int(population.places[k])
    genes = []
    for shape, scale, mean in zip(
        noise.shapes, noise.scales, reshape(population.mean, noise.shapes), strict=True
    ):
        if len(shape) == 1:
            step = noise.table[start : start + shape[0]] * scale
            start += shape[0]
        else:
            n_left, n_right = noise.rank * shape[0], noise.rank * shape[1]
            left = noise.table[start : start + n_left].reshape(noise.rank, shape[0])
            start += n_left
            right = noise.table[start : start + n_right].reshape(noise.rank, shape[1])
            start += n_right
            step = sum(np.outer(a, b * scale) for a, b in zip(left, right, strict=True))
            step = step / np.sqrt(noise.rank)
            if len(noise.shapes) == sum(len(shape) == 2 for shape in noise.shapes):
                start += shape[1]  # those of the biases that there are not
        genes.append((mean + population.sigma * step).ravel())
    return np.concatenate(genes)


networks = st.tuples(
    st.lists(st.integers(2, 6), min_size=2, max_size=4), st.booleans(), st.integers(1, 2)
)


@settings(max_examples=30)
@given(networks, st.integers(0, 2**32 - 1))
def test_a_place_stands_for_the_chromosome_of_its_definition(network, seed):
    sizes, bias, rank = network
    population = make(sizes, bias=bias, rank=rank, seed=seed)
    dense = np.asarray(population)
    assert dense.shape == population.shape == (len(population), population[0].size)
    for k in range(len(population)):
        np.testing.assert_allclose(dense[k], made_by_hand(population, k), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(population[k], dense[k])
        np.testing.assert_array_equal(population[k - len(population)], dense[k])


def test_indexing_is_that_of_an_array():
    population = make([3, 4, 2], bias=True)
    dense = np.asarray(population)
    rows = (slice(1, 5), slice(None, None, -2), [3, 0, 3], np.arange(7) > 4, np.int64(3))
    pairs = (([0, 1], [2, 3]), ([1, 5], 4), (..., 0), None, (), np.array([[0, 1], [2, 3]]))
    columns = ((2, 5), (slice(2, 4), 1), (slice(None), slice(3, 6)))
    for key in (*rows, *columns, *pairs, dense > 0):
        np.testing.assert_array_equal(population[key], dense[key])
    with pytest.raises(IndexError):
        population[7]
    assert population[2:2].shape == (0, dense.shape[1])
    assert np.array(population, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy=False"):
        population.__array__(copy=False)


def test_numpys_functions_see_the_chromosomes():
    population = make([3, 4, 2], bias=True)
    dense = np.asarray(population)
    for function in (np.mean, np.std, np.max, np.sort, np.median):
        found = function(population, axis=0)
        np.testing.assert_array_equal(found, function(dense, axis=0))
    both = np.concatenate([population, dense])
    np.testing.assert_array_equal(both, np.concatenate([dense, dense]))


def test_nothing_is_written_to_chromosomes_that_are_not_kept():
    population = make([3, 4, 2])
    before = np.asarray(population)
    with pytest.raises(TypeError, match="NotImplemented"):
        population += 1
    with pytest.raises(TypeError, match="NotImplemented"):
        np.add(before, 1, out=population)
    with pytest.raises(TypeError):
        np.add.at(population, 0, 1)
    with pytest.raises(ValueError, match="read-only"):
        np.copyto(population, 0)
    np.testing.assert_array_equal(population, before)


@settings(max_examples=25)
@given(
    networks,
    st.sampled_from(["relu", "tanh", "sigmoid", "step"]),
    st.integers(1, 40),
    st.integers(1, 9),
    st.integers(0, 2**32 - 1),
)
def test_recipes_are_worth_what_their_chromosomes_are(network, activation, n_samples, n, seed):
    sizes, bias, rank = network
    population = make(sizes, bias=bias, rank=rank, n=n, seed=seed)
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n_samples, sizes[0])), rng.integers(sizes[-1], size=n_samples)
    evaluate = Evaluator(
        X, y, population.noise.shapes, activation=activation, fitness=FITNESS["neg_log_loss"],
        dtype=np.float64, n_jobs=1,
    )  # fmt: skip
    batch = rng.integers(n_samples, size=n_samples)
    for samples in (None, batch):
        own, dense = (evaluate(p, samples).fitness for p in (population, np.asarray(population)))
        np.testing.assert_allclose(own, dense, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_samples", [50, 3000])
@pytest.mark.parametrize("hidden", [[], [40], [40, 30]])
def test_threads_chunks_and_blocks_change_nothing(monkeypatch, n_samples, hidden):
    population = make([6, *hidden, 3], bias=True, n=25, dtype=np.float32)
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(n_samples, 6)), rng.integers(3, size=n_samples)

    def measure(n_jobs):
        fitness = FITNESS["neg_log_loss"]
        with Evaluator(X, y, population.noise.shapes, fitness=fitness, n_jobs=n_jobs) as evaluate:
            return evaluate(population).fitness

    module = "ga_ann.evolution.evaluation"
    monkeypatch.setattr(f"{module}.THREADED_FLOPS", 0)
    one = measure(1)
    for n_jobs in (2, 4):
        assert measure(n_jobs).tobytes() == one.tobytes()
    for name, value in (("CHUNK_BYTES", 40 * 4 * 17), ("SHARED_BYTES", 0), ("BLOCK_BYTES", 1)):
        monkeypatch.setattr(f"{module}.{name}", value)
        np.testing.assert_allclose(measure(2), one, rtol=2e-6)


@pytest.mark.parametrize("n", [150, 163, 400])
def test_blocks_are_cut_the_same_for_any_number_of_threads(n):
    population = make([300, 50, 7], bias=True, n=n, dtype=np.float32)
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(40, 300)), rng.integers(7, size=40)
    shapes, loss = population.noise.shapes, FITNESS["neg_log_loss"]
    found = set()
    for n_jobs in (1, 2, 3, 5):
        with Evaluator(X, y, shapes, fitness=loss, n_jobs=n_jobs) as evaluate:
            found.add(evaluate(population).fitness.tobytes())
    assert len(found) == 1


def test_without_sigma_every_solution_is_the_mean():
    population = make([4, 3, 2], bias=True, sigma=0.0)
    np.testing.assert_array_equal(np.asarray(population), np.tile(population.mean, (7, 1)))
    np.testing.assert_array_equal(population.recombine(centred_weights(7)), population.mean)


def test_full_rank_reaches_any_mutation():
    """The left factors of a solution span all inputs, so that some right ones give any matrix."""
    population = make([3, 5], rank=3, n=1)
    ((left, _),) = population.noise.factors(population.places)
    assert np.linalg.matrix_rank(left[0]) == 3
    changes = population[0].reshape(3, 5) - population.mean.reshape(3, 5)
    assert np.linalg.matrix_rank(changes) == 3
    assert np.linalg.matrix_rank((make([3, 5], n=1)[0] - make([3, 5], n=1).mean).reshape(3, 5)) == 1


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("weigh", [centred_weights, recombination_weights])
def test_recombination_is_the_weighted_sum_of_chromosomes(weigh, rank):
    population = make([5, 4, 3], bias=True, rank=rank, n=12)
    weights = weigh(12)
    dense = weights @ np.asarray(population) + (1 - weights.sum()) * population.mean
    np.testing.assert_allclose(population.recombine(weights), dense, rtol=1e-10, atol=1e-12)
    some = np.array([3, 1, 8])
    parents = population.take(some)
    np.testing.assert_array_equal(np.asarray(parents), np.asarray(population)[some])


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_mutations_have_the_scale_of_their_gene(rank):
    shapes, scales = [(3, 3), (3,)], [np.array([1.0, 2.0, 0.0]), np.array([0.5, 1.0, 3.0])]
    noise = LowRankNoise(3, shapes, scales, rank=rank, n_places=20_000)
    population = LowRankPopulation(np.zeros(12, np.float32), np.arange(20_000), 0.5, noise)
    spread = np.asarray(population).std(axis=0)
    expected = 0.5 * np.concatenate([np.tile(scales[0], 3), scales[1]])
    np.testing.assert_allclose(spread, expected, rtol=0.05)


def test_weights_of_recombination():
    for n in (2, 5, 32, 101):
        weights = centred_weights(n)
        assert weights.sum() == pytest.approx(0, abs=1e-12)
        assert (np.diff(weights) <= 0).all()
        assert weights[0] > 0 > weights[-1]
        formula = np.maximum(0, np.log(n / 2 + 1) - np.log(np.arange(1, n + 1)))
        np.testing.assert_allclose(weights, formula / formula.sum() - 1 / n)


@pytest.mark.parametrize("rank", [0, 4])
def test_a_rank_that_a_matrix_cannot_have_is_refused(rank):
    matrix = "4 x 5 matrix of layer 1" if rank == 0 else "5 x 3 matrix of layer 2"
    with pytest.raises(ValueError, match=f"rank must be 1 to .* for the {matrix}, .*up to 3 does"):
        check_rank(rank, layer_shapes([4, 5, 3], bias=True))
    check_rank(3, layer_shapes([4, 5, 3], bias=True))


def test_a_population_takes_a_mean_and_places():
    population = make([784, 256, 10], n=4096, dtype=np.float32)
    assert population.nbytes < 1e6
    assert count_factors(population.noise.shapes, 1) == (784 + 2 * 256) + (256 + 2 * 10)
    twin = population.copy()
    twin.mean += 1
    twin.places += 1
    assert not np.shares_memory(twin.mean, population.mean)
    assert (population.places != twin.places).all()
