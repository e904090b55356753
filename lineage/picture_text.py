"""A picture as text that other programs draw: Mermaid and Graphviz DOT."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from lineage.picture import Node, Picture
from lineage.render import printable

_COLOURS = {"producer": "#1a7f37", "gate": "#0969da", "worker": "#8250df", "finding": "#bc4c00"}
_FLAGGED = "#cf222e"


def render_mermaid(picture: Picture) -> str:
    """Write a Mermaid flowchart, a box for each layer; GitHub and many editors draw it.

    Borders carry the colours, so that it is legible on light and dark ground.
    """
    lines = [f"%% {printable(picture.title)}", "flowchart TD"]
    for layer, part in _by_layer(picture):
        named = [] if layer is None else [f'  subgraph layer_{layer} ["layer {layer}"]']
        lines += [*named, *(f"    {_box(n, node)}" for n, node in part), *["  end"] * len(named)]
    lines += [f"  n{parent} --> n{child}" for parent, child in picture.links]
    lines += [f"  n{newer} -. supersedes .-> n{older}" for newer, older in picture.replaced]
    for role, colour in _COLOURS.items():
        members = [n for n, node in enumerate(picture.nodes) if node.role == role]
        lines += _mermaid_class(role, f"stroke:{colour}", members)
    flagged = [n for n, node in enumerate(picture.nodes) if node.step.findings]
    lines += _mermaid_class("flagged", f"stroke:{_FLAGGED},stroke-width:3px", flagged)
    replaced = [n for n, node in enumerate(picture.nodes) if node.step.superseded_by]
    lines += _mermaid_class("superseded", "stroke-dasharray:4 3", replaced)
    asked = [n for n, node in enumerate(picture.nodes) if node.asked_for]
    lines += _mermaid_class("asked", "stroke-width:3px", asked)
    if picture.cut:
        lines.append(f'  cut["{_mermaid(picture.cut)}"]')
    return "\n".join(lines) + "\n"


def render_dot(picture: Picture) -> str:
    """Write a Graphviz digraph, a cluster for each layer."""
    lines = ["digraph lineage {", f"  label={_dot(picture.title + ' ' + picture.cut)};"]
    lines += ["  rankdir=TB; node [shape=box, style=rounded, fontname=sans];"]
    for layer, part in _by_layer(picture):
        named = layer is not None
        lines += [f'  subgraph cluster_{layer} {{ label="layer {layer}"; color=gray;'] * named
        lines += [f"    {_dot_node(n, node)}" for n, node in part]
        lines += ["  }"] * named
    lines += [f"  n{parent} -> n{child};" for parent, child in picture.links]
    lines += [
        f"  n{newer} -> n{older} [style=dashed, label=supersedes, constraint=false];"
        for newer, older in picture.replaced
    ]
    return "\n".join([*lines, "}"]) + "\n"


def _by_layer(picture: Picture) -> Iterator[tuple[int | None, list[tuple[int, Node]]]]:
    def layer(pair: tuple[int, Node]) -> int:
        return -1 if pair[1].step.layer is None else pair[1].step.layer

    for number, part in groupby(sorted(enumerate(picture.nodes), key=layer), key=layer):
        yield (None if number < 0 else number), list(part)


def _lines(node: Node) -> list[str]:
    return [printable(line) for line in (*node.words(), node.marks()) if line]


def _box(number: int, node: Node) -> str:
    return f'n{number}["{"<br>".join(_mermaid(line) for line in _lines(node))}"]'


def _mermaid_class(name: str, style: str, members: Sequence[int]) -> Iterator[str]:
    if members:
        yield f"  classDef {name} {style}"
        yield f"  class {','.join(f'n{number}' for number in members)} {name}"


def _mermaid(words: str) -> str:
    """Write what Mermaid or HTML would read as its own by number."""
    return "".join(f"#{ord(c)};" if c in '"#&<>`;\\' else c for c in words)


def _dot_node(number: int, node: Node) -> str:
    colour = _FLAGGED if node.step.findings else _COLOURS[node.role]
    heavy = ", penwidth=3" if node.asked_for else ""
    label = _dot("\n".join(_lines(node)))
    dashed = ', style="rounded,dashed"' if node.step.superseded_by else ""
    return f'n{number} [label={label}, color="{colour}"{heavy}{dashed}];'


def _dot(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
