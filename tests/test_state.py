"""The state of a run: one value, whose copies and continuations leave it as it was."""

import copy
from dataclasses import fields, replace

import numpy as np
import pytest

from ga_ann import Checkpoint, GeneticMLPClassifier
from ga_ann.history import COLUMNS, History
from ga_ann.low_rank import LowRankPopulation
from ga_ann.schedule import Schedule
from ga_ann.state import Beginning, Best, State
from ga_ann.storage.archive import read_archive
from ga_ann.storage.checkpoint import load_checkpoint
from tests.runs import evolve

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0) * 1 + (X[:, 1] > 0.5)


def run(**options):
    given = {"hidden_layer_sizes": (4,), "target_fitness": None, "n_generations": 12, "n_jobs": 1}
    return evolve(X, Y, **given | {"random_state": 0, "batch_size": 8} | options)


def make_state(n_rows=3):
    history = History(label="GA", settings={"sigma": 1})
    for k in range(n_rows):
        history.append(generation=k, evaluations=10.0 * k, seconds=k / 10)
    return State(
        population=np.arange(8.0).reshape(2, 4),
        shapes=[(2, 2)],
        history=history,
        schedule=Schedule(0.5, 4, 10, 0.8),
        rng=np.random.default_rng(1),
        noise_seed=1,
        engine_seed=2,
        best=Best(np.arange(4.0), 0.5),
        n_evaluated=20.0,
    )


def bits(state):
    """Return everything that a run might change, as bytes and plain values."""
    held = vars(copy.deepcopy(state)) | {"rng": state.rng.bit_generator.state}
    held["rows"] = b"".join(state.history[name].tobytes() for name in COLUMNS)
    held["settings"] = dict(held.pop("history").settings)
    held["schedule"] = vars(held["schedule"])
    held["best"] = [part.tobytes() if hasattr(part, "tobytes") else part for part in held["best"]]
    held["population"] = np.asarray(held["population"])
    return {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in held.items()}


def chromosomes(result):
    return np.asarray(result.population).tobytes()


def everything(result):
    weights = [W.tobytes() for W in result.weights]
    return (repr(bits(result.state)), weights, result.best_fitness, repr(list(result.history)))


def share_memory(a, b):
    pairs = [(a.best.solution, b.best.solution)]
    if isinstance(a.population, LowRankPopulation):
        pairs += [
            (a.population.mean, b.population.mean),
            (a.population.places, b.population.places),
        ]
    else:
        pairs += [(a.population, b.population)]
    pairs += [(a.fitness, b.fitness), (a.ranking, b.ranking)]
    return any(np.shares_memory(*pair) for pair in pairs)


# ---------------------------------------------------------------- copies


def test_a_copy_shares_nothing_that_a_run_changes():
    state = make_state()
    before = repr(bits(state))
    twin = state.copy()
    assert repr(bits(twin)) == before
    twin.population += 1
    twin.history.append(generation=3)
    twin.history.settings["sigma"] = 2
    twin.schedule.sigma = 9
    twin.rng.random()
    twin.best = Best()
    assert repr(bits(state)) == before


def test_a_state_with_a_history_of_its_own_shares_the_rest():
    state = make_state()
    other = state.with_own_history()
    other.history.amend_last(best_fitness=1.0)
    assert np.isnan(state.history.last["best_fitness"])
    shared = {f.name for f in fields(State)} - {"history"}
    assert all(getattr(other, name) is getattr(state, name) for name in shared)


def test_evaluations_and_rows_count_from_the_beginning():
    state = make_state(5)
    assert (state.generation, state.evaluations, len(state.own_history)) == (4, 20.0, 5)
    state.beginning = Beginning(2, 100.0, 3.0)
    assert state.evaluations == 120.0
    assert state.own_history["generation"].tolist() == [2, 3, 4]


def test_a_continuation_begins_where_the_state_ended_and_leaves_it():
    state = make_state()
    before = repr(bits(state))
    population = state.population.astype(np.float32)
    one, two = (
        state.continued(population.copy(), n_samples=6, settings={"sigma": 2}) for _ in range(2)
    )
    assert repr(bits(one)) == repr(bits(two))
    assert one.beginning == Beginning(3, 20.0, 0.2)
    assert one.evaluations == 20.0
    assert len(one.own_history) == 0
    assert len(one.best.solution) == 0
    assert one.history.settings == {"sigma": 2}
    assert (one.schedule.n_samples, one.schedule.batch_size) == (6, 4)
    assert (one.noise_seed, one.engine_seed) != (state.noise_seed, state.engine_seed)
    one.rng.random(5)
    one.history.append(generation=3)
    one.schedule.sigma = 0
    assert repr(bits(state)) == before


# ---------------------------------------------------------------- results


VARIANTS = [
    {},
    {"mutation": "gaussian"},
    {"n_elites": 2, "crossover": "uniform"},
    {"batch_size": "full"},
]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
@pytest.mark.parametrize("n_generations", [10, 13])
def test_a_continued_result_stays_as_it_was(options, n_generations):
    first = run(n_generations=n_generations, **options)
    before = everything(first)
    one, two = run(start=first, **options), run(start=first, **options)
    assert everything(first) == before
    for name in set(COLUMNS) - {"seconds"}:
        np.testing.assert_array_equal(one.history[name], two.history[name])
    assert chromosomes(one) == chromosomes(two)
    assert [W.tobytes() for W in one.weights] == [W.tobytes() for W in two.weights]
    assert one.state.rng.bit_generator.state == two.state.rng.bit_generator.state
    assert len(one.history) == len(first.history) + 12
    for a, b in ((first, one), (first, two), (one, two)):
        assert not share_memory(a.state, b.state)
        assert a.history is not b.history
        assert a.state.rng is not b.state.rng
        assert a.state.schedule is not b.state.schedule


