"""Each kind of worker as a contender: its own handler in its own loop over a full stream."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.pipeline.looped import loop_s
from bench.pipeline.payloads import readings
from bench.pipeline.turns import Bare, Split, Together, manned, take_turns, verify
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
    """

    worker: str
    stream: str
    make: Callable[[Topology, Path], Handler]
    sensors: int = 1
    target: str = ""
    plain: bool = False

    def time_s(self, client: Client, topology: Topology, messages: int) -> float:
        """Fill an empty server, and time the loop that empties the stream. Raises NotDone."""
        if self.plain:
            return self.run(client, topology, messages).total_s
        with self._manned(client, topology, messages) as (station, handler, entries):
            return loop_s(station, handler, entries)

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
            return take_turns(station, handler, entries)

    @contextmanager
    def _manned(
        self, client: Client, topology: Topology, messages: int
    ) -> Iterator[tuple[Station, Handler, int]]:
        """A full stream with a worker before it; afterwards it has to be empty."""
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


def _both(topology: Topology, _: Path) -> Handler:
    return Together(*(build_handler(topology, name, Lane()) for name in ("anomaly", "drift")))


def _sink(topology: Topology, directory: Path) -> Handler:
    return LineageSink(
        topology, "lineage", open_store=lambda: open_store(f"sqlite:{directory / 'lineage.db'}")
    )


CONTENDERS = {
    "bare": Contender("gate", "L3_IN", lambda *_: Bare("L3"), target="L3", plain=True),
    "bare_ahead": Contender("gate", "L3_IN", lambda *_: Bare("L3"), target="L3"),
    "gate": Contender("gate", "L3_IN", _of("gate"), target="L3"),
    "anomaly": Contender("anomaly", "L3", _of("anomaly")),
    "drift": Contender("drift", "L3", _of("drift")),
    "detect": Contender("anomaly", "L3", _both),
    "detect_20_sensors": Contender("anomaly", "L3", _both, sensors=20),
    "transform": Contender("assess", "L3", _of("assess")),
    "lineage": Contender("lineage", "LINEAGE", _sink),
}
"""By name. ``detect`` is anomaly and drift on the same batch in one loop."""
