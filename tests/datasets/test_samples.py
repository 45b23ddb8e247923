import dataclasses

import numpy as np
import pytest
from PIL import Image

from ga_ann.datasets.feature_table import extract_features, save_table
from ga_ann.datasets.fruits import load_fruits360, shipped_table
from ga_ann.datasets.hue import HueHistogram
from ga_ann.datasets.samples import holds_samples, load_pictures, load_samples, locate

TEN_BINS = {"bins": 10, "hue_range": [0.0, 1.0]}
TUTORIAL = {"features": "tutorial"}
X = np.random.default_rng(0).normal(size=(6, 3))
Y = np.array([0, 1, 2, 0, 1, 2])


def save_npz(folder):
    np.savez(folder / "t.npz", X=X, y=Y)
    return folder / "t.npz", None


def save_csv(folder):
    np.savetxt(folder / "t.csv", np.column_stack([X, Y]), delimiter=",", fmt="%.17g")
    return folder / "t.csv", None


def save_npy(folder):
    np.save(folder / "x.npy", X)
    np.save(folder / "y.npy", Y)
    return folder / "x.npy", folder / "y.npy"


def assert_same_samples(a, b):
    for field in dataclasses.fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
        else:
            assert x == y


@pytest.mark.parametrize("save", [save_npz, save_csv, save_npy])
@pytest.mark.parametrize("labelled", [True, False])
def test_every_kind_of_table_gives_the_same_samples(tmp_path, save, labelled):
    samples = load_samples(*save(tmp_path), labelled=labelled)
    np.testing.assert_array_equal(samples.X, X)
    assert samples.labels.dtype == np.int64
    np.testing.assert_array_equal(samples.labels, Y)
    assert samples.names == ["0", "1", "2", "3", "4", "5"]
    assert (samples.class_names, samples.extraction, samples.groups) == (None, None, None)


def test_features_alone_are_samples_only_where_no_labels_are_needed(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "x.npz", X=X)
    np.savetxt(tmp_path / "x.csv", X, delimiter=",", fmt="%.17g")
    for name in ("x.npy", "x.npz", "x.csv"):
        samples = load_samples(tmp_path / name, labelled=False, n_features=3)
        np.testing.assert_array_equal(samples.X, X)
        assert samples.labels is None
    for name in ("x.npy", "x.npz"):
        with pytest.raises(ValueError, match=r"labels|expected the arrays"):
            load_samples(tmp_path / name)


def test_the_word_stands_for_the_shipped_table_unless_there_is_a_folder(
    tmp_path, monkeypatch, write_pictures
):
    monkeypatch.chdir(tmp_path)
    assert locate("fruits360") == shipped_table()
    samples, fruits = load_samples("fruits360"), load_fruits360()
    np.testing.assert_array_equal(samples.X, fruits.data)
    np.testing.assert_array_equal(samples.labels, fruits.target_names[fruits.target])
    np.testing.assert_array_equal(samples.groups, fruits.groups)
    assert samples.names == fruits.picture_names.tolist()
    assert samples.extraction == {"bins": 360, "hue_range": None}
    write_pictures(tmp_path / "fruits360", {"fig": ["0"], "pear": ["0"]})
    assert load_samples("fruits360").names == ["fig/0.png", "pear/0.png"]


def test_a_folder_is_the_table_that_is_extracted_from_it(folder, tmp_path):
    path = tmp_path / "t.npz"
    for extraction in (
        TEN_BINS,
        {"bins": 7, "hue_range": None},
        {"features": "hsv", "bins": 5, "hue_range": [0.0, 1.0]},
        {"features": "hue", "bins": 15, "hue_range": [0.25, 0.5]},
    ):
        save_table(path, extract_features(folder, **{**TUTORIAL, **extraction}))
        from_table = load_samples(path)
        assert from_table.extraction == extraction
        for labelled in (True, False):
            asked = {**TUTORIAL, **extraction} if labelled else extraction
            options = {"labelled": labelled, "extraction": asked}
            assert_same_samples(load_samples(folder, **options), from_table)
            assert_same_samples(load_samples(path, **options), from_table)
    default = {"features": "hsv", "bins": 7, "hue_range": [0.0, 1.0]}
    assert load_samples(folder).extraction == default
    tutorial = load_samples(folder, extraction=TUTORIAL)
    assert tutorial.extraction == {"bins": 360, "hue_range": None}
    assert (load_samples(folder).min_std, tutorial.min_std) == (None, 50)


def test_a_table_of_another_extraction_is_refused(folder, tmp_path):
    save_table(tmp_path / "t.npz", extract_features(folder, **TUTORIAL, bins=10))
    for extraction in (TEN_BINS, {"bins": 9, "hue_range": None}, {**TEN_BINS, "features": "hue"}):
        with pytest.raises(ValueError, match=r"trained on .* extract it anew"):
            load_samples(tmp_path / "t.npz", labelled=False, extraction=extraction)


def test_features_asked_for_must_be_those_of_a_table(folder, tmp_path):
    save_table(tmp_path / "t.npz", extract_features(folder, bins=10))
    for asked in ({"bins": 10}, {"features": "hsv"}, {"hue_range": (0, 1)}):
        assert load_samples(tmp_path / "t.npz", extraction=asked).X.shape == (6, 30)
    for asked in ({"bins": 9}, {"features": "hue"}, TUTORIAL, {"hue_range": (0, 0.5)}):
        with pytest.raises(ValueError, match=r"was asked for, the table has .* extract it anew"):
            load_samples(tmp_path / "t.npz", extraction=asked)
    name, _ = save_csv(tmp_path)
    with pytest.raises(ValueError, match=r"\['bins'\] go with a folder of pictures"):
        load_samples(name, extraction={"bins": 9})


