"""Which entry a worker has in hand, told to its loop and, past a kill, to its keeper.

The handler may raise, or loop, or eat all memory: what it had in hand is tried again by itself, and
after its neighbours, so that they wait for one such end and not for several.
"""

import mmap
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Note = Callable[[str], object]
"""Takes the id of the entry that is handled now; an empty one once a batch is done."""

_SLOT = struct.Struct("48s")  # two 64-bit numbers in decimal and a dash are 41


@dataclass(frozen=True, slots=True)
class Suspect:
    """An entry that was in hand on a lane when its process ended.

    ``alone``: no other lane had one, so that it is the one that ended it.
    """

    lane: int
    entry_id: str
    alone: bool


def ids_on(lane: int, suspects: Iterable[Suspect]) -> frozenset[str]:
    """The ids of those that were in hand on one lane."""
    return frozenset(suspect.entry_id for suspect in suspects if suspect.lane == lane)


class Hand:
    """The entry that one lane's handler is at."""

    def __init__(self, memory: bytearray | mmap.mmap | None = None, at: int = 0) -> None:
        self._memory = bytearray(_SLOT.size) if memory is None else memory
        self._at = at
        self.marked: Callable[[str], str] = str  # how an id is noted; a replay adds to it

    def note(self, entry_id: str) -> None:
        """Take an entry up; it is a :data:`Note`."""
        text = self.marked(entry_id) if entry_id else ""
        _SLOT.pack_into(self._memory, self._at, text.encode())

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
    ([Suspect(lane=1, entry_id='1-0', alone=True)], [])
    """

    def __init__(self, lanes: int) -> None:
        self._memory = mmap.mmap(-1, _SLOT.size * lanes)
        self._hands = [Hand(self._memory, _SLOT.size * lane) for lane in range(lanes)]

    def of(self, lane: int) -> Hand:
        """The hand of a lane."""
        return self._hands[lane]

    def emptied(self) -> list[Suspect]:
        """Empty them all; what was in them."""
        full = [(lane, hand.entry_id) for lane, hand in enumerate(self._hands) if hand.entry_id]
        for hand in self._hands:
            hand.note("")
        return [Suspect(lane, entry_id, alone=len(full) == 1) for lane, entry_id in full]


def unnoted(_: str) -> None:
    """Where nobody asks what is in hand."""
