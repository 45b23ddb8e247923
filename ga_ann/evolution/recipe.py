"""Recipes: what shapes a search, as a value."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import numpy as np
import tomli_w

from ga_ann.evolution.data import TrainingData
from ga_ann.fitness import PopulationScore, finer_score, resolve_fitness
from ga_ann.network import ACTIVATIONS, INITS, Activations, AnyActivation, lookup
from ga_ann.operators import CROSSOVERS, MUTATIONS, RECOMBINATIONS, SELECTIONS
from ga_ann.parts import (
    CustomCrossover,
    CustomMutation,
    CustomSelection,
    check_mark,
    marked,
    name_of,
)
from ga_ann.storage import named_errors, replacing
from ga_ann.validation import check_number

__all__ = ["RECIPES", "Recipe", "find_recipe", "name_of"]

AUTO_BATCH_SIZE = 32
"""Size of the first batches, where there are at least eight times as many samples."""

WEIGHT_DECAY = 0.1
"""The automatic weight decay at most, divided by the number of outputs: two noisy classes need
more of it than many clear ones bear; `benchmarks/ablation.py` compares it with others."""

PYGAD_SELECTIONS = ("random", "rws", "sss", "sus")
PYGAD_CROSSOVERS = ("sbx", "scattered", "two_points")
PYGAD_MUTATIONS = ("adaptive", "inversion", "polynomial", "random", "scramble", "swap")

ADAPTIVE_RATES = (0.2, 0.05)
"""Shares of the genes that PyGAD's adaptive mutation changes: in weak and in strong solutions."""

LEAVE_THE_SET = ("mean", "sbx")
STAY_IN_THE_SET = ("inversion", "scramble", "step", "swap")

PARTS: dict[str, Mapping[str, Any]] = {
    "activation": ACTIVATIONS,
    "output_activation": ACTIVATIONS,
    "selection": SELECTIONS,
    "crossover": CROSSOVERS,
    "mutation": MUTATIONS,
}
"""Fields that may be functions of the user's, and the functions of ours that have names."""

