"""What a picture shows, where it stands, and that what is drawn is well formed and safe."""

import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from lineage.model import StampedRecord
from lineage.picture import Picture, picture_of
from lineage.picture_html import render_html
from lineage.picture_layout import GAP, NODE_HEIGHT, NODE_WIDTH, lay_out
from lineage.picture_svg import render_svg
from lineage.picture_text import render_dot, render_mermaid
from lineage.store import open_store
from lineage.trace import fetch
from tests.servers.lineage_oracle import Oracle
from tests.servers.lineage_records import LAYERS, commit, histories, output
from tests.servers.lineage_story import DECISION, READING, story
from tests.servers.lineage_story import LAYERS as STORY_LAYERS

RENDERERS = [render_svg, render_html, render_mermaid, render_dot]


def _picture(uid: str, *records: StampedRecord, direction: Any = "up", most: int = 60) -> Picture:
    with open_store("sqlite::memory:", LAYERS | STORY_LAYERS) as store:
        store.write(records)
        return picture_of(fetch(store, uid, direction), most)


def test_a_crowd_is_one_node_and_flagged_messages_stand_alone() -> None:
    picture = _picture(DECISION, *story())
    crowds = [(node.step.stream, node.count) for node in picture.nodes if node.count > 1]
    assert crowds == [("L3_IN", 204), ("L3", 204)]
    assert [node.flags() for node in picture.nodes if node.step.findings] == [
        "anomaly high", "anomaly high", "rejection high",
    ]  # fmt: skip
    assert [node.step.uid for node in picture.nodes if node.asked_for] == [DECISION]
    assert "published by 2 producers" in picture.nodes[0].words()
    assert picture.cut == ""


def test_a_bound_keeps_the_nearest_and_says_what_is_left_out() -> None:
    picture = _picture(DECISION, *story(), most=3)
    assert [node.step.stream for node in picture.nodes] == ["L8", "L9_IN", "L9"]
    assert picture.links == ((0, 1), (1, 2))
    assert picture.cut == f"{picture.left_out} messages farther away are not shown."
    for render in RENDERERS:
        assert picture.cut in render(picture)


def test_rows_follow_the_layers_and_then_the_derivations() -> None:
    picture = _picture(DECISION, *story())
    layout = lay_out(picture)
    tops = {n.step.uid: y for n, (_, y) in zip(picture.nodes, layout.corners, strict=True)}
    in_order = sorted(tops, key=lambda uid: tops[uid])
    assert in_order[-1] == DECISION
    assert [band.label for band in layout.bands] == ["layer 3", "layer 4", "layer 8", "layer 9"]
    for parent, child in picture.links:
        assert layout.corners[parent][1] < layout.corners[child][1]


def test_a_stream_without_a_layer_stands_with_what_it_was_made_from() -> None:
    layout = lay_out(_picture("SHRINK/6-0", commit(6, output("SHRINK", "L3/5-0"))))
    assert [band.label for band in layout.bands] == ["layer 3"]
    nowhere = lay_out(_picture("A/6-0", commit(6, output("A", "B/5-0"))))
    assert [band.label for band in nowhere.bands] == [""]


@settings(max_examples=40, deadline=None)
@given(records=histories())
def test_no_two_nodes_touch_and_every_link_ends_at_its_nodes(records: list[StampedRecord]) -> None:
    for uid in Oracle(records, LAYERS).uids[-2:]:
        picture = _picture(uid, *records)
        layout = lay_out(picture)
        for (ax, ay), (bx, by) in combinations(layout.corners, 2):
            assert abs(ax - bx) >= NODE_WIDTH + GAP - 1e-6 or abs(ay - by) >= NODE_HEIGHT
        for (parent, child), route in zip(picture.links, layout.routes, strict=True):
            px, py = layout.corners[parent]
            cx, cy = layout.corners[child]
            assert route[0] == pytest.approx((px + NODE_WIDTH / 2, py + NODE_HEIGHT))
            assert route[-1] == pytest.approx((cx + NODE_WIDTH / 2, cy))
        assert all(0 <= x <= layout.width - NODE_WIDTH for x, _ in layout.corners)
        ElementTree.fromstring(render_svg(picture))


def test_a_forged_circle_is_drawn() -> None:
    records = [commit(1, output("L3", "L3/2-0")), commit(2, output("L3", "L3/1-0"))]
    ElementTree.fromstring(render_svg(_picture("L3/1-0", *records)))


def _replayed(direction: Any) -> Picture:
    """A plan that a replay made anew of the same reading, and what came of the old one."""
    records = [
        commit(5, output("L4", "L3/1-0", tenant="acme"), worker="assess"),
        commit(6, output("L8", "L4/5-0", tenant="acme"), worker="hunt"),
        commit(9, output("L4", "L3/1-0", supersedes=("L4/5-0",)), worker="assess"),
    ]
    return _picture("L3/1-0" if direction == "down" else "L8/6-0", *records, direction=direction)


@pytest.mark.parametrize("render", RENDERERS)
def test_a_message_whose_place_was_taken_is_marked_in_every_format(render: Any) -> None:
    alone, both = render(_replayed("up")), render(_replayed("down"))
    assert "superseded by L4/9-0" in alone
    assert "superseded by L4/9-0" in both
    assert "supersedes L4/5-0" in both
    line = {
        render_mermaid: "n3 -. supersedes .-> n1",
        render_dot: "n3 -> n1 [style=dashed, label=supersedes, constraint=false]",
    }.get(render, "<title>L4/9-0 supersedes L4/5-0</title>")
    assert line in both
    assert line not in alone
    mark = {
        render_mermaid: "class n1 superseded",
        render_dot: 'style="rounded,dashed"',
    }.get(render, 'class="node superseded"')
    assert mark in alone


HOSTILE = "\x1b[2J</title><script>alert(1)</script>\"'&\\"


@pytest.mark.parametrize("render", RENDERERS)
def test_a_producers_name_is_text_and_nothing_else(render: Any) -> None:
    drawn = render(_picture("L3/5-0", commit(5, output("L3", "L3_IN/1-0", source=HOSTILE))))
    assert "\x1b" not in drawn
    assert "<script" not in drawn or render is render_dot  # no markup there, but a quoted text
    if render is render_svg:
        assert "alert(1)" in "".join(ElementTree.fromstring(drawn).itertext())
    if render is render_dot:
        assert "\\\"'&\\\\" in drawn
    if render is render_mermaid:
        assert re.search(r'n0\["[^"<]*(<br>[^"<]*)*"\]', drawn)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_svg_and_html_need_nothing_else(direction: str) -> None:
    uid = DECISION if direction == "up" else READING
    page = render_html(_picture(uid, *story(), direction=direction))
    assert not re.search(r"(\bsrc=|href=|@import|url\()", page)
    assert "prefers-color-scheme:dark" in page
    assert page.count("<title>") >= 2


def test_the_same_picture_gives_the_same_text() -> None:
    assert render_svg(_picture(DECISION, *story())) == render_svg(
        _picture(DECISION, *reversed(story()))
    )


def test_mermaid_and_dot_name_every_node_and_link() -> None:
    picture = _picture(READING, *story(), direction="down")
    mermaid, dot = render_mermaid(picture), render_dot(picture)
    for parent, child in picture.links:
        assert f"  n{parent} --> n{child}\n" in mermaid
        assert f"  n{parent} -> n{child};\n" in dot
    assert mermaid.count("subgraph layer_") == dot.count("subgraph cluster_") == 4
    assert mermaid.startswith(f"%% What was made from {READING}\nflowchart TD\n")
