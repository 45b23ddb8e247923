"""Samples on disk against the arrays that were written there."""

import json
import os
import pickle
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.preprocessing import StandardScaler

from ga_ann import (
    Checkpoint,
    GeneticMLPClassifier,
    GeneticMLPRegressor,
    compare,
    forward,
    out_of_core,
    train_naive,
)
from ga_ann.evolution import evaluation
from ga_ann.network import init_weights
from ga_ann.out_of_core import StoredSamples, hold, open_samples
from tests.runs import evolve

DTYPES = ["float32", "float64", "float16", "int64", "uint8", "bool", ">f8"]
OPTIONS = {"hidden_layer_sizes": (6,), "target_fitness": None, "random_state": 0}
HYPOTHESIS = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


def samples(n=400, n_features=5, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    X = 30 * rng.standard_normal((n, n_features))
    return (X > 0 if dtype == "bool" else np.abs(X)).astype(dtype), rng.integers(3, size=n)


def as_npy(X, folder):
    np.save(folder / "X.npy", X)
    return folder / "X.npy"


def as_fortran(X, folder):
    return as_npy(np.asfortranarray(X), folder)


def as_memmap(X, folder):
    return np.load(as_npy(X, folder), mmap_mode="r")


def as_part_of_memmap(X, folder):
    more = np.concatenate([X[:3], X, X[:2]])
    return np.load(as_npy(more, folder), mmap_mode="r")[3:-2]


def as_columns_of_memmap(X, folder):
    return np.load(as_npy(np.concatenate([X, X], axis=1), folder), mmap_mode="r")[:, : X.shape[1]]


def as_zarr(X, folder, version=2):
    chunks = (max(1, len(X) // 3), max(1, X.shape[1] // 2))
    path = folder / f"X{version}.zarr"
    array = zarr.create_array(
        path, shape=X.shape, dtype=X.dtype, chunks=chunks, zarr_format=version
    )
    array[:] = X
    return str(path)


def as_zarr_3(X, folder):
    return as_zarr(X, folder, 3)


def as_zarr_array(X, folder):
    return zarr.open_array(as_zarr(X, folder), mode="r")


def as_parquet(X, folder):
    frame = pd.DataFrame(X, columns=[f"c{k}" for k in range(X.shape[1])])
    frame.to_parquet(folder / "X.parquet", row_group_size=70)
    return folder / "X.parquet"


FORMATS = [
    as_npy,
    as_fortran,
    as_memmap,
    as_part_of_memmap,
    as_columns_of_memmap,
    as_zarr,
    as_zarr_3,
    as_zarr_array,
    as_parquet,
]
ANY_FORMAT = pytest.mark.parametrize("written", FORMATS)


@pytest.fixture
def on_disk(monkeypatch):
    """Let nothing be small, and chunks be of a few rows."""
    monkeypatch.setattr(out_of_core, "HELD_BYTES", 0)
    monkeypatch.setattr(out_of_core, "READ_ROWS", 37)


# ---------------------------------------------------------------- what is read


@ANY_FORMAT
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_rows_are_those_of_the_array(tmp_path, monkeypatch, written, dtype):
    if written is as_parquet and dtype == ">f8":
        pytest.skip("Parquet has one byte order")
    if written is as_zarr_3 and dtype == ">f8":
        pytest.skip("versions of zarr have none for this format")
    monkeypatch.setattr(out_of_core, "READ_BYTES", 1000)
    X, _ = samples(dtype=dtype)
    stored = open_samples(written(X, tmp_path))
    assert (stored.shape, stored.ndim) == (X.shape, 2)
    assert stored.dtype.newbyteorder("=") == X.dtype.newbyteorder("=")
    rng = np.random.default_rng(1)
    for rows in (
        slice(None),
        slice(3, 90),
        slice(0, 0),
        slice(5, 300, 7),
        rng.integers(len(X), size=50),
        np.arange(10, 40),
        rng.random(len(X)) < 0.3,
        [7, 7, 0],
    ):
        read = stored[rows]
        assert read.dtype == stored.dtype
        np.testing.assert_array_equal(read, X[rows])
    np.testing.assert_array_equal(np.concatenate(list(stored.chunks())), X)


@settings(max_examples=60, **HYPOTHESIS)
@given(data=st.data())
def test_parts_of_parts_are_those_of_the_array(tmp_path, monkeypatch, data):
    monkeypatch.setattr(out_of_core, "HELD_BYTES", 0)
    X, _ = samples(n=60)
    part, expected = open_samples(as_npy(X, tmp_path)), X
    for _ in range(3):
        n = len(expected)
        bounds = st.integers(0, n - 1)
        rows = data.draw(
            st.lists(bounds, min_size=1).map(np.array)
            | st.tuples(bounds, st.integers(1, n), st.integers(1, 3))
            .filter(lambda t: t[0] < t[1])
            .map(lambda t: slice(*t))
            | arrays.arrays(bool, n).filter(np.any)
        )
        part, expected = part[rows], expected[rows]
        assert isinstance(part, StoredSamples)
        assert part.shape == expected.shape
        np.testing.assert_array_equal(part.read(0, len(part)), expected)


@pytest.mark.parametrize("rows", [[400], [-1], [[1, 2]], [0.5], 3, [True, False]])
def test_rows_that_are_none_are_refused(tmp_path, rows):
    with pytest.raises(IndexError, match="rows"):
        open_samples(as_npy(samples()[0], tmp_path))[rows]


def test_what_is_small_comes_as_an_array_and_what_is_large_stays(tmp_path, monkeypatch):
    X, _ = samples()
    path = as_npy(X, tmp_path)
    monkeypatch.setattr(out_of_core, "HELD_BYTES", X.nbytes)
    held = hold(path)
    assert isinstance(held, np.ndarray)
    assert isinstance(open_samples(path)[:], np.ndarray)
    np.testing.assert_array_equal(held, X)
    memmap = np.load(path, mmap_mode="r")
    assert hold(memmap) is memmap
    monkeypatch.setattr(out_of_core, "HELD_BYTES", X.nbytes - 1)
    stored = open_samples(path)
    assert isinstance(hold(path), StoredSamples)
    assert isinstance(hold(memmap), StoredSamples)
    assert hold(stored) is stored
    assert isinstance(stored[:], StoredSamples)
    assert isinstance(stored[:-1], np.ndarray)


def test_a_small_parquet_file_is_a_data_frame(tmp_path):
    X, _ = samples()
    frame = hold(as_parquet(X, tmp_path))
    pd.testing.assert_frame_equal(frame, pd.DataFrame(X, columns=[f"c{k}" for k in range(5)]))


@pytest.mark.parametrize("given", [[[1.0]], np.ones((3, 2)), pd.DataFrame({"a": [1]}), None, 3])
def test_what_is_no_file_is_left_alone(given):
    assert hold(given) is given


def test_a_memmap_whose_writes_are_its_own_is_read_as_it_is(tmp_path, on_disk):
    """Its file knows nothing of them."""
    X, _ = samples()
    memmap = np.load(as_npy(X, tmp_path), mmap_mode="c")
    memmap[3] = 7
    assert hold(memmap) is memmap
    np.testing.assert_array_equal(open_samples(memmap).read(3, 4), memmap[3:4])


def test_what_was_just_written_to_a_memmap_is_read(tmp_path, on_disk):
    X, _ = samples()
    memmap = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", X.dtype, X.shape)
    memmap[:] = X
    np.testing.assert_array_equal(hold(memmap).read(0, len(X)), X)


def test_no_array_is_made_of_them_without_being_asked_for(tmp_path):
    with pytest.raises(TypeError, match="stays on disk"):
        np.asarray(open_samples(as_npy(samples()[0], tmp_path)))


def test_without_positioned_reads_the_same_is_read(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "preadv")
    X, _ = samples()
    rows = np.random.default_rng(0).integers(len(X), size=50)
    np.testing.assert_array_equal(open_samples(as_npy(X, tmp_path))[rows], X[rows])


@pytest.mark.parametrize("written", [as_npy, as_part_of_memmap, as_zarr, as_zarr_array, as_parquet])
def test_they_are_pickled_as_the_name_of_their_file(tmp_path, monkeypatch, on_disk, written):
    X, _ = samples(n=5000)
    source = written(X, tmp_path)
    monkeypatch.chdir(tmp_path)
    if isinstance(source, str | Path):
        source = Path(source).relative_to(tmp_path)
    part = open_samples(source).astype("float32")[5:4000]
    pickled = pickle.dumps(part)
    assert len(pickled) < 2000
    monkeypatch.chdir("/")
    again = pickle.loads(pickled)
    np.testing.assert_array_equal(again.read(0, len(again)), X[5:4000].astype("float32"))


def test_a_pickle_does_not_come_back_from_another_file(tmp_path):
    X, _ = samples()
    path = as_npy(X, tmp_path)
    pickled = pickle.dumps(open_samples(path))
    np.save(path, X[:-1])
    with pytest.raises(ValueError, match=r"X.npy has changed: .*\(399, 5\).*\(400, 5\)"):
        pickle.loads(pickled)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"X\.npy"):
        pickle.loads(pickled)


@pytest.mark.parametrize("written", [as_fortran, as_zarr, as_parquet])
def test_temporary_files_go_with_the_samples(tmp_path, monkeypatch, written):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    X, _ = samples()
    stored = open_samples(written(X, tmp_path))
    descriptor = stored._file._file.fileno()
    np.testing.assert_array_equal(stored[:], X)
    del stored
    assert not list(temporary.iterdir())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_no_room_for_a_temporary_file_is_said_before_it_is_written(tmp_path, monkeypatch):
    usage = out_of_core.shutil.disk_usage(tmp_path)._replace(free=15_999)
    monkeypatch.setattr(out_of_core.shutil, "disk_usage", lambda path: usage)
    path = as_zarr(samples()[0], tmp_path)
    with pytest.raises(OSError, match="set TMPDIR"):
        open_samples(path)
    usage = usage._replace(free=16_000)
    assert open_samples(path).nbytes == 16_000


# ---------------------------------------------------------------- figures


@settings(max_examples=30, **HYPOTHESIS)
@given(seed=st.integers(0, 999), n=st.integers(2, 200), dtype=st.sampled_from(DTYPES))
def test_standardised_samples_are_those_of_scikit_learn(tmp_path, on_disk, seed, n, dtype):
    X, _ = samples(n=n, dtype=dtype, seed=seed)
    X[:, 1] = X[0, 1]
    stored = open_samples(as_npy(X, tmp_path))
    scaler = StandardScaler().fit(X)
    mean, scale = stored.moments()
    assert mean == pytest.approx(scaler.mean_)
    assert scale == pytest.approx(scaler.scale_)
    standardised = stored.standardised()
    expected = StandardScaler().fit_transform(X.astype(np.result_type(X, np.float32)))
    assert standardised.dtype == expected.dtype
    got = standardised.read(0, n)
    tolerance = 1e-3 if got.dtype == np.float32 else 1e-9
    np.testing.assert_allclose(got, expected, atol=tolerance)
    half = standardised[n // 2 :]
    np.testing.assert_array_equal(half.read(0, len(half)), got[n // 2 :])
    twice = standardised.scaled([1.0] * 5, [2.0] * 5).read(0, n)
    np.testing.assert_allclose(twice, (expected - 1) / 2, atol=tolerance)


def test_figures_of_other_features_are_refused(tmp_path):
    stored = open_samples(as_npy(samples()[0], tmp_path))
    with pytest.raises(ValueError, match=r"shape \(5,\), got \(4,\) and \(5,\)"):
        stored.scaled(np.zeros(4), np.ones(5))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found_and_its_place_is_told(tmp_path, on_disk, value):
    X, y = samples()
    X[123, 4] = value
    path = as_npy(X, tmp_path)
    with pytest.raises(ValueError, match=rf"{value} in row 123, column 4 .*X\.npy"):
        evolve(path, y, **OPTIONS, n_generations=0)
    good = np.where(np.isfinite(X), X, 1)
    with pytest.raises(ValueError, match=rf"{value} in row 123, column 4 .*X\.npy"):
        evolve(good, y, **OPTIONS, n_generations=0, validation_data=(path, y))
    np.save(path, good)
    evolve(path, y, **OPTIONS, n_generations=0, validation_data=(path, y))


# ---------------------------------------------------------------- the same run


def same(first, second):
    assert all((a == b).all() for a, b in zip(first.weights, second.weights, strict=True))
    assert first.best_fitness == second.best_fitness
    for name in ("best_fitness", "ranking", "validation_score"):
        np.testing.assert_array_equal(first.history[name], second.history[name])


@ANY_FORMAT
def test_a_run_on_any_file_is_that_of_the_array(tmp_path, on_disk, written):
    X, y = samples(n=600)
    source = written(X, tmp_path)
    options = {**OPTIONS, "n_generations": 25, "batch_size": 50}
    same(evolve(source, y, **options), evolve(X, y, **options))


@settings(max_examples=25, **HYPOTHESIS)
@given(
    seed=st.integers(0, 99),
    dtype=st.sampled_from(DTYPES),
    precision=st.sampled_from(["float32", "float64"]),
    mutation=st.sampled_from(["gaussian", "low_rank"]),
    hidden=st.sampled_from([(), (7,), (9, 4)]),
    n_features=st.integers(1, 40),
    held_bytes=st.sampled_from([0, 3000]),
    small=st.booleans(),
    weighted=st.booleans(),
)
def test_a_run_on_disk_is_that_in_memory_to_the_bit(
    tmp_path,
    monkeypatch,
    seed,
    dtype,
    precision,
    mutation,
    hidden,
    n_features,
    held_bytes,
    small,
    weighted,
):
    """Batches that are read at once or in chunks; a chunk of the networks' inputs is the same."""
    X, y = samples(n=700, n_features=n_features, dtype=dtype, seed=seed)
    monkeypatch.setattr(out_of_core, "READ_ROWS", 37)
    monkeypatch.setattr(out_of_core, "HELD_BYTES", held_bytes)
    monkeypatch.setattr(evaluation, "HELD_BYTES", 0)
    monkeypatch.setattr(evaluation, "SHARED_BYTES", 0)
    if small:
        monkeypatch.setattr(evaluation, "CHUNK_BYTES", 5000)
    options = {
        **OPTIONS,
        "hidden_layer_sizes": hidden,
        "n_generations": 12,
        "batch_size": 64,
        "mutation": mutation,
        "dtype": precision,
        "validation_data": (X[:90], y[:90]),
        "sample_weight": y + 1.0 if weighted else None,
    }
    path = as_npy(X, tmp_path)
    on_disk = options | {"validation_data": (open_samples(path)[:90], y[:90])}
    same(evolve(path, y, **on_disk), evolve(X, y, **options))


def test_a_full_low_rank_population_is_measured_alike(tmp_path, on_disk):
    X, y = samples(n=600)
    path = as_npy(X, tmp_path)
    options = {**OPTIONS, "mutation": "low_rank", "batch_size": "full", "n_generations": 0}
    for shared in (2**28, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluation, "SHARED_BYTES", shared)
            first, second = evolve(path, y, **options), evolve(X, y, **options)
        assert first.state.ranking == pytest.approx(second.state.ranking, rel=1e-5)


def test_what_a_low_rank_population_shares_is_small(tmp_path, monkeypatch):
    X, y = samples(n=600)
    shapes = [(5, 6), (6, 3)]
    population = evolve(X, y, **OPTIONS, n_generations=0, mutation="low_rank").population
    for held_bytes, is_shared in ((600 * 6 * 4, True), (600 * 6 * 4 - 1, False)):
        monkeypatch.setattr(evaluation, "HELD_BYTES", held_bytes)
        evaluate = evaluation.Evaluator(open_samples(as_npy(X, tmp_path)), y, shapes)
        assert (evaluate._multiply_first(population, evaluate._columns) is not None) == is_shared


def test_a_fit_on_a_file_goes_on_with_that_of_the_array(tmp_path, on_disk):
    X, y = samples(n=600, dtype="int64")
    path, state = as_npy(X, tmp_path), tmp_path / "state.npz"
    options = {"checkpoint": state, "random_state": 0, "batch_size": 50}
    GeneticMLPClassifier((6,), n_generations=5, **options).fit(X, y)
    assert GeneticMLPClassifier((6,), n_generations=9, **options).fit(path, y).n_iter_ == 9


@pytest.mark.parametrize("bytes_at_once", [1, 1000, 10**6])
def test_how_much_is_read_at_once_changes_no_more_than_last_bits(
    tmp_path, on_disk, monkeypatch, bytes_at_once
):
    monkeypatch.setattr(out_of_core, "READ_BYTES", bytes_at_once)
    X, y = samples(n=300)
    options = {**OPTIONS, "hidden_layer_sizes": (), "n_generations": 0, "batch_size": "full"}
    first, second = evolve(as_npy(X, tmp_path), y, **options), evolve(X, y, **options)
    assert first.state.ranking == pytest.approx(second.state.ranking, rel=1e-5)


def test_a_checkpoint_of_one_goes_on_with_the_other(tmp_path, on_disk):
    X, y = samples(n=600, dtype="float32")
    path = as_npy(X, tmp_path)
    options = {**OPTIONS, "batch_size": 50}
    whole = evolve(X, y, **options, n_generations=30)
    for first, second in ((X, path), (path, X)):
        state = tmp_path / "state.npz"
        state.unlink(missing_ok=True)
        evolve(first, y, **options, n_generations=15, callbacks=[Checkpoint(state)])
        same(evolve(second, y, **options, n_generations=30, start=state), whole)
    other = X.copy()
    other[17, 2] += 1
    np.save(path, other)
    with pytest.raises(ValueError, match=r"checkpoint is one of another run: .*X"):
        evolve(path, y, **options, n_generations=30, start=state)


@pytest.mark.parametrize("written", [as_npy, as_parquet])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_estimators_learn_and_predict_from_files(
    tmp_path, monkeypatch, on_disk, written, early_stopping, dtype
):
    monkeypatch.setattr(evaluation, "HELD_BYTES", 0)
    monkeypatch.setattr(evaluation, "SHARED_BYTES", 0)
    X, y = samples(n=600, dtype=dtype)
    source = written(X, tmp_path)
    names = [f"c{k}" for k in range(5)]
    table = pd.DataFrame(X, columns=names) if written is as_parquet else X
    options = {"early_stopping": early_stopping, "n_generations": 15, "random_state": 0}
    for kind, target in ((GeneticMLPClassifier, y), (GeneticMLPRegressor, X[:, 0] + y)):
        on_disk, in_memory = (
            kind((8,), **options).fit(given, target, sample_weight=y + 1)
            for given in (source, table)
        )
        same(on_disk._result, in_memory._result)
        assert on_disk.n_features_in_ == 5
        assert on_disk.predict(source) == pytest.approx(in_memory.predict(table))
        assert on_disk.score(source, target) == pytest.approx(in_memory.score(table, target))
        if written is as_parquet:
            assert on_disk.feature_names_in_.tolist() == names
        model = on_disk.to_model()
        assert model.predict(source) == pytest.approx(in_memory.predict(table))
        wrong = written(X[:, 1:], tmp_path)
        for trained in (on_disk, model):
            with pytest.raises(ValueError, match=r"feature|column"):
                trained.predict(wrong)
        source = written(X, tmp_path)
    classifier = GeneticMLPClassifier((8,), **options).fit(source, y)
    expected = GeneticMLPClassifier((8,), **options).fit(table, y).predict_proba(table)
    assert classifier.predict_proba(source) == pytest.approx(expected)


def test_a_population_goes_forward_on_stored_samples(tmp_path, on_disk):
    X, _ = samples()
    weights = init_weights(np.random.default_rng(0), [5, 4, 3], n_solutions=6, dtype="float64")
    np.testing.assert_allclose(forward(weights, as_npy(X, tmp_path)), forward(weights, X))


def test_a_result_keeps_and_checks_the_names_of_columns(tmp_path, on_disk):
    X, y = samples()
    result = evolve(as_parquet(X, tmp_path), y, **OPTIONS, n_generations=1)
    assert result.feature_names.tolist() == [f"c{k}" for k in range(5)]
    names = [f"c{k}" for k in (1, 0, 2, 3, 4)]
    pd.DataFrame(X[:, [1, 0, 2, 3, 4]], columns=names).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="order of the training data"):
        result.predict(tmp_path / "other.parquet")


@pytest.mark.parametrize("use", [train_naive, lambda X, y: compare(X, y, methods=["ga"])])
def test_what_needs_samples_in_memory_says_so(tmp_path, monkeypatch, use):
    X, y = samples(n=60)
    path = as_npy(X, tmp_path)
    if use is train_naive:
        expected = train_naive(X, y, random_state=0).weights
        assert train_naive(path, y, random_state=0).weights[0] == pytest.approx(expected[0])
    monkeypatch.setattr(out_of_core, "HELD_BYTES", 0)
    with pytest.raises(TypeError, match=r"needs samples in memory, got StoredSamples\('.*X\.npy'"):
        use(path, y)


def test_large_batches_are_read_in_chunks_and_not_held(tmp_path, monkeypatch):
    X, y = samples(n=20_000, n_features=400, dtype="float32")
    path = as_npy(X, tmp_path)
    options = {**OPTIONS, "n_generations": 1, "batch_size": 15_000, "n_jobs": 1}
    monkeypatch.setattr(out_of_core, "HELD_BYTES", 2**16)
    monkeypatch.setattr(out_of_core, "READ_BYTES", 2**16)
    monkeypatch.setattr(evaluation, "HELD_BYTES", 2**16)
    evolve(path, y, **options)
    tracemalloc.start()
    try:
        evolve(path, y, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 4


def test_labels_of_another_number_are_refused(tmp_path, on_disk):
    X, y = samples()
    path = as_npy(X, tmp_path)
    for learn in (
        lambda y: evolve(path, y, **OPTIONS, n_generations=0),
        lambda y: GeneticMLPClassifier(n_generations=0).fit(path, y),
        lambda y: GeneticMLPRegressor(n_generations=0).fit(path, y),
    ):
        learn(y)
        with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[400, 399\]"):
            learn(y[:-1])


def test_memory_does_not_grow_with_the_number_of_samples(tmp_path, on_disk, monkeypatch):
    """But for labels, outputs and a figure for each sample."""
    monkeypatch.setattr(out_of_core, "READ_BYTES", 2**18)
    monkeypatch.setattr(evaluation, "CHUNK_BYTES", 2**16)
    peaks = []
    options = {**OPTIONS, "n_generations": 12, "batch_size": 32, "n_jobs": 1}
    for n in (2000, 2000, 20_000):  # what is made once is made in the first run
        X, y = samples(n=n, n_features=200, dtype="float32")
        path = as_npy(X, tmp_path)
        del X
        tracemalloc.start()
        try:
            result = evolve(path, y, **options)
            result.predict(path)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    per_sample = (peaks[2] - peaks[1]) / 18_000
    assert per_sample < 160 < 200 * 4
    assert peaks[1] < 4e6


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "use",
    [
        open_samples,
        lambda path: evolve(path, [0, 1], n_generations=0),
        lambda path: GeneticMLPClassifier().fit(path, [0, 1]),
        lambda path: forward([np.eye(2)], path),
    ],
)
def test_a_path_that_is_not_there_is_named(tmp_path, use):
    for path in (tmp_path / "none.npy", str(tmp_path / "none.npy")):
        with pytest.raises(FileNotFoundError, match=r"no file or folder .*none\.npy"):
            use(path)


@pytest.mark.parametrize("X", [np.ones(8), np.ones((2, 2, 2)), np.ones((0, 3)), np.ones((3, 0))])
@pytest.mark.parametrize("written", [as_npy, as_memmap])
def test_what_is_no_table_is_refused(tmp_path, X, written):
    if written is as_memmap and not X.size:
        pytest.skip("nothing can be mapped")
    source = written(X, tmp_path)
    with pytest.raises(ValueError, match=r"2-D table of numbers.*got float64 of shape"):
        open_samples(source)


@pytest.mark.parametrize(
    "X",
    [
        np.array([["a", "b"]]),
        np.ones((2, 2), dtype=complex),
        np.array([["2020-01-01"]], dtype="M8[D]"),
        np.ones((2, 2), dtype=[("a", "f8")]),
    ],
)
def test_what_is_no_number_is_refused(tmp_path, X):
    with pytest.raises(ValueError, match="2-D table of numbers"):
        open_samples(as_npy(X, tmp_path))


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "X.npy", np.array([[1, None]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"X\.npy holds pickled Python objects"):
        open_samples(tmp_path / "X.npy")


@pytest.mark.parametrize("n_bytes", [-1, 1, -4000])
def test_a_file_of_another_length_is_refused(tmp_path, n_bytes):
    path = as_npy(samples()[0], tmp_path)
    open_samples(path)
    content = path.read_bytes()
    path.write_bytes(content + b"0" if n_bytes > 0 else content[:n_bytes])
    with pytest.raises(ValueError, match=r"declares 16,000 bytes of numbers and holds"):
        open_samples(path)


@pytest.mark.parametrize("cut", [3, 7, 9, 30])
def test_a_damaged_header_is_refused(tmp_path, cut):
    path = as_npy(samples()[0], tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"X\.npy (cannot be read as|must be) a \.npy file"):
        open_samples(path)


def test_archives_and_other_files_are_refused_with_a_way_out(tmp_path):
    np.savez(tmp_path / "X.npz", X=np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"X\.npz is an archive.*numpy\.save"):
        open_samples(tmp_path / "X.npz")
    (tmp_path / "X.csv").write_text("1,2\n3,4\n")
    with pytest.raises(ValueError, match=r"X\.csv must be a \.npy file, a Parquet file or"):
        open_samples(tmp_path / "X.csv")
    with pytest.raises(TypeError, match=r"opened from a path.*list"):
        open_samples([[1.0]])


def test_a_file_that_changes_during_the_run_is_told(tmp_path):
    X, _ = samples()
    path = as_npy(X, tmp_path)
    stored = open_samples(path)
    stored[:3]
    os.utime(path, ns=(0, 0))
    with pytest.raises(ValueError, match=r"X\.npy has changed after it was opened"):
        stored[:3]
    stored = open_samples(path)
    os.truncate(path, 1000)
    with pytest.raises(ValueError, match=r"X\.npy ends too early"):
        stored[:]
    memmap = np.memmap(path, "f8", "r", shape=(25, 5))
    pickled = pickle.dumps(open_samples(memmap))
    os.truncate(path, 999)
    with pytest.raises(ValueError, match=r"X\.npy ends too early"):
        pickle.loads(pickled)


def test_a_folder_without_a_zarr_array_is_refused(tmp_path):
    with pytest.raises(ValueError, match="folder without a Zarr array"):
        open_samples(tmp_path)
    zarr.create_group(tmp_path / "group.zarr")
    with pytest.raises(ValueError, match=r"group\.zarr"):
        open_samples(tmp_path / "group.zarr")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"zarr_format": 2}'])
def test_damaged_zarr_metadata_are_refused(tmp_path, content):
    path = Path(as_zarr(samples()[0], tmp_path))
    open_samples(path)
    (path / ".zarray").write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as a Zarr array"):
        open_samples(path)


@pytest.mark.parametrize("place", ["filters", "compressor"])
def test_a_zarr_array_that_would_be_unpickled_is_refused(tmp_path, place):
    path = Path(as_zarr(samples()[0], tmp_path))
    about = json.loads((path / ".zarray").read_text())
    codec = {"id": "pickle", "protocol": 5}
    about[place] = [codec] if place == "filters" else codec
    (path / ".zarray").write_text(json.dumps(about))
    with pytest.raises(ValueError, match=r"coded by \['pickle'\]"):
        open_samples(path)


def test_a_codec_within_a_codec_is_looked_at(tmp_path):
    path = Path(as_zarr_3(samples()[0], tmp_path))
    about = json.loads((path / "zarr.json").read_text())
    inner = {"name": "numcodecs.pickle", "configuration": {}}
    outer = {"name": "sharding_indexed", "configuration": {"codecs": [inner]}}
    about["codecs"] = [outer]
    (path / "zarr.json").write_text(json.dumps(about))
    with pytest.raises(ValueError, match=r"coded by \['pickle'\]"):
        open_samples(path)


@pytest.mark.parametrize("X", [np.ones(4), np.ones((2, 2), dtype=complex)])
def test_a_zarr_array_of_anything_else_is_refused(tmp_path, X):
    array = zarr.create_array(tmp_path / "X.zarr", shape=X.shape, dtype=X.dtype, zarr_format=2)
    array[:] = X
    for source in (tmp_path / "X.zarr", array):
        with pytest.raises(ValueError, match="2-D table of numbers"):
            open_samples(source)


def test_a_parquet_file_of_anything_but_numbers_is_refused(tmp_path):
    path = tmp_path / "X.parquet"
    good = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    good.to_parquet(path)
    assert open_samples(path)[:].tolist() == good.to_numpy().tolist()
    for wrong, message in (
        (["x", "y"], "column 'b' holds"),
        (pd.to_datetime(["2020", "2021"]), "column 'b' holds timestamp"),
        ([1.5, None], "column 'b' has missing cells"),
    ):
        good.assign(b=wrong).to_parquet(path)
        with pytest.raises(ValueError, match=rf"X\.parquet cannot be read as samples: {message}"):
            open_samples(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"X\.parquet cannot be read as samples"):
        open_samples(path)


@pytest.mark.parametrize(("written", "package"), [(as_zarr, "zarr"), (as_parquet, "pyarrow")])
def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch, written, package):
    path = written(samples()[0], tmp_path)
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {package}, .* install ga-ann\["):
        open_samples(path)
