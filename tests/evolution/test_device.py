"""Networks measured on a device, against NumPy's evaluator."""

import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from ga_ann import Checkpoint, GeneticMLPClassifier, Recipe, evolve, flatten, init_weights
from ga_ann.evolution import device as module
from ga_ann.evolution.device import Device, DeviceEvaluator, find_device
from ga_ann.evolution.evaluation import Evaluator
from ga_ann.evolution.evolve import numeric_versions
from ga_ann.fitness import FITNESS, accuracy, neg_log_loss, per_solution, population_score
from ga_ann.low_rank import LowRankNoise, LowRankPopulation
from ga_ann.network import ACTIVATIONS, layer_shapes
from tests.devices import DEVICES, STRICT, each_device, needs_torch

SIZES = [5, 7, 3]
EVOLVE = sys.modules["ga_ann.evolution.evolve"]  # the package has the function under that name


def problem(sizes=SIZES, n_samples=40, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(sizes[-1], size=n_samples)
    y[: sizes[-1]] = np.arange(sizes[-1])
    return rng.standard_normal((n_samples, sizes[0])), y


def populations(rng, sizes, bias, rank, dtype=np.float64, n_solutions=9):
    shapes = layer_shapes(sizes, bias=bias)
    dense = flatten(init_weights(rng, sizes, n_solutions=n_solutions, bias=bias, dtype=dtype))
    dense += rng.normal(0, 0.1, dense.shape).astype(dtype)
    scales = [rng.uniform(0.1, 1, shape[-1]) for shape in shapes]
    noise = LowRankNoise(1, shapes, scales, rank=rank, n_places=99, dtype=dtype)
    places = noise.draw_places(rng, n_solutions)
    return shapes, dense, LowRankPopulation(dense[0].copy(), places, 0.7, noise)


def check_alike(found, expected, tolerance):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@each_device
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    hidden=st.lists(st.integers(2, 9), max_size=2),
    rank=st.integers(1, 2),
    bias=st.booleans(),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    output_activation=st.sampled_from(["identity", "softmax", "tanh"]),
    weighted=st.booleans(),
    batch=st.booleans(),
    fitness=st.sampled_from([accuracy, FITNESS["margin"]]),
    ranking=st.sampled_from([None, neg_log_loss, accuracy]),
    chunk_bytes=st.sampled_from([2**22, 700]),
)
def test_measurements_are_those_of_numpy_within_rounding(
    device, seed, hidden, rank, bias, activation, output_activation, weighted, batch, fitness,
    ranking, chunk_bytes,
):  # fmt: skip
    rng, sizes = np.random.default_rng(seed), [5, *hidden, 3]
    X, y = problem(sizes, seed=seed)
    options = {
        "activation": activation,
        "output_activation": output_activation,
        "fitness": fitness,
        "ranking": ranking,
        "sample_weight": rng.uniform(0, 2, len(y)) if weighted else None,
        "dtype": np.float64,
        "n_jobs": 2,
    }
    samples = rng.integers(len(y), size=11) if batch else None
    shapes, *both = populations(rng, sizes, bias, rank)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CPU_CHUNK_BYTES", chunk_bytes)
        for population in both:
            with (
                Evaluator(X, y, shapes, **options) as numpy,
                DeviceEvaluator(X, y, shapes, device=device, **options) as evaluate,
            ):
                check_alike(evaluate(population, samples), numpy(population, samples), 1e-10)
                only = evaluate(population, samples, ranking_only=True)
                expected = numpy(population, samples, ranking_only=True)
                check_alike(only, expected, 1e-10)


@each_device
@pytest.mark.parametrize("low_rank", [False, True])
def test_float32_agrees_to_five_digits_in_a_network_of_hundreds_of_inputs(device, low_rank):
    sizes = [300, 50, 10]
    X, y = problem(sizes, 500)
    shapes, *both = populations(np.random.default_rng(0), sizes, True, 3, np.float32)
    numpy = Evaluator(X, y, shapes, fitness=neg_log_loss, n_jobs=1)
    evaluate = DeviceEvaluator(X, y, shapes, fitness=neg_log_loss, device=device)
    check_alike(evaluate(both[low_rank]), numpy(both[low_rank]), 1e-5)


@each_device
def test_outputs_that_are_not_finite_have_no_fitness(device):
    X, y = problem()
    shapes, dense, _ = populations(np.random.default_rng(0), SIZES, False, 1)
    dense[[2, 5]] = np.nan
    evaluate = DeviceEvaluator(X, y, shapes, ranking=neg_log_loss, device=device, dtype=np.float64)
    for values in evaluate(dense):
        assert np.flatnonzero(np.isnan(values)).tolist() == [2, 5]
    assert np.flatnonzero(np.isnan(evaluate(dense, ranking_only=True).ranking)).tolist() == [2, 5]


