"""How far each worker has come on each lane, and what its consumers have in their hands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.topology import Topology
from schemas.topology_graph import readers
from streams.connection import Client, send
from streams.errors import GroupMissing
from streams.groups import group_rows, lag_of, name_of
from streams.keys import Lane


@dataclass(frozen=True, slots=True)
class Grip:
    """What a consumer has: entries delivered and not acknowledged, and since when it is idle.

    ``idle_s`` are the seconds since it last read or claimed, on whichever stream was the latest.
    """

    pending: int
    idle_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """A worker on one lane, over all streams that it reads.

    ``lag`` counts entries not yet delivered, where the server can tell; ``settled`` those settled
    since ever, so it changes with each commit.
    """

    lag: int
    settled: int
    grips: Mapping[str, Grip]


def progress(client: Client, topology: Topology) -> dict[tuple[str, int], Progress]:
    """Every worker on every lane, by worker and lane. Raises what the server raises."""
    found: dict[tuple[str, int], Progress] = {}
    for index in range(topology.lanes):
        lane = Lane(index, topology.lanes)
        settled = _settled(client, lane)
        for worker in topology.workers:
            found[worker, index] = Progress(0, settled.get(worker, 0), {})
        for stream in topology.streams:
            for worker, lag, grips in _groups(client, topology, lane.stream(stream), stream):
                before = found[worker, index]
                found[worker, index] = Progress(
                    before.lag + lag, before.settled, _together(before.grips, grips)
                )
    return found


def _settled(client: Client, lane: Lane) -> dict[str, int]:
    counted: dict[bytes, bytes] = send(client, "HGETALL", lane.counters)
    found: dict[str, int] = {}
    for name, number in counted.items():
        worker = name_of(name).partition(":")[0]
        found[worker] = found.get(worker, 0) + int(number)
    return found


def _groups(
    client: Client, topology: Topology, key: str, stream: str
) -> list[tuple[str, int, dict[str, Grip]]]:
    known = readers(topology, stream)
    if not known:
        return []
    try:
        info: dict[str, Any] = send(client, "XINFO STREAM", key)
        rows = group_rows(client, key)
    except GroupMissing:
        return []  # the stream does not exist yet
    found = []
    for row in rows:
        worker = name_of(row["name"])
        if worker in known:
            lag = lag_of(row, info["length"], info["last-generated-id"]) or 0
            busy = lag or row["pending"]
            found.append((worker, lag, _grips(client, key, worker) if busy else {}))
    return found


def _grips(client: Client, key: str, group: str) -> dict[str, Grip]:
    reply: list[dict[str, Any]] = send(client, "XINFO CONSUMERS", key, group)
    return {name_of(row["name"]): Grip(row["pending"], row["idle"] / 1000) for row in reply}


def _together(some: Mapping[str, Grip], more: Mapping[str, Grip]) -> dict[str, Grip]:
    found = dict(some)
    for name, grip in more.items():
        other = found.get(name)
        found[name] = (
            Grip(other.pending + grip.pending, min(other.idle_s, grip.idle_s)) if other else grip
        )
    return found
