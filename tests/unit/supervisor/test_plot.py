"""Pictures: what is drawn where, on a terminal and as SVG."""

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from supervisor.plot import Band, Box, Boxes, Picture, Trace
from supervisor.plot.scale import Scale, scale_over
from supervisor.plot.svg import render
from supervisor.plot.terminal import ROWS, draw

SVG = "{http://www.w3.org/2000/svg}"
SPIKE = Trace(
    "x: a spike",
    (*(0.0, 1.0) * 20, 9.0, *(0.0, 1.0) * 5),
    first="then",
    last="now",
    band=Band(0.0, 1.0, "usual"),
    mark=40,
    began=30,
    severity="high",
)
SAMPLES = Boxes(
    "x: two samples",
    (
        Box("baseline", 0.0, 10.0, (4.0, 6.0), 5.0, 5.5),
        Box("current", 10.0, 20.0, (14.0, 16.0), 15.0, 15.0),
    ),
    parts=("5 % to 95 %", "middle half", "median", "mean"),
)


def plain(picture: Picture, columns: int = 80) -> list[str]:
    return [line.plain for line in draw(picture, columns)]


def test_a_spike_is_marked_at_the_top_and_in_its_column() -> None:
    rows = plain(SPIKE)[1 : ROWS + 1]
    assert "◆" in rows[0]
    assert sum("◆" in row for row in rows) == 1
    gutter = rows[0].index("┤") if "┤" in rows[0] else rows[0].index("│")
    width = 80 - gutter - 1
    assert rows[0].index("◆") - gutter - 1 == round(40 / 50 * (width - 1))


def test_the_band_is_at_the_bottom_and_told_of_below() -> None:
    rows = plain(SPIKE)
    assert "░" in rows[ROWS]
    assert "░" not in rows[2]
    assert "░ 0 to 1: usual" in rows


def test_where_a_change_began_is_shown() -> None:
    rows = plain(SPIKE)
    assert all("┊" in row for row in rows[1:3])
    assert "┊ where the change most likely began" in rows


def test_the_ends_of_the_axis_are_named() -> None:
    assert any(row.strip().startswith("then") and row.endswith("now") for row in plain(SPIKE))


def test_boxes_of_samples_far_apart_do_not_overlap() -> None:
    _, before, now, *_ = plain(SAMPLES)
    assert before.startswith("baseline")
    assert before.rindex("┤") <= now.index("├") + 1
    assert before.index("├") < before.index("▒") < before.index("┃") < before.index("◆")


@pytest.mark.parametrize("columns", [40, 61, 80, 120])
@pytest.mark.parametrize("picture", [SPIKE, SAMPLES], ids=["trace", "boxes"])
def test_no_line_is_wider_than_the_screen(picture: Picture, columns: int) -> None:
    assert max(len(row) for row in plain(picture, columns)) <= columns


def test_colours_are_hints_only() -> None:
    for line in draw(SPIKE, 80):
        assert isinstance(line, Text)
        assert "\x1b" not in line.plain


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.none() | numbers, min_size=1, max_size=60), numbers, numbers)
def test_any_values_can_be_drawn(values: list[float | None], low: float, high: float) -> None:
    mark = next((at for at, value in enumerate(values) if value is not None), None)
    band = Band(min(low, high), max(low, high), "b")
    picture = Trace("t", tuple(values), band=band, mark=mark)
    assert len(draw(picture, 60)) >= ROWS
    ET.fromstring(render("t", [picture]))


@given(st.lists(numbers, max_size=5))
def test_a_scale_reaches_every_number(found: list[float]) -> None:
    scale = scale_over(found)
    assert scale.low < scale.high
    assert all(0.0 <= scale.place(number) <= 1.0 for number in found)
    assert scale.ticks(5)


def test_ticks_are_round_and_inside() -> None:
    assert Scale(0.0, 1.0).ticks(5) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(math.fmod(tick, 5.0) == 0.0 for tick in Scale(3.0, 31.0).ticks(6))


def test_an_svg_is_whole_and_needs_nothing_from_elsewhere() -> None:
    made = render("A & <B>", [SPIKE, SAMPLES])
    root = ET.fromstring(made)
    assert root.find(f"{SVG}title").text == "A & <B>"  # type: ignore[union-attr]
    assert "prefers-color-scheme:dark" in made
    for outside in ("href", "url(", "@import", "@font-face", "<script"):
        assert outside not in made
    assert len(made) < 12_000


def test_an_svg_has_the_mark_the_band_and_where_it_began() -> None:
    root = ET.fromstring(render("t", [SPIKE]))
    marks = [path for path in root.iter(f"{SVG}path") if path.get("class") == "d"]
    assert [mark.findtext(f"{SVG}title") for mark in marks] == ["9"]
    assert len(root.findall(f".//{SVG}rect[@class='b']")) == 2
    assert len(root.findall(f".//{SVG}line[@class='n']")) == 1


def test_nothing_a_producer_wrote_reaches_the_screen_raw() -> None:
    nasty = Trace("\x1b[31m</text>", (1.0, 2.0), band=Band(0.0, 1.0, "\x07"))
    assert "\x1b" not in "".join(plain(nasty))
    ET.fromstring(render("\x1b\x00", [nasty]))


def test_a_gap_breaks_the_curve() -> None:
    root = ET.fromstring(render("t", [Trace("t", (1.0, 2.0, None, 3.0, 4.0))]))
    assert len(root.findall(f".//{SVG}path[@class='c']")) == 2
