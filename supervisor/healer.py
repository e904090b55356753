"""Replaces processes that live and do no good: stalled, silent, or too large.

It looks at what the processes say of themselves and at what the server knows of their groups. Both
only count while the server answers, and only for processes that were ready once: one that is still
starting is another matter.

Who is silent for longer than its lease has lost its lanes, and nothing that it has in hand can be
committed any more. If it uses no processor time either it is frozen, and replaced then. If it does,
a handler may hold the interpreter, and nobody but that handler knows how long it needs: it gets the
time that any other has to settle something. So does a process that its keeper has just forked, and
30 s at least: it takes the line of the one before it out of the list, and then waits for its
imports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.supervisor_event import Action, Detail
from schemas.topology import Topology
from schemas.topology_graph import exclusive
from streams.connection import Client
from streams.progress import Progress, progress
from supervisor.announced import Announced
from supervisor.child import Child
from supervisor.memory import Memory
from supervisor.stalls import Post, Stall, Stalls
from supervisor.vitals import Effort, effort_ns

_LEAST_LOOK_S, _MOST_LOOK_S = 0.25, 5.0
_LINE_LONGER_S, _LEAST_STILL_S, _STILL_SHARE = 1.0, 1.0, 0.2
_LEAST_START_S = 30.0  # imports take their time, however short the patience with entries is
_STUCK_DRAIN_S = 2.0  # whoever settles nothing has little to finish


@dataclass(slots=True)
class _Silence:
    """Since when a process has no line in the presence list, and since when it does nothing.

    ``within`` says which of its keeper's processes it is, ``starts`` that it was forked after the
    last one that was heard. ``still_since_s`` lies ahead for one that was never heard: its first
    line may be on its way.
    """

    within: int
    starts: bool
    since_s: float
    effort: int | None
    still_since_s: float

    def look(self, now_s: float, effort: int | None) -> None:
        if effort is None or effort != self.effort:
            self.still_since_s = max(self.still_since_s, now_s)
        self.effort = effort


class Healer:
    """Looks after the children of one supervisor. ``drain_s`` is how long a drain may take."""

    def __init__(self, drain_s: float, effort: Effort = effort_ns) -> None:
        self._drain_s = drain_s
        self._effort = effort
        self._stalls = Stalls()
        self._memories: dict[str, Memory] = {}
        self._heard: dict[int, bool] = {}  # whether it was ready then
        self._heard_within: dict[int, int] = {}  # which of its keeper's processes was; see Child
        self._silent: dict[int, _Silence] = {}
        self._due_s = float("-inf")

    def forget(self) -> None:
        """Begin anew: the server was away."""
        self._stalls.forget()
        self._heard.clear()
        self._silent.clear()
        self._due_s = float("-inf")

    def look(
        self,
        now_s: float,
        client: Client,
        topology: Topology,
        children: Iterable[Child],
        found: Mapping[int, Announced],
    ) -> None:
        """Have those replaced that have to be. ``found`` is what the processes said, by pid.

        Raises what the server raises.
        """
        ours = list(children)
        self._mind_memory(now_s, topology, _running(ours), found)
        self._mind_silence(now_s, topology, _running(ours), found)
        if now_s >= self._due_s:
            self._due_s = now_s + look_every_s(topology)
            seen = progress(client, topology)
            self._mind_stalls(now_s, seen, topology, _running(ours), found)

    def _mind_memory(
        self,
        now_s: float,
        topology: Topology,
        running: Mapping[int, Child],
        found: Mapping[int, Announced],
    ) -> None:
        lines = {pid: found[pid].presence for pid in running if pid in found}
        names = {line.consumer for line in lines.values()}
        self._memories = {n: self._memories.get(n) or Memory() for n in names}
        for pid, line in lines.items():
            limit_bytes = topology.workers[running[pid].place.worker].max_memory
            excess = self._memories[line.consumer].look(now_s, line.rss_bytes, limit_bytes)
            if excess is not None:
                child, details = running[pid], {**excess.details, "pid": pid}
                child.replace(excess.action, excess.why, self._drain_s, details)

    def _mind_silence(
        self,
        now_s: float,
        topology: Topology,
        running: Mapping[int, Child],
        found: Mapping[int, Announced],
    ) -> None:
        lease_s = topology.delivery.lease
        for pid in running.keys() & found.keys():
            running[pid].reason = ""
        self._silent = {
            pid: self._silence(now_s, pid, child.within, lease_s)
            for pid, child in running.items()
            if pid not in found
        }
        self._hear(running, found)
        for pid, silence in self._silent.items():
            silence.look(now_s, self._effort(pid))
            self._judge(running[pid], pid, silence, now_s, topology)

    def _judge(
        self, child: Child, pid: int, silence: _Silence, now_s: float, topology: Topology
    ) -> None:
        """Replace a silent process that is frozen, or has been silent for long."""
        lease_s, silent_s = topology.delivery.lease, now_s - silence.since_s
        patience_s = topology.workers[child.place.worker].stalled_after_s + lease_s
        if silence.starts:
            patience_s = max(patience_s, _LEAST_START_S)
        still_s = now_s - silence.still_since_s
        frozen = still_s >= max(_LEAST_STILL_S, _STILL_SHARE * lease_s)
        child.reason = f"it lives, and has told nothing of itself for {silent_s:.0f} s"
        if frozen:
            child.reason = (
                f"it is frozen: it told nothing of itself for longer than its lease of {lease_s:g} "
                f"s, and for {still_s:.0f} s has used no processor time"
            )
        if frozen or silent_s >= patience_s:
            details: dict[str, Detail] = {"silent_s": round(silent_s, 1), "pid": pid}
            child.replace(Action.SILENT, child.reason, _STUCK_DRAIN_S, details)

    def _hear(self, running: Mapping[int, Child], found: Mapping[int, Announced]) -> None:
        ready = self._heard | {pid: process.ready for pid, process in found.items()}
        within = {pid: process.presence.restarts for pid, process in found.items()}
        within = self._heard_within | within
        self._heard = {pid: ready[pid] for pid in running if pid in ready}
        self._heard_within = {pid: within[pid] for pid in running if pid in within}

    def _silence(self, now_s: float, pid: int, within: int, lease_s: float) -> _Silence:
        """That of the process which works now; another one's before it is over.

        One that was not ready when it was last heard, or follows one that was, is not frozen.
        """
        known = self._silent.get(pid)
        if known is not None and known.within == within:
            return known
        grace_s = 0.0 if pid in self._heard else lease_s + _LINE_LONGER_S
        starts = within > self._heard_within.get(pid, within)
        if starts or not self._heard.get(pid, True):
            grace_s = float("inf")
        return _Silence(within, starts, now_s, self._effort(pid), now_s + grace_s)

    def _mind_stalls(
        self,
        now_s: float,
        seen: Mapping[tuple[str, int], Progress],
        topology: Topology,
        running: Mapping[int, Child],
        found: Mapping[int, Announced],
    ) -> None:
        after_s = {name: worker.stalled_after_s for name, worker in topology.workers.items()}
        told = {pid: found[pid] for pid in running if pid in found}
        posts = {
            post: seen[post.worker, post.lane]
            for process in told.values()
            for post in posts_of(topology, process)
        }
        stalled = self._stalls.look(now_s, posts, after_s)
        for pid, process in told.items():
            stall = stalled.get(process.presence.consumer)
            if stall is not None:
                why, details = _said(stall), _figures(stall, pid)
                running[pid].replace(Action.STALLED, why, _STUCK_DRAIN_S, details)


def _running(children: Iterable[Child]) -> dict[int, Child]:
    """Those that nothing is done about yet, by pid: whoever is replaced no longer runs."""
    return {c.pid: c for c in children if c.pid is not None and c.state == "running"}


def posts_of(topology: Topology, process: Announced) -> list[Post]:
    """The lanes whose entries a process says that it takes; not those on standby or replaying."""
    alone = {name: exclusive(settings) for name, settings in topology.workers.items()}
    return [
        Post(line.worker, line.consumer, line.lane, alone[line.worker])
        for line in process.lines
        if line.state == "running" and line.worker in alone and line.lane < topology.lanes
    ]


def look_every_s(topology: Topology) -> float:
    """Seconds between two looks at the groups: a quarter of the least patience, 5 at most."""
    least_s = min(worker.stalled_after_s for worker in topology.workers.values())
    return max(_LEAST_LOOK_S, min(_MOST_LOOK_S, least_s / 4))


def _said(stall: Stall) -> str:
    return (
        f"it settled nothing on lane {stall.lane} for {stall.for_s:.0f} s, although {stall.lag:,} "
        f"entries wait and {stall.pending:,} are in its hands"
    )


def _figures(stall: Stall, pid: int) -> dict[str, Detail]:
    return {
        "lane": stall.lane,
        "lag_entries": stall.lag,
        "pending_entries": stall.pending,
        "stalled_s": round(stall.for_s, 1),
        "pid": pid,
    }
