"""The messages around the flagged one, as far as they are still retained."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from schemas.topology import Topology
from schemas.topology_graph import watching
from streams.around import before, behind
from streams.connection import Client
from streams.entry import Entry
from streams.observe import find
from supervisor.events import Event
from supervisor.explain.payload import key_at, number_at, payload_of

BEFORE, BEHIND = 240, 60
"""Messages of the same key that are shown before the flagged one, and behind it."""

PAGES = 40
"""Pages of 500 entries looked through for them, at most, in each direction."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One message of the flagged one's key: its uid, its time, and its payload's numbers."""

    uid: str
    at_ms: int
    numbers: dict[str, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The retained messages of the key, oldest first; ``at`` is the flagged one's place in them.

    ``at`` is None where the flagged message is no longer retained.
    """

    readings: tuple[Reading, ...]
    at: int | None

    def column(self, field: str) -> tuple[float | None, ...]:
        """The field's values, None where a message has none."""
        return tuple(reading.numbers.get(field) for reading in self.readings)

    @property
    def past(self) -> tuple[Reading, ...]:
        """The messages before the flagged one."""
        return self.readings[: self.at] if self.at is not None else ()


def gather(client: Client, topology: Topology, event: Event, fields: Sequence[str]) -> Evidence:
    """Read what is retained around an event's message, of the same key.

    Looks far enough back to see where a change began, where that lies within some 20,000
    entries. Memory is bounded: of each message only the numbers of ``fields`` are kept.
    """
    flagged = find(client, event.message)
    if flagged is None:
        return Evidence((), None)
    path = key_path(topology, event)
    most = max(BEFORE, min(5_000, 2 * (getattr(event.finding, "began_ago", None) or 0)))

    def ours(pages: Iterable[Sequence[Entry]], count: int) -> list[Reading]:
        return list(islice(_of_key(pages, path, event.finding.key, fields), count))

    older = ours(islice(before(client, event.message), PAGES), most)
    newer = ours(islice(behind(client, event.message), PAGES), BEHIND)
    here = _reading(flagged, payload_of(flagged.get(b"data")), fields)
    return Evidence((*reversed(older), here, *newer), len(older))


def key_path(topology: Topology, event: Event) -> str | None:
    """Which payload field is the key of the event's stream, by the worker that watches it."""
    for _, settings in watching(topology):
        watched = settings.watch.get(event.finding.stream)
        if settings.kind == event.kind and watched is not None:
            return watched.key
    return None


def _of_key(
    pages: Iterable[Sequence[Entry]], path: str | None, key: str | None, fields: Sequence[str]
) -> Iterator[Reading]:
    for page in pages:
        for entry in page:
            payload = payload_of(entry.get(b"data"))
            if path is None or key_at(payload, path) == key:
                yield _reading(entry, payload, fields)


def _reading(entry: Entry, payload: dict[str, Any], fields: Sequence[str]) -> Reading:
    found = ((field, number_at(payload, field)) for field in fields)
    return Reading(
        entry.uid, entry.at_ms, {field: value for field, value in found if value is not None}
    )
