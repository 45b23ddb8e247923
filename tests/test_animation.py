from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import make_classification

from ga_ann import animation
from ga_ann.animation import Snapshots, animate, save_animation
from ga_ann.history import History
from ga_ann.inspection import Snapshot, plot_population, take_snapshot
from ga_ann.low_rank import LowRankPopulation
from tests.runs import evolve

mpl.use("Agg")

DATA = make_classification(90, 6, n_informative=4, random_state=0)
KINDS = {"low rank": {"rank": 2, "bias": True}, "dense": {"recipe": "classic"}}


@pytest.fixture(autouse=True)
def clean_pyplot(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("show() was called"))
    yield
    plt.close("all")


def run(*callbacks, **options):
    options = {"n_generations": 6, "target_fitness": None, "random_state": 0} | options
    X, y = DATA
    return evolve(
        X[:60],
        y[:60],
        hidden_layer_sizes=(5,),
        validation_data=(X[60:], y[60:]),
        callbacks=callbacks,
        **options,
    )


@pytest.fixture(scope="module")
def watched():
    snapshots = Snapshots(every=2)
    return snapshots, run(snapshots, recipe="classic", n_generations=9)


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


class TestSnapshots:
    @pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
    def test_they_are_those_of_the_states_and_change_nothing(self, options):
        snapshots, seen = Snapshots(), []
        watched = run(
            snapshots, lambda ga, history: seen.append(take_snapshot(ga.state)), **options
        )
        plain = run(**options)
        np.testing.assert_array_equal(watched.population, plain.population)
        np.testing.assert_array_equal(watched.state.ranking, plain.state.ranking)
        assert len(snapshots) == len(seen) == 7
        assert all(same(*pair) for pair in zip(snapshots, seen, strict=True))
        assert [snapshot.generation for snapshot in snapshots] == list(range(7))
        assert same(snapshots[-1], take_snapshot(watched.state))

    @given(
        every=st.integers(1, 7),
        most=st.integers(2, 9),
        n=st.integers(0, 300),
        empty=st.sets(st.integers(0, 300), max_size=40),
    )
    def test_they_are_evenly_spread_with_the_first_and_the_last(self, every, most, n, empty):
        taken = []

        def take(state, most_solutions):
            taken.append(state.generation)
            if state.generation in empty:
                raise ValueError("nothing to see")
            return Snapshot(state.generation, None, None, 0.0, True)

        snapshots = Snapshots(every, most=most)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(animation, "take_snapshot", take)
            for generation in range(n + 1):
                ga = SimpleNamespace(state=SimpleNamespace(generation=generation))
                snapshots.on_generation(ga, None)
                assert len(snapshots) <= most
            snapshots.on_stop(ga, None)
        held = [snapshot.generation for snapshot in snapshots]
        # The smallest step, of those that are doubled again and again, with which all is kept.
        steps = [every * 2**k for k in range(12)]
        kept = [[g for g in range(0, n + 1, step) if g not in empty] for step in steps]
        expected = next(generations for generations in kept if len(generations) <= most)
        last = [n] if n not in expected and n not in empty else []
        assert held == expected + last
        if not empty:
            assert len(taken) <= most * (2 + np.log2(1 + n / every / most))

    def test_another_run_begins_anew_and_one_that_goes_on_counts_on(self):
        snapshots = Snapshots()
        first = run(snapshots)
        held = list(snapshots)
        run(snapshots)
        assert len(snapshots) == 7
        assert all(same(*pair) for pair in zip(snapshots, held, strict=True))
        run(snapshots, start=first, n_generations=3)
        assert [snapshot.generation for snapshot in snapshots] == [7, 8, 9]

    @pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
    def test_of_a_large_population_some_solutions_stand_for_all(self, options, monkeypatch):
        state = run(**options, population_size=40).state
        monkeypatch.setattr(animation, "MOST_SOLUTIONS", 14)
        snapshots = Snapshots()
        snapshots.on_generation(SimpleNamespace(state=state), state.history)
        (snapshot,) = snapshots
        np.testing.assert_array_equal(snapshot.ranks, 1 + 3 * np.arange(14))
        # The distances between the dots are those of the chromosomes, seen in two directions.
        population = state.population
        chromosomes = np.asarray(population, dtype=float)
        is_low_rank = isinstance(population, LowRankPopulation)
        mean = population.mean if is_low_rank else chromosomes.mean(axis=0)
        order = np.argsort(-state.ranking, kind="stable")[::3]
        Z = (chromosomes - mean)[order]
        directions, _, rank, _ = np.linalg.lstsq(Z, snapshot.points, rcond=None)
        assert rank == 14
        np.testing.assert_allclose(directions.T @ directions, np.eye(2), atol=1e-3)

    def test_generations_of_which_there_is_nothing_to_see_end_no_run(self):
        state = run().state
        snapshots = Snapshots()
        ranking = state.ranking
        for wrong in (np.full(len(ranking), np.nan), ranking[:3]):
            state.ranking = wrong
            snapshots.on_generation(SimpleNamespace(state=state), state.history)
        state.ranking = ranking
        state.population = np.full((len(ranking), 4), np.inf)
        snapshots.on_generation(SimpleNamespace(state=state), state.history)
        assert not len(snapshots)
        # A fault of another kind is one.
        state.ranking = None
        with pytest.raises(TypeError):
            snapshots.on_generation(SimpleNamespace(state=state), state.history)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"every": 0}, "every must be"),
            ({"most": 1}, "most must be"),
        ],
    )
    def test_bad_parameters_are_refused(self, options, message):
        with pytest.raises(ValueError, match=message):
            Snapshots(**options)
        with pytest.raises(TypeError, match=next(iter(options))):
            Snapshots(**dict.fromkeys(options, 2.5))


