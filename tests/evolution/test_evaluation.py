"""The evaluator against a plain forward pass and scikit-learn's accuracy."""

import warnings
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes, load_wine
from sklearn.metrics import r2_score
from sklearn.preprocessing import scale

from ga_ann.chromosome import count_genes, flatten, reshape
from ga_ann.evolution import evaluation
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.evolution.evolve import evolve
from ga_ann.fitness import (
    FITNESS,
    REGRESSION_FITNESS,
    accuracy,
    adjusted_log_loss,
    fbeta,
    neg_cost,
    neg_log_loss,
    neg_mean_pinball_loss,
    per_solution,
    population_score,
    resolve_fitness,
    scaled,
)
from ga_ann.fitness.probabilities import margin
from ga_ann.fitness.regression import r2
from ga_ann.low_rank import LowRankNoise, LowRankPopulation
from ga_ann.network import forward, init_weights, layer_shapes, predict


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
    assert evaluate(population).fitness.tolist() == expected
    assert (population == before).all()


def test_chunked_is_whole(monkeypatch):
    sizes = [5, 7, 3]
    X, y = problem(sizes, 101)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=9))
    whole = Evaluator(X, y, layer_shapes(sizes))(population).fitness
    for rows in (1, 7, 50, 100):
        monkeypatch.setattr(evaluation, "CHUNK_BYTES", rows * 7 * 4)
        assert (Evaluator(X, y, layer_shapes(sizes))(population).fitness == whole).all()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 999),
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    n_solutions=st.integers(1, 6),
    n_samples=st.integers(1, 50),
    bias=st.booleans(),
    batch=st.integers(0, 60),
    rows=st.sampled_from([3, 1000]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_sparse_samples_are_measured_like_dense_ones(
    monkeypatch, seed, sizes, n_solutions, n_samples, bias, batch, rows, dtype
):
    """To the bit where the numbers are whole, and no sum is rounded."""
    monkeypatch.setattr(evaluation, "CHUNK_BYTES", rows * max(sizes[1:]) * 8)
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (n_samples, sizes[0])) * (rng.random((n_samples, sizes[0])) < 0.3)
    y = rng.integers(0, sizes[-1], n_samples)
    shapes = layer_shapes(sizes, bias=bias)
    population = rng.integers(-3, 4, (n_solutions, count_genes(shapes))).astype(dtype)
    samples = rng.integers(n_samples, size=batch) if batch else None
    given = {"ranking": margin, "dtype": dtype}
    of_dense = Evaluator(X, y, shapes, **given)(population, samples)
    of_sparse = Evaluator(csr_array(X), y, shapes, **given)(population, samples)
    np.testing.assert_array_equal(of_sparse, of_dense)


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("shared_bytes", [0, 2**28])
def test_sparse_samples_are_measured_by_low_rank_populations(monkeypatch, rank, shared_bytes):
    monkeypatch.setattr(evaluation, "SHARED_BYTES", shared_bytes)
    rng = np.random.default_rng(rank)
    X, y = problem([20, 6, 3], 70)
    X *= rng.random(X.shape) < 0.2
    shapes = layer_shapes([20, 6, 3], bias=True)
    noise = LowRankNoise(0, shapes, [np.ones(s[-1]) for s in shapes], rank=rank, dtype="float64")
    mean = rng.standard_normal(count_genes(shapes))
    population = LowRankPopulation(mean, noise.draw_places(rng, 11), 0.5, noise)
    for samples in (None, rng.integers(70, size=30)):
        of_dense, of_sparse = (
            Evaluator(given, y, shapes, ranking=neg_log_loss, dtype="float64")(population, samples)
            for given in (X, csr_array(X))
        )
        np.testing.assert_array_equal(of_sparse.fitness, of_dense.fitness)
        np.testing.assert_allclose(of_sparse.ranking, of_dense.ranking)


@pytest.mark.parametrize("n_samples", [30, 3000])
@pytest.mark.parametrize("ranking", [None, neg_log_loss])
def test_threads_and_blocks_change_nothing(monkeypatch, ranking, n_samples):
    monkeypatch.setattr(evaluation, "THREADED_FLOPS", 0)
    sizes = [5, 30, 3]
    X, y = problem(sizes, n_samples)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=11))
    results = []
    for n_jobs in (1, 2, 4, None):
        options = {"ranking": ranking, "n_jobs": n_jobs}
        with Evaluator(X, y, layer_shapes(sizes), **options) as evaluate:
            results.append(evaluate(population))
    one_by_one = [Evaluator(X, y, layer_shapes(sizes))(row[None]).fitness[0] for row in population]
    for result in results:
        assert (result.fitness == one_by_one).all()
        assert (result.ranking == results[0].ranking).all()


