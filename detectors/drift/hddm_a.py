"""HDDM_A: the error rate since a cut against that before it, by Hoeffding's bound."""

import math
from typing import ClassVar

from detectors.drift.by_value import OfErrors
from detectors.drift.contract import Measured
from schemas.drift_error_settings import HddmASettings


class HddmA(OfErrors):
    """Reports when the error rate exceeds that before the best cut by Hoeffding's bound.

    For: errors, under a bound that holds whatever their distribution.

    The cut is where the rate since the start, plus its bound sqrt(log(1/``alpha``) / (2 n)),
    was least; of n values, n0 before the cut, the rate of all may exceed that of those n0 by
    sqrt((n - n0) / (n0 n) log(2/``alpha``) / 2). With ``direction: both`` falls are reported
    too. The bound holds for one test among independent values; there is one at every value.
    The same alarms as River's.

    Misses: small changes late in a stream. Cries wolf at the customary ``alpha`` of 0.001.

    Reference: Frías-Blanco et al., "Online and non-parametric drift detection methods based on
    Hoeffding's bounds", IEEE Transactions on Knowledge and Data Engineering 27 (2015).

    >>> import numpy as np
    >>> errors = np.random.default_rng(5).random(4000) < np.repeat([0.1, 0.4], 2000)
    >>> print(f"drift at value {HddmA().update(errors.astype(np.float64))[0].row}")
    drift at value 2137
    """

    kind: ClassVar[str] = "hddm_a"
    remembers = ("_count", "_rate", "_low_count", "_low_rate", "_high_count", "_high_rate")

    def __init__(self, settings: HddmASettings | None = None) -> None:
        self._options = settings or HddmASettings()
        super().__init__(self._options)

    def _start(self) -> None:
        self._count, self._rate = 0.0, 0.0
        self._low_count, self._low_rate = 0.0, 0.0
        self._high_count, self._high_rate = 0.0, 0.0

    def _step(self, value: float) -> Measured | None:
        self._count += 1.0
        self._rate += (value - self._rate) / self._count
        bound = self._hoeffding(self._count)
        low = self._low_rate + self._hoeffding(self._low_count)
        if low >= self._rate + bound:
            self._low_count, self._low_rate = self._count, self._rate
        high = self._high_rate - self._hoeffding(self._high_count)
        if high <= self._rate - bound:
            self._high_count, self._high_rate = self._count, self._rate
        rise = self._judge(self._rate - self._low_rate, self._low_count)
        if rise or self._options.direction == "up":
            return rise
        return self._judge(self._high_rate - self._rate, self._high_count)

    def _hoeffding(self, n: float) -> float:
        return math.sqrt(-math.log(self._options.alpha) / (2.0 * n)) if n else math.inf

    def _judge(self, distance: float, n_before: float) -> Measured | None:
        if n_before == self._count:
            return None
        share = (self._count - n_before) / n_before / self._count
        bound = math.sqrt(share / 2.0 * math.log(2.0 / self._options.alpha))
        if distance < bound:
            return None
        return Measured("error_rate_difference", distance, bound)
