"""The network against scikit-learn's, and populations against loops of single networks."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array, csc_array, csr_matrix
from scipy.stats import kstest, norm, uniform
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from ga_ann.network import (
    ACTIVATIONS,
    INITS,
    forward,
    init_scale,
    init_weights,
    layer_shapes,
    lookup,
    pair_layers,
    predict,
    to_predictions,
)

SKLEARN_NAMES = {name: name for name in ("relu", "logistic", "tanh", "identity")}
SKLEARN_NAMES["sigmoid"] = "logistic"


def rng_of(seed=0):
    return np.random.default_rng(seed)


def random_weights(rng, sizes, bias, n_solutions=None, dtype=np.float64):
    """Weights whose biases are not zero, unlike those of `init_weights`."""
    weights = init_weights(rng, sizes, n_solutions=n_solutions, bias=bias, dtype=dtype)
    for W in weights[1::2] if bias else []:
        W[...] = rng.standard_normal(W.shape)
    return weights


def sklearn_twin(estimator, weights, bias, X, y):
    """Give a network of scikit-learn our weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(X, y)
    matrices = weights[::2] if bias else weights
    estimator.coefs_ = matrices
    estimator.intercepts_ = weights[1::2] if bias else [np.zeros(W.shape[1]) for W in matrices]
    return estimator


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", sorted(SKLEARN_NAMES))
def test_forward_equals_sklearn(activation, bias):
    rng = rng_of(1)
    X = rng.normal(size=(40, 6))
    sizes = (6, 8, 5, 3)
    weights = random_weights(rng, sizes, bias)
    settings = {
        "hidden_layer_sizes": sizes[1:-1],
        "activation": SKLEARN_NAMES[activation],
        "max_iter": 1,
    }

    labels = np.arange(40) % 3
    classifier = sklearn_twin(MLPClassifier(**settings), weights, bias, X, labels)
    np.testing.assert_array_equal(predict(weights, X, activation=activation), classifier.predict(X))
    np.testing.assert_allclose(
        forward(weights, X, activation=activation, output_activation="softmax"),
        classifier.predict_proba(X),
    )

    several = np.eye(3, dtype=int)[labels]
    multilabel = sklearn_twin(MLPClassifier(**settings), weights, bias, X, several)
    np.testing.assert_allclose(
        forward(weights, X, activation=activation, output_activation="sigmoid"),
        multilabel.predict_proba(X),
    )

    regressor = sklearn_twin(MLPRegressor(**settings), weights, bias, X, rng.normal(size=(40, 3)))
    np.testing.assert_allclose(
        forward(weights, X, activation=activation), regressor.predict(X), atol=1e-12
    )


@pytest.mark.parametrize("kind", [csr_matrix, csc_array, coo_array])
@pytest.mark.parametrize("n_solutions", [None, 3])
@pytest.mark.parametrize("whole", [True, False])
def test_sparse_samples_are_propagated_like_dense_ones(kind, n_solutions, whole):
    rng = np.random.default_rng(0)
    X = rng.integers(-3, 4, (30, 6)) * (rng.random((30, 6)) < 0.3)
    X = X if whole else X / 7
    weights = init_weights(rng, [6, 5, 3], n_solutions=n_solutions, bias=True, dtype=np.float64)
    outputs = forward(weights, kind(X), activation="tanh")
    assert type(outputs) is np.ndarray
    np.testing.assert_allclose(outputs, forward(weights, X, activation="tanh"))
    with pytest.raises(ValueError, match=r"X must have shape \(n_samples, 6\), got \(30, 5\)"):
        forward(weights, kind(X[:, 1:]))


