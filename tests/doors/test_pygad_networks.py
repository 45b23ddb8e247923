from dataclasses import replace

import numpy as np
import pygad.gann
import pygad.nn
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ga_ann import Model, evolve, load, save_model
from ga_ann.doors import from_pygad, pygad_softmax, to_pygad

NAMES = st.sampled_from(["relu", "sigmoid", "softmax", "None"])


def network(seed, hidden, activations, output):
    """Return a network out of a population, with weights that a search might have found."""
    rng = np.random.default_rng(seed)
    options = {"num_neurons_hidden_layers": hidden, "hidden_activations": activations}
    gann = pygad.gann.GANN(2, 3, 4, **options, output_activation=output)
    trained = [
        [rng.normal(size=W.shape) for W in pygad.nn.layers_weights(one)]
        for one in gann.population_networks
    ]
    gann.update_population_trained_weights(trained)
    return gann.population_networks[1], rng.normal(size=(40, 3))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999),
    layers=st.lists(st.tuples(st.integers(1, 5), NAMES), min_size=1, max_size=3),
    output=NAMES,
)
def test_networks_of_pygad_predict_the_same_here_and_back(seed, layers, output):
    hidden, activations = (list(part) for part in zip(*layers, strict=True))
    last, X = network(seed, hidden, activations, output)
    model = from_pygad(last)
    with np.errstate(over="ignore"):  # in PyGAD's sigmoid
        expected = pygad.nn.predict(last, X)
        again = pygad.nn.predict(to_pygad(model), X)
        outputs = pygad.nn.predict(last, X, problem_type="regression")
    np.testing.assert_array_equal(model.predict(X), expected)
    np.testing.assert_array_equal(again, expected)
    targets = from_pygad(last, task="regression").predict(X)
    np.testing.assert_allclose(targets, outputs, rtol=1e-6, atol=1e-9)
    back = pygad.nn.layers_weights(to_pygad(model), initial=False)
    for mine, theirs in zip(back, pygad.nn.layers_weights(last, initial=False), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_what_evolved_predicts_the_same_in_pygad():
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = np.arange(60) % 3
    result = evolve(X, y, hidden_layer_sizes=(5, 4), n_generations=3, random_state=0)
    np.testing.assert_array_equal(pygad.nn.predict(to_pygad(result), X), result.predict(X))
    with pytest.raises(ValueError, match="no biases"):
        to_pygad(evolve(X, y, hidden_layer_sizes=(5,), bias=True, n_generations=3, random_state=0))


def test_a_saved_one_names_its_softmax(tmp_path):
    last, X = network(0, [3], ["relu"], "softmax")
    path = tmp_path / "model.npz"
    save_model(path, from_pygad(last))
    with pytest.raises(ValueError, match="pygad_softmax"):
        load(path)
    loaded = load(path, activations={"pygad_softmax": pygad_softmax})
    np.testing.assert_array_equal(loaded.predict(X), pygad.nn.predict(last, X))


def test_nothing_is_shared():
    last, X = network(0, [3], ["relu"], "None")
    model = from_pygad(last)
    before = model.predict_scores(X)
    last.trained_weights[...] = 0
    to_pygad(model).trained_weights[...] = 0
    np.testing.assert_array_equal(model.predict_scores(X), before)


def test_numpys_own_generator_is_left_alone():
    before = np.random.mtrand._rand.get_state(legacy=False)
    to_pygad(PLAIN)
    np.testing.assert_equal(np.random.mtrand._rand.get_state(legacy=False), before)


def test_what_is_no_network_of_pygad_is_refused():
    last, _ = network(0, [3], ["relu"], "None")
    for wrong in (None, "model", pygad.nn.InputLayer(2), [last]):
        with pytest.raises(TypeError, match=r"population_networks\[0\]"):
            from_pygad(wrong)
    with pytest.raises(ValueError, match="task must be one of"):
        from_pygad(last, task="ranking")
    last.previous_layer.previous_layer = last
    with pytest.raises(TypeError, match="an InputLayer"):
        from_pygad(last)


PLAIN = Model([np.eye(2), np.eye(2)], "relu", "identity", np.array([0, 1]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "tanh"}, "got 'tanh'"),
        ({"activation": "softmax"}, "got 'softmax'"),
        ({"output_activation": "softmax", "classes": None}, "got 'softmax'"),
        ({"output_activation": np.sin}, "got <ufunc 'sin'>"),
        ({"columns": np.array([True, True])}, "model has columns"),
        ({"weights": [np.eye(2), np.array([0.0, 1.0]), np.eye(2)]}, "no biases"),
    ],
)
def test_networks_that_pygad_does_not_have_are_refused(change, message):
    to_pygad(PLAIN)
    to_pygad(replace(PLAIN, weights=[np.eye(2), np.zeros(2), np.eye(2)]))
    with pytest.raises(ValueError, match=message):
        to_pygad(replace(PLAIN, **change))
