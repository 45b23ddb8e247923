import math
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.metrics import (
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)
from sklearn.preprocessing import StandardScaler

from ga_ann.comparison.compare import compare
from ga_ann.comparison.methods import METHODS, REGRESSION_METHODS, Method
from ga_ann.comparison.presentation import caption


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
        assert history.label == METHODS[row["method"]].label


def test_the_test_part_is_scaled_like_the_training_part(constant):
    measured = []

    def train(job):
        trained = constant.train(job)
        return trained._replace(predict=lambda X: (measured.append(X), trained.predict(X))[1])

    comparison = compare(data="wine", methods={"a": Method("A", train)}, seeds=1)
    split = comparison.splits["holdout", 0]
    X = load_wine().data
    scaler = StandardScaler().fit(X[split.train])
    np.testing.assert_allclose(measured[0], scaler.transform(X[split.test]))


def by_scikit_learn(name, y, outputs):
    probabilities = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    if name == "f1_macro":
        return f1_score(y, outputs.argmax(axis=1), average="macro")
    if name == "roc_auc":
        return roc_auc_score(y, probabilities, multi_class="ovr")
    return -log_loss(y, probabilities)


@pytest.mark.parametrize("name", ["f1_macro", "roc_auc", "neg_log_loss"])
def test_every_method_is_measured_by_the_fitness(data, budgets, name):
    X, y, _ = data
    kept = []

    def keep(method):
        def train(job):
            kept.append((job, method.train(job)))
            return kept[-1][1]

        return method._replace(train=train)

    methods = {key: keep(method) for key, method in METHODS.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        comparison = compare(
            X, y, methods=methods, fitness=name, seeds=1, hidden_layer_sizes=(6,), budgets=budgets
        )
    assert comparison.settings["fitness"] == name
    assert f"fitness {name}" in caption(comparison)
    split = comparison.splits["holdout", 0]
    for row, (job, trained) in zip(comparison.rows, kept, strict=True):
        for score, samples, known in (
            (row["train_score"], job.X, job.y),
            (row["held_out_score"], X[split.test], y[split.test]),
        ):
            outputs = np.asarray(trained.predict_scores(samples), dtype=np.float64)
            assert score == pytest.approx(by_scikit_learn(name, known, outputs), abs=1e-6)
        is_ga = row["method"] in ("tutorial-ga", "classic", "ga")
        maximised = name if is_ga else "accuracy"
        assert trained.history.metric == maximised
        history = comparison.histories[row["method"], "holdout", 0]
        assert history.metric == name
        assert history.last["best_fitness"] == pytest.approx(row["train_score"], abs=1e-5)


@pytest.mark.parametrize("fitness", ["accuracy", "neg_log_loss"])
def test_a_class_that_the_training_part_lacks_is_never_predicted(budgets, fitness):
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
            budgets=budgets,
        )
    for row in comparison.rows:
        if fitness == "accuracy":
            assert row["train_score"] == row["train_accuracy"]
            assert row["held_out_score"] == row["held_out_accuracy"]
        assert np.isfinite([row["train_score"], row["held_out_score"]]).all()
        if row["split"] == "rotation 0->1" and row["method"] not in ("tutorial-ga", "classic"):
            assert not (comparison.predictions[row["method"], row["split"], 0] == 1).any()
            assert row["n_wrong"] >= 4


def test_a_metric_is_given_the_labels(data, budgets):
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
        budgets=budgets,
    )
    assert comparison.settings["fitness"] == "knows"
    for row in comparison.rows:
        assert row["train_score"] == row["train_accuracy"]
        assert row["held_out_score"] == row["held_out_accuracy"]


# ---------------------------------------------------------------- of a regression


