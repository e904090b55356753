"""The pipeline as OpenLineage events: a dataset a stream, a job a worker, a run a process.

OpenLineage speaks of datasets and jobs, not of messages, so this is the map with its figures:
who reads and writes which stream, in which schema, how many messages, and how many of them were
refused. Events are those of spec 2-0-2; https://openlineage.io/spec/2-0-2/OpenLineage.json.

=================  =========================================================================
dataset            namespace ``redis://host:port``, name the bare stream: all its lanes
job                namespace ``penstock/<topology>``, name the worker; a STREAMING job
run                a UUID made of the worker's and the process's name; RUNNING, as it has no end
=================  =========================================================================
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lineage.openlineage_facets import Facet, facet, producer, schema_fields
from lineage.store import LineageStore
from lineage.unfolded_figures import in_batches, together
from schemas.topology import Topology
from schemas.topology_graph import edges, reads

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
_RUNS = uuid.UUID("6f0d2c5e-6c1b-5e0a-9a52-1f3d1f0f7c11")

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the graph knows, by stream and by run."""

    runs: Sequence[Mapping[str, Any]]
    made: Mapping[tuple[str, str], Mapping[str, int]]
    used: Mapping[tuple[str, str], Mapping[str, int]]
    refused: Mapping[str, int]
    messages: Mapping[str, int]


def figures(store: LineageStore, since_ms: int = 0) -> Figures:
    """Count what is in a store since a time; raises :class:`lineage.errors.StoreError`."""
    made, used, there = in_batches(store.inspect, since_ms)
    messages = {r["stream"]: r["n"] for r in store.inspect("export_messages", since=since_ms)}
    return Figures(
        runs=store.inspect("export_runs", since=since_ms),
        made=_sums(_by_run(store.inspect("export_made", since=since_ms)), made),
        used=_sums(_by_run(store.inspect("export_used", since=since_ms)), used),
        refused={r["stream"]: r["n"] for r in store.inspect("export_refused", since=since_ms)},
        messages=together(messages, there),
    )


def _sums(
    some: Mapping[tuple[str, str], Mapping[str, int]],
    more: Mapping[tuple[str, str], Mapping[str, int]],
) -> dict[tuple[str, str], dict[str, int]]:
    return {run: together(some.get(run, {}), more.get(run, {})) for run in {*some, *more}}


def events(topology: Topology, address: str, known: Figures, now_ms: int) -> Iterator[Event]:
    """The events of a topology: its streams, its workers, then its runs.

    ``address`` is the stream server's ``host:port``.
    """
    export = _Export(topology, f"redis://{address}", known)
    for stream in topology.streams:
        yield _event("DatasetEvent", now_ms, dataset=export.dataset(stream))
    for worker in topology.workers:
        yield _event("JobEvent", now_ms, **export.job(worker))
    for run in known.runs:
        if run["worker"] in topology.workers:
            yield _event("RunEvent", run["last_ms"], **export.run(run))


class _Export:
    def __init__(self, topology: Topology, namespace: str, known: Figures) -> None:
        self._topology = topology
        self._namespace = namespace
        self._known = known
        self._writes: dict[str, list[str]] = defaultdict(list)
        for edge in edges(topology):
            if edge.writes not in self._writes[edge.worker]:
                self._writes[edge.worker].append(edge.writes)

    def dataset(self, stream: str) -> dict[str, Any]:
        """A stream with its schema, its source and its sort."""
        settings = self._topology.streams[stream]
        layer = "no layer" if settings.layer is None else f"layer {settings.layer}"
        facets = {
            "schema": facet("SchemaDatasetFacet", fields=schema_fields(settings.schema_name)),
            "dataSource": facet(
                "DatasourceDatasetFacet", name=self._namespace, uri=self._namespace
            ),
            "datasetType": facet("DatasetTypeDatasetFacet", datasetType="STREAM"),
            "documentation": facet(
                "DocumentationDatasetFacet",
                description=f"Stream {stream} of {layer}, schema {settings.schema_name}",
            ),
        }
        return {**self._name(stream), "facets": facets}

    def job(self, worker: str) -> dict[str, Any]:
        """A worker with what it reads and writes."""
        return {
            "job": self._job(worker),
            "inputs": [self._input(stream, None) for stream in reads(self._topology, worker)],
            "outputs": [self._name(stream) for stream in self._writes[worker]],
        }

    def run(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """A worker's process with how many messages of which stream it used and made."""
        which = (run["worker"], run["run"])
        engine = facet("ProcessingEngineRunFacet", name="penstock", version=run["worker_version"])
        return {
            "eventType": "RUNNING",
            "run": {
                "runId": str(uuid.uuid5(_RUNS, "/".join(which))),
                "facets": {"processing_engine": engine},
            },
            "job": self._job(run["worker"]),
            "inputs": [self._input(s, n) for s, n in self._known.used.get(which, {}).items()],
            "outputs": [self._output(s, n) for s, n in self._known.made.get(which, {}).items()],
        }

    def _job(self, worker: str) -> dict[str, Any]:
        kind = self._topology.workers[worker].kind
        sort = facet(
            "JobTypeJobFacet", processingType="STREAMING", integration="PENSTOCK", jobType=kind
        )
        name = {"namespace": f"penstock/{self._topology.name}", "name": worker}
        return {**name, "facets": {"jobType": sort}}

    def _name(self, stream: str) -> dict[str, Any]:
        return {"namespace": self._namespace, "name": stream}

    def _input(self, stream: str, used: int | None) -> dict[str, Any]:
        total = self._known.messages.get(stream, 0) if used is None else used
        quality = {
            "dataQualityMetrics": facet(
                "DataQualityMetricsInputDatasetFacet", rowCount=total, columnMetrics={}
            )
        }
        if used is None and self._topology.streams[stream].source:
            quality["dataQualityAssertions"] = self._judged(stream, total)
        return {**self._name(stream), "inputFacets": quality}

    def _judged(self, stream: str, total: int) -> Facet:
        """What the gate found: one assertion, that every message is as its schema says."""
        refused = self._known.refused.get(stream, 0)
        claim = {
            "assertion": "valid",
            "success": refused == 0,
            "name": self._topology.streams[stream].schema_name,
            "description": f"{refused} of {total} messages were rejected at the boundary",
        }
        return facet("DataQualityAssertionsDatasetFacet", assertions=[claim])

    def _output(self, stream: str, made: int) -> dict[str, Any]:
        count = facet("OutputStatisticsOutputDatasetFacet", rowCount=made)
        return {**self._name(stream), "outputFacets": {"outputStatistics": count}}


def _event(sort: str, at_ms: int, **said: Any) -> Event:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    head = {"eventTime": at, "producer": producer(), "schemaURL": f"{SPEC}#/$defs/{sort}"}
    return {**head, **said}


def _by_run(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, int]]:
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[row["worker"], row["run"]][row["stream"]] = row["n"]
    return found
