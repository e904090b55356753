"""Events of the anomaly and drift workers, read back from their streams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from schemas.findings import AnomalyEvent, DriftEvent, Severity
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
    """Which events are asked for: their kinds, and the least severity."""

    kinds: frozenset[str]
    severity: str = "low"

    def takes(self, finding: AnomalyEvent | DriftEvent) -> bool:
        """Whether the event is one of them."""
        return finding.kind in self.kinds and _RANK[finding.severity] >= _RANK[self.severity]


@dataclass(frozen=True, slots=True)
class Event:
    """An event and the entry that it stands in; ``at_ms`` is the flagged message's time."""

    uid: str
    finding: AnomalyEvent | DriftEvent

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
        """The fields concerned, the most deviant first, at most three."""
        if isinstance(self.finding, DriftEvent):
            return (self.finding.field,)
        return tuple(part.field for part in self.finding.fields[:_FIELDS_SHOWN])

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
    """The events among entries that are wanted, in their order."""
    events = (parsed(entry) for entry in entries)
    return [event for event in events if event is not None and wanted.takes(event.finding)]


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
