"""Asks the stream server how the pipeline stands, for a supervisor or for nobody in particular."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.topology import Topology
from streams.connection import Client
from streams.errors import StreamsError
from streams.observe import counters, stream_states
from streams.presence import present
from supervisor.announced import of_ours
from supervisor.fleet import ChildView
from supervisor.overview import (
    Overview,
    ServerView,
    SupervisorView,
    stream_views,
    supervised,
    unsupervised,
    worker_views,
)


@dataclass(frozen=True, slots=True)
class Supervised:
    """What a supervisor adds: itself, its children, and how many of each there should be."""

    view: SupervisorView
    children: Sequence[ChildView]
    wanted: Mapping[str, int]


def survey(
    client: Client,
    topology: Topology,
    server: ServerView,
    now_s: float,
    by: Supervised | None = None,
) -> Overview:
    """The whole pipeline at ``now_s``, seconds since the epoch.

    Where the server does not answer, the overview says so and holds what is known without it.
    """
    try:
        presences = present(client, now_s)
        streams = stream_states(client, topology)
        settled = counters(client, topology)
    except StreamsError as error:
        server = server.model_copy(update={"reachable": False, "error": str(error)})
        presences, streams, settled = [], [], {}
    processes = (
        unsupervised(presences)
        if by is None
        else supervised(by.children, of_ours(presences, by.children), heard=server.reachable)
    )
    workers = worker_views(topology, processes, by.wanted if by else None, streams, settled)
    everywhere = bool(workers) and all(worker.ready for worker in workers)
    return Overview(
        ready=by.view.ready if by else everywhere,
        server=server,
        supervisor=by.view if by else None,
        workers=workers,
        streams=stream_views(streams),
    )
