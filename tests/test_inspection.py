import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import hsv_to_rgb
from sklearn.datasets import make_classification

from ga_ann import GeneticMLPClassifier, Model, TrainingResult, inspection
from ga_ann.history import History
from ga_ann.inspection import plot_hue_weights, plot_population
from ga_ann.low_rank import LowRankPopulation
from ga_ann.operators import centred_weights
from tests.runs import evolve

mpl.use("Agg")

RNG = np.random.default_rng(0)
CLASSES = np.array(["apple", "lemon", "mango"])
X = RNG.integers(0, 100, (40, 12)).astype(float)
ROUND = {"bins": 12, "hue_range": (0, 1)}


@pytest.fixture(autouse=True)
def clean_pyplot(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("show() was called"))
    yield
    plt.close("all")


def make_model(weights, **about):
    return Model(weights, "relu", "identity", CLASSES, **about)


def linear(n_inputs=12, **about):
    return make_model([RNG.normal(size=(n_inputs, 3))], **about)


def strips(ax):
    """Return the heights of the bars, upward, by class and place, and the bars themselves."""
    # The axis points downward.
    heights = np.array([[-bar.get_height() for bar in strip] for strip in ax.containers])
    return heights, ax.containers


def expected_of_linear(W, samples):
    return ((W - W.mean(axis=1, keepdims=True)) * samples.std(axis=0)[:, None]).T


def middles(strip):
    return np.array([bar.get_x() + bar.get_width() / 2 for bar in strip])


