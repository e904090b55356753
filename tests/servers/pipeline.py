"""Workers in threads of the test's own process, against a real server, with a small topology."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from ruamel.yaml import YAML

from schemas.topology import Topology
from schemas.topology_file import load_topology
from streams.checkpoint import Seal
from streams.connection import Client
from streams.entry import Entry
from streams.keys import Lane
from streams.observe import newest, stream_states
from workers.announcer import Announcer
from workers.handler import Handler
from workers.heartbeat import Heartbeat
from workers.kinds import build_handler
from workers.loop import Loop
from workers.metrics import Metrics
from workers.standing import Standing
from workers.station import Station, take_station

KEY = b"a key that only tests know"
SECURITY = {"tenant": "acme", "classification": "SECRET"}

READING = "schemas:L3EventSchema"
SMALL: dict[str, Any] = {
    "version": 1,
    "dead_letters": "DEAD_LETTER",
    "lineage": "LINEAGE",
    "delivery": {"lease": "2s", "block": "50ms", "trim_every": "100ms"},
    "streams": {
        "IN": {"schema": READING, "source": True, "layer": 3},
        "OK": {"schema": READING, "sink": True, "layer": 3, "retention": {"age": "1h"}},
        "BAD": {"schema": "schemas:Rejection", "sink": True},
        "DEAD_LETTER": {"schema": "schemas:DeadLetter", "sink": True},
        "LINEAGE": {"schema": "schemas:LineageRecord", "sink": True},
    },
    "workers": {"gate": {"kind": "gate", "routes": {"IN": "OK"}, "rejects_to": "BAD"}},
}


def topology_from(tree: dict[str, Any], directory: Path) -> Topology:
    """A topology from a tree, by way of its file."""
    path = directory / "streams.yaml"
    with path.open("w") as file:
        YAML().dump(tree, file)
    return load_topology(path)


def reading(sensor: str = "s1", **measurements: float) -> bytes:
    """A valid L3 payload."""
    return json.dumps(
        {
            "kind": "sensor_reading",
            "schema_version": "1.0",
            "security": SECURITY,
            "sensor_id": sensor,
            "measurements": measurements or {"x": 1.0},
        }
    ).encode()


def readings(count: int, seed: int = 7) -> list[bytes]:
    """Seeded readings of one field, every 97th far off."""
    rng = random.Random(seed)
    return [
        reading(x=rng.gauss(0, 1) + (40 if i % 97 == 96 else 0), y=rng.random())
        for i in range(count)
    ]


@dataclass
class Running:
    """A worker that runs in a thread."""

    station: Station
    loop: Loop
    standing: Standing
    thread: threading.Thread
    heartbeat: Heartbeat
    announcer: Announcer
    errors: list[BaseException]

    def stop(self) -> None:
        self.standing.stopping.set()
        self.thread.join(30)
        self.heartbeat.stop()
        self.announcer.stop()
        assert not self.thread.is_alive()
        if self.errors:
            raise self.errors[0]


def start_worker(
    client: Client,
    topology: Topology,
    name: str,
    handler: Handler | None = None,
    *,
    lane: Lane | None = None,
    starting: bool = True,
) -> Running:
    """Start a worker of the topology; ``handler`` replaces the one of its kind."""
    lane = lane or Lane()
    station = take_station(client, topology, name, lane, Seal(KEY))
    standing = Standing()
    metrics = Metrics(name, station.settings.kind, time.time())
    log = structlog.get_logger().bind(worker=name)
    loop = Loop(
        station,
        handler or build_handler(topology, name, lane, note=station.hand.note),
        standing,
        metrics,
        log,
    )
    errors: list[BaseException] = []

    def run() -> None:
        try:
            loop.run()
        except BaseException as error:  # noqa: BLE001 - the test raises it again
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    announcer = Announcer(station, standing, metrics, host="127.0.0.1", port=1)
    announcer.start()
    heartbeat = Heartbeat(station, standing)
    heartbeat.start()
    if starting:
        thread.start()
    return Running(station, loop, standing, thread, heartbeat, announcer, errors)


@contextmanager
def working(client: Client, topology: Topology, *names: str) -> Iterator[list[Running]]:
    """Workers that run while the block lasts."""
    running = [start_worker(client, topology, name) for name in names]
    try:
        yield running
    finally:
        for worker in running:
            worker.stop()


def until(holds: Callable[[], Any], within_s: float = 30.0, what: str = "the condition") -> Any:
    """Wait until ``holds`` returns something true, and return it; fail when the time is up."""
    deadline = time.monotonic() + within_s
    gone = threading.Event()
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come true in {within_s} s"
        gone.wait(0.01)


def settled(client: Client, topology: Topology) -> bool:
    """Whether every group has handled everything."""
    states = stream_states(client, topology)
    groups = [group for state in states for group in state.groups]
    return bool(groups) and all(group.lag == 0 and group.pending == 0 for group in groups)


def all_entries(client: Client, topology: Topology, stream: str) -> list[Entry]:
    """Every entry of a stream."""
    return newest(client, topology, stream, 1_000_000)


def data_of(entries: Sequence[Entry]) -> list[bytes]:
    """The payloads of entries."""
    return [entry.get(b"data") or b"" for entry in entries]
