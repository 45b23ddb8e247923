import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ga_ann.datasets.fruits import load_fruits360
from ga_ann.datasets.tables import load_features, load_unlabelled

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "data" / "fruits360_hue_histograms.npz"
X = np.random.default_rng(0).normal(size=(6, 3))
Y = np.array([0, 1, 2, 0, 1, 2])


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
    with pytest.raises(
        ValueError, match=r"\['\.npy', '\.pkl', '\.npz', '\.csv', .*\], got t\.json"
    ):
        load_features("t.json")
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(ValueError, match=r"y\.json cannot be read as labels: .*\.npy"):
        load_features(tmp_path / "x.npy", tmp_path / "y.json")


@pytest.mark.parametrize("name", ["t.csv", "t.npz", "t.npy", "t.pkl"])
def test_a_missing_file_is_named(tmp_path, name):
    target = tmp_path / "y.npy" if name in ("t.npy", "t.pkl") else None
    with pytest.raises(FileNotFoundError, match=re.escape(name)):
        load_features(tmp_path / name, target)


@pytest.mark.parametrize("header", ["", "a,b,c\n"])
def test_a_csv_of_the_expected_width_has_no_labels(tmp_path, header):
    path = tmp_path / "t.csv"
    path.write_text(header + "1,2,0\n3,4,1\n")
    loaded, y = load_unlabelled(path, n_features=3)
    assert (loaded.tolist(), y) == ([[1, 2, 0], [3, 4, 1]], None)
    for n_features in (None, 2, 4):
        loaded, y = load_unlabelled(path, n_features=n_features)
        assert (loaded.tolist(), y.tolist()) == ([[1, 2], [3, 4]], [0, 1])


def test_labels_of_what_is_predicted_must_match_it_and_its_kind_be_known(tmp_path):
    np.savez(tmp_path / "t.npz", X=X, y=Y[:4])
    with pytest.raises(ValueError, match=r"t\.npz must have as many labels .*: 6, got 4"):
        load_unlabelled(tmp_path / "t.npz")
    (tmp_path / "t.json").touch()
    with pytest.raises(ValueError, match=r"must end in one of .* got .*t\.json"):
        load_unlabelled(tmp_path / "t.json")
