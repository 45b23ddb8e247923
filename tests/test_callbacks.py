"""Callbacks on histories made by hand; `test_engine` and `faults` run them for real."""

from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ga_ann.callbacks import Callback, Checkpoint, EarlyStopping, WeightMovement, as_callback
from ga_ann.evolution import evolve
from ga_ann.history import History
from ga_ann.schedule import Schedule
from ga_ann.state import Best, State
from ga_ann.storage.checkpoint import load_checkpoint


def feed(callback, values, column="validation_score"):
    history = History()
    answers = []
    for k, value in enumerate(values):
        history.append(generation=k, best_fitness=0.5, **{column: value})
        answers.append(callback.on_generation(None, history))
    return answers


def test_early_stopping_counts_from_the_last_improvement():
    answers = feed(EarlyStopping(2), [0.1, 0.2, 0.2, 0.3, 0.3, 0.25, 0.9])
    assert [bool(a) for a in answers] == [False] * 5 + [True, False]
    assert "validation_score" in answers[5]


def test_early_stopping_ignores_what_is_less_than_tol():
    assert feed(EarlyStopping(2, tol=0.1), [0.5, 0.55, 0.59])[-1]
    assert not feed(EarlyStopping(2, tol=0.01), [0.5, 0.55, 0.59])[-1]


def test_early_stopping_is_not_fooled_by_nan():
    assert [bool(a) for a in feed(EarlyStopping(2), [float("nan")] * 3)] == [False, True, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_iter_no_change": 0}, "n_iter_no_change"),
        ({"n_iter_no_change": 1, "tol": -1}, "tol"),
        ({"n_iter_no_change": 1, "column": "wit"}, "best_fitness.*got 'wit'"),
    ],
)
def test_early_stopping_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**arguments)


# ---------------------------------------------------------------- checkpoints


class Engine:
    """Stands in for a GA: counts how often it is asked for its state."""

    def __init__(self, history):
        self.population = np.zeros((2, 3))
        self.history = history
        self.n_taken = 0

    @property
    def state(self):
        self.n_taken += 1
        return State(
            population=self.population,
            fitness=np.zeros(2),
            ranking=np.zeros(2),
            best=Best(np.zeros(3)),
            shapes=[(1, 3)],
            history=self.history,
            schedule=Schedule(1.0, 2, 2, 1.0),
            rng=np.random.default_rng(0),
            noise_seed=0,
            engine_seed=0,
        )


def train(checkpoint, n_generations, clock=None, seconds=1.0):
    """Call a checkpoint as a run does; return the generations after which there was a new one."""
    history, written = History(), []
    engine = Engine(history)
    with closing(checkpoint):
        checkpoint.on_start(history)
        for k in range(n_generations + 1):
            history.append(generation=k)
            before = engine.n_taken
            checkpoint.on_generation(engine, history)
            written += [k] * (engine.n_taken - before)
            if clock is not None:
                clock.now += seconds
        before = engine.n_taken
        checkpoint.on_stop(engine, history)
        written += ["end"] * (engine.n_taken - before)
    return written


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless it is told to go on."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("ga_ann.callbacks.perf_counter", lambda: clock.now)
    return clock


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (1, [0, 1, 2, 3, 4, 5, 6, 7]),
        (3, [2, 5, "end"]),
        (4, [3, 7]),
        (100, ["end"]),
    ],
)
def test_checkpoints_every_so_many_generations(tmp_path, clock, every, expected):
    checkpoint = Checkpoint(tmp_path / "run.npz", every_generations=every, overwrite=True)
    assert train(checkpoint, 7) == expected
    assert load_checkpoint(tmp_path / "run.npz").generation == 7
    assert train(checkpoint, 7) == expected  # a second run begins anew


def test_checkpoints_every_so_many_seconds(tmp_path, clock):
    path = tmp_path / "run.npz"
    assert train(Checkpoint(path, every_seconds=3), 7, clock) == [3, 6, "end"]
    assert train(Checkpoint(path, every_seconds=0.5, overwrite=True), 3, clock) == [1, 2, 3]
    both = Checkpoint(path, every_seconds=3, every_generations=2, overwrite=True)
    assert train(both, 7, clock) == [1, 3, 5, 7]


