"""A fixed baseline against a sliding window: what two-sample tests over a stream share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from detectors.drift.contract import Detection, Input, Measured, detection
from detectors.drift.present import Present
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats
from schemas.drift_settings import ReferenceWindowSettings

Allow = Callable[[float, int], bool]
"""Says of a test's p-value, at a row of the call, whether it may raise an alarm; each is asked."""


class ReferenceWindow(ABC):
    """Tests the last ``n_cur`` values against the first ``n_ref`` after every ``stride``.

    The baseline is the first ``n_ref`` values after the start or after a detection, so a change
    is reported once and then becomes the new normal. The window shares no value with it. A
    subclass says how two samples are compared; what it fits depends on the baseline alone.
    For a detector of errors every value but 0 counts as 1.
    """

    kind: ClassVar[str]
    takes: ClassVar[Input] = "values"

    def __init__(self, settings: ReferenceWindowSettings) -> None:
        self._options = settings
        self._start()

    @abstractmethod
    def _fit(self, baseline: Floats) -> None:
        """Prepare for tests against ``baseline`` (float64 [n_ref])."""

    @abstractmethod
    def _measure(self, current: Floats) -> Measured:
        """Compare ``current`` (float64 [n_cur]) with the baseline."""

    def _slide(self, entering: Floats, leaving: Floats) -> None:  # noqa: B027 - not all count
        """Take note of the values that enter and leave the window, before it is compared."""

    def update(self, x: Floats, allow: Allow | None = None) -> list[Detection]:
        """Take in ``x`` (float64 [n]); returns the detections, by ascending row.

        With ``allow`` a test raises an alarm only if it is asked and agrees, too.
        """
        return self._walk(Present.of(x), 0, allow)

    def _walk(self, values: Present, begin: int, allow: Allow | None) -> list[Detection]:
        """Take in the values from ``begin`` on."""
        numbers, found = values.values, []
        if self.takes == "errors":
            numbers = (numbers != 0.0).astype(np.float64)
        while begin < len(values):
            end = min(begin + self._until_due(), len(values))
            self._learn(numbers[begin:end])
            if self._is_due() and (measured := self._alarm(values.row(end - 1), allow)):
                found.append(self._detection(values.row(end - 1), measured))
                self._start()
            begin = end
        return found

    def state(self) -> State:
        """Return the baseline, the window, and the number of values since the baseline."""
        return {
            "baseline": self._baseline.copy(),
            "current": self._current.copy(),
            "n_after": self._n_after,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, self.kind)
        baseline = reader.values("baseline", self._options.n_ref)
        n_after = reader.integer("n_after", high=0 if self._lacks(baseline) else 2**62)
        current = reader.floats("current", (min(n_after, self._options.n_cur),))
        self._baseline, self._current, self._n_after = baseline, current, n_after
        if not self._lacks(baseline):
            self._fit(baseline)
            self._slide(current, np.zeros(0))

    def _detection(self, row: int, measured: Measured) -> Detection:
        return detection(row, measured, self._baseline, self._current, self.takes)

    def _start(self) -> None:
        self._baseline, self._current, self._n_after = np.zeros(0), np.zeros(0), 0

    def _lacks(self, baseline: Floats) -> bool:
        return len(baseline) < self._options.n_ref

    def _until_due(self) -> int:
        if self._lacks(self._baseline):
            return self._options.n_ref - len(self._baseline)
        return self._options.stride - self._n_after % self._options.stride

    def _learn(self, values: Floats) -> None:
        if self._lacks(self._baseline):
            self._baseline = np.concatenate((self._baseline, values))
            if not self._lacks(self._baseline):
                self._fit(self._baseline)
        else:
            both = np.concatenate((self._current, values))
            self._slide(values, both[: -self._options.n_cur])
            self._current = both[-self._options.n_cur :].copy()  # a view would keep all of it
            self._n_after += len(values)

    def _is_due(self) -> bool:
        n = self._n_after
        return n >= self._options.n_cur and n % self._options.stride == 0

    def _alarm(self, row: int, allow: Allow | None) -> Measured | None:
        measured = self._measure(self._current)
        if allow and measured.p_value is not None and not allow(measured.p_value, row):
            return None
        return measured if measured.value > measured.threshold else None
