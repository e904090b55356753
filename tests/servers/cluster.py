"""A real cluster for the tests: three masters and three replicas on loopback, formed from Python.

``running_cluster`` starts it in seconds; a test may kill a master, move a slot, and wait for the
failover. Replication is asynchronous, as it is by default.
"""

import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from redis.crc import key_slot

from streams.connection import Client, connect, send
from streams.errors import ServerAway
from tests.servers.pipeline import until
from tests.servers.ports import free_port
from tests.servers.stream_server import StreamServer, binary_of

_MASTERS = 3
_SLOTS = 16384
_SETTINGS = (
    "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
    "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0",
    "--cluster-ping-interval", "100", "--hz", "100",
)  # fmt: skip


@dataclass
class Cluster:
    """Six servers; the first three began as masters, the others as their replicas, in order."""

    servers: Sequence[StreamServer]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        return f"redis+cluster://{hosts}"

    def client(self, timeout_s: float = 5.0) -> Client:
        return connect(self.url, timeout_s=timeout_s)

    def living(self) -> list[StreamServer]:
        return [s for s in self.servers if s.process is not None and s.process.poll() is None]

    def owner(self, key: str) -> StreamServer:
        """The server that serves a key, as the nodes themselves say."""
        slot = key_slot(key.encode())
        for server in self.living():
            with server.client() as node, suppress(ServerAway):  # one that loads cannot tell
                for first, last, master, *_ in send(node, "CLUSTER SLOTS"):
                    if first <= slot <= last:
                        return next(s for s in self.servers if s.port == int(master[1]))
        raise AssertionError(f"nobody serves {key}")

    def replica_of(self, key: str) -> StreamServer:
        """The replica of the master that serves a key."""
        with self.owner(key).client() as node:
            (_, _, ((_, port, _),)) = send(node, "ROLE")
        return next(server for server in self.servers if server.port == int(port))

    def has_replica(self, key: str) -> bool:
        """Whether the master that serves a key has a replica in step with it."""
        try:
            with self.owner(key).client() as node:
                role = send(node, "ROLE")
        except ServerAway:
            return False
        return role[0] == b"master" and bool(role[2])

    def cut_replica(self, key: str) -> StreamServer:
        """Stop the replica of a key's master where it stands: it gets nothing from now on."""
        replica = self.replica_of(key)
        replica.kill(signal.SIGSTOP)
        with self.owner(key).client() as node:
            send(node, "CLIENT KILL", "TYPE", "replica")  # or its socket would go on collecting
        return replica

    def kill_owner(self, key: str) -> StreamServer:
        """``kill -9`` of the master that serves a key."""
        server = self.owner(key)
        server.kill()
        return server

    def await_failover(self, key: str, gone: StreamServer, within_s: float = 15.0) -> StreamServer:
        """Wait until another node serves the key and the cluster says that it is whole."""

        def served() -> StreamServer | None:
            found = self.owner(key)
            return found if found is not gone and self.whole() else None

        found: StreamServer = until(served, within_s, "the failover")
        return found

    def whole(self) -> bool:
        """Whether every node that lives sees all slots served."""
        for server in self.living():
            with server.client() as node:
                if b"cluster_state:ok" not in _info(node):
                    return False
        return True

    def move(self, key: str, *, halfway: Any = None) -> None:
        """Move a key's slot to another master, key by key, as an operator's tool does.

        ``halfway`` is called when half of the keys have gone, while clients are sent ``ASK``.
        """
        slot, source = key_slot(key.encode()), self.owner(key)
        target = next(s for s in self._masters() if s is not source)
        with source.client() as here, target.client() as there:
            ids = [send(node, "CLUSTER MYID") for node in (here, there)]
            send(there, "CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
            send(here, "CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
            keys = send(here, "CLUSTER GETKEYSINSLOT", slot, 1000)
            for number, name in enumerate(sorted(keys)):
                if number == len(keys) // 2 and halfway is not None:
                    halfway()
                send(here, "MIGRATE", "127.0.0.1", target.port, name, 0, 5000)
            while left := send(here, "CLUSTER GETKEYSINSLOT", slot, 1000):  # came meanwhile
                for name in left:
                    send(here, "MIGRATE", "127.0.0.1", target.port, name, 0, 5000)
            for node in (there, here):
                send(node, "CLUSTER SETSLOT", slot, "NODE", ids[1])

    def _masters(self) -> list[StreamServer]:
        found = []
        for server in self.living():
            with server.client() as node:
                if send(node, "ROLE")[0] == b"master":
                    found.append(server)
        return found


@contextmanager
def running_cluster(kind: str, *, extra: tuple[str, ...] = ()) -> Iterator[Cluster]:
    """A cluster of that kind (``valkey`` or ``redis``) with fresh directories, ready for use."""
    binary = binary_of(kind)
    settings = _SETTINGS if kind == "valkey" else tuple(_without("--cluster-ping-interval"))
    with ExitStack() as stack:
        servers = []
        for _ in range(2 * _MASTERS):
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-test-"))
            server = StreamServer(binary, Path(directory), free_port(), extra=(*settings, *extra))
            stack.callback(_end, server)
            server.start()
            servers.append(server)
        form(servers)
        yield Cluster(servers)


def form(servers: Sequence[StreamServer]) -> None:
    """Make a cluster of servers: the first three its masters, the others their replicas."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(server.client()) for server in servers]
        ids = [send(node, "CLUSTER MYID") for node in nodes]
        for number, node in enumerate(nodes):
            send(node, "CLUSTER SET-CONFIG-EPOCH", number + 1)
        for number, node in enumerate(nodes[:_MASTERS]):
            first, after = (_SLOTS * n // _MASTERS for n in (number, number + 1))
            send(node, "CLUSTER ADDSLOTSRANGE", first, after - 1)
        for node in nodes[1:]:
            send(node, "CLUSTER MEET", "127.0.0.1", servers[0].port)
        for number, node in enumerate(nodes[_MASTERS:]):
            until(partial(_joined, node, ids[number]), 10, "the meeting of the nodes")
        for node in nodes:
            until(partial(_says, node, b"cluster_state:ok"), 10, "the cluster")
        for node in nodes[_MASTERS:]:
            until(partial(_says, node, b"master_link_status:up", "replication"), 10, "a copy")


def _says(node: Client, text: bytes, *section: str) -> bool:
    return text in _info(node, *section)


def _joined(node: Client, master: bytes) -> bool:
    """Make a node the replica of a master, once it knows it."""
    try:
        send(node, "CLUSTER REPLICATE", master)
    except Exception:  # noqa: BLE001 - it does not know the master yet
        return False
    return True


def _info(node: Client, section: str = "") -> bytes:
    connection: Any = node.connection_pool.get_connection()
    try:
        connection.send_command(*(("INFO", section) if section else ("CLUSTER", "INFO")))
        reply: bytes = connection.read_response()
    finally:
        node.connection_pool.release(connection)
    return reply


def _without(name: str) -> Iterator[str]:
    settings = iter(_SETTINGS)
    for setting in settings:
        if setting == name:
            next(settings)
        else:
            yield setting


def _end(server: StreamServer) -> None:
    if server.process is not None and server.process.poll() is None:
        server.kill(signal.SIGCONT)
        server.kill(signal.SIGKILL)
