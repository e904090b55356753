"""A pipeline with a worker of every kind, and what is done to the processes that work for it."""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chaos.topologies import QUICK
from schemas.topology import Topology
from schemas.topology_graph import exclusive
from streams.connection import Client, wait_for
from streams.entry import Entry
from streams.presence import Presence, present
from tests.servers.pipeline import READING, all_entries, settled, until
from tests.servers.supervised import PASSING, House
from tests.servers.watched import DONE, publish, works_for

_LONG_TO_REPLAY = {"checkpoint_every": "1h", "max_batch": 4}
_WATCH = {"OK": {"fields": ["measurements.[xy]"]}}

KINDS: dict[str, Any] = {
    **PASSING,
    "supervisor": "DONE",
    "delivery": {**PASSING["delivery"], "lease": "3s"},
    "streams": {
        **PASSING["streams"],
        "OK": {"schema": READING, "retention": {"age": "1h"}},
        "PLAIN": {"schema": READING, "sink": True},
        "ANOMALIES": {"schema": "schemas:AnomalyEvent", "sink": True},
        "DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
        "BOTH_ANOMALIES": {"schema": "schemas:AnomalyEvent", "sink": True},
        "BOTH_DRIFTS": {"schema": "schemas:DriftEvent", "sink": True},
        "LINEAGE": {"schema": "schemas:LineageRecord"},
        "DONE": DONE,
    },
    "workers": {
        **PASSING["workers"],
        "pass": {**PASSING["workers"]["pass"], **_LONG_TO_REPLAY, "max_batch": 1},
        "plain": {
            "kind": "transform",
            "call": "authored:through",
            "reads": ["OK"],
            "writes": ["PLAIN"],
        },
        "anomaly": {
            "kind": "anomaly",
            "watch": _WATCH,
            "writes": "ANOMALIES",
            "detectors": QUICK,
            **_LONG_TO_REPLAY,
        },
        "drift": {"kind": "drift", "watch": _WATCH, "writes": "DRIFTS", **_LONG_TO_REPLAY},
        "both": {
            "kind": "detect",
            "watch": _WATCH,
            "anomaly": {"writes": "BOTH_ANOMALIES", "detectors": QUICK},
            "drift": {"writes": "BOTH_DRIFTS"},
            **_LONG_TO_REPLAY,
        },
        "lineage": {"kind": "lineage"},
    },
}
"""Those that keep a state rebuild it from all that a process has handled, a few at a time."""

WORKERS = tuple(KINDS["workers"])
STATEFUL = ("pass", "anomaly", "drift", "both")
EMITTED = ("OUT", "ANOMALIES", "DRIFTS", "BOTH_ANOMALIES", "BOTH_DRIFTS")
"""What those that keep a state emit."""

ALONE = tuple(
    name for name, settings in Topology.model_validate(KINDS).workers.items() if exclusive(settings)
)
"""Those that own their lane alone, so that a second process stands by."""

HEALED_WITHIN_S = 60.0
"""What counts as seconds, however busy the machine is; on a quiet one it takes two or three."""

PATIENCE_S = 120.0
"""For what no promise bounds."""


@dataclass
class Pipeline:
    """The pipeline as it runs; ``told`` messages were sent through it."""

    house: House
    client: Client
    told: int = 0

    @property
    def topology(self) -> Topology:
        return Topology.model_validate(self.house.tree)

    def reconnect(self) -> None:
        """Have a client of the server that answers now, once one does."""
        self.client.close()
        until(self.house.address, what="that a server answers")
        self.client = self.house.client()
        wait_for(self.client, HEALED_WITHIN_S)

    def send(self, count: int) -> None:
        """Send so many more messages."""
        publish(self.client, self.told, count)
        self.told += count

    def entries(self, stream: str) -> list[Entry]:
        return all_entries(self.client, self.topology, stream)

    def settle(self) -> None:
        until(lambda: settled(self.client, self.topology), PATIENCE_S, "that everything is settled")

    def lines(self) -> list[Presence]:
        """What the processes say of themselves; the dead are heard for a while, too."""
        return list(present(self.client, time.time()))

    def keepers(self, workers: Iterable[str] = WORKERS) -> dict[str, int]:
        """The pids of the processes that were started last."""
        return {worker: self.newest(worker).pid for worker in workers}

    def newest(self, worker: str) -> Presence:
        """What the process says of itself that began last."""

        def own() -> list[Presence]:
            return [line for line in self.lines() if line.worker == worker]

        found: list[Presence] = until(own, what=f"that a process of {worker} tells of itself")
        return max(found, key=lambda line: line.started_at_s)

    def running(self) -> dict[str, set[str]]:
        """By worker, the names of the processes that say that they run."""
        found = defaultdict[str, set[str]](set)
        for line in self.lines():
            if line.state == "running":
                found[line.worker].add(line.consumer)
        return found

    @contextmanager
    def healed(self, workers: Iterable[str] = WORKERS) -> Iterator[None]:
        """Whatever the block does to workers, others run in their place within seconds."""
        before = self.running()
        yield
        self.until_others_run(before, workers)

    def until_others_run(
        self, before: dict[str, set[str]], workers: Iterable[str] = WORKERS
    ) -> None:
        def others() -> bool:
            now = self.running()
            return all(now[worker] - before[worker] for worker in workers)

        until(others, HEALED_WITHIN_S, f"that others run for {workers}")

    def halt_in_replay(self, worker: str) -> int:
        """Have a worker rebuild its state, and halt the process before it is through.

        Returns the pid of the keeper. One that was too quick is killed, so that another begins.
        """
        killed: set[str] = set()

        def halted() -> int:
            line = self.newest(worker)
            if line.consumer in killed or line.state not in ("running", "replaying"):
                return 0
            working = works_for(line.pid)
            if line.state == "replaying":
                halt(working)
                if self.replays(worker):
                    return line.pid
            killed.add(line.consumer)
            os.kill(working, signal.SIGKILL)
            return 0

        return int(until(halted, PATIENCE_S, f"that {worker} is halted while it replays"))

    def replays(self, worker: str) -> bool:
        """Whether the process that began last has not written that its replay is through."""
        log = (self.house.data / "logs" / f"{worker}.log").read_text()
        _, began, since = log.rpartition('"event": "worker_started"')
        assert began
        return '"event": "replayed"' not in since


def halt(pid: int) -> None:
    """Stop a process, and wait until each of its threads stands."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: all(_state(thread) == "T" for thread in Path(f"/proc/{pid}/task").iterdir()))


@contextmanager
def halted(pid: int) -> Iterator[None]:
    """A process that stands still while the block lasts."""
    halt(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _state(thread: Path) -> str:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


def kill(pids: Iterable[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