class TestHueWeights:
    def test_bars_of_a_network_without_hidden_layers_are_its_weights_times_the_deviations(self):
        model = linear()
        ax = plot_hue_weights(model, X, extraction=ROUND)
        heights, rows = strips(ax)
        expected = expected_of_linear(model.weights[0], X)
        scale = 0.45 / np.abs(expected).max()
        np.testing.assert_allclose(heights, scale * expected, rtol=1e-5, atol=1e-9)
        assert [text.get_text() for text in ax.get_yticklabels()] == CLASSES.tolist()
        assert [{bar.get_y() for bar in row} for row in rows] == [{0}, {1}, {2}]
        assert ax.yaxis_inverted()
        caption = ax.texts[0].get_text().replace("\n", " ")
        assert caption.startswith(f"highest bar: {np.abs(expected).max():.3g} of the score")
        assert caption.endswith("40 samples")

    def test_a_hidden_layer_counts_as_it_is_active(self):
        # Of two hidden neurons the second is dead for all samples, whatever its weights.
        W1 = np.column_stack([RNG.random(12), -100 * RNG.random(12)])
        W2 = RNG.normal(size=(2, 3))
        heights, _ = strips(plot_hue_weights(make_model([W1, W2]), X, extraction=ROUND))
        expected = expected_of_linear(W1[:, :1] @ W2[:1], X)
        np.testing.assert_allclose(
            heights, 0.45 * expected / np.abs(expected).max(), rtol=1e-5, atol=1e-9
        )

    def test_what_is_alike_in_all_samples_makes_no_bar(self):
        samples = X.copy()
        samples[:, 4] = 9000
        heights, _ = strips(plot_hue_weights(linear(), samples, extraction=ROUND))
        assert not heights[:, 4].any()
        assert heights[:, 5].all()

    @pytest.mark.parametrize("limits", [(0, 1), (0.25, 0.75)])
    def test_bars_stand_at_their_hues_in_their_colours(self, limits):
        ax = plot_hue_weights(linear(), X, extraction={"bins": 12, "hue_range": limits})
        edges = 360 * np.linspace(*limits, 13)
        for row in ax.containers:
            np.testing.assert_allclose(middles(row), (edges[:-1] + edges[1:]) / 2)
            for bar, hue in zip(row, middles(row), strict=True):
                np.testing.assert_allclose(
                    bar.get_facecolor()[:3], hsv_to_rgb((hue / 360, 1, 0.85)), atol=1e-9
                )
        assert ax.get_xlim() == pytest.approx((edges[0], edges[-1]))
        assert ax.get_xlabel() == "Hue (°)"

    def test_bins_of_each_pictures_own_range_have_no_colour(self):
        ax = plot_hue_weights(linear(), X, extraction={"bins": 12, "hue_range": None})
        assert {bar.get_facecolor() for row in ax.containers for bar in row} == {
            mpl.colors.to_rgba("0.4")
        }
        assert "own range" in ax.get_xlabel()
        np.testing.assert_allclose(middles(ax.containers[0]), np.arange(12) + 0.5)

    def test_names_of_columns_tell_the_bins(self):
        frame = pd.DataFrame(X[:, :4], columns=["hue7", "weight", "hue2", "hue11"])
        model = linear(4)
        expected = expected_of_linear(model.weights[0], X[:, :4])[:, [0, 2, 3]]
        named = make_model(model.weights, feature_names=np.array(frame.columns, dtype=str))
        for of, samples in ((model, frame), (named, frame), (named, X[:, :4])):
            ax = plot_hue_weights(of, samples, extraction=ROUND)
            np.testing.assert_allclose(middles(ax.containers[0]), 30 * np.array([7, 2, 11]) + 15)
            np.testing.assert_allclose(
                strips(ax)[0], 0.45 * expected / np.abs(expected).max(), rtol=1e-5
            )

    @pytest.mark.parametrize(("kind", "n_bins"), [("hsv", 4), ("hue", 12), (None, 12)])
    def test_a_model_of_pictures_knows_its_bins_and_the_columns_that_it_takes(self, kind, n_bins):
        extraction = {"bins": n_bins, "hue_range": [0, 1]} | ({"features": kind} if kind else {})
        taken = np.arange(12) % 3 != 1
        model = linear(8, extraction=extraction, columns=taken)
        heights, _ = strips(plot_hue_weights(model, X))
        assert heights.shape == (3, n_bins)
        np.testing.assert_array_equal(heights.any(axis=0), taken[:n_bins])

    def test_results_and_estimators_are_taken_as_their_models(self):
        y = CLASSES[X[:, :3].argmax(axis=1)]
        estimator = GeneticMLPClassifier((4,), n_generations=3, random_state=0)
        estimator.fit(X, y)
        result = TrainingResult(
            *(linear().weights, History(), 1.0, CLASSES, "relu", "identity", "")
        )
        for trained in (estimator, result):
            np.testing.assert_array_equal(
                strips(plot_hue_weights(trained, X, extraction=ROUND))[0],
                strips(plot_hue_weights(trained.to_model(), X, extraction=ROUND))[0],
            )

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"model": "model.npz"}, TypeError, "model must be a Model, .* got str"),
            ({"model": Model}, TypeError, "model must be a Model, .* got type"),
            (
                {"model": Model([np.ones((12, 1))], "relu", "identity", None)},
                ValueError,
                "must have classes .* got a regression",
            ),
            ({"extraction": None}, ValueError, "extraction must tell .* got None"),
            ({"extraction": {"bins": 12}}, ValueError, "extraction must tell .* got {'bins': 12}"),
            ({"extraction": ROUND | {"bins": 0}}, ValueError, "bins must be"),
            ({"extraction": ROUND | {"hue_range": (0, 2)}}, ValueError, "hue_range must be"),
            ({"extraction": ROUND | {"bins": 13}}, ValueError, "the 13 columns .* got 12 without"),
            (
                {"extraction": ROUND | {"features": "hsv"}},
                ValueError,
                "the 36 columns .* got 12 without",
            ),
            (
                {"X": pd.DataFrame(X, columns=[f"hue{k}" for k in range(1, 13)])},
                ValueError,
                "'hue0' to 'hue11', and no other",
            ),
            (
                {"X": pd.DataFrame(X, columns=[f"value{k}" for k in range(12)])},
                ValueError,
                "'hue0' to 'hue11', and no other",
            ),
            ({"X": X * np.nan}, ValueError, "NaN"),
            ({"X": X[:0]}, ValueError, "0 sample"),
            ({"ax": "ax"}, TypeError, "ax must be an Axes"),
        ],
    )
    def test_what_cannot_be_read_off_is_refused_and_no_figure_left(self, options, error, message):
        options = {"model": linear(), "X": X, "extraction": ROUND} | options
        with pytest.raises(error, match=message):
            plot_hue_weights(options.pop("model"), options.pop("X"), **options)
        assert not plt.get_fignums()


DATA = make_classification(60, 6, n_informative=4, random_state=0)


def run(**options):
    options = {"n_generations": 3, "target_fitness": None, "random_state": 0} | options
    return evolve(*DATA, hidden_layer_sizes=(5,), **options)


def dots(ax):
    """Return the places of the dots by rank, best first."""
    (cloud,) = [c for c in ax.collections if c.get_array() is not None]
    return np.asarray(cloud.get_offsets())[np.argsort(cloud.get_array())]


