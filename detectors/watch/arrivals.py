"""Fields that come up after a while: a schema that has grown."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from detectors.drift.contract import Detection, Measured, detection
from detectors.sample import summarise
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats
from detectors.watch.sentences import APPEARANCE

MOST_TESTS = 8
"""Rows with a new field by which it must be evident that it is new."""

_REMEMBERED = 1000  # rows before it that a report speaks of, at most


@dataclass
class _Arrival:
    """``before`` rows had no such field, ``since`` came from its first on, ``there`` with it."""

    before: int
    since: int = 0
    there: int = 0


class Arrivals:
    """Reports once that a field is new which no row of the first ``n_start`` or more had.

    While rows are exchangeable, the first of k rows with a field among n is likely to come early:
    with m rows from that one on it comes so late with probability C(m, k) / C(n, k). The k-th row
    with the field is tested at ``alpha`` / (k (k + 1)), k up to 8, so a field that has always been
    there, but rarely, is taken for new with probability ``alpha`` at most. After 200 rows four in
    a row are enough for an ``alpha`` of 1e-6.

    >>> arrivals, x = Arrivals(200, alpha=1e-6), np.zeros(500)
    >>> x[:300] = np.nan
    >>> [(field, found.row) for field, found in arrivals.observe({"new": x}, 500)]
    [('new', 303)]
    """

    def __init__(self, n_start: int, alpha: float) -> None:
        self._n_start, self._alpha = n_start, alpha
        self._n_rows = 0
        self._known: set[str] = set()
        self._arriving: dict[str, _Arrival] = {}

    def observe(self, missing: Mapping[str, Floats], n: int) -> Iterator[tuple[str, Detection]]:
        """Judge ``n`` rows: a column for every field so far and every new one, as for presence."""
        for field in sorted(missing.keys() - self._known):
            before = self._n_rows + int(np.isnan(missing[field]).argmin())
            self._known.add(field)
            if before >= self._n_start:
                self._arriving[field] = _Arrival(before)
        self._n_rows += n
        for field in list(self._arriving) if n else ():
            if found := self._judged(field, missing[field]):
                yield field, found

    def state(self) -> State:
        """Return how many rows there were, and which fields are still to be judged."""
        arriving = {
            field: np.array([each.before, each.since, each.there], dtype=np.float64)
            for field, each in self._arriving.items()
        }
        return {"n_rows": self._n_rows, "arriving": arriving}

    def restore(self, state: State, fields: set[str]) -> None:
        """Continue from ``state``, which knows ``fields``; raises StateError if it does not fit."""
        reader = StateReader(state, "Arrivals")
        n_rows, inner = reader.integer("n_rows"), reader.mapping("arriving")
        if not set(inner) <= fields:
            raise StateError("the state of Arrivals has fields that are not known")
        arriving = {}
        for field in inner:
            counts = StateReader(inner, "Arrivals").floats(field, (3,))
            if not ((counts >= 0.0) & (counts <= 2.0**53)).all():
                raise StateError(f"the state of Arrivals has impossible counts for {field!r}")
            arriving[field] = _Arrival(*map(int, counts.tolist()))
        self._n_rows, self._known, self._arriving = n_rows, set(fields), arriving

    def _judged(self, field: str, missing: Floats) -> Detection | None:
        """Take in a field's rows up to the one that decides; forget it once it is decided."""
        arrival, start = self._arriving[field], int(np.isnan(missing).argmin())
        if np.isnan(missing[start]):
            start = len(missing)
        for row in start + np.flatnonzero(missing[start:] == 0.0):
            rows = arrival.since + int(row) - start + 1
            arrival.there += 1
            k = arrival.there
            p_value = _p_value(arrival.before, rows, k)
            level = self._alpha / (k * (k + 1))
            if p_value <= level or k >= MOST_TESTS:
                del self._arriving[field]
                return _found(int(row), arrival, rows, p_value, level) if p_value <= level else None
        arrival.since += len(missing) - start
        return None


def _p_value(before: int, rows: int, there: int) -> float:
    log_p = sum(math.log((rows - i) / (before + rows - i)) for i in range(there))
    return math.exp(log_p)


def _found(row: int, arrival: _Arrival, rows: int, p_value: float, level: float) -> Detection:
    measured = Measured(APPEARANCE, -math.log10(p_value), -math.log10(level), p_value)
    without = np.ones(min(arrival.before, _REMEMBERED))
    since = np.zeros(min(rows, _REMEMBERED))
    since[: max(len(since) - arrival.there, 0)] = 1.0  # which of them is of no account
    found = detection(row, measured, without, since, "errors")
    return replace(found, current=summarise(since), began_ago=rows)
