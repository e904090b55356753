"""An entry of a stream as a line for people and as a line of JSON for programs."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from streams.entry import Entry
from supervisor.tables import folded, local_time, printable, shortened, texts

_LEAST = 20
_INDENT = "    "
_FIRST = {
    "supervisor": ("why", "action", "worker", "process", "details"),
    "anomaly": ("explanation", "severity", "status", "stream", "key", "field", "message"),
    "drift": ("explanation", "severity", "drift", "stream", "key", "field", "message"),
}
"""The fields of our own events that are told first, and are folded where others are cut."""
_UNTOLD = ("kind", "schema_version")


def line(entry: Entry, *, own: bool = False) -> str:
    """An entry for people: uid, time, and its payload, cut to the screen if any.

    ``own`` says that the stream holds our own events: such a one is told by its fields, of which
    the first are folded, not cut. A payload that has next to no room stands in a line beneath.
    """
    head = f"{printable(entry.uid)}  {local_time(entry.at_ms)}  "
    width = _width()
    data = entry.get(b"data")
    if data is None:
        return f"{head}(no field 'data')"
    event = (_object(data) if own else None) or {}
    important = _FIRST.get(str(event.get("kind")))
    if important is not None:
        first, rest = _told(event, important)
        return (
            f"{head}{first}  {rest}".rstrip()
            if width is None
            else _fitted(head, first, rest, width)
        )
    if width is None:
        return head + printable(data)
    if width - len(head) < _LEAST:
        head = f"{head.rstrip()}\n{_INDENT}"
    room = max(_LEAST, width - len(head.rpartition("\n")[2]))
    return head + shortened(printable(data[: 4 * room]), room)


def json_line(entry: Entry) -> str:
    """An entry as one JSON object: uid, time in ms since the epoch, and its fields.

    ``data`` is an object where the payload is one in JSON; everything else is text.
    """
    fields: dict[str, Any] = dict(texts(entry.fields))
    payload = _object(entry.get(b"data") or b"")
    if payload is not None:
        fields["data"] = payload
    return json.dumps(
        {"uid": entry.uid, "at_ms": entry.at_ms, "fields": fields}, ensure_ascii=False
    )


def _width() -> int | None:
    """The width of the screen; None where nobody looks and ``COLUMNS`` says nothing."""
    if not (sys.stdout.isatty() or os.environ.get("COLUMNS")):
        return None
    return shutil.get_terminal_size((160, 24)).columns


def _fitted(head: str, first: str, rest: str, width: int) -> str:
    """What comes first folded, with room for a mark that there is more, and the rest cut."""
    *whole, last = folded(head + first, width - 2, len(_INDENT)).split("\n")
    last = shortened(f"{last}  {rest}".rstrip(), width)
    return "\n".join([*whole, last])


def _object(data: bytes) -> dict[str, Any] | None:
    """The JSON object in a payload; None where there is none that could be told on as JSON."""
    try:
        found = json.loads(data)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _told(event: Mapping[str, Any], first: tuple[str, ...]) -> tuple[str, str]:
    rest = [name for name in event if name not in (*first, *_UNTOLD)]
    return _pairs(event, first), _pairs(event, rest)


def _pairs(event: Mapping[str, Any], names: Any) -> str:
    found = {name: event[name] for name in names if event.get(name) not in (None, {}, [])}
    return "  ".join(f"{printable(name)}={_value(value)}" for name, value in found.items())


def _value(value: Any) -> str:
    """A word as it is, anything else as JSON."""
    if isinstance(value, str) and value and not set(value) & set(' "='):
        return printable(value)
    return printable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
