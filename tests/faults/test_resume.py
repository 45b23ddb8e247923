"""A run that goes on from a checkpoint is, bit for bit, the run that was never interrupted."""

import copy
import dataclasses
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import f1_score, fbeta_score, make_scorer

from ga_ann import Checkpoint, GeneticMLPClassifier, GeneticMLPRegressor
from ga_ann.fitness import fbeta
from ga_ann.low_rank import FEWEST_PLACES
from ga_ann.storage.archive import HEADER, read_archive, write_archive
from ga_ann.storage.checkpoint import load_checkpoint
from tests.runs import evolve


def macro_f1(y_true, y_pred):
    return f1_score(y_true, y_pred, average="macro", zero_division=0)


def sine(Z):
    return np.sin(Z)


def best_but_shuffled(rng, fitness, n_parents):
    return rng.permutation(np.argsort(-fitness, kind="stable")[:n_parents])


def one_parent(rng, parents, n_offspring, shapes):
    return rng.choice(parents, n_offspring)


def laplace(rng, offspring, scale, rate):
    noise = scale * rng.laplace(size=offspring.shape).astype(offspring.dtype)
    return np.where(rng.random(offspring.shape) < rate, offspring + noise, offspring)


SLOW = {"population_size": 8, "n_parents": 4}
VARIANTS = {
    "default": {},
    "batches and a schedule": {"batch_size": 16, "sigma_decay": 0.5, "tol": 0.0},
    "elites on batches": {"n_elites": 3, "crossover": "uniform", "batch_size": 16},
    "elites on all": {"n_elites": 3, "crossover": "neuron", "batch_size": "full"},
    "weight set": {"weight_set": "ternary"},
    "integers": {"weight_set": "int8", "bias": True},
    "tutorial": {"recipe": "tutorial", "population_size": 8},
    "float64": {
        "dtype": "float64",
        "noise": "generator",
        "bias": True,
        "mutation": "gaussian",
        "n_parents": 8,
    },
    "low rank": {"mutation": "low_rank", "batch_size": 16, "sigma_decay": 0.5},
    "low rank on all": {"mutation": "low_rank", "batch_size": "full"},
    "low rank, fitness alone": {"mutation": "low_rank", "ranking": "fitness"},
    "low rank of parents": {"mutation": "low_rank", "recombination": "parents", "bias": True},
    "low rank by tournament": {"mutation": "low_rank", "selection": "tournament"},
    "low rank in float64": {"mutation": "low_rank", "dtype": "float64", "bias": True},
    "rank 2": {"mutation": "low_rank", "rank": 2, "batch_size": 16, "bias": True},
    "dense and centred": {"mutation": "gaussian", "recombination": "centred", "batch_size": 16},
    "dense and centred in float64": {
        "mutation": "gaussian",
        "recombination": "centred",
        "dtype": "float64",
        "bias": True,
    },
    "dense mean of parents": {"mutation": "gaussian", "recombination": "parents"},
    "tournament": {"selection": "tournament", "crossover": "two_point"},
    "fitness alone": {"selection": "roulette", "ranking": "fitness"},
    "metric one at a time": {"fitness": macro_f1},
    "custom parts": {
        "activation": sine,
        "output_activation": lambda Z: Z**3,
        "selection": best_but_shuffled,
        "crossover": one_parent,
        "mutation": laplace,
        "mutation_rate": 0.5,
        "n_elites": 2,
        "batch_size": 16,
        "sigma_decay": 0.5,
        "n_parents": 4,
    },
    "custom parts, low rank": {"selection": best_but_shuffled, "activation": (sine,)},
    "PyGAD's selection": {"selection": "rws", **SLOW},
    "PyGAD's crossover": {"crossover": "scattered", **SLOW},
    "PyGAD's mutation": {"mutation": "random", "mutation_rate": 0.1, **SLOW},
    "PyGAD's operators": {
        "selection": "sus",
        "crossover": "two_points",
        "mutation": "adaptive",
        "mutation_rate": (0.2, 0.1),
        "n_elites": 2,
        **SLOW,
    },
}


@pytest.fixture(scope="module")
def wholes():
    return {}


