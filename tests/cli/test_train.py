import csv
import io
import json
import pickle

import numpy as np
import pandas as pd
import pytest
import zarr
from PIL import Image
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.impute import SimpleImputer
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ga_ann import Recipe, comparison, evolve, out_of_core
from ga_ann.cli import train
from ga_ann.datasets import tables
from ga_ann.storage.checkpoint import load_checkpoint
from ga_ann.storage.model import load_history, load_model


def test_train_on_the_fruits(ga, terminal, tmp_path):
    out = tmp_path / "model.npz"
    code, text, err = ga(
        "train", "fruits360", "-o", out, "--generations", 1, "--hidden", "5", "--n-features", 102,
        "--validation", 0.25, "--seed", 1,
    )  # fmt: skip
    assert code == 0
    assert "102 of 360 features, 4 classes" in text
    assert "held out" in text
    assert "GA: generation 0 of 1; fitness 0." in err
    model = load_model(out)
    assert [W.shape for W in model.weights] == [(102, 5), (5, 4)]
    assert model.classes.tolist() == ["apple", "raspberry", "mango", "lemon"]
    assert model.extraction == {"bins": 360, "hue_range": None}
    history = load_history(out)
    assert len(history) == 2
    assert np.isfinite(history["validation_score"]).all()
    parts = train._hold_out(np.arange(1962) % 4, 0.25, 1, "classification")
    assert [len(part) for part in parts] == [1471, 491]


def test_the_tutorials_filter_is_the_default_for_pictures(ga, tmp_path):
    everything = ["--generations", 0, "--hidden", "", "--validation", 0]
    ga("train", "fruits360", "-o", tmp_path / "m.npz", *everything)
    assert [W.shape for W in load_model(tmp_path / "m.npz").weights] == [(109, 4)]


TUTORIAL = ["--features", "tutorial"]


@pytest.mark.parametrize("features", [[], ["--features", "hue", "--bins", 5]])
def test_colours_are_told_in_other_pictures_of_another_size(ga, tmp_path, features):
    def draw(folder, seed, size):
        rng = np.random.default_rng(seed)
        for k, name in enumerate(("red", "green", "blue")):
            (folder / name).mkdir(parents=True)
            for number in range(12):
                pixels = rng.integers(0, 120, (size, size, 3), dtype=np.uint8)
                pixels[..., k] += 120
                Image.fromarray(pixels).save(folder / name / f"{number}.png")
        return folder

    seen, unseen = draw(tmp_path / "seen", 0, 20), draw(tmp_path / "unseen", 1, 33)
    out = tmp_path / "m.npz"
    code, text, _ = ga("train", seen, "-o", out, "--seed", 0, "--hidden", "8", *features)
    assert code == 0
    told = "hue in 5 bins" if features else "hue, saturation, value in 7 bins"
    assert f"features of pictures: {told} (range of hue: 0 to 1)" in text
    assert ga("predict", out, unseen)[2] == "36 of 36 right (100.00 %)\n"
    _, of_one, _ = ga("predict", out, unseen / "blue" / "3.png")
    assert of_one.split()[1] == "blue"


@pytest.mark.parametrize(
    "options",
    [["--features", "hsv"], ["--bins", "9"], ["--range", "0,0.5"], TUTORIAL],
)
def test_features_of_pictures_go_with_pictures(fails, iris, tmp_path, options):
    for arguments in (["train", iris, "-o", tmp_path / "m.npz"], ["compare", "--data", iris]):
        assert "go with a folder of pictures" in fails(*arguments, *options)
    assert "go with a folder of pictures" in fails("compare", "--data", "wine", *options)


def test_the_same_seed_trains_the_same_network(ga, iris, tmp_path):
    models = []
    for name in ("a.npz", "b.npz"):
        code, text, _ = ga(
            "train", iris, "-o", tmp_path / name, "--seed", 4, "--generations", 3, "--hidden", "5",
            "--recipe", "tutorial", "--max-time", 60,
        )  # fmt: skip
        assert code == 0
        assert "held out" in text
        models.append(load_model(tmp_path / name))
    for W, V in zip(models[0].weights, models[1].weights, strict=True):
        np.testing.assert_array_equal(W, V)
    assert models[0].activation == "sigmoid"
    assert models[0].extraction is None
    assert models[0].columns.all()


def test_train_by_a_recipe_of_ones_own(ga, fails, iris, tmp_path):
    Recipe(activation="tanh", population_size=16).write(tmp_path / "mine.toml")
    arguments = ["--hidden", "5", "--generations", 2, "--seed", 0]
    out = tmp_path / "m.npz"
    train = ["train", iris, "-o", out, *arguments, "--recipe", tmp_path / "mine.toml"]
    assert ga(*train)[0] == 0
    assert load_model(out).activation == "tanh"
    assert load_history(out).settings["population_size"] == 16
    (tmp_path / "mine.toml").write_text("population_size = 1")
    assert "mine.toml" in fails(*train)


