"""What of a metric is compared with its past, beside the value itself."""

import math

import numpy as np

from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats

SPREAD_WINDOW = 64  # values; a power of two, since the window is built by doubling

_ADAPTING = 0.1  # weight of a value in the profile of its part of the season, from the tenth on
_DRIFTING = 0.02  # weight of a value in the overall level
_FLAT = 1e-3  # of the first spread that was not zero: what counts as no spread at all
_TINIEST = 1e-9


class SeasonalProfile:
    """What is left of a value without the level usual at its time, such as the hour of day.

    The season has ``bins`` parts, each with a level that moves by a tenth of the way to every
    value (a plain mean of the first ten). Where a part has no value yet, the overall level, an
    exponential mean of weight 0.02, stands in.

    >>> profile = SeasonalProfile(season_s=86_400.0, bins=24)
    >>> profile.residuals_learn(np.array([5.0, 9.0, 6.0]), np.array([0.0, 43_200.0, 86_400.0]))
    array([0., 4., 1.])
    """

    def __init__(self, season_s: float, bins: int) -> None:
        self._season_s, self._bins = season_s, bins
        self._levels: list[float] = [0.0] * bins
        self._counts: list[int] = [0] * bins
        self._overall = math.nan

    def residuals_learn(self, values: Floats, at_s: Floats) -> Floats:
        """Return what is left of ``values`` at the times ``at_s``, learning each after it."""
        parts = (at_s % self._season_s * (self._bins / self._season_s)).astype(np.int64)
        levels, counts, overall = self._levels, self._counts, self._overall
        residuals = []
        parts = np.minimum(parts, self._bins - 1)  # rounding may reach the end of the season
        for part, value in zip(parts.tolist(), values.tolist(), strict=True):
            if overall != overall:
                overall = value
            count = counts[part]
            gap = value - levels[part]
            residuals.append(gap if count else value - overall)
            if count < 10:
                counts[part] = count = count + 1
                gap /= count
            else:
                gap *= _ADAPTING
            levels[part] += gap
            overall += _DRIFTING * (value - overall)
        self._overall = overall
        return np.array(residuals)

    def state(self) -> State:
        """Return the levels and how many values each has seen, up to ten."""
        return {
            "levels": np.array(self._levels),
            "counts": np.array(self._counts, dtype=np.int64),
            "overall": self._overall,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "SeasonalProfile")
        levels = reader.floats("levels", (self._bins,))
        counts = reader.array("counts", np.int64, (self._bins,))
        self._overall = reader.number("overall")
        self._levels, self._counts = levels.tolist(), counts.tolist()


class RollingSpread:
    """The logarithm of the standard deviation of the last 64 values.

    Two windows of equal size with deviations s and t and means m apart make one of twice the
    size: sqrt((s² + t²) / 2 + (m / 2)²) (Chan, Golub and LeVeque, 1983). Six doublings give
    every window of 64, each by the same operations, however the values are batched; nothing is
    subtracted that has to cancel. In logarithms a standstill is as far from usual as a storm.

    >>> spread = RollingSpread()
    >>> values = np.tile([0.0, 2.0], 40)
    >>> len(spread.logs_learn(values)), round(float(spread.logs_learn(values)[-1]), 3)
    (17, 0.001)
    """

    def __init__(self) -> None:
        self._recent = np.zeros(0)
        self._first = 0.0

    def logs_learn(self, values: Floats) -> Floats:
        """Return float64, one for each of ``values`` that ends a full window of 64."""
        window = np.concatenate((self._recent, values))
        self._recent = window[-(SPREAD_WINDOW - 1) :].copy()
        spreads = _spreads(window)
        flat = np.full(len(spreads), _FLAT * self._first + _TINIEST)
        if self._first == 0.0 and spreads.any():
            at = int(np.argmax(spreads > 0.0))
            self._first = float(spreads[at])
            flat[at:] = _FLAT * self._first + _TINIEST
        # Not np.log: its last bit may depend on the place in the array.
        return np.array([math.log(value) for value in (spreads + flat).tolist()])

    def state(self) -> State:
        """Return the last 63 values and the first spread that was not zero."""
        return {"recent": self._recent.copy(), "first": self._first}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "RollingSpread")
        recent, first = reader.values("recent", SPREAD_WINDOW - 1), reader.number("first")
        self._recent, self._first = recent, first


def _spreads(values: Floats) -> Floats:
    """Return the standard deviations of all windows of 64, none for fewer values."""
    if len(values) < SPREAD_WINDOW:
        return np.zeros(0)
    mean, spread, size = values, np.zeros(len(values)), 1
    while size < SPREAD_WINDOW:
        both = np.hypot(spread[:-size], spread[size:]) * math.sqrt(0.5)
        spread = np.hypot(both, (mean[size:] - mean[:-size]) / 2.0)
        mean = (mean[:-size] + mean[size:]) / 2.0
        size *= 2
    return spread
