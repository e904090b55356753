"""KSWIN: the latest values against as many drawn from those before them."""

import math
import random
from typing import ClassVar

import numpy as np

from detectors.drift.by_value import ByValue
from detectors.drift.contract import Measured
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats
from schemas.drift_settings import KswinSettings

_LEAST = 0.1  # distance below which nothing is reported, however sure
_WORDS = 625  # of the generator's state: 624 and a position


class Kswin(ByValue):
    """Reports when the latest values are not distributed like a draw from older ones.

    For: abrupt changes.

    At every value, the ``latest`` ones of a window of ``window`` are compared with as many
    drawn from the rest, by the two-sample Kolmogorov-Smirnov test with exact p-values at
    ``alpha``. The draws come from ``seed``, so every run gives the same alarms: those of
    River's with that seed, where ``window`` and ``latest`` are 100 and 30 and ``alpha`` 0.005,
    which on 10,000 stationary values means some 50 alarms.

    Misses: changes that come slower than the window is long; it forgets what it was before.

    Reference: Raab, Heusinger and Schleif, "Reactive soft prototype computing for concept drift
    streams", Neurocomputing 416 (2020).

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] += 1.0
    >>> print(f"drift at value {Kswin().update(x)[0].row}")
    drift at value 2053
    """

    kind: ClassVar[str] = "kswin"

    def __init__(self, settings: KswinSettings | None = None) -> None:
        self._options = settings or KswinSettings()
        self._critical = critical_distance(self._options.latest, self._options.alpha)
        super().__init__(self._options.n_ref, self._options.latest)

    def _start(self) -> None:
        self._window: list[float] = []
        self._random = random.Random(self._options.seed)

    def _step(self, value: float) -> Measured | None:
        size, latest = self._options.window, self._options.latest
        self._window = [*self._window[1 - size :], value]
        if len(self._window) < size:
            return None
        drawn = self._random.sample(range(size - latest), latest)
        older = np.array([self._window[index] for index in drawn])
        distance = _distance(older, np.array(self._window[-latest:]))
        if distance < self._critical or distance / latest <= _LEAST:
            return None
        bound = max((self._critical - 1) / latest, _LEAST)
        return Measured("ks_distance", distance / latest, bound, tail(latest, distance))

    def _learnt(self) -> State:
        _, words, _ = self._random.getstate()
        return {"window": np.array(self._window), "random": np.array(words, dtype=np.uint32)}

    def _relearn(self, reader: StateReader, n: int) -> None:
        window = reader.floats("window", (min(n, self._options.window),)).tolist()
        words = reader.array("random", np.uint32, (_WORDS,)).tolist()
        if not 1 <= words[-1] <= _WORDS - 1:
            raise StateError(f"the state of {self.kind} holds no state of a random generator")
        self._window = window
        self._random.setstate((3, tuple(words), None))


def tail(n: int, distance: int) -> float:
    """Return P(n D >= ``distance``) for two samples of ``n`` values without ties: exact.

    By reflection it is 2 sum over k >= 1 of (-1)^(k+1) C(2n, n - k distance) / C(2n, n)
    (Gnedenko and Korolyuk, 1951).

    >>> print(f"{tail(30, 13):.4f}")
    0.0065
    """
    if distance <= 0:
        return 1.0
    terms = (math.comb(2 * n, n - k * distance) for k in range(1, n // distance + 1))
    total = sum(term if k % 2 == 0 else -term for k, term in enumerate(terms))
    return min(1.0, 2.0 * (total / math.comb(2 * n, n)))


def critical_distance(n: int, alpha: float) -> int:
    """Return the least distance, of 1 to ``n`` + 1, whose probability is ``alpha`` at most."""
    return next((d for d in range(1, n + 1) if tail(n, d) <= alpha), n + 1)


def _distance(older: Floats, latest: Floats) -> int:
    """Return how many values more of one sample than of the other lie up to some point."""
    both = np.concatenate((older, latest))
    order = np.sort(both)
    before = np.searchsorted(np.sort(older), order, side="right")
    now = np.searchsorted(np.sort(latest), order, side="right")
    return int(np.abs(before - now).max())
