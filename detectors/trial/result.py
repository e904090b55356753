"""What a trial brought: a row of figures for each candidate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from detectors.trial.candidates import Family


@dataclass(frozen=True)
class Found:
    """How a shift of the mean by ``size`` robust deviations was found.

    ``share``: of the shifts that brought an alarm within the horizon. ``at_once``: of those that
    brought one at their first message, as a single outlier would. ``delay``: messages of the
    key from the shift to the alarm, both counted, in the median of those found; None for none.
    """

    size: float
    share: float
    at_once: float
    delay: float | None


@dataclass(frozen=True)
class Row:
    """One candidate's figures.

    ``n_messages``: those it judged. ``n_shifts``: of each size.
    ``alarms``: how many it flagged, ``per_day`` of these at the
    traffic's rate, ``per_10k`` of 10,000 messages. ``by_chance``: what ``found`` says of no shift
    at all: alarms that would have come anyway. ``cpu_us``: processor time for a message, in
    microseconds. ``settings``: what switches it on.
    """

    name: str
    family: Family
    settings: Mapping[str, Any]
    n_messages: int
    n_shifts: int
    alarms: int
    per_day: float
    per_10k: float
    by_chance: Found
    found: tuple[Found, ...]
    cpu_us: float

    def at(self, size: float) -> Found:
        """What was found of the shifts nearest to ``size``."""
        return min(self.found, key=lambda each: abs(each.size - size))

    def net(self, size: float) -> float:
        """The share found beyond chance, in [-1, 1]."""
        return self.at(size).share - self.by_chance.share


def found(size: float, delays: Sequence[int | None]) -> Found:
    """Sum up the delays of shifts of one size; None is a shift that was not found.

    >>> found(2.0, [1, 5, None, 9])
    Found(size=2.0, share=0.75, at_once=0.25, delay=5)
    """
    known = [delay for delay in delays if delay is not None]
    n = max(1, len(delays))
    at_once = sum(delay == 1 for delay in known) / n
    return Found(size, len(known) / n, at_once, median(known) if known else None)
