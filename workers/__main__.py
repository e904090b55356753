"""``python -m workers NAME``: one process of a worker, on all lanes or on some.

Exit codes: 0 it was told to stop and drained; 3 the topology or the worker's settings cannot be
used; 4 its port is taken; 5 there is no server, or it refuses the worker; 9 a handler went past its
deadline.
"""

import argparse
import gc
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import structlog

from lineage.settings import LineageSettings
from schemas.topology import Topology
from schemas.topology_file import DEFAULT_FILE, TopologyError, TopologyFile, read_topology
from schemas.topology_graph import exclusive, reads
from streams.checkpoint import Seal, state_key
from streams.cluster import check_lanes
from streams.connection import Client, connect
from streams.errors import CheckpointRefused, ServerAway, StreamsError
from streams.keys import Lane
from streams.lease import break_lease
from streams.locate import locate
from streams.logs import configure_logs
from streams.presence import field_of, withdraw
from streams.settings import ServerSettings
from workers.announcer import Announcer
from workers.errors import Misconfigured
from workers.floor import Floor
from workers.handler import Handler
from workers.health import HealthServer
from workers.heartbeat import Heartbeat
from workers.in_hand import Hands
from workers.keeper import Kept, keep
from workers.kinds import build_handler, import_kind
from workers.lanes import ALL, LaneRun, lanes_named, run_lanes, stalled, unserved
from workers.loop import Loop
from workers.metrics import Families, Metrics
from workers.notify import notifiers
from workers.outlook import TIMEOUT_S, Outlook
from workers.pulse import Beside
from workers.share import Share
from workers.standing import Standing
from workers.station import Station, take_station
from workers.tracing import Tracing, begin_tracing, import_ahead

EXIT_MISCONFIGURED, EXIT_PORT_TAKEN, EXIT_REFUSED = 3, 4, 5
_STALLED_AFTER_S = 60.0
_YOUNG_OBJECTS = 20_000  # a batch makes some thousands that die with it; the default looks at 700


def main(arguments: list[str] | None = None) -> int:
    """Run one worker until SIGTERM or SIGINT; return the exit code."""
    options = _options(arguments)
    configure_logs(options.log_level)
    log = structlog.get_logger().bind(worker=options.worker)
    try:
        found = read_topology(options.config, named=options.named)
        _import_ahead(found.topology, options)
    except (TopologyError, Misconfigured) as error:
        return _misconfigured(error, log)
    hands = Hands(found.topology.lanes)

    def work(kept: Kept) -> int:
        return _work(options, found, kept, hands, log)

    return keep(work, log, hands, parent=options.parent)


def _import_ahead(topology: Topology, options: argparse.Namespace) -> None:
    """Import what the worker's kind needs, so that no process that is forked has to.

    The author's own modules are left to that process: what they open could not be shared.
    """
    if options.worker not in topology.workers:
        known = ", ".join(topology.workers)
        raise Misconfigured(f"{options.named} has no worker {options.worker!r}; it has {known}")
    import_kind(topology.workers[options.worker].kind)
    import_ahead(os.environ)
    _freeze()


def _work(
    options: argparse.Namespace, found: TopologyFile, kept: Kept, hands: Hands, log: Any
) -> int:
    """In the process that works: run until told to stop; return the exit code."""
    try:
        return _run(options, found, kept, hands, log)
    except (TopologyError, Misconfigured, CheckpointRefused) as error:
        return _misconfigured(error, log)
    except StreamsError as error:  # what waiting does not mend
        log.error("server_refused", error=str(error))
        return EXIT_REFUSED


def _misconfigured(error: Exception, log: Any) -> int:
    log.error("misconfigured", error=str(error))
    return EXIT_MISCONFIGURED


