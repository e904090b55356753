"""Events of the anomaly and drift workers, read back from their streams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from schemas.findings import AnomalyEvent, DriftEvent, Severity, Status
from schemas.topology import Topology
from streams.connection import Client
from streams.entry import Entry
from streams.observe import newest

_EVENT: TypeAdapter[AnomalyEvent | DriftEvent] = TypeAdapter(
    Annotated[AnomalyEvent | DriftEvent, Field(discriminator="kind")]
)
_RANK = {severity.value: rank for rank, severity in enumerate(Severity)}
_FIELDS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for: their kinds, and the least severity.

    Without ``each`` the latest of an incident stands for all of them, with the worst severity.
    """

    kinds: frozenset[str]
    severity: str = "low"
    each: bool = False

    def takes(self, event: "Event") -> bool:
        """Whether the event is one of them."""
        told = event.severity if self.each else event.worst
        return event.kind in self.kinds and _RANK[Severity(told)] >= _RANK[self.severity]


@dataclass(frozen=True, slots=True)
class Event:
    """An event and the entry that it stands in; ``at_ms`` is the flagged message's time.

    ``others``: where it stands for a whole incident, the fields of its other events, the latest
    first; those of drifts come one by one, each in an event of its own.
    """

    uid: str
    finding: AnomalyEvent | DriftEvent
    others: tuple[str, ...] = ()

    @property
    def at_ms(self) -> int:
        """The flagged message's time, in milliseconds since the epoch."""
        return self.finding.at_ms

    @property
    def kind(self) -> str:
        """``anomaly`` or ``drift``."""
        return self.finding.kind

    @property
    def severity(self) -> str:
        """How grave it is."""
        return self.finding.severity.value

    @property
    def worst(self) -> str:
        """How grave its incident is so far."""
        return (self.finding.worst or self.finding.severity).value

    @property
    def group(self) -> str:
        """What belongs together: the incident's id, or the event's own uid."""
        return self.finding.incident or self.uid

    @property
    def is_news(self) -> bool:
        """Whether it is more than one more finding of an incident."""
        return self.finding.status is not Status.ONGOING

    @property
    def state(self) -> str:
        """How the incident stands, and of how many messages: ``open ×12``.

        Of drifts, which have no end: the kind of the latest, and their number: ``data ×3``.
        """
        if isinstance(self.finding, DriftEvent):
            stands = self.finding.drift.value
        else:
            stands = "clear" if self.finding.status is Status.CLEAR else "open"
        return f"{stands} ×{self.finding.count:,}"

    @property
    def message(self) -> str:
        """The uid of the flagged message."""
        return self.finding.message

    @property
    def explanation(self) -> str:
        """What was found, in a sentence."""
        return self.finding.explanation

    @property
    def where(self) -> str:
        """Stream and key: ``L3/pump-7``, or the stream alone."""
        key = self.finding.key
        return self.finding.stream if key is None else f"{self.finding.stream}/{key}"

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields concerned, at most three: the most deviant first, of drifts the latest."""
        if isinstance(self.finding, DriftEvent):
            return tuple(dict.fromkeys((self.finding.field, *self.others)))[:_FIELDS_SHOWN]
        found = tuple(part.field for part in self.finding.fields[:_FIELDS_SHOWN])
        return found or ((self.finding.field,) if self.finding.field else ())

    def json(self) -> str:
        """The event as one JSON object, with its own uid as ``uid``."""
        return f'{{"uid":"{self.uid}",{self.finding.model_dump_json()[1:]}'


def parsed(entry: Entry) -> Event | None:
    """The event in an entry, or None where somebody else wrote something that is none."""
    try:
        return Event(entry.uid, _EVENT.validate_json(entry.get(b"data") or b""))
    except ValidationError:
        return None


def wanted_events(entries: Iterable[Entry], wanted: Wanted) -> list[Event]:
    """The events among entries that are wanted, in their order; one an incident, the latest."""
    events = (parsed(entry) for entry in entries)
    found = [event for event in events if event is not None and wanted.takes(event)]
    return found if wanted.each else _latest(found)


def newest_events(
    client: Client, topology: Topology, streams: Sequence[str], wanted: Wanted, count: int
) -> list[Event]:
    """The newest ``count`` wanted events of some streams, oldest of them first."""
    found = [event for s in streams for event in _newest_of(client, topology, s, wanted, count)]
    found.sort(key=lambda event: event.at_ms)
    return found[-count:]


def _newest_of(
    client: Client, topology: Topology, stream: str, wanted: Wanted, count: int
) -> list[Event]:
    """Look further back until there are enough, or no more."""
    look = count
    while True:
        entries = newest(client, topology, stream, look)
        found = wanted_events(entries, wanted)
        if len(found) >= count or len(entries) < look:
            return found[-count:]
        look *= 4


def _latest(events: Iterable[Event]) -> list[Event]:
    """The last event of each group, in the order of these."""
    found: dict[str, Event] = {}
    for event in events:
        before = found.pop(event.group, None)
        found[event.group] = replace(event, others=before.fields) if before else event
    return list(found.values())
