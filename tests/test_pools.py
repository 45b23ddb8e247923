"""Fits and comparisons on a cluster are those of one process."""

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV

from ga_ann import GeneticMLPClassifier, compare


@pytest.fixture(params=[True, False], ids=["processes", "threads"])
def client(request, monkeypatch):
    """A cluster of two workers, whose processes are told a thread each."""
    distributed = pytest.importorskip("distributed")
    # What a nanny sets for the workers stays in the process that starts it.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("OMP_NUM_THREADS")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(processes=request.param, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def search(X, y):
    model = GeneticMLPClassifier((4,), n_generations=10, random_state=0)
    found = GridSearchCV(model, {"sigma": [0.1, 0.3]}, cv=3).fit(X, y)
    scores = [found.cv_results_[f"split{k}_test_score"].tolist() for k in range(3)]
    return scores, [W.tolist() for W in found.best_estimator_.weights_]


def measure(X, y):
    found = compare(X, y, methods=["random", "naive"], seeds=3, hidden_layer_sizes=4)
    rows = [{**row, "seconds": None} for row in found.rows]
    predictions = [(key, list(labels)) for key, labels in found.predictions.items()]
    return rows, predictions, [h["best_fitness"].tolist() for h in found.histories.values()]


def test_a_search_and_a_comparison_on_a_cluster_are_those_of_one_process(client):
    X, y = load_iris(return_X_y=True)
    alone = search(X, y), measure(X, y)
    with joblib.parallel_config("dask"):
        assert search(X, y) == alone[0]
        np.testing.assert_equal(measure(X, y), alone[1])
