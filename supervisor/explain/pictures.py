"""The pictures of an event: the values around it, and what was usual against what came."""

from collections.abc import Iterator

from schemas.findings import AnomalyEvent, DriftEvent, Sample
from supervisor.explain.account import Account, incident_fields
from supervisor.explain.evidence import BEFORE, BEHIND
from supervisor.explain.parts import Part
from supervisor.plot import Band, Box, Boxes, Picture, Trace
from supervisor.tables import local_time

_BEFORE_CHANGE = 3
"""So many times as many values as have come since a change are shown with it, before and after."""


def pictures_of(account: Account) -> list[Picture]:
    """The pictures of an event; without its messages they show the event's own numbers.

    Empty for an anomaly of which neither the event nor a retained message tells what was usual.
    """
    finding = account.event.finding
    if isinstance(finding, DriftEvent):
        return [_samples(finding), *_course(account, finding)]
    return list(_anomaly(account, finding))


def _anomaly(account: Account, finding: AnomalyEvent) -> Iterator[Picture]:
    if account.retained:
        leading = [(part.field, _band(part)) for part in account.parts]
        over = [(field, None) for field in incident_fields(finding)]
        yield from (_trace(account, *each) for each in [*leading, *over][:1])
    known = [part for part in account.parts if part.low is not None and part.high is not None]
    if known and not account.retained:
        for part in known:
            yield Boxes(
                title=f"{part.field}: its value against its usual range",
                boxes=(_range(part),),
                parts=("usual", "", "expected", "the message"),
                severity=finding.severity.value,
            )


def _band(part: Part) -> Band | None:
    if part.low is None or part.high is None:
        return None
    return Band(part.low, part.high, part.by or "usual")


def _range(part: Part) -> Box:
    low, high = part.low or 0.0, part.high or 0.0
    return Box("usual", low, high, middle=part.expected, mark=part.value)


def _samples(finding: DriftEvent) -> Boxes:
    boxes = [_sample("baseline", finding.baseline), _sample("current", finding.current)]
    return Boxes(
        title=f"{finding.field}: {finding.baseline.size:,} values before, "
        f"{finding.current.size:,} after",
        boxes=tuple(box for box in boxes if box is not None),
        parts=("5 % to 95 %", "middle half", "median", "mean"),
        severity=finding.severity.value,
    )


def _sample(label: str, sample: Sample) -> Box | None:
    if len(sample.quantiles) != 5:  # an event may say less
        return None
    low, quarter, middle, three, high = sample.quantiles
    return Box(label, low, high, (quarter, three), middle, sample.mean)


def _course(account: Account, finding: DriftEvent) -> Iterator[Trace]:
    """The values around the change; its band is the middle 90 % of the baseline."""
    if not account.retained:
        return
    band = None
    if len(finding.baseline.quantiles) == 5:
        low, high = finding.baseline.quantiles[0], finding.baseline.quantiles[4]
        band = Band(low, high, "the middle 90 % of the baseline")
    yield _trace(account, finding.field, band)


def _trace(account: Account, field: str, band: Band | None) -> Trace:
    """The field's values around the message, and back to where a change began."""
    readings, at, began = account.evidence.readings, account.evidence.at or 0, account.began_at
    room = BEFORE if began is None else max(BEFORE, _BEFORE_CHANGE * (at - began))
    first, last = max(0, at - room), min(len(readings), at + BEHIND + 1)
    return Trace(
        title=f"{field}: the message, {at - first} before and {last - 1 - at} behind it",
        values=account.column(field)[first:last],
        first=local_time(readings[first].at_ms),
        last=local_time(readings[last - 1].at_ms),
        band=band,
        mark=at - first,
        began=None if began is None or began < first else began - first,
        severity=account.event.severity,
    )
