"""What a worker has at hand on one lane: its place in the topology and its ways to the streams."""

import os
import platform
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from schemas.topology import Topology
from schemas.topology_graph import exclusive, readers, reads
from schemas.topology_workers import AnyWorker
from streams.checkpoint import Seal
from streams.commit import Committer
from streams.connection import Client
from streams.entry import Entry
from streams.keys import Lane
from streams.lease import OWNER, Lease
from streams.quarantine import ONLY_FOR
from streams.reader import OwnerReader, Reader
from streams.trim import TrimPlan, trims_of
from workers.floor import Floor
from workers.in_hand import Hand, Suspect, ids_on
from workers.provenance import grain_of
from workers.share import Share


@dataclass(frozen=True)
class Station:
    """Everything the loop needs to work for one worker on one lane.

    ``holder`` names this process; it is the consumer's name too, unless the lane is owned alone.
    ``share`` says which of the lanes owned alone are this process's part; None: any.
    ``elsewhere`` names, for each stream key, the other workers that read it.
    ``floor`` is shared by the lanes of a process.
    ``hand`` has the entry that the handler is at, where it tells.
    ``suspects`` are the ids of entries of this lane over which a process before this one may have
    ended, or that failed in one, ``guilty`` those over which one did; ``explained`` are holders
    before this one that left nothing but suspects and what was never tried.
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
    elsewhere: Mapping[str, frozenset[bytes]]
    share: Share | None = None
    floor: Floor = field(default_factory=Floor)
    hand: Hand = field(default_factory=Hand)
    suspects: frozenset[str] = frozenset()
    guilty: frozenset[str] = frozenset()
    explained: frozenset[str] = frozenset()

    @property
    def dead_letters(self) -> str:
        """The key of this lane's dead letters."""
        return self.lane.stream(self.topology.dead_letters)

    def mine(self, part: Sequence[Entry]) -> Sequence[Entry]:
        """The entries of a part that are not for another worker; the part itself if all are."""
        if not any(self.elsewhere.values()):
            return part
        return [entry for entry in part if not self.is_for_another(entry)]

    def is_for_another(self, entry: Entry) -> bool:
        """Whether an entry is a released dead letter that another worker still has to handle.

        This worker has handled it before. The field is believed only where no producer writes,
        and only if it names another reader of the stream.
        """
        if len(entry.fields) == 2:
            return False
        return entry.get(ONLY_FOR) in self.elsewhere[entry.stream]


def _other_readers(topology: Topology, stream: str, worker: str) -> frozenset[bytes]:
    if topology.streams[stream].source:
        return frozenset()
    return frozenset(name.encode() for name in readers(topology, stream) if name != worker)


def holder_name() -> str:
    """A name for this process that no other has, on any host."""
    return f"{platform.node()[:64]}-{os.getpid()}-{secrets.token_hex(3)}"


def take_station(
    client: Client,
    topology: Topology,
    worker: str,
    lane: Lane,
    seal: Seal,
    *,
    holder: str = "",
    share: Share | None = None,
    floor: Floor | None = None,
    hand: Hand | None = None,
    suspects: Sequence[Suspect] = (),
    explained: Sequence[str] = (),
) -> Station:
    """Put a station together; nothing is sent yet. The stations of a process have one holder."""
    settings = topology.workers[worker]
    alone = exclusive(settings)
    holder = holder or holder_name()
    delivery = topology.delivery
    lease = Lease(client, lane, worker, OWNER if alone else holder, delivery.lease)
    streams = reads(topology, worker)
    author = authorship(worker, settings.kind, holder) | grain_of(settings)
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
        trims=trims_of(topology, worker),
        elsewhere={
            lane.stream(stream): _other_readers(topology, stream, worker) for stream in streams
        },
        share=share,
        floor=floor or Floor(),
        hand=hand or Hand(),
        suspects=ids_on(lane.index, suspects),
        guilty=ids_on(lane.index, (suspect for suspect in suspects if suspect.alone)),
        explained=frozenset(explained),
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
