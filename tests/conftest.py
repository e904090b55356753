"""What all suites share: real stream servers, one a process and kind, emptied for each test."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from xdist.scheduler import LoadFileScheduling

from streams.connection import Client, send
from tests.servers.stream_server import StreamServer, running


class Apart(LoadFileScheduling):
    """A file's tests share a process, and all that empty the one Neo4j share one, too."""

    def _split_scope(self, nodeid: str) -> str:
        path = super()._split_scope(nodeid)
        return "lineage" if path.startswith("tests/contract/test_lineage_") else path


def pytest_configure() -> None:
    for name in ("COLUMNS", "LINES"):  # readline sets them for child processes, as xdist's are
        os.environ.pop(name, None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Apart | None:
    return Apart(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def logs_as_they_come() -> None:
    """No test sees how another one had logs configured."""
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[StreamServer]:
    with running("valkey") as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[StreamServer]:
    with running("redis") as server:
        yield server


@pytest.fixture(params=["valkey", "redis"])
def server(request: pytest.FixtureRequest) -> StreamServer:
    """A running server of each kind, without a key."""
    found: StreamServer = request.getfixturevalue(f"{request.param}_server")
    with found.client() as client:
        send(client, "FLUSHALL")
        send(client, "SCRIPT FLUSH")
    return found


@pytest.fixture
def client(server: StreamServer) -> Iterator[Client]:
    with server.client() as client:
        yield client