def iris_in_parts():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    return X[order[:100]], y[order[:100]], (X[order[100:]], y[order[100:]])


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(0, 44), max_size=3).map(sorted))
def test_any_run_interrupted_anywhere(variant, stops, tiny, interrupted, compare_runs, wholes):
    X, y, held_out = iris_in_parts()
    options = tiny | {"n_generations": 45, "validation_data": held_out} | VARIANTS[variant]
    if variant not in wholes:
        wholes[variant] = evolve(X, y, **options)
    assert compare_runs(interrupted(X, y, stops, **options), wholes[variant]) > 0


def test_every_generation(tiny, interrupted, compare_runs, digits):
    """A chain of one-generation runs, across checks, steps of the schedule and larger batches."""
    X, y = digits[0][:600], digits[1][:600]
    weight = np.random.default_rng(1).uniform(size=len(y))
    options = tiny | {
        "n_generations": 60,
        "sigma_decay": 0.5,
        "batch_size": 8,
        "n_elites": 2,
        "crossover": "gene_pool",
        "sample_weight": weight,
    }
    whole = evolve(X, y, **options)
    assert whole.history["n_samples"][-1] > 8
    compare_runs(interrupted(X, y, range(60), **options), whole)
    predicted = interrupted(X, y, [7, 33], **options).predict(X)
    np.testing.assert_array_equal(predicted, whole.predict(X))


@pytest.mark.parametrize("early_stopping", [True, False])
def test_patience_counts_across_interruptions(tiny, interrupted, compare_runs, early_stopping):
    X, y, held_out = iris_in_parts()
    options = tiny | {
        "n_generations": 300,
        "n_iter_no_change": 25,
        "early_stopping": early_stopping,
        "validation_data": held_out,
    }
    whole = evolve(X, y, **options)
    assert "improvement" in whole.stop_reason
    last = len(whole.history) - 1
    assert 25 < last < 299
    for stops in ([3, 20, last - 1], [last - 12], [last - 24, last - 23]):
        compare_runs(interrupted(X, y, stops, **options), whole)
    # One that had ended has nothing more to do.
    compare_runs(interrupted(X, y, [last, last, last], **options), whole)


def test_a_regression(tiny, interrupted, compare_runs):
    X, y = load_diabetes(return_X_y=True)
    targets = np.column_stack([y, X[:, 0] * 100])
    for targets_given in (y, targets):
        for mutation in ("low_rank", "gaussian"):
            options = tiny | {"n_generations": 35, "task": "regression", "bias": True}
            options |= {"mutation": mutation}
            whole = evolve(X, targets_given, **options)
            resumed = interrupted(X, targets_given, [0, 9, 10, 23], **options)
            compare_runs(resumed, whole)
            np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))


@pytest.mark.parametrize("given_by", ["chromosomes", "generator"])
@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
def test_what_it_began_with_is_not_needed_again(
    tiny, compare_runs, stop_after, tmp_path, iris, given_by, mutation
):
    n_genes = 4 * 5 + 5 * 3
    first = {"start": np.random.default_rng(8).normal(size=(32, n_genes))}
    if given_by == "generator":
        first = {"random_state": np.random.Generator(np.random.MT19937(5))}
    tiny = tiny | {"mutation": mutation}
    again = copy.deepcopy(first)
    whole = evolve(*iris, n_generations=30, **tiny | first)
    path = tmp_path / "run.npz"
    evolve(*iris, n_generations=30, callbacks=[Checkpoint(path), stop_after(12)], **tiny | again)
    compare_runs(evolve(*iris, n_generations=30, start=path, **tiny), whole)


