"""What ran, as the engine's summary tells it."""

import numpy as np
import pytest

from ga_ann import Callback
from ga_ann.evolution.summary import summarise
from tests.runs import evolve

X = np.random.default_rng(0).normal(size=(300, 3))
Y = (X[:, 0] > 0) * 1 + (X[:, 1] > 0.5)


def run(**options):
    given = {"hidden_layer_sizes": (4,), "random_state": 0, "n_generations": 3}
    return evolve(X, Y, **given | {"target_fitness": None} | options)


def rows_of(result):
    """Return the rows of the table; a name and what follows are two blanks or more apart."""
    _, rule, *lines, last = result.ga.summary().splitlines()
    assert set(rule) == set(last) == {"="}
    return {name: what.strip() for name, _, what in (line.partition("  ") for line in lines)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {},
            {
                "Network": "3-4-3, relu, then identity",
                "Population": "32 solutions of 24 genes (float32)",
                "Fitness": "accuracy",
                "Ranking": "neg_log_loss",
                "Samples": "batches of 32 of 300, drawn for each generation",
                "Selection": "truncation, 32 parents",
                "Crossover": "mean, centred recombination, weight decay 0.0333",
                "Mutation": "low_rank, rank 1, sigma 0.4",
                "Elites": "0 unchanged",
                "Generations": "3 of 3 at most",
                "Random state": "0",
            },
        ),
        (
            {"recipe": "classic", "bias": True, "fitness": "f1_macro"},
            {
                "Network": "3-4-3 with biases, relu, then identity",
                "Population": "64 solutions of 31 genes (float32)",
                "Fitness": "f1_macro",
                "Ranking": "by the fitness",
                "Samples": "all 300 in every generation",
                "Selection": "truncation, 16 parents",
                "Crossover": "uniform, weight decay 0",
                "Mutation": "gaussian, rate 0.05, sigma 0.5",
                "Elites": "2 unchanged",
            },
        ),
        (
            {
                "selection": "sss",
                "crossover": "two_points",
                "mutation": "random",
                "mutation_rate": 0.25,
                "n_parents": 5,
            },
            {
                "Selection": "sss of PyGAD, 5 parents",
                "Crossover": "two_points of PyGAD",
                "Mutation": "random of PyGAD, rate 0.25, by U(-1, 1)",
            },
        ),
        ({"mutation": "swap"}, {"Mutation": "swap of PyGAD"}),
        (
            {"weight_set": "ternary"},
            {
                "Ranking": "neg_log_loss",
                "Mutation": "step, rate 0.005, sigma 1",
                "Weights": "3 values: ternary",
            },
        ),
    ],
)
def test_it_tells_what_ran(options, expected):
    rows = rows_of(run(**options))
    assert {name: rows[name] for name in expected} == expected
    if not options:
        assert rows == expected


def test_what_changes_in_a_run_is_told_from_first_to_last():
    seen = []

    class Look(Callback):
        def on_generation(self, ga, history):
            seen.append(summarise(ga._run))

    result = run(n_generations=200, sigma_decay=0.5, callbacks=[Look()])
    schedule = result.state.schedule
    assert schedule.batch_size > 32
    rows = rows_of(result)
    told = f"batches of 32 to {schedule.batch_size} of 300, drawn for each generation"
    assert rows["Samples"] == told
    assert rows["Mutation"] == f"low_rank, rank 1, sigma 0.4 to {schedule.sigma:.3g}"
    assert "Generations   0 of 200 at most" in seen[0]
    assert "sigma 0.4\n" in seen[0]
    assert "Generations   7 of 200 at most" in seen[7]


def test_a_continued_run_tells_its_own_generations():
    assert rows_of(run(n_generations=5, start=run()))["Generations"] == "5 of 5 at most"


def test_the_rules_are_as_long_as_asked():
    assert "=" * 40 + "\n" in run().ga.summary(line_length=40, columns_equal_len=True)
    assert "=" * 41 not in run().ga.summary(40)
