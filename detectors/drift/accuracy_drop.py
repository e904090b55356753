"""A model's accuracy, of late against what it was."""

import math
from typing import ClassVar

import numpy as np

from detectors.drift.contract import Input, Measured
from detectors.drift.reference_window import ReferenceWindow
from detectors.values import Floats
from schemas.drift_settings import AccuracyDropSettings


class AccuracyDrop(ReferenceWindow):
    """Reports when the share of right predictions has fallen by more than ``max_drop``.

    For: errors, and a drop that people have agreed on.

    Takes errors: 0 for right, 1 for wrong. The statistic is the baseline's accuracy less the
    window's, 1 being 100 percentage points. So small a window errs by itself: at an accuracy of
    0.9, baseline and window of 500 and 200 values differ by 0.025 in standard deviation, so the
    bound is ``max_drop`` or, where it is higher, what a one-sided z-test at ``alpha`` allows.
    With ``alpha`` 1 the drop alone counts, as is customary, false alarms and all.

    Misses: a drop smaller than the bound, however long it lasts.

    Reference: Agresti and Caffo, "Simple and effective confidence intervals for proportions
    and differences of proportions", The American Statistician 54 (2000), for the two
    pseudo-values that each sample gets.

    >>> errors = np.random.default_rng(5).random(4000) < np.repeat([0.1, 0.4], 2000)
    >>> print(f"drift at value {AccuracyDrop().update(errors.astype(np.float64))[0].row}")
    drift at value 2149
    """

    kind: ClassVar[str] = "accuracy_drop"
    takes: ClassVar[Input] = "errors"

    def __init__(self, settings: AccuracyDropSettings | None = None) -> None:
        self._settings = settings or AccuracyDropSettings()
        super().__init__(self._settings)
        self._z = normal_quantile(self._settings.alpha) if self._settings.alpha < 1.0 else 0.0

    def _fit(self, baseline: Floats) -> None:
        self._before = float(np.mean(baseline))
        self._variance = _variance(baseline)

    def _measure(self, current: Floats) -> Measured:
        drop = float(np.mean(current)) - self._before
        error = math.sqrt(self._variance + _variance(current))
        threshold = max(self._settings.max_drop, self._z * error)
        p_value = 0.5 * math.erfc(drop / error / math.sqrt(2.0))
        return Measured("accuracy_drop", drop, threshold, p_value)


def normal_quantile(alpha: float) -> float:
    """Return the z >= 0 that a standard normal value exceeds with probability ``alpha``.

    >>> print(f"{normal_quantile(0.025):.4f}")
    1.9600
    """
    low, high = 0.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2.0
        if 0.5 * math.erfc(middle / math.sqrt(2.0)) > alpha:
            low = middle
        else:
            high = middle
    return high


def _variance(errors: Floats) -> float:
    """Return the variance of the share of ones, with a pseudo-value of either kind."""
    share = (float(errors.sum()) + 1.0) / (len(errors) + 2.0)
    return share * (1.0 - share) / (len(errors) + 2.0)
