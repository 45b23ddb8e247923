"""Custom parts: what the test calls let through, and the look-alikes that they refuse."""

import itertools
from functools import partial

import numpy as np
import pytest
from scipy.special import softmax

from ga_ann.network import ACTIVATIONS
from ga_ann.parts import (
    check_activation,
    check_mark,
    check_operator,
    cross,
    in_place,
    marked,
    mutate,
    name_of,
    select,
)

SHAPES = ((3, 2), (2,))
FITNESS = np.array([0.5, 0.1, np.nan, 0.5, 0.9])
ROWS = np.arange(32, dtype=np.float32).reshape(4, 8)


# ---------------------------------------------------------------- activations


def swish(Z):
    Z /= 1 + np.exp(-Z)
    return Z


def rescaled(Z, *, axis):
    return Z / (1 + np.abs(Z).sum(axis=axis, keepdims=True))


@pytest.mark.parametrize(
    "function",
    [
        np.sin,
        np.sqrt,  # NaN for half of the sample, and no warning
        swish,
        rescaled,
        softmax,
        lambda Z: Z,
        lambda Z: Z[::-1][::-1],
        lambda Z: Z * np.float64(0.5),  # of double precision, which is rounded
        lambda Z: (Z > 0).astype(Z.dtype),
        partial(np.clip, a_min=-1, a_max=1),
    ],
)
def test_activations_of_single_neurons_or_whole_layers_are_let_through(function):
    check_activation(function)


COUNT = itertools.count()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda Z: None, "must return an array of floats of the shape of .*got None"),
        (lambda Z: Z.tolist(), "must return an array of floats .*got list"),
        (lambda Z: 1.0, "must return an array of floats .*got float"),
        (lambda Z: Z > 0, "must return an array of floats .*got bool of shape"),
        (lambda Z: Z.astype(int), "must return an array of floats .*got int64 of shape"),
        (lambda Z: Z + 0j, "must return an array of floats .*got complex"),
        (lambda Z: Z[..., :1], r"got float32 of shape \(2, 4, 1\)"),
        (lambda Z: Z[None], r"got float32 of shape \(1, 2, 4, 5\)"),
        (lambda Z: 1 / 0, r"failed: ZeroDivisionError\('division by zero'\)"),
        (lambda: 0, "failed: TypeError"),
        (lambda Z: Z - Z.mean(), "must be element-wise"),
        (lambda Z: Z - Z.mean(axis=-1, keepdims=True), "must be element-wise"),
        (lambda Z: Z - Z.mean(axis=1, keepdims=True), "must be element-wise"),
        (lambda Z: Z - Z.mean(axis=0, keepdims=True), "must be element-wise"),
        (lambda Z, axis: softmax(Z, axis=1), "must be element-wise"),
        (lambda Z, axis: Z - Z.mean(), "must be element-wise"),
        (lambda Z: Z + next(COUNT), "answer the same in every call"),
        (lambda Z: Z + np.random.random(), "answer the same in every call"),  # noqa: NPY002
        (lambda Z: np.cumsum(Z, axis=-1), "must be element-wise"),
        (lambda Z: Z / max(1, abs(Z).max() / 3.0000001), "must be element-wise"),
        (lambda Z: Z * (1 - 1e-3 * (Z.max() > 900)), "must be element-wise"),
    ],
)
def test_what_is_no_activation_is_refused_and_named(function, message):
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002 - with which two draws differ
    with pytest.raises(ValueError, match=f"^output_activation=<lambda> .*{message}"):
        check_activation(function, "output_activation")
    np.random.set_state(state)  # noqa: NPY002


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_function_that_does_what_a_built_in_does_gives_the_same_bits(name, dtype):
    def mine(Z, axis):
        A = Z.copy()
        ACTIVATIONS[name](A, axis)
        return A

    check_activation(mine)
    expected = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(dtype)
    given = expected.copy()
    ACTIVATIONS[name](expected, 1)
    in_place(mine)(given, 1)
    assert given.dtype == dtype
    assert given.tobytes() == expected.tobytes()


# ---------------------------------------------------------------- operators


def checked(what, function):
    calls = {
        "selection": (select, {"fitness": FITNESS, "n_parents": 3}),
        "crossover": (cross, {"parents": ROWS, "n_offspring": 5, "shapes": SHAPES}),
        "mutation": (
            mutate,
            {"offspring": ROWS, "scale": np.ones(8, dtype=np.float32), "rate": 0.5},
        ),
    }
    call, arguments = calls[what]
    check_operator(what, partial(call, function), function, arguments)


