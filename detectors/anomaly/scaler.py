"""Online scaling over batches: by extremes, and by mean and deviation."""

from typing import NamedTuple

import numpy as np

from detectors.anomaly.moments import SQUARABLE
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats


class Scaled(NamedTuple):
    """A batch in the units of its past.

    ``before``: float64 [rows, fields], scaled by the extremes of the rows before each row.
    ``after``: the same with the row itself included, so within [0, 1]. ``changed``: bool
    [rows], whether the two may differ. ``held``: bool [rows], whether a value was held off as
    an outlier; None where none ever is.
    """

    before: Floats
    after: Floats
    changed: Bools
    held: Bools | None = None

    def rows(self, part: slice) -> "Scaled":
        """Return a part of the rows."""
        held = None if self.held is None else self.held[part]
        return Scaled(self.before[part], self.after[part], self.changed[part], held)


def unscaled(x: Floats) -> Scaled:
    """Return ``x`` as it is, for data that is within [0, 1] already."""
    return Scaled(x, x, np.zeros(len(x), dtype=np.bool_))


class OnlineMinMaxScaler:
    """Maps every field to [0, 1] by its minimum and maximum so far.

    Equal bit for bit to ``river.preprocessing.MinMaxScaler`` at the head of a pipeline:
    ``before`` is what ``score_one`` sees of a row, ``after`` is what ``learn_one`` passes on.
    A field that never varied is 0.0. NaN stays out of the extremes; cells that are NaN in the
    input hold no meaning in the output.

    >>> OnlineMinMaxScaler(1).scale_learn(np.array([[4.0], [8.0], [7.0], [10.0]])).before.T
    array([[ nan, 0.  , 0.75, 1.5 ]])
    """

    def __init__(self, n_fields: int) -> None:
        self._low = np.full(n_fields, np.inf)
        self._high = np.full(n_fields, -np.inf)

    @property
    def extremes(self) -> tuple[Floats, Floats]:
        """The minimum and the maximum of each field, infinite before the first value."""
        return self._low, self._high

    def set_extremes(self, column: int, low: float, high: float) -> None:
        """Go on as if these were the extremes of the field in ``column`` so far."""
        self._low[column], self._high[column] = low, high

    def scale_learn(self, x: Floats) -> Scaled:
        """Scale ``x`` (float64 [rows, fields], finite or NaN) and learn its extremes."""
        lows = np.fmin.accumulate(np.concatenate((self._low[None], x)))
        highs = np.fmax.accumulate(np.concatenate((self._high[None], x)))
        self._low, self._high = lows[-1].copy(), highs[-1].copy()
        moved = (lows[1:] != lows[:-1]) | (highs[1:] != highs[:-1])
        changed = moved.any(axis=1)
        after = _scale(x, lows[1:], highs[1:])
        before = after.copy()
        before[changed] = _scale(x[changed], lows[:-1][changed], highs[:-1][changed])
        return Scaled(before, after, changed)

    def scale_learn_one(self, row: list[float]) -> tuple[list[float], list[float], bool]:
        """Scale and learn one row without NaN: ``before``, ``after`` and ``changed``.

        Several times faster than a batch of one row, and the same to the last bit.
        """
        low, high = self._low.tolist(), self._high.tolist()
        before = [_scale_one(*cell) for cell in zip(row, low, high, strict=True)]
        lows, highs = list(map(min, low, row)), list(map(max, high, row))
        if lows == low and highs == high:
            return before, before, False
        self._low, self._high = np.array(lows), np.array(highs)
        return before, [_scale_one(*cell) for cell in zip(row, lows, highs, strict=True)], True

    def state(self) -> State:
        """Return the extremes."""
        return {"low": self._low.copy(), "high": self._high.copy()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "OnlineMinMaxScaler")
        low, high = (reader.floats(name, self._low.shape) for name in ("low", "high"))
        self._low, self._high = low, high


class OnlineStandardScaler:
    """Maps every field to mean 0 and standard deviation 1 by its values so far.

    The numbers are those of ``river.preprocessing.StandardScaler``, which divides by n, at the
    head of a pipeline; a field without any deviation is 0. NaN is left out; cells that are NaN
    in the input hold no meaning in the output. Values count up to ±1e140.

    >>> OnlineStandardScaler(1).scale_learn(np.array([[4.0], [8.0], [10.0]])).after.T.round(3)
    array([[0.   , 1.   , 1.069]])
    """

    def __init__(self, n_fields: int) -> None:
        self._n, self._mean, self._variance = (np.zeros(n_fields) for _ in range(3))

    def scale_learn(self, x: Floats) -> Scaled:
        """Scale ``x`` (float64 [rows, fields], finite or NaN) and learn it."""
        x = np.clip(x, -SQUARABLE, SQUARABLE)
        before, after = np.empty_like(x), np.empty_like(x)
        for row, present in enumerate(~np.isnan(x)):
            before[row] = self._scaled(x[row])
            self._learn(np.where(present, x[row], self._mean), present)
            after[row] = self._scaled(x[row])
        return Scaled(before, after, np.ones(len(x), dtype=np.bool_))

    def state(self) -> State:
        """Return counts, means and variances."""
        return {"n": self._n.copy(), "mean": self._mean.copy(), "variance": self._variance.copy()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, shape = StateReader(state, "OnlineStandardScaler"), self._n.shape
        found = [reader.floats(name, shape) for name in ("n", "mean", "variance")]
        if not np.isfinite(found).all():
            raise StateError("the state of OnlineStandardScaler holds numbers that are not finite")
        self._n, self._mean, self._variance = found

    def _learn(self, row: Floats, present: Bools) -> None:
        self._n += present
        n, mean = np.maximum(self._n, 1.0), self._mean
        self._mean = mean + present * (row - mean) / n
        step = (row - mean) * (row - self._mean) - self._variance
        self._variance = self._variance + present * step / n

    def _scaled(self, row: Floats) -> Floats:
        deviation = np.sqrt(np.maximum(self._variance, 0.0))
        known = deviation > 0.0
        return np.where(known, (row - self._mean) / np.where(known, deviation, 1.0), 0.0)


def _scale_one(value: float, low: float, high: float) -> float:
    span = high - low
    return (value - low) / span if span else 0.0


def _scale(x: Floats, low: Floats, high: Floats) -> Floats:
    # A field never seen before has the extremes inf and -inf: River's NaN comes out of that.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        span = high - low
        scaled: Floats = (x - low) / span
    scaled[span == 0.0] = 0.0
    return scaled
