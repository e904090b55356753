"""How far something spread: from a message, a worker or schema version, a producer, or a time."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.completion import workers
from supervisor.lineage_options import ROWS, AsJson, Limit, Since, Until, checked_uid, opened

if TYPE_CHECKING:
    from lineage.answers import Answer

Uid = Annotated[str | None, typer.Argument(metavar="UID", help="One message.")]
Worker = Annotated[
    str | None, typer.Option("--worker", help="What this worker made.", autocompletion=workers)
]
Schema = Annotated[
    str | None,
    typer.Option("--schema", help="What has this schema, such as schemas:L3EventSchema."),
]
Producer = Annotated[str | None, typer.Option("--producer", help="What has this source.")]
Version = Annotated[
    str | None, typer.Option("--version", help="Only this version of the worker or the schema.")
]


def register(family: typer.Typer) -> None:
    """Add the verbs to the family."""
    family.command()(impact)
    family.command()(taint)


def impact(
    uid: Uid = None,
    worker: Worker = None,
    schema: Schema = None,
    producer: Producer = None,
    version: Version = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = ROWS,
    as_json: AsJson = False,
) -> None:
    """Count what was made from a message, a worker's, schema's or producer's, or of a time.

    By layer, stream and tenant; what is named counts itself. --since and --until choose among
    the messages that are named, not among what was made from them.

    Example: penstock lineage impact --worker assess --version 2.1.0 --since 24h
    """
    from supervisor.lineage_show import show

    named = {"uid": uid, "worker": worker, "schema": schema, "producer": producer}
    show(spread("impact", named, version, since, until, limit), as_json=as_json)


def taint(
    uid: Uid = None,
    worker: Worker = None,
    schema: Schema = None,
    producer: Producer = None,
    version: Version = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = ROWS,
    as_json: AsJson = False,
) -> None:
    """List what was made from a message, a worker's, schema's or producer's, or of a time.

    The blast radius, the nearest first: hops is the least number of derivations.

    Example: penstock lineage taint --schema schemas:L3EventSchema --version 1.0 --since 2h
    """
    from supervisor.lineage_show import show

    named = {"uid": uid, "worker": worker, "schema": schema, "producer": producer}
    show(spread("taint", named, version, since, until, limit), as_json=as_json)


def spread(
    query: str,
    named: dict[str, str | None],
    version: str | None,
    since: str | None,
    until: str | None,
    limit: int,
) -> "Answer":
    """Ask ``taint`` or ``impact`` about the one thing that is named, or about a time.

    Raises typer.BadParameter unless it is clear what to begin from.
    """
    from lineage.answers import ask
    from lineage.trace import require
    from supervisor.moments import span_ms

    start: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    _refuse_unclear(start, version, since or until)
    if "uid" in start:
        checked_uid(start["uid"])
    span = span_ms(since, until, time.time())
    with opened() as store:
        found = ask(store, query, limit, version=version, **start, **span)
        if not found.rows and "uid" in start:
            require(store, start["uid"])
    return found


def _refuse_unclear(start: dict[str, Any], version: str | None, span: str | None) -> None:
    """Raise typer.BadParameter unless it is clear what to begin from."""
    if len(start) > 1:
        raise typer.BadParameter(f"name one thing to begin from, not both {' and '.join(start)}")
    if not start and not span:
        raise typer.BadParameter(
            "name what to begin from: UID, --worker, --schema, --producer, or a time (--since)"
        )
    if version is not None and not {"worker", "schema"} & start.keys():
        raise typer.BadParameter("--version is that of a --worker or a --schema")
    if "uid" in start and span:
        raise typer.BadParameter("--since and --until choose among messages; a UID names one")
