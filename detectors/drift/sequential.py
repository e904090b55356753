"""What detectors that decide at every value share: the walk over a batch, and the samples."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.drift.contract import Detection, Input, Measured, detection
from detectors.drift.latest import Latest
from detectors.drift.present import Present
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats


class Step(NamedTuple):
    """How many values a detector took in, at least 1, and what the last of them made evident."""

    taken: int
    measured: Measured | None = None


class Sequential(ABC):
    """Walks over values, skips NaN, and starts the detector anew after each detection.

    Samples for the report are kept apart from the detector: the first ``n_ref`` values since
    the start, and the last ``n_cur``. For a detector of errors every value but 0 counts as 1.
    """

    kind: ClassVar[str]
    takes: ClassVar[Input] = "values"

    def __init__(self, n_ref: int, n_cur: int) -> None:
        self._n_ref, self._n_cur = n_ref, n_cur
        self._begin()

    @abstractmethod
    def _start(self) -> None:
        """Forget every value; also called by the constructor here, so set options before."""

    @abstractmethod
    def _take(self, part: Present) -> Step:
        """Take in values (n >= 1), up to the first detection or as many as suits."""

    @abstractmethod
    def _learnt(self) -> State:
        """Return everything learnt but the samples, as a copy."""

    @abstractmethod
    def _relearn(self, reader: StateReader, n: int) -> None:
        """Continue from what :meth:`_learnt` gave, ``n`` values after the start.

        Changes nothing when it raises StateError.
        """

    def update(self, x: Floats) -> list[Detection]:
        """Take in ``x`` (float64 [n]); returns the detections, by ascending row."""
        return self._walk(Present.of(x))

    def _walk(self, values: Present) -> list[Detection]:
        if self.takes == "errors":
            values = replace(values, values=(values.values != 0.0).astype(np.float64))
        found, begin = [], 0
        while begin < len(values):
            step = self._take(values[begin:])
            self._remember(values.values[begin : begin + step.taken])
            begin += step.taken
            if step.measured:
                found.append(self._detection(values.row(begin - 1), step.measured))
                self._begin()
        return found

    def state(self) -> State:
        """Return the samples and everything learnt."""
        samples = {"reference": self._reference.copy(), "recent": self._recent.values.copy()}
        return {"n": self._n, **samples, "learnt": self._learnt()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, self.kind)
        n = reader.integer("n")
        reference = reader.floats("reference", (min(n, self._n_ref),))
        recent = reader.floats("recent", (min(n, self._n_cur),))
        self._relearn(StateReader(reader.mapping("learnt"), self.kind), n)
        self._n, self._reference, self._recent = n, reference, Latest(self._n_cur, recent)

    def _begin(self) -> None:
        self._n, self._reference = 0, np.zeros(0)
        self._recent = Latest(self._n_cur, np.zeros(0))
        self._start()

    def _remember(self, values: Floats) -> None:
        self._n += len(values)
        room = self._n_ref - len(self._reference)
        if room:
            self._reference = np.concatenate((self._reference, values[:room]))
        self._recent.push(values)

    def _detection(self, row: int, measured: Measured) -> Detection:
        n_baseline = max(self._n - len(self._recent), self._n // 2, 1)
        recent = self._recent.values[min(n_baseline - self._n, -1) :]
        return detection(row, measured, self._reference[:n_baseline], recent, self.takes)
