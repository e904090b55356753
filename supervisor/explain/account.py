"""All there is to tell about one event, gathered once, for the terminal, JSON and pictures."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from schemas.findings import AnomalyEvent, DriftEvent
from schemas.topology import Topology
from streams.connection import Client
from supervisor.events import Event
from supervisor.explain.evidence import Evidence, Reading, gather
from supervisor.explain.parts import Part, parts_of

MOST_PARTS = 5
"""Fields of an anomaly that are told of."""

PRESENCE = "presence"
"""The drift detector that watches whether a field is there."""


@dataclass(frozen=True, slots=True)
class Account:
    """An event, the messages around it, and, of an anomaly, each field's part in it."""

    event: Event
    evidence: Evidence
    parts: tuple[Part, ...] = ()

    @property
    def retained(self) -> bool:
        """Whether the flagged message is still there."""
        return self.evidence.at is not None

    @property
    def began(self) -> Reading | None:
        """The message at which a change most likely began, where that is told and retained."""
        at = self.began_at
        return None if at is None else self.evidence.readings[at]

    @property
    def began_at(self) -> int | None:
        """Its place among the readings: that which the event names, else it is counted back to.

        Messages without the field are not counted.
        """
        said, at = facts(self.event.finding), self.evidence.at
        uids = {reading.uid: place for place, reading in enumerate(self.evidence.readings)}
        if said.get("since") in uids:
            return uids[said["since"]]
        ago = said.get("began_ago")
        if not ago or at is None or not isinstance(self.event.finding, DriftEvent):
            return None
        values = self.column(self.event.finding.field)
        there = [place for place in range(at + 1) if values[place] is not None]
        return there[-ago] if ago <= len(there) else None

    def column(self, field: str) -> tuple[float | None, ...]:
        """The field's values as the event's detector saw them: for ``presence`` 1 is missing."""
        found = self.evidence.column(field)
        if isinstance(self.event.finding, DriftEvent) and self.event.finding.detector == PRESENCE:
            return tuple(1.0 if value is None else 0.0 for value in found)
        return found

    @property
    def commands(self) -> dict[str, str]:
        """Commands that lead further, and what each shows."""
        message = self.event.message
        found = {f"penstock lineage trace {message}": "where the message came from"}
        found[f"penstock lineage trace {message} --down"] = "what was made from it"
        found[f"penstock tail {self.event.finding.stream}"] = "what the stream holds now"
        return found


def account_of(client: Client, topology: Topology, event: Event) -> Account:
    """Gather what there is to tell about an event.

    Raises StreamsError where the messages cannot be read.
    """
    finding = event.finding
    if isinstance(finding, DriftEvent):
        return Account(event, gather(client, topology, event, (finding.field,)))
    fields = [part.field for part in parts_of(finding, Evidence((), None))][:MOST_PARTS]
    evidence = gather(client, topology, event, fields or incident_fields(finding))
    return Account(event, evidence, parts_of(finding, evidence)[:MOST_PARTS])


def incident_fields(finding: AnomalyEvent) -> list[str]:
    """The field of an incident that is over: such an event tells of no field's part."""
    return [field for field in [facts(finding).get("field")] if field]


def facts(event: AnomalyEvent | DriftEvent) -> Mapping[str, Any]:
    """The event's own fields that are there, by name; absent optional ones are left out."""
    return event.model_dump(mode="json", exclude_none=True)


def to_json(account: Account) -> str:
    """The account as one JSON object; ``event`` is the event as it stands in its stream."""
    began = account.began
    said: dict[str, Any] = {
        "uid": account.event.uid,
        "event": facts(account.event.finding),
        "retained": account.retained,
        "began": None if began is None else {"uid": began.uid, "at_ms": began.at_ms},
        "fields": [asdict(part) for part in account.parts],
        "at": account.evidence.at,
        "readings": [asdict(reading) for reading in account.evidence.readings],
        "commands": account.commands,
    }
    return json.dumps(said, ensure_ascii=False)