def test_checkpoints_take_one_percent_by_default(tmp_path, clock, monkeypatch):
    """A writing of 0.05 seconds is followed by 5 without one."""

    def save(path, state):
        clock.now += 0.05

    monkeypatch.setattr("ga_ann.callbacks.save_checkpoint", save)
    written = train(Checkpoint(tmp_path / "run.npz"), 1000, clock, seconds=0.25)
    generations = np.array(written[:-1] if written[-1] == "end" else written)
    assert len(generations) == pytest.approx(1000 * 0.25 / 5, rel=0.1)
    assert set(np.diff(generations)) <= {20, 21}


def test_a_checkpoint_that_fails_is_told_once_and_tried_again(tmp_path, clock, monkeypatch):
    def fail(path, state):
        raise OSError(28, "No space left on device", str(path))

    checkpoint = Checkpoint(tmp_path / "run.npz", every_generations=2)
    monkeypatch.setattr("ga_ann.callbacks.save_checkpoint", fail)
    with pytest.warns(RuntimeWarning) as told:
        written = train(checkpoint, 4)
    assert written == [1, 2, 3, 4, "end"]  # due since generation 1, and not done
    assert len(told) == 1
    assert "No space left" in str(told[0].message)
    assert "the run goes on" in str(told[0].message)
    assert not (tmp_path / "run.npz").exists()


def test_a_checkpoint_is_the_only_one(tmp_path):
    path = tmp_path / "run.npz"
    history, first, second = History(), Checkpoint(path), Checkpoint(str(path))
    first.on_start(history)
    with pytest.raises(OSError, match=r"another run writes its checkpoints to .*run\.npz; choose"):
        second.on_start(history)
    second.close()  # one that never had the file lets go of nothing
    with pytest.raises(OSError, match="another run writes"):
        second.on_start(history)
    first.close()
    second.on_start(history)
    second.close()
    with pytest.raises(FileNotFoundError):
        Checkpoint(tmp_path / "missing" / "run.npz").on_start(history)


def test_a_file_that_is_no_checkpoint_is_not_overwritten(tmp_path):
    path = tmp_path / "run.npz"
    path.write_text("a letter")
    with pytest.raises(ValueError, match="no file of this package and would be overwritten"):
        Checkpoint(path).on_start(History())
    assert path.read_text() == "a letter"


def test_the_checkpoint_of_another_run_is_replaced_only_if_one_says_so(tmp_path):
    """Whatever the other run has in common with this one: here all but the time that it took."""
    path = tmp_path / "run.npz"
    run(Checkpoint(path), n_generations=3)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.npz is the checkpoint of another run .*overwrite="):
        run(Checkpoint(path), n_generations=3)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]
    run(Checkpoint(path, overwrite=True), n_generations=2)
    assert load_checkpoint(path).generation == 2


def test_a_run_replaces_what_it_has_behind_it_and_nothing_that_it_has_not(tmp_path):
    early, late, path = (tmp_path / f"{name}.npz" for name in ("early", "late", "run"))
    run(Checkpoint(early), n_generations=3)
    run(Checkpoint(late), n_generations=6, start=early)
    path.write_bytes(early.read_bytes())
    run(Checkpoint(path), n_generations=8, start=late)
    assert load_checkpoint(path).generation == 8
    with pytest.raises(ValueError, match="another run"):  # it would lose three generations
        run(Checkpoint(late), n_generations=9, start=early)
    assert load_checkpoint(late).generation == 6
    late.write_bytes(late.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"late\.npz"):
        run(Checkpoint(late), n_generations=9, start=early)


@pytest.mark.parametrize("n_generations", [3, 10, 13])  # within and at a check of the best
def test_a_run_that_continues_another_replaces_the_checkpoints_that_it_has_behind_it(
    tmp_path, n_generations
):
    path, copy, other = (tmp_path / f"{name}.npz" for name in ("run", "copy", "other"))
    first = run(Checkpoint(path), n_generations=n_generations)
    run(Checkpoint(other), n_generations=n_generations)
    copy.write_bytes(path.read_bytes())
    before = other.read_bytes()
    checkpoint = Checkpoint(path)
    second = run(checkpoint, n_generations=4, start=first)
    assert load_checkpoint(path).generation == second.state.generation == n_generations + 4
    run(Checkpoint(copy), n_generations=6, start=path)  # the second one, resumed
    assert load_checkpoint(copy).generation == n_generations + 6
    with pytest.raises(ValueError, match=r"other\.npz is the checkpoint of another run"):
        run(Checkpoint(other), n_generations=4, start=first)
    with pytest.raises(ValueError, match=r"run\.npz is the checkpoint of another run"):
        run(checkpoint, n_generations=n_generations)  # nothing of the last run is left in it
    assert other.read_bytes() == before


