"""Run measurements: ``python -m benchmarks [--quick] [--only NAME] [--seeds N] [--out FOLDER]``.

Writes ``benchmarks.md`` and ``benchmarks.json`` into the folder, ``results`` by default.
"""

import argparse
import json
import math
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

import joblib
from threadpoolctl import threadpool_info

from benchmarks import (
    ablation,
    big_data,
    checkpoints,
    cluster,
    device,
    engine,
    evaluation,
    generalisation,
    growth,
    held_out,
    islands,
    low_rank,
    memory,
    pools,
    scaling,
    tables,
    time_to_solution,
)

PARTS = {
    "evaluation": (evaluation, "Evaluation: microseconds a network"),
    "low_rank": (low_rank, "Low rank: the cost of a network within a population"),
    "device": (device, "Device: PyTorch over NumPy, the same populations on the same threads"),
    "engine": (engine, "Engine: a generation on all samples"),
    "time_to_solution": (time_to_solution, "Time to solution: seconds from the call, medians"),
    "ablation": (ablation, "Ablation: the defaults with one change at a time, medians"),
    "memory": (memory, "Memory: peak above data and imports"),
    "big_data": (big_data, "Big data: peak memory, of a file ten times larger than is allowed"),
    "checkpoints": (checkpoints, "Checkpoints: their cost at the default interval"),
    "generalisation": (generalisation, "Generalisation: held-out scores"),
    "held_out": (held_out, "Held out: the defaults against Adam, %, medians"),
    "tables": (tables, "Tables: held-out scores of train, compare and scikit-learn, %, medians"),
    "cluster": (cluster, "Cluster: a generation on worker processes, medians"),
    "scaling": (scaling, "Scaling: milliseconds a generation, measured and by the model"),
    "islands": (islands, "Islands: against one population, and on a slow network, medians"),
    "joblib": (pools, "joblib: a grid search, cores for its fits or for the threads inside"),
    "growth": (growth, "Growth: exponents of the time of a generation"),
}
SEEDED = ("generalisation", "held_out", "tables", "islands")
PACKAGES = ("ga-ann", "numpy", "pygad", "scikit-learn", "torch")
PACKAGES += ("evotorch", "evosax", "deap", "cmaes")


def as_table(rows: list[dict[str, Any]]) -> str:
    """Return rows of equal keys as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[_show(value) for value in row.values()] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _show(value: Any) -> str:
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if not math.isfinite(value):
        return "never" if value > 0 else ""
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "cores": joblib.cpu_count(),
        "machine": platform.machine(),
        "blas": blas(),
        "versions": versions,
    }


def blas() -> str:
    """Return which libraries multiply, with which kernels, and what the environment tells them."""
    libraries = {
        f"{found['internal_api']} {found['version']}, {found.get('architecture', 'one')} kernel, "
        f"{found['num_threads']} threads"
        for found in threadpool_info()
        if found["user_api"] == "blas"
    }
    told = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("OPENBLAS")]
    return "; ".join([*sorted(libraries), *sorted(told)])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases, seeds and seconds")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone")
    parser.add_argument("--seeds", type=int, help="of generalisation and islands, held_out [10, 5]")
    parser.add_argument("--out", type=Path, default=Path("results"), help="where the files go")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    about = machine()
    report = [f"{about['cores']} cores, {about['machine']}; {about['blas']}; {about['versions']}"]
    print(f"{report[0]}\n")
    results: dict[str, Any] = {"about": about}
    for name in options.only or PARTS:
        module, title = PARTS[name]
        start = perf_counter()
        seeds = {"seeds": options.seeds} if options.seeds and name in SEEDED else {}
        results[name] = module.measure(quick=options.quick, **seeds)
        report.append(f"## {title}\n\n{as_table(results[name])}")
        print(f"{report[-1]}\n\n({perf_counter() - start:.0f} s)\n", flush=True)
        (options.out / "benchmarks.md").write_text("\n\n".join(report) + "\n")
        (options.out / "benchmarks.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
