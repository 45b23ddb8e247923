"""Draws `_static/live.svg`, the panel in the middle of a run: ``python docs/make_live.py``."""

import io
import re
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from ga_ann import ProgressBar, evolve

OUT = Path(__file__).parent / "_static" / "live.svg"
WIDTH = 64


class Terminal(io.StringIO):
    """Keeps what a terminal would be sent."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def main() -> None:
    """Train on the digits, and draw what was shown half way."""
    X, y = load_digits(return_X_y=True)
    X, X_val, y, y_val = train_test_split(X / 16, y, stratify=y, random_state=0)
    terminal = Terminal()
    evolve(
        X,
        y,
        hidden_layer_sizes=(32,),
        validation_data=(X_val, y_val),
        n_generations=3000,
        target_fitness=None,
        callbacks=[ProgressBar(3000, file=terminal)],
        random_state=0,
    )
    panels = re.findall(r"╭.*?╯", terminal.getvalue(), re.DOTALL)
    console = Console(record=True, file=io.StringIO(), width=WIDTH)
    console.print(Text.from_ansi(panels[len(panels) // 2]))
    # The fonts that it would load from the web are left to the reader's own monospaced one.
    alone = re.sub(r"@font-face {{.*?}}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(
        console.export_svg(title="ga-ann train", code_format=alone, unique_id="live"),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
