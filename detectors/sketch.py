"""A distribution in a few kilobytes: quantiles of any number of values, with a bound on the error.

A KLL sketch. Values wait on level 0. A full level is sorted, every second value goes up a level,
where each counts twice as much, and the others are dropped; whether it is the odd or the even ones,
a coin decides. A rank is then wrong by at most one value's weight for each such step, and as coins
cancel out, by far less.

Reference: Karnin, Lang and Liberty, "Optimal quantile approximation in streams", FOCS 2016.
"""

import math
from typing import NamedTuple

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats, clean

SIZE = 400
"""Values on the highest level at most; a sketch holds three to four times as many in all."""

CONFIDENCE = 0.99

_SHRINK = 2.0 / 3.0  # of a level's capacity to that of the next higher
_LEAST = 16  # values on any level: below, sorting so few costs more than it saves
_MOST_LEVELS = 48
_WORD = 2**64 - 1


class Weighted(NamedTuple):
    """Values in ascending order, and how many values of the stream each stands for."""

    values: Floats
    weights: Floats


class Sketch:
    """Quantiles and ranks of the values seen, of which only about a thousand are kept.

    Up to ``SIZE`` values it is exact. Any split of the values into calls gives the same sketch;
    another order, or merging parts, gives another one within the same bounds. The coins depend on
    nothing but their number, so the same values give the same sketch on every machine.

    >>> x = np.random.default_rng(5).normal(size=100_000)
    >>> sketch = Sketch()
    >>> sketch.update(x)
    >>> print(f"median {sketch.quantile(0.5):+.3f}, ranks within {sketch.rank_error:.4f}")
    median +0.005, ranks within 0.0100
    """

    def __init__(self) -> None:
        self._levels: list[Floats] = [np.zeros(0)]
        self._n = 0
        self._low, self._high = math.inf, -math.inf
        self._n_coins = 0
        self._worst = 0  # the sum of the weights of all steps
        self._squares = 0  # and of their squares

    def __len__(self) -> int:
        """The number of values seen, without NaN."""
        return self._n

    @property
    def n_kept(self) -> int:
        """The number of values kept."""
        return sum(map(len, self._levels))

    @property
    def low(self) -> float:
        """The least value, exact; infinite before the first."""
        return self._low

    @property
    def high(self) -> float:
        """The greatest value, exact; minus infinity before the first."""
        return self._high

    @property
    def worst_rank_error(self) -> float:
        """By how much a rank can be wrong at most, whatever the values, as a share of them."""
        return self._worst / max(1, self._n)

    @property
    def rank_error(self) -> float:
        """By how much a rank is wrong at most with a probability of 99 %, as a share of all.

        Each step adds an error of 0, or of its weight w up or down as the coin fell (Hoeffding).
        """
        spread = math.sqrt(2.0 * self._squares * math.log(2.0 / (1.0 - CONFIDENCE)))
        return min(spread, self._worst) / max(1, self._n)

    def update(self, x: Floats) -> None:
        """Take in ``x`` (float64 [n]); NaN is no value."""
        values = clean(x[~np.isnan(x)])
        if not len(values):
            return
        self._low = min(self._low, float(values.min()))
        self._high = max(self._high, float(values.max()))
        self._n += len(values)
        begin = 0
        while begin < len(values):
            end = begin + self._capacity(0) - len(self._levels[0])
            self._levels[0] = np.concatenate((self._levels[0], values[begin:end]))
            self._compress()
            begin = end

    def merge(self, other: "Sketch") -> None:
        """Take in all that ``other`` has seen; the errors add up."""
        for level, values in enumerate(other._levels):
            if level == len(self._levels):
                self._levels.append(np.zeros(0))
            self._levels[level] = np.concatenate((self._levels[level], values))
        self._n += len(other)
        self._low, self._high = min(self._low, other._low), max(self._high, other._high)
        self._n_coins += other._n_coins
        self._worst += other._worst
        self._squares += other._squares
        self._compress()

    def weighted(self) -> Weighted:
        """Return what is kept; the weights add up to the number of values seen."""
        values = np.concatenate(self._levels)
        weights = np.repeat(
            2.0 ** np.arange(len(self._levels)), [len(level) for level in self._levels]
        )
        order = np.argsort(values, kind="stable")
        return Weighted(values[order], weights[order])

    def ranks(self, points: Floats) -> Floats:
        """Return the share of the values at or below each point; float64 [points] in [0, 1]."""
        values, weights = self.weighted()
        below = np.concatenate(([0.0], np.cumsum(weights)))
        shares: Floats = below[np.searchsorted(values, points, side="right")] / max(1, self._n)
        return np.where(points >= self._high, 1.0, np.where(points < self._low, 0.0, shares))

    def quantile(self, share: float) -> float:
        """Return the least kept value with at least ``share`` of all at or below it.

        Raises ValueError before the first value; 0 and 1 give the exact ends.
        """
        if not self._n:
            raise ValueError("a sketch of no values has no quantiles; update it first")
        if share <= 0.0 or share >= 1.0:
            return self._low if share <= 0.0 else self._high
        values, weights = self.weighted()
        place = np.searchsorted(np.cumsum(weights), share * self._n, side="left")
        return float(values[min(int(place), len(values) - 1)])

    def state(self) -> State:
        """Return what is kept, and what bounds the error."""
        return {
            "levels": [level.copy() for level in self._levels],
            "n": self._n,
            "low": float(self._low),
            "high": float(self._high),
            "n_coins": self._n_coins,
            "worst": self._worst,
            "squares": self._squares,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Sketch")
        kept = _levels(state)
        n, low, high = reader.integer("n"), reader.number("low"), reader.number("high")
        weights = sum(len(level) << height for height, level in enumerate(kept))
        both = np.concatenate(kept)
        if weights != n or not np.isfinite(both).all() or (n and not low <= high):
            raise StateError("the state of Sketch does not add up: it was changed or cut")
        self._n_coins, self._worst = reader.integer("n_coins"), reader.integer("worst")
        self._squares = reader.integer("squares")
        self._levels, self._n, self._low, self._high = kept, n, low, high

    def _capacity(self, level: int) -> int:
        below_top = len(self._levels) - 1 - level
        return max(_LEAST, math.ceil(SIZE * _SHRINK**below_top))

    def _compress(self) -> None:
        """Bring values up until no level is full; the lowest full one goes first."""
        level = 0
        while level < len(self._levels):
            if len(self._levels[level]) < self._capacity(level):
                level += 1
                continue
            if level + 1 == len(self._levels):
                self._levels.append(np.zeros(0))
            self._bring_up(level)
            level = 0

    def _bring_up(self, level: int) -> None:
        ordered = np.sort(self._levels[level])
        left = len(ordered) % 2  # the least value of an odd number stays
        first = _coin(self._n_coins)
        self._levels[level + 1] = np.concatenate(
            (self._levels[level + 1], ordered[left + first :: 2])
        )
        self._levels[level] = ordered[:left]
        self._n_coins += 1
        self._worst += 1 << level
        self._squares += 1 << 2 * level


def _coin(number: int) -> int:
    """Return 0 or 1: the highest bit of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    mixed = (number + 1) * 0x9E3779B97F4A7C15 & _WORD
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _WORD
    return mixed >> 63


def _levels(state: State) -> list[Floats]:
    found = state.get("levels")
    if not isinstance(found, list) or not 1 <= len(found) <= _MOST_LEVELS:
        raise StateError(f"the state of Sketch has no list of 1 to {_MOST_LEVELS} levels")
    named = StateReader({str(i): level for i, level in enumerate(found)}, "Sketch")
    return [named.values(str(i), 4 * SIZE) for i in range(len(found))]
