import warnings

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from ga_ann import Recipe, evolve
from ga_ann.comparison.methods import (
    GA_PATIENCE,
    METHODS,
    REGRESSION_METHODS,
    Job,
    Method,
    ga_method,
    resolve_methods,
)
from ga_ann.fitness import FITNESS, REGRESSION_FITNESS


def test_naive_training_ends_where_random_weights_begin(full):
    keys = [key for key in full.predictions if key[0] == "naive"]
    assert keys
    for _, split, seed in keys:
        np.testing.assert_array_equal(
            full.predictions["naive", split, seed], full.predictions["random", split, seed]
        )


def test_adam_is_scikit_learns(full, data):
    X, y, _ = data
    split = full.splits["holdout", 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier((6,), random_state=full.settings["seeds"][1])
        scale = X[split.train].std()
        model.fit(X[split.train] / scale, y[split.train])
    np.testing.assert_array_equal(
        model.predict(X[split.test] / scale), full.predictions["adam", "holdout", 1]
    )


def test_adam_gives_the_logarithms_of_its_probabilities(data):
    X, y, _ = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = (
            METHODS["adam"]
            .train(Job(X, y, 3, (6,), None, 0, FITNESS["accuracy"]))
            .predict_scores(X * 1e6)
        )  # so far outside that probabilities are 0
    assert np.isfinite(outputs).all()
    np.testing.assert_allclose(np.exp(outputs).sum(axis=1), 1)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_and_answers_for_every_class(data, name):
    X, y, _ = data
    lacks_one = y < 2
    job = Job(X[lacks_one], y[lacks_one], 3, (6,), 0.05, 0, FITNESS["accuracy"])
    trained = METHODS[name].train(job)
    assert trained.predict_scores(X).shape == (len(X), 3)
    assert set(trained.predict(X)) <= {0, 1}
    assert len(trained.history)


@pytest.mark.parametrize(
    ("recipe", "patience"),
    [("default", 5), ("classic", None), (Recipe(sigma=0.1, population_size=8), 5)],
)
def test_a_ga_method_is_evolve_with_its_recipe(data, recipe, patience):
    X, y, _ = data
    y = np.minimum(y, 1)  # which every recipe learns to the last sample
    method = ga_method(recipe, "mine", max_time=60.0, patience=patience)
    assert (method.label, method.max_time) == ("mine", 60.0)
    trained = method.train(Job(X, y, 2, (4,), None, 7, FITNESS["accuracy"]))
    end = {} if patience is None else {"target_fitness": None, "n_iter_no_change": patience}
    result = evolve(X, y, hidden_layer_sizes=(4,), recipe=recipe, random_state=7, **end)
    np.testing.assert_array_equal(trained.predict_scores(X), result.predict_scores(X))
    assert trained.stop_reason == result.stop_reason


@pytest.mark.parametrize(
    ("method", "recipe"), [("ga", "default"), ("classic", "classic"), ("tutorial-ga", "tutorial")]
)
def test_the_gas_follow_the_recipes_of_their_names(data, method, recipe):
    X, y, _ = data
    job = Job(X, y, 3, (4,), 0.05, 0, FITNESS["accuracy"])
    settings = METHODS[method].train(job).history.settings
    assert Recipe.from_dict(settings) == Recipe.from_dict(
        evolve(
            X,
            y,
            hidden_layer_sizes=(4,),
            recipe=recipe,
            n_generations=0,
            target_fitness=settings["target_fitness"],
        ).history.settings
    )


def test_a_recipe_is_trained_like_the_default_ga(data):
    X, y, _ = data
    job = Job(X, y, 3, (4,), 60.0, 0, FITNESS["accuracy"])
    resolved = resolve_methods({"mine": Recipe(), "ga": "ga", "other": Recipe(sigma=0.1)})
    mine, ga, other = (method.train(job) for method in resolved.values())
    np.testing.assert_array_equal(mine.predict_scores(X), ga.predict_scores(X))
    assert mine.stop_reason == ga.stop_reason
    assert f"no ranking improvement in {GA_PATIENCE} generations" in ga.stop_reason
    assert ga.history.settings["sigma"] == mine.history.settings["sigma"] != 0.1
    assert other.history.settings["sigma"] == 0.1
    assert [method.label for method in resolved.values()] == ["mine", "default GA", "other"]


def test_labels_of_ones_own_stand_for_methods():
    own = Method("as it was called", METHODS["naive"].train, 3.0)
    resolved = resolve_methods({"ga": "ga", "gradients": "adam", "mine": own})
    assert list(resolved) == ["ga", "gradients", "mine"]
    assert resolved["ga"] == METHODS["ga"]
    assert resolved["gradients"] == METHODS["adam"]._replace(label="gradients")
    assert resolved["mine"] == own._replace(label="mine")
    assert resolve_methods(None) == resolve_methods(METHODS.keys()) == METHODS


@pytest.mark.parametrize(
    ("methods", "error", "message"),
    [
        ({}, ValueError, "at least one"),
        (["naive", "naive"], ValueError, "each once"),
        ({"ga": "ga", "default GA": "adam"}, ValueError, "each once"),
        ({"mine": "sgd"}, ValueError, r"must be one of \['adam', .*'sgd'"),
        ({"mine": 5}, ValueError, "got 5"),
        ({5: "ga"}, TypeError, "their labels, strings; got 5"),
        ({"": "ga"}, TypeError, "got ''"),
        ({"\x1b[31mred": "ga"}, ValueError, r"printable labels, got '\\x1b"),
        ({"two\nlines": "ga"}, ValueError, r"printable labels, got 'two\\n"),
        ("naive", TypeError, "got the string 'naive'"),
    ],
)
def test_methods_that_are_none(methods, error, message):
    with pytest.raises(error, match=message):
        resolve_methods(methods)


# ---------------------------------------------------------------- of a regression


def regression(data, **options):
    """A regression whose targets are far from 0 and widely spread."""
    X, _, _ = data
    y = 1000 + 100 * X[:, 0] * X[:, 2]
    known = {"max_time": 0.2, "random_state": 0, "fitness": REGRESSION_FITNESS["r2"], "bias": True}
    return Job(X, y, None, (6,), **known | options)


@pytest.mark.parametrize("name", REGRESSION_METHODS)
def test_every_method_of_a_regression_answers_with_numbers(data, name):
    job = regression(data)
    trained = REGRESSION_METHODS[name].train(job)
    assert trained.predict(job.X).shape == (len(job.X),)
    np.testing.assert_array_equal(trained.predict_scores(job.X)[:, 0], trained.predict(job.X))
    last = trained.history.last
    assert trained.history.metric == "r2"
    residuals = trained.predict(job.X) - job.y
    assert last["best_fitness"] == pytest.approx(1 - residuals.var() / job.y.var(), abs=0.1)
    assert last["best_fitness"] > (0.5 if name in ("classic", "ga", "adam") else -2)


def test_the_baseline_of_a_regression_is_the_mean(data):
    job = regression(data)
    trained = REGRESSION_METHODS["mean"].train(job)
    np.testing.assert_allclose(trained.predict(job.X[:5]), job.y.mean())
    assert trained.history.last["best_fitness"] == pytest.approx(0, abs=1e-12)


def test_random_weights_are_what_the_ga_begins_with(data):
    job = regression(data)
    trained = REGRESSION_METHODS["random"].train(job)
    options = {"task": "regression", "bias": True, "hidden_layer_sizes": (6,), "random_state": 0}
    begun = evolve(job.X, job.y, n_generations=0, **options)
    mean = np.asarray(begun.population.mean)
    weights = [part.ravel() for part in _layers(trained)]
    np.testing.assert_array_equal(np.concatenate(weights), mean)
    other = REGRESSION_METHODS["random"].train(job._replace(random_state=1))
    assert not np.array_equal(other.predict(job.X), trained.predict(job.X))


def _layers(trained):
    return trained.predict.__self__.weights


def test_adam_of_a_regression_is_scikit_learns_on_standardised_targets(data):
    job = regression(data)
    mean, std, scale = job.y.mean(), job.y.std(), job.X.std()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPRegressor(hidden_layer_sizes=(6,), random_state=0)
        model.fit(job.X / scale, (job.y - mean) / std)
    expected = mean + std * model.predict(job.X / scale)
    trained = REGRESSION_METHODS["adam"].train(job)
    np.testing.assert_allclose(trained.predict(job.X), expected)
    assert trained.history.last["evaluations"] == model.n_iter_


def test_a_ga_of_a_regression_is_evolve_by_the_fitness(data):
    job = regression(data, fitness=REGRESSION_FITNESS["neg_mean_absolute_error"], max_time=None)
    trained = ga_method(Recipe(sigma=0.1), "mine", patience=5).train(job)
    result = evolve(
        job.X,
        job.y,
        task="regression",
        bias=True,
        hidden_layer_sizes=(6,),
        recipe=Recipe(sigma=0.1),
        fitness="neg_mean_absolute_error",
        target_fitness=None,
        n_generations=5000,
        n_iter_no_change=5,
        random_state=0,
    )
    np.testing.assert_array_equal(trained.predict(job.X), result.predict(job.X))


@pytest.mark.parametrize("name", ["naive", "tutorial-ga"])
def test_what_knows_no_regression_is_refused_with_what_to_use(name):
    for methods in ([name], {"mine": name}):
        with pytest.raises(ValueError, match=r"\['adam', .*'random'\].*'mean' is its simplest"):
            resolve_methods(methods, "regression")
    assert resolve_methods({name: "mean"}, "regression")[name].train is (
        REGRESSION_METHODS["mean"].train
    )
    assert resolve_methods(None, "regression") == REGRESSION_METHODS
