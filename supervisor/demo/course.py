"""The way that the demo's readings take through a topology, found by what its streams carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.topology import Topology
from schemas.topology_file import TopologyError
from schemas.topology_graph import edges, watching
from schemas.topology_workers import (
    AnomalyWorkerSettings,
    DriftWorkerSettings,
    GateSettings,
    TransformSettings,
)

SCHEMA = frozenset({"schemas:L3EventSchema", "schemas.l3_event:L3EventSchema"})
"""The schema of sensor readings, by the names that it has."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where readings go in (``source``), who judges them (``gate``), where they go on to.

    ``anomalies`` and ``drifts`` are the event streams of those who watch ``valid``; ``share``
    is the share of messages that its anomaly worker means to flag, None where there is none.
    ``decisions`` is the last layer that readings can lead to, None where they lead nowhere.
    """

    source: str
    gate: str
    valid: str
    rejected: str
    anomalies: tuple[str, ...]
    drifts: tuple[str, ...]
    share: float | None
    decisions: str | None


def course_of(topology: Topology, config: Path) -> Course:
    """The course through a topology.

    Raises TopologyError when no gate reads a source of sensor readings.
    """
    for name, settings in topology.workers.items():
        if not isinstance(settings, GateSettings):
            continue
        for source, valid in settings.routes.items():
            stream = topology.streams[source]
            if stream.source and stream.schema_name in SCHEMA:
                return _course(topology, name, settings, source, valid)
    raise TopologyError(
        [
            f"the demo publishes sensor readings, and no gate of {str(config)!r} reads a source "
            "with the schema 'schemas:L3EventSchema'; run it with the reference topology: "
            "penstock --config streams.yaml demo"
        ]
    )


def _course(
    topology: Topology, gate: str, settings: GateSettings, source: str, valid: str
) -> Course:
    watchers = [each for _, each in watching(topology) if valid in each.watch]
    anomaly = [each for each in watchers if isinstance(each, AnomalyWorkerSettings)]
    novelty = [each for each in anomaly if each.detectors.half_space_trees]
    return Course(
        source=source,
        gate=gate,
        valid=valid,
        rejected=settings.rejects_to,
        anomalies=tuple(each.writes for each in anomaly),
        drifts=tuple(each.writes for each in watchers if isinstance(each, DriftWorkerSettings)),
        share=novelty[0].detectors.quantile.share if novelty else None,
        decisions=_decisions(topology, valid),
    )


def _decisions(topology: Topology, valid: str) -> str | None:
    """The stream of the highest layer that gates and transforms make of what is valid."""
    reached = _reached(topology, valid) - {valid}
    layers = {name: topology.streams[name].layer or 0 for name in reached}
    sinks = {name: layer for name, layer in layers.items() if topology.streams[name].sink}
    return max(sinks, key=lambda name: sinks[name]) if sinks else None


def _reached(topology: Topology, start: str) -> set[str]:
    onward: Mapping[str, set[str]] = {name: set() for name in topology.streams}
    for edge in edges(topology):
        settings = topology.workers[edge.worker]
        forwards = isinstance(settings, GateSettings) and settings.routes[edge.reads] == edge.writes
        if forwards or isinstance(settings, TransformSettings):
            onward[edge.reads].add(edge.writes)
    found, todo = {start}, [start]
    while todo:
        new = onward[todo.pop()] - found
        found |= new
        todo += new
    return found
