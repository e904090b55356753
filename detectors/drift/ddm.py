"""DDM: the error rate against its best so far."""

import math
from typing import ClassVar

from detectors.drift.by_value import OfErrors
from detectors.drift.contract import Measured
from schemas.drift_error_settings import DdmSettings


class Ddm(OfErrors):
    """Reports when the error rate since the start rises too far above its minimum.

    For: errors, where the best known method is wanted.

    With p the share of errors among the n values since the start and s = sqrt(p (1 - p) / n),
    it remembers p and s where p + s was least, and reports when p + s exceeds that p plus
    ``deviations`` of that s. Nothing is reported among the first ``n_start`` values. The same
    alarms as River's, but for its trap: there, a minimum found before the first error has s = 0,
    and that error is an alarm; here the minimum is looked for from the first error on.

    Misses: slow increases late in a stream, which the mean over everything dilutes. Cries wolf
    early in a stream: three deviations of a minimum over many looks are little.

    Reference: Gama, Medas, Castillo and Rodrigues, "Learning with drift detection", SBIA 2004.

    >>> import numpy as np
    >>> errors = np.random.default_rng(6).random(4000) < np.repeat([0.1, 0.4], 2000)
    >>> print(f"drift at value {Ddm().update(errors.astype(np.float64))[0].row}")
    drift at value 2056
    """

    kind: ClassVar[str] = "ddm"
    remembers = ("_count", "_rate", "_least_rate", "_least_error")

    def __init__(self, settings: DdmSettings | None = None) -> None:
        self._options = settings or DdmSettings()
        super().__init__(self._options)

    def _start(self) -> None:
        self._count, self._rate = 0.0, 0.0
        self._least_rate, self._least_error = math.inf, 0.0

    def _step(self, value: float) -> Measured | None:
        self._count += 1.0
        self._rate += (value - self._rate) / self._count
        if self._count <= self._options.n_start or self._rate <= 0.0:
            return None
        error = math.sqrt(max(self._rate * (1.0 - self._rate), 0.0) / self._count)
        if self._rate + error <= self._least_rate + self._least_error:
            self._least_rate, self._least_error = self._rate, error
        bound = self._least_rate + self._options.deviations * self._least_error
        if self._rate + error > bound:
            return Measured("error_rate_bound", self._rate + error, bound)
        return None
