"""Findings in plain sentences."""

from collections.abc import Callable, Sequence

import numpy as np

from detectors.drift.contract import Detection, Move, Scale
from detectors.texts import OTHERS
from detectors.values import CAP
from schemas.findings import FieldValue

PRESENCE = "presence"
"""The kind of the detector that watches whether a field is there."""

APPEARANCE = "appearance"
"""The statistic of a field that has come up."""

_MANY = 100  # readings: with fewer there is no tail to go by
_RARER_THAN_ANY = 5e-5  # only an extrapolation says so, for windows of up to 20,000
_SIZES: dict[Scale, tuple[float, ...]] = {
    "deviations": (0.2, 0.5, 0.8, 2.0),
    "w": (0.1, 0.3, 0.5, 0.9),
    "calibration": (0.02, 0.05, 0.1, 0.2),
}
_WORDS = ("very small", "small", "medium", "large", "very large")
_MOVES_TOLD = 3  # categories in a sentence
_NOTABLE = 3.0  # robust deviations: below that, a single field explains nothing


def anomaly_sentence(
    lead: FieldValue, center: float, rarity: tuple[float, int], others: Sequence[str]
) -> str:
    """Explain an anomaly by its leading field, whose expected value is ``center``.

    ``rarity`` is the p-value and the number of scores it rests on; ``others`` are the detectors
    that agree.

    >>> lead = FieldValue(field="f4", value=103.0, deviation=41.2)
    >>> anomaly_sentence(lead, 2.0, (0.0002, 10_000), [])  # doctest: +ELLIPSIS
    'f4 is 103, 41 robust deviations from its median 2; only 0.02 % of recent readings ...'
    """
    parts = [_lead_clause(lead, center), _rarity_clause(*rarity)]
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


def drift_sentence(
    field: str, kind: str, found: Detection, name_of: Callable[[int], str] = str
) -> str:
    """Explain a change of distribution, how large it is and when it most likely began.

    ``name_of`` gives the text that a code stands for.
    """
    measured = found.measured
    if found.of == "codes" and kind != PRESENCE:
        parts = [_categories_clause(field, found, name_of)]
    else:
        parts = [_share_clause(field, kind, found) or _distribution_clause(field, found)]
    parts.append(f"a {effect_words(found)} change")
    if found.began_ago:
        parts.append(f"most likely since {found.began_ago} values")
    parts.append(f"{measured.statistic} is {measured.value:.3g}, above {measured.threshold:.3g}")
    return "; ".join(parts)


def effect_words(found: Detection) -> str:
    """Return the size of a change in a word or two.

    By the largest shift of the mean or a quartile in baseline standard deviations: below 0.2
    very small, below 0.5 small, below 0.8 medium, below 2 large, else very large; of categories
    by Cohen's w: 0.1, 0.3, 0.5 and 0.9 (Cohen, "Statistical Power Analysis", 1988); of the
    calibration error by its rise: 0.02, 0.05, 0.1 and 0.2.
    """
    return _WORDS[sum(found.size >= least for least in _SIZES[found.scale])]


def _share_clause(field: str, kind: str, found: Detection) -> str | None:
    if found.measured.statistic == APPEARANCE:
        return (
            f"{field} has appeared: it is in {100.0 * (1.0 - found.current.mean):.3g} % of "
            f"messages, and was in none of {found.baseline.size:,} before"
        )
    if kind == PRESENCE:
        what = f"{field} is missing from"
    elif found.is_of_shares:
        what = f"{field} is 1 in"
    else:
        return None
    before, now = 100.0 * found.baseline.mean, 100.0 * found.current.mean
    return f"{what} {now:.3g} % of messages, where it was {before:.3g} %"


def _categories_clause(field: str, found: Detection, name_of: Callable[[int], str]) -> str:
    moved = (
        f"{move_name(move, name_of)!r} in {100.0 * move.now:.3g} % of them, where it was "
        f"{100.0 * move.before:.3g} %"
        for move in found.moves[:_MOVES_TOLD]
    )
    lead = f"categories of {field} have other shares than they had (w {found.effect:.2g})"
    return ": ".join((lead, ", ".join(moved)))


def move_name(move: Move, name_of: Callable[[int], str]) -> str:
    """Return the name of a category that moved."""
    return OTHERS if move.code is None else name_of(move.code)


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


def _rarity_clause(p_value: float, n_past: int) -> str:
    if n_past == 0:
        return "too few readings so far to say how rare that is"
    if n_past < _MANY:
        n_others = round(p_value * (n_past + 1)) - 1
        scored = f"{n_others} of" if n_others else "none of"
        return f"{scored} only {n_past} readings so far scored as high"
    if p_value < _RARER_THAN_ANY:
        return "no recent reading scored as high"
    return f"only {100.0 * p_value:.2g} % of recent readings scored as high"
