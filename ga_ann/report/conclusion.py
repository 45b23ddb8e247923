"""What the numbers say, in plain words, and no more than they bear out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ga_ann.comparison import (
    ENOUGH_SEEDS,
    MIN_SEEDS,
    WHY_NAIVE_FAILS,
    Comparison,
    explain_split,
    paired_differences,
    summarise,
)
from ga_ann.history import History

__all__ = [
    "Conclusion",
    "Standing",
    "conclude_comparison",
    "conclude_run",
    "find_standing",
    "format_difference",
    "format_score",
    "improves_late",
]

BASELINES = ("random", "naive", "mean")
"""Methods of `compare` that learn nothing."""

WIDE_GAP = 0.05
"""A difference of training and held-out score that is worth a word; a share of larger scores."""

LATE = 0.9
"""A run whose best came after this share of it may not have been at its end."""

LIMITS = {
    "max_time": "its time limit",
    "max_evaluations": "its limit of evaluations",
    "n_generations": "its limit of generations",
    "max_iter": "its limit of epochs",
    "cluster": "the loss of its cluster",
    "interrupted": "Ctrl-C",
}
"""What a run may have run out of, by its reason to stop."""


@dataclass
class Conclusion:
    """What is to be read first.

    Attributes
    ----------
    verdict : list of str
        What was found.
    ran_out : list of str
        What ended before it was done.
    advice : list of str
        What to try next.
    """

    verdict: list[str] = field(default_factory=list)
    ran_out: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """Where the methods stand on a split, by their held-out scores.

    Attributes
    ----------
    split : str
        Its name.
    leader : str
        The method with the highest median; the first of several.
    medians : mapping of str to float
        Of all methods.
    differences : list of dict
        The leader's to each other method, as `paired_differences` gives them, the nearest first.
    n_seeds : int
        The fewest seeds that a difference rests on; of a method alone, 0.
    """

    split: str
    leader: str
    medians: Mapping[str, float]
    differences: list[dict[str, Any]]
    n_seeds: int

    @property
    def level(self) -> list[str]:
        """The methods that the leader's intervals do not tell from it."""
        return [line["method"] for line in self.differences if not line["low"] > 0]

    @property
    def is_lead(self) -> bool:
        """Whether each interval, of enough seeds, lies above 0."""
        return self.n_seeds >= ENOUGH_SEEDS and not self.level


def find_standing(
    rows: Iterable[Mapping[str, Any]], split: str, *, random_state: int | None = 0
) -> Standing | None:
    """Return where the methods stand on a split; None where nothing was held out.

    Parameters
    ----------
    rows : iterable of mapping
        `Comparison.rows`.
    split : str
        The split's name.
    random_state : int or None, default=0
        What the intervals' bootstrap draws from.

    Examples
    --------
    >>> rows = [
    ...     {"method": method, "split": "holdout", "seed": seed, "held_out_score": score}
    ...     for seed in range(6)
    ...     for method, score in [("ga", 0.9 + seed / 100), ("naive", 0.3)]
    ... ]
    >>> standing = find_standing(rows, "holdout")
    >>> standing.leader, standing.is_lead
    ('ga', True)
    """
    scores: dict[str, list[float]] = {}
    kept = [row for row in rows if row["split"] == split and not np.isnan(row["held_out_score"])]
    for row in kept:
        scores.setdefault(row["method"], []).append(row["held_out_score"])
    if not scores:
        return None
    medians = {method: float(np.median(values)) for method, values in scores.items()}
    leader = max(medians, key=lambda method: medians[method])
    differences = paired_differences(kept, leader, random_state=random_state)
    differences.sort(key=lambda line: -medians[line["method"]])
    # Methods of which no seed is shared have no difference, and nothing to tell them apart by.
    compared = {line["method"] for line in differences} | {leader}
    n_seeds = min((line["n_seeds"] for line in differences), default=0)
    return Standing(split, leader, medians, differences, n_seeds if set(medians) == compared else 0)


# ---------------------------------------------------------------- a comparison


def conclude_comparison(comparison: Comparison) -> Conclusion:
    """Return what a comparison says.

    Parameters
    ----------
    comparison : Comparison
        At least one finished run.
    """
    words = Conclusion()
    splits = list(dict.fromkeys(row["split"] for row in comparison.rows))
    for split in splits:
        standing = find_standing(
            comparison.rows, split, random_state=comparison.settings["random_state"]
        )
        where = f"{explain_split(comparison, split).capitalize()}: " if len(splits) > 1 else ""
        if standing is None:
            words.verdict.append(
                f"{where}{'n' if where else 'N'}othing was held out. The scores say how well "
                "the training data were fitted, and nothing about new data."
            )
            continue
        words.verdict.append(where + _tell_standing(comparison, standing))
        words.advice += _advise_standing(comparison, standing)
    if "naive" in comparison.methods():
        words.verdict.append(WHY_NAIVE_FAILS)
    for method in comparison.methods():
        words.ran_out += _tell_limits(comparison, method)
        words.advice += _advise_longer(comparison, method)
    if comparison.interrupted:
        words.ran_out.append("Ctrl-C ended the comparison; the runs that were finished are here.")
    words.advice = list(dict.fromkeys(words.advice))
    return words


