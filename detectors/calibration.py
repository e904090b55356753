"""Are predictions right as often as their confidences say? The calibration error, with a bound."""

import math
from typing import ClassVar

import numpy as np

from detectors.drift.contract import CALIBRATION_ERROR, Detection, Measured
from detectors.sample import deviation, summarise
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats
from schemas.label_settings import CalibrationSettings


def calibration_error(confidences: Floats, right: Floats, bins: int = 10) -> float:
    """Return the expected calibration error, in [0, 1].

    ``confidences`` (float64 [n], in [0, 1]) say how probable it is that a prediction is right,
    ``right`` (float64 [n]) whether it was, 1 or 0. The error is the mean over predictions of the
    distance, within their bin of [0, 1], between the mean confidence and the share of right ones
    (Naeini, Cooper and Hauskrecht, AAAI 2015). 0 for no predictions.

    >>> round(calibration_error(np.full(10, 0.9), np.tile([1.0, 0.0], 5)), 3)
    0.4
    """
    if not len(right):
        return 0.0
    sums = np.bincount(_places(confidences, bins), right - confidences, minlength=bins)
    return float(np.abs(sums).sum()) / len(right)


def error_margin(confidences: Floats, right: Floats, bins: int, alpha: float) -> float:
    """Return how far the error of a sample exceeds the true one, but with probability ``alpha``.

    The error is the largest of the 2^B signed sums over its B bins. Each such sum of n outcomes
    exceeds its expectation by t with probability at most exp(-t² / 2V), if their variances add
    up to V, in the normal approximation; so t = sqrt(2 V (B ln 2 + ln(1 / alpha))), over n. V is
    taken from the shares of right ones in the bins, a success and a failure added to each.
    """
    places = _places(confidences, bins)
    n = np.bincount(places, minlength=bins)
    share = (np.bincount(places, right, minlength=bins) + 1.0) / (n + 2.0)
    variance = float((n * share * (1.0 - share)).sum())
    n_bins = int(np.count_nonzero(n))
    factor = n_bins * math.log(2.0) - math.log(alpha)
    return math.sqrt(2.0 * variance * factor) / len(right)


class Calibration:
    """Reports when the expected calibration error has risen beyond its bound.

    Of pairs of a confidence and an error (0 for right, anything else for wrong), the first
    ``n_ref`` are the baseline; after every ``stride`` more the last ``n_cur`` are tested against
    it. The bound is the baseline's error, plus ``tolerance``, plus the window's
    :func:`error_margin` at ``alpha``. So a model that was never calibrated well is no finding,
    one that gets worse is. The ``effect`` of a detection is the rise of the error. After a
    detection the next pairs are the new baseline. Any split of the pairs into calls gives the
    same detections and state; there is no chance in it.

    Misses: a rise below the margin, some 0.07 for 1,000 confidences around 0.9 in few bins and
    0.1 for confidences all over [0, 1]; and what averages out within a bin.

    >>> rng = np.random.default_rng(5)
    >>> confidences = rng.uniform(0.6, 1.0, size=6000)
    >>> share_right = confidences - np.repeat([0.0, 0.2], 3000)
    >>> errors = (rng.random(6000) > share_right).astype(np.float64)
    >>> found = Calibration().update(confidences, errors)[0]
    >>> print(f"overconfident at pair {found.row}: {found.measured.value:.2f}")
    overconfident at pair 3599: 0.14
    """

    kind: ClassVar[str] = "calibration"

    def __init__(self, settings: CalibrationSettings | None = None) -> None:
        self._options = settings or CalibrationSettings()
        self.tested: Measured | None = None
        """The error and its bound at the latest test, if there was one; no part of the state."""
        self._start()

    @property
    def error(self) -> float | None:
        """The expected calibration error of the window; None while it is not full."""
        if self._n_after < self._options.n_cur:
            return None
        return calibration_error(self._window[0], self._window[1], self._options.bins)

    def update(self, confidences: Floats, errors: Floats) -> list[Detection]:
        """Take in pairs (both float64 [n]), NaN in either skips both; detections by row."""
        rows = np.flatnonzero(~(np.isnan(confidences) | np.isnan(errors)))
        pairs = np.stack(
            (np.clip(confidences[rows], 0.0, 1.0), (errors[rows] == 0.0).astype(np.float64))
        )
        found, begin = [], 0
        while begin < len(rows):
            end = min(begin + self._until_due(), len(rows))
            self._learn(pairs[:, begin:end])
            if self._is_due() and (detection := self._tested(int(rows[end - 1]))):
                found.append(detection)
                self._start()
            begin = end
        return found

    def state(self) -> State:
        """Return the pairs of the baseline and of the window."""
        return {
            "baseline": self._baseline.copy(),
            "window": self._window.copy(),
            "n_after": self._n_after,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, options = StateReader(state, self.kind), self._options
        n_after = reader.integer("n_after")
        window = reader.floats("window", (2, min(n_after, options.n_cur)))
        given = state.get("baseline")
        size = given.shape[-1] if isinstance(given, np.ndarray) and given.ndim == 2 else 0
        baseline = reader.floats("baseline", (2, min(size, options.n_ref)))
        if n_after and size < options.n_ref:
            raise StateError(f"the state of {self.kind} has a window without a whole baseline")
        self._baseline, self._window, self._n_after = baseline, window, n_after

    def _start(self) -> None:
        self._baseline, self._window, self._n_after = np.zeros((2, 0)), np.zeros((2, 0)), 0

    def _until_due(self) -> int:
        lacking = self._options.n_ref - self._baseline.shape[1]
        return lacking or self._options.stride - self._n_after % self._options.stride

    def _learn(self, pairs: Floats) -> None:
        if self._baseline.shape[1] < self._options.n_ref:
            self._baseline = np.concatenate((self._baseline, pairs), axis=1)
            return
        both = np.concatenate((self._window, pairs), axis=1)
        self._window = both[:, -self._options.n_cur :]
        self._n_after += pairs.shape[1]

    def _is_due(self) -> bool:
        return self._n_after >= self._options.n_cur and self._n_after % self._options.stride == 0

    def _tested(self, row: int) -> Detection | None:
        options = self._options
        (sure_before, right_before), (sure, right) = self._baseline, self._window
        value = calibration_error(sure, right, options.bins)
        before = calibration_error(sure_before, right_before, options.bins)
        bound = before + options.tolerance
        bound += error_margin(sure, right, options.bins, options.alpha)
        self.tested = Measured(CALIBRATION_ERROR, value, bound)
        if value <= bound:
            return None
        errors_before = 1.0 - right_before
        return Detection(
            row=row,
            measured=self.tested,
            baseline=summarise(errors_before),
            current=summarise(1.0 - right),
            effect=value - before,
            deviation=deviation(errors_before),
            of="errors",
        )


def _places(confidences: Floats, bins: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return the bin of each confidence; 1.0 lies in the last."""
    return np.minimum((confidences * bins).astype(np.intp), bins - 1)
