"""The two-sample z-test of the means over a stream."""

import math
from typing import ClassVar

import numpy as np

from detectors.chi_squared import survival, upper_quantile
from detectors.drift.contract import Measured
from detectors.drift.reference_window import ReferenceWindow
from detectors.sample import deviation
from detectors.values import CAP, Floats
from schemas.drift_settings import ZTestSettings


class ZTest(ReferenceWindow):
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
        self._first = float(baseline[0])
        self._mean = self._from_first(baseline)
        self._error = deviation(baseline) / math.sqrt(len(baseline) - 1)

    def _measure(self, current: Floats) -> Measured:
        error = math.hypot(self._error, deviation(current) / math.sqrt(len(current) - 1))
        distance = abs(self._from_first(current) - self._mean)
        z = CAP if distance / CAP >= error else distance / error
        z = 0.0 if distance == 0.0 else z
        return Measured("z", z, self._threshold, survival(z * z, 1))

    def _from_first(self, values: Floats) -> float:
        """Return the mean distance from the baseline's first value: exactly 0 for a constant."""
        return float(np.mean(values - self._first))
