"""Tukey's fences: how far beyond the quartiles a value is."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.fieldwise import FieldwiseRule
from detectors.anomaly.history import Past
from detectors.values import Floats, capped_ratio
from schemas.anomaly_settings import IqrSettings


class Iqr(FieldwiseRule):
    """Flags a value that reaches a fence, ``fence`` interquartile ranges beyond a quartile.

    For: skewed fields.

    The score is the distance from the nearer quartile in units of fence * IQR, 0 between the
    quartiles and at most 1e6. It follows skewed fields better than :class:`RobustZ`.

    Misses: everything between the fences, and values that are unusual only together.

    Reference: Tukey, "Exploratory Data Analysis" (1977).

    >>> x = np.random.default_rng(3).exponential(size=(200, 1))
    >>> x[150] = 30.0
    >>> found = Iqr(("a",), IqrSettings(fence=4.0)).score_learn(x)
    >>> print(f"flagged: rows {np.flatnonzero(found >= 1.0)}")
    flagged: rows [150]
    """

    kind: ClassVar[str] = "iqr"
    _n_statistics: ClassVar[int] = 3

    def __init__(self, names: tuple[str, ...], settings: IqrSettings | None = None) -> None:
        settings = settings or IqrSettings()
        super().__init__(names, settings)
        self._fence = settings.fence

    def _measure(self, past: Past) -> Floats:
        return np.stack([past.quantile(q) for q in (0.5, 0.25, 0.75)])

    def _judge(self, x: Floats, statistics: Floats) -> Floats:
        _, low, high = statistics
        beyond = np.maximum(np.maximum(low - x, x - high), 0.0)
        return capped_ratio(beyond, self._fence * (high - low))
