"""Times as people write them on the command line."""

from contextlib import suppress
from datetime import datetime

import typer

END_MS = 2**63 - 1
"""Later than any message."""

MOST_S = 3.2e9
"""The longest span that anything takes, a century, as in ``streams.yaml``."""


def moment_ms(text: str, now_s: float) -> int:
    """Turn ``2h`` (so long before now) or ``2026-11-20T14:00`` into milliseconds since the epoch.

    A date alone is its midnight; a time without a zone is local.

    Raises typer.BadParameter for anything else, and for a span of more than a century.

    >>> moment_ms("90s", 1000.0), moment_ms("2026-11-20T14:00+00:00", 1000.0)
    (910000, 1795183200000)
    """
    with suppress(ValueError):  # what is no duration may be a time of day
        return int((now_s - _span_s(text)) * 1000)
    try:
        return int(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is no time; write how long ago, such as 2h, or 2026-11-20T14:00"
        ) from error


def seconds_of(text: str, least_s: float = 0.0) -> float:
    """A span of time such as ``24h`` or ``500ms`` in seconds.

    Raises typer.BadParameter for what is none, is shorter than ``least_s``, or longer than a
    century.

    >>> seconds_of("1.5h")
    5400.0
    """
    try:
        found = _span_s(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if found < least_s:
        raise typer.BadParameter(f"{text!r} is too short; {least_s:g} s is the least")
    return found


def _span_s(text: str) -> float:
    """Raises ValueError for what is no span, typer.BadParameter for one that is too long."""
    from schemas.duration import parse_duration_s

    found = float(str(parse_duration_s(text)))
    if found > MOST_S:
        raise typer.BadParameter(f"{text!r} is too long; a century (36500d) is the most")
    return found


def span_ms(since: str | None, until: str | None, now_s: float) -> dict[str, int]:
    """The parameters ``since`` and ``until`` of a named query; what is absent is open.

    Raises typer.BadParameter when one is no time, or ``since`` does not lie before ``until``.
    """
    start = moment_ms(since, now_s) if since else 0
    end = moment_ms(until, now_s) if until else END_MS
    if start >= end:
        raise typer.BadParameter(f"--since {since} does not lie before --until {until}")
    return {"since": start, "until": end}
