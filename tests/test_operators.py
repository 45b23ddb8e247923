"""Operators against their definitions, and against what may never happen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from ga_ann.chromosome import flatten, reshape
from ga_ann.network import init_weights, layer_shapes
from ga_ann.operators import (
    CROSSOVERS,
    MUTATIONS,
    SELECTIONS,
    decay_weights,
    gaussian_mutation,
    gene_pool_crossover,
    mean_crossover,
    middle_crossover,
    neuron_crossover,
    noise_table,
    rank_order,
    rank_selection,
    recombination_weights,
    roulette_selection,
    single_point_crossover,
    step_mutation,
    tournament_selection,
    truncation_selection,
    two_point_crossover,
    uniform_crossover,
    uniform_mutation,
    weighted_mean,
)

SHAPES = layer_shapes([3, 4, 2], bias=True)
CHOOSING = {name: cross for name, cross in CROSSOVERS.items() if name != "mean"}
PAIRING = {name: cross for name, cross in CHOOSING.items() if name != "gene_pool"}
N_GENES = 3 * 4 + 4 + 4 * 2 + 2


def rng(seed=0):
    return np.random.default_rng(seed)


def crossed(cross, generator, parents, n_offspring):
    offspring = np.full((n_offspring, N_GENES), np.nan, dtype=parents.dtype)
    table = noise_table(rng(77), N_GENES, parents.dtype)
    cross(generator, parents, offspring, SHAPES, table)
    return offspring


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


@pytest.mark.parametrize("cross", CHOOSING.values(), ids=CHOOSING)
@given(
    seed=st.integers(0, 99),
    n_parents=st.integers(1, 6),
    n_offspring=st.integers(1, 12),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_every_gene_comes_from_a_parent(cross, seed, n_parents, n_offspring, dtype):
    parents = rng(seed).random((n_parents, N_GENES)).astype(dtype)
    before = parents.copy()
    offspring = crossed(cross, rng(seed), parents, n_offspring)
    assert offspring.shape == (n_offspring, N_GENES)
    assert offspring.dtype == dtype
    assert (offspring[:, None] == parents).any(axis=1).all()
    assert (parents == before).all()
    assert not np.shares_memory(offspring, parents)


@pytest.mark.parametrize("cross", CROSSOVERS.values(), ids=CROSSOVERS)
def test_a_child_of_two_equal_parents_is_the_parent(cross):
    parents = np.repeat(rng().random((1, N_GENES)), 4, axis=0)
    assert crossed(cross, rng(), parents, 10) == pytest.approx(parents[[0] * 10], abs=1e-12)


@pytest.mark.parametrize("cross", PAIRING.values(), ids=PAIRING)
def test_a_child_has_two_parents(cross):
    for child in crossed(cross, rng(), labelled_parents(5), 60):
        assert 1 <= len(np.unique(child)) <= 2


def switches(child):
    return np.count_nonzero(np.diff(child))


def test_points_are_what_their_names_say():
    parents = labelled_parents(4)
    assert {switches(c) for c in crossed(single_point_crossover, rng(), parents, 100)} == {1}
    assert {switches(c) for c in crossed(two_point_crossover, rng(), parents, 300)} == {0, 1, 2}
    for k, child in enumerate(crossed(middle_crossover, rng(), parents, 6)):
        assert (child[: N_GENES // 2] == k % 4).all()
        assert (child[N_GENES // 2 :] == (k + 1) % 4).all()


def test_uniform_crossover_is_fair_and_free():
    offspring = crossed(uniform_crossover, rng(), labelled_parents(2), 4000)
    assert offspring.mean(axis=0) == pytest.approx(0.5, abs=0.05)
    correlation = np.corrcoef(offspring[:, 0] == 0, offspring[:, 1] == 0)[0, 1]
    assert abs(correlation) < 0.06


def test_neuron_crossover_keeps_neurons_whole():
    offspring = crossed(neuron_crossover, rng(), labelled_parents(2), 400)
    W1, b1, W2, b2 = reshape(offspring, SHAPES)
    for W, b in ((W1, b1), (W2, b2)):
        assert (b[:, None, :] == W).all()
    neurons = np.concatenate([b1, b2], axis=1)
    assert neurons.mean(axis=0) == pytest.approx(0.5, abs=0.1)
    assert len(np.unique(neurons, axis=0)) == 2 ** (4 + 2)


def test_uniform_crossover_takes_the_coins_from_the_signs_of_the_table():
    parents = np.array([np.zeros(N_GENES), np.ones(N_GENES)])
    table = np.where(np.arange(N_GENES) % 3, 1.0, -1.0)  # one slice, and it begins at 0
    offspring = np.empty((50, N_GENES))
    uniform_crossover(rng(), parents, offspring, SHAPES, table)
    seen = {tuple(child) for child in offspring}
    assert seen == {tuple(1.0 * (table < 0)), tuple(1.0 * (table > 0))}


def test_mean_crossover_is_the_weighted_mean():
    parents = rng().random((3, N_GENES))
    weights = np.log(3.5) - np.log([1, 2, 3])
    expected = np.average(parents, axis=0, weights=weights)
    assert crossed(mean_crossover, rng(), parents, 2) == pytest.approx(np.array([expected] * 2))
    assert weighted_mean(parents[:1]) == pytest.approx(parents[0])


def test_a_gene_pool_has_a_gene_of_every_parent_in_its_share():
    n_parents, n_offspring = 5, 3000
    offspring = crossed(gene_pool_crossover, rng(), labelled_parents(n_parents), n_offspring)
    assert max(len(np.unique(child)) for child in offspring) == n_parents
    expected = recombination_weights(n_parents)
    for shares in (
        np.bincount(offspring.astype(int).ravel(), minlength=n_parents) / offspring.size,
        *(np.bincount(gene.astype(int), minlength=n_parents) / n_offspring for gene in offspring.T),
    ):
        # Bounds of 5 standard errors, beside the rounding to multiples of 1/256.
        error = np.sqrt(expected * (1 - expected) / n_offspring)
        assert (np.abs(shares - expected) < 5 * error + 1 / 256).all()
    assert abs(np.corrcoef(offspring[:, 0], offspring[:, 1])[0, 1]) < 5 / n_offspring**0.5


def test_gene_pool_shares_are_those_of_the_byte_to_the_last():
    offspring = crossed(gene_pool_crossover, rng(1), labelled_parents(3), 4000)
    counts = np.bincount(offspring.astype(int).ravel(), minlength=3)
    bounds = np.round(256 * np.cumsum(recombination_weights(3)))
    assert chisquare(counts, np.diff(bounds, prepend=0) / 256 * counts.sum()).pvalue > 1e-4


def test_a_gene_pool_of_many_parents_leaves_none_of_the_better_half_out():
    offspring = crossed(gene_pool_crossover, rng(), labelled_parents(40), 2000)
    counts = np.bincount(offspring.astype(int).ravel(), minlength=40)
    assert len(counts) == 40
    assert (counts[:20] > 0).all()


@given(n=st.integers(1, 200))
def test_recombination_weights_fall_with_the_rank(n):
    weights = recombination_weights(n)
    assert weights.shape == (n,)
    assert weights.sum() == pytest.approx(1)
    assert (weights > 0).all()
    assert (np.diff(weights) < 0).all()
    # The definition, one weight at a time.
    raw = [np.log(n + 0.5) - np.log(rank) for rank in range(1, n + 1)]
    assert weights == pytest.approx(np.array(raw) / sum(raw))


# -------------------------------------------------------------------------------------- decay


@given(share=st.floats(0, 1), seed=st.integers(0, 99), dtype=st.sampled_from(["f4", "f8"]))
def test_decay_shrinks_weights_and_leaves_biases(share, seed, dtype):
    parents = rng(seed).standard_normal((3, N_GENES)).astype(dtype)
    before = parents.copy()
    decay_weights(parents, SHAPES, share)
    assert parents.dtype == dtype
    for new, old in zip(reshape(parents, SHAPES), reshape(before, SHAPES), strict=True):
        expected = old if old.ndim == 2 else (1 - share) * old
        np.testing.assert_allclose(new, expected, rtol=1e-6, atol=1e-7)
    if share == 0:
        assert (parents == before).all()


# ------------------------------------------------------------------------------------- noise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_from_the_table_is_as_good_as_drawn(dtype):
    n_genes, n_offspring = 500, 4000
    table = noise_table(rng(1), n_genes, dtype)
    assert table.dtype == dtype
    noise = np.zeros((n_offspring, n_genes), dtype)
    gaussian_mutation(rng(2), noise, np.ones(n_genes, dtype), table=table)
    # Bounds of 5 standard errors, of means over all numbers and over those of one gene.
    assert abs(noise.mean()) < 5 / noise.size**0.5 * 1.5
    assert np.abs(noise.mean(axis=0)).max() < 5 / n_offspring**0.5
    assert np.abs(noise.std(axis=0) - 1).max() < 5 / (2 * n_offspring) ** 0.5
    assert (noise.astype(float) ** 4).mean() == pytest.approx(3, rel=0.03)
    # Independent offspring: their correlations are those of independent draws.
    correlations = np.corrcoef(noise[:1000])[np.triu_indices(1000, k=1)]
    assert abs(correlations.mean()) < 5e-3
    assert correlations.std() == pytest.approx(n_genes**-0.5, rel=0.05)


def test_a_slice_of_the_table_may_begin_anywhere():
    table = np.arange(10.0)
    noise = np.zeros((300, 8))
    gaussian_mutation(rng(), noise, np.ones(8), table=table)
    assert {tuple(row) for row in noise} == {tuple(table[k : k + 8]) for k in range(3)}


# ---------------------------------------------------------------------------------- mutation


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_mutation_without_strength_is_the_identity(mutate):
    offspring = rng().random((5, N_GENES)).astype(np.float32)
    before = offspring.copy()
    mutate(rng(), offspring, np.zeros(N_GENES, np.float32))
    mutate(rng(), offspring, np.ones(N_GENES, np.float32), rate=0.0)
    assert (offspring == before).all()


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_mutation_changes_its_share_of_the_genes_in_place(mutate):
    scale = np.ones(N_GENES)
    for rate, expected in ((1.0, N_GENES), (0.5, round(N_GENES / 2)), (1e-9, 1)):
        offspring = np.zeros((7, N_GENES))
        mutate(rng(), offspring, scale, rate=rate)
        assert (np.count_nonzero(offspring, axis=1) == expected).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("mutate", "kurtosis"), [(gaussian_mutation, 3.0), (uniform_mutation, 1.8)]
)
def test_noise_has_the_moments_asked_for(mutate, kurtosis, dtype):
    scale = np.linspace(0.1, 2, N_GENES).astype(dtype)
    noise = np.zeros((20_000, N_GENES), dtype)
    mutate(rng(), noise, scale)
    noise /= scale
    assert noise.dtype == dtype
    assert noise.mean(axis=0) == pytest.approx(0, abs=0.04)
    assert noise.std(axis=0) == pytest.approx(1, abs=0.04)
    assert (noise**4).mean() == pytest.approx(kurtosis, rel=0.03)
    assert abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 0.01


def test_the_tutorial_mutation_is_uniform_between_minus_one_and_one():
    scale = np.full(N_GENES, 10 * 0.1 / 3**0.5)
    noise = np.zeros((2000, N_GENES))
    uniform_mutation(rng(), noise, scale)
    assert noise.min() == pytest.approx(-1, abs=1e-3)
    assert noise.max() == pytest.approx(1, abs=1e-3)


# ---------------------------------------------------------------------------- steps in a set

value_sets = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=12, unique=True).map(
    lambda values: np.array(sorted(values))
)


def draw_of(values, n_solutions=4, n_genes=N_GENES, seed=0):
    return rng(seed).choice(values, size=(n_solutions, n_genes))


@given(
    values=value_sets,
    sigma=st.floats(0, 1e6),
    rate=st.floats(0, 1),
    seed=st.integers(0, 99),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_steps_stay_inside_any_set(values, sigma, rate, seed, dtype):
    offspring = draw_of(values, seed=seed).astype(dtype)
    before = offspring.copy()
    step_mutation(rng(seed), offspring, values.astype(dtype), sigma=sigma, rate=rate)
    assert offspring.dtype == dtype
    assert np.isin(offspring, values.astype(dtype)).all()
    # A long move may be reflected to where it began, so that fewer genes may change.
    assert (np.count_nonzero(offspring != before, axis=1) <= max(1, round(rate * N_GENES))).all()


@given(values=value_sets, rate=st.floats(0, 1), seed=st.integers(0, 99))
def test_steps_to_the_next_place_change_exactly_their_share_of_the_genes(values, rate, seed):
    offspring = draw_of(values, seed=seed)
    before = offspring.copy()
    step_mutation(rng(seed), offspring, values, sigma=0.0, rate=rate)
    expected = max(round(rate * N_GENES), int(rate > 0))
    assert (np.count_nonzero(offspring != before, axis=1) == expected).all()
    moves = np.searchsorted(values, offspring) - np.searchsorted(values, before)
    assert set(np.abs(moves).ravel()) <= {0, 1}


def test_steps_are_rounded_normal_numbers_in_the_middle_of_a_large_set():
    values = np.arange(-500.0, 501.0)
    for sigma in (0.05, 0.15):
        offspring = np.zeros((20, 2000))
        step_mutation(rng(), offspring, values, sigma=sigma)
        spread = sigma * values.std()
        assert (offspring != 0).all()
        assert offspring.std() == pytest.approx(spread, rel=0.05)
        assert abs(offspring.mean()) < 5 * spread / offspring.size**0.5
        share = np.mean(np.abs(offspring) < spread + 0.5)
        assert share == pytest.approx(0.683, abs=0.05)


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_step_out_of_the_set_is_reflected_at_its_ends(length):
    class Fixed:
        """Moves by a given number of places."""

        def __init__(self, move):
            self.move = move

        def choice(self, n, size, **options):
            return np.arange(n)

        def standard_normal(self, n):
            return np.full(n, self.move / np.arange(length).std())

    values = np.arange(float(length)) * 10
    last = length - 1
    for move in [m for m in range(-3 * length, 3 * length + 1) if m]:
        offspring = values[None].copy()
        step_mutation(Fixed(move), offspring, values)
        for start, found in enumerate(offspring[0]):
            place, direction = start, np.sign(move)
            for _ in range(abs(move)):  # step by step, turning round at the ends
                if not 0 <= place + direction <= last:
                    direction = -direction
                place += direction
            assert found == values[place]


def test_steps_without_a_rate_are_the_identity():
    values = np.array([-1.0, 0.0, 1.0])
    offspring = draw_of(values)
    before = offspring.copy()
    step_mutation(rng(), offspring, values, sigma=3.0, rate=0.0)
    assert (offspring == before).all()


def test_steps_reach_every_place_and_are_drawn_from_the_generator_alone():
    values = np.array([-4.0, -1.0, 0.0, 7.0])
    offspring = np.zeros((50, N_GENES))
    again = offspring.copy()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    step_mutation(rng(5), offspring, values, rate=0.5)
    step_mutation(rng(5), again, values, rate=0.5)
    assert (offspring == again).all()
    assert set(offspring.ravel()) == set(values)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    assert len({tuple(row != 0) for row in offspring}) == 50  # other genes in each child


# -------------------------------------------------------------------------------- randomness


@pytest.mark.parametrize("name", [*SELECTIONS, *CROSSOVERS, *MUTATIONS])
def test_same_seed_same_bits_and_the_global_generator_is_left_alone(name):
    parents = flatten(init_weights(rng(), [3, 4, 2], n_solutions=6, bias=True))

    def act():
        if name in CROSSOVERS:
            return crossed(CROSSOVERS[name], rng(1), parents, 9)
        if name in SELECTIONS:
            return SELECTIONS[name](rng(1), parents[:, 0], 3)
        offspring = parents.copy()
        MUTATIONS[name](rng(1), offspring, np.ones(N_GENES, np.float32), rate=0.5)
        return offspring

    state = np.random.get_state()[1].copy()  # noqa: NPY002
    assert (act() == act()).all()
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
