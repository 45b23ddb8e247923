import math
import sys
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from sklearn.preprocessing import StandardScaler

from ga_ann.comparison.compare import DATASETS, SPLITS, Comparison, compare
from ga_ann.comparison.methods import METHODS, Method, Trained
from ga_ann.comparison.summary import MEASURES, summarise
from ga_ann.fitness import neg_cost
from ga_ann.history import History

module = sys.modules["ga_ann.comparison.compare"]
BUDGETS = {"tutorial-ga": 0.02, "ga": 0.05}


@pytest.fixture(scope="module")
def data():
    X, y = load_iris(return_X_y=True)
    return X, y, np.arange(len(y)) % 2


@pytest.fixture(scope="module")
def full(data):
    X, y, groups = data
    return compare(
        X,
        y,
        groups=groups,
        splits=["rotation", "holdout", "all"],
        seeds=2,
        hidden_layer_sizes=(6,),
        budgets=BUDGETS,
        random_state=3,
    )


@pytest.fixture
def constant(monkeypatch):
    """Replace the methods by two that record what they were given and answer a constant."""
    seen = []

    def train(job):
        seen.append(job)
        return answer(job)

    monkeypatch.setattr(
        module, "METHODS", {"a": Method("A", train), "b": Method("B", train, max_time=7.0)}
    )
    return seen


def answer(job, stop_reason="done"):
    """Return what always predicts the first class."""
    history = History()
    history.append(generation=0, evaluations=1, seconds=0, best_fitness=0.5)
    return Trained(
        lambda X: np.zeros(len(X), dtype=int),
        lambda X: np.tile(np.arange(job.n_classes, 0, -1.0), (len(X), 1)),
        history,
        stop_reason,
    )


def small(data, **options):
    X, y, groups = data
    options = {"groups": groups, "methods": ["random", "naive"], "seeds": 1} | options
    return compare(X, y, **{"hidden_layer_sizes": 3, **options})


def test_a_row_for_each_method_split_and_seed(full):
    names = ["rotation 0->1", "rotation 1->0", "holdout", "all"]
    expected = [(m, name, seed) for seed in (0, 1) for name in names for m in METHODS]
    assert [(row["method"], row["split"], row["seed"]) for row in full.rows] == expected
    assert set(full.histories) == set(full.predictions) == set(expected)
    assert not full.interrupted


def test_rows_agree_with_the_predictions(full):
    for row in full.rows:
        split = full.splits[row["split"], row["seed"]]
        wrong = full.predictions[row["method"], row["split"], row["seed"]] != full.y[split.test]
        assert row["n_wrong"] == wrong.sum()
        if split.kind == "all":
            assert math.isnan(row["held_out_accuracy"])
            assert row["train_accuracy"] == pytest.approx(1 - wrong.mean())
        else:
            assert row["held_out_accuracy"] == pytest.approx(1 - wrong.mean())
        assert row["train_score"] == row["train_accuracy"]  # the fitness is the accuracy
        np.testing.assert_equal(row["held_out_score"], row["held_out_accuracy"])
        assert row["seconds"] > 0
        assert row["evaluations"] >= 1


def test_histories_agree_with_the_rows(full):
    for row in full.rows:
        history = full.histories[row["method"], row["split"], row["seed"]]
        assert history.last["best_fitness"] == pytest.approx(row["train_accuracy"])
        assert history.label == full.label(row["method"])


def test_naive_training_ends_where_random_weights_begin(full):
    keys = [key for key in full.predictions if key[0] == "naive"]
    assert keys
    for _, split, seed in keys:
        np.testing.assert_array_equal(
            full.predictions["naive", split, seed], full.predictions["random", split, seed]
        )


