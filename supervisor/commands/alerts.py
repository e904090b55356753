"""``penstock alerts``: what the anomaly and drift workers found, by incident."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

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
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, max=1_000_000_000, help="Events to begin with.")
    ] = 20,
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
    topology = penstock.outline()
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

    screen = console(whole=True)

    def tell(events: "Sequence[Event]", header: bool) -> None:
        if as_json:
            for event in events:
                typer.echo(event.json())
        elif events:
            show_events(screen, events, header=header)

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


def show_events(screen: "Console", events: "Sequence[Event]", *, header: bool = True) -> None:
    """Print events in the order given, a line each; what there is no room for stands beneath it."""
    from rich.padding import Padding

    from supervisor.grid import Column, Grid

    names = ("time", "severity", "kind", "state", "stream/key", "field", "message", "explanation")
    ranks = (0, 0, 2, 1, 0, 3, 4, 5)
    rows = [_cells(event) for event in events]
    grid = Grid([Column(*each) for each in zip(names, ranks, strict=True)], rows, screen.width)
    heads = list(grid.lines(header=header))
    if header:
        screen.print(heads.pop(0), soft_wrap=True)
    for head, row in zip(heads, rows, strict=True):
        screen.print(head, soft_wrap=True)
        if grid.left_out:
            screen.print(Padding(_beneath(grid.beneath(row)), (0, 0, 0, 4)))


def _cells(event: "Event") -> "list[str | Text]":
    from supervisor.tables import local_time, printable, severity_text

    texts = (event.kind, event.state, event.where, ", ".join(event.fields), event.message)
    told = map(printable, (*texts, event.explanation))
    return [local_time(event.at_ms), severity_text(event.worst), *told]


def _beneath(left: dict[str, str]) -> "Text":
    from rich.text import Text

    said = left.pop("explanation")
    return Text(said) + Text("".join(f" · {name} {it}" for name, it in left.items()), style="dim")
