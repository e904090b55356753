"""What one entry may cost, whoever looks: the publisher before it is sent, the gate when it came.

Nothing here parses the payload, so a message that is too much costs next to nothing.
"""

import re
from collections.abc import Sequence

from schemas.topology import Limits

MOST_FIELDS = 64
"""Fields of an entry, at most."""

MOST_ID_BYTES = 128
"""Bytes of a producer's ``id``, at most."""

MOST_FIELD_BYTES = 8_192
"""Bytes of a field's name and value together, at most; ``data`` and ``parents`` may have more."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def beyond_limits(fields: Sequence[bytes], limits: Limits) -> tuple[str, str] | None:
    """The rule that an entry breaks, and a sentence about it; None when all is within bounds.

    ``fields`` are names and values in turn. The sentence quotes no value.

    >>> beyond_limits([b"data", b"{}"], Limits())
    >>> beyond_limits([b"data", b""], Limits())
    ('missing_data', "the entry has no field 'data' with a payload")
    """
    if len(fields) == 2 and fields[0] == b"data":  # the usual case, without the lists below
        return _beyond(fields[1], limits)
    names, values = fields[::2], fields[1::2]
    data = values[names.index(b"data")] if b"data" in names else b""
    if len(names) > MOST_FIELDS:
        return "too_many_fields", f"the entry has {len(names):,} fields; {MOST_FIELDS} are allowed"
    return _attributes(names, values) or _beyond(data, limits)


def _beyond(data: bytes, limits: Limits) -> tuple[str, str] | None:
    if not data:
        return "missing_data", "the entry has no field 'data' with a payload"
    if len(data) > limits.entry_bytes:
        said = f"the payload has {len(data):,} bytes; at most {limits.entry_bytes:,} are allowed"
        return "too_large", said
    if deeper_than(limits.nesting, data):
        return "too_deep", f"the payload is nested deeper than {limits.nesting} levels"
    return None


def _attributes(names: Sequence[bytes], values: Sequence[bytes]) -> tuple[str, str] | None:
    if len(set(names)) < len(names):
        said = "a field stands in the entry twice, and readers would not agree which counts"
        return "repeated_field", said
    for name, value in zip(names, values, strict=True):
        if name == b"id" and not _is_id(value):
            return "unusable_id", f"the field 'id' must be UTF-8 of at most {MOST_ID_BYTES} bytes"
        if len(name) + len(value) > MOST_FIELD_BYTES and name not in (b"data", b"parents"):
            return (
                "field_too_large",
                f"a field beside 'data' has more than {MOST_FIELD_BYTES} bytes",
            )
    return None


def _is_id(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return len(value) <= MOST_ID_BYTES


def deeper_than(limit: int, data: bytes) -> bool:
    """Whether objects and lists stand more than ``limit`` levels deep in a JSON text.

    Brackets inside strings do not count. A text that is no JSON gets an answer too.

    >>> deeper_than(1, b'{"a": [1]}'), deeper_than(2, b'{"a": "[[["}')
    (True, False)
    """
    if data.count(b"{") + data.count(b"[") <= limit:
        return False  # the usual case, at the speed of memchr
    depth = 0
    for match in _BRACKETS.finditer(data):
        opening = match[0][:1]
        if opening in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif opening in b"]}":
            depth -= 1
    return False
