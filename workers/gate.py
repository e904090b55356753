"""The gate: validates what enters and forwards the producer's bytes; the rest is rejected."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ValidationError

from schemas.limits import beyond_limits
from schemas.registry import Schema, resolve
from schemas.security import SecurityContext
from schemas.settlements import Rejection, Violation
from schemas.topology import Topology
from schemas.topology_workers import GateSettings
from streams.entry import Entry, Output, Settled, carried
from streams.keys import Lane
from streams.quarantine import ONLY_FOR
from workers.in_hand import Note, unnoted
from workers.provenance import (
    NO_HASHES,
    Circumstances,
    RoeHashes,
    circumstances,
    named_by_producer,
    producer_id,
    provenance,
)

_MOST_VIOLATIONS = 32
_MOST_NOTES = 1024
_REPLACED = frozenset((b"parents", ONLY_FOR))


class Boundary:
    """What one source stream has to fulfil, and where to it goes on."""

    def __init__(self, schema: Schema, target: str, hashes: RoeHashes) -> None:
        self.schema = schema
        self.target = target
        self.validate = schema.validator.validate_json
        self._hashes = hashes
        self._notes: dict[Circumstances, Mapping[str, Any]] = {}

    def note(self, event: object) -> Mapping[str, Any]:
        """What lineage says of a message; alike messages share it, so it is written once."""
        security = getattr(event, "security", None)
        if type(security) is SecurityContext:  # the layers' own, whose fields need no look
            roe_hash = self._hashes.of(security.roe_token)
            told = Circumstances(security.tenant, security.classification, roe_hash)
        else:
            told = circumstances(event, self._hashes)
        found = self._notes.get(told)
        if found is None:
            if len(self._notes) >= _MOST_NOTES:
                self._notes.clear()
            found = self._notes[told] = provenance(self.schema, told)
        return found


class Gate:
    """Validates entries one by one; no message can lean on another.

    Rejected, with the reason: no or empty ``data``, more bytes or deeper nesting than the limits,
    bad JSON or UTF-8, NaN, whatever the schema forbids, too many fields or too large ones, a field
    that stands there twice, an unusable ``id``.
    """

    def __init__(
        self,
        topology: Topology,
        settings: GateSettings,
        worker: str,
        lane: Lane,
        hashes: RoeHashes = NO_HASHES,
        note: Note = unnoted,
    ) -> None:
        self._worker = worker
        self._note = note
        self._limits = topology.limits
        self._boundaries = {
            lane.stream(source): Boundary(
                resolve(topology.streams[source].schema_name), lane.stream(target), hashes
            )
            for source, target in settings.routes.items()
        }
        self._rejects_to = lane.stream(settings.rejects_to)
        self._rejection_schema = topology.streams[settings.rejects_to].schema_name

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Settle each entry as accepted or rejected."""
        settled = [self._settle(entry) for entry in batch]
        self._note("")
        return settled

    def _settle(self, entry: Entry) -> Settled:
        self._note(entry.id)
        boundary = self._boundaries[entry.stream]
        fault = beyond_limits(entry.fields, self._limits)
        if fault is not None:
            return self._rejected(entry, boundary.schema, [_violation("", *fault)])
        plain = len(entry.fields) == 2  # nothing but the payload, as most messages are
        data = entry.fields[1] if plain else entry.get(b"data") or b""
        try:
            event = boundary.validate(data)
        except ValidationError as error:
            return self._rejected(entry, boundary.schema, _violations(error))
        note = boundary.note(event)
        if plain:
            return Settled(entry, "accepted", [Output(boundary.target, entry.fields, note)])
        note = {**note, **named_by_producer(entry)}
        output = Output(boundary.target, _forwarded(entry.fields), note)
        return Settled(entry, "accepted", [output], producer_id(entry))

    def _rejected(self, entry: Entry, schema: Schema, violations: list[Violation]) -> Settled:
        rejection = Rejection(
            message=entry.uid,
            stream=entry.stream,
            schema_name=schema.name,
            worker=self._worker,
            violations=tuple(violations[:_MOST_VIOLATIONS]),
        )
        first = violations[0]
        note = {
            "schema_name": self._rejection_schema,
            "schema_version": rejection.schema_version,
            **named_by_producer(entry),
            "finding": {
                "kind": "rejection",
                "detector": self._worker,
                "summary": f"{first.path or 'message'}: {first.rule}",
                "flagged": [entry.uid],
            },
        }
        fields = [b"data", rejection.model_dump_json().encode(), *carried(entry.fields)]
        output = Output(self._rejects_to, fields, note)
        return Settled(entry, "rejected", [output], producer_id(entry))


def _forwarded(fields: list[bytes]) -> list[bytes]:
    if _REPLACED.isdisjoint(fields[::2]):
        return fields
    kept = (fields[i : i + 2] for i in range(0, len(fields), 2) if fields[i] not in _REPLACED)
    return [part for pair in kept for part in pair]


def _violations(error: ValidationError) -> list[Violation]:
    faults: list[Mapping[str, Any]] = error.errors(  # type: ignore[assignment]
        include_url=False, include_context=False, include_input=False
    )
    return [
        _violation(".".join(str(part) for part in fault["loc"]), fault["type"], fault["msg"])
        for fault in faults[:_MOST_VIOLATIONS]
    ]


def _violation(path: str, rule: str, message: str) -> Violation:
    return Violation(path=_shown(path, 512), rule=rule[:128], message=_shown(message, 1024))


def _shown(text: str, most: int) -> str:
    """Text that is sure to be UTF-8 again, cut at ``most`` characters."""
    return text.encode("utf-8", "replace").decode()[:most]
