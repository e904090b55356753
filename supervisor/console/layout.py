"""Where the nodes of the topology stand, and the ways of its edges, in the units of an SVG.

Columns come from the graph. Within a column a node stands as near to the mean of those before it
as the others let it (least squares under a least distance, by pooling adjacent violators), so a
chain of single steps is a straight row. What goes round to a gate once more runs below its row to
the left margin; rejects share one line down to their stream.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from supervisor.console.graph import Graph, Link, Node

WIDTHS = {"stream": 140, "worker": 104}
HEIGHT, PITCH = 42, 66
_GAPS = {"stream": 58, "worker": 104}  # before a column of these; words stand before workers
_MARGIN, _TOP, _LANE, _CORNER = 16, 20, 9, 7
_APART, _SPAN = 15.0, 34.0  # of the ends of links at a node, between which words stand
_STRAIGHT = 20.0  # how much more a node with one forerunner clings to its row

Point = tuple[float, float]


class Ports(NamedTuple):
    """The heights at which a link leaves its start and reaches its end, there perhaps the last."""

    leaves: float
    reaches: float
    lowest: bool

    @property
    def words(self) -> float:
        """The height of the words before the end: where the link does not come from."""
        return self.reaches + (13 if self.lowest and self.leaves < self.reaches - 2 else -5)


@dataclass(frozen=True, slots=True)
class Spot:
    """A node and its left upper corner."""

    node: Node
    x: float
    y: float

    @property
    def width(self) -> int:
        """How wide it is."""
        return WIDTHS[self.node.sort]

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + HEIGHT / 2


@dataclass(frozen=True, slots=True)
class Route:
    """A link, its path, and where words about it may stand."""

    link: Link
    path: str
    at: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole drawing."""

    width: float
    height: float
    spots: tuple[Spot, ...]
    routes: tuple[Route, ...]

    def to_dict(self) -> dict[str, Any]:
        """What the page draws, by names."""
        return {
            "width": self.width,
            "height": self.height,
            "nodes": [
                {**asdict(s.node), "x": s.x, "y": s.y, "width": s.width, "height": HEIGHT}
                for s in self.spots
            ],
            "edges": [
                {**asdict(r.link), "path": r.path, "x": r.at[0], "y": r.at[1]} for r in self.routes
            ],
        }


def lay_out(graph: Graph) -> Layout:
    """Find a place for every node and a way for every link."""
    rounds = [link for link in graph.links if link.way == "again"]
    left = _MARGIN + _LANE * (len(rounds) + 1)
    rows = _rows(graph)
    lefts = _lefts(graph.nodes, left)
    spots = {
        node.id: Spot(node, lefts[node.column], _TOP + rows[node.id] * PITCH)
        for node in graph.nodes
    }
    ports = _ports(graph.links, spots)
    routes = [_route(link, spots, ports, rounds) for link in graph.links]
    most = max(lefts, default=0)
    return Layout(
        width=max((spot.x + spot.width for spot in spots.values()), default=most) + _MARGIN,
        height=max((spot.y for spot in spots.values()), default=0.0) + HEIGHT + _TOP,
        spots=tuple(spots.values()),
        routes=tuple(routes),
    )


def _lefts(nodes: Sequence[Node], left: float) -> dict[int, float]:
    """The left edge of each column."""
    found: dict[int, float] = {}
    for column in range(max((node.column for node in nodes), default=0) + 1):
        own = [node.sort for node in nodes if node.column == column]
        left += max((_GAPS[sort] for sort in own), default=0) if column else 0
        found[column] = left
        left += max((WIDTHS[sort] for sort in own), default=0)
    return found


def _rows(graph: Graph) -> dict[str, float]:
    """The row of each node, not always a whole number; 0 is the uppermost."""
    before: dict[str, list[str]] = defaultdict(list)
    for link in graph.links:
        if link.way in ("read", "write"):
            before[link.end].append(link.start)
    found: dict[str, float] = {}
    bottom = 0.0
    for column in range(max((node.column for node in graph.nodes), default=0) + 1):
        own = [node.id for node in graph.nodes if node.column == column]
        wish = {each: _wish(before[each], found, bottom) for each in own}
        if column == 0:
            wish = {each: float(row) for row, each in enumerate(own)}
        weight = {each: _STRAIGHT if len(before[each]) == 1 else 1.0 for each in own}
        own.sort(key=lambda each: (wish[each], -weight[each]))
        placed = spread([wish[each] for each in own], [weight[each] for each in own])
        found |= dict(zip(own, placed, strict=True))
        bottom = max([bottom, *placed])
    highest = min(found.values(), default=0.0)
    return {each: row - highest for each, row in found.items()}


