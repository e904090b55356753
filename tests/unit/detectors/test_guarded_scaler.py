"""The scale of half-space trees, which one absurd value must not take over."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.anomaly.guarded_scaler import GuardedScaler
from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.anomaly.scaler import OnlineMinMaxScaler
from detectors.state import StateError, pack, unpack
from detectors.values import Floats, clean


def _rough(seed: int, n_rows: int = 400) -> Floats:
    """Ordinary values, holes, outliers of every size, storms of them, and a field that is flat."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 3))
    x[:, 2] = 5.0
    x[rng.random(x.shape) < 0.1] = np.nan
    wild = rng.random(x.shape) < 0.03
    x[wild] = rng.choice([np.inf, -np.inf, 1e200, -1e50, 1e4, 40.0], int(wild.sum()))
    start = int(rng.integers(n_rows))
    x[start : start + int(rng.integers(100)), 0] = 1e6
    return clean(x)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    singly=st.booleans(),
)
def test_any_split_gives_the_same(seed: int, cuts: list[int], singly: bool) -> None:
    x = _rough(seed)
    whole, split = GuardedScaler(3), GuardedScaler(3)
    wanted = whole.scale_learn(x)
    before = np.full(x.shape, np.nan)
    for begin, end in pairwise([0, *sorted(cuts), 400]):
        if singly and end - begin == 1 and not np.isnan(x[begin]).any():
            before[begin] = split.scale_learn_one(x[begin].tolist())[0]
        else:
            before[begin:end] = split.scale_learn(x[begin:end]).before
        split.restore(unpack(pack(split.state())))
    there = ~np.isnan(x)
    np.testing.assert_array_equal(before[there], wanted.before[there])
    assert pack(whole.state()) == pack(split.state())


@pytest.mark.parametrize("family", ["normal", "uniform", "exponential"])
def test_ordinary_values_are_scaled_as_by_river(family: str) -> None:
    x = getattr(np.random.default_rng(5), family)(size=(20_000, 2))
    ours, plain = GuardedScaler(2).scale_learn(x), OnlineMinMaxScaler(2).scale_learn(x)
    np.testing.assert_array_equal(ours.before, plain.before)
    np.testing.assert_array_equal(ours.after, plain.after)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e200, -1e20, 1e4])
@pytest.mark.parametrize("at", [0, 30, 63, 64, 500])
def test_one_absurd_value_leaves_the_scale_as_it_was(value: float, at: int) -> None:
    x = np.random.default_rng(5).random((1000, 1))
    x[at] = value
    scaled = GuardedScaler(1).scale_learn(clean(x))
    rest = scaled.after[max(at, 64) + 1 :]
    assert rest.max() > 0.95
    assert rest.min() < 0.05
    assert scaled.after[at] == (value > 0.0) or at < 64


def test_a_new_level_is_let_in_after_64_values_and_infinities_never() -> None:
    x = np.random.default_rng(5).random((400, 1))
    x[200:] += 1e6
    after = GuardedScaler(1).scale_learn(x).after.ravel()
    assert (after[200:263] == 1.0).all()
    assert after[200 + 64 :].min() < 1.0
    x[200:] = np.inf
    scaler = GuardedScaler(1)
    scaler.scale_learn(clean(x))
    assert scaler.scale_learn(np.array([[1.5]])).before[0, 0] < 2.0


@pytest.mark.parametrize("value", [np.inf, -1e300, 1e200, 1e7])
@pytest.mark.parametrize("at", [10, 1000])
def test_trees_still_see_after_an_absurd_row(value: float, at: int) -> None:
    """What an infinite row must not do: make all further rows look alike."""
    x = np.random.default_rng(5).normal(size=(4000, 2))
    x[at] = value
    odd = np.arange(2000, 4000, 100)
    x[odd] = (7.0, -7.0)
    scores = HalfSpaceTrees(("a", "b")).score_learn(x)
    usual = np.delete(scores[1500:], odd - 1500)
    assert np.median(scores[odd]) > np.quantile(usual, 0.99)
    if at >= 250:
        assert scores[at] > np.quantile(usual, 0.99)


def test_impossible_states_are_refused() -> None:
    scaler = GuardedScaler(1)
    scaler.scale_learn(np.zeros((3, 1)))
    for change in (
        {"n_first": np.array([65])},
        {"pressure": np.array([-1])},
        {"first": np.zeros((0, 1))},
        {"range": 3},
    ):
        with pytest.raises(StateError):
            GuardedScaler(1).restore({**scaler.state(), **change})
