import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csr_matrix
from scipy.special import softmax

import ga_ann
from ga_ann import validation
from ga_ann.history import COLUMNS, History
from ga_ann.network import forward, init_weights
from ga_ann.preprocessing import Preprocessing
from ga_ann.storage import files
from ga_ann.storage.archive import read_archive, seal, write_archive
from ga_ann.storage.model import Model, load_history, load_model, save_history, save_model

JSON_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
SETTINGS = st.dictionaries(st.text(), JSON_SCALARS | st.lists(JSON_SCALARS, max_size=3), max_size=4)


def make_model(**changes):
    parameters = {
        "weights": init_weights(np.random.default_rng(0), [3, 4, 2], bias=True),
        "activation": "relu",
        "output_activation": "identity",
        "classes": np.array(["apple", "mango"]),
        "columns": np.array([True, False, True, True]),
        "extraction": {"bins": 360, "hue_range": None},
        "settings": {"hidden_layer_sizes": [4], "random_state": 0},
    }
    return Model(**(parameters | changes))


def make_history(n=3, **about):
    history = History(**({"label": "GA", "settings": {"n_solutions": 32}} | about))
    for k in range(n):
        history.append(generation=k, best_fitness=k / 7, seconds=0.1 * k)
    return history


def assert_same_array(a, b):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


def assert_same_model(a, b):
    assert len(a.weights) == len(b.weights)
    for V, W in zip(a.weights, b.weights, strict=True):
        assert_same_array(V, W)
    assert (a.classes is None) == (b.classes is None)
    if a.classes is not None:
        assert_same_array(a.classes, b.classes)
    assert (a.columns is None) == (b.columns is None)
    if a.columns is not None:
        assert_same_array(a.columns, b.columns)
    for name in ("activation", "output_activation", "extraction", "settings"):
        assert getattr(a, name) == getattr(b, name)


def assert_same_history(a, b):
    for name in COLUMNS:
        assert_same_array(a[name], b[name])
    assert (a.label, a.metric, a.settings) == (b.label, b.metric, b.settings)
    assert (a.movement is None) == (b.movement is None)
    if a.movement is not None:
        assert_same_array(a.movement, b.movement)


@st.composite
def models(draw):
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    n_inputs, n_outputs = sizes[0], sizes[-1]
    labels = st.text(st.characters(exclude_characters="\0"), max_size=5) | st.just("a")
    label = draw(st.sampled_from([labels, st.integers(-9, 9), st.floats(-1, 1), st.booleans()]))
    order = np.array(draw(st.permutations(range(n_inputs + 2)))[:n_inputs])
    mask = np.isin(np.arange(n_inputs + 2), order)
    return Model(
        weights=init_weights(
            np.random.default_rng(draw(st.integers(0, 99))),
            sizes,
            bias=draw(st.booleans()),
            dtype=draw(st.sampled_from([np.float32, np.float64])),
        ),
        activation=draw(st.sampled_from(sorted(ga_ann.ACTIVATIONS))),
        output_activation=draw(st.sampled_from(sorted(ga_ann.ACTIVATIONS))),
        classes=draw(
            st.none() | st.lists(label, min_size=n_outputs, max_size=n_outputs).map(np.array)
        ),
        columns=draw(st.sampled_from([None, mask, order])),
        extraction=draw(st.none() | SETTINGS),
        settings=draw(SETTINGS),
    )


def rewrite(path, *, header=None, **members):
    """Save the file's arrays again with another header (a function of it, or text) or members."""
    with np.load(path) as archive:
        arrays = dict(archive)
    if header is not None:
        text = header if isinstance(header, bytes) else None
        if text is None:
            text = json.dumps(header(json.loads(arrays["header.json"].tobytes()))).encode()
        arrays["header.json"] = np.frombuffer(text, dtype=np.uint8)
    for name, array in members.items():
        if array is None:
            del arrays[name.replace("__", "/")]
        else:
            arrays[name.replace("__", "/")] = array
    np.savez_compressed(path, **arrays)
    seal_anew(path)


def seal_anew(path):
    """Give a crafted file a comment with the right checksum: whoever crafts one can do so."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = bytes(64)
    with path.open("r+b") as file:
        seal(file)


def write_raw_member(path, content, method=zipfile.ZIP_DEFLATED):
    """Replace the file by an archive whose member `classes` has this content."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("classes.npy", content)
    seal_anew(path)


