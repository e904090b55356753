"""Which lanes a process may hold: a fair share, worked out by each process from the presence list.

There is no coordinator: the lease alone decides who holds a lane. The share only keeps a process
from asking for more than its part, and tells it to give back what is too much.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from fractions import Fraction
from math import ceil

from streams.connection import Client
from streams.errors import StreamsError
from streams.presence import Presence, present


class Share:
    """The lanes that one process may hold of a worker that owns its lanes alone.

    With n lanes and p live processes it is the n / p lanes, rounded up. ``lanes`` are those that
    this process serves. The presence list is read at most every ``look_every_s`` seconds, and
    while it cannot be read the last one counts. All methods may be called from any thread.
    """

    def __init__(
        self,
        client: Client,
        worker: str,
        holder: str,
        lanes: Collection[int],
        *,
        look_every_s: float,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._worker = worker
        self._holder = holder
        self._lanes = frozenset(lanes)
        self._look_every_s = look_every_s
        self._now_s = now_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self._rivals: Mapping[int, Collection[str]] = {}
        self._look_at_s = float("-inf")

    def may_take(self, lane: int) -> bool:
        """Whether to ask for a lane's lease; if so, the lane counts as held until ``give``.

        A lane that no other process serves is always asked for.
        """
        self._look()
        with self._lock:
            if lane in self._held:
                return True
            if len(self._held) >= self._quota() and self._rivals.get(lane):
                return False
            self._held.add(lane)
            return True

    def give(self, lane: int) -> None:
        """Note that a lane is not held, or no longer."""
        with self._lock:
            self._held.discard(lane)

    def surplus(self, lane: int) -> bool:
        """Whether a lane that is held belongs to somebody else's share: those numbered highest."""
        self._look()
        with self._lock:
            excess = len(self._held) - self._quota()
            shared = sorted(held for held in self._held if self._rivals.get(held))
            return excess > 0 and lane in shared[-excess:]

    def _quota(self) -> int:
        return quota({lane: len(self._rivals.get(lane, ())) for lane in self._lanes})

    def _look(self) -> None:
        now = self._monotonic_s()
        with self._lock:
            if now < self._look_at_s:
                return
            self._look_at_s = now + self._look_every_s
        try:
            found = rivals(present(self._client, self._now_s()), self._worker, self._holder)
        except StreamsError:
            return  # a cluster may serve our lanes while the list's own node is away
        with self._lock:
            self._rivals = found


def quota(rivals_of: Mapping[int, int]) -> int:
    """The lanes that are one process's part, from the number of its rivals for each lane.

    >>> quota({lane: 1 for lane in range(8)}), quota({lane: 2 for lane in range(8)})
    (4, 3)
    """
    return ceil(sum(Fraction(1, 1 + rivals) for rivals in rivals_of.values()))


def rivals(presences: Iterable[Presence], worker: str, holder: str) -> dict[int, set[str]]:
    """The other live processes of a worker that serve each lane; who is draining leaves."""
    found: dict[int, set[str]] = {}
    for line in presences:
        if line.worker == worker and line.consumer != holder and line.state != "draining":
            found.setdefault(line.lane, set()).add(line.consumer)
    return found
