import builtins
import colorsys
import dataclasses
import hashlib
import io
import os
import pickle
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from sklearn.base import clone
from sklearn.feature_selection import VarianceThreshold
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ga_ann.datasets import tables as datasets
from ga_ann.datasets.tables import (
    FeatureTable,
    HueHistogram,
    extract_features,
    hue_histogram,
    list_pictures,
    load_features,
    load_fruits360,
    load_table,
    save_table,
    select_by_std,
)

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "data" / "fruits360_hue_histograms.npz"
PICTURES = Path(os.environ.get("FRUITS360", ROOT.parent / "shared" / "data" / "fruits360"))
FRUITS = ["apple", "raspberry", "mango", "lemon"]
needs_pictures = pytest.mark.skipif(not PICTURES.is_dir(), reason="the pictures are not here")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def colorsys_hues(pixels):
    return np.array([colorsys.rgb_to_hsv(*(int(c) / 255 for c in p))[0] for p in pixels])


def assert_histogram_of(counts, hues, low, high):
    """Counts may differ from those of `hues` only by colours that lie on an edge of two bins."""
    edges = np.linspace(low, high, len(counts) + 1)[1:-1]
    below = np.cumsum(counts)[:-1]
    hues = np.sort(hues)
    assert (np.searchsorted(hues, edges - 1e-12) <= below).all()
    assert (below <= np.searchsorted(hues, edges + 1e-12)).all()


def write_pictures(folder, classes, size=(8, 6), suffix=".png"):
    for k, (name, files) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for i, file in enumerate(files):
            pixels = noise(*size, seed=100 * k + i)
            Image.fromarray(pixels).save((folder / name / file).with_suffix(suffix))
    return folder


@pytest.fixture
def folder(tmp_path):
    classes = {"pear": ["2_a", "10_a", "r_1_a", "ripe"], "fig": ["1", "0"]}
    return write_pictures(tmp_path / "pictures", classes)


# ---------------------------------------------------------------- hue_histogram


colours = hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)))
few_colours = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)),
    elements=st.sampled_from([0, 1, 254, 255]),
)


@settings(max_examples=100, deadline=None)
@given(colours | few_colours, st.integers(1, 400))
def test_fixed_bins_hold_the_hues_that_colorsys_computes(image, bins):
    counts = hue_histogram(image, bins=bins, hue_range=(0, 1))
    assert counts.shape == (bins,)
    assert counts.dtype == np.int64
    assert counts.sum() == image.shape[0] * image.shape[1]
    assert_histogram_of(counts, colorsys_hues(image.reshape(-1, 3)), 0, 1)


@settings(max_examples=100, deadline=None)
@given(colours | few_colours, st.integers(1, 400))
def test_own_bins_span_the_hues_of_the_picture(image, bins):
    hues = colorsys_hues(image.reshape(-1, 3))
    counts = hue_histogram(image, bins=bins)
    assert counts.sum() == len(hues)
    if np.ptp(hues) > 1e-9:
        assert counts[0] > 0
        assert counts[-1] > 0
        assert_histogram_of(counts, hues, hues.min(), hues.max())


def test_colours_on_an_edge_go_where_scikit_image_puts_them():
    image = [[[255, 0, 0], [23, 32, 11], [37, 13, 35], [5, 6, 18], [39, 28, 33]]]
    counts = hue_histogram(np.array(image, dtype=np.uint8), bins=12)
    # numpy.histogram(skimage.color.rgb2hsv(image)[..., 0], bins=12), scikit-image 0.26
    assert counts.tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1]


def test_hues_outside_the_range_are_not_counted():
    red, green, blue = np.eye(3, dtype=np.uint8) * 255
    image = np.array([[red, green, green, blue]])
    assert hue_histogram(image, bins=2, hue_range=(0.25, 0.5)).tolist() == [2, 0]


def test_order_of_pixels_and_blocks_do_not_matter(monkeypatch):
    image = noise(50, 40)
    expected = hue_histogram(image)
    shuffled = np.random.default_rng(1).permutation(image.reshape(-1, 3)).reshape(40, 50, 3)
    np.testing.assert_array_equal(hue_histogram(shuffled), expected)
    monkeypatch.setattr(datasets, "_BLOCK", 7)
    np.testing.assert_array_equal(hue_histogram(image), expected)


def test_a_constant_picture_fills_one_bin():
    image = np.full((5, 4, 3), (10, 200, 30), dtype=np.uint8)
    for hue_range in (None, (0, 1)):
        counts = hue_histogram(image, hue_range=hue_range)
        assert sorted(counts)[-2:] == [0, 20]


def test_the_image_is_not_modified():
    image = noise(5, 5)
    image.flags.writeable = False
    hue_histogram(image)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_other_modes_are_converted_to_rgb(mode):
    picture = Image.fromarray(noise(9, 7))
    picture = picture.convert("I").convert("I;16") if mode == "I;16" else picture.convert(mode)
    expected = hue_histogram(np.asarray(picture.convert("RGB")), hue_range=(0, 1))
    np.testing.assert_array_equal(hue_histogram(picture, hue_range=(0, 1)), expected)
    if mode in ("1", "L", "LA", "I;16"):  # no colour: hue 0
        assert expected[0] == 63


