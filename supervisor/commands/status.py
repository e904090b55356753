"""``penstock status``: how the pipeline stands."""

from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context
from supervisor.exits import Exit

if TYPE_CHECKING:
    from supervisor.overview import Overview


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(status)


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the server, the supervisor, every worker, and every stream.

    Without a supervisor it shows what the stream server knows. The line 'to copy' opens the
    embedded server; on a narrow screen it runs on, and is whole when it is copied.

    Example: penstock status --json
    """
    from supervisor.display import show

    penstock = Context.of(context)
    overview = overview_of(penstock)
    if as_json:
        typer.echo(overview.model_dump_json(indent=2))
    else:
        show(overview, penstock.settings().data_dir)
    if not overview.server.reachable:
        raise typer.Exit(Exit.SERVER)


def overview_of(penstock: Context) -> "Overview":
    """How the pipeline stands, by its supervisor or else by the server.

    Raises NotRunning where there is neither.
    """
    from supervisor.control import Control
    from supervisor.errors import NotRunning

    try:
        return Control(penstock.settings().data_dir).overview()
    except NotRunning:
        return _without_supervisor(penstock)


def _without_supervisor(penstock: Context) -> "Overview":
    """What the server knows.

    Raises NotRunning where there is no server either.
    """
    import time

    from streams.connection import connect, greet, safe_url
    from streams.errors import NoServer
    from streams.locate import locate
    from supervisor.errors import NotRunning
    from supervisor.overview import ServerView
    from supervisor.survey import survey

    settings = penstock.settings()
    topology = penstock.outline()
    try:
        url = locate(settings)
    except NoServer as error:
        raise NotRunning(
            f"nothing runs on {settings.data_dir}, and PENSTOCK_REDIS_URL is not set; "
            "start the pipeline with 'penstock up'"
        ) from error
    kind = "configured" if settings.redis_url.get_secret_value() else "embedded"
    with connect(url, timeout_s=settings.command_timeout_s) as client:
        server = ServerView(kind=kind, url=safe_url(url), version=greet(client))
        return survey(client, topology, server, time.time())
