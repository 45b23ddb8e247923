"""Low-rank runs from end to end: what they promise like any other run, and what they refuse."""

import itertools
import pickle
from dataclasses import replace
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pygad
import pytest
from sklearn.datasets import load_digits

from ga_ann import Checkpoint, GeneticMLPClassifier, GeneticMLPRegressor
from ga_ann.chromosome import flatten, reshape
from ga_ann.evolution.data import TrainingData
from ga_ann.evolution.engine import LowRankGA
from ga_ann.evolution.problem import Problem
from ga_ann.history import COLUMNS
from ga_ann.low_rank import LowRankPopulation
from ga_ann.network import forward
from ga_ann.operators import centred_weights, noise_table
from ga_ann.storage.checkpoint import load_checkpoint
from tests.runs import evolve

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] > 0) * 1 + (X[:, 1] > 0.5)
N_GENES = 3 * 4 + 4 * 3


def run(data=(X, Y), **options):
    given = {"hidden_layer_sizes": (4,), "population_size": 12, "n_generations": 12, "n_jobs": 1}
    given |= {"random_state": 0, "target_fitness": None, "mutation": "low_rank", "batch_size": 8}
    return evolve(*data, **given | options)


def bits(result):
    columns = [result.history[name].tobytes() for name in COLUMNS if name != "seconds"]
    weights = [W.tobytes() for W in result.weights]
    return np.asarray(result.population).tobytes(), weights, columns


def start_of(**options):
    return run(n_generations=0, **options).population


# ---------------------------------------------------------------- the search


def test_it_is_the_default_of_what_it_can_serve():
    result = run(mutation=None)
    assert isinstance(result.population, LowRankPopulation)
    assert isinstance(result.ga, LowRankGA)
    assert (result.recipe.mutation, result.recipe.recombination) == ("low_rank", "centred")
    for options in (
        {"n_elites": 1},
        {"crossover": "uniform"},
        {"mutation_rate": 0.5},
        {"weight_set": "ternary"},
        {"selection": "rws"},
    ):
        assert isinstance(run(mutation=None, **options).population, np.ndarray)


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("bias", [False, True])
def test_a_generation_is_the_formula(rank, bias):
    """The mean moves by the centred sum of the mutations; the worse half counts against."""
    seen = []
    run(
        rank=rank, bias=bias, weight_decay=0.0, dtype="float64", batch_size="full",
        callbacks=[lambda ga, _: seen.append((ga.population.copy(), ga.ranking.copy()))],
    )  # fmt: skip
    for (old, ranking), (new, _) in itertools.pairwise(seen):
        mean = old.mean.copy()
        order = sorted(range(12), key=lambda k: -ranking[k])
        for weight, k in zip(centred_weights(12), order, strict=True):
            mean += weight * (old[k] - old.mean)
        np.testing.assert_allclose(new.mean, mean, rtol=1e-9, atol=1e-12)
        assert (new.places != old.places).any()


def test_weight_decay_takes_a_share_of_the_mean_and_leaves_biases():
    plain, decayed = (
        run(weight_decay=w, bias=True, n_generations=1, sigma=0.5).population.mean for w in (0, 0.4)
    )
    shapes = [(3, 4), (4,), (4, 3), (3,)]
    for a, b in zip(reshape(plain, shapes), reshape(decayed, shapes), strict=True):
        np.testing.assert_allclose(b, a if a.ndim == 1 else (1 - 0.4 * 0.5) * a, rtol=1e-5)


@pytest.mark.parametrize("selection", ["tournament", "rank", "roulette"])
def test_the_parents_that_selection_chose_are_those_that_count(selection):
    seen = []

    def look(ga, history):
        chosen = getattr(ga, "last_generation_parents_indices", None)
        seen.append((ga.population.copy(), chosen))

    options = {"selection": selection, "n_parents": 3, "weight_decay": 0.0, "dtype": "float64"}
    result = run(callbacks=[look], **options)
    assert result.recipe.recombination == "parents"
    weights = np.log(3.5) - np.log([1, 2, 3])
    weights /= weights.sum()
    for (old, _), (new, chosen) in itertools.pairwise(seen):
        np.testing.assert_allclose(new.mean, weights @ np.asarray(old)[chosen], rtol=1e-9)


