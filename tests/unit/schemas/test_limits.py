"""The bounds on an entry are the same at the publisher and at the gate."""

from pathlib import Path

import pytest

from schemas.limits import MOST_FIELD_BYTES, MOST_FIELDS, MOST_ID_BYTES, beyond_limits
from schemas.topology import Limits
from schemas.topology_workers import GateSettings
from streams.connection import connect
from streams.entry import Entry
from streams.errors import EntryRefused
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from tests.servers.pipeline import SMALL, reading, topology_from
from workers.gate import Gate

SMALL_LIMITS = Limits(entry_bytes=1024, nesting=2)
MARK = "a value that no sentence may quote"


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ([], "missing_data"),
        ([b"data", b""], "missing_data"),
        ([b"data", b" " * 1025], "too_large"),
        ([b"data", b"[[[]]]"], "too_deep"),
        ([b"data", b"{}", *[b"x", b""] * MOST_FIELDS], "too_many_fields"),
        ([b"data", b"{}", b"data", b"[]"], "repeated_field"),
        ([b"data", b"{}", b"id", b"\xff"], "unusable_id"),
        ([b"data", b"{}", b"id", b"a" * (MOST_ID_BYTES + 1)], "unusable_id"),
        ([b"data", b"{}", b"source", MARK.encode() * MOST_FIELD_BYTES], "field_too_large"),
        ([b"data", b"{}", b"parents", b"a" * 2 * MOST_FIELD_BYTES], None),
        ([b"data", b"[[]]", b"id", b"a" * MOST_ID_BYTES, b"x", b"y" * 8000], None),
    ],
)
def test_each_bound_has_its_rule(fields: list[bytes], rule: str | None) -> None:
    found = beyond_limits(fields, SMALL_LIMITS)
    assert (found and found[0]) == rule
    assert found is None or MARK not in found[1]


@pytest.mark.parametrize(
    "message",
    [
        Outgoing(b""),
        Outgoing(" " * 1025),
        Outgoing(b"[[[]]]"),
        Outgoing(b"{}", id=""),
        Outgoing(b"{}", id="a" * 129),
        Outgoing(b"{}", source=MARK * MOST_FIELD_BYTES),
        Outgoing("\ud800" + MARK),
    ],
)
def test_what_no_gate_lets_pass_is_not_sent(message: Outgoing) -> None:
    with connect("redis://127.0.0.1:1/0") as nowhere:
        publisher = Publisher(nowhere, limits=SMALL_LIMITS)
        with pytest.raises(EntryRefused) as caught:
            publisher.publish("IN", message)
    assert MARK not in str(caught.value)


def test_the_gate_rejects_a_field_that_is_too_large(tmp_path: Path) -> None:
    topology = topology_from(SMALL, tmp_path)
    settings = topology.workers["gate"]
    assert isinstance(settings, GateSettings)
    fields = [b"data", reading(), b"x", b"y" * MOST_FIELD_BYTES]
    (settled,) = Gate(topology, settings, "gate", Lane()).handle([Entry("IN", "1-1", fields)])
    assert settled.outcome == "rejected"
    assert b"field_too_large" in settled.outputs[0].fields[1]
