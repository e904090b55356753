"""Traces of real worker processes: from a producer's XADD to the stream at the end of the way."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.connection import Client, send
from streams.entry import Entry
from streams.trace_context import parse
from tests.servers.collector import Collector, collecting
from tests.servers.pipeline import SMALL, all_entries, reading, settled, topology_from, until
from tests.servers.processes import ROOT, workers
from tests.servers.stream_server import StreamServer

TRACE, PRODUCER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TREE: dict[str, Any] = {
    **SMALL,
    "streams": {**SMALL["streams"], "OUT": {"schema": "schemas:L3EventSchema", "sink": True}},
    "workers": {
        **SMALL["workers"],
        "pass": {"kind": "transform", "call": "passing:on", "reads": ["OK"], "writes": ["OUT"]},
    },
}
PASSING = """\
def on(message):
    return message.event
"""


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    (tmp_path / "passing.py").write_text(PASSING)
    return topology_from(TREE, tmp_path)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield found


@pytest.fixture
def server(valkey_server: StreamServer) -> StreamServer:
    with valkey_server.client() as client:
        send(client, "FLUSHALL")
    return valkey_server


def passed(client: Client, topology: Topology) -> Entry:
    until(lambda: send(client, "XLEN", "OUT") == 1, what="an entry at the end of the way")
    until(lambda: settled(client, topology))
    (entry,) = all_entries(client, topology, "OUT")
    return entry


def test_a_producers_trace_goes_through_every_worker_to_the_end(
    server: StreamServer, client: Client, topology: Topology, tmp_path: Path, collector: Collector
) -> None:
    sent = f"00-{TRACE}-{PRODUCER}-01"
    with workers(server, tmp_path / "streams.yaml") as processes:
        processes.start("gate")
        processes.start("pass")
        send(client, "XADD", "IN", "*", "data", reading(), "traceparent", sent)
        arrived = passed(client, topology)
        processes.stop()  # which sends what had not been sent
    (gate,), (last,) = collector.of("penstock-gate"), collector.of("penstock-pass")
    assert {gate.name, last.name} == {"penstock.handle gate", "penstock.handle pass"}
    assert {gate.trace_id.hex(), last.trace_id.hex()} == {TRACE}
    assert gate.parent_span_id.hex() == PRODUCER
    assert last.parent_span_id == gate.span_id
    assert [(link.trace_id.hex(), link.span_id) for link in last.links] == [(TRACE, gate.span_id)]
    carried = parse(arrived.get(b"traceparent") or b"")
    assert carried is not None
    assert (carried.trace_id.decode(), carried.span_id.decode()) == (TRACE, last.span_id.hex())


def test_a_collector_that_fails_holds_up_no_message(
    server: StreamServer, client: Client, topology: Topology, tmp_path: Path, collector: Collector
) -> None:
    collector.status = 400
    with workers(server, tmp_path / "streams.yaml") as processes:
        processes.start("gate")
        processes.start("pass")
        send(client, "XADD", "IN", "*", "data", reading())
        passed(client, topology)
        assert collector.asked.wait(10)
        until(lambda: "tracing_fault" in processes.log_of("gate").read_text())
    assert collector.spans == []


def test_without_a_collector_opentelemetry_is_not_imported_and_a_trace_is_passed_on(
    server: StreamServer, client: Client, topology: Topology, tmp_path: Path
) -> None:
    (tmp_path / "passing.py").write_text(
        "import sys\n\n\ndef on(message):\n"
        "    found = sorted({m.partition('.')[0] for m in sys.modules})\n"
        "    sensor = 'traced' if 'opentelemetry' in found else 'free'\n"
        "    return message.event.model_copy(update={'sensor_id': sensor})\n"
    )
    sent = f"00-{TRACE}-{PRODUCER}-01"
    with workers(server, tmp_path / "streams.yaml") as processes:
        processes.start("gate")
        processes.start("pass")
        send(client, "XADD", "IN", "*", "data", reading(), "traceparent", sent)
        arrived = passed(client, topology)
    assert json.loads(arrived.get(b"data") or b"")["sensor_id"] == "free"
    assert arrived.get(b"traceparent") == sent.encode()


def test_no_kind_of_worker_imports_opentelemetry() -> None:
    code = (
        "import sys, workers.__main__, lineage.store, workers.kinds\n"
        "for kind in ('gate', 'anomaly', 'drift', 'transform', 'lineage'):\n"
        "    workers.kinds.import_kind(kind)\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0
