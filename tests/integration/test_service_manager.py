"""A real worker under a service manager: it is ready, feeds the watchdog, stalls, and stops."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.pipeline import SMALL, topology_from
from tests.servers.processes import ROOT
from tests.servers.proxy import proxied
from tests.servers.stream_server import StreamServer

START = (
    "import sys, workers.__main__ as main; main._STALLED_AFTER_S = 1.5; "
    "sys.exit(main.main(sys.argv[1:]))"
)
FED_EVERY_S = 0.1


class Heard:
    """The manager's end of the notify socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(20.0)

    def next(self) -> str:
        return self._socket.recv(4096).decode()

    def until(self, words: str) -> str:
        while True:
            said = self.next()
            if words in said:
                return said

    def close(self) -> None:
        self._socket.close()


@contextmanager
def managed(config: Path, url: str, heard: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {
        **os.environ,
        "PENSTOCK_REDIS_URL": url,
        "PENSTOCK_DATA_DIR": str(config.parent),
        "PENSTOCK_COMMAND_TIMEOUT_S": "60",
        "NOTIFY_SOCKET": str(heard),
        "WATCHDOG_USEC": str(int(3e6 * FED_EVERY_S)),
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", START, "gate", "--config", str(config)], cwd=ROOT, env=environment
    )
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.kill()
        worker.wait(20)


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    found = Heard(tmp_path / "notify")
    yield found
    found.close()


def test_the_watchdog_is_fed_from_ready_to_stopping_but_not_while_the_loop_stands_still(
    valkey_server: StreamServer, tmp_path: Path, heard: Heard
) -> None:
    topology_from(SMALL, tmp_path)
    go_on = threading.Event()

    def hanging(command: list[bytes]) -> None:
        go_on.wait(30)

    with (
        proxied(valkey_server.port) as proxy,
        managed(tmp_path / "streams.yaml", proxy.url, tmp_path / "notify") as worker,
    ):
        heard.until("READY=1")
        heard.until("WATCHDOG=1")
        proxy.plan = hanging
        heard.until("stood still")
        said = [heard.next() for _ in range(2)]  # the status, once a second, is ten beats' time
        assert all("stood still" in each and "WATCHDOG" not in each for each in said)
        go_on.set()
        heard.until("WATCHDOG=1")
        worker.send_signal(signal.SIGTERM)
        heard.until("STOPPING=1")
        assert worker.wait(20) == 0
