"""The sequential detectors and what they are made of."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.drift.bernoulli import Bernoulli
from detectors.drift.bets import CELLS, cells, rank_bets
from detectors.drift.conformal import Conformal
from detectors.drift.evidence import Evidence
from detectors.drift.ranks import SlidingRanks
from detectors.drift.regression import least_squares
from detectors.drift.uniforms import uniforms
from detectors.drift.whitening import REACH, Whitening, fitted, from_numbers
from detectors.state import StateError, pack, unpack
from detectors.values import Floats
from schemas.drift_settings import BernoulliSettings, ConformalSettings


def _ar(seed: int, n: int, weight: float) -> Floats:
    noise = np.random.default_rng(seed).normal(size=n)
    x = np.zeros(n)
    for i in range(1, n):
        x[i] = weight * x[i - 1] + noise[i]
    return x


def _parts(x: Floats, cuts: list[int]) -> list[Floats]:
    return [x[a:b] for a, b in pairwise([0, *sorted(cuts), len(x)])]


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    size=st.integers(300, 350),
    cuts=st.lists(st.integers(0, 800), max_size=30),
    step=st.sampled_from([0.0, 0.01, 0.5]),
)
def test_ranks_are_those_of_a_plain_count(
    seed: int, size: int, cuts: list[int], step: float
) -> None:
    x = np.random.default_rng(seed).normal(size=800)
    x = np.round(x / step) * step if step else x
    ranks, cuts = SlidingRanks(size), sorted({*cuts, 280, 560})
    got = [np.stack(ranks.push(part)) for part in _parts(x, cuts)]
    wanted = []
    for i, value in enumerate(x):
        past = x[max(0, i - size) : i]
        wanted.append([(past < value).sum(), (past == value).sum(), len(past)])
    np.testing.assert_array_equal(np.concatenate(got, axis=1).T, wanted)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), cuts=st.lists(st.integers(0, 300), max_size=20))
def test_the_sums_are_those_of_the_recursion_in_the_same_bits(seed: int, cuts: list[int]) -> None:
    bets = np.random.default_rng(seed).choice([0.3, 0.9, 1.1, 2.5], size=(300, 5))
    stakes = np.array([0.4, 0.3, 0.1, 0.1, 0.1])
    split, single = Evidence(stakes), Evidence(stakes)
    got: list[float] = []
    for part in _parts(bets, cuts):
        got += split.push(part).tolist()
    sums, wanted = np.zeros(5), []
    for row in bets:
        sums = (sums + 1.0) * row
        wanted.append(float(stakes @ sums))
    np.testing.assert_allclose(got, wanted)
    assert got == [float(single.push(row[None])[0]) for row in bets]
    assert pack(single.state()) == pack(split.state())


def test_what_comes_after_an_alarm_in_a_batch_does_not_overflow() -> None:
    x = np.random.default_rng(12).random(4300)
    x[3713:] = np.arange(1.0, 588.0)  # each the highest so far: every bet on more wins, 6 for 1
    found = Conformal().update(x)  # warnings are errors
    assert 3713 < found[0].row < 3740


def test_every_bet_pays_one_on_average() -> None:
    pays, stakes = rank_bets()
    assert 0.01 < pays.min() < pays.max() < 30.0  # what evidence.BLOCK counts on
    np.testing.assert_allclose(pays.mean(axis=0), 1.0)
    assert stakes.sum() == pytest.approx(1.0)
    assert cells(np.array([0.0, 0.5, 1.0])).tolist() == [0, CELLS // 2, CELLS - 1]


def test_coins_are_uniform_and_depend_on_their_number_alone() -> None:
    coins = uniforms(7, 0, 100_000)
    assert abs(coins.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(coins[1:], coins[:-1])[0, 1]) < 0.01
    np.testing.assert_array_equal(coins[500:510], uniforms(7, 500, 10))
    assert not (uniforms(8, 0, 100) == coins[:100]).any()


def test_least_squares_agree_with_numpy() -> None:
    rng = np.random.default_rng(1)
    columns = [rng.normal(size=200) for _ in range(3)]
    y = 0.5 * columns[0] - 2.0 * columns[2] + rng.normal(size=200)
    wanted = np.linalg.lstsq(np.stack(columns, axis=1), y, rcond=None)[0]
    np.testing.assert_allclose(least_squares(columns, y).weights, wanted)
    assert least_squares([np.zeros(5)], np.zeros(5)).weights == (0.0,)


def test_residuals_do_not_depend_on_what_comes_before_their_reach() -> None:
    rng = np.random.default_rng(2)
    size = np.repeat(rng.choice([1.0, 4.0], 40), 50)
    x = _ar(3, 2000, 0.7) * size
    whitening = fitted(x)
    assert any(whitening.weights)
    assert whitening.slope > 0.0
    whole = whitening.residuals(x)
    np.testing.assert_array_equal(whole[-100:], whitening.residuals(x[-100 - REACH :]))
    assert from_numbers(whitening.numbers()) == whitening


def test_whitening_leaves_independent_values_and_constants_alone() -> None:
    rng = np.random.default_rng(4)
    for x in (rng.normal(size=1000), rng.standard_t(2, size=1000), np.full(1000, 3.0)):
        assert fitted(x) == Whitening() or not fitted(x).is_active


def test_false_alarms_keep_to_their_bound() -> None:
    # 100 streams of 5,000 at a threshold of 5e4: ten alarms at most on average.
    rng = np.random.default_rng(11)
    options = ConformalSettings(run_length=5e4)
    alarms = [len(Conformal(options).update(rng.normal(size=5000))) for _ in range(100)]
    assert sum(alarms) <= 17  # 1 % of Poisson(10)
    bernoulli = BernoulliSettings(run_length=5e4, direction="both")
    errors = (rng.random(size=(100, 5000)) < 0.1).astype(np.float64)
    assert sum(len(Bernoulli(bernoulli).update(x)) for x in errors) <= 17


@pytest.mark.parametrize("weight", [0.5, 0.9])
def test_autocorrelation_is_no_drift_but_a_shift_of_it_is(weight: float) -> None:
    x = _ar(5, 10_000, weight)
    assert Conformal().update(x) == []
    x[6000:] += 3.0 / np.sqrt(1.0 - weight**2)
    found = Conformal().update(x)
    assert 6000 <= found[0].row < 6100
    assert Conformal(ConformalSettings(whiten=False)).update(x)[0].row < 6000


def test_a_season_and_changing_volatility_are_no_drift() -> None:
    rng = np.random.default_rng(6)
    phase = 2.0 * np.pi * np.arange(10_000) / 288
    assert Conformal().update(1.5 * np.sin(phase) + rng.normal(size=10_000)) == []
    assert Conformal().update((1.0 + 0.6 * np.sin(phase)) * rng.normal(size=10_000)) == []


@pytest.mark.parametrize("unit", [1.0, 8.0])
def test_the_unit_and_the_origin_of_values_do_not_matter(unit: float) -> None:
    rng = np.random.default_rng(9)
    size = np.repeat(rng.choice([0.5, 2.0], 100), 50)
    x = np.round(size * rng.normal(size=5000), 3)
    moved = fitted(unit * x + 64.0)
    assert moved.slope == pytest.approx(fitted(x).slope, rel=1e-6)
    assert moved.slope > 0.0
    x[3000:] += 3.0
    found = [each.row for each in Conformal().update(x)]
    assert found
    assert [each.row for each in Conformal().update(unit * x + 64.0)] == found


def test_a_shift_of_a_season_is_not_taken_for_the_season() -> None:
    rng = np.random.default_rng(10)
    x = 1.5 * np.sin(2.0 * np.pi * np.arange(7000) / 288) + rng.normal(size=7000)
    x[4000:] += 3.0
    assert 4000 <= Conformal().update(x)[0].row < 4400


@pytest.mark.parametrize("change", ["level", "spread", "shape"])
def test_every_kind_of_change_is_found_and_dated(change: str) -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=5000)
    after = {
        "level": x[3000:] + 1.0,
        "spread": x[3000:] * 3.0,
        "shape": np.sign(x[3000:]) * 0.9 + 0.436 * rng.normal(size=2000),
    }
    x[3000:] = after[change]
    found = Conformal().update(x)[0]
    assert 3000 < found.row < 3300
    assert found.measured.e_value > 100.0
    assert found.began_ago == pytest.approx(found.row - 2999, rel=0.5)
    assert found.current.size == found.began_ago


def test_fewer_ones_are_reported_only_when_asked_for() -> None:
    x = (np.random.default_rng(8).random(6000) < np.repeat([0.4, 0.1], 3000)).astype(np.float64)
    assert Bernoulli().update(x) == []
    found = Bernoulli(BernoulliSettings(direction="both")).update(x)
    assert 3000 < found[0].row < 3200
    assert found[0].effect < 0.0


def test_a_state_with_impossible_numbers_is_refused() -> None:
    conformal, bernoulli = Conformal(), Bernoulli()
    x = _ar(1, 700, 0.9)
    conformal.update(x)
    bernoulli.update((x > 1.0).astype(np.float64))
    state = unpack(pack(conformal.state()))
    for name, value in (("whitening", np.zeros(8)), ("values", state["values"] * np.nan)):
        with pytest.raises(StateError):
            Conformal().restore({**state, name: value})
    evidence = {**state["evidence"], "product": -np.ones(27)}
    with pytest.raises(StateError, match="no bets"):
        Conformal().restore({**state, "evidence": evidence})
    state = unpack(pack(bernoulli.state()))
    learnt = {**state["learnt"], "past": state["learnt"]["past"] + np.uint8(2)}
    with pytest.raises(StateError, match="neither"):
        Bernoulli().restore({**state, "learnt": learnt})


def test_a_few_errors_where_there_were_none_are_told_as_they_are() -> None:
    errors = np.zeros(6000)
    errors[3000:] = np.random.default_rng(3).random(3000) < 0.03
    (found, *_) = Bernoulli().update(errors)
    assert 0.5 < found.effect < 10.0  # of some 0.02 each, and not of nothing
    assert found.is_of_shares
