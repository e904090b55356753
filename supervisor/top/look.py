"""What the screen shows: rates from the growth of counters since the looks before."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.topology import Topology
from streams.condition import memory_bytes
from streams.connection import Client
from streams.errors import StreamsError
from streams.presence import Presence, present
from supervisor.child import Place
from supervisor.console.rates import Rates
from supervisor.console.recent import Recent, is_open
from supervisor.events import Event
from supervisor.overview import Overview, StreamView, WorkerView
from supervisor.scrape import scrape
from supervisor.top.ages import Buckets, added, buckets_of, quantile_s, since

_Process = tuple[str, str]  # its worker, its consumer


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A stream: ``rate`` is entries added a second, ``lag`` what its slowest reader has to read."""

    name: str
    entries: int
    rate: float | None
    lag: int | None
    pending: int
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker: ``rate`` is entries settled a second, ``p99_s`` their age at the commit.

    Both are of the time between two looks, and None at the first.
    """

    worker: str
    kind: str
    state: str
    ready: int
    processes: int
    rate: float | None
    p99_s: float | None
    lag: int | None
    pending: int
    restarts: int
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the pipeline; ``events`` are the open incidents, the newest first."""

    at_s: float
    overview: Overview
    streams: tuple[StreamRow, ...]
    workers: tuple[WorkerRow, ...]
    events: tuple[Event, ...]


class Looks:
    """Looks again and again; ``overview`` asks how all stands.

    ``now_s`` is the time of day, ``monotonic_s`` that of rates, which nobody sets back.
    """

    def __init__(
        self,
        client: Client,
        topology: Topology,
        overview: Callable[[], Overview],
        now_s: Callable[[], float],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._topology = topology
        self._overview = overview
        self._recent = Recent(lambda: topology, client)
        self._now_s = now_s
        self._monotonic_s = monotonic_s
        self._added: Rates[str] = Rates()
        self._settled: Rates[str] = Rates()
        self._ages: dict[_Process, Buckets] = {}
        self._p99: dict[str, float | None] = {}
        self._memory: Mapping[str, int | None] = {}
        self._events: tuple[Event, ...] = ()
        self._last: Overview | None = None

    def look(self) -> Seen:
        """How all stands now. A server that is away leaves what was known of memory and events."""
        at_s = self._now_s()
        overview = self._last = self._asked(at_s)
        if overview.server.reachable:
            passed_s = self._monotonic_s()
            self._added.seen(passed_s, {stream.name: stream.added for stream in overview.streams})
            self._settled.seen(passed_s, {w.worker: _settled(w) for w in overview.workers})
        return Seen(
            at_s,
            overview,
            tuple(map(self._stream, overview.streams)),
            tuple(map(self._worker, overview.workers)),
            self._events,
        )

    def _asked(self, at_s: float) -> Overview:
        """The overview; while the server is away the one before. Raises only at the first look."""
        overview = self._last
        try:
            overview = self._overview()
            if overview.server.reachable:
                self._ask(at_s)
        except StreamsError as error:
            if overview is None:
                raise
            server = overview.server.model_copy(update={"reachable": False, "error": str(error)})
            return overview.model_copy(update={"server": server})
        return overview

    def _ask(self, at_s: float) -> None:
        self._memory = memory_bytes(self._client, self._topology)
        newest = self._recent.incidents()[::-1]
        self._events = tuple(event for event in newest if is_open(event, at_s))
        self._ask_processes(list(present(self._client, at_s)))

    def _ask_processes(self, presences: list[Presence]) -> None:
        """The processes' own histograms.

        One that does not answer is left out this time and, as then nobody knows what came in
        between, the next time too.
        """
        lines = {(line.worker, line.consumer): line for line in presences}
        answers = scrape([(Place(line.worker), line) for line in lines.values()])
        now = {
            process: buckets_of(scraped.page)
            for process, scraped in zip(lines, answers, strict=True)
            if scraped.page is not None
        }
        came: dict[str, list[Buckets]] = {}
        for process in now.keys() & self._ages.keys():
            came.setdefault(process[0], []).append(since(self._ages[process], now[process]))
        self._ages = now
        self._p99 = {worker: quantile_s(added(each), 0.99) for worker, each in came.items()}

    def _stream(self, stream: StreamView) -> StreamRow:
        lags = [group.lag for group in stream.groups]
        known = [lag for lag in lags if lag is not None]
        return StreamRow(
            stream.name,
            stream.length,
            self._added.of(stream.name),
            max(known, default=0) if len(known) == len(lags) else None,
            sum(group.pending for group in stream.groups),
            self._memory.get(stream.name),
        )

    def _worker(self, worker: WorkerView) -> WorkerRow:
        return WorkerRow(
            worker.worker,
            worker.kind,
            worker.state,
            worker.ready,
            max(len(worker.processes), worker.wanted or 0),
            self._settled.of(worker.worker),
            self._p99.get(worker.worker),
            worker.lag,
            worker.pending,
            worker.restarts,
            worker.rss_bytes,
        )


def _settled(worker: WorkerView) -> int:
    return worker.accepted + worker.rejected + worker.dead + worker.duplicate
