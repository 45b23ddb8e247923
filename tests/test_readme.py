"""The README: its code runs, and what it names is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from ga_ann.cli import app

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


COMMANDS = re.findall(r"^ga-ann .*", "\n".join(blocks("sh")), re.MULTILINE)


def test_the_map_is_the_tree():
    table = TEXT.partition("## What is in the box")[2]
    named = re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    modules = [path.stem for path in (ROOT / "ga_ann").glob("[!_]*.py")]
    wings = [f"{path.parent.name}/" for path in (ROOT / "ga_ann").glob("*/__init__.py")]
    assert sorted(named) == sorted(modules + wings)


def test_files_that_are_named_are_there():
    named = re.findall(r"`((?:tests|examples|benchmarks|data)/[^`]*)`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_targets_of_make_that_are_named_are_there():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([\w-]+)", TEXT, re.MULTILINE)
    assert named
    assert set(named) <= set(targets)


def test_its_python_runs_from_top_to_bottom(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", "\n".join(blocks("python"))],
        cwd=tmp_path,
        env={"MPLBACKEND": "agg", "PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_a_recipe_by_hand_is_the_one_in_python():
    from ga_ann import Recipe

    (by_hand,) = blocks("toml")
    (in_python,) = re.findall(r"^mine = (Recipe\(.*?\))", TEXT, re.MULTILINE)
    assert Recipe.from_toml(by_hand) == eval(in_python, {"Recipe": Recipe})


@pytest.mark.parametrize("line", COMMANDS)
def test_its_commands_have_the_options_that_it_gives_them(line):
    _, name, *arguments = shlex.split(line, comments=True)
    if name != "--help":
        command = get_command(app).commands[name]
        command.make_context(name, arguments)  # which refuses what it does not know