@pytest.mark.parametrize("n_jobs", [2, 4])
@pytest.mark.parametrize("options", [{}, {"rank": 2, "bias": True}, {"hidden_layer_sizes": ()}])
def test_threads_change_no_bit(monkeypatch, n_jobs, options):
    monkeypatch.setattr("ga_ann.evolution.evaluation.THREADED_FLOPS", 0)
    one = run(population_size=25, batch_size="full", **options)
    other = run(population_size=25, batch_size="full", n_jobs=n_jobs, **options)
    assert bits(other) == bits(one)


def test_nothing_dense_is_made_on_the_way(monkeypatch, tmp_path):
    digits, labels = load_digits(return_X_y=True)
    seen = []

    def fail(*_):
        raise AssertionError("chromosomes were made")

    monkeypatch.setattr(LowRankPopulation, "_materialise", fail)
    for early_stopping in (False, True):
        result = evolve(
            digits[:1000], labels[:1000], hidden_layer_sizes=(8,), random_state=0, n_generations=25,
            validation_data=(digits[1000:], labels[1000:]), early_stopping=early_stopping,
            n_iter_no_change=20, target_fitness=None, verbose=False,
            callbacks=[
                lambda ga, history: seen.append(history.last["best_fitness"]),
                Checkpoint(tmp_path / f"{early_stopping}.npz", every_generations=1),
            ],
        )  # fmt: skip
        path = tmp_path / f"{early_stopping}.npz"
        evolve(
            digits[:1000], labels[:1000], hidden_layer_sizes=(8,), random_state=0, n_generations=30,
            validation_data=(digits[1000:], labels[1000:]), early_stopping=early_stopping,
            n_iter_no_change=20, target_fitness=None, start=path,
        )  # fmt: skip
        assert isinstance(result.population, LowRankPopulation)
    assert len(seen) == 52
    with pytest.raises(AssertionError, match="chromosomes were made"):
        result.population[0]


def test_fitness_is_measured_at_checks_and_is_nan_in_between():
    result = run(n_generations=25)
    known = np.isfinite(result.history["mean_fitness"])
    assert np.flatnonzero(known).tolist() == [0, 10, 20]
    seen = []
    run(n_generations=25, callbacks=[lambda ga, _: seen.append(ga.state.fitness_known)])
    assert seen == known.tolist()
    everywhere = run(n_generations=25, batch_size="full")
    assert np.isfinite(everywhere.history["mean_fitness"]).all()


@pytest.mark.parametrize(
    "options",
    [
        {"ranking": "fitness"},
        {"fitness": "neg_log_loss"},
        {"task": "regression"},
        {"fitness": "neg_mean_absolute_error", "task": "regression", "ranking": "fitness"},
    ],
    ids=str,
)
def test_a_fitness_that_selection_ranks_by_is_known_in_every_generation(options):
    result = run(n_generations=15, **options)
    assert np.isfinite(result.history["mean_fitness"]).all()
    assert np.isfinite(result.ga.last_generation_fitness).all()


# ---------------------------------------------------------------- what PyGAD shows


@pytest.mark.parametrize("n_generations", [10, 13])
def test_pygads_own_methods_work_on_the_engine(n_generations, tmp_path):
    result = run(n_generations=n_generations)
    ga = result.ga
    assert isinstance(ga, pygad.GA)
    assert ga.generations_completed == n_generations
    dense = np.asarray(ga.population)
    assert len(ga.population) == 12
    assert ga.population.shape == dense.shape == (12, N_GENES)
    np.testing.assert_array_equal(ga.population[3], dense[3])
    assert ((ga.population == dense) & (dense == ga.population)).all()
    np.testing.assert_array_equal(2 * ga.population - dense, dense)
    solution, fitness, index = ga.best_solution(ga.last_generation_fitness)
    assert solution.shape == (N_GENES,)
    np.testing.assert_array_equal(solution, dense[index])
    if n_generations == 10:
        assert fitness == ga.last_generation_fitness.max()
        assert np.isfinite(ga.last_generation_fitness).all()
    else:
        assert fitness == ga.state.best.fitness
    assert "Population" in str(ga.summary())
    assert len(ga.best_solutions_fitness) == n_generations + 1
    figure = ga.plot_fitness(save_dir=None)
    plt.close(figure)


