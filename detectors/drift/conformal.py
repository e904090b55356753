"""Bets on the ranks of values among those before them: the detector for whatever distribution."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from detectors.drift.bets import cells, rank_bets
from detectors.drift.contract import Detection, Input, Measured, detection
from detectors.drift.evidence import Evidence, push_all
from detectors.drift.latest import Latest
from detectors.drift.present import Present
from detectors.drift.ranks import SlidingRanks
from detectors.drift.uniforms import uniforms
from detectors.drift.whitening import REACH, Whitening, fitted, from_numbers
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats, Ints
from schemas.drift_settings import ConformalSettings

_REFITS = (400, 500, 600, 800, 1000, 1200, 1600, 2000, 2400, 3200)  # values since the start
_CAUTION = 100.0  # by which the threshold is higher when values depend on their past
_BATCH = 512  # values judged at once at most, which bounds what the bets on them take
_TOGETHER = 8  # detectors that judge at once at most, for the same reason
_CURRENT = 1000  # of the last values at most, those in which the change is looked for


class Conformal:
    """Reports when ranks have not been uniform for long enough to bet on it.

    For: data and prediction drift of whatever kind: level, spread, shape. The default.

    Each value is ranked among the last ``n_ref`` before it, ties broken at random by ``seed``.
    As long as values are exchangeable their ranks u are independent and uniform, whatever the
    distribution. Twenty-seven bets on level, spread and shape pay b(u), on average 1; the mean
    of their Shiryaev-Roberts sums M = (M + 1) * b(u), with larger stakes on the smallest
    changes, is the statistic ``sr_e_detector``, and ``run_length`` the threshold: P(false alarm
    within n values) <= n / ``run_length``. That is exact up to ``n_ref`` values after a start and
    very nearly so afterwards. With weights, in false alarms, M = (M + w) * b(u) and the threshold
    is 1: false alarms are as many as the sum of the weights on average, at most.

    Values that depend on their past are not exchangeable, so the predictable part is taken out
    first, where there is significant evidence of one: a regression on two lags and a smoothed
    level, and the same for the size of what is left (volatility). It is fitted to the first
    ``n_start`` values and fitted anew at fixed counts up to 3200; while one is in use the
    threshold is 100 times as high, for what it leaves over. Nothing is reported before.

    Misses: what the regression takes for the stream's own way of moving; a change within the
    first ``n_start`` values; one so slow that the baseline follows it. Cries wolf on seasons
    longer than some 2,000 values, each time anew: a report starts the learning again.

    References: Vovk, "Testing randomness online", Statistical Science 36 (2021); Shin, Ramdas
    and Rinaldo, "E-detectors", New England Journal of Statistics in Data Science 2 (2024).

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] += 1.0
    >>> print(f"drift at value {Conformal().update(x)[0].row}")
    drift at value 2031
    """

    kind: ClassVar[str] = "conformal"
    takes: ClassVar[Input] = "values"

    def __init__(self, settings: ConformalSettings | None = None) -> None:
        self._options = settings or ConformalSettings()
        self._bets = rank_bets()
        self._n_seen = 0
        self._start()

    def update(self, x: Floats, weights: Floats | None = None) -> list[Detection]:
        """Take in ``x`` (float64 [n]); returns the detections, by ascending row.

        ``weights`` (float64 [n], >= 0, known before the value) are the false alarms that each
        value adds to those allowed; those of NaN count for nothing. Either all calls have
        weights or none.
        """
        return self._walk(Present.of(x, weights), 0)

    def _walk(self, values: Present, begin: int) -> list[Detection]:
        """Take in the values from ``begin`` on."""
        found = []
        while begin < len(values):
            part = values[begin : begin + self._until_due()]
            measured, n_taken = None, len(part)
            if self._n >= self._options.n_start:
                measured, n_taken = self._judge(part)
            self._remember(part.values[:n_taken])
            begin += n_taken
            if measured:
                found.append(self._detection(values.row(begin - 1), measured))
                self._start()
        return found

    def state(self) -> State:
        """Return the recent values, how they are whitened, and what the bets have won."""
        return {
            "values": self._values.values.copy(),
            "n": self._n,
            "n_seen": self._n_seen,
            "whitening": self._whitening.numbers(),
            "staked": self._staked,
            "evidence": self._evidence.state(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, self.kind)
        n, n_seen = reader.integer("n"), reader.integer("n_seen")
        values = reader.floats("values", (min(n, self._n_values),))
        whitening, staked = from_numbers(reader.floats("whitening", (8,))), reader.number("staked")
        units = (whitening.unit, whitening.size_unit, whitening.mean_size)
        numbers = np.append(values, (*whitening.numbers(), staked))
        if not np.isfinite(numbers).all() or min(units) <= 0.0:
            raise StateError(f"the state of {self.kind} holds numbers that are not finite")
        evidence = Evidence(self._bets.stakes)
        evidence.restore(reader.mapping("evidence"))
        self._values, self._n, self._n_seen = Latest(self._n_values, values), n, n_seen
        self._evidence, self._staked = evidence, staked
        self._whiten(whitening)

    @property
    def has_learnt(self) -> bool:
        """Whether it judges values by now, and does not only learn them."""
        return self._n >= self._options.n_start

    def normal(self) -> State:
        """Return the state of one that knows as much, and whose bets have won nothing."""
        nothing = Evidence(self._bets.stakes).state()
        return {**self.state(), "staked": 0.0, "evidence": nothing}

    @property
    def _n_values(self) -> int:
        return self._options.n_ref + REACH

    def _start(self) -> None:
        self._values, self._n = Latest(self._n_values, np.zeros(0)), 0
        self._evidence, self._staked = Evidence(self._bets.stakes), 0.0
        self._whitening = Whitening()

    def _until_due(self) -> int:
        """Return how many values may be judged at once, before a fit is due."""
        if self._n < self._options.n_start:
            return self._options.n_start - self._n
        most, due = min(_BATCH, self._options.n_ref), bisect_right(_REFITS, self._n)
        return min(_REFITS[due] - self._n, most) if due < len(_REFITS) else most

    def _judge(self, part: Present) -> tuple[Measured | None, int]:
        """Bet on ``part``; return what it made evident, and how many values that took."""
        residuals = self._residuals(part)
        where = _cells((self,), residuals[None])[0]
        bets, limit = self._bets.pays.take(where, axis=0), self._limit(part)
        self._ranks.remember(residuals)
        sums = self._evidence.push(bets, part.weights, limit)
        if sums.max() <= limit:
            self._staked = part.staked(self._staked)
            return None, len(part)
        row = int((sums > limit).argmax())
        value, staked = float(sums[row]), part[: row + 1].staked(self._staked)
        return Measured("sr_e_detector", value, limit, e_value=value / staked), row + 1

    def _residuals(self, part: Present) -> Floats:
        return self._whitening.follow(self._values.values, part.values)

    def _limit(self, part: Present) -> float:
        return self._caution * part.limit(self._options.run_length)

    def _remember(self, part: Floats) -> None:
        self._values.push(part)
        self._n += len(part)
        self._n_seen += len(part)
        n_start = self._options.n_start
        if self._n == n_start or (self._n > n_start and self._n in _REFITS):
            fit = self._options.whiten
            self._whiten(fitted(self._values.values) if fit else self._whitening)

    def _whiten(self, whitening: Whitening) -> None:
        self._whitening = whitening
        self._caution = _CAUTION if whitening.is_active else 1.0
        if self._n >= self._options.n_start:
            residuals = whitening.residuals(self._values.values)
            self._ranks = SlidingRanks(self._options.n_ref, residuals)

    def _detection(self, row: int, measured: Measured) -> Detection:
        values = self._values.values
        n_current = min(_CURRENT, len(values) // 2)
        return detection(row, measured, values[:-n_current], values[-n_current:])

    @staticmethod
    def update_all(
        several: "Sequence[Conformal]", values: Sequence[Present]
    ) -> list[list[Detection]]:
        """Do what ``update`` of each does to its values, for less where they stand alike.

        Those that stand at the same count take in as many values together as make nothing
        evident of any of them; what then follows each takes in alone.
        """
        alike: dict[object, list[int]] = {}
        for index, (each, own) in enumerate(zip(several, values, strict=True)):
            alike.setdefault((*each._stand, len(own), own.given is None), []).append(index)
        found: list[list[Detection]] = [[] for _ in several]
        for group in alike.values():
            for first in range(0, len(group), _TOGETHER):
                some = group[first : first + _TOGETHER]
                begin = _abreast([several[i] for i in some], [values[i] for i in some])
                for i in some:
                    found[i] = several[i]._walk(values[i], begin)
        return found

    @property
    def _stand(self) -> tuple[object, ...]:
        return self._n, self._evidence.n, self._options


def _abreast(several: Sequence[Conformal], values: Sequence[Present]) -> int:
    """Have several that stand alike take in as many values as make nothing evident."""
    lead, begin = several[0], 0
    if len(several) == 1 or lead._n < lead._options.n_start:
        return 0
    while begin < len(values[0]):
        end = begin + lead._until_due()
        parts = [each[begin:end] for each in values]
        residuals = np.array([each._residuals(p) for each, p in zip(several, parts, strict=True)])
        if not _nothing_evident(several, parts, residuals):
            break
        for each, part, left in zip(several, parts, residuals, strict=True):
            each._ranks.remember(left)
            each._staked = part.staked(each._staked)
            each._remember(part.values)
        begin += len(parts[0])
    return begin


def _nothing_evident(
    several: Sequence[Conformal], parts: Sequence[Present], residuals: Floats
) -> bool:
    """Bet on the parts, unless that would make anything evident; whether it did not."""
    weights: Floats | float = 1.0
    if parts[0].given is not None:
        weights = np.array([part.given for part in parts])
    limits = np.array([each._limit(part) for each, part in zip(several, parts, strict=True)])
    evidence = [each._evidence for each in several]
    where = _cells(several, residuals)
    return push_all(evidence, several[0]._bets.pays, where, weights, limits)


def _cells(several: Sequence[Conformal], residuals: Floats) -> Ints:
    """Return the cells of the ranks of what is left of the next values; remembers nothing.

    ``residuals`` is float64 [several, n], and the result int64 of the same shape.
    """
    places = SlidingRanks.places_of([each._ranks for each in several], residuals)
    n = residuals.shape[1]
    coins = np.array([uniforms(each._options.seed, each._n_seen, n) for each in several])
    return cells((places.below + coins * (places.equal + 1)) / (places.n + 1))
