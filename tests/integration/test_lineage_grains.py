"""A gate whose messages share nodes, from the stream to the graph: every uid has its answer."""

from pathlib import Path
from typing import Any

import pytest

from lineage.store import open_store
from lineage.trace import fetch
from streams.connection import Client, send
from streams.publish import Outgoing, Publisher
from tests.servers.pipeline import SMALL, readings, settled, topology_from, until, working

TREE: dict[str, Any] = {
    **SMALL,
    "streams": {**SMALL["streams"], "LINEAGE": {"schema": "schemas:LineageRecord"}},
    "workers": {
        "gate": {**SMALL["workers"]["gate"], "lineage": "batch", "lineage_sample": 100},
        "lineage": {"kind": "lineage"},
    },
}


def test_every_message_of_a_gate_that_makes_batches_tells_where_it_came_from(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("PENSTOCK_NEO4J_URI", raising=False)
    good = [Outgoing(data, id=f"r{n}", source="pump") for n, data in enumerate(readings(400))]
    Publisher(client).publish_batch("IN", [*good, Outgoing(b"{}"), *good[:3]])
    topology = topology_from(TREE, tmp_path)
    with working(client, topology, "gate", "lineage"):
        until(lambda: settled(client, topology), what="all records being written")
    with open_store(f"sqlite:{tmp_path / 'lineage.db'}") as store:
        counts = store.counts()
        assert counts["batched"] > 350
        assert counts["batches"] < 40
        assert counts["entities"] < 100
        sources = [fetch(store, f"OK/{entry.decode()}").steps[0] for entry in _ids(client, "OK")]
        assert [step.producer_id for step in sources] == [f"r{n}" for n in range(400)]
        assert {step.source for step in sources} == {"pump"}
        (rejected,) = _ids(client, "BAD")
        flagged = fetch(store, f"BAD/{rejected.decode()}").steps[0]
        assert [found.kind for found in flagged.findings] == ["rejection"]
        assert store.query("lineage_gaps", inputs=["IN"]) == []


def _ids(client: Client, stream: str) -> list[bytes]:
    return [entry for entry, _ in send(client, "XRANGE", stream, "-", "+")]
