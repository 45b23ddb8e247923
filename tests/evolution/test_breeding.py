"""Workers breed the generations that the engine breeds, from a few numbers."""

import pickle
import sys
from contextlib import nullcontext

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ga_ann.evolution.breeding import Place
from ga_ann.evolution.evaluation import Measurement, rank_failed_last
from ga_ann.evolution.replica import Batch, Order, Replica, Whole
from tests.runs import evolve

X, Y = load_iris(return_X_y=True)

RECIPES = {
    "low rank": {},
    "low rank, on batches that grow": {"batch_size": 16, "sigma_decay": 0.5},
    "rank 3, double precision": {"rank": 3, "dtype": "float64"},
    "low rank by tournament": {"selection": "tournament", "n_parents": 7},
    "dense, centred": {"mutation": "gaussian"},
    "dense, centred, every number new": {"mutation": "uniform", "noise": "generator"},
    "elites": {"recipe": "classic", "n_elites": 3},
    "elites on all samples": {"recipe": "classic", "n_elites": 3, "batch_size": "full"},
    "neurons by roulette": {"crossover": "neuron", "selection": "roulette"},
    "a share of the genes": {"crossover": "uniform", "mutation_rate": 0.3},
    "weights of three values": {"weight_set": "ternary"},
}
SEVERAL = {**RECIPES, "PyGAD's operators": {"crossover": "two_points", "mutation": "swap"}}


class Loopback:
    """Stands for a cluster: replicas here, which lose their memory now and then."""

    is_lost = False
    failure = None
    N_REPLICAS = 3
    FORGETS = 0.1

    def __init__(self, client, evaluate, breeder, is_interrupted):
        self.evaluate = evaluate
        self.breeder = breeder if breeder.is_ours else None
        self.rng = np.random.default_rng(client)
        self.replicas = [self.new() for _ in range(self.N_REPLICAS)]
        self.orders = []
        self.n_whole = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def new(self):
        return pickle.loads(pickle.dumps(Replica(self.evaluate, self.breeder)))

    def measure(self, state, place, rng, population, samples, *, ranking_only):
        batch = None
        if samples is not None:
            batch = Batch(rng, len(self.evaluate.X), len(samples))
        size = self.evaluate.block_size(
            population, len(self.evaluate.X if batch is None else samples)
        )
        answers = []
        for start in range(0, len(population), size):
            k = int(self.rng.integers(self.N_REPLICAS))
            if self.rng.random() < self.FORGETS:
                self.replicas[k] = self.new()
            n = min(size, len(population) - start)
            part = Order(place._replace(first=place.first + start), n, size, batch, ranking_only)
            part = pickle.loads(pickle.dumps(part))
            self.orders.append(part)
            if self.breeder is None:
                rows = Whole.of(population[start : start + n])
                answers.append(self.replicas[k].answer(part, rows))
                continue
            answer = self.replicas[k].answer(part)
            if answer.ranking is None:
                self.n_whole += 1
                whole = pickle.loads(pickle.dumps(Whole.of(state.population, state.mean)))
                answer = self.replicas[k].answer(part, whole)
            answers.append(answer)
        ranking = np.concatenate([answer.ranking for answer in answers])
        fitness = np.full(len(ranking), np.nan)
        if not ranking_only:
            fitness = np.concatenate([answer.fitness for answer in answers])
        return rank_failed_last(Measurement(fitness, ranking))


@pytest.fixture
def loopback(monkeypatch):
    made = []

    def make(*given):
        made.append(Loopback(*given))
        return made[-1]

    home = sys.modules["ga_ann.evolution.evolve"]
    monkeypatch.setattr(home, "Cluster", make)
    monkeypatch.setattr(home, "connect", nullcontext)
    return made


def run(**options):
    given = {"hidden_layer_sizes": (6, 5), "bias": True, "population_size": 24, "random_state": 5}
    return evolve(X, Y, **given | {"n_generations": 23, "target_fitness": None} | options)


def bits(result):
    history = {name: result.history[name] for name in ("best_fitness", "ranking", "n_invalid")}
    arrays = [*result.weights, np.asarray(result.population), *history.values()]
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("seed", [0, 1])
def test_replicas_that_forget_measure_what_the_engine_would(loopback, name, seed):
    alone = run(**SEVERAL[name])
    assert bits(run(**SEVERAL[name], client=seed)) == bits(alone)
    assert len(loopback[0].orders) >= 23
    # A tenth of them forgets, and each is behind where another one did its part.
    assert name not in RECIPES or loopback[0].n_whole < len(loopback[0].orders)


def test_one_replica_needs_the_population_once(loopback, monkeypatch):
    monkeypatch.setattr(Loopback, "N_REPLICAS", 1)
    monkeypatch.setattr(Loopback, "FORGETS", 0)
    assert bits(run(client=0)) == bits(run())
    assert loopback[0].n_whole == 1


@pytest.mark.parametrize("width", [8, 512])
def test_an_order_is_as_long_however_wide_the_network(loopback, width):
    run(hidden_layer_sizes=(width,), client=0, population_size=1024, n_generations=3)
    sizes = [len(pickle.dumps(order)) for order in loopback[0].orders if order.place.descent]
    assert max(sizes) < 12_000


def test_a_replica_that_is_behind_says_so(loopback):
    run(client=0)
    cluster = loopback[0]
    replica = cluster.new()
    order = cluster.orders[-1]
    assert order.place.number > 1
    assert replica.answer(order).ranking is None
    assert replica.answer(order._replace(place=Place(number=0))).ranking is None


def test_what_breeds_is_not_changed_by_it(loopback):
    result = run(recipe="classic", client=0)
    breeder = result.ga._run.breeder
    descent = loopback[0].orders[-1].place.descent
    population = np.array(result.population)
    first, _ = breeder.breed(population, None, descent)
    again, _ = breeder.breed(population, None, descent)
    assert first.tobytes() == again.tobytes()
    assert population.tobytes() == np.asarray(result.population).tobytes()
    assert not np.shares_memory(first, population)
