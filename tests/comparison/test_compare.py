import signal
import sys
import threading
import warnings

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from threadpoolctl import threadpool_info

from ga_ann.comparison.compare import Comparison, compare
from ga_ann.comparison.data_sets import DATASETS
from ga_ann.comparison.methods import METHODS, METHODS_OF, REGRESSION_METHODS, Method, Trained
from ga_ann.comparison.presentation import caption
from ga_ann.comparison.splits import SPLITS
from ga_ann.ctrl_c import is_one_of_many
from ga_ann.evolution import evolve
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.fitness import neg_cost, neg_mean_pinball_loss


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


def test_a_regression_has_rows_of_its_own_methods(measured):
    names = ["rotation 0->1", "rotation 1->0", "holdout", "all"]
    expected = [(m, name, seed) for seed in (0, 1) for name in names for m in REGRESSION_METHODS]
    assert [(row["method"], row["split"], row["seed"]) for row in measured.rows] == expected
    assert set(measured.histories) == set(measured.predictions) == set(expected)
    assert (measured.settings["task"], measured.settings["fitness"]) == ("regression", "r2")
    assert measured.target_names == []
    keys = ["method", "split", "seed", "train_score", "held_out_score", "train_rmse"]
    keys += ["held_out_rmse", "evaluations", "seconds", "stop_reason"]
    assert all(list(row) == keys for row in measured.rows)


def test_the_rows_of_a_classification_are_what_they_were(full):
    keys = ["method", "split", "seed", "train_score", "held_out_score", "train_accuracy"]
    keys += ["held_out_accuracy", "n_wrong", "evaluations", "seconds", "stop_reason"]
    assert all(list(row) == keys for row in full.rows)


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


@pytest.mark.parametrize("method", ["ga", "adam"])
def test_ctrl_c_ends_a_regression_as_well(constant, monkeypatch, method):
    evaluate = Evaluator.__call__

    def evaluate_later(*args, **options):
        monkeypatch.setattr(Evaluator, "__call__", evaluate)
        signal.raise_signal(signal.SIGINT)
        return evaluate(*args, **options)

    def stop(job):
        monkeypatch.setattr("sklearn.neural_network.MLPRegressor._backprop", _interrupt)
        monkeypatch.setattr(Evaluator, "__call__", evaluate_later)
        return REGRESSION_METHODS[method].train(job)

    methods = {"a": constant, "b": constant._replace(train=stop)}
    comparison = compare(data="diabetes", methods=methods, seeds=2)
    assert comparison.interrupted
    assert [row["method"] for row in comparison.rows] == ["a"]


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
        ({"n_jobs": 0}, "n_jobs must be a number of runs, or -1 for one a core; got 0"),
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
        {"n_jobs": 1.5},
        {"n_jobs": True},
        {"n_jobs": "2"},
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


# ---------------------------------------------------------------- the task


def test_the_task_is_that_of_the_data_set_unless_told_otherwise(constant, seen):
    methods = {"a": constant}
    for data, task in (("diabetes", "regression"), ("wine", "classification")):
        for told in (None, task):
            assert compare(data=data, task=told, methods=methods, seeds=1).settings["task"] == task
    assert [job.task for job in seen] == ["regression"] * 2 + ["classification"] * 2
    assert [job.n_classes for job in seen] == [None, None, 3, 3]
    assert compare([[1.0], [2.0]] * 4, [1, 2] * 4, methods=methods, seeds=1).settings["task"] == (
        "classification"
    )


def test_the_networks_of_measured_numbers_have_biases(data, constant, seen):
    X, y, _ = data
    for task in ("classification", "regression"):
        settings = compare(X, y, task=task, methods={"a": constant}, seeds=1).settings
        assert settings["bias"] == (task == "regression")
    assert [job.bias for job in seen] == [False, True]


def test_a_job_of_a_regression_holds_the_targets_as_they_are(data, constant, seen):
    X, _, _ = data
    comparison = compare(X, X[:, 3], task="regression", methods={"a": constant}, seeds=1)
    np.testing.assert_array_equal(seen[0].y, X[comparison.splits["holdout", 0].train, 3])
    np.testing.assert_array_equal(comparison.y, X[:, 3])


def test_a_column_of_targets_is_the_targets(data, constant):
    X, _, _ = data
    options = {"task": "regression", "methods": {"a": constant}, "seeds": 1}
    flat, column = (compare(X, y, **options) for y in (X[:, 3], X[:, 3:]))
    assert flat.rows[0] | {"seconds": 0} == column.rows[0] | {"seconds": 0}


MEASURED = np.linspace(0, 1, 150)


