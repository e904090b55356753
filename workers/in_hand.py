"""Which entry a worker has in hand, told to its loop and, past a kill, to its keeper.

The handler may raise, or loop, or eat all memory: what it had in hand is tried again by itself, and
after its neighbours, so that they wait for one such end and not for several. What had failed and
waited for its next attempt is told too: it has been tried, and its neighbours have not.
"""

import mmap
import struct
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

Note = Callable[[str], object]
"""Takes the id of the entry that is handled now; an empty one once a batch is done."""

_SLOT = struct.Struct("48s")  # two 64-bit numbers in decimal and a dash are 41
_COUNT = struct.Struct("I")
_MOST_WAITING = 32
_LANE_BYTES = _SLOT.size * (1 + _MOST_WAITING) + _COUNT.size


@dataclass(frozen=True, slots=True)
class Suspect:
    """An entry that was in hand on a lane when its process ended, or had failed there before.

    ``alone``: it was in hand, and no other lane had one, so that it is the one that ended it.
    """

    lane: int
    entry_id: str
    alone: bool


def ids_on(lane: int, suspects: Iterable[Suspect]) -> frozenset[str]:
    """The ids of those that were in hand on one lane."""
    return frozenset(suspect.entry_id for suspect in suspects if suspect.lane == lane)


class Hand:
    """The entry that one lane's handler is at, and those that wait for their next attempt."""

    def __init__(self, memory: bytearray | mmap.mmap | None = None, at: int = 0) -> None:
        self._memory = bytearray(_LANE_BYTES) if memory is None else memory
        self._at = at
        self.marked: Callable[[str], str] = str  # how an id is noted; a replay adds to it

    def note(self, entry_id: str) -> None:
        """Take an entry up; it is a :data:`Note`."""
        text = self.marked(entry_id) if entry_id else ""
        _SLOT.pack_into(self._memory, self._at, text.encode())

    @property
    def entry_id(self) -> str:
        """The id last noted; empty: none."""
        return self._id(self._at)

    def note_waiting(self, ids: Collection[str]) -> None:
        """Note those that failed and are tried again."""
        at = self._at + _SLOT.size
        for number, entry_id in enumerate(list(ids)[:_MOST_WAITING]):
            _SLOT.pack_into(self._memory, at + _COUNT.size + _SLOT.size * number, entry_id.encode())
        _COUNT.pack_into(self._memory, at, len(ids))

    @property
    def waiting(self) -> list[str] | None:
        """Those last noted as waiting; None: more than there is room for."""
        at = self._at + _SLOT.size
        (count,) = _COUNT.unpack_from(self._memory, at)
        if count > _MOST_WAITING:
            return None
        return [self._id(at + _COUNT.size + _SLOT.size * number) for number in range(count)]

    def _id(self, at: int) -> str:
        found: bytes = _SLOT.unpack_from(self._memory, at)[0]
        return found.rstrip(b"\0").decode()


@dataclass(frozen=True, slots=True)
class Left:
    """What a process left when it ended: what it had ``in_hand``, and what had ``failed`` before.

    ``whole``: what was pending for it beside these was never tried.
    """

    in_hand: list[Suspect]
    failed: list[Suspect]
    whole: bool


class Hands:
    """The hands of lanes 0 to ``lanes`` - 1, in memory shared with what is forked later.

    >>> hands = Hands(2)
    >>> hands.of(1).note("1-0")
    >>> hands.emptied().in_hand, hands.emptied().in_hand
    ([Suspect(lane=1, entry_id='1-0', alone=True)], [])
    """

    def __init__(self, lanes: int) -> None:
        self._memory = mmap.mmap(-1, _LANE_BYTES * lanes)
        self._hands = [Hand(self._memory, _LANE_BYTES * lane) for lane in range(lanes)]

    def of(self, lane: int) -> Hand:
        """The hand of a lane."""
        return self._hands[lane]

    def emptied(self) -> Left:
        """Empty them all; what was in them."""
        full = [(lane, hand.entry_id) for lane, hand in enumerate(self._hands) if hand.entry_id]
        waiting = [hand.waiting for hand in self._hands]
        for hand in self._hands:
            hand.note("")
            hand.note_waiting(())
        return Left(
            [Suspect(lane, entry_id, alone=len(full) == 1) for lane, entry_id in full],
            [Suspect(lane, i, alone=False) for lane, ids in enumerate(waiting) for i in ids or ()],
            whole=bool(full) and None not in waiting,
        )


def unnoted(_: str) -> None:
    """Where nobody asks what is in hand."""
