"""Plots of what a run found: what a network looks at, and how a population lies."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from ga_ann.datasets import check_histogram
from ga_ann.low_rank import LowRankPopulation
from ga_ann.operators import centred_weights, rank_order
from ga_ann.plotting import check_axes, escape_text, new_axes, write_caption
from ga_ann.state import State
from ga_ann.storage import Model
from ga_ann.validation import check_samples, feature_names_of

__all__ = [
    "Snapshot",
    "describe_spread",
    "plot_hue_weights",
    "plot_population",
    "take_snapshot",
]

_UNIT = 0.45
"""How high the highest bar is, in rows."""

_GREY = "0.4"


class HasModel(Protocol):
    """What training returned, or a fitted estimator."""

    def to_model(self) -> Model:
        """Return the network with what it takes to use it on new data."""


class HasState(Protocol):
    """What `evolve` returned."""

    @property
    def state(self) -> State:
        """Where the run stood at the end."""


class Snapshot(NamedTuple):
    """A population around its mean, in the two directions that selection pulls most.

    Attributes
    ----------
    generation : int
        Which one it is.
    points : ndarray of shape (n_solutions, 2)
        The solutions' places in the two directions, best first.
    ranks : ndarray of int, of shape (n_solutions,)
        Their ranks; 1 is the best.
    pull : float
        How far selection pulls the mean, in the first direction.
    narrows : bool
        Whether selection narrows the spread in the second direction, or widens it.
    """

    generation: int
    points: NDArray[np.float64]
    ranks: NDArray[np.intp]
    pull: float
    narrows: bool


class _Hues(NamedTuple):
    """Which columns of the samples count hues: their places, and which of the bins they are."""

    columns: NDArray[np.intp]
    bins: NDArray[np.intp]
    n_bins: int
    limits: tuple[float, float] | None


def plot_hue_weights(
    model: Model | HasModel,
    X: ArrayLike | pd.DataFrame,
    ax: Axes | None = None,
    *,
    extraction: Mapping[str, Any] | None = None,
    caption: bool = True,
) -> Axes:
    """Plot which hues speak for which class: a strip of bars a class, in the colours of the hues.

    A bar is what the score of the class gains where a bin of the hue histogram holds a standard
    deviation more than on average: upward, the hue speaks for the class; downward, against it. Of
    the scores the mean over the classes is taken away first, since what all of them gain decides
    nothing.

    Parameters
    ----------
    model : Model, TrainingResult or fitted classifier
        A network that takes hue histograms.
    X : array-like or DataFrame of shape (n_samples, n_features)
        The samples to measure on, as `model` takes them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None, the default, makes a new figure.
    extraction : mapping, optional
        How the histograms were made, such as ``{"bins": 360, "hue_range": (0, 1)}``, where the
        model does not say it: one that `ga-ann train` made of pictures does. With a `hue_range` of
        None, each picture has bins of its own, which stand for no hue: they are drawn in grey.
    caption : bool, default=True
        Whether the scale of the bars stands below the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If `model` is none of the above, `ax` is no Axes, `X` is on disk or too large for a dense
        array, or `extraction` holds no histogram's settings.
    ValueError
        If the model is a regression, it is not known which columns are which bins, or `X` does not
        fit the model.

    Notes
    -----
    This is occlusion [Zeiler and Fergus, 2014]: each sample is scored as it is and with the bin at
    its mean over the samples; the gain is the slope of the difference over the bin, fitted by least
    squares, times the bin's standard deviation. It asks the whole network, activations included:
    the weights of the first layer alone do not say what the later ones make of them. For a network
    without hidden layers, a bar is the weight times the standard deviation. What holds in all
    samples alike, such as a white background, makes no bar. One bin is changed at a time: what
    several say together is not seen. Grey and white pixels have hue 0, that of red.

    Examples
    --------
    >>> red_or_green = Model([np.eye(2)], "relu", "identity", np.array(["apple", "lime"]))
    >>> ax = plot_hue_weights(
    ...     red_or_green, [[9, 1], [2, 8]], extraction={"bins": 2, "hue_range": (0, 0.5)}
    ... )
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['apple', 'lime']
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    model = _find_model(model)
    if model.classes is None:
        raise ValueError("model must have classes for hues to speak for, got a regression.")
    if ax is not None:
        check_axes(ax)
    samples = X if isinstance(X, pd.DataFrame) else check_samples(X)
    if not isinstance(samples, pd.DataFrame | np.ndarray):
        raise TypeError(f"X must be an array or a DataFrame in memory, got {type(samples)}.")
    hues = _find_hues(model, samples, extraction)
    effects = _effects(model, samples, hues)
    names = [escape_text(label) for label in model.classes]
    if ax is None:
        ax = new_axes((8.0, 1.5 + 0.8 * len(names)))
    _draw_strips(ax, hues, effects)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    if caption:
        largest = np.abs(effects).max()
        write_caption(
            ax,
            f"highest bar: {largest:.3g} of the score for a standard deviation more in the bin; "
            f"{len(samples):,} samples",
        )
    return ax


