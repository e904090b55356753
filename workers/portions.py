"""How much to read and to commit at once: bounded in entries and bytes, whatever comes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from streams.entry import Entry

MOST_BYTES = 16 * 1024 * 1024
"""About what one commit may carry; a single entry that is larger goes alone."""

_FIRST = 16


def size_together(batch: Iterable[Entry]) -> int:
    """Bytes of the fields of all entries."""
    return sum(map(len, chain.from_iterable([entry.fields for entry in batch])))


def size_of(entry: Entry) -> int:
    """Bytes of an entry's fields."""
    return sum(map(len, entry.fields))


def portions(batch: Sequence[Entry], most_entries: int) -> Iterator[Sequence[Entry]]:
    """A batch in parts, in order, each of at most so many entries and about ``MOST_BYTES``.

    >>> entries = [Entry("s", "1-0", [b"x" * MOST_BYTES]), Entry("s", "2-0", [b"y"])]
    >>> [len(part) for part in portions(entries, 500)]
    [1, 1]
    """
    if len(batch) <= most_entries and size_together(batch) <= MOST_BYTES:
        if batch:
            yield batch
        return
    start = size = 0
    for i, entry in enumerate(batch):
        more = size_of(entry)
        if i > start and (i - start >= most_entries or size + more > MOST_BYTES):
            yield batch[start:i]
            start, size = i, 0
        size += more
    if start < len(batch):
        yield batch[start:]


class Appetite:
    """How many entries to ask for: few at first, then as many as fit by the size of the last ones.

    >>> appetite = Appetite(500)
    >>> appetite.ate([Entry("s", "1-0", [b"x" * 100])] * 16)
    >>> appetite.entries
    64
    """

    def __init__(self, most_entries: int) -> None:
        self._most_entries = most_entries
        self.entries = min(_FIRST, most_entries)

    def ate(self, batch: Sequence[Entry]) -> None:
        """Learn from what was read; a larger read is asked for only once the last was full."""
        if not batch:
            return
        # The largest field, or the average entry where fields are many: both at the speed of C.
        field = max(map(len, chain.from_iterable([entry.fields for entry in batch])), default=0)
        largest = max(field, size_together(batch) // len(batch), 1)
        fitting = max(1, MOST_BYTES // largest)
        grown = self.entries * 4 if len(batch) >= self.entries else self.entries
        self.entries = min(self._most_entries, fitting, grown)
