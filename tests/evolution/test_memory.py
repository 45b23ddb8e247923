"""What a run is said to need, against what it takes; and what is refused."""

import sys
import tracemalloc

import numpy as np
import psutil
import pytest

from ga_ann import out_of_core
from ga_ann.evolution import memory
from ga_ann.evolution.memory import available_memory, check_memory, estimate_memory
from ga_ann.evolution.problem import Problem
from tests.runs import evolve

DENSE = {"mutation": "gaussian"}
LOW_RANK = {"mutation": "low_rank"}
OPTIONS = {"n_generations": 2, "target_fitness": None, "random_state": 0}


@pytest.fixture
def problems(monkeypatch):
    """Collect what `evolve` asks about."""
    asked = []

    def look(problem, **options):
        asked.append((problem, options))

    monkeypatch.setattr(sys.modules["ga_ann.evolution.evolve"], "check_memory", look)
    return asked


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_layer_sizes": (600,), "population_size": 200, **DENSE},
        {"hidden_layer_sizes": (300,), "population_size": 400, "n_elites": 3},
        {"hidden_layer_sizes": (300,), "population_size": 200, "dtype": "float64", **DENSE},
        {"hidden_layer_sizes": (300,), "population_size": 200, **DENSE, "n_parents": 50},
        {"hidden_layer_sizes": (600,), "population_size": 4096, **LOW_RANK},
        {"hidden_layer_sizes": (600,), "population_size": 300, **LOW_RANK, "dtype": "float64"},
        {"hidden_layer_sizes": (300,), "population_size": 1000, **LOW_RANK, "rank": 4},
        {"hidden_layer_sizes": (8,), "population_size": 50_000, **LOW_RANK},
        {"hidden_layer_sizes": (40,), "samples": 50_000, "batch_size": "full", **LOW_RANK},
        {"hidden_layer_sizes": (40, 30), "samples": 50_000, "batch_size": "full", **DENSE},
        {"hidden_layer_sizes": (40, 30), "samples": 50_000, "batch_size": "full"},
        {"hidden_layer_sizes": (40,), "samples": 50_000, "batch_size": "full", "n_jobs": 2},
        {"hidden_layer_sizes": (), "samples": 50_000, "batch_size": "full", "dtype": "float64"},
    ],
    ids=str,
)
def test_the_estimate_is_about_what_a_run_takes(problems, options):
    options = {"n_jobs": 1} | options
    rng = np.random.default_rng(0)
    n_samples = options.pop("samples", 300)
    X, y = rng.normal(size=(n_samples, 50)), rng.integers(4, size=n_samples)
    evolve(X[:300], y[:300], **OPTIONS, **options)  # what is made once stays out of it
    tracemalloc.start()
    try:
        evolve(X, y, **OPTIONS, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    problem, asked = problems[-1]
    estimate = sum(estimate_memory(problem, **asked).values())
    assert estimate / 3 < peak < 1.5 * estimate + 2**20


@pytest.mark.parametrize("batch", [{}, {"batch_size": 20_000}, {"batch_size": "full"}], ids=str)
@pytest.mark.parametrize(("mutation", "n_jobs"), [(DENSE, 1), (DENSE, 2), (LOW_RANK, 1)], ids=str)
def test_the_estimate_is_about_what_a_run_on_disk_takes(
    problems, tmp_path, monkeypatch, batch, mutation, n_jobs
):
    monkeypatch.setattr(out_of_core, "HELD_BYTES", 2**22)
    monkeypatch.setattr(memory, "HELD_BYTES", 2**22)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40_000, 200)).astype(np.float32), rng.integers(4, size=40_000)
    np.save(tmp_path / "X.npy", X)
    options = OPTIONS | {"hidden_layer_sizes": (40,), "n_jobs": n_jobs} | batch | mutation
    options |= {"population_size": 8, "n_generations": 1}
    evolve(X[:300], y[:300], **options)
    del X
    tracemalloc.start()
    try:
        evolve(tmp_path / "X.npy", y, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    problem, asked = problems[-1]
    estimate = sum(estimate_memory(problem, **asked).values())
    assert estimate / 3 < peak < 1.5 * estimate + 2**20


def test_what_is_more_takes_more(problems):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 5)), rng.integers(2, size=300)

    def parts(X=X, y=y, n_jobs=1, in_place=True, **options):
        given = OPTIONS | {"n_generations": 0, "population_size": 32, "n_parents": 8}
        evolve(X, y, hidden_layer_sizes=(7,), **given | options)
        return estimate_memory(problems[-1][0], n_jobs=n_jobs, in_place=in_place)

    one = parts(mutation="gaussian")
    assert parts(n_jobs=3, mutation="gaussian")["layers"] == 3 * one["layers"]
    assert parts(in_place=False, mutation="gaussian")["population"] > one["population"]
    assert parts(dtype="float64")["samples"] == 2 * one["samples"]
    twice = parts(X=np.repeat(X, 2, axis=0), y=np.repeat(y, 2), mutation="gaussian")
    assert twice["samples"] == 2 * one["samples"]
    assert twice["population"] == one["population"]
    more = parts(population_size=64, n_parents=16, mutation="gaussian")
    assert more["population"] > 1.8 * one["population"]
    few, many, ranked = (
        parts(population_size=n, n_parents=None, mutation="low_rank", rank=rank)
        for n, rank in ((4, 1), (4000, 1), (4000, 2))
    )
    for name in ("population", "noise"):
        assert few[name] < many[name] < ranked[name]