@pytest.mark.parametrize(
    ("y", "look_alike", "options", "message"),
    [
        (["1.5", "low"] * 75, [1.5, 0] * 75, {}, "needs numbers as targets, got the text '1.5'"),
        (np.array([1.5, "a"] * 75, object), [1.5, 0] * 75, {}, "needs numbers as targets"),
        (
            np.arange(300.0).reshape(150, 2),
            np.arange(150.0)[:, None],
            {},
            "one target a sample, got 2 columns",
        ),
        (np.full(150, 3.0), MEASURED, {}, "at least 2 different targets, got 1"),
        ([np.nan, *MEASURED[1:]], MEASURED, {}, "NaN"),
        (
            np.where(np.arange(150) % 2, 5, MEASURED),
            np.where(np.arange(150) % 2, 5 + MEASURED, MEASURED),
            {"splits": ["rotation"]},
            r"(training|test) part of the split 'rotation .* must hold at least 2 different",
        ),
        (-MEASURED, MEASURED, {"fitness": "neg_root_mean_squared_log_error"}, "NaN from it"),
    ],
)
def test_targets_that_are_none_are_refused_before_any_work(
    data, constant, seen, y, look_alike, options, message
):
    X, _, groups = data
    options = {"task": "regression", "groups": groups, "splits": ["holdout"], "seeds": 1} | options
    with pytest.raises(ValueError, match=message):
        compare(X, y, methods={"a": constant}, **options)
    assert seen == []
    compare(X, look_alike, methods={"a": constant}, **options)
    assert seen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "sorting"}, r"task must be one of \['classification', 'regression'\]"),
        ({"task": "regression", "fitness": "accuracy"}, "must be one of .*'r2'.*got 'accuracy'"),
        (
            {"task": "classification", "fitness": neg_mean_pinball_loss(0.5)},
            "fitness must be a score of classification",
        ),
        ({"task": "regression", "target_names": ["a", "b", "c"]}, "take the task classification"),
        ({"task": "regression", "budgets": {"tutorial-ga": 1}}, "a budget's method must be one of"),
    ],
)
def test_what_is_of_the_other_task_is_refused(data, constant, seen, options, message):
    X, y, _ = data
    with pytest.raises(ValueError, match=message):
        compare(X, y, methods={"a": constant}, seeds=1, **options)
    assert seen == []


@pytest.mark.parametrize("name", [n for n, known in DATASETS.items() if n != "diabetes"])
def test_classes_with_names_are_no_numbers_to_predict(constant, seen, name):
    with pytest.raises(ValueError, match=r"these data have classes, .* the task classification"):
        compare(data=name, task="regression", methods={"a": constant}, seeds=1)
    assert seen == []


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.append(np.arange(149) % 3, 0.5), "got numbers that were measured, such as 0.5"),
        (np.append(np.arange(149) % 3, 7), r"single sample.*1 of 4 classes.*the task regression"),
    ],
)
def test_numbers_that_were_measured_are_no_classes(data, constant, seen, y, message):
    X, _, _ = data
    options = {"methods": {"a": constant}, "seeds": 1}
    with pytest.raises(ValueError, match=message):
        compare(X, y, **options)
    assert seen == []
    compare(X, y, task="regression", **options)
    compare(X, np.where(np.arange(150) < 149, y, 0), **options)
    assert len(seen) == 2


def test_every_method_of_a_task_is_refused_or_done_by_the_other(data):
    X, y, _ = data
    for task, table in METHODS_OF.items():
        others = {name for names in METHODS_OF.values() for name in names} - table.keys()
        assert others
        for name in others:
            with pytest.raises(ValueError, match=f"in a {task}, for which '{name}' is not made"):
                compare(X, y, task=task, methods=[name], seeds=1)


# ---------------------------------------------------------------- several runs at a time


def outcome(comparison):
    """Return all that does not depend on the clock."""
    return (
        [{k: v for k, v in row.items() if k != "seconds"} for row in comparison.rows],
        [(key, list(found)) for key, found in comparison.predictions.items()],
        [
            (key, h.label, h.metric, h.settings, h["best_fitness"].tolist())
            for key, h in comparison.histories.items()
        ],
        {k: v for k, v in comparison.settings.items() if k != "n_jobs"},
        comparison.interrupted,
    )


