"""``penstock rehearse`` on a real server: it tells what a real run then does."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from schemas.topology import Topology
from streams.connection import Client, send
from streams.observe import counters
from tests.servers.command import command
from tests.servers.pipeline import (
    SMALL,
    all_entries,
    data_of,
    reading,
    readings,
    settled,
    topology_from,
    until,
    working,
)

KEPT = {"schema": "author_of_rehearsals:Loose", "retention": {"age": "1h"}}
WORKERS = ("gate", "scale", "anomaly", "drift")
OLD: dict[str, Any] = SMALL | {
    "streams": SMALL["streams"]
    | {
        "IN": KEPT | {"source": True},
        "OK": KEPT,
        "SCALED_IN": KEPT | {"source": True},
        "SCALED": KEPT | {"sink": True},
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": {
        "gate": {
            "kind": "gate",
            "routes": {"IN": "OK", "SCALED_IN": "SCALED"},
            "rejects_to": "BAD",
        },
        "scale": {
            "kind": "transform",
            "call": "author_of_rehearsals:scale",
            "reads": ["OK"],
            "writes": ["SCALED_IN"],
            "max_attempts": 1,
        },
        "anomaly": {
            "kind": "anomaly",
            "watch": {"OK": {"key": "sensor_id"}, "SCALED": {}},
            "writes": "EVENTS",
        },
        "drift": {"kind": "drift", "watch": {"OK": {}}, "writes": "DRIFTS"},
    },
}
NEW = OLD | {
    "streams": OLD["streams"]
    | {
        "IN": OLD["streams"]["IN"] | {"schema": "author_of_rehearsals:Strict"},
        "OK": KEPT | {"schema": "author_of_rehearsals:Strict"},
    },
    "workers": OLD["workers"]
    | {
        "anomaly": OLD["workers"]["anomaly"]
        | {"detectors": {"quantile": {"share": 0.05, "window": 2000}}}
    },
}
MODULE = '''
from typing import Annotated
from pydantic import Field
from schemas.l3_event import SensorReading


class Loose(SensorReading):
    """As it was."""


class Strict(SensorReading):
    """Measurements are bounded now."""

    measurements: dict[str, Annotated[float, Field(le=40.0)]]


def scale(message):
    x = message.event.measurements["x"]
    if x < -3.0:
        raise ValueError("too cold")
    if x == 9.0:
        print("what an author prints is not what we say")
    return {**message.event.model_dump(), "measurements": {"x": 2.0 * x}}
'''
PAYLOADS = [*readings(600), *(reading(x=9.0, y=0.5) for _ in range(60)), *readings(300, seed=8)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The old topology as streams.yaml, and the new one in a directory of its own beside it."""
    new = tmp_path / "new"
    new.mkdir()
    for place, tree in ((tmp_path, OLD), (new, NEW)):
        (place / "author_of_rehearsals.py").write_text(MODULE)
        monkeypatch.syspath_prepend(place)
        topology_from(tree, place)
    yield tmp_path
    sys.modules.pop("author_of_rehearsals", None)


def rehearse(folder: Path, *arguments: str) -> Result:
    new = ["--config", str(folder / "new" / "streams.yaml")]
    return command(folder)("rehearse", *new, *arguments)


def play(client: Client, topology: Topology, payloads: Sequence[bytes] = PAYLOADS) -> None:
    """A real run from an empty server, with ids that come twice and a message that is none."""
    send(client, "FLUSHALL")
    pipe = client.pipeline(transaction=False)
    pipe.xadd("SCALED_IN", {"data": reading(), "source": b"elsewhere"})
    for number, data in [*enumerate(payloads), *enumerate(payloads[:60])]:
        pipe.xadd("IN", {"data": data, "id": f"m{number}"})
    pipe.xadd("IN", {"data": b"{}"})
    pipe.execute()
    with working(client, topology, *WORKERS):
        until(lambda: settled(client, topology))


def done(client: Client, topology: Topology) -> dict[tuple[str, str], int]:
    """What a real run did: outcomes by worker, rejections by rule, events by what they are."""
    found: Counter[tuple[str, str]] = Counter()
    for (worker, _, outcome), number in counters(client, topology).items():
        found[worker, outcome] += number
    for each in map(json.loads, data_of(all_entries(client, topology, "BAD"))):
        first = each["violations"][0]
        found["gate", f"{first['path'] or 'message'} {first['rule']}"] += 1
    for stream in ("EVENTS", "DRIFTS"):
        for each in map(json.loads, data_of(all_entries(client, topology, stream))):
            about = f"{each['stream']} {each['field']} {each['severity']}"
            found[each["kind"], about] += 1
    for stream in ("OK", "SCALED", "SCALED_IN", "BAD", "EVENTS", "DRIFTS"):
        found["stream", stream] = len(all_entries(client, topology, stream))
    return {key: number for key, number in found.items() if number}


