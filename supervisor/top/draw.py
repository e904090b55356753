"""How one look stands on a terminal: heads, workers, streams, open events, cut to its height."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from supervisor.display import STATE_STYLE, number
from supervisor.events import Event
from supervisor.tables import printable, severity_text, shortened, table
from supervisor.top.look import Seen, StreamRow, WorkerRow

_FILE = "file"
_LEAST = {"entries": 9, "rate/s": 6, "p99": 5, "lag": 7, "mem": 5}

SORTS: Mapping[str, Callable[[StreamRow], float]] = {
    _FILE: lambda row: 0.0,
    "rate": lambda row: -(row.rate or 0.0),
    "lag": lambda row: -(float("inf") if row.lag is None else row.lag),
    "memory": lambda row: -(row.memory_bytes or 0),
}
"""The orders of the streams; the first is that of the topology's file."""

_BESIDE = 136  # columns; from there on streams stand beside workers
_TELLS = 110  # columns; from there on events explain themselves
_RIGHT: dict[str, Any] = {"justify": "right", "no_wrap": True}
_ONE_LINE: dict[str, Any] = {"no_wrap": True, "overflow": "ellipsis"}
_FEWEST = 3
_PLACE = 22  # characters of a stream and key, or of fields
_BEFORE = 10 + 5 + 2 * _PLACE + 5 * 2  # columns before the last one of an event
_UNITS = ((2**30, "G"), (2**20, "M"), (2**10, "k"))


@dataclass(frozen=True, slots=True)
class View:
    """What the keys have chosen: the order of the streams, and the first one shown."""

    sort: str = _FILE
    first: int = 0

    def after(self, key: str, streams: int) -> "View":
        """The view after a key: ``s`` for the next order, the arrows for other streams."""
        match key:
            case "s":
                orders = list(SORTS)
                return View(orders[(orders.index(self.sort) + 1) % len(orders)])
            case "up":
                return replace(self, first=max(0, self.first - 1))
            case "down":
                return replace(self, first=min(max(0, streams - 1), self.first + 1))
        return self


def screenful(
    seen: Seen, view: View, width: int, height: int | None, keys: bool = True
) -> RenderableType:
    """One screen, of ``height`` lines at most (None: as many as it takes)."""
    heads = list(_heads(seen))
    foot = [Text("q quit   s sort by " + _next(view) + "   ↑ ↓ streams", style="dim")]
    foot = foot if keys else []
    room = None if height is None else height - len(heads) - len(foot) - 2
    streams, events, wide = _ordered(seen, view), list(seen.events), width >= _BESIDE
    fixed = len(seen.workers) + 1
    most_streams, most_events = _shares(room, fixed, len(streams), len(events), wide)
    tables = _workers(seen.workers), _streams(streams, view, most_streams)
    body: list[RenderableType] = [*tables[:1], Text(), *tables[1:]]
    if wide:
        beside = Table.grid(padding=(0, 4, 0, 0))
        beside.add_row(*tables)
        body = [beside]
    return Group(*heads, Text(), *body, Text(), _events(events[:most_events], seen, width), *foot)


def _shares(room: int | None, workers: int, streams: int, events: int, wide: bool) -> list[int]:
    """How many streams and events there is room for; three of each at least."""
    if room is None:
        return [streams, events]
    lines = room - 2 if wide else room - workers - 4  # a title each, and the blank lines between
    shown = max(_FEWEST, min(streams, lines - min(events, _FEWEST)))
    return [shown, max(_FEWEST, lines - (max(shown, workers) if wide else shown))]


def _next(view: View) -> str:
    return view.after("s", 0).sort


def _ordered(seen: Seen, view: View) -> list[StreamRow]:
    return sorted(seen.streams, key=SORTS[view.sort])


def _heads(seen: Seen) -> Iterator[Text]:
    overview = seen.overview
    server = overview.server
    at = datetime.fromtimestamp(seen.at_s, UTC).astimezone().strftime("%H:%M:%S")
    stands = ("ready", "green") if overview.ready else ("not ready", "yellow")
    if not server.reachable:
        stands = ("server away", "bold red")
    who = f"supervisor {overview.supervisor.pid}" if overview.supervisor else "no supervisor"
    yield Text.assemble((at, "bold"), "  ", stands, f"  {server.version or server.url}  {who}")
    if not server.reachable:
        yield Text(printable(server.error), style="red", no_wrap=True, overflow="ellipsis")
    for worker in overview.workers:
        reason = next((process.reason for process in worker.processes if process.reason), "")
        if reason:
            said = f"{worker.worker}: {printable(reason)}"
            yield Text(said, style="red", no_wrap=True, overflow="ellipsis")


