"""What a file holds, in words, with nothing but the file."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

import ga_ann
from ga_ann import Checkpoint
from ga_ann.history import History
from ga_ann.preprocessing import Preprocessing
from ga_ann.storage.info import describe_file
from ga_ann.storage.model import Model, save_history, save_model
from tests.runs import evolve


def history_of(n=3, **about):
    history = History(**({"label": "GA", "settings": {"sigma": 0.3}} | about))
    for k in range(n):
        history.append(
            generation=k, best_fitness=k / 8, evaluations=1000 * k, seconds=k / 2,
            validation_score=0.125 * k,
        )  # fmt: skip
    return history


def model(**options):
    return Model([np.eye(2)], "relu", "softmax", np.array(["apple", "mango"]), **options)


FIRST = f"format 1, written by ga_ann {ga_ann.__version__}"


def test_a_history(tmp_path):
    save_history(tmp_path / "h.npz", history_of())
    assert describe_file(tmp_path / "h.npz").splitlines() == [
        f"history, {FIRST}",
        "GA: generation 2, best accuracy 0.2500, 2,000 evaluations, 1.0 s, held out 0.2500",
        "settings: sigma=0.3",
    ]
    save_history(tmp_path / "h.npz", History())
    assert describe_file(tmp_path / "h.npz").splitlines() == [
        f"history, {FIRST}",
        "settings: none",
    ]


def test_a_model(tmp_path):
    save_model(tmp_path / "m.npz", model(settings={"n": 1}, extraction={"bins": 5}))
    assert describe_file(tmp_path / "m.npz").splitlines() == [
        f"model, {FIRST}",
        "network: 2-2, relu, then softmax",
        "classes: apple, mango",
        "features of pictures: bins=5",
        "settings: n=1",
    ]
    save_model(tmp_path / "m.npz", Model([np.eye(2)], "relu", "identity", None))
    assert describe_file(tmp_path / "m.npz").splitlines()[1:] == [
        "network: 2-2, relu, then identity",
        "a regression",
        "settings: none",
    ]
    save_model(tmp_path / "m.npz", model(), history_of(metric="f1_macro", label=""))
    assert describe_file(tmp_path / "m.npz").splitlines()[-2:] == [
        "run: generation 2, best f1_macro 0.2500, 2,000 evaluations, 1.0 s, held out 0.2500",
        "settings: sigma=0.3",
    ]


def test_a_checkpoint_without_the_users_functions(tmp_path):
    """The metric is a function that nobody but this test has."""

    def mine(y_true, y_pred):
        return float(np.mean(y_true == y_pred))

    path = tmp_path / "run.npz"
    X, y = load_iris(return_X_y=True)
    evolve(
        X, y, fitness=mine, hidden_layer_sizes=(6, 5), bias=True, n_generations=2,
        callbacks=[Checkpoint(path)], population_size=9,
    )  # fmt: skip
    text = describe_file(path)
    lines = text.splitlines()
    assert lines[0] == f"checkpoint, {FIRST}"
    assert lines[1] == "population: 9 solutions of 83 genes"
    assert lines[2] == "network: 4-6-5-3 with biases"
    assert lines[3].startswith("GA: generation 2, best mine 0.")
    assert "population_size=9" in lines[4]
    assert f"numpy='{np.__version__}'" in lines[5]
    assert len(lines) == 6


def test_no_file_drives_the_terminal(tmp_path):
    hostile = "\x1b[2J\r\nhistory\x07\u202e"
    save_history(tmp_path / "h.npz", history_of(label=hostile, metric=hostile))
    classes = np.array([hostile, "b"])
    save_model(tmp_path / "m.npz", Model([np.eye(2)], "relu", "softmax", classes))
    for name, n_lines in (("h.npz", 3), ("m.npz", 4)):
        text = describe_file(tmp_path / name)
        assert "\\x1b[2J\\r\\nhistory\\x07\\u202e" in text
        lines = text.split("\n")
        assert len(lines) == n_lines
        assert all(line.isprintable() for line in lines)


def test_what_is_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        describe_file(tmp_path / "missing.npz")
    (tmp_path / "file.json").write_text(json.dumps({"format": "ga_ann"}))
    with pytest.raises(ValueError, match=r"file\.json cannot be read as a model, a history or a c"):
        describe_file(tmp_path / "file.json")


def test_a_model_with_custom_activations_is_described_without_them(tmp_path):
    weights = [np.eye(2)] * 3
    held = Model(weights, ("relu", np.sin), np.cos, np.array(["apple", "mango"]))
    save_model(tmp_path / "m.npz", held)
    line = describe_file(tmp_path / "m.npz").splitlines()[1]
    assert line == "network: 2-2-2-2, relu, custom:sin, then custom:cos"


def test_a_model_of_a_table_tells_the_columns_that_it_takes(tmp_path):
    frame = pd.DataFrame({"size": [1.0, 2.0, 3.0], "colour": ["red", "red", "blue"]})
    for given, label, columns in (
        (frame, "kind", "size, colour; the label is kind"),
        (frame, None, "size, colour"),
        (frame.set_axis([1, 3], axis=1), 0, "by their numbers from 1, 2, 4; the label is 1"),
    ):
        known = Preprocessing.fit(given, label=label)
        weights = [np.ones((3, 2))]
        held = Model(weights, "relu", "identity", np.array(["a", "b"]), preprocessing=known)
        save_model(tmp_path / "m.npz", held)
        lines = describe_file(tmp_path / "m.npz").splitlines()
        assert lines[3] == f"columns that it takes: {columns}"
        assert lines[4] == known.describe()
    wide = Preprocessing.fit(np.ones((2, 103)))
    assert wide.list_columns().endswith(", 99, 100, and 3 more")


def test_no_hidden_layer_has_no_activation(tmp_path):
    held = Model([np.eye(2)], (), "identity", np.array(["apple", "mango"]))
    save_model(tmp_path / "m.npz", held)
    assert describe_file(tmp_path / "m.npz").splitlines()[1] == "network: 2-2, then identity"


def test_a_table_of_features_is_told_from_a_damaged_model(tmp_path):
    for names in (("data", "target"), ("X", "y"), ("X", "y", "more")):
        np.savez(tmp_path / "t.npz", **dict.fromkeys(names, np.ones(2)))
        with pytest.raises(ValueError, match=r"it is a table of features and labels, .*train"):
            describe_file(tmp_path / "t.npz")
    for names in (("weights",), ("X", "target")):
        np.savez(tmp_path / "t.npz", **dict.fromkeys(names, np.ones(2)))
        with pytest.raises(ValueError, match="damaged: its checksum is wrong"):
            describe_file(tmp_path / "t.npz")
