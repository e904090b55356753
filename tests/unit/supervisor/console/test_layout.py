"""The drawing of a topology: what stands where, and that nothing stands on anything else."""

import re
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topology import Topology
from schemas.topology_file import load_topology
from supervisor.console.graph import graph_of
from supervisor.console.layout import HEIGHT, Layout, Route, lay_out, spread
from tests.servers.pipeline import SMALL, topology_from
from tests.servers.supervised import PASSING

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def reference() -> Topology:
    return load_topology(ROOT / "streams.yaml")


def spots(layout: Layout) -> dict[str, tuple[float, float]]:
    return {spot.node.id: (spot.x, spot.y) for spot in layout.spots}


def test_every_stream_every_worker_and_every_way_is_drawn(reference: Topology) -> None:
    graph = graph_of(reference)
    names = {(node.sort, node.name) for node in graph.nodes}
    assert names == {("stream", s) for s in reference.streams} | {
        ("worker", w) for w in reference.workers
    }
    ends = {node.id for node in graph.nodes}
    assert all({link.start, link.end} <= ends for link in graph.links)
    assert len({link.id for link in graph.links}) == len(graph.links)


def test_a_gate_stands_once_for_each_route_and_what_it_gets_again_goes_round(
    reference: Topology,
) -> None:
    graph = graph_of(reference)
    gates = [node for node in graph.nodes if node.about == "gate"]
    assert len(gates) == 6
    again = {(link.worker, link.stream) for link in graph.links if link.way == "again"}
    assert again == {("assess", "L4_IN"), ("hunt", "L8_IN"), ("decide", "L9_IN")}
    rejects = [link for link in graph.links if link.way == "reject"]
    assert {link.stream for link in rejects} == {"SHRINK"}
    assert len(rejects) == 6


def test_a_route_is_a_row_from_left_to_right(reference: Topology) -> None:
    found = spots(lay_out(graph_of(reference)))
    for layer in (3, 4, 5, 7, 8, 9):
        row = [f"stream:L{layer}_IN", f"worker:gate/L{layer}_IN", f"stream:L{layer}"]
        places = [found[each] for each in row]
        assert len({y for _, y in places}) == 1
        assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert found["stream:L3"][0] < found["worker:drift"][0] < found["stream:DRIFT_EVENTS"][0]


@pytest.mark.parametrize("tree", [SMALL, PASSING, None], ids=["small", "passing", "reference"])
def test_no_node_stands_on_another_and_all_are_in_the_picture(
    tree: dict[str, Any] | None, reference: Topology, tmp_path: Path
) -> None:
    topology = reference if tree is None else topology_from(tree, tmp_path)
    layout = lay_out(graph_of(topology))
    for one, other in combinations(layout.spots, 2):
        apart = abs(one.y - other.y) >= HEIGHT or (
            one.x + one.width <= other.x or other.x + other.width <= one.x
        )
        assert apart, (one, other)
    for spot in layout.spots:
        assert 0 <= spot.x <= layout.width - spot.width
        assert 0 <= spot.y <= layout.height - HEIGHT


def test_words_about_the_inputs_of_a_worker_have_room_and_stand_aside_of_their_way(
    reference: Topology,
) -> None:
    inputs: dict[str, list[Route]] = {}
    for route in lay_out(graph_of(reference)).routes:
        if route.link.way == "read":
            inputs.setdefault(route.link.end, []).append(route)
    assert max(map(len, inputs.values())) == 3
    sides = set()
    for routes in inputs.values():
        routes.sort(key=lambda route: heights(route.path)[1])
        ends = [heights(route.path)[1] for route in routes]
        assert all(low - high >= 14 for high, low in pairwise(ends))
        leaves, reaches = heights(routes[-1].path)
        below = routes[-1].at[1] > reaches
        assert below == (leaves < reaches - 2), "words stand where the way does not come from"
        assert all(route.at[1] < end for route, end in zip(routes[:-1], ends, strict=False))
        sides.add(below)
    assert sides == {True, False}


def heights(path: str) -> tuple[float, float]:
    """Where a curve begins and ends."""
    numbers = [float(each) for each in re.findall(r"[\d.]+", path)]
    return numbers[1], numbers[-1]


def test_the_same_topology_is_drawn_alike(reference: Topology) -> None:
    assert lay_out(graph_of(reference)).to_dict() == lay_out(graph_of(reference)).to_dict()


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.sampled_from([1.0, 20.0])), min_size=1, max_size=12)
)
def test_rows_keep_their_order_and_their_distance(wanted: list[tuple[float, float]]) -> None:
    wanted.sort()
    placed = spread([wish for wish, _ in wanted], [weight for _, weight in wanted])
    assert all(after - before >= 1.0 - 1e-9 for before, after in pairwise(placed))
    if all(after[0] - before[0] >= 1.0 for before, after in pairwise(wanted)):
        assert placed == pytest.approx([wish for wish, _ in wanted])
