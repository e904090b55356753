"""The two-sample Kolmogorov-Smirnov test over a stream."""

import math
from typing import ClassVar

import numpy as np

from detectors.drift.binned_window import SharesWindow
from detectors.drift.contract import Measured
from detectors.values import AnyArray, Floats, Ints
from schemas.drift_settings import KsSettings


class Ks(SharesWindow):
    """Reports when the distribution functions of baseline and window lie too far apart.

    For: any change of a distribution, of values that do not depend on their past.

    The statistic is their largest distance D in [0, 1]; it sees changes of location, spread and
    shape, whatever the distribution. Thresholds and p-values are asymptotic with Stephens'
    correction for the sample sizes, and conservative where values tie. ``alpha`` is small by
    default because a stream is tested some 200 times in 10,000 values; the test assumes
    independent values, so strong autocorrelation still makes it cry wolf.

    Misses: what is small in the middle and lies in the tails.

    Reference: Stephens, "Use of the Kolmogorov-Smirnov, Cramér-von Mises and related statistics
    without extensive tables", JRSS B 32 (1970).

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] += 1.0
    >>> print(f"drift at value {Ks().update(x)[0].row}")
    drift at value 2099
    """

    kind: ClassVar[str] = "ks"

    def __init__(self, settings: KsSettings | None = None) -> None:
        settings = settings or KsSettings()
        super().__init__(settings)
        size = math.sqrt(settings.n_ref * settings.n_cur / (settings.n_ref + settings.n_cur))
        self._scale = size + 0.12 + 0.11 / size
        # The series' first term alone: exact to 1e-3 for alpha < 0.2.
        self._threshold = math.sqrt(-math.log(settings.alpha / 2.0) / 2.0) / self._scale

    def _fit(self, baseline: Floats) -> None:
        self._ordered = np.sort(baseline)
        self._first = self._ordered.searchsorted(self._ordered)
        self._count(baseline, 2 * len(baseline) + 1)

    def _cells(self, values: Floats) -> AnyArray:
        # Every value of the baseline is a cell, and so is every gap between two of them: within
        # a cell one of the two distribution functions is flat, so D lies at an end of one.
        up_to = self._ordered.searchsorted(values, side="right")
        last = np.maximum(up_to - 1, 0)
        equal = self._ordered.take(last) == values
        return up_to + np.where(equal, self._first.take(last), up_to)

    @staticmethod
    def _statistic(before: Ints, now: Ints) -> Floats:
        n_before, n_now = (each.sum(axis=-1, keepdims=True) for each in (before, now))
        gaps = now * n_before - before * n_now
        largest = np.abs(np.cumsum(gaps, axis=-1, out=gaps), out=gaps).max(axis=-1)
        distance: Floats = largest / (n_before * n_now)[..., 0]
        return distance

    def _measured(self, value: float) -> Measured:
        return Measured("ks_distance", value, self._threshold, self._p_value(value))

    def _p_value(self, distance: float) -> float:
        root = self._scale * distance
        if root < 0.2:  # the series converges slowly there, towards 1
            return 1.0
        terms = (math.exp(-2.0 * (k * root) ** 2) for k in range(1, 20))
        series = sum(term if k % 2 == 0 else -term for k, term in enumerate(terms))
        return min(max(2.0 * series, 0.0), 1.0)
