"""The memory of one process: whether it has passed its limit, or rises and rises.

The rule of a rise, over one sample a minute (the median of what the process told in that minute):
in the last 30 minutes at least nine in ten pairs of samples went up; by the median of their slopes
(Theil 1950, Sen 1968), which a single jump does not move, it rose by a quarter and by 64 MB at
least; and in the later half it rose at least half as fast as in the earlier, so that what fills up
and stays, such as a cache, is none. After a process was replaced its half hour begins anew.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

from schemas.supervisor_event import Action, Detail

WINDOW = 30
"""Samples, a minute each, that a rise is judged by."""

_MINUTE_S = 60.0
_RISING_SHARE, _RISE_SHARE, _RISE_BYTES, _LASTING_SHARE = 0.9, 0.25, 64e6, 0.5


@dataclass(frozen=True, slots=True)
class Excess:
    """Why a process is to be replaced for its memory."""

    action: Action
    why: str
    details: dict[str, Detail]


@dataclass(slots=True)
class Memory:
    """What one process has told of its memory."""

    _samples: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _told: list[float] = field(default_factory=list)
    _minute_ends_s: float | None = None

    def look(self, now_s: float, rss_bytes: int, limit_bytes: int | None) -> Excess | None:
        """Note what it holds now; why it is to be replaced, if it is."""
        if limit_bytes is not None and rss_bytes > limit_bytes:
            return Excess(
                Action.MEMORY_LIMIT,
                f"it holds {rss_bytes / 1e6:,.0f} MB, more than its {limit_bytes / 1e6:,.0f} MB",
                {"rss_bytes": rss_bytes, "limit_bytes": limit_bytes},
            )
        self._note(now_s, rss_bytes)
        rise_bytes = steady_rise_bytes(self._samples)
        if rise_bytes is None:
            return None
        self._samples.clear()
        return Excess(
            Action.MEMORY_GROWTH,
            f"it holds {rss_bytes / 1e6:,.0f} MB and has grown by {rise_bytes / 1e6:,.0f} MB in "
            f"{WINDOW} minutes, steadily",
            {"rss_bytes": rss_bytes, "rise_bytes": round(rise_bytes), "minutes": WINDOW},
        )

    def _note(self, now_s: float, rss_bytes: int) -> None:
        if self._minute_ends_s is None:
            self._minute_ends_s = now_s + _MINUTE_S
        elif now_s >= self._minute_ends_s and self._told:
            self._samples.append(median(self._told))
            self._told.clear()
            self._minute_ends_s = now_s + _MINUTE_S
        self._told.append(float(rss_bytes))


def steady_rise_bytes(samples: Sequence[float]) -> float | None:
    """By how much memory rose over a whole window, if it did so steadily; else None.

    >>> steady_rise_bytes([200e6 + 5e6 * minute for minute in range(WINDOW)])
    145000000.0
    >>> steady_rise_bytes([200e6 + 145e6 * min(1.0, minute / 10) for minute in range(WINDOW)])
    """
    found = list(samples)
    if len(found) < WINDOW:
        return None
    pairs = list(combinations(range(WINDOW), 2))
    rising = sum(found[late] > found[early] for early, late in pairs)
    rise_bytes = slope(found) * (WINDOW - 1)
    if rising < _RISING_SHARE * len(pairs) or rise_bytes < max(_RISE_BYTES, _RISE_SHARE * found[0]):
        return None
    half = WINDOW // 2
    lasting = slope(found[half:]) >= _LASTING_SHARE * slope(found[:half])
    return rise_bytes if lasting else None


def slope(samples: Sequence[float]) -> float:
    """The median of the slopes of all pairs, a sample a step (Theil-Sen); two samples at least.

    >>> slope([1.0, 2.0, 3.0, 100.0, 5.0])
    1.0
    """
    pairs = combinations(enumerate(samples), 2)
    return median((late - early) / (j - i) for (i, early), (j, late) in pairs)
