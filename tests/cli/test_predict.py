import csv
import io
import json
import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_iris

from ga_ann.datasets import hue_histogram
from ga_ann.storage.model import Model, load_model, save_model


def test_predict_pictures(ga, colour_model, pictures):
    paths = [pictures / "green" / "0.png", pictures / "red" / "3.png"]
    code, text, _ = ga("predict", colour_model, *paths)
    assert code == 0
    lines = [line.split() for line in text.splitlines()]
    assert [(name, label) for name, label, _ in lines] == [
        (str(paths[0]), "green"),
        (str(paths[1]), "red"),
    ]
    counts = [hue_histogram(Image.open(path), bins=12, hue_range=(0, 1)) for path in paths]
    expected = load_model(colour_model).predict_proba(np.array(counts, dtype=float)).max(axis=1)
    assert [float(p) for *_, p in lines] == pytest.approx(expected, abs=1e-4)


def test_predict_a_folder_and_its_table_alike(ga, terminal, colour_model, pictures):
    code, of_folder, err = ga("predict", colour_model, pictures)
    assert code == 0
    assert "extracting" in err
    assert err.endswith("12 of 12 right (100.00 %)\n")
    _, of_table, _ = ga("predict", colour_model, colour_model.with_name("table.npz"))
    assert of_table == of_folder


def test_predict_csv_and_json_agree(ga, colour_model, pictures):
    _, as_csv, _ = ga("predict", colour_model, pictures, "--format", "csv")
    _, as_json, _ = ga("predict", colour_model, pictures, "--format", "json")
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    assert rows == [{k: str(v) for k, v in row.items()} for row in json.loads(as_json)]
    assert len(rows) == 12
    assert rows[0]["name"] == "green/0.png"


def test_predict_does_not_score_other_labels(ga, iris, tmp_path):
    weights = [np.ones((4, 3))]
    save_model(tmp_path / "m.npz", Model(weights, "relu", "identity", np.array(["a", "b", "c"])))
    code, text, err = ga("predict", tmp_path / "m.npz", iris)
    assert (code, err.split("; ")[0]) == (0, "no label is known to tell the accuracy")
    assert "150 with labels that the model does not know: 0, 1, 2" in err
    assert len(text.splitlines()) == 150


def test_predict_refuses(fails, colour_model, pictures, iris, tmp_path):
    picture = pictures / "red" / "0.png"
    assert "--format must be one of ['csv'" in fails(
        "predict", colour_model, picture, "--format", "xml"
    )
    assert "No such file" in fails("predict", tmp_path / "m.npz", picture)
    assert "cannot be read as" in fails("predict", iris, picture)
    assert "0.gif" in fails("predict", colour_model, tmp_path / "0.gif")
    assert "one table or folder" in fails("predict", colour_model, picture, iris)
    assert "--target goes with" in fails("predict", colour_model, picture, "--target", "y.npy")
    assert "extract it anew" in fails("predict", colour_model, "fruits360")
    assert "must have 12 columns" in fails("predict", colour_model, iris)
    model = Model([np.ones((4, 3))], "relu", "identity", np.arange(3))
    save_model(tmp_path / "m.npz", model)
    assert "trained on a table" in fails("predict", tmp_path / "m.npz", picture)
    odd = Model([np.ones((4, 3))], "relu", "identity", np.arange(3), extraction={"size": 1})
    save_model(tmp_path / "m.npz", odd)
    assert "bins and hue_range" in fails("predict", tmp_path / "m.npz", picture)


def test_predict_without_labels(ga, iris, tmp_path):
    X, y = load_iris(return_X_y=True)
    out = tmp_path / "m.npz"
    assert ga("train", iris, "-o", out, "--hidden", "5", "--generations", 2, "--seed", 0)[0] == 0
    code, expected, err = ga("predict", out, iris)
    assert code == 0
    assert err.endswith(" %)\n")
    np.save(tmp_path / "X.npy", X)
    (tmp_path / "X.pkl").write_bytes(pickle.dumps(X))
    np.savez(tmp_path / "data.npz", data=X)
    np.savez(tmp_path / "X.npz", X=X)
    lines = [",".join(map(str, row)) for row in X.tolist()]
    (tmp_path / "X.csv").write_text("\n".join(lines))
    (tmp_path / "named.csv").write_text("\n".join(["a,b,c,d", *lines]))
    for name in ("X.npy", "X.pkl", "data.npz", "X.npz", "X.csv", "named.csv"):
        assert ga("predict", out, tmp_path / name) == (0, expected, "")
    with_labels = [f"{line},{label}" for line, label in zip(lines, y, strict=True)]
    (tmp_path / "Xy.csv").write_text("\n".join(with_labels))
    assert ga("predict", out, tmp_path / "Xy.csv") == (0, expected, err)


def test_predict_a_flat_folder(ga, fails, colour_model, pictures, tmp_path):
    code, text, err = ga("predict", colour_model, pictures / "red")
    assert (code, err) == (0, "")
    assert text == ga("predict", colour_model, *sorted((pictures / "red").iterdir()))[1]
    assert "holds no picture" in fails("predict", colour_model, tmp_path)


def test_labels_with_leading_zeros_stay_apart(ga, tmp_path):
    rows = [f"{x},{label}" for k in range(8) for x, label in ((k, "001"), (k + 50, "1"))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    ga("train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", "--generations", 1, "--hidden", "")
    assert load_model(tmp_path / "m.npz").classes.tolist() == ["001", "1"]
    (tmp_path / "ones.csv").write_text("\n".join(row for row in rows if row.endswith(",1")))
    assert " of 8 right" in ga("predict", tmp_path / "m.npz", tmp_path / "ones.csv")[2]
