"""The program as it is installed: its entry point, and Ctrl-C while its modules are imported."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import ga_ann
from ga_ann.__main__ import main

ROOT = Path(ga_ann.__file__).parents[1]

PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # not so in a background job
from ga_ann.__main__ import main
main()
"""

COMES = {
    "as an exception": "raise KeyboardInterrupt",
    "as a signal": "import signal; signal.raise_signal(signal.SIGINT)",
    "as a signal that the module swallows": """
import signal
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    raise ImportError("failed to import") from None
""",
}

OTHERS = {
    "extract": ["pictures", "out.npz"],
    "train": ["in.csv", "-o", "out.npz"],
    "predict": ["model.npz", "in.csv"],
    "plot": ["history.npz", "-o", "out.png"],
    "info": ["model.npz"],
    "export": ["model.npz", "-o", "model.h"],
}


@pytest.mark.parametrize(
    ("module", "command", "how"),
    [
        *(("typer", "compare", how) for how in COMES),
        *(("numpy", "compare", how) for how in COMES),
        *(("numpy", command, "as a signal that the module swallows") for command in OTHERS),
    ],
)
def test_ctrl_c_during_an_import_leaves_no_traceback(tmp_path, module, command, how):
    (tmp_path / f"{module}.py").write_text(COMES[how])
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, command, *OTHERS.get(command, [])],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "ga-ann: interrupted\n")


def test_the_installed_program_is_this_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["scripts"].items()
    assert name == "ga-ann"
    assert EntryPoint(name, value, "console_scripts").load() is main


def test_python_m():
    command = [sys.executable, "-m", "ga_ann", "--version"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == f"ga-ann {ga_ann.__version__}\n"