@pytest.mark.parametrize("resumed", [False, True])
def test_early_stopping_counts_the_generations_of_its_own_run(tmp_path, resumed):
    """What a run continues is told to `on_continue`, and not to `on_start`."""
    told = []

    class Tell(Callback):
        def on_continue(self, history):
            told.append(len(history))

        def on_start(self, history):
            told.append(len(history))

    first = run(Tell(), n_generations=5)
    assert told == [0]
    run(Tell(), Checkpoint(tmp_path / "run.npz"), n_generations=3, start=first)
    if resumed:
        run(Tell(), n_generations=8, start=tmp_path / "run.npz")
    assert told == [0, 6, 0] + [9, 3] * resumed


def test_a_run_that_ended_well_leaves_its_checkpoint_alone(tmp_path):
    path = tmp_path / "run.npz"
    seen = set()
    look = lambda ga, history: seen.update(path.name for path in tmp_path.iterdir())  # noqa: E731
    run(Checkpoint(path, every_generations=1), look, n_generations=3)
    assert seen == {"run.npz", "run.npz.lock", "run.npz.previous"}
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]
    run(Checkpoint(path), n_generations=3, start=path)  # nothing is left to do
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


def test_a_run_that_broke_keeps_the_file_before(tmp_path):
    def breaks(ga, history):
        if len(history) == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(Checkpoint(tmp_path / "run.npz", every_generations=1), breaks, n_generations=9)
    assert {path.name for path in tmp_path.iterdir()} == {"run.npz", "run.npz.previous"}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"every_generations": 0}, ValueError, "every_generations must be >= 1, got 0"),
        ({"every_generations": 1.5}, TypeError, "every_generations must be an integer"),
        ({"every_seconds": 0}, ValueError, "every_seconds must be > 0"),
        ({"every_seconds": float("nan")}, ValueError, "every_seconds must be finite"),
    ],
)
def test_checkpoint_refuses(options, error, message):
    with pytest.raises(error, match=message):
        Checkpoint("run.npz", **options)


@pytest.mark.parametrize("n_before", range(7))
def test_early_stopping_catches_up(n_before):
    values = [0.1, 0.2, 0.2, 0.3, 0.3, 0.25]
    whole = feed(EarlyStopping(2), values)
    history = History()
    for value in values[:n_before]:
        history.append(validation_score=value)
    late = EarlyStopping(2)
    assert late.on_start(history) == (whole[n_before - 1] if n_before else None)
    answers = []
    for value in values[n_before:]:
        history.append(validation_score=value)
        answers.append(late.on_generation(None, history))
    assert answers == whole[n_before:]
    assert late.on_start(History()) is None  # a second run begins anew
    assert late.on_generation(None, history) is None


# ---------------------------------------------------------------- the hooks


class Note(Callback):
    """Notes which of its hooks was called, and breaks in one of them."""

    def __init__(self, name, calls, breaks_in=None):
        self.name, self.calls, self.breaks_in = name, calls, breaks_in

    def _note(self, hook):
        self.calls.append((self.name, hook))
        if hook == self.breaks_in:
            raise ZeroDivisionError(hook)

    def on_start(self, history):
        assert len(history) == 0
        self._note("on_start")

    def on_generation(self, ga, history):
        self._note("on_generation")

    def on_stop(self, ga, history):
        self._note("on_stop")

    def close(self):
        self._note("close")


def run(*callbacks, n_generations=1, **options):
    X = np.random.default_rng(0).normal(size=(20, 2))
    return evolve(
        X,
        np.arange(20) % 2,
        hidden_layer_sizes=(),
        n_generations=n_generations,
        target_fitness=None,
        random_state=0,
        callbacks=callbacks,
        **options,
    )


def test_hooks_are_called_in_order_and_closed_in_reverse():
    calls = []
    run(Note("a", calls), Note("b", calls))
    hooks = ["on_start", "on_generation", "on_generation", "on_stop"]
    assert calls == [(name, hook) for hook in hooks for name in "ab"] + [
        ("b", "close"),
        ("a", "close"),
    ]


@pytest.mark.parametrize("hook", ["on_start", "on_generation", "on_stop"])
def test_whatever_breaks_those_that_were_started_are_closed(hook):
    calls = []
    with pytest.raises(ZeroDivisionError, match=hook):
        run(Note("a", calls), Note("b", calls, breaks_in=hook), Note("c", calls))
    closed = [name for name, called in calls if called == "close"]
    # The one whose own start failed is closed too; those behind it were never started.
    assert closed == (["b", "a"] if hook == "on_start" else ["c", "b", "a"])
    assert ("c", "on_start") not in calls or hook != "on_start"