def test_rows_of_a_regression_agree_with_the_predictions(measured):
    for row in measured.rows:
        split = measured.splits[row["split"], row["seed"]]
        predicted = measured.predictions[row["method"], row["split"], row["seed"]]
        true = measured.y[split.test]
        rmse = math.sqrt(mean_squared_error(true, predicted))
        if split.kind == "all":
            assert math.isnan(row["held_out_rmse"])
            assert math.isnan(row["held_out_score"])
            assert row["train_rmse"] == pytest.approx(rmse)
            assert row["train_score"] == pytest.approx(r2_score(true, predicted))
        else:
            assert row["held_out_rmse"] == pytest.approx(rmse)
            assert row["held_out_score"] == pytest.approx(r2_score(true, predicted))
            assert row["train_score"] == pytest.approx(
                1 - row["train_rmse"] ** 2 / measured.y[split.train].var()
            )


def test_histories_of_a_regression_agree_with_the_rows(measured):
    for row in measured.rows:
        history = measured.histories[row["method"], row["split"], row["seed"]]
        assert history.metric == "r2"
        assert history.last["best_fitness"] == pytest.approx(row["train_score"], abs=1e-5)
        assert history.label == REGRESSION_METHODS[row["method"]].label


def mean_loss(y_true, y_pred):
    return -mean_absolute_error(y_true, y_pred)


@pytest.mark.parametrize(
    ("fitness", "name"),
    [
        ("neg_mean_absolute_error", "neg_mean_absolute_error"),
        ("neg_mean_absolute_percentage_error", "neg_mean_absolute_percentage_error"),
        (mean_loss, "mean_loss"),
    ],
)
def test_any_score_of_a_regression_measures_every_method(data, fitness, name):
    X, _, _ = data
    y = 10 + X[:, 3]
    comparison = compare(
        X,
        y,
        task="regression",
        fitness=fitness,
        methods=["mean", "adam", "ga"],
        budgets={"ga": 0.05},
        hidden_layer_sizes=4,
        seeds=1,
    )
    assert comparison.settings["fitness"] == name
    assert f"fitness {name}" in caption(comparison)
    split = comparison.splits["holdout", 0]
    true = y[split.test]
    for row in comparison.rows:
        errors = np.abs(true - comparison.predictions[row["method"], "holdout", 0])
        errors /= true if "percentage" in name else 1
        assert row["held_out_score"] == pytest.approx(-errors.mean())
        history = comparison.histories[row["method"], "holdout", 0]
        assert history.metric == name
        assert history.last["best_fitness"] == pytest.approx(row["train_score"], abs=1e-5)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_method_that_does_not_answer_for_each_sample_is_named(data, constant, task):
    X, y, _ = data

    def train(job):
        trained = constant.train(job)
        return trained._replace(predict=lambda X: trained.predict(X)[:, None])

    options = {"task": task, "seeds": 1, "hidden_layer_sizes": 3}
    message = r"the method 'odd' must predict .* shape \(38,\), got \(38, 1\)"
    with pytest.raises(ValueError, match=message):
        compare(X, y, methods={"odd": constant._replace(train=train)}, **options)
    assert compare(X, y, methods={"odd": constant}, **options).rows


def answering(constant, **answers):
    """Return a method that turns what another one answers into something else."""

    def train(job):
        trained = constant.train(job)
        wrapped = {
            name: lambda X, name=name, turn=turn: turn(getattr(trained, name)(X))
            for name, turn in answers.items()
        }
        return trained._replace(**wrapped)

    return constant._replace(train=train)


