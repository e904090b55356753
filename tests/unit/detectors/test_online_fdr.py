"""Tests with p-values keep to a budget for ever, and still find what changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.drift.contract import Measured
from detectors.drift.ks import Ks
from detectors.online_fdr import Lond, Spending
from detectors.state import StateError, pack, unpack

ALPHA = 0.1


def test_the_levels_of_all_time_add_up_to_alpha() -> None:
    test, levels = Lond(0.2), []
    for _ in range(100_000):
        levels.append(test.level)
        test.accepts(1.0)
    assert sum(levels) == pytest.approx(0.2, rel=1e-4)
    assert sum(levels) <= 0.2


def test_each_discovery_raises_what_follows() -> None:
    with_one, without = Lond(ALPHA), Lond(ALPHA)
    assert with_one.accepts(0.0)
    assert not without.accepts(1.0)
    assert with_one.level == pytest.approx(2 * without.level)


@pytest.mark.parametrize("copies", [1, 20], ids=["independent", "the same number twenty times"])
def test_without_a_change_at_most_alpha_of_the_runs_find_anything(copies: int) -> None:
    rng, alpha, wrong, runs = np.random.default_rng(11), 0.3, 0, 4000
    for _ in range(runs):
        test = Lond(alpha)
        p = np.repeat(rng.random(60 // copies), copies)
        wrong += any(test.accepts(float(each)) for each in p)
    assert wrong / runs <= alpha
    assert wrong / runs > alpha / 4  # it is no refusal to test


def test_e_values_make_it_e_lond() -> None:
    """Under no change an e-value is 1 on average: here 1000 with probability 1 / 1000."""
    rng, wrong = np.random.default_rng(13), 0
    for _ in range(2000):
        test = Lond(0.5)
        e = np.where(rng.random(50) < 0.1, 10.0, 1e-9)
        wrong += any(test.accepts(min(1.0, 1.0 / float(each))) for each in e)
    assert wrong / 2000 <= 0.5


def test_among_changes_the_false_share_stays_below_alpha_and_the_changes_are_found() -> None:
    rng, shares, found, n_true = np.random.default_rng(12), [], 0, 0
    for _ in range(300):
        test = Lond(ALPHA)
        true = rng.random(200) < 0.2
        p = np.where(true, 1e-7 * rng.random(200), rng.random(200))
        accepted = np.array([test.accepts(float(each)) for each in p])
        shares.append((accepted & ~true).sum() / max(1, accepted.sum()))
        found, n_true = found + (accepted & true).sum(), n_true + true.sum()
    assert np.mean(shares) <= ALPHA
    assert found / n_true > 0.99


def test_the_budget_is_renewed_with_each_period_and_never_by_a_late_entry() -> None:
    spending = Spending(alpha=0.1, per_s=10.0)
    assert not spending.allows(0.06, at_s=5.0)
    assert not spending.allows(0.04, at_s=9.0)
    assert spending.allows(0.04, at_s=10.0)
    assert not spending.allows(0.04, at_s=3.0)
    assert spending.state()["period"] == 1


steps = st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 100.0)), max_size=30)


@given(steps, st.integers(0, 30))
def test_a_run_that_was_interrupted_goes_on_as_one_that_was_not(
    taken: list[tuple[float, float]], cut: int
) -> None:
    def fresh() -> Spending:
        return Spending(0.4, 20.0)

    whole, first, second = fresh(), fresh(), fresh()
    expected = [whole.allows(p, at_s) for p, at_s in taken]
    found = [first.allows(p, at_s) for p, at_s in taken[:cut]]
    second.restore(unpack(pack(first.state())))
    found += [second.allows(p, at_s) for p, at_s in taken[cut:]]
    assert found == expected
    assert pack(second.state()) == pack(whole.state())


@pytest.mark.parametrize(
    "state", [{}, {"period": 1}, {"period": 0, "test": {"n_tests": 1, "n_found": 2}}]
)
def test_a_state_that_cannot_be_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(StateError):
        Spending(0.1, 1.0).restore(state)  # type: ignore[arg-type]


class KsWithin(Ks):
    """The test over windows whose alarms a budget has to allow."""

    def __init__(self) -> None:
        super().__init__()
        self._lond = Lond(ALPHA)

    def _alarm(self) -> Measured | None:
        measured = self._measure(self._current)
        assert measured.p_value is not None
        return measured if self._lond.accepts(measured.p_value) else None


def test_a_test_over_windows_keeps_to_the_budget_though_its_windows_overlap() -> None:
    """150 streams of 5,000 values, 87 tests each; at 5 % a test nearly every one would alarm."""
    rng = np.random.default_rng(21)
    alarmed = [bool(KsWithin().update(rng.normal(size=5000))) for _ in range(150)]
    assert sum(alarmed) / len(alarmed) <= ALPHA


def test_a_test_over_windows_still_finds_a_change_at_once() -> None:
    rng, delays = np.random.default_rng(22), []
    for _ in range(100):
        x = rng.normal(size=3000)
        x[2000:] += 1.0
        delays += [found.row - 2000 for found in KsWithin().update(x)[:1]]
    assert len(delays) == 100
    assert np.median(delays) <= 100
