import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.neural_network import MLPClassifier

from ga_ann import Model, evolve, init_weights
from ga_ann.doors import from_sklearn, to_c_header
from ga_ann.preprocessing import Preprocessing

CC = shutil.which("cc")
needs_compiler = pytest.mark.skipif(CC is None, reason="there is no C compiler")

MAIN = """
#include "model.h"
#include "model.h"
#include <stdio.h>
int main(void)
{
    float input[m_N_INPUTS], output[m_N_OUTPUTS + 1];
    while (fread(input, sizeof input, 1, stdin)) {
        m_scores(input, output);
        output[m_N_OUTPUTS] = %s;
        fwrite(output, sizeof output, 1, stdout);
    }
    return 0;
}
"""


def compiled(model, folder, main):
    """Return the program that a header and a main function make, without a warning."""
    to_c_header(model, folder / "model.h", name="m")
    (folder / "main.c").write_text(main)
    flags = "-std=c99 -pedantic -Wall -Wextra -Wshadow -Werror -O1 -o main main.c -lm"
    done = subprocess.run([CC, *flags.split()], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [folder / "main"]


def run_in_c(model, X, folder):
    """Return the outputs, and the class or the first target, that the compiled header gives."""
    last = "(float)m_predict(input)"
    if model.classes is None:
        last = "(m_predict(input, output), output[0])"
    program = compiled(model, folder, MAIN % last)
    raw = np.asarray(X, dtype=np.float32).tobytes()
    given = subprocess.run(program, input=raw, capture_output=True, check=True).stdout
    table = np.frombuffer(given, dtype=np.float32).reshape(len(X), -1)
    return table[:, :-1], table[:, -1]


def check_same(model, X, folder):
    scores, last = run_in_c(model, X, folder)
    expected = model.predict_scores(X)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)
    if model.classes is None:
        np.testing.assert_array_equal(last, scores[:, 0])
    else:
        np.testing.assert_array_equal(last, scores.argmax(axis=1))
        top = np.sort(expected, axis=1)
        is_clear = top[:, -1] - top[:, -2] > 1e-3
        assert is_clear.mean() > 0.5
        labels = model.classes[last.astype(int)]
        np.testing.assert_array_equal(labels[is_clear], model.predict(X)[is_clear])


def random_model(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 9, size=rng.integers(2, 5)).tolist()
    weights = init_weights(rng, sizes, bias=bool(seed % 2), dtype=np.float64)
    for W in weights:
        W[...] = rng.normal(size=W.shape)
    names = ["identity", "logistic", "relu", "sigmoid", "softmax", "tanh"]
    hidden = tuple(rng.choice(names, len(sizes) - 2).tolist())
    output = ["identity", "softmax", "tanh"][seed % 3]
    classes = None if seed % 4 == 3 else np.arange(sizes[-1]) * 10
    return Model(weights, hidden, output, classes)


@needs_compiler
@pytest.mark.parametrize("seed", range(8))
def test_the_compiled_header_predicts_as_the_model(seed, tmp_path):
    model = random_model(seed)
    X = np.random.default_rng(seed).normal(size=(200, len(model.weights[0])))
    check_same(model, X.astype(np.float32), tmp_path)


@needs_compiler
@pytest.mark.parametrize("activation", ["step", "sign"])
def test_steps_are_those_of_the_model_and_ties_go_to_the_first(activation, tmp_path):
    rng = np.random.default_rng(0)
    weights = [rng.integers(-3, 4, size=shape).astype(float) for shape in [(4, 6), (6, 3)]]
    model = Model(weights, activation, "identity", np.arange(3))
    X = rng.integers(-2, 3, size=(100, 4)).astype(np.float32)  # with sums that are 0
    scores, places = run_in_c(model, X, tmp_path)
    np.testing.assert_array_equal(scores, model.predict_scores(X))
    np.testing.assert_array_equal(places, model.predict(X))


@needs_compiler
@pytest.mark.parametrize(
    ("values", "kind", "bits"),
    [
        ([-1.0, 1.0], "uint8_t", 1),
        ([-1.0, 0.0, 1.0], "uint8_t", 2),
        ([-127.0, 127.0], "int8_t", 8),
        ([-1.0, 2.0], "int8_t", 8),
        ([-128.0, 1.0], "float", 32),
        ([-0.5, 1.0], "float", 32),
    ],
)
def test_weights_take_as_few_bits_as_hold_them(values, kind, bits, tmp_path):
    W = np.resize(values, (7, 5))
    model = Model([W], "relu", "identity", np.arange(5))
    X = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    scores, _ = run_in_c(model, X, tmp_path)
    np.testing.assert_allclose(scores, model.predict_scores(X), rtol=1e-4, atol=1e-3)
    text = (tmp_path / "model.h").read_text()
    assert f"static const {kind} m_weights0[]" in text
    assert f": {-(-35 * bits // 8)} bytes of constants" in text


