"""What the gate rejects, with which reason, and that nothing stops it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.examples import EXAMPLES
from schemas.limits import deeper_than
from schemas.settlements import Rejection
from schemas.side_examples import SIDE_EXAMPLES
from schemas.topology_file import load_topology
from streams.entry import Entry, Settled, original
from streams.keys import Lane
from tests.servers.pipeline import reading
from workers.gate import Gate

ROOT = Path(__file__).parents[3]
TOPOLOGY = load_topology(ROOT / "streams.yaml")
X = "sensor_reading.measurements.x"
LAYERS = ("L3_IN", "L4_IN", "L5_IN", "L7_IN", "L8_IN", "L9_IN")
SIDE = set(SIDE_EXAMPLES)
GATE = Gate(TOPOLOGY, TOPOLOGY.workers["gate"], "gate", Lane())  # type: ignore[arg-type]


def settle(data: bytes | None, *more: bytes, stream: str = "L3_IN") -> Settled:
    fields = [*([b"data", data] if data is not None else []), *more]
    (settled,) = GATE.handle([Entry(stream, "1-0", fields)])
    return settled


def rejection(settled: Settled) -> Rejection:
    assert settled.outcome == "rejected"
    (output,) = settled.outputs
    assert output.stream == "SHRINK"
    assert output.fields[0] == b"data"
    return Rejection.model_validate_json(output.fields[1])


def with_changes(**changes: Any) -> bytes:
    return json.dumps(json.loads(reading()) | changes).encode()


@pytest.mark.parametrize(
    ("data", "more", "path", "rule"),
    [
        (None, (), "", "missing_data"),
        (b"", (), "", "missing_data"),
        (b"{", (), "", "json_invalid"),
        (b"\xff\xfe{}", (), "", "json_invalid"),
        (reading().replace(b'"s1"', b'"\xff"'), (), "", "json_invalid"),
        (with_changes(measurements={"x": float("nan")}), (), X, "finite_number"),
        (with_changes(measurements={"x": "12"}), (), X, "float_type"),
        (with_changes(kind="nonsense"), (), "", "union_tag_invalid"),
        (with_changes(extra=1), (), "sensor_reading.extra", "extra_forbidden"),
        (with_changes(sensor_id="x" * 129), (), "sensor_reading.sensor_id", "string_too_long"),
        (b"[" * 1000 + b"]" * 1000, (), "", "too_deep"),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, (), "", "too_deep"),
        (b'"' + b"x" * 10_000_000 + b'"', (), "", "too_large"),
        (b"null", (), "", "dict_type"),
        (reading(), tuple(b"%d" % i for i in range(200)), "", "too_many_fields"),
        (reading(), (b"data", b"{}"), "", "repeated_field"),
        (reading(), (b"x", b"1", b"x", b"2"), "", "repeated_field"),
        (reading(), (b"id", b"x" * 129), "", "unusable_id"),
        (reading(), (b"id", b"\xff"), "", "unusable_id"),
    ],
)  # fmt: skip
def test_each_fault_is_rejected_with_its_place_and_rule(
    data: bytes | None, more: tuple[bytes, ...], path: str, rule: str
) -> None:
    settled = settle(data, *more)
    (violation, *_) = rejection(settled).violations
    assert (violation.path, violation.rule) == (path, rule)
    assert violation.message
    given_fields = [*([b"data", data] if data is not None else []), *more]
    assert original(settled.outputs[0].fields) == given_fields


@pytest.mark.parametrize("kind", sorted(set(EXAMPLES) - SIDE))
def test_every_example_is_accepted_on_its_layer(kind: str) -> None:
    data = json.dumps(EXAMPLES[kind]).encode()
    found = [settle(data, stream=s).outcome for s in LAYERS]
    assert found.count("accepted") == 1


def test_an_accepted_message_keeps_its_bytes_and_names_its_parent() -> None:
    data = b" " + reading() + b"\n"
    (output,) = settle(data, b"source", b"probe", b"parents", b"forged/1-0").outputs
    assert output.stream == "L3"
    assert output.fields == [b"data", data, b"source", b"probe"]
    assert output.parents is None  # the commit names the input itself
    assert output.lineage is not None
    assert output.lineage["tenant"] == "acme"
    assert output.lineage["source"] == "probe"
    assert "roe" not in json.dumps(dict(output.lineage))


def test_one_message_cannot_smuggle_in_another() -> None:
    two = reading() + b"," + reading()
    assert rejection(settle(two)).violations[0].rule == "json_invalid"


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_gate(data: bytes) -> None:
    assert settle(data).outcome == "rejected"


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


JSON = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\ab', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet='[{"', max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(JSON, st.integers(0, 6))
def test_depth_is_counted_outside_strings_only(value: Any, limit: int) -> None:
    assert deeper_than(limit, json.dumps(value).encode()) == (_depth(value) > limit)
