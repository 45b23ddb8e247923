import sys
import warnings

import numpy as np
import pytest

from ga_ann.comparison.compare import Comparison, compare
from ga_ann.comparison.data_sets import DATASETS
from ga_ann.comparison.methods import METHODS
from ga_ann.comparison.presentation import caption
from ga_ann.comparison.splits import SPLITS
from ga_ann.fitness import neg_cost


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


def test_methods_are_paired(data, constant, seen):
    X, y, groups = data
    comparison = compare(
        X * 100,
        y,
        groups=groups,
        methods={"a": constant, "b": constant._replace(max_time=7.0)},
        splits=list(SPLITS),
        seeds=2,
        min_std=70,
        budgets={"b": 1.0},
    )
    assert len(seen) == 2 * 2 * 4
    for a, b in zip(seen[::2], seen[1::2], strict=True):
        np.testing.assert_array_equal(a.X, b.X)
        np.testing.assert_array_equal(a.y, b.y)
        assert (a.max_time, b.max_time) == (None, 1.0)
        assert a.random_state == b.random_state
        assert a.hidden_layer_sizes == (150, 60)
        assert (a.X.std(axis=0) > 70).all()
    seeds = [job.random_state for job in seen]
    assert len(set(seeds)) == 2
    assert set(seeds) == set(comparison.settings["seeds"])


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


@pytest.mark.parametrize("where", ["raised", "stop_reason", "adam"])
def test_ctrl_c_keeps_the_finished_runs(data, constant, monkeypatch, where):
    def stop(job):
        if where == "raised":
            raise KeyboardInterrupt
        if where == "adam":
            monkeypatch.setattr("sklearn.neural_network.MLPClassifier._backprop", _interrupt)
            return METHODS["adam"].train(job)
        return constant.train(job)._replace(stop_reason="interrupted")

    methods = {"a": constant, "b": constant._replace(train=stop)}
    X, y, groups = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as a user's program may
        comparison = compare(X, y, groups=groups, methods=methods, seeds=3, hidden_layer_sizes=3)
    assert comparison.interrupted
    assert [row["method"] for row in comparison.rows] == ["a"]
    assert comparison.methods() == ["a"]
    assert caption(comparison).endswith("interrupted.")


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
def test_bad_options_before_any_work(data, monkeypatch, options, message):
    module = sys.modules["ga_ann.comparison.compare"]
    monkeypatch.setattr(module, "do_run", lambda *args: pytest.fail("work was done"))
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
        {"data": DATASETS["wine"]},
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


def test_own_data_are_taken_as_they_are(data, constant, seen):
    X, y, groups = data
    options = {"methods": {"a": constant}, "seeds": 1}
    comparison = compare(X, y, **options)
    assert comparison.settings["splits"] == ["holdout"]
    np.testing.assert_array_equal(seen[0].X, X[comparison.splits["holdout", 0].train])
    assert compare(X, y, groups=groups, **options).settings["splits"] == ["rotation"]


def test_a_comparison_refers_to_the_ga_or_else_to_its_first_method(full, data):
    assert {line["reference"] for line in full.differences()} == {"ga"}
    assert {line["method"] for line in full.differences()} == METHODS.keys() - {"ga"}
    assert {line["reference"] for line in small(data).differences()} == {"random"}
    assert small(data, methods=["naive"]).differences() == []
    assert Comparison(**{**vars(full), "rows": []}).differences() == []
