"""Islands: populations of their own that exchange along a ring, against one as large as all.

An island is a run of `evolve` in a thread, with a callback that sends to other islands and hears
them. Where the offspring are mutations of one mean, the mean is what travels: an island's own moves
half of the way to it, or all take the average. Elsewhere the best solution takes the place of the
next island's worst. However the threads take turns, a seed gives the same bits, since an island
waits for what it is to hear.

The settings are the best of those tried with seeds 1 and 2: 2, 4 and 8 islands, 1 to 50 generations
between two exchanges, the better mean instead of half of the way, first means of their own.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

import numpy as np

from benchmarks.data_sets import FIRST_SEED, SETS
from ga_ann import RECIPES, EvolutionResult, Recipe, evolve
from ga_ann.callbacks import Callback
from ga_ann.comparison import paired_differences

EVALUATIONS = {"fruits, histograms": 1500, "digits": 3000, "eleven classes": 4000}
"""Networks on all samples, by data set: of one population, or of all islands together."""

LATENCY = 0.1
"""Seconds that a generation takes longer on a cluster, or an exchange: messages take 50 ms."""

BANDWIDTH = 100e6 / 8
"""Bytes a second to and from a machine."""

RATE = 1.7e10
"""Genes times samples a second of a core, as measured on the digits; wide networks are faster."""

WIDTHS = np.logspace(0, 5, 51)
"""How many times the genes, and as many times the seconds, the slow network is told for."""


@dataclass(frozen=True)
class Islands:
    """How many islands there are, of which size, and when and how they exchange.

    Attributes
    ----------
    recipe : Recipe
        Of one island.
    n, every : int
        Number of islands, and of generations between two exchanges.
    average : bool
        Whether all hear all and take the average of the means, instead of moving along the ring.
    """

    recipe: Recipe
    n: int
    every: int
    average: bool = False

    @property
    def as_one(self) -> Recipe:
        """The recipe of one population of the total size."""
        sizes = ("population_size", "n_parents", "n_elites")
        held = {name: getattr(self.recipe, name) for name in sizes}
        return replace(self.recipe, **{name: k and self.n * k for name, k in held.items()})

    def heard_by(self, island: int) -> list[int]:
        """Return the islands that one hears."""
        steps = range(1, self.n) if self.average else [1]
        return [(island - step) % self.n for step in steps]


def default(size: int, **changes: Any) -> Recipe:
    """Return the default recipe with another population."""
    return Recipe(population_size=size, **changes)


def classic(size: int) -> Recipe:
    """Return the textbook recipe with a smaller population."""
    shares = {"n_parents": size // 4, "n_elites": size // 16}
    return replace(RECIPES["classic"], population_size=size, **shares)


SETTINGS = {
    "2 x 32, average, every 20": Islands(default(32), 2, 20, average=True),
    "4 x 32, average, every 20": Islands(default(32), 4, 20, average=True),
    "4 x 32, ring, every 5": Islands(default(32), 4, 5),
    "accuracy alone, 4 x 32, average, every 5": Islands(
        default(32, ranking="fitness"), 4, 5, average=True
    ),
    "classic, 2 x 32, ring, every 5": Islands(classic(32), 2, 5),
    "classic, 4 x 16, ring, every 5": Islands(classic(16), 4, 5),
}


# ------------------------------------------------------------------------------------ islands


class Exchange(Callback):
    """Sends and hears in every so many generations, as long as all that are heard go on."""

    def __init__(self, islands: Islands, sends: Sequence[Any], hears: Sequence[Any]) -> None:
        self.islands, self.sends, self.hears = islands, sends, hears

    def on_generation(self, ga: Any, history: Any) -> None:
        """Exchange, after a generation was measured and before the next one is bred."""
        generation = len(history) - 1
        if not self.hears or not generation or generation % self.islands.every:
            return
        state = ga.state
        is_dense = isinstance(state.population, np.ndarray)
        self._send(best_of(state) if is_dense else state.population.mean.copy())
        heard = [queue.get() for queue in self.hears]
        if any(message is None for message in heard):
            self.hears = []
        elif is_dense:
            replace_worst(state, *heard[0])
        else:
            state.population.mean[:] = np.mean([state.population.mean, *heard], axis=0)

    def _send(self, message: Any) -> None:
        for queue in self.sends:
            queue.put(message)

    def close(self) -> None:
        """Let nobody wait for this island."""
        self._send(None)


def best_of(state: Any) -> tuple[np.ndarray, float, float]:
    """Return the best solution, its fitness and its ranking, all samples seen."""
    best = np.argmax(state.ranking)
    return state.population[best].copy(), state.fitness[best], state.ranking[best]


def replace_worst(state: Any, solution: np.ndarray, fitness: float, ranking: float) -> None:
    """Put a solution in the place of the worst one."""
    worst = np.argmin(state.ranking)
    state.population[worst], state.fitness[worst], state.ranking[worst] = solution, fitness, ranking


def run(name: str, seed: int, islands: Islands) -> tuple[list[EvolutionResult], float]:
    """Return what the islands come to, and the held-out score of the best one's network."""
    data = SETS[name]
    X, y, X_test, y_test = data.split(seed)
    options: dict[str, Any] = {
        "hidden_layer_sizes": data.hidden,
        "bias": True,
        "recipe": islands.recipe,
        "target_fitness": None,  # a run that ends there has no weight decay
        "n_jobs": 1,
    }
    queues: dict[Any, Any] = {
        (other, island): SimpleQueue()
        for island in range(islands.n)
        for other in (islands.heard_by(island) if islands.n > 1 else [])
    }
    first = evolve(X, y, n_generations=0, random_state=seed, **options).population
    seeds = np.random.SeedSequence(seed).spawn(islands.n)

    def one(island: int) -> EvolutionResult:
        sends = [queue for (sender, _), queue in queues.items() if sender == island]
        hears = [queue for (_, hearer), queue in queues.items() if hearer == island]
        return evolve(
            X,
            y,
            # Means that were never one have nothing between them.
            start=None if isinstance(first, np.ndarray) else first.mean[None],
            n_generations=10**6,
            max_evaluations=EVALUATIONS[name] / islands.n,
            random_state=np.random.default_rng(seeds[island]),
            callbacks=[Exchange(islands, sends, hears)],
            **options,
        )

    with ThreadPoolExecutor(islands.n) as pool:
        results = list(pool.map(one, range(islands.n)))
    best = max(results, key=lambda result: (result.best_fitness, result.state.best.ranking))
    return results, data.score(y_test, best.predict(X_test))


