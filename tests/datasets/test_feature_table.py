import dataclasses
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ga_ann.datasets.feature_table import FeatureTable, extract_features, load_table, save_table
from ga_ann.datasets.hue import hue_histogram

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "data" / "fruits360_hue_histograms.npz"
PICTURES = Path(os.environ.get("FRUITS360", ROOT.parent / "shared" / "data" / "fruits360"))
needs_pictures = pytest.mark.skipif(not PICTURES.is_dir(), reason="the pictures are not here")
FRUITS = ["apple", "raspberry", "mango", "lemon"]


OPTIONS = {"classes": ["pear", "fig"], "features": "tutorial"}


def test_extract_features(folder, capsys):
    table = extract_features(folder, **OPTIONS, bins=30, hue_range=(0, 1))
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
    table = extract_features(tmp_path, features="tutorial", bins=2)
    assert table.data.dtype == np.uint32
    assert table.data.max() == 256 * 257


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".bmp", ".tif", ".webp"])
def test_a_truncated_picture_is_named(write_pictures, tmp_path, suffix):
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


@pytest.fixture
def table(folder):
    return extract_features(folder, features="tutorial", bins=20)


def assert_same_table(a, b):
    for field in dataclasses.fields(FeatureTable):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if field.name in ("hue_range", "features"):
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


@pytest.mark.parametrize("options", [{}, {"features": "hue", "hue_range": (0.25, 0.5)}])
def test_tables_of_shares_survive_the_file_and_know_their_kind(folder, tmp_path, options):
    table = extract_features(folder, **options)
    save_table(tmp_path / "t.npz", table)
    loaded = load_table(tmp_path / "t.npz")
    assert_same_table(loaded, table)
    assert loaded.settings == table.settings
    assert loaded.settings.kind == options.get("features", "hsv")
    assert loaded.feature_names == table.settings.names


def test_a_table_of_shares_is_no_table_of_another_kind(folder, tmp_path):
    table = extract_features(folder, bins=5)
    for change, message in (
        ({"features": "tutorial"}, "unsigned counts"),
        ({"features": "colour"}, "features must be one of"),
        ({"hue_range": None}, "hue_range must be"),
        ({"data": table.data.astype(np.uint8)}, "a table of shares"),
        ({"data": table.data[:, :-1]}, "as many columns for each channel of 'hsv', got 14"),
        ({"data": np.where(table.data == table.data[0, 0], np.nan, table.data)}, "from 0 to 1"),
        ({"data": table.data * 100}, "from 0 to 1"),
        ({"data": table.data - 1e-9}, "from 0 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(table, **change)
    save_table(tmp_path / "t.npz", table)
    with np.load(tmp_path / "t.npz") as arrays:
        arrays = dict(arrays)
    np.savez(tmp_path / "t.npz", **{**arrays, "features": np.array([1])})
    with pytest.raises(ValueError, match=r"t\.npz.*features must be a name"):
        load_table(tmp_path / "t.npz")


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


@needs_pictures
def test_the_shipped_table_is_what_the_extractor_computes():
    assert_same_table(
        extract_features(PICTURES, classes=FRUITS, features="tutorial"), load_table(TABLE)
    )
