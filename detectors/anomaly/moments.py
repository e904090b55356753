"""Mean and deviation of all values so far, one value at a time."""

import math

from detectors.state import State, StateError
from detectors.state_reader import StateReader

SQUARABLE = 1e140
"""Larger values count as this by whatever adds up squares, so that these stay finite."""


class Moments:
    """Welford's algorithm, in the order of operations of River's ``Mean`` and ``Var``.

    >>> moments = Moments()
    >>> for value in (2.0, 4.0, 6.0):
    ...     moments.learn(value)
    >>> moments.mean, moments.deviation
    (4.0, 2.0)
    """

    __slots__ = ("_squares", "mean", "n")

    def __init__(self) -> None:
        self.n, self.mean, self._squares = 0, 0.0, 0.0

    def learn(self, value: float) -> None:
        """Add a value within ±:data:`SQUARABLE`."""
        self.n += 1
        before = self.mean
        self.mean += (1.0 / self.n) * (value - before)
        self._squares += (value - before) * (value - self.mean)

    @property
    def deviation(self) -> float:
        """The sample standard deviation; 0 for fewer than two values."""
        return math.sqrt(max(0.0, self._squares / (self.n - 1))) if self.n > 1 else 0.0

    def state(self) -> State:
        """Return count, mean and sum of squares."""
        return {"n": self.n, "mean": float(self.mean), "squares": float(self._squares)}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Moments")
        n, mean, squares = reader.integer("n"), reader.number("mean"), reader.number("squares")
        if not (math.isfinite(mean) and math.isfinite(squares)):
            raise StateError("the state of Moments holds numbers that are not finite")
        self.n, self.mean, self._squares = n, mean, squares


def squarable(value: float) -> float:
    """Return ``value`` within ±:data:`SQUARABLE`."""
    return min(max(value, -SQUARABLE), SQUARABLE)


def deviations(distance: float, deviation: float, cap: float) -> float:
    """Return ``distance / deviation`` up to ``cap``; any distance over no deviation is ``cap``."""
    if distance == 0.0:
        return 0.0
    return min(distance / deviation, cap) if deviation > 0.0 else cap
