"""HDDM_W: weighted error rates before and after a cut, by McDiarmid's bound."""

import math
from typing import ClassVar

from detectors.drift.by_value import OfErrors
from detectors.drift.contract import Measured
from schemas.drift_error_settings import HddmWSettings


class HddmW(OfErrors):
    """Reports when the exponentially weighted error rate since a cut exceeds that before it.

    For: errors, where the latest should weigh most.

    A new value weighs ``decay`` in a mean; b, the sum of the squared weights, is what
    McDiarmid's inequality needs. The cut is where the mean plus sqrt(b log(1/``alpha``) / 2)
    was least; the mean since then may exceed the mean at the cut by that bound for the sum of
    both b. With ``direction: both`` falls are reported too. The same alarms as River's.

    Misses: little that is abrupt. Cries wolf at the customary ``alpha`` of 0.001.

    Reference: Frías-Blanco et al., "Online and non-parametric drift detection methods based on
    Hoeffding's bounds", IEEE Transactions on Knowledge and Data Engineering 27 (2015).

    >>> import numpy as np
    >>> errors = np.random.default_rng(5).random(4000) < np.repeat([0.1, 0.4], 2000)
    >>> found = HddmW().update(errors.astype(np.float64))
    >>> print("drift at values", [each.row for each in found])
    drift at values [2019, 2617, 3329]
    """

    kind: ClassVar[str] = "hddm_w"
    remembers = (
        *("_mean", "_squares", "_low", "_high"),
        *("_low_mean", "_low_squares", "_high_mean", "_high_squares"),
        *("_above_mean", "_above_squares", "_below_mean", "_below_squares"),
    )

    def __init__(self, settings: HddmWSettings | None = None) -> None:
        self._options = settings or HddmWSettings()
        super().__init__(self._options)

    def _start(self) -> None:
        # A mean of -1 is that of no value; its b is 1, as if of one.
        self._mean, self._squares = -1.0, 1.0
        self._low, self._high = math.inf, -math.inf
        self._low_mean, self._low_squares = -1.0, 1.0
        self._high_mean, self._high_squares = -1.0, 1.0
        self._above_mean, self._above_squares = -1.0, 1.0
        self._below_mean, self._below_squares = -1.0, 1.0

    def _step(self, value: float) -> Measured | None:
        self._mean, self._squares = self._added(self._mean, self._squares, value)
        bound = self._bound(self._squares)
        self._cut_low(value, bound)
        self._cut_high(value, bound)
        rise = self._judge(
            self._above_mean, self._low_mean, self._above_squares + self._low_squares
        )
        if rise or self._options.direction == "up":
            return rise
        squares = self._high_squares + self._below_squares
        return self._judge(self._high_mean, self._below_mean, squares)

    def _cut_low(self, value: float, bound: float) -> None:
        if self._mean + bound < self._low:
            self._low = self._mean + bound
            self._low_mean, self._low_squares = self._mean, self._squares
            self._above_mean, self._above_squares = -1.0, 1.0
            return
        added = self._added(self._above_mean, self._above_squares, value)
        self._above_mean, self._above_squares = added

    def _cut_high(self, value: float, bound: float) -> None:
        if self._mean - bound > self._high:
            self._high = self._mean - bound
            self._high_mean, self._high_squares = self._mean, self._squares
            self._below_mean, self._below_squares = -1.0, 1.0
            return
        added = self._added(self._below_mean, self._below_squares, value)
        self._below_mean, self._below_squares = added

    def _added(self, mean: float, squares: float, value: float) -> tuple[float, float]:
        decay = self._options.decay
        squares = decay * decay + (1.0 - decay) ** 2 * squares
        return (value if mean < 0.0 else decay * value + (1.0 - decay) * mean), squares

    def _bound(self, squares: float) -> float:
        return math.sqrt(squares * math.log(1.0 / self._options.alpha) / 2.0)

    def _judge(self, higher: float, lower: float, squares: float) -> Measured | None:
        bound = self._bound(squares)
        if higher < 0.0 or lower < 0.0 or higher - lower <= bound:
            return None
        return Measured("error_rate_difference", higher - lower, bound)