def _freeze() -> None:
    """What was imported lives as long as the process; the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("worker", help="its name under 'workers' in the topology file")
    parser.add_argument("--config", type=Path, default=Path(DEFAULT_FILE))
    parser.add_argument("--named", type=Path, help="the file that --config is a copy of")
    parser.add_argument("--lanes", default=ALL, help="'all', or numbers from 0 on, such as 0,3,5")
    parser.add_argument("--host", default="127.0.0.1", help="address of /metrics and /readyz")
    parser.add_argument("--port", type=int, default=0, help="their port; 0 takes a free one")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone")
    parser.add_argument("--log-level", default="info")
    options = parser.parse_args(arguments)
    options.named = options.named or options.config
    return options


def _run(
    options: argparse.Namespace, found: TopologyFile, kept: Kept, hands: Hands, log: Any
) -> int:
    sys.path.append(str(options.named.resolve().parent))  # the author's schemas and functions
    topology = found.checked_for([options.worker])
    lanes = lanes_named(options.lanes, topology)
    settings = ServerSettings()
    client = connect(
        locate(settings), timeout_s=settings.command_timeout_s, name=f"penstock-{options.worker}"
    )
    check_lanes(client, topology.lanes)
    key = state_key(settings.state_key.get_secret_value(), settings.data_dir)
    seal, secret = Seal(key), LineageSettings().secret(otherwise=key)
    stations = _stations(client, topology, options.worker, lanes, seal, kept, hands)
    _inherit(stations, kept.dead)
    families, tracing = Families(), begin_tracing(os.environ, options.worker, kept.holder, log)
    started = [_lane_run(station, secret, kept, families, tracing, log) for station in stations]
    _tell_of_the_pipeline(options, topology, settings, kept, families)
    _freeze()
    try:
        return _serve(options, kept, stations, started, families, log)
    finally:
        client.close()
        tracing.close()


def _tell_of_the_pipeline(
    options: argparse.Namespace,
    topology: Topology,
    settings: ServerSettings,
    kept: Kept,
    families: Families,
) -> None:
    """Where no supervisor does; the client for it lives as long as the process."""
    if not options.parent:
        client = connect(locate(settings), timeout_s=TIMEOUT_S, name=f"penstock-{options.worker}")
        families.registry.register(Outlook(client, topology, options.worker, kept.restarts))


def _stations(
    client: Client,
    topology: Topology,
    worker: str,
    lanes: list[int],
    seal: Seal,
    kept: Kept,
    hands: Hands,
) -> list[Station]:
    holder, share, floor = kept.holder, None, Floor()
    if exclusive(topology.workers[worker]) and topology.lanes > 1:
        look_every_s = topology.delivery.lease / 3
        share = Share(client, worker, holder, lanes, look_every_s=look_every_s)
    return [
        take_station(
            client,
            topology,
            worker,
            Lane(lane, topology.lanes),
            seal,
            holder=holder,
            share=share,
            floor=floor,
            hand=hands.of(lane),
            suspects=kept.suspects,
            explained=kept.explained,
        )
        for lane in lanes
    ]


def _inherit(stations: list[Station], dead: Sequence[str]) -> None:
    """Settle what the processes before this one left, since they are known to be dead.

    Their entries are taken over at once, rather than when their leases run out.
    """
    with suppress(ServerAway):  # then they do run out
        for station, holder in product(stations, dead):
            break_lease(station.client, station.lane, station.worker, holder)
            withdraw(station.client, field_of(station.worker, holder, station.lane.index))


def _lane_run(
    station: Station,
    secret: bytes,
    kept: Kept,
    families: Families,
    tracing: Tracing,
    log: Any,
) -> tuple[LaneRun, Metrics]:
    lane = station.lane.index
    standing = Standing(kept.stopping, on_served=kept.served)
    handler = build_handler(
        station.topology, station.worker, station.lane, secret, station.hand.note
    )
    metrics = Metrics(
        station.worker,
        station.settings.kind,
        time.time(),
        lane=lane,
        families=families,
        handler=handler,
    )
    metrics.expect(reads(station.topology, station.worker))
    if station.lane.lanes > 1:
        log = log.bind(lane=lane)
    loop = Loop(station, tracing.around(handler, lane), standing, metrics, log)
    return LaneRun(lane, standing, loop, _beside(station, handler, standing, log)), metrics


def _beside(station: Station, handler: Handler, standing: Standing, log: Any) -> list[Beside]:
    """What runs beside the loop of a lane for the sake of its handler."""
    if station.settings.kind not in ("drift", "detect"):
        return []  # and what others need not have, they need not import
    from workers.baselining import Baselining, Heeding

    assert isinstance(handler, Heeding)
    return [Baselining(station, handler, standing, log)]


def _serve(
    options: argparse.Namespace,
    kept: Kept,
    stations: list[Station],
    started: list[tuple[LaneRun, Metrics]],
    families: Families,
    log: Any,
) -> int:
    runs = [run for run, _ in started]

    def live() -> str:
        return stalled(runs, _STALLED_AFTER_S)

    def ready() -> str:
        return unserved(runs)

    try:
        health = HealthServer(families.registry, live, ready, options.host, options.port)
    except OSError as error:
        log.error("port_taken", port=options.port, error=str(error))
        return EXIT_PORT_TAKEN
    beside: list[Beside] = [
        Announcer(station, run.standing, metrics, kept, host=options.host, port=health.port)
        for station, (run, metrics) in zip(stations, started, strict=True)
    ]
    beside += [
        Heartbeat(station, run.standing, kept) for station, run in zip(stations, runs, strict=True)
    ]
    beside += [each for run in runs for each in run.beside]
    beside += notifiers(os.environ, kept.pid, live, ready, kept.stopping, log)
    log.info("worker_started", consumer=stations[0].holder, lanes=len(runs), port=health.port)
    try:
        run_lanes(runs, beside)
    finally:
        health.close()
    log.info("worker_ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