def test_adam_is_scikit_learns(full, data):
    from sklearn.neural_network import MLPClassifier

    X, y, _ = data
    split = full.splits["holdout", 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier((6,), random_state=full.settings["seeds"][1])
        scale = X[split.train].std()
        model.fit(X[split.train] / scale, y[split.train])
    np.testing.assert_array_equal(
        model.predict(X[split.test] / scale), full.predictions["adam", "holdout", 1]
    )


def test_splits_are_what_they_say(full, data):
    _, y, groups = data
    for (name, seed), split in full.splits.items():
        assert (split.name, split.seed) == (name, seed)
        if split.kind == "all":
            assert split.train.tolist() == split.test.tolist() == list(range(len(y)))
            continue
        assert sorted([*split.train, *split.test]) == list(range(len(y)))
        if split.kind == "rotation":
            a, b = name.removeprefix("rotation ").split("->")
            assert set(groups[split.train]) == {int(a)}
            assert set(groups[split.test]) == {int(b)}
        else:
            assert np.bincount(y[split.train]).tolist() in (
                [37, 37, 38],
                [37, 38, 37],
                [38, 37, 37],
            )
    first, second = (full.splits["holdout", seed].test for seed in (0, 1))
    assert first.tolist() != second.tolist()


def test_methods_are_paired(data, constant):
    X, y, groups = data
    comparison = compare(
        X * 100, y, groups=groups, splits=list(SPLITS), seeds=2, min_std=70, budgets={"b": 1.0}
    )
    assert len(constant) == 2 * 2 * 4
    for a, b in zip(constant[::2], constant[1::2], strict=True):
        np.testing.assert_array_equal(a.X, b.X)
        np.testing.assert_array_equal(a.y, b.y)
        assert (a.max_time, b.max_time) == (None, 1.0)
        assert a.random_state == b.random_state
        assert a.hidden_layer_sizes == (150, 60)
        assert (a.X.std(axis=0) > 70).all()
    seeds = [job.random_state for job in constant]
    assert len(set(seeds)) == 2
    assert set(seeds) == set(comparison.settings["seeds"])


def test_the_filter_sees_the_training_part_alone(constant):
    # The second column varies in group 1 only, and the first in group 0 only.
    X = np.zeros((40, 2))
    groups = np.repeat([0, 1], 20)
    X[:20, 0] = X[20:, 1] = np.arange(20)
    comparison = compare(X, np.arange(40) % 2, groups=groups, seeds=1, min_std=1)
    kept = {name: split.columns.tolist() for (name, _), split in comparison.splits.items()}
    assert kept == {"rotation 0->1": [True, False], "rotation 1->0": [False, True]}


def test_the_same_seed_gives_the_same_rows(data):
    def rows(random_state):
        found = small(data, seeds=2, random_state=random_state).rows
        return [{k: v for k, v in row.items() if k != "seconds"} for row in found]

    assert rows(5) == rows(5) == rows(np.int64(5))
    assert rows(5) != rows(6)
    assert rows(np.random.default_rng(1)) == rows(np.random.default_rng(1))


def test_more_seeds_begin_with_the_fewer(data):
    two, three = (small(data, seeds=n).settings["seeds"] for n in (2, 3))
    assert three[:2] == two


def test_fruits_by_default(constant):
    comparison = compare(methods=["a"], seeds=1)
    assert len(comparison.y) == 1962
    assert comparison.target_names == ["apple", "raspberry", "mango", "lemon"]
    assert [len(job.X) for job in constant] == [981, 981]
    assert all((job.X.std(axis=0) > 50).all() for job in constant)
    assert comparison.sample_names[0].startswith("apple/")
    assert "Fruits-360" in comparison.caption


def test_n_features_replaces_the_fruits_filter(constant):
    comparison = compare(methods=["a"], seeds=1, n_features=102)
    assert [job.X.shape[1] for job in constant] == [102, 102]
    assert "the 102 features" in comparison.caption


def test_string_labels_and_names(data):
    X, y, _ = data
    labels = np.array(["c", "a", "b"])[y]
    comparison = compare(X, labels, methods=["naive"], splits=["all"], seeds=1)
    assert comparison.target_names == ["a", "b", "c"]
    named = compare(
        X, labels, methods=["naive"], splits=["all"], seeds=1, target_names=["A", "B", "C"]
    )
    assert named.target_names == ["A", "B", "C"]
    assert [row["n_wrong"] for row in named.rows] == [row["n_wrong"] for row in comparison.rows]
    assert "no time limits" in comparison.caption


def test_summary_against_numpy(full):
    summary = summarise(full.rows)
    assert len(summary) == len(METHODS) * 4
    for line in summary:
        rows = [
            row
            for row in full.rows
            if (row["method"], row["split"]) == (line["method"], line["split"])
        ]
        assert line["n_seeds"] == len(rows) == 2
        for measure in MEASURES:
            values = [row[measure] for row in rows]
            found = [line[measure][name] for name in ("min", "median", "max")]
            np.testing.assert_allclose(found, np.quantile(values, [0, 0.5, 1]))


@pytest.mark.parametrize("where", ["raised", "stop_reason", "adam"])
def test_ctrl_c_keeps_the_finished_runs(data, constant, monkeypatch, where):
    def stop(job):
        if where == "raised":
            raise KeyboardInterrupt
        if where == "adam":
            monkeypatch.setattr("sklearn.neural_network.MLPClassifier._backprop", _interrupt)
            return METHODS["adam"].train(job)
        return answer(job, "interrupted")

    module.METHODS["b"] = Method("B", stop)
    X, y, groups = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as a user's program may
        comparison = compare(X, y, groups=groups, seeds=3, hidden_layer_sizes=(3,))
    assert comparison.interrupted
    assert [row["method"] for row in comparison.rows] == ["a"]
    assert comparison.methods() == ["a"]
    assert comparison.caption.endswith("interrupted.")


def _interrupt(*args, **options):
    raise KeyboardInterrupt


def test_progress_names_method_split_and_seed(data, capsys):
    small(data, verbose=True)
    assert "naive, rotation 1->0, seed 0" in capsys.readouterr().err
    small(data)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ["naive", "sgd"]}, r"each of methods must be one of \['adam', .*'sgd'"),
        ({"methods": []}, "at least one"),
        ({"methods": ["naive", "naive"]}, "each once"),
        ({"splits": ["time"]}, r"each of splits must be one of \['all', .*'time'"),
        ({"seeds": 0}, "seeds"),
        ({"budgets": {"naive": 1.0}}, "must be one of .*'ga', 'tutorial-ga'.*'naive'"),
        ({"budgets": {"ga": 0}}, "budgets"),
        ({"budgets": {"ga": float("nan")}}, "budgets.* must be finite"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be >= 1"),
        ({"groups": None, "splits": ["rotation"]}, "needs groups.*use 'holdout'"),
        ({"fitness": "speed"}, "fitness must be one of"),
        ({"fitness": "f1"}, "takes 2 classes.*got 3"),
        ({"fitness": neg_cost([[0, 1], [1, 0]])}, "cost_matrix must have a row"),
        ({"fitness": lambda y_true, y_pred: 1 / 0}, "NaN from it.*division by zero"),
        ({"groups": np.arange(150)}, "exactly two values"),
        ({"groups": [0, 1]}, r"groups must have shape \(150,\)"),
        ({"sample_names": ["x"]}, "sample_names"),
        ({"target_names": ["x"]}, "target_names must hold 3 names"),
        ({"min_std": 1e9}, "no column has a standard deviation above"),
        ({"min_std": 1.0, "n_features": 2}, "give one of them"),
        ({"groups": np.repeat([0, 1], [50, 100])}, "at least 2 classes"),
    ],
)
def test_bad_options_before_any_work(data, constant, monkeypatch, options, message):
    monkeypatch.setattr(module, "METHODS", {**METHODS})
    monkeypatch.setattr(module, "_run_one", lambda *args: pytest.fail("work was done"))
    with pytest.raises(ValueError, match=message):
        small(data, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"methods": "naive"},
        {"splits": "all"},
        {"seeds": 1.5},
        {"seeds": True},
        {"budgets": [1]},
        {"budgets": {"ga": "1"}},
        {"hidden_layer_sizes": "150"},
        {"n_features": True},
        {"standardise": 1},
        {"fitness": 5},
    ],
)
def test_options_of_the_wrong_type(data, options):
    with pytest.raises(TypeError):
        small(data, **options)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], None, "y must be given"),
        (None, [1, 2], "describe X"),
        (None, None, r"data must be one of .*'wine'.*got 'iris'"),
        ([[1.0], [2.0]], [1, 1], "at least 2 classes"),
        ([[1.0], [2.0]], [1, 2, 3], "inconsistent numbers"),
        ([[np.nan], [2.0]], [1, 2], "NaN"),
        ([[np.inf], [2.0]], [1, 2], "infinity"),
        (np.empty((0, 3)), [], "0 sample"),
        ([[1.0], [2.0], [3.0]], [1, 1, 2], "least populated class|test_size"),
    ],
)
def test_bad_data(X, y, message):
    with pytest.raises(ValueError, match=message):
        compare(X, y, data="iris", splits=["holdout"])