@each_device
@pytest.mark.parametrize("batch", [None, np.array([1, 5, 5, 8])])
def test_metrics_and_functions_of_ones_own_are_given_numpys_arrays(device, batch):
    X, y = problem()
    shapes, *both = populations(np.random.default_rng(0), SIZES, True, 1)

    @population_score("classification")
    def own(outputs, y, sample_weight=None):
        assert isinstance(outputs, np.ndarray)
        assert isinstance(y, np.ndarray)
        values = outputs[:, y, np.arange(len(y))].mean(axis=1)
        outputs[:] = 0
        return values

    def sine(Z):
        return np.sin(Z)

    for fitness in (own, per_solution("f1_macro", range(3))):
        for ranking in (own, neg_log_loss):
            options = {"fitness": fitness, "ranking": ranking, "activation": sine}
            options |= {"dtype": np.float64, "n_jobs": 1}
            numpy = Evaluator(X, y, shapes, **options)
            evaluate = DeviceEvaluator(X, y, shapes, device=device, **options)
            for population in both:
                check_alike(evaluate(population, batch), numpy(population, batch), 1e-10)


@each_device
@pytest.mark.parametrize("spoilt", ["outputs", "y", "sample_weight"])
def test_a_score_that_overwrites_what_it_must_not_is_refused(device, spoilt):
    @population_score("classification", overwrites=False)
    def liar(outputs, y, sample_weight=None):
        {"outputs": outputs, "y": y, "sample_weight": sample_weight}[spoilt][:] = 0
        return np.zeros(len(outputs))

    X, y = problem()
    shapes, dense, _ = populations(np.random.default_rng(0), SIZES, False, 1)
    evaluate = DeviceEvaluator(
        X, y, shapes, fitness=liar, sample_weight=np.ones(40), device=device, dtype=np.float64
    )
    with pytest.raises(ValueError, match="read-only"):
        evaluate(dense)


def test_chromosomes_of_another_network_are_refused():
    X, y = problem()
    evaluate = DeviceEvaluator(X, y, layer_shapes(SIZES), device=STRICT)
    with pytest.raises(ValueError, match=r"shape \(n_solutions, 56\), got \(4, 55\)"):
        evaluate(np.zeros((4, 55)))


# ---------------------------------------------------------------- runs


def fit(find, monkeypatch, **options):
    monkeypatch.setattr(EVOLVE, "find_device", lambda *given: find)
    X, y = problem(n_samples=60)
    settings = {"hidden_layer_sizes": (7,), "n_generations": 23, "random_state": 0}
    return X, y, evolve(X, y, **settings | options, device="somewhere")


@each_device
@pytest.mark.parametrize("recipe", [Recipe(), Recipe(mutation="low_rank", batch_size=20)])
def test_a_run_is_the_same_twice_and_reports_what_numpy_measures(device, recipe, monkeypatch):
    X, y, result = fit(device, monkeypatch, recipe=recipe)
    _, _, again = fit(device, monkeypatch, recipe=recipe, n_jobs=1)
    assert result.best_fitness == np.mean(result.predict(X) == y)
    for a, b in zip(result.weights, again.weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(mutation="low_rank", batch_size=20)])
def test_what_a_device_says_of_the_best_is_not_believed(recipe, monkeypatch):
    class Flattering(Device):
        def fetch(self, array):
            return super().fetch(array) + 1

    liar = Flattering(np, "cpu", "cpu")
    X, y, result = fit(liar, monkeypatch, recipe=recipe, target_fitness=1.01)
    assert result.best_fitness == np.mean(result.predict(X) == y)
    assert result.history["best_fitness"].max() == result.best_fitness
    assert result.stop_reason == "n_generations"


def test_a_checkpoint_goes_on_elsewhere_with_a_warning(tmp_path, monkeypatch):
    here = replace(STRICT, versions={"device": "strict", "torch": "1"})
    path = tmp_path / "state.npz"
    X, y, _ = fit(here, monkeypatch, n_generations=10, callbacks=[Checkpoint(path)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(here, monkeypatch, start=path)
    for elsewhere in (replace(here, versions={"device": "strict", "torch": "2"}), DEVICES["numpy"]):
        with pytest.warns(RuntimeWarning, match="its bits may be others"):
            fit(elsewhere, monkeypatch, start=path)
    with pytest.warns(RuntimeWarning, match="'device': 'strict'"):
        evolve(X, y, hidden_layer_sizes=(7,), n_generations=23, start=path)
    assert "device" not in numeric_versions()


def test_a_device_without_room_for_one_network_is_refused(monkeypatch):
    class Full(Device):
        def free_memory(self):
            return 2**10

    with pytest.raises(MemoryError, match=r"samples .* on device='cpu', and 0.00 GiB are free"):
        fit(Full(np, "cpu", "cpu"), monkeypatch)


def test_sparse_samples_are_refused(monkeypatch):
    monkeypatch.setattr(EVOLVE, "find_device", lambda *given: STRICT)
    numbers = np.arange(2000)
    X = csr_array((np.ones(2000), (numbers, numbers)), shape=(2000, 3000))
    with pytest.raises(ValueError, match="device='cpu' takes samples that are dense"):
        evolve(X, np.arange(2000) % 2, device="cpu")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"device": 3}, TypeError, "device must be a name such as 'cpu'"),
        ({"device": "cpu", "device_dtype": "float8"}, ValueError, "'bfloat16', got 'float8'"),
        ({"device_dtype": "bfloat16"}, ValueError, "goes with a device"),
    ],
)
def test_what_is_no_device_is_refused(options, error, message):
    X, y = problem()
    with pytest.raises(error, match=message):
        evolve(X, y, **options)
    with pytest.raises(error, match=message):
        GeneticMLPClassifier(**options).fit(X, y)