def test_pygad_can_measure_the_population_again():
    ga = run(batch_size="full").ga
    measured = ga.last_generation_fitness.copy()
    np.testing.assert_array_equal(ga.cal_pop_fitness(), measured)
    found = [
        np.mean(forward(reshape(one, [(3, 4), (4, 3)]), X).argmax(axis=1) == Y)
        for one in np.asarray(ga.population)
    ]
    np.testing.assert_allclose(measured, found, atol=1.01 / len(X))


def test_who_asks_the_engine_gets_a_fitness_that_was_measured():
    ga = run(n_generations=13).ga
    assert np.isneginf(ga.last_generation_fitness).all()
    assert np.isfinite(ga.cal_pop_fitness()).all()
    solution, fitness, index = ga.best_solution()
    assert (solution.shape, 0 <= fitness <= 1, 0 <= index < 12) == ((N_GENES,), True, True)


def test_a_callback_gets_chromosomes_from_the_engine():
    seen = []

    def look(ga, history):
        solution, _, index = ga.best_solution(ga.last_generation_fitness)
        np.testing.assert_array_equal(solution, ga.population[index])
        seen.append(solution.shape)

    result = run(callbacks=[look])
    assert seen == [(N_GENES,)] * 13
    assert bits(result) == bits(run())


# ---------------------------------------------------------------- files and pickles


WIDE = (np.random.default_rng(1).normal(size=(300, 784)), np.arange(300) % 10)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    path = tmp_path_factory.mktemp("wide") / "run.npz"
    options = {"hidden_layer_sizes": (256,), "population_size": 64, "n_generations": 2}
    return run(WIDE, callbacks=[Checkpoint(path)], **options), path


def test_a_checkpoint_takes_no_population(wide):
    result, path = wide
    n_bytes = 4 * result.population.shape[0] * result.population.shape[1]
    assert path.stat().st_size < n_bytes / 10
    held = load_checkpoint(path)
    np.testing.assert_array_equal(held.population[:3], result.population[:3])
    np.testing.assert_array_equal(held.population.mean, result.population.mean)
    assert held.population.dtype == result.population.dtype


def test_a_pickle_takes_no_table_and_draws_it_again(wide):
    result, _ = wide
    content = pickle.dumps(result)
    mean_and_best = result.population.mean.nbytes + 2 * result.state.best.solution.nbytes
    assert len(content) < mean_and_best + 2**16
    again = pickle.loads(content)
    np.testing.assert_array_equal(again.population.noise.table, result.population.noise.table)
    np.testing.assert_array_equal(again.population[5], result.population[5])
    assert bits(replace(again, ga=None))[1:] == bits(result)[1:]
    options = {"hidden_layer_sizes": (256,), "population_size": 64, "n_generations": 2}
    assert bits(run(WIDE, start=again, **options)) == bits(run(WIDE, start=result, **options))