@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    n_solutions=st.integers(1, 5),
    n_samples=st.integers(0, 6),
    bias=st.booleans(),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    output_activation=st.sampled_from(sorted(ACTIVATIONS)),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_population_equals_a_loop_over_its_networks(
    seed, sizes, n_solutions, n_samples, bias, activation, output_activation, dtype
):
    rng = rng_of(seed)
    population = random_weights(rng, sizes, bias, n_solutions, dtype)
    X = rng.normal(size=(n_samples, sizes[0])).astype(dtype)
    functions = {"activation": activation, "output_activation": output_activation}
    before = [a.copy() for a in (X, *population)]

    outputs = forward(population, X, **functions)
    classes = predict(population, X, **functions)

    assert outputs.shape == (n_solutions, n_samples, sizes[-1])
    assert outputs.dtype == dtype
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == np.float32 else {"atol": 1e-12}
    for i in range(n_solutions):
        single = forward([W[i] for W in population], X, **functions)
        np.testing.assert_allclose(outputs[i], single, **tolerance)
    np.testing.assert_array_equal(classes, outputs.argmax(axis=-1))
    for array, copy in zip((X, *population), before, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert not np.shares_memory(outputs, array)


def test_the_first_of_equal_outputs_wins():
    weights = [np.array([[1.0, 2.0, 2.0], [-1.0, -2.0, -3.0]])]
    assert predict(weights, [[1.0, 0.0]]).tolist() == [1]
    negative = [[0.0, 1.0]]
    assert predict(weights, negative).tolist() == [0]
    assert predict([-weights[0]], negative, output_activation="relu").tolist() == [2]
    assert predict(weights, negative, output_activation="relu").tolist() == [0]


def test_lists_and_integers_are_propagated_as_floats():
    outputs = forward([[[1, 0], [0, 1]], [1, -1]], [[2, 3]], output_activation="sigmoid")
    assert outputs.dtype == np.float64
    np.testing.assert_allclose(outputs, 1 / (1 + np.exp([[-3.0, -2.0]])))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_inputs_are_safe(dtype):
    X = np.array([[1e4], [-1e4]], dtype=dtype)
    weights = [np.array([[1.0, -1.0]], dtype=dtype)]
    expected = [[1, 0], [0, 1]]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for name in ("sigmoid", "softmax"):
            outputs = forward(weights, X, output_activation=name)
            np.testing.assert_array_equal(outputs, expected)


def test_softmax_sums_to_one_and_keeps_the_order():
    X = rng_of(2).normal(scale=30, size=(50, 7))
    outputs = forward([np.eye(7)], X, output_activation="softmax")
    np.testing.assert_allclose(outputs.sum(axis=1), 1)
    np.testing.assert_array_equal(outputs.argmax(axis=1), X.argmax(axis=1))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([], "non-empty list"),
        ([(3,)], "non-empty list"),
        ([(2, 3), (4, 2)], r"weights\[1\] must have 3 rows, got shape \(4, 2\)"),
        ([(2, 3), (4,)], r"weights\[1\] must have a bias of 3, got shape \(4,\)"),
        ([(2, 3), (3,), (3,)], r"weights\[2\] must have a 2-D matrix or its bias"),
        ([(2, 3), ()], r"weights\[1\] must have a 2-D matrix or its bias"),
        ([(2, 3), (5, 3, 2)], r"weights\[1\] must have a 2-D matrix or its bias"),
        ([(5, 2, 3), (3,)], r"weights\[1\] must have a 3-D matrix or its bias"),
        ([(5, 2, 3), (6, 3, 2)], r"weights\[1\] must have 5 solutions"),
        ([(5, 2, 3), (6, 3)], r"weights\[1\] must have 5 solutions"),
        ([(5, 2, 3), (5, 4, 2)], r"weights\[1\] must have 3 rows"),
    ],
)
def test_shapes_that_do_not_chain_are_refused(shapes, message):
    weights = [np.ones(shape) for shape in shapes]
    with pytest.raises(ValueError, match=message):
        pair_layers(weights)
    with pytest.raises(ValueError, match=message):
        forward(weights, np.ones((1, 2)))


