"""Islands: populations of their own that exchange along a ring, against one as large as all.

An island is a run of `evolve` in a thread, with a callback that sends to other islands and hears
them. Where the offspring are mutations of one mean, the mean is what travels: an island's own moves
half of the way to it, or all take the average. Elsewhere the best solution takes the place of the
next island's worst. However the threads take turns, a seed gives the same bits, since an island
waits for what it is to hear.

The settings are the best of those tried with seeds 1 and 2: 2, 4 and 8 islands, 1 to 50 generations
between two exchanges, the better mean instead of half of the way, first means of their own.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import itemgetter
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

BANDWIDTHS = {"100 Mbit/s": 100e6 / 8, "1 Gbit/s": 1e9 / 8}
"""Bytes a second to and from a machine. A generation on a cluster has too few to count."""

RATE = 1.7e10
"""Genes times samples a second of a core, as measured on the digits; wide networks are faster."""

SIZES = (1, 2, 4, 8)
"""Of the populations that the islands' time is compared with, in islands."""

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

    def heard_by(self, island: int) -> list[int]:
        """Return the islands that one hears."""
        steps = range(1, self.n) if self.average else [1]
        return [(island - step) % self.n for step in steps]


def default(size: int, **changes: Any) -> Recipe:
    """Return the default recipe with another population."""
    return Recipe(population_size=size, **changes)


def as_one(recipe: Recipe, n: int) -> Recipe:
    """Return the recipe of a population as large as some islands."""
    sizes = ("population_size", "n_parents", "n_elites")
    held = {name: getattr(recipe, name) for name in sizes}
    return replace(recipe, **{name: size and n * size for name, size in held.items()})


def classic(size: int) -> Recipe:
    """Return the textbook recipe with a smaller population."""
    recipe = RECIPES["classic"]
    return replace(recipe, population_size=size, n_parents=size // 4, n_elites=size // 16)


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


def fitness(results: list[EvolutionResult]) -> float:
    """Return that of the best island."""
    return max(result.best_fitness for result in results)


def spent(results: list[EvolutionResult], goal: float) -> tuple[float, int]:
    """Return evaluations, of the busiest island, and generations until one is as good as a goal."""
    reached = min(
        int(np.argmax(result.history["best_fitness"] >= goal))
        for result in results
        if result.best_fitness >= goal
    )
    rows = [result.history["evaluations"] for result in results]
    return float(max(row[min(reached, len(row) - 1)] for row in rows)), reached


def speed_up(
    islands: Islands,
    found: list[EvolutionResult],
    others: dict[int, list[EvolutionResult]],
    *,
    n_samples: int,
    bandwidth: float,
) -> np.ndarray:
    """Return how much faster islands are than the fastest population of `SIZES`, for all `WIDTHS`.

    Each island has a machine of one core; a population has one of them, or all as a cluster. The
    time is that to the accuracy which the islands and the population of their size come to.
    """
    goal = min(fitness(found), fitness(others[islands.n]))
    genes = WIDTHS * sum(W.size for W in found[0].weights)
    second = genes * n_samples / RATE  # an evaluation
    evaluations, generations = spent(found, goal)
    exchange = LATENCY + 4 * genes * len(islands.heard_by(0)) / bandwidth
    ours = evaluations * second + generations // islands.every * exchange
    theirs = []
    for results in others.values():
        if fitness(results) >= goal:
            evaluations, generations = spent(results, goal)
            work = evaluations * second
            theirs += [work, work / islands.n + generations * LATENCY]
    return np.asarray(np.min(theirs, axis=0) / ours)


# -------------------------------------------------------------------------------------- table


def difference(ours: Iterable[float], others: Iterable[float]) -> tuple[float, float, float]:
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
    slow network are computed; they are those of the width of network where islands do best, and
    beside them are the widths where they are ahead.
    """
    numbers = range(FIRST_SEED, FIRST_SEED + (2 if quick else seeds))
    rows: list[dict[str, Any]] = []
    for name in EVALUATIONS:
        seen: dict[tuple[Recipe, int], Any] = {}  # several settings are compared with the same runs
        for setting, islands in SETTINGS.items():
            found, others = [], []
            for seed in numbers:
                recipes = {n: as_one(islands.recipe, n) for n in SIZES}
                for recipe in recipes.values():
                    if (recipe, seed) not in seen:
                        seen[recipe, seed] = run(name, seed, Islands(recipe, 1, 1))
                others.append({n: seen[recipe, seed] for n, recipe in recipes.items()})
                found.append(run(name, seed, islands))
            row = _scores(found, [populations[islands.n] for populations in others])
            row |= _speeds(name, islands, found, others)
            rows.append({"set": name, "islands": setting} | row)
            print(rows[-1], flush=True)
    return rows


def _scores(ours: list[Any], one: list[Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for what, score in (("held out", itemgetter(1)), ("training", lambda it: fitness(it[0]))):
        values = [[100 * score(it) for it in runs] for runs in (ours, one)]
        row[f"one population, {what}"] = float(np.median(values[1]))
        row[f"islands' difference, {what}"] = _interval(difference(*values))
    return row


def _speeds(
    name: str, islands: Islands, found: list[Any], others: list[dict[int, Any]]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    n_samples = len(SETS[name].split(FIRST_SEED)[0])
    genes = WIDTHS * sum(W.size for W in found[0][0][0].weights)
    for title, bandwidth in BANDWIDTHS.items():
        logs = np.log(
            [
                speed_up(
                    islands,
                    ours[0],
                    {n: results[0] for n, results in theirs.items()},
                    n_samples=n_samples,
                    bandwidth=bandwidth,
                )
                for ours, theirs in zip(found, others, strict=True)
            ]
        )
        medians = np.median(logs, axis=0)
        best, ahead = logs[:, np.argmax(medians)], genes[medians > 0]
        row[f"speed, {title}"] = _interval(np.exp(difference(best, 0 * best)))
        row[f"ahead, {title}, genes"] = (
            f"{ahead[0]:,.0f} to {ahead[-1]:,.0f}" if len(ahead) else "nowhere"
        )
    return row


def _interval(found: Iterable[float]) -> str:
    return "{:.3g} ({:.3g} to {:.3g})".format(*found)
