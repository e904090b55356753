"""A baseline and a window as counts in cells, kept up to date value by value."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import cast

import numpy as np

from detectors.drift.comparable import Comparable
from detectors.drift.contract import Measured
from detectors.drift.reference_window import ReferenceWindow
from detectors.values import AnyArray, Floats, Ints
from schemas.drift_settings import BinnedSettings


class CountedWindow(ReferenceWindow):
    """Counts values in cells, so that a test costs what the cells cost and sorts nothing."""

    @abstractmethod
    def _cells(self, values: Floats) -> AnyArray:
        """Return the cell of each value, from 0; may depend on the baseline alone."""

    def _count(self, baseline: Floats, n_cells: int) -> None:
        """Count the baseline, and begin with an empty window."""
        self._before: Ints = np.bincount(self._cells(baseline), minlength=n_cells)
        self._now: Ints = np.zeros_like(self._before)
        self._placed: AnyArray = np.zeros(0, dtype=np.int64)  # the cells of the window's values

    def _slide(self, entering: Floats, leaving: Floats) -> None:
        size, n_gone = len(self._now), len(leaving)
        placed = np.concatenate((self._placed, self._cells(entering)))
        self._now = self._now + np.bincount(placed[len(self._placed) :], minlength=size)
        if n_gone:
            self._now = self._now - np.bincount(placed[:n_gone], minlength=size)
        self._placed = placed[n_gone:].copy()


class SharesWindow(CountedWindow, Comparable):
    """A test whose statistic follows from the counts alone."""

    @staticmethod
    @abstractmethod
    def _statistic(before: Ints, now: Ints) -> Floats:
        """Compare counts of baselines and of windows, int64 [..., cells]; returns [...]."""

    def _measure(self, current: Floats) -> Measured:
        return self._measured(float(self._statistic(self._before, self._now)))

    @property
    def _size(self) -> int:
        return len(self._before)

    @classmethod
    def _statistics(
        cls, several: Sequence[Comparable], coming: Floats, ends: Sequence[int]
    ) -> Floats:
        # What enters and leaves between two tests is counted, and added up from test to test.
        own, n_tests = cast("Sequence[SharesWindow]", several), len(ends)
        before, now = np.array([e._before for e in own]), np.array([e._now for e in own])
        size, n = before.shape[1], coming.shape[1]
        cells = np.array([e._cells(row) for e, row in zip(own, coming, strict=True)])
        placed = np.concatenate((np.array([each._placed for each in own]), cells), axis=1)
        placed += np.arange(len(own))[:, None] * (n_tests * size)
        test_of = np.repeat(np.arange(n_tests), np.diff([0, *ends])) * size
        entering, leaving = placed[:, -n:] + test_of, placed[:, :n] + test_of
        changes = np.bincount(entering.ravel(), minlength=before.size * n_tests)
        changes -= np.bincount(leaving.ravel(), minlength=before.size * n_tests)
        counts = changes.reshape(len(own), n_tests, size)
        for test in range(n_tests):
            now = np.add(counts[:, test], now, out=counts[:, test])
        return cls._statistic(before[:, None], counts)


class BinnedWindow(SharesWindow):
    """Cells that hold equal shares of the baseline.

    A value that alone fills more than one of them gets its own.
    """

    def __init__(self, settings: BinnedSettings) -> None:
        self._settings = settings
        super().__init__(settings)
        self._noise = 1.0 / settings.n_ref + 1.0 / settings.n_cur

    def _fit(self, baseline: Floats) -> None:
        inner = np.linspace(0.0, 1.0, self._settings.bins + 1)[1:-1]
        edges, times = np.unique(np.quantile(baseline, inner), return_counts=True)
        # A repeated edge is a value of its own bin, which ends right above it; so is the one
        # value of a constant baseline.
        own = edges[(times > 1) | (len(edges) == 1)]
        self._edges = np.union1d(edges, np.nextafter(own, np.inf))
        self._count(baseline, len(self._edges) + 1)

    def _cells(self, values: Floats) -> AnyArray:
        return np.searchsorted(self._edges, values, side="right")