def test_a_palette_with_transparency_gives_its_colours(tmp_path):
    picture = Image.fromarray(noise(9, 7)).convert("P")
    opaque = hue_histogram(picture)
    picture.save(tmp_path / "x.png", transparency=bytes(range(200)))
    with Image.open(tmp_path / "x.png") as reopened:
        assert reopened.mode == "P"
        np.testing.assert_array_equal(hue_histogram(reopened), opaque)


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (np.zeros((4, 4), np.uint8), "(4, 4) of uint8"),
        (np.zeros((4, 4, 4), np.uint8), "(4, 4, 4) of uint8"),
        (np.zeros((4, 4, 3)), "float64"),
        (np.zeros((0, 4, 3), np.uint8), "(0, 4, 3)"),
        (None, "object"),
    ],
)
def test_what_is_no_picture_is_refused(image, got):
    with pytest.raises(ValueError, match=re.escape(got)):
        hue_histogram(image)


@pytest.mark.parametrize("hue_range", [(0, 2), (0.5, 0.5), (1, 0), (0, 0.5, 1), (0, np.nan), "ab"])
def test_bad_hue_range(hue_range):
    with pytest.raises(ValueError, match="hue_range must be None or"):
        hue_histogram(noise(2, 2), hue_range=hue_range)


def test_bad_parameter_types():
    with pytest.raises(TypeError, match="hue_range"):
        hue_histogram(noise(2, 2), hue_range=1)
    with pytest.raises(TypeError, match="bins"):
        hue_histogram(noise(2, 2), bins=3.0)
    with pytest.raises(ValueError, match="bins"):
        hue_histogram(noise(2, 2), bins=0)


# ---------------------------------------------------------------- HueHistogram


def test_transformer_takes_paths_pictures_and_arrays_of_any_size(folder):
    path = folder / "fig" / "0.png"
    with Image.open(path) as picture:
        mixed = [str(path), path, picture, np.asarray(picture), noise(30, 20)]
        X = HueHistogram(bins=20).fit_transform(mixed)
    assert X.shape == (5, 20)
    assert (X[:4] == X[0]).all()
    assert X.sum(axis=1).tolist() == [48, 48, 48, 48, 600]


def test_transformer_of_an_array_is_row_by_row():
    pictures = noise(4, 8, 6)
    X = HueHistogram(bins=12, hue_range=(0, 1)).transform(pictures)
    for row, picture in zip(X, pictures, strict=True):
        np.testing.assert_array_equal(row, hue_histogram(picture, bins=12, hue_range=(0, 1)))


def test_transformer_is_clonable_and_has_set_output():
    transformer = clone(HueHistogram(bins=5, hue_range=(0, 0.5))).set_output(transform="pandas")
    assert transformer.get_params() == {"bins": 5, "hue_range": (0, 0.5)}
    frame = transformer.fit_transform(noise(3, 4, 4))
    assert isinstance(frame, pd.DataFrame)
    assert list(frame) == ["hue0", "hue1", "hue2", "hue3", "hue4"]


def test_transformer_in_a_pipeline():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 10)
    pictures = rng.integers(0, 60, (20, 8, 8, 3), dtype=np.uint8)
    pictures[np.arange(20), ..., y] += 150  # red or green
    model = make_pipeline(
        HueHistogram(bins=6, hue_range=(0, 1)), VarianceThreshold(4), DecisionTreeClassifier()
    )
    model.fit(list(pictures[:10]), y[:10])
    np.testing.assert_array_equal(model.predict(pictures[10:]), y[10:])
    model.set_output(transform="pandas").fit(pictures, y)
    assert set(model[:-1].transform(pictures)) <= {"hue0", "hue1", "hue2", "hue3", "hue4", "hue5"}


def test_transformer_needs_no_fit():
    check_is_fitted(HueHistogram())
    tags = get_tags(HueHistogram())
    assert not tags.requires_fit
    assert not tags.input_tags.two_d_array


def test_transformer_refuses_bad_input(tmp_path):
    with pytest.raises(ValueError, match="bins"):
        HueHistogram(bins=-1).fit([])
    with pytest.raises(ValueError, match="at least one picture"):
        HueHistogram().transform([])
    with pytest.raises(TypeError, match="list of pictures"):
        HueHistogram().transform("apple.jpg")
    with pytest.raises(FileNotFoundError, match=r"missing\.jpg"):
        HueHistogram().transform([tmp_path / "missing.jpg"])


# ---------------------------------------------------------------- folders


