import io
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ga_ann import (
    GeneticMLPClassifier,
    GeneticMLPRegressor,
    Recipe,
    evolve,
    plotting,
    train_naive,
)
from ga_ann.history import History
from ga_ann.plotting import (
    plot_comparison,
    plot_confusion,
    plot_fitness,
    plot_predictions,
    save_figure,
)

mpl.use("Agg")

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def clean_pyplot(monkeypatch):
    """No plot shows anything or changes pyplot's settings; the figures are closed again."""
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("show() was called"))
    monkeypatch.setattr(mpl.figure.Figure, "show", lambda *a, **k: pytest.fail("show() called"))
    before, backend = mpl.rcParams.copy(), mpl.get_backend()
    yield
    assert mpl.rcParams == before
    assert mpl.get_backend() == backend
    plt.close("all")


def make_history(best, **columns):
    about = {k: columns.pop(k) for k in ("label", "metric", "settings") if k in columns}
    history = History(**about)
    for k, fitness in enumerate(best):
        row = {name: column[k] for name, column in columns.items()}
        history.append(**({"generation": k, "best_fitness": fitness} | row))
    return history


def line(ax, label):
    (found,) = [drawn for drawn in ax.get_lines() if drawn.get_label() == label]
    return found


def seed_lines(ax):
    return [drawn for drawn in ax.get_lines() if drawn.get_label() == "_seed"]


