"""The population stability index over a stream."""

from typing import ClassVar

import numpy as np

from detectors.chi_squared import survival, upper_quantile
from detectors.drift.contract import Measured
from detectors.drift.reference_window import ReferenceWindow
from detectors.values import Floats
from schemas.drift_settings import PsiSettings

_PSEUDO_COUNT = 0.5  # for each bin, so that an empty one does not make the index infinite


class Psi(ReferenceWindow):
    """Reports when the window's share in the baseline's bins differs too much.

    The index is the sum over bins of (q - p) * log(q / p). The bins hold equal shares of the
    baseline; a value that alone fills more than one of them gets its own. Without any change,
    index / (1/n_ref + 1/n_cur) is about chi-squared distributed with bins - 1 degrees of
    freedom: its mean at 10 bins, 500 and 200 values is 0.06. The customary thresholds of 0.1
    and 0.2 know nothing of the sample's size, so the default is the chi-squared quantile at
    ``alpha``; ``fixed_threshold`` brings them back.

    Reference: Yurdakul, "Statistical properties of population stability index" (2018).

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] *= 2.0
    >>> print(f"drift at value {Psi().update(x)[0].row}")
    drift at value 2149
    """

    kind: ClassVar[str] = "psi"

    def __init__(self, settings: PsiSettings | None = None) -> None:
        self._settings = settings or PsiSettings()
        super().__init__(self._settings)
        self._noise = 1.0 / self._settings.n_ref + 1.0 / self._settings.n_cur

    def _fit(self, baseline: Floats) -> None:
        inner = np.linspace(0.0, 1.0, self._settings.bins + 1)[1:-1]
        edges, times = np.unique(np.quantile(baseline, inner), return_counts=True)
        # A repeated edge is a value of its own bin, which ends right above it; so is the one
        # value of a constant baseline.
        own = edges[(times > 1) | (len(edges) == 1)]
        self._edges = np.union1d(edges, np.nextafter(own, np.inf))
        self._expected = self._shares(baseline)

    def _measure(self, current: Floats) -> Measured:
        shares, expected = self._shares(current), self._expected
        index = float(((shares - expected) * np.log(shares / expected)).sum())
        threshold = self._settings.fixed_threshold
        if threshold is None:
            quantile = upper_quantile(self._settings.alpha, len(self._edges))
            threshold = quantile * self._noise
        return Measured("psi", index, threshold, survival(index / self._noise, len(self._edges)))

    def _shares(self, values: Floats) -> Floats:
        bins = np.searchsorted(self._edges, values, side="right")
        counts = np.bincount(bins, minlength=len(self._edges) + 1) + _PSEUDO_COUNT
        shares: Floats = counts / counts.sum()
        return shares
