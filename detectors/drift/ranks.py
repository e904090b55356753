"""Where a value lies among the values before it, for many values at once."""

from typing import Literal, NamedTuple

import numpy as np

from detectors.drift.latest import Latest
from detectors.values import Floats, Ints

_CHUNK = 128  # values compared with one another, below 256: they are counted in bytes
_FEW = 4  # values that are put in their places faster than everything is sorted


class Places(NamedTuple):
    """For each value, among the values before it: how many lie below, equal it, and are there."""

    below: Ints
    equal: Ints
    n: Ints


class SlidingRanks:
    """Ranks each value among the last ``size`` before it, exactly, without a loop over values.

    All values of a call are looked up in the sorted past at once. What they themselves add to
    the past and push out of it is counted chunk by chunk: chunks before are looked up as well,
    and within a chunk values are compared with one another. The counts are whole numbers, so
    any split into calls gives the same.

    >>> SlidingRanks(3, np.array([1.0, 2.0])).push(np.array([2.0, 0.0, 9.0])).below
    array([1, 0, 3])
    """

    def __init__(self, size: int, values: Floats | None = None) -> None:
        self._size = size
        self._past = Latest(size, np.zeros(0) if values is None else values)
        self._ordered = np.sort(self._past.values)

    def push(self, x: Floats) -> Places:
        """Rank ``x`` (float64 [n], n <= size, no NaN), then remember it."""
        places = self.places(x)
        self.remember(x)
        return places

    def places(self, x: Floats) -> Places:
        """Rank ``x`` (float64 [n], n <= size, no NaN) as ``push`` does; remember nothing."""
        n_past = len(self._past)
        n = np.minimum(np.arange(n_past, n_past + len(x)), self._size)
        below, equal = self._in_past(x)
        if len(x) > 1:
            _correct(below, equal, x, self._gone(x))
        return Places(below, equal, n)

    def remember(self, x: Floats) -> None:
        """Take ``x`` into the past, and push out of it what no longer has room."""
        gone = self._gone(x)
        self._past.push(x)
        self._reorder(x, gone)

    def _gone(self, x: Floats) -> Floats:
        past = self._past.values
        return past[: max(0, len(past) + len(x) - self._size)]

    def _in_past(self, x: Floats) -> tuple[Ints, Ints]:
        """Return how many of the past lie below each value, and how many equal it."""
        ordered = self._ordered
        if len(x) <= 1 or not len(ordered):
            below = ordered.searchsorted(x)
            return below, ordered.searchsorted(x, side="right") - below
        order = x.argsort()  # neighbours are looked up fastest one after the other
        rising = x[order]
        places = ordered.searchsorted(rising)
        below, equal = np.empty_like(places), np.zeros_like(places)
        below[order] = places
        tied = np.flatnonzero(ordered.take(places, mode="clip") == rising)
        if len(tied):
            ends = ordered.searchsorted(rising[tied], side="right")
            equal[order[tied]] = ends - places[tied]
        return below, equal

    def _reorder(self, x: Floats, gone: Floats) -> None:
        if len(x) > _FEW:
            self._ordered = np.sort(self._past.values)
            return
        for index, value in enumerate(x.tolist()):
            late = index - (len(x) - len(gone))
            self._replace(gone[late] if late >= 0 else None, value)

    def _replace(self, gone: float | None, value: float) -> None:
        ordered = self._ordered
        new = int(ordered.searchsorted(value))
        if gone is None:
            self._ordered = np.concatenate((ordered[:new], (value,), ordered[new:]))
            return
        old = int(ordered.searchsorted(gone))
        if old < new:
            new -= 1
            ordered[old:new] = ordered[old + 1 : new + 1]
        else:
            ordered[new + 1 : old + 1] = ordered[new:old]
        ordered[new] = value


def _correct(below: Ints, equal: Ints, x: Floats, gone: Floats) -> None:
    """Correct counts in all of the past: what came before in ``x`` counts, what is gone not."""
    # Behind value i stand near[i : i + n]: what it has before it but not in the past without
    # all of gone.
    near = np.concatenate((np.full(len(x) - len(gone), np.nan), gone, x))
    smaller = _corrections(near, np.less, "left")
    below += smaller
    rows = _tied(near, x)
    if len(rows) > len(x) // 8:
        equal += _corrections(near, np.less_equal, "right") - smaller
    elif len(rows):
        values, shape = x[rows, None], (len(x), len(x))
        behind: Floats = np.ndarray(shape, np.float64, near, strides=(8, 8))
        equal[rows] += (behind[rows] == values).sum(axis=1) - (gone == values).sum(axis=1)


def _corrections(near: Floats, compare: np.ufunc, side: Literal["left", "right"]) -> Ints:
    """Count, for each value in the second half of ``near``, what came less what is gone."""
    middle = len(near) // 2
    counts = np.empty(middle, dtype=np.int64)
    for begin in range(0, middle, _CHUNK):
        end = min(begin + _CHUNK, middle)
        x, n = near[middle + begin : middle + end], end - begin
        around = np.concatenate((near[begin:end], x))
        # Row or column i holds the n behind value i; columns are added up the faster.
        window: Floats = np.ndarray((n, n), np.float64, around, strides=(8, 8))
        chunk = np.add.reduce(compare(window, x).view(np.uint8), axis=0, dtype=np.uint8)
        order = x.argsort()
        rising = x[order]
        looked_up = -np.sort(near[:end]).searchsorted(rising, side)
        if begin:
            looked_up += np.sort(near[middle : middle + begin]).searchsorted(rising, side)
        looked_up += chunk[order]
        counts[begin + order] = looked_up
    return counts


def _tied(near: Floats, x: Floats) -> Ints:
    """Return which values of ``x`` occur twice in ``near``."""
    ordered = np.sort(near)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.zeros(0, dtype=np.int64)
    rows: Ints = np.flatnonzero(twice.take(twice.searchsorted(x), mode="clip") == x)
    return rows
