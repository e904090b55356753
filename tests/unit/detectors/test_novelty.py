"""Novelty of a metric: its parts against plain readings of them, and what the whole finds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.anomaly.cooldown import Cooldown
from detectors.anomaly.novelty import Novelty
from detectors.anomaly.past_values import PastValues
from detectors.anomaly.surprise import TailSurprise
from detectors.anomaly.views import SPREAD_WINDOW, RollingSpread, SeasonalProfile
from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from schemas.anomaly_settings import NoveltySettings

SMALL = NoveltySettings(history=200, tail_window=300, warm_up=64, cooldown=50, limit=3.0)


def _metric(seed: int, n_rows: int = 1500) -> Floats:
    rng = np.random.default_rng(seed)
    rows = np.arange(n_rows)
    values = np.sin(rows / 40.0) + 0.1 * rng.normal(size=n_rows)
    values[n_rows * 3 // 4] += 4.0
    return values


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999),
    history=st.integers(3, 60),
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=15),
)
def test_the_second_nearest_is_found_as_by_looking_at_all(
    seed: int, history: int, sizes: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    past, arrived = PastValues(history), np.zeros(0)
    for size in sizes:
        fresh = rng.integers(0, 12, size).astype(np.float64)
        past.admit(fresh)
        arrived = np.append(arrived, fresh)[-history:]
    probes = rng.integers(-3, 15, 20).astype(np.float64)
    found = past.neighbours(probes)
    if len(arrived) >= 2:
        apart = np.sort(np.abs(probes[:, None] - arrived), axis=1)
        assert found.distance.tolist() == apart[:, 1].tolist()
        assert np.abs(found.nearest - probes).tolist() == apart[:, 0].tolist()
    else:
        assert not found.distance.any()


def test_the_spread_is_the_deviation_of_the_last_64_values() -> None:
    values = 1e6 + np.random.default_rng(1).normal(size=300)
    logs = RollingSpread().logs_learn(values)
    windows = np.lib.stride_tricks.sliding_window_view(values, SPREAD_WINDOW)
    floor = 1e-3 * windows[0].std() + 1e-9
    assert logs == pytest.approx(np.log(windows.std(axis=1) + floor), abs=1e-6)


def test_the_spread_of_what_stood_still_first_is_measured_by_its_first_motion() -> None:
    values = np.concatenate((np.zeros(100), np.tile([0.0, 1.0], 50)))
    whole, split = RollingSpread(), RollingSpread()
    logs = whole.logs_learn(values)
    parts = np.concatenate([split.logs_learn(part) for part in np.split(values, [30, 99, 102])])
    assert logs.tolist() == parts.tolist()
    assert logs[0] == pytest.approx(np.log(1e-9))
    assert logs[-1] == pytest.approx(np.log(0.5), abs=1e-3)


def test_the_residual_is_what_is_left_without_the_level_of_the_hour() -> None:
    at_s = np.arange(0.0, 10 * 86_400.0, 3600.0)
    values = 5.0 * (at_s % 86_400.0 >= 43_200.0)
    left = SeasonalProfile(86_400.0, 24).residuals_learn(values, at_s)
    assert not left[24:].any()
    moved = SeasonalProfile(86_400.0, 24).residuals_learn(values, at_s + 7.0 * 86_400.0)
    assert moved.tolist() == left.tolist()


def test_surprise_is_the_tail_probability_of_exponential_distances() -> None:
    tail = TailSurprise(window=20_000, warm_up=64)
    for part in np.split(np.random.default_rng(1).exponential(size=16_384), 512):
        tail.learn(part)
    probes = np.array([5.0, 10.0, 20.0])
    assert tail.surprise(probes) == pytest.approx(probes / np.log(10.0), rel=0.1)
    assert tail.surprise(1e6 * probes).max() == 300.0


def test_surprise_does_not_depend_on_the_unit() -> None:
    distances = np.random.default_rng(1).exponential(size=1024)
    small, large = TailSurprise(1024, 64), TailSurprise(1024, 64)
    small.learn(distances)
    large.learn(2.0**40 * distances)
    assert small.surprise(distances).tolist() == large.surprise(2.0**40 * distances).tolist()


@settings(max_examples=40, deadline=None)
@given(
    scores=st.lists(st.integers(0, 6), max_size=60),
    length=st.integers(0, 12),
    cut=st.integers(0, 60),
)
def test_only_a_score_above_all_recent_reports_passes(
    scores: list[int], length: int, cut: int
) -> None:
    whole, split = Cooldown(length), Cooldown(length)
    given_scores = np.array(scores, dtype=np.float64)
    passed = whole.passed(given_scores)
    parts = [split.passed(given_scores[:cut]), split.passed(given_scores[cut:])]
    assert passed.tolist() == np.concatenate(parts).tolist()
    for row, score in enumerate(scores):
        recent = passed[max(0, row - length) : row]
        assert passed[row] == (score if score > recent.max(initial=0.0) else 0.0)


def test_the_allowance_for_many_looks_grows_with_the_logarithm() -> None:
    scores = np.zeros(100_000)
    scores[[99, 99_999]] = 5.0
    assert Cooldown(10).passed(scores)[[99, 99_999]].tolist() == pytest.approx([5.0, 4.0])


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e12])
@pytest.mark.parametrize(
    "happening",
    [
        lambda x: x.__setitem__(slice(4000, 4001), 4.0),  # a spike
        lambda x: x.__setitem__(slice(4000, 4200), x[4000:4200] + 4.0),  # another level
        lambda x: x.__setitem__(slice(4000, 4200), x[4000]),  # a standstill
        lambda x: x.__setitem__(slice(4000, 4200), x[4000:4200] * 3.0),  # a storm
    ],
    ids=["spike", "level", "standstill", "storm"],
)
def test_what_never_happened_before_is_reported_soon_and_seldom(happening, unit: float) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(12)
    values = np.sin(np.arange(6000) * (2 * np.pi / 288)) + 0.2 * rng.normal(size=6000)
    happening(values)
    flagged = np.flatnonzero(Novelty(("t",)).score_learn(unit * values[:, None]) >= 1.0)
    assert any(4000 <= row <= 4200 for row in flagged)
    assert len(flagged) <= 15  # of 200: once when it begins, and again when it gets worse


def test_times_matter_and_default_to_the_step() -> None:
    values = _metric(3)[:, None]
    options = SMALL.model_copy(update={"step_s": 60.0})
    timed = Novelty(("t",), options).score_learn(values, np.arange(1500) * 60.0)
    assert timed.tolist() == Novelty(("t",), options).score_learn(values).tolist()
    assert timed.tolist() != Novelty(("t",), SMALL).score_learn(values).tolist()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), cuts=st.lists(st.integers(0, 1500), max_size=8))
def test_any_split_with_times_gives_the_same(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    x = np.stack((_metric(seed), _metric(seed + 1)), axis=1)
    x[rng.random(x.shape) < 0.1] = np.nan
    at_s = np.cumsum(rng.exponential(300.0, 1500))
    whole, split = Novelty(("a", "b"), SMALL), Novelty(("a", "b"), SMALL)
    scores = whole.score_learn(x, at_s)
    parts = [split.score_learn(x[a:b], at_s[a:b]) for a, b in pairwise([0, *sorted(cuts), 1500])]
    assert scores.tolist() == np.concatenate(parts).tolist()
    assert scores.any()
    assert pack(whole.state()) == pack(split.state())


def test_fields_do_not_influence_each_other_and_may_come_late() -> None:
    a, b = _metric(1), _metric(2)
    late = Novelty(("a",), SMALL)
    late.score_learn(a[:500, None])
    late.widen(("b",))
    both = late.fields_learn(np.stack((a[500:], b[500:]), axis=1)).ratio
    alone = Novelty(("b",), SMALL)
    assert (
        both[:, 1].tolist()
        == alone.score_learn(b[500:, None], np.arange(500, 1500) * 300.0).tolist()
    )


def test_missing_values_are_no_values() -> None:
    x = _metric(4)
    holed = np.full(3000, np.nan)
    holed[::2] = x
    plain = Novelty(("a",), SMALL).score_learn(x[:, None], np.arange(1500) * 600.0)
    scores = Novelty(("a",), SMALL).score_learn(holed[:, None], np.arange(3000) * 300.0)
    assert scores[::2].tolist() == plain.tolist()
    assert not scores[1::2].any()


def test_the_value_expected_is_the_nearest_of_the_past() -> None:
    x = _metric(5)
    found = Novelty(("a",), SMALL).fields_learn(x[:, None])
    row = 1500 * 3 // 4
    assert found.ratio[row, 0] >= 1.0
    assert found.center[row, 0] == max(x[row - 263 : row - 32])


def test_a_state_of_other_numbers_is_refused() -> None:
    novelty = Novelty(("a",), SMALL)
    novelty.score_learn(_metric(1)[:, None])
    state = unpack(pack(novelty.state()))
    with pytest.raises(StateError, match="1 fields, not 2"):
        Novelty(("a", "b"), SMALL).restore(state)
    state["tracks"][0]["view_value"]["waiting"][0] = np.inf  # type: ignore[index,call-overload]
    with pytest.raises(StateError, match="not finite"):
        Novelty(("a",), SMALL).restore(state)
