"""A Dask cluster of real worker processes: the same bits, whatever becomes of the workers."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ga_ann
from ga_ann import Checkpoint, GeneticMLPClassifier, load_checkpoint
from ga_ann.evolution import cluster as cluster_module
from ga_ann.evolution import workers as workers_module
from ga_ann.evolution.breeding import Descent, Place
from ga_ann.evolution.cluster import _compact, _cut, _Generator
from ga_ann.evolution.machine import blas_kernels
from ga_ann.evolution.replica import Order
from tests.runs import evolve

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
get_mp_context = pytest.importorskip("distributed.utils").get_mp_context

# Dask leaves sockets and loops to the collector, and logs what it loses.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:Port .* is already in use"),
]

X, Y = load_digits(return_X_y=True)
X, Y = X[:600], Y[:600]
SMALL = {
    "hidden_layer_sizes": (12,),
    "bias": True,
    "random_state": 1,
    "target_fitness": None,
    "n_generations": 25,
    "population_size": 96,
}


def run(**options):
    return evolve(X, Y, **SMALL | options)


def bits(result):
    names = ("best_fitness", "ranking", "mean_fitness", "n_invalid", "evaluations")
    arrays = [*result.weights, np.asarray(result.population)]
    return [array.tobytes() for array in [*arrays, *(result.history[name] for name in names)]]


START = "distributed.worker.multiprocessing-method"


@pytest.fixture(scope="module", autouse=True)
def _usual_environment():
    """Let workers multiply as this process does, and start as forks of one with all imports done.

    Dask limits the threads of BLAS by the environment, and some versions round otherwise then.
    """
    with dask.config.set({"distributed.nanny.pre-spawn-environ": {}, START: "forkserver"}):
        get_mp_context().set_forkserver_preload(["distributed", "ga_ann.evolution"])
        yield


def start_cluster(n_workers):
    cluster = distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        silence_logs=100,
    )
    return cluster, distributed.Client(cluster, set_as_default=False)


@pytest.fixture(scope="module")
def clients():
    """Return clients of clusters of 1 and of 2 workers."""
    started = {n: start_cluster(n) for n in (1, 2)}
    yield {n: client for n, (_, client) in started.items()}
    for cluster, client in started.values():
        client.close()
        cluster.close()


@pytest.fixture
def fragile():
    """Return a cluster and its client that a test may do anything to."""
    cluster, client = start_cluster(2)
    yield cluster, client
    client.close()
    cluster.close()


def wait_until(holds):
    until = time.monotonic() + 30
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def wait_for_workers(client, n_workers):
    wait_until(lambda: len(client.nthreads()) >= n_workers)


def kill_a_worker(client):
    pids = client.run(os.getpid)
    os.kill(next(iter(pids.values())), signal.SIGKILL)


RECIPES = {
    "low rank": {},
    "on all samples, with a slow metric": {"batch_size": "full", "fitness": "jaccard_macro"},
    "dense with elites": {"recipe": "classic", "n_elites": 3, "batch_size": "full"},
    "three values": {"weight_set": "ternary"},
    "operators of PyGAD": {"crossover": "two_points", "mutation": "swap", "n_generations": 3},
}


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize("name", RECIPES)
def test_any_number_of_workers_gives_the_bits_of_none(clients, n_workers, name):
    result = run(**RECIPES[name], client=clients[n_workers])
    assert bits(result) == bits(run(**RECIPES[name]))
    # The workers forget the samples.
    assert wait_until(lambda: not clients[n_workers].futures)


def test_an_address_does_as_well_as_a_client(clients, monkeypatch):
    monkeypatch.setattr(workers_module, "CONNECT_SECONDS", 1.0)
    address = clients[1].scheduler.address
    assert bits(run(client=address)) == bits(run())
    with pytest.raises(ConnectionError, match="no Dask scheduler answers at 'tcp://"):
        run(client="tcp://127.0.0.1:1")


def test_the_engine_answers_after_the_run_without_the_cluster(clients):
    result = run(client=clients[1])
    alone = run()
    assert result.ga.best_solution()[1:] == alone.ga.best_solution()[1:]


def test_estimators_train_on_a_cluster_and_clones_share_it(clients):
    options = {"n_generations": 12, "population_size": 64, "random_state": 0}
    alone = GeneticMLPClassifier((8,), **options).fit(X, Y)
    model = GeneticMLPClassifier((8,), **options, client=clients[2])
    pipeline = clone(make_pipeline(StandardScaler(), model))
    assert pipeline[-1].client is clients[2]
    fitted = clone(model).fit(X, Y)
    for ours, theirs in zip(fitted.coefs_, alone.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert pickle.loads(pickle.dumps(fitted)).client is None
    assert copy.copy(fitted).client is copy.deepcopy(fitted).client is clients[2]
    assert copy.deepcopy(fitted).coefs_[0] is not fitted.coefs_[0]
    assert model.set_params(client="tcp://somewhere:1").__getstate__()["client"]


@pytest.mark.parametrize("seed", range(int(os.environ.get("GA_ANN_KILLS", "1"))))
@pytest.mark.parametrize("recipe", [{}, {"recipe": "classic", "population_size": 64}])
def test_a_killed_worker_changes_no_bit(fragile_for_long, seed, recipe):
    client = fragile_for_long
    wait_for_workers(client, 2)
    at = int(np.random.default_rng(seed).integers(SMALL["n_generations"]))

    def kill(ga, history):
        if len(history) - 1 == at:
            kill_a_worker(client)

    assert bits(run(**recipe, client=client, callbacks=[kill])) == bits(run(**recipe))


@pytest.fixture(scope="module")
def fragile_for_long():
    cluster, client = start_cluster(2)
    yield client
    client.close()
    cluster.close()


@pytest.mark.parametrize("seconds", [0.0, 0.7])
def test_a_worker_that_is_known_to_be_dead_is_no_error(fragile_for_long, seconds):
    client = fragile_for_long
    wait_for_workers(client, 2)

    def kill(ga, history):
        if len(history) == 5:
            kill_a_worker(client)
            time.sleep(seconds)  # in which the scheduler takes note, and the run does not

    assert bits(run(client=client, callbacks=[kill])) == bits(run())


def test_a_cluster_scaled_to_nothing_is_waited_for(fragile, monkeypatch):
    monkeypatch.setattr(workers_module, "LOOK_EVERY", 0.1)
    cluster, client = fragile

    def empty(ga, history):
        if len(history) == 5:
            cluster.scale(0)
            while client.nthreads():
                time.sleep(0.02)
            time.sleep(0.2)
            cluster.scale(1)

    result = run(client=client, callbacks=[empty])
    assert result.stop_reason == "n_generations"
    assert bits(result) == bits(run())


def test_a_cluster_that_adapts_starts_its_first_worker():
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, dashboard_address=":0", silence_logs=100
    ) as cluster:
        cluster.adapt(minimum=0, maximum=1, interval="100ms")
        with distributed.Client(cluster, set_as_default=False) as client:
            assert bits(run(client=client)) == bits(run())


def test_ctrl_c_is_heard_while_a_lost_cluster_is_waited_for(fragile, monkeypatch):
    monkeypatch.setattr(workers_module, "LOOK_EVERY", 0.1)
    cluster, client = fragile

    def lose(ga, history):
        if len(history) == 5:
            cluster.scale(0)
            while client.nthreads():
                time.sleep(0.02)
            threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()

    result = run(client=client, callbacks=[lose])
    assert result.stop_reason == "interrupted"
    assert 5 <= len(result.history) <= 7


@pytest.mark.parametrize(
    "recipe",
    [
        {"mutation": "gaussian"},
        {"recipe": "classic", "n_elites": 2},
        {"crossover": "neuron"},
        {"weight_set": "binary"},
        {"crossover": "two_points", "mutation": "swap", "n_generations": 3},
    ],
)
@pytest.mark.filterwarnings("ignore:Sending large graph")
def test_workers_in_this_process_have_populations_of_their_own(recipe):
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        wide = {"hidden_layer_sizes": (40,)}  # populations that are sent as data
        assert bits(run(**recipe, **wide, client=client)) == bits(run(**recipe, **wide))


def test_workers_join_and_leave_and_change_no_bit(fragile, monkeypatch):
    monkeypatch.setattr(workers_module, "LOOK_EVERY", 0.1)
    cluster, client = fragile
    seen = set()

    def scale(ga, history):
        seen.add(len(client.nthreads()))
        if len(history) == 4:
            cluster.scale(3)
            wait_for_workers(client, 3)
            time.sleep(0.1)
        elif len(history) == 12:
            cluster.scale(1)

    options = {"n_generations": 40}
    assert bits(run(**options, client=client, callbacks=[scale])) == bits(run(**options))
    assert {2, 3} <= seen


@pytest.mark.parametrize("what", ["workers", "scheduler"])
def test_a_cluster_that_is_gone_ends_the_run_whole(fragile, monkeypatch, tmp_path, what):
    monkeypatch.setattr(workers_module, "PATIENCE", 2.0)
    for module in (cluster_module, workers_module):
        monkeypatch.setattr(module, "LOOK_EVERY", 0.2)
    cluster, client = fragile

    def lose(ga, history):
        if len(history) == 8:
            if what == "workers":
                cluster.scale(0)
            else:
                cluster.close()

    path = tmp_path / "run.npz"
    result = run(client=client, callbacks=[lose, Checkpoint(path)])
    assert result.stop_reason == "cluster"
    n_done = len(result.history)
    assert 8 <= n_done <= 10
    assert load_checkpoint(path).generation == n_done - 1
    assert bits(run(start=path)) == bits(run())


# ---------------------------------------------------------------- what is refused


def test_clients_that_cannot_be_used_are_refused_before_the_run(fragile, monkeypatch):
    monkeypatch.setattr(workers_module, "CONNECT_SECONDS", 1.0)
    cluster, client = fragile
    with pytest.raises(ValueError, match="give client or device='cpu', not both"):
        run(client=client, device="cpu")
    for given in (3, cluster.scheduler, object()):
        with pytest.raises(TypeError, match=r"must be a distributed\.Client or the address"):
            run(client=given)
    for address in ("", "somewhere", "tcp://somewhere"):
        with pytest.raises(ConnectionError, match="no Dask scheduler answers"):
            run(client=address)
    cluster.scale(0)
    wait_until(lambda: not client.nthreads())
    with pytest.raises(ConnectionError, match="has no worker"):
        run(client=client)
    client.close()
    with pytest.raises(ValueError, match="it is closed"):
        run(client=client)


BLOCKED = """
import sys, importlib.abc
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "ga_ann":
            raise ModuleNotFoundError("No module named 'ga_ann'")