LONGEST_FILE = 2**16
"""Bytes of a recipe's file at most."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Recipe:
    """What shapes a search, besides the data and the network's structure.

    None, where it is the default, means "by the problem": `resolve` puts a value there. ``"auto"``
    is taken for None.

    Parameters
    ----------
    population_size : int, optional
        Number of solutions, at least 2. By the problem: 32, or 128 for a coarse search.
    n_parents : int, optional
        Number of solutions that mate, 1 to `population_size`. By the problem: a quarter of them,
        all with the recombination ``"centred"``, or an eighth in a coarse search.
    n_elites : int, default=0
        Number of best solutions that enter the next generation unchanged, 0 to
        ``population_size - 1``. On batches they are measured again in every generation.
    selection : str or callable, default="truncation"
        ``"truncation"``, ``"tournament"``, ``"rank"``, ``"roulette"``, or a name of PyGAD's:
        ``"sss"``, ``"rws"``, ``"sus"``, ``"random"``; or ``f(rng, fitness, n_parents)``, see
        `ga_ann.parts.CustomSelection`.
    crossover : str or callable, optional
        ``"mean"`` (one mean for all, as in evolution strategies, see `recombination`),
        ``"gene_pool"`` (each gene from any parent), ``"uniform"``, ``"neuron"``,
        ``"single_point"``, ``"two_point"``, ``"middle"``, or a name of PyGAD's: ``"two_points"``,
        ``"scattered"``, ``"sbx"``; or ``f(rng, parents, n_offspring, shapes)``, see
        `ga_ann.parts.CustomCrossover`. By the problem: ``"mean"``, or ``"gene_pool"`` where weights
        are restricted to a set.
    recombination : {"centred", "parents"}, optional
        What the solutions count in the mean crossover, see `RECOMBINATIONS`. By the problem:
        ``"centred"``, or ``"parents"`` where `n_parents` is given, selection is not by
        truncation, or the search is coarse.
    mutation : str or callable, optional
        ``"low_rank"`` (with the mean crossover: the mutation of each weight matrix has a low rank
        and costs next to nothing, see `ga_ann.low_rank`), ``"gaussian"``, ``"uniform"``,
        ``"step"`` (with a set of weights), or a name of PyGAD's, which change genes as PyGAD does
        by default and much more slowly: ``"random"``, ``"swap"``, ``"inversion"``,
        ``"scramble"``, ``"polynomial"``, ``"adaptive"``; or ``f(rng, offspring, scale, rate)``, see
        `ga_ann.parts.CustomMutation`. By the problem: ``"step"`` with a set of weights,
        ``"low_rank"`` with the mean crossover where there are no elites and all genes mutate, and
        ``"gaussian"`` elsewhere, with a custom crossover for instance.
    rank : int, default=1
        Rank of the low-rank mutation, 1 to the smaller side of each matrix.
    mutation_rate : float, optional
        Share of the genes that change in an offspring, 0 to 1; a pair (of weak solutions, of
        strong ones) for ``"adaptive"``. With ``"step"``, in units of the current `sigma`. By the
        problem: 1, 0.005 with a set of weights, (0.2, 0.05) for ``"adaptive"``.
    sigma : float, optional
        Standard deviation of the mutation, relative to that of the layer's initial weights; at
        least 0. PyGAD's own mutations do not use it. By the problem: 0.4, 1 with a set of
        weights, or 0.6 for a coarse search.
    sigma_decay : float, default=0.8
        What `sigma` is multiplied by, and the batch by the square root of 2, when three checks in
        a row (every tenth generation, on all samples) show no progress; above 0, and 1 for never.
    weight_decay : float, optional
        Share of the weights of the parents or of their mean, biases apart, that is taken away
        before the mutation, in units of the current `sigma`; at least 0. It makes for networks that
        do better on other data. PyGAD's own crossovers do not use it. By the problem: 0.1
        over the number of outputs, and no more than one over the square root of the number of
        samples (as for any prior, the more there are, the less it counts), or than one over
        `sigma`; 0 where the run ends at a target on the training data, since a run that ends when
        it has learned them is not to be held back, and with a set of weights.
    batch_size : int or "full", optional
        Number of samples that the generations are measured on, to begin with: the same for the
        whole population, drawn anew for each generation. By the problem: 32 where there are at
        least 256 samples, or 256 for a coarse search. The fitness that the History reports as
        best, and the stop at a target, are measured on all samples.
    ranking : str or callable, optional
        What selection ranks the solutions by: ``"fitness"``, or a score as for the fitness, which
        tells solutions of equal fitness apart. By the problem: the log loss, adjusted to the
        classes' importance where the fitness has such, and R2 for a regression; see `finer_score`.
        Which solution is the best is decided by the fitness, and between equals by the ranking.
        The search is coarse where it is by the fitness alone, and that counts decisions, as the
        accuracy does: solutions are then told apart only by many of them on many samples, and what
        the worst ones have in common says little.
    noise : {"table", "generator"}, default="table"
        Where Gaussian mutation takes its numbers from: slices of a table drawn once, see
        `noise_table`, or the generator, several times slower.
    init : {"he", "tutorial"}, default="he"
        Distribution of the initial weights, see `init_weights`. With ``"he"``, the first layer's
        are divided by the root mean square of the samples, so that their units do not matter. With
        low-rank mutation the last layer's, of the one network that all others are mutations of,
        begin at a fifth of it: no class is to have a lead.
    activation, output_activation : str or callable, default="relu" and "identity"
        See `forward`; `activation` may be a tuple, with one for each hidden layer.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the weights and of the computation.

    Raises
    ------
    ValueError, TypeError
        If a name is unknown, or a number is out of its range.

    Notes
    -----
    Custom parts, functions of the user's in the place of names, are described in `ga_ann.parts`,
    with what they may do and what is checked. A recipe with one prints, compares, copies and
    pickles as the function does, but has no text (`to_toml`).

    Examples
    --------
    >>> Recipe(sigma=0.2, crossover="uniform", batch_size="auto")
    Recipe(crossover='uniform', sigma=0.2)
    >>> print(Recipe(sigma=0.2).to_toml().splitlines()[3])
    sigma = 0.2
    >>> Recipe.from_toml("sigma = 0.2") == Recipe(sigma=0.2)
    True
    """

    population_size: int | None = None
    n_parents: int | None = None
    n_elites: int = 0
    selection: str | CustomSelection = "truncation"
    crossover: str | CustomCrossover | None = None
    recombination: str | None = None
    mutation: str | CustomMutation | None = None
    rank: int = 1
    mutation_rate: float | tuple[float, float] | None = None
    sigma: float | None = None
    sigma_decay: float = 0.8
    weight_decay: float | None = None
    batch_size: int | str | None = None
    ranking: str | Callable[..., Any] | None = None
    noise: str = "table"
    init: str = "he"
    activation: Activations = "relu"
    output_activation: AnyActivation = "identity"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        """Make plain values of what was given, and refuse what cannot run."""
        for field in fields(self):
            value = _as_plain(getattr(self, field.name))
            object.__setattr__(self, field.name, _as_known(value, PARTS.get(field.name, {})))
        self._check_names()
        self._check_numbers()

    def __repr__(self) -> str:
        changes = self._changes().items()
        changed = ", ".join(f"{name}={_written(value)}" for name, value in changes)
        return f"Recipe({changed})"

    def _changes(self) -> dict[str, Any]:
        """Return the fields that have another value than by default."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def _check_names(self) -> None:
        for what, *tables in (
            ("activation", ACTIVATIONS),
            ("output_activation", ACTIVATIONS),
            ("init", INITS),
            ("selection", SELECTIONS, PYGAD_SELECTIONS),
            ("crossover", CROSSOVERS, PYGAD_CROSSOVERS),
            ("recombination", RECOMBINATIONS),
            ("mutation", MUTATIONS, ("low_rank", "step"), PYGAD_MUTATIONS),
            ("noise", ("generator", "table")),
            ("dtype", ("float32", "float64")),
        ):
            names = [name for table in tables for name in table]
            value = getattr(self, what)
            if value is not None or getattr(type(self), what) is not None:
                _check_name(value, names, what)
        if isinstance(self.batch_size, str):
            lookup({"auto": None, "full": None}, self.batch_size, "batch_size")
        if not (self.ranking is None or isinstance(self.ranking, str) or callable(self.ranking)):
            raise TypeError(f"ranking must be a name or callable, got {self.ranking!r}.")

    def _check_numbers(self) -> None:
        size = self.population_size
        if size is not None:
            check_number(size, "population_size", Integral, low=2)
        if self.n_parents is not None:
            check_number(self.n_parents, "n_parents", Integral, low=1, high=size)
        check_number(self.rank, "rank", Integral, low=1)
        most = None if size is None else size - 1
        check_number(self.n_elites, "n_elites", Integral, low=0, high=most)
        check_number(self.sigma_decay, "sigma_decay", above=0, high=1)
        if self.sigma is not None:
            check_number(self.sigma, "sigma", low=0)
        if self.batch_size is not None and not isinstance(self.batch_size, str):
            check_number(self.batch_size, "batch_size", Integral, low=1)
        if self.weight_decay is not None:
            if isinstance(self.weight_decay, str):
                lookup({"auto": None}, self.weight_decay, "weight_decay")
            check_number(self.weight_decay, "weight_decay", low=0)
        rates = self.mutation_rate
        if rates is None:
            return
        if isinstance(rates, tuple) and len(rates) != 2:
            raise ValueError(f"mutation_rate must be a pair or a number, got {rates!r}.")
        for rate in rates if isinstance(rates, tuple) else (rates,):
            check_number(rate, "mutation_rate", low=0, high=1)

    # ------------------------------------------------------------ by the problem

    def resolve(
        self,
        data: TrainingData,
        *,
        fitness: PopulationScore,
        weight_set: tuple[float, ...] | None = None,
        ends_at_target: bool = False,
    ) -> Recipe:
        """Return the recipe with what the problem asks for wherever a field is None.

        Parameters
        ----------
        data : TrainingData
            What is learned from.
        fitness : PopulationScore
            What is maximised.
        weight_set : tuple of float, optional
            The values that weights may have; None for any.
        ends_at_target : bool, default=False
            Whether the run ends when it has learned the training data.

        Raises
        ------
        ValueError
            If its parts do not go together.
        """
        restricted, n_samples = weight_set is not None, data.n_samples
        crossover = self.crossover or ("gene_pool" if restricted else "mean")
        mutation = self.mutation or ("step" if restricted else self._free_mutation(crossover))
        by_fitness = self.ranking == "fitness" or (
            self.ranking is not None and self._ranking(data) is fitness
        )
        coarse = (
            by_fitness and getattr(fitness, "counts_decisions", False) and mutation == "low_rank"
        )
        size = self.population_size or (128 if coarse else 32)
        centred = self.n_parents is None and self.selection == "truncation" and not coarse
        recombination = self.recombination or ("centred" if centred else "parents")
        takes_all = crossover == "mean" and recombination == "centred"
        rates = ADAPTIVE_RATES if mutation == "adaptive" else (0.005 if restricted else 1.0)
        usual_sigma = 1.0 if restricted else (0.6 if coarse else 0.4)
        sigma = usual_sigma if self.sigma is None else self.sigma
        # No more than all of the weights, however strong the mutation is.
        most = WEIGHT_DECAY / data.n_outputs
        decay = min(1 / math.sqrt(n_samples), most, 1 / sigma if sigma else math.inf)
        batch = AUTO_BATCH_SIZE * (8 if coarse else 1)
        enough = n_samples >= 8 * AUTO_BATCH_SIZE
        by_problem: dict[str, Any] = {
            "population_size": size,
            "n_parents": size if takes_all else -(-size // (8 if coarse else 4)),
            "crossover": crossover,
            "recombination": recombination,
            "mutation": mutation,
            "mutation_rate": rates,
            "sigma": sigma,
            "weight_decay": 0.0 if ends_at_target or restricted else decay,
            "batch_size": batch if enough else "full",
            "ranking": finer_score(fitness, data.class_shares),
        }
        missing = {name: v for name, v in by_problem.items() if getattr(self, name) is None}
        resolved = replace(self, **missing)
        if resolved.first_batch_size(n_samples) == n_samples:
            resolved = replace(resolved, batch_size="full")
        if resolved.ranking != "fitness":
            resolved = replace(resolved, ranking=resolved._ranking(data))
        resolved._check_together(weight_set)
        return resolved

    def _ranking(self, data: TrainingData) -> PopulationScore:
        given: Any = self.ranking
        return resolve_fitness(given, classes=data.classes, what="ranking")

    def _free_mutation(self, crossover: str | CustomCrossover) -> str:
        every_gene, by_pygad = self.mutation_rate in (None, 1.0), self.selection in PYGAD_SELECTIONS
        cheap = crossover == "mean" and not by_pygad and not self.n_elites and every_gene
        return "low_rank" if cheap else "gaussian"

    def _check_together(self, weight_set: tuple[float, ...] | None) -> None:
        """Refuse parts that are possible alone, but not with each other."""
        restricted = weight_set is not None
        stays = self.mutation in STAY_IN_THE_SET or (restricted and callable(self.mutation))
        if restricted != stays and (restricted or self.mutation == "step"):
            raise ValueError(
                f"mutation must be one of {list(STAY_IN_THE_SET)} or a function with a weight_set, "
                f"and 'step' needs one; got {self.mutation!r} with weight_set={weight_set!r}."
            )
        if self.mutation == "low_rank":
            self._check_low_rank()
        if self.crossover == "mean" and self.recombination == "centred":
            self._check_centred()
        if restricted and self.crossover in LEAVE_THE_SET:
            raise ValueError(
                f"crossover={self.crossover!r} makes weights that are not in the weight_set; use "
                "'gene_pool', which has the same mean, or another one that takes whole genes."
            )
        if restricted and self.weight_decay != 0:
            raise ValueError(
                f"weight_decay must be 0 with a weight_set, got {self.weight_decay!r}."
            )
        if (self.weight_decay or 0.0) * (self.sigma or 0.0) > 1:
            raise ValueError(
                "weight_decay times sigma is the share of the weights that is lost in a "
                f"generation and must be at most 1, got {self.weight_decay} * {self.sigma}."
            )
        rates = self.mutation_rate
        if self.mutation in PYGAD_MUTATIONS and not np.any(rates):
            raise ValueError(f"mutation={self.mutation!r} needs a mutation_rate above 0, got 0.")
        if isinstance(rates, tuple) != (self.mutation == "adaptive"):
            raise ValueError(
                "mutation_rate must be a pair (rate of weak solutions, rate of strong ones) with "
                f"mutation='adaptive', and a number otherwise; got {rates!r} with "
                f"mutation={self.mutation!r}."
            )

    def _check_low_rank(self) -> None:
        """Refuse what low-rank mutations of one mean cannot be combined with."""
        if self.crossover != "mean":
            raise ValueError(
                f"mutation='low_rank' needs crossover='mean', got {self.crossover!r}, which makes "
                "offspring that have no common mean; use mutation='gaussian' with it."
            )
        if self.n_elites:
            raise ValueError(
                f"mutation='low_rank' needs n_elites=0, got {self.n_elites}: an elite would be a "
                "mutation of another mean. The best solution is kept all the same; use "
                "mutation='gaussian' for elites that breed."
            )
        if self.selection in PYGAD_SELECTIONS:
            raise ValueError(
                f"mutation='low_rank' needs selection to be one of {sorted(SELECTIONS)} or a "
                f"function, got {self.selection!r}: PyGAD selects chromosomes, and there are none; "
                "use mutation='gaussian' with it."
            )
        if self.mutation_rate != 1:
            raise ValueError(
                f"mutation='low_rank' changes every gene and needs mutation_rate=1, got "
                f"{self.mutation_rate!r}; use mutation='gaussian' for a share of the genes."
            )

    def _check_centred(self) -> None:
        """Refuse what leaves a solution out where all of them count."""
        if self.selection != "truncation" or self.n_parents != self.population_size:
            raise ValueError(
                "recombination='centred' takes all solutions in the order of their rank, and needs "
                "selection='truncation' and n_parents of the whole population (or None), got "
                f"{self.selection!r} and {self.n_parents}; use recombination='parents'."
            )

    def first_batch_size(self, n_samples: int) -> int:
        """Return the number of samples that the first generation of a resolved recipe sees."""
        size = self.batch_size
        return min(size, n_samples) if isinstance(size, int) else n_samples

    # ------------------------------------------------------------ as text

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, functions by their names: what History, models and checkpoints hold.

        Those of custom parts are marked, as ``"custom:swish"``.
        """
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        held |= {name: marked(held[name]) for name in PARTS}
        return held | {"ranking": None if self.ranking is None else name_of(self.ranking)}

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return the functions among the fields, each by what it is."""
        return {
            f"{name} function" + f" {k}" * isinstance(getattr(self, name), tuple): function
            for name in ("ranking", *PARTS)
            for k, function in enumerate(_functions_in(getattr(self, name)), start=1)
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the recipe among some settings, such as ``history.settings``.

        Names that are no field of a recipe are left out, and fields that are missing are those of
        the default recipe. A ranking by a function of the user's is known by its name alone; a
        custom part has to be put there in the place of its name.

        Examples
        --------
        >>> Recipe.from_dict({"sigma": 0.2, "hidden_layer_sizes": [32]})
        Recipe(sigma=0.2)
        """
        names = [field.name for field in fields(cls)]
        return cls(**{name: values[name] for name in names if name in values})

    def to_toml(self) -> str:
        """Return all fields that are not None as TOML.

        Raises
        ------
        TypeError
            If the ranking or a part is a function, which has no text.
        """
        for name in ("ranking", *PARTS):
            if _functions_in(value := getattr(self, name)):
                raise TypeError(f"{name} must be a name to be written, got {value!r}.")
        held = {name: value for name, value in self.to_dict().items() if value is not None}
        return tomli_w.dumps(held)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Return the recipe of a TOML document; what it does not name is the default recipe's.

        Raises
        ------
        ValueError, TypeError
            If it is no TOML, names something that is no field, or a value cannot be used.
        """
        values = tomllib.loads(text)
        names = [field.name for field in fields(cls)]
        if unknown := values.keys() - set(names):
            raise ValueError(f"a recipe has the fields {names}, got {sorted(unknown)}.")
        return cls(**values)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write `to_toml` to a file, whole or not at all.

        Raises
        ------
        TypeError
            See `to_toml`.
        OSError
            If it cannot be written.
        """
        text = self.to_toml()
        with replacing(path) as file:
            file.write(text.encode())

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `write` wrote, or what was written by hand.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it cannot be used; the message names the file and the reason.
        """
        with named_errors(path, "a recipe"), Path(path).open("rb") as file:
            text = file.read(LONGEST_FILE + 1)
            if len(text) > LONGEST_FILE:
                raise ValueError(f"it has more than {LONGEST_FILE:,} bytes")
            return cls.from_toml(text.decode())


def _check_name(value: object, names: Iterable[str], what: str) -> None:
    """Refuse what is none of the names and, where it may be one, no function."""
    if what not in PARTS:
        lookup(dict.fromkeys(names), value, what)
        return
    for one in value if isinstance(value, tuple) and what == "activation" else (value,):
        if callable(one) or (isinstance(one, str) and one in names):
            continue
        check_mark(one, what)
        raise ValueError(f"{what} must be one of {sorted(names)} or a function, got {value!r}.")


def _as_plain(value: Any) -> Any:
    """Return Python's own numbers and tuples for NumPy's and lists, and None for "auto"."""
    if isinstance(value, str) and value == "auto":
        return None
    if isinstance(value, list):
        value = tuple(value)
    if isinstance(value, tuple):
        return tuple(map(_as_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def _as_known(value: Any, known: Mapping[str, Any]) -> Any:
    """Return the name of one of our own functions; anything else as it is."""
    if isinstance(value, tuple):
        return tuple(_as_known(one, known) for one in value)
    return next((name for name, function in known.items() if function is value), value)


def _functions_in(value: Any) -> list[Callable[..., Any]]:
    return [one for one in (value if isinstance(value, tuple) else (value,)) if callable(one)]


def _written(value: Any) -> str:
    """Return a value as it is written in code: a function by its name."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_written, value))}{',' * (len(value) == 1)})"
    return name_of(value) if callable(value) else repr(value)


RECIPES: dict[str, Recipe] = {
    "default": Recipe(),
    "classic": Recipe(
        population_size=64,
        n_parents=16,
        n_elites=2,
        crossover="uniform",
        mutation="gaussian",
        mutation_rate=0.05,
        sigma=0.5,
        sigma_decay=1.0,
        weight_decay=0.0,
        batch_size="full",
        ranking="fitness",
    ),
    "tutorial": Recipe(
        population_size=8,
        n_parents=4,
        n_elites=4,
        crossover="middle",
        mutation="uniform",
        mutation_rate=0.1,
        sigma=10.0,  # times U(-0.1, 0.1): the tutorial adds U(-1, 1)
        sigma_decay=1.0,
        weight_decay=0.0,
        batch_size="full",
        ranking="fitness",
        noise="generator",
        init="tutorial",
        activation="sigmoid",
        output_activation="sigmoid",
        dtype="float64",
    ),
}
"""The recipes by name:

``"default"``
    Recombination and mutation of an evolution strategy, run as a genetic algorithm: the offspring
    are one mean plus mutations of rank one, and the mean moves toward the better half of them and
    away from the worse one; batches that grow, a mutation that weakens, and a ranking finer than
    the fitness.
``"classic"``
    A textbook genetic algorithm [Goldberg, 1989; Montana and Davis, 1989, for its use on weights]:
    truncation selection, uniform crossover, Gaussian mutation of a share of the genes, elites; the
    fitness alone is what selection ranks by, on all samples in every generation.
``"tutorial"``
    The genetic algorithm of the tutorial's follow-up article, number by number.
"""


def find_recipe(recipe: str | Recipe) -> Recipe:
    """Return the recipe that a user means: one of `RECIPES` by its name, or a `Recipe` as it is.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is neither.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, str):
        raise TypeError(f"recipe must be a name or a Recipe, got {recipe!r}.")
    return lookup(RECIPES, recipe, "recipe")
