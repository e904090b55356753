"""Evidence weighted by time: an allowance of false alarms, and who shares a detector."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from detectors.drift.bernoulli import Bernoulli
from detectors.drift.catalog import WEIGHTED
from detectors.drift.conformal import Conformal
from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from detectors.watch import DriftWatch, KeyedWatch
from detectors.watch.budget import LONGEST_S, Budget
from schemas.drift_settings import BernoulliSettings, ConformalSettings, DriftSettings

NAMES = ("a", "b", "c")
QUICK: dict[str, Any] = {
    "conformal": ConformalSettings(n_start=150, n_ref=300),
    "presence": BernoulliSettings(n_start=50, n_ref=300, direction="both"),
}
TIMED = DriftSettings(budget_per_s=1e-3, **QUICK)

weighted = pytest.mark.parametrize("cls", WEIGHTED, ids=lambda cls: cls.__name__)


def _rows(seed: int, n_rows: int = 900) -> tuple[Floats, Floats]:
    """Fields that come at different times, part company and jump; times that stand and go back."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 3)) + 2.0 * (np.arange(n_rows)[:, None] // 400 % 2)
    if seed % 3:
        x[: n_rows // 8, 1] = np.nan
    x[n_rows // 2 :, seed % 2 : 2][rng.random(n_rows - n_rows // 2) < 0.2] = np.nan
    x[rng.random(n_rows) < 0.02] = np.nan
    steps = rng.choice([0.0, 0.5, 30.0, -20.0, 9000.0], p=[0.2, 0.5, 0.2, 0.09, 0.01], size=n_rows)
    return x, 1.7e9 + np.cumsum(steps)


def _observed(watch: DriftWatch, x: Floats, at_s: Floats, cuts: list[int]) -> list[Any]:
    found = []
    for part, (begin, end) in enumerate(pairwise([0, *sorted(cuts), len(x)])):
        order = np.random.default_rng(part).permutation(3)
        order = [i for i in order if part % 2 or not np.isnan(x[begin:end, i]).all()]
        names = tuple(NAMES[i] for i in order)
        for each in watch.observe(names, x[begin:end][:, order], at_s[begin:end]):
            found.append((begin + each.row, each.field, each.detector, each.detection.measured))
    return found


@weighted
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), cuts=st.lists(st.integers(0, 1500), max_size=12))
def test_any_split_of_weighted_values_gives_the_same_bits(
    cls: Any, seed: int, cuts: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(1500) < 0.1, np.nan, rng.random(1500) < np.repeat([0.1, 0.6], 750))
    weights = rng.choice([0.0, 1e-5, 1e-3], size=1500)
    whole, split, found = cls(), cls(), []
    for begin, end in pairwise([0, *sorted(cuts), 1500]):
        for each in split.update(x[begin:end], weights[begin:end]):
            found.append((begin + each.row, each.measured))
    assert found == [(each.row, each.measured) for each in whole.update(x, weights)]
    assert pack(split.state()) == pack(whole.state())


@weighted
def test_a_coin_for_each_run_length_is_the_run_length(cls: Any) -> None:
    x = np.repeat([0.0, 1.0], 1000) * np.random.default_rng(1).integers(0, 2, 2000)
    plain = cls().update(x)[0]
    coin = 1.0 / plain.measured.threshold
    timed = cls().update(x, np.full(2000, coin))[0]
    assert timed.row == plain.row
    assert timed.measured.threshold == 1.0
    assert timed.measured.value == pytest.approx(plain.measured.value * coin)
    assert timed.measured.e_value == pytest.approx(plain.measured.e_value)


@weighted
def test_without_coins_nothing_is_reported(cls: Any) -> None:
    x = np.repeat([0.0, 1.0], 1000) * np.random.default_rng(1).integers(0, 2, 2000)
    assert cls().update(x, np.zeros(2000)) == []


@weighted
@pytest.mark.parametrize("every", [1, 4])
def test_weighted_false_alarms_keep_to_the_sum_of_the_weights(cls: Any, every: int) -> None:
    # 120 streams of 4,000 values, a twelfth of an alarm allowed in each: ten on average at most.
    rng = np.random.default_rng(21)
    weights = np.zeros(4000)
    weights[::every] = every / 12.0 / 4000.0
    takes = (rng.random(4000) if cls is Conformal else rng.random(4000) < 0.2 for _ in range(120))
    alarms = [len(cls().update(np.asarray(x, dtype=np.float64), weights)) for x in takes]
    assert sum(alarms) <= 17  # 1 % of Poisson(10)


@pytest.mark.parametrize("step_s", [0.1, 10.0])
def test_a_watch_keeps_its_budget_however_fast_rows_come(step_s: float) -> None:
    # 60 watches of three fields, each allowed a fifth of a false alarm in its whole life.
    rng = np.random.default_rng(31)
    n_rows = 3000
    options = DriftSettings(budget_per_s=0.2 / (step_s * n_rows), **QUICK)
    alarms, spent = 0, 0.0
    for _ in range(60):
        x = rng.normal(size=(n_rows, 3))
        x[rng.random(x.shape) < 0.1] = np.nan
        watch = DriftWatch(options)
        alarms += len(watch.observe(NAMES, x, step_s * np.arange(n_rows)))
        spent += sum(watch.spent.values())
    assert alarms <= 21  # 1 % of Poisson(12)
    assert spent <= 60 * 0.2


