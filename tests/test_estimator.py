"""The estimators as a scikit-learn user meets them."""

import inspect
import pickle
import re
from dataclasses import fields, replace
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csc_matrix, csr_array, csr_matrix
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_wine, make_classification, make_regression
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, get_scorer, log_loss, mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils import compute_sample_weight, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import ga_ann
from ga_ann import forward, reshape, validation
from ga_ann.callbacks import EarlyStopping
from ga_ann.estimator import SHARED, GeneticMLPClassifier, GeneticMLPRegressor
from ga_ann.evolution import RECIPES, Recipe
from ga_ann.evolution.breeding import next_mean
from ga_ann.fitness import neg_cost
from ga_ann.operators import rank_order
from tests.runs import evolve

X, Y = load_wine(return_X_y=True)
X = scale(X)


@parametrize_with_checks(
    [GeneticMLPClassifier((20,), n_generations=100), GeneticMLPRegressor(n_generations=150)]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def classifier(**options):
    return GeneticMLPClassifier(
        **{"hidden_layer_sizes": (8,), "n_generations": 100, "random_state": 0, **options}
    )


def regressor(**options):
    return GeneticMLPRegressor(
        **{"hidden_layer_sizes": (16,), "n_generations": 300, "random_state": 0, **options}
    )


# ------------------------------------------------------------------------------- the parameters


def parameters(function):
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize("kind", [GeneticMLPClassifier, GeneticMLPRegressor])
def test_every_field_of_a_recipe_is_a_parameter_that_is_the_recipes_by_default(kind):
    given = kind().get_params()
    for name in (field.name for field in fields(Recipe)):
        assert given[name] is None
    assert kind()._chosen_recipe() == Recipe()


@pytest.mark.parametrize("kind", [GeneticMLPClassifier, GeneticMLPRegressor])
def test_the_lists_of_parameters_are_one_list(kind):
    names = parameters(kind)
    assert sorted(names) == sorted(kind().get_params())
    own = {"ranking", "validation_fraction", "warm_start", "start_from", "checkpoint"}
    own.add("class_weight")
    of_evolve = set(parameters(ga_ann.evolve))
    assert set(SHARED) <= of_evolve & set(names)
    assert set(names) - own - of_evolve == {field.name for field in fields(Recipe)} - {
        "activation",
        "ranking",
    }
    # What `evolve` has under the same name is handed on: as it is, or after a change.
    changed = {"activation", "recipe", "callbacks", "n_jobs", "random_state"}
    assert set(SHARED) == (of_evolve & set(names)) - changed


def test_a_classifier_is_a_regressor_with_class_weights():
    extra = set(parameters(GeneticMLPClassifier)) - set(parameters(GeneticMLPRegressor))
    assert extra == {"class_weight"}
    of_classifier, of_regressor = GeneticMLPClassifier(), GeneticMLPRegressor()
    assert of_classifier.get_params() == of_regressor.get_params() | {"class_weight": None}


@pytest.mark.parametrize("kind", [GeneticMLPClassifier, GeneticMLPRegressor])
def test_the_documentation_names_every_parameter(kind):
    told = inspect.getdoc(kind).split("Parameters\n---")[1].split("Attributes\n---")[0]
    heads = re.sub(r",\s*\n", ", ", told)
    named = {
        name.strip()
        for line in heads.splitlines()
        if not line.startswith(" ")
        for name in line.split(" : ")[0].split(",")
    }
    assert set(parameters(kind)) <= named
    assert {name for name in named if name.isidentifier()} == set(parameters(kind))


def test_what_is_given_wins_over_the_recipe():
    network = classifier(recipe="classic", sigma=0.25, activation="tanh", n_generations=2)
    fitted = network.fit(X, Y)._result.recipe
    changes = {"sigma": 0.25, "activation": "tanh"}
    # What only the mean crossover uses is by the problem.
    assert fitted == replace(RECIPES["classic"], recombination=fitted.recombination, **changes)
    again = classifier(recipe=fitted, n_generations=2).fit(X, Y)
    assert again._result.recipe == fitted
    np.testing.assert_array_equal(again.weights_[0], network.weights_[0])
    plain = evolve(X, Y, recipe=fitted, hidden_layer_sizes=(8,), bias=True, n_generations=2)
    assert plain.recipe == fitted


# ------------------------------------------------------------------------------------ fitting


def test_a_fit_is_an_evolution():
    fitted = classifier().fit(X, Y)
    result = evolve(
        X,
        Y,
        hidden_layer_sizes=(8,),
        bias=True,
        n_generations=100,
        n_iter_no_change=100,
        target_fitness=None,
        random_state=np.random.RandomState(0).randint(2**31),
    )
    for mine, plain in zip(fitted.weights_, result.weights, strict=True):
        np.testing.assert_array_equal(mine, plain)
    assert fitted.best_fitness_ == result.best_fitness == fitted.score(X, Y)
    assert fitted.n_iter_ == fitted.ga_.generations_completed == len(fitted.history_) - 1
    assert np.isnan(fitted.validation_score_)
    assert fitted.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert np.exp(fitted.predict_log_proba(X)) == pytest.approx(fitted.predict_proba(X))


def test_string_labels_and_two_classes():
    names = np.array(["barolo", "grignolino", "barbera"])[Y]
    assert classifier().fit(X, names).score(X, names) > 0.97
    two = names != "barbera"
    fitted = classifier().fit(X[two], names[two])
    assert fitted.classes_.tolist() == ["barolo", "grignolino"]
    assert fitted.predict_proba(X).shape == (len(X), 2)


def test_the_fitness_is_what_was_asked_for():
    samples, labels = make_classification(
        400, n_features=8, n_informative=4, weights=[0.93], flip_y=0.02, random_state=1
    )
    asked = classifier(fitness="f1").fit(samples, labels)
    assert asked.best_fitness_ == pytest.approx(f1_score(labels, asked.predict(samples)))
    cost = np.array([[0, 1], [50, 0]])
    careful = classifier(fitness=neg_cost(cost)).fit(samples, labels)
    missed = np.count_nonzero((labels == 1) & (careful.predict(samples) == 0))
    assert missed <= np.count_nonzero((labels == 1) & (asked.predict(samples) == 0))


def test_class_weights_are_sample_weights():
    weights = {0: 1.0, 1: 5.0, 2: 0.5}
    by_class = classifier(class_weight=weights).fit(X, Y)
    by_sample = classifier().fit(X, Y, sample_weight=[weights[label] for label in Y])
    np.testing.assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))


