"""A run's books on a population made by hand; `test_evolve` and `faults` run them for real."""

import numpy as np
import pytest

from ga_ann.callbacks import Callback, as_callback
from ga_ann.evolution.breeding import Breeder
from ga_ann.evolution.data import TrainingData
from ga_ann.evolution.evaluation import Measurement
from ga_ann.evolution.problem import Problem
from ga_ann.evolution.recipe import Recipe
from ga_ann.evolution.run import CHECK_EVERY, Limits, Run, without_nan
from ga_ann.history import History
from ga_ann.schedule import Schedule
from ga_ann.state import Beginning, State
from tests.runs import evolve

N_SAMPLES = 100


class FirstGene:
    """Stands in for an Evaluator: a solution is worth its first gene, and ranks by its second."""

    is_slow = False
    failure = None

    def __init__(self):
        self.X = np.zeros((N_SAMPLES, 2))
        self.calls = []

    def __call__(self, population, samples=None, *, ranking_only=False):
        self.calls.append((samples, ranking_only))
        fitness = population[:, 0].astype(float)
        return Measurement(fitness * np.nan if ranking_only else fitness, population[:, 1] * 1.0)


def make_run(evaluate=None, validate=None, *, batch_size=N_SAMPLES, is_interrupted=False, **given):
    data = TrainingData.check(
        np.zeros((N_SAMPLES, 2)),
        np.arange(N_SAMPLES) % 2,
        task="classification",
        classes=None,
        sample_weight=None,
    )
    recipe = Recipe(crossover="uniform", population_size=4, n_parents=2)
    state = State(
        population=np.empty((0, 2)),
        shapes=[(2, 1)],
        history=History(),
        schedule=Schedule(1.0, batch_size, N_SAMPLES, 0.5),
        rng=np.random.default_rng(0),
        noise_seed=0,
        engine_seed=0,
    )
    problem = Problem(data, recipe)
    return Run(
        state,
        problem,
        Limits(**{"n_generations": 100, "tol": 0.0} | given),
        evaluate or FirstGene(),
        validate,
        breeder=Breeder.of(problem, state),
        is_interrupted=lambda: is_interrupted,
    )


def record(run, *solutions, ga=None):
    """Measure a generation and note it, as the engine does."""
    measure(run, *solutions)
    return run.record(ga)


def measure(run, *solutions):
    state = run.state
    state.population = np.array(solutions, dtype=np.float32)
    fitness, state.ranking = run.measure(state.population)
    state.fitness = without_nan(fitness)


def essence(state):
    """Return what of a state a run changes."""
    return {
        "best": (state.best.solution.tolist(), *state.best[1:]),
        "rows": str(list(state.history)),
        "schedule": vars(state.schedule).copy(),
        "rng": state.rng.bit_generator.state,
        "n_evaluated": state.n_evaluated,
        "best_ranking": state.best_ranking,
    }


def test_nan_becomes_what_pygad_can_sort():
    given = np.array([0.5, np.nan, -np.inf, np.inf])
    np.testing.assert_array_equal(without_nan(given), [0.5, -np.inf, -np.inf, np.inf])
    assert np.isnan(given[1])


@pytest.mark.parametrize("batch_size", [7, N_SAMPLES])
def test_a_generation_is_measured_on_a_batch_or_on_all(batch_size):
    run = make_run(batch_size=batch_size)
    run.measure(np.zeros((4, 2)))
    samples, ranking_only = run.evaluate.calls[0]
    assert not ranking_only
    assert run.state.measured_on_all == (batch_size == N_SAMPLES)
    if batch_size < N_SAMPLES:
        np.testing.assert_array_equal(samples, np.random.default_rng(0).integers(100, size=7))


def test_slow_metrics_wait_for_a_check():
    run = make_run()
    run.evaluate.is_slow = True
    for k in range(2 * CHECK_EVERY + 1):
        record(run, (0.5, 0.5), (0.25, 1))
        assert run.evaluate.calls[-1][1] == (k % CHECK_EVERY != 0)
    assert np.isnan(run.state.history["mean_fitness"]).sum() == 2 * CHECK_EVERY - 2


def test_the_best_is_of_highest_fitness_and_among_equals_of_highest_rank():
    run = make_run()
    generations = [
        [(0.5, 3), (0.5, 4), (0.25, 9)],
        [(0.5, 3.5), (0.25, 10), (0.0, 11)],
        [(0.75, 0), (0.5, 12), (0.0, 0)],
    ]
    best = []
    for solutions in generations:
        record(run, *solutions)
        best.append(tuple(run.state.best.solution.tolist()))
    assert best == [(0.5, 4), (0.5, 4), (0.75, 0)]
    assert run.state.history["best_fitness"].tolist() == [0.5, 0.5, 0.75]


def test_failures_are_counted_and_left_out_of_the_mean():
    run = make_run()
    record(run, (np.nan, 1), (0.5, 1), (0.25, 1), (np.nan, np.nan))
    assert run.state.history.last["n_invalid"] == 2
    assert run.state.history.last["mean_fitness"] == 0.375
    record(run, (np.nan, np.nan), (np.nan, np.nan))
    assert run.state.history.last["n_invalid"] == 2
    assert run.state.history.last["best_fitness"] == 0.5
    assert np.isnan(run.state.history.last["mean_fitness"])


