"""The site: what its pages must name; that it builds is for `make docs`, and its code runs here."""

import re
from pathlib import Path

import ga_ann

DOCS = Path(__file__).parent.parent / "docs"


def test_the_reference_has_each_public_name_once():
    own, _, _ = (DOCS / "api.rst").read_text().partition("currentmodule:: ga_ann.fitness")
    named = re.findall(r"^(?:   |\.\. py:data:: )([A-Za-z]\w*)$", own, re.MULTILINE)
    assert sorted(named) == sorted(ga_ann.__all__)


def test_each_python_block_of_a_page_is_one_that_the_tests_run():
    for page in [*DOCS.glob("*.rst"), *DOCS.glob("howto/*.rst"), *DOCS.glob("explanation/*.rst")]:
        assert not re.search(r"^\s*\.\. code(-block)?:: (i?python|pycon)", page.read_text(), re.M)
