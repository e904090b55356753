"""Each field's part in an anomaly: its value, what was usual, and how much it is to blame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schemas.findings import AnomalyEvent
from supervisor.explain.evidence import Evidence

LEAST_PAST = 20
"""Retained values from which a usual range is told where the event has none."""

_TAIL = 0.01
"""Left out of the usual range at either end, as the detectors do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a flagged message.

    ``deviation``: robust z-score. ``share``: of the blame, in [0, 1]. Between ``low`` and
    ``high`` lie its usual values; ``nearest`` is the usual value nearest to its own. ``by`` says
    whose range it is; None where nothing is known.
    """

    field: str
    value: float
    deviation: float | None = None
    share: float | None = None
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    nearest: float | None = None
    by: str | None = None


def parts_of(event: AnomalyEvent, evidence: Evidence) -> tuple[Part, ...]:
    """The fields of an event, the one most to blame first; the most deviant where none says.

    Where the event does not tell a usual range, the retained messages before it do.
    """
    said = event.model_dump()
    deviations = {each["field"]: each["deviation"] for each in said["fields"]}
    told = [_told(each, deviations) for each in said.get("guilty") or said["fields"]]
    return tuple(_with_range(part, evidence) for part in told)


def _told(each: Mapping[str, Any], deviations: Mapping[str, float]) -> Part:
    """What the event itself says of a field; an event of an older version says less."""
    low, high = each.get("low"), each.get("high")
    return Part(
        field=each["field"],
        value=each["value"],
        deviation=each.get("deviation", deviations.get(each["field"])),
        share=each.get("share"),
        expected=each.get("expected"),
        low=low,
        high=high,
        nearest=each.get("nearest"),
        by=None if low is None or high is None else "usual, says the detector",
    )


def _with_range(part: Part, evidence: Evidence) -> Part:
    past = [r.numbers[part.field] for r in evidence.past if part.field in r.numbers]
    if part.by is not None or len(past) < LEAST_PAST:
        return part
    low, middle, high = quantiles(past, (_TAIL, 0.5, 1.0 - _TAIL))
    expected = middle if part.expected is None else part.expected
    nearest = expected if low <= part.value <= high else min(max(part.value, low), high)
    by = f"the middle 98 % of the {len(past)} values before"
    return replace(part, expected=expected, low=low, high=high, nearest=nearest, by=by)


def quantiles(values: Sequence[float], shares: Sequence[float]) -> list[float]:
    """Quantiles by linear interpolation, of at least one value.

    >>> quantiles([1.0, 2.0, 3.0], (0.0, 0.25, 1.0))
    [1.0, 1.5, 3.0]
    """
    ordered = sorted(values)
    found = []
    for share in shares:
        place = share * (len(ordered) - 1)
        low = int(place)
        above = ordered[min(low + 1, len(ordered) - 1)]
        found.append(ordered[low] * (1.0 - (place - low)) + above * (place - low))
    return found