def _tell_standing(comparison: Comparison, standing: Standing) -> str:
    labels, fitness = comparison.settings["labels"], comparison.settings["fitness"]
    leader = labels[standing.leader]
    score = format_score(standing.medians[standing.leader], fitness)
    if not standing.differences:
        return f"{leader} reaches {score} on the held-out part; nothing else was measured there."
    best = standing.medians[standing.leader]
    first = _join([labels[method] for method, median in standing.medians.items() if median == best])
    verb = "has" if first == leader else "share"
    highest = f"{first} {verb} the highest median on the held-out part, {score}"
    if standing.n_seeds < MIN_SEEDS:
        return f"{highest}. Too few seeds to say whether that is more than luck."
    if standing.is_lead:
        nearest = standing.differences[0]
        margin = _format_interval(nearest, fitness)
        return (
            f"{leader} leads with a median of {score} on the held-out part, ahead of "
            f"{labels[nearest['method']]} by {margin}; no interval of a difference reaches 0."
        )
    level = [labels[method] for method in standing.level]
    if not level:
        return (
            f"{highest}, and no interval of a difference reaches 0; but with "
            f"{standing.n_seeds} seeds they cover less than 95 %, which bears out no lead."
        )
    line = next(line for line in standing.differences if line["method"] in standing.level)
    if line["equal"] == line["n_seeds"]:
        return (
            f"{highest}: {leader} and {labels[line['method']]} are equal in each of "
            f"{line['n_seeds']} seeds."
        )
    return (
        f"{highest}, but these seeds do not tell it apart from {_join(level)}: the median "
        f"difference to {labels[line['method']]} is {_format_interval(line, fitness)}, an interval "
        "that does not lie above 0."
    )


def _advise_standing(comparison: Comparison, standing: Standing) -> list[str]:
    labels, fitness = comparison.settings["labels"], comparison.settings["fitness"]
    advice = []
    if standing.differences and standing.n_seeds < ENOUGH_SEEDS:
        advice.append(
            f"Give at least {ENOUGH_SEEDS} seeds: with fewer, no interval of a median covers 95 %."
        )
    elif standing.level:
        level = [standing.leader, *standing.level]
        if _make_no_error(comparison, standing.split, level):
            advice.append(
                f"{_join([labels[method] for method in level])} make no error that the median "
                "sees: harder data, or a harder split, would tell them apart."
            )
        else:
            advice.append("More seeds make the intervals narrower, and may tell the leaders apart.")
        if learned_nothing := [m for m in level if m in BASELINES and m != standing.leader]:
            advice.append(
                f"What learns is not told apart from {_join([labels[m] for m in learned_nothing])}:"
                " look at the features and the labels before anything else."
            )
    line = next(
        line
        for line in summarise(comparison.rows)
        if (line["split"], line["method"]) == (standing.split, standing.leader)
    )
    medians = line["train_score"]["median"], line["held_out_score"]["median"]
    if standing.leader not in BASELINES and _is_wide(*medians):
        train = format_score(line["train_score"]["median"], fitness)
        advice.append(
            f"{labels[standing.leader]} reaches {train} on its training data, well above the "
            "held-out part: more samples, more weight decay or fewer hidden units may help."
        )
    return advice


def _make_no_error(comparison: Comparison, split: str, methods: Sequence[str]) -> bool:
    """Tell whether the median run of each method got everything right, whatever the fitness."""
    error = "held_out_rmse" if comparison.settings["task"] == "regression" else "n_wrong"
    return all(
        line[error]["median"] == 0
        for line in summarise(comparison.rows)
        if line["split"] == split and line["method"] in methods
    )


def _tell_limits(comparison: Comparison, method: str) -> list[str]:
    rows = [row for row in comparison.rows if row["method"] == method]
    reasons = Counter(row["stop_reason"] for row in rows)
    budget = comparison.settings["budgets"].get(method)
    told = []
    for reason, n in reasons.items():
        if reason in LIMITS:
            limit = LIMITS[reason] + (
                f" of {budget:g} s" if reason == "max_time" and budget else ""
            )
            label = comparison.settings["labels"][method]
            told.append(f"{label} ended by {limit} in {n} of {len(rows)} runs.")
    return told


