"""What all suites share: real stream servers, one a process and kind, emptied for each test."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from streams.connection import Client, send
from tests.servers.stream_server import StreamServer, running

# How long an example takes says more about the machine than about the promise.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


class Apart(LoadFileScheduling):
    """A file's tests share a process; so do all that empty the one Neo4j, and the console's, whose
    supervisor is set up once.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = super()._split_scope(nodeid)
        shared = ("tests/contract/test_lineage_", "tests/integration/console/")
        return next((each for each in shared if path.startswith(each)), path)


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
