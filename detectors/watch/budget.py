"""False alarms allowed by the time that passes, divided over fields nobody knows beforehand."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Bools, Floats

LONGEST_S = 3600.0
"""A longer time between two values counts as this, so a pause hands out no fortune at once."""


@dataclass
class _Account:
    """What one detector may spend: ``rate`` a second, since ``last_s``; ``spent`` so far."""

    rate: float
    last_s: float = np.nan
    spent: float = 0.0

    def draw(self, clock: Floats, gaps: Floats, there: Bools | None) -> Floats:
        """Return what each row may spend: the time since the last row that is there.

        ``there`` (bool [rows]) is None when all are; the first ever has nothing.
        """
        if there is None and self.last_s == clock[0]:
            weights = gaps * self.rate
            self.last_s = float(clock[-1])
        else:
            weights = np.zeros(len(gaps))
            own = slice(None) if there is None else there
            times = np.concatenate(((self.last_s,), clock[1:][own]))
            weights[own] = _gaps(times) * self.rate
            self.last_s = float(times[-1])
        self.spent = float(np.concatenate(((self.spent,), weights)).cumsum()[-1])
        return weights


class Budget:
    """Allows ``rate`` false alarms a second over all fields, however many come.

    Fields share by the order in which they first appear: those that come in the same row are
    alike, and the k-th such row has 1 / (k (k + 1)) of the rate for its fields together; these
    shares add up to 1 at most. Half of a field's is for its values, half for its presence.

    Time is the latest so far: it never goes back, NaN and infinite times are passed over, and
    a step counts as an hour at most, which makes the bound stricter.

    >>> budget = Budget(rate=0.01)
    >>> clock = budget.advance(np.array([10.0, 20.0, 15.0, 30.0]))
    >>> budget.admit([(0, "t")])
    >>> budget.values("t", clock, None)
    array([0.   , 0.025, 0.   , 0.025])
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._clock_s = np.nan
        self._gaps = np.zeros(0)
        self._n_groups = 0
        self._accounts: dict[str, tuple[_Account, _Account]] = {}
        self._drawn: tuple[_Account, _Account, Floats] | None = None

    @property
    def spent(self) -> dict[str, float]:
        """For each field, the false alarms that were to be expected so far, at most."""
        return {field: sum(each.spent for each in pair) for field, pair in self._accounts.items()}

    def advance(self, at_s: Floats) -> Floats:
        """Go on to rows at these times (float64 [rows]); the clock before them and at each."""
        times = np.where(np.isfinite(at_s), at_s, np.nan)
        clock: Floats = np.fmax.accumulate(np.concatenate(((self._clock_s,), times)))
        self._clock_s, self._gaps, self._drawn = float(clock[-1]), _gaps(clock), None
        return clock

    def admit(self, new: Iterable[tuple[int, str]]) -> None:
        """Give fields their share; each comes with the row of its first value."""
        rows: dict[int, list[str]] = {}
        for row, field in sorted(new):
            rows.setdefault(row, []).append(field)
        for fields in rows.values():
            self._n_groups += 1
            rate = self._rate / (2 * self._n_groups * (self._n_groups + 1) * len(fields))
            for field in fields:
                self._accounts[field] = (_Account(rate), _Account(rate))

    def values(self, field: str, clock: Floats, there: Bools | None) -> Floats:
        """Return the weights of a field's values; ``there``: where it has some, None: always."""
        return self._draw(self._accounts[field][0], clock, there)

    def presence(self, field: str, clock: Floats, there: Bools | None) -> Floats:
        """Return the weights for its presence; ``there``: from its first row on, None: always."""
        return self._draw(self._accounts[field][1], clock, there)

    def _draw(self, account: _Account, clock: Floats, there: Bools | None) -> Floats:
        """Draw from an account; what stand alike draw the same, once for all of them."""
        if there is not None:
            return account.draw(clock, self._gaps, there)
        if self._drawn and self._drawn[0] == account:
            _, after, weights = self._drawn
            account.last_s, account.spent = after.last_s, after.spent
            return weights
        before = replace(account)
        weights = account.draw(clock, self._gaps, there)
        self._drawn = before, replace(account), weights
        return weights

    def state(self) -> State:
        """Return the time, and what each field may spend and has spent."""
        accounts = {
            field: np.array([(each.rate, each.last_s, each.spent) for each in pair])
            for field, pair in self._accounts.items()
        }
        return {"clock_s": self._clock_s, "n_groups": self._n_groups, "accounts": accounts}

    def restore(self, state: State, fields: set[str]) -> None:
        """Continue from ``state``, which must know ``fields`` and no others.

        Raises StateError when it does not fit.
        """
        reader = StateReader(state, "Budget")
        clock_s, n_groups = reader.number("clock_s"), reader.integer("n_groups")
        inner = reader.mapping("accounts")
        if set(inner) != fields or np.isinf(clock_s):
            raise StateError("the state of Budget has other fields, or a time without end")
        accounts = {}
        for field in inner:
            numbers = StateReader(inner, "Budget").floats(field, (2, 3))
            if np.isinf(numbers).any() or not (numbers[:, ::2] >= 0.0).all():
                raise StateError(f"the state of Budget has impossible amounts for {field!r}")
            first, second = (_Account(*each) for each in numbers.tolist())
            accounts[field] = (first, second)
        self._clock_s, self._n_groups, self._accounts = clock_s, n_groups, accounts


def _gaps(times: Floats) -> Floats:
    """Return the seconds from each time to the next, at most an hour; 0 where one is unknown."""
    gaps = np.minimum(times[1:] - times[:-1], LONGEST_S)
    return np.where(np.isnan(gaps), 0.0, gaps)
