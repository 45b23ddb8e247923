"""The tutorial, the explanation and the pages of figures: they run, and say what was measured."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SCRIPTS = sorted((DOCS / "tutorial").glob("plot_*.py"))
EXPLANATION = sorted((DOCS / "explanation").glob("*.rst"))
FIGURES = [*EXPLANATION, DOCS / "performance.rst", DOCS / "comparison.rst"]
PAGES = [*SCRIPTS, *FIGURES]


def name(path):
    return path.stem


def plain(cells):
    return tuple(" ".join(cell.replace("`", "").split()) for cell in cells)


def measured(text):
    """Return the rows of the tables that are marked as measured, each as its cells."""
    rows = []
    for body in re.findall(r":class: measured\n(?:   :.*\n)*\n((?:   .*\n)+)", text):
        for row in re.split(r"^   \* -", body, flags=re.MULTILINE)[1:]:
            rows.append(plain(re.split(r"^     -", row, flags=re.MULTILINE)))
    return rows


README = (ROOT / "README.md").read_text()
README_ROWS = {
    plain(line.strip("|").split("|")) for line in README.splitlines() if line.startswith("|")
}


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_a_part_of_the_tutorial_runs_on_its_own(script, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(script)],
        cwd=tmp_path,
        # One BLAS thread: two of them slow each other down where other tests run beside.
        env={
            "MPLBACKEND": "agg",
            "OPENBLAS_NUM_THREADS": "1",
            "PATH": "",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert list(tmp_path.iterdir()) == []  # it leaves nothing behind


def test_the_parts_are_numbered_in_reading_order():
    titles = [re.match(r'"""\n(\d)\. .+\n=+\n', path.read_text()) for path in SCRIPTS]
    numbers = [int(title[1]) for title in titles]
    assert numbers == list(range(1, len(SCRIPTS) + 1))
    assert [int(path.name.split("_")[1]) for path in SCRIPTS] == numbers


@pytest.mark.parametrize("page", EXPLANATION, ids=name)
def test_the_examples_of_an_explanation_hold(page):
    found = doctest.testfile(str(page), module_relative=False)
    assert found.failed == 0
    assert found.attempted > 0 or page.stem == "index"


@pytest.mark.parametrize("page", FIGURES, ids=name)
def test_tables_of_measurements_are_those_of_the_readme(page):
    rows = measured(page.read_text())
    assert [row for row in rows if row not in README_ROWS] == []


def test_there_are_measurements_to_compare():
    assert len(measured((DOCS / "performance.rst").read_text())) > 20
    assert len(measured((DOCS / "comparison.rst").read_text())) > 5


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_measurements_that_a_page_names_exist(page):
    named = re.findall(r"--only\s+(\w+)", page.read_text())
    parts = (ROOT / "benchmarks" / "__main__.py").read_text()
    assert [part for part in named if f'"{part}": (' not in parts] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_that_a_page_links_to_exist(page):
    for target in re.findall(r":doc:`(?:[^`<]*<)?([^`<>]+)>?`", page.read_text()):
        home = target.removeprefix("/") if target[0] == "/" else f"{page.parent.name}/{target}"
        if page.parent == DOCS and target[0] != "/":
            home = target
        path = DOCS / home.replace("auto_tutorial", "tutorial")
        pages = [
            path.with_suffix(".rst"),
            path.with_suffix(".py"),
            path.parent / "GALLERY_HEADER.rst",
        ]
        assert any(one.exists() for one in pages), target
