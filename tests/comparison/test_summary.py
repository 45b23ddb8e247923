import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.comparison.methods import METHODS
from ga_ann.comparison.summary import (
    MEASURES,
    REGRESSION_MEASURES,
    paired_differences,
    summarise,
)

SCORES = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda pair: np.divide(pair, 16)),
    min_size=3,
    max_size=12,
)


def make_rows(pairs, methods=("ga", "adam"), split="holdout"):
    return [
        {"method": method, "split": split, "seed": seed, "held_out_score": float(score)}
        for seed, pair in enumerate(pairs)
        for method, score in zip(methods, pair, strict=True)
    ]


@given(SCORES)
def test_differences_against_numpy(pairs):
    (found,) = paired_differences(make_rows(pairs))
    differences = np.subtract(*np.transpose(pairs))
    assert found["median"] == np.median(differences)
    assert (found["better"], found["equal"], found["worse"]) == (
        (differences > 0).sum(),
        (differences == 0).sum(),
        (differences < 0).sum(),
    )
    assert found["n_seeds"] == len(pairs)
    assert differences.min() <= found["low"] <= found["median"] <= found["high"]
    assert found["high"] <= differences.max()


@given(SCORES)
def test_swapped_methods_swap_the_sign(pairs):
    (ours,), (theirs,) = (paired_differences(make_rows(pairs), name) for name in ("ga", "adam"))
    assert ours["median"] == -theirs["median"]
    np.testing.assert_allclose([ours["low"], ours["high"]], [-theirs["high"], -theirs["low"]])
    assert (ours["better"], ours["equal"], ours["worse"]) == (
        theirs["worse"],
        theirs["equal"],
        theirs["better"],
    )


@given(SCORES)
def test_a_method_does_not_differ_from_itself(pairs):
    (found,) = paired_differences(make_rows([(a, a) for a, _ in pairs]))
    assert found["low"] == found["median"] == found["high"] == 0
    assert found["equal"] == len(pairs)


@given(SCORES, st.integers(-8, 8))
def test_constant_differences_are_their_own_interval(pairs, by):
    (found,) = paired_differences(make_rows([(a + by / 8, a) for a, _ in pairs]))
    assert found["low"] == found["median"] == found["high"] == by / 8


def test_the_interval_covers_the_median_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        pairs = np.column_stack([rng.normal(1, 1, 12), np.zeros(12)])
        (found,) = paired_differences(make_rows(pairs))
        covered += found["low"] <= 1 <= found["high"]
    assert 85 <= covered < 100


def test_two_seeds_make_no_interval():
    (found,) = paired_differences(make_rows([(1.0, 0.5), (0.5, 0.75)]))
    assert (found["n_seeds"], found["median"]) == (2, 0.125)
    assert math.isnan(found["low"])
    assert math.isnan(found["high"])


def test_only_seeds_that_both_finished_are_compared():
    rows = make_rows([(1.0, 0.5), (0.5, 0.5), (0.9, float("nan")), (0.25, 0.5)])[:-1]
    (found,) = paired_differences(rows)
    assert (found["n_seeds"], found["better"], found["equal"], found["worse"]) == (2, 1, 1, 0)


def test_each_split_is_compared_for_itself():
    rows = make_rows([(1.0, 0.5)] * 3, split="b") + make_rows([(0.0, 0.5)] * 3, split="a")
    rows += make_rows([(float("nan"),) * 2] * 3, split="all")
    found = paired_differences(rows)
    assert [(line["split"], line["median"]) for line in found] == [("b", 0.5), ("a", -0.5)]


def test_the_same_seed_gives_the_same_interval():
    rows = make_rows(np.random.default_rng(0).random((7, 2)))
    assert paired_differences(rows) == paired_differences(rows, random_state=0)


def test_the_reference_must_have_rows():
    with pytest.raises(ValueError, match=r"\['ga', 'adam'\], got 'sgd'"):
        paired_differences(make_rows([(1, 0)]), "sgd")


def test_summary_against_numpy(full):
    summary = summarise(full.rows)
    assert len(summary) == len(METHODS) * 4
    for line in summary:
        rows = [
            row
            for row in full.rows
            if (row["method"], row["split"]) == (line["method"], line["split"])
        ]
        assert line["n_seeds"] == len(rows) == 2
        for measure in MEASURES:
            values = [row[measure] for row in rows]
            found = [line[measure][name] for name in ("min", "median", "max")]
            np.testing.assert_allclose(found, np.quantile(values, [0, 0.5, 1]))


def test_the_summary_of_a_regression_has_its_measures(measured):
    lines = summarise(measured.rows)
    assert len(lines) == len(measured.rows) / 2
    for line in lines:
        assert list(line) == ["split", "method", "n_seeds", *REGRESSION_MEASURES]
        of_this = [
            row["train_rmse"]
            for row in measured.rows
            if (row["method"], row["split"]) == (line["method"], line["split"])
        ]
        assert line["train_rmse"]["max"] == max(of_this)
        assert line["train_rmse"]["median"] == np.median(of_this)
