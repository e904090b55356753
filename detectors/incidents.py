"""Findings joined to incidents: an alarm that opens, gets worse, and clears."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from detectors.severity import rank
from detectors.state import State, StateError
from detectors.state_reader import StateReader
from detectors.watch.verdicts import AnomalyVerdict
from schemas.anomaly_settings import IncidentSettings
from schemas.findings import Severity, Status

Key = str | None


class Finding(NamedTuple):
    """A flagged row: its index, whose it is, the guilty field, and how much it matters.

    ``message`` names the row for ever; an incident is named after its first message.
    """

    row: int
    key: Key
    field: str
    severity: Severity
    score: float
    message: str = ""
    detector: str = ""
    threshold: float = 0.0
    p_value: float = 1.0

    @classmethod
    def of(cls, verdict: AnomalyVerdict, key: Key, message: str = "") -> "Finding":
        """Return the finding in ``verdict``; the most guilty field counts, or the first."""
        guilty = [guilt.field for guilt in verdict.guilty] or [verdict.fields[0].field]
        return cls(
            verdict.row,
            key,
            guilty[0],
            verdict.severity,
            verdict.score,
            message,
            verdict.detector,
            verdict.threshold,
            verdict.p_value,
        )


@dataclass(frozen=True)
class Incident:
    """Findings in the same field of the same key, with at most ``quiet`` rows of it between two.

    ``incident_id``: 16 hexadecimal digits that follow from key, field and first message (or row)
    alone. ``first_row``: of its findings, counted over all calls; ``first`` and ``last`` are
    messages. ``worst``: the first of its gravest findings, by severity and then by tail
    probability. ``key_row``: the place of its last finding among the rows of its key.
    """

    incident_id: str
    key: Key
    field: str
    first_row: int
    first: str
    last: str
    n_findings: int
    worst: Finding
    key_row: int

    @property
    def severity(self) -> Severity:
        """The highest so far."""
        return self.worst.severity


class Transition(NamedTuple):
    """A change of an incident, at a row of the call, and how it stood then.

    ``finding`` is the index of the finding that made it; None where the incident cleared.
    """

    status: Status
    row: int
    incident: Incident
    finding: int | None = None


class Incidents:
    """Collapses storms of findings: people hear of a beginning, a worsening, and an end.

    A finding opens an incident unless one is open for its key and field. Each further finding
    says that it is ongoing, or that there is an update: the severity rose, or their number
    reached a power of ten. After ``quiet`` rows of its key without another the incident clears;
    it stays open while its key sends nothing. So n findings in a row lead to at most 5 +
    log10(n) transitions that are not merely ongoing. Beyond ``max_open`` the incident that has
    been silent longest is cleared early and counted in ``n_evicted``.

    Transitions follow from the rows alone, not from how these are split into calls.

    >>> storm = [Finding(row, "pump", "t", Severity.LOW, 1.0) for row in range(3, 40)]
    >>> incidents = Incidents(IncidentSettings(quiet=100))
    >>> for status, row, incident, _ in incidents.observe(storm, 1000 * ["pump"]):
    ...     if status is not Status.ONGOING:
    ...         print(status.value, "at row", row, "after", incident.n_findings, "findings")
    open at row 3 after 1 findings
    update at row 12 after 10 findings
    clear at row 140 after 37 findings
    """

    def __init__(self, settings: IncidentSettings | None = None, name: str = "") -> None:
        self._settings = settings or IncidentSettings()
        self._name = name  # of whoever has these incidents: it enters their ids
        self._open: OrderedDict[tuple[Key, str], Incident] = OrderedDict()  # latest last
        self._key_rows: dict[Key, int] = {}  # of keys with open incidents
        self._due: dict[Key, int] = {}  # no incident of the key clears before this row of it
        self._n_rows = 0
        self.n_evicted = 0

    @property
    def n_open(self) -> int:
        """The number of incidents that are open."""
        return len(self._open)

    def observe(self, findings: Sequence[Finding], keys: Sequence[Key]) -> list[Transition]:
        """Take in a batch of rows with these keys, and the findings in them by ascending row."""
        changes: list[Transition] = []
        at = 0
        for row in self._rows(findings, keys) if findings or self._open else ():
            key = keys[row]
            if key in self._key_rows:
                self._key_rows[key] += 1
                if self._key_rows[key] >= self._due[key]:
                    changes += self._cleared(row, key)
            while at < len(findings) and findings[at].row == row:
                changes += self._taken_in(at, findings[at])
                at += 1
        self._n_rows += len(keys)
        return changes

    def _rows(self, findings: Sequence[Finding], keys: Sequence[Key]) -> Iterator[int]:
        """The rows to look at: all, or where there is one key, those at which something happens.

        The rows of the key in between are counted here.
        """
        if not keys or keys.count(keys[0]) != len(keys):
            yield from range(len(keys))
            return
        key, row, found = keys[0], 0, [each.row for each in findings]
        while True:
            known = key in self._key_rows
            due = row + self._due[key] - self._key_rows[key] - 1 if known else len(keys)
            at = bisect_left(found, row)
            following = min(max(due, row), found[at] if at < len(found) else len(keys))
            if known:
                self._key_rows[key] += min(following, len(keys)) - row
            if following >= len(keys):
                return
            yield following
            row = following + 1

    def state(self) -> State:
        """Return the open incidents, the latest last, and the counts."""
        return {
            "open": [self._packable(incident) for incident in self._open.values()],
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
        self._key_rows = dict.fromkeys((each.key for each in found), 0)
        self._due = dict.fromkeys(self._key_rows, 0)
        self._n_rows, self.n_evicted = n_rows, n_evicted

    def _cleared(self, row: int, key: Key) -> Iterator[Transition]:
        """Clear what is over when this row of ``key`` comes, in the order of its last finding."""
        least = self._key_rows[key] - self._settings.quiet
        of_key = [each for each in self._open.values() if each.key == key]
        for incident in of_key:
            if incident.key_row < least:
                del self._open[key, incident.field]
                yield Transition(Status.CLEAR, row, incident)
        left = [each.key_row for each in of_key if each.key_row >= least]
        self._due[key] = min(left, default=0) + self._settings.quiet + 1
        if not left:
            self._forget(key)

    def _taken_in(self, index: int, finding: Finding) -> Iterator[Transition]:
        group = (finding.key, finding.field)
        before = self._open.pop(group, None)
        if finding.key not in self._key_rows:
            self._key_rows[finding.key], self._due[finding.key] = 0, self._settings.quiet + 1
        now = self._open[group] = self._joined(before, finding)
        if before is None:
            status = Status.OPEN
        elif now.severity != before.severity or _is_power_of_ten(now.n_findings):
            status = Status.UPDATE
        else:
            status = Status.ONGOING
        yield Transition(status, finding.row, now, index)
        if len(self._open) > self._settings.max_open:
            yield self._evicted(finding.row)

    def _evicted(self, row: int) -> Transition:
        self.n_evicted += 1
        (key, _), incident = self._open.popitem(last=False)
        if all(other != key for other, _ in self._open):
            self._forget(key)
        return Transition(Status.CLEAR, row, incident)

    def _forget(self, key: Key) -> None:
        del self._key_rows[key], self._due[key]

    def _joined(self, before: Incident | None, finding: Finding) -> Incident:
        row, said = self._n_rows + finding.row, finding.message
        finding = finding._replace(row=row)
        group, key_row = (finding.key, finding.field), self._key_rows[finding.key]
        if before is None:
            name = self._id(finding)
            return Incident(name, *group, row, said, said, 1, finding, key_row)
        worst = max(before.worst, finding, key=_gravity)
        number, first = before.n_findings + 1, before.first
        name, first_row = before.incident_id, before.first_row
        return Incident(name, *group, first_row, first, said, number, worst, key_row)

    def _id(self, finding: Finding) -> str:
        where = finding.message or finding.row
        named = repr((self._name, finding.key, finding.field, where))
        return sha256(named.encode()).hexdigest()[:16]

    def _packable(self, incident: Incident) -> State:
        worst = incident.worst
        return {
            "incident_id": incident.incident_id,
            "keys": [incident.key],
            "field": incident.field,
            "first_row": incident.first_row,
            "first": incident.first,
            "last": incident.last,
            "n_findings": incident.n_findings,
            "n_quiet": self._key_rows[incident.key] - incident.key_row,
            "worst": {**worst._asdict(), "key": None, "severity": worst.severity.value},
        }


def _gravity(finding: Finding) -> tuple[int, float]:
    return rank(finding.severity), -finding.p_value


def _is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"


def _incident(reader: StateReader) -> Incident:
    key, field = reader.keys("keys", 1)[0], reader.text("field")
    return Incident(
        incident_id=reader.text("incident_id"),
        key=key,
        field=field,
        first_row=reader.integer("first_row"),
        first=reader.text("first"),
        last=reader.text("last"),
        n_findings=reader.integer("n_findings", low=1),
        worst=_finding(StateReader(reader.mapping("worst"), "Incidents"), key, field),
        key_row=-reader.integer("n_quiet"),
    )


def _finding(reader: StateReader, key: Key, field: str) -> Finding:
    severity = reader.text("severity")
    if severity not in tuple(Severity):
        raise StateError(f"the state of Incidents has an unknown severity {severity!r}")
    return Finding(
        row=reader.integer("row"),
        key=key,
        field=field,
        severity=Severity(severity),
        score=reader.number("score"),
        message=reader.text("message"),
        detector=reader.text("detector"),
        threshold=reader.number("threshold"),
        p_value=reader.number("p_value"),
    )
