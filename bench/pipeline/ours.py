"""Each kind of worker as a contender: its own handler in its own loop over a full stream."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pipeline.looped import loop_s
from bench.pipeline.payloads import readings
from bench.pipeline.turns import Bare, Split, manned, take_turns, verify
from bench.pipeline.watching import Watch, metered, scraped, silent
from lineage.store import open_store
from schemas.topology import Topology
from streams.connection import Client, send
from streams.keys import Lane
from streams.publish import Outgoing, Publisher
from workers.handler import Handler
from workers.kinds import build_handler
from workers.lineage import LineageSink
from workers.station import Station

_UNWATCHED: AbstractContextManager[object] = nullcontext()


@dataclass(frozen=True)
class Contender:
    """A loop: whose station it takes, the stream that is filled for it, and its handler.

    ``sensors`` is how many sensors the readings come from, ``target`` where each is forwarded.
    ``plain`` is not our loop, which reads ahead, but one that reads and commits in turn.
    ``arrange`` makes the topology that has the worker; ``watch`` says who watches the loop.
    """

    worker: str
    stream: str
    make: Callable[[Topology, Path], Handler]
    sensors: int = 1
    target: str = ""
    plain: bool = False
    arrange: Callable[[Topology], Topology] = lambda topology: topology
    watch: Watch = metered

    def time_s(self, client: Client, topology: Topology, messages: int) -> float:
        """Fill an empty server, and time the loop that empties the stream. Raises NotDone."""
        if self.plain:
            return self.run(client, topology, messages).total_s
        with self._manned(client, topology, messages) as (station, handler, entries):
            return loop_s(station, handler, entries, self.watch)

    def run(
        self,
        client: Client,
        topology: Topology,
        messages: int,
        watched: AbstractContextManager[object] = _UNWATCHED,
    ) -> Split:
        """Fill an empty server, and time turns, one after another, that empty the stream.

        ``watched`` is entered for the turns alone. Raises NotDone.
        """
        with self._manned(client, topology, messages) as (station, handler, entries), watched:
            return take_turns(station, handler, entries, station.settings.max_batch)

    @contextmanager
    def _manned(
        self, client: Client, topology: Topology, messages: int
    ) -> Iterator[tuple[Station, Handler, int]]:
        """A full stream with a worker before it; afterwards it has to be empty."""
        topology = self.arrange(topology)
        send(client, "FLUSHALL")
        fill(client, topology, self.stream, readings(messages, sensors=self.sensors))
        with tempfile.TemporaryDirectory(prefix="penstock-bench-") as directory:
            station = manned(client, topology, self.worker)
            handler = self.make(topology, Path(directory))
            yield station, handler, send(client, "XLEN", self.stream)
        verify(client, self.stream, self.worker, self.target, messages)


def fill(client: Client, topology: Topology, stream: str, payloads: Sequence[bytes]) -> None:
    """Put payloads on a stream; what the gate made of them, where that is ``LINEAGE``."""
    if stream == topology.lineage:
        fill(client, topology, "L3_IN", payloads)
        take_turns(manned(client, topology, "gate"), _of("gate")(topology, Path()), len(payloads))
    else:
        Publisher(client).publish_batch(stream, [Outgoing(data) for data in payloads])


def _of(worker: str) -> Callable[[Topology, Path], Handler]:
    return lambda topology, _: build_handler(topology, worker, Lane())


def detecting(topology: Topology) -> Topology:
    """The topology with one worker that does the work of anomaly and drift, on drift's streams."""
    tree = topology.model_dump(by_alias=True, exclude_unset=True)
    anomaly, drift = (tree["workers"].pop(name) for name in ("anomaly", "drift"))
    tree["workers"]["detect"] = {
        "kind": "detect",
        "watch": drift["watch"],
        "anomaly": _part(anomaly),
        "drift": _part(drift),
    }
    return Topology.model_validate(tree)


def _part(worker: dict[str, Any]) -> dict[str, Any]:
    return {name: worker[name] for name in ("writes", "detectors") if name in worker}


def in_long_batches(topology: Topology) -> Topology:
    """The topology whose gate takes as many entries at a time as a worker with detectors does."""
    tree = topology.model_dump(by_alias=True, exclude_unset=True)
    tree["workers"]["gate"]["max_batch"] = topology.workers["anomaly"].max_batch
    return Topology.model_validate(tree)


def _sink(topology: Topology, directory: Path) -> Handler:
    return LineageSink(
        topology, "lineage", open_store=lambda: open_store(f"sqlite:{directory / 'lineage.db'}")
    )


CONTENDERS = {
    "bare": Contender("gate", "L3_IN", lambda *_: Bare("L3"), target="L3", plain=True),
    "bare_long": Contender(
        "gate", "L3_IN", lambda *_: Bare("L3"), target="L3", plain=True, arrange=in_long_batches
    ),
    "bare_ahead": Contender("gate", "L3_IN", lambda *_: Bare("L3"), target="L3"),
    "gate": Contender("gate", "L3_IN", _of("gate"), target="L3"),
    "gate_scraped": Contender("gate", "L3_IN", _of("gate"), target="L3", watch=scraped),
    "gate_silent": Contender("gate", "L3_IN", _of("gate"), target="L3", watch=silent),
    "anomaly": Contender("anomaly", "L3", _of("anomaly")),
    "drift": Contender("drift", "L3", _of("drift")),
    "detect": Contender("detect", "L3", _of("detect"), arrange=detecting),
    "detect_20_sensors": Contender("detect", "L3", _of("detect"), sensors=20, arrange=detecting),
    "transform": Contender("assess", "L3", _of("assess")),
    "lineage": Contender("lineage", "LINEAGE", _sink),
}
"""By name. ``detect`` does the work of anomaly and drift in one loop."""