# ---------------------------------------------------------------- data sets


@pytest.mark.parametrize(
    ("name", "load"), [("wine", load_wine), ("digits", load_digits)], ids=["wine", "digits"]
)
def test_named_data_are_standardised_by_the_training_part(constant, name, load):
    comparison = compare(data=name, methods=["a"], seeds=1)
    split = comparison.splits["holdout", 0]
    X, y = load(return_X_y=True)
    (job,) = constant
    np.testing.assert_allclose(job.X, StandardScaler().fit_transform(X[split.train]))
    np.testing.assert_array_equal(job.y, y[split.train])
    assert job.hidden_layer_sizes == DATASETS[name].hidden_layer_sizes == (32,)
    assert "standardised by the training part" in comparison.caption


def test_the_test_part_is_scaled_like_the_training_part(monkeypatch):
    seen = []

    def train(job):
        trained = answer(job)
        return trained._replace(predict=lambda X: (seen.append(X), trained.predict(X))[1])

    monkeypatch.setattr(module, "METHODS", {"a": Method("A", train)})
    comparison = compare(data="wine", methods=["a"], seeds=1)
    split = comparison.splits["holdout", 0]
    X = load_wine().data
    scaler = StandardScaler().fit(X[split.train])
    np.testing.assert_allclose(seen[0], scaler.transform(X[split.test]))


