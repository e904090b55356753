"""Whoever looks at a pipeline needs none of its author's modules: they may be broken meanwhile."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from schemas.topology_file import read_topology
from streams.connection import Client
from supervisor import applied_file
from supervisor.exits import Exit
from supervisor.lock import SupervisorLock
from supervisor.parts import Applied
from tests.servers.command import Penstock, add, command, drift_event, lines
from tests.servers.pipeline import SMALL

ORDER = "orders_that_break:Order"
STREAMS = {
    **SMALL["streams"],
    "IN": SMALL["streams"]["IN"] | {"schema": ORDER},
    "OK": SMALL["streams"]["OK"] | {"schema": ORDER},
    "FINDINGS": {"schema": "schemas:DriftEvent", "sink": True},
    "EVENTS": {"schema": "schemas:SupervisorEvent", "sink": True},
    "MADE": {"schema": ORDER, "sink": True},
}
WORKERS = {
    **SMALL["workers"],
    "drift": {"kind": "drift", "watch": {"OK": {}}, "writes": "FINDINGS"},
    "make": {
        "kind": "transform", "call": "orders_that_break:make", "reads": ["OK"], "writes": ["MADE"],
    },
    "sink": {"kind": "lineage"},
}  # fmt: skip
BREAKS = {"raises": "raise RuntimeError('half saved')\n", "exits": "import os\nos._exit(1)\n"}


@pytest.fixture(params=BREAKS)
def penstock(request: pytest.FixtureRequest, client: Client, tmp_path: Path) -> Penstock:
    """The command beside a module that raises, or that ends whoever imports it."""
    (tmp_path / "orders_that_break.py").write_text(BREAKS[request.param])
    tree = SMALL | {"supervisor": "EVENTS", "streams": STREAMS, "workers": WORKERS}
    with (tmp_path / "streams.yaml").open("w") as file:
        YAML().dump(tree, file)
    letter = {"kind": "dead_letter", "message": "OK/1-0", "stream": "OK", "worker": "make",
              "attempts": 5, "error": "ValueError: no"}  # fmt: skip
    add(client, "DEAD_LETTER", "data", json.dumps(letter), "original.data", "{}")
    add(client, "BAD", "data", json.dumps({"kind": "rejection", "stream": "IN"}))
    add(client, "FINDINGS", "data", drift_event())
    add(client, "EVENTS", "data", json.dumps({"kind": "supervisor", "why": "it was killed"}))
    return command(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("status", "EVENTS"),
        ("top --once", "FINDINGS"),
        ("alerts", "the mean went up"),
        ("tail EVENTS", 'why="it was killed"'),
        ("explain FINDINGS", "the mean went up"),
        ("quarantine list", "BAD/"),
        ("dead list", "ValueError"),
        ("budget", "no budget"),
        ("acl", "penstock"),
    ],
)
def test_who_only_looks_is_not_kept_from_it(words: str, said: str, penstock: Penstock) -> None:
    found = penstock(*words.split())
    assert found.exit_code == 0, found.output
    assert said in found.stdout


def test_a_trace_is_asked_for_and_a_dead_letter_can_be_dropped(penstock: Penstock) -> None:
    traced = penstock("lineage", "trace", "FINDINGS")
    assert traced.exit_code == Exit.LINEAGE
    (letter,) = lines(penstock("dead", "list", "--json"))
    assert penstock("dead", "drop", letter["uid"], "--yes").exit_code == 0


def test_the_doctor_tells_of_it_and_goes_on(penstock: Penstock) -> None:
    found = penstock("doctor", "--json")
    assert found.exit_code == Exit.FAILED
    told = json.loads(found.stdout)["findings"]
    wrong = [each for each in told if each["check"] == "topology"]
    assert {each["level"] for each in wrong} == {"fault"}
    assert all("penstock check" in each["remedy"] for each in wrong)
    assert {"server", "groups", "consumers", "workers"} <= {each["check"] for each in told}


def test_a_graph_that_does_not_hold_is_still_a_fault(penstock: Penstock, tmp_path: Path) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text(file.read_text().replace("rejects_to: BAD", "rejects_to: BED"))
    found = penstock("tail", "EVENTS")
    assert found.exit_code == Exit.TOPOLOGY
    assert "did you mean 'BAD'" in found.stderr


def test_the_doctor_goes_on_with_what_runs_where_the_file_is_of_no_use(
    penstock: Penstock, tmp_path: Path
) -> None:
    """A supervisor holds the lock, and has not yet written where it is."""
    file = tmp_path / "streams.yaml"
    running = read_topology(file).topology
    applied_file.write(tmp_path / "data", Applied(topology=running, parts={}))
    file.write_text("lans: 2\n")
    with SupervisorLock(tmp_path / "data"):
        told = json.loads(penstock("doctor", "--json").stdout)["findings"]
    faults = {each["check"]: each["said"] for each in told if each["level"] == "fault"}
    assert "lans" in faults["topology"]
    assert "still starting" in faults["supervisor"]
    workers = [each for each in told if each["check"] == "workers"]
    assert len(workers) == len(WORKERS)
    assert {each["remedy"] for each in workers} == {
        "its supervisor does not answer; see that first"
    }
