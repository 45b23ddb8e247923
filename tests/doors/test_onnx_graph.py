import json
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier

from ga_ann import Model, evolve, load_fruits360
from ga_ann.doors import from_sklearn, to_onnx
from ga_ann.network import ACTIVATIONS
from ga_ann.preprocessing import Preprocessing


def run(exported, **inputs):
    """Return what onnxruntime computes, by the names of the outputs."""
    session = onnxruntime.InferenceSession(
        exported.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def check_same(model, X, /, *, atol=1e-12, dtype="float64", gap=-1.0, **inputs):
    """Compare a graph's outputs with the model's; labels where outputs are a gap apart."""
    given = run(to_onnx(model, dtype=dtype), **(inputs or {"X": np.asarray(X, dtype)}))
    if model.classes is None:
        assert given.keys() == {"targets"}
        targets = model.predict(X).reshape(len(X), -1)
        np.testing.assert_allclose(given["targets"], targets, rtol=atol, atol=atol)
        assert given["targets"].dtype == dtype
    else:
        assert list(given) == ["label", "probabilities"]
        is_clear = gaps_of(model, X) > gap
        np.testing.assert_array_equal(given["label"][is_clear], model.predict(X)[is_clear])
        assert given["label"].dtype == model.predict(X).dtype or model.classes.dtype.kind == "U"
        np.testing.assert_allclose(given["probabilities"], model.predict_proba(X), atol=atol)
        assert given["probabilities"].dtype == dtype


def gaps_of(model, X):
    """Return how far the largest output is above the next."""
    outputs = np.sort(model.predict_scores(X), axis=1)
    return outputs[:, -1] - outputs[:, -2] if outputs.shape[1] > 1 else np.ones(len(outputs))


CLASSES = {
    "text": np.array(["", "fig", "kiwi é", "日"]),
    "integers": np.array([7, -3, 0, 2**40]),
    "small": np.array([3, 1, 2, 0], dtype=np.uint8),
    "numbers": np.array([0.5, -1.25, 3.0, 0.1]),
    "booleans": np.array([True, False, True, False]),
    "regression": None,
}


def random_model(seed, activations, kind, dtype):
    rng = np.random.default_rng(seed)
    sizes = [3, *rng.integers(1, 6, len(activations) - 1).tolist(), int(rng.integers(1, 5))]
    weights = []
    for n_in, n_out in pairwise(sizes):
        weights.append(rng.normal(size=(n_in, n_out)).astype(dtype))
        weights += [rng.normal(size=n_out).astype(dtype)] * int(rng.integers(2))
    *hidden, output = activations
    classes = CLASSES[kind] if kind == "regression" else CLASSES[kind][: sizes[-1]]
    return Model(weights, tuple(hidden), output, classes)


@settings(max_examples=80)
@given(
    seed=st.integers(0, 999),
    activations=st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=1, max_size=4),
    kind=st.sampled_from(sorted(CLASSES)),
    weights=st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_onnxruntime_predicts_as_the_model(seed, activations, kind, weights):
    model = random_model(seed, activations, kind, weights)
    X = np.random.default_rng(seed + 1).normal(size=(40, 3))
    check_same(model, X, gap=1e-12)  # sums are rounded in another order


@settings(max_examples=30)
@given(
    seed=st.integers(0, 999),
    activations=st.lists(st.sampled_from(["relu", "tanh", "sigmoid"]), min_size=1, max_size=3),
)
def test_single_precision_is_near(seed, activations):
    model = random_model(seed, [*activations, "softmax"], "text", np.float64)
    X = np.random.default_rng(seed + 1).normal(size=(40, 3)).astype(np.float32)
    given = run(to_onnx(model, dtype="float32"), X=X)
    assert given["probabilities"].dtype == np.float32
    np.testing.assert_allclose(given["probabilities"], model.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("recipe", ["default", "classic", "tutorial"])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_all_fruits_have_the_same_labels_and_probabilities(recipe, activation):
    fruits = load_fruits360()
    y = fruits.target_names[fruits.target]
    result = evolve(
        fruits.data,
        y,
        hidden_layer_sizes=(30, 20),
        recipe=recipe,
        activation=activation,  # the tutorial's outputs come near 0 and 1, and tie there
        n_generations=5,
        random_state=0,
    )
    model = result.to_model()
    assert len(fruits.data) == 1962
    check_same(model, fruits.data, atol=1e-10)


def test_the_first_of_equal_outputs_is_the_label():
    model = Model([np.eye(3)], "relu", "relu", np.array(["a", "b", "c"]))
    check_same(model, [[-1.0, -2.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 2.0]])


def table(seed=0, n=80):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(3, 5, n),
            "colour": rng.choice(["red", "green", "blue é"], n),
            "year": 2000 + rng.normal(0, 0.01, n),
            "ripe": rng.choice([True, False], n),
        }
    )
    frame.loc[::5, "size"] = np.nan
    frame["colour"] = frame["colour"].where(np.arange(n) % 7 > 0, None)
    return frame


def texts_of(frame):
    held = frame.astype(object).where(frame.notna(), "").map(str)
    return held.to_numpy(dtype=object)


