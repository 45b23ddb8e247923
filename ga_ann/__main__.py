"""The program: ``ga-ann``, and ``python -m ga_ann`` alike."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit; Ctrl-C leaves no traceback, from the imports on.

    Raises
    ------
    SystemExit
        Always, see `ga_ann.cli.main`.
    """
    try:
        from ga_ann.ctrl_c import quitting_at_ctrl_c

        with quitting_at_ctrl_c():
            from ga_ann.cli import main as run
        run()
    except KeyboardInterrupt:  # before or after what the command line takes care of itself
        print("ga-ann: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
