"""The program: its name, its version, and how whatever ends it is told.

Bad input ends with exit code 2 and one line on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ga_ann import __version__
from ga_ann.ctrl_c import INTERRUPTED, MESSAGE

__all__ = ["PlainCommand", "app", "main"]

# typer carries a copy of click from some version on; this way leads to the right one.
UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    help="Train plain NumPy neural networks with a genetic algorithm.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class PlainCommand(TyperCommand):
    """A command whose usage names what it takes, as its help does: DATA, not {DATA}."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the pieces of the usage line."""
        return [
            piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)
        ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; `sys.argv` by default.

    Raises
    ------
    SystemExit
        Always: 0 if all went well, 2 after bad input, 130 after Ctrl-C.
    """
    try:
        # Versions of typer answer Ctrl-C with an exit code or with Abort.
        code = app(args=arguments, prog_name="ga-ann", standalone_mode=False) or 0
    except UsageError as error:
        code = _complain(_describe_usage(error))
    except (ValueError, TypeError, OSError, MemoryError, OverflowError, ImportError) as error:
        code = _complain(_describe(error))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        print(MESSAGE, file=sys.stderr)
    sys.exit(code)


def _describe_usage(error: Any) -> str:
    """Return what typer says of an option; newer versions leave out the value that came."""
    message: str = error.format_message()
    found = getattr(error.__cause__, "errors", None)  # pydantic's
    return message if found is None else f"{message.rstrip('.')}, got {found()[0]['input']!r}."


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}."
    if isinstance(error, MemoryError):
        return f"not enough memory. {error}"
    return str(error) or type(error).__name__


def _complain(message: str) -> int:
    print("ga-ann: error:", " ".join(message.split()), file=sys.stderr)
    return 2


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"ga-ann {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
