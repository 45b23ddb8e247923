import numpy as np
import pytest

from ga_ann import Recipe, load_checkpoint, save_history, save_model
from ga_ann.callbacks import Checkpoint
from ga_ann.estimator import GeneticMLPClassifier, GeneticMLPRegressor
from ga_ann.evolution import evolve
from ga_ann.history import History
from ga_ann.report.of_run import find_source, page_of_run


@pytest.fixture(scope="module")
def files(result, iris, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    X, y = iris
    checkpoint = folder / "run.npz"
    evolve(X, y, n_generations=3, random_state=0, callbacks=[Checkpoint(checkpoint)])
    save_model(folder / "model.npz", result)
    save_history(folder / "history.npz", result.history)
    return folder


def page(source, data=None, names=None):
    return page_of_run(find_source(source), data, names, None, None)


def test_results_and_their_files_give_the_same_page(result, files):
    own, read = page(result), page(files / "model.npz")
    assert (own.curves, own.movement) == (read.curves, read.movement)
    assert own.conclusion == read.conclusion
    assert len(own.movement) == 1
    assert dict(own.facts)["Network"] == "4-8-3"
    history = page(files / "history.npz")
    assert history.curves == own.curves


def test_a_checkpoint_tells_its_seed_and_versions(files):
    told = page(files / "run.npz")
    assert dict(told.facts)["Seed"] == "0"
    assert told.versions["numpy"] == np.__version__
    assert page(load_checkpoint(files / "run.npz")).curves == told.curves


def test_the_call_that_is_told_repeats_the_run(result, iris):
    X, y = iris
    call = page(result).command
    names = {"Recipe": Recipe, "X": X[::2], "y": y[::2]}
    names["evolve"] = lambda *given, **options: names.update(again=evolve(*given, **options))
    exec(call, names)
    for ours, theirs in zip(names["again"].weights, result.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_command_of_the_command_line_is_told_where_the_model_knows_it(result, files):
    model = result.to_model(settings={"command": "ga-ann train iris"})
    save_model(files / "told.npz", model, result.history)
    assert page(files / "told.npz").command == "ga-ann train iris"


def test_the_network_is_tested_on_data(result, iris):
    X, y = iris
    told = page(result, (X, y), [f"flower {k}" for k in range(len(y))])
    wrong = np.flatnonzero(result.predict(X) != y)
    assert told.matrices[0].summary == f"{len(wrong)} of 150 wrong"
    assert [row[1] for row in told.mistakes[0].shown] == [f"flower {k}" for k in wrong]


def test_labels_of_text_are_the_networks_own(iris):
    X, y = iris
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = GeneticMLPClassifier((6,), n_generations=5, random_state=0).fit(X, names)
    told = page(model, (X, names))
    assert told.matrices[0].classes == ["setosa", "versicolor", "virginica"]
    assert told.matrices[0].summary.startswith(f"{int((model.predict(X) != names).sum())} of")


def test_a_regression_is_tested_on_numbers(iris):
    X, _ = iris
    model = GeneticMLPRegressor((6,), n_generations=5, random_state=0).fit(X, X[:, 0])
    told = page(model, (X, X[:, 0]))
    assert len(told.predictions) == 1
    with pytest.raises(ValueError, match="labels must be finite numbers"):
        page(model, (X, np.where(X[:, 0] > 5, np.nan, X[:, 0])))


def test_bad_data_are_refused(result, files, iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"must be those of the network, \[0, 1, 2\], got \[7\]"):
        page(result, (X, np.where(np.arange(150) == 77, 7, y)))
    with pytest.raises(ValueError, match=r"shape \(150,\), one a sample, got \(149,\)"):
        page(result, (X, y[1:]))
    with pytest.raises(ValueError, match="sample_names must hold 150 names, got 149"):
        page(result, (X, y), ["a"] * 149)
    with pytest.raises(ValueError, match="no network to predict with"):
        page(files / "run.npz", (X, y))


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(TypeError, match="a report is made of a Comparison"):
        find_source(3)
    with pytest.raises(ValueError, match="no generation yet"):
        find_source(History())
    with pytest.raises(FileNotFoundError):
        find_source(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(ValueError, match=r"text\.npz"):
        find_source(tmp_path / "text.npz")
