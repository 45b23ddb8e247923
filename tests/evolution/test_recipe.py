"""Recipes: values that print, compare and go through files; what the problem puts in for None."""

import copy
import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ga_ann
from ga_ann.evolution.data import TrainingData
from ga_ann.evolution.problem import Problem
from ga_ann.evolution.recipe import (
    AUTO_BATCH_SIZE,
    LEAVE_THE_SET,
    LONGEST_FILE,
    RECIPES,
    WEIGHT_DECAY,
    Recipe,
    find_recipe,
    name_of,
)
from ga_ann.fitness import resolve_fitness
from ga_ann.operators import CROSSOVERS, SELECTIONS
from ga_ann.weight_sets import check_weight_set

NAMES = [field.name for field in fields(Recipe)]
BY_PROBLEM = [field.name for field in fields(Recipe) if field.default is None]


def data(n_samples=10):
    X = np.random.default_rng(0).standard_normal((n_samples, 2))
    y = np.arange(n_samples) % 2
    return TrainingData.check(X, y, task="classification", classes=[0, 1], sample_weight=None)


def resolve(recipe=None, *, n_samples=10, weight_set=None, ends_at_target=False):
    values = None if weight_set is None else check_weight_set(weight_set)
    return (recipe or Recipe()).resolve(
        data(n_samples),
        fitness=resolve_fitness("accuracy", classes=np.arange(2)),
        weight_set=values,
        ends_at_target=ends_at_target,
    )


def maybe(strategy):
    return st.none() | strategy


@st.composite
def recipes(draw):
    size = draw(st.integers(2, 1000))
    positive = st.floats(0, 1e6)
    return Recipe(
        population_size=size,
        n_parents=draw(maybe(st.integers(1, size))),
        n_elites=draw(st.integers(0, size - 1)),
        selection=draw(st.sampled_from([*SELECTIONS, "rws"])),
        crossover=draw(maybe(st.sampled_from([*CROSSOVERS, "sbx"]))),
        recombination=draw(maybe(st.sampled_from(["centred", "parents"]))),
        mutation=draw(
            maybe(st.sampled_from(["low_rank", "gaussian", "uniform", "step", "adaptive"]))
        ),
        rank=draw(st.integers(1, 100)),
        mutation_rate=draw(maybe(st.floats(0, 1) | st.tuples(st.floats(0, 1), st.floats(0, 1)))),
        sigma=draw(maybe(positive)),
        sigma_decay=draw(st.floats(0, 1, exclude_min=True)),
        weight_decay=draw(maybe(positive)),
        batch_size=draw(maybe(st.just("full") | st.integers(1, 10**6))),
        ranking=draw(maybe(st.sampled_from(["fitness", "neg_log_loss"]))),
        noise=draw(st.sampled_from(["table", "generator"])),
        dtype=draw(st.sampled_from(["float32", "float64"])),
    )


# ---------------------------------------------------------------- a value


@given(recipes() | st.sampled_from(list(RECIPES.values())))
def test_what_a_recipe_prints_is_the_recipe(recipe):
    assert eval(repr(recipe), {"Recipe": Recipe}) == recipe