def test_early_stopping_holds_out_a_part():
    fitted = classifier(early_stopping=True, n_iter_no_change=30, n_generations=1000).fit(X, Y)
    assert 0.5 < fitted.validation_score_ <= 1
    assert fitted.n_iter_ < 1000
    with pytest.raises(ValueError, match="validation_fraction must be < 1"):
        classifier(early_stopping=True, validation_fraction=1.0).fit(X, Y)


def test_callbacks_and_a_generator_as_random_state():
    fitted = classifier(
        callbacks=[EarlyStopping(1, column="generation", tol=0)],
        random_state=np.random.default_rng(0),
    ).fit(X, Y)
    assert fitted.n_iter_ == 100


# -------------------------------------------------------------------------------- continuing


def test_warm_start_continues_the_same_evolution():
    network = classifier(warm_start=True, n_generations=20)
    first = network.fit(X, Y).best_fitness_
    assert network.n_iter_ == 20
    network.fit(X, Y)
    assert network.n_iter_ == 40
    assert network.best_fitness_ >= first
    with pytest.raises(ValueError, match="warm_start continues with the classes"):
        network.fit(X[Y > 0], Y[Y > 0])


def test_a_fit_from_a_trained_network_begins_with_what_it_predicts():
    X, y = load_wine(return_X_y=True)
    X = scale(X)
    trained = MLPClassifier((8,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y)
    network = GeneticMLPClassifier((8,), start_from=trained, n_generations=0, random_state=0)
    assert clone(network).start_from is trained
    for one in (network, clone(network)):
        np.testing.assert_array_equal(one.fit(X, y).predict(X), trained.predict(X))
        np.testing.assert_allclose(one.predict_proba(X), trained.predict_proba(X), atol=1e-5)
    other = clone(network).set_params(start_from=network, recipe="classic").fit(X, y)
    np.testing.assert_allclose(other.predict_proba(X), trained.predict_proba(X), atol=1e-5)
    with pytest.raises(ValueError, match="activations \\('relu', 'identity'\\)"):
        network.set_params(activation="relu").fit(X, y)
    with pytest.raises(NotFittedError):
        network.set_params(start_from=MLPClassifier()).fit(X, y)


def test_a_regression_from_a_trained_network_begins_with_what_it_predicts():
    X, y = make_regression(100, 4, random_state=0)
    trained = MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", random_state=0).fit(X, y)
    network = GeneticMLPRegressor((8,), start_from=trained, n_generations=0, random_state=0)
    np.testing.assert_allclose(network.fit(X, y).predict(X), trained.predict(X), rtol=1e-4)


def test_partial_fit_is_a_generation_and_may_lack_classes():
    network = classifier()
    for k in range(60):
        part = np.flatnonzero(k % 3 != Y)
        network.partial_fit(X[part], Y[part], classes=[0, 1, 2] if k == 0 else None)
    assert network.n_iter_ == 60
    assert network.score(X, Y) > 0.8
    with pytest.raises(ValueError, match="as in the first call"):
        network.partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match="classes must be passed"):
        classifier().partial_fit(X, Y)


def test_a_pickled_estimator_predicts_and_continues():
    network = classifier(warm_start=True, n_generations=20).fit(X, Y)
    copy = pickle.loads(pickle.dumps(network))
    assert copy.ga_ is None
    np.testing.assert_array_equal(copy.predict_proba(X), network.predict_proba(X))
    np.testing.assert_array_equal(
        copy.fit(X, Y).predict_proba(X), network.fit(X, Y).predict_proba(X)
    )


# --------------------------------------------------------------------- scikit-learn's company


def test_pipeline_and_grid_search():
    pipeline = make_pipeline(StandardScaler(), classifier(n_generations=40))
    search = GridSearchCV(pipeline, {"geneticmlpclassifier__sigma": [0.05, 0.2]}, cv=2)
    assert search.fit(X, Y).best_score_ > 0.9


def test_cross_validation_and_clone():
    assert cross_val_score(classifier(), X, Y, cv=3).mean() > 0.9
    assert clone(classifier(sigma=0.3)).get_params()["sigma"] == 0.3


