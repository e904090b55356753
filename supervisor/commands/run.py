"""``penstock down``, ``restart``, ``scale``: what is done to a pipeline that runs; and ``up``."""

from pathlib import Path
from typing import Annotated

import typer

from supervisor.commands.up import up
from supervisor.completion import workers as names
from supervisor.context import Context
from supervisor.telling import tell

_DRAIN_AND_STOP_S = 90.0


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (up, down, restart, scale):
        app.command()(verb)


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

    They run the topology file that was applied; to apply a changed one, use 'reload'. The author's
    modules are read anew, and tried before any process is ended.

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
