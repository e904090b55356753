"""From producers through the gate: every message once, whoever shares the work."""

from pathlib import Path

import pytest

from schemas.topology import Topology
from streams.backlog import high_waters
from streams.connection import Client, send
from streams.entry import Settled
from streams.errors import StreamFull
from streams.keys import PRESENCE
from streams.observe import counters, stream_states
from streams.publish import Outgoing, Publisher
from tests.servers.holding import holder
from tests.servers.pipeline import (
    SMALL,
    all_entries,
    data_of,
    reading,
    readings,
    settled,
    start_worker,
    topology_from,
    until,
    working,
)


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


def test_what_a_late_read_brought_is_settled_too(client: Client, tmp_path: Path) -> None:
    topology = topology_from({**SMALL, "delivery": {"lease": "1s", "block": "50ms"}}, tmp_path)
    with working(client, topology, "gate") as (running,):
        until(lambda: running.standing.ready)
        own = ("GROUP", "gate", running.station.holder)
        payloads = readings(20)
        with client.pipeline(transaction=True) as both:  # or the worker would be the first to read
            for data in payloads:
                both.execute_command("XADD", "IN", "*", "data", data)
            both.execute_command("XREADGROUP", *own, "COUNT", 10, "STREAMS", "IN", ">")
            both.execute()
        until(lambda: settled(client, topology))
        assert sorted(data_of(all_entries(client, topology, "OK"))) == sorted(payloads)


def test_the_gate_forwards_every_byte_and_rejects_with_the_original(
    client: Client, topology: Topology
) -> None:
    good = reading()[:-1] + b'  ,"unit":"K" }'.replace(b',"unit":"K"', b"")
    send(client, "XADD", "IN", "*", "data", good, "source", "probe", "x-own", b"\xff\x00")
    send(client, "XADD", "IN", "*", "data", b"{", "type", "t")
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    (accepted,) = all_entries(client, topology, "OK")
    assert accepted.get(b"data") == good
    assert accepted.get(b"source") == b"probe"
    assert accepted.get(b"x-own") == b"\xff\x00"
    (rejected,) = all_entries(client, topology, "BAD")
    assert rejected.get(b"original.data") == b"{"
    assert rejected.get(b"original.type") == b"t"
    assert counters(client, topology) == {
        ("gate", "IN", "accepted"): 1,
        ("gate", "IN", "rejected"): 1,
    }


def test_the_same_producer_id_yields_one_message_however_it_was_published(
    client: Client, topology: Topology
) -> None:
    publisher = Publisher(client)
    first = publisher.publish("IN", Outgoing(reading(), id="a"))
    again = publisher.publish("IN", Outgoing(reading(), id="a"))
    assert (again.uid, again.duplicate) == (first.uid, True)
    send(client, "XADD", "IN", "*", "data", reading(), "id", "a")
    send(client, "XADD", "IN", "*", "data", reading(), "id", "b")
    send(client, "XADD", "IN", "*", "data", reading(), "id", "b")
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    assert [e.get(b"id") for e in all_entries(client, topology, "OK")] == [b"a", b"b"]
    assert counters(client, topology)["gate", "IN", "duplicate"] == 2


def test_a_rejected_id_may_be_published_again(client: Client, topology: Topology) -> None:
    publisher = Publisher(client)
    with working(client, topology, "gate"):
        publisher.publish("IN", Outgoing(b"{}", id="a"))
        until(lambda: all_entries(client, topology, "BAD"))
        assert not publisher.publish("IN", Outgoing(reading(), id="a")).duplicate
        until(lambda: all_entries(client, topology, "OK"))


def test_many_gates_share_the_work_and_settle_each_entry_once(
    client: Client, topology: Topology
) -> None:
    payloads = readings(3000)
    Publisher(client).publish_batch("IN", [Outgoing(data) for data in payloads])
    with working(client, topology, "gate", "gate", "gate"):
        until(lambda: settled(client, topology))
    assert sorted(data_of(all_entries(client, topology, "OK"))) == sorted(payloads)


def test_a_deleted_group_is_created_again_from_the_oldest_entry(
    client: Client, topology: Topology
) -> None:
    with working(client, topology, "gate"):
        until(lambda: send(client, "EXISTS", "IN"))
        send(client, "XGROUP DESTROY", "IN", "gate")
        Publisher(client).publish_batch("IN", [Outgoing(reading(), id=str(i)) for i in range(20)])
        until(lambda: len(all_entries(client, topology, "OK")) == 20)


def test_a_stopped_worker_leaves_nothing_pending(client: Client, topology: Topology) -> None:
    worker = start_worker(client, topology, "gate")
    Publisher(client).publish_batch("IN", [Outgoing(data) for data in readings(2000)])
    until(lambda: send(client, "XLEN", "OK") > 100)
    worker.stop()
    assert send(client, "XPENDING", "IN", "gate")[0] == 0
    assert send(client, "EXISTS", worker.station.lease.key) == 0


def test_a_field_of_ours_in_a_producers_entry_hides_nothing_from_the_gate(
    client: Client, topology: Topology
) -> None:
    for name in ("nobody", "gate", "other"):
        send(client, "XADD", "IN", "*", "data", "no json", "only_for", name)
        send(client, "XADD", "IN", "*", "data", reading(), "only_for", name)
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    assert len(all_entries(client, topology, "BAD")) == 3
    accepted = all_entries(client, topology, "OK")
    assert len(accepted) == 3
    assert {entry.get(b"only_for") for entry in accepted} == {None}


def test_a_dead_letter_with_a_producers_id_can_be_released(
    client: Client, topology: Topology
) -> None:
    publisher = Publisher(client)
    publisher.publish("IN", Outgoing(reading(), id="a"))
    _, reader, committer = holder(client, "c")
    (entry,) = reader.read(1, 0.01)
    committer.commit([Settled(entry, "dead", [], "a")], at_ms=1)
    assert not publisher.publish("IN", Outgoing(reading(), id="a")).duplicate


def test_above_the_high_water_mark_a_publisher_waits_for_the_readers(
    client: Client, tmp_path: Path
) -> None:
    streams = {**SMALL["streams"], "IN": {**SMALL["streams"]["IN"], "high_water": 300}}
    topology = topology_from({**SMALL, "streams": streams}, tmp_path)
    payloads = [Outgoing(data) for data in readings(1000)]
    hurried = Publisher(client, marks=high_waters(topology), wait_s=0.1)
    with pytest.raises(StreamFull, match="high-water mark is 300"):
        hurried.publish_batch("IN", payloads)
    (state,) = [s for s in stream_states(client, topology) if s.name == "IN"]
    assert state.full
    assert state.length == 400, "two steps of 200 went before the mark was seen"
    with working(client, topology, "gate"):
        Publisher.of(client, topology).publish_batch("IN", payloads)
        until(lambda: settled(client, topology))
    assert send(client, "XLEN", "OK") == 1400
    (state,) = [s for s in stream_states(client, topology) if s.name == "IN"]
    assert not state.full


def test_a_presence_line_is_renewed_also_when_memory_has_run_out(
    client: Client, topology: Topology
) -> None:
    with working(client, topology, "gate") as (worker,):
        until(lambda: worker.standing.ready)
        send(client, "CONFIG SET", "maxmemory", "1")
        try:
            send(client, "DEL", PRESENCE)
            until(lambda: send(client, "HLEN", PRESENCE) == 1)
        finally:
            send(client, "CONFIG SET", "maxmemory", "0")
