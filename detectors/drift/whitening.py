"""What is predictable in a stream, its level and its volatility, taken out of it."""

from dataclasses import dataclass, replace

import numpy as np

from detectors.chi_squared import upper_quantile
from detectors.drift.regression import least_squares
from detectors.values import Floats

TAPS = 32
"""Values that a prediction looks back on; a power of two."""

REACH = 2 * TAPS
"""Values needed before the first that can be whitened: volatility is that of residuals."""

_DECAY = 0.95  # of the weights of those values, from the newest to the oldest
_CHANCE = 1e-4  # of finding what is not there, for each fit
_FAR = 8.0  # quartile distances from the median; values beyond predict nothing
_LARGE = 4.0  # mean residuals; larger ones count as that
_MOST = 0.9  # of a shift that the smoothed level may take out: a season may go, but not a drift
_CALM = 0.2  # of the mean volatility: the least that is predicted


@dataclass(frozen=True)
class Whitening:
    """How to predict a value from those before it; the default predicts nothing.

    ``weights``: of the last value, the last but one, and the smoothed level, all in units of
    ``unit`` around ``center`` and kept within 8 of them; all 0 where the level is not
    significantly predictable. ``slope``: how the size of a residual follows the smoothed size
    of those before, which is ``mean_size`` on average and measured in ``size_unit``; 0 where
    the volatility is not significantly predictable.
    """

    center: float = 0.0
    unit: float = 1.0
    weights: tuple[float, float, float] = (0.0, 0.0, 0.0)
    slope: float = 0.0
    size_unit: float = 1.0
    mean_size: float = 1.0

    @property
    def is_active(self) -> bool:
        """Whether anything is predictable."""
        return self.slope > 0.0 or any(self.weights)

    def residuals(self, values: Floats) -> Floats:
        """Return what is left of ``values[REACH:]`` (float64), infinite where it overflows.

        Each depends on the ``REACH`` values before it alone, in every bit.
        """
        level = self._level_residuals(values)
        if not self.slope:
            return level[TAPS:]
        excess = _smoothed(self._sizes(level))[:-1] - self.mean_size
        size = np.maximum(self.mean_size + self.slope * excess, _CALM * self.mean_size)
        with np.errstate(over="ignore"):
            scaled: Floats = level[TAPS:] / size
        return scaled

    def follow(self, past: Floats, values: Floats) -> Floats:
        """Return what is left of ``values``, which come after ``past`` (n >= REACH)."""
        if self.is_active:
            return self.residuals(np.concatenate((past[-REACH:], values)))
        return values - self.center

    def numbers(self) -> Floats:
        """Return the parameters, float64 [8]; :func:`from_numbers` reads them."""
        first, second, smoothed = self.weights
        rest = (self.slope, self.size_unit, self.mean_size)
        return np.array([self.center, self.unit, first, second, smoothed, *rest])

    def _level_residuals(self, values: Floats) -> Floats:
        if not any(self.weights):
            return values[TAPS:] - self.center
        with np.errstate(over="ignore"):
            rest: Floats = (values[TAPS:] - self.center) / self.unit
        for weight, column in zip(self.weights, _past(self._scaled(values)), strict=True):
            rest = rest - weight * column
        return rest

    def _scaled(self, values: Floats) -> Floats:
        reach = _FAR * self.unit
        return (np.clip(values, self.center - reach, self.center + reach) - self.center) / self.unit

    def _sizes(self, residuals: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.minimum(np.abs(residuals) / self.size_unit, _LARGE)


def fitted(values: Floats) -> Whitening:
    """Return the whitening that ``values`` (float64 [n], n > 2 * REACH) give evidence for.

    The level is regressed on two lags and a smoothed level, by least squares; the size of the
    residuals on their smoothed size. Each is used only where n R squared exceeds what chance
    alone gives one time in 10,000.

    >>> noise = np.random.default_rng(1).normal(size=400)
    >>> fitted(noise).is_active, fitted(np.cumsum(noise)).is_active
    (False, True)
    """
    first, median, third = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    if not third > first:
        return Whitening()
    whitening = Whitening(center=median, unit=third - first)
    found = _with_volatility(_with_level(whitening, values), values)
    return found if found.is_active else Whitening()


def from_numbers(numbers: Floats) -> Whitening:
    """Return the whitening with these parameters, as :meth:`Whitening.numbers` gave them."""
    center, unit, first, second, smoothed, slope, size_unit, mean_size = numbers.tolist()
    return Whitening(center, unit, (first, second, smoothed), slope, size_unit, mean_size)


def _with_level(whitening: Whitening, values: Floats) -> Whitening:
    scaled = whitening._scaled(values)
    mean = float(scaled.mean())
    fit = least_squares(_past(scaled - mean), scaled[TAPS:] - mean)
    if fit.evidence <= upper_quantile(_CHANCE, 3):
        return whitening
    first, second, smoothed = fit.weights
    smoothed = min(smoothed, max(_MOST - first - second, 0.0))
    return replace(whitening, weights=(first, second, smoothed))


def _with_volatility(whitening: Whitening, values: Floats) -> Whitening:
    residuals = whitening._level_residuals(values)
    sizes = np.abs(residuals)
    size_unit = float(np.median(sizes))
    if not 0.0 < size_unit < np.inf:
        return whitening
    whitening = replace(whitening, size_unit=size_unit)
    sizes = whitening._sizes(residuals)
    mean = float(sizes.mean())
    fit = least_squares([_smoothed(sizes)[:-1] - mean], sizes[TAPS:] - mean)
    slope = min(fit.weights[0], 1.0)
    if slope <= 0.0 or fit.evidence <= upper_quantile(_CHANCE, 1):
        return whitening
    return replace(whitening, slope=slope, mean_size=mean)


def _past(scaled: Floats) -> list[Floats]:
    """Return what ``scaled[TAPS:]`` is predicted by."""
    return [scaled[TAPS - 1 : -1], scaled[TAPS - 2 : -2], _smoothed(scaled)[:-1]]


def _smoothed(values: Floats) -> Floats:
    """Return the weighted means of every ``TAPS`` values in a row, by doubling the reach."""
    total, step, weight = values, 1, _DECAY
    while step < TAPS:
        total = total[step:] + weight * total[:-step]
        step, weight = 2 * step, weight * weight
    return total * ((1.0 - _DECAY) / (1.0 - _DECAY**TAPS))
