"""What lineage records say of an output, taken from the entry it was made of."""

from typing import Any

from schemas.findings import AnomalyEvent, DriftEvent
from schemas.limits import MOST_ID_BYTES
from schemas.registry import Schema
from streams.entry import Entry


def provenance(entry: Entry, schema: Schema, event: object) -> dict[str, Any]:
    """What lineage records say of a message that was made of ``entry``; nothing secret."""
    security = getattr(event, "security", None)
    return {
        "parents": [entry.uid],
        "schema_name": schema.name,
        "schema_version": schema.version,
        "tenant": getattr(security, "tenant", None),
        "classification": getattr(security, "classification", None),
        "source": text_field(entry, b"source"),
        "producer_id": text_field(entry, b"id"),
    }


def carried_on(entry: Entry) -> list[bytes]:
    """The fields that every output takes over from its input: when it was, and its trace."""
    found: list[bytes] = []
    for name in (b"time", b"traceparent"):
        value = entry.get(name)
        if value is not None:
            found += [name, value]
    return found


def finding(
    entry: Entry, schema_name: str, event: AnomalyEvent | DriftEvent, detector: str, severity: str
) -> dict[str, Any]:
    """What lineage records say of an event about ``entry``."""
    return {
        "parents": [entry.uid],
        "schema_name": schema_name,
        "schema_version": event.schema_version,
        "finding": {
            "kind": event.kind,
            "detector": detector,
            "severity": severity,
            "summary": event.explanation,
            "flagged": [entry.uid],
        },
    }


def text_field(entry: Entry, name: bytes) -> str | None:
    """A field as text of at most 128 characters; None where it is missing, empty or not UTF-8."""
    value = entry.get(name)
    try:
        return value.decode()[:128] or None if value else None
    except UnicodeDecodeError:
        return None


def producer_id(entry: Entry) -> str | None:
    """The whole ``id`` that a producer gave, where it is usable: UTF-8 of 1 to 128 bytes."""
    value = entry.get(b"id") or b""
    return text_field(entry, b"id") if len(value) <= MOST_ID_BYTES else None