def test_a_run_that_needs_too_much_is_refused_before_it_begins(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 50)), rng.integers(4, size=300)
    monkeypatch.setattr(memory, "available_memory", lambda: 20 * 2**20)
    evolve(X, y, hidden_layer_sizes=(8,), n_jobs=1, **OPTIONS)
    monkeypatch.setattr(
        Problem, "draw_population", lambda *_: pytest.fail("the population was drawn")
    )
    wide = {"hidden_layer_sizes": (5000,), "population_size": 100, **DENSE}
    with pytest.raises(
        MemoryError, match=r"about 0\.\d\d GiB \(population .*, and 0\.02 GiB are a"
    ):
        evolve(X, y, n_jobs=1, **OPTIONS, **wide)


def test_a_population_takes_what_its_recipes_take(problems):
    """4,096 solutions of 203,530 genes: 3.3 GB of chromosomes, 50 MB at most in a run."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 784)).astype(np.float32), np.arange(300) % 10
    wide = {"hidden_layer_sizes": (256,), "bias": True, "population_size": 4096, "n_jobs": 1}
    tracemalloc.start()
    try:
        evolve(X, y, **OPTIONS, **wide, **LOW_RANK, batch_size=256)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50e6
    assert sum(estimate_memory(problems[-1][0], n_jobs=1, in_place=True).values()) < 50e6


def test_recipes_that_are_too_many_are_refused_before_they_are_drawn(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 50)), rng.integers(4, size=300)
    monkeypatch.setattr(memory, "available_memory", lambda: 2**29)
    evolve(X, y, hidden_layer_sizes=(8,), population_size=10**4, n_jobs=1, **OPTIONS, **LOW_RANK)
    monkeypatch.setattr(Problem, "low_rank_noise", lambda *_: pytest.fail("noise was drawn"))
    many = {"hidden_layer_sizes": (8,), "population_size": 10**6, "n_jobs": 1}
    with pytest.raises(MemoryError, match=r"noise 0\.9\d GiB\), .*smaller population_size"):
        evolve(X, y, **many, **OPTIONS, **LOW_RANK)


@pytest.mark.parametrize(
    ("largest", "advice"),
    [
        ("population", "population_size"),
        ("samples", "fewer samples"),
        ("layers", "n_jobs"),
        ("noise", "smaller population_size or hidden_layer_sizes"),
    ],
)
def test_what_to_reduce_is_what_takes_most(monkeypatch, largest, advice):
    parts = dict.fromkeys(("population", "samples", "layers", "noise"), 1) | {largest: 2**40}
    monkeypatch.setattr(memory, "estimate_memory", lambda *_, **__: parts)
    with pytest.raises(MemoryError, match=f"about 1024.00 GiB .*{largest} 1024.*; try .*{advice}"):
        check_memory(None, n_jobs=1, in_place=True)


def test_the_control_group_may_allow_less_than_the_machine_has(monkeypatch, tmp_path):
    free = psutil.virtual_memory().available

    def group(limit, use, shares="anon 1\ninactive_file 0\n"):
        for name, text in (("LIMIT", limit), ("USE", use), ("SHARES", shares)):
            path = tmp_path / name
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
            monkeypatch.setattr(memory, f"GROUP_{name}", path)
        return available_memory()

    assert group("5000\n", "3000\n") == 2000
    assert group("5000\n", "3000\n", "file 1500\ninactive_file 1200\n") == 3200
    assert group("5000\n", "3000\n", "") == 2000
    for limit, use, shares in (
        ("max\n", "3000\n", ""),
        (None, "3000\n", ""),
        ("5000\n", None, ""),
        ("5000\n", "3000\n", None),
        ("5000\n", "3000\n", "nonsense"),
        (f"{2**60}\n", "0\n", ""),
    ):
        assert group(limit, use, shares) == pytest.approx(free, rel=0.5)
