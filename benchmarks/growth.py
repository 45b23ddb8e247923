"""Growth: how the time of a generation grows with solutions, samples and genes."""

from typing import Any

from benchmarks.engine import ours
from benchmarks.timing import exponent

SOLUTIONS = [16, 32, 64, 128, 256, 512]
SAMPLES = [500, 1000, 2000, 4000, 8000]
HIDDEN = [50, 100, 200, 400, 800]


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a quantity: the exponent that fits its generations' times."""
    n_generations = 2 if quick else 5
    cases = {
        "solutions": [(n, ([60, 40, 5], 1000, n)) for n in SOLUTIONS],
        "samples": [(n, ([60, 40, 5], n, 64)) for n in SAMPLES],
        "genes": [(65 * n, ([60, n, 5], 1000, 64)) for n in HIDDEN],
    }
    rows = []
    for name, runs in cases.items():
        seconds = [min(ours(*run, n_generations)[0] for _ in range(3)) for _, run in runs]
        rows.append(
            {
                "quantity": name,
                "from": runs[0][0],
                "to": runs[-1][0],
                "exponent": exponent([size for size, _ in runs], seconds),
            }
        )
    return rows