def caption_of(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\xa0", " ")


def make_rows(methods=("naive", "GA"), splits=("all", "r_"), seeds=range(3), **fixed):
    return [
        {
            "method": method,
            "split": split,
            "seed": seed,
            "train_accuracy": RNG.random(),
            "held_out_accuracy": np.nan if split == "all" else RNG.random(),
            "seconds": 1.0,
            "evaluations": 10,
        }
        | fixed
        for method in methods
        for split in splits
        for seed in seeds
    ]


PLOTS = {
    "fitness": lambda ax=None: plot_fitness(
        make_history([0.2, 0.9], settings={"n_solutions": 8}), ax
    ),
    "confusion": lambda ax=None: plot_confusion([0, 1, 1], [0, 1, 0], ax, caption="a caption"),
    "predictions": lambda ax=None: plot_predictions([0, 1, 3], [0, 1, 2], ax, caption="a caption"),
    "comparison": lambda ax=None: plot_comparison(make_rows(), ax, caption="a caption"),
}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
class TestEveryPlot:
    def test_it_draws_into_the_given_axes_and_returns_it(self, plot):
        figure, (left, right) = plt.subplots(1, 2)
        assert plot(ax=right) is right
        assert right.has_data()
        assert not left.has_data()
        assert plt.get_fignums() == [figure.number]

    def test_it_makes_a_figure_of_its_own(self, plot):
        other = plt.figure()
        ax = plot()
        assert ax.figure is not other
        assert len(plt.get_fignums()) == 2
        assert not other.axes

    def test_no_text_is_cut_off_or_overlaps(self, plot):
        ax = plot()
        ax.figure.draw_without_rendering()
        (caption,) = [t for t in ax.texts if t.get_text() and "=" in t.get_text()] or [
            t for t in ax.texts if t.get_text() == "a caption"
        ]
        box = caption.get_window_extent()
        assert box.y1 < ax.xaxis.label.get_window_extent().y0
        for text in (caption, ax.xaxis.label, *ax.get_yticklabels()):
            extent = text.get_window_extent()
            assert extent.x0 >= 0
            assert extent.y0 >= 0
            assert extent.x1 <= ax.figure.bbox.width

    def test_it_fits_a_subfigure(self, plot):
        figure = plt.figure(layout="constrained")
        ax = figure.subfigures(1, 2)[0].subplots()
        plot(ax=ax)
        figure.draw_without_rendering()


class TestFitness:
    def test_a_single_run_is_its_columns(self):
        best, mean, validation = RNG.random((3, 20))
        history = make_history(best, label="GA", mean_fitness=mean, validation_score=validation)
        ax = plot_fitness(history)
        for label, column in [
            ("GA, training", best),
            ("Mean of the generation", mean),
            ("GA, held out", validation),
        ]:
            np.testing.assert_array_equal(line(ax, label).get_xdata(), np.arange(20))
            np.testing.assert_array_equal(line(ax, label).get_ydata(), column)
            assert line(ax, label).get_drawstyle() == (
                "default" if label.startswith("Mean") else "steps-post"
            )
        training, held_out = line(ax, "GA, training"), line(ax, "GA, held out")
        assert (training.get_linestyle(), held_out.get_linestyle()) == ("-", "--")
        assert training.get_color() == held_out.get_color()
        assert training.get_zorder() > held_out.get_zorder()
        assert line(ax, "Mean of the generation").get_alpha() < 0.6
        legend = [text.get_text() for text in ax.get_legend().get_texts()]
        assert legend == ["GA, training", "GA, held out", "Mean of the generation"]
        assert ax.get_ylabel() == "Accuracy"

    def test_only_what_was_held_out_takes_the_word_training_from_the_axis(self):
        about = {"label": "GA", "metric": "f1_macro"}
        plain = plot_fitness(make_history([0.5], **about, validation_score=[np.nan]))
        both = plot_fitness(make_history([0.5], **about, validation_score=[0.4]))
        assert (plain.get_ylabel(), both.get_ylabel()) == ("Training f1 macro", "F1 macro")
        assert [drawn.get_label() for drawn in plain.get_lines()] == ["GA"]

    def test_a_long_label_is_wrapped_where_the_axes_are_narrow(self):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
        name = "a method of a long name that goes on and on, and then on"
        plot_fitness({name: make_history([0.5, 0.6])}, left)
        figure.draw_without_rendering()
        (text,) = left.get_legend().get_texts()
        assert text.get_text().replace("\n", " ") == name
        assert text.get_window_extent().x1 < right.get_window_extent().x0

    @pytest.mark.parametrize("x", ["generation", "evaluations", "seconds"])
    def test_any_of_three_columns_runs_along_x(self, x):
        columns = {"evaluations": [8.0, 16.0, 24.5], "seconds": [0.1, 0.3, 0.4]}
        history = make_history([0.1, 0.2, 0.3], **columns)
        ax = plot_fitness(history, x=x)
        np.testing.assert_array_equal(line(ax, "Best solution").get_xdata(), history[x])

    @pytest.mark.parametrize(
        ("metrics", "label"),
        [
            (["accuracy"], "Training accuracy"),
            (["macro_f1"] * 2, "Training macro f1"),
            (["accuracy", "macro_f1"], "Fitness"),
        ],
    )
    def test_the_metric_labels_the_y_axis(self, metrics, label):
        assert plot_fitness([make_history([0.5], metric=m) for m in metrics]).get_ylabel() == label

    @given(values=st.lists(st.lists(st.floats(0, 1), min_size=7, max_size=7), min_size=2))
    @settings(max_examples=20)
    def test_on_equal_grids_the_thick_line_is_the_median(self, values):
        X, Y = plotting._median([(np.arange(7.0), np.array(row)) for row in values])
        np.testing.assert_array_equal(X, np.arange(7))
        np.testing.assert_array_equal(Y, np.median(values, axis=0))

    def test_several_seeds_are_thin_lines_below_their_median(self):
        values = RNG.random((5, 12))
        ax = plot_fitness([make_history(row, label="GA") for row in values])
        np.testing.assert_array_equal([drawn.get_ydata() for drawn in seed_lines(ax)], values)
        median = line(ax, "GA")
        np.testing.assert_array_equal(median.get_ydata(), np.median(values, axis=0))
        assert median.get_linewidth() > max(drawn.get_linewidth() for drawn in seed_lines(ax))
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["GA"]

    def test_the_median_carries_last_values_forward_on_the_union_of_grids(self):
        times = [np.sort(RNG.uniform(0.5, 9, n)) for n in (3, 10, 6)]
        values = [np.sort(RNG.random(len(X))) for X in times]
        ax = plot_fitness(
            [make_history(Y, seconds=X) for X, Y in zip(times, values, strict=True)], x="seconds"
        )
        grid = sorted(t for X in times for t in X if t >= max(X[0] for X in times))
        # As the definition says: of each seed the newest value that is not in the future.
        expected = [
            np.median([Y[t >= X][-1] for X, Y in zip(times, values, strict=True)]) for t in grid
        ]
        drawn = line(ax, "Best solution")
        np.testing.assert_array_equal(drawn.get_xdata(), grid)
        np.testing.assert_array_equal(drawn.get_ydata(), expected)
        assert drawn.get_drawstyle() == "steps-post"

    def test_the_validation_score_of_several_seeds_is_their_median(self):
        scores = RNG.random((3, 4))
        ax = plot_fitness([make_history([0.5] * 4, validation_score=row) for row in scores])
        np.testing.assert_array_equal(
            line(ax, "Best solution, held out").get_ydata(), np.median(scores, axis=0)
        )

    def test_a_band_is_the_range_of_the_seeds_where_all_have_begun_instead_of_thin_lines(self):
        times = [np.sort(RNG.uniform(0.5, 9, n)) for n in (3, 10, 6)]
        values = [np.sort(RNG.random(len(X))) for X in times]
        runs = [
            make_history(Y, label="GA", seconds=X, validation_score=Y / 2)
            for X, Y in zip(times, values, strict=True)
        ]
        ax = plot_fitness(runs, x="seconds", band=True)
        assert not seed_lines(ax)
        grid = line(ax, "GA, training").get_xdata()
        # Of each seed the newest value that is not in the future.
        now = [[Y[t >= X][-1] for X, Y in zip(times, values, strict=True)] for t in grid]
        drawn = [band for band in ax.collections if band.get_label() == "_band"]
        for band, scale in zip(drawn, (1, 0.5), strict=True):
            corners = band.get_paths()[0].vertices
            for k, t in enumerate(grid):
                at = corners[corners[:, 0] == t, 1]
                assert min(now[k]) * scale in at
                assert max(now[k]) * scale in at
            assert set(corners[:, 0]) == set(grid)
        assert [bool(band.get_hatch()) for band in drawn] == [False, True]
        assert [band.get_facecolor().size > 0 for band in drawn] == [True, False]
        assert "band: lowest to highest, hatched: held out" in caption_of(ax)
        legend = [text.get_text() for text in ax.get_legend().get_texts()]
        assert legend == ["GA, training", "GA, held out"]
        assert "band" not in caption_of(plot_fitness(runs))
        alone = [make_history(run["best_fitness"]) for run in runs]
        assert caption_of(plot_fitness(alone, band=True)).endswith("band: lowest to highest")

    def test_one_run_has_no_band_and_is_drawn_as_ever(self):
        history = make_history(RNG.random(5), label="GA", validation_score=RNG.random(5))
        plain, band = plot_fitness(history), plot_fitness(history, band=True)
        assert not band.collections
        assert caption_of(band) == caption_of(plain)
        for one, other in zip(plain.get_lines(), band.get_lines(), strict=True):
            np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())

    def test_methods_differ_in_colour_and_in_grey(self):
        runs = {
            f"method {k}": [make_history(RNG.random(4), validation_score=[0.5] * 4)] * (1 + k % 2)
            for k in range(5)
        }
        ax = plot_fitness(runs | {"one run": make_history([0.3])})
        drawn = [line(ax, label) for label in [*runs, "one run"]]
        assert len({each.get_color() for each in drawn}) == 6
        assert len({each.get_marker() for each in drawn}) == 6
        assert len({str(each._dash_pattern) for each in drawn}) >= 5
        assert not [each for each in ax.get_lines() if "held out" in each.get_label()]
        assert ax.get_ylabel() == "Training accuracy"

    def test_rows_without_a_value_are_left_out(self):
        history = make_history([0.1, np.nan, 0.3], label="GA")
        np.testing.assert_array_equal(line(plot_fitness(history), "GA").get_xdata(), [0, 2])

    @pytest.mark.parametrize(
        ("x", "values", "scale"),
        [
            ("seconds", [0.0, 0.01, 1.1], "log"),
            ("seconds", [0.0, 0.01, 0.9], "linear"),
            ("seconds", [0.0, 0.0, 0.0], "linear"),
            ("evaluations", [1, 50, 101], "log"),
            ("generation", [1, 50, 101], "linear"),
        ],
    )
    def test_a_wide_range_of_cost_is_logarithmic(self, x, values, scale):
        ax = plot_fitness(make_history([0.1, 0.2, 0.3], **{x: values}), x=x)
        ax.figure.draw_without_rendering()
        assert ax.get_xscale() == scale

    def test_the_caption_tells_what_all_runs_share(self):
        shared = {"hidden_layer_sizes": [150, 60], "sigma": 0.1, "max_time": None}
        runs = [
            make_history([0.5], settings=shared | {"random_state": seed, "only": 1})
            for seed in range(3)
        ]
        assert caption_of(plot_fitness(runs[0])) == (
            "hidden_layer_sizes=(150, 60), sigma=0.1, random_state=0, only=1"
        )
        runs[2].settings.pop("only")
        assert caption_of(plot_fitness(runs)) == (
            "hidden_layer_sizes=(150, 60), sigma=0.1, thick line: median over 3 runs"
        )
        assert caption_of(plot_fitness({"a": runs, "b": runs[:2]})).endswith("over the runs")
        assert not plot_fitness(runs, caption=False).texts
        assert not plot_fitness(make_history([0.5])).texts

    def test_a_long_caption_stays_below_the_axes(self):
        long = {f"a_setting_with_a_long_name_{k}": [k, "text with $ and _"] for k in range(60)}
        ax = plot_fitness(make_history([0.1, 0.5], settings=long))
        ax.figure.draw_without_rendering()
        (caption,) = ax.texts
        assert caption.get_text().endswith("…")
        assert caption.get_window_extent().x1 <= ax.figure.bbox.width

    @pytest.mark.parametrize("nothing", [[], {}, {"GA": []}, {"a": make_history([1]), "b": []}])
    def test_nothing_to_plot_is_an_error(self, nothing):
        with pytest.raises(ValueError, match="at least one History"):
            plot_fitness(nothing)
        assert not plt.get_fignums()

    def test_a_history_without_rows_is_named(self):
        with pytest.raises(ValueError, match=r"'GA', 0 rows.*nothing to plot"):
            plot_fitness(History(label="GA"))
        with pytest.raises(ValueError, match="no row with both 'seconds' and 'best_fitness'"):
            plot_fitness(make_history([0.5]), x="seconds")
        assert not plt.get_fignums()

    @pytest.mark.parametrize(
        "wrong",
        [
            None,
            3,
            "GA",
            [1],
            {"GA": 1},
            [make_history([1]), None],
            GeneticMLPClassifier(),
            GeneticMLPClassifier,
            SimpleNamespace(history=[0.1, 0.2]),
        ],
    )
    def test_what_is_no_history_and_has_none_is_refused(self, wrong):
        with pytest.raises(TypeError, match="history must be a History"):
            plot_fitness(wrong)

    def test_what_has_a_history_is_plotted_as_the_history(self):
        X, y = RNG.normal(size=(30, 2)), [0, 1] * 15
        result = evolve(X, y, hidden_layer_sizes=(3,), n_generations=5, random_state=0)
        naive = train_naive(X, y, hidden_layer_sizes=(3,), random_state=0)
        fitted = GeneticMLPClassifier((3,), n_generations=5, random_state=0).fit(X, y)
        regressor = GeneticMLPRegressor((3,), n_generations=5, random_state=0).fit(X, y)
        for owner, history in (
            (result, result.history),
            (naive, naive.history),
            (fitted, fitted.history_),
            (regressor, regressor.history_),
            ([result, fitted], [result.history, fitted.history_]),
            ((result, naive.history), [result.history, naive.history]),
            (
                {"a": result, "b": [fitted, result.history]},
                {"a": result.history, "b": [fitted.history_, result.history]},
            ),
        ):
            given, plain = plot_fitness(owner), plot_fitness(history)
            assert caption_of(given) == caption_of(plain)
            assert [a.get_label() for a in given.lines] == [a.get_label() for a in plain.lines]
            for a, b in zip(given.lines, plain.lines, strict=True):
                np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())

    def test_runs_of_a_sequence_are_of_the_methods_that_their_labels_name(self):
        values = RNG.random((4, 6))
        labels = ["GA", "naive training", "GA", "GA"]
        ax = plot_fitness([make_history(v, label=m) for v, m in zip(values, labels, strict=True)])
        np.testing.assert_array_equal(
            line(ax, "GA").get_ydata(), np.median(values[[0, 2, 3]], axis=0)
        )
        np.testing.assert_array_equal(line(ax, "naive training").get_ydata(), values[1])

    def test_means_on_batches_are_dots_and_tell_the_size_of_the_batch(self):
        means = [0.9, np.nan, 0.2, 0.7]
        for sizes, batch_size, told in (
            ([32, 32, 32, 32], 32, " on its batch (32 samples)"),
            ([32, 45, 64, 1797], 32, " on its batch (32 to 1,797 samples)"),
            ([5, 32, 32, 32], 5, " on its batch (5 to 32 samples)"),
            ([100] * 4, "full", ""),
            ([100] * 4, None, ""),
        ):
            history = make_history(
                [0.1, 0.2, 0.3, 0.4],
                mean_fitness=means,
                n_samples=sizes,
                settings={"batch_size": batch_size},
            )
            drawn = line(plot_fitness(history), f"Mean of the generation{told}")
            np.testing.assert_array_equal(drawn.get_ydata(), [0.9, 0.2, 0.7])
            assert (drawn.get_linestyle() == "None") == bool(told)
            assert (drawn.get_marker() == ".") == bool(told)

    def test_a_run_on_batches_says_so_and_one_on_all_samples_does_not(self):
        X, y = RNG.normal(size=(300, 2)), [0, 1] * 150
        for n_samples, on_batch in ((300, True), (200, False)):
            result = evolve(X[:n_samples], y[:n_samples], n_generations=2, random_state=0)
            legend = [text.get_text() for text in plot_fitness(result).get_legend().get_texts()]
            expected = " on its batch (32 samples)" if on_batch else ""
            assert legend == ["GA", f"Mean of the generation{expected}"]

    @pytest.mark.parametrize("batch_size", [29, 30, 31, 3000])
    def test_a_batch_that_all_samples_fit_into_is_none(self, batch_size):
        X, y = RNG.normal(size=(30, 2)), [0, 1] * 15
        recipe = Recipe(batch_size=batch_size)
        result = evolve(X, y, n_generations=2, recipe=recipe, random_state=0)
        legend = [text.get_text() for text in plot_fitness(result).get_legend().get_texts()]
        expected = " on its batch (29 samples)" if batch_size < 30 else ""
        assert legend == ["GA", f"Mean of the generation{expected}"]

    def test_one_network_has_no_mean(self):
        best = RNG.random(4)
        for means, labels in ((best, ["GA"]), (best - [0, 0, 0.1, 0], ["GA", "Mean of the gen"])):
            ax = plot_fitness(make_history(best, label="GA", mean_fitness=means))
            assert [drawn.get_label()[:15] for drawn in ax.get_lines()] == labels

    def test_the_x_axis_counts_what_the_method_does_in_whole_numbers(self):
        about = {"naive": {"n_iterations": 3}, "GA": {"n_generations": 3}}
        runs = {name: make_history([0.1] * 3, settings=about[name]) for name in about}
        for shown, label in (
            (runs["naive"], "Iteration"),
            (runs["GA"], "Generation"),
            (runs, "Generation or iteration"),
        ):
            ax = plot_fitness(shown)
            assert ax.get_xlabel() == label
            assert all(tick == round(tick) for tick in ax.get_xticks())

    @given(
        values=st.lists(st.floats(0, 1), min_size=1, max_size=5),
        scale=st.sampled_from([1.0, -1.0, 250.0, -1e6, 1e9]),
        width=st.sampled_from([1.0, 0.05, 1e-3, 0.0]),
    )
    @settings(max_examples=60)
    def test_what_hardly_changes_does_not_fill_the_axis(self, values, scale, width):
        best = scale * (values[0] + width * (np.array(values) - values[0]))
        ax = plot_fitness(make_history(best, settings={"batch_size": "full"}))
        ax.figure.draw_without_rendering()
        low, high = ax.get_ylim()
        plt.close(ax.figure)
        is_share = 0 <= best.min() <= best.max() <= 1
        assert high - low > 0.1 * (1 if is_share else np.abs(best).max())
        assert low < best.min()
        assert best.max() < high
        if is_share:
            margin = 0.05 * (high - low)  # between what is drawn and the frame
            assert low > -margin
            assert high < 1 + margin
        if np.ptp(best) > 0.2 * np.abs(best).max() and np.ptp(best) > 0.2:
            assert high - low < 1.2 * np.ptp(best)

    def test_what_is_drawn_later_or_beside_it_still_fits(self):
        figure, (left, right) = plt.subplots(1, 2, sharey=True)
        plot_fitness(make_history([0.5, 0.5]), left)
        plot_fitness(make_history([0.1, 0.7]), right)
        plot_fitness(make_history([-0.5, -0.4]), left)
        figure.draw_without_rendering()
        low, high = left.get_ylim()
        assert (low, high) == right.get_ylim()
        assert low < -0.5
        assert high > 0.7

    def test_an_unknown_x_lists_the_known(self):
        with pytest.raises(ValueError, match=r"'evaluations', 'generation', 'seconds'.*'epoch'"):
            plot_fitness(make_history([1]), x="epoch")


