"""Runs on sparse samples: those of the dense ones, without ever holding these."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from ga_ann import Checkpoint, GeneticMLPClassifier, GeneticMLPRegressor, validation
from ga_ann.evolution.data import TrainingData
from ga_ann.evolution.memory import estimate_memory
from ga_ann.evolution.problem import Problem
from ga_ann.evolution.recipe import Recipe
from ga_ann.history import COLUMNS
from tests.runs import evolve

RNG = np.random.default_rng(0)
X = sparse.csr_array(RNG.normal(size=(80, 9)) * (RNG.random((80, 9)) < 0.3))
Y = np.argmax(X @ RNG.normal(size=(9, 3)), axis=1)
KINDS = {
    "csr_matrix": sparse.csr_matrix,
    "csr_array": sparse.csr_array,
    "csc_matrix": sparse.csc_matrix,
    "coo_array": sparse.coo_array,
    "lil_matrix": sparse.lil_matrix,
    "dok_array": sparse.dok_array,
}


@pytest.fixture
def stay_sparse(monkeypatch):
    monkeypatch.setattr(validation, "DENSE_BYTES", 0)


def run(X, y=Y, **options):
    given = {"hidden_layer_sizes": (4,), "population_size": 16, "n_generations": 25, "n_jobs": 1}
    return evolve(X, y, **given | {"random_state": 0, "target_fitness": None, **options})


def bits(result):
    columns = [result.history[name].tobytes() for name in COLUMNS if name != "seconds"]
    return [W.tobytes() for W in result.weights], columns


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_a_small_run_is_that_of_the_dense_samples_to_the_bit(kind, dtype):
    samples = (100 * X).astype(dtype)
    held_out = (samples[:20], Y[:20])
    result = run(KINDS[kind](samples), validation_data=held_out)
    dense = run(samples.toarray(), validation_data=(held_out[0].toarray(), Y[:20]))
    assert bits(result) == bits(dense)
    assert (result.predict(samples) == dense.predict(samples.toarray())).all()


@pytest.mark.usefixtures("stay_sparse")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 8},
        {"batch_size": 8, "mutation": "gaussian", "bias": True},
        {"mutation": "gaussian", "crossover": "uniform", "hidden_layer_sizes": (5, 4)},
        {"hidden_layer_sizes": ()},
        {"sample_weight": np.arange(80) % 3},
        {"weight_set": "ternary"},
        {"task": "regression", "bias": True},
        {"early_stopping": True, "n_iter_no_change": 50, "batch_size": 8},
    ],
    ids=str,
)
def test_a_large_run_is_that_of_the_dense_samples_but_for_rounding(options):
    """In double precision, where rounding decides nothing."""
    options = {"dtype": "float64"} | options
    of_sparse, of_dense = (
        run(samples, validation_data=(samples[:20], Y[:20]), **options)
        for samples in (X, X.toarray())
    )
    for name in COLUMNS:
        if name != "seconds":
            np.testing.assert_allclose(
                of_sparse.history[name], of_dense.history[name], rtol=1e-9, err_msg=name
            )
    for sparse_W, dense_W in zip(of_sparse.weights, of_dense.weights, strict=True):
        np.testing.assert_allclose(sparse_W, dense_W, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(of_sparse.predict_scores(X), of_dense.predict_scores(X.toarray()))


@pytest.mark.usefixtures("stay_sparse")
def test_threads_do_not_matter():
    options = {"hidden_layer_sizes": (600,), "n_generations": 3, "dtype": "float32"}
    assert bits(run(X, n_jobs=1, **options)) == bits(run(X, n_jobs=3, **options))


@pytest.mark.usefixtures("stay_sparse")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_figures_of_the_data_are_those_of_the_dense_samples(task):
    weight = RNG.integers(0, 4, 80)
    given = {"task": task, "classes": None, "sample_weight": weight}
    of_sparse = TrainingData.check(X.tocoo(), Y, **given)
    of_dense = TrainingData.check(X.toarray(), Y, **given)
    assert sparse.issparse(of_sparse.X)
    assert of_sparse.magnitude == pytest.approx(of_dense.magnitude, rel=1e-12)
    assert of_sparse.n_samples == of_dense.n_samples == 80
    for weight_set in (None, "ternary"):
        sizes = {"hidden_layer_sizes": (4,), "weight_set": weight_set}
        ours, theirs = (Problem(data, Recipe(), **sizes) for data in (of_sparse, of_dense))
        np.testing.assert_allclose(ours.scale, theirs.scale, rtol=1e-6)
        if weight_set:
            assert ours._spread_of_outputs() == pytest.approx(theirs._spread_of_outputs())


# ---------------------------------------------------------------- memory


def large(n_samples=20_000, n_features=50_000, row=20):
    """Return samples that take 5 MB, and 8 GB as a dense array."""
    rng = np.random.default_rng(0)
    indices = rng.integers(n_features, size=(n_samples, row))
    indices.sort(axis=1)
    indptr = np.arange(0, n_samples * row + 1, row)
    samples = sparse.csr_array(
        (rng.normal(size=indices.size), indices.ravel(), indptr), shape=(n_samples, n_features)
    )
    samples.sum_duplicates()
    return samples, (indices[:, 0] < n_features // 25) * 1


def peak_of(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("make", [GeneticMLPClassifier, GeneticMLPRegressor])
@pytest.mark.parametrize("batch_size", [2048, "full"])
def test_nothing_of_the_size_of_the_dense_samples_is_ever_held(make, batch_size):
    samples, y = large()
    network = make((8,), population_size=8, n_generations=11, n_jobs=1, random_state=0)
    network.set_params(batch_size=batch_size, early_stopping=True)

    # A dense batch of 2048 in single precision would take 410 MB more.
    for work in (network.fit, network.score, network.partial_fit):
        assert peak_of(lambda work=work: work(samples, y)) < 50e6


@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
def test_the_estimate_is_about_what_a_run_takes(mutation):
    samples, y = large(n_features=5000)
    options = {"population_size": 8, "n_generations": 2, "mutation": mutation}
    run(samples, y, **options)  # what is made once stays out of it
    peak = peak_of(lambda: run(samples, y, **options))
    data = TrainingData.check(samples, y, task="classification", classes=None, sample_weight=None)
    problem = Problem(data, Recipe(population_size=8, mutation=mutation), hidden_layer_sizes=(4,))
    estimate = sum(estimate_memory(problem, n_jobs=1, in_place=True).values())
    assert estimate / 3 < peak < 1.5 * estimate + 2**20


# ---------------------------------------------------------------- checkpoints


def shuffled(samples):
    """Return the same samples with unsorted indices, a duplicate and a stored zero."""
    rows, columns = samples.nonzero()
    order = np.random.default_rng(1).permutation(samples.nnz)
    values = samples.toarray()[rows, columns][order]
    rows, columns = rows[order], columns[order]
    zero_row, zero_column = np.argwhere(samples.toarray() == 0)[0]
    # The first number comes in two halves.
    values = np.concatenate([values / np.where(np.arange(len(values)) == 0, 2, 1), values[:1] / 2])
    rows, columns = np.append(rows, rows[0]), np.append(columns, columns[0])
    held = sparse.csr_array(samples.shape)
    order = np.argsort(np.append(rows, zero_row), kind="stable")
    held.data = np.append(values, 0.0)[order]
    held.indices = np.append(columns, zero_column)[order].astype(np.int64)
    held.indptr = np.searchsorted(np.append(rows, zero_row)[order], np.arange(81)).astype(np.int64)
    return held


def another_value():
    samples = X.copy()
    samples.data[17] = np.nextafter(samples.data[17], 1)
    return samples


def another_index():
    samples = X.tolil()
    row, column = X.nonzero()[0][0], X.nonzero()[1][0]
    other = np.flatnonzero(samples[[row]].toarray() == 0)[0]
    samples[row, other], samples[row, column] = samples[row, column], 0
    return samples.tocsr()


@pytest.mark.usefixtures("stay_sparse")
def test_a_checkpoint_knows_its_samples_whatever_their_form(tmp_path):
    path = tmp_path / "run.npz"
    run(X, callbacks=[Checkpoint(path)], n_generations=12)
    whole = run(X)
    other_form = shuffled(X)
    assert (other_form.nnz, other_form.has_canonical_format) == (X.nnz + 2, False)
    before = [getattr(other_form, name).copy() for name in ("data", "indices", "indptr")]
    for same in (X, X.tocoo(), sparse.csc_matrix(X), other_form):
        assert bits(run(same, start=path, n_generations=25)) == bits(whole)
    for name, array in zip(("data", "indices", "indptr"), before, strict=True):
        np.testing.assert_array_equal(getattr(other_form, name), array)
    for other in (another_value(), another_index(), X.astype(np.float32), X.toarray()):
        with pytest.raises(ValueError, match="another run: another X"):
            run(other, start=path)


def test_small_samples_have_the_checkpoint_of_the_dense_ones(tmp_path):
    path = tmp_path / "run.npz"
    run(X, callbacks=[Checkpoint(path)], n_generations=12)
    assert bits(run(X.toarray(), start=path)) == bits(run(X))
    for other in (another_value(), another_index()):
        with pytest.raises(ValueError, match="another run: another X"):
            run(other, start=path)
