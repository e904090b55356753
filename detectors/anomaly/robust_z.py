"""The robust z-score: how many deviations from its median a value is."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.contract import FieldScores
from detectors.anomaly.fieldwise import FieldwiseRule
from detectors.anomaly.history import Past
from detectors.values import Floats, capped_ratio
from schemas.anomaly_settings import RobustZSettings

_MAD_TO_SD = 1.4826  # 1 / the normal distribution's upper quartile
_MEAN_TO_SD = 1.2533  # sqrt(pi / 2): from the mean absolute deviation
_USUAL = (0.01, 0.99)  # the quantiles between which a value is as usual as can be


class RobustZ(FieldwiseRule):
    """Flags a value whose robust z-score reaches ``limit``.

    For: any single number that has a middle; one outlier does not hide the next.

    The score is |value - median| / (1.4826 * MAD) over the field's last ``window`` rows, in
    standard deviations of a normal distribution. When more than half of the values are equal
    the MAD is 0; then 1.2533 times the mean absolute deviation stands in for it, as Iglewicz
    and Hoaglin propose. A field that never varied has no scale at all: any other value deviates
    by 1e6, the cap on all scores. The range expected is that of the middle 98 % of the values.

    Misses: values that are unusual only together, and skew: the long tail of a skewed field is
    flagged.

    Reference: Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993).

    >>> x = np.random.default_rng(3).normal(size=(200, 2))
    >>> x[150, 1] = 12.0
    >>> found = RobustZ(("a", "b"), RobustZSettings(limit=5.0)).score_learn(x)
    >>> print(f"flagged: rows {np.flatnonzero(found >= 1.0)}")
    flagged: rows [150]
    """

    kind: ClassVar[str] = "robust_z"
    _n_statistics: ClassVar[int] = 4
    _has_range: ClassVar[bool] = True

    def __init__(self, names: tuple[str, ...], settings: RobustZSettings | None = None) -> None:
        settings = settings or RobustZSettings()
        super().__init__(names, settings)
        self.limit = settings.limit

    def fields_learn(self, x: Floats) -> FieldScores:
        """Score and learn ``x`` (float64 [rows, fields]), telling the fields apart."""
        found = self.deviations_learn(x)
        return found._replace(ratio=found.ratio / self.limit)

    def deviations_learn(self, x: Floats) -> FieldScores:
        """Score and learn ``x``; the ratios are robust z-scores, not divided by the limit."""
        return super().fields_learn(x)

    def _measure(self, past: Past) -> Floats:
        median = past.quantile(0.5)
        distance = np.sort(np.abs(past.ordered - median[:, None]), axis=1)
        deviation = Past(distance, past.size).quantile(0.5) * _MAD_TO_SD
        total = np.where(np.isnan(distance), 0.0, distance).sum(axis=1)
        mean = total / np.maximum(past.size, 1) * _MEAN_TO_SD
        unit = np.where(deviation > 0.0, deviation, mean)
        return np.stack((median, unit, *(past.quantile(q) for q in _USUAL)))

    def _judge(self, x: Floats, statistics: Floats) -> Floats:
        median, deviation = statistics[:2]
        return capped_ratio(np.abs(x - median), deviation)
