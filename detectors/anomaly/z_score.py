"""The plain z-score: how many standard deviations from its mean a value is."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.fieldwise import FieldwiseRule
from detectors.anomaly.history import Past
from detectors.values import Floats, capped_ratio
from schemas.anomaly_settings import ZScoreSettings


class ZScore(FieldwiseRule):
    """Flags a value whose z-score over the field's last ``window`` rows reaches ``limit``.

    For: fields that are normal, and people who want the textbook's score.

    The score is |value - mean| / deviation, over ``limit``. Outliers among the rows remembered
    widen the deviation and hide the next one: with n values no z-score exceeds
    (n - 1) / sqrt(n) (Shiffler, The American Statistician 1988). :class:`RobustZ` has no such
    weakness.

    Misses: outliers beside outliers, and values that are unusual only together.

    Reference: Shiffler, "Maximum Z scores and outliers", The American Statistician 42 (1988).

    >>> x = np.random.default_rng(3).normal(size=(200, 1))
    >>> x[150] = 8.0
    >>> found = ZScore(("a",), ZScoreSettings(limit=5.0)).score_learn(x)
    >>> print(f"flagged: rows {np.flatnonzero(found >= 1.0)}")
    flagged: rows [150]
    """

    kind: ClassVar[str] = "z_score"
    _n_statistics: ClassVar[int] = 2

    def __init__(self, names: tuple[str, ...], settings: ZScoreSettings | None = None) -> None:
        settings = settings or ZScoreSettings()
        super().__init__(names, settings)
        self._limit = settings.limit

    def _measure(self, past: Past) -> Floats:
        known = ~np.isnan(past.ordered)
        size = np.maximum(past.size, 1)
        # Divided before they are added: the sum of huge values may overflow.
        mean = np.where(known, past.ordered / size[:, None], 0.0).sum(axis=1)
        distance = np.where(known, np.abs(past.ordered - mean[:, None]), 0.0)
        largest = distance.max(axis=1, initial=0.0)
        unit = np.where(largest > 0.0, largest, 1.0)
        squares = ((distance / unit[:, None]) ** 2).sum(axis=1) / np.maximum(size - 1, 1)
        # Rounding of the mean is no deviation.
        deviation = np.where(largest <= 1e-12 * np.abs(mean), 0.0, unit * np.sqrt(squares))
        return np.stack((mean, deviation))

    def _judge(self, x: Floats, statistics: Floats) -> Floats:
        mean, deviation = statistics
        distance = np.abs(x - mean)
        distance = np.where(distance <= 1e-12 * np.abs(mean), 0.0, distance)
        return capped_ratio(distance, self._limit * deviation)