@pytest.mark.parametrize("kind", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
def test_every_bit_generator(tiny, compare_runs, tmp_path, iris, kind, mutation):
    def options():
        rng = np.random.Generator(getattr(np.random, kind)(5))
        rng.integers(9, dtype=np.int32)  # half of a word is left
        return tiny | {"random_state": rng, "noise": "generator", "mutation": mutation}

    path = tmp_path / "run.npz"
    whole = evolve(*iris, n_generations=12, **options())
    evolve(*iris, n_generations=5, callbacks=[Checkpoint(path)], **options())
    compare_runs(evolve(*iris, n_generations=12, start=path, **options()), whole)


@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
def test_a_run_that_continued_another_one(tiny, compare_runs, stop_after, tmp_path, iris, mutation):
    tiny = tiny | {"mutation": mutation}
    first = dataclasses.replace(evolve(*iris, n_generations=14, **tiny), ga=None)
    options = tiny | {"n_generations": 25, "sigma": 0.5}
    again = copy.deepcopy(first)
    whole = evolve(*iris, start=first, **options)
    path = tmp_path / "run.npz"
    evolve(*iris, start=again, callbacks=[Checkpoint(path), stop_after(22)], **options)
    compare_runs(evolve(*iris, start=path, **options), whole)
    assert len(whole.history) == 14 + 25 + 1


@pytest.mark.parametrize("early_stopping", [True, False])
def test_patience_counts_from_where_a_continued_run_began(
    tiny, compare_runs, stop_after, tmp_path, early_stopping
):
    """The rows of the run before, at the top of the History, are not this run's patience."""
    X, y, held_out = iris_in_parts()
    first = evolve(X, y, n_generations=90, validation_data=held_out, **tiny)
    options = tiny | {
        "n_generations": 300,
        "n_iter_no_change": 25,
        "early_stopping": early_stopping,
        "validation_data": held_out,
    }
    whole = evolve(X, y, start=first, **options)
    assert "improvement" in whole.stop_reason
    n_own = len(whole.history) - len(first.history)
    assert n_own >= 25
    path = tmp_path / "run.npz"
    for stop in (1, n_own // 2, n_own - 1):
        stop_here = stop_after(len(first.history) + stop - 1)
        evolve(X, y, start=first, callbacks=[Checkpoint(path), stop_here], **options)
        assert len(load_checkpoint(path).history) == len(first.history) + stop
        compare_runs(evolve(X, y, start=path, **options), whole)
        path.unlink()


def test_infinite_weights_are_no_obstacle(tiny, interrupted, compare_runs, iris):
    options = tiny | {"n_generations": 12, "sigma": 3e38, "weight_decay": 0.0}
    options |= {"n_elites": 1, "crossover": "gene_pool"}
    whole = evolve(*iris, **options)
    assert not np.isfinite(whole.population).all()
    compare_runs(interrupted(*iris, [1, 4, 9], **options), whole)


@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
def test_threads_do_not_matter(interrupted, compare_runs, digits, mutation):
    """Enough work a generation for the threads to share it, see `THREADED_FLOPS`."""
    options = {"hidden_layer_sizes": (64,), "n_generations": 12, "batch_size": "full"}
    options |= {"random_state": 0, "mutation": mutation}
    whole = evolve(*digits, n_jobs=1, **options)
    for n_jobs in (2, 4):
        compare_runs(evolve(*digits, n_jobs=n_jobs, **options), whole)
    compare_runs(interrupted(*digits, [2, 5, 8], threads=(4, 1, 2), **options), whole)


def test_numpy_numbers_are_numbers(tiny, interrupted, compare_runs, iris):
    options = tiny | {"population_size": np.int64(16), "n_parents": np.int32(4)}
    options |= {"sigma": np.float32(0.25), "batch_size": np.int64(20), "n_generations": np.int64(9)}
    options |= {"rank": np.int64(2)}
    plain = tiny | {"population_size": 16, "n_parents": 4, "sigma": 0.25, "batch_size": 20}
    plain |= {"rank": 2}
    whole = evolve(*iris, n_generations=9, **plain)
    compare_runs(interrupted(*iris, [3], **options), whole)


# ---------------------------------------------------------------- what may differ, and what not


def test_the_end_may_be_another_one(tiny, compare_runs, tmp_path, iris):
    path = tmp_path / "run.npz"
    tiny = tiny | {"weight_decay": 0.05}  # "auto" depends on whether there is a target
    whole = evolve(*iris, n_generations=40, **tiny)
    limits = {"n_generations": 10, "max_time": 3600, "max_evaluations": 10**6}
    evolve(*iris, callbacks=[Checkpoint(path)], **tiny | limits | {"target_fitness": 1.0})
    before = path.read_bytes()
    compare_runs(evolve(*iris, n_generations=40, start=path, **tiny), whole)
    later = evolve(*iris, n_generations=40, max_time=7200, start=path, **tiny)
    compare_runs(later, whole)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match=r"weight_decay=0.* where it was 0\.05"):
        evolve(*iris, n_generations=40, start=path, **tiny | {"weight_decay": "auto"})


def test_budgets_count_what_was_done_before(tiny, compare_runs, stop_after, tmp_path, iris):
    path = tmp_path / "run.npz"
    options = tiny | {"max_evaluations": 700, "n_generations": 1000}
    whole = evolve(*iris, **options)
    assert whole.stop_reason == "max_evaluations"
    evolve(*iris, callbacks=[Checkpoint(path), stop_after(11)], **options)
    compare_runs(evolve(*iris, start=path, **options), whole)
    spent = load_checkpoint(path)
    ended = evolve(*iris, start=path, **options | {"max_time": 1e-9})
    assert ended.stop_reason == "max_time"
    assert len(ended.history) == len(spent.history)


OTHER_SETTINGS = {
    "hidden_layer_sizes": (6,),
    "activation": "tanh",
    "output_activation": "softmax",
    "bias": True,
    "fitness": "f1_macro",
    "ranking": "fitness",
    "init": "tutorial",
    "population_size": 33,
    "n_parents": 7,
    "n_elites": 1,
    "selection": "rank",
    "crossover": "uniform",
    "recombination": "parents",
    "mutation": "uniform",
    "rank": 2,
    "mutation_rate": 0.5,
    "sigma": 0.31,
    "sigma_decay": 0.7,
    "weight_decay": 0.0,
    "batch_size": 64,
    "noise": "generator",
    "dtype": "float64",
    "n_iter_no_change": 99,
    "tol": 0.1,
    "early_stopping": True,
}


@pytest.fixture(scope="module")
def checkpointed(tmp_path_factory, iris, tiny):
    """A checkpoint, and the data of its run."""
    X, y = iris
    path = tmp_path_factory.mktemp("run") / "run.npz"
    data = {"X": X, "y": y, "sample_weight": np.linspace(1, 2, 150)}
    data["validation_data"] = (X[::3], y[::3])
    evolve(**data, n_generations=3, callbacks=[Checkpoint(path)], **tiny)
    return path, data


@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_other_settings_are_refused_and_named(checkpointed, tiny, name):
    path, data = checkpointed
    options = tiny | {"n_generations": 9, name: OTHER_SETTINGS[name]}
    with pytest.raises(ValueError, match=rf"one of another run: .*\b{name}=.* where it was"):
        evolve(**data, start=path, **options)


def test_a_weight_set_is_refused_and_named(checkpointed, tiny):
    path, data = checkpointed
    with pytest.raises(ValueError, match="weight_set='binary' where it was None"):
        evolve(**data, start=path, weight_set="binary", **tiny)


def test_all_settings_are_either_compared_or_say_when_to_end(checkpointed):
    held = load_checkpoint(checkpointed[0]).history.settings
    ends = {"n_generations", "max_time", "max_evaluations", "target_fitness"}
    assert held.keys() == OTHER_SETTINGS.keys() | {"weight_set"} | ends


def _change_last(array):
    changed = np.array(array)
    changed.flat[-1] = changed.flat[0] if changed.dtype.kind == "i" else np.nextafter(0.5, 1)
    return changed


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        ("X", _change_last, "another X"),
        ("X", lambda X: X[:, ::-1], "another X"),
        ("y", _change_last, "another y"),
        ("classes", lambda _: [0, 1, 2, 3], "another set of classes"),
        ("sample_weight", _change_last, "another sample_weight"),
        ("sample_weight", lambda _: None, "another sample_weight"),
        ("validation_data", lambda pair: (_change_last(pair[0]), pair[1]), "another X of the val"),
        ("validation_data", lambda pair: (pair[0], _change_last(pair[1])), "another y of the val"),
        ("validation_data", lambda _: None, "another X of the validation data, another y of"),
    ],
)
def test_other_data_are_refused_and_named(checkpointed, tiny, name, change, named):
    path, data = checkpointed
    with pytest.raises(ValueError, match=f"one of another run: .*{named}"):
        evolve(**data | {name: change(data.get(name))}, start=path, **tiny)


