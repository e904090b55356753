"""An adaptive threshold: which scores belong to the highest share of their recent past?"""

from typing import NamedTuple

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats, Ints, clean
from schemas.anomaly_settings import QuantileSettings

_TAIL = 0.02  # of the window: the scores to which the tail is fitted
_LEAST_TAIL = 10
_LEAST_P = 1e-12
_EARLIEST = 100  # scores from which the tail is extrapolated at all
_DOUBT = 2.0  # what a mean excess counts before the warm-up ends: the bound of 95 % is 1.84
_FLAGS = 100.0  # expected flags in which a wrong share is put right
_SOONER = 2.0  # over the scores so far: the least rate at which it is
_NARROWEST, _WIDEST = 0.25, 3.0  # of the share: what the threshold may aim at
_CROWD = 64  # scores among which no flagged one may be the usual one


class Judged(NamedTuple):
    """Each score's place among its past; all [scores].

    ``threshold``: float64, the bound in force, infinite before the warm-up ends. ``flagged``:
    bool, whether the score lies above it. ``p_value``: float64 in (0, 1], the tail probability.
    ``n_past``: int64, how many scores the p-value rests on; with none it is 1.0.
    """

    threshold: Floats
    flagged: Bools
    p_value: Floats
    n_past: Ints

    @classmethod
    def nothing(cls, n_scores: int) -> "Judged":
        """What there is to say about scores that are not judged."""
        return cls(
            np.full(n_scores, np.inf),
            np.zeros(n_scores, dtype=np.bool_),
            np.ones(n_scores),
            np.zeros(n_scores, dtype=np.int64),
        )


