"""``penstock replay``: run what is tainted again, and see what would be otherwise."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.asking import Yes, ask, refuse_unasked
from supervisor.commands.lineage_spread import Producer, Schema, Uid, Version, Worker, spread
from supervisor.context import Context
from supervisor.lineage_options import ROWS, AsJson, Limit, Since, Until, opened

if TYPE_CHECKING:
    from lineage.answers import Answer
    from schemas.topology import Topology
    from streams.connection import Client
    from supervisor.replay.compare import Report
    from supervisor.replay.publish import Successor


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(replay)


def replay(
    context: typer.Context,
    uid: Uid = None,
    worker: Worker = None,
    schema: Schema = None,
    producer: Producer = None,
    version: Version = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = ROWS,
    before: Annotated[
        int,
        typer.Option(
            min=0, max=1_000_000_000, help="For workers with a state: so many messages before."
        ),
    ] = 20_000,
    most: Annotated[
        int, typer.Option("--show", min=0, help="Show so many of the messages that differ.")
    ] = 20,
    publish: Annotated[
        bool, typer.Option("--publish", help="Then publish what differs, in the old one's place.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Run what 'lineage taint' lists through today's handlers again, and compare the outcome.

    In memory: no stream, group or state is touched, and nothing is published without --publish.
    With --json --publish a second object says what was. Exit code 1: some of it could not be
    replayed, since it is no longer retained, or a handler failed.

    Example: penstock replay --worker assess --version 2.1.0 --since 24h
    """
    from supervisor.exits import Exit
    from supervisor.progress import progress
    from supervisor.replay import show

    named = {"uid": uid, "worker": worker, "schema": schema, "producer": producer}
    if publish:
        refuse_unasked(yes)
    tainted = spread("taint", named, version, since, until, limit)
    penstock = Context.of(context)
    topology, client = penstock.topology(), penstock.client()
    with progress("replaying"):
        report = _replayed(penstock, topology, client, tainted, before)
    if as_json:
        typer.echo(show.to_json(report))
    else:
        show.show(report, most)
    if publish:
        done = _published(client, topology, report, yes, quiet=as_json)
        if as_json:
            typer.echo(show.published_json(done))
    if not report.complete:
        raise typer.Exit(Exit.FAILED)


def _replayed(
    penstock: Context, topology: "Topology", client: "Client", tainted: "Answer", before: int
) -> "Report":
    from functools import cache, partial

    from streams.observe import find
    from supervisor.lineage_secret import secret
    from supervisor.replay.compare import compare
    from supervisor.replay.graph import ancestry
    from supervisor.replay.plan import plan
    from supervisor.replay.process import NoReplay, context_of, run
    from supervisor.replay.retained import Retained

    if not tainted.rows:
        raise NoReplay("nothing is tainted by that, so there is nothing to replay")

    uids = [row["uid"] for row in tainted.rows]
    with opened() as store:
        known = ancestry(store, uids)
    retained = Retained(topology, known, cache(partial(find, client)))
    planned = plan(topology, uids, known, retained)
    context = list(context_of(client, planned, before))
    outcome = run(penstock.config, secret(), planned, context)
    return compare(planned, outcome, retained, tainted.cut + known.cut)


def _published(
    client: "Client", topology: "Topology", report: "Report", yes: bool, *, quiet: bool
) -> "list[tuple[Successor, str]]":
    from supervisor.replay.publish import publish, successors

    count = len(successors(report))
    if count:
        ask(f"Publish {count} message(s)?", yes)
    done: list[tuple[Successor, str]] = []
    for successor, uid in publish(client, topology, report, time.time):
        done.append((successor, uid))
        if not quiet:
            place = ", ".join(successor.supersedes)
            typer.echo(f"published {uid}" + (f" in the place of {place}" if place else ""))
    if not done and not quiet:
        typer.echo("Nothing differs, so nothing was published.", err=True)
    return done
