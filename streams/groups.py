"""A stream's consumer groups as the server describes them."""

from typing import Any

from streams.connection import Client, send


def group_rows(client: Client, key: str) -> list[dict[str, Any]]:
    """One dict a group, with the names of ``XINFO GROUPS``; texts are bytes.

    Raises GroupMissing when the stream does not exist.
    """
    rows = send(client, "XINFO GROUPS", key)
    return [{row[i].decode(): row[i + 1] for i in range(0, len(row), 2)} for row in rows]