@given(recipes() | st.sampled_from(list(RECIPES.values())))
def test_a_recipe_goes_through_toml_and_dictionaries(recipe):
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recipe=recipes() | st.sampled_from(list(RECIPES.values())))
def test_a_recipe_goes_through_a_file(recipe, tmp_path):
    recipe.write(tmp_path / "mine.toml")
    assert Recipe.read(tmp_path / "mine.toml") == recipe
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("name", BY_PROBLEM)
def test_auto_is_none(name):
    assert Recipe(**{name: "auto"}) == Recipe(**{name: None}) == Recipe()


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(BY_PROBLEM)))
@pytest.mark.parametrize("nothing", [None, "auto"])
def test_what_has_a_default_of_its_own_cannot_be_left_to_the_problem(name, nothing):
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be"):
        Recipe(**{name: nothing})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([10**400, "auto", "full", "mean", "adaptive", "float64", [0.2, 0.05]]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(name=st.sampled_from(NAMES), value=JSON)
def test_any_value_makes_a_recipe_or_is_refused_by_its_fields_name(name, value):
    try:
        recipe = Recipe(**{"n_parents": 1, name: value})
    except (TypeError, ValueError) as error:
        assert name in str(error)  # noqa: PT017 - that it may be none is the point
    else:
        copies = copy.deepcopy(recipe), pickle.loads(pickle.dumps(recipe)), replace(recipe)
        assert copies == (recipe, recipe, recipe)
        assert Recipe.from_toml(recipe.to_toml()) == recipe


@given(text=st.text() | st.builds("{} = {}".format, st.sampled_from(NAMES), st.text(max_size=8)))
def test_any_text_is_a_recipe_or_refused(text):
    try:
        recipe = Recipe.from_toml(text)
    except (TypeError, ValueError):
        return
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_numpy_numbers_and_lists_become_plain_values():
    given = Recipe(
        population_size=np.int64(16),
        sigma=np.float32(0.25),
        mutation="adaptive",
        mutation_rate=[np.float64(0.5), 0.25],
    )
    plain = Recipe(population_size=16, sigma=0.25, mutation="adaptive", mutation_rate=(0.5, 0.25))
    assert repr(given) == repr(plain)
    assert [type(v) for v in (given.population_size, given.sigma, given.mutation_rate)] == [
        int,
        float,
        tuple,
    ]
    assert len({given, plain, replace(plain, sigma=0.5)}) == 2


def test_a_recipe_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Recipe().sigma = 0.5


def test_recipes_are_found_by_name_or_are_themselves():
    mine = Recipe(sigma=0.2)
    assert find_recipe(mine) is mine
    for name, recipe in RECIPES.items():
        assert find_recipe(name) is recipe
    with pytest.raises(ValueError, match=r"recipe must be one of .*'classic'.* got 'wit'"):
        find_recipe("wit")
    with pytest.raises(TypeError, match="recipe must be a name or a Recipe, got 3"):
        find_recipe(3)


@pytest.mark.parametrize(
    "score", [partial(max, key=lambda y: y), type("S", (), {"__call__": max})()]
)
def test_a_name_does_not_say_where_a_score_stands_in_memory(score):
    assert "0x" in repr(score)
    for one in (score, resolve_fitness(score, classes=np.arange(2))):
        assert name_of(one)
        assert "0x" not in name_of(one)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"weight_decay": "some"}, ValueError, "weight_decay must be one of.*'auto'"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay must be >= 0"),
        ({"weight_decay": True}, TypeError, "weight_decay must be a number"),
        ({"mutation_rate": (0.1, 0.2, 0.3)}, ValueError, "mutation_rate must be a pair"),
        ({"mutation_rate": ()}, ValueError, "mutation_rate must be a pair"),
        ({"ranking": 3}, TypeError, "ranking must be a name or callable, got 3"),
        ({"selection": 3}, (TypeError, ValueError), "selection must be"),
        ({"n_parents": 9, "population_size": 8}, ValueError, "n_parents must be <= 8, got 9"),
        ({"n_elites": 8, "population_size": 8}, ValueError, "n_elites must be <= 7, got 8"),
        ({"rank": 0}, ValueError, "rank must be >= 1, got 0"),
        ({"rank": True}, TypeError, "rank must be an integer"),
        ({"rank": None}, TypeError, "rank must be an integer"),
        ({"recombination": "wit"}, ValueError, "recombination must be one of .*'centred'"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_at_once(changes, error, message):
    with pytest.raises(error, match=message):
        Recipe(**changes)


@pytest.mark.parametrize(
    ("changes", "weight_set", "message"),
    [
        ({"weight_decay": 4.0, "sigma": 0.5}, None, r"at most 1, got 4.0 \* 0.5"),
        ({"mutation": "swap", "mutation_rate": 0.0}, None, "needs a mutation_rate above 0"),
        ({"mutation": "step"}, None, "'step' needs one"),
        ({"mutation_rate": (0.1, 0.2)}, None, "must be a pair .* with mutation='adaptive'"),
        ({"mutation": "uniform"}, "int8", "mutation must be one of"),
        ({"weight_decay": 0.1}, "int8", "weight_decay must be 0 with a weight_set"),
        ({"mutation": "low_rank", "n_elites": 1}, None, "needs n_elites=0, got 1"),
        ({"mutation": "low_rank", "crossover": "uniform"}, None, "needs crossover='mean'"),
        ({"mutation": "low_rank", "mutation_rate": 0.5}, None, "needs mutation_rate=1, got 0.5"),
        ({"mutation": "low_rank", "selection": "sus"}, None, "needs selection to be one of"),
        ({"mutation": "low_rank"}, "int8", "mutation must be one of"),
        ({"recombination": "centred", "n_parents": 3}, None, "use recombination='parents'"),
        ({"recombination": "centred", "selection": "rank"}, None, "use recombination='parents'"),
    ],
    ids=str,
)
def test_parts_that_do_not_go_together_are_refused(changes, weight_set, message):
    with pytest.raises(ValueError, match=message):
        resolve(Recipe(**changes), weight_set=weight_set)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"sigma = ", "Invalid value"),
        (b"wit = 1", r"a recipe has the fields .*got \['wit'\]"),
        (b"sigma = 'strong'", "sigma must be a number"),
        (b"sigma = -1.0", "sigma must be >= 0"),
        (b"population_size = 2.5", "population_size must be an integer"),
        (b"selection = [1]", "selection must be"),
        (b"[sigma]\na = 1", "sigma must be a number"),
        (b"\xff\xfe", "utf-8"),
        (b"#" * (LONGEST_FILE + 1), "it has more than 65,536 bytes"),
    ],
)
def test_a_file_that_holds_no_recipe_is_named_with_the_reason(tmp_path, text, reason):
    path = tmp_path / "mine.toml"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=rf"mine\.toml cannot be read as a recipe: .*{reason}"):
        Recipe.read(path)


