"""How improbable a value is under the normal distribution of its past."""

from collections import deque
from typing import ClassVar

import numpy as np

from detectors.anomaly.contract import FieldScores
from detectors.anomaly.moments import Moments, deviations, squarable
from detectors.anomaly.normal_tail import two_sided_surprise
from detectors.anomaly.serial import SerialRule
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import CAP, Floats
from schemas.anomaly_settings import GaussianScorerSettings


class _Field:
    """Moments of all the past, or of the last ``window`` values where that is set."""

    def __init__(self, settings: GaussianScorerSettings) -> None:
        self._settings = settings
        self._moments = Moments()
        self._recent: deque[float] = deque(maxlen=settings.window or 0)

    def follow(self, values: Floats, at_s: Floats) -> FieldScores:
        ratio, center = np.zeros(len(values)), np.full(len(values), np.nan)
        for row, value in enumerate(map(squarable, values.tolist())):
            if self._moments.n >= self._settings.warm_up:
                mean, deviation = self._fitted()
                surprise = two_sided_surprise(deviations(abs(value - mean), deviation, CAP))
                ratio[row], center[row] = surprise / self._settings.limit, mean
            self._moments.learn(value)
            self._recent.append(value)
        return FieldScores(ratio, center)

    def _fitted(self) -> tuple[float, float]:
        if not self._settings.window:
            return self._moments.mean, self._moments.deviation
        # Anew for each value: taking values out of running sums is what makes River's raise.
        recent = np.array(self._recent)
        return float(recent.mean()), float(recent.std(ddof=1))

    def state(self) -> State:
        return {"moments": self._moments.state(), "recent": np.array(self._recent)}

    def restore(self, state: State) -> None:
        reader = StateReader(state, "GaussianScorer")
        recent = reader.values("recent", self._settings.window or 0)
        if not np.isfinite(recent).all():
            raise StateError("the state of GaussianScorer holds values that are not finite")
        self._moments.restore(reader.mapping("moments"))
        self._recent = deque(recent.tolist(), maxlen=self._recent.maxlen)


class GaussianScorer(SerialRule[_Field]):
    """Flags a value whose tail probability under a normal distribution is 10 ** -``limit``.

    For: data that are normal, when probabilities are wanted.

    River's detector of this name scores 2 |CDF(value) - 0.5|, which is 1 - p with p the
    two-sided tail probability: it ends at exactly 1.0 from 8.3 deviations on, and no two such
    values can be told apart. The score here is -log10 p over ``limit``, which has no end; where
    River's is below 1 the two rank alike. The normal distribution is fitted to all the past,
    or to the last ``window`` values, anew for each, so its variance is never negative.

    Data that are not normal exceed any limit more often than 10 ** -``limit`` says.

    Misses: outliers after outliers, which widen the distribution. Cries wolf on heavy tails.

    Reference: River's ``anomaly.GaussianScorer``, of which this is a mended form.

    >>> x = np.random.default_rng(3).normal(size=(500, 1))
    >>> x[[300, 400], 0] = (12.0, 40.0)
    >>> scores = GaussianScorer(("a",)).score_learn(x)
    >>> print(f"most unusual: rows {np.argsort(scores)[-2:]}")
    most unusual: rows [300 400]
    """

    kind: ClassVar[str] = "gaussian_scorer"

    def __init__(
        self, names: tuple[str, ...], settings: GaussianScorerSettings | None = None
    ) -> None:
        self._settings = settings or GaussianScorerSettings()
        super().__init__(names)

    def _track(self) -> _Field:
        return _Field(self._settings)