def test_fewer_samples_are_refused(checkpointed, tiny):
    path, data = checkpointed
    fewer = {name: data[name][:-1] for name in ("X", "y", "sample_weight")}
    with pytest.raises(ValueError, match="another X, another sample_weight, another y"):
        evolve(**data | fewer, start=path, **tiny)


def _make_score(beta):
    def score(y_true, y_pred):
        return fbeta_score(y_true, y_pred, beta=beta, average="macro", zero_division=0)

    return score


class _Score:
    def __init__(self, beta):
        self.beta = beta

    def __call__(self, y_true, y_pred):
        return fbeta_score(y_true, y_pred, beta=self.beta, average="macro", zero_division=0)

    def method(self, y_true, y_pred):
        return self(y_true, y_pred)


def _by_default(beta):
    def score(y_true, y_pred, beta=beta):
        return _make_score(beta)(y_true, y_pred)

    return score


def _by_keyword(beta):
    def score(y_true, y_pred, *, beta=beta):
        return _make_score(beta)(y_true, y_pred)

    return score


MAKERS = {
    "closure": _make_score,
    "default": _by_default,
    "keyword default": _by_keyword,
    "partial": lambda b: partial(fbeta_score, beta=b, average="macro", zero_division=0),
    "object": _Score,
    "method": lambda b: _Score(b).method,
    "scorer": lambda b: make_scorer(fbeta_score, beta=b, average="macro", zero_division=0),
    "fbeta": fbeta,
}


