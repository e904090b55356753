"""The intake: it asks ahead under load, waits for more where it may, and forgets when told to."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from schemas.topology_file import load_topology
from schemas.topology_workers import WorkerSettings
from streams.checkpoint import Seal
from streams.connection import connect
from streams.entry import Entry
from streams.keys import Lane
from workers.in_hand import Suspect
from workers.intake import Intake
from workers.station import Station, take_station

TOPOLOGY = load_topology(Path(__file__).parents[3] / "streams.yaml")


class Reading:
    """Entries on their way, or given up."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries
        self.dropped = False

    def entries(self) -> list[Entry]:
        return self._entries

    def drop(self) -> None:
        self.dropped = True


class Stream:
    """A reader over so many entries."""

    def __init__(self, entries: int) -> None:
        self.left = [Entry("L3_IN", f"{n}-0", [b"data", b"{}"]) for n in range(1, entries + 1)]
        self.asked: list[Reading] = []
        self.block_s = 0.0

    def read(self, count: int, block_s: float) -> list[Entry]:
        self.block_s = block_s
        found, self.left = self.left[:count], self.left[count:]
        return found

    def begin(self, count: int) -> Reading:
        self.asked.append(Reading(self.read(count, 0.0)))
        return self.asked[-1]


def intake(stream: Stream, **settings: Any) -> Intake:
    with connect("redis://127.0.0.1:1") as client:
        station = take_station(client, TOPOLOGY, "gate", Lane(), Seal(b"sixteen bytes ok"))
    changed: WorkerSettings = station.settings.model_copy(update=settings)
    station: Station = replace(station, reader=stream, settings=changed)  # type: ignore[arg-type]
    return Intake(station, threading.Event())


def test_under_load_batches_grow_and_the_next_is_asked_for_before_one_is_handled() -> None:
    stream = Stream(2_000)
    found = intake(stream, max_batch=500)
    sizes = []
    while batch := found.next(0.0):
        sizes.append(len(batch))
    assert sizes[:4] == [16, 64, 256, 500]
    assert sum(sizes) == 2_000
    assert len(stream.asked) == len(sizes) - 1  # the last was not full


def test_who_is_to_hurry_waits_for_nothing() -> None:
    stream = Stream(0)
    found = intake(stream, max_wait=60.0)
    assert (found.next(0.0), stream.block_s > 0.0) == ([], True)
    stream.left = Stream(3).left
    assert (len(found.next(0.0, wait=False)), stream.block_s) == (3, 0.0)


def test_nothing_is_asked_ahead_when_idle_or_when_the_worker_leaves() -> None:
    stream = Stream(20)
    found = intake(stream)
    assert len(found.next(0.0, ahead=False)) == 16
    assert not found.has_more
    assert len(found.next(0.0)) == 4
    assert not found.has_more
    assert stream.asked == []


def test_a_batch_that_is_not_full_waits_for_more_where_it_may() -> None:
    stream = Stream(3)
    found = intake(stream, max_wait=0.001)
    begin = stream.begin

    def later(count: int) -> Reading:
        stream.left = Stream(5).left
        return begin(count)

    stream.begin = later  # type: ignore[method-assign]
    assert len(found.next(0.0)) == 8


def test_what_is_dropped_is_neither_awaited_nor_retried() -> None:
    stream = Stream(100)
    found = intake(stream)
    first = found.next(0.0)
    found.retry(first[0], 0.0)
    assert found.has_more
    found.drop()
    assert not found.has_more
    assert stream.asked[0].dropped
    assert len(found.next(1e9)) == 20  # no retry is due, and what was on its way is gone


def test_what_is_new_goes_between_two_retries() -> None:
    stream = Stream(40)
    stream.claim_one = lambda key, entry_id: Entry(key, entry_id, [b"data", b"{}"], 2)  # type: ignore[attr-defined]
    found = intake(stream)
    failed = found.next(0.0, ahead=False)[:3]
    for entry in failed:
        found.retry(entry, 0.0)
    sizes = [len(found.next(1e9, ahead=False)) for _ in range(6)]
    assert sizes == [1, 24, 1, 0, 1, 0]
    assert found.retries == set()


def test_an_entry_counts_as_guilty_where_no_other_lane_had_one_in_hand() -> None:
    suspects = (Suspect(0, "1-0", alone=False), Suspect(1, "1-0", alone=False))
    with connect("redis://127.0.0.1:1") as client:

        def of(lane: int, *more: Suspect) -> Station:
            return take_station(
                client, TOPOLOGY, "gate", Lane(lane, 3), Seal(b"sixteen bytes ok"),
                suspects=(*suspects, *more),
            )  # fmt: skip

        assert (of(0).suspects, of(0).guilty) == ({"1-0"}, set())
        assert of(1, Suspect(1, "1-0", alone=True)).guilty == {"1-0"}
        assert (of(2).suspects, of(2).guilty) == (set(), set())
