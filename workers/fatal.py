"""Entries that ended the processes that replayed them, as these noted them for the next ones.

An entry that ended its process became a dead letter, and is left out of a replay as long as there
is a letter of it. Where that was released or dropped, every process would end over it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from streams.entry import Entry
from workers.station import Station

_MARK = "~"
_BESIDE_OTHERS = 4


class Fatal:
    """Notes what is replayed in the hand, and knows what was in it when processes ended.

    What is noted during a replay is an id, the place of its stream among those read, and how many
    processes have ended over it if this one does. An entry is given up after as many ends as it
    would have had attempts; after four times as many if there was always an entry in another
    lane's hand, too, that may be the guilty one.
    """

    def __init__(self, station: Station) -> None:
        self._hand = station.hand
        self._keys = station.reader.keys
        self._most = max(station.settings.max_attempts, 2)
        self._ends: dict[tuple[int, str], int] = {}
        self._alone: set[tuple[int, str]] = set()
        for noted in station.suspects:
            entry_id, _, mark = noted.partition(_MARK)
            if mark:
                place, ends = map(int, mark.split(_MARK))
                met = place, entry_id
                self._ends[met] = max(self._ends.get(met, 0), ends)
                self._alone |= {met} if noted in station.guilty else set()

    def ends(self, entry: Entry) -> int:
        """How many processes ended while they replayed an entry, or a chunk that began with it."""
        return self._ends.get((self._keys.index(entry.stream), entry.id), 0)

    def is_given_up(self, entry: Entry) -> bool:
        """Whether an entry has ended as many processes as it may."""
        alone = (self._keys.index(entry.stream), entry.id) in self._alone
        return self.ends(entry) >= self._most * (1 if alone else _BESIDE_OTHERS)

    def apart(self, chunk: Sequence[Entry]) -> list[Sequence[Entry]]:
        """A chunk one by one where a process ended over a part of it; else as it is."""
        if any(map(self.ends, chunk)):
            return [[entry] for entry in chunk]
        return [chunk] if chunk else []

    @contextmanager
    def noted(self, chunk: Sequence[Entry]) -> Iterator[None]:
        """While a chunk of one stream is replayed; the handler may note each of its entries."""
        place = self._keys.index(chunk[0].stream)

        def marked(entry_id: str) -> str:
            ends = self._ends.get((place, entry_id), 0) + 1
            return f"{entry_id}{_MARK}{place}{_MARK}{ends}"

        self._hand.marked = marked
        self._hand.note(chunk[0].id)
        try:
            yield
        except Exception:  # what ends the process is none, and leaves the note to the next
            self._empty()
            raise
        self._empty()

    def _empty(self) -> None:
        self._hand.marked = str
        self._hand.note("")
