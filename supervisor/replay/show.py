"""A replay's report: a table of the streams and the messages that differ, or one JSON object."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from supervisor.replay.compare import Compared, Report, Status
from supervisor.replay.publish import Successor
from supervisor.tables import console, printable, shortened, table, texts

_FIELDS_SHOWN = 8
_VALUE_SHOWN = 60
_LISTED = 5


def show(report: Report, most: int) -> None:
    """Print the report for people: at most ``most`` of the messages that differ."""
    if report.compared:
        _print_counts(report)
    differing = [each for each in report.compared if each.status is not Status.SAME]
    told = [each for each in differing if each.status is not Status.UNKNOWN]
    for each in told[:most]:
        for line in _lines(each):
            typer.echo(printable(line))
    if len(told) > most:
        typer.echo(f"… and {len(told) - most:,} more that differ; --show or --json has them.")
    for sentence in notes(report):
        typer.echo(f"… {printable(sentence)}", err=True)


def _print_counts(report: Report) -> None:
    made = table(["stream", *((status.value, {"justify": "right"}) for status in Status)])
    for stream, row in report.counts().items():
        made.add_row(printable(stream), *(f"{row[status]:,}" for status in Status))
    console().print(made)


def _lines(each: Compared) -> Iterator[str]:
    yield f"{each.status.value}  {_place(each)}  by {each.worker}"
    for change in each.fields[:_FIELDS_SHOWN]:
        yield f"    {change.path or 'data'}: {_value(change.before)} → {_value(change.now)}"
    if len(each.fields) > _FIELDS_SHOWN:
        yield f"    and {len(each.fields) - _FIELDS_SHOWN} fields more"


def _place(each: Compared) -> str:
    """Its uid; one that is new has none yet, so the stream and what it was made at."""
    if each.made is not None and each.made.original is None:
        return f"{each.stream}, of {each.made.trigger}"
    return each.uid


def _value(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=False), _VALUE_SHOWN)


def notes(report: Report) -> Iterator[str]:
    """What a reader must know of a report, a sentence each."""
    if report.lost:
        yield (
            f"not replayed, since what they were made from is no longer retained: "
            f"{_listed(report.lost)}."
        )
    for failed in report.failed[:_LISTED]:
        yield f"{failed.worker} could not handle {failed.uid}: {failed.error}"
    if len(report.failed) > _LISTED:
        yield f"and {len(report.failed) - _LISTED:,} messages more could not be handled."
    if report.approximate:
        yield (
            f"approximate, since they begin without the state that they had then: "
            f"{', '.join(report.approximate)}."
        )
    yield from (f"{sentence}." for sentence in report.cut)


def _listed(uids: Sequence[str]) -> str:
    more = f" and {len(uids) - _LISTED:,} more" if len(uids) > _LISTED else ""
    return f"{', '.join(uids[:_LISTED])}{more}"


def published_json(published: Sequence[tuple[Successor, str]]) -> str:
    """What was published, and in whose place, as one JSON object."""
    told = [{"uid": uid, "supersedes": list(each.supersedes)} for each, uid in published]
    return json.dumps({"published": told}, ensure_ascii=False)


def to_json(report: Report) -> str:
    """The whole report as one JSON object; the messages that are the same are only counted."""
    said = {
        "complete": report.complete,
        "streams": report.counts(),
        "messages": [_told(each) for each in report.compared if each.status is not Status.SAME],
        "failed": [{"uid": f.uid, "worker": f.worker, "error": f.error} for f in report.failed],
        "not_retained": list(report.lost),
        "approximate": list(report.approximate),
        "cut": list(report.cut),
    }
    return json.dumps(said, ensure_ascii=False)


def _told(each: Compared) -> dict[str, Any]:
    told: dict[str, Any] = {
        "status": each.status.value,
        "stream": each.stream,
        "uid": each.uid if each.node else None,
        "worker": each.worker,
        "parents": list(each.made.parents if each.made else each.node.parents if each.node else ()),
        "fields": [{"path": c.path, "before": c.before, "now": c.now} for c in each.fields],
    }
    if each.made is not None:
        told["entry"] = texts(each.made.fields)
    return told
