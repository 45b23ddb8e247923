"""Runs with custom parts: the bits of the built-in ones, and refusals before and within the run."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV

from ga_ann import GeneticMLPClassifier, Recipe, forward, layer_shapes
from ga_ann.evolution import custom
from ga_ann.evolution.data import TrainingData
from ga_ann.evolution.memory import estimate_memory
from ga_ann.evolution.problem import Problem
from ga_ann.network import ACTIVATIONS
from ga_ann.operators import CROSSOVERS, MUTATIONS, SELECTIONS, step_mutation
from tests.runs import evolve

X, Y = load_iris(return_X_y=True)
GIVEN = {
    "hidden_layer_sizes": (6, 5),
    "population_size": 12,
    "n_parents": 4,
    "n_generations": 25,
    "target_fitness": None,
    "random_state": 0,
    "bias": True,
}


def run(**options):
    return evolve(X, Y, **GIVEN | options)


def assert_same_bits(result, expected, *, best=True):
    assert np.asarray(result.population).tobytes() == np.asarray(expected.population).tobytes()
    if best:
        np.testing.assert_array_equal(result.history["ranking"], expected.history["ranking"])
        for mine, other in zip(result.weights, expected.weights, strict=True):
            assert mine.tobytes() == other.tobytes()


def wrapped_activation(name):
    def mine(Z, axis):
        ACTIVATIONS[name](Z, axis)
        return Z

    return mine


def wrapped_selection(name):
    return lambda rng, fitness, n_parents: SELECTIONS[name](rng, fitness, n_parents)


def wrapped_crossover(name):
    def mine(rng, parents, n_offspring, shapes):
        offspring = np.empty((n_offspring, parents.shape[1]), dtype=parents.dtype)
        CROSSOVERS[name](rng, parents, offspring, shapes=shapes, table=None)
        return offspring

    return mine


def wrapped_mutation(name):
    def mine(rng, offspring, scale, rate):
        mutated = offspring.copy()
        MUTATIONS[name](rng, mutated, scale, rate=rate)
        return mutated

    return mine


# ---------------------------------------------------------------- the bits of the built-in parts


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_activation_gives_the_bits_of_the_name(name, dtype):
    expected = run(activation=name, dtype=dtype, n_jobs=1)
    mine = wrapped_activation(name)
    for activation in (mine, (mine, name), [name, mine], (name, name), ACTIVATIONS[name]):
        result = run(activation=activation, dtype=dtype, n_jobs=2)
        assert_same_bits(result, expected)
        assert result.predict_scores(X).tobytes() == expected.predict_scores(X).tobytes()


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_an_output_activation_gives_the_bits_of_the_name(name):
    expected = run(output_activation=name)
    assert_same_bits(run(output_activation=wrapped_activation(name)), expected)


@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
@pytest.mark.parametrize("name", sorted(SELECTIONS))
def test_a_selection_gives_the_bits_of_the_name(name, mutation):
    options = {"mutation": mutation, "recombination": "parents"}
    expected = run(selection=name, **options)
    assert_same_bits(run(selection=wrapped_selection(name), **options), expected)


@pytest.mark.parametrize("n_elites", [0, 3])
@pytest.mark.parametrize("name", sorted(set(CROSSOVERS) - {"uniform"}))  # which reads the table
def test_a_crossover_gives_the_bits_of_the_name(name, n_elites):
    options = {"mutation": "gaussian", "n_elites": n_elites, "recombination": "parents"}
    options |= {"weight_decay": 0.1, "batch_size": 32}
    expected = run(crossover=name, **options)
    # Of the mean crossover the mean is a candidate for the best as well.
    result = run(crossover=wrapped_crossover(name), **options)
    assert_same_bits(result, expected, best=name != "mean")


@pytest.mark.parametrize("rate", [1.0, 0.2])
@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_gives_the_bits_of_the_name(name, rate):
    options = {"noise": "generator", "mutation_rate": rate, "n_elites": 1}
    options |= {"crossover": "neuron", "sigma_decay": 0.5, "n_generations": 100}
    options |= {"ranking": "fitness", "batch_size": "full", "sigma": 1e-4}  # without progress
    expected = run(mutation=name, **options)
    assert expected.history["sigma"][-1] < expected.history["sigma"][0]
    assert_same_bits(run(mutation=wrapped_mutation(name), **options), expected)


def test_a_mutation_inside_a_set_of_weights_gives_the_bits_of_step():
    values = np.array([-1.0, 0.0, 1.0])

    def mine(rng, offspring, scale, rate):
        mutated, sigma = offspring.copy(), float(scale[0] / np.float32(values.std()))
        step_mutation(rng, mutated, values.astype("f4"), sigma=sigma, rate=min(1.0, rate * sigma))
        return mutated

    options = {"weight_set": "ternary", "sigma_decay": 1.0}
    assert_same_bits(run(mutation=mine, **options), run(**options))


def test_a_custom_crossover_is_mutated_gene_by_gene():
    result = run(crossover=wrapped_crossover("neuron"))
    assert (result.recipe.mutation, result.recipe.recombination) == ("gaussian", "parents")
    by_selection = run(selection=wrapped_selection("rank"))
    assert (by_selection.recipe.mutation, by_selection.recipe.crossover) == ("low_rank", "mean")


def test_each_layer_of_a_population_has_its_own_activation():
    """Against an independent loop, with a mixture of names and functions."""
    hidden = ("tanh", np.sin)
    result = run(activation=hidden, output_activation=lambda Z: Z**3)
    A = X.astype("f4")
    for k, f in enumerate((np.tanh, np.sin, lambda Z: Z**3)):
        A = f(A @ result.weights[2 * k] + result.weights[2 * k + 1])
    np.testing.assert_allclose(result.predict_scores(X.astype("f4")), A, rtol=1e-4, atol=1e-5)
    assert np.mean(A.argmax(axis=1) == Y) == pytest.approx(result.best_fitness, abs=0.01)
    assert result.activation == hidden


# ---------------------------------------------------------------- what each is given


def test_what_the_parts_are_given():
    shapes = tuple(layer_shapes([4, 6, 5, 3], bias=True))
    n_genes = sum(map(np.prod, shapes))
    calls = {"selection": [], "crossover": [], "mutation": []}

    def selection(rng, fitness, n_parents):
        calls["selection"].append((type(rng), fitness.shape, fitness.dtype.name, n_parents))
        return np.argsort(-fitness, kind="stable")[:n_parents]

    def crossover(rng, parents, n_offspring, given):
        assert given == shapes
        calls["crossover"].append((type(rng), parents.shape, parents.dtype.name, n_offspring))
        return rng.choice(parents, n_offspring)

    def mutation(rng, offspring, scale, rate):
        assert rate == 0.25
        calls["mutation"].append((type(rng), offspring.shape, offspring.dtype.name, scale.shape))
        return offspring

    run(selection=selection, crossover=crossover, mutation=mutation, mutation_rate=0.25, n_elites=2)
    generator = np.random.Generator
    assert set(calls["selection"]) == {(generator, (12,), "float64", 4)}
    # In the run, and in the two calls on a sample before it.
    assert set(calls["crossover"]) == {(generator, (4, n_genes), "float32", 10)}
    assert set(calls["mutation"]) == {(generator, (10, n_genes), "float32", (n_genes,))}


# ---------------------------------------------------------------- refusals

WRONG = {
    "selection": (lambda rng, fitness, n: np.arange(n) + 12 - n + 1, "return indices from 0 to 11"),
    "crossover": (lambda rng, p, n, s: p[[0] * n].astype(float), "float32.*got float64"),
    "mutation": (lambda rng, o, s, r: o[:, 1:], "must return an array of float32"),
    "activation": (lambda Z: Z.sum(axis=-1), "must return an array of floats"),
    "output_activation": (lambda Z: np.sign(Z).astype(int), "must return an array of floats"),
}


@pytest.mark.parametrize("part", WRONG)
def test_a_part_that_breaks_a_rule_is_refused_before_the_run(part):
    function, message = WRONG[part]
    started = []
    with pytest.raises(ValueError, match=f"^{part}=<lambda> .*{message}"):
        run(callbacks=[lambda ga, history: started.append(1)], **{part: function})
    assert not started
    with pytest.raises(ValueError, match=f"^{part}=<lambda> .*{message}"):
        GeneticMLPClassifier((6,), population_size=12, **{part: function}).fit(X, Y)


@pytest.mark.parametrize("part", ["selection", "crossover", "mutation"])
def test_a_part_that_fails_later_is_named_too(part):
    calls, right = (
        [],
        {
            "selection": wrapped_selection("rank"),
            "crossover": wrapped_crossover("neuron"),
            "mutation": wrapped_mutation("uniform"),
        }[part],
    )

    def mine(*arguments):
        calls.append(1)
        assert len(calls) < 9
        return right(*arguments)

    with pytest.raises(ValueError, match=f"^{part}=mine failed: AssertionError") as info:
        run(**{part: mine})
    assert isinstance(info.value.__cause__, AssertionError)


@pytest.mark.parametrize("mutation", ["low_rank", "gaussian"])
@pytest.mark.parametrize("part", ["selection", "crossover", "mutation"])
def test_a_part_that_spoils_its_arguments_later_does_not_get_far(part, mutation):
    calls = []

    def mine(rng, first, *others):
        calls.append(1)
        if len(calls) > 9:
            first += 1
        if part == "selection":
            return np.arange(others[0])
        return first if part == "mutation" else first[[0] * others[0]]

    options = {"mutation": mutation if part == "selection" else "gaussian", part: mine}
    with pytest.raises(ValueError, match=f"^{part}=mine failed: .*read-only"):
        run(**options)


@pytest.mark.parametrize("part", ["crossover", "mutation"])
def test_weights_that_leave_the_set_are_refused(part):
    functions = {
        "crossover": lambda rng, p, n, s: p[[0] * n] / np.float32(2),
        "mutation": lambda rng, o, s, r: o + s,
    }
    with pytest.raises(ValueError, match=f"^{part}=<lambda> must return values of the weight_set"):
        run(weight_set="ternary", **{part: functions[part]})
    run(**{part: functions[part]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": ("relu",)}, r"for each hidden layer \(2 here\), got \('relu',\)"),
        ({"activation": ("relu", "wit")}, "activation must be one of"),
        ({"activation": ("relu", ["relu"])}, "activation must be one of"),
        ({"selection": ("rank",)}, "selection must be one of .* or a function, got"),
        ({"output_activation": ("relu",)}, "output_activation must be one of"),
        ({"mutation": lambda rng, o, s, r: o, "mutation_rate": (0.1, 0.2)}, "must be a pair"),
        ({"selection": wrapped_selection("rank"), "recombination": "centred"}, "all solutions"),
        ({"crossover": wrapped_crossover("mean"), "mutation": "low_rank"}, "crossover='mean'"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        run(**options)


# ---------------------------------------------------------------- recipes with functions


def swish(Z):
    return Z / (1 + np.exp(-Z))


def best_two(rng, fitness, n_parents):
    return rng.permutation(np.argsort(-fitness, kind="stable")[:2])[np.arange(n_parents) % 2]


MINE = Recipe(activation=("relu", swish), selection=best_two, population_size=12)


def test_a_recipe_with_functions_is_a_value():
    assert eval(repr(MINE), {"Recipe": Recipe, "swish": swish, "best_two": best_two}) == MINE
    assert copy.deepcopy(MINE) == pickle.loads(pickle.dumps(MINE)) == replace(MINE) == MINE
    assert hash(replace(MINE)) == hash(MINE)
    assert replace(MINE, selection=lambda *a: best_two(*a)) != MINE


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("activation", "tanh"),
        ("selection", "tournament"),
        ("crossover", "neuron"),
        ("mutation", "uniform"),
    ],
)
def test_our_own_functions_are_their_names(part, name):
    tables = {"selection": SELECTIONS, "crossover": CROSSOVERS, "mutation": MUTATIONS}
    function = tables.get(part, ACTIVATIONS)[name]
    assert Recipe(**{part: function}) == Recipe(**{part: name})
    Recipe(**{part: function}).to_toml()


def test_files_and_settings_hold_names_that_bring_no_function_back():
    for part in ("activation", "selection"):
        with pytest.raises(
            TypeError, match=f"^{part} must be a name to be written, got .*function"
        ):
            Recipe(**{part: getattr(MINE, part)}).to_toml()
    held = MINE.to_dict()
    assert held["activation"] == ("relu", "custom:swish")
    assert held["selection"] == "custom:best_two"
    with pytest.raises(ValueError, match="was the function 'best_two'"):
        Recipe.from_dict(held | {"activation": "relu"})
    with pytest.raises(ValueError, match="activation was the function 'swish'"):
        Recipe.from_toml("activation = ['relu', 'custom:swish']")
    assert Recipe.from_dict(held | {part: getattr(MINE, part) for part in held}) == MINE
    several = Recipe(activation=("relu", "tanh"))
    assert Recipe.from_toml(several.to_toml()) == several


# ---------------------------------------------------------------- estimators


def test_estimators_take_functions_and_pass_them_on():
    network = GeneticMLPClassifier(
        (6, 5), activation=("relu", swish), selection=best_two, n_generations=8, random_state=0
    )
    assert clone(network).get_params() == network.get_params()
    network.fit(X, Y)
    copied = pickle.loads(pickle.dumps(network))
    assert copied.selection is best_two
    np.testing.assert_array_equal(copied.predict_proba(X), network.predict_proba(X))
    weights = [W.astype(float) for W in network.weights_]
    expected = forward(weights, X, activation=("relu", swish)).argmax(axis=1)
    np.testing.assert_array_equal(network.predict(X), expected)


def test_a_search_chooses_among_functions():
    network = GeneticMLPClassifier((5,), n_generations=4, random_state=0)
    grid = {"activation": ["relu", swish, ("tanh",)], "selection": ["rank", best_two]}
    search = GridSearchCV(network, grid, cv=2).fit(X, Y)
    assert len(search.cv_results_["params"]) == 6


def test_memory_counts_what_a_custom_operator_returns():
    data = TrainingData.check(X, Y, task="classification", classes=None, sample_weight=None)
    sizes = []
    for crossover in ("neuron", wrapped_crossover("neuron")):
        problem = Problem(data, Recipe(crossover=crossover, population_size=64))
        sizes.append(estimate_memory(problem, n_jobs=1, in_place=True)["population"])
    assert sizes[1] - sizes[0] == 64 * problem.n_genes * 4


@pytest.mark.parametrize("n_elites", [0, 2])
@pytest.mark.parametrize("what", ["crossover", "mutation"])
def test_operators_are_tried_on_as_many_offspring_as_the_run_has(what, n_elites):
    """What breaks a rule among many only is refused, as is what does so among few."""
    n_offspring = GIVEN["population_size"] - n_elites

    def crossover(rng, parents, n, shapes):
        noise = np.random.random() if n >= n_offspring else 0  # noqa: NPY002
        return parents[[0] * n] + parents.dtype.type(noise)

    def mutation(rng, offspring, scale, rate):
        noise = np.random.random() if len(offspring) >= n_offspring else 0  # noqa: NPY002
        return offspring + offspring.dtype.type(noise)

    operator = {"crossover": crossover, "mutation": mutation}[what]
    options = {"mutation": "gaussian", "recombination": "parents", what: operator}
    with pytest.raises(ValueError, match=f"^{what}={what} must answer the same"):
        run(n_elites=n_elites, **options)


def test_where_there_is_little_memory_operators_are_tried_on_fewer_offspring(monkeypatch):
    seen = []

    def mutation(rng, offspring, scale, rate):
        seen.append(len(offspring))
        return offspring.copy()

    problem = Problem(
        TrainingData.check(X, Y, task="classification", classes=None, sample_weight=None),
        replace(Recipe(), mutation=mutation, recombination="parents", population_size=12),
    )
    row = problem.n_genes * np.dtype(problem.recipe.dtype).itemsize
    for memory, n_offspring in ((0, 1), (12 * row * 5, 5), (12 * row * 99, None)):
        monkeypatch.setattr(
            "ga_ann.evolution.custom.available_memory", lambda memory=memory: memory
        )
        custom.check_parts(problem)
        assert seen[-1] == (n_offspring or 12 - problem.recipe.n_elites)
