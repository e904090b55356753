"""How rows become a trace, and a trace becomes text."""

import json
from typing import Any

import pytest

from lineage.errors import UnknownMessageError
from lineage.model import StampedRecord
from lineage.render import render_text
from lineage.store import open_store
from lineage.trace import Trace, build, fetch, to_json
from tests.servers.lineage_records import LAYERS, commit, output


def _trace(uid: str, *records: StampedRecord, direction: Any = "up", **rest: Any) -> Trace:
    with open_store("sqlite::memory:", LAYERS) as store:
        store.write(records)
        return fetch(store, uid, direction, **rest)


GATE = {"schema_name": "L3Event", "schema_version": "1.0", "tenant": "acme", "source": "camera"}


def test_a_line_tells_what_made_a_message_and_from_what() -> None:
    trace = _trace("L3/5-0", commit(5, output("L3", "L3_IN/1-0", producer_id="7", **GATE)))
    assert render_text(trace).splitlines() == [
        "L3_IN/1-0  published by camera (id 7)  acme",
        "L3/5-0  made by worker_1 (gate 0.1.0) as L3Event@1.0  acme  from L3_IN/1-0",
    ]


def test_a_message_of_unknown_making_says_so() -> None:
    text = render_text(_trace("L3/5-0", commit(5, output("L3", "L3_IN/1-0", producer_id="7"))))
    assert "published by a producer without a name (id 7)" in text
    text = render_text(_trace("L3/5-0", commit(5, output("L3", "L3_IN/1-0"))))
    assert text.startswith("L3_IN/1-0  no record of what made it\n")


def test_steps_stand_after_what_they_were_made_from() -> None:
    early_child = commit(5, output("L3", "L3_IN/9-0", "L3_IN/1-0"), output("L4", "L3/5-0"))
    assert [step.uid for step in _trace("L4/5-1", early_child).steps] == [
        "L3_IN/1-0",
        "L3_IN/9-0",
        "L3/5-0",
        "L4/5-1",
    ]


def _window(width: int) -> list[StampedRecord]:
    gate = commit(5, *(output("L3", f"L3_IN/{n}-0", **GATE) for n in range(width)))
    window = [f"L3/5-{n}" for n in range(width)]
    return [gate, commit(6, output("L4", *window))]


def test_a_wide_window_is_counted_not_listed() -> None:
    lines = render_text(_trace("L4/6-0", *_window(500))).splitlines()
    assert len(lines) == 9
    assert lines[3] == "… and 497 more of L3_IN"
    assert lines[7] == "… and 497 more of L3"
    assert lines[8].endswith("from L3/5-0, L3/5-1, L3/5-2 and 497 more")


def test_a_window_that_is_not_wide_is_listed() -> None:
    assert len(render_text(_trace("L4/6-0", *_window(5))).splitlines()) == 11


def test_a_flagged_message_and_its_history_are_listed_among_many() -> None:
    flag = commit(7, output("ANOMALY_EVENTS", "L3/5-77", flags=["L3/5-77"]))
    lines = render_text(_trace("L4/6-0", *_window(100), flag)).splitlines()
    assert any(line.startswith("L3_IN/77-0") for line in lines)
    assert "[anomaly high ANOMALY_EVENTS/7-0: anomaly of 1]" in "".join(lines)
    assert lines.count("… and 96 more of L3") == 1


def test_what_was_made_from_a_message_is_counted_likewise() -> None:
    fan_out = commit(5, *(output("L3", "L3_IN/1-0") for _ in range(50)))
    lines = render_text(_trace("L3_IN/1-0", fan_out, direction="down")).splitlines()
    assert lines[0].startswith("L3_IN/1-0")
    assert lines[4:] == ["… and 47 more of L3"]


def test_a_cut_trace_says_so() -> None:
    trace = _trace("L4/6-0", *_window(5), limit=2)
    assert trace.truncated
    assert render_text(trace).endswith(
        "… there is more; these are the 2 messages nearest to L4/6-0"
    )


def test_a_finding_whose_details_were_cut_off_keeps_its_kind() -> None:
    rejected = commit(5, output("SHRINK", "L3_IN/1-0", flags=["L3_IN/1-0"]))
    with open_store("sqlite::memory:") as store:
        store.write([rejected])
        rows = store.query("trace_up", uid="L3_IN/1-0")
    trace = build("L3_IN/1-0", "up", rows, edges=[], findings=[])
    assert render_text(trace).endswith("[rejection SHRINK/5-0]")


def test_a_producers_name_can_not_steer_the_terminal() -> None:
    trace = _trace("L3/5-0", commit(5, output("L3", "L3_IN/1-0", source="\x1b[2Jx\nL3/9-0")))
    assert "\x1b" not in render_text(trace)
    assert len(render_text(trace).splitlines()) == 2


def test_json_holds_the_whole_trace() -> None:
    trace = _trace("L3/5-0", commit(5, output("L3", "L3_IN/1-0", **GATE)))
    told = json.loads(to_json(trace))
    assert (told["uid"], told["direction"], told["truncated"]) == ("L3/5-0", "up", False)
    assert [step["uid"] for step in told["steps"]] == ["L3_IN/1-0", "L3/5-0"]
    assert told["steps"][1]["parents"] == ["L3_IN/1-0"]


def test_no_rows_are_no_trace() -> None:
    with pytest.raises(UnknownMessageError, match="is the uid right"):
        build("L3/5-0", "up", [], [], [])
