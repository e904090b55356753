"""The population stability index over a stream."""

from typing import ClassVar

import numpy as np

from detectors.chi_squared import survival, upper_quantile
from detectors.drift.binned_window import BinnedWindow
from detectors.drift.contract import Measured
from detectors.values import Floats, Ints
from schemas.drift_settings import PsiSettings

_PSEUDO_COUNT = 0.5  # for each bin, so that an empty one does not make the index infinite


class Psi(BinnedWindow):
    """Reports when the window's share in the baseline's bins differs too much.

    For: what model validators ask for.

    The index is the sum over bins of (q - p) * log(q / p). The bins hold equal shares of the
    baseline; a value that alone fills more than one of them gets its own. Without any change,
    index / (1/n_ref + 1/n_cur) is about chi-squared distributed with bins - 1 degrees of
    freedom: its mean at 10 bins, 500 and 200 values is 0.06. The customary thresholds of 0.1
    and 0.2 know nothing of the sample's size, so the default is the chi-squared quantile at
    ``alpha``; ``fixed_threshold`` brings them back.

    Misses: changes inside a bin, and those below the noise of ``n_cur`` values.

    Reference: Yurdakul, "Statistical properties of population stability index" (2018).

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] *= 2.0
    >>> print(f"drift at value {Psi().update(x)[0].row}")
    drift at value 2149
    """

    kind: ClassVar[str] = "psi"

    def __init__(self, settings: PsiSettings | None = None) -> None:
        super().__init__(settings or PsiSettings())

    @staticmethod
    def _statistic(before: Ints, now: Ints) -> Floats:
        p, q = _shares(before), _shares(now)
        index: Floats = ((q - p) * np.log(q / p)).sum(axis=-1)
        return index

    def _measured(self, value: float) -> Measured:
        degrees = self._size - 1
        threshold = self._settings.fixed_threshold
        if threshold is None:
            threshold = upper_quantile(self._settings.alpha, degrees) * self._noise
        return Measured("psi", value, threshold, survival(value / self._noise, degrees))


def _shares(counts: Ints) -> Floats:
    padded = counts + _PSEUDO_COUNT
    shares: Floats = padded / padded.sum(axis=-1, keepdims=True)
    return shares
