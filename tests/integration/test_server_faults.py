"""Faults of the server, each on a real one: nothing lost, nothing twice, told once, no hot loop."""

import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from streams.connection import Client, connect, send
from streams.keys import Lane
from streams.lease import Lease
from streams.scripts import _source
from tests.servers.pipeline import SMALL, readings, settled, start_worker, topology_from, until
from tests.servers.proxy import Answer, Cut, Fault, Proxy, proxied
from tests.servers.stage import PAYLOADS, TIMEOUT_S, WORKERS, Stage, on_stage, undisturbed_events
from tests.servers.stream_server import StreamServer, running

OUTAGE_S = 1.1  # longer than the lease


@dataclass
class Place:
    """A server that syncs every write, and the proxy that leads to it."""

    server: StreamServer
    proxy: Proxy


@pytest.fixture(params=["valkey", "redis"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with running(request.param, appendfsync="always") as server, proxied(server.port) as proxy:
        yield Place(server, proxy)


@pytest.fixture
def stage(place: Place, tmp_path: Path) -> Iterator[Stage]:
    """Both workers stand half way, with a batch in their hands."""
    with on_stage(place.proxy.url, tmp_path) as made:
        made.feed(PAYLOADS)
        for name in WORKERS:
            made.start(name)
        made.until_half_way()
        yield made


@pytest.fixture
def undisturbed() -> list[bytes]:
    return undisturbed_events()


@contextmanager
def killed(place: Place) -> Iterator[None]:
    place.server.kill()
    yield
    place.server.start()


@contextmanager
def frozen(place: Place) -> Iterator[None]:
    place.server.kill(signal.SIGSTOP)
    yield
    place.server.kill(signal.SIGCONT)


def ordered(*commands: tuple[str, ...]) -> Callable[[Place], AbstractContextManager[None]]:
    """The first command makes the fault, the second mends it."""

    @contextmanager
    def fault(place: Place) -> Iterator[None]:
        with place.server.client() as client:
            send(client, *commands[0])
            yield
            send(client, *commands[1])

    return fault


@contextmanager
def loading(place: Place) -> Iterator[None]:
    place.proxy.plan = lambda _: Answer("LOADING Redis is loading the dataset in memory")
    yield
    place.proxy.plan = lambda _: None


FAULTS = {
    "killed": killed,
    "frozen": frozen,
    "loading": loading,
    "a replica": ordered(("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "full": ordered(("CONFIG SET", "maxmemory", "1"), ("CONFIG SET", "maxmemory", "0")),
    "without replicas": ordered(
        ("CONFIG SET", "min-replicas-to-write", "1"), ("CONFIG SET", "min-replicas-to-write", "0")
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_is_waited_out_and_told_once(
    stage: Stage, place: Place, undisturbed: list[bytes], fault: str
) -> None:
    with FAULTS[fault](place):
        begun_s = time.monotonic()
        stage.go_on.set()
        until(lambda: not stage.ready, what="that readyz is false")
        until(lambda: time.monotonic() > begun_s + OUTAGE_S)
        assert not stage.ready
        tries = [name for at_s, name in list(place.proxy.seen) if at_s > begun_s]
    stage.until_settled()
    stage.stop()
    assert sorted(stage.found("OK")) == sorted(PAYLOADS)
    assert stage.found("EVENTS") == undisturbed
    assert stage.found("DEAD_LETTER") == []
    assert stage.lines("server_away") == dict.fromkeys(WORKERS, 1)
    assert stage.lines("server_back") == dict.fromkeys(WORKERS, 1)
    assert len(tries) < 250, Counter(tries)  # a hot loop sends thousands
    backs = [line for line in stage.told if line["event"] == "server_back"]
    assert max(line["tries"] for line in backs) <= 16


def digest(script: str) -> bytes:
    return _source(script)[1].encode()


@pytest.mark.parametrize(
    ("command", "worker", "fault"),
    [
        (digest("commit"), "anomaly", Cut(0)),
        (digest("commit"), "gate", Cut(3)),
        (b"XREADGROUP", "gate", Cut(100)),
        (digest("read"), "anomaly", Cut(100)),
        (digest("lease"), "gate", Cut(0)),
    ],
    ids=["a commit", "a commit's middle", "a read", "a fenced read", "a lease"],
)
def test_a_connection_cut_in_mid_reply_leaves_no_doubt_behind(
    stage: Stage, place: Place, undisturbed: list[bytes], command: bytes, worker: str, fault: Fault
) -> None:
    met = place.proxy.once(command, fault)
    stage.go_on.set()
    assert met.wait(10), "nobody sent the command"
    stage.until_settled()
    stage.stop()
    assert sorted(stage.found("OK")) == sorted(PAYLOADS)
    assert stage.found("EVENTS") == undisturbed
    told = sum(stage.lines("server_away").values())
    assert told == 1 or (told == 0 and command == digest("lease")), "a heartbeat beats again"
    assert stage.lines("server_away") == stage.lines("server_back")


def test_forgotten_scripts_are_no_outage(
    stage: Stage, place: Place, undisturbed: list[bytes]
) -> None:
    stage.go_on.set()
    with place.server.client() as client:
        while not settled(client, stage.topology):
            send(client, "SCRIPT FLUSH")
    stage.stop()
    assert sorted(stage.found("OK")) == sorted(PAYLOADS)
    assert stage.found("EVENTS") == undisturbed
    assert not stage.lines("server_away")


def test_a_server_that_comes_back_empty_is_worked_for_again(
    stage: Stage, place: Place, undisturbed: list[bytes]
) -> None:
    place.server.kill()
    stage.go_on.set()
    shutil.rmtree(place.server.directory / "appendonlydir")
    until(lambda: not stage.ready)
    place.server.start()
    until(lambda: len(stage.ready) == 2)
    stage.feed(PAYLOADS)
    stage.until_settled()
    stage.stop()
    assert sorted(stage.found("OK")) == sorted(PAYLOADS)
    assert stage.found("EVENTS") == undisturbed, "the state began anew with the stream"
    assert stage.lines("server_back") == stage.lines("server_away")


def test_a_destroyed_group_is_made_again_and_nothing_is_lost(
    stage: Stage, place: Place, undisturbed: list[bytes]
) -> None:
    with place.server.client() as client:
        send(client, "XGROUP DESTROY", "IN", "gate")
        send(client, "XGROUP DESTROY", "FED", "anomaly")
    stage.go_on.set()
    until(lambda: stage.lines("groups_created") == dict.fromkeys(WORKERS, 2))
    stage.until_settled()
    stage.stop()
    assert set(stage.found("OK")) == set(PAYLOADS)
    assert stage.found("EVENTS") == undisturbed, "who has state knows where it was"


@pytest.mark.parametrize("waiting", [False, True], ids=["at work", "waiting for entries"])
def test_a_deleted_stream_is_taken_up_again(stage: Stage, place: Place, waiting: bool) -> None:
    if waiting:
        stage.go_on.set()
        stage.until_settled()
    with place.server.client() as client:
        send(client, "DEL", "IN", "FED")
        stage.go_on.set()
        until(lambda: send(client, "EXISTS", "IN", "FED") == 2, what="that the groups are back")
    late = readings(50, seed=8)
    stage.feed(late, "late")  # to FED with entry ids that it had before
    stage.until_settled()
    stage.stop()
    assert set(late) <= set(stage.found("OK"))
    assert sum(stage.lines("group_missing").values()) <= 6


@pytest.mark.parametrize("error", ["FENCED the lease", "NOGROUP no such group"])
def test_what_fails_at_once_again_and_again_is_tried_ever_more_rarely(
    stage: Stage, place: Place, undisturbed: list[bytes], error: str
) -> None:
    committing = digest("commit")
    place.proxy.plan = lambda command: Answer(error) if committing in command else None
    stage.go_on.set()
    begun_s = time.monotonic()
    until(lambda: time.monotonic() > begun_s + 1.0)
    assert not stage.ready
    place.proxy.plan = lambda _: None
    stage.until_settled()
    stage.stop()
    told = stage.lines("lease_lost") + stage.lines("group_missing")
    assert 2 <= min(told.values()) <= max(told.values()) <= 8
    assert sorted(stage.found("OK")) == sorted(PAYLOADS)
    assert stage.found("EVENTS") == undisturbed


def test_who_is_stopped_while_a_commit_is_in_doubt_leaves_no_wrong_checkpoint(
    stage: Stage, place: Place, undisturbed: list[bytes]
) -> None:
    committing, refused = digest("commit"), threading.Event()

    def plan(command: list[bytes]) -> Fault:
        if refused.is_set() or committing not in command or b"anomaly" not in command:
            return None
        refused.set()
        stage.workers["anomaly"].standing.stopping.set()
        return Answer("LOADING Redis is loading the dataset in memory")

    place.proxy.plan = plan
    stage.go_on.set()
    assert refused.wait(10)
    stage.workers.pop("anomaly").stop()
    stage.start("anomaly")
    stage.until_settled()
    stage.stop()
    assert stage.found("EVENTS") == undisturbed


def test_one_with_a_long_block_is_not_taken_for_an_outage(tmp_path: Path, client: Client) -> None:
    tree = {**SMALL, "delivery": {**SMALL["delivery"], "block": "5s"}}
    topology = topology_from(tree, tmp_path)
    url = f"redis://127.0.0.1:{client.get_connection_kwargs()['port']}/0"
    with capture_logs() as told, connect(url, timeout_s=TIMEOUT_S) as narrow:
        worker = start_worker(narrow, topology, "gate")
        begun_s = time.monotonic()
        until(lambda: time.monotonic() > begun_s + 2 * TIMEOUT_S)
        worker.stop()
    assert not [line for line in told if line["event"] == "server_away"]


def test_a_holder_that_never_heard_of_its_lease_takes_it_again(client: Client) -> None:
    first, second = (Lease(client, Lane(), "gate", "owner", 10.0) for _ in range(2))
    assert first.acquire("me")
    assert second.acquire("me"), "the reply to the first was lost on its way"
    assert not first.renew()
    assert second.renew()
    assert not first.acquire("another")
