"""What the scorers share that have to go row by row."""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

import numpy as np

from detectors.anomaly.contract import Scores
from detectors.anomaly.guarded_scaler import GuardedScaler
from detectors.anomaly.scaler import OnlineStandardScaler, Scaled, unscaled
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import CAP, Bools, Floats, clean


class Scaler(Protocol):
    """Brings rows to a common unit by their past."""

    def scale_learn(self, x: Floats) -> Scaled:
        """Scale ``x`` (float64 [rows, fields], finite or NaN) and learn it."""
        ...

    def state(self) -> State:
        """Return everything learnt, as a copy."""
        ...

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        ...


class Unscaled:
    """Leaves rows as they are."""

    def scale_learn(self, x: Floats) -> Scaled:
        """Return ``x`` itself."""
        return unscaled(x)

    def state(self) -> State:
        """Return the empty state."""
        return {}

    def restore(self, state: State) -> None:
        """Accept the empty state."""


def min_max(n_fields: int, *, scale: bool) -> Scaler:
    """Return a scaler to [0, 1], or none."""
    return GuardedScaler(n_fields) if scale else Unscaled()


def standard(n_fields: int, *, scale: bool) -> Scaler:
    """Return a scaler to mean 0 and deviation 1, or none."""
    return OnlineStandardScaler(n_fields) if scale else Unscaled()


class RowwiseScorer(ABC):
    """Scales each row by those before it, scores it, and learns it scaled with itself.

    A missing value is 0 after scaling, as in River, where it is absent; scaled values are held
    within ±1e6. Rows without any field score 0 and are not learnt; so are the scores of the
    first ``warm_up`` rows 0, but these are learnt.
    """

    kind: ClassVar[str]

    def __init__(self, names: tuple[str, ...], warm_up: int, scaler: Scaler) -> None:
        self.names = names
        self.warm_up = warm_up
        self.n_learnt = 0
        self._scaler = scaler

    @abstractmethod
    def _score(self, row: Floats) -> float:
        """Score ``row``, scaled by the rows before it."""

    @abstractmethod
    def _learn(self, row: Floats, present: Bools) -> None:
        """Learn ``row``, scaled by the rows up to itself."""

    @abstractmethod
    def _inner_state(self) -> State:
        """Return what the scorer itself learnt, as a copy."""

    @abstractmethod
    def _restore_inner(self, reader: StateReader, n_learnt: int) -> None:
        """Continue from the inner state after ``n_learnt`` rows; all or nothing."""

    def score_learn(self, x: Floats) -> Floats:
        """Score and learn ``x`` (float64 [rows, fields]); returns float64 [rows]."""
        x = clean(x)
        scores, present = np.zeros(len(x)), ~np.isnan(x)
        rows = np.flatnonzero(present.any(axis=1))
        if len(rows):
            present = present[rows]
            scaled = self._scaler.scale_learn(x[rows])
            before, after = _held(scaled.before, present), _held(scaled.after, present)
            for at, row in enumerate(rows.tolist()):
                if self.n_learnt >= self.warm_up:
                    scores[row] = self._score(before[at])
                self._learn(after[at], present[at])
                self.n_learnt += 1
        return scores

    def judge_learn(self, x: Floats) -> Scores:
        """Score and learn ``x``; which fields are guilty is not known."""
        return Scores(self.score_learn(x), None)

    def state(self) -> State:
        """Return everything learnt: numbers and arrays."""
        return {
            "n_learnt": self.n_learnt,
            "scaler": self._scaler.state(),
            "inner": self._inner_state(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, self.kind)
        n_learnt, scaler = reader.integer("n_learnt"), reader.mapping("scaler")
        inner = StateReader(reader.mapping("inner"), self.kind)
        self._restore_inner(inner, n_learnt)
        self._scaler.restore(scaler)
        self.n_learnt = n_learnt


def _held(scaled: Floats, present: Bools) -> Floats:
    with np.errstate(invalid="ignore"):
        held = np.clip(scaled, -CAP, CAP)
    return np.where(present & ~np.isnan(held), held, 0.0)