def test_list_pictures_is_ordered_by_class_and_number(folder):
    paths, labels, names = list_pictures(folder)
    assert names == ["fig", "pear"]
    assert [p.name for p in paths] == [
        "0.png",
        "1.png",
        "2_a.png",
        "10_a.png",
        "r_1_a.png",
        "ripe.png",
    ]
    assert labels.tolist() == [0, 0, 1, 1, 1, 1]
    paths, labels, names = list_pictures(str(folder), classes=["pear"])
    assert names == ["pear"]
    assert len(paths) == 4


def test_hidden_files_other_files_and_links_that_lead_out_are_left_aside(folder, tmp_path):
    expected = list_pictures(folder)[0]
    (folder / ".git").mkdir()
    (folder / "notes.txt").write_text("x")
    (folder / "fig" / ".hidden.png").write_bytes(b"x")
    (folder / "fig" / "notes.txt").write_text("x")
    (folder / "fig" / "folder.png").mkdir()
    outside = write_pictures(tmp_path / "outside", {"kiwi": ["0"]})
    (folder / "fig" / "secret.png").symlink_to(outside / "kiwi" / "0.png")
    (folder / "fig" / "broken.png").symlink_to(outside / "missing.png")
    (folder / "fig" / "loop.png").symlink_to("loop.png")
    (folder / "kiwi").symlink_to(outside / "kiwi")
    assert list_pictures(folder)[0] == expected
    (folder / "fig" / "again.png").symlink_to(folder / "fig" / "0.png")
    assert len(list_pictures(folder)[0]) == len(expected) + 1


def test_a_folder_reached_through_a_link_is_read(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert len(list_pictures(tmp_path / "link")[0]) == 6


def test_folders_that_hold_no_pictures_are_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing does not exist"):
        list_pictures(tmp_path / "missing")
    with pytest.raises(NotADirectoryError, match=r"0\.png is not a folder"):
        list_pictures(folder / "fig" / "0.png")
    with pytest.raises(ValueError, match="fig has no sub-folders"):
        list_pictures(folder / "fig")
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no picture"):
        list_pictures(folder)


@pytest.mark.parametrize("classes", ["fig", [], ["fig", "fig"]])
def test_classes_must_be_a_list_of_different_names(folder, classes):
    with pytest.raises(ValueError, match="list of different names"):
        list_pictures(folder, classes=classes)


def test_classes_must_be_there(folder):
    with pytest.raises(ValueError, match=r"\['fig', 'pear'\]; got \['\.\./x'\]"):
        list_pictures(folder, classes=["fig", "../x"])


def test_extract_features(folder, capsys):
    table = extract_features(folder, classes=["pear", "fig"], bins=30, hue_range=(0, 1))
    assert capsys.readouterr().err == ""
    assert table.target_names.tolist() == ["pear", "fig"]
    assert table.target.tolist() == [0, 0, 0, 0, 1, 1]
    assert table.groups.tolist() == [0, 0, 1, 0, 0, 0]
    assert table.picture_names[1] == "pear/10_a.png"
    assert table.data.dtype == np.uint16
    assert table.bins == 30
    assert table.hue_range == (0.0, 1.0)
    for row, name in zip(table.data, table.picture_names, strict=True):
        with Image.open(folder / name) as picture:
            np.testing.assert_array_equal(row, hue_histogram(picture, bins=30, hue_range=(0, 1)))


def test_extract_features_shows_progress(folder, capsys):
    extract_features(folder, bins=3, verbose=True)
    assert "extracting" in capsys.readouterr().err


def test_large_counts_widen_the_table(tmp_path):
    (tmp_path / "grey").mkdir()
    Image.new("L", (256, 257)).save(tmp_path / "grey" / "0.png")
    table = extract_features(tmp_path, bins=2)
    assert table.data.dtype == np.uint32
    assert table.data.max() == 256 * 257


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".bmp", ".tif", ".webp"])
def test_a_truncated_picture_is_named(tmp_path, suffix):
    write_pictures(tmp_path, {"fig": ["0", "1"]}, size=(64, 64), suffix=suffix)
    bad = tmp_path / "fig" / f"1{suffix}"
    extract_features(tmp_path)
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    with pytest.raises(ValueError, match=re.escape(f"{bad} cannot be read as a picture: ")):
        extract_features(tmp_path)


