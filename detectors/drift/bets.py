"""Bets on ranks: tables whose columns pay 1 on average when ranks are uniform."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from detectors.values import Floats, Ints

CELLS = 512
"""Ranks in [0, 1] are rounded to this many cells; each cell pays its average, exactly."""

_TILTS = (-6.0, -3.0, -1.0, 1.0, 3.0, 6.0)
_WAVES = (-0.8, 0.8, -0.4, 0.4)
_STEEP, _PART = 50.0, 0.1
_POWERS = (1.2, 1.5)
_SMALLEST_STAKE = 3.0  # of bets on the smallest changes: a coin more or less counts most there


class RankBets(NamedTuple):
    """``pays``: what each bet pays for a rank in each cell, float64 [CELLS, 27], columns of mean 1.

    ``stakes``: which part of a gambler's coins goes into each bet, float64 [27], of sum 1.
    """

    pays: Floats
    stakes: Floats


@lru_cache(maxsize=1)
def rank_bets() -> RankBets:
    """Return the bets.

    Six exponential tilts of the rank u bet on its level (values moved up or down), six of
    abs(2 u - 1) on its spread, and four waves 1 + a cos(4 pi u) on its shape (values moved
    between the middle and the quarters). Eight powers bet on small changes of the level that
    are larger in one tail: on a distribution function F**a in place of F, or 1 - (1 - F)**a, for
    a of 1.2, 1.5 and their inverses (Lehmann, Annals of Mathematical Statistics 24, 1953). A
    power of 1.2 is about the least that a thousand values can show at the default run length,
    so these four have three times the stakes. Three steep tilts stake a tenth of what there is
    on values that lie far out, high, low or either: the beginning of a gradual change.
    """
    edges = np.linspace(0.0, 1.0, CELLS + 1)
    level = [_tilted(tilt, edges) for tilt in _TILTS]
    # abs(2 u - 1) falls to 0 in the middle and rises again, symmetrically.
    halves_at = np.linspace(0.0, 1.0, CELLS // 2 + 1)
    spread = [_mirrored(_tilted(tilt, halves_at)) for tilt in _TILTS]
    waves = np.diff(np.sin(4.0 * np.pi * edges)) / (4.0 * np.pi) * CELLS
    shape = [1.0 + size * waves for size in _WAVES]
    powers = [bet for power in _POWERS for bet in _powers(power, edges)]
    steep = [*(_tilted(tilt, edges) for tilt in (-_STEEP, _STEEP))]
    steep.append(_mirrored(_tilted(_STEEP, halves_at)))
    far = [1.0 - _PART + _PART * bet for bet in steep]
    table = np.ascontiguousarray(np.array([*powers, *level, *spread, *shape, *far]).T)
    stakes = np.ones(table.shape[1])
    stakes[: len(powers) // len(_POWERS)] = _SMALLEST_STAKE
    stakes /= stakes.sum()
    table.flags.writeable = stakes.flags.writeable = False
    return RankBets(table, stakes)


def _tilted(tilt: float, edges: Floats) -> Floats:
    """Return the average of tilt * exp(tilt * u) / (exp(tilt) - 1) between edges in [0, 1]."""
    averages: Floats = np.diff(np.exp(tilt * edges)) / np.expm1(tilt) * (len(edges) - 1)
    return averages


def _powers(power: float, edges: Floats) -> list[Floats]:
    """Return the average of a * u**(a - 1) between edges in [0, 1], for a power and its inverse.

    And the same mirrored, which is that of a * (1 - u)**(a - 1).
    """
    bets = [np.diff(edges**each) * (len(edges) - 1) for each in (power, 1.0 / power)]
    return [*bets, *(bet[::-1] for bet in bets)]


def _mirrored(half: Floats) -> Floats:
    return np.concatenate((half[::-1], half))


def cells(ranks: Floats) -> Ints:
    """Return the cell of each rank in [0, 1]."""
    return np.minimum((ranks * CELLS).astype(np.int64), CELLS - 1)
