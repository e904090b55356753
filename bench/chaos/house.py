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
from streams.groups import group_rows, lag_of
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
        until(self.settled, within_s, "that everything is settled")
        self.workers.stop()

    def until_groups_exist(self) -> None:
        """Wait until every worker that was started has begun."""
        until(lambda: all(_rows(self.client, *place) for place in self._places()), 60.0)

    def settled(self) -> bool:
        """Whether the groups of all workers that were started have settled everything."""
        found = [_rows(self.client, *place) for place in self._places()]
        return all(
            rows and all(row["lag"] == 0 and row["pending"] == 0 for row in rows) for rows in found
        )

    def _places(self) -> list[tuple[str, set[str]]]:
        """Each stream, and which of the workers that were started read it."""
        started = {label.partition("#")[0] for label in self.workers.processes}
        found = {s: started.intersection(readers(self.topology, s)) for s in self.topology.streams}
        return [(stream, names) for stream, names in found.items() if names]

    def entries(self, stream: str) -> list[Entry]:
        """Every entry of a stream."""
        return list(since(self.client, self.topology, stream, {}))

    def data(self, stream: str) -> list[bytes]:
        """The payload of every entry of a stream."""
        return data_of(self.entries(stream))

    def empty(self) -> None:
        """Forget everything that the server holds."""
        send(self.client, "FLUSHALL")


def _rows(client: Client, stream: str, names: set[str]) -> list[dict[str, Any]]:
    """What the server says of these groups, and how far behind they are; empty while one of them
    is missing.
    """
    try:
        info = send(client, "XINFO STREAM", stream)
        rows = [row for row in group_rows(client, stream) if row["name"].decode() in names]
    except GroupMissing:
        return []
    length, last_id = info["length"], info["last-generated-id"]
    found = [{**row, "lag": lag_of(row, length, last_id)} for row in rows]
    return found if len(found) == len(names) else []


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
        config, found = Path(name) / "streams.yaml", list[Workers]()
        topology = topology_from(tree, config.parent)
        heir = _settle(Estate(topology.lanes), found, client) if supervised else lambda: None
        with workers(server, config, after_death=heir, code=code, most_bytes=most_bytes) as started:
            found.append(started)
            yield House(server, config.parent, topology, client, started)


def _settle(estate: Estate, found: list[Workers], client: Client) -> Callable[[], object]:
    def settle() -> None:
        dead = [p.pid for p in found[0].processes.values() if p.poll() is not None]
        estate.note([*found[0].alive, *dead])
        estate.note(found[0].alive)
        estate.settle(client)

    return settle
