"""What all suites share: real stream servers, one a session and kind, emptied for each test."""

from collections.abc import Iterator

import pytest
import structlog

from streams.connection import Client, send
from tests.servers.stream_server import StreamServer, running


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
