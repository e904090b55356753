"""Which entries a stateful worker gave up: they have no part in its state."""

from collections.abc import Iterable, Sequence

from streams.entry import Entry, Settled
from streams.quarantine import quarantined
from workers.station import Station

_CHUNK = 1000
_CLOCKS_APART_MS = 60_000  # a stream goes on counting from the clock of a master that was lost


class Buried:
    """The uids of a worker's dead letters, as far as a replay behind its checkpoint may meet them.

    Who owns the lane buries alone, so the letters are read once: what follows, it did itself.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._uids: set[str] | None = None

    def forget(self) -> None:
        """Note that others may have buried since, or that the replay starts further back."""
        self._uids = None

    def settled(self, settled: Sequence[Settled], *, saved: bool) -> None:
        """Note what was committed; ``saved``: a checkpoint contains it, and so no replay meets it.

        What was there before is not contained in what comes.
        """
        if saved:
            self._uids = set()
        elif self._uids is not None:
            self._uids |= {each.entry.uid for each in settled if each.outcome == "dead"}

    def among(self, oldest: Iterable[Entry]) -> set[str]:
        """Those of a replay that begins with these entries, one of each stream.

        A letter is not older than its entry, so those of a long past are not read.
        """
        if self._uids is None:
            from_ms = min((entry.at_ms for entry in oldest), default=None)
            self._uids = set() if from_ms is None else self._read(from_ms - _CLOCKS_APART_MS)
        return self._uids

    def _read(self, from_ms: int) -> set[str]:
        reader, key = self._station.reader, self._station.dead_letters
        found, after = set[str](), str(max(0, from_ms))
        while letters := reader.between(key, after, "+", _CHUNK):
            after = letters[-1].id
            reasons = [quarantined(letter).reason for letter in letters]  # strangers' have none
            mine = [each for each in reasons if each.get("worker") == self._station.worker]
            found |= {str(each.get("message")) for each in mine}
        return found
