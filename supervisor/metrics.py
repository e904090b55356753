"""What the supervisor itself measures, as Prometheus families."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from schemas.supervisor_event import Action
from schemas.topology import Topology
from schemas.topology_graph import readers
from streams.observe import StreamState
from supervisor.fleet import ChildView

_REPLACED = (Action.STALLED, Action.SILENT, Action.MEMORY_LIMIT, Action.MEMORY_GROWTH)


def process_families(
    children: Sequence[ChildView],
    restarts: Mapping[str, int],
    unscraped: Sequence[str],
    lanes: int,
) -> Iterator[Metric]:
    """Restarts by worker, and whether each worker takes entries, on each of ``lanes`` lanes.

    ``unscraped`` names the processes whose own metrics are missing from this page.
    """
    ended = CounterMetricFamily(
        "penstock_supervisor_restarts", "Starts after ends nobody asked for.", labels=["worker"]
    )
    for worker, number in restarts.items():
        ended.add_metric([worker], number)
    up = GaugeMetricFamily(
        "penstock_worker_up", "1 while a process takes entries of the lane.",
        labels=["worker", "lane"],
    )  # fmt: skip
    served: dict[str, set[int]] = {}
    for child in children:
        served.setdefault(child.place.worker, set()).update(child.lanes)
    for worker, its in served.items():
        for lane in range(lanes):
            up.add_metric([worker, str(lane)], float(lane in its))
    missing = GaugeMetricFamily(
        "penstock_supervisor_unscraped_processes",
        "Processes whose own metrics are missing here.",
        value=len(unscraped),
    )
    yield from (ended, up, missing)


def action_families(
    actions: Mapping[tuple[str, str], int], workers: Iterable[str]
) -> Iterator[Metric]:
    """What the supervisor did, by action and worker; no worker where all are concerned.

    What alerts ask for begins at zero for each of ``workers``, so that the first one is a rise.
    """
    done = CounterMetricFamily(
        "penstock_supervisor_actions", "What the supervisor did to keep the workers going.",
        labels=["action", "worker"],
    )  # fmt: skip
    at_first = {(action.value, worker): 0 for worker in workers for action in _REPLACED}
    for (action, worker), number in {**at_first, **actions}.items():
        done.add_metric([action, worker], number)
    yield done


def stream_families(streams: Sequence[StreamState] | None) -> Iterator[Metric]:
    """Whether the stream server answers; if so, lengths of streams, lag and pending of groups.

    A lag that the server cannot tell is left out.
    """
    yield GaugeMetricFamily(
        "penstock_server_up", "1 while the stream server answers.", value=float(streams is not None)
    )
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
    for stream in streams or ():
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
