"""What every drift detector can do."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from detectors.sample import deviation, shift, since_change, summarise
from detectors.state import State
from detectors.values import Floats
from schemas.findings import Sample

Input = Literal["values", "errors", "codes"]
"""What a detector takes: numbers of any kind; errors, 0 for right and 1 (or any other number)
for wrong; or codes, small whole numbers of which each stands for a category."""

Scale = Literal["deviations", "w", "calibration"]
"""What an effect is measured in: baseline standard deviations, Cohen's w, or the difference of
two expected calibration errors."""

CALIBRATION_ERROR = "expected_calibration_error"
"""The name of that statistic."""

_ONE_SIDED = 1.645  # standard errors, 95 %


@dataclass(frozen=True)
class Measured:
    """A test's outcome: the statistic's name and value, and the bound it is held against.

    ``p_value``: the probability, without a change, of a value as large, where the test has one.
    ``e_value``: of a sequential test, the factor by which bets against "no change" multiplied
    their stake; 1 on average without a change.
    """

    statistic: str
    value: float
    threshold: float
    p_value: float | None = None
    e_value: float | None = None


@dataclass(frozen=True)
class Move:
    """A category, as its code, and its share of the values before and now, both in [0, 1].

    No code: all categories that are too rare to be told apart, together.
    """

    code: int | None
    before: float
    now: float


@dataclass(frozen=True)
class Detection:
    """A change of distribution.

    ``row``: the index, in the call, of the value that made it evident. ``measured``: the test
    it failed. ``baseline`` and ``current``: the samples that differ. ``effect``: the shift of
    the mean in baseline standard deviations, within ±1e6. ``deviation``: one of these; of errors
    that never or always happened before, the one of half an error more or less.
    ``began_ago``: how many values, without NaN, lie between the most likely first one of the
    new kind and the one at ``row``, both counted; it may lie in an earlier call. 0: not known.
    ``of``: what the values mean; of codes, ``effect`` is Cohen's w, the root of the sum of
    (q - p)^2 / p over categories, and ``moves`` are at most five of these whose shares changed,
    the one that did most for the statistic first.
    """

    row: int
    measured: Measured
    baseline: Sample
    current: Sample
    effect: float
    deviation: float
    began_ago: int = 0
    of: Input = "values"
    moves: tuple[Move, ...] = ()

    @property
    def is_of_shares(self) -> bool:
        """Whether both samples are zeros and ones, whose mean says all."""
        return self.of == "errors" or {
            *self.baseline.quantiles,
            *self.current.quantiles,
        } <= {0.0, 1.0}

    @property
    def has_quartiles(self) -> bool:
        """Whether the samples' quartiles say something about the change."""
        return self.of == "values" and not self.is_of_shares

    @property
    def scale(self) -> Scale:
        """What ``effect`` and ``size`` are measured in."""
        if self.measured.statistic == CALIBRATION_ERROR:
            return "calibration"
        return "w" if self.of == "codes" else "deviations"

    @property
    def size(self) -> float:
        """How large the change is, from 0 on.

        Of values and errors the larger of the shifts of the mean and of a quartile, in baseline
        deviations; of codes Cohen's w; of confidences the rise of the calibration error.
        """
        shifts = [abs(self.effect)]
        if self.deviation > 0.0 and self.has_quartiles:
            before, now = self.baseline.quantiles[1:4], self.current.quantiles[1:4]
            shifts += [abs(b - a) / self.deviation for a, b in zip(before, now, strict=True)]
        return max(shifts)

    @property
    def size_at_most(self) -> float:
        """The upper end of the size's one-sided 95 % confidence interval, where it is a shift.

        The standard error is that of two means of as many values of deviation 1. What is found
        after few values is thus not held to be small because its size is uncertain. Cohen's w and
        the calibration error come from windows of a fixed size and are taken as they are.
        """
        if self.scale != "deviations" or not self.size:
            return self.size
        samples = (max(self.baseline.size, 1), max(self.current.size, 1))
        return self.size + _ONE_SIDED * math.sqrt(sum(1.0 / n for n in samples))


def detection(
    row: int, measured: Measured, baseline: Floats, recent: Floats, of: Input = "values"
) -> Detection:
    """Describe what changed between two samples (float64 [n], clean, no NaN).

    Of the ``recent`` values, the current sample is those after the most likely moment of change.
    """
    current = since_change(baseline, recent)
    unit = deviation(baseline)
    effect = shift(baseline, current)
    if of == "errors" and unit == 0.0:  # a share of 0 is known no better than to half an error
        share = 0.5 / (len(baseline) + 1)
        unit = math.sqrt(share * (1.0 - share))
        effect = float(np.mean(current) - np.mean(baseline)) / unit
    return Detection(
        row=row,
        measured=measured,
        baseline=summarise(baseline),
        current=summarise(current),
        effect=effect,
        deviation=unit,
        began_ago=len(current),
        of=of,
    )


class DriftDetector(Protocol):
    """Watches one field for changes of its distribution.

    Values come in order, NaN (no value) is skipped, values beyond ±1e300 count as ±1e300. Any
    split of the values into calls gives the same detections and the same state, bit for bit.
    After a detection the detector learns what is normal anew. Memory is bounded.

    The constructor takes the detector's own settings. The update of some, named in
    ``catalog.WEIGHTED``, also takes weights, by which a budget of false alarms is kept.
    """

    kind: ClassVar[str]
    """The detector's name in settings and events, such as ``adwin``."""

    takes: ClassVar[Input]
    """What its values mean."""

    def update(self, x: Floats) -> list[Detection]:
        """Take in ``x`` (float64 [n]); returns the detections, by ascending row."""
        ...

    def state(self) -> State:
        """Return everything learnt, as a copy."""
        ...

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit this detector."""
        ...