def _find_model(given: Any) -> Model:
    if isinstance(given, Model):
        return given
    if isinstance(given, type) or not hasattr(given, "to_model"):
        raise TypeError(
            "model must be a Model, what training returned, or a fitted classifier of this "
            f"package, got {type(given).__name__}."
        )
    model: Model = given.to_model()
    return model


def _find_hues(model: Model, X: Any, extraction: Mapping[str, Any] | None) -> _Hues:
    """Return which columns count which hues."""
    made = model.extraction if extraction is None else extraction
    if not isinstance(made, Mapping) or not {"bins", "hue_range"} <= made.keys():
        raise ValueError(
            "extraction must tell how the hue histograms were made, where the model does not: such "
            f"as {{'bins': 360, 'hue_range': (0, 1)}}; got {made!r}."
        )
    limits = check_histogram(made["bins"], made["hue_range"])
    n_bins = int(made["bins"])
    names = model.feature_names if feature_names_of(X) is None else feature_names_of(X)
    if names is not None:
        found = {k: re.fullmatch(r"hue(\d+)", name) for k, name in enumerate(names)}
        numbers = {k: int(match[1]) for k, match in found.items() if match}
        columns, bins = np.array(list(numbers)), np.array(list(numbers.values()))
        if not bins.size or bins.max() >= n_bins:
            raise ValueError(
                f"X must have columns named 'hue0' to 'hue{n_bins - 1}', and no other hues, got "
                f"{reprlib.repr(names.tolist())}."
            )
        return _Hues(columns, bins, n_bins, limits)
    # Shares of saturation and of value stand behind those of hue.
    n_columns = 3 * n_bins if made.get("features") == "hsv" else n_bins
    if X.shape[1] != n_columns:
        raise ValueError(
            f"X must have the {n_columns} columns of the pictures, or names that tell which bins "
            f"they are (a DataFrame with 'hue0', 'hue1', ...), got {X.shape[1]} without names."
        )
    return _Hues(np.arange(n_bins), np.arange(n_bins), n_bins, limits)


def _effects(model: Model, X: Any, hues: _Hues) -> NDArray[np.float64]:
    """Return what a standard deviation of each bin gains each class: (n_columns, n_classes)."""

    def scores(samples: Any) -> NDArray[np.float64]:
        raw = model.predict_scores(samples).astype(np.float64)
        centred: NDArray[np.float64] = raw - raw.mean(axis=1, keepdims=True)
        return centred

    whole, effects = scores(X), []
    for column in hues.columns:
        counts = X.iloc[:, column] if isinstance(X, pd.DataFrame) else X[:, column]
        counts = np.asarray(counts, dtype=np.float64)
        deviations = counts - counts.mean()
        std = np.sqrt(np.mean(deviations**2)) or 1.0  # a bin that is always the same gains nothing
        gains = whole - scores(_with_column(X, column, counts.mean()))
        effects.append(deviations @ gains / (len(gains) * std))
    return np.array(effects)