def test_train_on_files_of_the_tutorial(ga, tmp_path):
    X, y = load_iris(return_X_y=True)
    for name, array in (("X.pkl", X), ("y.pkl", y)):
        (tmp_path / name).write_bytes(pickle.dumps(array))
    out = tmp_path / "m.npz"
    options = ["--target", tmp_path / "y.pkl", "--hidden", "5", "--generations", 1]
    assert ga("train", tmp_path / "X.pkl", "-o", out, *options)[0] == 0
    code, text, err = ga("predict", out, tmp_path / "X.pkl", "--target", tmp_path / "y.pkl")
    assert code == 0
    assert "of 150 right" in err
    assert ga("predict", out, tmp_path / "X.pkl") == (0, text, "")


def test_ctrl_c_saves_the_best_so_far(ga, terminal, iris, tmp_path, monkeypatch):
    def stop(self, ga, history):
        if len(history) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("ga_ann.progress.ProgressBar.on_generation", stop)
    out = tmp_path / "m.npz"
    code, text, _ = ga("train", iris, "-o", out, "--hidden", "5")
    assert code == 0
    assert "(interrupted)" in text
    assert len(load_history(out)) == 3
    assert load_model(out).classes.tolist() == [0, 1, 2]


def read_lines(text):
    """Return the objects that lines of JSON hold, which know no NaN."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


@pytest.mark.parametrize("more", [[], ["--validation", 0], ["--recipe", "classic"]])
def test_lines_of_json_are_the_history_and_the_result(ga, iris, tmp_path, more):
    out = tmp_path / "m.npz"
    options = ["--hidden", "5", "--generations", 13, "--seed", 4, *more]
    code, text, err = ga("train", iris, "-o", out, *options, "--json-lines")
    assert (code, err) == (0, "")
    *rows, result = read_lines(text)
    history = load_history(out)
    assert [row["generation"] for row in rows] == list(range(14))
    for name in ("ranking", "sigma", "validation_score"):
        found = [np.nan if row[name] is None else row[name] for row in rows[:-1]]
        np.testing.assert_array_equal(found, history[name][:-1])
    assert result["best_fitness"] == history.last["best_fitness"]
    told = ["model", "metric", "stop_reason", "random_state", "n_features", "notes"]
    assert [result[name] for name in told] == [str(out), "accuracy", "n_generations", 4, 4, []]
    assert list(result) == [*rows[0], *told]


def test_the_last_line_of_json_names_the_animation(ga, iris, tmp_path):
    out, gif = tmp_path / "m.npz", tmp_path / "run.gif"
    train = ["train", iris, "-o", out, "--hidden", "5", "--generations", 2, "--animate", gif]
    code, text, err = ga(*train, "--track-weights", "--json-lines")
    assert (code, err) == (0, "")
    result = read_lines(text)[-1]
    assert (result["model"], result["animation"]) == (str(out), str(gif))
    assert gif.read_bytes()[:6] == b"GIF89a"
    gif.unlink()
    assert ga(*train, "--quiet") == (0, "", "")
    assert gif.is_file()


def test_lines_of_json_go_on_with_what_is_new(ga, iris, tmp_path):
    run, options = tmp_path / "run.npz", ["--hidden", "5", "--seed", 4]
    train = ["train", iris, "-o", tmp_path / "m.npz", *options]
    ga(*train, "--generations", 5, "--checkpoint", run)
    for n_generations, new in ((8, [6, 7, 8]), (8, [])):
        more = ["--generations", n_generations, "--resume", run, "--json-lines"]
        *rows, result = read_lines(ga(*train, *more)[1])
        assert [row["generation"] for row in rows] == new
        assert (result["generation"], result["stop_reason"]) == (8, "n_generations")


def test_notes_about_the_data_are_in_the_last_line(ga, iris, tmp_path):
    train = ["train", iris, "-o", tmp_path / "m.npz", "--generations", 0, "--fitness", "r2"]
    *_, result = read_lines(ga(*train, "--json-lines")[1])
    assert len(result["notes"]) == 1
    assert result["notes"][0] in ga(*train)[1]


def test_quiet_tells_nothing_but_errors(ga, fails, iris, tmp_path):
    out, options = tmp_path / "m.npz", ["--hidden", "5", "--generations", 3, "--seed", 4]
    ga("train", iris, "-o", out, *options)
    talked = load_model(out)
    for quiet in ("--quiet", "-q"):
        out.unlink()
        assert ga("train", iris, "-o", out, *options, quiet) == (0, "", "")
        assert_same_weights(load_model(out), talked)
    assert "there is no file" in fails("train", tmp_path / "no.csv", "-o", out, "--quiet")
    assert "give one" in fails("train", iris, "-o", out, "--quiet", "--json-lines")


def test_a_log_has_lines_without_control_characters(ga, iris, tmp_path):
    options = ["--hidden", "5", "--generations", 7, "--seed", 4]
    _, text, err = ga("train", iris, "-o", tmp_path / "m.npz", *options)
    first, *_, last = err.splitlines()
    assert first.startswith("GA: generation 0 of 7; fitness ")
    assert last.startswith("GA: generation 7 of 7; fitness ")
    assert all(line.isprintable() for line in (text + err).splitlines())


def test_train_goes_on_from_a_checkpoint(ga, iris, tmp_path):
    """The model is, bit for bit, that of a run that was never interrupted."""
    options = ["--hidden", "5", "--seed", 4, "--validation", 0.25]
    run, models = tmp_path / "run.npz", []
    for name, n_generations, more in (
        ("whole.npz", 13, []),
        ("first.npz", 6, ["--checkpoint", run]),
        ("second.npz", 13, ["--resume", run]),
        ("third.npz", 13, ["--resume", run]),  # it has ended: nothing is left to do
    ):
        out = tmp_path / name
        assert ga("train", iris, "-o", out, "--generations", n_generations, *options, *more)[0] == 0
        models.append((load_model(out), load_history(out)))
    assert load_checkpoint(run).generation == 13
    (whole, expected), _, *others = models
    for model, history in others:
        for W, V in zip(model.weights, whole.weights, strict=True):
            np.testing.assert_array_equal(W, V)
        for name in ("best_fitness", "validation_score", "ranking", "evaluations", "generation"):
            np.testing.assert_array_equal(history[name], expected[name])


def test_train_refuses_to_go_on_with_something_else(fails, ga, iris, tmp_path):
    run, out = tmp_path / "run.npz", tmp_path / "m.npz"
    options = ["--hidden", "5", "--seed", 4]
    assert ga("train", iris, "-o", out, "--generations", 2, "--checkpoint", run, *options)[0] == 0
    out.unlink()
    before = run.read_bytes()
    train = ["train", iris, "-o", out, *options]
    for more, message in (
        (["--resume", run, "--recipe", "tutorial"], "one of another run: activation='sigmoid'"),
        (["--resume", run, "--validation", 0.5], "another X"),
        (["--resume", run, "--checkpoint", run], "give it or --checkpoint, not both"),
        (["--resume", tmp_path / "missing.npz"], "missing.npz: No such file"),
        (["--checkpoint", tmp_path / "missing" / "run.npz"], "missing does not exist"),
        (["--checkpoint", tmp_path], "is a folder"),
        (["--checkpoint", out], "would be overwritten"),
    ):
        if more[-1] == out:
            out.write_bytes(b"")
        assert message in fails(*train, *more)
    assert run.read_bytes() == before


def test_a_quarter_of_each_class_is_held_out_unless_told_otherwise(ga, iris, tmp_path):
    train = ["train", iris, "-o", tmp_path / "m.npz", "--seed", 0, "--generations", 1]
    _, usual, _ = ga(*train)
    assert "112 samples to train on, 38 held out\n" in usual
    assert "; held out " in usual
    _, all_of_them, _ = ga(*train, "--validation", 0)
    assert "150 samples to train on\n" in all_of_them
    assert "; held out " not in all_of_them
    assert " after 1 generation, 66 evaluations" in all_of_them


def test_a_class_of_one_sample_cannot_be_held_out(ga, fails, tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(9), y=[0] * 4 + [1] * 4 + [2])
    train = ["train", tmp_path / "t.npz", "-o", tmp_path / "m.npz", "--generations", 1]
    assert "there is only one of [2]: add samples, or give --validation 0" in fails(*train)
    assert ga(*train, "--validation", 0)[0] == 0


def test_what_the_command_trains_a_python_user_trains_in_a_call(ga, tmp_path):
    X, y = load_iris(return_X_y=True)
    np.savez(tmp_path / "t.npz", X=X, y=y)
    assert ga(
        "train", tmp_path / "t.npz", "-o", tmp_path / "m.npz", "--raw", "--validation", 0,
        "--seed", 3, "--hidden", "6,5", "--generations", 30, "--fitness", "f1_macro",
        "--activation", "tanh", "--no-bias", "--weight-set", "ternary", "--population", 16,
        "--sigma", 0.3, "--target-fitness", 0.9, "--jobs", 1, "--max-time", 600,
    )[0] == 0  # fmt: skip
    expected = evolve(
        X, y, hidden_layer_sizes=(6, 5), n_generations=30, fitness="f1_macro", activation="tanh",
        bias=False, weight_set="ternary", recipe=Recipe(population_size=16, sigma=0.3),
        target_fitness=0.9, n_iter_no_change=comparison.GA_PATIENCE, random_state=3,
    )  # fmt: skip
    for W, V in zip(load_model(tmp_path / "m.npz").weights, expected.weights, strict=True):
        np.testing.assert_array_equal(W, V)


SHORT = ["--seed", 3, "--generations", 12, "--hidden", "6"]


def evolve_shortly(X, y, **options):
    """Call the library as the command with the options of `SHORT` does."""
    settings = {
        "hidden_layer_sizes": (6,), "bias": True, "n_generations": 12, "target_fitness": None,
        "n_iter_no_change": comparison.GA_PATIENCE, "random_state": 3,
    }  # fmt: skip
    return evolve(X, y, **{**settings, **options})


def assert_same_weights(model, other):
    for W, V in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(W, V)


@pytest.fixture
def trained_by_hand(flowers):
    """The flowers' network by scikit-learn's transformers and a call of `evolve`."""
    texts, numbers = flowers[["colour"]], flowers.drop(columns=["id", "kind", "colour"])
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), list(numbers)),
        (OneHotEncoder(), list(texts)),
    )
    train, test = train_test_split(
        np.arange(150), test_size=0.25, stratify=flowers.kind, random_state=3
    )
    y = flowers.kind.to_numpy(dtype=str)
    X = columns.fit(flowers.iloc[train]).transform(flowers)
    return evolve_shortly(X[train], y[train], validation_data=(X[test], y[test]))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("t.csv", ["--label", "kind", "--drop", "id"]),
        ("t.csv", ["--label", "2", "--drop", "1"]),
        ("t.tsv", ["--label", "kind", "--drop", "id"]),
        ("semicolons.csv", ["--label", "kind", "--drop", "id"]),
        ("last.csv", ["--drop", "id"]),
        ("-", ["--label", "kind", "--drop", "id"]),
    ],
)
def test_a_table_is_trained_on_as_scikit_learn_would_prepare_it(
    ga, flowers, trained_by_hand, on_stdin, tmp_path, name, options
):
    flowers.to_csv(tmp_path / "t.csv", index=False)
    flowers.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    flowers.to_csv(tmp_path / "semicolons.csv", index=False, sep=";")
    flowers[[*flowers.columns.drop("kind"), "kind"]].to_csv(tmp_path / "last.csv", index=False)
    on_stdin(flowers.to_csv(index=False))
    data = name if name == "-" else tmp_path / name
    code, text, _ = ga("train", data, "-o", tmp_path / "m.npz", *SHORT, *options)
    assert code == 0
    assert text.startswith(
        "112 samples to train on, 38 held out\n"
        "4 numbers standardised, missing ones by the median; 1 text column one-hot "
        "(colour: 2 categories) (--raw takes numbers as they are)\n"
    )
    expected = trained_by_hand
    assert_same_weights(load_model(tmp_path / "m.npz"), expected)
    assert f"held out {100 * expected.validation_score:.2f} %" in text


def test_raw_takes_numbers_as_they_are_and_nothing_else(ga, fails, flowers, tmp_path):
    numbers = flowers.drop(columns=["id", "colour", "sepal width"])
    for name, frame in (
        ("numbers.csv", numbers),
        ("text.csv", numbers.assign(colour=flowers.colour)),
        ("missing.csv", numbers.assign(width=flowers["sepal width"])),
    ):
        frame.to_csv(tmp_path / name, index=False)
    raw = ["-o", tmp_path / "m.npz", "--label", "kind", "--raw", "--validation", 0, *SHORT]
    assert "the column 'colour' holds 'blue'" in fails("train", tmp_path / "text.csv", *raw)
    assert "the column 'width'" in fails("train", tmp_path / "missing.csv", *raw)
    assert not (tmp_path / "m.npz").exists()
    code, text, _ = ga("train", tmp_path / "numbers.csv", *raw)
    assert (code, "3 numbers as they are" in text) == (0, True)
    expected = evolve_shortly(
        numbers.drop(columns="kind").to_numpy(), flowers.kind.to_numpy(dtype=str)
    )
    assert_same_weights(load_model(tmp_path / "m.npz"), expected)


@pytest.mark.parametrize(
    ("wrong", "message", "right"),
    [
        (["--label", "kinds"], "there is no column 'kinds'", ["--label", "kind", "--drop", "id"]),
        (["--label", "8"], "give a number from 1 to 7", ["--label", "7", "--drop", "1"]),
        (["--label", "kind"], "the column 'id' holds", ["--label", "kind", "--drop", "id"]),
        (
            ["--label", "kind", "--drop", "id,kind"],
            "'kind' is the label",
            ["--label", "kind", "--drop", "id,colour"],
        ),
        (["--drop", "ids"], "there is no column 'ids'", ["--drop", "id"]),
    ],
)
def test_columns_of_a_table_that_cannot_be_meant(
    ga, fails, flowers, tmp_path, wrong, message, right
):
    flowers.to_csv(tmp_path / "t.csv", index=False)
    train = ["train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", *SHORT]
    assert message in fails(*train, *wrong)
    assert not (tmp_path / "m.npz").exists()
    assert ga(*train, *right)[0] == 0


def test_a_label_that_is_missing_is_refused_with_its_row(ga, fails, flowers, tmp_path):
    train = ["train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", *SHORT, "--drop", "id"]
    flowers.assign(kind=flowers.kind.where(flowers.index != 4)).to_csv(
        tmp_path / "t.csv", index=False
    )
    assert "got none in row 4" in fails(*train, "--label", "kind")
    flowers.to_csv(tmp_path / "t.csv", index=False)
    assert ga(*train, "--label", "kind")[0] == 0


@pytest.mark.parametrize("options", [["--label", "1"], ["--drop", "1"]])
def test_columns_go_with_tables(fails, iris, tmp_path, options):
    assert "go with a table" in fails("train", iris, "-o", tmp_path / "m.npz", *options)
    assert "go with a table" in fails("compare", "--data", "wine", *options)


def test_an_activation_for_each_layer_is_the_one_of_the_call(ga, fails, iris, tmp_path):
    X, y = load_iris(return_X_y=True)
    train = ["train", iris, "-o", tmp_path / "m.npz", "--raw", "--validation", 0]
    train += ["--seed", 3, "--generations", 12, "--hidden", "6,5"]
    assert "activation" in fails(*train, "--activation", "tanh,relu,tanh")
    assert "wave" in fails(*train, "--activation", "tanh,wave")
    assert ga(*train, "--activation", "tanh,relu")[0] == 0
    expected = evolve_shortly(X, y, hidden_layer_sizes=(6, 5), activation=("tanh", "relu"))
    model = load_model(tmp_path / "m.npz")
    assert_same_weights(model, expected)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


def test_the_number_of_threads_arrives_and_changes_no_bit(ga, iris, monkeypatch, tmp_path):
    asked, models = [], []

    def spy(*args, **options):
        asked.append(options["n_jobs"])
        return evolve(*args, **options)

    monkeypatch.setattr("ga_ann.evolution.evolve", spy)
    for jobs in (1, 2):
        assert ga("train", iris, "-o", tmp_path / "m.npz", *SHORT, "--jobs", jobs)[0] == 0
        models.append(load_model(tmp_path / "m.npz"))
    assert asked == [1, 2]
    assert_same_weights(*models)


def test_numbers_that_were_measured_lead_to_a_regression(ga, fails, tmp_path):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X.assign(progression=y).to_csv(tmp_path / "t.csv", index=False)
    train = ["train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", "--seed", 3]
    train += ["--generations", 12, "--hidden", "6"]
    message = fails(*train)
    assert "only one of [25, 31, 37, 40, 43, ...]: add samples" in message
    assert message.endswith("for numbers that were measured, give --task regression.")
    code, text, _ = ga(*train, "--task", "regression")
    assert (code, "held out" in text) == (0, True)
    rows, rest = train_test_split(np.arange(442), test_size=0.25, random_state=3)
    inputs = StandardScaler().fit(X.iloc[rows]).transform(X)
    targets = y.to_numpy(dtype=float)
    expected = evolve_shortly(
        inputs[rows],
        targets[rows],
        task="regression",
        validation_data=(inputs[rest], targets[rest]),
    )
    assert_same_weights(load_model(tmp_path / "m.npz"), expected)
    assert f"held out {expected.validation_score:.4f}\n" in text


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (["--fitness", "f1_macro"], "fitness", "f1_macro"),
        (["--activation", "tanh"], "activation", "tanh"),
        (["--no-bias"], "bias", False),
        (["--bias", "--recipe", "tutorial"], "bias", True),
        (["--recipe", "tutorial"], "bias", False),
        ([], "bias", True),
        (["--weight-set=-1,0,2"], "weight_set", [-1.0, 0.0, 2.0]),
        (["--population", "12"], "population_size", 12),
        (["--sigma", "0.3"], "sigma", 0.3),
        (["--target-fitness", "0.9"], "target_fitness", 0.9),
        ([], "target_fitness", None),
        (["--early-stopping"], "early_stopping", True),
        (["--max-time", "99"], "max_time", 99.0),
        (["--recipe", "classic"], "n_iter_no_change", None),
    ],
)
def test_each_option_arrives(ga, iris, tmp_path, options, name, value):
    train = ["train", iris, "-o", tmp_path / "m.npz", "--seed", 0, "--generations", 1]
    assert ga(*train, *options)[0] == 0
    assert load_history(tmp_path / "m.npz").settings[name] == value


def test_a_score_that_chose_the_network_is_told_to_have_done_so(ga, iris, tmp_path):
    train = ["train", iris, "-o", tmp_path / "m.npz", "--seed", 0, "--generations", 9]
    assert ", by which it was chosen\n" in ga(*train, "--early-stopping")[1]
    assert "by which it was chosen" not in ga(*train)[1]


def test_a_regression_is_trained_and_predicted(ga, fails, iris, pictures, tmp_path):
    X, y = load_diabetes(return_X_y=True)
    np.savez(tmp_path / "t.npz", X=X, y=y)
    out = tmp_path / "m.npz"
    code, text, _ = ga("train", tmp_path / "t.npz", "-o", out, "--task", "regression", "--seed", 0)
    assert code == 0
    assert text.startswith("331 samples to train on, 111 held out\n")
    assert "training r2 0." in text
    assert "10 of 10 features, 1 target\n" in text
    _, as_csv, err = ga("predict", out, tmp_path / "t.npz", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    values = np.array([float(row["value"]) for row in rows])
    np.testing.assert_array_equal(values, load_model(out).predict(X))
    assert err == f"r2 {r2_score(y, values):.4f} of 442 samples\n"
    message = fails("train", pictures, "-o", out, "--task", "regression")
    assert "--task regression needs numbers as labels" in message


def test_an_existing_checkpoint_is_replaced_only_if_one_says_so(ga, fails, iris, tmp_path):
    run = tmp_path / "run.npz"
    train = ["train", iris, "-o", tmp_path / "m.npz", "--seed", 4, "--checkpoint", run]
    assert ga(*train, "--generations", 6)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"m.npz", "run.npz"}
    before = run.read_bytes()
    message = fails(*train, "--generations", 2)
    assert f"go on from it with --resume {run}, or give --overwrite" in message
    assert run.read_bytes() == before
    assert ga(*train, "--generations", 2, "--overwrite")[0] == 0
    assert load_checkpoint(run).generation == 2


@pytest.mark.parametrize("name", ["m.npz", "./m.npz", "../{folder}/m.npz"])
def test_model_and_checkpoint_are_two_files(fails, iris, tmp_path, name):
    other = tmp_path / name.format(folder=tmp_path.name)
    message = fails("train", iris, "-o", tmp_path / "m.npz", "--checkpoint", other)
    assert "--out and --checkpoint must be two files" in message
    assert not list(tmp_path.iterdir())


def test_a_run_with_nothing_left_to_do_says_what_makes_it_go_on(ga, fails, iris, tmp_path):
    """Without --generations it is to have as many as it was to have before."""
    run = tmp_path / "run.npz"
    train = ["train", iris, "-o", tmp_path / "m.npz"]
    first = [*train, "--seed", 4, "--checkpoint", run, "--generations", 6]
    assert "nothing was left" not in ga(*first)[1]
    _, text, _ = ga(*train, "--resume", run)
    told = (
        "nothing was left to do after 6 generations (n_generations); a larger --generations makes"
    )
    assert told in text
    assert "nothing was left" not in ga(*train, "--resume", run, "--generations", 8)[1]
    assert load_checkpoint(run).generation == 8
    message = fails(*train, "--resume", run, "--seed", 9)
    assert "--seed must be that of the checkpoint, 4, or be left out, got 9" in message
    assert ga(*train, "--resume", run, "--seed", 4)[0] == 0


class Hostile:
    def __reduce__(self):
        return print, ("a hostile pickle ran",)


def bad_file(kind, folder):
    path = folder / f"{kind}.npz"
    X, y = load_iris(return_X_y=True)
    if kind == "truncated":
        np.savez(path, X=X, y=y)
        path.write_bytes(path.read_bytes()[:500])
    elif kind == "objects":
        np.savez(path, X=X, y=np.array([Hostile()] * 150))
    elif kind == "one class":
        np.savez(path, X=X, y=np.zeros(150, dtype=int))
    elif kind == "NaN":
        np.savez(path, X=np.full((150, 4), np.nan), y=y)
    elif kind == "lengths":
        np.savez(path, X=X, y=y[:-1])
    elif kind == "empty":
        np.savez(path, X=X[:0], y=y[:0])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("truncated", "cannot be read"),
        ("objects", "objects"),
        ("one class", "at least 2 classes"),
        ("NaN", "must be finite"),
        ("lengths", "150, got 149"),
        ("empty", "features must be"),
        ("missing", "No such file"),
    ],
)
def test_train_refuses_bad_files(fails, tmp_path, kind, message):
    path = bad_file(kind, tmp_path)
    assert message in fails("train", path, "-o", tmp_path / "model.npz")
    assert not (tmp_path / "model.npz").exists()


def test_train_refuses_a_hostile_pickle(fails, tmp_path):
    (tmp_path / "X.pkl").write_bytes(pickle.dumps(Hostile()))
    np.save(tmp_path / "y.npy", np.arange(3))
    options = ["--target", tmp_path / "y.npy", "-o", tmp_path / "m.npz"]
    assert "print" in fails("train", tmp_path / "X.pkl", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--hidden", "5,x"], "--hidden must be numbers"),
        (["--hidden", "0"], "hidden_layer_sizes must be >= 1"),
        (["--recipe", "cake"], "recipe must be one of"),
        (["--min-std", "1e9"], "Choose other --min-std"),
        (["--n-features", "5"], "n_features"),
        (["--min-std", "0", "--n-features", "2"], "give one of them"),
        (["--max-time", "-1"], "max_time"),
        (["--validation", "1"], "--validation must be at least 0 and below 1"),
        (["--validation", "0.001"], "--validation 0.001 holds out 1 of 150 samples; there must"),
        (["--validation", "0.999"], "holds out 150 of 150 samples"),
        (["--early-stopping", "--validation", "0"], "--early-stopping needs samples held out"),
        (["--task", "sorting"], "task must be one of"),
        (["--fitness", "speed"], "fitness must be one of"),
        (["--activation", "wave"], "activation must be one of"),
        (["--weight-set", "septenary"], "weight_set must be one of"),
        (["--weight-set", "1,x"], "--weight-set must be numbers"),
        (["--population", "1"], "population_size"),
        (["--sigma", "-1"], "sigma"),
        (["--jobs", "0"], "--jobs"),
        (["--overwrite"], "--overwrite goes with --checkpoint"),
        (["--target", "y.npy"], "--target goes with"),
        (["--generations", "-1"], "--generations"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_train_refuses_bad_options(fails, iris, tmp_path, options, message):
    assert message in fails("train", iris, "-o", tmp_path / "m.npz", *options)
    assert not list(tmp_path.iterdir())


def test_one_class_is_refused_before_it_is_extracted(fails, monkeypatch, tmp_path, breaks):
    monkeypatch.setattr(
        "ga_ann.datasets.samples.extract_features", breaks(AssertionError("extracted"))
    )
    (tmp_path / "in" / "red").mkdir(parents=True)
    Image.new("RGB", (2, 2)).save(tmp_path / "in" / "red" / "0.png")
    message = fails("train", tmp_path / "in", "-o", tmp_path / "m.npz")
    assert "at least 2 classes, got only ['red']" in message


def test_samples_names_as_labels_lead_to_another_column(ga, fails, flowers, tmp_path):
    flowers[["petal width", "kind", "id"]].to_csv(tmp_path / "t.csv", index=False)
    train = ["train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", *SHORT]
    message = fails(*train)
    assert message.endswith("if the column 'id' is not the label, choose it with --label.")
    assert ga(*train, "--label", "kind", "--drop", "id")[0] == 0


def test_a_regression_on_text_is_refused_with_plain_values(fails, flowers, tmp_path):
    flowers.to_csv(tmp_path / "t.csv", index=False)
    train = ["train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", *SHORT, "--label", "kind"]
    message = fails(*train, "--task", "regression")
    assert "needs numbers as labels, got 'setosa', 'versicolor', 'virginica'; " in message


def test_the_tutorials_filter_that_keeps_nothing_is_named(ga, fails, pictures, tmp_path):
    train = ["train", pictures, "-o", tmp_path / "m.npz", *SHORT, *TUTORIAL, "--validation", 0]
    assert "the largest is " in (message := fails(*train))
    assert message.endswith("Choose other --min-std or --n-features.")
    assert ga(*train, "--min-std", 0)[0] == 0


def test_a_file_for_the_model_and_the_checkpoint_is_refused_for_that(fails, iris, tmp_path):
    out = tmp_path / "m.npz"
    for _ in range(2):
        message = fails("train", iris, "-o", out, "--checkpoint", out)
        assert "--out and --checkpoint must be two files" in message
        out.write_bytes(b"")
    assert "is an input" in fails("train", iris, "-o", iris)


def test_what_is_odd_about_a_table_is_told_before_the_training(ga, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=40), "class": [0, 1] * 20})
    train = ["train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", *SHORT]
    frame.to_csv(tmp_path / "t.csv", index=False)
    plain = ga(*train)[1].splitlines()
    assert len(plain) == 4
    told = ga(*train, "--fitness", "r2")[1].splitlines()
    assert told[2].startswith("r2 scores the classes as the numbers that they are called by")
    frame.insert(0, "id", range(40))
    frame.insert(0, "unit", 7)
    frame.to_csv(tmp_path / "t.csv", index=False)
    told = ga(*train)[1].splitlines()
    assert [line.split(":")[-1] for line in told[2:4]] == [
        " the column 'unit'",
        " the column 'id'; --drop leaves it out",
    ]
    assert ga(*train, "--drop", "id,unit")[1].splitlines()[:2] == plain[:2]
    assert len(ga(*train, "--drop", "id,unit")[1].splitlines()) == 4


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_is_refused_in_one_line_or_trains_and_says_whether_it_paid(
    ga, fails, iris, tmp_path
):
    distributed = pytest.importorskip("distributed")
    out = tmp_path / "net.npz"
    options = ("train", iris, "-o", out, "--generations", 5, "--seed", 1)
    assert "no Dask scheduler answers at 'nowhere'" in fails(*options, "--cluster", "nowhere")
    ga(*options)
    alone = load_model(out)
    # In this process: the workers' advice is the same, and they start at once.
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        _, told, _ = ga(*options, "--cluster", cluster.scheduler_address)
    assert "the cluster did not pay: a generation took" in told
    for ours, theirs in zip(load_model(out).weights, alone.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture
def on_disk(monkeypatch):
    """Let no array be small."""
    for module in (out_of_core, tables):
        monkeypatch.setattr(module, "HELD_BYTES", 0)


@pytest.mark.parametrize("form", ["npy", "zarr"])
@pytest.mark.parametrize("raw", [[], ["--raw"]])
def test_a_large_array_stays_on_disk_and_is_standardised_by_its_training_part(
    ga, tmp_path, on_disk, form, raw
):
    iris = load_iris()
    path, y, out = tmp_path / f"X.{form}", tmp_path / "y.npy", tmp_path / "m.npz"
    if form == "npy":
        np.save(path, iris.data)
    else:
        zarr.create_array(path, data=iris.data)
    np.save(y, iris.target_names[iris.target])
    options = ["--target", y, "-o", out, "--generations", 200, "--seed", 0, *raw]
    code, text, _ = ga("train", path, *options)
    assert code == 0
    assert "4 of 4 features, 3 classes" in text
    model = load_model(out)
    rows, _ = train_test_split(np.arange(150), test_size=0.25, stratify=iris.target, random_state=0)
    if raw:
        assert model.preprocessing is None
    else:
        assert "4 numbers standardised, none may be missing" in text
        scaler = StandardScaler().fit(iris.data[rows])
        assert model.preprocessing.means == pytest.approx(scaler.mean_)
        assert model.preprocessing.scales == pytest.approx(scaler.scale_)
    code, text, err = ga("predict", out, path, "--target", y, "--format", "csv")
    assert code == 0
    assert int(err.split()[0]) > 140
    classes = [row["class"] for row in csv.DictReader(io.StringIO(text))]
    assert classes == model.predict(iris.data).tolist()


def test_features_of_a_large_array_are_not_chosen(fails, tmp_path, on_disk):
    np.save(tmp_path / "X.npy", load_iris().data)
    np.save(tmp_path / "y.npy", load_iris().target)
    options = ["--target", tmp_path / "y.npy", "-o", tmp_path / "m.npz"]
    message = fails("train", tmp_path / "X.npy", *options, "--n-features", 2)
    assert "features are chosen of samples in memory alone" in message
    assert "give the file of the labels" in fails("train", tmp_path / "X.npy", *options[2:])
    message = fails("train", tmp_path / "X.npy", *options, "--bins", 3)
    assert "['bins'] go with a folder of pictures" in message
    np.save(tmp_path / "y.npy", load_iris().target[1:])
    assert "150, got 149" in fails("train", tmp_path / "X.npy", *options)


@pytest.mark.parametrize("device", ["cuda:99", "gpu"])
def test_train_refuses_a_device_that_is_not_there(fails, iris, tmp_path, device):
    told = fails("train", iris, "-o", tmp_path / "m.npz", "--device", device)
    assert "finds here, cpu" in told or "pip install 'ga-ann[gpu]'" in told
    assert not (tmp_path / "m.npz").exists()


def test_a_run_is_animated(ga, fails, iris, tmp_path):
    out, gif = tmp_path / "m.npz", tmp_path / "run.gif"
    options = ["--generations", 4, "--target-fitness", 2, "--seed", 0, "--hidden", "5"]
    code, text, _ = ga("train", iris, "-o", out, *options, "--animate", gif)
    assert code == 0
    assert text.endswith(f"{gif}: 5 frames\n")
    with Image.open(gif) as picture:
        assert picture.n_frames == 5
    before = {path.name for path in tmp_path.iterdir()}
    run = ["train", iris, "-o", out, *options]
    assert "must end in .gif" in fails(*run, "--animate", tmp_path / "run.png")
    assert "does not exist" in fails(*run, "--animate", tmp_path / "missing" / "run.gif")
    assert "must be two files" in fails(*run, "--animate", gif, "--checkpoint", gif, "--overwrite")
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_run_with_nothing_left_to_do_has_no_animation(ga, iris, tmp_path):
    out, state, gif = (tmp_path / name for name in ("m.npz", "state.npz", "run.gif"))
    options = ["--generations", 3, "--target-fitness", 2, "--seed", 0, "--hidden", "5"]
    assert ga("train", iris, "-o", out, *options, "--checkpoint", state)[0] == 0
    code, text, _ = ga("train", iris, "-o", out, *options, "--resume", state, "--animate", gif)
    assert code == 0
    assert "not written, for there is no generation to show" in text
    assert not gif.exists()