def write_greys(folder, levels):
    for name, level in levels.items():
        (folder / name).mkdir(parents=True)
        for size in (4, 9):
            Image.new("L", (size, size), level).save(folder / name / f"{size}.png")
    return folder


def test_classes_that_look_alike_to_the_features_are_refused(tmp_path):
    greys = write_greys(tmp_path / "greys", {"dark": 30, "light": 200})
    same = write_greys(tmp_path / "same", {"dark": 30, "light": 200, "dim": 30})
    assert len(np.unique(load_samples(greys).X, axis=0)) == 2
    with pytest.raises(ValueError, match=r"\['dark', 'dim'\] in .*same look alike .*'hsv'"):
        load_samples(same)
    for features in ("hue", "tutorial"):
        with pytest.raises(ValueError, match=f"alike .*'{features}', which see colours without"):
            load_samples(greys, extraction={"features": features})
        save_table(tmp_path / "t.npz", extract_features(greys, features=features))
        with pytest.raises(ValueError, match="look alike"):
            load_samples(tmp_path / "t.npz")
        # To predict is no reason to refuse.
        known = extract_features(greys, features=features).settings.as_dict
        assert len(load_samples(greys, labelled=False, extraction=known).X) == 4
    Image.new("RGB", (4, 4), "red").save(greys / "dark" / "red.png")
    assert len(load_samples(greys, extraction={"features": "hue"}).X) == 5


def test_limits_of_hue_may_be_a_tuple(folder, tmp_path):
    given = TEN_BINS | {"hue_range": (0, 1)}
    save_table(tmp_path / "t.npz", extract_features(folder, **TUTORIAL, **given))
    expected = load_samples(tmp_path / "t.npz")
    assert_same_samples(load_samples(tmp_path / "t.npz", extraction=given), expected)
    options = {"labelled": False, "extraction": given}
    assert_same_samples(load_samples(tmp_path / "t.npz", **options), expected)


def test_a_flat_folder_is_its_pictures(folder):
    flat = folder / "pear"
    samples = load_samples(flat, labelled=False, extraction=TEN_BINS)
    names = [str(flat / f"{name}.png") for name in ("2_a", "10_a", "r_1_a", "ripe")]
    assert samples.names == names
    assert samples.labels is None
    np.testing.assert_array_equal(samples.X, HueHistogram(**TEN_BINS).transform(names))
    assert_same_samples(load_pictures(names, TEN_BINS), samples)
    with pytest.raises(ValueError, match="has no sub-folders"):
        load_samples(flat)


@pytest.mark.parametrize(
    ("extraction", "message"),
    [
        (None, "trained on a table, not on features of pictures"),
        ({"bins": 3}, "must give bins and hue_range, got {'bins': 3}"),
        (TEN_BINS | {"colour": "hue"}, "must give bins and hue_range"),
    ],
)
def test_pictures_need_the_extraction_of_the_network(folder, extraction, message):
    with pytest.raises(ValueError, match=message):
        load_pictures([folder / "fig" / "0.png"], extraction)
    for source in (folder, folder / "fig"):
        with pytest.raises(ValueError, match=message):
            load_samples(source, labelled=False, extraction=extraction)


def test_one_class_is_enough_to_predict_but_not_to_train(tmp_path):
    (tmp_path / "red").mkdir()
    Image.new("RGB", (2, 2), "red").save(tmp_path / "red" / "0.png")
    with pytest.raises(ValueError, match=r"at least 2 classes, got only \['red'\]"):
        load_samples(tmp_path)
    samples = load_samples(tmp_path, labelled=False, extraction=TEN_BINS)
    assert samples.labels.tolist() == ["red"]


def test_labels_go_with_features_alone(folder, tmp_path):
    save_npz(tmp_path)
    for name in (folder, tmp_path / "t.npz", "fruits360"):
        with pytest.raises(ValueError, match=r"target goes with a \.npy or \.pkl file"):
            load_samples(name, tmp_path / "y.npy")


def test_no_name_is_refused_and_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="must name a file or a folder"):
        load_samples("")
    for labelled in (True, False):
        with pytest.raises(FileNotFoundError, match=r"missing\.npz"):
            load_samples(tmp_path / "missing.npz", labelled=labelled)


def test_pictures_are_told_from_tables_and_folders(folder):
    assert [holds_samples(name) for name in ("fruits360", folder, "t.CSV", "t.pkl")] == [True] * 4
    assert not holds_samples(folder / "fig" / "0.png")
    assert not holds_samples("missing")


def test_bars_are_shown_where_they_are_asked_for(folder, capsys):
    for verbose in (False, True):
        load_samples(folder, verbose=verbose)
        assert ("extracting" in capsys.readouterr().err) == verbose
        load_pictures([folder / "fig" / "0.png"], TEN_BINS, verbose=verbose)
        assert ("extracting" in capsys.readouterr().err) == verbose


def test_why_a_table_of_pictures_is_damaged_comes_through(tmp_path):
    table = load_fruits360()
    arrays = dict(np.load(shipped_table()))
    path = tmp_path / "t.npz"
    np.savez(path, **arrays)
    assert load_samples(path).X.shape == table.data.shape
    np.savez(path, **arrays | {"target": arrays["target"] + 1})
    with pytest.raises(ValueError, match=r"t\.npz .*target must lie in 0 to 3, got 1 to 4"):
        load_samples(path)
    np.savez(path, data=arrays["data"], target=arrays["target"] + 1)  # a pair of arrays
    assert load_samples(path).extraction is None
