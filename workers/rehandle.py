"""Handling messages without a server: what fails is found alone, and a state is made anew."""

from collections.abc import Iterator, Sequence

from streams.entry import Entry, Settled
from workers.handler import Handler, StatefulHandler

_BATCH = 500
_MOST_KEPT = 5_000
"""Entries that are handled again at most when a handler raised; before them stands a state."""


class Again:
    """A handler that is used outside of the loop, with what it handled so far."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.stateful = isinstance(handler, StatefulHandler)
        self._good: list[Entry] = []
        self._packed: bytes | None = None

    def handle(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Settled | Exception]]:
        """Each entry with what became of it, or why the handler could not handle it."""
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            try:
                settled = self._handler.handle(batch)
            except Exception:  # noqa: BLE001 - the author's function; below each is tried alone
                self._rebuild()
                yield from ((entry, self._alone(entry)) for entry in batch)
            else:
                self._keep(batch)
                yield from zip(batch, settled, strict=True)

    def _alone(self, entry: Entry) -> Settled | Exception:
        try:
            (settled,) = self._handler.handle([entry])
        except Exception as error:  # noqa: BLE001 - it is told, as a dead letter would tell it
            self._rebuild()
            return error
        self._keep([entry])
        return settled

    def _keep(self, entries: Sequence[Entry]) -> None:
        if isinstance(self._handler, StatefulHandler):
            self._good += entries
            if len(self._good) >= _MOST_KEPT:
                self._packed, self._good = self._handler.state(), []

    def _rebuild(self) -> None:
        """After a handler raised, its state is undefined."""
        if isinstance(self._handler, StatefulHandler):
            if self._packed is None:
                self._handler.reset()
            else:
                self._handler.restore(self._packed)
            for start in range(0, len(self._good), _BATCH):
                self._handler.handle(self._good[start : start + _BATCH])
