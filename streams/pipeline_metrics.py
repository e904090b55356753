"""What is told of a pipeline as a whole, as Prometheus families: by a supervisor, or, where none
runs, by each worker process; so rules take the ``max by`` of their labels.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from schemas.topology import Topology
from schemas.topology_graph import readers
from streams.observe import StreamState


def served_families(served: Mapping[str, Collection[int]], lanes: int) -> Iterator[Metric]:
    """Whether each worker takes entries, on each of ``lanes`` lanes; ``served`` has those it does.

    A worker that ``served`` leaves out is not told of.
    """
    up = GaugeMetricFamily(
        "penstock_worker_up", "1 while a process takes entries of the lane.",
        labels=["worker", "lane"],
    )  # fmt: skip
    for worker, its in served.items():
        for lane in range(lanes):
            up.add_metric([worker, str(lane)], float(lane in its))
    yield up


def server_families(answers: bool) -> Iterator[Metric]:
    """Whether the stream server answers."""
    yield GaugeMetricFamily(
        "penstock_server_up", "1 while the stream server answers.", value=float(answers)
    )


def stream_families(streams: Sequence[StreamState]) -> Iterator[Metric]:
    """Lengths of streams, lag and pending of groups; a lag that nobody can tell is left out."""
    length = GaugeMetricFamily(
        "penstock_stream_length", "Entries in a stream, all lanes together.", labels=["stream"]
    )
    lag = GaugeMetricFamily(
        "penstock_group_lag_entries", "Entries a worker has yet to read.",
        labels=["stream", "worker"],
    )  # fmt: skip
    pending = GaugeMetricFamily(
        "penstock_group_pending_entries", "Entries read and not yet acknowledged.",
        labels=["stream", "worker"],
    )  # fmt: skip
    full = GaugeMetricFamily(
        "penstock_stream_full", "1 while more waits than the high-water mark.", labels=["stream"]
    )
    strange = GaugeMetricFamily(
        "penstock_stream_stranger_groups",
        "Groups of a stream that no worker reads; they keep it from being trimmed.",
        labels=["stream"],
    )
    for stream in streams:
        full.add_metric([stream.name], float(stream.full))
        strange.add_metric([stream.name], len(stream.strangers))
        length.add_metric([stream.name], stream.length)
        for group in stream.groups:
            if group.lag is not None:
                lag.add_metric([stream.name, group.worker], group.lag)
            pending.add_metric([stream.name, group.worker], group.pending)
    yield from (length, lag, pending, full, strange)


def boundary_families(topology: Topology) -> Iterator[Metric]:
    """Which worker lets the messages of each layer in: what rules join the other metrics with."""
    boundary = GaugeMetricFamily(
        "penstock_boundary_info", "1 for a source stream of a layer and the worker that reads it.",
        labels=["stream", "layer", "worker"],
    )  # fmt: skip
    for name, stream in topology.streams.items():
        if stream.source and stream.layer is not None:
            for worker in readers(topology, name):
                boundary.add_metric([name, str(stream.layer), worker], 1.0)
    yield boundary


def budget_families(topology: Topology) -> Iterator[Metric]:
    """How many false alarms a second the topology's budget allows; no sample without a budget."""
    allowed = GaugeMetricFamily(
        "penstock_budget_alarms_per_second", "False alarms that the budget allows.", labels=[]
    )
    if topology.budget is not None:
        allowed.add_metric([], topology.budget.false_alarms / topology.budget.per)
    yield allowed