def parts(figure):
    """Return what moves: the dots, the arrow and the curves, and the two axes."""
    left, right = figure.axes[:2]
    (dots,) = left.collections
    (arrow,) = [text for text in left.texts if text.arrow_patch is not None]
    return left, right, dots, arrow, {drawn.get_label(): drawn for drawn in right.get_lines()}


class TestAnimate:
    @pytest.mark.parametrize("x", ["generation", "evaluations", "seconds"])
    def test_a_frame_is_a_generation_and_the_curves_up_to_it(self, watched, x):
        snapshots, result = watched
        moving = animate(snapshots, result, x=x)
        moving.to_jshtml()
        figure = moving._fig
        left, _, dots, arrow, curves = parts(figure)
        assert list(moving.new_frame_seq()) == list(range(len(snapshots)))
        history = result.history
        for k in (3, 0, len(snapshots) - 1, 1):  # in any order, as the buttons of a notebook do
            moving._func(k)
            snapshot = snapshots[k]
            np.testing.assert_allclose(dots.get_offsets(), snapshot.points[::-1])
            np.testing.assert_array_equal(dots.get_array(), snapshot.ranks[::-1])
            assert arrow.xy == (snapshot.pull, 0)
            assert ("narrows" if snapshot.narrows else "widens") in left.get_ylabel()
            assert left.get_title(loc="left") == f"Generation {snapshot.generation} of 9"
            now = history["generation"] <= snapshot.generation
            for label, column in (
                ("GA, training", "best_fitness"),
                ("GA, held out", "validation_score"),
                ("Mean of the generation", "mean_fitness"),
            ):
                np.testing.assert_array_equal(curves[label].get_xdata(), history[x][now])
                np.testing.assert_array_equal(curves[label].get_ydata(), history[column][now])

    def test_all_frames_have_room_and_one_scale(self, watched):
        snapshots, result = watched
        moving = animate(snapshots, result)
        moving.to_jshtml()
        left, right, *_ = parts(moving._fig)
        seen = set()
        for k in range(len(snapshots)):
            moving._func(k)
            moving._fig.draw_without_rendering()
            seen.add((left.get_xlim(), left.get_ylim(), right.get_xlim(), right.get_ylim()))
            boxes = [tuple(ax.get_position().bounds) for ax in (left, right)]
            seen.add(tuple(boxes))
        assert len(seen) == 2
        xlim, ylim = left.get_xlim(), left.get_ylim()
        assert np.ptp(xlim) == pytest.approx(np.ptp(ylim))
        assert left.get_aspect() == 1
        for x, y in np.concatenate(
            [s.points for s in snapshots] + [[(s.pull, 0)] for s in snapshots]
        ):
            assert xlim[0] < x < xlim[1]
            assert ylim[0] < y < ylim[1]
        assert right.get_xlim()[1] >= 9
        assert right.get_ylim()[1] > result.best_fitness

    def test_it_draws_into_the_given_figure_or_one_of_its_own(self, watched):
        snapshots, result = watched
        given = plt.figure()
        moving = animate(list(snapshots)[:2], result.history, given)
        assert moving._fig is given
        moving.to_jshtml()
        assert plt.get_fignums() == [given.number]
        with pytest.raises(TypeError, match="figure must be a Figure of Matplotlib or None, got 3"):
            animate(snapshots, result, 3)

    def test_the_frames_a_second_are_those_asked_for(self, watched):
        moving = animate(*watched, fps=4)
        moving.to_jshtml()
        assert moving._interval == 250

    def test_a_single_generation_is_drawn_as_that_of_the_state(self, watched):
        snapshots, result = watched
        of_snapshot, of_result = plot_population(snapshots[-1]), plot_population(result)
        for ax in (of_snapshot, of_result):
            assert ax.get_xlabel() == "Where selection pulls the mean"
        np.testing.assert_array_equal(
            of_snapshot.collections[0].get_offsets(), of_result.collections[0].get_offsets()
        )

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"snapshots": Snapshots()}, ValueError, "at least one generation, got none"),
            ({"snapshots": []}, ValueError, "at least one generation, got none"),
            ({"snapshots": 3}, TypeError, "the Snapshots of a run, or a list of some, got 3"),
            ({"snapshots": [(0, 1, 2, 3, 4)]}, TypeError, "a list of some, got \\(0, 1"),
            ({"snapshots": "x"}, TypeError, "a list of some, got 'x'"),
            ({"history": "x"}, TypeError, "history must be a History"),
            ({"history": History()}, ValueError, r"without the generations \[0, 2, 4, 6, 8, 9\]"),
            ({"x": "epoch"}, ValueError, "'evaluations', 'generation', 'seconds'.*'epoch'"),
            ({"fps": 0}, ValueError, "fps must be"),
            ({"fps": 51}, ValueError, "fps must be"),
        ],
    )
    def test_what_cannot_be_shown_is_refused_and_no_figure_left(
        self, watched, options, error, message, tmp_path
    ):
        options = dict(zip(("snapshots", "history"), watched, strict=True)) | options
        with pytest.raises(error, match=message):
            animate(**options)
        with pytest.raises(error, match=message):
            save_animation(tmp_path / "run.gif", **options)
        assert not plt.get_fignums()
        assert not list(tmp_path.iterdir())

    def test_a_history_that_lacks_the_last_generation_alone_is_refused(self, watched):
        snapshots, result = watched
        with pytest.raises(ValueError, match=r"without the generations \[9\]"):
            animate(snapshots, result.history[:-1])


