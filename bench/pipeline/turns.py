"""A worker's turns, timed: read, handle, commit over full batches until its stream is empty."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.topology import Topology
from streams.checkpoint import Seal
from streams.connection import Client, send
from streams.entry import Entry, Output, Settled
from streams.groups import group_rows
from streams.keys import Lane
from workers.handler import Handler
from workers.station import Station, take_station

BATCH = 500


@dataclass
class Split:
    """Where the time of some turns went, in seconds."""

    read_s: float = 0.0
    handle_s: float = 0.0
    commit_s: float = 0.0

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.read_s + self.handle_s + self.commit_s


class Bare:
    """Forwards everything to one stream and looks at nothing."""

    def __init__(self, target: str) -> None:
        self._target = target

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """One output an entry, its fields as they are."""
        return [
            Settled(entry, outputs=[Output(self._target, entry.fields, parents=())])
            for entry in batch
        ]


def manned(client: Client, topology: Topology, worker: str, lane: Lane | None = None) -> Station:
    """A worker's station with its lease held and its groups there."""
    station = take_station(client, topology, worker, lane or Lane(), Seal(b"a key for the bench"))
    station.lease.acquire(station.holder)
    station.reader.ensure_groups()
    station.lease.renew()
    return station


def take_turns(station: Station, handler: Handler, entries: int, batch: int = BATCH) -> Split:
    """Handle that many entries, which are there already; where the time went."""
    split, done, clock = Split(), 0, time.perf_counter
    while done < entries:
        started_s = clock()
        found = station.reader.read(batch, 0.1)
        read_s = clock()
        settled = handler.handle(found)
        handled_s = clock()
        station.committer.commit(settled, at_ms=1)
        split.read_s += read_s - started_s
        split.handle_s += handled_s - read_s
        split.commit_s += clock() - handled_s
        done += len(found)
    return split


class NotDone(AssertionError):
    """A contender did not do its job, so its time says nothing."""


def verify(client: Client, source: str, group: str, target: str = "", messages: int = 0) -> None:
    """Check that nothing is pending or unread, and that ``target`` has all messages.

    Raises NotDone.
    """
    if pending := send(client, "XPENDING", source, group)[0]:
        raise NotDone(f"{group} left {pending} entries of {source} pending")
    rows = [row for row in group_rows(client, source) if row["name"] == group.encode()]
    if unread := rows[0]["lag"]:
        raise NotDone(f"{group} left {unread} entries of {source} unread")
    if target and (length := send(client, "XLEN", target)) != messages:
        raise NotDone(f"{group} put {length} of {messages} messages on {target}")
