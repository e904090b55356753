"""What a worker handles next: retries that are due, what was read ahead, or what comes in."""

import threading

from streams.entry import Entry
from streams.reader import Reading
from workers.poison import Retries
from workers.portions import Appetite
from workers.station import Station


class Intake:
    """Reads for one loop.

    While there is more than one batch can hold, the next one is asked for before the last one is
    handled, so that the server finds it meanwhile.
    """

    def __init__(self, station: Station, stopping: threading.Event) -> None:
        self._station = station
        self._stopping = stopping
        self._appetite = Appetite(station.settings.max_batch)
        self._retries = Retries()
        self._ahead: Reading | None = None
        self._retried = False  # whether the last batch was a retry

    @property
    def has_more(self) -> bool:
        """Whether a batch is on its way already."""
        return self._ahead is not None

    @property
    def retries(self) -> set[str]:
        """The ids of the entries that wait for their next attempt."""
        return self._retries.ids

    def retry(self, entry: Entry, now_s: float) -> None:
        """Have an entry again after a while."""
        self._retries.add(entry, now_s)
        self._station.hand.note_waiting(self._retries.ids)

    def next(self, now_s: float, *, ahead: bool = True, wait: bool = True) -> list[Entry]:
        """The next batch; empty when nothing came for a while.

        A retry is a batch by itself, and what is new goes between two of them: an entry that
        fails again keeps nothing waiting but itself. ``ahead`` False asks for no other batch
        meanwhile, ``wait`` False waits for nothing that is not there.
        """
        due = None if self._retried else self._retries.due(now_s)
        self._retried = due is not None
        if due is not None:
            entry = self._station.reader.claim_one(*due)
            return [] if entry is None else [entry]
        reading, self._ahead = self._ahead, None
        asked = self._appetite.entries
        if reading is not None:
            batch = reading.entries()
        else:
            block_s = self._station.topology.delivery.block if wait else 0.0
            batch = self._station.reader.read(asked, self._retries.wait_s(now_s, block_s))
            batch += self._more(len(batch)) if wait else []
        self._appetite.ate(batch)
        if ahead and len(batch) >= asked:
            self._ahead = self._station.reader.begin(self._appetite.entries)
        return batch

    def _more(self, found: int) -> list[Entry]:
        """What comes while a batch that is not full may wait."""
        room, max_wait_s = self._appetite.entries - found, self._station.settings.max_wait
        if max_wait_s is None or found == 0 or room <= 0:
            return []
        self._stopping.wait(max_wait_s)
        return self._station.reader.begin(room).entries()

    def drop(self) -> None:
        """Forget what is on its way and what is to be retried: all of it is pending."""
        if self._ahead is not None:
            self._ahead.drop()
        self._ahead, self._retries = None, Retries()
