"""Publishing what a replay made, together with the record of whose place it takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from streams.connection import Client
from streams.entry import MOST_FIELDS
from streams.errors import EntryRefused
from streams.scripts import run_script


def supersede(
    client: Client,
    stream: str,
    fields: Sequence[bytes],
    lineage: str,
    author: Mapping[str, Any],
    output: Mapping[str, Any],
) -> str:
    """Append a message and its lineage record in one step; return the message's uid.

    ``stream`` and ``lineage`` are keys of one lane; ``fields`` are names and values in turn;
    ``author`` is a ``LineageRecord`` without ``outputs``, ``output`` its one ``LineageOutput``
    without ``stream``.

    Raises EntryRefused for more fields than one step can emit.
    """
    if len(fields) > MOST_FIELDS:
        raise EntryRefused(
            f"a message for {stream} has {len(fields) // 2:,} fields, more than can be published"
        )
    record = to_json({**author, "outputs": [{**output, "stream": stream}]})
    new_id = run_script(client, "supersede", [stream, lineage], [record, *fields])
    return f"{stream}/{new_id.decode()}"
