"""The field ``traceparent``: what is one, and who sets it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from streams.connection import Client
from streams.publish import Outgoing, Publisher
from streams.trace_context import current, parse
from tests.servers.pipeline import reading

SOUND = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"


@given(st.binary(max_size=80))
def test_any_bytes_are_a_trace_context_or_none(value: bytes) -> None:
    found = parse(value)
    assert found is None or found.packed()[2:] == value[2:55]


@pytest.mark.parametrize(
    "value",
    [
        SOUND.upper(),
        b"ff" + SOUND[2:],
        SOUND + b"-more",
        SOUND[:-1],
        SOUND + b"\n",
        b"00-" + b"a" * 32 + b"-" + b"0" * 16 + b"-01",
    ],
)
def test_what_the_standard_forbids_is_none(value: bytes) -> None:
    assert parse(SOUND) is not None
    assert parse(value) is None


def test_of_a_version_to_come_what_is_known_is_read() -> None:
    found = parse(b"cc" + SOUND[2:] + b"-what the future brings")
    assert found is not None
    assert found.packed() == SOUND


def test_publishing_within_a_span_names_it_unless_the_message_names_another(
    client: Client,
) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    publisher = Publisher(client)
    given_one = Outgoing(reading(), id="a", traceparent=SOUND.decode())
    with tracer.start_as_current_span("producing") as span:
        context = span.get_span_context()
        publisher.publish_batch("IN", [given_one, Outgoing(reading(), id="b")])
    publisher.publish("IN", Outgoing(reading(), id="c"))
    assert trace.get_current_span() is trace.INVALID_SPAN
    found = [
        dict(zip(fields[::2], fields[1::2], strict=True)).get(b"traceparent")
        for _, fields in client.execute_command("XRANGE", "IN", "-", "+")
    ]
    named = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    assert found == [SOUND, named.encode(), None]
    assert current() is None