def test_options_replace_those_of_named_data(constant):
    options = {"hidden_layer_sizes": 7, "standardise": False, "splits": ["all"], "min_std": 100}
    comparison = compare(data="wine", methods=["a"], seeds=1, **options)
    (job,) = constant
    X = load_wine().data
    np.testing.assert_array_equal(job.X, X[:, X.std(axis=0) > 100])
    assert job.hidden_layer_sizes == (7,)
    assert comparison.caption == (
        "Wine: 178 samples; features with std > 100 in the training part; hidden layers 7; "
        "1 seed; no time limits."
    )


def test_own_data_are_taken_as_they_are(data, constant):
    X, y, groups = data
    comparison = compare(X, y, methods=["a"], seeds=1)
    assert comparison.settings["splits"] == ["holdout"]
    np.testing.assert_array_equal(constant[0].X, X[comparison.splits["holdout", 0].train])
    assert compare(X, y, groups=groups, methods=["a"], seeds=1).settings["splits"] == ["rotation"]


# ---------------------------------------------------------------- fitness


def by_scikit_learn(name, y, outputs):
    probabilities = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    if name == "f1_macro":
        return f1_score(y, outputs.argmax(axis=1), average="macro")
    if name == "roc_auc":
        return roc_auc_score(y, probabilities, multi_class="ovr")
    return -log_loss(y, probabilities)


