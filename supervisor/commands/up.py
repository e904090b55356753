"""``penstock up``: starting the server and every worker, here or in the background."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.completion import workers as names
from supervisor.context import Context
from supervisor.exits import Exit

if TYPE_CHECKING:
    from supervisor.settings import SupervisorSettings


class AppendFsync(StrEnum):
    """When the embedded server writes through to the disk."""

    EVERYSEC = "everysec"
    ALWAYS = "always"


Detach = Annotated[
    bool, typer.Option("--detach", "-d", help="Run in the background; wait until ready.")
]
Port = Annotated[
    int | None,
    typer.Option(
        envvar="PENSTOCK_PORT",
        min=0,
        max=65535,
        help="Port of the pages; 9464 if it is free, else any.",
    ),
]
Host = Annotated[str, typer.Option(envvar="PENSTOCK_HOST", help="Address of the pages.")]
ServerPort = Annotated[
    int, typer.Option(min=0, max=65535, help="Port of the embedded server; 0: the last one.")
]
Fsync = Annotated[
    AppendFsync, typer.Option(help="How soon the embedded server writes to the disk.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Run this worker, and no other that is not named.", autocompletion=names),
]
WaitS = Annotated[
    float, typer.Option(min=1.0, help="With --detach: longest wait until ready, in seconds.")
]
LogLevel = Annotated[
    str, typer.Option(envvar="PENSTOCK_LOG_LEVEL", help="debug, info, warning or error.")
]
Json = Annotated[bool, typer.Option("--json", help="With --detach: print how all stands as JSON.")]


def up(
    context: typer.Context,
    detach: Detach = False,
    port: Port = None,
    host: Host = "127.0.0.1",
    server_port: ServerPort = 0,
    appendfsync: Fsync = AppendFsync.EVERYSEC,
    only: Only = None,
    wait_s: WaitS = 60.0,
    log_level: LogLevel = "info",
    as_json: Json = False,
) -> None:
    """Start the server and every worker, and keep them running.

    A worker that cannot start, as one whose function cannot be imported, is told of as
    misconfigured and tried again every 30 s; the others run. With --detach the exit code is 3 then.

    Without PENSTOCK_REDIS_URL an embedded server is started, its data under .penstock/.
    Ctrl-C drains the workers and ends all; once more does not wait for them.

    Example: penstock up --detach
    """
    settings = _settings(Context.of(context), host, port, server_port, appendfsync, only)
    if detach:
        _in_the_background(settings, wait_s, log_level, as_json)
    else:
        _here(Context.of(context), settings, log_level)


def _settings(
    penstock: Context,
    host: str,
    port: int | None,
    server_port: int,
    appendfsync: AppendFsync,
    only: list[str] | None,
) -> "SupervisorSettings":
    from supervisor.settings import SupervisorSettings

    return SupervisorSettings(
        config=penstock.config,
        data_dir=penstock.settings().data_dir,
        host=host,
        port=port,
        server_port=server_port,
        appendfsync=appendfsync.value,
        only=tuple(only or ()),
    )


def _here(penstock: Context, settings: "SupervisorSettings", log_level: str) -> None:
    from schemas.topology_file import read_topology
    from supervisor.foreground import run_here

    penstock.find_authors_modules()
    run_here(read_topology(settings.config), settings, penstock.settings(), _level(log_level))


def _in_the_background(
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
        show(overview, settings.data_dir, streams=False)
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


def _level(name: str) -> str:
    if name.lower() not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter(f"there is no log level {name!r}")
    return name