@pytest.mark.parametrize("content", [b"", b"<html>", bytes(100)])
def test_what_is_no_picture_in_a_folder_is_named(folder, content):
    (folder / "fig" / "5.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=r"5\.jpg cannot be read as a picture"):
        extract_features(folder)


@pytest.mark.parametrize("limit", [20, 40])  # Pillow raises beyond twice the limit, else warns
def test_a_decompression_bomb_is_named(folder, monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(ValueError, match=r"0\.png cannot be read.*decompression bomb"):
        extract_features(folder)


# ---------------------------------------------------------------- FeatureTable


@pytest.fixture
def table(folder):
    return extract_features(folder, bins=20)


def assert_same_table(a, b):
    for field in dataclasses.fields(FeatureTable):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if field.name == "hue_range":
            assert x == y
        else:
            assert x.dtype == y.dtype
            assert x.shape == y.shape
            assert x.tobytes() == y.tobytes()


@pytest.mark.parametrize("hue_range", [None, (0.25, 1.0)])
def test_tables_survive_the_file(table, tmp_path, hue_range):
    table = dataclasses.replace(table, hue_range=hue_range)
    path = tmp_path / "t.npz"
    path.write_text("old")
    with path.open() as opened_before:
        save_table(path, table)
        assert opened_before.read() == "old"
    assert_same_table(load_table(str(path)), table)
    content = path.read_bytes()
    save_table(path, table)
    assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["t.npz"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(table, tmp_path, monkeypatch):
    path = tmp_path / "t.npz"
    path.write_text("old")

    def fail(stream, **arrays):
        stream.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="disk full"):
        save_table(path, table)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["t.npz"]


def test_saving_into_a_missing_folder(table, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        save_table(tmp_path / "missing" / "t.npz", table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.zeros((6, 20))}, "unsigned counts"),
        ({"data": np.zeros((6, 0), np.uint16)}, "unsigned counts"),
        ({"data": np.uint16(3)}, "unsigned counts"),
        ({"target": np.zeros(5, int)}, r"shape \(6,\)"),
        ({"target_names": np.array([["a", "b"]])}, "target_names be 1-D"),
        ({"target": np.zeros(6)}, "target and groups must be integers"),
        ({"picture_names": np.zeros(6)}, "the names text"),
        ({"target": np.array([0, 1, 2, 0, 0, 0])}, "0 to 1, got 0 to 2"),
        ({"target": np.array([0, 1, -1, 0, 0, 0])}, "got -1 to 1"),
        ({"hue_range": (0.0, 7.0)}, "hue_range"),
    ],
)
def test_a_table_whose_arrays_do_not_fit_is_refused(table, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(table, **change)


def test_load_table_names_what_is_missing(tmp_path):
    np.savez(tmp_path / "t.npz", data=np.eye(2), labels=np.arange(2))
    with pytest.raises(
        ValueError, match=r"t\.npz.*expected the arrays data, .*\['data', 'labels'\]"
    ):
        load_table(tmp_path / "t.npz")


def test_load_table_checks_the_range(table, tmp_path):
    path = tmp_path / "t.npz"
    save_table(path, table)
    with np.load(path) as arrays:
        arrays = dict(arrays)
    np.savez(path, **{**arrays, "hue_range": np.arange(3.0)})
    with pytest.raises(ValueError, match=r"t\.npz.*hue_range must hold"):
        load_table(path)


# ---------------------------------------------------------------- the shipped table


@needs_pictures
def test_the_shipped_table_is_what_the_extractor_computes():
    assert_same_table(extract_features(PICTURES, classes=FRUITS), load_table(TABLE))


@needs_pictures
def test_the_shipped_table_agrees_with_two_other_ways_to_compute_hues():
    table = load_table(TABLE)
    for k in range(0, len(table.data), 300):
        with Image.open(PICTURES / table.picture_names[k]) as picture:
            hues = colorsys_hues(np.asarray(picture).reshape(-1, 3))
            coarse = np.asarray(picture.convert("HSV"))[..., 0]  # Pillow's, in 256 steps
        assert_histogram_of(table.data[k], hues, hues.min(), hues.max())
        steps = np.abs(np.sort(np.trunc(hues * 255)) - np.sort(coarse, axis=None))
        assert steps.max() <= 1


def test_the_shipped_table_is_as_described():
    table = load_table(TABLE)
    assert TABLE.stat().st_size < 600_000
    assert table.data.shape == (1962, 360)
    assert table.data.dtype == np.uint16
    assert (table.data.sum(axis=1) == 100 * 100).all()
    assert np.bincount(table.target).tolist() == [492, 490, 490, 490]
    assert table.target_names.tolist() == FRUITS
    assert table.groups.sum() == 1962 / 2
    for name, label, group in zip(table.picture_names, table.target, table.groups, strict=True):
        folder, file = name.split("/")
        assert FRUITS[label] == folder
        assert group == file.startswith("r_")


def test_the_checksums_in_the_readme_hold():
    readme = (TABLE.parent / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*`([0-9a-f]{64})` \|$", readme, re.MULTILINE))
    with np.load(TABLE) as arrays:
        computed = {name: hashlib.sha256(arrays[name].tobytes()).hexdigest() for name in arrays}
    assert rows == computed
    file = re.search(r"SHA-256 of `fruits360.*`:\n`(\w+)`", readme)
    assert file[1] == hashlib.sha256(TABLE.read_bytes()).hexdigest()


def test_load_fruits360_returns_everything():
    fruits = load_fruits360()
    table = load_table(TABLE)
    assert fruits.data.dtype == np.float64
    assert fruits.target.dtype == np.int64
    np.testing.assert_array_equal(fruits.data, table.data)
    np.testing.assert_array_equal(fruits.target, table.target)
    np.testing.assert_array_equal(fruits.groups, table.groups)
    np.testing.assert_array_equal(fruits.picture_names, table.picture_names)
    assert fruits.target_names.tolist() == FRUITS
    assert fruits.feature_names == [f"hue{k}" for k in range(360)]
    assert fruits.frame is None
    assert Path(fruits.filename) == TABLE
    for fact in ("Oltean", "CC BY-SA 4.0", "(1962, 360)"):
        assert fact in fruits.DESCR


@pytest.mark.parametrize(("choice", "width"), [({"min_std": 50}, 109), ({"n_features": 102}, 102)])
def test_load_fruits360_chooses_columns(choice, width):
    fruits = load_fruits360(**choice)
    everything = load_fruits360().data
    assert fruits.data.shape == (1962, width)
    columns = [int(name.removeprefix("hue")) for name in fruits.feature_names]
    assert columns == sorted(columns)
    np.testing.assert_array_equal(fruits.data, everything[:, columns])
    dropped = np.delete(everything, columns, axis=1)
    assert dropped.std(axis=0).max() <= fruits.data.std(axis=0).min()


def test_load_fruits360_as_pair_and_frame():
    X, y = load_fruits360(return_X_y=True, n_features=3)
    assert (X.shape, y.shape) == ((1962, 3), (1962,))
    fruits = load_fruits360(as_frame=True, n_features=3)
    frame, target = load_fruits360(as_frame=True, n_features=3, return_X_y=True)
    assert list(frame) == fruits.feature_names
    assert list(fruits.frame) == [*fruits.feature_names, "target"]
    assert isinstance(target, pd.Series)
    assert target.name == "target"
    np.testing.assert_array_equal(frame, X)
    np.testing.assert_array_equal(target, y)


def test_as_frame_without_pandas_says_so(monkeypatch):
    real_import = builtins.__import__

    def without_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(ImportError, match="as_frame=True requires pandas"):
        load_fruits360(as_frame=True)


def test_the_table_is_looked_for_in_the_package_then_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "__file__", str(tmp_path / "ga_ann" / "datasets" / "tables.py"))
    with pytest.raises(FileNotFoundError, match=r"fruits360_hue_histograms\.npz is missing"):
        load_fruits360()
    for home in (tmp_path, tmp_path / "ga_ann"):
        shutil.copytree(TABLE.parent, home / "data")
        assert Path(load_fruits360().filename).parent == home / "data"


# ---------------------------------------------------------------- select_by_std


tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 8), st.integers(1, 8)),
    elements=st.integers(-50, 50).map(float),
)


