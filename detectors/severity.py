"""How much a finding matters."""

from schemas.findings import Sample, Severity

_SHARES = ((100.0, Severity.CRITICAL), (10.0, Severity.HIGH), (3.0, Severity.MEDIUM))
_SHIFTS = ((2.0, Severity.CRITICAL), (1.0, Severity.HIGH), (0.5, Severity.MEDIUM))
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


def drift_severity(effect: float, baseline: Sample, current: Sample, deviation: float) -> Severity:
    """Return the severity of a change, by its size and not by how sure it is.

    The size is the larger of ``effect`` (the shift of the mean) and the largest shift of a
    quartile, in baseline standard deviations (``deviation``): below 0.5 low, below 1 medium,
    below 2 high, else critical. 0.5 and about 1 are Cohen's medium and large effects (Cohen,
    "Statistical Power Analysis", 1988); from 2 on the two samples hardly overlap. Quartiles
    see a change of spread or shape that leaves the mean alone.
    """
    shifts = [abs(effect)]
    for before, now in zip(baseline.quantiles[1:4], current.quantiles[1:4], strict=True):
        shifts.append(abs(now - before) / deviation if deviation > 0.0 else 0.0)
    found = (severity for least, severity in _SHIFTS if max(shifts) >= least)
    return next(found, Severity.LOW)


def rank(severity: Severity) -> int:
    """Return the place of ``severity`` in ascending order, from 0."""
    return _ORDER.index(severity)
