import subprocess
import sys
from pathlib import Path

import pytest
import typer

import ga_ann
from ga_ann.cli import train


def test_version(ga):
    assert ga("--version") == (0, f"ga-ann {ga_ann.__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help(ga, arguments):
    code, out, _ = ga(*arguments)
    assert code == 0
    for command in ("compare", "extract", "train", "predict", "plot", "info", "export"):
        assert f"\n  {command} " in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cook"], "No such command 'cook'"),
        (["compare", "--seed", "x"], "--seed"),
        (["compare", "--seeds", "x"], "--seeds"),
        (["compare", "--seeds", "0"], "--seeds"),
        (["train"], "Missing"),
        (["train", "fruits360"], "--out"),
        (["predict"], "Missing"),
        (["plot"], "Missing"),
        (["extract", "a"], "Missing"),
    ],
)
def test_usage_errors_are_one_line(fails, arguments, message):
    assert message in fails(*arguments)


def test_messages_of_several_lines_become_one(fails, monkeypatch, breaks):
    monkeypatch.setattr("ga_ann.datasets.load_samples", breaks(ValueError("two\nlines")))
    monkeypatch.setattr(train, "check_output", lambda *args: None)
    assert fails("train", "x.csv", "-o", "m.npz") == "ga-ann: error: two lines"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(28, "No space left", "m.npz"), 2, "ga-ann: error: m.npz: No space left.\n"),
        (OSError("odd"), 2, "ga-ann: error: odd\n"),
        (TypeError(), 2, "ga-ann: error: TypeError\n"),
        (MemoryError(), 2, "ga-ann: error: not enough memory.\n"),
        (OverflowError("too large"), 2, "ga-ann: error: too large\n"),
        (KeyboardInterrupt(), 130, "ga-ann: interrupted\n"),
        (typer.Abort(), 130, "ga-ann: interrupted\n"),
    ],
)
def test_exit_codes(ga, monkeypatch, error, code, message, breaks):
    monkeypatch.setattr(train, "check_output", breaks(error))
    found, _, err = ga("train", "x.csv", "-o", "m.npz")
    assert (found, err.lstrip("\n")) == (code, message)


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom ga_ann.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n"
        "    print(sorted({'numpy', 'sklearn', 'pygad', 'matplotlib'} & sys.modules.keys()))"
    )
    root = Path(ga_ann.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("compare", "[OPTIONS]"),
        ("extract", "[OPTIONS] PICTURES OUT"),
        ("train", "[OPTIONS] DATA"),
        ("predict", "[OPTIONS] MODEL DATA"),
        ("plot", "[OPTIONS] HISTORY"),
        ("info", "[OPTIONS] FILE"),
        ("export", "[OPTIONS] MODEL"),
    ],
)
def test_usage_lines_name_what_a_command_takes(ga, command, usage):
    first = ga(command, "--help")[1].splitlines()[0]
    # Newer versions of typer add dots where there may be several.
    assert first.removesuffix("...") == f"Usage: ga-ann {command} {usage}"


@pytest.mark.parametrize("option", ["--population", "--generations", "--seed", "--jobs"])
def test_numbers_that_are_none_are_told_with_their_option(fails, option):
    message = fails("train", "x.csv", "-o", "m.npz", option, "1e9")
    assert option in message
    assert "'1e9'" in message
    assert "there is no file x.csv" in fails("train", "x.csv", "-o", "m.npz", option, "9")
