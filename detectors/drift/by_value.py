"""Detectors whose memory is a few numbers, changed by one value after another."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from detectors.drift.contract import Input, Measured
from detectors.drift.present import Present
from detectors.drift.sequential import Sequential, Step
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from schemas.drift_error_settings import ErrorSettings


class ByValue(Sequential):
    """Steps through values; what a subclass remembers are the attributes it names."""

    remembers: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def _step(self, value: float) -> Measured | None:
        """Take in one value; what it makes evident, if anything."""

    def _take(self, part: Present) -> Step:
        for index, value in enumerate(part.values.tolist()):
            if measured := self._step(value):
                return Step(index + 1, measured)
        return Step(len(part))

    def _learnt(self) -> State:
        return {"numbers": np.array([getattr(self, name) for name in self.remembers], np.float64)}

    def _relearn(self, reader: StateReader, n: int) -> None:
        numbers = reader.floats("numbers", (len(self.remembers),)).tolist()
        if any(number != number for number in numbers):
            raise StateError(f"the state of {self.kind} holds NaN, which it never computes")
        for name, number in zip(self.remembers, numbers, strict=True):
            setattr(self, name, number)


class OfErrors(ByValue):
    """A classic detector of more errors: takes 0 for right and 1 for wrong."""

    takes: ClassVar[Input] = "errors"

    def __init__(self, settings: ErrorSettings) -> None:
        super().__init__(settings.n_ref, settings.n_cur)
