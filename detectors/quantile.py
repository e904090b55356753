"""An adaptive threshold: which scores belong to the highest share of their recent past?"""

from typing import NamedTuple

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats, clean
from schemas.anomaly_settings import QuantileSettings

_TAIL = 0.02  # of the window: the scores to which the tail is fitted
_LEAST_TAIL = 10
_LEAST_P = 1e-12


class Judged(NamedTuple):
    """Each score's place among its past; all [scores].

    ``threshold``: float64, the bound in force, infinite before the first refresh. ``flagged``:
    bool, whether the score lies above it. ``p_value``: float64 in (0, 1], the tail probability;
    1.0 before the first refresh.
    """

    threshold: Floats
    flagged: Bools
    p_value: Floats


class AdaptiveQuantile:
    """Flags about ``share`` of the scores, however they are distributed.

    The threshold is the ``1 - share`` quantile of the last ``window`` scores, placed between
    the order statistics such that for exchangeable continuous scores the probability of being
    flagged is exactly ``share``: with n scores, at rank ``share * (n + 1)`` from the top. It is
    first set after ``warm_up`` scores, or after ``1 / share`` where that is more, and then
    refreshed as the count grows by a sixteenth to an eighth (a power of two), at most
    ``stride`` scores apart. The flagged scores enter the window like all others.

    Only scores strictly above the threshold are flagged. Ties therefore lower the flagged share
    and never raise it: of scores that take few values, those at the highest value are flagged
    only when they are rarer than ``share``.

    ``p_value`` is (1 + #{scores >= s}) / (n + 1) over the n scores of the last refresh. Above
    their maximum M it goes on as exp(-(s - M) / b) / (n + 1), where b is the mean excess of the
    highest 2 % (at least 10) over the score below them: an exponential tail, which errs
    towards small values when the tail is heavier. It is at least 1e-12.

    >>> scores = np.random.default_rng(1).normal(size=20_000)
    >>> judged = AdaptiveQuantile().update(scores)
    >>> print(f"flagged {judged.flagged[250:].mean():.2%}")
    flagged 1.02%
    """

    def __init__(self, settings: QuantileSettings | None = None) -> None:
        self._settings = settings or QuantileSettings()
        self._ring = np.zeros(0)
        self._threshold = np.inf
        self._set_ordered(np.zeros(0))
        self.n_seen = 0

    @property
    def warm_up(self) -> int:
        """The number of scores seen before the first can be flagged."""
        return max(self._settings.warm_up, int(np.ceil(1.0 / self._settings.share)))

    def update(self, scores: Floats) -> Judged:
        """Judge each score by those before it, then remember it; float64 [scores], no NaN."""
        scores = clean(scores)
        judged = Judged(
            np.empty(len(scores)), np.empty(len(scores), dtype=np.bool_), np.empty(len(scores))
        )
        begin = 0
        while begin < len(scores):
            left = self._until_refresh()
            part = slice(begin, min(begin + left, len(scores)))
            judged.threshold[part] = self._threshold
            judged.flagged[part] = scores[part] > self._threshold
            judged.p_value[part] = self._p_values(scores[part])
            self._remember(scores[part])
            if part.stop == begin + left:
                self._refresh(np.sort(self._ring))
            begin = part.stop
        return judged

    def state(self) -> State:
        """Return the recent scores and those of the last refresh."""
        return {
            "ring": self._ring.copy(),
            "ordered": self._ordered.copy(),
            "threshold": float(self._threshold),
            "n_seen": self.n_seen,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "AdaptiveQuantile")
        n_seen, threshold = reader.integer("n_seen"), reader.number("threshold")
        ring = reader.floats("ring", (min(n_seen, self._settings.window),))
        ordered = reader.values("ordered", self._settings.window)
        if np.isnan(threshold) or np.isnan(ring).any() or np.isnan(ordered).any():
            raise StateError("the state of AdaptiveQuantile holds NaN, which no score is")
        self._ring, self._threshold, self.n_seen = ring, threshold, n_seen
        self._set_ordered(ordered)

    def _until_refresh(self) -> int:
        """Return how many scores are left until the refresh that the count alone decides."""
        if self.n_seen < self.warm_up:
            return self.warm_up - self.n_seen
        step = min(self._settings.stride, max(1, 1 << self.n_seen.bit_length() >> 4))
        return step - self.n_seen % step

    def _remember(self, scores: Floats) -> None:
        window, n_after = self._settings.window, self.n_seen + len(scores)
        n_more = min(n_after, window) - len(self._ring)
        if n_more:
            self._ring = np.concatenate((self._ring, np.zeros(n_more)))
        recent = scores[-window:]
        first = (n_after - len(recent)) % window
        if first + len(recent) <= window:
            self._ring[first : first + len(recent)] = recent
        else:
            self._ring[np.arange(n_after - len(recent), n_after) % window] = recent
        self.n_seen = n_after

    def _refresh(self, ordered: Floats) -> None:
        n = len(ordered)
        place = n - self._settings.share * (n + 1)
        low = int(place)
        step_up = ordered[min(low + 1, n - 1)] - ordered[low]
        self._threshold = float(ordered[low] + step_up * (place - low))
        self._set_ordered(ordered)

    def _set_ordered(self, ordered: Floats) -> None:
        self._ordered = ordered
        tail = ordered[-max(_LEAST_TAIL, int(_TAIL * len(ordered))) - 1 :]
        self._mean_excess = float((tail[1:] - tail[0]).mean()) if len(tail) > 1 else 0.0

    def _p_values(self, scores: Floats) -> Floats:
        if not len(self._ordered):
            return np.ones(len(scores))
        n = len(self._ordered)
        at_least = n - np.searchsorted(self._ordered, scores, side="left")
        p_value = (1.0 + at_least) / (n + 1.0)
        if self._mean_excess > 0.0:
            excess = np.maximum(scores - self._ordered[-1], 0.0)
            with np.errstate(over="ignore"):
                p_value = p_value * np.exp(-excess / self._mean_excess)
        floored: Floats = np.maximum(p_value, _LEAST_P)
        return floored
