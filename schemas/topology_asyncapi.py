"""A topology as an AsyncAPI document: its streams as channels, its workers' ends as operations."""

from collections.abc import Iterator
from typing import Any

from schemas.asyncapi import ChannelInfo, OperationInfo, asyncapi_document
from schemas.registry import resolve
from schemas.topology import StreamSettings, Topology
from schemas.topology_graph import edges, readers, reads


def topology_document(topology: Topology, *, host: str = "localhost:6379") -> dict[str, Any]:
    """The AsyncAPI 3.0.0 document of a topology that was checked, as parsed JSON.

    Its version is that of the topology file's format. ``host`` is the server's ``host:port``.
    """
    channels = {
        name: ChannelInfo(resolve(stream.schema_name), _description(topology, name, stream))
        for name, stream in topology.streams.items()
    }
    return asyncapi_document(
        topology.name, str(topology.version), channels, list(_operations(topology)), host=host
    )


def _description(topology: Topology, name: str, stream: StreamSettings) -> str:
    if stream.description:
        return stream.description
    writers = list(dict.fromkeys(edge.worker for edge in edges(topology) if edge.writes == name))
    if name in (topology.dead_letters, topology.lineage):
        writers = ["every worker"]
    if name == topology.supervisor:
        writers = ["the supervisor"]
    written = ["producers outside the pipeline"] * stream.source + writers
    read = [*readers(topology, name), *["consumers outside the pipeline"] * stream.sink]
    return f"Written by {', '.join(written)}; read by {', '.join(read)}."


def _operations(topology: Topology) -> Iterator[OperationInfo]:
    for name, settings in topology.workers.items():
        for stream in reads(topology, name):
            yield OperationInfo(name, stream, "receive")
        written = [edge.writes for edge in edges(topology) if edge.worker == name]
        side = [topology.dead_letters, *[topology.lineage] * (settings.kind != "lineage")]
        for stream in dict.fromkeys([*written, *side]):
            yield OperationInfo(name, stream, "send")
    if topology.supervisor is not None:
        yield OperationInfo("supervisor", topology.supervisor, "send")
