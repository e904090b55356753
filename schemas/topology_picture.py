"""The topology drawn: as text for a terminal and as Mermaid for a page."""

from collections import defaultdict

from schemas.topology import Topology
from schemas.topology_graph import edges, readers


def as_text(topology: Topology) -> str:
    """One line a stream and reader, in the order of the file: ``L3_IN -> gate -> L3, SHRINK``."""
    ways: dict[tuple[str, str], list[str]] = defaultdict(list)
    for edge in edges(topology):
        ways[edge.reads, edge.worker].append(edge.writes)
    width = max(len(name) for name in topology.streams)
    lines = []
    for stream, settings in topology.streams.items():
        for worker in readers(topology, stream):
            targets = ", ".join(ways[stream, worker])
            arrow = f" -> {targets}" if targets else " -> (provenance graph)"
            lines.append(f"{stream:<{width}} -> {worker}{arrow}")
        if settings.sink:
            lines.append(f"{stream:<{width}} -> (readers outside)")
    return "\n".join(lines)


def as_mermaid(topology: Topology) -> str:
    """A Mermaid flowchart: streams as cylinders, workers as boxes, one arrow a way."""
    lines = ["flowchart LR"]
    lines += [f'    s_{i}[("{name}")]' for i, name in enumerate(topology.streams)]
    stream_ids = {name: f"s_{i}" for i, name in enumerate(topology.streams)}
    worker_ids = {name: f"w_{i}" for i, name in enumerate(topology.workers)}
    lines += [f'    {node}["{name}"]' for name, node in worker_ids.items()]
    arrows: dict[str, None] = {}
    for stream in topology.streams:
        for worker in readers(topology, stream):
            arrows[f"    {stream_ids[stream]} --> {worker_ids[worker]}"] = None
    for edge in edges(topology):
        arrows[f"    {worker_ids[edge.worker]} --> {stream_ids[edge.writes]}"] = None
    return "\n".join([*lines, *arrows])
