"""What every drift detector can do."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from detectors.sample import deviation, shift, since_change, summarise
from detectors.state import State
from detectors.values import Floats
from schemas.findings import Sample


@dataclass(frozen=True)
class Measured:
    """A test's outcome: the statistic's name and value, its bound, and P if the test has one."""

    statistic: str
    value: float
    threshold: float
    p_value: float | None = None


@dataclass(frozen=True)
class Detection:
    """A change of distribution.

    ``row``: the index, in the call, of the value that made it evident. ``measured``: the test
    it failed. ``baseline`` and ``current``: the samples that differ. ``effect``: the shift of
    the mean in baseline standard deviations, within ±1e6. ``deviation``: one of these.
    """

    row: int
    measured: Measured
    baseline: Sample
    current: Sample
    effect: float
    deviation: float


def detection(row: int, measured: Measured, baseline: Floats, recent: Floats) -> Detection:
    """Describe what changed between two samples (float64 [n], clean, no NaN).

    Of the ``recent`` values, the current sample is those after the most likely moment of change.
    """
    current = since_change(baseline, recent)
    return Detection(
        row=row,
        measured=measured,
        baseline=summarise(baseline),
        current=summarise(current),
        effect=shift(baseline, current),
        deviation=deviation(baseline),
    )


class DriftDetector(Protocol):
    """Watches one field for changes of its distribution.

    Values come in order, NaN (no value) is skipped, values beyond ±1e300 count as ±1e300. Any
    split of the values into calls gives the same detections and the same state, bit for bit.
    After a detection the detector learns what is normal anew. Memory is bounded.

    The constructor takes the detector's own settings.
    """

    kind: ClassVar[str]
    """The detector's name in settings and events, such as ``adwin``."""

    def update(self, x: Floats) -> list[Detection]:
        """Take in ``x`` (float64 [n]); returns the detections, by ascending row."""
        ...

    def state(self) -> State:
        """Return everything learnt, as a copy."""
        ...

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit this detector."""
        ...
