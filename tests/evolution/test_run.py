"""A run's books on a population made by hand; `test_evolution` and `faults` run them for real."""

import json
from dataclasses import asdict, fields
from types import SimpleNamespace

import numpy as np
import pytest

from ga_ann.evolution.evaluation import Measurement
from ga_ann.evolution.recipe import Settings
from ga_ann.evolution.run import CHECK_EVERY, Run, as_generator_state, without_nan
from ga_ann.history import History
from ga_ann.schedule import Schedule
from ga_ann.storage.archive import to_json
from tests.runs import evolve

N_SAMPLES = 100


class FirstGene:
    """Stands in for an Evaluator: a solution is worth its first gene, and ranks by its second."""

    is_slow = False
    failure = None

    def __init__(self):
        self.X = np.zeros((N_SAMPLES, 2))
        self.n_evaluated = 0.0
        self.calls = []

    def __call__(self, population, samples=None, *, ranking_only=False):
        self.calls.append((samples, ranking_only))
        share = 1 if samples is None else len(samples) / N_SAMPLES
        self.n_evaluated += len(population) * share
        fitness = population[:, 0].astype(float)
        return Measurement(fitness * np.nan if ranking_only else fitness, population[:, 1] * 1.0)


def make_run(evaluate=None, validate=None, *, batch_size=N_SAMPLES, is_interrupted=False, **given):
    options = dict.fromkeys(field.name for field in fields(Settings)) | {
        "hidden_layer_sizes": (2,), "bias": False, "fitness": "accuracy", "n_generations": 100,
        "early_stopping": False, "tol": 0.0, "crossover": "uniform", "population_size": 4,
        "n_parents": 2,
    }  # fmt: skip
    settings = Settings.from_recipe("default", **options | given)
    return Run(
        settings,
        evaluate or FirstGene(),
        validate,
        history=History(settings=asdict(settings)),
        callbacks=[],
        schedule=Schedule(1.0, batch_size, N_SAMPLES, 0.5),
        rng=np.random.default_rng(0),
        last_generation=settings.n_generations,
        is_interrupted=lambda: is_interrupted,
    )


def generation_of(run, *solutions):
    """Return what a GA shows of a generation after it was measured."""
    population = np.array(solutions, dtype=np.float32)
    fitness, ranking = run.measure(population)
    return SimpleNamespace(
        population=population, last_generation_fitness=without_nan(fitness), ranking=ranking
    )


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
    assert run.measured_on_all == (batch_size == N_SAMPLES)
    if batch_size < N_SAMPLES:
        np.testing.assert_array_equal(samples, np.random.default_rng(0).integers(100, size=7))


def test_slow_metrics_wait_for_a_check():
    run = make_run()
    run.evaluate.is_slow = True
    for k in range(2 * CHECK_EVERY + 1):
        run.record(generation_of(run, (0.5, 0.5), (0.25, 1)))
        assert run.evaluate.calls[-1][1] == (k % CHECK_EVERY != 0)
    assert np.isnan(run.history["mean_fitness"]).sum() == 2 * CHECK_EVERY - 2


def test_the_best_is_of_highest_fitness_and_among_equals_of_highest_rank():
    run = make_run()
    generations = [
        [(0.5, 3), (0.5, 4), (0.25, 9)],
        [(0.5, 3.5), (0.25, 10), (0.0, 11)],
        [(0.75, 0), (0.5, 12), (0.0, 0)],
    ]
    best = []
    for solutions in generations:
        run.record(generation_of(run, *solutions))
        best.append(tuple(run.best.tolist()))
    assert best == [(0.5, 4), (0.5, 4), (0.75, 0)]
    assert run.history["best_fitness"].tolist() == [0.5, 0.5, 0.75]


def test_failures_are_counted_and_left_out_of_the_mean():
    run = make_run()
    run.record(generation_of(run, (np.nan, 1), (0.5, 1), (0.25, 1), (np.nan, np.nan)))
    assert run.history.last["n_invalid"] == 2
    assert run.history.last["mean_fitness"] == 0.375
    run.record(generation_of(run, (np.nan, np.nan), (np.nan, np.nan)))
    assert run.history.last["n_invalid"] == 2
    assert run.history.last["best_fitness"] == 0.5
    assert np.isnan(run.history.last["mean_fitness"])


@pytest.mark.parametrize("failure", [None, "ValueError: why"])
def test_a_run_that_can_measure_nothing_ends_at_once(failure):
    run = make_run()
    run.evaluate.failure = failure
    with pytest.raises(ValueError, match=f"finite for no solution of .*{failure or 'infinite'}"):
        run.record(generation_of(run, (np.nan, np.nan), (np.nan, np.nan)))
    assert len(run.history) == 0


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
    answer = run.record(generation_of(run, *[(0.5, 1)] * 4))  # 4 evaluations; 4 and 1 to come
    assert run.limit_reached() == expected
    assert answer == (None if expected is None else "stop")
    assert run.stop_reason == (expected or "n_generations")