@pytest.mark.parametrize("given_as", ["fitness", "ranking"])
@pytest.mark.parametrize("kind", MAKERS)
def test_another_function_is_refused_and_the_same_one_made_anew_is_not(
    tiny, iris, tmp_path, compare_runs, kind, given_as
):
    make, path = MAKERS[kind], tmp_path / "run.npz"
    X, y = (iris[0], iris[1] > 0) if kind == "fbeta" else iris
    options = tiny | {"n_generations": 6, "population_size": 8, "n_parents": 4}
    evolve(X, y, callbacks=[Checkpoint(path)], **options, **{given_as: make(1.0)})
    again = options | {"n_generations": 11}
    with pytest.raises(ValueError, match=f"one of another run: .*{given_as}"):
        evolve(X, y, start=path, **again, **{given_as: make(5.0)})
    resumed = evolve(X, y, start=path, **again, **{given_as: make(1.0)})
    compare_runs(resumed, evolve(X, y, **again, **{given_as: make(1.0)}))


def _activation(k):
    return lambda Z: np.sin(k * Z)


def _selection(k):
    return lambda rng, fitness, n: np.argsort(-fitness, kind="stable")[rng.integers(k + n, size=n)]


def _crossover(k):
    return lambda rng, parents, n, shapes: rng.choice(parents[: int(k) + 1], n)


def _mutation(k):
    def mutation(rng, offspring, scale, rate):
        return offspring + k * scale * rng.standard_normal(offspring.shape, dtype=offspring.dtype)

    return mutation


@pytest.mark.parametrize(
    ("part", "make", "named"),
    [
        ("activation", _activation, "another activation function"),
        ("activation", lambda k: (_activation(k),), "another activation function 1"),
        ("output_activation", _activation, "another output_activation function"),
        ("selection", _selection, "another selection function"),
        ("crossover", _crossover, "another crossover function"),
        ("mutation", _mutation, "another mutation function"),
    ],
)
def test_another_part_is_refused_and_the_same_one_made_anew_is_not(
    tiny, iris, tmp_path, compare_runs, part, make, named
):
    path = tmp_path / "run.npz"
    options = tiny | {"n_generations": 6, "population_size": 8, "n_parents": 4}
    evolve(*iris, callbacks=[Checkpoint(path)], **options, **{part: make(np.float32(1))})
    again = options | {"n_generations": 11}
    with pytest.raises(ValueError, match=f"one of another run: {named}. Give"):
        evolve(*iris, start=path, **again, **{part: make(np.float32(2))})
    with pytest.raises(ValueError, match=f"one of another run: .*{part}=.* where it was"):
        evolve(*iris, start=path, **again)
    resumed = evolve(*iris, start=path, **again, **{part: make(np.float32(1))})
    compare_runs(resumed, evolve(*iris, **again, **{part: make(np.float32(1))}))


