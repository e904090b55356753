"""Bets on how many ones there are among zeros and ones: errors of a model, missing values."""

from typing import ClassVar

import numpy as np

from detectors.drift.contract import Detection, Input, Measured
from detectors.drift.evidence import Evidence
from detectors.drift.latest import Latest
from detectors.drift.present import Present
from detectors.drift.sequential import Sequential, Step
from detectors.drift.uniforms import uniforms
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats
from schemas.drift_settings import BernoulliSettings

_MORE = {1.25: 4.0, 1.5: 4.0, 2.0: 1.0, 4.0: 1.0}
_FEWER = {0.8: 4.0, 0.6: 4.0, 0.3: 1.0, 0.05: 1.0}
"""Times as many ones, and the stakes: a coin counts most where a change is small."""

_MOST = 0.95  # share of ones beyond which no bet on more is worth while
_BATCH = 512  # values judged at once at most, which bounds what the bets on them take
_REPORTED = 1000


class Bernoulli(Sequential):
    """Reports when ones have become more frequent (with ``direction: both``, or rarer).

    For: errors of a model (concept drift), and whether a field is there. The default.

    Each value gets its randomised conformal rank u among the last ``n_ref`` before it, ones
    ranking above zeros; u is uniform without a change, whatever the share c of ones. A bet on r
    times as many ones pays r where u > 1 - c, and (1 - r c) / (1 - c) elsewhere: 1 on average,
    as c is that of the past alone. The mean of the bets' Shiryaev-Roberts sums, with larger stakes
    on ratios near 1, is the statistic ``sr_e_detector``; P(false alarm within n values) <= n /
    ``run_length``, or the sum of the weights where there are some. The first ``n_start`` values
    are only learnt.

    Misses: an increase so slow that the baseline follows it, and one from 0.10 to 0.15 within
    some 600 values. A run of errors that depend on each other looks like an increase.

    References: Vovk, "Testing randomness online", Statistical Science 36 (2021); Shin, Ramdas
    and Rinaldo, "E-detectors", New England Journal of Statistics in Data Science 2 (2024).

    >>> errors = np.random.default_rng(5).random(4000) < np.repeat([0.1, 0.25], 2000)
    >>> print(f"drift at value {Bernoulli().update(errors.astype(np.float64))[0].row}")
    drift at value 2195
    """

    kind: ClassVar[str] = "bernoulli"
    takes: ClassVar[Input] = "errors"

    def __init__(self, settings: BernoulliSettings | None = None) -> None:
        self._options = settings or BernoulliSettings()
        bets = _MORE | (_FEWER if self._options.direction == "both" else {})
        self._ratios, stakes = np.array(list(bets)), np.array(list(bets.values()))
        self._stakes = stakes / stakes.sum()
        self._n_seen = 0
        super().__init__(_REPORTED, _REPORTED)

    def update(self, x: Floats, weights: Floats | None = None) -> list[Detection]:
        """Take in ``x`` (float64 [n]); returns the detections, by ascending row.

        ``weights`` (float64 [n], >= 0, known before the value) are the false alarms that each
        value adds to those allowed; those of NaN count for nothing. Either all calls have
        weights or none.
        """
        return self._walk(Present.of(x, weights))

    @property
    def has_learnt(self) -> bool:
        """Whether it judges values by now, and does not only learn them."""
        return self._n >= self._options.n_start

    def normal(self) -> State:
        """Return the state of one that knows as much, and whose bets have won nothing."""
        nothing = Evidence(self._stakes).state()
        learnt = {**self._learnt(), "staked": 0.0, "evidence": nothing}
        return {**self.state(), "learnt": learnt}

    def _start(self) -> None:
        self._past, self._n_ones = Latest(self._options.n_ref, np.zeros(0, dtype=np.uint8)), 0
        self._evidence, self._staked = Evidence(self._stakes), 0.0

    def _take(self, part: Present) -> Step:
        n_learn = self._options.n_start - self._n
        if n_learn > 0:
            return self._keep(part.values[:n_learn])
        part = part[: min(_BATCH, self._options.n_ref)]
        limit = part.limit(self._options.run_length)
        sums = self._evidence.push(self._bets(part.values), part.weights, limit)
        if sums.max() <= limit:
            self._staked = part.staked(self._staked)
            return self._keep(part.values)
        row = int((sums > limit).argmax())
        value, staked = float(sums[row]), part[: row + 1].staked(self._staked)
        measured = Measured("sr_e_detector", value, limit, e_value=value / staked)
        return self._keep(part.values[: row + 1])._replace(measured=measured)

    def _keep(self, values: Floats) -> Step:
        past, size = self._past.values, self._options.n_ref
        gone = past[: max(0, len(past) + len(values) - size)]
        new = values.astype(np.uint8)
        self._n_ones += int(np.count_nonzero(new[-size:])) - int(np.count_nonzero(gone))
        self._past.push(new)
        self._n_seen += len(values)
        return Step(len(values))

    def _bets(self, part: Floats) -> Floats:
        """Return what each bet pays for each value: float64 [n, n_bets]."""
        n, ones = self._counts(part)
        coins = uniforms(self._options.seed, self._n_seen, len(part))
        zeros = n - ones
        ranks = np.where(part > 0.0, zeros + coins * (ones + 1), coins * (zeros + 1)) / (n + 1)
        share = np.minimum((ones + 1) / (n + 2), _MOST)
        # Not more than halfway from 1 to the ratio at which every value would be a one.
        share, ranks = share[:, None], ranks[:, None]
        ratios = np.minimum(self._ratios, 0.5 * (1.0 + 1.0 / share))
        bets: Floats = np.where(ranks > 1.0 - share, ratios, (1.0 - ratios * share) / (1.0 - share))
        return bets

    def _counts(self, part: Floats) -> tuple[Floats, Floats]:
        """Return how many values lie before each, and how many ones are among them."""
        size, past = self._options.n_ref, self._past.values
        n = np.arange(len(past), len(past) + len(part), dtype=np.float64)
        ones = self._n_ones + part.cumsum() - part
        n_gone = len(past) + len(part) - 1 - size
        if n_gone > 0:
            ones[-n_gone:] -= past[:n_gone].cumsum(dtype=np.float64)
        return np.minimum(n, size), ones

    def _learnt(self) -> State:
        return {
            "past": self._past.values.copy(),
            "n_seen": self._n_seen,
            "staked": self._staked,
            "evidence": self._evidence.state(),
        }

    def _relearn(self, reader: StateReader, n: int) -> None:
        n_seen, staked = reader.integer("n_seen"), reader.number("staked")
        past = reader.array("past", np.uint8, (min(n, self._options.n_ref),))
        evidence = Evidence(self._stakes)
        evidence.restore(reader.mapping("evidence"))
        if past.max(initial=0) > 1:
            raise StateError(f"the state of {self.kind} holds values that are neither 0 nor 1")
        if not 0.0 <= staked < np.inf:
            raise StateError(f"the state of {self.kind} holds a stake that no gambler had")
        self._past, self._n_ones = Latest(self._options.n_ref, past), int(past.sum())
        self._n_seen, self._staked = n_seen, staked
        self._evidence = evidence
