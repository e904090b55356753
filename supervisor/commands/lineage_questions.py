"""Questions about single messages and findings: their causes, their trail, their readers."""

from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context
from supervisor.lineage_options import (
    ROWS,
    AsJson,
    Limit,
    Message,
    Since,
    Until,
    checked_uid,
    opened,
    uid_of,
)

if TYPE_CHECKING:
    from lineage.store import LineageStore


def register(family: typer.Typer) -> None:
    """Add the verbs to the family."""
    for verb in (cause, shared, audit, consumers):
        family.command()(verb)


def cause(
    context: typer.Context,
    finding: Annotated[
        str,
        typer.Argument(
            metavar="FINDING|STREAM", help="An event's or rejection's uid; a stream's newest."
        ),
    ],
    limit: Limit = ROWS,
    as_json: AsJson = False,
) -> None:
    """List all that the messages a finding flags were made from, the earliest first.

    A finding is an anomaly, a drift, a rejection or a dead letter.

    Example: penstock lineage cause ANOMALY_EVENTS
    """
    from lineage.answers import ask
    from lineage.errors import UnknownMessageError
    from lineage.trace import require
    from supervisor.lineage_show import show

    uid = uid_of(Context.of(context), finding)
    with opened() as store:
        found = ask(store, "root_cause", limit, finding=uid)
        if not found.rows:
            require(store, uid)
            raise UnknownMessageError(
                f"{uid!r} flags no message; 'penstock lineage findings' lists what does, and "
                "'penstock lineage trace' tells where a message came from"
            )
    show(found, as_json=as_json)


def shared(
    findings: Annotated[
        list[str] | None, typer.Argument(metavar="FINDING", help="Their uids.")
    ] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 25,
    as_json: AsJson = False,
) -> None:
    """Find what several findings have in common: a worker or schema version, or a producer.

    Those upstream of most findings come first, and of them those of whose messages (made) the
    largest share led to findings. Without uids it takes all findings of a time.

    Example: penstock lineage shared --since 2h
    """
    from lineage.answers import Answer, ask
    from supervisor.lineage_show import show

    uids = [checked_uid(uid) for uid in findings or []]
    if not uids and not (since or until):
        raise typer.BadParameter("name findings by their uids, or a time with --since")
    with opened() as store:
        cut: tuple[str, ...] = ()
        if not uids:
            uids, cut = _found_within(store, since, until)
        answer = ask(store, "shared_root_cause", limit, findings=uids)
    show(Answer(answer.query, answer.rows, cut + answer.cut), as_json=as_json)


def _found_within(
    store: "LineageStore", since: str | None, until: str | None
) -> tuple[list[str], tuple[str, ...]]:
    """The newest findings of a time, and a sentence where there were more."""
    import time

    from supervisor.moments import span_ms

    rows = store.query("findings", limit=ROWS + 1, **span_ms(since, until, time.time()))
    cut = (f"only the newest {ROWS} findings were looked at",) * (len(rows) > ROWS)
    return [row["uid"] for row in rows[:ROWS]], cut


def audit(
    context: typer.Context, message: Message, limit: Limit = 10_000, as_json: AsJson = False
) -> None:
    """Give the audit trail of a decision: all it was made from, the highest layer first.

    Each line names tenant, classification, schema and who answers for it: worker, version, host,
    process and time.

    Example: penstock lineage audit L9 --json
    """
    _about_one(context, "audit_trail", message, limit, as_json)


def consumers(
    context: typer.Context, message: Message, limit: Limit = ROWS, as_json: AsJson = False
) -> None:
    """List the workers that made something of a message, or of what was made from it.

    A worker that read it and emitted nothing leaves no record.

    Example: penstock lineage consumers L3_IN/1732100000000-0
    """
    _about_one(context, "who_consumed", message, limit, as_json)


def _about_one(context: typer.Context, query: str, message: str, limit: int, as_json: bool) -> None:
    from lineage.answers import ask
    from lineage.trace import require
    from supervisor.lineage_show import show

    uid = uid_of(Context.of(context), message)
    with opened() as store:
        found = ask(store, query, limit, uid=uid)
        if not found.rows:
            require(store, uid)
    show(found, as_json=as_json)
