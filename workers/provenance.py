"""What lineage records say of an output, taken from the entry it was made of."""

from typing import Any

from schemas.findings import AnomalyEvent, DriftEvent
from schemas.limits import MOST_ID_BYTES
from schemas.registry import Schema
from streams.entry import Entry


def circumstances(event: object) -> tuple[str | None, str | None]:
    """The tenant and the classification in an event's security context, where it has one."""
    security = getattr(event, "security", None)
    tenant = getattr(security, "tenant", None)
    classification = getattr(security, "classification", None)
    return (
        tenant if isinstance(tenant, str) else None,
        classification if isinstance(classification, str) else None,
    )


def provenance(schema: Schema, told: tuple[str | None, str | None]) -> dict[str, Any]:
    """What lineage records say of a message with these ``circumstances``; nothing secret."""
    return {
        "schema_name": schema.name,
        "schema_version": schema.version,
        "tenant": told[0],
        "classification": told[1],
    }


def named_by_producer(entry: Entry) -> dict[str, Any]:
    """What lineage records say of the producer of ``entry``: nothing where it gave no names."""
    if len(entry.fields) == 2:
        return {}
    told = {"source": text_field(entry, b"source"), "producer_id": text_field(entry, b"id")}
    return {name: value for name, value in told.items() if value is not None}


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
