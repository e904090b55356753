"""A pipeline author's function: what it may return, and how its mistakes are told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from schemas import Derived, Message, RiskAssessment, SensorReading
from schemas.examples import EXAMPLES
from schemas.topology_file import load_topology
from streams.entry import Entry, Settled
from streams.keys import Lane
from tests.servers.pipeline import reading
from workers.errors import Misconfigured
from workers.transform import OutputRefused, Transform, TransformWithMemory

ROOT = Path(__file__).parents[3]
TOPOLOGY = load_topology(ROOT / "streams.yaml")
HERE = "tests.unit.workers.test_transform"
RISK = EXAMPLES["risk_assessment"]


class Other(BaseModel):
    """No event of any stream."""


def nothing(message: Message[Any]) -> None:
    assert isinstance(message.event, SensorReading)


def one(message: Message[Any]) -> RiskAssessment:
    return RiskAssessment.model_validate_json(RiskAssessment(**_loaded()).model_dump_json())


def _loaded() -> dict[str, Any]:
    import json

    return RiskAssessment.model_validate_json(json.dumps(RISK)).model_dump()


def a_dict(message: Message[Any]) -> dict[str, Any]:
    return dict(RISK)


def several(message: Message[Any]) -> Iterator[Any]:
    yield Derived(dict(RISK), parents=["L3/1-0", "L3/2-0"], subject="own")
    yield dict(RISK)


def wrong_event(message: Message[Any]) -> dict[str, Any]:
    return {**RISK, "risk": 2.0}


def a_text(message: Message[Any]) -> str:
    return "hello"


def no_text(message: Message[Any]) -> str:
    return ""


def a_flag(message: Message[Any]) -> bool:
    return True


def another_model(message: Message[Any]) -> Other:
    return Other()


def a_tuple(message: Message[Any]) -> tuple[Any, int]:
    return dict(RISK), 3


def wrong_stream(message: Message[Any]) -> Derived:
    return Derived(dict(RISK), stream="L7_IN")


def counting(message: Message[Any], memory: dict[str, Any]) -> None:
    memory["n"] = memory.get("n", 0) + 1


def hoarding(message: Message[Any], memory: dict[str, Any]) -> None:
    memory["seen"] = (1, 2)


foreign_parent: Any = None


def of_a_foreign_parent(message: Any) -> Any:
    return Derived(dict(RISK), parents=[foreign_parent])


no_function = 3


def made(name: str, *, memory: bool = False) -> Any:
    settings = TOPOLOGY.workers["assess"].model_copy(
        update={"call": f"{HERE}:{name}", "memory": memory}
    )
    kind = TransformWithMemory if memory else Transform
    return kind(TOPOLOGY, settings, "assess", Lane())  # type: ignore[arg-type]


def entry(number: int = 1) -> Entry:
    fields = [b"data", reading(), b"traceparent", b"00-aa-bb-01", b"subject", b"s", b"x", b"y"]
    return Entry("L3", f"{number}-0", fields)


def settle(name: str) -> Settled:
    (settled,) = made(name).handle([entry()])
    return settled  # type: ignore[no-any-return]


@pytest.mark.parametrize("parent", ["\ud800/1-0", "L3/1-0 L3/2-0", "", 7])
def test_parents_that_are_no_uids_are_refused_before_anything_is_sent(parent: Any) -> None:
    global foreign_parent
    foreign_parent = parent
    with pytest.raises(OutputRefused, match="'parents' are no uids"):
        settle("of_a_foreign_parent")


def test_returning_nothing_emits_nothing() -> None:
    assert settle("nothing").outputs == []


@pytest.mark.parametrize("name", ["one", "a_dict"])
def test_an_event_or_a_dict_is_emitted_with_trace_and_subject(name: str) -> None:
    (output,) = settle(name).outputs
    assert output.stream == "L4_IN"
    found = dict(zip(output.fields[::2], output.fields[1::2], strict=True))
    assert found.pop(b"data")
    assert found == {
        b"source": b"penstock/assess",
        b"traceparent": b"00-aa-bb-01",
        b"subject": b"s",
    }
    assert output.parents is None  # the commit names the input itself
    assert output.lineage is not None
    assert output.lineage["schema_name"] == "schemas:L4IntelSchema"
    assert output.lineage["tenant"] == RISK["security"]["tenant"]


def test_several_events_with_parents_of_their_own() -> None:
    first, second = settle("several").outputs
    assert first.parents == ("L3/1-0", "L3/2-0")
    assert b"own" in first.fields
    assert second.parents is None


def test_an_event_that_the_target_does_not_take_is_refused_without_its_value() -> None:
    with pytest.raises(OutputRefused, match=r"'L4_IN' does not take: .*risk.*less than or equal"):
        settle("wrong_event")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a_text", "str"), ("no_text", "str"), ("a_flag", "bool"), ("a_tuple", "int")],
)
def test_what_is_no_event_is_refused_by_its_type(name: str, kind: str) -> None:
    with pytest.raises(OutputRefused) as caught:
        settle(name)
    assert str(caught.value).startswith(
        f"'assess' made a value of type {kind!r} (each item of a list or tuple is one) that "
        "'L4_IN' does not take: Input should be "
    )


def test_an_event_of_another_model_is_refused_by_its_name() -> None:
    with pytest.raises(OutputRefused, match=r"made a value of type 'Other' that 'L4_IN' does not"):
        settle("another_model")


def test_a_stream_outside_writes_is_refused() -> None:
    with pytest.raises(OutputRefused, match=r"its 'writes' has L4_IN"):
        settle("wrong_stream")


@pytest.mark.parametrize(
    ("name", "memory", "said"),
    [
        ("missing", False, "has no 'missing'"),
        ("no_function", False, "must take"),
        ("counting", False, "must take"),
        ("nothing", True, "must take"),
    ],
)
def test_a_function_that_cannot_be_called_is_told_at_the_start(
    name: str, memory: bool, said: str
) -> None:
    with pytest.raises(Misconfigured, match=said):
        made(name, memory=memory)


def test_a_module_that_cannot_be_imported_is_told_at_the_start() -> None:
    settings = TOPOLOGY.workers["assess"].model_copy(update={"call": "no.such:thing"})
    with pytest.raises(Misconfigured, match="cannot be imported"):
        Transform(TOPOLOGY, settings, "assess", Lane())  # type: ignore[arg-type]


def test_memory_comes_back_as_it_was() -> None:
    first, second = made("counting", memory=True), made("counting", memory=True)
    first.handle([entry(1), entry(2)])
    second.restore(first.state())
    second.handle([entry(3)])
    assert second.state() == b'{"n":3}'
    second.reset()
    assert second.state() == b"{}"
    assert first.fingerprint == second.fingerprint


def test_a_memory_that_json_would_change_is_refused() -> None:
    with pytest.raises(TypeError, match="may hold only JSON values"):
        made("hoarding", memory=True).handle([entry()])


@pytest.mark.parametrize("state", [b"[]", b"\xff", b""])
def test_bytes_that_are_no_memory_are_refused(state: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError makes the loop rebuild the state
        made("counting", memory=True).restore(state)
