"""The hand-off between streams: acknowledged and emitted together, once, whoever else tries."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.topology import Topology
from streams.backlog import high_waters
from streams.commit import Committer
from streams.condition import consumers
from streams.connection import Client, connect, send
from streams.entry import Entry, Output, Settled
from streams.errors import (
    GroupMissing,
    LeaseLost,
    ServerRefused,
    StreamFull,
    StreamsError,
)
from streams.keys import PRESENCE, Lane
from streams.lease import OWNER, Lease, break_lease
from streams.observe import counters, stream_states
from streams.progress import progress
from streams.publish import Outgoing, Publisher
from streams.reader import Claim, OwnerReader, Reader
from streams.trim import plan_trim, trim
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
from tests.servers.stream_server import StreamServer

LANE = Lane()
AUTHOR = {
    "worker": "gate",
    "worker_kind": "gate",
    "worker_version": "1",
    "host": "here",
    "run": "r",
}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


def holder(client: Client, consumer: str) -> tuple[Lease, Reader, Committer]:
    lease = Lease(client, LANE, "gate", consumer, 10.0)
    assert lease.acquire(consumer)
    reader = Reader(client, LANE, "gate", consumer, ["IN"])
    reader.ensure_groups()
    committer = Committer(
        client, LANE, "gate", lease, author=AUTHOR, lineage="LINEAGE", remember_s=60.0
    )
    return lease, reader, committer


@contextmanager
def as_user(client: Client, user: str, password: str) -> Iterator[Client]:
    """A client of the same server under another name."""
    place = client.connection_pool.connection_kwargs
    with connect(f"redis://{user}:{password}@{place['host']}:{place['port']}/0") as found:
        yield found


def forward(entry: Entry) -> Settled:
    return Settled(entry, outputs=[Output("OK", entry.fields, {"parents": [entry.uid]})])


def add(client: Client, count: int) -> None:
    for i in range(count):
        send(client, "XADD", "IN", "*", "data", str(i))


def test_two_workers_that_hold_the_same_entries_emit_each_once(client: Client) -> None:
    _, first, first_commits = holder(client, "first")
    _, second, second_commits = holder(client, "second")
    add(client, 20)
    mine = first.read(20, 0.01)
    _, also_theirs = second.claim("second", "IN", Claim(count=20))
    assert not also_theirs, "a living consumer's entries are not claimed"
    theirs = [Entry(entry.stream, entry.id, entry.fields) for entry in mine]
    one = first_commits.commit([forward(e) for e in mine[:12]], at_ms=1)
    two = second_commits.commit([forward(e) for e in theirs], at_ms=1)
    assert (one.acknowledged, one.emitted) == (12, 12)
    assert (two.acknowledged, two.emitted) == (8, 8)
    assert send(client, "XLEN", "OK") == 20


def test_a_stream_that_is_gone_keeps_no_other_from_being_settled_whole(client: Client) -> None:
    _, reader, committer = holder(client, "first")
    add(client, 3)
    entries = reader.read(3, 0.01)
    gone = [Entry("GONE", f"{n}-0", [b"data", b"x"]) for n in range(1, 4)]
    committed = committer.commit([forward(e) for e in (*entries, *gone)], at_ms=1)
    assert (committed.acknowledged, committed.emitted) == (3, 3)
    assert send(client, "XLEN", "LINEAGE") == 1
    assert send(client, "HGET", "penstock:counters", "gate:IN:accepted") == b"3"


def test_a_lost_lease_commits_nothing(client: Client) -> None:
    lease, reader, committer = holder(client, "slept")
    add(client, 3)
    batch = [forward(entry) for entry in reader.read(3, 0.01)]
    send(client, "DEL", lease.key)
    other = Lease(client, LANE, "gate", "slept", 10.0)
    assert other.acquire("another")
    with pytest.raises(LeaseLost):
        committer.commit(batch, at_ms=1)
    assert send(client, "XLEN", "OK") == 0
    assert send(client, "XPENDING", "IN", "gate")[0] == 3
    assert not lease.renew()
    assert other.renew()


def test_only_the_lease_of_the_dead_holder_is_broken(client: Client) -> None:
    dead, _, _ = holder(client, "dead")
    owner = Lease(client, LANE, "gate", OWNER, 10.0)
    assert owner.acquire("successor")
    assert break_lease(client, LANE, "gate", "dead")
    assert not dead.renew()
    assert not break_lease(client, LANE, "gate", "dead")
    assert owner.renew()
    assert break_lease(client, LANE, "gate", "successor")
    assert not owner.renew()


def test_an_owner_that_lost_its_lease_reads_nothing(client: Client) -> None:
    lease = Lease(client, LANE, "gate", "owner", 10.0)
    assert lease.acquire("one")
    reader = OwnerReader(client, LANE, "gate", lease, ["IN"])
    reader.ensure_groups()
    add(client, 2)
    assert len(reader.read(1, 0.01)) == 1
    send(client, "SET", lease.key, "another's token")
    with pytest.raises(LeaseLost):
        reader.read(1, 0.01)
    assert send(client, "XPENDING", "IN", "gate")[0] == 1


def test_an_owner_waits_for_new_entries_without_taking_old_ones_twice(client: Client) -> None:
    lease = Lease(client, LANE, "gate", "owner", 10.0)
    assert lease.acquire("one")
    before = OwnerReader(client, LANE, "gate", lease, ["IN"])
    before.ensure_groups()
    add(client, 5)
    assert len(before.read(10, 0.01)) == 5
    after = OwnerReader(client, LANE, "gate", lease, ["IN"])
    assert after.read(10, 0.01) == []
    writer = threading.Timer(0.05, add, (client, 1))
    writer.start()
    assert len(until(lambda: after.read(10, 0.2))) == 1
    writer.join()


def test_a_wrong_kind_of_key_is_refused_before_anything_is_acknowledged(client: Client) -> None:
    _, reader, committer = holder(client, "c")
    add(client, 2)
    batch = [forward(entry) for entry in reader.read(2, 0.01)]
    send(client, "SET", "OK", "no stream")
    with pytest.raises(StreamsError, match="WRONGTYPE"):
        committer.commit(batch, at_ms=1)
    assert send(client, "XPENDING", "IN", "gate")[0] == 2


def test_a_denied_output_is_refused_before_anything_is_acknowledged(
    client: Client, server: StreamServer
) -> None:
    _, reader, _ = holder(client, "c")
    add(client, 2)
    batch = [forward(entry) for entry in reader.read(2, 0.01)]
    send(client, "ACL SETUSER", "narrow", "on", ">pw", "+@all", "~IN", "~LINEAGE", "~penstock:*")
    url = server.url.replace("redis://", "redis://narrow:pw@")
    with connect(url) as narrow:
        lease = Lease(narrow, LANE, "gate", "narrow", 10.0)
        assert lease.acquire("narrow")
        committer = Committer(
            narrow, LANE, "gate", lease, author=AUTHOR, lineage="LINEAGE", remember_s=60.0
        )
        with pytest.raises(ServerRefused):
            committer.commit(batch, at_ms=1)
    assert send(client, "XPENDING", "IN", "gate")[0] == 2
    send(client, "ACL DELUSER", "narrow")


def test_no_memory_left_refuses_the_whole_commit(client: Client) -> None:
    _, reader, committer = holder(client, "c")
    add(client, 2)
    batch = [forward(entry) for entry in reader.read(2, 0.01)]
    send(client, "CONFIG SET", "maxmemory", "1")
    try:
        with pytest.raises(StreamsError, match=r"no memory left: OOM"):
            committer.commit(batch, at_ms=1)
    finally:
        send(client, "CONFIG SET", "maxmemory", "0")
    assert send(client, "XPENDING", "IN", "gate")[0] == 2
    assert committer.commit(batch, at_ms=1).emitted == 2


def test_the_lineage_record_names_the_ids_the_server_chose(client: Client) -> None:
    _, reader, committer = holder(client, "c")
    add(client, 3)
    entries = reader.read(3, 0.01)
    send(client, "XACK", "IN", "gate", entries[1].id)
    committer.commit([forward(entry) for entry in entries], at_ms=1)
    emitted = [entry_id for entry_id, _ in send(client, "XRANGE", "OK", "-", "+")]
    (_, record), *_ = send(client, "XRANGE", "LINEAGE", "-", "+")
    assert record[3] == b" ".join([emitted[0], b"-", emitted[1]])


def test_scripts_survive_a_script_flush(client: Client) -> None:
    lease, reader, committer = holder(client, "c")
    add(client, 1)
    send(client, "SCRIPT FLUSH")
    assert lease.renew()
    send(client, "SCRIPT FLUSH")
    assert committer.commit([forward(e) for e in reader.read(1, 0.01)], at_ms=1).emitted == 1


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


def test_a_commit_that_may_not_keep_its_books_acknowledges_nothing(client: Client) -> None:
    _, reader, commits = holder(client, "c")
    add(client, 2)
    entries = reader.read(2, 0.01)
    seen = LANE.seen("IN", "a")
    for denied in (("-hincrby",), ("-set",)):
        send(client, "ACL SETUSER", "limited", "reset", "on", ">pw", "~*", "&*", "+@all", *denied)
        with as_user(client, "limited", "pw") as limited:
            lease = Lease(limited, LANE, "gate", "c", 10.0)
            lease.token = commits._lease.token
            mine = Committer(
                limited, LANE, "gate", lease, author=AUTHOR, lineage="LINEAGE", remember_s=60.0
            )
            settled_ = [Settled(e, outputs=[Output("OK", e.fields)], remember="a") for e in entries]
            with pytest.raises(ServerRefused):
                mine.commit(settled_, at_ms=1)
    send(client, "ACL DELUSER", "limited")
    assert send(client, "XPENDING", "IN", "gate")[0] == 2
    assert send(client, "XLEN", "OK") == 0
    assert send(client, "EXISTS", seen) == 0


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


def test_many_gates_share_the_work_and_settle_each_entry_once(
    client: Client, topology: Topology
) -> None:
    payloads = readings(3000)
    Publisher(client).publish_batch("IN", [Outgoing(data) for data in payloads])
    with working(client, topology, "gate", "gate", "gate"):
        until(lambda: settled(client, topology))
    assert sorted(data_of(all_entries(client, topology, "OK"))) == sorted(payloads)


def test_a_gate_that_dies_is_taken_over_by_another(client: Client, topology: Topology) -> None:
    lease, reader, _ = holder(client, "dead")
    Publisher(client).publish_batch("IN", [Outgoing(reading()) for _ in range(50)])
    reader.read(50, 0.01)
    lease.release()
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    assert len(all_entries(client, topology, "OK")) == 50


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


def test_a_group_that_nobody_reads_is_known_as_a_stranger(
    client: Client, topology: Topology
) -> None:
    send(client, "XGROUP CREATE", "IN", "old", "0", "MKSTREAM")
    (state,) = [s for s in stream_states(client, topology) if s.name == "IN"]
    assert state.strangers == ("old",)


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