class AdaptiveQuantile:
    """Flags about ``share`` of the scores, however they are distributed and change.

    The threshold is the ``1 - aim`` quantile of the latest scores, placed between the order
    statistics: with n of them, at rank ``aim * (n + 1)`` from the top, which for exchangeable
    continuous scores flags the share ``aim`` exactly. The latest are the last ``window``, at
    first the later half of all (but the warm-up's number at least), since detectors that have
    just begun score higher. It is first set after ``warm_up`` scores, or after ``1 / share``
    where that is more, and refreshed as the count grows by a sixteenth to an eighth (a power of
    two), at most ``stride`` scores apart. The flagged scores are remembered like all others.

    ``aim`` begins at ``share``; after n scores of which k were flagged it moves by
    r (share n - k), so that the share is kept in the long run where scores are not exchangeable,
    too (adaptive conformal inference: Gibbs and Candès, NeurIPS 2021). r is a hundredth of
    the share and at most 1 / (4 ``stride``), but at least 2 over the number of scores so far.
    ``aim`` stays between a quarter of the share and three times the share: a storm cannot make
    the threshold deaf, nor a calm make it flag anything.

    Only scores strictly above the threshold are flagged, and none that is equal to more than
    half of the 64 before it, since that is the usual one now, however high. Ties therefore lower
    the flagged share: of scores that take few values, those at the highest value are flagged
    only when they are rare.

    ``p_value`` is (1 + #{scores >= s}) / (n + 1) over the n latest scores of the last refresh,
    from the second score on. Above their maximum M it goes on as exp(-(s - M) / b) / (n + 1),
    where b is the mean excess of the highest 2 % (at least 10) over the score below them: an
    exponential tail, which errs towards small values when the tail is heavier. It does so from
    100 scores on, with b doubled until the warm-up ends. It is at least 1e-12.

    >>> scores = np.random.default_rng(1).normal(size=20_000)
    >>> judged = AdaptiveQuantile().update(scores)
    >>> print(f"flagged {judged.flagged[250:].mean():.2%}")
    flagged 1.02%
    """

    def __init__(self, settings: QuantileSettings | None = None) -> None:
        self._settings = settings or QuantileSettings()
        options = self._settings
        self._rate = min(options.share / _FLAGS, 0.25 / options.stride)
        self._past = np.zeros(0)  # the scores of the last refresh, the oldest first
        self._since = np.zeros(0)  # those after it
        self._n_flagged = 0  # of those after it
        self._aim = options.share
        self._threshold = np.inf
        self._set_ordered(np.zeros(0))
        self.n_seen = 0

    @property
    def warm_up(self) -> int:
        """The number of scores seen before the first can be flagged."""
        return max(self._settings.warm_up, int(np.ceil(1.0 / self._settings.share)))

    @property
    def is_ready(self) -> bool:
        """Whether the next score can be flagged."""
        return self.n_seen >= self.warm_up

    def update(self, scores: Floats) -> Judged:
        """Judge each score by those before it, then remember it; float64 [scores], no NaN."""
        scores = clean(scores)
        judged = Judged.nothing(len(scores))
        begin = 0
        while begin < len(scores):
            left = self._until_refresh()
            part = slice(begin, min(begin + left, len(scores)))
            judged.threshold[part] = self._threshold
            judged.flagged[part] = flagged = self._flagged(scores[part])
            judged.p_value[part] = self._p_values(scores[part])
            judged.n_past[part] = len(self._ordered)
            self._n_flagged += int(np.count_nonzero(flagged))
            self._since = np.concatenate((self._since, scores[part]))
            self.n_seen += part.stop - part.start
            if part.stop == begin + left:
                self._refresh()
            begin = part.stop
        return judged

    def state(self) -> State:
        """Return the scores of the last refresh, those since, and what the threshold aims at."""
        return {
            "past": self._past.copy(),
            "since": self._since.copy(),
            "threshold": float(self._threshold),
            "aim": float(self._aim),
            "n_flagged": self._n_flagged,
            "n_seen": self.n_seen,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "AdaptiveQuantile")
        n_seen, threshold = reader.integer("n_seen"), reader.number("threshold")
        aim, n_flagged = reader.number("aim"), reader.integer("n_flagged")
        since = reader.values("since", min(n_seen, self._settings.stride))
        past = reader.floats("past", (self._kept(n_seen - len(since)),))
        if np.isnan(threshold) or np.isnan(past).any() or np.isnan(since).any():
            raise StateError("the state of AdaptiveQuantile holds NaN, which no score is")
        if not self._bounded(aim) == aim or n_flagged > len(since):
            raise StateError("the state of AdaptiveQuantile has an aim or a count that cannot be")
        self._past, self._since, self.n_seen = past, since, n_seen
        self._threshold, self._aim, self._n_flagged = threshold, aim, n_flagged
        self._set_ordered(np.sort(past))

    def _until_refresh(self) -> int:
        """Return how many scores are left until the refresh that the count alone decides."""
        step = min(self._settings.stride, max(1, 1 << self.n_seen.bit_length() >> 4))
        left = step - self.n_seen % step
        return left if self.is_ready else min(left, self.warm_up - self.n_seen)

    def _flagged(self, scores: Floats) -> Bools:
        flagged: Bools = scores > self._threshold
        if flagged.any():
            before = np.concatenate((self._past[-_CROWD:], self._since))[-_CROWD:]
            line = np.concatenate((before, scores))
            for at in (np.flatnonzero(flagged) + len(before)).tolist():
                alike = np.count_nonzero(line[max(0, at - _CROWD) : at] == line[at])
                flagged[at - len(before)] = 2 * alike <= _CROWD
        return flagged

    def _refresh(self) -> None:
        self._past = np.concatenate((self._past, self._since))[-self._kept(self.n_seen) :]
        self._set_ordered(np.sort(self._past))
        if self.is_ready:
            if np.isfinite(self._threshold):
                error = self._settings.share * len(self._since) - self._n_flagged
                rate = max(self._rate, _SOONER / self.n_seen)
                self._aim = self._bounded(self._aim + rate * error)
            self._threshold = self._placed()
        self._since, self._n_flagged = np.zeros(0), 0

    def _kept(self, n_seen: int) -> int:
        """Return how many of the latest scores count after ``n_seen``."""
        return min(n_seen, self._settings.window, max(self.warm_up, n_seen // 2))

    def _bounded(self, aim: float) -> float:
        share = self._settings.share
        return min(max(aim, _NARROWEST * share), _WIDEST * share)

    def _placed(self) -> float:
        """Return the threshold for what it aims at."""
        ordered, n = self._ordered, len(self._ordered)
        place = max(0.0, n - self._aim * (n + 1))
        low = min(int(place), n - 1)
        step_up = ordered[min(low + 1, n - 1)] - ordered[low]
        return float(ordered[low] + step_up * (place - low))

    def _set_ordered(self, ordered: Floats) -> None:
        self._ordered = ordered
        tail = ordered[-max(_LEAST_TAIL, int(_TAIL * len(ordered))) - 1 :]
        self._mean_excess = 0.0
        if len(ordered) >= _EARLIEST:
            doubt = 1.0 if len(ordered) >= self.warm_up else _DOUBT
            self._mean_excess = doubt * float((tail[1:] - tail[0]).mean())

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
