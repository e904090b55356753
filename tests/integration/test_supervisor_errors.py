"""Starts that cannot succeed: each ends with its own exit code, one sentence, and nothing left."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from streams.connection import Client, connect
from streams.embedded import EmbeddedServer
from streams.errors import ServerAway
from streams.publish import Outgoing, Publisher
from supervisor.exits import Exit
from supervisor.http_client import ask
from supervisor.whereabouts import read
from tests.servers.pipeline import reading, until
from tests.servers.supervised import PASSING, House, left_over, up


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def refused(house: House, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``penstock up`` both ways; both say the same, and nothing is left behind."""
    ahead, detached = house.run("up", *arguments), house.run("up", "--detach", *arguments)
    assert ahead.returncode == detached.returncode
    assert ahead.stderr == detached.stderr
    assert "Traceback" not in ahead.stderr
    until(lambda: not left_over(house))
    return ahead


@pytest.mark.parametrize("option", ["--port", "--server-port"])
def test_a_port_that_is_taken(house: House, taken_port: int, option: str) -> None:
    done = refused(house, option, str(taken_port))
    assert done.returncode == Exit.PORT_TAKEN
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"penstock: port {taken_port} ")


def test_a_server_that_cannot_be_reached(house: House) -> None:
    house.environment["PENSTOCK_REDIS_URL"] = "redis://u:secret@127.0.0.1:1/0"
    done = house.run("up", "--detach", "--port", "0")
    assert done.returncode == Exit.SERVER
    (sentence,) = done.stderr.splitlines()
    assert "does not answer" in sentence
    assert "secret" not in sentence
    assert house.run("status").returncode == Exit.SERVER


def test_a_topology_that_is_wrong(house: House) -> None:
    config = house.directory / "streams.yaml"
    config.write_text(config.read_text().replace("rejects_to: BAD", "rejects_to: BED"))
    done = refused(house)
    assert done.returncode == Exit.TOPOLOGY
    assert "streams.yaml:" in done.stderr
    assert "did you mean 'BAD'" in done.stderr


def test_a_worker_that_is_wrong_does_not_bring_the_others_down(tmp_path: Path) -> None:
    broken = {**PASSING["workers"]["pass"], "call": "authored:missing"}
    house = House(
        tmp_path / "house", {**PASSING, "workers": {**PASSING["workers"], "pass": broken}}
    )
    with up(house) as done:
        assert done.returncode == Exit.TOPOLOGY
        assert "has no 'missing'" in done.stdout
        assert house.worker("gate")["ready"] == 1
        wrong = house.worker("pass")
        assert (wrong["state"], wrong["restarts"]) == ("misconfigured", 0)
        authored = house.directory / "authored.py"
        authored.write_text(authored.read_text() + "missing = counting\n")
        mended = house.run("restart", "pass")
        assert mended.returncode == 0, mended.stderr
        assert house.worker("pass")["ready"] == 1


def test_a_module_that_cannot_be_imported_stops_those_that_need_it_and_nobody_else(
    tmp_path: Path,
) -> None:
    out = {**PASSING["streams"]["OUT"], "schema": "author_of_out:L3EventSchema"}
    house = House(tmp_path / "house")
    topology_file = house.directory / "streams.yaml"
    tree = {**PASSING, "streams": {**PASSING["streams"], "OUT": out}}
    with topology_file.open("w") as file:
        YAML().dump(tree, file)
    (house.directory / "author_of_out.py").write_text("raise ValueError('not today')\n")
    with up(house) as done:
        assert done.returncode == Exit.TOPOLOGY
        assert "not today" in done.stdout
        assert house.worker("gate")["ready"] == 1
        assert house.run("restart", "gate").returncode == 0
        said = (house.data / "logs" / "supervisor.log").read_text()
        assert "broken  pass is misconfigured and tried every 30 s" in said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount the small disk that is to be filled up")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, leave_bytes: int = 0) -> None:
    """Fill a disk up, but for some bytes."""
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - leave_bytes))


@pytest.mark.parametrize("pages_left", [0, 2, 5])
def test_a_disk_that_is_full(house: House, small_disk: Path, pages_left: int) -> None:
    fill(small_disk, pages_left * 4096)
    house.environment["PENSTOCK_DATA_DIR"] = str(small_disk)
    done = house.run("up", "--port", "0")
    assert done.returncode == Exit.DISK_FULL, done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("penstock: ")]) == 1
    assert "Traceback" not in done.stderr
    detached = house.run("up", "--detach", "--port", "0")
    assert detached.returncode == Exit.DISK_FULL, detached.stderr


def test_a_disk_that_is_full_when_the_server_runs_already(house: House, small_disk: Path) -> None:
    server = EmbeddedServer(small_disk)
    address = server.start()
    try:
        fill(small_disk)
        house.environment["PENSTOCK_DATA_DIR"] = str(small_disk)
        done = house.run("up", "--port", "0")
        assert done.returncode == Exit.DISK_FULL, done.stderr
    finally:
        os.kill(address.pid, signal.SIGKILL)
        assert server.process is not None
        server.process.wait()


def publish_without_end(client: Client) -> None:
    while True:
        Publisher(client).publish("IN", Outgoing(reading(x=1.0)))


def test_a_disk_that_fills_up_while_all_runs_holds_them_up_and_ends_nobody(
    house: House, small_disk: Path
) -> None:
    house.environment["PENSTOCK_DATA_DIR"] = str(small_disk)

    def ready() -> bool:
        here = read(small_disk)
        return here is not None and (
            ask("GET", here.host, here.port, "/readyz", timeout_s=5.0)[0] == 200
        )

    with up(house):
        address = EmbeddedServer(small_disk).running()
        assert address is not None
        fill(small_disk)
        with connect(address.url) as client:
            with pytest.raises(ServerAway, match="MISCONF"):
                publish_without_end(client)
            until(lambda: not ready())
            held_up = client.xlen("IN")
            (small_disk / "filler").unlink()
            until(ready)
            until(lambda: client.xlen("OUT") >= held_up)
        found = house.status()
        assert [worker["restarts"] for worker in found["workers"]] == [0, 0]


def test_whose_data_directory_is_removed_drains_and_lets_another_begin(house: House) -> None:
    with up(house) as first:
        assert first.returncode == 0, first.stderr
        before = set(left_over(house))
        shutil.rmtree(house.data)
        with up(house) as second:
            assert second.returncode == 0, second.stderr
            until(lambda: not before & set(left_over(house)), what="that the first is gone")
            assert house.worker("gate")["state"] == "running"
            down = house.run("down")
            assert down.returncode == 0, down.stderr
        assert not left_over(house)


def test_a_supervisor_in_the_foreground_says_that_its_directory_is_gone(house: House) -> None:
    running = house.start("up", "--port", "0")
    until(lambda: read(house.data))
    shutil.rmtree(house.data)
    _, said = running.communicate(timeout=60.0)
    assert running.returncode == Exit.FAILED
    assert f"penstock: {house.data} was removed while the supervisor ran on it" in said
    assert not left_over(house)
