"""Pictures as SVG: one file without fonts, scripts or links, for light and dark screens alike.

The colours follow what the reader's system prefers; each picture has its words as a title, so
that a screen reader has something to read.
"""

from collections.abc import Callable, Iterator, Sequence
from xml.sax.saxutils import escape

from supervisor.plot.pictures import Box, Boxes, Picture, Trace
from supervisor.plot.scale import Scale, brief, scale_over
from supervisor.tables import printable, shortened

WIDTH = 760
"""Width of every picture, in SVG's own units; it scales to whatever it is shown in."""

_LEFT, _RIGHT, _PLOT_TOP = 76, 24, 30
_TRACE_HIGH, _BOX_HIGH, _GAP = 210, 34, 28
_LETTERS = 104  # of a title, at the width of a digit

_SIGNS = ("line", "box", "bar", "lozenge")

_STYLE = """\
svg{--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--paper:#fff;--band:#2da44e;--curve:#0969da;
--low:#1b7c83;--medium:#9a6700;--high:#cf222e;--critical:#a40e26;--began:#8250df}
@media(prefers-color-scheme:dark){svg{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--paper:#0d1117;
--band:#3fb950;--curve:#58a6ff;--low:#39c5cf;--medium:#d29922;--high:#ff7b72;--critical:#ff5c6c;
--began:#bc8cff}}
text{font:12px system-ui,sans-serif;fill:var(--soft)}.t{font-size:13px;font-weight:600;
fill:var(--ink)}.p{fill:var(--paper)}.g{stroke:var(--line)}.a{stroke:var(--soft)}
.b{fill:var(--band);fill-opacity:.16}.be,.w{stroke:var(--band)}.in{fill:var(--band);
fill-opacity:.45;stroke:var(--band)}.m{stroke:var(--ink);stroke-width:2}
.c{fill:none;stroke:var(--curve);stroke-width:1.4;stroke-linejoin:round}
.n{stroke:var(--began);stroke-dasharray:4 3}.nt{fill:var(--began)}.d{stroke:var(--paper)}"""


def render(title: str, pictures: Sequence[Picture]) -> str:
    """The pictures one below the other, as the text of one SVG file; ``title`` stands on top."""
    top, parts = 34, []
    for picture in pictures:
        drawn = _trace(picture) if isinstance(picture, Trace) else _boxes(picture)
        parts += [f'<g transform="translate(0 {top})">', *drawn, "</g>"]
        top += _height(picture) + _GAP
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img">',
        f"<title>{_safe(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="p" width="{WIDTH}" height="{top}" rx="6"/>',
        _text(16, 24, title, "t"),
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _height(picture: Picture) -> int:
    if isinstance(picture, Trace):
        return _PLOT_TOP + _TRACE_HIGH + 46
    return _PLOT_TOP + _BOX_HIGH * len(picture.boxes) + (42 if _legend(picture) else 24)


def _trace(trace: Trace) -> Iterator[str]:
    scale, bottom = scale_over(trace.numbers()), _PLOT_TOP + _TRACE_HIGH
    yield _text(16, 18, trace.title)
    for tick in scale.ticks(5):
        y = _down(scale, tick)
        yield _line((_LEFT, y), (WIDTH - _RIGHT, y), "g")
        yield _text(_LEFT - 8, y + 4, brief(tick), anchor="end")
    yield from _band(trace, scale)
    if trace.began is not None:
        x = _along(trace, trace.began)
        yield _line((x, _PLOT_TOP), (x, bottom), "n")
        side = "end" if x > WIDTH / 2 else "start"
        at = x - 6 if side == "end" else x + 6
        yield _text(at, _PLOT_TOP + 12, "most likely began here", "nt", side)
    yield from (f'<path class="c" d="{path}"/>' for path in _paths(trace, scale))
    yield from _mark_of(trace, scale)
    yield _line((_LEFT, bottom), (WIDTH - _RIGHT, bottom), "a")
    yield _text(_LEFT, bottom + 18, trace.first)
    yield _text(WIDTH - _RIGHT, bottom + 18, trace.last, anchor="end")
    if trace.band is not None:
        words = f"{brief(trace.band.low)} to {brief(trace.band.high)}: {trace.band.label}"
        yield f'<rect class="b" x="{_LEFT}" y="{bottom + 28}" width="14" height="12"/>'
        yield _text(_LEFT + 20, bottom + 38, words)


