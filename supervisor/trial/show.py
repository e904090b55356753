"""The report of a trial for people: a line for each detector, and what to take."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from supervisor.grid import Column, Grid, Row
from supervisor.tables import printable

_SOME, _MANY = 999.95, 999_999.5
"""Alarms from which on they are told without tenths, and to two digits."""

_TEN_US = 9.95

_HOUR_S = 3600.0
_TITLES = {
    "baseline": "knows nothing",
    "anomaly": "anomaly",
    "drift": "drift",
}


def show(stream: str, report: Mapping[str, Any], screen: Console) -> None:
    """Print the report."""
    screen.print(Group(*_parts(stream, report, screen.width)))


def _parts(stream: str, report: Mapping[str, Any], room: int) -> Iterator[RenderableType]:
    traffic = report["traffic"]
    yield Text(_heading(stream, traffic), style="bold")
    yield Text(_explained(report), style="dim")
    if traffic["span_s"] < _HOUR_S:
        yield Text(_hurried(traffic), style="yellow")
    yield Text()
    grid = figures(report["rows"], room)
    yield from grid.lines()
    if grid.left_out:
        left = ", ".join(grid.left_out)
        yield Text(f"No room for {left}; a wider screen or --json has them.", style="dim")
    yield from _partly(report)
    for advice in report["advice"]:
        yield Text()
        yield from _advice(advice)


def _heading(stream: str, traffic: Mapping[str, Any]) -> str:
    return (
        f"{stream}: {traffic['messages']:,} messages of {traffic['keys']:,} keys in "
        f"{span(traffic['span_s'])}, {len(traffic['fields'])} fields"
    )


def span(seconds: float) -> str:
    """A span of time for people.

    >>> span(30.0), span(5400.0), span(200000.0)
    ('30 s', '1.5 h', '2.31 days')
    """
    units = ((86_400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
    unit, name = next((each for each in units if seconds >= each[0]), units[-1])
    return f"{seconds / unit:.3g} {name}"


def _explained(report: Mapping[str, Any]) -> str:
    return (
        "Under each size of a shift: the share found within "
        f"{report['horizon']} messages of the key, and the messages until then in the median. "
        "'0 sd', no shift, is found by chance. 'outlier': the first shifted message is flagged "
        "itself. '/day' and '/10,000' are alarms on the messages as they are."
    )


def _hurried(traffic: Mapping[str, Any]) -> str:
    return (
        f"These messages span {span(traffic['span_s'])} only: give their real rate with "
        "--messages-per-day, or look at the alarms per 10,000."
    )


def _partly(report: Mapping[str, Any]) -> Iterator[Text]:
    """Who saw a part of the messages only, since it takes so long."""
    slow = [row for row in report["rows"] if row["n_messages"] < report["traffic"]["messages"]]
    if slow:
        told = (f"{row['name']} {row['n_messages']:,}" for row in slow)
        yield Text(f"Slow, so on the newest messages only: {', '.join(told)}.", style="dim")


def figures(rows: Sequence[Mapping[str, Any]], room: int) -> Grid:
    """A line for each candidate, the families apart, and as many figures as have room."""
    names = [("/day", 0), ("/10,000", 99), ("µs", 3), ("0 sd", 2), *_sizes(rows[0])]
    columns = [Column("detector"), *(Column(n, rank, right=True) for n, rank in names)]
    told: list[Row] = []
    for family, title in _TITLES.items():
        ours = [row for row in rows if row["family"] == family]
        if ours:
            told.append([Text(title, style="bold"), *("" for _ in columns[1:])])
        told += [_row(row) for row in ours]
    return Grid(columns, told, room)


def _sizes(row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The sizes of shifts and when each is left out: the outermost first, the largest before."""
    middle = len(row["found"]) // 2
    for i, found in enumerate(row["found"]):
        yield f"{found['size']:g} sd", 4 + 2 * abs(i - middle) + (i > middle)
    yield "outlier", 5


def _row(row: Mapping[str, Any]) -> list[str]:
    told = [f" {printable(row['name'])}", _count(row["per_day"]), _count(row["per_10k"])]
    told.append(_cost(row["cpu_us"]))
    if not row["n_shifts"]:
        return [*told, *("-" for _ in range(len(row["found"]) + 2))]
    told.append(f"{row['by_chance']['share']:.0%}")
    told += map(_found, row["found"])
    return [*told, f"{row['found'][-1]['at_once']:.0%}"]


def _count(alarms: float) -> str:
    """A number of alarms in at most seven characters.

    >>> _count(999.94), _count(17281.04), _count(1053307092.3)
    ('999.9', '17,281', '1.1e+09')
    """
    if alarms >= _MANY:
        return f"{alarms:.2g}"
    return f"{alarms:,.0f}" if alarms >= _SOME else f"{alarms:.1f}"


def _cost(cpu_us: float) -> str:
    """Microseconds in three characters, or as many as it takes.

    >>> _cost(0.036), _cost(9.94), _cost(539.1)
    ('0.0', '9.9', '539')
    """
    return f"{cpu_us:.1f}" if cpu_us < _TEN_US else f"{cpu_us:.0f}"


def _found(found: Mapping[str, Any]) -> str:
    delay = "-" if found["delay"] is None else f"{found['delay']:.0f}"
    return f"{found['share']:.0%} {delay:>3}"


def _advice(advice: Mapping[str, Any]) -> Iterator[RenderableType]:
    if advice["take"] is None:
        yield Text.assemble((f"{advice['family']}: ", "bold"), printable(advice["reason"]))
        return
    yield Text.assemble(
        (f"{advice['family']}: take {advice['take']}", "bold"), f"; {printable(advice['reason'])}"
    )
    yield Padding(Text(settings_line(advice["settings"])), (0, 0, 0, 2), expand=False)


def settings_line(settings: Mapping[str, Any]) -> str:
    """The settings as a line of ``streams.yaml``; JSON is YAML as well.

    >>> settings_line({"half_space_trees": None, "novelty": {"limit": 6.0}})
    'detectors: {half_space_trees: null, novelty: {limit: 6.0}}'
    """
    return f"detectors: {_yaml(settings)}"


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_yaml(inner)}" for name, inner in value.items()) + "}"
    return json.dumps(value)