def test_a_file_as_long_as_allowed_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"#" * LONGEST_FILE)
    assert Recipe.read(path) == Recipe()
    with pytest.raises(FileNotFoundError, match=r"nothing\.toml"):
        Recipe.read(tmp_path / "nothing.toml")


def test_a_function_cannot_be_written_and_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "mine.toml"
    Recipe(sigma=0.2).write(path)
    with pytest.raises(TypeError, match="ranking must be a name to be written, got <function"):
        Recipe(ranking=lambda y, p: 0.0).write(path)
    assert Recipe.read(path) == Recipe(sigma=0.2)


def test_a_recipe_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "mine.toml"
    Recipe(sigma=0.2).write(path)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        Recipe(sigma=0.7).write(path)
    monkeypatch.undo()
    assert Recipe.read(path) == Recipe(sigma=0.2)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.toml"]


# ---------------------------------------------------------------- by the problem


@pytest.mark.parametrize("ends_at_target", [False, True])
@pytest.mark.parametrize("n_samples", [10, 300])
@pytest.mark.parametrize("weight_set", [None, "binary", (-2.0, 3.0)])
@pytest.mark.parametrize("recipe", [Recipe(), Recipe(mutation="swap"), Recipe(n_elites=3)])
def test_a_resolved_recipe_has_no_none(recipe, weight_set, n_samples, ends_at_target):
    options = {"n_samples": n_samples, "weight_set": weight_set, "ends_at_target": ends_at_target}
    resolved = resolve(recipe, **options)
    assert all(getattr(resolved, name) is not None for name in NAMES)
    for name in set(NAMES) - {"ranking"}:
        if getattr(recipe, name) is not None:
            assert getattr(resolved, name) == getattr(recipe, name)


@pytest.mark.parametrize("name", RECIPES)
def test_what_a_recipe_says_survives_any_problem(name):
    recipe = RECIPES[name]
    for options in ({}, {"n_samples": 300}, {"ends_at_target": True}):
        resolved = resolve(recipe, **options)
        changed = {n for n in NAMES if getattr(resolved, n) != getattr(recipe, n)}
        assert changed == {n for n in BY_PROBLEM if getattr(recipe, n) is None}


@given(recipes())
def test_low_rank_and_all_solutions_are_chosen_where_they_can_be(recipe):
    """What the problem chooses is never refused."""
    asked = replace(
        recipe, recombination=None, mutation=None, mutation_rate=None, weight_decay=None
    )
    resolved = resolve(asked)
    own = recipe.selection in SELECTIONS
    by_mean = resolved.crossover == "mean" and own and recipe.n_elites == 0
    assert (resolved.mutation == "low_rank") == by_mean
    chosen = recipe.n_parents is not None or recipe.selection != "truncation"
    coarse = recipe.ranking == "fitness" and by_mean
    assert resolved.recombination == ("parents" if chosen or coarse else "centred")


@pytest.mark.parametrize("weight_set", ["binary", (-2.0, 3.0)])
def test_a_weight_set_asks_for_operators_that_stay_inside(weight_set):
    resolved = resolve(weight_set=weight_set)
    asked = {
        "crossover": "gene_pool",
        "mutation": "step",
        "mutation_rate": 0.005,
        "sigma": 1.0,
        "weight_decay": 0.0,
    }
    assert {name: getattr(resolved, name) for name in asked} == asked
    assert resolve(Recipe(sigma=3.0), weight_set=weight_set).sigma == 3.0


@pytest.mark.parametrize("crossover", [*CROSSOVERS, "sbx", "two_points", "scattered"])
def test_crossovers_of_whole_genes_are_allowed_in_a_set(crossover):
    if crossover in LEAVE_THE_SET:
        with pytest.raises(ValueError, match="use 'gene_pool'"):
            resolve(Recipe(crossover=crossover), weight_set="int8")
    else:
        assert resolve(Recipe(crossover=crossover), weight_set="int8").crossover == crossover


