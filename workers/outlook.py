"""What a worker process without a supervisor tells of the pipeline around it, when it is asked.

Under a supervisor that one tells it. Here every process does: of all workers and lanes by their
presence list, and of the streams that it reads. So a worker of which no process is left is still
told of, by the others.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from schemas.topology import Topology
from schemas.topology_graph import reads
from streams.connection import Client
from streams.errors import ServerAway, StreamsError
from streams.observe import StreamState, stream_states
from streams.pipeline_metrics import (
    boundary_families,
    budget_families,
    served_families,
    server_families,
    stream_families,
)
from streams.presence import Presence, present

TIMEOUT_S = 1.0
"""How long one command may take: a server that hangs must not outlast a scrape."""


class Outlook(Collector):
    """Looks at the stream server at each scrape, by a client of its own.

    ``client`` should give up after TIMEOUT_S. ``restarts`` counts the processes that ended by a
    fault before this one, under the same keeper.
    """

    def __init__(
        self,
        client: Client,
        topology: Topology,
        worker: str,
        restarts: int,
        *,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._topology = topology
        self._worker = worker
        self._restarts = restarts
        self._now_s = now_s
        self._log = structlog.get_logger().bind(worker=worker)

    def collect(self) -> Iterator[Metric]:
        """The families, of what the server says now."""
        yield from boundary_families(self._topology)
        yield from budget_families(self._topology)
        restarts = CounterMetricFamily(
            "penstock_worker_restarts", "Ends by a fault under one keeper.", labels=["worker"]
        )
        restarts.add_metric([self._worker], self._restarts)
        yield restarts
        try:
            processes = present(self._client, self._now_s())
            its = reads(self._topology, self._worker)
            streams = stream_states(self._client, self._topology, its)
        except ServerAway:
            yield from server_families(answers=False)
        except StreamsError as error:  # it denies us a look, so it is there
            self._log.warning("metrics_denied", error=str(error))
            yield from server_families(answers=True)
        else:
            yield from self._seen(processes, streams)

    def _seen(
        self, processes: Sequence[Presence], streams: Sequence[StreamState]
    ) -> Iterator[Metric]:
        """A worker that may have no process is told of while it has one."""
        workers = self._topology.workers
        served: dict[str, set[int]] = {w: set() for w, s in workers.items() if s.replicas.min > 0}
        for process in processes:
            if process.worker in workers:
                lanes = served.setdefault(process.worker, set())
                lanes.update({process.lane} if process.ready else ())
        yield from server_families(answers=True)
        yield from served_families(served, self._topology.lanes)
        yield from stream_families(streams)
