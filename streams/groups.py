"""A stream's consumer groups as the server describes them."""

from collections.abc import Mapping
from typing import Any

from streams.connection import Client, send


def group_rows(client: Client, key: str) -> list[dict[str, Any]]:
    """One dict a group, with the names of ``XINFO GROUPS``; texts are bytes.

    Raises GroupMissing when the stream does not exist.
    """
    rows = send(client, "XINFO GROUPS", key)
    return [{row[i].decode(): row[i + 1] for i in range(0, len(row), 2)} for row in rows]


def name_of(raw: bytes) -> str:
    """The name of a group or a consumer as text; anybody may have chosen it, of any bytes.

    >>> name_of(b"gate"), name_of(b"caf\\xe9")
    ('gate', 'caf\\\\xe9')
    """
    return raw.decode(errors="backslashreplace")


def lag_of(row: Mapping[str, Any], length: int, last_id: bytes) -> int | None:
    """Entries of a stream not yet delivered to a group; None where the server cannot tell.

    ``row`` is the group's, ``length`` and ``last_id`` (the last generated) are the stream's. Redis
    7.0 counts too many after a failover, after a slot has moved, and sometimes after a restart: it
    loses count of what a group has read. Who was delivered the last entry has none left, and there
    are never more than the stream holds.

    >>> lag_of({"lag": 1429, "last-delivered-id": b"7-0"}, 4000, b"7-0")
    0
    >>> lag_of({"lag": 1429, "last-delivered-id": b"7-0"}, 12, b"9-0")
    12
    """
    if _place(row["last-delivered-id"]) >= _place(last_id):
        return 0
    lag: int | None = row["lag"]
    return None if lag is None else min(lag, length)


def _place(entry_id: bytes) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split(b"-")))