@needs_compiler
def test_weight_sets_of_runs_are_packed(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), np.arange(60) % 3
    options = {"hidden_layer_sizes": (6,), "n_generations": 2, "random_state": 0, "bias": True}
    for name in ("binary", "ternary", "int8"):
        model = evolve(X, y, weight_set=name, **options).to_model()
        scores, _ = run_in_c(model, X, tmp_path)
        np.testing.assert_allclose(scores, model.predict_scores(X), rtol=1e-4, atol=1e-3)
        assert "float m_weights" not in (tmp_path / "model.h").read_text().replace(
            "inline float m_weights", ""
        )


@needs_compiler
@pytest.mark.parametrize("columns", [None, [3, 0], [True, False, False, True]])
@pytest.mark.parametrize("raw", [False, True])
def test_what_comes_before_the_network_is_part_of_the_header(columns, raw, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(3, 5, size=(80, 4)).astype(np.float32), columns=list("abcd"))
    if not raw:
        frame.iloc[::5, 3] = np.nan
    columns = None if columns is None else np.array(columns)
    model = Model(
        [rng.normal(size=(4 if columns is None else 2, 3))],
        "relu",
        "softmax",
        np.array(["x", "y", "z"]),
        columns=columns,
        preprocessing=Preprocessing.fit(frame, raw=raw),
    )
    scores, _ = run_in_c(model, frame.to_numpy(), tmp_path)
    np.testing.assert_allclose(scores, model.predict_scores(frame), rtol=1e-4, atol=1e-5)
    assert 'm_inputs[] = {"a", "b", "c", "d"};' in (tmp_path / "model.h").read_text()


@needs_compiler
def test_columns_alone_are_selected(tmp_path):
    model = Model([np.eye(2)], "relu", "identity", None, columns=np.array([3, 1]))
    X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    np.testing.assert_array_equal(run_in_c(model, X, tmp_path)[0], X[:, [3, 1]])


HOSTILE = [
    '"};evil();{"',
    "*/ int x; /*",
    "a\\",
    "??/",
    "new\nline",
    "\x07é日",
    "%s%n",
    "/\\\n",
    "7",
]


@needs_compiler
def test_names_are_strings_and_nothing_else(tmp_path):
    names = np.array(HOSTILE)
    model = Model([np.eye(len(names))], "relu", "identity", names, feature_names=names)
    main = """
    #include "model.h"
    #include <stdio.h>
    int main(void)
    {
        for (int k = 0; k < m_N_OUTPUTS; k++) {
            puts(m_classes[k]);
            puts(m_inputs[k]);
        }
        return m_predict((float[m_N_INPUTS]){1.0f});
    }
    """
    given = subprocess.run(compiled(model, tmp_path, main), capture_output=True, check=True).stdout
    assert given.decode() == "".join(f"{name}\n{name}\n" for name in HOSTILE)
    assert (tmp_path / "model.h").read_bytes().isascii()


PLAIN = Model([np.eye(2)], "relu", "identity", np.array([0, 1]))
TEXTS = pd.DataFrame({"colour": ["red", "blue"] * 4})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extraction": {"bins": 2}}, "from pictures"),
        ({"preprocessing": Preprocessing.fit(TEXTS)}, r"text columns \['colour'\]"),
        ({"output_activation": np.sin}, "has the activations"),
        ({"weights": [np.array([[1e39, 0.5], [0, 0]])]}, "weights0 .* single precision"),
        (
            {"preprocessing": Preprocessing.of_moments([0, 0], [1, 1e-60])},
            "scales .* single precision",
        ),
    ],
)
def test_what_is_no_arithmetic_of_floats_is_refused(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        to_c_header(replace(PLAIN, **change), tmp_path / "model.h")
    assert list(tmp_path.iterdir()) == []
    to_c_header(PLAIN, tmp_path / "model.h")


@pytest.mark.parametrize("name", ["", "1a", "_a", "a b", "a;", "a\n", "é", "a-b", 5, None])
def test_a_name_that_c_does_not_have_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="name must be one in C"):
        to_c_header(PLAIN, tmp_path / "model.h", name=name)
    assert list(tmp_path.iterdir()) == []
    to_c_header(PLAIN, tmp_path / "model.h", name="int")  # all names have more behind it


@needs_compiler
def test_networks_of_scikit_learn_become_headers(tmp_path):
    X = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    network = MLPClassifier((5,), activation="tanh", random_state=0)
    network.partial_fit(X, X[:, 0] * X[:, 1] > 0, classes=[False, True])
    check_same(from_sklearn(network), X, tmp_path)