def test_voting_calibration_and_importance():
    voting = VotingClassifier(
        [("ga", classifier()), ("logistic", LogisticRegression())], voting="soft"
    )
    assert voting.fit(X, Y).score(X, Y) > 0.97
    assert CalibratedClassifierCV(classifier(), cv=2).fit(X, Y).score(X, Y) > 0.9
    importance = permutation_importance(classifier().fit(X, Y), X, Y, n_repeats=2, random_state=0)
    assert importance.importances_mean.max() > 0.02


def test_feature_names_and_html():
    iris = load_iris(as_frame=True)
    fitted = classifier().fit(iris.data, iris.target)
    assert fitted.feature_names_in_.tolist() == iris.data.columns.tolist()
    assert "GeneticMLPClassifier" in fitted._repr_html_()


# -------------------------------------------------------------------------------- regression


@pytest.mark.parametrize("n_targets", [1, 3])
def test_regression_in_any_units(n_targets):
    samples, targets = make_regression(300, 5, n_targets=n_targets, noise=1, random_state=0)
    for unit, zero in ((1, 0), (1e6, 1e7), (1e-6, 0)):
        y = targets * unit + zero
        fitted = regressor().fit(samples, y)
        assert fitted.predict(samples).shape == y.shape
        assert fitted.score(samples, y) > 0.9


def test_regression_by_another_score():
    samples, targets = make_regression(300, 5, random_state=0)
    fitted = regressor(fitness="neg_mean_absolute_error").fit(samples, targets)
    error = mean_absolute_error(targets, fitted.predict(samples))
    assert -fitted.best_fitness_ == pytest.approx(error, rel=1e-4)


def test_regression_continues():
    samples, targets = make_regression(300, 5, random_state=0)
    network = regressor()
    for _ in range(30):
        network.partial_fit(samples, targets)
    early = network.score(samples, targets)
    network.set_params(warm_start=True).fit(samples, targets)
    assert network.n_iter_ > 30
    assert network.score(samples, targets) > early


def test_a_regressor_of_several_targets_in_company():
    samples, targets = make_regression(120, 5, n_targets=2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), regressor(n_generations=60))
    assert cross_val_score(pipeline, samples, targets, cv=2).min() > 0
    search = GridSearchCV(pipeline, {"geneticmlpregressor__sigma": [0.1, 0.3]}, cv=2)
    assert search.fit(samples, targets).predict(samples).shape == (120, 2)
    fitted = pipeline.fit(samples, targets)
    importance = permutation_importance(fitted, samples, targets, n_repeats=2, random_state=0)
    assert importance.importances_mean.shape == (5,)


# ------------------------------------------------------------------------------- what was fitted


@pytest.mark.parametrize("make", [classifier, regressor])
def test_every_attribute_of_a_fitted_estimator_is_there(make):
    network = make(n_generations=5)
    names = ["weights_", "history_", "best_fitness_", "validation_score_", "n_iter_", "ga_"]
    names += ["n_features_in_"] + ["classes_"] * (make is classifier)
    assert not any(hasattr(network, name) for name in names)
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        network.predict(X)
    network.fit(X, Y)
    assert all(hasattr(network, name) for name in names)
    assert not hasattr(network, "feature_names_in_")
    assert type(network).__name__ in network._repr_html_()
    assert network.weights_[0].shape[0] == network.n_features_in_ == 13
    for name in names:  # each of them is told in the class's documentation
        assert name in type(network).__doc__


@pytest.mark.parametrize("make", [classifier, regressor])
def test_features_of_other_names_or_another_number_are_refused(make):
    frame = pd.DataFrame(X).add_prefix("feature ")
    fitted = make(n_generations=5).fit(frame, Y)
    assert fitted.feature_names_in_.tolist() == frame.columns.tolist()
    fitted.predict(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame.rename(columns={"feature 0": "colour"}))
    with pytest.raises(ValueError, match=r"X has 12 features, but .* is expecting 13"):
        make(n_generations=2).fit(X, Y).predict(X[:, 1:])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        fitted.predict(X)


def test_a_set_of_weights_and_its_probabilities():
    fitted = classifier(weight_set="ternary", n_generations=150).fit(X, Y)
    assert set(np.unique(np.concatenate([W.ravel() for W in fitted.weights_]))) <= {-1, 0, 1}
    assert fitted.score(X, Y) > 0.9
    assert fitted.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert clone(fitted).fit(X, Y).score(X, Y) == fitted.score(X, Y)
    continued = fitted.set_params(warm_start=True).fit(X, Y)
    assert set(np.unique(np.concatenate([W.ravel() for W in continued.weights_]))) <= {-1, 0, 1}
    with pytest.raises(ValueError, match="crossover='mean' makes weights that are not in"):
        classifier(weight_set="binary", crossover="mean").fit(X, Y)
    targets = scale(X[:, 0])
    restricted = regressor(weight_set=[-0.1, 0.1, 0.4]).fit(X, targets)
    assert restricted.score(X, targets) > 0.2


# --------------------------------------------------------------------------------------- weights


def lopsided(n=300):
    return make_classification(
        n, n_features=6, n_informative=3, weights=[0.9], flip_y=0.05, random_state=3
    )


