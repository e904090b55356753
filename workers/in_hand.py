"""Which entry a worker has in hand, told to its loop and, past a kill, to its keeper.

The handler may raise, or loop, or eat all memory: what it had in hand is tried again by itself, and
after its neighbours, so that they wait for one such end and not for several.
"""

import mmap
import struct
from collections.abc import Callable

Note = Callable[[str], object]
"""Takes the id of the entry that is handled now; an empty one once a batch is done."""

_SLOT = struct.Struct("48s")  # two 64-bit numbers in decimal and a dash are 41


class Hand:
    """The entry that one lane's handler is at."""

    def __init__(self, memory: bytearray | mmap.mmap | None = None, at: int = 0) -> None:
        self._memory = bytearray(_SLOT.size) if memory is None else memory
        self._at = at

    def note(self, entry_id: str) -> None:
        """Take an entry up; it is a :data:`Note`."""
        _SLOT.pack_into(self._memory, self._at, entry_id.encode())

    @property
    def entry_id(self) -> str:
        """The id last noted; empty: none."""
        found: bytes = _SLOT.unpack_from(self._memory, self._at)[0]
        return found.rstrip(b"\0").decode()


class Hands:
    """The hands of lanes 0 to ``lanes`` - 1, in memory shared with what is forked later.

    >>> hands = Hands(2)
    >>> hands.of(1).note("1-0")
    >>> hands.emptied(), hands.emptied()
    (frozenset({'1-0'}), frozenset())
    """

    def __init__(self, lanes: int) -> None:
        self._memory = mmap.mmap(-1, _SLOT.size * lanes)
        self._hands = [Hand(self._memory, _SLOT.size * lane) for lane in range(lanes)]

    def of(self, lane: int) -> Hand:
        """The hand of a lane."""
        return self._hands[lane]

    def emptied(self) -> frozenset[str]:
        """Empty them all; the ids of what was in them."""
        found = frozenset(hand.entry_id for hand in self._hands)
        for hand in self._hands:
            hand.note("")
        return found - {""}


def unnoted(_: str) -> None:
    """Where nobody asks what is in hand."""
