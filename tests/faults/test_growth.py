"""A long run takes no more memory than a short one; numbers that overflow do no harm."""

import json
import warnings

import numpy as np
import pytest

from ga_ann.evolution.evaluation import Evaluator
from ga_ann.low_rank import LowRankPopulation
from tests.runs import evolve

GROWTH = """
import gc, json, sys
import numpy as np
import psutil
from sklearn.datasets import load_iris
from ga_ann import Checkpoint, Recipe, evolve

X, y = load_iris(return_X_y=True)
process, seen, objects = psutil.Process(), {}, {}

def look(ga, history):
    n = len(history) - 1
    if n in (1000, 4000, 7000, 10_000):
        gc.collect()
        seen[n] = process.memory_info().rss
        objects[n] = len(gc.get_objects())
        kept.update({
            name: len(value)
            for name, value in vars(ga).items()
            if isinstance(value, (list, dict, np.ndarray)) and np.ndim(value) and len(value) > 999
        })

kept = {}
result = evolve(
    X, y, hidden_layer_sizes=(30,), random_state=0, target_fitness=None, n_jobs=1,
    n_generations=10_000, recipe=Recipe(population_size=4, n_parents=2),
    callbacks=[Checkpoint(sys.argv[1]), look],
)
print(json.dumps({
    "rss": list(seen.values()), "objects": list(objects.values()), "kept": kept,
    "generations": len(result.history), "history": result.history._values.buffer_info()[1] * 8,
}))
"""


@pytest.mark.slow
def test_ten_thousand_generations(start_python, tmp_path):
    process = start_python(GROWTH, tmp_path / "run.npz")
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    told = json.loads(out)
    print(told)
    assert told["generations"] == 10_001
    first, *_, last = told["rss"]
    # A population is 3 kB: 30 MB if one a generation stayed.
    assert last - first < 6 * 2**20
    assert told["history"] == 10_001 * 10 * 8
    # Objects, which would be one or more a generation if something held on to them.
    assert told["objects"][-1] - told["objects"][0] < 1000
    # A number a generation each, for PyGAD's plots; no solutions.
    assert told["kept"].keys() <= {"best_solutions_fitness", "best_solutions_generations"}


HUGE = (1e10, 1e20, 1e30, 3e38)


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("ranking", ["auto", "fitness"])
def test_solutions_that_overflow_rank_worst_and_are_counted(iris, tiny, huge, ranking):
    """Half of the population is huge; what it is worth is computed with care here."""
    X, y = iris
    rng = np.random.default_rng(0)
    population = rng.normal(scale=0.5, size=(16, 35))
    population[::2] *= huge
    population = np.clip(population, -3e38, 3e38).astype(np.float32)
    seen = []

    def look(ga, history):
        seen.append((ga.population.copy(), ga.ranking.copy(), history.last["n_invalid"]))

    options = tiny | {"population_size": 16, "n_parents": 4, "batch_size": "full"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = evolve(
            X, y, start=population, ranking=ranking, callbacks=[look],
            n_generations=12, crossover="gene_pool", **options,
        )  # fmt: skip
    for networks, ranked, n_invalid in seen[:1]:
        with np.errstate(all="ignore"):
            hidden = np.maximum(X.astype(np.float32) @ networks[:, :20].reshape(-1, 4, 5), 0)
            outputs = hidden @ networks[:, 20:].reshape(-1, 5, 3)
            invalid = ~np.isfinite(outputs.sum(axis=(1, 2)))
        assert n_invalid == invalid.sum()
        assert np.isnan(ranked[invalid]).all()
        assert np.isfinite(ranked[~invalid]).all()
    assert (seen[0][2] > 0) == (huge >= 1e20)
    assert np.isfinite(result.best_fitness)
    assert all(np.isfinite(W).all() for W in result.weights)
    assert result.history["n_invalid"][-1] <= seen[0][2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("crossover", ["mean", "gene_pool", "single_point"])
def test_a_mutation_that_overflows_all(iris, tiny, dtype, crossover):
    """Every offspring is beyond all bounds: the run goes on, counts them, keeps the best."""
    sigma = 3e38 if dtype == "float32" else 1e308
    options = tiny | {"sigma": sigma, "weight_decay": 0.0, "dtype": dtype, "crossover": crossover}
    options |= {"mutation": "gaussian"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = evolve(*iris, n_generations=11, **options)
    n_invalid = result.history["n_invalid"]
    assert n_invalid[0] == 0
    assert (n_invalid[1:] > 0).all()
    assert np.isfinite(result.history["best_fitness"]).all()
    assert np.mean(result.predict(iris[0]) == iris[1]) == result.best_fitness


@pytest.mark.parametrize("recombination", ["centred", "parents"])
@pytest.mark.parametrize("sigma", [1.5e19, 3e38])
def test_low_rank_mutations_that_overflow_rank_worst_and_are_counted(
    iris, tiny, recombination, sigma
):
    """The first ones are mutations as well: some of them are beyond all bounds."""
    options = tiny | {"weight_decay": 0.0, "recombination": recombination, "mutation": "low_rank"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = evolve(*iris, n_generations=11, sigma=sigma, **options)
    assert 0 < result.history["n_invalid"][0] < 32
    assert np.isfinite(result.history["best_fitness"]).all()
    assert np.mean(result.predict(iris[0]) == iris[1]) == result.best_fitness


def test_low_rank_chromosomes_that_overflow_can_be_looked_at(iris, tiny):
    result = evolve(*iris, n_generations=0, **tiny, mutation="low_rank")
    population = result.population
    for sigma, mean in ((1e300, 0.0), (3e38, 3e38), (1.0, np.inf)):
        huge = LowRankPopulation(
            np.full_like(population.mean, mean), population.places, sigma, population.noise
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert not np.isfinite(huge[:]).all()
            with Evaluator(*iris, result.state.shapes, n_jobs=1) as evaluate:
                assert np.isnan(evaluate(huge).fitness).any()
