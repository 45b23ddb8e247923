"""Settings: what the recipes stand for, what a set of weights changes, and what cannot run."""

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.evolution.recipe import LEAVE_THE_SET, MOST_DECAY, RECIPES, RESTRICTED, Settings
from ga_ann.operators import CROSSOVERS

GIVEN = {
    "hidden_layer_sizes": (6,),
    "bias": False,
    "fitness": "accuracy",
    "n_generations": 10,
    "early_stopping": False,
    "tol": 1e-4,
}


def settings(recipe="default", **changes):
    nothing = dict.fromkeys(field.name for field in fields(Settings))
    return Settings.from_recipe(recipe, **{**nothing, **GIVEN, **changes})


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_not_given_is_the_recipes(recipe):
    plain = settings(recipe)
    for name, value in RECIPES[recipe].items():
        assert getattr(plain, name) == value
    assert plain.weight_values is None
    changed = settings(recipe, sigma=0.125, n_elites=0, selection="rank")
    assert (changed.sigma, changed.n_elites, changed.selection) == (0.125, 0, "rank")
    assert changed.crossover == plain.crossover


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("weight_set", ["binary", (-2.0, 3.0)])
def test_a_weight_set_changes_what_would_leave_it(recipe, weight_set):
    restricted = settings(recipe, weight_set=weight_set)
    for name, value in {**RECIPES[recipe], **RESTRICTED}.items():
        assert getattr(restricted, name) == value
    assert len(restricted.weight_values) == 2
    assert settings(recipe, weight_set=weight_set, sigma=3.0).sigma == 3.0


@pytest.mark.parametrize("crossover", [*CROSSOVERS, "sbx", "two_points", "scattered"])
def test_crossovers_of_whole_genes_are_allowed_in_a_set(crossover):
    if crossover in LEAVE_THE_SET:
        with pytest.raises(ValueError, match="use 'gene_pool'"):
            settings(weight_set="int8", crossover=crossover)
    else:
        assert settings(weight_set="int8", crossover=crossover).crossover == crossover


def test_mutations_that_move_genes_need_no_set_but_steps_do():
    for mutation in ("swap", "inversion", "scramble"):
        assert settings(mutation=mutation).mutation == mutation
    with pytest.raises(ValueError, match="'step' needs one"):
        settings(mutation="step")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"weight_decay": "some"}, ValueError, "weight_decay must be one of.*'auto'"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay must be >= 0"),
        ({"weight_decay": 4.0, "sigma": 0.5}, ValueError, r"at most 1, got 4.0 \* 0.5"),
        ({"weight_decay": True}, TypeError, "weight_decay must be a number"),
        ({"weight_set": 3}, ValueError, "weight_set must be one of"),
        ({"recipe": "wit"}, ValueError, "recipe must be one of"),
        ({"mutation": "swap", "mutation_rate": 0.0}, ValueError, "needs a mutation_rate above 0"),
    ],
)
def test_what_cannot_run_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        settings(**changes)


@given(n_samples=st.integers(1, 10**7), sigma=st.floats(0, 10))
def test_automatic_decay_falls_with_the_samples_and_has_a_limit(n_samples, sigma):
    decay = settings(target_fitness=None).decay_of_weights(n_samples, sigma)
    assert 0 <= decay <= MOST_DECAY
    assert decay == pytest.approx(min(sigma / math.sqrt(n_samples), MOST_DECAY))
    assert settings(weight_decay=0.1).decay_of_weights(n_samples, sigma) == 0.1 * sigma
    assert settings(weight_set="binary").decay_of_weights(n_samples, sigma) == 0
    assert settings(target_fitness=1.0).weight_decay == 0
    assert settings(target_fitness=1.0, weight_decay=0.1).weight_decay == 0.1


@pytest.mark.parametrize(
    ("batch_size", "n_samples", "first"),
    [("auto", 255, 255), ("auto", 256, 32), ("full", 5000, 5000), (7, 5000, 7), (7, 5, 5)],
)
def test_the_first_batch(batch_size, n_samples, first):
    assert settings(batch_size=batch_size).first_batch_size(n_samples) == first