class TestSave:
    def test_a_gif_holds_every_frame_in_its_colours_and_rests_on_the_last(self, watched, tmp_path):
        snapshots, result = watched
        path = tmp_path / "run.GIF"
        save_animation(path, snapshots, result, fps=10, dpi=50)
        figure = mpl.figure.Figure(figsize=(9.5, 4.2), dpi=50, layout="constrained")
        canvas = mpl.backends.backend_agg.FigureCanvasAgg(figure)
        moving = animate(snapshots, result, figure)
        moving.to_jshtml()
        figure.set_size_inches(9.5, 4.2)  # Matplotlib's writers round it
        with Image.open(path) as gif:
            assert (gif.n_frames, gif.info["loop"]) == (len(snapshots), 0)
            for k in range(gif.n_frames):
                gif.seek(k)
                assert gif.info["duration"] == (100 if k < gif.n_frames - 1 else 2000)
                moving._func(k)
                canvas.draw()
                drawn = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
                shown = np.asarray(gif.convert("RGB")).astype(int)
                assert drawn.shape == shown.shape == (210, 475, 3)
                assert np.abs(drawn - shown).mean() < 1
        assert not plt.get_fignums()
        assert list(tmp_path.iterdir()) == [path]

    def test_a_single_frame_is_enough(self, watched, tmp_path):
        snapshots, result = watched
        save_animation(tmp_path / "run.gif", [snapshots[2]], result, dpi=40)
        with Image.open(tmp_path / "run.gif") as gif:
            assert gif.n_frames == 1

    def test_the_gif_of_a_long_run_is_small(self, tmp_path):
        snapshots = Snapshots()
        result = run(snapshots, recipe="classic", n_generations=159)
        assert len(snapshots) == 81
        path = tmp_path / "run.gif"
        save_animation(path, snapshots, result)
        assert path.stat().st_size < 2e6

    def test_a_failure_leaves_the_old_file_and_nothing_else(self, watched, tmp_path, monkeypatch):
        path = tmp_path / "run.gif"
        path.write_bytes(b"old")

        def fail(self, target):
            raise OSError("no space left on device")

        monkeypatch.setattr(type(path), "replace", fail)
        with pytest.raises(OSError, match="no space"):
            save_animation(path, *watched, dpi=40)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_bad_files_are_refused_before_a_frame_is_drawn(self, watched, tmp_path, monkeypatch):
        monkeypatch.setattr(animation, "_draw_frames", lambda *a: pytest.fail("drawn"))
        with pytest.raises(ValueError, match=r"ends in \.gif, got .*run\.png"):
            save_animation(tmp_path / "run.png", *watched)
        with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
            save_animation(tmp_path / "nowhere" / "run.gif", *watched)
        with pytest.raises(ValueError, match="dpi must be"):
            save_animation(tmp_path / "run.gif", *watched, dpi=0)
