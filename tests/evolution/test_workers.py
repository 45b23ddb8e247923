"""Which workers take part: those that are there, work, and have what this process has."""

from types import SimpleNamespace

import pytest

from ga_ann.evolution import workers as module
from ga_ann.evolution.workers import Workers, connect

distributed = pytest.importorskip("distributed")

ONE, TWO = "tcp://one:1", "tcp://two:1"


class Scheduler:
    """Stands for a client: what it tells of workers is what a test has set."""

    status = "running"
    scheduler = SimpleNamespace(address="tcp://here:1")

    def __init__(self):
        self.workers = {ONE: self.new("a"), TWO: self.new("b")}
        self.environments = {}
        self.fails = {}

    @staticmethod
    def new(directory, status="running"):
        return {"local_directory": directory, "nthreads": 2, "status": status}

    def scheduler_info(self, n_workers=5):
        return {"workers": self.workers}

    def run(self, function, *arguments, workers, on_error):
        return {one: self.environments.get(one, function(*arguments)) for one in workers}

    def scatter(self, replica, workers, hash):
        if (error := self.fails.get(workers[0])) is not None:
            raise error
        return SimpleNamespace(status="finished", release=lambda: None)

    def submit(self, function, pure):
        return None


@pytest.fixture
def scheduler(monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.0)
    return Scheduler()


def look(scheduler):
    return Workers(scheduler, SimpleNamespace(X=None), None)


@pytest.mark.parametrize("status", ["paused", "closing", "running"])
def test_a_worker_takes_part_while_it_works(scheduler, status):
    workers = look(scheduler)
    assert workers.threads == {ONE: 2, TWO: 2}
    scheduler.workers[TWO]["status"] = status
    workers.look()
    assert set(workers.threads) == ({ONE, TWO} if status == "running" else {ONE})
    scheduler.workers[TWO]["status"] = "running"
    workers.look()
    assert set(workers.threads) == {ONE, TWO}


@pytest.mark.parametrize("is_new", [True, False])
def test_a_worker_that_was_restarted_is_looked_at_again(scheduler, is_new):
    workers = look(scheduler)
    ours = module._environment()
    scheduler.environments[TWO] = ours | {"ga-ann": "0.0.1"}
    if not is_new:  # nobody asks one that is known
        workers.look()
        assert set(workers.threads) == {ONE, TWO}
        return
    scheduler.workers[TWO] = scheduler.new("c")
    with pytest.warns(RuntimeWarning, match=rf"{TWO} has ga-ann 0\.0\.1"):
        workers.look()
    assert set(workers.threads) == {ONE}
    scheduler.environments[TWO] = ours
    scheduler.workers[TWO] = scheduler.new("d")
    workers.look()
    assert set(workers.threads) == {ONE, TWO}


@pytest.mark.parametrize(
    ("error", "message"),
    [(ModuleNotFoundError("no mine"), "cannot be sent the run .no mine."), (OSError("gone"), None)],
)
def test_one_that_cannot_be_sent_the_run_is_refused_and_one_that_is_gone_is_not(
    scheduler, error, message
):
    scheduler.fails[TWO] = error
    if message is None:
        assert set(look(scheduler).threads) == {ONE}
        return
    with pytest.raises(ConnectionError, match=f"{TWO} {message}"):
        look(scheduler)


@pytest.mark.parametrize("name", ["NumPy", "ga-ann"])
def test_the_same_package_with_another_numpy_is_told_and_used(scheduler, name):
    key = "ga-ann" if name == "ga-ann" else next(k for k in module._environment() if k != "ga-ann")
    scheduler.environments[TWO] = module._environment() | {key: "0.0.1"}
    if name == "ga-ann":
        with pytest.raises(ConnectionError, match=r"has ga-ann 0\.0\.1"):
            look(scheduler)
        return
    with pytest.warns(RuntimeWarning, match="bits may be others"):
        assert set(look(scheduler).threads) == {ONE, TWO}


@pytest.mark.parametrize(
    ("asynchronous", "status", "message"),
    [(True, "running", "must not be asynchronous"), (False, "closed", "it is closed")],
)
def test_clients_that_cannot_wait_are_refused(monkeypatch, asynchronous, status, message):
    class Client:
        pass

    monkeypatch.setattr(distributed, "Client", Client)
    client = Client()
    client.asynchronous, client.status = asynchronous, status
    with pytest.raises(ValueError, match=message), connect(client):
        pass
    client.asynchronous, client.status = False, "running"
    with connect(client) as connected:
        assert connected is client
