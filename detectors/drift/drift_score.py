"""The share of a stream's values that lie elsewhere than they did."""

import math
from typing import ClassVar

import numpy as np

from detectors.drift.binned_window import BinnedWindow
from detectors.drift.contract import Measured
from detectors.values import Floats, Ints
from schemas.drift_settings import DriftScoreSettings


class DriftScore(BinnedWindow):
    """Reports when too large a share of the values would have to move to undo the change.

    For: a number that people understand.

    The score is the total variation distance between baseline and window over the baseline's
    bins: half the sum of abs(q - p), from 0 to 1. Without a change its expectation is about
    sum of sqrt(p (1 - p) (1/n_ref + 1/n_cur) / (2 pi)), which is 0.10 at 10 bins, 500 and 200
    values. The default threshold adds to this what McDiarmid's inequality allows for ``alpha``,
    sqrt(log(1/alpha) (1/n_ref + 1/n_cur) / 2); ``fixed_threshold`` is the customary 0.15.

    Misses: changes inside a bin, and those below the noise of ``n_cur`` values.

    Reference: McDiarmid, "On the method of bounded differences" (1989).

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] += 1.0
    >>> print(f"drift at value {DriftScore().update(x)[0].row}")
    drift at value 2199
    """

    kind: ClassVar[str] = "drift_score"

    def __init__(self, settings: DriftScoreSettings | None = None) -> None:
        super().__init__(settings or DriftScoreSettings())

    @staticmethod
    def _statistic(before: Ints, now: Ints) -> Floats:
        p, q = (each / each.sum(axis=-1, keepdims=True) for each in (before, now))
        distance: Floats = 0.5 * np.abs(q - p).sum(axis=-1)
        return distance

    def _measured(self, value: float) -> Measured:
        threshold = self._settings.fixed_threshold
        return Measured("total_variation", value, self._bound if threshold is None else threshold)

    def _fit(self, baseline: Floats) -> None:
        super()._fit(baseline)
        before = self._before / self._before.sum()
        usual = float(np.sqrt(before * (1.0 - before) * self._noise / math.tau).sum())
        spread = math.sqrt(-math.log(self._settings.alpha) * self._noise / 2.0)
        self._bound = min(usual + spread, 0.99)
