"""At which levels the tests with p-values of one watch may be made, field by field."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from detectors.online_fdr import Spending
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.values import Floats


class AlphaBudget(NamedTuple):
    """False alarms (``alpha``) that all tests of a watch may raise in each ``per_s`` seconds."""

    alpha: float
    per_s: float


class Levels:
    """Gives every test of every field a :class:`Spending` of its own, so that fields can be judged
    one after the other in any split of the rows.

    Fields share by the order in which they first appear: those that come in the same row are
    alike, and the k-th such row has 1 / (k (k + 1)) of ``alpha`` for its fields together. A
    field's tests have equal parts of its share.

    >>> import numpy as np
    >>> levels = Levels(AlphaBudget(alpha=0.4, per_s=60.0))
    >>> levels.admit([(0, "t", ["ks"])])
    >>> allow = levels.allow("t", "ks", np.array([1.0, 2.0]))
    >>> allow is not None and (allow(0.09, 0), allow(0.09, 1))
    (True, False)
    """

    def __init__(self, budget: AlphaBudget) -> None:
        self._budget = budget
        self._n_groups = 0
        self._alphas: dict[str, float] = {}
        self._spending: dict[tuple[str, str], Spending] = {}

    def admit(self, new: Iterable[tuple[int, str, list[str]]]) -> None:
        """Give fields their share; each comes with the row of its first value and its tests."""
        rows: dict[int, list[tuple[str, list[str]]]] = {}
        for row, field, kinds in sorted(new):
            if kinds:
                rows.setdefault(row, []).append((field, kinds))
        for fields in rows.values():
            self._n_groups += 1
            of_group = self._budget.alpha / (self._n_groups * (self._n_groups + 1))
            for field, kinds in fields:
                alpha = of_group / (len(fields) * len(kinds))
                self._alphas[field] = alpha
                for kind in kinds:
                    self._spending[field, kind] = Spending(alpha, self._budget.per_s)

    def allow(self, field: str, kind: str, at_s: Floats) -> Callable[[float, int], bool] | None:
        """Return what a detector asks with each p-value and the row, of those at these times.

        None for one that was not admitted.
        """
        spending = self._spending.get((field, kind))
        if spending is None:
            return None
        return lambda p_value, row: spending.allows(p_value, float(at_s[row]))

    def state(self) -> State:
        """Return what was tested and found."""
        tests: dict[str, dict[str, State]] = {field: {} for field in self._alphas}
        for (field, kind), spending in self._spending.items():
            tests[field][kind] = spending.state()
        return {"n_groups": self._n_groups, "alphas": dict(self._alphas), "tests": tests}

    def restore(self, state: State, tests_of: Mapping[str, list[str]]) -> None:
        """Continue from ``state``, which must know these tests of these fields and no others.

        Raises StateError when it does not fit.
        """
        reader = StateReader(state, "Levels")
        n_groups, given = reader.integer("n_groups"), reader.mapping("alphas")
        alphas, spending = {}, {}
        tests = StateReader(reader.mapping("tests"), "Levels")
        if set(given) != set(tests_of):
            raise StateError("the state of Levels has other fields")
        for field, kinds in tests_of.items():
            alpha = alphas[field] = StateReader(given, "Levels").number(field)
            if not 0.0 < alpha <= self._budget.alpha:
                raise StateError(f"the state of Levels has an impossible share for {field!r}")
            of_field = tests.mapping(field)
            for kind in kinds:
                made = spending[field, kind] = Spending(alpha, self._budget.per_s)
                made.restore(StateReader(of_field, "Levels").mapping(kind))
        self._n_groups, self._alphas, self._spending = n_groups, alphas, spending