@pytest.mark.parametrize("kind", [GeneticMLPClassifier, GeneticMLPRegressor])
def test_a_pickled_estimator_goes_on_as_the_one_that_was_not(kind):
    options = {"n_generations": 12, "random_state": 0, "warm_start": True, "rank": 2}
    target = Y if kind is GeneticMLPClassifier else np.column_stack([Y, X])
    network = kind((4,), recombination="centred", **options).fit(X, target)
    content = pickle.dumps(network)
    assert len(content) < 2**16
    again = pickle.loads(content)
    np.testing.assert_array_equal(again.predict(X), network.predict(X))
    for one in (network, again):
        one.fit(X, target)
        assert one._result.recipe.rank == 2
        assert isinstance(one._result.population, LowRankPopulation)
    for a, b in zip(network.weights_, again.weights_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_learning_in_parts_goes_on_with_the_population():
    network = GeneticMLPClassifier((4,), n_generations=5, random_state=0)
    sizes = []
    for part in (slice(0, 20), slice(20, 60), slice(10, 40)):
        network.partial_fit(X[part], Y[part], classes=[0, 1, 2])
        assert isinstance(network._result.population, LowRankPopulation)
        sizes.append(len(network.history_))
    assert sizes == sorted(set(sizes))


# ---------------------------------------------------------------- where a run begins


def test_a_result_is_gone_on_from_with_its_own_population():
    first = run()
    assert bits(run(start=first)) == bits(run(start=first))
    begun = run(start=first, n_generations=0)
    assert np.asarray(begun.population).tobytes() == np.asarray(first.population).tobytes()
    assert begun.population is not first.population
    assert len(run(start=first, data=(X[:50], Y[:50])).history) == 2 * 12 + 1


def test_a_result_is_gone_on_from_with_its_own_noise(tmp_path):
    """Also where the schedule weakened the mutation after the population was drawn."""
    options = {"sigma_decay": 0.5}
    firsts = (run(n_generations=n, **options) for n in range(30, 200, 10))
    first = next(one for one in firsts if one.state.schedule.sigma < one.population.sigma)
    begun = run(start=first, n_generations=0, **options)
    assert np.asarray(begun.population).tobytes() == np.asarray(first.population).tobytes()
    path = tmp_path / "run.npz"
    stop = lambda ga, history: len(history) == len(first.history) + 4  # noqa: E731
    run(start=first, callbacks=[Checkpoint(path), stop], **options)
    assert bits(run(start=path, **options)) == bits(run(start=first, **options))


@pytest.mark.parametrize(
    "changes",
    [{"population_size": 20}, {"rank": 2}, {"dtype": "float64"}, {"population_size": 5, "rank": 3}],
    ids=str,
)
def test_a_result_of_another_kind_lends_its_mean(changes, tmp_path):
    first, changes = run(sigma=0.2), {"sigma": 0.5} | changes
    before = first.state.rng.bit_generator.state
    whole = run(start=first, **changes)
    begun = run(start=first, n_generations=0, **changes)
    for name, value in changes.items():
        assert getattr(begun.recipe, name) == value
    assert len(begun.population) == begun.recipe.population_size
    np.testing.assert_allclose(begun.population.mean, first.population.mean, rtol=1e-6)
    assert begun.population.sigma == first.state.schedule.sigma == 0.2
    assert first.state.rng.bit_generator.state == before
    path = tmp_path / "run.npz"
    stop = lambda ga, history: len(history) == len(first.history) + 4  # noqa: E731
    run(start=first, callbacks=[Checkpoint(path), stop], **changes)
    assert bits(run(start=path, **changes)) == bits(whole)


@pytest.mark.parametrize("dense", [{"mutation": "gaussian"}, {"crossover": "uniform"}], ids=str)
def test_either_kind_goes_on_from_the_other(dense, tmp_path):
    dense = {"mutation": "gaussian"} | dense
    low_rank, usual = run(), run(**dense)
    to_dense = run(start=low_rank, n_generations=0, **dense)
    assert isinstance(to_dense.population, np.ndarray)
    np.testing.assert_array_equal(to_dense.population, np.asarray(low_rank.population))
    to_low_rank = run(start=usual, n_generations=0)
    np.testing.assert_array_equal(to_low_rank.population.mean, flatten(usual.weights))
    before = usual.state.rng.bit_generator.state
    for first, options in ((low_rank, dense), (usual, {})):
        one, path = run(start=first, **options), tmp_path / "run.npz"
        path.unlink(missing_ok=True)
        stop = lambda ga, history: len(history) == 13 + 4  # noqa: E731
        run(start=first, callbacks=[Checkpoint(path), stop], **options)
        assert bits(run(start=path, **options)) == bits(one)
    assert usual.state.rng.bit_generator.state == before


@pytest.mark.parametrize("before", ["gaussian", "low_rank"])
def test_a_dense_run_goes_on_around_the_mean_that_it_was_left(before):
    options = {"weight_decay": 0.0, "dtype": "float64"}
    first = run(mutation=before, **options)
    begun = run(start=first, mutation="gaussian", n_generations=0, **options)
    ranking = begun.ga.ranking
    gone_on = run(start=first, mutation="gaussian", n_generations=1, **options)
    mean = first.population.mean if before == "low_rank" else first.state.mean
    chosen = begun.population[np.argsort(-ranking, kind="stable")]
    np.testing.assert_allclose(gone_on.state.mean, mean + centred_weights(12) @ chosen, rtol=1e-9)


@pytest.mark.parametrize("n_rows", [1, 12, 5])
def test_the_mean_of_given_chromosomes_is_where_the_search_begins(n_rows):
    given = np.random.default_rng(3).normal(size=(n_rows, N_GENES))
    population = start_of(start=given)
    assert len(population) == 12
    np.testing.assert_allclose(population.mean, given.mean(axis=0), atol=1e-6)
    with pytest.raises(ValueError, match=r"start must have shape \(\d+, 24\).*got"):
        run(start=given[:, 1:])


def test_given_chromosomes_whose_mean_overflows_are_refused_without_a_warning():
    with pytest.raises(ValueError, match="finite for no solution of the initial population"):
        start_of(start=np.full((12, N_GENES), 1e38))


@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
def test_a_weight_decay_beyond_all_of_the_weights_is_refused_where_a_result_has_a_large_sigma(
    mutation,
):
    first = run(mutation=mutation, sigma=50, weight_decay=0, n_generations=1)
    with pytest.raises(ValueError, match=r"weight_decay must be at most 1/sigma, got 0.5.*=50"):
        run(start=first, mutation=mutation, sigma=0.5, weight_decay=0.5)
    run(start=first, mutation=mutation, sigma=0.5, weight_decay=0.02, n_generations=1)


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_elites": 2}, "n_elites=0, got 2: .*use mutation='gaussian'"),
        (
            {"crossover": "uniform"},
            "needs crossover='mean', got 'uniform'.*use mutation='gaussian'",
        ),
        ({"crossover": "sbx"}, "needs crossover='mean', got 'sbx'"),
        ({"weight_set": "ternary"}, "mutation must be one of .*with a weight_set"),
        ({"mutation_rate": 0.5}, "mutation_rate=1, got 0.5; use mutation='gaussian'"),
        ({"mutation_rate": (0.5, 0.1)}, r"mutation_rate=1, got \(0.5, 0.1\)"),
        ({"selection": "rws"}, "selection to be one of .*'tournament'.* got 'rws'.*'gaussian'"),
        ({"rank": 0}, "rank must be >= 1, got 0"),
        ({"rank": 1.5}, "rank must be an integer"),
        (
            {"rank": 4},
            "rank must be 1 to 3 for the 3 x 4 matrix of layer 1, got 4; a rank of up to 3",
        ),
        (
            {"rank": 3, "hidden_layer_sizes": (5, 2)},
            "rank must be 1 to 2 for the 5 x 2 matrix of layer 2, got 3; a rank of up to 2 does",
        ),
        (
            {"recombination": "centred", "selection": "tournament"},
            "'centred' takes all solutions.* got 'tournament'.*use recombination='parents'",
        ),
        (
            {"recombination": "centred", "n_parents": 5},
            "'centred' takes all solutions.* and 5; use recombination='parents'",
        ),
        ({"recombination": "wit"}, "recombination must be one of .*'centred', 'parents'"),
        (
            {"recombination": "centred", "n_parents": 5, "mutation": "gaussian"},
            "'centred' takes all solutions.* and 5; use recombination='parents'",
        ),
    ],
    ids=str,
)
def test_what_does_not_go_with_it_is_refused_before_any_work(monkeypatch, options, message):
    fail = partial(pytest.fail, "work was done")
    monkeypatch.setattr("ga_ann.evolution.problem.Problem.low_rank_noise", lambda *_: fail())
    monkeypatch.setattr("ga_ann.evolution.problem.Problem.draw_population", lambda *_: fail())
    with pytest.raises((TypeError, ValueError), match=message):
        run(**options)


