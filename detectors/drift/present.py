"""The values of a call that are there, each with its row and its weight."""

from dataclasses import dataclass

import numpy as np

from detectors.values import Floats, Ints, clean


@dataclass(frozen=True, slots=True)
class Present:
    """Values without NaN, float64 [n], within ±1e300.

    ``rows``: the row of each; None where no value was missing. ``weights``: the false alarms
    that each value adds to those allowed, float64 [n]; None where a value counts as a value.

    >>> Present.of(np.array([5.0, np.nan, 7.0])).row(1)
    2
    """

    values: Floats
    rows: Ints | None
    given: Floats | None

    @classmethod
    def of(cls, x: Floats, weights: Floats | None = None) -> "Present":
        """Return what is there of ``x`` (float64 [n])."""
        missing = np.isnan(x)
        if not missing.any():
            return cls(clean(x), None, weights)
        rows = np.flatnonzero(~missing)
        return cls(clean(x[rows]), rows, None if weights is None else weights[rows])

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, part: slice) -> "Present":
        rows = None if self.rows is None else self.rows[part]
        given = None if self.given is None else self.given[part]
        return Present(self.values[part], rows, given)

    @property
    def weights(self) -> Floats | float:
        """What a gambler starts with at each value: one coin, unless weights were given."""
        return 1.0 if self.given is None else self.given

    def limit(self, run_length: float) -> float:
        """Return the sum at which to report: a run length of values, or one false alarm."""
        return run_length if self.given is None else 1.0

    def staked(self, before: float) -> float:
        """Return what all gamblers started with, and those ``before`` them; added in order."""
        if self.given is None:
            return before + len(self)
        return float(np.concatenate(((before,), self.given)).cumsum()[-1])

    def row(self, index: int) -> int:
        """Return the row of the value at ``index``."""
        return index if self.rows is None else int(self.rows[index])