def test_a_budget_still_finds_a_change() -> None:
    x = np.random.default_rng(5).normal(size=(3000, 3))
    x[2000:, 1] += 1.0
    watch = DriftWatch(DriftSettings(budget_per_s=1.0 / 86_400.0))
    found = watch.observe(NAMES, x, np.arange(3000.0))
    assert [each.field for each in found] == ["b"]
    assert 2000 < found[0].row < 2100


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), cuts=st.lists(st.integers(0, 900), max_size=10))
def test_any_split_of_timed_rows_gives_the_same_verdicts_and_state(
    seed: int, cuts: list[int]
) -> None:
    x, at_s = _rows(seed)
    whole, split = DriftWatch(TIMED), DriftWatch(TIMED)
    wanted = _observed(whole, x, at_s, [])
    assert _observed(split, x, at_s, cuts) == wanted
    assert split.spent == whole.spent
    assert pack(split.state()) == pack(whole.state())


@pytest.mark.parametrize("at", [0, 1, 60, 200, 700])
def test_a_restored_watch_spends_on_as_the_original(at: int) -> None:
    x, at_s = _rows(4)
    original, restored = DriftWatch(TIMED), DriftWatch(TIMED)
    original.observe(NAMES, x[:at], at_s[:at])
    restored.restore(unpack(pack(original.state())))
    wanted = original.observe(NAMES, x[at:], at_s[at:])
    assert restored.observe(NAMES, x[at:], at_s[at:]) == wanted
    assert restored.spent == original.spent
    assert pack(restored.state()) == pack(original.state())


def test_fields_share_by_the_row_they_come_in() -> None:
    budget = Budget(1.0)
    clock = budget.advance(np.arange(3.0))
    budget.admit([(2, "late"), (0, "b"), (0, "a")])
    rates = [budget.values(field, clock, None)[-1] for field in ("a", "b", "late")]
    assert rates == pytest.approx([1 / 8, 1 / 8, 1 / 12])
    budget.admit([(0, f"f{k}") for k in range(4)])
    assert budget.values("f0", clock, None)[-1] == pytest.approx(1 / 12 / 2 / 4)


def test_time_never_goes_back_and_a_pause_is_an_hour_at_most() -> None:
    budget = Budget(1.0)
    clock = budget.advance(np.array([np.nan, 100.0, 50.0, np.inf, 110.0, 1e6]))
    budget.admit([(0, "a")])
    weights = budget.values("a", clock, None)
    assert weights.tolist() == [0.0, 0.0, 0.0, 0.0, 2.5, LONGEST_S / 4]
    assert budget.spent == {"a": 2.5 + LONGEST_S / 4}


def test_a_value_has_the_time_since_the_last_one_of_its_field() -> None:
    budget = Budget(4.0)
    clock = budget.advance(np.array([0.0, 1.0, 5.0]))
    budget.admit([(0, "a")])
    there = np.array([True, False, True])
    assert budget.values("a", clock, there).tolist() == [0.0, 0.0, 5.0]
    clock = budget.advance(np.array([6.0, 7.0]))
    assert budget.values("a", clock, np.array([False, True])).tolist() == [0.0, 2.0]


def test_keys_have_a_budget_each() -> None:
    x, at_s = _rows(3)
    keys = [f"k{row % 2}" for row in range(len(x))]
    keyed, alone = KeyedWatch(lambda: DriftWatch(TIMED)), DriftWatch(TIMED)
    found = keyed.observe(keys, NAMES, x, at_s)
    wanted = alone.observe(NAMES, x[::2], at_s[::2])
    assert [each.row for each in found if each.row % 2 == 0] == [2 * each.row for each in wanted]
    assert found


def test_a_budget_needs_times_and_is_none_by_default() -> None:
    with pytest.raises(ValueError, match="without their times"):
        DriftWatch(TIMED).observe(NAMES, np.zeros((1, 3)))
    assert DriftWatch(DriftSettings()).spent == {}
    with pytest.raises(ValidationError, match="budget_per_s"):
        DriftSettings(budget_per_s=0.0)


def test_damaged_accounts_are_refused() -> None:
    x, at_s = _rows(1)
    watch = DriftWatch(TIMED)
    watch.observe(NAMES, x, at_s)
    state = unpack(pack(watch.state()))
    budget, presence = state["budget"], state["presence"]
    accounts = {**budget["accounts"], "a": -np.ones((2, 3))}
    for damaged in (
        {**state, "budget": {**budget, "accounts": {}}},
        {**state, "budget": {**budget, "clock_s": np.inf}},
        {**state, "budget": {**budget, "accounts": accounts}},
        {**state, "presence": {"groups": presence["groups"][1:]}},
        {**state, "presence": {"groups": presence["groups"] * 2}},
    ):
        with pytest.raises(StateError):
            DriftWatch(TIMED).restore(damaged)


def test_fields_missing_together_share_a_detector_until_they_part() -> None:
    x, _ = _rows(2, 1200)
    options = DriftSettings(**QUICK)
    watch, rng = DriftWatch(options), np.random.default_rng(3)
    alone = {name: Bernoulli(options.presence) for name in NAMES}
    x = np.where(rng.random((1200, 1)) < 0.1, np.nan, rng.normal(size=(1200, 3)))
    watch.observe(NAMES, x[:600])
    assert [group["fields"] for group in watch.state()["presence"]["groups"]] == [list(NAMES)]
    x[700:, 2] = np.nan
    found = watch.observe(NAMES, x[600:])
    groups = watch.state()["presence"]["groups"]
    assert [group["fields"] for group in groups] == [["a", "b"], ["c"]]
    first = int(np.flatnonzero(~np.isnan(x[:, 0]))[0])
    for group in groups:
        for name in group["fields"]:
            alone[name].update(np.isnan(x[first:, NAMES.index(name)]).astype(np.float64))
            assert pack(alone[name].state()) == pack(group["of"])
    told = {each.field for each in found if each.detector == "presence"}
    assert told == {"c"}
