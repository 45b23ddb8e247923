import io
import os
import pickle

import numpy as np
import pandas as pd
import pytest

from ga_ann.datasets import pickled
from ga_ann.datasets.tables import load_features

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
    unpickler = pickled._ArrayUnpickler(io.BytesIO())
    assert not hasattr(unpickler.find_class("numpy.core.numeric", "_frombuffer"), "changed")


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
