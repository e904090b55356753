"""The rival that most people write: redis-py, one message at a time, as its documentation shows."""

import json
import time
from collections.abc import Sequence
from typing import Any, cast

from pydantic import TypeAdapter
from redis import Redis

from bench.pipeline.turns import BATCH, verify
from schemas import L3EventSchema
from streams.connection import Client, send

GROUP = "handwritten"


def run(client: Client, url: str, payloads: Sequence[bytes]) -> float:
    """Do the gate's job from ``IN`` to ``OK``; return the seconds it took.

    Reads 500 at a time, validates each with the stream's schema, and sends one ``XADD`` and one
    ``XACK`` a message. A crash in between emits a message twice; what is invalid would raise.
    Raises NotDone.
    """
    send(client, "FLUSHALL")
    for data in payloads:
        client.xadd("IN", {"data": data})
    client.xgroup_create("IN", GROUP, id="0")
    with Redis.from_url(url) as rival:
        started_s = time.perf_counter()
        _consume(rival, len(payloads))
        took_s = time.perf_counter() - started_s
    verify(client, "IN", GROUP, "OK", len(payloads))
    return took_s


def _consume(client: Client, messages: int) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(L3EventSchema)
    done = 0
    while done < messages:
        reply = client.xreadgroup(GROUP, "one", {"IN": ">"}, count=BATCH, block=100)
        for _, entries in cast("list[tuple[bytes, list[Any]]]", reply):
            for entry_id, fields in entries:
                # not strict: ``json.loads`` has no enumerations
                adapter.validate_python(json.loads(fields[b"data"]), strict=False)
                client.xadd("OK", {"data": fields[b"data"]})
                client.xack("IN", GROUP, entry_id)
                done += 1
