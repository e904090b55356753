"""What the rules share that follow each field value by value, apart from all others."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, Protocol, TypeVar

import numpy as np

from detectors.anomaly.contract import FieldScores, largest
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats, clean


class Track(Protocol):
    """Follows one field. A missing value is no value: a track never sees NaN."""

    def follow(self, values: Floats, at_s: Floats) -> FieldScores:
        """Judge each value by those before it, then learn it; float64 [values] throughout."""
        ...

    def state(self) -> State:
        """Return everything learnt, as a copy."""
        ...

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        ...


T = TypeVar("T", bound=Track)


class SerialRule(ABC, Generic[T]):
    """Gives every field a track of its own; the score of a row is its largest ratio.

    ``step_s`` is the time between two rows that come without one.
    """

    kind: ClassVar[str]

    def __init__(self, names: tuple[str, ...], step_s: float = 1.0) -> None:
        self.names: tuple[str, ...] = ()
        self._tracks: list[T] = []
        self._step_s = step_s
        self._n_rows = 0
        self.widen(names)

    @abstractmethod
    def _track(self) -> T:
        """Return the track of a new field."""

    def score_learn(self, x: Floats, at_s: Floats | None = None) -> Floats:
        """Score and learn ``x`` (float64 [rows, fields]); the largest ratio of each row."""
        return largest(self.fields_learn(x, at_s).ratio)

    def fields_learn(self, x: Floats, at_s: Floats | None = None) -> FieldScores:
        """Score and learn ``x`` (float64 [rows, fields]), telling the fields apart.

        ``at_s`` (float64 [rows]) are the rows' times in seconds since any epoch.
        """
        x = clean(x)
        if at_s is None:
            at_s = np.arange(self._n_rows, self._n_rows + len(x), dtype=np.float64) * self._step_s
        self._n_rows += len(x)
        ratio, center = np.zeros(x.shape), np.full(x.shape, np.nan)
        for column, track in enumerate(self._tracks):
            rows = np.flatnonzero(~np.isnan(x[:, column]))
            if len(rows):
                found = track.follow(x[rows, column], at_s[rows])
                ratio[rows, column], center[rows, column] = found.ratio, found.center
        return FieldScores(ratio, center)

    def widen(self, names: tuple[str, ...]) -> None:
        """Add columns on the right for the fields ``names``, which no row had so far."""
        self.names += names
        self._tracks += [self._track() for _ in names]

    def state(self) -> State:
        """Return the state of every field's track."""
        return {"n_rows": self._n_rows, "tracks": [track.state() for track in self._tracks]}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, self.kind)
        n_rows, states = reader.integer("n_rows"), reader.states("tracks")
        if len(states) != len(self.names):
            raise StateError(
                f"the state of {self.kind} has {len(states)} fields, not {len(self.names)}"
            )
        tracks = [self._track() for _ in self.names]
        for track, inner in zip(tracks, states, strict=True):
            track.restore(inner)
        self._tracks, self._n_rows = tracks, n_rows