def _band(trace: Trace, scale: Scale) -> Iterator[str]:
    if trace.band is None:
        return
    top, low = _down(scale, trace.band.high), _down(scale, trace.band.low)
    width = WIDTH - _LEFT - _RIGHT
    yield (f'<rect class="b" x="{_LEFT}" y="{_n(top)}" width="{width}" height="{_n(low - top)}"/>')
    for y in (top, low):
        yield _line((_LEFT, y), (WIDTH - _RIGHT, y), "be")


def _paths(trace: Trace, scale: Scale) -> Iterator[str]:
    """A path for each stretch of values without a gap; a single value is a line of no length."""
    stretch: list[str] = []
    for number, value in enumerate((*trace.values, None)):
        if value is not None:
            stretch.append(f"{_n(_along(trace, number))} {_n(_down(scale, value))}")
        elif stretch:
            yield "M" + "L".join(stretch)
            stretch = []


def _mark_of(trace: Trace, scale: Scale) -> Iterator[str]:
    value = trace.values[trace.mark] if trace.mark is not None else None
    if trace.mark is not None and value is not None:
        yield _diamond(_along(trace, trace.mark), _down(scale, value), trace.severity, brief(value))


def _boxes(picture: Boxes) -> Iterator[str]:
    scale = scale_over(picture.numbers())
    bottom = _PLOT_TOP + _BOX_HIGH * len(picture.boxes)
    longest = max((len(box.label) for box in picture.boxes), default=0)
    left = min(260, max(_LEFT, 24 + 7 * longest))

    def across(value: float) -> float:
        return left + scale.place(value) * (WIDTH - _RIGHT - left)

    yield _text(16, 18, picture.title)
    for tick in scale.ticks(6):
        yield _line((across(tick), _PLOT_TOP), (across(tick), bottom), "g")
        yield _text(across(tick), bottom + 16, brief(tick), anchor="middle")
    for number, box in enumerate(picture.boxes):
        y = _PLOT_TOP + _BOX_HIGH * (number + 0.5)
        yield _text(left - 10, y + 4, shortened(box.label, 34), anchor="end")
        yield from _box(box, y, across, picture.severity)
    if legend := _legend(picture):
        yield _text(16, bottom + 36, legend)


def _legend(picture: Boxes) -> str:
    signs = zip(_SIGNS, picture.parts, strict=True)
    return ", ".join(f"{sign}: {part}" for sign, part in signs if part)


def _box(box: Box, y: float, across: Callable[[float], float], severity: str) -> Iterator[str]:
    low, high = across(box.low), across(box.high)
    yield _line((low, y), (high, y), "w")
    for end in (low, high):
        yield _line((end, y - 7), (end, y + 7), "w")
    if box.inner is not None:
        begin, width = across(box.inner[0]), across(box.inner[1]) - across(box.inner[0])
        yield (
            f'<rect class="in" x="{_n(begin)}" y="{_n(y - 9)}" width="{_n(width)}" height="18"/>'
        )
    if box.middle is not None:
        yield _line((across(box.middle), y - 9), (across(box.middle), y + 9), "m")
    if box.mark is not None:
        yield _diamond(across(box.mark), y, severity, brief(box.mark))


def _diamond(x: float, y: float, severity: str, said: str) -> str:
    """A lozenge in the severity's colour; pointing at it tells the value."""
    colour = severity if severity in ("low", "medium", "high", "critical") else "medium"
    return (
        f'<path class="d" style="fill:var(--{colour})" d="M{_n(x)} {_n(y - 7)}l7 7l-7 7l-7 -7z">'
        f"<title>{_safe(said)}</title></path>"
    )


def _along(trace: Trace, at: int) -> float:
    return _LEFT + at / max(1, len(trace.values) - 1) * (WIDTH - _LEFT - _RIGHT)


def _down(scale: Scale, value: float) -> float:
    return _PLOT_TOP + (1.0 - scale.place(value)) * _TRACE_HIGH


def _line(start: tuple[float, float], end: tuple[float, float], style: str) -> str:
    ends = f'x1="{_n(start[0])}" y1="{_n(start[1])}" x2="{_n(end[0])}" y2="{_n(end[1])}"'
    return f'<line class="{style}" {ends}/>'


def _text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    kind = f' class="{style}"' if style else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    said = _safe(shortened(words, _LETTERS))
    return f'<text{kind} x="{_n(x)}" y="{_n(y)}"{side}>{said}</text>'


def _safe(words: str) -> str:
    return escape(printable(words), {'"': "&quot;"})


def _n(value: float) -> str:
    """A coordinate with at most one decimal, as short as can be."""
    return f"{value:.1f}".removesuffix(".0")
