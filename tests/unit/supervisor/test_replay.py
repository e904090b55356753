"""What a replay begins from, and what of its outcome is published in whose place."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from schemas.topology_file import load_topology
from streams.entry import Entry
from supervisor.replay.compare import Compared, Report, Status, compare, differences
from supervisor.replay.graph import Ancestry, Node, ancestry_of
from supervisor.replay.plan import Plan, plan
from supervisor.replay.process import Made, Outcome
from supervisor.replay.publish import successors
from supervisor.replay.retained import Retained

TOPOLOGY = load_topology(Path(__file__).parents[3] / "streams.yaml")
CHAIN = {
    "L3_IN/1-0": (None, ()),
    "L3/2-0": ("gate", ("L3_IN/1-0",)),
    "L4_IN/3-0": ("assess", ("L3/2-0",)),
    "L4/4-0": ("gate", ("L4_IN/3-0",)),
}
"""One reading, and what became of it: by whom, and from what."""


def known() -> Ancestry:
    return ancestry_of(
        {"uid": uid, "worker": worker, "parents": parents}
        for uid, (worker, parents) in CHAIN.items()
    )


def planned(tainted: list[str], there: Mapping[str, list[bytes]]) -> Plan:
    def find(uid: str) -> Entry | None:
        stream, _, entry_id = uid.rpartition("/")
        return Entry(stream, entry_id, there[uid]) if uid in there else None

    return plan(TOPOLOGY, tainted, known(), Retained(TOPOLOGY, known(), find))


DATA = [b"data", b"{}"]
ASSESSED = ["L4_IN/3-0", "L4/4-0"]


def begins(found: Plan) -> list[tuple[str, tuple[str, ...] | None]]:
    return [(given.entry.uid, given.workers) for given in found.given]


def test_it_begins_from_what_is_not_tainted_itself() -> None:
    found = planned(ASSESSED, {"L3/2-0": DATA, "L3_IN/1-0": DATA})
    assert begins(found) == [("L3/2-0", ("assess",))]
    assert [node.uid for node in found.expected] == ASSESSED
    assert (found.lost, found.approximate) == ((), ("assess",))


def test_it_climbs_to_the_source_where_what_is_nearer_is_gone() -> None:
    found = planned(ASSESSED, {"L3_IN/1-0": DATA})
    assert begins(found) == [("L3_IN/1-0", ("gate",))]
    assert [node.uid for node in found.expected] == ["L3/2-0", *ASSESSED]


def test_a_trimmed_source_is_taken_from_what_the_gate_carried_on() -> None:
    fields = [*DATA, b"source", b"pump-7", b"parents", b"L3_IN/1-0"]
    found = planned(list(CHAIN), {"L3/2-0": fields})
    assert begins(found) == [("L3_IN/1-0", None)]
    assert found.given[0].entry.fields == [*DATA, b"source", b"pump-7"]


def test_what_has_nothing_retained_above_it_is_lost() -> None:
    found = planned(ASSESSED, {"L4/4-0": DATA})
    assert found.lost == tuple(ASSESSED)
    assert (found.given, found.expected) == ((), ())


def made(uid: str, worker: str, parent: str, original: str | None = None) -> Made:
    stream = uid.rpartition("/")[0]
    return Made(uid, worker, original, parent, stream, (parent,), tuple(DATA), None)


def report(*compared: Compared) -> Report:
    return Report(compared, (), (), ())


def changed(uid: str, worker: str, parent: str, status: Status = Status.CHANGED) -> Compared:
    node = Node(uid, worker, (parent,))
    return Compared(uid, worker, status, made=made(uid, worker, parent, uid), node=node)


def test_only_the_first_that_differ_are_published() -> None:
    found = successors(
        report(
            changed("L4_IN/3-0", "assess", "L3/2-0"),
            changed("L4/4-0", "gate", "L4_IN/3-0", Status.SAME),
            changed("L8_IN/5-0", "hunt", "L4/4-0"),
            changed("L8_IN/6-0", "hunt", "L4/9-0"),
        )
    )
    assert [(each.made.uid, each.supersedes) for each in found] == [
        ("L4_IN/3-0", ("L4_IN/3-0",)),
        ("L8_IN/6-0", ("L8_IN/6-0",)),
    ]


def test_what_comes_instead_takes_the_place_of_what_is_missing_once() -> None:
    missing = Node("L3/2-0", "gate", ("L3_IN/1-0",))
    found = successors(
        report(
            Compared("L3/2-0", "gate", Status.MISSING, node=missing),
            *(
                Compared(uid, "gate", Status.NEW, made=made(uid, "gate", "L3_IN/1-0"))
                for uid in ("SHRINK/1-1000", "SHRINK/1-1001")
            ),
        )
    )
    assert [each.supersedes for each in found] == [("L3/2-0",), ()]


def test_other_parents_are_a_difference_and_what_is_gone_is_not_compared() -> None:
    nodes = (Node("L4_IN/3-0", "assess", ("L3/2-0",)), Node("L4_IN/4-0", "assess", ("L3/2-0",)))
    begun = Plan((), nodes, (), {}, ())
    outcome = Outcome(
        tuple(made(node.uid, "assess", "L3/7-0", node.uid) for node in nodes), failed=()
    )
    there = Retained(
        TOPOLOGY,
        known(),
        lambda uid: Entry("L4_IN", "3-0", [*DATA]) if uid == "L4_IN/3-0" else None,
    )
    first, second = compare(begun, outcome, there).compared
    assert [change.path for change in first.fields] == ["entry.parents"]
    assert (first.status, second.status) == (Status.CHANGED, Status.UNKNOWN)


@pytest.mark.parametrize(
    ("before", "now", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, ["a"]),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, ["a.b.1.c"]),
        ([1], [1, 2], [""]),
        ({"a": None}, {}, ["a"]),
    ],
)
def test_differences_name_the_place(before: object, now: object, paths: list[str]) -> None:
    assert [change.path for change in differences(before, now)] == paths
