"""A run in motion: snapshots of its populations, and the animation that they make."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from PIL import Image

from ga_ann.callbacks import Callback
from ga_ann.history import History, HistoryOrOwner, find_history
from ga_ann.inspection import Snapshot, describe_spread, plot_population, take_snapshot
from ga_ann.network import lookup
from ga_ann.plotting import X_LABELS, plot_fitness
from ga_ann.storage import check_writable, replacing
from ga_ann.validation import check_number

__all__ = ["Snapshots", "animate", "save_animation"]

MOST_SOLUTIONS = 256
"""Solutions of a snapshot, at most: the work grows with their square."""

PAUSE = 2.0
"""Seconds for which the last generation stays to be seen."""

FPS = (0.1, 50.0)
"""Frames a second, at least and at most: a GIF counts hundredths of a second, in two bytes."""

SIZE = (9.5, 4.2)
"""Inches of the figure."""


class Snapshots(Callback):
    """Keeps what `plot_population` shows of a run's generations, for `animate`.

    A snapshot holds two numbers for each of up to 256 solutions, evenly from the best to the worst:
    the memory is bounded, and so is the work, since only what may be kept is computed. It is the
    `Snapshot` that `plot_population` takes. The generations of which there is none are left out:
    those that were ranked by no finite number, or whose solutions do not differ.

    Parameters
    ----------
    every : int, default=1
        Generations from one snapshot to the next, at least 1.
    most : int, default=80
        Snapshots that are kept, beside that of the last generation; at least 2. When there are
        more, every other one is let go and from then on half as many are taken, so that those of a
        long run are as evenly spread as those of a short one.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> snapshots = Snapshots(most=4)
    >>> options = {"target_fitness": None, "random_state": 0}
    >>> result = evolve(X, y, n_generations=9, callbacks=[snapshots], **options)
    >>> [snapshot.generation for snapshot in snapshots]
    [0, 4, 8, 9]
    """

    def __init__(self, every: int = 1, *, most: int = 80) -> None:
        check_number(every, "every", Integral, low=1)
        check_number(most, "most", Integral, low=2)
        self.every = every
        self.most = most
        self._held: list[Snapshot] = []
        self._step = every

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, index: int) -> Snapshot:
        return self._held[index]

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self._held)

    def on_start(self, history: History) -> None:
        """Forget the run before."""
        self._held, self._step = [], self.every

    def on_generation(self, ga: Any, history: History) -> None:
        """Keep the generation if it is time to."""
        if ga.state.generation % self._step == 0:
            self._keep(ga)
        while len(self._held) > self.most:
            self._step *= 2
            self._held = [held for held in self._held if held.generation % self._step == 0]

    def on_stop(self, ga: Any, history: History) -> None:
        """Keep the last generation."""
        if not self._held or self._held[-1].generation != ga.state.generation:
            self._keep(ga)

    def _keep(self, ga: Any) -> None:
        with suppress(ValueError):  # there is nothing to see, which is no reason to end a run
            self._held.append(take_snapshot(ga.state, MOST_SOLUTIONS))


def animate(
    snapshots: Snapshots | Sequence[Snapshot],
    history: HistoryOrOwner,
    figure: Figure | None = None,
    *,
    x: str = "generation",
    fps: float = 8.0,
) -> FuncAnimation:
    """Animate a run: its population around the mean, beside the fitness up to that generation.

    Each frame is a generation in its own two directions, as `plot_population` draws it, all of them
    to the same scale: a cloud that shrinks is a population that does. A single one is
    ``plot_population(snapshots[-1], ax)``.

    Parameters
    ----------
    snapshots : Snapshots or sequence of Snapshot
        What the callback kept of the run.
    history : History, TrainingResult or fitted estimator
        What the run measured.
    figure : matplotlib.figure.Figure, optional
        An empty figure to draw into; None, the default, makes a new one.
    x : {"generation", "evaluations", "seconds"}, default="generation"
        What runs along the horizontal axis of the fitness.
    fps : float, default=8
        Frames a second, from 0.1 to 50.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Keep a reference to it, or it stops. In a notebook, ``HTML(animation.to_jshtml())`` of
        `IPython.display` shows it with buttons.

    Raises
    ------
    TypeError
        If `snapshots` holds something else, `history` has no History, or `figure` is no Figure.
    ValueError
        If there are no snapshots, `history` lacks a generation of theirs, or `x` or `fps` is out of
        its range.

    See Also
    --------
    save_animation : The same as a GIF.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> snapshots = Snapshots()
    >>> result = evolve(X, y, n_generations=3, callbacks=[snapshots], random_state=0)
    >>> animation = animate(snapshots, result)
    >>> page = animation.to_jshtml()
    >>> plt.close("all")
    """
    scenes = _find_scenes(snapshots, history, x, fps)
    if figure is None:
        figure = plt.figure(figsize=SIZE, layout="constrained")
    elif not isinstance(figure, Figure):
        raise TypeError(f"figure must be a Figure of Matplotlib or None, got {figure!r}.")
    show = _set_stage(figure, scenes)
    n_frames, interval = len(scenes.snapshots), round(1000 / fps)
    rest = round(1000 * PAUSE)
    return FuncAnimation(figure, show, n_frames, interval=interval, repeat_delay=rest)


def save_animation(
    path: str | os.PathLike[str],
    snapshots: Snapshots | Sequence[Snapshot],
    history: HistoryOrOwner,
    *,
    x: str = "generation",
    fps: float = 8.0,
    dpi: float = 100,
) -> None:
    """Save what `animate` shows as a GIF, which rests on the last generation and begins anew.

    A file of that name is replaced in one step when the new one is complete. Eighty frames are
    about a megabyte.

    Parameters
    ----------
    path : path-like
        The file, which must end in ``.gif``; its folder must exist.
    snapshots, history, x, fps
        As for `animate`.
    dpi : float, default=100
        Dots an inch, above 0; the picture is 9.5 by 4.2 inches.

    Raises
    ------
    TypeError, ValueError
        As `animate` does; or if the ending is another one, or `dpi` is not positive.
    FileNotFoundError
        If the folder does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from ga_ann import evolve
    >>> X, y = load_iris(return_X_y=True)
    >>> snapshots = Snapshots()
    >>> result = evolve(X, y, n_generations=3, callbacks=[snapshots], random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_animation(f"{folder}/run.gif", snapshots, result)
    """
    target = Path(path)
    if target.suffix.lower() != ".gif":
        raise ValueError(f"an animation must be saved to a file that ends in .gif, got {target}.")
    check_number(dpi, "dpi", above=0)
    scenes = _find_scenes(snapshots, history, x, fps)
    check_writable(target)
    first, *others = _draw_frames(scenes, dpi)
    durations = [*[1000 / fps] * len(others), 1000 * PAUSE]
    with replacing(target) as file:
        first.save(file, "GIF", save_all=True, append_images=others, duration=durations, loop=0)


class _Scenes(NamedTuple):
    """What is shown: the snapshots, the run, and where they stand along its horizontal axis."""

    snapshots: list[Snapshot]
    history: History
    x: str
    moments: list[float]


def _find_scenes(snapshots: Any, owner: HistoryOrOwner, x: str, fps: float) -> _Scenes:
    check_number(fps, "fps", low=FPS[0], high=FPS[1])
    history = find_history(owner)
    lookup(X_LABELS, x, "x")
    held = list(snapshots) if isinstance(snapshots, Snapshots | Sequence) else [snapshots]
    for snapshot in held:
        if not isinstance(snapshot, Snapshot):
            raise TypeError(
                f"snapshots must be the Snapshots of a run, or a list of some, got {snapshot!r}."
            )
    if not held:
        raise ValueError(
            "snapshots must hold at least one generation, got none: give them to a run first, "
            "evolve(..., callbacks=[snapshots])."
        )
    moments = dict(zip(history["generation"].tolist(), history[x].tolist(), strict=True))
    if missing := [s.generation for s in held if s.generation not in moments]:
        raise ValueError(
            "history must be that of the run that the snapshots are of, got one without the "
            f"generations {reprlib.repr(missing)}."
        )
    return _Scenes(held, history, x, [moments[snapshot.generation] for snapshot in held])


def _set_stage(figure: Figure, scenes: _Scenes) -> Callable[[int], None]:
    """Draw what all frames share; return what shows one of them."""
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    show_cloud = _draw_cloud(left, scenes.snapshots, scenes.history)
    show_curves = _draw_curves(right, scenes.history, scenes.x)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # nothing moves but what the run moves

    def show(k: int) -> None:
        show_cloud(k)
        show_curves(scenes.moments[k])

    return show


def _draw_cloud(ax: Axes, snapshots: Sequence[Snapshot], history: History) -> Callable[[int], None]:
    """Draw a snapshot, in axes that have room for all; return what shows another one."""
    plot_population(snapshots[0], ax)
    (dots,) = ax.collections
    (arrow,) = (text for text in ax.texts if isinstance(text, Annotation))
    tips = [(snapshot.pull, 0.0) for snapshot in snapshots]
    places = np.concatenate([*(snapshot.points for snapshot in snapshots), tips])
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    reach = 0.55 * np.ptp(places, axis=0).max()
    ax.set_aspect("equal", adjustable="box")
    ax.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach))

    of = f" of {history.last['generation']:,.0f}"

    def show(k: int) -> None:
        snapshot = snapshots[k]
        dots.set_offsets(snapshot.points[::-1])
        dots.set_array(snapshot.ranks[::-1])
        arrow.xy = tips[k]
        ax.set_ylabel(describe_spread(snapshot))
        ax.set_title(f"Generation {snapshot.generation:,}{of}", loc="left", fontsize="medium")

    show(0)  # the layout needs the title's height
    return show


def _draw_curves(ax: Axes, history: History, x: str) -> Callable[[float], None]:
    """Draw the whole run; return what shows it up to a place along the horizontal axis."""
    plot_fitness(history, ax, x=x, caption=False)
    ax.autoscale(False)
    whole = [(line, np.asarray(line.get_xydata())) for line in ax.get_lines()]
    for line, _ in whole:
        if line.get_linestyle() != "None":
            line.set_markevery([-1])  # at the head of the curve

    def show(until: float) -> None:
        for line, points in whole:
            line.set_data(*points[points[:, 0] <= until].T)

    return show


def _draw_frames(scenes: _Scenes, dpi: float) -> list[Image.Image]:
    """Return the pictures, in 256 colours each."""
    figure = Figure(figsize=SIZE, dpi=dpi, layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)  # some of its methods carry no types
    show, frames = _set_stage(figure, scenes), []
    for k in range(len(scenes.snapshots)):
        show(k)
        canvas.draw()
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        frames.append(picture.convert("P", palette=Image.Palette.ADAPTIVE))
    return frames
