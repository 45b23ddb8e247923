import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

from ga_ann import Model, evolve
from ga_ann.doors import as_model, from_sklearn, to_sklearn

LABELS = {
    "text": np.array(["fig", "kiwi", "pear", "plum"]),
    "integers": np.array([-3, 0, 7, 8]),
    "booleans": np.array([False, True]),
}


def fitted(kind, seed, hidden, activation, y):
    X = np.random.default_rng(seed).normal(size=(30, 3))
    network = kind(hidden_layer_sizes=hidden, activation=activation, max_iter=3, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return network.fit(X, y), 5 * np.random.default_rng(seed + 1).normal(size=(50, 3))


NETWORKS = {
    "seed": st.integers(0, 99),
    "hidden": st.lists(st.integers(1, 6), max_size=3).map(tuple),
    "activation": st.sampled_from(["identity", "logistic", "tanh", "relu"]),
}


@settings(max_examples=25, deadline=None)
@given(**NETWORKS, labels=st.sampled_from(sorted(LABELS)), n_classes=st.integers(2, 4))
def test_a_classifier_predicts_the_same_there_and_back(seed, hidden, activation, labels, n_classes):
    classes = LABELS[labels][:n_classes]
    trained, X = fitted(MLPClassifier, seed, hidden, activation, np.resize(classes, 30))
    model = from_sklearn(trained)
    back = to_sklearn(model)
    assert len(model.classes) == model.weights[-1].size == len(classes)
    for one in (model, back):
        np.testing.assert_array_equal(one.predict(X), trained.predict(X))
        np.testing.assert_allclose(one.predict_proba(X), trained.predict_proba(X), atol=1e-6)
    for name in ("coefs_", "intercepts_"):
        for mine, theirs in zip(getattr(back, name), getattr(trained, name), strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("classes", [["pear", "fig"], ["pear", "fig", "kiwi"]])
def test_labels_need_not_be_sorted(classes):
    rng = np.random.default_rng(0)
    model = Model([rng.normal(size=(3, len(classes)))], "relu", "softmax", np.array(classes))
    X = rng.normal(size=(50, 3))
    there = to_sklearn(model)
    np.testing.assert_array_equal(there.predict(X), model.predict(X))
    order = np.argsort(classes)
    np.testing.assert_allclose(there.predict_proba(X), model.predict_proba(X)[:, order], atol=1e-9)


def test_of_two_outputs_of_single_precision_the_difference_is_exact():
    W = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    there = to_sklearn(Model([W], "relu", "softmax", np.array([0, 1])))
    exact = W[:, 1].astype(np.float64) - W[:, 0].astype(np.float64)
    np.testing.assert_array_equal(there.coefs_[0][:, 0], exact)


@settings(max_examples=15, deadline=None)
@given(**NETWORKS, n_targets=st.integers(1, 3))
def test_a_regressor_predicts_the_same_there_and_back(seed, hidden, activation, n_targets):
    y = np.random.default_rng(seed).normal(size=(30, n_targets))
    y = y[:, 0] if n_targets == 1 else y
    trained, X = fitted(MLPRegressor, seed, hidden, activation, y)
    model = from_sklearn(trained)
    for one in (model, to_sklearn(model)):
        np.testing.assert_allclose(one.predict(X), trained.predict(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_evolved_predicts_the_same_in_scikit_learn(bias, n_classes):
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = np.arange(60) % n_classes
    result = evolve(X, y, hidden_layer_sizes=(5, 4), bias=bias, n_generations=3, random_state=0)
    there = to_sklearn(result)
    np.testing.assert_array_equal(there.predict(X), result.predict(X))
    np.testing.assert_allclose(there.predict_proba(X), result.predict_proba(X), atol=1e-6)
    before = there.loss_
    there.set_params(warm_start=True, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert there.fit(X, y).loss_ < before


def test_names_of_columns_go_along():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 2)), columns=["size", "weight"])
    trained = to_sklearn(
        from_sklearn(MLPClassifier((3,)).partial_fit(X, [0, 1] * 10, classes=[0, 1]))
    )
    assert trained.feature_names_in_.tolist() == ["size", "weight"]
    with pytest.raises(ValueError, match="order"):
        from_sklearn(trained).predict(X[["weight", "size"]])


def test_nothing_is_shared():
    trained, X = fitted(MLPClassifier, 0, (3,), "relu", np.resize([0, 1, 2], 30))
    model = from_sklearn(trained)
    before = model.predict_scores(X)
    trained.coefs_[0][...] = trained.intercepts_[1][...] = 0
    np.testing.assert_array_equal(model.predict_scores(X), before)
    back = to_sklearn(model)
    back.coefs_[0][...] = 0
    np.testing.assert_array_equal(model.predict_scores(X), before)


def test_numpys_own_generator_is_left_alone():
    before = np.random.mtrand._rand.get_state(legacy=False)
    trained = to_sklearn(PLAIN)
    np.testing.assert_equal(np.random.mtrand._rand.get_state(legacy=False), before)
    assert trained.get_params() == MLPClassifier(hidden_layer_sizes=(2,)).get_params()


def test_a_network_that_a_run_starts_from_is_left_alone():
    trained, X = fitted(MLPClassifier, 0, (3,), "relu", np.resize([0, 1, 2], 30))
    model = from_sklearn(trained)
    options = {"hidden_layer_sizes": (3,), "bias": True, "random_state": 0}
    for start in (trained, model):
        before = [W.copy() for W in model.weights]
        for n_generations in (0, 3):
            y = model.predict(X)
            result = evolve(X, y, start=as_model(start), n_generations=n_generations, **options)
            for W in [*result.weights, *result.to_model().weights]:
                W[...] = 0
        for held, first in zip(as_model(start).weights, before, strict=True):
            np.testing.assert_array_equal(held, first)


def test_networks_that_there_are_none_of_here_are_refused():
    with pytest.raises(NotFittedError):
        from_sklearn(MLPClassifier())
    with pytest.raises(TypeError, match="last step"):
        from_sklearn(make_pipeline(MLPClassifier()))
    several, _ = fitted(MLPClassifier, 0, (3,), "relu", np.eye(3, dtype=int)[np.arange(30) % 3])
    with pytest.raises(ValueError, match="'logistic' for 3 outputs"):
        from_sklearn(several)
    counts = MLPRegressor(hidden_layer_sizes=(3,)).partial_fit(np.eye(2), [1, 2])
    counts.out_activation_ = "exp"  # as with loss="poisson", which scikit-learn 1.6 does not have
    with pytest.raises(ValueError, match="got out_activation_='exp'"):
        from_sklearn(counts)
    with pytest.raises(TypeError, match="the network must be"):
        as_model("model.npz")
    with pytest.raises(TypeError, match="the network must be"):
        as_model(Model)


PLAIN = Model([np.eye(2), np.eye(2)], "relu", "identity", np.array([0, 1]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "step"}, "one activation for all"),
        ({"activation": (np.sin,)}, "one activation for all"),
        ({"output_activation": "sigmoid"}, "no output_activation='sigmoid'"),
        ({"output_activation": "softmax", "classes": None}, "MLPRegressor has no"),
        ({"classes": np.array([1, 1])}, r"different classes, got \[1, 1\]"),
        ({"columns": np.array([True, True])}, "model has columns"),
        ({"extraction": {"bins": 2}}, "model has extraction"),
    ],
)
def test_networks_that_scikit_learn_does_not_have_are_refused(change, message):
    to_sklearn(PLAIN)
    with pytest.raises(ValueError, match=message):
        to_sklearn(replace(PLAIN, **change))


def test_activations_that_differ_from_layer_to_layer_are_refused():
    deep = Model([np.eye(2)] * 3, ("sigmoid", "logistic"), "identity", None)
    assert to_sklearn(deep).activation == "logistic"
    with pytest.raises(ValueError, match="one activation for all"):
        to_sklearn(replace(deep, activation=("tanh", "relu")))
