"""``penstock alerts``: what the anomaly and drift workers found, by incident."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context

if TYPE_CHECKING:
    from rich.table import Table

    from schemas.topology import Topology
    from streams.connection import Client
    from streams.entry import Entry
    from supervisor.events import Event, Wanted

BLOCK_S = 0.5
"""Longest wait for new events in one read, shared by the streams."""


class Kind(StrEnum):
    """Which findings to show."""

    ANOMALY = "anomaly"
    DRIFT = "drift"


class Severity(StrEnum):
    """The least severity to show; ``schemas.Severity`` costs an import of Pydantic."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(alerts)


def alerts(
    context: typer.Context,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="Events to begin with.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with those that arrive; ends by Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    kind: Annotated[Kind | None, typer.Option(help="Only anomalies, or only drifts.")] = None,
    severity: Annotated[
        Severity | None, typer.Option(help="Only events at least as grave as this.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Every flagged message, not one line an incident.")
    ] = False,
) -> None:
    """Show the newest incidents, newest last.

    Anomalies of the same key and field are one incident, which ends when these are as usual again;
    so are drifts of the same key that come soon after one another, of whatever fields.

    Example: penstock alerts --severity high --follow
    """
    from supervisor.events import Wanted
    from supervisor.lookup import event_streams

    penstock = Context.of(context)
    topology = penstock.topology()
    kinds = [kind.value] if kind else [each.value for each in Kind]
    streams = event_streams(topology, kinds)
    if not streams:
        raise typer.BadParameter(f"the topology has no worker of the kind {' or '.join(kinds)}")
    wanted = Wanted(frozenset(kinds), severity.value if severity else "low", each)
    try:
        _show(penstock.client(), topology, streams, wanted, count, follow, as_json)
    except KeyboardInterrupt:
        return  # the usual end of --follow


def _show(
    client: "Client",
    topology: "Topology",
    streams: Sequence[str],
    wanted: "Wanted",
    count: int,
    follow: bool,
    as_json: bool,
) -> None:
    from streams import observe
    from supervisor.events import newest_events, wanted_events
    from supervisor.tables import console

    screen = console()

    def tell(events: "Sequence[Event]", header: bool) -> None:
        if as_json:
            for event in events:
                typer.echo(event.json())
        elif events:
            screen.print(event_table(events, header=header))

    after = {stream: observe.ends(client, topology, stream) for stream in streams}
    begun = newest_events(client, topology, streams, wanted, count)
    if not begun and not as_json:
        typer.echo("No such event so far.", err=True)
    tell(begun, header=True)
    shown = {event.uid for event in begun}
    if follow:
        for batch in _arriving(client, topology, after):
            found = [
                event for event in wanted_events(batch, wanted) if wanted.each or event.is_news
            ]
            tell([event for event in found if event.uid not in shown], header=not begun)


def _arriving(
    client: "Client", topology: "Topology", after: dict[str, dict[str, str]]
) -> Iterator["Sequence[Entry]"]:
    """New entries of all the streams, each waited for in turn."""
    from streams import observe

    waits = [
        observe.follow(client, topology, stream, BLOCK_S / len(after), ends)
        for stream, ends in after.items()
    ]
    while True:
        for wait in waits:
            yield next(wait)


def event_table(events: "Sequence[Event]", *, header: bool = True) -> "Table":
    """Events as a table, in the order given."""
    from supervisor.tables import local_time, printable, severity_text, table

    fixed = {"no_wrap": True}
    made = table(
        [
            ("time", {"no_wrap": True, "min_width": 19}),
            ("severity", {"no_wrap": True, "min_width": 8}),
            ("kind", {"no_wrap": True, "min_width": 7}),
            ("state", fixed),
            ("stream/key", fixed),
            "field",
            ("explanation", {"ratio": 1}),
            ("message", {"overflow": "fold"}),
        ],
        header=header,
    )
    for event in events:
        made.add_row(
            local_time(event.at_ms),
            severity_text(event.worst),
            event.kind,
            event.state,
            printable(event.where),
            printable(", ".join(event.fields)),
            printable(event.explanation),
            printable(event.message),
        )
    return made
