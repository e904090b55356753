"""The rules: what they flag, and what they call normal."""

import numpy as np
import pytest

from detectors.anomaly.history import FieldHistory
from detectors.anomaly.iqr import Iqr
from detectors.anomaly.limits import Limits
from detectors.anomaly.robust_z import RobustZ
from detectors.values import CAP
from schemas.anomaly_settings import HistorySettings, IqrSettings, LimitsSettings, RobustZSettings

SHORT = {"window": 64, "stride": 16, "min_values": 10}


def test_the_robust_z_score_is_the_one_in_the_books() -> None:
    x = np.random.default_rng(1).normal(size=(65, 1))
    found = RobustZ(("a",), RobustZSettings(limit=2.0, **SHORT)).fields_learn(x)
    past = x[:64, 0]
    median = np.median(past)
    mad = np.median(np.abs(past - median))
    assert found.center[64, 0] == median
    assert found.ratio[64, 0] == pytest.approx(abs(x[64, 0] - median) / (1.4826 * mad) / 2.0)


def test_tukeys_fences_are_the_ones_in_the_books() -> None:
    x = np.random.default_rng(1).normal(size=(65, 1))
    x[64] = 9.0
    found = Iqr(("a",), IqrSettings(fence=1.5, **SHORT)).score_learn(x)
    low, high = np.quantile(x[:64, 0], [0.25, 0.75])
    assert found[64] == pytest.approx((9.0 - high) / (1.5 * (high - low)))


def test_nothing_is_judged_before_there_is_a_past() -> None:
    x = np.array([[0.0]] * 16 + [[1e9]])
    options = RobustZSettings(window=64, stride=16, min_values=17)
    assert not RobustZ(("a",), options).score_learn(x).any()


def test_a_mostly_constant_field_is_measured_by_its_mean_deviation() -> None:
    x = np.zeros((65, 1))
    x[:8] = 1.0
    x[64] = 1.0
    found = RobustZ(("a",), RobustZSettings(limit=1.0, **SHORT)).score_learn(x)
    assert found[64] == pytest.approx(1.0 / (1.2533 * 8 / 64))


@pytest.mark.parametrize("rule", [RobustZ(("a",)), Iqr(("a",))])
def test_a_constant_field_that_changes_is_as_deviant_as_can_be(rule: RobustZ | Iqr) -> None:
    x = np.full((200, 1), 2.0)
    x[150] = 2.5
    scores = rule.score_learn(x)
    assert np.flatnonzero(scores).tolist() == [150]
    assert scores[150] >= CAP / 3.0


def test_the_past_is_limited_to_the_window() -> None:
    x = np.concatenate((np.zeros(64), np.full(64, 50.0), [50.0]))[:, None]
    scores = RobustZ(("a",), RobustZSettings(**SHORT)).score_learn(x)
    assert scores[64] > 1.0
    assert scores[-1] == 0.0


def test_the_score_is_that_of_the_worst_field() -> None:
    x = np.random.default_rng(1).normal(size=(100, 3))
    x[90, 1] = 20.0
    found = RobustZ(("a", "b", "c")).fields_learn(x)
    assert found.ratio[90].argmax() == 1


def test_a_field_added_later_is_judged_by_its_own_past() -> None:
    x = np.random.default_rng(1).normal(size=(200, 2))
    wide, late = RobustZ(("a", "b")), RobustZ(("a",))
    first = x[:64].copy()
    first[:, 1] = np.nan
    wide.score_learn(first)
    late.score_learn(x[:64, :1])
    late.widen(("b",))
    assert late.score_learn(x[64:]).tolist() == wide.score_learn(x[64:]).tolist()


def test_limits_include_their_ends() -> None:
    rule = Limits(("a",), LimitsSettings(limits={"a": (0.1, 0.3)}))
    scores = rule.score_learn(np.array([[0.1], [0.3], [0.2], [0.31], [-1.0]]))
    assert (scores >= 1.0).tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("limits", "value", "score"),
    [
        ((None, 10.0), 15.0, 1.5),
        ((10.0, None), 5.0, 1.5),
        ((None, 10.0), -1e9, 0.0),
        ((None, None), 1e300, 0.0),
        ((5.0, 5.0), 10.0, 2.0),
        ((0.0, 0.0), 1.0, CAP),
        ((0.0, 10.0), np.nan, 0.0),
    ],
)
def test_open_and_empty_intervals(
    limits: tuple[float | None, float | None], value: float, score: float
) -> None:
    rule = Limits(("a", "b"), LimitsSettings(limits={"a": limits}))
    assert rule.score_learn(np.array([[value, 1e9]])).tolist() == [score]


@pytest.mark.parametrize(
    "settings",
    [
        lambda: LimitsSettings(limits={"a": (2.0, 1.0)}),
        lambda: HistorySettings(window=16, min_values=32),
        lambda: RobustZSettings(unknown=1),
    ],
)
def test_impossible_settings_are_refused(settings) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"swap them|min_values|unknown"):
        settings()


def test_quantiles_of_the_past_are_numpys() -> None:
    x = np.random.default_rng(2).normal(size=(50, 3))
    x[:, 1] = np.nan
    x[:30, 2] = np.nan
    history = FieldHistory(3, HistorySettings(window=64))
    history.learn(x[:20])
    got = history.pasts(x[20:], [30]).quantile(0.3)
    assert got[[0, 2]].tolist() == pytest.approx(np.nanquantile(x[:, [0, 2]], 0.3, axis=0).tolist())
    assert np.isnan(got[1])
