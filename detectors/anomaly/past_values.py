"""How far is a value from all that a field has been before?"""

from typing import NamedTuple

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats

_BEYOND = np.array([-np.inf, -np.inf, np.inf, np.inf])  # so that every value has neighbours


class Neighbours(NamedTuple):
    """``distance``: to the second nearest past value; ``nearest``: the nearest one itself.

    Both float64 [values]; 0 and NaN while there are no two past values.
    """

    distance: Floats
    nearest: Floats


class PastValues:
    """The latest ``history`` values that were admitted, in order of size.

    The second nearest is asked for, since one earlier outlier must not make the next one usual.

    >>> past = PastValues(history=100)
    >>> past.admit(np.array([1.0, 2.0, 9.0]))
    >>> past.neighbours(np.array([2.5, 20.0]))
    Neighbours(distance=array([ 1.5, 18. ]), nearest=array([2., 9.]))
    """

    def __init__(self, history: int) -> None:
        self._history = history
        self._arrived = np.zeros(0)
        self._ordered = _BEYOND

    def __len__(self) -> int:
        return len(self._arrived)

    def neighbours(self, values: Floats) -> Neighbours:
        """Look up ``values`` (float64 [values], no NaN)."""
        if len(self) < 2:
            return Neighbours(np.zeros(len(values)), np.full(len(values), np.nan))
        ordered = self._ordered
        at = np.searchsorted(ordered[2:-2], values) + 2
        low, high = ordered[at - 1], ordered[at]
        below, above = values - low, high - values
        second = np.minimum(values - ordered[at - 2], ordered[at + 1] - values)
        distance = np.minimum(np.maximum(below, above), second)
        return Neighbours(distance, np.where(below <= above, low, high))

    def admit(self, values: Floats) -> None:
        """Add ``values``, and forget the oldest beyond ``history``."""
        self._arrived = np.concatenate((self._arrived, values))
        fresh = np.sort(values)
        self._ordered = np.insert(self._ordered, np.searchsorted(self._ordered, fresh), fresh)
        n_old = len(self._arrived) - self._history
        if n_old > 0:
            old, self._arrived = np.sort(self._arrived[:n_old]), self._arrived[n_old:].copy()
            twins = np.arange(n_old) - np.searchsorted(old, old)
            self._ordered = np.delete(self._ordered, np.searchsorted(self._ordered, old) + twins)

    def state(self) -> State:
        """Return the values in the order they arrived."""
        return {"arrived": self._arrived.copy()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        arrived = StateReader(state, "PastValues").values("arrived", self._history)
        if not np.isfinite(arrived).all():
            raise StateError("the state of PastValues holds values that are not finite")
        self._arrived = arrived
        self._ordered = np.sort(np.concatenate((arrived, _BEYOND)))
