"""``penstock explain`` and ``penstock bench-detectors`` on a real server."""

import json
import random
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.around import backwards, before, behind
from streams.connection import Client, send
from streams.observe import newest
from tests.servers.command import Penstock, command
from tests.servers.pipeline import (
    READING,
    SMALL,
    reading,
    settled,
    topology_from,
    until,
    working,
)
from tests.servers.stream_server import StreamServer

WATCH = {"FED": {"key": "sensor_id", "fields": ["measurements.*"]}}
TREE: dict[str, Any] = SMALL | {
    "streams": SMALL["streams"]
    | {
        "FED": {"schema": READING, "source": True, "retention": {"age": "9999d"}},
        "ODD": {"schema": "schemas:AnomalyEvent", "sink": True},
        "MOVED": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": SMALL["workers"]
    | {
        "odd": {
            "kind": "anomaly",
            "watch": WATCH,
            "writes": "ODD",
            "detectors": {"half_space_trees": None, "robust_z": True, "history": {"limit": 8}},
        },
        "moved": {"kind": "drift", "watch": WATCH, "writes": "MOVED"},
        "sink": {"kind": "lineage"},
    },
}
START_MS, COUNT = 1_700_000_000_000, 1_600
SPIKE, SHIFT = 700, 1_100


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Topology:
    return topology_from(TREE, tmp_path_factory.mktemp("explained"))


@pytest.fixture(scope="module")
def client(valkey_server: StreamServer, topology: Topology) -> Iterator[Client]:
    """Sensor ``s1`` with a spike in ``x`` and a shift in ``y``, between others; all watched."""
    with valkey_server.client() as client:
        send(client, "FLUSHALL")
        rng, pipe = random.Random(3), client.pipeline(transaction=False)
        for number in range(COUNT):
            x = 40.0 if number == SPIKE else rng.gauss(0, 1)
            y = rng.gauss(3 if number >= SHIFT else 0, 1)
            for place, sensor in enumerate(("s1", "s2")):
                values = {"x": x, "y": y} if sensor == "s1" else {"x": rng.gauss(0, 1)}
                entry_id = f"{START_MS + 30_000 * number}-{place}"
                pipe.xadd("FED", {"data": reading(sensor, **values)}, id=entry_id)
        pipe.execute()
        with working(client, topology, "odd", "moved"):
            until(lambda: settled(client, topology))
        yield client


@pytest.fixture
def penstock(
    client: Client,
    topology: Topology,
    valkey_server: StreamServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Penstock:
    monkeypatch.setenv("PENSTOCK_REDIS_URL", valkey_server.url)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path / "data"))
    topology_from(TREE, tmp_path)
    return command(tmp_path)


def uid_of(number: int) -> str:
    return f"FED/{START_MS + 30_000 * number}-0"


def drift_uid(client: Client, topology: Topology) -> str:
    found = [
        entry.uid
        for entry in newest(client, topology, "MOVED", 100)
        if json.loads(entry.get(b"data") or b"")["field"] == "measurements.y"
    ]
    return found[0]


def test_an_anomaly_is_explained_by_its_message(penstock: Penstock, tmp_path: Path) -> None:
    picture = tmp_path / "spike.svg"
    found = penstock("explain", uid_of(SPIKE), "--svg", str(picture))
    assert found.exit_code == 0, found.output
    for words in ("Anomaly in FED/s1", "measurements.x", "robust_z", "◆", uid_of(SPIKE)):
        assert words in found.stdout
    assert "\x1b" not in found.stdout
    assert ET.parse(picture).getroot().tag.endswith("svg")


def test_the_values_around_are_those_of_the_same_key(penstock: Penstock) -> None:
    said = json.loads(penstock("explain", uid_of(SPIKE), "--json").stdout)
    values = [reading["numbers"]["measurements.x"] for reading in said["readings"]]
    assert values[said["at"]] == 40.0
    assert said["readings"][said["at"]]["uid"] == uid_of(SPIKE)
    assert {reading["uid"][-2:] for reading in said["readings"]} == {"-0"}
    assert max(values[: said["at"]]) < 8.0
    assert said["fields"][0]["low"] < -1.0 < 1.0 < said["fields"][0]["high"] < 8.0


