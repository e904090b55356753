"""How much a finding matters."""

from typing import Any

import pytest

from detectors.drift.contract import CALIBRATION_ERROR, Detection, Measured
from detectors.severity import anomaly_severity, drift_severity, rank
from schemas.findings import Sample, Severity


@pytest.mark.parametrize(
    ("p_value", "severity"),
    [
        (1.0, Severity.LOW),
        (0.01, Severity.LOW),
        (0.003, Severity.MEDIUM),
        (0.001, Severity.HIGH),
        (0.0001, Severity.CRITICAL),
        (1e-12, Severity.CRITICAL),
    ],
)
def test_rarer_is_more_severe(p_value: float, severity: Severity) -> None:
    assert anomaly_severity(p_value, share=0.01) == severity


def _sample(*quantiles: float, size: int = 100_000) -> Sample:
    return Sample(size=size, mean=0.0, quantiles=quantiles)


SAME = _sample(-2, -1, 0, 1, 2)


def _found(effect: float, now: Sample = SAME, deviation: float = 1.0, **more: Any) -> Detection:
    statistic = more.pop("statistic", "ks")
    return Detection(0, Measured(statistic, 1.0, 0.5), SAME, now, effect, deviation, **more)


@pytest.mark.parametrize(
    ("effect", "severity"),
    [
        (0.0, Severity.LOW),
        (0.48, Severity.LOW),
        (-0.5, Severity.MEDIUM),
        (1.0, Severity.HIGH),
        (-2.0, Severity.CRITICAL),
        (1e6, Severity.CRITICAL),
    ],
)
def test_larger_shifts_are_more_severe(effect: float, severity: Severity) -> None:
    assert drift_severity(_found(effect)) == severity


@pytest.mark.parametrize(
    ("w", "severity"),
    [
        (0.09, Severity.LOW),
        (0.1, Severity.MEDIUM),
        (0.3, Severity.HIGH),
        (0.5, Severity.CRITICAL),
    ],
)
def test_changes_of_categories_are_as_severe_as_their_w(w: float, severity: Severity) -> None:
    assert drift_severity(_found(w, of="codes")) == severity


@pytest.mark.parametrize(
    ("rise", "severity"),
    [
        (0.04, Severity.LOW),
        (0.05, Severity.MEDIUM),
        (0.1, Severity.HIGH),
        (0.2, Severity.CRITICAL),
    ],
)
def test_the_rise_of_the_calibration_error_counts(rise: float, severity: Severity) -> None:
    found = _found(rise, of="errors", statistic=CALIBRATION_ERROR)
    assert drift_severity(found) == severity


def test_few_samples_do_not_make_a_change_look_small() -> None:
    """The upper end of the confidence interval counts: 0.4 after 20 values may be 0.77."""
    after_many, after_few = (_sample(-2, -1, 0, 1, 2, size=size) for size in (100_000, 20))
    assert drift_severity(_found(0.4, after_many)) == Severity.LOW
    assert drift_severity(_found(0.4, after_few)) == Severity.MEDIUM
    assert _found(0.4, after_few).size == 0.4


def test_a_change_of_spread_counts_by_its_quartiles() -> None:
    now = _sample(-4, -2, 0, 2, 4)
    assert drift_severity(_found(0.0, now)) == Severity.HIGH
    assert drift_severity(_found(0.0, now, deviation=0.0)) == Severity.LOW


def test_severities_are_ordered() -> None:
    assert [rank(severity) for severity in Severity] == [0, 1, 2, 3]
