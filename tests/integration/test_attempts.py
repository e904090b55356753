"""Only what raised, or ended a process, costs an attempt: an outage, a refusal, a wait do not."""

import copy
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.settlements import DeadLetter
from schemas.topology import Topology
from streams.commit import Committer
from streams.connection import Client, connect, send
from streams.entry import Entry, Output, Settled
from streams.errors import LeaseLost, StreamsError
from streams.keys import Lane
from streams.lease import OWNER, Lease, break_lease
from streams.publish import Outgoing, Publisher
from streams.reader import Claim, OwnerReader, Reader
from streams.scripts import _source
from tests.servers.laned import LANED
from tests.servers.pipeline import (
    READING,
    SMALL,
    all_entries,
    data_of,
    reading,
    settled,
    start_worker,
    topology_from,
    until,
)
from tests.servers.processes import workers
from tests.servers.proxy import Answer, Fault, proxied
from tests.servers.stream_server import StreamServer
from workers.handler import TryLater
from workers.kinds import build_handler

LANE = Lane()
REFUSED = 4
COMMIT = _source("commit")[1].encode()


OF_SORTS = """
import os
from pathlib import Path

def call(message):
    with (Path(__file__).parent / "tried").open("a") as file:
        file.write(f"{message.uid}\\n")
    if message.event.sensor_id == "ends":
        os._exit(7)
    if message.event.sensor_id == "raises":
        raise ValueError
    return message.event
"""


def gated(directory: Path, **settings: Any) -> Topology:
    gate = {**SMALL["workers"]["gate"], **settings}
    delivery = {"lease": "500ms", "block": "50ms", "trim_every": "100ms"}
    return topology_from({**SMALL, "delivery": delivery, "workers": {"gate": gate}}, directory)


def owned(directory: Path) -> Topology:
    """One worker that owns its only lane, fed from outside."""
    tree = copy.deepcopy(LANED) | {"lanes": 1, "delivery": {"lease": "500ms", "block": "50ms"}}
    tree["streams"] = {
        **{name: s for name, s in LANED["streams"].items() if name not in ("IN", "BAD")},
        "OK": {"schema": READING, "source": True},
    }
    tree["workers"] = {"numbered": {**LANED["workers"]["numbered"], "max_attempts": 2}}
    return topology_from(tree, directory)


def add(client: Client, stream: str, count: int) -> None:
    for i in range(count):
        send(client, "XADD", stream, "*", "data", reading("s", x=float(i)))


def delivered(client: Client, stream: str, group: str) -> list[int]:
    """How often each pending entry was delivered."""
    return [row[3] for row in send(client, "XPENDING", stream, group, "-", "+", 10)]


@pytest.mark.parametrize(("worker", "source"), [("gate", "IN"), ("numbered", "OK")])
def test_what_was_taken_over_is_not_buried_because_its_commits_were_refused(
    server: StreamServer, client: Client, tmp_path: Path, worker: str, source: str
) -> None:
    topology = owned(tmp_path) if worker == "numbered" else gated(tmp_path, max_attempts=2)
    add(client, source, 3)
    dead = OWNER if worker == "numbered" else "dead"
    reader = Reader(client, LANE, worker, dead, [source])
    reader.ensure_groups()
    assert len(reader.read(3, 0.01)) == 3
    refused = [0]

    def plan(command: list[bytes]) -> Fault:
        if refused[0] == REFUSED or not any(COMMIT in part for part in command[:2]):
            return None
        refused[0] += 1
        return Answer("LOADING for a while")

    with proxied(server.port) as proxy, connect(proxy.url, timeout_s=5.0) as through:
        proxy.plan = plan
        running = start_worker(through, topology, worker)
        until(lambda: refused[0] == REFUSED and settled(client, topology))
        running.stop()
    assert send(client, "XLEN", "DEAD_LETTER") == 0
    assert send(client, "XLEN", "OUT" if worker == "numbered" else "OK") == 3


def test_a_refusal_that_ends_the_process_again_and_again_buries_nothing(
    client: Client, tmp_path: Path
) -> None:
    topology = gated(tmp_path, max_attempts=2)
    add(client, "IN", 1)
    send(client, "SET", "OK", "no stream")
    for _ in range(4):
        running = start_worker(client, topology, "gate")
        running.thread.join(20)
        with pytest.raises(StreamsError, match="WRONGTYPE"):
            running.stop()
        assert delivered(client, "IN", "gate") == [0]
    send(client, "DEL", "OK")
    running = start_worker(client, topology, "gate")
    until(lambda: settled(client, topology))
    running.stop()
    assert (send(client, "XLEN", "OK"), send(client, "XLEN", "DEAD_LETTER")) == (1, 0)


class Away:
    """A handler whose store is away until it is back."""

    def __init__(self) -> None:
        self.back = False

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        if not self.back:
            raise TryLater("the store is away")
        return [Settled(entry) for entry in batch]


def test_while_a_store_is_away_no_entry_counts_as_delivered(client: Client, tmp_path: Path) -> None:
    topology, away = gated(tmp_path), Away()
    add(client, "IN", 2)
    send(client, "XGROUP CREATE", "IN", "gate", "0")
    running = start_worker(client, topology, "gate", away)
    until(lambda: delivered(client, "IN", "gate") == [0, 0])
    away.back = True
    until(lambda: settled(client, topology))
    running.stop()


