"""The Page-Hinkley test: how far the values have summed up away from their mean."""

import math
from dataclasses import replace
from typing import ClassVar

import numpy as np

from detectors.drift.by_value import ByValue
from detectors.drift.contract import Measured
from detectors.drift.present import Present
from detectors.drift.sequential import Step
from detectors.sample import deviation
from detectors.values import CAP
from schemas.drift_settings import PageHinkleySettings

_REACH = 10.0  # deviations; values farther out count as that
_RAW_LIMIT = 1e100  # of values taken as they are: their sums stay finite


class PageHinkley(ByValue):
    """Reports when values have summed up to more than ``threshold`` above or below their mean.

    For: shifts of the mean by more than ``delta``.

    S = ``forget`` S + (x - mean - ``delta``), where the mean is that of all values since the
    start; a rise is reported when S exceeds its minimum by ``threshold``, and a fall likewise
    with x - mean + ``delta``. Nothing is reported before the value ``n_start``.

    With ``standardize`` the first ``n_ref`` values set mean and deviation, and only later ones
    are tested, in those units and within ±10 of them. Without, values go in as they are and the
    alarms are those of River's, whose defaults (``delta`` 0.005, ``threshold`` 50) fit a field
    in one unit and no other.

    Misses: shifts of the mean below ``delta``, and whatever leaves the mean alone.

    Reference: Page, "Continuous inspection schemes", Biometrika 41 (1954).

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] += 1.0
    >>> print(f"drift at value {PageHinkley().update(x)[0].row}")
    drift at value 2058
    """

    kind: ClassVar[str] = "page_hinkley"
    remembers = ("_count", "_mean", "_up", "_down", "_least", "_greatest")

    def __init__(self, settings: PageHinkleySettings | None = None) -> None:
        self._options = settings or PageHinkleySettings()
        super().__init__(self._options.n_ref, self._options.n_cur)

    def _start(self) -> None:
        self._count, self._mean, self._up, self._down = 0.0, 0.0, 0.0, 0.0
        self._least, self._greatest = math.inf, -math.inf

    def _take(self, part: Present) -> Step:
        if not self._options.standardize:
            values = np.clip(part.values, -_RAW_LIMIT, _RAW_LIMIT)
            return super()._take(replace(part, values=values))
        n_learn = self._options.n_ref - self._n
        if n_learn > 0:
            return Step(min(n_learn, len(part)))
        center, unit = float(np.mean(self._reference)), deviation(self._reference)
        with np.errstate(over="ignore"):
            distance = (part.values - center) / max(unit, abs(center) / CAP**2, 1.0 / CAP**50)
        return super()._take(replace(part, values=np.clip(distance, -_REACH, _REACH)))

    def _step(self, value: float) -> Measured | None:
        options = self._options
        self._count += 1.0
        self._mean += (value - self._mean) / self._count
        distance = value - self._mean
        self._up = options.forget * self._up + distance - options.delta
        self._down = options.forget * self._down + distance + options.delta
        self._least, self._greatest = min(self._least, self._up), max(self._greatest, self._down)
        if self._count < options.n_start:
            return None
        rise = self._up - self._least if options.direction != "down" else -math.inf
        fall = self._greatest - self._down if options.direction != "up" else -math.inf
        if max(rise, fall) > options.threshold:
            return Measured("page_hinkley", max(rise, fall), options.threshold)
        return None