@pytest.mark.parametrize("name", ["f1_macro", "roc_auc", "neg_log_loss"])
def test_every_method_is_measured_by_the_fitness(data, monkeypatch, name):
    X, y, _ = data
    kept = []

    def keep(method):
        def train(job):
            kept.append((job, method.train(job)))
            return kept[-1][1]

        return method._replace(train=train)

    monkeypatch.setattr(module, "METHODS", {key: keep(m) for key, m in METHODS.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        comparison = compare(X, y, fitness=name, seeds=1, hidden_layer_sizes=(6,), budgets=BUDGETS)
    assert comparison.settings["fitness"] == name
    assert f"fitness {name}" in comparison.caption
    split = comparison.splits["holdout", 0]
    for row, (job, trained) in zip(comparison.rows, kept, strict=True):
        for score, samples, known in (
            (row["train_score"], job.X, job.y),
            (row["held_out_score"], X[split.test], y[split.test]),
        ):
            outputs = np.asarray(trained.predict_scores(samples), dtype=np.float64)
            assert score == pytest.approx(by_scikit_learn(name, known, outputs), abs=1e-6)
        maximised = name if row["method"] in ("ga", "tutorial-ga") else "accuracy"
        assert trained.history.metric == maximised
        history = comparison.histories[row["method"], "holdout", 0]
        assert history.metric == name
        assert history.last["best_fitness"] == pytest.approx(row["train_score"], abs=1e-5)


@pytest.mark.parametrize("fitness", ["accuracy", "neg_log_loss"])
def test_a_class_that_the_training_part_lacks_is_never_predicted(fitness):
    X = np.vstack([np.eye(3)] * 8)
    y = np.array(["a", "b", "c"] * 8)
    groups = np.repeat([0, 1], 12)
    X, y, groups = (
        X[(y != "b") | (groups == 1)],
        *(v[(y != "b") | (groups == 1)] for v in (y, groups)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        comparison = compare(
            X,
            y,
            groups=groups,
            seeds=1,
            hidden_layer_sizes=(4,),
            fitness=fitness,
            budgets=BUDGETS,
        )
    for row in comparison.rows:
        if fitness == "accuracy":
            assert row["train_score"] == row["train_accuracy"]
            assert row["held_out_score"] == row["held_out_accuracy"]
        assert np.isfinite([row["train_score"], row["held_out_score"]]).all()
        if row["split"] == "rotation 0->1" and row["method"] != "tutorial-ga":
            assert not (comparison.predictions[row["method"], row["split"], 0] == 1).any()
            assert row["n_wrong"] >= 4


def test_a_metric_is_given_the_labels(data):
    X, y, _ = data
    names = np.array(["x", "y", "z"])

    def knows(y_true, y_pred):
        assert set(y_true) | set(y_pred) <= set(names)
        return float((y_true == y_pred).mean())

    comparison = compare(
        X,
        names[y],
        methods=["random", "ga"],
        seeds=1,
        hidden_layer_sizes=3,
        fitness=knows,
        budgets=BUDGETS,
    )
    assert comparison.settings["fitness"] == "knows"
    for row in comparison.rows:
        assert row["train_score"] == row["train_accuracy"]
        assert row["held_out_score"] == row["held_out_accuracy"]


def test_a_comparison_refers_to_the_ga_or_else_to_its_first_method(full, data):
    assert {line["reference"] for line in full.differences()} == {"ga"}
    assert {line["method"] for line in full.differences()} == METHODS.keys() - {"ga"}
    assert {line["reference"] for line in small(data).differences()} == {"random"}
    assert small(data, methods=["naive"]).differences() == []
    assert Comparison(**{**vars(full), "rows": []}).differences() == []