def printed(report: dict[str, Any], side: str) -> dict[tuple[str, str], int]:
    """The same as a rehearsal tells it."""
    found: Counter[tuple[str, str]] = Counter()
    for row in report["workers"]:
        emits = row["what"].startswith("to ")
        key = ("stream", row["what"][3:]) if emits else (row["worker"], row["what"])
        found[key] += row[side]
    for change in report["changes"]:
        worker, about = change["worker"], " ".join(change["about"])
        if change["what"] == "event":
            kind, _, rest = about.partition(" ")
            worker, about = kind, f"{change['stream']} {rest}"
        if change["what"] != "dead":
            found[worker, about] += change[side]
    found["stream", "SCALED_IN"] += 1  # the one that came in from outside
    return {key: number for key, number in found.items() if number}


def untold(report: dict[str, Any]) -> dict[str, Any]:
    """A report without duplicates: a gate carries them nowhere."""
    rows = [row for row in report["workers"] if row["what"] != "duplicate"]
    return report | {"workers": rows, "messages": None, "passed": None}


def test_it_prints_exactly_what_a_real_run_then_does(client: Client, folder: Path) -> None:
    old, new = (topology_from(*each) for each in ((OLD, folder), (NEW, folder / "new")))
    play(client, old)
    before = done(client, old)
    keys = sorted(send(client, "KEYS", "*")), send(client, "XLEN", "OK")
    result = rehearse(folder, "--json", "--fail-on", "events-gone")
    assert (sorted(send(client, "KEYS", "*")), send(client, "XLEN", "OK")) == keys
    report = json.loads(result.stdout)
    send(client, "XTRIM", "IN", "MAXLEN", 0)
    carried = json.loads(rehearse(folder, "--json").stdout)
    assert untold(carried) == untold(report), "what the gate carried on says the same"
    play(client, new)
    now = done(client, new)
    assert printed(report, "before") == before
    assert printed(report, "now") == now
    assert now["gate", "rejected"] > before["gate", "rejected"] > 0
    assert now["stream", "EVENTS"] > before["stream", "EVENTS"] > 0
    assert before["stream", "DRIFTS"] > 0
    assert before["scale", "dead"] > 0
    assert before["gate", "duplicate"] > 0
    assert result.exit_code == (9 if report["fewer"]["event"] else 0)


def test_the_report_for_people_names_rules_messages_and_passed_bounds(
    client: Client, folder: Path
) -> None:
    old = topology_from(OLD, folder)
    play(client, old, PAYLOADS[:100])
    bounds = ("--most-more-rejected", "0.1%", "--most-events-gone", "100000")
    shown = rehearse(folder, *bounds, "--show", "3")
    assert shown.exit_code == 9
    assert "measurements.x: less_than_equal" in shown.stdout
    assert "+ IN/" in shown.stdout
    assert "more rejected, 0 no longer; 0 more dead letters" in shown.stdout
    assert "more-rejected: " in shown.stderr
    assert "at most 0.1 % are allowed" in shown.stderr
    assert "events-gone" not in shown.stderr
    (folder / "new" / "streams.yaml").write_text((folder / "streams.yaml").read_text())
    same = rehearse(folder, "--fail-on", "any")
    assert same.exit_code == 0, same.output
    assert "Nothing would change." in same.stdout


def test_mistakes_are_sentences_and_exit_codes(client: Client, folder: Path) -> None:
    assert "no message since 24h is retained" in rehearse(folder).stderr
    assert rehearse(folder, "--fail-on", "nothing").exit_code == 2
    assert rehearse(folder, "--most-events-gone", "many").exit_code == 2
    topology_from(NEW | {"lanes": 2}, folder / "new")
    said = rehearse(folder).stderr.replace("│", " ")  # its lines break where the path ends
    assert "same number" in " ".join(said.split())
    (folder / "new" / "author_of_rehearsals.py").write_text("nonsense(")
    topology = folder / "new" / "streams.yaml"
    topology.write_text(topology.read_text().replace("lanes: 2", "lanes: 1"))
    send(client, "XADD", "IN", "*", "data", reading())
    broken = rehearse(folder)
    assert broken.exit_code == 3
    assert "cannot be imported" in broken.stderr
    topology.write_text("workers: [")
    assert rehearse(folder).exit_code == 3
