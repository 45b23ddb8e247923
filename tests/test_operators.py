"""Operators against their definitions, and against what may never happen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.chromosome import flatten, reshape
from ga_ann.network import init_weights, layer_shapes
from ga_ann.operators import (
    CROSSOVERS,
    MUTATIONS,
    SELECTIONS,
    gaussian_mutation,
    middle_crossover,
    neuron_crossover,
    rank_order,
    rank_selection,
    roulette_selection,
    single_point_crossover,
    tournament_selection,
    truncation_selection,
    two_point_crossover,
    uniform_crossover,
    uniform_mutation,
)

SHAPES = layer_shapes([3, 4, 2], bias=True)
N_GENES = 3 * 4 + 4 + 4 * 2 + 2


def rng(seed=0):
    return np.random.default_rng(seed)


def labelled_parents(n, dtype=np.float32):
    """Parents whose genes tell whose they are: parent k has the value k everywhere."""
    return np.repeat(np.arange(n, dtype=dtype)[:, None], N_GENES, axis=1)


# --------------------------------------------------------------------------------- selection


@pytest.mark.parametrize("select", SELECTIONS.values(), ids=SELECTIONS)
@given(seed=st.integers(0, 99), n=st.integers(2, 30), data=st.data())
def test_selection_returns_valid_indices(select, seed, n, data):
    n_parents = data.draw(st.integers(1, n))
    fitness = np.array(data.draw(st.lists(st.floats(-5, 5), min_size=n, max_size=n)))
    chosen = select(rng(seed), fitness, n_parents)
    assert chosen.shape == (n_parents,)
    assert ((chosen >= 0) & (chosen < n)).all()


@pytest.mark.parametrize("select", SELECTIONS.values(), ids=SELECTIONS)
def test_selection_prefers_the_fit_and_avoids_nan(select):
    fitness = np.array([0.1, np.nan, 0.9, 0.5, np.nan, 0.2, 0.3, 0.4])
    chosen = np.concatenate([select(rng(k), fitness, 4) for k in range(200)])
    counts = np.bincount(chosen, minlength=8)
    assert counts[2] == counts.max()
    assert counts[[1, 4]].max() < counts[[0, 2, 3, 5, 6, 7]].min() or counts[[1, 4]].sum() == 0


def test_rank_order_is_stable_and_puts_nan_last():
    assert rank_order(np.array([1.0, np.nan, 2.0, 1.0, 2.0, -np.inf])).tolist() == [
        2,
        4,
        0,
        3,
        5,
        1,
    ]


def test_truncation_takes_the_best():
    fitness = rng().random(50)
    chosen = truncation_selection(rng(), fitness, 10)
    assert fitness[chosen].tolist() == sorted(fitness, reverse=True)[:10]


def test_tournament_of_one_is_uniform_and_of_all_nearly_greedy():
    fitness = np.arange(5.0)
    one = tournament_selection(rng(), fitness, 20_000, size=1)
    assert np.bincount(one) / 20_000 == pytest.approx(0.2, abs=0.02)
    three = np.bincount(tournament_selection(rng(), fitness, 20_000, size=3)) / 20_000
    expected = [((k + 1) ** 3 - k**3) / 125 for k in range(5)]  # the best of 3 draws is k
    assert three == pytest.approx(expected, abs=0.02)


def test_rank_selection_is_linear_in_rank():
    shares = np.bincount(rank_selection(rng(), np.array([10.0, -3.0, 5.0]), 30_000)) / 30_000
    assert shares == pytest.approx([3 / 6, 1 / 6, 2 / 6], abs=0.02)


def test_roulette_is_proportional_to_fitness():
    shares = np.bincount(roulette_selection(rng(), np.array([1.0, 3.0, 0.0]), 30_000), minlength=3)
    assert shares / 30_000 == pytest.approx([0.25, 0.75, 0.0], abs=0.02)
    shifted = np.bincount(roulette_selection(rng(), np.array([-1.0, 1.0, -3.0]), 30_000))
    assert shifted / 30_000 == pytest.approx([2 / 6, 4 / 6], abs=0.02)


def test_roulette_without_differences_or_finite_fitness_is_uniform():
    for fitness in (np.zeros(4), np.full(4, np.nan), np.full(4, -2.0)):
        shares = np.bincount(roulette_selection(rng(), fitness, 20_000), minlength=4) / 20_000
        assert shares == pytest.approx(0.25, abs=0.02)
    assert set(roulette_selection(rng(), np.array([0.0, np.nan]), 100)) == {0}


# --------------------------------------------------------------------------------- crossover


@pytest.mark.parametrize("cross", CROSSOVERS.values(), ids=CROSSOVERS)
@given(
    seed=st.integers(0, 99),
    n_parents=st.integers(1, 6),
    n_offspring=st.integers(1, 12),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_every_gene_comes_from_a_parent(cross, seed, n_parents, n_offspring, dtype):
    parents = rng(seed).random((n_parents, N_GENES)).astype(dtype)
    before = parents.copy()
    offspring = cross(rng(seed), parents, n_offspring, SHAPES)
    assert offspring.shape == (n_offspring, N_GENES)
    assert offspring.dtype == dtype
    assert (offspring[:, None] == parents).any(axis=1).all()
    assert (parents == before).all()
    assert not np.shares_memory(offspring, parents)


@pytest.mark.parametrize("cross", CROSSOVERS.values(), ids=CROSSOVERS)
def test_a_child_of_two_equal_parents_is_the_parent(cross):
    parents = np.repeat(rng().random((1, N_GENES)), 4, axis=0)
    assert (cross(rng(), parents, 10, SHAPES) == parents[0]).all()


@pytest.mark.parametrize("cross", CROSSOVERS.values(), ids=CROSSOVERS)
def test_a_child_has_two_parents(cross):
    for child in cross(rng(), labelled_parents(5), 60, SHAPES):
        assert 1 <= len(np.unique(child)) <= 2


def switches(child):
    return np.count_nonzero(np.diff(child))


def test_points_are_what_their_names_say():
    parents = labelled_parents(4)
    assert {switches(c) for c in single_point_crossover(rng(), parents, 100, SHAPES)} == {1}
    assert {switches(c) for c in two_point_crossover(rng(), parents, 300, SHAPES)} == {0, 1, 2}
    for k, child in enumerate(middle_crossover(rng(), parents, 6, SHAPES)):
        assert (child[: N_GENES // 2] == k % 4).all()
        assert (child[N_GENES // 2 :] == (k + 1) % 4).all()


def test_uniform_crossover_is_fair_and_free():
    offspring = uniform_crossover(rng(), labelled_parents(2), 4000, SHAPES)
    assert offspring.mean(axis=0) == pytest.approx(0.5, abs=0.05)
    correlation = np.corrcoef(offspring[:, 0] == 0, offspring[:, 1] == 0)[0, 1]
    assert abs(correlation) < 0.06


def test_neuron_crossover_keeps_neurons_whole():
    offspring = neuron_crossover(rng(), labelled_parents(2), 400, SHAPES)
    W1, b1, W2, b2 = reshape(offspring, SHAPES)
    for W, b in ((W1, b1), (W2, b2)):
        assert (b[:, None, :] == W).all()
    neurons = np.concatenate([b1, b2], axis=1)
    assert neurons.mean(axis=0) == pytest.approx(0.5, abs=0.1)
    assert len(np.unique(neurons, axis=0)) == 2 ** (4 + 2)


# ---------------------------------------------------------------------------------- mutation


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_mutation_without_strength_is_the_identity(mutate):
    offspring = rng().random((5, N_GENES)).astype(np.float32)
    before = offspring.copy()
    assert (mutate(rng(), offspring, np.zeros(N_GENES, np.float32)) == before).all()
    assert (mutate(rng(), offspring, np.ones(N_GENES, np.float32), rate=0.0) == before).all()


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_mutation_changes_its_share_of_the_genes_in_place(mutate):
    scale = np.ones(N_GENES)
    for rate, expected in ((1.0, N_GENES), (0.5, round(N_GENES / 2)), (1e-9, 1)):
        offspring = np.zeros((7, N_GENES))
        assert mutate(rng(), offspring, scale, rate=rate) is offspring
        assert (np.count_nonzero(offspring, axis=1) == expected).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("mutate", "kurtosis"), [(gaussian_mutation, 3.0), (uniform_mutation, 1.8)]
)
def test_noise_has_the_moments_asked_for(mutate, kurtosis, dtype):
    scale = np.linspace(0.1, 2, N_GENES).astype(dtype)
    noise = mutate(rng(), np.zeros((20_000, N_GENES), dtype), scale) / scale
    assert noise.dtype == dtype
    assert noise.mean(axis=0) == pytest.approx(0, abs=0.04)
    assert noise.std(axis=0) == pytest.approx(1, abs=0.04)
    assert (noise**4).mean() == pytest.approx(kurtosis, rel=0.03)
    assert abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 0.01


def test_the_tutorial_mutation_is_uniform_between_minus_one_and_one():
    scale = np.full(N_GENES, 10 * 0.1 / 3**0.5)
    noise = uniform_mutation(rng(), np.zeros((2000, N_GENES)), scale)
    assert noise.min() == pytest.approx(-1, abs=1e-3)
    assert noise.max() == pytest.approx(1, abs=1e-3)


# -------------------------------------------------------------------------------- randomness


@pytest.mark.parametrize("name", [*SELECTIONS, *CROSSOVERS, *MUTATIONS])
def test_same_seed_same_bits_and_the_global_generator_is_left_alone(name):
    parents = flatten(init_weights(rng(), [3, 4, 2], n_solutions=6, bias=True))

    def act():
        if name in CROSSOVERS:
            return CROSSOVERS[name](rng(1), parents, 9, SHAPES)
        if name in SELECTIONS:
            return SELECTIONS[name](rng(1), parents[:, 0], 3)
        return MUTATIONS[name](rng(1), parents.copy(), np.ones(N_GENES, np.float32), rate=0.5)

    state = np.random.get_state()[1].copy()  # noqa: NPY002
    assert (act() == act()).all()
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
