"""Fixed limits: what people know about a field, whatever its past."""

from typing import ClassVar

import numpy as np

from detectors.anomaly.contract import FieldScores, largest
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import CAP, Floats, clean
from schemas.anomaly_settings import LimitsSettings

_LEAST_UNIT = 1e-9  # for limits at zero, which have no size of their own


class Limits:
    """Flags a value outside its field's interval; the ends belong to the interval.

    For: what people know: the range of a sensor, a contract.

    Inside, the score is below 1: the distance from the middle in half widths, 0 when a side is
    open. Outside it is 1 plus the distance beyond the limit, in half widths or, when a side is
    open, in units of the limit's size; at most 1e6. It learns nothing, so its state is empty.

    Misses: everything within the limits, and every field without any.

    Reference: none; a limit is what people know.

    >>> limits = Limits(("t",), LimitsSettings(limits={"t": (0.0, 40.0)}))
    >>> limits.score_learn(np.array([[20.0], [30.0], [40.0], [50.0]]))
    array([0. , 0.5, 1. , 1.5])
    """

    kind: ClassVar[str] = "limits"

    def __init__(self, names: tuple[str, ...], settings: LimitsSettings | None = None) -> None:
        self.names: tuple[str, ...] = ()
        self._limits = (settings or LimitsSettings()).limits
        self._low, self._high = np.zeros(0), np.zeros(0)
        self.widen(names)

    def score_learn(self, x: Floats) -> Floats:
        """Score ``x`` (float64 [rows, fields]); the largest ratio of each row."""
        return largest(self.fields_learn(x).ratio)

    def fields_learn(self, x: Floats) -> FieldScores:
        """Score ``x`` (float64 [rows, fields]), telling the fields apart."""
        x = clean(x)
        low, high = self._low, self._high
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            # An open side leaves no middle: infinities cancel to NaN or stay infinite.
            middle, half = low / 2 + high / 2, high / 2 - low / 2
            limit = np.maximum(np.abs(np.where(x > high, high, low)), _LEAST_UNIT)
            unit = np.where(np.isfinite(half) & (half > 0), half, limit)
            beyond = 1.0 + np.maximum(low - x, x - high) / unit
            inside = np.minimum(np.abs(x - middle) / half, np.nextafter(1.0, 0.0))
        ratio = np.where((x < low) | (x > high), np.minimum(beyond, CAP), inside)
        center = np.where(np.isfinite(middle), middle, np.nan)
        return FieldScores(np.nan_to_num(ratio, nan=0.0), np.broadcast_to(center, x.shape))

    def widen(self, names: tuple[str, ...]) -> None:
        """Add columns on the right for the fields ``names``."""
        self.names += names
        bounds = [self._limits.get(name, (None, None)) for name in self.names]
        self._low = np.array([-np.inf if low is None else low for low, _ in bounds])
        self._high = np.array([np.inf if high is None else high for _, high in bounds])

    def state(self) -> State:
        """Return the empty state."""
        return {}

    def restore(self, state: State) -> None:
        """Accept the empty state; there is nothing to continue."""
        StateReader(state, self.kind)