def test_ranking_is_the_score_of_that_name():
    sizes = [5, 7, 3]
    X, y = problem(sizes, 50)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=4))
    finer = Evaluator(X, y, layer_shapes(sizes), ranking=neg_log_loss)(population)
    alone = Evaluator(X, y, layer_shapes(sizes), fitness=neg_log_loss)(population)
    plain = Evaluator(X, y, layer_shapes(sizes))(population)
    assert (finer.fitness == plain.fitness).all()
    assert (finer.ranking == alone.fitness).all()
    assert (plain.ranking == plain.fitness).all()


def test_both_scores_see_the_same_outputs():
    sizes = [5, 7, 3]
    X, y = problem(sizes, 50)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=4))
    options = {"fitness": neg_log_loss, "ranking": accuracy}
    both = Evaluator(X, y, layer_shapes(sizes), **options)(population)
    swapped = Evaluator(X, y, layer_shapes(sizes), fitness=accuracy, ranking=neg_log_loss)
    assert (both.ranking == swapped(population).fitness).all()
    assert (both.fitness == swapped(population).ranking).all()


def test_sample_weights_reach_the_scores_on_batches_too():
    sizes = [5, 7, 3]
    X, y = problem(sizes, 50)
    weight = np.random.default_rng(2).integers(0, 3, 50).astype(float)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=4))
    repeated = np.repeat(np.arange(50), weight.astype(int))
    weighted = Evaluator(X, y, layer_shapes(sizes), ranking=neg_log_loss, sample_weight=weight)
    plain = Evaluator(X, y, layer_shapes(sizes), ranking=neg_log_loss)
    for samples in (np.arange(50), np.arange(25, 50)):
        expected = plain(population, repeated[np.isin(repeated, samples)])
        found = weighted(population, samples)
        assert found.fitness == pytest.approx(expected.fitness)
        assert found.ranking == pytest.approx(expected.ranking)


def test_regression_targets_have_a_row_an_output():
    sizes = [5, 7, 2]
    X, _ = problem(sizes, 50)
    targets = np.random.default_rng(2).standard_normal((2, 50))
    weights = init_weights(np.random.default_rng(1), sizes, n_solutions=4)
    measured = Evaluator(X, targets, layer_shapes(sizes), fitness=r2)(flatten(weights))
    expected = [r2_score(targets.T, forward([W[k] for W in weights], X)) for k in range(4)]
    assert measured.fitness == pytest.approx(expected, rel=1e-4)


def test_a_batch_is_measured_as_if_it_were_all():
    sizes = [5, 7, 3]
    X, y = problem(sizes, 50)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=4))
    samples = np.array([3, 3, 10, 49, 0])
    evaluate = Evaluator(X, y, layer_shapes(sizes))
    batch = evaluate(population, samples)
    alone = Evaluator(X[samples], y[samples], layer_shapes(sizes))(population)
    assert (batch.fitness == alone.fitness).all()


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "tanh"])
def test_hidden_activations_run_along_the_neurons(activation):
    sizes = [5, 7, 3]
    X, y = problem(sizes, 50)
    weights = init_weights(np.random.default_rng(1), sizes, n_solutions=4)
    measured = Evaluator(X, y, layer_shapes(sizes), activation=activation)(flatten(weights))
    expected = (predict(weights, X.astype("f4"), activation=activation) == y).mean(axis=1)
    assert (measured.fitness == expected).all()


def test_softmax_at_the_output_changes_nothing_but_overflow():
    sizes = [5, 3]
    X, y = problem(sizes, 50)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=4))
    for fitness in (accuracy, neg_log_loss):
        options = {"fitness": fitness}
        plain = Evaluator(X, y, layer_shapes(sizes), **options)(population)
        options["output_activation"] = "softmax"
        assert (
            Evaluator(X, y, layer_shapes(sizes), **options)(population).fitness == plain.fitness
        ).all()


def test_single_and_double_precision_agree():
    sizes = [20, 15, 4]
    X, y = problem(sizes, 500)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=20))
    single = Evaluator(X, y, layer_shapes(sizes), dtype="float32")(population).fitness
    double = Evaluator(X, y, layer_shapes(sizes), dtype="float64")(population.astype(float)).fitness
    assert single == pytest.approx(double, abs=2 / 500)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 3e38])
