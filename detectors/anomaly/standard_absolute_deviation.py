"""The distance from the mean of all the past, in standard deviations."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.contract import FieldScores
from detectors.anomaly.moments import Moments, deviations, squarable
from detectors.anomaly.serial import SerialRule
from detectors.state import State
from detectors.values import CAP, Floats
from schemas.anomaly_settings import StandardAbsoluteDeviationSettings


class _Field:
    def __init__(self, settings: StandardAbsoluteDeviationSettings) -> None:
        self._settings = settings
        self._moments = Moments()

    def follow(self, values: Floats, at_s: Floats) -> FieldScores:
        ratio, center = np.zeros(len(values)), np.full(len(values), np.nan)
        moments = self._moments
        for row, value in enumerate(map(squarable, values.tolist())):
            if moments.n >= self._settings.warm_up:
                score = deviations(abs(value - moments.mean), moments.deviation, CAP)
                ratio[row], center[row] = score / self._settings.limit, moments.mean
            moments.learn(value)
        return FieldScores(ratio, center)

    def state(self) -> State:
        return self._moments.state()

    def restore(self, state: State) -> None:
        self._moments.restore(state)


class StandardAbsoluteDeviation(SerialRule[_Field]):
    """Flags a value ``limit`` standard deviations from the mean of all values before it.

    For: comparison with River, and fields whose level never changes.

    The score, |value - mean| / deviation over ``limit``, is that of River's detector of this
    name with ``stats.Mean()``, to rounding; River adds 1e-10 to the deviation, which judges a
    field by its unit, where here a field that never varied deviates by the cap of 1e6. All the
    past counts alike, so it follows no change of level; :class:`ZScore` and :class:`RobustZ`
    do.

    Misses: changes of level, after which it stays loud or deaf.

    Reference: Hochenbaum, Vallis and Kejariwal, "Automatic anomaly detection in the cloud via
    statistical learning", 2017.

    >>> x = np.random.default_rng(3).normal(size=(500, 1))
    >>> x[400] = 6.0
    >>> scores = StandardAbsoluteDeviation(("a",)).score_learn(x)
    >>> print(f"most unusual: row {scores.argmax()}")
    most unusual: row 400
    """

    kind: ClassVar[str] = "standard_absolute_deviation"

    def __init__(
        self, names: tuple[str, ...], settings: StandardAbsoluteDeviationSettings | None = None
    ) -> None:
        self._settings = settings or StandardAbsoluteDeviationSettings()
        super().__init__(names)

    def _track(self) -> _Field:
        return _Field(self._settings)