def test_balanced_class_weights_are_those_of_scikit_learn_and_multiply():
    samples, labels = lopsided()
    balanced = compute_sample_weight("balanced", labels)
    own = np.random.default_rng(0).uniform(0.5, 2, len(labels))
    for weight in (None, own):
        by_class = classifier(class_weight="balanced", n_generations=20)
        by_class.fit(samples, labels, sample_weight=weight)
        by_sample = classifier(n_generations=20)
        by_sample.fit(samples, labels, sample_weight=balanced * (1 if weight is None else weight))
        np.testing.assert_array_equal(
            by_class.predict_proba(samples), by_sample.predict_proba(samples)
        )
    plain = classifier(n_generations=20).fit(samples, labels)
    assert (plain.predict_proba(samples) != by_class.predict_proba(samples)).any()


def test_a_batch_may_lack_a_class_that_has_a_weight():
    network = classifier(class_weight={0: 5.0})
    for k in range(6):
        part = np.flatnonzero(k % 3 != Y)
        network.partial_fit(X[part], Y[part], classes=[0, 1, 2])
    assert network.n_iter_ == 6


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(178), "at least one non-zero|not zeros alone"),
        (-np.ones(178), "no negative number|Negative values"),
        (np.ones(3), r"expected \(178,\)"),
        (np.full(178, np.nan), "NaN"),
    ],
    ids=["zeros", "negative", "length", "NaN"],
)
def test_bad_sample_weights_are_refused(make, weight, message):
    for fit in (make().fit, make().partial_fit):
        options = {"classes": [0, 1, 2]} if fit.__name__ == "partial_fit" else {}
        if make is regressor:
            options = {}
        with pytest.raises(ValueError, match=message):
            fit(X, Y, sample_weight=weight, **options)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: 1, 9: 2}, r"classes, \[1, 2\], are not in class_weight"),
        ({0: -1, 1: 1, 2: 1}, "no negative number"),
        ("balence", "'balanced'"),
        ([1, 2, 3], "'balanced'"),
    ],
    ids=str,
)
def test_bad_class_weights_are_refused(class_weight, message):
    with pytest.raises(ValueError, match=message):
        classifier(class_weight=class_weight).fit(X, Y)


class Recorder(GeneticMLPClassifier):
    """Keeps the weights that reached it, for all instances."""

    seen: ClassVar[list] = []

    def fit(self, X, y, sample_weight=None):
        Recorder.seen.append(sample_weight)
        return super().fit(X, y, sample_weight=sample_weight)


@pytest.mark.parametrize("company", ["pipeline", "search"])
def test_metadata_routing_brings_the_weights(company):
    weight = np.random.default_rng(0).uniform(1, 2, len(Y))
    Recorder.seen.clear()
    with config_context(enable_metadata_routing=True):
        network = Recorder((4,), n_generations=5, random_state=0)
        network.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), network)
        if company == "search":
            # Before 1.8, scikit-learn routes nothing to a pipeline's own score in a search.
            scoring = get_scorer("accuracy").set_score_request(sample_weight=True)
            grid = {"recorder__sigma": [0.1, 0.3]}
            pipeline = GridSearchCV(pipeline, grid, cv=2, scoring=scoring)
        pipeline.fit(X, Y, sample_weight=weight).score(X, Y, sample_weight=weight)
    np.testing.assert_array_equal(Recorder.seen[-1], weight)
    assert len(Recorder.seen) == (5 if company == "search" else 1)
    for part in Recorder.seen:
        assert set(part) <= set(weight)
    direct = GeneticMLPClassifier((4,), n_generations=5, random_state=0)
    direct.fit(StandardScaler().fit_transform(X), Y, sample_weight=weight)
    if company == "pipeline":
        np.testing.assert_array_equal(pipeline[-1].weights_[0], direct.weights_[0])


# ------------------------------------------------------------------------------- the held-out part


@pytest.mark.parametrize("rare", [1, 2, 3])
def test_early_stopping_on_a_rare_class_works_or_says_what_to_do(rare):
    labels = np.array(["common", "usual", "rare"])[np.minimum(Y, 1)]
    labels[:rare] = "rare"
    network = classifier(early_stopping=True, n_generations=30)
    if rare == 1:
        with pytest.raises(ValueError, match=r"1 of \['rare'\]. Add samples.*early_stopping=False"):
            network.fit(X, labels)
        return
    # Whether the rare class is in the part held out, in the part trained on, or in both.
    for fraction in (0.05, 0.5, 0.95):
        fitted = network.set_params(validation_fraction=fraction).fit(X, labels)
        assert fitted.classes_.tolist() == ["common", "rare", "usual"]
        assert fitted.predict_proba(X).shape == (len(X), 3)
        assert 0 <= fitted.validation_score_ <= 1


@pytest.mark.parametrize(
    ("make", "n_samples", "fraction", "held_out", "least"),
    [
        (classifier, 178, 1e-3, 1, 3),
        (classifier, 178, 0.011, 2, 3),
        (classifier, 178, 0.999, 178, 3),
        (regressor, 178, 1e-9, 1, 2),
        (regressor, 5, 0.1, 1, 2),
        (regressor, 5, 0.9, 5, 2),
    ],
)
def test_parts_that_are_too_small_to_be_told_are_refused(
    make, n_samples, fraction, held_out, least
):
    rows = np.linspace(0, 177, n_samples).astype(int)
    network = make(early_stopping=True, validation_fraction=fraction)
    message = (
        f"holds out {held_out} of {n_samples} samples, but early_stopping needs {least} or more.*"
        "Change validation_fraction"
    )
    with pytest.raises(ValueError, match=message):
        network.fit(X[rows], Y[rows])


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_generator_draws_the_part_that_is_held_out(make):
    def fit():
        generator = np.random.default_rng(4)
        return make(early_stopping=True, n_generations=5, random_state=generator).fit(X, Y)

    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = fit(), fit()
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    np.testing.assert_array_equal(first.weights_[0], second.weights_[0])
    assert first.validation_score_ == second.validation_score_


