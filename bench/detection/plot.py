"""Draws curves one below the other with ticks for alarms, as SVG for light and dark screens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np

from detectors.values import Floats
from supervisor.plot.scale import Scale, brief, scale_over

WIDTH = 760
"""Width of every picture, in SVG's own units."""

_LEFT, _RIGHT, _TOP, _HIGH = 76, 24, 64, 150
_LINES = 12  # alarms up to which each has a line through the curves
_PIXELS = WIDTH - _LEFT - _RIGHT
_COLUMNS = _PIXELS // 2
_STYLE = """\
svg{--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--paper:#fff;--curve:#0969da;--score:#1b7c83;
--alarm:#cf222e;--known:#8250df}
@media(prefers-color-scheme:dark){svg{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--paper:#0d1117;
--curve:#58a6ff;--score:#39c5cf;--alarm:#ff7b72;--known:#bc8cff}}
text{font:12px system-ui,sans-serif;fill:var(--soft)}.t{font-size:13px;font-weight:600;
fill:var(--ink)}.p{fill:var(--paper)}.g{stroke:var(--line)}.a{stroke:var(--soft)}
.c,.s{fill:none;stroke:var(--curve);stroke-width:1.2;stroke-linejoin:round;
stroke-linecap:round}.s{stroke:var(--score)}
.b{fill:none;stroke:var(--curve);stroke-opacity:.35}.m{fill:none;stroke:var(--ink);
stroke-width:1.6}
.h{fill:none;stroke:var(--alarm);stroke-dasharray:5 3}.f{stroke:var(--alarm);stroke-width:1.5}
.v{stroke:var(--alarm);stroke-opacity:.45}.k{stroke:var(--known);stroke-width:1.5}
.n{stroke:var(--known);stroke-dasharray:4 3}.nt{fill:var(--known)}.ht{fill:var(--alarm)}"""


@dataclass(frozen=True)
class Curve:
    """``values``: float64 [n]; NaN is a gap. The rest likewise, or nothing.

    ``threshold``: what is an alarm to exceed. ``smooth``: drawn before values that are many.
    ``edge``: the share of the values at either end that may lie beyond the picture's edge.
    """

    title: str
    values: Floats
    threshold: Floats | None = None
    style: str = "c"
    smooth: Floats | None = None
    edge: float = 0.0


def render(
    title: str,
    curves: Sequence[Curve],
    alarms: Sequence[int],
    axis: str,
    known: Sequence[int] = (),
    change: int | None = None,
) -> str:
    """Return the text of the picture.

    ``alarms`` and ``known`` are rows; the latter are those that somebody labelled. ``axis`` says
    what a row is. At ``change`` something is known to change.
    """
    n = len(curves[0].values)
    top = _TOP + (20 if len(known) else 0)
    parts = list(_ticks("alarms", alarms, n, 48, "f"))
    if len(known):
        parts += _ticks("labelled", known, n, 68, "k")
    bottom = top + len(curves) * (_HIGH + 42)
    if change is not None:
        x = _along(change, n)
        parts += [_line(x, top + 12, x, bottom - 16, "n")]
        parts += [_text(x - 6, top + 18, "the state changes here", "nt", "end")]
    if len(alarms) <= _LINES:
        parts += [_line(_along(a, n), top + 24, _along(a, n), bottom - 16, "v") for a in alarms]
    for number, curve in enumerate(curves):
        parts += _curve(curve, top + number * (_HIGH + 42))
    parts.append(_text(_LEFT, bottom, f"{axis} 0"))
    parts.append(_text(WIDTH - _RIGHT, bottom, f"{axis} {n - 1:,}", anchor="end"))
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 12}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="p" width="{WIDTH}" height="{bottom + 12}" rx="6"/>',
        _text(16, 24, title, "t"),
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _curve(curve: Curve, top: int) -> Iterator[str]:
    finite = curve.values[np.isfinite(curve.values)]
    known = [np.quantile(finite, (curve.edge, 1.0 - curve.edge))]
    if curve.threshold is not None:
        known.append(curve.threshold[np.isfinite(curve.threshold)])
    scale, low = scale_over(np.concatenate(known).tolist()), top + 26 + _HIGH
    yield _text(_LEFT, top + 18, curve.title)
    for tick in scale.ticks(4):
        y = _down(scale, tick, top)
        yield _line(_LEFT, y, WIDTH - _RIGHT, y, "g")
        yield _text(_LEFT - 8, y + 4, brief(tick), anchor="end")
    lines = [(curve.values, curve.style if curve.smooth is None else "b")]
    lines += [(curve.smooth, "m")] if curve.smooth is not None else []
    for values, style in lines:
        yield from (f'<path class="{style}" d="{d}"/>' for d in _paths(values, scale, top))
    if curve.threshold is not None:
        yield from (f'<path class="h" d="{d}"/>' for d in _paths(curve.threshold, scale, top))
    yield _line(_LEFT, low, WIDTH - _RIGHT, low, "a")


def _paths(values: Floats, scale: Scale, top: int) -> Iterator[str]:
    """A path for each stretch without a gap, through the extremes of what a column covers."""
    stretch: list[tuple[str, str]] = []
    for x, ends in _by_column(values):
        for value in dict.fromkeys(ends):
            point = _n(x), _n(_down(scale, value, top))
            if len(stretch) > 1 and stretch[-1][1] == stretch[-2][1] == point[1]:
                stretch.pop()  # a level line needs its ends alone
            stretch.append(point)
        if not ends and stretch:
            yield _path(stretch)
            stretch = []
    if stretch:
        yield _path(stretch)


def _path(points: Sequence[tuple[str, str]]) -> str:
    # A point alone is a line of no length, whose round ends make it a dot.
    return "M" + "L".join(f"{x} {y}" for x, y in points) + ("h0" if len(points) == 1 else "")


def _by_column(values: Floats) -> Iterator[tuple[float, tuple[float, ...]]]:
    """Where each column is, and the least and the greatest value in it, in their order."""
    n = len(values)
    place = (np.arange(n) * min(n, _COLUMNS)) // n
    for part in np.split(np.arange(n), np.flatnonzero(np.diff(place)) + 1):
        there = values[part][np.isfinite(values[part])]
        ends: tuple[float, ...] = ()
        if len(there):
            ends = float(there.min()), float(there.max())
            ends = ends if there.argmin() <= there.argmax() else ends[::-1]
        yield _along(int(part[0]), n), ends


def _ticks(label: str, rows: Sequence[int], n: int, y: int, style: str) -> Iterator[str]:
    yield _text(_LEFT - 8, y, label, anchor="end")
    yield _line(_LEFT, y - 4, WIDTH - _RIGHT, y - 4, "g")
    yield from (_line(_along(row, n), y - 10, _along(row, n), y + 2, style) for row in rows)


def _along(row: int, n: int) -> float:
    return _LEFT + row / max(1, n - 1) * _PIXELS


def _down(scale: Scale, value: float, top: int) -> float:
    return top + 26 + (1.0 - scale.place(value)) * _HIGH


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
    return f'<line class="{style}" {ends}/>'


def _text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    kind = f' class="{style}"' if style else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{kind} x="{_n(x)}" y="{_n(y)}"{side}>{escape(words)}</text>'


def _n(value: float) -> str:
    """A coordinate with at most one decimal, as short as can be."""
    return f"{value:.1f}".removesuffix(".0")
