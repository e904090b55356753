"""How the whole pipeline stands: what ``penstock status`` prints and ``/status`` serves."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from schemas.topology import Topology
from schemas.topology_graph import reads
from streams.observe import StreamState
from streams.presence import Presence
from supervisor.announced import Announced, by_process
from supervisor.fleet import ChildView


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class ServerView(_View):
    """The stream server: ``kind`` is ``embedded`` or ``configured``, ``url`` has no password."""

    kind: str
    url: str
    version: str = ""
    reachable: bool = True
    error: str = ""


class SupervisorView(_View):
    """The supervisor that runs on this data directory."""

    pid: int
    address: str
    config: str
    started_at_s: float
    ready: bool


class ProcessView(_View):
    """One worker process, and the ``lanes`` whose entries it takes.

    ``restarts`` counts those by its keeper, and by the supervisor where there is one.
    """

    process: str
    lanes: tuple[int, ...] = ()
    pid: int | None
    state: str
    ready: bool
    restarts: int = 0
    rss_bytes: int | None = None
    reason: str = ""


class WorkerView(_View):
    """One worker over all its processes, and what its group has settled since ever.

    ``wanted`` is the number of processes there should be, None without a supervisor. ``lag``
    counts entries that wait to be read (None: the server cannot tell).
    """

    worker: str
    kind: str
    wanted: int | None
    ready: int
    state: str
    restarts: int
    rss_bytes: int
    lag: int | None = None
    pending: int = 0
    accepted: int = 0
    rejected: int = 0
    dead: int = 0
    duplicate: int = 0
    processes: tuple[ProcessView, ...] = ()


class GroupView(_View):
    """A worker's group on one stream."""

    worker: str
    lag: int | None
    pending: int
    consumers: int


class StreamView(_View):
    """A stream: entries it holds, entries ever added, its groups."""

    name: str
    length: int
    added: int
    groups: tuple[GroupView, ...]


class Overview(_View):
    """Everything; ``supervisor`` is None where none runs."""

    ready: bool
    server: ServerView
    supervisor: SupervisorView | None = None
    workers: tuple[WorkerView, ...] = ()
    streams: tuple[StreamView, ...] = ()


def supervised(
    children: Iterable[ChildView], processes: Mapping[int, Announced], *, heard: bool = True
) -> dict[str, list[ProcessView]]:
    """The supervisor's own processes, by worker.

    One that runs and has no line in the presence list is ``silent``, if that list could be
    ``heard``.
    """
    found: dict[str, list[ProcessView]] = {}
    for child in children:
        process = processes.get(child.pid or 0)
        state: str = child.state
        if process is not None and state in ("starting", "running"):
            state = process.state
        elif state == "running" and heard:
            state = "silent"
        found.setdefault(child.place.worker, []).append(
            ProcessView(
                process=child.place.label,
                lanes=process.lanes if process else (),
                pid=child.pid,
                state=state,
                ready=child.ready,
                restarts=child.restarts,
                rss_bytes=process.presence.rss_bytes if process else None,
                reason=child.reason,
            )
        )
    return found


def unsupervised(presences: Iterable[Presence]) -> dict[str, list[ProcessView]]:
    """Whatever processes say that they are alive, by worker."""
    found: dict[str, list[ProcessView]] = {}
    for process in by_process(presences):
        line = process.presence
        found.setdefault(line.worker, []).append(
            ProcessView(
                process=line.consumer,
                lanes=process.lanes,
                pid=line.pid,
                state=process.state,
                ready=process.ready,
                restarts=line.restarts,
                rss_bytes=line.rss_bytes,
            )
        )
    return found


_WORST_FIRST = (
    "misconfigured", "backing_off", "silent", "starting", "waiting", "replaying", "stopping",
    "draining", "running", "standby", "stopped",
)  # fmt: skip


def worker_views(
    topology: Topology,
    processes: Mapping[str, Sequence[ProcessView]],
    wanted: Mapping[str, int] | None,
    streams: Sequence[StreamState],
    settled: Mapping[tuple[str, str, str], int],
) -> tuple[WorkerView, ...]:
    """A view for each worker of the topology, in its order."""
    groups = {(s.name, g.worker): g for s in streams for g in s.groups}
    views = []
    for name, settings in topology.workers.items():
        own = tuple(processes.get(name, ()))
        ours = [groups[s, name] for s in reads(topology, name) if (s, name) in groups]
        lags = [group.lag for group in ours]
        views.append(
            WorkerView(
                worker=name,
                kind=settings.kind,
                wanted=None if wanted is None else wanted.get(name, 0),
                ready=sum(process.ready for process in own),
                state=min((p.state for p in own), key=_WORST_FIRST.index, default="stopped"),
                restarts=sum(process.restarts for process in own),
                rss_bytes=sum(process.rss_bytes or 0 for process in own),
                lag=None if None in lags else sum(lag for lag in lags if lag is not None),
                pending=sum(group.pending for group in ours),
                processes=own,
                **_outcomes(name, settled),
            )
        )
    return tuple(views)


def _outcomes(worker: str, settled: Mapping[tuple[str, str, str], int]) -> dict[str, int]:
    counted = dict.fromkeys(("accepted", "rejected", "dead", "duplicate"), 0)
    for (name, _, outcome), number in settled.items():
        if name == worker and outcome in counted:
            counted[outcome] += number
    return counted


def stream_views(streams: Iterable[StreamState]) -> tuple[StreamView, ...]:
    """A view for each stream."""
    return tuple(
        StreamView(
            name=state.name,
            length=state.length,
            added=state.added,
            groups=tuple(
                GroupView(worker=g.worker, lag=g.lag, pending=g.pending, consumers=g.consumers)
                for g in state.groups
            ),
        )
        for state in streams
    )
