"""``penstock doctor``: each check finds the fault that a real server was provoked into."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lineage.settings import LineageSettings
from schemas.topology import Topology
from streams.acl import roles
from streams.condition import servers
from streams.connection import Client, connect, send
from streams.settings import ServerSettings
from supervisor.cli import app
from supervisor.context import Context
from supervisor.doctor import flow, machine, server
from supervisor.doctor.examine import CHECKS, checked, examine
from supervisor.doctor.finding import Check, Level, Patient
from supervisor.doctor.stranded import stranded
from tests.servers.pipeline import SMALL, reading, settled, topology_from, until, working
from tests.servers.stream_server import StreamServer, running

Provoke = Callable[[Client], object]


@pytest.fixture(scope="module")
def own_server() -> Iterator[StreamServer]:
    """A server whose settings a test may spoil."""
    with running("valkey", extra=("--maxmemory", "1gb")) as found:
        yield found


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


@pytest.fixture
def patient(own_server: StreamServer, topology: Topology) -> Iterator[Patient]:
    settings = {name: ("yes" if name == "appendonly" else "") for name in ("appendonly", "save")}
    settings |= {"appendfsync": "everysec", "maxmemory": "1gb", "maxmemory-policy": "noeviction"}
    with own_server.client() as client:
        for name, value in settings.items():
            send(client, "CONFIG SET", name, value)
        send(client, "FLUSHALL")
        yield Patient(topology, ServerSettings(), client, servers(client, topology), time.time)
        send(client, "ACL SETUSER", "default", "on", "nopass")


def levels(check: Check, patient: Patient) -> list[Level]:
    return [finding.level for finding in checked(check, patient)]


SET = {
    "nothing on disk": (server.persistence, Level.FAULT, [("appendonly", "no")]),
    "snapshots": (server.persistence, Level.WARNING, [("appendonly", "no"), ("save", "60 1")]),
    "no fsync": (server.persistence, Level.WARNING, [("appendfsync", "no")]),
    "eviction": (server.memory, Level.FAULT, [("maxmemory-policy", "allkeys-lru")]),
    "unbounded": (server.memory, Level.NOTICE, [("maxmemory", "0")]),
    "full": (server.memory, Level.FAULT, [("maxmemory", "1mb")]),
}


@pytest.mark.parametrize("name", SET)
def test_a_setting_that_endangers_messages_is_found(name: str, patient: Patient) -> None:
    check, level, spoilt = SET[name]
    assert levels(check, patient) == [Level.OK]
    for setting, value in spoilt:
        send(patient.client, "CONFIG SET", setting, value)
    found = list(checked(check, patient))
    assert max(each.level.rank for each in found) == level.rank
    assert all(each.remedy for each in found if each.level is not Level.OK)


def test_an_open_server_and_the_user_default_are_told(
    patient: Patient, own_server: StreamServer
) -> None:
    assert levels(server.users, patient) == [Level.WARNING]
    send(patient.client, "ACL SETUSER", "default", "resetpass", ">secret")
    assert levels(server.users, patient) == [Level.NOTICE]
    send(patient.client, "ACL SETUSER", "ops", "on", ">pw", "+@all", "~*")
    with connect(own_server.url.replace("://", "://ops:pw@")) as client:
        there = replace(patient, client=client, servers={"it": client})
        assert levels(server.users, there) == [Level.OK]
    send(patient.client, "ACL DELUSER", "ops")


@pytest.mark.parametrize(
    ("off_s", "level"), [(0.0, Level.OK), (0.5, Level.WARNING), (-3.0, Level.FAULT)]
)
def test_a_clock_that_is_off_is_told_by_how_much(
    off_s: float, level: Level, patient: Patient
) -> None:
    off = replace(patient, now_s=lambda: time.time() + off_s)
    (found,) = checked(server.clock, off)
    assert found.level is level
    assert f"{abs(off_s):.1f}" in found.said


def test_a_cluster_that_misses_slots_is_a_fault(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert levels(server.cluster, patient) == [Level.OK]
    monkeypatch.setattr(server, "slots", lambda _: (False, 10_923))
    assert levels(server.cluster, patient) == [Level.FAULT]


FLOWS: dict[str, tuple[Check, Level, Provoke]] = {
    "stranger": (
        flow.groups,
        Level.WARNING,
        lambda c: (
            send(c, "XGROUP CREATE", "IN", "gate", "0", "MKSTREAM"),
            send(c, "XGROUP CREATE", "IN", "old", "0"),
        ),
    ),
    "unread": (flow.groups, Level.WARNING, lambda c: send(c, "XADD", "IN", "*", "data", "{}")),
    "other lane": (flow.keys, Level.WARNING, lambda c: send(c, "XADD", "IN{3}", "*", "a", "b")),
    "no stream": (flow.keys, Level.FAULT, lambda c: send(c, "SET", "OK", "text")),
    "renamed": (
        stranded,
        Level.WARNING,
        lambda c: (
            send(c, "XADD", "OTHERS", "*", "of", "others"),
            send(c, "XADD", "INBOX", "*", "data", "{}"),
            send(c, "XGROUP CREATE", "INBOX", "gate", "0"),
        ),
    ),
    "renamed with its worker": (
        stranded,
        Level.WARNING,
        lambda c: (
            send(c, "XADD", "INBOX", "*", "data", "{}"),
            send(c, "XGROUP CREATE", "INBOX", "door", "0"),
            send(c, "HSET", "penstock:counters", "door:INBOX:accepted", 1),
        ),
    ),
    "renamed and read": (
        stranded,
        Level.NOTICE,
        lambda c: send(c, "XGROUP CREATE", "INBOX", "gate", "$", "MKSTREAM"),
    ),
    "left behind": (
        flow.left_behind,
        Level.NOTICE,
        lambda c: (
            send(c, "XGROUP CREATE", "IN", "gate", "0", "MKSTREAM"),
            send(c, "XGROUP CREATECONSUMER", "IN", "gate", "gone"),
        ),
    ),
    "left pending": (
        flow.left_behind,
        Level.WARNING,
        lambda c: (
            send(c, "XADD", "IN", "*", "data", "{}"),
            send(c, "XGROUP CREATE", "IN", "gate", "0"),
            send(c, "XREADGROUP", "GROUP", "gate", "gone", "STREAMS", "IN", ">"),
        ),
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_what_lies_where_nobody_looks_is_found(name: str, patient: Patient) -> None:
    check, level, provoke = FLOWS[name]
    assert levels(check, patient) == [Level.OK]
    provoke(patient.client)
    (found,) = checked(check, patient)
    assert found.level is level
    assert found.remedy


def test_a_stream_that_was_renamed_is_told_with_what_is_unread_and_what_to_do(
    patient: Patient,
) -> None:
    provoke = FLOWS["renamed"][2]
    provoke(patient.client)
    (found,) = checked(stranded, patient)
    assert "INBOX is not in the topology" in found.said
    assert "its 1 entries stay on the server; 1 unread by 'gate'" in found.said
    assert (
        "have INBOX in the topology until it is read by 'gate'; if nobody needs them: DEL INBOX"
        in found.remedy
    )
    (role,) = (role for role in roles(patient.topology) if role.user == "penstock-doctor")
    send(patient.client, "ACL SETUSER", role.user, *role.rules("nopass"))
    pool = patient.client.connection_pool.connection_kwargs
    with connect(f"redis://{role.user}:any@{pool['host']}:{pool['port']}") as client:
        (unseen,) = checked(stranded, replace(patient, client=client, servers={"it": client}))
    assert unseen.level is Level.NOTICE
    assert "INBOX" in unseen.said
    send(patient.client, "ACL DELUSER", role.user)


def test_a_stream_above_its_mark_is_told(patient: Patient, tmp_path: Path) -> None:
    marked = {**SMALL["streams"], "IN": SMALL["streams"]["IN"] | {"high_water": 2}}
    full = replace(patient, topology=topology_from(SMALL | {"streams": marked}, tmp_path))
    send(patient.client, "XADD", "IN", "*", "data", "{}")
    assert levels(flow.high_water, full) == [Level.OK]
    send(patient.client, "XADD", "IN", "*", "data", "{}")
    assert levels(flow.high_water, full) == [Level.WARNING]


def test_a_pipeline_at_work_is_well_and_its_doctor_needs_no_more_than_its_rules(
    patient: Patient, own_server: StreamServer
) -> None:
    assert levels(flow.workers, patient) == [Level.WARNING]
    (role,) = (role for role in roles(patient.topology) if role.user == "penstock-doctor")
    send(patient.client, "ACL SETUSER", role.user, *role.rules(">pw"))
    send(patient.client, "ACL SETUSER", "default", "resetpass", ">secret")
    send(patient.client, "XADD", "IN", "*", "data", reading())
    with (
        connect(own_server.url.replace("://", "://:secret@")) as workers,
        working(workers, patient.topology, "gate"),
        connect(own_server.url.replace("://", f"://{role.user}:pw@")) as client,
    ):
        until(lambda: settled(patient.client, patient.topology))
        there = replace(patient, client=client, servers={"it": client})
        until(lambda: levels(flow.workers, there) == [Level.OK], what="the line of the gate")
        found = {name: levels(check, there) for name, check in CHECKS.items()}
    unseen = {"persistence": [Level.NOTICE]}  # of appendfsync, which CONFIG GET alone tells
    assert found == {name: [Level.OK] for name in CHECKS} | unseen
    with connect(own_server.url.replace("://", f"://{role.user}:pw@")) as client:
        send(patient.client, "ACL SETUSER", role.user, "-time")
        (denied,) = checked(server.clock, replace(patient, servers={"it": client}))
    assert denied.level is Level.NOTICE
    assert "time" in denied.said
    send(patient.client, "ACL DELUSER", role.user)


GIB = 1024**3


@pytest.mark.parametrize(
    ("left", "level"), [(50 * GIB, Level.OK), (GIB, Level.WARNING), (GIB // 8, Level.FAULT)]
)
def test_a_disk_that_runs_full_is_told(left: int, level: Level, tmp_path: Path) -> None:
    assert machine.disk(tmp_path / "not" / "yet", lambda _: (100 * GIB, left)).level is level


def test_a_graph_that_does_not_answer_is_a_fault_and_none_is_made(tmp_path: Path) -> None:
    (fine,) = machine.graph(LineageSettings(data_dir=tmp_path / "none"))
    assert fine.level is Level.OK
    assert not (tmp_path / "none").exists()
    (tmp_path / "lineage.db").write_text("no database at all, but as long as a page might be")
    (broken,) = machine.graph(LineageSettings(data_dir=tmp_path))
    assert broken.level is Level.FAULT
    away = LineageSettings(neo4j_uri="bolt://127.0.0.1:1", data_dir=tmp_path)
    (found,) = machine.graph(away)
    assert found.level is Level.FAULT
    assert "Neo4j" in found.remedy


def test_the_verb_prints_findings_and_fails_on_a_fault(
    patient: Patient, own_server: StreamServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_REDIS_URL", own_server.url)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path / "data"))
    verb = ["--config", str(tmp_path / "streams.yaml"), "doctor"]
    fine = CliRunner().invoke(app, [*verb, "--json"])
    assert fine.exit_code == 0, fine.output
    told = json.loads(fine.stdout)
    assert told["worst"] == "warning"
    assert {each["check"] for each in told["findings"]} >= {*CHECKS, "disk", "lineage", "topology"}
    assert CliRunner().invoke(app, [*verb, "--strict"]).exit_code == 1
    send(patient.client, "CONFIG SET", "maxmemory-policy", "allkeys-lru")
    spoilt = CliRunner().invoke(app, verb)
    assert spoilt.exit_code == 1
    assert "→ CONFIG SET maxmemory-policy noeviction" in spoilt.stdout


def test_no_server_and_a_broken_topology_are_findings_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path))
    topology_from(SMALL, tmp_path)
    found = {e.check: e.finding.level for e in examine(Context(tmp_path / "streams.yaml"))}
    assert found["server"] is Level.FAULT
    broken = tmp_path / "broken.yaml"
    broken.write_text("workers: {}")
    found = {e.check: e.finding.level for e in examine(Context(broken))}
    assert found["topology"] is Level.FAULT
    assert found["disk"] is Level.OK
