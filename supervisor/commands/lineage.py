"""``penstock lineage``: where a message came from, and what became of it."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context

if TYPE_CHECKING:
    from lineage.trace import Trace

_UID = re.compile(r"[^/\s]+/\d{1,20}-\d{1,20}")


def register(app: typer.Typer) -> None:
    """Add the family to the command."""
    family = typer.Typer(no_args_is_help=True)
    family.command()(trace)
    app.add_typer(family, name="lineage", help="Where a message came from, and what became of it.")


def trace(
    context: typer.Context,
    message: Annotated[
        str,
        typer.Argument(
            metavar="UID|STREAM", help="L9/1732100000000-0; L9 alone is its newest message."
        ),
    ],
    down: Annotated[
        bool, typer.Option("--down", help="What was made from it, not what it was made from.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Trace a message from its sources to itself, or on to all that was made from it.

    Each line names the worker that made a message, with its version and the message's schema.
    """
    from lineage.render import render_text
    from lineage.trace import to_json

    found = trace_of(_uid(Context.of(context), message), down=down)
    typer.echo(to_json(found) if as_json else render_text(found))


def trace_of(uid: str, *, down: bool = False) -> "Trace":
    """The trace of a message from the configured store.

    Raises LineageError when the store cannot be read, or does not know the message.
    """
    from lineage.settings import LineageSettings
    from lineage.store import open_store
    from lineage.trace import fetch

    with open_store(LineageSettings().store()) as store:
        return fetch(store, uid, "down" if down else "up")


def _uid(penstock: Context, message: str) -> str:
    """The uid that was given, or that of the newest message of the stream that was."""
    if "/" in message:
        if not _UID.fullmatch(message):
            raise typer.BadParameter(
                f"{message!r} is no uid; a uid is STREAM/ENTRY-ID, such as L9/1732100000000-0"
            )
        return message
    from lineage.errors import UnknownMessageError
    from streams.observe import newest
    from supervisor.lookup import known_stream

    topology = penstock.topology()
    known_stream(topology, message)
    entries = newest(penstock.client(), topology, message, 1)
    if not entries:
        raise UnknownMessageError(f"the stream {message!r} has no message so far")
    return entries[0].uid