def npy_header(description):
    text = description.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


class TestModel:
    @pytest.mark.parametrize("output_activation", sorted(ga_ann.ACTIVATIONS))
    @pytest.mark.parametrize(
        "columns", [np.array([False, True, True, False, True]), np.array([4, 1, 2]), None]
    )
    def test_predictions_are_those_of_the_network_on_the_kept_columns(
        self, columns, output_activation
    ):
        model = make_model(columns=columns, output_activation=output_activation)
        X = np.random.default_rng(1).normal(size=(20, 3 if columns is None else 5))
        scores = forward(
            model.weights,
            X if columns is None else X[:, columns],
            output_activation=output_activation,
        )
        np.testing.assert_array_equal(model.predict_scores(X), scores)
        np.testing.assert_array_equal(
            model.predict(X), ["mango" if b > a else "apple" for a, b in scores]
        )
        expected = scores if output_activation == "softmax" else softmax(scores, axis=1)
        np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)

    @pytest.mark.parametrize(
        ("columns", "width", "message"),
        [
            (None, 4, "3 columns.*got 4"),
            (np.array([True, True, False, True]), 3, "4 columns.*got 3"),
            (np.array([True, True, False, True]), 5, "4 columns.*got 5"),
            (np.array([7, 0, 1]), 7, "at least 8 columns.*got 7"),
        ],
    )
    def test_a_wrong_width_is_named_with_the_right_one(self, columns, width, message):
        with pytest.raises(ValueError, match=message):
            make_model(columns=columns).predict(np.ones((2, width)))

    @pytest.mark.parametrize("kind", [csr_matrix, coo_array])
    @pytest.mark.parametrize("limit", [0, 2**24])
    @pytest.mark.parametrize(
        "columns", [np.array([False, True, True, False, True]), np.array([4, 1, 2]), None]
    )
    def test_sparse_samples_are_answered_like_dense_ones(self, monkeypatch, kind, limit, columns):
        monkeypatch.setattr(validation, "DENSE_BYTES", limit)
        model = make_model(columns=columns)
        rng = np.random.default_rng(1)
        X = rng.normal(size=(20, 3 if columns is None else 5))
        X *= rng.random(X.shape) < 0.5
        np.testing.assert_allclose(model.predict_proba(kind(X)), model.predict_proba(X), rtol=1e-6)
        assert (model.predict(kind(X)) == model.predict(X)).all()
        with pytest.raises(ValueError, match="columns"):
            model.predict(kind(X[:, 1:]))

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_samples_that_are_not_finite_are_refused(self, bad):
        with pytest.raises(ValueError, match="contains"):
            make_model().predict([[0.0, 1.0, 2.0, bad]])

    @pytest.mark.parametrize(
        ("changes", "error", "message"),
        [
            ({"weights": [np.ones((2, 3)), np.ones((4, 2))]}, ValueError, "3 rows"),
            ({"weights": [np.ones((5, 3, 2))]}, ValueError, "population"),
            ({"weights": [np.ones((3, 2), dtype=int)]}, TypeError, "floats"),
            ({"weights": np.ones((3, 2))}, TypeError, "list"),
            ({"activation": "leap"}, ValueError, "'relu'.*got 'leap'"),
            ({"output_activation": None}, ValueError, "output_activation must be"),
            ({"classes": np.array(["a", "b"], dtype=object)}, TypeError, "got object"),
            ({"classes": ["a", "b"]}, TypeError, "got list"),
            ({"classes": np.arange(3)}, ValueError, r"\(2,\).*got \(3,\)"),
            ({"columns": np.array([True, False])}, ValueError, "keep 3.*got 1"),
            ({"columns": np.array([0, 1])}, ValueError, "keep 3.*got 2"),
            ({"columns": np.array([0, 1, -1])}, ValueError, "got -1"),
            ({"columns": np.array([0.0, 1.0, 2.0])}, TypeError, "float64"),
            ({"columns": np.ones((3, 1), dtype=bool)}, TypeError, r"\(3, 1\)"),
            ({"columns": [0, 1, 2]}, TypeError, "got list"),
            ({"extraction": "hue"}, TypeError, "got 'hue'"),
            ({"settings": None}, TypeError, "got None"),
        ],
    )
    def test_parts_that_do_not_fit_are_refused(self, changes, error, message):
        with pytest.raises(error, match=message):
            make_model(**changes)


