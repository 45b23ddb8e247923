"""The genetic algorithm: what must hold for every run, and what it must beat."""

import itertools
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    make_scorer,
    r2_score,
    recall_score,
)
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale

import ga_ann
from ga_ann.callbacks import Checkpoint, EarlyStopping
from ga_ann.chromosome import flatten, reshape
from ga_ann.doors import from_sklearn
from ga_ann.evolution.recipe import RECIPES
from ga_ann.fitness import neg_cost
from ga_ann.history import History
from ga_ann.network import init_weights, layer_shapes, predict
from ga_ann.operators import CROSSOVERS, MUTATIONS, SELECTIONS
from ga_ann.weight_sets import check_weight_set, is_inside
from tests.runs import evolve

X, Y = load_iris(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6,), "population_size": 12, "n_parents": 4, "random_state": 0}
CLASSIC = {"crossover": "uniform", "ranking": "fitness", "n_elites": 1, "sigma_decay": 1.0}


def run(**changes):
    return evolve(X, Y, **{**SMALL, "n_generations": 8, "target_fitness": None, **changes})


def same(a, b):
    return all((V == W).all() for V, W in zip(a.weights, b.weights, strict=True))


# ---------------------------------------------------------------------------------- results


def test_the_result_is_the_best_solution():
    result = run(validation_data=(X[::2], Y[::2]))
    assert [W.shape for W in result.weights] == [(4, 6), (6, 3)]
    assert np.mean(predict(result.weights, X.astype(np.float32)) == Y) == result.best_fitness
    last = result.history.last
    assert last["best_fitness"] == result.best_fitness
    assert last["validation_score"] == np.mean(result.predict(X[::2].astype("f4")) == Y[::2])
    assert len(result.history) == 9
    assert result.stop_reason == "n_generations"


def test_labels_of_any_kind():
    names = np.array(["setosa", "versicolor", "virginica"])
    result = evolve(X, names[Y], **SMALL, target_fitness=0.9)
    assert result.classes.tolist() == names.tolist()
    assert np.mean(result.predict(X) == names[Y]) >= 0.9


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 3)])
def test_any_structure(hidden, bias):
    result = run(hidden_layer_sizes=hidden, bias=bias, n_generations=2)
    assert [W.shape for W in result.weights] == layer_shapes([4, *hidden, 3], bias=bias)


def test_same_seed_same_bits():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    a, b, c = run(), run(), run(random_state=1)
    assert same(a, b)
    assert not same(a, c)
    for column in ("best_fitness", "mean_fitness", "evaluations"):
        assert (a.history[column] == b.history[column]).all()
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_a_generator_may_be_the_random_state():
    assert same(run(random_state=np.random.default_rng(0)), run())


# -------------------------------------------------------------------------------- properties


@pytest.mark.parametrize("n_elites", [1, 3, 11])
def test_elitism_makes_the_best_fitness_monotone(n_elites):
    result = run(**{**CLASSIC, "n_elites": n_elites}, sigma=2.0, n_generations=30)
    assert (np.diff(result.ga.best_solutions_fitness) >= 0).all()


def test_without_elitism_the_best_may_be_lost_but_the_result_keeps_it():
    result = run(**{**CLASSIC, "n_elites": 0}, sigma=5.0, n_generations=40)
    assert (np.diff(result.ga.best_solutions_fitness) < 0).any()
    assert result.best_fitness == max(result.ga.best_solutions_fitness)
    assert (np.diff(result.history["best_fitness"]) >= 0).all()


def test_without_variation_nothing_changes():
    start = flatten(init_weights(np.random.default_rng(3), [4, 6, 3], n_solutions=12))
    start[:] = start[0]
    result = run(sigma=0.0, crossover="uniform", start=start)
    assert (result.ga.population == start[0]).all()
    assert len(set(result.history["mean_fitness"])) == 1


def test_elites_keep_the_fitness_that_they_would_be_measured_with():
    result = run(**{**CLASSIC, "n_elites": 4})
    kept, ranking = result.ga.last_generation_fitness, result.ga.ranking
    assert (kept == result.ga.cal_pop_fitness()).all()
    assert (ranking == result.ga.ranking).all()


def test_the_initial_population_is_not_modified():
    start = flatten(init_weights(np.random.default_rng(3), [4, 6, 3], n_solutions=12))
    before = start.copy()
    run(start=start)
    assert (start == before).all()


