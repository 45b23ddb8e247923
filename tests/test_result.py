"""What training returns: it predicts, and what is saved of it predicts the same."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.datasets import load_iris, load_linnerud
from sklearn.preprocessing import scale

import ga_ann
from ga_ann import GeneticMLPClassifier
from ga_ann.baseline import train_naive
from ga_ann.history import COLUMNS, History
from ga_ann.result import TrainingResult
from ga_ann.storage import Model, load_checkpoint, load_history, load_model, save_model
from tests.runs import evolve

X, CODES = load_iris(return_X_y=True)
X = scale(X)
NAMES = np.array(["setosa", "versicolor", "virginica"])[CODES]
BODIES, EXERCISES = (scale(table) for table in load_linnerud(return_X_y=True))


def classify(y=NAMES, **options):
    return evolve(
        X, y, **{"hidden_layer_sizes": (6,), "n_generations": 12, "random_state": 0, **options}
    )


def regress(y=EXERCISES, **options):
    given = {"hidden_layer_sizes": (5,), "n_generations": 12, "random_state": 0}
    return evolve(BODIES, y, task="regression", **given | options)


RESULTS = {
    "text labels": classify,
    "text labels in pandas' manner": lambda: classify(NAMES.astype(object)),
    "integers as Python's": lambda: classify(np.array([10, 20, 30], dtype=object)[CODES]),
    "booleans": lambda: classify(CODES == 1),
    "biases": lambda: classify(bias=True),
    "a set of weights": lambda: classify(weight_set="ternary", bias=True),
    "other numbers": lambda: classify(weight_set=[-0.3, 0.1, 2.5]),
    "double precision": lambda: classify(dtype="float64"),
    "a softmax": lambda: classify(output_activation="softmax", activation="tanh"),
    "scikit-learn's name": lambda: classify(activation="logistic"),
    "the tutorial": lambda: classify(recipe="tutorial"),
    "no hidden layer": lambda: classify(hidden_layer_sizes=()),
    "a target": lambda: regress(EXERCISES[:, 0]),
    "several targets": regress,
    "several targets with biases": lambda: regress(bias=True),
    "naive training": lambda: train_naive(X, NAMES, hidden_layer_sizes=(5,), random_state=0),
}


def predictions(network, samples):
    names = ["predict", "predict_scores"] + ["predict_proba"] * (network.classes is not None)
    return [getattr(network, name)(samples) for name in names]


@pytest.mark.parametrize("make", RESULTS.values(), ids=RESULTS)
def test_what_is_loaded_predicts_bit_for_bit_what_was_saved(make, tmp_path):
    result = make()
    result.save(tmp_path / "a")
    save_model(tmp_path / "b", result)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    loaded = ga_ann.load(tmp_path / "a")
    assert type(loaded) is Model
    shape = (40, result.weights[0].shape[0])
    samples = np.random.default_rng(1).normal(size=shape)
    for table in (samples, samples.astype(np.float32), np.rint(9 * samples).astype(int)):
        for mine, saved in zip(predictions(result, table), predictions(loaded, table), strict=True):
            assert mine.shape == saved.shape
            assert mine.tolist() == saved.tolist()
            assert mine.dtype == saved.dtype or mine.dtype == object


def test_the_history_comes_along_and_may_be_another(tmp_path):
    result = classify()
    result.save(tmp_path / "m")
    saved = load_history(tmp_path / "m")
    for name in COLUMNS:
        np.testing.assert_array_equal(saved[name], result.history[name])
    assert (saved.label, saved.metric) == ("GA", "accuracy")
    assert load_model(tmp_path / "m").settings == saved.settings
    save_model(tmp_path / "m", result, History(label="mine"))
    assert load_history(tmp_path / "m").label == "mine"


def test_a_result_that_went_through_a_pickle_can_be_saved(tmp_path):
    result = pickle.loads(pickle.dumps(classify()))
    result.save(tmp_path / "m")
    assert ga_ann.load(tmp_path / "m").predict(X).tolist() == result.predict(X).tolist()


def test_a_path_is_taken_as_it_is_and_a_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    one, other = classify(), classify(random_state=1)
    for name in ("model", "model.npz", "model.of.ours"):
        one.save(str(tmp_path / name))
        other.save(tmp_path / name)
        saved = ga_ann.load(str(tmp_path / name))
        assert all((V == W).all() for V, W in zip(saved.weights, other.weights, strict=True))
    assert len(list(tmp_path.iterdir())) == 3

    def fail(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr("ga_ann.storage.archive.npy.write_array", fail)
    with pytest.raises(OSError, match="no space"):
        one.save(tmp_path / "model")
    assert (ga_ann.load(tmp_path / "model").weights[0] == other.weights[0]).all()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        one.save(tmp_path / "nowhere" / "model")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        one.save(tmp_path)


def test_only_a_models_file_is_loaded(tmp_path):
    classify(callbacks=[ga_ann.Checkpoint(tmp_path / "run")])
    load_checkpoint(tmp_path / "run")
    with pytest.raises(ValueError, match="it holds a checkpoint, not a model"):
        ga_ann.load(tmp_path / "run")


@pytest.mark.parametrize(
    "wrong",
    [History(), None, TrainingResult, {"to_model": 1}, [classify]],
    ids=["a history", "None", "a class", "a dict", "a list"],
)
def test_what_has_no_network_is_not_saved(wrong, tmp_path):
    with pytest.raises(TypeError, match="model must be a Model, what training returned, or a fit"):
        save_model(tmp_path / "m", wrong)
    assert not list(tmp_path.iterdir())


def test_labels_that_need_a_pickle_are_refused_and_their_like_are_not(tmp_path):
    labels = np.array(["fig", "pear"], dtype=object)
    about = {"history": History(), "best_fitness": 1.0, "stop_reason": "done"}
    network = {"weights": [np.eye(2)], "activation": "relu", "output_activation": "identity"}
    assert TrainingResult(**network, **about, classes=labels).to_model().classes.dtype.kind == "U"
    for hidden in (b"pear", ("pear",), "pear\0"):
        labels[1] = hidden
        with pytest.raises(TypeError, match=r"classes must be an array of .* got object"):
            TrainingResult(**network, **about, classes=labels).save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_a_model_may_be_told_more():
    columns = np.array([3, 0, 1, 2])
    model = classify().to_model(columns=columns, settings={"mine": 1})
    assert model.columns is columns
    assert model.settings == {"mine": 1}
    np.testing.assert_array_equal(
        model.predict_scores(X[:, np.argsort(columns)]), classify().predict_scores(X)
    )


TABLE = pd.DataFrame(X, columns=["long", "wide", "länge", "breite"])
OF_TABLES = {
    "evolve": lambda: evolve(TABLE, NAMES, hidden_layer_sizes=(6,), n_generations=12),
    "naive training": lambda: train_naive(TABLE, NAMES, hidden_layer_sizes=(5,), n_iterations=2),
    "an estimator": lambda: GeneticMLPClassifier((6,), n_generations=12).fit(TABLE, NAMES),
}


@pytest.mark.parametrize("make", OF_TABLES.values(), ids=OF_TABLES)
def test_what_learned_from_a_dataframe_refuses_its_columns_in_another_order(make, tmp_path):
    network = make()
    network.save(tmp_path / "m")
    models = [network.to_model(), ga_ann.load(tmp_path / "m")]
    others = [] if isinstance(network, GeneticMLPClassifier) else [network]
    for known in models + others:
        assert known.feature_names.tolist() == list(TABLE)
        for same in (TABLE, TABLE.to_numpy(), TABLE.set_axis(range(4), axis=1)):
            assert known.predict(same).tolist() == network.predict(TABLE).tolist()
        for name in ("predict", "predict_proba", "predict_scores"):
            with pytest.raises(ValueError, match=r"in the order of the training.*\['long', 'wide'"):
                getattr(known, name)(TABLE[TABLE.columns[::-1]])
        with pytest.raises(ValueError, match=r"lacks \['länge'\] and has \['Länge'\] besides"):
            known.predict(TABLE.rename(columns={"länge": "Länge"}))


def test_columns_that_have_no_names_of_text_are_known_by_their_places():
    for columns in (range(4), ["long", "wide", "high", 3]):
        result = evolve(TABLE.set_axis(columns, axis=1), NAMES, n_generations=1)
        assert result.feature_names is None
        assert result.predict(TABLE).tolist() == result.predict(X).tolist()


@pytest.mark.parametrize("train", [evolve, train_naive])
def test_validation_data_in_another_order_are_refused(train):
    wrong = (TABLE[TABLE.columns[::-1]], NAMES)
    with pytest.raises(ValueError, match="X of validation_data must have the columns in the order"):
        train(TABLE, NAMES, validation_data=wrong)


def test_a_model_is_told_other_columns_instead_of_the_names():
    result = OF_TABLES["evolve"]()
    columns = np.array([3, 0, 1, 2])
    assert result.to_model(columns=columns).feature_names is None
    mask, names = np.array([True] * 4 + [False]), np.array(list("abcde"))
    model = result.to_model(columns=mask, feature_names=names)
    with pytest.raises(ValueError, match="order"):
        model.predict(pd.DataFrame(np.zeros((1, 5)), columns=list("bacde")))
    for wrong, error in ((names[:4], ValueError), (list("abcde"), TypeError)):
        with pytest.raises(error, match="feature_names must"):
            result.to_model(columns=mask, feature_names=wrong)


@pytest.mark.parametrize("make", [*OF_TABLES.values(), lambda: classify(dtype="float64")])
def test_a_model_shares_nothing_with_what_it_is_of(make):
    network = make()
    one, other = network.to_model(), network.to_model()
    before = other.predict_scores(X).copy()
    settings = repr(other.settings)
    owner = getattr(network, "_result", network)
    for W in one.weights:
        W[...] = 0
    one.classes[...] = one.classes[0]
    one.settings["hidden_layer_sizes"] = "changed"
    if one.feature_names is not None:
        assert not np.shares_memory(one.feature_names, owner.feature_names)
        one.feature_names[...] = "x"
    np.testing.assert_array_equal(network.to_model().predict_scores(X), before)
    assert repr(network.to_model().settings) == settings == repr(owner.history.settings)
    assert network.to_model().classes.tolist() == other.classes.tolist()


def test_settings_are_copied_to_their_innermost_values():
    result = train_naive(X, NAMES, hidden_layer_sizes=(5,), n_iterations=1)
    result.to_model().settings["hidden_layer_sizes"].append(7)
    assert result.history.settings["hidden_layer_sizes"] == [5]


def test_probabilities_are_the_softmax_of_the_scores():
    result = classify()
    probabilities = result.predict_proba(X)
    np.testing.assert_array_equal(probabilities, softmax(result.predict_scores(X), axis=1))
    assert (result.classes[probabilities.argmax(axis=1)] == result.predict(X)).all()
    flat = classify(output_activation="softmax")
    np.testing.assert_array_equal(flat.predict_proba(X), flat.predict_scores(X))


def test_a_regression_has_no_probabilities(tmp_path):
    result = regress()
    result.save(tmp_path / "m")
    for network in (result, ga_ann.load(tmp_path / "m")):
        with pytest.raises(ValueError, match="no probabilities of them; use predict"):
            network.predict_proba(BODIES)


def test_a_result_tells_how_long_it_trained():
    assert repr(classify(n_generations=1)).startswith("EvolutionResult(1 generation, best")
    assert repr(classify(n_generations=0)).startswith("EvolutionResult(0 generations, best")
    naive = train_naive(X, NAMES, hidden_layer_sizes=(5,), n_iterations=3, random_state=0)
    assert repr(naive).startswith("TrainingResult(3 iterations, best")


def test_result_predicts_labels_with_its_own_activations():
    result = TrainingResult(
        weights=[np.array([[1.0, -1.0]]), np.eye(2)],
        history=History(),
        best_fitness=1.0,
        classes=np.array(["fig", "pear"]),
        activation="relu",
        output_activation="softmax",
        stop_reason="target_fitness",
    )
    X = [[2.0], [-3.0], [0.0]]
    assert result.predict(X).tolist() == ["fig", "pear", "fig"]
    e2, e3 = np.exp([2.0, 3.0])
    expected = [[e2 / (e2 + 1), 1 / (e2 + 1)], [1 / (e3 + 1), e3 / (e3 + 1)], [0.5, 0.5]]
    np.testing.assert_allclose(result.predict_scores(X), expected)


def test_result_refuses_what_is_no_number():
    result = TrainingResult([np.eye(2)], History(), 1.0, np.arange(2), "relu", "identity", "done")
    for X, message in (
        ([[0.0, np.nan]], "NaN"),
        ([[np.inf, 0.0]], "infinity"),
        ([0.0, 1.0], "2D array"),
        ([[0.0]], r"shape \(n_samples, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            result.predict(X)
        with pytest.raises(ValueError, match=message):
            result.predict_scores(X)
