"""Where a value lies among the values before it, for many values at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.drift.latest import Latest
from detectors.values import Floats, Ints

_CHUNK = 128  # values compared with one another, below 256: they are counted in bytes
_FEW = 4  # values that are put in their places faster than everything is sorted

Whole = NDArray[np.signedinteger[Any]]


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
        places = Places(*(each[0] for each in self.places_of((self,), x[None])))
        self.remember(x)
        return places

    @staticmethod
    def places_of(several: "Sequence[SlidingRanks]", x: Floats) -> Places:
        """Rank ``x`` (float64 [several, n], n <= size, no NaN), each row among the past of one.

        All must have the same size, and have seen as many values. Returns [several, n] of each;
        remembers nothing.
        """
        lead, n_values = several[0], x.shape[1]
        n_past, size = len(lead._past), lead._size
        below, equal = _in_past([each._ordered for each in several], x)
        if n_values > 1:
            gone = np.array([each._gone(n_values) for each in several])
            _correct(below, equal, x, gone)
        n = np.minimum(np.arange(n_past, n_past + n_values), size)
        return Places(below, equal, np.broadcast_to(n, x.shape))

    def remember(self, x: Floats) -> None:
        """Take ``x`` into the past, and push out of it what no longer has room."""
        gone = self._gone(len(x))
        self._past.push(x)
        self._reorder(x, gone)

    def _gone(self, n_values: int) -> Floats:
        past = self._past.values
        return past[: max(0, len(past) + n_values - self._size)]

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


def _in_past(pasts: Sequence[Floats], x: Floats) -> tuple[Ints, Ints]:
    """Return how many of each one's past lie below each of its values, and how many equal it."""
    below, equal = np.zeros((2, *x.shape), dtype=np.int64)
    orders = x.argsort(axis=1)  # neighbours are looked up fastest one after the other
    for ordered, row, order, less, same in zip(pasts, x, orders, below, equal, strict=True):
        if not len(ordered):
            continue
        rising = row[order]
        places = ordered.searchsorted(rising)
        less[order] = places
        tied = np.flatnonzero(ordered.take(places, mode="clip") == rising)
        if len(tied):
            ends = ordered.searchsorted(rising[tied], side="right")
            same[order[tied]] = ends - places[tied]
    return below, equal


def _correct(below: Ints, equal: Ints, x: Floats, gone: Floats) -> None:
    """Correct counts in all of the past: what came before in ``x`` counts, what is gone not."""
    n = x.shape[1]
    # What sorts last and equals nothing that is there; NaN would do for all, but sorts slowly.
    nothing = np.nan if max(x.max(), gone.max(initial=-np.inf)) == np.inf else np.inf
    near = _near(x, gone, nothing)
    order = near.reshape(len(x), -1).argsort(axis=1)
    first, end = _runs(near, order, nothing)
    table = _table(order, near.shape)
    smaller = _counts(table, first, first, np.less)
    below += smaller[:, :n]
    if end is not None:
        equal += (_counts(table, first, end, np.less_equal) - smaller)[:, :n]


def _near(x: Floats, gone: Floats, nothing: float) -> Floats:
    """Return what is gone and what came, float64 [several, 2, chunks, values of a chunk].

    The first half stands so that it is gone for a value what lies before the value's own place
    there. ``nothing`` where there is nothing.
    """
    several, n = x.shape
    n_chunks = -(-n // _CHUNK)
    chunk = -(-n // n_chunks)
    near = np.full((several, 2, n_chunks * chunk), nothing)
    near[:, 0, n - gone.shape[1] : n] = gone
    near[:, 1, :n] = x
    return near.reshape(several, 2, n_chunks, chunk)


def _runs(near: Floats, order: Ints, nothing: float) -> tuple[Whole, Whole | None]:
    """Return for each number its place in the order, and the place behind the last equal one.

    Those that are equal have the place of the first of them. None where no two are, but those that
    are ``nothing``.
    """
    several, n = order.shape
    kind = np.int16 if n <= np.iinfo(np.int16).max else np.int32
    flat = order + np.arange(0, order.size, n)[:, None]
    ordered, places = near.take(flat), np.arange(n, dtype=kind)
    fresh = ordered[:, 1:] != ordered[:, :-1]
    first, end = np.empty(near.shape, dtype=kind), None
    if (fresh | (ordered[:, 1:] == nothing)).all():
        first.reshape(-1)[flat] = places
    else:
        edge, end = np.ones((several, 1), dtype=np.bool_), np.empty_like(first)
        begins = np.where(np.concatenate((edge, fresh), axis=1), places, 0)
        ends = np.where(np.concatenate((fresh, edge), axis=1), places + 1, n)
        first.reshape(-1)[flat] = np.maximum.accumulate(begins, axis=1)
        end.reshape(-1)[flat] = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return first, end


def _table(order: Ints, shape: tuple[int, ...]) -> Whole:
    """Return int32 [several, chunks, places + 1]: of the lowest numbers, how many came before a
    chunk, less those that are gone at its end.
    """
    several, _, n_chunks, chunk = shape
    half = n_chunks * chunk
    moment = order.astype(np.int32)[:, None]
    begins = np.arange(0, half, chunk, dtype=np.int32)[:, None]
    came = (moment >= half) & (moment < half + begins)
    gone = moment < begins + chunk
    table = np.zeros((several, n_chunks, 2 * half + 1), dtype=np.int32)
    np.cumsum(came.view(np.int8) - gone.view(np.int8), axis=2, dtype=np.int32, out=table[..., 1:])
    return table


def _counts(table: Whole, first: Whole, bounds: Whole, compare: np.ufunc) -> Ints:
    """Count, for each value that came, what came before and lies within its bound, less the gone.

    Chunks before by the table, and its own value by value: as column i of a window on both halves
    of a chunk stand the values before value i, and behind them what is not gone by then.
    """
    several, _, n_chunks, chunk = first.shape
    around = first.swapaxes(1, 2).reshape(several, n_chunks, 2 * chunk)
    strides = (*around.strides, around.itemsize)
    window: Whole = np.ndarray(
        (several, n_chunks, chunk, chunk), around.dtype, around, strides=strides
    )
    here = compare(window, around[:, :, None, chunk:]).view(np.uint8)
    starts = np.arange(0, table.size, table.shape[-1]).reshape(several, n_chunks, 1)
    counts = table.take(bounds[:, 1] + starts)
    counts += np.add.reduce(here, axis=2, dtype=np.uint8)
    return counts.reshape(several, -1)