def _wish(before: Sequence[str], rows: Mapping[str, float], bottom: float) -> float:
    known = [rows[each] for each in before if each in rows]
    return sum(known) / len(known) if known else bottom


def spread(wishes: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Rows at least 1 apart, in the order of the wishes, and as near to them as can be.

    >>> spread([0.0, 0.0, 5.0], [1.0, 1.0, 1.0])
    [-0.5, 0.5, 5.0]
    """
    pools: list[tuple[float, float, int]] = []  # mean of wish less place, weight, how many
    for place, (wish, weight) in enumerate(zip(wishes, weights, strict=True)):
        pool = (wish - place, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, many = pools.pop()
            whole = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / whole, whole, many + pool[2])
        pools.append(pool)
    offsets = [mean for mean, _, many in pools for _ in range(many)]
    return [offset + place for place, offset in enumerate(offsets)]


def _ports(links: Sequence[Link], spots: Mapping[str, Spot]) -> dict[str, Ports]:
    """Where each link leaves its start and reaches its end."""
    plain = [link for link in links if link.way in ("read", "write")]
    found: dict[str, list[float]] = {link.id: [0.0, 0.0] for link in links}
    lowest: set[str] = set()
    for side, other in ((0, 1), (1, 0)):
        groups: dict[str, list[Link]] = defaultdict(list)
        for link in plain:
            groups[(link.start, link.end)[side]].append(link)
        for node, own in groups.items():
            own.sort(key=lambda link: spots[(link.start, link.end)[other]].middle)
            for number, link in enumerate(own):
                apart = min(_APART, _SPAN / max(1, len(own) - 1))
                off = apart * (number - (len(own) - 1) / 2)
                found[link.id][side] = spots[node].middle + off
            lowest |= {own[-1].id} if side == 1 else set()
    return {each: Ports(out, into, each in lowest) for each, (out, into) in found.items()}


def _route(
    link: Link,
    spots: Mapping[str, Spot],
    ports: Mapping[str, Ports],
    rounds: Sequence[Link],
) -> Route:
    start, end = spots[link.start], spots[link.end]
    if link.way == "again":
        return Route(link, *_around(start, end, rounds.index(link) + 1, spots.values()))
    if link.way == "reject":
        x = start.x + start.width + _LANE
        points = [(start.x + start.width, start.middle + 9), (x, start.middle + 9)]
        points += [(x, end.middle), (end.x, end.middle)]
        return Route(link, angular(points), (x + 4, end.middle - 6))
    (from_y, to_y, _), from_x = ports[link.id], start.x + start.width
    middle = (from_x + end.x) / 2
    path = f"M{from_x:g} {from_y:.1f}C{middle:g} {from_y:.1f} {middle:g} {to_y:.1f} "
    return Route(link, f"{path}{end.x:g} {to_y:.1f}", (end.x - 8, ports[link.id].words))


def _around(start: Spot, end: Spot, lane: int, spots: Iterable[Spot]) -> tuple[str, Point]:
    """Down out of the start and before its column, left between two rows, and to the end."""
    x, below = start.x + start.width / 2, start.y + HEIGHT + 9
    before, out = start.x - 4 - _LANE * (lane % 3), _MARGIN + _LANE * (lane - 1)
    level = _between_rows(below, [spot for spot in spots if spot.x < start.x])
    points = [(x, start.y + HEIGHT), (x, below), (before, below), (before, level)]
    return angular([*points, (out, level), (out, end.middle), (end.x, end.middle)]), (
        before - 8,
        level - 5,
    )


def _between_rows(height: float, spots: Sequence[Spot]) -> float:
    """The first height from here on, downwards, that goes through none of the nodes."""
    for spot in sorted(spots, key=lambda spot: spot.y):
        if spot.y - _CORNER < height < spot.y + HEIGHT + _CORNER:
            height = spot.y + HEIGHT + (PITCH - HEIGHT) / 2
    return height


def angular(points: Sequence[Point]) -> str:
    """A path along upright and level lines, its corners rounded.

    >>> angular([(0, 0), (20, 0), (20, 30)])
    'M0 0L13 0Q20 0 20 7L20 30'
    """
    path = f"M{points[0][0]:g} {points[0][1]:g}"
    for before, (x, y), after in zip(points, points[1:], points[2:], strict=False):
        near, far = _toward((x, y), before), _toward((x, y), after)
        path += f"L{near[0]:g} {near[1]:g}Q{x:g} {y:g} {far[0]:g} {far[1]:g}"
    return f"{path}L{points[-1][0]:g} {points[-1][1]:g}"


def _toward(corner: Point, other: Point) -> Point:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(dx), abs(dy))
    part = min(_CORNER, length / 2) / length if length else 0.0
    return corner[0] + dx * part, corner[1] + dy * part
