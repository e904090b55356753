"""Has sketches made in a process of its own, so that the command knows no detector."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from streams.entry import Entry
from supervisor.baselines import BaselineRefused
from supervisor.piped import payload_line, piped


def ask(request: Mapping[str, Any], entries: Iterable[Entry] = ()) -> dict[str, dict[str, Any]]:
    """Hand a ``workers.baselines.Request`` and entries over; what was found, by field.

    Raises BaselineRefused where it broke off, or a stored sketch is none.
    """
    found: dict[str, Any] = {}
    head = json.dumps(request).encode() + b"\n"
    lines = (payload_line(entry) + b"\n" for entry in entries)
    (code,) = piped("workers.baselines", [head], lines, lambda _, said: found.update(said))
    if code != 0:
        raise BaselineRefused("the sketching broke off; what it said stands above")
    if "error" in found:
        raise BaselineRefused(str(found["error"]))
    fields: dict[str, dict[str, Any]] = found["fields"]
    return fields