def _with_column(X: Any, column: int, value: float) -> Any:
    """Return the samples with another column, the same in all of them."""
    if isinstance(X, pd.DataFrame):
        changed = X.copy()
        changed.isetitem(column, value)
        return changed
    table = X.astype(np.result_type(X, np.float32))
    table[:, column] = value
    return table


def _draw_strips(ax: Axes, hues: _Hues, effects: NDArray[np.float64]) -> None:
    start, stop = hues.limits or (0.0, hues.n_bins / 360)
    low, high = 360 * start, 360 * stop
    width = (high - low) / hues.n_bins
    middles = low + (hues.bins + 0.5) * width
    colours: Any = _GREY
    if hues.limits is not None:
        # A little darker than pure, so that yellow is seen on white.
        colours = hsv_to_rgb([(hue / 360, 1.0, 0.85) for hue in middles])
    unit = _UNIT / (np.abs(effects).max() or 1)
    for row, heights in enumerate(effects.T):
        # The axis points downward, so that the first class is on top.
        ax.bar(middles, -unit * heights, width, bottom=row, color=colours)
        ax.axhline(row, color="0.6", lw=0.6, zorder=0)
    ax.set_xlim(low, high)
    ax.set_xlabel("Bin of each picture's own range of hues" if hues.limits is None else "Hue (°)")
    if hues.limits is not None and high - low >= 180:
        ax.set_xticks(np.arange(np.ceil(low / 60) * 60, high + 1, 60))
    elif isinstance(locator := ax.xaxis.get_major_locator(), MaxNLocator):
        locator.set_params(integer=True)


