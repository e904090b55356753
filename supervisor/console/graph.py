"""The topology as nodes and edges to be drawn: a gate stands once for each of its routes.

So a pipeline whose layers hand on to one another through the same gate reads as rows, one a layer,
from what producers write on the left to what readers outside get on the right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from schemas.topology import Topology
from schemas.topology_graph import edges, reads
from schemas.topology_workers import GateSettings

Sort = Literal["stream", "worker"]
Way = Literal["read", "write", "reject", "again"]
"""``again``: what a worker writes for a gate, so that it goes round to the left once more."""


@dataclass(frozen=True, slots=True)
class Node:
    """A stream, or a worker (a gate: one of its routes). ``column`` counts from the left."""

    id: str
    sort: Sort
    name: str
    about: str
    column: int


@dataclass(frozen=True, slots=True)
class Link:
    """That ``worker`` reads or writes ``stream``; ``start`` and ``end`` are the nodes' ids."""

    id: str
    start: str
    end: str
    way: Way
    stream: str
    worker: str


@dataclass(frozen=True, slots=True)
class Graph:
    """What there is to draw; nodes of a column stand in the order of the topology file."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A worker, or one route of a gate."""

    id: str
    worker: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    rejects: tuple[str, ...] = ()


def graph_of(topology: Topology) -> Graph:
    """The graph of a topology whose messages come round in no circle."""
    parts = [part for name in topology.workers for part in _parts(topology, name)]
    entered = {s for p in parts if _is_gate(topology, p) for s in p.reads}
    links = tuple(link for part in parts for link in _links(part, entered))
    columns = _columns(topology, parts, entered)
    streams = [
        Node(f"stream:{name}", "stream", name, _about(topology, name), columns[f"stream:{name}"])
        for name in topology.streams
    ]
    workers = [
        Node(part.id, "worker", part.worker, topology.workers[part.worker].kind, columns[part.id])
        for part in parts
    ]
    return Graph((*streams, *workers), links)


def _is_gate(topology: Topology, part: _Part) -> bool:
    return isinstance(topology.workers[part.worker], GateSettings)


def _parts(topology: Topology, worker: str) -> Iterator[_Part]:
    settings = topology.workers[worker]
    if isinstance(settings, GateSettings):
        for stream, target in settings.routes.items():
            part = f"worker:{worker}/{stream}"
            yield _Part(part, worker, (stream,), (target,), (settings.rejects_to,))
        return
    writes = dict.fromkeys(edge.writes for edge in edges(topology) if edge.worker == worker)
    yield _Part(f"worker:{worker}", worker, reads(topology, worker), tuple(writes))


def _links(part: _Part, entered: set[str]) -> Iterator[Link]:
    def link(stream: str, way: Way) -> Link:
        node, ends = f"stream:{stream}", (part.id, f"stream:{stream}")
        start, end = (node, part.id) if way == "read" else ends
        return Link(f"{way}|{part.id}|{stream}", start, end, way, stream, part.worker)

    yield from (link(stream, "read") for stream in part.reads)
    yield from (link(stream, "again" if stream in entered else "write") for stream in part.writes)
    yield from (link(stream, "reject") for stream in part.rejects)


def _about(topology: Topology, stream: str) -> str:
    """The stream's part in a few words."""
    settings = topology.streams[stream]
    layer = [] if settings.layer is None else [f"layer {settings.layer}"]
    return ", ".join([*layer, *["source"] * settings.source, *["sink"] * settings.sink])


def _columns(topology: Topology, parts: list[_Part], entered: set[str]) -> dict[str, int]:
    """How many steps behind the first stream each node stands.

    What nobody writes or reads by a drawn way stands last.
    """
    writers: dict[str, list[_Part]] = {name: [] for name in topology.streams}
    for part in parts:
        for stream in (*(s for s in part.writes if s not in entered), *part.rejects):
            writers[stream].append(part)

    @cache
    def of_stream(name: str) -> int:
        return max((of_part(part) + 1 for part in writers[name]), default=0)

    def of_part(part: _Part) -> int:
        return max((of_stream(stream) + 1 for stream in part.reads), default=0)

    found = {part.id: of_part(part) for part in parts}
    read = {stream for part in parts for stream in part.reads}
    last = max((of_stream(name) for name in topology.streams), default=0)
    for name in topology.streams:
        alone = name not in read and not writers[name] and not topology.streams[name].source
        found[f"stream:{name}"] = last if alone else of_stream(name)
    return found