def test_beats_random_search_at_equal_evaluations():
    digits, labels = load_digits(return_X_y=True)
    budget = {"hidden_layer_sizes": (16,), "max_evaluations": 1500, "target_fitness": None}
    for seed in range(3):
        evolved = evolve(digits, labels, **budget, random_state=seed)
        random = evolve(
            digits,
            labels,
            **{**budget, "max_evaluations": 1600},
            **CLASSIC,
            population_size=1500,
            batch_size="full",
            n_generations=0,
            random_state=seed,
        )
        assert random.history.last["evaluations"] == 1500
        assert evolved.history.last["evaluations"] <= 1500
        assert evolved.best_fitness > random.best_fitness + 0.1


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("crossover", CROSSOVERS)
def test_every_pair_of_operators_learns(selection, crossover):
    options = {"selection": selection, "crossover": crossover, "random_state": 0}
    result = evolve(scale(X), Y, hidden_layer_sizes=(8,), n_generations=100, **options)
    assert result.best_fitness > result.history["best_fitness"][0] + 0.1


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_mutation_learns(mutation):
    assert run(mutation=mutation, n_generations=60, target_fitness=0.8).best_fitness >= 0.8


@pytest.mark.parametrize(
    "options",
    [
        *({"selection": name} for name in ("sss", "rws", "sus", "random")),
        *({"crossover": name} for name in ("two_points", "scattered", "sbx")),
        *(
            {"mutation": name, "mutation_rate": 0.1}
            for name in ("random", "swap", "inversion", "scramble", "polynomial")
        ),
        {"mutation": "adaptive", "mutation_rate": (0.3, 0.1)},
    ],
    ids=lambda options: next(iter(options.values())),
)
def test_pygad_operators_run_by_their_names(options):
    result = run(**options, n_generations=5)
    assert len(result.history) == 6
    assert same(result, run(**options, n_generations=5))


# ------------------------------------------------------------------------------------ batches


def test_whatever_the_batch_the_best_fitness_is_that_on_all_samples():
    digits, labels = load_digits(return_X_y=True)
    seen = []

    def watch(ga, history):
        seen.append(history.last)

    result = evolve(digits, labels, hidden_layer_sizes=(16,), random_state=0, callbacks=[watch])
    size, first = result.recipe.population_size, result.history["n_samples"][0]
    assert first < len(digits) / 10
    assert np.mean(result.predict(digits.astype("f4")) == labels) == result.best_fitness
    assert (np.diff(result.history["best_fitness"]) >= 0).all()
    assert result.best_fitness > 0.95
    per_generation = np.diff(result.history["evaluations"])[:9]
    assert per_generation == pytest.approx(size * first / len(digits))


def test_elites_are_measured_anew_on_every_batch():
    digits, labels = load_digits(return_X_y=True)
    measured = []
    evolve(
        digits,
        labels,
        hidden_layer_sizes=(8,),
        **{**CLASSIC, "n_elites": 31},
        sigma=0.0,
        n_generations=4,
        callbacks=[lambda ga, history: measured.append(ga.last_generation_fitness.copy())],
        random_state=0,
    )
    assert all((np.sort(a) != np.sort(b)).any() for a, b in itertools.pairwise(measured))


def test_elites_are_measured_anew_when_the_batch_has_grown_to_all_samples():
    digits, labels = (part[:300] for part in load_digits(return_X_y=True))
    full = []

    def watch(ga, history):
        if history["n_samples"][-2:].tolist() == [300, 300]:
            full.append((ga.population[:8].copy(), ga.last_generation_fitness[:8].copy()))

    options = {"crossover": "uniform", "ranking": "fitness", "n_elites": 8, "sigma": 0.01}
    result = evolve(
        digits,
        labels,
        hidden_layer_sizes=(4,),
        **options,
        n_generations=400,
        target_fitness=None,
        callbacks=[watch],
        random_state=0,
    )
    shapes = layer_shapes([64, 4, 10])
    elites, fitness = full[0]
    found = (predict(reshape(elites, shapes), digits.astype("f4")) == labels).mean(axis=1)
    assert fitness == pytest.approx(found)
    assert np.mean(result.predict(digits.astype("f4")) == labels) == result.best_fitness


def test_batches_grow_and_mutation_weakens_when_progress_stops():
    digits, labels = load_digits(return_X_y=True)
    result = evolve(digits, labels, hidden_layer_sizes=(4,), n_generations=600, random_state=0)
    sigma, n_samples = result.history["sigma"], result.history["n_samples"]
    assert sigma[0] == result.recipe.sigma > sigma[-1]
    assert n_samples[0] == result.recipe.batch_size < n_samples[-1]
    assert (np.diff(sigma) <= 0).all()
    assert (np.diff(n_samples) >= 0).all()


def test_the_number_of_threads_changes_nothing():
    digits, labels = load_digits(return_X_y=True)
    options = {"hidden_layer_sizes": (32,), "n_generations": 12, "random_state": 0}
    results = [
        evolve(digits, labels, **options, batch_size="full", n_jobs=n_jobs) for n_jobs in (1, 2, 4)
    ]
    for other in results[1:]:
        assert same(results[0], other)
        for column in ("best_fitness", "mean_fitness"):
            assert (results[0].history[column] == other.history[column]).all()


