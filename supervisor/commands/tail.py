"""``penstock tail``: the newest entries of a stream, and those that arrive."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

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
    count: Annotated[int, typer.Option("-n", "--count", min=0, help="Entries to begin with.")] = 10,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with those that arrive; ends by Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, with every field.")
    ] = False,
) -> None:
    """Show the newest entries of a stream, newest last, over all its lanes.

    Bytes that are no UTF-8 are shown escaped. Reading takes nothing from anybody.

    Example: penstock tail L3 --follow
    """
    from supervisor.lookup import known_stream

    penstock = Context.of(context)
    topology = penstock.topology()
    known_stream(topology, stream)
    try:
        for entries in _batches(penstock.client(), topology, stream, count, follow):
            for entry in entries:
                typer.echo(json_line(entry) if as_json else line(entry))
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


def line(entry: "Entry") -> str:
    """An entry for people: uid, time, and its payload on one line, cut to the screen."""
    import shutil

    from supervisor.tables import local_time, printable, shortened

    head = f"{printable(entry.uid)}  {local_time(entry.at_ms)}  "
    data = entry.get(b"data")
    room = max(40, shutil.get_terminal_size((160, 24)).columns - len(head))
    if data is None:
        return f"{head}(no field 'data')"
    return head + shortened(printable(data[: 4 * room]), room)


def json_line(entry: "Entry") -> str:
    """An entry as one JSON object: uid, time in ms since the epoch, and its fields as texts."""
    import json

    from supervisor.tables import texts

    said: dict[str, Any] = {
        "uid": entry.uid,
        "at_ms": entry.at_ms,
        "fields": texts(entry.fields),
    }
    return json.dumps(said, ensure_ascii=False)