@settings(max_examples=50, deadline=None)
@given(tables, st.data())
def test_the_k_largest_standard_deviations(X, data):
    k = data.draw(st.integers(1, X.shape[1]))
    mask = select_by_std(X, n_features=k)
    assert mask.sum() == k
    deviations = X.std(axis=0)
    assert deviations[mask].min() >= deviations[~mask].max(initial=0)


@settings(max_examples=50, deadline=None)
@given(tables, st.floats(0.1, 20))
def test_columns_above_a_standard_deviation(X, min_std):
    expected = X.std(axis=0) > min_std
    if not expected.any():
        with pytest.raises(ValueError, match="no column has a standard deviation above"):
            select_by_std(X, min_std=min_std)
    elif np.abs(X.std(axis=0) - min_std).min() > 1e-9:
        np.testing.assert_array_equal(select_by_std(X, min_std=min_std), expected)


def test_the_first_of_equal_columns_is_kept():
    X = np.zeros((2, 100))
    X[1] = np.arange(100) % 3
    assert np.flatnonzero(select_by_std(X, n_features=3)).tolist() == [2, 5, 8]


def test_all_columns_unless_asked():
    assert select_by_std(np.eye(3)).tolist() == [True] * 3


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        ({"min_std": 1, "n_features": 1}, ValueError),
        ({"min_std": -1}, ValueError),
        ({"min_std": float("nan")}, ValueError),
        ({"min_std": True}, TypeError),
        ({"min_std": 1e200}, ValueError),
        ({"n_features": True}, TypeError),
        ({"min_std": "50"}, TypeError),
        ({"n_features": 0}, ValueError),
        ({"n_features": 4}, ValueError),
        ({"n_features": 1.5}, TypeError),
    ],
)
def test_bad_choices_of_columns(choice, error):
    with pytest.raises(error, match=r"min_std|n_features|standard deviation"):
        select_by_std(np.eye(3), **choice)


def test_columns_are_chosen_from_finite_data():
    with pytest.raises(ValueError, match="NaN"):
        select_by_std([[1.0, np.nan], [2.0, 3.0]], n_features=1)


# ---------------------------------------------------------------- load_features


X = np.random.default_rng(0).normal(size=(6, 3))
Y = np.array([0, 1, 2, 0, 1, 2])


