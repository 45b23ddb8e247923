"""Naive training against the plain loop over single samples that it stands for."""

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_matrix

from ga_ann import baseline, validation
from ga_ann.baseline import train_naive
from ga_ann.network import init_weights, layer_shapes, predict

FUNCTIONS = {
    "relu": lambda z: z * (z > 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
}


def scores_of(x, weights, activation):
    """The scores of one sample: matrices alternate with biases where there are any."""
    n_matrices = sum(W.ndim == 2 for W in weights)
    a, seen = x, 0
    for k, W in enumerate(weights):
        if W.ndim == 1:
            continue
        seen += 1
        a = a @ W
        if k + 1 < len(weights) and weights[k + 1].ndim == 1:
            a = a + weights[k + 1]
        if seen < n_matrices:
            a = FUNCTIONS[activation](a)
    return a


def plain_loop(X, y, weights, activation, rate, n_iterations):
    """The tutorial's training, sample by sample and weight by weight: weights by iteration."""
    iterates = [weights]
    for _ in range(n_iterations):
        for x, label in zip(X, y, strict=True):
            if scores_of(x, weights, activation).argmax() != label:
                weights = [W - rate * W for W in weights]
        iterates.append(weights)
    return iterates


def some_data(seed, n_samples=30, n_features=5, n_classes=3):
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=n_samples - n_classes)])
    return rng.normal(size=(n_samples, n_features)), y


def some_weights(seed, sizes, bias=False):
    """Weights so large that sigmoid and tanh are far from linear, where shrinking matters."""
    rng = np.random.default_rng(seed)
    return [rng.normal(scale=2, size=shape) for shape in layer_shapes(sizes, bias=bias)]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([0.02, 0.001, 0.3]),
    hidden=st.sampled_from([[6, 4], [6], []]),
    n_samples=st.integers(30, 40),
    block_size=st.sampled_from([256, 7, 1]),
)
def test_equals_the_plain_loop(activation, bias, seed, rate, hidden, n_samples, block_size):
    X, y = some_data(seed, n_samples)
    initial = some_weights(seed, [X.shape[1], *hidden, 3], bias)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline, "BLOCK_SIZE", block_size)
        result = train_naive(
            X,
            y,
            activation=activation,
            learning_rate=rate,
            n_iterations=3,
            initial_weights=initial,
            recipe=None,
        )
    iterates = plain_loop(X, y, initial, activation, rate, 3)
    predictions = [
        np.array([scores_of(x, weights, activation).argmax() for x in X]) for weights in iterates
    ]
    np.testing.assert_array_equal(result.predict(X), predictions[-1])
    np.testing.assert_array_equal(
        result.history["best_fitness"], [(found == y).mean() for found in predictions]
    )
    for W, W_expected in zip(result.weights, iterates[-1], strict=True):
        np.testing.assert_allclose(W, W_expected, rtol=1e-11)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_shrinkage_changes_predictions_of_other_networks(activation, bias):
    # Without such cases the comparison with the plain loop would show little.
    X, y = some_data(3, n_samples=40)
    initial = some_weights(3, [5, 6, 3], bias)
    result = train_naive(
        X, y, activation=activation, learning_rate=0.02, initial_weights=initial, recipe=None
    )
    assert (result.predict(X) != predict(initial, X, activation=activation)).any()


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    activation=st.sampled_from(["relu", "identity"]),
    recipe=st.sampled_from(["tutorial", None]),
)
def test_relu_predictions_never_change(seed, activation, recipe):
    X, y = some_data(seed, n_samples=50)
    arguments = {"activation": activation, "recipe": recipe, "random_state": seed}
    before = train_naive(X, y, n_iterations=0, **arguments)
    after = train_naive(X, y, n_iterations=10, **arguments)
    np.testing.assert_array_equal(after.predict(X), before.predict(X))
    assert np.ptp(after.history["best_fitness"]) == 0
    assert after.stop_reason == "n_iterations"