class TestConfusion:
    @staticmethod
    def counts_of(ax):
        n = round(len(ax.texts) ** 0.5)
        return np.reshape([int(text.get_text()) for text in ax.texts], (n, n))

    def test_the_numbers_are_the_counts(self):
        y, z = RNG.integers(0, 4, (2, 200))
        ax = plot_confusion(y, z)
        expected = [[np.sum((y == i) & (z == j)) for j in range(4)] for i in range(4)]
        np.testing.assert_array_equal(self.counts_of(ax), expected)
        np.testing.assert_array_equal(ax.get_images()[0].get_array(), expected)
        assert ax.get_title() == f"{np.sum(y != z)} of 200 wrong"
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("Predicted class", "True class")

    def test_labels_order_the_classes_and_may_hold_others(self):
        y = ["mango", "mango", "apple"]
        ax = plot_confusion(y, y, labels=["mango", "lemon", "apple"], title="GA")
        np.testing.assert_array_equal(self.counts_of(ax), np.diag([2, 0, 1]))
        for ticks in (ax.get_xticklabels(), ax.get_yticklabels()):
            assert [text.get_text() for text in ticks] == ["mango", "lemon", "apple"]
        assert ax.get_title() == "GA"

    def test_long_names_are_turned_and_do_not_overlap(self):
        names = [f"a fruit of a long name {k}" for k in range(5)]
        ax = plot_confusion(names, names)
        assert {text.get_rotation() for text in ax.get_xticklabels()} == {45}
        assert [text.get_text() for text in ax.get_xticklabels()] == names
        assert {
            text.get_rotation() for text in plot_confusion([0, 1], [0, 1]).get_xticklabels()
        } == {0}

    def test_very_many_classes_have_no_numbers(self):
        assert not plot_confusion(np.arange(41), np.arange(41)).texts
        assert len(plot_confusion(np.arange(12), np.arange(12)).texts) == 144

    @pytest.mark.parametrize(
        ("y", "z", "labels", "message"),
        [
            ([0, 1], [0], None, r"got shapes \(2,\) and \(1,\)"),
            ([], [], None, r"not empty, got shapes \(0,\)"),
            ([[0, 1]], [[0, 1]], None, "1-D"),
            ([0, 1], [0, 2], [0, 1], r"\[2\] miss"),
        ],
    )
    def test_bad_labels_are_refused(self, y, z, labels, message):
        with pytest.raises(ValueError, match=message):
            plot_confusion(y, z, labels=labels)
        assert not plt.get_fignums()


