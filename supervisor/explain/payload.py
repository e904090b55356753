"""One number and one key out of a payload, as the watching workers see them."""

import json
import math
from typing import Any

_HUGE = 1e300
"""Values beyond it count as it, as they do for the detectors."""


def payload_of(data: bytes | None) -> dict[str, Any]:
    """The payload as a mapping; empty where it is no JSON object.

    >>> payload_of(b'{"t": 1}'), payload_of(b'[1]'), payload_of(None)
    ({'t': 1}, {}, {})
    """
    try:
        found = json.loads(data or b"null")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def number_at(payload: Any, path: str) -> float | None:
    """The number at a dotted path, or None; a key may have dots of its own.

    >>> number_at({"a": {"b.c": 2}}, "a.b.c"), number_at({"a": True}, "a")
    (2.0, None)
    """
    if not isinstance(payload, dict):
        return None
    if path in payload:
        return _number(payload[path])
    for at, character in enumerate(path):
        if character == "." and path[:at] in payload:
            found = number_at(payload[path[:at]], path[at + 1 :])
            if found is not None:
                return found
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        known = float(value)
    except OverflowError:
        known = _HUGE if value > 0 else -_HUGE
    return None if math.isnan(known) else min(max(known, -_HUGE), _HUGE)


def key_at(payload: Any, path: str | None) -> str | None:
    """The key whose messages are watched together, as the workers read it; None: all alike.

    >>> key_at({"sensor": {"id": 7}}, "sensor.id")
    '7'
    """
    if path is None:
        return None
    for name in path.split("."):
        payload = payload.get(name) if isinstance(payload, dict) else None
    return str(payload)[:128] or None if isinstance(payload, str | int) else None