def plot_population(result: State | HasState | Snapshot, ax: Axes | None = None) -> Axes:
    """Plot a population around its mean, in the two directions that selection pulls most.

    To the right is where selection pulls the mean: the sum of the solutions' distances from it, by
    weights of sum 0 that fall with their rank (see `ga_ann.operators.centred_weights`). The arrow
    is that sum: where the mean would go. Upward is the direction, at a right angle to it, in which
    selection changes the spread of the population most: the sum of the squared distances by the
    same weights.

    Parameters
    ----------
    result : EvolutionResult, State or Snapshot
        What `evolve` returned, a run's state (``ga.state`` in a callback), a checkpoint, as
        `load_checkpoint` returned it, or one of a run's `Snapshots`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None, the default, makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar of colours for the ranks beside it.

    Raises
    ------
    TypeError
        If `result` is none of the above, or `ax` is no Axes.
    ValueError
        If the population has not been ranked, or it has no spread.

    Notes
    -----
    The mean of a low-rank population is the one that its solutions are mutations of, and that of
    others is their average. Of many genes, mutations are all but at right angles to each other:
    there the better solutions lie to the right because the direction was made from them, and it is
    the length of the arrow beside the cloud that tells how far selection gets.

    All is computed from the products of the solutions with each other: of a low-rank population
    no chromosome is made. There are n_solutions x n_solutions of them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> result = evolve(X, y, hidden_layer_sizes=5, n_generations=3, random_state=0)
    >>> ax = plot_population(result)
    >>> len(ax.collections[0].get_offsets()) == len(result.population)
    True
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    if ax is not None:
        check_axes(ax)
    snapshot = result if isinstance(result, Snapshot) else take_snapshot(_find_state(result))
    ax = new_axes() if ax is None else ax
    x, y = snapshot.points[::-1].T  # the best are drawn last, on top
    dots = ax.scatter(
        x, y, c=snapshot.ranks[::-1], cmap="viridis", s=30, edgecolors="white", linewidths=0.5
    )
    pull = (snapshot.pull, 0)
    ax.annotate("", pull, (0, 0), arrowprops={"arrowstyle": "->", "color": "#D55E00", "lw": 2})
    ax.update_datalim([pull])  # or an arrow that is longer than the cloud would not be drawn
    ax.plot(0, 0, "+", color="black", ms=10, mew=1.5, label="Mean", ls="")
    ax.set(xlabel="Where selection pulls the mean", ylabel=describe_spread(snapshot))
    ax.set_aspect("equal", adjustable="datalim")
    ax.grid(alpha=0.3)
    bar = ax.figure.colorbar(dots, ax=ax, label="Rank (1 is the best)")
    bar.ax.invert_yaxis()
    return ax


def describe_spread(snapshot: Snapshot) -> str:
    """Return what the second direction is."""
    return f"Where selection {'narrows' if snapshot.narrows else 'widens'} the spread most"


def take_snapshot(state: State, most_solutions: int | None = None) -> Snapshot:
    """Return what `plot_population` shows of a run.

    Parameters
    ----------
    state : State
        Where the run stands.
    most_solutions : int, optional
        Of a larger population, so many solutions stand for all: evenly from the best to the worst.

    Raises
    ------
    ValueError
        If the population has not been ranked, or it has no spread.
    """
    order = rank_order(state.ranking)
    n = len(order)
    if n != len(state.population) or not np.isfinite(state.ranking).any():
        raise ValueError(
            "result must have a population that was ranked, got one of "
            f"{len(state.population)} solutions and {np.isfinite(state.ranking).sum()} rankings."
        )
    places = np.linspace(0, n - 1, min(n, most_solutions or n)).round().astype(np.intp)
    products = _products(state.population, order[places])
    points, pull, narrows = _project(products, centred_weights(len(places)))
    return Snapshot(state.generation, points, places + 1, pull, narrows)


def _find_state(given: Any) -> State:
    state = given if isinstance(given, State) else getattr(given, "state", None)
    if not isinstance(state, State):
        raise TypeError(
            "result must be what evolve returned, the State of a run, or a Snapshot of one, got "
            f"{given!r}."
        )
    return state


@np.errstate(over="ignore", invalid="ignore")  # what overflows pulls nowhere
def _products(
    population: NDArray[Any] | LowRankPopulation, rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the scalar products of some solutions' distances from the mean with each other."""
    if not isinstance(population, LowRankPopulation):
        distances = np.asarray(population[rows], dtype=np.float64)
        distances -= population.mean(axis=0, dtype=np.float64)
        overlaps: NDArray[np.float64] = distances @ distances.T
        return overlaps
    products = np.zeros((len(rows), len(rows)))
    for factors in population.noise.factors(population.places[rows], population.sigma):
        # In double precision, so that solutions that are the same come out as the same.
        left, right = (part.swapaxes(0, 1).astype(np.float64) for part in factors)
        *rights, biases = right
        products += biases @ biases.T
        # A mutation is a sum of a^T b, and <a^T b, c^T d> = <a, c> <b, d>: no gene is needed.
        for A, B in zip(left, rights, strict=True):
            for C, D in zip(left, rights, strict=True):
                products += (A @ C.T) * (B @ D.T)
    return products


def _project(
    products: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float, bool]:
    """Return the solutions' places in the two directions, the pull, and whether it narrows.

    Every direction is a weighted sum of the solutions' distances from the mean, so that the
    products of these are all that it takes, as in a kernel PCA.
    """
    along = products @ weights
    pull = max(0.0, float(weights @ along)) ** 0.5
    if not pull > 1e-6 * float(np.abs(products).max()) ** 0.5:  # but rounding
        raise ValueError(
            "result must have a population of solutions that differ, got one that selection pulls "
            "nowhere."
        )
    along /= pull
    # The rest, at a right angle to it: products = Y Y^T, with a row of Y for each solution.
    values, vectors = eigh(products - np.outer(along, along))
    Y = vectors * np.sqrt(np.maximum(values, 0))
    changes, directions = eigh(Y.T @ (weights[:, None] * Y))
    k = int(np.abs(changes).argmax())
    across = Y @ directions[:, k]
    across *= np.copysign(1, across[weights.argmax()])  # of the two signs, the best is above
    return np.column_stack([along, across]), pull, bool(changes[k] < 0)