class Picky:
    """The gate's handler, but what is marked raises."""

    def __init__(self, topology: Topology) -> None:
        self._inner = build_handler(topology, "gate", LANE)

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        if any(entry.get(b"x") for entry in batch):
            raise RuntimeError("this one is marked")
        return self._inner.handle(batch)


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_each_is_tried_as_often_as_it_may_be_whatever_lies_beside_it(
    server: StreamServer, client: Client, tmp_path: Path, attempts: int
) -> None:
    sorts = ["fine", "ends", "fine", "ends", "raises", "fine", "ends", "raises", "ends", "fine"]
    (tmp_path / "of_sorts.py").write_text(OF_SORTS)
    of_sorts = {
        "kind": "transform",
        "call": "of_sorts:call",
        "reads": ["IN"],
        "writes": ["OK"],
        "max_attempts": attempts,
    }
    streams = {name: settings for name, settings in SMALL["streams"].items() if name != "BAD"}
    tree = {**SMALL, "streams": streams, "workers": {"of_sorts": of_sorts}}
    topology = topology_from(tree, tmp_path)
    ids = [
        send(client, "XADD", "IN", "*", "data", reading(sort, x=float(i))).decode()
        for i, sort in enumerate(sorts)
    ]
    with workers(server, tmp_path / "streams.yaml") as running:
        running.start("of_sorts")
        until(lambda: settled(client, topology))
    tried = Counter((tmp_path / "tried").read_text().split())
    sort_of = {f"IN/{i}": sort for i, sort in zip(ids, sorts, strict=True)}
    for uid, sort in sort_of.items():
        # who raises beside others is tried by itself, too, before it counts
        assert tried[uid] == attempts if sort == "ends" else tried[uid] >= 1, (uid, sort)
    found = data_of(all_entries(client, topology, "DEAD_LETTER"))
    letters = [DeadLetter.model_validate_json(data) for data in found]
    bad = [uid for uid, sort in sort_of.items() if sort != "fine"]
    assert {letter.message: letter.attempts for letter in letters} == dict.fromkeys(bad, attempts)
    assert send(client, "XLEN", "OK") == sorts.count("fine")


def test_what_a_late_read_brought_is_found_although_something_is_being_retried(
    client: Client, tmp_path: Path
) -> None:
    topology = gated(tmp_path, max_attempts=50)
    running = start_worker(client, topology, "gate", Picky(topology))
    until(lambda: running.standing.ready)
    send(client, "XADD", "IN", "*", "data", reading(x=1.0), "x", "marked")
    until(lambda: delivered(client, "IN", "gate") not in ([], [1]))
    me = running.station.lease.consumer
    with client.pipeline(transaction=True) as both:  # as a read that the server does late
        both.execute_command("XADD", "IN", "*", "data", reading(x=2.0))
        both.execute_command("XREADGROUP", "GROUP", "gate", me, "COUNT", 1, "STREAMS", "IN", ">")
        both.execute()
    until(lambda: send(client, "XLEN", "OK") == 1)
    running.stop()


def test_an_owner_that_lost_its_lane_changes_no_count_of_its_successor(client: Client) -> None:
    first = Lease(client, LANE, "g", OWNER, 10.0)
    assert first.acquire("first")
    reader = OwnerReader(client, LANE, "g", first, ["IN"])
    reader.ensure_groups()
    add(client, "IN", 1)
    assert len(reader.read(1, 0.01)) == 1
    break_lease(client, LANE, "g", "first")
    assert Lease(client, LANE, "g", OWNER, 10.0).acquire("second")
    with pytest.raises(LeaseLost):
        reader.claim(OWNER, "IN", Claim(count=1))
    with pytest.raises(LeaseLost):
        reader.give_back()
    assert delivered(client, "IN", "g") == [1]


def test_what_raised_keeps_its_attempts_when_the_others_get_theirs_back(client: Client) -> None:
    reader = Reader(client, LANE, "g", "c", ["IN"])
    reader.ensure_groups()
    add(client, "IN", 3)
    (_, raised, _) = reader.read(3, 0.01)
    reader.give_back(but={raised.id})
    assert delivered(client, "IN", "g") == [0, 1, 0]


def test_an_id_is_taken_once_it_was_accepted_and_not_before(client: Client) -> None:
    lease = Lease(client, LANE, "gate", "c", 10.0)
    assert lease.acquire("c")
    reader = Reader(client, LANE, "gate", "c", ["IN"])
    reader.ensure_groups()
    author = {"worker": "gate", "worker_kind": "gate"}
    committer = Committer(
        client, LANE, "gate", lease, author=author, lineage="LINEAGE", remember_s=60.0
    )
    publisher = Publisher(client)
    (broken,) = publisher.publish_batch("IN", [Outgoing(b"broken", id="a")])
    send(client, "XADD", "IN", "*", "data", "mended", "id", "a")
    first, mended = reader.read(10, 0.01)
    out = [Output("OK", mended.fields)]
    accepted = committer.commit([Settled(mended, outputs=out, remember="a")], at_ms=1)
    assert (accepted.duplicates, accepted.emitted) == (0, 1)
    rejected = [Output("BAD", first.fields)]
    committer.commit([Settled(first, "rejected", rejected, remember="a")], at_ms=1)
    (again,) = publisher.publish_batch("IN", [Outgoing(b"mended", id="a")])
    assert again.duplicate
    assert (again.uid, broken.uid) == (mended.uid, first.uid)
