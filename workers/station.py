"""What one worker process has at hand: its place in the topology and its ways to the streams."""

import os
import platform
import secrets
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from schemas.topology import AnyWorker, Topology
from schemas.topology_graph import exclusive, reads
from streams.checkpoint import Seal
from streams.commit import Committer
from streams.connection import Client
from streams.keys import Lane
from streams.lease import OWNER, Lease
from streams.reader import OwnerReader, Reader
from streams.trim import TrimPlan, plan_trim


@dataclass(frozen=True)
class Station:
    """Everything the loop needs to work for one worker on one lane.

    ``holder`` names this process; it is the consumer's name too, unless the lane is owned alone.
    ``author`` is what lineage records say of this worker.
    """

    topology: Topology
    worker: str
    settings: AnyWorker
    lane: Lane
    holder: str
    exclusive: bool
    author: dict[str, Any]
    client: Client
    lease: Lease
    reader: Reader
    committer: Committer
    seal: Seal
    trims: tuple[TrimPlan, ...]

    @property
    def dead_letters(self) -> str:
        """The key of this lane's dead letters."""
        return self.lane.stream(self.topology.dead_letters)


def take_station(
    client: Client, topology: Topology, worker: str, lane: Lane, seal: Seal
) -> Station:
    """Put a station together; nothing is sent yet."""
    settings = topology.workers[worker]
    alone = exclusive(settings)
    holder = f"{platform.node()[:64]}-{os.getpid()}-{secrets.token_hex(3)}"
    delivery = topology.delivery
    lease = Lease(client, lane, worker, OWNER if alone else holder, delivery.lease)
    streams = reads(topology, worker)
    author = authorship(worker, settings.kind, holder)
    return Station(
        topology=topology,
        worker=worker,
        settings=settings,
        lane=lane,
        holder=holder,
        exclusive=alone,
        author=author,
        client=client,
        lease=lease,
        reader=(
            OwnerReader(client, lane, worker, lease, streams)
            if alone
            else Reader(client, lane, worker, holder, streams)
        ),
        committer=Committer(
            client,
            lane,
            worker,
            lease,
            author=author,
            lineage=topology.lineage,
            remember_s=delivery.remember_ids,
        ),
        seal=seal,
        trims=tuple(plan_trim(topology, stream) for stream in streams),
    )


def authorship(worker: str, kind: str, run: str) -> dict[str, Any]:
    """What lineage records say of the worker that made their outputs."""
    return {
        "worker": worker,
        "worker_kind": kind,
        "worker_version": version("penstock"),
        "host": platform.node()[:128] or "unknown",
        "run": run,
    }