@settings(max_examples=8)
@given(
    methods=st.lists(
        st.sampled_from(["random", "naive", "adam", "evolved"]), min_size=1, unique=True
    ),
    splits=st.lists(st.sampled_from(list(SPLITS)), min_size=1, unique=True),
    seeds=st.integers(1, 3),
    random_state=st.integers(0, 99),
    fitness=st.sampled_from([None, lambda y_true, y_pred: float(np.mean(y_true == y_pred))]),
)
def test_runs_at_a_time_are_those_one_after_another(methods, splits, seeds, random_state, fitness):
    X, y = load_iris(return_X_y=True)
    known = {name: METHODS.get(name, Method("evolved", evolve_a_little())) for name in methods}
    options = {
        "groups": np.arange(len(y)) % 2,
        "methods": known,
        "splits": splits,
        "seeds": seeds,
        "fitness": fitness,
        "hidden_layer_sizes": 3,
        "random_state": random_state,
    }
    one, two = (compare(X, y, n_jobs=n, **options) for n in (None, 2))
    np.testing.assert_equal(outcome(two), outcome(one))
    assert (one.settings["n_jobs"], two.settings["n_jobs"]) == (1, 2)


def evolve_a_little():
    def train(job):
        result = evolve(
            job.X,
            job.y,
            classes=np.arange(job.n_classes),
            hidden_layer_sizes=job.hidden_layer_sizes,
            n_generations=5,
            random_state=job.random_state,
        )
        return Trained(result.predict, result.predict_scores, result.history, result.stop_reason)

    return train


def where(constant, told):
    """Return a method that tells which thread it runs in, and whether joblib has called it."""

    def train(job):
        told.append((threading.current_thread() is threading.main_thread(), is_one_of_many()))
        return constant.train(job)

    return {"a": constant._replace(train=train)}


def test_a_context_of_joblib_says_who_does_the_runs(data, constant):
    told = []
    methods = where(constant, told)
    small(data, methods=methods, seeds=3)
    # Without joblib's functions, for which SIGTERM would end the process.
    assert set(told) == {(True, False)}
    expected = told[:]
    with joblib.parallel_config("threading", n_jobs=2):
        told.clear()
        small(data, methods=methods, seeds=3)
        assert set(told) == {(False, True)}
        told.clear()
        small(data, methods=methods, seeds=3, n_jobs=1)
        assert told == expected
        told.clear()
    small(data, methods=methods, seeds=3)
    assert told == expected


def test_runs_in_threads_leave_blas_as_it_was(data, constant):
    before = blas_threads()
    inside = []

    def train(job):
        inside.extend(blas_threads())
        return constant.train(job)

    with joblib.parallel_config("threading", n_jobs=3):
        small(data, methods={"a": constant._replace(train=train)}, seeds=6)
    assert set(inside) == {1}
    assert blas_threads() == before


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


@pytest.mark.parametrize("what", ["the method 'held'", "fitness"])
def test_what_cannot_be_sent_to_processes_is_refused_before_any_work(
    data, constant, monkeypatch, what
):
    held = threading.Lock()

    def hold(function):
        return lambda *args: function(*args) if held else None

    def judge(y_true, y_pred):
        return float(np.mean(y_true == y_pred))

    options = {"methods": {"held": constant}, "fitness": judge, "seeds": 1}
    if what == "fitness":
        options["fitness"] = hold(judge)
    else:
        options["methods"] = {"held": constant._replace(train=hold(constant.train))}
    message = f"^{what} must be something that can be pickled.*lock.*or take n_jobs=1"
    module = sys.modules["ga_ann.comparison.compare"]
    with monkeypatch.context() as patch:
        patch.setattr(module, "_do_runs", lambda *args: pytest.fail("work was done"))
        with pytest.raises(TypeError, match=message):
            small(data, n_jobs=2, **options)
    expected = outcome(small(data, **options))
    assert outcome(small(data, n_jobs=1, **options)) == expected
    with joblib.parallel_config("threading"):
        assert outcome(small(data, n_jobs=2, **options)) == expected
    held = 1
    np.testing.assert_equal(outcome(small(data, n_jobs=2, **options)), expected)


def test_progress_of_several_at_a_time_counts_the_finished_runs(data, constant, capsys):
    with joblib.parallel_config("threading", n_jobs=2):
        small(data, verbose=True)
    err = capsys.readouterr().err
    assert [f"{n} of 4 runs" in err for n in (0, 1, 2, 3, 4)] == [True] * 5
    assert "naive, rotation 1->0, seed 0" in err


def test_an_error_in_a_process_is_the_one_that_is_raised(data, constant):
    def train(job):
        return constant.train(job)._replace(predict=lambda X: np.zeros((len(X), 2)))

    with pytest.raises(ValueError, match="the method 'odd' must predict one answer a sample"):
        small(data, methods={"odd": constant._replace(train=train)}, n_jobs=2)
