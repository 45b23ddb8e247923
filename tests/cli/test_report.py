import importlib.util
import re

import numpy as np
import pytest

from ga_ann import comparison
from ga_ann.history import History
from ga_ann.report import save
from ga_ann.storage import Model, save_model

SMALL = ["--data", "wine", "--methods", "random,naive", "--seeds", 2, "--split", "all"]
HOSTILE = "</script><script>window.hacked = 1</script><b>"


def own_text(path):
    """Return a report without the library that it carries."""
    return path.read_text(encoding="utf-8").replace(save._bundle(), "")


@pytest.fixture
def no_extra(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "altair" else find(name)
    )


@pytest.fixture
def no_comparison(monkeypatch, breaks):
    monkeypatch.setattr(comparison, "compare", breaks(AssertionError("it ran")))


def test_a_model_is_reported_beside_itself(ga, colour_model):
    code, text, err = ga("report", colour_model)
    path = colour_model.with_suffix(".html")
    assert (code, text, err) == (0, f"{path}\n", "")
    page = own_text(path)
    path.unlink()
    assert "Training run" in page
    assert "ga-ann train" in page


def test_a_model_is_tested_on_pictures_that_it_shows(ga, colour_model, pictures, tmp_path):
    out = tmp_path / "a.html"
    assert ga("report", colour_model, pictures, "-o", out)[0] == 0
    assert "12 samples, all that were given" in own_text(out)


def test_a_checkpoint_is_reported(ga, iris, tmp_path):
    checkpoint, out = tmp_path / "c.npz", tmp_path / "a.html"
    model = ["-o", tmp_path / "m.npz", "--hidden", 3, "--seed", 0, "--generations", 5]
    assert ga("train", iris, *model, "--checkpoint", checkpoint, "--quiet")[0] == 0
    assert ga("report", checkpoint, "-o", out)[0] == 0
    assert "Training run" in own_text(out)


def test_report_refuses(fails, colour_model, iris, pictures, tmp_path):
    out = tmp_path / "a.html"
    assert "No such file" in fails("report", tmp_path / "m.npz", "-o", out)
    assert "cannot be read as" in fails("report", iris, "-o", out)
    assert "must end in .html" in fails("report", colour_model, "-o", tmp_path / "a.txt")
    assert "does not exist" in fails("report", colour_model, "-o", tmp_path / "none" / "a.html")
    assert "go with DATA" in fails("report", colour_model, "-o", out, "--pictures", pictures)
    assert "must be a folder" in fails(
        "report", colour_model, pictures, "-o", out, "--pictures", iris
    )
    model = Model([np.ones((4, 3))], "relu", "identity", np.arange(3))
    bare = tmp_path / "bare.npz"
    save_model(bare, model)
    assert "without a history" in fails("report", bare, "-o", out)
    save_model(bare, model, History())
    assert "nothing to report" in fails("report", bare, "-o", out)
    bare.write_bytes(colour_model.read_bytes()[:-40])
    assert "bare.npz" in fails("report", bare, "-o", out)
    assert {path.name for path in tmp_path.iterdir()} == {"bare.npz"}


def test_a_name_that_is_html_is_text_in_the_file(ga, tmp_path):
    history = History(label=HOSTILE, metric=HOSTILE, settings={HOSTILE: HOSTILE})
    history.append(generation=0, evaluations=1, seconds=0.1, best_fitness=0.5)
    classes = np.array([HOSTILE, "b", "c"])
    settings = {"data": HOSTILE, "command": HOSTILE}
    model = Model([np.ones((4, 3))], "relu", "identity", classes, settings=settings)
    save_model(tmp_path / "m.npz", model, history)
    table = tmp_path / "t.csv"
    rows = "".join(f'{k},{k},1,{k},"{HOSTILE if k % 2 else "b"}"\n' for k in range(8))
    table.write_text(f"p,q,r,s,kind\n{rows}", encoding="utf-8")
    out = tmp_path / "a.html"
    assert ga("report", tmp_path / "m.npz", table, "-o", out)[0] == 0
    page = own_text(out)
    assert "window.hacked" in page
    assert HOSTILE not in page
    assert "<script>window" not in page
    assert page.count("</script>") == page.count("<script")


def test_compare_writes_a_report_with_its_command(ga, tmp_path):
    out = tmp_path / "a.html"
    code, text, _ = ga("compare", *SMALL, "-o", tmp_path / "results", "--report", out)
    assert code == 0
    assert text.endswith(f"\n{out}\n")
    (command,) = re.findall(r"<code>(ga-ann compare [^<]*)</code>", own_text(out))
    for option in ("--data wine", "--methods random,naive", "--seeds 2", "--split all"):
        assert f" {option}" in command


def test_a_quiet_comparison_tells_nothing_and_reports_all_the_same(ga, tmp_path):
    out = tmp_path / "a.html"
    results = tmp_path / "results"
    assert ga("compare", *SMALL, "-o", results, "--report", out, "--quiet") == (0, "", "")
    assert out.stat().st_size


def test_a_report_may_be_put_into_the_new_folder_of_the_tables(ga, tmp_path):
    results = tmp_path / "results"
    out = results / "a.html"
    assert ga("compare", *SMALL, "-o", results, "--report", out, "--quiet")[0] == 0
    assert out.stat().st_size


@pytest.mark.usefixtures("no_comparison")
def test_a_report_that_cannot_be_written_is_refused_before_the_comparison(fails, iris, tmp_path):
    start = ["compare", *SMALL, "-o", tmp_path / "results", "--report"]
    assert "must end in .html" in fails(*start, tmp_path / "a.txt")
    assert "must end in .html" in fails(*start, tmp_path / "results" / "a.txt")
    assert "does not exist" in fails(*start, tmp_path / "none" / "a.html")
    assert "must be a folder" in fails(*start, tmp_path / "a.html", "--pictures", iris)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_extra", "no_comparison")
def test_a_missing_extra_is_told_before_any_work(fails, colour_model, tmp_path):
    out = tmp_path / "a.html"
    for command in (
        ["report", colour_model, "-o", out],
        ["compare", *SMALL, "-o", tmp_path / "results", "--report", out],
    ):
        assert "takes altair: pip install 'ga-ann[report]'" in fails(*command)
    assert not list(tmp_path.iterdir())
