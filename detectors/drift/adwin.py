"""ADWIN, River's implementation, on values brought to the range it is made for."""

import math
from typing import ClassVar, Protocol

import numpy as np

from detectors.drift import river_state
from detectors.drift.contract import Detection, Input, Measured, detection
from detectors.drift.river_state import Window
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats, clean
from schemas.drift_settings import AdwinSettings

_CALIBRATION = 100  # values that set the scale, at most
_RAW_LIMIT = 1e100  # of unscaled values, whose squares ADWIN adds up
_LOW, _HIGH = -1.0, 2.0  # scaled values are kept within one range beyond [0, 1]


class _Helper(Protocol):
    """The part of ``river._river_rust.drift.AdaptiveWindowing`` that is used here."""

    def update(self, value: float, /) -> bool: ...
    def __getstate__(self) -> bytes: ...
    def __setstate__(self, state: bytes, /) -> None: ...


class Adwin:
    """Keeps a window of values that grows while their mean is stable, and reports each cut.

    For: shifts of the mean.

    ADWIN's bound holds for values in [0, 1]. With ``standardize`` the first values after a
    start (``n_ref``, at most 100) set the scale: their minimum becomes 0 and their maximum 1,
    and later values are kept within [-1, 2]; without it values go in as they are, as in River,
    and what a small change is depends on the field's unit. ``delta`` bounds the false alarms of
    one check among independent values; at River's default of 0.002, autocorrelated streams
    without any change cause 34 to 69 alarms in 10,000 values, hence the default of 1e-5.

    After a detection it starts anew, as River's does, and reports nothing for ``rearm`` values.
    The statistic ``adwin_cut`` is the difference of the means on both sides of the cut that
    exceeds its bound the most, in scaled units, and the threshold is that bound. The baseline
    reported is the first ``n_ref`` values since the start, the current sample comes from the
    last ``n_cur``.

    Misses: changes of spread and shape. Cries wolf on values that depend on their past.

    Reference: Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing",
    SDM 2007.

    >>> x = np.random.default_rng(5).normal(size=4000)
    >>> x[2000:] += 1.0
    >>> print(f"drift at value {Adwin().update(x)[0].row}")
    drift at value 2143
    """

    kind: ClassVar[str] = "adwin"
    takes: ClassVar[Input] = "values"

    def __init__(self, settings: AdwinSettings | None = None) -> None:
        self._options = settings or AdwinSettings()
        self._n_calibrate = min(self._options.n_ref, _CALIBRATION)
        if not self._options.standardize:
            self._n_calibrate = 0
        self._reference: list[float] = []
        self._recent: list[float] = []
        self._quiet = 0  # values still to come before the next detection may be reported
        self._start()

    def update(self, x: Floats) -> list[Detection]:
        """Take in ``x`` (float64 [n]); returns the detections, by ascending row."""
        rows = np.flatnonzero(~np.isnan(x))
        values = clean(x[rows]).tolist()
        found, begin = [], 0
        while begin < len(values):
            end = min(begin + self._until_due(), len(values))
            self._remember(values[begin:end])
            measured = self._feed(values[begin:end])
            if measured and not self._quiet:
                found.append(self._detection(int(rows[end - 1]), measured))
                self._start()
                self._quiet = self._options.rearm
            begin = end
        return found

    def state(self) -> State:
        """Return the samples, the counts, and ADWIN's own state as River writes it."""
        return {
            "reference": np.array(self._reference, dtype=np.float64),
            "recent": np.array(self._recent, dtype=np.float64),
            "n": self._n,
            "quiet": self._quiet,
            "helper": self._helper.__getstate__(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, options = StateReader(state, self.kind), self._options
        n, quiet = reader.integer("n"), reader.integer("quiet", high=options.rearm)
        reference = reader.floats("reference", (min(n, options.n_ref),)).tolist()
        recent = reader.floats("recent", (min(n, options.n_cur),)).tolist()
        helper = _new_helper(options)
        helper.__setstate__(river_state.check(reader.raw("helper"), options))
        self._n, self._quiet, self._helper = n, quiet, helper
        self._reference, self._recent = reference, recent
        self._calibrate()

    def _start(self) -> None:
        self._n, self._reference, self._recent = 0, [], []
        self._helper = _new_helper(self._options)

    def _until_due(self) -> int:
        """Return how many values are left until the scale is set or the next check."""
        if self._n < self._n_calibrate:
            return self._n_calibrate - self._n
        return self._options.clock - self._n % self._options.clock

    def _remember(self, values: list[float]) -> None:
        self._n += len(values)
        self._quiet = max(0, self._quiet - len(values))
        self._reference += values[: self._options.n_ref - len(self._reference)]
        self._recent = (self._recent + values)[-self._options.n_cur :]

    def _feed(self, values: list[float]) -> Measured | None:
        """Pass values on that end at a check or before it; return the cut, if one was made."""
        if self._n < self._n_calibrate:
            return None
        if self._n - len(values) < self._n_calibrate:
            self._calibrate()
            for value in self._scaled(self._reference[: self._n]):
                self._helper.update(value)
            return None
        *head, last = self._scaled(values)
        for value in head:
            self._helper.update(value)
        before = self._helper.__getstate__()
        if not self._helper.update(last):
            return None
        return _widest_cut(river_state.window(before, self._options, last), self._options)

    def _calibrate(self) -> None:
        first = self._reference[: self._n_calibrate]
        self._low, self._high = min(first, default=0.0), max(first, default=1.0)

    def _scaled(self, values: list[float]) -> list[float]:
        if not self._options.standardize:
            return [min(max(value, -_RAW_LIMIT), _RAW_LIMIT) for value in values]
        low, span = self._low, self._high - self._low
        if span == 0.0:  # whatever differs from a constant is as far off as can be
            return [_HIGH if v > low else _LOW if v < low else 0.0 for v in values]
        return [min(max((value - low) / span, _LOW), _HIGH) for value in values]

    def _detection(self, row: int, measured: Measured) -> Detection:
        n_baseline = max(self._n - len(self._recent), self._n // 2, 1)
        baseline = np.array(self._reference[:n_baseline])
        recent = np.array(self._recent[n_baseline - self._n :])
        return detection(row, measured, baseline, recent)


def _widest_cut(window: Window, options: AdwinSettings) -> Measured:
    """Return the cut of ``window`` that exceeds ADWIN's bound the most."""
    least = options.min_window_length
    old_sizes, old_sums = np.cumsum(window.sizes)[:-1], np.cumsum(window.sums)[:-1]
    width = float(window.sizes.sum())
    new_sizes, new_sums = width - old_sizes, float(window.sums.sum()) - old_sums
    distance = np.abs(old_sums / old_sizes - new_sums / new_sizes)
    log_term = math.log(2.0 * math.log(width) / options.delta)
    allowed = (old_sizes >= least) & (new_sizes >= least)
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = 1.0 / (old_sizes - least + 1.0) + 1.0 / (new_sizes - least + 1.0)
        bound = np.sqrt(2.0 * sizes * window.variance * log_term) + 2.0 / 3.0 * log_term * sizes
    best = int(np.argmax(np.where(allowed, distance - bound, -np.inf)))
    return Measured("adwin_cut", float(distance[best]), float(bound[best]))


def _new_helper(options: AdwinSettings) -> _Helper:
    # Imported here so that only who uses ADWIN needs River; and the Rust class itself, since
    # the package river.drift around it costs 0.7 s to import and adds nothing but a reset.
    from river._river_rust.drift import AdaptiveWindowing

    helper: _Helper = AdaptiveWindowing(
        delta=options.delta,
        clock=options.clock,
        max_buckets=options.max_buckets,
        min_window_length=options.min_window_length,
        grace_period=options.grace_period,
    )
    return helper