def test_pair_layers_groups_matrices_with_their_biases():
    weights = [np.ones((2, 3)), np.ones(3), np.ones((3, 1))]
    (W1, b1), (W2, b2) = pair_layers(weights)
    assert W1 is weights[0]
    assert b1 is weights[1]
    assert W2 is weights[2]
    assert b2 is None


@pytest.mark.parametrize("X", [np.ones((4, 3)), np.ones(2), np.ones((1, 4, 2))])
def test_samples_of_the_wrong_shape_are_refused(X):
    with pytest.raises(ValueError, match=r"X must have shape \(n_samples, 2\), got"):
        forward([np.ones((2, 2))], X)


@pytest.mark.parametrize("which", ["activation", "output_activation"])
@pytest.mark.parametrize("name", ["leap", None, ["relu"]])
def test_unknown_activations_list_the_valid_ones(which, name):
    with pytest.raises(
        ValueError, match=f"^{which} must be one of .*'relu', 'sigmoid', 'sign', 'soft"
    ):
        forward([np.ones((2, 2))], np.ones((1, 2)), **{which: name})


def test_lookup_names_what_was_looked_for():
    assert lookup({"a": 1}, "a", "thing") == 1
    with pytest.raises(ValueError, match=r"thing must be one of \['a', 'b'\], got 'c'\."):
        lookup({"b": 2, "a": 1}, "c", "thing")


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("n_solutions", [None, 4])
def test_initial_weights_have_the_shapes_of_the_layers(bias, n_solutions):
    sizes = [5, 4, 3, 2]
    weights = init_weights(rng_of(), sizes, n_solutions=n_solutions, bias=bias)
    front = () if n_solutions is None else (n_solutions,)
    assert [W.shape for W in weights] == [front + s for s in layer_shapes(sizes, bias=bias)]
    assert {W.dtype for W in weights} == {np.dtype(np.float32)}
    assert [b is not None for _, b in pair_layers(weights)] == [bias] * 3
    for _, b in pair_layers(weights):
        assert b is None or not b.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", sorted(INITS))
def test_initial_weights_follow_their_distribution(init, dtype):
    (W,) = init_weights(rng_of(3), [200, 100], n_solutions=10, init=init, dtype=dtype)
    expected = {"he": norm(0, 0.1), "tutorial": uniform(-0.1, 0.2)}  # He: sqrt(2 / 200) = 0.1
    assert kstest(W.ravel(), expected[init].cdf).statistic < 0.005
    assert abs(W.mean()) < 1e-3
    assert W.std() == pytest.approx(init_scale(init, 200), rel=0.01)
    if init == "tutorial":
        assert W.min() >= dtype(-0.1)
        assert W.max() < dtype(0.1)
    assert len(np.unique(W)) > 0.9 * W.size  # no layer or solution repeats another


def test_the_same_seed_gives_the_same_bits():
    first, second, other = (
        np.concatenate([W.ravel() for W in init_weights(rng_of(seed), [6, 5, 4], bias=True)])
        for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_the_global_generator_is_untouched():
    before = np.random.get_state()  # noqa: NPY002
    for init in INITS:
        forward(init_weights(rng_of(), [3, 2], init=init), np.ones((1, 3)))
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]


@pytest.mark.parametrize("sizes", [[], [3], [3, 0], [3, -1, 2], [3, 2.0], ["3", 2]])
def test_sizes_that_are_no_layers_are_refused(sizes):
    with pytest.raises(ValueError, match="at least two positive integers"):
        layer_shapes(sizes)
    with pytest.raises(ValueError, match="at least two positive integers"):
        init_weights(rng_of(), sizes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"init": "xavier"}, r"init must be one of \['he', 'tutorial'\], got 'xavier'"),
        ({"dtype": np.float16}, "dtype must be float32 or float64, got float16"),
        ({"dtype": int}, "dtype must be float32 or float64, got int64"),
        ({"n_solutions": 0}, "n_solutions must be at least 1, got 0"),
    ],
)
def test_bad_arguments_of_init_weights_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        init_weights(rng_of(), [3, 2], **arguments)


