"""Messages through a topology in memory: the order, what is remembered, and what is said."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from schemas.topology import Topology
from streams.entry import Entry, Settled
from tests.servers.pipeline import SMALL, reading, topology_from
from workers.rehandle import Again
from workers.rehearse import Rehearsal
from workers.remembered import Remembered
from workers.replay import Given


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return topology_from(SMALL, tmp_path)


def given(at_ms: int, data: bytes = b"", *, context: bool = False, **fields: bytes) -> Given:
    parts = [b"data", data or reading(), *(p for k, v in fields.items() for p in (k.encode(), v))]
    encoded = tuple(b64encode(part) for part in parts)
    return Given(stream="IN", id=f"{at_ms}-0", fields=encoded, context=context)


def said(topology: Topology, *messages: Given) -> tuple[list[dict[str, Any]], dict[Any, int]]:
    rehearsal = Rehearsal(topology)
    lines = [line["said"] for line in rehearsal.run(messages) if "said" in line]
    return lines, {(row["worker"], row["what"]): row["n"] for row in rehearsal.told()}


def test_rejections_are_told_by_their_rule_and_the_rest_is_counted(topology: Topology) -> None:
    lines, tally = said(topology, given(1), given(2, b"{}"), given(3, b"[", id=b"m"))
    assert [(line["uid"], line["about"]) for line in lines] == [
        ("IN/2-0", ["message", "union_tag_not_found"]),
        ("IN/3-0", ["message", "json_invalid"]),
    ]
    assert tally[("gate", "accepted")] == tally[("gate", "to OK")] == 1
    assert tally[("gate", "rejected")] == tally[("gate", "to BAD")] == 2


def test_what_is_there_for_the_state_alone_counts_nowhere(topology: Topology) -> None:
    lines, tally = said(topology, given(1, b"{}", context=True), given(2, context=True))
    assert lines == []
    assert not any(tally.values())


def test_an_id_that_comes_again_is_a_duplicate_as_long_as_it_is_remembered(
    topology: Topology,
) -> None:
    hour_ms = 3_600_000
    again = [given(at_ms, id=b"m") for at_ms in (1, 2, hour_ms + 2)]
    _, tally = said(topology, *again)
    assert (tally[("gate", "accepted")], tally[("gate", "duplicate")]) == (2, 1)


def test_a_rejection_frees_its_own_id_alone() -> None:
    remembered = Remembered(10.0)
    first, second = (Entry("IN", f"{n}-0", []) for n in (1, 2))
    assert not remembered.is_duplicate(Settled(first, "accepted", (), "m"))
    assert not remembered.is_duplicate(Settled(second, "rejected", (), "m"))
    assert remembered.is_duplicate(Settled(second, "accepted", (), "m"))
    assert not remembered.is_duplicate(Settled(first, "rejected", (), "m"))
    assert not remembered.is_duplicate(Settled(second, "accepted", (), "m"))
    assert not remembered.is_duplicate(Settled(second, "accepted", (), None))


def test_messages_of_other_topologies_streams_are_passed_over(topology: Topology) -> None:
    other = given(1).model_copy(update={"stream": "ELSEWHERE"})
    assert said(topology, other) == ([], {})


class _Sum:
    """Adds numbers up; a negative one spoils the state and raises."""

    fingerprint = "sum"

    def __init__(self) -> None:
        self.total = self.handled = 0

    def handle(self, batch: list[Entry]) -> list[Settled]:
        for entry in batch:
            self.handled += 1
            if entry.at_ms == 7_777:
                self.total = -1
                raise ValueError("seven")
            self.total += 1
        return [Settled(entry, remember=str(self.total)) for entry in batch]

    def reset(self) -> None:
        self.total = 0

    def state(self) -> bytes:
        return json.dumps(self.total).encode()

    def restore(self, state: bytes) -> None:
        self.total = json.loads(state)


def test_a_state_is_made_anew_from_the_last_one_kept_and_not_from_the_beginning() -> None:
    handler = _Sum()
    again = Again(handler)
    entries = [Entry("IN", f"{n}-0", []) for n in range(1, 12_001)]
    failed = [entry.id for entry, made in again.handle(entries) if isinstance(made, Exception)]
    assert failed == ["7777-0"]
    assert handler.total == 11_999
    assert handler.handled < 12_000 + 3 * 5_000 + 2_000


def test_each_lane_has_a_handler_of_its_own_and_a_made_message_stays_on_it(tmp_path: Path) -> None:
    streams = SMALL["streams"] | {"OUT": {"schema": "schemas:L3EventSchema", "sink": True}}
    counting = {
        "kind": "transform",
        "call": "tests.servers.laned:numbered",
        "reads": ["OK"],
        "writes": ["OUT"],
        "memory": True,
    }
    workers = SMALL["workers"] | {"numbered": counting}
    laned = topology_from(SMALL | {"lanes": 2, "streams": streams, "workers": workers}, tmp_path)
    spread = [given(n).model_copy(update={"stream": f"IN{{{n % 2}}}"}) for n in range(1, 1_202)]
    rehearsal = Rehearsal(laned)
    done = [line["done"] for line in rehearsal.run(spread) if "done" in line]
    assert done == [500, 1_000, 1_201]
    told = {(row["worker"], row["what"]): row["n"] for row in rehearsal.told()}
    assert told[("numbered", "to OUT")] == told[("gate", "to OK")] == 1_201
    assert set(rehearsal._again) == {(w, f"{{{n}}}") for w in ("gate", "numbered") for n in (0, 1)}


def test_messages_of_one_millisecond_are_never_parted(topology: Topology) -> None:
    same = [given(5).model_copy(update={"id": f"5-{n}"}) for n in range(1_300)]
    done = [line["done"] for line in Rehearsal(topology).run([*same, given(6)]) if "done" in line]
    assert done == [1_300, 1_301]
