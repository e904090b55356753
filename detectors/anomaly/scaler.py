"""Online min-max scaling over batches."""

from typing import NamedTuple

import numpy as np

from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats


class Scaled(NamedTuple):
    """A batch in the units of its past.

    ``before``: float64 [rows, fields], scaled by the extremes of the rows before each row.
    ``after``: the same with the row itself included, so within [0, 1]. ``changed``: bool
    [rows], whether the two may differ.
    """

    before: Floats
    after: Floats
    changed: Bools

    def rows(self, part: slice) -> "Scaled":
        """Return a part of the rows."""
        return Scaled(self.before[part], self.after[part], self.changed[part])


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

    def state(self) -> State:
        """Return the extremes."""
        return {"low": self._low.copy(), "high": self._high.copy()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "OnlineMinMaxScaler")
        low, high = (reader.floats(name, self._low.shape) for name in ("low", "high"))
        self._low, self._high = low, high


def _scale(x: Floats, low: Floats, high: Floats) -> Floats:
    # A field never seen before has the extremes inf and -inf: River's NaN comes out of that.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        span = high - low
        scaled: Floats = (x - low) / span
    scaled[span == 0.0] = 0.0
    return scaled
