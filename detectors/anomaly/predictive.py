"""The error of a forecast against its own past."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.contract import FieldScores
from detectors.anomaly.holt_winters import LARGEST, HoltWinters
from detectors.anomaly.moments import Moments
from detectors.anomaly.serial import SerialRule
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import CAP, Floats
from schemas.anomaly_settings import PredictiveAnomalyDetectionSettings


class _Field:
    def __init__(self, settings: PredictiveAnomalyDetectionSettings) -> None:
        self._settings = settings
        self._model = HoltWinters(settings)
        self._errors = Moments()  # of the squared errors
        self._n_seen = 0

    def follow(self, values: Floats, at_s: Floats) -> FieldScores:
        ratio, center = np.zeros(len(values)), np.full(len(values), np.nan)
        for row, value in enumerate(np.clip(values, -LARGEST, LARGEST).tolist()):
            expected = self._model.forecast()
            if expected is not None and self._n_seen >= self._settings.warm_up:
                ratio[row], center[row] = self._judge((expected - value) ** 2), expected
            self._model.learn(value)
            self._n_seen += 1
        return FieldScores(ratio, center)

    def _judge(self, squared_error: float) -> float:
        errors = self._errors
        threshold = errors.mean + self._settings.n_std * errors.deviation
        is_known = errors.n >= 2
        errors.learn(squared_error)
        if not is_known or squared_error == 0.0:
            return 0.0
        return min(squared_error / threshold, CAP) if threshold > 0.0 else CAP

    def state(self) -> State:
        return {
            "model": self._model.state(),
            "errors": self._errors.state(),
            "n_seen": self._n_seen,
        }

    def restore(self, state: State) -> None:
        reader = StateReader(state, "PredictiveAnomalyDetection")
        n_seen = reader.integer("n_seen")
        self._model.restore(reader.mapping("model"))
        self._errors.restore(reader.mapping("errors"))
        self._n_seen = n_seen


class PredictiveAnomalyDetection(SerialRule[_Field]):
    """Flags a value whose squared forecast error exceeds what errors have been so far.

    For: a usual value at an unusual time, in a metric with a trend or a season.

    The forecast is :class:`HoltWinters`'; the threshold is the mean of the squared errors plus
    ``n_std`` of their standard deviations. River's detector of this name scores the error over
    the threshold and ends at exactly 1.0; here it goes on, up to 1e6. Below 1 the scores equal
    River's over ``time_series.HoltWinters(alpha, beta)``, but for the first two errors, of
    which River calls the first an anomaly. The expected value reported is the forecast.

    It finds a usual value at an unusual time, and a break of trend. It takes a level that
    stays changed for one anomaly, and forgets it at the pace of ``alpha``.

    Misses: a level that stays changed, after its first values, and anomalies right after one.

    Reference: Laptev, Amizadeh and Flint, "Generic and scalable framework for automated
    time-series anomaly detection", KDD 2015.

    >>> rows = np.arange(600.0)
    >>> x = (np.sin(rows / 8.0) + np.random.default_rng(3).normal(0.0, 0.02, 600))[:, None]
    >>> x[500] = 0.0  # a usual value, but not there
    >>> scores = PredictiveAnomalyDetection(("a",)).score_learn(x)
    >>> print(f"most unusual: row {scores.argmax()}")
    most unusual: row 500
    """

    kind: ClassVar[str] = "predictive_anomaly_detection"

    def __init__(
        self,
        names: tuple[str, ...],
        settings: PredictiveAnomalyDetectionSettings | None = None,
    ) -> None:
        self._settings = settings or PredictiveAnomalyDetectionSettings()
        super().__init__(names)

    def _track(self) -> _Field:
        return _Field(self._settings)