@pytest.mark.parametrize(
    ("what", "function"),
    [
        ("selection", lambda rng, fitness, n: np.argsort(-fitness)[:n]),
        ("selection", lambda rng, fitness, n: rng.integers(len(fitness), size=n)),
        ("selection", lambda rng, fitness, n: np.zeros(n, dtype=np.uint8)),
        ("crossover", lambda rng, parents, n, shapes: rng.choice(parents, size=n)),
        ("crossover", lambda rng, parents, n, shapes: parents[[0] * n]),
        ("mutation", lambda rng, offspring, scale, rate: offspring),
        (
            "mutation",
            lambda rng, offspring, scale, rate: (
                offspring + scale * rng.standard_normal(offspring.shape, dtype=offspring.dtype)
            ),
        ),
    ],
)
def test_operators_that_keep_the_rules_are_let_through(what, function):
    checked(what, function)


def spoils(name, value=0.0):
    """Return an operator that is right, but writes to an argument."""

    def selection(rng, fitness, n):
        fitness[2] = value
        return np.arange(n)

    def crossover(rng, parents, n, shapes):
        parents[1, 1] += 1
        return parents[[0] * n].copy()

    def mutation(rng, offspring, scale, rate):
        if name == "scale":
            scale *= 2
            return offspring.copy()
        offspring += scale
        return offspring

    return {"fitness": selection, "parents": crossover}.get(name, mutation)


@pytest.mark.parametrize(
    ("what", "function", "message"),
    [
        ("selection", lambda rng, f, n: np.arange(n) + 3, "return indices from 0 to 4, got 3 to 5"),
        ("selection", lambda rng, f, n: -np.arange(n), "return indices from 0 to 4, got -2 to 0"),
        ("selection", lambda rng, f, n: np.arange(n - 1), r"shape \(3,\).*got int64 of shape \(2,"),
        ("selection", lambda rng, f, n: np.arange(n)[None], r"got int64 of shape \(1, 3\)"),
        ("selection", lambda rng, f, n: np.arange(n) * 1.0, "array of integers.*got float64"),
        ("selection", lambda rng, f, n: np.ones(n, dtype=bool), "array of integers.*got bool"),
        ("selection", lambda rng, f, n: [0, 1, 2], "array of integers.*got list"),
        ("selection", lambda rng, f, n: None, "array of integers.*got None"),
        (
            "selection",
            lambda rng, f, n: rng.choice(len(f), n, p=f / f.sum()),
            "failed: ValueError",
        ),
        (
            "selection",
            lambda rng, f, n: np.random.permutation(len(f))[:n],  # noqa: NPY002
            "must answer the same when its generator is in the same state",
        ),
        ("selection", spoils("fitness"), "must not change its argument fitness"),
        ("selection", lambda rng, f: 0, "failed: TypeError"),
        ("crossover", lambda rng, p, n, s: p[[0] * n] * np.float64(1), "of float32.*got float64"),
        ("crossover", lambda rng, p, n, s: p, r"shape \(5, 8\).*got float32 of shape \(4, 8\)"),
        ("crossover", lambda rng, p, n, s: p[[0] * n, :7], r"got float32 of shape \(5, 7\)"),
        ("crossover", lambda rng, p, n, s: list(p[[0] * n]), "got list"),
        ("crossover", spoils("parents"), r"argument parents; .* parents.copy\(\)"),
        ("crossover", lambda rng, p, n, s: p[9], "failed: IndexError"),
        (
            "crossover",
            lambda rng, p, n, s: p[[0] * n] + np.float32(next(COUNT)),
            "must answer the same",
        ),
        ("mutation", lambda rng, o, s, r: o.astype(float), "of float32.*got float64"),
        ("mutation", lambda rng, o, s, r: o[:2], r"got float32 of shape \(2, 8\)"),
        ("mutation", lambda rng, o, s, r: None, "got None"),
        ("mutation", spoils("offspring"), "must not change its argument offspring"),
        ("mutation", spoils("scale"), "must not change its argument scale"),
    ],
)
def test_operators_that_break_a_rule_are_refused_and_named(what, function, message):
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002 - with which two draws differ
    with pytest.raises(ValueError, match=f"^{what}={name_of(function)} .*{message}"):
        checked(what, function)
    np.random.set_state(state)  # noqa: NPY002


def test_what_is_not_an_error_of_the_part_passes():
    def interrupt(Z):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_activation(interrupt)


# ---------------------------------------------------------------- names


def test_marked_names_tell_functions_from_built_in_names():
    def tanh(Z):
        return Z

    assert marked("tanh") == "tanh"
    assert marked(tanh) == "custom:tanh"
    assert marked(["relu", tanh]) == ("relu", "custom:tanh")
    assert marked(None) is None
    assert "0x" not in marked(partial(tanh, 1))
    check_mark("tanh", "activation")
    with pytest.raises(ValueError, match=r"activation was the function 'tanh'.*got 'custom:tanh'"):
        check_mark("custom:tanh", "activation")
