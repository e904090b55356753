"""How many lanes a process may hold: a fair part of them, seen from the presence list alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topology import Topology
from streams.presence import Presence
from tests.unit.supervisor.stand_ins import presence, topology
from workers.errors import Misconfigured
from workers.lanes import lanes_named
from workers.share import Share, quota, rivals


class PresenceList:
    """A server that knows a presence list, or is away."""

    def __init__(self) -> None:
        self.lines: list[Presence] = []
        self.away = False

    def execute_command(self, *_: Any) -> dict[bytes, bytes]:
        if self.away:
            raise ConnectionError("away")
        return {p.field.encode(): p.model_dump_json().encode() for p in self.lines}

    def serve(self, processes: Mapping[str, Sequence[int]]) -> None:
        self.lines = [
            presence("pass", number).model_copy(update={"consumer": name, "lane": lane})
            for number, (name, lanes) in enumerate(processes.items())
            for lane in lanes
        ]


def share_of(listed: PresenceList, holder: str, lanes: Sequence[int]) -> Share:
    return Share(listed, "pass", holder, lanes, look_every_s=0.0)  # type: ignore[arg-type]


@given(st.integers(1, 64), st.integers(1, 64))
def test_the_shares_of_all_processes_cover_all_lanes_and_none_has_two_too_many(
    lanes: int, processes: int
) -> None:
    part = quota(dict.fromkeys(range(lanes), processes - 1))
    assert part * processes >= lanes
    assert (part - 1) * processes < lanes


@given(st.integers(1, 12), st.integers(1, 6), st.randoms())
def test_processes_that_come_and_go_end_with_every_lane_held_once_and_fairly(
    lanes: int, processes: int, random: Any
) -> None:
    listed, every = PresenceList(), range(lanes)
    shares: dict[str, Share] = {}
    held: dict[int, str] = {}
    for turn in range(3):
        names = [f"p{turn}{number}" for number in range(processes)]
        if shares and random.random() < 0.5:
            gone = random.choice(list(shares))
            del shares[gone]  # as kill -9 does
            held = {lane: name for lane, name in held.items() if name != gone}
        shares |= {name: share_of(listed, name, every) for name in names}
        listed.serve(dict.fromkeys(shares, every))
        for _ in range(3):
            for lane in random.sample(every, lanes):
                if lane in held and shares[held[lane]].surplus(lane):
                    shares[held.pop(lane)].give(lane)
                for name in random.sample(list(shares), len(shares)):
                    if lane not in held and shares[name].may_take(lane):
                        held[lane] = name
                    elif held.get(lane) != name:
                        shares[name].give(lane)
        assert sorted(held) == list(every)
        most = max(list(held.values()).count(name) for name in shares)
        assert most <= -(-lanes // len(shares))


def test_a_lane_that_nobody_else_serves_is_always_taken() -> None:
    listed = PresenceList()
    listed.serve({"all": range(4), "some": [0, 1]})
    share = share_of(listed, "all", range(4))
    assert [share.may_take(lane) for lane in range(4)] == [True, True, True, True]
    assert [lane for lane in range(4) if share.surplus(lane)] == [1]


def test_while_the_list_cannot_be_read_the_last_one_counts() -> None:
    listed = PresenceList()
    listed.serve({"a": range(4), "b": range(4)})
    share = share_of(listed, "a", range(4))
    assert share.may_take(0)
    listed.away = True
    assert share.may_take(1)
    assert not share.may_take(2)


def test_who_is_draining_leaves_its_lanes_to_the_others() -> None:
    leaving = presence("pass", 1).model_copy(update={"state": "draining"})
    other = presence("gate", 2)
    assert rivals([leaving, other, presence("pass", 3)], "pass", leaving.consumer) == {
        0: {presence("pass", 3).consumer}
    }
    assert rivals([leaving, other], "pass", "me") == {}


def two_lanes() -> Topology:
    return topology(lanes=2)


@pytest.mark.parametrize(("text", "lanes"), [("all", [0, 1]), ("1", [1]), ("1,0,1", [0, 1])])
def test_lanes_are_named_by_number_or_all_at_once(text: str, lanes: list[int]) -> None:
    assert lanes_named(text, two_lanes()) == lanes


@pytest.mark.parametrize(("text", "said"), [("2", "no lane 2"), ("-1", "no lane"), ("x", "'x'")])
def test_a_lane_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        lanes_named(text, two_lanes())
