"""The lineage sink: consumes ``LINEAGE`` and writes the provenance graph in batches."""

from collections.abc import Callable, Sequence

from lineage.errors import StoreError
from lineage.model import StampedRecord
from lineage.settings import LineageSettings
from lineage.store import LineageStore, open_store
from lineage.wire import decode
from schemas.topology import Topology
from streams.entry import Entry, Settled
from workers.handler import TryLater


class LineageSink:
    """Writes each batch in one transaction; a redelivered batch changes nothing.

    Each record becomes a link of the store's hash chain, made with ``secret``.

    A record that is none raises, and so ends as a dead letter. While the store is away the batch
    is kept and tried again; what is coming waits in its stream.
    """

    def __init__(
        self,
        topology: Topology,
        worker: str,
        *,
        open_store: Callable[[], LineageStore] | None = None,
        secret: bytes = b"",
    ) -> None:
        layers = {n: s.layer for n, s in topology.streams.items() if s.layer is not None}
        self._worker = worker
        self._open_store = open_store or (lambda: _configured_store(layers, secret))
        self._store: LineageStore | None = None

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Write the records of a batch to the graph."""
        records = [_stamped(entry) for entry in batch]
        try:
            if self._store is None:
                self._store = self._open_store()
            self._store.write(records)
        except StoreError as error:
            raise TryLater(f"the lineage store cannot be written: {error}") from error
        return [Settled(entry) for entry in batch]


def _configured_store(layers: dict[str, int], secret: bytes) -> LineageStore:
    return open_store(LineageSettings().store(secret), layers)


def _stamped(entry: Entry) -> StampedRecord:
    record, ids = decode(entry.get(b"data") or b"", entry.get(b"ids") or b"")
    return StampedRecord(entry.uid, record, ids)