IN_A_PROCESS = """
import sys
from functools import partial
from sklearn.datasets import load_iris
from sklearn.metrics import fbeta_score
from ga_ann import Checkpoint, Recipe, evolve

path, beta, *start = sys.argv[1:]

class Score:
    def __init__(self, beta):
        self.beta = beta

    def __call__(self, y_true, y_pred):
        return fbeta_score(y_true, y_pred, beta=self.beta, average="macro", zero_division=0)

evolve(
    *load_iris(return_X_y=True),
    hidden_layer_sizes=(5,),
    fitness=partial(fbeta_score, beta=float(beta), average="macro", zero_division=0),
    recipe=Recipe(ranking=Score(float(beta)), population_size=8, n_parents=4),
    random_state=0,
    n_generations=4,
    callbacks=[] if start else [Checkpoint(path)],
    start=path if start else None,
)
"""


def test_another_process_tells_the_same_functions_from_others(start_python, tmp_path):
    path = tmp_path / "run.npz"
    for arguments, error in (
        ((path, 1), ""),
        ((path, 1, "start"), ""),
        ((path, 5, "start"), "another fitness function, another ranking function. Give"),
    ):
        process = start_python(IN_A_PROCESS, *arguments)
        _, err = process.communicate(timeout=60)
        assert bool(process.returncode) == bool(error), err
        assert error in err


def test_one_beginning_is_enough(checkpointed, tiny, iris):
    path, data = checkpointed
    first = evolve(*iris, n_generations=0, **tiny)
    for name, more in (("initial_population", first.population), ("resume", path)):
        for start in (path, first, first.population):
            with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
                evolve(**data, start=start, **{name: more}, **tiny)


