"""The engine: a `pygad.GA` on a run's state, with its generators, elites and books."""

import ast
import itertools
import pickle
from pathlib import Path

import numpy as np
import pygad
import pytest

import ga_ann
from ga_ann.evolution.engine import NetworkGA, breeds_in_place
from tests.runs import evolve

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0) * 1 + (X[:, 1] > 0.5)


def run(**options):
    given = {"hidden_layer_sizes": (4,), "population_size": 12, "n_parents": 4, "random_state": 0}
    return evolve(X, Y, **given | {"n_generations": 8, "target_fitness": None} | options)


def test_this_and_the_door_to_pygad_are_the_only_modules_that_know_it():
    home = Path(ga_ann.__file__).parent
    importing = []
    for path in home.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.partition(".")[0] == "pygad" for name in names):
                importing.append(path.relative_to(home).as_posix())
    assert sorted(importing) == ["doors/pygad_networks.py", "evolution/engine.py"]


def test_the_engine_is_a_real_pygad_ga():
    result = run()
    assert isinstance(result.ga, pygad.GA)
    assert result.ga.run_completed
    assert result.ga.generations_completed == 8
    solution, fitness, index = result.ga.best_solution()
    assert fitness == result.ga.best_solutions_fitness[-1] <= result.best_fitness
    assert (result.ga.population[index] == solution).all()
    assert "Population" in str(result.ga.summary())


@pytest.mark.parametrize(
    "options", [{}, {"mutation": "gaussian"}, {"n_elites": 2, "crossover": "uniform"}]
)
def test_what_the_engine_shows_is_the_state(options):
    seen = []

    def look(ga, history):
        assert isinstance(ga, NetworkGA)
        assert ga.population is ga.state.population
        assert ga.last_generation_fitness is ga.state.fitness
        assert ga.ranking is ga.state.ranking
        assert history is ga.state.history
        seen.append(ga.state.generation)

    result = run(callbacks=[look], **options)
    assert seen == list(range(9))
    assert result.population is result.state.population
    assert result.history is result.state.history


@pytest.mark.parametrize(
    ("options", "in_place"),
    [
        ({"mutation": "gaussian"}, True),
        ({"mutation": "gaussian", "n_parents": None}, True),
        ({"crossover": "uniform"}, True),
        ({"n_elites": 1}, False),
        ({"crossover": "scattered"}, False),
    ],
)
def test_offspring_grow_in_the_population_unless_it_is_still_needed(options, in_place):
    places = set()

    def look(ga, history):
        assert breeds_in_place(ga._run.problem) == in_place
        places.add(ga.population.__array_interface__["data"][0])

    run(callbacks=[look], **options)
    assert len(places) == (1 if in_place else 2)


@pytest.mark.parametrize("n_elites", [1, 3])
def test_elites_come_first_unchanged_and_the_best_ranked_are_the_elites(n_elites):
    generations = []
    run(
        n_elites=n_elites,
        crossover="uniform",
        callbacks=[lambda ga, _: generations.append((ga.population.copy(), ga.ranking.copy()))],
    )
    for (old, ranking), (new, _) in itertools.pairwise(generations):
        best = np.argsort(-ranking, kind="stable")[:n_elites]
        np.testing.assert_array_equal(new[:n_elites], old[best])


@pytest.mark.parametrize(
    ("options", "draws"),
    [
        ({}, False),
        ({"selection": "rws"}, True),
        ({"crossover": "scattered"}, True),
        ({"mutation": "random", "mutation_rate": 0.1}, True),
    ],
)
def test_the_state_of_pygads_generators_is_kept_where_one_is_used(options, draws):
    states = []
    run(callbacks=[lambda ga, _: states.append(ga.state.engine)], **options)
    if not draws:
        assert states == [None] * 9
    else:
        assert all(set(state) == {"numpy", "python"} for state in states)
        assert repr(states[0]) != repr(states[-1])


def test_the_summary_is_logged_as_pygads_is(caplog, monkeypatch):
    result = run()
    monkeypatch.setattr(result.ga.logger, "propagate", True)
    with caplog.at_level("DEBUG", logger=result.ga.logger.name):
        text = result.ga.summary()
    assert [record.message for record in caplog.records] == text.splitlines()


@pytest.mark.parametrize("mutation", ["low_rank", "gaussian", "random"])
@pytest.mark.parametrize(
    "save", [lambda ga, path: ga.save(str(path)), lambda ga, path: pickle.dumps(ga)]
)
def test_the_engine_says_what_to_save_in_its_place(save, mutation, tmp_path):
    options = {} if mutation == "low_rank" else {"crossover": "uniform"}
    result = run(mutation=mutation, **options)
    with pytest.raises(TypeError, match=r"result\.save\(path\).*Checkpoint\(path\).*pickle the re"):
        save(result.ga, tmp_path / "ga")
    assert not list(tmp_path.iterdir())
    assert pickle.loads(pickle.dumps(result)).ga is None


def test_pygads_generators_are_not_the_global_ones():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    run(selection="rws", mutation="random", mutation_rate=0.1)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
