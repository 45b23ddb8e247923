import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.comparison.splits import SPLITS, make_splits


def test_splits_are_what_they_say(full, data):
    _, y, groups = data
    for (name, seed), split in full.splits.items():
        assert (split.name, split.seed) == (name, seed)
        if split.kind == "all":
            assert split.train.tolist() == split.test.tolist() == list(range(len(y)))
            continue
        assert sorted([*split.train, *split.test]) == list(range(len(y)))
        if split.kind == "rotation":
            a, b = name.removeprefix("rotation ").split("->")
            assert set(groups[split.train]) == {int(a)}
            assert set(groups[split.test]) == {int(b)}
        else:
            assert np.bincount(y[split.train]).tolist() in (
                [37, 37, 38],
                [37, 38, 37],
                [38, 37, 37],
            )
    first, second = (full.splits["holdout", seed].test for seed in (0, 1))
    assert first.tolist() != second.tolist()


def test_the_filter_sees_the_training_part_alone():
    # The second column varies in group 1 only, and the first in group 0 only.
    X = np.zeros((40, 2))
    groups = np.repeat([0, 1], 20)
    X[:20, 0] = X[20:, 1] = np.arange(20)
    splits = make_splits(
        ["rotation"], X, np.arange(40) % 2, groups, [0], min_std=1, n_features=None
    )
    kept = {split.name: split.columns.tolist() for split in splits}
    assert kept == {"rotation 0->1": [True, False], "rotation 1->0": [False, True]}


@given(st.sampled_from(sorted(SPLITS)), st.integers(0, 2**32 - 1), st.data())
def test_every_sample_is_tested_and_none_that_trained(kind, seed, draw):
    groups = np.array(draw.draw(st.permutations([*"ab" * 8])))
    y = np.arange(16) // 4
    try:
        splits = make_splits([kind], np.eye(16), y, groups, [seed], min_std=None, n_features=None)
    except ValueError as error:
        assert "at least 2 classes" in str(error)  # noqa: PT017
        return
    for split in splits:
        assert split.kind == kind
        assert (np.diff(split.train) > 0).all()
        assert (np.diff(split.test) > 0).all()
        if kind != "all":
            assert sorted([*split.train, *split.test]) == list(range(16))
    if kind != "holdout":
        assert sorted(np.concatenate([split.test for split in splits])) == list(range(16))
    if kind == "rotation":
        for split, name in zip(splits, ("a->b", "b->a"), strict=True):
            assert split.name == f"rotation {name}"
            assert set(groups[split.train]) == {name[0]}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "needs groups.*use 'holdout'"),
        ([0, 1, 2, 0], r"exactly two values, got \[0, 1, 2\]"),
        ([0, 1, 0, 1], "the training part of the split 'rotation 0->1' must hold at least 2"),
    ],
)
def test_groups_that_cannot_be_split(groups, message):
    groups = None if groups is None else np.array(groups)
    options = {"min_std": None, "n_features": None}
    with pytest.raises(ValueError, match=message):
        make_splits(["rotation"], np.eye(4), np.array([0, 1, 0, 1]), groups, [0], **options)


def test_a_quarter_of_measured_numbers_is_held_out_whatever_they_are():
    y = np.arange(40.0)
    splits = make_splits(["holdout"], np.eye(40), y, None, [0, 1, 2], min_std=None, n_features=None)
    assert [len(split.test) for split in splits] == [10, 10, 10]
    assert len({tuple(split.test) for split in splits}) == 3
    for split in splits:
        assert sorted([*split.train, *split.test]) == list(range(40))


def test_classes_are_held_out_alike_and_measured_numbers_are_not():
    def shares(y):
        splits = make_splits(
            ["holdout"], np.eye(40), y, None, range(8), min_std=None, n_features=None
        )
        return {int(y[split.test].sum()) for split in splits}

    y = np.arange(40) % 2
    assert shares(y) == {5}
    assert len(shares(y.astype(float))) > 1


@pytest.mark.parametrize(("y", "part"), [([0, 0, 1, 2], "training"), ([0, 1, 2, 2], "test")])
def test_a_part_of_one_target_scores_nothing(y, part):
    groups, options = np.array([0, 0, 1, 1]), {"min_std": None, "n_features": None}
    first = f"the {part} part of the split 'rotation 0->1' must hold at least 2 different targets"
    with pytest.raises(ValueError, match=first):
        make_splits(["rotation"], np.eye(4), np.array(y, float), groups, [0], **options)
    apart = np.add(y, [0, 0.5, 0, 0.5])
    assert len(make_splits(["rotation"], np.eye(4), apart, groups, [0], **options)) == 2


def test_a_class_of_one_sample_is_not_held_out():
    options = {"min_std": None, "n_features": None}
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    message = r"a single sample.*\(1 of 3 classes\).*use the split 'all'.*the task regression"
    with pytest.raises(ValueError, match=message):
        make_splits(["holdout"], np.eye(9), y, None, [0], **options)
    assert make_splits(["all"], np.eye(9), y, None, [0], **options)
    assert make_splits(["holdout"], np.eye(9), y.astype(float), None, [0], **options)
    alike = np.append(y, 2)
    assert make_splits(["holdout"], np.eye(10), alike, None, [0], **options)
