"""``penstock top`` on a real server: one screen, JSON lines, and the live screen with its keys."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.topology import Topology
from streams.acl import roles
from streams.condition import memory_bytes
from streams.connection import Client, connect, send
from supervisor.cli import app
from supervisor.commands import top
from tests.servers.command import emptied
from tests.servers.pipeline import SMALL, reading, settled, topology_from, until, working
from tests.servers.stream_server import StreamServer


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


@pytest.fixture
def client(
    valkey_server: StreamServer,
    topology: Topology,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Client]:
    monkeypatch.chdir(tmp_path)
    with emptied(valkey_server, tmp_path / "data", monkeypatch) as client:
        yield client


@pytest.fixture
def busy(client: Client, topology: Topology) -> Iterator[None]:
    for _ in range(30):
        send(client, "XADD", "IN", "*", "data", reading())
    with working(client, topology, "gate"):
        until(lambda: settled(client, topology))
        yield


def told(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["top", *arguments])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("busy")
def test_one_look_tells_streams_workers_and_events(client: Client) -> None:
    (seen,) = told("--once", "--json")
    (stream,) = (row for row in seen["streams"] if row["name"] == "OK")
    (worker,) = seen["workers"]
    assert (stream["entries"], worker["worker"], worker["state"]) == (30, "gate", "running")
    assert stream["memory_bytes"] > 1000
    assert stream["rate"] == worker["rate"] == 0.0
    assert (seen["events"], seen["server"]["reachable"]) == ([], True)
    screen = CliRunner().invoke(app, ["top", "--once"]).stdout
    assert "No open event." in screen
    assert "gate" in screen
    assert "\x1b" not in screen


@pytest.mark.usefixtures("client")
def test_looks_follow_each_other_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def sleep(pause_s: float) -> None:
        pauses.append(pause_s)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(top.time, "sleep", sleep)
    assert len(told("--json", "--every", "5s")) == 3
    assert all(4.0 < pause_s <= 5.0 for pause_s in pauses)
    assert CliRunner().invoke(app, ["top", "--every", "soon"]).exit_code == 2
    assert CliRunner().invoke(app, ["top", "--every", "1ms"]).exit_code == 2


@pytest.mark.usefixtures("client")
def test_the_live_screen_listens_to_keys_and_leaves_the_terminal_as_it_was() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "supervisor", "top", "--every", "60s"],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "30"},
    )  # fmt: skip
    os.close(theirs)
    said = b""

    def until_said(text: bytes) -> None:
        nonlocal said
        while text not in said:
            said += os.read(ours, 4096)

    try:
        until_said(b"s sort by rate")
        os.write(ours, b"s")
        until_said(b"stream by rate")
        os.write(ours, b"q")
        assert process.wait(10) == 0
        until_said(b"\x1b[?1049l")  # the terminal's own screen is back
    finally:
        process.kill()
        process.wait(10)
        os.close(ours)


def test_the_operators_rules_are_enough_for_memory_and_others_see_none(
    client: Client, topology: Topology, valkey_server: StreamServer
) -> None:
    send(client, "XADD", "IN", "*", "data", reading())
    for role in roles(topology):
        if role.user in ("penstock-operator", "penstock-supervisor"):
            send(client, "ACL SETUSER", role.user, *role.rules(">pw"))
            url = valkey_server.url.replace("://", f"://{role.user}:pw@")
            with connect(url) as theirs:
                found = memory_bytes(theirs, topology)["IN"]
            assert (found is not None) == (role.user == "penstock-operator")
            send(client, "ACL DELUSER", role.user)
