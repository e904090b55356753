"""Which messages a rehearsal begins from: each once, in order, as far as they are retained."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.around import forwards
from streams.connection import Client, send
from streams.observe import reach_ms
from supervisor.rehearsal.inputs import Inputs, notes
from tests.servers.pipeline import READING, SMALL, reading, topology_from

TREE: dict[str, Any] = SMALL | {
    "lanes": 2,
    "streams": SMALL["streams"] | {"OTHER": {"schema": READING, "source": True}},
    "workers": SMALL["workers"]
    | {
        "through": {
            "kind": "transform",
            "call": "tests.servers.laned:numbered",
            "reads": ["OTHER"],
            "writes": ["OTHER_IN"],
            "memory": True,
        },
        "door": {"kind": "gate", "routes": {"OTHER_IN": "OTHER_OK"}, "rejects_to": "BAD"},
    },
}
TREE["streams"] |= {
    "OTHER_IN": {"schema": READING, "source": True},
    "OTHER_OK": {"schema": READING, "sink": True},
}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(TREE, tmp_path)


def add(client: Client, key: str, at_ms: int, *fields: bytes | str) -> None:
    send(client, "XADD", key, f"{at_ms}-0", "data", reading(), *fields)


def set_aside(client: Client, key: str, at_ms: int, message: str, worker: str) -> None:
    reason = json.dumps({"message": message, "worker": worker})
    send(client, "XADD", key, f"{at_ms}-0", "data", reason, "original.data", "{}")


def uids(client: Client, topology: Topology, since_ms: int = 0) -> list[str]:
    return [entry.uid for entry in Inputs(client, topology, since_ms).messages()]


def test_they_come_from_the_source_and_from_what_the_gate_made_of_it(
    client: Client, topology: Topology
) -> None:
    add(client, "IN{0}", 5)
    add(client, "IN{1}", 4)
    add(client, "OK{0}", 11, "id", "m1", "parents", "IN{0}/1-0")
    add(client, "OK{0}", 15, "parents", "IN{0}/5-0")
    set_aside(client, "BAD{1}", 12, "IN{1}/2-0", "gate")
    set_aside(client, "DEAD_LETTER{0}", 13, "IN{0}/3-0", "gate")
    set_aside(client, "DEAD_LETTER{0}", 14, "OTHER{0}/3-0", "through")
    assert uids(client, topology) == [
        "IN{0}/1-0",
        "IN{1}/2-0",
        "IN{0}/3-0",
        "IN{1}/4-0",
        "IN{0}/5-0",
    ]
    first, second, *_ = Inputs(client, topology, 0).messages()
    assert first.fields == [b"data", reading(), b"id", b"m1"]
    assert second.fields == [b"data", b"{}"]
    assert uids(client, topology, 3) == ["IN{0}/3-0", "IN{1}/4-0", "IN{0}/5-0"]


def test_what_the_pipeline_wrote_itself_is_left_out(client: Client, topology: Topology) -> None:
    add(client, "OTHER_IN{0}", 1, "source", "penstock/through")
    add(client, "OTHER_IN{0}", 2, "source", "penstock/gate")
    add(client, "OTHER_OK{0}", 13, "source", "penstock/through", "parents", "OTHER_IN{0}/0-3")
    assert uids(client, topology) == ["OTHER_IN{0}/2-0"]


def test_where_less_is_retained_rejections_of_before_are_left_out(
    client: Client, topology: Topology
) -> None:
    for at_ms in (10, 20, 30):
        add(client, "IN{0}", at_ms)
        add(client, "OK{0}", at_ms + 1, "parents", f"IN{{0}}/{at_ms}-0")
    set_aside(client, "BAD{0}", 16, "IN{0}/15-0", "gate")
    set_aside(client, "BAD{0}", 26, "IN{0}/25-0", "gate")
    send(client, "XTRIM", "IN{0}", "MAXLEN", 0)
    send(client, "XTRIM", "OK{0}", "MAXLEN", 2)
    found = Inputs(client, topology, 0)
    assert [entry.uid for entry in found.messages()] == [f"IN{{0}}/{n}-0" for n in (20, 25, 30)]
    assert (found.sources["IN"].from_ms, found.sources["IN"].cut) == (20, True)
    assert not found.sources["OTHER"].cut
    assert reach_ms(client, topology, "IN") == 2**63


def test_of_a_source_of_which_nothing_is_left_a_note_tells(
    client: Client, topology: Topology
) -> None:
    add(client, "IN{0}", 10)
    for key in ("OTHER_IN{1}", "OTHER_OK{1}"):
        add(client, key, 20)
        send(client, "XTRIM", key, "MAXLEN", 0)
    asked = Inputs(client, topology, 20)
    assert list(notes(asked.sources)) == [
        "of OTHER_IN nothing is retained; its messages are left out"
    ]
    later = Inputs(client, topology, 21)
    assert list(notes(later.sources)) == [], "what is gone was not asked for"


def test_a_stream_is_read_over_its_lanes_by_pages_up_to_its_end(
    client: Client, topology: Topology
) -> None:
    for number in range(1, 8):
        add(client, f"IN{{{number % 2}}}", number)
    reading_on = forwards(client, topology, "IN", since_ms=2, page=2)
    assert next(reading_on).at_ms == 2
    add(client, "IN{0}", 100)
    assert [entry.at_ms for entry in reading_on] == [3, 4, 5, 6, 7]
