"""The summary of a run for people: at most 45 lines, 100 columns wide."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from lineage.trace import Step, Trace
from supervisor.demo.data import SHIFT
from supervisor.demo.report import Report
from supervisor.demo.verdict import Account, Accuracy, Change, by_severity
from supervisor.tables import SEVERITY_STYLE, printable

COLUMNS = 100
"""How wide the summary is at most."""

_OTHERS_SHOWN = 4
_RULES_IN_A_ROW = 3


def show(report: Report, took_s: float, screen: Console, *, running: bool = True) -> None:
    """Print the summary; ``running`` says whether the pipeline still runs now."""
    parts = [
        Rule(f"Penstock demo, run {report.run}", style="dim"),
        _sent(report, took_s),
        *_section("Nothing lost, nothing twice", _accounted(report)),
        *_section("Anomalies", _anomalies(report)),
        *_section("Drift", _drift(report)),
        *_section("One decision, back to its readings", _traced(report.trace)),
        *_section("Look further", _further(report, running)),
    ]
    screen.print(Group(*parts), width=min(COLUMNS, screen.width))


def _section(title: str, lines: Iterator[RenderableType]) -> tuple[RenderableType, ...]:
    return Text(), Text(title, style="bold"), Padding(Group(*lines), (0, 0, 0, 2), expand=False)


def _sent(report: Report, took_s: float) -> Text:
    sent = ", ".join(f"{count:,} of {sensor}" for sensor, count in report.sent.items())
    return Text(
        f"{sum(report.sent.values()):,} readings ({sent}) and {report.broken} broken messages, "
        f"settled in {took_s:.1f} s"
    )


def _accounted(report: Report) -> Iterator[RenderableType]:
    account = report.account
    equal, word = ("=", "balanced") if account.balanced else ("≠", "NOT BALANCED")
    yield Text.assemble(
        f"in {account.published:,} {equal} valid {account.valid:,} + rejected "
        f"{account.rejected:,}  ",
        (word, "bold green" if account.balanced else "bold red"),
    )
    if not account.balanced:
        yield from (Text(reason, style="red") for reason in unbalanced(account))
    if report.reasons:
        yield _reasons(list(report.reasons.items()))


def unbalanced(account: Account) -> list[str]:
    """Why what went in is not what came out, as far as the counters tell."""
    known = (
        (account.others, "entries of other producers were counted with ours"),
        (account.duplicates, "entries were dropped as duplicates"),
        (account.dead, "entries became dead letters (see 'penstock dead list')"),
    )
    told = [f"{count:,} {what}" for count, what in known if count]
    return told or ["the counters do not say why; see 'penstock status'"]


def _reasons(reasons: Sequence[tuple[str, int]]) -> Table:
    made = Table.grid(padding=(0, 3))
    cells = [f"{count:>4} {printable(rule)}" for rule, count in reasons]
    for at in range(0, len(cells), _RULES_IN_A_ROW):
        made.add_row(*cells[at : at + _RULES_IN_A_ROW])
    return made


def _anomalies(report: Report) -> Iterator[RenderableType]:
    severities = by_severity(report.flags)
    line = Text(f"{len(report.flags):,} events: ")
    line.append_text(
        Text(", ").join(
            Text.assemble((f"{severities[name]:,} {name}", style))
            for name, style in SEVERITY_STYLE.items()
        )
    )
    yield line
    yield Text(
        f"against Shuttle's labels: precision {_share(report.accuracy.precision)}, "
        f"recall {_share(report.accuracy.recall)}"
    )
    note = ceiling_note(report.accuracy)
    if note:
        yield Text(note, style="dim")


def ceiling_note(accuracy: Accuracy) -> str:
    """Why recall cannot be higher, or nothing where that cannot be said."""
    if accuracy.ceiling is None or accuracy.share is None:
        return ""
    return (
        f"(the top {_share(accuracy.share)} is flagged and "
        f"{_share(accuracy.anomalous / accuracy.readings)} are anomalous, so recall can be "
        f"{_share(accuracy.ceiling)} at most)"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _drift(report: Report) -> Iterator[RenderableType]:
    verdict, stream = report.drift, report.course.valid
    yield Text(
        f"injected: {stream}/{SHIFT.sensor}, {SHIFT.field} times {SHIFT.factor} from its value "
        f"{verdict.first:,} on"
    )
    if verdict.found is None:
        yield Text("not found", style="bold red")
    else:
        yield Text.assemble(
            ("found", "bold green"), f" {verdict.delay:,} values later: {_change(verdict.found)}"
        )
    shown = verdict.others[:_OTHERS_SHOWN]
    for change in shown:
        early = change.sensor == SHIFT.sensor and change.number < verdict.first
        yield Text(f"also: {_change(change)}{', before the shift' if early else ''}")
    if len(verdict.others) > len(shown):
        yield Text(f"… and {len(verdict.others) - len(shown)} more: penstock alerts --kind drift")


def _change(change: Change) -> str:
    where = change.sensor if change.key is None else change.key
    return printable(
        f"{where} {change.field} at its value {change.number:,}, by {change.detector}, "
        f"{change.severity} ({change.effect:+.1f} sd)"
    )


def _traced(trace: Trace | None) -> Iterator[RenderableType]:
    if trace is None:
        yield Text("this run led to no decision", style="dim")
        return
    judged = {
        uid: (step.schema_name, step.schema_version)
        for step in trace.steps
        if step.worker_kind == "gate" and step.schema_name  # it forwards what it judged
        for uid in step.parents
    }
    made = Table.grid(padding=(0, 2))
    back = reversed(trace.steps)
    for _, group in groupby(back, key=lambda step: (step.stream, step.worker)):
        made.add_row(*_row(list(group)[::-1], judged))
    yield made


def _row(
    steps: Sequence[Step], judged: Mapping[str, tuple[str | None, str | None]]
) -> tuple[str, str, str]:
    """Messages of one maker: the first of them, its maker and version, its schema and version.

    A producer's message has the schema by which the gate judged it.
    """
    first = steps[0]
    more = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
    if first.worker is None:
        by = f"published by {first.source or 'a producer without a name'}"
    else:
        by = f"{first.worker} {first.worker_version}"
    name, version = judged.get(first.uid, (first.schema_name, first.schema_version))
    schema = f"{name}@{version}" if name else ""
    return printable(f"{first.uid}{more}"), printable(by), printable(schema)


def _further(report: Report, running: bool) -> Iterator[RenderableType]:
    made = Table.grid(padding=(0, 2))
    if not running:
        made.add_row(
            "penstock up --detach", "start the pipeline again; all the data are still there"
        )
    uid = report.trace.uid if report.trace else report.course.valid
    made.add_row("penstock alerts --severity high", "the gravest findings, explained")
    made.add_row("penstock quarantine list", "what was rejected, and why")
    made.add_row(f"penstock lineage trace {uid}", "every step of a message's history")
    made.add_row("penstock status", "every worker and stream, and where the metrics are")
    yield made