@pytest.mark.parametrize("missing", ["torch", "array_api_compat.torch"])
def test_without_pytorch_the_message_names_the_extra(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ValueError, match=r"pip install 'ga-ann\[gpu\]'"):
        find_device("cpu")


def test_nothing_is_imported_that_was_not_asked_for():
    code = """
import sys, numpy as np
from ga_ann import evolve
evolve(np.eye(4), [0, 1, 0, 1], n_generations=2, recipe="default")
assert not {"torch", "array_api_compat", "array_api_strict"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- PyTorch


@needs_torch
@pytest.mark.parametrize("name", ["cuda:99", "gpu", "cpu:1", "meta", "", "cuda:-1"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name):
    with pytest.raises(ValueError, match=r"finds here, cpu.*got "):
        find_device(name)


@needs_torch
def test_bfloat16_is_coarser_and_computed_when_asked_for_alone():
    X, y = problem([30, 20, 3], 200)
    shapes, *both = populations(np.random.default_rng(0), [30, 20, 3], True, 2, np.float32)
    for population in both:
        numpy = Evaluator(X, y, shapes, fitness=neg_log_loss)(population).fitness
        coarse, fine = (
            DeviceEvaluator(X, y, shapes, fitness=neg_log_loss, device=find_device("cpu", dtype))(
                population
            ).fitness
            for dtype in ("bfloat16", None)
        )
        assert np.abs(fine / numpy - 1).max() < 1e-5 < np.abs(coarse / numpy - 1).max() < 0.05


@needs_torch
def test_the_number_of_threads_changes_neither_bits_nor_pytorchs_settings():
    import torch

    X, y = problem(n_samples=300)
    shapes, *both = populations(np.random.default_rng(0), SIZES, True, 2, np.float32)
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    for population in both:
        found = []
        for n_jobs in (1, 2, 3):
            with DeviceEvaluator(
                X, y, shapes, fitness=neg_log_loss, device=find_device("cpu"), n_jobs=n_jobs
            ) as evaluate:
                found.append(evaluate(population).fitness)
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_array_equal(found[0], found[2])
    assert before == (torch.get_num_threads(), torch.get_float32_matmul_precision())


@needs_torch
@pytest.mark.parametrize("low_rank", [False, True])
@pytest.mark.parametrize("fitness", ["roc_auc", "f1_macro", "accuracy", "margin"])
def test_nothing_waits_for_a_gpu_before_the_scores_are_fetched(low_rank, fitness):
    """Tensors without values stand for a GPU's: who waits for one of them fails."""
    import array_api_compat.torch as xp
    import torch

    class Gpu(Device):
        def free_memory(self):
            return 2**34

    X, y = problem()
    shapes, *both = populations(np.random.default_rng(0), SIZES, True, 2, np.float32)
    gpu = Gpu(xp, "cuda:0", torch.device("meta"))
    scores = [FITNESS[fitness], neg_log_loss]
    evaluate = DeviceEvaluator(X, y, shapes, device=gpu, sample_weight=np.ones(40))
    measured = evaluate._measure(both[low_rank], np.array([1, 5, 5]), scores)
    assert measured.shape == (3, 9)
    assert measured.device == gpu.handle
    with pytest.raises(RuntimeError, match="meta"):  # the look-alike, which waits
        float(measured[0, 0])


@needs_torch
@pytest.mark.parametrize("fitness", ["accuracy", "neg_log_loss", "f1_macro", "margin"])
def test_as_many_steps_for_a_thousand_solutions_as_for_ten(fitness):
    import array_api_compat.torch as xp
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counting(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.count += 1
            return function(*args, **kwargs or {})

    class Gpu(Device):
        def free_memory(self):
            return 2**34

    X, y = problem()
    gpu = Gpu(xp, "cuda:0", torch.device("cpu"))
    for low_rank in (False, True):
        counts = []
        for n_solutions in (10, 1000):
            given = (SIZES, True, 2, np.float32, n_solutions)
            shapes, *both = populations(np.random.default_rng(0), *given)
            evaluate = DeviceEvaluator(X, y, shapes, device=gpu, fitness=FITNESS[fitness])
            with Counting() as counting:
                evaluate(both[low_rank])
            counts.append(counting.count)
        assert counts[0] == counts[1] > 0