@pytest.mark.parametrize("noise", ["table", "generator"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_and_precision_do_not_matter_to_the_outcome(noise, dtype):
    result = evolve(scale(X), Y, hidden_layer_sizes=(8,), noise=noise, dtype=dtype, random_state=0)
    assert result.best_fitness > 0.93
    assert {W.dtype for W in result.weights} == {np.dtype(dtype)}


def test_units_do_not_matter():
    a = run(n_generations=30)
    b = evolve(1024 * X, Y, **SMALL, n_generations=30, target_fitness=None)
    assert (a.history["best_fitness"] == b.history["best_fitness"]).all()
    assert (a.weights[0] == 1024 * b.weights[0]).all()


# ---------------------------------------------------------------- other scores and other tasks


@pytest.mark.parametrize(
    ("fitness", "metric"),
    [
        ("f1_macro", lambda y, p: f1_score(y, p, average="macro")),
        ("balanced_accuracy", balanced_accuracy_score),
        ("recall_macro", lambda y, p: recall_score(y, p, average="macro")),  # scikit-learn's
        (
            make_scorer(f1_score, average="weighted"),
            lambda y, p: f1_score(y, p, average="weighted"),
        ),
        (accuracy_score, accuracy_score),
    ],
    ids=["f1_macro", "balanced_accuracy", "scorer name", "scorer", "function"],
)
def test_any_score_can_be_the_fitness(fitness, metric):
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    options = {"hidden_layer_sizes": (8,), "n_generations": 60, "random_state": 0}
    result = evolve(scale(X), names, fitness=fitness, **options)
    assert result.best_fitness > 0.85
    assert metric(names, result.predict(scale(X))) == pytest.approx(result.best_fitness)


def test_a_metric_that_fails_ranks_worst_and_is_counted():
    def fussy(y_true, y_pred):
        if len(set(y_pred)) < 3:
            raise ArithmeticError("three classes, please")
        return np.mean(y_true == y_pred)

    with pytest.warns(RuntimeWarning, match="three classes, please"):
        result = evolve(scale(X), Y, hidden_layer_sizes=(8,), fitness=fussy, random_state=0)
    assert result.history["n_invalid"].max() > 0
    assert result.best_fitness > 0.93


def test_a_slow_metric_is_called_in_every_tenth_generation_only():
    calls = []

    def metric(y_true, y_pred):
        calls.append(len(y_true))
        return np.mean(y_true == y_pred)

    result = run(fitness=metric, n_generations=40)
    assert len(calls) == 5 * (SMALL["population_size"] + 1)  # and the mean of the parents
    known = np.isfinite(result.history["mean_fitness"])
    assert np.flatnonzero(known).tolist() == [0, 10, 20, 30, 40]
    assert (result.history["n_invalid"] == 0).all()
    assert np.mean(result.predict(X.astype("f4")) == Y) == result.best_fitness
    calls.clear()
    run(fitness=metric, n_generations=4, ranking="fitness", crossover="uniform")
    assert len(calls) == 5 * SMALL["population_size"]


def test_elites_keep_no_fitness_that_was_not_measured():
    def metric(y_true, y_pred):
        return np.mean(y_true == y_pred)

    options = {"n_elites": 3, "crossover": "uniform", "n_generations": 20, "sigma": 0.01}
    slow, quick = run(fitness=metric, **options), run(fitness="accuracy", **options)
    assert (slow.population == quick.population).all()
    assert (slow.ga.last_generation_fitness == quick.ga.last_generation_fitness).all()


def test_weight_decay_takes_from_weights_and_not_from_biases():
    options = {"sigma": 0.5, "sigma_decay": 1.0, "bias": True, "n_generations": 100}
    norms = [np.linalg.norm(run(weight_decay=w, **options).population) for w in (0.0, 0.3, 2.0)]
    assert norms == sorted(norms, reverse=True)
    auto = run(**options)
    assert same(auto, run(weight_decay=auto.recipe.weight_decay, **options))
    assert not same(auto, run(weight_decay=0, **options))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regression(n_outputs):
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((300, 3))
    targets = (samples @ rng.standard_normal((3, n_outputs))) ** 2
    targets = targets[:, 0] if n_outputs == 1 else targets
    result = evolve(
        samples, targets, task="regression", hidden_layer_sizes=(16,), bias=True, random_state=0
    )
    assert result.classes is None
    assert result.predict(samples).shape == targets.shape
    assert result.best_fitness == pytest.approx(
        r2_score(targets, result.predict(samples)), abs=1e-4
    )
    assert result.best_fitness > 0.9


def test_sample_weights_decide_between_classes():
    rng = np.random.default_rng(0)
    samples, labels = rng.standard_normal((300, 2)), rng.integers(0, 2, 300)
    for wanted in (0, 1):
        weight = np.where(labels == wanted, 100.0, 1.0)
        result = evolve(
            samples,
            labels,
            hidden_layer_sizes=(3,),
            sample_weight=weight,
            bias=True,
            n_generations=100,
            random_state=0,
        )
        assert np.mean(result.predict(samples) == wanted) > 0.9


def test_early_stopping_keeps_what_is_best_on_the_validation_data():
    digits, labels = load_digits(return_X_y=True)
    train, held = np.arange(0, 1000), np.arange(1000, 1797)
    result = evolve(
        digits[train],
        labels[train],
        hidden_layer_sizes=(16,),
        random_state=0,
        validation_data=(digits[held], labels[held]),
        early_stopping=True,
        n_iter_no_change=60,
        target_fitness=None,
    )
    assert "validation_score" in result.stop_reason
    assert result.validation_score == np.nanmax(result.history["validation_score"])
    found = np.mean(result.predict(digits[held].astype("f4")) == labels[held])
    assert found == pytest.approx(result.validation_score)


def test_a_run_can_be_continued():
    first = run(n_generations=10)
    generations = len(first.history)
    second = run(n_generations=15, start=first)
    assert len(first.history) == generations
    assert len(second.history) == generations + 15
    assert (np.diff(second.history["generation"]) == 1).all()
    for column in ("evaluations", "seconds", "best_fitness"):
        assert (np.diff(second.history[column]) >= 0).all()
    assert second.best_fitness >= first.best_fitness


# ----------------------------------------------------------------------------------- recipes


def test_the_tutorial_recipe_is_the_follow_up_article():
    result = evolve(X, Y, recipe="tutorial", n_generations=5, random_state=0)
    assert result.ga.population.shape == (8, 4 * 150 + 150 * 60 + 60 * 3)
    assert result.ga.population.dtype == np.float64
    assert result.activation == result.output_activation == "sigmoid"
    assert result.history["evaluations"].tolist() == [8, 12, 16, 20, 24, 28]
    for column in ("population_size", "n_parents", "n_elites", "crossover", "mutation_rate"):
        assert result.history.settings[column] == getattr(RECIPES["tutorial"], column)


def test_the_tutorial_offspring_are_halves_of_neighbours_with_a_tenth_of_the_genes_mutated():
    first = flatten(
        init_weights(
            np.random.default_rng(0), [4, 150, 60, 3], n_solutions=8, init="tutorial", dtype="f8"
        )
    )
    options = {"recipe": "tutorial", "target_fitness": None, "start": first}
    then = evolve(X, Y, **options, n_generations=1, random_state=0).ga.population
    n_genes = first.shape[1]
    for child in then[4:]:
        change = np.min(
            [
                np.count_nonzero(child - np.r_[a[: n_genes // 2], b[n_genes // 2 :]])
                for a in first
                for b in first
            ]
        )
        assert change == round(n_genes / 10)


def test_a_given_setting_wins_over_the_recipe():
    result = evolve(X, Y, recipe="tutorial", population_size=10, sigma=0.5, n_generations=1)
    assert result.history.settings["population_size"] == 10
    assert result.history.settings["sigma"] == 0.5


# -------------------------------------------------------------------------------------- stops


def test_stops():
    assert run(target_fitness=0.1).stop_reason == "target_fitness"
    assert len(run(target_fitness=0.1).history) == 1
    assert run(target_fitness=0.8, n_generations=500).best_fitness >= 0.8
    assert run(max_time=1e-9, n_generations=500).stop_reason == "max_time"
    limited = run(**CLASSIC, max_evaluations=40)
    assert limited.stop_reason == "max_evaluations"
    assert limited.history.last["evaluations"] == 12 + 2 * 11
    by_mean = run(max_evaluations=40, n_generations=500)
    assert 40 - 12 - 2 < by_mean.history.last["evaluations"] <= 40
    stuck = run(**CLASSIC, n_iter_no_change=3, sigma=0.0, n_generations=500)
    assert stuck.stop_reason == "no ranking improvement in 3 generations"
    assert run(n_generations=0).ga.generations_completed == 0


def test_callbacks_see_every_generation_and_may_stop():
    seen = []

    def watch(ga, history):
        seen.append((ga.generations_completed, history.last["generation"]))
        return len(seen) == 4

    result = run(callbacks=[watch])
    assert seen == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert result.stop_reason == "callback"
    stop = EarlyStopping(2)
    stuck = run(**CLASSIC, callbacks=[stop], sigma=0.0, validation_data=(X, Y))
    assert "validation" in stuck.stop_reason


def test_ctrl_c_keeps_the_best_so_far():
    def interrupt(ga, history):
        if history.last["generation"] == 5:
            raise KeyboardInterrupt

    result = run(callbacks=[interrupt])
    assert result.stop_reason == "interrupted"
    assert np.mean(result.predict(X.astype("f4")) == Y) == result.best_fitness
    assert len(result.history) == 6


def test_ctrl_c_before_the_first_generation_is_noted_leaves_no_result():
    calls = []

    def metric(y, p):
        calls.append(1)
        if len(calls) > 32:  # the population is measured, the mean of the parents is not
            raise KeyboardInterrupt
        return np.mean(y == p)

    with pytest.raises(KeyboardInterrupt):
        evolve(X, Y, hidden_layer_sizes=(4,), fitness=metric, n_jobs=1, random_state=0)
    assert len(calls) == 33


def test_verbose_shows_progress_and_the_time_to_each_limit(capsys):
    run(verbose=True)
    assert "generation 0 of " in capsys.readouterr().err
    for limit in ({"max_time": 1e4}, {"max_evaluations": 1e6}):
        run(verbose=True, **limit)
        assert "left about " in capsys.readouterr().err


def test_solutions_that_cannot_be_measured_rank_worst_and_are_counted():
    start = flatten(init_weights(np.random.default_rng(3), [4, 6, 3], n_solutions=12))
    start[:5, 0] = 3e38
    start[:5, 24:] = 3e38
    result = run(**CLASSIC, start=start, n_generations=1)
    assert result.history["n_invalid"].tolist() == [5, 0]
    assert np.isfinite(result.history["mean_fitness"]).all()
    start[:, 0] = start[:, 24:] = 3e38
    with pytest.raises(ValueError, match="their outputs are NaN or infinite"):
        run(**CLASSIC, start=start, n_generations=1)


# ---------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"population_size": 1}, "population_size must be >= 2, got 1"),
        ({"n_parents": 13}, "n_parents must be <= 12, got 13"),
        ({"n_elites": 12}, "n_elites must be <= 11, got 12"),
        ({"sigma": -1.0}, "sigma"),
        ({"mutation_rate": 1.5}, "mutation_rate"),
        ({"mutation_rate": (0.1, 0.2)}, "mutation_rate must be a pair"),
        ({"mutation": "adaptive", "mutation_rate": 0.1}, "mutation_rate must be a pair"),
        ({"n_generations": -1}, "n_generations"),
        ({"n_iter_no_change": 0}, "n_iter_no_change"),
        ({"max_time": 0}, "max_time"),
        ({"max_evaluations": 5}, "population_size=12.* must be >= 12, got 5"),
        ({"tol": -1}, "tol"),
        ({"selection": "wit"}, "selection must be one of .*'truncation'.* got 'wit'"),
        ({"crossover": "wit"}, "crossover must be one of .*'uniform'"),
        ({"mutation": "wit"}, "mutation must be one of .*'gaussian'"),
        ({"activation": "wit"}, "activation must be one of .*'relu'"),
        ({"output_activation": "wit"}, "output_activation must be one of"),
        ({"fitness": "wit"}, "fitness must be one of .*'accuracy'"),
        ({"init": "wit"}, "init must be one of .*'he'"),
        ({"dtype": "float16"}, "dtype must be one of"),
        ({"ranking": "wit"}, "must be one of .*'neg_log_loss'"),
        ({"noise": "wit"}, "noise must be one of"),
        ({"batch_size": "wit"}, "batch_size must be one of .*'auto'"),
        ({"batch_size": 0}, "batch_size must be >= 1, got 0"),
        ({"sigma_decay": 0}, "sigma_decay must be > 0, got 0"),
        ({"sigma_decay": 1.1}, "sigma_decay must be <= 1, got 1.1"),
        ({"task": "wit"}, "task must be one of"),
        ({"early_stopping": True}, "early_stopping needs validation_data"),
        ({"sample_weight": [1.0]}, r"sample_weight must have shape \(150,\)"),
        ({"sample_weight": -np.ones(150)}, "no negative number"),
        ({"sample_weight": np.zeros(150)}, "not zeros alone"),
        ({"n_jobs": 0}, "n_jobs must be >= 1, got 0"),
        ({"recipe": "wit"}, "recipe must be one of .*'tutorial'"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be >= 1, got 0"),
        ({"sigma": float("nan")}, "sigma must be finite"),
        ({"max_time": float("inf")}, "max_time must be finite"),
        ({"start": np.zeros((12, 5))}, r"shape \(12, 42\).* got \(12, 5\)"),
        ({"start": np.full((12, 42), np.nan)}, "start contains NaN"),
        ({"validation_data": (X[:, :2], Y)}, "validation_data must have 4 features"),
        ({"validation_data": (X, Y + 1)}, r"no class of the training: \[3\]"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        run(**changes)


def test_wrong_types_are_refused():
    for changes in (
        {"population_size": 3.5},
        {"n_parents": True},
        {"sigma": "strong"},
        {"target_fitness": "all"},
    ):
        with pytest.raises(TypeError, match=next(iter(changes))):
            run(**changes)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.empty((0, 4)), np.empty(0)), "0 sample"),
        ((X, np.zeros(len(X))), "at least 2 classes, got 1 class"),
        ((X, Y[:-1]), "inconsistent numbers of samples"),
        ((np.where(X > 7, np.nan, X), Y), "NaN"),
        ((np.where(X > 7, np.inf, X), Y), "infinity"),
        ((X[0], Y), "2D array"),
        ((X, Y + 0.5), "continuous"),
        ((X * 1e39, Y), "float32"),
    ],
)
def test_bad_data_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        evolve(*data, **SMALL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fitness": neg_cost([[0, 1], [1, 0]])}, r"each of the 3 classes, got shape \(2, 2\)"),
        ({"fitness": "f1"}, "takes 2 classes"),
        ({"fitness": neg_cost(np.eye(3)), "task": "regression"}, "score of regression"),
    ],
)
def test_scores_that_do_not_fit_are_refused_before_any_generation(options, message):
    generations = []
    with pytest.raises(ValueError, match=message):
        evolve(X, Y, callbacks=[lambda ga, history: generations.append(ga)], **SMALL, **options)
    assert not generations


@pytest.mark.parametrize("fitness", ["balanced_accuracy", "g_mean", "f1_macro", "roc_auc"])
def test_batches_that_lack_classes_can_be_learned_from(fitness):
    options = {**SMALL, "batch_size": 2, "bias": True, "n_generations": 200}
    result = evolve(scale(X), Y, fitness=fitness, **options)
    assert (result.history["n_invalid"] == 0).all()
    assert result.best_fitness > 0.6


def test_a_metric_that_fails_on_batches_that_lack_classes_counts_them():
    with pytest.warns(RuntimeWarning) as caught:
        result = run(
            fitness="roc_auc_ovr", ranking="fitness", batch_size=1, n_generations=3, n_jobs=1
        )
    messages = [str(w.message) for w in caught]
    assert sum("is NaN for solutions that it fails for" in text for text in messages) == 1
    assert result.history["n_invalid"].tolist() == [12] * 4
    assert np.isfinite(result.best_fitness)  # measured on all samples


@pytest.mark.parametrize("samples", [np.zeros((150, 4)), np.full((150, 4), 7.5)])
@pytest.mark.parametrize("bias", [False, True])
def test_constant_features_give_one_answer(samples, bias):
    result = evolve(samples, np.minimum(Y, 1), bias=bias, n_generations=20, **SMALL)
    predicted = set(result.predict(samples.astype("f4")))
    assert len(predicted) == 1
    if bias:
        assert predicted == {1}
        assert result.best_fitness == pytest.approx(2 / 3)
    one = np.column_stack([samples[:, 0], X])
    assert evolve(one, Y, n_generations=60, bias=bias, **SMALL).best_fitness > 0.6


def test_a_class_for_each_sample_and_more():
    few = np.array([0, 60, 120])
    assert evolve(X[few], Y[few], n_generations=60, bias=True, **SMALL).best_fitness == 1
    result = evolve(X[:2], [3, 5], classes=range(9), n_generations=40, **SMALL)
    assert result.weights[-1].shape == (6, 9)
    assert np.isfinite(result.history["ranking"]).all()


@pytest.mark.parametrize("fitness", ["balanced_accuracy", "g_mean", "accuracy", "neg_log_loss"])
def test_a_class_that_the_training_data_lack_ranks_finitely(fitness):
    result = evolve(
        X, Y, classes=range(5), fitness=fitness, n_generations=5, **SMALL, target_fitness=None
    )
    assert np.isfinite(result.history["ranking"]).all()


# ----------------------------------------------------------------------------- sets of weights

SETS = {"binary": "binary", "ternary": "ternary", "int8": "int8", "own": [-3.0, -0.5, 0.1, 2.0]}


def check_inside(result, weight_set):
    values = check_weight_set(weight_set)
    assert is_inside(result.population, values)
    assert is_inside(flatten(result.weights), values)


def restricted(weight_set="ternary", **changes):
    return run(weight_set=weight_set, bias=True, **changes)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("weight_set", SETS.values(), ids=SETS)
def test_weights_stay_inside_their_set_and_learn(weight_set, bias):
    result = evolve(
        scale(X),
        Y,
        weight_set=weight_set,
        bias=bias,
        hidden_layer_sizes=(8,),
        n_generations=150,
        target_fitness=0.95 if bias else 0.85,
        random_state=0,
    )
    check_inside(result, weight_set)
    assert result.best_fitness >= (0.95 if bias else 0.85)
    assert np.mean(result.predict(scale(X).astype("f4")) == Y) == result.best_fitness


@pytest.mark.parametrize(
    "crossover", [*sorted(set(CROSSOVERS) - {"mean"}), "two_points", "scattered"]
)
@pytest.mark.parametrize("weight_set", SETS.values(), ids=SETS)
def test_every_crossover_of_whole_genes_stays_inside(weight_set, crossover):
    for changes in ({}, {"n_elites": 2, "dtype": "float64"}):
        check_inside(restricted(weight_set, crossover=crossover, **changes), weight_set)


@pytest.mark.parametrize("mutation", ["step", "swap", "inversion", "scramble"])
@pytest.mark.parametrize("weight_set", SETS.values(), ids=SETS)
def test_every_mutation_that_moves_genes_stays_inside(weight_set, mutation):
    for rate in (0.2, 1.0):
        options = {"mutation": mutation, "mutation_rate": rate, "sigma": 2.0}
        check_inside(restricted(weight_set, **options), weight_set)


@pytest.mark.parametrize("recipe", ["tutorial", "classic"])
def test_a_recipe_that_would_leave_the_set_is_refused(recipe):
    with pytest.raises(ValueError, match=r"mutation must be one of \[.*'step'.* with a weight_set"):
        evolve(X, Y, recipe=recipe, weight_set="ternary", n_generations=5)


def test_the_tutorial_recipe_can_be_restricted_where_it_leaves_the_mutation_to_the_problem():
    recipe = replace(RECIPES["tutorial"], mutation=None, mutation_rate=None, sigma=None)
    result = evolve(X, Y, recipe=recipe, weight_set="ternary", n_generations=5, random_state=0)
    check_inside(result, "ternary")
    assert result.history.settings["crossover"] == "middle"
    assert result.history.settings["mutation"] == "step"
    assert result.history.settings["weight_set"] == "ternary"


def test_a_restricted_regression_stays_inside():
    result = evolve(X, X[:, :2], task="regression", weight_set="int8", n_generations=20, **SMALL)
    check_inside(result, "int8")


def test_restricted_runs_are_repeatable_and_continue_inside():
    assert same(restricted(), restricted())
    first = restricted()
    second = restricted(start=first, n_generations=15)
    check_inside(second, "ternary")
    assert len(second.history) == 9 + 15
    assert second.best_fitness >= first.best_fitness
    given = restricted(start=first.population)
    check_inside(given, "ternary")
    with pytest.raises(ValueError, match="values of weight_set='binary'"):
        restricted("binary", start=first)
    free = run(bias=True)
    with pytest.raises(ValueError, match="values of weight_set='ternary'"):
        restricted(start=free)


def test_values_that_single_precision_rounds_are_kept_in_double_precision():
    options = {"weight_set": [-0.1, 0.1], "dtype": "float64"}
    result = run(**options)
    assert set(np.abs(result.population).ravel()) == {0.1}
    assert set(np.abs(run(**options, start=result.population).population.flat)) == {0.1}


def test_without_mutation_no_gene_is_new():
    start = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], (12, 42))
    start[:, ::2] = start[0, ::2]
    result = run(weight_set="ternary", mutation_rate=0.0, start=start)
    assert (result.population[:, ::2] == start[0, ::2]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crossover": "mean"}, "crossover='mean' makes weights that are not in.*'gene_pool'"),
        ({"crossover": "sbx"}, "crossover='sbx' makes weights that are not in"),
        ({"mutation": "gaussian"}, r"mutation must be one of \[.*'step'.*got 'gaussian'"),
        ({"mutation": "random"}, "mutation must be one of"),
        ({"mutation": "polynomial"}, "mutation must be one of"),
        ({"mutation": "adaptive", "mutation_rate": (0.1, 0.2)}, "mutation must be one of"),
        ({"weight_decay": 0.1}, "weight_decay must be 0 with a weight_set, got 0.1"),
        ({"start": np.full((12, 51), 0.5)}, "values of weight_set='ternary'"),
        ({"weight_set": "trinary"}, "weight_set must be one of.*got 'trinary'"),
        ({"weight_set": [1.0]}, "at least two different finite numbers"),
        ({"weight_set": None, "mutation": "step"}, "'step' needs one.*weight_set=None"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_would_leave_the_set_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        run(**{"weight_set": "ternary", "bias": True, **changes})


@pytest.mark.parametrize(
    ("fitness", "cause"),
    [
        (lambda y: 1.0, "takes 1 positional argument"),
        (lambda y, predicted: np.inf, "it returned inf"),
        ("precision", "Target is multiclass"),
    ],
    ids=["signature", "infinite", "binary alone"],
)
def test_a_fitness_that_fails_for_every_solution_is_refused(fitness, cause):
    with (
        pytest.warns(RuntimeWarning, match="NaN for solutions"),
        pytest.raises(ValueError, match=f"finite for no solution of the initial.*{cause}"),
    ):
        run(fitness=fitness)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": 5}, "start must be chromosomes, what evolve returned, or a .*, got 5"),
        ({"n_jobs": "a"}, "n_jobs must be an integer"),
        ({"start": lambda: 5}, "start must be chromosomes"),
        ({"callbacks": [EarlyStopping]}, "callbacks must be Callbacks or functions"),
        ({"callbacks": [5]}, "callbacks must be Callbacks or functions"),
        ({"callbacks": EarlyStopping(3)}, "callbacks must be a list of them, got <"),
        ({"callbacks": None}, "callbacks must be a list of them, got None"),
        ({"start": History()}, "start must be chromosomes"),
    ],
)
def test_things_of_the_wrong_type_are_refused_before_any_work(changes, message):
    with pytest.raises(TypeError, match=message):
        run(**changes)


