"""What the supervisor itself measures, as Prometheus families."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from schemas.supervisor_event import Action
from streams.pipeline_metrics import served_families
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
    served: dict[str, set[int]] = {}
    for child in children:
        served.setdefault(child.place.worker, set()).update(child.lanes)
    missing = GaugeMetricFamily(
        "penstock_supervisor_unscraped_processes",
        "Processes whose own metrics are missing here.",
        value=len(unscraped),
    )
    yield ended
    yield from served_families(served, lanes)
    yield missing


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
