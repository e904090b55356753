"""The pipeline as it stands this second: one look at the server for all who listen."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from schemas.topology import Topology
from schemas.topology_graph import reads
from streams.connection import Client
from streams.errors import StreamsError
from streams.observe import counters
from supervisor.console.fresh import Fresh
from supervisor.console.graph import graph_of
from supervisor.console.health import Health, of_input, of_worker
from supervisor.console.layout import lay_out
from supervisor.console.rates import Rates
from supervisor.console.recent import KINDS, Recent
from supervisor.lookup import event_streams, rejection_streams
from supervisor.overview import Overview, StreamView
from supervisor.page_routes import Answer

Settled = Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, slots=True)
class Sight:
    """What the pulse looks at: the pipeline, and the server behind it."""

    topology: Callable[[], Topology]
    client: Client
    overview: Callable[[], Overview]
    recent: Recent


class Pulse:
    """Looks at the pipeline afresh for whoever asks, however many they are."""

    def __init__(self, sight: Sight, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._sight = sight
        self._fresh = Fresh(self._look, now_s)
        self._added: Rates[str] = Rates()
        self._settled: Rates[tuple[str, str, str]] = Rates()

    def topology(self, _: Mapping[str, str]) -> Answer:
        """The drawing of the topology, which changes only when the topology does."""
        topology = self._sight.topology()
        drawing = lay_out(graph_of(topology)).to_dict()
        kinds = {name: settings.kind for name, settings in topology.workers.items()}
        return Answer.of(
            {
                "name": topology.name,
                "shape": _shape(drawing),
                "kinds": kinds,
                "events": event_streams(topology, KINDS),
                "quarantines": [*rejection_streams(topology), topology.dead_letters],
                **drawing,
            }
        )

    def pipeline(self, _: Mapping[str, str]) -> Answer:
        """The newest look."""
        return Answer(200, self.look().encode() + b"\n")

    def live(self) -> Iterator[tuple[str, str]]:
        """The newest look as an event of a stream."""
        yield "pipeline", self.look()

    def look(self) -> str:
        """The newest look as JSON on one line."""
        return self._fresh.seen()

    def _look(self, now_s: float) -> str:
        return json.dumps(self._see(now_s), ensure_ascii=False)

    def _see(self, now_s: float) -> dict[str, Any]:
        topology, overview = self._sight.topology(), self._sight.overview()
        settled = self._counted(topology, overview)
        self._added.seen(now_s, {stream.name: stream.added for stream in overview.streams})
        self._settled.seen(now_s, settled)
        return {
            "at_s": round(time.time(), 3),
            "shape": _shape(lay_out(graph_of(topology)).to_dict()),
            **overview.model_dump(mode="json", include={"ready", "server", "supervisor"}),
            "workers": [
                {**worker.model_dump(mode="json"), "health": of_worker(worker)}
                for worker in overview.workers
            ],
            "streams": [self._stream(stream) for stream in overview.streams],
            "inputs": self._inputs(topology, overview, settled),
            "attention": self._attention(topology, overview),
        }

    def _counted(self, topology: Topology, overview: Overview) -> Settled:
        if not overview.server.reachable:
            return {}
        try:
            return counters(self._sight.client, topology)
        except StreamsError:
            return {}  # the next look tells that the server went away

    def _stream(self, stream: StreamView) -> dict[str, Any]:
        rate = self._added.of(stream.name)
        told = {"name": stream.name, "length": stream.length, "added": stream.added}
        return {**told, "rate": _brief(rate)}

    def _inputs(
        self, topology: Topology, overview: Overview, settled: Settled
    ) -> list[dict[str, Any]]:
        """What each worker does with each stream that it reads."""
        groups = {(s.name, g.worker): g for s in overview.streams for g in s.groups}
        found = []
        for worker in topology.workers:
            for stream in reads(topology, worker):
                group = groups.get((stream, worker))
                rates = self._outcomes(worker, stream, settled)
                lag, pending = (group.lag, group.pending) if group else (None, 0)
                health = of_input(lag, pending, rates["all"]) if group else Health.UNKNOWN
                told = {"worker": worker, "stream": stream, "lag": lag, "pending": pending}
                rates = {name: _brief(rate) for name, rate in rates.items()}
                found.append({**told, "rates": rates, "health": health})
        return found

    def _outcomes(self, worker: str, stream: str, settled: Settled) -> dict[str, float | None]:
        """Entries a second by outcome, and together; None before there are two looks."""
        keys = [key for key in settled if key[:2] == (worker, stream)]
        rates = {outcome: self._settled.of((worker, stream, outcome)) for *_, outcome in keys}
        known = [rate for rate in rates.values() if rate is not None]
        quiet = self._settled.of((worker, stream, "accepted"))
        return {**rates, "all": sum(known) if known else quiet}

    def _attention(self, topology: Topology, overview: Overview) -> dict[str, Any]:
        """What somebody should look at: open incidents, and messages set aside."""
        lengths = {stream.name: stream for stream in overview.streams}
        return {
            **self._open(overview),
            "quarantined": _length(lengths, rejection_streams(topology)),
            "dead": _length(lengths, [topology.dead_letters]),
        }

    def _open(self, overview: Overview) -> dict[str, Any]:
        unknown = {"open": None, "worst": None}
        if not overview.server.reachable:
            return unknown
        try:
            return self._sight.recent.attention(time.time())
        except StreamsError:
            return unknown  # the server went away, or does not let the supervisor read events


def _length(streams: Mapping[str, StreamView], names: Sequence[str]) -> int:
    return sum(streams[name].length for name in names if name in streams)


def _brief(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 3)


def _shape(drawing: Mapping[str, Any]) -> str:
    """Changes when the drawing does, so that a page knows when to ask for it anew."""
    return sha256(json.dumps(drawing).encode()).hexdigest()[:12]
