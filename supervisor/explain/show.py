"""An account of an event on a terminal."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from schemas.findings import AnomalyEvent, DriftEvent, Sample
from supervisor.explain.account import Account, facts
from supervisor.explain.parts import Part
from supervisor.explain.pictures import pictures_of
from supervisor.plot.scale import brief
from supervisor.plot.terminal import draw
from supervisor.tables import local_time, printable, severity_text, table

MOST_COLUMNS = 120
"""Wider than that nothing is drawn."""

_ROOM_FOR_BARS = 98  # columns
_BAR = 10  # characters
_FULL_DEVIATION = 10.0  # robust deviations that fill a bar
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_INDENT = 2
_RIGHT = {"justify": "right", "no_wrap": True}
_FIELD = ("field", {"overflow": "fold"})


def show(account: Account, screen: Console) -> None:
    """Print all that is known of an event, as wide as the screen and at most 120 columns."""
    columns = min(screen.width, MOST_COLUMNS)
    screen.print(Group(*_parts(account, columns - _INDENT)), width=columns)


def _parts(account: Account, columns: int) -> Iterator[RenderableType]:
    event = account.event
    yield Text.assemble(
        (event.kind.capitalize(), "bold"), " in ", (printable(event.where), "bold"), ", ",
        severity_text(event.severity), f", {local_time(event.at_ms)}",
    )  # fmt: skip
    yield Text(printable(event.explanation))
    yield Text()
    yield _indented(_grid(_facts(account)))
    yield Text()
    if isinstance(event.finding, DriftEvent):
        yield _indented(_samples(event.finding))
    elif account.parts:
        yield _indented(_fields(account.parts, bars=columns >= _ROOM_FOR_BARS))
    for picture in pictures_of(account):
        yield Text()
        yield _indented(Group(*draw(picture, columns)))
    if not account.retained:
        yield Text()
        yield _indented(Text(trimmed(account), style="yellow"))
    yield Text()
    yield _indented(_grid(account.commands.items()))


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, _INDENT), expand=False)


def _grid(rows: Iterable[tuple[str, str]]) -> Table:
    made = Table.grid(padding=(0, 2))
    for name, words in rows:
        made.add_row(printable(name), printable(words))
    return made


def trimmed(account: Account) -> str:
    """Why there is no curve, in a sentence."""
    rest = "what is drawn are the event's own numbers"
    if not pictures_of(account):
        rest = "and the event does not tell what was usual"
    return f"The message is no longer retained, so its neighbours cannot be shown; {rest}."


def _facts(account: Account) -> Iterator[tuple[str, str]]:
    finding, said = account.event.finding, facts(account.event.finding)
    yield "event", account.event.uid
    yield "message", f"{finding.message}{'' if account.retained else ' (no longer retained)'}"
    if said.get("message_id"):
        yield "its id", said["message_id"]
    kind = f", {said['drift']} drift" if said.get("drift") else ""
    yield "detector", f"{finding.detector}{kind}"
    yield from _test(finding)
    if said.get("incident"):
        yield "incident", _incident(said)
    if isinstance(finding, DriftEvent):
        yield from _change(account, finding)


def _incident(said: Mapping[str, Any]) -> str:
    """What the event means for its incident, in words."""
    words = [f"{said['incident']}, {said.get('status', 'open')}"]
    if said.get("count", 1) > 1:
        words.append(f"{said['count']:,} messages since {said.get('first', 'it began')}")
    if said.get("worst"):
        words.append(f"{said['worst']} at worst")
    return "; ".join(words)


def _test(finding: AnomalyEvent | DriftEvent) -> Iterator[tuple[str, str]]:
    if isinstance(finding, DriftEvent):
        yield finding.statistic, f"{brief(finding.value)}, above {brief(finding.threshold)}"
    else:
        yield "score", f"{brief(finding.score)}, threshold {brief(finding.threshold)}"
    if finding.p_value is not None:
        yield "p-value", brief(finding.p_value)
    e_value = getattr(finding, "e_value", None)
    if e_value is not None:
        yield "e-value", f"{brief(e_value)}: the factor by which bets against no change grew"


def _change(account: Account, finding: DriftEvent) -> Iterator[tuple[str, str]]:
    size = getattr(finding, "size", None)
    words = f"{finding.effect:+.3g} baseline standard deviations"
    yield "effect", f"{words} ({size})" if size else words
    ago = getattr(finding, "began_ago", None)
    if ago:
        began = account.began
        at = f": {began.uid}, {local_time(began.at_ms)}" if began else ""
        yield "began", f"most likely {ago:,} values ago{at}"


def _samples(finding: DriftEvent) -> Table:
    names = ("5 %", "25 %", "median", "75 %", "95 %", "mean", "values")
    made = table(["sample", *((name, dict(_RIGHT)) for name in names)])
    for label, sample in (("baseline", finding.baseline), ("current", finding.current)):
        made.add_row(label, *_numbers(sample))
    return made


def _numbers(sample: Sample) -> Iterator[str]:
    told = sample.quantiles if len(sample.quantiles) == 5 else (None,) * 5
    yield from ("-" if value is None else brief(value) for value in told)
    yield from (brief(sample.mean), f"{sample.size:,}")


def _fields(parts: tuple[Part, ...], *, bars: bool) -> Table:
    names = ["value", "expected", "usual", "nearest", "deviation"]
    blamed = any(part.share is not None for part in parts)
    last = [("blame", dict(_RIGHT))] if blamed else []
    made = table(
        [_FIELD, *((name, dict(_RIGHT)) for name in names), *([""] if bars else []), *last]
    )
    for part in parts:
        drawn = [bar(part.deviation or 0.0)] if bars else []
        made.add_row(*_row(part), *drawn, *([_share(part)] if blamed else []))
    return made


def _row(part: Part) -> Iterator[str]:
    yield from (printable(part.field), brief(part.value), _known(part.expected))
    unknown = part.low is None or part.high is None
    yield "-" if unknown else f"{_known(part.low)} to {_known(part.high)}"
    yield from (_known(part.nearest), _known(part.deviation))


def _share(part: Part) -> str:
    return "-" if part.share is None else f"{100.0 * part.share:.0f} %"


def _known(value: float | None) -> str:
    return "-" if value is None else brief(value)


def bar(deviation: float) -> str:
    """A bar as long as a deviation, full at 10.

    >>> bar(4.25)
    '████▎     '
    """
    eighths = round(min(deviation / _FULL_DEVIATION, 1.0) * 8 * _BAR)
    full, rest = divmod(eighths, 8)
    return ("█" * full + _EIGHTHS[rest] * (rest > 0)).ljust(_BAR)
