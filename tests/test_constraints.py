"""The locked versions are those of everything that `pyproject.toml` asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if not line.startswith("#")
]
EXTRAS = PROJECT["project"]["optional-dependencies"]
ASKED_FOR = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *EXTRAS["test"],
    *EXTRAS["lint"],
    *EXTRAS["docs"],
    *EXTRAS["browser"],
    *PROJECT["dependency-groups"]["tools"],
]


@pytest.mark.parametrize("line", ASKED_FOR)
def test_make_lock_has_seen_every_requirement(line):
    asked = Requirement(line)
    pins = [pin for pin in LOCKED if pin.name == asked.name]
    assert pins
    for pin in pins:
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert exact.version in asked.specifier


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_version_each_for_every_python_and_system(python, platform):
    setting = {"python_full_version": f"{python}.0", "sys_platform": platform}
    names = [pin.name for pin in LOCKED if pin.marker is None or pin.marker.evaluate(setting)]
    assert len(names) == len(set(names))
    assert {Requirement(line).name for line in ASKED_FOR} <= set(names)


def test_no_version_comes_from_a_place_of_its_own():
    """From whatever registry pip is set up with: no addresses, no paths, no options."""
    assert not [pin for pin in LOCKED if pin.url]
    assert not re.search(r"^\s*-|/", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)


def test_torch_is_only_for_the_benchmarks():
    assert "torch" not in {pin.name for pin in LOCKED}
