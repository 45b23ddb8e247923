"""The estimators as a scikit-learn user meets them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_wine, make_classification, make_regression
from sklearn.ensemble import VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, mean_absolute_error
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from ga_ann.callbacks import EarlyStopping
from ga_ann.estimator import GeneticMLPClassifier, GeneticMLPRegressor
from ga_ann.evolution import evolve
from ga_ann.fitness import neg_cost

X, Y = load_wine(return_X_y=True)
X = scale(X)


@parametrize_with_checks(
    [GeneticMLPClassifier(n_generations=300), GeneticMLPRegressor(n_generations=600)]
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
    with pytest.raises(ValueError, match="should be greater or equal to the number of classes"):
        classifier(early_stopping=True, validation_fraction=0.01).fit(X, Y)


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
