"""The report of a trial for people: a line for each detector, and what to take."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from supervisor.tables import printable, table

_RIGHT = {"justify": "right", "no_wrap": True}
_WIDE = 126  # columns; below that alarms per 10,000 and the outermost sizes are left out
_HOUR_S = 3600.0
_TITLES = {
    "baseline": "knows nothing",
    "anomaly": "anomaly",
    "drift": "drift",
}


def show(stream: str, report: Mapping[str, Any], screen: Console) -> None:
    """Print the report."""
    screen.print(Group(*_parts(stream, report, wide=screen.width >= _WIDE)))


def _parts(stream: str, report: Mapping[str, Any], wide: bool) -> Iterator[RenderableType]:
    traffic = report["traffic"]
    yield Text(_heading(stream, traffic), style="bold")
    yield Text(_explained(report), style="dim")
    if traffic["span_s"] < _HOUR_S:
        yield Text(_hurried(traffic), style="yellow")
    yield Text()
    yield rows_table(report["rows"], wide=wide)
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
        "'no shift' is found by chance. 'outlier': the first shifted message is flagged itself."
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


def rows_table(rows: Sequence[Mapping[str, Any]], *, wide: bool = True) -> Table:
    """The figures, a line for each candidate, the families apart."""
    sizes = [f"{found['size']:g} sd" for found in _sizes(rows[0], wide)]
    names = ["alarms/day", *(["/10,000"] if wide else []), "µs", "no shift", *sizes, "outlier"]
    made = table([("detector", {"no_wrap": True}), *((name, dict(_RIGHT)) for name in names)])
    for family, title in _TITLES.items():
        ours = [row for row in rows if row["family"] == family]
        if ours:
            made.add_row(Text(title, style="bold"))
        for row in ours:
            made.add_row(*_row(row, wide))
    return made


def _row(row: Mapping[str, Any], wide: bool) -> Iterator[str]:
    yield f" {printable(row['name'])}"
    yield f"{row['per_day']:,.1f}"
    if wide:
        yield f"{row['per_10k']:,.1f}"
    yield f"{row['cpu_us']:.3g}"
    if not row["n_shifts"]:
        yield from "-" * (len(_sizes(row, wide)) + 2)
        return
    yield f"{row['by_chance']['share']:.0%}"
    yield from (_found(found) for found in _sizes(row, wide))
    yield f"{row['found'][-1]['at_once']:.0%}"


def _sizes(row: Mapping[str, Any], wide: bool) -> Sequence[Mapping[str, Any]]:
    """What was found of each size; without much room not of the smallest and the largest."""
    found: Sequence[Mapping[str, Any]] = row["found"]
    return found if wide or len(found) < 4 else found[1:-1]


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
    yield Padding(Text(settings_line(advice["settings"])), (0, 0, 0, 2))


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
