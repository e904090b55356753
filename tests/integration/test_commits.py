"""The hand-off between streams: acknowledged and emitted together, once, whoever else tries."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streams.commit import Committer
from streams.connection import Client, connect, send
from streams.entry import Entry, Output, Settled
from streams.errors import LeaseLost, ServerRefused, StreamsError
from streams.lease import OWNER, Lease, break_lease
from streams.reader import Claim, OwnerReader
from tests.servers.holding import AUTHOR, LANE, add, forward, holder
from tests.servers.pipeline import until
from tests.servers.stream_server import StreamServer


@contextmanager
def as_user(client: Client, user: str, password: str) -> Iterator[Client]:
    """A client of the same server under another name."""
    place = client.connection_pool.connection_kwargs
    with connect(f"redis://{user}:{password}@{place['host']}:{place['port']}/0") as found:
        yield found


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
