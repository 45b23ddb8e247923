"""Schedule: how strong mutation is and how many samples a generation sees, as progress goes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from math import ceil, sqrt
from numbers import Integral
from typing import Any

from ga_ann.validation import check_number

__all__ = ["Schedule"]

GROWTH = sqrt(2)
"""What a step multiplies the batch by. Twice as large at once, it costs more than it tells."""


@dataclass
class Schedule:
    """Weaker mutation and larger batches, step by step, whenever progress stops.

    It is what ``learning_rate="adaptive"`` is to scikit-learn's gradient descent: small steps and
    exact measurements are wasted on the way down a slope, and needed at its foot.

    Parameters
    ----------
    sigma : float
        Strength of the mutation to begin with.
    batch_size : int
        Number of samples to begin with, at most `n_samples`.
    n_samples : int
        Number of training samples.
    decay : float
        What `sigma` is multiplied by at each step, above 0 and at most 1; 1 leaves the schedule
        as it is from the beginning to the end.
    patience : int, default=3
        Number of measurements in a row without progress that make a step.

    Examples
    --------
    >>> schedule = Schedule(sigma=0.2, batch_size=64, n_samples=100, decay=0.5, patience=2)
    >>> for score in (0.5, 0.7, 0.6, 0.7):
    ...     schedule.update(score)
    >>> schedule.sigma, schedule.batch_size
    (0.1, 91)
    """

    sigma: float
    batch_size: int
    n_samples: int
    decay: float
    patience: int = 3
    best: float = field(default=float("-inf"), init=False)
    waited: int = field(default=0, init=False)

    @property
    def is_full(self) -> bool:
        """Whether a generation sees all samples."""
        return self.batch_size >= self.n_samples

    def for_samples(self, n_samples: int) -> Schedule:
        """Return the schedule for a run that continues on another number of samples."""
        schedule = copy(self)
        schedule.batch_size = n_samples if self.is_full else min(self.batch_size, n_samples)
        schedule.n_samples = n_samples
        return schedule

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Schedule:
        """Return the schedule that `dataclasses.asdict` was taken of.

        Raises
        ------
        ValueError
            If a value is missing, no number, or one that no run comes to.
        """
        names = ("sigma", "batch_size", "n_samples", "decay", "patience", "best", "waited")
        try:
            held = {name: values[name] for name in names}
            for name in ("batch_size", "n_samples", "patience", "waited"):
                check_number(held[name], name, Integral, low=int(name != "waited"))
            check_number(held["sigma"], "sigma", low=0)
            check_number(held["decay"], "decay", above=0, high=1)
            best, waited = float(held.pop("best")), held.pop("waited")
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"the schedule {error!r} cannot be used.") from error
        if held["batch_size"] > held["n_samples"]:
            raise ValueError(f"the schedule has batches of more than {held['n_samples']} samples.")
        schedule = cls(**held)
        schedule.best, schedule.waited = best, waited
        return schedule

    def update(self, score: float) -> None:
        """Take note of a score measured on all samples; greater is better."""
        if score > self.best:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited >= self.patience and self.decay < 1:
            self.waited = 0
            self.sigma *= self.decay
            self.batch_size = min(self.n_samples, ceil(GROWTH * self.batch_size))