# ----------------------------------------------------------------------------- a slow network


def spent(results: list[EvolutionResult], goal: float) -> tuple[float, int]:
    """Return evaluations, of the busiest island, and generations until one is as good as a goal."""
    reached = min(
        generation
        for result in results
        for generation in np.flatnonzero(np.array(result.history["best_fitness"]) >= goal)
    )
    rows = [result.history["evaluations"] for result in results]
    return max(row[min(reached, len(row) - 1)] for row in rows), int(reached)


def speed_up(
    islands: Islands, runs: dict[str, list[EvolutionResult]], n_samples: int, bandwidth: float
) -> np.ndarray:
    """Return the islands' speed over one machine or a cluster, whichever is faster, for `WIDTHS`.

    Islands and cluster have a machine of one core an island. What they are compared with has one
    population, of the size of one island or of all. The time is that to the accuracy which all of
    them come to.
    """
    goal = min(max(result.best_fitness for result in results) for results in runs.values())
    genes = WIDTHS * sum(W.size for W in runs["islands"][0].weights)
    second = genes * n_samples / RATE  # an evaluation
    evaluations, generations = spent(runs["islands"], goal)
    exchange = LATENCY + 4 * genes * len(islands.heard_by(0)) / bandwidth
    ours = evaluations * second + generations // islands.every * exchange
    others = []
    for name in ("one", "small"):
        evaluations, generations = spent(runs[name], goal)
        work = evaluations * second
        others += [work, work / islands.n + generations * LATENCY]
    return np.min(others, axis=0) / ours


# -------------------------------------------------------------------------------------- table


def difference(ours: Sequence[float], others: Sequence[float]) -> tuple[float, float, float]:
    """Return the median of the differences, seed by seed, and its 95 % interval."""
    rows = [
        {"split": "", "method": method, "seed": seed, "held_out_score": value}
        for method, values in (("ours", ours), ("others", others))
        for seed, value in enumerate(values)
    ]
    found = paired_differences(rows, "ours")[0]
    return found["median"], found["low"], found["high"]


def measure(*, quick: bool = False, seeds: int = 10) -> list[dict[str, Any]]:
    """Return a row a data set and setting: islands less one population, at equal evaluations.

    Scores are accuracies in %, medians with the 95 % interval of their differences. Speeds on a
    slow network are computed for the width of network where islands do best.
    """
    numbers = range(FIRST_SEED, FIRST_SEED + (2 if quick else seeds))
    rows: list[dict[str, Any]] = []
    for name in EVALUATIONS:
        seen: dict[tuple[Recipe, int], Any] = {}  # several settings are compared with the same runs
        for setting, islands in SETTINGS.items():
            found = []
            for seed in numbers:
                for recipe in (islands.as_one, islands.recipe):
                    if (recipe, seed) not in seen:
                        seen[recipe, seed] = run(name, seed, Islands(recipe, 1, 1))
                alone = {"one": islands.as_one, "small": islands.recipe}
                runs = {key: seen[recipe, seed] for key, recipe in alone.items()}
                found.append(runs | {"islands": run(name, seed, islands)})
            rows.append({"set": name, "islands": setting} | _row(name, islands, found))
            print(rows[-1], flush=True)
    return rows


def _row(name: str, islands: Islands, found: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    scores = {key: [100 * runs[key][1] for runs in found] for key in found[0]}
    trained = {
        key: [100 * max(result.best_fitness for result in runs[key][0]) for runs in found]
        for key in found[0]
    }
    for what, values in (("held out", scores), ("training", trained)):
        row[f"one, {what} %"] = float(np.median(values["one"]))
        row[f"islands' difference, {what}"] = _interval(
            difference(values["islands"], values["one"])
        )
    n_samples = len(SETS[name].split(FIRST_SEED)[0])
    for title, bandwidth in (("100 Mbit/s", BANDWIDTH), ("latency alone", np.inf)):
        results = [{key: runs[key][0] for key in runs} for runs in found]
        logs = np.log([speed_up(islands, runs, n_samples, bandwidth) for runs in results])
        best = int(np.argmax(np.median(logs, axis=0)))
        row[f"speed, {title}"] = _interval(np.exp(difference(logs[:, best], 0 * logs[:, best])))
        row[f"genes, {title}"] = int(
            WIDTHS[best] * sum(W.size for W in results[0]["one"][0].weights)
        )
    return row


def _interval(found: Sequence[float]) -> str:
    return "{:.3g} ({:.3g} to {:.3g})".format(*found)