# ------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("fails", ["by NaN", "by an exception"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_metric_that_fails_for_some_is_counted_and_warned_of_once(make, fails, early_stopping):
    def moody(y_true, y_pred):
        if y_pred[0] < np.median(y_pred):
            if fails == "by NaN":
                return np.nan
            raise ArithmeticError("a bad day")
        return -np.mean((y_true - y_pred) ** 2)

    # Strong mutation: the first networks are to give different answers.
    network = make(fitness=moody, early_stopping=early_stopping, n_generations=30, sigma=3.0)
    with pytest.warns(RuntimeWarning, match="moody is NaN for solutions") as caught:
        network.fit(X, Y)
    assert len(caught) == 1
    assert network.history_["n_invalid"].sum() > 0
    assert np.isfinite(network.validation_score_ if early_stopping else network.best_fitness_)
    kept = network.ga_.last_generation_fitness > -np.inf
    assert np.isfinite(network.ga_.ranking[kept]).all()
    assert np.isnan(network.ga_.ranking[~kept]).all() or not kept.any()


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_metric_that_fails_for_all_is_refused_with_its_reason(make):
    def never(y_true, y_pred):
        raise ArithmeticError("never")

    network = make(fitness=never, n_generations=30)
    with (
        pytest.warns(RuntimeWarning, match="ArithmeticError: never") as caught,
        pytest.raises(ValueError, match=r"finite for no solution.*: ArithmeticError: never"),
    ):
        network.fit(X, Y)
    assert len(caught) == 1
    assert not hasattr(network, "classes_")


