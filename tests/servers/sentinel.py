"""A master, its replica, and a sentinel that watches them and makes the replica the new master."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.connection import connect, send, wait_for
from tests.servers.pipeline import until
from tests.servers.ports import free_port
from tests.servers.stream_server import StreamServer, binary_of, running

SERVICE = "penstock"

_CONFIG = """\
port {port}
bind 127.0.0.1
dir {directory}
logfile sentinel.log
requirepass {password}
sentinel resolve-hostnames no
sentinel monitor {service} 127.0.0.1 {master} 1
sentinel auth-pass {service} {servers_password}
sentinel down-after-milliseconds {service} 500
sentinel failover-timeout {service} 2000
"""


@dataclass
class Watched:
    """The servers, and the URL that leads to whichever is the master."""

    servers: dict[int, StreamServer]
    url: str
    sentinel_url: str

    def master(self) -> StreamServer:
        with connect(self.sentinel_url) as sentinel:
            _, port = send(sentinel, "SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)
        return self.servers[int(port)]


@contextmanager
def watched(kind: str) -> Iterator[Watched]:
    """Everything in sync, each with a password of its own, gone when the block ends."""
    login = ("--requirepass", "server-secret", "--masterauth", "server-secret")
    with ExitStack() as stack:
        master = stack.enter_context(running(kind, extra=login, password="server-secret"))
        follows = ("--replicaof", f"127.0.0.1 {master.port}", "--repl-diskless-sync-delay", "0")
        replica = stack.enter_context(
            running(kind, extra=(*login, *follows), password="server-secret")
        )
        with master.client() as client:
            until(
                lambda: (
                    send(client, "INFO", "replication").get("slave0", {}).get("state") == "online"
                )
            )
        port = free_port()
        place = f"127.0.0.1:{port}"
        found = Watched(
            {server.port: server for server in (master, replica)},
            f"redis+sentinel://:server-secret@{place}/{SERVICE}/0?sentinel_password=sentinel-secret",
            f"redis://:sentinel-secret@{place}",
        )
        stack.enter_context(_sentinel(kind, port, master.port))
        with connect(found.sentinel_url) as sentinel:
            wait_for(sentinel, 10.0)
            until(lambda: send(sentinel, "SENTINEL REPLICAS", SERVICE), what="a known replica")
        yield found


@contextmanager
def _sentinel(kind: str, port: int, master: int) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="penstock-test-") as directory:
        config = Path(directory) / "sentinel.conf"
        config.write_text(
            _CONFIG.format(
                port=port, directory=directory, service=SERVICE, master=master,
                password="sentinel-secret", servers_password="server-secret",
            )
        )  # fmt: skip
        process = subprocess.Popen(
            [binary_of(kind), str(config), "--sentinel"], stdout=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(20)