class TestRoundTrip:
    @given(model=models())
    @settings(max_examples=30)
    def test_any_model_comes_back_equal(self, model, tmp_path_factory):
        path = tmp_path_factory.mktemp("models") / "model.npz"
        save_model(path, model)
        assert_same_model(load_model(path), model)

    @given(
        rows=st.lists(st.tuples(*[st.floats()] * len(COLUMNS)), max_size=5),
        label=st.text(),
        metric=st.text(),
        about=SETTINGS,
    )
    @settings(max_examples=30)
    def test_any_history_comes_back_equal_alone_or_with_a_model(
        self, rows, label, metric, about, tmp_path_factory
    ):
        history = History(label=label, metric=metric, settings=about)
        for row in rows:
            history.append(**dict(zip(COLUMNS, row, strict=True)))
        folder = tmp_path_factory.mktemp("histories")
        save_history(folder / "history.npz", history)
        save_model(folder / "model.npz", make_model(), history)
        assert_same_history(load_history(folder / "history.npz"), history)
        assert_same_history(load_history(folder / "model.npz"), history)
        assert_same_model(load_model(folder / "model.npz"), make_model())

    @pytest.mark.parametrize("rows", [[], [2], [0, 1, 2]])
    def test_movement_comes_back_and_takes_no_place_where_there_is_none(self, rows, tmp_path):
        history = History()
        for k in range(3):
            history.append(generation=k)
            if k in rows:
                history.note_movement([k / 7, k / 3])
        save_history(tmp_path / "h.npz", history)
        save_model(tmp_path / "m.npz", make_model(), history)
        for name in ("h.npz", "m.npz"):
            assert_same_history(load_history(tmp_path / name), history)
            with zipfile.ZipFile(tmp_path / name) as archive:
                assert any("movement" in member for member in archive.namelist()) == bool(rows)

    def test_numpy_values_and_tuples_in_settings_become_json(self, tmp_path):
        given = {"a": np.float32(0.5), "b": np.arange(2), "c": (1, 2), "d": np.bool_(True)}
        save_model(tmp_path / "m", make_model(settings=given))
        expected = {"a": 0.5, "b": [0, 1], "c": [1, 2], "d": True}
        assert load_model(tmp_path / "m").settings == expected

    def test_a_file_of_before_there_were_regressions_has_classes(self, tmp_path):
        save_model(tmp_path / "m.npz", make_model())
        rewrite(
            tmp_path / "m.npz",
            header=lambda header: {k: v for k, v in header.items() if k != "has_classes"},
        )
        assert_same_model(load_model(tmp_path / "m.npz"), make_model())

    def test_an_all_zero_network_is_no_suspicious_file(self, tmp_path):
        model = make_model(weights=[np.zeros((3, 10**6), np.float32), np.zeros((10**6, 2))])
        save_model(tmp_path / "m.npz", model)
        assert_same_model(load_model(tmp_path / "m.npz"), model)


