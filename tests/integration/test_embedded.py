"""The embedded server: private, on loopback, and still there after a restart."""

import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from streams.connection import connect, send
from streams.embedded import EmbeddedServer
from streams.errors import EmbeddedServerError, NoServer, PortTaken, ServerAway, ServerRefused
from streams.locate import locate
from streams.settings import ServerSettings


def test_what_it_holds_survives_a_restart_on_the_same_port(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    first = server.start()
    with connect(first.url) as client:
        send(client, "XADD", "L3", "*", "data", "kept")
    server.stop()
    assert server.running() is None
    second = server.start()
    try:
        assert (second.port, second.password) == (first.port, first.password)
        with connect(second.url) as client:
            assert send(client, "XLEN", "L3") == 1
            assert "yes" in str(send(client, "CONFIG GET", "appendonly"))
    finally:
        server.stop()


def test_a_second_start_attaches_to_the_running_one(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    first = server.start()
    try:
        assert EmbeddedServer(tmp_path).start() == first
        assert locate(ServerSettings(data_dir=tmp_path)) == first.url
    finally:
        server.stop()


def test_it_wants_its_password_and_keeps_it_private(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    address = server.start()
    try:
        with connect(f"redis://127.0.0.1:{address.port}") as client, pytest.raises(ServerRefused):
            send(client, "PING")
        for name in ("server.json", "valkey.conf"):
            mode = (tmp_path / "valkey" / name).stat().st_mode
            assert stat.S_IMODE(mode) == 0o600
        command_line = Path(f"/proc/{address.pid}/cmdline").read_bytes()
        assert address.password.encode() not in command_line
    finally:
        server.stop()


def test_a_killed_server_starts_again_with_its_data(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, appendfsync="always")
    address = server.start()
    with connect(address.url) as client:
        send(client, "XADD", "L3", "*", "data", "kept")
    os.kill(address.pid, signal.SIGKILL)
    assert server.process is not None
    server.process.wait(10)
    again = EmbeddedServer(tmp_path)
    try:
        with connect(again.start().url) as client:
            assert send(client, "XLEN", "L3") == 1
    finally:
        again.stop()


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is in use"):
            EmbeddedServer(tmp_path, port=port).start()


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match="cannot be made"):
        EmbeddedServer(tmp_path / "file").start()


def test_a_broken_append_only_file_is_told_in_the_servers_own_words(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.start()
    server.stop()
    for path in (tmp_path / "valkey" / "appendonlydir").iterdir():
        path.write_bytes(b"no append-only file\n" * 20)
    with pytest.raises(EmbeddedServerError, match="ended at once"):
        EmbeddedServer(tmp_path).start()


def test_without_any_server_the_next_step_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoServer, match="penstock up"):
        locate(ServerSettings(data_dir=tmp_path))
    EmbeddedServer(tmp_path).stop()


def test_nobody_listening_is_a_server_that_is_away() -> None:
    with connect("redis://127.0.0.1:1") as client, pytest.raises(ServerAway):
        send(client, "PING")
