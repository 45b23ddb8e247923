import csv
import io
import json
import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import r2_score

from ga_ann import GeneticMLPClassifier, cli
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


def test_bins_that_do_not_go_with_the_network_are_refused_before_they_are_made(
    fails, pictures, tmp_path
):
    for bins, columns in ((10**7, None), (8, None), (6, None), (7, np.arange(24) < 21)):
        extraction = {"features": "hsv", "bins": bins, "hue_range": [0, 1]}
        weights, classes = [np.ones((21, 3))], np.arange(3)
        model = Model(weights, "relu", "identity", classes, columns, extraction=extraction)
        save_model(tmp_path / "m.npz", model)
        for given in (pictures / "red", pictures / "red" / "0.png", pictures):
            tracemalloc.start()
            message = fails("predict", tmp_path / "m.npz", given)
            assert tracemalloc.get_traced_memory()[1] < 2**26
            tracemalloc.stop()
            n_features = 21 if columns is None else 24
            assert f"takes {n_features} features, and its extraction" in message
            assert f"gives {3 * bins}" in message


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


@pytest.fixture(scope="session")
def flower_model(flowers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flowers")
    flowers.to_csv(folder / "t.csv", index=False)
    options = ["--label", "kind", "--drop", "id", "--seed", "0", "--generations", "40"]
    with pytest.raises(SystemExit) as stop:
        cli.main(["train", str(folder / "t.csv"), "-o", str(folder / "m.npz"), *options])
    assert stop.value.code == 0
    return folder / "m.npz"


def write(frame, folder):
    frame.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def test_columns_are_known_by_their_names(ga, fails, flower_model, flowers, tmp_path):
    code, expected, err = ga("predict", flower_model, write(flowers, tmp_path))
    n_right = int(err.split()[0])
    assert (code, n_right > 130, err.split(" (")[0]) == (0, True, f"{n_right} of 150 right")
    turned = flowers[flowers.columns[::-1]]
    assert ga("predict", flower_model, write(turned, tmp_path)) == (0, expected, err)
    more = flowers.assign(weather="rain")
    assert ga("predict", flower_model, write(more, tmp_path)) == (0, expected, err)
    for less in ("petal width", "colour"):
        message = fails("predict", flower_model, write(flowers.drop(columns=less), tmp_path))
        assert f"lacks {less}" in message


def test_a_table_needs_no_label_to_be_predicted(
    ga, fails, flower_model, flowers, on_stdin, tmp_path
):
    _, expected, err = ga("predict", flower_model, write(flowers, tmp_path))
    alone = write(flowers.drop(columns="kind"), tmp_path)
    assert ga("predict", flower_model, alone) == (0, expected, "")
    on_stdin(alone.read_text())
    assert ga("predict", flower_model, "-") == (0, expected, "")
    assert "no column 'kind'" in fails("predict", flower_model, alone, "--label", "kind")
    other = write(flowers.rename(columns={"kind": "species"}), tmp_path)
    assert ga("predict", flower_model, other, "--label", "species") == (0, expected, err)


def test_categories_that_the_training_never_saw_are_told(ga, flower_model, flowers, tmp_path):
    _, expected, _ = ga("predict", flower_model, write(flowers, tmp_path))
    strange = flowers.assign(colour=flowers.colour.where(flowers.index > 1, "green"))
    code, text, err = ga("predict", flower_model, write(strange, tmp_path))
    assert code == 0
    told, score = err.splitlines()
    assert told == (
        "ga-ann: the column 'colour' holds what the training never saw, in 2 of 150 rows: green"
    )
    assert score.endswith(" %)")
    assert text.splitlines()[2:] == expected.splitlines()[2:]


def test_labels_that_the_model_does_not_know_are_counted_apart(ga, flower_model, flowers, tmp_path):
    _, expected, err = ga("predict", flower_model, write(flowers, tmp_path))
    n_right = int(err.split()[0])
    first = expected.splitlines()[0].split()[1]
    assert first == flowers.kind[0]  # so that one of the right ones is not counted
    for stranger, name in (("rose", "rose"), ("", "none")):
        odd = flowers.assign(kind=flowers.kind.where(flowers.index > 0, stranger))
        code, text, err = ga("predict", flower_model, write(odd, tmp_path))
        assert (code, text) == (0, expected)
        assert err.startswith(f"{n_right - 1} of 149 right (")
        assert err.endswith(f"; 1 with labels that the model does not know: {name}\n")


def test_values_are_scored_where_they_are_known(ga, tmp_path):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    table, out = X.assign(progression=y), tmp_path / "m.npz"
    train = ["train", write(table, tmp_path), "-o", out, "--task", "regression", "--seed", 0]
    assert ga(*train, "--generations", 20)[0] == 0
    _, expected, err = ga("predict", out, write(table, tmp_path))
    values = np.array([float(line.split()[1]) for line in expected.splitlines()])
    assert err == f"r2 {r2_score(y, values):.4f} of 442 samples\n"
    assert ga("predict", out, write(X[X.columns[::-1]], tmp_path)) == (0, expected, "")
    for stranger in ("", "unknown"):
        odd = table.assign(progression=y.astype(object).where(y.index > 1, stranger))
        _, text, err = ga("predict", out, write(odd, tmp_path))
        assert text == expected
        assert err == (
            f"r2 {r2_score(y[2:], values[2:]):.4f} of 440 samples; "
            "2 with labels that are no numbers\n"
        )
    _, _, err = ga("predict", out, write(table[:1], tmp_path))
    assert err == "fewer than 2 labels are known to tell r2\n"


def test_a_table_without_names_is_taken_in_the_trainings_order_and_told(
    ga, flower_model, flowers, tmp_path
):
    _, expected, _ = ga("predict", flower_model, write(flowers, tmp_path))
    flowers.drop(columns=["id", "kind"]).to_csv(tmp_path / "t.csv", index=False, header=False)
    code, text, err = ga("predict", flower_model, tmp_path / "t.csv")
    assert (code, text) == (0, expected)
    assert err == (
        f"ga-ann: {tmp_path / 't.csv'} has no names of columns, so they are taken in the order of "
        "the training\n"
    )


@pytest.fixture(scope="module")
def iris_table():
    """Return iris as a table of numbers with names, and its labels."""
    known = load_iris(as_frame=True)
    return known.data, known.target


@pytest.mark.parametrize("named", [True, False])
def test_the_label_that_is_named_is_not_taken_for_a_feature(ga, fails, iris_table, tmp_path, named):
    """Of models saved from Python, whether they know names of columns or not."""
    X, y = iris_table
    model, table = tmp_path / "m.npz", tmp_path / "front.csv"
    estimator = GeneticMLPClassifier((8,), random_state=0, n_generations=200)
    estimator.fit(X if named else X.to_numpy(), y).save(model)
    X.assign(kind=y)[["kind", *X.columns]].to_csv(table, index=False)
    n_right = int((estimator.predict(X if named else X.to_numpy()) == y).sum())
    for label in ("kind", "1"):
        assert ga("predict", model, table, "--label", label)[2].startswith(
            f"{n_right} of 150 right"
        )
    assert "there is no column 'nope'" in fails("predict", model, table, "--label", "nope")


def test_a_model_saved_from_python_knows_columns_by_their_names(ga, fails, iris_table, tmp_path):
    X, y = iris_table
    model, table = tmp_path / "m.npz", tmp_path / "t.csv"
    GeneticMLPClassifier((8,), random_state=0, n_generations=50).fit(X, y).save(model)

    def answers(frame):
        frame.to_csv(table, index=False)
        return ga("predict", model, table)

    expected = answers(X)
    assert answers(X.iloc[:, ::-1]) == expected
    code, text, err = answers(X.iloc[:, ::-1].assign(kind=y))  # in the last column, as in training
    assert (code, text) == expected[:2]
    assert "of 150 right" in err
    X.iloc[:, 1:].to_csv(table, index=False)
    assert "lacks sepal length (cm)" in fails("predict", model, table)


@pytest.mark.parametrize("classes", [[0, 1, 2], ["a", "b", "c"]])
def test_an_empty_label_is_none_whatever_the_others_are(ga, tmp_path, classes):
    X, y = load_iris(return_X_y=True)
    table = pd.DataFrame(X, columns=list("abcd")).assign(y=np.array(classes, dtype=object)[y])
    model = GeneticMLPClassifier(n_generations=1, random_state=0).fit(X, table.y.tolist())
    save_model(tmp_path / "m.npz", model)
    whole = ga("predict", tmp_path / "m.npz", write(table, tmp_path))
    assert whole[2].endswith(" %)\n")
    table.loc[3, "y"] = None
    code, text, err = ga("predict", tmp_path / "m.npz", write(table, tmp_path))
    assert (code, text) == (0, whole[1])
    assert err.endswith("; 1 with labels that the model does not know: none\n")


def test_an_empty_column_of_labels_is_told_as_such(ga, flower_model, flowers, tmp_path):
    _, expected, _ = ga("predict", flower_model, write(flowers, tmp_path))
    empty = write(flowers.assign(kind=""), tmp_path)
    assert ga("predict", flower_model, empty) == (
        0,
        expected,
        "the column of the labels is empty in all of 150 rows: no score to tell\n",
    )
    one = write(flowers.assign(kind=flowers.kind.where(flowers.index == 0)), tmp_path)
    assert " of 1 right" in ga("predict", flower_model, one)[2]


def test_a_model_of_pictures_says_so_to_a_table(ga, fails, colour_model, flowers, tmp_path):
    for frame in (flowers, flowers[["petal width"]], pd.DataFrame(np.ones((3, 15)))):
        message = fails("predict", colour_model, write(frame, tmp_path))
        assert "the model was trained on pictures; give pictures" in message
        assert "--label" not in message
        assert message.endswith(f" which must have 12 columns; got {tmp_path}/t.csv.")
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(3, 12)))
    assert ga("predict", colour_model, write(frame, tmp_path))[0] == 0
