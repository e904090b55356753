"""Trimming by what was acknowledged and checkpointed, never by length alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.topology import Topology
from schemas.topology_graph import exclusive, readers
from streams.connection import Client
from streams.keys import Lane
from streams.scripts import run_script


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


def keeps_state(topology: Topology, worker: str) -> bool:
    """Whether a worker has state that a checkpoint holds."""
    settings = topology.workers[worker]
    return exclusive(settings) and settings.kind != "lineage"


def trim(client: Client, lane: Lane, plan: TrimPlan) -> int:
    """Remove what nobody needs; return how many entries went, or -1 while a group is missing.

    Kept for certain: entries that a group has not acknowledged, entries behind the checkpoint of
    a stateful group, and whatever the stream's retention says. One call removes at most 1,000
    entries for being too many, so that the server is never held up.
    """
    keys = [lane.stream(plan.stream), *(lane.positions(group) for group in plan.stateful)]
    age_ms = int((plan.age_s or 0) * 1000)
    retained = int(plan.age_s is not None or plan.entries is not None)
    removed: int = run_script(
        client, "trim", keys, [age_ms, plan.entries or 0, retained, *plan.groups]
    )
    return removed
