"""How long a fault lasts, seen from the server.

A worker has recovered when its group has settled everything that had been delivered to it at the
moment of the fault, and something more.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from schemas.topology import Topology
from schemas.topology_graph import reads
from streams.connection import Client, send
from streams.errors import GroupMissing, StreamsError
from streams.groups import group_rows
from streams.keys import Lane
from streams.observe import counters
from tests.servers.stream_server import StreamServer

_EVERY_S = 0.02


@dataclass(frozen=True)
class _Mark:
    """Where a worker's group stood: entries settled, and the last delivered on each stream."""

    worker: str
    settled: int
    delivered: dict[str, str]


class Healing:
    """Watches the groups from a thread of its own while the block lasts."""

    def __init__(self, server: StreamServer, topology: Topology) -> None:
        self._client = server.client()
        self._topology = topology
        self._open: list[tuple[float, list[_Mark]]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.times_s: list[float] = []

    def __enter__(self) -> "Healing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._client.close()

    @contextmanager
    def fault(self, client: Client, workers: Sequence[str]) -> Iterator[None]:
        """The fault is what the block does; the clock starts with it.

        Workers that have not begun are left out, since nothing of theirs can be interrupted.
        """
        marks = [mark for name in workers if (mark := _mark(client, self._topology, name))]
        started_s = time.monotonic()
        yield
        if marks:
            with self._lock:
                self._open.append((started_s, marks))

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_S):
            with self._lock:
                waiting = list(self._open)
            for item in waiting:
                if self._healed(item[1]):
                    self.times_s.append(time.monotonic() - item[0])
                    with self._lock:
                        self._open.remove(item)

    def _healed(self, marks: Sequence[_Mark]) -> bool:
        try:
            return all(_is_past(self._client, self._topology, mark) for mark in marks)
        except StreamsError:
            return False  # the server itself is away


def _mark(client: Client, topology: Topology, worker: str) -> _Mark | None:
    delivered: dict[str, str] = {}
    for key in map(Lane().stream, reads(topology, worker)):
        try:
            rows = group_rows(client, key)
        except GroupMissing:
            return None
        for row in rows:
            if row["name"] == worker.encode():
                delivered[key] = row["last-delivered-id"].decode()
    return _Mark(worker, _settled(client, topology, worker), delivered)


def _is_past(client: Client, topology: Topology, mark: _Mark) -> bool:
    if _settled(client, topology, mark.worker) <= mark.settled:
        return False
    for key, upto in mark.delivered.items():
        if send(client, "XPENDING", key, mark.worker, "-", upto, 1):
            return False
    return True


def _settled(client: Client, topology: Topology, worker: str) -> int:
    found = counters(client, topology)
    return sum(count for (name, _, _), count in found.items() if name == worker)