class TestFile:
    def test_numpy_alone_reads_it_without_pickle(self, tmp_path):
        save_model(tmp_path / "model", make_model(), make_history())
        assert os.listdir(tmp_path) == ["model"]  # noqa: PTH208
        with np.load(tmp_path / "model", allow_pickle=False) as archive:
            header = json.loads(archive["header.json"].tobytes())
            np.testing.assert_array_equal(archive["weights/0"], make_model().weights[0])
        assert header["format"] == "ga_ann"
        assert header["kind"] == "model"
        assert header["version"] == 1
        assert header["package_version"] == ga_ann.__version__

    def test_it_is_replaced_as_a_whole_or_not_at_all(self, tmp_path, monkeypatch):
        save_history(tmp_path / "h.npz", make_history(2))
        save_history(tmp_path / "h.npz", make_history(3))
        assert len(load_history(tmp_path / "h.npz")) == 3

        def fail(stream, array, **options):
            stream.write(b"half")
            raise OSError("no space left on device")

        monkeypatch.setattr("ga_ann.storage.archive.npy.write_array", fail)
        with pytest.raises(OSError, match="no space"):
            save_history(tmp_path / "h.npz", make_history(4))
        assert len(load_history(tmp_path / "h.npz")) == 3
        assert [p.name for p in tmp_path.iterdir()] == ["h.npz"]

    def test_a_missing_folder_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            save_model(tmp_path / "nowhere" / "model.npz", make_model())

    def test_a_folder_is_not_a_file(self, tmp_path):
        with pytest.raises(IsADirectoryError, match="is a folder"):
            save_history(tmp_path, make_history())
        with pytest.raises(IsADirectoryError):
            load_history(tmp_path)

    @pytest.mark.parametrize("value", [object(), np.array([None]), {1, 2}])
    def test_settings_beyond_json_are_refused_and_nothing_is_written(self, tmp_path, value):
        with pytest.raises(TypeError, match="settings must hold"):
            save_history(tmp_path / "h.npz", make_history(settings={"a": value}))
        assert not list(tmp_path.iterdir())

    def test_the_wrong_type_is_named(self, tmp_path):
        with pytest.raises(TypeError, match=r"must be a Model, .* got History"):
            save_model(tmp_path / "m.npz", make_history())
        with pytest.raises(TypeError, match="must be a History, got Model"):
            save_history(tmp_path / "h.npz", make_model())


def load_or_refuse(load, path):
    """Return what `load` gives, or None after a ValueError that names the file."""
    try:
        return load(path)
    except ValueError as error:
        if str(path) not in str(error):
            raise
        return None