KINDS = {
    "low rank": {"bias": False},
    "rank 2 with biases": {"bias": True, "rank": 2},
    "dense": {"recipe": "classic"},
}


class TestPopulation:
    @pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
    def test_the_directions_are_those_of_the_chromosomes(self, options):
        result = run(**options)
        population = result.population
        is_low_rank = isinstance(population, LowRankPopulation)
        assert is_low_rank == ("recipe" not in options)
        chromosomes = np.asarray(population, dtype=float)
        best_first = np.argsort(-result.state.ranking, kind="stable")
        mean = population.mean if is_low_rank else chromosomes.mean(axis=0)
        Z = (chromosomes - mean)[best_first]
        w = centred_weights(len(Z))
        pull = w @ Z
        along = pull / np.linalg.norm(pull)
        rest = Z - np.outer(Z @ along, along)
        changes, directions = np.linalg.eigh(rest.T * w @ rest)
        k = np.abs(changes).argmax()
        across = rest @ directions[:, k]
        across *= np.sign(across[0])

        ax = plot_population(result)
        scale = np.abs(Z @ along).max()
        np.testing.assert_allclose(dots(ax)[:, 0], Z @ along, atol=1e-4 * scale)
        np.testing.assert_allclose(dots(ax)[:, 1], across, atol=1e-3 * np.abs(across).max())
        (arrow,) = [text for text in ax.texts if text.arrow_patch is not None]
        assert arrow.xyann == (0, 0)
        assert arrow.xy == pytest.approx((np.linalg.norm(pull), 0), rel=1e-4)
        assert ax.get_xlim()[1] > arrow.xy[0]
        assert ("narrows" if changes[k] < 0 else "widens") in ax.get_ylabel()
        (cross,) = ax.get_lines()
        np.testing.assert_array_equal(cross.get_xydata(), [[0, 0]])

    def test_no_chromosome_of_a_low_rank_population_is_made(self, monkeypatch):
        result = run()
        monkeypatch.setattr(LowRankPopulation, "_materialise", lambda *a: pytest.fail("made"))
        assert len(dots(plot_population(result))) == len(result.population)

    def test_a_state_is_drawn_as_its_result_into_the_given_axes(self):
        result = run()
        _, (left, right) = plt.subplots(1, 2)
        assert plot_population(result.state, right) is right
        assert not left.has_data()
        np.testing.assert_array_equal(dots(right), dots(plot_population(result)))

    def test_a_failed_solution_is_ranked_last(self):
        state = run().state
        best = state.ranking.argmax()
        n = len(state.population)
        state.ranking = state.ranking.copy()
        state.ranking[best] = np.nan
        drawn = dots(plot_population(state))
        # Where it would stand if it had been measured as worst.
        state.ranking[best] = -1e9
        np.testing.assert_array_equal(dots(plot_population(state)), drawn)
        state.ranking[best] = 1e9
        assert not np.allclose(dots(plot_population(state)), drawn)
        assert len(drawn) == n

    def test_what_was_not_ranked_or_does_not_differ_is_refused(self):
        with pytest.raises(
            TypeError, match=r"evolve returned, the State of a run, or a Snap.* got 'x'"
        ):
            plot_population("x")
        for kind in KINDS.values():
            state = run(**kind).state
            with pytest.raises(TypeError, match="ax must be an Axes"):
                plot_population(state, "ax")
            ranking = state.ranking
            for wrong in (np.empty(0), np.full(len(ranking), np.nan)):
                state.ranking = wrong
                with pytest.raises(ValueError, match=r"was ranked, got .* and 0 rankings"):
                    plot_population(state)
            state.ranking = ranking
            state.population = (
                state.population.take(np.zeros(len(ranking), dtype=int))
                if isinstance(state.population, LowRankPopulation)
                else np.repeat(state.population[:1], len(ranking), axis=0)
            )
            with pytest.raises(ValueError, match="solutions that differ"):
                plot_population(state)
        assert not plt.get_fignums()


def test_the_second_direction_is_at_a_right_angle_to_the_first_and_the_best_is_above():
    Z = RNG.normal(size=(9, 4))
    w = RNG.permutation(centred_weights(9))
    points, pull, _ = inspection._project(Z @ Z.T, w)
    # The coordinates are linear in the solutions, by two directions of length 1.
    directions = np.linalg.lstsq(Z, points, rcond=None)[0]
    np.testing.assert_allclose(directions.T @ directions, np.eye(2), atol=1e-9)
    assert pull == pytest.approx(np.linalg.norm(w @ Z))
    assert points[w.argmax(), 1] > 0