def test_one_that_breaks_while_closing_keeps_nobody_else_open():
    calls = []
    with pytest.raises(ZeroDivisionError, match="close"):
        run(Note("a", calls), Note("b", calls, breaks_in="close"))
    assert calls[-2:] == [("b", "close"), ("a", "close")]


def test_a_callback_that_keeps_to_the_defaults_does_nothing():
    plain, watched = run(), run(Callback())
    assert (plain.population == watched.population).all()


def test_functions_are_callbacks_and_callbacks_stay_what_they_are():
    note = Note("a", [])
    assert as_callback(note) is note
    function = as_callback(lambda ga, history: (ga, history))
    assert isinstance(function, Callback)
    assert function.on_generation(1, 2) == (1, 2)
    assert function.on_start(History()) is None


@pytest.mark.parametrize("given", [EarlyStopping, Callback, 5, None, "stop"])
def test_what_is_neither_is_refused_before_any_work(given):
    with pytest.raises(
        TypeError, match=r"callbacks must be Callbacks or functions f\(ga, history\)"
    ):
        as_callback(given)
    calls = []
    with pytest.raises(TypeError, match="callbacks must be Callbacks"):
        run(Note("a", calls), given)
    assert calls == []


class Means(Callback):
    """Keeps a copy of what all solutions are mutations of."""

    def __init__(self):
        self.means = []

    def on_generation(self, ga, history):
        self.means.append(ga.state.population.mean.copy())


@pytest.mark.parametrize("every", [1, 4])
def test_movement_is_the_distance_of_each_layer_from_the_first_mean(iris_run, every):
    means, movement = Means(), WeightMovement(every)
    for _ in range(2):  # a callback may be used again
        means.means.clear()
        moved = iris_run(callbacks=[means, movement]).history.movement
    noted = ~np.isnan(moved).any(axis=1)
    expected = [k < every or k % every == 0 or k == 10 for k in range(11)]
    assert noted.tolist() == expected
    steps = np.array(means.means) - means.means[0]
    assert steps[-1].any()
    # Weights of a layer lie side by side in a chromosome: 4 x 3, then 3 x 3; biases behind them.
    shapes = [W.shape for W in iris_run().weights]
    n_hidden = sum(int(np.prod(shape)) for shape in shapes if shape[-1:] == (5,))
    layers = [steps[:, :n_hidden], steps[:, n_hidden:]]
    distances = np.column_stack([np.sqrt((part**2).mean(axis=1)) for part in layers])
    np.testing.assert_allclose(moved[noted], distances[noted], rtol=1e-5)


def test_movement_changes_nothing_of_the_run(iris_run):
    with_it, without = iris_run(callbacks=[WeightMovement()]), iris_run()
    assert without.history.movement is None
    for a, b in zip(with_it.weights, without.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    for name in ("best_fitness", "ranking", "sigma"):
        np.testing.assert_array_equal(with_it.history[name], without.history[name])


def test_movement_begins_anew_where_a_run_was_resumed(iris_run, tmp_path):
    path = tmp_path / "run.npz"
    iris_run(callbacks=[WeightMovement(), Checkpoint(path)], n_generations=5)
    before = load_checkpoint(path).history.movement
    moved = iris_run(callbacks=[WeightMovement()], start=path).history.movement
    assert (before[-1] > 0).all()
    np.testing.assert_array_equal(moved[: len(before)], before)
    assert moved[len(before)].tolist() == [0, 0]
    assert (len(moved), len(before)) == (11, 6)
    assert (moved[-1] > 0).all()


def test_a_run_that_goes_on_leaves_the_movement_of_the_one_before(iris_run):
    first = iris_run(callbacks=[WeightMovement()], n_generations=5)
    before = first.history.movement.copy()
    then = iris_run(callbacks=[WeightMovement()], start=first, n_generations=5).history
    np.testing.assert_array_equal(first.history.movement, before)
    assert len(then.movement) == len(then)


@pytest.fixture
def iris_run():
    X, y = load_iris(return_X_y=True)

    def run(**options):
        start = {"n_generations": 10, "target_fitness": None, "random_state": 0}
        return evolve(X, y, hidden_layer_sizes=(5,), **(start | options))

    return run


@pytest.mark.parametrize("every", [0, -1])
def test_movement_refuses_no_generations(every):
    with pytest.raises(ValueError, match="every_generations"):
        WeightMovement(every)
