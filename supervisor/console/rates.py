"""How fast counters grow, over the last few seconds."""

from collections import deque
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

WINDOW_S = 8.0
"""Over how long a rate is taken, where somebody has looked for so long."""

_LEAST_S = 0.4

Key = TypeVar("Key", bound=Hashable)


class Rates(Generic[Key]):
    """Remembers what counters were at each look.

    >>> rates: Rates[str] = Rates()
    >>> rates.seen(10.0, {"in": 100}), rates.of("in")
    (None, None)
    >>> rates.seen(12.0, {"in": 130}), rates.of("in"), rates.of("out")
    (None, 15.0, 0.0)
    """

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._looks: deque[tuple[float, Mapping[Key, int]]] = deque()

    def seen(self, at_s: float, counters: Mapping[Key, int]) -> None:
        """Take in a look; those older than twice the window count no more."""
        self._looks.append((at_s, dict(counters)))
        while len(self._looks) > 2 and self._looks[1][0] <= at_s - self._window_s:
            self._looks.popleft()
        if len(self._looks) == 2 and self._looks[0][0] < at_s - 2 * self._window_s:
            self._looks.popleft()  # nobody looked for long: that is no rate of now

    def of(self, key: Key) -> float | None:
        """A second's growth, 0 of what nobody counts; None before two looks, or if it fell."""
        if len(self._looks) < 2:
            return None
        (first_s, first), (last_s, last) = self._looks[0], self._looks[-1]
        if last_s - first_s < _LEAST_S:
            return None
        grown = last.get(key, 0) - first.get(key, 0)
        return None if grown < 0 else grown / (last_s - first_s)