@pytest.mark.parametrize("mutation", ["random", "swap", "polynomial", "gaussian"])
def test_a_rank_is_no_matter_of_other_mutations(mutation):
    options = {"mutation": mutation, "mutation_rate": 0.5, "n_generations": 3}
    assert bits(run(rank=2, **options)) == bits(run(**options))


# ---------------------------------------------------------------- the dense twin


def generations_of(**options):
    seen = []

    def look(ga, history):
        sigma = ga.state.schedule.sigma
        seen.append((np.array(ga.population), ga.ranking.copy(), ga.state.mean, sigma))

    given = {"mutation": "gaussian", "bias": True, "n_generations": 25, "weight_decay": 0.25}
    result = run(callbacks=[look], **given | options)
    return result, seen


@pytest.mark.parametrize("batch_size", [8, "full"])
def test_dense_solutions_recombine_by_the_same_formula(batch_size):
    """A loop: the mean so far, moved by every solution; then decay, then noise around it."""
    sizes = {"dtype": "float64", "batch_size": batch_size, "sigma_decay": 0.5}
    result, seen = generations_of(recombination="centred", **sizes)
    is_bias = np.concatenate([[0] * 12, [1] * 4, [0] * 12, [1] * 3]).astype(bool)
    mean = seen[0][0].mean(axis=0)
    for (old, ranking, _, sigma), (new, _, held, _) in itertools.pairwise(seen):
        order = sorted(range(12), key=lambda k: -ranking[k])
        moved = mean.copy()
        for place, k in enumerate(order, start=1):
            share = max(0, np.log(12 / 2 + 1) - np.log(place))
            total = sum(max(0, np.log(12 / 2 + 1) - np.log(j)) for j in range(1, 13))
            moved += (share / total - 1 / 12) * old[k]
        moved[~is_bias] *= 1 - 0.25 * sigma
        np.testing.assert_allclose(held, moved, rtol=1e-9, atol=1e-12)
        mean = held
        assert 0 < np.abs(new - mean).max() < 6 * sigma * 4
    assert result.recipe.n_parents == 12


