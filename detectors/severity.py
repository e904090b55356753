"""How much a finding matters."""

from detectors.drift.contract import Detection, Scale
from schemas.findings import Severity

_SHARES = ((100.0, Severity.CRITICAL), (10.0, Severity.HIGH), (3.0, Severity.MEDIUM))
_CUTS: dict[Scale, tuple[float, float, float]] = {
    "deviations": (0.5, 1.0, 2.0),
    "w": (0.1, 0.3, 0.5),
    "calibration": (0.05, 0.1, 0.2),
}
_ORDER = tuple(Severity)


def anomaly_severity(p_value: float, share: float) -> Severity:
    """Return the severity of a score with this tail probability.

    Critical up to ``share`` / 100, high up to ``share`` / 10, medium up to ``share`` / 3, else
    low. The cut-offs are relative to the share of messages somebody agreed to look at: on a
    stream without anomalies 67 % of the findings are low, 23 % medium, 9 % high and 1 %
    critical, so a page for each critical finding is one for 10,000 messages at the default
    share of 0.01, and each level is read about three to ten times as often as the next.

    >>> anomaly_severity(0.0005, share=0.01)
    <Severity.HIGH: 'high'>
    """
    found = (severity for divisor, severity in _SHARES if p_value * divisor <= share)
    return next(found, Severity.LOW)


def drift_severity(found: Detection) -> Severity:
    """Return the severity of a change, by its size and not by how sure it is.

    The size is the upper end of its confidence interval (``size_at_most``). Below the first of
    the cuts it is low, below the second medium, below the third high, else critical:

    - shifts of the mean or a quartile, in baseline standard deviations: 0.5, 1 and 2. 0.5 and
      about 1 are Cohen's medium and large effects; from 2 on the samples hardly overlap.
      Quartiles see a change of spread or shape that leaves the mean alone;
    - Cohen's w of categories: 0.1, 0.3 and 0.5, his small, medium and large effects;
    - the rise of the expected calibration error: 0.05, 0.1 and 0.2.

    Reference: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988.
    """
    cuts = _CUTS[found.scale]
    return _ORDER[sum(found.size_at_most >= cut for cut in cuts)]


def rank(severity: Severity) -> int:
    """Return the place of ``severity`` in ascending order, from 0."""
    return _ORDER.index(severity)
