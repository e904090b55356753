"""Tests with p-values keep to a budget for ever, and still find what changes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.drift.ks import Ks
from detectors.drift.reference_window import Allow
from detectors.online_fdr import Lond, Spending
from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from detectors.watch import DriftWatch
from detectors.watch.levels import AlphaBudget
from schemas.drift_settings import CategoriesSettings, DriftSettings, KsSettings, ZTestSettings

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


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1.0])
def test_a_time_that_is_none_belongs_to_the_present_period(odd: float) -> None:
    spending = Spending(alpha=0.1, per_s=10.0)
    assert spending.allows(0.04, at_s=15.0)
    assert not spending.allows(0.04, at_s=odd)
    assert spending.state()["period"] == 1


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


def lond_allows(alpha: float) -> Allow:
    test = Lond(alpha)
    return lambda p_value, _: test.accepts(p_value)


def test_a_test_over_windows_keeps_to_the_budget_though_its_windows_overlap() -> None:
    """150 streams of 5,000 values, 87 tests each; at 5 % a test nearly every one would alarm."""
    rng = np.random.default_rng(21)
    settings = KsSettings(alpha=0.05)
    alarmed = [
        bool(Ks(settings).update(rng.normal(size=5000), lond_allows(ALPHA))) for _ in range(150)
    ]
    assert sum(alarmed) / len(alarmed) <= ALPHA


def test_a_test_over_windows_still_finds_a_change_at_once() -> None:
    rng, delays = np.random.default_rng(22), []
    for _ in range(100):
        x = rng.normal(size=3000)
        x[2000:] += 1.0
        delays += [found.row - 2000 for found in Ks().update(x, lond_allows(ALPHA))[:1]]
    assert len(delays) == 100
    assert np.median(delays) <= 100


OFF = {"conformal": None, "presence": None}
LOOSE = DriftSettings(
    **OFF,  # type: ignore[arg-type]
    codes=("c*",),
    ks=KsSettings(alpha=0.05),
    z_test=ZTestSettings(alpha=0.05),
    categories=CategoriesSettings(alpha=0.05),
)
FIELDS = ("a", "b", "c")


def unchanged(seed: int, rows: int = 3000) -> Floats:
    rng = np.random.default_rng(seed)
    first = rng.normal(size=rows)
    second = 0.8 * first + 0.2 * rng.normal(size=rows)
    return np.stack((first, second, rng.integers(4, size=rows).astype(np.float64)), axis=1)


def alarms(budget: AlphaBudget | None, x: Floats, cuts: tuple[int, ...] = ()) -> list:
    watch, found, at_s = DriftWatch(LOOSE, budget), [], np.arange(len(x), dtype=np.float64)
    for begin, end in pairwise([0, *sorted(cuts), len(x)]):
        again = DriftWatch(LOOSE, budget)
        again.restore(unpack(pack(watch.state())))
        watch = again
        for each in watch.observe(FIELDS, x[begin:end], at_s[begin:end]):
            found.append((begin + each.row, each.field, each.detector))
    return found


def test_all_tests_of_a_watch_together_keep_to_its_budget() -> None:
    """100 watches, 3 fields, 5 tests of these at 5 % every 50 rows, in two periods each."""
    budget = AlphaBudget(alpha=0.2, per_s=1500.0)
    numbers = [len(alarms(budget, unchanged(seed))) for seed in range(100)]
    freely = [len(alarms(None, unchanged(seed))) for seed in range(10)]
    error = np.std(numbers) / 10.0
    assert np.mean(numbers) <= 2 * 0.2 + 2.0 * error
    assert np.mean(freely) > 3.0  # so it is the levels that keep it


def test_a_change_is_found_within_the_budget() -> None:
    x = unchanged(1)
    x[2000:, 0] += 1.0
    found = alarms(AlphaBudget(alpha=0.01, per_s=86_400.0), x)
    assert ("a", "ks") in {each[1:] for each in found if 2000 < each[0] < 2250}
    assert all(row > 2000 for row, _, _ in found)


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), max_size=6), seed=st.integers(0, 9))
def test_levels_do_not_depend_on_how_rows_are_split(cuts: list[int], seed: int) -> None:
    x = unchanged(seed)
    x[1700:] += 0.5
    x[:200, 1] = np.nan
    budget = AlphaBudget(alpha=0.5, per_s=700.0)
    assert alarms(budget, x, tuple(cuts)) == alarms(budget, x)
    assert alarms(budget, x)


def test_a_budget_of_tests_needs_the_times_of_rows() -> None:
    with pytest.raises(ValueError, match="times"):
        DriftWatch(LOOSE, AlphaBudget(0.1, 10.0)).observe(FIELDS, unchanged(1))


def test_damaged_levels_are_refused() -> None:
    budget, x = AlphaBudget(0.1, 10.0), unchanged(1, rows=10)
    watch = DriftWatch(LOOSE, budget)
    watch.observe(FIELDS, x, np.arange(10.0))
    state = watch.state()
    levels = state["levels"]
    assert isinstance(levels, dict)
    for name, odd in (("alphas", {"a": 0.01}), ("tests", {}), ("n_groups", -1)):
        with pytest.raises(StateError):
            DriftWatch(LOOSE, budget).restore({**state, "levels": {**levels, name: odd}})
