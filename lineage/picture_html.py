"""A picture as one HTML page: the drawing, and below it every message that it shows in words."""

from collections.abc import Iterator
from html import escape

from lineage.picture import Node, Picture
from lineage.picture_svg import render_svg
from lineage.render import finding_words, made_by, printable

_STYLE = """\
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;
--paper:#0d1117}}
body{margin:0;padding:16px;background:var(--paper);color:var(--ink);
font:14px/1.45 ui-sans-serif,system-ui,sans-serif}
.drawing{overflow-x:auto}.drawing svg{display:block;margin:auto}
table{border-collapse:collapse;margin:20px 0}caption{text-align:left;font-weight:600}
th{text-align:left;color:var(--soft);font-weight:600}
th,td{padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child{white-space:nowrap;font-family:ui-monospace,monospace;font-size:13px}
.scroll{overflow-x:auto}"""

_COLUMNS = ("message", "made by", "tenant and classification", "findings", "place")


def render_html(picture: Picture) -> str:
    """Write a picture as a page that needs nothing else: no script, no link, no font."""
    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    rows = "\n".join(_row(node) for node in picture.nodes)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{_safe(picture.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<div class="drawing">
{render_svg(picture)}</div>
<div class="scroll"><table>
<caption>Every message of the picture, the sources first</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
</body>
</html>
"""


def _row(node: Node) -> str:
    return f"<tr>{''.join(f'<td>{_safe(cell)}</td>' for cell in _cells(node))}</tr>"


def _cells(node: Node) -> Iterator[str]:
    step = node.step
    yield f"{step.uid} and {node.count - 1} more" if node.count > 1 else step.uid
    yield made_by(step)
    yield " ".join(word for word in (step.tenant, step.classification) if word)
    yield " ".join(finding_words(found) for found in step.findings)
    yield node.places()


def _safe(words: str) -> str:
    return escape(printable(words))