def test_relu_samples_are_propagated_once(monkeypatch):
    X, y = some_data(0)
    counts = []
    original = baseline._shrunk_scores

    def count(layers, X, *rest):
        counts[-1] += len(X)
        return original(layers, X, *rest)

    monkeypatch.setattr(baseline, "_shrunk_scores", count)
    for n_iterations in (1, 20):
        counts.append(0)
        train_naive(X, y, n_iterations=n_iterations, random_state=0)
    assert counts[0] == counts[1] > 0


def test_scores_that_underflow_predict_the_first_class():
    X, _ = some_data(1, n_samples=100)
    y = np.repeat([0, 0, 0, 1, 2], 20)
    initial = some_weights(1, [5, 8, 3])
    result = train_naive(
        X, y, initial_weights=initial, learning_rate=0.9, n_iterations=4, recipe=None
    )
    expected = plain_loop(X, y, initial, "relu", 0.9, 4)[-1]
    np.testing.assert_array_equal(result.predict(X), 0)
    assert result.best_fitness == 0.6
    # In powers of ten, one an update; a few samples meet scores that have lost all precision.
    n_updates, n_expected = (-np.log10(np.ptp(W[0])) for W in (result.weights, expected))
    assert 160 < n_expected < 300
    assert abs(n_updates - n_expected) < 4


def test_tutorial_trains_on_scores_and_predicts_through_the_activation():
    X, y = np.ones((3, 1)), np.array(["pear", "pear", "fig"])
    initial = [np.array([[-2.0, -1.0]])]  # scores: fig -2, pear -1
    tutorial = train_naive(X, y, initial_weights=initial, n_iterations=1)
    other = train_naive(X, y, initial_weights=initial, n_iterations=1, recipe=None)
    for result in (tutorial, other):
        np.testing.assert_allclose(result.weights[0], initial[0] * 0.999)  # one is wrong: fig
    assert tutorial.predict(X[:1]).tolist() == ["fig"]  # both scores tie at 0
    assert other.predict(X[:1]).tolist() == ["pear"]
    assert (tutorial.best_fitness, other.best_fitness) == (1 / 3, 2 / 3)
    assert (tutorial.output_activation, other.output_activation) == ("relu", "identity")


def test_initial_weights_are_those_of_the_tutorial():
    X, y = some_data(0)
    result = train_naive(X, y, hidden_layer_sizes=(50, 40), n_iterations=0, random_state=7)
    expected = init_weights(
        np.random.default_rng(7), [5, 50, 40, 3], init="tutorial", dtype=np.float64
    )
    for W, W_expected in zip(result.weights, expected, strict=True):
        np.testing.assert_array_equal(W, W_expected)
        assert W.dtype == np.float64
    again = train_naive(
        X, y, hidden_layer_sizes=[50, 40], n_iterations=0, random_state=np.random.default_rng(7)
    )
    np.testing.assert_array_equal(again.weights[1], result.weights[1])
    assert again.history.settings["random_state"] is None
    single = train_naive(X, y, hidden_layer_sizes=6, n_iterations=0)
    assert [W.shape for W in single.weights] == [(5, 6), (6, 3)]


def test_history_measures_every_iteration():
    X, y = some_data(2)
    names = np.array(["lemon", "apple", "mango"])[y]
    X_val, y_val = some_data(5, n_samples=11)
    y_val = np.array(["lemon", "apple", "mango"])[y_val]
    result = train_naive(
        X, names, n_iterations=3, validation_data=(X_val, y_val), random_state=4, recipe=None
    )
    history = result.history
    np.testing.assert_array_equal(history["generation"], [0, 1, 2, 3])
    np.testing.assert_array_equal(history["evaluations"], [1, 2, 3, 4])
    np.testing.assert_array_equal(history["mean_fitness"], history["best_fitness"])
    np.testing.assert_array_equal(history["n_samples"], len(X))
    assert (np.diff(history["seconds"]) >= 0).all()
    assert history["seconds"][0] > 0
    assert (
        result.best_fitness == history.last["best_fitness"] == (result.predict(X) == names).mean()
    )
    assert history.last["validation_score"] == (result.predict(X_val) == y_val).mean()
    assert np.isnan(train_naive(X, y, n_iterations=1).history["validation_score"]).all()
    assert result.classes.tolist() == ["apple", "lemon", "mango"]
    assert (history.label, history.metric) == ("naive training", "accuracy")
    assert history.settings == {
        "hidden_layer_sizes": [150, 60],
        "activation": "relu",
        "output_activation": "identity",
        "learning_rate": 0.001,
        "n_iterations": 3,
        "recipe": None,
        "random_state": 4,
    }


