"""Amounts of memory as people write them in ``streams.yaml``."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(rf"^\s*(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})\s*$")


def parse_size_bytes(text: object) -> object:
    """Turn ``300MB``, ``1.5GiB`` or a bare number of bytes into bytes.

    Anything else is returned as it is, for the field's own type to refuse.

    Raises ValueError for a text that is no size.

    >>> parse_size_bytes("300MB"), parse_size_bytes("1.5GiB")
    (300000000, 1610612736)
    >>> parse_size_bytes(4096)
    4096
    """
    if not isinstance(text, str):
        return text
    match = _SIZE.match(text)
    if match is None:
        units = ", ".join(_UNITS)
        raise ValueError(f"{text!r} is no size; write a number and one of {units}: '300MB'")
    return int(float(match[1]) * _UNITS[match[2]])


Size = Annotated[
    int,
    BeforeValidator(parse_size_bytes),
    Field(ge=1, le=2**50),
    WithJsonSchema({"type": "number", "format": "bytes"}),
]
"""A number of bytes, at most a pebibyte; ``300MB`` in the file is 300,000,000 here."""
