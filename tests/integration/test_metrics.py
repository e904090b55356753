"""A worker that runs counts what rules wait for: dead letters, and checkpoints that went wrong."""

from pathlib import Path
from typing import Any

import pytest

from schemas.message import Derived, Message
from schemas.topology import Topology
from streams.connection import Client, send
from tests.servers.pipeline import (
    READING,
    SMALL,
    Running,
    reading,
    start_worker,
    topology_from,
    until,
)


def picky(message: Message[Any], memory: dict[str, Any]) -> Derived:
    """Passes on what it likes."""
    if message.event.sensor_id == "bad":
        raise ValueError("not this one")
    memory["count"] = memory.get("count", 0) + 1
    return Derived(message.event)


TREE: dict[str, Any] = {
    **SMALL,
    "streams": {**SMALL["streams"], "OUT": {"schema": READING, "sink": True}},
    "workers": {
        **SMALL["workers"],
        "picky": {
            "kind": "transform",
            "call": "tests.integration.test_metrics:picky",
            "reads": ["OK"],
            "writes": ["OUT"],
            "memory": True,
            "max_attempts": 1,
        },
    },
}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(TREE, tmp_path)


def counted(running: Running, name: str, **labels: str) -> float:
    """A counter of the worker; it is read once the worker has ended."""
    of = {"worker": "picky", "kind": "transform", "lane": "0", **labels}
    return running.loop._metrics.registry.get_sample_value(name, of) or 0.0


def test_a_dead_letter_counts_as_an_entry_that_died(client: Client, topology: Topology) -> None:
    for sensor in ("good", "bad", "good"):
        send(client, "XADD", "OK", "*", "data", reading(sensor))
    running = start_worker(client, topology, "picky")
    until(lambda: client.xlen("OUT") == 2 and client.xlen("DEAD_LETTER") == 1)
    running.stop()
    for outcome, number in (("accepted", 2), ("dead", 1)):
        found = counted(running, "penstock_entries_total", stream="OK", outcome=outcome)
        assert found == number
    assert counted(running, "penstock_failures_total", stream="OK") == 1
    assert counted(running, "penstock_entry_age_seconds_count", stream="OK") == 3


def test_a_refused_checkpoint_is_counted(client: Client, topology: Topology) -> None:
    send(client, "SET", "penstock:checkpoint:picky", b"no checkpoint")
    running = start_worker(client, topology, "picky")
    until(lambda: running.standing.ready)
    running.stop()
    assert counted(running, "penstock_checkpoint_problems_total", problem="refused") == 1
    assert counted(running, "penstock_checkpoint_problems_total", problem="skipped") == 0


def test_a_skipped_checkpoint_is_counted(
    client: Client, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.checkpoint._MOST_BYTES", 10)
    send(client, "XADD", "OK", "*", "data", reading())
    running = start_worker(client, topology, "picky")
    until(lambda: client.xlen("OUT") == 1)
    running.stop()
    assert counted(running, "penstock_checkpoint_problems_total", problem="skipped") > 0
    assert counted(running, "penstock_checkpoint_problems_total", problem="refused") == 0
