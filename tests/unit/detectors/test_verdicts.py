"""What verdicts say: who is guilty, what was expected; and that times reach the detectors."""

import numpy as np
import pytest

from detectors.state import pack
from detectors.values import Floats
from detectors.watch import AnomalyWatch, KeyedWatch
from schemas.anomaly_settings import AnomalySettings, NoveltySettings, RobustMahalanobisSettings
from schemas.findings import Severity

NAMES = ("a", "b", "c")
SMALL_NOVELTY = NoveltySettings(history=100, tail_window=100, warm_up=32, cooldown=20)


def test_a_verdict_says_who_is_guilty_and_what_would_have_been_usual() -> None:
    x = np.random.default_rng(1).normal(size=(1000, 3)) * (1.0, 5.0, 1.0)
    x[900, 1] = 70.0
    found = AnomalyWatch(AnomalySettings(robust_z=True)).observe(NAMES, x)
    (verdict,) = [each for each in found if each.row == 900]
    first, *others = verdict.guilty
    assert (first.field, first.value) == ("b", 70.0)
    assert first.share > 0.9
    assert sum(each.share for each in others) == pytest.approx(1.0 - first.share)
    low, high = np.quantile(x[896 - 512 : 896, 1], [0.01, 0.99])
    assert (first.low, first.high) == pytest.approx((low, high))
    assert first.nearest == first.high
    assert first.expected == pytest.approx(np.median(x[896 - 512 : 896, 1]))
    assert "usual is" in verdict.explanation


def test_what_is_unusual_only_together_is_blamed_on_the_fields_that_disagree() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2000, 3))
    x[:, 1] = x[:, 0] + 0.05 * rng.normal(size=2000)
    x[1500, :2] = (0.9, -0.9)
    options = AnomalySettings(half_space_trees=None, robust_mahalanobis=RobustMahalanobisSettings())
    worst = max(AnomalyWatch(options).observe(NAMES, x), key=lambda each: each.score)
    assert worst.row == 1500
    assert worst.detector == "robust_mahalanobis"
    assert {each.field for each in worst.guilty[:2]} == {"a", "b"}
    assert worst.severity is Severity.CRITICAL


def test_times_reach_the_detectors_that_know_seasons() -> None:
    x, at_s = np.random.default_rng(4).normal(size=(900, 3)), np.arange(900) * 7200.0
    options = AnomalySettings(half_space_trees=None, novelty=SMALL_NOVELTY)
    keys = [f"k{row % 2}" for row in range(900)]

    def found(at_s: Floats | None) -> bytes:
        keyed = KeyedWatch(lambda: AnomalyWatch(options))
        keyed.observe(keys, NAMES, x, at_s)
        return pack(keyed.state())

    alone = AnomalyWatch(options)
    alone.observe(NAMES, x[::2], at_s[::2])
    assert found(at_s) != found(None)
    keyed = KeyedWatch(lambda: AnomalyWatch(options))
    for begin in range(0, 900, 70):
        part = slice(begin, begin + 70)
        keyed.observe(keys[part], NAMES, x[part], at_s[part])
    assert pack(keyed.state()) == found(at_s)
    assert pack(keyed.state()["watches"][0]) == pack(alone.state())  # type: ignore[index,arg-type,call-overload]
