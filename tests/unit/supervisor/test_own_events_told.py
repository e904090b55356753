"""``penstock tail`` of our own streams: fields by their importance, and JSON that is no text."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.entry import Entry
from supervisor.entry_text import json_line, line
from supervisor.lookup import own_streams
from tests.servers.pipeline import SMALL, topology_from

EVENT = {
    "schema_version": "1.0", "kind": "supervisor", "action": "stalled", "worker": "assess",
    "process": "assess.replica1", "host": "a-machine", "why": "settled nothing for 95 s",
    "at_s": 1.5, "details": {"idle_s": 95.0, "lag": 12345},
}  # fmt: skip
WHY = 'why="settled nothing for 95 s"  action=stalled  worker=assess  process=assess.replica1'


def entry(payload: Any) -> Entry:
    return Entry("SUPERVISOR_EVENTS", "17-0", [b"data", json.dumps(payload).encode()])


def test_the_reason_and_its_figures_come_first_and_a_pipe_gets_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    told = line(entry(EVENT), own=True)
    assert told.split("  ", 2)[2] == (
        f'{WHY}  details={{"idle_s":95.0,"lag":12345}}  host=a-machine  at_s=1.5'
    )
    long = {**EVENT, "why": "w" * 1000}
    assert "w" * 1000 in line(entry(long), own=True)
    assert "x" * 5000 in line(entry({"payload": "x" * 5000}))


def test_a_narrow_screen_cuts_only_what_is_less_important(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = line(entry(EVENT), own=True)
    assert all(len(each) <= 80 for each in told.splitlines())
    assert told.split()[3 : 3 + len(WHY.split())] == WHY.split()
    assert '"lag":12345}' in told
    monkeypatch.setenv("COLUMNS", "45")
    told = line(entry(EVENT), own=True)
    assert WHY.split() == [each for each in told.split() if each in WHY.split()]
    assert told.endswith("…")
    assert "at_s" not in told


def test_what_somebody_else_wrote_there_is_shown_as_it_is() -> None:
    for payload in ({"kind": "other"}, {"kind": ["supervisor"]}, [1], "text", {"kind": None}):
        assert json.dumps(payload) in line(entry(payload), own=True)


def test_an_event_holds_no_control_character() -> None:
    told = line(entry({**EVENT, "why": "\x1b[2J\n", "evil\x1b": "x"}), own=True)
    assert told.isprintable()


def test_json_has_the_payload_as_an_object() -> None:
    told = json.loads(json_line(entry(EVENT)))
    assert told["fields"]["data"] == EVENT
    assert told["uid"] == "SUPERVISOR_EVENTS/17-0"


@pytest.mark.parametrize(
    "payload",
    [b"7", b'"text"', b"[1]", b"null", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\\ud800"}', b"{",
     b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"\xff"],
    ids=["number", "text", "list", "null", "nan", "infinite", "surrogate", "cut", "deep", "bytes"],
)  # fmt: skip
def test_what_is_no_object_that_json_can_tell_stays_text(payload: bytes) -> None:
    told = json.loads(json_line(Entry("L3", "17-0", [b"data", payload])))
    assert told["fields"]["data"] == payload.decode("utf-8", "backslashreplace")


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_every_object_comes_back(payload: dict[str, Any]) -> None:
    assert json.loads(json_line(entry(payload)))["fields"]["data"] == payload


def test_own_streams_are_those_of_the_supervisor_and_of_the_detectors(tmp_path: Path) -> None:
    told = {
        "EVENTS": {"schema": "schemas:SupervisorEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
    }
    drift = {"kind": "drift", "watch": {"OK": {}}, "writes": "DRIFTS"}
    tree = SMALL | {"supervisor": "EVENTS", "streams": SMALL["streams"] | told}
    tree["workers"] = SMALL["workers"] | {"drift": drift}
    assert own_streams(topology_from(tree, tmp_path)) == ["EVENTS", "DRIFTS"]
