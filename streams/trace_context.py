"""W3C trace context as an entry carries it: the field ``traceparent``. Nothing here imports OTel.

The format: https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
import sys
from collections.abc import Sequence
from typing import NamedTuple

FIELD = b"traceparent"
"""Name of the field."""

_FORM = re.compile(
    rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL
)


class TraceParent(NamedTuple):
    """Which trace a message belongs to, and the span that it came from; all in hex digits."""

    trace_id: bytes
    span_id: bytes
    flags: bytes

    def packed(self) -> bytes:
        """The value of the field.

        >>> TraceParent(b"a" * 32, b"b" * 16, b"01").packed()
        b'00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01'
        """
        return b"00-%b-%b-%b" % self


def parse(value: bytes) -> TraceParent | None:
    """What a field says; None where it is no trace context, which then begins anew.

    Of versions to come, what version 00 has is read.

    >>> parse(b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01").flags
    b'01'
    >>> parse(b"00-" + b"0" * 32 + b"-" + b"b" * 16 + b"-01") is None  # all zeros are no id
    True
    """
    found = _FORM.fullmatch(value)
    if found is None or (found[4] and value.startswith(b"00")):
        return None
    trace_id, span_id, flags = found[1], found[2], found[3]
    if not trace_id.strip(b"0") or not span_id.strip(b"0"):
        return None
    return TraceParent(trace_id, span_id, flags)


def with_traceparent(fields: Sequence[bytes], value: bytes) -> list[bytes]:
    """The fields with this trace context, in the place of the one there was, or at the end.

    >>> with_traceparent([b"data", b"{}", b"traceparent", b"old"], b"new")
    [b'data', b'{}', b'traceparent', b'new']
    """
    found = list(fields)
    for i in range(0, len(found), 2):
        if found[i] == FIELD:
            found[i + 1] = value
            return found
    return [*found, FIELD, value]


def current() -> str | None:
    """The trace context of the span that is open here; None where nobody traces.

    Where the process has not imported OpenTelemetry no span can be open, so it is not imported.
    """
    otel = sys.modules.get("opentelemetry.trace")
    if otel is None:
        return None
    span = otel.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
