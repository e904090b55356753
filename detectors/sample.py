"""Samples in a few numbers, and how far two of them lie apart."""

import math

import numpy as np

from detectors.values import CAP, Floats
from schemas.findings import Sample

_LEAST = 8  # values that say anything about a mean
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def summarise(values: Floats) -> Sample:
    """Return the size, mean and quantiles of ``values`` (float64 [n], clean, no NaN, n >= 1)."""
    quantiles = tuple(float(q) for q in np.quantile(values, _QUANTILES))
    return Sample(size=len(values), mean=float(np.mean(values)), quantiles=quantiles)


def deviation(values: Floats) -> float:
    """Return the standard deviation of ``values``, also where their squares overflow."""
    return float(deviations(values))


def deviations(values: Floats) -> Floats:
    """Return the same of each row of ``values`` (float64 [..., n]): float64 [...]."""
    distance = np.abs(values - values.mean(axis=-1, keepdims=True))
    largest = distance.max(axis=-1, initial=0.0, keepdims=True)
    unit = np.where(largest == 0.0, 1.0, largest)
    found: Floats = largest[..., 0] * np.sqrt(np.mean((distance / unit) ** 2, axis=-1))
    return found


def shift(baseline: Floats, current: Floats) -> float:
    """Return the shift of the mean in baseline standard deviations, within ±1e6.

    Over a baseline that never varied, any shift is ±1e6.
    """
    moved, unit = float(np.mean(current) - np.mean(baseline)), deviation(baseline)
    if moved == 0.0:
        return 0.0
    if unit == 0.0 or abs(moved) / CAP > unit:
        return math.copysign(CAP, moved)
    return moved / unit


def since_change(baseline: Floats, recent: Floats) -> Floats:
    """Return the latest of the ``recent`` values, from the most likely moment of a change on.

    When a change is noticed, part of the recent values are still of the old kind; an effect
    measured on all of them would be too small. The cut is where the mean of the values' ranks
    in the baseline, or of their distance from its middle, is most significantly off in
    everything that follows, compared with the baseline's own. Never fewer than 8 values, if
    there are as many.

    >>> old, new = np.tile([1.0, 4.0, 2.0, 3.0], 25), np.full(25, 9.0)
    >>> since_change(old, np.append(old, new)).size
    25
    """
    ordered = np.sort(baseline)
    usual, latest = _scores(ordered, ordered), _scores(ordered, recent[::-1])
    unit = np.maximum(usual.std(axis=1, keepdims=True), 1.0 / len(ordered))
    sums = np.cumsum((latest - usual.mean(axis=1, keepdims=True)) / unit, axis=1)
    sizes = np.arange(1, len(recent) + 1)
    found = int(np.argmax(np.abs(sums).max(axis=0) / np.sqrt(sizes))) + 1
    return recent[-max(found, _LEAST) :]


def _scores(ordered: Floats, values: Floats) -> Floats:
    """Return the ranks of ``values`` in [-1, 1], and their distance from 0: float64 [2, n]."""
    places = sum(np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    rank = places / len(ordered) - 1.0
    return np.stack((rank, 2.0 * np.abs(rank) - 1.0))
