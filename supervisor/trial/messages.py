"""What the trial's process is given: a request, and the retained messages, the newest first."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from schemas.topology import Topology
from schemas.topology_graph import watching
from schemas.topology_workers import Watched
from streams.around import backwards
from streams.connection import Client
from streams.entry import Entry
from supervisor.explain.payload import key_at, payload_of
from supervisor.piped import payload_line


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to have tried: on which messages, and how.

    The newest ``most`` messages of ``stream``, none of them more than ``since_s`` older than the
    newest. ``only`` are beginnings of names; empty for all.
    """

    stream: str
    since_s: float
    most: int
    shifts: int
    seed: int
    alarms_per_day: float
    messages_per_day: float | None = None
    only: tuple[str, ...] = ()


def request(topology: Topology, asked: Asked) -> dict[str, Any]:
    """The first line: the settings of the workers that watch the stream, and how to try."""
    found: dict[str, Any] = {
        "shifts": asked.shifts,
        "seed": asked.seed,
        "alarms_per_day": asked.alarms_per_day,
        "messages_per_day": asked.messages_per_day,
        "only": list(asked.only),
        "fields": list(watched(topology, asked.stream).fields) or None,
    }
    for name, settings in watching(topology):
        if asked.stream in settings.watch:
            found.setdefault(settings.kind, {})[name] = settings.detectors.model_dump(mode="json")
    return found


def watched(topology: Topology, stream: str) -> Watched:
    """How the stream is looked at: as the first worker does that watches it, else as a whole."""
    looks = (each.watch[stream] for _, each in watching(topology) if stream in each.watch)
    return next(looks, Watched(key=None, fields=()))


def messages(client: Client, topology: Topology, asked: Asked) -> Iterator[bytes]:
    """The messages as lines, the newest first; no more than a page of them is held at a time."""
    path, oldest_ms = watched(topology, asked.stream).key, None
    for entry in islice(backwards(client, topology, asked.stream), asked.most):
        if oldest_ms is None:
            oldest_ms = entry.at_ms - int(1000 * asked.since_s)
        if entry.at_ms < oldest_ms:
            return
        yield line(entry, path)


def line(entry: Entry, path: str | None) -> bytes:
    """A message as a line: its time, its key and its payload."""
    data = payload_line(entry)
    key = None if path is None else key_at(payload_of(data), path)
    return b"%d\t%b\t%b\n" % (entry.at_ms, json.dumps(key).encode(), data)
