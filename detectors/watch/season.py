"""The usual course of a field over the day, taken out of its values before they are judged."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats, Ints

DAY_S = 86_400.0
BINS = 48
"""Parts of the day whose means make its course; in between it is interpolated."""

DAYS = 7
"""Days remembered."""

LEAST = 2000
"""Values of a day below which it is left alone: ``conformal`` takes out shorter seasons itself."""

_BEFORE_ALL = -(2**62)
_LEAST_OF_BIN = 10
_EVIDENT = 0.5  # share of a day's course that the other days have to explain


class Times(NamedTuple):
    """Rows' days since the epoch (int64 [rows]), the latest of them, and their places in the day.

    ``places`` (float64 [rows]) are in [0, BINS), ``bins`` (int64 [rows]) their whole parts.
    """

    days: Ints
    latest: int
    places: Floats
    bins: Ints

    @classmethod
    def of(cls, at_s: Floats) -> "Times":
        """Return those of times in seconds (float64 [rows]); what is not finite counts as 0."""
        finite = np.where(np.isfinite(at_s), at_s, 0.0)
        days = np.floor(finite / DAY_S)
        places = np.clip((finite / DAY_S - days) * BINS, 0.0, np.nextafter(BINS, 0.0))
        latest = int(days.max()) if len(days) else _BEFORE_ALL
        return cls(days.astype(np.int64), latest, places, places.astype(np.int64))


class Part(NamedTuple):
    """Values of one day, less their course; ``anew``: they mean another thing than those before."""

    rows: slice
    values: Floats
    anew: bool


class Season:
    """Learns the course of a field over the day, and takes it out while it is evident.

    The course is the median, over the last :data:`DAYS` days, of the means of 48 parts of the day
    less the day's own mean; so a day on which the field drifts does not spoil it, and a shift of
    the level stays in the values. A day with fewer than :data:`LEAST` values, or with a part that
    has next to none, is not learnt from. The course is used once each of the days is explained by
    the others, in the median by more than half of its squares: from the third day on at the
    earliest. Days are those of UTC. Any split of the values into calls gives the same.
    """

    def __init__(self) -> None:
        self._days: Floats = np.zeros((0, BINS))
        self._day = _BEFORE_ALL
        self._sums, self._counts = np.zeros(BINS), np.zeros(BINS)
        self._course: Floats | None = None

    @property
    def is_active(self) -> bool:
        """Whether there is a course that is taken out."""
        return self._course is not None

    def parts(self, values: Floats, times: Times) -> Iterator[Part]:
        """Cut values (float64 [rows]) where days end, and take the course out; NaN is no value."""
        if times.latest <= self._day:
            yield self._part(slice(0, len(values)), values, times, anew=False)
            return
        days = np.maximum.accumulate(np.append(self._day, times.days))
        cuts = [*np.flatnonzero(np.diff(days)).tolist(), len(values)]
        start, anew = 0, False
        for end in cuts:
            if end > start:
                rows = slice(start, end)
                yield self._part(rows, values, times, anew=anew)
                start, anew = end, False
            if end < len(values):
                anew = self._turn(int(days[end + 1])) or anew

    def state(self) -> State:
        """Return the days remembered and the present one."""
        return {
            "days": self._days.copy(),
            "day": self._day,
            "sums": self._sums.copy(),
            "counts": self._counts.copy(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, days = StateReader(state, "Season"), state.get("days")
        n_days = len(days) if isinstance(days, np.ndarray) and days.ndim == 2 else 0
        given = reader.floats("days", (min(n_days, DAYS), BINS))
        day, sums = reader.integer("day", low=_BEFORE_ALL), reader.floats("sums", (BINS,))
        counts = reader.floats("counts", (BINS,))
        if not np.isfinite(given).all() or not (counts >= 0.0).all():
            raise StateError("the state of Season holds days that cannot be")
        self._days, self._day, self._sums, self._counts = given, day, sums, counts
        self._course = _course(given)

    def _part(self, rows: slice, values: Floats, times: Times, *, anew: bool) -> Part:
        values, bins = values[rows], times.bins[rows]
        there = ~np.isnan(values)
        known, bins = (values, bins) if there.all() else (values[there], bins[there])
        with np.errstate(over="ignore"):
            np.add.at(self._sums, bins, known)  # one by one, so in any split the same
        self._counts += np.bincount(bins, minlength=BINS)
        if self._course is not None:
            values = values - _at(self._course, times.places[rows])
        return Part(rows, values, anew)

    def _turn(self, day: int) -> bool:
        """End the present day; whether a course has been found or lost."""
        before = self.is_active
        if self._counts.sum() >= LEAST and self._counts.min() >= _LEAST_OF_BIN:
            means = self._sums / self._counts
            means -= means.mean()
            if np.isfinite(means).all():
                self._days = np.concatenate((self._days, means[None]))[-DAYS:]
                self._course = _course(self._days)
        self._day = day
        self._sums, self._counts = np.zeros(BINS), np.zeros(BINS)
        return self.is_active != before


def _course(days: Floats) -> Floats | None:
    if len(days) < 2:
        return None
    explained = [_explained(day, np.delete(days, i, axis=0)) for i, day in enumerate(days)]
    course: Floats = np.median(days, axis=0)
    return course - course.mean() if np.median(explained) > _EVIDENT else None


def _explained(day: Floats, others: Floats) -> float:
    """Return the share of a day's squares that other days explain; 0 where they are too large."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares, left = np.sum(day**2), np.sum((day - np.median(others, axis=0)) ** 2)
    return 1.0 - float(left / squares) if 0.0 < squares < np.inf else 0.0


def _at(course: Floats, places: Floats) -> Floats:
    middles = np.arange(-1, BINS + 1) + 0.5
    return np.interp(places, middles, np.concatenate((course[-1:], course, course[:1])))