@pytest.mark.parametrize("mutation", ["swap", "inversion", "scramble"])
def test_mutations_that_move_genes_need_no_set(mutation):
    for weight_set in (None, "int8"):
        assert resolve(Recipe(mutation=mutation), weight_set=weight_set).mutation == mutation


@given(n_samples=st.integers(2, 30_000), sigma=st.floats(0, 3e38))
def test_automatic_decay_falls_with_the_samples_and_has_a_limit(n_samples, sigma):
    decay = resolve(Recipe(sigma=sigma), n_samples=n_samples).weight_decay
    assert 0 <= decay <= min(WEIGHT_DECAY / 2, 1 / math.sqrt(n_samples))  # of two classes
    assert decay * sigma <= 1
    assert resolve(Recipe(sigma=sigma), n_samples=4 * n_samples).weight_decay <= decay
    assert resolve(n_samples=n_samples, ends_at_target=True).weight_decay == 0
    explicit = Recipe(weight_decay=0.3)
    assert resolve(explicit, n_samples=n_samples, ends_at_target=True).weight_decay == 0.3


@pytest.mark.parametrize(
    ("batch_size", "n_samples", "first"),
    [
        ("auto", 8 * AUTO_BATCH_SIZE - 1, 8 * AUTO_BATCH_SIZE - 1),
        ("auto", 8 * AUTO_BATCH_SIZE, AUTO_BATCH_SIZE),
        ("full", 5000, 5000),
        (7, 5000, 7),
        (7, 5, 5),
    ],
)
def test_the_first_batch(batch_size, n_samples, first):
    recipe = resolve(Recipe(batch_size=batch_size), n_samples=n_samples)
    assert recipe.first_batch_size(n_samples) == first


@pytest.mark.parametrize("name", RECIPES)
def test_the_settings_of_a_history_hold_the_recipe_of_the_run(name):
    held = data(30)
    result = ga_ann.evolve(
        held.X, held.targets, recipe=name, hidden_layer_sizes=(2,), n_generations=1
    )
    read = Recipe.from_dict(result.history.settings)
    assert read == replace(result.recipe, ranking=name_of(result.recipe.ranking))
    if RECIPES[name].ranking is not None:
        assert read == result.recipe
    assert Problem(held, RECIPES[name], hidden_layer_sizes=(2,)).recipe.dtype == read.dtype


def test_a_search_by_the_fitness_alone_looks_at_more_solutions_and_samples():
    coarse = resolve(Recipe(ranking="fitness"), n_samples=1000)
    assert (coarse.population_size, coarse.n_parents, coarse.batch_size) == (128, 16, 256)
    assert (coarse.recombination, coarse.sigma) == ("parents", 0.6)
    usual = resolve(n_samples=1000)
    assert (usual.population_size, usual.n_parents, usual.batch_size) == (32, 32, 32)
    assert (usual.recombination, usual.sigma) == ("centred", 0.4)
    # What was asked for stays, as does a search of another kind.
    asked = Recipe(ranking="fitness", population_size=40, sigma=0.1, recombination="centred")
    found = resolve(asked, n_samples=1000)
    assert (found.population_size, found.n_parents, found.sigma) == (40, 40, 0.1)
    dense = resolve(Recipe(ranking="fitness", crossover="uniform"), n_samples=1000)
    assert (dense.population_size, dense.n_parents, dense.batch_size) == (32, 8, 32)


@pytest.mark.parametrize("name", ["neg_log_loss", "neg_brier_score", "margin"])
def test_a_fitness_that_is_fine_enough_has_the_usual_search(name):
    fitness = resolve_fitness(name, classes=np.arange(2))
    smooth = Recipe(ranking="fitness").resolve(data(1000), fitness=fitness)
    assert (smooth.population_size, smooth.recombination) == (32, "centred")


def test_a_search_is_as_coarse_by_the_name_of_its_fitness_and_by_a_metric_of_classes():
    by_name = resolve(Recipe(ranking="accuracy"), n_samples=1000)
    assert (by_name.population_size, by_name.recombination) == (128, "parents")
    other = resolve(Recipe(ranking="neg_log_loss"), n_samples=1000)
    assert (other.population_size, other.recombination) == (32, "centred")
    metric = resolve_fitness(lambda y, p: np.mean(y == p), classes=np.arange(2))
    own = Recipe(ranking="fitness").resolve(data(1000), fitness=metric)
    assert own.population_size == 128


def test_more_parents_than_the_problem_has_solutions_are_refused():
    with pytest.raises(ValueError, match="n_parents must be <= 32, got 33"):
        resolve(Recipe(n_parents=33))
    assert resolve(Recipe(n_parents=32)).population_size == 32