class TestPredictions:
    def test_a_dot_for_each_sample_and_a_line_where_they_are_true(self):
        true, predicted = RNG.normal(size=(2, 50)) * [[10], [30]]
        ax = plot_predictions(true, predicted)
        (dots,) = ax.collections
        np.testing.assert_array_equal(dots.get_offsets(), np.column_stack([predicted, true]))
        (diagonal,) = ax.lines
        np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
        assert ax.get_title() == f"RMSE {np.sqrt(np.mean((true - predicted) ** 2)):.4g}"
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("Predicted", "True")

    @pytest.mark.parametrize("scale", [1e-3, 1, 1e5])
    def test_the_ticks_are_round_numbers(self, scale):
        ax = plot_predictions(np.array([25, 346]) * scale, np.array([37, 301]) * scale)
        steps = np.diff(ax.get_xticks()) / 10 ** np.floor(np.log10(np.diff(ax.get_xticks())))
        assert set(np.round(steps, 6)) <= {1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10}
        assert ax.get_xticks().tolist() == ax.get_yticks().tolist()
        assert ax.get_xlim() == ax.get_ylim()

    @pytest.mark.parametrize("value", [0.0, -3.0, 1e6])
    def test_one_number_alone_can_be_drawn(self, value):
        ax = plot_predictions([value] * 3, [value] * 3)
        ax.figure.draw_without_rendering()
        low, high = ax.get_xlim()
        assert low < value < high

    def test_a_title_replaces_the_error_and_one_sample_is_enough(self):
        assert plot_predictions([1.0], [3.0]).get_title() == "RMSE 2"
        assert plot_predictions([1.0], [3.0], title="$GA$").get_title() == "$GA$"

    @pytest.mark.parametrize(
        ("true", "predicted", "message"),
        [
            ([0.0, 1.0], [0.0], r"got shapes \(2,\) and \(1,\)"),
            ([], [], r"not empty, got shapes \(0,\)"),
            ([[0.0, 1.0]], [[0.0, 1.0]], "1-D"),
            ([0.0, np.nan], [0.0, 1.0], "finite numbers, got NaN or infinity"),
            ([0.0, 1.0], [0.0, np.inf], "finite numbers, got NaN or infinity"),
            ([1j, 2], [1, 2], "y_true must hold real numbers, got 1j of complex128"),
            (
                [1, 2],
                np.array([1, 2], "M8[s]"),
                "y_pred must hold real numbers, got .* of datetime64",
            ),
        ],
    )
    def test_bad_targets_are_refused(self, true, predicted, message):
        with pytest.raises(ValueError, match=message):
            plot_predictions(true, predicted)
        assert not plt.get_fignums()


