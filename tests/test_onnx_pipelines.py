import sys

import numpy as np
import onnxruntime
import pytest
import skl2onnx
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ga_ann import (
    GeneticMLPClassifier,
    GeneticMLPRegressor,
    load_fruits360,
    register_onnx_converters,
)

OPTIONS = {"hidden_layer_sizes": (6,), "n_generations": 5, "random_state": 0}


def convert(network, X, **options):
    register_onnx_converters()
    return skl2onnx.to_onnx(network, X[:1], **options)


def run(exported, X):
    session = onnxruntime.InferenceSession(
        exported.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"X": X})


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_a_pipeline_has_the_same_labels_and_probabilities_of_all_fruits(dtype):
    fruits = load_fruits360()
    X = fruits.data.astype(dtype)
    pipeline = make_pipeline(StandardScaler(), GeneticMLPClassifier(**OPTIONS))
    pipeline.fit(X, fruits.target_names[fruits.target])
    labels, probabilities = run(convert(pipeline, X, options={"zipmap": False}), X)
    np.testing.assert_array_equal(labels, pipeline.predict(X))
    np.testing.assert_allclose(probabilities, pipeline.predict_proba(X), atol=1e-5)
    assert probabilities.dtype == (np.float64 if dtype == np.float64 else np.float32)


LABELS = {
    "text": np.array(["fig", "kiwi", "pear"], dtype=object),
    "integers": np.array([-3, 0, 2**40]),
    "whole": np.array([0.0, 1.0, 5.0]),
    "booleans": np.array([False, True]),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("zipmap", [False, True, "columns"])
def test_labels_of_all_kinds_come_out(labels, zipmap):
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    network = GeneticMLPClassifier(**OPTIONS).fit(X, np.resize(LABELS[labels], 60))
    given = run(convert(network, X, options={"zipmap": zipmap}), X)
    np.testing.assert_array_equal(given[0], network.predict(X))
    if zipmap is True:
        assert [max(row, key=row.get) for row in given[1]] == given[0].tolist()
    else:
        columns = given[1] if zipmap is False else np.stack(given[1:], axis=1)
        np.testing.assert_allclose(columns, network.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("n_targets", [1, 2])
def test_regressions_give_the_targets(n_targets):
    X, _ = load_iris(return_X_y=True)
    y = X[:, :n_targets] * X[:, 2:3]
    y = y[:, 0] if n_targets == 1 else y
    pipeline = make_pipeline(StandardScaler(), GeneticMLPRegressor(**OPTIONS)).fit(X[:, 1:], y)
    (targets,) = run(convert(pipeline, X[:, 1:]), X[:, 1:])
    assert targets.shape == (len(X), n_targets)
    np.testing.assert_allclose(targets, pipeline.predict(X[:, 1:]).reshape(targets.shape))


def test_two_networks_in_one_pipeline_keep_apart():
    from sklearn.ensemble import VotingClassifier

    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    networks = [
        (str(k), GeneticMLPClassifier((k,), n_generations=5, random_state=k)) for k in (3, 5)
    ]
    voting = VotingClassifier(networks, voting="soft", flatten_transform=False).fit(X, y)
    labels, probabilities = run(convert(voting, X, options={"zipmap": False}), X)
    np.testing.assert_array_equal(labels, voting.predict(X))
    np.testing.assert_allclose(probabilities, voting.predict_proba(X), atol=1e-5)


def test_without_skl2onnx_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'ga-ann\[onnx\]'"):
        register_onnx_converters()
