"""The two-sample z-test of the means over a stream."""

import math
from collections.abc import Sequence
from typing import ClassVar, cast

import numpy as np

from detectors.chi_squared import survival, upper_quantile
from detectors.drift.comparable import Comparable
from detectors.drift.contract import Measured
from detectors.sample import deviation, deviations
from detectors.values import CAP, Floats
from schemas.drift_settings import ZTestSettings


class ZTest(Comparable):
    """Reports when the means of baseline and window lie too far apart for their spread.

    For: the mean alone.

    The statistic is z = abs(m - m0) / sqrt(s0^2 / n_ref + s^2 / n_cur), at most 1e6, with
    means m and variances s^2 of both samples; its square is about chi-squared distributed with
    one degree of freedom without a change. The customary threshold of 1.96 is ``alpha`` 0.05.

    Misses: every change that leaves the mean where it was. Cries wolf on values that depend on
    their past, and on tails so heavy that 200 values do not average out.

    Reference: Welch, "The generalization of 'Student's' problem", Biometrika 34 (1947).

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] += 1.0
    >>> print(f"drift at value {ZTest().update(x)[0].row}")
    drift at value 2099
    """

    kind: ClassVar[str] = "z_test"

    def __init__(self, settings: ZTestSettings | None = None) -> None:
        settings = settings or ZTestSettings()
        super().__init__(settings)
        self._threshold = math.sqrt(upper_quantile(settings.alpha, 1))

    def _fit(self, baseline: Floats) -> None:
        # Distances from the baseline's first value have a mean of exactly 0 for a constant.
        self._first = float(baseline[0])
        self._mean = float(np.mean(baseline - self._first))
        self._error = deviation(baseline) / math.sqrt(len(baseline) - 1)

    def _measure(self, current: Floats) -> Measured:
        return self._measured(float(self._z(current)))

    @classmethod
    def _statistics(
        cls, several: Sequence[Comparable], coming: Floats, ends: Sequence[int]
    ) -> Floats:
        own, n_cur = cast("Sequence[ZTest]", several), several[0]._options.n_cur
        line = np.concatenate((np.array([each._current for each in own]), coming), axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(line, n_cur, axis=1)[:, list(ends)]
        return np.array([each._z(rows) for each, rows in zip(own, windows, strict=True)])

    def _measured(self, value: float) -> Measured:
        return Measured("z", value, self._threshold, survival(value * value, 1))

    @property
    def _size(self) -> int:
        return self._options.n_cur

    def _z(self, current: Floats) -> Floats:
        """Return the statistic of each of some windows: float64 [..., n_cur], giving [...]."""
        error = np.hypot(self._error, deviations(current) / math.sqrt(current.shape[-1] - 1))
        distance = np.abs((current - self._first).mean(axis=-1) - self._mean)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            z = np.where(distance / CAP >= error, CAP, distance / error)
        return np.where(distance == 0.0, 0.0, z)
