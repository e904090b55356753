"""Scaling by extremes that one absurd value does not take over."""

from collections.abc import Sequence
from operator import gt, lt

import numpy as np

from detectors.anomaly.scaler import OnlineMinMaxScaler, Scaled
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import HUGE, Bools, Floats, Ints

_FIRST = 64  # values of a field that are looked over before it is guarded
_TRIMMED = 3  # of them, at either end, that may be no measure of the others
_REACH = 20.0  # ranges beyond the range from which a value is held off
_STEP, _PRESSING = 8, 512  # so that 64 in a row, or more than a ninth of all, are let in


class GuardedScaler:
    """Maps every field to [0, 1] by its minimum and maximum, outliers held off.

    A value is held off when it is infinite (±1e300), or lies more than twenty ranges beyond the
    range learnt so far (a field with one value only counts the size of that as its range; one
    that was 0 all along lets anything in). It does not widen the range, and scales to 21 or -20
    before it is learnt (1 or 0 if the field has no other value so far), to 1 or 0 after.

    When 64 such values come in a row, or more than one in nine for a while, they are no outliers
    any more, and the range takes in the one that is then due; infinite ones never. The first 64
    values of a field are all let in; at the 64th those that lie more than twenty ranges of the
    others beyond them, up to three at either end, are taken out again.

    On all other inputs it equals :class:`OnlineMinMaxScaler` bit for bit, and so River's.

    >>> x = np.arange(100.0)[:, None] % 10
    >>> x[80] = 1e200
    >>> scaled = GuardedScaler(1).scale_learn(x)
    >>> scaled.before[80], scaled.after[80], scaled.after[99]
    (array([21.]), array([1.]), array([1.]))
    """

    def __init__(self, n_fields: int) -> None:
        self._inner = OnlineMinMaxScaler(n_fields)
        self._first = np.full((_FIRST, n_fields), np.nan)  # without rows when all are complete
        self._n_first = np.zeros(n_fields, dtype=np.int64)
        self._pressure = np.zeros(n_fields, dtype=np.int64)
        self._columns = np.arange(n_fields)
        self._note()

    def scale_learn(self, x: Floats) -> Scaled:
        """Scale ``x`` (float64 [rows, fields], within ±1e300 or NaN) and learn its extremes."""
        changed, held = np.zeros((2, len(x)), dtype=np.bool_)
        before, after, begin = np.empty_like(x), np.empty_like(x), 0
        while begin < len(x):
            part = slice(begin, begin + self._until_review(x[begin:]))
            found = self._part(x[part])
            before[part], after[part], changed[part], held[part] = found
            begin = part.stop
        return Scaled(before, after, changed, held)

    def scale_learn_one(self, row: list[float]) -> tuple[list[float], list[float], bool, bool]:
        """Scale and learn one row without NaN: ``before``, ``after``, ``changed``, ``held``."""
        if self._calm and not any(map(lt, row, self._floor)) and not any(map(gt, row, self._roof)):
            found = self._inner.scale_learn_one(row)
            if found[2]:
                self._note()
            return (*found, False)
        if self._most < _FIRST - 1 and max(map(abs, row), default=0.0) < HUGE:
            self._first[self._n_first, self._columns] = row
            self._n_first += 1
            self._most += 1
            return (*self._inner.scale_learn_one(row), False)
        before, after, changed, held = self._part(np.array([row]))
        return before[0].tolist(), after[0].tolist(), bool(changed[0]), bool(held[0])

    def state(self) -> State:
        """Return the extremes, the first values, and how many outliers press to be let in."""
        return {
            "range": self._inner.state(),
            "first": self._first.copy(),
            "n_first": self._n_first.copy(),
            "pressure": self._pressure.copy(),
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader, shape = StateReader(state, "GuardedScaler"), self._n_first.shape
        n_first = reader.array("n_first", np.int64, shape)
        pressure = reader.array("pressure", np.int64, shape)
        if (n_first < 0).any() or (n_first > _FIRST).any() or (pressure < 0).any():
            raise StateError("the state of GuardedScaler holds counts that cannot be")
        n_rows = _FIRST if (n_first < _FIRST).any() else 0
        first = reader.floats("first", (n_rows, *shape))
        self._inner.restore(reader.mapping("range"))
        self._first, self._n_first, self._pressure = first, n_first, pressure
        self._note()

    def _note(self) -> None:
        """Work out from where on a value is held off, and whether that is all there is to do."""
        low, high = self._inner.extremes
        self._most = int(self._n_first.max(initial=0))  # first values of any field
        self._is_full = bool((self._n_first == _FIRST).all())
        self._calm = self._is_full and not self._pressure.any()
        with np.errstate(invalid="ignore"):
            reach = _REACH * (high - low)
            self._floor, self._roof = (low - reach).tolist(), (high + reach).tolist()

    def _until_review(self, x: Floats) -> int:
        """Return how many rows may be learnt until a field has its first values, or all."""
        if self._is_full:
            return len(x)
        counts = self._n_first + _learnable(x).cumsum(axis=0)
        due = ((counts >= _FIRST) & (self._n_first < _FIRST)).any(axis=1)
        return int(due.argmax()) + 1 if due.any() else len(x)

    def _part(self, x: Floats) -> tuple[Floats, Floats, Bools, Bools]:
        """Do what :meth:`scale_learn` does, for rows of which the last at most is a review."""
        is_known = self._is_full or self._n_first + _learnable(x).cumsum(axis=0) > 0
        sides = self._sides(x)
        held = sides != 0
        before, after, changed, _ = self._inner.scale_learn(np.where(held, np.nan, x))
        after[held] = sides[held] > 0
        off = held & is_known
        before[held] = after[held]
        before[off] = np.where(sides[off] > 0, 1.0 + _REACH, -_REACH)
        if not self._is_full:
            self._collect(np.where(held, np.nan, x))
        self._note()
        row_held = held.any(axis=1)
        return before, after, changed | row_held, row_held

    def _sides(self, x: Floats) -> Ints:
        """Return 1 or -1 where a value is held off, above or below, else 0; the pressure."""
        sides = np.where(np.abs(x) >= HUGE, np.sign(x), 0.0).astype(np.int64)
        guarded = self._n_first == _FIRST
        beyond = ((x < self._floor) | (x > self._roof)).any(axis=0)
        for column in np.flatnonzero(guarded & (beyond | (self._pressure > 0))).tolist():
            sides[:, column] = self._follow(column, x[:, column].tolist())
        return sides

    def _follow(self, column: int, values: Sequence[float]) -> list[int]:
        """Do for one field, value by value, what cannot be done for all at once."""
        low, high = (float(each[column]) for each in self._inner.extremes)
        pressure, sides = int(self._pressure[column]), [0] * len(values)
        for row, value in enumerate(values):
            if value != value:
                continue
            distance = max(value - high, low - value)
            if distance > _reach(low, high) or abs(value) >= HUGE:
                pressure = min(pressure + _STEP, _PRESSING)
                if abs(value) >= HUGE or pressure < _PRESSING:
                    sides[row] = 1 if value > high else -1
                    continue
                pressure = 0
            elif pressure:
                pressure -= 1
            low, high = min(low, value), max(high, value)
        self._pressure[column] = pressure
        return sides

    def _collect(self, x: Floats) -> None:
        """Keep the first values of each field; look a field over once it has all of them."""
        for column in np.flatnonzero(self._n_first < _FIRST).tolist():
            values, n = x[:, column], int(self._n_first[column])
            fresh = values[~np.isnan(values)]
            self._first[n : n + len(fresh), column] = fresh
            self._n_first[column] = n + len(fresh)
            if n + len(fresh) == _FIRST:
                self._inner.set_extremes(column, *_trimmed(self._first[:, column]))
        if (self._n_first == _FIRST).all():
            self._first = self._first[:0]


def _learnable(x: Floats) -> Bools:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(x) < HUGE)


def _trimmed(values: Floats) -> tuple[float, float]:
    """Return the extremes of those values that are not absurd beside the others."""
    ordered = np.sort(values)
    low, high = float(ordered[_TRIMMED]), float(ordered[-1 - _TRIMMED])
    reach = _reach(low, high)
    kept = ordered[(ordered >= low - reach) & (ordered <= high + reach)]
    return float(kept[0]), float(kept[-1])


def _reach(low: float, high: float) -> float:
    """Return how far beyond the range a value may lie; a single value counts as its own range."""
    return _REACH * ((high - low) or abs(low)) or HUGE
