"""Messages that the boundary has to refuse, each broken in another way.

They go to the stream as a rude producer would send them, past every check on our side. A producer's
``id`` cannot make that idempotent, for the gate forgets the ids of what it rejects; so each is
appended together with a mark of its own, in one step on the server.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streams.connection import Client
from streams.keys import Lane
from streams.scripts import run_script

_REMEMBER_MS = 7 * 24 * 3_600_000  # a run can be resumed for a week


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken message: the ``number``-th, from 0; ``data`` None sends none at all."""

    number: int
    fault: str
    data: bytes | None


def broken_messages(entry_bytes: int, nesting: int) -> tuple[Broken, ...]:
    """All of them; ``entry_bytes`` and ``nesting`` are the limits that two of them exceed."""
    made = enumerate(_faults(entry_bytes, nesting))
    return tuple(Broken(number, fault, data) for number, (fault, data) in made)


def _faults(entry_bytes: int, nesting: int) -> Iterator[tuple[str, bytes | None]]:
    whole = _reading()
    yield "no JSON", b"pump 7 says hello"
    yield "JSON that ends too early", whole[: len(whole) // 2]
    yield "no UTF-8", whole.replace(b"pump", b"p\xffmp")
    yield "NaN as a measurement", whole.replace(b"1.5", b"NaN")
    yield "no field 'data'", None
    yield "an unknown kind", _reading(kind="sensor_raeding")
    yield "an unknown field", _reading(colour="red")
    yield "a string for a number", _reading(measurements={"flow": "1.5"})
    yield "no measurement", _reading(measurements={})
    yield "no security context", _reading(security=None)
    yield "nested too deep", _reading(site=[]).replace(b"[]", b"[" * nesting + b"]" * nesting)
    yield "too large", _reading(site="x" * entry_bytes)


def _reading(**changes: Any) -> bytes:
    payload = {
        "kind": "sensor_reading",
        "schema_version": "1.0",
        "security": {"tenant": "demo"},
        "sensor_id": "pump",
        "measurements": {"flow": 1.5},
    } | changes
    kept = {name: value for name, value in payload.items() if value is not None}
    return json.dumps(kept).encode()


def publish_broken(client: Client, lane: Lane, stream: str, message: Broken, its_id: str) -> bool:
    """Append a broken message to a stream, once for each ``its_id``; whether it was not there yet.

    Raises what the server refuses with.
    """
    key = lane.stream(stream)
    fields = [] if message.data is None else [b"data", message.data]
    fields += [b"id", its_id.encode(), b"source", b"demo"]
    mark = lane.seen(key, f"demo-once/{its_id}")
    [(_, known)] = run_script(
        client, "publish", [key, mark], [_REMEMBER_MS, 1, len(fields), *fields]
    )
    return not known