def test_results_are_shown_in_a_line():
    assert repr(run(n_generations=2)).startswith("EvolutionResult(2 generations, best_fitness=0.")


@pytest.mark.parametrize(
    "start",
    [[], [0.5], [[1], [1, 2]], [["a"]], [[1j]], [[np.inf]], np.zeros(3), np.ones((1, 2, 3)), b"a"],
    ids=repr,
)
def test_a_start_that_is_no_table_of_numbers_is_named(start):
    with pytest.raises(ValueError, match="start cannot be used as chromosomes: "):
        run(start=start)


def test_a_start_from_other_columns_is_refused_where_both_have_names():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(12, 2)), columns=["a", "b"])
    y, options = [0, 1] * 6, {"n_generations": 1, "random_state": 0, "hidden_layer_sizes": 3}
    start = evolve(X, y, **options)
    for same in (X, X.to_numpy()):
        assert evolve(same, y, start=start, **options).history.last["generation"] == 2
    for other, message in (
        (X[["b", "a"]], "in the order of the training data"),
        (X.rename(columns={"b": "c"}), "lacks .'b'. and has .'c'. besides"),
    ):
        with pytest.raises(ValueError, match=message):
            evolve(other, y, start=start, **options)
    evolve(other, y, start=evolve(X.to_numpy(), y, **options), **options)