def test_a_cost_matrix_of_the_wrong_shape_is_refused_before_any_generation():
    generations = []
    network = classifier(
        fitness=neg_cost([[0, 1], [5, 0]]), callbacks=[lambda ga, history: generations.append(ga)]
    )
    message = r"a row and a column for each of the 3 classes, got shape \(2, 2\)"
    with pytest.raises(ValueError, match=message):
        network.fit(X, Y)
    assert not generations
    with pytest.raises(ValueError, match="cost_matrix must be square"):
        neg_cost([[0, 1, 2], [5, 0, 1]])


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("kind", [csr_matrix, csr_array, csc_matrix, coo_array])
@pytest.mark.parametrize("limit", [0, 2**24])
def test_sparse_samples_are_learned_from_like_dense_ones(monkeypatch, make, kind, limit):
    monkeypatch.setattr(validation, "DENSE_BYTES", limit)
    dense = np.where(X > 0.3, X, 0)
    options = {"n_generations": 20, "early_stopping": True, "dtype": "float64"}
    of_sparse = make(**options).fit(kind(dense), Y)
    of_dense = make(**options).fit(dense, Y)
    for _ in range(2):
        of_sparse.partial_fit(kind(dense), Y)
        of_dense.partial_fit(dense, Y)
    assert of_sparse.score(kind(dense), Y) == pytest.approx(of_dense.score(dense, Y))
    assert of_sparse.validation_score_ == pytest.approx(of_dense.validation_score_)
    for name in ["predict"] + ["predict_proba", "predict_log_proba"] * (make is classifier):
        answers = getattr(of_sparse, name)(kind(dense))
        np.testing.assert_allclose(answers, getattr(of_dense, name)(dense))
        assert type(answers) is np.ndarray
    assert get_tags(of_sparse).input_tags.sparse
    with pytest.raises(ValueError, match=r"X has 12 features, but .* is expecting 13"):
        of_sparse.predict(kind(dense[:, 1:]))
    hole = dense.copy()
    hole[3, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        of_sparse.predict(kind(hole))
    with pytest.raises(ValueError, match="NaN"):
        make().fit(kind(hole), Y)


SEVERAL = np.column_stack([Y == 0, Y == 1]) * 1
WRAPPER = r"sklearn\.multioutput\.MultiOutputClassifier"


@pytest.mark.parametrize(
    ("several", "got"),
    [
        (SEVERAL, r"an array of shape \(178, 2\)"),
        (SEVERAL.tolist(), r"an array of shape \(178, 2\)"),
        (pd.DataFrame(SEVERAL), r"an array of shape \(178, 2\)"),
        (csr_matrix(SEVERAL), r"an array of shape \(178, 2\)"),
        (SEVERAL.astype(str), r"an array of shape \(178, 2\)"),
        ([["sweet"], ["sweet", "red"]] * 89, "a list of labels.*MultiLabelBinarizer"),
        (pd.Series([{"sweet"}, {"sweet", "red"}] * 89), "a list of labels.*MultiLabelBinarizer"),
    ],
    ids=["array", "list", "frame", "sparse", "text", "lists", "sets"],
)
def test_several_labels_a_sample_are_refused_with_what_learns_them(several, got):
    network = classifier(n_generations=2)
    fits = (
        network.fit,
        lambda *data: network.partial_fit(*data, classes=[0, 1]),
        ga_ann.evolve,
        lambda *data: ga_ann.evolve(X, Y, validation_data=data),
        ga_ann.train_naive,
    )
    for fit in fits:
        with pytest.raises(ValueError, match=f"^y must hold one label.*{got}.*{WRAPPER}"):
            fit(X, several)


def test_the_wrapper_that_is_named_learns_them():
    fitted = MultiOutputClassifier(classifier(n_generations=60)).fit(csr_matrix(X), SEVERAL)
    assert (fitted.predict(csr_matrix(X)) == SEVERAL).mean() > 0.95


@pytest.mark.parametrize("column", [Y[:, None], pd.DataFrame(Y)], ids=["array", "frame"])
def test_a_column_of_labels_is_taken_with_scikit_learns_warning(column):
    plain = classifier(n_generations=2).fit(X, Y).predict_proba(X)
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        fitted = classifier(n_generations=2).fit(X, column)
    assert (fitted.predict_proba(X) == plain).all()
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        evolve(X, column, n_generations=1)


def test_labels_that_are_floats_must_be_whole():
    fitted = classifier(n_generations=40).fit(X, Y + 1.0)
    assert fitted.classes_.tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(
        fitted.predict(X), classifier(n_generations=40).fit(X, Y).predict(X) + 1
    )
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier().fit(X, Y + 0.5)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier().partial_fit(X, Y + 0.5, classes=[0.5, 1.5, 2.5])


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("constant", [0.0, -7.5])
def test_constant_features_are_no_obstacle(make, constant):
    some = np.column_stack([np.full(len(X), constant), X])
    assert make().fit(some, Y).score(some, Y) > 0.8
    every = np.full_like(X, constant)
    fitted = make().fit(every, Y)
    assert len(np.unique(fitted.predict(every))) == 1
    best = np.bincount(Y).max() / len(Y) if make is classifier else 0.0
    assert fitted.score(every, Y) == pytest.approx(best, abs=1e-3)


def test_constant_targets_are_no_obstacle():
    fitted = regressor().fit(X, np.full(len(X), 500.0))
    assert fitted.predict(X) == pytest.approx(500, abs=10)


def test_fewer_samples_than_classes():
    few = np.array([0, 70, 150])
    assert classifier().fit(X[few], Y[few]).score(X[few], Y[few]) == 1
    network = classifier().partial_fit(X[:2], Y[:2], classes=range(10))
    assert network.predict_proba(X).shape == (len(X), 10)
    with pytest.raises(ValueError, match="1 class"):
        classifier().fit(X[:5], Y[:5])


@pytest.mark.parametrize("fitness", ["balanced_accuracy", "f1_macro", "roc_auc"])
def test_batches_that_lack_a_class_can_be_learned_from(fitness):
    fitted = classifier(fitness=fitness, batch_size=2).fit(X, Y)
    assert (fitted.history_["n_invalid"] == 0).all()
    assert fitted.best_fitness_ > 0.8


# ------------------------------------------------------------ a fit that fails, and strange scales


def test_a_refused_fit_leaves_the_estimator_as_it_was():
    model = GeneticMLPClassifier((5,), n_generations=5, random_state=0, warm_start=True).fit(X, Y)
    before = model.predict(X)
    for refused in ((X, Y + 5), (X[:100], Y[:100]), (X[:, :2], Y), (X[:0], Y[:0])):
        with pytest.raises(ValueError):  # noqa: PT011
            model.fit(*refused)
        assert (model.predict(X) == before).all()
        assert model.classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="sigma"):
        model.set_params(sigma=-1, warm_start=False).fit(X[:, :2], Y + 5)
    assert (model.predict(X) == before).all()


@pytest.mark.parametrize("columns", [1, 2])
def test_a_constant_target_is_answered_exactly(columns):
    targets = np.full((len(X), columns), 5.0)
    targets[:, 1:] = X[:, :1]
    model = GeneticMLPRegressor((5,), n_generations=20, random_state=0).fit(X, targets.squeeze())
    answers = model.predict(X).reshape(len(X), -1)
    np.testing.assert_allclose(answers[:, 0], 5, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-300, 1e-25, 1e19, 1e300])
def test_targets_that_the_precision_cannot_hold_are_refused(factor):
    with pytest.raises(ValueError, match="standardise it"):
        GeneticMLPRegressor((5,)).fit(X, factor * X[:, 0])


def test_targets_that_vanish_beside_their_mean_are_refused():
    with pytest.raises(ValueError, match="vanishing beside its mean"):
        GeneticMLPRegressor((5,)).fit(X, 1e9 + X[:, 0])


def test_samples_too_small_for_the_precision_are_refused():
    with pytest.raises(ValueError, match="scale it"):
        GeneticMLPClassifier((5,)).fit(1e-40 * X, Y)


def test_adaptive_mutation_has_rates_of_its_own():
    options = {"n_generations": 3, "random_state": 0, "mutation": "adaptive"}
    assert GeneticMLPClassifier((5,), **options).fit(X, Y).n_iter_ == 3


