"""FHDDM: the accuracy of a window against its best so far."""

import math
from typing import ClassVar

import numpy as np

from detectors.drift.by_value import OfErrors
from detectors.drift.contract import Measured
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from schemas.drift_error_settings import FhddmSettings


class Fhddm(OfErrors):
    """Reports when a window's share of right predictions falls too far below its maximum.

    For: abrupt jumps of the error rate.

    The window has the last ``window`` values; the bound on the fall is Hoeffding's,
    sqrt(log(1/``alpha``) / (2 ``window``)): 0.26 by default. Takes errors like its neighbours.
    River's takes 1 for right, against its own documentation; the alarms are the same as those
    of River's fed the right way round.

    Misses: every rise of the error rate by less than the bound.

    Reference: Pesaranghader and Viktor, "Fast Hoeffding drift detection method for evolving
    data streams", ECML PKDD 2016.

    >>> errors = np.random.default_rng(5).random(4000) < np.repeat([0.1, 0.5], 2000)
    >>> print(f"drift at value {Fhddm().update(errors.astype(np.float64))[0].row}")
    drift at value 2037
    """

    kind: ClassVar[str] = "fhddm"

    def __init__(self, settings: FhddmSettings | None = None) -> None:
        self._options = settings or FhddmSettings()
        self._bound = math.sqrt(-math.log(self._options.alpha) / (2.0 * self._options.window))
        super().__init__(self._options)

    def _start(self) -> None:
        self._window = bytearray()  # 1 for right; cut back when twice as long as need be
        self._n_right, self._best = 0, 0.0

    def _step(self, value: float) -> Measured | None:
        size = self._options.window
        self._window.append(value == 0.0)
        self._n_right += self._window[-1]
        if len(self._window) < size:
            return None
        if len(self._window) > size:
            self._n_right -= self._window[-size - 1]
        if len(self._window) >= 2 * size:
            del self._window[:-size]
        accuracy = self._n_right / size
        self._best = max(self._best, accuracy)
        if self._best - accuracy > self._bound:
            return Measured("accuracy_drop", self._best - accuracy, self._bound)
        return None

    def _learnt(self) -> State:
        window = np.frombuffer(bytes(self._window[-self._options.window :]), dtype=np.uint8)
        return {"window": window, "best": self._best}

    def _relearn(self, reader: StateReader, n: int) -> None:
        size = min(n, self._options.window)
        window, best = reader.array("window", np.uint8, (size,)), reader.number("best")
        if window.max(initial=0) > 1 or not 0.0 <= best <= 1.0:
            raise StateError(f"the state of {self.kind} holds no accuracies")
        self._window, self._best = bytearray(window.tobytes()), best
        self._n_right = int(window.sum())
