"""``penstock up``, ``down``, ``restart``, ``scale``: running the pipeline."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.completion import workers as names
from supervisor.context import Context
from supervisor.exits import Exit
from supervisor.telling import tell

if TYPE_CHECKING:
    from supervisor.settings import SupervisorSettings

_DRAIN_AND_STOP_S = 90.0


class AppendFsync(StrEnum):
    """When the embedded server writes through to the disk."""

    EVERYSEC = "everysec"
    ALWAYS = "always"


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (up, down, restart, scale):
        app.command()(verb)


def up(
    context: typer.Context,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Run in the background; wait until ready.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            envvar="PENSTOCK_PORT",
            min=0,
            max=65535,
            help="Port of the pages; 9464 if it is free, else any.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(envvar="PENSTOCK_HOST", help="Address of the pages.")
    ] = "127.0.0.1",
    server_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the embedded server; 0: the last one.")
    ] = 0,
    appendfsync: Annotated[
        AppendFsync, typer.Option(help="How soon the embedded server writes to the disk.")
    ] = AppendFsync.EVERYSEC,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Run this worker, and no other that is not named.", autocompletion=names),
    ] = None,
    wait_s: Annotated[
        float, typer.Option(min=1.0, help="With --detach: longest wait until ready, in seconds.")
    ] = 60.0,
    log_level: Annotated[
        str, typer.Option(envvar="PENSTOCK_LOG_LEVEL", help="debug, info, warning or error.")
    ] = "info",
    as_json: Annotated[
        bool, typer.Option("--json", help="With --detach: print how all stands as JSON.")
    ] = False,
) -> None:
    """Start the server and every worker, and keep them running.

    Without PENSTOCK_REDIS_URL an embedded server is started, its data under .penstock/.
    Ctrl-C drains the workers and ends all; once more does not wait for them.

    Example: penstock up --detach
    """
    from supervisor.settings import SupervisorSettings

    penstock = Context.of(context)
    server = penstock.settings()
    settings = SupervisorSettings(
        config=penstock.config,
        data_dir=server.data_dir,
        host=host,
        port=port,
        server_port=server_port,
        appendfsync=appendfsync.value,
        only=tuple(only or ()),
    )
    if detach:
        _up_detached(settings, wait_s, log_level, as_json)
        return
    from supervisor.foreground import run_here

    run_here(penstock.topology(), settings, server, _level(log_level))


def _level(name: str) -> str:
    if name.lower() not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter(f"there is no log level {name!r}")
    return name


def _up_detached(
    settings: "SupervisorSettings", wait_s: float, log_level: str, as_json: bool
) -> None:
    from supervisor.background import DetachedEnded, start_detached
    from supervisor.display import show
    from supervisor.progress import progress

    try:
        with progress("starting"):
            overview = start_detached(_arguments(settings, log_level), settings.data_dir, wait_s)
    except DetachedEnded as ended:
        for sentence in ended.sentences:
            typer.echo(f"penstock: {sentence}", err=True)
        raise typer.Exit(ended.code or Exit.FAILED) from ended
    if as_json:
        typer.echo(overview.model_dump_json(indent=2))
    else:
        show(overview, streams=False)
    if not overview.ready:
        raise typer.Exit(Exit.TOPOLOGY)


def _arguments(settings: "SupervisorSettings", log_level: str) -> list[str]:
    """The command line that gives a process of its own these settings."""
    named = [] if settings.port is None else ["--port", str(settings.port)]
    return [
        "--config", str(settings.config), "up", *named,
        "--host", settings.host, "--server-port", str(settings.server_port),
        "--appendfsync", settings.appendfsync, "--log-level", _level(log_level),
        *(part for name in settings.only for part in ("--only", name)),
    ]  # fmt: skip


def down(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Drain the workers, stop the embedded server, and wait until all has ended.

    Example: penstock down
    """
    from supervisor.control import Control, wait_until_ended
    from supervisor.errors import NotRunning
    from supervisor.progress import progress

    data_dir = Context.of(context).settings().data_dir
    try:
        Control(data_dir).act("stop", {})
    except NotRunning:
        if not _stop_orphan(data_dir):
            raise
        said = "no supervisor ran; its embedded server was stopped"
        tell(said, as_json, ended=True, supervised=False)
        return
    with progress("draining"):
        wait_until_ended(data_dir, _DRAIN_AND_STOP_S)
    tell("everything has ended; the data stay", as_json, ended=True, supervised=True)


def _stop_orphan(data_dir: Path) -> bool:
    """Stop an embedded server whose supervisor was killed; whether there was one."""
    from streams.embedded import EmbeddedServer
    from supervisor.lock import SupervisorLock

    server = EmbeddedServer(data_dir)
    if SupervisorLock(data_dir).held() or server.running() is None:
        return False
    server.stop()
    return True


def restart(
    context: typer.Context,
    workers: Annotated[
        list[str] | None,
        typer.Argument(help="Workers to restart; all if none is named.", autocompletion=names),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Restart workers one process at a time; each is ready before the next one ends.

    They read the topology file anew; to apply a changed one, use 'reload'.

    Example: penstock restart gate
    """
    from supervisor.control import Control
    from supervisor.progress import progress

    control = Control(Context.of(context).settings().data_dir)
    with progress("restarting"):
        control.act("restart", {"workers": workers or []})
    said = f"restarted {', '.join(workers) if workers else 'every worker'}; ready"
    tell(said, as_json, restarted=workers or "all", ready=True)


def scale(
    context: typer.Context,
    worker: Annotated[str, typer.Argument(help="A worker of the topology.", autocompletion=names)],
    processes: Annotated[int, typer.Argument(min=0, max=256, help="How many.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Give a worker more or fewer processes, until the next 'up' or until its 'replicas' change.

    They share its lanes. For good, set its 'replicas' in the topology file; a range there follows
    what waits, until somebody scales by hand. A worker that owns
    its lanes alone (anomaly, drift, lineage, a transform with memory) has at most one process a
    lane; 0 pauses it.

    Example: penstock scale gate 2
    """
    from supervisor.control import Control
    from supervisor.progress import progress

    control = Control(Context.of(context).settings().data_dir)
    with progress("starting"):
        control.act("scale", {"worker": worker, "processes": processes})
    said = f"{worker} has {processes} process(es); ready"
    tell(said, as_json, worker=worker, processes=processes, ready=True)
