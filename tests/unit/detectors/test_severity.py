"""How much a finding matters."""

import pytest

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


def _sample(*quantiles: float) -> Sample:
    return Sample(size=100, mean=0.0, quantiles=quantiles)


@pytest.mark.parametrize(
    ("effect", "severity"),
    [
        (0.2, Severity.LOW),
        (-0.6, Severity.MEDIUM),
        (1.2, Severity.HIGH),
        (-2.0, Severity.CRITICAL),
    ],
)
def test_larger_shifts_are_more_severe(effect: float, severity: Severity) -> None:
    same = _sample(-2, -1, 0, 1, 2)
    assert drift_severity(effect, same, same, 1.0) == severity


def test_a_change_of_spread_counts_by_its_quartiles() -> None:
    before, now = _sample(-2, -1, 0, 1, 2), _sample(-4, -2, 0, 2, 4)
    assert drift_severity(0.0, before, now, 1.0) == Severity.HIGH
    assert drift_severity(0.0, before, now, 0.0) == Severity.LOW


def test_severities_are_ordered() -> None:
    assert [rank(severity) for severity in Severity] == [0, 1, 2, 3]
