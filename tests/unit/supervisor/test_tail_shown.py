"""What a terminal is shown: nothing that a producer wrote gets there raw."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from streams.entry import Entry
from supervisor.entry_text import json_line, line
from supervisor.tables import (
    console,
    folded,
    local_time,
    pairs,
    printable,
    severity_text,
    shortened,
    texts,
)


@given(st.binary(max_size=200))
def test_no_bytes_reach_a_terminal_as_control_characters(raw: bytes) -> None:
    assert printable(raw).isprintable()


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40)), max_size=4))
def test_an_entry_is_always_one_line_for_people_and_one_json_object_for_programs(
    fields: list[tuple[bytes, bytes]],
) -> None:
    entry = Entry("L3", "17-0", [part for pair in fields for part in pair])
    assert line(entry).isprintable()
    told = json.loads(json_line(entry))
    assert (told["uid"], told["at_ms"]) == ("L3/17-0", 17)
    assert told["fields"] == texts(entry.fields)


def test_a_payload_is_cut_to_the_screen_and_json_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    entry = Entry("L3", "17-0", [b"data", b"x" * 5000])
    assert len(line(entry)) == 90
    assert line(entry).endswith("…")
    assert json.loads(json_line(entry))["fields"]["data"] == "x" * 5000


def test_a_payload_without_room_beside_a_long_uid_stands_beneath_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    told = line(Entry("SUPERVISOR_EVENTS", "1732100000000-0", [b"data", b"x" * 5000]))
    head, payload = told.split("\n")
    assert head.startswith("SUPERVISOR_EVENTS/1732100000000-0  20")
    assert len(payload) == 60
    assert payload.endswith("x…")


@given(st.lists(st.text("ab流é/-", min_size=1, max_size=30), max_size=9), st.integers(8, 60))
def test_folding_loses_nothing_and_breaks_only_what_no_line_has_room_for(
    words: list[str], width: int
) -> None:
    told = folded(" ".join(words), width)
    assert all(cell_len(each) <= width for each in told.split("\n"))
    assert "".join(told.split()) == "".join(words)
    assert {word for word in words if cell_len(word) <= width - 4} <= set(told.split())


def test_bytes_that_are_no_utf8_stand_escaped_in_both() -> None:
    entry = Entry("L3", "17-0", [b"data", b"caf\xe9\x1b[31m"])
    assert "caf\\xe9\\x1b[31m" in line(entry)
    assert json.loads(json_line(entry))["fields"]["data"] == "caf\\xe9\x1b[31m"


def test_an_entry_without_data_says_so() -> None:
    assert "no field 'data'" in line(Entry("L3", "17-0", [b"date", b"{}"]))


def test_of_a_field_that_comes_twice_the_first_counts() -> None:
    assert texts([b"a", b"1", b"a", b"2"]) == {"a": "1"}
    assert pairs([b"a", b"1", b"b"]) == [(b"a", b"1")]


def test_a_time_that_no_calendar_has_is_told_in_milliseconds() -> None:
    assert local_time(10**18) == f"{10**18} ms"
    assert local_time(0).count(":") == 2


def test_short_texts_stay_whole() -> None:
    assert shortened("abc", 3) == "abc"
    assert severity_text(None).plain == "-"


def test_what_is_piped_is_not_cut_to_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console(io.StringIO()).width == 160
    monkeypatch.setenv("COLUMNS", "120")
    assert console(io.StringIO()).width == 120
