"""Holt-Winters forecasts of one step, additive."""

import math
from collections import deque

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from schemas.anomaly_settings import PredictiveAnomalyDetectionSettings

LARGEST = 1e70
"""Larger values count as this, so that the squares of squared errors stay finite."""


class HoltWinters:
    """Level, trend and season, each smoothed exponentially.

    The first ``max(2, season)`` values give the level (their mean), the trend (their mean
    step) and the season (what is left of each without the level). Before that there is no
    forecast. Without a season the forecasts are those of
    ``river.time_series.HoltWinters(alpha, beta)``; River starts a season from ratios even in
    the additive form, divides by a level of zero, and raises when asked too early.

    Reference: Winters, "Forecasting sales by exponentially weighted moving averages",
    Management Science 1960.
    """

    def __init__(self, settings: PredictiveAnomalyDetectionSettings) -> None:
        self._settings = settings
        self._first: list[float] = []
        self._level = self._trend = 0.0
        self._season: deque[float] = deque(maxlen=max(1, settings.season))

    def forecast(self) -> float | None:
        """Return the value expected next, or None while there is no telling."""
        if len(self._first) < self._n_first:
            return None
        return self._level + self._trend + self._seasonal()

    def learn(self, value: float) -> None:
        """Learn the next value."""
        if len(self._first) < self._n_first:
            self._first.append(value)
            if len(self._first) == self._n_first:
                self._start()
            return
        alpha, beta, gamma = self._settings.alpha, self._settings.beta, self._settings.gamma
        level, trend = self._level, self._trend
        self._level = _held(alpha * (value - self._seasonal()) + (1 - alpha) * (level + trend))
        self._trend = _held(beta * (self._level - level) + (1 - beta) * trend)
        if self._settings.season:
            rest = gamma * (value - level - trend) + (1 - gamma) * self._seasonal()
            self._season.append(_held(rest))

    def state(self) -> State:
        """Return the three components and the first values."""
        return {
            "first": np.array(self._first),
            "level": float(self._level),
            "trend": float(self._trend),
            "season": np.array(self._season),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "HoltWinters")
        first = reader.values("first", self._n_first)
        n_season = self._settings.season if len(first) == self._n_first else 0
        season = reader.floats("season", (n_season,))
        level, trend = reader.number("level"), reader.number("trend")
        if not all(map(math.isfinite, [*first, *season, level, trend])):
            raise StateError("the state of HoltWinters holds numbers that are not finite")
        self._first, self._level, self._trend = first.tolist(), level, trend
        self._season = deque(season.tolist(), maxlen=self._season.maxlen)

    @property
    def _n_first(self) -> int:
        return max(2, self._settings.season)

    def _seasonal(self) -> float:
        return self._season[0] if self._settings.season else 0.0

    def _start(self) -> None:
        first = self._first
        self._level = math.fsum(first) / len(first)
        self._trend = (first[-1] - first[0]) / (len(first) - 1)
        if self._settings.season:
            self._season.extend(value - self._level for value in first)


def _held(component: float) -> float:
    # Some weights let the components grow without end; errors of that size say nothing more.
    return min(max(component, -2.0 * LARGEST), 2.0 * LARGEST)
