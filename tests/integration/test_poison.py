"""Entries that cannot be handled end as dead letters; their neighbours do not notice."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.settlements import DeadLetter
from schemas.topology import Topology
from streams.connection import Client, send
from streams.entry import Entry, Settled
from streams.errors import EntryRefused, UnknownEntry
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from streams.quarantine import Quarantine
from tests.servers.crashing import DiesWhile, run_until_killed
from tests.servers.pipeline import (
    SMALL,
    all_entries,
    data_of,
    reading,
    settled,
    start_worker,
    topology_from,
    until,
    working,
)
from workers.handler import Handler, TryLater
from workers.kinds import build_handler
from workers.station import authorship

POISON = b"poison"
SINK = {"lineage": {"kind": "lineage", "max_attempts": 2}}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    gate = {**SMALL["workers"]["gate"], "max_attempts": 3, "max_batch": 50}
    streams = {**SMALL["streams"], "IN": {**SMALL["streams"]["IN"], "retention": {"age": "1h"}}}
    return topology_from({**SMALL, "streams": streams, "workers": {"gate": gate}}, tmp_path)


class Raises:
    """The gate's handler, but some entries raise as long as they are poison."""

    def __init__(self, inner: Handler) -> None:
        self._inner = inner
        self.cured = False

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        if not self.cured and any(entry.get(b"x") == POISON for entry in batch):
            raise RuntimeError("this entry is poison")
        return self._inner.handle(batch)


def publish(client: Client, count: int, poison: set[int]) -> list[bytes]:
    payloads = [reading(x=float(i)) for i in range(count)]
    for i, data in enumerate(payloads):
        more = ("x", POISON) if i in poison else ()
        send(client, "XADD", "IN", "*", "data", data, *more)
    return payloads


def letters(client: Client, topology: Topology) -> list[DeadLetter]:
    found = data_of(all_entries(client, topology, "DEAD_LETTER"))
    return [DeadLetter.model_validate_json(data) for data in found]


def test_poison_is_buried_after_its_attempts_and_neighbours_go_on(
    client: Client, topology: Topology
) -> None:
    poison = {0, 7, 8, 99, 199}
    payloads = publish(client, 200, poison)
    running = start_worker(
        client, topology, "gate", Raises(build_handler(topology, "gate", Lane()))
    )
    until(lambda: send(client, "XLEN", "OK") == 195, 5.0, "neighbours")
    until(lambda: settled(client, topology))
    running.stop()
    accepted = data_of(all_entries(client, topology, "OK"))
    assert sorted(accepted) == sorted(d for i, d in enumerate(payloads) if i not in poison)
    found = letters(client, topology)
    assert len(found) == len(poison)
    assert {(letter.attempts, letter.error) for letter in found} == {
        (3, "RuntimeError: this entry is poison")
    }
    originals = {
        entry.get(b"original.data") for entry in all_entries(client, topology, "DEAD_LETTER")
    }
    assert originals == {payloads[i] for i in poison}


def test_an_entry_that_kills_its_worker_is_buried_and_its_neighbours_are_not(
    client: Client, topology: Topology
) -> None:
    payloads = publish(client, 60, {31})
    for _ in range(3):
        handler = DiesWhile(
            build_handler(topology, "gate", Lane()), lambda entry: entry.get(b"x") == POISON
        )
        run_until_killed(start_worker(client, topology, "gate", handler))
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    accepted = data_of(all_entries(client, topology, "OK"))
    assert sorted(accepted) == sorted(d for i, d in enumerate(payloads) if i != 31)
    (letter,) = letters(client, topology)
    assert "its worker ended 3 times" in letter.error


def test_a_lineage_record_that_cannot_be_written_makes_no_other(
    client: Client, tmp_path: Path
) -> None:
    class Broken:
        def handle(self, batch: Sequence[Entry]) -> list[Settled]:
            raise RuntimeError("this record is poison")

    topology = topology_from({**SMALL, "workers": {**SMALL["workers"], **SINK}}, tmp_path)
    publish(client, 1, set())
    with working(client, topology, "gate"):
        until(lambda: send(client, "XLEN", "LINEAGE") == 1)
    running = start_worker(client, topology, "lineage", Broken())
    until(lambda: len(letters(client, topology)) == 1)
    running.stop()
    (letter,) = letters(client, topology)
    assert letter.stream == "LINEAGE"
    assert send(client, "XINFO STREAM", "LINEAGE")["entries-added"] == 1


def test_one_attempt_is_enough_for_the_guilty_alone(client: Client, tmp_path: Path) -> None:
    gate = {**SMALL["workers"]["gate"], "max_attempts": 1, "max_batch": 50}
    topology = topology_from({**SMALL, "workers": {"gate": gate}}, tmp_path)
    publish(client, 60, {31})
    for _ in range(2):
        handler = DiesWhile(
            build_handler(topology, "gate", Lane()), lambda entry: entry.get(b"x") == POISON
        )
        run_until_killed(start_worker(client, topology, "gate", handler))
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    assert send(client, "XLEN", "OK") == 59
    assert len(letters(client, topology)) == 1


def test_a_store_that_is_away_costs_no_attempt(client: Client, topology: Topology) -> None:
    class Away:
        def __init__(self, inner: Handler) -> None:
            self.inner = inner
            self.calls = 0

        def handle(self, batch: Sequence[Entry]) -> list[Settled]:
            self.calls += 1
            if self.calls < 6:
                raise TryLater("away")
            return self.inner.handle(batch)

    handler = Away(build_handler(topology, "gate", Lane()))
    publish(client, 10, set())
    running = start_worker(client, topology, "gate", handler)
    until(lambda: settled(client, topology))
    running.stop()
    assert send(client, "XLEN", "OK") == 10
    assert letters(client, topology) == []


