"""Where the nodes of a picture stand: a row for each step of a layer, the sources on top.

Rows follow the layers of the streams, and within a layer the derivations. The order within a row
is that of neighbours' mean places (Sugiyama, Tagawa and Toda 1981), swept a few times. A link over
several rows gets a place in each of them, so that it goes around what stands there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lineage.picture import Node, Picture

NODE_WIDTH, NODE_HEIGHT = 236, 92
GAP, ROW_GAP, BAND_LABEL, MARGIN = 22, 40, 74, 16
_PASSING = 14  # room for a link that passes through a row
_SWEEPS = 6

Point = tuple[float, float]
_Place = tuple[int, int, int]  # row, node or -1, link or -1


@dataclass(frozen=True, slots=True)
class Band:
    """Neighbouring rows of one layer, from ``top`` to ``bottom``."""

    label: str
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Left upper corners of the nodes and the points that each link goes through."""

    width: float
    height: float
    corners: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    bands: tuple[Band, ...]


def lay_out(picture: Picture) -> Layout:
    """Find a place for every node and a way for every link."""
    layers = _layers(picture)
    rows = _rows(picture, layers)
    chains = [_chain(number, link, rows) for number, link in enumerate(picture.links)]
    ordered = _ordered(picture.nodes, rows, chains)
    width = max(_breadth(row) for row in ordered) + BAND_LABEL + 2 * MARGIN
    centres = {place: x for row in ordered for place, x in _spread(row, width)}
    tops = [MARGIN + row * (NODE_HEIGHT + ROW_GAP) for row in range(len(ordered))]
    corners = [
        (centres[rows[n], n, -1] - NODE_WIDTH / 2, tops[rows[n]]) for n in range(len(picture.nodes))
    ]
    return Layout(
        width=width,
        height=tops[-1] + NODE_HEIGHT + MARGIN,
        corners=tuple(corners),
        routes=tuple(_route(chain, centres, tops) for chain in chains),
        bands=tuple(_bands(picture.nodes, layers, rows, tops)),
    )


def _layers(picture: Picture) -> list[int]:
    """Each node's layer; one whose stream has none stands with what it was made from."""
    parents, children = _around(picture)
    known = {n: node.step.layer for n, node in enumerate(picture.nodes)}
    for n in known:
        if known[n] is None:
            known[n] = _most(known, parents[n])
    for n in reversed(list(known)):
        if known[n] is None:
            known[n] = _most(known, children[n])
    return [layer or 0 for layer in known.values()]


def _most(known: Mapping[int, int | None], near: Iterable[int]) -> int | None:
    return max((layer for n in near if (layer := known[n]) is not None), default=None)


def _rows(picture: Picture, layers: Sequence[int]) -> list[int]:
    """Each node's row, counted from 0: by layer, then by derivations within the layer."""
    parents, _ = _around(picture)
    steps = [0] * len(layers)
    for n in range(len(layers)):  # what comes earlier in the picture is never made from later
        alike = [steps[p] + 1 for p in parents[n] if p < n and layers[p] == layers[n]]
        steps[n] = max(alike, default=0)
    pairs = list(zip(layers, steps, strict=True))
    numbers = {pair: row for row, pair in enumerate(sorted(set(pairs)))}
    return [numbers[pair] for pair in pairs]


def _around(picture: Picture) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    parents: dict[int, list[int]] = defaultdict(list)
    children: dict[int, list[int]] = defaultdict(list)
    for parent, child in picture.links:
        parents[child].append(parent)
        children[parent].append(child)
    return parents, children


def _chain(number: int, link: tuple[int, int], rows: Sequence[int]) -> list[_Place]:
    """The places that a link goes through, its two ends included."""
    start, end = link
    way = 1 if rows[end] >= rows[start] else -1
    between = range(rows[start] + way, rows[end], way)
    passed = [(row, -1, number) for row in between]
    return [(rows[start], start, -1), *passed, (rows[end], end, -1)]


def _ordered(
    nodes: Sequence[Node], rows: Sequence[int], chains: Sequence[Sequence[_Place]]
) -> list[list[_Place]]:
    ordered: list[list[_Place]] = [[] for _ in range(max(rows) + 1)]
    for n in range(len(nodes)):
        ordered[rows[n]].append((rows[n], n, -1))
    near: dict[_Place, list[_Place]] = defaultdict(list)
    for chain in chains:
        for place in chain[1:-1]:
            ordered[place[0]].append(place)
        for one, other in pairwise(chain):
            near[one].append(other)
            near[other].append(one)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in ordered if down else reversed(ordered):
            _sort(row, near, ordered, -1 if down else 1)
    return ordered


def _sort(
    row: list[_Place],
    near: Mapping[_Place, Sequence[_Place]],
    ordered: Sequence[Sequence[_Place]],
    side: int,
) -> None:
    """Put a row into the order of the mean places of its neighbours on one side."""
    at = row[0][0] + side
    if not 0 <= at < len(ordered):
        return
    where = {place: (n + 0.5) / len(ordered[at]) for n, place in enumerate(ordered[at])}
    own = {place: (n + 0.5) / len(row) for n, place in enumerate(row)}

    def mean(place: _Place) -> float:
        found = [where[other] for other in near.get(place, ()) if other in where]
        return sum(found) / len(found) if found else own[place]

    row.sort(key=mean)


def _breadth(row: Sequence[_Place]) -> float:
    return sum(_wide(place) + GAP for place in row) - GAP


def _wide(place: _Place) -> int:
    return NODE_WIDTH if place[1] >= 0 else _PASSING


def _spread(row: Sequence[_Place], width: float) -> list[tuple[_Place, float]]:
    """The places of a row with their centres, the row in the middle of the picture."""
    x = BAND_LABEL + MARGIN + (width - BAND_LABEL - 2 * MARGIN - _breadth(row)) / 2
    found = []
    for place in row:
        found.append((place, x + _wide(place) / 2))
        x += _wide(place) + GAP
    return found


def _route(
    chain: Sequence[_Place], centres: Mapping[_Place, float], tops: Sequence[float]
) -> tuple[Point, ...]:
    """From the lower edge of the first node through the rows between to the upper edge."""
    points = [(centres[chain[0]], tops[chain[0][0]] + NODE_HEIGHT)]
    for place in chain[1:-1]:
        ends = (tops[place[0]], tops[place[0]] + NODE_HEIGHT)
        downwards = chain[-1][0] > chain[0][0]
        points += [(centres[place], y) for y in (ends if downwards else ends[::-1])]
    return (*points, (centres[chain[-1]], tops[chain[-1][0]]))


def _bands(
    nodes: Sequence[Node], layers: Sequence[int], rows: Sequence[int], tops: Sequence[float]
) -> list[Band]:
    told = {layers[n] for n, node in enumerate(nodes) if node.step.layer is not None}
    found = []
    for layer in sorted(set(layers)):
        own = [row for n, row in enumerate(rows) if layers[n] == layer]
        label = f"layer {layer}" if layer in told else ""
        top, bottom = tops[min(own)] - ROW_GAP / 2, tops[max(own)] + NODE_HEIGHT + ROW_GAP / 2
        found.append(Band(label, top, bottom))
    return found