def with_nan(answer):
    answer = answer.astype(float)
    answer.flat[3] = np.nan
    return answer


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("split", ["holdout", "all"])
@pytest.mark.parametrize(
    ("function", "turn", "got"),
    [
        ("predict_scores", lambda a: a[:, 0], r"\(\d+,\) of float64"),
        ("predict_scores", lambda a: a.T, r"\([13], \d+\) of float64"),
        ("predict_scores", lambda a: np.hstack([a, a]), r"\(\d+, [26]\) of float64"),
        ("predict_scores", lambda a: a[:-1], r"\(\d+, [13]\) of float64"),
        ("predict_scores", lambda a: a[None], r"\(1, \d+, [13]\) of float64"),
        ("predict_scores", lambda a: None, r"\(\) of object, such as None"),
        ("predict_scores", with_nan, r"\(\d+, [13]\) of float64 with NaN"),
        ("predict_scores", lambda a: a * 1j, r"of complex128"),
        ("predict", lambda a: a[:-1], r"\(\d+,\) of (float|int)64"),
        ("predict", with_nan, r"of float64 with NaN"),
        ("predict", lambda a: a.astype(str), r"of <U\d+, such as"),
        ("predict", lambda a: 0, r"\(\) of int64, such as 0"),
    ],
)
def test_a_method_that_answers_wrongly_is_named(data, constant, task, split, function, turn, got):
    X, y, _ = data
    options = {"task": task, "seeds": 1, "hidden_layer_sizes": 3, "splits": [split]}
    by = " by predict_scores" if function == "predict_scores" else ""
    for answer, is_wrong in ((turn, True), (lambda a: a.tolist(), False)):
        method = answering(constant, **{function: answer})
        if is_wrong:
            with pytest.raises(ValueError, match=f"the method 'odd' must .*{by}.*got .*{got}"):
                compare(X, y, methods={"odd": method}, **options)
        else:
            assert compare(X, y, methods={"odd": method}, **options).rows


@pytest.mark.parametrize("answer", [-1, 3, 0.5])
def test_a_class_that_there_is_not_is_refused_in_a_prediction(data, constant, answer):
    X, y, _ = data
    odd = answering(constant, predict=lambda a: np.where(np.arange(len(a)) == 2, answer, a))
    with pytest.raises(ValueError, match=r"the method 'odd' must predict .* an index below 3"):
        compare(X, y, methods={"odd": odd}, seeds=1)
    last = answering(constant, predict=lambda a: np.where(np.arange(len(a)) == 2, 2.0, a))
    predicted = compare(X, y, methods={"a": last}, seeds=1).predictions["a", "holdout", 0]
    assert predicted.dtype == np.intp
    assert compare(X, y, task="regression", methods={"a": odd}, seeds=1).rows


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_what_a_method_writes_into_changes_nothing(data, constant, task):
    X, y, _ = data
    y = y if task == "classification" else X[:, 3]
    options = {"task": task, "seeds": 2, "hidden_layer_sizes": 3, "splits": ["holdout", "all"]}
    kept = []

    def train(job):
        trained = constant.train(job)
        answer = np.zeros(len(X)) if task == "classification" else np.full(len(X), 7.0)
        kept.append(trained.history)

        def predict(samples):
            kept.append(answer[: len(samples)])
            samples[:] = np.nan
            return kept[-1]

        def predict_scores(samples):
            assert np.isfinite(samples).all()
            assert samples.any()  # what it was trained on is as it was
            outputs = trained.predict_scores(samples)
            samples[:] = np.nan
            return outputs

        job.X[:], job.y[:] = 0, 0
        return trained._replace(predict=predict, predict_scores=predict_scores)

    mine = y.copy()
    plain, written = (
        compare(X, mine, methods={"a": constant._replace(train=f)}, **options)
        for f in (constant.train, train)
    )
    np.testing.assert_array_equal(mine, y)
    mine[:] = 99
    for answer in kept:
        if isinstance(answer, np.ndarray):
            answer[:] = 99
        else:
            assert answer.label == ""
            answer.append(generation=1, evaluations=9)
    for row, other in zip(written.rows, plain.rows, strict=True):
        np.testing.assert_equal(row | {"seconds": 0}, other | {"seconds": 0})
    np.testing.assert_array_equal(written.y, y)
    for key, predicted in written.predictions.items():
        np.testing.assert_array_equal(predicted, plain.predictions[key])
        assert len(written.histories[key]) == 1
