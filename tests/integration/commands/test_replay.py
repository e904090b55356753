"""``penstock replay`` on a real server: what it compares, leaves alone, and publishes."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from lineage.chain import ChainKey
from lineage.settings import LineageSettings
from lineage.store import open_store
from lineage.verify import verify
from schemas.topology import Topology
from streams.connection import Client, send
from tests.servers.command import Penstock, command, lines, one
from tests.servers.pipeline import (
    READING,
    SMALL,
    all_entries,
    reading,
    settled,
    topology_from,
    until,
    working,
)

WORKERS = ("gate", "scale", "tally", "sink")
KEPT = {"schema": READING, "layer": 3, "retention": {"age": "1h"}}
TREE: dict[str, Any] = SMALL | {
    "streams": SMALL["streams"]
    | {
        "OK": KEPT,
        "SCALED_IN": {"schema": READING, "layer": 4},
        "SCALED": KEPT | {"sink": True, "layer": 4},
        "TALLY": KEPT | {"sink": True, "layer": 4},
    },
    "workers": {
        "gate": {
            "kind": "gate",
            "routes": {"IN": "OK", "SCALED_IN": "SCALED"},
            "rejects_to": "BAD",
        },
        "scale": {
            "kind": "transform",
            "call": "author_of_replays:scale",
            "reads": ["OK"],
            "writes": ["SCALED_IN"],
        },
        "tally": {
            "kind": "transform",
            "call": "author_of_replays:tally",
            "reads": ["OK"],
            "writes": ["TALLY"],
            "memory": True,
        },
        "sink": {"kind": "lineage"},
    },
}
MODULE = """
def scale(message):
    x = message.event.measurements["x"]
    return message.event.model_copy(update={"measurements": {"x": FACTOR * x}})


def tally(message, memory):
    memory["n"] = memory.get("n", 0) + 1
    return message.event.model_copy(update={"measurements": {"n": memory["n"]}})
"""


def write_module(folder: Path, factor: str) -> None:
    """The author's functions; a process that starts later sees what was written last."""
    (folder / "author_of_replays.py").write_text(MODULE.replace("FACTOR", factor))


@pytest.fixture
def topology(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topology]:
    write_module(tmp_path, "2")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # a module changes within a second here
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PENSTOCK_LINEAGE_KEY", "of these tests")
    yield topology_from(TREE, tmp_path)
    sys.modules.pop("author_of_replays", None)


@pytest.fixture
def penstock(client: Client, topology: Topology, tmp_path: Path) -> Penstock:
    """The command, after five readings and one that is none went all the way."""
    for x in range(1, 6):
        send(client, "XADD", "IN", "*", "data", reading(x=float(x)), "source", "pump-7")
    send(client, "XADD", "IN", "*", "data", "{}")
    work(client, topology)
    return command(tmp_path)


def work(client: Client, topology: Topology) -> None:
    """Let the workers settle everything, the lineage of it included."""
    with working(client, topology, *WORKERS):
        until(lambda: settled(client, topology))


def report(result: Result, code: int = 0) -> dict[str, Any]:
    return lines(result, code)[0]


def lengths(client: Client, topology: Topology) -> dict[str, int]:
    return {name: len(all_entries(client, topology, name)) for name in topology.streams}


def uids(client: Client, topology: Topology, stream: str) -> list[str]:
    return [entry.uid for entry in all_entries(client, topology, stream)]


def test_the_same_handlers_make_the_same_and_nothing_is_touched(
    penstock: Penstock, client: Client, topology: Topology
) -> None:
    before = lengths(client, topology), sorted(send(client, "KEYS", "*"))
    told = report(penstock("replay", "--worker", "scale", "--json"))
    assert told["complete"]
    assert told["messages"] == []
    assert {name: row["same"] for name, row in told["streams"].items()} == {
        "SCALED_IN": 5,
        "SCALED": 5,
    }
    assert (lengths(client, topology), sorted(send(client, "KEYS", "*"))) == before


def test_a_mended_function_shows_what_it_would_have_made(
    penstock: Penstock, client: Client, topology: Topology, tmp_path: Path
) -> None:
    write_module(tmp_path, "3")
    before = lengths(client, topology)
    told = report(penstock("replay", "--worker", "scale", "--json"))
    assert told["streams"]["SCALED"]["changed"] == 5
    (first, *_) = (m for m in told["messages"] if m["stream"] == "SCALED")
    assert first["fields"] == [{"path": "measurements.x", "before": 2.0, "now": 3.0}]
    shown = penstock("replay", "--worker", "scale", "--show", "2")
    assert "    measurements.x: 2.0 → 3.0" in shown.stdout
    assert "more that differ" in shown.stdout
    assert lengths(client, topology) == before


