"""One look for all who ask at about the same time."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

FRESH_S = 0.9
"""Whoever asks again within that time gets the same look."""

Seen = TypeVar("Seen")


class Fresh(Generic[Seen]):
    """Looks at most once in ``FRESH_S``, whoever and however many ask, and never twice at a time.

    ``look`` gets the time of ``now_s``. What it raises goes to who asked; the next one has it
    look again.
    """

    def __init__(self, look: Callable[[float], Seen], now_s: Callable[[], float]) -> None:
        self._look = look
        self._now_s = now_s
        self._one_at_a_time = threading.Lock()
        self._last: tuple[float, Seen] | None = None

    def seen(self) -> Seen:
        """The newest look."""
        with self._one_at_a_time:
            now_s = self._now_s()
            if self._last is None or now_s - self._last[0] >= FRESH_S:
                seen = self._look(now_s)
                self._last = self._now_s(), seen
            return self._last[1]
