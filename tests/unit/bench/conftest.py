"""One empty server is enough for what the benchmarks do to it."""

from collections.abc import Iterator

import pytest

from streams.connection import Client, send
from tests.servers.stream_server import StreamServer


@pytest.fixture
def valkey_client(valkey_server: StreamServer) -> Iterator[Client]:
    with valkey_server.client() as client:
        send(client, "FLUSHALL")
        yield client
