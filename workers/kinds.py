"""The kinds of worker: from a kind's name to its handler, importing only what that kind needs."""

from collections.abc import Callable
from importlib import import_module

from schemas.topology import Topology
from streams.keys import Lane
from workers.handler import Handler
from workers.in_hand import Note, unnoted
from workers.provenance import RoeHashes

Build = Callable[[Topology, str, Lane], Handler]


def build_handler(
    topology: Topology, worker: str, lane: Lane, secret: bytes = b"", note: Note = unnoted
) -> Handler:
    """The handler of a worker on a lane.

    ``secret`` is the key of what lineage says: of the hash chain, and of the hashes that stand for
    ROE tokens, which are left out without one. ``note`` is called with the id of each entry that a
    gate or a transform begins with; other kinds look at a batch as a whole.

    Raises Misconfigured when the topology asks for something that cannot be. Importing River or
    a graph driver takes long, so each kind is imported only where it runs.
    """
    settings = topology.workers[worker]
    match settings.kind:
        case "gate":
            from workers.gate import Gate

            return Gate(topology, settings, worker, lane, RoeHashes(secret), note)
        case "anomaly":
            from workers.anomaly import Anomaly

            return Anomaly(topology, settings, worker, lane)
        case "drift":
            from workers.drift import Drift

            return Drift(topology, settings, worker, lane)
        case "detect":
            from workers.detect import Detect

            return Detect(topology, settings, worker, lane)
        case "transform":
            from workers.transform import Transform, TransformWithMemory

            made = TransformWithMemory if settings.memory else Transform
            return made(topology, settings, worker, lane, RoeHashes(secret), note)
        case "lineage":
            from workers.lineage import LineageSink

            return LineageSink(topology, worker, secret=secret, lane=lane.index)


def import_kind(kind: str) -> None:
    """Import what a kind needs, ahead of building its handler."""
    import_module(f"workers.{kind}")
