"""What a rehearsal compares, which bounds it passes, and which messages it begins from."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from lineage.uid import entry_order
from streams.entry import Entry
from supervisor.rehearsal import inputs
from supervisor.rehearsal.bounds import Bound, bounds, passed
from supervisor.rehearsal.compare import Report, compare
from supervisor.rehearsal.process import Finding, Played
from supervisor.rehearsal.show import to_json


def rejected(uid: str, *about: str) -> Finding:
    return Finding("gate", "rejected", "IN", about or ("x", "less_than"), uid)


def event(uid: str, severity: str) -> Finding:
    return Finding("anomaly", "event", "OK", ("anomaly", "x", severity), uid)


BEFORE = Played(
    [rejected("IN/1-0"), rejected("IN/2-0"), event("IN/5-0", "low"), event("IN/6-0", "low")],
    {("gate", "IN", "accepted"): 98, ("gate", "OTHER", "accepted"): 7},
)
NOW = Played(
    [
        rejected("IN/2-0", "y", "missing"),
        *(rejected(f"IN/{n}-0") for n in (3, 4)),
        *(event("IN/5-0", severity) for severity in ("low", "high")),
    ],
    {("gate", "IN", "accepted"): 97, ("gate", "OTHER", "accepted"): 7},
)
REPORT = compare(BEFORE, NOW, 100)


def test_added_and_gone_are_found_message_by_message() -> None:
    told = {(c.what, c.about[-1]): (c.before, c.now, c.more, c.fewer) for c in REPORT.changes}
    assert told == {
        ("rejected", "less_than"): (2, 2, ("IN/3-0", "IN/4-0"), ("IN/1-0", "IN/2-0")),
        ("rejected", "missing"): (0, 1, ("IN/2-0",), ()),
        ("event", "low"): (2, 1, (), ("IN/6-0",)),
        ("event", "high"): (0, 1, ("IN/5-0",), ()),
    }
    assert [(f.what, f.before, f.now) for f in REPORT.flows] == [("accepted", 105, 104)]


def test_a_message_that_is_rejected_for_another_reason_is_no_more_rejected_than_before() -> None:
    assert REPORT.more == {"rejected": 2, "dead": 0, "event": 1}
    assert REPORT.fewer == {"rejected": 1, "dead": 0, "event": 1}


def test_the_same_is_the_same_and_a_flow_alone_is_a_difference() -> None:
    assert compare(BEFORE, BEFORE, 100).same
    moved = Played(BEFORE.findings, NOW.tally)
    assert not compare(BEFORE, moved, 100).same
    assert list(passed(compare(BEFORE, BEFORE, 100), bounds(["any"], {}))) == []
    assert [p.found for p in passed(compare(BEFORE, moved, 100), bounds(["any"], {}))] == [1]


@pytest.mark.parametrize(
    ("kind", "text", "fails"),
    [
        ("more-rejected", "1", True),
        ("more-rejected", "2", False),
        ("more-rejected", "1.9%", True),
        ("more-rejected", "2 %", False),
        ("events-gone", "49%", True),
        ("events-gone", "50%", False),
        ("events-added", "1%", False),
        ("more-dead", "0", False),
    ],
)
def test_a_bound_is_a_number_or_a_share_and_is_met_by_what_equals_it(
    kind: str, text: str, fails: bool
) -> None:
    (bound,) = bounds([], {"more-dead": None, kind: text})
    assert bool(list(passed(REPORT, [bound]))) is fails


def test_kinds_come_one_by_one_or_with_commas_and_others_are_refused() -> None:
    found = bounds(["more-rejected, events-gone", "any"], {})
    assert found == [Bound("more-rejected", 0), Bound("events-gone", 0), Bound("any", 0)]
    assert [p.sentence for p in passed(REPORT, found)] == [
        "more-rejected: 2, and at most 0 are allowed",
        "events-gone: 1, and at most 0 are allowed",
        "any: 1, and at most 0 are allowed",
    ]
    for wrong in ({"more-dead": "-1"}, {"more-dead": "a tenth"}):
        with pytest.raises(typer.BadParameter):
            bounds([], wrong)
    with pytest.raises(typer.BadParameter, match="more-rejected, fewer-rejected"):
        bounds(["rejected"], {})


def test_an_empty_report_is_json_too() -> None:
    assert '"same": true' in to_json(Report(0, (), ()), [], [])


def test_messages_that_a_gate_carried_on_out_of_order_come_in_theirs() -> None:
    def entries(*numbers: int) -> Iterator[Entry]:
        return (Entry("IN", f"{number}-0", []) for number in numbers)

    found = list(inputs._in_order(entries(3, 1, 2, 9, 5, 4)))
    assert [entry.id for entry in found] == ["1-0", "2-0", "3-0", "4-0", "5-0", "9-0"]
    assert found == sorted(found, key=lambda entry: entry_order(entry.uid))


def test_a_source_that_is_retained_in_part_says_from_when_on() -> None:
    sources: dict[str, Any] = {
        "A": inputs.Source("A", asked_ms=1000, from_ms=1000, own_ms=0),
        "B": inputs.Source("B", asked_ms=1000, from_ms=86_400_000, own_ms=0),
    }
    (told,) = inputs.notes(sources)
    assert told.startswith("of B only what came after 1970-01-0")