def test_callbacks_end_a_run_and_are_told_that_it_has_ended():
    class Callback:
        def __init__(self, answer):
            self.answer, self.finished = answer, 0

        def __call__(self, ga, history):
            return self.answer

        def finish(self, ga, history):
            self.finished += 1

    for answer, reason in (("tired", "tired"), (True, "callback"), (None, None), (False, None)):
        run, callback = make_run(), Callback(answer)
        run.callbacks = [callback, lambda ga, history: None]
        stop = run.record(generation_of(run, (0.5, 1)))
        assert stop == (None if reason is None else "stop")
        assert callback.finished == (reason is not None)
        assert run.stop_reason == (reason or "n_generations")


def test_keyboard_interrupt_leaves_no_half_of_a_best():
    def interrupt(population):
        if population[0, 0] == 1:
            raise KeyboardInterrupt
        return Measurement(population[:, 0] / 2, population[:, 1])

    for early_stopping in (False, True):
        run = make_run(validate=interrupt, early_stopping=early_stopping)
        run.record(generation_of(run, (0.5, 0)))
        before = (run.best.tolist(), run.best_fitness, run.validation_score, run.state())
        assert before[:3] == ([0.5, 0.0], 0.5, 0.25)
        with pytest.raises(KeyboardInterrupt):
            run.keep_better(np.array([1.0, 0.0]), Measurement(np.ones(1), np.ones(1)))
        assert (run.best.tolist(), run.best_fitness, run.validation_score, run.state()) == before


def test_the_last_generation_is_looked_at_as_a_check_would():
    """On a batch, nobody knows the best between the checks; the end asks once more."""
    run = make_run(batch_size=10)
    run.record(generation_of(run, (0.5, 1), (0.25, 2)))
    last = generation_of(run, (0.625, 3), (0.75, 2))
    run.record(last)
    assert run.history.last["best_fitness"] == 0.25
    state = run.state()
    run.check_last(last)
    assert run.history.last["best_fitness"] == run.best_fitness == 0.625
    assert run.history.last["evaluations"] == run.evaluate.n_evaluated
    assert run.history.last["generation"] == 1
    assert run.state()["schedule"] == state["schedule"]
    assert run.state()["rng"] == state["rng"]


def test_nothing_is_new_after_a_check():
    run = make_run(batch_size=10)
    generation = generation_of(run, (0.5, 1), (0.25, 2))
    run.record(generation)
    before = (str(run.history.last), run.evaluate.n_evaluated)
    run.check_last(generation)
    assert (str(run.history.last), run.evaluate.n_evaluated) == before


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


def test_the_state_goes_through_json_and_back():
    run = make_run(batch_size=10)
    for k in range(5):
        run.record(generation_of(run, (0.5 + k, 1), (0.25, 2 + k)))
    state = json.loads(json.dumps(run.state(), default=to_json))
    other = make_run(batch_size=10)
    other.restore(SimpleNamespace(state=state, best=run.best))
    again = other.state()
    for name in ("rng", "best_key", "best_fitness", "ranking", "n_evaluated", "measured_on_all"):
        assert again[name] == state[name]
    assert other.best is run.best
    assert other.rng.integers(2**60) == run.rng.integers(2**60)


def test_a_callback_may_say_that_the_run_had_ended():
    run, state = make_run(), make_run().state()
    caught_up = []
    run.callbacks = [
        lambda ga, history: None,
        SimpleNamespace(catch_up=lambda history: caught_up.append(history)),
        SimpleNamespace(catch_up=lambda history: "it had ended"),
    ]
    assert run.verdict is None
    run.restore(SimpleNamespace(state=state, best=np.zeros(2)))
    assert caught_up == [run.history]
    assert run.verdict == "it had ended"


@pytest.mark.parametrize("name", ["rng", "best_key", "ranking", "n_evaluated", "first_second"])
@pytest.mark.parametrize("value", ["high", [None], {}])
def test_a_state_that_cannot_be_is_refused(name, value):
    run = make_run()
    for state in (run.state() | {name: value}, {k: v for k, v in run.state().items() if k != name}):
        if (name, value) == ("best_key", {}) and name in state:
            continue  # no items, as of a run without a best
        with pytest.raises(ValueError, match="the checkpoint's state cannot be used"):
            run.restore(SimpleNamespace(state=state, best=np.zeros(2)))


def test_lists_in_a_generators_state_become_arrays():
    state = np.random.Philox(3).state
    plain = json.loads(json.dumps(state, default=to_json))
    back = as_generator_state(plain)
    np.testing.assert_equal(back, state)
    assert back["state"]["counter"].dtype == np.uint64