class TestDamage:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "model.npz"
        save_model(path, make_model(), make_history())
        return path

    def test_no_truncation_loads(self, path):
        content = path.read_bytes()
        for stop in np.linspace(0, len(content) - 1, 50).astype(int):
            path.write_bytes(content[:stop])
            assert load_or_refuse(load_model, path) is None, stop
            assert load_or_refuse(load_history, path) is None, stop

    @given(data=st.data())
    @settings(max_examples=200)
    def test_a_changed_byte_is_noticed_or_harmless_even_where_the_seal_is_right(
        self, data, tmp_path_factory
    ):
        path = tmp_path_factory.mktemp("flips") / "model.npz"
        save_model(path, make_model(), make_history())
        content = bytearray(path.read_bytes())
        # The archive's directory is at the end and has no CRC: half of the flips go there.
        directory = content.index(b"PK\x01\x02")
        first = data.draw(st.sampled_from([0, directory]))
        content[data.draw(st.integers(first, len(content) - 65))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        for load in (load_model, load_history):
            assert load_or_refuse(load, path) is None
        with path.open("r+b") as file:
            seal(file)
        if (model := load_or_refuse(load_model, path)) is not None:
            assert_same_model(model, make_model())
        if (history := load_or_refuse(load_history, path)) is not None:
            assert_same_history(history, make_history())

    @given(st.binary(max_size=200))
    @settings(max_examples=50)
    def test_noise_is_no_file(self, tmp_path_factory, content):
        path = tmp_path_factory.mktemp("noise") / "noise.npz"
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match=r"noise\.npz cannot be read as a model: it is no file"
        ):
            load_model(path)

    @pytest.mark.parametrize("load", [load_model, load_history])
    def test_a_missing_file_is_named(self, tmp_path, load):
        with pytest.raises(FileNotFoundError, match=r"missing\.npz"):
            load(tmp_path / "missing.npz")

    def test_the_wrong_kind_is_named(self, tmp_path):
        save_history(tmp_path / "h.npz", make_history())
        with pytest.raises(ValueError, match=r"h\.npz.*holds a history, not a model"):
            load_model(tmp_path / "h.npz")
        save_model(tmp_path / "m.npz", make_model())
        with pytest.raises(ValueError, match=r"m\.npz.*holds a model without a history"):
            load_history(tmp_path / "m.npz")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"version": 3}, "format version 3.*reads up to 2"),
            ({"version": "1"}, "'version' in its header must be of type int, got '1'"),
            ({"kind": None}, "'kind'"),
            ({"format": "gann"}, "not that of a ga_ann file"),
            ({"activation": ["relu", 1]}, "'activation'"),
            ({"activation": ["relu", "relu"]}, r"each hidden layer \(1 here\)"),
            ({"activation": ["custom:swish"]}, r"activations=\{'swish': ...\}"),
            ({"activation": "leap"}, "got 'leap'"),
            ({"n_weights": 10**12}, "4 weight arrays, and its header tells of 1000000000000"),
            ({"n_weights": 3}, "4 weight arrays, and its header tells of 3"),
            ({"n_weights": 0}, "tells of 0"),
            ({"n_weights": 2.0}, "'n_weights'"),
            ({"has_columns": 1}, "'has_columns'"),
            ({"has_classes": None}, "'has_classes'"),
            ({"has_classes": 0}, "'has_classes'"),
            ({"has_columns": False, "settings": []}, "'settings'"),
            ({"extraction": [360]}, "extraction"),
        ],
    )
    def test_a_wrong_header_of_a_model_is_refused(self, path, change, message):
        rewrite(path, header=lambda header: header | change)
        with pytest.raises(ValueError, match=message) as info:
            load_model(path)
        assert str(path) in str(info.value)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"history": []}, "'history'"),
            ({"history": {"label": 3, "metric": "accuracy", "settings": {}}}, "'label'"),
            ({"history": {"label": "", "settings": {}}}, "'metric'"),
            ({"history": {"label": "", "metric": "f1"}}, "'settings'"),
        ],
    )
    def test_a_wrong_header_of_a_history_is_refused(self, path, change, message):
        rewrite(path, header=lambda header: header | change)
        with pytest.raises(ValueError, match=message):
            load_history(path)

    @pytest.mark.parametrize(
        "text", [b"", b"{", b"[]", b"null", b"\xff\xfe", pytest.param(b"[" * 10**5, id="deep")]
    )
    def test_a_header_that_is_no_json_object_is_refused(self, path, text):
        rewrite(path, header=text)
        for load in (load_model, load_history):
            assert load_or_refuse(load, path) is None

    @pytest.mark.parametrize(
        ("load", "members", "message"),
        [
            (load_model, {"header.json": None}, "'header.json' is missing"),
            (load_model, {"classes": None}, "'classes' is missing"),
            (load_model, {"columns": None}, "'columns' is missing"),
            (load_model, {"weights__3": None}, "3 weight arrays"),
            (load_model, {"weights__3": None, "weights__x": np.ones(2)}, "'weights/3' is missing"),
            (load_model, {"weights__2": np.ones((9, 2))}, r"weights\[2\] must have 4 rows"),
            (load_model, {"weights__0": np.array(["a"])}, "floats"),
            (load_history, {"history__sigma": None}, "'history/sigma' is missing"),
            (load_history, {"history__sigma": np.ones(9)}, "one length"),
            (load_history, {"history__sigma": np.array(["1"] * 3)}, r"\['sigma'\] are not"),
            (load_history, {"history__movement": np.ones(3)}, "a row of distances"),
            (load_history, {"history__movement": np.ones((2, 2))}, "a row of distances"),
            (load_history, {"history__movement": np.ones((3, 2), int)}, r"\['movement'\] are not"),
        ],
    )
    def test_wrong_members_are_refused(self, path, load, members, message):
        rewrite(path, **members)
        with pytest.raises(ValueError, match=message):
            load(path)

    def test_pickled_objects_are_refused_and_nothing_runs(self, path, tmp_path):
        class Hostile:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "ran",))

        classes = np.empty(2, dtype=object)
        classes[:] = Hostile()
        rewrite(path, classes=classes)
        with pytest.raises(ValueError, match=r"classes\.npy: it holds an array of pickled"):
            load_model(path)
        assert not (tmp_path / "ran").exists()
        path.write_bytes(pickle.dumps(Hostile()))
        with pytest.raises(ValueError, match="no file of ga_ann"):
            load_model(path)
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize(
        ("description", "message"),
        [
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (10**9,)}", "cannot be read as"),
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
                "but holds 16 bytes",
            ),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -2)}", "cannot be read as"),
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
                "8 bytes, but holds 16",
            ),
            ("{'descr': 'nonsense', 'fortran_order': False, 'shape': (2,)}", "descr"),
            ("{'descr': ", "cannot be read as"),
        ],
    )
    def test_an_array_that_is_not_what_it_says_is_refused(self, path, description, message):
        write_raw_member(path, npy_header(description) + bytes(16))
        with pytest.raises(ValueError, match=message):
            load_model(path)

    @pytest.mark.parametrize("content", [b"", b"no numpy", b"\x93NUMPY\x02\x00" + bytes(200)])
    def test_a_member_that_is_no_array_is_refused(self, path, content):
        write_raw_member(path, content)
        assert load_or_refuse(load_model, path) is None

    def test_another_compression_is_refused(self, path):
        write_raw_member(path, bytes(1000), zipfile.ZIP_BZIP2)
        with pytest.raises(ValueError, match=r"classes\.npy is compressed in another way"):
            load_model(path)

    def test_sizes_that_cannot_be_true_are_refused_before_reading(self, path, monkeypatch):
        monkeypatch.setattr(files, "_read_member", lambda *_: pytest.fail("was read"))
        content = bytearray(path.read_bytes())
        entry = content.index(b"PK\x01\x02")  # the directory's entry of the first member
        for offset, message in [(24, "claims 4294967040 bytes out of"), (20, "than the file has")]:
            forged = content.copy()
            forged[entry + offset : entry + offset + 4] = b"\x00\xff\xff\xff"
            path.write_bytes(forged)
            with path.open("r+b") as file:
                seal(file)
            with pytest.raises(ValueError, match=message):
                load_model(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_must_be_finite(tmp_path, value):
    model = make_model()
    save_model(tmp_path / "m.npz", model)
    broken = [W.copy() for W in model.weights]
    broken[-1].flat[0] = value
    with pytest.raises(ValueError, match="weights must be finite"):
        make_model(weights=broken)
    rewrite(tmp_path / "m.npz", **{f"weights__{len(broken) - 1}": broken[-1]})
    with pytest.raises(ValueError, match=r"m.npz cannot be read as a model: weights must be fin"):
        load_model(tmp_path / "m.npz")


def test_the_number_of_features_is_known_but_for_indices():
    weights, classes = [np.eye(2)], np.arange(2)
    for columns, expected in (
        (None, 2),
        (np.array([True, False, True]), 3),
        (np.array([4, 0]), None),
    ):
        model = Model(weights, "relu", "identity", classes, columns=columns)
        assert model.n_features == expected


def swish(Z):
    return Z / (1 + np.exp(-Z))


def share(Z, axis):
    return Z / (1 + np.abs(Z).sum(axis=axis, keepdims=True))


def tanh(Z):
    """Another function than the one that the package calls so."""
    return np.tanh(2 * Z)


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({}, 1),
        ({"extraction": None, "columns": None, "output_activation": "softmax"}, 1),
        ({"preprocessing": Preprocessing.fit([[1.0, 2, 3, 4], [4, 3, 2, 1]])}, 2),
        ({"feature_names": np.array(list("abcd"))}, 2),
        ({"classes": None}, 2),
        ({"activation": ("relu",)}, 2),
        ({"activation": "logistic"}, 2),
        ({"activation": np.sin}, 2),
        ({"output_activation": np.cos}, 2),
        ({"extraction": {"features": "hue", "bins": 4, "hue_range": [0, 1]}}, 2),
    ],
)
def test_what_older_versions_know_nothing_of_is_refused_by_them(
    tmp_path, monkeypatch, changes, version
):
    path, history = tmp_path / "m.npz", make_history()
    save_model(path, make_model(**changes), history)
    given = {"sin": np.sin, "cos": np.cos}
    load_model(path, activations=given)
    monkeypatch.setattr("ga_ann.storage.archive.VERSION", 1)  # as if this were an older one
    if version == 1:
        assert_same_model(load_model(path), make_model(**changes))
        assert_same_history(load_history(path), history)
        return
    with pytest.raises(ValueError, match=r"format version 2, and this version .* reads up to 1;"):
        load_model(path, activations=given)


