"""What lineage records say of an output, taken from the entry it was made of."""

import hmac
from hashlib import sha256
from typing import Any, NamedTuple

from schemas.findings import AnomalyEvent, DriftEvent
from schemas.limits import MOST_ID_BYTES
from schemas.registry import Schema
from schemas.topology_workers import WorkerSettings
from streams.entry import Entry

_MOST_TOKENS = 4096


class Circumstances(NamedTuple):
    """What an event's security context says of it; ``roe_hash`` stands for the token."""

    tenant: str | None = None
    classification: str | None = None
    roe_hash: str | None = None


class RoeHashes:
    """Hashes of ROE tokens: the first 16 bytes of an HMAC-SHA256, in hexadecimal digits.

    Each is worked out once and remembered. Without a secret there are none: a hash that anybody
    can make would give short tokens away.
    """

    def __init__(self, secret: bytes = b"") -> None:
        self._secret = secret
        self._known: dict[str, str] = {}

    def of(self, token: object) -> str | None:
        """The hash of a token; None for what is no text, and without a secret."""
        if not isinstance(token, str) or not self._secret:
            return None
        found = self._known.get(token)
        if found is None:
            if len(self._known) >= _MOST_TOKENS:
                self._known.clear()
            said = b"penstock roe token\0" + token.encode("utf-8", "surrogatepass")
            found = hmac.digest(self._secret, said, sha256).hex()[:32]
            self._known[token] = found
        return found


NO_HASHES = RoeHashes()
"""Knows no secret, and so says nothing of tokens."""


def circumstances(event: object, hashes: RoeHashes = NO_HASHES) -> Circumstances:
    """The tenant, the classification and the token's hash of an event, where it has them."""
    security = getattr(event, "security", None)
    tenant = getattr(security, "tenant", None)
    classification = getattr(security, "classification", None)
    return Circumstances(
        tenant if isinstance(tenant, str) else None,
        classification if isinstance(classification, str) else None,
        hashes.of(getattr(security, "roe_token", None)),
    )


def provenance(schema: Schema, told: Circumstances) -> dict[str, Any]:
    """What lineage records say of a message with these ``circumstances``; nothing secret."""
    note: dict[str, Any] = {
        "schema_name": schema.name,
        "schema_version": schema.version,
        "tenant": told.tenant,
        "classification": told.classification,
    }
    return note if told.roe_hash is None else {**note, "roe_hash": told.roe_hash}


def named_by_producer(entry: Entry) -> dict[str, Any]:
    """What lineage records say of the producer of ``entry``: nothing where it gave no names."""
    if len(entry.fields) == 2:
        return {}
    told = {"source": text_field(entry, b"source"), "producer_id": text_field(entry, b"id")}
    return {name: value for name, value in told.items() if value is not None}


def grain_of(settings: WorkerSettings) -> dict[str, Any]:
    """What lineage records say of how a worker's outputs are stored; nothing where one by one."""
    if settings.lineage == "message":
        return {}
    return {"grain": settings.lineage, "sample": settings.lineage_sample}


def carried_on(entry: Entry) -> list[bytes]:
    """The fields that every output takes over from its input: when it was, and its trace."""
    found: list[bytes] = []
    for name in (b"time", b"traceparent"):
        value = entry.get(name)
        if value is not None:
            found += [name, value]
    return found


def finding(about: str, schema_name: str, event: AnomalyEvent | DriftEvent) -> dict[str, Any]:
    """What lineage records say of an event about the message ``about``."""
    return {
        "schema_name": schema_name,
        "schema_version": event.schema_version,
        "finding": {
            "kind": event.kind,
            "detector": event.detector,
            "severity": event.severity.value,
            "summary": event.explanation,
            "flagged": [about],
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
