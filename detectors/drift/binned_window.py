"""A baseline and a window as counts in cells, kept up to date value by value."""

from abc import abstractmethod

import numpy as np

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

    def _slide(self, entering: Floats, leaving: Floats) -> None:
        size = len(self._now)
        self._now = self._now + np.bincount(self._cells(entering), minlength=size)
        if len(leaving):
            self._now = self._now - np.bincount(self._cells(leaving), minlength=size)


class BinnedWindow(CountedWindow):
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
