"""Neo4j goes away and comes back: messages go on, records wait, and then all are written."""

from pathlib import Path
from typing import Any

import pytest

from lineage import neo4j_store
from lineage.chain import ChainKey
from lineage.store import LineageStore, StoreSettings, open_store
from lineage.verify import verify
from streams.connection import Client, send
from streams.publish import Outgoing, Publisher
from tests.servers.neo4j_server import Neo4jServer, neo4j_server
from tests.servers.pipeline import SMALL, readings, settled, start_worker, topology_from, until
from tests.servers.stream_server import StreamServer
from workers.lineage import LineageSink

__all__ = ["neo4j_server"]

pytestmark = pytest.mark.timeout(600)  # the first use of Neo4j may wait for Maven

SECRET = b"the key of these tests"
LAYERS = {"IN": 3, "OK": 3}
TREE: dict[str, Any] = {
    **SMALL,
    "streams": {**SMALL["streams"], "LINEAGE": {"schema": "schemas:LineageRecord"}},
    "workers": {
        "gate": {**SMALL["workers"]["gate"], "max_batch": 20, "lineage": "batch"},
        "lineage": {"kind": "lineage"},
    },
}


@pytest.fixture
def client(valkey_server: StreamServer) -> Any:
    with valkey_server.client() as client:
        send(client, "FLUSHALL")
        yield client


def _publish(client: Client, many: int) -> None:
    Publisher(client).publish_batch("IN", [Outgoing(data) for data in readings(many)])


def test_what_comes_while_neo4j_is_away_waits_and_is_written_when_it_is_back(
    client: Client, tmp_path: Path, neo4j_server: Neo4jServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neo4j_store, "RETRY_S", 0.2)
    topology = topology_from(TREE, tmp_path)
    where = StoreSettings(neo4j_server.uri, chain_key=SECRET)

    stores: list[LineageStore] = []

    def opened() -> LineageStore:
        stores.append(open_store(where, LAYERS))
        return stores[-1]

    sink = LineageSink(topology, "lineage", open_store=opened)
    gate, writer = (
        start_worker(client, topology, "gate"),
        start_worker(client, topology, "lineage", sink),
    )
    try:
        _publish(client, 100)
        until(lambda: settled(client, topology), what="all records being written")
        neo4j_server.kill()
        _publish(client, 200)
        until(lambda: send(client, "XLEN", "OK") == 300, what="the gate going on")
        until(lambda: not writer.standing.ready, what="the writer being not ready")  # the alert's
        assert gate.standing.ready
        assert send(client, "XPENDING", "LINEAGE", "lineage")[0] > 0
        neo4j_server.start()
        until(lambda: settled(client, topology), 60.0, what="all records being written")
        assert writer.standing.ready
    finally:
        gate.stop()
        writer.stop()
        for store in stores:
            store.close()
    with opened() as store:
        assert store.counts()["batched"] > 0
        assert verify(store, ChainKey(SECRET)).faults == []
        passed = [
            f"OK/{entry_id.decode()}" for entry_id, _ in send(client, "XRANGE", "OK", "-", "+")
        ]
        origins = [_origin(store, uid) for uid in passed]
        assert len(set(origins)) == 300
        assert {origin.partition("/")[0] for origin in origins} == {"IN"}
        for origin, uid in list(zip(origins, passed, strict=True))[::50]:
            assert [each["uid"] for each in store.query("trace_down", uid=origin)] == [origin, uid]


def _origin(store: LineageStore, uid: str) -> str:
    return str(store.query("trace_up", uid=uid)[-1]["uid"])