class TestComparison:
    def test_rows_of_a_regression_have_no_accuracies(self):
        about = {"split": "holdout", "seconds": 1.0, "evaluations": 10, "seed": 0}
        scores = {"train_score": 0.5, "held_out_score": -1.5}
        rows = [about | scores | {"method": "mean"}]
        ax = plot_comparison(rows, value="held_out_score", score="r2")
        assert ax.get_xlabel() == "Held-out r2"
        with pytest.raises(ValueError, match=r"\['held_out_accuracy', 'train_accuracy'\] miss"):
            plot_comparison(rows)

    @pytest.mark.parametrize(
        "value", ["held_out_accuracy", "train_accuracy", "seconds", "evaluations"]
    )
    def test_each_seed_is_a_dot_and_the_median_a_bar(self, value):
        rows = make_rows(splits=["r_", "other"])
        for row in rows:
            row |= {"seconds": RNG.random(), "evaluations": RNG.integers(1, 9)}
        ax = plot_comparison(rows, value=value)
        bars = [drawn for drawn in ax.get_lines() if len(set(drawn.get_xdata())) == 1]
        for j, split in enumerate(["r_", "other"]):
            dots = line(ax, split)
            for i, method in enumerate(["naive", "GA"]):
                expected = [r[value] for r in rows if (r["method"], r["split"]) == (method, split)]
                mine = np.round(dots.get_ydata()) == i
                np.testing.assert_array_equal(dots.get_xdata()[mine], expected)
                bar = bars[2 * j + i]
                assert bar.get_xdata()[0] == np.median(expected)
                assert np.mean(bar.get_ydata()) == pytest.approx(dots.get_ydata()[mine][0])
        assert len(bars) == 4

    def test_methods_read_from_the_top_in_the_order_of_the_rows(self):
        methods = ["naive", "GA", "a method with a very long name, which goes on and on"]
        ax = plot_comparison(make_rows(methods=methods))
        names = [text.get_text().replace("\n", " ") for text in ax.get_yticklabels()]
        assert names == methods
        assert ax.yaxis_inverted()
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["all", "r_"]

    def test_where_nothing_is_held_out_the_training_accuracy_stands_in_and_is_named(self):
        rows = make_rows(methods=["GA"])
        ax = plot_comparison(rows)
        expected = [row["train_accuracy"] for row in rows if row["split"] == "all"]
        np.testing.assert_array_equal(line(ax, "all").get_xdata(), expected)
        assert ax.get_xlabel() == "Held-out accuracy (split all: training accuracy)"
        assert plot_comparison(rows, value="train_accuracy").get_xlabel() == "Training accuracy"
        held_out = plot_comparison(make_rows(splits=["r_"]))
        assert held_out.get_xlabel() == "Held-out accuracy"

    def test_the_median_is_written_at_the_margin(self):
        written = {
            value: plot_comparison(
                make_rows(
                    ["GA"], ["r_"], seconds=2.5, evaluations=12345, held_out_accuracy=0.99949
                ),
                value=value,
            )
            .texts[0]
            .get_text()
            for value in ("held_out_accuracy", "seconds", "evaluations")
        }
        assert written == {
            "held_out_accuracy": "99.95 %",
            "seconds": "2.5 s",
            "evaluations": "12,345",
        }

    def test_scores_that_hardly_differ_do_not_fill_the_axis(self):
        for value, expected in ((0.99, 0.1), (-0.3, 0.03)):
            rows = make_rows(["GA", "Adam"], ["r_"], held_out_accuracy=value)
            rows[0]["held_out_accuracy"] -= 1e-3
            low, high = plot_comparison(rows).get_xlim()
            assert low < value < high
            assert high - low == pytest.approx(1.1 * expected, rel=0.01)

    def test_an_unknown_value_is_left_out(self):
        rows = make_rows(["GA"], ["r_"], evaluations=np.nan) + make_rows(["naive"], ["r_"])
        ax = plot_comparison(rows, value="evaluations")
        np.testing.assert_array_equal(line(ax, "r_").get_xdata(), [10] * 3)
        assert [text.get_text() for text in ax.texts[:2]] == ["\N{EN DASH}", "10"]

    @pytest.mark.parametrize(("slowest", "scale"), [(99.0, "linear"), (101.0, "log")])
    def test_a_wide_range_of_cost_is_logarithmic(self, slowest, scale):
        rows = make_rows(["naive"]) + make_rows(["GA"], seconds=slowest)
        assert plot_comparison(rows, value="seconds").get_xscale() == scale
        assert plot_comparison(rows).get_xscale() == "linear"

    def test_a_method_may_lack_a_split(self):
        rows = make_rows(["naive"], ["all"]) + make_rows(["GA"], ["r_"])
        assert len(line(plot_comparison(rows), "r_").get_xdata()) == 3

    def test_bad_rows_are_refused(self):
        with pytest.raises(ValueError, match="at least one run"):
            plot_comparison([])
        rows = make_rows()
        del rows[2]["seconds"]
        with pytest.raises(ValueError, match=r"rows\[2\] must have the keys .*\['seconds'\] miss"):
            plot_comparison(rows)
        with pytest.raises(ValueError, match=r"'held_out_accuracy'.*got 'speed'"):
            plot_comparison(make_rows(), value="speed")
        assert not plt.get_fignums()


