"""Traffic of one stream as a matrix, with a key and a time for each row."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from detectors.values import Floats, Ints
from detectors.watch.keyed import Key

DAY_S = 86_400.0


@dataclass(frozen=True)
class Traffic:
    """Messages in the order in which they came.

    ``keys``: one for each row. ``x``: float64 [rows, names], NaN for missing. ``at_s``: float64
    [rows], seconds since any epoch, ascending.
    """

    keys: tuple[Key, ...]
    names: tuple[str, ...]
    x: Floats
    at_s: Floats

    @property
    def n(self) -> int:
        """The number of messages."""
        return len(self.keys)

    @property
    def span_s(self) -> float:
        """The time between the first and the last message, in seconds."""
        return float(self.at_s[-1] - self.at_s[0]) if self.n else 0.0

    @property
    def per_day(self) -> float:
        """Messages a day, at the rate of this traffic; 0.0 where it has no extent in time."""
        return (self.n - 1) * DAY_S / self.span_s if self.span_s > 0.0 else 0.0

    def newest(self, most: int) -> "Traffic":
        """The newest ``most`` messages."""
        if most >= self.n:
            return self
        return Traffic(self.keys[-most:], self.names, self.x[-most:], self.at_s[-most:])

    def busiest(self, most: int) -> list[Key]:
        """The keys with the most messages, these first; of equals the one that came first."""
        return [key for key, _ in Counter(self.keys).most_common(most)]

    def rows_of(self, key: Key) -> Ints:
        """The rows of a key, ascending: int64 [rows of it]."""
        return np.array([row for row, other in enumerate(self.keys) if other == key], np.int64)
