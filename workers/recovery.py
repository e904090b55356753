"""How a stateful worker comes back: its checkpoint, then what came after it, without emitting."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Any, Literal

from streams.checkpoint import Checkpoint, Header, Places
from streams.entry import Entry, Settled
from streams.errors import CheckpointRefused
from workers.buried import Buried
from workers.fatal import Fatal
from workers.handler import Handler, Revisable, StatefulHandler
from workers.poison import halves
from workers.resume import places_of, start_of
from workers.station import Station

_CHUNK = 1000


class Recovery:
    """Saves and restores the state of one handler; for a handler without state it does nothing.

    ``handling`` is entered while the handler has entries, so that its deadline holds here too.
    ``note`` hears of checkpoints that were refused or skipped.

    ``positions`` maps each stream key to the last entry that was committed.
    """

    def __init__(
        self,
        station: Station,
        handler: Handler,
        log: Any,
        handling: Callable[[], AbstractContextManager[None]] = nullcontext,
        note: Callable[[Literal["refused", "skipped"]], None] = lambda problem: None,
    ) -> None:
        self._station = station
        self._handler = handler if isinstance(handler, StatefulHandler) else None
        self._log = log
        self._handling = handling
        self._note = note
        self._buried = Buried(station)
        self._fatal = Fatal(station)
        self._positions: dict[str, str] = {}
        self._saved_at_s = float("-inf")
        self.has_state = False
        self.dirty = False  # the state contains what no checkpoint does

    def in_doubt(self) -> None:
        """Note that the state may contain what was not committed: it is no checkpoint."""
        self.has_state = False
        self._buried.forget()

    @property
    def positions(self) -> dict[str, str] | None:
        """What the state contains: the last entry of each stream read, empty where there is none.

        None for a handler without state.
        """
        if self._handler is None:
            return None
        return {key: self._positions.get(key, "") for key in self._station.reader.keys}

    def restore_state(self) -> None:
        """Bring the state to exactly what it was after the last commit.

        The checkpoint gives a state and the positions it contains; the retained entries from
        there to the last committed one are handled again, and their outputs dropped.
        """
        if self._handler is None:
            return
        self.has_state = False
        places = places_of(self._station, self._log)
        self._positions = places.positions
        start, known = self._from_checkpoint(places)
        if not known:
            self._buried.forget()
        if start is not None:
            self._replay(start)
        self.has_state = True
        if not known:
            self._save_first()

    def _from_checkpoint(self, places: Places) -> tuple[dict[str, str] | None, bool]:
        """Where to replay from (None: nowhere), and whether the last checkpoint was taken over."""
        handler = self._handler
        assert handler is not None
        handler.reset()
        blob = self._station.committer.checkpoint()
        if blob is None:
            return {}, False
        try:
            checkpoint = self._station.seal.open(blob)
            start = start_of(checkpoint.header, self._station, places)
            if checkpoint.header.settings != handler.fingerprint:
                self._log.warning("state_started_anew", reason="the worker's settings changed")
                return None, False
            handler.restore(checkpoint.state)
        except (CheckpointRefused, ValueError) as error:
            self._log.error("checkpoint_refused", error=str(error), rebuilt_from="retained entries")
            self._note("refused")
            handler.reset()
            return {}, False
        return start, checkpoint.header.positions == places.floors

    def _replay(self, start: dict[str, str]) -> None:
        """Handle again what was committed after ``start``, but for what was given up."""
        assert self._handler is not None
        reader, count, packed = self._station.reader, 0, self._handler.state()
        upto = {key: end for key, end in self._positions.items() if key in reader.keys}
        spans = [(key, start.get(key, "-"), end) for key, end in upto.items()]
        without = self._buried.among(first for span in spans for first in reader.between(*span, 1))
        for chunk in chain.from_iterable(self._chunks(*span) for span in spans):
            mine = [entry for entry in chunk if self._is_to_replay(entry, without)]
            for part in self._fatal.apart(mine):
                packed = self._handle_silently(part, packed)
            count += len(chunk)
        if count:
            self._log.info("replayed", entries=count)

    def _chunks(self, key: str, after: str, upto: str) -> Iterator[list[Entry]]:
        many = min(_CHUNK, self._station.settings.max_batch)  # the deadline is meant for a batch
        while chunk := self._station.reader.between(key, after, upto, many):
            yield chunk
            after = chunk[-1].id

    def _is_to_replay(self, entry: Entry, without: Collection[str]) -> bool:
        if entry.uid in without or self._station.is_for_another(entry):
            return False
        if self._fatal.is_given_up(entry):
            ends = self._fatal.ends(entry)
            self._log.error("left_out_of_the_state", message=entry.uid, processes_ended=ends)
            return False
        return True

    def _handle_silently(self, chunk: Sequence[Entry], before: bytes) -> bytes:
        """Handle entries again that follow on the packed state ``before``; return the one after.

        One that raises became a dead letter the first time, and had no part in the state.
        """
        handler = self._handler
        assert handler is not None
        try:
            with self._handling(), self._fatal.noted(chunk):
                handler.handle(chunk)
            return handler.state()
        except Exception:  # noqa: BLE001 - whatever a handler raises, as in the loop
            handler.restore(before)
        if len(chunk) == 1:
            return before
        for half in halves(chunk):
            before = self._handle_silently(half, before)
        return before

    def _save_first(self) -> None:
        """Make a checkpoint before the first batch, so that every crash finds one."""
        self._station.committer.commit(
            [], at_ms=0, checkpoint=self._sealed([]), behind=self.positions
        )

    def sealed_if_due(self, settled: Sequence[Settled], now_s: float, *, now: bool) -> bytes:
        """A sealed state that contains ``settled``, if it is time for one; else nothing."""
        wanted = self._handler is not None and (now or self.due(now_s))
        if not wanted:
            return b""
        sealed = self._sealed(settled)
        if not sealed:
            self._saved_at_s = now_s  # the next try is as far off as the next checkpoint
        return sealed

    def due(self, now_s: float) -> bool:
        """Whether the last checkpoint is as old as it may become."""
        return now_s - self._saved_at_s >= self._station.settings.checkpoint_every

    def _sealed(self, settled: Sequence[Settled]) -> bytes:
        assert self._handler is not None
        if isinstance(self._handler, Revisable):
            self._handler.revise()
        positions = self._positions | {s.entry.stream: s.entry.id for s in settled}
        header = Header(
            worker=self._station.worker, settings=self._handler.fingerprint, positions=positions
        )
        try:
            return self._station.seal.close(Checkpoint(header, self._handler.state()))
        except CheckpointRefused as error:
            # The worker goes on, and its streams are kept from the last checkpoint that there is.
            self._log.error("checkpoint_skipped", error=str(error))
            self._note("skipped")
            return b""

    def committed(self, settled: Sequence[Settled], saved: bool, now_s: float) -> None:
        """Note that a batch was committed, and whether its checkpoint was."""
        self._positions |= {s.entry.stream: s.entry.id for s in settled}
        self._buried.settled(settled, saved=saved)
        self.dirty = self._handler is not None and (self.dirty or bool(settled)) and not saved
        if saved:
            self._saved_at_s = now_s