@pytest.mark.parametrize("failure", [None, "ValueError: why"])
def test_a_run_that_can_measure_nothing_ends_at_once(failure):
    run = make_run()
    run.evaluate.failure = failure
    with pytest.raises(ValueError, match=f"finite for no solution of .*{failure or 'infinite'}"):
        record(run, (np.nan, np.nan), (np.nan, np.nan))
    assert len(run.state.history) == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"target_fitness": 0.5}, "target_fitness"),
        ({"target_fitness": 0.6}, None),
        ({"n_generations": 1}, None),
        ({"n_generations": 0}, "n_generations"),
        ({"max_time": 1e-9}, "max_time"),
        ({"max_time": 1e9}, None),
        ({"max_evaluations": 8}, "max_evaluations"),
        ({"max_evaluations": 9}, None),
        ({"is_interrupted": True}, "interrupted"),
        ({"is_interrupted": True, "target_fitness": 0.5}, "target_fitness"),
    ],
)
def test_limits(options, expected):
    run = make_run(**options)
    answer = record(run, *[(0.5, 1)] * 4)  # 4 evaluations; 4 and 1 to come
    assert run.limit_reached() == expected
    assert answer == (None if expected is None else "stop")
    assert run.stop_reason == (expected or "n_generations")


def test_callbacks_end_a_run_and_are_told_that_it_has_ended():
    class Watcher(Callback):
        def __init__(self, answer):
            self.answer, self.n_stops = answer, 0

        def on_generation(self, ga, history):
            return self.answer

        def on_stop(self, ga, history):
            self.n_stops += 1

    for answer, reason in (("tired", "tired"), (True, "callback"), (None, None), (False, None)):
        run, watcher = make_run(), Watcher(answer)
        run.callbacks = [watcher, as_callback(lambda ga, history: None)]
        assert record(run, (0.5, 1)) == (None if reason is None else "stop")
        assert watcher.n_stops == (reason is not None)
        assert run.stop_reason == (reason or "n_generations")


def test_callbacks_are_given_the_engine_and_the_history():
    seen, engine = [], object()
    run = make_run()
    run.callbacks = [as_callback(lambda ga, history: seen.append((ga, history)))]
    record(run, (0.5, 1), ga=engine)
    assert seen == [(engine, run.state.history)]


def test_keyboard_interrupt_leaves_no_half_of_a_best():
    def interrupt(population):
        if population[0, 0] == 1:
            raise KeyboardInterrupt
        return Measurement(population[:, 0] / 2, population[:, 1])

    for early_stopping in (False, True):
        run = make_run(validate=interrupt, early_stopping=early_stopping)
        record(run, (0.5, 0))
        before = essence(run.state)
        assert before["best"] == ([0.5, 0.0], 0.5, 0.0, 0.25)
        with pytest.raises(KeyboardInterrupt):
            run.keep_better(np.array([1.0, 0.0]), Measurement(np.ones(1), np.ones(1)))
        assert essence(run.state) == before


def test_the_best_is_a_copy():
    run = make_run()
    record(run, (0.5, 1))
    run.state.population[:] = 7
    assert run.state.best.solution.tolist() == [0.5, 1]


def test_the_last_generation_is_looked_at_as_a_check_would():
    """On a batch, nobody knows the best between the checks; the end asks once more."""
    run = make_run(batch_size=10)
    record(run, (0.5, 1), (0.25, 2))
    record(run, (0.625, 3), (0.75, 2))
    assert run.state.history.last["best_fitness"] == 0.25
    before = essence(run.state)
    end = run.conclude()
    assert end.history.last["best_fitness"] == end.best.fitness == 0.625
    assert end.history.last["evaluations"] == end.evaluations == before["n_evaluated"] + 1
    assert end.history.last["generation"] == 1
    # Neither the run's own state nor what a checkpoint of it would hold has changed.
    assert essence(run.state) == before
    assert essence(end)["schedule"] == before["schedule"]
    assert essence(end)["rng"] == before["rng"]


def test_nothing_is_new_after_a_check():
    run = make_run(batch_size=10)
    record(run, (0.5, 1), (0.25, 2))
    before = essence(run.state)
    assert run.conclude() is run.state
    assert essence(run.state) == before


@pytest.mark.parametrize("n_rows", [0, 1, 15])
def test_generations_and_evaluations_count_from_where_the_run_began(n_rows):
    run = make_run(n_generations=3, max_evaluations=1000)
    for generation in range(n_rows):
        run.state.history.append(generation=generation)
    run.state.beginning = Beginning(n_rows, 5000.0, 9.0)
    assert run.last_generation == max(0, n_rows - 1) + 3
    measure(run, *[(0.5, 1)] * 4)
    assert run.state.n_evaluated == 4
    assert run.state.evaluations == 5004
    assert run.limit_reached() is None


@pytest.mark.parametrize("n_generations", [10, 13])
def test_what_the_last_row_says_is_what_is_returned(n_generations):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 5)), rng.integers(3, size=400)
    held_out = (X[300:], y[300:])
    result = evolve(
        X[:300], y[:300], hidden_layer_sizes=(4,), n_generations=n_generations, random_state=0,
        validation_data=held_out, batch_size=16,
    )  # fmt: skip
    last = result.history.last
    assert last["best_fitness"] == np.mean(result.predict(X[:300]) == y[:300])
    assert last["validation_score"] == np.mean(result.predict(X[300:]) == y[300:])
    assert last["best_fitness"] == result.best_fitness