def test_what_is_not_finite_has_no_fitness(poison):
    sizes = [4, 6, 3]
    X, y = problem(sizes, 30)
    population = flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=3))
    plain = Evaluator(X, y, layer_shapes(sizes))(population).fitness
    W1, W2 = reshape(population, layer_shapes(sizes))
    W1[1] = poison
    W2[1] = 1
    fitness, ranking = Evaluator(X, y, layer_shapes(sizes), ranking=neg_log_loss)(population)
    assert np.isnan([fitness[1], ranking[1]]).all()
    assert np.isfinite(ranking[[0, 2]]).all()
    assert (fitness[[0, 2]] == plain[[0, 2]]).all()


@pytest.mark.parametrize("shape", [(3,), (2, 5), (1, 2, 6)])
def test_chromosomes_of_another_length_are_refused(shape):
    evaluate = Evaluator([[0.0, 1.0]], [0], [(2, 3)])
    with pytest.raises(ValueError, match=r"\(n_solutions, 6\), got"):
        evaluate(np.zeros(shape))


def test_unknown_names_list_the_valid_ones():
    with pytest.raises(ValueError, match="n_jobs"):
        Evaluator([[0.0]], [0], [(1, 2)], n_jobs=0)
    with pytest.raises(ValueError, match="'relu'"):
        Evaluator([[0.0]], [0], [(1, 2)], activation="wit")


# ------------------------------------------------------------------------------- ranking alone


def networks(sizes, n_solutions=9):
    return flatten(init_weights(np.random.default_rng(1), sizes, n_solutions=n_solutions))


@pytest.mark.parametrize("samples", [None, np.array([0, 3, 3, 29])])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ranking", [neg_log_loss, adjusted_log_loss([1, 2, 3]), margin])
def test_the_ranking_alone_is_that_of_the_full_measurement(ranking, samples, weighted):
    sizes = [5, 7, 3]
    X, y = problem(sizes, 30)
    weight = np.arange(1.0, 31.0) if weighted else None
    evaluate = Evaluator(X, y, layer_shapes(sizes), ranking=ranking, sample_weight=weight)
    full = evaluate(networks(sizes), samples)
    alone = evaluate(networks(sizes), samples, ranking_only=True)
    assert (alone.ranking == full.ranking).all()
    assert np.isfinite(alone.ranking).all()
    assert np.isnan(alone.fitness).all()
    assert np.isfinite(full.fitness).all()


def test_the_ranking_alone_calls_no_metric():
    calls = []

    def metric(y_true, y_pred):
        calls.append(len(y_true))
        return 1.0

    sizes = [5, 7, 3]
    X, y = problem(sizes, 30)
    fitness = resolve_fitness(metric, classes=[0, 1, 2])
    evaluate = Evaluator(X, y, layer_shapes(sizes), fitness=fitness, ranking=neg_log_loss)
    assert evaluate.is_slow
    evaluate(networks(sizes), ranking_only=True)
    assert calls == []
    evaluate(networks(sizes))
    assert calls == [30] * 9


@pytest.mark.parametrize("fitness", [accuracy, neg_log_loss])
def test_the_fitness_that_ranks_is_measured_always(fitness):
    sizes = [5, 7, 3]
    X, y = problem(sizes, 30)
    for ranking in (None, fitness):
        evaluate = Evaluator(X, y, layer_shapes(sizes), fitness=fitness, ranking=ranking)
        assert not evaluate.is_slow
        full, alone = (evaluate(networks(sizes), ranking_only=only) for only in (False, True))
        for a, b in zip(full, alone, strict=True):
            assert (a == b).all()


def test_only_metrics_of_one_solution_beside_another_ranking_are_slow():
    sizes, metric = [5, 3], resolve_fitness("f1_micro", classes=[0, 1, 2])
    X, y = problem(sizes, 30)
    slow = [
        Evaluator(X, y, layer_shapes(sizes), fitness=fitness, ranking=ranking).is_slow
        for fitness, ranking in (
            (metric, neg_log_loss),
            (metric, None),
            (metric, metric),
            (accuracy, neg_log_loss),
            (accuracy, metric),
        )
    ]
    assert slow == [True, False, False, False, False]