def test_unknown_init_has_no_scale():
    with pytest.raises(ValueError, match="init must be one of"):
        init_scale("xavier", 3)


def test_step_and_sign_are_piecewise_constant():
    Z = np.array([[-2.0, -0.0, 0.0, 1e-30, 3.0]])
    for name, expected in (("step", [0, 0, 0, 1, 1]), ("sign", [-1, 0, 0, 1, 1])):
        A = Z.copy()
        ACTIVATIONS[name](A)
        assert A.tolist() == [expected]


def test_predictions_are_labels_of_the_largest_output_or_the_targets():
    rng = rng_of()
    X, weights = rng.normal(size=(30, 4)), random_weights(rng, [4, 6, 3], bias=True)
    outputs = forward(weights, X)
    classes = np.array(["fig", "kiwi", "pear"])
    expected = [classes[k] for k in predict(weights, X)]
    assert to_predictions(outputs, classes).tolist() == expected
    assert to_predictions(np.zeros((2, 3)), classes).tolist() == ["fig", "fig"]
    np.testing.assert_array_equal(to_predictions(outputs, None), outputs)
    np.testing.assert_array_equal(to_predictions(outputs[:, :1], None), outputs[:, 0])


# ---------------------------------------------------------------- an activation for each layer

PLAIN = {
    "relu": lambda z: max(z, 0.0),
    "tanh": math.tanh,
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "step": lambda z: float(z > 0),
    "sign": lambda z: float(z > 0) - float(z < 0),
    np.arctan: math.atan,
}


@given(seed=st.integers(0, 2**32), bias=st.booleans(), data=st.data())
def test_every_layer_has_its_own_activation(seed, bias, data):
    """Against a loop over single numbers."""
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    names = [data.draw(st.sampled_from(list(PLAIN))) for _ in sizes[1:]]
    rng = rng_of(seed)
    weights = random_weights(rng, sizes, bias)
    x = rng.normal(size=sizes[0])
    expected = x.tolist()
    for name, (W, b) in zip(names, pair_layers(weights), strict=True):
        sums = [sum(a * w for a, w in zip(expected, column, strict=True)) for column in W.T]
        offsets = [0.0] * len(sums) if b is None else b
        expected = [PLAIN[name](z + o) for z, o in zip(sums, offsets, strict=True)]
    *hidden, last = names
    for given_as in (tuple, list):
        outputs = forward(weights, [x], activation=given_as(hidden), output_activation=last)
        np.testing.assert_allclose(outputs[0], expected, atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_one_activation_is_the_same_one_for_each_layer_and_its_own_function(name):
    rng = rng_of()
    weights, X = random_weights(rng, [4, 5, 3, 2], True), rng.normal(size=(20, 4))
    expected = forward(weights, X, activation=name, output_activation=name)
    for one in (name, ACTIVATIONS[name]):
        for given_as in (one, (one, one), [one, name]):
            outputs = forward(weights, X, activation=given_as, output_activation=one)
            assert outputs.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        (("relu",), r"for each hidden layer \(2 here\), got \('relu',\)"),
        (("relu",) * 3, "for each hidden layer"),
        ((), "for each hidden layer"),
        (("relu", "wit"), "activation must be one of .*got \\('relu', 'wit'\\)"),
        (("relu", ("relu",)), "activation must be one of"),
        ({"relu": 1}, "activation must be one of"),
        ("custom:swish", "activation was the function 'swish', and its name does not bring it"),
        (("relu", "custom:swish"), "activation was the function 'swish'"),
    ],
)
def test_activations_that_do_not_fit_the_layers_are_refused(activation, message):
    weights = [np.eye(2)] * 3
    with pytest.raises(ValueError, match=message):
        forward(weights, np.ones((1, 2)), activation=activation)


def test_a_network_without_hidden_layers_takes_none():
    assert forward([np.eye(2)], [[1.0, 2.0]], activation=()).tolist() == [[1.0, 2.0]]
