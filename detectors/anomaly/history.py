"""Each field's recent past: the last rows, and order statistics refreshed at fixed row counts."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats, Ints
from schemas.anomaly_settings import HistorySettings

_MOST_CELLS = 2**16  # of the pasts that are put in order together: half a megabyte


class Past(NamedTuple):
    """The past of each field, one row of ``ordered`` for each.

    ``ordered``: float64 [fields, window], ascending, NaN last. ``size``: int64 [fields], how
    many values are no NaN.
    """

    ordered: Floats
    size: Ints

    def quantile(self, q: float) -> Floats:
        """Return each field's ``q`` quantile, interpolated linearly; NaN without values."""
        place = q * np.maximum(self.size - 1, 0)
        low = place.astype(np.int64)
        high = np.minimum(low + 1, np.maximum(self.size - 1, 0))
        field = np.arange(len(self.size))
        below, above = self.ordered[field, low], self.ordered[field, high]
        return below + (above - below) * (place - low)


class FieldHistory:
    """The last ``window`` rows, cut into spans that one refresh is in force for.

    Refreshes fall on the row counts that are multiples of ``stride``, wherever batches end.
    """

    def __init__(self, n_fields: int, settings: HistorySettings) -> None:
        self._settings = settings
        # One line for each field: sums over a line come out the same whatever the other
        # fields are, which adding along columns would not guarantee.
        self._ring = np.full((n_fields, settings.window), np.nan)
        self.n_learnt = 0

    @property
    def n_fields(self) -> int:
        """The number of fields."""
        return len(self._ring)

    def spans(self, n_rows: int) -> Iterator[slice]:
        """Cut ``n_rows`` further rows where refreshes are due; learn each span before the next.

        There are several refreshes in a span, as long as their pasts stay small together.
        """
        stride, begin = self._settings.stride, 0
        most = max(1, _MOST_CELLS // max(1, self._ring.size))
        while begin < n_rows:
            left = most * stride - self.n_learnt % stride
            yield slice(begin, min(begin + left, n_rows))
            begin += left

    def due(self, n_rows: int) -> list[int]:
        """Return after how many of the next ``n_rows`` rows refreshes are due, ascending."""
        stride = self._settings.stride
        return list(range(stride - self.n_learnt % stride, n_rows + 1, stride))

    def learn(self, x: Floats) -> None:
        """Append ``x`` (float64 [rows, fields], clean)."""
        window = self._settings.window
        recent = x[-window:]
        first = (self.n_learnt + len(x) - len(recent)) % window
        if first + len(recent) <= window:
            self._ring[:, first : first + len(recent)] = recent.T
        else:
            self._ring[:, (first + np.arange(len(recent))) % window] = recent.T
        self.n_learnt += len(x)

    def pasts(self, x: Floats, ends: Sequence[int]) -> Past:
        """Return the pasts that there are after so many rows of ``x``, which are next to be learnt.

        The fields' lines after the first of ``ends`` come first.
        """
        window = self._settings.window
        oldest = self.n_learnt % window
        line = np.concatenate((self._ring[:, oldest:], self._ring[:, :oldest], x.T), axis=1)
        ordered = np.concatenate([line[:, end : end + window] for end in ends])
        ordered.sort(axis=1)
        return Past(ordered, window - np.count_nonzero(np.isnan(ordered), axis=1))

    def widen(self, n_more: int) -> None:
        """Add ``n_more`` fields that had no value so far."""
        more = np.full((n_more, self._settings.window), np.nan)
        self._ring = np.concatenate((self._ring, more))

    def state(self) -> State:
        """Return the rows remembered, unused places left out."""
        filled = min(self.n_learnt, self._settings.window)
        return {"ring": self._ring[:, :filled].copy(), "n_learnt": self.n_learnt}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "FieldHistory")
        n_learnt = reader.integer("n_learnt")
        filled = min(n_learnt, self._settings.window)
        ring = reader.floats("ring", (self.n_fields, filled))
        self._ring[:, :filled], self._ring[:, filled:] = ring, np.nan
        self.n_learnt = n_learnt
