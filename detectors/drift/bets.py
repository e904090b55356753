"""Bets on ranks: tables whose columns pay 1 on average when ranks are uniform."""

from functools import lru_cache

import numpy as np

from detectors.values import Floats, Ints

CELLS = 512
"""Ranks in [0, 1] are rounded to this many cells; each cell pays its average, exactly."""

_TILTS = (-6.0, -3.0, -1.0, 1.0, 3.0, 6.0)
_WAVES = (-0.8, 0.8, -0.4, 0.4)
_STEEP, _PART = 20.0, 0.2


@lru_cache(maxsize=1)
def rank_bets() -> Floats:
    """Return what each bet pays for a rank in each cell: float64 [19, CELLS], rows of mean 1.

    Six exponential tilts of the rank u bet on its level (values moved up or down), six of
    abs(2 u - 1) on its spread, and four waves 1 + a cos(4 pi u) on its shape (values moved
    between the middle and the quarters). Three steep tilts stake a fifth of what there is on
    some values lying far out, high, low or either: the beginning of a gradual change.
    """
    edges = np.linspace(0.0, 1.0, CELLS + 1)
    level = [_tilted(tilt, edges) for tilt in _TILTS]
    # abs(2 u - 1) falls to 0 in the middle and rises again, symmetrically.
    halves_at = np.linspace(0.0, 1.0, CELLS // 2 + 1)
    halves = [_tilted(tilt, halves_at) for tilt in _TILTS]
    spread = [np.concatenate((half[::-1], half)) for half in halves]
    waves = np.diff(np.sin(4.0 * np.pi * edges)) / (4.0 * np.pi) * CELLS
    far = [1.0 - _PART + _PART * _tilted(tilt, edges) for tilt in (-_STEEP, _STEEP)]
    half = 1.0 - _PART + _PART * _tilted(_STEEP, halves_at)
    shape = [1.0 + size * waves for size in _WAVES]
    table = np.array([*level, *spread, *shape, *far, np.concatenate((half[::-1], half))])
    table.flags.writeable = False
    return table


def _tilted(tilt: float, edges: Floats) -> Floats:
    """Return the average of tilt * exp(tilt * u) / (exp(tilt) - 1) between edges in [0, 1]."""
    averages: Floats = np.diff(np.exp(tilt * edges)) / np.expm1(tilt) * (len(edges) - 1)
    return averages


def cells(ranks: Floats) -> Ints:
    """Return the cell of each rank in [0, 1]."""
    return np.minimum((ranks * CELLS).astype(np.int64), CELLS - 1)
