"""A gate and a detector with work in their hands, for tests of what the server does to them."""

import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from schemas.topology import Topology
from streams.connection import Client, connect
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from tests.servers.pipeline import (
    READING,
    SMALL,
    Running,
    all_entries,
    data_of,
    readings,
    settled,
    start_worker,
    topology_from,
    until,
)
from tests.servers.stream_server import running
from workers.kinds import build_handler

TREE: dict[str, Any] = {
    **SMALL,
    "delivery": {"lease": "500ms", "block": "50ms", "trim_every": "100ms"},
    "streams": {
        **SMALL["streams"],
        "FED": {"schema": READING, "source": True, "retention": {"age": "9999d"}},
        "EVENTS": {"schema": "schemas:AnomalyEvent", "sink": True},
    },
    "workers": {
        "gate": {**SMALL["workers"]["gate"], "max_batch": 50},
        "anomaly": {
            "kind": "anomaly",
            "max_batch": 50,
            "checkpoint_every": "50ms",
            "watch": {"FED": {"fields": ["measurements.*"]}},
            "writes": "EVENTS",
        },
    },
}
WORKERS = ("gate", "anomaly")
PAYLOADS = readings(1200)
HALF_WAY = 600
TIMEOUT_S = 0.8


@dataclass
class Stage:
    """A gate and a detector at work, which the test may hold half way and let go on."""

    url: str
    topology: Topology
    workers: dict[str, Running] = field(default_factory=dict)
    told: list[MutableMapping[str, Any]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def client(self) -> Client:
        return connect(self.url, timeout_s=10.0)

    def feed(self, payloads: list[bytes], mark: str = "") -> None:
        with self.client() as client:
            pipe = client.pipeline(transaction=False)
            for number, data in enumerate(payloads):
                pipe.xadd("FED", {"data": data}, id=f"{1000 + number}-0")
            pipe.execute()
        self.feed_gate(payloads, mark)

    def feed_gate(self, payloads: list[bytes], mark: str = "") -> None:
        outgoing = [Outgoing(data, id=f"{mark}{n}") for n, data in enumerate(payloads)]
        with self.client() as client:
            Publisher(client).publish_batch("IN", outgoing)

    def start(self, name: str) -> None:
        """A worker that stops half way until ``go_on`` is set."""
        handler = build_handler(self.topology, name, Lane())
        handle, seen = handler.handle, [0]

        def held(batch: Any) -> Any:
            seen[0] += len(batch)
            if seen[0] >= HALF_WAY:
                self.go_on.wait(30)
            return handle(batch)

        handler.handle = held  # type: ignore[method-assign]
        client = connect(self.url, timeout_s=TIMEOUT_S)
        self.workers[name] = start_worker(client, self.topology, name, handler)

    def until_half_way(self) -> None:
        for worker in self.workers.values():
            until(lambda w=worker: w.standing.handling_s > 0.03, what="being half way")

    @property
    def ready(self) -> list[str]:
        return [name for name, worker in self.workers.items() if worker.standing.ready]

    def until_settled(self) -> None:
        with self.client() as client:
            until(lambda: len(self.ready) == len(self.workers), what="being ready again")
            until(lambda: settled(client, self.topology), what="having settled everything")

    def lines(self, event: str) -> Counter[str]:
        return Counter(line["worker"] for line in self.told if line["event"] == event)

    def stop(self) -> None:
        self.go_on.set()
        for worker in self.workers.values():
            worker.stop()
            worker.station.client.close()
        self.workers.clear()

    def found(self, stream: str) -> list[bytes]:
        with self.client() as client:
            return data_of(all_entries(client, self.topology, stream))


@contextmanager
def on_stage(url: str, directory: Path) -> Iterator[Stage]:
    """A stage whose workers are gone when the block ends."""
    made = Stage(url, topology_from(TREE, directory))
    with capture_logs() as made.told:
        try:
            yield made
        finally:
            made.stop()


@cache
def undisturbed_events() -> list[bytes]:
    """The events of a run without a fault."""
    with (
        tempfile.TemporaryDirectory() as directory,
        running("valkey") as server,
        on_stage(server.url, Path(directory)) as calm,
    ):
        calm.go_on.set()
        calm.feed(PAYLOADS)
        calm.start("anomaly")
        calm.until_settled()
        return calm.found("EVENTS")
