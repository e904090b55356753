"""What the rules on a field's recent past share: when to refresh, and how to judge a batch."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from detectors.anomaly.contract import FieldScores, largest
from detectors.anomaly.history import FieldHistory, Past
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats, clean
from schemas.anomaly_settings import HistorySettings


class FieldwiseRule(ABC):
    """Judges each value by statistics of its field's last ``window`` rows.

    The statistics are refreshed after every ``stride`` rows. A field with fewer than
    ``min_values`` values in the window is not judged: its ratio is 0. A subclass says which
    statistics, as lines of one matrix, and how a value is judged by them.
    """

    kind: ClassVar[str]
    _n_statistics: ClassVar[int]
    _has_range: ClassVar[bool] = False  # whether the last two lines are a range expected

    def __init__(self, names: tuple[str, ...], settings: HistorySettings) -> None:
        self.names = names
        self._min_values = settings.min_values
        self._history = FieldHistory(len(names), settings)
        self._statistics = np.full((self._n_statistics, len(names)), np.nan)

    @abstractmethod
    def _measure(self, past: Past) -> Floats:
        """Return float64 [statistics, fields]; the first line is the value expected."""

    @abstractmethod
    def _judge(self, x: Floats, statistics: Floats) -> Floats:
        """Return the ratios of ``x`` (float64 [rows, fields]); NaN where not known.

        ``statistics`` (float64 [statistics, rows or 1, fields]) are those in force at each row.
        """

    def score_learn(self, x: Floats) -> Floats:
        """Score and learn ``x`` (float64 [rows, fields]); the largest ratio of each row."""
        return largest(self.fields_learn(x).ratio)

    def fields_learn(self, x: Floats) -> FieldScores:
        """Score and learn ``x`` (float64 [rows, fields]), telling the fields apart."""
        x = clean(x)
        ratio, center = np.zeros(x.shape), np.full(x.shape, np.nan)
        low, high = (center.copy(), center.copy()) if self._has_range else (None, None)
        for part in self._history.spans(len(x)):
            statistics = self._learn(x[part])
            found = self._judge(x[part], statistics)
            found[np.isnan(found)] = 0.0
            ratio[part], center[part] = found, statistics[0]
            if low is not None and high is not None:
                low[part], high[part] = statistics[-2:]
        return FieldScores(ratio, center, low, high)

    def widen(self, names: tuple[str, ...]) -> None:
        """Add columns on the right for the fields ``names``, which no row had so far."""
        if not names:
            return
        self.names += names
        self._history.widen(len(names))
        more = np.full((self._n_statistics, len(names)), np.nan)
        self._statistics = np.concatenate((self._statistics, more), axis=1)

    def state(self) -> State:
        """Return the rows remembered and the statistics in force."""
        return {"history": self._history.state(), "statistics": self._statistics.copy()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, self.kind)
        statistics = reader.floats("statistics", self._statistics.shape)
        self._history.restore(reader.mapping("history"))
        self._statistics = statistics

    def _learn(self, x: Floats) -> Floats:
        """Learn a span; return the statistics in force before each row, or before all of them."""
        before, ends = self._statistics[:, None], self._history.due(len(x))
        if ends:
            past = self._history.pasts(x, ends)
            refreshed = self._measure(past)
            refreshed[:, past.size < self._min_values] = np.nan
            refreshed = refreshed.reshape(len(refreshed), len(ends), -1)
            self._statistics = refreshed[:, -1].copy()
            rows = np.diff([0, *ends, len(x)])
            before = np.repeat(np.concatenate((before, refreshed), axis=1), rows, axis=1)
        self._history.learn(x)
        return before
