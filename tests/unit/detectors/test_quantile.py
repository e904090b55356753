"""The adaptive threshold: it flags the share it is told to, on streams of any kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.detection.shares import SEED, STREAMS, N, watched
from detectors.quantile import AdaptiveQuantile
from detectors.state import StateError, pack, unpack
from schemas.anomaly_settings import QuantileSettings


@pytest.mark.parametrize("kind", STREAMS)
def test_the_flagged_share_is_the_configured_one(kind: str) -> None:
    quantile = AdaptiveQuantile()
    seed = list(STREAMS).index(kind)
    judged = quantile.update(STREAMS[kind](np.random.default_rng((SEED, seed))))
    assert 0.008 <= judged.flagged[quantile.warm_up :].mean() <= 0.012


@pytest.mark.parametrize("kind", STREAMS)
def test_the_watch_flags_the_configured_share_of_the_rows(kind: str) -> None:
    seed = list(STREAMS).index(kind)
    x = STREAMS[kind](np.random.default_rng((SEED, seed)))[:, None]
    assert 0.008 <= watched(x) <= 0.012


@pytest.mark.parametrize("n_rows", [10_000, 60_000])
def test_the_watch_flags_the_configured_share_of_rows_of_five_fields(n_rows: int) -> None:
    x = np.random.default_rng(8).normal(size=(n_rows, 5))
    assert 0.008 <= watched(x) <= 0.012


@pytest.mark.parametrize("share", [0.001, 0.05, 0.3])
def test_other_shares_are_kept_too(share: float) -> None:
    quantile = AdaptiveQuantile(QuantileSettings(share=share))
    judged = quantile.update(np.random.default_rng(8).normal(size=N))
    assert judged.flagged[quantile.warm_up :].mean() == pytest.approx(share, rel=0.2)


@pytest.mark.parametrize("n_values", [1, 2, 5, 50, 1000])
def test_ties_never_raise_the_share(n_values: int) -> None:
    scores = np.random.default_rng(8).integers(0, n_values, N).astype(np.float64)
    assert AdaptiveQuantile().update(scores).flagged.mean() <= 0.012


def test_a_rare_highest_value_is_flagged() -> None:
    scores = (np.random.default_rng(8).random(N) < 0.003).astype(np.float64)
    judged = AdaptiveQuantile().update(scores)
    assert judged.flagged[1000:].sum() == scores[1000:].sum()


def test_nothing_is_flagged_while_warming_up() -> None:
    quantile = AdaptiveQuantile(QuantileSettings(share=0.01, warm_up=20))
    judged = quantile.update(np.arange(150.0))
    assert quantile.warm_up == 100
    assert not judged.flagged[:100].any()
    assert np.isinf(judged.threshold[:100]).all()
    assert judged.flagged[100:].all()


def test_p_values_before_the_warm_up_are_ranks_among_the_scores_so_far() -> None:
    scores = np.random.default_rng(8).normal(size=90)
    judged = AdaptiveQuantile().update(scores)
    assert judged.p_value[0] == 1.0
    for row in range(1, 90):
        n = int(judged.n_past[row])
        assert 0.8 * row <= n <= row
        wanted = (1 + (scores[:n] >= scores[row]).sum()) / (n + 1)
        assert judged.p_value[row] == pytest.approx(wanted)


def test_the_tail_is_extrapolated_from_100_scores_on_and_carefully() -> None:
    past = np.random.default_rng(8).exponential(size=400)
    found = {}
    for n in (99, 120, 400):
        quantile = AdaptiveQuantile()
        quantile.update(past[:n])
        found[n] = float(quantile.update(np.array([25.0])).p_value[0])
    assert found[99] == pytest.approx(1 / 97)  # as of the last refresh, with 96 scores
    assert 0.01 / 100 > found[120] > found[400] > 0.0
    assert found[120] > np.exp(-25.0)


def test_what_has_become_usual_is_not_flagged_however_high() -> None:
    scores = np.random.default_rng(8).normal(size=4000)
    scores[2000:2400] = 9.0
    flagged = AdaptiveQuantile().update(scores).flagged[2000:2400]
    assert flagged[:33].all()
    assert not flagged[33:].any()


def test_scores_that_sink_after_the_start_are_still_flagged() -> None:
    rng = np.random.default_rng(8)
    scores = rng.normal(size=20_000) + np.where(np.arange(20_000) < 800, 5.0, 0.0)
    assert 0.008 <= AdaptiveQuantile().update(scores).flagged[4000:].mean() <= 0.013


def test_p_values_count_the_recent_scores_that_were_as_high() -> None:
    quantile = AdaptiveQuantile(QuantileSettings(window=1000, stride=1000, warm_up=1000))
    past = np.random.default_rng(8).normal(size=1000)
    quantile.update(past)
    scores = np.sort(past)[[0, 500, 999]]
    wanted = [(1 + (past >= score).sum()) / 1001 for score in scores]
    assert quantile.update(scores).p_value.tolist() == pytest.approx(wanted)


def test_p_values_are_true_beyond_the_window_for_exponential_tails() -> None:
    quantile = AdaptiveQuantile()
    quantile.update(np.random.default_rng(8).exponential(size=20_000))
    probes = np.array([12.0, 14.0, 16.0])
    ratio = np.log(quantile.update(probes).p_value) / -probes
    assert ratio == pytest.approx(1.0, abs=0.15)


def test_p_values_fall_as_scores_rise() -> None:
    quantile = AdaptiveQuantile()
    quantile.update(np.random.default_rng(8).normal(size=5000))
    p_values = quantile.update(np.linspace(-5.0, 20.0, 100)).p_value
    assert (np.diff(p_values) <= 0.0).all()
    assert p_values.min() > 0.0
    assert p_values.max() <= 1.0


def test_equal_scores_give_no_scale_to_extrapolate_by() -> None:
    quantile = AdaptiveQuantile()
    quantile.update(np.zeros(500))
    assert quantile.update(np.ones(1)).p_value[0] == pytest.approx(1 / 251)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cuts=st.lists(st.integers(0, 3000), max_size=8),
    options=st.sampled_from(
        [
            QuantileSettings(window=500, warm_up=100, stride=64),
            QuantileSettings(share=0.2, window=50, warm_up=7, stride=100),
            QuantileSettings(),
        ]
    ),
)
def test_any_split_gives_the_same(seed: int, cuts: list[int], options: QuantileSettings) -> None:
    scores = np.random.default_rng(seed).normal(size=3000)
    whole, split = AdaptiveQuantile(options), AdaptiveQuantile(options)
    judged = whole.update(scores)
    parts = [split.update(part) for part in np.split(scores, sorted(cuts))]
    for ours, theirs in zip(judged, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(ours, np.concatenate(theirs))
    assert pack(whole.state()) == pack(split.state())


def test_a_restored_quantile_goes_on_as_the_original() -> None:
    scores = np.random.default_rng(1).normal(size=1500)
    original, restored = AdaptiveQuantile(), AdaptiveQuantile()
    original.update(scores[:700])
    restored.restore(unpack(pack(original.state())))
    for ours, theirs in zip(
        original.update(scores[700:]), restored.update(scores[700:]), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_state_with_nan_is_refused() -> None:
    quantile = AdaptiveQuantile()
    with pytest.raises(StateError):
        quantile.restore({**quantile.state(), "threshold": float("nan")})


@pytest.mark.parametrize("change", [{"aim": 0.5}, {"aim": float("nan")}, {"n_flagged": 3}])
def test_an_impossible_state_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(StateError, match="cannot be"):
        AdaptiveQuantile().restore({**AdaptiveQuantile().state(), **change})


def test_a_window_too_short_for_the_share_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        QuantileSettings(share=0.0001, window=1000)