def write_pickle(path, content, protocol=3):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def crafted_pickle(shape, dtype=b"f8", raw=bytes(16), order=b"<"):
    """An array as Python 2 wrote it, bytes as its str; `shape` in opcodes."""
    return (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01" + shape + b"cnumpy\ndtype\nU" + bytes([len(dtype)]) + dtype + b"K\x00K\x01\x87R"
        b"(K\x03U\x01" + order + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T" + len(raw).to_bytes(4, "little") + raw + b"tb."
    )


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("features", [X, np.asfortranarray(X), X.astype(np.float32), X > 0])
def test_the_tutorials_pickles_are_read(tmp_path, protocol, features):
    features_file = write_pickle(tmp_path / "dataset_features.pkl", features, protocol)
    outputs_file = write_pickle(tmp_path / "outputs.pkl", Y.astype(float), protocol)
    loaded, y = load_features(features_file, outputs_file)
    np.testing.assert_array_equal(loaded, features)
    np.testing.assert_array_equal(y, Y)
    assert y.dtype == np.int64
    assert loaded.flags.writeable


@pytest.mark.parametrize("order", ["<", ">"])
def test_pickles_of_python_2_and_of_other_byte_orders_are_read(tmp_path, order):
    path = tmp_path / "x.pkl"
    raw = X.astype(f"{order}f8").tobytes()
    path.write_bytes(crafted_pickle(b"K\x06K\x03\x86", raw=raw, order=order.encode()))
    loaded, _ = load_features(path, write_pickle(tmp_path / "y.pkl", Y))
    np.testing.assert_array_equal(loaded, X)


def test_text_labels_are_read_from_pickles_and_npy(tmp_path):
    features = tmp_path / "x.npy"
    np.save(features, X)
    for labels in (np.array(list("abcabc")), np.array(list("abcabc"), dtype="S")):
        for path in (tmp_path / "y.pkl", tmp_path / "y.npy"):
            write_pickle(path, labels) if path.suffix == ".pkl" else np.save(path, labels)
            assert load_features(features, path)[1].tolist() == list("abcabc")


class Hostile:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrap", [lambda h: h, lambda h: [X, h], lambda h: np.array([h], object)])
def test_a_hostile_pickle_is_refused_and_does_not_run(tmp_path, protocol, wrap):
    marker = tmp_path / "marker"
    hostile = wrap(Hostile(os.system, f"touch {marker}"))
    path = write_pickle(tmp_path / "x.pkl", hostile, protocol)
    with pytest.raises(
        ValueError, match=r"x\.pkl.*((posix|nt)\.system.*Nothing in it was run|'O8')"
    ):
        load_features(path, path)
    assert not marker.exists()
    pickle.loads(path.read_bytes())  # the file is armed
    assert marker.exists()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (Hostile(eval, "1"), "eval"),
        (Hostile(exec, "1"), "exec"),
        (Hostile(getattr, "", "join"), "getattr"),
        (np.float64(1.5), "multiarray.scalar"),
        (np.ma.array([1, 2]), "mareconstruct|ma"),
        (np.array([1, None]), "'O8'; expected numbers or text"),
        (np.zeros(2, dtype="f8,i4"), "'V12'"),
        (np.zeros(2, dtype="M8[s]"), "'M8'"),
        (pd.DataFrame({"a": [1]}), "pandas"),
        ({"data": X}, "holds a dict"),
        ([1, 2], "holds a list"),
        (np.ndarray, "holds a str"),
    ],
)
def test_a_pickle_of_anything_but_an_array_is_refused(tmp_path, content, found):
    path = write_pickle(tmp_path / "x.pkl", content)
    with pytest.raises(ValueError, match=rf"x\.pkl cannot be read as features: it .*({found})"):
        load_features(path, path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (crafted_pickle(b"K\x01J\xff\xff\xff\x7f\x86"), "declares 2147483647 items"),
        (crafted_pickle(b"K\x01J\xff\xff\xff\xff\x86"), r"shape \(1, -1\)"),
        (crafted_pickle(b"]"), r"shape \[\]"),
        (crafted_pickle(b"K\x01K\x02\x86", b"O8"), "'O8'"),
        (crafted_pickle(b"K\x01K\x02\x86", b"U99999"), "declares 2 items of <U99999, 799992 bytes"),
        (crafted_pickle(b"K\x01K\x02\x86")[:-1], "a damaged one"),
        (crafted_pickle(b"K\x01K\x02\x86")[:-10], "a damaged one"),
        (b"", "a damaged one"),
        (b"not a pickle", "no pickle"),
        (b"\x80\x05\x96" + (2**60).to_bytes(8, "little"), "a damaged one"),
        (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R.", "holds a _PickledArray"),
    ],
)
def test_crafted_pickles_are_refused(tmp_path, content, reason):
    path = tmp_path / "x.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.pkl cannot be read as features: .*({reason})"):
        load_features(path, path)


def test_a_pickle_cannot_change_what_reads_the_next_one(tmp_path):
    path = tmp_path / "x.pkl"
    change = b"cnumpy.core.numeric\n_frombuffer\nN}U\x07changedK\x01s\x86b0"  # setattr, pop
    path.write_bytes(b"\x80\x05" + change + pickle.dumps(X, protocol=5)[2:])
    labels = write_pickle(tmp_path / "y.pkl", Y)
    np.testing.assert_array_equal(load_features(path, labels)[0], X)
    unpickler = datasets._ArrayUnpickler(io.BytesIO())
    assert not hasattr(unpickler.find_class("numpy.core.numeric", "_frombuffer"), "changed")


