"""A picture as SVG: one file without scripts, fonts or links, for light and dark screens alike.

Colours follow what the reader's system prefers. Every node has all that is known of it as a
title, for pointers and screen readers.
"""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from lineage.picture import Node, Picture
from lineage.picture_layout import (
    BAND_LABEL,
    NODE_HEIGHT,
    NODE_WIDTH,
    Band,
    Layout,
    Point,
    lay_out,
)
from lineage.render import describe, printable

ROLES = {
    "producer": "published by a producer",
    "gate": "passed by a gate",
    "worker": "made by a worker",
    "finding": "tells of an anomaly or a drift",
}
"""What the colours mean."""

_HEAD, _FOOT = 42, 34
_LETTERS, _BOLD_LETTERS = 30, 27  # that fit into a node
STYLE = """\
.lineage{--ink:#1f2328;--soft:#59636e;--line:#818b98;--paper:#fff;--band:#f3f5f8;--box:#fff;
--producer:#1a7f37;--gate:#0969da;--worker:#8250df;--finding:#bc4c00;--flag:#cf222e;
--asked:#fff8c5}
@media(prefers-color-scheme:dark){.lineage{--ink:#e6edf3;--soft:#9198a1;--line:#6e7681;
--paper:#0d1117;--band:#161b22;--box:#21262d;--producer:#3fb950;--gate:#58a6ff;--worker:#bc8cff;
--finding:#f0883e;--flag:#ff7b72;--asked:#3a3000}}
.lineage text{font:12px ui-sans-serif,system-ui,sans-serif;fill:var(--soft)}
.lineage .t{font-size:16px;font-weight:600;fill:var(--ink)}
.lineage .n{font-size:13px;font-weight:600;fill:var(--ink)}
.lineage .w{fill:var(--ink)}.lineage .f{fill:var(--flag);font-weight:600}
.lineage .p{fill:var(--paper)}.lineage .band{fill:var(--band)}
.lineage .box{fill:var(--box);stroke:var(--line)}
.lineage .asked .box{fill:var(--asked);stroke:var(--ink);stroke-width:2}
.lineage .flagged .box{stroke:var(--flag);stroke-width:2}
.lineage .superseded .box{stroke-dasharray:5 4}.lineage .superseded .n{text-decoration:line-through}
.lineage .s{fill:var(--ink);font-weight:600}
.lineage .r{fill:none;stroke:var(--ink);stroke-width:1.4;stroke-dasharray:5 4}
.lineage .l{fill:none;stroke:var(--line);stroke-width:1.4}.lineage .tip{fill:var(--line)}
.lineage .producer{fill:var(--producer)}.lineage .gate{fill:var(--gate)}
.lineage .worker{fill:var(--worker)}.lineage .finding{fill:var(--finding)}"""
"""How a drawing looks; a page that shows it without its own style needs this one."""


def render_svg(picture: Picture) -> str:
    """Draw a picture; the same picture gives the same text."""
    layout = lay_out(picture)
    width = max(layout.width, 640)
    height = layout.height + _HEAD + _FOOT
    shift = (width - layout.width) / 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="lineage" role="img" '
            f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">',
            f"<title>{_safe(picture.title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="p" width="{width:g}" height="{height:g}"/>',
            _text(16, 27, picture.title, "t", int((width - 32) / 9.5)),
            f'<g transform="translate(0 {_HEAD})">',
            *(_band(band, width) for band in layout.bands),
            f'<g transform="translate({shift:g} 0)">',
            *_drawing(picture, layout),
            "</g></g>",
            *_legend(picture, height - 12, width),
            "</svg>\n",
        ]
    )


def _drawing(picture: Picture, layout: Layout) -> Iterator[str]:
    """Links first, so that the nodes stand before them."""
    yield from (_link(route) for route in layout.routes)
    yield from (_replaced(picture, layout, pair) for pair in picture.replaced)
    for node, corner in zip(picture.nodes, layout.corners, strict=True):
        yield from _node(node, corner)