def test_dense_parents_recombine_as_they_always_did():
    """The mean of the best ones, decayed before they mate, plus slices of the noise table."""
    result, seen = generations_of(
        recombination="parents", n_parents=4, noise="table", n_generations=3, sigma=0.3
    )
    shapes, state = result.state.shapes, result.state
    table = noise_table(np.random.default_rng(state.noise_seed), 31, "float32")
    weights = np.log(4.5) - np.log(np.arange(1, 5))
    weights = (weights / weights.sum()).astype(np.float32)
    for (old, ranking, mean, sigma), (new, *_) in itertools.pairwise(seen):
        assert mean is None
        parents = old[np.argsort(-ranking, kind="stable")[:4]]
        for parameter in reshape(parents, shapes):
            if parameter.ndim == 3:
                parameter *= np.float32(1 - 0.25 * sigma)
        expected = weights @ parents
        scale = problem_scale(result) * np.float32(sigma)
        slices = np.lib.stride_tricks.sliding_window_view(table, 31)
        for child in new:
            # Each offspring is the mean and one slice of the table, to the bit.
            first = (child[0] - expected[0]) / scale[0]
            near = np.flatnonzero(np.abs(slices[:, 0] - first) < 1e-4)
            made = expected + slices[near] * scale
            assert (made == child).all(axis=1).any()


def problem_scale(result):
    data = TrainingData.check(X, Y, task="classification", classes=None, sample_weight=None)
    return Problem(data, result.recipe, hidden_layer_sizes=(4,), bias=True).scale