def quarantines(client: Client) -> tuple[Quarantine, Quarantine]:
    return (
        Quarantine(client, 1, "BAD", "LINEAGE"),
        Quarantine(client, 1, "DEAD_LETTER", "LINEAGE"),
    )


AUTHOR = authorship("release", "release", "ops") | {"at_ms": 1}


def test_a_released_dead_letter_is_handled_by_its_worker_only(
    client: Client, topology: Topology
) -> None:
    handler = Raises(build_handler(topology, "gate", Lane()))
    payloads = publish(client, 3, {1})
    running = start_worker(client, topology, "gate", handler)
    until(lambda: letters(client, topology))
    handler.cured = True
    _, dead = quarantines(client)
    (letter,) = dead.list()
    assert letter.data == payloads[1]
    new_uid = dead.release(letter.entry.uid, AUTHOR)
    until(lambda: send(client, "XLEN", "OK") == 3)
    running.stop()
    released = all_entries(client, topology, "OK")[-1]
    assert released.get(b"parents") == new_uid.encode()
    assert released.get(b"only_for") is None
    assert dead.size() == 0
    with working(client, topology_with_another_reader(topology), "other"):
        until(lambda: send(client, "XLEN", "OK") >= 3 + 3)
        until(lambda: settled(client, topology))  # the group of the other is there by now
    assert send(client, "XLEN", "OK") == 3 + 3, "the second gate took the three originals only"


def topology_with_another_reader(topology: Topology) -> Topology:
    """The same stream, inside the pipeline: there the mark of a released letter is believed."""
    gate, inside = (
        topology.workers["gate"],
        topology.streams["IN"].model_copy(update={"source": False}),
    )
    streams = {**topology.streams, "IN": inside}
    return topology.model_copy(
        update={"streams": streams, "workers": {"gate": gate, "other": gate}}
    )


def test_a_released_rejection_goes_through_the_gate_again(
    client: Client, topology: Topology
) -> None:
    bad, _ = quarantines(client)
    with working(client, topology, "gate"):
        Publisher(client).publish("IN", Outgoing(b'{"kind":', id="a", source="probe"))
        (rejected,) = until(bad.list)
        bad.release(rejected.entry.uid, AUTHOR, data=reading())
        until(lambda: send(client, "XLEN", "OK") == 1)
    (accepted,) = all_entries(client, topology, "OK")
    assert accepted.get(b"data") == reading()
    assert accepted.get(b"id") == b"a"
    assert accepted.get(b"source") == b"probe"
    assert bad.list() == []


def test_a_shortened_id_names_one_entry_or_none(client: Client, topology: Topology) -> None:
    bad, _ = quarantines(client)
    publish_bad = ("data", '{"stream":"IN","kind":"rejection"}', "original.data", reading())
    send(client, "XADD", "BAD", "5-5", *publish_bad)
    bad.release("BAD/5", AUTHOR)
    with pytest.raises(UnknownEntry):
        bad.release("BAD/5", AUTHOR)
    assert send(client, "XLEN", "IN") == 1
    send(client, "XADD", "BAD", "7-1", *publish_bad)
    send(client, "XADD", "BAD", "7-2", *publish_bad)
    with pytest.raises(UnknownEntry, match="several entries"):
        bad.drop("7")
    bad.drop("BAD/7-2")
    with pytest.raises(UnknownEntry):
        bad.drop("BAD/7-2")


def test_an_entry_of_too_many_fields_is_refused_at_its_release(
    client: Client, topology: Topology
) -> None:
    bad, _ = quarantines(client)
    many = [part for i in range(5000) for part in (f"f{i}", "x")]
    send(client, "XADD", "IN", "*", "data", reading(), *many)
    with working(client, topology, "gate"):
        (rejected,) = until(bad.list)
        with pytest.raises(EntryRefused, match="drop it"):
            bad.release(rejected.entry.uid, AUTHOR)
    assert bad.size() == 1


def test_a_clean_stop_is_no_attempt(client: Client, topology: Topology) -> None:
    class Away:
        def handle(self, batch: Sequence[Entry]) -> list[Settled]:
            raise TryLater("away")

    publish(client, 10, set())
    send(client, "XGROUP CREATE", "IN", "gate", "0")
    for _ in range(6):
        running = start_worker(client, topology, "gate", Away())
        until(lambda: send(client, "XPENDING", "IN", "gate")[0] == 10)
        running.stop()
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
    assert send(client, "XLEN", "OK") == 10
    assert letters(client, topology) == []


def test_an_error_without_words_that_can_be_written_is_told_all_the_same(
    client: Client, topology: Topology
) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    class Raising(Raises):
        def handle(self, batch: Sequence[Entry]) -> list[Settled]:
            if any(entry.get(b"x") == POISON for entry in batch):
                raise Mute if len(batch[0].fields[1]) % 2 else ValueError("\ud800")
            return self._inner.handle(batch)

    for x in (1.0, 22.5):
        send(client, "XADD", "IN", "*", "data", reading(x=x), "x", POISON)
    running = start_worker(
        client, topology, "gate", Raising(build_handler(topology, "gate", Lane()))
    )
    until(lambda: len(letters(client, topology)) == 2)
    running.stop()
    errors = {letter.error for letter in letters(client, topology)}
    assert errors == {"Mute: (its text cannot be told)", "ValueError: ?"}
