"""``python -m workers NAME``: one worker process on one lane.

Exit codes: 0 it was told to stop and drained; 3 the topology or the worker's settings cannot be
used; 4 its port is taken; 5 there is no server, or it refuses the worker; 9 a handler went past its
deadline.
"""

import argparse
import gc
import signal
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from schemas.topology import Topology
from schemas.topology_file import DEFAULT_FILE, TopologyError, load_topology
from streams.checkpoint import Seal, state_key
from streams.connection import connect
from streams.errors import CheckpointRefused, NoServer, ServerRefused
from streams.keys import Lane
from streams.locate import locate
from streams.logs import configure_logs
from streams.settings import ServerSettings
from workers.errors import Misconfigured
from workers.health import HealthServer
from workers.heartbeat import Heartbeat
from workers.kinds import build_handler
from workers.loop import Loop
from workers.metrics import Metrics
from workers.standing import Standing
from workers.station import Station, take_station

EXIT_MISCONFIGURED, EXIT_PORT_TAKEN, EXIT_REFUSED = 3, 4, 5
_STALLED_AFTER_S = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Run one worker until SIGTERM or SIGINT; return the exit code."""
    options = _options(arguments)
    configure_logs(options.log_level)
    log = structlog.get_logger().bind(worker=options.worker, lane=options.lane)
    try:
        return _run(options, log)
    except (TopologyError, Misconfigured, CheckpointRefused) as error:
        log.error("misconfigured", error=str(error))
        return EXIT_MISCONFIGURED
    except (ServerRefused, NoServer) as error:
        log.error("server_refused", error=str(error))
        return EXIT_REFUSED


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("worker", help="its name under 'workers' in the topology file")
    parser.add_argument("--config", type=Path, default=Path(DEFAULT_FILE))
    parser.add_argument("--lane", type=int, default=0, help="counted from 0")
    parser.add_argument("--host", default="127.0.0.1", help="address of /metrics and /readyz")
    parser.add_argument("--port", type=int, default=0, help="their port; 0 takes a free one")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone")
    parser.add_argument("--log-level", default="info")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, log: Any) -> int:
    sys.path.append(str(options.config.resolve().parent))  # the author's schemas and functions
    topology = load_topology(options.config)
    lane = _lane(topology, options)
    settings = ServerSettings()
    client = connect(
        locate(settings), timeout_s=settings.command_timeout_s, name=f"penstock-{options.worker}"
    )
    handler = build_handler(topology, options.worker, lane)
    seal = Seal(state_key(settings.state_key.get_secret_value(), settings.data_dir))
    station = take_station(client, topology, options.worker, lane, seal)
    standing = Standing()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: standing.stopping.set())
    # What was imported lives as long as the process; the collector need not look at it again.
    gc.collect()
    gc.freeze()
    metrics = Metrics(options.worker, station.settings.kind, time.time())
    return _serve(
        options, station, standing, metrics, Loop(station, handler, standing, metrics, log), log
    )


def _serve(
    options: argparse.Namespace,
    station: Station,
    standing: Standing,
    metrics: Metrics,
    loop: Loop,
    log: Any,
) -> int:
    def live() -> str:
        idle_s = standing.idle_s
        return (
            f"the loop has not come round for {idle_s:.0f} s" if idle_s > _STALLED_AFTER_S else ""
        )

    def ready() -> str:
        return "" if standing.ready else f"the worker is {standing.state}"

    try:
        health = HealthServer(metrics.registry, live, ready, options.host, options.port)
    except OSError as error:
        log.error("port_taken", port=options.port, error=str(error))
        return EXIT_PORT_TAKEN
    heartbeat = Heartbeat(
        station, standing, metrics, host=options.host, port=health.port, parent=options.parent
    )
    heartbeat.start()
    log.info("worker_started", consumer=station.holder, port=health.port)
    try:
        loop.run()
    finally:
        heartbeat.stop()
        health.close()
        station.client.close()
    log.info("worker_ended")
    return 0


def _lane(topology: Topology, options: argparse.Namespace) -> Lane:
    if options.worker not in topology.workers:
        known = ", ".join(topology.workers)
        raise Misconfigured(f"{options.config} has no worker {options.worker!r}; it has {known}")
    if not 0 <= options.lane < topology.lanes:
        raise Misconfigured(
            f"there is no lane {options.lane}: {options.config} has {topology.lanes}"
        )
    return Lane(options.lane, topology.lanes)


if __name__ == "__main__":
    sys.exit(main())
