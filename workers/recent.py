"""The latest messages of a stream, so that a drift can name the one with which it began."""

from collections.abc import Sequence
from typing import cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from detectors.fields import Columns
from detectors.state import State
from detectors.state_reader import StateReader
from streams.entry import Entry

Words = NDArray[np.uint64]

MOST = 4096
"""Messages remembered of a stream, 128 kB."""

_NO_KEY = 2**32


class Recent:
    """Remembers ids, keys and which fields were there of the last ``MOST`` messages.

    Keys and fields are remembered by hashes: a key of 32 bits, a field as one of 64. What comes
    out is a link for people; two fields with the same bit may move it by some messages.
    """

    def __init__(self) -> None:
        self._rows: Words = np.zeros((0, 4), dtype=np.uint64)  # time in ms, number, key, fields

    def add(self, places: Words, keys: Sequence[str | None], columns: Columns) -> None:
        """Take in messages that follow on the latest one; ``places`` are as of ``places_of``."""
        rows = np.empty((len(places), 4), dtype=np.uint64)
        rows[:, :2] = places
        known = {key: _key_word(key) for key in set(keys)}
        rows[:, 2] = [known[key] for key in keys]
        bits = np.array([_field_bit(name) for name in columns.names], dtype=np.uint64)
        present = np.where(np.isnan(columns.x), np.uint64(0), bits)
        rows[:, 3] = np.bitwise_or.reduce(present, axis=1) if len(bits) else 0
        self._rows = np.concatenate((self._rows, rows))[-MOST - len(places) :]

    def drop(self) -> None:
        """Forget what is too old, once nobody asks about the last messages added any more."""
        self._rows = self._rows[-MOST:]

    def id_of(self, entry: Entry, key: str | None, field: str | None, back: int) -> str | None:
        """The id of the ``back``-th message of a key that has a field, counted from ``entry`` on.

        1 is the entry itself; no field: every message of the key. None where that is too old.
        """
        ms, _, number = entry.id.partition("-")
        at = self._rows[:, 0] < int(ms)
        at |= (self._rows[:, 0] == int(ms)) & (self._rows[:, 1] <= int(number or 0))
        upto = self._rows[at][-MOST:]
        mine = upto[:, 2] == _key_word(key)
        if field is not None:
            mine &= upto[:, 3] & np.uint64(_field_bit(field)) != 0
        found = np.flatnonzero(mine)
        if not 1 <= back <= len(found):
            return None
        first = upto[found[-back]]
        return f"{first[0]}-{first[1]}"

    def state(self) -> State:
        """Return what is remembered."""
        return {"n": len(self._rows), "rows": self._rows.copy()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Recent")
        n = reader.integer("n", high=MOST)
        self._rows = cast(Words, reader.array("rows", np.uint64, (n, 4)))


def places_of(entries: Sequence[Entry]) -> Words:
    """Time in milliseconds and number of each entry's id: uint64 [entries, 2]."""
    ids = [entry.id for entry in entries]
    if "".join(ids).count("-") != len(ids):  # an id that was given without its number
        ids = [one if "-" in one else f"{one}-0" for one in ids]
    numbers = " ".join(ids).replace("-", " ")
    return np.fromstring(numbers, dtype=np.uint64, sep=" ").reshape(-1, 2)


def _key_word(key: str | None) -> int:
    return _NO_KEY if key is None else crc32(key.encode(errors="replace"))


def _field_bit(field: str) -> int:
    return 1 << crc32(field.encode(errors="replace")) % 64
