"""Profiles, what fields mean, and the tests over windows."""

import numpy as np
import pytest
from pydantic import ValidationError

from detectors.drift.accuracy_drop import AccuracyDrop
from detectors.drift.catalog import detectors_for
from detectors.drift.categories import Categories
from detectors.drift.drift_score import DriftScore
from detectors.drift.jensen_shannon import JensenShannon
from detectors.drift.ks import Ks
from detectors.drift.z_test import ZTest
from detectors.state import pack
from detectors.values import Floats
from detectors.watch import DriftWatch
from schemas.drift_settings import (
    AccuracyDropSettings,
    CategoriesSettings,
    DriftScoreSettings,
    DriftSettings,
    JensenShannonSettings,
    KsSettings,
    KswinSettings,
    ZTestSettings,
)
from schemas.findings import Severity

NO_CHANGE = 300


def _kinds(settings: DriftSettings) -> set[str]:
    return {
        kind for takes in ("values", "errors", "codes") for kind in detectors_for(settings, takes)
    }


def test_the_profiles_say_which_detectors_there_are() -> None:
    assert _kinds(DriftSettings()) == {"conformal", "bernoulli", "categories"}
    classic = DriftSettings(profile="classic")
    tests = {"ks", "psi", "jensen_shannon", "drift_score", "accuracy_drop", "categories"}
    assert _kinds(classic) == tests
    assert classic.ks == KsSettings(alpha=0.05)
    assert classic.psi is not None
    assert classic.psi.fixed_threshold == 0.15
    assert classic.presence is None


def test_a_detector_that_is_named_is_not_the_profiles() -> None:
    settings = DriftSettings.model_validate({"profile": "classic", "ks": None, "adwin": {}})
    assert settings.ks is None
    assert {"adwin", "psi"} <= _kinds(settings)
    assert DriftSettings.model_validate_json(settings.model_dump_json()) == settings


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValidationError, match="profile"):
        DriftSettings.model_validate({"profile": "loud"})
    with pytest.raises(ValidationError, match="twice"):
        KswinSettings(window=100, latest=60)


def test_fields_are_judged_by_what_they_mean() -> None:
    rng = np.random.default_rng(1)
    wrong = rng.random(6000) < np.repeat([0.1, 0.3], 3000)
    codes = np.append(rng.choice(3, 3000, p=[0.6, 0.3, 0.1]), rng.choice(3, 3000))
    x = np.stack((wrong, codes, rng.normal(size=6000)), axis=1).astype(np.float64)
    watch = DriftWatch(DriftSettings(errors=("model.*",), codes=("kind",)))
    found = watch.observe(("model.wrong", "kind", "t"), x)
    assert [(each.field, each.detector) for each in found] == [
        ("model.wrong", "bernoulli"),
        ("kind", "categories"),
    ]
    assert "model.wrong is 1 in" in found[0].explanation
    assert "; a medium change; most likely since" in found[0].explanation
    assert found[1].explanation.startswith("categories of kind have other shares")
    assert [each.severity for each in found] == [Severity.MEDIUM, Severity.CRITICAL]


def test_a_field_that_goes_missing_is_noticed_also_when_its_column_is_gone() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 2))
    x[:100, 1] = np.nan  # not there yet: not missing
    x[2000:, 1] = np.nan
    whole, split = DriftWatch(DriftSettings()), DriftWatch(DriftSettings())
    found = whole.observe(("a", "b"), x)
    assert [(each.field, each.detector) for each in found] == [("b", "presence")]
    assert 2000 < found[0].row < 2050
    assert found[0].explanation.startswith("b is missing from 87.5 % of messages, where")
    assert split.observe(("a", "b"), x[:2000]) == []
    later = split.observe(("a",), x[2000:, :1])
    assert [each.row for each in later] == [found[0].row - 2000]
    assert pack(split.state()) == pack(whole.state())


def _stationary(seed: int) -> list[Floats]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=700) for _ in range(NO_CHANGE)]


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda: Ks(KsSettings(alpha=0.05)), 0.09),
        (lambda: ZTest(ZTestSettings(alpha=0.05)), 0.09),
        (lambda: JensenShannon(JensenShannonSettings(alpha=0.05)), 0.09),
        (lambda: DriftScore(DriftScoreSettings(alpha=0.05)), 0.05),
    ],
)
def test_thresholds_hold_for_the_size_of_the_samples(make, most: float) -> None:  # type: ignore[no-untyped-def]
    alarms = sum(bool(make().update(x)) for x in _stationary(3))
    assert alarms / NO_CHANGE <= most


def test_thresholds_hold_for_categories_and_accuracies() -> None:
    rng = np.random.default_rng(4)
    codes = rng.choice(6, (NO_CHANGE, 700), p=[0.5, 0.3, 0.1, 0.08, 0.015, 0.005])
    options = CategoriesSettings(alpha=0.05)
    alarms = sum(bool(Categories(options).update(x.astype(np.float64))) for x in codes)
    assert 0.01 <= alarms / NO_CHANGE <= 0.09
    wrong = (rng.random((NO_CHANGE, 700)) < 0.1).astype(np.float64)
    strict = AccuracyDropSettings(alpha=0.05, max_drop=1e-9)
    alarms = sum(bool(AccuracyDrop(strict).update(x)) for x in wrong)
    assert 0.01 <= alarms / NO_CHANGE <= 0.09


def test_the_statistics_are_scipys() -> None:
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import chi2_contingency, ttest_ind

    rng = np.random.default_rng(5)
    a, b = rng.normal(size=500), rng.normal(size=200) + 0.8
    x = np.append(a, b)
    edges = np.quantile(a, np.linspace(0.0, 1.0, 11)[1:-1])
    counts = [np.bincount(np.searchsorted(edges, s, "right"), minlength=10) for s in (a, b)]
    js = JensenShannon(JensenShannonSettings(alpha=0.05)).update(x)[0].measured
    assert js.value == pytest.approx(jensenshannon(*counts, base=2.0) ** 2)
    score = DriftScore(DriftScoreSettings(alpha=0.5)).update(x)[0].measured
    assert score.value == pytest.approx(0.5 * np.abs(counts[0] / 500 - counts[1] / 200).sum())
    z = ZTest(ZTestSettings(alpha=0.05)).update(x)[0].measured
    assert z.value == pytest.approx(abs(ttest_ind(a, b, equal_var=False).statistic))
    codes = np.append(rng.choice(3, 500), rng.choice(3, 200, p=[0.6, 0.3, 0.1]))
    table = [np.bincount(codes[:500]), np.bincount(codes[500:])]
    found = Categories(CategoriesSettings(alpha=0.5)).update(codes.astype(np.float64))[0].measured
    assert found.value == pytest.approx(chi2_contingency(table).statistic)
    assert found.p_value == pytest.approx(chi2_contingency(table).pvalue)


def test_a_new_category_is_noticed() -> None:
    codes = np.random.default_rng(6).choice(3, 1500).astype(np.float64)
    codes[900::4] = 77.0
    assert 900 < Categories().update(codes)[0].row < 1100


def test_a_drop_within_what_is_tolerated_is_none() -> None:
    errors = (np.random.default_rng(7).random(40_000) < np.repeat([0.10, 0.14], 20_000)).astype(
        np.float64
    )
    assert AccuracyDrop().update(errors) == []
    assert AccuracyDrop(AccuracyDropSettings(alpha=1.0)).update(errors)
