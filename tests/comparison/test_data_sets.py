import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.preprocessing import StandardScaler

from ga_ann.comparison.compare import compare
from ga_ann.comparison.data_sets import DATASETS, DataSet
from ga_ann.comparison.presentation import caption


@pytest.mark.parametrize(
    ("name", "load"),
    [("wine", load_wine), ("digits", load_digits), ("diabetes", load_diabetes)],
    ids=["wine", "digits", "diabetes"],
)
def test_named_data_are_standardised_by_the_training_part(constant, seen, name, load):
    comparison = compare(data=name, methods={"a": constant}, seeds=1)
    split = comparison.splits["holdout", 0]
    X, y = load(return_X_y=True)
    (job,) = seen
    np.testing.assert_allclose(job.X, StandardScaler().fit_transform(X[split.train]))
    np.testing.assert_array_equal(job.y, y[split.train])
    assert job.hidden_layer_sizes == DATASETS[name].hidden_layer_sizes == (32,)
    assert "standardised by the training part" in caption(comparison)


def test_options_replace_those_of_named_data(constant, seen):
    options = {"hidden_layer_sizes": 7, "standardise": False, "splits": ["all"], "min_std": 100}
    comparison = compare(data="wine", methods={"a": constant}, seeds=1, **options)
    (job,) = seen
    X = load_wine().data
    np.testing.assert_array_equal(job.X, X[:, X.std(axis=0) > 100])
    assert job.hidden_layer_sizes == (7,)
    assert caption(comparison) == (
        "Wine: 178 samples; features with std > 100 in the training part; hidden layers 7; "
        "1 seed; no time limits."
    )


def test_fruits_by_default(constant, seen):
    comparison = compare(methods={"a": constant}, seeds=1)
    assert len(comparison.y) == 1962
    assert comparison.target_names == ["apple", "raspberry", "mango", "lemon"]
    assert [len(job.X) for job in seen] == [981, 981]
    assert all((job.X.std(axis=0) > 50).all() for job in seen)
    assert comparison.sample_names[0].startswith("apple/")
    assert "Fruits-360" in caption(comparison)


def test_n_features_replaces_the_fruits_filter(constant, seen):
    comparison = compare(methods={"a": constant}, seeds=1, n_features=102)
    assert [job.X.shape[1] for job in seen] == [102, 102]
    assert "the 102 features" in caption(comparison)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"splits": ("half",)}, ValueError, "each of splits must be one of"),
        ({"splits": "holdout"}, TypeError, "splits must be a list of names"),
        ({"splits": ()}, ValueError, "splits must name at least one"),
        ({"hidden_layer_sizes": (0,)}, ValueError, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": "many"}, TypeError, "hidden_layer_sizes"),
    ],
)
def test_a_data_set_that_cannot_be_used_is_refused_before_any_work(
    constant, seen, options, error, message
):
    own = DataSet("mine", load_wine, **options)
    with pytest.raises(error, match=message):
        compare(data=own, methods={"a": constant}, seeds=1)
    assert seen == []


@pytest.mark.parametrize("kind", [csr_matrix, csr_array])
def test_sparse_samples_are_refused_with_the_way_out(constant, seen, kind):
    X, y = load_wine(return_X_y=True)
    message = rf"compare needs dense samples.*got {kind.__name__}, use its toarray\(\)"
    with pytest.raises(TypeError, match=message):
        compare(kind(X), y, methods={"a": constant}, seeds=1)
    assert seen == []
    compare(kind(X).toarray(), y, methods={"a": constant}, seeds=1)


def test_a_data_set_may_name_a_single_layer(constant, seen):
    own = DataSet("mine", load_wine, hidden_layer_sizes=5)
    assert compare(data=own, methods={"a": constant}, seeds=1).settings["hidden_layer_sizes"] == [5]
    assert [job.hidden_layer_sizes for job in seen] == [(5,)]


@pytest.mark.parametrize("are_pictures", [False, True])
def test_a_data_set_of_ones_own_is_trained_like_its_kind(data, constant, seen, are_pictures):
    X, y, groups = data
    like = DATASETS["fruits" if are_pictures else "wine"]
    own = DataSet.of_arrays(
        "mine", X * 99, y, groups=groups, sample_names=y.astype(str), are_pictures=are_pictures
    )
    comparison = compare(data=own, methods={"a": constant}, seeds=1)
    settings = comparison.settings
    for name in ("hidden_layer_sizes", "min_std", "standardise"):
        expected = getattr(like, name)
        assert settings[name] == (list(expected) if isinstance(expected, tuple) else expected)
    assert (settings["data"], settings["splits"]) == ("mine", ["holdout"])
    assert len(seen) == 1