def test_weights_count_in_the_held_out_score_too():
    weight = np.where(Y == 1, 0.0, 1.0)
    options = {"early_stopping": True, "validation_fraction": 0.3, "n_generations": 60}
    model = GeneticMLPClassifier((5,), random_state=0, **options)
    weighted = clone(model).fit(X, Y, sample_weight=weight)
    by_class = clone(model).set_params(class_weight={0: 1, 1: 0, 2: 1}).fit(X, Y)
    assert weighted.validation_score_ == by_class.validation_score_ == 1.0
    assert weighted.score(X[Y != 1], Y[Y != 1]) > 0.95


@pytest.mark.parametrize(
    ("name", "value"), [("n_jobs", "auto"), ("n_jobs", 1.5), ("callbacks", EarlyStopping(3))]
)
def test_what_evolve_would_not_be_given_is_refused_by_its_name(name, value):
    with pytest.raises(TypeError, match=f"^{name} must be"):
        GeneticMLPClassifier((3,), n_generations=1).set_params(**{name: value}).fit(X, Y)


@pytest.mark.parametrize(
    ("n_jobs", "alone", "in_a_pool"), [(None, 1, 1), (1, 1, 1), (3, 3, 3), (-1, 6, 1), (-2, 5, 1)]
)
def test_a_fit_in_a_pool_takes_its_share_of_the_threads(monkeypatch, n_jobs, alone, in_a_pool):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 6)
    monkeypatch.setattr("joblib._parallel_backends.cpu_count", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    taken = []

    class Asking(GeneticMLPClassifier):
        def fit(self, X, y):
            taken.append(self._count_jobs())
            self.classes_ = np.unique(y)
            return self

        def score(self, X, y):
            return 0.0

    model = Asking(n_jobs=n_jobs)
    model.fit(X, Y)
    GridSearchCV(model, {"sigma": [0.1]}, n_jobs=1, cv=2).fit(X, Y)
    assert taken == [alone] * 4
    taken.clear()
    with joblib.parallel_config("threading"):
        GridSearchCV(model, {"sigma": [0.1]}, n_jobs=2, cv=2, refit=False).fit(X, Y)
    assert taken == [in_a_pool] * 2


# ------------------------------------------------------------------------------- taking it away

NAMES = np.array(["barolo", "grignolino", "barbera"])[Y]
TARGETS = X[:, :2] @ [[1.0, 2.0], [3.0, 4.0]] + np.sin(X[:, 2:4])

FITTED = {
    "text labels": lambda: classifier(n_generations=20).fit(X, NAMES),
    "objects as labels": lambda: classifier(n_generations=20).fit(X, NAMES.astype(object)),
    "a set of weights": lambda: classifier(n_generations=20, weight_set="ternary").fit(X, Y),
    "a softmax": lambda: classifier(n_generations=20, output_activation="softmax").fit(X, Y),
    "no hidden layer": lambda: classifier(n_generations=20, hidden_layer_sizes=()).fit(X, Y),
    "single precision": lambda: classifier(n_generations=20).fit(X.astype(np.float32), Y),
    "an interrupted search": lambda: pickle.loads(pickle.dumps(FITTED["text labels"]())),
    "one target": lambda: regressor(n_generations=20).fit(X, TARGETS[:, 0]),
    "several targets": lambda: regressor(n_generations=20).fit(X, TARGETS),
}


@pytest.mark.parametrize("fit", FITTED.values(), ids=FITTED)
def test_what_is_loaded_predicts_bit_for_bit_what_the_saved_estimator_does(fit, tmp_path):
    fitted = fit()
    fitted.save(tmp_path / "a.npz")
    ga_ann.save_model(tmp_path / "b.npz", fitted)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = ga_ann.load(tmp_path / "a.npz")
    names = ["predict"] + ["predict_proba"] * hasattr(fitted, "predict_proba")
    for samples in (X, X.astype(np.float32), np.rint(9 * X).astype(int)):
        for name in names:
            mine, saved = getattr(fitted, name)(samples), getattr(loaded, name)(samples)
            assert mine.shape == saved.shape
            assert mine.tolist() == saved.tolist()
    saved = ga_ann.load_history(tmp_path / "a.npz")
    np.testing.assert_array_equal(saved["best_fitness"], fitted.history_["best_fitness"])


@pytest.mark.parametrize("network", [classifier(), regressor()])
def test_what_is_not_fitted_is_not_saved(network, tmp_path):
    for save in (network.save, lambda path: ga_ann.save_model(path, network)):
        with pytest.raises(NotFittedError):
            save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match="nowhere"):
        FITTED["one target"]().save(tmp_path / "nowhere" / "m.npz")


def test_probabilities_of_a_softmax_are_its_outputs():
    fitted = FITTED["a softmax"]()
    np.testing.assert_allclose(
        fitted.predict_proba(X), fitted._result.predict_scores(X), rtol=1e-5, atol=1e-12
    )
    np.testing.assert_allclose(np.exp(fitted.predict_log_proba(X)), fitted.predict_proba(X))
    far = fitted.predict_log_proba(1e4 * X)
    assert np.isfinite(far).all()
    assert (np.exp(far) == 0).any()