def test_inputs_are_not_modified():
    X, y = some_data(0)
    initial = some_weights(0, [5, 4, 3])
    copies = [a.copy() for a in (X, y, *initial)]
    result = train_naive(X, y, initial_weights=initial, n_iterations=0)
    train_naive(X, y, initial_weights=initial)
    for array, copy in zip((X, y, *initial), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert not any(np.shares_memory(W, V) for W, V in zip(result.weights, initial, strict=True))


@pytest.mark.parametrize("kind", [csr_matrix, csc_array])
@pytest.mark.parametrize("limit", [0, 2**24])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_sparse_samples_are_trained_on_like_dense_ones(monkeypatch, kind, limit, activation):
    monkeypatch.setattr(validation, "DENSE_BYTES", limit)
    X, y = some_data(0, n_samples=300)
    X *= np.abs(X) > 0.7
    options = {"activation": activation, "learning_rate": 0.01, "recipe": None, "random_state": 0}
    result = train_naive(kind(X), y, validation_data=(kind(X[:99]), y[:99]), **options)
    expected = train_naive(X, y, validation_data=(X[:99], y[:99]), **options)
    for name in ("best_fitness", "validation_score", "n_samples"):
        np.testing.assert_array_equal(result.history[name], expected.history[name])
    for W, W_expected in zip(result.weights, expected.weights, strict=True):
        np.testing.assert_allclose(W, W_expected)


def interrupt_at(monkeypatch, n_calls):
    original = baseline._predict
    calls = iter(range(n_calls))

    def interrupted(*arguments):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(baseline, "_predict", interrupted)


def test_interrupt_keeps_the_last_whole_iteration(monkeypatch):
    X, y = some_data(0)
    expected = train_naive(X, y, n_iterations=2, random_state=0)
    interrupt_at(monkeypatch, 3)
    result = train_naive(X, y, n_iterations=10, random_state=0)
    assert result.stop_reason == "interrupted"
    assert len(result.history) == 3
    assert result.best_fitness == expected.best_fitness
    for W, W_expected in zip(result.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(W, W_expected)


def test_interrupt_in_a_pool_goes_through(monkeypatch):
    interrupt_at(monkeypatch, 3)
    one = joblib.delayed(train_naive)(*some_data(0), random_state=0)
    with pytest.raises(KeyboardInterrupt):
        joblib.Parallel(n_jobs=1)([one])


def test_interrupt_before_anything_is_measured_goes_through(monkeypatch):
    interrupt_at(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        train_naive(*some_data(0))


def test_verbose_shows_progress_and_accuracy(capsys):
    X, y = some_data(0)
    train_naive(X, y)
    assert capsys.readouterr().err == ""
    train_naive(X, y, verbose=True)
    shown = capsys.readouterr().err
    assert "naive training" in shown
    assert "10 of 10 iterations; accuracy 0." in shown


X_OK, Y_OK = some_data(0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": np.empty((0, 5)), "y": []}, "0 sample"),
        ({"X": X_OK[:-1]}, "inconsistent numbers of samples"),
        ({"X": X_OK[0]}, "Expected 2D array"),
        ({"X": np.where(X_OK > 2, np.nan, X_OK)}, "contains NaN"),
        ({"X": np.where(X_OK > 2, np.inf, X_OK)}, "infinity"),
        ({"y": np.ones(len(X_OK))}, r"at least 2 classes, got 1 class: \[1.0\]"),
        ({"y": X_OK[:, 0]}, "Unknown label type"),
        ({"activation": "rely"}, r"activation must be one of \['identity', .*'relu', .*'rely'"),
        ({"recipe": "tutoral"}, "recipe must be 'tutorial' or None, got 'tutoral'"),
        ({"learning_rate": 0.01}, "pass recipe=None to use learning_rate=0.01"),
        ({"learning_rate": 1.0, "recipe": None}, "between 0 and 1, got 1.0"),
        ({"learning_rate": 0.0, "recipe": None}, "between 0 and 1, got 0.0"),
        ({"learning_rate": float("nan"), "recipe": None}, "must be finite, got nan"),
        ({"n_iterations": -1}, "n_iterations must be >= 0, got -1"),
        ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes must be >= 1, got 0"),
        ({"initial_weights": [np.ones((5, 4)), np.ones((3, 3))]}, "must have 4 rows"),
        ({"initial_weights": [np.ones((4, 3))]}, "from 5 features to 3 classes"),
        ({"initial_weights": [np.ones((5, 4))]}, "from 5 features to 3 classes"),
        ({"initial_weights": [np.ones((2, 5, 3))]}, "must be one network"),
        ({"initial_weights": []}, "non-empty list"),
        ({"initial_weights": [np.full((5, 3), np.nan)]}, "initial_weights must be finite"),
        ({"validation_data": (X_OK[:, :4], Y_OK)}, "must have 5 features as X has, got 4"),
        ({"validation_data": (X_OK, Y_OK[1:])}, "inconsistent numbers of samples"),
        ({"validation_data": (X_OK,)}, r"a pair \(X, y\), got 1 items"),
    ],
)
def test_bad_input_is_refused(changes, message):
    arguments = {"X": X_OK, "y": Y_OK} | changes
    with pytest.raises(ValueError, match=message):
        train_naive(arguments.pop("X"), arguments.pop("y"), **arguments)


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": "0.1", "recipe": None},
        {"learning_rate": True, "recipe": None},
        {"n_iterations": 2.5},
        {"n_iterations": True},
        {"hidden_layer_sizes": 2.5},
        {"hidden_layer_sizes": True},
    ],
)
def test_numbers_of_the_wrong_type_are_refused(changes):
    with pytest.raises(TypeError, match=r"must be an? (number|integer), got"):
        train_naive(X_OK, Y_OK, **changes)


