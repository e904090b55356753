"""EDDM: the distances between errors against their greatest so far."""

import math
from typing import ClassVar

from detectors.drift.by_value import OfErrors
from detectors.drift.contract import Measured
from schemas.drift_error_settings import EddmSettings


class Eddm(OfErrors):
    """Reports when errors follow each other much closer than they once did.

    For: errors that draw closer, by and by.

    With m and s the mean and standard deviation of the distances between errors since the
    start, it remembers the greatest m + 2 s, and reports when (m + 2 s) / greatest falls below
    ``beta``; the statistic is greatest / (m + 2 s) and its bound 1 / ``beta``. Only errors
    after the first ``n_start`` values, and after the first ``n_start`` errors, are judged. The
    same alarms as River's.

    Misses: little, and that is its trouble: the greatest is the extreme of a noisy number, so
    it cries wolf on most stationary streams.

    Reference: Baena-García et al., "Early drift detection method", 4th International Workshop
    on Knowledge Discovery from Data Streams (2006).

    >>> import numpy as np
    >>> errors = np.random.default_rng(5).random(4000) < np.repeat([0.1, 0.4], 2000)
    >>> found = Eddm().update(errors.astype(np.float64))
    >>> print(f"{sum(each.row < 2000 for each in found)} alarms before the change at 2000")
    7 alarms before the change at 2000
    """

    kind: ClassVar[str] = "eddm"
    remembers = ("_count", "_errors", "_last", "_mean", "_squares", "_greatest")

    def __init__(self, settings: EddmSettings | None = None) -> None:
        self._options = settings or EddmSettings()
        super().__init__(self._options)

    def _start(self) -> None:
        self._count, self._errors, self._last = 0.0, 0.0, 0.0
        self._mean, self._squares, self._greatest = 0.0, 0.0, -1.0

    def _step(self, value: float) -> Measured | None:
        self._count += 1.0
        if value == 0.0:
            return None
        self._learn(self._count - self._last)
        self._last = self._count
        if self._count <= self._options.n_start:
            return None
        variance = self._squares / (self._errors - 1.0) if self._errors > 1.0 else 0.0
        distance = self._mean + 2.0 * math.sqrt(variance)
        if distance > self._greatest:
            self._greatest = distance
        elif (
            self._errors > self._options.n_start and distance < self._options.beta * self._greatest
        ):
            ratio = self._greatest / distance
            return Measured("error_distance_ratio", ratio, 1.0 / self._options.beta)
        return None

    def _learn(self, distance: float) -> None:
        self._errors += 1.0
        before = self._mean
        self._mean += (distance - before) / self._errors
        self._squares += (distance - before) * (distance - self._mean)
