"""The printed ACL rules are enough for each role's whole job, and for nothing else."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from structlog import get_logger

from schemas.baseline import Baseline
from schemas.examples import EXAMPLES
from schemas.topology import Topology
from streams.acl import Role, roles
from streams.baselines import Baselines
from streams.connection import Client, connect, send
from streams.errors import StreamsError
from streams.keys import Lane
from streams.lease import break_lease
from streams.observe import counters, newest, stream_states
from streams.presence import present
from streams.progress import progress
from streams.publish import Outgoing, Publisher
from streams.quarantine import Quarantine
from streams.side import trim_side, write_side
from streams.supersede import supersede
from tests.servers.pipeline import settled, start_worker, topology_from, until
from tests.servers.stream_server import StreamServer
from workers.baselining import WARM_UP, Baselining
from workers.drift import Drift
from workers.kinds import build_handler

ROOT = Path(__file__).parents[2]
SECRET = "test-secret"
SOURCES = {
    "L3_IN": ("soc_event", "sensor_reading", "emergency_alert"),
    "L4_IN": ("mission_plan", "risk_assessment", "adversary_model"),
    "L5_IN": ("forecast", "recognised_pattern"),
    "L7_IN": ("llm_request", "llm_response"),
    "L8_IN": ("threat_alert", "vulnerability_scan"),
    "L9_IN": ("decision", "command"),
}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    """The reference topology, with short times."""
    tree: dict[str, Any] = YAML(typ="safe").load((ROOT / "streams.yaml").read_text())
    tree["delivery"] |= {"lease": "2s", "block": "50ms", "trim_every": "100ms"}
    tree["workers"]["decide"]["max_attempts"] = 2
    return topology_from(tree, tmp_path)


@pytest.fixture
def users(client: Client, topology: Topology) -> Iterator[list[Role]]:
    found = roles(topology)
    for role in found:
        send(client, "ACL SETUSER", role.user, *role.rules(f">{SECRET}"))
    send(client, "ACL LOG", "RESET")
    yield found
    for role in found:
        send(client, "ACL DELUSER", role.user)


@contextmanager
def acting(server: StreamServer, user: str) -> Iterator[Client]:
    with connect(server.url.replace("://", f"://{user}:{SECRET}@")) as client:
        yield client


@contextmanager
def all_at_work(server: StreamServer, topology: Topology) -> Iterator[None]:
    with ExitStack() as stack:
        for name in topology.workers:
            own = stack.enter_context(acting(server, f"penstock-{name}"))
            worker = start_worker(own, topology, name)
            stack.callback(worker.stop)
        yield


def examples(stream: str) -> list[bytes]:
    return [json.dumps(EXAMPLES[kind]).encode() for kind in SOURCES[stream]]


def denied(client: Client) -> list[str]:
    return [str(entry) for entry in send(client, "ACL LOG")]


def test_every_worker_does_its_whole_job_under_its_own_rules(
    server: StreamServer,
    client: Client,
    topology: Topology,
    users: list[Role],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path))
    for stream in SOURCES:
        with acting(server, f"producer-{stream}") as producer:
            send(producer, "XADD", stream, "*", "data", b"{broken")
            send(producer, "XADD", stream, "*", "data", examples(stream)[0], "id", "a")
        with acting(server, f"publisher-{stream}") as publisher:
            for data in examples(stream):
                Publisher.of(publisher, topology).publish(stream, Outgoing(data, id="b"))
    send(client, "XGROUP CREATE", "L3_IN", "gate", "0")
    send(client, "XREADGROUP", "GROUP", "gate", "dead", "COUNT", 1, "STREAMS", "L3_IN", ">")
    send(client, "XADD", "L8", "*", "data", b"{broken")
    for _ in range(2):  # the second time it brings back what the first left
        with all_at_work(server, topology):
            until(lambda: settled(client, topology))
            until(lambda: send(client, "XLEN", "L3_IN") == 0, what="trimming")
            until(lambda: send(client, "XLEN", "DEAD_LETTER") == 1, what="a dead letter")
    assert denied(client) == []
    assert send(client, "XLEN", "SHRINK") == len(SOURCES)
    assert {name for name, _, outcome in counters(client, topology) if outcome == "accepted"} == {
        *topology.workers
    }


def test_a_drift_worker_sets_a_first_baseline_under_its_own_rules(
    server: StreamServer, client: Client, topology: Topology, users: list[Role]
) -> None:
    for _ in range(WARM_UP):
        send(client, "XADD", "L3", "*", "data", json.dumps(EXAMPLES["sensor_reading"]))
    handler = build_handler(topology, "drift", Lane())
    assert isinstance(handler, Drift)
    with acting(server, "penstock-drift") as own:
        worker = start_worker(own, topology, "drift", handler)
        Baselining(worker.station, handler, worker.standing, get_logger()).once()
        worker.stop()
    first = Baselines(client, topology.lanes, "L3", topology.lineage).newest()
    assert first is not None
    assert "penstock:baseline:L3" in str(send(client, "XRANGE", "LINEAGE", "-", "+"))
    assert denied(client) == []


def test_supervisor_operator_and_readers_do_theirs(
    server: StreamServer, client: Client, topology: Topology, users: list[Role]
) -> None:
    with acting(server, "penstock-gate") as own:
        gate = start_worker(own, topology, "gate")
        for _ in range(4):
            send(client, "XADD", "L3_IN", "*", "data", b"{broken")
        until(lambda: send(client, "XLEN", "SHRINK") == 4)
        with acting(server, "penstock-supervisor") as supervisor:
            assert present(supervisor, 0.0)
            assert stream_states(supervisor, topology)
            assert counters(supervisor, topology)
            send(client, "XADD", "L3", "*", "data", b"{broken")
            send(client, "XGROUP CREATE", "L3", "drift", "0")
            send(client, "XREADGROUP", "GROUP", "drift", "one", "STREAMS", "L3", ">")
            seen = progress(supervisor, topology)
            assert (seen["gate", 0].settled, seen["gate", 0].lag) == (4, 0)
            assert seen["drift", 0].grips["one"].pending == 1
            assert write_side(supervisor, topology, "SUPERVISOR_EVENTS", "{}")
            assert trim_side(supervisor, topology, "SUPERVISOR_EVENTS") == 0
            assert break_lease(supervisor, Lane(), "gate", gate.station.holder)
        gate.stop()
    author = gate.station.author | {"at_ms": 1}
    with acting(server, "penstock-console") as console:
        assert stream_states(console, topology)
        assert newest(console, topology, "ANOMALY_EVENTS", 5) == []
        assert write_side(console, topology, "SUPERVISOR_EVENTS", "{}")
        quarantine = Quarantine(console, topology.lanes, "SHRINK", topology.lineage)
        first, second, *_ = quarantine.list()
        assert quarantine.release(first.entry.uid, author, b"{}")
        quarantine.drop(second.entry.uid)
    with acting(server, "penstock-operator") as operator:
        quarantine = Quarantine(operator, topology.lanes, "SHRINK", topology.lineage)
        first, second = quarantine.list()
        assert quarantine.release(first.entry.uid, author, b"{}")
        quarantine.drop(second.entry.uid)
        assert Publisher.of(operator, topology).publish("L4_IN", Outgoing(b"{}", id="x"))
        assert newest(operator, topology, "L3_IN", 5)
        present(operator, 0.0)
        stored = Baselines(operator, topology.lanes, "L3", topology.lineage)
        assert stored.append(stored.newest(), FIRST, author, [first.entry.uid])
    with acting(server, "penstock-replay") as replayer:
        output = {"parents": [first.entry.uid], "supersedes": [second.entry.uid]}
        assert newest(replayer, topology, "L3_IN", 5)
        assert supersede(replayer, "SHRINK", [b"data", b"{}"], topology.lineage, author, output)
        send(client, "DEL", "SHRINK")
    with acting(server, "reader-SHRINK") as reader:
        assert newest(reader, topology, "SHRINK", 5) == []
        assert send(reader, "XREAD", "STREAMS", "SHRINK", "0") in (None, [])
    assert denied(client) == []


FIRST = Baseline(stream="L3", version=1, change="set", changed=("a",), by="me", at_ms=1, fields={})
STEAL = "return redis.call('GET', 'penstock:checkpoint:anomaly')"
FORBIDDEN = {
    "producer-L3_IN": [
        ("XRANGE", "ANOMALY_EVENTS", "-", "+"), ("XRANGE", "L3_IN", "-", "+"),
        ("XDEL", "L3_IN", "1-1"), ("XTRIM", "L3_IN", "MAXLEN", "0"), ("DEL", "L3_IN"),
        ("XADD", "L3", "*", "data", "{}"), ("XADD", "L4_IN", "*", "data", "{}"),
        ("EVAL", "return 1", "0"),
    ],
    "publisher-L3_IN": [
        ("XRANGE", "L3_IN", "-", "+"), ("XDEL", "L3_IN", "1-1"), ("EVAL", STEAL, "1", "L3_IN"),
        ("GET", "penstock:seen:L4_IN:a"), ("XADD", "L3", "*", "data", "{}"),
    ],
    "penstock-gate": [
        ("HGETALL", "penstock:positions:anomaly"), ("HGETALL", "penstock:positions:lineage"),
        ("XRANGE", "ANOMALY_EVENTS", "-", "+"), ("XRANGE", "LINEAGE", "-", "+"),
        ("XADD", "ANOMALY_EVENTS", "*", "data", "{}"), ("XADD", "L3_IN", "*", "data", "{}"),
        ("XGROUP", "DESTROY", "L3_IN", "gate"), ("XDEL", "L3_IN", "1-1"), ("DEL", "L3_IN"),
        ("GET", "penstock:checkpoint:anomaly"), ("EVAL", STEAL, "1", "L3_IN"),
        ("SET", "penstock:lease:lineage:owner", "1"),
    ],
    "penstock-anomaly": [
        ("XADD", "L3", "*", "data", "{}"), ("XADD", "DRIFT_EVENTS", "*", "data", "{}"),
        ("XRANGE", "L4", "-", "+"), ("XRANGE", "DRIFT_EVENTS", "-", "+"),
        ("GET", "penstock:checkpoint:drift"), ("HSET", "penstock:positions:drift", "a", "b"),
        ("XRANGE", "penstock:baseline:L3", "-", "+"), ("DEL", "penstock:baseline:L3"),
        ("XADD", "penstock:baseline:L3", "*", "data", "{}"),
        ("HGETALL", "penstock:positions:drift"), ("GET", "penstock:seen:L3_IN:a"),
    ],
    "penstock-drift": [
        ("XRANGE", "penstock:baseline:SHRINK", "-", "+"), ("DEL", "penstock:baseline:L3"),
        ("XADD", "penstock:baseline:SHRINK", "*", "data", "{}"),
        ("XDEL", "penstock:baseline:L3", "1-1"), ("XADD", "ANOMALY_EVENTS", "*", "data", "{}"),
    ],
    "penstock-lineage": [("XRANGE", "L3", "-", "+"), ("XADD", "L3", "*", "data", "{}")],
    "reader-ANOMALY_EVENTS": [
        ("XADD", "ANOMALY_EVENTS", "*", "data", "{}"), ("XDEL", "ANOMALY_EVENTS", "1-1"),
        ("XRANGE", "L3", "-", "+"), ("XGROUP", "CREATE", "ANOMALY_EVENTS", "mine", "0"),
    ],
    "penstock-supervisor": [("XRANGE", "L3", "-", "+"), ("XADD", "L3_IN", "*", "data", "{}")],
    "penstock-replay": [
        ("XADD", "L3_IN", "*", "data", "{}"), ("XDEL", "L3", "1-1"),
        ("SET", "penstock:checkpoint:anomaly", ""), ("XGROUP", "DESTROY", "L3", "anomaly"),
    ],
    "penstock-operator": [
        ("XDEL", "L3", "1-1"), ("XADD", "ANOMALY_EVENTS", "*", "data", "{}"),
        ("GET", "penstock:checkpoint:anomaly"), ("XGROUP", "DESTROY", "L3", "anomaly"),
        ("DEL", "penstock:baseline:L3"), ("XDEL", "penstock:baseline:L3", "1-1"),
    ],
}  # fmt: skip
NOBODY = [("FLUSHALL",), ("CONFIG", "GET", "*"), ("KEYS", "*"), ("ACL", "LIST"), ("SHUTDOWN",)]


def test_nobody_does_more(
    server: StreamServer, client: Client, topology: Topology, users: list[Role]
) -> None:
    send(client, "XADD", "L3_IN", "1-1", "data", "{}")
    for role in users:
        with acting(server, role.user) as own:
            for command in (*FORBIDDEN.get(role.user, ()), *NOBODY):
                with pytest.raises(StreamsError, match="denies us"):
                    send(own, *command)
    assert send(client, "XLEN", "L3_IN") == 1


def test_a_placeholder_that_was_not_replaced_makes_no_user(
    client: Client, topology: Topology
) -> None:
    for role in roles(topology):
        with pytest.raises(StreamsError, match="password hash"):
            send(client, "ACL SETUSER", role.user, *role.rules())
