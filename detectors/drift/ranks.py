"""Where a value lies among the values before it, for many values at once."""

from typing import NamedTuple

import numpy as np

from detectors.values import Floats, Ints

BLOCK = 64
"""The most values ranked in one call: the comparisons among them grow with their square."""

_FEW = 4  # values that are put in their places faster than everything is sorted


class Places(NamedTuple):
    """For each value, among the values before it: how many lie below, equal it, and are there."""

    below: Ints
    equal: Ints
    n: Ints


class SlidingRanks:
    """Ranks each value among the last ``size`` before it, exactly, without a loop over values.

    A block is looked up in the sorted past at once; what the block itself adds to the past and
    pushes out of it is counted by comparing its values with one another. The counts are whole
    numbers, so any split into blocks gives the same.

    >>> SlidingRanks(3, np.array([1.0, 2.0])).push(np.array([2.0, 0.0, 9.0])).below
    array([1, 0, 3])
    """

    def __init__(self, size: int, values: Floats | None = None) -> None:
        self._size = size
        self._past = np.zeros(0) if values is None else values[-size:].copy()
        self._ordered = np.sort(self._past)

    def push(self, x: Floats) -> Places:
        """Rank ``x`` (float64 [n], n <= BLOCK <= size, no NaN), then remember it."""
        n_before = len(self._past) + np.arange(len(x))
        n_gone = np.maximum(n_before - self._size, 0)
        below = np.searchsorted(self._ordered, x, side="left")
        up_to = np.searchsorted(self._ordered, x, side="right")
        if len(x) > 1:
            earlier = np.tri(len(x), len(x), -1, dtype=np.bool_)
            below = below + ((x < x[:, None]) & earlier).sum(axis=1)
            up_to = up_to + ((x <= x[:, None]) & earlier).sum(axis=1)
        if len(x) and n_gone[-1]:
            gone = self._past[: n_gone[-1]]
            left = np.arange(len(gone)) < n_gone[:, None]
            below = below - ((gone < x[:, None]) & left).sum(axis=1)
            up_to = up_to - ((gone <= x[:, None]) & left).sum(axis=1)
        self._remember(x)
        return Places(below, up_to - below, n_before - n_gone)

    def _remember(self, x: Floats) -> None:
        n_gone = max(0, len(self._past) + len(x) - self._size)
        gone, self._past = self._past[:n_gone], np.concatenate((self._past[n_gone:], x))
        if len(x) > _FEW:
            self._ordered = np.sort(self._past)
            return
        for value in gone:
            place = int(np.searchsorted(self._ordered, value))
            self._ordered = np.concatenate((self._ordered[:place], self._ordered[place + 1 :]))
        for value in x:
            place = int(np.searchsorted(self._ordered, value))
            parts = (self._ordered[:place], [value], self._ordered[place:])
            self._ordered = np.concatenate(parts)