# ------------------------------------------------------------------ from a trained network


def trained_network(hidden=(6,), n_classes=3, **options):
    network = MLPClassifier(hidden, solver="lbfgs", max_iter=15, random_state=0, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return network.fit(X, np.minimum(Y, n_classes - 1))


@pytest.mark.parametrize("recipe", ["default", "classic"])
@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_start_from_a_trained_network_predicts_as_it_does(recipe, activation, n_classes):
    network = trained_network(activation=activation, n_classes=n_classes)
    options = {"hidden_layer_sizes": (6,), "bias": True, "recipe": recipe, "start": network}
    result = evolve(X, network.predict(X), n_generations=0, random_state=0, **options)
    np.testing.assert_array_equal(result.predict(X), network.predict(X))
    np.testing.assert_allclose(result.predict_proba(X), network.predict_proba(X), atol=1e-5)
    assert (np.asarray(result.population) == flatten(result.weights)).all()


@pytest.mark.parametrize("recipe", ["default", "classic"])
def test_a_run_from_a_trained_network_is_never_worse_and_moves_away_from_it(recipe):
    network = trained_network()
    options = {"hidden_layer_sizes": (6,), "bias": True, "recipe": recipe, "fitness": "accuracy"}
    limits = {"target_fitness": None, "n_generations": 20, "random_state": 0}
    result = evolve(X, Y, start=network, **options, **limits)
    assert result.best_fitness >= network.score(X, Y)
    assert result.history["ranking"][-1] > result.history["ranking"][0]
    assert np.ptp(np.asarray(result.population), axis=0).any()
    same_again = evolve(X, Y, start=from_sklearn(network), **options, **limits)
    assert same(result, same_again)


def test_a_run_from_a_trained_network_goes_on_from_its_checkpoint(tmp_path):
    options = {"hidden_layer_sizes": (6,), "bias": True, "activation": "relu", "random_state": 0}
    options |= {"target_fitness": None}
    network, path = trained_network(), tmp_path / "run.npz"
    whole = evolve(X, Y, start=network, n_generations=5, **options)
    evolve(X, Y, start=network, n_generations=0, callbacks=[Checkpoint(path)], **options)
    assert same(whole, evolve(X, Y, start=path, n_generations=5, **options))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_layer_sizes": (7,)}, "a network 4-7-3 with biases, .* got 4-6-3 with biases"),
        ({"bias": False}, "a network 4-6-3, .* got 4-6-3 with biases"),
        ({"activation": "tanh"}, r"activations \('tanh', 'identity'\), .* got \('relu'"),
        (
            {"recipe": replace(RECIPES["default"], output_activation="sigmoid")},
            "of the outputs, got",
        ),
        ({"y": Y + 1}, r"for the classes \[1 2 3\], got \[0 1 2\]"),
        ({"task": "regression", "y": np.eye(3)[Y]}, "for the classes None, got"),
        ({"columns": np.full(4, True)}, "it has columns"),
    ],
)
def test_a_trained_network_that_would_predict_otherwise_is_refused(changes, message):
    options = {"hidden_layer_sizes": (6,), "bias": True, "n_generations": 0, "y": Y}
    model = from_sklearn(trained_network())
    ga_ann.evolve(X, start=model, **options)
    model = replace(model, columns=changes.pop("columns", None))
    with pytest.raises(ValueError, match=message):
        ga_ann.evolve(X, start=model, **{**options, **changes})
