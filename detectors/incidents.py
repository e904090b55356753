"""Findings joined to incidents: an alarm that opens, gets worse, and clears."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from detectors.severity import rank
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.watch.verdicts import AnomalyVerdict
from schemas.anomaly_settings import IncidentSettings
from schemas.findings import Severity


class Change(StrEnum):
    """What happened to an incident."""

    OPEN = "open"
    UPDATE = "update"
    CLEAR = "clear"


class Finding(NamedTuple):
    """A flagged row: its index in the call, whose it is, the guilty field, how much it matters."""

    row: int
    key: str | None
    field: str
    severity: Severity
    score: float

    @classmethod
    def of(cls, verdict: AnomalyVerdict, key: str | None) -> "Finding":
        """Return the finding in ``verdict``; the most guilty field counts, or the first."""
        guilty = [guilt.field for guilt in verdict.guilty] or [verdict.fields[0].field]
        return cls(verdict.row, key, guilty[0], verdict.severity, verdict.score)


@dataclass(frozen=True)
class Incident:
    """Findings in the same field of the same key, with at most ``quiet`` rows between two.

    ``incident_id``: 16 hexadecimal digits that follow from key, field and first row alone.
    ``first_row``, ``last_row``: of its findings, counted over all calls. ``severity`` and
    ``score``: the highest so far.
    """

    incident_id: str
    key: str | None
    field: str
    first_row: int
    last_row: int
    n_findings: int
    severity: Severity
    score: float


class Transition(NamedTuple):
    """A change of an incident, at a row counted over all calls, and how it stood then."""

    change: Change
    row: int
    incident: Incident


class Incidents:
    """Collapses storms of findings: people hear of a beginning, a worsening, and an end.

    A finding opens an incident unless one is open for its key and field. Further findings are
    silent, but for an update whenever the severity rises or their number reaches a power of
    ten. After ``quiet`` rows of the stream without another the incident clears. So n findings
    in a row lead to at most 5 + log10(n) transitions. Beyond ``max_open`` the incident that has
    been silent longest is cleared early and counted in ``n_evicted``.

    Transitions follow from the rows alone, not from how these are split into calls.

    >>> storm = [Finding(row, "pump", "t", Severity.LOW, 1.0) for row in range(3, 40)]
    >>> incidents = Incidents(IncidentSettings(quiet=100))
    >>> for change, row, incident in incidents.observe(storm, n_rows=1000):
    ...     print(change.value, "at row", row, "after", incident.n_findings, "findings")
    open at row 3 after 1 findings
    update at row 12 after 10 findings
    clear at row 140 after 37 findings
    """

    def __init__(self, settings: IncidentSettings | None = None) -> None:
        self._settings = settings or IncidentSettings()
        self._open: OrderedDict[tuple[str | None, str], Incident] = OrderedDict()  # latest last
        self._n_rows = 0
        self.n_evicted = 0

    @property
    def n_open(self) -> int:
        """The number of incidents that are open."""
        return len(self._open)

    def observe(self, findings: Sequence[Finding], n_rows: int) -> list[Transition]:
        """Take in a batch of ``n_rows`` rows with these findings, by ascending row."""
        changes: list[Transition] = []
        for finding in findings:
            row = self._n_rows + finding.row
            changes += self._cleared(row)
            changes += self._taken_in(row, finding)
        self._n_rows += n_rows
        return [*changes, *self._cleared(self._n_rows - 1)]

    def state(self) -> State:
        """Return the open incidents, the latest last, and the counts."""
        return {
            "open": [_packable(incident) for incident in self._open.values()],
            "n_rows": self._n_rows,
            "n_evicted": self.n_evicted,
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit."""
        reader = StateReader(state, "Incidents")
        n_rows, n_evicted = reader.integer("n_rows"), reader.integer("n_evicted")
        found = [_incident(StateReader(each, "Incidents")) for each in reader.states("open")]
        if len(found) > self._settings.max_open:
            raise StateError(f"the state has {len(found)} open incidents, more than max_open")
        self._open = OrderedDict(((each.key, each.field), each) for each in found)
        self._n_rows, self.n_evicted = n_rows, n_evicted

    def _cleared(self, row: int) -> Iterator[Transition]:
        """Clear what is over when ``row`` comes, in the order of its last finding."""
        while self._open:
            incident = next(iter(self._open.values()))
            over = incident.last_row + self._settings.quiet + 1
            if over > row:
                return
            self._open.popitem(last=False)
            yield Transition(Change.CLEAR, over, incident)

    def _taken_in(self, row: int, finding: Finding) -> Iterator[Transition]:
        group = (finding.key, finding.field)
        before = self._open.pop(group, None)
        now = self._open[group] = _joined(before, finding, row)
        if before is None:
            yield Transition(Change.OPEN, row, now)
        elif now.severity != before.severity or _is_power_of_ten(now.n_findings):
            yield Transition(Change.UPDATE, row, now)
        if len(self._open) > self._settings.max_open:
            self.n_evicted += 1
            yield Transition(Change.CLEAR, row, self._open.popitem(last=False)[1])


def _joined(before: Incident | None, finding: Finding, row: int) -> Incident:
    first = before.first_row if before else row
    return Incident(
        before.incident_id if before else _name(finding, row),
        finding.key,
        finding.field,
        first,
        row,
        before.n_findings + 1 if before else 1,
        max(before.severity, finding.severity, key=rank) if before else finding.severity,
        max(before.score, finding.score) if before else finding.score,
    )


def _name(finding: Finding, row: int) -> str:
    return sha256(repr((finding.key, finding.field, row)).encode()).hexdigest()[:16]


def _is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"


def _packable(incident: Incident) -> State:
    plain = asdict(incident)
    key = plain.pop("key")
    return {**plain, "keys": [key], "severity": incident.severity.value}


def _incident(reader: StateReader) -> Incident:
    severity = reader.text("severity")
    if severity not in tuple(Severity):
        raise StateError(f"the state of Incidents has an unknown severity {severity!r}")
    return Incident(
        incident_id=reader.text("incident_id"),
        key=reader.keys("keys", 1)[0],
        field=reader.text("field"),
        first_row=reader.integer("first_row"),
        last_row=reader.integer("last_row"),
        n_findings=reader.integer("n_findings", low=1),
        severity=Severity(severity),
        score=reader.number("score"),
    )
