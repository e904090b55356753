"""The tail of a stream of distances: how improbable is one as large as this?"""

import math

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats

_LEVEL = 0.98  # the quantile at which the tail begins
_PRIOR = 3.0  # excesses that the first guess at their mean counts for
_OUTLIER = 10.0  # spreads beyond which an excess says no more about the mean
_LEAST_SHARE = 0.1  # of a spread: the smallest mean excess
_MOST = 300.0  # -log10 of the smallest probability told apart
_FINEST, _COARSEST = 32, 512  # values between two fits, at first and later


class TailSurprise:
    """Turns distances into surprise, -log10 of a tail probability, free of any scale.

    The tail begins at the 0.98 quantile Q of the last ``window`` distances and is exponential
    from there: P(d > Q + e) = 0.02 exp(-e / b), where b is the mean excess over Q. So one
    threshold serves every stream (peaks over a threshold: Pickands, Annals of Statistics 1975;
    for streams: Siffer et al., KDD 2017). Up to Q the surprise is 0. The mean counts an excess
    as ten spreads at most (a spread is Q minus the median), and starts from a guess of half a
    spread that weighs as much as three values. Refitted whenever the count of distances has
    grown by a thirty-second to a sixteenth (a power of two), at most 512 apart.

    >>> tail = TailSurprise(window=5000, warm_up=128)
    >>> tail.learn(np.random.default_rng(1).exponential(size=4096))
    >>> tail.surprise(np.array([1.0, 10.0])).round(1)  # of an exponential: 10 / ln 10 = 4.3
    array([0. , 4.4])
    """

    def __init__(self, window: int, warm_up: int) -> None:
        self._window, self._warm_up = window, warm_up
        self._recent = np.zeros(0)
        self._n_seen = 0
        self._start, self._mean_excess = math.inf, 1.0

    def surprise(self, distances: Floats) -> Floats:
        """Return the surprise of ``distances`` (float64 [values], finite), 0 to 300."""
        if math.isinf(self._start):
            return np.zeros(len(distances))
        excess = distances - self._start
        with np.errstate(over="ignore"):
            beyond = excess / (self._mean_excess * math.log(10.0)) - math.log10(1.0 - _LEVEL)
        return np.where(excess > 0.0, np.minimum(beyond, _MOST), 0.0)

    def learn(self, distances: Floats) -> None:
        """Remember ``distances`` and refit when due; a call may not pass a multiple of 32."""
        self._recent = np.concatenate((self._recent, distances))[-self._window :]
        self._n_seen += len(distances)
        step = min(_COARSEST, max(_FINEST, 1 << self._n_seen.bit_length() >> 5))
        if self._n_seen >= self._warm_up and self._n_seen % step == 0:
            self._fit(np.sort(self._recent))

    def state(self) -> State:
        """Return the recent distances and the tail in force."""
        return {
            "recent": self._recent.copy(),
            "n_seen": self._n_seen,
            "start": float(self._start),
            "mean_excess": float(self._mean_excess),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "TailSurprise")
        n_seen, recent = reader.integer("n_seen"), reader.values("recent", self._window)
        start, mean_excess = reader.number("start"), reader.number("mean_excess")
        if not (np.isfinite(recent).all() and mean_excess > 0.0 and start >= 0.0):
            raise StateError("the state of TailSurprise holds distances or a tail that cannot be")
        self._recent, self._n_seen = recent, n_seen
        self._start, self._mean_excess = start, mean_excess

    def _fit(self, ordered: Floats) -> None:
        place, median = int(_LEVEL * (len(ordered) - 1)), ordered[len(ordered) // 2]
        start = float(ordered[place])
        spread = float(start - median)
        if spread <= 0.0:
            spread = max(1e-9, float(ordered[-1] - median), 1e-3 * start)
        excess = ordered[place + 1 :] - start
        excess = np.minimum(excess[excess > 0.0], _OUTLIER * spread)
        mean = (float(excess.sum()) + _PRIOR * 0.5 * spread) / (len(excess) + _PRIOR)
        self._start, self._mean_excess = start, max(mean, _LEAST_SHARE * spread)
