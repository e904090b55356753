"""The topology as a graph: who reads what, who writes what, and whether it holds together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter

from schemas.topology import Topology
from schemas.topology_lineage import refused_batches
from schemas.topology_workers import (
    AnomalyWorkerSettings,
    AnyWorker,
    DetectWorkerSettings,
    DriftWorkerSettings,
    GateSettings,
    LineageWorkerSettings,
    TransformSettings,
)

Path = tuple[str | int, ...]
"""Where in the file a value stands: the keys and indices from the top."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where in the file, and a sentence with the likely fix.

    ``module`` is the one that cannot be imported, if it is that: one sentence a module is enough.
    """

    path: Path
    text: str
    module: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """That ``worker`` takes messages of stream ``reads`` and writes to stream ``writes``."""

    worker: str
    reads: str
    writes: str


def reads(topology: Topology, worker: str) -> tuple[str, ...]:
    """The streams that a worker's consumer group reads, in the order of the file."""
    settings = topology.workers[worker]
    match settings:
        case GateSettings():
            return tuple(settings.routes)
        case AnomalyWorkerSettings() | DriftWorkerSettings() | DetectWorkerSettings():
            return tuple(settings.watch)
        case TransformSettings():
            return settings.reads
        case LineageWorkerSettings():
            return (topology.lineage,)


def readers(topology: Topology, stream: str) -> tuple[str, ...]:
    """The workers whose groups read a stream."""
    return tuple(worker for worker in topology.workers if stream in reads(topology, worker))


def watching(
    topology: Topology,
) -> Iterator[tuple[str, AnomalyWorkerSettings | DriftWorkerSettings]]:
    """The workers that look for anomalies and for drift; one that does both comes as each."""
    for name, settings in topology.workers.items():
        match settings:
            case AnomalyWorkerSettings() | DriftWorkerSettings():
                yield name, settings
            case DetectWorkerSettings():
                yield from ((name, part) for part in settings.parts)


def exclusive(settings: AnyWorker) -> bool:
    """Whether one process alone may run this worker on a lane: it has state, or it is a sink."""
    if isinstance(settings, TransformSettings):
        return settings.memory
    return not isinstance(settings, GateSettings)


def edges(topology: Topology) -> tuple[Edge, ...]:
    """The ways that messages take, without the side streams of dead letters and lineage."""
    return tuple(edge for name in topology.workers for edge in _edges_of(topology, name))


def _edges_of(topology: Topology, worker: str) -> Iterator[Edge]:
    settings = topology.workers[worker]
    match settings:
        case GateSettings():
            for stream, target in settings.routes.items():
                yield Edge(worker, stream, target)
                yield Edge(worker, stream, settings.rejects_to)
        case AnomalyWorkerSettings() | DriftWorkerSettings():
            yield from (Edge(worker, stream, settings.writes) for stream in settings.watch)
        case DetectWorkerSettings():
            for stream in settings.watch:
                yield Edge(worker, stream, settings.anomaly.writes)
                yield Edge(worker, stream, settings.drift.writes)
        case TransformSettings():
            for stream in settings.reads:
                yield from (Edge(worker, stream, target) for target in settings.writes)
        case LineageWorkerSettings():
            pass


def graph_problems(topology: Topology) -> list[Problem]:
    """What is wrong with the graph, without importing anything; empty if it holds.

    Checked: every stream that a worker names exists, is written by somebody and read by somebody;
    both sides of a gate's route have the same schema; no message can come round in a circle;
    exclusive workers have no more replicas than lanes; a transform with memory reads one stream.
    """
    found = unknown = list(_unknown_streams(topology))
    if not unknown:
        found = [*_loose_ends(topology), *_mismatched_routes(topology), *_cycles(topology)]
    return found + list(_impossible_workers(topology))


def touched(topology: Topology, worker: str) -> list[str]:
    """The streams that a worker reads or writes, those for what it writes besides included."""
    written = [edge.writes for edge in edges(topology) if edge.worker == worker]
    side = [topology.dead_letters, topology.lineage]
    return list(dict.fromkeys([*reads(topology, worker), *written, *side]))