@pytest.mark.parametrize("failing", [[2], [0, 5, 8], list(range(9))])
def test_a_metric_that_fails_takes_the_rank_of_those_alone_that_it_fails_for(failing):
    sizes = [5, 7, 3]
    X, y = problem(sizes, 30)

    def moody(outputs, y, sample_weight=None):
        moody.seen += len(outputs)
        fails = np.isin(np.arange(moody.seen - len(outputs), moody.seen), failing)
        return np.where(fails, np.nan, 1.0)

    moody.seen = 0  # the blocks come in order
    evaluate = Evaluator(X, y, layer_shapes(sizes), fitness=moody, ranking=neg_log_loss, n_jobs=1)
    fitness, ranking = evaluate(networks(sizes))
    plain = Evaluator(X, y, layer_shapes(sizes), ranking=neg_log_loss)(networks(sizes)).ranking
    assert np.flatnonzero(np.isnan(fitness)).tolist() == failing
    if len(failing) == 9:
        assert (ranking == plain).all()
    else:
        assert np.flatnonzero(np.isnan(ranking)).tolist() == failing
        others = np.setdiff1d(np.arange(9), failing)
        assert (ranking[others] == plain[others]).all()


def test_outputs_that_are_not_finite_have_no_rank_even_alone():
    sizes = [4, 6, 3]
    X, y = problem(sizes, 30)
    population = networks(sizes, 3)
    population[1] = np.nan
    evaluate = Evaluator(X, y, layer_shapes(sizes), ranking=neg_log_loss)
    assert np.isnan(evaluate(population, ranking_only=True).ranking).tolist() == [
        False,
        True,
        False,
    ]


# --------------------------------------------------------------- scores that overwrite the outputs


def all_scores(n_outputs, task):
    """Return scores of a task: by name, made of parameters, and of one solution at a time."""
    if task == "regression":
        return [*REGRESSION_FITNESS.values(), neg_mean_pinball_loss(0.8), per_solution("r2", None)]
    named = [score for name, score in FITNESS.items() if n_outputs == 2 or name != "f1"]
    return [
        *named,
        fbeta(2),
        neg_cost(np.arange(n_outputs**2).reshape(n_outputs, n_outputs)),
        adjusted_log_loss(np.arange(1, n_outputs + 1)),
        scaled(neg_log_loss, 0.5),
        per_solution("neg_log_loss", range(n_outputs)),
    ]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("task", "n_outputs"),
    [("classification", 2), ("classification", 4), ("regression", 1), ("regression", 2)],
)
def test_two_scores_measured_together_are_those_measured_alone(
    monkeypatch, task, n_outputs, weighted
):
    monkeypatch.setattr(evaluation, "CHUNK_BYTES", 13 * 7 * 4)  # several chunks
    monkeypatch.setattr(evaluation, "THREADED_FLOPS", 0)
    sizes = [5, 7, n_outputs]
    X, y = problem(sizes, 40)
    if task == "regression":
        y = np.random.default_rng(2).standard_normal((n_outputs, 40))
    weight = np.random.default_rng(3).uniform(1, 2, 40) if weighted else None
    population = networks(sizes)
    given = [a for a in (population, X, y, weight) if a is not None]
    before = [a.copy() for a in given]

    def measure(fitness, ranking=None):
        with Evaluator(
            X,
            y,
            layer_shapes(sizes),
            fitness=fitness,
            ranking=ranking,
            sample_weight=weight,
            n_jobs=3,
        ) as evaluate:
            return evaluate(population)

    scores = all_scores(n_outputs, task)
    alone = [measure(score).fitness for score in scores]
    for (a, fitness), (b, ranking) in permutations(zip(alone, scores, strict=True), 2):
        both = measure(fitness, ranking)
        np.testing.assert_array_equal(both.fitness, a, f"{fitness} beside {ranking}")
        np.testing.assert_array_equal(both.ranking, b, f"{ranking} beside {fitness}")
    assert all((a == b).all() for a, b in zip(given, before, strict=True))


@pytest.mark.parametrize("marked", [False, True])
def test_a_score_of_ones_own_may_overwrite_the_outputs_without_saying_so(marked):
    def own(outputs, y, sample_weight=None):
        outputs[:] = 7
        return np.arange(len(outputs), dtype=float)

    score = population_score("classification")(own) if marked else own
    sizes = [5, 7, 3]
    X, y = problem(sizes, 30)
    plain = Evaluator(X, y, layer_shapes(sizes), fitness=margin)(networks(sizes)).fitness
    for fitness, ranking in ((score, margin), (margin, score)):
        both = Evaluator(X, y, layer_shapes(sizes), fitness=fitness, ranking=ranking)
        found = both(networks(sizes))
        assert ((found.ranking if fitness is score else found.fitness) == plain).all()