def test_no_checkpoint_no_run(tiny, iris, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
        evolve(*iris, start=tmp_path / "nothing.npz", **tiny)


LOW_RANK = {"sigma": 0.5, "rank": 1, "n_places": FEWEST_PLACES, "n_factors": 4 + 5 + 5 + 5 + 3 + 3}
OTHER_PLACES = (
    {"rank": 0},
    {"rank": 4},
    {"rank": 10**12},
    {"rank": 1.5},
    {"rank": True},
    {"sigma": float("nan")},
    {"sigma": float("inf")},
    {"sigma": -0.1},
    {"sigma": 10**400},
    {"sigma": None},
    {"n_places": 0},
    {"n_places": -1},
    {"n_places": 3},
    {"n_places": 2**40},
    {"n_places": 2.0**17},
    {"n_places": "many"},
    {"n_factors": 24},
    {"n_factors": None},
)
SCHEDULE = {"sigma": 1.0, "n_samples": 150, "decay": 1.0, "patience": 3, "best": 0, "waited": 0}


@pytest.mark.parametrize(
    "state",
    [
        {"rng": []},
        {"rng": {"bit_generator": "RandomState"}},
        {"rng": {"bit_generator": "PCG64", "state": 5}},
        {"rng": {"bit_generator": "PCG64", "state": {"state": -1, "inc": 1}}},
        {"rng": {"bit_generator": "MT19937", "state": {"key": [1], "pos": 0}}},
        {"rng": {"bit_generator": "MT19937", "state": {"key": [1] * 624, "pos": 10**9}}},
        {"rng": {"bit_generator": "MT19937", "state": {"key": [1] * 624, "pos": -1}}},
        {"rng": {"bit_generator": "Philox", "buffer_pos": -1, "buffer": [0] * 4}},
        {"schedule": {}},
        {"schedule": SCHEDULE | {"batch_size": 0}},
        {"schedule": SCHEDULE | {"batch_size": 10**15, "n_samples": 10**16}},
        {"schedule": SCHEDULE | {"batch_size": float("inf")}},
        {"engine": []},
        {"engine": {"numpy": {"bit_generator": "MT19937", "state": {"key": [1], "pos": 1}}}},
        {"noise_seed": -1},
        {"engine_seed": "one"},
        {"beginning": None},
        {"beginning": {"n_rows": 1}},
        {"beginning": {"n_rows": -1, "evaluations": 0.0, "seconds": 0.0}},
        {"beginning": {"n_rows": 10**9, "evaluations": 0.0, "seconds": 0.0}},
        {"best": "high"},
        {"best": {"fitness": 1.0, "ranking": "high", "validation_score": 0.0}},
        {"best_ranking": "high"},
        {"best_ranking": [None]},
        {"n_evaluated": None},
        {"low_rank": None},
        {"low_rank": {}},
        *({"low_rank": LOW_RANK | changes} for changes in OTHER_PLACES),
    ],
    ids=lambda state: str(state)[:90],
)
def test_a_state_that_cannot_be_is_refused(checkpointed, tiny, tmp_path, state):
    """Also one that would make NumPy's generators read where no memory of theirs is."""
    path, data = checkpointed
    forged = tmp_path / "forged.npz"
    header, arrays = read_archive(path, "checkpoint")
    del arrays[HEADER]
    header = {name: header[name] for name in ("history", "shapes", "state", "data", "versions")}
    write_archive(forged, "checkpoint", header, arrays, compress=False)
    load_checkpoint(forged)
    header["state"] |= state
    write_archive(forged, "checkpoint", header, arrays, compress=False)
    with pytest.raises(ValueError, match=r"the checkpoint's|forged\.npz cannot be read as a che"):
        evolve(**data, start=forged, n_generations=9, **tiny)


@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
def test_parameters_of_other_shapes_are_refused(iris, tiny, tmp_path, mutation):
    """Also of as many genes and neurons: the best network would be another one."""
    path, tiny = tmp_path / "run.npz", tiny | {"mutation": mutation}
    evolve(*iris, n_generations=3, callbacks=[Checkpoint(path)], **tiny)
    forged = tmp_path / "forged.npz"
    header, arrays = read_archive(path, "checkpoint")
    del arrays[HEADER]
    header = {name: header[name] for name in ("history", "shapes", "state", "data", "versions")}
    assert header["shapes"] == [[4, 5], [5, 3]]
    header["shapes"] = [[4, 7], [7, 1]]
    if mutation == "low_rank":
        header["state"]["low_rank"]["n_factors"] = 4 + 7 + 7 + 7 + 1 + 1
    write_archive(forged, "checkpoint", header, arrays, compress=False)
    load_checkpoint(forged)
    with pytest.raises(ValueError, match="the checkpoint's state cannot be used"):
        evolve(*iris, start=forged, n_generations=9, **tiny)


# ---------------------------------------------------------------- estimators


def _estimator(kind, **options):
    common = {"hidden_layer_sizes": (5,), "n_generations": 40, "random_state": 0}
    common |= {"target_fitness": None, "early_stopping": True, "n_iter_no_change": 30}
    return kind(**common | options)


class _Stop:
    """Breaks a fit off as a crash would."""

    def __init__(self, generation):
        self.generation = generation

    def __call__(self, ga, history):
        if len(history) > self.generation:
            raise RuntimeError("crash")


@pytest.mark.parametrize("kind", [GeneticMLPClassifier, GeneticMLPRegressor])
def test_a_fit_goes_on_where_it_was_interrupted(kind, iris, tmp_path):
    X, y = iris
    whole = _estimator(kind).fit(X, y)
    path = tmp_path / "fit.npz"
    for generation in (5, 17):
        crash = _Stop(generation)
        with pytest.raises(RuntimeError, match="crash"):
            _estimator(kind, checkpoint=path, callbacks=[crash]).fit(X, y)
        assert load_checkpoint(path).generation < generation + 1
    for _ in range(2):  # the second time, there is nothing left to do
        resumed = _estimator(kind, checkpoint=path).fit(X, y)
        np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))
        for a, b in zip(resumed.weights_, whole.weights_, strict=True):
            np.testing.assert_array_equal(a, b)
        for name in ("best_fitness", "ranking", "validation_score", "evaluations"):
            np.testing.assert_array_equal(resumed.history_[name], whole.history_[name])


