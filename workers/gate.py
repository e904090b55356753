"""The gate: validates what enters and forwards the producer's bytes; the rest is rejected."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ValidationError

from schemas.limits import beyond_limits
from schemas.registry import Schema, resolve
from schemas.settlements import Rejection, Violation
from schemas.topology import GateSettings, Topology
from streams.entry import Entry, Output, Settled, carried
from streams.keys import Lane, bare
from streams.quarantine import ONLY_FOR
from workers.provenance import producer_id, provenance, text_field

_MOST_VIOLATIONS = 32
_REPLACED = frozenset((b"parents", ONLY_FOR))


class Gate:
    """Validates entries one by one; no message can lean on another.

    Rejected, with the reason: no or empty ``data``, more bytes or deeper nesting than the limits,
    bad JSON or UTF-8, NaN, whatever the schema forbids, too many fields or too large ones, a field
    that stands there twice, an unusable ``id``.
    """

    def __init__(self, topology: Topology, settings: GateSettings, worker: str, lane: Lane) -> None:
        self._worker = worker
        self._limits = topology.limits
        self._schemas = {s: resolve(topology.streams[s].schema_name) for s in settings.routes}
        self._targets = {s: lane.stream(target) for s, target in settings.routes.items()}
        self._rejects_to = lane.stream(settings.rejects_to)
        self._rejection_schema = topology.streams[settings.rejects_to].schema_name

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Settle each entry as accepted or rejected."""
        return [self._settle(entry) for entry in batch]

    def _settle(self, entry: Entry) -> Settled:
        stream = bare(entry.stream)
        schema = self._schemas[stream]
        data = entry.get(b"data") or b""
        fault = beyond_limits(entry.fields, self._limits)
        if fault is not None:
            return self._rejected(entry, schema, [_violation("", *fault)])
        try:
            event = schema.validator.validate_json(data)
        except ValidationError as error:
            return self._rejected(entry, schema, _violations(error))
        output = Output(
            self._targets[stream],
            [*_forwarded(entry.fields), b"parents", entry.uid.encode()],
            provenance(entry, schema, event),
        )
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
            "parents": [entry.uid],
            "schema_name": self._rejection_schema,
            "schema_version": rejection.schema_version,
            "source": text_field(entry, b"source"),
            "producer_id": text_field(entry, b"id"),
            "finding": {
                "kind": "rejection",
                "detector": self._worker,
                "summary": f"{first.path or 'message'}: {first.rule}",
                "flagged": [entry.uid],
            },
        }
        fields = [b"data", rejection.model_dump_json().encode(), *carried(entry.fields)]
        output = Output(self._rejects_to, [*fields, b"parents", entry.uid.encode()], note)
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
