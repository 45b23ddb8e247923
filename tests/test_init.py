"""The front page: what `import ga_ann` offers, and that it costs nothing before it is used."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import ga_ann

STUB = ast.parse(Path(ga_ann.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
HOMES = {
    alias.name: node.module
    for node in STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


def test_each_public_name_is_that_of_its_home_and_one_that_its_home_hands_out():
    assert sorted(ga_ann.__all__) == sorted(HOMES)
    assert set(ga_ann.__all__) <= set(dir(ga_ann))
    for name, module in HOMES.items():
        home = import_module(f"ga_ann.{module}")
        assert name in home.__all__
        assert getattr(ga_ann, name) is getattr(home, name)


def test_a_star_import_gives_the_public_names():
    names = {}
    exec("from ga_ann import *", names)
    assert names.keys() - {"__builtins__"} == set(HOMES)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="cook"):
        _ = ga_ann.cook


def test_importing_the_package_imports_nothing_heavy():
    code = "import ga_ann, sys; print({'numpy', 'sklearn', 'pygad'} & sys.modules.keys())"
    root = Path(ga_ann.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"