@pytest.mark.parametrize("dtype", ["<f4", ">f4"])
def test_npy_pairs_are_read(tmp_path, dtype):
    np.save(tmp_path / "x.npy", X.astype(dtype))
    np.save(tmp_path / "y.npy", Y.astype(np.uint8))
    loaded, y = load_features(str(tmp_path / "x.npy"), str(tmp_path / "y.npy"))
    assert loaded.dtype == np.float32
    assert loaded.flags.writeable
    assert y.dtype == np.int64
    np.testing.assert_array_equal(loaded, X.astype(np.float32))
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_versions_of_the_npy_format(tmp_path, version):
    path = tmp_path / "x.npy"
    np.save(tmp_path / "y.npy", Y)
    with path.open("wb") as stream:
        np.lib.format.write_array(stream, X, version=version)
    if version == (3, 0):
        with pytest.raises(ValueError, match=r"x\.npy.*version \(3, 0\)"):
            load_features(path, tmp_path / "y.npy")
    else:
        np.testing.assert_array_equal(load_features(path, tmp_path / "y.npy")[0], X)


@pytest.mark.parametrize("names", [("data", "target"), ("X", "y")])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_is_read(tmp_path, names, save):
    path = tmp_path / "t.npz"
    save(path, **{names[0]: X, names[1]: Y, "other": np.array([None])})
    loaded, y = load_features(path)
    np.testing.assert_array_equal(loaded, X)
    np.testing.assert_array_equal(y, Y)


def test_the_format_of_the_shipped_table_is_read():
    loaded, y = load_features(TABLE)
    expected = load_fruits360(return_X_y=True)
    np.testing.assert_array_equal(loaded, expected[0])
    np.testing.assert_array_equal(y, expected[1])


def test_npz_with_other_arrays_says_what_is_there(tmp_path):
    np.savez(tmp_path / "t.npz", a=X, data=Y)
    with pytest.raises(ValueError, match=r"data, target or X, y; there are \['a', 'data'\]"):
        load_features(tmp_path / "t.npz")


def test_pickled_objects_in_npy_and_npz_are_refused_and_do_not_run(tmp_path):
    marker = tmp_path / "marker"
    hostile = np.array([[Hostile(os.system, f"touch {marker}")]], dtype=object)
    np.savez(tmp_path / "t.npz", X=hostile, y=Y)
    np.save(tmp_path / "x.npy", hostile)
    with pytest.raises(ValueError, match=r"t\.npz.*X\.npy: .*never loaded"):
        load_features(tmp_path / "t.npz")
    with pytest.raises(ValueError, match=r"x\.npy.*never loaded"):
        load_features(tmp_path / "x.npy", tmp_path / "x.npy")
    assert not marker.exists()


def npy_bytes(shape, content, descr="<f8"):
    stream = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npy_bytes((2**40, 3), bytes(48)), "declares 3298534883328 items"),
        (npy_bytes((2, 3), bytes(40)), "but holds 40 bytes"),
        (npy_bytes((2, 3), bytes(56)), "but holds 56 bytes"),
        (npy_bytes((2,), bytes(16), [("a", "<f8")]), "expected numbers or text"),
        (npy_bytes((2, 3), bytes(48))[:30], "EOF"),
        (b"", "EOF"),
        (b"PK\x03\x04garbage", "magic"),
    ],
)
def test_damaged_npy_files_are_refused_alone_and_in_npz(tmp_path, content, reason):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.npy cannot be read as features: .*{reason}"):
        load_features(tmp_path / "x.npy", tmp_path / "x.npy")
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("X.npy", content)
        archive.writestr("y.npy", npy_bytes((2,), bytes(16)))
    with pytest.raises(ValueError, match=rf"t\.npz .*: X\.npy: .*{reason}"):
        load_features(tmp_path / "t.npz")


def test_a_truncated_or_altered_npz_is_refused(tmp_path):
    path = tmp_path / "t.npz"
    np.savez_compressed(path, X=X, y=Y)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"t\.npz cannot be read"):
            load_features(path)
    middle = whole.index(b"X.npy") + 60
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    with pytest.raises(ValueError, match=r"t\.npz cannot be read"):
        load_features(path)