@pytest.mark.parametrize(
    "columns", [None, [5, 0, 3], [True, False, False, True, True, False, True, False]]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_preprocessing_of_a_table_is_part_of_the_graph(columns, dtype):
    frame, rng = table(), np.random.default_rng(1)
    before = Preprocessing.fit(frame)
    columns = None if columns is None else np.array(columns)
    n_inputs = before.n_inputs if columns is None else len(np.arange(8)[columns])
    weights = [rng.normal(size=(n_inputs, 3))]
    model = Model(weights, "relu", "softmax", np.arange(3), columns=columns, preprocessing=before)
    numbers = frame[["size", "year"]].to_numpy(dtype)
    texts = texts_of(frame[["colour", "ripe"]])
    rounded = frame.assign(size=numbers[:, 0], year=numbers[:, 1])
    check_same(model, rounded, atol=1e-6, dtype=dtype, numbers=numbers, texts=texts)
    held = {prop.key: prop.value for prop in to_onnx(model).metadata_props}
    assert json.loads(held["columns"]) == {"numbers": ["size", "year"], "texts": ["colour", "ripe"]}


def test_categories_that_the_training_never_saw_are_none_of_the_known():
    frame = pd.DataFrame({"colour": ["red", "green"] * 4})
    model = Model([np.eye(2)], "relu", "identity", None, preprocessing=Preprocessing.fit(frame))
    seen = run(to_onnx(model), texts=np.array([["green"], ["red"], ["mauve"], ["Red"]], object))
    np.testing.assert_array_equal(seen["targets"], [[1, 0], [0, 1], [0, 0], [0, 0]])


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("columns", [None, [1], [True, False]])
def test_a_table_of_numbers_is_one_input(raw, columns):
    frame = table()[["size", "year"]]
    frame = frame.fillna(0.0) if raw else frame
    columns = None if columns is None else np.array(columns)
    weights = [np.random.default_rng(0).normal(size=(2 if columns is None else 1, 2))]
    before = Preprocessing.fit(frame, raw=raw)
    model = Model(weights, "relu", "tanh", None, columns=columns, preprocessing=before)
    check_same(model, frame, X=frame.to_numpy())


@pytest.mark.parametrize("columns", [[3, 1], [False, True, False, True]])
def test_columns_are_selected_from_all_that_there_are(columns):
    model = Model([np.eye(2)], "relu", "identity", None, columns=np.array(columns))
    check_same(model, np.random.default_rng(0).normal(size=(9, 4)))
    if columns == [3, 1]:
        check_same(model, np.random.default_rng(0).normal(size=(9, 7)))


def test_names_of_columns_go_along():
    names = np.array(["size", '"}];'])
    model = Model([np.eye(2)], "relu", "identity", None, feature_names=names)
    (held,) = to_onnx(model).metadata_props
    assert json.loads(held.value) == {"X": names.tolist()}
    assert not to_onnx(replace(model, feature_names=None)).metadata_props


def test_networks_of_scikit_learn_become_graphs():
    X = np.random.default_rng(0).normal(size=(100, 3))
    network = MLPClassifier((5,), activation="tanh", random_state=0)
    network.partial_fit(X, X[:, 0] * X[:, 1] > 0, classes=[False, True])
    given = run(to_onnx(network), X=X)
    np.testing.assert_array_equal(given["label"], network.predict(X))
    np.testing.assert_allclose(given["probabilities"], network.predict_proba(X), atol=1e-12)
    check_same(from_sklearn(network), X)


PLAIN = Model([np.eye(2)], "relu", "identity", np.array([0, 1]))


def test_a_file_is_what_is_returned_and_is_written_whole(tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    exported = to_onnx(PLAIN, path)
    assert onnx.load(path) == exported
    with pytest.raises(FileNotFoundError):
        to_onnx(PLAIN, tmp_path / "missing" / "model.onnx")
    before = path.read_bytes()
    monkeypatch.setattr("onnx.checker.check_model", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        to_onnx(replace(PLAIN, output_activation="relu"), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_weights_of_single_precision_take_four_bytes():
    W = np.random.default_rng(0).normal(size=(100, 100))
    single, double = (
        len(to_onnx(Model([W.astype(dtype)], "relu", "relu", None)).SerializeToString())
        for dtype in (np.float32, np.float64)
    )
    assert 40_000 < single < 41_000 < 80_000 < double < 81_000


def test_nothing_is_shared():
    model = Model([np.eye(2)], "relu", "identity", np.array(["a", "b"]))
    exported = to_onnx(model)
    before = exported.SerializeToString()
    model.weights[0][...] = model.classes[...] = 0
    assert exported.SerializeToString() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extraction": {"bins": 2}}, "from pictures, which an ONNX graph does not do"),
        ({"output_activation": np.sin}, r"an ONNX graph has the activations \['identity', "),
    ],
)
def test_what_onnx_cannot_say_is_refused(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        to_onnx(replace(PLAIN, **change), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_single_precision_has_not_are_refused():
    for largest, is_held in ((3.4e38, True), (3.5e38, False)):
        model = replace(PLAIN, weights=[np.array([[largest, 0.5], [0, 0]])])
        to_onnx(model)
        if is_held:
            to_onnx(model, dtype="float32")
        else:
            with pytest.raises(ValueError, match="float32 has not; give dtype='float64'"):
                to_onnx(model, dtype="float32")


@pytest.mark.parametrize("dtype", ["float16", "double", np.float32, None])
def test_another_precision_is_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be one of"):
        to_onnx(PLAIN, dtype=dtype)


def test_without_onnx_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'ga-ann\[onnx\]'"):
        to_onnx(PLAIN)