sys.meta_path.insert(0, Block())
"""

OTHER_VERSION = """
import ga_ann
ga_ann.__version__ = "0.0.1"
import ga_ann.storage.environment as it
it.__version__ = "0.0.1"
"""


def test_workers_that_round_otherwise_are_told(monkeypatch):
    if "openblas" not in blas_kernels() or "Prescott" in blas_kernels():
        pytest.skip("no other kernels to multiply with")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")  # what has loaded it does not look again
    with dask.config.set({START: "spawn"}):
        cluster, client = start_cluster(1)
    try:
        with pytest.warns(RuntimeWarning, match=r"Workers have BLAS openblas .* may be others"):
            run(client=client)
    finally:
        client.close()
        cluster.close()


@pytest.mark.parametrize(
    ("preload", "message"),
    [(BLOCKED, "cannot import ga_ann"), (OTHER_VERSION, r"has ga-ann 0\.0\.1")],
)
def test_workers_without_the_package_or_with_another_version_are_refused(
    tmp_path, preload, message
):
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=100) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        script = tmp_path / "worker.py"
        script.write_text(
            preload + "import asyncio, distributed\n"
            "async def work():\n"
            f"    async with distributed.Worker({cluster.scheduler_address!r}, nthreads=1) as w:\n"
            "        await w.finished()\n"
            "asyncio.run(work())\n"
        )
        environment = os.environ | {"PYTHONPATH": str(Path(ga_ann.__file__).parents[1])}
        worker = subprocess.Popen(
            [sys.executable, script], env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        try:
            wait_for_workers(client, 1)
            with pytest.raises(ConnectionError, match=message) as caught:
                run(client=client)
            assert f"Install ga-ann {ga_ann.__version__} there" in str(caught.value)
        finally:
            worker.kill()
            worker.wait()


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda scores: scores * float("nan"), "NaN for all of"),
        (lambda scores: scores[:1], r"scores of shape \(1,\) for"),
    ],
)
def test_a_worker_that_answers_what_cannot_be_is_named(clients, spoil, what):
    def break_it():
        from ga_ann.evolution.replica import Replica

        whole = Replica._measure

        def broken(*given):
            answer = whole(*given)
            return answer._replace(ranking=spoil(answer.ranking), fitness=spoil(answer.fitness))

        Replica._measure, Replica.whole = broken, whole

    def mend():
        from ga_ann.evolution.replica import Replica

        Replica._measure = Replica.whole

    (worker,) = clients[1].nthreads()
    options = {"batch_size": "full", "ranking": "fitness", "client": clients[1]}
    run(**options)
    clients[1].run(break_it)
    try:
        with pytest.raises(ConnectionError, match=f"{worker} answered {what}"):
            run(**options)
    finally:
        clients[1].run(mend)


def test_a_fitness_that_fails_on_the_workers_is_told(clients):
    def fails(y_true, y_pred):
        raise ArithmeticError("no number")

    with (
        pytest.warns(RuntimeWarning, match="no number"),
        pytest.raises(ValueError, match=r"finite for no solution .* ArithmeticError: no number"),
    ):
        run(fitness=fails, ranking="fitness", client=clients[1])


@pytest.fixture
def on_disk(monkeypatch, tmp_path):
    """Return the path of samples that stay on disk, however small they are."""
    for name in ("out_of_core", "evolution.evaluation"):
        monkeypatch.setattr(sys.modules[f"ga_ann.{name}"], "HELD_BYTES", 0)
    np.save(tmp_path / "X.npy", X.astype("f4"))
    return tmp_path / "X.npy"


def test_workers_open_samples_on_disk_for_themselves(clients, on_disk):
    result = evolve(on_disk, Y, **SMALL, client=clients[2])
    assert bits(result) == bits(evolve(on_disk, Y, **SMALL))
    replicas = pickle.dumps(result.ga._run.evaluate)
    assert len(replicas) < X.astype("f4").nbytes / 4


def test_samples_that_a_worker_does_not_see_are_refused(clients, on_disk):
    def blind():
        from ga_ann import out_of_core

        def fails(source):
            raise FileNotFoundError(f"there is no file or folder {source}.")

        out_of_core.sees, out_of_core._open = out_of_core._open, fails

    def mend():
        from ga_ann import out_of_core

        out_of_core._open = out_of_core.sees

    (worker,) = clients[1].nthreads()
    clients[1].run(blind)
    try:
        with pytest.raises(ConnectionError, match=rf"the worker {worker} cannot read .*X\.npy"):
            evolve(on_disk, Y, **SMALL, client=clients[1])
    finally:
        clients[1].run(mend)


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize("threads", [{"a": 1}, {"a": 1, "b": 1}, {"a": 4, "b": 1, "c": 2}])
@pytest.mark.parametrize(("n", "size"), [(1, 1), (10, 3), (96, 7), (5, 8)])
def test_parts_are_all_solutions_once_cut_between_blocks(threads, n, size):
    parts = [p for p, _ in _cut(Order(Place(first=4), n, size, None, False), threads)]
    starts = [part.place.first - 4 for part in parts]
    stops = [start + part.n_solutions for start, part in zip(starts, parts, strict=True)]
    assert starts == [0, *stops[:-1]]
    assert stops[-1] == n
    assert all(start % size == 0 for start in starts)
    if n >= size * sum(threads.values()):
        assert len(parts) == len(threads)


@pytest.mark.parametrize(("largest", "bytes_each"), [(0, 1), (255, 1), (256, 2), (70_000, 4)])
def test_places_travel_in_small_integers_of_the_same_values(largest, bytes_each):
    parents = np.array([largest, 0, largest])
    descent = Descent(parents, np.empty(0, np.intp), np.random.default_rng(0), 0.1)
    sent = _compact(Place(3, descent)).descent
    assert sent.parents.itemsize == bytes_each
    np.testing.assert_array_equal(sent.parents, parents)
    assert _compact(Place()) == Place()


def test_advice_is_given_where_the_cluster_took_longer_alone(clients):
    result = run(client=clients[1])
    cluster, n = result.ga.cluster, len(result.history)
    assert cluster.n_generations == n
    alone = cluster.work / n / 2
    assert cluster.advise(1.01 * alone, 2).startswith("the cluster did not pay")
    assert cluster.advise(0.99 * alone, 2) is None
    assert run().ga.cluster is None


@pytest.mark.parametrize("kind", ["PCG64", "Philox", "MT19937", "SFC64"])
def test_a_generator_travels_as_its_state_alone_and_draws_the_same(kind):
    rng = np.random.Generator(getattr(np.random, kind)(3))
    rng.random(3, dtype=np.float32)  # leaves half a number of 64 bits for the next draw
    sent = pickle.dumps(_Generator(rng.bit_generator))
    assert len(sent) < len(pickle.dumps(rng)) - 150
    arrived = pickle.loads(sent)
    again = pickle.loads(pickle.dumps(arrived))
    there = [arrived.random(2, dtype=np.float32), arrived.integers(9, size=5)]
    assert np.array_equal(
        np.concatenate(there),
        np.concatenate(
            [
                copy.deepcopy(rng).random(2, dtype=np.float32),
                np.concatenate([rng.random(2, dtype=np.float32), rng.integers(9, size=5)])[2:],
            ]
        ),
    )
    assert np.array_equal(again.random(2, dtype=np.float32), there[0])