@pytest.mark.parametrize(
    ("text", "features", "labels"),
    [
        ("1,2,0\n3,4,1\n", [[1, 2], [3, 4]], [0, 1]),
        ("a,b,class\n1,2,pear\n\n3,-4e1, fig \n", [[1, 2], [3, -40]], ["pear", "fig"]),
        ("\ufeff1,0\n", [[1]], [0]),
        ("a,class\r\n1,0.5\r\n2,1\r\n", [[1], [2]], [0.5, 1.0]),
        ('1,"a, b"\n2,c\n', [[1], [2]], ["a, b", "c"]),
        ("0,1,target\n1,2,0\n3,4,1\n", [[1, 2], [3, 4]], [0, 1]),
        ("1,target\n", [[1]], ["target"]),
        ("1,001\n2,1\n", [[1], [2]], ["001", "1"]),
        ("1,9007199254740993\n2,1\n", [[1], [2]], ["9007199254740993", "1"]),
    ],
)
def test_csv_is_read(tmp_path, text, features, labels):
    path = tmp_path / "t.CSV"
    path.write_bytes(text.encode())
    loaded, y = load_features(path)
    assert loaded.tolist() == features
    assert y.tolist() == labels
    assert loaded.dtype == np.float64


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no rows"),
        ("a,b,class\n", "no rows"),
        ("1,2,0\n3,1\n", "line 2 must hold 3 cells as line 1 does, got 2"),
        ("1,2,0\n3,x,1\n", "line 2: could not convert"),
        ("1,,0\n", "line 1: could not convert"),
        ("1,2,\n", "line 1 must hold"),
        ("label\n1\n", "line 2 must hold 1 numbers"),
        ("1,nan,0\n", "features must be finite, got nan in row 0, column 1"),
        ("1,2,0\n1,2,inf\n", "labels must be finite"),
        ("1,2,\ud800\n", "utf-8"),
    ],
)
def test_bad_csv_is_refused(tmp_path, text, reason):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match=rf"t\.csv cannot be read.*{reason}"):
        load_features(path)


@pytest.mark.parametrize(
    "features",
    [np.arange(6), np.zeros((6, 0)), np.zeros((0, 3)), X * 1j, np.array([["a"] * 3] * 6)],
)
def test_features_must_be_a_table_of_numbers(tmp_path, features):
    np.save(tmp_path / "x.npy", features)
    np.save(tmp_path / "y.npy", Y)
    with pytest.raises(ValueError, match=r"x\.npy cannot be read as features: .*numbers"):
        load_features(tmp_path / "x.npy", tmp_path / "y.npy")


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (Y[:, None], r"labels must be a 1-D array, got shape \(6, 1\)"),
        (Y[:0], "labels must be a 1-D array"),
        (np.where(Y, 1.0, np.nan), "labels must be finite, got nan"),
    ],
)
def test_labels_must_be_one_finite_column(tmp_path, labels, reason):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", labels)
    with pytest.raises(ValueError, match=rf"y\.npy cannot be read as labels: {reason}"):
        load_features(tmp_path / "x.npy", tmp_path / "y.npy")


@pytest.mark.parametrize("labels", [np.full(6, 2**64 - 1, np.uint64), np.full(6, 1e300)])
def test_labels_too_large_for_int64_are_kept(tmp_path, labels):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", labels)
    y = load_features(tmp_path / "x.npy", tmp_path / "y.npy")[1]
    assert y.dtype == labels.dtype
    np.testing.assert_array_equal(y, labels)


def test_numbers_of_features_and_labels_must_match(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y[:4])
    with pytest.raises(ValueError, match=r"y\.npy must have as many labels .*: 6, got 4"):
        load_features(tmp_path / "x.npy", tmp_path / "y.npy")
    np.savez(tmp_path / "t.npz", X=X, y=Y[:4])
    with pytest.raises(ValueError, match=r"t\.npz must have as many labels .*: 6, got 4"):
        load_features(tmp_path / "t.npz")


def test_where_the_labels_are_must_be_clear(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("dataset_features.pkl", "t.csv", "t.json"):
        Path(name).touch()
    with pytest.raises(ValueError, match=r"dataset_features\.pkl .*file of the labels as target"):
        load_features("dataset_features.pkl")
    with pytest.raises(ValueError, match=r"target must be None, got y\.npy"):
        load_features("t.csv", "y.npy")
    with pytest.raises(ValueError, match=r"\['\.npy', '\.pkl', '\.csv', '\.npz'\], got t\.json"):
        load_features("t.json")
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(ValueError, match=r"y\.json cannot be read as labels: .*\.npy"):
        load_features(tmp_path / "x.npy", tmp_path / "y.json")


@pytest.mark.parametrize("name", ["t.csv", "t.npz", "t.npy", "t.pkl"])
def test_a_missing_file_is_named(tmp_path, name):
    target = tmp_path / "y.npy" if name in ("t.npy", "t.pkl") else None
    with pytest.raises(FileNotFoundError, match=re.escape(name)):
        load_features(tmp_path / name, target)


def test_equal_numbers_do_not_vary():
    X = np.column_stack([np.full(10, 0.1), np.arange(10)])
    assert select_by_std(X, min_std=0).tolist() == [False, True]


@pytest.mark.parametrize("bins", [True, float("nan"), 0])
def test_bins_are_a_positive_integer(bins):
    with pytest.raises((TypeError, ValueError), match="bins must be"):
        hue_histogram(np.zeros((1, 1, 3), dtype=np.uint8), bins=bins)
