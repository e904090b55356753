"""Findings in plain sentences."""

from collections.abc import Sequence

import numpy as np

from detectors.drift.contract import Detection
from detectors.values import CAP
from schemas.findings import FieldValue

PRESENCE = "presence"
"""The kind of the detector that watches whether a field is there."""

_RARER_THAN_ANY = 5e-5  # only an extrapolation says so, for windows of up to 20,000
_SIZES = ((2.0, "very large"), (0.8, "large"), (0.5, "medium"), (0.2, "small"), (0.0, "very small"))
_NOTABLE = 3.0  # robust deviations: below that, a single field explains nothing


def anomaly_sentence(lead: FieldValue, center: float, p_value: float, others: Sequence[str]) -> str:
    """Explain an anomaly by its leading field, whose expected value is ``center``.

    ``p_value`` is 1.0 where the past is too short; ``others`` are the detectors that agree.

    >>> lead = FieldValue(field="f4", value=103.0, deviation=41.2)
    >>> anomaly_sentence(lead, 2.0, 0.0002, [])  # doctest: +ELLIPSIS
    'f4 is 103, 41 robust deviations from its median 2; only 0.02 % of recent readings ...'
    """
    parts = [_lead_clause(lead, center), _rarity_clause(p_value)]
    if others:
        parts.append(f"{' and '.join(others)} flagged it too")
    return "; ".join(parts)


def limits_sentence(
    lead: FieldValue, limits: tuple[float | None, float | None], others: Sequence[str]
) -> str:
    """Explain a broken limit."""
    low, high = limits
    if high is not None and lead.value > high:
        clause = f"above its limit {high:.6g}"
    else:
        clause = f"below its limit {low:.6g}"
    agreed = f"; {' and '.join(others)} flagged it too" if others else ""
    return f"{lead.field} is {lead.value:.6g}, {clause}{agreed}"


def drift_sentence(field: str, kind: str, found: Detection) -> str:
    """Explain a change of distribution, how large it is and when it most likely began."""
    measured = found.measured
    parts = [_share_clause(field, kind, found) or _distribution_clause(field, found)]
    parts.append(f"a {effect_words(found)} change")
    if found.began_ago:
        parts.append(f"most likely since {found.began_ago} values")
    parts.append(f"{measured.statistic} is {measured.value:.3g}, above {measured.threshold:.3g}")
    return "; ".join(parts)


def effect_words(found: Detection) -> str:
    """Return the size of a change in a word or two.

    By the largest shift of the mean or a quartile in baseline standard deviations: below 0.2
    very small, below 0.5 small, below 0.8 medium, below 2 large, else very large (Cohen,
    "Statistical Power Analysis", 1988).
    """
    return next(word for least, word in _SIZES if found.size >= least)


def _share_clause(field: str, kind: str, found: Detection) -> str | None:
    if kind == PRESENCE:
        what = f"{field} is missing from"
    elif found.of == "codes":
        return f"categories of {field} have other shares than they had (w {found.effect:.2g})"
    elif found.is_of_shares:
        what = f"{field} is 1 in"
    else:
        return None
    before, now = 100.0 * found.baseline.mean, 100.0 * found.current.mean
    return f"{what} {now:.3g} % of messages, where it was {before:.3g} %"


def _distribution_clause(field: str, found: Detection) -> str:
    before, now = found.baseline, found.current
    return (
        f"the mean of {field} went from {before.mean:.4g} to {now.mean:.4g} "
        f"({found.effect:+.2g} baseline standard deviations), its middle half from "
        f"{before.quantiles[1]:.4g}..{before.quantiles[3]:.4g} to "
        f"{now.quantiles[1]:.4g}..{now.quantiles[3]:.4g}"
    )


def _lead_clause(lead: FieldValue, center: float) -> str:
    value = f"{lead.field} is {lead.value:.6g}"
    if np.isnan(center):
        return f"{value}, a field whose past is too short to compare"
    if lead.deviation >= CAP:
        return f"{value}, a field that has been {center:.6g} all along"
    distance = f"{lead.deviation:.2g} robust deviations from its median {center:.6g}"
    if lead.deviation < _NOTABLE:
        return f"the fields are unusual together, none by itself: {value}, {distance}"
    return f"{value}, {distance}"


def _rarity_clause(p_value: float) -> str:
    if p_value >= 1.0:
        return "too few readings so far to say how rare that is"
    if p_value < _RARER_THAN_ANY:
        return "no recent reading scored as high"
    return f"only {100.0 * p_value:.2g} % of recent readings scored as high"
