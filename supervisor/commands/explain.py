"""``penstock explain``: what an anomaly or drift event says, and a picture of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.completion import streams
from supervisor.context import Context

if TYPE_CHECKING:
    from supervisor.explain.account import Account


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(explain)


def explain(
    context: typer.Context,
    event: Annotated[
        str,
        typer.Argument(
            metavar="UID|STREAM",
            help="The uid of an event or of a flagged message; a stream's newest event.",
            autocompletion=streams,
        ),
    ],
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Write the pictures to this file as SVG.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object, with the values around the message.")
    ] = False,
) -> None:
    """Explain an anomaly or a drift: what, where, how grave, which fields, since when; and draw it.

    The values are read from the stream as long as it retains them; later the event's own numbers
    are drawn. Reading takes nothing from anybody.

    Example: penstock explain DRIFT_EVENTS
    """
    from supervisor.explain.account import account_of, to_json
    from supervisor.explain.lookup import event_of
    from supervisor.explain.show import show
    from supervisor.tables import console

    penstock = Context.of(context)
    topology, client = penstock.outline(), penstock.client()
    account = account_of(client, topology, event_of(client, topology, event))
    if svg is not None:
        _write(account, svg)
    if as_json:
        typer.echo(to_json(account))
    else:
        show(account, console())


def _write(account: "Account", path: Path) -> None:
    from supervisor.explain.pictures import pictures_of
    from supervisor.plot.svg import render

    event = account.event
    title = f"{event.kind.capitalize()} in {event.where}: {', '.join(event.fields)}"
    path.write_text(render(title, pictures_of(account)), encoding="utf-8")