def _workers(rows: Sequence[WorkerRow]) -> Table:
    names = ("ready", "rate/s", "p99", "lag", "rst", "mem")
    made = table([("worker", _ONE_LINE), ("state", _ONE_LINE), *map(_numbers, names)])
    for row in rows:
        style = STATE_STYLE.get(row.state, "yellow")
        made.add_row(
            row.worker,
            Text(row.state.replace("_", " "), style=style),
            f"{row.ready}/{row.processes}",
            rate(row.rate),
            duration(row.p99_s),
            _lag(row.lag),
            Text(str(row.restarts), style="yellow" if row.restarts else ""),
            size(row.rss_bytes or None),
        )
    return made


def _streams(rows: Sequence[StreamRow], view: View, most: int) -> Table:
    first = min(view.first, max(0, len(rows) - most))
    title = "stream" if view.sort == _FILE else f"stream by {view.sort}"
    if len(rows) > most:
        title += f" {first + 1}-{first + most}/{len(rows)}"
    names = ("entries", "rate/s", "lag", "pending", "mem")
    made = table([(title, {**_ONE_LINE, "min_width": _PLACE}), *map(_numbers, names)])
    for row in rows[first : first + most]:
        made.add_row(
            printable(row.name),
            number(row.entries),
            rate(row.rate),
            _lag(row.lag),
            number(row.pending),
            size(row.memory_bytes),
        )
    return made


def _numbers(name: str) -> tuple[str, dict[str, Any]]:
    """A column of numbers, wide enough not to jump about while they grow."""
    return name, {**_RIGHT, "min_width": _LEAST.get(name, len(name))}


def _lag(lag: int | None) -> Text:
    return Text(number(lag), style="" if lag == 0 else "yellow")


def _events(events: Sequence[Event], seen: Seen, width: int) -> RenderableType:
    if not seen.events:
        return Text("No open event.", style="dim")
    cells = [_event(event, seen.at_s, width) for event in events]
    names = ("open event", "since", "stream/key", "field")
    last = "explanation" if width >= _TELLS else "state"
    made = table([(name, {"no_wrap": True}) for name in (*names, last)])
    for severity, *rest in cells:
        made.add_row(severity_text(severity), *rest)
    return made


def _event(event: Event, at_s: float, width: int) -> list[str]:
    told = [
        event.worst,
        duration(max(0.0, at_s - event.at_ms / 1000)),
        shortened(printable(event.where), _PLACE),
        shortened(printable(", ".join(event.fields)), _PLACE),
    ]
    more = printable(event.explanation if width >= _TELLS else event.state)
    return [*told, shortened(more, max(8, width - _BEFORE))]


def rate(value: float | None) -> str:
    """Entries a second.

    >>> rate(None), rate(0.0), rate(0.25), rate(12345.6)
    ('-', '0', '0.25', '12,346')
    """
    if value is None:
        return "-"
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """A span of time in at most five characters.

    >>> duration(None), duration(0.0123), duration(1.5), duration(900.0), duration(90000.0)
    ('-', '12ms', '1.5s', '15m', '25h')
    """
    if seconds is None:
        return "-"
    if seconds < 1.0:
        return f"{1000 * seconds:.0f}ms"
    for unit, name, most in ((1.0, "s", 120.0), (60.0, "m", 120.0), (3600.0, "h", 100.0)):
        if seconds / unit < most:
            return f"{seconds / unit:.2g}{name}" if seconds < 10 else f"{seconds / unit:.0f}{name}"
    return f"{seconds / 86_400:.0f}d"


def size(value: int | None) -> str:
    """Bytes in at most five characters.

    >>> size(None), size(0), size(4618), size(52_428_800)
    ('-', '0', '4.5k', '50M')
    """
    if value is None:
        return "-"
    for unit, name in _UNITS:
        if value >= unit:
            found = value / unit
            return f"{found:.1f}{name}" if found < 10 else f"{found:.0f}{name}"
    return str(value)