class TestCustomActivations:
    @pytest.mark.parametrize(
        ("hidden", "output"),
        [
            (swish, "softmax"),
            (("relu", swish), "identity"),
            ([share, share], swish),
            (("tanh", tanh), "tanh"),
            (("tanh", "step"), np.sin),
        ],
    )
    def test_they_come_back_with_the_functions(self, tmp_path, hidden, output):
        rng = np.random.default_rng(0)
        weights = [rng.normal(size=shape) for shape in ((3, 4), (4, 3), (3, 2))]
        model = Model(weights, hidden, output, np.array(["apple", "mango"]))
        save_model(tmp_path / "m.npz", model)
        given = {"swish": swish, "share": share, "tanh": tanh, "sin": np.sin}
        loaded = load_model(tmp_path / "m.npz", activations=given)
        assert loaded.activation == (tuple(hidden) if isinstance(hidden, list) else hidden)
        assert loaded.output_activation == output
        X = rng.normal(size=(9, 3))
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (None, r"m\.npz cannot be read as a model: .*load_model\(path, activations=\{'swish'"),
            ({}, "give the functions"),
            ({"Swish": swish}, "'swish': ..."),
            ({"swish": "relu"}, "'swish': ..."),
            ({"swish": lambda Z: np.maximum(Z, 0)}, "answers otherwise than the function"),
            ({"swish": lambda Z: swish(Z) + 1e-3 * (Z > 3.5)}, "answers otherwise"),
            ({"swish": lambda Z: None}, "must return an array of floats"),
        ],
    )
    def test_without_the_function_the_file_is_refused(self, tmp_path, given, message):
        save_model(tmp_path / "m.npz", make_model(activation=swish))
        with pytest.raises(ValueError, match=message):
            load_model(tmp_path / "m.npz", activations=given)
        assert load_model(tmp_path / "m.npz", activations={"swish": swish}).activation is swish

    @pytest.mark.parametrize(
        ("saved", "like"),
        [
            (np.floor, np.ceil),
            (np.floor, np.trunc),
            (np.rint, np.floor),
            (lambda Z: np.clip(Z, 0, 6), lambda Z: np.maximum(Z, 0)),
            (np.sin, lambda Z: np.where(np.abs(Z) < 0.01, Z + 1e-5, np.sin(Z))),
            (np.tanh, lambda Z: np.clip(Z, -1, 1)),
            (np.array, lambda Z: np.clip(Z, -1000, 1000)),
        ],
    )
    def test_a_function_that_is_like_the_one_that_was_saved_is_refused(self, tmp_path, saved, like):
        save_model(tmp_path / "m.npz", make_model(activation=saved))
        name = saved.__name__
        load_model(tmp_path / "m.npz", activations={name: saved})
        with pytest.raises(ValueError, match="answers otherwise than the function that was saved"):
            load_model(tmp_path / "m.npz", activations={name: like})

    def test_two_functions_of_one_name_are_refused(self, tmp_path):
        model = make_model(activation=lambda Z: np.sin(Z), output_activation=lambda Z: np.cos(Z))
        with pytest.raises(ValueError, match="two functions of the name '<lambda>'"):
            save_model(tmp_path / "m.npz", model)
        assert not list(tmp_path.iterdir())
        same = lambda Z: np.sin(Z)  # noqa: E731
        save_model(tmp_path / "m.npz", make_model(activation=same, output_activation=same))

    @pytest.mark.parametrize("answers", [None, np.zeros((2, 40)), np.zeros((1, 40), dtype=np.int8)])
    def test_damaged_answers_are_refused(self, tmp_path, answers):
        path = tmp_path / "m.npz"
        save_model(path, make_model(activation=swish))
        header, arrays = read_archive(path)
        arrays.pop("activation_answers")
        if answers is not None:
            arrays["activation_answers"] = answers
        write_archive(path, "model", header, arrays)
        with pytest.raises(ValueError, match="answers of its custom activations"):
            load_model(path, activations={"swish": swish})


def test_a_model_prints_what_it_is_and_not_its_weights():
    weights = [np.ones((4, 3)), np.zeros(3), np.ones((3, 2)), np.zeros(2)]
    model = Model(weights, "relu", "identity", np.array(["a", "b"]))
    assert repr(model) == "Model(4-3-2 with biases, 2 classes)"
    assert repr(Model(weights, "relu", "identity", None)).endswith("a regression)")
