"""``penstock up`` in this process: the supervisor, its pages, and a few lines for a person."""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import closing, suppress
from importlib.metadata import version
from typing import Any

import structlog

from schemas.topology_file import TopologyFile
from streams.logs import configure_logs
from streams.settings import ServerSettings
from supervisor import whereabouts
from supervisor.display import TO_COPY, redis_cli
from supervisor.lock import SupervisorLock
from supervisor.pages import Pages
from supervisor.settings import SupervisorSettings
from supervisor.site import Site
from supervisor.supervisor import Supervisor
from supervisor.tables import console, printable
from supervisor.whereabouts import Whereabouts


def run_here(
    found: TopologyFile, settings: SupervisorSettings, server: ServerSettings, log_level: str
) -> None:
    """Supervise until told to end; what is checked here is what the workers are given.

    Raises TopologyError, AlreadyRunning, PortTaken, what the stream server's start raises, and
    DataDirectoryGone.
    """
    topology = found.checked_for()
    configure_logs(log_level)
    log = structlog.get_logger()
    lock = SupervisorLock(settings.data_dir)
    with lock, closing(Pages(settings.host, settings.port)) as pages:
        supervisor = Supervisor(
            topology, settings, server, log, text=found.text,
            on_ready=_say_ready, on_broken=_say_broken, check_footing=lock.check,
        )  # fmt: skip
        supervisor.run(lambda running: _open(running, pages, settings))


def _open(supervisor: Supervisor, pages: Pages, settings: SupervisorSettings) -> Callable[[], None]:
    here = Whereabouts(
        pid=os.getpid(),
        host=pages.host,
        port=pages.port,
        token=secrets.token_urlsafe(24),
        config=str(settings.config.resolve()),
        version=version("penstock"),
        started_at_s=time.time(),
    )
    site = Site(supervisor, here)
    pages.serve(site.routes())
    whereabouts.write(settings.data_dir, here)
    _say_started(supervisor, here, settings)

    def shut() -> None:
        whereabouts.remove(settings.data_dir, here)
        site.close()

    return shut


def _say_started(supervisor: Supervisor, here: Whereabouts, settings: SupervisorSettings) -> None:
    server = supervisor.server
    _say("server", f"{server.version}, {server.kind}, {server.safe_url}")
    if server.port:
        _say(TO_COPY, redis_cli(server.port, settings.data_dir))
    _say("console", f"{here.address}/")
    _say("pages", f"{here.address}/status, /metrics, /readyz")
    _say("logs", f"{settings.logs}/")


def _say_ready(took_s: float) -> None:
    _say("ready", f"in {took_s:.1f} s; Ctrl-C ends it")


def _say_broken(process: str, words: str) -> None:
    _say("broken", f"{process} is misconfigured and tried every 30 s: {printable(words)}")


def _say(name: str, words: str) -> None:
    out: Any = console()
    with suppress(OSError):  # a closed terminal or a full disk must not end the supervisor
        out.print(f"{name:<8}{words}", soft_wrap=True)
