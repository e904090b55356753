"""A server, a topology and its worker processes, for as long as a fault is made in them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.topology import Topology
from schemas.topology_graph import readers
from streams.connection import Client, send
from streams.entry import Entry
from streams.errors import GroupMissing
from streams.groups import group_rows
from streams.observe import since
from supervisor.estate import Estate
from tests.servers.pipeline import data_of, topology_from, until
from tests.servers.processes import ROOT, Workers, workers
from tests.servers.stream_server import StreamServer, running


@dataclass
class House:
    """What a fault is made in."""

    server: StreamServer
    directory: Path
    topology: Topology
    client: Client
    workers: Workers

    def start(self, *labels: str) -> None:
        """Start workers."""
        for label in labels:
            self.workers.start(label)

    def finish(self, within_s: float = 120.0) -> None:
        """Wait until every group has settled everything, then end the workers."""
        until(lambda: self.settled(), within_s, "that everything is settled")
        self.workers.stop()

    def settled(self) -> bool:
        """Whether the groups of all workers that were started have settled everything."""
        started = {label.partition("#")[0] for label in self.workers.processes}
        wanted = [
            (stream, started.intersection(readers(self.topology, stream)))
            for stream in self.topology.streams
        ]
        return all(_is_settled(self.client, stream, names) for stream, names in wanted if names)

    def entries(self, stream: str) -> list[Entry]:
        """Every entry of a stream."""
        return list(since(self.client, self.topology, stream, {}))

    def data(self, stream: str) -> list[bytes]:
        """The payload of every entry of a stream."""
        return data_of(self.entries(stream))

    def empty(self) -> None:
        """Forget everything that the server holds."""
        send(self.client, "FLUSHALL")


def _is_settled(client: Client, stream: str, names: set[str]) -> bool:
    try:
        rows = {row["name"].decode(): row for row in group_rows(client, stream)}
    except GroupMissing:
        return False
    return all(
        name in rows and rows[name]["lag"] == 0 and rows[name]["pending"] == 0 for name in names
    )


@contextmanager
def house(
    kind: str,
    tree: dict[str, Any],
    *,
    supervised: bool = False,
    code: Path = ROOT,
    most_bytes: int | None = None,
    appendfsync: str = "everysec",
) -> Iterator[House]:
    """A fresh server of that kind (``valkey`` or ``redis``) and the tree's topology.

    ``supervised``: what a process leaves behind is settled before it is started again, as the
    supervisor does. The rest is as for ``Workers``.
    """
    with (
        running(kind, appendfsync=appendfsync) as server,
        tempfile.TemporaryDirectory(prefix="penstock-chaos-") as name,
        server.client() as client,
    ):
        directory = Path(name)
        topology = topology_from(tree, directory)
        estate = Estate(topology.lanes)
        found: list[Workers] = []
        with workers(
            server,
            directory / "streams.yaml",
            after_death=_settle(estate, found, client) if supervised else lambda: None,
            code=code,
            most_bytes=most_bytes,
        ) as started:
            found.append(started)
            yield House(server, directory, topology, client, started)


def _settle(estate: Estate, found: list[Workers], client: Client) -> Callable[[], object]:
    def settle() -> None:
        dead = [p.pid for p in found[0].processes.values() if p.poll() is not None]
        estate.note([*found[0].alive, *dead])
        estate.note(found[0].alive)
        estate.settle(client)

    return settle
