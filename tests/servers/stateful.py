"""Stateful workers, what they are fed, and what they emit of it."""

import json
from collections.abc import Iterator
from typing import Any

from schemas.message import Derived, Message
from schemas.topology import Topology
from streams.connection import Client, send
from tests.servers.pipeline import (
    READING,
    SMALL,
    all_entries,
    readings,
    settled,
    start_worker,
    until,
)

QUICK = {
    "half_space_trees": {"n_trees": 5, "height": 4, "window": 50},
    "quantile": {"window": 500, "warm_up": 100, "stride": 50},
    "incidents": {"quiet": 20},
}
WATCHING: dict[str, Any] = {
    **SMALL,
    "streams": {
        **SMALL["streams"],
        "OK": {"schema": READING, "source": True, "layer": 3, "retention": {"age": "9999d"}},
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
        "SUMS": {"schema": READING, "sink": True},
        "LABELS": {"schema": "schemas:Label", "source": True, "retention": {"age": "9999d"}},
        "WORSE": {"schema": "schemas:DriftEvent", "sink": True},
    },
    "workers": {
        **SMALL["workers"],
        "anomaly": {
            "kind": "anomaly",
            "max_batch": 64,
            "checkpoint_every": "10ms",
            "watch": {"OK": {"key": "sensor_id", "fields": ["measurements.*"]}},
            "writes": "EVENTS",
            "detectors": QUICK,
        },
        "drift": {
            "kind": "drift",
            "max_batch": 64,
            "watch": {"OK": {"fields": ["measurements.*"]}},
            "writes": "DRIFTS",
        },
        "quality": {
            "kind": "drift",
            "max_batch": 64,
            "checkpoint_every": "10ms",
            "watch": {"LABELS": {"labels": {"calibration": {"n_ref": 200, "n_cur": 200}}}},
            "writes": "WORSE",
        },
        "summing": {
            "kind": "transform",
            "call": "tests.servers.stateful:summing",
            "reads": ["OK"],
            "writes": ["SUMS"],
            "max_batch": 64,
            "memory": True,
        },
    },
}
OUTPUTS = {"anomaly": "EVENTS", "drift": "DRIFTS", "summing": "SUMS", "quality": "WORSE"}


def summing(message: Message[Any], memory: dict[str, Any]) -> Iterator[Derived]:
    """Emit the running sum at every 50th reading, with all 50 as its parents."""
    memory["sum"] = memory.get("sum", 0.0) + message.event.measurements["x"]
    memory["seen"] = [*memory.get("seen", []), message.uid]
    if len(memory["seen"]) == 50:
        event = message.event.model_dump(mode="json") | {"measurements": {"sum": memory["sum"]}}
        yield Derived(event, parents=memory["seen"])
        memory["seen"] = []


def shifted(count: int) -> list[bytes]:
    """Readings whose field y jumps in the middle."""
    found = [json.loads(data) for data in readings(count)]
    for item in found[count // 2 :]:
        item["measurements"]["y"] += 3.0
    return [json.dumps(item).encode() for item in found]


def fill(client: Client, count: int = 1500) -> None:
    """The same entries with the same ids in every run."""
    send(client, "FLUSHALL")
    for number, data in enumerate(shifted(count)):
        send(client, "XADD", "OK", f"{1000 + number}-0", "data", data)


def emitted(client: Client, topology: Topology, worker: str) -> list[tuple[bytes, bytes | None]]:
    """Payload and parents of what a worker emitted, in order."""
    entries = all_entries(client, topology, OUTPUTS[worker])
    return [(entry.get(b"data") or b"", entry.get(b"parents")) for entry in entries]


def finish(client: Client, topology: Topology, worker: str) -> list[tuple[bytes, bytes | None]]:
    running = start_worker(client, topology, worker)
    until(lambda: settled(client, topology))
    running.stop()
    return emitted(client, topology, worker)
