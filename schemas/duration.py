"""Spans of time as people write them in ``streams.yaml``."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*$")


def parse_duration_s(text: object) -> object:
    """Turn ``24h``, ``30d``, ``500ms`` or a bare number of seconds into seconds.

    Anything else is returned as it is, for the field's own type to refuse.

    Raises ValueError for a text that is no span of time.

    >>> parse_duration_s("24h")
    86400.0
    >>> parse_duration_s(2)
    2
    """
    if not isinstance(text, str):
        return text
    match = _SPAN.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no span of time; write a number and ms, s, m, h or d: '24h'")
    return float(match[1]) * _UNITS_S[match[2]]


Duration = Annotated[
    float,
    BeforeValidator(parse_duration_s),
    Field(gt=0, le=3.2e9),
    WithJsonSchema({"type": "number", "format": "seconds"}),
]
"""A span of time in seconds, above 0 and at most a century; ``24h`` in the file is 86400.0 here."""