def _advise_longer(comparison: Comparison, method: str) -> list[str]:
    """Return that a method takes more, if most of its runs were cut while they improved."""
    rows = [row for row in comparison.rows if row["method"] == method]
    cut = [row for row in rows if row["stop_reason"] in ("max_time", "n_generations", "max_iter")]
    improving = [
        row for row in cut if improves_late(comparison.histories[method, row["split"], row["seed"]])
    ]
    if 2 * len(improving) <= len(rows):
        return []
    label = comparison.settings["labels"][method]
    return [f"{label} was still improving when most of its runs were cut: give it longer."]


def improves_late(history: History) -> bool:
    """Tell whether the best fitness grew in the last tenth of a run's generations.

    Examples
    --------
    >>> history = History()
    >>> for fitness in [0.1] * 10 + [0.2]:
    ...     history.append(best_fitness=fitness)
    >>> improves_late(history)
    True
    """
    best = history["best_fitness"]
    best = best[np.isfinite(best)]
    return len(best) > 1 and bool(best[-1] > best[int(LATE * (len(best) - 1))])


# ---------------------------------------------------------------- a run


def conclude_run(history: History) -> Conclusion:
    """Return what a run's History says.

    Parameters
    ----------
    history : History
        At least one row.
    """
    last, metric, settings = history.last, history.metric, history.settings
    words = Conclusion()
    n = f"{last['generation']:,.0f} {history.unit}{'s' * (last['generation'] != 1)}"
    text = (
        f"After {n}, {last['evaluations']:,.0f} evaluations and {last['seconds']:.3g} s "
        f"the training {_name(metric)} is {format_score(last['best_fitness'], metric)}"
    )
    held_out = last["validation_score"]
    if np.isnan(held_out):
        words.verdict.append(f"{text}. Nothing was held out, so it says nothing about new data.")
        words.advice.append("Hold samples out, to see what the network is worth on new ones.")
    else:
        chosen = ", by which it was chosen" if settings.get("early_stopping") else ""
        score = format_score(held_out, metric)
        words.verdict.append(f"{text}, and {score} on what was held out{chosen}.")
        if _is_wide(last["best_fitness"], held_out):
            words.advice.append(
                "The training data are fitted better than what was held out: more samples, more "
                "weight decay or fewer hidden units may help."
            )
    words.verdict += _tell_last_improvement(history)
    words.ran_out = _tell_run_limits(history)
    if words.ran_out and improves_late(history):
        words.advice.append("It was still improving when it ended: give it longer.")
    words.advice.append("One run may be lucky: ga-ann compare tells over several seeds.")
    return words


def _tell_last_improvement(history: History) -> list[str]:
    best = history["best_fitness"]
    grown = np.flatnonzero(best[1:] > best[:-1])  # and not their difference: it may be inf - inf
    if not len(grown) or len(best) < 3:
        return []
    row = int(grown[-1]) + 1
    generation = history["generation"][row]
    return [
        f"The {_name(history.metric)} last improved in {history.unit} {generation:,.0f} of "
        f"{history.last['generation']:,.0f}."
    ]


def _tell_run_limits(history: History) -> list[str]:
    last, settings = history.last, history.settings
    spent = {
        "n_generations": last["generation"],
        "max_time": last["seconds"],
        "max_evaluations": last["evaluations"],
    }
    return [
        f"It ended by {LIMITS[name]}, {settings[name]:,g}{' s' * (name == 'max_time')}."
        for name, used in spent.items()
        if isinstance(settings.get(name), int | float) and used >= settings[name]
    ]


# ---------------------------------------------------------------- words


def _is_wide(train: float, held_out: float) -> bool:
    """Tell whether a training score is well above the held-out one, in units of any size."""
    return train - held_out > WIDE_GAP * max(1.0, abs(train))


def _name(metric: str) -> str:
    return metric.replace("_", " ")


def format_score(score: float, metric: str) -> str:
    """Return a score as it is read: accuracy in percent."""
    return f"{100 * score:.1f} %" if metric == "accuracy" else f"{score:.4g}"


def _format_interval(line: Mapping[str, Any], metric: str) -> str:
    factor, unit = (100, " points") if metric == "accuracy" else (1, "")
    middle, low, high = (
        format_difference(factor * line[name], 1 if factor == 100 else 4)
        for name in ("median", "low", "high")
    )
    return f"{middle}{unit} (95 % interval {low} to {high})"


def format_difference(value: float, digits: int) -> str:
    """Return a difference with so many decimal places, or what it takes not to look like zero.

    Examples
    --------
    >>> format_difference(0.0, 1), format_difference(1.25, 1), format_difference(0.004, 1)
    ('0.0', '1.2', '0.004')
    """
    rounded = round(value, digits) + 0.0  # which turns a negative zero into zero
    return f"{value:.1g}" if rounded == 0 != value else f"{rounded:.{digits}f}"


def _join(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