# --------------------------------------------------------------------------- scikit-learn's names


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "identity"])
@pytest.mark.parametrize("hidden_layer_sizes", [(8,), (7, 5)])
def test_scikit_learns_network_with_these_attributes_predicts_the_same(
    activation, hidden_layer_sizes
):
    shared = {"activation": activation, "hidden_layer_sizes": hidden_layer_sizes}
    for network, twin, y in (
        (classifier(), MLPClassifier(max_iter=1), NAMES),
        (regressor(), MLPRegressor(max_iter=1), TARGETS),
    ):
        network.set_params(n_generations=20, **shared).fit(X, y)
        twin.set_params(**shared).fit(X, y)
        assert network.n_layers_ == twin.n_layers_
        assert network.n_outputs_ == twin.n_outputs_
        twin.coefs_, twin.intercepts_ = network.coefs_, network.intercepts_
        if y is NAMES:
            np.testing.assert_allclose(network.predict_proba(X), twin.predict_proba(X), rtol=1e-6)
            assert network.out_activation_ == "identity"
        else:
            assert network.out_activation_ == twin.out_activation_
        predicted = network.predict(X)
        if y is NAMES:
            assert (predicted == twin.predict(X)).all()
        else:
            np.testing.assert_allclose(predicted, twin.predict(X), rtol=1e-6, atol=1e-6)


def test_an_activation_has_two_names():
    one = classifier(activation="logistic", n_generations=20).fit(X, Y)
    other = classifier(activation="sigmoid", n_generations=20).fit(X, Y)
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_two_classes_have_two_outputs():
    fitted = classifier(n_generations=2).fit(X, Y == 1)
    assert fitted.n_outputs_ == fitted.predict_proba(X).shape[1] == 2


def test_the_loss_is_that_of_the_best_ranked_network_at_each_check():
    losses = []

    def look(ga, history):
        if len(history) % 10 == 1:  # the tenth generation, and every tenth after it
            scores = {}
            networks = [ga.population[k] for k in range(len(ga.population))]
            shapes, recipe = ga.state.shapes, ga._run.problem.recipe
            parents = rank_order(ga.ranking)[: recipe.n_parents]
            mean = next_mean(ga.population, ga.state.mean, recipe, parents)
            for k, genes in enumerate([*networks, mean]):
                scores[k] = log_loss(Y, softmax(forward(reshape(genes, shapes), X), axis=1))
            losses.append(min([*losses, *scores.values()]))

    fitted = classifier(n_generations=35, callbacks=[look], batch_size="full").fit(X, Y)
    assert len(fitted.loss_curve_) == fitted.n_iter_ == 35
    np.testing.assert_allclose(fitted.loss_curve_[9::10], losses[1:], rtol=1e-4)
    assert (np.diff(fitted.loss_curve_) <= 0).all()
    assert type(fitted.loss_curve_[0]) is float


def test_the_loss_of_what_is_ranked_by_its_fitness_is_minus_the_fitness():
    network = regressor(n_generations=30, ranking="fitness").fit(X, TARGETS)
    at_checks = np.array(network.loss_curve_)[9::10]
    # The best solution may be one of a generation between two checks.
    assert (at_checks >= -network.history_["best_fitness"][10::10]).all()
    np.testing.assert_array_equal(at_checks, -network.history_["ranking"][10::10])
    assert -network.loss_curve_[-1] <= r2_score(TARGETS, network.predict(X)) + 1e-6
    assert classifier(n_generations=0).fit(X, Y).loss_curve_ == []


def test_scores_on_the_held_out_part_are_there_with_early_stopping_alone():
    fitted = classifier(n_generations=20, early_stopping=True).fit(X, Y)
    assert len(fitted.validation_scores_) == fitted.n_iter_ == 20
    assert fitted.validation_scores_[-1] == fitted.validation_score_
    assert classifier(n_generations=20).fit(X, Y).validation_scores_ is None


@pytest.mark.parametrize("kind", [GeneticMLPClassifier, GeneticMLPRegressor])
def test_the_documentation_names_every_fitted_attribute(kind):
    told = inspect.getdoc(kind).split("Attributes\n---")[1].split("Examples\n---")[0]
    fitted = {name for name in dir(kind) if name.endswith("_") and not name.startswith("_")}
    assert {name for name in fitted if not re.search(rf"\b{name}\b", told)} == set()
    for name in fitted:
        with pytest.raises(AttributeError):
            getattr(kind(), name)


def test_a_fit_that_continues_the_last_one_replaces_its_checkpoint(tmp_path):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "run.npz"
    network = GeneticMLPClassifier(
        (5,), n_generations=4, checkpoint=path, warm_start=True, random_state=0
    )
    first = network.fit(X, y).history_
    before = path.read_bytes()
    assert len(network.fit(X, y).history_) > len(first)
    assert path.read_bytes() != before
    assert [left.name for left in tmp_path.iterdir()] == ["run.npz"]


def test_a_fit_that_continues_the_last_one_leaves_the_checkpoints_of_others_alone(tmp_path):
    X, y = load_iris(return_X_y=True)
    options = {"n_generations": 4, "random_state": 0}
    GeneticMLPClassifier((5,), checkpoint=tmp_path / "other.npz", **options).fit(X, y)
    before = (tmp_path / "other.npz").read_bytes()
    network = GeneticMLPClassifier((5,), warm_start=True, **options).fit(X, y)
    with pytest.raises(ValueError, match=r"other\.npz is the checkpoint of another run"):
        network.set_params(checkpoint=tmp_path / "other.npz").fit(X, y)
    assert (tmp_path / "other.npz").read_bytes() == before
    network.set_params(checkpoint=tmp_path / "own.npz").fit(X, y)
    network.fit(X, y)