@pytest.mark.parametrize("kind", [GeneticMLPClassifier, GeneticMLPRegressor])
def test_a_fit_without_a_seed_goes_on_with_the_one_that_was_drawn(kind, iris, tmp_path):
    """The seed decides which part is held out; the checkpoint keeps it."""
    path = tmp_path / "fit.npz"
    crash = _Stop(17)
    with pytest.raises(RuntimeError, match="crash"):
        _estimator(kind, checkpoint=path, callbacks=[crash], random_state=None).fit(*iris)
    seed = load_checkpoint(path).random_state
    resumed = _estimator(kind, checkpoint=path, random_state=None).fit(*iris)

    class Drawn(np.random.RandomState):
        def randint(self, *_):
            return seed

    whole = _estimator(kind, random_state=Drawn()).fit(*iris)
    for a, b in zip(resumed.weights_, whole.weights_, strict=True):
        np.testing.assert_array_equal(a, b)
    for name in ("best_fitness", "ranking", "validation_score", "evaluations"):
        np.testing.assert_array_equal(resumed.history_[name], whole.history_[name])
    other = _estimator(kind, random_state=None, n_generations=3)
    assert other.fit(*iris)._result.state.random_state != seed


def test_a_fit_refuses_the_checkpoint_of_other_data_or_settings(iris, tmp_path):
    X, y = iris
    path = tmp_path / "fit.npz"
    _estimator(GeneticMLPClassifier, checkpoint=path).fit(X, y)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"one of another run: .*another X"):
        _estimator(GeneticMLPClassifier, checkpoint=path).fit(X + 1, y)
    with pytest.raises(ValueError, match=r"sigma=0\.1 where it was 0\."):
        _estimator(GeneticMLPClassifier, checkpoint=path, sigma=0.1).fit(X, y)
    assert path.read_bytes() == before


def test_a_checkpoint_of_other_versions_is_told(tmp_path, iris, tiny, monkeypatch):
    X, y = iris
    path = tmp_path / "run.npz"
    evolve(X, y, n_generations=3, callbacks=[Checkpoint(path)], **tiny)
    monkeypatch.setattr(
        sys.modules["ga_ann.evolution.evolve"], "numeric_versions", lambda: {"numpy": "0.1"}
    )
    with pytest.warns(RuntimeWarning, match="bits may be others"):
        result = evolve(X, y, n_generations=6, start=path, **tiny)
    assert len(result.history) == 7


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"activation": "sigmoid"}, {"activation": "logistic"}),
        ({"activation": ("logistic",)}, {"activation": ["sigmoid"]}),
        ({"output_activation": "logistic"}, {"output_activation": "sigmoid"}),
    ],
)
def test_a_run_goes_on_under_the_other_name_of_its_activation(tmp_path, before, after):
    X, y = load_iris(return_X_y=True)
    options = {"hidden_layer_sizes": (4,), "target_fitness": None, "random_state": 0}
    path = tmp_path / "run.npz"
    evolve(X, y, n_generations=3, callbacks=[Checkpoint(path)], **options | before)
    resumed = evolve(X, y, n_generations=6, start=path, **options | after)
    whole = evolve(X, y, n_generations=6, **options | before)
    assert np.asarray(resumed.population).tobytes() == np.asarray(whole.population).tobytes()
    (name,) = before
    with pytest.raises(ValueError, match=f"{name}='tanh' where it was"):
        evolve(X, y, n_generations=6, start=path, **options | {name: "tanh"})


@pytest.mark.parametrize("activation", [[[]], [{}], {}, 5, None, [["relu"]]])
def test_activations_of_a_file_may_be_anything_and_are_refused(
    checkpointed, tiny, tmp_path, activation
):
    path, data = checkpointed
    forged = tmp_path / "forged.npz"
    header, arrays = read_archive(path, "checkpoint")
    del arrays[HEADER]
    header = {name: header[name] for name in ("history", "shapes", "state", "data", "versions")}
    header["history"]["settings"]["activation"] = activation
    write_archive(forged, "checkpoint", header, arrays, compress=False)
    with pytest.raises(ValueError, match="the checkpoint is one of another run: activation="):
        evolve(**data, start=forged, n_generations=9, **tiny)
