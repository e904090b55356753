"""What the verbs of ``penstock lineage`` take: messages, times and bounds; and the store to ask."""

from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.completion import streams
from supervisor.context import Context

if TYPE_CHECKING:
    from lineage.store import LineageStore
    from schemas.topology import Topology
    from streams.connection import Client

Message = Annotated[
    str,
    typer.Argument(
        metavar="UID|STREAM",
        help="L9/1732100000000-0; L9 alone is its newest message.",
        autocompletion=streams,
    ),
]
Since = Annotated[
    str | None, typer.Option("--since", help="From then on: 2h (ago) or 2026-11-20T14:00.")
]
Until = Annotated[str | None, typer.Option("--until", help="Up to then, likewise.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many rows.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]

ROWS = 1000
"""``lineage.answers.DEFAULT_LIMIT``, which would cost an import."""


def opened() -> "LineageStore":
    """The configured store, to be closed by the caller.

    Raises LineageError when it cannot be opened.
    """
    from lineage.settings import LineageSettings
    from lineage.store import open_store

    return open_store(LineageSettings().store())


def checked_uid(message: str) -> str:
    """The uid, if it is one.

    Raises typer.BadParameter if not.
    """
    from supervisor.lookup import is_uid

    if not is_uid(message):
        raise typer.BadParameter(
            f"{message!r} is no uid; a uid is STREAM/ENTRY-ID, such as L9/1732100000000-0"
        )
    return message


def uid_of(penstock: Context, message: str) -> str:
    """The uid that was given, or that of the newest message of the stream that was."""
    if "/" in message:
        return checked_uid(message)
    return newest_uid(penstock.client(), penstock.outline(), message)


def newest_uid(client: "Client", topology: "Topology", stream: str) -> str:
    """The uid of a stream's newest message.

    Raises typer.BadParameter for an unknown stream, UnknownMessageError for one without messages.
    """
    from lineage.errors import UnknownMessageError
    from streams.observe import newest
    from supervisor.lookup import known_stream

    known_stream(topology, stream)
    entries = newest(client, topology, stream, 1)
    if not entries:
        raise UnknownMessageError(
            f"the stream {stream!r} retains no message; name one by its uid, {stream}/ENTRY-ID"
        )
    return entries[0].uid
