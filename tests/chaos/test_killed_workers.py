"""``kill -9`` of worker processes under load: nothing lost, nothing twice, the same events."""

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.connection import Client, send
from streams.publish import Outgoing, Publisher
from tests.servers.pipeline import (
    READING,
    SMALL,
    all_entries,
    data_of,
    readings,
    settled,
    topology_from,
    until,
)
from tests.servers.processes import workers
from tests.servers.stream_server import StreamServer

TREE: dict[str, Any] = {
    **SMALL,
    "delivery": {"lease": "500ms", "block": "50ms"},
    "streams": {
        **SMALL["streams"],
        "FED": {"schema": READING, "source": True, "retention": {"age": "9999d"}},
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
    },
    "workers": {
        "gate": {**SMALL["workers"]["gate"], "max_batch": 100},
        "anomaly": {
            "kind": "anomaly",
            "max_batch": 100,
            "checkpoint_every": "200ms",
            "watch": {"FED": {"fields": ["measurements.*"]}},
            "writes": "EVENTS",
        },
    },
}
MESSAGES, KILLS, SEED = 12_000, 10, 20_240_501


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(TREE, tmp_path)


def feed(client: Client, payloads: list[bytes], start: int = 0) -> None:
    """Entries with the same ids in every run, so that the same events are expected."""
    pipe = client.pipeline(transaction=False)
    for number, data in enumerate(payloads, start):
        pipe.execute_command("XADD", "FED", f"{1000 + number}-0", "data", data)  # type: ignore[no-untyped-call]
    pipe.execute()


def events(client: Client, topology: Topology) -> list[bytes]:
    return data_of(all_entries(client, topology, "EVENTS"))


@pytest.mark.timeout(180)
def test_kill_nine_at_random_moments_loses_nothing_and_doubles_nothing(
    server: StreamServer, client: Client, topology: Topology, tmp_path: Path
) -> None:
    payloads = readings(MESSAGES)
    feed(client, payloads)
    with workers(server, tmp_path / "streams.yaml") as calm:
        calm.start("anomaly")
        until(lambda: settled(client, topology), 60.0)
    undisturbed = events(client, topology)
    assert len(undisturbed) > MESSAGES // 200

    send(client, "FLUSHALL")
    rng = random.Random(SEED)
    broken = [b"{" if rng.random() < 0.05 else data for data in payloads]
    with workers(server, tmp_path / "streams.yaml") as stormy:
        stormy.start("gate")
        stormy.start("anomaly")
        writer = threading.Thread(target=_publish, args=(server, payloads, broken))
        writer.start()
        pause = threading.Event()
        for _ in range(KILLS):
            pause.wait(rng.uniform(0.1, 1.2))
            stormy.kill(rng.choice(["gate", "anomaly"]))
        writer.join()
        until(lambda: settled(client, topology), 90.0)

    accepted = data_of(all_entries(client, topology, "OK"))
    rejected = [e.get(b"original.data") for e in all_entries(client, topology, "BAD")]
    assert sorted(accepted) == sorted(data for data in broken if data != b"{")
    assert len(rejected) == broken.count(b"{")
    assert send(client, "XLEN", "DEAD_LETTER") == 0
    assert events(client, topology) == undisturbed


def _publish(server: StreamServer, payloads: list[bytes], broken: list[bytes]) -> None:
    pause = threading.Event()
    with server.client() as client:
        publisher = Publisher(client)
        for start in range(0, len(broken), 100):
            pause.wait(0.05)
            feed(client, payloads[start : start + 100], start)
            publisher.publish_batch("IN", [Outgoing(data) for data in broken[start : start + 100]])


def test_the_payloads_are_worth_the_storm() -> None:
    assert len({json.loads(data)["measurements"]["x"] for data in readings(1000)}) == 1000