def test_a_drift_is_explained_by_its_own_uid(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    found = penstock("explain", drift_uid(client, topology))
    assert found.exit_code == 0, found.output
    for words in ("Drift in FED/s1", "conformal", "baseline", "current", "▒", "◆"):
        assert words in found.stdout


def test_the_newest_event_of_a_stream_is_explained(penstock: Penstock) -> None:
    assert penstock("explain", "MOVED").stdout.startswith("Drift in ")


def test_an_event_whose_message_is_gone_is_drawn_from_its_own_numbers(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    uid = drift_uid(client, topology)
    [(_, fields)] = send(client, "XRANGE", "MOVED", *[uid.partition("/")[2]] * 2)
    event = json.loads(dict(zip(fields[::2], fields[1::2], strict=True))[b"data"])
    event["message"] = "FED/5-0"
    entry_id = send(client, "XADD", "MOVED", "*", "data", json.dumps(event)).decode()
    try:
        found = penstock("explain", f"MOVED/{entry_id}")
        assert found.exit_code == 0, found.output
        assert "no longer retained" in found.stdout
        assert "▒" in found.stdout
        said = json.loads(penstock("explain", f"MOVED/{entry_id}", "--json").stdout)
        assert (said["retained"], said["readings"]) == (False, [])
    finally:
        send(client, "XDEL", "MOVED", entry_id)


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("ODD/1-1", 1, "there is no event 'ODD/1-1'"),
        ("FED/1-1", 1, "none of the newest"),
        ("BAD", 2, "holds no events"),
        ("ODDD", 2, "did you mean 'ODD'"),
        ("ODD/x", 2, "is no uid"),
        ("penstock:presence/1-1", 2, "has no stream"),
    ],
)
def test_what_cannot_be_explained_is_told_of(
    asked: str, code: int, said: str, penstock: Penstock
) -> None:
    found = penstock("explain", asked)
    assert found.exit_code == code, found.output
    assert said in found.stderr.replace("\n", " ").replace("│", "").replace("  ", " ")


def test_what_is_no_event_is_told_of(client: Client, penstock: Penstock) -> None:
    entry_id = send(client, "XADD", "ODD", "*", "data", "{}").decode()
    found = penstock("explain", f"ODD/{entry_id}")
    send(client, "XDEL", "ODD", entry_id)
    assert found.exit_code == 1
    assert "is no anomaly and no drift event" in found.stderr


def test_pages_around_an_entry_join_without_a_gap(client: Client, topology: Topology) -> None:
    older = [entry.uid for page in before(client, uid_of(50), 7) for entry in page]
    newer = [entry.uid for page in behind(client, uid_of(50), 7) for entry in page]
    every = [entry.uid for entry in newest(client, topology, "FED", 10_000)]
    assert [*reversed(older), uid_of(50), *newer] == every
    assert [entry.uid for entry in backwards(client, topology, "FED", 7)] == every[::-1]


# --- bench-detectors ---------------------------------------------------------------------------


def test_detectors_are_tried_on_what_a_stream_retains(penstock: Penstock) -> None:
    arguments = ("FED", "--since", "30d", "--only", "conformal", "--only", "robust_z")
    found = penstock("bench-detectors", *arguments)
    assert found.exit_code == 0, found.output
    for words in ("always fires", "never fires", "conformal", "robust_z", "drift: take conformal"):
        assert words in found.stdout
    said = json.loads(penstock("bench-detectors", *arguments, "--json").stdout)
    assert said["traffic"]["messages"] == 2 * COUNT
    assert said["traffic"]["keys"] == 2
    rows = {row["name"]: row for row in said["rows"]}
    assert rows["conformal"]["found"][-1]["share"] >= 0.8
    assert rows["never fires"]["alarms"] == 0


def test_no_more_is_read_than_asked_for(penstock: Penstock) -> None:
    def messages(*more: str) -> Any:
        done = penstock("bench-detectors", "FED", "--only", "z_score", "--json", *more)
        return json.loads(done.stdout)["traffic"]["messages"]

    assert messages("--since", "30d", "--most", "1000") == 1_000
    assert messages("--since", "1h") == 2 * 121


def test_an_empty_stream_and_a_wrong_span_are_told_of(penstock: Penstock) -> None:
    empty = penstock("bench-detectors", "BAD")
    assert empty.exit_code == 1
    assert "retains no message" in empty.stderr
    assert penstock("bench-detectors", "FED", "--since", "soon").exit_code == 2
    assert penstock("bench-detectors", "FEDD").exit_code == 2