def test_asking_the_engine_again_leaves_the_result_as_it_was():
    first = run()
    before = everything(first)
    solution, _, index = first.ga.best_solution()
    assert everything(first) == before
    np.testing.assert_array_equal(solution, first.ga.population[index])


def test_the_engine_answers_after_a_run_with_threads():
    samples = np.random.default_rng(1).normal(size=(3000, 100))
    options = {"hidden_layer_sizes": (100,), "n_generations": 1, "random_state": 0}
    labels = (samples[:, 0] > 0).astype(int)
    answers = [evolve(samples, labels, n_jobs=n, **options).ga.best_solution() for n in (1, 2)]
    np.testing.assert_array_equal(*(fitness for _, fitness, _ in answers))


def test_a_continuation_is_of_the_same_structure():
    """Of the same number of genes is not enough."""
    first = run(hidden_layer_sizes=(3,))
    other = np.random.default_rng(0).normal(size=(40, 4))
    assert first.state.shapes == [(3, 3), (3, 3)]
    with pytest.raises(ValueError, match=r"start must have parameters of \[\(4, 2\), \(2, 5\)\]"):
        evolve(other, np.arange(40) % 5, start=first, hidden_layer_sizes=(2,))


def test_a_continuation_with_another_fitness_says_so():
    first = run()
    second = run(start=first, fitness="f1_macro")
    assert (first.history.metric, second.history.metric) == ("accuracy", "f1_macro")


def test_the_state_of_a_result_is_no_checkpoint():
    first = run()
    with pytest.raises(ValueError, match="what evolve returned; give that itself"):
        run(start=first.state)


def test_a_copy_of_a_state_knows_the_data_as_they_were():
    samples, kept = X.copy(), []

    def keep(ga, history):
        kept.append(ga.state.copy())

    options = {"hidden_layer_sizes": (4,), "target_fitness": None, "random_state": 0}
    whole = evolve(samples, Y, n_generations=5, callbacks=[keep], **options)
    samples += 1
    with pytest.raises(ValueError, match="another X"):
        evolve(samples, Y, n_generations=5, start=kept[2], **options)
    again = evolve(X, Y, n_generations=5, start=kept[2], **options)
    assert chromosomes(again) == chromosomes(whole)


def crash(ga, history):
    if history.last["generation"] >= 16:
        raise ZeroDivisionError("crash")


def test_a_result_stays_as_it_was_when_its_continuation_fails():
    first = run()
    before = everything(first)
    with pytest.raises(ZeroDivisionError, match="crash"):
        run(start=first, callbacks=[crash])
    with pytest.raises(ValueError, match="start must have shape"):
        run(start=first, hidden_layer_sizes=(5,))
    with pytest.raises(ValueError, match="start contains NaN"):
        run(start=np.full(first.population.shape, np.nan))
    assert everything(first) == before
    assert len(run(start=first).history) == len(first.history) + 12


def test_a_fit_that_fails_leaves_the_history_of_the_one_before():
    network = GeneticMLPClassifier((4,), n_generations=12, random_state=0, warm_start=True)
    network.fit(X, Y)
    held = everything(network._result)
    history = network.history_
    with pytest.raises(ZeroDivisionError, match="crash"):
        network.set_params(callbacks=[crash]).fit(X, Y)
    assert everything(network._result) == held
    assert network.history_ is history
    assert network.n_iter_ == 12
    network.set_params(callbacks=None).fit(X, Y)
    assert len(history) == 13
    assert network.n_iter_ == 24


def test_a_state_may_be_the_start_and_stays_as_it_was(tmp_path):
    path = tmp_path / "run.npz"
    run(n_generations=5, callbacks=[Checkpoint(path)])
    held, whole = load_checkpoint(path), run()
    before = repr(bits(held))
    for _ in range(2):
        again = run(start=held)
        assert chromosomes(again) == chromosomes(whole)
        assert not share_memory(again.state, held)
        assert repr(bits(held)) == before


def test_a_checkpoint_that_goes_on_in_its_own_file_is_read_once(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    run(n_generations=5, callbacks=[Checkpoint(path)])
    reads = []

    def count(*arguments):
        reads.append(arguments)
        return read_archive(*arguments)

    for module in ("checkpoint", "model", "info"):
        name = f"ga_ann.storage.{module}.read_archive"
        monkeypatch.setattr(name, count, raising=False)
    resumed = run(start=path, callbacks=[Checkpoint(path)])
    assert len(reads) == 1
    assert chromosomes(resumed) == chromosomes(run())


def test_a_continuation_with_another_fitness_says_which():
    first = run()
    second = run(start=first, fitness="neg_log_loss")
    assert (first.history.metric, second.history.metric) == ("accuracy", "neg_log_loss")
    assert second.history.last["best_fitness"] == second.best_fitness < 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: {"fitness": state.fitness[:3]},
        lambda state: {"fitness": np.empty(0)},
        lambda state: {"ranking": state.ranking[1:]},
        lambda state: {"best": state.best._replace(solution=state.best.solution[1:])},
        lambda state: {"beginning": Beginning(10**6)},
        lambda state: {"beginning": Beginning(-1)},
    ],
)
def test_a_state_whose_parts_do_not_fit_each_other_is_refused_before_any_work(damage, tmp_path):
    path = tmp_path / "run.npz"
    run(callbacks=[Checkpoint(path)])
    state = load_checkpoint(path)
    with pytest.raises(ValueError, match="state cannot be used"):
        run(start=replace(state, **damage(state)), n_generations=20)
    assert len(run(start=state, n_generations=20).history) == 21