def _named_streams(topology: Topology) -> Iterator[tuple[Path, str]]:
    yield ("dead_letters",), topology.dead_letters
    yield ("lineage",), topology.lineage
    if topology.supervisor is not None:
        yield ("supervisor",), topology.supervisor
    for name, settings in topology.workers.items():
        at: Path = ("workers", name)
        match settings:
            case GateSettings():
                for stream, target in settings.routes.items():
                    yield (*at, "routes", stream), stream
                    yield (*at, "routes", stream), target
                yield (*at, "rejects_to"), settings.rejects_to
            case AnomalyWorkerSettings() | DriftWorkerSettings():
                yield from (((*at, "watch", stream), stream) for stream in settings.watch)
                yield (*at, "writes"), settings.writes
            case DetectWorkerSettings():
                yield from (((*at, "watch", stream), stream) for stream in settings.watch)
                yield (*at, "anomaly", "writes"), settings.anomaly.writes
                yield (*at, "drift", "writes"), settings.drift.writes
            case TransformSettings():
                yield from (((*at, "reads", i), s) for i, s in enumerate(settings.reads))
                yield from (((*at, "writes", i), s) for i, s in enumerate(settings.writes))
            case LineageWorkerSettings():
                pass


def _unknown_streams(topology: Topology) -> Iterator[Problem]:
    for path, name in _named_streams(topology):
        if name not in topology.streams:
            who = f"worker {path[1]!r}" if path[0] == "workers" else repr(path[0])
            text = f"{who} names stream {name!r}, which is not under 'streams'"
            yield Problem(path, text + did_you_mean(name, topology.streams))


def did_you_mean(name: str, known: Mapping[str, object] | list[str]) -> str:
    """``; did you mean 'x'?`` for the nearest known name, or nothing."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _side_streams(topology: Topology) -> set[str]:
    """What is written beside the way of the messages."""
    beside = {topology.dead_letters, topology.lineage, topology.supervisor}
    return {stream for stream in beside if stream is not None}


def _loose_ends(topology: Topology) -> Iterator[Problem]:
    written = {edge.writes for edge in edges(topology)} | _side_streams(topology)
    for name, stream in topology.streams.items():
        if name not in written and not stream.source:
            yield Problem(
                ("streams", name),
                f"stream {name!r} is written by nobody; let a worker write it, or mark it "
                "'source: true' if producers outside do",
            )
        if not readers(topology, name) and not stream.sink:
            yield Problem(
                ("streams", name),
                f"stream {name!r} is read by nobody; let a worker read it, or mark it "
                "'sink: true' if consumers outside do",
            )


def _mismatched_routes(topology: Topology) -> Iterator[Problem]:
    for name, settings in topology.workers.items():
        if not isinstance(settings, GateSettings):
            continue
        for stream, target in settings.routes.items():
            left, right = (topology.streams[s].schema_name for s in (stream, target))
            if left != right:
                yield Problem(
                    ("workers", name, "routes", stream),
                    f"worker {name!r} forwards {stream!r} ({left}) to {target!r} ({right}); "
                    "both need the same schema, since a gate forwards the bytes unchanged",
                )


def _cycles(topology: Topology) -> Iterator[Problem]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    ways = [*edges(topology), *_side_edges(topology)]
    for edge in ways:
        sorter.add(edge.writes, edge.reads)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = error.args[1]
        worker = next(e.worker for e in ways if (e.reads, e.writes) == (circle[0], circle[1]))
        yield Problem(
            ("workers", worker),
            f"messages would go round in a circle: {' -> '.join(circle)}; "
            f"let worker {worker!r} write to another stream",
        )


def _side_edges(topology: Topology) -> Iterator[Edge]:
    """What every worker writes besides: records of lineage, and what it could not process."""
    for worker, settings in topology.workers.items():
        if not isinstance(settings, LineageWorkerSettings):
            for stream in reads(topology, worker):
                yield Edge(worker, stream, topology.lineage)
                yield Edge(worker, stream, topology.dead_letters)


def _impossible_workers(topology: Topology) -> Iterator[Problem]:
    for name, settings in topology.workers.items():
        writes = dict.fromkeys(edge.writes for edge in _edges_of(topology, name))
        if refused := refused_batches(topology, name, writes):
            yield Problem(("workers", name, "lineage"), refused)
        if exclusive(settings) and settings.replicas.min > topology.lanes:
            yield Problem(
                ("workers", name, "replicas"),
                f"worker {name!r} owns a lane alone, so {settings.replicas.min} replicas on "
                f"{topology.lanes} lane(s) leave some idle; raise 'lanes' or lower 'replicas'",
            )
        if isinstance(settings, TransformSettings) and settings.memory and len(settings.reads) > 1:
            yield Problem(
                ("workers", name, "reads"),
                f"worker {name!r} has memory, so it can read one stream only: the order of "
                "messages across streams is not repeatable after a crash",
            )
