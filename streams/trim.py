"""Trimming by what was acknowledged and checkpointed, never by length alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.topology import Topology
from schemas.topology_graph import edges, exclusive, readers, reads
from streams.connection import Client
from streams.keys import Lane
from streams.scripts import run_script

_STEP, _MOST_STEPS = 1_000, 100


@dataclass(frozen=True, slots=True)
class TrimPlan:
    """What has to be known to trim one stream safely.

    ``groups`` must exist before anything is removed: a group that is yet to be created wants the
    stream from its oldest entry. ``stateful`` are those whose checkpoint has to be waited for.
    """

    stream: str
    groups: Sequence[str]
    stateful: Sequence[str]
    age_s: float | None
    entries: int | None


def plan_trim(topology: Topology, stream: str) -> TrimPlan:
    """The plan for a stream of the topology."""
    groups = readers(topology, stream)
    retention = topology.streams[stream].retention
    return TrimPlan(
        stream=stream,
        groups=groups,
        stateful=[g for g in groups if keeps_state(topology, g)],
        age_s=retention.age,
        entries=retention.entries,
    )


def trims_of(topology: Topology, worker: str) -> tuple[TrimPlan, ...]:
    """What a worker trims: the streams it reads, and those it writes that no worker reads."""
    written = {edge.writes for edge in edges(topology) if edge.worker == worker}
    if topology.workers[worker].kind != "lineage":
        written |= {topology.dead_letters, topology.lineage}
    unread = [stream for stream in sorted(written) if not readers(topology, stream)]
    return tuple(plan_trim(topology, stream) for stream in (*reads(topology, worker), *unread))


def keeps_state(topology: Topology, worker: str) -> bool:
    """Whether a worker has state that a checkpoint holds."""
    settings = topology.workers[worker]
    return exclusive(settings) and settings.kind != "lineage"


def trim(client: Client, lane: Lane, plan: TrimPlan) -> int:
    """Remove what nobody needs; return how many entries went, or -1 while a group is missing.

    Kept for certain: entries that a group has not acknowledged, entries behind the checkpoint of
    a stateful group, and whatever the stream's retention says. One step removes at most 1,000
    entries for being too many, so that the server is never held up; a call makes up to 100 steps.
    """
    keys = [lane.stream(plan.stream), *(lane.positions(group) for group in plan.stateful)]
    age_ms = int((plan.age_s or 0) * 1000)
    retained = int(plan.age_s is not None or plan.entries is not None)
    args = [age_ms, plan.entries or 0, retained, *plan.groups]
    total = 0
    for _ in range(_MOST_STEPS):
        removed: int = run_script(client, "trim", keys, args)
        if removed < 0:
            return removed
        total += removed
        if removed < _STEP:
            break
    return total
