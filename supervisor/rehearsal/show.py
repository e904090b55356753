"""A rehearsal's report: tables of the workers and of what changes, or one JSON object."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from supervisor.rehearsal.bounds import Passed
from supervisor.rehearsal.compare import OUTCOMES, Change, Flow, Report
from supervisor.tables import console, printable, shortened, table

_RIGHT: dict[str, Any] = {"justify": "right", "no_wrap": True}
_TITLES = {"rejected": "rejected", "dead": "dead letter", "event": "event"}
_ABOUT_SHOWN = 48


def show(report: Report, notes: Iterable[str], passed: Sequence[Passed], most: int) -> None:
    """Print the report for people, with ``most`` uids of each change."""
    out = console()
    out.print(Text(f"{report.messages:,} messages rehearsed: before → now", style="bold"))
    if not report.same:
        out.print(_summary(report))
    out.print(_workers(report.flows))
    changes = [change for change in report.changes if change.differs]
    if changes:
        out.print()
        out.print(_changes(changes))
        for change in changes if most else ():
            _print_uids(change, most)
    elif report.same:
        out.print("Nothing would change.")
    for note in notes:
        typer.echo(f"… {printable(note)}.", err=True)
    for each in passed:
        typer.echo(f"penstock: {each.sentence}", err=True)


def _summary(report: Report) -> str:
    more, fewer = report.more, report.fewer
    return (
        f"{more['rejected']:,} more rejected, {fewer['rejected']:,} no longer; "
        f"{more['dead']:,} more dead letters, {fewer['dead']:,} no longer; "
        f"{more['event']:,} events added, {fewer['event']:,} gone"
    )


def _workers(flows: Sequence[Flow]) -> Table:
    made = table(["worker", *((name, dict(_RIGHT)) for name in OUTCOMES), "emitted"])
    for worker in dict.fromkeys(flow.worker for flow in flows):
        mine = {flow.what: flow for flow in flows if flow.worker == worker}
        cells = [_moved(mine[name]) if name in mine else Text("-") for name in OUTCOMES]
        emitted = [
            Text.assemble(printable(f"{what[3:]} "), _moved(flow))
            for what, flow in mine.items()
            if what.startswith("to ")
        ]
        made.add_row(worker, *cells, Text("\n").join(emitted) if emitted else Text("-"))
    return made


def _moved(flow: Flow) -> Text:
    if flow.before == flow.now:
        return Text(f"{flow.now:,}")
    return Text(f"{flow.before:,} → {flow.now:,}", style="yellow")


def _changes(changes: Sequence[Change]) -> Table:
    numbers = ("before", "now", "added", "gone")
    made = table(["worker", "what", "stream", "about", *((name, dict(_RIGHT)) for name in numbers)])
    for each in changes:
        made.add_row(
            each.worker,
            _TITLES[each.what],
            printable(each.stream),
            shortened(printable(_words(each)), _ABOUT_SHOWN),
            f"{each.before:,}",
            f"{each.now:,}",
            Text(f"+{len(each.more):,}", style="yellow") if each.more else Text("-"),
            Text(f"-{len(each.fewer):,}", style="cyan") if each.fewer else Text("-"),
        )
    return made


def _words(change: Change) -> str:
    if change.what == "rejected":
        return f"{change.about[0]}: {change.about[1]}"
    return " ".join(change.about)


def _print_uids(change: Change, most: int) -> None:
    typer.echo(f"\n{change.worker}, {_TITLES[change.what]}, {printable(_words(change))}")
    for sign, uids in (("+", change.more), ("-", change.fewer)):
        for uid in uids[:most]:
            typer.echo(f"  {sign} {printable(uid)}")
        if len(uids) > most:
            typer.echo(f"  {sign} … and {len(uids) - most:,} more")


def to_json(report: Report, notes: Iterable[str], passed: Sequence[Passed]) -> str:
    """The whole report as one JSON object, with the uids of all that is added or gone."""
    said = {
        "messages": report.messages,
        "same": report.same,
        "more": dict(report.more),
        "fewer": dict(report.fewer),
        "workers": [
            {"worker": f.worker, "what": f.what, "before": f.before, "now": f.now}
            for f in report.flows
        ],
        "changes": [_told(change) for change in report.changes],
        "notes": list(notes),
        "passed": [
            {"kind": p.bound.kind, "found": p.found, "of": p.of, "most": p.bound.words}
            for p in passed
        ],
    }
    return json.dumps(said, ensure_ascii=False)


def _told(change: Change) -> dict[str, Any]:
    return {
        "worker": change.worker,
        "what": change.what,
        "stream": change.stream,
        "about": list(change.about),
        "before": change.before,
        "now": change.now,
        "added": list(change.more),
        "gone": list(change.fewer),
    }