def test_the_tutorials_own_rate_may_be_spelled_out():
    assert train_naive(X_OK, Y_OK, learning_rate=0.001).history.settings["learning_rate"] == 0.001


# ---------------------------------------------------------------- custom activations


def test_an_activation_for_each_layer_and_functions_give_the_bits_of_their_names():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)), np.arange(60) % 3
    options = {"hidden_layer_sizes": (6, 4), "recipe": None, "random_state": 1}

    def mine(Z):
        return np.tanh(Z)

    expected = train_naive(X, y, activation="tanh", **options)
    for activation in (mine, ("tanh", mine), ["tanh", "tanh"]):
        result = train_naive(X, y, activation=activation, **options)
        for a, b in zip(result.weights, expected.weights, strict=True):
            assert a.tobytes() == b.tobytes()
        np.testing.assert_array_equal(result.predict(X), expected.predict(X))
    settings = train_naive(X, y, activation=("tanh", mine), **options).history.settings
    assert settings["activation"] == ("tanh", "custom:mine")
    as_tutorial = options | {"recipe": "tutorial"}
    tutorial = train_naive(X, y, activation=mine, **as_tutorial)
    assert tutorial.output_activation is mine
    expected = train_naive(X, y, activation="tanh", **as_tutorial)
    np.testing.assert_array_equal(tutorial.predict_scores(X), expected.predict_scores(X))


@pytest.mark.parametrize(
    ("activation", "recipe", "message"),
    [
        (
            ("tanh", "relu"),
            "tutorial",
            "needs a single one; pass recipe=None .*got .'tanh', 'relu'",
        ),
        (("tanh",), None, r"for each hidden layer \(2 here\)"),
        (lambda Z: Z - Z.mean(), None, "activation=<lambda> must be element-wise"),
        (("relu", lambda Z: Z > 0), None, "activation=<lambda> must return an array of floats"),
    ],
)
def test_activations_that_cannot_be_are_refused(activation, recipe, message):
    X, y = np.random.default_rng(0).normal(size=(9, 2)), np.arange(9) % 3
    with pytest.raises(ValueError, match=message):
        train_naive(X, y, hidden_layer_sizes=(4, 3), activation=activation, recipe=recipe)