class TestSave:
    @pytest.mark.parametrize("suffix", ["png", "PDF", "svg"])
    def test_the_ending_sets_the_format(self, tmp_path, suffix):
        figure, ax = plt.subplots()
        save_figure(tmp_path / f"plot.{suffix}", ax)
        content = (tmp_path / f"plot.{suffix}").read_bytes()
        assert {"png": b"\x89PNG", "PDF": b"%PDF", "svg": b"<?xml"}[suffix] == content[
            : 4 if suffix != "svg" else 5
        ]
        assert plt.fignum_exists(figure.number)
        assert [path.name for path in tmp_path.iterdir()] == [f"plot.{suffix}"]

    def test_an_axes_a_figure_and_a_subfigure_give_the_whole_picture(self, tmp_path):
        figure = plt.figure()
        subfigure = figure.subfigures(1, 2)[0]
        ax = subfigure.subplots()
        pictures = []
        for what in (figure, subfigure, ax):
            save_figure(tmp_path / "plot.png", what, dpi=30)
            pictures.append(np.asarray(Image.open(tmp_path / "plot.png")))
        np.testing.assert_array_equal(pictures[0], pictures[1])
        np.testing.assert_array_equal(pictures[0], pictures[2])

    def test_dpi_scales_the_picture(self, tmp_path):
        ax = plot_confusion([0, 1], [0, 1])
        widths = []
        for dpi in (40, 80):
            save_figure(tmp_path / "plot.png", ax, dpi=dpi)
            widths.append(Image.open(io.BytesIO((tmp_path / "plot.png").read_bytes())).width)
        assert widths[1] == pytest.approx(2 * widths[0], abs=3)

    def test_a_failure_leaves_the_old_file_and_nothing_else(self, tmp_path, monkeypatch):
        ax = plot_confusion([0, 1], [0, 1])
        path = tmp_path / "plot.png"
        path.write_bytes(b"old")

        def fail(self, target):
            raise OSError("no space left on device")

        monkeypatch.setattr(type(path), "replace", fail)
        with pytest.raises(OSError, match="no space"):
            save_figure(path, ax)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("name", ["plot", "plot.txt", ".png"])
    def test_an_unknown_ending_lists_the_known(self, tmp_path, name):
        with pytest.raises(ValueError, match=r"must end in one of .*'\.png'"):
            save_figure(tmp_path / name, plt.figure())
        assert not list(tmp_path.iterdir())

    def test_bad_arguments_are_refused(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
            save_figure(tmp_path / "nowhere" / "plot.png", plt.figure())
        with pytest.raises(TypeError, match="an Axes or a Figure, got None"):
            save_figure(tmp_path / "plot.png", None)
        with pytest.raises(ValueError, match="dpi"):
            save_figure(tmp_path / "plot.png", plt.figure(), dpi=0)


def test_a_run_that_stopped_at_once_can_be_seen():
    history = make_history([0.5], mean_fitness=[0.3], validation_score=[0.4])
    ax = plot_fitness(history)
    low, high = ax.get_xlim()
    assert low < 0 < 1 < high < 1.2
    assert all(drawn.get_marker() not in ("", "None") for drawn in ax.get_lines())


def test_a_single_point_lies_on_top_of_a_curve_that_begins_there():
    ax = plot_fitness({"random": make_history([0.5]), "naive": make_history([0.5, 0.5])})
    assert line(ax, "random").get_zorder() > line(ax, "naive").get_zorder()
    assert ax.get_xlim()[1] < 1.1


def test_dollars_are_no_mathematics(tmp_path):
    name = "$a_{$"
    figures = [
        plot_fitness({name: make_history([0.5, 1.0]), "$": make_history([0.5])}),
        plot_confusion([name, "b$"], [name, name]),
        plot_confusion([name * 7, "b$"], [name * 7, name * 7]),
        plot_comparison(make_rows(methods=(name, "GA"), splits=(name, "b"))),
    ]
    for ax in figures:
        save_figure(tmp_path / "x.svg", ax)
    shown = [text.get_text() for text in figures[1].get_xticklabels()]
    assert [text.replace(r"\$", "$") for text in shown] == [name, "b$"]


@pytest.mark.parametrize(
    "plot",
    [
        lambda ax: plot_fitness(make_history([0.5]), ax),
        lambda ax: plot_confusion([0, 1], [0, 1], ax),
        lambda ax: plot_comparison(make_rows(), ax),
    ],
)
def test_only_axes_are_drawn_into(plot):
    with pytest.raises(TypeError, match="ax must be an Axes of Matplotlib or None, got 'ax'"):
        plot("ax")


def test_no_mean_beside_a_best_that_is_looked_for_by_held_out_data():
    run = History(label="GA", settings={"early_stopping": True})
    for generation, mean in enumerate((0.3, 0.6)):
        run.append(generation=generation, best_fitness=0.4, mean_fitness=mean, validation_score=0.4)
    labels = [line.get_label() for line in plot_fitness(run).lines]
    assert not any("Mean" in label for label in labels)
    run.settings["early_stopping"] = False
    assert any("Mean" in line.get_label() for line in plot_fitness(run).lines)


def test_networks_of_one_label_are_curves_of_their_own():
    def run(sizes, **more):
        return make_history([0.1, 0.2], label="GA", settings={"hidden_layer_sizes": sizes, **more})

    def labels(*runs):
        ax = plot_fitness(list(runs), caption=False)
        return [text.get_text() for text in ax.get_legend().get_texts() if "GA" in text.get_text()]

    assert labels(run((5,)), run((9,))) == [
        "GA (hidden_layer_sizes=(5))",
        "GA (hidden_layer_sizes=(9))",
    ]
    assert labels(run((5,)), run((5,), activation="tanh"), run((5,))) == [
        "GA",
        "GA (activation=tanh)",
    ]
    # Seeds of one network, whatever else their settings hold.
    assert labels(run((5,)), run([5], max_time=3)) == ["GA"]
