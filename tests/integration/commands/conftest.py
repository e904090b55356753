"""What the tests of commands share: a topology, an empty server, and the command itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.connection import Client
from tests.servers.command import Penstock, command, emptied
from tests.servers.pipeline import SMALL, topology_from
from tests.servers.stream_server import StreamServer


@pytest.fixture
def tree() -> dict[str, Any]:
    """A gate, a drift worker and a sink of lineage; a module may have a topology of its own."""
    drift = {"kind": "drift", "watch": {"OK": {"key": "sensor_id"}}, "writes": "FINDINGS"}
    findings = {"FINDINGS": {"schema": "schemas:DriftEvent", "sink": True}}
    workers = {"drift": drift, "sink": {"kind": "lineage"}}
    return SMALL | {
        "streams": SMALL["streams"] | findings,
        "workers": SMALL["workers"] | workers,
    }


@pytest.fixture
def topology(tree: dict[str, Any], tmp_path: Path) -> Topology:
    return topology_from(tree, tmp_path)


@pytest.fixture
def client(
    valkey_server: StreamServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    with emptied(valkey_server, tmp_path / "data", monkeypatch) as client:
        yield client


@pytest.fixture
def penstock(client: Client, topology: Topology, tmp_path: Path) -> Penstock:
    return command(tmp_path)