def test_what_differs_is_published_in_its_place_and_the_graph_says_so(
    penstock: Penstock, client: Client, topology: Topology, tmp_path: Path
) -> None:
    old = uids(client, topology, "SCALED")
    write_module(tmp_path, "3")
    result = penstock("replay", "--worker", "scale", "--json", "--publish", "--yes")
    published = lines(result)[1]["published"]
    assert len(published) == 5
    work(client, topology)
    now = [json.loads(e.get(b"data") or b"") for e in all_entries(client, topology, "SCALED")]
    assert [event["measurements"]["x"] for event in now] == [2, 4, 6, 8, 10, 3, 6, 9, 12, 15]
    trace = one(penstock("lineage", "trace", old[0], "--json"))
    (superseded,) = (step for step in trace["steps"] if step["superseded_by"])
    assert superseded["superseded_by"] == [published[0]["uid"]]
    assert published[0]["supersedes"] == [superseded["uid"]]
    assert "superseded by" in penstock("lineage", "trace", old[0]).stdout
    made = one(penstock("lineage", "trace", published[0]["uid"], "--json"))
    assert made["steps"][-1]["worker"] == "scale"
    assert made["steps"][-1]["run"].startswith("replay/")
    with open_store(LineageSettings().store()) as store:
        assert verify(store, ChainKey()).faults == []


def test_a_producers_message_that_is_trimmed_is_taken_from_what_the_gate_made_of_it(
    penstock: Penstock, client: Client, topology: Topology
) -> None:
    send(client, "XTRIM", "IN", "MAXLEN", 0)
    told = report(penstock("replay", "--producer", "pump-7", "--json"))
    assert told["not_retained"] == []
    same = {name: row["same"] for name, row in told["streams"].items()}
    assert same == {"OK": 5, "SCALED_IN": 5, "SCALED": 5, "TALLY": 5}
    assert told["approximate"] == ["tally"]


def test_a_gate_that_is_stricter_now_rejects_in_the_place_of_what_it_let_pass(
    penstock: Penstock, client: Client, topology: Topology, tmp_path: Path
) -> None:
    passed = uids(client, topology, "OK")
    refused = uids(client, topology, "BAD")
    topology_from(TREE | {"limits": {"nesting": 1}}, tmp_path)
    result = penstock("replay", "--producer", "pump-7", "--json", "--publish", "--yes")
    told = report(result)
    assert told["streams"]["OK"]["missing"] == 5
    assert told["streams"]["BAD"]["new"] == 5
    published = lines(result)[1]["published"]
    assert [each["supersedes"] for each in published] == [[uid] for uid in passed]
    assert uids(client, topology, "BAD") == refused + [each["uid"] for each in published]


def test_what_is_no_longer_retained_is_named_and_the_exit_code_is_1(
    penstock: Penstock, client: Client, topology: Topology
) -> None:
    send(client, "XTRIM", "IN", "MAXLEN", 0)
    send(client, "XTRIM", "OK", "MAXLEN", 0)
    told = report(penstock("replay", "--worker", "scale", "--json"), code=1)
    assert not told["complete"]
    assert len(told["not_retained"]) == 10
    shown = penstock("replay", "--worker", "scale")
    assert "no longer retained" in shown.stderr


def test_what_a_handler_cannot_handle_is_told_with_its_error(
    penstock: Penstock, tmp_path: Path
) -> None:
    write_module(tmp_path, "1 / (x - 3)")
    told = report(penstock("replay", "--worker", "scale", "--json"), code=1)
    (failed,) = told["failed"]
    assert failed["error"] == "ZeroDivisionError: float division by zero"
    assert told["streams"]["SCALED"]["missing"] == 1
    assert "scale could not handle" in penstock("replay", "--worker", "scale").stderr


def test_a_function_that_cannot_be_imported_is_said_in_a_sentence(
    penstock: Penstock, tmp_path: Path
) -> None:
    write_module(tmp_path, "2 *")
    result = penstock("replay", "--worker", "scale")
    assert result.exit_code == 1
    assert "worker 'scale': author_of_replays:scale cannot be imported" in result.stderr


def test_a_worker_with_a_state_sees_what_is_retained_before(
    penstock: Penstock, client: Client, topology: Topology
) -> None:
    last = uids(client, topology, "TALLY")[-1]
    told = report(penstock("replay", last, "--json"))
    assert (told["streams"]["TALLY"]["same"], told["approximate"]) == (1, ["tally"])
    alone = report(penstock("replay", last, "--before", "0", "--json"))
    assert alone["messages"][0]["fields"] == [{"path": "measurements.n", "before": 5.0, "now": 1.0}]


def test_nothing_tainted_is_nothing_to_replay(penstock: Penstock) -> None:
    result = penstock("replay", "--worker", "nobody")
    assert result.exit_code == 1
    assert "nothing to replay" in result.stderr
