"""Tests that give a p-value and no more: at which level each may be made, so that all stay bounded.

A sequential test bounds its false alarms by itself. A test that is made anew every few values does
not: at any fixed level it is wrong in the end. Here the levels fall, and rise again with each
discovery.
"""

import math

from detectors.state import State
from detectors.state_reader import StateReader


class Lond:
    """LOND: of a sequence of tests, those are discoveries whose p-value is at most ``level``.

    With n tests and r discoveries before, the level is ``alpha`` * g * (r + 1), where g is
    1 / ((n + 1) (n + 2)); over all n these add up to 1. While nothing changes, the probability of
    any discovery is at most ``alpha``, however the tests depend on each other. Where some things
    change, the expected share of false discoveries is at most ``alpha`` if the p-values depend on
    each other positively, as those of overlapping windows and of correlated fields do. For
    e-values, fed as 1 / e, this is e-LOND, and that holds under any dependence.

    References: Javanmard and Montanari, "Online rules for control of false discovery rate and
    false discovery exceedance", Annals of Statistics 46 (2018); Zrnic, Ramdas and Jordan,
    "Asynchronous online testing of multiple hypotheses", JMLR 22 (2021); Xu and Ramdas, "Online
    multiple testing with e-values", AISTATS 2024.

    >>> test = Lond(0.1)
    >>> [test.accepts(p) for p in (0.06, 0.01, 0.01, 0.02)]
    [False, True, True, False]
    """

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._n_tests = 0
        self._n_found = 0

    @property
    def level(self) -> float:
        """What the next p-value may be at most."""
        n = self._n_tests
        return self._alpha * (self._n_found + 1) / ((n + 1) * (n + 2))

    def accepts(self, p_value: float) -> bool:
        """Whether the next test, of this p-value in [0, 1], is a discovery."""
        accepted = p_value <= self.level
        self._n_tests += 1
        self._n_found += accepted
        return accepted

    def state(self) -> State:
        """Return how many tests and discoveries there were."""
        return {"n_tests": self._n_tests, "n_found": self._n_found}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Lond")
        n_tests = reader.integer("n_tests")
        self._n_tests, self._n_found = n_tests, reader.integer("n_found", high=n_tests)


class Spending:
    """LOND that begins anew every ``per_s`` seconds, so that what was spent comes back.

    Without a change the probability of an alarm in a period is at most ``alpha``. Times are those
    of the entries; one that lies before the present period, or is not finite, belongs to it.

    >>> spending = Spending(alpha=0.1, per_s=60.0)
    >>> [spending.allows(0.03, at_s) for at_s in (1.0, 2.0, 3.0, 61.0)]
    [True, True, False, True]
    """

    def __init__(self, alpha: float, per_s: float) -> None:
        self._alpha = alpha
        self._per_s = per_s
        self._period = 0
        self._test = Lond(alpha)

    def allows(self, p_value: float, at_s: float) -> bool:
        """Whether a test of this p-value, made at this time, may raise an alarm; each counts."""
        period = int(at_s // self._per_s) if math.isfinite(at_s) else self._period
        if period > self._period:
            self._period, self._test = period, Lond(self._alpha)
        return self._test.accepts(p_value)

    def state(self) -> State:
        """Return the present period and what was found in it."""
        return {"period": self._period, "test": self._test.state()}

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Spending")
        period, test = reader.integer("period"), Lond(self._alpha)
        test.restore(reader.mapping("test"))
        self._period, self._test = period, test
