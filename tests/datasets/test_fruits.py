import builtins
import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ga_ann.datasets import fruits as module
from ga_ann.datasets.feature_table import load_table
from ga_ann.datasets.fruits import load_fruits360

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "data" / "fruits360_hue_histograms.npz"
FRUITS = ["apple", "raspberry", "mango", "lemon"]


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
    monkeypatch.setattr(module, "__file__", str(tmp_path / "ga_ann" / "datasets" / "fruits.py"))
    with pytest.raises(FileNotFoundError, match=r"fruits360_hue_histograms\.npz is missing"):
        load_fruits360()
    for home in (tmp_path, tmp_path / "ga_ann"):
        shutil.copytree(TABLE.parent, home / "data")
        assert Path(load_fruits360().filename).parent == home / "data"
