"""The lineage sink: consumes ``LINEAGE`` and writes the provenance graph in batches."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import structlog

from lineage.chain import ChainKey
from lineage.errors import StoreError
from lineage.model import StampedRecord
from lineage.retention import Ages
from lineage.schedule import Schedule
from lineage.settings import LineageSettings
from lineage.store import LineageStore, open_store
from lineage.wire import decode
from schemas.graph_retention import GraphRetention
from schemas.topology import Topology
from schemas.topology_workers import LineageWorkerSettings
from streams.entry import Entry, Settled
from workers.handler import TryLater

MESSAGES_AT_ONCE = 10_000
"""How many messages one transaction adds, unless one record has more: a graph server holds all of
a transaction in memory, some 4 KiB a message."""


class LineageSink:
    """Writes each batch, in as few transactions as it may; a redelivered batch changes nothing.

    Each record becomes a link of the store's hash chain, made with ``secret``.

    A record that is none raises, and so ends as a dead letter. While the store is away the batch
    is kept and tried again; what is coming waits in its stream.

    Where the topology says how long messages are kept, a step of that retention follows a batch
    that was written, on the first lane alone (``lane`` is its number). A pipeline that stands still
    removes nothing.
    """

    def __init__(
        self,
        topology: Topology,
        worker: str,
        *,
        open_store: Callable[[], LineageStore] | None = None,
        secret: bytes = b"",
        lane: int = 0,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        layers = {n: s.layer for n, s in topology.streams.items() if s.layer is not None}
        self._worker = worker
        self._open_store = open_store or (lambda: _configured_store(layers, secret))
        self._store: LineageStore | None = None
        self._log: Any = structlog.get_logger().bind(worker=worker)
        settings = topology.workers[worker]
        asked = settings.retention if isinstance(settings, LineageWorkerSettings) else None
        kept = asked if lane == 0 else None
        self._schedule = _schedule(kept, ChainKey(secret), now_s) if kept else None

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Write the records of a batch to the graph."""
        records = [_stamped(entry) for entry in batch]
        try:
            if self._store is None:
                self._store = self._open_store()
            for part in _parts(records):
                self._store.write(part)
        except StoreError as error:
            raise TryLater(f"the lineage store cannot be written: {error}") from error
        if self._schedule is not None:
            self._retain(self._schedule, self._store)
        return [Settled(entry) for entry in batch]

    def _retain(self, schedule: Schedule, store: LineageStore) -> None:
        """Take a step of retention; where it fails the batch is written all the same."""
        try:
            removed = schedule.step(store)
        except StoreError as error:
            schedule.postpone()
            self._log.error("lineage_not_removed", error=str(error))
            return
        if removed:
            self._log.info("lineage_removed", messages=removed)


def _parts(records: Sequence[StampedRecord]) -> Iterator[list[StampedRecord]]:
    part: list[StampedRecord] = []
    messages = 0
    for record in records:
        if part and messages + len(record.ids) > MESSAGES_AT_ONCE:
            yield part
            part, messages = [], 0
        part.append(record)
        messages += len(record.ids)
    yield part


def _schedule(kept: GraphRetention, key: ChainKey, now_s: Callable[[], float]) -> Schedule:
    layers = {layer: None if age == "ever" else age for layer, age in kept.layers.items()}
    return Schedule(key, Ages(kept.age, layers), kept.every, now_s, batch=kept.batch)


def _configured_store(layers: dict[str, int], secret: bytes) -> LineageStore:
    return open_store(LineageSettings().store(secret), layers)


def _stamped(entry: Entry) -> StampedRecord:
    record, ids = decode(entry.get(b"data") or b"", entry.get(b"ids") or b"")
    return StampedRecord(entry.uid, record, ids)
