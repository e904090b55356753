"""Reports over a span of time: who read what, what was found, what crossed, what is missing."""

import time
from typing import Annotated, Any

import typer

from supervisor.context import Context
from supervisor.lineage_options import ROWS, AsJson, Limit, Since, Until, opened


def register(family: typer.Typer) -> None:
    """Add the verbs to the family."""
    for verb in (findings, incidents, versions, violations, access, crossings, gaps):
        family.command()(verb)


def findings(
    since: Since = None, until: Until = None, limit: Limit = 100, as_json: AsJson = False
) -> None:
    """List anomalies, drifts, rejections and dead letters, the newest first, and what they flag.

    Example: penstock lineage findings --since 1h
    """
    _report("findings", since, until, limit, as_json)


def incidents(
    since: Since = None,
    until: Until = None,
    within_s: Annotated[
        float, typer.Option("--within-s", min=0, help="Findings of one lie no farther apart.")
    ] = 600.0,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Of so many findings, the newest.")
    ] = ROWS,
    as_json: AsJson = False,
) -> None:
    """Group findings that share an upstream cause and time into incidents, the newest first.

    The cause is the producer or worker that last made up what is flagged (a gate only forwards).
    A finding downstream of another one's message belongs to the same incident. The path leads
    from the farthest cause to the finding.

    Example: penstock lineage incidents --since 24h
    """
    from lineage.incidents import incidents as grouped
    from supervisor.lineage_show import show
    from supervisor.moments import span_ms

    span = span_ms(since, until, time.time())
    with opened() as store:
        found = grouped(store, **span, within_s=within_s, limit=limit)
    show(found, as_json=as_json)


def versions(
    since: Since = None, until: Until = None, limit: Limit = ROWS, as_json: AsJson = False
) -> None:
    """Count the findings about what each version of a worker or model made, the worst first.

    Example: penstock lineage versions --since 24h
    """
    _report("findings_by_version", since, until, limit, as_json)


def violations(
    since: Since = None, until: Until = None, limit: Limit = ROWS, as_json: AsJson = False
) -> None:
    """Count what the gates rejected, by the producer or worker that it came from.

    Example: penstock lineage violations --since 24h
    """
    _report("violations_by_producer", since, until, limit, as_json)


def access(
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only this tenant.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = ROWS,
    as_json: AsJson = False,
) -> None:
    """Report which workers made something of each tenant's messages, and how often.

    A worker that read them and emitted nothing leaves no record.

    Example: penstock lineage access --tenant acme --since 30d
    """
    _report("access_report", since, until, limit, as_json, tenant=tenant)


def crossings(
    since: Since = None, until: Until = None, limit: Limit = ROWS, as_json: AsJson = False
) -> None:
    """List where the tenant changed or the classification went down from a message to the next.

    Example: penstock lineage crossings --since 24h
    """
    _report("policy_crossings", since, until, limit, as_json)


def gaps(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    limit: Limit = ROWS,
    as_json: AsJson = False,
) -> None:
    """Count the messages without a known origin, by stream; what producers publish has none.

    Example: penstock lineage gaps --since 24h
    """
    streams = Context.of(context).outline().streams
    inputs = [name for name, settings in streams.items() if settings.source]
    _report("lineage_gaps", since, until, limit, as_json, inputs=inputs)


def _report(
    query: str,
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
    **parameters: Any,
) -> None:
    from lineage.answers import ask
    from supervisor.lineage_show import show
    from supervisor.moments import span_ms

    span = span_ms(since, until, time.time())
    with opened() as store:
        found = ask(store, query, limit, **span, **parameters)
    show(found, as_json=as_json)
