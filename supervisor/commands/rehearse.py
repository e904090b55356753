"""``penstock rehearse``: what another topology would do with the messages that are retained."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context

if TYPE_CHECKING:
    from schemas.topology import Topology
    from supervisor.rehearsal.compare import Report
    from supervisor.rehearsal.inputs import Inputs

Most = Annotated[str | None, typer.Option(help="Fail above so many, or such a share: 0.1%.")]


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(rehearse)


def rehearse(
    context: typer.Context,
    new: Annotated[
        Path, typer.Option("--config", "-c", help="The other topology file; its modules beside it.")
    ],
    since: Annotated[
        str, typer.Option(help="The messages from then on: 24h (ago) or 2026-11-20T14:00.")
    ] = "24h",
    warm_up: Annotated[
        str | None,
        typer.Option(help="Handle those of so long before, too, for the workers' state: 2h."),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            help="Fail at the first: more-rejected, fewer-rejected, more-dead, events-added, "
            "events-gone, any; with commas between."
        ),
    ] = None,
    most_more_rejected: Most = None,
    most_more_dead: Most = None,
    most_events_added: Most = None,
    most_events_gone: Most = None,
    most: Annotated[
        int, typer.Option("--show", min=0, help="Name so many messages of each change.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run retained messages through this topology and another one, and tell what would change.

    In memory: nothing is emitted, and no stream, group or state is touched. Both begin without a
    state. Exit code 9: a bound of --fail-on or --most-… is passed; it is 0 without one.

    Example: penstock rehearse --since 24h --config new.yaml
    """
    from supervisor.exits import Exit
    from supervisor.rehearsal.bounds import bounds, passed
    from supervisor.rehearsal.inputs import notes
    from supervisor.rehearsal.show import show, to_json

    allowed = {
        "more-rejected": most_more_rejected,
        "more-dead": most_more_dead,
        "events-added": most_events_added,
        "events-gone": most_events_gone,
    }
    asked = bounds(fail_on or (), allowed)
    inputs, report = _rehearsed(Context.of(context), new, since, warm_up)
    failed = list(passed(report, asked))
    told = list(notes(inputs.sources))
    if as_json:
        typer.echo(to_json(report, told, failed))
    else:
        show(report, told, failed, most)
    if failed:
        raise typer.Exit(Exit.BOUND)


def _rehearsed(
    penstock: Context, new: Path, since: str, warm_up: str | None
) -> "tuple[Inputs, Report]":
    from itertools import chain

    from supervisor.lineage_secret import secret
    from supervisor.moments import moment_ms
    from supervisor.progress import progress
    from supervisor.rehearsal.compare import compare
    from supervisor.rehearsal.inputs import Inputs
    from supervisor.rehearsal.process import NoRehearsal, play

    since_ms = moment_ms(since, time.time())
    before_ms = moment_ms(warm_up, since_ms / 1000) if warm_up else since_ms
    topology = penstock.topology()
    more = _new_sources(topology, new)
    inputs = Inputs(penstock.client(), topology, before_ms, more)
    messages = inputs.messages()
    nothing = NoRehearsal(f"no message since {since} is retained; see 'penstock status'")
    first = next(messages, None)
    if first is None:
        raise nothing
    both = (penstock.config, new)
    with progress("rehearsing") as told:
        before, now, counted = play(
            both,
            secret(),
            chain((first,), messages),
            since_ms,
            lambda done: told(done, None, "rehearsing"),
        )
    if not counted:
        raise nothing
    return inputs, compare(before, now, counted)


def _new_sources(topology: "Topology", new: Path) -> list[str]:
    """The sources of the new topology; its modules are not imported here.

    Raises TopologyError for a file that cannot be read, and typer.BadParameter for other lanes.
    """
    from schemas.topology_file import read_topology

    other = read_topology(new).topology
    if other.lanes != topology.lanes:
        raise typer.BadParameter(
            f"{new} has {other.lanes} lane(s) and the topology {topology.lanes}; rehearse with the "
            "same number, since the messages lie on their lanes already"
        )
    return [name for name, stream in other.streams.items() if stream.source]
