"""What is delivered again and to whom, and what may be trimmed."""

from pathlib import Path

import pytest

from schemas.topology import Topology
from streams.condition import consumers
from streams.connection import Client, send
from streams.errors import GroupMissing
from streams.observe import stream_states
from streams.progress import progress
from streams.publish import Outgoing, Publisher
from streams.reader import Claim, Reader
from streams.trim import plan_trim, trim
from tests.servers.holding import LANE, add, forward, holder
from tests.servers.pipeline import (
    SMALL,
    all_entries,
    data_of,
    reading,
    readings,
    settled,
    topology_from,
    until,
    working,
)


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


def test_entries_of_the_dead_are_claimed_and_their_name_removed(client: Client) -> None:
    lease, dead, _ = holder(client, "dead")
    _, alive, commits = holder(client, "alive")
    add(client, 6)
    dead.read(6, 0.01)
    assert alive.others("IN") == [], "it has a lease"
    lease.release()
    assert alive.others("IN") == ["dead"]
    seen, entries = alive.claim("dead", "IN", Claim(count=4, alone_beyond=5))
    assert seen == 4
    assert [entry.attempts for entry in entries] == [2, 2, 2, 2]
    commits.commit([forward(entry) for entry in entries], at_ms=1)
    _, rest = alive.claim("dead", "IN", Claim(count=4, alone_beyond=5))
    commits.commit([forward(entry) for entry in rest], at_ms=1)
    assert alive.claim("dead", "IN", Claim(count=4)) == (0, [])
    names = [row["name"] for row in send(client, "XINFO CONSUMERS", "IN", "gate")]
    assert names == [b"alive"]
    assert send(client, "XLEN", "OK") == 6


def test_what_was_delivered_often_is_claimed_alone(client: Client) -> None:
    lease, dead, _ = holder(client, "dead")
    _, alive, _ = holder(client, "alive")
    add(client, 3)
    dead.read(3, 0.01)
    lease.release()
    assert len(alive.claim("dead", "IN", Claim(count=3, alone_beyond=1))[1]) == 3
    seen, entries = alive.claim("alive", "IN", Claim(count=3, alone_beyond=1))
    assert (seen, [entry.attempts for entry in entries]) == (3, [3])


def test_a_suspect_of_the_dead_is_left_as_long_as_it_is_wanted(client: Client) -> None:
    lease, dead, _ = holder(client, "dead")
    _, alive, commits = holder(client, "alive")
    add(client, 4)
    suspect, *others = [entry.id for entry in dead.read(4, 0.01)]
    lease.release()
    found = []
    for _ in range(3):
        _, (entry,) = alive.claim("dead", "IN", Claim(count=1, but={suspect}))
        commits.commit([forward(entry)], at_ms=1)
        found.append(entry.id)
    assert found == others
    assert alive.claim("dead", "IN", Claim(count=1, but={suspect})) == (0, [])
    assert alive.others("IN") == ["dead"], "its name stays as long as it has something pending"
    _, (entry,) = alive.claim("dead", "IN", Claim(count=1))
    assert entry.id == suspect


def test_what_was_delivered_least_is_claimed_first_unless_order_matters(client: Client) -> None:
    lease, dead, _ = holder(client, "dead")
    _, alive, commits = holder(client, "alive")
    add(client, 3)
    often, *others = [entry.id for entry in dead.read(3, 0.01)]
    dead.claim_one("IN", often)
    lease.release()
    _, entries = alive.claim("dead", "IN", Claim(count=2, alone_beyond=9, ordered=True))
    assert [entry.id for entry in entries] == [often, others[0]]
    _, (entry,) = alive.claim("alive", "IN", Claim(count=1, start=others[0]))
    commits.commit([forward(entry)], at_ms=1)
    _, entries = alive.claim("dead", "IN", Claim(count=2, alone_beyond=9))
    assert [entry.id for entry in entries] == [others[1]]


def test_a_delivery_need_not_be_counted(client: Client) -> None:
    _, reader, _ = holder(client, "c")
    add(client, 1)
    reader.read(1, 0.01)
    for _ in range(3):
        (entry,) = reader.claim("c", "IN", Claim(count=1, counted=False))[1]
        assert entry.attempts == 1


def test_reading_from_a_missing_group_says_so(client: Client) -> None:
    reader = Reader(client, LANE, "gate", "c", ["IN"])
    with pytest.raises(GroupMissing):
        reader.read(1, 0.01)


def test_trimming_keeps_what_a_group_has_not_acknowledged(
    client: Client, topology: Topology
) -> None:
    plan = plan_trim(topology, "IN")
    add(client, 10)
    assert trim(client, LANE, plan) == -1, "the group does not exist yet"
    _, reader, committer = holder(client, "c")
    entries = reader.read(6, 0.01)
    assert trim(client, LANE, plan) == 0
    committer.commit([forward(entry) for entry in entries[:4]], at_ms=1)
    assert trim(client, LANE, plan) == 4
    committer.commit([forward(entry) for entry in entries[4:]], at_ms=1)
    assert trim(client, LANE, plan) == 2
    assert send(client, "XLEN", "IN") == 4, "those were never read"
    (state,) = [s for s in stream_states(client, topology) if s.name == "IN"]
    assert state.groups[0].lag == 4