def _band(band: Band, width: float) -> str:
    box = f'<rect class="band" x="6" y="{band.top + 4:g}" width="{width - 12:g}" '
    box += f'height="{band.bottom - band.top - 8:g}" rx="8"/>'
    return box + _text(18, (band.top + band.bottom) / 2 + 4, band.label)


def _link(route: Sequence[Point]) -> str:
    """A curve through the points, upright at each of them, with an arrow at its end."""
    (x, y), *rest = route
    path = f"M{x:g} {y:g}"
    for to_x, to_y in rest:
        middle = (y + to_y) / 2
        path += f"C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {to_y:g}"
        x, y = to_x, to_y
    tip = f"M{x:g} {y:g}l-4 -8h8z"
    return f'<path class="l" d="{path}"/><path class="tip" d="{tip}"/>'


def _replaced(picture: Picture, layout: Layout, pair: tuple[int, int]) -> str:
    """A dashed line between a message and the one whose place it took."""
    ends = sorted((layout.corners[n] for n in pair), key=lambda corner: corner[0])
    (x, y), (to_x, to_y) = ends
    beside = to_x > x
    x, to_x = (x + NODE_WIDTH, to_x) if beside else (x + 6, to_x + 6)
    y, to_y = y + NODE_HEIGHT / 2, to_y + NODE_HEIGHT / 2
    newer, older = (picture.nodes[n].step.uid for n in pair)
    title = f"<title>{_safe(f'{newer} supersedes {older}')}</title>"
    return f'<path class="r" d="M{x:g} {y:g}L{to_x:g} {to_y:g}">{title}</path>'


def _node(node: Node, corner: Point) -> Iterator[str]:
    x, y = corner
    marks = ["node", *["asked"] * node.asked_for, *["flagged"] * bool(node.step.findings)]
    marks += ["superseded"] * bool(node.step.superseded_by)
    uid = quoteattr(printable(node.step.uid))
    yield f"<g class={quoteattr(' '.join(marks))} data-uid={uid}>"
    yield f"<title>{_safe(describe(node.step))}</title>"
    if node.count > 1:
        yield _box(x + 5, y + 5)
    yield _box(x, y)
    yield (
        f'<rect class="{node.role}" x="{x + 1:g}" y="{y + 8:g}" width="5" '
        f'height="{NODE_HEIGHT - 16}" rx="2"/>'
    )
    name, *lines = node.words()
    yield _text(x + 15, y + 20, name, "n", _BOLD_LETTERS)
    for number, line in enumerate(lines):
        yield _text(x + 15, y + 37 + 16 * number, line, "w" if number == 0 else "", _LETTERS)
    yield _text(x + 15, y + 85, node.marks(), "f" if node.step.findings else "s", _BOLD_LETTERS)
    yield "</g>"


def _box(x: float, y: float) -> str:
    return (
        f'<rect class="box" x="{x:g}" y="{y:g}" width="{NODE_WIDTH}" '
        f'height="{NODE_HEIGHT}" rx="7"/>'
    )


def _legend(picture: Picture, y: float, width: float) -> Iterator[str]:
    x = float(BAND_LABEL + 12)
    there = {node.role for node in picture.nodes}
    for role, meaning in ROLES.items():
        if role in there:
            yield f'<rect class="{role}" x="{x:g}" y="{y - 10:g}" width="10" height="10" rx="2"/>'
            yield _text(x + 15, y, meaning)
            x += 30 + 6.4 * len(meaning)
    if picture.cut:
        yield _text(16, y - 16, picture.cut, "f")


def _text(x: float, y: float, words: str, kind: str = "", most: int = 0) -> str:
    if not words:
        return ""
    shown = words if not most or len(words) <= most else f"{words[: most - 1]}…"
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:g}" y="{y:g}">{_safe(shown)}</text>'


def _safe(words: str) -> str:
    return escape("\n".join(printable(line) for line in words.split("\n")))
