"""Which workers may have their messages stored in the provenance graph as batches."""

from collections.abc import Iterable

from schemas.topology import Topology

OWN_NODE_FROM = 7
"""From this layer on every message has a node of its own, whatever the worker's setting."""


def refused_batches(topology: Topology, worker: str, writes: Iterable[str]) -> str:
    """Why a worker that writes these streams can't have ``lineage: batch``; empty if it may.

    Streams that the topology lacks are left to the check that looks for those.
    """
    if topology.workers[worker].lineage != "batch":
        return ""
    known = (name for name in writes if name in topology.streams)
    layers = {name: topology.streams[name].layer for name in known}
    high = [name for name, layer in layers.items() if layer is not None and layer >= OWN_NODE_FROM]
    if not high:
        return ""
    return (
        f"worker {worker!r} has 'lineage: batch', but writes {', '.join(map(repr, high))}: from "
        f"layer {OWN_NODE_FROM} on every message has a node of its own; leave the setting out, or "
        "let another worker write the layers below"
    )
