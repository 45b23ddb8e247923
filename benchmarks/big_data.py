"""Big data: a run on a file ten times larger than the memory that the process may take.

Each case runs in a process of its own, ``python -m benchmarks.big_data CASE FOLDER``. After the
imports and a first small run, `RLIMIT_AS` is set to the address space that is in use then and the
allowance: whatever is allocated or mapped beyond it, files included, is a MemoryError. The peak is
that of VmHWM over VmRSS at that moment. Nothing of a file is mapped, so that this is all there is.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks.memory import _status
from ga_ann import open_samples
from ga_ann.evolution import Recipe, evolve

CLASSES = 10
ALLOCATORS = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
"""Allocators that reserve no address space in advance, which the limit would count."""


class Case(NamedTuple):
    """A file, what its process may take in MiB, and whether its samples are standardised."""

    n_samples: int
    n_features: int
    allowed: int
    standardised: bool = False
    form: str = "npy"
    mutation: str | None = None


CASES = {
    "2.0 GB .npy": Case(640_000, 784, 191),
    "2.0 GB .npy, standardised": Case(640_000, 784, 191, standardised=True),
    "2.0 GB Zarr": Case(640_000, 784, 191, form="zarr"),
    "2.4 GB Parquet": Case(760_000, 784, 227, form="parquet"),
    "2.0 GB .npy, dense": Case(640_000, 784, 191, mutation="gaussian"),
}
QUICK = ("2.0 GB .npy",)


def write(case: Case, folder: Path) -> Path:
    """Write the samples, some rows at a time, and their labels; return the samples' path."""
    path = folder / f"X.{case.form}"
    rng = np.random.default_rng(0)
    W = rng.standard_normal((case.n_features, CLASSES), dtype=np.float32)
    labels = np.empty(case.n_samples, dtype=np.uint8)
    shape, rows = (case.n_samples, case.n_features), 20_000

    def parts() -> Any:
        for start in range(0, case.n_samples, rows):
            X = 3 + rng.standard_normal((rows, case.n_features), dtype=np.float32)
            labels[start : start + rows] = ((X - 3) @ W).argmax(axis=1)
            yield start, X

    if case.form == "npy":
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for _, X in parts():
                file.write(X)
    elif case.form == "zarr":
        import zarr

        chunks = (5000, case.n_features)
        array = zarr.create_array(path, shape=shape, dtype="float32", chunks=chunks)
        for start, X in parts():
            array[start : start + rows] = X
    else:
        import pyarrow
        from pyarrow import parquet

        names = [f"c{k}" for k in range(case.n_features)]
        schema = pyarrow.schema([(name, pyarrow.float32()) for name in names])
        plain = {"use_dictionary": False, "write_statistics": False}
        with parquet.ParquetWriter(path, schema, compression="snappy", **plain) as writer:
            for _, X in parts():
                columns = [pyarrow.array(np.ascontiguousarray(column)) for column in X.T]
                writer.write_table(pyarrow.table(columns, schema=schema), row_group_size=8000)
    np.save(folder / "y.npy", labels)
    return path


def run_case(name: str, folder: Path) -> dict[str, Any]:
    """Evolve and predict under the limit; return the figures."""
    case = CASES[name]
    path, y = folder / f"X.{case.form}", np.load(folder / "y.npy")
    recipe = Recipe(mutation=case.mutation, batch_size=256)
    options: dict[str, Any] = {
        "hidden_layer_sizes": (256,),
        "bias": True,
        "recipe": recipe,
        "target_fitness": None,
        "n_generations": 60,
        "random_state": 0,
        "n_jobs": 1,
    }
    small = np.random.default_rng(0).standard_normal((3000, 5))
    np.save(folder / "small.npy", small)
    warm = open_samples(folder / "small.npy").standardised()
    if case.form == "parquet":
        import pandas as pd

        pd.DataFrame(small, columns=list("abcde")).to_parquet(folder / "small.parquet")
        open_samples(folder / "small.parquet")
    elif case.form == "zarr":
        import zarr

        zarr.create_array(folder / "small.zarr", data=small)
        open_samples(folder / "small.zarr")
    evolve(warm, y[:3000], **options | {"n_generations": 1})  # imports and thread stacks
    before, allowed = _status("VmRSS"), case.allowed
    limit = int((_status("VmSize") + allowed) * 2**20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    start = perf_counter()
    samples = open_samples(path)
    opened = perf_counter()
    n_bytes = samples.nbytes
    X = samples.standardised() if case.standardised else samples
    result = evolve(X, y, **options)
    evolved = perf_counter()
    accuracy = float(np.mean(result.predict(X) == y))
    peak = _status("VmHWM") - before
    assert peak < allowed, f"{peak:.0f} MiB of {allowed} allowed"
    assert accuracy == result.best_fitness
    return {
        "case": name,
        "data, MiB": n_bytes / 2**20,
        "allowed above the start, MiB": allowed,
        "peak above the start, MiB": peak,
        "data / allowed": n_bytes / 2**20 / allowed,
        "seconds to open": opened - start,
        "seconds of 60 generations": evolved - opened,
        "seconds to predict all": perf_counter() - evolved,
    }


def measure(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row a case."""
    rows = []
    for name in QUICK if quick else CASES:
        with tempfile.TemporaryDirectory() as folder:
            write(CASES[name], Path(folder))
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.big_data", name, folder],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | ALLOCATORS,
            )
            if done.returncode:
                raise RuntimeError(f"{name} ended with {done.returncode}: it took too much.")
            rows.append(json.loads(done.stdout))
    return rows


if __name__ == "__main__":
    print(json.dumps(run_case(sys.argv[1], Path(sys.argv[2]))))
