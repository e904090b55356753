"""``penstock tail``: the newest entries of a stream, and those that arrive."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.completion import streams
from supervisor.context import Context

if TYPE_CHECKING:
    from schemas.topology import Topology
    from streams.connection import Client
    from streams.entry import Entry

BLOCK_S = 0.5
"""Longest wait for new entries in one read."""


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(tail)


def tail(
    context: typer.Context,
    stream: Annotated[
        str, typer.Argument(help="The stream's name in the topology.", autocompletion=streams)
    ],
    count: Annotated[
        int, typer.Option("-n", "--count", min=0, max=1_000_000_000, help="Entries to begin with.")
    ] = 10,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with those that arrive; ends by Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, with every field.")
    ] = False,
) -> None:
    """Show the newest entries of a stream, newest last, over all its lanes.

    Events of the supervisor, of anomalies and of drifts are told by their fields, folded to the
    screen. Other lines are cut to the screen; in a pipe all are whole. Bytes that are no UTF-8 are
    shown escaped. With --json fields.data is an object where the payload is one, else text.
    Reading takes nothing from anybody.

    Example: penstock tail L3 --follow
    """
    from supervisor.entry_text import json_line, line
    from supervisor.lookup import known_stream, own_streams

    penstock = Context.of(context)
    topology = penstock.outline()
    own = known_stream(topology, stream) in own_streams(topology)
    try:
        for entries in _batches(penstock.client(), topology, stream, count, follow):
            for entry in entries:
                typer.echo(json_line(entry) if as_json else line(entry, own=own))
    except KeyboardInterrupt:
        return  # the usual end of --follow


def _batches(
    client: "Client", topology: "Topology", stream: str, count: int, follow: bool
) -> Iterator["Sequence[Entry]"]:
    from streams import observe

    after = observe.ends(client, topology, stream)  # taken first, so that nothing falls between
    begun = observe.newest(client, topology, stream, count) if count else []
    yield begun
    shown = {entry.uid for entry in begun}
    if follow:
        for batch in observe.follow(client, topology, stream, BLOCK_S, after):
            yield [entry for entry in batch if entry.uid not in shown]