def test_retention_keeps_young_entries_and_bounds_their_number(
    client: Client, tmp_path: Path
) -> None:
    tree = {**SMALL, "streams": {**SMALL["streams"]}}
    tree["streams"]["OK"] = {**SMALL["streams"]["OK"], "retention": {"age": "1h", "entries": 5}}
    topology = topology_from(tree, tmp_path)
    send(client, "XADD", "OK", "1-1", "data", "from 1970")
    for i in range(8):
        send(client, "XADD", "OK", "*", "data", str(i))
    assert trim(client, LANE, plan_trim(topology, "OK")) == 4
    assert data_of(all_entries(client, topology, "OK")) == [b"3", b"4", b"5", b"6", b"7"]


def test_a_gate_that_dies_is_taken_over_by_another(client: Client, topology: Topology) -> None:
    lease, reader, _ = holder(client, "dead")
    Publisher(client).publish_batch("IN", [Outgoing(reading()) for _ in range(50)])
    reader.read(50, 0.01)
    lease.release()
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    assert len(all_entries(client, topology, "OK")) == 50


def test_when_memory_runs_out_nothing_is_dropped_and_trimming_makes_room(
    client: Client, tmp_path: Path
) -> None:
    topology = topology_from(
        {**SMALL, "delivery": {**SMALL["delivery"], "trim_every": "1h"}}, tmp_path
    )
    publisher = Publisher(client)
    publisher.publish_batch("IN", [Outgoing(data) for data in readings(6000)])
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    late = [reading(x=float(i)) for i in range(100)]
    publisher.publish_batch("IN", [Outgoing(data) for data in late])
    used = send(client, "INFO", "memory")["used_memory"]
    send(client, "CONFIG SET", "maxmemory", str(used - 100_000))
    try:
        with working(client, topology, "gate"):
            until(lambda: send(client, "XLEN", "OK") == 6100)
    finally:
        send(client, "CONFIG SET", "maxmemory", "0")
    assert data_of(all_entries(client, topology, "OK"))[6000:] == late
    assert send(client, "XLEN", "IN") < 6100


def with_retention(tmp_path: Path, stream: str, **retention: object) -> Topology:
    streams = {**SMALL["streams"], stream: {**SMALL["streams"][stream], "retention": retention}}
    return topology_from({**SMALL, "streams": streams}, tmp_path)


def test_a_stream_that_no_worker_reads_is_trimmed_by_its_writer(
    client: Client, tmp_path: Path
) -> None:
    topology = with_retention(tmp_path, "OK", entries=10)
    Publisher(client).publish_batch("IN", [Outgoing(data) for data in readings(300)])
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
        until(lambda: send(client, "XLEN", "OK") == 10)


def test_one_trim_keeps_up_with_many_thousand_entries_too_many(
    client: Client, tmp_path: Path
) -> None:
    topology = with_retention(tmp_path, "OK", entries=5)
    pipe = client.pipeline(transaction=False)
    for i in range(7000):
        pipe.xadd("OK", {"data": str(i)})
    pipe.execute()
    assert trim(client, LANE, plan_trim(topology, "OK")) == 6995


@pytest.mark.parametrize(("lanes", "key"), [(1, "IN"), (3, "IN{2}")])
def test_a_group_that_nobody_reads_is_known_as_a_stranger(
    client: Client, tmp_path: Path, lanes: int, key: str
) -> None:
    send(client, "XGROUP CREATE", key, "old", "0", "MKSTREAM")
    (state,) = stream_states(client, topology_from(SMALL | {"lanes": lanes}, tmp_path), ["IN"])
    assert (state.strangers, state.lanes) == (("old",), lanes)


def test_consumers_do_not_pile_up_over_restarts(client: Client, topology: Topology) -> None:
    for _ in range(6):
        with working(client, topology, "gate", "gate"):
            Publisher(client).publish_batch("IN", [Outgoing(reading()) for _ in range(20)])
            until(lambda: settled(client, topology))
    with working(client, topology, "gate") as (last,):
        ours = {last.station.lease.consumer.encode()}  # Redis 7.0 lists it once it was given some

        def names() -> set[bytes]:
            return {row["name"] for row in send(client, "XINFO CONSUMERS", "IN", "gate")}

        until(lambda: names() <= ours)


@pytest.mark.parametrize(
    ("acknowledged", "unread"),
    [
        ("7-1152921504606847176", "7-1152921504606847186"),
        ("7-999999999999999999", "7-1000000000000000000"),
        ("5-18446744073709551615", "6-0"),
        ("9-9", "10-0"),
    ],
)
def test_trimming_counts_ids_of_any_size(
    client: Client, topology: Topology, acknowledged: str, unread: str
) -> None:
    _, reader, committer = holder(client, "c")
    send(client, "XADD", "IN", acknowledged, "data", "1")
    committer.commit([forward(entry) for entry in reader.read(1, 0.01)], at_ms=1)
    send(client, "XADD", "IN", unread, "data", "2")
    assert trim(client, LANE, plan_trim(topology, "IN")) == 1
    assert [entry_id for entry_id, _ in send(client, "XRANGE", "IN", "-", "+")] == [unread.encode()]


def test_groups_and_consumers_whose_names_are_no_text_disturb_nobody(
    client: Client, topology: Topology
) -> None:
    _, reader, _ = holder(client, "first")
    add(client, 2)
    send(client, "XGROUP CREATE", "IN", b"caf\xe9", "0")
    send(client, "XREADGROUP", "GROUP", "gate", b"\xff", "COUNT", 1, "STREAMS", "IN", ">")
    (state, *_) = (state for state in stream_states(client, topology) if state.name == "IN")
    assert state.strangers == ("caf\\xe9",)
    assert progress(client, topology)["gate", 0].grips["\\xff"].pending == 1
    assert "\\xff" in {each.name for each in consumers(client, topology, "IN")}
    assert reader.others("IN") == ["\\xff"]