@pytest.mark.parametrize("spoilt", ["outputs", "y", "sample_weight"])
@pytest.mark.parametrize("samples", [None, np.array([1, 5, 5])])
def test_a_score_that_overwrites_what_it_must_not_is_refused(spoilt, samples):
    @population_score("classification", overwrites=False)
    def liar(outputs, y, sample_weight=None):
        {"outputs": outputs, "y": y, "sample_weight": sample_weight}[spoilt][:] = 0
        return np.zeros(len(outputs))

    sizes = [5, 7, 3]
    X, y = problem(sizes, 30)
    weight = np.ones(30)
    for options in ({"fitness": liar}, {"ranking": liar}):
        evaluate = Evaluator(X, y, layer_shapes(sizes), sample_weight=weight, **options)
        with pytest.raises(ValueError, match="read-only"):
            evaluate(networks(sizes), samples)
    assert y.any()
    assert weight.all()


def test_no_two_results_share_memory():
    sizes = [5, 7, 3]
    X, y = problem(sizes, 30)
    for ranking in (None, neg_log_loss):
        evaluate = Evaluator(X, y, layer_shapes(sizes), ranking=ranking)
        arrays = [a for _ in range(2) for a in evaluate(networks(sizes))]
        assert not any(np.shares_memory(a, b) for a, b in combinations(arrays, 2))


def test_a_regression_that_maximises_an_error_ends_with_good_targets():
    X, y = load_diabetes(return_X_y=True)
    result = evolve(
        scale(X),
        y,
        task="regression",
        fitness="neg_mean_absolute_error",
        hidden_layer_sizes=(10,),
        bias=True,
        n_generations=100,
        random_state=0,
    )
    assert r2_score(y, forward(result.weights, scale(X))) > 0.45


@pytest.mark.parametrize("fitness", ["margin", "neg_brier_score"])
def test_classifications_that_maximise_a_score_of_outputs_end_with_good_classes(fitness):
    X, y = load_wine(return_X_y=True)
    result = evolve(
        scale(X), y, fitness=fitness, hidden_layer_sizes=(10,), n_generations=60, random_state=0
    )
    assert np.mean(predict(result.weights, scale(X)) == y) > 0.97


def test_a_metric_that_warns_each_time_warns_once_a_run(monkeypatch):
    monkeypatch.setattr(evaluation, "THREADED_FLOPS", 0)

    def ill_defined(y_true, y_pred):
        warnings.warn("ill-defined", UserWarning, stacklevel=1)
        return np.mean(y_true == y_pred)

    X, y = load_wine(return_X_y=True)
    for _ in range(2):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            before = list(warnings.filters), warnings.showwarning
            evolve(X, y, fitness=ill_defined, n_generations=12, random_state=0, n_jobs=3)
            assert (list(warnings.filters), warnings.showwarning) == before
        assert [str(w.message) for w in told] == ["ill-defined"]


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_outputs_are_copied_for_two_scores_that_overwrite_and_for_no_others(first, second):
    lent = []

    def spy(overwrites):
        @population_score("classification", overwrites=overwrites)
        def score(outputs, y, sample_weight=None):
            lent.append(outputs)
            return np.zeros(len(outputs))

        return score

    X, y = problem([5, 3], 30)
    Evaluator(X, y, [(5, 3)], fitness=spy(first), ranking=spy(second))(networks([5, 3], 1))
    assert len(lent) == 2
    assert np.shares_memory(*lent) != (first and second)


@pytest.mark.parametrize("ranking", [neg_log_loss, margin])
def test_a_score_may_return_a_part_of_the_outputs(ranking):
    @population_score("classification", overwrites=False)
    def first_output(outputs, y, sample_weight=None):
        return outputs[:, 0, 0]

    sizes = [5, 7, 3]
    X, y = problem(sizes, 30)
    alone, both = (
        Evaluator(X, y, layer_shapes(sizes), fitness=first_output, ranking=ranking)(networks(sizes))
        for ranking in (None, ranking)
    )
    assert (both.fitness == alone.fitness).all()
